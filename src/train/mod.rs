//! From samples to a model: counting, choosing how to fit, fitting, calibrating.

pub(crate) mod calibration;
pub(crate) mod choice;
pub(crate) mod cross_validation;
pub(crate) mod distinct;
pub(crate) mod fit;
pub(crate) mod folds;
pub(crate) mod ngram_counter;
pub(crate) mod normal;
pub(crate) mod online;
pub(crate) mod prefixes;
pub(crate) mod sdca;
pub(crate) mod trainer;
pub(crate) mod training_set;
