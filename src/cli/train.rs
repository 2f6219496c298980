//! `anomaly-train` without a subcommand: from samples to a judged model on disk.

use super::args::TrainArgs;
use super::failure::{Failure, shown};
use super::output::Output;
use super::progress::Progress;
use super::report::Report;
use super::summary::{Config, RunSummary, Samples};
use super::{clock, input, store, threads};
use anomaly_train::split::{Parts, SplitStrategy, split};
use anomaly_train::synthetic::generate;
use anomaly_train::{
    AnomalyModel, Artifact, Dataset, Findings, Gate, Page, Promotion, Provenance, Source, Trainer, TrainingConfig,
    Validation, advice, evaluate,
};
use log::{debug, warn};

const DEFAULT_SAMPLES: u64 = 10_000;

pub(crate) fn run(args: &TrainArgs, verbosity: i8) -> Result<(), Failure> {
    let time = clock::now()?;
    store::check_page(args.report.as_ref())?;
    let config = training_config(args);
    let gate = Gate {
        max_ece: args.promotion_max_ece,
        min_accuracy: args.promotion_min_accuracy,
    };
    let progress = Progress::new(verbosity);
    let report_to = if args.json { Output::stderr() } else { Output::stdout() };
    let mut report = Report::new(report_to, verbosity < 0);

    let Loaded {
        data,
        parts,
        source,
        validation: plan,
    } = load(args, progress, &mut report)?;
    let training = data.class_counts(&parts.training);
    let validation = data.class_counts(&parts.validation);
    report.parts(training, validation);
    report.line(&format!(
        "[INFO] Training anomaly model for {} epochs, batch size {}...",
        config.epochs, config.batch_size
    ));
    let fitted = fit(&data, &parts, &config, progress)?;

    let evaluation = evaluate(
        &fitted.model,
        &data,
        &parts.validation,
        config.anomaly_threshold,
        args.ece_bins,
        threads(args.threads),
    );
    let metrics = &evaluation.metrics;
    report.line("[INFO] Validation Metrics:");
    report.metrics(metrics);
    let verdict = gate.judge(metrics);
    report.verdict(&gate, metrics, &verdict);
    for sentence in advice(&Findings {
        samples: training.plus(validation),
        normal_sequences: fitted.normal_sequences,
        contradictory_sequences: fitted.contradictory_sequences,
        metrics,
        scored: &evaluation.scored,
    }) {
        warn!("{sentence}");
    }

    let provenance = Provenance {
        source,
        validation: plan,
        ece_bins: args.ece_bins,
        data_digest: data.digest(),
        training_samples: training.total(),
        validation_samples: validation.total(),
        skipped_empty: data.skipped_empty(),
    };
    let artifact = Artifact {
        model: fitted.model,
        provenance: Some(provenance.clone()),
        metrics: Some(metrics.clone()),
        promotion: Some(Promotion {
            gate,
            verdict: verdict.clone(),
        }),
        created_at: Some(time),
    };
    let saved = store::save(&args.models_dir, &artifact, verdict.promoted, time)?;
    report.line(&format!("[INFO] Model saved to {}", shown(&saved.model)));
    report.line(&format!("[INFO] Metrics saved to {}", shown(&saved.metrics)));

    if let Some(path) = &args.report {
        let page = Page {
            artifact: &artifact,
            data: &data,
            indices: &parts.validation,
            evaluation: &evaluation,
            verdict: artifact.promotion.as_ref(),
            source: "validation part of the training run",
        };
        store::write_page(path, &page)?;
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
            samples: Samples {
                train: training.total(),
                validation: validation.total(),
                skipped_empty: data.skipped_empty(),
            },
            seed: config.seed,
            config: Config {
                training: &config,
                provenance: &provenance,
                gate: &gate,
            },
        })?;
        output.finish()?;
    }
    if args.require_promotion && !verdict.promoted {
        return Err(Failure::NotPromoted);
    }
    // With --json the report is an extra; its reader may go away.
    if args.json { Ok(()) } else { report.finish() }
}

