use super::*;
use crate::Label;
use crate::data::dataset::DatasetBuilder;
use crate::data::synthetic::{self, Scenario};
use crate::model::ngrams::{BOS, EOS};
use std::collections::{BTreeMap, BTreeSet};

/// All of `data`, counted in the usual way.
pub(crate) fn training_set(data: &Dataset, pairs: bool) -> TrainingSet {
    let config = TrainingConfig::default();
    counted(data, &config, pairs, NonZeroUsize::MIN)
}

fn counted(data: &Dataset, config: &TrainingConfig, pairs: bool, threads: NonZeroUsize) -> TrainingSet {
    let (distinct, folds) = Folds::draw(Distinct::of(data, &data.all(), threads), true, config.seed);
    TrainingSet::build(data, &distinct, folds, config, pairs, threads)
}

/// The symbols of an n-gram or action by name, the markers as `^` and `$`; of an ordered pair, `...` between its actions.
type Name = Vec<String>;

/// What a row says: its labels, its features by name, its dense features, and these as they are when its fold is left out.
type Told = (ClassCounts, BTreeSet<Name>, [f64; DENSE_COUNT], [f64; DENSE_COUNT]);

fn told(set: &TrainingSet) -> Vec<Told> {
    let symbol = |symbol: u32| match symbol {
        BOS => "^".to_owned(),
        EOS => "$".to_owned(),
        action => set.names[(action - FIRST_ACTION) as usize].clone(),
    };
    let named = |table: &NgramTable| -> Vec<Name> {
        let symbols = (0..table.len()).map(|number| table.symbols_of(number));
        symbols
            .map(|symbols| symbols.into_iter().map(symbol).collect())
            .collect()
    };
    let actions = set.names.iter().map(|name| vec![name.clone()]);
    let pairs = named(&set.pair_table)
        .into_iter()
        .map(|pair| with_gap(&pair[0], &pair[1]));
    let all = actions.chain(named(&set.table)).chain(pairs);
    let names: BTreeMap<u32, Name> = set.ids.iter().copied().zip(all).collect();
    let mut buffer = RowBuffer::default();
    (0..set.rows.len())
        .map(|index| {
            let left_out = set.rows.left_out(index, &mut buffer).dense;
            let row = set.rows.row(index, &mut buffer);
            let ids = || row.sparse.iter().chain(row.pairs);
            let sparse: BTreeSet<Name> = ids().map(|id| names[id].clone()).collect();
            assert_eq!(sparse.len(), ids().count(), "a feature stands in a row twice");
            (set.rows.labels(index), sparse, row.dense, left_out)
        })
        .collect()
}

fn with_gap(a: &str, b: &str) -> Name {
    [a, "...", b].map(str::to_owned).to_vec()
}

/// A sequence, or one in a group.
struct Plain<'a> {
    sequence: Vec<&'a str>,
    group: Option<&'a str>,
    labels: ClassCounts,
}

impl Plain<'_> {
    fn actions(&self) -> BTreeSet<Name> {
        self.sequence.iter().map(|&name| vec![name.to_owned()]).collect()
    }

    fn ngrams(&self, n: usize) -> BTreeSet<Name> {
        let owned = |names: &[&str]| -> Name { names.iter().map(|&name| name.to_owned()).collect() };
        let marked: Vec<&str> = ["^"]
            .into_iter()
            .chain(self.sequence.iter().copied())
            .chain(["$"])
            .collect();
        let bigrams = marked.windows(2).map(owned);
        bigrams
            .chain((3..=n).flat_map(|length| self.sequence.windows(length).map(owned)))
            .collect()
    }

    /// All pairs: the sequences of this test are too short for any to be too far apart.
    fn pairs(&self) -> BTreeSet<Name> {
        let places = 0..self.sequence.len();
        places
            .flat_map(|b| (0..b).map(move |a| (a, b)))
            .map(|(a, b)| with_gap(self.sequence[a], self.sequence[b]))
            .collect()
    }

    fn shape(&self) -> Shape {
        let mut counts: BTreeMap<&str, f64> = BTreeMap::new();
        self.sequence
            .iter()
            .for_each(|action| *counts.entry(action).or_default() += 1.0);
        let length = self.sequence.len() as f64;
        let entropy = counts
            .values()
            .map(|count| count / length * (length / count).log2())
            .sum();
        Shape::new(entropy, counts.len(), self.sequence.len())
    }
}

