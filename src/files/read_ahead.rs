//! Reading input while what was read before is worked on.

use super::FileError;
use crate::input::line_chunks::LineChunk;
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Bytes that are read ahead; a chunk that is larger is read ahead alone.
const MOST_AHEAD: usize = 4 << 20;

/// The chunks of an input, or what went wrong with it after those before.
pub type Chunk = Result<LineChunk, FileError>;

/// The chunks of an input, read by a thread of its own if there may be one.
#[derive(Debug)]
pub struct ReadAhead<I>(Source<I>);

#[derive(Debug)]
enum Source<I> {
    /// The system refused the thread, or only one was wanted.
    Inline(I),
    Threaded {
        chunks: Receiver<Chunk>,
        ahead: Arc<Ahead>,
        reader: Option<JoinHandle<()>>,
        /// What came behind the last batch.
        failure: Option<FileError>,
    },
}

/// How many bytes have been read and not yet been taken.
#[derive(Debug, Default)]
struct Ahead {
    bytes: Mutex<usize>,
    taken: Condvar,
}

impl Ahead {
    /// Waits until there is room for so many bytes.
    fn add(&self, size: usize) {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |bytes: &mut usize| *bytes > 0 && *bytes + size > MOST_AHEAD;
        let waited = self.taken.wait_while(bytes, is_full);
        *waited.unwrap_or_else(PoisonError::into_inner) += size;
    }

    fn take(&self, size: usize) {
        *self.bytes.lock().unwrap_or_else(PoisonError::into_inner) -= size;
        self.taken.notify_one();
    }
}

impl<I: Iterator<Item = Chunk> + Send + 'static> ReadAhead<I> {
    /// Starts to read, ahead if there may be more than one thread.
    pub fn start(chunks: I, threads: NonZeroUsize) -> Self {
        if threads == NonZeroUsize::MIN {
            return Self(Source::Inline(chunks));
        }
        let (sender, receiver) = channel();
        let ahead = Arc::new(Ahead::default());
        // Whoever reads takes the chunks: the thread, or, if there is none, this one.
        let chunks = Arc::new(Mutex::new(Some(chunks)));
        let take = |chunks: &Mutex<Option<I>>| chunks.lock().unwrap_or_else(PoisonError::into_inner).take();
        let read = {
            let (chunks, ahead) = (Arc::clone(&chunks), Arc::clone(&ahead));
            move || {
                if let Some(chunks) = take(&chunks) {
                    read_all(chunks, &ahead, &sender);
                }
            }
        };
        Self(match thread::Builder::new().spawn(read) {
            Ok(handle) => Source::Threaded {
                chunks: receiver,
                ahead,
                reader: Some(handle),
                failure: None,
            },
            Err(_) => match take(&chunks) {
                Some(chunks) => Source::Inline(chunks),
                None => unreachable!("a thread that was refused takes nothing"),
            },
        })
    }
}

fn read_all(chunks: impl Iterator<Item = Chunk>, ahead: &Ahead, sender: &Sender<Chunk>) {
    for chunk in chunks {
        ahead.add(size(&chunk));
        if sender.send(chunk).is_err() {
            // Nobody takes them any more, so the rest is not read.
            return;
        }
    }
}

fn size(chunk: &Chunk) -> usize {
    chunk.as_ref().map_or(0, LineChunk::size)
}

/// Hands on the panic of a reader that is gone, which must not be taken for the end of its input.
fn join(reader: &mut Option<JoinHandle<()>>) {
    if let Some(Err(panic)) = reader.take().map(JoinHandle::join) {
        std::panic::resume_unwind(panic);
    }
}

impl<I: Iterator<Item = Chunk>> ReadAhead<I> {
    /// The next chunk, waiting for it no longer than `patience` if a thread reads. Not to be mixed with batches.
    ///
    /// # Errors
    ///
    /// If there is none by then, or the input has ended.
    pub fn next_within(&mut self, patience: Duration) -> Result<Chunk, RecvTimeoutError> {
        match &mut self.0 {
            Source::Inline(chunks) => chunks.next().ok_or(RecvTimeoutError::Disconnected),
            Source::Threaded {
                chunks, ahead, reader, ..
            } => {
                let chunk = chunks.recv_timeout(patience);
                match &chunk {
                    Ok(chunk) => ahead.take(size(chunk)),
                    Err(RecvTimeoutError::Disconnected) => join(reader),
                    Err(RecvTimeoutError::Timeout) => {}
                }
                chunk
            }
        }
    }
}

impl<I: Iterator<Item = Chunk>> Iterator for ReadAhead<I> {
    type Item = Result<Vec<LineChunk>, FileError>;

