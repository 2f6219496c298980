//! Reads samples from JSON lines, strictly: what is not exactly a sample is refused with its line and the reason.
//!
//! A [`Sample`] has a label: models are trained and judged on it. An [`UnlabelledSample`] has none, and can only be scored.
//! The same lines can be read as either, so a label that stands in a line must be one in both cases.

mod fast_path;
mod group_field;
mod json;

use group_field::FieldValues;
pub use group_field::GroupField;

use crate::bounds::Multiplicity;
use crate::data::dataset::{DatasetBuilder, SampleError};
use crate::data::label::Label;
use crate::input::line_chunks::{LineChunk, LineChunks};
use crate::input::lines::{Lines, Problem, Refusal, Refused};
use crate::parallel::map_beside;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::io::{self, Read};
use std::iter;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

/// A sequence of actions as it stands in a line, without its label.
///
/// ```text
/// {"id": "optional", "features": {"sequence": ["read", "process", "write"]}}
/// {"sequence": ["read", "process", "write"]}
/// ["read", "process", "write"]
/// ```
#[derive(Debug, Clone, Default)]
pub struct UnlabelledSample<'a> {
    /// The line that it stands in, from 1.
    line: u64,
    id: Option<&'a RawValue>,
    group: Option<String>,
    count: Option<Multiplicity>,
    /// Whether there is a member `count` that was not asked for.
    unused_count: bool,
    actions: Vec<Cow<'a, str>>,
}

/// Members of a line that have a meaning of their own because it was asked for.
#[derive(Debug, Clone, Copy, Default)]
struct Fields<'r> {
    group: Option<&'r str>,
    count: Option<&'r str>,
}

/// The member that is taken for a count that somebody forgot to ask for.
const USUAL_COUNT: &str = "count";

impl<'a> UnlabelledSample<'a> {
    /// The `id` as it stands in the input: a string, number or boolean.
    #[must_use]
    pub fn id(&self) -> Option<&'a RawValue> {
        self.id
    }

    /// The line that it stands in, from 1.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The name of its group, if the field that holds it was asked for.
    #[must_use]
    pub fn group(&self) -> Option<&str> {
        self.group.as_deref().map(crate::input::json::group_name)
    }

    /// The same as [`DatasetBuilder::push`] takes it: a string with a quote before it, anything else as it stands in JSON, so that the
    /// string "5" and the number 5 are two groups.
    #[must_use]
    pub fn spelled_group(&self) -> Option<&str> {
        self.group.as_deref()
    }

    /// The actions of the sequence, in order.
    pub fn actions(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        self.actions.iter().map(AsRef::as_ref)
    }

    fn clear(&mut self) {
        self.id = None;
        self.group = None;
        self.count = None;
        self.unused_count = false;
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

    /// How many samples the line stands for.
    #[must_use]
    pub fn count(self) -> Multiplicity {
        self.unlabelled.count.unwrap_or(Multiplicity::literal(1))
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
    fields: Fields<'a>,
    /// What a line without a label is.
    unlabelled: Option<Label>,
    /// The sample read last.
    sample: UnlabelledSample<'a>,
}

impl LineChunk {
    /// The samples in the lines of this chunk.
    #[must_use]
    pub fn samples(&self) -> SampleReader<'_> {
        SampleReader {
            lines: self.lines(),
            fields: Fields::default(),
            unlabelled: None,
            sample: UnlabelledSample::default(),
        }
    }
}

impl<'a> SampleReader<'a> {
    /// Requires the top-level field `field`, a string, number or boolean, in every sample and keeps it as its group.
    #[must_use]
    pub fn group_by(mut self, field: Option<&'a str>) -> Self {
        self.fields.group = field;
        self
    }

    /// Requires the top-level field `field`, a whole number from 1 to 2^53, in every sample: how many samples it stands for.
    #[must_use]
    pub fn count_field(mut self, field: Option<&'a str>) -> Self {
        self.fields.count = field;
        self
    }

    /// Takes lines without a label for samples with this one, instead of refusing them.
    #[must_use]
    pub fn unlabelled(mut self, label: Option<Label>) -> Self {
        self.unlabelled = label;
        self
    }

