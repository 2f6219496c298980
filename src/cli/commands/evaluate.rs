//! `anomaly-train evaluate`: the figures of a saved model on labelled data.

use crate::cli::failure::{Failure, shown};
use crate::cli::model::SavedModel;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::report::Report;
use crate::cli::shared_args::Threads;
use crate::cli::threshold::{ThresholdArgs, as_given};
use crate::cli::{html_report_file, input, memory, mistakes, model, vocabulary};
use anomaly_train::files::{self, Reading};
use anomaly_train::metrics::{Metrics, ReliabilityBin, ThresholdChoice, reliability_bins, threshold_choices};
use anomaly_train::options::LogOptions;
use anomaly_train::options::own_field;
use anomaly_train::{
    Bins, DEFAULT_ECE_BINS, DatasetBuilder, EvaluationOptions, HtmlReport, Label, ModelKind, Unfamiliar, evaluate,
};
use clap::{ArgAction, Args};
use log::{info, warn};
use serde::Serialize;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct EvaluateArgs {
    #[command(flatten)]
    pub(crate) saved: SavedModel,

    /// Labelled samples as JSON lines, or a log, plain, gzip or zstd; a folder stands for the files in it, "-" for standard input; may be
    /// repeated. Logs are read as they were in training
    #[arg(long, value_name = "FILE", action = ArgAction::Append, required = true)]
    pub(crate) data: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) logs: LogOptions,

    /// Field that says how many samples a line stands for
    #[arg(long, value_name = "FIELD", value_parser = own_field)]
    pub(crate) count_field: Option<String>,

    /// Field that names what belongs together, such as a task or a host, for the intervals [default: the sequence]
    #[arg(long, value_name = "FIELD", value_parser = own_field)]
    pub(crate) group_by: Option<String>,

    #[command(flatten)]
    pub(crate) threshold: ThresholdArgs,

    /// Make the tables and the page of all samples, also of those that the model was trained on
    #[arg(long)]
    #[arg(hide_short_help = true)]
    pub(crate) all_samples: bool,

    /// Bins of the calibration error
    #[arg(long, value_name = "N", default_value_t = DEFAULT_ECE_BINS)]
    #[arg(hide_short_help = true)]
    pub(crate) ece_bins: Bins,

    /// Also write a page with figures and drawings for people
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,

    /// Also write the samples that the model gets wrong, with line, id, group and explanation, one JSON object a line
    #[arg(long, value_name = "FILE.jsonl")]
    pub(crate) mistakes: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) threads: Threads,

    /// Write one JSON object instead of the tables
    #[arg(long)]
    pub(crate) json: bool,
}

/// The object that `--json` writes.
#[derive(Serialize)]
struct Summary<'a> {
    model_path: String,
    model_digest: String,
    metrics: &'a Metrics,
    thresholds: &'a [ThresholdChoice],
    reliability: &'a [ReliabilityBin],
}