/// The same, worked out in the plainest way, in the order of `distinct`.
fn expected(data: &Dataset, distinct: &Distinct, folds: &Folds, n: usize, max_ngrams: usize) -> Vec<Told> {
    let mut rows: Vec<Plain<'_>> = Vec::new();
    let mut places = BTreeMap::new();
    for index in 0..data.rows() {
        let sequence: Vec<&str> = data.sequence(index).collect();
        let group = data.group(index);
        let place = *places.entry((sequence.clone(), group)).or_insert(rows.len());
        if place == rows.len() {
            let labels = ClassCounts::default();
            rows.push(Plain {
                sequence,
                group,
                labels,
            });
        }
        rows[place].labels.add(data.label(index), data.count(index));
    }
    rows.sort_by_key(|row| {
        let is_row = |&other: &u32| {
            let other = other as usize;
            data.sequence(other).eq(row.sequence.iter().copied()) && data.group(other) == row.group
        };
        distinct.rows.iter().position(is_row)
    });
    let mut samples: BTreeMap<Name, u64> = BTreeMap::new();
    // Who has a feature, and in which folds it is.
    let mut owners: BTreeMap<Name, BTreeSet<String>> = BTreeMap::new();
    let mut folds_with: BTreeMap<Name, BTreeSet<u8>> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        for name in row.ngrams(n).into_iter().chain(row.actions()).chain(row.pairs()) {
            *samples.entry(name.clone()).or_default() += row.labels.total();
            let who = (0..row.labels.total()).map(|sample| match row.group {
                Some(group) => group.to_owned(),
                None => format!("{index} {sample}"),
            });
            owners.entry(name.clone()).or_default().extend(who);
            folds_with.entry(name).or_default().insert(folds.of(index));
        }
    }
    // Markers come before all actions.
    let rank = |name: &Name| -> Vec<(u8, String)> {
        let of = |symbol: &String| match symbol.as_str() {
            "^" => 0,
            "$" => 1,
            _ => 2,
        };
        name.iter().map(|symbol| (of(symbol), symbol.clone())).collect()
    };
    let is_pair = |name: &Name| name.len() == 3 && name[1] == "...";
    let most_frequent = |names: Vec<&Name>| -> BTreeSet<Name> {
        let mut names = names;
        names.sort_by_key(|name| (std::cmp::Reverse(samples[*name]), name.len(), rank(name)));
        names.into_iter().take(max_ngrams).cloned().collect()
    };
    let mut kept = most_frequent(samples.keys().filter(|name| name.len() > 1 && !is_pair(name)).collect());
    kept.extend(most_frequent(
        samples
            .keys()
            .filter(|name| is_pair(name) && samples[*name] >= 3)
            .collect(),
    ));

    let told = |(index, row): (usize, &Plain<'_>)| {
        let (ngrams, actions) = (row.ngrams(n), row.actions());
        let count =
            |names: &BTreeSet<Name>, is_new: &dyn Fn(&Name) -> bool| names.iter().filter(|name| is_new(name)).count();
        let dense = |is_new: &dyn Fn(&Name) -> bool| {
            let novel_ngrams = count(&ngrams, &|name| is_new(name) || !kept.contains(name));
            let mut dense = row.shape().figures(
                share(count(&actions, is_new), actions.len()),
                share(novel_ngrams, ngrams.len()),
            );
            discount_shape(&mut dense);
            dense
        };
        let fold = BTreeSet::from([folds.of(index)]);
        let (alone, left_out) = (
            dense(&|name| owners[name].len() == 1),
            dense(&|name| folds_with[name] == fold),
        );
        let sparse = ngrams
            .iter()
            .cloned()
            .chain(row.pairs())
            .filter(|name| kept.contains(name));
        (
            row.labels,
            sparse.chain(actions.iter().cloned()).collect(),
            alone,
            left_out,
        )
    };
    rows.iter().enumerate().map(told).collect()
}

#[test]
fn rows_are_what_the_plainest_way_gives_for_any_number_of_threads_and_ngrams() {
    for groups in [None, Some(["one", "two", "three", "four"])] {
        let group = |index: usize| groups.map(|groups| groups[index % 4]);
        // Before and after the others, some actions that a single sample has.
        let mut data = DatasetBuilder::new();
        for (index, name) in ["a first one", "the last one"].into_iter().enumerate() {
            data.push([name, "read", name, "write", name], Label::Anomalous, group(index))
                .unwrap();
        }
        let synthetic = synthetic::generate(Scenario::Mixed, 400, 3);
        for row in 0..synthetic.rows() {
            let count = synthetic.count(row).try_into().unwrap();
            data.push_counted(synthetic.sequence(row), synthetic.label(row), group(row), count)
                .unwrap();
        }
        let data = data.build();
        for (n, max_ngrams) in [(3, 1_000_000), (2, 150)] {
            let config = TrainingConfig {
                ngram_size: (n as u64).try_into().unwrap(),
                max_ngrams: (max_ngrams as u64).try_into().unwrap(),
                ..TrainingConfig::default()
            };
            let (distinct, _) = Folds::draw(Distinct::of(&data, &data.all(), NonZeroUsize::MIN), true, config.seed);
            let mut plain = None;
            for threads in [1, 3] {
                let set = counted(&data, &config, true, threads.try_into().unwrap());
                let expected = plain.get_or_insert_with(|| expected(&data, &distinct, set.rows.folds(), n, max_ngrams));
                assert!(expected.len() > 2 * BLOCK, "three parts");
                assert_eq!(set.rows.len(), expected.len());
                for (found, expected) in told(&set).into_iter().zip(&*expected) {
                    assert_eq!((found.0, &found.1), (expected.0, &expected.1));
                    let found = found.2.into_iter().chain(found.3);
                    for (found, expected) in found.zip(expected.2.into_iter().chain(expected.3)) {
                        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
                    }
                }
            }
        }
    }
}
