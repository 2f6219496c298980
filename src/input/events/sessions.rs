//! Turns event logs into sequences: what most people have into what a model is trained on.

use super::{Event, Span, Time};
use crate::data::dataset::{DatasetBuilder, MAX_ACTIONS, SampleError};
use crate::data::fingerprint;
use crate::data::interner::Interner;
use crate::data::label::Label;
use crate::input::json::group;
use crate::input::line_chunks::LineChunk;
use crate::input::lines::Refused;
use crate::input::logs::{DEFAULT_GAP, Log, Mapping};
use std::collections::HashMap;
use std::io::{self, Read};

/// After which pause a session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionRules {
    /// In what an agent does, where its log has no sessions.
    pub session_gap: Span,
    /// In a session that the log has; `None` if it ends nowhere but at its end.
    pub own_session_gap: Option<Span>,
}

impl Default for SessionRules {
    fn default() -> Self {
        Self::from(&Mapping::default())
    }
}

impl From<&Mapping> for SessionRules {
    fn from(mapping: &Mapping) -> Self {
        let named = !mapping.session_by.is_empty();
        Self {
            session_gap: mapping.session_gap.unwrap_or(DEFAULT_GAP),
            own_session_gap: mapping.session_gap.or(named.then_some(DEFAULT_GAP)),
        }
    }
}

/// The events read so far, to be cut into sessions when all are there.
#[derive(Debug)]
pub struct Sessions {
    rules: SessionRules,
    keys: Interner,
    of_key: Vec<Key>,
    agents: Interner,
    groups: Interner,
    actions: Interner,
    steps: Vec<Step>,
    /// How many steps have no time yet because none before them of the same key has one.
    without_time: usize,
    /// How many inputs have been read.
    sources: u16,
    /// The ids of events, one after the other, and where each ends, if they are kept.
    ids: Option<(String, Vec<usize>)>,
    /// For each id that came, with its session, where.
    seen: HashMap<u64, (u16, u64, usize)>,
    duplicates: u64,
}

/// What is known of the events of one agent or session.
#[derive(Debug)]
struct Key {
    agent: u32,
    /// Whether the log says that it is a session.
    own: bool,
    /// The time of its event that was read last and had one.
    previous: Option<Time>,
    /// From which time on its events belong to which group, as they were read.
    groups: Vec<(i64, u32)>,
}

/// What is kept of an event.
#[derive(Debug, Clone, Copy)]
struct Step {
    /// Microseconds since 1970, [`NO_TIME`] for none, and nanoseconds within.
    micros: i64,
    nanos: u16,
    /// The last that fits, if it is a later one.
    line: u32,
    /// The number of its id, from 1; 0 for none.
    id: u32,
    key: u32,
    action: u32,
    source: u16,
    label: Option<Label>,
}

/// What stands for no time; it comes before all others.
const NO_TIME: i64 = i64::MIN;

impl Step {
    fn time(&self) -> Option<Time> {
        Time::from_parts(self.micros, self.nanos)
    }

    fn set_time(&mut self, time: Option<Time>) {
        (self.micros, self.nanos) = time.map_or((NO_TIME, 0), Time::parts);
    }
}

impl Sessions {
    /// No events yet.
    #[must_use]
    pub fn new(rules: SessionRules) -> Self {
        Self {
            rules,
            keys: Interner::default(),
            of_key: Vec::new(),
            agents: Interner::default(),
            groups: Interner::default(),
            actions: Interner::default(),
            steps: Vec::new(),
            without_time: 0,
            sources: 0,
            ids: None,
            seen: HashMap::new(),
            duplicates: 0,
        }
    }

    /// Keeps the ids of events, for [`Session::event_ids`].
    #[must_use]
    pub fn with_ids(mut self) -> Self {
        self.ids = Some((String::new(), vec![0]));
        self
    }

