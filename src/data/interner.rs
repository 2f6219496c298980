//! Numbers for names.

use foldhash::fast::RandomState;
use indexmap::IndexSet;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};

/// Numbers strings in the order in which they first appear.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interner {
    names: IndexSet<Box<str>, RandomState>,
    /// The numbers of short names, which most are, once more: these are compared where they are found, without a look elsewhere.
    short: HashMap<ShortName, u32, RandomState>,
}

/// A name of at most 16 bytes: its first and last eight bytes, or four, or all there are, which together with its length are no other's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ShortName {
    first: u64,
    last: u64,
    length: u8,
}

impl Hash for ShortName {
    /// The length is left out: hardly ever two names differ in nothing else.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(u128::from(self.first) << 64 | u128::from(self.last));
    }
}

impl ShortName {
    #[inline]
    fn of(name: &str) -> Option<Self> {
        let bytes = name.as_bytes();
        let length = u8::try_from(bytes.len()).ok().filter(|&length| length <= 16)?;
        let (first, last) = if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
            (u64::from_le_bytes(*first), u64::from_le_bytes(*last))
        } else if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
            (u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into())
        } else {
            (bytes.iter().fold(0, |all, &byte| all << 8 | u64::from(byte)), 0)
        };
        Some(Self { first, last, length })
    }
}

impl Interner {
    /// The number of `name`, a new one if it was never seen.
    pub(crate) fn intern(&mut self, name: &str) -> u32 {
        if let Some(number) = self.get(name) {
            return number;
        }
        // Every distinct name stands in memory, so 2^32 of them cannot be reached before memory runs out.
        let number = self.names.insert_full(name.into()).0 as u32;
        self.short.extend(ShortName::of(name).map(|short| (short, number)));
        number
    }

    #[inline]
    pub(crate) fn get(&self, name: &str) -> Option<u32> {
        match ShortName::of(name) {
            Some(short) => self.short.get(&short).copied(),
            None => self.names.get_index_of(name).map(|index| index as u32),
        }
    }

    pub(crate) fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(AsRef::as_ref)
    }

    pub(crate) fn name(&self, id: u32) -> &str {
        &self.names[id as usize]
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// Forgets all names from number `length` on.
    pub(crate) fn truncate(&mut self, length: usize) {
        for name in self.names.drain(length.min(self.names.len())..) {
            ShortName::of(&name).map(|short| self.short.remove(&short));
        }
    }

    /// Numbers the names in the order of their bytes. Returns the new number of each old one.
    pub(crate) fn sort(&mut self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.len() as u32).collect();
        order.sort_unstable_by_key(|&id| self.name(id));
        let mut ranks = vec![0; order.len()];
        for (rank, &id) in (0..).zip(&order) {
            ranks[id as usize] = rank;
        }
        self.names.sort_unstable();
        for number in self.short.values_mut() {
            *number = ranks[*number as usize];
        }
        ranks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_name_has_a_number_of_its_own_also_when_some_were_forgotten_and_when_they_are_sorted(
            names in proptest::collection::vec("[ab\u{0}é]{0,20}", 1..60),
            kept in any::<prop::sample::Index>(),
        ) {
            let mut interner = Interner::default();
            let mut first: Vec<&str> = Vec::new();
            for name in &names {
                if !first.contains(&name.as_str()) {
                    prop_assert_eq!(interner.get(name), None);
                    first.push(name);
                }
                let place = first.iter().position(|other| other == name).unwrap();
                prop_assert_eq!(interner.intern(name) as usize, place);
            }
            let kept = kept.index(first.len() + 1);
            interner.truncate(kept);
            prop_assert_eq!(interner.len(), kept);
            prop_assert!(first[kept..].iter().all(|name| interner.get(name).is_none()));
            first.iter().for_each(|name| { interner.intern(name); });
            let ranks = interner.sort();
            let mut sorted = first.clone();
            sorted.sort_unstable();
            prop_assert_eq!(interner.names().collect::<Vec<_>>(), sorted);
            for (name, rank) in first.iter().zip(ranks) {
                prop_assert_eq!(interner.get(name), Some(rank));
                prop_assert_eq!(interner.name(rank), *name);
            }
        }
    }
}
