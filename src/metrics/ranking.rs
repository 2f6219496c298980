//! How well scores put anomalous samples above normal ones, whatever the threshold.

use super::{Confusion, Scored};
use crate::dataset::Label;

/// What a threshold equal to one of the scores would decide.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OperatingPoint {
    /// The score that serves as threshold.
    pub threshold: f64,
    /// The decisions at that threshold.
    pub confusion: Confusion,
}

/// One point for each different score, from the highest down: samples with the same score are always decided together,
/// so ties earn nothing.
#[must_use]
pub fn operating_points(scored: &[Scored]) -> Vec<OperatingPoint> {
    let mut sorted = scored.to_vec();
    sorted.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    let all = Confusion::at(scored, f64::INFINITY);
    let mut reached = all;
    let mut points = Vec::new();
    for ties in sorted.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let anomalous = ties.iter().filter(|(_, label)| *label == Label::Anomalous).count() as u64;
        let normal = ties.len() as u64 - anomalous;
        reached.tp += anomalous;
        reached.fn_ -= anomalous;
        reached.fp += normal;
        reached.tn -= normal;
        points.push(OperatingPoint {
            threshold: ties[0].0,
            confusion: reached,
        });
    }
    points
}

/// The operating points that one would choose for a reason.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choices {
    /// The highest F1; of several, the one with the highest threshold.
    pub best_f1: Option<OperatingPoint>,
    /// The highest threshold with a recall of at least 0.95.
    pub recall_95: Option<OperatingPoint>,
    /// The lowest threshold with a false-alarm rate of at most 1 %.
    pub false_alarms_1_percent: Option<OperatingPoint>,
}

/// Finds the [`Choices`] among `points`, which come from [`operating_points`].
#[must_use]
pub fn choices(points: &[OperatingPoint]) -> Choices {
    let f1 = |point: &OperatingPoint| point.confusion.f1().unwrap_or(0.0);
    let best = |best: Option<OperatingPoint>, point: &OperatingPoint| match best {
        Some(best) if f1(&best) >= f1(point) => Some(best),
        _ => Some(*point),
    };
    let both_classes = points
        .last()
        .is_some_and(|last| last.confusion.anomalous() > 0 && last.confusion.normal() > 0);
    let points = if both_classes { points } else { &[] };
    Choices {
        best_f1: points.iter().fold(None, best),
        recall_95: points
            .iter()
            .find(|point| point.confusion.recall() >= Some(0.95))
            .copied(),
        false_alarms_1_percent: points
            .iter()
            .rfind(|point| point.confusion.false_alarm_rate() <= Some(0.01))
            .copied(),
    }
}

/// The probability that a random anomalous sample scores higher than a random normal one, ties counting half; undefined
/// without both classes.
///
/// The sum is of integers (twice the number of pairs won), so it is exact up to 2^127 pairs.
pub(super) fn roc_auc(scored: &[Scored]) -> Option<f64> {
    let mut twice_won = 0_u128;
    let mut before = Confusion::at(scored, f64::INFINITY);
    for OperatingPoint { confusion, .. } in operating_points(scored) {
        let anomalous = confusion.tp - before.tp;
        twice_won += u128::from(anomalous) * u128::from(confusion.tn + before.tn);
        before = confusion;
    }
    let pairs = 2 * u128::from(before.anomalous()) * u128::from(before.normal());
    (pairs > 0).then(|| twice_won as f64 / pairs as f64)
}

/// The sum over thresholds of precision times the recall gained; undefined without an anomalous sample.
///
/// Unlike the area under an interpolated curve it does not flatter. Source: M. Zhu, "Recall, precision and average
/// precision", University of Waterloo (2004); the same as scikit-learn's `average_precision_score`.
pub(super) fn average_precision(scored: &[Scored]) -> Option<f64> {
    // Multiplied by the number of anomalous samples until the end, so that a perfect ranking gives exactly 1.
    let mut sum = 0.0;
    let mut found = 0;
    for OperatingPoint { confusion, .. } in operating_points(scored) {
        sum += (confusion.tp - found) as f64 * confusion.precision().unwrap_or(0.0);
        found = confusion.tp;
    }
    (found > 0).then(|| sum / found as f64)
}