    /// All chunks that have been read by now, at least one: it is waited for, others are not.
    fn next(&mut self) -> Option<Self::Item> {
        let (chunks, ahead, reader, pending) = match &mut self.0 {
            Source::Inline(chunks) => return Some(chunks.next()?.map(|chunk| vec![chunk])),
            Source::Threaded {
                chunks,
                ahead,
                reader,
                failure,
            } => (chunks, ahead, reader, failure),
        };
        if let Some(failure) = pending.take() {
            return Some(Err(failure));
        }
        let Ok(first) = chunks.recv() else {
            join(reader);
            return None;
        };
        let (mut batch, mut size) = (Vec::new(), 0);
        let mut next = Some(first);
        while let Some(chunk) = next {
            match chunk {
                Ok(chunk) => {
                    size += chunk.size();
                    batch.push(chunk);
                }
                Err(failure) if batch.is_empty() => return Some(Err(failure)),
                Err(failure) => *pending = Some(failure),
            }
            next = if size < MOST_AHEAD {
                chunks.try_recv().ok()
            } else {
                None
            };
        }
        ahead.take(size);
        Some(Ok(batch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::line_chunks::LineChunks;
    use std::io::{self, Read};

    fn start<R: Read + Send + 'static>(reader: R, threads: usize) -> ReadAhead<impl Iterator<Item = Chunk>> {
        let chunks = LineChunks::new(reader).map(|chunk| chunk.map_err(FileError::refused));
        ReadAhead::start(chunks, threads.try_into().unwrap())
    }

    /// Gives out a line at a time, and fails after the last.
    struct Broken {
        lines: u32,
        width: usize,
        given: u32,
    }

    fn line(number: u32, width: usize) -> String {
        format!("{number}{}\n", ".".repeat(width))
    }

    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.given == self.lines {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            self.given += 1;
            let text = line(self.given, self.width);
            buffer[..text.len()].copy_from_slice(text.as_bytes());
            Ok(text.len())
        }
    }

    #[test]
    fn all_chunks_come_in_order_and_then_the_error() {
        for threads in [1, 2] {
            for (lines, width) in [(50, 1), (200, 100_000)] {
                let reader = Broken { lines, width, given: 0 };
                let (mut text, mut failed) = (Vec::new(), 0);
                for batch in start(reader, threads) {
                    match batch {
                        Ok(chunks) => {
                            assert!(failed == 0 && !chunks.is_empty());
                            assert!(chunks.iter().map(LineChunk::size).sum::<usize>() < MOST_AHEAD + 2 * width + 9);
                            text.extend(chunks.iter().flat_map(|chunk| chunk.bytes().to_vec()));
                        }
                        Err(_) => failed += 1,
                    }
                }
                let expected: String = (1..=lines).map(|number| line(number, width)).collect();
                assert!(text == expected.as_bytes());
                assert_eq!(failed, 1);
            }
        }
    }

    #[test]
    fn no_more_is_read_ahead_than_is_allowed() {
        let reader = io::repeat(b'\n').take(100 << 20);
        let mut batches = start(reader, 2);
        assert!(batches.next().unwrap().is_ok());
        thread::sleep(std::time::Duration::from_millis(200));
        let ReadAhead(Source::Threaded { ahead, .. }) = &batches else {
            panic!("there are threads");
        };
        assert!(*ahead.bytes.lock().unwrap() <= MOST_AHEAD);
    }

    #[test]
    #[should_panic = "the disk is on fire"]
    fn a_reader_that_panics_is_not_taken_for_the_end_of_its_input() {
        struct Burning;
        impl Read for Burning {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                panic!("the disk is on fire");
            }
        }
        start(Burning, 2).for_each(drop);
    }

    #[test]
    fn one_by_one_the_same_chunks_come_and_an_input_that_is_silent_is_not_waited_for() {
        struct Silent;
        impl Read for Silent {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                loop {
                    thread::park();
                }
            }
        }
        let patience = Duration::from_millis(1);
        assert!(matches!(
            start(Silent, 2).next_within(patience),
            Err(RecvTimeoutError::Timeout)
        ));
        for threads in [1, 2] {
            let mut ahead = start(io::repeat(b'\n').take(10 << 20), threads);
            let mut size = 0;
            loop {
                match ahead.next_within(Duration::from_secs(60)) {
                    Ok(chunk) => size += chunk.unwrap_or_default().size(),
                    Err(ended) => break assert_eq!(ended, RecvTimeoutError::Disconnected),
                }
            }
            assert_eq!(size, 10 << 20);
        }
    }
}
