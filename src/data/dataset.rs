//! Labelled sequences of actions: which there are and how often, in an order of their own.

use crate::bounds::Multiplicity;
use crate::data::counts::Counts;
use crate::data::label::{ClassCounts, Label, MAX_SAMPLES};
use crate::data::packed::PackedLists;
use crate::data::part::Part;
use crate::data::rows::{Collapsed, Rows};
use crate::data::unit::Unit;
use crate::input::placeholders::normalize_name;
use sha2::{Digest, Sha256};
use std::num::NonZeroUsize;

/// Longest name of an action, in bytes of UTF-8.
pub const MAX_ACTION: usize = 1024;
/// Most actions in a sequence.
pub const MAX_ACTIONS: usize = 100_000;

/// Why a sample cannot be added to a data set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SampleError {
    /// The name of an action is longer than [`MAX_ACTION`].
    #[error("an action of {0} bytes; at most {MAX_ACTION} are allowed")]
    LongAction(usize),
    /// There are more than [`MAX_ACTIONS`] actions.
    #[error("more than {MAX_ACTIONS} actions in a sequence; split it into sessions")]
    LongSequence,
    /// Samples with a group and samples without one stand in the same data set.
    #[error("samples with and without a group cannot be mixed: give all of them one or none")]
    MixedGroups,
    /// Several samples were to be added at once where their order matters.
    #[error("samples that are counted have no order; a temporal split needs them one by one")]
    CountedInOrder,
    /// It has no label, and needs one.
    #[error("\"label\" is missing; each sample needs \"label\": 0 (normal) or 1 (anomalous)")]
    NoLabel,
    /// It is anomalous, and there must be none.
    #[error(
        "an anomalous sample (label 1), where only normal ones are learned from; leave it out, as --drop-anomalous does"
    )]
    Anomalous,
    /// There would be more than 2^63 samples, or more than 2^32 - 1 different ones.
    #[error("more than 2^63 samples, or 2^32 different ones, in a data set")]
    TooMany,
}

/// Labelled, non-empty sequences of actions, as a set of facts: each row is a sequence with its label, its group if there are
/// groups, and how many samples are like that.
///
/// Rows stand in canonical order: by the fingerprint of their sequence, then by group, then by label. So the same samples give the same
/// data set in whatever order they come, and whether they come one by one or counted. Made by a [`DatasetBuilder`].
///
/// Actions are stored once and sequences as numbers, so a million sequences take little more than their actions do.
#[derive(Debug, Clone, Default)]
pub struct Dataset {
    rows: Rows,
    counts: Counts,
    /// The row of each sample in the order in which they came, if that was asked for.
    arrival: Option<Vec<u32>>,
    samples: u64,
    skipped_empty: u64,
    dropped_anomalous: u64,
}

/// What a [`DatasetBuilder`] does with anomalous samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AnomalousSamples {
    /// Takes them.
    #[default]
    Keep,
    /// Refuses them.
    Refuse,
    /// Leaves them out and counts them, see [`Dataset::dropped_anomalous`].
    Drop,
}

/// Takes samples one by one and makes a [`Dataset`] of them.
///
/// ```
/// use anomaly_train::{DatasetBuilder, Label};
///
/// let mut samples = DatasetBuilder::new();
/// samples.push(["read", "write"], Label::Normal, None)?;
/// samples.push_counted(["scan", "exploit"], Label::Anomalous, None, 3.try_into()?)?;
/// samples.push(["read", "write"], Label::Normal, None)?;
/// let data = samples.build();
/// assert_eq!((data.samples(), data.rows()), (5, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct DatasetBuilder {
    /// As they came; what is alike is put together when there are too many, and at the end.
    rows: Rows,
    counts: Counts,
    keeps_order: bool,
    /// If the order is kept: the numbers of the pieces of the input in whose order it is, and the first row of each.
    pieces: Vec<(u64, u32)>,
    normalizes_names: bool,
    anomalous: AnomalousSamples,
    samples: u64,
    skipped_empty: u64,
    dropped_anomalous: u64,
    /// Rows that are left when what is alike has been put together.
    compacted: usize,
}

