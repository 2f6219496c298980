//! What is kept of one agent.

use super::cooldown::Cooldowns;
use super::names::Names;
use super::rules::behavior::BehaviorProfile;
use super::rules::frequency::RecentTimes;
use super::session::Session;
use super::settings::Settings;
use crate::input::events::Time;

/// Events in a row that may be too late before the clock of the agent is believed to be wrong.
const MAX_LATE: u8 = 10;
/// Longest n-gram, see [`NgramSize`](crate::NgramSize).
const MAX_NGRAM: usize = 8;
/// Buffers of agents that left are cut to this many elements before they are used again.
const KEPT: usize = 32;

/// What is kept of one agent.
#[derive(Debug, Default)]
pub(crate) struct Agent {
    /// Time of its latest event.
    pub(crate) latest: Time,
    /// Time of the first event of its session.
    pub(crate) started: Time,
    /// Events in a row that were too late.
    pub(crate) late: u8,
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
        (self.recent_length, self.late) = (0, 0);
        self.times.0.clear();
        self.times.0.shrink_to(KEPT);
        self.profile.clear(names, KEPT);
        self.cooldowns.0.clear();
        self.cooldowns.0.shrink_to(KEPT);
        self.session.clear(names);
        self.session.shrink();
    }

    /// Whether an event at `time` comes too late to be taken. After several in a row the clock is set back to them.
    pub(crate) fn is_too_late(&mut self, time: Time, settings: &Settings) -> bool {
        if self.latest.since(time) <= settings.allowed_lateness {
            self.late = 0;
            return false;
        }
        self.late += 1;
        if self.late < MAX_LATE {
            return true;
        }
        self.late = 0;
        self.latest = time;
        self.times.0.clear();
        false
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
