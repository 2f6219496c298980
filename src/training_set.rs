//! The training part as the optimiser wants it: distinct sequences with their features and how often each label was seen.

use crate::dataset::{ClassCounts, Dataset};
use crate::features::{
    ACTION_NOVELTY, DENSE_COUNT, NGRAM_NOVELTY, Ranges, Row, Shape, ShapeCounter, discount_shape, inner, share,
    with_markers,
};
use crate::ngrams::{FIRST_ACTION, NgramCollector, NgramTable};
use crate::packed::PackedLists;
use crate::parallel::{map, map_into};
use foldhash::fast::RandomState;
use indexmap::IndexMap;
use std::num::NonZeroUsize;

/// Rows are packed, and freed while they are made, in blocks of this many.
const BLOCK: usize = 4096;

/// Identical sequences are one row that carries the labels of all of them.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    blocks: Vec<RowBlock>,
    labels: Vec<ClassCounts>,
}

/// The features of some rows, as little of them as all can be worked out from.
#[derive(Debug, Default)]
struct RowBlock {
    present: PackedLists,
    shapes: Vec<Shape>,
    /// Novelty of the actions and of the n-grams.
    novelty: Vec<[f64; 2]>,
}

impl Rows {
    pub(crate) fn len(&self) -> usize {
        self.labels.len()
    }

    /// The features of row `index`, unpacked into `ids`.
    pub(crate) fn row<'a>(&'a self, index: usize, ids: &'a mut Vec<u32>) -> Row<'a> {
        let (block, index) = (&self.blocks[index / BLOCK], index % BLOCK);
        block.present.read(index, ids);
        let [actions, ngrams] = block.novelty[index];
        let mut dense = block.shapes[index].figures(actions, ngrams);
        discount_shape(&mut dense);
        Row { present: ids, dense }
    }

    /// How many samples with this sequence there are of each class.
    pub(crate) fn labels(&self, index: usize) -> ClassCounts {
        self.labels[index]
    }
}

/// An action that occurs in the training part.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KnownAction {
    pub(crate) name: String,
    pub(crate) counts: ClassCounts,
}

/// What was learned by counting alone, and the rows to learn the weights from.
#[derive(Debug)]
pub(crate) struct TrainingSet {
    /// By name.
    pub(crate) actions: Vec<KnownAction>,
    pub(crate) table: NgramTable,
    /// The counts of each n-gram of the table.
    pub(crate) ngrams: Vec<ClassCounts>,
    pub(crate) rows: Rows,
    pub(crate) samples: ClassCounts,
    /// Fingerprints of the distinct sequences, ascending.
    pub(crate) fingerprints: Vec<u64>,
    /// The range of each dense figure.
    pub(crate) ranges: Ranges,
}

impl TrainingSet {
    /// Counts actions and n-grams of the samples `indices`, keeping at most `max_ngrams` n-grams. Each of at most `threads`
    /// threads counts in a part of the samples; what they find does not depend on how many there are.
    pub(crate) fn build(data: &Dataset, indices: &[u32], n: usize, max_ngrams: usize, threads: NonZeroUsize) -> Self {
        let (sequences, fingerprints) = distinct_sequences(data, indices, threads);
        let (actions, numbers) = vocabulary(data, &sequences);
        let size = sequences.len().div_ceil(BLOCK).div_ceil(threads.get()) * BLOCK;
        let pieces: Vec<&[Sequence]> = sequences.chunks(size.max(1)).collect();
        let mut parts = map(&pieces, |piece| Part::count(data, piece, &numbers, actions.len(), n));

        let mut collector = NgramCollector::new(actions.len());
        let mut counts: Vec<ClassCounts> = Vec::new();
        for part in &mut parts {
            part.join(&mut collector, &mut counts);
        }
        let (table, renumbered) = collector.finish(&counts, max_ngrams);
        let mut kept = vec![ClassCounts::default(); table.len()];
        for (counts, new) in counts.iter().zip(&renumbered) {
            if let Some(new) = new {
                kept[*new as usize] = *counts;
            }
        }
        let known: Vec<u64> = (0..)
            .zip(counts.iter().zip(&renumbered))
            .map(|(number, (counts, new))| {
                let id = new.map_or(DROPPED | number, |new| actions.len() as u64 + u64::from(new));
                id << 1 | u64::from(counts.total() == 1 || new.is_none())
            })
            .collect();
        let ranges = ranges(
            parts
                .iter()
                .flat_map(|part| &part.blocks)
                .flat_map(|block| &block.shapes),
        );
        let mut rows = Rows::default();
        let mut samples = ClassCounts::default();
        for &Sequence { labels, .. } in &sequences {
            rows.labels.push(labels);
            samples = samples.plus(labels);
        }
        drop(sequences);
        for blocks in map_into(parts, |part| part.finish(&actions, &known)) {
            rows.blocks.extend(blocks);
        }
        Self {
            actions,
            table,
            ngrams: kept,
            rows,
            samples,
            fingerprints,
            ranges,
        }
    }
}

