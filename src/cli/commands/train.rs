//! `anomaly-train` without a subcommand: from samples to a judged model on disk.

use crate::cli::failure::{Failure, shown};
use crate::cli::logs::LogArgs;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::report::Report;
use crate::cli::samples::{Files, load};
use crate::cli::summary::RunSummary;
use crate::cli::values::{CalibrateArg, ScenarioArg, SplitArg, own_field, thread_count, threads, whole};
use crate::cli::{champion, clock, html_report_file, memory, signals, threshold};
use anomaly_train::registry::{self, Store};
use anomaly_train::split::SplitStrategy;
use anomaly_train::{
    Artifact, BatchSize, Bins, Calibrate, Champion, DEFAULT_ECE_BINS, DEFAULT_SYNTHETIC, DEFAULT_TRAIN_RATIO,
    DataFindings, Diagnostics, Epoch, Epochs, FoldCount, Gate, HtmlReport, MaxNgrams, Model, NgramSize, NormalConfig,
    OpenUnitInterval, Outcome, Penalty, Reading, Reason, ReasonCode, Run, SampleCount, Samples, Source, StepSize,
    Threshold, Training, TrainingConfig, UnitInterval, Validation, Verdict, WindowSize, Wish, WishError, advice,
    confusables, names_without_parameters,
};
use clap::{ArgAction, Args};
use log::{debug, info, warn};
use std::fs;
use std::num::NonZeroUsize;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// What to train; "anomaly" is the only type
    #[arg(long, value_name = "TYPE", default_value = "anomaly", value_parser = ["anomaly"])]
    model_type: String,

    /// Synthetic samples to draw [default: 10000]; with --data, most samples to use (the first ones)
    #[arg(long, value_name = "N")]
    pub(crate) num_samples: Option<SampleCount>,

    /// Which synthetic samples to draw
    #[arg(long, value_name = "NAME", value_enum, default_value_t = ScenarioArg::default(), conflicts_with = "data")]
    pub(crate) scenario: ScenarioArg,

    /// Labelled samples as JSON lines, or a log, to train on, plain, gzip or zstd; a folder stands for the files in it, "-" for standard
    /// input; may be repeated
    #[arg(long, value_name = "FILE", action = ArgAction::Append)]
    pub(crate) data: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) logs: LogArgs,

    /// Judge on these labelled samples, or on this log, instead of on part of the samples
    #[arg(
        long,
        value_name = "FILE",
        requires = "data",
        conflicts_with_all = ["train_ratio", "split_strategy"]
    )]
    pub(crate) validation_data: Option<PathBuf>,

    /// Judge on all samples, in this many folds: each is scored by a model that has not seen its group (without --group-by: its
    /// sequence), and the model that is saved is trained on all of them
    #[arg(
        long,
        value_name = "K",
        conflicts_with_all = ["validation_data", "train_ratio", "split_strategy"]
    )]
    pub(crate) folds: Option<FoldCount>,

    /// Share of the samples to train on; the others validate
    #[arg(long, value_name = "R", default_value_t = DEFAULT_TRAIN_RATIO)]
    pub(crate) train_ratio: OpenUnitInterval,

    /// How samples are divided [default: stratified; grouped with --group-by or --normal-only]
    #[arg(long, value_name = "S", value_enum)]
    pub(crate) split_strategy: Option<SplitArg>,

    /// Top-level field that names what belongs together, such as a task or a host: it steers the split, what counts as new in
    /// training, and calibration
    #[arg(long, value_name = "FIELD", requires = "data", value_parser = own_field)]
    pub(crate) group_by: Option<String>,

    /// Top-level field that says how many samples a line stands for, from 1 to 2^53
    #[arg(long, value_name = "FIELD", requires = "data", value_parser = own_field)]
    pub(crate) count_field: Option<String>,

    /// Learn from normal samples alone, which need no label, and promise a share of false alarms
    #[arg(
        long,
        conflicts_with_all = [
            "epochs", "batch_size", "l2", "calibrate", "learning_rate", "ece_bins", "promotion_max_ece", "promotion_min_accuracy",
            "promotion_min_recall", "promotion_min_precision", "promotion_max_false_alarms", "promotion_min_average_precision"
        ]
    )]
    pub(crate) normal_only: bool,

    /// Leave samples with label 1 out instead of refusing them
    #[arg(long, requires = "normal_only")]
    pub(crate) drop_anomalous: bool,

    /// How many actions in a row are judged together [default: 10]
    #[arg(long, value_name = "N", requires = "normal_only")]
    pub(crate) window: Option<WindowSize>,

    /// Longest n-gram, 1 to 8 [default: 3; 4 with --normal-only]
    #[arg(long, value_name = "N")]
    pub(crate) ngram_size: Option<NgramSize>,

    /// Score from which a sequence is labelled anomalous, or what it is chosen for: f1, recall=R, precision=R, false-alarms=R
    /// [default: 0.3; with --normal-only 0.99, which is false-alarms=0.01]
    #[arg(long, value_name = "T")]
    pub(crate) anomaly_threshold: Option<Threshold>,

    /// Most passes over the training part
    #[arg(long, value_name = "N", default_value_t = TrainingConfig::default().epochs)]
    pub(crate) epochs: Epochs,

    /// Distinct sequences that are visited together before the next ones are
    #[arg(long, value_name = "N", default_value_t = TrainingConfig::default().batch_size)]
    pub(crate) batch_size: BatchSize,

    /// Where all randomness comes from: the same seed gives the same model
    #[arg(long, value_name = "N", default_value_t = TrainingConfig::default().seed, value_parser = whole::<0, { u64::MAX }>)]
    pub(crate) seed: u64,

    /// Strength of the L2 penalty on the weights [default: of 1, 2, 4, 8 and 16 the one with the lowest loss on what is left out]
    #[arg(long, value_name = "X")]
    pub(crate) l2: Option<Penalty>,

    /// What is left out together to calibrate scores: whole groups, identical sequences; "auto" is "group" with --group-by, else
    /// "sequence"
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = CalibrateArg::default())]
    pub(crate) calibrate: CalibrateArg,

    /// The part of the way to its optimum that each training step goes
    #[arg(long, value_name = "X", default_value_t = TrainingConfig::default().learning_rate)]
    pub(crate) learning_rate: StepSize,

    /// Most n-grams to keep, the most frequent first
    #[arg(long, value_name = "N", default_value_t = TrainingConfig::default().max_ngrams)]
    pub(crate) max_ngrams: MaxNgrams,

    /// Highest calibration error with which a model is promoted
    #[arg(long, value_name = "X", default_value = "0.08")]
    pub(crate) promotion_max_ece: UnitInterval,

    /// Lowest accuracy with which a model is promoted [default: 0.85; none with one of the next four]
    #[arg(long, value_name = "X")]
    pub(crate) promotion_min_accuracy: Option<UnitInterval>,

    /// Lowest recall with which a model is promoted
    #[arg(long, value_name = "X")]
    pub(crate) promotion_min_recall: Option<UnitInterval>,

    /// Lowest precision with which a model is promoted
    #[arg(long, value_name = "X")]
    pub(crate) promotion_min_precision: Option<UnitInterval>,

    /// Highest share of normal samples that a model which is promoted may report
    #[arg(long, value_name = "X")]
    pub(crate) promotion_max_false_alarms: Option<UnitInterval>,

    /// Lowest average precision with which a model is promoted
    #[arg(long, value_name = "X")]
    pub(crate) promotion_min_average_precision: Option<UnitInterval>,

    /// By how much, in nats, the log loss may surely be higher than that of the current model, on samples new to both
    #[arg(long, value_name = "X", default_value_t = Gate::default().max_regression)]
    pub(crate) promotion_max_regression: UnitInterval,

    /// Promote without comparing with the current model
    #[arg(long)]
    pub(crate) no_champion: bool,

    /// Bins of the calibration error
    #[arg(long, value_name = "N", default_value_t = DEFAULT_ECE_BINS)]
    pub(crate) ece_bins: Bins,

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

