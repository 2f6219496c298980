//! Files that an option says to write: looked at before the work, so that it is not done in vain.

use super::failure::{Failure, shown};
use anomaly_train::registry::{check_replaceable, folder};
use std::fs;
use std::io::ErrorKind;
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
