//! How good scores are: everything here is computed from one list of scored samples and knows nothing of the model.
//!
//! Every sample counts, also those that are alike: a figure speaks of how often the model will be right, and so do its
//! intervals, which take each sample for a draw of its own from those to come. How many different sequences stand behind them
//! is another matter, and is not what they measure.

mod calibration;
mod interval;
mod ranking;

pub use calibration::{ReliabilityBin, reliability_bins};
pub use interval::{Interval, wilson};
pub use ranking::{OperatingPoint, ThresholdChoice, operating_points, threshold_choices};

pub use crate::data::scored::Scored;

use crate::bounded_map::bounded_map;
use crate::bounds::{Bins, OpenUnitInterval};
use crate::data::label::{Label, MAX_SAMPLES};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Decisions against labels. A positive is a sample labelled anomalous by the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Confusion {
    /// Anomalous, and found.
    pub tp: u64,
    /// Normal, but reported: false alarms.
    pub fp: u64,
    /// Anomalous, but missed.
    #[serde(rename = "fn")]
    pub fn_: u64,
    /// Normal, and left alone.
    pub tn: u64,
}

impl Confusion {
    /// Counts the decisions `score >= threshold`.
    #[must_use]
    pub fn at(scored: &[Scored], threshold: f64) -> Self {
        let mut confusion = Self::default();
        for sample in scored {
            *match (sample.score.get() >= threshold, sample.label) {
                (true, Label::Anomalous) => &mut confusion.tp,
                (true, Label::Normal) => &mut confusion.fp,
                (false, Label::Anomalous) => &mut confusion.fn_,
                (false, Label::Normal) => &mut confusion.tn,
            } += sample.count;
        }
        confusion
    }

    /// All samples.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.tp + self.fp + self.fn_ + self.tn
    }

    /// Samples that are anomalous.
    #[must_use]
    pub fn anomalous(&self) -> u64 {
        self.tp + self.fn_
    }

    /// Samples that are normal.
    #[must_use]
    pub fn normal(&self) -> u64 {
        self.fp + self.tn
    }

    /// Share of the reported samples that are anomalous.
    #[must_use]
    pub fn precision(&self) -> Option<f64> {
        ratio(self.tp, self.tp + self.fp)
    }

    /// Share of the anomalous samples that are reported.
    #[must_use]
    pub fn recall(&self) -> Option<f64> {
        ratio(self.tp, self.anomalous())
    }

    /// Share of the samples that are labelled rightly.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        ratio(self.tp + self.tn, self.samples())
    }

    /// Share of the normal samples that are reported.
    #[must_use]
    pub fn false_alarm_rate(&self) -> Option<f64> {
        ratio(self.fp, self.normal())
    }

    /// Harmonic mean of precision and recall, 2 tp / (2 tp + fp + fn).
    #[must_use]
    pub fn f1(&self) -> Option<f64> {
        let found = 2.0 * self.tp as f64;
        let whole = found + (self.fp + self.fn_) as f64;
        (whole > 0.0).then(|| found / whole)
    }

    /// Accuracy of always guessing the commoner class.
    #[must_use]
    pub fn majority_accuracy(&self) -> Option<f64> {
        ratio(self.anomalous().max(self.normal()), self.samples())
    }
}

/// `part / whole`, undefined for a whole of 0.
fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The 95 % Wilson score intervals of the three shares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Intervals {
    /// Of the precision.
    pub precision: Option<Interval>,
    /// Of the recall.
    pub recall: Option<Interval>,
    /// Of the accuracy.
    pub accuracy: Option<Interval>,
}

/// A figure of [`Metrics`] with what belongs to it. Shown with four digits, or as "undefined" and the reason.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure<'m> {
    /// Its name in files.
    pub name: &'static str,
    /// The figure, if it is defined.
    pub value: Option<f64>,
    /// Why it is not defined; empty if it is.
    pub why_undefined: &'m str,
    /// Its 95 % interval, for the figures that have one.
    pub interval: Option<Interval>,
}

impl fmt::Display for Figure<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value {
            Some(value) => write!(f, "{value:.4}"),
            None => write!(f, "undefined ({})", self.why_undefined),
        }
    }
}

/// The names of the figures, in the order in which they are printed.
const NAMES: [&str; 9] = [
    "precision",
    "recall",
    "accuracy",
    "f1",
    "ece",
    "roc_auc",
    "average_precision",
    "brier",
    "log_loss",
];

/// The figures of one list of scored samples. A figure that is not defined for them is `None`, with the reason in
/// [`undefined`](Self::undefined).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Metrics {
    /// Share of the reported samples that are anomalous, 0..1.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub precision: Option<f64>,
    /// Share of the anomalous samples that are reported, 0..1.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub recall: Option<f64>,
    /// Share of the samples that are labelled rightly, 0..1.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub accuracy: Option<f64>,
    /// Harmonic mean of precision and recall, 0..1.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub f1: Option<f64>,
    /// Expected calibration error of P(anomalous), see [`ReliabilityBin`], 0..1.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub ece: Option<f64>,
    /// Probability that an anomalous sample scores higher than a normal one, ties counting half, 0..1.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub roc_auc: Option<f64>,
    /// Area under the precision-recall curve as a sum over its steps, 0..1.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub average_precision: Option<f64>,
    /// Mean squared distance of the score from the label (as 0 or 1), 0..1.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub brier: Option<f64>,
    /// Mean negative natural logarithm of the probability given to the true label; probabilities are taken to be at
    /// least 2.2e-16.
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 0, "exclusiveMaximum" = 40)))]
    pub log_loss: Option<f64>,
    /// Decisions against labels at the threshold.
    pub confusion: Confusion,
    /// 95 % Wilson score intervals.
    pub intervals: Intervals,
    /// The threshold at which decisions were taken.
    pub threshold: OpenUnitInterval,
    /// Number of equal-width bins of the calibration error.
    pub ece_bins: Bins,
    /// How many samples were judged.
    pub samples: u64,
    /// Why each figure that is null is not defined.
    #[cfg_attr(feature = "schema", schemars(extend("propertyNames" = { "enum": NAMES })))]
    #[serde(deserialize_with = "bounded_map")]
    pub undefined: BTreeMap<String, String>,
    /// How many of the samples have a sequence that also stands in the training part, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub overlap: Option<u64>,
    /// The figures on the other samples alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Metrics", extend("not" = { "required": ["unseen"] })))]
    pub unseen: Option<Box<Metrics>>,
}

