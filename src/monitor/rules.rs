//! The rules that look at single agents, and the model, put together.

use super::Alert;
use super::Monitor;
use super::alert::{Evidence, Kind, Subject};
use super::settings::WatchSettings;
use crate::input::events::Span;

impl Monitor {
    /// The first of the rules frequency, sequence and behaviour that fires and does not have to be quiet.
    pub(super) fn apply_rules(
        &mut self,
        slot: u32,
        cohort: u64,
        ngram: Option<u64>,
        subject: &Subject<'_>,
        alerts: &mut Vec<Alert>,
    ) {
        let settings = &self.settings;
        let agent = self.agents.value_mut(slot);
        let events = agent.note_time(subject.time, settings);
        let agent = self.agents.value(slot);
        let may = |kind| !agent.is_quiet(kind, cohort, subject.time, settings);
        let frequency = || {
            let limit = settings.frequency_events.get();
            let score = (events as f64 / f64::from(limit)).min(1.0);
            let fires = events >= limit as usize && score >= settings.frequency_threshold.get() && may(Kind::Frequency);
            let evidence = || Evidence::Frequency {
                events,
                limit,
                window_seconds: settings.frequency_window,
            };
            let threshold = settings.frequency_threshold.get();
            fires.then(|| subject.alert(Kind::Frequency, score, threshold, evidence()))
        };
        let sequence = || {
            let rarity = self.ngrams.rarity(ngram?, settings.smoothing.get());
            let fires = rarity.score >= settings.sequence_threshold.get() && may(Kind::Sequence);
            let evidence = || Evidence::Sequence {
                ngram: agent
                    .recent()
                    .iter()
                    .map(|&id| self.names.text(id).to_owned())
                    .collect(),
                count: rarity.count,
                total: rarity.total,
                distinct: rarity.distinct,
                probability: rarity.probability,
                smallest_probability: rarity.smallest,
            };
            let threshold = settings.sequence_threshold.get();
            fires.then(|| subject.alert(Kind::Sequence, rarity.score, threshold, evidence()))
        };
        let behavior = || {
            let habit = agent.habit(settings)?;
            let fires = habit.score >= settings.behavioral_threshold.get();
            let evidence = || Evidence::Behavioral {
                actions: habit.total,
                distinct: habit.distinct,
                most_common: self.names.text(habit.commonest).to_owned(),
                concentration: habit.concentration,
                normalized_entropy: habit.entropy,
            };
            let threshold = settings.behavioral_threshold.get();
            fires.then(|| subject.alert(Kind::Behavioral, habit.score, threshold, evidence()))
        };
        let found = frequency()
            .or_else(sequence)
            .or_else(|| if may(Kind::Behavioral) { behavior() } else { None });
        if let Some(alert) = found {
            let agent = self.agents.value_mut(slot);
            agent.keep_quiet(alert.anomaly_type, cohort, subject.time, &self.settings);
            alerts.push(alert);
        }
    }

    /// Adds the action to the session of the agent and lets the model look at it.
    pub(super) fn apply_model(
        &mut self,
        slot: u32,
        cohort: u64,
        (action, pause): (u32, Span),
        subject: &Subject<'_>,
        alerts: &mut Vec<Alert>,
    ) {
        let Some(WatchSettings { window, session_gap }) = self.settings.watch else {
            return;
        };
        let agent = self.agents.value_mut(slot);
        if pause > session_gap {
            agent.session.clear(&mut self.names);
        }
        agent.session.push(action, window.get() as usize, &mut self.names);
        let Some(watch) = &mut self.watch else {
            return;
        };
        if agent.is_quiet(Kind::Model, cohort, subject.time, &self.settings) || !watch.might_alert(&mut agent.session) {
            return;
        }
        let names = agent.session.actions.iter().map(|&action| self.names.text(action));
        let explanation = watch.explain(names);
        let (score, threshold) = (explanation.score, watch.threshold.get());
        if score < threshold {
            return;
        }
        // The whole evidence speaks in the sentence, the most important pieces of it stand by it.
        let mut alert = {
            let evidence = Evidence::model(agent.session.actions.len(), explanation, usize::MAX);
            subject.alert(Kind::Model, score, threshold, evidence)
        };
        if let Evidence::Model {
            actions, explanation, ..
        } = alert.evidence
        {
            alert.evidence = Evidence::model(actions, explanation, watch.evidence);
        }
        agent.keep_quiet(Kind::Model, cohort, subject.time, &self.settings);
        alerts.push(alert);
    }
}
