//! The n-grams that the model knows, and their numbers.
//!
//! An n-gram is a run of 2 to 8 symbols; a symbol is an action or one of the two markers that stand before the first
//! and after the last action. N-grams form a trie: each is found from its prefix and its last symbol.

use foldhash::fast::RandomState;
use std::hash::BuildHasher;

/// The marker before the first action.
pub(crate) const BOS: u32 = 0;
/// The marker after the last action.
pub(crate) const EOS: u32 = 1;
/// Symbol of the action with number 0; action `a` is symbol `a + FIRST_ACTION`.
pub(crate) const FIRST_ACTION: u32 = 2;

/// A place in a trie over `symbols` symbols: a single symbol, or n-gram number `node - symbols`.
pub(crate) type Node = u32;
/// Stands for a symbol or n-gram that is not known.
pub(crate) const UNKNOWN: Node = u32::MAX;

/// Numbers n-grams in the order in which they are added, a prefix always before what extends it.
#[derive(Debug, Clone)]
pub(crate) struct NgramTable {
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

/// Most nodes that can be told apart. So many n-grams take more than 40 GB.
pub(crate) const MOST_NODES: u32 = 1 << 31;
/// Stands where there is no n-gram.
pub(crate) const FREE: u32 = u32::MAX;
const FREE_SLOT: Slot = Slot {
    ngram: (UNKNOWN, UNKNOWN),
    number: FREE,
};

/// The number of each pair of symbols, if there are few symbols: nearly half of all look-ups are for pairs.
#[derive(Debug, Clone)]
pub(crate) struct Pairs {
    symbols: u32,
    /// Row by row, [`FREE`] for pairs without a number; empty if there are too many symbols.
    numbers: Vec<u32>,
}

impl Pairs {
    /// No pairs of `symbols` symbols yet. They take 4 MB at most.
    pub(crate) fn new(symbols: u32) -> Self {
        let pairs = if symbols <= 1 << 10 { symbols * symbols } else { 0 };
        Self {
            symbols,
            numbers: vec![FREE; pairs as usize],
        }
    }

    /// Whether what extends `prefix` stands here.
    pub(crate) fn hold(&self, prefix: Node) -> bool {
        prefix < self.symbols && !self.numbers.is_empty()
    }

    /// The number of a pair that stands here, or [`FREE`].
    pub(crate) fn get(&self, prefix: Node, symbol: u32) -> u32 {
        self.numbers[(prefix * self.symbols + symbol) as usize]
    }

    pub(crate) fn set(&mut self, prefix: Node, symbol: u32, number: u32) {
        self.numbers[(prefix * self.symbols + symbol) as usize] = number;
    }
}

impl NgramTable {
    /// An empty table over the two markers and `actions` actions.
    pub(crate) fn new(actions: usize) -> Self {
        Self::with_capacity(actions, 0)
    }

    /// The same with room for so many n-grams.
    pub(crate) fn with_capacity(actions: usize, ngrams: usize) -> Self {
        let symbols = actions as u32 + FIRST_ACTION;
        Self {
            symbols,
            ngrams: Vec::with_capacity(ngrams),
            slots: vec![FREE_SLOT; (ngrams / 3 * 4 + 4).next_power_of_two()],
            hasher: RandomState::default(),
            pairs: Pairs::new(symbols),
        }
    }

    /// Number of symbols: the markers and the actions.
    pub(crate) fn symbols(&self) -> u32 {
        self.symbols
    }

    /// The n-gram number of `node`, which must not be a single symbol.
    pub(crate) fn number(&self, node: Node) -> u32 {
        node - self.symbols
    }

    /// The n-gram that `node` is, unless it is a single symbol.
    pub(crate) fn ngram(&self, node: Node) -> Option<u32> {
        node.checked_sub(self.symbols)
    }

    /// Number of n-grams.
    pub(crate) fn len(&self) -> u32 {
        self.ngrams.len() as u32
    }

    /// An empty table over the same symbols, with room for as many n-grams.
    pub(crate) fn with_room_for(other: &Self) -> Self {
        Self {
            symbols: other.symbols,
            ngrams: Vec::with_capacity(other.ngrams.len()),
            slots: vec![FREE_SLOT; other.slots.len()],
            hasher: RandomState::default(),
            pairs: Pairs::new(other.symbols),
        }
    }

    /// What n-gram `number` extends.
    pub(crate) fn parent(&self, number: u32) -> Node {
        self.ngrams[number as usize].0
    }

    /// The last symbol of n-gram `number`.
    pub(crate) fn last(&self, number: u32) -> u32 {
        self.ngrams[number as usize].1
    }

    /// The symbols of n-gram `number`.
    pub(crate) fn symbols_of(&self, number: u32) -> Vec<u32> {
        let (mut node, last) = self.ngrams[number as usize];
        let mut symbols = vec![last];
        while let Some(number) = self.ngram(node) {
            let (prefix, symbol) = self.ngrams[number as usize];
            symbols.push(symbol);
            node = prefix;
        }
        symbols.push(node);
        symbols.reverse();
        symbols
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
        self.child(prefix, symbol).unwrap_or_else(|| self.add(prefix, symbol))
    }

    /// Adds the n-gram that extends `prefix` by `symbol`, which must be new.
    pub(crate) fn add(&mut self, prefix: Node, symbol: u32) -> Node {
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
            let mut table = NgramTable::new(actions);
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

    #[test]
    fn an_ngram_is_the_symbols_on_the_way_to_it() {
        let mut table = NgramTable::new(3);
        let pair = table.child_or_new(BOS, 4);
        let triple = table.child_or_new(pair, 2);
        let longest = table.child_or_new(triple, EOS);
        assert_eq!(table.symbols_of(table.number(pair)), [BOS, 4]);
        assert_eq!(table.symbols_of(table.number(longest)), [BOS, 4, 2, EOS]);
        assert_eq!((table.ngram(longest), table.ngram(4)), (Some(2), None));
    }
}
