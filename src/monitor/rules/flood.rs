//! The flood rule: new agents in such numbers that they are no agents, or so many that those at work are forgotten for them.

use super::usual::{Usual, WINDOW};
use crate::bounds::Capacity;
use crate::input::events::{Event, Time};
use crate::monitor::alert::{AlertEvidence, Finding, Kind};
use serde::{Deserialize, Serialize};

/// Windows of the past that say how many new agents are usual.
const WINDOWS: u64 = 10;
/// Fewer agents with one action each are never a flood.
const FEWEST: u64 = 100;

/// Alerts about agents that have done one action that are heard in a window from the flood on.
const MOST_ALERTS: u64 = 100;

/// New agents of the present window.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arrivals {
    usual: Usual,
    new: u64,
    /// How many of them have done one action.
    single: u64,
    /// How many agents at work were forgotten.
    displaced: u64,
    /// Alerts about agents that had done one action.
    alerts: u64,
    cohort: Commonest,
    source: Commonest,
}

/// The name that most have, if most have one, found without counting all (Boyer and Moore 1991).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Commonest {
    name: String,
    lead: u64,
}

impl Commonest {
    fn note(&mut self, name: &str) {
        if self.lead == 0 {
            name.clone_into(&mut self.name);
        }
        if self.name == name {
            self.lead += 1;
        } else {
            self.lead -= 1;
        }
    }

    /// The name of three in four of `all` or more, if there is one.
    fn of(&self, all: u64) -> Option<String> {
        (2 * self.lead >= all && !self.name.is_empty()).then(|| self.name.clone())
    }
}

/// From how many agents of one action each on it is a flood.
fn limit(most: Capacity) -> u64 {
    (u64::from(most.get()) / 10).max(FEWEST)
}

impl Arrivals {
    fn go_on(&mut self, time: Time) {
        let before = self.usual.until();
        self.usual.go_on(time);
        if self.usual.until() != before {
            *self = Self {
                usual: self.usual,
                ..Self::default()
            };
            self.usual.mark_window();
        }
    }

    /// Notes an event of an agent that is new, for which another one at work was forgotten or not. Returns in which window it came.
    pub(crate) fn note_new(&mut self, event: &Event, time: Time, displaced: bool) -> i64 {
        self.go_on(time);
        self.new += 1;
        self.single += 1;
        self.displaced += u64::from(displaced);
        self.cohort.note(&event.cohort);
        self.source.note(&event.source);
        self.usual.until()
    }

    /// Notes the second action of an agent that came in `window`.
    pub(crate) fn note_second(&mut self, window: i64) {
        if window == self.usual.until() {
            self.single -= u64::from(self.single > 0);
        }
    }

    /// Whether one more alert about an agent that has done one action is heard: in a flood others would drown in them.
    pub(crate) fn hears_of_single(&mut self, most: Capacity) -> bool {
        if self.single < limit(most) {
            return true;
        }
        self.alerts += 1;
        self.alerts <= MOST_ALERTS
    }

    /// Whether there are too many. What is not is usual from the next window on.
    pub(crate) fn check(&mut self, most: Capacity) -> Option<Finding> {
        let limit = limit(most);
        let usual = self.usual.is_known(WINDOWS) && !self.usual.is_exceeded_by(self.single);
        let flooded = self.single >= limit && 10 * self.single >= 9 * self.new && !usual;
        // One in a hundred of those that there is room for.
        let forgets = self.displaced >= (u64::from(most.get()) / 100).max(FEWEST / 10);
        if !flooded {
            self.usual.note(self.single);
        }
        (flooded || forgets).then(|| Finding {
            kind: Kind::Flood,
            score: (self.single as f64 / self.new.max(1) as f64).min(1.0),
            threshold: 0.9,
            evidence: AlertEvidence::Flood {
                new_agents: self.new,
                with_one_action: self.single,
                agents_forgotten: self.displaced,
                limit,
                window_seconds: WINDOW,
                cohort: self.cohort.of(self.new),
                source: self.source.of(self.new),
            },
        })
    }
}
