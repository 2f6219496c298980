//! What a training run tells to people, line by line.

use super::failure::Failure;
use super::output::Output;
use anomaly_train::metrics::{Interval, Metrics};
use anomaly_train::{Champion, Gate, Samples, Verdict};
use log::warn;

/// Writes the lines that a person follows a run by.
///
/// A report that cannot be written must not decide whether a model is saved: the first failure silences it and is kept for
/// the end of the run.
pub(crate) struct Report {
    output: Output,
    silent: bool,
    failure: Option<Failure>,
}

impl Report {
    pub(crate) fn new(output: Output, silent: bool) -> Self {
        Self {
            output,
            silent,
            failure: None,
        }
    }

    pub(crate) fn line(&mut self, text: &str) {
        if self.silent {
            return;
        }
        if let Err(failure) = self.output.line(text) {
            self.silent = true;
            self.failure = Some(failure);
        }
    }

    /// Whether everything could be written.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        self.failure.map_or(Ok(()), Err)
    }

    /// How many samples there are, and how they were divided.
    pub(crate) fn samples(&mut self, samples: &Samples) {
        let count = samples.class_counts().total();
        self.line(&format!("[INFO] Loading {count} anomaly detection samples..."));
        let skipped = samples.skipped_empty();
        if skipped > 0 {
            warn!("{skipped} samples have an empty sequence and were skipped");
        }
        self.line(&format!(
            "[INFO] Train samples: {}, Validation samples: {}",
            samples.training().1.samples(),
            samples.validation().1.samples()
        ));
    }

    /// The figures, one a line.
    pub(crate) fn metrics(&mut self, metrics: &Metrics) {
        let figures = metrics.figures();
        for figure in &figures {
            self.line(&format!("  {}: {figure}", figure.name));
        }
        let intervals: Vec<String> = figures
            .iter()
            .filter_map(|figure| Some((figure.name, figure.interval?)))
            .map(|(name, Interval(low, high))| format!("{name} {low:.4} to {high:.4}"))
            .collect();
        if !intervals.is_empty() {
            self.line(&format!("  95 % intervals: {}", intervals.join(", ")));
        }
        let (Some(overlap), Some(unseen)) = (metrics.overlap, &metrics.unseen) else {
            return;
        };
        self.line(&format!(
            "[INFO] Overlap: {overlap} of {} samples have a sequence that was also trained on",
            metrics.samples
        ));
        if unseen.samples == 0 {
            self.line("[INFO] Unseen: no sample is new to the model");
            return;
        }
        let figures: Vec<String> = unseen
            .figures()
            .iter()
            .filter(|figure| ["precision", "recall", "accuracy", "f1", "ece", "roc_auc"].contains(&figure.name))
            .map(|figure| format!("{} {figure}", figure.name))
            .collect();
        self.line(&format!(
            "[INFO] Unseen: on the other {}: {}",
            unseen.samples,
            figures.join(", ")
        ));
    }

    pub(crate) fn verdict(&mut self, gate: &Gate, verdict: &Verdict, champion: Option<&Champion>, metrics: &Metrics) {
        let shown = |value: Option<f64>, digits: usize| {
            value.map_or_else(|| "undefined".to_owned(), |value| format!("{value:.digits$}"))
        };
        self.line(&format!(
            "[INFO] Promotion Gate: ECE <= {}, Accuracy >= {}",
            gate.max_ece, gate.min_accuracy
        ));
        self.line(&format!(
            "[INFO] ECE: {}, Accuracy: {}",
            shown(metrics.ece, 3),
            shown(metrics.accuracy, 3)
        ));
        if let Some(Champion {
            model,
            figures,
            overlap,
            ..
        }) = champion
        {
            self.line(&format!(
                "[INFO] Champion: {model} on the same {} samples, {overlap} of which it was trained on: accuracy {}, f1 {}, \
                 ece {}; the new one may be worse by {}",
                figures.samples,
                shown(figures.accuracy, 4),
                shown(figures.f1, 4),
                shown(figures.ece, 4),
                gate.max_regression
            ));
        }
        let result = if verdict.promoted { "PASS" } else { "FAIL" };
        self.line(&format!("[INFO] Promotion result: {result}"));
        for reason in &verdict.reasons {
            self.line(&format!("[INFO] Not promoted: {reason}"));
        }
    }
}
