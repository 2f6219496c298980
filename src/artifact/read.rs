//! The members of the model file, as they are read, and everything that is checked before they become a model.

use super::write::{DenseFeature, Fit};
use super::{Artifact, LoadError, refused};
use crate::bounded_map::bounded_map;
use crate::bounds::{NgramSize, OpenUnitInterval};
use crate::data::dataset::{MAX_ACTION, is_digest};
use crate::data::fingerprint_set::FingerprintSet;
use crate::data::interner::Interner;
use crate::data::label::ClassCounts;
use crate::evaluate::gate::Gate;
use crate::evaluate::metrics::Metrics;
use crate::evaluate::session_scores::SessionScores;
use crate::evaluate::threshold::LeftOutScores;
use crate::model::AnomalyModel;
use crate::model::config::TrainingConfig;
use crate::model::features::{DENSE, DENSE_COUNT};
use crate::model::fitted::Fitted;
use crate::model::kind::ModelKind;
use crate::model::ngrams::{BOS, EOS, FIRST_ACTION, MAX_NGRAM, NgramTable, Node, UNKNOWN};
use crate::model::weights::Weights;
use crate::run::{DataSummary, Reading, Source, Training, Validation};
use crate::text::{one_line, quote};
use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

/// What the digest covers, without anything but its types checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadLabelled {
    #[serde(rename = "format_version")]
    _format_version: u32,
    #[serde(rename = "model_type")]
    _model_type: String,
    #[serde(rename = "kind")]
    _kind: ModelKind,
    n: NgramSize,
    anomaly_threshold: OpenUnitInterval,
    origin: Option<String>,
    run: Fit<TrainingConfig>,
    fitted: Fitted,
    data: Option<DataSummary>,
    metrics: Option<Metrics>,
    left_out: LeftOutScores,
    sessions: SessionScores,
    training_samples: ClassCounts,
    bias: f64,
    #[serde(deserialize_with = "bounded_map")]
    dense: BTreeMap<String, DenseFeature>,
    vocabulary: Columns<Names, Weighed>,
    ngrams: Columns<Ngrams, Weighed>,
    pairs: Columns<Ngrams, Weighed>,
    sequences: FingerprintSet,
}

/// The rows of a table, column by column, so that a table takes little more memory than its text, whatever it holds.
pub(super) struct Columns<K, C> {
    pub(super) keys: K,
    pub(super) cells: Vec<C>,
}

/// The first column of a table.
pub(super) trait Keys: Default {
    type Key<'de>: Deserialize<'de>;

    /// Adds a key, or says why it cannot follow those that are there.
    fn push(&mut self, key: Self::Key<'_>) -> Result<(), String>;
}

/// The other columns of a table.
pub(super) trait Cells: Sized {
    /// Reads a row.
    fn next<'de, K: Deserialize<'de>, A: SeqAccess<'de>>(rows: &mut A) -> Result<Option<(K, Self)>, A::Error>;
}

/// A weight, and how many samples have what it is of.
struct Weighed {
    weight: f64,
    seen: ClassCounts,
}

impl Cells for Weighed {
    fn next<'de, K: Deserialize<'de>, A: SeqAccess<'de>>(rows: &mut A) -> Result<Option<(K, Self)>, A::Error> {
        let row = rows.next_element::<(K, f64, u64, u64)>()?;
        Ok(row.map(|(key, weight, normal, anomalous)| {
            let seen = ClassCounts { normal, anomalous };
            (key, Self { weight, seen })
        }))
    }
}

impl<'de, K: Keys, C: Cells> Deserialize<'de> for Columns<K, C> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rows<K, C>(PhantomData<(K, C)>);
        impl<'de, K: Keys, C: Cells> Visitor<'de> for Rows<K, C> {
            type Value = Columns<K, C>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of rows")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Columns<K, C>, A::Error> {
                let mut columns = Columns {
                    keys: K::default(),
                    cells: Vec::new(),
                };
                while let Some((key, cells)) = C::next::<K::Key<'de>, A>(&mut rows)? {
                    columns.keys.push(key).map_err(de::Error::custom)?;
                    columns.cells.push(cells);
                }
                Ok(columns)
            }
        }
        deserializer.deserialize_seq(Rows(PhantomData))
    }
}

#[derive(Deserialize)]
pub(super) struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// The names of all actions, one after the other.
#[derive(Default)]
pub(super) struct Names {
    text: String,
    ends: Vec<usize>,
}

impl Names {
    fn name(&self, index: usize) -> &str {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[index]]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).map(|index| self.name(index))
    }
}

