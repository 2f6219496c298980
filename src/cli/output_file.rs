//! Files that an option says to write: looked at before the work, so that it is not done in vain.

use super::failure::{Failure, shown};
use anomaly_train::registry::{check_replaceable, folder};
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Checks that the file `path`, which `option` names, can be written. A path at which no file can stand is wrong usage: a
/// folder, a device, one in a folder that is not there. That the system does not let it be written is a failure of the system.
pub(crate) fn check(option: &str, path: &Path) -> Result<(), Failure> {
    let wrong = |problem: &str| Err(Failure::Usage(format!("{option} {}: {problem}", shown(path))));
    let failed = |error| Failure::at(path, "cannot be written", &error);
    match fs::metadata(path) {
        Ok(found) if found.is_file() => {}
        Ok(_) => return wrong("is not a file"),
        Err(error) if error.kind() == ErrorKind::NotADirectory => return wrong("its folder is none"),
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        Err(_) if path.as_os_str().as_encoded_bytes().ends_with(b"/") => return wrong("is not the name of a file"),
        Err(_) if !folder(path).is_dir() => return wrong("its folder is not there; make it"),
        Err(_) => {}
    }
    check_replaceable(path).map_err(failed)
}

/// The same for a file that may replace an older one of its kind, which starts with `start`, or an empty one, and nothing else: neither
/// data nor models. `older` says what may be replaced.
pub(crate) fn check_own(option: &str, path: &Path, start: &[u8], older: &str) -> Result<(), Failure> {
    check(option, path)?;
    let mut found = Vec::new();
    match File::open(path).and_then(|file| file.take(start.len() as u64).read_to_end(&mut found)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Failure::at(path, "cannot read what is to be replaced", &error)),
        Ok(_) if found.is_empty() || found == start => Ok(()),
        Ok(_) => Err(Failure::Usage(format!(
            "{option} {}: only {older} may be replaced; name another file",
            shown(path)
        ))),
    }
}
