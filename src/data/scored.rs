//! What a model said of samples, beside what they were.

use crate::bounds::UnitInterval;
use crate::data::label::Label;

/// Samples that are alike: the probability of being anomalous that they were given, and what they were.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// P(anomalous).
    pub score: UnitInterval,
    /// What they were.
    pub label: Label,
    /// How many there are.
    pub count: u64,
    /// What they belong together with: samples of the same number are of one group, such as a task or a host, or have the same
    /// sequence. `None` if they stand alone.
    pub group: Option<u32>,
}

impl Scored {
    /// One sample, on its own.
    #[must_use]
    pub fn new(score: UnitInterval, label: Label) -> Self {
        Self {
            score,
            label,
            count: 1,
            group: None,
        }
    }
}

/// One sample of a test.
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) fn one(score: f64, label: Label) -> Scored {
    Scored::new(score.try_into().unwrap(), label)
}
