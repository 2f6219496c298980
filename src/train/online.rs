//! Fits the weights online, as the mean over a few passes, for training parts so large that their optimum is not worth its
//! time.
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
//! A step counts less the more has been seen of a weight, so there is no rate to tune, and the means after one pass predict
//! better than the optimum does where most n-grams are rare. What is left is the influence of the order, which the model
//! gets rid of by being the mean over several passes. Each starts again from the prior; the second goes the way of the first
//! back, the fourth that of the third: what came late in the one comes early in the other, so the mean of two such passes is
//! nearer to what no order favours than that of three in orders of their own.
//!
//! Source: T. Jaakkola and M. Jordan, "Bayesian parameter estimation via variational methods", Statistics and Computing 10
//! (2000), for the bound; the precisions are kept for each weight alone, as in O. Chapelle and L. Li, "An empirical
//! evaluation of Thompson sampling", NIPS (2011).

use crate::model::config::TrainingConfig;
use crate::model::features::DENSE_COUNT;
use crate::model::weights::{Weights, logistic};
use crate::parallel::map;
use crate::random::{Purpose, pass_stream, stream};
use crate::train::sdca::solve;
use crate::train::training_set::Rows;
use rand::seq::SliceRandom;

/// One row in this many is held out, to see whether another pass helps.
const HELD_OUT: usize = 100;
/// The part by which another pass must lower the log loss on the rows held out, or it is the last.
const WORTHWHILE: f64 = 0.01;

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

/// The state of a fit.
#[derive(Debug)]
pub(crate) struct OnlineFit {
    prior: Weights,
    config: TrainingConfig,
    /// Whether the passes may be worked out two at a time.
    in_pairs: bool,
    held_out: Vec<bool>,
    passes: u32,
    /// The next pass, if it has been worked out together with the last one.
    ahead: Option<Weights>,
    mean: Weights,
    loss: f64,
}

impl OnlineFit {
    /// Starts at `prior`. With `in_pairs` two passes are worked out at a time, which changes no result.
    pub(crate) fn new(rows: &Rows, prior: Weights, config: &TrainingConfig, in_pairs: bool) -> Self {
        let mut order: Vec<u32> = (0..rows.len() as u32).collect();
        order.shuffle(&mut stream(config.seed, Purpose::HoldOut));
        let mut held_out = vec![false; rows.len()];
        for &row in &order[..rows.len() / HELD_OUT] {
            held_out[row as usize] = true;
        }
        Self {
            mean: prior.clone(),
            prior,
            config: *config,
            in_pairs,
            held_out,
            passes: 0,
            ahead: None,
            loss: f64::INFINITY,
        }
    }

    /// Makes one more pass. Returns whether yet another one may help.
    pub(crate) fn epoch(&mut self, rows: &Rows) -> bool {
        let number = self.passes;
        let weights = self.ahead.take().unwrap_or_else(|| {
            let wanted = if self.in_pairs { 2 } else { 1 };
            let end = self.config.epochs.get().min(number.saturating_add(wanted));
            let numbers: Vec<u32> = (number..end.max(number + 1)).collect();
            let mut passes = map(&numbers, |&number| self.pass(rows, number)).into_iter();
            let first = passes.next();
            self.ahead = passes.next();
            first.unwrap_or_else(|| self.prior.clone())
        });
        self.passes += 1;
        self.mean.move_towards(&weights, 1.0 / f64::from(self.passes));
        let loss = self.loss_on_held_out(rows);
        let helped = loss < (1.0 - WORTHWHILE) * self.loss;
        self.loss = loss;
        helped && self.passes < self.config.epochs.get()
    }

    /// The log loss on the rows that were held out.
    pub(crate) fn loss(&self) -> f64 {
        self.loss
    }

    pub(crate) fn into_weights(self) -> Weights {
        self.mean
    }

