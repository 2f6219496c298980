//! Watches agents live: from events to alerts.
//!
//! Four rules look at what is happening now, and a trained model takes a deeper look at the current session of each agent.
//! Time is that of the events, so the same events give the same alerts however fast they come. What is kept is bounded
//! whatever arrives, and can be [saved](Monitor::save) and [restored](Monitor::restore) without changing a later alert.
//!
//! ```
//! use anomaly_train::events::{Event, Time};
//! use anomaly_train::monitor::{Kind, Monitor, Settings};
//!
//! let events = (0..30).map(|second| Event {
//!     agent_id: "a7".to_owned(),
//!     action_type: ["list", "read"][second % 2].to_owned(),
//!     time: Time::from_seconds(second as f64),
//!     ..Event::default()
//! });
//! let mut monitor = Monitor::new(Settings::default());
//! let alerts: Vec<_> = monitor.watch(events).collect::<Result<_, _>>()?;
//! assert!(alerts.iter().any(|alert| alert.anomaly_type == Kind::Frequency));
//! # Ok::<(), anomaly_train::monitor::EventError>(())
//! ```

mod agent;
mod alert;
mod cooldown;
mod histogram;
mod lru;
mod names;
mod rules;
mod seen;
mod session;
mod settings;
mod stamps;
mod state;
mod vocabulary;

pub use alert::{Alert, AlertEvidence, DriftLimits, Kind, Severity};
pub use histogram::{Baselines, Histogram};
pub use settings::{Settings, WatchSettings};
pub use state::{Checkpoint, RestoreError, STATE_VERSION};

use crate::data::fingerprint;
use crate::input::events::{Event, MAX_NAME, Span, Time};
use crate::model::AnomalyModel;
use crate::model::normal::NormalModel;
use crate::model::unfamiliar::Unfamiliar;
use agent::Agent;
use alert::{Finding, Subject};
use lru::Lru;
use names::{Names, OTHER};
use rules::drift::Cohort;
use rules::model::ModelRule;
use rules::normality::NormalityRule;
use rules::sequence::NgramWindow;
use rules::{behavior, drift, frequency, model, normality, sequence};
use seen::SeenIds;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

/// Turns events into alerts.
#[derive(Debug)]
pub struct Monitor {
    settings: Settings,
    names: Names,
    agents: Lru<Agent>,
    cohorts: Lru<Cohort>,
    ngrams: NgramWindow,
    seen: SeenIds,
    model: Option<ModelRule>,
    normality: Option<NormalityRule>,
    counters: Counters,
}

/// What a monitor has done since it was new, over all restarts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counters {
    /// Events that were taken.
    pub events: u64,
    /// Lines that were no events, as far as [`Monitor::note_malformed`] was told of them.
    pub malformed: u64,
    /// Events that were refused because they came too late.
    pub late: u64,
    /// Events that were passed over because one with the same id had come before.
    pub repeated: u64,
    /// Events whose action was taken for `(other)` because there was no room for its name, see [`Settings::max_actions`].
    pub overflow: u64,
    /// Alerts of each kind, in the order of [`Kind::ALL`].
    pub alerts: [u64; 5],
    /// Agents that left because there was no room.
    pub evicted_agents: u64,
    /// Cohorts that left because there was no room.
    pub evicted_cohorts: u64,
}

/// Why an event is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// It is much older than the latest one of its agent.
    #[error("the event is {behind} older than the latest one of its agent; at most {allowed} are allowed")]
    TooLate {
        /// By how much.
        behind: Span,
        /// How much is allowed.
        allowed: Span,
    },
    /// It does not say whose it is, or what was done.
    #[error("the event has no agent or no action")]
    Nameless,
    /// The name of its agent, action, cohort or session, or its id, is longer than [`MAX_NAME`].
    #[error("a name of {0} bytes; at most {MAX_NAME} are allowed")]
    LongName(usize),
}

