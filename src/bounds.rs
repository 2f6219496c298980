//! Numbers that can only hold a value in their range.
//!
//! The only door to each type is [`FromStr`](std::str::FromStr), [`TryFrom`], deserialisation or a literal that is checked
//! while compiling, and all of them check the range, so later code never has to. Options, model files and states share them.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A number lies outside the range of its type.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{expected}, got {got}")]
pub struct OutOfBounds {
    expected: &'static str,
    got: String,
}

impl OutOfBounds {
    pub(crate) fn new(expected: &'static str, got: String) -> Self {
        Self { expected, got }
    }
}

/// A number in a message: one that is very large or small takes no more room than others.
fn shown(value: f64) -> String {
    let text = format!("{value:?}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

/// Declares a newtype around `f64` whose values satisfy a condition, which NaN must not.
macro_rules! real {
    ($(#[$doc:meta])* $name:ident, $range:literal, |$x:ident| $accepts:expr) => {
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        $(#[$doc])*
        #[serde(try_from = "f64", into = "f64")]
        pub struct $name(f64);

        impl $name {
            const fn new($x: f64) -> Option<Self> {
                // NaN fails every comparison, so a test in accept form lets only real numbers in.
                if $x.is_finite() && $accepts { Some(Self($x)) } else { None }
            }

            /// A number that stands in the code; in a constant, one out of range does not compile.
            #[allow(clippy::panic, dead_code)]
            pub(crate) const fn literal(value: f64) -> Self {
                match Self::new(value) {
                    Some(value) => value,
                    None => panic!("out of range"),
                }
            }

            /// The number itself, finite and in range.
            #[must_use]
            pub const fn get(self) -> f64 {
                self.0
            }
        }

        impl TryFrom<f64> for $name {
            type Error = OutOfBounds;

            fn try_from(value: f64) -> Result<Self, OutOfBounds> {
                Self::new(value).ok_or_else(|| OutOfBounds { expected: concat!("must lie ", $range), got: shown(value) })
            }
        }

        impl From<$name> for f64 {
            fn from(value: $name) -> f64 {
                value.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = OutOfBounds;

            fn from_str(text: &str) -> Result<Self, OutOfBounds> {
                text.parse::<f64>()
                    .map_err(|_| OutOfBounds { expected: concat!("must lie ", $range), got: text.to_owned() })
                    .and_then(Self::try_from)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

/// Declares a newtype around a whole number from `$low` to `$high`.
macro_rules! whole {
    ($(#[$doc:meta])* $name:ident, $get:ty, $low:literal..=$high:literal) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[cfg_attr(feature = "schema", schemars(extend("minimum" = $low, "maximum" = $high)))]
        $(#[$doc])*
        #[serde(try_from = "u64", into = "u64")]
        pub struct $name($get);

        impl $name {
            const fn new(value: u64) -> Option<Self> {
                if $low <= value && value <= $high { Some(Self(value as $get)) } else { None }
            }

            /// A number that stands in the code; in a constant, one out of range does not compile.
            #[allow(clippy::panic)]
            #[allow(dead_code, reason = "not every one has a default")]
            pub(crate) const fn literal(value: u64) -> Self {
                match Self::new(value) {
                    Some(value) => value,
                    None => panic!("out of range"),
                }
            }

            /// The number itself, in range.
            #[must_use]
            pub const fn get(self) -> $get {
                self.0
            }

            fn refuse(got: impl ToString) -> OutOfBounds {
                OutOfBounds {
                    expected: concat!("expected a whole number from ", $low, " to ", $high),
                    got: got.to_string(),
                }
            }
        }

        impl TryFrom<u64> for $name {
            type Error = OutOfBounds;

            fn try_from(value: u64) -> Result<Self, OutOfBounds> {
                Self::new(value).ok_or_else(|| Self::refuse(value))
            }
        }

        impl From<$name> for u64 {
            fn from(value: $name) -> u64 {
                value.0 as u64
            }
        }

        impl std::str::FromStr for $name {
            type Err = OutOfBounds;

            fn from_str(text: &str) -> Result<Self, OutOfBounds> {
                text.parse::<u64>().map_err(|_| Self::refuse(text)).and_then(Self::try_from)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

real!(
    /// A share strictly between 0 and 1: a decision threshold, the size of the training part.
    #[cfg_attr(feature = "schema", schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1)))]
    OpenUnitInterval,
    "between 0 and 1, both excluded",
    |x| 0.0 < x && x < 1.0
);
real!(
    /// A limit from 0 to 1, both included: what the promotion gate compares a figure with.
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 0, "maximum" = 1)))]
    UnitInterval,
    "between 0 and 1",
    |x| 0.0 <= x && x <= 1.0
);
impl From<OpenUnitInterval> for UnitInterval {
    fn from(share: OpenUnitInterval) -> Self {
        Self(share.0)
    }
}

impl OpenUnitInterval {
    /// One minus this share, as a person would write it: to fifteen digits after the point, so that .99 and .01 belong together.
    #[must_use]
    pub fn complement(self) -> Self {
        const DIGITS: f64 = 1e15;
        let rest = ((1.0 - self.0) * DIGITS).round() / DIGITS;
        // Nothing is certain.
        Self(rest.clamp(f64::MIN_POSITIVE, 1.0 - f64::EPSILON / 2.0))
    }
}

impl UnitInterval {
    /// A probability that was worked out; rounding can carry it no further than to an end of the range.
    pub(crate) fn probability(p: f64) -> Self {
        debug_assert!((0.0..=1.0).contains(&p), "{p}");
        Self(p.clamp(0.0, 1.0))
    }
}

real!(
    /// The strength of the L2 penalty. Below 1e-6 nothing would hold the weights of separable data back; above 1e9
    /// nothing would be learned.
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 1e-6, "maximum" = 1e9)))]
    Penalty,
    "between 1e-6 and 1e9",
    |x| 1e-6 <= x && x <= 1e9
);
real!(
    /// The part of the way to its optimum that a training step goes.
    #[cfg_attr(feature = "schema", schemars(extend("exclusiveMinimum" = 0, "maximum" = 1)))]
    StepSize,
    "above 0 and at most 1",
    |x| 0.0 < x && x <= 1.0
);
real!(
    /// What calibration adds to log odds.
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = -1e3, "maximum" = 1e3)))]
    CalibrationOffset,
    "between -1e3 and 1e3",
    |x| -1e3 <= x && x <= 1e3
);
real!(
    /// What calibration multiplies log odds by. A negative one would turn evidence round, and with 0 there would be none.
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 0.01, "maximum" = 100)))]
    CalibrationSlope,
    "between 0.01 and 100",
    |x| 0.01 <= x && x <= 100.0
);

