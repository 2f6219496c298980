//! The current model as the one that a new model has to stand beside.

use super::model;
use super::samples::Samples;
use anomaly_train::{Champion, Entry, Figures, evaluate};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::Path;

/// Judges the current model, by its own threshold, on the validation part of `samples`, or says why it cannot be read.
pub(crate) fn judge(
    models_dir: &Path,
    current: &Entry,
    samples: &Samples,
    ece_bins: NonZeroU32,
    threads: NonZeroUsize,
) -> Result<Champion, String> {
    let artifact = model::load_recorded(models_dir, current).map_err(|failure| failure.lines().join(" "))?;
    let model = &artifact.model;
    let evaluation = evaluate(
        model,
        &samples.data,
        &samples.parts.validation,
        model.threshold(),
        ece_bins,
        threads,
    );
    Ok(Champion {
        model: current.model.to_string(),
        digest: current.digest.clone(),
        figures: Figures::from(&evaluation.metrics),
        overlap: evaluation.metrics.overlap.unwrap_or(0),
    })
}
