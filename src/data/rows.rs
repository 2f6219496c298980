//! Sequences with label and group, and the order that they have of their own.

use crate::data::counts::Counts;
use crate::data::fingerprint;
use crate::data::interner::Interner;
use crate::data::label::Label;
use crate::data::packed::PackedLists;
use crate::parallel::{map_into, map_pieces, sort};
use std::num::NonZeroUsize;

/// Sequences with what tells them apart, by numbers of names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    pub(crate) actions: Interner,
    pub(crate) groups: Interner,
    pub(crate) steps: PackedLists,
    pub(crate) labels: Vec<Label>,
    /// The group of each row; empty if there are no groups.
    pub(crate) group_of: Vec<u32>,
}

/// The fingerprint of a row's sequence, and the row.
type Keyed = (u64, u32);

/// How many of a fingerprint's bits rows are sorted by; fewer in tests, so that different sequences share them.
pub(crate) const SORTED_BY: u32 = if cfg!(test) { 4 } else { u64::BITS };

impl Rows {
    pub(crate) fn len(&self) -> usize {
        self.labels.len()
    }

    /// Numbers actions and groups in the order of their names.
    pub(crate) fn sort_names(&mut self) {
        let (actions, groups) = (self.actions.sort(), self.groups.sort());
        for group in &mut self.group_of {
            *group = groups[*group as usize];
        }
        self.steps.renumber(&actions);
    }

    /// Adds all rows of `other`.
    pub(crate) fn append(&mut self, mut other: Self) {
        let actions: Vec<u32> = other.actions.names().map(|name| self.actions.intern(name)).collect();
        let groups: Vec<u32> = other.groups.names().map(|name| self.groups.intern(name)).collect();
        other.steps.renumber(&actions);
        for group in &mut other.group_of {
            *group = groups[*group as usize];
        }
        self.extend(other);
    }

    /// Adds all rows of `other`, by the same numbers.
    fn extend(&mut self, mut other: Self) {
        if self.len() == 0 {
            (self.steps, self.labels, self.group_of) = (other.steps, other.labels, other.group_of);
        } else {
            self.steps.append(&other.steps);
            self.labels.append(&mut other.labels);
            self.group_of.append(&mut other.group_of);
        }
    }

    /// The rows in canonical order, those that are alike as one that counts for all of them: in ascending order of the fingerprints of
    /// their sequences, then groups, then labels. Different sequences with one fingerprint, if ever there are any, stand in the order of
    /// their numbers. At most `threads` threads share the work.
    ///
    /// So what is equal stands side by side, and what is not comes as if it were drawn.
    pub(crate) fn collapsed(&self, counts: &Counts, threads: NonZeroUsize) -> Collapsed {
        let all: Vec<u32> = (0..self.len() as u32).collect();
        let sorted_by = self
            .fingerprints(&all, threads)
            .into_iter()
            .map(|fingerprint| fingerprint >> (u64::BITS - SORTED_BY));
        let mut order: Vec<Keyed> = sorted_by.zip(all).collect();
        sort(&mut order, threads);
        let size = order.len().div_ceil(threads.get()).max(1);
        let parts = map_into(runs(&mut order, size), threads, |piece: &mut [Keyed]| {
            self.break_ties(piece);
            self.joined(counts, piece)
        });
        let mut whole = Collapsed {
            rows: Self {
                actions: self.actions.clone(),
                groups: self.groups.clone(),
                ..Self::default()
            },
            counts: Counts::default(),
            places: vec![0; self.len()],
        };
        let mut sorted = order.iter().map(|&(_, row)| row as usize);
        for part in parts {
            let before = whole.rows.len() as u32;
            for (place, row) in part.places.iter().zip(&mut sorted) {
                whole.places[row] = before + place;
            }
            whole.rows.extend(part.rows);
            whole.counts.append(&part.counts);
        }
        whole
    }

    /// The fingerprints of these rows, in their order.
    pub(crate) fn fingerprints(&self, rows: &[u32], threads: NonZeroUsize) -> Vec<u64> {
        let actions: Vec<u64> = self.actions.names().map(fingerprint::of_action).collect();
        map_pieces(rows, threads, |piece| {
            let of = |&row: &u32| {
                let steps = self.steps.list(row as usize);
                fingerprint::of_sequence(steps.map(|step| actions[step as usize]))
            };
            piece.iter().map(of).collect()
        })
    }

    /// Puts in order what has the same fingerprint.
    fn break_ties(&self, rows: &mut [Keyed]) {
        let codes = |&(_, row): &Keyed| self.steps.codes(row as usize);
        let facts = |&(_, row): &Keyed| (self.group_of.get(row as usize), self.labels[row as usize]);
        for tied in rows.chunk_by_mut(|a, b| a.0 == b.0).filter(|tied| tied.len() > 1) {
            // Nearly always, that is one sequence.
            if tied.windows(2).any(|pair| codes(&pair[0]) != codes(&pair[1])) {
                tied.sort_unstable_by_key(codes);
            }
            for same in tied.chunk_by_mut(|a, b| codes(a) == codes(b)) {
                same.sort_unstable_by_key(facts);
            }
        }
    }

    /// These rows, in this order, those that are alike as one; places are by the order.
    fn joined(&self, counts: &Counts, order: &[Keyed]) -> Collapsed {
        let mut joined = Collapsed {
            rows: Self::default(),
            counts: Counts::default(),
            places: Vec::with_capacity(order.len()),
        };
        let rows = &mut joined.rows;
        for row in order.iter().map(|&(_, row)| row as usize) {
            let (codes, label, group) = (self.steps.codes(row), self.labels[row], self.group_of.get(row));
            // Compared with what was written last, which is at hand, rather than with where that came from.
            let last = rows.len().checked_sub(1);
            match last {
                Some(last)
                    if (rows.steps.codes(last), rows.labels[last], rows.group_of.get(last))
                        == (codes, label, group) =>
                {
                    joined.counts.add(last, counts.get(row));
                }
                _ => {
                    rows.steps.push_codes(codes);
                    rows.labels.push(label);
                    rows.group_of.extend(group);
                    joined.counts.push(counts.get(row));
                }
            }
            joined.places.push(rows.len() as u32 - 1);
        }
        joined
    }
}

/// Rows that are all different.
pub(crate) struct Collapsed {
    pub(crate) rows: Rows,
    pub(crate) counts: Counts,
    /// Where each row that was put together stands now.
    pub(crate) places: Vec<u32>,
}

/// `rows` in pieces of at least `size` between which no two have the same key.
fn runs(rows: &mut [Keyed], size: usize) -> Vec<&mut [Keyed]> {
    let mut pieces = Vec::new();
    let mut rest = rows;
    while rest.len() > size {
        let key = rest[size].0;
        let end = size + rest[size..].iter().take_while(|row| row.0 == key).count();
        let (piece, after) = rest.split_at_mut(end);
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}
