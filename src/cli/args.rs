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
#[command(
    name = "anomaly-train",
    version,
    allow_negative_numbers = true,
    max_term_width = 100,
    after_long_help = "Examples:\n  anomaly-train --num-samples 5000\n  anomaly-train --data sessions.jsonl --group-by task --folds 5\n  \
    anomaly-train predict --sequence read,scan,exploit --explain"
)]
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
    /// Train and judge a model; the same as no command
    #[command(
        after_long_help = "Examples:\n  anomaly-train train --data sessions.jsonl --group-by task --folds 5\n  anomaly-train train --data audit.log --normal-only --anomaly-threshold false-alarms=0.01"
    )]
    Train(Box<TrainArgs>),
    /// Write synthetic samples as JSON lines to standard output
    #[command(
        after_long_help = "Examples:\n  anomaly-train generate --scenario mixed --num-samples 5000 --seed 7 > samples.jsonl"
    )]
    Generate(GenerateArgs),
    /// Look at labelled data: what is there, and what stands against it
    #[command(
        after_long_help = "Examples:\n  anomaly-train check sessions.jsonl --group-by task\n  anomaly-train check today.jsonl --model models/current/anomaly_model_20261122_120000.json"
    )]
    Check(Box<CheckArgs>),
    /// Write the samples that a log becomes, with the labels that people gave its sessions
    #[command(
        after_long_help = "Examples:\n  anomaly-train sessions audit.log > sessions.jsonl\n  anomaly-train sessions audit.log --labels verdicts.jsonl > labelled.jsonl"
    )]
    Sessions(Box<SessionsArgs>),
    /// Score sequences, or the sessions of a log, with a trained model, and say why
    #[command(
        after_long_help = "Examples:\n  anomaly-train predict --sequence read,scan,exploit --explain\n  anomaly-train predict sessions.jsonl --only-anomalies --json"
    )]
    Predict(Box<PredictArgs>),
    /// Watch events as they come, and say what is anomalous
    #[command(
        after_long_help = "Examples:\n  anomaly-train monitor --follow agents.jsonl --models-dir models --state state\n  anomaly-train monitor yesterday.jsonl --exit-code"
    )]
    Monitor(Box<MonitorArgs>),
    /// Judge a trained model on labelled sequences
    #[command(
        after_long_help = "Examples:\n  anomaly-train evaluate --data later.jsonl --group-by task\n  anomaly-train evaluate --data later.jsonl --mistakes mistakes.jsonl"
    )]
    Evaluate(Box<EvaluateArgs>),
    /// Show what is in a model file
    #[command(after_long_help = "Examples:\n  anomaly-train inspect\n  anomaly-train inspect model.json --json")]
    Inspect(InspectArgs),
    /// Check that a model file is whole, and that training again gives the same model
    #[command(
        after_long_help = "Examples:\n  anomaly-train verify --data sessions.jsonl\n  anomaly-train verify model.json --quick"
    )]
    Verify(VerifyArgs),
    /// Show which models were promoted, refused and returned to
    #[command(after_long_help = "Examples:\n  anomaly-train history")]
    History(HistoryArgs),
    /// Make the model current again that the current one followed, or another earlier one
    #[command(after_long_help = "Examples:\n  anomaly-train rollback")]
    Rollback(RollbackArgs),
    /// Make a stored model current, also one that the gate refused
    #[command(after_long_help = "Examples:\n  anomaly-train promote anomaly_model_20261122_120000.json")]
    Promote(PromoteArgs),
}
