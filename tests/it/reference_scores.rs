//! Scores against an implementation that knows only the documented file format; `reference/score.py` says how they were
//! made.

use anomaly_train::{Artifact, LineChunks};

#[test]
fn a_thousand_sequences_score_as_the_documented_format_says() {
    let artifact = Artifact::read(&include_bytes!("../reference/scored_model.json")[..]).unwrap();
    let expected: Vec<f64> = serde_json::from_str(include_str!("../reference/scores.json")).unwrap();
    let lines = include_str!("../reference/scored_sequences.jsonl");
    let mut scorer = artifact.model.scorer();
    let mut scores = Vec::new();
    for chunk in LineChunks::new(lines.as_bytes()) {
        let chunk = chunk.unwrap();
        let mut samples = chunk.samples();
        while let Some(read) = samples.read_unlabelled() {
            scores.push(scorer.predict(read.unwrap().actions()).unwrap().score);
        }
    }
    assert_eq!((scores.len(), expected.len()), (1000, 1000));
    for (index, (score, expected)) in scores.into_iter().zip(expected).enumerate() {
        assert!(
            (score - expected).abs() < 1e-9,
            "line {}: {score}, expected {expected}",
            index + 1
        );
    }
}
