//! Keeping models: a model and its metrics side by side, written so that neither is ever half there.

use super::failure::{Failure, shown};
use super::summary::MetricsFile;
use anomaly_train::{Artifact, Page};
use chrono::{DateTime, Utc};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use tempfile::{NamedTempFile, TempPath};

/// Where a model was saved.
#[derive(Debug)]
pub(crate) struct Saved {
    pub(crate) model: PathBuf,
    pub(crate) metrics: PathBuf,
    pub(crate) digest: String,
}

/// Saves a model to `current` below `models_dir` if it is promoted, else to `candidates`, as
/// `anomaly_model_<time>.json` with `anomaly_metrics_<time>.json` beside it. Missing folders are made.
///
/// Both files are written under temporary names and then renamed, the metrics before the model, so a model never stands
/// without its metrics. Nothing is overwritten: if a name is taken, both files get the next free number.
pub(crate) fn save(
    models_dir: &Path,
    artifact: &Artifact,
    promoted: bool,
    time: DateTime<Utc>,
) -> Result<Saved, Failure> {
    let directory = &models_dir.join(if promoted { "current" } else { "candidates" });
    let failed = |error: io::Error| Failure::at(directory, "cannot save the model", &error);
    let mut model = Vec::new();
    let digest = artifact.write(&mut model).map_err(failed)?;
    let metrics = metrics_json(artifact, &digest, time).map_err(failed)?;

    fs::create_dir_all(directory).map_err(failed)?;
    let mut model = Some(write_temporary(directory, &model).map_err(failed)?);
    let mut metrics_file = None;
    let stamp = time.format("%Y%m%d_%H%M%S");
    let mut suffix = String::new();
    for number in 2_u64.. {
        let model_path = directory.join(format!("anomaly_model_{stamp}{suffix}.json"));
        let metrics_path = directory.join(format!("anomaly_metrics_{stamp}{suffix}.json"));
        suffix = format!("_{number}");
        if metrics_file.is_none() {
            metrics_file = Some(write_temporary(directory, &metrics).map_err(failed)?);
        }
        if !place(&mut metrics_file, &metrics_path).map_err(failed)? {
            continue;
        }
        let placed = place(&mut model, &model_path);
        if !matches!(placed, Ok(true)) {
            // Should this fail too: metrics without a model do no harm.
            let _ = fs::remove_file(&metrics_path);
        }
        if placed.map_err(failed)? {
            sync_directory(directory)
                .map_err(|error| Failure::at(&model_path, "saved, but not confirmed on disk", &error))?;
            return Ok(Saved {
                model: model_path,
                metrics: metrics_path,
                digest,
            });
        }
    }
    Err(failed(io::Error::other("no free name")))
}

/// Checks, before any work is done, that a page can be written to `path`: its folder is there, and what stands there, if
/// anything, is an older page. Neither data nor models nor devices are ever replaced.
pub(crate) fn check_page(path: Option<&PathBuf>) -> Result<(), Failure> {
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

/// Writes a page for people to `path`, which [`check_page`] has let pass.
pub(crate) fn write_page(path: &Path, page: &Page<'_>) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::at(path, "cannot write the report", &error);
    let html = page.render().map_err(|error| failed(io::Error::other(error)))?;
    // A link is followed, so that what it points to is replaced and not the link.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let temporary = write_temporary(folder(path), html.as_bytes()).map_err(failed)?;
    temporary.persist(path).map_err(|error| failed(error.error))
}

/// Writes `bytes` to the file `path` in one step: whoever reads it sees what was there before, or all of it.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    write_temporary(folder(path), bytes)?
        .persist(path)
        .map_err(|error| error.error)?;
    sync_directory(folder(path))
}

fn metrics_json(artifact: &Artifact, digest: &str, time: DateTime<Utc>) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(&MetricsFile {
        model_digest: digest,
        created_at: time,
        tool_version: env!("CARGO_PKG_VERSION"),
        promotion: artifact.promotion.as_ref(),
        metrics: artifact.metrics.as_ref(),
    })?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// A temporary file in `directory` that holds `bytes` on disk. It is removed when dropped.
fn write_temporary(directory: &Path, bytes: &[u8]) -> io::Result<TempPath> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".anomaly-train-").suffix(".tmp");
    #[cfg(unix)]
    {
        // Temporary files are private by default; a model must be readable by whoever uses it. The umask still applies.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file: NamedTempFile = builder.tempfile_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file.into_temp_path())
}

/// Gives a temporary file its name. Returns whether the name was free.
fn place(file: &mut Option<TempPath>, path: &Path) -> io::Result<bool> {
    let Some(temporary) = file.take() else {
        return Ok(true);
    };
    match temporary.persist_noclobber(path) {
        Ok(()) => Ok(true),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {
            *file = Some(error.path);
            Ok(false)
        }
        Err(error) => Err(error.error),
    }
}

#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}
