//! What sessions come to on their way, and the threshold that lets no more of the normal ones alarm than a budget allows.
//!
//! A monitor asks about a session after each of its actions, and the highest of the answers decides whether it ever alarms. So a threshold
//! that reports one in a hundred whole sequences lets many more sessions alarm. What counts is the highest score on the way, of sessions
//! of groups that the model was not trained on.

use crate::bounds::{OpenUnitInterval, WindowSize};
use crate::data::histogram::Histogram;
use crate::data::label::MAX_SAMPLES;
use crate::data::unit::Unit;
use crate::evaluate::threshold::{bin_of, edge_between};
use crate::random::{Purpose, stream};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Latest actions of a session that a monitor looks at unless another number is asked for.
pub const WINDOW: WindowSize = WindowSize::literal(50);
/// After so many actions of a session the model's score of them, and how many it does not know, are taken for what is usual of it.
pub const FIRST_ACTIONS: u32 = 5;

/// Most groups that are told apart; further ones are taken together with them.
const GROUPS: usize = 1000;
/// Fewer groups say little about others.
pub const FEW_GROUPS: usize = 10;
/// The cautious threshold keeps the budget in this share of so many draws of so many groups.
const SURE: f64 = 0.8;
const DRAWS: usize = 400;
const DRAWN: usize = 5;

/// What is usual of a model on sessions that it was not trained on, after [`FIRST_ACTIONS`] of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ModelBaseline {
    /// The share of actions that it does not know, in how many sessions it fell into each tenth of 0..1.
    pub unknown_actions: Histogram,
    /// Its scores, in the same way.
    pub scores: Histogram,
}

/// What sessions came to on their way, as models say that were trained without them. Scores are numbers of bins of log odds, fifty for a
/// unit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SessionScores {
    /// What was left out together; none if nothing was.
    by: Option<Unit>,
    /// For each group, how many normal sessions came to which score at most.
    normal: Vec<Vec<(i32, u64)>>,
    /// Of the anomalous ones: how many, and after how many actions they came to a score that was higher than all before.
    anomalous: Vec<(u64, Vec<(u32, i32)>)>,
    /// What is usual of the normal ones.
    usual: ModelBaseline,
}

/// A session on its way.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Way {
    /// What it belongs to.
    pub(crate) unit: u32,
    /// How many normal and anomalous samples it stands for.
    pub(crate) normal: u64,
    pub(crate) anomalous: u64,
    /// After so many actions it came to a score that was higher than all before.
    pub(crate) records: Vec<(u32, f64)>,
    /// Score and share of unknown actions after the first few.
    pub(crate) first: Option<(f64, f64)>,
}

/// How a budget of false alarms is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Caution {
    /// On average over new groups.
    #[default]
    Mean,
    /// In four of five draws of a few groups.
    Cautious,
}

/// A threshold for a budget of false alarms a session, and what it did to sessions of groups that models had not seen.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Budget {
    /// The threshold.
    pub threshold: OpenUnitInterval,
    /// What was left out together.
    pub by: Unit,
    /// How many groups normal sessions are of.
    pub groups: usize,
    /// Share of the normal sessions that ever alarm.
    pub false_alarms: f64,
    /// The lowest and the highest share of them in a group.
    pub by_group: (f64, f64),
    /// Share of the anomalous sessions that are found, if there are any.
    pub found: Option<f64>,
    /// After how many actions half of those are.
    pub delay: Option<u32>,
}

/// Why there is no such threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BudgetError {
    /// There are no sessions to choose it on.
    #[error(
        "the model file holds no scores of normal sessions that were left out of training; train it on more groups or samples"
    )]
    NothingLeftOut,
    /// There are too few of them for so small a share.
    #[error(
        "so small a share of false alarms needs {needed} normal sessions at least that were left out of training; there are {sessions}"
    )]
    TooFew {
        /// How many there are.
        sessions: u64,
        /// How many there would have to be.
        needed: u64,
    },
}

impl SessionScores {
    pub(crate) fn of(by: Unit, ways: &[Way]) -> Self {
        let mut units: Vec<u32> = ways.iter().filter(|way| way.normal > 0).map(|way| way.unit).collect();
        units.sort_unstable();
        units.dedup();
        let mut normal = vec![BTreeMap::<i32, u64>::new(); units.len().min(GROUPS)];
        let mut anomalous = BTreeMap::<Vec<(u32, i32)>, u64>::new();
        let mut usual = ModelBaseline::default();
        for way in ways {
            let mut records: Vec<(u32, i32)> = Vec::new();
            for &(after, score) in &way.records {
                let bin = bin_of(score);
                if records.last().is_none_or(|&(_, most)| bin > most) {
                    records.push((after, bin));
                }
            }
            let Some(&(_, most)) = records.last() else {
                continue;
            };
            if way.normal > 0
                && let Ok(place) = units.binary_search(&way.unit)
            {
                *normal[place % GROUPS].entry(most).or_default() += way.normal;
                if let Some((score, unknown)) = way.first {
                    usual.scores.add_many(score, way.normal);
                    usual.unknown_actions.add_many(unknown, way.normal);
                }
            }
            if way.anomalous > 0 {
                *anomalous.entry(records).or_default() += way.anomalous;
            }
        }
        Self {
            by: (!ways.is_empty()).then_some(by),
            normal: normal.into_iter().map(|bins| bins.into_iter().collect()).collect(),
            anomalous: anomalous.into_iter().map(|(records, count)| (count, records)).collect(),
            usual,
        }
    }

