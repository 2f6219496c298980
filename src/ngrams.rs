//! The n-grams that the model knows, and their numbers.
//!
//! An n-gram is a run of 2 to 8 symbols; a symbol is an action or one of the two markers that stand before the first
//! and after the last action. N-grams form a trie: each is found from its prefix and its last symbol. While training they
//! are gathered in order of arrival in an [`NgramCollector`]; what is kept becomes an [`NgramTable`].

use crate::dataset::ClassCounts;
use foldhash::fast::RandomState;
use std::cmp::{Ordering, Reverse};
use std::collections::HashMap;

/// The marker before the first action.
pub(crate) const BEGIN: u32 = 0;
/// The marker after the last action.
pub(crate) const END: u32 = 1;
/// Symbol of the action with number 0; action `a` is symbol `a + FIRST_ACTION`.
pub(crate) const FIRST_ACTION: u32 = 2;

/// A place in a trie over `symbols` symbols: a single symbol, or n-gram number `node - symbols`.
pub(crate) type Node = u32;

/// N-grams in their final order: shorter ones first, within a length by their symbols.
///
/// In this order the n-grams that extend a node stand side by side, those of one node after those of the node before it.
/// So each node needs no more than the number of the first n-gram that extends it, and each n-gram its last symbol.
#[derive(Debug, Clone)]
pub(crate) struct NgramTable {
    symbols: u32,
    /// For each node up to the last that is extended: the number of the first n-gram that extends it or a later node.
    first: Vec<u32>,
    /// The last symbol of each n-gram.
    last: Vec<u32>,
}

