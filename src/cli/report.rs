//! What a training run tells to people, line by line.

use super::failure::Failure;
use super::output::Output;
use super::style::{self, paint};
use anomaly_train::metrics::{Comparison, Figure, Interval, Metrics, Spread};
use anomaly_train::{Bound, Champion, Gate, MIN_SAMPLES, Run, Samples, Training, Verdict, fewest_to_promise};
use log::warn;

/// The figures whose intervals are told.
const IN_BRIEF: [&str; 6] = [
    "precision",
    "recall",
    "accuracy",
    "f1",
    "average_precision",
    "false_alarm_rate",
];

/// The figures on unseen samples that are told.
const IN_SHORT: [&str; 7] = [
    "precision",
    "recall",
    "accuracy",
    "f1",
    "ece",
    "roc_auc",
    "false_alarm_rate",
];

/// Whether a figure says anything of these samples: where a model learned without labels and there are none either, only the share of
/// false alarms does.
pub(crate) fn is_told(metrics: &Metrics, name: &str) -> bool {
    metrics.ece_bins.is_some() || metrics.confusion.anomalous() > 0 || name == "false_alarm_rate"
}

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
        let is_told = |figure: &&Figure<'_>| is_told(metrics, figure.name);
        for figure in figures.iter().filter(is_told) {
            self.line(&format!("  {}: {figure}", figure.name));
        }
        let intervals: Vec<String> = figures
            .iter()
            .filter(is_told)
            .filter(|figure| IN_BRIEF.contains(&figure.name))
            .filter_map(|figure| Some((figure.name, figure.interval?)))
            .map(|(name, Interval(low, high))| format!("{name} {low:.4} to {high:.4}"))
            .collect();
        if !intervals.is_empty() {
            self.line(&format!("  95 % intervals: {}", intervals.join(", ")));
            self.groups(metrics);
        }
        if let (Some(most), Some(chance)) = (metrics.ece_at_most, metrics.ece_by_chance) {
            self.line(&format!(
                "  ece: at most {most:.4} on other {}s; {chance:.4} by chance alone",
                metrics.unit
            ));
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
            .filter(is_told)
            .filter(|figure| IN_SHORT.contains(&figure.name))
            .map(|figure| format!("{} {figure}", figure.name))
            .collect();
        self.line(&format!(
            "[INFO] Unseen: on the other {}: {}",
            unseen.samples,
            figures.join(", ")
        ));
    }

    /// How many groups stand behind the intervals, and which figures rest on few of them.
    fn groups(&mut self, metrics: &Metrics) {
        let Metrics {
            groups,
            unit,
            effective_groups,
            ..
        } = metrics;
        let effective = |name: &&str| effective_groups.get(*name).copied().filter(|_| is_told(metrics, name));
        let (least, most) = IN_BRIEF
            .iter()
            .filter_map(effective)
            .fold((f64::INFINITY, 0.0_f64), |(least, most), groups| {
                (least.min(groups), most.max(groups))
            });
        self.line(&format!(
            "  they are for other {unit}s; the {groups} here count as {least:.1} to {most:.1} of equal weight"
        ));
        let varies = |(name, spread): (&String, &Spread)| {
            let Spread {
                least, median, most, ..
            } = spread;
            format!("{name} {least:.4} to {most:.4}, half of them up to {median:.4}")
        };
        let spread = metrics.spread.iter().filter(|(name, _)| is_told(metrics, name));
        let spread: Vec<String> = spread.map(varies).collect();
        if !spread.is_empty() {
            self.line(&format!("  from {unit} to {unit}: {}", spread.join("; ")));
        }
        let is_few = |name: &&&str| effective(name).is_some_and(|groups| groups < 3.0);
        let few: Vec<&str> = IN_BRIEF.iter().filter(is_few).copied().collect();
        if !few.is_empty() {
            let rest = if few.len() == 1 { "rests" } else { "rest" };
            self.line(&format!(
                "  {} {rest} on fewer than 3 {unit}s in effect: what to expect of others is hardly known",
                few.join(", ")
            ));
        }
    }

    /// What the promise of a normal-only model is worth: how it was kept on the validation part, and how few groups it rests on.
    pub(crate) fn promise(&mut self, run: &Run, samples: &Samples, metrics: &Metrics) {
        let Training::NormalOnly(config) = &run.training else {
            return;
        };
        let promise = config.promise();
        if let (Some(rate), Some(Interval(low, high))) = (
            metrics.false_alarm_rate,
            metrics.intervals.get("false_alarm_rate").copied(),
        ) {
            let kept = if low <= promise.get() { "kept" } else { "broken" };
            self.line(&format!(
                "[INFO] Promise: {promise} false alarms; realised {rate:.4}, between {low:.4} and {high:.4}: {kept}"
            ));
        }
        let groups = samples.groups_trained_on();
        let wanted = fewest_to_promise(promise);
        if let Some(groups) = groups.filter(|&groups| groups < wanted) {
            warn!(
                "the promise rests on {groups} groups: it is kept on average over groups like these, not in each of them, for which it \
                 would take {wanted} groups"
            );
        }
    }

    fn champion(&mut self, champion: &Champion, gate: &Gate) {
        let Champion {
            model,
            overlap,
            figures,
            comparison,
            ..
        } = champion;
        let new = figures.samples;
        let known = format!("it was trained on {overlap} of {}", overlap + new);
        self.line(&match comparison {
            None => format!(
                "[INFO] Champion: {model} was not compared with: {known} samples, and of the others fewer than {MIN_SAMPLES} are of one class"
            ),
            Some(Comparison { higher, interval: Interval(low, high), .. }) => format!(
                "[INFO] Champion: {model} on the {new} samples that are new to both ({known}): log loss {}; that of the new one is \
                 {}, between {low:.4} and {high:.4}; surely more than {} higher is refused",
                figures.log_loss.map_or_else(|| "undefined".to_owned(), |loss| format!("{loss:.4}")),
                if *higher < 0.0 { format!("lower by {:.4}", -higher) } else { format!("higher by {higher:.4}") },
                gate.max_regression
            ),
        });
    }

    pub(crate) fn verdict(&mut self, gate: &Gate, verdict: &Verdict, champion: Option<&Champion>, metrics: &Metrics) {
        let shown = |value: Option<f64>, digits: usize| {
            value.map_or_else(|| "undefined".to_owned(), |value| format!("{value:.digits$}"))
        };
        let bounds = gate.bounds(metrics);
        let each = |show: &dyn Fn(&Bound) -> String| bounds.iter().map(show).collect::<Vec<_>>().join(", ");
        self.line(&format!("[INFO] Promotion Gate: {}", each(&ToString::to_string)));
        self.line(&format!(
            "[INFO] {}",
            each(&|bound| format!("{}: {}", bound.title(), shown(bound.value, 3)))
        ));
        match &metrics.unseen {
            Some(unseen) if unseen.samples == 0 && metrics.samples > 0 => {
                self.line("[INFO] Nothing unseen was judged: each of these sequences was also trained on");
            }
            _ => {}
        }
        if let Some(champion) = champion {
            self.champion(champion, gate);
        }
        let coloured = self.output.is_coloured();
        let result = if verdict.promoted {
            paint("PASS", style::GOOD, coloured)
        } else {
            paint("FAIL", style::BAD, coloured)
        };
        self.line(&format!("[INFO] Promotion result: {result}"));
        for reason in &verdict.reasons {
            self.line(&format!("[INFO] Not promoted: {reason}"));
        }
    }
}
