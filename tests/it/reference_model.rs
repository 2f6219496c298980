//! The model against an implementation of its own in Python; `reference/model.py` says how the values were made.

use anomaly_train::{Dataset, ReadOptions, TrainingConfig, read_samples, train};
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    log_odds: Vec<f64>,
}

#[test]
fn training_approaches_the_optimum_that_another_implementation_finds() {
    let reference: Reference = serde_json::from_str(include_str!("../reference/model.json")).unwrap();
    let mut data = Dataset::new();
    let lines = include_str!("../reference/sequences.jsonl");
    let refused = read_samples(lines.as_bytes(), &ReadOptions::default(), &mut data).unwrap();
    assert_eq!((refused.count, data.len()), (0, 308));

    let training: Vec<u32> = (0..240).collect();
    let config = TrainingConfig {
        epochs: 2000.try_into().unwrap(),
        ..TrainingConfig::default()
    };
    let model = train(&data, &training, &config).unwrap();
    let mut scorer = model.scorer();
    for (index, expected) in (240..).zip(reference.log_odds) {
        let got = scorer.log_odds(data.sequence(index));
        assert!(
            (got - expected).abs() < 1e-5,
            "sample {index}: {got}, expected {expected}"
        );
    }
}
