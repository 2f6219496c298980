//! The promotion gate: whether a model is good enough to be used. It knows only figures, nothing of the model.

use crate::bounds::UnitInterval;
use crate::evaluate::metrics::{Comparison, Interval, Metrics, Skill};
use crate::text::name;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Fewest samples of either class on which a verdict means anything.
pub const MIN_SAMPLES: u64 = 20;

/// What a model must reach to be promoted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// Highest expected calibration error; `None` if it does not matter.
    pub max_ece: Option<UnitInterval>,
    /// Lowest accuracy; `None` if it does not matter.
    pub min_accuracy: Option<UnitInterval>,
    /// Lowest recall; `None` if it does not matter.
    pub min_recall: Option<UnitInterval>,
    /// Lowest precision; `None` if it does not matter.
    pub min_precision: Option<UnitInterval>,
    /// Highest share of normal samples that are reported; `None` if it does not matter.
    pub max_false_alarms: Option<UnitInterval>,
    /// Lowest average precision; `None` if it does not matter.
    pub min_average_precision: Option<UnitInterval>,
    /// By how much, in nats, the log loss may be higher than the champion's.
    pub max_regression: UnitInterval,
}

impl Gate {
    /// That of a normal-only model which promises this share of false alarms: it is refused if the promise is surely broken.
    #[must_use]
    pub fn of_promise(promise: UnitInterval, max_regression: UnitInterval) -> Self {
        Self {
            max_ece: None,
            min_accuracy: None,
            min_recall: None,
            min_precision: None,
            max_false_alarms: Some(promise),
            min_average_precision: None,
            max_regression,
        }
    }
}

impl Default for Gate {
    /// A calibration error of at most 0.08, an accuracy of at least 0.85, and a log loss that is not clearly (0.01) higher than the champion's.
    fn default() -> Self {
        const {
            Self {
                max_ece: Some(UnitInterval::literal(0.08)),
                min_accuracy: Some(UnitInterval::literal(0.85)),
                min_recall: None,
                min_precision: None,
                max_false_alarms: None,
                min_average_precision: None,
                max_regression: UnitInterval::literal(0.01),
            }
        }
    }
}

/// What is held against the bounds of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// The figures as they are.
    Figure,
    /// The end of their intervals that speaks against the model, so that what passes holds for other groups as well.
    UnfavourableEnd,
    /// The end of their intervals that speaks for the model, so that it is refused only if it surely fails. There are no anomalous
    /// samples that could be asked for.
    FavourableEnd,
}

/// A figure, and what it has to be.
#[derive(Debug, Clone, Copy)]
pub struct Bound {
    /// The code of the reason if it is not.
    pub code: ReasonCode,
    /// What it is called.
    pub name: &'static str,
    /// What was measured.
    pub value: Option<f64>,
    /// Its 95 % interval. That of the calibration error begins at 0.
    pub interval: Option<Interval>,
    /// What it has to be.
    pub limit: UnitInterval,
    /// Whether that is the most it may be, and not the least.
    pub is_highest: bool,
}

impl Bound {
    /// Its name at the beginning of a line.
    #[must_use]
    pub fn title(&self) -> String {
        let (first, rest) = self.name.split_at(1);
        first.to_uppercase() + rest
    }

    /// Why it is not kept, if so. Unrounded values are compared; a figure that is not defined never passes.
    fn broken(&self, judged: Judged) -> Option<Reason> {
        let (name, limit) = (self.name, self.limit.get());
        let keeps = |value: f64| {
            if self.is_highest {
                value <= limit
            } else {
                value >= limit
            }
        };
        let beyond = if self.is_highest { "above" } else { "below" };
        let text = match (self.value, self.interval) {
            (None, _) => format!("{name} is undefined"),
            (Some(_), Some(Interval(low, high))) if judged == Judged::FavourableEnd => {
                if keeps(if self.is_highest { low } else { high }) {
                    return None;
                }
                let sense = if self.is_highest { "at most " } else { "" };
                format!(
                    "{name} surely between {low:.4} and {high:.4}, {sense}{} promised",
                    self.limit
                )
            }
            (Some(value), _) if !keeps(value) => format!("{name} {} is {beyond} {}", beside(value, limit), self.limit),
            (Some(_), Some(Interval(low, high))) if judged == Judged::UnfavourableEnd => {
                let end = if self.is_highest { high } else { low };
                if keeps(end) {
                    return None;
                }
                let sense = if self.is_highest { "at most " } else { "" };
                match self.code {
                    ReasonCode::Ece => format!(
                        "{name} may be {} on other groups, {sense}{} asked",
                        beside(end, limit),
                        self.limit
                    ),
                    _ => format!("{name} between {low:.4} and {high:.4}, {sense}{} asked", self.limit),
                }
            }
            (Some(_), _) => return None,
        };
        Some(Reason::new(self.code, text))
    }
}

