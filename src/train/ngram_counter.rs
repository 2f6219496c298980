//! Counts n-grams while training.
//!
//! An n-gram is found here much as in an [`NgramTable`], but slots hold its number alone: what is compared lies beside what is
//! counted, so both come from memory together. With slots like those of the table, counting takes a sixth longer.

use crate::data::label::{ClassCounts, Tally};
use crate::model::ngrams::{FIRST_ACTION, FREE, MOST_NODES, NgramTable, Node, Pairs};
use foldhash::fast::RandomState;
use std::cmp::Reverse;
use std::hash::BuildHasher;

/// An n-gram, and where it was seen.
#[derive(Debug, Clone)]
pub(crate) struct Ngram<T> {
    prefix: Node,
    symbol: u32,
    /// The samples that have it.
    pub(crate) samples: T,
    /// The last row that has it.
    pub(crate) last_row: u32,
}

/// Numbers n-grams in the order in which they are first seen, and counts the samples that have them.
#[derive(Debug, Clone)]
pub(crate) struct NgramCounter<T> {
    symbols: u32,
    ngrams: Vec<Ngram<T>>,
    /// The number of an n-gram stands in its [home](Self::home), or in the first slot behind it that was [`FREE`]. At least
    /// half of the slots are; how many there are is a power of two.
    slots: Vec<u32>,
    /// Seeded at random, so that nobody can choose n-grams that all want the same slot.
    hasher: RandomState,
    pairs: Pairs,
    /// The n-grams of the length in hand, by the place where they begin.
    nodes: Vec<Node>,
    /// What the slots of these n-grams hold.
    guesses: Vec<u32>,
}

impl<T: Tally> NgramCounter<T> {
    /// No n-grams yet, over the two markers and `actions` actions.
    pub(crate) fn new(actions: usize) -> Self {
        let symbols = actions as u32 + FIRST_ACTION;
        Self {
            symbols,
            ngrams: Vec::new(),
            slots: vec![FREE; 2],
            hasher: RandomState::default(),
            pairs: Pairs::new(symbols),
            nodes: Vec::new(),
            guesses: Vec::new(),
        }
    }

    /// The n-grams in order of arrival.
    pub(crate) fn ngrams(&self) -> &[Ngram<T>] {
        &self.ngrams
    }

    /// Counts the samples of row `row`, which all are the sequence `symbols`, for each of its n-grams up to length `n`. Calls
    /// `found` with the number of each of them. Rows are numbered from 1.
    pub(crate) fn count(
        &mut self,
        symbols: &[u32],
        n: usize,
        row: u32,
        samples: ClassCounts,
        mut found: impl FnMut(u32),
    ) {
        let mut nodes = std::mem::take(&mut self.nodes);
        nodes.clear();
        nodes.extend_from_slice(symbols);
        for length in 2..=n.min(symbols.len()) {
            let last = &symbols[length - 1..];
            nodes.truncate(last.len());
            self.extend(&mut nodes, last);
            for node in &nodes {
                let number = node - self.symbols;
                let ngram = &mut self.ngrams[number as usize];
                if ngram.last_row != row {
                    ngram.last_row = row;
                    ngram.samples.add(samples);
                    found(number);
                }
            }
        }
        self.nodes = nodes;
    }

    /// Replaces each node, all of the same length, by the n-gram that extends it by the symbol at its place.
    fn extend(&mut self, nodes: &mut [Node], symbols: &[u32]) {
        if nodes.first().is_some_and(|&node| self.pairs.hold(node)) {
            for (node, &symbol) in nodes.iter_mut().zip(symbols) {
                *node = self.symbols + self.number(*node, symbol);
            }
            return;
        }
        // Memory is what this waits for, so all is asked for before any of it is used.
        let mut guesses = std::mem::take(&mut self.guesses);
        guesses.clear();
        let pairs = nodes.iter().zip(symbols);
        guesses.extend(pairs.map(|(&prefix, &symbol)| self.slots[self.home(prefix, symbol)]));
        for ((node, &symbol), &guess) in nodes.iter_mut().zip(symbols).zip(&guesses) {
            let number = match self.ngrams.get(guess as usize) {
                Some(ngram) if (ngram.prefix, ngram.symbol) == (*node, symbol) => guess,
                _ => self.number(*node, symbol),
            };
            *node = self.symbols + number;
        }
        self.guesses = guesses;
    }

