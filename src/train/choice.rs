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
use crate::train::fit::{Fit, Way};
use crate::train::training_set::Rows;
use std::num::NonZeroUsize;

/// At most this many different sequences are looked at.
pub(crate) const TRIAL: usize = 8192;
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

/// The way to fit these rows, of those that are tried, that has the lowest loss on what is left out. Whether the rows show their
/// ordered pairs afterwards is undefined.
pub(crate) fn choose(rows: &mut Rows, prior: &Weights, config: &TrainingConfig, threads: NonZeroUsize) -> Way {
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
    if config.l2.is_some() {
        return best.way;
    }
    // Downhill from the first penalty: the loss has one valley, but for noise.
    rows.show_pairs(best.way.pairs);
    for towards in [-1, 1] {
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
    best.way
}

/// A way to fit that has been tried.
struct Tried {
    way: Way,
    fit: Fit,
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
        let fit = Fit::new(rows, prior, way, folds, config, threads, |_| ());
        Self::judged(rows, fit, way, config, folds, threads)
    }

    /// The same way with another penalty, beginning where this one has led.
    fn with_l2(&self, rows: &Rows, l2: Penalty, config: &TrainingConfig, folds: &[u8], threads: NonZeroUsize) -> Self {
        let way = Way { l2, ..self.way };
        Self::judged(
            rows,
            self.fit.with_l2(rows, l2, folds, config, threads),
            way,
            config,
            folds,
            threads,
        )
    }

    fn judged(rows: &Rows, fit: Fit, way: Way, config: &TrainingConfig, folds: &[u8], threads: NonZeroUsize) -> Self {
        let left_out = fit.left_out(rows, folds, config, threads, |_, _, _| ()).0;
        let left_out = match config.calibrate {
            Calibrate::None => left_out,
            Calibrate::Auto | Calibrate::Sequence | Calibrate::Group => cross_calibrated(&left_out),
        };
        let losses = left_out.iter().map(|fold| log_loss(fold)).collect();
        Self { way, fit, losses }
    }
}
