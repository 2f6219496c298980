//! The frequency rule: too many actions of one agent in a short time.

use super::usual::{self, Usual};
use crate::data::fingerprint;
use crate::input::events::Time;
use crate::monitor::alert::{AlertEvidence, Finding, Kind, Subject};
use crate::monitor::settings::Settings;
use serde::{Deserialize, Serialize};
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

/// What is usual among agents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Peers {
    /// What the agents of the past did at most.
    pub(crate) past: Usual,
    /// The agent, by its fingerprint, that has done most so far, how much that was, and how much any other agent did.
    busiest: (u64, u64),
    second: u64,
}

impl Peers {
    fn note(&mut self, agent: u64, count: u64) {
        self.past.note(count);
        if self.busiest.0 == agent {
            self.busiest.1 = self.busiest.1.max(count);
        } else if count > self.busiest.1 {
            self.second = self.busiest.1;
            self.busiest = (agent, count);
        } else {
            self.second = self.second.max(count);
        }
    }

    /// Whether that is far more than others do: those of the past if there were enough, else those that are there.
    fn are_exceeded_by(&self, agent: u64, count: u64) -> bool {
        if self.past.is_known(AGENTS) {
            return self.past.is_exceeded_by(count);
        }
        let others = if self.busiest.0 == agent {
            self.second
        } else {
            self.busiest.1
        };
        count >= usual::TIMES * others
    }
}

/// Notes how many actions an agent did in the window that ends with its latest, and says whether that is unusual: for it, if it has a past, or else
/// for others.
pub(crate) fn is_unusual(times: &RecentTimes, own: &mut Usual, peers: &mut Peers, subject: &Subject<'_>) -> bool {
    let count = times.0.len() as u64;
    own.go_on(subject.time);
    own.mark_window();
    peers.past.go_on(subject.time);
    let agent = if peers.past.is_known(AGENTS) {
        0
    } else {
        fingerprint::of_action(subject.agent)
    };
    let unusual = if own.is_known(WINDOWS) {
        own.is_exceeded_by(count)
    } else {
        peers.are_exceeded_by(agent, count)
    };
    // What nobody has a past of becomes one.
    if !unusual || !peers.past.is_known(AGENTS) {
        own.note(count);
        peers.note(agent, count);
    }
    unusual
}
