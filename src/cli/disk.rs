//! Writing so that what is on disk is either what it was or what it should be.

use super::signals;
use log::{debug, info, warn};
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::Path;
use tempfile::{NamedTempFile, TempPath};

const TEMPORARY: (&str, &str) = (".anomaly-train-", ".tmp");

/// The right to write to a folder, which one run has at a time. It ends with the run, however that ends.
pub(crate) struct Lock(#[allow(dead_code, reason = "closing the file gives the lock back")] File);

impl Lock {
    /// Waits for the right to write to `folder`.
    pub(crate) fn on(folder: &Path) -> io::Result<Self> {
        let file = handle(folder)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                debug!("waiting for another run that writes to {}", folder.display());
                file.lock()?;
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        Ok(Self(file))
    }
}

#[cfg(unix)]
fn handle(folder: &Path) -> io::Result<File> {
    File::open(folder)
}

#[cfg(not(unix))]
fn handle(folder: &Path) -> io::Result<File> {
    File::create(folder.join(".lock"))
}

/// A temporary file in `folder` that holds `bytes`, on disk and read back. It is removed when dropped. The folder must be
/// locked, so that no other run takes it for a leftover.
pub(crate) fn write_temporary(folder: &Path, bytes: &[u8]) -> io::Result<TempPath> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY.0).suffix(TEMPORARY.1);
    #[cfg(unix)]
    {
        // Temporary files are private by default; a model must be readable by whoever uses it. The umask still applies.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file: NamedTempFile = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    let path = file.into_temp_path();
    if fs::read(&path)? != bytes {
        return Err(io::Error::other("verification failed: reading back gives other bytes"));
    }
    Ok(path)
}

/// Writes `bytes` to the file `path` in one step: whoever reads it sees what was there before, or all of it.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A link is followed, so that what it points to is replaced and not the link.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = folder(path);
    let _lock = Lock::on(folder)?;
    let _whole = signals::hold();
    sweep(folder);
    write_temporary(folder, bytes)?
        .persist(path)
        .map_err(|error| error.error)?;
    sync_folder(folder)
}

/// The folder in which `path` stands.
pub(crate) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Removes the temporary files that killed runs left in `folder`, which must be locked.
pub(crate) fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(TEMPORARY.0) && name.ends_with(TEMPORARY.1) {
            remove_leftover(&path);
        }
    }
}

/// Removes a file that a killed run left. That it stays is no reason to stop.
pub(crate) fn remove_leftover(path: &Path) {
    match fs::remove_file(path) {
        Ok(()) => info!("removed {}, which a run that was cut off had left", path.display()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => warn!(
            "cannot remove {}, which a run that was cut off had left: {error}",
            path.display()
        ),
    }
}

/// Makes names in `folder` last through a power cut.
#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
