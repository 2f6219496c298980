//! Values by name, at most so many: the one not used for longest leaves first.

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::collections::VecDeque;
use std::hash::BuildHasher;

/// A map that forgets. No result depends on the order of the hash table.
///
/// The order of use is a queue of slots, to whose end a slot is added each time it is used. Only the last place of a slot
/// counts; the others are passed over, and taken out when they are more than half of the queue. A linked list would need
/// less room, but every use of it would touch two slots elsewhere in memory.
#[derive(Debug)]
pub(crate) struct Lru<T> {
    table: HashTable<u32>,
    hasher: RandomState,
    slots: Vec<Slot<T>>,
    /// Slots and the number of their use, ascending.
    order: VecDeque<(u32, u64)>,
    uses: u64,
    most: usize,
    /// How many have left.
    pub(crate) evicted: u64,
}

#[derive(Debug)]
struct Slot<T> {
    key: Key,
    hash: u64,
    /// The number of its last use.
    used: u64,
    value: T,
}

/// A name, in place if it is short: one look into memory less.
#[derive(Debug)]
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

impl<T: Default> Lru<T> {
    /// Room for `most` values.
    pub(crate) fn new(most: u32) -> Self {
        Self {
            table: HashTable::new(),
            hasher: RandomState::default(),
            slots: Vec::new(),
            order: VecDeque::new(),
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

    /// Marks the value in `slot` as the one used last.
    pub(crate) fn touch(&mut self, slot: u32) {
        self.uses += 1;
        self.slots[slot as usize].used = self.uses;
        if self.order.len() > 2 * self.slots.len() + 64 {
            let slots = &self.slots;
            self.order.retain(|&(slot, used)| slots[slot as usize].used == used);
        }
        self.order.push_back((slot, self.uses));
    }

    /// Adds `key`, which must not be there, as the one used last and returns its slot. If there is no room the value that
    /// was used longest ago is emptied by `recycle` and used again.
    pub(crate) fn insert(&mut self, key: &str, recycle: impl FnOnce(&mut T)) -> u32 {
        let hash = self.hasher.hash_one(key);
        let oldest = if self.slots.len() < self.most {
            None
        } else {
            self.take_oldest()
        };
        let slot = match oldest {
            None => {
                self.slots.push(Slot {
                    value: T::default(),
                    key: Key::new(key),
                    hash,
                    used: 0,
                });
                (self.slots.len() - 1) as u32
            }
            Some(slot) => {
                let reused = &mut self.slots[slot as usize];
                if let Ok(entry) = self.table.find_entry(reused.hash, |&other| other == slot) {
                    entry.remove();
                }
                reused.key = Key::new(key);
                reused.hash = hash;
                recycle(&mut reused.value);
                self.evicted += 1;
                slot
            }
        };
        let slots = &self.slots;
        self.table.insert_unique(hash, slot, |&slot| slots[slot as usize].hash);
        self.touch(slot);
        slot
    }

    /// Takes the slot that was used longest ago out of the order.
    fn take_oldest(&mut self) -> Option<u32> {
        loop {
            let (slot, used) = self.order.pop_front()?;
            if self.slots[slot as usize].used == used {
                return Some(slot);
            }
        }
    }

    /// All keys and values, those used longest ago first.
    pub(crate) fn oldest_first(&self) -> impl Iterator<Item = (&str, &T)> {
        self.order.iter().filter_map(|&(slot, used)| {
            let slot = &self.slots[slot as usize];
            (slot.used == used).then(|| (slot.key.text(), &slot.value))
        })
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
