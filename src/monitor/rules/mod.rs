//! The rules: each is a file with a `check` that looks at one thing and says whether that is worth an alert.

pub(crate) mod behavior;
pub(crate) mod drift;
pub(crate) mod flood;
pub(crate) mod frequency;
pub(crate) mod model;
pub(crate) mod normality;
pub(crate) mod sequence;
pub(crate) mod usual;
