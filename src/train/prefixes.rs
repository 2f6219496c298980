//! What is said of sessions on their way: the sequences of a fold, asked about after each of their actions as a monitor asks, by the weights
//! that all other folds lead to.

use crate::data::dataset::Dataset;
use crate::data::label::ClassCounts;
use crate::evaluate::session_scores::{FIRST_ACTIONS, WINDOW};
use crate::model::features::{Encoder, Known, Row};
use crate::model::weights::Weights;
use crate::parallel::map_pieces;
use crate::train::distinct::Distinct;
use crate::train::training_set::TrainingSet;
use std::num::NonZeroUsize;

/// At most about so many sequences are asked about, evenly spread over those that are left out, and about so many prefixes of them together.
const SEQUENCES: usize = 10_000;
const ALL_PREFIXES: usize = 1 << 20;
/// Of a longer sequence not every prefix is asked about, but about so many.
const PREFIXES: usize = 500;

/// What is needed to ask.
pub(crate) struct Prefixes<'a> {
    data: &'a Dataset,
    distinct: &'a Distinct,
    set: &'a TrainingSet,
    n: usize,
    /// For each action of the data its number in the model; one that it does not know has a number above those.
    numbers: Vec<u32>,
    /// How many folds are asked about.
    folds: usize,
    /// The weights that all folds lead to.
    all: &'a Weights,
}

/// What was said of a sequence on its way.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OnItsWay {
    /// The index of the sequence.
    pub(crate) index: u32,
    pub(crate) labels: ClassCounts,
    /// After so many actions it came to log odds that were higher than all before.
    pub(crate) records: Vec<(u32, f64)>,
    /// The log odds after the first few actions, and the share of these that was unknown; `None` if there are not so many.
    pub(crate) first: Option<(f64, f64)>,
}

impl<'a> Prefixes<'a> {
    /// To ask about sequences of `folds` folds with n-grams of up to `n` actions, where all folds lead to the weights `all`.
    pub(crate) fn new(
        data: &'a Dataset,
        distinct: &'a Distinct,
        set: &'a TrainingSet,
        n: usize,
        folds: usize,
        all: &'a Weights,
    ) -> Self {
        let by_name: std::collections::BTreeMap<&str, u32> = set.names.iter().map(String::as_str).zip(0..).collect();
        let unknown = set.names.len() as u32;
        let numbers = (0..data.action_count() as u32).map(|action| {
            let known = by_name.get(data.action_name(action));
            known.copied().unwrap_or(unknown + action)
        });
        Self {
            data,
            distinct,
            set,
            n,
            numbers: numbers.collect(),
            folds: folds.max(1),
            all,
        }
    }

    /// Asks about the sequences of a fold, without which these weights came about.
    pub(crate) fn of_fold(&self, fold: u8, weights: &Weights, threads: NonZeroUsize) -> Vec<OnItsWay> {
        let of_fold = self.set.rows.folds().range(fold);
        let prefixes = of_fold.clone().map(|index| {
            let row = self.distinct.rows[index] as usize;
            self.data.length(row).min(PREFIXES)
        });
        let parts = |all: usize, most: usize| all.div_ceil(most.div_ceil(self.folds));
        let step = parts(of_fold.len(), SEQUENCES)
            .max(parts(prefixes.sum(), ALL_PREFIXES))
            .max(1);
        let asked: Vec<usize> = of_fold.step_by(step).collect();
        map_pieces(&asked, threads, |piece| {
            let (mut encoder, mut actions) = (Encoder::default(), Vec::new());
            let ask = |&index: &usize| {
                let row = self.distinct.rows[index] as usize;
                actions.clear();
                actions.extend(self.data.steps(row).map(|action| self.numbers[action as usize]));
                self.of_sequence(index, &actions, fold, weights, &mut encoder)
            };
            piece.iter().map(ask).collect()
        })
    }

    /// Asks about the sequence with this index after each of its actions.
    fn of_sequence(
        &self,
        index: usize,
        actions: &[u32],
        fold: u8,
        weights: &Weights,
        encoder: &mut Encoder,
    ) -> OnItsWay {
        let rows = &self.set.rows;
        let mut said = OnItsWay {
            index: index as u32,
            labels: rows.labels(index),
            records: Vec::new(),
            first: None,
        };
        // Groups come once, sequences come again; see `Fit::left_out`.
        let again = if rows.folds().by_group() {
            0.0
        } else {
            1.0 - 1.0 / said.labels.total() as f64
        };
        let every = actions.len().div_ceil(PREFIXES).max(1);
        for end in (1..=actions.len()).filter(|end| end % every == 0 || *end == actions.len()) {
            let window = &actions[end.saturating_sub(WINDOW.get() as usize)..end];
            let mut log_odds = self.log_odds(Some(fold), weights, encoder, window);
            if again > 0.0 {
                let known = self.log_odds(None, self.all, encoder, window);
                log_odds += again * (known - log_odds);
            }
            if said.records.last().is_none_or(|&(_, most)| log_odds > most) {
                said.records.push((end as u32, log_odds));
            }
            if end == FIRST_ACTIONS as usize {
                let unknown = window.iter().filter(|&&action| !self.knows(Some(fold), action)).count();
                said.first = Some((log_odds, unknown as f64 / window.len() as f64));
            }
        }
        said
    }

    /// Whether other folds than this one have an action or n-gram, or any has.
    fn knows(&self, fold: Option<u8>, feature: u32) -> bool {
        let among = (feature as usize) < self.set.actions.len() + self.set.ngrams.len();
        let known = |&number: &u32| fold.is_none_or(|fold| self.set.rows.is_known_without(fold, number));
        among && self.set.ids.get(feature as usize).is_some_and(known)
    }

    fn log_odds(&self, fold: Option<u8>, weights: &Weights, encoder: &mut Encoder, actions: &[u32]) -> f64 {
        let known = Known {
            table: &self.set.table,
            pairs: &self.set.pair_table,
            n: self.n,
            ranges: &self.set.ranges,
        };
        let Row { sparse, pairs, dense } =
            encoder.encode_knowing(known, actions.iter().copied(), |feature| self.knows(fold, feature));
        let dense: f64 = dense.iter().zip(&weights.dense).map(|(x, w)| x * w).sum();
        let present = sparse.iter().chain(pairs);
        weights.bias
            + dense
            + present.fold(0.0, |sum, &feature| {
                sum + weights.sparse[self.set.ids[feature as usize] as usize]
            })
    }
}