impl Keys for Names {
    type Key<'de> = Name<'de>;

    fn push(&mut self, Name(name): Name<'_>) -> Result<(), String> {
        if name.len() > MAX_ACTION {
            return Err(format!("an action name is longer than {MAX_ACTION} bytes"));
        }
        let last = self.ends.len().checked_sub(1).map(|last| self.name(last));
        if last.is_some_and(|last| last >= &*name) {
            return Err(format!("the vocabulary is not sorted at {}", quote(&name)));
        }
        self.text.push_str(&name);
        self.ends.push(self.text.len());
        Ok(())
    }
}

/// The symbols of all n-grams, one after the other.
#[derive(Default)]
pub(super) struct Ngrams {
    symbols: Vec<u32>,
    lengths: Vec<u8>,
}

/// The symbols of one n-gram: the markers, or actions that may or may not be in the vocabulary.
pub(super) struct Symbols {
    symbols: [u32; MAX_NGRAM],
    length: usize,
}

impl<'de> Deserialize<'de> for Symbols {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Symbols;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of symbols")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Symbols, A::Error> {
                let mut read = Symbols {
                    symbols: [0; MAX_NGRAM],
                    length: 0,
                };
                while let Some(symbol) = list.next_element::<i64>()? {
                    let place = read.symbols.get_mut(read.length);
                    let symbol = match symbol {
                        -1 => Some(BOS),
                        -2 => Some(EOS),
                        action => u32::try_from(action).ok().and_then(|a| a.checked_add(FIRST_ACTION)),
                    };
                    let (Some(place), Some(symbol)) = (place, symbol) else {
                        return Err(de::Error::custom(
                            "what stands in the place of an n-gram is not an n-gram key",
                        ));
                    };
                    *place = symbol;
                    read.length += 1;
                }
                Ok(read)
            }
        }
        deserializer.deserialize_seq(List)
    }
}

impl Keys for Ngrams {
    type Key<'de> = Symbols;

    fn push(&mut self, key: Symbols) -> Result<(), String> {
        self.symbols.extend_from_slice(&key.symbols[..key.length]);
        self.lengths.push(key.length as u8);
        Ok(())
    }
}

impl Ngrams {
    fn iter(&self) -> impl Iterator<Item = &[u32]> {
        let mut rest = &self.symbols[..];
        self.lengths.iter().map(move |&length| {
            let (symbols, after) = rest.split_at(usize::from(length));
            rest = after;
            symbols
        })
    }
}

impl ReadLabelled {
    /// Checks that every number is so small that no score can become infinite. No training leads to larger ones: a weight is
    /// at most the number of samples divided by the smallest penalty.
    fn check_bounds(&self) -> Result<(), LoadError> {
        let weight = |weight: &f64| weight.abs() <= 1e16;
        let weighed = |cells: &Weighed| weight(&cells.weight);
        let figure =
            |figure: &DenseFeature| weight(&figure.weight) && figure.low.abs() <= 1e6 && figure.high.abs() <= 1e6;
        let too_large = [
            ("bias", !weight(&self.bias)),
            ("dense", !self.dense.values().all(figure)),
            ("vocabulary", !self.vocabulary.cells.iter().all(weighed)),
            ("ngrams", !self.ngrams.cells.iter().all(weighed)),
            ("pairs", !self.pairs.cells.iter().all(weighed)),
        ];
        match too_large.iter().find(|(_, too_large)| *too_large) {
            Some((member, _)) => refused(format!("a number in \"{member}\" is too large to come from training")),
            None => Ok(()),
        }
    }

    /// Whether what is said of training fits the model.
    fn check_training(&self) -> Result<(), LoadError> {
        let training = &self.run.training;
        if self.n != training.ngram_size {
            return refused("inconsistent: \"n\" is not that of \"run\"");
        }
        if !self.left_out.is_possible() {
            return refused("inconsistent: \"left_out\" are not scores of samples");
        }
        if !self.sessions.is_possible() {
            return refused("inconsistent: \"sessions\" are not scores of sessions");
        }
        let chosen = match self.run.threshold_for {
            None => Some(training.anomaly_threshold),
            Some(wish) => self.left_out.threshold(wish, 1.0).ok(),
        };
        if self.origin.is_none() && Some(self.anomaly_threshold) != chosen {
            return refused("inconsistent: \"anomaly_threshold\" is not that of \"run\"");
        }
        if self.ngrams.cells.len().max(self.pairs.cells.len()) > training.max_ngrams.get() {
            return refused("inconsistent: there are more n-grams or pairs than \"max_ngrams\"");
        }
        if training.l2.is_some_and(|l2| l2 != self.fitted.l2) {
            return refused("inconsistent: \"fitted\" has another penalty than \"run\"");
        }
        if !self.fitted.pairs && !self.pairs.cells.is_empty() {
            return refused("inconsistent: there are pairs, and \"fitted\" says that there are none");
        }
        Ok(())
    }

