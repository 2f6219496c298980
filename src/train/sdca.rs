//! Fits the weights: L2-penalised logistic regression by dual coordinate ascent.
//!
//! With rows x_i of which n_i samples were seen, k_i of them anomalous, the weights w (bias included, as the weight of a
//! figure that is always 1) minimise
//!
//! ```text
//! P(w) = Σ_i [ n_i ln(1 + e^{z_i}) − k_i z_i ] + λ/2 ‖w − m‖²,    z_i = w·x_i
//! ```
//!
//! where m is the centre of the prior; the penalty on ordered pairs is a multiple of λ, which is as if their figure were smaller
//! than 1. At the optimum w = m + (1/λ) Σ_i r_i x_i with the residuals r_i = k_i − n_i σ(z_i).
//! Dual coordinate ascent keeps the first equation true at all times and makes the second one true for one row after the
//! other: with q = ‖x_i‖²/λ the new margin s of row i solves
//!
//! ```text
//! s + q n_i σ(s) = z_i + q (k_i − r_i)
//! ```
//!
//! which has exactly one solution. There is no learning rate to tune and no decay to choose, rare n-grams are fitted as
//! well as common ones, and every step raises the dual objective.
//!
//! Source: S. Shalev-Shwartz and T. Zhang, "Stochastic Dual Coordinate Ascent Methods for Regularized Loss Minimization",
//! JMLR 14 (2013); H.-F. Yu, F.-L. Huang and C.-J. Lin, "Dual coordinate descent methods for logistic regression and
//! maximum entropy models", Machine Learning 85 (2011).

use crate::model::config::TrainingConfig;
use crate::model::weights::{PAIR_PENALTY, Weights, logistic};
use crate::train::training_set::{RowBuffer, Rows};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// The last step of Newton's method may be this long, relative to the margin: the error behind it is about the square of that.
const PRECISE_STEP: f64 = 1e-3;

/// The state of a fit.
#[derive(Debug, Clone)]
pub(crate) struct Sdca {
    /// The centre of the prior.
    prior: Weights,
    pub(crate) weights: Weights,
    residuals: Vec<f64>,
    l2: f64,
    /// The rows that are fitted, in the order in which they were visited last.
    order: Vec<u32>,
}

impl Sdca {
    /// Starts at the centre of the prior.
    pub(crate) fn new(rows: &Rows, prior: Weights, l2: f64) -> Self {
        Self {
            weights: prior.clone(),
            prior,
            residuals: vec![0.0; rows.len()],
            l2,
            order: (0..rows.len() as u32).collect(),
        }
    }

    /// The same fit, but for what a fold has added to it.
    pub(crate) fn without(&self, rows: &Rows, fold: u8) -> Self {
        let mut fit = self.clone();
        fit.order = Vec::with_capacity(rows.len());
        let mut buffer = RowBuffer::default();
        let left_out = rows.folds().range(fold);
        for index in 0..rows.len() {
            if left_out.contains(&index) {
                let residual = std::mem::take(&mut fit.residuals[index]);
                fit.weights
                    .add_scaled(rows.row(index, &mut buffer), -residual / self.l2);
            } else {
                fit.order.push(index as u32);
            }
        }
        fit
    }

    /// The same fit under another penalty, its residuals as they are.
    pub(crate) fn with_l2(&self, l2: f64) -> Self {
        let mut weights = self.prior.clone();
        weights.move_towards(&self.weights, self.l2 / l2);
        Self {
            weights,
            l2,
            ..self.clone()
        }
    }

    /// Goes once through all rows that are fitted, in a fresh random order. Returns by how much a step changed the fitted probability
    /// of its row on average, which tends to 0 as the fit converges.
    pub(crate) fn epoch(&mut self, rows: &Rows, config: &TrainingConfig, rng: &mut ChaCha8Rng) -> f64 {
        let mut order = std::mem::take(&mut self.order);
        order.shuffle(rng);
        let mut change = 0.0;
        let mut buffer = RowBuffer::default();
        for &index in &order {
            change += self.step(rows, index as usize, config.learning_rate.get(), &mut buffer);
        }
        self.order = order;
        change / self.order.len() as f64
    }

    /// Moves the residual of one row towards its optimum. Returns by how much the row's probability changed.
    fn step(&mut self, rows: &Rows, index: usize, step_size: f64, buffer: &mut RowBuffer) -> f64 {
        let row = rows.row(index, buffer);
        let labels = rows.labels(index);
        let total = labels.total() as f64;
        let anomalous = labels.anomalous as f64;
        let squares: f64 = row.dense.iter().map(|x| x * x).sum();
        let q = (1.0 + squares + row.sparse.len() as f64 + row.pairs.len() as f64 / PAIR_PENALTY) / self.l2;

        let margin = self.weights.log_odds(row);
        let residual = self.residuals[index];
        let (_, probability) = solve(q * total, margin + q * (anomalous - residual), margin, PRECISE_STEP);
        let change = step_size * (anomalous - total * probability - residual);
        self.residuals[index] = residual + change;
        self.weights.add_scaled(row, change / self.l2);
        change.abs() / total
    }
}

