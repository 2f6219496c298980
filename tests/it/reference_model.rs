//! The model against an implementation of its own in Python; `reference/model.py` says how the values were made.

use anomaly_train::{DatasetBuilder, ReadOptions, TrainingConfig, read_samples, train};
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    log_odds: Vec<f64>,
}

#[test]
fn training_approaches_the_optimum_that_another_implementation_finds() {
    let reference: Reference = serde_json::from_str(include_str!("../reference/model.json")).unwrap();
    let lines = include_str!("../reference/sequences.jsonl");
    let read = |lines: String| {
        let mut data = DatasetBuilder::new();
        let read = read_samples(lines.as_bytes(), &ReadOptions::default(), &mut data).unwrap();
        assert_eq!(read.refused.count, 0);
        data.build()
    };
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines.len(), 308);
    let data = read(lines[..240].join("\n"));
    let config = TrainingConfig {
        epochs: 2000.try_into().unwrap(),
        ..TrainingConfig::default()
    };
    let model = train(&data, &data.all(), &config).unwrap();
    let mut scorer = model.scorer();
    for (line, expected) in lines[240..].iter().zip(reference.log_odds) {
        let sample = read((*line).to_owned());
        let got = scorer.log_odds(sample.sequence(0));
        assert!((got - expected).abs() < 1e-5, "{line}: {got}, expected {expected}");
    }
}
