//! The training part as the optimiser wants it: distinct sequences with their features and how often each label was seen.
//!
//! Here, features are numbered as they arrive, first the actions of the data set and then the n-grams, and those of a row
//! stand in the order in which its sequence brings them. So a row is written down as soon as its sequence has been read,
//! frequent features have small numbers and lie side by side in memory, and no sum depends on how the work was shared.
//! [`TrainingSet::ids`] leads from these numbers to the order of the model.

use crate::data::counts::Counts;
use crate::data::dataset::Dataset;
use crate::data::label::{ClassCounts, SmallTally, Tally};
use crate::data::packed::PackedLists;
use crate::data::part::Part;
use crate::model::features::{
    ACTION_OOV, DENSE_COUNT, NGRAM_OOV, Ranges, Row, Shape, ShapeCounter, discount_shape, inner, share, with_markers,
};
use crate::model::ngrams::NgramTable;
use crate::parallel::{map, map_into};
use crate::train::ngram_counter::NgramCounter;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// Rows are packed in blocks of this many.
const BLOCK: usize = 4096;

/// Identical sequences are one row that carries the labels of all of them.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    blocks: Vec<Block>,
    labels: Labels,
}

/// How many samples of each class each of many sequences stands for.
#[derive(Debug, Default)]
struct Labels {
    normal: Counts,
    anomalous: Counts,
}

impl Labels {
    fn push(&mut self, counts: ClassCounts) {
        self.normal.push(counts.normal);
        self.anomalous.push(counts.anomalous);
    }

    fn of(&self, index: usize) -> ClassCounts {
        ClassCounts {
            normal: self.normal.get(index),
            anomalous: self.anomalous.get(index),
        }
    }
}

/// The features of some rows, as little of them as all can be worked out from.
#[derive(Debug, Default)]
struct Block {
    sparse: PackedLists,
    shapes: Vec<Shape>,
    oov: Vec<OovCounts>,
    /// What the numbers in `sparse` have become, unless they stayed as they were.
    numbers: Option<Arc<[u32]>>,
}

/// What the number of an n-gram has become that is not kept.
const DROPPED: u32 = u32::MAX;

/// How many different actions and n-grams a row has, and how many of them no other sample has.
#[derive(Debug, Clone, Copy)]
struct OovCounts {
    actions: u32,
    novel_actions: u32,
    ngrams: u32,
    novel_ngrams: u32,
}

impl Block {
    /// Puts the features that row `index` of the block has into `ids`.
    fn read(&self, index: usize, ids: &mut Vec<u32>) {
        ids.clear();
        ids.extend(self.sparse.list(index));
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
        self.labels.normal.len()
    }

    /// The features of row `index`, unpacked into `ids`.
    pub(crate) fn row<'a>(&'a self, index: usize, ids: &'a mut Vec<u32>) -> Row<'a> {
        let (block, index) = (&self.blocks[index / BLOCK], index % BLOCK);
        block.read(index, ids);
        let oov = block.oov[index];
        let mut dense = block.shapes[index].figures(
            share(oov.novel_actions as usize, oov.actions as usize),
            share(oov.novel_ngrams as usize, oov.ngrams as usize),
        );
        discount_shape(&mut dense);
        Row { sparse: ids, dense }
    }

    /// How many samples with this sequence there are of each class.
    pub(crate) fn labels(&self, index: usize) -> ClassCounts {
        self.labels.of(index)
    }
}

