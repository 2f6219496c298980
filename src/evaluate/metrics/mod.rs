//! How good scores are: everything here is computed from one list of scored samples and knows nothing of the model.
//!
//! Every sample counts, also those that are alike: a figure speaks of how often the model will be right. Its interval speaks of
//! how much that varies from one group of samples to the next, see [`Interval`].

mod calibration;
mod comparison;
mod interval;
mod ranking;
mod spread;
mod student;
mod sums;

pub use calibration::{ReliabilityBin, reliability_bins};
pub use comparison::Comparison;
pub use interval::{Interval, wilson};
pub(crate) use interval::{MAX_LOSS, upper_share};
pub use ranking::{OperatingPoint, ThresholdChoice, operating_points, threshold_choices};
pub use spread::Spread;
pub(crate) use student::t_quantile;
pub(crate) use sums::{BLOCKS, blocks, loss};

pub use crate::data::scored::Scored;

use crate::bounded_map::bounded_map;
use crate::bounds::{Bins, OpenUnitInterval};
use crate::data::label::{Label, MAX_SAMPLES};
use crate::data::unit::Unit;
use interval::{Scale, Uncertainty, jackknife};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use sums::{Areas, LeaveOneOut, Sums};

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

    /// Share of the samples that is anomalous, if there are both classes.
    fn share(&self) -> Option<f64> {
        ratio(self.anomalous(), self.samples()).filter(|&share| 0.0 < share && share < 1.0)
    }

    /// Without those of `other`, which are among them.
    fn without(&self, other: &Self) -> Self {
        Self {
            tp: self.tp - other.tp,
            fp: self.fp - other.fp,
            fn_: self.fn_ - other.fn_,
            tn: self.tn - other.tn,
        }
    }
}

/// `part / whole`, undefined for a whole of 0.
fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The skill score: what scores tell beyond the share of samples that is anomalous.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Skill {
    /// The log loss, in nats, of giving all samples one score: the share of them that is anomalous.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub log_loss_of_share: f64,
    /// The part of it that the scores do away with: 1 if they are perfect, 0 if they are worth no more, below 0 if less.
    #[cfg_attr(feature = "schema", schemars(range(max = 1)))]
    pub skill: f64,
    /// The 95 % interval of that, for other groups of the same kind.
    pub interval: Interval,
}

impl Skill {
    /// By the jackknife on the logarithm of the ratio of the two losses. The share stays that of all samples when a group is left
    /// out, so that the ratio is one of sums over the same samples.
    fn of(all: &Sums, without: &[(Sums, Areas)]) -> Option<Self> {
        let share = all.confusion.share()?;
        let of = |sums: &Sums| sums.ratio_to(share);
        let ratio = of(all)?;
        let without: Vec<Option<f64>> = without.iter().map(|(sums, _)| of(sums)).collect();
        let Interval(low, high) = jackknife(ratio, &without, Scale::Logarithm).interval;
        Some(Self {
            log_loss_of_share: sums::loss_of(share, &all.confusion)?,
            skill: 1.0 - ratio,
            interval: Interval(1.0 - high, 1.0 - low),
        })
    }

