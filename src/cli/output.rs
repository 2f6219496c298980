//! Writing to standard output so that nothing is lost unnoticed.

use super::failure::Failure;
use serde::Serialize;
use std::io::{self, BufWriter, ErrorKind, Write};

/// A buffered standard stream whose errors are never overlooked.
pub(crate) struct Output(BufWriter<Box<dyn Write>>);

impl Output {
    pub(crate) fn stdout() -> Self {
        Self(BufWriter::with_capacity(1 << 16, Box::new(io::stdout())))
    }

    pub(crate) fn stderr() -> Self {
        Self(BufWriter::with_capacity(1 << 16, Box::new(io::stderr())))
    }

    /// Writes `text` as it is.
    pub(crate) fn write(&mut self, text: &str) -> Result<(), Failure> {
        self.0.write_all(text.as_bytes()).map_err(failure)
    }

    /// Writes `text` as a line and shows it at once.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        writeln!(self.0, "{text}")
            .and_then(|()| self.0.flush())
            .map_err(failure)
    }

    /// Writes `value` as one line of JSON, without showing it at once.
    pub(crate) fn json_line(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        serde_json::to_writer(&mut self.0, value)
            .map_err(io::Error::from)
            .and_then(|()| self.0.write_all(b"\n"))
            .map_err(failure)
    }

    /// Writes out what is still in the buffer. Must be called, or errors would go unnoticed.
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        self.0.flush().map_err(failure)
    }
}

fn failure(error: io::Error) -> Failure {
    if error.kind() == ErrorKind::BrokenPipe {
        Failure::OutputClosed
    } else {
        Failure::Environment(format!("cannot write output: {error}"))
    }
}