    /// Where the n-gram that extends `prefix` by `symbol` has its slot, if no other has taken it.
    fn home(&self, prefix: Node, symbol: u32) -> usize {
        let hash = self.hasher.hash_one(u64::from(prefix) << 32 | u64::from(symbol));
        hash as usize & (self.slots.len() - 1)
    }

    /// The number of the n-gram that extends `prefix` by `symbol`, a new one if it was never seen.
    fn number(&mut self, prefix: Node, symbol: u32) -> u32 {
        let new = self.ngrams.len() as u32;
        if self.pairs.hold(prefix) {
            let number = self.pairs.get(prefix, symbol);
            if number != FREE {
                return number;
            }
            self.pairs.set(prefix, symbol, new);
        } else {
            let mut slot = self.home(prefix, symbol);
            while let Some(ngram) = self.ngrams.get(self.slots[slot] as usize) {
                if (ngram.prefix, ngram.symbol) == (prefix, symbol) {
                    return self.slots[slot];
                }
                slot = (slot + 1) & (self.slots.len() - 1);
            }
            self.slots[slot] = new;
        }
        assert!(self.symbols + new < MOST_NODES, "more than 2^31 n-grams");
        self.ngrams.push(Ngram {
            prefix,
            symbol,
            samples: T::default(),
            last_row: 0,
        });
        if self.ngrams.len() * 2 > self.slots.len() {
            self.grow();
        }
        new
    }

    /// Doubles the slots.
    fn grow(&mut self) {
        self.slots = vec![FREE; 2 * self.slots.len()];
        for number in 0..self.ngrams.len() {
            let Ngram { prefix, symbol, .. } = self.ngrams[number];
            if self.pairs.hold(prefix) {
                continue;
            }
            let mut slot = self.home(prefix, symbol);
            while self.slots[slot] != FREE {
                slot = (slot + 1) & (self.slots.len() - 1);
            }
            self.slots[slot] = number as u32;
        }
    }

    /// Adds all n-grams of `other`, which is over the same symbols, and what was counted of them. Returns their numbers here.
    pub(crate) fn absorb(&mut self, other: Self) -> Vec<u32> {
        if self.ngrams.is_empty() {
            *self = other;
            return (0..self.ngrams.len() as u32).collect();
        }
        let mut numbers: Vec<u32> = Vec::with_capacity(other.ngrams.len());
        for ngram in &other.ngrams {
            let prefix = match ngram.prefix.checked_sub(self.symbols) {
                None => ngram.prefix,
                Some(prefix) => self.symbols + numbers[prefix as usize],
            };
            let number = self.number(prefix, ngram.symbol);
            self.ngrams[number as usize].samples.add(ngram.samples.get());
            numbers.push(number);
        }
        numbers
    }

