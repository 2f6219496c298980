//! Opening files, folders and standard input, with progress.

use super::failure::{Failure, shown};
use super::progress::Progress;
use super::streams;
use anomaly_train::files;
pub(crate) use anomaly_train::files::{chunks, expand, read_failure};
use log::warn;
use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Opens `path` for reading, see [`files::open`], and shows how far it has been read.
pub(crate) fn open(path: &Path, progress: Progress) -> Result<Box<dyn Read + Send>, Failure> {
    if path.as_os_str() == "-" {
        streams::check_stdin()?;
    }
    Ok(files::open(path, |size, reader| {
        progress.bytes("Reading", size, reader)
    })?)
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
