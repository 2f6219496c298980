//! Counts n-grams and ordered pairs while training.
//!
//! An n-gram is found by a hash of its prefix and last symbol. Slots hold its number alone: what is compared lies beside what is counted, so
//! both come from memory together, and nothing else lies there. Memory is what counting waits for.

use crate::data::label::{ClassCounts, Tally};
use crate::model::features::for_each_length;
use crate::model::ngrams::{FIRST_ACTION, FREE, MOST_NODES, NgramTable, Node, Pairs, UNKNOWN};
use crate::model::repeats::Repeats;
use crate::parallel::sort;
use crate::train::folds::FoldSet;
use foldhash::fast::RandomState;
use std::cmp::Reverse;
use std::hash::BuildHasher;
use std::num::NonZeroUsize;

/// Where a feature was seen.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen<T> {
    /// The samples that have it.
    pub(crate) samples: T,
    /// Who alone has it.
    pub(crate) owner: Owner,
    /// The folds whose rows have it.
    pub(crate) folds: FoldSet,
}

/// Who a feature may belong to alone: a group where there are groups, else a single sample. To whoever has it alone, it is
/// novel: without them it would be unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Owner(u32);

impl Owner {
    /// Those who have anything in common with others.
    pub(crate) const MANY: Self = Self(u32::MAX);

    /// Number `number` of those who may have something alone.
    pub(crate) fn new(number: u32) -> Self {
        Self(number + 1)
    }

    /// Which one, if there is one.
    pub(crate) fn number(self) -> Option<u32> {
        self.0.checked_sub(1).filter(|_| self != Self::MANY)
    }

    fn join(&mut self, other: Self) {
        *self = match (self.0, other.0) {
            (_, 0) => *self,
            (0, _) => other,
            (own, others) if own == others => *self,
            _ => Self::MANY,
        };
    }

    /// Whether `self`, who has a row, has a feature alone.
    pub(crate) fn has_alone(self, owner: Self) -> bool {
        self == owner && self != Self::MANY
    }
}

/// What is counted for each feature of a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowKey {
    pub(crate) labels: ClassCounts,
    pub(crate) owner: Owner,
    pub(crate) fold: u8,
}

impl<T: Tally> Seen<T> {
    /// Counts the samples of a row that has it.
    pub(crate) fn add(&mut self, key: RowKey) {
        self.samples.add(key.labels);
        self.owner.join(key.owner);
        self.folds.add(key.fold);
    }

    /// Adds what was counted in other rows.
    pub(crate) fn join(&mut self, other: Self) {
        self.samples.add(other.samples.get());
        self.owner.join(other.owner);
        self.folds.join(other.folds);
    }
}

/// An n-gram, and the samples that have it.
#[derive(Debug, Clone)]
struct Ngram<T> {
    prefix: Node,
    symbol: u32,
    samples: T,
}

/// What else is known of an n-gram, and is not looked at each time that it is seen.
#[derive(Debug, Clone)]
struct Origin<T> {
    /// Who had it first, or, if that is a group, whether nobody else has it.
    owner: Owner,
    /// The folds whose rows have it, but for the one in hand.
    folds: FoldSet,
    /// The samples before that fold.
    before: T,
}

/// Numbers n-grams in the order in which they are first seen, and counts the samples that have them.
#[derive(Debug, Clone)]
pub(crate) struct NgramCounter<T> {
    symbols: u32,
    ngrams: Vec<Ngram<T>>,
    origins: Vec<Origin<T>>,
    /// Whether owners are groups.
    by_group: bool,
    /// The fold in hand.
    fold: u8,
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
    /// No n-grams yet, over the two markers and `actions` actions; owners are groups if `by_group`.
    pub(crate) fn new(actions: usize, by_group: bool) -> Self {
        let symbols = actions as u32 + FIRST_ACTION;
        Self {
            symbols,
            ngrams: Vec::new(),
            origins: Vec::new(),
            by_group,
            fold: 0,
            slots: vec![FREE; 2],
            hasher: RandomState::default(),
            pairs: Pairs::new(symbols),
            nodes: Vec::new(),
            guesses: Vec::new(),
        }
    }

