//! Where the events come from, and how far they have been taken in. A thread waits for input, so that signals and time are
//! noticed meanwhile.

use crate::cli::failure::{Failure, shown};
use crate::cli::{input, streams};
use anomaly_train::files::{self, Chunk, ReadAhead};
use anomaly_train::logs::{Format, Kind, Log, Mapping, recognise};
use anomaly_train::monitor::Checkpoint;
use anomaly_train::registry::folder;
use anomaly_train::{LineChunk, LineChunks};
use log::warn;
use std::collections::VecDeque;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::iter;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

/// How often a followed file is looked at.
const POLL: Duration = Duration::from_millis(100);

/// Where the input comes from, chunk by chunk.
pub(crate) struct Feed {
    chunks: ReadAhead<Box<dyn Iterator<Item = Chunk> + Send>>,
    /// What the input is; known when its first chunk has come.
    kind: Arc<OnceLock<Kind>>,
    /// For a followed file: which place in it each place of the stream is.
    places: Option<Arc<Mutex<Vec<Place>>>>,
    /// Bytes of the stream that have been taken in.
    taken: u64,
    /// Whether the next byte belongs to a line that is dropped.
    in_line: bool,
    /// The last bytes of the stream that have been taken in, at most as many as a checkpoint remembers.
    before: Vec<u8>,
}

/// From here on the stream is that of this file.
#[derive(Debug, Clone, Copy)]
struct Place {
    in_stream: u64,
    file: u64,
    in_file: u64,
}

impl Feed {
    /// Reads `path`, `-` being standard input. With `follow` the end of the file is not the end, and `checkpoint` says where
    /// an earlier run stopped.
    pub(crate) fn open(
        path: &Path,
        mapping: &Mapping,
        follow: bool,
        checkpoint: Option<Checkpoint>,
    ) -> Result<Self, Failure> {
        let (mut places, mut in_line, mut before) = (None, false, Vec::new());
        let kind = Arc::new(OnceLock::new());
        let chunks: Box<dyn Iterator<Item = Chunk> + Send> = if follow {
            let shared = Arc::default();
            let (tail, known) = Tail::open(path, checkpoint, Arc::clone(&shared))?;
            let found = File::open(path).and_then(|file| recognise(file, mapping));
            let found = found.map_err(|error| Failure::at(path, "cannot open", &error))?.kind;
            if matches!(found.format, Format::Csv | Format::Tsv) {
                return Err(Failure::Usage(
                    "--follow goes line by line, and the rows of a table need its header; pipe it in instead"
                        .to_owned(),
                ));
            }
            let _ = kind.set(found);
            (places, in_line, before) = (Some(shared), !tail.whole, known);
            Box::new(input::chunks(
                if in_line {
                    LineChunks::within_line(tail)
                } else {
                    LineChunks::new(tail)
                },
                path,
            ))
        } else {
            if path.as_os_str() == "-" {
                streams::check_stdin()?;
            }
            // Opened by whoever reads: opening a pipe waits for the one who writes.
            let (path, mapping, kind) = (path.to_owned(), mapping.clone(), Arc::clone(&kind));
            let open = move || -> Box<dyn Iterator<Item = Chunk> + Send> {
                let recognised =
                    |reader| recognise(reader, &mapping).map_err(|error| input::read_failure(&path, error));
                match files::open(&path, |_, reader| reader).and_then(recognised) {
                    Ok(found) => {
                        let _ = kind.set(found.kind);
                        let log = Log::of(found.kind, &mapping, "");
                        Box::new(input::chunks(log.chunks(found.reader), &path))
                    }
                    Err(failure) => Box::new(iter::once(Err(failure))),
                }
            };
            Box::new(iter::once_with(open).flatten())
        };
        Ok(Self {
            kind,
            chunks: ReadAhead::start(chunks, NonZeroUsize::MAX),
            places,
            taken: 0,
            in_line,
            before,
        })
    }

