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
}

impl Scored {
    /// One sample.
    #[must_use]
    pub fn new(score: UnitInterval, label: Label) -> Self {
        Self { score, label, count: 1 }
    }
}

/// One sample of a test.
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) fn one(score: f64, label: Label) -> Scored {
    Scored::new(score.try_into().unwrap(), label)
}
