//! How data differ from what a model was trained on, and whether that matters to its scores.

use crate::data::dataset::Dataset;
use crate::data::profile::samples_with;
use crate::model::kind::Model;
use serde::Serialize;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;

/// Population stability up to which data are taken to be like those before, by a rule of thumb of credit scoring.
pub const STABLE: f64 = 0.1;
/// Population stability from which on they are not. Source for both: N. Siddiqi, "Credit risk scorecards" (2006).
pub const UNSTABLE: f64 = 0.25;

/// Most actions that are named.
const NAMED: usize = 10;

/// How data differ from the training part of a model.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Drift {
    /// Population stability index over the shares of actions: the sum of (now − before) · ln(now / before).
    pub population_stability: f64,
    /// Jensen-Shannon divergence of these shares, in bits, 0..1.
    pub jensen_shannon: f64,
    /// Share of the samples that have an action which the model does not know.
    pub samples_with_new_actions: f64,
    /// The actions whose share changed most, with those that are new or gone.
    pub changes: Vec<Change>,
    /// What the changed shares of known actions add to the mean log odds; null if the model knows no labels.
    pub log_odds: Option<f64>,
    /// Mean score of the samples.
    pub mean_score: f64,
    /// Share of them that is labelled anomalous by the model.
    pub reported: f64,
    /// Share of the training samples that was anomalous.
    pub trained_share: f64,
}

/// How an action changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Change {
    /// Its name.
    pub action: String,
    /// Share of the training samples that have it.
    pub before: f64,
    /// Share of these samples that have it.
    pub now: f64,
    /// What it adds to the log odds of a sample that has it, for itself; missing if the model does not know it, or knows no labels.
    pub weight: Option<f64>,
}