/// What the bound asks for.
impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.is_highest { "<=" } else { ">=" };
        write!(f, "{} {sign} {}", self.title(), self.limit)
    }
}

/// A figure with four digits, or with all of them if four make it look like what it is compared with.
fn beside(value: f64, limit: f64) -> String {
    let short = format!("{value:.4}");
    if short.parse() == Ok(limit) {
        value.to_string()
    } else {
        short
    }
}

/// The figures that the gate and the record of promotions speak of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct KeyMetrics {
    /// How many samples were judged.
    pub samples: u64,
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
    /// Expected calibration error, 0..1.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub ece: Option<f64>,
    /// Log loss, in nats.
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 0, "exclusiveMaximum" = 40)))]
    pub log_loss: Option<f64>,
    /// Share of the normal samples that are reported, 0..1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "f64", range(min = 0, max = 1)))]
    pub false_alarm_rate: Option<f64>,
}

impl KeyMetrics {
    /// Whether all of them lie in their ranges.
    #[cfg(feature = "registry")]
    pub(crate) fn are_possible(&self) -> bool {
        let figures = [
            self.precision,
            self.recall,
            self.accuracy,
            self.f1,
            self.ece,
            self.false_alarm_rate,
        ];
        figures
            .into_iter()
            .flatten()
            .all(|figure| (0.0..=1.0).contains(&figure))
            && self
                .log_loss
                .is_none_or(|loss| (0.0..crate::evaluate::metrics::MAX_LOSS).contains(&loss))
    }
}

impl From<&Metrics> for KeyMetrics {
    fn from(metrics: &Metrics) -> Self {
        Self {
            samples: metrics.samples,
            precision: metrics.precision,
            recall: metrics.recall,
            accuracy: metrics.accuracy,
            f1: metrics.f1,
            ece: metrics.ece,
            log_loss: metrics.log_loss,
            false_alarm_rate: metrics.false_alarm_rate,
        }
    }
}

/// The promoted model that a new one has to stand beside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Champion {
    /// Where it stands in the models directory.
    pub model: String,
    /// Its digest.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = "^[0-9a-f]{64}$")))]
    pub digest: String,
    /// How many of the samples that the new model was judged on either of the two was trained on: it would have the advantage
    /// there, so these are left out.
    pub overlap: u64,
    /// Its figures on the others, at its own threshold.
    pub figures: KeyMetrics,
    /// What the two are compared by; missing with fewer than [`MIN_SAMPLES`] others of either class.
    pub comparison: Option<Comparison>,
}

/// What kind of thing speaks against a model. Programs depend on these names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReasonCode {
    /// The calibration error is too high or undefined.
    Ece,
    /// The accuracy is too low or undefined.
    Accuracy,
    /// The recall is too low or undefined.
    MinRecall,
    /// The precision is too low or undefined.
    MinPrecision,
    /// Too many normal samples are reported, or it is undefined how many.
    MaxFalseAlarms,
    /// The average precision is too low or undefined.
    MinAveragePrecision,
    /// There is not enough to judge by.
    TooFew,
    /// Scores may well be worth no more than one score for all samples.
    NoBetterThanNothing,
    /// The current model is better, or cannot be compared with.
    Champion,
}

/// One thing that speaks against a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// For programs.
    pub code: ReasonCode,
    /// For people.
    pub text: String,
}

