//! `anomaly-train evaluate`: the figures of a saved model on labelled data.

use super::args::EvaluateArgs;
use super::failure::{Failure, shown};
use super::output::Output;
use super::progress::Progress;
use super::report::Report;
use super::{input, model, threads};
use anomaly_train::metrics::{Confusion, Metrics, OperatingPoint, choices, operating_points, reliability_bins};
use anomaly_train::{Dataset, evaluate};
use log::warn;
use serde::Serialize;

/// The object that `--json` writes.
#[derive(Serialize)]
struct Summary<'a> {
    model_path: String,
    model_digest: String,
    metrics: &'a Metrics,
    thresholds: &'a [Row],
    reliability: &'a [Bin],
}

/// A row of the threshold table.
#[derive(Serialize)]
struct Row {
    choice: &'static str,
    threshold: Option<f64>,
    precision: Option<f64>,
    recall: Option<f64>,
    false_alarm_rate: Option<f64>,
}

/// A bin of the reliability table.
#[derive(Serialize)]
struct Bin {
    low: f64,
    high: f64,
    samples: u64,
    mean_score: Option<f64>,
    anomalous_share: Option<f64>,
}

pub(crate) fn run(args: &EvaluateArgs, verbosity: i8) -> Result<(), Failure> {
    let (artifact, path) = model::load(args.model.as_deref(), &args.models_dir)?;
    let mut data = Dataset::new();
    for file in &args.data {
        input::read_labelled(file, None, &mut data, u64::MAX, Progress::new(verbosity))?;
    }
    if data.skipped_empty() > 0 {
        warn!(
            "{} samples have an empty sequence and were skipped",
            data.skipped_empty()
        );
    }
    if data.is_empty() {
        return Err(Failure::refused("no samples to judge on; the data are empty"));
    }
    let all: Vec<u32> = (0..data.len() as u32).collect();
    let threshold = args.anomaly_threshold.unwrap_or(artifact.model.threshold());
    let evaluation = evaluate(
        &artifact.model,
        &data,
        &all,
        threshold,
        args.ece_bins,
        threads(args.threads),
    );
    let metrics = &evaluation.metrics;

    let points = operating_points(&evaluation.scored);
    let chosen = choices(&points);
    let at =
        |choice, point: Option<OperatingPoint>| Row::new(choice, point.map(|point| (point.threshold, point.confusion)));
    let thresholds = [
        Row::new("in use", Some((threshold.get(), metrics.confusion))),
        at("best F1", chosen.best_f1),
        at("recall 0.95", chosen.recall_95),
        at("false alarms 1 %", chosen.false_alarms_1_percent),
    ];
    let reliability: Vec<Bin> = (0..)
        .zip(reliability_bins(&evaluation.scored, args.ece_bins))
        .map(|(index, bin)| Bin {
            low: f64::from(index) / f64::from(args.ece_bins.get()),
            high: f64::from(index + 1) / f64::from(args.ece_bins.get()),
            samples: bin.samples,
            mean_score: bin.mean_score(),
            anomalous_share: bin.anomalous_share(),
        })
        .collect();

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
        "[INFO] Evaluating {} on {} samples, {} of them anomalous, at threshold {threshold}",
        shown(&path),
        data.len(),
        metrics.confusion.anomalous()
    ))?;
    report.metrics(metrics)?;
    report.line("[INFO] Thresholds:")?;
    report.line("  choice            threshold  precision  recall  false alarms")?;
    for row in &thresholds {
        report.line(&format!(
            "  {:<16}  {:>9}  {:>9}  {:>6}  {:>12}",
            row.choice,
            figure(row.threshold),
            figure(row.precision),
            figure(row.recall),
            figure(row.false_alarm_rate)
        ))?;
    }
    report.line("[INFO] Reliability:")?;
    report.line("  P(anomalous)  samples  mean score  anomalous share")?;
    for bin in &reliability {
        report.line(&format!(
            "  {:<12}  {:>7}  {:>10}  {:>15}",
            format!("{:.3}-{:.3}", bin.low, bin.high),
            bin.samples,
            figure(bin.mean_score),
            figure(bin.anomalous_share)
        ))?;
    }
    Ok(())
}

impl Row {
    fn new(choice: &'static str, point: Option<(f64, Confusion)>) -> Self {
        let confusion = point.map(|(_, confusion)| confusion);
        Self {
            choice,
            threshold: point.map(|(threshold, _)| threshold),
            precision: confusion.and_then(|c| c.precision()),
            recall: confusion.and_then(|c| c.recall()),
            false_alarm_rate: confusion.and_then(|c| c.false_alarm_rate()),
        }
    }
}

fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"))
}
