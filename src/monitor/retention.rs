//! Values by name, at most so many. When there is no room, what is idle leaves first; then what has been used least, so that a flood of
//! new names pushes out nothing but itself.

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::hash::BuildHasher;

/// A map that forgets. No result depends on the order of the hash table.
///
/// The order of use is a queue of slots, to whose end a slot is added each time it is used. Only the last place of a slot
/// counts; the others are passed over, and taken out when they are more than half of the queue. A linked list would need
/// less room, but every use of it would touch two slots elsewhere in memory.
#[derive(Debug, Clone)]
pub(crate) struct Retained<T> {
    table: HashTable<u32>,
    hasher: RandomState,
    slots: Vec<Slot<T>>,
    /// Slots and the number of their use, ascending.
    order: VecDeque<(u32, u64)>,
    /// Slots by how little they were used, among equals the newest first: empty until one of them has to leave for that, and with
    /// counts that may have grown since.
    least_used: BinaryHeap<(Reverse<u64>, u64, u32)>,
    uses: u64,
    most: usize,
    /// How many have left.
    pub(crate) evicted: u64,
}

#[derive(Debug, Clone)]
struct Slot<T> {
    key: Key,
    hash: u64,
    /// The number of its last use.
    used: u64,
    /// The number of its first use.
    born: u64,
    /// How often it was used.
    uses: u64,
    value: T,
}

/// What is kept beside a value to restore its place: how often it was used, and how many of the others came before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Standing {
    pub(crate) uses: u64,
    pub(crate) rank: u64,
}

/// A name, in place if it is short: one look into memory less.
#[derive(Debug, Clone)]
enum Key {
    Short(u8, [u8; Self::SHORT]),
    Long(Box<str>),
}

impl Key {
    const SHORT: usize = 22;

    fn new(text: &str) -> Self {
        let mut bytes = [0; Self::SHORT];
        match bytes.get_mut(..text.len()) {
            Some(start) => {
                start.copy_from_slice(text.as_bytes());
                Self::Short(text.len() as u8, bytes)
            }
            None => Self::Long(text.into()),
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Short(length, bytes) => &bytes[..usize::from(*length)],
            Self::Long(text) => text.as_bytes(),
        }
    }

    fn text(&self) -> &str {
        match self {
            // The bytes are those of a text.
            Self::Short(..) => std::str::from_utf8(self.bytes()).unwrap_or_default(),
            Self::Long(text) => text,
        }
    }
}

