//! A model of normal sequences alone: how surprising a sequence is, and how many normal ones would be at least as surprising.
//!
//! The surprise of a sequence, in bits, is that of its order and that of its counts: what the most surprising window of actions
//! adds up to, each action by [those before it](witten_bell), and how unusual it is that the sequence has [each action as
//! often](action_counts) as it has it. The score is one minus a [conformal p-value](conformal).

pub(crate) mod action_counts;
pub(crate) mod config;
pub(crate) mod conformal;
pub(crate) mod explanation;
mod ngram_numbers;
pub(crate) mod witten_bell;

use crate::bounds::{OpenUnitInterval, UnitInterval};
use crate::data::dataset::Dataset;
use crate::data::fingerprint_set::FingerprintSet;
use crate::data::interner::Interner;
use crate::data::part::Part;
use crate::data::scored::Scored;
use crate::model::Prediction;
use crate::model::ngrams::{BOS, EOS, FIRST_ACTION};
use crate::model::normal::action_counts::ActionCounts;
use crate::model::normal::config::NormalConfig;
use crate::model::normal::conformal::Conformal;
use crate::model::normal::witten_bell::{Occurrences, Runs, WittenBell};
use crate::model::numbering::{Numbered, numbers_of};
use crate::model::unfamiliar::Unfamiliar;
use crate::parallel::map_pieces;
use std::num::NonZeroUsize;
use std::ops::{Deref, Range};

/// A model of normal sequences. Made by [`train_normal`](crate::train_normal) or read from a file.
#[derive(Debug, Clone)]
pub struct NormalModel {
    pub(crate) config: NormalConfig,
    /// The score from which a sequence is labelled anomalous.
    pub(crate) threshold: OpenUnitInterval,
    /// How many normal samples it was trained on.
    pub(crate) samples: u64,
    /// The known actions by name, which is also the order of their numbers.
    pub(crate) names: Interner,
    pub(crate) order: WittenBell,
    pub(crate) counts: ActionCounts,
    pub(crate) conformal: Conformal,
    /// Fingerprints of the sequences it was trained on, ascending.
    pub(crate) fingerprints: FingerprintSet,
}

/// How surprising a sequence is, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Surprise {
    /// The most surprising window: which of the actions, from 0, where the end of the sequence counts as one more.
    pub(crate) window: Range<usize>,
    /// What the surprises of these add up to, in bits.
    pub(crate) of_order: f64,
    /// What the number of times that it has each action adds up to, in bits.
    pub(crate) of_counts: f64,
    /// Mean surprise of an action, the end of the sequence counting as one, in bits.
    mean: f64,
}

impl Surprise {
    pub(crate) fn bits(&self) -> f64 {
        self.of_order + self.of_counts
    }

    /// The log loss of an action on average, in nats.
    pub(crate) fn loss(&self) -> f64 {
        self.mean * std::f64::consts::LN_2
    }
}

/// Whether a sequence has come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// It has: that it ends here, and what it is without, counts.
    Whole,
    /// It has not, so that it can only become more surprising.
    Open {
        /// Whether its first actions are at hand.
        from_begin: bool,
    },
}

/// What normal sequences are like, as it was learned, and the buffers in which a sequence is held against it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Judge {
    runs: Runs,
    /// The surprise of each action, then that of the end.
    bits: Vec<f64>,
    /// The different actions of the sequence, ascending.
    sorted: Vec<u32>,
}

/// What normal sequences are like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Normality<'m> {
    pub(crate) order: &'m WittenBell,
    pub(crate) occurrences: &'m Occurrences,
    pub(crate) counts: &'m ActionCounts,
    pub(crate) window: usize,
}

