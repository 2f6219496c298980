//! Reads events, one JSON object a line, strictly: what is not exactly an event is refused with its line and the reason.

mod json;
mod sessions;
mod time;

pub(crate) use json::parse;
pub use sessions::{FinishedSessions, Session, SessionRules, Sessions};
pub use time::{NoSpan, Span, Time};

use crate::data::label::Label;

/// Longest agent, action or cohort, in bytes of UTF-8.
pub const MAX_NAME: usize = 1024;

/// Something that an agent did.
///
/// ```text
/// {"agent_id": "a7", "action_type": "delete", "risk_score": 0.8, "cohort": "support", "timestamp": "2026-11-22T10:00:00Z"}
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Event {
    /// Who did it; never empty.
    pub agent_id: String,
    /// What was done; never empty.
    pub action_type: String,
    /// How risky that was according to its source; limited to 0..1 by whoever uses it.
    pub risk_score: Option<f64>,
    /// The group of agents that this one belongs to; empty for none.
    pub cohort: String,
    /// When it was done, if the event says so.
    pub time: Option<Time>,
    /// The session that it belongs to, if its log has sessions of its own or they were asked for; empty for none.
    pub session: String,
    /// What its session belongs to, if that was asked for, in the spelling of a [group](crate::Dataset::group); empty for nothing.
    pub group: String,
    /// What it was judged to be, if that is known.
    pub label: Option<Label>,
    /// What tells it from other events of its session; empty for nothing.
    pub event_id: String,
    /// Where it comes from, if that has a clock of its own; empty for nowhere in particular.
    pub source: String,
    /// The line that it stands in, from 1; 0 for none.
    pub line: u64,
    /// The byte in the line at which its record begins, from 1; 0 for none.
    pub column: usize,
}

impl Event {
    fn clear(&mut self) {
        self.agent_id.clear();
        self.action_type.clear();
        self.risk_score = None;
        self.cohort.clear();
        self.time = None;
        self.session.clear();
        self.group.clear();
        self.label = None;
        self.event_id.clear();
        self.source.clear();
        (self.line, self.column) = (0, 0);
    }
}

/// Members of an event that have a meaning of their own because it was asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct EventFields {
    /// The one whose values keep sessions apart, which must be there.
    pub(crate) session: Option<String>,
    /// The one that says what a session belongs to.
    pub(crate) group: Option<String>,
    /// The one that says where an event comes from.
    pub(crate) source: Option<String>,
    /// The one that holds the label.
    pub(crate) label: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::line_chunks::LineChunk;
    use crate::input::logs::{Format, Log, Mapping};

    fn read(line: &str) -> Result<Event, String> {
        let chunk = LineChunk {
            text: line.as_bytes().to_vec(),
            first_line: 1,
            ..LineChunk::default()
        };
        let (mut log, mut event) = (
            Log::new(Format::Events, &Mapping::default(), "log").without_labels(),
            Event::default(),
        );
        match log.events(&chunk).read(&mut event) {
            Some(Ok(())) => Ok(event),
            Some(Err(refusal)) => Err(refusal.to_string()),
            None => Err("nothing".to_owned()),
        }
    }

    #[test]
    fn an_event_is_read_whatever_the_order_of_its_fields() {
        let expected = Event {
            agent_id: "a7".to_owned(),
            action_type: "delete".to_owned(),
            risk_score: Some(0.5),
            cohort: "support".to_owned(),
            time: Time::from_micros(1_795_341_600_000_000),
            line: 1,
            ..Event::default()
        };
        for line in [
            r#"{"agent_id":"a7","action_type":"delete","risk_score":0.5,"cohort":"support","timestamp":"2026-11-22T10:00:00Z"}"#,
            r#"{"timestamp": 1795341600, "x": {"agent_id": []}, "cohort": "support", "risk_score": 5e-1, "action_type": "delete", "agent_id": "a7"}"#,
            r#"{"timestamp": 1795341600.0, "cohort": "support", "risk_score": 0.5, "action_type": "del\u0065te", "\u0061gent_id": "a\u0037"}"#,
        ] {
            assert_eq!(read(line).as_ref(), Ok(&expected), "{line}");
        }
        let bare = read(r#"{"agent_id": "a7", "action_type": "delete", "cohort": null, "timestamp": null}"#).unwrap();
        assert_eq!((bare.risk_score, bare.cohort.as_str(), bare.time), (None, "", None));
    }

    #[test]
    fn every_refusal_says_what_is_wrong() {
        let with = |rest: &str| format!(r#"{{"agent_id": "a", "action_type": "b", {rest}}}"#);
        for (line, expected) in [
            (r#"{"agent_id": "a"}"#.to_owned(), "\"action_type\" is missing"),
            (r#"{"action_type": "a"}"#.to_owned(), "\"agent_id\" is missing"),
            (
                r#"{"agent_id": "", "action_type": "b"}"#.to_owned(),
                "\"agent_id\" is empty",
            ),
            (
                r#"{"agent_id": 7, "action_type": "b"}"#.to_owned(),
                "\"agent_id\" to be a string",
            ),
            (r#"["a", "b"]"#.to_owned(), "an object like"),
            (r#"[{"agent_id": "a"}]"#.to_owned(), "not an array"),
            (with(r#""agent_id": "c""#), "duplicate key \"agent_id\""),
            (with(r#""x": 1, "x": 2"#), "duplicate key \"x\""),
            (with(r#""timestamp": -1"#), "1970 to 9999"),
            (with(r#""timestamp": 1795341600000"#), "1970 to 9999"),
            (with(r#""timestamp": NaN"#), "not valid JSON"),
            (with(r#""timestamp": "yesterday""#), "RFC 3339"),
            (with(r#""timestamp": true"#), "timestamp"),
            (with(r#""risk_score": "high""#), "\"risk_score\" to be a number"),
            (with(r#""risk_score": 1e999"#), "not valid JSON"),
            (with(r#""risk_score": 95"#), "expected a number from 0 to 1"),
            (with(r#""cohort": 5"#), "\"cohort\" to be a string"),
            (
                with(&format!(r#""cohort": "{}""#, "x".repeat(MAX_NAME + 1))),
                "1025 bytes",
            ),
        ] {
            let message = read(&line).unwrap_err();
            assert!(message.contains(expected), "{line}: {message}");
            assert!(message.starts_with("1:"), "{message}");
        }
        assert!(read(&with(&format!(r#""cohort": "{}""#, "x".repeat(MAX_NAME)))).is_ok());
    }
}
