//! How well scores put anomalous samples above normal ones, whatever the threshold.

use super::{Confusion, Scored};
use crate::data::label::Label;
use serde::Serialize;

/// What a threshold equal to one of the scores would decide.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OperatingPoint {
    /// The score that serves as threshold.
    pub threshold: f64,
    /// The decisions at that threshold.
    pub confusion: Confusion,
}

/// The samples by falling scores.
pub(super) fn ranked(scored: &[Scored]) -> Vec<Scored> {
    let mut ranked = scored.to_vec();
    ranked.sort_unstable_by(|a, b| b.score.get().total_cmp(&a.score.get()));
    ranked
}

/// One point for each different score, from the highest down: samples with the same score are always decided together,
/// so ties earn nothing.
#[must_use]
pub fn operating_points(scored: &[Scored]) -> Vec<OperatingPoint> {
    let sorted = ranked(scored);
    let all = Confusion::at(scored, f64::INFINITY);
    let mut reached = all;
    let mut points = Vec::new();
    for ties in sorted.chunk_by(|a, b| a.score == b.score) {
        let of = |label| {
            ties.iter()
                .filter(|tie| tie.label == label)
                .map(|tie| tie.count)
                .sum::<u64>()
        };
        let (anomalous, normal) = (of(Label::Anomalous), of(Label::Normal));
        reached.tp += anomalous;
        reached.fn_ -= anomalous;
        reached.fp += normal;
        reached.tn -= normal;
        points.push(OperatingPoint {
            threshold: ties[0].score.get(),
            confusion: reached,
        });
    }
    points
}

/// What a threshold that one would choose for a reason decides.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ThresholdChoice {
    /// The reason.
    pub choice: &'static str,
    /// The threshold, if there is one that does what the reason asks for.
    pub threshold: Option<f64>,
    /// Precision at that threshold.
    pub precision: Option<f64>,
    /// Recall at that threshold.
    pub recall: Option<f64>,
    /// Share of the normal samples that are reported at that threshold.
    pub false_alarm_rate: Option<f64>,
}

impl OperatingPoint {
    /// A threshold with as few digits as decide all of `scored` like this point does.
    #[must_use]
    pub fn short_threshold(&self, scored: &[Scored]) -> f64 {
        (2..16)
            .map(|digits| {
                let scale = libm::pow(10.0, f64::from(digits));
                (self.threshold * scale).floor() / scale
            })
            .find(|&rounded| rounded > 0.0 && Confusion::at(scored, rounded) == self.confusion)
            .unwrap_or(self.threshold)
    }
}

impl ThresholdChoice {
    fn new(choice: &'static str, point: Option<OperatingPoint>) -> Self {
        let confusion = point.map(|point| point.confusion);
        Self {
            choice,
            threshold: point.map(|point| point.threshold),
            precision: confusion.and_then(|c| c.precision()),
            recall: confusion.and_then(|c| c.recall()),
            false_alarm_rate: confusion.and_then(|c| c.false_alarm_rate()),
        }
    }
}

/// The threshold in use beside three others: the one with the best F1 (of several, the highest), the highest with a recall
/// of at least 0.95, and the lowest with at most 1 % false alarms. The three need samples of both classes.
#[must_use]
pub fn threshold_choices(scored: &[Scored], in_use: f64) -> Vec<ThresholdChoice> {
    let mut points = operating_points(scored);
    if points
        .last()
        .is_none_or(|last| last.confusion.anomalous() == 0 || last.confusion.normal() == 0)
    {
        points.clear();
    }
    let f1 = |point: &OperatingPoint| point.confusion.f1().unwrap_or(0.0);
    let better = |best: Option<OperatingPoint>, point: &OperatingPoint| match best {
        Some(best) if f1(&best) >= f1(point) => Some(best),
        _ => Some(*point),
    };
    let used = OperatingPoint {
        threshold: in_use,
        confusion: Confusion::at(scored, in_use),
    };
    let short = |point: OperatingPoint| OperatingPoint {
        threshold: point.short_threshold(scored),
        ..point
    };
    let reaches_recall = |point: &&OperatingPoint| point.confusion.recall() >= Some(0.95);
    let few_alarms = |point: &&OperatingPoint| point.confusion.false_alarm_rate() <= Some(0.01);
    vec![
        ThresholdChoice::new("in use", Some(used)),
        ThresholdChoice::new("best F1", points.iter().fold(None, better).map(short)),
        ThresholdChoice::new("recall 0.95", points.iter().find(reaches_recall).copied().map(short)),
        ThresholdChoice::new("false alarms 1 %", points.iter().rfind(few_alarms).copied().map(short)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::label::Label::{Anomalous, Normal};
    use crate::data::scored::one;

    #[test]
    fn the_chosen_thresholds_do_what_they_are_chosen_for() {
        // From the highest score down: 19 anomalous, 1 normal, 1 anomalous, 99 normal.
        let mut scored: Vec<Scored> = (0..19).map(|i| one(0.9 - f64::from(i) / 100.0, Anomalous)).collect();
        scored.push(one(0.6, Normal));
        scored.push(one(0.5, Anomalous));
        scored.extend((0..99).map(|i| one(0.4 - f64::from(i) / 1000.0, Normal)));
        let choices = threshold_choices(&scored, 0.55);
        let row = |index: usize| {
            let ThresholdChoice {
                threshold,
                precision,
                recall,
                false_alarm_rate,
                ..
            } = choices[index];
            (threshold, precision, recall, false_alarm_rate)
        };
        assert_eq!(row(0), (Some(0.55), Some(0.95), Some(0.95), Some(0.01)));
        assert_eq!(row(1), (Some(0.5), Some(20.0 / 21.0), Some(1.0), Some(0.01)));
        assert_eq!(row(2), (Some(0.72), Some(1.0), Some(0.95), Some(0.0)));
        assert_eq!(row(3), row(1));
    }

    #[test]
    fn with_one_class_there_is_nothing_to_choose() {
        let choices = threshold_choices(&[one(0.5, Normal)], 0.3);
        assert_eq!(choices[0].false_alarm_rate, Some(1.0));
        assert!(choices[1..].iter().all(|choice| choice.threshold.is_none()));
    }
}
