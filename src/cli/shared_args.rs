//! Arguments that several commands have.

use anomaly_train::options::{thread_count, threads};
use clap::Args;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// The models directory.
#[derive(Debug, Args)]
pub(crate) struct ModelsDir {
    /// Where models are kept
    #[arg(
        id = "models_dir",
        long = "models-dir",
        value_name = "DIR",
        default_value = "models",
        env = "ANOMALY_TRAIN_MODELS_DIR",
        hide_env_values = true
    )]
    pub(crate) path: PathBuf,
}

/// How many threads there may be.
#[derive(Debug, Args)]
pub(crate) struct Threads {
    /// Most threads to use [default: all]; never changes a result
    #[arg(
        id = "threads",
        long = "threads",
        value_name = "N",
        value_parser = threads,
        env = "ANOMALY_TRAIN_THREADS",
        hide_env_values = true,
        hide_short_help = true
    )]
    asked: Option<NonZeroUsize>,
}

impl Threads {
    pub(crate) fn count(&self) -> NonZeroUsize {
        thread_count(self.asked)
    }
}
