//! What the model sees of a sequence.
//!
//! A sequence becomes two things: the numbers of the actions, n-grams and ordered pairs that are present in it, each with a
//! weight of its own, and eight [dense features](DENSE) that every sequence has. Labels play no part here.

use crate::entropy;
use crate::model::ngrams::{BOS, EOS, FIRST_ACTION, NgramTable, Node, UNKNOWN};
use crate::model::repeats::Repeats;
use std::ops::Range;

/// Number of dense features.
pub(crate) const DENSE_COUNT: usize = 8;

/// The dense features of a sequence, in the order in which they are stored. With H the Shannon entropy of its actions in
/// bits, L its length and d its number of distinct actions divided by L, and all but the first two figures
/// [discounted](discount_shape) by the first:
///
/// | name | value | range |
/// |---|---|---|
/// | `action_oov_rate` | share of its distinct actions that the model does not know | 0..1 |
/// | `ngram_oov_rate` | share of its distinct n-grams that the model does not know | 0..1 |
/// | `entropy` | H | 0..log2 L |
/// | `entropy_squared` | H² / 4 | |
/// | `diversity` | d | 0..1 |
/// | `diversity_squared` | d² | 0..1 |
/// | `length` | ln(1 + L) / 2 | |
/// | `length_diversity` | d · ln(1 + L) / 2 | |
pub(crate) const DENSE: [&str; DENSE_COUNT] = [
    "action_oov_rate",
    "ngram_oov_rate",
    "entropy",
    "entropy_squared",
    "diversity",
    "diversity_squared",
    "length",
    "length_diversity",
];
/// The lowest and highest value of each dense feature.
pub(crate) type Ranges = [(f64, f64); DENSE_COUNT];
pub(crate) const ACTION_OOV: usize = 0;
pub(crate) const NGRAM_OOV: usize = 1;
/// The figures that belong to the entropy analysis.
pub(crate) const ENTROPY: Range<usize> = 2..4;
/// The figures that belong to the diversity analysis.
pub(crate) const DIVERSITY: Range<usize> = 4..DENSE_COUNT;

/// The features of one sequence.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    /// Numbers of the known actions that are present, and after them those of the n-grams.
    pub(crate) sparse: &'a [u32],
    /// Numbers of the known ordered pairs that are present, which lie above those.
    pub(crate) pairs: &'a [u32],
    pub(crate) dense: [f64; DENSE_COUNT],
}

/// What the figures of entropy and diversity are worked out from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    entropy: f64,
    diversity: f64,
    log_length: f64,
}

impl Shape {
    /// Of a sequence of `length` actions with an entropy of `entropy` bits, `distinct` of them different.
    pub(crate) fn new(entropy: f64, distinct: usize, length: usize) -> Self {
        Self {
            entropy,
            diversity: share(distinct, length),
            log_length: libm::log1p(length as f64) / 2.0,
        }
    }

    /// All dense features, without any discount.
    pub(crate) fn figures(self, action_oov: f64, ngram_oov: f64) -> [f64; DENSE_COUNT] {
        let Self {
            entropy,
            diversity,
            log_length,
        } = self;
        [
            action_oov,
            ngram_oov,
            entropy,
            entropy * entropy / 4.0,
            diversity,
            diversity * diversity,
            log_length,
            diversity * log_length,
        ]
    }
}

/// What a sequence is looked up in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) table: &'a NgramTable,
    /// Ordered pairs, over the same symbols as `table`.
    pub(crate) pairs: &'a NgramTable,
    /// Longest n-gram.
    pub(crate) n: usize,
    /// What training has seen of each dense feature.
    pub(crate) ranges: &'a Ranges,
}

/// Turns sequences into features by looking up what the model knows. Holds buffers, so use one for many sequences.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    /// The sequence between its markers.
    symbols: Vec<u32>,
    sparse: Vec<u32>,
    pairs: Vec<u32>,
    /// The n-grams of the length in hand, by the place where they begin, and those that are one longer.
    nodes: Vec<Node>,
    longer: Vec<Node>,
    shape: ShapeCounter,
}

