//! Turns event logs into labelled sequences: what most people have into what a model is trained on.

use super::{Event, SessionMembers, Span};
use crate::data::dataset::{DatasetBuilder, MAX_ACTIONS, SampleError};
use crate::data::interner::Interner;
use crate::data::label::Label;
use crate::input::line_chunks::LineChunks;
use crate::input::lines::Refused;
use std::io::{self, Read};

/// How events become sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRules {
    /// The top-level field whose values keep sessions apart: a string, number or boolean.
    pub session_by: String,
    /// A pause longer than this between two events of a value starts a new session.
    pub session_gap: Span,
    /// The top-level field that holds the label, 0 or 1, if there is one. A session is anomalous if one of its events is.
    pub label_field: Option<String>,
    /// What a session is none of whose events has a label; without this it is left out.
    pub unlabelled: Option<Label>,
}

/// The events read so far, to be cut into sessions when all are there.
#[derive(Debug)]
pub struct Sessions {
    rules: SessionRules,
    keys: Interner,
    actions: Interner,
    steps: Vec<Step>,
    /// For each key, the time of its event that was read last and had one.
    previous: Vec<Option<i64>>,
    /// How many steps have no time yet because none before them of the same key has one.
    without_time: usize,
}

/// What is kept of an event.
#[derive(Debug, Clone, Copy)]
struct Step {
    key: u32,
    action: u32,
    /// Microseconds since 1970, if the time is known.
    time: Option<i64>,
    label: Option<Label>,
}

impl Sessions {
    /// No events yet.
    #[must_use]
    pub fn new(rules: SessionRules) -> Self {
        Self {
            rules,
            keys: Interner::default(),
            actions: Interner::default(),
            steps: Vec::new(),
            previous: Vec::new(),
            without_time: 0,
        }
    }

    /// Reads all events of `reader`, and returns the lines that were refused.
    ///
    /// # Errors
    ///
    /// If `reader` fails. Lines that are no events are not errors of this kind but [`Refusal`](crate::Refusal)s.
    pub fn read(&mut self, reader: impl Read) -> io::Result<Refused> {
        let (mut event, mut members) = (Event::default(), SessionMembers::default());
        let mut refused = Refused::default();
        for chunk in LineChunks::new(reader) {
            let chunk = chunk?;
            let mut any_good = false;
            let mut events = chunk.events();
            while let Some(read) = events.read_for_session(&mut event, &self.rules, &mut members) {
                match read {
                    Ok(()) => {
                        any_good = true;
                        self.push(&event, &members);
                    }
                    Err(refusal) => refused.push(refusal),
                }
            }
            refused.read(&chunk, any_good);
            if refused.given_up {
                break;
            }
        }
        Ok(refused)
    }

    fn push(&mut self, event: &Event, members: &SessionMembers) {
        let key = self.keys.intern(members.session.as_deref().unwrap_or_default());
        if self.previous.len() <= key as usize {
            self.previous.push(None);
        }
        // Without a time of its own an event follows the one before it at once; see also `fill_in_times`.
        let previous = &mut self.previous[key as usize];
        *previous = event.time.map(super::Time::micros).or(*previous);
        self.without_time += usize::from(previous.is_none());
        self.steps.push(Step {
            key,
            action: self.actions.intern(&event.action_type),
            time: *previous,
            label: members.label,
        });
    }

    /// Gives the first events of a key, if they have no time, that of the next one that has. Where none has they all stand at
    /// the same one.
    fn fill_in_times(&mut self) {
        if self.without_time == 0 {
            return;
        }
        let mut next = vec![None; self.previous.len()];
        for step in self.steps.iter_mut().rev() {
            let next = &mut next[step.key as usize];
            step.time = step.time.or(*next);
            *next = step.time;
        }
    }

