//! Training: counts what occurs, chooses how to fit, fits the weights, and calibrates them.

use crate::bounds::{OpenUnitInterval, UnitInterval};
use crate::data::dataset::Dataset;
use crate::data::fingerprint_set::FingerprintSet;
use crate::data::interner::Interner;
use crate::data::label::{ClassCounts, Label};
use crate::data::part::Part;
use crate::data::scored::Scored;
use crate::data::unit::Unit;
use crate::evaluate::session_scores::{SessionScores, Way};
use crate::model::AnomalyModel;
use crate::model::config::{Calibrate, TrainingConfig};
use crate::model::fitted::{Calibration, Fitted};
use crate::model::weights::{Weights, logistic};
use crate::train::calibration::{LeftOut, Line, calibrate, cross_calibrated};
use crate::train::choice;
use crate::train::cross_validation::OutOfFold;
use crate::train::distinct::Distinct;
use crate::train::fit::Fit;
use crate::train::folds::Folds;
use crate::train::prefixes::Prefixes;
use crate::train::training_set::TrainingSet;
use std::num::NonZeroUsize;

/// Calibration looks at the first folds that hold at least this many different sequences together, or at all.
const CALIBRATED_ON: usize = 10_000;
/// Unless whole groups are left out, which should be many, two folds are enough that hold so many actions together.
const ACTIONS: usize = 1 << 22;

/// A pass over the training part.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Epoch {
    /// More passes bring the weights nearer to their optimum. By how much a step still changed the fitted probability of its
    /// sequence, on average; it tends to 0.
    Converging(f64),
    /// The pass of an online fit, which needs no more.
    Pass,
}

/// What training leads to.
#[derive(Debug)]
#[non_exhaustive]
pub struct Trained {
    /// The model.
    pub model: AnomalyModel,
    /// Samples of the training part as models score them that were trained without them, each calibrated by the others: a
    /// share of them if there are many. Empty if not two things can be left out one after the other.
    pub left_out: OutOfFold,
    /// What these, as sessions, came to on their way.
    pub sessions: SessionScores,
    /// Different sequences of the training part that occur as normal ones.
    pub normal_sequences: u64,
}

/// Why a model cannot be trained.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// There is not one sample to learn from.
    #[error("no samples to train on")]
    NoSamples,
    /// Calibration by group was asked for.
    #[error("calibration by group needs training samples of two groups at least; use --calibrate sequence or none")]
    NoGroups,
    /// There are more actions than can be counted.
    #[error("more than 2^63 actions to learn from; --num-samples N takes the first N samples")]
    TooManyActions,
    /// There are too few normal samples to promise so small a share of false alarms.
    #[error(
        "a promise of {promise} false alarms needs {needed} normal samples at least, which are left out by group or by sequence and counted \
         on; there are {samples}: use more of them or promise more false alarms"
    )]
    TooFewToPromise {
        /// The share that was to be promised.
        promise: OpenUnitInterval,
        /// How many samples there are to count on.
        samples: u64,
        /// How many there would have to be.
        needed: u64,
    },
}

