//! The members of the file of a normal-only model, as they are written and read.

use super::read::{Cells, Columns, Names, Ngrams, table};
use super::write::{Fit, Head};
use super::{Artifact, LoadError, Resolved, refused};
use crate::bounds::{NgramSize, OpenUnitInterval};
use crate::data::fingerprint_set::FingerprintSet;
#[cfg(feature = "schema")]
use crate::data::fingerprint_set::Spelled;
use crate::data::interner::Interner;
use crate::data::label::{ClassCounts, MAX_SAMPLES};
use crate::evaluate::gate::Gate;
use crate::evaluate::metrics::Metrics;
use crate::evaluate::session_scores::SessionScores;
use crate::evaluate::threshold::{Chosen, LeftOutScores, Threshold, Wish, WishError};
use crate::model::kind::ModelKind;
use crate::model::ngrams::{BOS, EOS, FIRST_ACTION, NgramTable};
use crate::model::normal::NormalModel;
use crate::model::normal::action_counts::{ActionCounts, CLASSES, least_times};
use crate::model::normal::config::NormalConfig;
use crate::model::normal::conformal::{Steps, fewest_to_promise};
use crate::model::normal::witten_bell::WittenBell;
use crate::run::{DataSummary, Reading, Training};
use crate::text::quote;
use serde::de::{Deserialize, SeqAccess};
use serde::{Deserialize as Read, Serialize, Serializer};

/// What the digest covers.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
pub(super) struct NormalBody<'a> {
    /// Another one is refused.
    #[cfg_attr(feature = "schema", schemars(extend("const" = super::FORMAT_VERSION)))]
    format_version: u32,
    /// What kind of model this is.
    #[cfg_attr(feature = "schema", schemars(extend("const" = super::MODEL_TYPE)))]
    model_type: &'static str,
    /// What it learned from.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "normal_only")))]
    kind: ModelKind,
    /// Longest n-gram.
    n: NgramSize,
    /// The score from which a sequence is labelled 1.
    anomaly_threshold: OpenUnitInterval,
    /// The digest of the model that this one is but for its threshold; null for a model as it was trained.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = "^[0-9a-f]{64}$")))]
    origin: Option<&'a str>,
    /// The training run that made it.
    run: Fit<NormalConfig>,
    /// What it was trained and judged on; null for a model saved by the library.
    data: Option<&'a DataSummary>,
    /// Its figures on the validation part; null for a model saved by the library.
    metrics: Option<&'a Metrics>,
    /// How many normal samples were trained on.
    training_samples: u64,
    /// How surprising they were to models that were trained without them: `[step, samples]`, ascending, with 1,024 steps for a bit.
    calibration: Steps,
    #[serde(serialize_with = "vocabulary")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::normal_vocabulary"))]
    vocabulary: &'a NormalModel,
    #[serde(serialize_with = "ngrams")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::normal_ngrams"))]
    ngrams: &'a NormalModel,
    /// Fingerprints of the training sequences.
    #[cfg_attr(feature = "schema", schemars(with = "Spelled"))]
    sequences: &'a FingerprintSet,
}

impl<'a> NormalBody<'a> {
    pub(super) fn of(artifact: &'a Artifact, model: &'a NormalModel) -> Self {
        let Head {
            format_version,
            model_type,
            origin,
            data,
            metrics,
        } = Head::of(artifact);
        Self {
            format_version,
            model_type,
            kind: ModelKind::NormalOnly,
            n: model.config.ngram_size,
            anomaly_threshold: model.threshold,
            origin,
            run: Fit::of(&artifact.run, model.config),
            data,
            metrics,
            training_samples: model.samples,
            calibration: model.conformal.to_steps(),
            vocabulary: model,
            ngrams: model,
            sequences: &model.fingerprints,
        }
    }
}

/// Name, how often it occurs, and how many samples have it so often, by class; sorted by name.
fn vocabulary<S: Serializer>(model: &&NormalModel, serializer: S) -> Result<S::Ok, S::Error> {
    let rows = (0..).zip(model.names.names()).zip(model.counts.classes());
    serializer.collect_seq(rows.map(|((action, name), classes)| (name, model.order.occurrences(action), classes)))
}

