//! The command line, declared.

use super::monitor_args::{EventsArgs, MonitorArgs};
use anomaly_train::split::SplitStrategy;
use anomaly_train::synthetic::Scenario;
use anomaly_train::{Limit, MAX_EPOCHS, MAX_SYNTHETIC, NgramSize, Penalty, Share, StepSize};
use clap::builder::PossibleValue;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

/// Train, judge and use a detector of anomalous sequences of actions.
///
/// Without a subcommand it trains: on synthetic samples, or on labelled JSON lines given with --data. Part of the samples is
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
    /// Score sequences with a trained model, and say why
    Predict(PredictArgs),
    /// Watch events as they come, and say what is anomalous
    Monitor(Box<MonitorArgs>),
    /// Judge a trained model on labelled sequences
    Evaluate(EvaluateArgs),
    /// Show what is in a model file
    Inspect(InspectArgs),
    /// Check that a model file is whole, and that training again gives the same model
    Verify(VerifyArgs),
    /// Show which models were promoted, refused and returned to
    History(HistoryArgs),
    /// Make the model current again that the current one followed
    Rollback(RollbackArgs),
}

#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// What to train; "anomaly" is the only type
    #[arg(long, value_name = "TYPE", default_value = "anomaly", value_parser = ["anomaly"])]
    model_type: String,

    /// Synthetic samples to draw [default: 10000]; with --data, most samples to use (the first ones)
    #[arg(long, value_name = "N", value_parser = whole::<1, MAX_SAMPLES>)]
    pub(crate) num_samples: Option<u64>,

    /// Which synthetic samples to draw
    #[arg(long, value_name = "NAME", default_value = "documented", conflicts_with = "data")]
    pub(crate) scenario: ScenarioArg,

    /// Labelled JSON lines to train on, plain or gzip; "-" is standard input; may be repeated
    #[arg(long, value_name = "FILE", action = ArgAction::Append)]
    pub(crate) data: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) from_events: EventsArgs,

    /// Judge on these labelled JSON lines instead of on part of the samples
    #[arg(
        long,
        value_name = "FILE",
        requires = "data",
        conflicts_with_all = ["train_ratio", "split_strategy", "group_by"]
    )]
    pub(crate) validation_data: Option<PathBuf>,

    /// Share of the samples to train on; the others validate
    #[arg(long, value_name = "R", default_value = "0.8")]
    pub(crate) train_ratio: Share,

    /// How samples are divided
    #[arg(long, value_name = "S", default_value = "stratified")]
    pub(crate) split_strategy: SplitArg,

    /// For grouped splits: top-level field that names the group; without it, identical sequences form one
    #[arg(long, value_name = "FIELD", requires = "data")]
    pub(crate) group_by: Option<String>,

    /// Longest n-gram, 1 to 8
    #[arg(long, value_name = "N", default_value = "3")]
    pub(crate) ngram_size: NgramSize,

    /// Score from which a sequence is labelled anomalous
    #[arg(long, value_name = "T", default_value = "0.3")]
    pub(crate) anomaly_threshold: Share,

    /// Passes over the training part, in each of which every batch is gone through twice; above 200,000 different sequences,
    /// the most passes there are
    #[arg(long, value_name = "N", default_value = "10", value_parser = nonzero_u32)]
    pub(crate) epochs: NonZeroU32,

    /// Distinct sequences that are fitted together, or visited in a row, before the next ones are
    #[arg(long, value_name = "N", default_value = "32", value_parser = nonzero_u32)]
    pub(crate) batch_size: NonZeroU32,

    /// Where all randomness comes from: the same seed gives the same model
    #[arg(long, value_name = "N", default_value = "42", value_parser = whole::<0, { u64::MAX }>)]
    pub(crate) seed: u64,

    /// Strength of the L2 penalty on the weights
    #[arg(long, value_name = "X", default_value = "2")]
    pub(crate) l2: Penalty,

    /// The part of the way to its optimum that each training step goes
    #[arg(long, value_name = "X", default_value = "1")]
    pub(crate) learning_rate: StepSize,

    /// Most n-grams to keep, the most frequent first
    #[arg(long, value_name = "N", default_value = "1000000", value_parser = nonzero_u64)]
    pub(crate) max_ngrams: NonZeroU64,

    /// Highest calibration error with which a model is promoted
    #[arg(long, value_name = "X", default_value = "0.08")]
    pub(crate) promotion_max_ece: Limit,

    /// Lowest accuracy with which a model is promoted
    #[arg(long, value_name = "X", default_value = "0.85")]
    pub(crate) promotion_min_accuracy: Limit,

    /// By how much accuracy, F1 and calibration error may be worse than those of the current model on the same samples
    #[arg(long, value_name = "X", default_value = "0.02")]
    pub(crate) promotion_max_regression: Limit,

    /// Promote without comparing with the current model
    #[arg(long)]
    pub(crate) no_champion: bool,

    /// Bins of the calibration error
    #[arg(long, value_name = "N", default_value = "10", value_parser = bins)]
    pub(crate) ece_bins: NonZeroU32,

    /// Also write a page with figures and drawings for people
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,

    /// Where models are kept
    #[arg(long, value_name = "DIR", default_value = "models")]
    pub(crate) models_dir: PathBuf,

    /// End with exit code 4 if the model is not promoted
    #[arg(long)]
    pub(crate) require_promotion: bool,

    /// Most threads to use [default: all]; never changes a result
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<NonZeroUsize>,

    /// Write one JSON object to standard output and the report to standard error
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct GenerateArgs {
    /// Samples to draw
    #[arg(long, value_name = "N", default_value = "10000", value_parser = whole::<1, MAX_SAMPLES>)]
    pub(crate) num_samples: u64,

    /// Where all randomness comes from
    #[arg(long, value_name = "N", default_value = "42", value_parser = whole::<0, { u64::MAX }>)]
    pub(crate) seed: u64,

    /// Which samples to draw
    #[arg(long, value_name = "NAME", default_value = "documented")]
    pub(crate) scenario: ScenarioArg,
}

