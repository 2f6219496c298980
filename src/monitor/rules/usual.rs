//! What is usual: the most that was seen in the past, among those of whom there is a past.

use crate::input::events::{Span, Time};
use serde::{Deserialize, Serialize};

/// Length of the windows in which the past is looked at.
pub(crate) const WINDOW: Span = Span::seconds(60);
/// So many times what was the most is unusual.
pub(crate) const TIMES: u64 = 3;

/// The most of something in past windows, and how much past there is. What is being counted in the present window does not make itself
/// usual.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Usual {
    /// When the present window ends, in microseconds since 1970; 0 before the first.
    until: i64,
    most: u64,
    past: u64,
    most_now: u64,
    past_now: u64,
}

impl Usual {
    /// Goes on to the window of `time`. One that lies in the past is taken to be of the present one.
    pub(crate) fn go_on(&mut self, time: Time) {
        if time.micros() >= self.until {
            self.most = self.most.max(self.most_now);
            self.past = self.past.saturating_add(self.past_now);
            (self.most_now, self.past_now) = (0, 0);
            self.until = time.micros() + WINDOW.micros();
        }
    }

    /// When the present window ends.
    pub(crate) fn until(&self) -> i64 {
        self.until
    }

    /// One more of whatever makes the past long enough, if it is not counted in this window.
    pub(crate) fn add_past(&mut self) {
        self.past_now += 1;
    }

    /// The same, but no more than one in a window.
    pub(crate) fn mark_window(&mut self) {
        self.past_now = 1;
    }

    /// Whether there is as much past as is `enough`.
    pub(crate) fn is_known(&self, enough: u64) -> bool {
        self.past >= enough
    }

    /// Whether `amount` is far more than was seen before.
    pub(crate) fn is_exceeded_by(&self, amount: u64) -> bool {
        amount >= TIMES.saturating_mul(self.most.max(1))
    }

    /// Notes an amount that is not unusual.
    pub(crate) fn note(&mut self, amount: u64) {
        self.most_now = self.most_now.max(amount);
    }
}
