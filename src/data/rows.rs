//! Sequences with label and group, and the order that they have of their own.

use crate::data::counts::Counts;
use crate::data::interner::Interner;
use crate::data::label::Label;
use crate::data::packed::PackedLists;
use crate::parallel::map_into;
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

/// A row, and the next few of its actions as one number that ascends as they do.
type Keyed = (u64, u32);

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

    /// The rows in canonical order, those that are alike as one that counts for all of them: in ascending order of their sequences, then
    /// labels, then groups, by their numbers. At most `threads` threads share the work.
    ///
    /// Sequences are sorted by their first few actions, those that have them in common by the next few, and so on.
    pub(crate) fn collapsed(&self, counts: &Counts, threads: NonZeroUsize) -> Collapsed {
        let mut order: Vec<Keyed> = (0..self.len() as u32).map(|row| (0, row)).collect();
        let size = order.len().div_ceil(threads.get()).max(1);
        map_into(order.chunks_mut(size).collect(), threads, |piece: &mut [Keyed]| {
            self.sort_from(piece, 0)
        });
        // What is sorted in pieces is merged.
        order.sort();
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

    /// Sorts rows by the few actions from place `from` on.
    fn sort_from(&self, rows: &mut [Keyed], from: usize) {
        for (key, row) in &mut *rows {
            *key = self.steps.key(*row as usize, from);
        }
        rows.sort_unstable();
    }

    /// Sorts the rows that agree in their first few actions, in `rows` that are sorted by these.
    fn break_ties(&self, rows: &mut [Keyed]) {
        let mut tied: Vec<(&mut [Keyed], usize)> = vec![(rows, 0)];
        while let Some((rows, from)) = tied.pop() {
            for run in rows.chunk_by_mut(|a, b| a.0 == b.0).filter(|run| run.len() > 1) {
                if PackedLists::may_go_on(run[0].0) {
                    let from = from + PackedLists::KEYED;
                    self.sort_from(run, from);
                    tied.push((run, from));
                } else {
                    run.sort_unstable_by_key(|&(_, row)| (self.labels[row as usize], self.group_of.get(row as usize)));
                }
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