impl Drift {
    /// Between the training part of `model` and `data`, which must not be empty, worked out by at most `threads` threads.
    #[must_use]
    pub fn of(model: &Model, data: &Dataset, threads: NonZeroUsize) -> Self {
        let trained = model.training_samples().total() as f64;
        let samples = data.samples() as f64;
        // Samples before and now that have it, and its weight.
        let weights = model.labelled().map(|model| &model.weights.sparse);
        let mut actions: BTreeMap<&str, (f64, f64, Option<f64>)> = (0..)
            .zip(model.actions())
            .map(|(action, (name, samples))| (name, (samples as f64, 0.0, weights.map(|weights| weights[action]))))
            .collect();
        for (action, count) in (0..).zip(samples_with(data)) {
            actions.entry(data.action_name(action)).or_default().1 = count as f64;
        }
        // Half a sample more keeps the logarithms finite.
        let sum =
            |of: fn(&(f64, f64, Option<f64>)) -> f64| actions.values().map(|counts| of(counts) + 0.5).sum::<f64>();
        let (all_before, all_now) = (sum(|counts| counts.0), sum(|counts| counts.1));
        let (mut population_stability, mut jensen_shannon, mut log_odds) = (0.0, 0.0, 0.0);
        let mut changes = Vec::new();
        for (&action, &(before, now, weight)) in &actions {
            let (p, q) = ((before + 0.5) / all_before, (now + 0.5) / all_now);
            let middle = f64::midpoint(p, q);
            population_stability += (q - p) * libm::log(q / p);
            let divergence = (p * libm::log2(p / middle) + q * libm::log2(q / middle)) / 2.0;
            jensen_shannon += divergence;
            let (before, now) = (before / trained, now / samples);
            log_odds += (now - before) * weight.unwrap_or(0.0);
            let change = Change {
                action: action.to_owned(),
                before,
                now,
                weight,
            };
            changes.push((divergence, change));
        }
        changes.sort_by(|a, b| b.0.total_cmp(&a.0));
        let all = data.all();
        let scored = model.score_part(data, &all, threads);
        let mean = |of: &dyn Fn(f64) -> f64| {
            scored
                .iter()
                .map(|said| of(said.score.get()) * said.count as f64)
                .sum::<f64>()
                / samples
        };
        let threshold = model.threshold().get();
        let knows: Vec<bool> = (0..data.action_count() as u32)
            .map(|action| model.action_number(data.action_name(action)).is_some())
            .collect();
        let unknown = all
            .iter()
            .filter(|&(row, _)| data.steps(row).any(|action| !knows[action as usize]));
        let counts = model.training_samples();
        Self {
            population_stability,
            jensen_shannon: jensen_shannon.clamp(0.0, 1.0),
            samples_with_new_actions: unknown.map(|(_, count)| count).sum::<u64>() as f64 / samples,
            changes: changes
                .into_iter()
                .take(NAMED)
                .filter(|(_, change)| change.before != change.now)
                .map(|(_, change)| change)
                .collect(),
            log_odds: weights.map(|_| log_odds),
            mean_score: mean(&|score| score),
            reported: mean(&|score| f64::from(u8::from(score >= threshold))),
            trained_share: counts.anomalous as f64 / counts.total() as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::dataset::DatasetBuilder;
    use crate::data::label::Label::{Anomalous, Normal};
    use crate::model::config::TrainingConfig;
    use crate::train::trainer::train;

    #[test]
    fn the_same_data_are_stable_and_others_are_not() {
        let build = |suffix: &str| {
            let mut data = DatasetBuilder::new();
            for number in 0..200 {
                let label = if number % 4 == 0 { Anomalous } else { Normal };
                let last = if number % 4 == 0 {
                    format!("send{suffix}")
                } else {
                    format!("write{}", number % 3)
                };
                data.push(["read", "copy", last.as_str()], label, None).unwrap();
            }
            data.build()
        };
        let data = build("");
        let model = Model::from(train(&data, &data.all(), &TrainingConfig::default()).unwrap());
        let same = Drift::of(&model, &data, NonZeroUsize::MIN);
        assert!(
            same.population_stability.abs() < 1e-12 && same.jensen_shannon < 1e-12 && same.changes.is_empty(),
            "{same:?}"
        );
        assert!(
            same.log_odds.unwrap().abs() < 1e-12 && (same.trained_share, same.samples_with_new_actions) == (0.25, 0.0)
        );
        let other = Drift::of(&model, &build("_all"), NonZeroUsize::MIN);
        assert!(
            other.population_stability > UNSTABLE && other.samples_with_new_actions == 0.25,
            "{other:?}"
        );
        let change = |name: &str| other.changes.iter().find(|change| change.action == name).unwrap();
        assert_eq!((change("send").before, change("send").now), (0.25, 0.0));
        assert_eq!((change("send_all").before, change("send_all").weight), (0.0, None));
    }

    #[test]
    fn the_figures_are_those_of_a_hand() {
        // Before: a in 3, b in 1 of 4 samples; now a in 1, b in 3. With half a sample more: 3.5/5, 1.5/5 and the other way round.
        let build = |a: u32| {
            let mut data = DatasetBuilder::new();
            for number in 0..4 {
                data.push(
                    [if number < a { "a" } else { "b" }],
                    if number == 3 { Anomalous } else { Normal },
                    None,
                )
                .unwrap();
            }
            data.build()
        };
        let data = build(3);
        let model = Model::from(train(&data, &data.all(), &TrainingConfig::default()).unwrap());
        let drift = Drift::of(&model, &build(1), NonZeroUsize::MIN);
        let (p, q) = (0.7_f64, 0.3_f64);
        assert!(
            (drift.population_stability - 2.0 * (q - p) * (q / p).ln()).abs() < 1e-12,
            "{drift:?}"
        );
        let half = (p * (p / 0.5).log2() + q * (q / 0.5).log2()) / 2.0;
        assert!((drift.jensen_shannon - 2.0 * half).abs() < 1e-12, "{drift:?}");
    }
}
