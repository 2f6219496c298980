//! The members of an event.

use super::{Event, EventFields, MAX_NAME, Time};
use crate::input::json::{self, Keys, Members, Value, group_name, unexpected_text};
use crate::input::lines::Problem;
use crate::text::quote;
use serde::de::{self, MapAccess, Unexpected, Visitor};
use std::fmt;

/// Reads `line` into `event`, with what `fields` ask for. With a session the agent may be missing.
pub(crate) fn parse(line: &str, event: &mut Event, fields: &EventFields) -> Result<(), Problem> {
    event.clear();
    json::read(line, EventMembers { event, fields })
}

/// The object of a line.
struct EventMembers<'e> {
    event: &'e mut Event,
    fields: &'e EventFields,
}

impl<'de> Members<'de> for EventMembers<'_> {
    const USUAL: &'static [&'static str] = &[
        "agent_id",
        "action_type",
        "cohort",
        "event_id",
        "risk_score",
        "timestamp",
    ];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object like {\"agent_id\": \"a7\", \"action_type\": \"delete\"}")
    }

    fn member<A: MapAccess<'de>>(&mut self, key: &str, value: Value<'_, A>) -> Result<(), A::Error> {
        let event = &mut *self.event;
        match key {
            "agent_id" => value.text("agent_id", MAX_NAME, &mut event.agent_id)?,
            "action_type" => value.text("action_type", MAX_NAME, &mut event.action_type)?,
            "cohort" => value.text("cohort", MAX_NAME, &mut event.cohort)?,
            "event_id" => {
                let id = value.group("event_id")?;
                let id = id.as_deref().map_or("", group_name);
                if id.len() > MAX_NAME {
                    let length = id.len();
                    return Err(de::Error::custom(format_args!(
                        "\"event_id\" has {length} bytes; at most {MAX_NAME} are allowed"
                    )));
                }
                event.event_id.push_str(id);
            }
            "risk_score" => event.risk_score = value.number("risk_score")?,
            "timestamp" => event.time = value.any(Timestamp)?,
            // A member may have two meanings.
            _ if self.fields.group.as_deref() == Some(key) && self.fields.session.as_deref() != Some(key) => {
                event.group.push_str(value.group(key)?.as_deref().unwrap_or_default());
            }
            _ if self.fields.source.as_deref() == Some(key) => {
                let source = value.group(key)?;
                event.source.push_str(source.as_deref().map_or("", group_name));
            }
            _ if self.fields.label.as_deref() == Some(key) => event.label = Some(value.label()?),
            _ if self.fields.session.as_deref() == Some(key) => {
                let session = value.group(key)?;
                event.session.push_str(session.as_deref().map_or("", group_name));
            }
            _ => value.skip()?,
        }
        Ok(())
    }

    fn finish<E: de::Error>(self, keys: &Keys<'de>) -> Result<(), E> {
        let Self { event, fields } = self;
        let empty = |field: &str| {
            let problem = if keys.has(field) { "empty" } else { "missing" };
            E::custom(format_args!(
                "\"{field}\" is {problem}; expected {{\"agent_id\": \"a7\", \"action_type\": \"delete\"}}"
            ))
        };
        if event.action_type.is_empty() {
            return Err(empty("action_type"));
        }
        if let Some(risk) = event.risk_score
            && !(0.0..=1.0).contains(&risk)
        {
            return Err(E::custom(format_args!(
                "\"risk_score\" is {risk}; expected a number from 0 to 1, or say from where to where it goes by --risk-range"
            )));
        }
        let of_event = |field: &str, event: &Event| match field {
            "agent_id" => Some(event.agent_id.clone()),
            "cohort" => Some(event.cohort.clone()),
            _ if fields.session.as_deref() == Some(field) => Some(event.session.clone()),
            _ => None,
        };
        if let Some(name) = fields.group.as_deref().and_then(|field| of_event(field, event))
            && !name.is_empty()
        {
            event.group = json::group(&name);
        }
        let Some(field) = fields.session.as_deref() else {
            return if event.agent_id.is_empty() {
                Err(empty("agent_id"))
            } else {
                Ok(())
            };
        };
        match field {
            "agent_id" => event.session.clone_from(&event.agent_id),
            "cohort" => event.session.clone_from(&event.cohort),
            _ => {}
        }
        if event.session.is_empty() {
            let field = quote(field);
            return Err(E::custom(format_args!(
                "the field {field} that makes the sessions is missing"
            )));
        }
        if event.agent_id.is_empty() {
            event.agent_id.clone_from(&event.session);
        }
        Ok(())
    }
}

/// A moment: RFC 3339, or seconds since 1970; null for none.
struct Timestamp;

impl Visitor<'_> for Timestamp {
    type Value = Option<Time>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"timestamp\" to be RFC 3339 or seconds since 1970, from 1970 to 9999")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Option<Time>, E> {
        Time::from_rfc3339(text)
            .map(Some)
            .ok_or_else(|| unexpected_text(text, &self))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Option<Time>, E> {
        Time::from_seconds(value)
            .map(Some)
            .ok_or_else(|| E::invalid_value(Unexpected::Float(value), &self))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Option<Time>, E> {
        i64::try_from(value)
            .ok()
            .and_then(|seconds| Time::from_micros(seconds.checked_mul(1_000_000)?))
            .map(Some)
            .ok_or_else(|| E::invalid_value(Unexpected::Unsigned(value), &self))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Option<Time>, E> {
        Err(E::invalid_value(Unexpected::Signed(value), &self))
    }

    fn visit_unit<E>(self) -> Result<Option<Time>, E> {
        Ok(None)
    }
}
