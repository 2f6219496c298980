//! Trains a model on labelled JSON lines and says why a sequence is anomalous.
//!
//! Run it with `cargo run --release --example explain`.

use anomaly_train::{DatasetBuilder, ReadOptions, TrainingConfig, read_samples, train};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let lines: String = (0..200)
        .map(|i| match i % 4 {
            0 => "{\"sequence\": [\"read_mail\", \"send_money\"], \"label\": 1}\n",
            1 => "{\"sequence\": [\"check_balance\", \"send_money\"], \"label\": 0}\n",
            _ => "{\"sequence\": [\"read_mail\", \"answer\"], \"label\": 0}\n",
        })
        .collect();
    let mut samples = DatasetBuilder::new();
    let read = read_samples(lines.as_bytes(), &ReadOptions::default(), &mut samples)?;
    assert_eq!(read.refused.count, 0);
    let data = samples.build();
    let model = train(&data, &data.all(), &TrainingConfig::default())?;

    let explanation = model.scorer().explain(["check_balance", "read_mail", "send_money"], 3);
    println!("score {:.3}", explanation.score);
    for evidence in &explanation.evidence {
        println!("  {evidence}");
    }
    Ok(())
}