pub(crate) fn run(args: &TrainArgs, verbosity: i8) -> Result<(), Failure> {
    let time = clock::now()?;
    html_report_file::check(args.report.as_ref())?;
    if fs::metadata(&args.models_dir).is_ok_and(|found| !found.is_dir()) {
        return Err(Failure::Usage(format!(
            "--models-dir {}: is not a directory",
            shown(&args.models_dir)
        )));
    }
    // A record that cannot be read should be known before the work, not after it.
    registry::history(&args.models_dir)?;
    let run = args.to_run()?;
    let threads = thread_count(args.threads);
    let report_to = if args.json { Output::stderr() } else { Output::stdout() };
    let mut report = Report::new(report_to, verbosity < 0);
    let progress = Progress::new(verbosity);

    let files = args.files()?;
    let samples = load(&run, &files, threads, progress)?;
    report.samples(&samples);
    if samples.dropped_anomalous() > 0 {
        info!("{} anomalous samples were left out", samples.dropped_anomalous());
    }
    let outcome = fit_and_judge(&run, &samples, threads, progress, &mut report)?;

    // From the comparison with the current model until the new one is in its place, no other run may change it.
    let store = Store::open(&args.models_dir)?;
    let (verdict, champion) = decide(args, &run, &store, &samples, &outcome)?;
    let Outcome {
        model,
        evaluation,
        data,
        normal_sequences,
        conflicts,
        left_out,
        left_out_scores,
        sessions,
        chosen,
        ..
    } = outcome;
    report.promise(&run, &samples, &evaluation.metrics);
    report.verdict(&run.gate, &verdict, champion.as_ref(), &evaluation.metrics);
    for sentence in advice(&Diagnostics {
        data: DataFindings {
            samples: samples.class_counts(),
            normal_sequences,
            conflicts,
            actions: model.action_count() as u64,
            actions_seen_once: model.actions_seen_once() as u64,
            confusables: &confusables(samples.data()),
            names: names_without_parameters(samples.data()),
            kind: model.kind(),
        },
        metrics: &evaluation.metrics,
        scored: &evaluation.scored,
        left_out: &left_out.scored,
    }) {
        warn!("{sentence}");
    }

    let artifact = Artifact {
        model,
        run,
        data: Some(data.clone()),
        metrics: Some(evaluation.metrics.clone()),
        left_out: left_out_scores,
        sessions,
        origin: None,
        verdict: Some(verdict.clone()),
        created_at: Some(time),
        tool_version: None,
    };
    let whole = signals::defer();
    let mut saved = store.save(&artifact, champion.as_ref(), time)?;
    drop(whole);
    saved.confirm()?;
    report.line(&format!("[INFO] Model saved to {}", shown(&saved.model)));
    report.line(&format!("[INFO] Metrics saved to {}", shown(&saved.metrics)));

    let page = args.report.as_ref().map_or(Ok::<_, Failure>(()), |path| {
        let (data, part) = samples.validation();
        let page = HtmlReport {
            artifact: &artifact,
            data,
            part,
            evaluation: &evaluation,
            verdict: artifact.verdict.as_ref(),
            source: match artifact.run.validation {
                Validation::Folds { .. } => "each by a model that has not seen its group or sequence",
                _ => "validation part of the training run",
            },
            all_samples: false,
            places: &[],
        };
        html_report_file::write(path, page.render())?;
        report.line(&format!("[INFO] Report saved to {}", shown(path)));
        Ok(())
    });
    let told = if args.json {
        // The report is an extra; its reader may go away.
        let summary = RunSummary::new(
            &artifact.run,
            &data,
            &evaluation.metrics,
            &verdict,
            champion.as_ref(),
            chosen.as_ref(),
            &saved,
        );
        let mut output = Output::stdout();
        output.json_line(&summary).and_then(|()| output.finish())
    } else {
        report.finish()
    };
    match (told, page) {
        // Whoever reads does not decide what the exit code says.
        (Ok(()) | Err(Failure::OutputClosed), page) => page?,
        (Err(unwritten), page) => {
            if let Err(failure) = page {
                warn!("{}", failure.lines().join("; "));
            }
            let verb = if verdict.promoted { "promoted" } else { "not promoted" };
            return Err(unwritten.although(format_args!("{} was saved and {verb}", shown(&saved.model))));
        }
    }
    if args.require_promotion && !verdict.promoted {
        return Err(Failure::NotPromoted);
    }
    Ok(())
}

