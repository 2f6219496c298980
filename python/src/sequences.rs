//! Sequences of actions, taken out of Python at once so that the rest can go on without it.

use crate::failure::Failure;
use anomaly_train::{LineChunks, MAX_ACTION, MAX_ACTIONS};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};
use std::ops::Range;

/// Sequences of actions: one text with all names, and where each name and each sequence ends.
#[derive(Debug, Default)]
pub(crate) struct Sequences {
    text: String,
    /// Where each action ends in the text.
    actions: Vec<usize>,
    /// Where each sequence ends among the actions.
    ends: Vec<usize>,
}

impl Sequences {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The actions of sequence `index`.
    pub(crate) fn actions(&self, index: usize) -> impl Iterator<Item = &str> + Clone {
        let start = |ends: &[usize], index: usize| index.checked_sub(1).map_or(0, |before| ends[before]);
        let range = start(&self.ends, index)..self.ends[index];
        range.map(move |action| &self.text[start(&self.actions, action)..self.actions[action]])
    }

    /// Adds a sequence, if it is a list or tuple of strings that a sample can have; else nothing.
    fn push_plain(&mut self, sequence: &Bound<'_, PyAny>) -> bool {
        let before = (self.text.len(), self.actions.len());
        let added = if let Ok(list) = sequence.cast::<PyList>() {
            list.iter().all(|action| self.push_action(&action))
        } else if let Ok(tuple) = sequence.cast::<PyTuple>() {
            tuple.iter().all(|action| self.push_action(&action))
        } else {
            false
        };
        if added && self.actions.len() - before.1 <= MAX_ACTIONS {
            self.ends.push(self.actions.len());
            return true;
        }
        self.text.truncate(before.0);
        self.actions.truncate(before.1);
        false
    }

    fn push_action(&mut self, action: &Bound<'_, PyAny>) -> bool {
        let Some(name) = action.cast::<PyString>().ok().and_then(|name| name.to_str().ok()) else {
            return false;
        };
        self.text.push_str(name);
        self.actions.push(self.text.len());
        name.len() <= MAX_ACTION
    }

    /// Adds what may be a sample as the command line reads it, a bare sequence, or something that can be made a list; what is refused is
    /// refused in the words of the command line.
    pub(crate) fn push(&mut self, row: usize, sample: &Bound<'_, PyAny>) -> Result<(), Failure> {
        let plain = match sample.cast::<PyDict>() {
            Ok(members) => sequence_of(members)?,
            Err(_) => Some(sample.clone()),
        };
        if plain.is_some_and(|sequence| self.push_plain(&sequence)) {
            return Ok(());
        }
        let line = json_line(row, sample)?;
        for chunk in LineChunks::new(&line[..]) {
            let chunk = chunk.map_err(|source| Failure::System { source, path: None })?;
            if let Some(read) = chunk.samples().read_unlabelled() {
                let sample = read.map_err(|refusal| Failure::row(row, &refusal.problem))?;
                self.push_names(sample.actions());
            }
        }
        Ok(())
    }

