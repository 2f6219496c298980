//! Divides a data set into a training and a validation part.

use crate::bounds::OpenUnitInterval;
use crate::data::dataset::Dataset;
use crate::data::hypergeometric::hypergeometric;
use crate::data::label::Label;
use crate::data::part::Part;
use crate::random::{Purpose, stream};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

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
    /// The first samples train, the last ones validate, in the order in which they came.
    Temporal,
    /// Whole groups at random, so that no group stands in both parts. Without a field that names the group, identical
    /// sequences form one.
    Grouped,
}

/// The two parts of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// What the model learns from.
    pub training: Part,
    /// What it is judged on.
    pub validation: Part,
}

/// Why a data set cannot be split.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// One part would be left without samples.
    #[error(
        "the split leaves {training} samples to train on and {validation} to validate on; both parts need at least one: \
         use more samples{or_groups} or another --train-ratio"
    )]
    EmptyPart {
        /// Samples to train on.
        training: u64,
        /// Samples to validate on.
        validation: u64,
        /// What else would help.
        or_groups: &'static str,
    },
    /// The order in which the samples came is not known, see
    /// [`DatasetBuilder::in_order`](crate::DatasetBuilder::in_order).
    #[error("a temporal split needs samples whose order is known")]
    NoOrder,
}

/// Splits `data`. The share `train_ratio` of the samples goes to the training part: rounded down, within each class
/// rounded to the nearest for `stratified`, and as near as whole groups allow for `grouped`.
///
/// Which of a row's samples go to which part is drawn as if they were drawn one by one, at a cost that does not grow with
/// their number.
///
/// # Errors
///
/// If a part would be empty, or the split needs an order that is not known.
pub fn split(
    data: &Dataset,
    strategy: SplitStrategy,
    train_ratio: OpenUnitInterval,
    seed: u64,
) -> Result<Parts, SplitError> {
    let mut rng = stream(seed, Purpose::Split);
    let training = match strategy {
        SplitStrategy::Temporal => {
            let order = data.arrival().ok_or(SplitError::NoOrder)?;
            let mut counts = vec![0; data.rows()];
            for &row in &order[..wanted(data.samples(), train_ratio) as usize] {
                counts[row as usize] += 1;
            }
            counts
        }
        SplitStrategy::Random => {
            let mut drawn = vec![0; data.rows()];
            draw(data, |_| true, |count| wanted(count, train_ratio), &mut rng, &mut drawn);
            drawn
        }
        SplitStrategy::Stratified => {
            let mut drawn = vec![0; data.rows()];
            for label in [Label::Normal, Label::Anomalous] {
                let wanted = |count| stratum(count, train_ratio);
                draw(data, |row| data.label(row) == label, wanted, &mut rng, &mut drawn);
            }
            drawn
        }
        SplitStrategy::Grouped => whole_groups(data, wanted(data.samples(), train_ratio), &mut rng),
    };
    let counts = || (0..).zip(&training);
    let parts = Parts {
        training: Part::new(counts().map(|(row, &count)| (row, count))),
        validation: Part::new(counts().map(|(row, &count)| (row, data.count(row as usize) - count))),
    };
    if parts.training.is_empty() || parts.validation.is_empty() {
        return Err(SplitError::EmptyPart {
            training: parts.training.samples(),
            validation: parts.validation.samples(),
            or_groups: if strategy == SplitStrategy::Grouped {
                ", more groups"
            } else {
                ""
            },
        });
    }
    Ok(parts)
}

/// How many of `count` samples train.
fn wanted(count: u64, train_ratio: OpenUnitInterval) -> u64 {
    // The small addend undoes rounding as in 0.29 * 100 = 28.999999999999996.
    let wanted = (train_ratio.get() * count as f64 + 1e-9).floor() as u64;
    wanted.min(count)
}

/// How many of `count` samples of a class go to the training part: of two or more, at least one goes to either part.
fn stratum(count: u64, train_ratio: OpenUnitInterval) -> u64 {
    let share = (train_ratio.get() * count as f64).round() as u64;
    if count < 2 { share } else { share.clamp(1, count - 1) }
}

/// Draws some of the samples whose rows are `eligible`, as many as are `wanted` of their number, and puts into `drawn` how many of
/// each row they are.
fn draw(
    data: &Dataset,
    eligible: impl Fn(usize) -> bool,
    wanted: impl Fn(u64) -> u64,
    rng: &mut ChaCha8Rng,
    drawn: &mut [u64],
) {
    let rows = || (0..data.rows()).filter(|&row| eligible(row));
    let mut left: u64 = rows().map(|row| data.count(row)).sum();
    let mut wanted = wanted(left);
    for row in rows() {
        let count = data.count(row);
        left -= count;
        drawn[row] = hypergeometric(rng, count, left, wanted);
        wanted -= drawn[row];
    }
}

