//! Which n-grams of a sequence stand there for the first time: each is a feature once, however often it occurs.
//!
//! An n-gram that occurs a second time begins with one that does. So each place knows the last one before it where the same run began,
//! and a longer run is compared at those places alone: there are hardly any, and nothing has to be sorted or looked up.

use foldhash::fast::RandomState;
use std::collections::HashMap;

/// Stands where there is no place before.
const NONE: u32 = u32::MAX;
/// In longer sequences runs are looked up after all: one action between many others would have its places compared over and over.
const LONG: usize = if cfg!(test) { 12 } else { 1000 };

/// For each place of a sequence, the last one before it where the same run of actions begins.
#[derive(Debug, Clone, Default)]
pub(crate) struct Repeats {
    before: Vec<u32>,
}

impl Repeats {
    /// Forgets the sequence before.
    pub(crate) fn clear(&mut self) {
        self.before.clear();
    }

    /// Adds the next place: where its action stands before it, if it does.
    pub(crate) fn push(&mut self, before: Option<u32>) {
        self.before.push(before.unwrap_or(NONE));
    }

    /// Goes on from runs of `length` − 1 of these actions to those of `length`.
    pub(crate) fn lengthen(&mut self, actions: &[u32], length: usize) {
        let ends = actions.get(length - 1..).unwrap_or_default();
        self.before.truncate(ends.len());
        if actions.len() > LONG {
            return self.look_up(ends);
        }
        // From the end, so that what is compared with still knows the shorter runs.
        for at in (0..ends.len()).rev() {
            let mut before = self.before[at];
            while before != NONE && ends[before as usize] != ends[at] {
                before = self.before[before as usize];
            }
            self.before[at] = before;
        }
    }

    /// The same for runs that end with these actions, each looked up by where its beginning stands first.
    fn look_up(&mut self, ends: &[u32]) {
        let mut firsts: Vec<u32> = Vec::with_capacity(ends.len());
        let mut latest: HashMap<(u32, u32), u32, RandomState> = HashMap::default();
        for (at, &end) in ends.iter().enumerate() {
            let before = &mut self.before[at];
            let first = if *before == NONE {
                at as u32
            } else {
                firsts[*before as usize]
            };
            firsts.push(first);
            *before = latest.insert((first, end), at as u32).unwrap_or(NONE);
        }
    }

    /// Whether the run that begins at this place begins at none before it.
    pub(crate) fn is_first(&self, place: usize) -> bool {
        self.before[place] == NONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_run_is_the_first_if_no_place_before_has_the_same(
            actions in proptest::collection::vec(0..4_u32, 1..40),
        ) {
            let mut repeats = Repeats::default();
            for (at, action) in actions.iter().enumerate() {
                let before = actions[..at].iter().rposition(|other| other == action);
                repeats.push(before.map(|before| before as u32));
            }
            for length in 1..8 {
                if length > 1 {
                    repeats.lengthen(&actions, length);
                }
                let runs: Vec<&[u32]> = actions.windows(length).collect();
                for (at, run) in runs.iter().enumerate() {
                    prop_assert_eq!(repeats.is_first(at), !runs[..at].contains(run), "{:?} {} {}", actions, at, length);
                }
            }
        }
    }
}
