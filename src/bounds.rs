//! Numbers that can only hold a value in their range.
//!
//! The only door to each type is [`FromStr`](std::str::FromStr), [`TryFrom`] or deserialisation, and all three check that the
//! value is finite and in range, so later code never has to.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A number lies outside the range of its type.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("must lie {range}, got {got}")]
pub struct OutOfBounds {
    range: &'static str,
    got: String,
}

/// Declares a newtype around `f64` whose values satisfy `$accepts`.
macro_rules! bounded {
    ($(#[$doc:meta])* $name:ident, $range:literal, $accepts:expr) => {
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        $(#[$doc])*
        #[serde(try_from = "f64", into = "f64")]
        pub struct $name(f64);

        impl $name {
            /// The number itself, finite and in range.
            #[must_use]
            pub fn get(self) -> f64 {
                self.0
            }
        }

        impl TryFrom<f64> for $name {
            type Error = OutOfBounds;

            fn try_from(value: f64) -> Result<Self, OutOfBounds> {
                let accepts: fn(f64) -> bool = $accepts;
                // NaN fails every comparison, so a test in accept form lets only real numbers in.
                if value.is_finite() && accepts(value) {
                    Ok(Self(value))
                } else {
                    Err(OutOfBounds { range: $range, got: value.to_string() })
                }
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
                    .map_err(|_| OutOfBounds { range: $range, got: text.to_owned() })
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

bounded!(
    /// A share strictly between 0 and 1: a decision threshold, the size of the training part.
    #[cfg_attr(feature = "schema", schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1)))]
    Share,
    "between 0 and 1, both excluded",
    |x| 0.0 < x && x < 1.0
);
bounded!(
    /// A limit from 0 to 1, both included: what the promotion gate compares a figure with.
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 0, "maximum" = 1)))]
    Limit,
    "between 0 and 1",
    |x| (0.0..=1.0).contains(&x)
);
bounded!(
    /// The strength of the L2 penalty. Below 1e-6 nothing would hold the weights of separable data back; above 1e9
    /// nothing would be learned.
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 1e-6, "maximum" = 1e9)))]
    Penalty,
    "between 1e-6 and 1e9",
    |x| (1e-6..=1e9).contains(&x)
);
bounded!(
    /// The part of the way to its optimum that a training step goes.
    #[cfg_attr(feature = "schema", schemars(extend("exclusiveMinimum" = 0, "maximum" = 1)))]
    StepSize,
    "above 0 and at most 1",
    |x| 0.0 < x && x <= 1.0
);

bounded!(
    /// What is added to every count to smooth probabilities.
    Smoothing,
    "between 1e-6 and 1e6",
    |x| (1e-6..=1e6).contains(&x)
);
bounded!(
    /// A limit for a divergence of two distributions, in nats.
    Divergence,
    "between 0 and 100",
    |x| (0.0..=100.0).contains(&x)
);

/// The largest n-gram length: 1 to 8 actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "u64", into = "u64")]
#[cfg_attr(feature = "schema", schemars(extend("minimum" = 1, "maximum" = 8)))]
pub struct NgramSize(u8);

impl NgramSize {
    /// The length in actions, 1 to 8.
    #[must_use]
    pub fn get(self) -> usize {
        usize::from(self.0)
    }
}

impl TryFrom<u64> for NgramSize {
    type Error = OutOfBounds;

    fn try_from(value: u64) -> Result<Self, OutOfBounds> {
        match u8::try_from(value) {
            Ok(n @ 1..=8) => Ok(Self(n)),
            _ => Err(OutOfBounds {
                range: "between 1 and 8 (1 to 8 actions)",
                got: value.to_string(),
            }),
        }
    }
}

impl From<NgramSize> for u64 {
    fn from(value: NgramSize) -> u64 {
        u64::from(value.0)
    }
}

impl std::str::FromStr for NgramSize {
    type Err = OutOfBounds;

    fn from_str(text: &str) -> Result<Self, OutOfBounds> {
        let value = text.parse::<u64>().map_err(|_| OutOfBounds {
            range: "between 1 and 8 (1 to 8 actions)",
            got: text.to_owned(),
        })?;
        Self::try_from(value)
    }
}

impl fmt::Display for NgramSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_the_range_gets_in_not_even_nan() {
        for text in ["NaN", "inf", "-inf", "1e999", "-1", "1.01", "", "half", "０.5"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
            assert!(text.parse::<Limit>().is_err(), "{text}");
        }
        assert!("0".parse::<Share>().is_err() && "1".parse::<Share>().is_err());
        assert!("0".parse::<Limit>().is_ok() && "1".parse::<Limit>().is_ok());
        assert!("0".parse::<Penalty>().is_err() && "0".parse::<StepSize>().is_err());
        assert!(serde_json::from_str::<Share>("1.5").is_err());
    }

    #[test]
    fn ngram_size_is_one_to_eight() {
        let accepted: Vec<u64> = (0..300).filter(|&n| NgramSize::try_from(n).is_ok()).collect();
        assert_eq!(accepted, (1..=8).collect::<Vec<_>>());
    }
}
