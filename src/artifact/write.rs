//! The members of the model file, as they are written.
//!
//! The file is one JSON object, written as two: a header, which depends on when and where the model was trained, and a
//! body, which does not and which the digest covers.

use super::normal::NormalBody;
use super::{Artifact, FORMAT_VERSION, MODEL_TYPE};
use crate::bounds::{Bins, NgramSize, OpenUnitInterval};
use crate::data::dataset::hex;
use crate::data::fingerprint_set::FingerprintSet;
#[cfg(feature = "schema")]
use crate::data::fingerprint_set::Spelled;
use crate::data::label::ClassCounts;
use crate::evaluate::gate::{Gate, Verdict};
use crate::evaluate::metrics::Metrics;
use crate::evaluate::session_scores::SessionScores;
use crate::evaluate::threshold::{LeftOutScores, Wish};
use crate::model::AnomalyModel;
use crate::model::config::TrainingConfig;
use crate::model::features::DENSE;
use crate::model::fitted::Fitted;
use crate::model::kind::{Model, ModelKind};
use crate::model::ngrams::{BOS, EOS, FIRST_ACTION, MAX_NGRAM, NgramTable};
use crate::run::{DataSummary, Reading, Run, Source, Training, Validation};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::ops::Range;

/// What the digest does not cover.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    /// SHA-256 of the file without this and the next five members.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = "^[0-9a-f]{64}$")))]
    pub(super) digest: String,
    /// When the model was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "DateTime<Utc>"))]
    pub(super) created_at: Option<DateTime<Utc>>,
    /// The version of anomaly-train that made it.
    pub(super) tool_version: String,
    /// How its samples were read.
    pub(super) reading: Reading,
    /// What the model had to reach to be promoted.
    pub(super) gate: Gate,
    /// What was decided; missing for a model saved by the library.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Verdict"))]
    pub(super) verdict: Option<Verdict>,
}

/// What the digest covers.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Body<'a> {
    /// Of a model that learned from labels.
    Labelled(Box<LabelledBody<'a>>),
    /// Of one that learned from normal sequences alone.
    NormalOnly(Box<NormalBody<'a>>),
}

/// What the digest covers of a model that learned from labels.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
pub(super) struct LabelledBody<'a> {
    /// Another one is refused.
    #[cfg_attr(feature = "schema", schemars(extend("const" = FORMAT_VERSION)))]
    format_version: u32,
    /// What kind of model this is.
    #[cfg_attr(feature = "schema", schemars(extend("const" = MODEL_TYPE)))]
    model_type: &'static str,
    /// What it learned from.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "labelled")))]
    kind: ModelKind,
    /// Longest n-gram.
    n: NgramSize,
    /// The score from which a sequence is labelled 1.
    anomaly_threshold: OpenUnitInterval,
    /// The digest of the model that this one is but for its threshold; null for a model as it was trained.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = "^[0-9a-f]{64}$")))]
    origin: Option<&'a str>,
    /// The training run that made it.
    run: Fit<TrainingConfig>,
    /// What training chose, and how scores were calibrated.
    fitted: Fitted,
    /// What it was trained and judged on; null for a model saved by the library.
    data: Option<&'a DataSummary>,
    /// Its figures on the validation part; null for a model saved by the library.
    metrics: Option<&'a Metrics>,
    /// Scores of samples by models that were trained without them; thresholds are chosen on these.
    left_out: &'a LeftOutScores,
    /// What the same samples came to on their way, as sessions; thresholds for a monitor are chosen on these.
    sessions: &'a SessionScores,
    /// How many samples of each class were trained on.
    training_samples: ClassCounts,
    /// Weight of what every sequence has.
    #[cfg_attr(feature = "schema", schemars(range(min = -1e16, max = 1e16)))]
    bias: f64,
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::dense"))]
    dense: BTreeMap<&'static str, DenseFeature>,
    #[serde(serialize_with = "vocabulary")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::vocabulary"))]
    vocabulary: &'a AnomalyModel,
    #[serde(serialize_with = "ngrams")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::ngrams"))]
    ngrams: &'a AnomalyModel,
    #[serde(serialize_with = "pairs")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::pairs"))]
    pairs: &'a AnomalyModel,
    /// Fingerprints of the training sequences.
    #[cfg_attr(feature = "schema", schemars(with = "Spelled"))]
    sequences: &'a FingerprintSet,
}

