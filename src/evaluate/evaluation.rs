//! Judges a model on samples, and says how many of them it had seen before.

use crate::bounds::{Bins, OpenUnitInterval};
use crate::data::dataset::Dataset;
use crate::data::part::Part;
use crate::data::unit::Unit;
use crate::evaluate::metrics::{Metrics, Scored};
use crate::model::kind::{Model, ModelKind};
use crate::parallel::{both, map_pieces};
use std::num::NonZeroUsize;

/// How a model is judged.
///
/// | field | default |
/// |---|---|
/// | `threshold` | `None`: the model's own |
/// | `ece_bins` | 10 |
/// | `threads` | 1 |
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EvaluationOptions {
    /// The score from which a sequence is taken for anomalous; `None` for the model's own.
    pub threshold: Option<OpenUnitInterval>,
    /// Bins of the calibration error.
    pub ece_bins: Bins,
    /// Most threads to use; never changes a figure.
    pub threads: NonZeroUsize,
}

/// Bins of the calibration error unless another number is asked for.
pub const DEFAULT_ECE_BINS: Bins = Bins::literal(10);

impl Default for EvaluationOptions {
    fn default() -> Self {
        Self {
            threshold: None,
            ece_bins: DEFAULT_ECE_BINS,
            threads: NonZeroUsize::MIN,
        }
    }
}

/// The figures of a model on some samples.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Evaluation {
    /// What the model said of each row of the part, in order.
    pub scored: Vec<Scored>,
    /// Whether the model was trained on the sequence of each of them.
    pub seen: Vec<bool>,
    /// The figures on all samples, with those on the unseen ones inside.
    pub metrics: Metrics,
}

/// Scores the samples of `part` of `data` with `model` and computes its figures.
#[must_use]
pub fn evaluate(model: &Model, data: &Dataset, part: &Part, options: &EvaluationOptions) -> Evaluation {
    let &EvaluationOptions {
        threshold,
        ece_bins,
        threads,
    } = options;
    let scored = model.score_part(data, part, threads);
    let fingerprints = data.fingerprints(part.rows(), threads);
    let is_seen = |&fingerprint: &u64| model.was_trained_on(fingerprint);
    let seen = map_pieces(&fingerprints, threads, |piece| piece.iter().map(is_seen).collect());
    let threshold = threshold.unwrap_or(model.threshold());
    let ece_bins = ece_bins_of(model.kind(), ece_bins);
    Evaluation::of(scored, seen, data.unit(), threshold, ece_bins, threads)
}

/// The bins of the calibration error, if scores of this kind of model are probabilities.
pub(crate) fn ece_bins_of(kind: ModelKind, bins: Bins) -> Option<Bins> {
    Some(bins).filter(|_| kind == ModelKind::Labelled)
}

impl Evaluation {
    /// What the model said of the samples whose sequence it was not trained on.
    #[must_use]
    pub fn unseen(&self) -> Vec<Scored> {
        new_ones(&self.scored, &self.seen)
    }

    /// The figures of what was said, with those on the samples that were not `seen` in training inside. `unit` is what the groups
    /// of the samples are.
    pub(crate) fn of(
        scored: Vec<Scored>,
        seen: Vec<bool>,
        unit: Unit,
        threshold: OpenUnitInterval,
        ece_bins: Option<Bins>,
        threads: NonZeroUsize,
    ) -> Self {
        let figures = |scored: &[Scored]| Metrics::compute(scored, unit, threshold, ece_bins);
        let (all, of_unseen) = if seen.contains(&true) {
            let unseen = new_ones(&scored, &seen);
            both(threads, || figures(&scored), || figures(&unseen))
        } else {
            let all = figures(&scored);
            (all.clone(), all)
        };
        let metrics = Metrics {
            overlap: Some(all.samples - of_unseen.samples),
            unseen: Some(Box::new(of_unseen)),
            ..all
        };
        Self { scored, seen, metrics }
    }
}

/// Those that were not seen.
fn new_ones(scored: &[Scored], seen: &[bool]) -> Vec<Scored> {
    let unseen = scored.iter().zip(seen).filter(|&(_, seen)| !seen);
    unseen.map(|(&scored, _)| scored).collect()
}
