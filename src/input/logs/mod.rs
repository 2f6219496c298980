//! Logs of many kinds, turned into [`Event`]s. Each format is a file of its own, and says of a record what is who, what and when.

mod auditd;
mod chat;
mod clock;
mod cloudtrail;
mod fields;
mod mapping;
mod otlp;
mod recognition;
mod rules;
mod syscalls;
mod table;
mod tool_uses;
mod transcript;

pub use mapping::{DEFAULT_GAP, Mapping, NoMapping, Path, RiskRange, Template, TimeUnit};
pub use recognition::{Kind, Recognised, recognise};

pub use crate::input::placeholders::normalize_name;

use crate::input::events::{self, Event, EventFields};
use crate::input::json_records::{Envelope, JsonRecords};
use crate::input::line_chunks::{LineChunk, LineChunks};
use crate::input::lines::{Lines, Problem, Refusal};
use chat::Conversations;
use otlp::Spans;
use rules::{Filled, Rules, Usual};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;
use table::TableRows;
use transcript::Transcript;

/// What an input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Sequences as JSON lines, with or without labels: no log, but what one becomes.
    Samples,
    /// Events as JSON, of the members that [`Event`] names or that a [`Mapping`] does.
    Events,
    /// OpenTelemetry traces with the conventions for generative AI.
    Otlp,
    /// Chat messages with tool calls.
    Chat,
    /// Transcripts of coding agents.
    Transcript,
    /// AWS CloudTrail.
    Cloudtrail,
    /// The Linux audit daemon.
    Auditd,
    /// Comma-separated values with a header.
    Csv,
    /// Tab-separated values with a header.
    Tsv,
}

/// A text is no name of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected samples, events, otlp, chat, transcript, cloudtrail, auditd, csv or tsv")]
pub struct NoFormat;

impl Format {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Samples,
        Self::Events,
        Self::Otlp,
        Self::Chat,
        Self::Transcript,
        Self::Cloudtrail,
        Self::Auditd,
        Self::Csv,
        Self::Tsv,
    ];

    /// The name of the option's value.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Samples => "samples",
            Self::Events => "events",
            Self::Otlp => "otlp",
            Self::Chat => "chat",
            Self::Transcript => "transcript",
            Self::Cloudtrail => "cloudtrail",
            Self::Auditd => "auditd",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
        }
    }
}

impl FromStr for Format {
    type Err = NoFormat;

    fn from_str(text: &str) -> Result<Self, NoFormat> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == text)
            .ok_or(NoFormat)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where an event as we write them has what.
const EVENTS: Usual = Usual {
    agent: &["agent_id"],
    session: &[],
    action: &["action_type"],
    time: &[("timestamp", TimeUnit::Auto)],
    label: &["label"],
    risk: &["risk_score"],
    cohort: &["cohort"],
    id: &["event_id"],
    failed: &[],
    more: &[],
};

/// Records that were passed over because they hold no action, by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PassedOver(BTreeMap<String, u64>);

impl PassedOver {
    /// Kinds that are told from each other; the others are one.
    const MOST: usize = 20;

    fn note(&mut self, kind: &str) {
        let kind: String = kind.chars().take(60).collect();
        let kind = if self.0.len() < Self::MOST || self.0.contains_key(&kind) {
            kind
        } else {
            "others".to_owned()
        };
        *self.0.entry(kind).or_default() += 1;
    }

    /// Adds what another input had.
    pub fn append(&mut self, other: &Self) {
        for (kind, count) in &other.0 {
            *self.0.entry(kind.clone()).or_default() += count;
        }
    }

    /// How many records.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.values().sum()
    }

    /// The kinds, each with how many there were.
    pub fn kinds(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(kind, &count)| (kind.as_str(), count))
    }
}

