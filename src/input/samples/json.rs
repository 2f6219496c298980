//! One line of JSON becomes a record, or the reason why not.
//!
//! serde's derived readers let the last of two equal keys win, take arrays for objects and so on; these visitors do not.

use super::{MAX_ACTION, MAX_ACTIONS, Record};
use crate::data::dataset::Label;
use crate::input::line_chunks::MAX_LINE;
use crate::text::{one_line, quote};
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

/// Why a line is not a record: the column, if known, and the problem.
pub(crate) type Problem = (Option<usize>, String);

pub(super) fn parse<'a>(text: &'a str, group_by: Option<&str>, record: &mut Record<'a>) -> Result<(), Problem> {
    record.clear();
    let mut json = serde_json::Deserializer::from_str(text);
    let object = Object {
        record,
        group_by,
        nested: false,
    };
    object
        .deserialize(&mut json)
        .and_then(|()| json.end())
        .map_err(|error| explain(&error, text))?;
    if let Some(field) = group_by.filter(|_| record.group.is_none()) {
        let problem = format!("the field {} that groups the samples is missing", quote(field));
        return Err((None, problem));
    }
    Ok(())
}

/// The line as text, unless it is too long or no UTF-8.
pub(crate) fn text(line: &[u8]) -> Result<&str, Problem> {
    if line.len() > MAX_LINE {
        let limit = MAX_LINE >> 20;
        return Err((
            None,
            format!("line longer than {limit} MiB; one JSON object a line is expected"),
        ));
    }
    std::str::from_utf8(line).map_err(|error| {
        let byte = error.valid_up_to() + 1;
        if line.starts_with(b"\xff\xfe") || line.starts_with(b"\xfe\xff") {
            (None, "the file is UTF-16; convert it to UTF-8".to_owned())
        } else if line.starts_with(b"\x1f\x8b") || line.starts_with(b"\x28\xb5\x2f\xfd") {
            (None, "compressed data inside the file; decompress it first".to_owned())
        } else {
            (
                Some(byte),
                format!("not UTF-8 at byte {byte} of the line; convert the file to UTF-8"),
            )
        }
    })
}

/// Puts an error of the JSON parser into words for somebody who looks at the line.
pub(crate) fn explain(error: &serde_json::Error, text: &str) -> Problem {
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = error.to_string();
    let message = message.strip_suffix(&place).unwrap_or(&message);
    let hint = if message.starts_with("recursion limit") {
        return (
            Some(error.column()),
            "JSON nested too deeply; at most 128 levels are read".to_owned(),
        );
    } else if text.trim_start().starts_with("[{") {
        "; expected one JSON object a line, not an array"
    } else if message == "trailing characters" {
        "; expected exactly one JSON object a line"
    } else if error.is_eof() {
        "; the line is cut off"
    } else if error.is_syntax() && text.contains('\'') {
        "; JSON needs double quotes"
    } else {
        ""
    };
    let problem = if error.is_data() {
        format!("{message}{hint}")
    } else {
        format!("not valid JSON: {message}{hint}")
    };
    (Some(error.column()).filter(|&column| column > 0), one_line(&problem))
}

/// The object of a line, or the one under `features` if `nested`.
struct Object<'r, 'a> {
    record: &'r mut Record<'a>,
    group_by: Option<&'r str>,
    nested: bool,
}

impl<'de> DeserializeSeed<'de> for Object<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Object<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.nested {
            "\"features\" to be an object"
        } else {
            "an object like {\"features\": {\"sequence\": [\"a\", \"b\"]}, \"label\": 0}"
        })
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        Err(E::custom(format_args!(
            "found the string {}, expected {}",
            quote(text),
            Expected(&self)
        )))
    }

    /// A bare array of actions.
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        if self.nested {
            return Err(de::Error::invalid_type(de::Unexpected::Seq, &self));
        }
        Sequence(self.record).visit_seq(seq)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = Seen::default();
        let mut has_sequence = false;
        while let Some(Key(key)) = map.next_key()? {
            if !seen.insert(&key) {
                return Err(de::Error::custom(format_args!("duplicate key {}", quote(&key))));
            }
            let wanted = !self.nested && self.group_by == Some(&*key);
            match &*key {
                "sequence" => {
                    if has_sequence {
                        return Err(de::Error::custom("there are two sequences; expected one"));
                    }
                    has_sequence = true;
                    map.next_value_seed(Sequence(self.record))?;
                }
                "features" if !self.nested => {
                    if has_sequence {
                        return Err(de::Error::custom("there are two sequences; expected one"));
                    }
                    has_sequence = true;
                    map.next_value_seed(Object {
                        record: &mut *self.record,
                        group_by: None,
                        nested: true,
                    })?;
                }
                "label" if !self.nested => {
                    self.record.label = Some(map.next_value_seed(LabelSeed)?);
                }
                "id" if !self.nested => {
                    let id = scalar(map.next_value()?, "id")?;
                    if wanted {
                        self.record.group = id.map(without_escapes);
                    }
                    self.record.id = id;
                }
                _ if wanted => {
                    self.record.group = scalar(map.next_value()?, &key)?.map(without_escapes);
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if has_sequence {
            Ok(())
        } else {
            let message =
                "\"sequence\" is missing; expected {\"features\": {\"sequence\": [...]}} or {\"sequence\": [...]}";
            Err(de::Error::custom(message))
        }
    }
}

/// What a visitor expects, as part of a sentence.
pub(crate) struct Expected<'a, V>(pub(crate) &'a V);

