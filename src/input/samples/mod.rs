//! Reads samples from JSON lines, strictly: what is not exactly a sample is refused with its line and the reason.
//!
//! A [`Sample`] has a label: models are trained and judged on it. An [`UnlabelledSample`] has none, and can only be scored.
//! The same lines can be read as either, so a label that stands in a line must be one in both cases.

mod fast_path;
mod json;

use crate::data::dataset::{Dataset, Label};
use crate::input::line_chunks::{LineChunk, LineChunks};
use crate::input::lines::{Lines, Problem, Refusal, Refused};
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

/// A sequence of actions as it stands in a line, without its label.
///
/// ```text
/// {"id": "optional", "features": {"sequence": ["read", "process", "write"]}}
/// {"sequence": ["read", "process", "write"]}
/// ["read", "process", "write"]
/// ```
#[derive(Debug, Clone, Default)]
pub struct UnlabelledSample<'a> {
    id: Option<&'a RawValue>,
    group: Option<String>,
    actions: Vec<Cow<'a, str>>,
}

impl<'a> UnlabelledSample<'a> {
    /// The `id` as it stands in the input: a string, number or boolean.
    #[must_use]
    pub fn id(&self) -> Option<&'a RawValue> {
        self.id
    }

    /// The actions of the sequence, in order.
    pub fn actions(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        self.actions.iter().map(AsRef::as_ref)
    }

    fn clear(&mut self) {
        self.id = None;
        self.group = None;
        self.actions.clear();
    }
}

/// A sequence of actions with its label.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'r> {
    unlabelled: &'r UnlabelledSample<'r>,
    label: Label,
}

impl<'r> Sample<'r> {
    /// All but the label.
    #[must_use]
    pub fn unlabelled(self) -> &'r UnlabelledSample<'r> {
        self.unlabelled
    }

    /// What the sequence was.
    #[must_use]
    pub fn label(self) -> Label {
        self.label
    }
}

/// Reads the samples of a [`LineChunk`] one after the other.
#[derive(Debug)]
pub struct SampleReader<'a> {
    lines: Lines<'a>,
    group_by: Option<&'a str>,
    /// The sample read last.
    sample: UnlabelledSample<'a>,
}

impl LineChunk {
    /// The samples in the lines of this chunk.
    #[must_use]
    pub fn samples(&self) -> SampleReader<'_> {
        SampleReader {
            lines: self.lines(),
            group_by: None,
            sample: UnlabelledSample::default(),
        }
    }
}

impl<'a> SampleReader<'a> {
    /// Requires the top-level field `field`, a string, number or boolean, in every sample and keeps it as its group.
    #[must_use]
    pub fn group_by(mut self, field: Option<&'a str>) -> Self {
        self.group_by = field;
        self
    }

    /// Reads the next line that is not blank without its label, or says why it is no sample; `None` after the last.
    pub fn read_unlabelled(&mut self) -> Option<Result<&UnlabelledSample<'a>, Refusal>> {
        let (sample, group_by) = (&mut self.sample, self.group_by);
        let read = self.lines.read(|line| parse(line, group_by, sample))?;
        Some(read.map(|_| &self.sample))
    }

    /// Reads the next line that is not blank, or says why it is no sample with a label; `None` after the last.
    pub fn read_labelled(&mut self) -> Option<Result<Sample<'_>, Refusal>> {
        let (sample, group_by) = (&mut self.sample, self.group_by);
        let read = self.lines.read(|line| {
            let label = parse(line, group_by, sample)?;
            label.ok_or_else(|| {
                let problem = "\"label\" is missing; each sample needs \"label\": 0 (normal) or 1 (anomalous)";
                (None, problem.to_owned())
            })
        })?;
        Some(read.map(|label| Sample {
            unlabelled: &self.sample,
            label,
        }))
    }
}

