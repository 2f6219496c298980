//! Fits the weights online, as the mean over two passes: where most n-grams are rare, this predicts better than the optimum does, at
//! a fraction of its time.
//!
//! The posterior of each weight is a normal distribution. It starts as the prior, with precision λ, and takes in one row
//! after the other: with the means w, the precisions h and a = Σ x_j²/h_j, the margin s of a row of which n samples were
//! seen, k of them anomalous, solves
//!
//! ```text
//! s + a n σ(s) = w·x + a k
//! ```
//!
//! which is the optimum of this row's likelihood and the posterior before it. The means move by x_j (k − n σ(s)) / h_j. The
//! precisions grow by x_j² n (σ(s) − ½)/s, the curvature of the quadratic bound of the logistic likelihood that touches it
//! at ±s; the curvature n σ(s) (1 − σ(s)) itself would be too sure too soon.
//!
//! A step counts less the more has been seen of a weight, so there is no rate to tune. What is left is the influence of the order,
//! which the model gets rid of by being the mean over two passes. Each starts from the prior; the second goes the way of the
//! first back: what came late in the one comes early in the other, so their mean is nearer to what no order favours than that
//! of three in orders of their own.
//!
//! Source: T. Jaakkola and M. Jordan, "Bayesian parameter estimation via variational methods", Statistics and Computing 10
//! (2000), for the bound; the precisions are kept for each weight alone, as in O. Chapelle and L. Li, "An empirical
//! evaluation of Thompson sampling", NIPS (2011).

use crate::model::config::TrainingConfig;
use crate::model::features::DENSE_COUNT;
use crate::model::weights::{PAIR_PENALTY, Weights};
use crate::parallel::map;
use crate::random::{Purpose, stream};
use crate::train::sdca::solve;
use crate::train::training_set::{RowBuffer, Rows};
use rand::seq::SliceRandom;
use std::num::NonZeroUsize;

/// The last step of Newton's method may be this long, relative to the margin: what is left is far below the digits of a
/// [`Posterior`].
const PRECISE_STEP: f64 = 1e-4;

/// The Gaussian posterior of a weight, by its mean and precision. Half the usual digits are enough for what one row adds, and twice as many posteriors are at
/// hand in the caches.
#[derive(Debug, Clone, Copy)]
struct Posterior {
    mean: f32,
    precision: f32,
}

/// What two passes over all rows but those of the fold `left_out` learn, starting from the prior; one pass if no more epochs are
/// wanted. With two threads or more the passes are worked out at once, which changes no result.
pub(crate) fn fit(
    rows: &Rows,
    prior: &Weights,
    l2: f64,
    config: &TrainingConfig,
    left_out: Option<u8>,
    threads: NonZeroUsize,
) -> Weights {
    let directions = [Direction::There, Direction::Back];
    let directions = &directions[..directions.len().min(config.epochs.get() as usize)];
    let one_pass = |&direction: &Direction| pass(rows, prior, l2, config, left_out, direction);
    let passes = if threads.get() > 1 {
        map(directions, one_pass)
    } else {
        directions.iter().map(one_pass).collect()
    };
    let mut mean = prior.clone();
    for (number, weights) in (1..).zip(&passes) {
        mean.move_towards(weights, 1.0 / f64::from(number));
    }
    mean
}

/// Which way a pass goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    There,
    Back,
}

/// What is learned in one pass. The order of the batches is drawn, and the same for both directions; the rows of a batch stand side by
/// side in memory.
fn pass(
    rows: &Rows,
    prior: &Weights,
    l2: f64,
    config: &TrainingConfig,
    left_out: Option<u8>,
    direction: Direction,
) -> Weights {
    let batch_size = config.batch_size.get() as usize;
    let step_size = config.learning_rate.get();
    let as_prior = |&mean: &f64| Posterior {
        mean: mean as f32,
        precision: l2 as f32,
    };
    let mut sparse: Vec<Posterior> = prior.sparse.iter().map(as_prior).collect();
    for posterior in &mut sparse[rows.first_pair()..] {
        posterior.precision *= PAIR_PENALTY as f32;
    }
    let mut dense = prior.dense.each_ref().map(as_prior);
    let mut bias = as_prior(&prior.bias);

    let mut batches: Vec<usize> = (0..rows.len().div_ceil(batch_size)).collect();
    batches.shuffle(&mut stream(config.seed, Purpose::Shuffle));
    if direction == Direction::Back {
        batches.reverse();
    }
    let (mut buffer, mut means, mut variances) = (RowBuffer::default(), Vec::new(), Vec::new());
    for batch in batches {
        let first = batch * batch_size;
        for index in first..rows.len().min(first + batch_size) {
            if Some(rows.folds().of(index)) == left_out {
                continue;
            }
            let row = rows.row(index, &mut buffer);
            let ids = || row.sparse.iter().chain(row.pairs).map(|&id| id as usize);
            let mut margin = f64::from(bias.mean);
            let mut variance = 1.0 / f64::from(bias.precision);
            for (posterior, x) in dense.iter().zip(row.dense) {
                margin += f64::from(posterior.mean) * x;
                variance += x * x / f64::from(posterior.precision);
            }
            means.clear();
            means.extend(ids().map(|id| sparse[id].mean));
            margin += sum(&means);
            variances.clear();
            variances.extend(ids().map(|id| sparse[id].precision));
            variances.iter_mut().for_each(|value| *value = 1.0 / *value);
            variance += sum(&variances);

            let labels = rows.labels(index);
            let samples = labels.total() as f64;
            let anomalous = labels.anomalous as f64;
            let (target, probability) = solve(variance * samples, margin + variance * anomalous, margin, PRECISE_STEP);
            let residual = step_size * (anomalous - samples * probability);
            let curvature = samples * bound_curvature(target, probability);
            for (posterior, x) in dense
                .iter_mut()
                .chain([&mut bias])
                .zip(row.dense.into_iter().chain([1.0]))
            {
                posterior.mean += (x * residual) as f32 / posterior.precision;
                posterior.precision += (x * x * curvature) as f32;
            }
            let (residual, curvature) = (residual as f32, curvature as f32);
            for (id, variance) in ids().zip(&variances) {
                let posterior = &mut sparse[id];
                posterior.mean += residual * variance;
                posterior.precision += curvature;
            }
        }
    }
    let mut means = [0.0; DENSE_COUNT];
    for (mean, posterior) in means.iter_mut().zip(dense) {
        *mean = f64::from(posterior.mean);
    }
    Weights {
        bias: f64::from(bias.mean),
        dense: means,
        sparse: sparse.into_iter().map(|posterior| f64::from(posterior.mean)).collect(),
    }
}