    /// The next chunk, if it comes within `patience`.
    ///
    /// # Errors
    ///
    /// If it does not, or the input has ended.
    pub(crate) fn next(&mut self, patience: Duration) -> Result<Chunk, RecvTimeoutError> {
        self.chunks.next_within(patience)
    }

    /// What the input is, to be asked when a chunk has come.
    pub(crate) fn kind(&self) -> Kind {
        let events = Kind {
            format: Format::Events,
            in_array: false,
        };
        self.kind.get().copied().unwrap_or(events)
    }

    /// Whether anything has been taken in.
    pub(crate) fn has_taken(&self) -> bool {
        self.taken > 0
    }

    /// Notes that `chunk` has been taken in but for the last `unread` bytes.
    pub(crate) fn take(&mut self, chunk: &LineChunk, unread: usize) {
        let bytes = chunk.bytes();
        if self.places.is_none() {
            // Nobody goes on from there.
            self.taken += (bytes.len() - unread) as u64;
            return;
        }
        if chunk.end() - bytes.len() as u64 != self.taken {
            // What lies between has been dropped and is not known.
            self.before.clear();
        }
        let bytes = &bytes[..bytes.len() - unread];
        self.before
            .extend_from_slice(&bytes[bytes.len().saturating_sub(Checkpoint::MOST)..]);
        self.before.drain(..self.before.len().saturating_sub(Checkpoint::MOST));
        self.taken = chunk.end() - unread as u64;
        self.in_line = chunk.is_within_line() && unread == 0;
    }

    /// The place in the followed file up to which everything has been taken in.
    pub(crate) fn checkpoint(&self) -> Option<Checkpoint> {
        let mut places = self.places.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        let at = places.partition_point(|place| place.in_stream <= self.taken);
        places.drain(..at.saturating_sub(1));
        let place = places.first().filter(|place| place.in_stream <= self.taken)?;
        let offset = place.in_file + (self.taken - place.in_stream);
        // What is older belongs to the file before.
        let known = self.before.len().min(usize::try_from(offset).unwrap_or(usize::MAX));
        let before = &self.before[self.before.len() - known..];
        Some(Checkpoint::new(place.file, offset, self.in_line, before))
    }
}

/// A file that is read on and on, like `tail -F` does.
struct Tail {
    path: PathBuf,
    file: File,
    identity: u64,
    in_file: u64,
    in_stream: u64,
    /// The last bytes that were read of the file, to be sure that it is still the same.
    before: Vec<u8>,
    /// Files that stood or stand in its place and are to be read when it has come to its end, which it has when it has been quiet for a while.
    next: VecDeque<(u64, File)>,
    quiet: u32,
    /// Whether what was read last ends a line.
    whole: bool,
    /// Whether looking for another file fails, which has been warned of.
    troubled: bool,
    places: Arc<Mutex<Vec<Place>>>,
}

/// For so many looks a file must be quiet that another one has taken the place of, from when something stands in that: of several writers one may
/// notice late.
const QUIET: u32 = 2;

impl Tail {
    /// Also returns the bytes before the place where it starts, as far as the checkpoint remembers them.
    fn open(
        path: &Path,
        checkpoint: Option<Checkpoint>,
        places: Arc<Mutex<Vec<Place>>>,
    ) -> Result<(Self, Vec<u8>), Failure> {
        let failed = |error: io::Error| Failure::at(path, "cannot open", &error);
        let file = File::open(path).map_err(failed)?;
        let found = file.metadata().map_err(failed)?;
        if !found.is_file() {
            let path = shown(path);
            return Err(Failure::Usage(format!("--follow {path}: is not a file that can grow")));
        }
        let mut files = VecDeque::from([(identity(&found), file)]);
        let known = match checkpoint {
            Some(checkpoint) => {
                let known = resume(path, &checkpoint, &mut files).map_err(failed)?;
                if known.is_none() {
                    let path = shown(path);
                    warn!("{path} is not the file that was read before, or was cut since; it is read from its start");
                }
                known.map(|before| (checkpoint, before))
            }
            None => None,
        };
        let Some((identity, mut file)) = files.pop_front() else {
            unreachable!("there is at least the file itself");
        };
        let in_file = known.as_ref().map_or(0, |(checkpoint, _)| checkpoint.offset);
        file.seek(SeekFrom::Start(in_file)).map_err(failed)?;
        let whole = !known.as_ref().is_some_and(|(checkpoint, _)| checkpoint.in_line);
        let before = known.map(|(_, before)| before).unwrap_or_default();
        let tail = Self {
            path: path.to_owned(),
            file,
            identity,
            in_file,
            in_stream: 0,
            before: before.clone(),
            next: files,
            quiet: 0,
            whole,
            troubled: false,
            places,
        };
        tail.note_place();
        Ok((tail, before))
    }

