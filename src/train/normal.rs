//! Training on normal sequences alone: counting, and scoring each sequence by what is left when its group is left out.

use crate::bounds::UnitInterval;
use crate::data::dataset::Dataset;
use crate::data::fingerprint_set::FingerprintSet;
use crate::data::interner::Interner;
use crate::data::label::{Label, MAX_SAMPLES};
use crate::data::part::Part;
use crate::data::scored::Scored;
use crate::evaluate::metrics::{Spread, blocks};
use crate::evaluate::threshold::{Chosen, Wish};
use crate::model::normal::action_counts::ClassCounter;
use crate::model::normal::config::NormalConfig;
use crate::model::normal::conformal::{self, Conformal, fewest_to_promise};
use crate::model::normal::witten_bell::Counter;
use crate::model::normal::{Extent, Judge, NormalModel, Normality, Surprise};
use crate::parallel::map_pieces;
use crate::train::cross_validation::OutOfFold;
use crate::train::distinct::Distinct;
use crate::train::folds::Folds;
use crate::train::trainer::TrainError;
use std::num::NonZeroUsize;

/// P-values are counted on the first folds that hold at least this many different sequences together, or on all.
const CALIBRATED_ON: usize = 100_000;

/// What training on normal samples leads to.
#[derive(Debug)]
#[non_exhaustive]
pub struct TrainedNormal {
    /// The model.
    pub model: NormalModel,
    /// Samples as they score by what was learned without their fold, their p-values counted on the groups other than their own: a share
    /// of the samples if there are many.
    pub left_out: OutOfFold,
    /// The log loss of the actions of each of them, on average, in nats.
    pub losses: Vec<f64>,
    /// The share of a group that the threshold reports there.
    pub false_alarms: Option<Spread>,
}

impl TrainedNormal {
    /// The promise, and how it is kept on groups that it was not counted on.
    pub(crate) fn promise(&self) -> Chosen {
        Chosen {
            wish: Wish::FalseAlarms(self.model.config.promise()),
            threshold: self.model.threshold,
            false_alarms: self.false_alarms,
            recall: None,
            precision: None,
        }
    }
}

/// Trains a model on the part `training` of `data`, with at most `threads` threads, whose number changes nothing. Its samples are
/// taken for normal, whatever their labels.
///
/// # Errors
///
/// If `training` is empty, if there are too few samples to promise what the threshold does, or if there are more than 2^63 actions.
pub fn train_normal(
    data: &Dataset,
    training: &Part,
    config: &NormalConfig,
    threads: NonZeroUsize,
) -> Result<TrainedNormal, TrainError> {
    if training.is_empty() {
        return Err(TrainError::NoSamples);
    }
    let (distinct, folds) = Folds::draw(Distinct::of(data, training, threads), true, config.seed);
    let lengths = distinct.rows.iter().map(|&row| data.steps(row as usize).count() + 1);
    let occurrences = lengths.zip(distinct.labels.iter());
    let total: u128 = occurrences
        .map(|(length, samples)| length as u128 * u128::from(samples.total()))
        .sum();
    if total > u128::from(MAX_SAMPLES) {
        return Err(TrainError::TooManyActions);
    }
    let numbering = Numbering::of(data, &distinct);
    let sequence = |index: usize| numbering.sequence(data, distinct.rows[index]);
    let samples = |index: usize| distinct.labels.of(index).total();

    let n = config.ngram_size.get();
    // In the order of the rows neighbours have much in common, so that what is looked up is at hand.
    let mut in_order: Vec<u32> = (0..distinct.len() as u32).collect();
    in_order.sort_unstable_by_key(|&index| distinct.rows[index as usize]);
    let (mut ngrams, mut classes) = (
        Counter::new(numbering.names.len(), n),
        ClassCounter::new(numbering.names.len()),
    );
    let mut times = Times::default();
    for index in in_order.iter().map(|&index| index as usize) {
        ngrams.add(sequence(index), samples(index));
        classes.add(times.of(sequence(index)), samples(index));
    }
    let (order, counts) = (ngrams.finish(config.max_ngrams.get()), classes.finish());

    let mut left_out: Vec<(usize, Surprise)> = Vec::new();
    let sampled = if folds.count() > 1 {
        folds.first(CALIBRATED_ON)
    } else {
        Vec::new()
    };
    for fold in sampled {
        let is_member = |index: &usize| folds.range(fold).contains(index);
        let members: Vec<usize> = (in_order.iter().map(|&index| index as usize))
            .filter(is_member)
            .collect();
        let mut own_classes = ClassCounter::new(numbering.names.len());
        let own = order.occurrences_in(members.iter().map(|&index| (sequence(index), samples(index))));
        for &index in &members {
            own_classes.add(times.of(sequence(index)), samples(index));
        }
        let occurrences = order.without(&own);
        let counts = own_classes.left_of(&counts);
        let normality = Normality {
            order: &order,
            occurrences: &occurrences,
            counts: &counts,
            window: config.window.get() as usize,
        };
        let said = map_pieces(&members, threads, |piece| {
            let (mut judge, mut actions) = (Judge::default(), Vec::new());
            let surprise = |&index: &usize| {
                actions.clear();
                actions.extend(sequence(index));
                judge.surprise(normality, &actions, Extent::Whole)
            };
            piece.iter().map(surprise).collect()
        });
        left_out.extend(members.into_iter().zip(said));
    }
    let conformal = Conformal::of(left_out.iter().map(|(index, said)| (said.bits(), samples(*index))));
    let promise = config.promise();
    let needed = fewest_to_promise(promise);
    if conformal.samples() < needed {
        return Err(TrainError::TooFewToPromise {
            promise,
            samples: conformal.samples(),
            needed,
        });
    }

    let units = data.units();
    let said: Vec<(u32, f64, u64)> = left_out
        .iter()
        .map(|(index, said)| (distinct.rows[*index], said.bits(), samples(*index)))
        .collect();
    let scored = scored_by_others(&said, &units, &conformal);
    let false_alarms = spread(&scored, config.anomaly_threshold.get());
    let total = training.samples();
    Ok(TrainedNormal {
        model: NormalModel {
            config: *config,
            threshold: config.anomaly_threshold,
            samples: total,
            names: numbering.names,
            order,
            counts,
            conformal,
            fingerprints: FingerprintSet::of(distinct.fingerprints),
        },
        left_out: OutOfFold {
            rows: said.iter().map(|&(row, ..)| row).collect(),
            scored,
        },
        losses: left_out.iter().map(|(_, said)| said.loss()).collect(),
        false_alarms,
    })
}

