//! Writing pages for people: an older page may be replaced, nothing else.

use super::disk::{Lock, sweep, write_temporary};
use super::failure::{Failure, shown};
use super::signals;
use anomaly_train::Page;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Checks, before any work is done, that a page can be written to `path`: its folder is there, and what stands there, if
/// anything, is an older page. Neither data nor models nor devices are ever replaced.
pub(crate) fn check(path: Option<&PathBuf>) -> Result<(), Failure> {
    let Some(path) = path else {
        return Ok(());
    };
    let failed = |error: io::Error| Failure::at(path, "cannot write the report", &error);
    fs::metadata(folder(path)).map_err(failed)?;
    let mut start = [0; PAGE_START.len()];
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound && path.as_os_str() != "-" => return Ok(()),
        Ok(found) if found.is_file() => {
            let read = File::open(path)
                .and_then(|mut file| file.read(&mut start))
                .map_err(failed)?;
            if start[..read] == *PAGE_START || read == 0 {
                return Ok(());
            }
        }
        _ => {}
    }
    let path = shown(path);
    Err(Failure::Usage(format!(
        "--report {path}: only an older report may be replaced; name another file"
    )))
}

/// What every page starts with.
const PAGE_START: &[u8] = b"<!DOCTYPE html>";

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Writes a page for people to `path`, which [`check`] has let pass.
pub(crate) fn write(path: &Path, page: &Page<'_>) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::at(path, "cannot write the report", &error);
    let html = page.render().map_err(|error| failed(io::Error::other(error)))?;
    // A link is followed, so that what it points to is replaced and not the link.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = folder(path);
    let _lock = Lock::on(folder).map_err(failed)?;
    let _whole = signals::hold();
    sweep(folder);
    let temporary = write_temporary(folder, html.as_bytes()).map_err(failed)?;
    temporary.persist(path).map_err(|error| failed(error.error))
}
