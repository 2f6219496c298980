//! `anomaly-train generate`: synthetic samples as JSON lines.

use super::args::GenerateArgs;
use super::failure::Failure;
use super::output::Output;
use anomaly_train::{Label, synthetic};
use serde::Serialize;

#[derive(Serialize)]
struct Sample {
    features: Features,
    label: Label,
}

#[derive(Serialize)]
struct Features {
    sequence: Vec<&'static str>,
}

pub(crate) fn run(args: &GenerateArgs) -> Result<(), Failure> {
    let mut output = Output::stdout();
    for (sequence, label) in synthetic::samples(args.scenario.0, args.num_samples, args.seed) {
        output.json_line(&Sample {
            features: Features { sequence },
            label,
        })?;
    }
    output.finish()
}
