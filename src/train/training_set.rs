//! The training part as the optimiser wants it: distinct sequences with their features and how often each label was seen.
//!
//! Here, features are numbered as they arrive, first the actions of the data set, then the n-grams, then the ordered pairs, and
//! those of a row stand in the order in which its sequence brings them. So a row is written down as soon as its sequence has been read,
//! frequent features have small numbers and lie side by side in memory, and no sum depends on how the work was shared.
//! [`TrainingSet::ids`] leads from these numbers to the order of the model.

use crate::data::dataset::Dataset;
use crate::data::label::{ClassCounts, SmallTally, Tally};
use crate::data::packed::PackedLists;
use crate::model::config::TrainingConfig;
use crate::model::features::{
    ACTION_OOV, DENSE_COUNT, NGRAM_OOV, Ranges, Row, Shape, ShapeCounter, discount_shape, inner, ordered_pairs, share,
    with_markers,
};
use crate::model::ngrams::{FIRST_ACTION, NgramTable};
use crate::parallel::{map, map_into};
use crate::train::distinct::{Distinct, Labels};
use crate::train::folds::{FoldSet, Folds};
use crate::train::ngram_counter::{NgramCounter, Owner, RowKey, Seen};
use std::num::NonZeroUsize;

/// Rows are packed in blocks of this many; fewer in tests, which have few.
const BLOCK: usize = if cfg!(test) { 128 } else { 4096 };

/// An ordered pair is evidence if at least this many samples have it.
const LEAST_SAMPLES: u64 = 3;

/// A sequence is one row that carries the labels of all its samples; where there are groups, those of a group.
#[derive(Debug)]
pub(crate) struct Rows {
    blocks: Vec<Block>,
    /// The same as they are asked for, if they are few: what is fitted again and again need not be unpacked again and again.
    unpacked: Option<Unpacked>,
    labels: Labels,
    folds: Folds,
    /// By feature, the folds whose rows have it.
    folds_with: Vec<FoldSet>,
    /// How many actions there are, which come first among the features.
    actions: u32,
    first_pair: usize,
    shows_pairs: bool,
}

/// The features of some rows, as little of them as all can be worked out from.
#[derive(Debug, Default)]
struct Block {
    sparse: PackedLists,
    /// Empty without ordered pairs.
    pairs: PackedLists,
    shapes: Vec<Shape>,
    oov: Vec<OovCounts>,
}

/// Rows that are unpacked.
#[derive(Debug, Default)]
struct Unpacked {
    /// The features of one row after the other, in each the ordered pairs last.
    ids: Vec<u32>,
    /// Where the ordered pairs of each row begin, and where they end.
    ends: Vec<(u32, u32)>,
    dense: Vec<[f64; DENSE_COUNT]>,
}

/// Most rows that are unpacked, and most features of all of them together.
const FEW_ROWS: usize = 8192;
const FEW_FEATURES: usize = 1 << 22;

/// What the number of an n-gram has become that is not kept.
const DROPPED: u32 = u32::MAX;

/// How many different actions and n-grams a row has, and how many of them nobody else has.
#[derive(Debug, Clone, Copy)]
struct OovCounts {
    actions: u32,
    novel_actions: u32,
    ngrams: u32,
    novel_ngrams: u32,
}

impl OovCounts {
    fn count_novel(&mut self, is_action: bool) {
        *(if is_action {
            &mut self.novel_actions
        } else {
            &mut self.novel_ngrams
        }) += 1;
    }

    /// The rates.
    fn rates(self) -> (f64, f64) {
        (
            share(self.novel_actions as usize, self.actions as usize),
            share(self.novel_ngrams as usize, self.ngrams as usize),
        )
    }
}

/// Where the features of a row are unpacked.
#[derive(Debug, Default)]
pub(crate) struct RowBuffer {
    sparse: Vec<u32>,
    pairs: Vec<u32>,
}

impl Block {
    /// Unpacks the features that row `index` of the block has, ordered pairs among them if `with_pairs`.
    fn read(&self, index: usize, with_pairs: bool, buffer: &mut RowBuffer) {
        self.sparse.read(index, &mut buffer.sparse);
        if with_pairs {
            self.pairs.read(index, &mut buffer.pairs);
        } else {
            buffer.pairs.clear();
        }
    }
}

impl Rows {
    pub(crate) fn len(&self) -> usize {
        self.labels.len()
    }

