//! Labelled samples, as columns.

use crate::failure::Failure;
use crate::sequences::{Sequences, json_line, numbers};
use anomaly_train::synthetic::Scenario;
use anomaly_train::{DatasetBuilder, Label, LineChunks, Multiplicity, Run, SampleError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString};
use std::collections::HashMap;

/// Sequences with their labels, and groups and counts if there are any.
#[pyclass(frozen, module = "anomaly_train._native")]
#[derive(Debug, Default)]
pub(crate) struct Samples {
    sequences: Sequences,
    /// `None` of a sample that has none.
    labels: Vec<Option<Label>>,
    groups: Option<Groups>,
    counts: Option<Vec<Multiplicity>>,
}

/// The group of each sample, by its place among the names.
#[derive(Debug, Default)]
struct Groups {
    names: Vec<String>,
    places: HashMap<String, u32>,
    of: Vec<u32>,
}

impl Groups {
    fn push(&mut self, name: String) {
        let next = self.names.len() as u32;
        let place = *self.places.entry(name).or_insert_with_key(|name| {
            self.names.push(name.clone());
            next
        });
        self.of.push(place);
    }
}

impl Samples {
    fn with_fields(group_by: Option<&str>, count_field: Option<&str>) -> Self {
        Self {
            groups: group_by.map(|_| Groups::default()),
            counts: count_field.map(|_| Vec::new()),
            ..Self::default()
        }
    }

    /// Adds a sample as it stands in a line of JSON, but already in Python.
    fn push(
        &mut self,
        row: usize,
        item: &Bound<'_, PyAny>,
        group_by: Option<&str>,
        count_field: Option<&str>,
    ) -> Result<(), Failure> {
        if let Ok(members) = item.cast::<PyDict>()
            && group_by.is_none()
            && count_field.is_none()
            && has_plain_id(members)?
        {
            let label = members.get_item(pyo3::intern!(item.py(), "label"))?;
            let label = match &label {
                None => Some(None),
                Some(label) => plain_label(label).map(Some),
            };
            if let Some(label) = label
                && self.sequences.push_members(members)?
            {
                self.labels.push(label);
                return Ok(());
            }
        }
        let line = json_line(row, item)?;
        for chunk in LineChunks::new(&line[..]) {
            let chunk = chunk.map_err(|source| Failure::System { source, path: None })?;
            // A label may be missing, but not be wrong.
            let has_label = item
                .cast::<PyDict>()
                .is_ok_and(|members| members.contains("label").unwrap_or(true));
            let mut labelled = chunk
                .samples()
                .group_by(group_by)
                .count_field(count_field)
                .unlabelled((!has_label).then_some(Label::Normal));
            let Some(read) = labelled.read_labelled() else {
                continue;
            };
            let sample = read.map_err(|refusal| Failure::row(row, &refusal.problem))?;
            self.sequences.push_names(sample.unlabelled().actions());
            self.labels.push(has_label.then_some(sample.label()));
            if let (Some(groups), Some(group)) = (&mut self.groups, sample.unlabelled().spelled_group()) {
                groups.push(group.to_owned());
            }
            if let Some(counts) = &mut self.counts {
                counts.push(sample.count());
            }
        }
        Ok(())
    }

    /// Adds all samples to `data`. One that has no label has the one that `run` gives it.
    pub(crate) fn add_to(&self, run: &Run, data: &mut DatasetBuilder) -> Result<(), Failure> {
        self.add_with(run.unlabelled(), data)
    }

    /// Adds all samples to `data`, those without a label with `unlabelled`.
    pub(crate) fn add_with(&self, unlabelled: Option<Label>, data: &mut DatasetBuilder) -> Result<(), Failure> {
        for row in 0..self.sequences.len() {
            let label = self.labels[row].or(unlabelled);
            let label = label.ok_or_else(|| Failure::row(row, &SampleError::NoLabel.to_string()))?;
            let group = self
                .groups
                .as_ref()
                .map(|groups| &*groups.names[groups.of[row] as usize]);
            let added = match &self.counts {
                None => data.push(self.sequences.actions(row), label, group),
                Some(counts) => data.push_counted(self.sequences.actions(row), label, group, counts[row]),
            };
            added.map_err(|error: SampleError| Failure::row(row, &error.to_string()))?;
        }
        Ok(())
    }

    pub(crate) fn is_grouped(&self) -> bool {
        self.groups.is_some()
    }

    pub(crate) fn is_counted(&self) -> bool {
        self.counts.is_some()
    }