/// A sequence that occurs in the training part: the first sample that has it, and the labels of all that have.
#[derive(Debug, Clone, Copy)]
struct Sequence {
    sample: u32,
    labels: ClassCounts,
}

/// Marks an n-gram that is not kept, in what is known of it: its number as a feature, or this and its number among all;
/// and, as the lowest bit, whether it is novel: no other sample has it, or it is not kept.
const DROPPED: u64 = 1 << 40;

/// What one thread finds in its part of the sequences.
struct Part {
    collector: NgramCollector,
    /// For each n-gram the samples that have it, and the last row in which it was seen.
    seen: Vec<(ClassCounts, u32)>,
    /// For each n-gram the one that it extends, if that is not a single symbol.
    prefixes: Vec<Option<u32>>,
    /// The numbers of the n-grams among those of all parts.
    numbers: Vec<u32>,
    blocks: Vec<Block>,
}

/// The actions and n-grams of some rows, one row after the other.
#[derive(Default)]
struct Block {
    actions: PackedLists,
    /// For each place of each row but the last, the longest n-gram that begins there; all others that begin there are its
    /// prefixes.
    longest: Vec<u32>,
    /// Where the places of each row end.
    ends: Vec<u32>,
    shapes: Vec<Shape>,
}

impl Block {
    /// Gives back the memory that was kept for more rows.
    fn shrink(&mut self) {
        self.actions.shrink();
        self.longest.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.shapes.shrink_to_fit();
    }
}

impl Part {
    fn count(data: &Dataset, sequences: &[Sequence], numbers: &[u32], actions: usize, n: usize) -> Self {
        let mut part = Self {
            collector: NgramCollector::new(actions),
            seen: Vec::new(),
            prefixes: Vec::new(),
            numbers: Vec::new(),
            blocks: Vec::with_capacity(sequences.len().div_ceil(BLOCK)),
        };
        let mut symbols = Vec::new();
        let mut counter = ShapeCounter::default();
        for (row, sequence) in (1_u32..).zip(sequences) {
            if (row as usize - 1).is_multiple_of(BLOCK) {
                part.blocks.last_mut().into_iter().for_each(Block::shrink);
                part.blocks.push(Block::default());
            }
            let steps = data.steps(sequence.sample as usize).iter();
            with_markers(&mut symbols, steps.map(|&step| numbers[step as usize]));
            let (distinct, shape) = counter.count(inner(&symbols));
            if let Some(block) = part.blocks.last_mut() {
                block.shapes.push(shape);
                block.actions.push(distinct.iter().copied());
                for start in 0..symbols.len() {
                    let mut node = symbols[start];
                    let end = symbols.len().min(start + n);
                    for &symbol in &symbols[start + 1..end] {
                        node = part.collector.child(node, symbol);
                        let number = part.collector.number(node) as usize;
                        if number == part.seen.len() {
                            part.seen.push((ClassCounts::default(), 0));
                        }
                        let (counts, last) = &mut part.seen[number];
                        if *last != row {
                            *last = row;
                            *counts = counts.plus(sequence.labels);
                        }
                    }
                    if end > start + 1 {
                        block.longest.push(part.collector.number(node));
                    }
                }
                block.ends.push(block.longest.len() as u32);
            }
        }
        part.prefixes = part.collector.prefixes();
        part
    }

    /// Adds what was counted to what other parts have, and notes which number each n-gram has there.
    fn join(&mut self, collector: &mut NgramCollector, counts: &mut Vec<ClassCounts>) {
        let own = std::mem::replace(&mut self.collector, NgramCollector::new(0));
        self.numbers = collector.absorb(own);
        counts.resize(collector.len(), ClassCounts::default());
        for (&number, (seen, _)) in self.numbers.iter().zip(&self.seen) {
            let counts = &mut counts[number as usize];
            *counts = counts.plus(*seen);
        }
        self.seen = Vec::new();
    }