impl<T: Default> Retained<T> {
    /// Room for `most` values.
    pub(crate) fn new(most: u32) -> Self {
        Self {
            table: HashTable::new(),
            hasher: RandomState::default(),
            slots: Vec::new(),
            order: VecDeque::new(),
            least_used: BinaryHeap::new(),
            uses: 0,
            most: most as usize,
            evicted: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The slot of `key` without using it.
    pub(crate) fn find(&self, key: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(key);
        let is_it = |&slot: &u32| {
            let slot = &self.slots[slot as usize];
            slot.hash == hash && slot.key.bytes() == key.as_bytes()
        };
        self.table.find(hash, is_it).copied()
    }

    pub(crate) fn value(&self, slot: u32) -> &T {
        &self.slots[slot as usize].value
    }

    pub(crate) fn value_mut(&mut self, slot: u32) -> &mut T {
        &mut self.slots[slot as usize].value
    }

    pub(crate) fn key(&self, slot: u32) -> &str {
        self.slots[slot as usize].key.text()
    }

    /// How often the value in `slot` was used.
    pub(crate) fn uses(&self, slot: u32) -> u64 {
        self.slots[slot as usize].uses
    }

    /// Uses the value in `slot`.
    pub(crate) fn touch(&mut self, slot: u32) {
        self.uses += 1;
        let touched = &mut self.slots[slot as usize];
        touched.used = self.uses;
        touched.uses += 1;
        if self.order.len() > 2 * self.slots.len() + 64 {
            let slots = &self.slots;
            self.order.retain(|&(slot, used)| slots[slot as usize].used == used);
        }
        self.order.push_back((slot, self.uses));
    }

    /// Adds `key`, which must not be there, and uses it. If there is no room another one leaves, whose value is emptied by `recycle` and
    /// used again: the one not used for longest if it `is_idle`, else the one used least, among equals the newest. Returns the slot,
    /// and whether one left that was not idle.
    pub(crate) fn insert(
        &mut self,
        key: &str,
        is_idle: impl FnOnce(&T) -> bool,
        recycle: impl FnOnce(&mut T),
    ) -> (u32, bool) {
        let hash = self.hasher.hash_one(key);
        let born = self.uses + 1;
        if self.slots.len() < self.most {
            let slot = self.slots.len() as u32;
            self.slots.push(Slot {
                value: T::default(),
                key: Key::new(key),
                hash,
                used: 0,
                born,
                uses: 0,
            });
            self.enter(hash, slot);
            return (slot, false);
        }
        let oldest = self.oldest().filter(|&slot| is_idle(self.value(slot)));
        let displaced = oldest.is_none();
        let slot = oldest.unwrap_or_else(|| self.take_least_used());
        let reused = &mut self.slots[slot as usize];
        if let Ok(entry) = self.table.find_entry(reused.hash, |&other| other == slot) {
            entry.remove();
        }
        (reused.key, reused.hash) = (Key::new(key), hash);
        (reused.born, reused.uses) = (born, 0);
        recycle(&mut reused.value);
        self.evicted += 1;
        if !self.least_used.is_empty() || displaced {
            self.least_used.push((Reverse(0), born, slot));
        }
        self.enter(hash, slot);
        (slot, displaced)
    }

    fn enter(&mut self, hash: u64, slot: u32) {
        let slots = &self.slots;
        self.table.insert_unique(hash, slot, |&slot| slots[slot as usize].hash);
        self.touch(slot);
    }

    /// The slot that was used longest ago.
    fn oldest(&mut self) -> Option<u32> {
        loop {
            let &(slot, used) = self.order.front()?;
            if self.slots[slot as usize].used == used {
                return Some(slot);
            }
            self.order.pop_front();
        }
    }

    /// Takes the slot that was used least often, among equals the newest, out of the order of these. There must be one.
    fn take_least_used(&mut self) -> u32 {
        if self.least_used.is_empty() || self.least_used.len() > 2 * self.slots.len() + 64 {
            let slots = (0..).zip(&self.slots);
            self.least_used = slots.map(|(slot, at)| (Reverse(at.uses), at.born, slot)).collect();
        }
        loop {
            let Some((Reverse(uses), born, slot)) = self.least_used.pop() else {
                unreachable!("whoever has no room has slots");
            };
            let found = &self.slots[slot as usize];
            if found.born != born {
                // It has left since.
                continue;
            }
            if found.uses == uses {
                return slot;
            }
            self.least_used.push((Reverse(found.uses), born, slot));
        }
    }

    /// All keys and values with where they stand, those used longest ago first.
    pub(crate) fn oldest_first(&self) -> impl Iterator<Item = (&str, Standing, &T)> {
        let mut births: Vec<u64> = self.slots.iter().map(|slot| slot.born).collect();
        births.sort_unstable();
        self.order.iter().filter_map(move |&(slot, used)| {
            let slot = &self.slots[slot as usize];
            (slot.used == used).then(|| {
                let rank = births.partition_point(|&born| born < slot.born) as u64;
                let standing = Standing { uses: slot.uses, rank };
                (slot.key.text(), standing, &slot.value)
            })
        })
    }

    /// Adds `key`, which must not be there, as the one used last, with a standing that was saved; `None` if there is no room. When all of
    /// them are there [`end_restoring`](Self::end_restoring) is to be called.
    pub(crate) fn restore(&mut self, key: &str, standing: Standing) -> Option<u32> {
        if self.slots.len() >= self.most {
            return None;
        }
        let (slot, _) = self.insert(key, |_| false, |_| ());
        let restored = &mut self.slots[slot as usize];
        (restored.uses, restored.born) = (standing.uses, standing.rank);
        Some(slot)
    }

    /// Whether what was restored fits together: each has a rank of its own.
    pub(crate) fn end_restoring(&mut self) -> bool {
        let mut ranks: Vec<u64> = self.slots.iter().map(|slot| slot.born).collect();
        ranks.sort_unstable();
        ranks.iter().zip(0..).all(|(&rank, place)| rank == place)
    }

    /// All slots in the order of the bytes of their keys.
    pub(crate) fn by_key(&self) -> Vec<u32> {
        let mut slots: Vec<u32> = (0..self.slots.len() as u32).collect();
        slots.sort_by(|&a, &b| self.key(a).cmp(self.key(b)));
        slots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a simple list would do.
    #[derive(Default)]
    struct Simple(Vec<(String, u64, u64, u64)>);

    #[test]
    fn it_forgets_what_a_simple_list_would_forget() {
        let mut retained: Retained<bool> = Retained::new(6);
        let (mut list, mut number, mut clock) = (Simple::default(), 7_u64, 0);
        let mut displaced = 0;
        for _ in 0..20_000 {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            clock += 1;
            let key = format!("k{}", (number >> 33) % 17 * ((number >> 40) % 2));
            let idle = (number >> 50) % 5 == 0;
            match retained.find(&key) {
                Some(slot) => {
                    retained.touch(slot);
                    let place = list.0.iter().position(|entry| entry.0 == key).unwrap();
                    (list.0[place].1, list.0[place].2) = (list.0[place].1 + 1, clock);
                }
                None => {
                    displaced += u64::from(retained.insert(&key, |_| idle, |_| ()).1);
                    if list.0.len() == 6 {
                        let places = 0..6;
                        let leaves = if idle {
                            places.min_by_key(|&place| list.0[place].2)
                        } else {
                            places.min_by_key(|&place| (list.0[place].1, Reverse(list.0[place].3)))
                        };
                        list.0.remove(leaves.unwrap());
                    }
                    list.0.push((key, 1, clock, clock));
                }
            }
            let mut expected: Vec<_> = list
                .0
                .iter()
                .map(|entry| (entry.2, entry.0.as_str(), entry.1))
                .collect();
            expected.sort_unstable();
            let found = retained.oldest_first().map(|(key, standing, _)| (key, standing.uses));
            assert!(found.eq(expected.into_iter().map(|(_, key, uses)| (key, uses))));
        }
        assert!(displaced > 100 && retained.evicted > displaced && retained.len() == 6);
    }
}