    /// Whether they can have come out of training.
    pub(crate) fn is_possible(&self) -> bool {
        let counts = self.normal.iter().flatten().map(|&(_, count)| count);
        let total = counts
            .chain(self.anomalous.iter().map(|&(count, _)| count))
            .try_fold(0_u64, |sum, count| sum.checked_add(count).filter(|_| count > 0));
        let rises = |records: &[(u32, i32)]| {
            !records.is_empty() && records.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1) && records[0].0 > 0
        };
        let histograms = [self.usual.scores, self.usual.unknown_actions];
        total.is_some_and(|total| total <= MAX_SAMPLES)
            && self.normal.len() <= GROUPS
            && self
                .normal
                .iter()
                .all(|bins| !bins.is_empty() && bins.is_sorted_by(|a, b| a.0 < b.0))
            && self.anomalous.is_sorted_by(|a, b| a.1 < b.1)
            && self.anomalous.iter().all(|(_, records)| rises(records))
            && (self.by.is_some() || (self.normal.is_empty() && self.anomalous.is_empty()))
            && histograms.iter().all(|histogram| histogram.total() <= MAX_SAMPLES)
    }

    /// What is usual of the model, if enough is known.
    #[must_use]
    pub fn usual(&self) -> Option<ModelBaseline> {
        Some(self.usual).filter(|usual| usual.scores.total() > 0)
    }

    /// The lowest threshold from which on no more than `share` of the normal sessions ever alarm.
    ///
    /// # Errors
    ///
    /// If there are none to choose it on, or too few.
    pub fn budget(&self, share: OpenUnitInterval, caution: Caution, seed: u64) -> Result<Budget, BudgetError> {
        let all: Vec<usize> = (0..self.normal.len()).collect();
        let sessions = self.sessions(&all);
        let (Some(by), true) = (self.by, sessions > 0) else {
            return Err(BudgetError::NothingLeftOut);
        };
        let needed = libm::ceil(1.0 / share.get()) as u64;
        if sessions < needed {
            return Err(BudgetError::TooFew { sessions, needed });
        }
        let edge = match caution {
            Caution::Mean => self.edge(&all, share.get()),
            Caution::Cautious => {
                let mut rng = stream(seed, Purpose::Budget);
                let mut order = all.clone();
                let mut edges: Vec<i32> = (0..DRAWS)
                    .map(|_| {
                        let (drawn, _) = order.partial_shuffle(&mut rng, DRAWN.min(all.len()));
                        self.edge(drawn, share.get())
                    })
                    .collect();
                edges.sort_unstable();
                let place = (SURE * DRAWS as f64) as usize - 1;
                edges[place].max(self.edge(&all, share.get()))
            }
        };
        Ok(self.judged(by, edge))
    }

    /// What a threshold at the lower end of the bin `edge` does.
    fn judged(&self, by: Unit, edge: i32) -> Budget {
        let alarms = |bins: &[(i32, u64)]| -> (u64, u64) {
            bins.iter().fold((0, 0), |(alarms, all), &(bin, count)| {
                (alarms + if bin >= edge { count } else { 0 }, all + count)
            })
        };
        let groups: Vec<(u64, u64)> = self.normal.iter().map(|bins| alarms(bins)).collect();
        let (alarmed, all) = groups
            .iter()
            .fold((0, 0), |sum, group| (sum.0 + group.0, sum.1 + group.1));
        let shares = || groups.iter().map(|&(alarmed, all)| alarmed as f64 / all as f64);
        let mut delays = BTreeMap::<u32, u64>::new();
        let (mut found, mut anomalous) = (0, 0);
        for (count, records) in &self.anomalous {
            anomalous += count;
            if let Some(&(after, _)) = records.iter().find(|&&(_, bin)| bin >= edge) {
                found += count;
                *delays.entry(after).or_default() += count;
            }
        }
        let mut before = 0;
        let delay = delays.into_iter().find(|&(_, count)| {
            before += count;
            2 * before >= found
        });
        Budget {
            threshold: self.threshold(edge),
            by,
            groups: groups.len(),
            false_alarms: alarmed as f64 / all as f64,
            by_group: (shares().fold(1.0, f64::min), shares().fold(0.0, f64::max)),
            found: (anomalous > 0).then(|| found as f64 / anomalous as f64),
            delay: delay.map(|(after, _)| after),
        }
    }

    fn sessions(&self, groups: &[usize]) -> u64 {
        groups
            .iter()
            .flat_map(|&group| &self.normal[group])
            .map(|&(_, count)| count)
            .sum()
    }

    /// The lowest bin from which on no more than `share` of the normal sessions of these groups lie.
    fn edge(&self, groups: &[usize], share: f64) -> i32 {
        let mut bins = BTreeMap::<i32, u64>::new();
        for &(bin, count) in groups.iter().flat_map(|&group| &self.normal[group]) {
            *bins.entry(bin).or_default() += count;
        }
        let allowed = share * self.sessions(groups) as f64;
        let (mut edge, mut above) = (bins.keys().next_back().map_or(0, |&bin| bin + 1), 0);
        for (bin, count) in bins.into_iter().rev() {
            above += count;
            if above as f64 > allowed {
                break;
            }
            edge = bin;
        }
        edge
    }

    /// The shortest number between the scores below the bin and those in it.
    fn threshold(&self, edge: i32) -> OpenUnitInterval {
        let bins = self.normal.iter().flatten().map(|&(bin, _)| bin);
        edge_between(bins.filter(|&bin| bin < edge).max(), edge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twenty normal sessions each of `groups` groups, which come to scores of 1 % to 20 % and in the last group to `factor` times
    /// that, and ten anomalous ones.
    fn scores(groups: u32, factor: u32) -> SessionScores {
        let normal = (0..groups).flat_map(|unit| {
            (1..=20).map(move |percent| Way {
                unit,
                normal: 1,
                records: vec![
                    (1, 0.005),
                    (
                        3,
                        f64::from(percent * if unit + 1 == groups { factor } else { 1 }) / 100.0,
                    ),
                ],
                first: Some((0.02, 0.0)),
                ..Way::default()
            })
        });
        let anomalous = (0..10).map(|step| Way {
            anomalous: 1,
            records: vec![(2, 0.1), (4 + step, 0.1 * f64::from(step))],
            ..Way::default()
        });
        SessionScores::of(Unit::Group, &normal.chain(anomalous).collect::<Vec<_>>())
    }

    fn share(share: f64) -> OpenUnitInterval {
        OpenUnitInterval::try_from(share).unwrap()
    }

    #[test]
    fn the_budget_is_used_up_and_not_overspent() {
        let scores = scores(4, 2);
        assert!(scores.is_possible());
        for budget in [0.013, 0.05, 0.1, 0.33, 0.9] {
            let found = scores.budget(share(budget), Caution::Mean, 1).unwrap();
            // 80 sessions, of which those above the threshold alarm.
            let threshold = found.threshold.get();
            let of_group = |factor: u32| {
                (1..=20)
                    .filter(|percent| f64::from(percent * factor) / 100.0 >= threshold)
                    .count()
            };
            let alarmed = 3 * of_group(1) + of_group(2);
            assert_eq!(found.false_alarms, alarmed as f64 / 80.0, "{budget}");
            assert!(
                alarmed as f64 <= 80.0 * budget && alarmed as f64 + 4.0 > 80.0 * budget,
                "{budget} {alarmed}"
            );
            assert_eq!(found.by_group, (of_group(1) as f64 / 20.0, of_group(2) as f64 / 20.0));
        }
    }

    #[test]
    fn caution_costs_alarms_and_nothing_is_said_of_too_few() {
        let scores = scores(8, 4);
        let mean = scores.budget(share(0.1), Caution::Mean, 1).unwrap();
        let cautious = scores.budget(share(0.1), Caution::Cautious, 1).unwrap();
        assert!(cautious.threshold > mean.threshold && cautious.false_alarms < mean.false_alarms);
        assert!(cautious.found < mean.found);
        let error = scores.budget(share(0.001), Caution::Mean, 1).unwrap_err();
        assert_eq!(
            error,
            BudgetError::TooFew {
                sessions: 160,
                needed: 1000
            }
        );
        let none = SessionScores::default().budget(share(0.1), Caution::Mean, 1);
        assert_eq!(none.unwrap_err(), BudgetError::NothingLeftOut);
    }

    #[test]
    fn a_session_is_found_when_it_first_comes_to_the_threshold() {
        let found = scores(1, 1).budget(share(0.9), Caution::Mean, 1).unwrap();
        assert!(found.threshold.get() < 0.1 && found.delay == Some(2));
        // Those that come to .31 and more, six of ten, do so after 8 to 13 actions; half of them within 10.
        let strict = scores(4, 2).budget(share(0.07), Caution::Mean, 1).unwrap();
        assert!((0.3..=0.32).contains(&strict.threshold.get()), "{strict:?}");
        assert_eq!(strict.found, Some(0.6));
        assert_eq!(strict.delay, Some(10));
    }
}