    /// Refuses the counts of an action or n-gram that cannot be.
    fn check_counts(&self, what: &dyn Fn() -> String, seen: ClassCounts) -> Result<(), LoadError> {
        let samples = self.training_samples;
        if seen.normal > samples.normal || seen.anomalous > samples.anomalous || seen == ClassCounts::default() {
            return refused(format!(
                "inconsistent: {} occurs in {} normal and {} anomalous of {} and {} samples",
                what(),
                seen.normal,
                seen.anomalous,
                samples.normal,
                samples.anomalous
            ));
        }
        Ok(())
    }

    /// Refuses an n-gram or pair that cannot occur as often as it says.
    fn check_seen(&self, name: &str, columns: &Columns<Ngrams, Weighed>) -> Result<(), LoadError> {
        let actions = &self.vocabulary.cells;
        for ((number, symbols), cells) in columns.keys.iter().enumerate().zip(&columns.cells) {
            let (what, seen) = (|| named(name, number, symbols), cells.seen);
            self.check_counts(&what, seen)?;
            let mut rarest = symbols.iter().filter_map(|symbol| symbol.checked_sub(FIRST_ACTION));
            if rarest.any(|action| {
                let action = actions[action as usize].seen;
                action.normal < seen.normal || action.anomalous < seen.anomalous
            }) {
                return refused(format!(
                    "inconsistent: {} occurs more often than one of its actions",
                    what()
                ));
            }
        }
        Ok(())
    }

    /// The weights and ranges of the dense features.
    fn figures(&self) -> Result<[DenseFeature; DENSE_COUNT], LoadError> {
        let mut figures = [DenseFeature {
            weight: 0.0,
            low: 0.0,
            high: 0.0,
        }; DENSE_COUNT];
        for (name, figure) in DENSE.iter().zip(&mut figures) {
            match self.dense.get(*name) {
                None => return refused(format!("the dense feature \"{name}\" is missing")),
                Some(read) if read.low > read.high => {
                    return refused(format!("the range of \"{name}\" is empty"));
                }
                Some(read) => *figure = *read,
            }
        }
        if self.dense.len() != DENSE_COUNT {
            return refused("there are dense features that this version does not know");
        }
        Ok(figures)
    }

    /// Checks what the types alone do not promise, and builds the artifact, with what the header says of its run but
    /// without the rest of the header.
    pub(super) fn into_artifact(self, reading: Reading, gate: Gate) -> Result<Artifact, LoadError> {
        self.check_bounds()?;
        self.check_training()?;
        for (name, cells) in self.vocabulary.keys.iter().zip(&self.vocabulary.cells) {
            self.check_counts(&|| quote(name), cells.seen)?;
        }
        let names = &self.vocabulary.keys;
        let table_of_ngrams = table(names, "n-gram", &self.ngrams.keys, |symbols| {
            is_ngram(symbols, self.n.get())
        })?;
        self.check_seen("n-gram", &self.ngrams)?;
        let pair_table = table(names, "pair", &self.pairs.keys, |symbols| {
            symbols.len() == 2 && symbols.iter().all(|&symbol| symbol >= FIRST_ACTION)
        })?;
        self.check_seen("pair", &self.pairs)?;
        let figures = self.figures()?;
        let mut names = Interner::default();
        self.vocabulary.keys.iter().for_each(|name| {
            names.intern(name);
        });
        let training = self.run.training;
        let run = self.run.with(reading, gate, Training::Labelled(training));
        let weights = [&self.vocabulary.cells, &self.ngrams.cells, &self.pairs.cells];
        let sparse = weights.into_iter().flatten().map(|cells| cells.weight).collect();
        let counts = |cells: Vec<Weighed>| cells.into_iter().map(|cells| cells.seen).collect();
        let artifact = Artifact {
            model: AnomalyModel {
                config: training,
                threshold: self.anomaly_threshold,
                fitted: self.fitted,
                samples: self.training_samples,
                ranges: figures.map(|figure| (figure.low, figure.high)),
                names,
                actions: counts(self.vocabulary.cells),
                table: table_of_ngrams,
                ngrams: counts(self.ngrams.cells),
                pair_table,
                pairs: counts(self.pairs.cells),
                weights: Weights {
                    bias: self.bias,
                    dense: figures.map(|figure| figure.weight),
                    sparse,
                },
                fingerprints: self.sequences,
            }
            .into(),
            run,
            data: self.data,
            metrics: self.metrics,
            left_out: self.left_out,
            sessions: self.sessions,
            origin: self.origin,
            verdict: None,
            created_at: None,
            tool_version: None,
        };
        check_provenance(&artifact, self.training_samples)?;
        Ok(artifact)
    }
}