/// The solution s of `s + a σ(s) = c` for a > 0, and σ(s). A step of Newton's method of at most `precise_step` (1 + |s|) is
/// the last: behind it the error is about the square of that, or what rounding leaves of it.
///
/// The left side rises with a slope of at least 1, so the solution lies in [c − a, c]. Newton's method is tried first and
/// the bracket halved wherever it does not at least halve its own step, so the solution is found from any `start`.
pub(crate) fn solve(a: f64, c: f64, start: f64, precise_step: f64) -> (f64, f64) {
    let (mut low, mut high) = (c - a, c);
    let mut s = start.clamp(low, high);
    let mut last_step = high - low;
    for _ in 0..200 {
        let p = logistic(s);
        let excess = s + a * p - c;
        if excess > 0.0 {
            high = s;
        } else {
            low = s;
        }
        let mut next = s - excess / (1.0 + a * p * (1.0 - p));
        if !(low..=high).contains(&next) || (next - s).abs() > 0.5 * last_step {
            next = f64::midpoint(low, high);
        }
        let step = next - s;
        if step.abs() <= precise_step * (1.0 + next.abs()) {
            // So short a step leaves the line by no more than its square.
            return (next, p + p * (1.0 - p) * step);
        }
        (s, last_step) = (next, step.abs());
    }
    (s, logistic(s))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::synthetic::{Scenario, generate};
    use crate::random::{Purpose, stream};
    use crate::train::training_set::tests::training_set;

    /// The weights that residuals stand for: m + (1/λ) Σ r x.
    fn of_residuals(fit: &Sdca, rows: &Rows) -> Weights {
        let mut weights = fit.prior.clone();
        let mut buffer = RowBuffer::default();
        for index in 0..rows.len() {
            weights.add_scaled(rows.row(index, &mut buffer), fit.residuals[index] / fit.l2);
        }
        weights
    }

    fn furthest(a: &Weights, b: &Weights) -> f64 {
        let all = |weights: &Weights| -> Vec<f64> {
            let dense = weights.dense.iter().chain([&weights.bias]);
            weights.sparse.iter().chain(dense).copied().collect()
        };
        let pairs = all(a).into_iter().zip(all(b));
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn weights_are_always_those_of_the_residuals_also_without_a_fold_and_under_another_penalty() {
        let set = training_set(&generate(Scenario::Mixed, 300, 1), true);
        let rows = &set.rows;
        let config = TrainingConfig::default();
        let prior = Weights::prior(set.width, -1.0, config.anomaly_threshold);
        let mut rng = stream(1, Purpose::Shuffle);
        let mut fit = Sdca::new(rows, prior.clone(), 4.0);
        for _ in 0..10 {
            fit.epoch(rows, &config, &mut rng);
        }
        assert!(furthest(&fit.weights, &prior) > 0.1);
        let (without, weaker) = (fit.without(rows, 3), fit.with_l2(1.0));
        for fit in [&fit, &without, &weaker] {
            assert!(furthest(&fit.weights, &of_residuals(fit, rows)) < 1e-9);
        }
        for index in 0..rows.len() {
            assert!(rows.folds().of(index) != 3 || without.residuals[index] == 0.0);
        }
        // Whatever it begins with, it leads to the optimum of the rows that are left.
        let (mut long, mut afresh) = (without, Sdca::new(rows, prior, 4.0).without(rows, 3));
        for _ in 0..300 {
            long.epoch(rows, &config, &mut rng);
            afresh.epoch(rows, &config, &mut rng);
        }
        assert!(furthest(&long.weights, &afresh.weights) < 1e-6);
    }

    #[test]
    fn solve_finds_the_root_from_anywhere() {
        for a in [1e-6, 0.1, 1.0, 50.0, 1e6, 1e12] {
            for c in [-1e6, -40.0, -1.0, 0.0, 0.3, 7.0, 1e3, 1e9] {
                for start in [-1e9, 0.0, 1e9] {
                    let (s, p) = solve(a, c, start, 1e-9);
                    assert!((p - logistic(s)).abs() < 1e-12);
                    let excess = s + a * logistic(s) - c;
                    let slope = 1.0 + a * logistic(s) * (1.0 - logistic(s));
                    assert!(
                        (excess / slope).abs() <= 1e-6 * (1.0 + s.abs()),
                        "a {a} c {c} start {start}: {s}"
                    );
                }
            }
        }
    }
}