/// What the files of all models begin with.
pub(super) struct Head<'a> {
    pub(super) format_version: u32,
    pub(super) model_type: &'static str,
    pub(super) origin: Option<&'a str>,
    pub(super) data: Option<&'a DataSummary>,
    pub(super) metrics: Option<&'a Metrics>,
}

impl<'a> Head<'a> {
    pub(super) fn of(artifact: &'a Artifact) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            model_type: MODEL_TYPE,
            origin: artifact.origin.as_deref(),
            data: artifact.data.as_ref(),
            metrics: artifact.metrics.as_ref(),
        }
    }
}

/// A run without its gate, which decides the verdict and nothing of the model, and without how its samples were read.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Fit<T> {
    /// Where the samples came from.
    source: Source,
    /// Field that names the group of a sample; null without groups.
    group_by: Option<String>,
    /// How the validation part was chosen.
    validation: Validation,
    /// How the model was trained.
    pub(super) training: T,
    /// Number of bins of the calibration error.
    ece_bins: Bins,
    /// What the threshold was chosen for; null if it was given.
    pub(super) threshold_for: Option<Wish>,
}

impl<T> Fit<T> {
    pub(super) fn of(run: &Run, training: T) -> Self {
        Self {
            source: run.source.clone(),
            group_by: run.group_by.clone(),
            validation: run.validation.clone(),
            training,
            ece_bins: run.ece_bins,
            threshold_for: run.threshold_for,
        }
    }
}

impl<T> Fit<T> {
    pub(super) fn with(self, reading: Reading, gate: Gate, training: Training) -> Run {
        Run {
            source: self.source,
            reading,
            group_by: self.group_by,
            validation: self.validation,
            training,
            ece_bins: self.ece_bins,
            threshold_for: self.threshold_for,
            gate,
        }
    }
}

/// The weight of a dense feature and the range that training has seen.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct DenseFeature {
    #[cfg_attr(feature = "schema", schemars(range(min = -1e16, max = 1e16)))]
    pub(super) weight: f64,
    #[cfg_attr(feature = "schema", schemars(range(min = -1e6, max = 1e6)))]
    pub(super) low: f64,
    #[cfg_attr(feature = "schema", schemars(range(min = -1e6, max = 1e6)))]
    pub(super) high: f64,
}

impl<'a> Body<'a> {
    pub(super) fn of(artifact: &'a Artifact) -> Self {
        match &artifact.model {
            Model::Labelled(model) => Self::Labelled(Box::new(LabelledBody::of(artifact, model))),
            Model::NormalOnly(model) => Self::NormalOnly(Box::new(NormalBody::of(artifact, model))),
        }
    }
}

impl<'a> LabelledBody<'a> {
    fn of(artifact: &'a Artifact, model: &'a AnomalyModel) -> Self {
        let Head {
            format_version,
            model_type,
            origin,
            data,
            metrics,
        } = Head::of(artifact);
        let config = &model.config;
        let figures = model.weights.dense.into_iter().zip(model.ranges);
        Self {
            format_version,
            model_type,
            kind: ModelKind::Labelled,
            n: config.ngram_size,
            anomaly_threshold: model.threshold,
            origin,
            run: Fit::of(&artifact.run, *config),
            fitted: model.fitted,
            data,
            metrics,
            left_out: &artifact.left_out,
            sessions: &artifact.sessions,
            training_samples: model.samples,
            bias: model.weights.bias,
            dense: DENSE
                .into_iter()
                .zip(figures.map(|(weight, (low, high))| DenseFeature { weight, low, high }))
                .collect(),
            vocabulary: model,
            ngrams: model,
            pairs: model,
            sequences: &model.fingerprints,
        }
    }
}

/// The SHA-256 of the body, in hexadecimal.
pub(super) fn digest(artifact: &Artifact) -> String {
    hex(&Sha256::digest(json(&Body::of(artifact))))
}

