//! Saving a monitor and restoring it, so that a restart changes no later alert.
//!
//! A state is lines of JSON: one that says what it is, with the SHA-256 of all that follows; one with the settings, the
//! counters and the window of n-grams; one for each agent and one for each cohort, those not seen for longest first.

use super::agent::{Agent, Quiet};
use super::alert::Kind;
use super::drift::{Cohort, Histogram};
use super::names::{Names, OTHER};
use super::{Counters, Monitor, Settings};
use crate::dataset::hex;
use crate::events::{MAX_NAME, Time};
use crate::fingerprint;
use crate::text::one_line;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::io::{self, Read, Write};

/// The version of the format of saved states.
pub const STATE_VERSION: u32 = 2;
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

/// How far a file had been read when the state was saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bookmark {
    /// Which file, as a number that the system gives it.
    pub file: u64,
    /// Bytes of it that had been taken in.
    pub offset: u64,
    /// Whether the next byte belongs to a line that is too long, the rest of which is passed over.
    pub in_line: bool,
    /// How many bytes before the offset are remembered.
    pub remembered: u32,
    /// The first 8 bytes of their SHA-256.
    pub fingerprint: u64,
}

impl Bookmark {
    /// Most bytes before the offset that are remembered.
    pub const MOST: usize = 1024;

    /// Marks `offset` in the file with number `file`, where `before` are the last bytes before it.
    #[must_use]
    pub fn new(file: u64, offset: u64, in_line: bool, before: &[u8]) -> Self {
        let before = &before[before.len().saturating_sub(Self::MOST)..];
        Self {
            file,
            offset,
            in_line,
            remembered: before.len() as u32,
            fingerprint: fingerprint_of(before),
        }
    }

    /// Whether `before`, as many as are remembered, are the bytes before the offset.
    #[must_use]
    pub fn fits(&self, before: &[u8]) -> bool {
        before.len() == self.remembered as usize && fingerprint_of(before) == self.fingerprint
    }
}

fn fingerprint_of(bytes: &[u8]) -> u64 {
    let digest = Sha256::digest(bytes);
    digest.iter().take(8).fold(0, |sum, &byte| sum << 8 | u64::from(byte))
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Title<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    format_version: u32,
    #[serde(borrow)]
    digest: Cow<'a, str>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    settings: Settings,
    counters: Counters,
    bookmark: Option<Bookmark>,
    agents: usize,
    cohorts: usize,
    /// Fingerprints of the n-grams, oldest first, 16 hexadecimal digits each.
    ngrams: String,
}

