//! Reading input while what was read before is worked on.

use anomaly_train::{LineChunk, LineChunks};
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// Bytes that are read ahead; a chunk that is larger is read ahead alone.
const MOST_AHEAD: usize = 4 << 20;

/// The chunks of an input, read by a thread of its own if there may be one.
pub(crate) enum ReadAhead<R> {
    /// The system refused the thread, or only one was wanted.
    Here(LineChunks<R>),
    There {
        chunks: Receiver<io::Result<LineChunk>>,
        ahead: Arc<Ahead>,
        reader: Option<JoinHandle<()>>,
        /// What came behind the last batch.
        error: Option<io::Error>,
    },
}

/// How many bytes have been read and not yet been taken.
#[derive(Default)]
pub(crate) struct Ahead {
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

impl<R: Read + Send + 'static> ReadAhead<R> {
    /// Starts to read.
    pub(crate) fn start(reader: R, threads: NonZeroUsize) -> Self {
        if threads == NonZeroUsize::MIN {
            return Self::Here(LineChunks::new(reader));
        }
        let (sender, chunks) = channel();
        let ahead = Arc::new(Ahead::default());
        // Whoever reads takes the reader: the thread, or, if there is none, this one.
        let reader = Arc::new(Mutex::new(Some(reader)));
        let take = |reader: &Mutex<Option<R>>| reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        let read = {
            let (reader, ahead) = (Arc::clone(&reader), Arc::clone(&ahead));
            move || {
                if let Some(reader) = take(&reader) {
                    read_all(reader, &ahead, &sender);
                }
            }
        };
        match thread::Builder::new().spawn(read) {
            Ok(handle) => Self::There {
                chunks,
                ahead,
                reader: Some(handle),
                error: None,
            },
            Err(_) => match take(&reader) {
                Some(reader) => Self::Here(LineChunks::new(reader)),
                None => unreachable!("a thread that was refused takes nothing"),
            },
        }
    }
}

fn read_all(reader: impl Read, ahead: &Ahead, sender: &Sender<io::Result<LineChunk>>) {
    for chunk in LineChunks::new(reader) {
        ahead.add(chunk.as_ref().map_or(0, LineChunk::size));
        if sender.send(chunk).is_err() {
            // Nobody takes them any more, so the rest is not read.
            return;
        }
    }
}

impl<R: Read> Iterator for ReadAhead<R> {
    type Item = io::Result<Vec<LineChunk>>;

    /// All chunks that have been read by now, at least one: it is waited for, others are not.
    fn next(&mut self) -> Option<Self::Item> {
        let (chunks, ahead, reader, pending) = match self {
            Self::Here(chunks) => return Some(chunks.next()?.map(|chunk| vec![chunk])),
            Self::There {
                chunks,
                ahead,
                reader,
                error,
            } => (chunks, ahead, reader, error),
        };
        if let Some(error) = pending.take() {
            return Some(Err(error));
        }
        let Ok(first) = chunks.recv() else {
            // The input has ended, or the thread has.
            if let Some(Err(panic)) = reader.take().map(JoinHandle::join) {
                std::panic::resume_unwind(panic);
            }
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
                Err(error) if batch.is_empty() => return Some(Err(error)),
                Err(error) => *pending = Some(error),
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
                for batch in ReadAhead::start(reader, threads.try_into().unwrap()) {
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
        let mut batches = ReadAhead::start(reader, 2.try_into().unwrap());
        batches.next().unwrap().unwrap();
        thread::sleep(std::time::Duration::from_millis(200));
        let ReadAhead::There { ahead, .. } = &batches else {
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
        ReadAhead::start(Burning, 2.try_into().unwrap()).for_each(drop);
    }
}
