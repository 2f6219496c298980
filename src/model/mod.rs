//! A trained model: what it knows, and the score it gives to a sequence.

pub(crate) mod config;
pub(crate) mod explanation;
pub(crate) mod features;
pub(crate) mod fitted;
pub(crate) mod kind;
pub(crate) mod ngrams;
pub(crate) mod normal;
pub(crate) mod numbering;
pub(crate) mod pattern;
pub(crate) mod repeats;
pub(crate) mod unfamiliar;
pub(crate) mod weights;

use crate::bounds::{OpenUnitInterval, UnitInterval};
use crate::data::dataset::Dataset;
use crate::data::fingerprint_set::FingerprintSet;
use crate::data::interner::Interner;
use crate::data::label::{ClassCounts, Label};
use crate::data::part::Part;
use crate::data::scored::Scored;
use crate::model::config::TrainingConfig;
use crate::model::features::{Encoder, Known, Ranges, Row};
use crate::model::fitted::Fitted;
use crate::model::ngrams::{BOS, EOS, FIRST_ACTION, NgramTable};
use crate::model::numbering::{Numbered, numbers_of};
use crate::model::pattern::Pattern;
use crate::model::unfamiliar::Unfamiliar;
use crate::model::weights::{Weights, logistic};
use crate::parallel::map_pieces;
use foldhash::fast::RandomState;
use indexmap::IndexSet;
use serde::Serialize;
use std::num::NonZeroUsize;
use std::ops::Deref;

/// A logistic regression over the actions, n-grams and ordered pairs of a sequence, its entropy and its diversity.
///
/// Made by [`train`](crate::train) or read from a file; see the crate documentation for an example.
#[derive(Debug, Clone)]
pub struct AnomalyModel {
    pub(crate) config: TrainingConfig,
    pub(crate) fitted: Fitted,
    /// The score from which a sequence is labelled anomalous.
    pub(crate) threshold: OpenUnitInterval,
    /// What the model was trained on.
    pub(crate) samples: ClassCounts,
    /// The range of each dense feature in the training part.
    pub(crate) ranges: Ranges,
    /// The known actions by name, which is also the order of their numbers.
    pub(crate) names: Interner,
    pub(crate) actions: Vec<ClassCounts>,
    pub(crate) table: NgramTable,
    pub(crate) ngrams: Vec<ClassCounts>,
    /// Ordered pairs, over the same symbols as `table`; each is two symbols.
    pub(crate) pair_table: NgramTable,
    pub(crate) pairs: Vec<ClassCounts>,
    pub(crate) weights: Weights,
    /// Fingerprints of the sequences it was trained on.
    pub(crate) fingerprints: FingerprintSet,
}

/// What a model says of one sequence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Prediction {
    /// Anomalous if the score is at least the threshold.
    pub label: Label,
    /// Of a model that was trained with labels P(anomalous), of a normal-only model one minus the p-value, 0..1.
    pub score: f64,
    /// Distance of the score from the threshold, scaled to 0..1 on either side of it.
    pub confidence: f64,
    /// How surprising the sequence is, in bits, which ranks what scores the same; only a normal-only model says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub surprise: Option<f64>,
}

impl Prediction {
    /// The decision that `score` leads to under `threshold`.
    #[must_use]
    pub fn new(score: f64, threshold: OpenUnitInterval) -> Self {
        let threshold = threshold.get();
        let (label, confidence) = if score >= threshold {
            (Label::Anomalous, (score - threshold) / (1.0 - threshold))
        } else {
            (Label::Normal, (threshold - score) / threshold)
        };
        Self {
            label,
            score,
            confidence,
            surprise: None,
        }
    }
}

/// An action, n-gram or ordered pair that a model knows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PatternWeight {
    /// Which one.
    #[serde(flatten)]
    pub pattern: Pattern,
    /// What its presence adds to the log odds of an anomaly.
    pub weight: f64,
    /// In how many training samples it occurs.
    pub seen: ClassCounts,
}

impl AnomalyModel {
    /// How the model was trained.
    #[must_use]
    pub fn config(&self) -> &TrainingConfig {
        &self.config
    }

