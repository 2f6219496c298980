//! Watches agents live: from events to alerts.
//!
//! Events are put in order of time first. Rules look at what is happening now, and a trained model takes a deeper look at the current
//! session of each agent. Time is that of the events, so the same events give the same alerts however fast they come. What is kept is
//! bounded whatever arrives, and can be [saved](Monitor::save) and [restored](Monitor::restore) without changing a later alert.
//!
//! ```
//! use anomaly_train::events::{Event, Time};
//! use anomaly_train::monitor::{Kind, Monitor, RuleSet, Settings};
//!
//! let events = (0..30).map(|second| Event {
//!     agent_id: "a7".to_owned(),
//!     action_type: ["list", "read"][second % 2].to_owned(),
//!     time: Time::from_seconds(second as f64),
//!     ..Event::default()
//! });
//! let mut monitor = Monitor::new(Settings { rules: RuleSet::Original, ..Settings::default() });
//! let alerts: Vec<_> = monitor.watch(events).collect::<Result<_, _>>()?;
//! assert!(alerts.iter().any(|alert| alert.anomaly_type == Kind::Frequency));
//! # Ok::<(), anomaly_train::monitor::EventError>(())
//! ```

mod agent;
mod alert;
mod cooldown;
mod ignore;
mod names;
mod on_demand;
mod reorder;
mod retention;
mod rules;
mod seen;
mod session;
mod settings;
mod stamps;
mod state;
mod stream_time;
mod vocabulary;

pub use crate::data::histogram::{Baselines, Histogram};
pub use crate::evaluate::session_scores::{FIRST_ACTIONS, ModelBaseline};
pub use alert::{Alert, AlertEvidence, DriftLimits, Kind, Of, Severity};
pub use ignore::{Ignore, IgnoreList};
pub use settings::{RuleSet, Settings, WatchSettings};
pub use state::{Aside, Checkpoint, RestoreError, STATE_VERSION};

use crate::data::fingerprint;
use crate::input::events::{Event, MAX_NAME, Span, Time};
use crate::model::AnomalyModel;
use crate::model::normal::NormalModel;
use crate::model::unfamiliar::Unfamiliar;
use agent::Agent;
use alert::{Finding, Subject};
use cooldown::Cooldowns;
use names::{Names, OTHER};
use reorder::{Reorder, Turn};
use retention::Retained;
use rules::drift::{Cohort, Distribution, Due};
use rules::flood::Arrivals;
use rules::frequency::Peers;
use rules::model::ModelRule;
use rules::normality::NormalityRule;
use rules::sequence::NgramWindow;
use rules::usual::Usual;
use rules::{behavior, frequency, model, normality, sequence};
use seen::SeenIds;
use std::borrow::Cow;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// Turns events into alerts.
#[derive(Debug, Clone)]
pub struct Monitor {
    settings: Settings,
    ignore: IgnoreList,
    reorder: Reorder,
    names: Names,
    agents: Retained<Agent>,
    cohorts: Retained<Cohort>,
    ngrams: NgramWindow,
    seen: SeenIds,
    /// How many actions are usual for agents in a short time, and how many alike.
    peers: Peers,
    usual_repeats: Usual,
    arrivals: Arrivals,
    /// Alerts about the stream as a whole.
    cooldowns: Cooldowns,
    model: Option<ModelRule>,
    normality: Option<NormalityRule>,
    /// What is usual of the model, if it is known.
    model_baseline: Option<ModelBaseline>,
    /// Tells models that learned from labels from those before them; 0 is that of none.
    generation: u32,
    /// Events that were looked at, in order of time.
    looked_at: u64,
    /// Alerts that were raised ahead of time and are not to be raised again.
    said: BTreeSet<String>,
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
    /// Events that came after later ones of their agent, later than could be waited for.
    pub late: u64,
    /// Events that were passed over because one with the same id had come before.
    pub repeated: u64,
    /// Events whose action was taken for `(other)` because there was no room for its name, see [`Settings::max_actions`].
    pub overflow: u64,
    /// Alerts of each kind, in the order of [`Kind::ALL`], and of each severity, in that of [`Severity::ALL`].
    pub alerts: [[u64; 3]; 7],
    /// Alerts that were held back because there had been others like them; not counted under the original rules.
    pub held_back: u64,
    /// Alerts that were not raised because the list of what to ignore says so.
    pub ignored: u64,
    /// Agents that left because there was no room.
    pub evicted_agents: u64,
    /// Cohorts that left because there was no room.
    pub evicted_cohorts: u64,
}