    fn note_place(&self) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.push(Place {
            in_stream: self.in_stream,
            file: self.identity,
            in_file: self.in_file,
        });
    }

    /// Looks, at the end of the file, whether it was cut or written anew, or has come to its end and another one stands in its place; then that is read from its
    /// start. Returns whether it is so. An error, which may pass, is warned of when it comes up.
    fn turn_over(&mut self) -> bool {
        let turned = self.try_turn_over();
        if let (Err(error), false) = (&turned, self.troubled) {
            warn!("{}: cannot be followed now: {error}", shown(&self.path));
        }
        self.troubled = turned.is_err();
        turned.unwrap_or(false)
    }

    fn try_turn_over(&mut self) -> io::Result<bool> {
        let length = self.file.metadata()?.len();
        if length < self.in_file {
            self.file.seek(SeekFrom::Start(0))?;
            self.start_anew();
            return Ok(true);
        }
        let looked = self.look_for_next();
        if length > self.in_file {
            return looked.map(|()| false);
        }
        // Who writes has moved on when there is something in the next one, and long ago when there is one after it.
        let moved = match self.next.front() {
            None => false,
            Some(_) if self.next.len() > 1 => {
                self.quiet = QUIET;
                true
            }
            Some((_, file)) => file.metadata()?.len() > 0,
        };
        self.quiet = if moved { self.quiet + 1 } else { 0 };
        if self.quiet > QUIET
            && let Some((identity, file)) = self.next.pop_front()
        {
            (self.identity, self.file) = (identity, file);
            self.start_anew();
            return Ok(true);
        }
        looked.map(|()| false)
    }

    fn start_anew(&mut self) {
        (self.in_file, self.quiet) = (0, 0);
        self.before.clear();
    }

    /// Whether what was read last still stands where it stood. Leaves the file where it was.
    fn is_same(&mut self) -> io::Result<bool> {
        let start = self.in_file - (self.before.len() as u64).min(self.in_file);
        self.file.seek(SeekFrom::Start(start))?;
        let mut bytes = vec![0; (self.in_file - start) as usize];
        let read = self.file.read_exact(&mut bytes);
        self.file.seek(SeekFrom::Start(self.in_file))?;
        Ok(read.is_ok() && self.before.ends_with(&bytes))
    }

    /// Notes the file that stands in the place of this one, if it is another one.
    fn look_for_next(&mut self) -> io::Result<()> {
        let latest = self.next.back().map_or(self.identity, |&(identity, _)| identity);
        let found = match fs::metadata(&self.path) {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        if !found.is_file() || identity(&found) == latest {
            return Ok(());
        }
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let found = file.metadata()?;
        if found.is_file() && identity(&found) != latest {
            self.next.push_back((identity(&found), file));
        }
        Ok(())
    }
}

