//! Writing pages for people: an older page may be replaced, nothing else.

use super::failure::{Failure, shown};
use super::{output_file, signals};
use anomaly_train::HtmlReportError;
use anomaly_train::registry::replace;
use std::io;
use std::path::{Path, PathBuf};

/// Checks, before any work is done, that a page can be written to `path`, and that what stands there, if anything, is an older
/// page. Neither data nor models are ever replaced.
pub(crate) fn check(path: Option<&PathBuf>) -> Result<(), Failure> {
    let Some(path) = path else {
        return Ok(());
    };
    let wrong = |problem: &str| Err(Failure::Usage(format!("--report {}: {problem}", shown(path))));
    if path.as_os_str() == "-" {
        return wrong("a page is a file; name one");
    }
    output_file::check_own("--report", path, PAGE_START, "an older report")
}

/// What every page starts with.
const PAGE_START: &[u8] = b"<!DOCTYPE html>";

/// Writes a page for people to `path`, which [`check`] has let pass.
pub(crate) fn write(path: &Path, page: Result<String, HtmlReportError>) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::at(path, "cannot write the report", &error);
    let html = page.map_err(|error| failed(io::Error::other(error)))?;
    let _whole = signals::defer();
    replace(path, html.as_bytes()).map_err(failed)
}
