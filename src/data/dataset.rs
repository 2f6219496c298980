//! Labelled sequences of actions, held compactly.

use crate::data::fingerprint;
use crate::data::packed::PackedLists;
use crate::parallel::map_pieces;
use foldhash::fast::RandomState;
use indexmap::IndexSet;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::num::NonZeroUsize;

/// What a sequence was: in files, 0 is normal and 1 is anomalous.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(into = "u8", extend("enum" = [0, 1])))]
pub enum Label {
    /// Ordinary behaviour.
    Normal,
    /// What the model has to find.
    Anomalous,
}

impl From<Label> for u8 {
    fn from(label: Label) -> u8 {
        label as u8
    }
}

impl Serialize for Label {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(u8::from(*self))
    }
}

/// The probability of being anomalous that was given to a sample, and what the sample was.
pub type Scored = (f64, Label);

/// How many samples of each class there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ClassCounts {
    /// Samples with label 0.
    pub normal: u32,
    /// Samples with label 1.
    pub anomalous: u32,
}

impl ClassCounts {
    /// Counts one more sample. A [`Dataset`] holds fewer than 2^32 samples, so this cannot overflow.
    pub fn add(&mut self, label: Label) {
        match label {
            Label::Normal => self.normal += 1,
            Label::Anomalous => self.anomalous += 1,
        }
    }

    /// These samples and those of `other` together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            normal: self.normal + other.normal,
            anomalous: self.anomalous + other.anomalous,
        }
    }

    /// Samples of both classes together.
    #[must_use]
    pub fn total(self) -> u64 {
        u64::from(self.normal) + u64::from(self.anomalous)
    }
}

/// Numbers strings in the order in which they first appear.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interner(IndexSet<Box<str>, RandomState>);

impl Interner {
    /// The number of `name`, a new one if it was never seen.
    pub(crate) fn intern(&mut self, name: &str) -> u32 {
        let index = self
            .0
            .get_index_of(name)
            .unwrap_or_else(|| self.0.insert_full(name.into()).0);
        // Every distinct name stands in memory, so 2^32 of them cannot be reached before memory runs out.
        index as u32
    }

    pub(crate) fn get(&self, name: &str) -> Option<u32> {
        self.0.get_index_of(name).map(|index| index as u32)
    }

