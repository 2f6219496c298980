//! How probable an action is after those before it: n-grams of all lengths, interpolated.
//!
//! P(a | h) = (c(h a) + T(h) P(a | h')) / (c(h) + T(h)), where c counts occurrences, T(h) is how many different symbols follow the
//! context h, and h' is h without its first symbol. Without any context the last term is one of as many equal shares as there are
//! symbols and one more, which stands for all that is unknown. A context that was never followed says nothing.
//!
//! Source: I. Witten and T. Bell, "The zero-frequency problem", IEEE Transactions on Information Theory 37 (1991), method C, in the
//! interpolated form of S. Chen and J. Goodman, "An empirical study of smoothing techniques for language modeling" (1998).

use crate::model::ngrams::{BOS, EOS, FIRST_ACTION, NgramTable, Node, UNKNOWN};
use crate::model::normal::ngram_numbers::NgramNumbers;

/// The n-grams that occur in normal sequences, and how often.
#[derive(Debug, Clone)]
pub(crate) struct WittenBell {
    /// In the order of their lengths, then symbols, so that all that extend a context stand side by side.
    pub(crate) table: NgramTable,
    pub(crate) counts: Occurrences,
    /// Longest n-gram.
    pub(crate) n: usize,
    /// Each n-gram without its first symbol.
    suffixes: Vec<Node>,
}

/// How often each symbol and n-gram occurs, and how surprising that makes it.
#[derive(Debug, Clone)]
pub(crate) struct Occurrences {
    /// Of each symbol, then of each n-gram. That of the marker of the beginning is the number of sequences.
    pub(crate) seen: Vec<u64>,
    /// How many different symbols follow each of them.
    followers: Vec<u32>,
    /// The surprise in bits of the last symbol of each of them after those before it.
    bits: Vec<f64>,
    /// What is added to the surprise of a symbol that was never seen behind each of them, to what it is behind the next shorter one.
    backoff: Vec<f64>,
    /// The surprise of a symbol that is not known, without any context.
    unknown: f64,
}

impl Occurrences {
    /// From how often each symbol and each n-gram of `table` occurs, times `scale`; `suffixes` are these without their first symbols.
    fn new(table: &NgramTable, suffixes: &[Node], seen: Vec<u64>, scale: f64) -> Self {
        let often = |count: u64| count as f64 * scale;
        let symbols = table.symbols();
        let mut followers = vec![0_u32; seen.len()];
        for number in 0..table.len() {
            if seen[(symbols + number) as usize] > 0 {
                followers[table.parent(number) as usize] += 1;
            }
        }
        // Expected are all actions, and the end of each sequence.
        let expected = || {
            let symbols = &seen[..symbols as usize];
            (0..)
                .zip(symbols)
                .filter(|&(symbol, &count)| symbol != BOS && count > 0)
        };
        let total = often(expected().map(|(_, &count)| count).sum());
        let kinds = expected().count() as f64;
        let anywhere = |count: u64| (often(count) + kinds / (kinds + 1.0)) / (total + kinds);
        let mut probabilities: Vec<f64> = seen[..symbols as usize].iter().map(|&count| anywhere(count)).collect();
        for number in 0..table.len() {
            let shorter = probabilities[suffixes[number as usize] as usize];
            let context = table.parent(number) as usize;
            let (whole, kinds) = (often(seen[context]), f64::from(followers[context]));
            probabilities.push(match followers[context] {
                0 => shorter,
                _ => (often(seen[(symbols + number) as usize]) + kinds * shorter) / (whole + kinds),
            });
        }
        let backoff = |(&seen, &followers): (&u64, &u32)| {
            let followers = f64::from(followers);
            libm::log2((often(seen) + followers) / followers)
        };
        Self {
            bits: probabilities.into_iter().map(|p| -libm::log2(p)).collect(),
            backoff: seen.iter().zip(&followers).map(backoff).collect(),
            unknown: -libm::log2(anywhere(0)),
            followers,
            seen,
        }
    }

    /// Whether anything is known to follow `node`.
    fn is_followed(&self, node: Node) -> bool {
        node != UNKNOWN && self.followers[node as usize] > 0
    }
}