/// Reads the events of one input, chunk by chunk.
///
/// ```
/// use anomaly_train::events::Event;
/// use anomaly_train::logs::{Format, Log, Mapping};
///
/// let line = br#"{"id": "c1", "messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "search"}}]}]}"#;
/// let mut log = Log::new(Format::Chat, &Mapping::default(), "chats.jsonl");
/// let mut actions = Vec::new();
/// for chunk in log.chunks(&line[..]) {
///     let chunk = chunk?;
///     let (mut events, mut event) = (log.events(&chunk), Event::default());
///     while let Some(read) = events.read(&mut event) {
///         assert!(read.is_ok());
///         actions.push((event.session.clone(), event.action_type.clone()));
///     }
/// }
/// assert_eq!(actions, [("c1".to_owned(), "search".to_owned())]);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Log {
    format: Format,
    decoder: Decoder,
    passed: PassedOver,
    /// What the members of the first record without an action are.
    sample: Option<String>,
    /// Events of the record that was read last, those that have not been handed out.
    ready: Vec<Event>,
    handed_out: usize,
    any: bool,
    /// Records that were read, with those that were passed over.
    records: u64,
    normalizes_names: bool,
    /// Where the records of a document stand, if that was asked for.
    envelope: Option<Envelope>,
    /// Whether each line is a record, which need not be found out.
    is_lines: bool,
}

/// What turns a record into events.
#[derive(Debug)]
enum Decoder {
    /// Events as we write them, read strictly.
    Events(EventFields),
    Mapped(Box<Rules>),
    Spans(Box<Spans>),
    Conversations(Box<Conversations>),
    Transcript(Box<Transcript>),
    Auditd(Box<Rules>),
}

impl Log {
    /// Reads an input of `format`, which is not [`Format::Samples`], as `mapping` says. `source` names sessions that have no name.
    #[must_use]
    pub fn new(format: Format, mapping: &Mapping, source: &str) -> Self {
        Self::of(
            Kind {
                format,
                in_array: false,
            },
            mapping,
            source,
        )
    }

    /// The same for an input that was looked at.
    #[must_use]
    pub fn of(Kind { format, in_array }: Kind, mapping: &Mapping, source: &str) -> Self {
        let rules = |usual: &Usual| Box::new(Rules::new(usual, mapping));
        let decoder = match format {
            Format::Samples | Format::Events if !mapping.moves_members() => Decoder::Events(EventFields {
                session: mapping.session_by.first().map(|path| path.0.clone()),
                group: None,
                source: mapping.source_field.as_ref().map(|path| path.0.clone()),
                label: Some(mapping.label_field.as_ref().map_or("label", |path| &path.0).to_owned()),
            }),
            Format::Samples | Format::Events | Format::Csv | Format::Tsv => Decoder::Mapped(rules(&EVENTS)),
            Format::Cloudtrail => Decoder::Mapped(rules(&cloudtrail::USUAL)),
            Format::Otlp => Decoder::Spans(Box::new(Spans::new(mapping))),
            Format::Chat => Decoder::Conversations(Box::new(Conversations::new(mapping, source))),
            Format::Transcript => Decoder::Transcript(Box::new(Transcript::new(mapping))),
            Format::Auditd => Decoder::Auditd(rules(&auditd::USUAL)),
        };
        // Events as we write them have a line each, unless they stand in an array.
        let is_lines = matches!(decoder, Decoder::Events(_)) && !in_array;
        Self {
            format,
            decoder,
            passed: PassedOver::default(),
            sample: None,
            ready: Vec::new(),
            handed_out: 0,
            any: false,
            records: 0,
            normalizes_names: mapping.normalize_names,
            envelope: mapping.records_at.as_ref().map(|path| {
                let levels: Vec<&str> = path.0.split('.').collect();
                let levels: Vec<&[&str]> = levels.chunks(1).collect();
                Envelope::new(&levels, None)
            }),
            is_lines,
        }
    }

    /// The same, with a member that says what a session belongs to.
    #[must_use]
    pub fn grouped_by(mut self, field: Option<&str>) -> Self {
        let Some(field) = field else {
            return self;
        };
        match &mut self.decoder {
            Decoder::Events(fields) => fields.group = Some(field.to_owned()),
            Decoder::Mapped(rules) | Decoder::Auditd(rules) => rules.group_by(field),
            Decoder::Spans(spans) => spans.rules.group_by(field),
            Decoder::Conversations(conversations) => conversations.rules.group_by(field),
            Decoder::Transcript(transcript) => transcript.rules.group_by(field),
        }
        self
    }

