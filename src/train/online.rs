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
//! A step counts less the more has been seen of a weight, so there is no rate to tune.
//!
//! What is left is the influence of the order. Where there are few rows, the model gets rid of it by being the mean over two passes. Each
//! starts from the prior; the second goes the way of the first back: what came late in the one comes early in the other.
//!
//! Where there are many, each fold is gone through once and alone, from the prior, whatever the others hold. What a fold says is by what its posterior differs from the prior, and what all of them say together is their product with the prior: precisions
//! add up, and means are weighed with them,
//!
//! ```text
//! h = λ + Σ_f (h_f − λ),    h w = λ m + Σ_f (h_f w_f − λ m)
//! ```
//!
//! so the order of the folds does not matter, each can have a thread of its own, and what all folds but one lead to is had without
//! another pass. It also ranks better than two passes over everything, in half the time.
//!
//! Source: T. Jaakkola and M. Jordan, "Bayesian parameter estimation via variational methods", Statistics and Computing 10
//! (2000), for the bound; the precisions are kept for each weight alone, as in O. Chapelle and L. Li, "An empirical
//! evaluation of Thompson sampling", NIPS (2011).

use crate::model::config::TrainingConfig;
use crate::model::features::DENSE_COUNT;
use crate::model::weights::{PAIR_PENALTY, Weights};
use crate::parallel::{both, map_beside};
use crate::random::{Purpose, numbered_stream};
use crate::train::sdca::solve;
use crate::train::training_set::{RowBuffer, Rows};
use rand::seq::SliceRandom;
use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::ops::Range;

/// The last step of Newton's method may be this long, relative to the margin: what is left is far below the digits of a
/// [`Posterior`].
const PRECISE_STEP: f64 = 1e-3;

/// From so many rows on each fold is gone through alone; a part of fewer is too small to learn from alone.
const APART: usize = if cfg!(test) { 1000 } else { 40_000 };

/// Which way a pass goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    There,
    Back,
}

/// The Gaussian posterior of a weight, by its mean and precision. Half the usual digits are enough for what one row adds, and twice as many posteriors are at
/// hand in the caches.
#[derive(Debug, Clone, Copy)]
struct Posterior {
    mean: f32,
    precision: f32,
}

/// The same as sums can be made of it: the mean times the precision, and the precision.
#[derive(Debug, Clone, Copy)]
struct Natural {
    moment: f64,
    precision: f64,
}

impl Natural {
    fn of(mean: f64, precision: f64) -> Self {
        Self {
            moment: mean * precision,
            precision,
        }
    }

    fn mean(&self) -> f64 {
        self.moment / self.precision
    }

    /// Adds `sign` times what a posterior says beyond the prior that it came from.
    fn add(&mut self, sign: f64, posterior: Posterior, prior: Self) {
        let own = Self::of(f64::from(posterior.mean), f64::from(posterior.precision));
        self.moment += sign * (own.moment - prior.moment);
        self.precision += sign * (own.precision - prior.precision);
    }
}

/// The prior of all weights, each a normal distribution.
#[derive(Debug)]
struct Prior {
    centre: Weights,
    /// The precision, but for ordered pairs, whose first this is.
    l2: f64,
    first_pair: usize,
}

impl Prior {
    /// The sparse weights, the dense ones, and the bias.
    fn all(&self) -> impl Iterator<Item = Natural> {
        let precision = |id: usize| if id < self.first_pair { 1.0 } else { PAIR_PENALTY } * self.l2;
        let sparse = (self.centre.sparse.iter().enumerate()).map(move |(id, &mean)| Natural::of(mean, precision(id)));
        let others = self.centre.dense.iter().chain([&self.centre.bias]);
        sparse.chain(others.map(|&mean| Natural::of(mean, self.l2)))
    }
}

/// What has been learned of all weights.
#[derive(Debug)]
pub(crate) struct Online {
    prior: Prior,
    /// What all folds lead to.
    pub(crate) weights: Weights,
    /// If there are many rows.
    apart: Option<Apart>,
}

