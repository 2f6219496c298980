//! Long lists of numbers of samples.

use std::collections::BTreeMap;

/// Numbers up to 2^63, most of them small: those below 2^32 take four bytes, and a list of ones takes none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    length: usize,
    /// Empty as long as all are 1. What stands in `large` is [`LARGE`] here.
    small: Vec<u32>,
    large: BTreeMap<usize, u64>,
}

/// Stands for a number that is too large for four bytes.
const LARGE: u32 = u32::MAX;

impl Counts {
    pub(crate) fn push(&mut self, count: u64) {
        self.length += 1;
        if count != 1 || !self.small.is_empty() {
            self.set(self.length - 1, count);
        }
    }

    /// Adds all of `other`.
    pub(crate) fn append(&mut self, other: &Self) {
        if self.small.is_empty() && other.small.is_empty() {
            self.length += other.length;
        } else {
            other.iter().for_each(|count| self.push(count));
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.length
    }

    pub(crate) fn get(&self, index: usize) -> u64 {
        match self.small.get(index) {
            None => 1,
            Some(&LARGE) => self.large[&index],
            Some(&small) => u64::from(small),
        }
    }

    pub(crate) fn add(&mut self, index: usize, count: u64) {
        self.set(index, self.get(index) + count);
    }

    fn set(&mut self, index: usize, count: u64) {
        self.small.resize(self.length, 1);
        match u32::try_from(count) {
            Ok(small) if small != LARGE => self.small[index] = small,
            _ => {
                self.small[index] = LARGE;
                self.large.insert(index, count);
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u64> {
        (0..self.length).map(|index| self.get(index))
    }
}

impl FromIterator<u64> for Counts {
    fn from_iter<I: IntoIterator<Item = u64>>(counts: I) -> Self {
        let mut all = Self::default();
        counts.into_iter().for_each(|count| all.push(count));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_went_in_comes_out(
            counts in proptest::collection::vec(prop_oneof![Just(1), 0..5_u64, 0xffff_fff0..0x1_0000_000f_u64, Just(1 << 63)], 0..20),
            more in proptest::collection::vec((any::<prop::sample::Index>(), 1..0x1_0000_0000_u64), 0..5),
        ) {
            let mut expected = counts.clone();
            let mut packed: Counts = counts.iter().copied().collect();
            for (index, count) in more.into_iter().filter(|_| !counts.is_empty()) {
                let index = index.index(counts.len());
                expected[index] += count;
                packed.add(index, count);
            }
            prop_assert_eq!(packed.iter().collect::<Vec<_>>(), expected);
        }
    }
}
