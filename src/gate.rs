//! The promotion gate: whether a model is good enough to be used. It knows only figures, nothing of the model.

use crate::bounds::Limit;
use crate::metrics::Metrics;
use serde::{Deserialize, Serialize};

/// Fewest validation samples on which a verdict means anything.
pub const MIN_SAMPLES: u64 = 20;

/// What a model must reach to be promoted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// Highest expected calibration error.
    pub max_ece: Limit,
    /// Lowest accuracy.
    pub min_accuracy: Limit,
}

/// What the gate decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// Whether the model may be used.
    pub promoted: bool,
    /// Everything that speaks against it; empty if it is promoted.
    pub reasons: Vec<String>,
}

impl Gate {
    /// Judges the figures. Unrounded values are compared; a figure that is not defined never passes.
    ///
    /// Besides its two limits the gate asks for [`MIN_SAMPLES`] validation samples, for both classes among them, and for
    /// an accuracy above that of always guessing the commoner class: otherwise reaching the limits proves nothing.
    #[must_use]
    pub fn judge(&self, metrics: &Metrics) -> Verdict {
        let mut reasons = Vec::new();
        let confusion = &metrics.confusion;
        if metrics.samples < MIN_SAMPLES {
            let plural = if metrics.samples == 1 { "" } else { "s" };
            reasons.push(format!(
                "not judged: {} validation sample{plural}, need {MIN_SAMPLES}",
                metrics.samples
            ));
        }
        if metrics.samples > 0 && (confusion.anomalous() == 0 || confusion.normal() == 0) {
            let missing = if confusion.anomalous() == 0 {
                "anomalous"
            } else {
                "normal"
            };
            reasons.push(format!("not judged: no {missing} sample in the validation part"));
        }
        match metrics.ece {
            Some(ece) if ece <= self.max_ece.get() => {}
            Some(ece) => reasons.push(format!("ECE {ece} is above {}", self.max_ece)),
            None => reasons.push("ECE is undefined".to_owned()),
        }
        match metrics.accuracy {
            Some(accuracy) if accuracy >= self.min_accuracy.get() => {}
            Some(accuracy) => {
                reasons.push(format!("accuracy {accuracy} is below {}", self.min_accuracy));
            }
            None => reasons.push("accuracy is undefined".to_owned()),
        }
        if let (Some(accuracy), Some(majority)) = (metrics.accuracy, confusion.majority_accuracy())
            && accuracy <= majority
        {
            reasons.push(format!(
                "accuracy {accuracy} is not above {majority}, that of always guessing the commoner class"
            ));
        }
        Verdict {
            promoted: reasons.is_empty(),
            reasons,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Label::{Anomalous, Normal};
    use crate::metrics::Scored;

    const GATE: fn(f64, f64) -> Gate = |max_ece, min_accuracy| Gate {
        max_ece: max_ece.try_into().unwrap(),
        min_accuracy: min_accuracy.try_into().unwrap(),
    };

    fn judge(gate: Gate, scored: &[Scored]) -> Verdict {
        gate.judge(&Metrics::compute(
            scored,
            0.3.try_into().unwrap(),
            10.try_into().unwrap(),
        ))
    }

    /// `right` samples of each class that are scored rightly and surely, then `wrong` normal ones scored as anomalous.
    fn scored(right: usize, wrong: usize) -> Vec<Scored> {
        let mut scored = vec![(0.0, Normal); right];
        scored.extend(vec![(1.0, Anomalous); right]);
        scored.extend(vec![(1.0, Normal); wrong]);
        scored
    }

    #[test]
    fn limits_are_compared_unrounded_and_reaching_them_passes() {
        // 17 of 20 right: accuracy exactly 0.85, ECE exactly 0.15.
        let mut edge = scored(8, 3);
        edge.push((0.0, Normal));
        assert!(judge(GATE(0.15, 0.85), &edge).promoted);
        assert!(!judge(GATE(0.149_999_999, 0.85), &edge).promoted);
        assert!(!judge(GATE(0.15, 0.850_000_001), &edge).promoted);
    }

    #[test]
    fn too_few_samples_are_never_judged_good() {
        let verdict = judge(GATE(1.0, 0.0), &scored(9, 1));
        assert_eq!(verdict.reasons, ["not judged: 19 validation samples, need 20"]);
        assert!(judge(GATE(1.0, 0.0), &scored(10, 0)).promoted);
        assert!(!judge(GATE(1.0, 0.0), &[]).promoted);
    }

    #[test]
    fn always_guessing_the_commoner_class_is_not_good_enough() {
        let mut all_normal = vec![(0.1, Normal); 90];
        all_normal.extend(vec![(0.1, Anomalous); 10]);
        let verdict = judge(GATE(0.08, 0.85), &all_normal);
        assert!(verdict.reasons[0].contains("commoner class"), "{verdict:?}");
    }

    #[test]
    fn one_class_alone_is_never_judged_good() {
        let verdict = judge(GATE(1.0, 0.0), &vec![(0.0, Normal); 50]);
        assert!(verdict.reasons[0].contains("no anomalous sample"), "{verdict:?}");
    }

    #[test]
    fn every_reason_is_listed() {
        let wrong = vec![(1.0, Normal); 5];
        assert_eq!(judge(GATE(0.08, 0.85), &wrong).reasons.len(), 5);
    }
}
