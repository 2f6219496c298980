//! Puts events in order of time before anything looks at them: each waits until the stream has come so far that none before it is
//! expected any more.

use super::stream_time::StreamTime;
use crate::input::events::{Event, Span, Time};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// Most events that wait for their turn. If there are more the earliest goes first, so a flood costs order and nothing else.
const MOST_WAITING: usize = 1 << 16;

/// The events that have come and were not looked at yet.
#[derive(Debug, Clone)]
pub(crate) struct Reorder {
    pub(crate) stream: StreamTime,
    /// By time, and among equals as they came: when, the how manyth, and where it is kept.
    turns: BinaryHeap<Reverse<(i64, u64, u32)>>,
    /// Where the arrivals are kept that are not judged.
    arrived: VecDeque<u32>,
    kept: Vec<Kept>,
    free: Vec<u32>,
    /// How many have come.
    pub(crate) count: u64,
    /// What the event before said or was given.
    pub(crate) previous: Option<Time>,
}

/// An event that waits.
#[derive(Debug, Clone, Default)]
struct Kept {
    /// Moved about as a whole; `None` while its turn is.
    event: Option<Box<Event>>,
    ahead: i64,
    wrong_source: bool,
    states: bool,
}

/// An event whose turn it is.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    pub(crate) event: Box<Event>,
    pub(crate) time: Time,
    /// How far its clock lies ahead of the stream, in microseconds, if that is far; below zero if it lies behind.
    pub(crate) ahead: i64,
    /// Whether the clock of its source is found to be wrong, for the first time.
    pub(crate) wrong_source: bool,
}

/// An event that waits, as a state keeps it: when its turn is, unless it is not judged, and the how manyth came it.
#[derive(Debug)]
pub(crate) struct Waiting<'a> {
    pub(crate) event: &'a Event,
    pub(crate) turn: Option<(i64, u64)>,
    pub(crate) ahead: i64,
    pub(crate) wrong_source: bool,
    pub(crate) states: bool,
}

impl Reorder {
    pub(crate) fn new() -> Self {
        Self {
            stream: StreamTime::new(),
            turns: BinaryHeap::new(),
            arrived: VecDeque::new(),
            kept: Vec::new(),
            free: Vec::new(),
            count: 0,
            previous: None,
        }
    }

    /// How many events wait.
    pub(crate) fn waiting(&self) -> usize {
        self.arrived.len() + self.turns.len()
    }

    /// The time of an event: its own; else that at which it came, if somebody knows; else that of the one before it.
    fn time_of(&mut self, event: &Event, arrival: Option<Time>) -> Time {
        let time = event.time.or_else(|| arrival.max(self.previous)).or(self.previous);
        let time = time.unwrap_or_default().whole_micros();
        self.previous = Some(time);
        time
    }

    /// Takes an event, for which an empty one is left, and that came at `arrival`, if that is when events without a time were. Nothing is put in order within
    /// a slack of 0.
    pub(crate) fn take(&mut self, event: &mut Event, arrival: Option<Time>, slack: Span) -> Option<Turn> {
        let time = self.time_of(event, arrival);
        self.count += 1;
        if slack.micros() == 0 {
            let (event, turn) = (Box::new(std::mem::take(event)), Turn::default());
            return Some(Turn { event, time, ..turn });
        }
        let states = event.time.is_some();
        self.stream.arrive(time.micros(), &event.source, states);
        let place = self.free.pop().unwrap_or_else(|| {
            self.kept.push(Kept::default());
            (self.kept.len() - 1) as u32
        });
        let kept = &mut self.kept[place as usize];
        std::mem::swap(&mut **kept.event.get_or_insert_default(), event);
        kept.states = states;
        self.arrived.push_back(place);
        None
    }

    /// The next event whose turn it is; all of them in the end, if `flush`.
    pub(crate) fn next(&mut self, slack: Span, flush: bool) -> Option<Turn> {
        loop {
            if self.turns.len() > MOST_WAITING || (flush && self.stream.waiting == 0) {
                return self.release(i64::MAX);
            }
            if let Some(turn) = self.release(self.stream.now.saturating_sub(slack.micros())) {
                return Some(turn);
            }
            if !(self.stream.can_judge() || flush && self.stream.waiting > 0) {
                return None;
            }
            let place = self.arrived.pop_front()?;
            let kept = &mut self.kept[place as usize];
            let judged = self
                .stream
                .judge(kept.event.as_ref().map_or("", |event| &event.source), slack);
            // An event that does not state its time says nothing of a clock.
            kept.ahead = if kept.states { judged.ahead } else { 0 };
            kept.wrong_source = judged.wrong_source && kept.states;
            let came = self.count - self.arrived.len() as u64;
            self.turns.push(Reverse((judged.time, came, place)));
        }
    }

    fn release(&mut self, until: i64) -> Option<Turn> {
        let &Reverse((time, _, place)) = self.turns.peek().filter(|Reverse((time, ..))| *time <= until)?;
        self.turns.pop();
        self.free.push(place);
        let kept = &mut self.kept[place as usize];
        Some(Turn {
            event: kept.event.take().unwrap_or_default(),
            time: Time::nearest(time),
            ahead: kept.ahead,
            wrong_source: kept.wrong_source,
        })
    }

    /// Gives back the event of a turn, whose room is used again.
    pub(crate) fn recycle(&mut self, event: Box<Event>) {
        if let Some(&place) = self.free.last() {
            self.kept[place as usize].event = Some(event);
        }
    }

    /// The events that wait, in the order in which they came.
    pub(crate) fn all_waiting(&self) -> Vec<Waiting<'_>> {
        let waiting = |place: u32, turn| {
            let kept = &self.kept[place as usize];
            Some(Waiting {
                event: kept.event.as_ref()?,
                turn,
                ahead: kept.ahead,
                wrong_source: kept.wrong_source,
                states: kept.states,
            })
        };
        let turns = self.turns.iter();
        let mut turns: Vec<_> = turns.map(|&Reverse((time, came, place))| (came, time, place)).collect();
        turns.sort_unstable();
        let judged = turns
            .into_iter()
            .filter_map(|(came, time, place)| waiting(place, Some((time, came))));
        judged
            .chain(self.arrived.iter().filter_map(|&place| waiting(place, None)))
            .collect()
    }

    /// Takes back an event that waited.
    pub(crate) fn restore(
        &mut self,
        event: Event,
        turn: Option<(i64, u64)>,
        ahead: i64,
        wrong_source: bool,
        states: bool,
    ) {
        let place = self.kept.len() as u32;
        self.kept.push(Kept {
            event: Some(Box::new(event)),
            ahead,
            wrong_source,
            states,
        });
        match turn {
            Some((time, came)) => self.turns.push(Reverse((time, came, place))),
            None => self.arrived.push_back(place),
        }
    }
}
