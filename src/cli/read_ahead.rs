//! Reading input while what was read before is worked on.

use anomaly_train::{Block, Blocks};
use std::io::{self, Read};
use std::iter::once;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};

/// The blocks of an input, read by a thread of its own.
pub(crate) struct ReadAhead {
    blocks: Receiver<io::Result<Block>>,
    reader: Option<JoinHandle<()>>,
    most: usize,
    /// What came behind the last batch.
    error: Option<io::Error>,
}

impl ReadAhead {
    /// Starts to read, at most `most` blocks ahead.
    ///
    /// # Errors
    ///
    /// If the system refuses a thread.
    pub(crate) fn start(reader: impl Read + Send + 'static, most: usize) -> io::Result<Self> {
        let (sender, blocks) = sync_channel(most);
        let read = move || {
            // Once nobody takes them any more, the rest is not read.
            let _ = Blocks::new(reader).try_for_each(|block| sender.send(block));
        };
        Ok(Self {
            blocks,
            reader: Some(thread::Builder::new().spawn(read)?),
            most,
            error: None,
        })
    }
}

impl Iterator for ReadAhead {
    type Item = io::Result<Vec<Block>>;

    /// All blocks that have been read by now, at most as many as are read ahead and at least one: it is waited for, others are
    /// not.
    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.error.take() {
            return Some(Err(error));
        }
        let Ok(first) = self.blocks.recv() else {
            // The input has ended, or the thread has.
            let ended = self.reader.take().map(JoinHandle::join);
            if let Some(Err(panic)) = ended {
                std::panic::resume_unwind(panic);
            }
            return None;
        };
        let mut batch = Vec::new();
        for block in once(first).chain(self.blocks.try_iter()).take(self.most) {
            match block {
                Ok(block) => batch.push(block),
                Err(error) if batch.is_empty() => return Some(Err(error)),
                Err(error) => self.error = Some(error),
            }
        }
        Some(Ok(batch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_blocks_come_in_order_and_then_the_error() {
        struct Broken(u32);
        impl Read for Broken {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.0 += 1;
                if self.0 > 50 {
                    return Err(io::ErrorKind::ConnectionReset.into());
                }
                let text = format!("{}\n", self.0);
                buffer[..text.len()].copy_from_slice(text.as_bytes());
                Ok(text.len())
            }
        }
        let (mut lines, mut failed) = (Vec::new(), 0);
        for batch in ReadAhead::start(Broken(0), 4).unwrap() {
            match batch {
                Ok(blocks) => {
                    assert!(failed == 0 && (1..=4).contains(&blocks.len()));
                    lines.extend(blocks.iter().flat_map(|block| block.bytes().to_vec()));
                }
                Err(_) => failed += 1,
            }
        }
        let expected: String = (1..=50).map(|number| format!("{number}\n")).collect();
        assert_eq!(lines, expected.as_bytes());
        assert_eq!(failed, 1);
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
        ReadAhead::start(Burning, 4).unwrap().for_each(drop);
    }
}
