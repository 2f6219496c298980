//! A normal-only model against an implementation that knows only its documentation; `reference/normal.py` says how its values were
//! made.

use anomaly_train::{AnomalousSamples, DatasetBuilder, Label, LineChunks, NormalConfig, train_normal};
use std::num::NonZeroUsize;

/// The sequences of a file of samples that are not labelled anomalous.
fn normal_sequences(lines: &str) -> Vec<Vec<String>> {
    let mut sequences = Vec::new();
    for chunk in LineChunks::new(lines.as_bytes()) {
        let chunk = chunk.unwrap();
        let mut samples = chunk.samples().unlabelled(Some(Label::Normal));
        while let Some(read) = samples.read_labelled() {
            let sample = read.unwrap();
            if sample.label() == Label::Normal {
                sequences.push(sample.unlabelled().actions().map(str::to_owned).collect());
            }
        }
    }
    sequences
}

#[test]
fn a_thousand_sequences_are_as_surprising_as_the_documentation_says() {
    let mut data = DatasetBuilder::new().anomalous(AnomalousSamples::Refuse);
    for (index, sequence) in normal_sequences(include_str!("../reference/sequences.jsonl"))
        .iter()
        .enumerate()
    {
        let group = (index % 8).to_string();
        data.push(sequence.iter().map(String::as_str), Label::Normal, Some(&group))
            .unwrap();
    }
    let data = data.build();
    let config = NormalConfig {
        anomaly_threshold: 0.95.try_into().unwrap(),
        ..NormalConfig::default()
    };
    let trained = train_normal(&data, &data.all(), &config, NonZeroUsize::MIN).unwrap();
    let expected: Vec<[f64; 2]> = serde_json::from_str(include_str!("../reference/normal.json")).unwrap();
    let scored = normal_sequences(include_str!("../reference/scored_sequences.jsonl"));
    assert_eq!((scored.len(), expected.len()), (1000, 1000));
    let mut scorer = trained.model.scorer();
    for (line, (sequence, [surprise, p_value])) in (1..).zip(scored.iter().zip(expected)) {
        let said = scorer.predict(sequence.iter().map(String::as_str)).unwrap();
        let differs = (said.surprise.unwrap() - surprise)
            .abs()
            .max((1.0 - said.score - p_value).abs());
        assert!(
            differs < 1e-9,
            "line {line}: {said:?}, expected {surprise} and {p_value}"
        );
    }
}
