//! Trains a model on labelled JSON lines and says why a sequence is anomalous.
//!
//! Run it with `cargo run --release --example explain`.

use anomaly_train::{Dataset, ReadOptions, TrainingConfig, read_samples, train};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let lines: String = (0..200)
        .map(|i| match i % 4 {
            0 => "{\"sequence\": [\"read_mail\", \"send_money\"], \"label\": 1}\n",
            1 => "{\"sequence\": [\"check_balance\", \"send_money\"], \"label\": 0}\n",
            _ => "{\"sequence\": [\"read_mail\", \"answer\"], \"label\": 0}\n",
        })
        .collect();
    let mut data = Dataset::new();
    let refused = read_samples(lines.as_bytes(), &ReadOptions::default(), &mut data)?;
    assert_eq!(refused.count, 0);
    let all: Vec<u32> = (0..data.len() as u32).collect();
    let model = train(&data, &all, &TrainingConfig::default())?;

    let explanation = model.scorer().explain(["check_balance", "read_mail", "send_money"], 3);
    println!("score {:.3}", explanation.score);
    for evidence in &explanation.evidence {
        println!("  {evidence}");
    }
    Ok(())
}
