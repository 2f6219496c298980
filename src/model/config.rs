//! How a model is trained: what its file echoes and what scoring needs of it.

use crate::bounds::{BatchSize, Epochs, MaxNgrams, NgramSize, OpenUnitInterval, Penalty, StepSize};
use serde::{Deserialize, Serialize};

/// How a model is trained.
///
/// | field | default | range |
/// |---|---|---|
/// | `ngram_size` | 3 | 1 to 8 |
/// | `anomaly_threshold` | 0.3 | above 0, below 1 |
/// | `seed` | 42 | any |
/// | `epochs` | 10 | 1 to 1,000,000 |
/// | `batch_size` | 32 | 1 to 1,000,000 |
/// | `l2` | chosen | 1e-6 to 1e9 |
/// | `calibrate` | [`Calibrate::Auto`] | |
/// | `learning_rate` | 1 | above 0, up to 1 |
/// | `max_ngrams` | 1,000,000 | 1 to 1,000,000,000 |
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// Longest n-gram, in actions and markers.
    pub ngram_size: NgramSize,
    /// A sequence is labelled anomalous if its score is at least this.
    pub anomaly_threshold: OpenUnitInterval,
    /// Where all randomness comes from.
    pub seed: u64,
    /// Most passes over the training part.
    pub epochs: Epochs,
    /// Distinct sequences that an online fit visits together before the next ones.
    pub batch_size: BatchSize,
    /// Strength of the L2 penalty; 1 is scikit-learn's C = 1. `None` to choose it by the loss on what is left out.
    pub l2: Option<Penalty>,
    /// How scores are calibrated.
    pub calibrate: Calibrate,
    /// The part of the way to its optimum that each training step goes.
    pub learning_rate: StepSize,
    /// Most n-grams that are kept, the most frequent first.
    pub max_ngrams: MaxNgrams,
}

/// How scores are calibrated: on scores of samples that were left out of training, and what is left out together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Calibrate {
    /// By group if samples have groups, else by sequence.
    #[default]
    Auto,
    /// Not at all.
    None,
    /// Identical sequences are left out together.
    Sequence,
    /// Whole groups are left out together.
    Group,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        const {
            Self {
                ngram_size: NgramSize::literal(3),
                anomaly_threshold: OpenUnitInterval::literal(0.3),
                seed: 42,
                epochs: Epochs::literal(10),
                batch_size: BatchSize::literal(32),
                l2: None,
                calibrate: Calibrate::Auto,
                learning_rate: StepSize::literal(1.0),
                max_ngrams: MaxNgrams::literal(1_000_000),
            }
        }
    }
}
