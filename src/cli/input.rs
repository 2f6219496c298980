//! Opening files, folders and standard input, compressed or not, and reading samples from whatever stands in them.

use super::failure::{Failure, shown};
use super::progress::Progress;
use super::read_ahead::{Chunk, ReadAhead};
use super::streams;
use anomaly_train::command_only::one_line;
use anomaly_train::events::{FinishedSessions, SessionRules, Sessions};
use anomaly_train::logs::{Format, Kind, Log, Mapping, PassedOver, recognise};
use anomaly_train::{DatasetBuilder, GroupField, Label, LineChunk, ReadOptions, Refused, UnitInterval, read_samples};
use flate2::bufread::MultiGzDecoder;
use log::{info, warn};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Read};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Once;

const BUFFER: usize = 1 << 18;
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// What cannot be read here: how it begins, what it is, and a command that hands it over.
const OTHERS: [(&[u8], &str, &str); 6] = [
    (
        b"PAR1",
        "Parquet",
        "duckdb -c \"COPY (FROM 'FILE') TO '/dev/stdout' (FORMAT json)\" | anomaly-train --data -",
    ),
    (b"PK\x03\x04", "a zip archive", "unzip -p FILE | anomaly-train --data -"),
    (b"BZh", "compressed by bzip2", "bzip2 -dc FILE | anomaly-train --data -"),
    (b"\xfd7zXZ", "compressed by xz", "xz -dc FILE | anomaly-train --data -"),
    (b"7z\xbc\xaf", "a 7z archive", "7z x -so FILE | anomaly-train --data -"),
    (
        b"\x04\x22\x4d\x18",
        "compressed by lz4",
        "lz4 -dc FILE | anomaly-train --data -",
    ),
];

/// Opens `path` for reading, `-` being standard input, and decompresses it if it is gzip or zstd by its first bytes.
pub(crate) fn open(path: &Path, progress: Progress) -> Result<Box<dyn Read + Send>, Failure> {
    let (raw, size): (Box<dyn Read + Send>, _) = if path.as_os_str() == "-" {
        streams::check_stdin()?;
        (Box::new(io::stdin()), None)
    } else {
        let file = File::open(path).map_err(|error| Failure::at(path, "cannot open", &error))?;
        let kind = file
            .metadata()
            .map_err(|error| Failure::at(path, "cannot read", &error))?;
        if kind.is_dir() {
            return Err(Failure::refused(format_args!(
                "{}: is a directory; expected a file",
                shown(path)
            )));
        }
        (Box::new(file), kind.is_file().then_some(kind.len()))
    };
    let mut raw = progress.bytes("Reading", size, raw);
    // A slow writer may send less than what decides; enough for the shortest comes with the first read.
    let mut start = Vec::new();
    let most = OTHERS.iter().map(|(start, ..)| start.len()).max().unwrap_or_default();
    while start.len() < most && could_be(&start) {
        let mut buffer = [0; 8];
        match raw.read(&mut buffer[..most - start.len()]) {
            Ok(0) => break,
            Ok(read) => start.extend_from_slice(&buffer[..read]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Failure::at(path, "cannot read", &error)),
        }
    }
    if let Some((_, what, command)) = OTHERS.iter().find(|(magic, ..)| start.starts_with(magic)) {
        let name = shown(path);
        let command = command.replace("FILE", &name.to_string());
        return Err(Failure::refused(format_args!(
            "{name}: is {what}; hand it over like this: {command}"
        )));
    }
    let (gzip, zstd) = (start.starts_with(GZIP), start.starts_with(ZSTD));
    let whole = io::Cursor::new(start).chain(raw);
    Ok(if gzip {
        Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER, whole)))
    } else if zstd {
        Box::new(ZstdFrames::new(BufReader::with_capacity(BUFFER, whole)))
    } else {
        Box::new(whole)
    })
}

/// Whether what begins with `start` may still turn out to be something other than text.
fn could_be(start: &[u8]) -> bool {
    let others = OTHERS.iter().map(|(magic, ..)| *magic);
    others.chain([GZIP, ZSTD]).any(|magic| magic.starts_with(start))
}

