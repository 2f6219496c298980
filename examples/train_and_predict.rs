//! Carries out a training run, saves the model, loads it again and scores two sequences:
//! `cargo run --release --example train_and_predict`.

use anomaly_train::{AnomalyModel, Run, RunError};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    // The run of the command without options: 10,000 synthetic samples, of which 80 % train.
    let run = Run::default();
    let samples = run.samples(2.try_into()?, |_, _| Ok::<_, RunError>(()))?;
    let outcome = run.carry_out(&samples, 2.try_into()?, |_| ())?;
    let metrics = &outcome.evaluation.metrics;
    println!("accuracy {:?}, calibration error {:?}", metrics.accuracy, metrics.ece);
    println!("promoted: {}", run.judge(metrics, None).promoted);

    let mut file = Vec::new();
    outcome.model.save(&mut file)?;
    let model = AnomalyModel::load(&file[..])?;
    for sequence in ["read process write", "delete exfiltrate cover_tracks"] {
        println!("{sequence}: {:?}", model.predict(sequence.split(' ')));
    }
    Ok(())
}