    /// Whether there is no event yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// How many events there are.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.steps.len() as u64
    }

    /// Reads all events of `reader` by `log`, and returns the records that were refused.
    ///
    /// # Errors
    ///
    /// If `reader` fails. Records that are no events are not errors of this kind but [`Refusal`](crate::Refusal)s.
    pub fn read(&mut self, log: &mut Log, reader: impl Read) -> io::Result<Refused> {
        let mut refused = Refused::default();
        for chunk in log.chunks(reader) {
            self.take(log, &chunk?, &mut refused);
            if refused.given_up {
                break;
            }
        }
        self.end_input();
        Ok(refused)
    }

    /// Takes the events of a chunk of the input that `log` reads, and adds the records that are none to `refused`.
    pub fn take(&mut self, log: &mut Log, chunk: &LineChunk, refused: &mut Refused) {
        let mut any_good = false;
        let mut event = Event::default();
        let mut events = log.events(chunk);
        while let Some(read) = events.read(&mut event) {
            match read {
                Ok(()) => {
                    any_good = true;
                    self.push(&event);
                }
                Err(refusal) => refused.push(refusal),
            }
        }
        refused.read(chunk, any_good);
    }

    /// What comes from now on is of another input.
    pub fn end_input(&mut self) {
        self.sources += 1;
    }

    /// Adds an event of the input that is being read. One whose id came before, in another record, is dropped and counted.
    pub fn push(&mut self, event: &Event) {
        let own = !event.session.is_empty();
        let name = if own { &event.session } else { &event.agent_id };
        let key = self.keys.intern(name);
        if self.of_key.len() <= key as usize {
            self.of_key.push(Key {
                agent: self.agents.intern(&event.agent_id),
                own,
                previous: None,
                groups: Vec::new(),
            });
        }
        if !event.event_id.is_empty() {
            let id = [u64::from(key), fingerprint::of_action(&event.event_id)];
            let place = (self.sources, event.line, event.column);
            if *self
                .seen
                .entry(fingerprint::of_sequence(id.into_iter()))
                .or_insert(place)
                != place
            {
                self.duplicates += 1;
                return;
            }
        }
        let mut id = 0;
        if let Some((ids, ends)) = self.ids.as_mut().filter(|_| !event.event_id.is_empty()) {
            ids.push_str(&event.event_id);
            // As many ids as there are numbers would not fit into memory.
            id = ends.len() as u32;
            ends.push(ids.len());
        }
        // Without a time of its own an event follows the one before it at once; see also `fill_in_times`.
        let previous = &mut self.of_key[key as usize].previous;
        *previous = event.time.or(*previous);
        self.without_time += usize::from(previous.is_none());
        let mut step = Step {
            micros: NO_TIME,
            nanos: 0,
            line: u32::try_from(event.line).unwrap_or(u32::MAX),
            id,
            key,
            action: self.actions.intern(&event.action_type),
            source: self.sources,
            label: event.label,
        };
        step.set_time(*previous);
        if !event.group.is_empty() {
            let group = self.groups.intern(&event.group);
            let groups = &mut self.of_key[key as usize].groups;
            if groups.last().is_none_or(|&(_, last)| last != group) {
                groups.push((step.micros, group));
            }
        }
        self.steps.push(step);
    }

    /// Gives the first events of a key, if they have no time, that of the next one that has. Where none has they all stand at
    /// the same one.
    fn fill_in_times(&mut self) {
        if self.without_time == 0 {
            return;
        }
        let mut next = vec![None; self.of_key.len()];
        for step in self.steps.iter_mut().rev() {
            let next = &mut next[step.key as usize];
            *next = step.time().or(*next);
            step.set_time(*next);
        }
    }

    /// Cuts the events into sessions, in order of their first events. A session longer than the longest sequence that a model takes
    /// is cut there.
    #[must_use]
    pub fn finish(mut self) -> FinishedSessions {
        self.fill_in_times();
        let SessionRules {
            session_gap,
            own_session_gap,
        } = self.rules;
        // Stable, so that events of one moment keep the order of the file.
        self.steps.sort_by_key(|step| (step.key, step.micros, step.nanos));
        let goes_on = |a: &Step, b: &Step| {
            let gap = if self.of_key[a.key as usize].own {
                own_session_gap
            } else {
                Some(session_gap)
            };
            let pause = a.time().zip(b.time()).map(|(a, b)| b.since(a));
            a.key == b.key && gap.zip(pause).is_none_or(|(gap, pause)| pause <= gap)
        };
        let (mut bounds, mut start) = (Vec::new(), 0);
        for session in self.steps.chunk_by(goes_on) {
            for (part, piece) in session.chunks(MAX_ACTIONS).enumerate() {
                bounds.push(Bounds {
                    start,
                    end: start + piece.len(),
                    part,
                });
                start += piece.len();
            }
        }
        bounds.sort_by_key(|bounds| self.steps[bounds.start].time());
        FinishedSessions { all: self, bounds }
    }
}

/// Where a session stands among the steps.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    start: usize,
    end: usize,
    /// The how manyth part it is of a session that was too long.
    part: usize,
}

/// All sessions.
#[derive(Debug)]
pub struct FinishedSessions {
    all: Sessions,
    bounds: Vec<Bounds>,
}

