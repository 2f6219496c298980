//! Writing so that what is on disk is either what it was or what it should be.

use crate::text::path as shown;
use log::{info, warn};
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use tempfile::{NamedTempFile, TempPath};

/// What the names of temporary files start with. Those of models and of other files differ: they are guarded by the locks
/// of different folders.
#[derive(Clone, Copy)]
pub(crate) enum Temporary {
    /// In a models directory, guarded by its lock.
    Model,
    /// Beside the file that it will replace, guarded by the lock of that folder.
    Other,
}

impl Temporary {
    fn prefix(self) -> &'static str {
        match self {
            Self::Model => ".anomaly-train-",
            Self::Other => ".anomaly-file-",
        }
    }
}

const SUFFIX: &str = ".tmp";

/// The right to write to a folder, which one run has at a time. It ends with the run, however that ends.
pub(crate) struct Lock(#[allow(dead_code, reason = "closing the file gives the lock back")] File);

impl Lock {
    /// Waits for the right to write to `folder`.
    pub(crate) fn on(folder: &Path) -> io::Result<Self> {
        let file = handle(folder)?;
        match file.try_lock() {
            Ok(()) => return Ok(Self(file)),
            Err(TryLockError::WouldBlock) => info!("waiting for another run that writes to {}", shown(folder)),
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Interrupted => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
        uninterrupted(|| file.lock())?;
        Ok(Self(file))
    }
}

impl Lock {
    /// The right to write to `folder`, if no other run has it.
    fn if_free(folder: &Path) -> Option<Self> {
        let file = handle(folder).ok()?;
        file.try_lock().ok()?;
        Some(Self(file))
    }
}

/// Does `work` again as long as a signal interrupts it.
fn uninterrupted<T>(mut work: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match work() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

/// Gives a temporary file the name `path`, unless something has that already; then the result is `false`.
pub(crate) fn rename_no_clobber(mut temporary: TempPath, path: &Path) -> io::Result<bool> {
    loop {
        match temporary.persist_noclobber(path) {
            Ok(()) => return Ok(true),
            Err(failed) if failed.error.kind() == ErrorKind::AlreadyExists => return Ok(false),
            Err(failed) if failed.error.kind() == ErrorKind::Interrupted => temporary = failed.path,
            Err(failed) => return Err(failed.error),
        }
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
pub(crate) fn write_temporary(kind: Temporary, folder: &Path, bytes: &[u8]) -> io::Result<TempPath> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(kind.prefix()).suffix(SUFFIX);
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

/// Writes `bytes` to the file `path` in one step: whoever reads it sees what was there before, or all of it. A file that is
/// there keeps its permissions.
///
/// # Errors
///
/// If the system fails to write, to rename, or to promise that it lasts.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A link is followed, so that what it points to is replaced and not the link.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = folder(path);
    // Whoever has the lock removes what is stale. Nobody waits for it: somebody else may hold it for long, and all that can
    // happen without it is that a temporary file is removed, which is then written again.
    let lock = Lock::if_free(folder);
    if lock.is_some() {
        remove_stale(Temporary::Other, folder);
    }
    for _ in 0..3 {
        let temporary = write_temporary(Temporary::Other, folder, bytes)?;
        if let Ok(found) = fs::metadata(path) {
            fs::set_permissions(&temporary, found.permissions())?;
        }
        match temporary.persist(path) {
            Ok(()) => return sync_folder(folder),
            Err(failed) if failed.error.kind() == ErrorKind::NotFound => {}
            Err(failed) => return Err(failed.error),
        }
    }
    Err(io::Error::other("the temporary file vanishes each time"))
}

/// Checks that [`replace`] could write the file `path`, by making a temporary file where it would, which leaves nothing.
///
/// # Errors
///
/// If the system does not let a file be made there.
pub fn check_replaceable(path: &Path) -> io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    tempfile::tempfile_in(folder(&path)).map(drop)
}

/// The folder in which `path` stands.
#[must_use]
pub fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Removes the temporary files that killed runs left in `folder`, which must be locked.
pub(crate) fn remove_stale(kind: Temporary, folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(kind.prefix()) && name.ends_with(SUFFIX) {
            remove_leftover(&path);
        }
    }
}

/// Removes a file that a killed run left. Returns whether it is gone.
pub(crate) fn remove_leftover(path: &Path) -> bool {
    let there = path.symlink_metadata().is_ok();
    let gone = remove(path);
    if there && gone {
        info!("removed {}, which a run that was cut off had left", shown(path));
    }
    gone
}

/// Removes a file that is needed no more. That it stays is no reason to stop, but is said. Returns whether it is gone.
pub(crate) fn remove(path: &Path) -> bool {
    match fs::remove_file(path) {
        Ok(()) => true,
        Err(error) if error.kind() == ErrorKind::NotFound => true,
        Err(error) => {
            warn!("{}: cannot be removed: {error}; {BY_HAND}", shown(path));
            false
        }
    }
}

/// What to do with what cannot be removed.
pub(crate) const BY_HAND: &str =
    "no run needs it any more, so remove it by hand (after chattr -a, if it or its folder can only be added to)";

/// Makes names in `folder` last through a power cut.
#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
