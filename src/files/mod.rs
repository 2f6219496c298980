//! Files, folders and standard input, compressed or not, as samples and events.

mod open;
mod read_ahead;
mod reading;
mod samples;

pub use open::{chunks, expand, open, read_failure};
pub use read_ahead::{Chunk, ReadAhead};
pub use reading::{BadLines, Logs, Reading, read_all, tell_of};
pub use samples::{load, warn_of_group};

use crate::text::path as shown;
use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

/// Why files could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The system failed.
    #[error("{}: {what}: {source}", shown(path))]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// What could not be done.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
    /// What stands there is not what it should be; one line for each thing wrong.
    #[error("{}", .0.join("\n"))]
    Refused(Vec<String>),
}

impl FileError {
    /// Something about `path` failed.
    #[must_use]
    pub fn at(path: &Path, what: &'static str, source: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            what,
            source,
        }
    }

    /// One thing is wrong.
    #[must_use]
    pub fn refused(problem: impl Display) -> Self {
        Self::Refused(vec![problem.to_string()])
    }
}
