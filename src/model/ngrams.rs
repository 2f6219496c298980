//! The n-grams that the model knows, and their numbers.
//!
//! An n-gram is a run of 2 to 8 symbols; a symbol is an action or one of the two markers that stand before the first
//! and after the last action. N-grams form a trie: each is found from its prefix and its last symbol.

use std::ops::Range;

/// The marker before the first action.
pub(crate) const BOS: u32 = 0;
/// The marker after the last action.
pub(crate) const EOS: u32 = 1;
/// Symbol of the action with number 0; action `a` is symbol `a + FIRST_ACTION`.
pub(crate) const FIRST_ACTION: u32 = 2;

/// Most symbols of an n-gram.
pub(crate) const MAX_NGRAM: usize = 8;

/// A place in a trie over `symbols` symbols: a single symbol, or n-gram number `node - symbols`.
pub(crate) type Node = u32;
/// Stands for a symbol or n-gram that is not known.
pub(crate) const UNKNOWN: Node = u32::MAX;

/// Most nodes that can be told apart. So many n-grams take more than 40 GB.
pub(crate) const MOST_NODES: u32 = 1 << 31;
/// Stands where there is no n-gram.
pub(crate) const FREE: u32 = u32::MAX;
/// N-grams in their order: shorter ones first, and within a length by their symbols. So all that extend the same prefix follow each other
/// by their last symbols, and the number of one is that of the first and how many come before it.
#[derive(Debug, Clone)]
pub(crate) struct NgramTable {
    symbols: u32,
    /// The prefix of each n-gram.
    parents: Vec<Node>,
    /// The last symbol of each n-gram.
    lasts: Vec<u32>,
    /// By node, the number of the first n-gram that extends it, or of the next one if none does; as far as nodes are extended.
    starts: Vec<u32>,
    /// By node, from the first on as far as there is room, what extends it by each symbol.
    followers: Vec<Followers>,
    /// How many followers a node has: one for so many symbols as a number has bits.
    width: usize,
}

/// Which of some consecutive symbols extend a node, and the number of the first n-gram that this makes.
#[derive(Debug, Clone, Copy, Default)]
struct Followers {
    symbols: u64,
    first: u32,
}

