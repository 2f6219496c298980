//! What a training run tells to programs: the summary on standard output and the metrics file.

use anomaly_train::metrics::Metrics;
use anomaly_train::{Champion, Gate, Promotion, Provenance, TrainingConfig};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// The metrics file.
#[derive(Serialize)]
pub(crate) struct MetricsFile<'a> {
    pub(crate) model_digest: &'a str,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) tool_version: &'a str,
    pub(crate) promotion: Option<&'a Promotion>,
    pub(crate) metrics: Option<&'a Metrics>,
}

/// The object that `--json` writes.
#[derive(Serialize)]
pub(crate) struct RunSummary<'a> {
    pub(crate) model_path: String,
    pub(crate) metrics_path: String,
    pub(crate) promoted: bool,
    pub(crate) reasons: &'a [String],
    pub(crate) metrics: &'a Metrics,
    pub(crate) digest: &'a str,
    pub(crate) samples: SampleCounts,
    pub(crate) seed: u64,
    pub(crate) config: Config<'a>,
    pub(crate) champion: Option<&'a Champion>,
}

/// Sizes of the two parts.
#[derive(Serialize)]
pub(crate) struct SampleCounts {
    pub(crate) train: u64,
    pub(crate) validation: u64,
    pub(crate) skipped_empty: u64,
}

/// Everything that could have changed the result.
#[derive(Serialize)]
pub(crate) struct Config<'a> {
    #[serde(flatten)]
    pub(crate) training: &'a TrainingConfig,
    #[serde(flatten)]
    pub(crate) provenance: &'a Provenance,
    pub(crate) gate: Option<&'a Gate>,
}
