//! Folds: what is left out of training together, so that a model can be seen at work on what it does not know.

use crate::random::{Purpose, stream};
use crate::train::distinct::Distinct;
use rand::seq::SliceRandom;

/// Most folds that there are.
const FOLDS: usize = 10;

/// The fold of each different sequence.
#[derive(Debug, Clone)]
pub(crate) struct Folds {
    of: Vec<u8>,
    count: usize,
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
    /// Draws folds of about the same size. No group stands in two of them if `by_group`, and no sequence if not.
    pub(crate) fn draw(distinct: &Distinct, by_group: bool, seed: u64) -> Self {
        let by_group = by_group && distinct.groups.is_some();
        let units: Vec<usize> = match &distinct.groups {
            Some(groups) if by_group => groups.iter().map(|&group| group as usize).collect(),
            // Equal ones stand side by side.
            _ => {
                let same = distinct.fingerprints.chunk_by(|a, b| a == b).enumerate();
                same.flat_map(|(unit, same)| same.iter().map(move |_| unit)).collect()
            }
        };
        let mut sizes = vec![0_usize; units.iter().max().map_or(0, |&last| last + 1)];
        units.iter().for_each(|&unit| sizes[unit] += 1);
        let mut order: Vec<usize> = (0..sizes.len()).filter(|&unit| sizes[unit] > 0).collect();
        order.shuffle(&mut stream(seed, Purpose::Folds));
        // Large ones first, each to the fold that is smallest, so that folds differ by no more than a small one.
        order.sort_by_key(|&unit| std::cmp::Reverse(sizes[unit]));
        let count = order.len().min(FOLDS);
        let (mut rows, mut fold_of) = ([0; FOLDS], vec![0; sizes.len()]);
        for unit in order {
            let fold = (0..count).min_by_key(|&fold| rows[fold]).unwrap_or(0);
            rows[fold] += sizes[unit];
            fold_of[unit] = fold as u8;
        }
        Self {
            of: units.into_iter().map(|unit| fold_of[unit]).collect(),
            count,
            by_group,
        }
    }

    pub(crate) fn of(&self, index: usize) -> u8 {
        self.of[index]
    }

    /// Whether whole groups are left out.
    pub(crate) fn by_group(&self) -> bool {
        self.by_group
    }

    /// How many folds there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The first folds that hold at least `size` different sequences together; all if there are no more.
    pub(crate) fn first(&self, size: usize) -> Vec<u8> {
        let mut left = size;
        let mut sizes = [0; FOLDS];
        self.of.iter().for_each(|&fold| sizes[usize::from(fold)] += 1);
        let is_needed = |&fold: &u8| {
            let needed = left > 0;
            left = left.saturating_sub(sizes[usize::from(fold)]);
            needed
        };
        (0..self.count as u8).take_while(is_needed).collect()
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
            let folds = Folds::draw(&distinct, by_group, seed);
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