impl Encoder {
    /// The features of a sequence. `actions` are numbers below the model's number of actions, or above them for
    /// actions that it does not know: the same number for the same action, another for another.
    ///
    /// Dense features outside `ranges`, what training has seen, are moved to its edge: nothing is known about how suspicious
    /// a sequence is that is ten times as long as any other, and its weight must not grow tenfold for that.
    pub(crate) fn encode(&mut self, known: Known<'_>, actions: impl Iterator<Item = u32>) -> Row<'_> {
        self.encode_knowing(known, actions, |_| true)
    }

    /// The same for a model that knows only those of its actions and n-grams that `knows` approves, by their numbers.
    pub(crate) fn encode_knowing(
        &mut self,
        known: Known<'_>,
        actions: impl Iterator<Item = u32>,
        knows: impl Fn(u32) -> bool,
    ) -> Row<'_> {
        let Known {
            table,
            pairs,
            n,
            ranges,
        } = known;
        with_markers(&mut self.symbols, actions);
        let known_actions = table.symbols() - FIRST_ACTION;

        let (seen, shape) = self.shape.count(inner(&self.symbols));
        let is_known = |&action: &u32| action < known_actions && knows(action);
        self.sparse.clear();
        self.sparse.extend(seen.iter().map(|seen| seen.action).filter(is_known));
        let action_oov = share(seen.len() - self.sparse.len(), seen.len());
        self.pairs.clear();
        if pairs.len() > 0 {
            let first_pair = known_actions + table.len();
            ordered_pairs(seen, |a, b| {
                let pair = pairs.child(a + FIRST_ACTION, b + FIRST_ACTION);
                let known = pair.filter(|_| a < known_actions);
                self.pairs.extend(known.map(|pair| first_pair + pairs.number(pair)));
            });
        }

        // Symbols behind those of the table would be taken for n-grams.
        let node = |&symbol: &u32| if symbol < table.symbols() { symbol } else { UNKNOWN };
        self.nodes.clear();
        self.nodes.extend(self.symbols.iter().map(node));
        let (mut ngrams, mut unknown) = (0, 0);
        let repeats = &mut self.shape.repeats;
        for_each_length(&self.symbols, n, repeats, &mut self.nodes, |nodes, last, firsts| {
            table.children(nodes, last, &mut self.longer);
            for (_, &node) in (self.longer.iter().enumerate()).filter(|&(place, _)| firsts.has(place)) {
                ngrams += 1;
                let known = (node != UNKNOWN).then(|| known_actions + table.number(node));
                match known.filter(|&feature| knows(feature)) {
                    Some(feature) => self.sparse.push(feature),
                    None => unknown += 1,
                }
            }
            nodes.copy_from_slice(&self.longer);
        });
        let ngram_oov = share(unknown, ngrams);

        let mut dense = shape.figures(action_oov, ngram_oov);
        for (value, &(low, high)) in dense.iter_mut().zip(ranges) {
            *value = value.clamp(low, high);
        }
        discount_shape(&mut dense);
        Row {
            sparse: &self.sparse,
            pairs: &self.pairs,
            dense,
        }
    }
}

/// Scales the figures of entropy and diversity by the share of the actions that are not novel. The shape of a sequence says
/// something about it as far as its actions are known: that short sequences are harmless was learned of known actions, and
/// must not excuse unknown ones.
pub(crate) fn discount_shape(dense: &mut [f64; DENSE_COUNT]) {
    let known = 1.0 - dense[ACTION_OOV];
    for value in &mut dense[ENTROPY.start..DIVERSITY.end] {
        *value *= known;
    }
}

/// Fills `symbols` with the actions between the two markers.
pub(crate) fn with_markers(symbols: &mut Vec<u32>, actions: impl Iterator<Item = u32>) {
    symbols.clear();
    symbols.push(BOS);
    symbols.extend(actions.map(|action| action + FIRST_ACTION));
    symbols.push(EOS);
}

/// Which n-grams of one length stand in a sequence for the first time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Firsts<'a> {
    repeats: &'a Repeats,
    /// Where the n-gram with the end marker begins, if there are markers.
    end: Option<usize>,
}

impl Firsts<'_> {
    /// Whether the n-gram that begins at this place does.
    #[inline]
    pub(crate) fn has(self, place: usize) -> bool {
        match self.end {
            // Markers stand at one place only.
            Some(end) => place == 0 || place == end || self.repeats.is_first(place - 1),
            None => self.repeats.is_first(place),
        }
    }
}