impl Counters {
    /// Alerts of each kind, in the order of [`Kind::ALL`].
    #[must_use]
    pub fn alerts_by_kind(&self) -> [u64; 7] {
        self.alerts.map(|severities| severities.iter().sum())
    }
}

/// Why an event is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// It does not say whose it is, or what was done.
    #[error("the event has no agent or no action")]
    Nameless,
    /// The name of its agent, action, cohort, session or source, or its id, is longer than [`MAX_NAME`].
    #[error("a name of {0} bytes; at most {MAX_NAME} are allowed")]
    LongName(usize),
}

impl Monitor {
    /// A monitor that has seen nothing.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            ignore: IgnoreList::default(),
            reorder: Reorder::new(),
            names: Names::new(settings.max_actions.get()),
            agents: Retained::new(settings.max_agents.get()),
            cohorts: Retained::new(settings.max_cohorts.get()),
            ngrams: NgramWindow::new(settings.ngram_window.get()),
            seen: SeenIds::default(),
            peers: Peers::default(),
            usual_repeats: Usual::default(),
            arrivals: Arrivals::default(),
            cooldowns: Cooldowns::default(),
            model: None,
            normality: None,
            model_baseline: None,
            generation: 0,
            looked_at: 0,
            said: BTreeSet::new(),
            counters: Counters::default(),
            settings,
        }
    }

    /// Lets a model watch, instead of the one that did. It alerts from its threshold on, and gives at most `evidence` pieces of
    /// evidence. Sessions are kept if the settings say so, with or without a model. `baseline` is what is usual of it, for drift to be told.
    pub fn set_model(&mut self, model: Arc<AnomalyModel>, evidence: usize, baseline: Option<ModelBaseline>) {
        self.generation = self.generation.wrapping_add(1).max(1);
        self.model = Some(ModelRule::new(model, evidence, &self.names, self.generation));
        self.model_baseline = baseline;
        for slot in self.cohorts.by_key() {
            Self::set_baselines(self.cohorts.value_mut(slot), baseline);
        }
    }

    /// Lets a normal-only model watch, instead of the one that did, and beside one that learned from labels. It takes the place of the
    /// sequence rule, which learns what is usual from what it watches.
    pub fn set_normal_model(&mut self, model: Arc<NormalModel>, evidence: usize) {
        self.normality = Some(NormalityRule::new(model, evidence, &self.names));
    }

    /// Lets no model watch any more.
    pub fn unset_models(&mut self) {
        (self.model, self.normality) = (None, None);
    }

    /// Lets alerts be passed over from now on.
    pub fn set_ignored(&mut self, ignore: IgnoreList) {
        self.ignore = ignore;
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

    /// How many events wait for others that are older.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.reorder.waiting()
    }

    /// The time of the latest event that has come, if one has.
    #[must_use]
    pub fn latest(&self) -> Option<Time> {
        self.reorder.previous
    }

    /// All risk scores of each cohort that is remembered, to be the baseline of another run.
    #[must_use]
    pub fn risk_scores(&self) -> Baselines {
        let cohorts = self.cohorts.oldest_first();
        let scored = cohorts.filter(|(.., cohort)| cohort.all.total() > 0);
        Baselines(scored.map(|(name, _, cohort)| (name.to_owned(), cohort.all)).collect())
    }

    /// The alerts that `events` lead to, in order; an event that cannot be taken leads to an error. An event without a time
    /// is taken to be as old as the one before it. After the last one come the alerts of those that still wait and of the end; should older
    /// ones come after all, they count as late.
    pub fn watch<I: IntoIterator<Item = Event>>(&mut self, events: I) -> Alerts<'_, I::IntoIter> {
        Alerts {
            monitor: self,
            events: events.into_iter(),
            alerts: Vec::new(),
            ready: VecDeque::new(),
            ended: false,
        }
    }

    /// Takes an event, for which an empty one is left, and adds the alerts that can be told of by now to `alerts`. If it does not say when it was, it
    /// was at its `arrival`, or with the event before it if that is not known either. One whose id came before is passed over and counted.
    ///
    /// # Errors
    ///
    /// If the event says not whose it is or what was done, or has too long a name. It changes nothing then.
    pub fn push(
        &mut self,
        event: &mut Event,
        arrival: Option<Time>,
        alerts: &mut Vec<Alert>,
    ) -> Result<(), EventError> {
        if event.agent_id.is_empty() || event.action_type.is_empty() {
            return Err(EventError::Nameless);
        }
        let names = [
            &event.agent_id,
            &event.action_type,
            &event.cohort,
            &event.session,
            &event.event_id,
            &event.source,
        ];
        if let Some(long) = names.into_iter().find(|name| name.len() > MAX_NAME) {
            return Err(EventError::LongName(long.len()));
        }
        if !event.event_id.is_empty() && self.seen.is_repeated(event) {
            self.counters.repeated = self.counters.repeated.saturating_add(1);
            return Ok(());
        }
        self.counters.events = self.counters.events.saturating_add(1);
        match self.reorder.take(event, arrival, self.settings.reorder) {
            Some(turn) => self.look_at(&turn, alerts),
            None => self.take_turns(false, alerts),
        }
        Ok(())
    }

    /// Looks at the events that wait, as no older ones are expected any more.
    pub fn flush(&mut self, alerts: &mut Vec<Alert>) {
        self.take_turns(true, alerts);
    }

    fn take_turns(&mut self, flush: bool, alerts: &mut Vec<Alert>) {
        while let Some(turn) = self.reorder.next(self.settings.reorder, flush) {
            self.look_at(&turn, alerts);
            self.reorder.recycle(turn.event);
        }
    }

    /// Makes alerts that were raised ahead of time, by a copy of this monitor that did not wait for older events, be raised no second time.
    pub fn note_said(&mut self, alerts: &[Alert]) {
        self.said.extend(alerts.iter().map(|alert| alert.alert_id.clone()));
    }

    /// Looks at an event whose turn it is.
    fn look_at(&mut self, turn: &Turn, alerts: &mut Vec<Alert>) {
        let event = &turn.event;
        self.looked_at += 1;
        let before = alerts.len();
        let (slot, displaced) = self.agent_for(event, turn.time);
        let (time, new_session) = self.note_time(slot, event, turn.time);
        let subject = Subject {
            agent: &event.agent_id,
            session: &event.session,
            started: Some(self.agents.value(slot).started),
            event: Some(event),
            cohort: &event.cohort,
            time,
            number: self.looked_at,
        };
        if self.settings.rules == RuleSet::Default {
            self.note_arrival(slot, event, displaced, &subject, alerts);
            if turn.ahead != 0 {
                self.note_clock(slot, turn, &subject, alerts);
            }
        }
        let action = self.name(event);
        let ngram = if self.settings.has_sequence_rule() {
            self.note_ngram(slot, action)
        } else {
            None
        };

        let cohort_slot = self.cohort_for(&event.cohort);
        if let Some(score) = event.risk_score {
            self.cohorts.value_mut(cohort_slot).all.add(score);
            self.note_value(Of::RiskScores, cohort_slot, score, &subject, alerts);
        }
        let cohort = self.cohorts.value(cohort_slot).fingerprint;

        let agent = self.agents.value_mut(slot);
        agent.profile.count(action, &mut self.names);
        // Of events in a file that knows no times nobody can say how fast they came.
        if event.time.is_some() || time != Time::default() {
            agent.times.push(time, &self.settings);
        }
        self.apply_rules(slot, cohort, ngram, &subject, alerts);
        self.apply_model(slot, (cohort_slot, cohort), (action, new_session), &subject, alerts);
        self.complete(slot, before, alerts);
        self.names.release(action);
    }

    /// Adds an action to the latest of its agent. Returns the n-gram that it ends, if there are enough.
    fn note_ngram(&mut self, slot: u32, action: u32) -> Option<u64> {
        let n = self.settings.ngram_size.get();
        let agent = self.agents.value_mut(slot);
        self.names.retain(action);
        agent.push_recent(action, n, &mut self.names);
        let recent = agent.recent();
        if recent.len() < n {
            return None;
        }
        let ngram = fingerprint::of_sequence(recent.iter().map(|&action| self.names.fingerprint(action)));
        self.ngrams.push(ngram);
        Some(ngram)
    }

    /// Adds to the alerts from `before` on what they say of the session, counts them, and leaves those out that were raised before.
    fn complete(&mut self, slot: u32, before: usize, alerts: &mut Vec<Alert>) {
        for alert in &mut alerts[before..] {
            if alert.agent_id.is_some() {
                let session = &self.agents.value(slot).session;
                let actions = session.actions().map(|action| self.names.text(action));
                let positions = alert.evidence.positions(actions.clone());
                alert.event_ids = session.ids_at(&positions).map(str::to_owned).collect();
                alert.sequence = actions.map(str::to_owned).collect();
            }
            self.counters.alerts[alert.anomaly_type as usize][alert.severity as usize] += 1;
        }
        if !self.said.is_empty() {
            let mut place = 0;
            alerts.retain(|alert| {
                place += 1;
                place <= before || !self.said.remove(&alert.alert_id)
            });
        }
    }

    /// The number of the name of the action, with one more reference to it; the models note that they met it.
    fn name(&mut self, event: &Event) -> u32 {
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
        action
    }

    /// What there is to say when no more events come: how distributions differ since the last comparison. Changes nothing, so that a monitor
    /// that goes on after all says what it would have said.
    #[must_use]
    pub fn finish(&self) -> Vec<Alert> {
        let mut alerts = Vec::new();
        for slot in self.cohorts.by_key() {
            let cohort = self.cohorts.value(slot);
            let subject = Subject::of_cohort(self.cohorts.key(slot), cohort.latest, self.looked_at);
            for (of, distribution) in Of::ALL.into_iter().zip(&cohort.distributions) {
                let found = distribution.check(of, &self.settings, true);
                let found = found.filter(|finding| {
                    let wanted = subject.wanted(Kind::Distributional, 0, finding.severity());
                    !cohort.cooldowns.holds_back(wanted, &self.settings)
                        && !self.ignore.holds(Kind::Distributional, None, subject.time)
                });
                alerts.extend(found.map(|finding| subject.alert(finding, 0)));
            }
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

    /// The slot of the agent of `event`, each session of it being an agent of its own, and whether one at work was forgotten for it.
    fn agent_for(&mut self, event: &Event, time: Time) -> (u32, bool) {
        let key = if event.session.is_empty() || event.session == event.agent_id {
            Cow::Borrowed(&*event.agent_id)
        } else {
            Cow::Owned(format!("{}\0{}", event.agent_id, event.session))
        };
        if let Some(slot) = self.agents.find(&key) {
            self.agents.touch(slot);
            return (slot, false);
        }
        let gap = self.settings.watch.unwrap_or_default().session_gap;
        let names = &mut self.names;
        let (slot, displaced) = self
            .agents
            .insert(&key, |old| time.since(old.latest) > gap, |old| old.clear(names));
        let agent = self.agents.value_mut(slot);
        (agent.latest, agent.started) = (time, time);
        (slot, displaced)
    }

    /// Notes when an agent acted. Returns the time that the event counts with, and whether it begins a session.
    fn note_time(&mut self, slot: u32, event: &Event, time: Time) -> (Time, bool) {
        let gap = self.gap_of(event);
        let agent = self.agents.value_mut(slot);
        let pause = time.since(agent.latest);
        if pause.micros() < 0 {
            self.counters.late += 1;
            // The original knows no time but that which it has come to.
            let time = match self.settings.rules {
                RuleSet::Original => agent.latest,
                RuleSet::Default => time,
            };
            agent.note_late(time);
            return (time, false);
        }
        agent.late = 0;
        agent.latest = time;
        let new_session = gap.is_some_and(|gap| pause > gap);
        if new_session {
            agent.started = time;
        }
        (time, new_session)
    }

    /// Notes whether the agent is new, and raises an alert if too many are.
    fn note_arrival(
        &mut self,
        slot: u32,
        event: &Event,
        displaced: bool,
        subject: &Subject<'_>,
        alerts: &mut Vec<Alert>,
    ) {
        match self.agents.uses(slot) {
            1 => {
                let window = self.arrivals.note_new(event, subject.time, displaced);
                self.agents.value_mut(slot).arrived = window;
                self.peers.past.add_past();
                if let Some(finding) = self.arrivals.check(self.settings.max_agents) {
                    let subject = Subject::of_cohort("", subject.time, subject.number);
                    self.raise_of_stream(finding, &subject, alerts);
                }
            }
            2 => self.arrivals.note_second(self.agents.value(slot).arrived),
            _ => {}
        }
    }

    /// Raises an alert if a clock is found to be wrong, once for each source, or for each agent that has none.
    fn note_clock(&mut self, slot: u32, turn: &Turn, subject: &Subject<'_>, alerts: &mut Vec<Alert>) {
        let of_agent = turn.ahead > 0 && !self.agents.value(slot).clock_is_told;
        if !(of_agent || turn.wrong_source) {
            return;
        }
        let source = turn
            .wrong_source
            .then(|| turn.event.source.clone())
            .filter(|source| !source.is_empty());
        let finding = Finding {
            kind: Kind::Clock,
            score: 1.0,
            threshold: 1.0,
            evidence: AlertEvidence::Clock {
                ahead_seconds: turn.ahead as f64 / 1e6,
                event_time: turn.event.time.map(Time::whole_micros),
                source,
            },
        };
        if turn.wrong_source {
            // Told once, so nothing has to hold it back.
            if self.ignore.holds(Kind::Clock, Some(&turn.event), subject.time) {
                self.counters.ignored += 1;
            } else {
                alerts.push(subject.alert(finding, 0));
            }
        } else if self.raise_of_stream(finding, subject, alerts) {
            self.agents.value_mut(slot).clock_is_told = true;
        }
    }

    /// Raises an alert that only others about the stream hold back. Returns whether it was heard.
    fn raise_of_stream(&mut self, finding: Finding, subject: &Subject<'_>, alerts: &mut Vec<Alert>) -> bool {
        if self.ignore.holds(finding.kind, subject.event, subject.time) {
            self.counters.ignored += 1;
            return false;
        }
        let wanted = subject.wanted(finding.kind, 0, finding.severity());
        let Some(held_back) = self.cooldowns.ask(wanted, &self.settings) else {
            self.counters.held_back += 1;
            return false;
        };
        alerts.push(subject.alert(finding, held_back));
        true
    }

    fn cohort_for(&mut self, name: &str) -> u32 {
        if let Some(slot) = self.cohorts.find(name) {
            self.cohorts.touch(slot);
            return slot;
        }
        let (slot, _) = self.cohorts.insert(name, |_| false, |old| *old = Cohort::default());
        let given = self.settings.baselines.0.get(name);
        let cohort = self.cohorts.value_mut(slot);
        cohort.fingerprint = fingerprint::of_action(name);
        if let Some(given) = given {
            cohort.distributions[Of::RiskScores as usize] = Distribution::of(*given);
        }
        Self::set_baselines(cohort, self.model_baseline);
        slot
    }

    /// Lets a cohort be compared with what is usual of a model, anew if that was something else before.
    fn set_baselines(cohort: &mut Cohort, baseline: Option<ModelBaseline>) {
        let baseline = baseline.unwrap_or_default();
        for (of, usual) in [
            (Of::UnknownActions, baseline.unknown_actions),
            (Of::ModelScores, baseline.scores),
        ] {
            let distribution = &mut cohort.distributions[of as usize];
            if !distribution.settled || distribution.baseline != usual {
                *distribution = Distribution::of(usual);
            }
        }
    }

    /// Notes a value of a cohort, and raises an alert if its distribution has moved.
    fn note_value(&mut self, of: Of, slot: u32, value: f64, subject: &Subject<'_>, alerts: &mut Vec<Alert>) {
        let settings = &self.settings;
        let cohort = self.cohorts.value_mut(slot);
        cohort.latest = subject.time;
        let distribution = &mut cohort.distributions[of as usize];
        let due = distribution.add(value, settings);
        if due == Due::No || distribution.current.total() < u64::from(settings.drift_scores.get()) {
            return;
        }
        let found = distribution.check(of, settings, false);
        distribution.compared += 1;
        if due == Due::Last || found.is_some() {
            distribution.current = Histogram::default();
        }
        let Some(finding) = found else {
            return;
        };
        let subject = Subject::of_cohort(subject.cohort, subject.time, subject.number);
        if self.ignore.holds(Kind::Distributional, None, subject.time) {
            self.counters.ignored += 1;
            return;
        }
        match cohort
            .cooldowns
            .ask(subject.wanted(Kind::Distributional, 0, finding.severity()), settings)
        {
            Some(held_back) => alerts.push(subject.alert(finding, held_back)),
            None => self.counters.held_back += u64::from(settings.rules == RuleSet::Default),
        }
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
        if let Some(finding) = self.too_frequent(slot, subject)
            && self.raise(slot, (finding.kind, cohort), finding, subject, alerts)
        {
            return;
        }
        if let Some(finding) = self.rare_sequence(slot, ngram)
            && self.raise(slot, (finding.kind, cohort), finding, subject, alerts)
        {
            return;
        }
        if let Some(finding) = self.alike(slot, cohort, subject) {
            self.raise(slot, (finding.kind, cohort), finding, subject, alerts);
        }
    }

    fn too_frequent(&mut self, slot: u32, subject: &Subject<'_>) -> Option<Finding> {
        let agent = self.agents.value_mut(slot);
        let found = frequency::check(&agent.times, &self.settings);
        if self.settings.has_fixed_frequency() {
            return found;
        }
        let unusual = frequency::is_unusual(&agent.times, &mut agent.usual, &mut self.peers, subject);
        found.filter(|_| unusual)
    }

    fn rare_sequence(&self, slot: u32, ngram: Option<u64>) -> Option<Finding> {
        let settings = &self.settings;
        // A normal-only model knows better what is usual.
        let ngram = ngram.filter(|_| self.normality.is_none())?;
        let warm_up = settings.sequence_warm_up.filter(|_| settings.rules == RuleSet::Default);
        let warm = warm_up.is_none_or(|needed| self.ngrams.pushed > u64::from(needed.get()));
        let recent = || {
            let recent = self.agents.value(slot).recent().iter();
            recent.map(|&action| self.names.text(action).to_owned()).collect()
        };
        warm.then(|| sequence::check(&self.ngrams, ngram, recent, settings))?
    }

    fn alike(&mut self, slot: u32, cohort: u64, subject: &Subject<'_>) -> Option<Finding> {
        let settings = &self.settings;
        let agent = self.agents.value(slot);
        if settings.rules == RuleSet::Original {
            // Looked at last, and only if it may speak, as it takes longest.
            let wanted = subject.wanted(Kind::Behavioral, cohort, Severity::Info);
            if agent.cooldowns.holds_back(wanted, settings) {
                return None;
            }
        }
        if settings.has_fixed_behavior() {
            return behavior::check(&agent.profile, &self.names, settings);
        }
        let alike = behavior::alike(&agent.profile, settings)?;
        let usual = &mut self.usual_repeats;
        usual.go_on(subject.time);
        if agent.profile.total() == u64::from(settings.behavioral_actions.get()) {
            usual.add_past();
        }
        if usual.is_known(frequency::AGENTS) && alike > 0 && usual.is_exceeded_by(alike) {
            return behavior::check(&agent.profile, &self.names, settings);
        }
        usual.note(alike);
        None
    }

    /// Adds the action to the session of the agent and lets the models look at it.
    fn apply_model(
        &mut self,
        slot: u32,
        (cohort_slot, cohort): (u32, u64),
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
        let most = window.get() as usize;
        agent.session.add(action, id, subject.time, most, &mut self.names);
        let after_first = agent.session.length == u64::from(FIRST_ACTIONS);

        if let Some(rule) = self.model.as_mut() {
            let score = model::estimate(rule, &mut agent.session);
            if after_first && self.settings.rules == RuleSet::Default && self.model_baseline.is_some() {
                let unknown = rule.vocabulary.unknown_share(agent.session.actions());
                self.note_value(Of::UnknownActions, cohort_slot, unknown, subject, alerts);
                self.note_value(Of::ModelScores, cohort_slot, score, subject, alerts);
            }
            self.apply_labelled(slot, cohort, score, subject, alerts);
        }
        // The normal-only model stands where the sequence rule would, also in being held back.
        if let Some(rule) = self.normality.as_mut() {
            let session = &self.agents.value(slot).session;
            let score = normality::score(rule, session, most);
            if score >= rule.threshold.get() {
                let severity = rule.severity(score);
                if self.may_speak(slot, (Kind::Sequence, cohort), severity, subject)
                    && let Some(rule) = self.normality.as_ref()
                {
                    let finding = normality::explain(rule, &self.agents.value(slot).session, most, &self.names);
                    self.raise_of_model(slot, (Kind::Sequence, cohort), finding, subject, alerts);
                }
            }
        }
    }

    fn apply_labelled(&mut self, slot: u32, cohort: u64, score: f64, subject: &Subject<'_>, alerts: &mut Vec<Alert>) {
        let Some(threshold) = self.model.as_ref().map(|rule| rule.threshold.get()) else {
            return;
        };
        let gate = (Kind::Model, cohort);
        if score < threshold - model::MARGIN
            || (score >= threshold && !self.may_speak(slot, gate, Severity::of_score(score), subject))
        {
            return;
        }
        let session = &self.agents.value(slot).session;
        let finding = self
            .model
            .as_ref()
            .and_then(|rule| model::explain(rule, session, &self.names));
        if let Some(finding) = finding {
            self.raise_of_model(slot, gate, finding, subject, alerts);
        }
    }

    /// Whether an alert could speak. If not it is counted as one that was held back; explaining it first would take long.
    fn may_speak(&mut self, slot: u32, (kind, cohort): (Kind, u64), severity: Severity, subject: &Subject<'_>) -> bool {
        let wanted = subject.wanted(kind, cohort, severity);
        let cooldowns = &mut self.agents.value_mut(slot).cooldowns;
        let may = !cooldowns.holds_back(wanted, &self.settings);
        if !may {
            cooldowns.ask(wanted, &self.settings);
            self.counters.held_back += u64::from(self.settings.rules == RuleSet::Default);
        }
        may
    }

    /// Raises an alert of a model. The whole evidence speaks in the sentence, the most important pieces of it stand by it.
    fn raise_of_model(
        &mut self,
        slot: u32,
        gate: (Kind, u64),
        finding: Finding,
        subject: &Subject<'_>,
        alerts: &mut Vec<Alert>,
    ) {
        let most = match finding.evidence {
            AlertEvidence::Normality { .. } => self.normality.as_ref().map(|rule| rule.evidence),
            _ => self.model.as_ref().map(|rule| rule.evidence),
        };
        if self.raise(slot, gate, finding, subject, alerts)
            && let Some((alert, most)) = alerts.last_mut().zip(most)
        {
            alert.evidence.shorten(most);
        }
    }

    /// Raises an alert unless it is ignored or held back, and holds back others like it for a while. Returns whether it was heard.
    fn raise(
        &mut self,
        slot: u32,
        (kind, cohort): (Kind, u64),
        finding: Finding,
        subject: &Subject<'_>,
        alerts: &mut Vec<Alert>,
    ) -> bool {
        if self.ignore.holds(finding.kind, subject.event, subject.time) {
            self.counters.ignored += 1;
            return false;
        }
        let is_default = self.settings.rules == RuleSet::Default;
        if is_default && self.agents.uses(slot) == 1 && !self.arrivals.hears_of_single(self.settings.max_agents) {
            self.counters.held_back += 1;
            return false;
        }
        let wanted = subject.wanted(kind, cohort, finding.severity());
        let cooldowns = &mut self.agents.value_mut(slot).cooldowns;
        let Some(held_back) = cooldowns.ask(wanted, &self.settings) else {
            self.counters.held_back += u64::from(self.settings.rules == RuleSet::Default);
            return false;
        };
        alerts.push(subject.alert(finding, held_back));
        true
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
                Some(mut event) => {
                    if let Err(error) = self.monitor.push(&mut event, None, &mut self.alerts) {
                        return Some(Err(error));
                    }
                }
                None => {
                    self.ended = true;
                    let mut ahead = self.monitor.clone();
                    ahead.flush(&mut self.alerts);
                    self.monitor.note_said(&self.alerts);
                    self.alerts.extend(ahead.finish());
                }
            }
            self.ready.extend(self.alerts.drain(..));
        }
    }
}
