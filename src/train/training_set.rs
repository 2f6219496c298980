//! The training part as the optimiser wants it: distinct sequences with their features and how often each label was seen.
//!
//! Here, features are numbered as they arrive, first the actions of the data set and then the n-grams, and those of a row
//! stand in the order in which its sequence brings them. So a row is written down as soon as its sequence has been read,
//! frequent features have small numbers and lie side by side in memory, and no sum depends on how the work was shared.
//! [`TrainingSet::ids`] leads from these numbers to the order of the model.

use crate::data::dataset::{ClassCounts, Dataset};
use crate::data::packed::PackedLists;
use crate::model::features::{
    ACTION_NOVELTY, DENSE_COUNT, NGRAM_NOVELTY, Ranges, Row, Shape, ShapeCounter, discount_shape, inner, share,
    with_markers,
};
use crate::model::ngrams::NgramTable;
use crate::parallel::{map, map_into};
use crate::train::ngram_counter::NgramCounter;
use foldhash::fast::RandomState;
use indexmap::IndexMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// Rows are packed in blocks of this many.
const BLOCK: usize = 4096;
/// From this many samples on, several threads look for identical sequences.
const SHARED: usize = 10_000;

/// Identical sequences are one row that carries the labels of all of them.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    blocks: Vec<Block>,
    labels: Vec<ClassCounts>,
}

/// The features of some rows, as little of them as all can be worked out from.
#[derive(Debug, Default)]
struct Block {
    present: PackedLists,
    shapes: Vec<Shape>,
    novelty: Vec<Novelty>,
    /// What the numbers in `present` have become, unless they stayed as they were.
    numbers: Option<Arc<[u32]>>,
}

/// What the number of an n-gram has become that is not kept.
const DROPPED: u32 = u32::MAX;

/// How many different actions and n-grams a row has, and how many of them no other sample has.
#[derive(Debug, Clone, Copy)]
struct Novelty {
    actions: u32,
    novel_actions: u32,
    ngrams: u32,
    novel_ngrams: u32,
}

impl Block {
    /// Puts the features that row `index` of the block has into `ids`.
    fn read(&self, index: usize, ids: &mut Vec<u32>) {
        ids.clear();
        ids.extend(self.present.list(index));
        if let Some(numbers) = &self.numbers {
            ids.retain_mut(|id| {
                *id = numbers[*id as usize];
                *id != DROPPED
            });
        }
    }
}

impl Rows {
    pub(crate) fn len(&self) -> usize {
        self.labels.len()
    }

    /// The features of row `index`, unpacked into `ids`.
    pub(crate) fn row<'a>(&'a self, index: usize, ids: &'a mut Vec<u32>) -> Row<'a> {
        let (block, index) = (&self.blocks[index / BLOCK], index % BLOCK);
        block.read(index, ids);
        let novelty = block.novelty[index];
        let mut dense = block.shapes[index].figures(
            share(novelty.novel_actions as usize, novelty.actions as usize),
            share(novelty.novel_ngrams as usize, novelty.ngrams as usize),
        );
        discount_shape(&mut dense);
        Row { present: ids, dense }
    }

    /// How many samples with this sequence there are of each class.
    pub(crate) fn labels(&self, index: usize) -> ClassCounts {
        self.labels[index]
    }
}

/// What was learned by counting alone, and the rows to learn the weights from.
#[derive(Debug)]
pub(crate) struct TrainingSet {
    /// The actions that occur, by name.
    pub(crate) names: Vec<String>,
    /// The counts of each action.
    pub(crate) actions: Vec<ClassCounts>,
    pub(crate) table: NgramTable,
    /// The counts of each n-gram of the table.
    pub(crate) ngrams: Vec<ClassCounts>,
    pub(crate) rows: Rows,
    /// The numbers of features in the rows lie below this.
    pub(crate) width: usize,
    /// The number that each action, and after them each n-gram of the table, has in the rows.
    pub(crate) ids: Vec<u32>,
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
        let size = sequences.len().div_ceil(BLOCK).div_ceil(threads.get()) * BLOCK;
        let pieces: Vec<&[Sequence]> = sequences.chunks(size.max(1)).collect();
        let parts = map(&pieces, |piece| Part::count(data, piece, n));
        let labels: Vec<ClassCounts> = sequences.iter().map(|sequence| sequence.labels).collect();
        drop(sequences);

        let mut found = Found::new(data.action_count());
        let unfinished: Vec<Unfinished> = parts.into_iter().map(|part| part.join(&mut found)).collect();
        let (names, used) = found.vocabulary(data);
        let (table, arrived) = found.ngrams.finish(&used, max_ngrams);
        let kept = found.kept(&arrived);
        let blocks = map_into(unfinished, |rows| rows.finish(&found, kept.as_deref()));

