//! Whether scores mean what they say: of the sequences with a score near 0.2, are 20 % anomalous?

use super::{Scored, ratio};
use crate::bounds::Bins;
use crate::data::label::Label;
use serde::Serialize;

/// The samples whose P(anomalous) lies in one of the equal-width bins of 0..1. A bin holds its lower edge; the last one
/// holds 1 as well.
///
/// The expected calibration error is the mean over all samples of |mean score − share of anomalous samples| of their bin,
/// on the probability of the positive class. Source: M. P. Naeini, G. F. Cooper and M. Hauskrecht, "Obtaining well
/// calibrated probabilities using Bayesian binning", AAAI 2015.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ReliabilityBin {
    /// Lower edge of the bin.
    pub low: f64,
    /// Upper edge of the bin.
    pub high: f64,
    /// Number of samples in the bin.
    pub samples: u64,
    /// How many of them are anomalous.
    pub anomalous: u64,
    /// Mean of their scores, if there are any.
    pub mean_score: Option<f64>,
    /// Share of them that is anomalous, if there are any.
    pub anomalous_share: Option<f64>,
    #[serde(skip)]
    score_sum: f64,
}

/// Where bin `index` of `count` begins.
fn edge(index: u32, count: u32) -> f64 {
    f64::from(index) / f64::from(count)
}

/// Which of `count` bins a score is in.
fn bin_of(score: f64, count: u32) -> usize {
    // The product may be off by a rounding error, so the edges themselves decide.
    let mut index = ((score * f64::from(count)) as u32).min(count - 1);
    if score < edge(index, count) {
        index -= 1;
    } else if score >= edge(index + 1, count) && index + 1 < count {
        index += 1;
    }
    index as usize
}

/// Sorts the samples into `bins` bins by score.
#[must_use]
pub fn reliability_bins(scored: &[Scored], bins: Bins) -> Vec<ReliabilityBin> {
    let count = bins.get();
    let mut bins: Vec<ReliabilityBin> = (0..count)
        .map(|index| ReliabilityBin {
            low: edge(index, count),
            high: edge(index + 1, count),
            samples: 0,
            anomalous: 0,
            mean_score: None,
            anomalous_share: None,
            score_sum: 0.0,
        })
        .collect();
    for sample in scored {
        let score = sample.score.get();
        let bin = &mut bins[bin_of(score, count)];
        bin.samples += sample.count;
        bin.score_sum += score * sample.count as f64;
        if sample.label == Label::Anomalous {
            bin.anomalous += sample.count;
        }
    }
    for bin in bins.iter_mut().filter(|bin| bin.samples > 0) {
        bin.mean_score = Some(bin.score_sum / bin.samples as f64);
        bin.anomalous_share = ratio(bin.anomalous, bin.samples);
    }
    bins
}

impl ReliabilityBin {
    /// The sum of the scores less the number of anomalous samples.
    pub(super) fn gap(&self) -> f64 {
        self.score_sum - self.anomalous as f64
    }
}

/// The calibration error that scores which mean exactly what they say would show on so many samples by chance alone, on average;
/// undefined without samples.
///
/// In each bin, the number of anomalous samples has the variance sum of p (1 - p), and the mean distance of a normal variable from
/// its mean is sqrt(2 / pi) standard deviations.
pub(super) fn chance_level(scored: &[Scored], bins: Bins) -> Option<f64> {
    let mut variances = vec![0.0; bins.get() as usize];
    for sample in scored {
        let score = sample.score.get();
        variances[bin_of(score, bins.get())] += sample.count as f64 * score * (1.0 - score);
    }
    let samples: u64 = scored.iter().map(|sample| sample.count).sum();
    let distances: f64 = variances.into_iter().map(libm::sqrt).sum();
    (samples > 0).then(|| (libm::sqrt(std::f64::consts::FRAC_2_PI) * distances / samples as f64).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::scored::one;

    #[test]
    fn every_bin_holds_its_lower_edge_and_the_last_one_also_1() {
        for count in [1, 2, 3, 7, 10, 15, 49, 100, 1000] {
            let edges = (0..=count).map(|i| one(i as f64 / count as f64, Label::Normal));
            let scored: Vec<Scored> = edges.collect();
            let bins = reliability_bins(&scored, count.try_into().unwrap());
            let expected = (0..count).map(|i| 1 + u64::from(i + 1 == count));
            assert!(bins.iter().map(|bin| bin.samples).eq(expected), "{count} bins");
        }
    }
}