/// Whether what is said of the data, the figures and the origin fits the model.
pub(super) fn check_provenance(artifact: &Artifact, trained: ClassCounts) -> Result<(), LoadError> {
    let Artifact {
        run,
        data,
        metrics,
        origin,
        ..
    } = artifact;
    if origin.as_ref().is_some_and(|origin| !is_digest(origin)) {
        return refused("inconsistent: \"origin\" is not a digest");
    }
    if let Some(data) = data {
        let all = match run.validation {
            Validation::Folds { .. } => Some(data.training_samples).filter(|&all| all == data.validation_samples),
            _ => data.training_samples.checked_add(data.validation_samples),
        };
        // Of what was drawn for a normal-only model, anomalous samples were left out.
        let is_drawn = |samples: u64| match run.training.kind() {
            ModelKind::Labelled => all == Some(samples),
            ModelKind::NormalOnly => all.is_some_and(|all| all <= samples),
        };
        if let Source::Synthetic { num_samples, .. } = run.source
            && !is_drawn(num_samples.get())
        {
            return refused("inconsistent: \"source\" and the parts differ in the number of samples");
        }
        if data.training_samples != trained.total() || !is_digest(&data.digest) {
            return refused("inconsistent: \"data\" does not fit the model");
        }
        let judged = metrics.as_ref().map(|metrics| metrics.samples);
        if judged.is_some_and(|samples| samples != data.validation_samples) {
            return refused("inconsistent: \"metrics\" and \"data\" differ in the number of samples");
        }
    }
    match metrics {
        Some(metrics)
            if origin.is_none() && metrics.threshold != artifact.model.threshold()
                || metrics.ece_bins.is_some() != (run.training.kind() == ModelKind::Labelled)
                || !metrics.is_consistent() =>
        {
            refused("inconsistent: \"metrics\" are not figures that this model can have")
        }
        _ => Ok(()),
    }
}

/// An n-gram or pair for an error.
fn named(name: &str, number: usize, symbols: &[u32]) -> String {
    one_line(&format!("{name} {number} {symbols:?}"))
}

/// The table of n-grams or pairs over these actions, if every one of them can be one and all are in order.
pub(super) fn table(
    actions: &Names,
    name: &str,
    keys: &Ngrams,
    can_be: impl Fn(&[u32]) -> bool,
) -> Result<NgramTable, LoadError> {
    let mut table = NgramTable::with_capacity(actions.iter().count(), keys.lengths.len());
    let mut previous: &[u32] = &[];
    // Those with the same beginning follow each other.
    let mut beginning: (&[u32], Node) = (&[], UNKNOWN);
    for (number, symbols) in keys.iter().enumerate() {
        let what = || named(name, number, symbols);
        let known = symbols.iter().all(|&symbol| symbol < table.symbols());
        if !known || !can_be(symbols) {
            return refused(format!("{} is not a valid key", what()));
        }
        if (previous.len(), previous) >= (symbols.len(), symbols) {
            return refused(format!("the {name}s are not sorted at {}", what()));
        }
        previous = symbols;
        let (prefix, last) = symbols.split_at(symbols.len() - 1);
        if beginning.0 != prefix {
            let node = prefix[1..]
                .iter()
                .try_fold(prefix[0], |node, &symbol| table.child(node, symbol));
            let Some(node) = node else {
                return refused(format!("{} stands without its beginning", what()));
            };
            beginning = (prefix, node);
        }
        table.add(beginning.1, last[0]);
    }
    Ok(table)
}

/// Whether these symbols can be a run of 2 to `n` actions of a sequence, or an action with a marker.
fn is_ngram(symbols: &[u32], n: usize) -> bool {
    let markers = match symbols {
        [first, second] => *first == EOS || *second == BOS,
        _ => symbols.contains(&BOS) || symbols.contains(&EOS),
    };
    (2..=n).contains(&symbols.len()) && !markers
}
