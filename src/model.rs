//! A trained model: what it knows, and the score it gives to a sequence.

use crate::bounds::Share;
use crate::config::TrainingConfig;
use crate::dataset::{ClassCounts, Dataset, Interner, Label};
use crate::features::{ACTION_NOVELTY, Encoder, NGRAM_NOVELTY, Ranges, Row};
use crate::metrics::Scored;
use crate::ngrams::NgramTable;
use crate::optimizer::{Weights, logistic};
use crate::parallel::map_pieces;
use foldhash::fast::RandomState;
use indexmap::IndexSet;
use serde::Serialize;
use std::num::NonZeroUsize;

/// A logistic regression over the actions and n-grams of a sequence, its entropy and its diversity.
///
/// Made by a [`Trainer`](crate::Trainer) or read from a file; see the crate documentation for an example.
#[derive(Debug, Clone)]
pub struct AnomalyModel {
    pub(crate) config: TrainingConfig,
    /// What the model was trained on.
    pub(crate) samples: ClassCounts,
    /// The range of each dense figure in the training part.
    pub(crate) ranges: Ranges,
    /// The known actions by name, which is also the order of their numbers.
    pub(crate) names: Interner,
    pub(crate) actions: Vec<ClassCounts>,
    pub(crate) table: NgramTable,
    pub(crate) ngrams: Vec<ClassCounts>,
    pub(crate) weights: Weights,
}

/// What a model says of one sequence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Prediction {
    /// Anomalous if the score is at least the threshold.
    pub label: Label,
    /// P(anomalous), 0..1.
    pub score: f64,
    /// Distance of the score from the threshold, scaled to 0..1 on either side of it.
    pub confidence: f64,
}

impl Prediction {
    /// The decision that `score` leads to under `threshold`.
    #[must_use]
    pub fn new(score: f64, threshold: Share) -> Self {
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
        }
    }
}

/// What each of the four analyses adds to the log odds of a sequence being anomalous. The sum of all parts is the log
/// odds of its score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Contributions {
    /// What every sequence starts with.
    pub bias: f64,
    /// The actions that are present, and how many of them are new.
    pub frequency: f64,
    /// The n-grams that are present, and how many of them are new.
    pub ngram: f64,
    /// How evenly the actions are spread.
    pub entropy: f64,
    /// How many different actions there are for the length, and the length.
    pub diversity: f64,
}

impl Contributions {
    /// The log odds that the parts add up to.
    #[must_use]
    pub fn log_odds(&self) -> f64 {
        self.bias + self.frequency + self.ngram + self.entropy + self.diversity
    }
}

impl AnomalyModel {
    /// How the model was trained.
    #[must_use]
    pub fn config(&self) -> &TrainingConfig {
        &self.config
    }

    /// What the model was trained on.
    #[must_use]
    pub fn training_samples(&self) -> ClassCounts {
        self.samples
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

    /// Scores one sequence and decides on it. An empty sequence has a score too, but one that means nothing.
    ///
    /// For many sequences a [`Scorer`] is faster.
    pub fn predict<'a>(&self, actions: impl IntoIterator<Item = &'a str>) -> Prediction {
        self.scorer().predict(actions)
    }

    /// Something that scores many sequences one after the other.
    #[must_use]
    pub fn scorer(&self) -> Scorer<'_> {
        Scorer {
            model: self,
            encoder: Encoder::default(),
            numbers: Vec::new(),
            unknown: IndexSet::default(),
        }
    }

    /// The scores and labels of the samples `indices` of `data`, in that order, worked out by at most `threads` threads.
    #[must_use]
    pub fn score_samples(&self, data: &Dataset, indices: &[u32], threads: NonZeroUsize) -> Vec<Scored> {
        // Any number above those of the known actions stands for an unknown action of its own.
        let numbers: Vec<u32> = (0..data.action_count() as u32)
            .map(|action| {
                let known = self.names.get(data.action_name(action));
                known.unwrap_or(self.actions.len() as u32 + action)
            })
            .collect();
        map_pieces(indices, threads, |piece| {
            let mut encoder = Encoder::default();
            piece
                .iter()
                .map(|&index| {
                    let steps = data.steps(index as usize).iter();
                    let row = encoder.encode(
                        &self.table,
                        self.config.ngram_size.get(),
                        &self.ranges,
                        steps.map(|&step| numbers[step as usize]),
                    );
                    let score = logistic(self.weights.log_odds(row));
                    (score, data.labels()[index as usize])
                })
                .collect()
        })
    }
}

