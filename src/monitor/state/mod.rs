//! Saving a monitor and restoring it, so that a restart changes no later alert.
//!
//! A state is lines of JSON: one that says what it is; one with the settings, the counters and the window of n-grams; one for
//! each name of an action, in the order in which they are first mentioned; one for each agent, each cohort and each source, those
//! not seen for longest first; one for each event that waits, in the order in which they came; and one with the SHA-256 of all that stands
//! before it.

mod checkpoint;

pub use checkpoint::Checkpoint;

use super::agent::Agent;
use super::alert::{Kind, Of, Severity};
use super::cooldown::{Cooldown, Cooldowns};
use super::names::OTHER;
use super::reorder::Waiting;
use super::retention::Standing;
use super::rules::drift::{Cohort, Distribution};
use super::rules::flood::Arrivals;
use super::rules::frequency::Peers;
use super::rules::usual::Usual;
use super::session::Step;
use super::stream_time::Source;
use super::{Counters, Monitor, Settings};
use crate::data::dataset::hex;
use crate::data::fingerprint;
use crate::data::histogram::Histogram;
use crate::input::events::{Event, MAX_NAME, Time};
use crate::text::one_line;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{self, Read, Write};

/// The version of the format of saved states.
pub const STATE_VERSION: u32 = 5;
/// Longest first line that is read, in bytes.
const MAX_TITLE: u64 = 1024;
const TYPE: &str = "anomaly-train monitor state";
/// Larger numbers are refused: no counter gets there, and below it nothing overflows.
const MAX_NUMBER: u64 = 1 << 53;

/// Why a state cannot be restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// Reading failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is not a state of this program, damaged, or that of other settings.
    #[error("{0}")]
    Refused(String),
}

#[derive(Debug, Serialize, Deserialize)]
struct Title<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    format_version: u32,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End<'a> {
    #[serde(borrow)]
    digest: Cow<'a, str>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head<'a> {
    settings: Settings,
    counters: Counters,
    aside: Aside,
    names: usize,
    agents: usize,
    cohorts: usize,
    sources: usize,
    waiting: usize,
    #[serde(borrow)]
    stream: SavedStream<'a>,
    said: BTreeSet<String>,
    cooldowns: SavedCooldowns,
    /// How many n-grams there have been.
    pushed: u64,
    /// Fingerprints of the n-grams, oldest first, 16 hexadecimal digits each.
    ngrams: String,
    /// Those of the ids of events.
    seen: String,
}

/// How far the stream as a whole has come.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedStream<'a> {
    looked_at: u64,
    came: u64,
    previous: Option<i64>,
    now: i64,
    slow: Source,
    #[serde(borrow)]
    window: Vec<(i64, bool, Option<Cow<'a, str>>)>,
    /// How many of these are not judged.
    waiting: usize,
    peers: Peers,
    usual_repeats: Usual,
    arrivals: Arrivals,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedCooldowns {
    latest: Vec<(Kind, u64, i64, Severity, u64)>,
    hour: (i64, u32),
}

/// An event that waits.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedEvent<'a> {
    #[serde(borrow)]
    agent: Cow<'a, str>,
    #[serde(borrow)]
    action: Cow<'a, str>,
    #[serde(borrow)]
    cohort: Cow<'a, str>,
    #[serde(borrow)]
    session: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    source: Cow<'a, str>,
    risk: Option<f64>,
    time: Option<i64>,
    line: u64,
    column: usize,
    /// When its turn is and the how manyth it came, unless it is not judged.
    turn: Option<(i64, u64)>,
    ahead: i64,
    wrong_source: bool,
    states: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedSource<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    standing: Standing,
    clock: Source,
}

/// The number of a name in the state, from 1; 0 is the one that all share for which there was no room.
type SavedName = u32;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedAgent<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    standing: Standing,
    latest: i64,
    started: i64,
    late: u8,
    clock_is_told: bool,
    arrived: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    usual: Usual,
    recent: Vec<SavedName>,
    times: Vec<i64>,
    counts: Vec<(SavedName, u64)>,
    #[serde(default, skip_serializing_if = "is_default")]
    cooldowns: SavedCooldowns,
    session: Vec<SavedName>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    session_times: Vec<u32>,
    session_began: i64,
    session_length: u64,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    ids: Vec<Cow<'a, str>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedCohort<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    standing: Standing,
    latest: i64,
    all: Histogram,
    distributions: [Distribution; Of::ALL.len()],
    #[serde(default, skip_serializing_if = "is_default")]
    cooldowns: SavedCooldowns,
}