/// Carries the run out, and says how it goes.
fn fit_and_judge(
    run: &Run,
    samples: &Samples,
    threads: NonZeroUsize,
    progress: Progress,
    report: &mut Report,
) -> Result<Outcome, Failure> {
    let passes = match &run.training {
        Training::Labelled(TrainingConfig { epochs, batch_size, .. }) => {
            report.line(&format!(
                "[INFO] Training anomaly model for {epochs} epochs, batch size {batch_size}..."
            ));
            epochs.get()
        }
        Training::NormalOnly(NormalConfig { ngram_size, window, .. }) => {
            report.line(&format!(
                "[INFO] Training normal-only model, n-grams of up to {ngram_size}, window of {window} actions..."
            ));
            1
        }
    };
    let bar = progress.steps("Training", u64::from(passes) * run.trainings() as u64);
    let mut number = 0;
    let outcome = run.carry_out(samples, threads, |epoch| {
        bar.inc(1);
        number += 1;
        match epoch {
            Epoch::Converging(change) => {
                debug!("epoch {number}: fitted probabilities changed by {change:.2e} on average")
            }
            _ => debug!("passes there and back done"),
        }
    })?;
    drop(bar);
    let model = &outcome.model;
    let (actions, ngrams) = (model.action_count(), model.ngram_count());
    match model {
        Model::Labelled(model) => {
            report.line(&format!("[INFO] Fitted: {}", model.fitted()));
            debug!("{actions} actions, {ngrams} n-grams, {} ordered pairs", model.pair_count());
        }
        Model::NormalOnly(model) => report.line(&format!(
            "[INFO] Learned: {actions} actions, {ngrams} n-grams; p-values count {} normal samples, each scored without its {}",
            model.calibration_samples(),
            samples.data().unit()
        )),
    }
    if let Validation::Folds { count } = run.validation {
        report.line(&format!(
            "[INFO] Folds: {count}; each sample is judged by a model that has not seen its {}",
            samples.data().unit()
        ));
    }
    if let Some(chosen) = &outcome.chosen {
        report.line(&format!("[INFO] Threshold: {}", threshold::described(chosen)));
    }
    report.line("[INFO] Validation Metrics:");
    report.metrics(&outcome.evaluation.metrics);
    Ok(outcome)
}