impl FromIterator<ClassCounts> for Labels {
    fn from_iter<I: IntoIterator<Item = ClassCounts>>(all: I) -> Self {
        let mut labels = Self::default();
        all.into_iter().for_each(|counts| labels.push(counts));
        labels
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
    /// The range of each dense feature.
    pub(crate) ranges: Ranges,
}

impl TrainingSet {
    /// Counts actions and n-grams of the samples of `part`, keeping at most `max_ngrams` n-grams. Each of at most `threads`
    /// threads counts in a part of the samples; what they find does not depend on how many there are.
    pub(crate) fn build(data: &Dataset, part: &Part, n: usize, max_ngrams: usize, threads: NonZeroUsize) -> Self {
        if u32::try_from(part.samples()).is_ok() {
            Self::build_with::<SmallTally>(data, part, n, max_ngrams, threads)
        } else {
            Self::build_with::<ClassCounts>(data, part, n, max_ngrams, threads)
        }
    }

    fn build_with<T: Tally>(data: &Dataset, part: &Part, n: usize, max_ngrams: usize, threads: NonZeroUsize) -> Self {
        let (sequences, labels) = distinct_sequences(data, part);
        let mut order: Vec<(u64, u32)> = data.fingerprints(&sequences, threads).into_iter().zip(0..).collect();
        // The fit takes rows together that stand side by side. In canonical order these have more in common than others; by
        // fingerprint they come as if they were drawn.
        order.sort_unstable();
        let sequences: Vec<u32> = order.iter().map(|&(_, index)| sequences[index as usize]).collect();
        let labels: Labels = order.iter().map(|&(_, index)| labels.of(index as usize)).collect();
        let fingerprints = order.iter().map(|&(fingerprint, _)| fingerprint).collect();
        drop(order);
        let size = sequences.len().div_ceil(BLOCK).div_ceil(threads.get()) * BLOCK;
        let pieces: Vec<(&[u32], usize)> = sequences.chunks(size.max(1)).zip((0..).step_by(size.max(1))).collect();
        let parts = map(&pieces, |&(piece, first)| {
            Counted::<T>::count(data, piece, |index| labels.of(first + index), n)
        });
        let samples = data.class_counts(part);
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
                .map(|&action| found.actions[action as usize].samples.get())
                .collect(),
            ngrams: arrived
                .iter()
                .map(|&number| ngrams[number as usize].samples.get())
                .collect(),
            table,
            width: found.actions.len() + ngrams.len(),
            ids: used.iter().copied().chain(arrived.iter().map(id)).collect(),
            samples,
            rows: Rows {
                blocks: blocks.into_iter().flatten().collect(),
                labels,
            },
            fingerprints,
            ranges: found.ranges,
        }
    }
}

/// What has been counted.
struct Found<T> {
    /// By their numbers in the data set.
    actions: Vec<Seen<T>>,
    ngrams: NgramCounter<T>,
    /// The lowest and highest value of each dense feature before any discount; novelty always ranges from 0 to 1.
    ranges: Ranges,
}

/// Where an action was seen.
#[derive(Clone, Copy, Default)]
struct Seen<T> {
    /// The samples that have it.
    samples: T,
    /// The last row that has it, from 1.
    last_row: u32,
}