/// (σ(s) − ½) / s, given s and σ(s), which is ¼ at 0 and falls to both sides.
fn bound_curvature(s: f64, probability: f64) -> f64 {
    if s.abs() < 1e-4 {
        0.25 - s * s / 48.0
    } else {
        (probability - 0.5) / s
    }
}

/// The sum of `values`, as eight sums side by side that do not wait for each other.
fn sum(values: &[f32]) -> f64 {
    let mut sums = [0.0; 8];
    for values in values.chunks(sums.len()) {
        for (sum, &value) in sums.iter_mut().zip(values) {
            *sum += f64::from(value);
        }
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::dataset::{Dataset, DatasetBuilder};
    use crate::data::label::Label;
    use crate::data::synthetic::{Scenario, generate};
    use crate::model::weights::logistic;
    use crate::train::training_set::TrainingSet;
    use crate::train::training_set::tests::training_set;

    fn prior(set: &TrainingSet) -> Weights {
        Weights::prior(set.width, -1.0, TrainingConfig::default().anomaly_threshold)
    }

    #[test]
    fn after_one_row_the_means_are_the_optimum_of_that_row_and_the_prior() {
        let mut data = DatasetBuilder::new();
        for label in [Label::Anomalous, Label::Anomalous, Label::Normal] {
            data.push(["a", "b", "a"], label, None).unwrap();
        }
        let set = training_set(&data.build(), true);
        let config = TrainingConfig::default();
        let start = prior(&set);
        let weights = fit(&set.rows, &start, 2.0, &config, None, NonZeroUsize::MIN);
        let mut buffer = RowBuffer::default();
        let row = set.rows.row(0, &mut buffer);
        // Where the penalty and the likelihood of 3 samples, 2 of them anomalous, balance: λ (w − m) = x (2 − 3 σ(w·x)).
        let residual = 2.0 - 3.0 * logistic(weights.log_odds(row));
        let balance = |weight: f64, start: f64, x: f64| (2.0 * (weight - start) - x * residual).abs();
        assert!(residual.abs() > 0.01);
        assert!(balance(weights.bias, start.bias, 1.0) < 1e-5);
        for (index, x) in row.dense.into_iter().enumerate() {
            assert!(balance(weights.dense[index], start.dense[index], x) < 1e-5);
        }
        for &id in row.sparse {
            assert!(balance(weights.sparse[id as usize], 0.0, 1.0) < 1e-5);
        }
        // a ... a, a ... b and b ... a.
        assert_eq!(row.pairs.len(), 3);
        for &id in row.pairs {
            assert!(balance(PAIR_PENALTY * weights.sparse[id as usize], 0.0, 1.0) < 1e-5);
        }
    }

    #[test]
    fn passes_worked_out_at_once_are_the_same_passes() {
        let set = training_set(&generate(Scenario::Mixed, 3000, 4), true);
        let fitted = |threads: usize, epochs: u64| {
            let config = TrainingConfig {
                epochs: epochs.try_into().unwrap(),
                ..TrainingConfig::default()
            };
            fit(&set.rows, &prior(&set), 2.0, &config, None, threads.try_into().unwrap())
        };
        assert_eq!(fitted(1, 10), fitted(2, 10));
        assert_eq!(fitted(1, 2), fitted(1, 10));
        assert_ne!(fitted(1, 1), fitted(1, 10));
    }

    #[test]
    fn what_is_left_out_teaches_nothing() {
        let mut data = DatasetBuilder::new();
        for (name, label) in [("a", Label::Normal), ("b", Label::Anomalous), ("c", Label::Normal)] {
            data.push([name, name], label, None).unwrap();
        }
        let data: Dataset = data.build();
        let set = training_set(&data, false);
        let fold = set.rows.folds().of(0);
        let weights = fit(
            &set.rows,
            &prior(&set),
            2.0,
            &TrainingConfig::default(),
            Some(fold),
            NonZeroUsize::MIN,
        );
        let mut buffer = RowBuffer::default();
        for index in 0..3 {
            let row = set.rows.row(index, &mut buffer);
            assert!(
                row.sparse
                    .iter()
                    .all(|&id| (weights.sparse[id as usize] == 0.0) == (index == 0))
            );
        }
    }

    #[test]
    fn the_bound_curvature_is_smooth_where_its_formula_changes() {
        let curvature = |s| bound_curvature(s, logistic(s));
        assert!((curvature(0.000_099_9) - curvature(0.000_100_1)).abs() < 1e-9);
        assert_eq!(curvature(0.0), 0.25);
        // tanh(1)/4 at s = 2.
        assert!((curvature(2.0) - 0.190_398_538_988_941_4).abs() < 1e-12);
        assert!((curvature(-2.0) - curvature(2.0)).abs() < 1e-12);
    }
}