    fn check_length(&self, what: &str, length: usize) -> Result<(), Failure> {
        let samples = self.sequences.len();
        if length == samples {
            return Ok(());
        }
        Err(Failure::Refused(format!("{length} {what} for {samples} samples")))
    }

    /// Adds columns that stand beside the samples: labels, groups and counts.
    fn beside(
        mut self,
        labels: Option<&Bound<'_, PyAny>>,
        groups: Option<&Bound<'_, PyAny>>,
        counts: Option<&Bound<'_, PyAny>>,
    ) -> Result<Self, Failure> {
        if let Some(labels) = labels {
            self.labels.clear();
            for (row, label) in labels.try_iter()?.enumerate() {
                self.labels.push(Some(label_of(row, &label?)?));
            }
            self.check_length("labels", self.labels.len())?;
        }
        self.labels.resize(self.sequences.len(), None);
        if let Some(groups) = groups {
            let mut all = Groups::default();
            for (row, group) in groups.try_iter()?.enumerate() {
                all.push(group_of(row, &group?)?);
            }
            self.check_length("groups", all.of.len())?;
            self.groups = Some(all);
        }
        if let Some(counts) = counts {
            let mut all = Vec::new();
            for (row, count) in counts.try_iter()?.enumerate() {
                all.push(count_of(row, &count?)?);
            }
            self.check_length("counts", all.len())?;
            self.counts = Some(all);
        }
        Ok(self)
    }
}

#[pymethods]
impl Samples {
    /// Samples as they stand in the lines of a file, with groups and counts in members of theirs or beside them.
    #[staticmethod]
    #[pyo3(signature = (items, *, group_by=None, count_field=None, groups=None, counts=None))]
    fn of_items(
        items: &Bound<'_, PyAny>,
        group_by: Option<&str>,
        count_field: Option<&str>,
        groups: Option<&Bound<'_, PyAny>>,
        counts: Option<&Bound<'_, PyAny>>,
    ) -> Result<Self, Failure> {
        let mut samples = Self::with_fields(group_by, count_field);
        for (row, item) in items.try_iter()?.enumerate() {
            samples.push(row, &item?, group_by, count_field)?;
        }
        samples.beside(None, groups, counts)
    }

    /// Sequences, with labels, groups and counts beside them.
    #[staticmethod]
    #[pyo3(signature = (sequences, labels=None, groups=None, counts=None))]
    fn of_sequences(
        sequences: &Bound<'_, PyAny>,
        labels: Option<&Bound<'_, PyAny>>,
        groups: Option<&Bound<'_, PyAny>>,
        counts: Option<&Bound<'_, PyAny>>,
    ) -> Result<Self, Failure> {
        let samples = Self {
            sequences: Sequences::of_items(sequences)?,
            ..Self::default()
        };
        samples.beside(labels, groups, counts)
    }

    /// Columns of Arrow, see `Sequences::of_arrow`; labels are a byte each, groups the places of theirs among names, counts 64-bit numbers.
    #[staticmethod]
    #[pyo3(signature = (lengths, offsets, text, labels=None, groups=None, counts=None))]
    fn of_arrow(
        py: Python<'_>,
        lengths: &[u8],
        offsets: &[u8],
        text: &[u8],
        labels: Option<&[u8]>,
        groups: Option<(&[u8], Bound<'_, PyList>)>,
        counts: Option<&[u8]>,
    ) -> Result<Self, Failure> {
        let mut samples = Self {
            sequences: Sequences::of_arrow(lengths, offsets, text)?,
            ..Self::default()
        };
        for (row, &label) in labels.unwrap_or_default().iter().enumerate() {
            samples.labels.push(Some(match label {
                0 => Label::Normal,
                1 => Label::Anomalous,
                other => label_of(row, other.into_pyobject(py).map_err(PyErr::from)?.as_any())?,
            }));
        }
        if labels.is_some() {
            samples.check_length("labels", samples.labels.len())?;
        }
        samples.labels.resize(samples.sequences.len(), None);
        if let Some((places, names)) = groups {
            let mut all = Groups::default();
            for (row, name) in names.iter().enumerate() {
                all.names.push(group_of(row, &name)?);
            }
            for (row, place) in numbers(places).into_iter().enumerate() {
                let known = u32::try_from(place)
                    .ok()
                    .filter(|&place| (place as usize) < all.names.len());
                all.of
                    .push(known.ok_or_else(|| Failure::row(row, "the group is missing"))?);
            }
            samples.check_length("groups", all.of.len())?;
            samples.groups = Some(all);
        }
        if let Some(counts) = counts {
            let mut all = Vec::new();
            for (row, count) in numbers(counts).into_iter().enumerate() {
                let count = u64::try_from(count).unwrap_or_default();
                all.push(Multiplicity::try_from(count).map_err(|error| wrong_count(row, &error.to_string()))?);
            }
            samples.check_length("counts", all.len())?;
            samples.counts = Some(all);
        }
        Ok(samples)
    }

    fn __len__(&self) -> usize {
        self.sequences.len()
    }
}

/// Synthetic samples as the command line draws them: their sequences, and a byte for each label.
#[pyfunction]
pub(crate) fn generate<'py>(
    py: Python<'py>,
    scenario: &str,
    num_samples: u64,
    seed: u64,
) -> Result<(Bound<'py, PyList>, Bound<'py, PyBytes>), Failure> {
    let scenario = match scenario {
        "documented" => Scenario::Documented,
        "mixed" => Scenario::Mixed,
        other => {
            return Err(Failure::Refused(format!(
                "no scenario \"{other}\"; expected documented or mixed"
            )));
        }
    };
    let (list, mut labels) = (PyList::empty(py), Vec::new());
    for (sequence, label) in anomaly_train::synthetic::samples(scenario, num_samples, seed) {
        list.append(PyList::new(py, sequence)?)?;
        labels.push(u8::from(label == Label::Anomalous));
    }
    Ok((list, PyBytes::new(py, &labels)))
}

