//! What is kept of one agent, and the rules that look at one agent alone.

use super::alert::Kind;
use super::names::{Names, OTHER};
use super::session::Session;
use super::settings::Settings;
use crate::entropy;
use crate::input::events::Time;
use std::collections::VecDeque;

/// Distinct actions of an agent that are counted one by one; further ones are counted together.
const MAX_COUNTS: usize = 1024;
/// Times that the frequency rule keeps, as a multiple of the number from which it takes notice. What it counts saturates there.
const MAX_TIMES: usize = 10;
/// Alerts whose quiet period an agent remembers; the earliest leave first.
const MAX_QUIET: usize = 64;
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
    /// Events in a row that were too late.
    pub(crate) late: u8,
    recent: [u32; MAX_NGRAM],
    recent_length: u8,
    pub(crate) times: VecDeque<Time>,
    pub(crate) counts: Vec<Count>,
    total: u64,
    largest: u64,
    /// The sum of [`weight`] over all counts.
    weight: u128,
    pub(crate) quiet: Vec<Quiet>,
    /// The latest actions of its session, oldest first, if a model watches.
    pub(crate) session: Session,
}

/// How often an agent did something.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Count {
    pub(crate) action: u32,
    pub(crate) count: u64,
}

/// An alert that keeps others of its kind quiet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quiet {
    pub(crate) kind: Kind,
    pub(crate) cohort: u64,
    pub(crate) at: Time,
}

/// What the behavioural rule finds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Habit {
    pub(crate) total: u64,
    pub(crate) distinct: usize,
    /// The commonest action; of several the one that was first seen.
    pub(crate) commonest: u32,
    /// Its share.
    pub(crate) concentration: f64,
    /// Entropy of the actions as a share of what it could be.
    pub(crate) entropy: f64,
    pub(crate) score: f64,
}

/// c ln c in units of 2^-20, rounded. Sums of it are exact, so they do not depend on the way there.
fn weight(count: u64) -> u128 {
    let count = count as f64;
    (count * libm::log(count) * f64::from(1 << 20)) as u128
}

impl Agent {
    /// Forgets everything, and lets go of the names.
    pub(crate) fn clear(&mut self, names: &mut Names) {
        self.recent().iter().for_each(|&action| names.release(action));
        self.counts.iter().for_each(|count| names.release(count.action));
        self.recent_length = 0;
        (self.late, self.total, self.largest, self.weight) = (0, 0, 0, 0);
        self.times.clear();
        self.times.shrink_to(KEPT);
        self.counts.clear();
        self.counts.shrink_to(KEPT);
        self.quiet.clear();
        self.quiet.shrink_to(KEPT);
        self.session.clear(names);
        self.session.shrink();
    }

