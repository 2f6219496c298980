//! `anomaly-train` without a subcommand: from samples to a judged model on disk.

use super::args::TrainArgs;
use super::failure::{Failure, shown};
use super::output::Output;
use super::progress::Progress;
use super::report::Report;
use super::samples::{Files, Samples, load};
use super::store::Store;
use super::summary::{Config, RunSummary, SampleCounts};
use super::{champion, clock, input, memory, page_file, store, threads};
use anomaly_train::split::SplitStrategy;
use anomaly_train::{
    AnomalyModel, Artifact, Champion, Epoch, Evaluation, Findings, Gate, Page, Promotion, Provenance, Source, Trainer,
    TrainingConfig, Validation, advice, confusables, evaluate, parallel,
};
use log::{debug, warn};

use std::num::NonZeroUsize;

const DEFAULT_SAMPLES: u64 = 10_000;

pub(crate) fn run(args: &TrainArgs, verbosity: i8) -> Result<(), Failure> {
    let time = clock::now()?;
    page_file::check(args.report.as_ref())?;
    // A record that cannot be read should be known before the work, not after it.
    store::history(&args.models_dir)?;
    let config = training_config(args);
    let (source, plan) = plan(args)?;
    let progress = Progress::new(verbosity);
    let threads = threads(args.threads);
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
        let threads = threads(args.threads);
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
