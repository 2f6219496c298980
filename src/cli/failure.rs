//! How a run can end badly, and with which exit code.

use anomaly_train::command_only::one_line;
pub(crate) use anomaly_train::command_only::path as shown;
use anomaly_train::files::FileError;
use anomaly_train::options::{OptionError, in_one_line};
use anomaly_train::registry::StoreError;
use clap::error::{ContextKind, ContextValue};
use std::fmt::Display;
use std::io;
use std::path::Path;

/// Why the program stops.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Help or the version was asked for; nothing is wrong.
    Help(String),
    /// The reader of standard output went away; nothing is wrong.
    OutputClosed,
    /// Standard output could not be written. Exit code 1.
    Output(io::Error),
    /// The environment failed: disk, permission. Exit code 1.
    Environment(String),
    /// The command line asks for something that cannot be. Exit code 2.
    Usage(String),
    /// The same, with what may have been meant. Exit code 2.
    Misunderstood { problem: String, tips: Vec<String> },
    /// Input was refused; one line for each thing wrong. Exit code 3.
    Refused(Vec<String>),
    /// The gate refused the model and `--require-promotion` was given. Exit code 4.
    NotPromoted,
    /// `--exit-code` was given and there was an alert. Exit code 5.
    Alerted,
    /// A signal asked to end, and everything is in order. Exit code 128 and the number of the signal.
    Stopped(u8),
}

impl Failure {
    /// Something about `path` failed.
    pub(crate) fn at(path: &Path, what: &str, error: &io::Error) -> Self {
        Self::Environment(format!("{}: {what}: {error}", shown(path)))
    }

    /// One thing about the input is wrong.
    pub(crate) fn refused(problem: impl Display) -> Self {
        Self::Refused(vec![problem.to_string()])
    }

    /// Says of a failure to write to standard output what was done all the same.
    pub(crate) fn although(self, done: impl Display) -> Self {
        match self {
            Self::Output(error) => Self::Environment(format!(
                "{done}, but this could not be written to standard output: {error}"
            )),
            other => other,
        }
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        match self {
            Self::Help(_) | Self::OutputClosed | Self::Alerted | Self::Stopped(_) => Vec::new(),
            Self::Output(error) => vec![one_line(&format!("cannot write output: {error}"))],
            Self::Environment(problem) | Self::Usage(problem) | Self::Misunderstood { problem, .. } => {
                vec![one_line(problem)]
            }
            Self::Refused(problems) => problems.iter().map(|problem| one_line(problem)).collect(),
            Self::NotPromoted => {
                vec!["the model was not promoted and --require-promotion was given".to_owned()]
            }
        }
    }

    /// What may have been meant.
    pub(crate) fn tips(&self) -> Vec<String> {
        match self {
            Self::Misunderstood { tips, .. } => tips.iter().map(|tip| one_line(tip)).collect(),
            _ => Vec::new(),
        }
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Help(_) | Self::OutputClosed => 0,
            Self::Output(_) | Self::Environment(_) => 1,
            Self::Usage(_) | Self::Misunderstood { .. } => 2,
            Self::Refused(_) => 3,
            Self::NotPromoted => 4,
            Self::Alerted => 5,
            Self::Stopped(signal) => 128 + signal,
        }
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Io { path, what, source } => Self::at(&path, what, &source),
            FileError::Refused(problems) => Self::Refused(problems),
            other => Self::refused(other),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Io { path, what, source } => Self::at(&path, what, &source),
            refused => Self::refused(refused),
        }
    }
}

impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        if !error.use_stderr() {
            return Self::Help(error.render().ansi().to_string());
        }
        let (problem, mut tips) = in_one_line(&error);
        if let Some(ContextValue::String(name)) = error.get(ContextKind::InvalidSubcommand)
            && (Path::new(name).exists() || name.contains(['.', '/']))
        {
            let name = shown(Path::new(name));
            tips = vec![
                format!("to train on it: anomaly-train --data {name}"),
                format!("to score it with the current model: anomaly-train predict {name}"),
            ];
        }
        Self::Misunderstood {
            problem: format!("{problem} (see --help)"),
            tips,
        }
    }
}

impl From<OptionError> for Failure {
    fn from(error: OptionError) -> Self {
        match error {
            OptionError::File(error) => error.into(),
            other => Self::Usage(other.to_string()),
        }
    }
}