/// Symbols, and how often they occur in a row; sorted by length, then by symbols.
fn ngrams<S: Serializer>(model: &&NormalModel, serializer: S) -> Result<S::Ok, S::Error> {
    let WittenBell { table, counts, .. } = &model.order;
    let seen = &counts.seen[table.symbols() as usize..];
    serializer.collect_seq(
        (0..)
            .zip(seen)
            .map(|(number, count)| (super::write::key(table, number), count)),
    )
}

/// What the digest covers, without anything but its types checked.
#[derive(Read)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadNormal {
    #[serde(rename = "format_version")]
    _format_version: u32,
    #[serde(rename = "model_type")]
    _model_type: String,
    #[serde(rename = "kind")]
    _kind: ModelKind,
    n: NgramSize,
    anomaly_threshold: OpenUnitInterval,
    origin: Option<String>,
    run: Fit<NormalConfig>,
    data: Option<DataSummary>,
    metrics: Option<Metrics>,
    training_samples: u64,
    calibration: Steps,
    vocabulary: Columns<Names, Occurring>,
    ngrams: Columns<Ngrams, u64>,
    sequences: FingerprintSet,
}

/// How often an action occurs, and how many samples have it so often, by class.
struct Occurring {
    times: u64,
    classes: Vec<(u8, u64)>,
}

impl Cells for Occurring {
    fn next<'de, K: Deserialize<'de>, A: SeqAccess<'de>>(rows: &mut A) -> Result<Option<(K, Self)>, A::Error> {
        let row = rows.next_element::<(K, u64, Vec<(u8, u64)>)>()?;
        Ok(row.map(|(key, times, classes)| (key, Self { times, classes })))
    }
}

impl Cells for u64 {
    fn next<'de, K: Deserialize<'de>, A: SeqAccess<'de>>(rows: &mut A) -> Result<Option<(K, Self)>, A::Error> {
        rows.next_element::<(K, u64)>()
    }
}

impl ReadNormal {
    /// Checks what the types alone do not promise, and builds the artifact, with what the header says of its run but
    /// without the rest of the header.
    pub(super) fn into_artifact(self, reading: Reading, gate: Gate) -> Result<Artifact, LoadError> {
        let config = self.run.training;
        if self.n != config.ngram_size {
            return refused("inconsistent: \"n\" is not that of \"run\"");
        }
        if self.origin.is_none() && self.anomaly_threshold != config.anomaly_threshold {
            return refused("inconsistent: \"anomaly_threshold\" is not that of \"run\"");
        }
        if self.ngrams.cells.len() > config.max_ngrams.get() {
            return refused("inconsistent: there are more n-grams than \"max_ngrams\"");
        }
        let samples = self.training_samples;
        if !(1..=MAX_SAMPLES).contains(&samples) {
            return refused("inconsistent: \"training_samples\" is no number of samples");
        }
        let conformal = match self.calibration.into_conformal() {
            Some(conformal) if (1..=samples).contains(&conformal.samples()) => conformal,
            _ => return refused("inconsistent: \"calibration\" is not of training samples"),
        };
        let table = table(&self.vocabulary.keys, "n-gram", &self.ngrams.keys, |symbols| {
            is_ngram(symbols, self.n.get())
        })?;
        let mut seen = vec![samples; FIRST_ACTION as usize];
        for (name, Occurring { times, classes }) in self.vocabulary.keys.iter().zip(&self.vocabulary.cells) {
            if !are_possible(*times, classes, samples) {
                return refused(format!(
                    "inconsistent: {} cannot occur as often as it says",
                    quote(name)
                ));
            }
            seen.push(*times);
        }
        seen.extend_from_slice(&self.ngrams.cells);
        check_ngrams(&table, &seen)?;
        let mut names = Interner::default();
        self.vocabulary.keys.iter().for_each(|name| {
            names.intern(name);
        });
        let classes = self.vocabulary.cells.into_iter().map(|cells| cells.classes).collect();
        let artifact = Artifact {
            run: self.run.with(reading, gate, Training::NormalOnly(config)),
            model: NormalModel {
                config,
                threshold: self.anomaly_threshold,
                samples,
                names,
                order: WittenBell::new(table, seen, self.n.get()),
                counts: ActionCounts::new(samples, classes),
                conformal,
                fingerprints: self.sequences,
            }
            .into(),
            data: self.data,
            metrics: self.metrics,
            left_out: LeftOutScores::default(),
            sessions: SessionScores::default(),
            origin: self.origin,
            verdict: None,
            created_at: None,
            tool_version: None,
        };
        super::read::check_provenance(
            &artifact,
            ClassCounts {
                normal: samples,
                anomalous: 0,
            },
        )?;
        Ok(artifact)
    }
}

