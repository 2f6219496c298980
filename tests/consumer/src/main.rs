//! Trains, judges, saves, loads, scores and watches with nothing but what the library shows, and meets its errors by type.

use anomaly_train::monitor::{Monitor, Settings};
use anomaly_train::split::{SplitStrategy, split};
use anomaly_train::{
    AnomalyModel, DatasetBuilder, EvaluationOptions, Gate, Judged, Label, LoadError, Model, ReadOptions, SampleError,
    Scorer, TrainingConfig, evaluate, read_samples, train,
};
use std::error::Error;
use std::sync::Arc;

fn main() -> Result<(), Box<dyn Error>> {
    let lines: String = (0..300)
        .map(|index| match index % 3 {
            0 => format!("{{\"sequence\": [\"login\", \"copy\", \"send{}\"], \"label\": 1}}\n", index % 7),
            _ => format!("{{\"sequence\": [\"login\", \"read\", \"write{}\"], \"label\": 0}}\n", index % 7),
        })
        .collect();
    let mut samples = DatasetBuilder::new();
    let read = read_samples(lines.as_bytes(), &ReadOptions::default(), &mut samples)?;
    assert_eq!((read.refused.count, samples.samples()), (0, 300));
    samples.push_counted(["login", "read"], Label::Normal, None, 1_000_000_000_000.try_into()?)?;
    let data = samples.build();

    let parts = split(&data, SplitStrategy::Stratified, 0.8.try_into()?, 7)?;
    let config = TrainingConfig {
        seed: 7,
        ..TrainingConfig::default()
    };
    let model = Model::from(train(&data, &parts.training, &config)?);
    let judged = evaluate(&model, &data, &parts.validation, &EvaluationOptions::default());
    assert_eq!(judged.metrics.samples, parts.validation.samples());
    assert!(judged.metrics.f1 > Some(0.9), "{:?}", judged.metrics.f1);
    assert!(Gate::default().judge(&judged.metrics, Judged::Figure, None).promoted);

    // A scorer that owns its model goes where it likes.
    let mut file = Vec::new();
    model.save(&mut file)?;
    let model = Arc::new(AnomalyModel::load(&file[..])?);
    let mut scorer = Scorer::new(Arc::clone(&model));
    let attack = ["login", "copy", "send3"];
    let alone = std::thread::spawn(move || scorer.predict(attack)).join().map_err(|_| "the thread failed")?;
    assert_eq!(alone.map(|prediction| prediction.label), Some(Label::Anomalous));

    // Many at once, by name and by number.
    let many: Vec<Vec<&str>> = vec![attack.to_vec(), vec![], vec!["never", "seen"]];
    let predictions = model.predict_many(&many, 2.try_into()?);
    assert_eq!(predictions[0], alone);
    assert_eq!(predictions[1], None, "nothing can be said of nothing");
    let numbers = attack.map(|action| model.action_number(action).unwrap_or(u32::MAX));
    assert_eq!(model.scorer().predict_numbers(numbers), alone);

    let explanation = model.scorer().explain(attack, 3);
    assert!(explanation.sentences().len() >= 3);

    // Misuse is an error with a type, not a surprise later.
    let mut mixed = DatasetBuilder::new();
    mixed.push(["a"], Label::Normal, None)?;
    assert_eq!(mixed.push(["b"], Label::Normal, Some("g")), Err(SampleError::MixedGroups));
    let one = mixed.build();
    assert!(train(&one, &one.all(), &config).is_ok());
    assert!(split(&one, SplitStrategy::Random, 0.5.try_into()?, 1).is_err());
    assert!(matches!(AnomalyModel::load(&b"{}"[..]), Err(LoadError::Refused(_))));
    assert!(anomaly_train::UnitInterval::try_from(f64::NAN).is_err());

    let _watching = Monitor::new(Settings::default());
    println!("all is as it should be");
    Ok(())
}