impl<T: Tally> Found<T> {
    fn new(actions: usize) -> Self {
        let mut ranges = [(f64::INFINITY, f64::NEG_INFINITY); DENSE_COUNT];
        ranges[ACTION_OOV] = (0.0, 1.0);
        ranges[NGRAM_OOV] = (0.0, 1.0);
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
            .filter(|&action| self.actions[action as usize].samples.get().total() > 0)
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

/// What one thread has counted in its share of the sequences.
struct Counted<T> {
    found: Found<T>,
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

impl<T: Tally> Counted<T> {
    /// Counts in some sequences, given by rows of `data` that have them, and their `labels`.
    fn count(data: &Dataset, sequences: &[u32], labels: impl Fn(usize) -> ClassCounts, n: usize) -> Self {
        let mut found = Found::<T>::new(data.action_count());
        let mut blocks = Vec::with_capacity(sequences.len().div_ceil(BLOCK));
        let (mut symbols, mut ids) = (Vec::new(), Vec::new());
        let mut counter = ShapeCounter::default();
        let mut row = 0;
        for sequences in sequences.chunks(BLOCK) {
            let mut block = Block::default();
            // Copied first, as memory that is asked for all at once comes sooner.
            let steps = data.steps_of(sequences);
            for index in 0..sequences.len() {
                let labels = labels(row as usize);
                row += 1;
                with_markers(&mut symbols, steps.list(index));
                let (actions, shape) = counter.count(inner(&symbols));
                for &action in actions {
                    let seen = &mut found.actions[action as usize];
                    seen.samples.add(labels);
                    seen.last_row = row;
                }
                ids.clear();
                ids.extend_from_slice(actions);
                let first_ngram = found.actions.len() as u32;
                let ngrams = &mut found.ngrams;
                ngrams.count(&symbols, n, row, labels, |number| ids.push(first_ngram + number));
                found.widen(shape);
                block.shapes.push(shape);
                block.oov.push(OovCounts {
                    actions: actions.len() as u32,
                    novel_actions: 0,
                    ngrams: (ids.len() - actions.len()) as u32,
                    novel_ngrams: 0,
                });
                block.sparse.push(ids.iter().copied());
            }
            block.sparse.shrink();
            blocks.push(block);
        }
        Self { found, blocks }
    }

    /// Adds what was counted to what other parts have.
    fn join(self, whole: &mut Found<T>) -> Unfinished {
        let Found {
            actions,
            ngrams,
            ranges,
        } = self.found;
        let of_actions = actions.iter().map(|seen| (seen.samples, seen.last_row));
        let of_ngrams = ngrams.ngrams().iter().map(|ngram| (ngram.samples, ngram.last_row));
        let once = (0..)
            .zip(of_actions.chain(of_ngrams))
            .filter(|(_, (samples, _))| samples.get().total() == 1)
            .map(|(id, (_, row))| (id, row - 1))
            .collect();
        for (seen, here) in whole.actions.iter_mut().zip(actions) {
            seen.samples.add(here.samples.get());
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
    fn finish<T: Tally>(self, whole: &Found<T>, kept: Option<&[bool]>) -> Vec<Block> {
        let mut blocks = self.blocks;
        let first = whole.actions.len() as u32;
        let samples = |number: u32| whole.ngrams.ngrams()[number as usize].samples.get().total();
        for (id, row) in self.once {
            let oov = &mut blocks[row as usize / BLOCK].oov[row as usize % BLOCK];
            match id.checked_sub(first) {
                None => oov.novel_actions += u32::from(whole.actions[id as usize].samples.get().total() == 1),
                Some(own) => oov.novel_ngrams += u32::from(samples(self.numbers[own as usize]) == 1),
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
                for (row, oov) in block.oov.iter_mut().enumerate() {
                    let ngrams = block.sparse.list(row).filter_map(|id| id.checked_sub(first));
                    let dropped = ngrams
                        .map(|own| self.numbers[own as usize])
                        .filter(|&number| is_dropped(number));
                    // Those that one sample has have been counted above.
                    oov.novel_ngrams += dropped.filter(|&number| samples(number) > 1).count() as u32;
                }
            }
            block.numbers = Some(Arc::clone(&numbers));
        }
        blocks
    }
}

/// A row for each of the different sequences of `part`, in canonical order, and how many samples have these.
fn distinct_sequences(data: &Dataset, part: &Part) -> (Vec<u32>, Labels) {
    let mut sequences: Vec<u32> = Vec::new();
    let mut labels = Labels::default();
    let mut last = ClassCounts::default();
    for (row, count) in part.iter() {
        // Rows with the same sequence stand side by side.
        let previous = sequences.last().map(|&row| data.sequence_key(row as usize));
        if previous != Some(data.sequence_key(row)) {
            if previous.is_some() {
                labels.push(std::mem::take(&mut last));
            }
            sequences.push(row as u32);
        }
        last.add(data.label(row), count);
    }
    labels.push(last);
    (sequences, labels)
}

#[cfg(test)]
mod tests;