impl Judge {
    /// How surprising a sequence of these actions is; numbers of no known action stand for unknown ones.
    pub(crate) fn surprise(&mut self, normal: Normality<'_>, actions: &[u32], extent: Extent) -> Surprise {
        let Normality {
            order,
            occurrences,
            counts,
            window,
        } = normal;
        let (begin, end) = match extent {
            Extent::Whole => (Some(BOS), Some(EOS)),
            Extent::Open { from_begin } => (from_begin.then_some(BOS), None),
        };
        let symbols = actions.iter().map(|action| action.saturating_add(FIRST_ACTION));
        let first = usize::from(begin.is_some());
        order.look_up(&mut self.runs, begin.into_iter().chain(symbols).chain(end));
        let places = first..first + actions.len() + usize::from(end.is_some());
        self.bits.clear();
        self.bits
            .extend(places.map(|place| order.surprise(occurrences, &self.runs, place)));
        let (window, of_order) = worst(&self.bits, window);

        self.sorted.clear();
        self.sorted.extend_from_slice(actions);
        self.sorted.sort_unstable();
        let of_counts: f64 = (self.sorted.chunk_by(|a, b| a == b))
            .map(|same| {
                let present = counts.surprise(same[0], same.len() as u64);
                match extent {
                    Extent::Whole if (same[0] as usize) < counts.classes().len() => {
                        present - counts.surprise_of_absence(same[0])
                    }
                    _ => present,
                }
            })
            .sum();
        let nothing = if extent == Extent::Whole {
            counts.surprise_of_nothing()
        } else {
            0.0
        };
        Surprise {
            window,
            of_order,
            of_counts: nothing + of_counts,
            mean: self.bits.iter().sum::<f64>() / self.bits.len().max(1) as f64,
        }
    }
}

/// The first window of at most `length` whose sum is the greatest, and that sum.
fn worst(bits: &[f64], length: usize) -> (Range<usize>, f64) {
    if bits.len() <= length {
        return (0..bits.len(), bits.iter().sum());
    }
    let mut sums = vec![0.0];
    let mut sum = 0.0;
    sums.extend(bits.iter().map(|bits| {
        sum += bits;
        sum
    }));
    let mut greatest = (0, f64::NEG_INFINITY);
    for start in 0..=bits.len() - length {
        let sum = sums[start + length] - sums[start];
        if sum > greatest.1 {
            greatest = (start, sum);
        }
    }
    let window = greatest.0..greatest.0 + length;
    // Added up anew, so that it is what its parts are.
    (window.clone(), bits[window].iter().sum())
}

impl NormalModel {
    /// How the model was trained.
    #[must_use]
    pub fn config(&self) -> &NormalConfig {
        &self.config
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

    /// How many normal samples it was trained on.
    #[must_use]
    pub fn training_samples(&self) -> u64 {
        self.samples
    }

    /// How many normal samples p-values are counted on: each was scored by a model that had not seen it.
    #[must_use]
    pub fn calibration_samples(&self) -> u64 {
        self.conformal.samples()
    }

    /// Number of n-grams that the model knows.
    #[must_use]
    pub fn ngram_count(&self) -> usize {
        self.order.table.len() as usize
    }

    /// What it holds sequences against.
    pub(crate) fn normality(&self) -> Normality<'_> {
        Normality {
            order: &self.order,
            occurrences: &self.order.counts,
            counts: &self.counts,
            window: self.config.window.get() as usize,
        }
    }

    /// The score of a sequence that is so surprising.
    pub(crate) fn score_of(&self, surprise: &Surprise) -> UnitInterval {
        UnitInterval::probability(self.conformal.score(surprise.bits()))
    }

    /// What a surprise of so many bits leads to.
    pub(crate) fn decide(&self, surprise: f64) -> Prediction {
        Prediction {
            surprise: Some(surprise),
            ..Prediction::new(self.conformal.score(surprise), self.threshold)
        }
    }

    /// Something that scores many sequences one after the other.
    #[must_use]
    pub fn scorer(&self) -> NormalScorer<&Self> {
        NormalScorer::new(self)
    }

    /// Scores one sequence and decides on it; `None` for an empty one, of which nothing can be said.
    pub fn predict<'a>(&self, actions: impl IntoIterator<Item = &'a str>) -> Option<Prediction> {
        self.scorer().predict(actions)
    }

    /// What the model says of each row of `part` of `data`, in order, worked out by at most `threads` threads.
    #[must_use]
    pub fn score_part(&self, data: &Dataset, part: &Part, threads: NonZeroUsize) -> Vec<Scored> {
        let units = data.units();
        let surprises = self.surprises(data, part.rows(), threads);
        part.iter()
            .zip(surprises)
            .map(|((row, count), surprise)| Scored {
                score: self.score_of(&surprise),
                label: data.label(row),
                count,
                group: Some(units[row]),
            })
            .collect()
    }

    /// How surprising each of these rows of `data` is.
    pub(crate) fn surprises(&self, data: &Dataset, rows: &[u32], threads: NonZeroUsize) -> Vec<Surprise> {
        let numbers = numbers_of(&self.names, data);
        map_pieces(rows, threads, |piece| {
            let mut judge = Judge::default();
            let mut actions = Vec::new();
            let surprise = |&row: &u32| {
                actions.clear();
                actions.extend(data.steps(row as usize).map(|step| numbers[step as usize]));
                judge.surprise(self.normality(), &actions, Extent::Whole)
            };
            piece.iter().map(surprise).collect()
        })
    }
}