/// Room for all followers: 8 MB. Short n-grams, which come first, are looked up most.
const MOST_FOLLOWERS: usize = 1 << 19;
/// So many n-grams are looked up at once.
const AT_ONCE: usize = 16;
/// Among this many symbols or fewer, one is found by a look at each.
const FEW: usize = 16;

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
            parents: Vec::with_capacity(ngrams),
            lasts: Vec::with_capacity(ngrams),
            starts: Vec::new(),
            followers: Vec::new(),
            width: symbols.div_ceil(u64::BITS) as usize,
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
        self.lasts.len() as u32
    }

    /// What n-gram `number` extends.
    pub(crate) fn parent(&self, number: u32) -> Node {
        self.parents[number as usize]
    }

    /// The last symbol of n-gram `number`.
    pub(crate) fn last(&self, number: u32) -> u32 {
        self.lasts[number as usize]
    }

    /// The symbols of n-gram `number`.
    pub(crate) fn symbols_of(&self, number: u32) -> Vec<u32> {
        let (mut node, last) = (self.parent(number), self.last(number));
        let mut symbols = vec![last];
        while let Some(number) = self.ngram(node) {
            symbols.push(self.last(number));
            node = self.parent(number);
        }
        symbols.push(node);
        symbols.reverse();
        symbols
    }

    /// The numbers of the n-grams that extend `node` by one symbol.
    pub(crate) fn extensions(&self, node: Node) -> Range<u32> {
        let node = node as usize;
        let start = self.starts.get(node).copied().unwrap_or(self.len());
        start..self.starts.get(node.saturating_add(1)).copied().unwrap_or(self.len())
    }

    /// The n-gram that extends `prefix` by `symbol`, if the table has it. Neither has to be known.
    #[inline]
    pub(crate) fn child(&self, prefix: Node, symbol: u32) -> Option<Node> {
        self.child_among(self.among(prefix, symbol), prefix, symbol)
    }

    /// The followers of `prefix` among which `symbol` would be, if there is room for them. Neither has to be known.
    #[inline]
    fn among(&self, prefix: Node, symbol: u32) -> Option<Followers> {
        self.followers.get(self.place(prefix, symbol)).copied()
    }

    /// The n-gram that extends `prefix` by `symbol`, given what it is [`among`](Self::among).
    #[inline]
    fn child_among(&self, followers: Option<Followers>, prefix: Node, symbol: u32) -> Option<Node> {
        if prefix == UNKNOWN || symbol >= self.symbols {
            return None;
        }
        let number = match followers {
            Some(followers) => {
                let bit = 1 << (symbol % u64::BITS);
                if followers.symbols & bit == 0 {
                    return None;
                }
                followers.first + (followers.symbols & (bit - 1)).count_ones()
            }
            None => {
                let range = self.extensions(prefix);
                range.start + find(&self.lasts[range.start as usize..range.end as usize], symbol)?
            }
        };
        Some(self.symbols + number)
    }

    /// Where the followers stand among which `symbol` is.
    #[inline]
    fn place(&self, prefix: Node, symbol: u32) -> usize {
        prefix as usize * self.width + (symbol / u64::BITS) as usize
    }

    /// Puts into `found`, for each of `nodes` the n-gram that extends it by the symbol at its place, or [`UNKNOWN`].
    pub(crate) fn children(&self, nodes: &[Node], symbols: &[u32], found: &mut Vec<Node>) {
        found.clear();
        // Memory is what this waits for, so much is asked for before any of it is used.
        let mut asked = [None; AT_ONCE];
        for (nodes, symbols) in nodes.chunks(AT_ONCE).zip(symbols.chunks(AT_ONCE)) {
            let pairs = nodes.iter().copied().zip(symbols.iter().copied());
            for (asked, (node, symbol)) in asked.iter_mut().zip(pairs.clone()) {
                *asked = self.among(node, symbol);
            }
            let children = asked.iter().zip(pairs);
            found.extend(
                children.map(|(&asked, (node, symbol))| self.child_among(asked, node, symbol).unwrap_or(UNKNOWN)),
            );
        }
    }

    /// Adds the n-gram that extends `prefix` by `symbol`, both known, which must come after all that are there.
    pub(crate) fn add(&mut self, prefix: Node, symbol: u32) -> Node {
        let number = self.len();
        debug_assert!(
            self.parents.last().copied().zip(self.lasts.last().copied()) < Some((prefix, symbol)),
            "n-grams out of order"
        );
        assert!(self.symbols + number < MOST_NODES, "more than 2^31 n-grams");
        if self.starts.len() <= prefix as usize {
            self.starts.resize(prefix as usize + 1, number);
        }
        let row = prefix as usize * self.width;
        if row + self.width <= MOST_FOLLOWERS {
            if self.followers.len() <= row {
                self.followers.resize(row + self.width, Followers::default());
            }
            let place = self.place(prefix, symbol);
            let followers = &mut self.followers[place];
            if followers.symbols == 0 {
                followers.first = number;
            }
            followers.symbols |= 1 << (symbol % u64::BITS);
        }
        self.parents.push(prefix);
        self.lasts.push(symbol);
        self.symbols + number
    }
}