/// Whether a value is the one that need not be written.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What is kept beside a monitor by whoever lets it run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aside {
    /// Where the input stands, if it can be gone on with.
    pub checkpoint: Option<Checkpoint>,
    /// What was to be said and could not be, line by line.
    pub unsaid: Vec<String>,
}

fn refused<T>(problem: impl Into<String>) -> Result<T, RestoreError> {
    Err(RestoreError::Refused(problem.into()))
}

fn damaged(what: &str) -> RestoreError {
    RestoreError::Refused(format!("the state is damaged: {what}"))
}

impl Monitor {
    /// Writes everything that later alerts depend on, and what is kept beside it.
    ///
    /// # Errors
    ///
    /// If `writer` fails.
    pub fn save(&self, writer: impl Write, aside: &Aside) -> io::Result<()> {
        self.write(writer, &self.settings, aside)?;
        Ok(())
    }

    /// Writes all of it and returns the digest that stands at its end.
    fn write(&self, writer: impl Write, settings: &Settings, aside: &Aside) -> io::Result<String> {
        let mut writer = Hashing {
            writer,
            digest: Sha256::new(),
        };
        let title = Title {
            r#type: TYPE.into(),
            format_version: STATE_VERSION,
        };
        line(&mut writer, &title)?;
        let names = SavedNames::of(self);
        let head = Head {
            settings: settings.clone(),
            counters: self.counters(),
            aside: aside.clone(),
            names: names.mentioned.len(),
            agents: self.agents.len(),
            cohorts: self.cohorts.len(),
            sources: self.reorder.stream.sources.len(),
            waiting: self.reorder.waiting(),
            stream: SavedStream {
                looked_at: self.looked_at,
                came: self.reorder.count,
                previous: self.reorder.previous.map(Time::micros),
                now: self.reorder.stream.now,
                slow: self.reorder.stream.slow,
                window: self.reorder.stream.saved_window(),
                waiting: self.reorder.stream.waiting,
                peers: self.peers,
                usual_repeats: self.usual_repeats,
                arrivals: self.arrivals.clone(),
            },
            said: self.said.clone(),
            cooldowns: self.cooldowns.saved(),
            pushed: self.ngrams.pushed,
            ngrams: digits(self.ngrams.ngrams()),
            seen: digits(self.seen.ids()),
        };
        line(&mut writer, &head)?;
        for &name in &names.mentioned {
            line(&mut writer, &self.names.text(name))?;
        }
        for (id, standing, agent) in self.agents.oldest_first() {
            line(&mut writer, &agent.saved(id, standing, &names))?;
        }
        for (name, standing, cohort) in self.cohorts.oldest_first() {
            line(&mut writer, &cohort.saved(name, standing))?;
        }
        for (name, standing, &clock) in self.reorder.stream.sources.oldest_first() {
            let name = name.into();
            line(&mut writer, &SavedSource { name, standing, clock })?;
        }
        for waiting in self.reorder.all_waiting() {
            line(&mut writer, &waiting.saved())?;
        }
        let digest = hex(&writer.digest.finalize());
        let end = End {
            digest: (&digest).into(),
        };
        line(writer.writer, &end)?;
        Ok(digest)
    }

    /// Reads what [`save`](Self::save) has written under the same settings, or smaller limits on what is remembered.
    ///
    /// # Errors
    ///
    /// If `reader` fails, or what it gives is not such a state to the last byte.
    pub fn restore(settings: Settings, reader: impl Read) -> Result<(Self, Aside), RestoreError> {
        Self::read(Some(settings), reader)
    }

    /// The same under the settings that it was saved with, whatever they are.
    ///
    /// # Errors
    ///
    /// As those of [`restore`](Self::restore).
    pub fn restore_as_saved(reader: impl Read) -> Result<(Self, Aside), RestoreError> {
        Self::read(None, reader)
    }

