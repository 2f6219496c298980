//! Fits the weights: L2-penalised logistic regression by dual coordinate ascent in mini-batches.
//!
//! With rows x_i of which n_i samples were seen, k_i of them anomalous, the weights w (bias included, as the weight of a
//! figure that is always 1) minimise
//!
//! ```text
//! P(w) = Σ_i [ n_i ln(1 + e^{z_i}) − k_i z_i ] + λ/2 ‖w − m‖²,    z_i = w·x_i
//! ```
//!
//! where m is the centre of the prior. At the optimum w = m + (1/λ) Σ_i r_i x_i with the residuals r_i = k_i − n_i σ(z_i).
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

use crate::model::weights::{Weights, logistic};
use crate::train::training_set::Rows;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Times that a batch is gone through before the next one: the second time, each row is solved again with what the other rows of the
/// batch have changed since.
const SWEEPS: usize = 2;

/// The state of a fit.
#[derive(Debug)]
pub(crate) struct Sdca {
    weights: Weights,
    residuals: Vec<f64>,
    order: Vec<u32>,
    l2: f64,
    step_size: f64,
}

impl Sdca {
    /// Starts at the centre of the prior.
    pub(crate) fn new(rows: &Rows, prior: Weights, l2: f64, step_size: f64) -> Self {
        Self {
            weights: prior,
            residuals: vec![0.0; rows.len()],
            order: (0..rows.len() as u32).collect(),
            l2,
            step_size,
        }
    }

    /// Goes once through all rows, `batch_size` at a time, in a fresh random order. Returns by how much
    /// a step changed the fitted probability of its row on average, which tends to 0 as the fit converges.
    pub(crate) fn epoch(&mut self, rows: &Rows, batch_size: usize, rng: &mut ChaCha8Rng) -> f64 {
        let mut order = std::mem::take(&mut self.order);
        order.shuffle(rng);
        let mut change = 0.0;
        let mut ids = Vec::new();
        for batch in order.chunks(batch_size) {
            for _ in 0..SWEEPS {
                for &index in batch {
                    change += self.step(rows, index as usize, &mut ids);
                }
            }
        }
        self.order = order;
        change / (SWEEPS * rows.len()) as f64
    }

    /// Moves the residual of one row towards its optimum. Returns by how much the row's probability changed.
    fn step(&mut self, rows: &Rows, index: usize, ids: &mut Vec<u32>) -> f64 {
        let row = rows.row(index, ids);
        let labels = rows.labels(index);
        let total = labels.total() as f64;
        let anomalous = labels.anomalous as f64;
        let squares: f64 = row.dense.iter().map(|x| x * x).sum();
        let q = (1.0 + squares + row.sparse.len() as f64) / self.l2;

        let margin = self.weights.log_odds(row);
        let residual = self.residuals[index];
        let (_, probability) = solve(q * total, margin + q * (anomalous - residual), margin, 1e-9);
        let change = self.step_size * (anomalous - total * probability - residual);
        self.residuals[index] = residual + change;
        self.weights.add_scaled(row, change / self.l2);
        change.abs() / total
    }

    pub(crate) fn into_weights(self) -> Weights {
        self.weights
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
        last_step = (next - s).abs();
        s = next;
        if last_step <= precise_step * (1.0 + s.abs()) {
            break;
        }
    }
    (s, logistic(s))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solve_finds_the_root_from_anywhere() {
        for a in [1e-6, 0.1, 1.0, 50.0, 1e6, 1e12] {
            for c in [-1e6, -40.0, -1.0, 0.0, 0.3, 7.0, 1e3, 1e9] {
                for start in [-1e9, 0.0, 1e9] {
                    let (s, p) = solve(a, c, start, 1e-9);
                    assert_eq!(p, logistic(s));
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