/// Frames of zstd one after the other, as `cat a.zst b.zst` makes them.
struct ZstdFrames<R: io::BufRead> {
    frame: Option<ruzstd::decoding::StreamingDecoder<R, ruzstd::decoding::FrameDecoder>>,
    next: Option<R>,
}

impl<R: io::BufRead> ZstdFrames<R> {
    fn new(reader: R) -> Self {
        Self {
            frame: None,
            next: Some(reader),
        }
    }
}

impl<R: io::BufRead> Read for ZstdFrames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let damaged = |problem: String| io::Error::new(ErrorKind::InvalidData, problem);
        loop {
            if let Some(frame) = &mut self.frame {
                let read = frame.read(buffer).map_err(|error| damaged(error.to_string()))?;
                if read > 0 || buffer.is_empty() {
                    return Ok(read);
                }
                self.next = self.frame.take().map(ruzstd::decoding::StreamingDecoder::into_inner);
            }
            let Some(mut reader) = self.next.take() else {
                return Ok(0);
            };
            if reader.fill_buf()?.is_empty() {
                return Ok(0);
            }
            let frame = ruzstd::decoding::StreamingDecoder::new(reader);
            self.frame = Some(frame.map_err(|error| damaged(error.to_string()))?);
        }
    }
}

/// The chunks of the file `path`, with what a failed read of it means.
pub(crate) fn chunks<I: Iterator<Item = io::Result<LineChunk>>>(
    chunks: I,
    path: &Path,
) -> impl Iterator<Item = Chunk> + use<I> {
    let path = path.to_owned();
    chunks.map(move |chunk| chunk.map_err(|error| read_failure(&path, &error)))
}

/// `paths` with the files of each folder in its place, those of folders in it among them, in the order of their names. Names that begin
/// with a dot are left out.
pub(crate) fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if path.as_os_str() != "-" && fs::metadata(path).is_ok_and(|found| found.is_dir()) {
            let before = files.len();
            list(path, &mut files)?;
            if files.len() == before {
                return Err(Failure::refused(format_args!(
                    "{}: no files in this folder",
                    shown(path)
                )));
            }
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::at(folder, "cannot read", &error);
    let mut entries = fs::read_dir(folder)
        .and_then(|entries| {
            entries
                .map(|entry| Ok(entry?.path()))
                .collect::<io::Result<Vec<PathBuf>>>()
        })
        .map_err(failed)?;
    entries.sort();
    for entry in entries {
        let hidden = entry
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        // A link to a folder may lead back here, so it is not followed.
        let found = fs::symlink_metadata(&entry).map_err(failed)?;
        if hidden {
        } else if found.is_dir() {
            list(&entry, files)?;
        } else if fs::metadata(&entry).is_ok_and(|found| !found.is_dir()) {
            files.push(entry);
        }
    }
    Ok(())
}

/// Refuses standard input given twice, which could be read only once, and warns of a file given twice.
pub(crate) fn check_distinct<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Result<(), Failure> {
    let mut seen = BTreeSet::new();
    for path in paths {
        let new = seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.clone()));
        if !new && path.as_os_str() == "-" {
            return Err(Failure::Usage("standard input (-) can be read only once".to_owned()));
        }
        if !new {
            warn!("{} is given twice, so its samples count twice", shown(path));
        }
    }
    Ok(())
}

/// One warning is enough.
static UNUSED_COUNT: Once = Once::new();

/// How files are read.
pub(crate) struct Reading<'a> {
    pub(crate) mapping: &'a Mapping,
    pub(crate) skip_bad_lines: Option<UnitInterval>,
    /// What a session or a sample without a label is; `None` where each needs one.
    pub(crate) unlabelled: Option<Label>,
    /// Most samples.
    pub(crate) limit: Option<u64>,
    /// Most threads.
    pub(crate) threads: NonZeroUsize,
    /// The field that names the group of a sample.
    pub(crate) group_by: Option<&'a str>,
    /// The field that says how many samples a line stands for.
    pub(crate) count_field: Option<&'a str>,
}

