//! Synthetic samples: data to try the program on, drawn from a seed.
//!
//! They show that the machine works, not that it detects anything in the world: what separates their classes was written
//! down by hand.

use crate::data::dataset::{Dataset, DatasetBuilder, SampleError};
use crate::data::label::Label;
use crate::random::{Purpose, stream};
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Which kind of synthetic data to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scenario {
    /// Short workflows against short attacks. Separable by construction: no action stands in both classes.
    #[default]
    Documented,
    /// Sessions of several workflows with a single action of some attack here and there. The anomalous ones hide an attack,
    /// two actions of one in a row, or a workflow that runs backwards, which never happens in a normal session. So every
    /// action stands in both classes, and only order tells them apart. 2 % of all labels are wrong.
    Mixed,
}

/// Share of anomalous samples, in percent.
const ANOMALOUS_PERCENT: u64 = 30;

const WORKFLOWS: [[&str; 3]; 8] = [
    ["read", "process", "write"],
    ["fetch", "transform", "load"],
    ["query", "filter", "aggregate"],
    ["request", "authenticate", "respond"],
    ["open", "read", "close"],
    ["connect", "send", "receive"],
    ["validate", "process", "store"],
    ["load", "analyze", "report"],
];
const BENIGN: [&str; 4] = ["read", "write", "process", "validate"];
const ATTACKS: [[&str; 3]; 8] = [
    ["delete", "exfiltrate", "cover_tracks"],
    ["escalate", "access", "exfiltrate"],
    ["scan", "exploit", "inject"],
    ["brute_force", "access", "modify"],
    ["bypass", "steal", "hide"],
    ["probe", "breach", "extract"],
    ["intercept", "decrypt", "leak"],
    ["overflow", "execute", "control"],
];
const STRANGE: [&str; 3] = ["unknown", "suspicious", "rare"];
/// The workflows that never run backwards by accident: chaining workflows with benign actions between them can give `write
/// process read`, `close read open` and `store process validate`, but none of these reversed.
const ONE_WAY: [[&str; 3]; 5] = [
    ["fetch", "transform", "load"],
    ["query", "filter", "aggregate"],
    ["request", "authenticate", "respond"],
    ["connect", "send", "receive"],
    ["load", "analyze", "report"],
];

/// Draws `count` samples. The same seed gives the same samples.
#[must_use]
pub fn generate(scenario: Scenario, count: u64, seed: u64) -> Dataset {
    let mut data = DatasetBuilder::new();
    let drawn = draw(scenario, count, seed, &mut data);
    // Short names, short sequences, no groups and a number that is a `SampleCount`.
    debug_assert_eq!(drawn, Ok(()));
    data.build()
}

/// Adds `count` drawn samples to `data`.
pub(crate) fn draw(scenario: Scenario, count: u64, seed: u64, data: &mut DatasetBuilder) -> Result<(), SampleError> {
    samples(scenario, count, seed).try_for_each(|(actions, label)| data.push(actions, label, None))
}

/// The samples of [`generate`], one by one.
pub fn samples(scenario: Scenario, count: u64, seed: u64) -> impl Iterator<Item = (Vec<&'static str>, Label)> {
    let mut rng = stream(seed, Purpose::Generate);
    let anomalous = count * ANOMALOUS_PERCENT / 100;
    let mut labels: Vec<Label> = (0..count)
        .map(|index| {
            if index < anomalous {
                Label::Anomalous
            } else {
                Label::Normal
            }
        })
        .collect();
    labels.shuffle(&mut rng);
    labels.into_iter().map(move |label| match scenario {
        Scenario::Documented => (documented(&mut rng, label), label),
        Scenario::Mixed => {
            let actions = mixed(&mut rng, label);
            let wrong = rng.random_range(0..100) < 2;
            let shown = match (label, wrong) {
                (Label::Normal, false) | (Label::Anomalous, true) => Label::Normal,
                (Label::Anomalous, false) | (Label::Normal, true) => Label::Anomalous,
            };
            (actions, shown)
        }
    })
}

fn documented(rng: &mut ChaCha8Rng, label: Label) -> Vec<&'static str> {
    match label {
        Label::Normal => {
            let mut actions = pick(rng, &WORKFLOWS).to_vec();
            if rng.random_range(0..100) < 30 {
                actions.push(pick(rng, &BENIGN));
            }
            actions
        }
        Label::Anomalous if rng.random_range(0..100) < 80 => pick(rng, &ATTACKS).to_vec(),
        Label::Anomalous => (0..3).map(|_| pick(rng, &STRANGE)).collect(),
    }
}

