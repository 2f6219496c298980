//! The weights of the logistic regression, and the log odds that they give.

use super::features::{ACTION_OOV, DENSE_COUNT, NGRAM_OOV, Row};

/// Where the prior of the two out-of-vocabulary weights is centred: unless the data say otherwise, a sequence of nothing but
/// unknown actions has its odds raised e⁴-fold.
pub(crate) const OOV_PRIOR: f64 = 2.0;

/// The weights of a logistic regression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Weights {
    pub(crate) bias: f64,
    pub(crate) dense: [f64; DENSE_COUNT],
    /// One weight for each action, then one for each n-gram.
    pub(crate) sparse: Vec<f64>,
}

impl Weights {
    /// The log odds that a sequence with these features is anomalous.
    pub(crate) fn log_odds(&self, row: Row<'_>) -> f64 {
        let dense: f64 = row.dense.iter().zip(&self.dense).map(|(x, w)| x * w).sum();
        let sparse: f64 = row.sparse.iter().map(|&id| self.sparse[id as usize]).sum();
        self.bias + dense + sparse
    }

    /// Goes `part` of the way to `other`.
    pub(crate) fn move_towards(&mut self, other: &Self, part: f64) {
        let ours = self.sparse.iter_mut().chain(&mut self.dense).chain([&mut self.bias]);
        let theirs = other.sparse.iter().chain(&other.dense).chain([&other.bias]);
        for (ours, theirs) in ours.zip(theirs) {
            *ours += part * (theirs - *ours);
        }
    }

    /// The centre of the prior: `base_log_odds` for the bias, [`OOV_PRIOR`] for the two out-of-vocabulary rates, and 0 for all
    /// others. `features` is the number of actions and n-grams.
    pub(crate) fn prior(features: usize, base_log_odds: f64) -> Self {
        let mut dense = [0.0; DENSE_COUNT];
        dense[ACTION_OOV] = OOV_PRIOR;
        dense[NGRAM_OOV] = OOV_PRIOR;
        Self {
            bias: base_log_odds,
            dense,
            sparse: vec![0.0; features],
        }
    }

    /// Adds `scale` times the features of a row.
    pub(crate) fn add_scaled(&mut self, row: Row<'_>, scale: f64) {
        self.bias += scale;
        for (weight, x) in self.dense.iter_mut().zip(row.dense) {
            *weight += scale * x;
        }
        for &id in row.sparse {
            self.sparse[id as usize] += scale;
        }
    }
}

/// The logistic function, P = 1 / (1 + e^−log_odds).
pub(crate) fn logistic(log_odds: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-log_odds))
}
