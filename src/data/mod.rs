//! Samples, and how they are drawn, divided and told apart.

pub(crate) mod confusables;
pub(crate) mod dataset;
pub(crate) mod fingerprint;
pub(crate) mod packed;
pub mod split;
pub mod synthetic;