impl Reason {
    /// A reason of this kind, in words.
    #[must_use]
    pub fn new(code: ReasonCode, text: impl Into<String>) -> Self {
        Self {
            code,
            text: text.into(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What the gate decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// Whether the model may be used.
    pub promoted: bool,
    /// Everything that speaks against it; empty if it is promoted.
    pub reasons: Vec<Reason>,
}

impl Gate {
    /// The bounds of this gate, with the figures that they hold against.
    #[must_use]
    pub fn bounds(&self, metrics: &Metrics) -> Vec<Bound> {
        use ReasonCode::{Accuracy, Ece, MaxFalseAlarms, MinAveragePrecision, MinPrecision, MinRecall};
        let interval = |name: &str| metrics.intervals.get(name).copied();
        let ece = self.max_ece.map(|limit| Bound {
            code: Ece,
            name: "ECE",
            value: metrics.ece,
            interval: metrics.ece_at_most.map(|most| Interval(0.0, most)),
            limit,
            is_highest: true,
        });
        let lowest = |code, name, figure: &str, value, limit: Option<UnitInterval>| {
            Some(Bound {
                code,
                name,
                value,
                interval: interval(figure),
                limit: limit?,
                is_highest: false,
            })
        };
        let false_alarms = self.max_false_alarms.map(|limit| Bound {
            code: MaxFalseAlarms,
            name: "share of false alarms",
            value: metrics.false_alarm_rate,
            interval: interval("false_alarm_rate"),
            limit,
            is_highest: true,
        });
        [
            ece,
            lowest(Accuracy, "accuracy", "accuracy", metrics.accuracy, self.min_accuracy),
            lowest(MinRecall, "recall", "recall", metrics.recall, self.min_recall),
            lowest(
                MinPrecision,
                "precision",
                "precision",
                metrics.precision,
                self.min_precision,
            ),
            false_alarms,
            lowest(
                MinAveragePrecision,
                "average precision",
                "average_precision",
                metrics.average_precision,
                self.min_average_precision,
            ),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Judges the figures.
    ///
    /// Besides keeping its bounds a model must have been judged on [`MIN_SAMPLES`] samples of either class, and its scores must be
    /// better than knowing nothing but the share of anomalous samples: the whole interval of their [`skill`](Metrics::skill) above 0.
    /// Otherwise reaching the bounds proves nothing. A normal-only model is asked for normal samples alone, and nothing is known of its
    /// skill. With a champion, its log loss must not be clearly higher than the champion's
    /// where neither has an advantage; with too few samples to tell, that is no reason against it.
    #[must_use]
    pub fn judge(&self, metrics: &Metrics, judged: Judged, champion: Option<&Champion>) -> Verdict {
        let mut reasons = Vec::new();
        let confusion = &metrics.confusion;
        let classes = [(confusion.normal(), "normal"), (confusion.anomalous(), "anomalous")];
        let wanted = if judged == Judged::FavourableEnd { 1 } else { 2 };
        for (count, what) in classes.into_iter().take(wanted) {
            if count < MIN_SAMPLES {
                let plural = if count == 1 { "" } else { "s" };
                let text = format!("not judged: {count} {what} sample{plural}, need {MIN_SAMPLES}");
                reasons.push(Reason::new(ReasonCode::TooFew, text));
            }
        }
        reasons.extend(self.bounds(metrics).iter().filter_map(|bound| bound.broken(judged)));
        if let Some(Skill {
            log_loss_of_share,
            skill,
            interval: Interval(low, high),
        }) = metrics.skill
            // Sums are not exact; a billionth is nothing.
            && low <= 1e-9
        {
            let text = if metrics.groups < 2 {
                "nothing tells whether the scores are better than one score for all samples: these are of one group"
                    .to_owned()
            } else {
                format!(
                    "the scores are not surely better than one score for all samples, whose log loss is {log_loss_of_share:.4}: \
                     they do away with {:.1} % of it, between {:.1} and {:.1} %",
                    100.0 * skill,
                    100.0 * low,
                    100.0 * high
                )
            };
            reasons.push(Reason::new(ReasonCode::NoBetterThanNothing, text));
        }
        reasons.extend(champion.and_then(|champion| self.regression(champion)));
        Verdict {
            promoted: reasons.is_empty(),
            reasons,
        }
    }

    /// Whether the champion is clearly better.
    fn regression(&self, champion: &Champion) -> Option<Reason> {
        let Comparison {
            higher,
            interval: Interval(low, high),
            samples,
            ..
        } = champion.comparison?;
        (low > self.max_regression.get()).then(|| {
            let text = format!(
                "log loss is higher than that of {} by {higher:.4}, between {low:.4} and {high:.4}, on the {samples} samples that are \
                 new to both; {} is allowed",
                name(&champion.model),
                self.max_regression
            );
            Reason::new(ReasonCode::Champion, text)
        })
    }
}

impl Verdict {
    /// The verdict with one more thing that speaks against promotion.
    #[must_use]
    pub fn with_reason(mut self, reason: Reason) -> Self {
        self.promoted = false;
        self.reasons.push(reason);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::label::Label::{Anomalous, Normal};
    use crate::data::scored::one;
    use crate::data::unit::Unit;
    use crate::evaluate::metrics::Scored;

    const GATE: fn(f64, f64) -> Gate = |max_ece, min_accuracy| Gate {
        max_ece: Some(max_ece.try_into().unwrap()),
        min_accuracy: Some(min_accuracy.try_into().unwrap()),
        ..Gate::default()
    };

    fn metrics(scored: &[Scored]) -> Metrics {
        Metrics::compute(
            scored,
            Unit::Sequence,
            0.3.try_into().unwrap(),
            Some(10.try_into().unwrap()),
        )
    }

    fn judge(gate: Gate, scored: &[Scored]) -> Verdict {
        gate.judge(&metrics(scored), Judged::Figure, None)
    }

    fn codes(verdict: &Verdict) -> Vec<ReasonCode> {
        verdict.reasons.iter().map(|reason| reason.code).collect()
    }

    /// `right` samples of each class that are scored rightly, then `wrong` normal ones scored as anomalous.
    fn scored(right: usize, wrong: usize) -> Vec<Scored> {
        let mut scored = vec![one(0.1, Normal); right];
        scored.extend(vec![one(0.9, Anomalous); right]);
        scored.extend(vec![one(0.9, Normal); wrong]);
        scored
    }

    #[test]
    fn limits_are_compared_unrounded_and_reaching_them_passes() {
        // 85 of 100 right: accuracy exactly 0.85. The gaps of the two bins are 4 and 14 of 100.
        let mut edge = scored(40, 15);
        edge.extend([one(0.1, Normal); 5]);
        let ece = metrics(&edge).ece.unwrap();
        assert!((ece - 0.14).abs() < 1e-9, "{ece}");
        assert!(judge(GATE(ece, 0.85), &edge).promoted);
        assert_eq!(codes(&judge(GATE(ece - 1e-9, 0.85), &edge)), [ReasonCode::Ece]);
        let refused = judge(GATE(ece, 0.850_000_001), &edge);
        assert_eq!(refused.reasons[0].text, "accuracy 0.8500 is below 0.850000001");
    }

    #[test]
    fn too_few_samples_of_either_class_are_never_judged_good() {
        let few = |normal, anomalous| {
            let mut scored = vec![one(0.01, Normal); normal];
            scored.extend(vec![one(0.99, Anomalous); anomalous]);
            let reasons = judge(GATE(1.0, 0.0), &scored).reasons.into_iter();
            reasons
                .filter(|reason| reason.code == ReasonCode::TooFew)
                .collect::<Vec<_>>()
        };
        let reason = |text: &str| Reason::new(ReasonCode::TooFew, text);
        assert_eq!(few(20, 20), []);
        assert_eq!(few(197, 3), [reason("not judged: 3 anomalous samples, need 20")]);
        assert_eq!(few(19, 20), [reason("not judged: 19 normal samples, need 20")]);
        assert_eq!(few(20, 1)[0], reason("not judged: 1 anomalous sample, need 20"));
        assert!(!judge(GATE(1.0, 0.0), &[]).promoted);
    }

    #[test]
    fn one_score_for_all_samples_is_not_good_enough() {
        let mut all_alike = vec![one(0.1, Normal); 900];
        all_alike.extend(vec![one(0.1, Anomalous); 100]);
        let verdict = judge(GATE(0.08, 0.85), &all_alike);
        assert_eq!(codes(&verdict), [ReasonCode::NoBetterThanNothing]);
    }

    #[test]
    fn a_detector_that_is_less_accurate_than_silence_can_be_promoted_by_its_recall() {
        // Of 1,000 samples 20 are anomalous, and 30 normal ones score as high as they do.
        let mut rare = vec![one(0.001, Normal); 950];
        rare.extend([one(0.4, Normal); 30]);
        rare.extend([one(0.4, Anomalous); 20]);
        let gate = Gate {
            min_accuracy: None,
            min_recall: Some(0.8.try_into().unwrap()),
            ..Gate::default()
        };
        assert_eq!(codes(&judge(gate, &rare)), []);
        let strict = Gate {
            min_precision: Some(0.5.try_into().unwrap()),
            ..gate
        };
        assert_eq!(codes(&judge(strict, &rare)), [ReasonCode::MinPrecision]);
        let quiet = Gate {
            max_false_alarms: Some(0.03.try_into().unwrap()),
            ..gate
        };
        let refused = judge(quiet, &rare);
        assert_eq!(refused.reasons[0].code, ReasonCode::MaxFalseAlarms);
        assert_eq!(refused.reasons[0].text, "share of false alarms 0.0306 is above 0.03");
        let ranked = Gate {
            min_average_precision: Some(0.41.try_into().unwrap()),
            ..gate
        };
        assert_eq!(codes(&judge(ranked, &rare)), [ReasonCode::MinAveragePrecision]);
    }

    #[test]
    fn what_is_in_doubt_is_refused_at_the_unfavourable_end() {
        // 90 of 100 right; Wilson alone leaves .83 open.
        let nearly = scored(45, 10);
        let metrics = metrics(&nearly);
        let Interval(low, high) = metrics.intervals["accuracy"];
        assert!(low < 0.85 && 0.9 < high, "{low} {high}");
        let gate = GATE(0.5, 0.85);
        assert!(gate.judge(&metrics, Judged::Figure, None).promoted);
        let verdict = gate.judge(&metrics, Judged::UnfavourableEnd, None);
        let expected = format!("accuracy between {low:.4} and {high:.4}, 0.85 asked");
        assert_eq!(verdict.reasons, [Reason::new(ReasonCode::Accuracy, expected)]);
    }

    #[test]
    fn every_reason_is_listed() {
        let wrong = vec![one(1.0, Normal); 5];
        use ReasonCode::{Accuracy, Ece, TooFew};
        let codes = codes(&judge(GATE(0.08, 0.85), &wrong));
        assert_eq!(codes, [TooFew, TooFew, Ece, Accuracy]);
    }

    #[test]
    fn only_a_champion_that_is_surely_better_refuses() {
        let ours = scored(50, 4);
        let metrics = metrics(&ours);
        let beside = |theirs: &[Scored], max_regression: f64| {
            let champion = Champion {
                model: "current/m.json".to_owned(),
                digest: String::new(),
                figures: KeyMetrics::from(&metrics),
                overlap: 0,
                comparison: Comparison::of(&ours, theirs),
            };
            let gate = Gate {
                max_regression: max_regression.try_into().unwrap(),
                ..GATE(1.0, 0.5)
            };
            gate.judge(&metrics, Judged::Figure, Some(&champion)).reasons
        };
        assert_eq!(beside(&ours, 0.0), []);
        let with_score = |of: &dyn Fn(f64, bool) -> f64| -> Vec<Scored> {
            let score = |s: &Scored| of(s.score.get(), s.label == Anomalous);
            ours.iter().map(|s| one(score(s), s.label)).collect()
        };
        assert_eq!(beside(&with_score(&|_, _| 0.5), 0.0), []);
        let better = with_score(&|score, anomalous| if anomalous || score < 0.5 { score } else { 0.1 });
        // ln 9 for four of 104 samples, which may be chance; for all of them it cannot be.
        assert_eq!(beside(&better, 0.0), []);
        let perfect = with_score(&|_, anomalous| if anomalous { 0.999 } else { 0.001 });
        let reasons = beside(&perfect, 0.0);
        assert_eq!(reasons[0].code, ReasonCode::Champion);
        assert!(reasons[0].text.contains("current/m.json"), "{reasons:?}");
        assert_eq!(beside(&perfect, 0.5), []);
    }
}