impl FinishedSessions {
    /// The sessions, in order of their first events; those without a time first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Session<'_>> {
        self.bounds.iter().map(|bounds| Session {
            all: &self.all,
            steps: &self.all.steps[bounds.start..bounds.end],
            part: bounds.part,
        })
    }

    /// Events that were dropped because their id had come before.
    #[must_use]
    pub fn duplicates(&self) -> u64 {
        self.all.duplicates
    }

    /// Adds the sessions to `data` until it holds `limit` samples, if there is one. The group of each is the name of its session, or of
    /// its agent where there are none. Those of which no event has a label are taken for `unlabelled`, or, if that is `None`, left out;
    /// how many is returned.
    ///
    /// # Errors
    ///
    /// If `data` does not take a session.
    pub fn add_to(
        &self,
        limit: Option<u64>,
        unlabelled: Option<Label>,
        data: &mut DatasetBuilder,
    ) -> Result<u64, SampleError> {
        let mut without_label = 0;
        for session in self.iter() {
            if limit.is_some_and(|limit| data.samples() >= limit) {
                break;
            }
            let Some(label) = session.label().or(unlabelled) else {
                without_label += 1;
                continue;
            };
            let own = session.group().map_or_else(|| group(session.name()), str::to_owned);
            data.push(session.actions(), label, Some(&own))?;
        }
        Ok(without_label)
    }
}

/// One session.
#[derive(Debug, Clone, Copy)]
pub struct Session<'s> {
    all: &'s Sessions,
    /// Never empty.
    steps: &'s [Step],
    part: usize,
}