/// A name, or null for the one that all share for which there was no room.
type SavedName<'a> = Option<Cow<'a, str>>;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedAgent<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    latest: i64,
    late: u8,
    #[serde(borrow)]
    recent: Vec<SavedName<'a>>,
    times: Vec<i64>,
    #[serde(borrow)]
    counts: Vec<(SavedName<'a>, u64)>,
    quiet: Vec<(Kind, u64, i64)>,
    #[serde(borrow)]
    session: Vec<SavedName<'a>>,
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
    pub fn save(&self, mut writer: impl Write, bookmark: Option<Bookmark>) -> io::Result<()> {
        let mut body = Vec::new();
        self.write_body(&mut body, &self.settings, bookmark)?;
        let title = Title {
            r#type: TYPE.into(),
            format_version: STATE_VERSION,
            digest: hex(&Sha256::digest(&body)).into(),
        };
        line(&mut writer, &title)?;
        writer.write_all(&body)
    }

    fn write_body(&self, body: &mut Vec<u8>, settings: &Settings, bookmark: Option<Bookmark>) -> io::Result<()> {
        let head = Head {
            settings: settings.clone(),
            counters: self.counters(),
            bookmark,
            agents: self.agents.len(),
            cohorts: self.cohorts.len(),
            ngrams: self.ngrams.ngrams().map(|ngram| format!("{ngram:016x}")).collect(),
        };
        line(&mut *body, &head)?;
        for (id, agent) in self.agents.oldest_first() {
            line(&mut *body, &agent.saved(id, &self.names))?;
        }
        for (name, cohort) in self.cohorts.oldest_first() {
            line(&mut *body, &cohort.saved(name))?;
        }
        Ok(())
    }

    /// Reads what [`save`](Self::save) has written under the same settings, or smaller limits on what is remembered.
    ///
    /// # Errors
    ///
    /// If `reader` fails, or what it gives is not such a state to the last byte.
    pub fn restore(settings: Settings, mut reader: impl Read) -> Result<(Self, Option<Bookmark>), RestoreError> {
        let mut text = Vec::new();
        reader.read_to_end(&mut text)?;
        let end = memchr::memchr(b'\n', &text).map_or(text.len(), |end| end + 1);
        let (title, body) = text.split_at(end);
        let Ok(title) = serde_json::from_slice::<Title<'_>>(title) else {
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
        let digest = hex(&Sha256::digest(body));
        if digest != title.digest {
            return Err(damaged("its digest does not fit its content"));
        }
        let (monitor, saved, bookmark) = Self::read_body(settings, body)?;
        // Whatever could still be wrong with it would not be written again in the same way.
        let mut again = Vec::new();
        monitor.write_body(&mut again, &saved, bookmark)?;
        if again == body {
            Ok((monitor, bookmark))
        } else {
            Err(damaged("it is not as this program writes it"))
        }
    }

    fn read_body(settings: Settings, body: &[u8]) -> Result<(Self, Settings, Option<Bookmark>), RestoreError> {
        let mut lines = body.split(|&byte| byte == b'\n');
        let head: Head = parse(lines.next())?;
        check_settings(&head.settings, &settings)?;
        let mut monitor = Self::new(settings);
        monitor.restore_head(&head)?;
        for _ in 0..head.agents {
            monitor.restore_agent(&parse(lines.next())?)?;
        }
        for _ in 0..head.cohorts {
            monitor.restore_cohort(&parse(lines.next())?)?;
        }
        monitor.agents.evicted = head.counters.evicted_agents;
        monitor.cohorts.evicted = head.counters.evicted_cohorts;
        Ok((monitor, head.settings, head.bookmark))
    }

    fn restore_head(&mut self, head: &Head) -> Result<(), RestoreError> {
        let counters = head.counters;
        let mut numbers = counters.alerts.to_vec();
        numbers.extend([
            counters.events,
            counters.late,
            counters.nameless,
            counters.evicted_agents,
            counters.evicted_cohorts,
        ]);
        let ngrams = head.ngrams.as_bytes().chunks(16);
        if numbers.iter().any(|&number| number > MAX_NUMBER)
            || head.agents > self.settings.max_agents.get() as usize
            || head.cohorts > self.settings.max_cohorts.get() as usize
            || ngrams.len() > self.settings.ngram_window.get() as usize
        {
            return Err(damaged("a number is out of range"));
        }
        self.counters = counters;
        for ngram in ngrams {
            let number = std::str::from_utf8(ngram).map(|digits| u64::from_str_radix(digits, 16));
            let Ok(Ok(number)) = number else {
                return Err(damaged("an n-gram is no number"));
            };
            self.ngrams.push(number);
        }
        Ok(())
    }

    fn restore_agent(&mut self, saved: &SavedAgent<'_>) -> Result<(), RestoreError> {
        let window = self.settings.watch.map_or(0, |watch| watch.window.get());
        let fits = saved.recent.len() <= self.settings.ngram_size.get()
            && saved.session.len() <= window as usize
            && saved.counts.iter().all(|&(_, count)| (1..=MAX_NUMBER).contains(&count))
            && saved.counts.len() <= 2 * MAX_NAME
            && saved.late < u8::MAX;
        if !fits || self.agents.find(&saved.id).is_some() {
            return Err(damaged("an agent cannot be so"));
        }
        let slot = self.agents.insert(&saved.id, |_| {});
        let agent = self.agents.value_mut(slot);
        agent.latest = time(saved.latest)?;
        agent.late = saved.late;
        let names = &mut self.names;
        for name in &saved.recent {
            let action = number(names, name);
            agent.push_recent(action, self.settings.ngram_size.get(), names);
        }
        for (name, count) in &saved.counts {
            agent.restore_count(number(names, name), *count);
        }
        for name in &saved.session {
            agent.session.actions.push_back(number(names, name));
        }
        for &micros in &saved.times {
            agent.times.push_back(time(micros)?);
        }
        for &(kind, cohort, at) in &saved.quiet {
            let at = time(at)?;
            agent.quiet.push(Quiet { kind, cohort, at });
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
        limit if limit.starts_with("max_") && limit != "max_lateness" => {
            format!("saved with {limit} {saved}, now it is {wanted}; it can only be raised")
        }
        _ => format!("saved with {name} {saved}, now it is {wanted}; use the same options"),
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

/// The number of a saved name, with one more reference to it. It had room when it was saved, if only because a model knows it.
fn number(names: &mut Names, name: &SavedName<'_>) -> u32 {
    name.as_ref().map_or(OTHER, |name| names.acquire(name, || true).0)
}

impl Agent {
    fn saved<'a>(&self, id: &'a str, names: &'a Names) -> SavedAgent<'a> {
        let name = |&action: &u32| (action != OTHER).then(|| Cow::Borrowed(names.text(action)));
        SavedAgent {
            id: id.into(),
            latest: self.latest.micros(),
            late: self.late,
            recent: self.recent().iter().map(name).collect(),
            times: self.times.iter().map(|time| time.micros()).collect(),
            counts: self
                .counts
                .iter()
                .map(|count| (name(&count.action), count.count))
                .collect(),
            quiet: self
                .quiet
                .iter()
                .map(|quiet| (quiet.kind, quiet.cohort, quiet.at.micros()))
                .collect(),
            session: self.session.actions.iter().map(name).collect(),
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