    /// How its weights came about.
    #[must_use]
    pub fn fitted(&self) -> &Fitted {
        &self.fitted
    }

    /// The score from which a sequence is labelled anomalous.
    #[must_use]
    pub fn threshold(&self) -> OpenUnitInterval {
        self.threshold
    }

    /// The same model with another threshold.
    #[must_use]
    pub fn with_threshold(self, threshold: OpenUnitInterval) -> Self {
        Self { threshold, ..self }
    }

    /// The same model where a share of `base_rate` of all sequences is anomalous: the log odds of all scores are shifted by the
    /// logarithm of how much rarer or more frequent anomalies are there than they were in training. That is exact if nothing but
    /// their frequency differs. `None` if the model was trained on one class alone. The threshold stays, on the new scores.
    ///
    /// Source: M. Saerens, P. Latinne and C. Decaestecker, "Adjusting the outputs of a classifier to new a priori probabilities",
    /// Neural Computation 14 (2002).
    #[must_use]
    pub fn at_base_rate(mut self, base_rate: OpenUnitInterval) -> Option<Self> {
        self.weights.bias += self.log_odds_shift(base_rate)?;
        Some(self)
    }

    /// What [`at_base_rate`](Self::at_base_rate) adds to the log odds.
    #[must_use]
    pub fn log_odds_shift(&self, base_rate: OpenUnitInterval) -> Option<f64> {
        let ClassCounts { normal, anomalous } = self.samples;
        let odds = base_rate.get() / (1.0 - base_rate.get());
        (normal > 0 && anomalous > 0).then(|| libm::log(odds) - libm::log(anomalous as f64 / normal as f64))
    }

    /// The names of the actions that it knows, ascending.
    pub fn action_names(&self) -> impl Iterator<Item = &str> {
        self.names.names()
    }

    /// How many of its actions were seen in one training sample only.
    #[must_use]
    pub fn actions_seen_once(&self) -> usize {
        self.actions.iter().filter(|counts| counts.total() == 1).count()
    }

    /// What the model was trained on.
    #[must_use]
    pub fn training_samples(&self) -> ClassCounts {
        self.samples
    }

    /// The action, n-gram or ordered pair whose weight has number `id`, and in how many training samples it occurs.
    pub(crate) fn pattern(&self, id: u32) -> (Pattern, ClassCounts) {
        let id = id as usize;
        let (first_ngram, first_pair) = (self.actions.len(), self.first_pair());
        let (symbols, seen) = if id < first_ngram {
            (vec![id as u32 + FIRST_ACTION], self.actions[id])
        } else if id < first_pair {
            let number = id - first_ngram;
            (self.table.symbols_of(number as u32), self.ngrams[number])
        } else {
            let number = id - first_pair;
            (self.pair_table.symbols_of(number as u32), self.pairs[number])
        };
        let actions = symbols.iter().filter_map(|symbol| symbol.checked_sub(FIRST_ACTION));
        let pattern = Pattern {
            actions: actions.map(|action| self.names.name(action).to_owned()).collect(),
            at_begin: symbols.first() == Some(&BOS),
            at_end: symbols.last() == Some(&EOS),
            with_gap: id >= first_pair,
        };
        (pattern, seen)
    }

    /// The number of the first ordered pair among the weights.
    pub(crate) fn first_pair(&self) -> usize {
        self.actions.len() + self.ngrams.len()
    }