    /// Whether an event at `time` comes too late to be taken. After several in a row the clock is set back to them.
    pub(crate) fn is_too_late(&mut self, time: Time, settings: &Settings) -> bool {
        if self.latest.since(time) <= settings.max_lateness {
            self.late = 0;
            return false;
        }
        self.late += 1;
        if self.late < MAX_LATE {
            return true;
        }
        self.late = 0;
        self.latest = time;
        self.times.clear();
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

    /// Counts an action.
    pub(crate) fn count(&mut self, action: u32, names: &mut Names) {
        let find = |counts: &[Count], action| counts.iter().position(|count| count.action == action);
        let (action, found) = match find(&self.counts, action) {
            None if self.counts.len() >= MAX_COUNTS && action != OTHER => (OTHER, find(&self.counts, OTHER)),
            found => (action, found),
        };
        let place = found.unwrap_or_else(|| {
            names.retain(action);
            if self.counts.len() == MAX_COUNTS {
                // The last one; no room for as many more is needed.
                self.counts.reserve_exact(1);
            }
            self.counts.push(Count { action, count: 0 });
            self.counts.len() - 1
        });
        let count = self.counts[place].count;
        self.set_count(place, count + 1);
    }

    /// Sets the count at `place`, which may only grow.
    fn set_count(&mut self, place: usize, count: u64) {
        let old = std::mem::replace(&mut self.counts[place].count, count);
        self.weight += weight(count);
        self.weight -= if old > 0 { weight(old) } else { 0 };
        self.total += count - old;
        self.largest = self.largest.max(count);
    }

    /// Takes a count from a saved state. Takes over one reference to the name.
    pub(crate) fn restore_count(&mut self, action: u32, count: u64) {
        self.counts.push(Count { action, count: 0 });
        self.set_count(self.counts.len() - 1, count);
    }

    /// Notes the time of an action, and returns how many there were in the window before it and at it.
    pub(crate) fn note_time(&mut self, time: Time, settings: &Settings) -> usize {
        while self
            .times
            .front()
            .is_some_and(|&first| time.since(first) > settings.frequency_window)
        {
            self.times.pop_front();
        }
        if self.times.len() >= settings.frequency_events.get() as usize * MAX_TIMES {
            self.times.pop_front();
        }
        self.times.push_back(time);
        self.times.len()
    }

    /// What the behavioural rule finds, if it takes notice.
    pub(crate) fn habit(&self, settings: &Settings) -> Option<Habit> {
        if self.total < u64::from(settings.behavioral_actions.get()) {
            return None;
        }
        let total = self.total as f64;
        let concentration = self.largest as f64 / total;
        let concentrated = concentration > settings.behavioral_concentration.get();
        let limit = settings.behavioral_entropy.get();
        if !concentrated && self.rough_entropy() > limit + 1e-3 {
            return None;
        }
        let entropy = self.entropy();
        if !concentrated && entropy >= limit {
            return None;
        }
        let commonest = self.counts.iter().find(|count| count.count == self.largest)?;
        Some(Habit {
            total: self.total,
            distinct: self.counts.len(),
            commonest: commonest.action,
            concentration,
            entropy,
            score: concentration.max(1.0 - entropy),
        })
    }

    /// The normalised entropy but for an error far below 1e-3.
    fn rough_entropy(&self) -> f64 {
        if self.counts.len() < 2 {
            return 0.0;
        }
        let log_sum = self.weight as f64 / f64::from(1 << 20);
        entropy::of_log_sum(log_sum, self.total as f64, libm::log) / libm::log(self.counts.len() as f64)
    }

    /// The entropy of the actions as a share of that of as many distinct ones that occur equally often.
    fn entropy(&self) -> f64 {
        if self.counts.len() < 2 {
            return 0.0;
        }
        let counts = self.counts.iter().map(|count| (count.count, 1));
        entropy::of_counts(counts, self.total) / libm::log2(self.counts.len() as f64)
    }

    /// Whether an alert of this kind has to stay quiet.
    pub(crate) fn is_quiet(&self, kind: Kind, cohort: u64, time: Time, settings: &Settings) -> bool {
        let matches = |quiet: &&Quiet| quiet.kind == kind && quiet.cohort == cohort;
        self.quiet
            .iter()
            .filter(matches)
            .any(|quiet| time.since(quiet.at).abs() < settings.quiet_period)
    }

    /// Keeps further alerts of this kind quiet.
    pub(crate) fn keep_quiet(&mut self, kind: Kind, cohort: u64, time: Time, settings: &Settings) {
        self.quiet
            .retain(|quiet| time.since(quiet.at).abs() < settings.quiet_period);
        if self.quiet.len() >= MAX_QUIET {
            self.quiet.remove(0);
        }
        self.quiet.push(Quiet { kind, cohort, at: time });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rough_entropy_is_close_to_the_exact_one_whatever_the_counts() {
        let mut agent = Agent::default();
        let mut number: u64 = 3;
        for action in 0..1024 {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            agent.restore_count(action, 1 + (number >> (20 + number % 40)));
            let (rough, exact) = (agent.rough_entropy(), agent.entropy());
            assert!((rough - exact).abs() < 1e-5, "{action}: {rough} {exact}");
        }
    }
}
