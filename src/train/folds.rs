//! The folds of training: what is left out together to choose how to fit, and to calibrate.

use crate::bounds::BatchSize;
use crate::data::folds;
use crate::random::{Purpose, stream};
use crate::train::distinct::Distinct;
use std::ops::Range;

/// Most folds that there are.
const FOLDS: usize = 10;

/// Which of the different sequences are in which fold: those of a fold stand side by side.
#[derive(Debug, Clone)]
pub(crate) struct Folds {
    /// Where each fold ends.
    ends: Vec<usize>,
    by_group: bool,
}

/// Some folds as a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct FoldSet(u16);

impl FoldSet {
    pub(crate) fn add(&mut self, fold: u8) {
        self.0 |= 1 << fold;
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether it holds this fold and no other.
    pub(crate) fn is_only(self, fold: u8) -> bool {
        self.0 == 1 << fold
    }
}

impl Folds {
    /// Draws folds of about the same size, and puts the sequences in their order; within a fold they stay in theirs. No group stands
    /// in two folds if `by_group`, and no sequence if not.
    pub(crate) fn draw(distinct: Distinct, by_group: bool, seed: u64) -> (Distinct, Self) {
        let by_group = by_group && distinct.groups.is_some();
        let units: Vec<u32> = match &distinct.groups {
            Some(groups) if by_group => groups.clone(),
            // Equal ones stand side by side.
            _ => {
                let same = (0..).zip(distinct.fingerprints.chunk_by(|a, b| a == b));
                same.flat_map(|(unit, same)| same.iter().map(move |_| unit)).collect()
            }
        };
        let sizes = folds::sizes(units.iter().map(|&unit| (unit, 1)));
        let (fold_of, count) = folds::deal(&sizes, FOLDS, &mut stream(seed, Purpose::Folds));
        let mut members = vec![Vec::new(); count];
        for (index, unit) in (0..).zip(units) {
            members[usize::from(fold_of[unit as usize])].push(index);
        }
        let ends = members.iter().scan(0, |end, members| {
            *end += members.len();
            Some(*end)
        });
        let folds = Self {
            ends: ends.collect(),
            by_group,
        };
        (distinct.at(&members.concat()), folds)
    }

    pub(crate) fn of(&self, index: usize) -> u8 {
        self.ends.partition_point(|&end| end <= index) as u8
    }

    /// Where the sequences of a fold stand.
    pub(crate) fn range(&self, fold: u8) -> Range<usize> {
        let fold = usize::from(fold);
        let start = fold.checked_sub(1).map_or(0, |before| self.ends[before]);
        start..self.ends[fold]
    }

    /// The sequences of a fold in batches of this size.
    pub(crate) fn batches(&self, fold: u8, size: BatchSize) -> impl Iterator<Item = Range<usize>> + use<> {
        let (range, size) = (self.range(fold), size.get() as usize);
        let firsts = range.clone().step_by(size);
        firsts.map(move |first| first..range.end.min(first + size))
    }

    /// Whether whole groups are left out.
    pub(crate) fn by_group(&self) -> bool {
        self.by_group
    }

    /// How many folds there are.
    pub(crate) fn count(&self) -> usize {
        self.ends.len()
    }

    /// The first folds that hold at least `size` different sequences together; all if there are no more.
    pub(crate) fn first(&self, size: usize) -> Vec<u8> {
        let all = 0..self.count() as u8;
        all.take_while(|&fold| self.range(fold).start < size).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::dataset::DatasetBuilder;
    use crate::data::label::Label;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};
    use std::num::NonZeroUsize;

    proptest! {
        #[test]
        fn what_belongs_together_is_in_one_fold_and_folds_are_of_about_the_same_size(
            samples in proptest::collection::vec((0..40_u8, 0..25_u8), 1..200),
            by_group in any::<bool>(),
            seed in any::<u64>(),
        ) {
            let mut data = DatasetBuilder::new();
            for (action, group) in samples {
                data.push([action.to_string().as_str()], Label::Normal, Some(&group.to_string())).unwrap();
            }
            let data = data.build();
            let distinct = Distinct::of(&data, &data.all(), NonZeroUsize::MIN);
            let mut all = distinct.fingerprints.clone();
            all.sort_unstable();
            let (distinct, folds) = Folds::draw(distinct, by_group, seed);
            let mut dealt = distinct.fingerprints.clone();
            dealt.sort_unstable();
            prop_assert_eq!(all, dealt);
            let by_group = by_group && distinct.groups.is_some();
            let mut fold_of: BTreeMap<u64, BTreeSet<u8>> = BTreeMap::new();
            let mut largest: BTreeMap<u64, usize> = BTreeMap::new();
            let mut sizes = vec![0_usize; folds.count()];
            for index in 0..distinct.len() {
                let unit = match &distinct.groups {
                    Some(groups) if by_group => u64::from(groups[index]),
                    _ => distinct.fingerprints[index],
                };
                fold_of.entry(unit).or_default().insert(folds.of(index));
                *largest.entry(unit).or_default() += 1;
                sizes[usize::from(folds.of(index))] += 1;
                prop_assert!(folds.range(folds.of(index)).contains(&index));
            }
            prop_assert!(fold_of.values().all(|folds| folds.len() == 1));
            prop_assert_eq!(folds.count(), fold_of.len().min(FOLDS));
            let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
            prop_assert!(most - least <= *largest.values().max().unwrap());
            prop_assert_eq!(folds.first(usize::MAX).len(), folds.count());
            prop_assert_eq!(folds.first(1), [0]);
        }
    }
}
