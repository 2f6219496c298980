//! The command line, declared.

use super::commands::check::CheckArgs;
use super::commands::evaluate::EvaluateArgs;
use super::commands::generate::GenerateArgs;
use super::commands::history::HistoryArgs;
use super::commands::inspect::InspectArgs;
use super::commands::monitor::args::MonitorArgs;
use super::commands::predict::PredictArgs;
use super::commands::promote::PromoteArgs;
use super::commands::rollback::RollbackArgs;
use super::commands::sessions::SessionsArgs;
use super::commands::train::TrainArgs;
use super::commands::verify::VerifyArgs;
use clap::{ArgAction, Parser, Subcommand};

/// Train, judge and use a detector of anomalous sequences of actions.
///
/// Without a subcommand it trains: on synthetic samples, or on labelled samples or logs given with --data. Part of the samples is
/// held back, the model is judged on it, and saved to models/current if it is good enough, to models/candidates if not.
///
/// Exit codes: 0 done, 1 the environment failed (disk, permission), 2 wrong usage, 3 input was refused, 4 the model was not
/// promoted and --require-promotion was given.
#[derive(Debug, Parser)]
#[command(name = "anomaly-train", version, allow_negative_numbers = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    #[command(flatten)]
    pub(crate) train: TrainArgs,

    /// Say more on standard error; twice for even more (RUST_LOG works too)
    #[arg(short, long, action = ArgAction::Count, global = true, conflicts_with = "quiet")]
    verbose: u8,

    /// Say less: once for no report, twice for no warnings either
    #[arg(short, long, action = ArgAction::Count, global = true)]
    quiet: u8,
}

impl Cli {
    /// Above 0 to say more, below to say less.
    pub(crate) fn verbosity(&self) -> i8 {
        let count = |times: u8| i8::try_from(times.min(2)).unwrap_or_default();
        count(self.verbose) - count(self.quiet)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write synthetic samples as JSON lines to standard output
    Generate(GenerateArgs),
    /// Look at labelled data without training on them: what is there, and what stands against it
    Check(Box<CheckArgs>),
    /// Write the samples that a log becomes, with the labels that people gave its sessions
    Sessions(Box<SessionsArgs>),
    /// Score sequences, or the sessions of a log, with a trained model, and say why
    Predict(Box<PredictArgs>),
    /// Watch events as they come, and say what is anomalous
    Monitor(Box<MonitorArgs>),
    /// Judge a trained model on labelled sequences
    Evaluate(Box<EvaluateArgs>),
    /// Show what is in a model file
    Inspect(InspectArgs),
    /// Check that a model file is whole, and that training again gives the same model
    Verify(VerifyArgs),
    /// Show which models were promoted, refused and returned to
    History(HistoryArgs),
    /// Make the model current again that the current one followed, or another earlier one
    Rollback(RollbackArgs),
    /// Make a stored model current, also one that the gate refused
    Promote(PromoteArgs),
}
