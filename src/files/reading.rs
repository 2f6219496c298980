//! Reading samples and logs from the files that a command was given, and what is said of what they hold.

use super::FileError;
use super::open::{chunks, read_failure};
use super::read_ahead::ReadAhead;
use crate::bounds::UnitInterval;
use crate::data::dataset::DatasetBuilder;
use crate::data::label::Label;
use crate::input::events::{FinishedSessions, SessionRules, Sessions};
use crate::input::lines::Refused;
use crate::input::logs::{Format, Kind, Log, Mapping, PassedOver, recognise};
use crate::input::samples::{GroupField, ReadOptions, read_samples};
use crate::text::{one_line, path as shown};
use log::{info, warn};
use std::collections::BTreeSet;
use std::io::Read;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Once;

/// One warning is enough.
static UNUSED_COUNT: Once = Once::new();

/// How files are read.
pub struct Reading<'a> {
    /// How logs are read.
    pub mapping: &'a Mapping,
    /// The share of lines or records that may be left out; `None` for none.
    pub skip_bad_lines: Option<UnitInterval>,
    /// What a session or a sample without a label is; `None` where each needs one.
    pub unlabelled: Option<Label>,
    /// Most samples.
    pub limit: Option<u64>,
    /// Most threads.
    pub threads: NonZeroUsize,
    /// The field that names the group of a sample.
    pub group_by: Option<&'a str>,
    /// The field that says how many samples a line stands for.
    pub count_field: Option<&'a str>,
}

impl Reading<'_> {
    fn options(&self) -> ReadOptions {
        ReadOptions::default()
            .group_by(self.group_by)
            .count_field(self.count_field)
            .unlabelled(self.unlabelled)
            .limit(self.limit)
            .threads(self.threads)
    }
}

/// Adds the labelled samples of all `paths`, and the sessions of those that are logs, to `data`. Every line that is not one is a reason to
/// stop, but not before all files have been read, unless few enough may be left out. Returns a field that looks like a group, if there is
/// one.
pub fn read_all<E: From<FileError>>(
    paths: &[PathBuf],
    reading: &Reading<'_>,
    data: &mut DatasetBuilder,
    mut open: impl FnMut(&Path) -> Result<Box<dyn Read + Send>, E>,
) -> Result<Option<GroupField>, E> {
    let mut logs = Logs::new(reading.mapping).grouped_by(reading.group_by);
    let mut bad = BadLines::new(reading.skip_bad_lines);
    let mut group_field = None;
    let before = data.samples();
    for path in paths {
        let reader = open(path)?;
        let input = recognise(reader, reading.mapping).map_err(|error| read_failure(path, error))?;
        if input.kind.format != Format::Samples {
            if reading.count_field.is_some() {
                return Err(FileError::refused(format_args!(
                    "{}: is a log ({}); --count-field is for samples, as `anomaly-train sessions` makes them of a log",
                    shown(path),
                    input.kind.format
                ))
                .into());
            }
            logs.read(input.kind, reading.mapping, input.reader, path, &mut bad)?;
            continue;
        }
        let read = read_samples(input.reader, &reading.options(), data).map_err(|error| read_failure(path, error))?;
        bad.note(path, &read.refused);
        group_field = group_field.or(read.group_field);
        if read.unused_count {
            UNUSED_COUNT.call_once(|| {
                warn!("the member \"count\" is not used; --count-field count if a line stands for that many samples");
            });
        }
    }
    bad.judge(data.samples() - before + logs.records())?;
    if let Some(sessions) = logs.finish() {
        let without_label = sessions
            .add_to(reading.limit, reading.unlabelled, data)
            .map_err(FileError::refused)?;
        if without_label > 0 {
            warn!(
                "{without_label} sessions have no event with a label and were left out; --label-field names the member that holds it, \
                 and --normal-only learns without"
            );
        }
    }
    Ok(group_field)
}

/// The logs of a run: what they hold, and what is to be said of them.
pub struct Logs {
    sessions: Sessions,
    passed: PassedOver,
    formats: BTreeSet<&'static str>,
    names: Vec<PathBuf>,
    records: u64,
    group_by: Option<String>,
}

impl Logs {
    /// Without any, to be read in this way.
    #[must_use]
    pub fn new(mapping: &Mapping) -> Self {
        Self {
            sessions: Sessions::new(SessionRules::from(mapping)),
            passed: PassedOver::default(),
            formats: BTreeSet::new(),
            names: Vec::new(),
            records: 0,
            group_by: None,
        }
    }

    /// Takes the member of this name for the group of a session.
    pub fn grouped_by(self, field: Option<&str>) -> Self {
        Self {
            group_by: field.map(str::to_owned),
            ..self
        }
    }

    /// Keeps the ids of events.
    pub fn with_ids(self) -> Self {
        Self {
            sessions: self.sessions.with_ids(),
            ..self
        }
    }

    /// The files that have been read, by the number that sessions know them by.
    pub fn names(&self) -> &[PathBuf] {
        &self.names
    }

