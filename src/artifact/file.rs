//! The members of the model file, how a model becomes them, and everything that is checked when they become a model.

use super::{Artifact, FORMAT_VERSION, LoadError, MODEL_TYPE, Promotion, refused};
use crate::bounds::{NgramSize, Penalty, Share, StepSize};
use crate::config::{Provenance, TrainingConfig};
use crate::dataset::{ClassCounts, Interner, hex};
use crate::features::{DENSE, DENSE_COUNT};
use crate::metrics::Metrics;
use crate::model::AnomalyModel;
use crate::ngrams::{BEGIN, END, FIRST_ACTION, NgramTable};
use crate::optimizer::Weights;
use crate::text::{one_line, quote};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::num::{NonZeroU32, NonZeroU64};

/// The file. Its first four members, the header, depend on when and where the model was trained; the digest covers the
/// rest.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModelFile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tool_version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    promotion: Option<Promotion>,
    format_version: u32,
    model_type: String,
    n: NgramSize,
    anomaly_threshold: Share,
    config: Fitting,
    provenance: Option<Provenance>,
    metrics: Option<Metrics>,
    training_samples: ClassCounts,
    bias: f64,
    dense: BTreeMap<String, DenseFigure>,
    /// Name, weight, normal and anomalous training samples that contain it; sorted by name.
    vocabulary: Vec<(String, f64, u32, u32)>,
    /// Symbols, weight, normal and anomalous training samples that contain it; sorted by length, then by symbols.
    ngrams: Vec<(Vec<i64>, f64, u32, u32)>,
    /// Fingerprints of the training sequences, ascending, 16 hexadecimal digits each.
    sequences: String,
}

/// The weight of a dense figure and the range that training has seen.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DenseFigure {
    weight: f64,
    low: f64,
    high: f64,
}

/// How the weights were fitted: the part of [`TrainingConfig`] that scoring does not need.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fitting {
    seed: u64,
    epochs: NonZeroU32,
    batch_size: NonZeroU32,
    l2: Penalty,
    learning_rate: StepSize,
    max_ngrams: NonZeroU64,
}

/// How a symbol stands in the file: -1 and -2 for the markers, else the place of the action in the vocabulary.
fn symbol_to_file(symbol: u32) -> i64 {
    match symbol {
        BEGIN => -1,
        END => -2,
        action => i64::from(action - FIRST_ACTION),
    }
}

fn symbol_from_file(symbol: i64, actions: usize) -> Option<u32> {
    match symbol {
        -1 => Some(BEGIN),
        -2 => Some(END),
        action => {
            let action = u32::try_from(action).ok()?;
            ((action as usize) < actions).then_some(action + FIRST_ACTION)
        }
    }
}

impl ModelFile {
    /// The file of an artifact, and its digest.
    pub(super) fn sealed(artifact: &Artifact) -> (Self, String) {
        let body = Self::without_header(artifact);
        let digest = body.digest_without_header();
        let file = Self {
            digest: Some(digest.clone()),
            created_at: artifact.created_at,
            tool_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            promotion: artifact.promotion.clone(),
            ..body
        };
        (file, digest)
    }

    /// The artifact of a file, if its digest and everything in it is right.
    pub(super) fn unseal(mut self) -> Result<Artifact, LoadError> {
        let (created_at, promotion) = (self.created_at.take(), self.promotion.take());
        self.tool_version = None;
        let Some(digest) = self.digest.take() else {
            return refused("\"digest\" is missing");
        };
        let expected = self.digest_without_header();
        if digest != expected {
            return refused(format!(
                "damaged: the digest in the file is {}, its content has {expected}; restore the file or train again",
                quote(&digest)
            ));
        }
        Ok(Artifact {
            created_at,
            promotion,
            ..self.into_artifact()?
        })
    }

