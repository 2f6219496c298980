//! The current model as the one that a new model has to stand beside.

use super::failure::Failure;
use anomaly_train::command_only::one_line;
use anomaly_train::registry::{StoreError, load_recorded};
use anomaly_train::{Champion, Entry, KeyMetrics, Run, Samples};
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
    let artifact = match load_recorded(models_dir, current) {
        Ok(artifact) => artifact,
        Err(error @ StoreError::Io { .. }) if !gone => return Err(error.into()),
        Err(error) => return Ok(Err(one_line(&error.to_string()))),
    };
    let evaluation = run.evaluate(&artifact.model, samples, threads);
    Ok(Ok(Champion {
        model: current.model.to_string(),
        digest: current.digest.clone(),
        figures: KeyMetrics::from(&evaluation.metrics),
        overlap: evaluation.metrics.overlap.unwrap_or(0),
    }))
}