/// The model file as bytes, and its digest.
pub(super) fn to_bytes(artifact: &Artifact) -> (Vec<u8>, String) {
    let version = || env!("CARGO_PKG_VERSION").to_owned();
    let mut bytes = Vec::new();
    write_json(
        &mut bytes,
        &Header {
            // Room for the digest, which is not known yet.
            digest: "0".repeat(DIGEST.len()),
            created_at: artifact.created_at,
            tool_version: artifact.tool_version.clone().unwrap_or_else(version),
            reading: artifact.run.reading.clone(),
            gate: artifact.run.gate,
            verdict: artifact.verdict.clone(),
        },
    );
    // The two objects become one: a comma takes the place of the brace between them.
    bytes.pop();
    let start = bytes.len();
    write_json(&mut bytes, &Body::of(artifact));
    let digest = hex(&Sha256::digest(&bytes[start..]));
    bytes[start] = b',';
    bytes[DIGEST].copy_from_slice(digest.as_bytes());
    bytes.push(b'\n');
    (bytes, digest)
}

/// Where the digest stands in the file, behind `{"digest":"`.
const DIGEST: Range<usize> = 11..75;

fn json(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_json(&mut bytes, value);
    bytes
}

fn write_json(bytes: &mut Vec<u8>, value: &impl Serialize) {
    let written = serde_json::to_writer(bytes, value);
    // Nothing can go wrong with finite numbers and text in memory.
    debug_assert!(written.is_ok(), "{written:?}");
}

/// Name, weight, normal and anomalous training samples that contain it; sorted by name.
fn vocabulary<S: Serializer>(model: &&AnomalyModel, serializer: S) -> Result<S::Ok, S::Error> {
    let rows = model.names.names().zip(&model.actions).zip(&model.weights.sparse);
    serializer.collect_seq(rows.map(|((name, counts), weight)| (name, weight, counts.normal, counts.anomalous)))
}

/// Symbols, weight, normal and anomalous training samples that contain it; sorted by length, then by symbols.
fn ngrams<S: Serializer>(model: &&AnomalyModel, serializer: S) -> Result<S::Ok, S::Error> {
    let weights = &model.weights.sparse[model.actions.len()..model.first_pair()];
    rows(&model.table, weights, &model.ngrams, serializer)
}

/// The same for ordered pairs.
fn pairs<S: Serializer>(model: &&AnomalyModel, serializer: S) -> Result<S::Ok, S::Error> {
    let weights = &model.weights.sparse[model.first_pair()..];
    rows(&model.pair_table, weights, &model.pairs, serializer)
}

fn rows<S: Serializer>(
    table: &NgramTable,
    weights: &[f64],
    counts: &[ClassCounts],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let rows = (0..).zip(counts).zip(weights);
    serializer.collect_seq(
        rows.map(|((number, counts), weight)| (key(table, number), weight, counts.normal, counts.anomalous)),
    )
}

/// The symbols of an n-gram as they stand in the file.
pub(super) fn key(table: &NgramTable, number: u32) -> impl Serialize {
    Key { table, number }
}

struct Key<'a> {
    table: &'a NgramTable,
    number: u32,
}

impl Serialize for Key<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // From the last symbol to the first, without a list of its own for each of many n-grams.
        let mut symbols = [0; MAX_NGRAM];
        let mut first = symbols.len();
        let mut put = |symbol| {
            first -= 1;
            symbols[first] = self::symbol(symbol);
            first
        };
        put(self.table.last(self.number));
        let mut node = self.table.parent(self.number);
        while let Some(number) = self.table.ngram(node) {
            put(self.table.last(number));
            node = self.table.parent(number);
        }
        let first = put(node);
        serializer.collect_seq(&symbols[first..])
    }
}

/// How a symbol stands in the file: -1 and -2 for the markers, else the place of the action in the vocabulary.
fn symbol(symbol: u32) -> i64 {
    match symbol {
        BOS => -1,
        EOS => -2,
        action => i64::from(action - FIRST_ACTION),
    }
}
