//! From samples to a model file and back: whatever is trained on, the file loads, is written again as the same bytes, and
//! its model says of every sequence what the trained one says, to the last bit.

#![no_main]

use anomaly_train::{
    Artifact, Calibrate, DatasetBuilder, Label, MAX_ACTION, Model, ModelExplanation, NormalConfig, TrainingConfig, train,
    train_normal,
};
use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use std::num::NonZeroUsize;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    ngram_size: u8,
    threshold: u16,
    seed: u64,
    epochs: u8,
    batch_size: u8,
    l2: u8,
    learning_rate: u8,
    max_ngrams: u8,
    names: Vec<&'a str>,
    samples: Vec<(bool, &'a [u8])>,
    others: Vec<&'a [u8]>,
}

impl Input<'_> {
    fn config(&self) -> TrainingConfig {
        let l2 = 10_f64.powi(i32::from(self.l2 % 16) - 6) * f64::from(1 + self.l2 / 64);
        TrainingConfig {
            ngram_size: u64::from(self.ngram_size % 8 + 1).try_into().unwrap(),
            anomaly_threshold: ((f64::from(self.threshold) + 1.0) / 65_537.0).try_into().unwrap(),
            seed: self.seed,
            epochs: (u64::from(self.epochs % 4) + 1).try_into().unwrap(),
            batch_size: (u64::from(self.batch_size) + 1).try_into().unwrap(),
            l2: (self.l2 % 16 != 15).then(|| l2.min(1e9).try_into().unwrap()),
            calibrate: [Calibrate::Auto, Calibrate::None, Calibrate::Sequence][usize::from(self.l2 % 3)],
            learning_rate: (f64::from(self.learning_rate) / 256.0 + 1.0 / 256.0)
                .try_into()
                .unwrap(),
            max_ngrams: (u64::from(self.max_ngrams) + 1).try_into().unwrap(),
        }
    }

    /// The actions that the bytes stand for: names of the input, and some of which there are always enough.
    fn sequence<'s>(&'s self, bytes: &'s [u8]) -> impl Iterator<Item = &'s str> + Clone {
        const NAMES: [&str; 4] = ["a", "b", "c", "d"];
        bytes.iter().take(64).map(|&byte| {
            let byte = usize::from(byte);
            let own = self
                .names
                .get(byte % 16)
                .copied()
                .filter(|name| name.len() <= MAX_ACTION);
            own.unwrap_or(NAMES[byte % 4])
        })
    }
}

fuzz_target!(|input: Input<'_>| {
    let mut samples = DatasetBuilder::new();
    for (anomalous, bytes) in input.samples.iter().take(40) {
        let label = if *anomalous { Label::Anomalous } else { Label::Normal };
        samples.push(input.sequence(bytes), label, None).expect("short names and sequences");
    }
    let data = samples.build();
    let config = input.config();
    let Ok(model) = train(&data, &data.all(), &config) else {
        assert!(data.is_empty());
        return;
    };
    assert_eq!(model.config(), &config);
    check(&input, model.into());
    let normal = NormalConfig {
        ngram_size: config.ngram_size,
        window: (u64::from(input.batch_size) + 1).try_into().unwrap(),
        anomaly_threshold: config.anomaly_threshold,
        seed: config.seed,
        max_ngrams: config.max_ngrams,
    };
    // Two groups or sequences and few samples can only promise much.
    if let Ok(trained) = train_normal(&data, &data.all(), &normal, NonZeroUsize::MIN) {
        check(&input, trained.model.into());
    }
});

/// The file of the model loads, is written again as the same bytes, and its model says the same.
fn check(input: &Input<'_>, model: Model) {
    let artifact = Artifact::from(model);
    let (bytes, digest) = artifact.to_bytes();
    let loaded = match Artifact::read(&bytes[..]) {
        Ok(loaded) => loaded,
        Err(error) => panic!("{error}: {}", String::from_utf8_lossy(&bytes)),
    };
    assert_eq!(loaded.to_bytes(), (bytes, digest));
    assert_eq!(artifact.first_difference(&loaded), None);

    let (mut before, mut after) = (artifact.model.scorer(), loaded.model.scorer());
    let samples = input.samples.iter().map(|(_, bytes)| bytes);
    for bytes in samples.chain(&input.others).take(60) {
        let actions = || input.sequence(bytes);
        let (ours, theirs) = (before.predict(actions()), after.predict(actions()));
        assert_eq!(ours, theirs);
        let (Some(ours), Some(theirs)) = (ours, theirs) else {
            continue;
        };
        assert_eq!(ours.score.to_bits(), theirs.score.to_bits());
        assert!((0.0..=1.0).contains(&ours.score) && (0.0..=1.0).contains(&ours.confidence));
        let explanation = before.explain(actions(), usize::MAX);
        assert_eq!(explanation, after.explain(actions(), usize::MAX));
        let ModelExplanation::Labelled(explanation) = explanation else {
            continue;
        };
        let parts = explanation.contributions;
        let size: f64 = explanation
            .evidence
            .iter()
            .map(|evidence| evidence.contribution.abs())
            .sum();
        let off = (parts.log_odds() - explanation.log_odds).abs();
        assert!(off <= 1e-9 * (1.0 + size + parts.bias.abs()), "{off} in {parts:?}");
        let listed: f64 = explanation.evidence.iter().map(|evidence| evidence.contribution).sum();
        let off = (listed + explanation.unknown.contribution - parts.frequency - parts.ngram).abs();
        assert!(off <= 1e-9 * (1.0 + size), "{off} in {parts:?}");
    }
}