    pub(crate) fn push_names<'a>(&mut self, actions: impl Iterator<Item = &'a str>) {
        for action in actions {
            self.text.push_str(action);
            self.actions.push(self.text.len());
        }
        self.ends.push(self.actions.len());
    }

    /// The sequence of the members of a sample, if they are simple enough to be taken as they are.
    pub(crate) fn push_members(&mut self, members: &Bound<'_, PyDict>) -> Result<bool, Failure> {
        Ok(sequence_of(members)?.is_some_and(|sequence| self.push_plain(&sequence)))
    }

    /// All items of an iterable.
    pub(crate) fn of_items(items: &Bound<'_, PyAny>) -> Result<Self, Failure> {
        let mut sequences = Self::default();
        for (row, item) in items.try_iter()?.enumerate() {
            sequences.push(row, &item?)?;
        }
        Ok(sequences)
    }

    /// Columns of Arrow: how many actions each sequence has, where each name ends in the text (one more, the first being its begin), both
    /// as 64-bit numbers in the order of this machine, and the text.
    pub(crate) fn of_arrow(lengths: &[u8], offsets: &[u8], text: &[u8]) -> Result<Self, Failure> {
        let damaged = |what: &str| Failure::Refused(format!("the columns do not fit together: {what}"));
        let offsets = numbers(offsets);
        let (Some(&first), Some(&last)) = (offsets.first(), offsets.last()) else {
            return Err(damaged("no offsets"));
        };
        let range = Range {
            start: usize::try_from(first).map_err(|_| damaged("an offset below 0"))?,
            end: usize::try_from(last).map_err(|_| damaged("an offset below 0"))?,
        };
        let text = text
            .get(range.clone())
            .ok_or_else(|| damaged("an offset behind the text"))?;
        let text = std::str::from_utf8(text).map_err(|_| damaged("a name that is no UTF-8"))?;
        let ends = offsets[1..].iter().map(|&offset| {
            let end = usize::try_from(offset).ok()?.checked_sub(range.start)?;
            text.is_char_boundary(end).then_some(end)
        });
        let actions: Option<Vec<usize>> = ends.collect();
        let actions = actions.ok_or_else(|| damaged("an offset within a character"))?;
        if !actions.is_sorted() {
            return Err(damaged("offsets that go back"));
        }
        let mut sequences = Self {
            text: text.to_owned(),
            actions,
            ends: Vec::new(),
        };
        let mut end = 0_usize;
        for (row, length) in numbers(lengths).into_iter().enumerate() {
            let length = usize::try_from(length).map_err(|_| damaged("a length below 0"))?;
            end = end.saturating_add(length);
            if end > sequences.actions.len() {
                return Err(damaged("more actions than names"));
            }
            sequences.ends.push(end);
            if length > MAX_ACTIONS || sequences.actions(row).any(|name| name.len() > MAX_ACTION) {
                return sequences.refuse(row);
            }
        }
        Ok(sequences)
    }

    /// Refuses the last sequence in the words of the command line.
    fn refuse<T>(&self, row: usize) -> Result<T, Failure> {
        let names: Vec<&str> = self.actions(row).take(MAX_ACTIONS + 1).collect();
        let line = serde_json::to_vec(&names)?;
        for chunk in LineChunks::new(&line[..]).flatten() {
            if let Some(Err(refusal)) = chunk.samples().read_unlabelled() {
                return Err(Failure::row(row, &refusal.problem));
            }
        }
        Err(Failure::row(row, "a sequence that cannot be read"))
    }
}

/// The 64-bit numbers in these bytes.
pub(crate) fn numbers(bytes: &[u8]) -> Vec<i64> {
    let (numbers, _) = bytes.as_chunks();
    numbers.iter().map(|&bytes| i64::from_ne_bytes(bytes)).collect()
}

/// What stands under `sequence`, or under it in `features`, if it stands in one of the two places alone.
fn sequence_of<'py>(members: &Bound<'py, PyDict>) -> Result<Option<Bound<'py, PyAny>>, Failure> {
    let py = members.py();
    let bare = members.get_item(pyo3::intern!(py, "sequence"))?;
    let Some(features) = members.get_item(pyo3::intern!(py, "features"))? else {
        return Ok(bare);
    };
    let Ok(features) = features.cast::<PyDict>() else {
        return Ok(None);
    };
    match bare {
        None => Ok(features.get_item(pyo3::intern!(py, "sequence"))?),
        Some(_) => Ok(None),
    }
}

/// A sample as the line of JSON that the command line would read.
pub(crate) fn json_line(row: usize, sample: &Bound<'_, PyAny>) -> Result<Vec<u8>, Failure> {
    let py = sample.py();
    let options = PyDict::new(py);
    options.set_item("allow_nan", false)?;
    // What is an array of another library says itself what its items are.
    // What is no list or dictionary of Python's own is made one.
    options.set_item("default", py.import("anomaly_train._samples")?.getattr("plain")?)?;
    let dumped = py.import("json")?.call_method("dumps", (sample,), Some(&options));
    let text: String = dumped
        .and_then(|text| text.extract())
        .map_err(|error| Failure::row(row, &error.value(py).to_string()))?;
    Ok(text.into_bytes())
}

/// The bytes of a list of bits, the first the lowest of the first byte.
pub(crate) fn bitmap<'py>(py: Python<'py>, bits: impl ExactSizeIterator<Item = bool>) -> Bound<'py, PyBytes> {
    let mut bytes = vec![0_u8; bits.len().div_ceil(8)];
    for (place, bit) in bits.enumerate() {
        bytes[place / 8] |= u8::from(bit) << (place % 8);
    }
    PyBytes::new(py, &bytes)
}