    /// What is learned from all rows but those held out, starting from the prior. The order of the batches is drawn for each
    /// pair of passes, and the second goes it backwards; the rows of a batch stand side by side in memory.
    fn pass(&self, rows: &Rows, number: u32) -> Weights {
        let precision = self.config.l2.get() as f32;
        let batch_size = self.config.batch_size.get() as usize;
        let step_size = self.config.learning_rate.get();
        let as_prior = |&mean: &f64| Posterior {
            mean: mean as f32,
            precision,
        };
        let mut sparse: Vec<Posterior> = self.prior.sparse.iter().map(as_prior).collect();
        let mut dense = self.prior.dense.each_ref().map(as_prior);
        let mut bias = as_prior(&self.prior.bias);

        let mut batches: Vec<usize> = (0..rows.len().div_ceil(batch_size)).collect();
        batches.shuffle(&mut pass_stream(self.config.seed, number / 2));
        if number % 2 == 1 {
            batches.reverse();
        }
        let (mut ids, mut means, mut variances) = (Vec::new(), Vec::new(), Vec::new());
        for batch in batches {
            let first = batch * batch_size;
            for index in first..rows.len().min(first + batch_size) {
                if self.held_out[index] {
                    continue;
                }
                let row = rows.row(index, &mut ids);
                let mut margin = f64::from(bias.mean);
                let mut variance = 1.0 / f64::from(bias.precision);
                for (posterior, x) in dense.iter().zip(row.dense) {
                    margin += f64::from(posterior.mean) * x;
                    variance += x * x / f64::from(posterior.precision);
                }
                means.clear();
                means.extend(row.sparse.iter().map(|&id| sparse[id as usize].mean));
                margin += sum(&means);
                variances.clear();
                variances.extend(row.sparse.iter().map(|&id| sparse[id as usize].precision));
                variances.iter_mut().for_each(|value| *value = 1.0 / *value);
                variance += sum(&variances);

                let labels = rows.labels(index);
                let samples = labels.total() as f64;
                let anomalous = labels.anomalous as f64;
                let (target, probability) =
                    solve(variance * samples, margin + variance * anomalous, margin, PRECISE_STEP);
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
                for (&id, variance) in row.sparse.iter().zip(&variances) {
                    let posterior = &mut sparse[id as usize];
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

    fn loss_on_held_out(&self, rows: &Rows) -> f64 {
        let mut ids = Vec::new();
        let (mut loss, mut samples) = (0.0, 0.0);
        for index in (0..rows.len()).filter(|&index| self.held_out[index]) {
            let score = logistic(self.mean.log_odds(rows.row(index, &mut ids)));
            let labels = rows.labels(index);
            let of = |count: u64, given: f64| -(count as f64) * libm::log(given.max(f64::EPSILON));
            loss += of(labels.anomalous, score) + of(labels.normal, 1.0 - score);
            samples += labels.total() as f64;
        }
        loss / samples
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
    use crate::train::sdca::Sdca;
    use crate::train::training_set::TrainingSet;

    fn set(data: &Dataset) -> TrainingSet {
        TrainingSet::build(data, &data.all(), 3, usize::MAX, 2.try_into().unwrap())
    }

    fn prior(set: &TrainingSet) -> Weights {
        Weights::prior(set.width, -1.0)
    }

    fn fitted(set: &TrainingSet, config: &TrainingConfig, in_pairs: bool) -> (Weights, f64, u32) {
        let mut fit = OnlineFit::new(&set.rows, prior(set), config, in_pairs);
        while fit.epoch(&set.rows) {}
        (fit.mean.clone(), fit.loss(), fit.passes)
    }

    #[test]
    fn after_one_row_the_means_are_the_optimum_of_that_row_and_the_prior() {
        let mut data = DatasetBuilder::new();
        for label in [Label::Anomalous, Label::Anomalous, Label::Normal] {
            data.push(["a", "b", "a"], label, None).unwrap();
        }
        let set = set(&data.build());
        let config = TrainingConfig::default();
        let start = prior(&set);
        let mut fit = OnlineFit::new(&set.rows, start.clone(), &config, false);
        fit.epoch(&set.rows);
        let weights = fit.into_weights();
        let mut ids = Vec::new();
        let row = set.rows.row(0, &mut ids);
        // Where the penalty and the likelihood of 3 samples, 2 of them anomalous, balance: λ (w − m) = x (2 − 3 σ(w·x)).
        let residual = 2.0 - 3.0 * logistic(weights.log_odds(row));
        let balance = |weight: f64, start: f64, x: f64| (config.l2.get() * (weight - start) - x * residual).abs();
        assert!(residual.abs() > 0.01);
        assert!(balance(weights.bias, start.bias, 1.0) < 1e-5);
        for (index, x) in row.dense.into_iter().enumerate() {
            assert!(balance(weights.dense[index], start.dense[index], x) < 1e-5);
        }
        for &id in row.sparse {
            assert!(balance(weights.sparse[id as usize], 0.0, 1.0) < 1e-5);
        }
    }

    #[test]
    fn passes_worked_out_two_at_a_time_are_the_same_passes() {
        let set = set(&generate(Scenario::Mixed, 3000, 4));
        for most in [1, 2, 3, 10] {
            let config = TrainingConfig {
                epochs: most.try_into().unwrap(),
                ..TrainingConfig::default()
            };
            let (one, two) = (fitted(&set, &config, false), fitted(&set, &config, true));
            assert!(u64::from(one.2) <= most && one.1.is_finite());
            assert_eq!(one, two);
        }
    }

    #[test]
    fn few_passes_predict_nearly_as_well_as_the_optimum_on_sequences_that_were_held_out() {
        let set = set(&generate(Scenario::Mixed, 20_000, 5));
        let config = TrainingConfig::default();
        let (_, online, passes) = fitted(&set, &config, true);
        assert!(passes < 10);

        // The optimum has seen the rows that are held out here, so it has the easier task.
        let mut optimizer = Sdca::new(&set.rows, prior(&set), config.l2.get(), 1.0);
        let mut rng = stream(1, Purpose::Shuffle);
        for _ in 0..10 {
            optimizer.epoch(&set.rows, 32, &mut rng);
        }
        let mut fit = OnlineFit::new(&set.rows, prior(&set), &config, false);
        fit.mean = optimizer.into_weights();
        let optimum = fit.loss_on_held_out(&set.rows);
        assert!(online < 1.5 * optimum && online < 0.16, "{online} {optimum}");
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
