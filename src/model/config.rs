//! How a model is trained: what its file echoes and what scoring needs of it.

use crate::bounds::{NgramSize, Penalty, Share, StepSize};
use serde::{Deserialize, Serialize};
use std::num::{NonZeroU32, NonZeroU64};

/// Most epochs, and most sequences in a batch, that can be asked for.
pub const MAX_EPOCHS: u32 = 1_000_000;

/// How a model is trained.
///
/// | field | default | range |
/// |---|---|---|
/// | `ngram_size` | 3 | 1 to 8 |
/// | `anomaly_threshold` | 0.3 | above 0, below 1 |
/// | `seed` | 42 | any |
/// | `epochs` | 10 | from 1 |
/// | `batch_size` | 32 | from 1 |
/// | `l2` | 2 | 1e-6 to 1e9 |
/// | `learning_rate` | 1 | above 0, up to 1 |
/// | `max_ngrams` | 1,000,000 | from 1 |
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// Longest n-gram, in actions and markers.
    pub ngram_size: NgramSize,
    /// A sequence is labelled anomalous if its score is at least this.
    pub anomaly_threshold: Share,
    /// Where all randomness comes from.
    pub seed: u64,
    /// Passes over the training part.
    pub epochs: NonZeroU32,
    /// Distinct sequences that a training step fits together.
    pub batch_size: NonZeroU32,
    /// Strength of the L2 penalty; 1 is scikit-learn's C = 1.
    pub l2: Penalty,
    /// The part of the way to its optimum that each training step goes.
    pub learning_rate: StepSize,
    /// Most n-grams that are kept, the most frequent first.
    pub max_ngrams: NonZeroU64,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        // The literals are in range; should one be edited out of it, the first test that trains says so.
        #[allow(clippy::expect_used)]
        Self {
            ngram_size: NgramSize::try_from(3).expect("in range"),
            anomaly_threshold: Share::try_from(0.3).expect("in range"),
            seed: 42,
            epochs: NonZeroU32::new(10).expect("in range"),
            batch_size: NonZeroU32::new(32).expect("in range"),
            l2: Penalty::try_from(2.0).expect("in range"),
            learning_rate: StepSize::try_from(1.0).expect("in range"),
            max_ngrams: NonZeroU64::new(1_000_000).expect("in range"),
        }
    }
}
