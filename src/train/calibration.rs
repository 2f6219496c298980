//! Calibration: a straight line over the log odds of samples that were left out of training, after which a score means what it says.
//!
//! With the log odds z_i of rows of which n_i samples were seen, k_i of them anomalous, offset a and slope b minimise
//!
//! ```text
//! Σ_i [ n_i ln(1 + e^{u_i}) − t_i u_i ],    u_i = a + b z_i,    t_i = k_i (N₁ + 1)/(N₁ + 2) + (n_i − k_i)/(N₀ + 2)
//! ```
//!
//! where N₁ samples are anomalous and N₀ are not. Targets a little off 0 and 1 keep the slope finite where both classes stand apart.
//!
//! Source: J. Platt, "Probabilistic outputs for support vector machines", in Advances in Large Margin Classifiers (1999);
//! H.-T. Lin, C.-J. Lin and R. Weng, "A note on Platt's probabilistic outputs for support vector machines", Machine Learning 68
//! (2007), for Newton's method with backtracking.

use crate::bounds::{CalibrationOffset, CalibrationSlope};
use crate::data::label::ClassCounts;
use crate::model::weights::log_odds;

/// The slopes that a line may have.
const FLATTEST: CalibrationSlope = CalibrationSlope::literal(0.01);
const STEEPEST: CalibrationSlope = CalibrationSlope::literal(100.0);

/// What a model says of a sample that it was not trained on, for all samples of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LeftOut {
    /// The index of the row.
    pub(crate) index: u32,
    pub(crate) log_odds: f64,
    pub(crate) labels: ClassCounts,
}

/// A line over log odds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Line {
    pub(crate) offset: CalibrationOffset,
    pub(crate) slope: CalibrationSlope,
}

impl Line {
    pub(crate) fn at(self, log_odds: f64) -> f64 {
        self.offset.get() + self.slope.get() * log_odds
    }
}

/// The line that calibrates these log odds; `None` if there is a class of which they say nothing.
pub(crate) fn calibrate<'a>(left_out: impl IntoIterator<Item = &'a LeftOut>) -> Option<Line> {
    calibrate_from(None, left_out)
}

/// The same, sought from a line that is not far from it.
fn calibrate_from<'a>(near: Option<Line>, left_out: impl IntoIterator<Item = &'a LeftOut>) -> Option<Line> {
    let rows: Vec<&LeftOut> = left_out.into_iter().collect();
    let classes = rows
        .iter()
        .fold(ClassCounts::default(), |sum, row| sum.plus(row.labels));
    if classes.normal == 0 || classes.anomalous == 0 {
        return None;
    }
    let (normal, anomalous) = (classes.normal as f64, classes.anomalous as f64);
    let targets = (1.0 / (normal + 2.0), (anomalous + 1.0) / (anomalous + 2.0));
    let points: Vec<Point> = rows
        .iter()
        .map(|row| Point {
            log_odds: row.log_odds,
            samples: row.labels.total() as f64,
            target: row.labels.normal as f64 * targets.0 + row.labels.anomalous as f64 * targets.1,
        })
        .collect();
    let base = log_odds((anomalous + 1.0) / (normal + anomalous + 2.0));
    let start = near.map_or((base, 0.0), |line| (line.offset.get(), line.slope.get()));
    let (offset, slope) = descend(&points, start, true);
    let (offset, slope) = match CalibrationSlope::try_from(slope) {
        Ok(slope) => (offset, slope),
        Err(_) => {
            let nearest = if slope < FLATTEST.get() { FLATTEST } else { STEEPEST };
            (descend(&points, (base, nearest.get()), false).0, nearest)
        }
    };
    let offset = CalibrationOffset::try_from(offset).ok()?;
    Some(Line { offset, slope })
}

struct Point {
    log_odds: f64,
    samples: f64,
    target: f64,
}

/// The loss of a line, and its first and second derivatives by offset and slope.
#[derive(Default)]
struct Slopes {
    loss: f64,
    g0: f64,
    g1: f64,
    h00: f64,
    h01: f64,
    h11: f64,
}

impl Slopes {
    /// Of this line; if not `both` are free, as if there were only an offset.
    fn of(points: &[Point], (offset, slope): (f64, f64), both: bool) -> Self {
        // A little is added to the diagonal so that it can always be inverted.
        let mut slopes = Self {
            h00: 1e-9,
            h11: 1e-9,
            ..Self::default()
        };
        for point in points {
            let z = if both { point.log_odds } else { 0.0 };
            let u = offset + slope * point.log_odds;
            // ln(1 + e^u) and σ(u) both come from this.
            let e = libm::exp(-u.abs());
            let p = if u < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) };
            let residual = point.samples * p - point.target;
            let curvature = point.samples * p * (1.0 - p);
            slopes.loss += point.samples * (u.max(0.0) + libm::log1p(e)) - point.target * u;
            slopes.g0 += residual;
            slopes.g1 += residual * z;
            slopes.h00 += curvature;
            slopes.h01 += curvature * z;
            slopes.h11 += curvature * z * z;
        }
        slopes
    }

    /// Newton's step, and how steeply the loss falls along it.
    fn step(&self) -> ((f64, f64), f64) {
        let Self {
            g0, g1, h00, h01, h11, ..
        } = self;
        let determinant = h00 * h11 - h01 * h01;
        let step = ((h01 * g1 - h11 * g0) / determinant, (h01 * g0 - h00 * g1) / determinant);
        (step, g0 * step.0 + g1 * step.1)
    }
}