    /// What a sequence is looked up in.
    pub(crate) fn known(&self) -> Known<'_> {
        Known {
            table: &self.table,
            pairs: &self.pair_table,
            n: self.config.ngram_size.get(),
            ranges: &self.ranges,
        }
    }

    /// The actions, n-grams and ordered pairs with the highest weights, highest first, and those with the lowest, lowest first; at most
    /// `most` of each, and none whose weight points the other way.
    #[must_use]
    pub fn top_features(&self, most: usize) -> (Vec<PatternWeight>, Vec<PatternWeight>) {
        let weights = &self.weights.sparse;
        let mut ids: Vec<u32> = (0..weights.len() as u32).collect();
        ids.sort_by(|&a, &b| weights[b as usize].total_cmp(&weights[a as usize]));
        let pattern_weight = |&id: &u32| {
            let (pattern, seen) = self.pattern(id);
            PatternWeight {
                pattern,
                weight: weights[id as usize],
                seen,
            }
        };
        let highest = ids.iter().take_while(|&&id| weights[id as usize] > 0.0).take(most);
        let lowest = ids
            .iter()
            .rev()
            .take_while(|&&id| weights[id as usize] < 0.0)
            .take(most);
        (
            highest.map(pattern_weight).collect(),
            lowest.map(pattern_weight).collect(),
        )
    }

    /// Number of actions that the model knows.
    #[must_use]
    pub fn action_count(&self) -> usize {
        self.actions.len()
    }

    /// Number of n-grams that the model knows.
    #[must_use]
    pub fn ngram_count(&self) -> usize {
        self.ngrams.len()
    }

    /// Number of ordered pairs that the model knows.
    #[must_use]
    pub fn pair_count(&self) -> usize {
        self.pairs.len()
    }

    /// Scores one sequence and decides on it; `None` for an empty one, of which nothing can be said.
    ///
    /// For many sequences a [`Scorer`] or [`predict_many`](Self::predict_many) is faster.
    pub fn predict<'a>(&self, actions: impl IntoIterator<Item = &'a str>) -> Option<Prediction> {
        self.scorer().predict(actions)
    }

    /// [`predict`](Self::predict) for each of `sequences`, in order, worked out by at most `threads` threads.
    #[must_use]
    pub fn predict_many<S: AsRef<str>>(
        &self,
        sequences: &[impl AsRef<[S]> + Sync],
        threads: NonZeroUsize,
    ) -> Vec<Option<Prediction>> {
        map_pieces(sequences, threads, |piece| {
            let mut scorer = self.scorer();
            let predict = |sequence: &_| scorer.predict(AsRef::<[S]>::as_ref(sequence).iter().map(AsRef::as_ref));
            piece.iter().map(predict).collect()
        })
    }

    /// The number of the action `name`, below [`action_count`](Self::action_count); `None` if the model does not know it.
    #[must_use]
    pub fn action_number(&self, name: &str) -> Option<u32> {
        self.names.get(name)
    }

    /// Something that scores many sequences one after the other.
    #[must_use]
    pub fn scorer(&self) -> Scorer<&Self> {
        Scorer::new(self)
    }

    /// What the model says of each row of `part` of `data`, in order, worked out by at most `threads` threads.
    #[must_use]
    pub fn score_part(&self, data: &Dataset, part: &Part, threads: NonZeroUsize) -> Vec<Scored> {
        let units = data.units();
        let scores = self.scores(data, part.rows(), threads);
        part.iter()
            .zip(scores)
            .map(|((row, count), score)| Scored {
                score,
                label: data.label(row),
                count,
                group: Some(units[row]),
            })
            .collect()
    }

    /// The score of each of these rows of `data`.
    pub(crate) fn scores(&self, data: &Dataset, rows: &[u32], threads: NonZeroUsize) -> Vec<UnitInterval> {
        let numbers = numbers_of(&self.names, data);
        map_pieces(rows, threads, |piece| {
            let mut encoder = Encoder::default();
            let score = |&row: &u32| {
                let steps = data.steps(row as usize).map(|step| numbers[step as usize]);
                let encoded = encoder.encode(self.known(), steps);
                UnitInterval::probability(logistic(self.weights.log_odds(encoded)))
            };
            piece.iter().map(score).collect()
        })
    }
}

/// Scores sequences with a model, reusing its buffers. It borrows the model, or owns it: `M` is a reference or an
/// [`Arc`](std::sync::Arc).
#[derive(Debug)]
pub struct Scorer<M> {
    pub(crate) model: M,
    pub(crate) encoding: Encoding,
}

/// A sequence in the form that a model scores.
#[derive(Debug, Default)]
pub(crate) struct Encoding {
    encoder: Encoder,
    pub(crate) sequence: Numbered,
}