/// Scores sequences with a model, reusing its buffers.
#[derive(Debug)]
pub struct Scorer<'m> {
    model: &'m AnomalyModel,
    encoder: Encoder,
    numbers: Vec<u32>,
    unknown: IndexSet<String, RandomState>,
}

impl Scorer<'_> {
    /// Scores one sequence and decides on it.
    pub fn predict<'a>(&mut self, actions: impl IntoIterator<Item = &'a str>) -> Prediction {
        let threshold = self.model.config.anomaly_threshold;
        Prediction::new(logistic(self.log_odds(actions)), threshold)
    }

    /// The log odds that the sequence is anomalous.
    pub fn log_odds<'a>(&mut self, actions: impl IntoIterator<Item = &'a str>) -> f64 {
        let weights = &self.model.weights;
        weights.log_odds(self.row(actions))
    }

    /// What each analysis contributes to the log odds.
    pub fn contributions<'a>(&mut self, actions: impl IntoIterator<Item = &'a str>) -> Contributions {
        let weights = &self.model.weights;
        let known_actions = self.model.actions.len() as u32;
        let row = self.row(actions);
        let first_ngram = row.present.partition_point(|&id| id < known_actions);
        let (actions, ngrams) = row.present.split_at(first_ngram);
        let dense = |index: usize| row.dense[index] * weights.dense[index];
        let present = |ids: &[u32]| -> f64 { ids.iter().map(|&id| weights.present[id as usize]).sum() };
        Contributions {
            bias: weights.bias,
            frequency: present(actions) + dense(ACTION_NOVELTY),
            ngram: present(ngrams) + dense(NGRAM_NOVELTY),
            entropy: dense(2) + dense(3),
            diversity: (4..8).map(dense).sum(),
        }
    }

    fn row<'a>(&mut self, actions: impl IntoIterator<Item = &'a str>) -> Row<'_> {
        let mut numbers = std::mem::take(&mut self.numbers);
        numbers.clear();
        self.unknown.clear();
        for action in actions {
            numbers.push(self.model.names.get(action).unwrap_or_else(|| {
                let index = self.unknown.get_index_of(action);
                let index = index.unwrap_or_else(|| self.unknown.insert_full(action.to_owned()).0);
                (self.model.actions.len() + index) as u32
            }));
        }
        let row = self.encoder.encode(
            &self.model.table,
            self.model.config.ngram_size.get(),
            &self.model.ranges,
            numbers.iter().copied(),
        );
        self.numbers = numbers;
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthetic::{Scenario, generate};
    use crate::trainer::train;

    #[test]
    fn confidence_is_the_distance_from_the_threshold() {
        let threshold = Share::try_from(0.25).unwrap();
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
    fn contributions_add_up_to_the_log_odds() {
        let data = generate(Scenario::Mixed, 600, 1);
        let training: Vec<u32> = (0..400).collect();
        let model = train(&data, &training, &TrainingConfig::default()).unwrap();
        let mut scorer = model.scorer();
        for index in 0..data.len() {
            let log_odds = scorer.log_odds(data.sequence(index));
            let parts = scorer.contributions(data.sequence(index)).log_odds();
            assert!((log_odds - parts).abs() < 1e-12, "{log_odds} {parts}");
        }
        let strange = ["never", "seen", "never", "before"];
        let parts = scorer.contributions(strange);
        assert!(parts.ngram > 0.0 && parts.frequency > 0.0, "{parts:?}");
        assert!((scorer.log_odds(strange) - parts.log_odds()).abs() < 1e-12);
    }

    #[test]
    fn samples_score_the_same_by_number_and_by_name() {
        let data = generate(Scenario::Mixed, 1200, 1);
        let training: Vec<u32> = (0..20).collect();
        let model = train(&data, &training, &TrainingConfig::default()).unwrap();
        let all: Vec<u32> = (0..data.len() as u32).collect();
        let scored = model.score_samples(&data, &all, 3.try_into().unwrap());
        for (index, &(score, label)) in scored.iter().enumerate() {
            let prediction = model.predict(data.sequence(index));
            assert_eq!(prediction.score.to_bits(), score.to_bits());
            assert_eq!(data.labels()[index], label);
        }
    }
}
