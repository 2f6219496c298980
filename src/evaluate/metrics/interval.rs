//! How sure one can be of a figure that was seen on few groups of samples.
//!
//! Samples of one group (a task, a host, one sequence that occurs again and again) are more alike than samples of different groups,
//! so what a figure will be on other groups shows in how it changes when one group is left out: the jackknife. Samples as draws of
//! their own would promise several times too much.

use super::student::t_quantile;

use serde::{Deserialize, Serialize};

/// The ends of an interval, `[low, high]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Interval(pub f64, pub f64);

/// Share of the cases in which an interval holds what it speaks of.
const CONFIDENCE: f64 = 0.95;
/// Shares are taken to be at least this far from 0 and 1 where their log odds are needed.
const EDGE: f64 = 1e-4;

/// On which scale a figure is about as likely to be too high as too low.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// That of log odds, for figures in 0..1.
    LogOdds,
    /// That of logarithms, for losses.
    Logarithm,
    /// Its own, for differences.
    Own,
}

impl Scale {
    fn to(self, value: f64) -> f64 {
        match self {
            Self::LogOdds => {
                let share = value.clamp(EDGE, 1.0 - EDGE);
                libm::log(share / (1.0 - share))
            }
            Self::Logarithm => libm::log(value.max(EDGE)),
            Self::Own => value,
        }
    }

    fn back(self, value: f64) -> f64 {
        match self {
            Self::LogOdds => 1.0 / (1.0 + libm::exp(-value)),
            Self::Logarithm => libm::exp(value),
            Self::Own => value,
        }
    }

    /// What is there without knowing anything.
    fn whole(self) -> Interval {
        match self {
            Self::LogOdds => Interval(0.0, 1.0),
            Self::Logarithm => Interval(0.0, MAX_LOSS),
            Self::Own => Interval(-MAX_LOSS, MAX_LOSS),
        }
    }
}

/// Above every log loss: probabilities are taken to be at least 2.2e-16.
pub(crate) const MAX_LOSS: f64 = 40.0;

/// How far a figure may be off on other groups.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Uncertainty {
    /// Holds the figure in 95 % of the cases.
    pub(super) interval: Interval,
    /// As how many groups of equal weight those behind the figure are good, from 1 to their number.
    pub(super) effective_groups: f64,
}

/// The 95 % interval of a figure that is `value` for all groups together, and `without` for all but one of them each (`None`: not
/// defined without it).
///
/// The delete-one-group jackknife, with Satterthwaite's degrees of freedom: groups that hardly change the figure tell next to
/// nothing of how much it varies. Source: F. E. Satterthwaite, "An approximate distribution of estimates of variance components",
/// Biometrics Bulletin 2 (1946); J. Shao and D. Tu, "The jackknife and bootstrap" (1995), on the scale of log odds.
pub(super) fn jackknife(value: f64, without: &[Option<f64>], scale: Scale) -> Uncertainty {
    let groups = without.len() as f64;
    let unknown = Uncertainty {
        interval: scale.whole(),
        effective_groups: 1.0,
    };
    let Some(figures) = without
        .iter()
        .map(|figure| figure.map(|figure| scale.to(figure)))
        .collect::<Option<Vec<f64>>>()
    else {
        return unknown;
    };
    if figures.len() < 2 {
        return unknown;
    }
    let mean = figures.iter().sum::<f64>() / groups;
    let squares = || figures.iter().map(|figure| (figure - mean) * (figure - mean));
    let (sum, of_squares): (f64, f64) = (squares().sum(), squares().map(|square| square * square).sum());
    let freedom = if of_squares > 0.0 {
        sum * sum / of_squares
    } else {
        groups
    };
    let freedom = freedom.max(1.5).min(groups - 1.0);
    let half = t_quantile(1.0 - (1.0 - CONFIDENCE) / 2.0, freedom) * libm::sqrt((groups - 1.0) / groups * sum);
    let centre = scale.to(value);
    let Interval(lowest, highest) = scale.whole();
    let end = |at| scale.back(at).clamp(lowest, highest);
    let (low, high) = (end(centre - half), end(centre + half));
    Uncertainty {
        // The figure itself may lie beyond what the scale can tell from its ends.
        interval: Interval(low.min(value), high.max(value)),
        effective_groups: freedom,
    }
}

impl Interval {
    /// The shortest interval that holds both.
    pub(super) fn union(self, other: Self) -> Self {
        Self(self.0.min(other.0), self.1.max(other.1))
    }
}

/// The two-sided 95 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;
/// The one-sided 90 % quantile.
const Z90: f64 = 1.281_551_565_544_600_5;

/// The 95 % Wilson score interval of a share of which `part` out of `whole` draws were seen; `whole` must not be 0. Neither need be
/// a whole number: some figures are shares of something between two counts.
///
/// Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
#[must_use]
pub fn wilson(part: f64, whole: f64) -> Interval {
    score_interval(part, whole, Z)
}

/// What a share is at most with a certainty of 90 %, by the same interval; 1 if nothing was drawn.
pub(crate) fn upper_share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 {
        score_interval(part, whole, Z90).1
    } else {
        1.0
    }
}

fn score_interval(part: f64, whole: f64, z: f64) -> Interval {
    let n = whole;
    let p = part / n;
    let denominator = 1.0 + z * z / n;
    let centre = (p + z * z / (2.0 * n)) / denominator;
    let half = z / denominator * libm::sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n));
    // At the edges rounding would leave 1e-17 where the formula gives exactly 0 or 1.
    let low = if part <= 0.0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if part >= whole { 1.0 } else { (centre + half).min(1.0) };
    Interval(low, high)
}
