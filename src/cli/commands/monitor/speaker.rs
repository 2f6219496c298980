//! Says alerts on standard output, by a thread of its own: whoever reads them may not read for long, and the run must be able to end all the
//! same, with what could not be said.

use crate::cli::failure::Failure;
use crate::cli::output::Output;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::Duration;

/// So many bytes may wait to be said before the run waits too.
const MOST_WAITING: usize = 1 << 20;
/// How long a signal may have to wait for what is being said.
const PATIENCE: Duration = Duration::from_millis(50);

/// What says lines.
pub(crate) struct Speaker(Arc<Shared>);

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    /// What is not said, the first line perhaps half.
    lines: VecDeque<Arc<str>>,
    bytes: usize,
    failure: Option<Failure>,
    /// Whether it is said by whoever wants it said, as there is no thread.
    inline: Option<Output>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'w>(&self, waiting: MutexGuard<'w, Waiting>, time: Duration) -> MutexGuard<'w, Waiting> {
        let waited = self.changed.wait_timeout(waiting, time);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Says what is to be said until that fails.
    fn speak(&self) {
        let mut output = Output::stdout();
        let mut waiting = self.lock();
        loop {
            let Some(line) = waiting.lines.front().map(Arc::clone) else {
                waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            drop(waiting);
            let said = output.show(line.as_bytes());
            waiting = self.lock();
            if let Err(failure) = said {
                waiting.failure = Some(failure);
                self.changed.notify_all();
                return;
            }
            waiting.lines.pop_front();
            waiting.bytes -= line.len();
            self.changed.notify_all();
        }
    }
}

impl Speaker {
    pub(crate) fn start() -> Self {
        let shared = Arc::<Shared>::default();
        let of_thread = Arc::clone(&shared);
        let started = Builder::new()
            .name("speaker".to_owned())
            .spawn(move || of_thread.speak());
        if started.is_err() {
            shared.lock().inline = Some(Output::stdout());
        }
        Self(shared)
    }

    /// Lets a line be said. Waits for room unless the run is to `stop`.
    pub(crate) fn say(&self, line: &[u8], stop: impl Fn() -> bool) -> Result<(), Failure> {
        let mut waiting = self.0.lock();
        if let Some(output) = &mut waiting.inline {
            return output.show(line);
        }
        while waiting.bytes > MOST_WAITING && waiting.failure.is_none() && !stop() {
            waiting = self.0.wait(waiting, PATIENCE);
        }
        if let Some(failure) = waiting.failure.take() {
            return Err(failure);
        }
        // What is said is JSON.
        let line: Arc<str> = String::from_utf8_lossy(line).into();
        waiting.bytes += line.len();
        waiting.lines.push_back(line);
        self.0.changed.notify_all();
        Ok(())
    }

    /// Waits until all is said, or it is to `stop`.
    pub(crate) fn wait(&self, stop: impl Fn() -> bool) -> Result<(), Failure> {
        let mut waiting = self.0.lock();
        while !waiting.lines.is_empty() && waiting.failure.is_none() && !stop() {
            waiting = self.0.wait(waiting, PATIENCE);
        }
        waiting.failure.take().map_or(Ok(()), Err)
    }

    /// What is not said yet.
    pub(crate) fn unsaid(&self) -> Vec<String> {
        let waiting = self.0.lock();
        waiting.lines.iter().map(|line| line.trim_end().to_owned()).collect()
    }
}
