//! `anomaly-train` without a subcommand: from samples to a judged model on disk.

use crate::cli::failure::{Failure, shown};
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::report::Report;
use crate::cli::samples::{Files, load};
use crate::cli::shared_args::{ModelsDir, Threads};
use crate::cli::summary::RunSummary;
use crate::cli::{clock, html_report_file, memory, signals, threshold};
use anomaly_train::options::TrainingOptions;
use anomaly_train::registry::{self, Store};
use anomaly_train::{
    Artifact, DataFindings, Diagnostics, Epoch, HtmlReport, Model, NormalConfig, Outcome, Run, Samples, Training,
    TrainingConfig, Validation, advice, confusables, names_without_parameters,
};
use clap::Args;
use log::{debug, info, warn};
use std::fs;
use std::num::NonZeroUsize;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// What to train; "anomaly" is the only type
    #[arg(long, value_name = "TYPE", default_value = "anomaly", value_parser = ["anomaly"])]
    #[arg(hide_short_help = true)]
    model_type: String,

    #[command(flatten)]
    pub(crate) options: TrainingOptions,

    /// Also write a page with figures and drawings for people
    #[arg(long, value_name = "FILE.html")]
    #[arg(help_heading = "Output", hide_short_help = true)]
    pub(crate) report: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) models_dir: ModelsDir,

    /// End with exit code 4 if the model is not promoted
    #[arg(long)]
    #[arg(help_heading = "Output", hide_short_help = true)]
    pub(crate) require_promotion: bool,

    #[command(flatten)]
    pub(crate) threads: Threads,

    /// Write one JSON object to standard output, and the report to standard error
    #[arg(long)]
    #[arg(help_heading = "Output")]
    pub(crate) json: bool,
}

pub(crate) fn run(args: &TrainArgs, verbosity: i8) -> Result<(), Failure> {
    let time = clock::now()?;
    html_report_file::check(args.report.as_ref())?;
    if fs::metadata(&args.models_dir.path).is_ok_and(|found| !found.is_dir()) {
        return Err(Failure::Usage(format!(
            "--models-dir {}: is not a directory",
            shown(&args.models_dir.path)
        )));
    }
    // A record that cannot be read should be known before the work, not after it.
    registry::history(&args.models_dir.path)?;
    let run = args.options.to_run()?;
    let threads = args.threads.count();
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
    let store = Store::open(&args.models_dir.path)?;
    let compares = !args.options.no_champion;
    let (verdict, champion) = store.decide(&run, &samples, &outcome, compares, threads)?;
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
            _ => debug!("pass done"),
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

impl TrainArgs {
    /// The files to read, which must differ and whose content must fit into memory.
    fn files(&self) -> Result<Files, Failure> {
        let files = Files::new(&self.options.data, self.options.validation_data.as_ref())?;
        if self.options.num_samples.is_none() {
            memory::check(files.all())?;
        }
        Ok(files)
    }
}
