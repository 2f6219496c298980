//! `anomaly-train` without a subcommand: from samples to a judged model on disk.

use crate::cli::failure::{Failure, shown};
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::report::Report;
use crate::cli::samples::{Files, Samples, load};
use crate::cli::sessions::EventsArgs;
use crate::cli::store::Store;
use crate::cli::summary::{Config, RunSummary, SampleCounts};
use crate::cli::values::{
    MAX_SAMPLES, ScenarioArg, SplitArg, bins, nonzero_u32, nonzero_u64, thread_count, threads, whole,
};
use crate::cli::{champion, clock, input, memory, page_file, store};
use anomaly_train::split::SplitStrategy;
use anomaly_train::{
    AnomalyModel, Artifact, Champion, Epoch, Evaluation, Findings, Gate, Limit, NgramSize, Page, Penalty, Promotion,
    Provenance, Share, Source, StepSize, Trainer, TrainingConfig, Validation, advice, confusables, evaluate, parallel,
};
use clap::{ArgAction, Args};
use log::{debug, warn};
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

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

const DEFAULT_SAMPLES: u64 = 10_000;

pub(crate) fn run(args: &TrainArgs, verbosity: i8) -> Result<(), Failure> {
    let time = clock::now()?;
    page_file::check(args.report.as_ref())?;
    // A record that cannot be read should be known before the work, not after it.
    store::history(&args.models_dir)?;
    let config = training_config(args);
    let (source, plan) = plan(args)?;
    let progress = Progress::new(verbosity);
    let threads = thread_count(args.threads);
    let report_to = if args.json { Output::stderr() } else { Output::stdout() };
    let mut report = Report::new(report_to, verbosity < 0);

    let data = if args.data.is_empty() {
        &args.from_events.events
    } else {
        &args.data
    };
    let files = Files {
        data,
        validation: args.validation_data.as_ref(),
    };
    input::check_distinct(data.iter().chain(&args.validation_data))?;
    if args.num_samples.is_none() {
        memory::check(data.iter().chain(&args.validation_data))?;
    }
    let samples = load(&source, &plan, files, args.seed, threads, progress, |count| {
        report.line(&format!("[INFO] Loading {count} anomaly detection samples..."));
    })?;
    if samples.data.skipped_empty() > 0 {
        warn!(
            "{} samples have an empty sequence and were skipped",
            samples.data.skipped_empty()
        );
    }
    let training = samples.data.class_counts(&samples.parts.training);
    let validation = samples.data.class_counts(&samples.parts.validation);
    report.parts(training, validation);
    report.line(&format!(
        "[INFO] Training anomaly model for {} epochs, batch size {}...",
        config.epochs, config.batch_size
    ));
    // Parts of the fit need one thread; the other works out the digest meanwhile.
    let fit = || fit(&samples, &config, threads, progress, &mut report);
    let (fitted, data_digest) = parallel::both(threads, fit, || samples.data.digest());
    let fitted = fitted?;

    let evaluation = evaluate(
        &fitted.model,
        &samples.data,
        &samples.parts.validation,
        config.anomaly_threshold,
        args.ece_bins,
        threads,
    );
    let metrics = &evaluation.metrics;
    report.line("[INFO] Validation Metrics:");
    report.metrics(metrics);

    // From the comparison with the current model until the new one is in its place, no other run may change it.
    let store = Store::open(&args.models_dir)?;
    let (promotion, champion) = judge(args, &store, &samples, &evaluation)?;
    report.verdict(&promotion, champion.as_ref(), metrics);
    for sentence in advice(&Findings {
        samples: training.plus(validation),
        normal_sequences: fitted.normal_sequences,
        contradictory_sequences: fitted.contradictory_sequences,
        lookalikes: &confusables(&samples.data),
        metrics,
        scored: &evaluation.scored,
    }) {
        warn!("{sentence}");
    }

    let provenance = Provenance {
        source,
        validation: plan,
        ece_bins: args.ece_bins,
        data_digest,
        training_samples: training.total(),
        validation_samples: validation.total(),
        skipped_empty: samples.data.skipped_empty(),
    };
    let verdict = promotion.verdict.clone();
    let artifact = Artifact {
        model: fitted.model,
        provenance: Some(provenance.clone()),
        metrics: Some(metrics.clone()),
        promotion: Some(promotion),
        created_at: Some(time),
        tool_version: None,
    };
    let saved = store.save(&artifact, champion.as_ref(), time)?;
    saved.confirm()?;
    report.line(&format!("[INFO] Model saved to {}", shown(&saved.model)));
    report.line(&format!("[INFO] Metrics saved to {}", shown(&saved.metrics)));

    if let Some(path) = &args.report {
        let page = Page {
            artifact: &artifact,
            data: &samples.data,
            indices: &samples.parts.validation,
            evaluation: &evaluation,
            verdict: artifact.promotion.as_ref(),
            source: "validation part of the training run",
        };
        page_file::write(path, &page)?;
        report.line(&format!("[INFO] Report saved to {}", shown(path)));
    }

    if args.json {
        let mut output = Output::stdout();
        output.json_line(&RunSummary {
            model_path: saved.model.display().to_string(),
            metrics_path: saved.metrics.display().to_string(),
            promoted: verdict.promoted,
            reasons: &verdict.reasons,
            metrics,
            digest: &saved.digest,
            samples: SampleCounts {
                train: training.total(),
                validation: validation.total(),
                skipped_empty: samples.data.skipped_empty(),
            },
            seed: config.seed,
            config: Config {
                training: &config,
                provenance: &provenance,
                gate: artifact.promotion.as_ref().map(|promotion| &promotion.gate),
            },
            champion: champion.as_ref(),
        })?;
        output.finish()?;
    }
    if args.require_promotion && !verdict.promoted {
        return Err(Failure::NotPromoted);
    }
    // With --json the report is an extra; its reader may go away.
    if args.json { Ok(()) } else { report.finish() }
}

