//! Finding and loading a saved model.

use super::failure::{Failure, shown};
use super::store;
use anomaly_train::{Artifact, Entry, LoadError};
use clap::Args;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// Which saved model to use.
#[derive(Debug, Args)]
pub(crate) struct SavedModel {
    /// The model file [default: the current model]
    #[arg(long, value_name = "FILE")]
    pub(crate) model: Option<PathBuf>,

    /// Where the current model is looked for
    #[arg(long, value_name = "DIR", default_value = "models", conflicts_with = "model")]
    pub(crate) models_dir: PathBuf,
}

/// Loads the model file `path`, or the current model of `models_dir`. Returns its path too.
pub(crate) fn load(path: Option<&Path>, models_dir: &Path) -> Result<(Artifact, PathBuf), Failure> {
    if let Some(path) = path {
        return Ok((load_file(path)?, path.to_owned()));
    }
    let history = store::history(models_dir)?;
    let current = history.current().ok_or_else(|| {
        Failure::refused(format_args!(
            "{}: no promoted model here; train one, or name one with --model",
            shown(models_dir)
        ))
    })?;
    let artifact = load_recorded(models_dir, current)?;
    Ok((artifact, models_dir.join(current.model.to_string())))
}

/// Loads the model of an entry in the record of `models_dir`; it must still be the one that was promoted.
pub(crate) fn load_recorded(models_dir: &Path, entry: &Entry) -> Result<Artifact, Failure> {
    let path = models_dir.join(entry.model.to_string());
    let artifact = load_file(&path)?;
    if artifact.digest() != entry.digest {
        return Err(Failure::refused(format_args!(
            "{}: not the model that was promoted: the record has digest {}; restore it, or go back with rollback",
            shown(&path),
            entry.digest
        )));
    }
    Ok(artifact)
}

fn load_file(path: &Path) -> Result<Artifact, Failure> {
    let kind = fs::metadata(path).map_err(|error| Failure::at(path, "cannot open", &error))?;
    if !kind.is_file() {
        return Err(Failure::refused(format_args!("{}: is not a file", shown(path))));
    }
    let file = File::open(path).map_err(|error| Failure::at(path, "cannot open", &error))?;
    Artifact::read(BufReader::new(file)).map_err(|error| match error {
        LoadError::Io(error) => Failure::at(path, "cannot read", &error),
        LoadError::Refused(problem) => Failure::refused(format_args!("{}: {problem}", shown(path))),
    })
}
