//! The distributional rule: whether something about a cohort has moved away from its baseline.

use crate::data::histogram::{BINS, Drift, Histogram};
use crate::input::events::Time;
use crate::monitor::alert::{AlertEvidence, DriftLimits, Finding, Kind, Of};
use crate::monitor::cooldown::Cooldowns;
use crate::monitor::settings::{RuleSet, Settings};
use serde::{Deserialize, Serialize};

/// What the score of a drift is reported with.
const THRESHOLD: f64 = 0.5;
/// Counts that are expected of a bin at least for its part in the test; bins with fewer are taken together.
const FEWEST_EXPECTED: f64 = 5.0;
/// Under our rules comparisons are due at these shares of what one of the original takes, each twice the one before.
const SHARES: [u64; 5] = [16, 8, 4, 2, 1];

/// What is kept of a cohort.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cohort {
    /// By which agents remember alerts in this cohort.
    pub(crate) fingerprint: u64,
    /// The time of what was counted last.
    pub(crate) latest: Time,
    /// All its risk scores.
    pub(crate) all: Histogram,
    pub(crate) distributions: [Distribution; Of::ALL.len()],
    pub(crate) cooldowns: Cooldowns,
}

/// What is compared with its baseline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Distribution {
    pub(crate) baseline: Histogram,
    /// Whether the baseline is complete.
    pub(crate) settled: bool,
    /// What has come since the last comparison.
    pub(crate) current: Histogram,
    /// What has come since the last time that a comparison was due.
    pub(crate) since_due: u64,
    /// Comparisons that were made.
    pub(crate) compared: u64,
}

/// When a comparison is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    No,
    /// What has come is kept for the next one.
    Yes,
    /// What has come is forgotten after it.
    Last,
}

impl Distribution {
    /// One that is compared with a baseline that is given.
    pub(crate) fn of(baseline: Histogram) -> Self {
        Self {
            baseline,
            settled: true,
            ..Self::default()
        }
    }

    /// Takes a value in, and says whether a comparison with the baseline is due. The first ones become the baseline if there is none.
    pub(crate) fn add(&mut self, value: f64, settings: &Settings) -> Due {
        if !self.settled {
            self.baseline.add(value);
            self.settled = self.baseline.total() >= settings.drift_first.get().into();
            return Due::No;
        }
        self.current.add(value);
        self.since_due += 1;
        let every = u64::from(settings.drift_every.get());
        if self.since_due >= every {
            self.since_due = 0;
            return Due::Last;
        }
        let early = |share: &u64| every.is_multiple_of(*share) && self.since_due == every / share;
        if settings.rules == RuleSet::Default && SHARES.iter().any(early) {
            return Due::Yes;
        }
        Due::No
    }

    /// Whether what has come, if it is enough, has moved away from the baseline.
    pub(crate) fn check(&self, of: Of, settings: &Settings, end_of_input: bool) -> Option<Finding> {
        if !self.settled || self.current.total() < u64::from(settings.drift_scores.get()) {
            return None;
        }
        let drift = Drift::between(&self.current, &self.baseline);
        let limits = DriftLimits {
            psi: settings.drift_psi.get(),
            kl_divergence: settings.drift_kl.get(),
            js_distance: settings.drift_js.get(),
        };
        let drifted = drift.psi > limits.psi || drift.kl > limits.kl_divergence || drift.js > limits.js_distance;
        let p_value = match settings.rules {
            RuleSet::Original => None,
            RuleSet::Default => Some(p_value(&self.current, &self.baseline)).filter(|_| drifted),
        };
        // The n-th comparison may take 1 / (n (n + 1)) of all false alarms: together they take no more than all, however many there are.
        let n = self.compared as f64 + 1.0;
        let allowed = settings.drift_false_alarms.get() / Of::ALL.len() as f64 / (n * (n + 1.0));
        let by_chance = p_value.is_some_and(|p_value| p_value > allowed);
        (drifted && !by_chance).then(|| Finding {
            kind: Kind::Distributional,
            score: drift.score(),
            threshold: THRESHOLD,
            evidence: AlertEvidence::Distributional {
                of,
                psi: drift.psi,
                kl_divergence: drift.kl,
                js_distance: drift.js,
                limits,
                p_value,
                current: self.current.0,
                baseline: self.baseline.0,
                end_of_input,
            },
        })
    }
}

/// The probability that two samples of one distribution differ as much, by the chi-squared test of homogeneity.
fn p_value(current: &Histogram, baseline: &Histogram) -> f64 {
    let (n, m) = (current.total() as f64, baseline.total() as f64);
    let share = n.min(m) / (n + m);
    let (mut statistic, mut bins) = (0.0, 0_u32);
    let mut open = (0.0, 0.0);
    let mut closed: Vec<(f64, f64)> = Vec::with_capacity(BINS);
    for (&c, &b) in current.0.iter().zip(&baseline.0) {
        open = (open.0 + c as f64, open.1 + b as f64);
        if (open.0 + open.1) * share >= FEWEST_EXPECTED {
            closed.push(std::mem::take(&mut open));
        }
    }
    if let Some(last) = closed.last_mut() {
        *last = (last.0 + open.0, last.1 + open.1);
    }
    for (c, b) in closed {
        let pooled = (c + b) / (n + m);
        let squared = |found: f64, expected: f64| (found - expected) * (found - expected) / expected;
        statistic += squared(c, n * pooled) + squared(b, m * pooled);
        bins += 1;
    }
    chi_squared_above(statistic, bins.saturating_sub(1))
}

/// The probability of a value above `x` in the chi-squared distribution with `degrees` degrees of freedom, 1 for none (Abramowitz and
/// Stegun 26.4.4 and 26.4.5).
fn chi_squared_above(x: f64, degrees: u32) -> f64 {
    let half = x / 2.0;
    let mut rest = degrees;
    let (mut sum, mut term, mut power) = if degrees.is_multiple_of(2) {
        (0.0, libm::exp(-half), 0.0)
    } else {
        let first = libm::exp(-half) * libm::sqrt(half) * std::f64::consts::FRAC_2_SQRT_PI;
        (libm::erfc(libm::sqrt(half)), first, 0.5)
    };
    if degrees == 0 {
        return 1.0;
    }
    while rest >= 2 {
        sum += term;
        power += 1.0;
        term *= half / power;
        rest -= 2;
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_those_of_tables() {
        // The 95 % and 99.9 % points, and the same of many degrees, from SciPy.
        for (x, degrees, expected) in [
            (3.841_458_820_694_124, 1, 0.05),
            (5.991_464_547_107_979, 2, 0.05),
            (16.918_977_604_620_45, 9, 0.05),
            (27.877_164_871_256_575, 9, 0.001),
            (26.124_481_558_376_136, 8, 0.001),
            (11.344_866_730_144_373, 3, 0.01),
        ] {
            let found = chi_squared_above(x, degrees);
            assert!((found / expected - 1.0).abs() < 1e-9, "{x} {degrees} {found}");
        }
        assert_eq!(chi_squared_above(0.0, 0), 1.0);
    }

    #[test]
    fn a_test_of_two_equal_halves_and_one_of_two_different_ones() {
        // (20, 30) and (30, 20): each expected 25, so 4 * 25 / 25 = 4, p = 0.0455.
        let (mut a, mut b) = (Histogram::default(), Histogram::default());
        (a.0[0], a.0[9], b.0[0], b.0[9]) = (20, 30, 30, 20);
        assert!((p_value(&a, &b) - 0.045_500_263_896_358_42).abs() < 1e-12);
        assert_eq!(p_value(&a, &a), 1.0);
    }
}