    fn read(settings: Option<Settings>, mut reader: impl Read) -> Result<(Self, Aside), RestoreError> {
        let mut text = Vec::new();
        // The first line tells whatever is something else, before all of it is read.
        reader.by_ref().take(MAX_TITLE).read_to_end(&mut text)?;
        let start = memchr::memchr(b'\n', &text).map_or(text.len(), |end| end + 1);
        let Ok(title) = serde_json::from_slice::<Title<'_>>(&text[..start]) else {
            return refused("not a state that monitor has saved");
        };
        if title.r#type != TYPE {
            return refused("not a state that monitor has saved");
        }
        if title.format_version != STATE_VERSION {
            let version = title.format_version;
            return refused(format!(
                "a state of format version {version}, this program reads {STATE_VERSION}; start anew or use the program that saved it"
            ));
        }
        reader.read_to_end(&mut text)?;
        let end = text.strip_suffix(b"\n").and_then(|text| memchr::memrchr(b'\n', text));
        let end = end.map_or(text.len(), |end| end + 1);
        let Ok(End { digest }) = serde_json::from_slice(&text[end..]) else {
            return Err(damaged("its last line is missing"));
        };
        if hex(&Sha256::digest(&text[..end])) != digest {
            return Err(damaged("its digest does not fit its content"));
        }
        let (monitor, saved, aside) = Self::read_body(settings, text.get(start..end).unwrap_or_default())?;
        // Whatever could still be wrong with it would not be written again in the same way.
        if monitor.write(io::sink(), &saved, &aside)? == digest {
            Ok((monitor, aside))
        } else {
            Err(damaged("it is not as this program writes it"))
        }
    }

    fn read_body(settings: Option<Settings>, body: &[u8]) -> Result<(Self, Settings, Aside), RestoreError> {
        let mut lines = body.split(|&byte| byte == b'\n');
        let head: Head<'_> = parse(lines.next())?;
        let settings = settings.unwrap_or_else(|| head.settings.clone());
        check_settings(&head.settings, &settings)?;
        let mut monitor = Self::new(settings);
        monitor.restore_head(&head)?;
        let mut names = vec![OTHER];
        for _ in 0..head.names {
            let name: Cow<'_, str> = parse(lines.next())?;
            // It had room when it was saved, if only because a model knows it.
            names.push(monitor.names.acquire(&name, || true).0);
        }
        for _ in 0..head.agents {
            monitor.restore_agent(&parse(lines.next())?, &names)?;
        }
        names.into_iter().for_each(|name| monitor.names.release(name));
        for _ in 0..head.cohorts {
            monitor.restore_cohort(&parse(lines.next())?)?;
        }
        for _ in 0..head.sources {
            let saved: SavedSource<'_> = parse(lines.next())?;
            let fits = is_possible(saved.clock) && stands(saved.standing);
            if !fits
                || !monitor
                    .reorder
                    .stream
                    .restore_source(&saved.name, saved.standing, saved.clock)
            {
                return Err(damaged("a source cannot be so"));
            }
        }
        if !monitor.reorder.stream.restore(&head.stream.window, head.stream.waiting)
            || head.waiting < head.stream.waiting
        {
            return Err(damaged("the stream cannot be so"));
        }
        for _ in 0..head.waiting {
            monitor.restore_waiting(&parse(lines.next())?)?;
        }
        let ranks = [
            monitor.agents.end_restoring(),
            monitor.cohorts.end_restoring(),
            monitor.reorder.stream.sources.end_restoring(),
        ];
        if ranks.contains(&false) {
            return Err(damaged("a rank stands in it twice"));
        }
        monitor.agents.evicted = head.counters.evicted_agents;
        monitor.cohorts.evicted = head.counters.evicted_cohorts;
        Ok((monitor, head.settings, head.aside))
    }

    fn restore_head(&mut self, head: &Head<'_>) -> Result<(), RestoreError> {
        let counters = head.counters;
        let stream = &head.stream;
        let mut numbers = counters.alerts.concat();
        numbers.extend([
            stream.looked_at,
            stream.came,
            head.pushed,
            counters.held_back,
            counters.ignored,
            counters.events,
            counters.late,
            counters.overflow,
            counters.repeated,
            counters.malformed,
            counters.evicted_agents,
            counters.evicted_cohorts,
        ]);
        let ngrams = head.ngrams.len().div_ceil(16);
        if numbers.iter().any(|&number| number > MAX_NUMBER)
            || !is_possible(stream.slow)
            || head.agents > self.settings.max_agents.get() as usize
            || head.cohorts > self.settings.max_cohorts.get() as usize
            || ngrams > self.settings.ngram_window.get() as usize
        {
            return Err(damaged("a number is out of range"));
        }
        self.counters = counters;
        for ngram in numbers_of(&head.ngrams) {
            self.ngrams.push(ngram?);
        }
        self.ngrams.pushed = head.pushed;
        self.looked_at = stream.looked_at;
        (self.reorder.count, self.reorder.stream.now) = (stream.came, stream.now);
        self.reorder.stream.slow = stream.slow;
        self.reorder.previous = stream.previous.map(time).transpose()?;
        (self.peers, self.usual_repeats) = (stream.peers, stream.usual_repeats);
        self.arrivals = stream.arrivals.clone();
        self.said = head.said.clone();
        self.cooldowns = head.cooldowns.restored()?;
        for id in numbers_of(&head.seen) {
            if !self.seen.restore(id?) {
                return Err(damaged("an id stands in it twice, or there are too many"));
            }
        }
        Ok(())
    }

    fn restore_agent(&mut self, saved: &SavedAgent<'_>, ids: &[u32]) -> Result<(), RestoreError> {
        let window = self.settings.watch.map_or(0, |watch| watch.window.get());
        let fits = saved.recent.len() <= self.settings.ngram_size.get()
            && saved.session.len() <= window as usize
            && saved.counts.iter().all(|&(_, count)| (1..=MAX_NUMBER).contains(&count))
            && saved.counts.len() <= 2 * MAX_NAME
            && saved.ids.len() <= saved.session.len()
            && saved.ids.iter().all(|id| id.len() <= MAX_NAME)
            && saved.late < u8::MAX
            && saved.session_times.len() == saved.session.len()
            && saved.session_times.is_sorted()
            && saved.session_began.unsigned_abs() <= 1 << 58
            && saved.session_length <= MAX_NUMBER
            && stands(saved.standing);
        let known = self.agents.find(&saved.id).is_some();
        let Some(slot) = Some(())
            .filter(|()| fits && !known)
            .and_then(|()| self.agents.restore(&saved.id, saved.standing))
        else {
            return Err(damaged("an agent cannot be so"));
        };
        let agent = self.agents.value_mut(slot);
        agent.usual = saved.usual;
        (agent.clock_is_told, agent.arrived) = (saved.clock_is_told, saved.arrived);
        agent.session.length = saved.session_length;
        agent.session.began = saved.session_began;
        agent.latest = time(saved.latest)?;
        agent.started = time(saved.started)?;
        agent.late = saved.late;
        let names = &mut self.names;
        let mut id = |name: SavedName| {
            let id = ids.get(name as usize).copied();
            id.inspect(|&id| names.retain(id))
                .ok_or_else(|| damaged("an action has no name"))
        };
        for &(name, count) in &saved.counts {
            agent.profile.restore(id(name)?, count);
        }
        for (&name, &after) in saved.session.iter().zip(&saved.session_times) {
            let action = id(name)?;
            agent.session.steps.push_back(Step { after, action });
        }
        agent.session.ids.extend(saved.ids.iter().map(|id| Box::from(&**id)));
        for &name in &saved.recent {
            // There is room for all: none of them leaves.
            agent.restore_recent(id(name)?);
        }
        for &micros in &saved.times {
            agent.times.0.push_back(time(micros)?);
        }
        agent.cooldowns = saved.cooldowns.restored()?;
        Ok(())
    }

    fn restore_waiting(&mut self, saved: &SavedEvent<'_>) -> Result<(), RestoreError> {
        let names = [
            &saved.agent,
            &saved.action,
            &saved.cohort,
            &saved.session,
            &saved.id,
            &saved.source,
        ];
        if names.into_iter().any(|name| name.len() > MAX_NAME) || saved.agent.is_empty() || saved.action.is_empty() {
            return Err(damaged("an event cannot be so"));
        }
        let turn = saved.turn.map(|(at, came)| time(at).map(|at| (at.micros(), came)));
        let event = Event {
            agent_id: saved.agent.as_ref().into(),
            action_type: saved.action.as_ref().into(),
            risk_score: saved.risk,
            cohort: saved.cohort.as_ref().into(),
            time: saved.time.map(time).transpose()?,
            session: saved.session.as_ref().into(),
            group: String::new(),
            label: None,
            event_id: saved.id.as_ref().into(),
            source: saved.source.as_ref().into(),
            line: saved.line,
            column: saved.column,
        };
        self.reorder
            .restore(event, turn.transpose()?, saved.ahead, saved.wrong_source, saved.states);
        Ok(())
    }

    fn restore_cohort(&mut self, saved: &SavedCohort<'_>) -> Result<(), RestoreError> {
        let large = |distribution: &Distribution| {
            let Distribution {
                baseline,
                current,
                since_due,
                compared,
                ..
            } = distribution;
            [baseline.total(), current.total(), *since_due, *compared]
                .into_iter()
                .any(|number| number > MAX_NUMBER)
        };
        let fits = saved.all.total() <= MAX_NUMBER
            && !saved.distributions.iter().any(large)
            && stands(saved.standing)
            && self.cohorts.find(&saved.name).is_none();
        let Some(slot) = Some(())
            .filter(|()| fits)
            .and_then(|()| self.cohorts.restore(&saved.name, saved.standing))
        else {
            return Err(damaged("a cohort cannot be so"));
        };
        *self.cohorts.value_mut(slot) = Cohort {
            fingerprint: fingerprint::of_action(&saved.name),
            latest: time(saved.latest)?,
            all: saved.all,
            distributions: saved.distributions,
            cooldowns: saved.cooldowns.restored()?,
        };
        Ok(())
    }
}