/// Calls `each` for bigrams, then for the n-grams of each length up to `n`: with `nodes`, what is one shorter, by the place where it begins,
/// to be replaced by what is as long; with the symbols that these end with; and with which of them are first. To begin with, `nodes` holds
/// `symbols`, as nodes, and `repeats` is about the actions.
///
/// Where a sequence begins and how it ends is told by a bigram each; longer n-grams with markers add nothing to that once there are
/// ordered pairs.
pub(crate) fn for_each_length(
    symbols: &[u32],
    n: usize,
    repeats: &mut Repeats,
    nodes: &mut Vec<Node>,
    mut each: impl FnMut(&mut [Node], &[u32], Firsts<'_>),
) {
    let actions = inner(symbols);
    for length in 2..=n {
        let (all, end) = if length == 2 {
            (symbols, Some(actions.len()))
        } else {
            (actions, None)
        };
        let Some(last) = all.get(length - 1..) else {
            break;
        };
        if length == 3 {
            nodes.drain(..1);
        }
        nodes.truncate(last.len());
        repeats.lengthen(actions, length);
        each(nodes, last, Firsts { repeats, end });
    }
}

/// The symbols without the markers.
pub(crate) fn inner(symbols: &[u32]) -> &[u32] {
    &symbols[1..symbols.len() - 1]
}

/// `part / whole`; 0 of nothing is 0.
pub(crate) fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// An action of a sequence, and where it stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) action: u32,
    /// The place where it stands first, counted from 0, and the one where it stands last.
    pub(crate) first: u32,
    pub(crate) last: u32,
    count: u32,
}

/// How far [`ordered_pairs`] looks: over this many distinct actions to either side, in the order in which they first appear.
const LOOK_BACK: usize = 32;

/// Calls `found` with the actions of each ordered pair `a ... b` of a sequence once: a stands somewhere before b.
///
/// `seen` holds the distinct actions in order of first appearance. Two actions between which more than [`LOOK_BACK`] others
/// first appear make no pair, so there are not more than 2 · [`LOOK_BACK`] + 1 of them an action, however long the sequence.
pub(crate) fn ordered_pairs(seen: &[Seen], mut found: impl FnMut(u32, u32)) {
    for (index, a) in seen.iter().enumerate() {
        let near = &seen[index.saturating_sub(LOOK_BACK)..seen.len().min(index + LOOK_BACK + 1)];
        for b in near.iter().filter(|b| a.first < b.last) {
            found(a.action, b.action);
        }
    }
}

/// Counts how often each action occurs and computes from it the figures that need no vocabulary.
#[derive(Debug, Clone, Default)]
pub(crate) struct ShapeCounter {
    /// By action, its place in `seen`, from 1; all 0 between two sequences.
    places: Vec<u32>,
    seen: Vec<Seen>,
    /// How many actions occur so many times.
    alike: Vec<u32>,
    /// Where the actions of the latest sequence stand again.
    pub(crate) repeats: Repeats,
}

