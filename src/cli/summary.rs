//! What a training run tells to programs: the summary on standard output.

use anomaly_train::metrics::Metrics;
use anomaly_train::registry::Saved;
use anomaly_train::{Champion, Chosen, DataSummary, Reason, Run, Verdict};
use serde::Serialize;

/// The object that `--json` writes.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(title = "Run summary", deny_unknown_fields))]
pub(crate) struct RunSummary<'a> {
    /// Where the model was saved.
    pub(crate) model_path: String,
    /// Where its metrics file was saved.
    pub(crate) metrics_path: String,
    /// Whether the gate let it through.
    pub(crate) promoted: bool,
    /// Everything that speaks against it; empty if it is promoted.
    pub(crate) reasons: &'a [Reason],
    /// Its figures on the validation part.
    pub(crate) metrics: &'a Metrics,
    /// The digest of the model.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = "^[0-9a-f]{64}$")))]
    pub(crate) digest: &'a str,
    /// How many samples there were.
    pub(crate) samples: SampleCounts,
    /// Where all randomness came from.
    pub(crate) seed: u64,
    /// All options that can change the result.
    pub(crate) config: &'a Run,
    /// Digest of all samples.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = "^[0-9a-f]{64}$")))]
    pub(crate) data_digest: &'a str,
    /// The promoted model that it was compared with.
    pub(crate) champion: Option<&'a Champion>,
    /// How its threshold was chosen, if that was wished for.
    pub(crate) threshold: Option<&'a Chosen>,
}

impl<'a> RunSummary<'a> {
    /// What there is to say of a run whose model was saved.
    pub(crate) fn new(
        run: &'a Run,
        data: &'a DataSummary,
        metrics: &'a Metrics,
        verdict: &'a Verdict,
        champion: Option<&'a Champion>,
        threshold: Option<&'a Chosen>,
        saved: &'a Saved,
    ) -> Self {
        Self {
            model_path: saved.model.display().to_string(),
            metrics_path: saved.metrics.display().to_string(),
            promoted: verdict.promoted,
            reasons: &verdict.reasons,
            metrics,
            digest: &saved.digest,
            samples: SampleCounts {
                train: data.training_samples,
                validation: data.validation_samples,
                skipped_empty: data.skipped_empty,
            },
            seed: run.training.seed(),
            config: run,
            data_digest: &data.digest,
            champion,
            threshold,
        }
    }
}

/// Sizes of the two parts.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
pub(crate) struct SampleCounts {
    /// Samples that were trained on.
    pub(crate) train: u64,
    /// Samples that the model was judged on.
    pub(crate) validation: u64,
    /// Samples left out because their sequence is empty.
    pub(crate) skipped_empty: u64,
}