/// Which saved model to use.
#[derive(Debug, Args)]
pub(crate) struct SavedModel {
    /// The model file [default: the current model]
    #[arg(long, value_name = "FILE")]
    pub(crate) model: Option<PathBuf>,

    /// Where the current model is looked for
    #[arg(long, value_name = "DIR", default_value = "models", conflicts_with = "model")]
    pub(crate) models_dir: PathBuf,
}

#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct PredictArgs {
    #[command(flatten)]
    pub(crate) saved: SavedModel,

    /// Score this sequence instead of a file: actions with commas between them, blanks around which do not count
    #[arg(long, value_name = "A,B,C", conflicts_with_all = ["input", "only_anomalies", "strict", "threads"])]
    pub(crate) sequence: Option<String>,

    /// Score from which a sequence is labelled anomalous [default: the model's]
    #[arg(long, value_name = "T")]
    pub(crate) anomaly_threshold: Option<Share>,

    /// Say why: what each analysis contributes, and the actions and n-grams that weigh most
    #[arg(long)]
    pub(crate) explain: bool,

    /// How many actions and n-grams an explanation names
    #[arg(long, value_name = "N", default_value = "10", value_parser = count)]
    pub(crate) top: usize,

    /// Write no answers for normal sequences
    #[arg(long)]
    pub(crate) only_anomalies: bool,

    /// Stop at the first line that is not a sample
    #[arg(long)]
    pub(crate) strict: bool,

    /// How answers are written: "auto" is a table on a terminal and JSON lines elsewhere
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    pub(crate) format: FormatArg,

    /// Most threads to use [default: all]; never changes a result
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<NonZeroUsize>,

    /// JSON lines to score, plain or gzip; "-" is standard input. Each line but blank ones gets an answer
    #[arg(value_name = "INPUT", default_value = "-")]
    pub(crate) input: PathBuf,
}

