//! The model against an implementation of its own in Python; `reference/model.py` says how the values were made.

use anomaly_train::{Calibrate, DatasetBuilder, Method, ReadOptions, TrainingConfig, read_samples, train};
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    with_pairs: Expected,
    without_pairs: Expected,
}

#[derive(Deserialize)]
struct Expected {
    l2: f64,
    offset: f64,
    slope: f64,
    log_odds: Vec<f64>,
}

#[test]
fn training_approaches_the_optimum_penalty_and_calibration_that_another_implementation_finds() {
    let reference: Reference = serde_json::from_str(include_str!("../reference/model.json")).unwrap();
    let read = |line: &str| {
        let mut data = DatasetBuilder::new();
        read_samples(line.as_bytes(), &ReadOptions::default(), &mut data).unwrap();
        data.build()
    };
    let samples: Vec<_> = include_str!("../reference/sequences.jsonl").lines().map(read).collect();
    assert_eq!(samples.len(), 308);
    let mut data = DatasetBuilder::new();
    for (place, sample) in samples[..240].iter().enumerate() {
        let group = (place % 8).to_string();
        data.push(sample.sequence(0), sample.label(0), Some(&group)).unwrap();
    }
    let data = data.build();
    let config = TrainingConfig {
        epochs: 400.try_into().unwrap(),
        calibrate: Calibrate::Group,
        ..TrainingConfig::default()
    };
    let model = train(&data, &data.all(), &config).unwrap();
    let fitted = model.fitted();
    assert_eq!(fitted.method, Method::Optimum);
    let expected = if fitted.pairs {
        reference.with_pairs
    } else {
        reference.without_pairs
    };
    let calibration = fitted.calibration.unwrap();
    assert_eq!(fitted.l2.get(), expected.l2);
    assert!(
        (calibration.offset.get() - expected.offset).abs() < 1e-5,
        "{calibration:?}"
    );
    assert!(
        (calibration.slope.get() - expected.slope).abs() < 1e-5,
        "{calibration:?}"
    );
    let mut scorer = model.scorer();
    for (sample, expected) in samples[240..].iter().zip(expected.log_odds) {
        let got = scorer.log_odds(sample.sequence(0));
        assert!((got - expected).abs() < 1e-5, "{got}, expected {expected}");
    }
}
