//! What a data set holds, before anything is trained on it.

use crate::data::dataset::Dataset;
use crate::data::label::ClassCounts;
use crate::data::part::Part;
use serde::Serialize;
use std::collections::BTreeMap;

/// Sequences that occur with both labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Conflicts {
    /// How many different ones there are.
    pub sequences: u64,
    /// How many samples have one of them.
    pub samples: u64,
    /// How many samples no model can get right, as it gives each sequence one label.
    pub lost: u64,
}

impl Conflicts {
    /// Those among the samples of `part` of `data`.
    #[must_use]
    pub fn of(data: &Dataset, part: &Part) -> Self {
        let mut conflicts = Self::default();
        each_sequence(data, part, |_, labels| {
            let lost = labels.normal.min(labels.anomalous);
            conflicts.sequences += u64::from(lost > 0);
            conflicts.samples += if lost > 0 { labels.total() } else { 0 };
            conflicts.lost += lost;
        });
        conflicts
    }
}

/// Calls `see` for each different sequence of `part`, with a row that has it and its labels. Rows with the same sequence stand side by
/// side.
fn each_sequence(data: &Dataset, part: &Part, mut see: impl FnMut(usize, ClassCounts)) {
    let mut rows = part.iter().peekable();
    while let Some((first, count)) = rows.next() {
        let mut labels = ClassCounts::default();
        labels.add(data.label(first), count);
        while let Some((row, count)) = rows.next_if(|&(row, _)| data.sequence_key(row) == data.sequence_key(first)) {
            labels.add(data.label(row), count);
        }
        see(first, labels);
    }
}

/// What a data set holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Profile {
    /// Samples of each class.
    pub samples: ClassCounts,
    /// Samples that were left out because their sequence is empty.
    pub skipped_empty: u64,
    /// Different sequences.
    pub sequences: u64,
    /// Different sequences that occur as normal ones.
    pub normal_sequences: u64,
    /// Sequences that occur with both labels.
    pub conflicts: Conflicts,
    /// Actions of a sample.
    pub lengths: Lengths,
    /// Different names of actions.
    pub actions: u64,
    /// How many of these stand in one sample only.
    pub actions_seen_once: u64,
    /// The actions that most samples have, and how many have them; at most ten.
    pub most_frequent: Vec<(String, u64)>,
    /// What the groups are like, if there are groups.
    pub groups: Option<Groups>,
}

/// How long sequences are, over all samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Lengths {
    /// The shortest.
    pub least: u64,
    /// Half of the samples have at most this many actions.
    pub median: u64,
    /// Nine in ten samples have at most this many.
    pub ninetieth: u64,
    /// The longest.
    pub most: u64,
}

/// What groups are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Groups {
    /// How many there are.
    pub count: u64,
    /// Samples of the smallest one.
    pub smallest: u64,
    /// Samples of the largest one.
    pub largest: u64,
    /// How many hold samples of one class only.
    pub of_one_class: u64,
    /// Samples whose sequence also stands in another group: a model that is judged on one of these may know it.
    pub shared_samples: u64,
}

/// Most actions that are named.
const NAMED: usize = 10;

impl Profile {
    /// Of all samples of `data`.
    #[must_use]
    pub fn of(data: &Dataset) -> Self {
        let all = data.all();
        let (mut sequences, mut normal_sequences) = (0, 0);
        each_sequence(data, &all, |_, labels| {
            sequences += 1;
            normal_sequences += u64::from(labels.normal > 0);
        });
        let samples_with = samples_with(data);
        let mut most_frequent: Vec<(String, u64)> = (0..)
            .zip(&samples_with)
            .map(|(action, &count)| (data.action_name(action).to_owned(), count))
            .collect();
        most_frequent.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        most_frequent.truncate(NAMED);
        Self {
            samples: data.class_counts(&all),
            skipped_empty: data.skipped_empty(),
            sequences,
            normal_sequences,
            conflicts: Conflicts::of(data, &all),
            lengths: Lengths::of(data),
            actions: samples_with.len() as u64,
            actions_seen_once: samples_with.iter().filter(|&&count| count == 1).count() as u64,
            most_frequent,
            groups: Groups::of(data),
        }
    }
}