/// Up to this many rows may wait to be put together with those that are alike; where there are more, as many as those. Tests wait
/// for fewer, so that they see it happen.
const WAITING: usize = if cfg!(test) { 4 } else { 1 << 20 };

impl DatasetBuilder {
    /// Without samples.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Without samples; the data set will remember the order in which they came, for
    /// [`SplitStrategy::Temporal`](crate::split::SplitStrategy::Temporal). That costs four bytes a sample.
    #[must_use]
    pub fn in_order() -> Self {
        Self {
            keeps_order: true,
            ..Self::default()
        }
    }

    /// What is done with anomalous samples from now on.
    #[must_use]
    pub fn anomalous(mut self, anomalous: AnomalousSamples) -> Self {
        self.anomalous = anomalous;
        self
    }

    /// Replaces parameters in the names of actions from now on, see [`normalize_name`](crate::logs::normalize_name).
    #[must_use]
    pub fn normalize_names(mut self, normalizes_names: bool) -> Self {
        self.normalizes_names = normalizes_names;
        self
    }

    /// Without samples, to be absorbed by this one.
    pub(crate) fn without_samples(&self) -> Self {
        Self {
            keeps_order: self.keeps_order,
            normalizes_names: self.normalizes_names,
            anomalous: self.anomalous,
            ..Self::default()
        }
    }

    /// Takes what is added from now on for piece `number` of the input: pieces come in the order of their numbers, in whatever order they
    /// are read. What was added before there were pieces comes first.
    pub(crate) fn begin_piece(&mut self, number: u64) {
        if self.keeps_order {
            self.pieces.push((number, self.rows.len() as u32));
        }
    }

    /// A number above those of all pieces so far.
    pub(crate) fn next_piece(&self) -> u64 {
        self.pieces.iter().map(|&(number, _)| number + 1).max().unwrap_or(1)
    }

