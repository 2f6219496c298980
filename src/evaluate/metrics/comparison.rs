//! Two models beside each other on the same samples.

use super::Scored;
use super::interval::{Interval, Scale, jackknife};
use super::sums::{blocks, loss};
use serde::{Deserialize, Serialize};

/// How much higher the loss of one model is than that of another on the same samples: the log loss of the label, or of the next action
/// if neither knows labels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// How many samples there are.
    pub samples: u64,
    /// By how much it is higher, in nats; below 0 if it is lower.
    #[cfg_attr(feature = "schema", schemars(range(min = -40, max = 40)))]
    pub higher: f64,
    /// The interval of that for other groups of the same kind.
    pub interval: Interval,
}

impl Comparison {
    /// Compares what two models said of the same samples, in the same order; `None` without samples.
    ///
    /// The difference is taken sample by sample, so what makes a sample hard for both takes no part in its interval.
    #[must_use]
    pub fn of(these: &[Scored], others: &[Scored]) -> Option<Self> {
        let higher = these
            .iter()
            .zip(others)
            .map(|(this, other)| loss(this.score.get(), this.label) - loss(other.score.get(), other.label));
        Self::of_differences(these, higher)
    }

    /// The same for how much `higher` the loss of each of `samples` is, whatever loss that is.
    pub(crate) fn of_differences(samples: &[Scored], higher: impl Iterator<Item = f64>) -> Option<Self> {
        let (blocks, _, count) = blocks(samples);
        let mut sums = vec![(0.0, 0_u64); count];
        for ((sample, difference), block) in samples.iter().zip(higher).zip(blocks) {
            let (higher, samples) = &mut sums[usize::from(block)];
            *higher += sample.count as f64 * difference;
            *samples += sample.count;
        }
        let all = sums
            .iter()
            .fold((0.0, 0), |all, block| (all.0 + block.0, all.1 + block.1));
        let mean = |(sum, samples): (f64, u64)| (samples > 0).then(|| sum / samples as f64);
        let higher = mean(all)?;
        let without: Vec<Option<f64>> = sums
            .iter()
            .map(|block| mean((all.0 - block.0, all.1 - block.1)))
            .collect();
        Some(Self {
            samples: all.1,
            higher,
            interval: jackknife(higher, &without, Scale::Own).interval,
        })
    }

    /// Whether it can have come out of [`of`](Self::of).
    #[cfg(feature = "registry")]
    pub(crate) fn is_possible(&self) -> bool {
        let Interval(low, high) = self.interval;
        low <= self.higher && self.higher <= high && [low, high].iter().all(|end| end.abs() <= super::MAX_LOSS)
    }
}
