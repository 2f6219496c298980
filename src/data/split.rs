//! Divides a data set into a training and a validation part.

use crate::bounds::Share;
use crate::data::dataset::{Dataset, Label};
use crate::random::{Purpose, stream};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How samples are assigned to the two parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SplitStrategy {
    /// At random, with the same share of anomalous samples in both parts.
    #[default]
    Stratified,
    /// At random.
    Random,
    /// The first samples train, the last ones validate.
    Temporal,
    /// Whole groups at random, so that no group stands in both parts. Without a field that names the group, identical
    /// sequences form one.
    Grouped,
}

/// The indices of the samples of each part, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// What the model learns from.
    pub training: Vec<u32>,
    /// What it is judged on.
    pub validation: Vec<u32>,
}

/// A split that leaves one part without samples.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the split leaves {training} samples to train on and {validation} to validate on; both parts need at least one: \
     use more samples{or_groups} or another --train-ratio"
)]
pub struct EmptyPart {
    training: usize,
    validation: usize,
    or_groups: &'static str,
}

/// Splits `data`. The share `train_ratio` of the samples goes to the training part: rounded down, within each class
/// rounded to the nearest for `stratified`, and as near as whole groups allow for `grouped`.
///
/// # Errors
///
/// If a part would be empty.
pub fn split(data: &Dataset, strategy: SplitStrategy, train_ratio: Share, seed: u64) -> Result<Parts, EmptyPart> {
    let total = data.len();
    // The small addend undoes rounding as in 0.29 * 100 = 28.999999999999996.
    let wanted = (train_ratio.get() * total as f64 + 1e-9).floor() as usize;
    let mut rng = stream(seed, Purpose::Split);
    let mut all: Vec<u32> = (0..total as u32).collect();
    let training = match strategy {
        SplitStrategy::Temporal => all[..wanted].to_vec(),
        SplitStrategy::Random => {
            all.shuffle(&mut rng);
            all[..wanted].to_vec()
        }
        SplitStrategy::Stratified => {
            let (mut normal, mut anomalous): (Vec<u32>, Vec<u32>) = all
                .iter()
                .partition(|&&index| data.labels()[index as usize] == Label::Normal);
            normal.shuffle(&mut rng);
            anomalous.shuffle(&mut rng);
            let from_normal = stratum(normal.len(), train_ratio);
            let from_anomalous = stratum(anomalous.len(), train_ratio);
            [&normal[..from_normal], &anomalous[..from_anomalous]].concat()
        }
        SplitStrategy::Grouped => {
            let mut groups = groups(data);
            groups.shuffle(&mut rng);
            // Of two groups or more, at least one goes to either part.
            let first = groups.first().cloned().unwrap_or_default();
            let last = if groups.len() > 1 {
                groups.last().map_or(0, Vec::len)
            } else {
                0
            };
            let mut training = Vec::new();
            for group in groups {
                // Taken if that brings the part nearer to the wanted size.
                if training.len() + group.len() / 2 < wanted {
                    training.extend(group);
                }
            }
            if training.is_empty() {
                training = first;
            }
            if training.len() == total {
                training.truncate(total - last);
            }
            training
        }
    };
    let parts = parts(total, &training);
    if parts.training.is_empty() || parts.validation.is_empty() {
        return Err(EmptyPart {
            training: parts.training.len(),
            validation: parts.validation.len(),
            or_groups: if strategy == SplitStrategy::Grouped {
                ", more groups"
            } else {
                ""
            },
        });
    }
    Ok(parts)
}

/// How many of `count` samples of a class go to the training part: of two or more, at least one goes to either part.
fn stratum(count: usize, train_ratio: Share) -> usize {
    let share = (train_ratio.get() * count as f64).round() as usize;
    if count < 2 { share } else { share.clamp(1, count - 1) }
}

fn parts(total: usize, training: &[u32]) -> Parts {
    let mut in_training = vec![false; total];
    for &index in training {
        in_training[index as usize] = true;
    }
    let (training, validation) = (0..total as u32).partition(|&index| in_training[index as usize]);
    Parts { training, validation }
}

