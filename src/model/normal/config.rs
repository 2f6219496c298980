//! How a normal-only model is trained: what its file echoes and what scoring needs of it.

use crate::bounds::{MaxNgrams, NgramSize, OpenUnitInterval, WindowSize};
use serde::{Deserialize, Serialize};

/// How a normal-only model is trained.
///
/// | field | default | range |
/// |---|---|---|
/// | `ngram_size` | 4 | 1 to 8 |
/// | `window` | 10 | 1 to 10,000 |
/// | `anomaly_threshold` | 0.99 | above 0, below 1 |
/// | `seed` | 42 | any |
/// | `max_ngrams` | 1,000,000 | 1 to 1,000,000,000 |
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NormalConfig {
    /// Longest n-gram, in actions and markers: an action is expected by the `ngram_size` - 1 before it.
    pub ngram_size: NgramSize,
    /// How many actions in a row are judged together.
    pub window: WindowSize,
    /// A sequence is labelled anomalous if its score is at least this; one minus it is the share of normal sequences that are
    /// promised to be reported at most.
    pub anomaly_threshold: OpenUnitInterval,
    /// Where all randomness comes from: which samples are left out together.
    pub seed: u64,
    /// Most n-grams that are kept: those of the contexts that occur most often.
    pub max_ngrams: MaxNgrams,
}

impl Default for NormalConfig {
    fn default() -> Self {
        const {
            Self {
                ngram_size: NgramSize::literal(4),
                window: WindowSize::literal(10),
                anomaly_threshold: OpenUnitInterval::literal(0.99),
                seed: 42,
                max_ngrams: MaxNgrams::literal(1_000_000),
            }
        }
    }
}

impl NormalConfig {
    /// The share of normal sequences that are promised to be reported at most.
    #[must_use]
    pub fn promise(&self) -> OpenUnitInterval {
        self.anomaly_threshold.complement()
    }
}
