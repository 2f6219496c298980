//! Opening files, folders and standard input, compressed or not.

use super::FileError;
use super::read_ahead::Chunk;
use crate::input::line_chunks::LineChunk;
use crate::text::path as shown;
use flate2::bufread::MultiGzDecoder;
use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

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
///
/// `watched` is given the size of the file, if that is known, and what reads it, and returns what reads in its place: to show progress, say.
///
/// # Errors
///
/// If it cannot be opened, is a folder, or begins like something that is not read here.
pub fn open<R: Read + Send + 'static>(
    path: &Path,
    watched: impl FnOnce(Option<u64>, Box<dyn Read + Send>) -> R,
) -> Result<Box<dyn Read + Send>, FileError> {
    let (raw, size): (Box<dyn Read + Send>, _) = if path.as_os_str() == "-" {
        (Box::new(io::stdin()), None)
    } else {
        let file = File::open(path).map_err(|error| FileError::at(path, "cannot open", error))?;
        let kind = file
            .metadata()
            .map_err(|error| FileError::at(path, "cannot read", error))?;
        if kind.is_dir() {
            return Err(FileError::refused(format_args!(
                "{}: is a directory; expected a file",
                shown(path)
            )));
        }
        (Box::new(file), kind.is_file().then_some(kind.len()))
    };
    let mut raw = watched(size, raw);
    // A slow writer may send less than what decides; enough for the shortest comes with the first read.
    let mut start = Vec::new();
    let most = OTHERS.iter().map(|(start, ..)| start.len()).max().unwrap_or_default();
    while start.len() < most && could_be(&start) {
        let mut buffer = [0; 8];
        match raw.read(&mut buffer[..most - start.len()]) {
            Ok(0) => break,
            Ok(read) => start.extend_from_slice(&buffer[..read]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(FileError::at(path, "cannot read", error)),
        }
    }
    if let Some((_, what, command)) = OTHERS.iter().find(|(magic, ..)| start.starts_with(magic)) {
        let name = shown(path);
        let command = command.replace("FILE", &name.to_string());
        return Err(FileError::refused(format_args!(
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
pub fn chunks<I: Iterator<Item = io::Result<LineChunk>>>(
    chunks: I,
    path: &Path,
) -> impl Iterator<Item = Chunk> + use<I> {
    let path = path.to_owned();
    chunks.map(move |chunk| chunk.map_err(|error| read_failure(&path, error)))
}

/// `paths` with the files of each folder in its place, those of folders in it among them, in the order of their names. Names that begin
/// with a dot are left out.
///
/// # Errors
///
/// If a folder cannot be read, or holds no file.
pub fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>, FileError> {
    let mut files = Vec::new();
    for path in paths {
        if path.as_os_str() != "-" && fs::metadata(path).is_ok_and(|found| found.is_dir()) {
            let before = files.len();
            list(path, &mut files)?;
            if files.len() == before {
                return Err(FileError::refused(format_args!(
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

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), FileError> {
    let failed = |error: io::Error| FileError::at(folder, "cannot read", error);
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

/// What a failed read means: damaged compressed data are the input's fault, all else is the environment's.
#[must_use]
pub fn read_failure(path: &Path, error: io::Error) -> FileError {
    match error.kind() {
        ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::UnexpectedEof => FileError::refused(
            format_args!("{}: the compressed data are damaged or cut off: {error}", shown(path)),
        ),
        _ => FileError::at(path, "cannot read", error),
    }
}
