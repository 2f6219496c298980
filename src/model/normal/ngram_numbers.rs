//! Numbers for n-grams while they are counted, in the order in which they first appear.

use crate::model::ngrams::{FIRST_ACTION, FREE, MOST_NODES, Node, Pairs, UNKNOWN};
use foldhash::fast::RandomState;
use std::hash::BuildHasher;

/// Numbers n-grams in the order in which they are added, a prefix always before what extends it.
#[derive(Debug, Clone)]
pub(crate) struct NgramNumbers {
    symbols: u32,
    /// The prefix and the last symbol of each n-gram.
    ngrams: Vec<(Node, u32)>,
    /// An n-gram stands in its [home](Self::home), or in the first slot behind it that was free. At least a quarter of the
    /// slots are; how many there are is a power of two.
    slots: Vec<Slot>,
    /// Seeded at random, so that nobody can choose n-grams that all want the same slot.
    hasher: RandomState,
    pairs: Pairs,
}

/// Place for one n-gram, with all that is compared, because memory is what look-ups wait for.
#[derive(Debug, Clone, Copy)]
struct Slot {
    ngram: (Node, u32),
    /// Its number, or [`FREE`].
    number: u32,
}

const FREE_SLOT: Slot = Slot {
    ngram: (UNKNOWN, UNKNOWN),
    number: FREE,
};

impl NgramNumbers {
    /// No n-grams yet, over the two markers and `actions` actions.
    pub(crate) fn new(actions: usize) -> Self {
        let symbols = actions as u32 + FIRST_ACTION;
        Self {
            symbols,
            ngrams: Vec::new(),
            slots: vec![FREE_SLOT; 4],
            hasher: RandomState::default(),
            pairs: Pairs::new(symbols),
        }
    }

    /// Number of symbols: the markers and the actions.
    pub(crate) fn symbols(&self) -> u32 {
        self.symbols
    }

    /// Number of n-grams.
    pub(crate) fn len(&self) -> u32 {
        self.ngrams.len() as u32
    }

    /// What n-gram `number` extends.
    pub(crate) fn parent(&self, number: u32) -> Node {
        self.ngrams[number as usize].0
    }

    /// The last symbol of n-gram `number`.
    pub(crate) fn last(&self, number: u32) -> u32 {
        self.ngrams[number as usize].1
    }

    /// The n-gram that extends `prefix` by `symbol`, if the table has it. Neither has to be known.
    #[inline]
    pub(crate) fn child(&self, prefix: Node, symbol: u32) -> Option<Node> {
        if prefix == UNKNOWN || symbol >= self.symbols {
            return None;
        }
        let number = if self.pairs.hold(prefix) {
            self.pairs.get(prefix, symbol)
        } else {
            self.slots[self.place((prefix, symbol))].number
        };
        (number != FREE).then(|| self.symbols + number)
    }

    /// Puts into `found`, for each of `nodes`, all of the same length, the n-gram that extends it by the symbol at its place, or
    /// [`UNKNOWN`].
    ///
    /// Memory is what look-ups wait for. Here all homes are asked for before any is looked at, which takes half the time.
    pub(crate) fn children(&self, nodes: &[Node], symbols: &[u32], found: &mut Vec<Node>) {
        const AT_ONCE: usize = 32;
        found.clear();
        for (nodes, symbols) in nodes.chunks(AT_ONCE).zip(symbols.chunks(AT_ONCE)) {
            let mut homes = [FREE_SLOT; AT_ONCE];
            if !self.pairs.hold(nodes[0]) {
                for ((home, &node), &symbol) in homes.iter_mut().zip(nodes).zip(symbols) {
                    *home = self.slots[self.home((node, symbol))];
                }
            }
            for ((&node, &symbol), home) in nodes.iter().zip(symbols).zip(&homes) {
                found.push(if home.ngram == (node, symbol) && home.number != FREE {
                    self.symbols + home.number
                } else {
                    self.child(node, symbol).unwrap_or(UNKNOWN)
                });
            }
        }
    }