    /// How many n-grams there are.
    pub(crate) fn len(&self) -> usize {
        self.ngrams.len()
    }

    /// Where the n-gram was seen that arrived as this number; for this, [`end_fold`](Self::end_fold) comes after the last row.
    pub(crate) fn seen(&self, number: u32) -> Seen<T> {
        let samples = self.ngrams[number as usize].samples;
        let Origin { owner, folds, .. } = self.origins[number as usize];
        // What one sample had first and several have nobody has alone.
        let is_shared = !self.by_group && samples.get().total() > 1;
        Seen {
            samples,
            owner: if is_shared { Owner::MANY } else { owner },
            folds,
        }
    }

    /// Ends the fold in hand: whatever more samples have than before stands in its rows. The rows of a fold come one after the other.
    pub(crate) fn end_fold(&mut self) {
        for (ngram, origin) in self.ngrams.iter().zip(&mut self.origins) {
            if ngram.samples.get() != origin.before.get() {
                origin.folds.add(self.fold);
                origin.before = ngram.samples;
            }
        }
    }

    /// Begins the fold of a row unless it is in hand.
    fn begin(&mut self, fold: u8) {
        if fold != self.fold {
            self.end_fold();
            self.fold = fold;
        }
    }

    /// Counts the samples of a row for n-gram `number`.
    fn add(&mut self, number: u32, key: RowKey) {
        self.ngrams[number as usize].samples.add(key.labels);
        if self.by_group {
            self.origins[number as usize].owner.join(key.owner);
        }
    }

    /// Counts the samples of a row, which all are the sequence between the markers of `symbols`, for each of its n-grams up to
    /// length `n`; `repeats` is about its actions. Calls `found` with the number of each of them.
    pub(crate) fn count(
        &mut self,
        symbols: &[u32],
        repeats: &mut Repeats,
        n: usize,
        key: RowKey,
        mut found: impl FnMut(u32),
    ) {
        self.begin(key.fold);
        let mut nodes = std::mem::take(&mut self.nodes);
        nodes.clear();
        nodes.extend_from_slice(symbols);
        for_each_length(symbols, n, repeats, &mut nodes, |nodes, last, firsts| {
            self.extend(nodes, last, key.owner);
            for (_, node) in nodes.iter().enumerate().filter(|&(place, _)| firsts.has(place)) {
                let number = node - self.symbols;
                self.add(number, key);
                found(number);
            }
        });
        self.nodes = nodes;
    }

    /// Counts the samples of a row for an ordered pair, given by its symbols. Returns the number of the pair.
    pub(crate) fn count_pair(&mut self, a: u32, b: u32, key: RowKey) -> u32 {
        self.begin(key.fold);
        let number = self.number(a, b, key.owner);
        self.add(number, key);
        number
    }

