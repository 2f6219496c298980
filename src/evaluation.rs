//! Judges a model on samples, and says how many of them it had seen before.

use crate::dataset::Dataset;
use crate::metrics::{Metrics, Scored};
use crate::model::AnomalyModel;
use crate::split::Parts;
use foldhash::fast::RandomState;
use std::collections::HashSet;
use std::num::{NonZeroU32, NonZeroUsize};

/// The figures of a model on the validation part.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// Score and label of each validation sample, in order.
    pub scored: Vec<Scored>,
    /// The figures on all of them, with those on the unseen ones inside.
    pub metrics: Metrics,
}

/// Scores the validation part with `model`, which was trained on the training part, and computes its figures.
#[must_use]
pub fn evaluate(
    model: &AnomalyModel,
    data: &Dataset,
    parts: &Parts,
    ece_bins: NonZeroU32,
    threads: NonZeroUsize,
) -> Evaluation {
    let threshold = model.config().anomaly_threshold;
    let scored = model.score_samples(data, &parts.validation, threads);
    let known: HashSet<&[u32], RandomState> = parts.training.iter().map(|&index| data.steps(index as usize)).collect();
    let unseen: Vec<Scored> = parts
        .validation
        .iter()
        .zip(&scored)
        .filter(|&(&index, _)| !known.contains(data.steps(index as usize)))
        .map(|(_, &scored)| scored)
        .collect();
    let metrics = Metrics {
        overlap: Some((scored.len() - unseen.len()) as u64),
        unseen: Some(Box::new(Metrics::compute(&unseen, threshold, ece_bins))),
        ..Metrics::compute(&scored, threshold, ece_bins)
    };
    Evaluation { scored, metrics }
}