pub(crate) fn run(args: &EvaluateArgs, verbosity: i8) -> Result<(), Failure> {
    html_report_file::check(args.report.as_ref())?;
    let paths = input::expand(&args.data)?;
    mistakes::check(args.mistakes.as_ref(), &paths)?;
    let (artifact, path) = model::load(args.saved.model.as_deref(), &args.saved.models_dir.path)?;
    // Who learned without labels can be judged without them, as far as that goes.
    let unlabelled = (artifact.model.kind() == ModelKind::NormalOnly).then_some(Label::Normal);
    let mapping = artifact.run.reading.mapping.clone().overridden_by(args.logs.mapping()?);
    let mut samples = DatasetBuilder::new().normalize_names(mapping.normalize_names);
    input::check_distinct(&paths)?;
    let threads = args.threads.count();
    memory::check(&paths)?;
    let reading = Reading {
        mapping: &mapping,
        skip_bad_lines: args.logs.skip_bad_lines,
        unlabelled,
        limit: None,
        threads,
        group_by: args.group_by.as_deref(),
        count_field: args.count_field.as_deref(),
    };
    files::read_all(&paths, &reading, &mut samples, |path| {
        input::open(path, Progress::new(verbosity))
    })?;
    let data = samples.build_on(threads);
    if data.skipped_empty() > 0 {
        warn!(
            "{} samples have an empty sequence and were skipped",
            data.skipped_empty()
        );
    }
    if data.is_empty() {
        return Err(Failure::refused("no samples to judge on; the data are empty"));
    }
    let all = data.all();
    let model = args.threshold.apply(&artifact)?;
    let threshold = model.threshold();
    let options = EvaluationOptions {
        threshold: Some(threshold),
        ece_bins: args.ece_bins,
        threads,
    };
    let evaluation = evaluate(&model, &data, &all, &options);
    let metrics = &evaluation.metrics;
    vocabulary::warn_of(&Unfamiliar::of(&model, &data), model.actions().map(|(name, _)| name));
    args.threshold.warn_of_rate(&model, data.class_counts(&all));

    // Programs get all that they gave; people get what says more of other samples.
    let unseen = evaluation.unseen();
    let of_all = args.json || args.all_samples || unseen.is_empty();
    let shown_samples = if of_all { &evaluation.scored } else { &unseen };
    let thresholds = threshold_choices(shown_samples, threshold.get());
    let reliability = metrics
        .ece_bins
        .map(|bins| reliability_bins(shown_samples, bins))
        .unwrap_or_default();
    if let Some(path) = &args.report {
        let files = mistakes::Files {
            paths: &paths,
            reading: &reading,
        };
        let mut page = HtmlReport {
            artifact: &artifact,
            data: &data,
            part: &all,
            evaluation: &evaluation,
            verdict: None,
            source: "evaluation of a saved model",
            all_samples: args.all_samples,
            places: &[],
        };
        let places = mistakes::places(&page.shown_mistakes(), &files)?;
        page.places = &places;
        html_report_file::write(path, page.render())?;
        info!("report saved to {}", shown(path));
    }

    if let Some(path) = &args.mistakes {
        let count = mistakes::write(
            path,
            &model,
            &mistakes::Files {
                paths: &paths,
                reading: &reading,
            },
        )?;
        info!("{count} mistakes saved to {}", shown(path));
    }

    let mut output = Output::stdout();
    if args.json {
        output.json_line(&Summary {
            model_path: path.display().to_string(),
            model_digest: artifact.digest(),
            metrics,
            thresholds: &thresholds,
            reliability: &reliability,
        })?;
        return output.finish();
    }
    let mut report = Report::new(output, verbosity < 0);
    report.line(&format!(
        "[INFO] Evaluating {} on {} samples, {} of them anomalous, at threshold {}",
        shown(&path),
        data.samples(),
        metrics.confusion.anomalous(),
        as_given(threshold.get())
    ));
    report.metrics(metrics);
    if !of_all {
        report.line("[INFO] The tables are of the unseen samples; --all-samples makes them of all");
    }
    report.line("[INFO] Thresholds:");
    report.line("  choice            threshold  precision  recall  false alarms");
    for row in &thresholds {
        report.line(&format!(
            "  {:<16}  {:>9}  {:>9}  {:>6}  {:>12}",
            row.choice,
            row.threshold.map_or_else(|| "-".to_owned(), as_given),
            figure(row.precision),
            figure(row.recall),
            figure(row.false_alarm_rate)
        ));
    }
    if !reliability.is_empty() {
        report.line("[INFO] Reliability:");
        report.line("  P(anomalous)  samples  mean score  anomalous share");
    }
    for bin in &reliability {
        report.line(&format!(
            "  {:<12}  {:>7}  {:>10}  {:>15}",
            format!("{:.3}-{:.3}", bin.low, bin.high),
            bin.samples,
            figure(bin.mean_score),
            figure(bin.anomalous_share)
        ));
    }
    report.finish()
}

fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"))
}