    /// Replaces each node, all of the same length, by the n-gram that extends it by the symbol at its place. New ones are of `owner`.
    fn extend(&mut self, nodes: &mut [Node], symbols: &[u32], owner: Owner) {
        if nodes.first().is_some_and(|&node| self.pairs.hold(node)) {
            for (node, &symbol) in nodes.iter_mut().zip(symbols) {
                *node = self.symbols + self.number(*node, symbol, owner);
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
                _ => self.number(*node, symbol, owner),
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

    /// The number of the n-gram that extends `prefix` by `symbol`, a new one of `owner` if it was never seen.
    fn number(&mut self, prefix: Node, symbol: u32, owner: Owner) -> u32 {
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
        });
        self.origins.push(Origin {
            owner,
            folds: FoldSet::default(),
            before: T::default(),
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
        for (ngram, origin) in other.ngrams.iter().zip(other.origins) {
            let prefix = match ngram.prefix.checked_sub(self.symbols) {
                None => ngram.prefix,
                Some(prefix) => self.symbols + numbers[prefix as usize],
            };
            let number = self.number(prefix, ngram.symbol, origin.owner);
            self.ngrams[number as usize].samples.add(ngram.samples.get());
            let own = &mut self.origins[number as usize];
            own.owner.join(origin.owner);
            own.folds.join(origin.folds);
            numbers.push(number);
        }
        numbers
    }

    /// Puts the n-grams in their final order, shorter ones first and within a length by their symbols, and keeps only the `keep` most
    /// frequent of those that `least` samples have, ties by that order. `actions` are the actions that occur, in their final order.
    /// Returns the table and, for each n-gram in it, its number of arrival.
    ///
    /// An n-gram is never more frequent than its prefix and comes after it, so what is kept is closed under prefixes. What is not kept
    /// is never put in order: there may be many times as many.
    pub(crate) fn finish(
        &self,
        actions: &[u32],
        keep: usize,
        least: u64,
        threads: NonZeroUsize,
    ) -> (NgramTable, Vec<u32>) {
        let mut symbols: Vec<u32> = (0..self.symbols).collect();
        for (symbol, action) in (FIRST_ACTION..).zip(actions) {
            symbols[(action + FIRST_ACTION) as usize] = symbol;
        }
        let (least, mut ties) = self.rarest(keep, least);
        let mut by_length = self.by_length(least);
        let mut order: Vec<u32> = Vec::with_capacity(by_length.iter().map(Vec::len).sum::<usize>().min(keep));
        let mut table = NgramTable::with_capacity(actions.len(), order.capacity());
        // The nodes of those that are kept, by their numbers of arrival.
        let mut nodes = vec![UNKNOWN; self.ngrams.len()];
        for level in &mut by_length {
            let key = |number: u32| {
                let ngram = &self.ngrams[number as usize];
                let prefix = match ngram.prefix.checked_sub(self.symbols) {
                    None => symbols[ngram.prefix as usize],
                    Some(prefix) => nodes[prefix as usize],
                };
                u64::from(prefix) << 32 | u64::from(symbols[ngram.symbol as usize])
            };
            let is_tie = |number: u32| self.samples(number) == least;
            let frequent = level.iter().filter(|&&number| !is_tie(number));
            let mut kept: Vec<(u64, u32)> = frequent.map(|&number| (key(number), number)).collect();
            if ties > 0 {
                // As there is room for some, all that are shorter have been kept, and these have their prefixes.
                let tied = level.iter().filter(|&&number| is_tie(number));
                let mut tied: Vec<(u64, u32)> = tied.map(|&number| (key(number), number)).collect();
                if tied.len() > ties {
                    tied.select_nth_unstable(ties);
                    tied.truncate(ties);
                }
                ties -= tied.len();
                kept.append(&mut tied);
            }
            sort(&mut kept, threads);
            for (key, number) in kept {
                nodes[number as usize] = table.add((key >> 32) as Node, key as u32);
                order.push(number);
            }
        }
        (table, order)
    }

    /// How many samples have an n-gram.
    fn samples(&self, number: u32) -> u64 {
        self.ngrams[number as usize].samples.get().total()
    }

    /// How many samples have the rarest of the `keep` most frequent n-grams that `least` samples have, and how many as rare are among
    /// these.
    fn rarest(&self, keep: usize, least: u64) -> (u64, usize) {
        let mut frequencies: Vec<u64> = (0..self.ngrams.len() as u32)
            .map(|number| self.samples(number))
            .filter(|&samples| samples >= least)
            .collect();
        if frequencies.len() <= keep {
            return (least, frequencies.len());
        }
        let Some(last) = keep.checked_sub(1) else {
            return (u64::MAX, 0);
        };
        let (more_frequent, &mut rarest, _) = frequencies.select_nth_unstable_by_key(last, |&samples| Reverse(samples));
        let ties = 1 + more_frequent.iter().filter(|&&samples| samples == rarest).count();
        (rarest, ties)
    }

    /// The numbers of the n-grams that `least` samples have, by length.
    fn by_length(&self, least: u64) -> Vec<Vec<u32>> {
        // A prefix is always added before what extends it, so one pass finds every length.
        let mut by_length: Vec<Vec<u32>> = Vec::new();
        let mut lengths: Vec<u8> = Vec::with_capacity(self.ngrams.len());
        for (number, ngram) in (0..).zip(&self.ngrams) {
            let length = match ngram.prefix.checked_sub(self.symbols) {
                None => 0,
                Some(prefix) => lengths[prefix as usize] + 1,
            };
            lengths.push(length);
            if self.samples(number) >= least {
                by_length.resize(by_length.len().max(usize::from(length) + 1), Vec::new());
                by_length[usize::from(length)].push(number);
            }
        }
        by_length
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::features::{ShapeCounter, inner, with_markers};
    use proptest::prelude::*;

    /// A row of so many normal samples, by which its owner is told.
    fn normal(normal: u32) -> RowKey {
        RowKey {
            labels: ClassCounts {
                normal: u64::from(normal),
                anomalous: 0,
            },
            owner: Owner::new(normal),
            fold: 0,
        }
    }

    fn marked(actions: &[u32]) -> Vec<u32> {
        let mut symbols = Vec::new();
        with_markers(&mut symbols, actions.iter().map(|symbol| symbol - FIRST_ACTION));
        symbols
    }

    /// Counts a row, given by the symbols of its actions.
    fn count(counter: &mut NgramCounter<ClassCounts>, actions: &[u32], n: usize, key: RowKey, found: impl FnMut(u32)) {
        let symbols = marked(actions);
        let mut shapes = ShapeCounter::default();
        shapes.count(inner(&symbols));
        counter.count(&symbols, &mut shapes.repeats, n, key, found);
        counter.end_fold();
    }

    /// Counts rows, given by the symbols of their actions and how many samples have them.
    fn counted(actions: usize, n: usize, rows: &[(&[u32], u32)]) -> NgramCounter<ClassCounts> {
        let mut counter = NgramCounter::new(actions, true);
        for (symbols, samples) in rows {
            count(&mut counter, symbols, n, normal(*samples), |_| ());
        }
        counter
    }

    fn all(table: &NgramTable) -> Vec<Vec<u32>> {
        (0..table.len()).map(|number| table.symbols_of(number)).collect()
    }

    #[test]
    fn the_final_order_does_not_depend_on_the_order_of_arrival() {
        let rows: [(&[u32], u32); 2] = [(&[5, 4, 3], 1), (&[2, 3], 1)];
        let mut backward = rows;
        backward.reverse();
        let in_order = |rows| {
            all(&counted(4, 3, rows)
                .finish(&[0, 1, 2, 3], usize::MAX, 1, NonZeroUsize::MIN)
                .0)
        };
        let expected: [&[u32]; 7] = [&[0, 2], &[0, 5], &[2, 3], &[3, 1], &[4, 3], &[5, 4], &[5, 4, 3]];
        assert_eq!(in_order(&rows), expected);
        assert_eq!(in_order(&backward), expected);
    }

    #[test]
    fn the_most_frequent_are_kept_and_ties_go_to_the_first() {
        let rows: [(&[u32], u32); 5] = [(&[2, 3, 4], 5), (&[2, 3], 4), (&[3, 2], 5), (&[4, 2], 1), (&[4, 3], 5)];
        // In order of arrival: ^2 (9), 23 (9), 34 (5), 4$ (5), 234 (5), 3$ (9), ^3 (5), 32 (5), 2$ (6), ^4 (6), 42 (1), 43 (5).
        let (kept, arrived) = counted(3, 3, &rows).finish(&[0, 1, 2], 4, 1, NonZeroUsize::MIN);
        assert_eq!(all(&kept), [vec![0, 2], vec![0, 4], vec![2, 3], vec![3, 1]]);
        assert_eq!(arrived, [0, 9, 1, 5]);
        assert_eq!((kept.child(2, 3), kept.child(3, 1)), (Some(7), Some(8)));
        for (prefix, symbol) in [(2, 4), (4, 2), (7, 4), (3, 2), (1, 3), (99, 99)] {
            assert_eq!(kept.child(prefix, symbol), None);
        }
        let (frequent, _) = counted(3, 3, &rows).finish(&[0, 1, 2], usize::MAX, 9, NonZeroUsize::MIN);
        assert_eq!(all(&frequent), [vec![0, 2], vec![2, 3], vec![3, 1]]);
    }

    #[test]
    fn actions_get_their_final_numbers_when_all_is_counted() {
        let (table, arrived) =
            counted(2, 3, &[(&[2, 3], 1), (&[3, 3], 1)]).finish(&[1, 0], usize::MAX, 1, NonZeroUsize::MIN);
        assert_eq!(all(&table), [[0, 2], [0, 3], [2, 1], [2, 2], [3, 2]]);
        assert_eq!(arrived, [3, 0, 2, 4, 1]);
    }

    #[test]
    fn a_row_counts_once_for_each_of_its_ngrams() {
        let mut counter = NgramCounter::<ClassCounts>::new(3, true);
        let mut found = Vec::new();
        // ^2, 23, 32, 3$, 232 and 323; then ^3, 32 again, and 2$.
        count(&mut counter, &[2, 3, 2, 3], 3, normal(5), |number| found.push(number));
        count(&mut counter, &[3, 2], 3, normal(2), |number| found.push(number));
        assert_eq!(found, [0, 1, 2, 3, 4, 5, 6, 2, 7]);
        let samples: Vec<u64> = (0..counter.len() as u32)
            .map(|number| counter.samples(number))
            .collect();
        assert_eq!(samples, [5, 5, 7, 5, 5, 5, 2, 2]);
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
                .map(|row| row.into_iter().map(|symbol| FIRST_ACTION + symbol % actions as u32).collect())
                .collect();
            let rows: Vec<(&[u32], u32)> = rows.iter().zip(1..).map(|(row, samples)| (&row[..], samples)).collect();
            let cut = cut.index(rows.len());
            let whole = counted(actions, n, &rows);
            let mut joined = counted(actions, n, &rows[..cut]);
            joined.absorb(counted(actions, n, &rows[cut..]));
            prop_assert_eq!(joined.len(), whole.len());
            for number in 0..whole.len() {
                let symbols = |counter: &NgramCounter<ClassCounts>| (counter.ngrams[number].prefix, counter.ngrams[number].symbol);
                prop_assert_eq!(symbols(&joined), symbols(&whole));
                let (ours, theirs) = (joined.seen(number as u32), whole.seen(number as u32));
                prop_assert_eq!((ours.samples, ours.owner, ours.folds), (theirs.samples, theirs.owner, theirs.folds));
            }

            let mut expected = std::collections::BTreeMap::new();
            for (row, samples) in &rows {
                let marked = marked(row);
                let bigrams = marked.windows(2).filter(|_| n >= 2);
                let windows = bigrams.chain((3..=n).flat_map(|length| row.windows(length)));
                for window in windows.collect::<std::collections::BTreeSet<_>>() {
                    *expected.entry(window.to_vec()).or_default() += u64::from(*samples);
                }
            }
            let same: Vec<u32> = (0..actions as u32).collect();
            let (table, arrived) = whole.finish(&same, usize::MAX, 1, NonZeroUsize::MIN);
            let found: std::collections::BTreeMap<Vec<u32>, u64> = all(&table).into_iter()
                .zip(arrived.iter().map(|&number| whole.samples(number)))
                .collect();
            prop_assert_eq!(found, expected);
        }
    }
}