/// Trains a model on the part `training` of `data`, with at most `threads` threads, whose number changes nothing. `after` is called
/// after each pass over all of it.
///
/// # Errors
///
/// If `training` is empty, or if calibration by group is asked for where there are no groups.
pub fn train_on(
    data: &Dataset,
    training: &Part,
    config: &TrainingConfig,
    threads: NonZeroUsize,
    after: impl FnMut(Epoch),
) -> Result<Trained, TrainError> {
    if training.is_empty() {
        return Err(TrainError::NoSamples);
    }
    let distinct = Distinct::of(data, training, threads);
    let by_group = match config.calibrate {
        Calibrate::Group if distinct.groups.is_none() => return Err(TrainError::NoGroups),
        Calibrate::Sequence => false,
        Calibrate::Auto | Calibrate::Group | Calibrate::None => distinct.groups.is_some(),
    };
    let normal_sequences = distinct.normal_sequences();
    let fingerprints = FingerprintSet::of(distinct.fingerprints.clone());
    let sample = distinct.sample(data, choice::TRIAL, config.seed);
    let (distinct, folds) = Folds::draw(distinct, by_group, config.seed);
    let count = |distinct: &Distinct, folds: Folds, pairs: bool| {
        TrainingSet::build(data, distinct, folds, config, pairs, threads)
    };

    let is_sampled = sample.is_some();
    let mut set = match sample {
        Some(sample) => {
            let (sample, folds) = Folds::draw(sample, by_group, config.seed);
            count(&sample, folds, true)
        }
        None => count(&distinct, folds.clone(), true),
    };
    let (way, fitted) = if set.rows.folds().count() < 2 {
        (choice::without_trial(config), None)
    } else {
        let prior = prior(&set, config);
        choice::choose(&mut set.rows, &prior, config, threads)
    };
    let set = if is_sampled {
        drop(set);
        count(&distinct, folds, way.pairs)
    } else if way.pairs {
        set.rows.show_pairs(true);
        set
    } else {
        set.without_pairs()
    };

    let rows = &set.rows;
    let folds = calibrated_on(data, &distinct, rows.folds(), ACTIONS);
    let (fit, known) = match fitted.filter(|_| !is_sampled) {
        Some(fitted) => {
            fitted.epochs.into_iter().for_each(after);
            (fitted.fit, fitted.without)
        }
        None => {
            let fit = Fit::new(rows, &prior(&set, config), way, &folds, config, threads, after);
            (fit, Vec::new())
        }
    };
    let mut weights = fit.weights().clone();
    let (mut calibration, mut left_out, mut on_their_way) = (None, Vec::new(), Vec::new());
    if rows.folds().count() > 1 {
        let prefixes = Prefixes::new(
            data,
            &distinct,
            &set,
            config.ngram_size.get(),
            folds.len(),
            fit.weights(),
        );
        (left_out, on_their_way) = fit.left_out(rows, &folds, &known, config, threads, |fold, weights, threads| {
            prefixes.of_fold(fold, weights, threads)
        });
        drop(fit);
        if config.calibrate != Calibrate::None
            && let Some(line) = calibrate(left_out.iter().flatten())
        {
            weights.scale(line.slope.get());
            weights.bias += line.offset.get();
            left_out = match &left_out[..] {
                [one] => vec![
                    one.iter()
                        .map(|row| LeftOut {
                            log_odds: line.at(row.log_odds),
                            ..*row
                        })
                        .collect(),
                ],
                several => cross_calibrated(several),
            };
            calibration = Some(Calibration {
                by: if by_group { Unit::Group } else { Unit::Sequence },
                offset: line.offset,
                slope: line.slope,
            });
        }
    }
    weights.round();
    weights.sparse = set.ids.iter().map(|&id| weights.sparse[id as usize]).collect();

    let mut names = Interner::default();
    for name in &set.names {
        names.intern(name);
    }
    let units = data.units();
    let said: Vec<(u32, Scored)> = left_out
        .iter()
        .flatten()
        .flat_map(|of| {
            let row = distinct.rows[of.index as usize];
            scored(of, units[row as usize]).map(move |scored| (row, scored))
        })
        .collect();
    let calibrated = |log_odds: f64| {
        let calibrated = calibration.map_or(log_odds, |Calibration { offset, slope, .. }| {
            Line { offset, slope }.at(log_odds)
        });
        logistic(calibrated)
    };
    let ways = on_their_way.into_iter().flatten().map(|session| Way {
        unit: units[distinct.rows[session.index as usize] as usize],
        normal: session.labels.normal,
        anomalous: session.labels.anomalous,
        records: session
            .records
            .into_iter()
            .map(|(after, log_odds)| (after, calibrated(log_odds)))
            .collect(),
        first: session.first.map(|(log_odds, unknown)| (calibrated(log_odds), unknown)),
    });
    let by = if by_group { Unit::Group } else { Unit::Sequence };
    let sessions = SessionScores::of(by, &ways.collect::<Vec<_>>());
    Ok(Trained {
        model: AnomalyModel {
            config: *config,
            threshold: config.anomaly_threshold,
            fitted: Fitted {
                method: way.method,
                pairs: set.rows.shows_pairs(),
                l2: way.l2,
                calibration,
            },
            samples: set.samples,
            ranges: set.ranges,
            names,
            actions: set.actions,
            table: set.table,
            ngrams: set.ngrams,
            pair_table: set.pair_table,
            pairs: set.pairs,
            weights,
            fingerprints,
        },
        left_out: OutOfFold {
            rows: said.iter().map(|&(row, _)| row).collect(),
            scored: said.into_iter().map(|(_, scored)| scored).collect(),
        },
        sessions,
        normal_sequences,
    })
}

