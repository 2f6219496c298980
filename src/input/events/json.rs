//! The members of an event.

use super::{Event, MAX_NAME, SessionMembers, SessionRules, Time};
use crate::input::json::{self, Keys, Members, Value, group, unexpected_text};
use crate::input::lines::Problem;
use crate::text::quote;
use serde::de::{self, MapAccess, Unexpected, Visitor};
use std::fmt;

/// Reads `line` into `event`, and with `session` what training needs besides.
pub(super) fn parse(
    line: &str,
    event: &mut Event,
    mut session: Option<(&SessionRules, &mut SessionMembers)>,
) -> Result<(), Problem> {
    event.clear();
    if let Some((_, members)) = &mut session {
        **members = SessionMembers::default();
    }
    json::read(line, EventMembers { event, session })
}

/// The object of a line.
struct EventMembers<'e> {
    event: &'e mut Event,
    session: Option<(&'e SessionRules, &'e mut SessionMembers)>,
}

impl<'de> Members<'de> for EventMembers<'_> {
    const USUAL: &'static [&'static str] = &["agent_id", "action_type", "cohort", "risk_score", "timestamp"];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object like {\"agent_id\": \"a7\", \"action_type\": \"delete\"}")
    }

    fn member<A: MapAccess<'de>>(&mut self, key: &str, value: Value<'_, A>) -> Result<(), A::Error> {
        let event = &mut *self.event;
        match key {
            "agent_id" => value.text("agent_id", MAX_NAME, &mut event.agent_id)?,
            "action_type" => value.text("action_type", MAX_NAME, &mut event.action_type)?,
            "cohort" => value.text("cohort", MAX_NAME, &mut event.cohort)?,
            "risk_score" => event.risk_score = value.number("risk_score")?,
            "timestamp" => event.time = value.any(Timestamp)?,
            _ => match &mut self.session {
                Some((rules, members)) if rules.label_field.as_deref() == Some(key) => {
                    members.label = Some(value.label()?)
                }
                Some((rules, members)) if key == rules.session_by => members.session = value.group(key)?,
                _ => value.skip()?,
            },
        }
        Ok(())
    }

    fn finish<E: de::Error>(self, keys: &Keys<'de>) -> Result<(), E> {
        let Self { event, session } = self;
        let empty = |field: &str| {
            let problem = if keys.has(field) { "empty" } else { "missing" };
            E::custom(format_args!(
                "\"{field}\" is {problem}; expected {{\"agent_id\": \"a7\", \"action_type\": \"delete\"}}"
            ))
        };
        if event.action_type.is_empty() {
            return Err(empty("action_type"));
        }
        let Some((rules, members)) = session else {
            return if event.agent_id.is_empty() {
                Err(empty("agent_id"))
            } else {
                Ok(())
            };
        };
        let own = match rules.session_by.as_str() {
            "agent_id" => &event.agent_id,
            "cohort" => &event.cohort,
            _ => "",
        };
        if !own.is_empty() {
            members.session = Some(group(own));
        }
        if members.session.is_none() {
            let field = quote(&rules.session_by);
            return Err(E::custom(format_args!(
                "the field {field} that makes the sessions is missing"
            )));
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