/// Reads `line` into `sample`, and returns the label if there is one.
fn parse<'a>(
    line: &'a str,
    group_by: Option<&str>,
    sample: &mut UnlabelledSample<'a>,
) -> Result<Option<Label>, Problem> {
    match fast_path::parse(line, group_by, sample) {
        Some(label) => Ok(label),
        None => json::parse(line, group_by, sample),
    }
}

/// How labelled samples are read; by default all of them, without groups, by one thread.
///
/// ```
/// use anomaly_train::{Dataset, ReadOptions, read_samples};
///
/// let lines = "{\"sequence\": [\"read\", \"write\"], \"label\": 0, \"user\": 7}\n";
/// let options = ReadOptions::default().group_by(Some("user")).limit(Some(1000));
/// let mut data = Dataset::new();
/// let refused = read_samples(lines.as_bytes(), &options, &mut data)?;
/// assert_eq!((data.len(), refused.count), (1, 0));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadOptions {
    group_by: Option<String>,
    limit: Option<u64>,
    threads: NonZeroUsize,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            group_by: None,
            limit: None,
            threads: NonZeroUsize::MIN,
        }
    }
}

impl ReadOptions {
    /// The top-level field that names the group of a sample, which every sample must have.
    #[must_use]
    pub fn group_by(mut self, field: Option<&str>) -> Self {
        self.group_by = field.map(str::to_owned);
        self
    }

    /// How many samples the data set may hold in the end, those that it held before among them.
    #[must_use]
    pub fn limit(mut self, limit: Option<u64>) -> Self {
        self.limit = limit;
        self
    }

    /// Most threads that share the work, which changes no result.
    #[must_use]
    pub fn threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = threads;
        self
    }
}

/// Bytes for each thread that are read at once.
const BATCH: usize = 2 << 20;

/// Adds the labelled samples of `reader` to `data`, until its end or the limit, and returns the lines that were refused.
///
/// # Errors
///
/// If `reader` fails. Lines that are not labelled samples are not errors of this kind but [`Refusal`]s.
pub fn read_samples(reader: impl Read, options: &ReadOptions, data: &mut Dataset) -> io::Result<Refused> {
    let mut chunks = LineChunks::new(reader);
    let mut overlong = false;
    // After a line that is too long the input is refused already: nobody looks for its end.
    let mut chunks = iter::from_fn(|| {
        let chunk = if overlong { None } else { chunks.next() };
        overlong |= matches!(&chunk, Some(Ok(chunk)) if chunk.is_overlong());
        chunk
    });
    let group_by = options.group_by.as_deref();
    let mut refused = Refused::default();
    if let Some(limit) = options.limit {
        // Nothing behind the last sample that is wanted may count, or be waited for.
        while (data.len() as u64) < limit
            && let Some(chunk) = chunks.next()
        {
            refused.append(read_chunk(&chunk?, group_by, limit, data));
        }
        return Ok(refused);
    }
    let mut batch = Vec::new();
    loop {
        let parse = |chunk: &LineChunk| {
            let mut part = Dataset::new();
            let refused = read_chunk(chunk, group_by, u64::MAX, &mut part);
            (part, refused)
        };
        // While some threads work on a batch, this one reads the next.
        let read_next = || read_batch(&mut chunks, options.threads);
        let (parts, (next, ended)) = map_beside(&batch, options.threads, parse, read_next);
        for (part, in_part) in parts {
            data.append(&part);
            refused.append(in_part);
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
fn read_chunk(chunk: &LineChunk, group_by: Option<&str>, limit: u64, data: &mut Dataset) -> Refused {
    let mut refused = Refused::default();
    let mut samples = chunk.samples().group_by(group_by);
    while (data.len() as u64) < limit
        && let Some(read) = samples.read_labelled()
    {
        match read {
            Ok(Sample { unlabelled, label }) => {
                data.push_grouped(unlabelled.actions(), label, unlabelled.group.as_deref());
            }
            Err(refusal) => refused.push(refusal),
        }
    }
    refused
}

#[cfg(test)]
mod tests;
