//! From a surprise to a p-value: how many normal samples, scored by models that had not seen them, were at least as surprising.
//!
//! Source: V. Vovk, "Cross-conformal predictors", Annals of Mathematics and Artificial Intelligence 74 (2015).

use crate::bounds::OpenUnitInterval;
use crate::data::label::MAX_SAMPLES;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Steps of surprise in a bit. What lies in one step is taken to be equally surprising.
pub(crate) const STEPS: f64 = 1024.0;
/// Most steps: far more than a sequence of the greatest length can reach.
const MOST_STEPS: f64 = 4e15;

/// How surprising normal samples were to models that were trained without them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Conformal {
    /// The steps in which there are samples, ascending.
    steps: Vec<u64>,
    /// For each of them, how many samples lie in it or above.
    at_least: Vec<u64>,
}

/// The same as it stands in a model file: `[step, samples]`, ascending.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub(crate) struct Steps(Vec<(u64, u64)>);

impl Conformal {
    /// Of samples with these surprises, in bits, and how many there are of each.
    pub(crate) fn of(surprises: impl IntoIterator<Item = (f64, u64)>) -> Self {
        let mut counts = BTreeMap::new();
        for (surprise, count) in surprises {
            *counts.entry(step(surprise)).or_default() += count;
        }
        Self::from_steps(&counts.into_iter().collect::<Vec<_>>())
    }

    fn from_steps(steps: &[(u64, u64)]) -> Self {
        let mut at_least: Vec<u64> = steps.iter().map(|&(_, count)| count).collect();
        for place in (1..at_least.len()).rev() {
            at_least[place - 1] += at_least[place];
        }
        Self {
            steps: steps.iter().map(|&(step, _)| step).collect(),
            at_least,
        }
    }

    /// How many samples there are.
    pub(crate) fn samples(&self) -> u64 {
        self.at_least.first().copied().unwrap_or(0)
    }

    /// How many of them are at least as surprising.
    pub(crate) fn at_least(&self, surprise: f64) -> u64 {
        let place = self.steps.partition_point(|&other| other < step(surprise));
        self.at_least.get(place).copied().unwrap_or(0)
    }

    /// One minus the p-value (1 + samples at least as surprising) / (1 + samples), 0..1.
    pub(crate) fn score(&self, surprise: f64) -> f64 {
        score(self.at_least(surprise), self.samples())
    }

    /// The steps as they stand in a model file.
    pub(crate) fn to_steps(&self) -> Steps {
        let next = self.at_least.iter().skip(1).chain(&[0]);
        let counts = self.at_least.iter().zip(next).map(|(here, above)| here - above);
        Steps(self.steps.iter().copied().zip(counts).collect())
    }
}

impl Steps {
    /// What they stand for, if they can have come out of [`Conformal::to_steps`].
    pub(crate) fn into_conformal(self) -> Option<Conformal> {
        let total = self
            .0
            .iter()
            .try_fold(0_u64, |sum, &(_, count)| sum.checked_add(count).filter(|_| count > 0));
        let possible = total.is_some_and(|total| total <= MAX_SAMPLES)
            && self.0.is_sorted_by(|a, b| a.0 < b.0)
            && self.0.last().is_none_or(|&(step, _)| step as f64 <= MOST_STEPS);
        possible.then(|| Conformal::from_steps(&self.0))
    }
}

/// One minus the p-value where `at_least` of `samples` normal samples are at least as surprising.
pub(crate) fn score(at_least: u64, samples: u64) -> f64 {
    (samples - at_least) as f64 / (samples as f64 + 1.0)
}

/// The fewest normal samples on which a promise of `share` false alarms can be kept: with fewer, no p-value is that small. For a
/// promise to each group, rather than on average over groups, the fewest groups.
#[must_use]
pub fn fewest_to_promise(share: OpenUnitInterval) -> u64 {
    // A share such as .01 is not exact; a billionth of a sample is nothing.
    (1.0 / share.get() - 1.0 - 1e-9).ceil().max(1.0) as u64
}

/// The step that a surprise lies in.
fn step(surprise: f64) -> u64 {
    (surprise * STEPS).round().clamp(0.0, MOST_STEPS) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_values_count_what_is_at_least_as_surprising() {
        let conformal = Conformal::of([(3.0, 1), (1.0, 5), (2.0, 3)]);
        assert_eq!(conformal.samples(), 9);
        // Of nine: none is above 3, one is at least 3, four at least 2, all at least 1.
        for (surprise, p) in [
            (3.5, 0.1),
            (3.0, 0.2),
            (2.5, 0.2),
            (2.0, 0.5),
            (1.5, 0.5),
            (1.0, 1.0),
            (0.0, 1.0),
        ] {
            assert!((1.0 - conformal.score(surprise) - p).abs() < 1e-15, "{surprise}");
        }
        // Less than half a step apart is the same.
        assert_eq!(conformal.at_least(3.0 + 0.4 / STEPS), 1);
        assert_eq!(conformal.at_least(3.0 + 0.6 / STEPS), 0);
    }

    #[test]
    fn a_promise_needs_enough_samples() {
        let needed = |share: f64| fewest_to_promise(share.try_into().unwrap());
        assert_eq!([0.01, 0.001, 0.05, 0.5, 0.9].map(needed), [99, 999, 19, 1, 1]);
        // With 99 samples a score can reach .99, with 98 it cannot.
        assert!(score(0, 99) >= 0.99 && score(0, 98) < 0.99);
    }

    #[test]
    fn files_hold_what_was_counted_and_nothing_impossible() {
        let conformal = Conformal::of([(3.25, 2), (0.0, 1)]);
        let steps = conformal.to_steps();
        assert_eq!(steps.0, [(0, 1), (3328, 2)]);
        assert_eq!(steps.into_conformal(), Some(conformal));
        for impossible in [
            vec![(2, 1), (1, 1)],
            vec![(1, 0)],
            vec![(1, MAX_SAMPLES), (2, 1)],
            vec![(u64::MAX, 1)],
        ] {
            assert_eq!(Steps(impossible).into_conformal(), None);
        }
    }
}
