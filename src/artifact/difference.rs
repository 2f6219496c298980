//! Where two models differ.

use super::write::Body;
use super::{Artifact, one_line};
use serde_json::Value;
use std::fmt;

/// The first place, in the order of the model file, where two models differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Which member, such as `ngrams[3][1]`.
    pub member: String,
    /// What the first model has there, as JSON; "nothing" if it has none.
    pub first: String,
    /// What the second one has there.
    pub second: String,
    /// How far the two are from each other, if both are numbers.
    pub by: Option<f64>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}, not {}", self.member, self.first, self.second)?;
        self.by.map_or(Ok(()), |by| write!(f, " (by {by:e})"))
    }
}

/// The members of the body that can differ, in their order.
const MEMBERS: [&str; 18] = [
    "kind",
    "run",
    "data",
    "n",
    "anomaly_threshold",
    "training_samples",
    "fitted",
    "vocabulary",
    "ngrams",
    "pairs",
    "bias",
    "dense",
    "calibration",
    "sequences",
    "left_out",
    "sessions",
    "metrics",
    "origin",
];

impl Artifact {
    /// The first difference between this artifact and `other` in what their digests cover, causes before their
    /// consequences; `None` if there is none.
    #[must_use]
    pub fn first_difference(&self, other: &Self) -> Option<Difference> {
        // Plain data become a value without fail.
        let value = |artifact| serde_json::to_value(Body::of(artifact)).unwrap_or_default();
        let (first, second) = (value(self), value(other));
        MEMBERS
            .into_iter()
            .find_map(|member| between(member.to_owned(), first.get(member), second.get(member)))
    }
}

fn between(member: String, first: Option<&Value>, second: Option<&Value>) -> Option<Difference> {
    if first == second {
        return None;
    }
    match (first, second) {
        (Some(Value::Object(ours)), Some(Value::Object(theirs))) => ours
            .keys()
            .chain(theirs.keys())
            .find_map(|key| between(format!("{member}.{key}"), ours.get(key), theirs.get(key))),
        (Some(Value::Array(ours)), Some(Value::Array(theirs))) => (0..ours.len().max(theirs.len()))
            .find_map(|index| between(format!("{member}[{index}]"), ours.get(index), theirs.get(index))),
        _ => {
            let shown = |value: Option<&Value>| {
                let text = value.map_or_else(|| "nothing".to_owned(), Value::to_string);
                one_line(&text.chars().take(100).collect::<String>())
            };
            let number = |value: Option<&Value>| value.and_then(Value::as_f64);
            Some(Difference {
                member,
                first: shown(first),
                second: shown(second),
                by: number(first)
                    .zip(number(second))
                    .map(|(first, second)| (first - second).abs()),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::fingerprint_set::FingerprintSet;
    use crate::data::synthetic::{Scenario, generate};
    use crate::model::AnomalyModel;
    use crate::model::config::TrainingConfig;
    use crate::train::trainer::train;

    #[test]
    fn the_first_difference_is_named_with_its_size() {
        let data = generate(Scenario::Documented, 100, 1);
        let model = train(&data, &data.all(), &TrainingConfig::default()).unwrap();
        let of = |model: &AnomalyModel| Artifact::from(model.clone());
        let artifact = of(&model);
        assert_eq!(artifact.first_difference(&artifact), None);

        let mut other = model.clone();
        other.weights.bias += 0.5;
        other.weights.sparse[1] -= 0.25;
        let difference = artifact.first_difference(&of(&other)).unwrap();
        assert_eq!(difference.member, "vocabulary[1][1]");
        assert!((difference.by.unwrap() - 0.25).abs() < 1e-12, "{difference}");

        let mut other = model.clone();
        other.fingerprints = FingerprintSet::of(vec![1]);
        assert_eq!(artifact.first_difference(&of(&other)).unwrap().member, "sequences.bits");
        let mut other = model.clone();
        other.config.seed += 1;
        let difference = artifact.first_difference(&of(&other)).unwrap();
        assert_eq!(difference.to_string(), "run.training.seed is 42, not 43 (by 1e0)");
    }
}