    fn without_header(artifact: &Artifact) -> Self {
        let model = &artifact.model;
        let config = &model.config;
        let (action_weights, ngram_weights) = model.weights.present.split_at(model.actions.len());
        Self {
            digest: None,
            created_at: None,
            tool_version: None,
            promotion: None,
            format_version: FORMAT_VERSION,
            model_type: MODEL_TYPE.to_owned(),
            n: config.ngram_size,
            anomaly_threshold: config.anomaly_threshold,
            config: Fitting {
                seed: config.seed,
                epochs: config.epochs,
                batch_size: config.batch_size,
                l2: config.l2,
                learning_rate: config.learning_rate,
                max_ngrams: config.max_ngrams,
            },
            provenance: artifact.provenance.clone(),
            metrics: artifact.metrics.clone(),
            training_samples: model.samples,
            bias: model.weights.bias,
            dense: DENSE
                .iter()
                .zip(model.weights.dense)
                .zip(model.ranges)
                .map(|((name, weight), (low, high))| ((*name).to_owned(), DenseFigure { weight, low, high }))
                .collect(),
            vocabulary: model
                .names
                .names()
                .zip(&model.actions)
                .zip(action_weights)
                .map(|((name, counts), &weight)| (name.to_owned(), weight, counts.normal, counts.anomalous))
                .collect(),
            ngrams: (0..)
                .zip(&model.ngrams)
                .zip(ngram_weights)
                .map(|((number, counts), &weight)| {
                    let symbols = model.table.symbols_of(number);
                    let symbols = symbols.into_iter().map(symbol_to_file).collect();
                    (symbols, weight, counts.normal, counts.anomalous)
                })
                .collect(),
            sequences: model.fingerprints.iter().map(|print| format!("{print:016x}")).collect(),
        }
    }

    /// The fingerprints of the training sequences, or `None` if that is not what `sequences` holds.
    fn fingerprints(&self) -> Option<Vec<u64>> {
        let digits = self.sequences.as_bytes();
        let lower = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let fingerprints: Vec<u64> = digits
            .chunks(16)
            .filter(|chunk| chunk.len() == 16 && chunk.iter().all(lower))
            .filter_map(|chunk| u64::from_str_radix(std::str::from_utf8(chunk).ok()?, 16).ok())
            .collect();
        (fingerprints.len() == digits.len().div_ceil(16) && fingerprints.is_sorted_by(|a, b| a < b))
            .then_some(fingerprints)
    }

