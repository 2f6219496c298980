use super::*;
use crate::Label;
use crate::data::dataset::DatasetBuilder;
use crate::data::fingerprint;
use crate::data::synthetic::{self, Scenario};
use crate::model::ngrams::{BOS, EOS, FIRST_ACTION};
use std::collections::{BTreeMap, BTreeSet};

/// The symbols of an n-gram or action by name, the markers as `^` and `$`.
type Name = Vec<String>;

/// What a row says: its labels, its actions and n-grams by name, and its dense features.
type Told = (ClassCounts, BTreeSet<Name>, [f64; DENSE_COUNT]);

fn told(set: &TrainingSet) -> Vec<Told> {
    let symbol = |symbol: u32| match symbol {
        BOS => "^".to_owned(),
        EOS => "$".to_owned(),
        action => set.names[(action - FIRST_ACTION) as usize].clone(),
    };
    let actions = set.names.iter().map(|name| vec![name.clone()]);
    let ngrams =
        (0..set.ngrams.len() as u32).map(|number| set.table.symbols_of(number).into_iter().map(symbol).collect());
    let names: BTreeMap<u32, Name> = set.ids.iter().copied().zip(actions.chain(ngrams)).collect();
    let mut ids = Vec::new();
    (0..set.rows.len())
        .map(|index| {
            let row = set.rows.row(index, &mut ids);
            let sparse: BTreeSet<Name> = row.sparse.iter().map(|id| names[id].clone()).collect();
            assert_eq!(sparse.len(), row.sparse.len(), "a feature stands in a row twice");
            (set.rows.labels(index), sparse, row.dense)
        })
        .collect()
}

/// The same, worked out in the plainest way.
fn expected(data: &Dataset, n: usize, max_ngrams: usize) -> Vec<Told> {
    let mut sequences: Vec<(Vec<&str>, ClassCounts)> = Vec::new();
    let mut places = BTreeMap::new();
    for index in 0..data.rows() {
        let sequence: Vec<&str> = data.sequence(index).collect();
        let place = *places.entry(sequence.clone()).or_insert(sequences.len());
        if place == sequences.len() {
            sequences.push((sequence, ClassCounts::default()));
        }
        sequences[place].1.add(data.label(index), data.count(index));
    }
    sequences
        .sort_by_key(|(sequence, _)| fingerprint::of_sequence(sequence.iter().copied().map(fingerprint::of_action)));
    let ngrams_of = |sequence: &[&str]| -> BTreeSet<Name> {
        let marked: Name = ["^"]
            .iter()
            .chain(sequence)
            .chain(&["$"])
            .map(|name| (*name).to_owned())
            .collect();
        (2..=n)
            .flat_map(|length| marked.windows(length).map(<[String]>::to_vec))
            .collect()
    };
    let actions_of =
        |sequence: &[&str]| -> BTreeSet<Name> { sequence.iter().map(|&name| vec![name.to_owned()]).collect() };
    let mut samples: BTreeMap<Name, u64> = BTreeMap::new();
    for (sequence, labels) in &sequences {
        for name in ngrams_of(sequence).into_iter().chain(actions_of(sequence)) {
            *samples.entry(name).or_default() += labels.total();
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
    let mut by_frequency: Vec<&Name> = samples.keys().filter(|name| name.len() > 1).collect();
    by_frequency.sort_by_key(|name| (std::cmp::Reverse(samples[*name]), name.len(), rank(name)));
    let kept: BTreeSet<&Name> = by_frequency.into_iter().take(max_ngrams).collect();

    let told = |(sequence, labels): &(Vec<&str>, ClassCounts)| {
        let (ngrams, actions) = (ngrams_of(sequence), actions_of(sequence));
        let novel_ngrams = ngrams
            .iter()
            .filter(|name| samples[*name] == 1 || !kept.contains(name))
            .count();
        let novel_actions = actions.iter().filter(|name| samples[*name] == 1).count();
        let mut counts: BTreeMap<&str, f64> = BTreeMap::new();
        sequence
            .iter()
            .for_each(|action| *counts.entry(action).or_default() += 1.0);
        let length = sequence.len() as f64;
        let entropy = counts
            .values()
            .map(|count| count / length * (length / count).log2())
            .sum();
        let mut dense = Shape::new(entropy, counts.len(), sequence.len())
            .figures(share(novel_actions, actions.len()), share(novel_ngrams, ngrams.len()));
        discount_shape(&mut dense);
        let sparse = ngrams.into_iter().filter(|name| kept.contains(name)).chain(actions);
        (*labels, sparse.collect(), dense)
    };
    sequences.iter().map(told).collect()
}

#[test]
fn rows_are_what_the_plainest_way_gives_for_any_number_of_threads_and_ngrams() {
    // Before and after the others, some actions that a single sample has.
    let mut data = DatasetBuilder::new();
    for name in ["a first one", "the last one"] {
        data.push([name, "read", name, "write", name], Label::Anomalous, None)
            .unwrap();
    }
    synthetic::draw(Scenario::Mixed, 10_500, 3, &mut data);
    let data = data.build();
    for (n, max_ngrams) in [(3, usize::MAX), (2, 150)] {
        let expected = expected(&data, n, max_ngrams);
        assert!(expected.len() > 2 * BLOCK, "three parts");
        for threads in [1, 3] {
            let set = TrainingSet::build(&data, &data.all(), n, max_ngrams, threads.try_into().unwrap());
            for (found, expected) in told(&set).into_iter().zip(&expected) {
                assert_eq!((found.0, &found.1), (expected.0, &expected.1));
                for (found, expected) in found.2.iter().zip(&expected.2) {
                    assert!((found - expected).abs() < 1e-12, "{found} {expected}");
                }
            }
            assert_eq!(set.rows.len(), expected.len());
        }
    }
}
