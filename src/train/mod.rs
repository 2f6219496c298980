//! From samples to a model: counting, then fitting.

pub(crate) mod ngram_counter;
pub(crate) mod online;
pub(crate) mod sdca;
pub(crate) mod trainer;
pub(crate) mod training_set;
