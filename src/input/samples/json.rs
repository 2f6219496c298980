//! The members of a sample.

use super::{Fields, USUAL_COUNT, UnlabelledSample};
use crate::data::dataset::{MAX_ACTION, MAX_ACTIONS};
use crate::data::label::Label;
use crate::input::json::{self, Keys, Members, Value, count_of, group_of, unexpected_text};
use crate::input::lines::Problem;
use crate::text::quote;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// Reads `line` into `sample`, and returns the label if there is one. The members that `fields` names must be there.
pub(super) fn parse<'a>(
    line: &'a str,
    fields: Fields<'_>,
    sample: &mut UnlabelledSample<'a>,
) -> Result<Option<Label>, Problem> {
    sample.clear();
    let mut label = None;
    let members = SampleMembers {
        sample,
        label: &mut label,
        fields,
        has_sequence: false,
    };
    json::read(line, members)?;
    if let Some(field) = fields.count.filter(|_| sample.count.is_none()) {
        let problem = format!("the field {} that counts the samples is missing", quote(field));
        return Err((None, problem));
    }
    if let Some(field) = fields.group.filter(|_| sample.group.is_none()) {
        let problem = format!("the field {} that groups the samples is missing", quote(field));
        return Err((None, problem));
    }
    Ok(label)
}

/// The object of a line.
struct SampleMembers<'r, 'a> {
    sample: &'r mut UnlabelledSample<'a>,
    label: &'r mut Option<Label>,
    fields: Fields<'r>,
    has_sequence: bool,
}

impl<'de> Members<'de> for SampleMembers<'_, 'de> {
    const USUAL: &'static [&'static str] = &["id", "group", "features", "sequence", "label"];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object like {\"features\": {\"sequence\": [\"a\", \"b\"]}, \"label\": 0}")
    }

    fn member<A: MapAccess<'de>>(&mut self, key: &str, value: Value<'_, A>) -> Result<(), A::Error> {
        let is_sequence = key == "sequence" || key == "features";
        if is_sequence && std::mem::replace(&mut self.has_sequence, true) {
            return Err(de::Error::custom("there are two sequences; expected one"));
        }
        let is_group = self.fields.group == Some(key);
        let is_count = self.fields.count == Some(key);
        self.sample.unused_count |= !is_count && !is_group && key == USUAL_COUNT;
        match key {
            _ if is_count => {
                let value = value.scalar(key)?;
                self.sample.count = Some(count_of(value, key)?);
                if is_group {
                    self.sample.group = value.map(group_of);
                }
                Ok(())
            }
            "sequence" => value.read(Sequence(&mut self.sample.actions)),
            "features" => value.object(FeaturesMembers(&mut self.sample.actions)),
            "label" => {
                *self.label = Some(value.label()?);
                Ok(())
            }
            "id" => {
                self.sample.id = value.scalar("id")?;
                if is_group {
                    self.sample.group = self.sample.id.map(group_of);
                }
                Ok(())
            }
            _ if is_group => {
                self.sample.group = value.group(key)?;
                Ok(())
            }
            _ => value.skip(),
        }
    }

    fn finish<E: de::Error>(self, _: &Keys<'de>) -> Result<(), E> {
        if self.has_sequence { Ok(()) } else { Err(no_sequence()) }
    }

    /// A bare array of actions.
    fn array<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        Sequence(&mut self.sample.actions).visit_seq(seq)
    }
}

/// The object under `features`.
struct FeaturesMembers<'r, 'a>(&'r mut Vec<Cow<'a, str>>);

impl<'de> Members<'de> for FeaturesMembers<'_, 'de> {
    const USUAL: &'static [&'static str] = &["sequence"];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"features\" to be an object")
    }

    fn member<A: MapAccess<'de>>(&mut self, key: &str, value: Value<'_, A>) -> Result<(), A::Error> {
        match key {
            "sequence" => value.read(Sequence(self.0)),
            _ => value.skip(),
        }
    }

    fn finish<E: de::Error>(self, keys: &Keys<'de>) -> Result<(), E> {
        if keys.has("sequence") {
            Ok(())
        } else {
            Err(no_sequence())
        }
    }
}

fn no_sequence<E: de::Error>() -> E {
    E::custom("\"sequence\" is missing; expected {\"features\": {\"sequence\": [...]}} or {\"sequence\": [...]}")
}

/// The array of actions.
struct Sequence<'r, 'a>(&'r mut Vec<Cow<'a, str>>);

impl<'de> DeserializeSeed<'de> for Sequence<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Sequence<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"sequence\" to be an array of strings")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        Err(unexpected_text(text, &self))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Action(self.0))?.is_some() {
            if self.0.len() > MAX_ACTIONS {
                return Err(de::Error::custom(format_args!(
                    "more than {MAX_ACTIONS} actions in a sequence; split it into sessions"
                )));
            }
        }
        Ok(())
    }
}

/// One action of the sequence.
struct Action<'r, 'a>(&'r mut Vec<Cow<'a, str>>);

impl<'a> Action<'_, 'a> {
    fn add<E: de::Error>(self, action: Cow<'a, str>) -> Result<(), E> {
        let Self(actions) = self;
        if action.len() > MAX_ACTION {
            return Err(E::custom(format_args!(
                "sequence[{}] is an action of {} bytes; at most {MAX_ACTION} are allowed",
                actions.len(),
                action.len()
            )));
        }
        actions.push(action);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Action<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Action<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sequence[{}] to be a string", self.0.len())
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<(), E> {
        self.add(Cow::Borrowed(text))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        self.add(Cow::Owned(text.to_owned()))
    }
}