/// The n-grams of a sequence: for each length from 1, that which begins at each place, if it is known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Runs {
    symbols: Vec<u32>,
    by_length: Vec<Vec<Node>>,
}

impl Runs {
    /// Of a sequence with these symbols, of which those below `known` are, up to `n` of them in a row. `children` finds what extends
    /// nodes by symbols.
    fn look_up(
        &mut self,
        known: u32,
        n: usize,
        symbols: impl Iterator<Item = u32>,
        children: impl Fn(&[Node], &[u32], &mut Vec<Node>),
    ) {
        self.symbols.clear();
        self.symbols.extend(symbols);
        self.by_length.resize_with(n, Vec::new);
        let known = |&symbol: &u32| if symbol < known { symbol } else { UNKNOWN };
        self.by_length[0].clear();
        self.by_length[0].extend(self.symbols.iter().map(known));
        for length in 1..n {
            let (shorter, longer) = self.by_length.split_at_mut(length);
            let count = self.symbols.len().saturating_sub(length);
            let prefixes = &shorter[length - 1][..count];
            children(prefixes, &self.symbols[self.symbols.len() - count..], &mut longer[0]);
        }
    }

    /// The n-gram of so many symbols that ends before `place`.
    fn before(&self, place: usize, length: usize) -> Node {
        match place.checked_sub(length) {
            Some(start) => self.by_length[length - 1][start],
            None => UNKNOWN,
        }
    }

    /// For each place the longest known n-gram that begins there.
    fn longest(&self) -> impl Iterator<Item = Node> {
        (0..self.symbols.len()).filter_map(|start| {
            let runs = self.by_length.iter().map_while(|runs| runs.get(start).copied());
            runs.take_while(|&node| node != UNKNOWN).last()
        })
    }
}

/// What may come next, and how probable it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Expected {
    /// The action or [`EOS`].
    pub(crate) symbol: u32,
    pub(crate) probability: f64,
}

impl WittenBell {
    /// Of n-grams in order, with how often each symbol and each of them occurs.
    pub(crate) fn new(table: NgramTable, seen: Vec<u64>, n: usize) -> Self {
        let mut suffixes: Vec<Node> = Vec::with_capacity(table.len() as usize);
        for number in 0..table.len() {
            let (context, last) = (table.parent(number), table.last(number));
            suffixes.push(match table.ngram(context) {
                None => last,
                // Whatever occurs somewhere also occurs without its first symbol, and no less often; should a file say otherwise, with
                // as much of it as there is.
                Some(context) => table.child(suffixes[context as usize], last).unwrap_or(last),
            });
        }
        Self {
            counts: Occurrences::new(&table, &suffixes, seen, 1.0),
            table,
            n,
            suffixes,
        }
    }

    /// The occurrences without `own`, which are among them, scaled up to as many sequences as there are: else whatever is rare would be
    /// less surprising to what is left than to all.
    pub(crate) fn without(&self, own: &[u64]) -> Occurrences {
        let left = self.counts.seen.iter().zip(own).map(|(all, own)| all - own).collect();
        let sequences = |seen: &[u64]| seen[BOS as usize] as f64;
        let all = sequences(&self.counts.seen);
        let scale = all / (all - sequences(own));
        Occurrences::new(&self.table, &self.suffixes, left, scale)
    }

    /// The n-grams of a sequence of these symbols.
    pub(crate) fn look_up(&self, runs: &mut Runs, symbols: impl Iterator<Item = u32>) {
        let table = &self.table;
        runs.look_up(table.symbols(), self.n, symbols, |nodes, symbols, found| {
            table.children(nodes, symbols, found);
        });
    }

    /// The surprise in bits of the symbol at `place` of a sequence after those before it, as `counts` has it.
    pub(crate) fn surprise(&self, counts: &Occurrences, runs: &Runs, place: usize) -> f64 {
        let wholes = (1..=self.n).map(|length| runs.before(place + 1, length));
        let known = wholes.take_while(|&whole| whole != UNKNOWN);
        let (length, longest) = known.fold((0, UNKNOWN), |(length, _), whole| (length + 1, whole));
        let mut bits = match longest {
            UNKNOWN => counts.unknown,
            longest => counts.bits[longest as usize],
        };
        // What it was never seen behind.
        for length in length.max(1)..self.n {
            let context = runs.before(place, length);
            if !counts.is_followed(context) {
                break;
            }
            bits += counts.backoff[context as usize];
        }
        bits
    }

