//! Events made into sessions, as the command line makes them.

use crate::failure::Failure;
use anomaly_train::events::{SessionRules, Sessions as Events, Time};
use anomaly_train::logs::{Format, Kind, Log};
use anomaly_train::options::{LogOptions, parse};
use anomaly_train::{Label, LineChunks, Refused};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Takes lines of JSON, an event each, and cuts them into sessions in the end.
#[pyclass(module = "anomaly_train._native")]
#[derive(Debug)]
pub(crate) struct Sessions {
    log: Log,
    /// `None` when they have been cut.
    events: Option<Events>,
    refused: Refused,
}

/// A column of texts: where each ends, as 64-bit numbers after a first 0, and all of them one after the other.
type Texts<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>);

/// Columns of sessions: agents, names of sessions, how many actions each has, the actions, labels (a byte each, 255 for none), groups (empty
/// for none, else as the library spells them), and the times of the first and last event in microseconds since 1970.
type Columns<'py> = (
    Texts<'py>,
    Texts<'py>,
    Bound<'py, PyBytes>,
    Texts<'py>,
    Bound<'py, PyBytes>,
    Texts<'py>,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
);

fn texts<'py, 't>(py: Python<'py>, values: impl Iterator<Item = &'t str>) -> Texts<'py> {
    let (mut text, mut ends) = (Vec::new(), 0_i64.to_ne_bytes().to_vec());
    for value in values {
        text.extend_from_slice(value.as_bytes());
        ends.extend_from_slice(&(text.len() as i64).to_ne_bytes());
    }
    (PyBytes::new(py, &ends), PyBytes::new(py, &text))
}

fn numbers<'py>(py: Python<'py>, values: impl Iterator<Item = i64>) -> Bound<'py, PyBytes> {
    PyBytes::new(py, &values.flat_map(i64::to_ne_bytes).collect::<Vec<u8>>())
}

#[pymethods]
impl Sessions {
    /// `options` are those that say how logs are read; `group_by` names the member that says what a session belongs to.
    #[new]
    #[pyo3(signature = (options, group_by=None))]
    fn new(options: Vec<String>, group_by: Option<&str>) -> Result<Self, Failure> {
        let options: LogOptions = parse(options)?;
        let mapping = options.mapping()?;
        let kind = Kind {
            format: Format::Events,
            in_array: false,
        };
        Ok(Self {
            log: Log::of(kind, &mapping, "").grouped_by(group_by),
            events: Some(Events::new(SessionRules::from(&mapping))),
            refused: Refused::default(),
        })
    }

    /// Takes lines in.
    fn push(&mut self, py: Python<'_>, lines: &[u8]) -> Result<(), Failure> {
        let Self { log, events, refused } = self;
        let Some(events) = events else {
            return Err(Failure::Refused("the sessions have been cut already".to_owned()));
        };
        py.detach(|| {
            for chunk in LineChunks::new(lines) {
                let chunk = chunk.map_err(|source| Failure::System { source, path: None })?;
                events.take(log, &chunk, refused);
            }
            Ok::<_, Failure>(())
        })?;
        match refused.first.first() {
            Some(refusal) => Err(Failure::Refused(format!("an event is refused: {}", refusal.problem))),
            None => Ok(()),
        }
    }

    /// The sessions, in order of their first events.
    fn finish<'py>(&mut self, py: Python<'py>) -> Result<Columns<'py>, Failure> {
        let Some(events) = self.events.take() else {
            return Err(Failure::Refused("the sessions have been cut already".to_owned()));
        };
        if let Some(record) = self.log.unmapped() {
            return Err(Failure::Refused(format!(
                "no record has an action; action_field= names the member that is one. The first record: {record}"
            )));
        }
        let sessions = py.detach(|| events.finish());
        let label = |label: Option<Label>| match label {
            Some(Label::Normal) => 0,
            Some(Label::Anomalous) => 1,
            None => 255,
        };
        let micros = |time: Option<Time>| time.map_or(i64::MIN, Time::micros);
        let labels: Vec<u8> = sessions.iter().map(|session| label(session.label())).collect();
        Ok((
            texts(py, sessions.iter().map(|session| session.agent())),
            texts(py, sessions.iter().map(|session| session.name())),
            numbers(py, sessions.iter().map(|session| session.actions().len() as i64)),
            texts(py, sessions.iter().flat_map(|session| session.actions())),
            PyBytes::new(py, &labels),
            texts(py, sessions.iter().map(|session| session.group().unwrap_or_default())),
            numbers(py, sessions.iter().map(|session| micros(session.first()))),
            numbers(py, sessions.iter().map(|session| micros(session.last()))),
        ))
    }
}