    /// The same, but labels are not looked at.
    #[must_use]
    pub fn without_labels(mut self) -> Self {
        match &mut self.decoder {
            Decoder::Events(fields) => fields.label = None,
            Decoder::Mapped(rules) | Decoder::Auditd(rules) => rules.forget_labels(),
            Decoder::Spans(spans) => spans.rules.forget_labels(),
            Decoder::Conversations(conversations) => conversations.rules.forget_labels(),
            Decoder::Transcript(transcript) => transcript.rules.forget_labels(),
        }
        self
    }

    /// What it reads.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// The chunks of `reader`, each a few records with a line each.
    pub fn chunks<R: Read>(&self, reader: R) -> RecordChunks<R> {
        let envelope = match self.format {
            Format::Csv => return RecordChunks(Chunks::Table(TableRows::new(reader, b','))),
            Format::Tsv => return RecordChunks(Chunks::Table(TableRows::new(reader, b'\t'))),
            Format::Auditd => return RecordChunks(Chunks::Lines(LineChunks::new(reader))),
            _ if self.is_lines => return RecordChunks(Chunks::Lines(LineChunks::new(reader))),
            _ if self.envelope.is_some() => self.envelope.clone().unwrap_or_default(),
            Format::Otlp => otlp::envelope(),
            Format::Cloudtrail => cloudtrail::envelope(),
            _ => Envelope::default(),
        };
        RecordChunks(Chunks::Json(JsonRecords::new(reader, envelope)))
    }

    /// The records in lines of a log that is followed line by line; `None` if the lines are the records.
    #[must_use]
    pub fn records(&self, lines: &LineChunk) -> Option<LineChunk> {
        let chunks = self.chunks(&lines.text[..]);
        if matches!(chunks.0, Chunks::Lines(_)) {
            return None;
        }
        let mut all = LineChunk::default();
        // Reading from memory cannot fail.
        for chunk in chunks.flatten() {
            all.text.extend_from_slice(&chunk.text);
            all.places.extend(chunk.places);
        }
        for place in &mut all.places {
            place.line += lines.first_line - 1;
        }
        all.first_line = lines.first_line;
        Some(all)
    }

    /// The events in the records of `chunk`.
    pub fn events<'l>(&'l mut self, chunk: &'l LineChunk) -> LogEvents<'l> {
        LogEvents {
            lines: chunk.lines(),
            log: self,
        }
    }

    /// What was passed over so far.
    #[must_use]
    pub fn passed_over(&self) -> &PassedOver {
        &self.passed
    }

    /// How many records were read, with those that were passed over.
    #[must_use]
    pub fn records_read(&self) -> u64 {
        self.records
    }

    /// The beginning of a record that was passed over, if no event was found at all: what a mapping should be for.
    #[must_use]
    pub fn unmapped(&self) -> Option<&str> {
        self.sample.as_deref().filter(|_| !self.any)
    }

    /// What numbers were taken for as times, where nobody said it.
    #[must_use]
    pub fn time_unit(&self) -> Option<TimeUnit> {
        match &self.decoder {
            Decoder::Events(_) => None,
            Decoder::Mapped(rules) | Decoder::Auditd(rules) => rules.time_unit(),
            Decoder::Spans(spans) => spans.rules.time_unit(),
            Decoder::Conversations(conversations) => conversations.rules.time_unit(),
            Decoder::Transcript(transcript) => transcript.rules.time_unit(),
        }
    }

    /// Reads the record in `line`.
    fn record(&mut self, line: &str, number: u64) -> Result<(), Problem> {
        let counts = self.read_record(line, number)?;
        self.records += u64::from(counts);
        Ok(())
    }