impl ShapeCounter {
    /// The distinct actions in order of first appearance, and the shape of the sequence.
    pub(crate) fn count(&mut self, symbols: &[u32]) -> (&[Seen], Shape) {
        self.seen.clear();
        self.repeats.clear();
        for (at, symbol) in (0..).zip(symbols) {
            let action = (symbol - FIRST_ACTION) as usize;
            if action >= self.places.len() {
                self.places.resize(action + 1, 0);
            }
            let place = &mut self.places[action];
            if *place == 0 {
                self.seen.push(Seen {
                    action: action as u32,
                    first: at,
                    last: at,
                    count: 1,
                });
                *place = self.seen.len() as u32;
                self.repeats.push(None);
            } else {
                let seen = &mut self.seen[*place as usize - 1];
                seen.count += 1;
                self.repeats.push(Some(std::mem::replace(&mut seen.last, at)));
            }
        }
        self.alike.clear();
        for seen in &self.seen {
            self.places[seen.action as usize] = 0;
            let count = seen.count as usize;
            if count >= self.alike.len() {
                self.alike.resize(count + 1, 0);
            }
            self.alike[count] += 1;
        }

        // Summed by count, so that the sum does not depend on the order of the actions.
        let counts = (0..).zip(&self.alike).filter(|&(_, &actions)| actions > 0);
        let counts = counts.map(|(count, &actions)| (count, u64::from(actions)));
        let entropy = entropy::of_counts(counts, symbols.len() as u64);
        (&self.seen, Shape::new(entropy, self.seen.len(), symbols.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ngrams::tests::table_of;
    use std::sync::LazyLock;

    const ANY: Ranges = [(0.0, f64::MAX); DENSE_COUNT];

    /// A model of these n-grams, of up to `n` actions, that knows no pairs.
    fn known(table: &NgramTable, n: usize) -> Known<'_> {
        static NONE: LazyLock<NgramTable> = LazyLock::new(|| NgramTable::new(0));
        Known {
            table,
            pairs: &NONE,
            n,
            ranges: &ANY,
        }
    }

    #[test]
    fn shape_is_what_a_hand_works_out() {
        // a b a a: p = 3/4 and 1/4, H = 0.75 log2(4/3) + 0.25 * 2 = 0.8112781244591328.
        let mut counter = ShapeCounter::default();
        let dense = counter.count(&[2, 3, 2, 2]).1.figures(0.0, 0.0);
        let ln5_half = 0.804_718_956_217_050_1;
        let h = 0.811_278_124_459_132_8;
        let expected = [h, h * h / 4.0, 0.5, 0.25, ln5_half, ln5_half / 2.0];
        for (got, want) in dense[2..].iter().zip(expected) {
            assert!((got - want).abs() < 1e-15, "{got} {want}");
        }
    }

    #[test]
    fn entropy_of_a_repeated_action_is_positive_zero() {
        for length in 1..50 {
            let mut counter = ShapeCounter::default();
            let dense = counter.count(&vec![7; length]).1.figures(0.0, 0.0);
            assert_eq!(dense[2].to_bits(), 0.0_f64.to_bits());
        }
    }

    #[test]
    fn unknown_actions_and_ngrams_count_once_each() {
        // The model knows actions 0 and 1 and the bigrams begin-0 and 0-1.
        let table = table_of(2, &[&[BOS, 2], &[2, 3]]);
        let mut encoder = Encoder::default();
        // Sequence 0 1 7 0 1 7: bigrams ^0, 01, 17, 70, 7$ of which 17, 70 and 7$ are unknown.
        let row = encoder.encode(known(&table, 2), [0, 1, 7, 0, 1, 7].into_iter());
        assert_eq!(row.sparse, [0, 1, 2, 3]);
        assert_eq!(row.dense[ACTION_OOV], 1.0 / 3.0);
        assert_eq!(row.dense[NGRAM_OOV], 3.0 / 5.0);
    }

    #[test]
    fn an_unknown_action_is_not_taken_for_an_ngram_with_its_number() {
        // Symbol 4 would be the first action that is unknown, and node 4 is the pair of action 0 and action 0.
        let table = table_of(2, &[&[2, 2], &[2, 2, 3]]);
        assert_eq!(table.child(2, 2), Some(4));
        let mut encoder = Encoder::default();
        let row = encoder.encode(known(&table, 3), [2, 1].into_iter());
        assert_eq!(row.sparse, [1]);
        assert_eq!(row.dense[NGRAM_OOV], 1.0);
    }

    #[test]
    fn a_sequence_shorter_than_n_still_has_its_actions_and_shorter_ngrams() {
        let table = NgramTable::new(1);
        let mut encoder = Encoder::default();
        let row = encoder.encode(known(&table, 8), [0].into_iter());
        // ^a and a$, both unknown.
        assert_eq!(row.sparse, [0]);
        assert_eq!(row.dense[NGRAM_OOV], 1.0);
        let row = encoder.encode(known(&table, 1), [0].into_iter());
        assert_eq!(row.dense[NGRAM_OOV], 0.0);
        let row = encoder.encode(known(&table, 8), [].into_iter());
        assert_eq!((row.sparse, row.dense[NGRAM_OOV]), (&[][..], 1.0));
    }

    fn pairs_of(actions: &[u32]) -> Vec<(u32, u32)> {
        let symbols: Vec<u32> = actions.iter().map(|action| action + FIRST_ACTION).collect();
        let mut pairs = Vec::new();
        ordered_pairs(ShapeCounter::default().count(&symbols).0, |a, b| pairs.push((a, b)));
        pairs.sort_unstable();
        pairs
    }

    #[test]
    fn a_pair_is_there_if_its_first_action_stands_somewhere_before_its_second() {
        assert_eq!(pairs_of(&[7, 8, 9]), [(7, 8), (7, 9), (8, 9)]);
        assert_eq!(pairs_of(&[7, 8, 7]), [(7, 7), (7, 8), (8, 7)]);
        assert_eq!(pairs_of(&[7]), []);
    }

    #[test]
    fn a_sequence_has_no_more_pairs_than_a_look_back_for_each_of_its_actions() {
        let all: Vec<u32> = (0..1000).chain(0..1000).collect();
        let pairs = pairs_of(&all);
        assert!(pairs.len() < 1000 * (2 * LOOK_BACK + 1));
        assert!(pairs.iter().all(|&(a, b)| a.abs_diff(b) as usize <= LOOK_BACK));
        // Each stands before and behind its neighbours.
        assert!(pairs.contains(&(500, 532)) && pairs.contains(&(532, 500)) && pairs.contains(&(500, 500)));
    }
}
