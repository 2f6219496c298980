//! The options of `anomaly-train monitor`.

use crate::cli::threshold::ThresholdArgs;
use anomaly_train::Caution;
use anomaly_train::options::{LogOptions, MonitorOptions, count};
use clap::{ArgAction, Args};
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct MonitorArgs {
    /// Let this trained model watch too; loaded anew when the file changes and on SIGHUP. May be given twice: one that learned from
    /// labels, and a normal-only one, which takes the place of the sequence rule
    #[arg(long, value_name = "FILE", action = ArgAction::Append)]
    pub(crate) model: Vec<PathBuf>,

    /// Let the current model of this directory watch; what is promoted or rolled back to takes over within a second
    #[arg(long, value_name = "DIR", conflicts_with = "model")]
    pub(crate) models_dir: Option<PathBuf>,

    /// Let no other model watch than the one with this digest
    #[arg(long, value_name = "SHA256")]
    #[arg(hide_short_help = true)]
    pub(crate) expect_digest: Option<String>,

    #[command(flatten)]
    pub(crate) threshold: ThresholdArgs,

    #[command(flatten)]
    pub(crate) options: MonitorOptions,

    /// Keep a budget of --anomaly-threshold false-alarms=R in four of five draws of a few groups, and not only on average
    #[arg(long, requires = "anomaly_threshold")]
    #[arg(hide_short_help = true)]
    cautious: bool,

    /// How many actions and n-grams the model's evidence names
    #[arg(long, value_name = "N", default_value = "5", value_parser = count)]
    #[arg(hide_short_help = true)]
    pub(crate) top: usize,

    /// Distributional rule: take baselines from this file, which --write-baseline has written
    #[arg(long, value_name = "FILE", help_heading = "Rules")]
    #[arg(hide_short_help = true)]
    pub(crate) baseline: Option<PathBuf>,

    /// Write the risk scores of each cohort to this file at the end
    #[arg(long, value_name = "FILE")]
    #[arg(hide_short_help = true)]
    pub(crate) write_baseline: Option<PathBuf>,

    /// Pass over the alerts that this TOML file lists by agent, action, type and time; read anew on SIGHUP
    #[arg(long, value_name = "FILE", help_heading = "Alerts")]
    pub(crate) ignore: Option<PathBuf>,

    /// End with 5 if there was an alert
    #[arg(long, help_heading = "Alerts")]
    pub(crate) exit_code: bool,

    /// Go on from the state in this file if it is there, and save it there once a minute and at the end
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,

    /// Keep figures about the run in this file, in the text format of Prometheus
    #[arg(long, value_name = "FILE")]
    pub(crate) metrics_file: Option<PathBuf>,

    /// Wait for more at the end of the file, and follow it when it is replaced or cut, like tail -F
    #[arg(long)]
    pub(crate) follow: bool,

    /// Stop at the first line that is no event
    #[arg(long)]
    #[arg(hide_short_help = true)]
    pub(crate) strict: bool,

    #[command(flatten)]
    pub(crate) logs: LogOptions,

    /// A log, plain, gzip or zstd; "-" is standard input. It is read as in the training of the model
    #[arg(value_name = "INPUT", default_value = "-")]
    pub(crate) input: PathBuf,
}

impl MonitorArgs {
    /// Whether a model watches.
    pub(crate) fn watches(&self) -> bool {
        !self.model.is_empty() || self.models_dir.is_some()
    }

    /// How a budget of false alarms is kept.
    pub(crate) fn caution(&self) -> Caution {
        if self.cautious {
            Caution::Cautious
        } else {
            Caution::Mean
        }
    }
}