    /// Records that were read, with those that were passed over.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Takes the events of a log of this kind in.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or no record has an action. What is refused in it is noted in `bad`.
    pub fn read(
        &mut self,
        kind: Kind,
        mapping: &Mapping,
        reader: impl Read + Send + 'static,
        path: &Path,
        bad: &mut BadLines,
    ) -> Result<(), FileError> {
        let mut log = Log::of(kind, mapping, &shown(path).to_string()).grouped_by(self.group_by.as_deref());
        let mut refused = Refused::default();
        // While events are taken from some records, a thread cuts the next ones out of the input.
        'input: for batch in ReadAhead::start(chunks(log.chunks(reader), path), NonZeroUsize::MAX) {
            for chunk in batch? {
                self.sessions.take(&mut log, &chunk, &mut refused);
                if refused.given_up {
                    break 'input;
                }
            }
        }
        self.sessions.end_input();
        bad.note(path, &refused);
        self.passed.append(log.passed_over());
        self.records += log.records_read();
        self.formats.insert(kind.format.name());
        self.names.push(path.to_owned());
        if let Some(record) = log.unmapped().filter(|_| refused.count == 0) {
            return Err(FileError::refused(format_args!(
                "{}: no record has an action; --action-field names the member that is one, and --records-at the array that holds the records. The first record: {}",
                shown(path),
                one_line(record)
            )));
        }
        if let Some(unit) = log.time_unit() {
            info!(
                "{}: numbers are taken for times in {unit}; --time-unit says otherwise",
                shown(path)
            );
        }
        Ok(())
    }

    /// The sessions, without a word.
    pub fn into_sessions(self) -> FinishedSessions {
        self.sessions.finish()
    }

    /// The sessions, and what is to be said of them; nothing if there were no logs.
    pub fn finish(self) -> Option<FinishedSessions> {
        if self.names.is_empty() {
            return None;
        }
        let events = self.sessions.events();
        let sessions = self.sessions.finish();
        let formats: Vec<&str> = self.formats.into_iter().collect();
        info!(
            "{events} events ({}) make {} sessions",
            formats.join(", "),
            sessions.iter().len()
        );
        if sessions.duplicates() > 0 {
            warn!(
                "{} events came twice and were dropped, by their ids",
                sessions.duplicates()
            );
        }
        tell_of(&self.passed);
        Some(sessions)
    }
}

/// Says what was passed over, if anything was.
pub fn tell_of(passed: &PassedOver) {
    if passed.count() > 0 {
        let kinds = passed
            .kinds()
            .map(|(kind, count)| format!("{count} {}", one_line(kind)));
        let kinds = kinds.collect::<Vec<_>>().join(", ");
        info!(
            "{} records hold no action and were passed over: {kinds}",
            passed.count()
        );
    }
}

/// The lines and records that were refused in all files.
pub struct BadLines {
    allowed: Option<UnitInterval>,
    problems: Vec<String>,
    count: u64,
    given_up: bool,
}

impl BadLines {
    /// None yet; this share may be left out.
    #[must_use]
    pub fn new(allowed: Option<UnitInterval>) -> Self {
        Self {
            allowed,
            problems: Vec::new(),
            count: 0,
            given_up: false,
        }
    }

    fn note(&mut self, path: &Path, refused: &Refused) {
        self.problems.extend(refused_lines(path, refused));
        self.count += refused.count;
        self.given_up |= refused.given_up;
    }

    /// Whether they are few enough beside `good` ones to be left out.
    pub fn judge(self, good: u64) -> Result<(), FileError> {
        if self.count == 0 {
            return Ok(());
        }
        let share = self.count as f64 / (self.count + good) as f64;
        match self.allowed {
            Some(allowed) if share <= allowed.get() && !self.given_up => {
                for problem in &self.problems {
                    warn!("left out: {problem}");
                }
                let (count, all) = (self.count, self.count + good);
                warn!("{count} of {all} lines or records cannot be read and were left out");
                Ok(())
            }
            Some(allowed) if !self.given_up => {
                let mut problems = self.problems;
                problems.push(format!(
                    "{:.2} % of the lines or records cannot be read; --skip-bad-lines allows for {} %",
                    100.0 * share,
                    100.0 * allowed.get()
                ));
                Err(FileError::Refused(problems))
            }
            _ => Err(FileError::Refused(self.problems)),
        }
    }
}

/// The lines of the file `path` that were refused, the first ones one by one, then their number.
fn refused_lines(path: &Path, refused: &Refused) -> Vec<String> {
    let path = shown(path);
    let first = refused.first.iter().map(|refusal| format!("{path}:{refusal}"));
    let count = refused.count;
    let rest = if refused.given_up {
        " and the rest was not read"
    } else {
        ""
    };
    let all = (count > 1).then(|| format!("{path}: {count} lines were refused{rest}; mend or remove them"));
    first.chain(all).collect()
}