real!(
    /// What is added to every count to smooth probabilities.
    Smoothing,
    "between 1e-6 and 1e6",
    |x| 1e-6 <= x && x <= 1e6
);
real!(
    /// A limit for a divergence of two distributions, in nats.
    Divergence,
    "between 0 and 100",
    |x| 0.0 <= x && x <= 100.0
);

impl OpenUnitInterval {
    /// The probability whose log odds are higher by `shift`, as far as it can be told from 0 and 1.
    pub(crate) fn shifted(self, shift: f64) -> Self {
        let log_odds = libm::log(self.0) - libm::log1p(-self.0) + shift;
        Self((1.0 / (1.0 + libm::exp(-log_odds))).clamp(f64::MIN_POSITIVE, 1.0 - f64::EPSILON / 2.0))
    }
}

whole!(
    /// The largest n-gram length, in actions and markers.
    NgramSize,
    usize,
    1..=8
);
whole!(
    /// How many identical samples one line stands for: up to 2^53, which every reader of JSON takes.
    Multiplicity,
    u64,
    1..=9_007_199_254_740_992_u64
);
whole!(
    /// How many samples are drawn, or read at most.
    SampleCount,
    u64,
    1..=10000000
);
whole!(
    /// Passes over the training part.
    Epochs,
    u32,
    1..=1000000
);
whole!(
    /// Distinct sequences that an online fit visits together.
    BatchSize,
    u32,
    1..=1000000
);
whole!(
    /// Most n-grams that are kept. They are numbered with 32 bits.
    MaxNgrams,
    usize,
    1..=1000000000
);
whole!(
    /// Bins of equal width over 0..1.
    Bins,
    u32,
    1..=10000
);
whole!(
    /// Parts of the samples that models are judged on, one part after the other.
    FoldCount,
    usize,
    2..=100
);
whole!(
    /// How many actions or risk scores it takes before a rule of the monitor looks.
    Count,
    u32,
    1..=1000000
);
whole!(
    /// How many actions of an agent are kept in view.
    WindowSize,
    u32,
    1..=10000
);
whole!(
    /// How much is remembered at most.
    Capacity,
    u32,
    1..=100000000
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_the_range_gets_in_not_even_nan() {
        for text in ["NaN", "inf", "-inf", "1e999", "-1", "1.01", "", "half", "０.5"] {
            assert!(text.parse::<OpenUnitInterval>().is_err(), "{text}");
            assert!(text.parse::<UnitInterval>().is_err(), "{text}");
        }
        assert!("0".parse::<OpenUnitInterval>().is_err() && "1".parse::<OpenUnitInterval>().is_err());
        assert!("0".parse::<UnitInterval>().is_ok() && "1".parse::<UnitInterval>().is_ok());
        assert!("0".parse::<Penalty>().is_err() && "0".parse::<StepSize>().is_err());
        assert!(serde_json::from_str::<OpenUnitInterval>("1.5").is_err());
    }

    #[test]
    fn ngram_size_is_one_to_eight() {
        let accepted: Vec<u64> = (0..300).filter(|&n| NgramSize::try_from(n).is_ok()).collect();
        assert_eq!(accepted, (1..=8).collect::<Vec<_>>());
    }
}