/// Where `symbol` stands among `sorted` ones.
#[inline]
fn find(sorted: &[u32], symbol: u32) -> Option<u32> {
    let (mut rest, mut before) = (sorted, 0);
    while rest.len() > FEW {
        let (low, high) = rest.split_at(rest.len() / 2);
        if high[0] <= symbol {
            before += low.len();
            rest = high;
        } else {
            rest = low;
        }
    }
    let smaller = rest.iter().filter(|&&other| other < symbol).count();
    (rest.get(smaller) == Some(&symbol)).then_some((before + smaller) as u32)
}

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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    /// The table of these n-grams, given by their symbols.
    pub(crate) fn table_of(actions: usize, ngrams: &[&[u32]]) -> NgramTable {
        let mut table = NgramTable::new(actions);
        let all: BTreeSet<(usize, &[u32])> = ngrams.iter().map(|ngram| (ngram.len(), *ngram)).collect();
        let mut nodes: BTreeMap<&[u32], Node> = BTreeMap::new();
        for (length, ngram) in all {
            let (prefix, last) = ngram.split_at(length - 1);
            let prefix = if length == 2 { prefix[0] } else { nodes[prefix] };
            nodes.insert(ngram, table.add(prefix, last[0]));
        }
        table
    }

    proptest! {
        #[test]
        fn what_was_added_is_found_and_nothing_else(
            actions in prop_oneof![Just(3_usize), Just(40), Just(200), Just(5000)],
            runs in proptest::collection::vec((0..9_u32, proptest::collection::vec(any::<u32>(), 1..5)), 0..300),
            unseen in proptest::collection::vec((any::<u32>(), any::<u32>()), 100),
        ) {
            let symbols = actions as u32 + FIRST_ACTION;
            let known = |symbol: u32| symbol % symbols;
            let mut ngrams: BTreeSet<Vec<u32>> = BTreeSet::new();
            for (first, run) in &runs {
                let run: Vec<u32> = [known(*first)].into_iter().chain(run.iter().map(|&symbol| known(symbol))).collect();
                ngrams.extend((2..=run.len()).map(|length| run[..length].to_vec()));
            }
            let all: Vec<&[u32]> = ngrams.iter().map(Vec::as_slice).collect();
            let table = table_of(actions, &all);
            let mut expected = BTreeMap::new();
            for number in 0..table.len() {
                prop_assert!(ngrams.contains(&table.symbols_of(number)));
                prop_assert!(table.extensions(table.parent(number)).contains(&number));
                expected.insert((table.parent(number), table.last(number)), symbols + number);
            }
            prop_assert_eq!(expected.len(), ngrams.len());
            let (mut nodes, mut lasts): (Vec<Node>, Vec<u32>) = expected.keys().copied().unzip();
            for (node, symbol) in unseen {
                nodes.extend([node, node % (symbols + table.len()), 0, UNKNOWN]);
                lasts.extend([symbol, known(symbol), symbol, symbol]);
            }
            let mut found = vec![7];
            table.children(&nodes, &lasts, &mut found);
            let wanted = nodes.iter().zip(&lasts).map(|(&node, &last)| expected.get(&(node, last)).copied().unwrap_or(UNKNOWN));
            prop_assert_eq!(found, wanted.collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_ngram_is_the_symbols_on_the_way_to_it() {
        let table = table_of(3, &[&[BOS, 4], &[BOS, 4, 2], &[BOS, 4, 2, EOS]]);
        assert_eq!(table.symbols_of(0), [BOS, 4]);
        assert_eq!(table.symbols_of(2), [BOS, 4, 2, EOS]);
        assert_eq!((table.ngram(7), table.ngram(4)), (Some(2), None));
    }

    #[test]
    fn where_there_is_no_room_for_followers_symbols_are_searched() {
        let mut table = NgramTable::new(510);
        let nodes: Vec<Node> = (0..512)
            .flat_map(|first| (0..512).map(move |second| (first, second)))
            .map(|(a, b)| table.add(a, b))
            .collect();
        for &node in nodes.iter().step_by(7) {
            table.add(node, node % 512);
        }
        assert!(table.followers.len() <= MOST_FOLLOWERS && table.starts.len() > MOST_FOLLOWERS / table.width);
        for (at, &node) in nodes.iter().enumerate() {
            let found = (0..512).filter_map(|symbol| table.child(node, symbol)).count();
            assert_eq!(found, usize::from(at % 7 == 0));
        }
    }
}
