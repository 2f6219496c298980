//! A monitor.

use crate::failure::Failure;
use crate::model::Model;
use anomaly_train::Model as AnyModel;
use anomaly_train::events::{Event, Time};
use anomaly_train::logs::Mapping;
use anomaly_train::monitor::{Alert, Aside, Baselines, Histogram, Monitor as Watcher};
use anomaly_train::options::{MonitorOptions, parse};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Turns actions into alerts, each a JSON object as the command line writes it.
#[pyclass(frozen, module = "anomaly_train._native")]
#[derive(Debug)]
pub(crate) struct Monitor(Mutex<State>);

#[derive(Debug)]
struct State {
    watcher: Watcher,
    /// Filled in anew for each action.
    event: Event,
    alerts: Vec<Alert>,
}

impl Monitor {
    fn of(watcher: Watcher) -> Self {
        Self(Mutex::new(State {
            watcher,
            event: Event::default(),
            alerts: Vec::new(),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn let_watch(watcher: &mut Watcher, model: &Model, top: usize) {
        let artifact = model.artifact();
        match artifact.model.clone() {
            AnyModel::Labelled(model) => watcher.set_model(Arc::new(model), top, artifact.sessions.usual()),
            AnyModel::NormalOnly(model) => watcher.set_normal_model(Arc::new(model), top),
        }
    }
}

fn json(alerts: &[Alert]) -> Result<Vec<String>, Failure> {
    alerts.iter().map(|alert| Ok(serde_json::to_string(alert)?)).collect()
}

fn time_of(seconds: f64) -> Result<Time, Failure> {
    let refused = || {
        Failure::Refused(format!(
            "the timestamp {seconds} is no time from 1970 to 9999 in seconds"
        ))
    };
    Time::from_seconds(seconds).ok_or_else(refused)
}

/// A time as in RFC 3339, as seconds since 1970.
#[pyfunction]
pub(crate) fn seconds(text: &str) -> Result<f64, Failure> {
    let refused = || Failure::Refused(format!("the timestamp {text:?} is no time as in RFC 3339"));
    let time = Time::from_rfc3339(text).ok_or_else(refused)?;
    Ok(time.micros() as f64 / 1e6)
}

#[pymethods]
impl Monitor {
    #[new]
    #[pyo3(signature = (options, models=vec![], top=5))]
    fn new(options: Vec<String>, models: Vec<PyRef<'_, Model>>, top: usize) -> Result<Self, Failure> {
        let options: MonitorOptions = parse(options)?;
        let mapping = models
            .first()
            .map_or_else(Mapping::default, |model| model.artifact().run.reading.mapping.clone());
        let mut watcher = Watcher::new(options.settings(&mapping, Baselines::default(), !models.is_empty()));
        for model in &models {
            Self::let_watch(&mut watcher, model, top);
        }
        Ok(Self::of(watcher))
    }

    /// Goes on from what `to_bytes` gave.
    #[staticmethod]
    #[pyo3(signature = (state, models=vec![], top=5))]
    fn from_bytes(state: &[u8], models: Vec<PyRef<'_, Model>>, top: usize) -> Result<Self, Failure> {
        let (mut watcher, _) = Watcher::restore_as_saved(state)?;
        if watcher.settings().watch.is_some() == models.is_empty() {
            let words = match models.is_empty() {
                true => "the state is that of a monitor with a model; give the model",
                false => "the state is that of a monitor without a model; give none",
            };
            return Err(Failure::Refused(words.to_owned()));
        }
        for model in &models {
            Self::let_watch(&mut watcher, model, top);
        }
        Ok(Self::of(watcher))
    }

    /// Everything that later alerts depend on.
    fn to_bytes<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyBytes>, Failure> {
        let mut bytes = Vec::new();
        let saved = self.state().watcher.save(&mut bytes, &Aside::default());
        saved.map_err(|source| Failure::System { source, path: None })?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Takes an action, at a time in seconds since 1970. The alerts that can be told of by now, or nothing.
    #[pyo3(signature = (agent_id, action_type, risk_score, cohort, timestamp, session=""))]
    fn record(
        &self,
        agent_id: &str,
        action_type: &str,
        risk_score: Option<f64>,
        cohort: Option<&str>,
        timestamp: f64,
        session: &str,
    ) -> PyResult<Option<Vec<String>>> {
        let time = time_of(timestamp)?;
        if risk_score.is_some_and(f64::is_nan) {
            return Err(PyValueError::new_err("the risk score is no number"));
        }
        let mut state = self.state();
        let State { watcher, event, alerts } = &mut *state;
        fill(&mut event.agent_id, agent_id);
        fill(&mut event.action_type, action_type);
        fill(&mut event.cohort, cohort.unwrap_or_default());
        fill(&mut event.session, session);
        (event.risk_score, event.time) = (risk_score, Some(time));
        watcher.push(event, None, alerts).map_err(Failure::from)?;
        if alerts.is_empty() {
            return Ok(None);
        }
        let said = json(alerts)?;
        alerts.clear();
        Ok(Some(said))
    }

    /// Looks at what waits for older actions, and says what there is to say at the end.
    fn finish(&self) -> Result<Vec<String>, Failure> {
        let mut state = self.state();
        let mut alerts = Vec::new();
        state.watcher.flush(&mut alerts);
        alerts.extend(state.watcher.finish());
        json(&alerts)
    }

    fn check_drift(&self, cohort: Option<&str>) -> Result<Option<String>, Failure> {
        let alert = self.state().watcher.check_drift(cohort.unwrap_or_default());
        Ok(alert.map(|alert| serde_json::to_string(&alert)).transpose()?)
    }

    fn check_behavior(&self, agent_id: &str, cohort: Option<&str>, timestamp: f64) -> Result<Option<String>, Failure> {
        let time = time_of(timestamp)?;
        let alert = self
            .state()
            .watcher
            .check_behavior(agent_id, cohort.unwrap_or_default(), time);
        Ok(alert.map(|alert| serde_json::to_string(&alert)).transpose()?)
    }

    fn set_baseline(&self, scores: Vec<f64>, cohort: Option<&str>) -> Result<(), Failure> {
        let mut histogram = Histogram::default();
        for (row, score) in scores.into_iter().enumerate() {
            if score.is_nan() {
                return Err(Failure::row(row, "the risk score is no number"));
            }
            histogram.add(score);
        }
        self.state().watcher.set_baseline(cohort.unwrap_or_default(), histogram);
        Ok(())
    }

    /// How many risk scores of each cohort have come.
    fn risk_scores(&self) -> BTreeMap<String, u64> {
        let scores = self.state().watcher.risk_scores();
        scores
            .0
            .into_iter()
            .map(|(cohort, scores)| (cohort, scores.total()))
            .collect()
    }

    /// Counts of events, by name.
    fn counters(&self) -> BTreeMap<&'static str, u64> {
        let state = self.state();
        let counters = state.watcher.counters();
        BTreeMap::from([
            ("events", counters.events),
            ("late", counters.late),
            ("held_back", counters.held_back),
            ("agents", state.watcher.agents() as u64),
            ("evicted_agents", counters.evicted_agents),
            ("evicted_cohorts", counters.evicted_cohorts),
        ])
    }

    /// How the monitor works, as JSON.
    #[getter]
    fn settings(&self) -> Result<String, Failure> {
        Ok(serde_json::to_string(self.state().watcher.settings())?)
    }
}

fn fill(member: &mut String, text: &str) {
    member.clear();
    member.push_str(text);
}
