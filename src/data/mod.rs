//! Samples, and how they are drawn, divided and told apart.

pub(crate) mod confusables;
pub(crate) mod counts;
pub(crate) mod dataset;
pub(crate) mod fingerprint;
pub(crate) mod fingerprint_set;
pub(crate) mod folds;
pub(crate) mod histogram;
mod hypergeometric;
pub(crate) mod interner;
pub(crate) mod label;
pub(crate) mod packed;
pub(crate) mod part;
pub(crate) mod profile;
mod rows;
pub(crate) mod scored;
pub mod split;
pub mod synthetic;
pub(crate) mod unit;
