//! Finding and loading a saved model.

use super::failure::{Failure, shown};
use anomaly_train::{Artifact, LoadError};
use std::fs::{self, File};
use std::io::{BufReader, ErrorKind};
use std::path::{Path, PathBuf};

/// Loads the model file `path`, or the newest promoted one below `models_dir`. Returns its path too.
pub(crate) fn load(path: Option<&Path>, models_dir: &Path) -> Result<(Artifact, PathBuf), Failure> {
    let path = match path {
        Some(path) => path.to_owned(),
        None => newest_promoted(models_dir)?,
    };
    let kind = fs::metadata(&path).map_err(|error| Failure::at(&path, "cannot open", &error))?;
    if !kind.is_file() {
        return Err(Failure::refused(format_args!("{}: is not a file", shown(&path))));
    }
    let file = File::open(&path).map_err(|error| Failure::at(&path, "cannot open", &error))?;
    let artifact = Artifact::read(BufReader::new(file)).map_err(|error| match error {
        LoadError::Io(error) => Failure::at(&path, "cannot read", &error),
        LoadError::Refused(problem) => Failure::refused(format_args!("{}: {problem}", shown(&path))),
    })?;
    Ok((artifact, path))
}

/// The model in `current` with the latest time in its name, and of those the highest number.
fn newest_promoted(models_dir: &Path) -> Result<PathBuf, Failure> {
    let folder = models_dir.join("current");
    let none = || {
        Failure::refused(format_args!(
            "{}: no promoted model here; train one, or name one with --model",
            shown(&folder)
        ))
    };
    let entries = fs::read_dir(&folder).map_err(|error| match error.kind() {
        ErrorKind::NotFound => none(),
        _ => Failure::at(&folder, "cannot look for models", &error),
    })?;
    let models = entries.filter_map(|entry| {
        let path = entry.ok()?.path();
        let stamp = stamp(path.file_name()?.to_str()?)?;
        path.is_file().then_some((stamp, path))
    });
    models.max().map(|(_, path)| path).ok_or_else(none)
}

/// Time and number in the name of a model file: `20261122_120000` and 2 of `anomaly_model_20261122_120000_2.json`.
fn stamp(name: &str) -> Option<(String, u64)> {
    let stem = name.strip_prefix("anomaly_model_")?.strip_suffix(".json")?;
    let (time, number) = match stem.get(15..)? {
        "" => (stem, 1),
        rest => (stem.get(..15)?, rest.strip_prefix('_')?.parse().ok()?),
    };
    let digits = |part: &str, length| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
    let (day, second) = time.split_once('_')?;
    (digits(day, 8) && digits(second, 6)).then(|| (time.to_owned(), number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_model_files_have_a_stamp_and_numbers_count_as_numbers() {
        let name = |suffix: &str| stamp(&format!("anomaly_model_20261122_120000{suffix}.json"));
        assert!(name("_10") > name("_9") && name("_2") > name(""));
        assert!(stamp("anomaly_model_20261122_120001.json") > name("_99"));
        for other in [
            "anomaly_metrics_20261122_120000.json",
            "anomaly_model_x.json",
            "anomaly_model_20261122_120000_x.json",
            "anomaly_model_20261122-120000.json",
            "anomaly_model_ééééééééé.json",
            ".anomaly-train-abc.tmp",
        ] {
            assert_eq!(stamp(other), None, "{other}");
        }
    }
}
