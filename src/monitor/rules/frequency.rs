//! The frequency rule: too many actions of one agent in a short time.

use crate::input::events::Time;
use crate::monitor::alert::{AlertEvidence, Finding, Kind};
use crate::monitor::settings::Settings;
use std::collections::VecDeque;

/// Times that are kept, as a multiple of the number from which the rule takes notice. What it counts saturates there.
const MAX_TIMES: usize = 10;

/// The times of an agent's latest actions, oldest first.
#[derive(Debug, Default)]
pub(crate) struct RecentTimes(pub(crate) VecDeque<Time>);

impl RecentTimes {
    /// Notes the time of an action.
    pub(crate) fn push(&mut self, time: Time, settings: &Settings) {
        let times = &mut self.0;
        while times
            .front()
            .is_some_and(|&first| time.since(first) > settings.frequency_window)
        {
            times.pop_front();
        }
        if times.len() >= settings.frequency_events.get() as usize * MAX_TIMES {
            times.pop_front();
        }
        times.push_back(time);
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
