//! Finding and loading a saved model.

use super::failure::{Failure, shown};
use super::shared_args::ModelsDir;
use anomaly_train::registry::{history, load_file, load_recorded};
use anomaly_train::{Artifact, ModelKind};
use clap::Args;
use std::path::{Path, PathBuf};

/// Which saved model to use.
#[derive(Debug, Args)]
pub(crate) struct SavedModel {
    /// The model file [default: the current model]
    #[arg(long, value_name = "FILE")]
    pub(crate) model: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) models_dir: ModelsDir,
}

/// Loads the model file `path`, or the current model of `models_dir`. Returns its path too.
pub(crate) fn load(path: Option<&Path>, models_dir: &Path) -> Result<(Artifact, PathBuf), Failure> {
    if let Some(path) = path {
        return Ok((load_file(path)?, path.to_owned()));
    }
    let history = history(models_dir)?;
    let current = history.current().ok_or_else(|| {
        Failure::refused(format_args!(
            "{}: no promoted model here; train one, or name one with --model",
            shown(models_dir)
        ))
    })?;
    let artifact = load_recorded(models_dir, current)?;
    Ok((artifact, models_dir.join(current.model.to_string())))
}

/// Refuses models that would say the same thing twice: of several, each learned from something else.
pub(crate) fn check_kinds(kinds: impl Iterator<Item = ModelKind>) -> Result<(), Failure> {
    let mut seen = Vec::new();
    for kind in kinds {
        if seen.contains(&kind) {
            return Err(Failure::Usage(format!(
                "--model: two {kind} models; of two models that work side by side one learned from labels and one is normal-only"
            )));
        }
        seen.push(kind);
    }
    Ok(())
}
