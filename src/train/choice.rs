//! Chooses how a model is fitted, by the loss on what is left out: to the optimum or online, with ordered pairs or without, and how
//! strong the penalty is.
//!
//! Neither way to fit is better everywhere: on noisy data with rare n-grams the online mean ranks better, on data that are nearly
//! separable the optimum has a fraction of its loss. So the data decide, at every size: a sample of the different sequences is
//! divided into folds, and each fold is scored by a model that was trained without it. Few folds speak with much noise, so what
//! is usually best stays unless another way is better by more than the standard error of the difference.

use crate::bounds::Penalty;
use crate::model::config::{Calibrate, TrainingConfig};
use crate::model::fitted::Method;
use crate::model::weights::Weights;
use crate::train::calibration::{cross_calibrated, log_loss};
use crate::train::distinct::SampleSize;
use crate::train::fit::{Fit, Way};
use crate::train::trainer::Epoch;
use crate::train::training_set::Rows;
use std::num::NonZeroUsize;

/// What is looked at. Long sequences have more to say each, and cost more.
pub(crate) const TRIAL: SampleSize = SampleSize {
    most: 8192,
    actions: 1 << 20,
    fewest: 512,
};
/// The first folds that hold so many of them together, or all, are left out one after the other.
const LEFT_OUT: usize = 4096;
/// The penalties that are tried, and which of them first.
const PENALTIES: [Penalty; 5] = [
    Penalty::literal(1.0),
    Penalty::literal(2.0),
    Penalty::literal(4.0),
    Penalty::literal(8.0),
    Penalty::literal(16.0),
];
const FIRST: usize = 2;

/// How to fit where there is nothing to choose by.
pub(crate) fn without_trial(config: &TrainingConfig) -> Way {
    Way {
        method: Method::Optimum,
        pairs: true,
        l2: config.l2.unwrap_or(PENALTIES[FIRST]),
    }
}

/// A fit of the rows that were looked at, as it would be made of them in the chosen way.
pub(crate) struct Fitted {
    pub(crate) fit: Fit,
    /// What was told after each pass.
    pub(crate) epochs: Vec<Epoch>,
    /// The weights that all but some folds lead to.
    pub(crate) without: Vec<(u8, Weights)>,
}

/// The way to fit these rows, of those that are tried, that has the lowest loss on what is left out, and the fit if it was made from the
/// start and takes more than a pass. Whether the rows show their ordered pairs afterwards is undefined.
pub(crate) fn choose(
    rows: &mut Rows,
    prior: &Weights,
    config: &TrainingConfig,
    threads: NonZeroUsize,
) -> (Way, Option<Fitted>) {
    let folds = rows.folds().first(LEFT_OUT);
    let first = without_trial(config);
    let try_way = |rows: &mut Rows, method, pairs| {
        rows.show_pairs(pairs);
        let way = Way {
            method,
            pairs: rows.shows_pairs(),
            ..first
        };
        Tried::new(rows, prior, way, config, &folds, threads)
    };
    let has_pairs = rows.shows_pairs();
    // Without ordered pairs first, as that costs less.
    let mut best = try_way(rows, Method::Optimum, false);
    let online = try_way(rows, Method::Online, false);
    if online.beats(&best) {
        best = online;
    }
    if has_pairs {
        let with_pairs = try_way(rows, best.way.method, true);
        if !best.beats(&with_pairs) {
            best = with_pairs;
        }
    }
    // Downhill from the first penalty: the loss has one valley, but for noise.
    rows.show_pairs(best.way.pairs);
    let directions: &[isize] = if config.l2.is_none() { &[-1, 1] } else { &[] };
    for &towards in directions {
        let mut at = FIRST;
        while let Some(next) = at.checked_add_signed(towards)
            && let Some(&l2) = PENALTIES.get(next)
        {
            let tried = best.with_l2(rows, l2, config, &folds, threads);
            if !tried.beats(&best) {
                break;
            }
            (best, at) = (tried, next);
        }
        if best.way.l2 != first.l2 {
            break;
        }
    }
    let is_whole = best.way.method == Method::Optimum && best.way.l2 == first.l2;
    (best.way, is_whole.then_some(best.fitted))
}

/// A way to fit that has been tried.
struct Tried {
    way: Way,
    fitted: Fitted,
    /// The log loss of each fold, calibrated if scores are to be, summed over its samples.
    losses: Vec<f64>,
}

impl Tried {
    /// Whether the loss is lower by more than one standard error of the difference, which the folds show.
    fn beats(&self, other: &Self) -> bool {
        let gains: Vec<f64> = self
            .losses
            .iter()
            .zip(&other.losses)
            .map(|(own, others)| others - own)
            .collect();
        let folds = gains.len() as f64;
        let gain: f64 = gains.iter().sum();
        let mean = gain / folds;
        let squares: f64 = gains.iter().map(|gain| (gain - mean) * (gain - mean)).sum();
        // Of a sum, `folds` times the variance of one of its parts.
        gain > libm::sqrt(folds * squares / (folds - 1.0))
    }

    fn new(
        rows: &Rows,
        prior: &Weights,
        way: Way,
        config: &TrainingConfig,
        folds: &[u8],
        threads: NonZeroUsize,
    ) -> Self {
        let mut epochs = Vec::new();
        let fit = Fit::new(rows, prior, way, folds, config, threads, |epoch| epochs.push(epoch));
        Self::judged(rows, (fit, epochs), way, config, folds, threads)
    }

    /// The same way with another penalty, beginning where this one has led.
    fn with_l2(&self, rows: &Rows, l2: Penalty, config: &TrainingConfig, folds: &[u8], threads: NonZeroUsize) -> Self {
        let way = Way { l2, ..self.way };
        Self::judged(
            rows,
            (self.fitted.fit.with_l2(rows, l2, folds, config, threads), Vec::new()),
            way,
            config,
            folds,
            threads,
        )
    }

    fn judged(
        rows: &Rows,
        (fit, epochs): (Fit, Vec<Epoch>),
        way: Way,
        config: &TrainingConfig,
        folds: &[u8],
        threads: NonZeroUsize,
    ) -> Self {
        // Of an optimum alone anything is used again.
        let is_kept = way.method == Method::Optimum;
        let (left_out, without) = fit.left_out(rows, folds, &[], config, threads, |fold, weights, _| {
            is_kept.then(|| (fold, weights.clone()))
        });
        let without = without.into_iter().flatten().collect();
        let left_out = match config.calibrate {
            Calibrate::None => left_out,
            Calibrate::Auto | Calibrate::Sequence | Calibrate::Group => cross_calibrated(&left_out),
        };
        let losses = left_out.iter().map(|fold| log_loss(fold)).collect();
        let fitted = Fitted { fit, epochs, without };
        Self { way, fitted, losses }
    }
}