/// Whether a clock can be so wrong.
fn is_possible(clock: Source) -> bool {
    clock.ahead.unsigned_abs() <= 1 << 58
}

/// Whether somebody can have been used so.
fn stands(standing: Standing) -> bool {
    (1..=MAX_NUMBER).contains(&standing.uses) && standing.rank <= MAX_NUMBER
}

/// Names the first setting in which the state and this run differ. How much is remembered may be raised: whatever was kept
/// has room then.
fn check_settings(saved: &Settings, wanted: &Settings) -> Result<(), RestoreError> {
    let raised = Settings {
        max_agents: saved.max_agents.max(wanted.max_agents),
        max_cohorts: saved.max_cohorts.max(wanted.max_cohorts),
        max_actions: saved.max_actions.max(wanted.max_actions),
        ..saved.clone()
    };
    if raised == *wanted {
        return Ok(());
    }
    let (saved, wanted) = (serde_json::to_value(raised), serde_json::to_value(wanted));
    let (Ok(saved), Ok(wanted)) = (saved, wanted) else {
        return Err(damaged("its settings cannot be compared"));
    };
    let mut objects = saved.as_object().into_iter().flatten();
    let Some((name, value)) = objects.find(|(name, value)| wanted.get(name.as_str()) != Some(*value)) else {
        return Err(damaged("its settings cannot be compared"));
    };
    let shown = |value: Option<&serde_json::Value>| value.map(|v| one_line(&v.to_string())).unwrap_or_default();
    let (saved, wanted) = (shown(Some(value)), shown(wanted.get(name)));
    refused(match name.as_str() {
        "watch" => format!("saved with the model's window and gap {saved}, now {wanted}; use the same options"),
        "baselines" => "saved with other baselines of the risk scores; use the same file".to_owned(),
        limit if limit.starts_with("max_") => {
            format!("saved with {limit} {saved}, now it is {wanted}; it can only be raised")
        }
        _ => format!("saved with {name} {saved}, now it is {wanted}; use the same options"),
    })
}

