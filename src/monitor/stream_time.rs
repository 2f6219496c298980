//! What time it is, as the stream as a whole says: beside those that came just before and after it, an event with a wrong time stands out.
//!
//! An event is judged by the times of the [`NEIGHBOURS`] events before it and after it, its own left out. In a stream that is in order it
//! lies between the middle ones of them, however long the pauses in it are, so nothing has to be known of its pace. Up to half of
//! the neighbours may be wrong by any amount without that changing.
//!
//! Sources may have clocks of their own. One whose events lie off the stream by about the same time again and again has that much taken
//! off its times. The same is done, for one clock that is slow, where events do not say where they come from: those that lie behind by
//! about as much as others did before them are taken for its events.

use super::retention::{Retained, Standing};
use crate::input::events::{Span, Time};
use std::borrow::Cow;
use std::collections::VecDeque;

/// So many events before and after one say what time it is.
pub(crate) const NEIGHBOURS: usize = 8;
/// Further off than this a clock disagrees, in microseconds; nearer than this it may be what the network does.
pub(crate) const DISAGREES: i64 = 60_000_000;
/// After so many disagreements by about the same time it is believed that a clock is off by that.
pub(crate) const CONVINCED: u8 = 3;
/// Sources whose clocks are remembered.
const MOST_SOURCES: u32 = 1000;

/// The clocks of a stream. Times are microseconds since 1970.
#[derive(Debug, Clone)]
pub(crate) struct StreamTime {
    /// The neighbours before the first arrival that is not judged, oldest first, then the arrivals that are not judged.
    pub(crate) window: VecDeque<Reading>,
    /// How many of these are not judged.
    pub(crate) waiting: usize,
    /// How many of the latest arrivals are in order, as they say themselves.
    run: usize,
    pub(crate) sources: Retained<Source>,
    /// A slow clock among the events without a source.
    pub(crate) slow: Source,
    /// The time that the stream had come to with the arrival judged last; before all times if there is none.
    pub(crate) now: i64,
}

/// What an arrival says of the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Its time, by the clock of its source.
    pub(crate) time: i64,
    /// Whether it states it itself.
    pub(crate) states: bool,
    /// The slot of its source.
    pub(crate) source: Option<u32>,
}

/// What is known of the clock of a source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Source {
    /// How far its times lie ahead of those of the stream.
    pub(crate) ahead: i64,
    /// Whether its clock is known.
    pub(crate) known: bool,
    pub(crate) doubt: Doubt,
    /// Whether an alert has told of it.
    pub(crate) told: bool,
}

/// Whether a clock goes wrong by the same time again and again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Doubt {
    pub(crate) by: i64,
    pub(crate) times: u8,
}

impl Doubt {
    /// Notes that a clock was off `by` so much, and says whether it goes wrong.
    pub(crate) fn note(&mut self, by: i64) -> bool {
        self.times = if (by - self.by).abs() <= DISAGREES {
            self.times.saturating_add(1)
        } else {
            1
        };
        self.by = by;
        self.times >= CONVINCED
    }
}

/// What the stream says of the time of an arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Judged {
    /// When it was: its own time, but for one that lies ahead of the stream or that nothing is known of, which is now.
    pub(crate) time: i64,
    /// How far its clock lies ahead, if that is far; what is known of its source is in it.
    pub(crate) ahead: i64,
    /// Whether the clock of its source, or a slow one among those without, is found to be wrong, for the first time.
    pub(crate) wrong_source: bool,
}

impl StreamTime {
    pub(crate) fn new() -> Self {
        Self {
            window: VecDeque::new(),
            waiting: 0,
            run: 0,
            sources: Retained::new(MOST_SOURCES),
            slow: Source::default(),
            now: i64::MIN,
        }
    }

    /// Takes the time of an arrival from `source`, empty for none, which states it itself or not.
    pub(crate) fn arrive(&mut self, time: i64, source: &str, states: bool) {
        let slot = (!source.is_empty()).then(|| self.source(source));
        if let Some(slot) = slot.filter(|_| states)
            && !self.window.iter().any(|reading| self.votes(reading))
        {
            // Whoever comes first is what all others are measured by.
            self.sources.value_mut(slot).known = true;
        }
        self.push(Reading {
            time,
            states,
            source: slot,
        });
        self.waiting += 1;
    }

    fn push(&mut self, reading: Reading) {
        let in_order = self.window.back().is_none_or(|last| last.time <= reading.time);
        self.run = if in_order { self.run + 1 } else { 1 };
        self.window.push_back(reading);
    }

    /// The time of a reading, with what is known of the clock of its source.
    fn time_of(&self, reading: &Reading) -> i64 {
        let ahead = match reading.source {
            Some(slot) => self.sources.value(slot).ahead,
            None if self.is_slow(reading.time) => self.slow.ahead,
            None => 0,
        };
        Time::nearest(reading.time - ahead).micros()
    }

