//! The names of actions as a model that watches knows them.

use crate::data::interner::Interner;
use crate::model::unfamiliar::Unfamiliar;
use crate::monitor::names::Names;

/// For each name of an action, the number that a model knows it by, and how much of what it met it does not know.
#[derive(Debug, Clone, Default)]
pub(crate) struct Vocabulary {
    /// By the number of the name; names that the model does not know have numbers of their own above those that it does.
    pub(crate) numbers: Vec<u32>,
    known: usize,
    pub(crate) seen: Unfamiliar,
}

impl Vocabulary {
    /// What the model whose actions have these `known` names makes of all `names` that there are.
    pub(crate) fn new(known: &Interner, names: &Names) -> Self {
        let mut vocabulary = Self {
            known: known.len(),
            ..Self::default()
        };
        (0..names.numbers()).for_each(|id| vocabulary.learn(known, id, names.text(id)));
        vocabulary
    }

    /// Notes that the name with number `id` is now `text`.
    pub(crate) fn learn(&mut self, known: &Interner, id: u32, text: &str) {
        let number = known.get(text).unwrap_or(self.known as u32 + id);
        match self.numbers.get_mut(id as usize) {
            Some(old) => *old = number,
            None => self.numbers.push(number),
        }
    }

    /// The share of `actions` that the model does not know.
    pub(crate) fn unknown_share(&self, actions: impl ExactSizeIterator<Item = u32>) -> f64 {
        let all = actions.len().max(1);
        let is_unknown = |&action: &u32| self.numbers[action as usize] as usize >= self.known;
        actions.filter(is_unknown).count() as f64 / all as f64
    }

    /// Notes that the model met the action with number `id`.
    pub(crate) fn note(&mut self, id: u32, text: &str) {
        let number = self.numbers.get(id as usize);
        if number.is_some_and(|&number| (number as usize) < self.known) {
            self.seen.see_known(1);
        } else {
            self.seen.see_unknown(text, 1);
        }
    }
}