impl<M: Deref<Target = AnomalyModel>> Scorer<M> {
    /// A scorer for this model.
    #[must_use]
    pub fn new(model: M) -> Self {
        Self {
            model,
            encoding: Encoding::default(),
        }
    }

    /// Scores one sequence and decides on it; `None` for an empty one, of which nothing can be said.
    pub fn predict<'a>(&mut self, actions: impl IntoIterator<Item = &'a str>) -> Option<Prediction> {
        let model = &*self.model;
        self.encoding.sequence.take(&model.names, actions);
        self.encoding.decide(model)
    }

    /// The same for actions by number, see [`AnomalyModel::action_number`]: a number of no known action stands for an unknown
    /// action, each number for one of its own.
    pub fn predict_numbers(&mut self, actions: impl IntoIterator<Item = u32>) -> Option<Prediction> {
        let model = &*self.model;
        let known = model.actions.len() as u32;
        let mut unknown: IndexSet<u32, RandomState> = IndexSet::default();
        let numbers = &mut self.encoding.sequence.numbers;
        numbers.clear();
        for number in actions {
            numbers.push(match number < known {
                true => number,
                // What is unknown is numbered anew, so that large numbers cost no memory.
                false => known + unknown.insert_full(number).0 as u32,
            });
        }
        self.encoding.decide(model)
    }

    /// Notes in `seen` which actions of the latest sequence that was scored by name the model does not know.
    pub fn note_unfamiliar(&self, seen: &mut Unfamiliar) {
        self.encoding.sequence.note_unfamiliar(self.model.names.len(), seen);
    }

    /// The log odds that the sequence is anomalous.
    pub fn log_odds<'a>(&mut self, actions: impl IntoIterator<Item = &'a str>) -> f64 {
        let model = &*self.model;
        model.weights.log_odds(self.encoding.row(model, actions))
    }
}

impl Encoding {
    /// The features of a sequence.
    pub(crate) fn row<'a, 'b>(
        &'b mut self,
        model: &'b AnomalyModel,
        actions: impl IntoIterator<Item = &'a str>,
    ) -> Row<'b> {
        self.sequence.take(&model.names, actions);
        self.encode(model)
    }

    /// The features of the sequence whose numbers are in place.
    fn encode<'b>(&'b mut self, model: &'b AnomalyModel) -> Row<'b> {
        let numbers = self.sequence.numbers.iter().copied();
        self.encoder.encode(model.known(), numbers)
    }

    /// What the model says of that sequence; nothing can be said of an empty one.
    fn decide(&mut self, model: &AnomalyModel) -> Option<Prediction> {
        let is_empty = self.sequence.numbers.is_empty();
        let score = logistic(model.weights.log_odds(self.encode(model)));
        (!is_empty).then(|| Prediction::new(score, model.threshold()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::synthetic::{Scenario, generate};
    use crate::train::trainer::train;

    #[test]
    fn confidence_is_the_distance_from_the_threshold() {
        let threshold = OpenUnitInterval::try_from(0.25).unwrap();
        let of = |score| {
            let prediction = Prediction::new(score, threshold);
            (prediction.label, prediction.confidence)
        };
        assert_eq!(of(0.25), (Label::Anomalous, 0.0));
        assert_eq!(of(0.625), (Label::Anomalous, 0.5));
        assert_eq!(of(1.0), (Label::Anomalous, 1.0));
        assert_eq!(of(0.125), (Label::Normal, 0.5));
        assert_eq!(of(0.0), (Label::Normal, 1.0));
    }

    #[test]
    fn samples_score_the_same_by_number_and_by_name() {
        let data = generate(Scenario::Mixed, 1200, 1);
        let some = Part::new((0..data.rows() as u32).step_by(50).map(|row| (row, 1)));
        let model = train(&data, &some, &TrainingConfig::default()).unwrap();
        let scored = model.score_part(&data, &data.all(), 3.try_into().unwrap());
        for (row, scored) in scored.iter().enumerate() {
            let prediction = model.predict(data.sequence(row)).unwrap();
            assert_eq!(prediction.score.to_bits(), scored.score.get().to_bits());
            assert_eq!((data.label(row), data.count(row)), (scored.label, scored.count));
        }
    }
}
