//! Names of actions as numbers, remembered only as long as something refers to them.

use crate::data::fingerprint;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

/// The number that all names share for which there is no room.
pub(crate) const OTHER: u32 = 0;
/// How [`OTHER`] is shown.
pub(crate) const OTHER_NAME: &str = "(other)";

/// Numbers names and counts who refers to each. A number is given to another name once nobody does, so no result may
/// depend on the numbers themselves.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    table: HashTable<u32>,
    hasher: RandomState,
    entries: Vec<Entry>,
    free: Vec<u32>,
    most: usize,
}

#[derive(Debug, Clone)]
struct Entry {
    text: String,
    hash: u64,
    fingerprint: u64,
    references: u64,
}

impl Names {
    /// Room for `most` names besides the one that stands for all others, and besides those that are let in all the same.
    pub(crate) fn new(most: u32) -> Self {
        let other = Entry {
            text: OTHER_NAME.to_owned(),
            hash: 0,
            fingerprint: 0,
            references: 0,
        };
        Self {
            table: HashTable::new(),
            hasher: RandomState::default(),
            entries: vec![other],
            free: Vec::new(),
            most: most as usize,
        }
    }

    /// The number of `text` with one more reference to it, and whether the number is new. If there is no room it is asked
    /// whether the name is `important` enough to be let in all the same.
    pub(crate) fn acquire(&mut self, text: &str, important: impl FnOnce() -> bool) -> (u32, bool) {
        let hash = self.hasher.hash_one(text);
        let entries = &self.entries;
        if let Some(&id) = self.table.find(hash, |&id| entries[id as usize].text == text) {
            self.entries[id as usize].references += 1;
            return (id, false);
        }
        if self.table.len() >= self.most && !important() {
            return (OTHER, false);
        }
        let fingerprint = fingerprint::of_action(text);
        let id = match self.free.pop() {
            Some(id) => {
                let entry = &mut self.entries[id as usize];
                entry.text.clear();
                entry.text.push_str(text);
                (entry.hash, entry.fingerprint, entry.references) = (hash, fingerprint, 1);
                id
            }
            None => {
                self.entries.push(Entry {
                    text: text.to_owned(),
                    hash,
                    fingerprint,
                    references: 1,
                });
                (self.entries.len() - 1) as u32
            }
        };
        let entries = &self.entries;
        self.table.insert_unique(hash, id, |&id| entries[id as usize].hash);
        (id, true)
    }

    /// One more reference to a name that has one.
    pub(crate) fn retain(&mut self, id: u32) {
        if id != OTHER {
            self.entries[id as usize].references += 1;
        }
    }

    /// One reference less; the name is forgotten with the last.
    pub(crate) fn release(&mut self, id: u32) {
        if id == OTHER {
            return;
        }
        let entry = &mut self.entries[id as usize];
        entry.references -= 1;
        if entry.references == 0 {
            let hash = entry.hash;
            if let Ok(found) = self.table.find_entry(hash, |&other| other == id) {
                found.remove();
            }
            self.free.push(id);
        }
    }

    pub(crate) fn text(&self, id: u32) -> &str {
        &self.entries[id as usize].text
    }

    pub(crate) fn fingerprint(&self, id: u32) -> u64 {
        self.entries[id as usize].fingerprint
    }

    /// How many numbers have ever been in use at once.
    pub(crate) fn numbers(&self) -> u32 {
        self.entries.len() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_while_somebody_refers_to_it_and_no_longer() {
        let mut names = Names::new(2);
        let (a, new) = names.acquire("a", || false);
        assert!(new && names.acquire("a", || false) == (a, false));
        let (b, _) = names.acquire("b", || false);
        assert_eq!(names.acquire("c", || false), (OTHER, false));
        names.release(a);
        assert_eq!(names.acquire("c", || false), (OTHER, false));
        names.release(a);
        let (c, new) = names.acquire("c", || false);
        assert!(new && names.text(c) == "c" && names.text(b) == "b");
        assert_eq!(names.acquire("a", || false), (OTHER, false));
        assert_eq!(names.numbers(), 3);
        let (important, new) = names.acquire("a", || true);
        assert!(new && names.text(important) == "a");
    }
}