    /// Reads the next line that is not blank without its label, or says why it is no sample; `None` after the last.
    pub fn read_unlabelled(&mut self) -> Option<Result<&UnlabelledSample<'a>, Refusal>> {
        let (sample, fields) = (&mut self.sample, self.fields);
        let read = self.lines.read(|line| parse(line, fields, sample))?;
        self.sample.line = self.lines.number();
        Some(read.map(|_| &self.sample))
    }

    /// Reads the next line that is not blank, or says why it is no sample with a label; `None` after the last.
    pub fn read_labelled(&mut self) -> Option<Result<Sample<'_>, Refusal>> {
        let (sample, fields, unlabelled) = (&mut self.sample, self.fields, self.unlabelled);
        let read = self.lines.read(|line| {
            let label = parse(line, fields, sample)?;
            label
                .or(unlabelled)
                .ok_or_else(|| (None, SampleError::NoLabel.to_string()))
        })?;
        self.sample.line = self.lines.number();
        Some(read.map(|label| Sample {
            unlabelled: &self.sample,
            label,
        }))
    }
}

/// Reads `line` into `sample`, and returns the label if there is one.
fn parse<'a>(line: &'a str, fields: Fields<'_>, sample: &mut UnlabelledSample<'a>) -> Result<Option<Label>, Problem> {
    match fast_path::parse(line, fields, sample) {
        Some(label) => Ok(label),
        None => json::parse(line, fields, sample),
    }
}

/// How labelled samples are read; by default all of them, without groups, by one thread.
///
/// ```
/// use anomaly_train::{DatasetBuilder, ReadOptions, read_samples};
///
/// let lines = "{\"sequence\": [\"read\", \"write\"], \"label\": 0, \"user\": 7, \"times\": 3}\n";
/// let options = ReadOptions::default().group_by(Some("user")).count_field(Some("times")).limit(Some(1000));
/// let mut data = DatasetBuilder::new();
/// let read = read_samples(lines.as_bytes(), &options, &mut data)?;
/// assert_eq!((data.samples(), read.refused.count), (3, 0));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadOptions {
    group_by: Option<String>,
    count_field: Option<String>,
    unlabelled: Option<Label>,
    limit: Option<u64>,
    threads: NonZeroUsize,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            group_by: None,
            count_field: None,
            unlabelled: None,
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

    /// The top-level field that says how many samples a line stands for, which every line must have.
    #[must_use]
    pub fn count_field(mut self, field: Option<&str>) -> Self {
        self.count_field = field.map(str::to_owned);
        self
    }

    /// What a sample without a label is; without this it is refused.
    #[must_use]
    pub fn unlabelled(mut self, label: Option<Label>) -> Self {
        self.unlabelled = label;
        self
    }

    fn fields(&self) -> Fields<'_> {
        Fields {
            group: self.group_by.as_deref(),
            count: self.count_field.as_deref(),
        }
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

/// What reading came to, beside the samples.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ReadSummary {
    /// The lines that were refused.
    pub refused: Refused,
    /// Whether lines have a member `count` that was not asked for by [`ReadOptions::count_field`].
    pub unused_count: bool,
    /// A field that looks like the name of a group, if none was asked for by [`ReadOptions::group_by`].
    pub group_field: Option<GroupField>,
    any_good: bool,
}

impl ReadSummary {
    /// Adds what came after.
    pub fn append(&mut self, other: Self) {
        self.refused.append(other.refused);
        self.unused_count |= other.unused_count;
        if self.group_field.is_none() {
            self.group_field = other.group_field;
        }
    }

    fn append_chunk(&mut self, chunk: &LineChunk, read: Self) {
        let any_good = read.any_good;
        self.append(read);
        self.refused.read(chunk, any_good);
    }
}

