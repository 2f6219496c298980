//! The training part as the optimiser wants it: distinct sequences with their features and how often each label was seen.

use crate::dataset::{ClassCounts, Dataset};
use crate::features::{
    ACTION_NOVELTY, DENSE_COUNT, NGRAM_NOVELTY, Ranges, Row, ShapeCounter, discount_shape, inner, share,
    sort_and_dedup, with_markers,
};
use crate::fingerprint;
use crate::ngrams::{FIRST_ACTION, NgramCollector, NgramTable};
use foldhash::fast::RandomState;
use indexmap::IndexMap;

/// Identical sequences are one row that carries the labels of all of them.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    ends: Vec<usize>,
    present: Vec<u32>,
    dense: Vec<[f64; DENSE_COUNT]>,
    labels: Vec<ClassCounts>,
}

impl Rows {
    pub(crate) fn len(&self) -> usize {
        self.labels.len()
    }

    pub(crate) fn row(&self, index: usize) -> Row<'_> {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        Row {
            present: &self.present[start..self.ends[index]],
            dense: &self.dense[index],
        }
    }

    /// The lowest and highest value of each dense figure before any discount; novelty always ranges from 0 to 1.
    fn ranges(&self) -> Ranges {
        let mut ranges = [(f64::INFINITY, f64::NEG_INFINITY); DENSE_COUNT];
        for dense in &self.dense {
            for ((low, high), &value) in ranges.iter_mut().zip(dense) {
                *low = low.min(value);
                *high = high.max(value);
            }
        }
        ranges[ACTION_NOVELTY] = (0.0, 1.0);
        ranges[NGRAM_NOVELTY] = (0.0, 1.0);
        ranges
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
    /// Counts actions and n-grams of the samples `indices`, keeping at most `max_ngrams` n-grams.
    pub(crate) fn build(data: &Dataset, indices: &[u32], n: usize, max_ngrams: usize) -> Self {
        let sequences = distinct_sequences(data, indices);
        let (actions, numbers) = vocabulary(data, &sequences);
        let mut collector = NgramCollector::new(actions.len());
        let mut ngrams: Vec<ClassCounts> = Vec::new();

        let mut rows = Rows::default();
        let mut symbols = Vec::new();
        let mut found = Vec::new();
        let mut distinct_actions: Vec<(usize, usize)> = Vec::with_capacity(sequences.len());
        let mut shape = ShapeCounter::default();
        let mut samples = ClassCounts::default();
        for (steps, &labels) in &sequences {
            let sequence = steps.iter().map(|&step| numbers[step as usize]);
            with_markers(&mut symbols, sequence);
            found.clear();
            for start in 0..symbols.len() {
                let mut node = symbols[start];
                let end = symbols.len().min(start + n);
                for &symbol in &symbols[start + 1..end] {
                    node = collector.child(node, symbol);
                    found.push(collector.number(node));
                }
            }
            sort_and_dedup(&mut found);
            ngrams.resize(collector.len(), ClassCounts::default());
            for &number in &found {
                let counts = &mut ngrams[number as usize];
                *counts = counts.plus(labels);
            }
            let mut dense = [0.0; DENSE_COUNT];
            let distinct = shape.count(inner(&symbols), &mut dense);
            distinct_actions.push((distinct.len(), found.len()));
            rows.present.extend_from_slice(distinct);
            rows.present.extend_from_slice(&found);
            rows.ends.push(rows.present.len());
            rows.dense.push(dense);
            rows.labels.push(labels);
            samples = samples.plus(labels);
        }

        let (table, renumbered) = collector.finish(&ngrams, max_ngrams);
        let mut kept = vec![ClassCounts::default(); table.len()];
        for (counts, new) in ngrams.iter().zip(&renumbered) {
            if let Some(new) = new {
                kept[*new as usize] = *counts;
            }
        }
        let ranges = rows.ranges();
        rows.renumber(&distinct_actions, &actions, &ngrams, &renumbered);
        let action_prints = data.action_fingerprints();
        let mut fingerprints: Vec<u64> = sequences
            .keys()
            .map(|steps| fingerprint::of_sequence(steps.iter().map(|&step| action_prints[step as usize])))
            .collect();
        sort_and_dedup(&mut fingerprints);
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

impl Rows {
    /// Replaces n-gram numbers of arrival by the final ones, drops those that were not kept, and fills in the two novelty
    /// figures. An action or n-gram is novel if no other sample has it: without this sample it would be unknown, and so it
    /// must look while training, or novelty would never be seen and never be weighed.
    fn renumber(
        &mut self,
        lengths: &[(usize, usize)],
        known_actions: &[KnownAction],
        ngrams: &[ClassCounts],
        renumbered: &[Option<u32>],
    ) {
        let mut read = 0;
        let mut write = 0;
        for (row, &(actions, found)) in lengths.iter().enumerate() {
            let novel = self.present[read..read + actions]
                .iter()
                .filter(|&&action| known_actions[action as usize].counts.total() == 1)
                .count();
            self.dense[row][ACTION_NOVELTY] = share(novel, actions);
            self.present.copy_within(read..read + actions, write);
            read += actions;
            write += actions;

            let first_ngram = write;
            let mut novel = 0;
            for from in read..read + found {
                let number = self.present[from] as usize;
                let new = renumbered[number];
                if new.is_none() || ngrams[number].total() == 1 {
                    novel += 1;
                }
                if let Some(new) = new {
                    self.present[write] = known_actions.len() as u32 + new;
                    write += 1;
                }
            }
            self.dense[row][NGRAM_NOVELTY] = share(novel, found);
            discount_shape(&mut self.dense[row]);
            self.present[first_ngram..write].sort_unstable();
            read += found;
            self.ends[row] = write;
        }
        self.present.truncate(write);
        self.present.shrink_to_fit();
    }
}

/// The different sequences among the samples, in order of first appearance, with the labels they carry.
fn distinct_sequences<'a>(data: &'a Dataset, indices: &[u32]) -> IndexMap<&'a [u32], ClassCounts, RandomState> {
    let mut sequences: IndexMap<&[u32], ClassCounts, RandomState> = IndexMap::default();
    for &index in indices {
        sequences
            .entry(data.steps(index as usize))
            .or_default()
            .add(data.labels()[index as usize]);
    }
    sequences
}

/// The actions that occur in `sequences`, by name, and for each action of the data set its number among them.
fn vocabulary(data: &Dataset, sequences: &IndexMap<&[u32], ClassCounts, RandomState>) -> (Vec<KnownAction>, Vec<u32>) {
    let mut counts = vec![ClassCounts::default(); data.action_count()];
    let mut last_seen = vec![usize::MAX; data.action_count()];
    for (index, (steps, labels)) in sequences.iter().enumerate() {
        for &step in *steps {
            if last_seen[step as usize] != index {
                last_seen[step as usize] = index;
                counts[step as usize] = counts[step as usize].plus(*labels);
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
