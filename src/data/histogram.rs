//! Histograms of risk scores, and how far two of them are apart.

use crate::bounded_map::distinct_map;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Bins of equal width over 0..1.
pub(crate) const BINS: usize = 10;
/// Added to every count, so that an empty bin has a logarithm.
const EPSILON: f64 = 1e-6;

/// How many scores fall into each tenth of 0..1; the last one also holds 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Histogram(pub [u64; BINS]);

/// A histogram for each cohort; the empty name is that of events without one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baselines(#[serde(deserialize_with = "distinct_map")] pub BTreeMap<String, Histogram>);

impl Histogram {
    /// Counts a score, limited to 0..1.
    pub fn add(&mut self, score: f64) {
        let bin = (score.clamp(0.0, 1.0) * BINS as f64).floor() as usize;
        let count = &mut self.0[bin.min(BINS - 1)];
        *count = count.saturating_add(1);
    }

    /// Counts `count` scores.
    pub(crate) fn add_many(&mut self, score: f64, count: u64) {
        let mut one = Self::default();
        one.add(score);
        self.0
            .iter_mut()
            .zip(one.0)
            .for_each(|(sum, one)| *sum = sum.saturating_add(one * count));
    }

    /// How many scores there are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().fold(0, |sum, &count| sum.saturating_add(count))
    }

    fn shares(&self) -> [f64; BINS] {
        let total = self.total() as f64 + BINS as f64 * EPSILON;
        self.0.map(|count| (count as f64 + EPSILON) / total)
    }
}

/// How far a distribution is from its baseline, by three measures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Drift {
    /// Population stability index.
    pub(crate) psi: f64,
    /// Kullback-Leibler divergence from the baseline, in nats.
    pub(crate) kl: f64,
    /// Jensen-Shannon distance, 0..1: the square root of the divergence in nats.
    pub(crate) js: f64,
}

impl Drift {
    pub(crate) fn between(current: &Histogram, baseline: &Histogram) -> Self {
        let (current, baseline) = (current.shares(), baseline.shares());
        let mut drift = Self {
            psi: 0.0,
            kl: 0.0,
            js: 0.0,
        };
        let mut divergence = 0.0;
        for (&c, &b) in current.iter().zip(&baseline) {
            let ratio = libm::log(c / b);
            drift.psi += (c - b) * ratio;
            drift.kl += c * ratio;
            let middle = (c + b) / 2.0;
            divergence += 0.5 * c * libm::log(c / middle) + 0.5 * b * libm::log(b / middle);
        }
        drift.js = divergence.max(0.0).sqrt().min(1.0);
        drift
    }

    /// The largest of the three.
    pub(crate) fn score(&self) -> f64 {
        self.psi.max(self.kl).max(self.js)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_fall_into_tenths_and_outside_ones_into_the_outermost() {
        let mut histogram = Histogram::default();
        for score in [-1.0, 0.0, 0.0999, 0.1, 0.5, 0.95, 1.0, 7.0] {
            histogram.add(score);
        }
        assert_eq!(histogram.0, [3, 1, 0, 0, 0, 1, 0, 0, 0, 3]);
    }

    #[test]
    fn divergences_are_what_a_hand_works_out() {
        // Without the epsilon, c = (3/4, 1/4) and b = (1/4, 3/4): PSI = 2 * 0.5 ln 3, KL = 0.5 ln 3,
        // JS divergence = 0.75 ln 1.5 + 0.25 ln 0.5 = 0.130812035941137.
        let mut current = Histogram::default();
        let mut baseline = Histogram::default();
        (current.0[0], current.0[9], baseline.0[0], baseline.0[9]) = (3000, 1000, 1000, 3000);
        let drift = Drift::between(&current, &baseline);
        let ln3 = 1.098_612_288_668_109_8;
        assert!(
            (drift.psi - ln3).abs() < 1e-6 && (drift.kl - ln3 / 2.0).abs() < 1e-6,
            "{drift:?}"
        );
        assert!((drift.js * drift.js - 0.130_812_035_941_137).abs() < 1e-6, "{drift:?}");
        assert_eq!(drift.score(), drift.psi);
        let same = Drift::between(&baseline, &baseline);
        assert_eq!((same.psi, same.kl, same.js), (0.0, 0.0, 0.0));
    }
}
