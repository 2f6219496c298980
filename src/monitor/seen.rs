//! The ids of the latest events, so that one that is delivered again is not taken for another one.

use crate::data::fingerprint;
use crate::input::events::Event;
use std::collections::{HashMap, VecDeque};

/// How many ids are remembered, the latest ones.
pub(crate) const MOST: usize = 10_000;

/// Ids that have been seen, by fingerprints of agent, session and id.
#[derive(Debug, Clone, Default)]
pub(crate) struct SeenIds {
    /// Oldest first.
    order: VecDeque<u64>,
    /// Where the record of each stands: ids that come twice in one record are its own affair.
    places: HashMap<u64, (u64, usize)>,
}

impl SeenIds {
    /// Whether the event, which has an id, came before in another record. If not it is remembered.
    pub(crate) fn is_repeated(&mut self, event: &Event) -> bool {
        let parts = [&event.agent_id, &event.session, &event.event_id];
        let id = fingerprint::of_sequence(parts.into_iter().map(|part| fingerprint::of_action(part)));
        let place = (event.line, event.column);
        if let Some(before) = self.places.get(&id) {
            return *before != place;
        }
        self.remember(id, place);
        false
    }

    fn remember(&mut self, id: u64, place: (u64, usize)) {
        if self.order.len() == MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.places.remove(&oldest);
        }
        self.order.push_back(id);
        self.places.insert(id, place);
    }

    /// The fingerprints, oldest first.
    pub(crate) fn ids(&self) -> impl Iterator<Item = u64> {
        self.order.iter().copied()
    }

    /// Remembers an id of a saved state; `false` if it is there already or there is no room.
    pub(crate) fn restore(&mut self, id: u64) -> bool {
        let fits = self.order.len() < MOST && !self.places.contains_key(&id);
        if fits {
            // No record stands there.
            self.remember(id, (0, 0));
        }
        fits
    }
}