    /// The features of row `index`, unpacked into `buffer` unless they are already.
    pub(crate) fn row<'a>(&'a self, index: usize, buffer: &'a mut RowBuffer) -> Row<'a> {
        if let Some(unpacked) = &self.unpacked {
            let start = index.checked_sub(1).map_or(0, |before| unpacked.ends[before].1);
            let (pairs, end) = unpacked.ends[index];
            let last = if self.shows_pairs { end } else { pairs };
            return Row {
                sparse: &unpacked.ids[start as usize..pairs as usize],
                pairs: &unpacked.ids[pairs as usize..last as usize],
                dense: unpacked.dense[index],
            };
        }
        let (block, index) = (&self.blocks[index / BLOCK], index % BLOCK);
        block.read(index, self.shows_pairs, buffer);
        block.finished(index, block.oov[index], buffer)
    }

    /// The features of row `index` as a model sees them that was trained without its fold.
    pub(crate) fn left_out<'a>(&self, index: usize, buffer: &'a mut RowBuffer) -> Row<'a> {
        let fold = self.folds.of(index);
        self.seen_knowing(index, buffer, |folds| !folds.is_only(fold))
    }

    /// The features of row `index` as a model sees them that was trained with it.
    pub(crate) fn known<'a>(&self, index: usize, buffer: &'a mut RowBuffer) -> Row<'a> {
        self.seen_knowing(index, buffer, |_| true)
    }

    /// The features of row `index` as a model sees them that knows those of them whose folds `knows` approves.
    fn seen_knowing<'a>(&self, index: usize, buffer: &'a mut RowBuffer, knows: impl Fn(FoldSet) -> bool) -> Row<'a> {
        let (block, index) = (&self.blocks[index / BLOCK], index % BLOCK);
        block.read(index, self.shows_pairs, buffer);
        let mut oov = block.oov[index];
        (oov.novel_actions, oov.novel_ngrams) = (0, oov.ngrams);
        for &id in &buffer.sparse {
            let is_known = knows(self.folds_with[id as usize]);
            if id < self.actions {
                oov.novel_actions += u32::from(!is_known);
            } else {
                // Those that are not kept are unknown as well.
                oov.novel_ngrams -= u32::from(is_known);
            }
        }
        block.finished(index, oov, buffer)
    }

    /// Whether other folds than this one have a feature.
    pub(crate) fn is_known_without(&self, fold: u8, feature: u32) -> bool {
        self.folds_with
            .get(feature as usize)
            .is_none_or(|folds| !folds.is_only(fold))
    }

    /// How many samples with this sequence there are of each class.
    pub(crate) fn labels(&self, index: usize) -> ClassCounts {
        self.labels.of(index)
    }

    /// Unpacks all rows if they are few.
    fn unpack(&mut self) {
        let mut all = Unpacked::default();
        if self.len() > FEW_ROWS {
            return;
        }
        let mut buffer = RowBuffer::default();
        for index in 0..self.len() {
            let Row { sparse, pairs, dense } = self.row(index, &mut buffer);
            all.ids.extend_from_slice(sparse);
            let first_pair = all.ids.len() as u32;
            all.ids.extend_from_slice(pairs);
            all.ends.push((first_pair, all.ids.len() as u32));
            all.dense.push(dense);
            if all.ids.len() > FEW_FEATURES {
                return;
            }
        }
        self.unpacked = Some(all);
    }

    /// Hides the ordered pairs of all rows, or shows them again if they have been counted.
    pub(crate) fn show_pairs(&mut self, shown: bool) {
        self.shows_pairs = shown && self.blocks.iter().all(|block| block.pairs.len() > 0);
    }

    /// Whether rows show their ordered pairs.
    pub(crate) fn shows_pairs(&self) -> bool {
        self.shows_pairs
    }

    /// The number of the first ordered pair.
    pub(crate) fn first_pair(&self) -> usize {
        self.first_pair
    }

    /// What is left out together.
    pub(crate) fn folds(&self) -> &Folds {
        &self.folds
    }
}

impl Block {
    fn finished<'a>(&self, index: usize, oov: OovCounts, buffer: &'a RowBuffer) -> Row<'a> {
        let (actions, ngrams) = oov.rates();
        let mut dense = self.shapes[index].figures(actions, ngrams);
        discount_shape(&mut dense);
        Row {
            sparse: &buffer.sparse,
            pairs: &buffer.pairs,
            dense,
        }
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
    pub(crate) pair_table: NgramTable,
    /// The counts of each ordered pair of its table.
    pub(crate) pairs: Vec<ClassCounts>,
    pub(crate) rows: Rows,
    /// The numbers of features in the rows lie below this.
    pub(crate) width: usize,
    /// The number that each action, after them each n-gram of the table, and after them each ordered pair has in the rows.
    pub(crate) ids: Vec<u32>,
    pub(crate) samples: ClassCounts,
    /// The range of each dense feature.
    pub(crate) ranges: Ranges,
}

