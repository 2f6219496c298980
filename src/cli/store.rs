//! Keeping models: a model and its metrics side by side, written so that neither is ever half there.

use super::failure::Failure;
use chrono::{DateTime, Utc};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use tempfile::{NamedTempFile, TempPath};

/// Where a model was saved.
#[derive(Debug)]
pub(crate) struct Saved {
    pub(crate) model: PathBuf,
    pub(crate) metrics: PathBuf,
}

/// Writes `anomaly_model_<time>.json` and `anomaly_metrics_<time>.json` into `directory`, which is made if it is missing.
///
/// Both are written to temporary files first and then renamed, the metrics before the model, so a model never stands
/// without its metrics. Nothing is overwritten: if a name is taken, both files get the next free number.
pub(crate) fn save(directory: &Path, time: DateTime<Utc>, model: &[u8], metrics: &[u8]) -> Result<Saved, Failure> {
    let failed = |error: io::Error| Failure::at(directory, "cannot save the model", &error);
    fs::create_dir_all(directory).map_err(failed)?;
    let mut model_file = Some(write_temporary(directory, model).map_err(failed)?);
    let mut metrics_file = Some(write_temporary(directory, metrics).map_err(failed)?);
    let stamp = time.format("%Y%m%d_%H%M%S");
    let mut number = 1_u32;
    loop {
        let suffix = if number == 1 {
            String::new()
        } else {
            format!("_{number}")
        };
        let saved = Saved {
            model: directory.join(format!("anomaly_model_{stamp}{suffix}.json")),
            metrics: directory.join(format!("anomaly_metrics_{stamp}{suffix}.json")),
        };
        number += 1;
        if !place(&mut metrics_file, &saved.metrics).map_err(failed)? {
            continue;
        }
        match place(&mut model_file, &saved.model) {
            Ok(true) => {
                sync_directory(directory)
                    .map_err(|error| Failure::at(&saved.model, "saved, but not confirmed on disk", &error))?;
                return Ok(saved);
            }
            // The name of the model is taken though that of its metrics was free: try the next number with both.
            Ok(false) => {
                metrics_file = Some(write_temporary(directory, metrics).map_err(failed)?);
                fs::remove_file(&saved.metrics).map_err(failed)?;
            }
            Err(error) => {
                // The model is what counts; should this fail too, metrics without a model do no harm.
                let _ = fs::remove_file(&saved.metrics);
                return Err(failed(error));
            }
        }
    }
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