/// Numbers, 16 hexadecimal digits each.
fn digits(numbers: impl Iterator<Item = u64>) -> String {
    numbers.map(|number| format!("{number:016x}")).collect()
}

/// The numbers in such a text.
fn numbers_of(text: &str) -> impl Iterator<Item = Result<u64, RestoreError>> {
    text.as_bytes().chunks(16).map(|digits| {
        let number = std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| u64::from_str_radix(digits, 16).ok());
        number.ok_or_else(|| damaged("a fingerprint is no number"))
    })
}

fn line(mut writer: impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut writer, value)?;
    writer.write_all(b"\n")
}

fn parse<'a, T: Deserialize<'a>>(line: Option<&'a [u8]>) -> Result<T, RestoreError> {
    let line = line.unwrap_or_default();
    serde_json::from_slice(line).map_err(|error| damaged(&one_line(&error.to_string())))
}

fn time(micros: i64) -> Result<Time, RestoreError> {
    Time::from_micros(micros).ok_or_else(|| damaged("a time is out of range"))
}

/// Passes on what is written, and works out its digest.
struct Hashing<W> {
    writer: W,
    digest: Sha256,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.writer.write(bytes)?;
        self.digest.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// The numbers that names have in a state. They depend on nothing but what is saved.
struct SavedNames {
    /// The names that are mentioned, in the order in which they are.
    mentioned: Vec<u32>,
    /// For each name of the monitor, the number that it is saved as; 0 for those that are not.
    saved: Vec<SavedName>,
}

impl SavedNames {
    fn of(monitor: &Monitor) -> Self {
        let mut names = Self {
            mentioned: Vec::new(),
            saved: vec![0; monitor.names.numbers() as usize],
        };
        for (.., agent) in monitor.agents.oldest_first() {
            let counted = agent.profile.counts.iter().map(|count| &count.action);
            let session = agent.session.steps.iter().map(|step| &step.action);
            for &name in agent.recent().iter().chain(counted).chain(session) {
                if name != OTHER && names.saved[name as usize] == 0 {
                    names.mentioned.push(name);
                    names.saved[name as usize] = names.mentioned.len() as SavedName;
                }
            }
        }
        names
    }
}

impl Agent {
    fn saved<'a>(&'a self, id: &'a str, standing: Standing, names: &SavedNames) -> SavedAgent<'a> {
        let name = |&action: &u32| names.saved[action as usize];
        SavedAgent {
            id: id.into(),
            standing,
            clock_is_told: self.clock_is_told,
            arrived: self.arrived,
            usual: self.usual,
            session_times: self.session.steps.iter().map(|step| step.after).collect(),
            session_began: self.session.began,
            session_length: self.session.length,
            latest: self.latest.micros(),
            started: self.started.micros(),
            late: self.late,
            recent: self.recent().iter().map(name).collect(),
            times: self.times.0.iter().map(|time| time.micros()).collect(),
            counts: self
                .profile
                .counts
                .iter()
                .map(|count| (name(&count.action), count.count))
                .collect(),
            cooldowns: self.cooldowns.saved(),
            session: self.session.steps.iter().map(|step| name(&step.action)).collect(),
            ids: self.session.ids.iter().map(|id| Cow::Borrowed(&**id)).collect(),
        }
    }
}

impl Cohort {
    fn saved<'a>(&self, name: &'a str, standing: Standing) -> SavedCohort<'a> {
        SavedCohort {
            name: name.into(),
            standing,
            latest: self.latest.micros(),
            all: self.all,
            distributions: self.distributions,
            cooldowns: self.cooldowns.saved(),
        }
    }
}