/// Whether the id, if there is one, is what an id may be.
fn has_plain_id(members: &Bound<'_, PyDict>) -> Result<bool, Failure> {
    let id = members.get_item(pyo3::intern!(members.py(), "id"))?;
    Ok(id.is_none_or(|id| id.is_none() || id.is_instance_of::<PyString>() || id.is_instance_of::<PyInt>()))
}

/// A label that is the number 0 or 1, of whatever kind of whole numbers, but not `True`.
fn plain_label(label: &Bound<'_, PyAny>) -> Option<Label> {
    match whole(label)? {
        0 => Some(Label::Normal),
        1 => Some(Label::Anomalous),
        _ => None,
    }
}

/// A whole number of whatever kind, but not `True`.
fn whole(value: &Bound<'_, PyAny>) -> Option<u64> {
    if value.is_instance_of::<PyBool>() || value.is_instance_of::<PyFloat>() || value.is_instance_of::<PyString>() {
        return None;
    }
    value.extract().ok()
}

fn wrong_count(row: usize, problem: &str) -> Failure {
    Failure::row(row, &format!("the count: {problem}"))
}

/// The label that a value is; refused in the words of the command line.
fn label_of(row: usize, label: &Bound<'_, PyAny>) -> Result<Label, Failure> {
    if let Some(label) = plain_label(label) {
        return Ok(label);
    }
    let members = PyDict::new(label.py());
    members.set_item("sequence", PyList::empty(label.py()))?;
    members.set_item("label", label)?;
    let mut samples = Samples::default();
    samples.push(row, &members, None, None)?;
    let label = samples.labels.pop().flatten();
    label.ok_or_else(|| Failure::row(row, &SampleError::NoLabel.to_string()))
}

/// A group as the library spells it: of a string with a quote before it, so that "5" and 5 are two groups.
fn group_of(row: usize, group: &Bound<'_, PyAny>) -> Result<String, Failure> {
    if let Ok(name) = group.cast::<PyString>() {
        let name = name.to_str().map_err(Failure::from)?;
        return Ok(format!("\"{name}"));
    }
    let members = PyDict::new(group.py());
    members.set_item("sequence", PyList::empty(group.py()))?;
    members.set_item("group", group)?;
    let mut samples = Samples::with_fields(Some("group"), None);
    samples.push(row, &members, Some("group"), None)?;
    let names = samples.groups.map(|groups| groups.names).unwrap_or_default();
    names
        .into_iter()
        .next()
        .ok_or_else(|| Failure::row(row, "the group is missing"))
}

/// How many samples one stands for.
fn count_of(row: usize, count: &Bound<'_, PyAny>) -> Result<Multiplicity, Failure> {
    let count = whole(count).ok_or_else(|| wrong_count(row, &format!("expected a whole number, got {count}")))?;
    Multiplicity::try_from(count).map_err(|error| wrong_count(row, &error.to_string()))
}