    /// Returns whether it is a record of the log, and not something about those that follow.
    fn read_record(&mut self, line: &str, number: u64) -> Result<bool, Problem> {
        let (events, passed) = (&mut self.ready, &mut self.passed);
        match &mut self.decoder {
            Decoder::Events(fields) => {
                let mut event = Event::default();
                events::parse(line, &mut event, fields)?;
                events.push(event);
            }
            Decoder::Mapped(rules) => mapped(rules, line, events, passed, &mut self.sample)?,
            Decoder::Auditd(rules) => match auditd::record(line)? {
                Ok(object) => mapped(rules, &object, events, passed, &mut None)?,
                Err(kind) => passed.note(kind),
            },
            Decoder::Spans(spans) => return spans.read(line, events, passed),
            Decoder::Conversations(conversations) => conversations.read(line, number, events, passed)?,
            Decoder::Transcript(transcript) => transcript.read(line, events, passed)?,
        }
        Ok(true)
    }
}

/// Reads a record by rules.
fn mapped(
    rules: &mut Rules,
    record: &str,
    events: &mut Vec<Event>,
    passed: &mut PassedOver,
    sample: &mut Option<String>,
) -> Result<(), Problem> {
    let mut slots = Vec::new();
    rules.find(record, &mut slots)?;
    let mut event = Event::default();
    match rules.fill(&slots, &mut event)? {
        Filled::Event => events.push(event),
        Filled::NoAction => {
            passed.note("record without an action");
            if sample.is_none() {
                *sample = Some(record.chars().take(300).collect());
            }
        }
    }
    Ok(())
}

/// The events of a chunk, one after the other.
#[derive(Debug)]
pub struct LogEvents<'l> {
    log: &'l mut Log,
    lines: Lines<'l>,
}

impl LogEvents<'_> {
    /// Reads the next event into `event`, or says why its record is none; `None` after the last.
    pub fn read(&mut self, event: &mut Event) -> Option<Result<(), Refusal>> {
        if let Decoder::Events(fields) = &self.log.decoder {
            // A record is an event, which needs no other place to wait in.
            let read = self.lines.read(|line| events::parse(line, event, fields))?;
            return Some(read.map(|()| {
                self.log.records += 1;
                self.finish(event);
            }));
        }
        loop {
            if let Some(next) = self.log.ready.get_mut(self.log.handed_out) {
                std::mem::swap(event, next);
                self.log.handed_out += 1;
                self.finish(event);
                return Some(Ok(()));
            }
            self.log.ready.clear();
            self.log.handed_out = 0;
            let (log, number) = (&mut *self.log, self.lines.next_number());
            if let Err(refusal) = self.lines.read(|line| log.record(line, number))? {
                self.log.ready.clear();
                return Some(Err(refusal));
            }
        }
    }

    /// Says what every event has.
    fn finish(&mut self, event: &mut Event) {
        self.log.any = true;
        event.line = self.lines.number();
        event.column = self.lines.column();
        if self.log.normalizes_names
            && let Cow::Owned(name) = normalize_name(&event.action_type)
        {
            event.action_type = name;
        }
    }

    /// The line of the record that was read last.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.lines.number()
    }

    /// How many bytes of the chunk have not been read yet.
    #[must_use]
    pub fn unread(&self) -> usize {
        self.lines.unread()
    }
}

/// Reads an input record by record, as an iterator over chunks in which each has a line.
#[derive(Debug)]
pub struct RecordChunks<R>(Chunks<R>);

#[derive(Debug)]
enum Chunks<R> {
    Lines(LineChunks<R>),
    Json(JsonRecords<R>),
    Table(TableRows<R>),
}

impl<R: Read> Iterator for RecordChunks<R> {
    type Item = io::Result<LineChunk>;

    fn next(&mut self) -> Option<io::Result<LineChunk>> {
        match &mut self.0 {
            Chunks::Lines(chunks) => chunks.next(),
            Chunks::Json(chunks) => chunks.next(),
            Chunks::Table(chunks) => chunks.next(),
        }
    }
}