    /// Samples so far, without the empty ones.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// Adds one sample. An empty sequence says nothing about its label: it is not added but counted, see
    /// [`Dataset::skipped_empty`].
    ///
    /// # Errors
    ///
    /// If the sample cannot be one of this data set; then nothing is added.
    pub fn push<'a>(
        &mut self,
        actions: impl IntoIterator<Item = &'a str>,
        label: Label,
        group: Option<&str>,
    ) -> Result<(), SampleError> {
        self.push_counted(actions, label, group, Multiplicity::literal(1))
    }

    /// Adds `count` samples that are alike.
    ///
    /// # Errors
    ///
    /// If they cannot be samples of this data set; then nothing is added.
    pub fn push_counted<'a>(
        &mut self,
        actions: impl IntoIterator<Item = &'a str>,
        label: Label,
        group: Option<&str>,
        count: Multiplicity,
    ) -> Result<(), SampleError> {
        if self.keeps_order && count.get() > 1 {
            return Err(SampleError::CountedInOrder);
        }
        match self.anomalous {
            AnomalousSamples::Refuse if label == Label::Anomalous => return Err(SampleError::Anomalous),
            AnomalousSamples::Drop if label == Label::Anomalous => {
                self.dropped_anomalous = self.dropped_anomalous.saturating_add(count.get());
                return Ok(());
            }
            _ => {}
        }
        self.check_room(group.is_some(), 1, count.get())?;
        let rows = &mut self.rows;
        let known = rows.actions.len();
        let mut wrong = None;
        let (mut length, mut names) = (0, actions.into_iter());
        let normalizes_names = self.normalizes_names;
        rows.steps.push(std::iter::from_fn(|| {
            let name = names.next()?;
            length += 1;
            if name.len() > MAX_ACTION {
                wrong = Some(SampleError::LongAction(name.len()));
            } else if length > MAX_ACTIONS {
                wrong = Some(SampleError::LongSequence);
            }
            wrong.is_none().then(|| match normalizes_names {
                true => rows.actions.intern(&normalize_name(name)),
                false => rows.actions.intern(name),
            })
        }));
        if let Some(wrong) = wrong {
            rows.steps.pop();
            rows.actions.truncate(known);
            return Err(wrong);
        }
        if length == 0 {
            rows.steps.pop();
            self.skipped_empty = self.skipped_empty.saturating_add(count.get());
            return Ok(());
        }
        rows.labels.push(label);
        rows.group_of.extend(group.map(|group| rows.groups.intern(group)));
        self.counts.push(count.get());
        self.samples += count.get();
        self.compact();
        Ok(())
    }

    /// Whether as many samples, in as many rows, can be added.
    fn check_room(&self, grouped: bool, rows: usize, samples: u64) -> Result<(), SampleError> {
        if self.rows.len() > 0 && grouped == self.rows.group_of.is_empty() {
            return Err(SampleError::MixedGroups);
        }
        let samples = self.samples.checked_add(samples);
        let rows = self.rows.len() + rows;
        match samples {
            Some(..=MAX_SAMPLES) if rows <= u32::MAX as usize => Ok(()),
            _ => Err(SampleError::TooMany),
        }
    }

    /// Adds all samples of `other`, as if they had been added one by one.
    ///
    /// # Errors
    ///
    /// If some of them cannot be samples of this data set.
    pub(crate) fn absorb(&mut self, other: Self) -> Result<(), SampleError> {
        let before = self.rows.len() as u32;
        if other.rows.len() > 0 {
            self.check_room(!other.rows.group_of.is_empty(), other.rows.len(), other.samples)?;
        }
        let pieces = other.pieces.iter().map(|&(number, row)| (number, before + row));
        self.pieces.extend(pieces);
        if before == 0 {
            (self.rows, self.counts, self.compacted) = (other.rows, other.counts, other.compacted);
        } else {
            self.rows.append(other.rows);
            self.counts.append(&other.counts);
        }
        self.samples += other.samples;
        self.skipped_empty = self.skipped_empty.saturating_add(other.skipped_empty);
        self.dropped_anomalous = self.dropped_anomalous.saturating_add(other.dropped_anomalous);
        self.compact();
        Ok(())
    }

    /// Puts together what is alike if there is much that may be.
    fn compact(&mut self) {
        if !self.keeps_order && self.rows.len() - self.compacted >= WAITING.max(self.compacted) {
            let Collapsed { rows, counts, .. } = self.rows.collapsed(&self.counts, NonZeroUsize::MIN);
            (self.rows, self.counts) = (rows, counts);
            self.compacted = self.rows.len();
        }
    }

    /// The data set of all samples that were added.
    #[must_use]
    pub fn build(self) -> Dataset {
        self.build_on(NonZeroUsize::MIN)
    }

    /// [`build`](Self::build) with at most `threads` threads.
    #[must_use]
    pub fn build_on(mut self, threads: NonZeroUsize) -> Dataset {
        self.rows.sort_names();
        let Collapsed { rows, counts, places } = self.rows.collapsed(&self.counts, threads);
        let arrival = self.keeps_order.then(|| self.in_order_of_pieces(&places));
        Dataset {
            rows,
            counts,
            arrival,
            samples: self.samples,
            skipped_empty: self.skipped_empty,
            dropped_anomalous: self.dropped_anomalous,
        }
    }
}

impl DatasetBuilder {
    /// What belongs to each row, in the order in which the rows came.
    fn in_order_of_pieces(&self, of_rows: &[u32]) -> Vec<u32> {
        let ends = self.pieces.iter().skip(1).map(|&(_, row)| row as usize);
        let mut pieces: Vec<_> = (self.pieces.iter().zip(ends.chain([of_rows.len()])))
            .map(|(&(number, start), end)| (number, start as usize..end))
            .collect();
        pieces.sort_unstable_by_key(|(number, _)| *number);
        let before = 0..self.pieces.first().map_or(of_rows.len(), |&(_, row)| row as usize);
        let ranges = [before].into_iter().chain(pieces.into_iter().map(|(_, range)| range));
        ranges.flat_map(|range| of_rows[range].iter().copied()).collect()
    }
}