/// Scores sequences with a normal-only model, reusing its buffers. It borrows the model, or owns it: `M` is a reference or an
/// [`Arc`](std::sync::Arc).
#[derive(Debug)]
pub struct NormalScorer<M> {
    pub(crate) model: M,
    pub(crate) sequence: Numbered,
    pub(crate) judge: Judge,
}

impl<M: Deref<Target = NormalModel>> NormalScorer<M> {
    /// A scorer for this model.
    #[must_use]
    pub fn new(model: M) -> Self {
        Self {
            model,
            sequence: Numbered::default(),
            judge: Judge::default(),
        }
    }

    /// Scores one sequence and decides on it; `None` for an empty one, of which nothing can be said.
    pub fn predict<'a>(&mut self, actions: impl IntoIterator<Item = &'a str>) -> Option<Prediction> {
        self.sequence.take(&self.model.names, actions);
        if self.sequence.numbers.is_empty() {
            return None;
        }
        let surprise = self
            .judge
            .surprise(self.model.normality(), &self.sequence.numbers, Extent::Whole);
        Some(self.model.decide(surprise.bits()))
    }

    /// Notes in `seen` which actions of the latest sequence the model does not know.
    pub fn note_unfamiliar(&self, seen: &mut Unfamiliar) {
        self.sequence.note_unfamiliar(self.model.names.len(), seen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::synthetic::{Scenario, generate};
    use crate::train::normal::train_normal;
    use proptest::prelude::*;

    #[test]
    fn the_worst_window_is_the_first_with_the_greatest_sum() {
        assert_eq!(worst(&[1.0, 2.0], 10), (0..2, 3.0));
        assert_eq!(worst(&[1.0, 5.0, 1.0, 5.0, 0.0], 2), (0..2, 6.0));
        assert_eq!(worst(&[1.0, 0.0, 4.0, 3.0], 2), (2..4, 7.0));
        assert_eq!(worst(&[2.0, 9.0, 1.0], 1), (1..2, 9.0));
    }

    fn model() -> NormalModel {
        let data = generate(Scenario::Mixed, 1500, 3);
        let normal = Part::new(
            (0..data.rows() as u32)
                .filter(|&row| u8::from(data.label(row as usize)) == 0)
                .map(|row| (row, data.count(row as usize))),
        );
        train_normal(&data, &normal, &NormalConfig::default(), NonZeroUsize::MIN)
            .unwrap()
            .model
    }

    proptest! {
        #[test]
        fn a_session_that_goes_on_never_becomes_less_surprising(
            actions in proptest::collection::vec(0..30_u32, 1..60),
            from_begin in any::<bool>(),
        ) {
            thread_local!(static MODEL: NormalModel = model());
            MODEL.with(|model| {
                let mut judge = Judge::default();
                let mut before = 0.0;
                for length in 1..=actions.len() {
                    let bits = judge.surprise(model.normality(), &actions[..length], Extent::Open { from_begin }).bits();
                    assert!(bits >= before - 1e-9, "{actions:?} at {length}: {bits} after {before}");
                    before = bits;
                }
                if from_begin {
                    let whole = judge.surprise(model.normality(), &actions, Extent::Whole).bits();
                    assert!(whole >= before - 1e-9, "{actions:?}: {whole} in the end, {before} before");
                }
            });
        }
    }

    #[test]
    fn samples_score_the_same_by_row_and_by_name() {
        let model = model();
        let data = generate(Scenario::Mixed, 300, 8);
        let scored = model.score_part(&data, &data.all(), 3.try_into().unwrap());
        let mut scorer = model.scorer();
        for (row, scored) in scored.iter().enumerate() {
            let prediction = scorer.predict(data.sequence(row)).unwrap();
            assert_eq!(prediction.score.to_bits(), scored.score.get().to_bits());
        }
        assert_eq!(scorer.predict([]), None);
    }
}
