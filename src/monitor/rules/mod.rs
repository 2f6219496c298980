//! The rules: each is a file with a `check` that looks at one thing and says whether that is worth an alert.

pub(crate) mod behavior;
pub(crate) mod drift;
pub(crate) mod frequency;
pub(crate) mod model;
pub(crate) mod sequence;

use super::alert::{Evidence, Kind};

/// What a rule found, at or above its threshold.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) kind: Kind,
    pub(crate) score: f64,
    pub(crate) threshold: f64,
    pub(crate) evidence: Evidence,
}
