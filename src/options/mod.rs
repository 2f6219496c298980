//! The options of the command line as values, for whoever else takes them: each name, default, bound and contradiction is the same.

mod logs;
mod monitor;
mod training;
mod values;

pub use logs::{LogOptions, toml_file};
pub use monitor::{MonitorOptions, Rules};
pub use training::TrainingOptions;
pub use values::{CalibrateArg, ScenarioArg, SplitArg, count, own_field, thread_count, threads, whole};

use crate::files::FileError;
use clap::error::{ContextKind, ContextValue};
use clap::{Args, Command};

/// Most characters of a value that a message repeats.
const SHOWN_VALUE: usize = 80;

/// Why options were refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OptionError {
    /// They ask for something that cannot be.
    #[error("{0}")]
    Usage(String),
    /// A file that they name cannot be read, or is not what it should be.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The options that stand in `arguments`, as `--name=value`.
///
/// # Errors
///
/// If there is no such option, or it cannot have this value, or not beside another one.
pub fn parse<T: Args>(arguments: impl IntoIterator<Item = String>) -> Result<T, OptionError> {
    let command = T::augment_args(Command::new("options").no_binary_name(true));
    command
        .try_get_matches_from(arguments)
        .and_then(|matches| T::from_arg_matches(&matches))
        .map_err(|error| {
            let (problem, tips) = in_one_line(&error);
            let tips = tips.iter().map(|tip| format!("; {tip}"));
            OptionError::Usage(problem + &tips.collect::<String>())
        })
}

/// What an error of the command line says, in one line, and what may have been meant: clap spreads it over several, ends it with usage and
/// a pointer to the help, and starts it with "error: ".
#[must_use]
pub fn in_one_line(error: &clap::Error) -> (String, Vec<String>) {
    let mut text = error.render().to_string();
    if let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue)
        && value.chars().count() > SHOWN_VALUE
    {
        let short: String = value.chars().take(SHOWN_VALUE).chain("...".chars()).collect();
        text = text.replace(value.as_str(), &short);
    }
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("For more information"))
        .take_while(|line| !line.starts_with("Usage:"));
    let (tips, lines): (Vec<&str>, Vec<&str>) = lines.partition(|line| line.starts_with("tip: "));
    let message = lines.join(" ");
    let message = message.strip_prefix("error: ").unwrap_or(&message).to_owned();
    let tips = tips.iter().map(|tip| tip.replacen("tip: ", "", 1));
    (message, tips.collect())
}