    /// The `most` probable symbols at `place` of a sequence, the most probable first.
    pub(crate) fn expected(&self, runs: &Runs, place: usize, most: usize) -> Vec<Expected> {
        let counts = &self.counts;
        let contexts = (1..self.n).map(|length| runs.before(place, length));
        let longest = contexts.take_while(|&context| counts.is_followed(context)).last();
        let of = |symbol: u32, node: Node| Expected {
            symbol,
            probability: libm::exp2(-counts.bits[node as usize]),
        };
        let mut expected: Vec<Expected> = match longest {
            None => (EOS..self.table.symbols())
                .filter(|&symbol| counts.seen[symbol as usize] > 0)
                .map(|symbol| of(symbol, symbol))
                .collect(),
            Some(context) => {
                let numbers = self.table.extensions(context);
                numbers
                    .map(|number| of(self.table.last(number), self.table.symbols() + number))
                    .collect()
            }
        };
        expected.sort_by(|a, b| b.probability.total_cmp(&a.probability).then(a.symbol.cmp(&b.symbol)));
        expected.truncate(most);
        expected
    }

    /// How often the action with this number occurs.
    pub(crate) fn occurrences(&self, action: u32) -> u64 {
        self.counts.seen[(action + FIRST_ACTION) as usize]
    }
}

/// Counts n-grams of up to `n` symbols, and puts them in order.
#[derive(Debug)]
pub(crate) struct Counter {
    table: NgramNumbers,
    seen: Vec<u64>,
    n: usize,
    runs: Runs,
}

impl Counter {
    /// Over this many actions.
    pub(crate) fn new(actions: usize, n: usize) -> Self {
        let table = NgramNumbers::new(actions);
        Self {
            seen: vec![0; table.symbols() as usize],
            table,
            n,
            runs: Runs::default(),
        }
    }

    /// Counts the n-grams of a sequence with these actions, `count` times.
    pub(crate) fn add(&mut self, actions: impl Iterator<Item = u32>, count: u64) {
        let Self { table, seen, n, runs } = self;
        // What is known already is looked up all at once, which is faster.
        runs.look_up(table.symbols(), *n, marked(actions), |nodes, symbols, found| {
            table.children(nodes, symbols, found);
        });
        let Runs { symbols, by_length } = runs;
        for length in 2..=*n {
            let (shorter, longer) = by_length.split_at_mut(length - 1);
            for (start, node) in longer[0].iter_mut().enumerate() {
                if *node == UNKNOWN {
                    *node = table.child_or_new(shorter[length - 2][start], symbols[start + length - 1]);
                }
            }
        }
        seen.resize((table.symbols() + table.len()) as usize, 0);
        runs.longest().for_each(|node| seen[node as usize] += count);
    }

    /// At most `most` of the n-grams, in order: those of the contexts that occur most often.
    pub(crate) fn finish(self, most: usize) -> WittenBell {
        let Self { table, mut seen, n, .. } = self;
        add_extensions(&mut seen, table.symbols(), |number| table.parent(number));
        let context = |number: u32| seen[table.parent(number) as usize];
        let least = if table.len() as usize <= most {
            0
        } else {
            // Everything in a context stays or goes together, and whatever extends a context is no more frequent than it.
            let mut contexts: Vec<u64> = (0..table.len()).map(context).collect();
            contexts.sort_unstable_by_key(|&count| std::cmp::Reverse(count));
            contexts[most] + 1
        };
        let kept = (0..table.len()).filter(|&number| context(number) >= least);
        // The new place of each symbol and n-gram, filled from the short ones to the long ones.
        let mut node_of: Vec<Node> = (0..table.symbols()).collect();
        node_of.resize(seen.len(), UNKNOWN);
        let mut by_length: Vec<Vec<u32>> = vec![Vec::new(); n + 1];
        let mut lengths = vec![1_u8; seen.len()];
        for number in kept {
            let length = lengths[table.parent(number) as usize] + 1;
            lengths[(table.symbols() + number) as usize] = length;
            by_length[usize::from(length)].push(number);
        }
        let actions = (table.symbols() - FIRST_ACTION) as usize;
        let mut ordered = NgramTable::with_capacity(actions, seen.len());
        let mut counts = seen[..table.symbols() as usize].to_vec();
        for mut numbers in by_length {
            numbers.sort_unstable_by_key(|&number| (node_of[table.parent(number) as usize], table.last(number)));
            for number in numbers {
                let node = (table.symbols() + number) as usize;
                node_of[node] = ordered.add(node_of[table.parent(number) as usize], table.last(number));
                counts.push(seen[node]);
            }
        }
        WittenBell::new(ordered, counts, n)
    }
}

