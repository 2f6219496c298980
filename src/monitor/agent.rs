//! What is kept of one agent.

use super::cooldown::Cooldowns;
use super::names::Names;
use super::rules::behavior::BehaviorProfile;
use super::rules::frequency::RecentTimes;
use super::rules::usual::Usual;
use super::session::Session;
use super::stream_time::{CONVINCED, DISAGREES};
use crate::input::events::Time;
use crate::model::ngrams::MAX_NGRAM;

/// Buffers of agents that left are cut to this many elements before they are used again.
const KEPT: usize = 32;

/// What is kept of one agent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Agent {
    /// Time of its latest event.
    pub(crate) latest: Time,
    /// Time of the first event of its session.
    pub(crate) started: Time,
    /// Events in a row that were late by far.
    pub(crate) late: u8,
    /// Whether an alert has told of its clock.
    pub(crate) clock_is_told: bool,
    /// The window in which it came, see [`Arrivals`](super::rules::flood::Arrivals).
    pub(crate) arrived: i64,
    /// How many actions are usual for it in a short time.
    pub(crate) usual: Usual,
    recent: [u32; MAX_NGRAM],
    recent_length: u8,
    pub(crate) times: RecentTimes,
    pub(crate) profile: BehaviorProfile,
    pub(crate) cooldowns: Cooldowns,
    /// The latest actions of its session, oldest first, if a model watches.
    pub(crate) session: Session,
}

impl Agent {
    /// Forgets everything, and lets go of the names.
    pub(crate) fn clear(&mut self, names: &mut Names) {
        self.recent().iter().for_each(|&action| names.release(action));
        (self.recent_length, self.late, self.arrived) = (0, 0, 0);
        (self.usual, self.clock_is_told) = (Usual::default(), false);
        self.times.0.clear();
        self.times.0.shrink_to(KEPT);
        self.profile.clear(names, KEPT);
        self.cooldowns.clear();
        self.cooldowns.latest.shrink_to(KEPT);
        self.session.clear(names);
        self.session.shrink();
    }

    /// Notes that an event at `time` came after later ones. After several in a row by far, the later ones are believed to have had a wrong time.
    pub(crate) fn note_late(&mut self, time: Time) {
        if self.latest.since(time).micros() <= DISAGREES {
            self.late = 0;
            return;
        }
        self.late += 1;
        if self.late >= CONVINCED {
            self.late = 0;
            self.latest = time;
            self.times.0.clear();
        }
    }

    /// The latest actions, oldest first, as many as an n-gram has.
    pub(crate) fn recent(&self) -> &[u32] {
        &self.recent[..usize::from(self.recent_length)]
    }

    /// Adds an action to the latest `n`. Takes over one reference to its name.
    pub(crate) fn push_recent(&mut self, action: u32, n: usize, names: &mut Names) {
        let length = usize::from(self.recent_length);
        if length < n {
            self.recent[length] = action;
            self.recent_length += 1;
        } else {
            names.release(self.recent[0]);
            self.recent.copy_within(1..n, 0);
            self.recent[n - 1] = action;
        }
    }

    /// Takes one of the latest actions from a saved state. Takes over one reference to the name.
    pub(crate) fn restore_recent(&mut self, action: u32) {
        let length = usize::from(self.recent_length);
        if let Some(place) = self.recent.get_mut(length) {
            *place = action;
            self.recent_length += 1;
        }
    }
}
