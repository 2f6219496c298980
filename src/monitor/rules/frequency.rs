//! The frequency rule: too many actions of one agent in a short time.

use super::usual::Usual;
use crate::input::events::Time;
use crate::monitor::alert::{AlertEvidence, Finding, Kind};
use crate::monitor::settings::Settings;
use std::collections::VecDeque;

/// Times that are kept, as a multiple of the number from which the rule takes notice. What it counts saturates there.
const MAX_TIMES: usize = 10;
/// Windows of an agent's past that say what is usual for it, and agents of the past that say what is usual for others.
const WINDOWS: u64 = 10;
pub(crate) const AGENTS: u64 = 100;

/// The times of an agent's latest actions, earliest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct RecentTimes(pub(crate) VecDeque<Time>);

impl RecentTimes {
    /// Notes the time of an action, wherever it stands among the others.
    pub(crate) fn push(&mut self, time: Time, settings: &Settings) {
        let times = &mut self.0;
        let latest = times.back().map_or(time, |&last| last.max(time));
        while times
            .front()
            .is_some_and(|&first| latest.since(first) > settings.frequency_window)
        {
            times.pop_front();
        }
        if latest.since(time) > settings.frequency_window {
            return;
        }
        if times.len() >= settings.frequency_events.get() as usize * MAX_TIMES {
            times.pop_front();
        }
        if times.back().is_none_or(|&last| last <= time) {
            times.push_back(time);
        } else {
            let place = times.partition_point(|&other| other <= time);
            times.insert(place, time);
        }
    }
}

/// Whether there were too many actions in the window that ends with the latest.
pub(crate) fn check(times: &RecentTimes, settings: &Settings) -> Option<Finding> {
    let (events, limit) = (times.0.len(), settings.frequency_events.get());
    let threshold = settings.frequency_threshold.get();
    let score = (events as f64 / f64::from(limit)).min(1.0);
    (events >= limit as usize && score >= threshold).then_some(Finding {
        kind: Kind::Frequency,
        score,
        threshold,
        evidence: AlertEvidence::Frequency {
            events,
            limit,
            window_seconds: settings.frequency_window,
        },
    })
}

/// Notes how many actions an agent did in the window that ends with its latest, and says whether that is unusual: for it, if it has a past, or for
/// others, if they have. Everything is where nobody has a past.
pub(crate) fn is_unusual(times: &RecentTimes, own: &mut Usual, others: &mut Usual, time: Time) -> bool {
    let count = times.0.len() as u64;
    own.go_on(time);
    own.mark_window();
    let unusual = if own.is_known(WINDOWS) {
        own.is_exceeded_by(count)
    } else {
        others.is_exceeded_by(count) || !others.is_known(AGENTS)
    };
    if !unusual || !others.is_known(AGENTS) {
        own.note(count);
        others.note(count);
    }
    unusual
}
