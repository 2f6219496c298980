//! Making a stored model the current one: which model is meant, and what is said of it.

use super::failure::{Failure, shown};
use super::output::Output;
use anomaly_train::{Entry, ModelPath};
use log::info;
use std::fs;
use std::path::Path;

/// The model of `models_dir` that is meant by its path, as `history` shows it, or by its file name alone. It must be one of
/// those that are `known`.
pub(crate) fn find(named: &Path, models_dir: &Path, known: impl Fn(&ModelPath) -> bool) -> Result<ModelPath, Failure> {
    let name = named.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let above = named.parent().unwrap_or(Path::new(""));
    let same = |folder: &Path| {
        fs::canonicalize(above).is_ok_and(|above| fs::canonicalize(folder).is_ok_and(|folder| folder == above))
    };
    let mut found: Vec<ModelPath> = ["current", "candidates"]
        .into_iter()
        .filter(|folder| above == Path::new("") || above == Path::new(folder) || same(&models_dir.join(folder)))
        .filter_map(|folder| ModelPath::try_from(format!("{folder}/{name}")).ok())
        .filter(known)
        .collect();
    match (found.pop(), found.pop()) {
        (Some(model), None) => Ok(model),
        (None, _) => Err(Failure::refused(format_args!(
            "{}: no such model in {}; history shows those that there are",
            shown(named),
            shown(models_dir)
        ))),
        (Some(one), Some(other)) => Err(Failure::refused(format_args!(
            "{}: there are {other} and {one}; name one of them",
            shown(named)
        ))),
    }
}

/// Says that a model is the current one by `entry`: in this sentence, or by the line of the record. Should that fail, it is said
/// all the same that this was `done`.
pub(crate) fn say(entry: &Entry, json: bool, sentence: &str, done: &str) -> Result<(), Failure> {
    let mut output = Output::stdout();
    let written = if json {
        output.json_line(entry).and_then(|()| output.finish())
    } else {
        output.line(sentence)
    };
    written.map_err(|failure| failure.although(done))
}

/// Says that the model of `entry` is the current one already.
pub(crate) fn say_unchanged(entry: &Entry, json: bool) -> Result<(), Failure> {
    let sentence = format!("{} is current already; nothing was changed", entry.model);
    if json {
        info!("{sentence}");
    }
    say(entry, json, &sentence, &sentence)
}