impl NgramTable {
    /// An empty table over the two markers and `actions` actions.
    pub(crate) fn new(actions: usize) -> Self {
        Self {
            symbols: actions as u32 + FIRST_ACTION,
            first: Vec::new(),
            last: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.last.len()
    }

    /// Number of symbols: the markers and the actions.
    pub(crate) fn symbols(&self) -> u32 {
        self.symbols
    }

    /// Adds the n-gram that extends `prefix` by `symbol`, which must come after all that are there, and returns its node.
    pub(crate) fn push(&mut self, prefix: Node, symbol: u32) -> Node {
        while self.first.len() <= prefix as usize {
            self.first.push(self.last.len() as u32);
        }
        self.last.push(symbol);
        self.symbols + self.last.len() as u32 - 1
    }

    /// The n-gram that extends `prefix` by `symbol`, if the table has it. Neither has to be known.
    pub(crate) fn child(&self, prefix: Node, symbol: u32) -> Option<Node> {
        let start = *self.first.get(prefix as usize)? as usize;
        let end = self
            .first
            .get(prefix as usize + 1)
            .map_or(self.last.len(), |&end| end as usize);
        let place = self.place_among(&self.last[start..end], symbol)?;
        Some(self.symbols + (start + place) as u32)
    }

    /// Where `symbol` stands in the ascending list `siblings`. Starts where it would stand if they were spread evenly, which
    /// is often right and nearly always close, and widens the search from there by doubling steps.
    fn place_among(&self, siblings: &[u32], symbol: u32) -> Option<usize> {
        let count = siblings.len();
        let guess = (u64::from(symbol) * count as u64 / u64::from(self.symbols)) as usize;
        let guess = guess.min(count.checked_sub(1)?);
        let (low, high) = match siblings[guess].cmp(&symbol) {
            Ordering::Equal => return Some(guess),
            Ordering::Less => {
                let mut step = 1;
                while guess + step < count && siblings[guess + step] < symbol {
                    step *= 2;
                }
                (guess + 1, count.min(guess + step + 1))
            }
            Ordering::Greater => {
                let mut step = 1;
                while step <= guess && siblings[guess - step] > symbol {
                    step *= 2;
                }
                (guess.saturating_sub(step), guess)
            }
        };
        siblings[low..high].binary_search(&symbol).ok().map(|place| low + place)
    }

    /// The n-gram number of `node`, which must not be a single symbol.
    pub(crate) fn number(&self, node: Node) -> u32 {
        node - self.symbols
    }

    /// The symbols of n-gram `number`.
    pub(crate) fn symbols_of(&self, number: u32) -> Vec<u32> {
        let mut symbols = Vec::new();
        let mut node = self.symbols + number;
        while node >= self.symbols {
            let number = self.number(node);
            symbols.push(self.last[number as usize]);
            node = self.first.partition_point(|&first| first <= number) as u32 - 1;
        }
        symbols.push(node);
        symbols.reverse();
        symbols
    }
}

/// Numbers n-grams in the order in which they are first seen.
#[derive(Debug, Clone)]
pub(crate) struct NgramCollector {
    symbols: u32,
    /// `prefix node << 32 | last symbol`, so no two n-grams share a key.
    keys: Vec<u64>,
    numbers: HashMap<u64, u32, RandomState>,
    /// For few symbols, the number of each pair of them, or [`NEW`]: nearly half of all look-ups are for pairs.
    pairs: Vec<u32>,
}

/// Most symbols whose pairs have a table: it then takes 4 MB.
const MOST_PAIRED: u32 = 1 << 10;
/// Stands in the table of pairs for one that was not seen yet.
const NEW: u32 = u32::MAX;

fn key(prefix: Node, symbol: u32) -> u64 {
    u64::from(prefix) << 32 | u64::from(symbol)
}

impl NgramCollector {
    /// No n-grams yet, over the two markers and `actions` actions.
    pub(crate) fn new(actions: usize) -> Self {
        let symbols = actions as u32 + FIRST_ACTION;
        let pairs = if symbols <= MOST_PAIRED { symbols * symbols } else { 0 };
        Self {
            symbols,
            keys: Vec::new(),
            numbers: HashMap::default(),
            pairs: vec![NEW; pairs as usize],
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The n-gram that extends `prefix` by `symbol`, added if it is new.
    pub(crate) fn child(&mut self, prefix: Node, symbol: u32) -> Node {
        let mut add = || {
            self.keys.push(key(prefix, symbol));
            self.keys.len() as u32 - 1
        };
        let number = if prefix < self.symbols && !self.pairs.is_empty() {
            let number = &mut self.pairs[(prefix * self.symbols + symbol) as usize];
            if *number == NEW {
                *number = add();
            }
            *number
        } else {
            *self.numbers.entry(key(prefix, symbol)).or_insert_with(add)
        };
        self.symbols + number
    }

    /// The n-gram number of `node`, which must not be a single symbol.
    pub(crate) fn number(&self, node: Node) -> u32 {
        node - self.symbols
    }

    /// Adds all n-grams of `other`, which is over the same symbols. Returns their numbers here.
    pub(crate) fn absorb(&mut self, other: Self) -> Vec<u32> {
        if self.keys.is_empty() {
            *self = other;
            return (0..self.len() as u32).collect();
        }
        let mut numbers: Vec<u32> = Vec::with_capacity(other.len());
        for number in 0..other.len() as u32 {
            let (prefix, symbol) = other.parts(number);
            let prefix = match prefix.checked_sub(self.symbols) {
                None => prefix,
                Some(prefix) => self.symbols + numbers[prefix as usize],
            };
            let node = self.child(prefix, symbol);
            numbers.push(self.number(node));
        }
        numbers
    }

    /// For each n-gram the number of the one that it extends, if that is not a single symbol.
    pub(crate) fn prefixes(&self) -> Vec<Option<u32>> {
        let prefix = |number| self.parts(number).0.checked_sub(self.symbols);
        (0..self.len() as u32).map(prefix).collect()
    }

    /// Puts the n-grams in their final order and keeps only the `keep` most frequent by `counts`, ties by that order.
    /// Returns, for each number of arrival, the final one.
    ///
    /// An n-gram is never more frequent than its prefix and comes after it, so what is kept is closed under prefixes.
    pub(crate) fn finish(self, counts: &[ClassCounts], keep: usize) -> (NgramTable, Vec<Option<u32>>) {
        let order = self.final_order();
        let kept: Vec<bool> = if order.len() <= keep {
            vec![true; order.len()]
        } else {
            let mut by_frequency = order.clone();
            by_frequency.sort_by_key(|&number| Reverse(counts[number as usize].total()));
            let mut kept = vec![false; order.len()];
            for &number in &by_frequency[..keep] {
                kept[number as usize] = true;
            }
            kept
        };
        let mut table = NgramTable {
            symbols: self.symbols,
            first: Vec::new(),
            last: Vec::with_capacity(order.len().min(keep)),
        };
        let mut renumbered = vec![None; order.len()];
        for number in order.into_iter().filter(|&number| kept[number as usize]) {
            let (prefix, symbol) = self.parts(number);
            let prefix = match prefix.checked_sub(self.symbols) {
                None => Some(prefix),
                Some(number) => renumbered[number as usize].map(|number: u32| self.symbols + number),
            };
            if let Some(prefix) = prefix {
                let node = table.push(prefix, symbol);
                renumbered[number as usize] = Some(table.number(node));
            }
        }
        (table, renumbered)
    }

    /// All numbers, those of shorter n-grams first and within a length by their symbols.
    fn final_order(&self) -> Vec<u32> {
        // A prefix is always added before what extends it, so one pass finds every length.
        let mut by_length: Vec<Vec<u32>> = Vec::new();
        let mut lengths: Vec<u8> = Vec::with_capacity(self.len());
        for number in 0..self.len() as u32 {
            let (prefix, _) = self.parts(number);
            let length = match prefix.checked_sub(self.symbols) {
                None => 0,
                Some(number) => lengths[number as usize] + 1,
            };
            lengths.push(length);
            if by_length.len() <= usize::from(length) {
                by_length.push(Vec::new());
            }
            by_length[usize::from(length)].push(number);
        }
        let mut rank = vec![0_u32; self.len()];
        let mut order = Vec::with_capacity(self.len());
        for mut level in by_length {
            level.sort_by_cached_key(|&number| {
                let (prefix, symbol) = self.parts(number);
                key(
                    prefix
                        .checked_sub(self.symbols)
                        .map_or(prefix, |number| rank[number as usize]),
                    symbol,
                )
            });
            for number in level {
                rank[number as usize] = order.len() as u32;
                order.push(number);
            }
        }
        order
    }

    fn parts(&self, number: u32) -> (Node, u32) {
        let key = self.keys[number as usize];
        ((key >> 32) as u32, key as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(frequencies: &[u32]) -> Vec<ClassCounts> {
        let count = |&normal| ClassCounts { normal, anomalous: 0 };
        frequencies.iter().map(count).collect()
    }

    /// Adds the n-gram and its prefixes.
    fn add(table: &mut NgramCollector, symbols: &[u32]) {
        let mut node = symbols[0];
        for &symbol in &symbols[1..] {
            node = table.child(node, symbol);
        }
    }

    fn all(table: &NgramTable) -> Vec<Vec<u32>> {
        (0..table.len() as u32).map(|number| table.symbols_of(number)).collect()
    }

    #[test]
    fn canonical_numbers_do_not_depend_on_the_order_of_arrival() {
        let ngrams: [&[u32]; 4] = [&[5, 4, 3], &[0, 2, 3], &[2, 3, 4, 1], &[2, 1]];
        let mut forward = NgramCollector::new(4);
        let mut backward = NgramCollector::new(4);
        ngrams.iter().for_each(|ngram| add(&mut forward, ngram));
        ngrams.iter().rev().for_each(|ngram| add(&mut backward, ngram));
        let canonical = |table: &NgramCollector| all(&table.clone().finish(&counts(&[1; 8]), usize::MAX).0);
        assert_eq!(canonical(&forward), canonical(&backward));
        assert_eq!(
            canonical(&forward),
            [
                vec![0, 2],
                vec![2, 1],
                vec![2, 3],
                vec![5, 4],
                vec![0, 2, 3],
                vec![2, 3, 4],
                vec![5, 4, 3],
                vec![2, 3, 4, 1],
            ]
        );
    }

    #[test]
    fn every_child_is_found_however_unevenly_its_siblings_are_spread() {
        let spreads: [fn(u32) -> bool; 5] = [
            |_| true,
            |s| s < 50,
            |s| s > 950,
            |s| s % 7 == 3,
            |s| s.is_power_of_two(),
        ];
        for spread in spreads {
            let mut table = NgramTable::new(998);
            let siblings: Vec<u32> = (0..1000).filter(|&symbol| spread(symbol)).collect();
            let nodes: Vec<Node> = siblings.iter().map(|&symbol| table.push(5, symbol)).collect();
            for symbol in 0..1100 {
                let expected = siblings.binary_search(&symbol).ok().map(|place| nodes[place]);
                assert_eq!(table.child(5, symbol), expected, "{symbol}");
            }
        }
    }

    #[test]
    fn the_most_frequent_are_kept_and_ties_go_to_the_first() {
        let mut table = NgramCollector::new(3);
        for ngram in [&[2_u32, 3, 4][..], &[3, 2], &[4, 2], &[4, 3]] {
            add(&mut table, ngram);
        }
        // In order of arrival: 2 3 (9), 2 3 4 (5), 3 2 (5), 4 2 (1), 4 3 (5).
        let (kept, renumbered) = table.finish(&counts(&[9, 5, 5, 1, 5]), 3);
        assert_eq!(all(&kept), [vec![2, 3], vec![3, 2], vec![4, 3]]);
        assert_eq!(kept.child(2, 3), Some(5));
        assert_eq!(kept.child(4, 3), Some(7));
        for (prefix, symbol) in [(2, 4), (4, 2), (5, 4), (7, 3), (1, 3), (99, 99)] {
            assert_eq!(kept.child(prefix, symbol), None);
        }
        assert_eq!(renumbered, [Some(0), None, Some(1), None, Some(2)]);
    }
}