/// What is counted.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    /// Longest n-gram.
    n: usize,
    pairs: bool,
    /// Most n-grams, and most ordered pairs, that are kept.
    most: usize,
}

impl TrainingSet {
    /// Counts the features of `distinct` sequences of `data`, ordered pairs among them if `pairs`. Each of at most `threads`
    /// threads counts in a part of them; what they find does not depend on how many there are.
    pub(crate) fn build(
        data: &Dataset,
        distinct: &Distinct,
        folds: Folds,
        config: &TrainingConfig,
        pairs: bool,
        threads: NonZeroUsize,
    ) -> Self {
        let wanted = Wanted {
            n: config.ngram_size.get(),
            pairs: pairs && config.ngram_size.get() > 1,
            most: config.max_ngrams.get(),
        };
        if u32::try_from(distinct.labels.sum().total()).is_ok() {
            Self::build_with::<SmallTally>(data, distinct, folds, wanted, threads)
        } else {
            Self::build_with::<ClassCounts>(data, distinct, folds, wanted, threads)
        }
    }

    /// The same without ordered pairs.
    pub(crate) fn without_pairs(mut self) -> Self {
        self.width -= self.pairs.len();
        self.ids.truncate(self.ids.len() - self.pairs.len());
        self.pairs.clear();
        self.pair_table = NgramTable::new(self.actions.len());
        self.rows.show_pairs(false);
        self.rows
            .blocks
            .iter_mut()
            .for_each(|block| block.pairs = PackedLists::default());
        self
    }

    fn build_with<T: Tally>(
        data: &Dataset,
        distinct: &Distinct,
        folds: Folds,
        wanted: Wanted,
        threads: NonZeroUsize,
    ) -> Self {
        let size = distinct.len().div_ceil(BLOCK).div_ceil(threads.get()) * BLOCK;
        let starts: Vec<usize> = (0..distinct.len()).step_by(size.max(1)).collect();
        let parts = map(&starts, |&start| {
            let end = distinct.len().min(start + size);
            Counted::<T>::count(
                data,
                &Piece {
                    distinct,
                    folds: &folds,
                    start,
                    end,
                },
                wanted,
            )
        });

        let mut found = Found::new(data.action_count(), distinct.groups.is_some());
        let unfinished: Vec<Unfinished> = parts.into_iter().map(|part| part.join(&mut found)).collect();
        let (names, used) = found.vocabulary(data);
        let (table, arrived) = found.ngrams.finish(&used, wanted.most, 1, threads);
        let (pair_table, pairs_arrived) = found.pairs.finish(&used, wanted.most, LEAST_SAMPLES, threads);
        let first_ngram = found.actions.len() as u32;
        let first_pair = first_ngram + arrived.len() as u32;
        let ngram_numbers = numbers(&found.ngrams, &arrived, first_ngram);
        let pair_numbers = numbers(&found.pairs, &pairs_arrived, first_pair);
        let kept = (0..).zip(&ngram_numbers).filter(|&(_, &number)| number != DROPPED);
        let of_ngrams = kept.map(|(arrived, _)| found.ngrams.seen(arrived));
        let features = || found.actions.iter().copied().chain(of_ngrams.clone());
        let owners: Vec<Owner> = features().map(|seen| seen.owner).collect();
        let (mut renumberings, mut blocks) = (Vec::new(), Vec::new());
        for part in unfinished {
            let of_ngrams = part.numbers.iter().map(|&number| ngram_numbers[number as usize]);
            let sparse: Vec<u32> = (0..first_ngram).chain(of_ngrams).collect();
            let starts = (part.start..).step_by(BLOCK);
            let here = renumberings.len();
            blocks.extend(
                part.blocks
                    .into_iter()
                    .zip(starts)
                    .map(|(block, start)| (here, start, block)),
            );
            renumberings.push(Renumbering {
                is_none: sparse.iter().zip(0..).all(|(&number, own)| number == own),
                sparse,
                pairs: part
                    .pair_numbers
                    .iter()
                    .map(|&number| pair_numbers[number as usize])
                    .collect(),
                owners: &owners,
                actions: first_ngram,
            });
        }
        // An action or n-gram is novel if nobody else has it: without them it would be unknown, and so it must look while training, or
        // novelty would never be seen and never be weighed.
        let groups = distinct.groups.as_deref();
        let mut blocks = map_into(blocks, threads, |(part, start, block): (usize, usize, Block)| {
            let rows = start..start + block.oov.len();
            renumberings[part].apply(block, groups.map(|groups| &groups[rows]))
        });
        if groups.is_none() {
            for (id, row) in (0..)
                .zip(&owners)
                .filter_map(|(id, owner)| Some((id, owner.number()? as usize)))
            {
                blocks[row / BLOCK].oov[row % BLOCK].count_novel(id < first_ngram);
            }
        }

        let counts = |counter: &NgramCounter<T>, arrived: &[u32]| -> Vec<ClassCounts> {
            arrived
                .iter()
                .map(|&number| counter.seen(number).samples.get())
                .collect()
        };
        let ngram_ids = arrived.iter().map(|&number| ngram_numbers[number as usize]);
        let pair_ids = pairs_arrived.iter().map(|&number| pair_numbers[number as usize]);
        let mut rows = Rows {
            blocks,
            unpacked: None,
            labels: distinct.labels.clone(),
            folds_with: features().map(|seen| seen.folds).collect(),
            folds,
            actions: found.actions.len() as u32,
            first_pair: first_pair as usize,
            shows_pairs: wanted.pairs,
        };
        rows.unpack();
        Self {
            names,
            actions: used
                .iter()
                .map(|&action| found.actions[action as usize].samples.get())
                .collect(),
            ngrams: counts(&found.ngrams, &arrived),
            pairs: counts(&found.pairs, &pairs_arrived),
            table,
            pair_table,
            width: first_pair as usize + pairs_arrived.len(),
            ids: used.iter().copied().chain(ngram_ids).chain(pair_ids).collect(),
            samples: distinct.labels.sum(),
            rows,
            ranges: found.ranges,
        }
    }
}