    pub(crate) fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }

    pub(crate) fn name(&self, id: u32) -> &str {
        &self.0[id as usize]
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Labelled, non-empty sequences of actions, in the order in which they came.
///
/// Actions are stored once and sequences as numbers, so a million sequences take little more than their actions do.
#[derive(Debug, Clone, Default)]
pub struct Dataset {
    actions: Interner,
    steps: PackedLists,
    labels: Vec<Label>,
    group_names: Interner,
    groups: Vec<u32>,
    skipped_empty: u64,
}

impl Dataset {
    /// A data set without samples.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one sample. An empty sequence says nothing about its label: it is not added but counted, see
    /// [`skipped_empty`](Self::skipped_empty).
    ///
    /// Any name can be trained on, but a model file with one of more than [`MAX_ACTION`](crate::MAX_ACTION) bytes cannot be
    /// loaded.
    pub fn push<'a>(&mut self, actions: impl IntoIterator<Item = &'a str>, label: Label) {
        self.push_grouped(actions, label, None);
    }

    /// Adds one sample that belongs to `group`. Either all samples of a data set have a group or none has.
    pub fn push_grouped<'a>(&mut self, actions: impl IntoIterator<Item = &'a str>, label: Label, group: Option<&str>) {
        let mut actions = actions.into_iter().peekable();
        if actions.peek().is_none() {
            self.skipped_empty += 1;
            return;
        }
        self.steps.push(actions.map(|action| self.actions.intern(action)));
        self.labels.push(label);
        if let Some(group) = group {
            let id = self.group_names.intern(group);
            self.groups.push(id);
        }
    }

    /// Number of samples, without the empty ones.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no sample.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// How many empty sequences were left out.
    #[must_use]
    pub fn skipped_empty(&self) -> u64 {
        self.skipped_empty
    }

    /// The label of each sample.
    #[must_use]
    pub fn labels(&self) -> &[Label] {
        &self.labels
    }

    /// How many samples of each class there are among `indices`.
    #[must_use]
    pub fn class_counts(&self, indices: &[u32]) -> ClassCounts {
        let mut counts = ClassCounts::default();
        for &index in indices {
            counts.add(self.labels[index as usize]);
        }
        counts
    }

    /// The actions of sample `index` by name.
    pub fn sequence(&self, index: usize) -> impl Iterator<Item = &str> + Clone {
        self.steps(index).map(|id| self.actions.name(id))
    }

    /// The actions of sample `index` as numbers below [`action_count`](Self::action_count).
    pub(crate) fn steps(&self, index: usize) -> impl Iterator<Item = u32> + Clone {
        self.steps.list(index)
    }

    /// Something that is equal for two samples if and only if their sequences are.
    pub(crate) fn sequence_key(&self, index: usize) -> &[u16] {
        self.steps.codes(index)
    }

    pub(crate) fn action_count(&self) -> usize {
        self.actions.len()
    }

    pub(crate) fn action_name(&self, id: u32) -> &str {
        self.actions.name(id)
    }

    /// The fingerprints of the samples `indices`, in that order, worked out by at most `threads` threads.
    pub(crate) fn fingerprints(&self, indices: &[u32], threads: NonZeroUsize) -> Vec<u64> {
        let actions: Vec<u64> = self.actions.names().map(fingerprint::of_action).collect();
        map_pieces(indices, threads, |piece| {
            let of = |&index: &u32| {
                let steps = self.steps(index as usize);
                fingerprint::of_sequence(steps.map(|step| actions[step as usize]))
            };
            piece.iter().map(of).collect()
        })
    }

    /// Adds all samples of `other`, as if they had been added to this data set one by one.
    pub(crate) fn append(&mut self, other: &Self) {
        let actions: Vec<u32> = other.actions.names().map(|name| self.actions.intern(name)).collect();
        let groups: Vec<u32> = other
            .group_names
            .names()
            .map(|name| self.group_names.intern(name))
            .collect();
        for index in 0..other.len() {
            self.steps.push(other.steps(index).map(|step| actions[step as usize]));
        }
        self.labels.extend_from_slice(&other.labels);
        self.groups
            .extend(other.groups.iter().map(|&group| groups[group as usize]));
        self.skipped_empty += other.skipped_empty;
    }

    /// The group of each sample as a number; empty if the samples have no groups.
    pub(crate) fn groups(&self) -> &[u32] {
        &self.groups
    }

    /// SHA-256, in hexadecimal, over the content: the action names in order of first appearance, the group names, then
    /// each sample's label, group and actions as numbers. Two files with the same samples have the same
    /// digest, whatever their line ends, blanks and other fields.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for names in [&self.actions, &self.group_names] {
            hash.update((names.len() as u64).to_le_bytes());
            for name in names.names() {
                hash.update((name.len() as u64).to_le_bytes());
                hash.update(name.as_bytes());
            }
        }
        let mut bytes = Vec::new();
        for (index, &label) in self.labels.iter().enumerate() {
            bytes.clear();
            bytes.push(u8::from(label));
            bytes.extend_from_slice(&self.groups.get(index).copied().unwrap_or(0).to_le_bytes());
            bytes.extend_from_slice(&(self.steps(index).count() as u32).to_le_bytes());
            for step in self.steps(index) {
                bytes.extend_from_slice(&step.to_le_bytes());
            }
            hash.update(&bytes);
        }
        hex(&hash.finalize())
    }
}

/// Lower-case hexadecimal digits of `bytes`.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dataset(samples: &[(&[&str], Label)]) -> Dataset {
        let mut data = Dataset::new();
        for (actions, label) in samples {
            data.push(actions.iter().copied(), *label);
        }
        data
    }

    #[test]
    fn empty_sequences_are_counted_and_left_out() {
        let data = dataset(&[
            (&["a"], Label::Normal),
            (&[], Label::Anomalous),
            (&["b", "a"], Label::Anomalous),
        ]);
        assert_eq!((data.len(), data.skipped_empty()), (2, 1));
        assert_eq!(data.sequence(1).collect::<Vec<_>>(), ["b", "a"]);
    }

    #[test]
    fn digest_tells_apart_what_differs_only_in_where_names_end() {
        let digests: std::collections::BTreeSet<String> = [
            dataset(&[(&["ab", "c"], Label::Normal)]),
            dataset(&[(&["a", "bc"], Label::Normal)]),
            dataset(&[(&["a", "bc"], Label::Anomalous)]),
            dataset(&[(&["a"], Label::Normal), (&["bc"], Label::Normal)]),
            dataset(&[]),
        ]
        .iter()
        .map(Dataset::digest)
        .collect();
        assert_eq!(digests.len(), 5);
    }
}
