//! Everything that can change a model, as values: what the command line resolves to and what a model file records.

use crate::bounds::{NgramSize, Penalty, Share, StepSize};
use crate::events::Span;
use crate::split::SplitStrategy;
use crate::synthetic::Scenario;
use serde::{Deserialize, Serialize};
use std::num::{NonZeroU32, NonZeroU64};

/// Most epochs, and most sequences in a batch, that can be asked for.
pub const MAX_EPOCHS: u32 = 1_000_000;
/// Most synthetic samples that can be asked for.
pub const MAX_SYNTHETIC: u64 = 10_000_000;

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

/// Where the samples came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Source {
    /// Drawn from the seed.
    Synthetic {
        /// Which kind.
        scenario: Scenario,
        /// How many.
        num_samples: u64,
    },
    /// Read from JSON lines.
    Files {
        /// Most samples that were used; `None` for all.
        num_samples: Option<u64>,
    },
    /// Made of events.
    Events {
        /// Field that keeps sessions apart.
        session_by: String,
        /// A pause longer than this, in seconds, starts a new session.
        session_gap: Span,
        /// Field that holds the label.
        label_field: String,
        /// Most sessions that were used; `None` for all.
        num_samples: Option<u64>,
    },
}

/// How the validation part was chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Validation {
    /// Part of the samples.
    Split {
        /// How the samples were divided.
        strategy: SplitStrategy,
        /// Share of the training part.
        train_ratio: Share,
        /// Field that names the group, for grouped splits.
        group_by: Option<String>,
    },
    /// Samples of their own, from another file.
    Separate,
}

/// Where a model and its figures come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Where the samples came from.
    pub source: Source,
    /// How the validation part was chosen.
    pub validation: Validation,
    /// Number of bins of the calibration error.
    pub ece_bins: NonZeroU32,
    /// SHA-256 of all samples, see [`Dataset::digest`](crate::Dataset::digest).
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = "^[0-9a-f]{64}$")))]
    pub data_digest: String,
    /// Samples in the training part.
    pub training_samples: u64,
    /// Samples in the validation part.
    pub validation_samples: u64,
    /// Samples left out because their sequence is empty.
    pub skipped_empty: u64,
}