impl Dataset {
    /// Number of samples, without the empty ones.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// Number of rows: of different samples.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no sample.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.len() == 0
    }

    /// How many empty sequences were left out.
    #[must_use]
    pub fn skipped_empty(&self) -> u64 {
        self.skipped_empty
    }

    /// How many anomalous samples were left out, see [`AnomalousSamples::Drop`].
    #[must_use]
    pub fn dropped_anomalous(&self) -> u64 {
        self.dropped_anomalous
    }

    /// All samples.
    #[must_use]
    pub fn all(&self) -> Part {
        Part::new((0..self.rows()).map(|row| (row as u32, self.count(row))))
    }

    /// The label of row `row`, below [`rows`](Self::rows).
    #[must_use]
    pub fn label(&self, row: usize) -> Label {
        self.rows.labels[row]
    }

    /// How many samples row `row` stands for.
    #[must_use]
    pub fn count(&self, row: usize) -> u64 {
        self.counts.get(row)
    }

    /// The group of row `row`, if samples have groups.
    #[must_use]
    pub fn group(&self, row: usize) -> Option<&str> {
        self.group_number(row).map(|group| self.rows.groups.name(group))
    }

    /// The actions of row `row` by name.
    pub fn sequence(&self, row: usize) -> impl Iterator<Item = &str> + Clone {
        self.steps(row).map(|id| self.rows.actions.name(id))
    }

    /// How many samples of each class there are in `part`.
    #[must_use]
    pub fn class_counts(&self, part: &Part) -> ClassCounts {
        let mut counts = ClassCounts::default();
        for (row, count) in part.iter() {
            counts.add(self.label(row), count);
        }
        counts
    }

    /// The group of row `row` as a number, groups sorted by name.
    pub(crate) fn group_number(&self, row: usize) -> Option<u32> {
        self.rows.group_of.get(row).copied()
    }

    /// What samples belong together with: their group, or the same sequence if they have no groups.
    #[must_use]
    pub fn unit(&self) -> Unit {
        if self.rows.group_of.is_empty() {
            Unit::Sequence
        } else {
            Unit::Group
        }
    }

    /// The unit of each row, numbered in canonical order.
    pub(crate) fn units(&self) -> Vec<u32> {
        if self.unit() == Unit::Group {
            return self.rows.group_of.clone();
        }
        let mut unit = 0;
        (0..self.rows())
            .map(|row| {
                unit += u32::from(row > 0 && self.sequence_key(row) != self.sequence_key(row - 1));
                unit
            })
            .collect()
    }

    /// The row of each sample in the order in which they came, if the builder was asked to remember it.
    pub(crate) fn arrival(&self) -> Option<&[u32]> {
        self.arrival.as_deref()
    }

    /// The actions of row `row` as numbers below [`action_count`](Self::action_count), names ascending.
    pub(crate) fn steps(&self, row: usize) -> impl Iterator<Item = u32> + Clone {
        self.rows.steps.list(row)
    }

    /// How many actions row `row` has.
    pub(crate) fn length(&self, row: usize) -> usize {
        self.steps(row).count()
    }

    /// The actions of these rows, as [`steps`](Self::steps) has them.
    pub(crate) fn steps_of(&self, rows: &[u32]) -> PackedLists {
        let mut steps = PackedLists::default();
        for &row in rows {
            steps.push_codes(self.rows.steps.codes(row as usize));
        }
        steps
    }

    /// Something that is equal for two rows if and only if their sequences are.
    pub(crate) fn sequence_key(&self, row: usize) -> &[u16] {
        self.rows.steps.codes(row)
    }

    pub(crate) fn action_count(&self) -> usize {
        self.rows.actions.len()
    }

    pub(crate) fn action_name(&self, id: u32) -> &str {
        self.rows.actions.name(id)
    }

    /// The fingerprints of the rows `rows`, in that order, worked out by at most `threads` threads.
    pub(crate) fn fingerprints(&self, rows: &[u32], threads: NonZeroUsize) -> Vec<u64> {
        self.rows.fingerprints(rows, threads)
    }

    /// SHA-256, in hexadecimal, over the content in canonical order: the names of the actions, those of the groups, then each
    /// row's label, group, count and actions as numbers. The same samples have the same digest, whatever their order,
    /// however they are counted, and whatever their files look like.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for names in [&self.rows.actions, &self.rows.groups] {
            hash.update((names.len() as u64).to_le_bytes());
            for name in names.names() {
                hash.update((name.len() as u64).to_le_bytes());
                hash.update(name.as_bytes());
            }
        }
        let mut bytes = Vec::new();
        for row in 0..self.rows() {
            bytes.clear();
            bytes.push(u8::from(self.label(row)));
            bytes.extend_from_slice(&self.group_number(row).unwrap_or(0).to_le_bytes());
            bytes.extend_from_slice(&self.count(row).to_le_bytes());
            bytes.extend_from_slice(&(self.steps(row).count() as u32).to_le_bytes());
            for step in self.steps(row) {
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

/// Whether `text` is a SHA-256 as [`hex`] writes it.
pub(crate) fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::rows::SORTED_BY;
    use proptest::prelude::*;

    fn dataset(samples: &[(&[&str], Label)]) -> Dataset {
        let mut data = DatasetBuilder::new();
        for (actions, label) in samples {
            data.push(actions.iter().copied(), *label, None).unwrap();
        }
        data.build()
    }

    #[test]
    fn empty_sequences_are_counted_and_left_out() {
        let data = dataset(&[
            (&["b", "a"], Label::Anomalous),
            (&[], Label::Anomalous),
            (&["a"], Label::Normal),
        ]);
        assert_eq!((data.rows(), data.skipped_empty()), (2, 1));
        let lengths: Vec<usize> = (0..2).map(|row| data.sequence(row).count()).collect();
        assert_eq!(lengths.iter().sum::<usize>(), 3);
    }

    #[test]
    fn digest_tells_apart_what_differs_only_in_where_names_end_or_in_counts() {
        let digests: std::collections::BTreeSet<String> = [
            dataset(&[(&["ab", "c"], Label::Normal)]),
            dataset(&[(&["a", "bc"], Label::Normal)]),
            dataset(&[(&["a", "bc"], Label::Anomalous)]),
            dataset(&[(&["a"], Label::Normal), (&["bc"], Label::Normal)]),
            dataset(&[(&["a", "bc"], Label::Normal), (&["a", "bc"], Label::Normal)]),
            dataset(&[]),
        ]
        .iter()
        .map(Dataset::digest)
        .collect();
        assert_eq!(digests.len(), 6);
    }

    #[test]
    fn samples_with_and_without_a_group_cannot_be_mixed() {
        let mut data = DatasetBuilder::new();
        data.push(["a"], Label::Normal, None).unwrap();
        let mut grouped = DatasetBuilder::new();
        grouped.push(["a"], Label::Normal, Some("g")).unwrap();
        assert_eq!(
            data.push(["b"], Label::Normal, Some("g")),
            Err(SampleError::MixedGroups)
        );
        assert_eq!(grouped.push(["b"], Label::Normal, None), Err(SampleError::MixedGroups));
        assert_eq!(data.absorb(grouped.clone()), Err(SampleError::MixedGroups));
        assert_eq!((data.build().samples(), grouped.build().samples()), (1, 1));
    }

    #[test]
    fn what_no_model_file_could_hold_is_refused_and_leaves_nothing_behind() {
        let mut data = DatasetBuilder::new();
        let long = "x".repeat(MAX_ACTION + 1);
        assert_eq!(
            data.push(["a", &long], Label::Normal, None),
            Err(SampleError::LongAction(1025))
        );
        let many = vec!["a"; MAX_ACTIONS + 1];
        assert_eq!(data.push(many, Label::Normal, None), Err(SampleError::LongSequence));
        data.push(["a"], Label::Normal, None).unwrap();
        assert_eq!((data.samples(), data.build().rows()), (1, 1));
    }

    #[test]
    fn at_most_two_to_the_63_samples_are_counted() {
        let mut data = DatasetBuilder::new();
        let most = (1_u64 << 53).try_into().unwrap();
        for _ in 0..1024 {
            data.push_counted(["a"], Label::Normal, None, most).unwrap();
        }
        assert_eq!(data.push(["b"], Label::Normal, None), Err(SampleError::TooMany));
        let data = data.build();
        assert_eq!((data.samples(), data.rows(), data.count(0)), (1 << 63, 1, 1 << 63));
    }

    #[test]
    fn pieces_of_the_input_come_in_their_order_in_whatever_order_they_were_read() {
        let push = |data: &mut DatasetBuilder, name| data.push([name], Label::Normal, None).unwrap();
        let mut data = DatasetBuilder::in_order();
        push(&mut data, "before");
        let mut parts = [data.without_samples(), data.without_samples()];
        for (part, number, names) in [
            (0, 1, &["d", "a"][..]),
            (1, 2, &["c"]),
            (0, 4, &["a", "x"]),
            (1, 3, &[]),
        ] {
            parts[part].begin_piece(number);
            names.iter().for_each(|name| push(&mut parts[part], name));
        }
        parts.into_iter().rev().for_each(|part| data.absorb(part).unwrap());
        assert_eq!(data.next_piece(), 5);
        data.begin_piece(5);
        push(&mut data, "after");
        let data = data.build();
        let rows = data.arrival().unwrap().iter();
        let names: Vec<&str> = rows.flat_map(|&row| data.sequence(row as usize)).collect();
        assert_eq!(names, ["before", "d", "a", "c", "a", "x", "after"]);
    }

    type Facts = Vec<(Vec<String>, Label, Option<String>, u64)>;

    fn facts(data: &Dataset) -> Facts {
        let fact = |row| {
            let sequence = data.sequence(row).map(str::to_owned).collect();
            (
                sequence,
                data.label(row),
                data.group(row).map(str::to_owned),
                data.count(row),
            )
        };
        (0..data.rows()).map(fact).collect()
    }

    proptest! {
        #[test]
        fn rows_stand_in_their_order_and_neither_order_nor_counting_nor_piecing_matters(
            samples in proptest::collection::vec((proptest::collection::vec(prop_oneof![0..2_u32, 0..40_000_u32], 1..9), any::<bool>(), 0..3_u8, 1..4_u64), 1..30),
            cut in any::<prop::sample::Index>(),
        ) {
            let push = |data: &mut DatasetBuilder, sample: &(Vec<u32>, bool, u8, u64), count: u64| {
                let (actions, anomalous, group, _) = sample;
                let names: Vec<String> = actions.iter().map(|action| format!("{action}")).collect();
                let label = if *anomalous { Label::Anomalous } else { Label::Normal };
                let count = count.try_into().unwrap();
                data.push_counted(names.iter().map(String::as_str), label, Some(&group.to_string()), count).unwrap();
            };
            let (mut counted, mut expanded) = (DatasetBuilder::new(), DatasetBuilder::in_order());
            for sample in &samples {
                push(&mut counted, sample, sample.3);
            }
            for sample in samples.iter().rev() {
                (0..sample.3).for_each(|_| push(&mut expanded, sample, 1));
            }
            let (mut first, mut second) = (DatasetBuilder::new(), DatasetBuilder::new());
            let cut = cut.index(samples.len());
            samples[..cut].iter().for_each(|sample| push(&mut first, sample, sample.3));
            samples[cut..].iter().for_each(|sample| push(&mut second, sample, sample.3));
            first.absorb(second).unwrap();
            let (counted, expanded, pieced) = (counted.build(), expanded.build(), first.build());
            let fingerprints = counted.fingerprints(counted.all().rows(), NonZeroUsize::MIN);
            let leading = fingerprints.iter().map(|fingerprint| fingerprint >> (u64::BITS - SORTED_BY));
            let keys: Vec<_> = leading.zip(facts(&counted)).map(|(key, fact)| (key, fact.0, fact.2, fact.1)).collect();
            prop_assert!(keys.is_sorted_by(|a, b| a < b), "{:?}", keys);
            prop_assert_eq!(facts(&counted), facts(&expanded));
            prop_assert_eq!(facts(&counted), facts(&pieced));
            prop_assert_eq!(counted.digest(), expanded.digest());
            prop_assert_eq!(counted.digest(), pieced.digest());
            let order = expanded.arrival().unwrap();
            prop_assert_eq!(order.len() as u64, counted.samples());
            let last = samples.last().unwrap();
            let last: Vec<String> = last.0.iter().map(u32::to_string).collect();
            prop_assert!(expanded.sequence(order[0] as usize).eq(last.iter().map(String::as_str)));
        }
    }
}