/// Adds the labelled samples of `reader` to `data`, until its end or the limit.
///
/// # Errors
///
/// If `reader` fails. Lines that are not labelled samples, or for which `data` has no room, are not errors of this kind but
/// [`Refusal`]s.
pub fn read_samples(reader: impl Read, options: &ReadOptions, data: &mut DatasetBuilder) -> io::Result<ReadSummary> {
    let mut chunks = LineChunks::new(reader);
    let mut overlong = false;
    // After a line that is too long the input is refused already: nobody looks for its end.
    let mut chunks = iter::from_fn(|| {
        let chunk = if overlong { None } else { chunks.next() };
        overlong |= matches!(&chunk, Some(Ok(chunk)) if chunk.is_overlong());
        chunk
    });
    let fields = options.fields();
    let mut summary = ReadSummary::default();
    let mut values = FieldValues::default();
    let mut look_at = |chunk: &LineChunk| {
        if fields.group.is_none() {
            values.look_at(chunk);
        }
    };
    if let Some(limit) = options.limit {
        // Nothing behind the last sample that is wanted may count, or be waited for.
        while data.samples() < limit
            && !summary.refused.given_up
            && let Some(chunk) = chunks.next()
        {
            let chunk = chunk?;
            look_at(&chunk);
            summary.append_chunk(&chunk, read_chunk(&chunk, options, limit, data));
        }
        summary.group_field = values.group_field();
        return Ok(summary);
    }
    // Each thread has samples of its own, to which it adds those of one chunk after the other.
    let (empty, parts) = (data.without_samples(), Mutex::new(Vec::new()));
    let parts = || parts.lock().unwrap_or_else(PoisonError::into_inner);
    let parse = |(number, chunk): &(u64, LineChunk)| {
        let part = parts().pop();
        let mut part = part.unwrap_or_else(|| empty.clone());
        part.begin_piece(*number);
        let read = read_chunk(chunk, options, u64::MAX, &mut part);
        parts().push(part);
        read
    };
    let (mut batch, mut ended) = (Vec::new(), Ok(()));
    let mut numbers = data.next_piece()..;
    loop {
        // While some threads work on a batch, this one reads the next.
        let read_next = || read_batch(&mut chunks, options.threads);
        let (read, (next, next_ended)) = map_beside(&batch, options.threads, parse, read_next);
        for ((_, chunk), read) in batch.iter().zip(read) {
            look_at(chunk);
            summary.append_chunk(chunk, read);
            if summary.refused.given_up {
                break;
            }
        }
        let is_last = summary.refused.given_up || ended.is_err() || next.is_empty();
        ended = ended.and(next_ended);
        if is_last {
            break;
        }
        batch = numbers.by_ref().zip(next).collect();
    }
    for part in std::mem::take(&mut *parts()) {
        if let Err(error) = data.absorb(part) {
            summary.refused.push(Refusal {
                line: 1,
                column: None,
                problem: error.to_string(),
            });
            summary.refused.given_up = true;
        }
    }
    data.begin_piece(numbers.start);
    summary.group_field = values.group_field();
    // What is given up is not read to its end.
    if summary.refused.given_up {
        Ok(summary)
    } else {
        ended.map(|()| summary)
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
fn read_chunk(chunk: &LineChunk, options: &ReadOptions, limit: u64, data: &mut DatasetBuilder) -> ReadSummary {
    let mut summary = ReadSummary::default();
    let fields = options.fields();
    let mut samples = chunk
        .samples()
        .group_by(fields.group)
        .count_field(fields.count)
        .unlabelled(options.unlabelled);
    while data.samples() < limit
        && let Some(read) = samples.read_labelled()
    {
        let pushed = read.and_then(|sample| {
            let Sample { unlabelled, label } = sample;
            // The last line may stand for more samples than are wanted.
            let left = limit - data.samples();
            let count = Multiplicity::try_from(left).map_or(sample.count(), |left| left.min(sample.count()));
            let group = unlabelled.group.as_deref();
            summary.unused_count |= unlabelled.unused_count;
            data.push_counted(unlabelled.actions(), label, group, count)
                .map_err(|error| Refusal {
                    line: unlabelled.line,
                    column: None,
                    problem: error.to_string(),
                })
        });
        match pushed {
            Ok(()) => summary.any_good = true,
            Err(refusal) => summary.refused.push(refusal),
        }
    }
    summary
}

#[cfg(test)]
mod tests;