/// The actions of a part by number, names ascending.
struct Numbering {
    names: Interner,
    /// The number of each action of the data, if it occurs in the part.
    number_of: Vec<u32>,
}

impl Numbering {
    fn of(data: &Dataset, distinct: &Distinct) -> Self {
        let mut occurs = vec![false; data.action_count()];
        for &row in &distinct.rows {
            data.steps(row as usize).for_each(|step| occurs[step as usize] = true);
        }
        let mut names = Interner::default();
        let number_of = (0..)
            .zip(occurs)
            .map(|(action, occurs)| match occurs {
                true => names.intern(data.action_name(action)),
                false => u32::MAX,
            })
            .collect();
        Self { names, number_of }
    }

    fn sequence<'d>(&'d self, data: &'d Dataset, row: u32) -> impl Iterator<Item = u32> + 'd {
        data.steps(row as usize).map(|step| self.number_of[step as usize])
    }
}

/// Counts how often a sequence has each of its actions.
#[derive(Default)]
struct Times(Vec<u32>);

impl Times {
    fn of(&mut self, actions: impl Iterator<Item = u32>) -> impl Iterator<Item = (u32, u64)> {
        self.0.clear();
        self.0.extend(actions);
        self.0.sort_unstable();
        self.0.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as u64))
    }
}

/// What is left out, each with a score whose p-value is counted on all groups but its own. Very many groups are taken together.
fn scored_by_others(said: &[(u32, f64, u64)], units: &[u32], all: &Conformal) -> Vec<Scored> {
    let mut scored: Vec<Scored> = said
        .iter()
        .map(|&(row, _, count)| Scored {
            score: UnitInterval::probability(0.0),
            label: Label::Normal,
            count,
            group: Some(units[row as usize]),
        })
        .collect();
    let (block_of, _, count) = blocks(&scored);
    let mut of_block: Vec<Vec<(f64, u64)>> = vec![Vec::new(); count];
    for (&(_, bits, samples), &block) in said.iter().zip(&block_of) {
        of_block[usize::from(block)].push((bits, samples));
    }
    let own: Vec<Conformal> = of_block.into_iter().map(Conformal::of).collect();
    for ((scored, &(_, bits, _)), block) in scored.iter_mut().zip(said).zip(block_of) {
        let own = &own[usize::from(block)];
        let at_least = all.at_least(bits) - own.at_least(bits);
        scored.score = UnitInterval::probability(conformal::score(at_least, all.samples() - own.samples()));
    }
    scored
}

/// How the share that is reported varies from group to group.
fn spread(scored: &[Scored], threshold: f64) -> Option<Spread> {
    let (block_of, _, count) = blocks(scored);
    let mut counts = vec![(0_u64, 0_u64); count];
    for (said, block) in scored.iter().zip(block_of) {
        let (reported, all) = &mut counts[usize::from(block)];
        *all += said.count;
        *reported += if said.score.get() >= threshold { said.count } else { 0 };
    }
    Spread::of(
        counts
            .iter()
            .map(|&(reported, all)| reported as f64 / all as f64)
            .collect(),
    )
}
