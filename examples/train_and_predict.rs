//! Trains a model, judges it, saves it, loads it again and scores two sequences:
//! `cargo run --release --example train_and_predict`.

use anomaly_train::split::{SplitStrategy, split};
use anomaly_train::synthetic::{Scenario, generate};
use anomaly_train::{AnomalyModel, TrainingConfig, evaluate, train};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let data = generate(Scenario::Documented, 5000, 42);
    let parts = split(&data, SplitStrategy::Stratified, 0.8.try_into()?, 42)?;
    let model = train(&data, &parts.training, &TrainingConfig::default())?;

    let (threshold, bins, threads) = (model.threshold(), 10.try_into()?, 2.try_into()?);
    let metrics = evaluate(&model, &data, &parts.validation, threshold, bins, threads).metrics;
    println!("accuracy {:?}, calibration error {:?}", metrics.accuracy, metrics.ece);

    let mut file = Vec::new();
    model.save(&mut file)?;
    let model = AnomalyModel::load(&file[..])?;
    for sequence in ["read process write", "delete exfiltrate cover_tracks"] {
        println!("{sequence}: {:?}", model.predict(sequence.split(' ')));
    }
    Ok(())
}
