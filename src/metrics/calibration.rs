//! Whether scores mean what they say: of the sequences with a score near 0.2, are 20 % anomalous?

use super::Scored;
use crate::dataset::Label;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

/// The samples whose P(anomalous) lies in one of the equal-width bins of 0..1. A bin holds its lower edge; the last one
/// holds 1 as well.
///
/// The expected calibration error is the mean over all samples of |mean score − share of anomalous samples| of their bin,
/// on the probability of the positive class. Source: M. P. Naeini, G. F. Cooper and M. Hauskrecht, "Obtaining well
/// calibrated probabilities using Bayesian binning", AAAI 2015.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Number of samples in the bin.
    pub samples: u64,
    /// How many of them are anomalous.
    pub anomalous: u64,
    /// Sum of their scores.
    pub score_sum: f64,
}

impl ReliabilityBin {
    /// Mean score of the samples, if there are any.
    #[must_use]
    pub fn mean_score(&self) -> Option<f64> {
        (self.samples > 0).then(|| self.score_sum / self.samples as f64)
    }

    /// Share of the samples that are anomalous, if there are any.
    #[must_use]
    pub fn anomalous_share(&self) -> Option<f64> {
        super::ratio(self.anomalous, self.samples)
    }
}

/// Sorts the samples into `bins` bins by score; scores lie in 0..1.
#[must_use]
pub fn reliability_bins(scored: &[Scored], bins: NonZeroU32) -> Vec<ReliabilityBin> {
    let bins = bins.get();
    let mut filled = vec![ReliabilityBin::default(); bins as usize];
    for &(score, label) in scored {
        let index = (score * f64::from(bins)) as usize;
        let bin = &mut filled[index.min(bins as usize - 1)];
        bin.samples += 1;
        bin.anomalous += u64::from(label == Label::Anomalous);
        bin.score_sum += score;
    }
    filled
}

/// The expected calibration error, undefined without samples.
pub(super) fn expected_calibration_error(bins: &[ReliabilityBin]) -> Option<f64> {
    let samples: u64 = bins.iter().map(|bin| bin.samples).sum();
    // |mean score - share| times the share of samples in the bin is |score sum - anomalous| / all samples.
    let gap: f64 = bins
        .iter()
        .map(|bin| (bin.score_sum - bin.anomalous as f64).abs())
        .sum();
    (samples > 0).then(|| gap / samples as f64)
}
