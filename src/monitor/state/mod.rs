//! Saving a monitor and restoring it, so that a restart changes no later alert.
//!
//! A state is lines of JSON: one that says what it is; one with the settings, the counters and the window of n-grams; one for
//! each name of an action, in the order in which they are first mentioned; one for each agent and one for each cohort, those
//! not seen for longest first; and one with the SHA-256 of all that stands before it.

mod checkpoint;

pub use checkpoint::Checkpoint;

use super::agent::Agent;
use super::alert::Kind;
use super::cooldown::Cooldown;
use super::histogram::Histogram;
use super::names::OTHER;
use super::rules::drift::Cohort;
use super::{Counters, Monitor, Settings};
use crate::data::dataset::hex;
use crate::data::fingerprint;
use crate::input::events::{MAX_NAME, Time};
use crate::text::one_line;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::io::{self, Read, Write};

/// The version of the format of saved states.
pub const STATE_VERSION: u32 = 4;
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
struct Head {
    settings: Settings,
    counters: Counters,
    checkpoint: Option<Checkpoint>,
    names: usize,
    agents: usize,
    cohorts: usize,
    /// Fingerprints of the n-grams, oldest first, 16 hexadecimal digits each.
    ngrams: String,
    /// Those of the ids of events.
    seen: String,
}

/// The number of a name in the state, from 1; 0 is the one that all share for which there was no room.
type SavedName = u32;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedAgent<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    latest: i64,
    started: i64,
    late: u8,
    recent: Vec<SavedName>,
    times: Vec<i64>,
    counts: Vec<(SavedName, u64)>,
    cooldowns: Vec<(Kind, u64, i64)>,
    session: Vec<SavedName>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    ids: Vec<Cow<'a, str>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedCohort<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    latest: i64,
    all: Histogram,
    baseline: Histogram,
    settled: bool,
    current: Histogram,
    since_due: u64,
    alerted: Option<i64>,
}

fn refused<T>(problem: impl Into<String>) -> Result<T, RestoreError> {
    Err(RestoreError::Refused(problem.into()))
}

fn damaged(what: &str) -> RestoreError {
    RestoreError::Refused(format!("the state is damaged: {what}"))
}

impl Monitor {
    /// Writes everything that later alerts depend on, and where the input stands.
    ///
    /// # Errors
    ///
    /// If `writer` fails.
    pub fn save(&self, writer: impl Write, checkpoint: Option<Checkpoint>) -> io::Result<()> {
        self.write(writer, &self.settings, checkpoint)?;
        Ok(())
    }

    /// Writes all of it and returns the digest that stands at its end.
    fn write(&self, writer: impl Write, settings: &Settings, checkpoint: Option<Checkpoint>) -> io::Result<String> {
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
            checkpoint,
            names: names.mentioned.len(),
            agents: self.agents.len(),
            cohorts: self.cohorts.len(),
            ngrams: digits(self.ngrams.ngrams()),
            seen: digits(self.seen.ids()),
        };
        line(&mut writer, &head)?;
        for &name in &names.mentioned {
            line(&mut writer, &self.names.text(name))?;
        }
        for (id, agent) in self.agents.oldest_first() {
            line(&mut writer, &agent.saved(id, &names))?;
        }
        for (name, cohort) in self.cohorts.oldest_first() {
            line(&mut writer, &cohort.saved(name))?;
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
    pub fn restore(settings: Settings, mut reader: impl Read) -> Result<(Self, Option<Checkpoint>), RestoreError> {
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
        let (monitor, saved, checkpoint) = Self::read_body(settings, text.get(start..end).unwrap_or_default())?;
        // Whatever could still be wrong with it would not be written again in the same way.
        if monitor.write(io::sink(), &saved, checkpoint)? == digest {
            Ok((monitor, checkpoint))
        } else {
            Err(damaged("it is not as this program writes it"))
        }
    }

    fn read_body(settings: Settings, body: &[u8]) -> Result<(Self, Settings, Option<Checkpoint>), RestoreError> {
        let mut lines = body.split(|&byte| byte == b'\n');
        let head: Head = parse(lines.next())?;
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
        monitor.agents.evicted = head.counters.evicted_agents;
        monitor.cohorts.evicted = head.counters.evicted_cohorts;
        Ok((monitor, head.settings, head.checkpoint))
    }

    fn restore_head(&mut self, head: &Head) -> Result<(), RestoreError> {
        let counters = head.counters;
        let mut numbers = counters.alerts.to_vec();
        numbers.extend([
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
            && saved.late < u8::MAX;
        if !fits || self.agents.find(&saved.id).is_some() {
            return Err(damaged("an agent cannot be so"));
        }
        let slot = self.agents.insert(&saved.id, |_| {});
        let agent = self.agents.value_mut(slot);
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
        for &name in &saved.session {
            agent.session.actions.push_back(id(name)?);
        }
        agent.session.ids.extend(saved.ids.iter().map(|id| Box::from(&**id)));
        for &name in &saved.recent {
            // There is room for all: none of them leaves.
            agent.restore_recent(id(name)?);
        }
        for &micros in &saved.times {
            agent.times.0.push_back(time(micros)?);
        }
        for &(kind, cohort, at) in &saved.cooldowns {
            let at = time(at)?;
            agent.cooldowns.0.push(Cooldown { kind, cohort, at });
        }
        Ok(())
    }

    fn restore_cohort(&mut self, saved: &SavedCohort<'_>) -> Result<(), RestoreError> {
        let histograms = [saved.all, saved.baseline, saved.current];
        let large = histograms.iter().any(|histogram| histogram.total() > MAX_NUMBER);
        if large || saved.since_due > MAX_NUMBER || self.cohorts.find(&saved.name).is_some() {
            return Err(damaged("a cohort cannot be so"));
        }
        let slot = self.cohorts.insert(&saved.name, |_| {});
        *self.cohorts.value_mut(slot) = Cohort {
            fingerprint: fingerprint::of_action(&saved.name),
            latest: time(saved.latest)?,
            all: saved.all,
            baseline: saved.baseline,
            settled: saved.settled,
            current: saved.current,
            since_due: saved.since_due,
            alerted: saved.alerted.map(time).transpose()?,
        };
        Ok(())
    }
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
        for (_, agent) in monitor.agents.oldest_first() {
            let counted = agent.profile.counts.iter().map(|count| &count.action);
            for &name in agent.recent().iter().chain(counted).chain(&agent.session.actions) {
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
    fn saved<'a>(&'a self, id: &'a str, names: &SavedNames) -> SavedAgent<'a> {
        let name = |&action: &u32| names.saved[action as usize];
        let saved_cooldown = |cooldown: &Cooldown| (cooldown.kind, cooldown.cohort, cooldown.at.micros());
        SavedAgent {
            id: id.into(),
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
            cooldowns: self.cooldowns.0.iter().map(saved_cooldown).collect(),
            session: self.session.actions.iter().map(name).collect(),
            ids: self.session.ids.iter().map(|id| Cow::Borrowed(&**id)).collect(),
        }
    }
}

impl Cohort {
    fn saved<'a>(&self, name: &'a str) -> SavedCohort<'a> {
        SavedCohort {
            name: name.into(),
            latest: self.latest.micros(),
            all: self.all,
            baseline: self.baseline,
            settled: self.settled,
            current: self.current,
            since_due: self.since_due,
            alerted: self.alerted.map(Time::micros),
        }
    }
}

#[cfg(test)]
mod tests;