        let ngrams = found.ngrams.ngrams();
        let id = |&number: &u32| found.actions.len() as u32 + number;
        Self {
            names,
            actions: used
                .iter()
                .map(|&action| found.actions[action as usize].samples)
                .collect(),
            ngrams: arrived.iter().map(|&number| ngrams[number as usize].samples).collect(),
            table,
            width: found.actions.len() + ngrams.len(),
            ids: used.iter().copied().chain(arrived.iter().map(id)).collect(),
            samples: labels.iter().copied().fold(ClassCounts::default(), ClassCounts::plus),
            rows: Rows {
                blocks: blocks.into_iter().flatten().collect(),
                labels,
            },
            fingerprints,
            ranges: found.ranges,
        }
    }
}

/// A sequence that occurs in the training part: the first sample that has it, and the labels of all that have.
#[derive(Debug, Clone, Copy)]
struct Sequence {
    sample: u32,
    labels: ClassCounts,
}

/// What has been counted.
struct Found {
    /// By their numbers in the data set.
    actions: Vec<Seen>,
    ngrams: NgramCounter,
    /// The lowest and highest value of each dense figure before any discount; novelty always ranges from 0 to 1.
    ranges: Ranges,
}

/// Where an action was seen.
#[derive(Clone, Copy, Default)]
struct Seen {
    /// The samples that have it.
    samples: ClassCounts,
    /// The last row that has it, from 1.
    last_row: u32,
}

impl Found {
    fn new(actions: usize) -> Self {
        let mut ranges = [(f64::INFINITY, f64::NEG_INFINITY); DENSE_COUNT];
        ranges[ACTION_NOVELTY] = (0.0, 1.0);
        ranges[NGRAM_NOVELTY] = (0.0, 1.0);
        Self {
            actions: vec![Seen::default(); actions],
            ngrams: NgramCounter::new(actions),
            ranges,
        }
    }

    /// Makes the ranges hold the figures of `shape`.
    fn widen(&mut self, shape: Shape) {
        for (range, value) in self.ranges.iter_mut().zip(shape.figures(0.0, 0.0)) {
            *range = (range.0.min(value), range.1.max(value));
        }
    }

    /// The names of the actions that occur, ascending, and their numbers in the data set.
    fn vocabulary(&self, data: &Dataset) -> (Vec<String>, Vec<u32>) {
        let mut used: Vec<u32> = (0..self.actions.len() as u32)
            .filter(|&action| self.actions[action as usize].samples.total() > 0)
            .collect();
        used.sort_unstable_by_key(|&action| data.action_name(action));
        let names = used.iter().map(|&action| data.action_name(action).to_owned());
        (names.collect(), used)
    }

    /// For each n-gram whether it is among `arrived`, those that are kept; `None` if all are.
    fn kept(&self, arrived: &[u32]) -> Option<Vec<bool>> {
        let all = self.ngrams.ngrams().len();
        (arrived.len() < all).then(|| {
            let mut kept = vec![false; all];
            for &number in arrived {
                kept[number as usize] = true;
            }
            kept
        })
    }
}

/// What one thread counts in its part of the sequences.
struct Part {
    found: Found,
    blocks: Vec<Block>,
}

/// The rows of a part, but for what only all parts together know.
struct Unfinished {
    blocks: Vec<Block>,
    /// The actions and n-grams that one sample of the part has and no other, with its row.
    once: Vec<(u32, u32)>,
    /// The numbers that the n-grams of the part have among all.
    numbers: Vec<u32>,
}

impl Part {
    fn count(data: &Dataset, sequences: &[Sequence], n: usize) -> Self {
        let mut found = Found::new(data.action_count());
        let mut blocks = Vec::with_capacity(sequences.len().div_ceil(BLOCK));
        let (mut symbols, mut ids) = (Vec::new(), Vec::new());
        let mut counter = ShapeCounter::default();
        let mut row = 0;
        for sequences in sequences.chunks(BLOCK) {
            let mut block = Block::default();
            for &Sequence { sample, labels } in sequences {
                row += 1;
                with_markers(&mut symbols, data.steps(sample as usize));
                let (actions, shape) = counter.count(inner(&symbols));
                for &action in actions {
                    let seen = &mut found.actions[action as usize];
                    seen.samples = seen.samples.plus(labels);
                    seen.last_row = row;
                }
                ids.clear();
                ids.extend_from_slice(actions);
                let first_ngram = found.actions.len() as u32;
                let ngrams = &mut found.ngrams;
                ngrams.count(&symbols, n, row, labels, |number| ids.push(first_ngram + number));
                found.widen(shape);
                block.shapes.push(shape);
                block.novelty.push(Novelty {
                    actions: actions.len() as u32,
                    novel_actions: 0,
                    ngrams: (ids.len() - actions.len()) as u32,
                    novel_ngrams: 0,
                });
                block.present.push(ids.iter().copied());
            }
            block.present.shrink();
            blocks.push(block);
        }
        Self { found, blocks }
    }

