//! Reads samples from JSON lines, strictly: what is not exactly a sample is refused with its line and the reason.

pub(crate) mod json;
mod plain;

use crate::blocks::{Block, Blocks, take_line};
use crate::dataset::{Dataset, Label};
use crate::parallel::map_beside;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read};
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

/// Why a line was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The line, from 1.
    pub line: u64,
    /// The byte in the line near which the trouble was noticed, from 1, where that is known.
    pub column: Option<usize>,
    /// What is wrong and what to do, on one line.
    pub problem: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column {
            Some(column) => write!(f, "{}:{column}: {}", self.line, self.problem),
            None => write!(f, "{}: {}", self.line, self.problem),
        }
    }
}

/// Reads the records of a [`Block`] one after the other.
#[derive(Debug)]
pub struct Records<'a> {
    text: &'a [u8],
    next_line: u64,
    group_by: Option<&'a str>,
}

impl Block {
    /// The records in the lines of this block.
    #[must_use]
    pub fn records(&self) -> Records<'_> {
        let mark = b"\xef\xbb\xbf";
        let text = match self.text.strip_prefix(mark) {
            // Some editors put a byte order mark at the start of a file.
            Some(rest) if self.first_line == 1 => rest,
            _ => &self.text,
        };
        Records {
            text,
            next_line: self.first_line,
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
        loop {
            let line = take_line(&mut self.text)?;
            let number = self.next_line;
            self.next_line += 1;
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let read = json::text(line).and_then(|text| match plain::parse(text, self.group_by, record) {
                Some(()) => Ok(()),
                None => json::parse(text, self.group_by, record),
            });
            return Some(read.map_err(|(column, problem)| Refusal {
                line: number,
                column,
                problem,
            }));
        }
    }
}

/// Blocks for each thread that are read at once.
const BATCH: usize = 8;

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
    let mut blocks = Blocks::new(reader);
    let mut refused = Refused::default();
    let mut read = || {
        blocks
            .by_ref()
            .take(BATCH * threads.get())
            .collect::<io::Result<Vec<Block>>>()
    };
    let mut batch = read()?;
    while !batch.is_empty() {
        let parse = |block: &Block| {
            let mut chunk = Dataset::new();
            let refused = read_block(block, group_by, &mut chunk, u64::MAX, keep);
            (chunk, refused)
        };
        // While some threads work on a batch, this one reads the next.
        let (chunks, next) = map_beside(&batch, threads, parse, &mut read);
        for (block, (chunk, in_chunk)) in batch.iter().zip(chunks) {
            if (data.len() + chunk.len()) as u64 >= limit {
                // Nothing behind the last sample that is wanted may count.
                refused.extend(read_block(block, group_by, data, limit, keep), keep);
                return Ok(refused);
            }
            data.append(&chunk);
            refused.extend(in_chunk, keep);
            // The input is refused already; there is no use in looking for the end of an endless line.
            if block.is_overlong() {
                return Ok(refused);
            }
        }
        batch = next?;
    }
    Ok(refused)
}

/// Adds the labelled samples of `block` to `data` until it holds `limit`.
fn read_block(block: &Block, group_by: Option<&str>, data: &mut Dataset, limit: u64, keep: usize) -> Refused {
    let mut record = Record::default();
    let mut refused = Refused::default();
    let mut records = block.records().group_by(group_by);
    while (data.len() as u64) < limit
        && let Some(read) = records.read(&mut record)
    {
        match read.and_then(|()| records.label(&record)) {
            Ok(label) => data.push_grouped(record.actions(), label, record.group.as_deref()),
            Err(refusal) => {
                refused.count += 1;
                if refused.first.len() < keep {
                    refused.first.push(refusal);
                }
            }
        }
    }
    refused
}

impl Records<'_> {
    /// The label of the record read last.
    fn label(&self, record: &Record<'_>) -> Result<Label, Refusal> {
        record.label.ok_or_else(|| Refusal {
            line: self.next_line - 1,
            column: None,
            problem: "\"label\" is missing; each sample needs \"label\": 0 (normal) or 1 (anomalous)".to_owned(),
        })
    }
}

/// The lines of an input that were refused.
#[derive(Debug, Clone, Default)]
pub struct Refused {
    /// How many there are.
    pub count: u64,
    /// The first of them.
    pub first: Vec<Refusal>,
}

