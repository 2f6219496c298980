//! The n-grams that the model knows, and their numbers.
//!
//! An n-gram is a run of 2 to 8 symbols; a symbol is an action or one of the two markers that stand before the first
//! and after the last action. N-grams form a trie: each is found from its prefix and its last symbol. What an
//! [`NgramCounter`](crate::ngram_counter::NgramCounter) has counted becomes an [`NgramTable`].

use std::cmp::Ordering;

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

    #[cfg(test)]
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