    /// Adds what was counted to what other parts have.
    fn join(self, whole: &mut Found) -> Unfinished {
        let Found {
            actions,
            ngrams,
            ranges,
        } = self.found;
        let of_actions = actions.iter().map(|seen| (seen.samples, seen.last_row));
        let of_ngrams = ngrams.ngrams().iter().map(|ngram| (ngram.samples, ngram.last_row));
        let once = (0..)
            .zip(of_actions.chain(of_ngrams))
            .filter(|(_, (samples, _))| samples.total() == 1)
            .map(|(id, (_, row))| (id, row - 1))
            .collect();
        for (seen, here) in whole.actions.iter_mut().zip(actions) {
            seen.samples = seen.samples.plus(here.samples);
        }
        for (range, here) in whole.ranges.iter_mut().zip(ranges) {
            *range = (range.0.min(here.0), range.1.max(here.1));
        }
        Unfinished {
            blocks: self.blocks,
            once,
            numbers: whole.ngrams.absorb(ngrams),
        }
    }
}

impl Unfinished {
    /// Fills in the novelty of the rows, and what the numbers of their n-grams have become.
    ///
    /// An action or n-gram is novel if no other sample has it: without this sample it would be unknown, and so it must look
    /// while training, or novelty would never be seen and never be weighed. An n-gram that is not kept is novel as well.
    fn finish(self, whole: &Found, kept: Option<&[bool]>) -> Vec<Block> {
        let mut blocks = self.blocks;
        let first = whole.actions.len() as u32;
        let samples = |number: u32| whole.ngrams.ngrams()[number as usize].samples.total();
        for (id, row) in self.once {
            let novelty = &mut blocks[row as usize / BLOCK].novelty[row as usize % BLOCK];
            match id.checked_sub(first) {
                None => novelty.novel_actions += u32::from(whole.actions[id as usize].samples.total() == 1),
                Some(own) => novelty.novel_ngrams += u32::from(samples(self.numbers[own as usize]) == 1),
            }
        }
        let is_dropped = |number: u32| kept.is_some_and(|kept| !kept[number as usize]);
        let of_ngrams = self.numbers.iter().map(|&number| match is_dropped(number) {
            true => DROPPED,
            false => first + number,
        });
        let numbers: Arc<[u32]> = (0..first).chain(of_ngrams).collect();
        if (0..).zip(&*numbers).all(|(own, &number)| own == number) {
            return blocks;
        }
        for block in &mut blocks {
            if kept.is_some() {
                for (row, novelty) in block.novelty.iter_mut().enumerate() {
                    let ngrams = block.present.list(row).filter_map(|id| id.checked_sub(first));
                    let dropped = ngrams
                        .map(|own| self.numbers[own as usize])
                        .filter(|&number| is_dropped(number));
                    // Those that one sample has have been counted above.
                    novelty.novel_ngrams += dropped.filter(|&number| samples(number) > 1).count() as u32;
                }
            }
            block.numbers = Some(Arc::clone(&numbers));
        }
        blocks
    }
}

/// The different sequences among the samples, ordered by the samples that stand for them, and their fingerprints, ascending.
/// Each thread looks for those in a range of fingerprints.
fn distinct_sequences(data: &Dataset, indices: &[u32], threads: NonZeroUsize) -> (Vec<Sequence>, Vec<u64>) {
    let fingerprints = data.fingerprints(indices, threads);
    let count = if indices.len() < SHARED {
        1
    } else {
        threads.get() as u128
    };
    let shares: Vec<u128> = (0..count).collect();
    let found = map(&shares, |&share| {
        let mut sequences: IndexMap<u64, Sequence, RandomState> = IndexMap::default();
        for (&sample, &fingerprint) in indices.iter().zip(&fingerprints) {
            if (u128::from(fingerprint) * count) >> 64 == share {
                let labels = ClassCounts::default();
                let sequence = sequences.entry(fingerprint).or_insert(Sequence { sample, labels });
                sequence.labels.add(data.labels()[sample as usize]);
            }
        }
        let mut fingerprints: Vec<u64> = sequences.keys().copied().collect();
        fingerprints.sort_unstable();
        let sequences: Vec<Sequence> = sequences.into_values().collect();
        (sequences, fingerprints)
    });
    let (sequences, fingerprints): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    let mut sequences = sequences.concat();
    sequences.sort_by_key(|sequence| sequence.sample);
    (sequences, fingerprints.concat())
}

#[cfg(test)]
mod tests;