    /// SHA-256 of the compact JSON of the file, whose header must have been taken out.
    fn digest_without_header(&self) -> String {
        struct Hasher(Sha256);
        impl Write for Hasher {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.update(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut hasher = io::BufWriter::with_capacity(1 << 16, Hasher(Sha256::new()));
        let written = serde_json::to_writer(&mut hasher, self)
            .map_err(io::Error::from)
            .and_then(|()| hasher.flush());
        // Neither the hasher nor the serialisation of plain data can fail.
        debug_assert!(written.is_ok(), "{written:?}");
        hex(&hasher.get_ref().0.clone().finalize())
    }

    /// Whether every number is so small that no score can become infinite. No training leads to larger ones: a weight is at
    /// most the number of samples divided by the smallest penalty.
    fn is_bounded(&self) -> bool {
        let weight = |weight: f64| weight.abs() <= 1e16;
        let figure =
            |figure: &DenseFigure| weight(figure.weight) && figure.low.abs() <= 1e6 && figure.high.abs() <= 1e6;
        weight(self.bias)
            && self.dense.values().all(figure)
            && self.vocabulary.iter().all(|row| weight(row.1))
            && self.ngrams.iter().all(|row| weight(row.1))
    }

    /// Whether what is said of the data fits the model.
    fn check_provenance(&self) -> Result<(), LoadError> {
        let digits =
            |digest: &str| digest.len() == 64 && digest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if self.ngrams.len() as u64 > self.config.max_ngrams.get() {
            return refused("inconsistent: there are more n-grams than \"max_ngrams\"");
        }
        if let Some(provenance) = &self.provenance {
            if provenance.training_samples != self.training_samples.total() || !digits(&provenance.data_digest) {
                return refused("inconsistent: \"provenance\" does not fit the model");
            }
            let judged = self.metrics.as_ref().map(|metrics| metrics.samples);
            if judged.is_some_and(|samples| samples != provenance.validation_samples) {
                return refused("inconsistent: \"metrics\" and \"provenance\" differ in the number of samples");
            }
        }
        match &self.metrics {
            Some(metrics) if metrics.threshold != self.anomaly_threshold || !metrics.is_consistent() => {
                refused("inconsistent: \"metrics\" are not figures that this model can have")
            }
            _ => Ok(()),
        }
    }

    /// Checks what the types alone do not promise, and builds the artifact, still without its header.
    fn into_artifact(self) -> Result<Artifact, LoadError> {
        if !self.is_bounded() {
            return refused("a weight or the range of a dense figure is too large to come from training");
        }
        self.check_provenance()?;
        let samples = self.training_samples;
        let counts = |what: &dyn Fn() -> String, normal: u32, anomalous: u32| {
            if normal > samples.normal || anomalous > samples.anomalous || (normal, anomalous) == (0, 0) {
                return refused(format!(
                    "inconsistent: {} occurs in {normal} normal and {anomalous} anomalous of {} and {} samples",
                    what(),
                    samples.normal,
                    samples.anomalous
                ));
            }
            Ok(ClassCounts { normal, anomalous })
        };

        let mut present = Vec::with_capacity(self.vocabulary.len() + self.ngrams.len());
        let mut names = Interner::default();
        let mut actions = Vec::with_capacity(self.vocabulary.len());
        let mut previous: Option<&str> = None;
        for (name, weight, normal, anomalous) in &self.vocabulary {
            if previous.is_some_and(|previous| previous >= name.as_str()) {
                return refused(format!("the vocabulary is not sorted at {}", quote(name)));
            }
            previous = Some(name);
            names.intern(name);
            actions.push(counts(&|| quote(name), *normal, *anomalous)?);
            present.push(*weight);
        }

        let mut table = NgramTable::new(actions.len());
        let mut ngrams = Vec::with_capacity(self.ngrams.len());
        let mut previous: (usize, Vec<u32>) = (0, Vec::new());
        for (number, (symbols, weight, normal, anomalous)) in self.ngrams.iter().enumerate() {
            let what = || format!("n-gram {number} {symbols:?}");
            let known: Option<Vec<u32>> = symbols
                .iter()
                .map(|&symbol| symbol_from_file(symbol, actions.len()))
                .collect();
            let Some(known) = known.filter(|known| is_ngram(known, self.n.get())) else {
                return refused(one_line(&format!("{} is not an n-gram key", what())));
            };
            let key = (known.len(), known);
            if previous >= key {
                return refused(format!("the n-grams are not sorted at {}", what()));
            }
            let (prefix, last) = key.1.split_at(key.1.len() - 1);
            let prefix = prefix[1..]
                .iter()
                .try_fold(prefix[0], |node, &symbol| table.child(node, symbol));
            let Some(prefix) = prefix else {
                return refused(format!("{} stands without its beginning", what()));
            };
            table.push(prefix, last[0]);
            let seen = counts(&what, *normal, *anomalous)?;
            let rarest = key.1.iter().filter_map(|symbol| symbol.checked_sub(FIRST_ACTION));
            if rarest
                .map(|action| actions[action as usize])
                .any(|action: ClassCounts| action.normal < seen.normal || action.anomalous < seen.anomalous)
            {
                return refused(format!(
                    "inconsistent: {} occurs more often than one of its actions",
                    what()
                ));
            }
            ngrams.push(seen);
            present.push(*weight);
            previous = key;
        }

        let mut dense = [0.0; DENSE_COUNT];
        let mut ranges = [(0.0, 0.0); DENSE_COUNT];
        for ((name, weight), range) in DENSE.iter().zip(&mut dense).zip(&mut ranges) {
            match self.dense.get(*name) {
                None => return refused(format!("the dense figure \"{name}\" is missing")),
                Some(figure) if figure.low > figure.high => {
                    return refused(format!("the range of \"{name}\" is empty"));
                }
                Some(figure) => {
                    *weight = figure.weight;
                    *range = (figure.low, figure.high);
                }
            }
        }
        if self.dense.len() != DENSE_COUNT {
            return refused("there are dense figures that this version does not know");
        }
        let Some(fingerprints) = self.fingerprints() else {
            return refused("\"sequences\" is not an ascending list of fingerprints of 16 digits");
        };
        Ok(Artifact {
            model: AnomalyModel {
                config: TrainingConfig {
                    ngram_size: self.n,
                    anomaly_threshold: self.anomaly_threshold,
                    seed: self.config.seed,
                    epochs: self.config.epochs,
                    batch_size: self.config.batch_size,
                    l2: self.config.l2,
                    learning_rate: self.config.learning_rate,
                    max_ngrams: self.config.max_ngrams,
                },
                samples,
                ranges,
                names,
                actions,
                table,
                ngrams,
                weights: Weights {
                    bias: self.bias,
                    dense,
                    present,
                },
                fingerprints,
            },
            provenance: self.provenance,
            metrics: self.metrics,
            promotion: None,
            created_at: None,
        })
    }
}

/// Whether these symbols can be a run of 2 to `n` symbols of a sequence between its markers.
fn is_ngram(symbols: &[u32], n: usize) -> bool {
    let last = symbols.len().saturating_sub(1);
    (2..=n).contains(&symbols.len())
        && symbols.iter().enumerate().all(|(index, &symbol)| match symbol {
            BEGIN => index == 0,
            END => index == last,
            _ => true,
        })
}
