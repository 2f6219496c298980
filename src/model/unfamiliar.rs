//! How much of what a model is given it does not know.

use crate::data::dataset::Dataset;
use crate::model::kind::Model;
use std::collections::BTreeMap;

/// Most names that are kept.
const KEPT: usize = 1000;

/// Actions that a model was given, and those of them that it does not know.
#[derive(Debug, Clone, Default)]
pub struct Unfamiliar {
    actions: u64,
    unknown: u64,
    names: BTreeMap<String, u64>,
}

impl Unfamiliar {
    /// Takes in `count` actions that the model knows.
    pub fn see_known(&mut self, count: u64) {
        self.actions += count;
    }

    /// Takes in an action that the model does not know, `count` times.
    pub fn see_unknown(&mut self, name: &str, count: u64) {
        self.actions += count;
        self.unknown += count;
        if let Some(seen) = self.names.get_mut(name) {
            *seen += count;
        } else if self.names.len() < KEPT {
            self.names.insert(name.to_owned(), count);
        }
    }

    /// Takes in what another one has seen.
    pub fn join(&mut self, other: Self) {
        self.see_known(other.actions - other.unknown);
        let named: u64 = other.names.values().sum();
        other
            .names
            .iter()
            .for_each(|(name, &count)| self.see_unknown(name, count));
        self.actions += other.unknown - named;
        self.unknown += other.unknown - named;
    }

    /// All actions of `data`.
    #[must_use]
    pub fn of(model: &Model, data: &Dataset) -> Self {
        let mut counts = vec![0; data.action_count()];
        for row in 0..data.rows() {
            data.steps(row)
                .for_each(|action| counts[action as usize] += data.count(row));
        }
        let mut seen = Self::default();
        for (action, count) in (0..).zip(counts) {
            let name = data.action_name(action);
            match model.action_number(name) {
                Some(_) => seen.see_known(count),
                None => seen.see_unknown(name, count),
            }
        }
        seen
    }

    /// How many of the actions the model does not know.
    #[must_use]
    pub fn unknown(&self) -> u64 {
        self.unknown
    }

    /// Share of the actions that the model does not know; 0 without any.
    #[must_use]
    pub fn share(&self) -> f64 {
        if self.actions == 0 {
            0.0
        } else {
            self.unknown as f64 / self.actions as f64
        }
    }

    /// The unknown names, the most frequent first, and how often each was seen; of very many, those that came first.
    #[must_use]
    pub fn names(&self) -> Vec<(&str, u64)> {
        let mut names: Vec<(&str, u64)> = self.names.iter().map(|(name, &count)| (name.as_str(), count)).collect();
        names.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        names
    }
}
