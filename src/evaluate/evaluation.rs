//! Judges a model on samples, and says how many of them it had seen before.

use crate::bounds::{Bins, Share};
use crate::data::dataset::Dataset;
use crate::evaluate::metrics::{Metrics, Scored};
use crate::model::AnomalyModel;
use crate::parallel::{both, map_pieces};
use std::num::NonZeroUsize;

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
    ece_bins: Bins,
    threads: NonZeroUsize,
) -> Evaluation {
    let scored = model.score_samples(data, indices, threads);
    let fingerprints = data.fingerprints(indices, threads);
    let is_seen = |&fingerprint: &u64| model.was_trained_on(fingerprint);
    let seen = map_pieces(&fingerprints, threads, |piece| piece.iter().map(is_seen).collect());
    let unseen = scored.iter().zip(seen).filter(|&(_, seen)| !seen);
    let unseen: Vec<Scored> = unseen.map(|(&scored, _)| scored).collect();
    let figures = |scored: &[Scored]| Metrics::compute(scored, threshold, ece_bins);
    let (all, of_unseen) = both(threads, || figures(&scored), || figures(&unseen));
    let metrics = Metrics {
        overlap: Some((scored.len() - unseen.len()) as u64),
        unseen: Some(Box::new(of_unseen)),
        ..all
    };
    Evaluation { scored, metrics }
}