impl WittenBell {
    /// How often each symbol and n-gram occurs in some of the sequences that were counted: their actions, and how often they come.
    pub(crate) fn occurrences_in<A: Iterator<Item = u32>>(
        &self,
        sequences: impl Iterator<Item = (A, u64)>,
    ) -> Vec<u64> {
        let mut seen = vec![0; self.counts.seen.len()];
        let mut runs = Runs::default();
        for (actions, count) in sequences {
            self.look_up(&mut runs, marked(actions));
            runs.longest().for_each(|node| seen[node as usize] += count);
        }
        add_extensions(&mut seen, self.table.symbols(), |number| self.table.parent(number));
        seen
    }
}

/// From how often each n-gram is the longest that begins at some place to how often it occurs: whatever does not end a sequence goes on,
/// so all but the longest occur as often as what extends them, together.
///
/// `seen` is by node, of which those of n-grams begin at `symbols`, and `parent` says what each n-gram extends.
fn add_extensions(seen: &mut [u64], symbols: u32, parent: impl Fn(u32) -> Node) {
    for node in (symbols..seen.len() as u32).rev() {
        seen[parent(node - symbols) as usize] += seen[node as usize];
    }
}

/// The symbols of a sequence with these actions, its begin and end marked.
pub(crate) fn marked(actions: impl Iterator<Item = u32>) -> impl Iterator<Item = u32> {
    let symbols = actions.map(|action| action.saturating_add(FIRST_ACTION));
    std::iter::once(BOS).chain(symbols).chain([EOS])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the sequences "0 1" three times and "0 0".
    fn model(n: usize) -> WittenBell {
        let mut counter = Counter::new(2, n);
        counter.add([0, 0].into_iter(), 1);
        counter.add([0, 1].into_iter(), 3);
        counter.finish(1000)
    }

    /// Of each action, and of the end, as `counts` has it.
    fn probabilities_by(model: &WittenBell, counts: &Occurrences, actions: &[u32]) -> Vec<f64> {
        let mut runs = Runs::default();
        model.look_up(&mut runs, marked(actions.iter().copied()));
        (1..actions.len() + 2)
            .map(|place| model.surprise(counts, &runs, place))
            .map(|bits| libm::exp2(-bits))
            .collect()
    }

    fn assert_close(these: &[f64], those: &[f64]) {
        assert_eq!(these.len(), those.len());
        let far = these.iter().zip(those).find(|(a, b)| (*a - *b).abs() > 1e-14);
        assert_eq!(far, None, "{these:?} {those:?}");
    }

    fn probabilities(model: &WittenBell, actions: &[u32]) -> Vec<f64> {
        probabilities_by(model, &model.counts, actions)
    }

    #[test]
    fn probabilities_are_those_that_a_hand_works_out() {
        // 0 occurs 5 times, 1 three times, the end 4 times: N = 12, T = 3, and 3/4 of a new kind for each of 4.
        let anywhere = |count: f64| (count + 0.75) / 15.0;
        let one = probabilities(&model(1), &[0, 1]);
        assert_close(&one, &[anywhere(5.0), anywhere(3.0), anywhere(4.0)]);
        // After the beginning 0 alone, 4 times. After 0: 1 three times, 0 once, the end once. After 1 the end alone, 3 times.
        let (begin, then, end) = (
            (4.0 + anywhere(5.0)) / 5.0,
            (3.0 + 3.0 * anywhere(3.0)) / 8.0,
            (3.0 + anywhere(4.0)) / 4.0,
        );
        assert_close(&probabilities(&model(2), &[0, 1]), &[begin, then, end]);
        // After "begin 0": 1 three times, 0 once.
        let three = probabilities(&model(3), &[0, 1]);
        assert_close(&three[1..2], &[(3.0 + 2.0 * then) / 6.0]);
        // What was never seen behind `begin 1` and `1`, but somewhere; and what was never seen at all.
        let unseen = probabilities(&model(3), &[1, 1, 7]);
        assert_close(&unseen[..2], &[anywhere(3.0) / 5.0, anywhere(3.0) / 4.0]);
        assert_close(&unseen[2..3], &[anywhere(0.0) / 4.0]);
    }

    #[test]
    fn what_may_follow_adds_up_to_one() {
        for n in 1..5 {
            let model = model(n);
            for actions in [&[][..], &[0], &[0, 0], &[1, 1], &[7, 0], &[0, 1, 1, 0]] {
                // The end, both actions, and one that stands for all others.
                let then = |next: u32| probabilities(&model, &[actions, &[next]].concat())[actions.len()];
                let end = probabilities(&model, actions)[actions.len()];
                let sum: f64 = [0, 1, 2].map(then).iter().sum::<f64>() + end;
                assert!((sum - 1.0).abs() < 1e-12, "{n} {actions:?} {sum}");
            }
        }
    }

    #[test]
    fn leaving_sequences_out_is_as_if_the_others_had_come_more_often() {
        let mut counter = Counter::new(3, 3);
        counter.add([0, 0].into_iter(), 1);
        counter.add([0, 1].into_iter(), 3);
        counter.add([2, 1, 2].into_iter(), 4);
        let all = counter.finish(1000);
        let own = all.occurrences_in([([2, 1, 2].into_iter(), 4)].into_iter());
        let left = all.without(&own);
        let mut counter = Counter::new(2, 3);
        counter.add([0, 0].into_iter(), 2);
        counter.add([0, 1].into_iter(), 6);
        let twice = counter.finish(1000);
        for actions in [&[0, 1][..], &[0, 0], &[2, 1], &[1, 2, 0]] {
            assert_close(&probabilities_by(&all, &left, actions), &probabilities(&twice, actions));
        }
    }

    #[test]
    fn what_is_expected_comes_most_probable_first() {
        let model = model(3);
        let mut runs = Runs::default();
        model.look_up(&mut runs, marked([0, 1].into_iter()));
        let expected = model.expected(&runs, 2, 5);
        let symbols: Vec<u32> = expected.iter().map(|expected| expected.symbol).collect();
        assert_eq!(symbols, [FIRST_ACTION + 1, FIRST_ACTION]);
        assert_close(&[expected[0].probability], &probabilities(&model, &[0, 1])[1..2]);
        // Where nothing is known of what comes before, the most frequent.
        model.look_up(&mut runs, [7, FIRST_ACTION].into_iter());
        assert_eq!(model.expected(&runs, 1, 1)[0].symbol, FIRST_ACTION);
    }

    #[test]
    fn of_too_many_n_grams_those_of_frequent_contexts_stay() {
        let mut counter = Counter::new(4, 3);
        counter.add([0, 1].into_iter(), 9);
        counter.add([2, 3].into_iter(), 1);
        // Pairs and triples: begin 0, 0 1, 1 end, begin 0 1, 0 1 end, and as many of the other.
        let all = counter.finish(1000);
        assert_eq!(all.table.len(), 10);
        let mut counter = Counter::new(4, 3);
        counter.add([0, 1].into_iter(), 9);
        counter.add([2, 3].into_iter(), 1);
        let few = counter.finish(7);
        // The beginning occurs ten times, so both that follow it stay.
        assert_eq!(few.table.len(), 6);
        assert_eq!(few.occurrences(3), 1);
    }
}