    /// The n-gram that extends `prefix` by `symbol`, which must be known; added if it is new.
    pub(crate) fn child_or_new(&mut self, prefix: Node, symbol: u32) -> Node {
        if let Some(node) = self.child(prefix, symbol) {
            return node;
        }
        let number = self.ngrams.len() as u32;
        assert!(self.symbols + number < MOST_NODES, "more than 2^31 n-grams");
        let ngram = (prefix, symbol);
        self.ngrams.push(ngram);
        if self.pairs.hold(prefix) {
            self.pairs.set(prefix, symbol, number);
        } else {
            if self.ngrams.len() > self.slots.len() / 4 * 3 {
                self.grow();
            }
            let place = self.place(ngram);
            self.slots[place] = Slot { ngram, number };
        }
        self.symbols + number
    }

    /// The slot in which an n-gram stands unless others were there first.
    #[inline]
    fn home(&self, (prefix, symbol): (Node, u32)) -> usize {
        let hash = self.hasher.hash_one(u64::from(prefix) << 32 | u64::from(symbol));
        hash as usize & (self.slots.len() - 1)
    }

    /// The slot in which an n-gram stands, or would stand.
    fn place(&self, ngram: (Node, u32)) -> usize {
        let mut place = self.home(ngram);
        loop {
            let slot = &self.slots[place];
            if slot.ngram == ngram || slot.number == FREE {
                return place;
            }
            place = (place + 1) & (self.slots.len() - 1);
        }
    }

    /// Doubles the slots.
    fn grow(&mut self) {
        let slots = std::mem::take(&mut self.slots);
        self.slots = vec![FREE_SLOT; 2 * slots.len()];
        for slot in slots.into_iter().filter(|slot| slot.number != FREE) {
            let place = self.place(slot.ngram);
            self.slots[place] = slot;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn what_was_added_is_found_and_nothing_else(
            actions in prop_oneof![Just(3_usize), Just(40), Just(5000)],
            runs in proptest::collection::vec(proptest::collection::vec(any::<u32>(), 2..6), 0..200),
            unseen in proptest::collection::vec((any::<u32>(), any::<u32>()), 100),
        ) {
            let mut table = NgramNumbers::new(actions);
            let mut expected = BTreeMap::new();
            for run in &runs {
                let known = table.symbols();
                let mut node = run[0] % known;
                for symbol in run[1..].iter().map(|symbol| symbol % known) {
                    let next = table.symbols() + expected.len() as u32;
                    let child = *expected.entry((node, symbol)).or_insert(next);
                    prop_assert_eq!(table.child_or_new(node, symbol), child);
                    node = child;
                }
            }
            prop_assert_eq!(table.len() as usize, expected.len());
            let (mut nodes, mut symbols): (Vec<Node>, Vec<u32>) = expected.keys().copied().unzip();
            for (node, symbol) in unseen {
                nodes.extend([node, node % (table.symbols() + table.len()), 0, UNKNOWN]);
                symbols.extend([symbol, symbol % table.symbols(), symbol, symbol]);
            }
            let expected = |node: Node, symbol| expected.get(&(node, symbol)).copied();
            for (&node, &symbol) in nodes.iter().zip(&symbols) {
                prop_assert_eq!(table.child(node, symbol), expected(node, symbol));
            }
            // All at once, single symbols and n-grams apart as they are in a sequence, with unknown ones in any place.
            let pairs = nodes.into_iter().zip(symbols);
            let (roots, ngrams): (Vec<_>, Vec<_>) = pairs.partition(|&(node, _)| node < table.symbols() || node == UNKNOWN);
            for pairs in [roots, ngrams] {
                let (nodes, symbols): (Vec<Node>, Vec<u32>) = pairs.into_iter().unzip();
                let mut found = vec![7];
                table.children(&nodes, &symbols, &mut found);
                let expected = nodes.iter().zip(&symbols).map(|(&node, &symbol)| expected(node, symbol).unwrap_or(UNKNOWN));
                prop_assert_eq!(found, expected.collect::<Vec<_>>());
            }
        }
    }
}