    /// Whether it can be that of samples with these labels.
    fn is_possible(&self, confusion: &Confusion) -> bool {
        let Interval(low, high) = self.interval;
        confusion.share().and_then(|share| sums::loss_of(share, confusion)) == Some(self.log_loss_of_share)
            && low <= self.skill
            && self.skill <= high
            && high <= 1.0
    }
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
    /// Its 95 % interval, for the figures that have one: all but the calibration error.
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

/// How many figures there are.
const FIGURES: usize = 10;

/// The names of the figures, in the order in which they are printed.
const NAMES: [&str; FIGURES] = [
    "precision",
    "recall",
    "accuracy",
    "f1",
    "ece",
    "roc_auc",
    "average_precision",
    "brier",
    "log_loss",
    "false_alarm_rate",
];

/// The place of the calibration error among them.
const ECE: usize = 4;
/// The place of the log loss among them.
const LOG_LOSS: usize = 8;
/// The places of those that judge probabilities: the calibration error, the Brier score and the log loss.
const OF_PROBABILITIES: [usize; 3] = [ECE, 7, LOG_LOSS];

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
    /// Share of the normal samples that are reported, 0..1.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub false_alarm_rate: Option<f64>,
    /// Decisions against labels at the threshold.
    pub confusion: Confusion,
    /// What samples are taken together for the intervals.
    pub unit: Unit,
    /// How many of these there are.
    pub groups: u64,
    /// The 95 % interval of each figure but the calibration error, for other groups of the same kind, see [`Interval`].
    #[cfg_attr(feature = "schema", schemars(extend("propertyNames" = { "enum": NAMES })))]
    #[serde(deserialize_with = "bounded_map")]
    pub intervals: BTreeMap<String, Interval>,
    /// As how many groups of equal weight those behind each interval are good.
    #[cfg_attr(feature = "schema", schemars(extend("propertyNames" = { "enum": NAMES })))]
    #[serde(deserialize_with = "bounded_map")]
    pub effective_groups: BTreeMap<String, f64>,
    /// How precision, recall, accuracy and share of false alarms vary over groups; empty for sequences, which are not groups one
    /// could look at one by one.
    #[cfg_attr(feature = "schema", schemars(extend("propertyNames" = { "enum": spread::SPREAD })))]
    #[serde(deserialize_with = "bounded_map")]
    pub spread: BTreeMap<String, Spread>,
    /// What the calibration error is at most on other groups, with a certainty of 97.5 %. It has no lower end, as chance can only
    /// raise it.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub ece_at_most: Option<f64>,
    /// What it would be by chance alone if scores meant exactly what they say.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub ece_by_chance: Option<f64>,
    /// How much better the scores are than knowing nothing but the share of anomalous samples; missing without both classes.
    pub skill: Option<Skill>,
    /// The threshold at which decisions were taken.
    pub threshold: OpenUnitInterval,
    /// Number of equal-width bins of the calibration error; null if scores are no probabilities, so that there is none.
    pub ece_bins: Option<Bins>,
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
    /// Computes all figures from scores and labels. `unit` says what the groups of the samples are. Without `ece_bins` scores are
    /// taken for what they are of a normal-only model, no probabilities, so that the figures which judge probabilities are undefined.
    #[must_use]
    pub fn compute(scored: &[Scored], unit: Unit, threshold: OpenUnitInterval, ece_bins: Option<Bins>) -> Self {
        let ranked = ranking::ranked(scored);
        let bins = ece_bins.unwrap_or(Bins::literal(1));
        let sums = Sums::of(&ranked, threshold.get(), bins);
        let figures = |sums: &Sums, areas: Areas| {
            let mut figures = sums.figures(areas);
            if ece_bins.is_none() {
                OF_PROBABILITIES.iter().for_each(|&place| figures[place] = None);
            }
            figures
        };
        let values = figures(&sums, Areas::of(&ranked));
        let left = LeaveOneOut::of(&sums, &ranked, threshold.get(), bins);
        let without: Vec<[Option<f64>; FIGURES]> =
            left.without.iter().map(|(sums, areas)| figures(sums, *areas)).collect();
        let shares = as_shares(&sums.confusion, &values);
        let uncertainties: [Option<Uncertainty>; FIGURES] = std::array::from_fn(|place| {
            let figures: Vec<Option<f64>> = without.iter().map(|figures| figures[place]).collect();
            let scale = if place == LOG_LOSS {
                Scale::Logarithm
            } else {
                Scale::LogOdds
            };
            let mut uncertainty = jackknife(values[place]?, &figures, scale);
            if let Some((part, whole)) = shares[place] {
                uncertainty.interval = uncertainty.interval.union(wilson(part, whole));
            }
            Some(uncertainty)
        });
        let by_name = || {
            let all = NAMES.iter().zip(uncertainties).filter(|&(&name, _)| name != NAMES[ECE]);
            all.filter_map(|(name, uncertainty)| Some((name.to_string(), uncertainty?)))
        };
        let [
            precision,
            recall,
            accuracy,
            f1,
            ece,
            roc_auc,
            average_precision,
            brier,
            log_loss,
            false_alarm_rate,
        ] = values;
        let metrics = Self {
            precision,
            recall,
            accuracy,
            f1,
            ece,
            roc_auc,
            average_precision,
            brier,
            log_loss,
            false_alarm_rate,
            confusion: sums.confusion,
            unit,
            groups: left.groups,
            intervals: by_name()
                .map(|(name, uncertainty)| (name, uncertainty.interval))
                .collect(),
            effective_groups: by_name()
                .map(|(name, uncertainty)| (name, uncertainty.effective_groups))
                .collect(),
            spread: match unit {
                Unit::Group => spread::spreads(&ranked, threshold.get()),
                Unit::Sequence => BTreeMap::new(),
            },
            ece_at_most: uncertainties[ECE].map(|uncertainty| uncertainty.interval.1),
            ece_by_chance: ece_bins.and_then(|bins| calibration::chance_level(&ranked, bins)),
            skill: ece_bins.and_then(|_| Skill::of(&sums, &left.without)),
            threshold,
            ece_bins,
            samples: sums.confusion.samples(),
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
                let reason = if self.ece_bins.is_none() && OF_PROBABILITIES.iter().any(|&place| NAMES[place] == name) {
                    "the score of a normal-only model is no probability of an anomaly"
                } else if name == "precision" && self.samples > 0 {
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
        let is_share = |value: f64| (0.0..=1.0).contains(&value);
        let in_range =
            |name: &str, value: f64| is_share(value) || name == NAMES[LOG_LOSS] && (0.0..MAX_LOSS).contains(&value);
        let is_interval = |(name, &Interval(low, high)): (&String, &Interval)| {
            low <= high && in_range(name, low) && (in_range(name, high) || high == MAX_LOSS)
        };
        let is_name = |name: &&String| NAMES.contains(&name.as_str()) && *name != NAMES[ECE];
        let defined = || {
            self.named()
                .into_iter()
                .filter(|(name, value)| value.is_some() && *name != NAMES[ECE])
                .count()
        };
        samples <= u128::from(MAX_SAMPLES)
            && confusion.samples() == self.samples
            && (confusion.precision(), confusion.recall()) == (self.precision, self.recall)
            && (confusion.accuracy(), confusion.f1()) == (self.accuracy, self.f1)
            && confusion.false_alarm_rate() == self.false_alarm_rate
            && self
                .named()
                .into_iter()
                .all(|(name, value)| value.is_none_or(|value| in_range(name, value)))
            && self.undefined == self.why_undefined()
            && self.groups <= self.samples
            && self
                .spread
                .iter()
                .all(|(name, spread)| spread::SPREAD.contains(&name.as_str()) && spread.is_possible())
            && self.intervals.keys().eq(self.effective_groups.keys())
            && self.intervals.keys().all(|name| is_name(&name))
            && self.intervals.len() == defined()
            && self.intervals.iter().all(is_interval)
            && self
                .effective_groups
                .values()
                .all(|&groups| (1.0..=self.samples as f64).contains(&groups))
            && [self.ece_at_most, self.ece_by_chance]
                .iter()
                .all(|ece| ece.is_some() == self.ece.is_some() && ece.is_none_or(is_share))
            && self.skill.is_some() == confusion.share().filter(|_| self.ece_bins.is_some()).is_some()
            && self.skill.is_none_or(|skill| skill.is_possible(confusion))
            && self
                .unseen
                .as_ref()
                .is_none_or(|unseen| unseen.unseen.is_none() && unseen.is_consistent())
    }

    /// The figures as they are told to people, in the order in which they are printed.
    #[must_use]
    pub fn figures(&self) -> [Figure<'_>; FIGURES] {
        self.named().map(|(name, value)| Figure {
            name,
            value,
            why_undefined: self.undefined.get(name).map_or("", String::as_str),
            interval: self.intervals.get(name).copied(),
        })
    }

    /// The figures by name, in the order in which they are printed.
    #[must_use]
    pub fn named(&self) -> [(&'static str, Option<f64>); FIGURES] {
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
            self.false_alarm_rate,
        ];
        std::array::from_fn(|index| (NAMES[index], values[index]))
    }
}

/// Each figure as the share of something that was seen among so many draws, if it is one or near to one. Figures at or near 0 or 1
/// hardly change with a group left out, and yet are not sure: their intervals hold at least that of such a share.
fn as_shares(confusion: &Confusion, values: &[Option<f64>; FIGURES]) -> [Option<(f64, f64)>; FIGURES] {
    let Confusion { tp, fp, fn_, tn } = *confusion;
    let [tp, fp, fn_, tn] = [tp, fp, fn_, tn].map(|count| count as f64);
    let draws = [
        tp + fp,
        tp + fn_,
        tp + fp + fn_ + tn,
        // F1 is tp / (tp + (fp + fn) / 2).
        tp + (fp + fn_) / 2.0,
        0.0,
        (tp + fn_).min(fp + tn),
        tp + fn_,
        0.0,
        0.0,
        fp + tn,
    ];
    std::array::from_fn(|place| {
        let value = values[place].filter(|_| draws[place] > 0.0)?;
        Some((value * draws[place], draws[place]))
    })
}