    /// Puts the n-grams in their final order and keeps only the `keep` most frequent, ties by that order. `actions` are the
    /// actions that occur, in their final order. Returns the table and, for each n-gram in it, its number of arrival.
    ///
    /// An n-gram is never more frequent than its prefix and comes after it, so what is kept is closed under prefixes.
    pub(crate) fn finish(&self, actions: &[u32], keep: usize) -> (NgramTable, Vec<u32>) {
        let mut symbols: Vec<u32> = (0..self.symbols).collect();
        for (symbol, action) in (FIRST_ACTION..).zip(actions) {
            symbols[(action + FIRST_ACTION) as usize] = symbol;
        }
        let mut order = self.final_order(&symbols);
        if order.len() > keep {
            let mut by_frequency = order.clone();
            by_frequency.sort_by_key(|&number| Reverse(self.ngrams[number as usize].samples.get().total()));
            let mut kept = vec![false; order.len()];
            for &number in &by_frequency[..keep] {
                kept[number as usize] = true;
            }
            order.retain(|&number| kept[number as usize]);
        }
        let mut table = NgramTable::new(actions.len());
        let mut nodes = vec![0; self.ngrams.len()];
        for &number in &order {
            let ngram = &self.ngrams[number as usize];
            let prefix = match ngram.prefix.checked_sub(self.symbols) {
                None => symbols[ngram.prefix as usize],
                Some(number) => nodes[number as usize],
            };
            nodes[number as usize] = table.child_or_new(prefix, symbols[ngram.symbol as usize]);
        }
        (table, order)
    }

