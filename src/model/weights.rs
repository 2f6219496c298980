//! The weights of the logistic regression, and the log odds that they give.

use super::features::{ACTION_OOV, DENSE_COUNT, NGRAM_OOV, Row};
use crate::bounds::OpenUnitInterval;

/// Where the prior of the two out-of-vocabulary weights is centred at least: unless the data say otherwise, a sequence of nothing
/// but unknown actions has its odds raised e⁴-fold.
const OOV_PRIOR: f64 = 2.0;
/// By how much, in log odds, such a sequence lies above the threshold at least, however rare anomalies are.
const OOV_MARGIN: f64 = 2.0;

/// How much stronger than that of other weights the penalty on the weight of an ordered pair is. There are many more pairs than
/// n-grams, and a pair says less.
pub(crate) const PAIR_PENALTY: f64 = 3.0;

/// The weights of a logistic regression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Weights {
    pub(crate) bias: f64,
    pub(crate) dense: [f64; DENSE_COUNT],
    /// One weight for each action, then one for each n-gram, then one for each ordered pair.
    pub(crate) sparse: Vec<f64>,
}

impl Weights {
    /// The log odds that a sequence with these features is anomalous.
    pub(crate) fn log_odds(&self, row: Row<'_>) -> f64 {
        let dense: f64 = row.dense.iter().zip(&self.dense).map(|(x, w)| x * w).sum();
        self.bias + dense + self.sum(row.sparse) + self.sum(row.pairs)
    }

    /// The sum of the weights of sparse features, as four sums side by side that do not wait for each other.
    pub(crate) fn sum(&self, ids: &[u32]) -> f64 {
        let weight = |&id: &u32| self.sparse[id as usize];
        let (fours, rest) = ids.as_chunks();
        let mut sums = fours.iter().fold([0.0; 4], |[a, b, c, d], [i, j, k, l]| {
            [a + weight(i), b + weight(j), c + weight(k), d + weight(l)]
        });
        sums.iter_mut().zip(rest).for_each(|(sum, id)| *sum += weight(id));
        (sums[0] + sums[1]) + (sums[2] + sums[3])
    }

    /// Goes `part` of the way to `other`.
    pub(crate) fn move_towards(&mut self, other: &Self, part: f64) {
        let ours = self.sparse.iter_mut().chain(&mut self.dense).chain([&mut self.bias]);
        let theirs = other.sparse.iter().chain(&other.dense).chain([&other.bias]);
        for (ours, theirs) in ours.zip(theirs) {
            *ours += part * (theirs - *ours);
        }
    }

    /// Multiplies all weights by `factor`.
    pub(crate) fn scale(&mut self, factor: f64) {
        let all = self.sparse.iter_mut().chain(&mut self.dense).chain([&mut self.bias]);
        all.for_each(|weight| *weight *= factor);
    }

    /// Leaves the digits that matter: of log odds a millionth is nothing, not even of hundreds together, and a file takes half the room.
    pub(crate) fn round(&mut self) {
        const STEPS: f64 = 1e6;
        let all = self.sparse.iter_mut().chain(&mut self.dense).chain([&mut self.bias]);
        // Adding 0 turns a negative zero into zero.
        all.for_each(|weight| *weight = (*weight * STEPS).round() / STEPS + 0.0);
    }

    /// The centre of the prior: `base_log_odds` for the bias, 0 for all others but the two out-of-vocabulary rates. These raise a
    /// sequence of nothing but unknown actions above `threshold`. `features` is the number of sparse features.
    pub(crate) fn prior(features: usize, base_log_odds: f64, threshold: OpenUnitInterval) -> Self {
        let oov = OOV_PRIOR.max((log_odds(threshold.get()) + OOV_MARGIN - base_log_odds) / 2.0);
        let mut dense = [0.0; DENSE_COUNT];
        dense[ACTION_OOV] = oov;
        dense[NGRAM_OOV] = oov;
        Self {
            bias: base_log_odds,
            dense,
            sparse: vec![0.0; features],
        }
    }

    /// Adds `scale` times the features of a row, ordered pairs as far as their [penalty](PAIR_PENALTY) lets them.
    pub(crate) fn add_scaled(&mut self, row: Row<'_>, scale: f64) {
        self.bias += scale;
        for (weight, x) in self.dense.iter_mut().zip(row.dense) {
            *weight += scale * x;
        }
        for &id in row.sparse {
            self.sparse[id as usize] += scale;
        }
        for &id in row.pairs {
            self.sparse[id as usize] += scale / PAIR_PENALTY;
        }
    }
}

/// The log odds of a probability, the inverse of [`logistic`].
pub(crate) fn log_odds(probability: f64) -> f64 {
    libm::log(probability / (1.0 - probability))
}

/// The logistic function, P = 1 / (1 + e^−log_odds).
pub(crate) fn logistic(log_odds: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-log_odds))
}