/// What folds say each of which was gone through alone.
#[derive(Debug)]
struct Apart {
    /// All of them together.
    all: Vec<Natural>,
    /// Single ones, which may be left out.
    kept: Vec<(u8, Vec<Posterior>)>,
}

impl Online {
    /// Learns from all rows, starting from the prior with the centre `centre`. What the folds `kept` say is kept, so that they can be left
    /// out. With several threads folds are gone through at once, which changes no result.
    pub(crate) fn new(
        rows: &Rows,
        centre: Weights,
        l2: f64,
        config: &TrainingConfig,
        kept: &[u8],
        threads: NonZeroUsize,
    ) -> Self {
        let prior = Prior {
            centre,
            l2,
            first_pair: rows.first_pair(),
        };
        let folds: Vec<u8> = (0..rows.folds().count() as u8).collect();
        if rows.len() < APART {
            return Self {
                weights: prior.there_and_back(rows, &folds, config, threads),
                prior,
                apart: None,
            };
        }
        let apart = prior.apart(rows, &folds, config, kept, threads);
        Self {
            weights: weights_of(apart.all.iter().map(Natural::mean)),
            prior,
            apart: Some(apart),
        }
    }

    /// The centre of the prior.
    pub(crate) fn centre(&self) -> &Weights {
        &self.prior.centre
    }

    /// What all folds but this one lead to; without another pass if it was gone through alone and is kept.
    pub(crate) fn without(&self, rows: &Rows, fold: u8, config: &TrainingConfig) -> Weights {
        let Some(Apart { all, kept }) = &self.apart else {
            let others: Vec<u8> = (0..rows.folds().count() as u8).filter(|&other| other != fold).collect();
            return self.prior.there_and_back(rows, &others, config, NonZeroUsize::MIN);
        };
        let said = match kept.iter().find(|(kept, _)| *kept == fold) {
            Some((_, said)) => Cow::Borrowed(said),
            None => Cow::Owned(self.prior.pass(rows, &[fold], Direction::There, config)),
        };
        let left = all.iter().zip(&*said).zip(self.prior.all());
        weights_of(left.map(|((&all, &posterior), prior)| {
            let mut left = all;
            left.add(-1.0, posterior, prior);
            left.mean()
        }))
    }
}

/// The weights in their places, of the sparse ones, the dense ones, and the bias.
fn weights_of(means: impl Iterator<Item = f64>) -> Weights {
    let mut sparse: Vec<f64> = means.collect();
    let bias = sparse.pop().unwrap_or_default();
    let mut dense = [0.0; DENSE_COUNT];
    let own = sparse.split_off(sparse.len() - DENSE_COUNT);
    dense.copy_from_slice(&own);
    Weights { bias, dense, sparse }
}

impl Prior {
    /// Where two passes through these folds lead, there and back, or one if no more epochs are wanted.
    fn there_and_back(&self, rows: &Rows, folds: &[u8], config: &TrainingConfig, threads: NonZeroUsize) -> Weights {
        if config.epochs.get() == 1 {
            let there = self.pass(rows, folds, Direction::There, config);
            return weights_of(there.into_iter().map(|there| there.mean.into()));
        }
        let (there, back) = both(
            threads,
            || self.pass(rows, folds, Direction::There, config),
            || self.pass(rows, folds, Direction::Back, config),
        );
        let mean = |(there, back): (Posterior, Posterior)| f64::midpoint(there.mean.into(), back.mean.into());
        weights_of(there.into_iter().zip(back).map(mean))
    }

    /// What a pass through each of these folds alone leads to; what those of `kept` say is kept.
    fn apart(&self, rows: &Rows, folds: &[u8], config: &TrainingConfig, kept: &[u8], threads: NonZeroUsize) -> Apart {
        let mut apart = Apart {
            all: self.all().collect(),
            kept: Vec::new(),
        };
        // As many at once as there are threads, so that no more posteriors are held than that.
        for folds in folds.chunks(threads.get()) {
            let pass = |&fold: &u8| self.pass(rows, &[fold], Direction::There, config);
            let said = map_beside(folds, threads, pass, || ()).0;
            for (&fold, said) in folds.iter().zip(said) {
                for ((all, &posterior), prior) in apart.all.iter_mut().zip(&said).zip(self.all()) {
                    all.add(1.0, posterior, prior);
                }
                if kept.contains(&fold) {
                    apart.kept.push((fold, said));
                }
            }
        }
        apart
    }