/// The verdict of the gate, also by comparison with the current model unless that was not wanted.
fn decide(
    args: &TrainArgs,
    run: &Run,
    store: &Store,
    samples: &Samples,
    outcome: &Outcome,
) -> Result<(Verdict, Option<Champion>), Failure> {
    let (mut champion, mut unreadable) = (None, None);
    if let Some(current) = store
        .history()
        .current_of(run.training.kind())
        .filter(|_| !args.no_champion)
    {
        let threads = thread_count(args.threads);
        match champion::judge(&args.models_dir, current, run, samples, outcome, threads)? {
            Ok(judged) => champion = Some(judged),
            Err(problem) => unreadable = Some(problem),
        }
    }
    let mut verdict = run.judge(&outcome.evaluation.metrics, champion.as_ref());
    if let Some(problem) = unreadable {
        verdict = verdict.with_reason(Reason::new(
            ReasonCode::Champion,
            format!("the promoted model cannot be compared with: {problem} (--no-champion promotes without comparing)"),
        ));
    }
    Ok((verdict, champion))
}

impl TrainArgs {
    /// What the options mean.
    fn to_run(&self) -> Result<Run, Failure> {
        let (training, threshold_for) = self.training()?;
        Ok(Run {
            source: self.source(),
            reading: Reading {
                count_field: self.count_field.clone(),
                drop_anomalous: self.drop_anomalous,
                mapping: self.logs.mapping()?,
                skip_bad_lines: self.logs.skip_bad_lines,
            },
            group_by: self.group_by.clone(),
            validation: self.validation()?,
            ece_bins: self.ece_bins,
            threshold_for,
            gate: self.gate(&training),
            training,
        })
    }

