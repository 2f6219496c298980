//! The promotion gate: whether a model is good enough to be used. It knows only figures, nothing of the model.

use crate::bounds::UnitInterval;
use crate::evaluate::metrics::Metrics;
use crate::text::name;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Fewest validation samples on which a verdict means anything.
pub const MIN_SAMPLES: u64 = 20;

/// What a model must reach to be promoted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// Highest expected calibration error.
    pub max_ece: UnitInterval,
    /// Lowest accuracy.
    pub min_accuracy: UnitInterval,
    /// How much worse than those of the champion accuracy, F1 and calibration error may be.
    pub max_regression: UnitInterval,
}

impl Default for Gate {
    /// A calibration error of at most 0.08, an accuracy of at least 0.85, and neither clearly (0.02) worse than the champion.
    fn default() -> Self {
        const {
            Self {
                max_ece: UnitInterval::literal(0.08),
                min_accuracy: UnitInterval::literal(0.85),
                max_regression: UnitInterval::literal(0.02),
            }
        }
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
}

impl KeyMetrics {
    /// Whether all of them lie in their ranges.
    #[cfg(feature = "registry")]
    pub(crate) fn are_possible(&self) -> bool {
        let figures = [self.precision, self.recall, self.accuracy, self.f1, self.ece];
        figures
            .into_iter()
            .flatten()
            .all(|figure| (0.0..=1.0).contains(&figure))
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
        }
    }
}

