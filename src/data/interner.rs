//! Numbers for names.

use foldhash::fast::RandomState;
use indexmap::IndexSet;

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

    /// Forgets all names from number `length` on.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.0.truncate(length);
    }

    /// Numbers the names in the order of their bytes. Returns the new number of each old one.
    pub(crate) fn sort(&mut self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.0.len() as u32).collect();
        order.sort_unstable_by_key(|&id| self.name(id));
        let mut ranks = vec![0; order.len()];
        for (rank, &id) in (0..).zip(&order) {
            ranks[id as usize] = rank;
        }
        self.0.sort_unstable();
        ranks
    }
}