#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct EvaluateArgs {
    #[command(flatten)]
    pub(crate) saved: SavedModel,

    /// Labelled JSON lines, plain or gzip; "-" is standard input; may be repeated
    #[arg(long, value_name = "FILE", action = ArgAction::Append, required = true)]
    pub(crate) data: Vec<PathBuf>,

    /// Score from which a sequence is labelled anomalous [default: the model's]
    #[arg(long, value_name = "T")]
    pub(crate) anomaly_threshold: Option<Share>,

    /// Bins of the calibration error
    #[arg(long, value_name = "N", default_value = "10", value_parser = bins)]
    pub(crate) ece_bins: NonZeroU32,

    /// Also write a page with figures and drawings for people
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,

    /// Most threads to use [default: all]; never changes a result
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<NonZeroUsize>,

    /// Write one JSON object instead of the tables
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct InspectArgs {
    /// The model file [default: the current model]
    #[arg(value_name = "MODEL")]
    pub(crate) model: Option<PathBuf>,

    /// Where the current model is looked for
    #[arg(long, value_name = "DIR", default_value = "models", conflicts_with = "model")]
    pub(crate) models_dir: PathBuf,

    /// How many actions and n-grams to name for and against
    #[arg(long, value_name = "N", default_value = "10", value_parser = count)]
    pub(crate) top: usize,

    /// Write one JSON object instead of the tables
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct VerifyArgs {
    /// The model file [default: the current model]
    #[arg(value_name = "MODEL")]
    pub(crate) model: Option<PathBuf>,

    /// Where the current model is looked for
    #[arg(long, value_name = "DIR", default_value = "models", conflicts_with = "model")]
    pub(crate) models_dir: PathBuf,

    /// The labelled JSON lines that the model was trained on; may be repeated, in the same order
    #[arg(long, value_name = "FILE", action = ArgAction::Append)]
    pub(crate) data: Vec<PathBuf>,

    /// The labelled JSON lines that the model was judged on, if they were files of their own
    #[arg(long, value_name = "FILE", requires = "data")]
    pub(crate) validation_data: Option<PathBuf>,

    /// Check the file alone; do not train again
    #[arg(long, conflicts_with = "data")]
    pub(crate) quick: bool,

    /// Most threads to use [default: all]; never changes a result
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<NonZeroUsize>,

    /// Write one JSON object instead of lines
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// The models directory
    #[arg(long, value_name = "DIR", default_value = "models")]
    pub(crate) models_dir: PathBuf,

    /// Write the lines of the record as they are
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RollbackArgs {
    /// The models directory
    #[arg(long, value_name = "DIR", default_value = "models")]
    pub(crate) models_dir: PathBuf,

    /// Write the new line of the record instead of a sentence
    #[arg(long)]
    pub(crate) json: bool,
}

/// How answers are written.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum FormatArg {
    /// A table on a terminal, JSON lines elsewhere
    Auto,
    /// A table
    Table,
    /// JSON lines
    Json,
}

/// Most synthetic samples that can be asked for.
const MAX_SAMPLES: u64 = MAX_SYNTHETIC;

/// A whole number in a range that the message names.
pub(super) fn whole<const LOW: u64, const HIGH: u64>(text: &str) -> Result<u64, String> {
    text.parse()
        .ok()
        .filter(|value| (LOW..=HIGH).contains(value))
        .ok_or_else(|| format!("expected a whole number from {LOW} to {HIGH}"))
}

pub(super) fn nonzero_u32(text: &str) -> Result<NonZeroU32, String> {
    let value = whole::<1, { MAX_EPOCHS as u64 }>(text)?;
    NonZeroU32::try_from(value as u32).map_err(|error| error.to_string())
}

fn nonzero_u64(text: &str) -> Result<NonZeroU64, String> {
    // N-grams are numbered with 32 bits.
    let value = whole::<1, 1_000_000_000>(text)?;
    NonZeroU64::try_from(value).map_err(|error| error.to_string())
}

pub(super) fn count(text: &str) -> Result<usize, String> {
    whole::<1, 1_000_000>(text).map(|value| value as usize)
}

fn bins(text: &str) -> Result<NonZeroU32, String> {
    let value = whole::<1, 10_000>(text)?;
    NonZeroU32::try_from(value as u32).map_err(|error| error.to_string())
}

fn threads(text: &str) -> Result<NonZeroUsize, String> {
    let value = whole::<1, 1024>(text)?;
    NonZeroUsize::try_from(value as usize).map_err(|error| error.to_string())
}

/// [`Scenario`] as a value of the command line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ScenarioArg(pub(crate) Scenario);

impl ValueEnum for ScenarioArg {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self(Scenario::Documented), Self(Scenario::Mixed)]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self.0 {
            Scenario::Documented => PossibleValue::new("documented").help("short workflows, separable by construction"),
            Scenario::Mixed => PossibleValue::new("mixed").help("sessions with hidden attacks and 2 % wrong labels"),
        })
    }
}

/// [`SplitStrategy`] as a value of the command line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SplitArg(pub(crate) SplitStrategy);

impl ValueEnum for SplitArg {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self(SplitStrategy::Stratified),
            Self(SplitStrategy::Random),
            Self(SplitStrategy::Temporal),
            Self(SplitStrategy::Grouped),
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self.0 {
            SplitStrategy::Stratified => {
                PossibleValue::new("stratified").help("at random, the same share of anomalous samples in both parts")
            }
            SplitStrategy::Random => PossibleValue::new("random").help("at random"),
            SplitStrategy::Temporal => {
                PossibleValue::new("temporal").help("the first samples train, the last validate")
            }
            SplitStrategy::Grouped => PossibleValue::new("grouped").help("no group in both parts, see --group-by"),
        })
    }
}