/// Draws whole groups with together about `wanted` samples, and says how many of each row that makes.
fn whole_groups(data: &Dataset, wanted: u64, rng: &mut ChaCha8Rng) -> Vec<u64> {
    let mut groups = groups(data);
    groups.shuffle(rng);
    let mut taken = vec![false; groups.len()];
    let mut training = 0;
    for (taken, group) in taken.iter_mut().zip(&groups) {
        // Taken if that brings the part nearer to the wanted size.
        *taken = training + group.samples / 2 < wanted;
        training += if *taken { group.samples } else { 0 };
    }
    // Of two groups or more, at least one goes to either part.
    if let [first, .., last] = &mut taken[..] {
        if training == 0 {
            *first = true;
        } else if training == data.samples() {
            *last = false;
        }
    }
    let mut drawn = vec![0; data.rows()];
    for (group, taken) in groups.into_iter().zip(taken) {
        for row in group.rows.into_iter().filter(|_| taken) {
            drawn[row] = data.count(row);
        }
    }
    drawn
}

/// Samples that a grouped split keeps together.
#[derive(Debug, Clone, Default)]
struct Group {
    rows: Vec<usize>,
    samples: u64,
}

/// The groups of `data`, see [`Dataset::units`].
fn groups(data: &Dataset) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (row, number) in data.units().into_iter().enumerate() {
        let number = number as usize;
        if number >= groups.len() {
            groups.resize_with(number + 1, Group::default);
        }
        groups[number].rows.push(row);
        groups[number].samples += data.count(row);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::dataset::DatasetBuilder;
    use proptest::prelude::*;

    fn data(samples: &[(u8, bool, u8)]) -> Dataset {
        let names: Vec<String> = (0..=255).map(|n| n.to_string()).collect();
        let mut data = DatasetBuilder::in_order();
        for &(action, anomalous, group) in samples {
            let label = if anomalous { Label::Anomalous } else { Label::Normal };
            let action = names[usize::from(action)].as_str();
            data.push([action], label, Some(&names[usize::from(group)])).unwrap();
        }
        data.build()
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
                    let mut all = vec![0; data.rows()];
                    for (row, count) in parts.training.iter().chain(parts.validation.iter()) {
                        all[row] += count;
                    }
                    prop_assert!((0..data.rows()).all(|row| all[row] == data.count(row)));
                    if strategy == SplitStrategy::Grouped {
                        let groups = |part: &Part| part.rows().iter().map(|&row| data.group(row as usize))
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
        assert_eq!((parts.training.samples(), parts.validation.samples()), (800, 200));
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
        let mut data = DatasetBuilder::new();
        for index in 0..100 {
            data.push([["a", "b", "c", "d", "e"][index % 5]], Label::Normal, None)
                .unwrap();
        }
        let data = data.build();
        let parts = split(&data, SplitStrategy::Grouped, 0.8.try_into().unwrap(), 1).unwrap();
        assert_eq!((parts.training.samples(), parts.validation.samples()), (80, 20));
        assert_eq!((parts.training.rows().len(), parts.validation.rows().len()), (4, 1));
    }

    #[test]
    fn a_temporal_split_takes_the_first_samples_in_the_order_in_which_they_came() {
        let samples: Vec<_> = (0..10).map(|i| (9 - i, false, 0)).collect();
        let data = data(&samples);
        let parts = split(&data, SplitStrategy::Temporal, 0.7.try_into().unwrap(), 1).unwrap();
        let of = |part: &Part| {
            let mut names: Vec<&str> = part
                .rows()
                .iter()
                .flat_map(|&row| data.sequence(row as usize))
                .collect();
            names.sort_unstable();
            names.join(" ")
        };
        assert_eq!(
            (of(&parts.training), of(&parts.validation)),
            ("3 4 5 6 7 8 9".to_owned(), "0 1 2".to_owned())
        );
        let mut unordered = DatasetBuilder::new();
        unordered.push(["a"], Label::Normal, None).unwrap();
        assert_eq!(
            split(&unordered.build(), SplitStrategy::Temporal, 0.7.try_into().unwrap(), 1),
            Err(SplitError::NoOrder)
        );
    }

    #[test]
    fn huge_counts_are_divided_exactly() {
        let mut data = DatasetBuilder::new();
        for (action, label) in [("a", Label::Normal), ("b", Label::Normal), ("c", Label::Anomalous)] {
            data.push_counted([action], label, None, (1 << 53).try_into().unwrap())
                .unwrap();
        }
        let data = data.build();
        for strategy in [SplitStrategy::Stratified, SplitStrategy::Random] {
            let parts = split(&data, strategy, 0.75.try_into().unwrap(), 1).unwrap();
            assert_eq!(parts.training.samples(), 3 * (3 << 51));
            assert_eq!(parts.validation.samples(), 3 * (1 << 51));
        }
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