/// How many samples of `data` have each action, by its number.
pub(crate) fn samples_with(data: &Dataset) -> Vec<u64> {
    let mut counts = vec![0; data.action_count()];
    let mut last_row = vec![usize::MAX; data.action_count()];
    for row in 0..data.rows() {
        for action in data.steps(row).map(|action| action as usize) {
            if last_row[action] != row {
                last_row[action] = row;
                counts[action] += data.count(row);
            }
        }
    }
    counts
}

impl Lengths {
    fn of(data: &Dataset) -> Self {
        let mut samples: BTreeMap<u64, u64> = BTreeMap::new();
        for row in 0..data.rows() {
            *samples.entry(data.steps(row).count() as u64).or_default() += data.count(row);
        }
        let all = data.samples();
        let up_to = |tenths: u64| {
            let mut left = u128::from(all) * u128::from(tenths);
            let reaches = |&(_, &count): &(&u64, &u64)| {
                let reached = left <= u128::from(count) * 10;
                left = left.saturating_sub(u128::from(count) * 10);
                reached
            };
            samples.iter().find(reaches).map_or(0, |(&length, _)| length)
        };
        Self {
            least: samples.first_key_value().map_or(0, |(&length, _)| length),
            median: up_to(5),
            ninetieth: up_to(9),
            most: samples.last_key_value().map_or(0, |(&length, _)| length),
        }
    }
}

impl Groups {
    fn of(data: &Dataset) -> Option<Self> {
        data.group(0)?;
        let mut of_group: BTreeMap<&str, ClassCounts> = BTreeMap::new();
        for row in 0..data.rows() {
            of_group
                .entry(data.group(row)?)
                .or_default()
                .add(data.label(row), data.count(row));
        }
        let mut groups = Self {
            count: of_group.len() as u64,
            smallest: of_group.values().map(|counts| counts.total()).min()?,
            largest: of_group.values().map(|counts| counts.total()).max()?,
            of_one_class: of_group
                .values()
                .filter(|counts| counts.normal.min(counts.anomalous) == 0)
                .count() as u64,
            shared_samples: 0,
        };
        each_sequence(data, &data.all(), |first, labels| {
            let rows = (first..data.rows()).take_while(|&row| data.sequence_key(row) == data.sequence_key(first));
            if rows.into_iter().any(|row| data.group(row) != data.group(first)) {
                groups.shared_samples += labels.total();
            }
        });
        Some(groups)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::dataset::DatasetBuilder;
    use crate::data::label::Label;

    #[test]
    fn a_profile_counts_what_is_there() {
        let mut data = DatasetBuilder::new();
        let mut push = |actions: &[&str], label, group, count: u64| {
            data.push_counted(actions.iter().copied(), label, Some(group), count.try_into().unwrap())
                .unwrap();
        };
        use Label::{Anomalous, Normal};
        push(&["a", "b"], Normal, "one", 5);
        push(&["a", "b"], Anomalous, "two", 2);
        push(&["a", "c", "a"], Normal, "one", 1);
        push(&["d"], Anomalous, "two", 2);
        let profile = Profile::of(&data.build());
        assert_eq!((profile.samples.normal, profile.samples.anomalous), (6, 4));
        assert_eq!((profile.sequences, profile.normal_sequences), (3, 2));
        let conflicts = Conflicts {
            sequences: 1,
            samples: 7,
            lost: 2,
        };
        assert_eq!(profile.conflicts, conflicts);
        let lengths = Lengths {
            least: 1,
            median: 2,
            ninetieth: 2,
            most: 3,
        };
        assert_eq!(profile.lengths, lengths);
        assert_eq!((profile.actions, profile.actions_seen_once), (4, 1));
        let frequent = [("a", 8), ("b", 7), ("d", 2), ("c", 1)].map(|(name, count)| (name.to_owned(), count));
        assert_eq!(profile.most_frequent, frequent);
        let groups = Groups {
            count: 2,
            smallest: 4,
            largest: 6,
            of_one_class: 2,
            shared_samples: 7,
        };
        assert_eq!(profile.groups, Some(groups));
    }
}