    /// What is learned from some folds. The order of their batches is drawn; the rows of a batch stand side by side in memory.
    fn pass(&self, rows: &Rows, folds: &[u8], direction: Direction, config: &TrainingConfig) -> Vec<Posterior> {
        let step_size = config.learning_rate.get();
        let as_prior = |natural: Natural| Posterior {
            mean: natural.mean() as f32,
            precision: natural.precision as f32,
        };
        let mut posteriors: Vec<Posterior> = self.all().map(as_prior).collect();
        let (sparse, others) = posteriors.split_at_mut(self.centre.sparse.len());

        let of_fold = |&fold: &u8| rows.folds().batches(fold, config.batch_size);
        let mut batches: Vec<Range<usize>> = folds.iter().flat_map(of_fold).collect();
        batches.shuffle(&mut numbered_stream(config.seed, Purpose::Shuffle, folds[0].into()));
        if direction == Direction::Back {
            batches.reverse();
        }
        let (mut buffer, mut means, mut variances) = (RowBuffer::default(), Vec::new(), Vec::new());
        for batch in batches {
            for index in batch {
                let row = rows.row(index, &mut buffer);
                let ids = || row.sparse.iter().chain(row.pairs).map(|&id| id as usize);
                let figures = || row.dense.into_iter().chain([1.0]);
                let (mut margin, mut variance) = (0.0, 0.0);
                for (posterior, x) in others.iter().zip(figures()) {
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
                let (target, probability) =
                    solve(variance * samples, margin + variance * anomalous, margin, PRECISE_STEP);
                let residual = step_size * (anomalous - samples * probability);
                let curvature = samples * bound_curvature(target, probability);
                for (posterior, x) in others.iter_mut().zip(figures()) {
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
        posteriors
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
    let (eights, rest) = values.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for eight in eights {
        sums = std::array::from_fn(|lane| sums[lane] + f64::from(eight[lane]));
    }
    sums.iter_mut()
        .zip(rest)
        .for_each(|(sum, &value)| *sum += f64::from(value));
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounds::BatchSize;
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
        let weights = Online::new(&set.rows, start.clone(), 2.0, &config, &[], NonZeroUsize::MIN)
            .weights
            .clone();
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
    fn the_seed_and_the_size_of_batches_decide_the_order() {
        let set = training_set(&generate(Scenario::Mixed, 300, 4), true);
        let fitted = |seed: u64, batch_size: BatchSize| {
            let config = TrainingConfig {
                seed,
                batch_size,
                ..TrainingConfig::default()
            };
            Online::new(&set.rows, prior(&set), 2.0, &config, &[], NonZeroUsize::MIN)
                .weights
                .clone()
        };
        let (many, one) = (BatchSize::literal(32), BatchSize::literal(1));
        assert_eq!(fitted(1, many), fitted(1, many));
        assert_ne!(fitted(1, many), fitted(2, many));
        assert_ne!(fitted(1, many), fitted(1, one));
    }

    #[test]
    fn folds_gone_through_at_once_say_the_same() {
        let set = training_set(&generate(Scenario::Mixed, 3000, 4), true);
        let config = TrainingConfig::default();
        let fitted = |threads: usize| {
            let online = Online::new(
                &set.rows,
                prior(&set),
                2.0,
                &config,
                &[0, 3],
                threads.try_into().unwrap(),
            );
            let without = |fold| online.without(&set.rows, fold, &config);
            [online.weights.clone(), without(0), without(3), without(5)]
        };
        let one = fitted(1);
        assert_eq!(one, fitted(2));
        assert_eq!(one, fitted(16));
        assert!(one[0] != one[1] && one[1] != one[2]);
        // One that was not kept apart is gone through again.
        let kept = Online::new(&set.rows, prior(&set), 2.0, &config, &[5], NonZeroUsize::MIN);
        assert_eq!(kept.without(&set.rows, 5, &config), one[3]);
    }

    #[test]
    fn what_is_left_out_teaches_nothing() {
        let mut data = DatasetBuilder::new();
        for (name, label) in [("a", Label::Normal), ("b", Label::Anomalous), ("c", Label::Normal)] {
            data.push([name, name], label, None).unwrap();
        }
        let data: Dataset = data.build();
        let set = training_set(&data, false);
        let start = prior(&set);
        let fold = set.rows.folds().of(0);
        let config = TrainingConfig::default();
        let weights = Online::new(&set.rows, start.clone(), 2.0, &config, &[fold], NonZeroUsize::MIN)
            .without(&set.rows, fold, &config);
        let mut buffer = RowBuffer::default();
        for index in 0..3 {
            let row = set.rows.row(index, &mut buffer);
            let untouched = |&id: &u32| weights.sparse[id as usize].abs() < 1e-12;
            assert!(row.sparse.iter().all(|id| untouched(id) == (index == 0)));
        }
    }

    #[test]
    fn what_folds_say_apart_is_put_together_as_a_hand_does() {
        let set = training_set(&generate(Scenario::Mixed, 3000, 4), true);
        assert!(set.rows.len() >= APART);
        let (start, config) = (prior(&set), TrainingConfig::default());
        let online = Online::new(&set.rows, start.clone(), 2.0, &config, &[0], NonZeroUsize::MIN);
        let apart: Vec<Vec<Posterior>> = (0..10)
            .map(|fold| online.prior.pass(&set.rows, &[fold], Direction::There, &config))
            .collect();
        let (all, without) = (online.weights.clone(), online.without(&set.rows, 0, &config));
        for id in 0..set.rows.first_pair() {
            let precision = |said: &[Posterior]| f64::from(said[id].precision);
            let together = |folds: &[Vec<Posterior>]| {
                let whole: f64 = 2.0 + folds.iter().map(|said| precision(said) - 2.0).sum::<f64>();
                folds
                    .iter()
                    .map(|said| precision(said) * f64::from(said[id].mean))
                    .sum::<f64>()
                    / whole
            };
            assert!((all.sparse[id] - together(&apart)).abs() < 1e-9);
            assert!((without.sparse[id] - together(&apart[1..])).abs() < 1e-9);
        }
    }

    #[test]
    fn a_few_rows_are_gone_through_there_and_back_also_without_a_fold() {
        let set = training_set(&generate(Scenario::Mixed, 300, 4), true);
        assert!(set.rows.len() < APART);
        let (start, config) = (prior(&set), TrainingConfig::default());
        let online = Online::new(&set.rows, start.clone(), 2.0, &config, &[], NonZeroUsize::MIN);
        let one = |folds: &[u8], direction| online.prior.pass(&set.rows, folds, direction, &config);
        let means = |folds: &[u8]| {
            let passes = one(folds, Direction::There)
                .into_iter()
                .zip(one(folds, Direction::Back));
            passes.map(|(there, back)| f64::midpoint(there.mean.into(), back.mean.into()))
        };
        let sparse = |weights: Weights| weights.sparse.into_iter();
        let is_same = |found: Weights, folds: &[u8]| sparse(found).zip(means(folds)).all(|(a, b)| (a - b).abs() < 1e-6);
        let all: Vec<u8> = (0..10).collect();
        assert!(is_same(online.weights.clone(), &all));
        let once = TrainingConfig {
            epochs: 1.try_into().unwrap(),
            ..config
        };
        let one_pass = Online::new(&set.rows, start.clone(), 2.0, &once, &[], NonZeroUsize::MIN)
            .weights
            .clone();
        let there = one(&all, Direction::There)
            .into_iter()
            .map(|posterior| f64::from(posterior.mean));
        assert!(sparse(one_pass).zip(there).all(|(a, b)| (a - b).abs() < 1e-6));
        assert!(is_same(online.without(&set.rows, 0, &config), &all[1..]));
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