/// The offset and slope that minimise the loss; if not `both` are free, the offset alone.
fn descend(points: &[Point], start: (f64, f64), both: bool) -> (f64, f64) {
    let mut at = start;
    let mut slopes = Slopes::of(points, at, both);
    for _ in 0..100 {
        let (step, descent) = slopes.step();
        if descent.is_nan() || descent >= -1e-12 * slopes.loss.abs().max(1e-12) {
            break;
        }
        // Armijo's rule.
        let mut part = 1.0;
        loop {
            let next = (at.0 + part * step.0, at.1 + part * step.1);
            let there = Slopes::of(points, next, both);
            if there.loss <= slopes.loss + 1e-4 * part * descent {
                (at, slopes) = (next, there);
                break;
            }
            part /= 2.0;
            if part < 1e-10 {
                return at;
            }
        }
    }
    at
}

/// ln(1 + e^u).
fn softplus(u: f64) -> f64 {
    u.max(0.0) + libm::log1p(libm::exp(-u.abs()))
}

/// What is left out in each fold, calibrated by what is left out in the others; as it is where that is not possible.
pub(crate) fn cross_calibrated(folds: &[Vec<LeftOut>]) -> Vec<Vec<LeftOut>> {
    let all = calibrate(folds.iter().flatten());
    let calibrated = |(own, rows): (usize, &Vec<LeftOut>)| {
        let others = folds.iter().enumerate().filter(|(fold, _)| *fold != own);
        let line = calibrate_from(all, others.flat_map(|(_, rows)| rows));
        let moved = |row: &LeftOut| LeftOut {
            log_odds: line.map_or(row.log_odds, |line| line.at(row.log_odds)),
            ..*row
        };
        rows.iter().map(moved).collect()
    };
    folds.iter().enumerate().map(calibrated).collect()
}

/// The log loss, in nats, summed over all samples.
pub(crate) fn log_loss(rows: &[LeftOut]) -> f64 {
    let of = |row: &LeftOut| {
        let ClassCounts { normal, anomalous } = row.labels;
        anomalous as f64 * softplus(-row.log_odds) + normal as f64 * softplus(row.log_odds)
    };
    rows.iter().map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::weights::logistic;

    fn left_out(rows: &[(f64, u64, u64)]) -> Vec<LeftOut> {
        let row = |&(log_odds, normal, anomalous): &(f64, u64, u64)| LeftOut {
            index: 0,
            log_odds,
            labels: ClassCounts { normal, anomalous },
        };
        rows.iter().map(row).collect()
    }

    #[test]
    fn a_line_through_two_points_gives_their_shares() {
        // Of 2,000,000 samples each, a quarter and three quarters are anomalous: log odds of -ln 3 and ln 3.
        let line = calibrate(&left_out(&[(-5.0, 1_500_000, 500_000), (1.0, 500_000, 1_500_000)])).unwrap();
        assert!((line.at(-5.0) + 3.0_f64.ln()).abs() < 1e-5, "{line:?}");
        assert!((line.at(1.0) - 3.0_f64.ln()).abs() < 1e-5, "{line:?}");
    }

    #[test]
    fn rows_count_as_often_as_they_have_samples() {
        let counted = calibrate(&left_out(&[(-2.0, 7, 2), (0.5, 3, 3), (2.0, 1, 6)])).unwrap();
        let mut singly = Vec::new();
        for (z, normal, anomalous) in [(-2.0, 7, 2), (0.5, 3, 3), (2.0, 1, 6)] {
            singly.extend((0..normal).map(|_| (z, 1, 0)));
            singly.extend((0..anomalous).map(|_| (z, 0, 1)));
        }
        let singly = calibrate(&left_out(&singly)).unwrap();
        assert!((counted.offset.get() - singly.offset.get()).abs() < 1e-6);
        assert!((counted.slope.get() - singly.slope.get()).abs() < 1e-6);
    }

    #[test]
    fn classes_apart_get_a_steep_finite_line_and_swapped_ones_the_flattest() {
        let apart = calibrate(&left_out(&[(-1.0, 50, 0), (1.0, 0, 50)])).unwrap();
        assert!((logistic(apart.at(1.0)) - 51.0 / 52.0).abs() < 1e-6, "{apart:?}");
        let swapped = calibrate(&left_out(&[(1.0, 50, 0), (-1.0, 0, 50)])).unwrap();
        assert_eq!(swapped.slope.get(), 0.01);
        assert!(calibrate(&left_out(&[(1.0, 50, 0), (-1.0, 2, 0)])).is_none());
    }

    #[test]
    fn log_loss_is_that_of_a_hand() {
        // Three normal samples at P = 1/4 and one anomalous one at P = 1/2.
        let rows = left_out(&[(-(3.0_f64.ln()), 3, 0), (0.0, 0, 1)]);
        let expected = 3.0 * (4.0_f64 / 3.0).ln() + 2.0_f64.ln();
        assert!((log_loss(&rows) - expected).abs() < 1e-12);
    }
}