impl Cooldowns {
    fn saved(&self) -> SavedCooldowns {
        let saved = |&Cooldown {
                         kind,
                         cohort,
                         at,
                         severity,
                         held_back,
                     }: &Cooldown| (kind, cohort, at.micros(), severity, held_back);
        SavedCooldowns {
            latest: self.latest.iter().map(saved).collect(),
            hour: (self.hour.0.micros(), self.hour.1),
        }
    }
}

impl SavedCooldowns {
    fn restored(&self) -> Result<Cooldowns, RestoreError> {
        let restored = |&(kind, cohort, at, severity, held_back): &(Kind, u64, i64, Severity, u64)| {
            let at = time(at)?;
            Ok(Cooldown {
                kind,
                cohort,
                at,
                severity,
                held_back,
            })
        };
        Ok(Cooldowns {
            latest: self.latest.iter().map(restored).collect::<Result<_, RestoreError>>()?,
            hour: (time(self.hour.0)?, self.hour.1),
        })
    }
}

impl Waiting<'_> {
    fn saved(&self) -> SavedEvent<'_> {
        let event = self.event;
        SavedEvent {
            agent: (&event.agent_id).into(),
            action: (&event.action_type).into(),
            cohort: (&event.cohort).into(),
            session: (&event.session).into(),
            id: (&event.event_id).into(),
            source: (&event.source).into(),
            risk: event.risk_score,
            time: event.time.map(Time::micros),
            line: event.line,
            column: event.column,
            turn: self.turn,
            ahead: self.ahead,
            wrong_source: self.wrong_source,
            states: self.states,
        }
    }
}

#[cfg(test)]
mod tests;
