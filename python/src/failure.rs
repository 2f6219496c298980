//! What goes wrong in the library, as the exceptions that a Python user expects.

use anomaly_train::files::FileError;
use anomaly_train::monitor::{EventError, RestoreError};
use anomaly_train::options::OptionError;
use anomaly_train::registry::StoreError;
use anomaly_train::{BudgetError, LoadError, RunError, SampleError, WishError};
use pyo3::PyErr;
use pyo3::exceptions::{PyOSError, PyValueError};
use std::io;
use std::path::Path;

/// A failure on its way to Python.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What was given is refused: `ValueError`.
    Refused(String),
    /// The system failed: `OSError` with its number, and the path.
    System { source: io::Error, path: Option<String> },
    /// Python raised something.
    Raised(PyErr),
}

impl Failure {
    pub(crate) fn at(path: &Path, source: io::Error) -> Self {
        Self::System {
            source,
            path: Some(path.display().to_string()),
        }
    }

    /// A sample was refused, the row counted from 0.
    pub(crate) fn row(row: usize, problem: &str) -> Self {
        Self::Refused(format!("row {row}: {problem}"))
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(problem) => PyValueError::new_err(problem),
            Failure::System { source, path } => match (number_of(&source), path) {
                // The three of them make the class that fits, such as FileNotFoundError.
                (Some(number), Some(path)) => PyOSError::new_err((number, text_of(&source), path)),
                (Some(number), None) => PyOSError::new_err((number, text_of(&source))),
                (None, Some(path)) => PyOSError::new_err(format!("{path}: {source}")),
                (None, None) => PyOSError::new_err(source.to_string()),
            },
            Failure::Raised(error) => error,
        }
    }
}

/// The number of the system's error; where another error says more of it and hides the number, that of its kind, which is the same on all
/// systems.
fn number_of(error: &io::Error) -> Option<i32> {
    error.raw_os_error().or(match error.kind() {
        io::ErrorKind::NotFound => Some(2),
        io::ErrorKind::PermissionDenied => Some(13),
        _ => None,
    })
}

/// What the system says, without the number that Python adds.
fn text_of(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self::Raised(error)
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Io { path, source, .. } => Self::at(&path, source),
            other => Self::Refused(other.to_string()),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Io { path, source, .. } => Self::at(&path, source),
            other => Self::Refused(other.to_string()),
        }
    }
}

impl From<OptionError> for Failure {
    fn from(error: OptionError) -> Self {
        match error {
            OptionError::File(error) => error.into(),
            other => Self::Refused(other.to_string()),
        }
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Io(source) => Self::System { source, path: None },
            other => Self::Refused(other.to_string()),
        }
    }
}

impl From<RestoreError> for Failure {
    fn from(error: RestoreError) -> Self {
        match error {
            RestoreError::Io(source) => Self::System { source, path: None },
            other => Self::Refused(other.to_string()),
        }
    }
}

macro_rules! refused {
    ($($error:ty),*) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::Refused(error.to_string())
            }
        })*
    };
}

refused!(
    RunError,
    SampleError,
    WishError,
    BudgetError,
    EventError,
    serde_json::Error
);
