//! How good a model is, and what follows from that.

pub(crate) mod diagnostics;
pub(crate) mod drift;
pub(crate) mod evaluation;
pub(crate) mod gate;
pub mod metrics;
pub(crate) mod session_scores;
pub(crate) mod threshold;