impl Monitor {
    /// A monitor that has seen nothing.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            names: Names::new(settings.max_actions.get()),
            agents: Lru::new(settings.max_agents.get()),
            cohorts: Lru::new(settings.max_cohorts.get()),
            ngrams: NgramWindow::new(settings.ngram_window.get()),
            seen: SeenIds::default(),
            model: None,
            normality: None,
            counters: Counters::default(),
            settings,
        }
    }

    /// Lets a model watch, instead of the one that did. It alerts from its threshold on, and gives at most `evidence` pieces of
    /// evidence. Sessions are kept if the settings say so, with or without a model.
    pub fn set_model(&mut self, model: Arc<AnomalyModel>, evidence: usize) {
        self.model = Some(ModelRule::new(model, evidence, &self.names, self.model.as_ref()));
    }

    /// Lets a normal-only model watch, instead of the one that did, and beside one that learned from labels. It takes the place of the
    /// sequence rule, which learns what is usual from what it watches.
    pub fn set_normal_model(&mut self, model: Arc<NormalModel>, evidence: usize) {
        self.normality = Some(NormalityRule::new(model, evidence, &self.names));
    }

    /// What the models that watch met since they do, with the names that each of them knows.
    #[must_use]
    pub fn unfamiliar(&self) -> Vec<(&Unfamiliar, Vec<&str>)> {
        let labelled = self
            .model
            .as_ref()
            .map(|rule| (&rule.vocabulary.seen, rule.model.names.names().collect()));
        let normal = self
            .normality
            .as_ref()
            .map(|rule| (&rule.vocabulary.seen, rule.model.names.names().collect()));
        labelled.into_iter().chain(normal).collect()
    }

    /// How it works.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What it has done.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters {
            evicted_agents: self.agents.evicted,
            evicted_cohorts: self.cohorts.evicted,
            ..self.counters
        }
    }

    /// Counts a line that was no event. The count is part of the state.
    pub fn note_malformed(&mut self) {
        self.counters.malformed = self.counters.malformed.saturating_add(1);
    }

    /// How many agents it remembers.
    #[must_use]
    pub fn agents(&self) -> usize {
        self.agents.len()
    }

    /// All risk scores of each cohort that is remembered, to be the baseline of another run.
    #[must_use]
    pub fn risk_scores(&self) -> Baselines {
        let cohorts = self.cohorts.oldest_first();
        let scored = cohorts.filter(|(_, cohort)| cohort.all.total() > 0);
        Baselines(scored.map(|(name, cohort)| (name.to_owned(), cohort.all)).collect())
    }

    /// The alerts that `events` lead to, in order; an event that cannot be taken leads to an error. An event without a time
    /// is taken to be as old as the latest one of its agent.
    pub fn watch<I: IntoIterator<Item = Event>>(&mut self, events: I) -> Alerts<'_, I::IntoIter> {
        Alerts {
            monitor: self,
            events: events.into_iter(),
            alerts: Vec::new(),
            ready: VecDeque::new(),
            ended: false,
        }
    }

    /// Takes an event, which came at `arrival` if it does not say when it was, and adds the alerts it leads to to `alerts`.
    /// An event that is a little older than the latest one of its agent is taken as if it were of the same time; one whose id came before
    /// is passed over and counted.
    ///
    /// # Errors
    ///
    /// If the event is much older than that, says not whose it is or what was done, or has too long a name. It changes nothing then; but after ten such events of an agent in a row its
    /// clock is believed to have been wrong before, and the tenth is taken.
    pub fn push(&mut self, event: &Event, arrival: Option<Time>, alerts: &mut Vec<Alert>) -> Result<(), EventError> {
        if event.agent_id.is_empty() || event.action_type.is_empty() {
            return Err(EventError::Nameless);
        }
        let names = [
            &event.agent_id,
            &event.action_type,
            &event.cohort,
            &event.session,
            &event.event_id,
        ];
        if let Some(long) = names.into_iter().find(|name| name.len() > MAX_NAME) {
            return Err(EventError::LongName(long.len()));
        }
        if !event.event_id.is_empty() && self.seen.is_repeated(event) {
            self.counters.repeated = self.counters.repeated.saturating_add(1);
            return Ok(());
        }
        let (slot, time) = self.agent_for(event, arrival)?;
        let gap = self.gap_of(event);
        self.counters.events = self.counters.events.saturating_add(1);
        let agent = self.agents.value_mut(slot);
        let pause = time.since(agent.latest);
        agent.latest = time;
        let new_session = gap.is_some_and(|gap| pause > gap);
        if new_session {
            agent.started = time;
        }
        let subject = Subject {
            agent: &event.agent_id,
            session: &event.session,
            started: Some(agent.started),
            event: Some(event),
            cohort: &event.cohort,
            time,
            number: self.counters.events,
        };
        let before = alerts.len();

        let n = self.settings.ngram_size.get();
        let (model, normality) = (&self.model, &self.normality);
        let known = || {
            let text = &event.action_type;
            model.as_ref().is_some_and(|rule| rule.model.names.get(text).is_some())
                || normality
                    .as_ref()
                    .is_some_and(|rule| rule.model.names.get(text).is_some())
        };
        let (action, new) = self.names.acquire(&event.action_type, known);
        self.counters.overflow += u64::from(action == OTHER);
        let labelled = self
            .model
            .as_mut()
            .map(|rule| (&rule.model.names, &mut rule.vocabulary));
        let normal = self
            .normality
            .as_mut()
            .map(|rule| (&rule.model.names, &mut rule.vocabulary));
        for (names, vocabulary) in labelled.into_iter().chain(normal) {
            if new {
                vocabulary.learn(names, action, &event.action_type);
            }
            vocabulary.note(action, &event.action_type);
        }
        let agent = self.agents.value_mut(slot);
        agent.push_recent(action, n, &mut self.names);
        let ngram = (agent.recent().len() == n).then(|| {
            let actions = agent.recent().iter().map(|&action| self.names.fingerprint(action));
            fingerprint::of_sequence(actions)
        });
        if let Some(ngram) = ngram {
            self.ngrams.push(ngram);
        }

        let cohort = self.cohort_for(&event.cohort);
        if let Some(score) = event.risk_score {
            self.note_risk(cohort, score, &subject, alerts);
        }
        let cohort = self.cohorts.value(cohort).fingerprint;

        let agent = self.agents.value_mut(slot);
        agent.profile.count(action, &mut self.names);
        agent.times.push(time, &self.settings);
        self.apply_rules(slot, cohort, ngram, &subject, alerts);
        self.apply_model(slot, cohort, (action, new_session), &subject, alerts);
        for alert in &mut alerts[before..] {
            if alert.agent_id.is_some() {
                let session = &self.agents.value(slot).session;
                let actions = session.actions.iter().map(|&action| self.names.text(action));
                let positions = alert.evidence.positions(actions.clone());
                alert.event_ids = session.ids_at(&positions).map(str::to_owned).collect();
                alert.sequence = actions.map(str::to_owned).collect();
            }
            self.counters.alerts[alert.anomaly_type as usize] += 1;
        }
        Ok(())
    }

    /// What there is to say when no more events come: how the risk scores since the last comparison differ. Changes
    /// nothing, so that a monitor that goes on after all says what it would have said.
    #[must_use]
    pub fn finish(&self) -> Vec<Alert> {
        let mut alerts = Vec::new();
        for slot in self.cohorts.by_key() {
            let cohort = self.cohorts.value(slot);
            let subject = Subject {
                agent: "",
                session: "",
                started: None,
                event: None,
                cohort: self.cohorts.key(slot),
                time: cohort.latest,
                number: self.counters.events,
            };
            let held_back = self.holds_back(cohort, cohort.latest);
            alerts.extend(
                drift::check(cohort, &self.settings, true)
                    .map(|finding| subject.alert(finding))
                    .filter(|_| !held_back),
            );
        }
        alerts
    }

    /// The pause after which the session of `event` would be another one.
    fn gap_of(&self, event: &Event) -> Option<Span> {
        let watch = self.settings.watch.unwrap_or_default();
        if event.session.is_empty() {
            Some(watch.session_gap)
        } else {
            watch.own_session_gap
        }
    }

    /// The slot of the agent of `event`, each session of it being an agent of its own, and the time that the event is taken to have.
    fn agent_for(&mut self, event: &Event, arrival: Option<Time>) -> Result<(u32, Time), EventError> {
        let key = if event.session.is_empty() || event.session == event.agent_id {
            Cow::Borrowed(&*event.agent_id)
        } else {
            Cow::Owned(format!("{}\0{}", event.agent_id, event.session))
        };
        let own_time = event.time.map(Time::whole_micros).or(arrival);
        let Some(slot) = self.agents.find(&key) else {
            let time = own_time.unwrap_or_default();
            let names = &mut self.names;
            let slot = self.agents.insert(&key, |old| old.clear(names));
            let agent = self.agents.value_mut(slot);
            (agent.latest, agent.started) = (time, time);
            return Ok((slot, time));
        };
        let agent = self.agents.value_mut(slot);
        let time = own_time.unwrap_or(agent.latest);
        let behind = agent.latest.since(time);
        if agent.is_too_late(time, &self.settings) {
            self.counters.late += 1;
            return Err(EventError::TooLate {
                behind,
                allowed: self.settings.allowed_lateness,
            });
        }
        let time = time.max(agent.latest);
        self.agents.touch(slot);
        Ok((slot, time))
    }

    fn cohort_for(&mut self, name: &str) -> u32 {
        if let Some(slot) = self.cohorts.find(name) {
            self.cohorts.touch(slot);
            return slot;
        }
        let slot = self.cohorts.insert(name, |old| *old = Cohort::default());
        let given = self.settings.baselines.0.get(name);
        let cohort = self.cohorts.value_mut(slot);
        cohort.fingerprint = fingerprint::of_action(name);
        if let Some(given) = given {
            (cohort.baseline, cohort.settled) = (*given, true);
        }
        slot
    }

    fn note_risk(&mut self, slot: u32, score: f64, subject: &Subject<'_>, alerts: &mut Vec<Alert>) {
        let (first, every) = (self.settings.drift_first.into(), self.settings.drift_every.into());
        let cohort = self.cohorts.value_mut(slot);
        if !cohort.add(score, subject.time, first, every)
            || cohort.current.total() < u64::from(self.settings.drift_scores.get())
        {
            return;
        }
        let cohort = self.cohorts.value(slot);
        let subject = Subject {
            agent: "",
            session: "",
            started: None,
            event: None,
            ..*subject
        };
        let held_back = self.holds_back(cohort, subject.time);
        let alert = drift::check(cohort, &self.settings, false)
            .map(|finding| subject.alert(finding))
            .filter(|_| !held_back);
        let cohort = self.cohorts.value_mut(slot);
        cohort.current = Histogram::default();
        if let Some(alert) = alert {
            cohort.alerted = Some(subject.time);
            alerts.push(alert);
        }
    }

    fn holds_back(&self, cohort: &Cohort, time: Time) -> bool {
        let recent = |at: Time| time.since(at).abs() < self.settings.cooldown;
        cohort.alerted.is_some_and(recent)
    }

    /// The first of the rules frequency, sequence and behaviour that fires and is not held back.
    fn apply_rules(
        &mut self,
        slot: u32,
        cohort: u64,
        ngram: Option<u64>,
        subject: &Subject<'_>,
        alerts: &mut Vec<Alert>,
    ) {
        let settings = &self.settings;
        let agent = self.agents.value(slot);
        let may = |kind| !agent.cooldowns.hold_back(kind, cohort, subject.time, settings.cooldown);
        let recent = || {
            agent
                .recent()
                .iter()
                .map(|&action| self.names.text(action).to_owned())
                .collect()
        };
        let found = frequency::check(&agent.times, settings)
            .filter(|_| may(Kind::Frequency))
            .or_else(|| {
                // A normal-only model knows better what is usual.
                let ngram = ngram.filter(|_| self.normality.is_none())?;
                sequence::check(&self.ngrams, ngram, recent, settings).filter(|_| may(Kind::Sequence))
            })
            // Looked at last, and only if it may speak, as it takes longest.
            .or_else(|| may(Kind::Behavioral).then(|| behavior::check(&agent.profile, &self.names, settings))?);
        if let Some(finding) = found {
            self.raise(slot, (finding.kind, cohort), finding, subject, alerts);
        }
    }

    /// Adds the action to the session of the agent and lets the models look at it.
    fn apply_model(
        &mut self,
        slot: u32,
        cohort: u64,
        (action, new_session): (u32, bool),
        subject: &Subject<'_>,
        alerts: &mut Vec<Alert>,
    ) {
        let Some(WatchSettings { window, .. }) = self.settings.watch else {
            return;
        };
        let agent = self.agents.value_mut(slot);
        if new_session {
            agent.session.clear(&mut self.names);
        }
        let id = subject.event.map_or("", |event| &event.event_id);
        agent.session.push(action, id, window.get() as usize, &mut self.names);
        let agent = self.agents.value_mut(slot);
        let may = |kind| {
            !agent
                .cooldowns
                .hold_back(kind, cohort, subject.time, self.settings.cooldown)
        };
        // The normal-only model stands where the sequence rule would, also in being held back.
        let (labelled, normal) = (may(Kind::Model), may(Kind::Sequence));
        let mut found = Vec::new();
        if let Some(rule) = self.model.as_mut().filter(|_| labelled) {
            let finding = model::check(rule, &mut agent.session, &self.names);
            found.extend(finding.map(|finding| (Kind::Model, finding, rule.evidence)));
        }
        if let Some(rule) = self.normality.as_mut().filter(|_| normal) {
            let finding = normality::check(rule, &agent.session, window.get() as usize, &self.names);
            found.extend(finding.map(|finding| (Kind::Sequence, finding, rule.evidence)));
        }
        for (held_back, finding, most) in found {
            let alert = self.raise(slot, (held_back, cohort), finding, subject, alerts);
            // The whole evidence speaks in the sentence, the most important pieces of it stand by it.
            alert.evidence.shorten(most);
        }
    }

    /// Adds an alert, and holds back others of a kind in its cohort for a while.
    fn raise<'a>(
        &mut self,
        slot: u32,
        (held_back, cohort): (Kind, u64),
        finding: Finding,
        subject: &Subject<'_>,
        alerts: &'a mut Vec<Alert>,
    ) -> &'a mut Alert {
        let cooldowns = &mut self.agents.value_mut(slot).cooldowns;
        cooldowns.start(held_back, cohort, subject.time, self.settings.cooldown);
        alerts.push(subject.alert(finding));
        let last = alerts.len() - 1;
        &mut alerts[last]
    }
}

/// The alerts that events lead to, see [`Monitor::watch`]. After the last event come those of the end.
#[derive(Debug)]
pub struct Alerts<'m, I> {
    monitor: &'m mut Monitor,
    events: I,
    alerts: Vec<Alert>,
    ready: VecDeque<Alert>,
    ended: bool,
}

impl<I: Iterator<Item = Event>> Iterator for Alerts<'_, I> {
    type Item = Result<Alert, EventError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(alert) = self.ready.pop_front() {
                return Some(Ok(alert));
            }
            if self.ended {
                return None;
            }
            match self.events.next() {
                Some(event) => {
                    if let Err(error) = self.monitor.push(&event, None, &mut self.alerts) {
                        return Some(Err(error));
                    }
                }
                None => {
                    self.ended = true;
                    self.alerts = self.monitor.finish();
                }
            }
            self.ready.extend(self.alerts.drain(..));
        }
    }
}
