//! The distributional rule: whether the risk scores of a cohort have moved away from their baseline.

use crate::input::events::Time;
use crate::monitor::alert::{AlertEvidence, DriftLimits, Finding, Kind};
use crate::monitor::histogram::{Drift, Histogram};
use crate::monitor::settings::Settings;

/// What the score of a drift is reported with.
const THRESHOLD: f64 = 0.5;

/// What is kept of a cohort.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cohort {
    /// By which agents remember alerts in this cohort.
    pub(crate) fingerprint: u64,
    /// The time of its risk score that came last.
    pub(crate) latest: Time,
    /// All its risk scores.
    pub(crate) all: Histogram,
    pub(crate) baseline: Histogram,
    /// Whether the baseline is complete.
    pub(crate) settled: bool,
    /// Scores since the last comparison.
    pub(crate) current: Histogram,
    /// Scores since the last time that a comparison was due.
    pub(crate) since_due: u64,
    /// When it last had an alert.
    pub(crate) alerted: Option<Time>,
}

impl Cohort {
    /// Takes a risk score in, and says whether a comparison with the baseline is due. The first `first` scores become the
    /// baseline if there is none.
    pub(crate) fn add(&mut self, score: f64, time: Time, first: u64, every: u64) -> bool {
        self.latest = time;
        self.all.add(score);
        if !self.settled {
            self.baseline.add(score);
            self.settled = self.baseline.total() >= first;
            return false;
        }
        self.current.add(score);
        self.since_due += 1;
        let due = self.since_due >= every;
        if due {
            self.since_due = 0;
        }
        due
    }
}

/// Whether the current risk scores of a cohort, if there are enough of them, have moved away from its baseline.
pub(crate) fn check(cohort: &Cohort, settings: &Settings, end_of_input: bool) -> Option<Finding> {
    if !cohort.settled || cohort.current.total() < u64::from(settings.drift_scores.get()) {
        return None;
    }
    let drift = Drift::between(&cohort.current, &cohort.baseline);
    let limits = DriftLimits {
        psi: settings.drift_psi.get(),
        kl_divergence: settings.drift_kl.get(),
        js_distance: settings.drift_js.get(),
    };
    let drifted = drift.psi > limits.psi || drift.kl > limits.kl_divergence || drift.js > limits.js_distance;
    drifted.then(|| Finding {
        kind: Kind::Distributional,
        score: drift.score(),
        threshold: THRESHOLD,
        evidence: AlertEvidence::Distributional {
            psi: drift.psi,
            kl_divergence: drift.kl,
            js_distance: drift.js,
            limits,
            current: cohort.current.0,
            baseline: cohort.baseline.0,
            end_of_input,
        },
    })
}