impl<'de, V: Visitor<'de>> fmt::Display for Expected<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }
}

/// A string, number or boolean; `None` for null.
pub(crate) fn scalar<'de, E: de::Error>(value: &'de RawValue, field: &str) -> Result<Option<&'de RawValue>, E> {
    match value.get().as_bytes().first() {
        Some(b'{' | b'[') | None => Err(E::custom(format_args!("{} must be a string or a number", quote(field)))),
        Some(b'n') => Ok(None),
        // Raw text has been skipped over, not read: reading it finds lone surrogates and numbers that are too large.
        Some(_) => match serde_json::from_str::<serde_json::Value>(value.get()) {
            Ok(_) => Ok(Some(value)),
            Err(error) => Err(E::custom(format_args!("{} is not valid: {error}", quote(field)))),
        },
    }
}

/// The JSON text of a scalar with the escapes of a string resolved, so that one group has one spelling.
pub(crate) fn without_escapes(json: &RawValue) -> String {
    match serde_json::from_str::<String>(json.get()) {
        Ok(text) => format!("\"{text}"),
        Err(_) => json.get().to_owned(),
    }
}

/// The keys of an object so far. The usual ones cost no allocation.
#[derive(Default)]
struct Seen {
    usual: u8,
    others: BTreeSet<String>,
}

impl Seen {
    fn insert(&mut self, key: &str) -> bool {
        const USUAL: [&str; 5] = ["id", "group", "features", "sequence", "label"];
        if let Some(index) = USUAL.iter().position(|usual| *usual == key) {
            let new = self.usual & (1 << index) == 0;
            self.usual |= 1 << index;
            new
        } else {
            self.others.insert(key.to_owned())
        }
    }
}

/// A key, borrowed from the line unless it has escapes.
pub(crate) struct Key<'de>(pub(crate) Cow<'de, str>);

impl<'de> de::Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

/// The array of actions.
struct Sequence<'r, 'a>(&'r mut Record<'a>);

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
        Err(E::custom(format_args!(
            "found the string {}, expected {}",
            quote(text),
            Expected(&self)
        )))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Action(self.0))?.is_some() {
            if self.0.actions.len() > MAX_ACTIONS {
                return Err(de::Error::custom(format_args!(
                    "more than {MAX_ACTIONS} actions in a sequence; split it into sessions"
                )));
            }
        }
        Ok(())
    }
}

/// One action of the sequence.
struct Action<'r, 'a>(&'r mut Record<'a>);

impl<'a> Action<'_, 'a> {
    fn add<E: de::Error>(self, action: Cow<'a, str>) -> Result<(), E> {
        let Self(Record { actions, .. }) = self;
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
        write!(f, "sequence[{}] to be a string", self.0.actions.len())
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<(), E> {
        self.add(Cow::Borrowed(text))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        self.add(Cow::Owned(text.to_owned()))
    }
}

/// The label: the number 0 or 1 and nothing that could be taken for it.
pub(crate) struct LabelSeed;

impl<'de> DeserializeSeed<'de> for LabelSeed {
    type Value = Label;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Label, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for LabelSeed {
    type Value = Label;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"label\" to be the number 0 (normal) or 1 (anomalous)")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Label, E> {
        match value {
            0 => Ok(Label::Normal),
            1 => Ok(Label::Anomalous),
            _ => Err(E::invalid_value(de::Unexpected::Unsigned(value), &self)),
        }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Label, E> {
        Err(E::custom(format_args!(
            "found the string {}, expected {}",
            quote(text),
            Expected(&self)
        )))
    }
}