fn mixed(rng: &mut ChaCha8Rng, label: Label) -> Vec<&'static str> {
    let workflows: Vec<[&str; 3]> = (0..rng.random_range(2..=6)).map(|_| pick(rng, &WORKFLOWS)).collect();
    // What is hidden in an anomalous session: a whole attack, part of one, or a workflow in the wrong order.
    let hidden: Vec<&str> = match label {
        Label::Normal => Vec::new(),
        Label::Anomalous => match rng.random_range(0..100) {
            0..35 => pick(rng, &ATTACKS).to_vec(),
            35..65 => {
                let attack = pick(rng, &ATTACKS);
                let start = rng.random_range(0..2);
                attack[start..start + 2].to_vec()
            }
            _ => {
                let mut actions = pick(rng, &ONE_WAY);
                actions.reverse();
                actions.to_vec()
            }
        },
    };
    let place = rng.random_range(0..=workflows.len());
    let mut actions = Vec::new();
    for (index, workflow) in workflows.iter().enumerate() {
        if index == place {
            actions.extend_from_slice(&hidden);
        }
        actions.extend_from_slice(workflow);
        match rng.random_range(0..100) {
            0..30 => actions.push(pick(rng, &BENIGN)),
            // An administrator at work: one action of an attack proves nothing.
            30..38 => actions.push(pick(rng, ATTACKS.as_flattened())),
            _ => {}
        }
    }
    if place == workflows.len() {
        actions.extend_from_slice(&hidden);
    }
    actions
}

/// One of `choices`, each with the same probability.
fn pick<T: Copy>(rng: &mut ChaCha8Rng, choices: &[T]) -> T {
    choices[rng.random_range(0..choices.len())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn thirty_percent_are_anomalous_in_the_documented_scenario() {
        for count in [1, 10, 999, 5000] {
            let data = generate(Scenario::Documented, count, 7);
            assert_eq!(data.samples(), count);
            assert_eq!(data.class_counts(&data.all()).anomalous, count * 30 / 100);
        }
    }

    #[test]
    fn documented_samples_are_the_listed_workflows_and_attacks() {
        let mut extended = 0;
        let mut strange = 0;
        for (actions, label) in samples(Scenario::Documented, 10_000, 3) {
            match label {
                Label::Normal => {
                    assert!(WORKFLOWS.iter().any(|w| actions.starts_with(w)));
                    if let [_, _, _, last] = actions[..] {
                        assert!(BENIGN.contains(&last));
                        extended += 1;
                    }
                }
                Label::Anomalous if actions.iter().all(|a| STRANGE.contains(a)) => strange += 1,
                Label::Anomalous => assert!(ATTACKS.iter().any(|attack| attack[..] == actions[..])),
            }
        }
        // 30 % of 7,000 and 20 % of 3,000, within five standard deviations.
        assert!((1900..2300).contains(&extended), "{extended}");
        assert!((490..710).contains(&strange), "{strange}");
    }

    #[test]
    fn the_same_seed_draws_the_same_samples_and_another_one_others() {
        let draw = |seed| samples(Scenario::Mixed, 50, seed).collect::<Vec<_>>();
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn in_mixed_sessions_order_tells_the_classes_apart_and_the_vocabulary_does_not() {
        let mut rng = stream(1, Purpose::Generate);
        let mut normal = BTreeSet::new();
        for _ in 0..20_000 {
            let actions = mixed(&mut rng, Label::Normal);
            for backwards in ONE_WAY.map(|[a, b, c]| [c, b, a]) {
                assert!(!actions.windows(3).any(|window| window == backwards), "{actions:?}");
            }
            let attack_in_a_row =
                |pair: &[&str]| ATTACKS.iter().any(|attack| attack.windows(2).any(|part| part == pair));
            assert!(!actions.windows(2).any(attack_in_a_row), "{actions:?}");
            normal.extend(actions);
        }
        for _ in 0..2000 {
            assert!(
                mixed(&mut rng, Label::Anomalous)
                    .iter()
                    .all(|action| normal.contains(action))
            );
        }
    }
}