impl<'s> Session<'s> {
    fn first_step(self) -> &'s Step {
        &self.steps[0]
    }

    fn key(self) -> &'s Key {
        &self.all.of_key[self.first_step().key as usize]
    }

    /// The name of the session in its log, or of the agent where the log has no sessions.
    #[must_use]
    pub fn name(self) -> &'s str {
        self.all.keys.name(self.first_step().key)
    }

    /// A name that no other session has: [`Session::name`] where the log has sessions, with the time of the first event where they are
    /// made of pauses.
    #[must_use]
    pub fn id(self) -> String {
        let mut id = self.name().to_owned();
        let pauses = !self.key().own || self.all.rules.own_session_gap.is_some();
        if let Some(first) = self.first().filter(|_| pauses) {
            id = format!("{id}@{first}");
        }
        if self.part > 0 {
            id = format!("{id}#{}", self.part + 1);
        }
        id
    }

    /// Who did the first of it.
    #[must_use]
    pub fn agent(self) -> &'s str {
        self.all.agents.name(self.key().agent)
    }

    /// What it belongs to, if its events say so: what the first of them that does says, or what was said before it.
    #[must_use]
    pub fn group(self) -> Option<&'s str> {
        let groups = &self.key().groups;
        let (first, last) = (self.first_step().micros, self.steps.last()?.micros);
        let within = groups.iter().find(|(from, _)| (first..=last).contains(from));
        let found = within
            .or_else(|| groups.iter().rfind(|(from, _)| *from <= first))
            .or(groups.first());
        found.map(|&(_, group)| self.all.groups.name(group))
    }

    /// What was done, in order.
    pub fn actions(self) -> impl ExactSizeIterator<Item = &'s str> + Clone {
        self.steps.iter().map(move |step| self.all.actions.name(step.action))
    }

    /// Anomalous if one of its events is, `None` if none has a label.
    #[must_use]
    pub fn label(self) -> Option<Label> {
        self.steps.iter().filter_map(|step| step.label).max()
    }

    /// When its first event was.
    #[must_use]
    pub fn first(self) -> Option<Time> {
        self.first_step().time()
    }

    /// When its last event was.
    #[must_use]
    pub fn last(self) -> Option<Time> {
        self.steps.last().and_then(Step::time)
    }

    /// In which of the inputs its first event stands, from 0, and in which line of it.
    #[must_use]
    pub fn place(self) -> (usize, u64) {
        (usize::from(self.first_step().source), self.first_step().line.into())
    }

    /// The ids of its events, in order, each empty if it has none; all are if they were not kept.
    pub fn event_ids(self) -> impl ExactSizeIterator<Item = &'s str> {
        let ids = self.all.ids.as_ref().map(|(ids, ends)| (ids.as_str(), ends.as_slice()));
        let id_of = move |(ids, ends): (&'s str, &[usize]), id: usize| &ids[ends[id - 1]..ends[id]];
        self.steps.iter().map(move |step| match (ids, step.id) {
            (Some(ids), id @ 1..) => id_of(ids, id as usize),
            _ => "",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::dataset::Dataset;
    use crate::input::logs::Format;

    fn sessions(text: &str, mapping: &str) -> FinishedSessions {
        let mapping: Mapping = serde_json::from_str(mapping).unwrap();
        let mut sessions = Sessions::new(SessionRules::from(&mapping)).with_ids();
        let mut log = Log::new(Format::Events, &mapping, "log");
        let refused = sessions.read(&mut log, text.as_bytes()).unwrap();
        assert_eq!(refused.count, 0, "{refused:?}");
        sessions.finish()
    }

    fn data(sessions: &FinishedSessions) -> (Dataset, u64) {
        let mut data = DatasetBuilder::in_order();
        let without = sessions.add_to(None, None, &mut data).unwrap();
        (data.build(), without)
    }

    fn listed(data: &Dataset) -> Vec<(String, Label)> {
        let rows = data.arrival().unwrap().iter().map(|&row| row as usize);
        rows.map(|row| (data.sequence(row).collect::<Vec<_>>().join(" "), data.label(row)))
            .collect()
    }

    #[test]
    fn a_gap_starts_a_session_and_one_anomalous_event_makes_it_anomalous() {
        let sessions = sessions(
            r#"{"agent_id": "a", "action_type": "late", "timestamp": 161.000001, "label": 0}
{"agent_id": "a", "action_type": "one", "timestamp": 100, "label": 0}
{"agent_id": "b", "action_type": "x", "timestamp": 50, "label": 0}
{"agent_id": "a", "action_type": "two", "timestamp": 101, "label": 1}
{"agent_id": "a", "action_type": "three", "timestamp": 101}
{"agent_id": "c", "action_type": "y", "timestamp": 0}
"#,
            r#"{"session_gap": 60}"#,
        );
        let (data, without) = data(&sessions);
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
        let ids: Vec<_> = sessions.iter().map(|session| session.id()).collect();
        assert_eq!(ids[2], "a@1970-01-01T00:01:40Z");
        assert_eq!(sessions.iter().nth(2).unwrap().place(), (0, 2));
    }

    #[test]
    fn events_without_a_time_at_the_start_belong_to_the_next_one_that_has_one() {
        let sessions = sessions(
            r#"{"agent_id": "b", "action_type": "x", "timestamp": 900, "label": 0}
{"agent_id": "a", "action_type": "one", "label": 0}
{"agent_id": "a", "action_type": "two"}
{"agent_id": "b", "action_type": "y"}
{"agent_id": "a", "action_type": "three", "timestamp": 1000}
{"agent_id": "a", "action_type": "four", "timestamp": 2000, "label": 1}
"#,
            r#"{"session_gap": 60}"#,
        );
        let expected = [
            ("x y", Label::Normal),
            ("one two three", Label::Normal),
            ("four", Label::Anomalous),
        ];
        assert_eq!(
            listed(&data(&sessions).0),
            expected.map(|(actions, label)| (actions.to_owned(), label))
        );
    }

    #[test]
    fn events_without_a_time_keep_the_order_of_the_file_and_any_scalar_makes_sessions() {
        let sessions = sessions(
            r#"{"session": 1, "action_type": "a", "label": 0}
{"session": 2, "action_type": "b", "label": 1}
{"session": 1, "action_type": "c", "timestamp": null}
"#,
            r#"{"session_by": ["session"]}"#,
        );
        assert_eq!(
            listed(&data(&sessions).0),
            [("a c".to_owned(), Label::Normal), ("b".to_owned(), Label::Anomalous)]
        );
    }

    #[test]
    fn an_event_that_comes_again_is_dropped_and_counted_and_nanoseconds_are_told_apart() {
        let sessions = sessions(
            r#"{"agent_id": "a", "action_type": "two", "timestamp": "2026-01-01T00:00:00.000000002Z", "event_id": 7}
{"agent_id": "a", "action_type": "one", "timestamp": "2026-01-01T00:00:00.000000001Z", "event_id": "6"}
{"agent_id": "a", "action_type": "two", "timestamp": "2026-01-01T00:00:00.000000002Z", "event_id": "7"}
{"agent_id": "b", "action_type": "x", "event_id": "7"}
"#,
            "{}",
        );
        assert_eq!(sessions.duplicates(), 1);
        let last = sessions.iter().last().unwrap();
        assert_eq!(last.actions().collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!(last.event_ids().collect::<Vec<_>>(), ["6", "7"]);
    }
}