impl Metrics {
    /// Computes all figures from scores and labels.
    #[must_use]
    pub fn compute(scored: &[Scored], threshold: OpenUnitInterval, ece_bins: Bins) -> Self {
        let confusion = Confusion::at(scored, threshold.get());
        let points = operating_points(scored);
        let wilson_of = |part, whole| (whole > 0).then(|| wilson(part, whole));
        let Confusion { tp, fp, fn_, tn } = confusion;
        let metrics = Self {
            precision: confusion.precision(),
            recall: confusion.recall(),
            accuracy: confusion.accuracy(),
            f1: confusion.f1(),
            ece: calibration::expected_calibration_error(&reliability_bins(scored, ece_bins)),
            roc_auc: ranking::roc_auc(&points),
            average_precision: ranking::average_precision(&points),
            brier: mean(scored, |score, target| (score - target) * (score - target)),
            log_loss: mean(scored, |score, target| {
                let given = if target > 0.5 { score } else { 1.0 - score };
                -libm::log(given.clamp(f64::EPSILON, 1.0))
            }),
            confusion,
            intervals: Intervals {
                precision: wilson_of(tp, tp + fp),
                recall: wilson_of(tp, tp + fn_),
                accuracy: wilson_of(tp + tn, confusion.samples()),
            },
            threshold,
            ece_bins,
            samples: confusion.samples(),
            undefined: BTreeMap::new(),
            overlap: None,
            unseen: None,
        };
        Self {
            undefined: metrics.why_undefined(),
            ..metrics
        }
    }

    fn why_undefined(&self) -> BTreeMap<String, String> {
        let reason = if self.samples == 0 {
            "there is no sample"
        } else if self.confusion.anomalous() == 0 {
            "no sample is anomalous"
        } else if self.confusion.normal() == 0 {
            "no sample is normal"
        } else {
            "no sample was labelled anomalous"
        };
        self.named()
            .into_iter()
            .filter(|(_, value)| value.is_none())
            .map(|(name, _)| {
                let reason = if name == "precision" && self.samples > 0 {
                    "no sample was labelled anomalous"
                } else {
                    reason
                };
                (name.to_owned(), reason.to_owned())
            })
            .collect()
    }

    /// Whether the figures can have come out of [`compute`](Self::compute): those of the confusion are theirs, the
    /// others lie in their ranges, and each that is missing has its reason.
    pub(crate) fn is_consistent(&self) -> bool {
        let confusion = &self.confusion;
        let samples: u128 = [confusion.tp, confusion.fp, confusion.fn_, confusion.tn]
            .map(u128::from)
            .iter()
            .sum();
        let in_range = |(name, value): (&str, Option<f64>)| {
            value.is_none_or(|value| value >= 0.0 && (value <= 1.0 || name == "log_loss" && value < 40.0))
        };
        samples <= u128::from(MAX_SAMPLES)
            && confusion.samples() == self.samples
            && (confusion.precision(), confusion.recall()) == (self.precision, self.recall)
            && (confusion.accuracy(), confusion.f1()) == (self.accuracy, self.f1)
            && self.named().into_iter().all(in_range)
            && self.undefined == self.why_undefined()
            && self
                .unseen
                .as_ref()
                .is_none_or(|unseen| unseen.unseen.is_none() && unseen.is_consistent())
    }

    /// The figures as they are told to people, in the order in which they are printed.
    #[must_use]
    pub fn figures(&self) -> [Figure<'_>; 9] {
        self.named().map(|(name, value)| Figure {
            name,
            value,
            why_undefined: self.undefined.get(name).map_or("", String::as_str),
            interval: match name {
                "precision" => self.intervals.precision,
                "recall" => self.intervals.recall,
                "accuracy" => self.intervals.accuracy,
                _ => None,
            },
        })
    }

    /// The figures by name, in the order in which they are printed.
    #[must_use]
    pub fn named(&self) -> [(&'static str, Option<f64>); 9] {
        let values = [
            self.precision,
            self.recall,
            self.accuracy,
            self.f1,
            self.ece,
            self.roc_auc,
            self.average_precision,
            self.brier,
            self.log_loss,
        ];
        std::array::from_fn(|index| (NAMES[index], values[index]))
    }
}

/// Mean of `figure(score, label as 0 or 1)` over all samples, summed in the order of the list.
fn mean(scored: &[Scored], figure: impl Fn(f64, f64) -> f64) -> Option<f64> {
    let of = |sample: &Scored| figure(sample.score.get(), f64::from(u8::from(sample.label))) * sample.count as f64;
    let samples: u64 = scored.iter().map(|sample| sample.count).sum();
    (samples > 0).then(|| scored.iter().map(of).sum::<f64>() / samples as f64)
}