/// The verdict of the gate, also by comparison with the current model unless that was not wanted.
fn judge(
    args: &TrainArgs,
    store: &Store,
    samples: &Samples,
    evaluation: &Evaluation,
) -> Result<(Promotion, Option<Champion>), Failure> {
    let gate = Gate {
        max_ece: args.promotion_max_ece,
        min_accuracy: args.promotion_min_accuracy,
        max_regression: args.promotion_max_regression,
    };
    let (mut champion, mut unreadable) = (None, None);
    if let Some(current) = store.history().current().filter(|_| !args.no_champion) {
        let threads = thread_count(args.threads);
        match champion::judge(&args.models_dir, current, samples, args.ece_bins, threads)? {
            Ok(judged) => champion = Some(judged),
            Err(problem) => unreadable = Some(problem),
        }
    }
    let mut verdict = gate.judge(&evaluation.metrics, champion.as_ref());
    if let Some(problem) = unreadable {
        verdict = verdict.and_against(format!(
            "the promoted model cannot be compared with: {problem} (--no-champion promotes without comparing)"
        ));
    }
    Ok((Promotion { gate, verdict }, champion))
}

/// A trained model, and what was noticed about the samples on the way.
struct Fitted {
    model: AnomalyModel,
    normal_sequences: usize,
    contradictory_sequences: usize,
}

fn fit(
    samples: &Samples,
    config: &TrainingConfig,
    threads: NonZeroUsize,
    progress: Progress,
    report: &mut Report,
) -> Result<Fitted, Failure> {
    let mut trainer =
        Trainer::new(&samples.data, &samples.parts.training, config, threads).map_err(Failure::refused)?;
    let bar = progress.steps("Training", u64::from(config.epochs.get()));
    let mut held_out = None;
    let mut number = 0;
    let epochs = trainer.run(|epoch| {
        bar.inc(1);
        number += 1;
        match epoch {
            Epoch::Nearer(change) => debug!("epoch {number}: fitted probabilities changed by {change:.2e} on average"),
            Epoch::Better(loss) | Epoch::Done(loss) => {
                debug!("epoch {number}: log loss {loss:.4} on the sequences held out");
                held_out = Some(loss);
            }
        }
    });
    drop(bar);
    if let Some(loss) = held_out {
        report.line(&format!(
            "[INFO] Many sequences: stopped after {epochs} of at most {} epochs, at log loss {loss:.4} on those held out",
            config.epochs
        ));
    }
    let normal_sequences = trainer.normal_sequences();
    let contradictory_sequences = trainer.contradictory_sequences();
    let model = trainer.finish();
    debug!("{} actions, {} n-grams", model.action_count(), model.ngram_count());
    Ok(Fitted {
        model,
        normal_sequences,
        contradictory_sequences,
    })
}

fn training_config(args: &TrainArgs) -> TrainingConfig {
    TrainingConfig {
        ngram_size: args.ngram_size,
        anomaly_threshold: args.anomaly_threshold,
        seed: args.seed,
        epochs: args.epochs,
        batch_size: args.batch_size,
        l2: args.l2,
        learning_rate: args.learning_rate,
        max_ngrams: args.max_ngrams,
    }
}

/// Where the samples come from and how they are divided.
fn plan(args: &TrainArgs) -> Result<(Source, Validation), Failure> {
    let strategy = args.split_strategy.0;
    if args.group_by.is_some() && strategy != SplitStrategy::Grouped {
        return Err(Failure::Usage(
            "--group-by goes with --split-strategy grouped".to_owned(),
        ));
    }
    if matches!(args.group_by.as_deref(), Some("features" | "sequence" | "label")) {
        return Err(Failure::Usage(
            "--group-by needs a field of its own, not one that is part of the sample".to_owned(),
        ));
    }
    let source = if let Some(rules) = args.from_events.rules()? {
        Source::Events {
            session_by: rules.session_by,
            session_gap: rules.session_gap,
            label_field: rules.label_field,
            num_samples: args.num_samples,
        }
    } else if args.data.is_empty() {
        Source::Synthetic {
            scenario: args.scenario.0,
            num_samples: args.num_samples.unwrap_or(DEFAULT_SAMPLES),
        }
    } else {
        Source::Files {
            num_samples: args.num_samples,
        }
    };
    let validation = if args.validation_data.is_some() {
        Validation::Separate
    } else {
        Validation::Split {
            strategy,
            train_ratio: args.train_ratio,
            group_by: args.group_by.clone(),
        }
    };
    Ok((source, validation))
}
