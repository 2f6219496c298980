//! The current model as the one that a new model has to stand beside.

use super::failure::Failure;
use super::model;
use anomaly_train::{Champion, Entry, Figures, Run, Samples};
use std::num::NonZeroUsize;
use std::path::Path;

/// Judges the current model, by its own threshold, on the validation part of `samples`, or says why it is no model any more.
/// That the system fails to read it is another matter: then nothing can be judged.
pub(crate) fn judge(
    models_dir: &Path,
    current: &Entry,
    run: &Run,
    samples: &Samples,
    threads: NonZeroUsize,
) -> Result<Result<Champion, String>, Failure> {
    let gone = !models_dir.join(current.model.to_string()).exists();
    let artifact = match model::load_recorded(models_dir, current) {
        Ok(artifact) => artifact,
        Err(failure @ Failure::Environment(_)) if !gone => return Err(failure),
        Err(failure) => return Ok(Err(failure.lines().join(" "))),
    };
    let evaluation = run.evaluate(&artifact.model, samples, threads);
    Ok(Ok(Champion {
        model: current.model.to_string(),
        digest: current.digest.clone(),
        figures: Figures::from(&evaluation.metrics),
        overlap: evaluation.metrics.overlap.unwrap_or(0),
    }))
}