impl Read for Tail {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut turned = self.turn_over();
            let count = self.file.read(buffer)?;
            if count > 0 && !turned && !self.is_same()? {
                // Looked at after the read: what was read is something else, written in place of what stood there.
                self.file.seek(SeekFrom::Start(0))?;
                self.start_anew();
                turned = true;
            } else if count > 0 && turned {
                // Read again below, behind the end of the line before.
                self.file.seek(SeekFrom::Start(0))?;
            } else if count > 0 {
                self.file.seek(SeekFrom::Start(self.in_file + count as u64))?;
            }
            if turned {
                // A line that was not finished will not be.
                let cut = !std::mem::replace(&mut self.whole, true);
                self.in_stream += u64::from(cut);
                self.note_place();
                if let Some(end) = buffer.first_mut().filter(|_| cut) {
                    *end = b'\n';
                    return Ok(1);
                }
                continue;
            }
            if count > 0 {
                self.quiet = 0;
                self.in_file += count as u64;
                self.in_stream += count as u64;
                self.whole = buffer[count - 1] == b'\n';
                let kept = &buffer[count.saturating_sub(Checkpoint::MOST)..count];
                self.before.extend_from_slice(kept);
                self.before.drain(..self.before.len().saturating_sub(Checkpoint::MOST));
                return Ok(count);
            }
            thread::sleep(POLL);
        }
    }
}

/// Finds the file that a checkpoint speaks of, among `files`, which holds the one at `path`, or beside it under another name; then the files that have taken its place since
/// stand behind it. Returns the bytes before the place to go on from, if it is found.
fn resume(path: &Path, checkpoint: &Checkpoint, files: &mut VecDeque<(u64, File)>) -> io::Result<Option<Vec<u8>>> {
    let fits = |file: &File| -> io::Result<Option<Vec<u8>>> {
        let before = bytes_before(file, checkpoint)?;
        let ends = file.metadata()?.len();
        Ok(Some(before).filter(|before| checkpoint.offset <= ends && checkpoint.fits(before)))
    };
    if let Some((identity, file)) = files.front()
        && *identity == checkpoint.file
    {
        return fits(file);
    }
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let is_older = |other: &[u8]| {
        other
            .strip_prefix(name)
            .is_some_and(|rest| matches!(rest.first(), Some(b'.' | b'-')))
    };
    let mut others = Vec::new();
    for entry in fs::read_dir(folder(path))?.flatten() {
        if let Ok(file) = File::open(entry.path())
            && let Ok(found) = file.metadata()
            && found.is_file()
            && (identity(&found) == checkpoint.file || is_older(entry.file_name().as_encoded_bytes()))
            && files.iter().all(|&(known, _)| known != identity(&found))
        {
            others.push((found.modified()?, identity(&found), file));
        }
    }
    others.sort_by_key(|&(modified, identity, _)| (modified, identity));
    let Some(place) = others.iter().position(|&(_, identity, _)| identity == checkpoint.file) else {
        return Ok(None);
    };
    let before = fits(&others[place].2)?;
    if before.is_some() {
        let since = others
            .into_iter()
            .skip(place)
            .map(|(_, identity, file)| (identity, file));
        since.rev().for_each(|file| files.push_front(file));
    }
    Ok(before)
}

/// Whether an input is a file and no pipe, so that what comes from it came long ago.
pub(crate) fn is_file(input: &Path) -> bool {
    let found = if input.as_os_str() == "-" {
        fs::metadata("/dev/stdin")
    } else {
        fs::metadata(input)
    };
    found.is_ok_and(|found| found.is_file())
}

/// What stands in the file where the checkpoint remembers bytes; less or nothing if the file ends before.
fn bytes_before(mut file: &File, checkpoint: &Checkpoint) -> io::Result<Vec<u8>> {
    let count = u64::from(checkpoint.remembered);
    let mut bytes = Vec::new();
    let end = file.seek(SeekFrom::End(0))?;
    if let Some(start) = checkpoint
        .offset
        .checked_sub(count)
        .filter(|_| checkpoint.offset <= end)
    {
        file.seek(SeekFrom::Start(start))?;
        file.take(count).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

#[cfg(unix)]
fn identity(found: &Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    found.ino()
}

/// Without a number of its own a file is told from another by when it was made.
#[cfg(not(unix))]
fn identity(found: &Metadata) -> u64 {
    let made = found.created().ok();
    let since = made.and_then(|made| made.duration_since(std::time::UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_nanos() as u64)
}
