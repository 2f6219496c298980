//! Judges a model on samples, and says how many of them it had seen before.

use crate::bounds::Share;
use crate::dataset::Dataset;
use crate::metrics::{Metrics, Scored};
use crate::model::AnomalyModel;
use std::num::{NonZeroU32, NonZeroUsize};

/// The figures of a model on some samples.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// Score and label of each sample, in order.
    pub scored: Vec<Scored>,
    /// The figures on all of them, with those on the unseen ones inside.
    pub metrics: Metrics,
}

/// Scores the samples `indices` of `data` with `model` and computes its figures at `threshold`.
#[must_use]
pub fn evaluate(
    model: &AnomalyModel,
    data: &Dataset,
    indices: &[u32],
    threshold: Share,
    ece_bins: NonZeroU32,
    threads: NonZeroUsize,
) -> Evaluation {
    let scored = model.score_samples(data, indices, threads);
    let fingerprints = data.fingerprints(indices, threads);
    let unseen: Vec<Scored> = fingerprints
        .iter()
        .zip(&scored)
        .filter(|&(&fingerprint, _)| !model.was_trained_on(fingerprint))
        .map(|(_, &scored)| scored)
        .collect();
    let metrics = Metrics {
        overlap: Some((scored.len() - unseen.len()) as u64),
        unseen: Some(Box::new(Metrics::compute(&unseen, threshold, ece_bins))),
        ..Metrics::compute(&scored, threshold, ece_bins)
    };
    Evaluation { scored, metrics }
}
