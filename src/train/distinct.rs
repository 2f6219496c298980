//! What training learns from: the different sequences of a part, and of groups if there are any, with how many samples of each
//! class each of them stands for.

use crate::data::counts::Counts;
use crate::data::dataset::Dataset;
use crate::data::label::ClassCounts;
use crate::data::part::Part;
use crate::random::{Purpose, stream};
use rand::seq::SliceRandom;
use std::num::NonZeroUsize;

/// How many samples of each class each of many sequences stands for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Labels {
    normal: Counts,
    anomalous: Counts,
}

impl Labels {
    fn push(&mut self, counts: ClassCounts) {
        self.normal.push(counts.normal);
        self.anomalous.push(counts.anomalous);
    }

    pub(crate) fn of(&self, index: usize) -> ClassCounts {
        ClassCounts {
            normal: self.normal.get(index),
            anomalous: self.anomalous.get(index),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.normal.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = ClassCounts> {
        (0..self.len()).map(|index| self.of(index))
    }

    /// How many samples there are of each class.
    pub(crate) fn sum(&self) -> ClassCounts {
        self.iter().fold(ClassCounts::default(), ClassCounts::plus)
    }
}

impl FromIterator<ClassCounts> for Labels {
    fn from_iter<I: IntoIterator<Item = ClassCounts>>(all: I) -> Self {
        let mut labels = Self::default();
        all.into_iter().for_each(|counts| labels.push(counts));
        labels
    }
}

/// How large a sample is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SampleSize {
    /// At most so many sequences.
    pub(crate) most: usize,
    /// At most so many actions in all of them, unless `fewest` sequences have more.
    pub(crate) actions: usize,
    pub(crate) fewest: usize,
}

/// Different sequences, in canonical order or fold by fold. That is the order of their fingerprints, so they come as if they were drawn, and
/// those that fitting takes together have no more in common than others.
#[derive(Debug, Clone)]
pub(crate) struct Distinct {
    /// A row of the data that has the sequence.
    pub(crate) rows: Vec<u32>,
    pub(crate) fingerprints: Vec<u64>,
    pub(crate) labels: Labels,
    /// The group of each, if there are two groups or more; a sequence that stands in several groups is one for each.
    pub(crate) groups: Option<Vec<u32>>,
}

impl Distinct {
    /// The different sequences of `part`, put in order by at most `threads` threads.
    pub(crate) fn of(data: &Dataset, part: &Part, threads: NonZeroUsize) -> Self {
        let group = |row: &u32| data.group_number(*row as usize);
        let first = part.rows().first().and_then(group);
        // A single group says nothing about what belongs together.
        let grouped = first.is_some() && part.rows().iter().any(|row| group(row) != first);

        let mut rows: Vec<u32> = Vec::new();
        let mut labels = Labels::default();
        let mut last = ClassCounts::default();
        for (row, count) in part.iter() {
            // What is alike stands side by side.
            let of = |row: usize| (data.sequence_key(row), data.group_number(row).filter(|_| grouped));
            let previous = rows.last().map(|&row| of(row as usize));
            if previous != Some(of(row)) {
                if previous.is_some() {
                    labels.push(std::mem::take(&mut last));
                }
                rows.push(row as u32);
            }
            last.add(data.label(row), count);
        }
        labels.push(last);
        Self {
            fingerprints: data.fingerprints(&rows, threads),
            groups: grouped.then(|| rows.iter().filter_map(group).collect()),
            labels,
            rows,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Some of them, drawn from the seed, if they are more than `size`: so many, or fewer that have so many actions of `data` together; they
    /// stay in their order.
    pub(crate) fn sample(&self, data: &Dataset, size: SampleSize, seed: u64) -> Option<Self> {
        let mut drawn: Vec<u32> = (0..self.len() as u32).collect();
        let (drawn, _) = drawn.partial_shuffle(&mut stream(seed, Purpose::Sample), size.most);
        let mut actions = 0;
        let enough = drawn.iter().position(|&place| {
            actions += data.length(self.rows[place as usize] as usize);
            actions > size.actions
        });
        let count = enough.map_or(drawn.len(), |count| count.max(size.fewest).min(drawn.len()));
        (count < self.len()).then(|| {
            let drawn = &mut drawn[..count];
            drawn.sort_unstable();
            self.at(drawn)
        })
    }

    /// Those at these places.
    pub(crate) fn at(&self, places: &[u32]) -> Self {
        let places = || places.iter().map(|&place| place as usize);
        Self {
            rows: places().map(|place| self.rows[place]).collect(),
            fingerprints: places().map(|place| self.fingerprints[place]).collect(),
            labels: places().map(|place| self.labels.of(place)).collect(),
            groups: (self.groups.as_ref()).map(|groups| places().map(|place| groups[place]).collect()),
        }
    }

    /// The labels of each different sequence, over all groups.
    fn of_sequences(&self) -> impl Iterator<Item = ClassCounts> {
        let mut index = 0;
        self.fingerprints.chunk_by(|a, b| a == b).map(move |same| {
            let labels = (index..index + same.len()).map(|index| self.labels.of(index));
            index += same.len();
            labels.fold(ClassCounts::default(), ClassCounts::plus)
        })
    }

    /// Number of different sequences that occur as normal ones; equal ones stand side by side.
    pub(crate) fn normal_sequences(&self) -> u64 {
        self.of_sequences().filter(|labels| labels.normal > 0).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::dataset::DatasetBuilder;
    use crate::data::label::Label::{self, Anomalous, Normal};

    fn distinct(samples: &[(&str, Label, Option<&str>)]) -> Distinct {
        let mut data = DatasetBuilder::new();
        for &(action, label, group) in samples {
            data.push([action], label, group).unwrap();
        }
        let data = data.build();
        Distinct::of(&data, &data.all(), NonZeroUsize::MIN)
    }

    #[test]
    fn identical_sequences_are_one_and_one_for_each_group_that_has_them() {
        let samples = [("a", Normal), ("a", Anomalous), ("a", Normal), ("b", Anomalous)];
        let alone = distinct(&samples.map(|(action, label)| (action, label, None)));
        assert_eq!((alone.len(), alone.groups.is_none()), (2, true));
        assert_eq!(alone.normal_sequences(), 1);
        let one_group = distinct(&samples.map(|(action, label)| (action, label, Some("g"))));
        assert_eq!((one_group.len(), one_group.groups.is_none()), (2, true));
        let mut groups = ["g", "h", "g", "h"].into_iter();
        let two_groups = distinct(&samples.map(|(action, label)| (action, label, groups.next())));
        assert_eq!(
            (two_groups.len(), two_groups.groups.as_ref().map(Vec::len)),
            (3, Some(3))
        );
        // Over its groups, a has both labels.
        assert_eq!(two_groups.normal_sequences(), 1);
        assert_eq!(two_groups.labels.sum(), alone.labels.sum());
    }

    #[test]
    fn a_sample_is_drawn_from_the_seed_and_keeps_the_order() {
        let names: Vec<String> = (0..100).map(|name| name.to_string()).collect();
        let all: Vec<_> = names.iter().map(|name| (name.as_str(), Normal, None)).collect();
        let mut data = DatasetBuilder::new();
        for &(action, label, group) in &all {
            data.push([action; 10], label, group).unwrap();
        }
        let data = data.build();
        let all = Distinct::of(&data, &data.all(), NonZeroUsize::MIN);
        let sample = |most, actions, seed| {
            let size = SampleSize {
                most,
                actions,
                fewest: 5,
            };
            all.sample(&data, size, seed)
        };
        let drawn = sample(30, 10_000, 1).unwrap();
        assert_eq!(drawn.len(), 30);
        assert!(drawn.rows.is_sorted_by(|a, b| a < b));
        assert_eq!(drawn.fingerprints, sample(30, 10_000, 1).unwrap().fingerprints);
        assert_ne!(drawn.fingerprints, sample(30, 10_000, 2).unwrap().fingerprints);
        assert!(sample(100, 1000, 1).is_none());
        // Of ten actions each.
        assert_eq!(sample(30, 205, 1).unwrap().len(), 20);
        assert_eq!(sample(100, 205, 1).unwrap().len(), 20);
        assert_eq!(sample(30, 20, 1).unwrap().len(), 5);
    }
}