impl Refused {
    fn extend(&mut self, other: Self, keep: usize) {
        self.count += other.count;
        self.first.extend(other.first);
        self.first.truncate(keep);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: NonZeroUsize = NonZeroUsize::MIN;

    fn block(text: &str) -> Block {
        Block {
            text: text.as_bytes().to_vec(),
            first_line: 1,
        }
    }

    fn refusal(line: &str) -> Option<String> {
        let block = block(line);
        let read = block.records().read(&mut Record::default())?;
        read.err().map(|refusal| refusal.to_string())
    }

    #[test]
    fn a_sample_is_read_whatever_the_order_of_its_fields() {
        for line in [
            r#"{"id": "x\n", "features": {"sequence": ["read", "w\u00e9"]}, "label": 1}"#,
            r#"{"label": 1, "other": {"label": [2]}, "features": {"z": 1, "sequence": ["read", "wé"]}, "id": "x\n"}"#,
            r#"{"\u0069d":"x\n","sequence":["read","wé"],"label":1}"#,
        ] {
            let (block, mut record) = (block(line), Record::default());
            block.records().read(&mut record).unwrap().unwrap();
            assert_eq!(record.actions().collect::<Vec<_>>(), ["read", "wé"]);
            assert_eq!(record.label(), Some(Label::Anomalous));
            assert_eq!(record.id().map(RawValue::get), Some(r#""x\n""#));
        }
    }

    #[test]
    fn every_refusal_says_what_is_wrong() {
        for (line, expected) in [
            (r#"{"sequence": ["a"], "label": 2}"#, "label"),
            (r#"{"sequence": ["a"], "label": true}"#, "label"),
            (r#"{"sequence": ["a"], "label": "1"}"#, "found the string \"1\""),
            (r#"{"sequence": ["a"], "label": 1.0}"#, "label"),
            (r#"{"sequence": ["a"], "label": null}"#, "label"),
            (
                r#"{"sequence": ["a"], "label": 0, "label": 1}"#,
                "duplicate key \"label\"",
            ),
            (r#"{"sequence": ["a"], "sequence": ["b"]}"#, "duplicate key"),
            (
                r#"{"sequence": ["a"], "features": {"sequence": ["b"]}}"#,
                "two sequences",
            ),
            (r#"{"sequence": ["a"], "x": 1, "x": 2}"#, "duplicate key \"x\""),
            (r#"{"sequence": "abc"}"#, "array of strings"),
            (r#"{"sequence": null}"#, "array of strings"),
            (r#"{"sequence": ["a", 5]}"#, "sequence[1]"),
            (r#"{"sequence": ["a", null]}"#, "sequence[1]"),
            (r#"{"features": ["a"]}"#, "features"),
            (r#"{"features": {}}"#, "\"sequence\" is missing"),
            (r#"{"label": 0}"#, "\"sequence\" is missing"),
            (r#"[{"sequence": ["a"]}]"#, "not an array"),
            (r#"{"sequence": ["a"]} {"sequence": ["b"]}"#, "exactly one"),
            (r#"{"sequence": ["a"]"#, "cut off"),
            (r#"{'sequence': ['a']}"#, "double quotes"),
            (r#"{"sequence": ["\ud800"]}"#, "not valid JSON"),
            (r#"{"sequence": ["a"], "id": {}}"#, "string or a number"),
            (r#"{"sequence": ["a"], "x": NaN}"#, "not valid JSON"),
        ] {
            let message = refusal(line).unwrap();
            assert!(message.contains(expected), "{line}: {message}");
            assert!(message.starts_with("1:"), "{message}");
        }
    }

    #[test]
    fn limits_hold_at_the_limit() {
        let action = |length| format!(r#"{{"sequence": ["{}"]}}"#, "x".repeat(length));
        assert_eq!(refusal(&action(MAX_ACTION)), None);
        assert!(refusal(&action(MAX_ACTION + 1)).unwrap().contains("1025 bytes"));
        let many = |count| format!(r#"{{"sequence": [{}"a"]}}"#, r#""a","#.repeat(count - 1));
        assert_eq!(refusal(&many(MAX_ACTIONS)), None);
        assert!(refusal(&many(MAX_ACTIONS + 1)).unwrap().contains("100000"));
    }

    #[test]
    fn a_bad_line_does_not_stop_the_next_and_both_are_counted() {
        let text = "\u{feff}{\"sequence\": [\"a\"], \"label\": 0}\n\nnonsense\n{\"sequence\": [\"a\"]}\n{\"sequence\": [], \"label\": 1}\n";
        let mut data = Dataset::new();
        let refused = read_labelled(text.as_bytes(), None, &mut data, u64::MAX, 1, ONE).unwrap();
        assert_eq!((data.len(), data.skipped_empty(), refused.count), (1, 1, 2));
        assert_eq!(refused.first.len(), 1);
        assert_eq!(refused.first[0].line, 3);
    }

    #[test]
    fn the_group_is_any_scalar_and_must_be_there() {
        let grouped = |line: &str| {
            let mut record = Record::default();
            let block = block(line);
            let read = block.records().group_by(Some("task")).read(&mut record).unwrap();
            read.map(|()| record.group)
        };
        assert_eq!(
            grouped(r#"{"sequence": ["a"], "task": 5}"#).unwrap().as_deref(),
            Some("5")
        );
        assert_eq!(
            grouped(r#"{"task": "5", "sequence": ["a"]}"#).unwrap().as_deref(),
            Some("\"5")
        );
        assert!(grouped(r#"{"sequence": ["a"]}"#).is_err());
        assert!(grouped(r#"{"sequence": ["a"], "task": [1]}"#).is_err());
    }

    #[test]
    fn the_number_of_threads_changes_neither_samples_nor_refusals_nor_where_the_limit_falls() {
        let line = |i: usize| match i % 50 {
            7 => "nonsense\n".to_owned(),
            8 => "{\"sequence\": [], \"label\": 0, \"g\": 1}\n".to_owned(),
            _ => format!(
                "{{\"sequence\": [\"a{}\", \"b\"], \"label\": {}, \"g\": \"g{}\"}}\n",
                i % 977,
                i % 2,
                i % 31
            ),
        };
        let text: String = (0..60_000).map(line).collect();
        for limit in [1, 100, 23_456, u64::MAX] {
            let read = |threads: usize| {
                let mut data = Dataset::new();
                let threads = threads.try_into().unwrap();
                let refused = read_labelled(text.as_bytes(), Some("g"), &mut data, limit, 3, threads).unwrap();
                (data.digest(), data.skipped_empty(), refused.count, refused.first)
            };
            assert_eq!(read(1), read(2));
            assert_eq!(read(1), read(7));
        }
    }
}