    /// Adds the sessions to `data`, in order of their first events, until it holds `limit` samples, if there is one. The group of each is
    /// the value of the field that makes the sessions. Returns how many sessions were left out because none of their events
    /// has a label.
    ///
    /// A session longer than the longest sequence that a model takes is cut there.
    pub fn finish(mut self, limit: Option<u64>, data: &mut DatasetBuilder) -> Result<u64, SampleError> {
        self.fill_in_times();
        let gap = self.rules.session_gap.as_micros();
        // Stable, so that events of one moment keep the order of the file.
        self.steps.sort_by_key(|step| (step.key, step.time));
        let mut sessions: Vec<&[Step]> = self
            .steps
            .chunk_by(|a, b| a.key == b.key && b.time.unwrap_or_default() - a.time.unwrap_or_default() <= gap)
            .flat_map(|session| session.chunks(MAX_ACTIONS))
            .collect();
        sessions.sort_by_key(|session| session.first().map(|step| step.time));
        let mut without_label = 0;
        for session in sessions {
            if limit.is_some_and(|limit| data.samples() >= limit) {
                break;
            }
            let Some(label) = session
                .iter()
                .filter_map(|step| step.label)
                .max()
                .or(self.rules.unlabelled)
            else {
                without_label += 1;
                continue;
            };
            let actions = session.iter().map(|step| self.actions.name(step.action));
            let key = session.first().map(|step| self.keys.name(step.key));
            data.push(actions, label, key)?;
        }
        Ok(without_label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::dataset::Dataset;

    fn sessions(text: &str, session_by: &str) -> (Dataset, u64) {
        let rules = SessionRules {
            session_by: session_by.to_owned(),
            session_gap: Span::seconds(60),
            label_field: Some("label".to_owned()),
            unlabelled: None,
        };
        let mut sessions = Sessions::new(rules);
        let refused = sessions.read(text.as_bytes()).unwrap();
        assert_eq!(refused.count, 0, "{refused:?}");
        let mut data = DatasetBuilder::in_order();
        let without = sessions.finish(None, &mut data).unwrap();
        (data.build(), without)
    }

    fn listed(data: &Dataset) -> Vec<(String, Label)> {
        let rows = data.arrival().unwrap().iter().map(|&row| row as usize);
        rows.map(|row| (data.sequence(row).collect::<Vec<_>>().join(" "), data.label(row)))
            .collect()
    }

    #[test]
    fn a_gap_starts_a_session_and_one_anomalous_event_makes_it_anomalous() {
        let (data, without) = sessions(
            r#"{"agent_id": "a", "action_type": "late", "timestamp": 161.000001, "label": 0}
{"agent_id": "a", "action_type": "one", "timestamp": 100, "label": 0}
{"agent_id": "b", "action_type": "x", "timestamp": 50, "label": 0}
{"agent_id": "a", "action_type": "two", "timestamp": 101, "label": 1}
{"agent_id": "a", "action_type": "three", "timestamp": 101}
{"agent_id": "c", "action_type": "y", "timestamp": 0}
"#,
            "agent_id",
        );
        let expected = [
            ("x", Label::Normal),
            ("one two three", Label::Anomalous),
            ("late", Label::Normal),
        ];
        assert_eq!(
            listed(&data),
            expected.map(|(actions, label)| (actions.to_owned(), label))
        );
        assert_eq!(without, 1);
        let groups = data
            .arrival()
            .unwrap()
            .iter()
            .map(|&row| data.group(row as usize).unwrap());
        assert_eq!(groups.collect::<Vec<_>>(), ["\"b", "\"a", "\"a"]);
    }

    #[test]
    fn events_without_a_time_at_the_start_belong_to_the_next_one_that_has_one() {
        let (data, _) = sessions(
            r#"{"agent_id": "b", "action_type": "x", "timestamp": 900, "label": 0}
{"agent_id": "a", "action_type": "one", "label": 0}
{"agent_id": "a", "action_type": "two"}
{"agent_id": "b", "action_type": "y"}
{"agent_id": "a", "action_type": "three", "timestamp": 1000}
{"agent_id": "a", "action_type": "four", "timestamp": 2000, "label": 1}
"#,
            "agent_id",
        );
        let expected = [
            ("x y", Label::Normal),
            ("one two three", Label::Normal),
            ("four", Label::Anomalous),
        ];
        assert_eq!(
            listed(&data),
            expected.map(|(actions, label)| (actions.to_owned(), label))
        );
    }

    #[test]
    fn events_without_a_time_keep_the_order_of_the_file_and_any_scalar_makes_sessions() {
        let (data, _) = sessions(
            r#"{"session": 1, "action_type": "a", "label": 0}
{"session": 2, "action_type": "b", "label": 1}
{"session": 1, "action_type": "c", "timestamp": null}
"#,
            "session",
        );
        assert_eq!(
            listed(&data),
            [("a c".to_owned(), Label::Normal), ("b".to_owned(), Label::Anomalous)]
        );
    }
}
