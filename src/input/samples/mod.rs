//! Reads samples from JSON lines, strictly: what is not exactly a sample is refused with its line and the reason.

mod fast_path;
mod json;

use crate::data::dataset::{Dataset, Label};
use crate::input::line_chunks::{LineChunk, LineChunks};
use crate::input::lines::{Lines, Refusal, Refused};
use crate::parallel::map_beside;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::io::{self, Read};
use std::iter;
use std::num::NonZeroUsize;

/// Longest name of an action, in bytes of UTF-8.
pub const MAX_ACTION: usize = 1024;
/// Most actions in a sequence.
pub const MAX_ACTIONS: usize = 100_000;

/// One line of input: a sequence of actions and what came with it.
///
/// ```text
/// {"id": "optional", "features": {"sequence": ["read", "process", "write"]}, "label": 0}
/// {"sequence": ["read", "process", "write"]}
/// ["read", "process", "write"]
/// ```
#[derive(Debug, Clone, Default)]
pub struct Record<'a> {
    id: Option<&'a RawValue>,
    group: Option<String>,
    label: Option<Label>,
    actions: Vec<Cow<'a, str>>,
}

impl<'a> Record<'a> {
    /// The `id` as it stands in the input: a string, number or boolean.
    #[must_use]
    pub fn id(&self) -> Option<&'a RawValue> {
        self.id
    }

    /// The label, if there is one.
    #[must_use]
    pub fn label(&self) -> Option<Label> {
        self.label
    }

    /// The actions of the sequence, in order.
    pub fn actions(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        self.actions.iter().map(AsRef::as_ref)
    }

    fn clear(&mut self) {
        self.id = None;
        self.group = None;
        self.label = None;
        self.actions.clear();
    }
}

/// Reads the records of a [`LineChunk`] one after the other.
#[derive(Debug)]
pub struct Records<'a> {
    lines: Lines<'a>,
    group_by: Option<&'a str>,
}

impl LineChunk {
    /// The records in the lines of this chunk.
    #[must_use]
    pub fn records(&self) -> Records<'_> {
        Records {
            lines: self.lines(),
            group_by: None,
        }
    }
}

impl<'a> Records<'a> {
    /// Requires the top-level field `field`, a string, number or boolean, in every record and keeps it as its group.
    #[must_use]
    pub fn group_by(mut self, field: Option<&'a str>) -> Self {
        self.group_by = field;
        self
    }

    /// Reads the next record into `record`, or says why its line is none; `None` after the last. Blank lines are passed
    /// over.
    pub fn read(&mut self, record: &mut Record<'a>) -> Option<Result<(), Refusal>> {
        self.lines
            .read(|line| match fast_path::parse(line, self.group_by, record) {
                Some(()) => Ok(()),
                None => json::parse(line, self.group_by, record),
            })
    }
}

/// Bytes for each thread that are read at once.
const BATCH: usize = 2 << 20;

/// Adds the labelled samples of `reader` to `data`, until its end or until `data` holds `limit` samples. `group_by` is the
/// top-level field that names the group of a sample. The first `keep` lines that are refused are returned with their
/// reasons. At most `threads` threads share the work, which changes no result.
///
/// # Errors
///
/// If `reader` fails. Lines that are not labelled samples are not errors of this kind but [`Refusal`]s.
pub fn read_labelled(
    reader: impl Read,
    group_by: Option<&str>,
    data: &mut Dataset,
    limit: u64,
    keep: usize,
    threads: NonZeroUsize,
) -> io::Result<Refused> {
    let mut chunks = LineChunks::new(reader);
    let mut overlong = false;
    // After a line that is too long the input is refused already: nobody looks for its end.
    let mut chunks = iter::from_fn(|| {
        let chunk = if overlong { None } else { chunks.next() };
        overlong |= matches!(&chunk, Some(Ok(chunk)) if chunk.is_overlong());
        chunk
    });
    let mut refused = Refused::default();
    if limit < u64::MAX {
        // Nothing behind the last sample that is wanted may count, or be waited for.
        while (data.len() as u64) < limit
            && let Some(chunk) = chunks.next()
        {
            refused.append(read_chunk(&chunk?, group_by, data, limit, keep), keep);
        }
        return Ok(refused);
    }
    let mut batch = Vec::new();
    loop {
        let parse = |chunk: &LineChunk| {
            let mut part = Dataset::new();
            let refused = read_chunk(chunk, group_by, &mut part, u64::MAX, keep);
            (part, refused)
        };
        // While some threads work on a batch, this one reads the next.
        let (parts, (next, ended)) = map_beside(&batch, threads, parse, || read_batch(&mut chunks, threads));
        for (part, in_part) in parts {
            data.append(&part);
            refused.append(in_part, keep);
        }
        ended?;
        if next.is_empty() {
            return Ok(refused);
        }
        batch = next;
    }
}

/// Reads about as many chunks as keep all threads busy for a while; fewer at the end of the input or before an error.
fn read_batch(
    chunks: &mut impl Iterator<Item = io::Result<LineChunk>>,
    threads: NonZeroUsize,
) -> (Vec<LineChunk>, io::Result<()>) {
    let (mut batch, mut size) = (Vec::new(), 0);
    while size < BATCH * threads.get() {
        match chunks.next() {
            Some(Ok(chunk)) => {
                size += chunk.size();
                batch.push(chunk);
            }
            Some(Err(error)) => return (batch, Err(error)),
            None => break,
        }
    }
    (batch, Ok(()))
}

/// Adds the labelled samples of `chunk` to `data` until it holds `limit`.
fn read_chunk(chunk: &LineChunk, group_by: Option<&str>, data: &mut Dataset, limit: u64, keep: usize) -> Refused {
    let mut record = Record::default();
    let mut refused = Refused::default();
    let mut records = chunk.records().group_by(group_by);
    while (data.len() as u64) < limit
        && let Some(read) = records.read(&mut record)
    {
        match read.and_then(|()| records.label(&record)) {
            Ok(label) => data.push_grouped(record.actions(), label, record.group.as_deref()),
            Err(refusal) => refused.push(refusal, keep),
        }
    }
    refused
}

impl Records<'_> {
    /// The label of the record read last.
    fn label(&self, record: &Record<'_>) -> Result<Label, Refusal> {
        record.label.ok_or_else(|| Refusal {
            line: self.lines.number(),
            column: None,
            problem: "\"label\" is missing; each sample needs \"label\": 0 (normal) or 1 (anomalous)".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests;