/// Some distinct sequences, from `start` to before `end`.
struct Piece<'a> {
    distinct: &'a Distinct,
    folds: &'a Folds,
    start: usize,
    end: usize,
}

impl Piece<'_> {
    /// Who has what is found in the sequence with this index alone: its group; without groups, the only sample with the sequence.
    fn owner(distinct: &Distinct, index: usize) -> Owner {
        match &distinct.groups {
            Some(groups) => Owner::new(groups[index]),
            None if distinct.labels.of(index).total() == 1 => Owner::new(index as u32),
            None => Owner::MANY,
        }
    }
}

/// What has been counted.
struct Found<T> {
    /// By their numbers in the data set.
    actions: Vec<Seen<T>>,
    ngrams: NgramCounter<T>,
    pairs: NgramCounter<T>,
    /// The lowest and highest value of each dense feature before any discount; novelty always ranges from 0 to 1.
    ranges: Ranges,
}

impl<T: Tally> Found<T> {
    fn new(actions: usize, by_group: bool) -> Self {
        let mut ranges = [(f64::INFINITY, f64::NEG_INFINITY); DENSE_COUNT];
        ranges[ACTION_OOV] = (0.0, 1.0);
        ranges[NGRAM_OOV] = (0.0, 1.0);
        Self {
            actions: vec![Seen::default(); actions],
            ngrams: NgramCounter::new(actions, by_group),
            pairs: NgramCounter::new(actions, by_group),
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
}

/// The number of each n-gram in the rows, from `first` on in the order of arrival; [`DROPPED`] for those that are not among `kept`.
fn numbers<T: Tally>(counter: &NgramCounter<T>, kept: &[u32], first: u32) -> Vec<u32> {
    let mut numbers = vec![DROPPED; counter.len()];
    kept.iter().for_each(|&number| numbers[number as usize] = 0);
    let kept = numbers.iter_mut().filter(|number| **number != DROPPED);
    (first..).zip(kept).for_each(|(next, number)| *number = next);
    numbers
}

/// What one thread has counted in its share of the sequences.
struct Counted<T> {
    found: Found<T>,
    blocks: Vec<Block>,
    start: usize,
}

/// The rows of a part, but for what only all parts together know.
struct Unfinished {
    blocks: Vec<Block>,
    /// The index of the first row.
    start: usize,
    /// The numbers that the n-grams of the part have among all.
    numbers: Vec<u32>,
    /// The same for ordered pairs.
    pair_numbers: Vec<u32>,
}

impl<T: Tally> Counted<T> {
    /// Counts in some sequences.
    fn count(data: &Dataset, piece: &Piece<'_>, wanted: Wanted) -> Self {
        let mut found = Found::<T>::new(data.action_count(), piece.distinct.groups.is_some());
        let mut blocks = Vec::with_capacity((piece.end - piece.start).div_ceil(BLOCK));
        let (mut symbols, mut ids, mut pair_ids) = (Vec::new(), Vec::new(), Vec::new());
        let mut counter = ShapeCounter::default();
        for first in (piece.start..piece.end).step_by(BLOCK) {
            let rows = first..piece.end.min(first + BLOCK);
            let mut block = Block::default();
            // Copied first, as memory that is asked for all at once comes sooner.
            let steps = data.steps_of(&piece.distinct.rows[rows.clone()]);
            for (place, index) in rows.enumerate() {
                let key = RowKey {
                    labels: piece.distinct.labels.of(index),
                    owner: Piece::owner(piece.distinct, index),
                    fold: piece.folds.of(index),
                };
                with_markers(&mut symbols, steps.list(place));
                let (seen, shape) = counter.count(inner(&symbols));
                ids.clear();
                for seen in seen {
                    found.actions[seen.action as usize].add(key);
                    ids.push(seen.action);
                }
                let actions = ids.len() as u32;
                if wanted.pairs {
                    pair_ids.clear();
                    let pairs = &mut found.pairs;
                    ordered_pairs(seen, |a, b| {
                        pair_ids.push(pairs.count_pair(a + FIRST_ACTION, b + FIRST_ACTION, key));
                    });
                    block.pairs.push_slice(&pair_ids);
                }
                let first_ngram = found.actions.len() as u32;
                let ngrams = &mut found.ngrams;
                ngrams.count(&symbols, &mut counter.repeats, wanted.n, key, |number| {
                    ids.push(first_ngram + number);
                });
                found.widen(shape);
                block.shapes.push(shape);
                block.oov.push(OovCounts {
                    actions,
                    novel_actions: 0,
                    ngrams: ids.len() as u32 - actions,
                    novel_ngrams: 0,
                });
                block.sparse.push_slice(&ids);
            }
            block.sparse.shrink();
            block.pairs.shrink();
            blocks.push(block);
        }
        found.ngrams.end_fold();
        found.pairs.end_fold();
        Self {
            found,
            blocks,
            start: piece.start,
        }
    }

    /// Adds what was counted to what other parts have.
    fn join(self, whole: &mut Found<T>) -> Unfinished {
        let Found {
            actions,
            ngrams,
            pairs,
            ranges,
        } = self.found;
        for (seen, here) in whole.actions.iter_mut().zip(actions) {
            seen.join(here);
        }
        for (range, here) in whole.ranges.iter_mut().zip(ranges) {
            *range = (range.0.min(here.0), range.1.max(here.1));
        }
        Unfinished {
            blocks: self.blocks,
            start: self.start,
            numbers: whole.ngrams.absorb(ngrams),
            pair_numbers: whole.pairs.absorb(pairs),
        }
    }
}

/// What the numbers of features in the rows of a part become.
struct Renumbering<'a> {
    /// Of actions, which keep theirs, and n-grams.
    sparse: Vec<u32>,
    pairs: Vec<u32>,
    /// Whether those of actions and n-grams are as they were.
    is_none: bool,
    /// By new number, who alone has an action or n-gram.
    owners: &'a [Owner],
    actions: u32,
}

impl Renumbering<'_> {
    /// A block whose features have their new numbers. What is not kept is novel to its rows; where they have groups, by `group_of`, so is
    /// what only their group has.
    fn apply(&self, block: Block, group_of: Option<&[u32]>) -> Block {
        if self.is_none && group_of.is_none() && block.pairs.len() == 0 {
            return block;
        }
        let mut renumbered = Block {
            shapes: block.shapes,
            oov: block.oov,
            ..Block::default()
        };
        let mut ids = Vec::new();
        for (row, oov) in renumbered.oov.iter_mut().enumerate() {
            let owner = group_of.map_or(Owner::MANY, |group_of| Owner::new(group_of[row]));
            block.sparse.read(row, &mut ids);
            ids.retain_mut(|id| {
                let is_action = *id < self.actions;
                *id = self.sparse[*id as usize];
                if *id == DROPPED || owner.has_alone(self.owners[*id as usize]) {
                    oov.count_novel(is_action);
                }
                *id != DROPPED
            });
            renumbered.sparse.push_slice(&ids);
            if block.pairs.len() > 0 {
                block.pairs.read(row, &mut ids);
                ids.retain_mut(|id| {
                    *id = self.pairs[*id as usize];
                    *id != DROPPED
                });
                renumbered.pairs.push_slice(&ids);
            }
        }
        renumbered.sparse.shrink();
        renumbered.pairs.shrink();
        renumbered
    }
}

#[cfg(test)]
pub(crate) mod tests;