    /// Whether a time without a source lies behind by as much as the slow clock.
    fn is_slow(&self, time: i64) -> bool {
        self.slow.known && (time - self.slow.ahead).saturating_sub(self.now).saturating_abs() <= DISAGREES
    }

    /// Whether a reading has a say: its time is its own, and its clock is known.
    fn votes(&self, reading: &Reading) -> bool {
        reading.states && reading.source.is_none_or(|slot| self.sources.value(slot).known)
    }

    /// Whether no arrival in the window says that it was before the one before it.
    fn is_in_order(&self) -> bool {
        if !self.slow.known && self.sources.len() == 0 {
            return self.run >= self.window.len();
        }
        let later = self.window.iter().skip(1);
        self.window
            .iter()
            .zip(later)
            .all(|(a, b)| self.time_of(a) <= self.time_of(b))
    }

    /// The arrivals of the window with their sources.
    pub(crate) fn saved_window(&self) -> Vec<(i64, bool, Option<Cow<'_, str>>)> {
        let source = |slot| Cow::Borrowed(self.sources.key(slot));
        let readings = self.window.iter();
        readings
            .map(|reading| (reading.time, reading.states, reading.source.map(source)))
            .collect()
    }

    /// Takes the arrivals of a saved state, of which the last `waiting` are not judged, when the sources are there; `false` if they cannot be so.
    pub(crate) fn restore(&mut self, window: &[(i64, bool, Option<Cow<'_, str>>)], waiting: usize) -> bool {
        for &(time, states, ref source) in window {
            let slot = source.as_ref().map(|source| self.sources.find(source));
            if slot == Some(None) || Time::from_micros(time).is_none() {
                return false;
            }
            self.push(Reading {
                time,
                states,
                source: slot.flatten(),
            });
        }
        self.waiting = waiting;
        waiting <= NEIGHBOURS
            && window
                .len()
                .checked_sub(waiting)
                .is_some_and(|judged| judged <= NEIGHBOURS)
    }

    /// A source of a saved state; `false` if it cannot be so.
    pub(crate) fn restore_source(&mut self, name: &str, standing: Standing, source: Source) -> bool {
        let slot = Some(name).filter(|name| self.sources.find(name).is_none());
        let slot = slot.and_then(|name| self.sources.restore(name, standing));
        slot.map(|slot| *self.sources.value_mut(slot) = source).is_some()
    }

    /// Whether enough arrivals have come to judge the first one that is not judged.
    pub(crate) fn can_judge(&self) -> bool {
        self.waiting > NEIGHBOURS
    }

    /// Judges the first arrival that is not judged, which is from `source`; there must be one. Those that lie ahead by more than `slack`
    /// are not believed.
    pub(crate) fn judge(&mut self, source: &str, slack: Span) -> Judged {
        let place = self.window.len() - self.waiting;
        let time = self.time_of(&self.window[place]);
        let now = if self.is_in_order() { time } else { self.between(place) };
        self.waiting -= 1;
        if place >= NEIGHBOURS {
            self.window.pop_front();
        }
        self.now = now;
        let off = time - now;
        let mut judged = Judged {
            time: if off > slack.micros() { now } else { time },
            ahead: if off.abs() > DISAGREES { off } else { 0 },
            wrong_source: false,
        };
        if source.is_empty() {
            if judged.ahead < 0 && self.slow.doubt.note(off) {
                (self.slow.ahead, self.slow.known, self.slow.doubt) = (off, true, Doubt::default());
                judged.wrong_source = !std::mem::replace(&mut self.slow.told, true);
            }
            return judged;
        }
        let slot = self.source(source);
        let source = self.sources.value_mut(slot);
        if !source.known {
            judged.time = now;
        }
        if judged.ahead == 0 {
            (source.known, source.doubt) = (true, Doubt::default());
        } else if source.doubt.note(off) {
            source.ahead += off;
            (source.known, source.doubt) = (true, Doubt::default());
            judged.wrong_source = !std::mem::replace(&mut source.told, true);
            judged.ahead = source.ahead;
        }
        judged
    }

    /// The time at `place` in the window, or the nearest to it that its neighbours leave room for. Those of the smaller side only weigh
    /// as much as those of the other: at an end of the stream all others lie on one side.
    fn between(&self, place: usize) -> i64 {
        let time = self.time_of(&self.window[place]);
        let before = self.window.range(..place).rev();
        let after = self.window.range(place + 1..);
        let voting = |readings: &mut dyn Iterator<Item = &Reading>| -> Vec<i64> {
            let votes = readings.filter(|reading| self.votes(reading)).take(NEIGHBOURS);
            votes.map(|reading| self.time_of(reading)).collect()
        };
        let (mut before, mut after) = (voting(&mut before.into_iter()), voting(&mut after.into_iter()));
        if let Some((from, to)) = self.one_of_two(&before, &after) {
            before.retain(|time| (from..=to).contains(time));
            after.retain(|time| (from..=to).contains(time));
        }
        let common = before.len().min(after.len());
        let middle = |first: &[i64], second: &[i64], place: fn(usize) -> usize| {
            let mut times = [first, second].concat();
            times.sort_unstable();
            times.get(place(times.len())).copied()
        };
        let latest = middle(&before[..common], &after, |count| count / 2).unwrap_or(i64::MAX);
        let earliest = middle(&before, &after[..common], |count| count.saturating_sub(1) / 2).unwrap_or(i64::MIN);
        // Where neighbours on either side are few the two may cross.
        time.clamp(earliest.min(latest), latest.max(earliest))
    }

    /// If some times on either side go by one clock and some by another: from when to when those are that go by the clock that the stream has gone by. It
    /// may be the clock of a quarter of them.
    fn one_of_two(&self, before: &[i64], after: &[i64]) -> Option<(i64, i64)> {
        let mut times = [before, after].concat();
        times.sort_unstable();
        let gap = |place: usize| times[place] - times[place - 1];
        let place = (1..times.len())
            .max_by_key(|&place| gap(place))
            .filter(|&place| gap(place) > DISAGREES)?;
        let (slow, fast) = times.split_at(place);
        let goes_on = |clock: &&[i64]| {
            clock
                .iter()
                .any(|time| time.saturating_sub(self.now).saturating_abs() <= DISAGREES)
        };
        let clock = [slow, fast].into_iter().find(goes_on)?;
        let (from, to) = (*clock.first()?, *clock.last()?);
        // A pause has all times before it on one side and all after it on the other.
        let has = |side: &[i64]| side.iter().any(|time| (from..=to).contains(time));
        (4 * clock.len() >= times.len() && has(before) && has(after)).then_some((from, to))
    }

    /// The slot of a source.
    fn source(&mut self, name: &str) -> u32 {
        match self.sources.find(name) {
            Some(slot) => {
                self.sources.touch(slot);
                slot
            }
            None => self.sources.insert(name, |_| false, |old| *old = Source::default()).0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn judge_all(events: &[(i64, &str)]) -> Vec<Judged> {
        let (mut time, mut judged) = (StreamTime::new(), Vec::new());
        for &(at, source) in events {
            time.arrive(at, source, true);
            if time.can_judge() {
                judged.push(time.judge(events[judged.len()].1, Span::seconds(3)));
            }
        }
        while time.waiting > 0 {
            judged.push(time.judge(events[judged.len()].1, Span::seconds(3)));
        }
        judged
    }

    proptest! {
        #[test]
        fn in_a_stream_in_order_every_time_is_believed_whatever_the_pauses(pauses in prop::collection::vec(0..1_000_000_000_000_i64, 0..60)) {
            let times = pauses.iter().scan(0, |sum, pause| { *sum += pause; Some(*sum) });
            let events: Vec<_> = times.map(|time| (time, "")).collect();
            for (judged, &(time, _)) in judge_all(&events).iter().zip(&events) {
                prop_assert_eq!((judged.time, judged.ahead), (time, 0));
            }
        }

        #[test]
        fn whoever_is_far_ahead_is_found_wherever_it_stands(place in 0..40_usize, ahead in 61_000_000..1_000_000_000_000_i64) {
            let mut events: Vec<_> = (0..40).map(|second| (second * 1_000_000, "")).collect();
            let (true_time, _) = events[place];
            events[place].0 += ahead;
            for (index, judged) in judge_all(&events).iter().enumerate() {
                // After the last one nothing says that time has not gone on.
                let found = index == place && place < 39;
                prop_assert_eq!(judged.ahead > 0, found, "{} {:?}", index, judged);
                let expected = if index == place && place == 39 { true_time + ahead } else { index as i64 * 1_000_000 };
                prop_assert!((judged.time - expected).abs() <= 8_000_000, "{} {:?}", index, judged);
            }
        }
    }

    #[test]
    fn the_clock_of_a_source_is_set_by_the_stream_after_three_events() {
        two_hosts(["a", "b"]);
    }

    #[test]
    fn a_slow_clock_among_events_without_a_source_is_found_too() {
        two_hosts(["", ""]);
    }

    fn two_hosts(sources: [&str; 2]) {
        let second = 1_000_000;
        let start = 1_000_000 * second;
        let events: Vec<_> = (0..60)
            .map(|i| {
                (
                    start + i * second - if i % 2 == 1 { 600 * second } else { 0 },
                    sources[(i % 2) as usize],
                )
            })
            .collect();
        let judged = judge_all(&events);
        assert_eq!(judged.iter().filter(|judged| judged.wrong_source).count(), 1);
        // What lies behind by itself may be late, until there is more of it.
        let sure = if sources[1].is_empty() { 6 } else { 0 };
        for (index, judged) in judged.iter().enumerate().skip(sure) {
            assert!(
                (judged.time - start - index as i64 * second).abs() <= 16 * second,
                "{index} {judged:?}"
            );
        }
    }
}
