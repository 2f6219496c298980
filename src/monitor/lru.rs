//! Values by name, at most so many: the one not used for longest leaves first.

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

/// Stands for "no slot".
const NONE: u32 = u32::MAX;

/// A map that forgets. The order of use is a doubly linked list through the slots, so finding, using and forgetting take
/// constant time. No result depends on the order of the hash table.
#[derive(Debug)]
pub(crate) struct Lru<T> {
    table: HashTable<u32>,
    hasher: RandomState,
    slots: Vec<Slot<T>>,
    newest: u32,
    oldest: u32,
    most: usize,
    /// How many have left.
    pub(crate) evicted: u64,
}

#[derive(Debug)]
struct Slot<T> {
    value: T,
    key: String,
    hash: u64,
    newer: u32,
    older: u32,
}

impl<T: Default> Lru<T> {
    /// Room for `most` values.
    pub(crate) fn new(most: u32) -> Self {
        Self {
            table: HashTable::new(),
            hasher: RandomState::default(),
            slots: Vec::new(),
            newest: NONE,
            oldest: NONE,
            most: (most as usize).min(NONE as usize - 1),
            evicted: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The slot of `key` without using it.
    pub(crate) fn find(&self, key: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(key);
        self.table
            .find(hash, |&slot| self.slots[slot as usize].key == key)
            .copied()
    }

    pub(crate) fn value(&self, slot: u32) -> &T {
        &self.slots[slot as usize].value
    }

    pub(crate) fn value_mut(&mut self, slot: u32) -> &mut T {
        &mut self.slots[slot as usize].value
    }

    pub(crate) fn key(&self, slot: u32) -> &str {
        &self.slots[slot as usize].key
    }

    /// Marks the value in `slot` as the one used last.
    pub(crate) fn touch(&mut self, slot: u32) {
        if slot != self.newest {
            self.unlink(slot);
            self.link(slot);
        }
    }

    /// Adds `key`, which must not be there, as the one used last and returns its slot. If there is no room the value that
    /// was used longest ago is emptied by `recycle` and used again.
    pub(crate) fn insert(&mut self, key: &str, recycle: impl FnOnce(&mut T)) -> u32 {
        let hash = self.hasher.hash_one(key);
        let slot = if self.slots.len() < self.most {
            self.slots.push(Slot {
                value: T::default(),
                key: key.to_owned(),
                hash,
                newer: NONE,
                older: NONE,
            });
            (self.slots.len() - 1) as u32
        } else {
            let slot = self.oldest;
            self.unlink(slot);
            let old = self.slots[slot as usize].hash;
            if let Ok(entry) = self.table.find_entry(old, |&other| other == slot) {
                entry.remove();
            }
            let reused = &mut self.slots[slot as usize];
            reused.key.clear();
            reused.key.push_str(key);
            reused.hash = hash;
            recycle(&mut reused.value);
            self.evicted += 1;
            slot
        };
        let slots = &self.slots;
        self.table.insert_unique(hash, slot, |&slot| slots[slot as usize].hash);
        self.link(slot);
        slot
    }

    /// All keys and values, those used longest ago first.
    pub(crate) fn oldest_first(&self) -> impl Iterator<Item = (&str, &T)> {
        let mut next = self.oldest;
        std::iter::from_fn(move || {
            let slot = self.slots.get(next as usize)?;
            next = slot.newer;
            Some((slot.key.as_str(), &slot.value))
        })
    }

    /// All slots in the order of the bytes of their keys.
    pub(crate) fn by_key(&self) -> Vec<u32> {
        let mut slots: Vec<u32> = (0..self.slots.len() as u32).collect();
        slots.sort_by(|&a, &b| self.key(a).cmp(self.key(b)));
        slots
    }

    fn unlink(&mut self, slot: u32) {
        let Slot { newer, older, .. } = self.slots[slot as usize];
        match self.slots.get_mut(newer as usize) {
            Some(other) => other.older = older,
            None => self.newest = older,
        }
        match self.slots.get_mut(older as usize) {
            Some(other) => other.newer = newer,
            None => self.oldest = newer,
        }
    }

    fn link(&mut self, slot: u32) {
        let older = self.newest;
        self.slots[slot as usize].older = older;
        self.slots[slot as usize].newer = NONE;
        match self.slots.get_mut(older as usize) {
            Some(other) => other.newer = slot,
            None => self.oldest = slot,
        }
        self.newest = slot;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    #[test]
    fn it_forgets_what_a_simple_list_would_forget() {
        let mut lru: Lru<u32> = Lru::new(5);
        let mut list: VecDeque<String> = VecDeque::new();
        let mut number: u64 = 7;
        for _ in 0..5000 {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let key = format!("k{}", (number >> 33) % 9);
            match lru.find(&key) {
                Some(slot) => lru.touch(slot),
                None => {
                    lru.insert(&key, |value| *value = 0);
                }
            }
            list.retain(|other| *other != key);
            list.push_back(key);
            if list.len() > 5 {
                list.pop_front();
            }
            assert!(
                lru.oldest_first()
                    .map(|(key, _)| key)
                    .eq(list.iter().map(String::as_str))
            );
            assert!((0..9).all(|k| lru.find(&format!("k{k}")).is_some() == list.contains(&format!("k{k}"))));
        }
        assert!(lru.evicted > 1000 && lru.len() == 5);
    }
}