/// Whether an action can occur so often, in so many samples by class.
fn are_possible(times: u64, classes: &[(u8, u64)], samples: u64) -> bool {
    let is_class = |class: u8| (1..CLASSES).contains(&usize::from(class));
    if !classes.iter().all(|&(class, count)| is_class(class) && count > 0) {
        return false;
    }
    let sum = |each: fn(u8) -> u64| {
        classes.iter().try_fold(0_u64, |sum, &(class, count)| {
            sum.checked_add(count.checked_mul(each(class))?)
        })
    };
    let (with, least) = (sum(|_| 1), sum(|class| least_times(usize::from(class))));
    classes.is_sorted_by(|a, b| a.0 < b.0)
        && with.is_some_and(|with| (1..=samples).contains(&with))
        && least.is_some_and(|least| least <= times)
        && times <= MAX_SAMPLES
}

/// Refuses n-grams that do not occur as often as their context, which all that extends it does together, and sums that no training
/// can lead to.
fn check_ngrams(table: &NgramTable, seen: &[u64]) -> Result<(), LoadError> {
    let symbols = &seen[..table.symbols() as usize];
    let total = symbols.iter().try_fold(0_u64, |sum, &count| sum.checked_add(count));
    let mut extended = vec![0_u64; seen.len()];
    let mut possible = total.is_some_and(|total| total <= MAX_SAMPLES);
    for number in 0..table.len() {
        let count = seen[(table.symbols() + number) as usize];
        let sum = &mut extended[table.parent(number) as usize];
        let next = sum.checked_add(count).filter(|_| count > 0);
        possible &= next.is_some();
        *sum = next.unwrap_or(0);
    }
    possible &= extended.iter().zip(seen).all(|(&sum, &count)| sum == 0 || sum == count);
    if possible {
        Ok(())
    } else {
        refused("inconsistent: n-grams do not occur as often as what they extend")
    }
}

/// Whether these symbols can be 2 to `n` in a row, where only the first can be the marker of the beginning, and the last that of the end.
fn is_ngram(symbols: &[u32], n: usize) -> bool {
    let [_, inner @ ..] = symbols else {
        return false;
    };
    (2..=n).contains(&symbols.len()) && !inner.contains(&BOS) && !symbols[..symbols.len() - 1].contains(&EOS)
}

impl NormalModel {
    /// The threshold that promises what was asked for.
    pub(super) fn promising(&self, asked: Threshold) -> Result<Resolved, WishError> {
        let (threshold, promise) = match asked {
            Threshold::Fixed(threshold) => (threshold, None),
            Threshold::Wish(Wish::FalseAlarms(promise)) => (promise.complement(), Some(promise)),
            Threshold::Wish(wish) => return Err(WishError::NoLabels(wish)),
        };
        let promised = threshold.complement();
        let (samples, needed) = (self.conformal.samples(), fewest_to_promise(promised));
        if samples < needed {
            return Err(WishError::TooFewToPromise {
                promise: promised,
                samples,
                needed,
            });
        }
        Ok(Resolved {
            threshold,
            chosen: promise.map(|promise| Chosen {
                wish: Wish::FalseAlarms(promise),
                threshold,
                false_alarms: None,
                recall: None,
                precision: None,
            }),
        })
    }
}