    /// The features of the rows: numbers of arrival are replaced by the final ones, n-grams that were not kept are dropped, and
    /// the two novelty figures filled in. An action or n-gram is novel if no other sample has it: without this sample it
    /// would be unknown, and so it must look while training, or novelty would never be seen and never be weighed.
    fn finish(self, actions: &[KnownAction], known: &[u64]) -> Vec<RowBlock> {
        // Side by side, so that one look finds both.
        let known: Vec<(u64, Option<u32>)> = self
            .numbers
            .iter()
            .map(|&number| known[number as usize])
            .zip(self.prefixes)
            .collect();
        let (mut present, mut found) = (Vec::new(), Vec::new());
        let finish = |block: Block| {
            let mut rows = RowBlock {
                shapes: block.shapes,
                ..RowBlock::default()
            };
            let mut start = 0;
            for (row, &end) in block.ends.iter().enumerate() {
                block.actions.read(row, &mut present);
                found.clear();
                for &longest in &block.longest[start..end as usize] {
                    let mut next = Some(longest);
                    while let Some(number) = next {
                        let (ngram, prefix) = known[number as usize];
                        found.push(ngram);
                        next = prefix;
                    }
                }
                start = end as usize;
                found.sort_unstable();
                found.dedup();

                let is_novel = |&&action: &&u32| actions[action as usize].counts.total() == 1;
                let novel_actions = present.iter().filter(is_novel).count();
                let novel_ngrams = found.iter().filter(|&&ngram| ngram & 1 == 1).count();
                let kept = found.iter().take_while(|&&ngram| ngram >> 1 < DROPPED);
                let ids = kept.map(|ngram| (ngram >> 1) as u32);
                rows.present.push(present.iter().copied().chain(ids));
                rows.novelty
                    .push([share(novel_actions, present.len()), share(novel_ngrams, found.len())]);
            }
            rows.present.shrink();
            rows
        };
        self.blocks.into_iter().map(finish).collect()
    }
}

/// The lowest and highest value of each dense figure before any discount; novelty always ranges from 0 to 1.
fn ranges<'a>(shapes: impl Iterator<Item = &'a Shape>) -> Ranges {
    let mut ranges = [(f64::INFINITY, f64::NEG_INFINITY); DENSE_COUNT];
    for shape in shapes {
        for ((low, high), value) in ranges.iter_mut().zip(shape.figures(0.0, 0.0)) {
            *low = low.min(value);
            *high = high.max(value);
        }
    }
    ranges[ACTION_NOVELTY] = (0.0, 1.0);
    ranges[NGRAM_NOVELTY] = (0.0, 1.0);
    ranges
}

/// The different sequences among the samples, in order of first appearance, and their fingerprints, ascending.
fn distinct_sequences(data: &Dataset, indices: &[u32], threads: NonZeroUsize) -> (Vec<Sequence>, Vec<u64>) {
    let fingerprints = data.fingerprints(indices, threads);
    let mut sequences: IndexMap<u64, Sequence, RandomState> = IndexMap::default();
    for (&sample, fingerprint) in indices.iter().zip(fingerprints) {
        let labels = ClassCounts::default();
        let sequence = sequences.entry(fingerprint).or_insert(Sequence { sample, labels });
        sequence.labels.add(data.labels()[sample as usize]);
    }
    let mut fingerprints: Vec<u64> = sequences.keys().copied().collect();
    fingerprints.sort_unstable();
    (sequences.into_values().collect(), fingerprints)
}

/// The actions that occur in `sequences`, by name, and for each action of the data set its number among them.
fn vocabulary(data: &Dataset, sequences: &[Sequence]) -> (Vec<KnownAction>, Vec<u32>) {
    let mut counts = vec![ClassCounts::default(); data.action_count()];
    let mut last_seen = vec![usize::MAX; data.action_count()];
    for (index, sequence) in sequences.iter().enumerate() {
        for &step in data.steps(sequence.sample as usize) {
            if last_seen[step as usize] != index {
                last_seen[step as usize] = index;
                counts[step as usize] = counts[step as usize].plus(sequence.labels);
            }
        }
    }
    let mut used: Vec<u32> = (0..data.action_count() as u32)
        .filter(|&action| last_seen[action as usize] != usize::MAX)
        .collect();
    used.sort_unstable_by_key(|&action| data.action_name(action));
    let mut numbers = vec![u32::MAX - FIRST_ACTION; data.action_count()];
    let actions = used
        .iter()
        .enumerate()
        .map(|(number, &action)| {
            numbers[action as usize] = number as u32;
            KnownAction {
                name: data.action_name(action).to_owned(),
                counts: counts[action as usize],
            }
        })
        .collect();
    (actions, numbers)
}