/// The promoted model that a new one has to stand beside, judged on the same samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Champion {
    /// Where it stands in the models directory.
    pub model: String,
    /// Its digest.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = "^[0-9a-f]{64}$")))]
    pub digest: String,
    /// Its figures on these samples.
    pub figures: KeyMetrics,
    /// How many of these samples have a sequence that it was trained on, which flatters it.
    pub overlap: u64,
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
    /// There is not enough to judge by.
    TooFew,
    /// Always guessing the commoner class would do as well.
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
    /// Judges the figures. Unrounded values are compared; a figure that is not defined never passes.
    ///
    /// Besides its two limits the gate asks for [`MIN_SAMPLES`] validation samples, for both classes among them, and for
    /// an accuracy above that of always guessing the commoner class: otherwise reaching the limits proves nothing. With a
    /// champion the figures must also not be clearly worse than the champion's.
    #[must_use]
    pub fn judge(&self, metrics: &Metrics, champion: Option<&Champion>) -> Verdict {
        use ReasonCode::{Accuracy, Ece, NoBetterThanNothing, TooFew};
        let mut reasons = Vec::new();
        let confusion = &metrics.confusion;
        if metrics.samples < MIN_SAMPLES {
            let plural = if metrics.samples == 1 { "" } else { "s" };
            reasons.push(Reason::new(
                TooFew,
                format!(
                    "not judged: {} validation sample{plural}, need {MIN_SAMPLES}",
                    metrics.samples
                ),
            ));
        }
        if metrics.samples > 0 && (confusion.anomalous() == 0 || confusion.normal() == 0) {
            let missing = if confusion.anomalous() == 0 {
                "anomalous"
            } else {
                "normal"
            };
            reasons.push(Reason::new(
                TooFew,
                format!("not judged: no {missing} sample in the validation part"),
            ));
        }
        match metrics.ece {
            Some(ece) if ece <= self.max_ece.get() => {}
            Some(ece) => reasons.push(Reason::new(Ece, format!("ECE {ece} is above {}", self.max_ece))),
            None => reasons.push(Reason::new(Ece, "ECE is undefined")),
        }
        match metrics.accuracy {
            Some(accuracy) if accuracy >= self.min_accuracy.get() => {}
            Some(accuracy) => {
                reasons.push(Reason::new(
                    Accuracy,
                    format!("accuracy {accuracy} is below {}", self.min_accuracy),
                ));
            }
            None => reasons.push(Reason::new(Accuracy, "accuracy is undefined")),
        }
        if let (Some(accuracy), Some(majority)) = (metrics.accuracy, confusion.majority_accuracy())
            && accuracy <= majority
        {
            reasons.push(Reason::new(
                NoBetterThanNothing,
                format!("accuracy {accuracy} is not above {majority}, that of always guessing the commoner class"),
            ));
        }
        if let Some(champion) = champion {
            reasons.extend(self.regressions(&KeyMetrics::from(metrics), champion));
        }
        Verdict {
            promoted: reasons.is_empty(),
            reasons,
        }
    }

    /// The figures that are clearly worse than those of the champion. One that the champion does not have cannot be.
    fn regressions(&self, figures: &KeyMetrics, champion: &Champion) -> Vec<Reason> {
        let theirs = &champion.figures;
        // The change for the worse: accuracy and F1 fall, the calibration error rises.
        let accuracy = (figures.accuracy, theirs.accuracy, -1.0);
        let f1 = (figures.f1, theirs.f1, -1.0);
        let ece = (figures.ece, theirs.ece, 1.0);
        [("accuracy", accuracy), ("F1", f1), ("ECE", ece)]
            .into_iter()
            .filter_map(|(what, (ours, theirs, worse))| {
                let theirs = theirs?;
                // Differences of shares are not exact; a billionth is not clearly worse.
                let within = |ours: f64| worse * (ours - theirs) <= self.max_regression.get() + 1e-9;
                (!ours.is_some_and(within)).then(|| {
                    let ours = ours.map_or_else(|| "undefined".to_owned(), |ours| ours.to_string());
                    let text = format!(
                        "{what} {ours} is worse than {theirs} of {} by more than {}",
                        name(&champion.model),
                        self.max_regression
                    );
                    Reason::new(ReasonCode::Champion, text)
                })
            })
            .collect()
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
    use crate::evaluate::metrics::Scored;

    const GATE: fn(f64, f64) -> Gate = |max_ece, min_accuracy| Gate {
        max_ece: max_ece.try_into().unwrap(),
        min_accuracy: min_accuracy.try_into().unwrap(),
        max_regression: 0.02.try_into().unwrap(),
    };

    fn metrics(scored: &[Scored]) -> Metrics {
        Metrics::compute(scored, 0.3.try_into().unwrap(), 10.try_into().unwrap())
    }

    fn judge(gate: Gate, scored: &[Scored]) -> Verdict {
        gate.judge(&metrics(scored), None)
    }

    /// `right` samples of each class that are scored rightly and surely, then `wrong` normal ones scored as anomalous.
    fn scored(right: usize, wrong: usize) -> Vec<Scored> {
        let mut scored = vec![one(0.0, Normal); right];
        scored.extend(vec![one(1.0, Anomalous); right]);
        scored.extend(vec![one(1.0, Normal); wrong]);
        scored
    }

    #[test]
    fn limits_are_compared_unrounded_and_reaching_them_passes() {
        // 17 of 20 right: accuracy exactly 0.85, ECE exactly 0.15.
        let mut edge = scored(8, 3);
        edge.push(one(0.0, Normal));
        assert!(judge(GATE(0.15, 0.85), &edge).promoted);
        assert!(!judge(GATE(0.149_999_999, 0.85), &edge).promoted);
        assert!(!judge(GATE(0.15, 0.850_000_001), &edge).promoted);
    }

    #[test]
    fn too_few_samples_are_never_judged_good() {
        let verdict = judge(GATE(1.0, 0.0), &scored(9, 1));
        assert_eq!(
            verdict.reasons,
            [Reason::new(
                ReasonCode::TooFew,
                "not judged: 19 validation samples, need 20"
            )]
        );
        assert!(judge(GATE(1.0, 0.0), &scored(10, 0)).promoted);
        assert!(!judge(GATE(1.0, 0.0), &[]).promoted);
    }

    #[test]
    fn always_guessing_the_commoner_class_is_not_good_enough() {
        let mut all_normal = vec![one(0.1, Normal); 90];
        all_normal.extend(vec![one(0.1, Anomalous); 10]);
        let verdict = judge(GATE(0.08, 0.85), &all_normal);
        assert!(verdict.reasons[0].text.contains("commoner class"), "{verdict:?}");
    }

    #[test]
    fn one_class_alone_is_never_judged_good() {
        let verdict = judge(GATE(1.0, 0.0), &vec![one(0.0, Normal); 50]);
        assert!(verdict.reasons[0].text.contains("no anomalous sample"), "{verdict:?}");
    }

    #[test]
    fn every_reason_is_listed() {
        let wrong = vec![one(1.0, Normal); 5];
        assert_eq!(judge(GATE(0.08, 0.85), &wrong).reasons.len(), 5);
    }

    #[test]
    fn clearly_worse_than_the_champion_is_refused_figure_by_figure() {
        let ours = metrics(&scored(50, 4));
        type Change<'a> = dyn Fn(&mut KeyMetrics) + 'a;
        let champion = |change: &Change| {
            let mut figures = KeyMetrics::from(&ours);
            change(&mut figures);
            Champion {
                model: "current/m.json".to_owned(),
                digest: String::new(),
                figures,
                overlap: 0,
            }
        };
        let more = |value: &mut Option<f64>, by: f64| *value = value.map(|value| value + by);
        let reasons = |change: &Change| GATE(1.0, 0.5).judge(&ours, Some(&champion(change))).reasons;
        assert!(reasons(&|_| ()).is_empty());
        assert!(reasons(&|f| more(&mut f.accuracy, 0.0199)).is_empty());
        assert!(reasons(&|f| more(&mut f.f1, -0.5)).is_empty());
        assert!(reasons(&|f| more(&mut f.ece, 0.5)).is_empty());
        assert!(reasons(&|f| f.ece = None).is_empty());
        let worse: [(&Change, &str); 3] = [
            (&|f| more(&mut f.accuracy, 0.0201), "accuracy"),
            (&|f| more(&mut f.f1, 0.0201), "F1"),
            (&|f| more(&mut f.ece, -0.0201), "ECE"),
        ];
        for (change, figure) in worse {
            let reasons = reasons(change);
            assert_eq!(reasons.len(), 1, "{reasons:?}");
            assert!(
                reasons[0].code == ReasonCode::Champion
                    && reasons[0].text.starts_with(figure)
                    && reasons[0].text.contains("current/m.json"),
                "{reasons:?}"
            );
        }
    }

    #[test]
    fn a_figure_that_only_the_champion_has_is_worse() {
        let nothing_found = metrics(&vec![one(0.1, Normal); 50]);
        let figures = KeyMetrics::from(&metrics(&scored(50, 0)));
        let champion = Champion {
            model: "m".to_owned(),
            digest: String::new(),
            figures,
            overlap: 0,
        };
        let verdict = GATE(1.0, 0.0).judge(&nothing_found, Some(&champion));
        assert!(
            verdict.reasons.iter().any(|r| r.text.starts_with("F1 undefined")),
            "{verdict:?}"
        );
    }
}
