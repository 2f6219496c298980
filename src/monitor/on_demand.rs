//! What is asked of a monitor in between, and not by an event.

use super::alert::{Alert, Kind, Of, Subject};
use super::rules::drift::Distribution;
use super::{Histogram, Monitor};
use crate::data::fingerprint;
use crate::input::events::Time;

impl Monitor {
    /// Lets the risk scores of a cohort, the empty one being that of events without one, be compared with these from now on.
    pub fn set_baseline(&mut self, cohort: &str, baseline: Histogram) {
        self.settings.baselines.0.insert(cohort.to_owned(), baseline);
        if let Some(slot) = self.cohorts.find(cohort) {
            self.cohorts.value_mut(slot).distributions[Of::RiskScores as usize] = Distribution::of(baseline);
        }
    }

    /// Compares the risk scores of a cohort since the last comparison with its baseline, whether or not that is due, and forgets them if there
    /// were enough. An alert if they have moved and it is not held back.
    pub fn check_drift(&mut self, cohort: &str) -> Option<Alert> {
        let settings = &self.settings;
        let slot = self.cohorts.find(cohort)?;
        let kept = self.cohorts.value_mut(slot);
        let distribution = &mut kept.distributions[Of::RiskScores as usize];
        if !distribution.settled || distribution.current.total() < u64::from(settings.drift_scores.get()) {
            return None;
        }
        let found = distribution.check(Of::RiskScores, settings, false);
        distribution.compared += 1;
        (distribution.current, distribution.since_due) = (Histogram::default(), 0);
        let finding = found?;
        let subject = Subject::of_cohort(cohort, kept.latest, self.looked_at);
        if self.ignore.holds(Kind::Distributional, None, subject.time) {
            self.counters.ignored += 1;
            return None;
        }
        let wanted = subject.wanted(Kind::Distributional, 0, finding.severity());
        let held_back = kept.cooldowns.ask(wanted, settings)?;
        let alert = subject.alert(finding, held_back);
        self.counters.alerts[alert.anomaly_type as usize][alert.severity as usize] += 1;
        Some(alert)
    }

    /// Looks whether what an agent did by `time` is hardly anything but the same. An alert if it is and that is not held back.
    pub fn check_behavior(&mut self, agent: &str, cohort: &str, time: Time) -> Option<Alert> {
        let slot = self.agents.find(agent)?;
        let subject = Subject {
            agent,
            session: "",
            started: Some(self.agents.value(slot).started),
            event: None,
            cohort,
            time,
            number: self.looked_at,
        };
        let cohort = fingerprint::of_action(cohort);
        let finding = self.alike(slot, cohort, &subject)?;
        let mut alerts = Vec::new();
        self.raise(slot, (finding.kind, cohort), finding, &subject, &mut alerts);
        self.complete(slot, 0, &mut alerts);
        alerts.pop()
    }
}
