//! Holding back alerts of a kind for a while after one.

use super::alert::Kind;
use crate::input::events::{Span, Time};

/// Alerts whose cooldown an agent remembers; the earliest leave first.
const MAX_COOLDOWNS: usize = 64;

/// The latest alerts of an agent.
#[derive(Debug, Default)]
pub(crate) struct Cooldowns(pub(crate) Vec<Cooldown>);

/// An alert that holds back others of its kind in its cohort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cooldown {
    pub(crate) kind: Kind,
    pub(crate) cohort: u64,
    pub(crate) at: Time,
}

impl Cooldowns {
    /// Whether an alert of this kind has to be held back.
    pub(crate) fn hold_back(&self, kind: Kind, cohort: u64, time: Time, period: Span) -> bool {
        let matches = |cooldown: &&Cooldown| cooldown.kind == kind && cooldown.cohort == cohort;
        self.0
            .iter()
            .filter(matches)
            .any(|cooldown| time.since(cooldown.at).abs() < period)
    }

    /// Holds back further alerts of this kind.
    pub(crate) fn start(&mut self, kind: Kind, cohort: u64, time: Time, period: Span) {
        self.0.retain(|cooldown| time.since(cooldown.at).abs() < period);
        if self.0.len() >= MAX_COOLDOWNS {
            self.0.remove(0);
        }
        self.0.push(Cooldown { kind, cohort, at: time });
    }
}