    /// All numbers, those of shorter n-grams first and within a length by their symbols.
    fn final_order(&self, symbols: &[u32]) -> Vec<u32> {
        // A prefix is always added before what extends it, so one pass finds every length.
        let mut by_length: Vec<Vec<u32>> = Vec::new();
        let mut lengths: Vec<u8> = Vec::with_capacity(self.ngrams.len());
        for (number, ngram) in (0..).zip(&self.ngrams) {
            let length = match ngram.prefix.checked_sub(self.symbols) {
                None => 0,
                Some(prefix) => lengths[prefix as usize] + 1,
            };
            lengths.push(length);
            if by_length.len() <= usize::from(length) {
                by_length.push(Vec::new());
            }
            by_length[usize::from(length)].push(number);
        }
        let mut rank = vec![0_u32; self.ngrams.len()];
        let mut order = Vec::with_capacity(self.ngrams.len());
        for mut level in by_length {
            level.sort_by_cached_key(|&number| {
                let ngram = &self.ngrams[number as usize];
                let prefix = match ngram.prefix.checked_sub(self.symbols) {
                    None => symbols[ngram.prefix as usize],
                    Some(prefix) => rank[prefix as usize],
                };
                (prefix, symbols[ngram.symbol as usize])
            });
            for number in level {
                rank[number as usize] = order.len() as u32;
                order.push(number);
            }
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn normal(normal: u32) -> ClassCounts {
        ClassCounts {
            normal: u64::from(normal),
            anomalous: 0,
        }
    }

    /// Counts rows, given by their symbols and how many samples have them.
    fn counted(actions: usize, n: usize, rows: &[(&[u32], u32)]) -> NgramCounter<ClassCounts> {
        let mut counter = NgramCounter::new(actions);
        for (row, (symbols, samples)) in (1..).zip(rows) {
            counter.count(symbols, n, row, normal(*samples), |_| ());
        }
        counter
    }

    fn all(table: &NgramTable) -> Vec<Vec<u32>> {
        (0..table.len() as u32).map(|number| table.symbols_of(number)).collect()
    }

    #[test]
    fn the_final_order_does_not_depend_on_the_order_of_arrival() {
        let rows: [(&[u32], u32); 3] = [(&[5, 4, 3], 1), (&[0, 2, 3], 1), (&[2, 1], 1)];
        let mut backward = rows;
        backward.reverse();
        let in_order = |rows| all(&counted(4, 3, rows).finish(&[0, 1, 2, 3], usize::MAX).0);
        let expected: [&[u32]; 7] = [&[0, 2], &[2, 1], &[2, 3], &[4, 3], &[5, 4], &[0, 2, 3], &[5, 4, 3]];
        assert_eq!(in_order(&rows), expected);
        assert_eq!(in_order(&backward), expected);
    }

    #[test]
    fn the_most_frequent_are_kept_and_ties_go_to_the_first() {
        let rows: [(&[u32], u32); 5] = [(&[2, 3, 4], 5), (&[2, 3], 4), (&[3, 2], 5), (&[4, 2], 1), (&[4, 3], 5)];
        // In order of arrival: 2 3 (9), 3 4 (5), 2 3 4 (5), 3 2 (5), 4 2 (1), 4 3 (5).
        let (kept, arrived) = counted(3, 3, &rows).finish(&[0, 1, 2], 3);
        assert_eq!(all(&kept), [vec![2, 3], vec![3, 2], vec![3, 4]]);
        assert_eq!(arrived, [0, 3, 1]);
        assert_eq!((kept.child(2, 3), kept.child(3, 4)), (Some(5), Some(7)));
        for (prefix, symbol) in [(2, 4), (4, 2), (5, 4), (7, 3), (1, 3), (99, 99)] {
            assert_eq!(kept.child(prefix, symbol), None);
        }
    }

    #[test]
    fn actions_get_their_final_numbers_when_all_is_counted() {
        let (table, arrived) = counted(2, 3, &[(&[2, 3, 1], 1), (&[3, 3], 1)]).finish(&[1, 0], usize::MAX);
        assert_eq!(all(&table), [vec![2, 1], vec![2, 2], vec![3, 2], vec![3, 2, 1]]);
        assert_eq!(arrived, [1, 3, 0, 2]);
    }

    #[test]
    fn a_row_counts_once_for_each_of_its_ngrams() {
        let mut counter = NgramCounter::<ClassCounts>::new(3);
        let mut found = Vec::new();
        // Pairs 2 3 and 3 2, and the three symbols 2 3 2 and 3 2 3.
        counter.count(&[2, 3, 2, 3], 3, 1, normal(5), |number| found.push(number));
        counter.count(&[3, 2], 3, 2, normal(2), |number| found.push(number));
        assert_eq!(found, [0, 1, 2, 3, 1]);
        let samples: Vec<u64> = counter
            .ngrams()
            .iter()
            .map(|ngram| ngram.samples.get().total())
            .collect();
        assert_eq!(samples, [5, 7, 5, 5]);
    }

    proptest! {
        #[test]
        fn parts_together_count_what_one_counts_and_no_ngram_is_lost(
            rows in proptest::collection::vec(proptest::collection::vec(2..2000_u32, 1..30), 1..40),
            actions in prop_oneof![Just(1998_usize), Just(40)],
            n in 1..6_usize,
            cut in any::<prop::sample::Index>(),
        ) {
            let rows: Vec<Vec<u32>> = rows.into_iter()
                .map(|row| row.into_iter().map(|symbol| symbol % (actions as u32 + FIRST_ACTION)).collect())
                .collect();
            let rows: Vec<(&[u32], u32)> = rows.iter().zip(1..).map(|(row, samples)| (&row[..], samples)).collect();
            let cut = cut.index(rows.len());
            let whole = counted(actions, n, &rows);
            let mut joined = counted(actions, n, &rows[..cut]);
            joined.absorb(counted(actions, n, &rows[cut..]));
            prop_assert_eq!(joined.ngrams().len(), whole.ngrams().len());
            for (ours, theirs) in joined.ngrams().iter().zip(whole.ngrams()) {
                prop_assert_eq!((ours.prefix, ours.symbol, ours.samples), (theirs.prefix, theirs.symbol, theirs.samples));
            }

            let mut expected = std::collections::BTreeMap::new();
            for (row, samples) in &rows {
                let windows = (2..=n).flat_map(|length| row.windows(length));
                for window in windows.collect::<std::collections::BTreeSet<_>>() {
                    *expected.entry(window.to_vec()).or_default() += u64::from(*samples);
                }
            }
            let same: Vec<u32> = (0..actions as u32).collect();
            let (table, arrived) = whole.finish(&same, usize::MAX);
            let found: std::collections::BTreeMap<Vec<u32>, u64> = all(&table).into_iter()
                .zip(arrived.iter().map(|&number| whole.ngrams()[number as usize].samples.get().total()))
                .collect();
            prop_assert_eq!(found, expected);
        }
    }
}