impl Reading<'_> {
    /// What is said of samples alone, if anything is.
    fn for_samples(&self) -> Option<&'static str> {
        let group_by = self.group_by.map(|_| "--group-by");
        group_by.or(self.count_field.map(|_| "--count-field"))
    }

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
pub(crate) fn read_all(
    paths: &[PathBuf],
    reading: &Reading<'_>,
    data: &mut DatasetBuilder,
    progress: Progress,
) -> Result<Option<GroupField>, Failure> {
    let mut logs = Logs::new(reading.mapping);
    let mut bad = BadLines::new(reading.skip_bad_lines);
    let mut group_field = None;
    let before = data.samples();
    for path in paths {
        let reader = open(path, progress)?;
        let input = recognise(reader, reading.mapping).map_err(|error| read_failure(path, &error))?;
        if input.kind.format != Format::Samples {
            if let Some(option) = reading.for_samples() {
                return Err(Failure::refused(format_args!(
                    "{}: is a log ({}); {option} is for samples, as `anomaly-train sessions` makes them of a log",
                    shown(path),
                    input.kind.format
                )));
            }
            logs.read(input.kind, reading.mapping, input.reader, path, &mut bad)?;
            continue;
        }
        let read = read_samples(input.reader, &reading.options(), data).map_err(|error| read_failure(path, &error))?;
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
            .map_err(Failure::refused)?;
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
pub(crate) struct Logs {
    sessions: Sessions,
    passed: PassedOver,
    formats: BTreeSet<&'static str>,
    names: Vec<PathBuf>,
}

impl Logs {
    pub(crate) fn new(mapping: &Mapping) -> Self {
        Self {
            sessions: Sessions::new(SessionRules::from(mapping)),
            passed: PassedOver::default(),
            formats: BTreeSet::new(),
            names: Vec::new(),
        }
    }

    /// Keeps the ids of events.
    pub(crate) fn with_ids(self) -> Self {
        Self {
            sessions: self.sessions.with_ids(),
            ..self
        }
    }

    /// The files that have been read, by the number that sessions know them by.
    pub(crate) fn names(&self) -> &[PathBuf] {
        &self.names
    }

    /// Records that were read, with those that were passed over.
    pub(crate) fn records(&self) -> u64 {
        self.sessions.events() + self.passed.count()
    }

    pub(crate) fn read(
        &mut self,
        kind: Kind,
        mapping: &Mapping,
        reader: impl Read + Send + 'static,
        path: &Path,
        bad: &mut BadLines,
    ) -> Result<(), Failure> {
        let mut log = Log::of(kind, mapping, &shown(path).to_string());
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
        self.formats.insert(kind.format.name());
        self.names.push(path.to_owned());
        if let Some(record) = log.unmapped().filter(|_| refused.count == 0) {
            return Err(Failure::refused(format_args!(
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
    pub(crate) fn into_sessions(self) -> FinishedSessions {
        self.sessions.finish()
    }

    /// The sessions, and what is to be said of them; nothing if there were no logs.
    pub(crate) fn finish(self) -> Option<FinishedSessions> {
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
        if self.passed.count() > 0 {
            let kinds = self
                .passed
                .kinds()
                .map(|(kind, count)| format!("{count} {}", one_line(kind)));
            info!(
                "{} records hold no action and were passed over: {}",
                self.passed.count(),
                kinds.collect::<Vec<_>>().join(", ")
            );
        }
        Some(sessions)
    }
}

/// The lines and records that were refused in all files.
pub(crate) struct BadLines {
    allowed: Option<UnitInterval>,
    problems: Vec<String>,
    count: u64,
    given_up: bool,
}

impl BadLines {
    pub(crate) fn new(allowed: Option<UnitInterval>) -> Self {
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
    pub(crate) fn judge(self, good: u64) -> Result<(), Failure> {
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
                Err(Failure::Refused(problems))
            }
            _ => Err(Failure::Refused(self.problems)),
        }
    }
}

/// The lines of the file `path` that were refused, the first ones one by one, then their number.
pub(crate) fn refused_lines(path: &Path, refused: &Refused) -> Vec<String> {
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

/// What a failed read means: damaged compressed data are the input's fault, all else is the environment's.
pub(crate) fn read_failure(path: &Path, error: &io::Error) -> Failure {
    match error.kind() {
        ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::UnexpectedEof => Failure::refused(format_args!(
            "{}: the compressed data are damaged or cut off: {error}",
            shown(path)
        )),
        _ => Failure::at(path, "cannot read", error),
    }
}
