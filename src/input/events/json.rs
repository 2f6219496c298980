//! One line of JSON becomes an event, or the reason why not.

use super::{Event, Fields, MAX_NAME, Marks, Time};
use crate::input::samples::json::{Expected, Key, LabelSeed, Problem, explain, scalar, text, without_escapes};
use crate::text::quote;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

/// Reads `line` into `event`, and with `marked` what training needs besides.
pub(super) fn parse(line: &[u8], event: &mut Event, marked: Option<(Fields<'_>, &mut Marks)>) -> Result<(), Problem> {
    event.clear();
    let text = text(line)?;
    let mut json = serde_json::Deserializer::from_str(text);
    Object { event, marked }
        .deserialize(&mut json)
        .and_then(|()| json.end())
        .map_err(|error| explain(&error, text))
}

/// The object of a line.
struct Object<'e, 'f> {
    event: &'e mut Event,
    marked: Option<(Fields<'f>, &'e mut Marks)>,
}

impl<'de> DeserializeSeed<'de> for Object<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Object<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object like {\"agent_id\": \"a7\", \"action_type\": \"delete\"}")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut seen = Seen::default();
        if let Some((_, marks)) = &mut self.marked {
            **marks = Marks::default();
        }
        while let Some(Key(key)) = map.next_key()? {
            let is_key = self
                .marked
                .as_ref()
                .is_some_and(|(fields, _)| *key == *fields.session_by);
            let is_label = self.marked.as_ref().is_some_and(|(fields, _)| *key == *fields.label);
            let usual = seen.insert(key.clone()).map_err(|()| duplicate(&key))?;
            let event = &mut *self.event;
            match usual {
                Some(AGENT) => map.next_value_seed(Name(&mut event.agent_id, "agent_id"))?,
                Some(ACTION) => map.next_value_seed(Name(&mut event.action_type, "action_type"))?,
                Some(COHORT) => map.next_value_seed(Name(&mut event.cohort, "cohort"))?,
                Some(RISK) => event.risk_score = map.next_value_seed(Risk)?,
                Some(TIMESTAMP) => event.time = map.next_value_seed(Timestamp)?,
                _ if is_label => {
                    let label = Some(map.next_value_seed(LabelSeed)?);
                    self.marked.iter_mut().for_each(|(_, marks)| marks.label = label);
                }
                _ if is_key => {
                    let value = scalar(map.next_value()?, &key)?.map(without_escapes);
                    self.marked
                        .iter_mut()
                        .for_each(|(_, marks)| marks.key.clone_from(&value));
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        self.check(&seen)
    }
}

impl Object<'_, '_> {
    /// Checks that nothing is missing once the whole object has been read.
    fn check<E: de::Error>(self, seen: &Seen<'_>) -> Result<(), E> {
        let empty = |field: &str, usual| {
            let problem = if seen.has(usual) { "empty" } else { "missing" };
            E::custom(format_args!(
                "\"{field}\" is {problem}; expected {{\"agent_id\": \"a7\", \"action_type\": \"delete\"}}"
            ))
        };
        if self.event.action_type.is_empty() {
            return Err(empty("action_type", ACTION));
        }
        let Some((fields, marks)) = self.marked else {
            return if self.event.agent_id.is_empty() {
                Err(empty("agent_id", AGENT))
            } else {
                Ok(())
            };
        };
        let own = match fields.session_by {
            "agent_id" => Some(&self.event.agent_id),
            "cohort" => Some(&self.event.cohort),
            _ => None,
        };
        if let Some(own) = own.filter(|own| !own.is_empty()) {
            marks.key = Some(format!("\"{own}"));
        }
        if marks.key.is_none() {
            let field = quote(fields.session_by);
            return Err(E::custom(format_args!(
                "the field {field} that makes the sessions is missing"
            )));
        }
        Ok(())
    }
}

fn duplicate<E: de::Error>(key: &str) -> E {
    E::custom(format_args!("duplicate key {}", quote(key)))
}

const AGENT: u8 = 0;
const ACTION: u8 = 1;
const COHORT: u8 = 2;
const RISK: u8 = 3;
const TIMESTAMP: u8 = 4;

/// The keys of an object so far. The usual ones cost no allocation.
#[derive(Default)]
struct Seen<'de> {
    usual: u8,
    others: BTreeSet<Cow<'de, str>>,
}

impl<'de> Seen<'de> {
    /// Notes `key` and returns which of the usual ones it is, or an error if it was there before.
    fn insert(&mut self, key: Cow<'de, str>) -> Result<Option<u8>, ()> {
        let usual = match &*key {
            "agent_id" => AGENT,
            "action_type" => ACTION,
            "cohort" => COHORT,
            "risk_score" => RISK,
            "timestamp" => TIMESTAMP,
            _ => return self.others.insert(key).then_some(None).ok_or(()),
        };
        if self.has(usual) {
            return Err(());
        }
        self.usual |= 1 << usual;
        Ok(Some(usual))
    }

    fn has(&self, usual: u8) -> bool {
        self.usual & (1 << usual) != 0
    }
}

/// A name, put into the text given. Null and an empty name mean none.
struct Name<'e>(&'e mut String, &'static str);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" to be a string", self.1)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        if text.len() > MAX_NAME {
            return Err(E::custom(format_args!(
                "\"{}\" has {} bytes; at most {MAX_NAME} are allowed",
                self.1,
                text.len()
            )));
        }
        self.0.push_str(text);
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// A finite number, or null for none.
struct Risk;

impl<'de> DeserializeSeed<'de> for Risk {
    type Value = Option<f64>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<f64>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Risk {
    type Value = Option<f64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"risk_score\" to be a number")
    }

    fn visit_f64<E>(self, value: f64) -> Result<Option<f64>, E> {
        Ok(Some(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Option<f64>, E> {
        Ok(Some(value as f64))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Option<f64>, E> {
        Ok(Some(value as f64))
    }

    fn visit_unit<E>(self) -> Result<Option<f64>, E> {
        Ok(None)
    }
}

/// A moment: RFC 3339, or seconds since 1970; null for none.
struct Timestamp;

impl<'de> DeserializeSeed<'de> for Timestamp {
    type Value = Option<Time>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Time>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Timestamp {
    type Value = Option<Time>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"timestamp\" to be RFC 3339 or seconds since 1970, from 1970 to 9999")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Option<Time>, E> {
        Time::from_rfc3339(text).map(Some).ok_or_else(|| {
            let found = quote(text);
            E::custom(format_args!("found the string {found}, expected {}", Expected(&self)))
        })
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Option<Time>, E> {
        Time::from_seconds(value)
            .map(Some)
            .ok_or_else(|| E::invalid_value(de::Unexpected::Float(value), &self))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Option<Time>, E> {
        i64::try_from(value)
            .ok()
            .and_then(|seconds| Time::from_micros(seconds.checked_mul(1_000_000)?))
            .map(Some)
            .ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(value), &self))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Option<Time>, E> {
        Err(E::invalid_value(de::Unexpected::Signed(value), &self))
    }

    fn visit_unit<E>(self) -> Result<Option<Time>, E> {
        Ok(None)
    }
}
