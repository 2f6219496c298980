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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::events::Event;
    use crate::monitor::{RuleSet, Settings};

    fn watched(rules: RuleSet, scores: impl Iterator<Item = f64>) -> (Monitor, Vec<Alert>) {
        let mut monitor = Monitor::new(Settings {
            rules,
            reorder: crate::input::events::Span::seconds(0),
            ..Settings::default()
        });
        let mut baseline = Histogram::default();
        (0..1000).for_each(|number| baseline.add(f64::from(number) / 1000.0));
        monitor.set_baseline("c", baseline);
        let mut alerts = Vec::new();
        for (number, score) in scores.enumerate() {
            let mut event = Event {
                agent_id: format!("a{number}"),
                action_type: "act".to_owned(),
                cohort: "c".to_owned(),
                risk_score: Some(score),
                time: Time::from_seconds(100.0 * number as f64),
                ..Event::default()
            };
            monitor.push(&mut event, None, &mut alerts).unwrap();
        }
        (monitor, alerts)
    }

    #[test]
    fn drift_is_told_when_asked_for_and_what_was_compared_is_forgotten() {
        for rules in [RuleSet::Default, RuleSet::Original] {
            let (mut monitor, alerts) = watched(rules, (0..50).map(|_| 0.95));
            assert_eq!(alerts, []);
            assert!(monitor.check_drift("other").is_none());
            let alert = monitor.check_drift("c").unwrap();
            assert_eq!(
                (alert.anomaly_type, alert.cohort.as_deref()),
                (Kind::Distributional, Some("c"))
            );
            assert_eq!(monitor.counters().alerts_by_kind()[Kind::Distributional as usize], 1);
            assert!(monitor.check_drift("c").is_none());
        }
        let (mut monitor, _) = watched(
            RuleSet::Default,
            (0..1000).map(|number| f64::from(number * 7 % 1000) / 1000.0),
        );
        assert!(monitor.check_drift("c").is_none(), "the same distribution");
        let (mut monitor, _) = watched(RuleSet::Original, (0..29).map(|_| 0.95));
        assert!(monitor.check_drift("c").is_none(), "too few");
    }

    #[test]
    fn a_monitor_goes_on_as_saved_whatever_baselines_it_was_given() {
        let (monitor, _) = watched(RuleSet::Original, (0..50).map(|_| 0.95));
        let mut state = Vec::new();
        monitor.save(&mut state, &crate::monitor::Aside::default()).unwrap();
        let (mut restored, _) = Monitor::restore_as_saved(&state[..]).unwrap();
        assert_eq!(restored.check_drift("c"), monitor.clone().check_drift("c"));
        assert!(Monitor::restore(Settings::default(), &state[..]).is_err());
    }

    #[test]
    fn behaviour_is_told_when_asked_for() {
        let mut monitor = Monitor::new(Settings {
            rules: RuleSet::Original,
            ..Settings::default()
        });
        let mut alerts = Vec::new();
        for number in 0..9 {
            let mut event = Event {
                agent_id: "a".to_owned(),
                action_type: "same".to_owned(),
                time: Time::from_seconds(f64::from(number)),
                ..Event::default()
            };
            monitor.push(&mut event, None, &mut alerts).unwrap();
        }
        monitor.flush(&mut alerts);
        let now = Time::from_seconds(9.0).unwrap();
        assert!(monitor.check_behavior("a", "", now).is_none(), "nine are too few");
        let mut tenth = Event {
            agent_id: "a".to_owned(),
            action_type: "same".to_owned(),
            cohort: "k".to_owned(),
            time: Time::from_seconds(9.0),
            ..Event::default()
        };
        monitor.push(&mut tenth, None, &mut alerts).unwrap();
        monitor.flush(&mut alerts);
        assert_eq!(alerts.len(), 1, "by itself, for the cohort of the event");
        let asked = monitor.check_behavior("a", "", now).unwrap();
        assert_eq!((asked.anomaly_type, asked.cohort), (Kind::Behavioral, None));
        assert!(monitor.check_behavior("b", "", now).is_none());
    }
}
