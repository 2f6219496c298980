//! The actions of a sequence as the numbers that a model knows them by.

use crate::data::dataset::Dataset;
use crate::data::interner::Interner;
use crate::model::unfamiliar::Unfamiliar;
use foldhash::fast::RandomState;
use indexmap::IndexSet;

/// A sequence as numbers: known actions, then unknown ones as `unknown` has them.
#[derive(Debug, Default)]
pub(crate) struct Numbered {
    pub(crate) numbers: Vec<u32>,
    pub(crate) unknown: IndexSet<String, RandomState>,
}

impl Numbered {
    /// Puts the numbers of `actions` in place.
    pub(crate) fn take<'a>(&mut self, names: &Interner, actions: impl IntoIterator<Item = &'a str>) {
        self.numbers.clear();
        self.unknown.clear();
        for action in actions {
            self.numbers.push(names.get(action).unwrap_or_else(|| {
                let index = self.unknown.get_index_of(action);
                let index = index.unwrap_or_else(|| self.unknown.insert_full(action.to_owned()).0);
                (names.len() + index) as u32
            }));
        }
    }

    /// Notes in `seen` which actions a model that knows so many does not know.
    pub(crate) fn note_unfamiliar(&self, known: usize, seen: &mut Unfamiliar) {
        let Self { numbers, unknown } = self;
        if unknown.is_empty() {
            return seen.see_known(numbers.len() as u64);
        }
        for &number in numbers {
            match (number as usize)
                .checked_sub(known)
                .and_then(|index| unknown.get_index(index))
            {
                Some(name) => seen.see_unknown(name, 1),
                None => seen.see_known(1),
            }
        }
    }
}

/// For each action of `data` its number among `names`, or one of its own above those.
pub(crate) fn numbers_of(names: &Interner, data: &Dataset) -> Vec<u32> {
    (0..data.action_count() as u32)
        .map(|action| {
            let known = names.get(data.action_name(action));
            known.unwrap_or(names.len() as u32 + action)
        })
        .collect()
}