    /// What the model learns from and how, and what its threshold is chosen for.
    fn training(&self) -> Result<(Training, Option<Wish>), Failure> {
        if self.normal_only {
            let defaults = NormalConfig::default();
            let anomaly_threshold = match self.anomaly_threshold {
                None => defaults.anomaly_threshold,
                Some(Threshold::Fixed(threshold)) => threshold,
                Some(Threshold::Wish(Wish::FalseAlarms(promise))) => promise.complement(),
                Some(Threshold::Wish(wish)) => {
                    return Err(Failure::Usage(format!(
                        "--anomaly-threshold: {}",
                        WishError::NoLabels(wish)
                    )));
                }
            };
            let config = NormalConfig {
                ngram_size: self.ngram_size.unwrap_or(defaults.ngram_size),
                window: self.window.unwrap_or(defaults.window),
                anomaly_threshold,
                seed: self.seed,
                max_ngrams: self.max_ngrams,
            };
            return Ok((Training::NormalOnly(config), None));
        }
        let defaults = TrainingConfig::default();
        let (anomaly_threshold, threshold_for) = match self.anomaly_threshold {
            None => (defaults.anomaly_threshold, None),
            Some(Threshold::Fixed(threshold)) => (threshold, None),
            Some(Threshold::Wish(wish)) => (defaults.anomaly_threshold, Some(wish)),
        };
        let config = TrainingConfig {
            ngram_size: self.ngram_size.unwrap_or(defaults.ngram_size),
            anomaly_threshold,
            seed: self.seed,
            epochs: self.epochs,
            batch_size: self.batch_size,
            l2: self.l2,
            calibrate: self.calibrate.0,
            learning_rate: self.learning_rate,
            max_ngrams: self.max_ngrams,
        };
        Ok((Training::Labelled(config), threshold_for))
    }

    fn gate(&self, training: &Training) -> Gate {
        if let Training::NormalOnly(config) = training {
            return Gate::of_promise(config.promise().into(), self.promotion_max_regression);
        }
        let gate = Gate {
            max_ece: Some(self.promotion_max_ece),
            min_accuracy: self.promotion_min_accuracy,
            min_recall: self.promotion_min_recall,
            min_precision: self.promotion_min_precision,
            max_false_alarms: self.promotion_max_false_alarms,
            min_average_precision: self.promotion_min_average_precision,
            max_regression: self.promotion_max_regression,
        };
        let Gate {
            min_recall,
            min_precision,
            max_false_alarms,
            min_average_precision,
            ..
        } = gate;
        let asks_otherwise = [min_recall, min_precision, max_false_alarms, min_average_precision]
            .iter()
            .any(Option::is_some);
        Gate {
            min_accuracy: gate.min_accuracy.or(if asks_otherwise {
                None
            } else {
                Gate::default().min_accuracy
            }),
            ..gate
        }
    }

    fn source(&self) -> Source {
        let num_samples = self.num_samples;
        if self.data.is_empty() {
            Source::Synthetic {
                scenario: self.scenario.0,
                num_samples: num_samples.unwrap_or(DEFAULT_SYNTHETIC),
            }
        } else {
            Source::Files { num_samples }
        }
    }

    fn validation(&self) -> Result<Validation, Failure> {
        if self.calibrate.0 == Calibrate::Group && self.group_by.is_none() {
            return Err(Failure::Usage("--calibrate group needs --group-by".to_owned()));
        }
        let strategy = match (self.split_strategy, &self.group_by) {
            (Some(strategy), _) => strategy.0,
            (None, Some(_)) => SplitStrategy::Grouped,
            // A promise is for sequences that were never seen.
            (None, None) if self.normal_only => SplitStrategy::Grouped,
            (None, None) => SplitStrategy::default(),
        };
        if self.count_field.is_some() && strategy == SplitStrategy::Temporal {
            return Err(Failure::Usage(
                "--count-field does not go with --split-strategy temporal: samples that are counted have no order"
                    .to_owned(),
            ));
        }
        if self.count_field.is_some() && self.count_field == self.group_by {
            return Err(Failure::Usage(
                "--count-field and --group-by need two fields".to_owned(),
            ));
        }
        if let Some(count) = self.folds {
            return Ok(Validation::Folds { count });
        }
        if self.validation_data.is_some() {
            return Ok(Validation::Separate);
        }
        Ok(Validation::Split {
            strategy,
            train_ratio: self.train_ratio,
        })
    }

    /// The files to read, which must differ and whose content must fit into memory.
    fn files(&self) -> Result<Files, Failure> {
        let files = Files::new(&self.data, self.validation_data.as_ref())?;
        if self.num_samples.is_none() {
            memory::check(files.all())?;
        }
        Ok(files)
    }
}
