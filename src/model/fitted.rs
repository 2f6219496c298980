//! How the weights of a model came about: what was chosen while it was trained, and how its scores were calibrated.

use crate::bounds::{CalibrationOffset, CalibrationSlope, Penalty};
use crate::data::unit::Unit;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What training chose, and what it did with it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Fitted {
    /// How the weights were fitted.
    pub method: Method,
    /// Whether ordered pairs are evidence.
    pub pairs: bool,
    /// Strength of the L2 penalty; 1 is scikit-learn's C = 1.
    pub l2: Penalty,
    /// How log odds became those of a calibrated score; `None` if they were left as they are.
    pub calibration: Option<Calibration>,
}

/// How weights are fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// To the optimum of the penalised likelihood, by dual coordinate ascent.
    Optimum,
    /// As the mean of a Gaussian posterior that takes in one sequence after the other, over two passes, or, where there are many, over one in which folds are apart.
    Online,
}

/// Platt scaling: the calibrated log odds are `offset` + `slope` · log odds. Weights in a model file are calibrated already.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// What was left out together when the scores were made that it was fitted on.
    pub by: Unit,
    /// What was added to the log odds.
    pub offset: CalibrationOffset,
    /// What the log odds were multiplied by before.
    pub slope: CalibrationSlope,
}

impl fmt::Display for Fitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = match self.method {
            Method::Optimum => "the optimum",
            Method::Online => "online",
        };
        let pairs = if self.pairs { "with" } else { "without" };
        write!(f, "{method}, {pairs} ordered pairs, L2 penalty {}, ", self.l2)?;
        match self.calibration {
            None => f.write_str("not calibrated"),
            Some(Calibration { by, offset, slope }) => {
                let (offset, slope) = (offset.get(), slope.get());
                write!(f, "calibrated by {by} ({offset:+.2} {slope:+.2} x log odds)")
            }
        }
    }
}
