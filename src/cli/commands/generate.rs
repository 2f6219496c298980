//! `anomaly-train generate`: synthetic samples as JSON lines.

use crate::cli::failure::Failure;
use crate::cli::output::Output;
use anomaly_train::options::{ScenarioArg, whole};
use anomaly_train::{DEFAULT_SYNTHETIC, SampleCount, TrainingConfig};
use anomaly_train::{Label, synthetic};
use clap::Args;
use serde::Serialize;

#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct GenerateArgs {
    /// Samples to draw
    #[arg(long, value_name = "N", default_value_t = DEFAULT_SYNTHETIC)]
    pub(crate) num_samples: SampleCount,

    /// Where all randomness comes from
    #[arg(long, value_name = "N", default_value_t = TrainingConfig::default().seed, value_parser = whole::<0, { u64::MAX }>)]
    pub(crate) seed: u64,

    /// Which samples to draw
    #[arg(long, value_name = "NAME", value_enum, default_value_t = ScenarioArg::default())]
    pub(crate) scenario: ScenarioArg,
}

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
    for (sequence, label) in synthetic::samples(args.scenario.0, args.num_samples.get(), args.seed) {
        output.json_line(&Sample {
            features: Features { sequence },
            label,
        })?;
    }
    output.finish()
}