/// The samples of each group, in order of the groups' first appearance.
fn groups(data: &Dataset) -> Vec<Vec<u32>> {
    let mut members: Vec<Vec<u32>> = Vec::new();
    if data.groups().is_empty() {
        let mut numbers: BTreeMap<&[u16], usize> = BTreeMap::new();
        for index in 0..data.len() {
            let number = *numbers.entry(data.sequence_key(index)).or_insert(members.len());
            if number == members.len() {
                members.push(Vec::new());
            }
            members[number].push(index as u32);
        }
    } else {
        let count = data.groups().iter().max().map_or(0, |&last| last as usize + 1);
        members.resize(count, Vec::new());
        for (index, &group) in data.groups().iter().enumerate() {
            members[group as usize].push(index as u32);
        }
        members.retain(|group| !group.is_empty());
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn data(samples: &[(u8, bool, u8)]) -> Dataset {
        let names: Vec<String> = (0..=255).map(|n| n.to_string()).collect();
        let mut data = Dataset::new();
        for &(action, anomalous, group) in samples {
            let label = if anomalous { Label::Anomalous } else { Label::Normal };
            let action = names[usize::from(action)].as_str();
            data.push_grouped([action], label, Some(&names[usize::from(group)]));
        }
        data
    }

    proptest! {
        #[test]
        fn every_sample_is_in_exactly_one_part(
            samples in proptest::collection::vec((0..5_u8, any::<bool>(), 0..7_u8), 1..80),
            ratio in 0.01..0.99_f64,
            seed in any::<u64>(),
        ) {
            let data = data(&samples);
            for strategy in [SplitStrategy::Stratified, SplitStrategy::Random, SplitStrategy::Temporal, SplitStrategy::Grouped] {
                if let Ok(parts) = split(&data, strategy, ratio.try_into().unwrap(), seed) {
                    let mut all = [parts.training.clone(), parts.validation.clone()].concat();
                    all.sort_unstable();
                    prop_assert_eq!(all, (0..samples.len() as u32).collect::<Vec<_>>());
                    if strategy == SplitStrategy::Grouped {
                        let groups = |part: &[u32]| part.iter().map(|&i| samples[i as usize].2)
                            .collect::<std::collections::BTreeSet<_>>();
                        prop_assert!(groups(&parts.training).is_disjoint(&groups(&parts.validation)));
                    }
                }
            }
        }
    }

    #[test]
    fn stratified_keeps_the_share_of_anomalous_samples() {
        let samples: Vec<_> = (0..1000).map(|i| (0, i % 10 < 3, 0)).collect();
        let data = data(&samples);
        let parts = split(&data, SplitStrategy::Stratified, 0.8.try_into().unwrap(), 1).unwrap();
        assert_eq!((parts.training.len(), parts.validation.len()), (800, 200));
        assert_eq!(data.class_counts(&parts.validation).anomalous, 60);
    }

    #[test]
    fn stratified_puts_two_rare_samples_on_different_sides() {
        let samples: Vec<_> = (0..100).map(|i| (0, i < 2, 0)).collect();
        let data = data(&samples);
        let parts = split(&data, SplitStrategy::Stratified, 0.8.try_into().unwrap(), 1).unwrap();
        assert_eq!(data.class_counts(&parts.training).anomalous, 1);
    }

    #[test]
    fn grouped_without_a_field_keeps_identical_sequences_together() {
        let mut data = Dataset::new();
        for index in 0..100 {
            data.push([["a", "b", "c", "d", "e"][index % 5]], Label::Normal);
        }
        let parts = split(&data, SplitStrategy::Grouped, 0.8.try_into().unwrap(), 1).unwrap();
        assert_eq!((parts.training.len(), parts.validation.len()), (80, 20));
        let first = data.sequence_key(parts.validation[0] as usize);
        assert!(parts.validation.iter().all(|&i| data.sequence_key(i as usize) == first));
    }

    #[test]
    fn two_groups_end_up_on_different_sides_whatever_their_sizes() {
        let samples: Vec<_> = (0..101).map(|i| (0, i % 2 == 0, u8::from(i == 50))).collect();
        for seed in 0..20 {
            for ratio in [0.01, 0.5, 0.8, 0.99] {
                let ratio = ratio.try_into().unwrap();
                assert!(split(&data(&samples), SplitStrategy::Grouped, ratio, seed).is_ok());
            }
        }
    }

    #[test]
    fn one_sample_cannot_be_split() {
        let message = split(
            &data(&[(0, true, 0)]),
            SplitStrategy::Stratified,
            0.8.try_into().unwrap(),
            1,
        )
        .unwrap_err()
        .to_string();
        assert!(
            message.contains("1 samples to train on and 0 to validate on"),
            "{message}"
        );
    }
}
