//! The current model as the one that a new model has to stand beside.

use super::failure::Failure;
use anomaly_train::command_only::one_line;
use anomaly_train::metrics::Metrics;
use anomaly_train::registry::{StoreError, load_recorded};
use anomaly_train::{Champion, Entry, KeyMetrics, Outcome, Run, Samples};
use std::num::NonZeroUsize;
use std::path::Path;

/// Sets the new model of `outcome` beside the current one, on samples that are new to both, or says why the current one is no model
/// any more. That the system fails to read it is another matter: then nothing can be judged.
pub(crate) fn judge(
    models_dir: &Path,
    current: &Entry,
    run: &Run,
    samples: &Samples,
    outcome: &Outcome,
    threads: NonZeroUsize,
) -> Result<Result<Champion, String>, Failure> {
    let gone = !models_dir.join(current.model.to_string()).exists();
    let artifact = match load_recorded(models_dir, current) {
        Ok(artifact) => artifact,
        Err(error @ StoreError::Io { .. }) if !gone => return Err(error.into()),
        Err(error) => return Ok(Err(one_line(&error.to_string()))),
    };
    let beside = run.compare(outcome, &artifact.model, samples, threads);
    let kind = artifact.model.kind();
    let threshold = artifact.model.threshold();
    let metrics = Metrics::compute(
        &beside.champion,
        samples.data().unit(),
        threshold,
        run.ece_bins_of(kind),
    );
    Ok(Ok(Champion {
        model: current.model.to_string(),
        digest: current.digest.clone(),
        overlap: beside.overlap,
        figures: KeyMetrics::from(&metrics),
        comparison: beside.comparison(kind),
    }))
}