/// A trained model, and what was noticed about the samples on the way.
struct Fitted {
    model: AnomalyModel,
    normal_sequences: usize,
    contradictory_sequences: usize,
}

fn fit(data: &Dataset, parts: &Parts, config: &TrainingConfig, progress: Progress) -> Result<Fitted, Failure> {
    let mut trainer = Trainer::new(data, &parts.training, config).map_err(Failure::refused)?;
    let bar = progress.steps("Training", u64::from(config.epochs.get()));
    for epoch in 1..=config.epochs.get() {
        let change = trainer.epoch();
        bar.inc(1);
        debug!("epoch {epoch}: fitted probabilities changed by {change:.2e} on average");
    }
    drop(bar);
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

/// The samples, divided, and where they came from.
struct Loaded {
    data: Dataset,
    parts: Parts,
    source: Source,
    validation: Validation,
}

fn load(args: &TrainArgs, progress: Progress, report: &mut Report) -> Result<Loaded, Failure> {
    let strategy = args.split_strategy.0;
    let group_by = args.group_by.as_deref();
    if group_by.is_some() && strategy != SplitStrategy::Grouped {
        return Err(Failure::Usage(
            "--group-by goes with --split-strategy grouped".to_owned(),
        ));
    }
    if matches!(group_by, Some("features" | "sequence" | "label")) {
        return Err(Failure::Usage(
            "--group-by needs a field of its own, not one that is part of the sample".to_owned(),
        ));
    }
    let mut data;
    let source;
    let events = &args.from_events;
    if let Some(rules) = events.rules() {
        data = Dataset::new();
        let limit = args.num_samples;
        events.read(&rules, &mut data, limit.unwrap_or(u64::MAX), progress)?;
        source = Source::Events {
            session_by: rules.session_by,
            session_gap: rules.session_gap,
            label_field: rules.label_field,
            num_samples: limit,
        };
    } else if args.data.is_empty() {
        let num_samples = args.num_samples.unwrap_or(DEFAULT_SAMPLES);
        let scenario = args.scenario.0;
        loading(report, num_samples);
        data = generate(scenario, num_samples, args.seed);
        source = Source::Synthetic { scenario, num_samples };
    } else {
        input::check_distinct(args.data.iter().chain(&args.validation_data))?;
        data = Dataset::new();
        let limit = args.num_samples.unwrap_or(u64::MAX);
        input::read_all(&args.data, group_by, &mut data, limit, progress)?;
        source = Source::Files {
            num_samples: args.num_samples,
        };
    }
    let from_files = !(args.data.is_empty() && events.events.is_empty());
    let own = data.len() as u32;
    input::read_all(args.validation_data.as_slice(), None, &mut data, u64::MAX, progress)?;
    if from_files {
        loading(report, data.len() as u64);
    }
    if data.skipped_empty() > 0 {
        warn!(
            "{} samples have an empty sequence and were skipped",
            data.skipped_empty()
        );
    }
    if own == 0 {
        return Err(Failure::refused("no samples to train on; the data are empty"));
    }
    let (parts, validation) = if args.validation_data.is_some() {
        let parts = Parts {
            training: (0..own).collect(),
            validation: (own..data.len() as u32).collect(),
        };
        if parts.validation.is_empty() {
            return Err(Failure::refused(
                "no samples to judge on; the validation data are empty",
            ));
        }
        (parts, Validation::Separate)
    } else {
        let parts = split(&data, strategy, args.train_ratio, args.seed).map_err(Failure::refused)?;
        let validation = Validation::Split {
            strategy,
            train_ratio: args.train_ratio,
            group_by: args.group_by.clone(),
        };
        (parts, validation)
    };
    Ok(Loaded {
        data,
        parts,
        source,
        validation,
    })
}

fn loading(report: &mut Report, samples: u64) {
    report.line(&format!("[INFO] Loading {samples} anomaly detection samples..."));
}
