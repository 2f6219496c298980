//! The latest actions of an agent's session, with what a model knows of each n-gram in them, so that nothing is looked up
//! twice.

use super::names::Names;
use super::stream_time::DISAGREES;
use crate::input::events::Time;
use crate::model::ngrams::{FIRST_ACTION, NgramTable, Node, UNKNOWN};
use std::collections::VecDeque;

/// Buffers of agents that left are cut to this many actions before they are used again.
const KEPT: usize = 32;

/// An action, and when it was, as far as actions are in order: milliseconds after the session [began](Session::began). In one place, as they are
/// needed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Step {
    pub(crate) after: u32,
    pub(crate) action: u32,
}

/// The latest actions of a session.
#[derive(Debug, Clone, Default)]
pub(crate) struct Session {
    /// Oldest first.
    pub(crate) steps: VecDeque<Step>,
    /// A moment before all of them, in microseconds since 1970.
    pub(crate) began: i64,
    /// How many actions it has had.
    pub(crate) length: u64,
    /// The ids of the events of the latest of them, as many as have been kept since one had an id; empty for none.
    pub(crate) ids: VecDeque<Box<str>>,
    /// For each action, the n-grams of 2, 3, ... n actions that begin with it, if the model knows them.
    nodes: VecDeque<Node>,
    /// How many nodes each action has.
    width: usize,
    /// Which model the nodes are of; see [`ModelRule`](super::rules::model::ModelRule).
    model: u32,
}

/// What a session needs of a model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Knowledge<'a> {
    pub(crate) table: &'a NgramTable,
    /// Longest n-gram.
    pub(crate) n: usize,
    /// For each name of an action, its number in the model.
    pub(crate) numbers: &'a [u32],
    pub(crate) model: u32,
}

impl Knowledge<'_> {
    pub(crate) fn symbol(&self, action: u32) -> u32 {
        self.numbers[action as usize] + FIRST_ACTION
    }

    /// The n-gram that extends `prefix`, which may be unknown.
    pub(crate) fn child(&self, prefix: Node, symbol: u32) -> Node {
        self.table.child(prefix, symbol).unwrap_or(UNKNOWN)
    }

    /// A single action as a place in the trie.
    fn root(&self, symbol: u32) -> Node {
        if symbol < self.table.symbols() { symbol } else { UNKNOWN }
    }
}

impl Session {
    /// Adds an action with the id of its event where it belongs by its time, and keeps the latest `most`. Where that is before all that is kept, or
    /// the clock seems to be wrong, it is taken for the latest.
    pub(crate) fn add(&mut self, action: u32, id: &str, time: Time, most: usize, names: &mut Names) {
        self.length = self.length.saturating_add(1);
        if self.steps.is_empty() {
            self.began = time.micros() - DISAGREES;
        }
        let after = u32::try_from((time.micros() - self.began).max(0) / 1000).unwrap_or(u32::MAX);
        let is_full = self.steps.len() >= most;
        let mut place = self.place_of(after, is_full);
        if is_full && let Some(oldest) = self.steps.pop_front() {
            names.release(oldest.action);
            place -= 1;
            // The latest actions may not have been looked up yet, the oldest one may be among them.
            self.nodes.drain(..self.width.min(self.nodes.len()));
            self.ids.drain(..self.ids.len().saturating_sub(self.steps.len()));
        }
        names.retain(action);
        let has_ids = !(id.is_empty() && self.ids.is_empty());
        if place == self.steps.len() {
            let after = self.steps.back().map_or(after, |latest| latest.after.max(after));
            self.steps.push_back(Step { after, action });
            if has_ids {
                self.ids.push_back(id.into());
            }
            return;
        }
        if has_ids {
            let without = self.steps.len() - self.ids.len();
            (place..without).for_each(|_| self.ids.push_front("".into()));
            self.ids.insert(place.saturating_sub(without), id.into());
        }
        self.steps.insert(place, Step { after, action });
        // What comes after it begins with other actions than before.
        self.nodes.clear();
    }

    /// Where an action so long after the beginning belongs among those that are kept.
    fn place_of(&self, after: u32, is_full: bool) -> usize {
        let all = self.steps.len();
        let Some((first, latest)) = self.steps.front().zip(self.steps.back()) else {
            return all;
        };
        if latest.after <= after {
            return all;
        }
        match self.steps.partition_point(|other| other.after <= after) {
            // So long before all others it can have been that the beginning does not reach.
            0 if is_full || after == 0 || i64::from(first.after - after) > DISAGREES / 1000 => all,
            place => place,
        }
    }

    /// The actions, oldest first.
    pub(crate) fn actions(&self) -> impl ExactSizeIterator<Item = u32> + Clone {
        self.steps.iter().map(|step| step.action)
    }

    /// Starts anew.
    pub(crate) fn clear(&mut self, names: &mut Names) {
        self.steps.drain(..).for_each(|step| names.release(step.action));
        self.nodes.clear();
        self.ids.clear();
        self.length = 0;
    }

    /// The ids of the events at these places, counted from 1, as far as they have one.
    pub(crate) fn ids_at<'s>(&'s self, positions: &'s [usize]) -> impl Iterator<Item = &'s str> {
        let without = self.steps.len() - self.ids.len();
        let ids = positions
            .iter()
            .filter_map(move |&position| self.ids.get((position - 1).checked_sub(without)?));
        ids.map(AsRef::as_ref).filter(|id: &&str| !id.is_empty())
    }

    /// Gives back memory that a short session does not need.
    pub(crate) fn shrink(&mut self) {
        self.steps.shrink_to(KEPT);
        self.nodes.shrink_to(KEPT);
        self.ids.shrink_to(KEPT);
    }

    /// The n-gram of `length` actions, from 1, that begins with action `start`.
    pub(crate) fn node(&self, start: usize, length: usize, knowledge: Knowledge<'_>) -> Node {
        match length {
            1 => knowledge.root(knowledge.symbol(self.steps[start].action)),
            _ => self.nodes[start * (knowledge.n - 1) + length - 2],
        }
    }

    /// Looks up the n-grams that end with actions which were not looked up yet; all of them after a change of the model.
    pub(crate) fn look_up(&mut self, knowledge: Knowledge<'_>) {
        let width = knowledge.n - 1;
        if self.model != knowledge.model {
            self.nodes.clear();
            self.model = knowledge.model;
            self.width = width;
        }
        if width == 0 {
            return;
        }
        for end in self.nodes.len() / width..self.steps.len() {
            self.nodes.extend(std::iter::repeat_n(UNKNOWN, width));
            let symbol = knowledge.symbol(self.steps[end].action);
            for length in 2..=knowledge.n.min(end + 1) {
                let start = end + 1 - length;
                let prefix = self.node(start, length - 1, knowledge);
                self.nodes[start * width + length - 2] = knowledge.child(prefix, symbol);
            }
        }
    }
}
