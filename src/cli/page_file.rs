//! Writing pages for people: an older page may be replaced, nothing else.

use super::failure::{Failure, shown};
use super::signals;
use anomaly_train::Page;
use anomaly_train::registry::{folder, replace};
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

/// Writes a page for people to `path`, which [`check`] has let pass.
pub(crate) fn write(path: &Path, page: &Page<'_>) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::at(path, "cannot write the report", &error);
    let html = page.render().map_err(|error| failed(io::Error::other(error)))?;
    let _whole = signals::hold();
    replace(path, html.as_bytes()).map_err(failed)
}
