//! Where a model and its figures come from.

use crate::bounds::{Bins, SampleCount, Share};
use crate::data::split::SplitStrategy;
use crate::data::synthetic::Scenario;
use crate::input::events::Span;
use serde::{Deserialize, Serialize};

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
        num_samples: SampleCount,
    },
    /// Read from JSON lines.
    Files {
        /// Most samples that were used; `None` for all.
        num_samples: Option<SampleCount>,
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
        num_samples: Option<SampleCount>,
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
    pub ece_bins: Bins,
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