/// Trains a model on the part `training` of `data` with one thread; see [`train_on`].
///
/// # Errors
///
/// As for [`train_on`].
pub fn train(data: &Dataset, training: &Part, config: &TrainingConfig) -> Result<AnomalyModel, TrainError> {
    train_on(data, training, config, NonZeroUsize::MIN, |_| ()).map(|trained| trained.model)
}

/// The folds that calibration looks at; without groups, no more of them than it takes to hold so many actions.
fn calibrated_on(data: &Dataset, distinct: &Distinct, folds: &Folds, enough: usize) -> Vec<u8> {
    let mut first = folds.first(CALIBRATED_ON);
    if !folds.by_group() {
        let mut actions = 0;
        let last = first.iter().position(|&fold| {
            let rows = &distinct.rows[folds.range(fold)];
            actions += rows.iter().map(|&row| data.length(row as usize)).sum::<usize>();
            actions >= enough
        });
        first.truncate(last.map_or(first.len(), |last| 2.max(last + 1)));
    }
    first
}

/// The centre of the prior: the base rate, with half a sample added to each class so that one class alone has finite odds.
fn prior(set: &TrainingSet, config: &TrainingConfig) -> Weights {
    let odds = (set.samples.anomalous as f64 + 0.5) / (set.samples.normal as f64 + 0.5);
    Weights::prior(set.width, libm::log(odds), config.anomaly_threshold)
}

/// What was left out, by class.
fn scored(row: &LeftOut, unit: u32) -> impl Iterator<Item = Scored> + use<> {
    let score = UnitInterval::probability(logistic(row.log_odds));
    let ClassCounts { normal, anomalous } = row.labels;
    [(Label::Normal, normal), (Label::Anomalous, anomalous)]
        .into_iter()
        .filter(|&(_, count)| count > 0)
        .map(move |(label, count)| Scored {
            score,
            label,
            count,
            group: Some(unit),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::dataset::DatasetBuilder;

    #[test]
    fn calibration_looks_at_no_more_actions_than_it_needs_unless_groups_are_left_out() {
        let mut data = DatasetBuilder::new();
        for number in 0..100 {
            let name = number.to_string();
            let group = (number % 20).to_string();
            data.push([name.as_str(); 10], Label::Normal, Some(&group)).unwrap();
        }
        let data = data.build();
        let looked_at = |by_group: bool, enough: usize| {
            let distinct = Distinct::of(&data, &data.all(), NonZeroUsize::MIN);
            let (distinct, folds) = Folds::draw(distinct, by_group, 1);
            calibrated_on(&data, &distinct, &folds, enough)
        };
        // Ten folds of ten sequences of ten actions.
        assert_eq!(looked_at(false, 350), [0, 1, 2, 3]);
        assert_eq!(looked_at(false, 1), [0, 1]);
        assert_eq!(looked_at(false, 5000).len(), 10);
        assert_eq!(looked_at(true, 350).len(), 10);
    }
}
