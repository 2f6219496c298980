//! The table of n-grams: which ones the model knows, and their numbers.
//!
//! An n-gram is a run of 2 to 8 symbols; a symbol is an action or one of the two markers that stand before the first
//! and after the last action. The table is a trie: each n-gram is found from its prefix and its last symbol, so an
//! n-gram of any length is one 64-bit key and no two n-grams share one. It is closed under prefixes.

use crate::dataset::ClassCounts;
use foldhash::fast::RandomState;
use indexmap::IndexSet;
use std::cmp::Reverse;

/// The marker before the first action.
pub(crate) const BEGIN: u32 = 0;
/// The marker after the last action.
pub(crate) const END: u32 = 1;
/// Symbol of the action with number 0; action `a` is symbol `a + FIRST_ACTION`.
pub(crate) const FIRST_ACTION: u32 = 2;

/// A place in the trie: a single symbol (below `symbols`), or n-gram number `node - symbols`.
pub(crate) type Node = u32;

/// Numbers n-grams over `symbols` symbols in the order in which they were added.
#[derive(Debug, Clone)]
pub(crate) struct NgramTable {
    symbols: u32,
    /// `prefix node << 32 | last symbol`.
    keys: IndexSet<u64, RandomState>,
}

fn key(prefix: Node, symbol: u32) -> u64 {
    u64::from(prefix) << 32 | u64::from(symbol)
}

impl NgramTable {
    /// An empty table over the two markers and `actions` actions.
    pub(crate) fn new(actions: usize) -> Self {
        Self {
            symbols: actions as u32 + FIRST_ACTION,
            keys: IndexSet::default(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Number of symbols: the markers and the actions.
    pub(crate) fn symbols(&self) -> u32 {
        self.symbols
    }

    /// The n-gram that extends `prefix` by `symbol`, if the table has it. Symbols of unknown actions
    /// ([`symbols`](Self::symbols) and above) extend nothing.
    pub(crate) fn child(&self, prefix: Node, symbol: u32) -> Option<Node> {
        let index = self.keys.get_index_of(&key(prefix, symbol))?;
        Some(self.symbols + index as u32)
    }

    /// The n-gram that extends `prefix` by `symbol`, added if the table does not have it.
    pub(crate) fn child_or_add(&mut self, prefix: Node, symbol: u32) -> Node {
        self.symbols + self.keys.insert_full(key(prefix, symbol)).0 as u32
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
            let key = self.keys[(node - self.symbols) as usize];
            symbols.push(key as u32);
            node = (key >> 32) as u32;
        }
        symbols.push(node);
        symbols.reverse();
        symbols
    }

    /// Numbers the n-grams anew, shorter ones first and within a length by their symbols, and keeps only the `keep`
    /// most frequent, ties by that order. Returns the new table and, for each old number, the new one.
    ///
    /// An n-gram is never more frequent than its prefix and comes after it, so what is kept is closed under prefixes.
    pub(crate) fn canonical(&self, counts: &[ClassCounts], keep: usize) -> (NgramTable, Vec<Option<u32>>) {
        let order = self.canonical_order();
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
            keys: IndexSet::with_capacity_and_hasher(order.len().min(keep), RandomState::default()),
        };
        let mut renumbered = vec![None; order.len()];
        for number in order.into_iter().filter(|&number| kept[number as usize]) {
            let (prefix, symbol) = self.parts(number);
            let prefix = if prefix < self.symbols {
                prefix
            } else {
                match renumbered[self.number(prefix) as usize] {
                    Some(new) => self.symbols + new,
                    None => continue,
                }
            };
            let node = table.child_or_add(prefix, symbol);
            renumbered[number as usize] = Some(table.number(node));
        }
        (table, renumbered)
    }

    /// All n-gram numbers, shorter n-grams first and within a length by their symbols.
    fn canonical_order(&self) -> Vec<u32> {
        // A prefix is always added before what extends it, so one pass finds every length.
        let mut by_length: Vec<Vec<u32>> = Vec::new();
        let mut lengths: Vec<u8> = Vec::with_capacity(self.len());
        for number in 0..self.len() as u32 {
            let (prefix, _) = self.parts(number);
            let length = if prefix < self.symbols {
                0
            } else {
                lengths[self.number(prefix) as usize] + 1
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
                let prefix = if prefix < self.symbols {
                    prefix
                } else {
                    rank[self.number(prefix) as usize]
                };
                key(prefix, symbol)
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
    fn add(table: &mut NgramTable, symbols: &[u32]) {
        let mut node = symbols[0];
        for &symbol in &symbols[1..] {
            node = table.child_or_add(node, symbol);
        }
    }

    fn all(table: &NgramTable) -> Vec<Vec<u32>> {
        (0..table.len() as u32).map(|number| table.symbols_of(number)).collect()
    }

    #[test]
    fn canonical_numbers_do_not_depend_on_the_order_of_arrival() {
        let ngrams: [&[u32]; 4] = [&[5, 4, 3], &[0, 2, 3], &[2, 3, 4, 1], &[2, 1]];
        let mut forward = NgramTable::new(4);
        let mut backward = NgramTable::new(4);
        ngrams.iter().for_each(|ngram| add(&mut forward, ngram));
        ngrams.iter().rev().for_each(|ngram| add(&mut backward, ngram));
        let canonical = |table: &NgramTable| all(&table.canonical(&counts(&[1; 8]), usize::MAX).0);
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
    fn the_most_frequent_are_kept_and_ties_go_to_the_first() {
        let mut table = NgramTable::new(3);
        for ngram in [&[2_u32, 3, 4][..], &[3, 2], &[4, 2], &[4, 3]] {
            add(&mut table, ngram);
        }
        // In order of arrival: 2 3 (9), 2 3 4 (5), 3 2 (5), 4 2 (1), 4 3 (5).
        let (kept, renumbered) = table.canonical(&counts(&[9, 5, 5, 1, 5]), 3);
        assert_eq!(all(&kept), [vec![2, 3], vec![3, 2], vec![4, 3]]);
        assert_eq!(renumbered, [Some(0), None, Some(1), None, Some(2)]);
    }
}
