//! Opening files and standard input, compressed or not.

use super::failure::{Failure, shown};
use super::progress::Progress;
use super::read_ahead::Chunk;
use super::streams;
use anomaly_train::{DatasetBuilder, GroupField, LineChunks, ReadOptions, Refused, read_samples};
use flate2::bufread::MultiGzDecoder;
use log::warn;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Once;

const BUFFER: usize = 1 << 18;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Opens `path` for reading, `-` being standard input, and decompresses it if it is gzip by its first bytes.
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
                "{}: is a directory; expected a file of JSON lines",
                shown(path)
            )));
        }
        (Box::new(file), kind.is_file().then_some(kind.len()))
    };
    let mut raw = progress.bytes("Reading", size, raw);
    let mut start = Vec::new();
    raw.by_ref()
        .take(GZIP.len() as u64)
        .read_to_end(&mut start)
        .map_err(|error| Failure::at(path, "cannot read", &error))?;
    let compressed = start == GZIP;
    let whole = io::Cursor::new(start).chain(raw);
    Ok(if compressed {
        Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER, whole)))
    } else {
        Box::new(whole)
    })
}

/// The chunks of the file `path`, with what a failed read of it means.
pub(crate) fn chunks<R: Read>(chunks: LineChunks<R>, path: &Path) -> impl Iterator<Item = Chunk> + use<R> {
    let path = path.to_owned();
    chunks.map(move |chunk| chunk.map_err(|error| read_failure(&path, &error)))
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

/// Adds the labelled samples of all `paths` to `data`. Every line that is not one is a reason to stop, but not before all
/// files have been read. Returns a field that looks like a group, if there is one.
pub(crate) fn read_all(
    paths: &[PathBuf],
    options: &ReadOptions,
    data: &mut DatasetBuilder,
    progress: Progress,
) -> Result<Option<GroupField>, Failure> {
    let mut problems = Vec::new();
    let mut group_field = None;
    for path in paths {
        let reader = open(path, progress)?;
        let read = read_samples(reader, options, data).map_err(|error| read_failure(path, &error))?;
        problems.extend(refused_lines(path, &read.refused));
        group_field = group_field.or(read.group_field);
        if read.unused_count {
            UNUSED_COUNT.call_once(|| {
                warn!("the member \"count\" is not used; --count-field count if a line stands for that many samples");
            });
        }
    }
    if problems.is_empty() {
        Ok(group_field)
    } else {
        Err(Failure::Refused(problems))
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
