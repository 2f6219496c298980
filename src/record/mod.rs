//! Reads samples from JSON lines, strictly: what is not exactly a sample is refused with its line and the reason.

mod json;

use crate::dataset::{Dataset, Label};
use crate::lines::{Line, Lines, MAX_LINE};
use serde_json::value::RawValue;
use std::fmt;
use std::io::{self, BufRead};

/// Longest name of an action, in bytes of UTF-8.
pub const MAX_ACTION: usize = 1024;
/// Most actions in a sequence.
pub const MAX_ACTIONS: usize = 100_000;

/// One line of input: a sequence of actions and what came with it.
///
/// ```text
/// {"id": "optional", "features": {"sequence": ["read", "process", "write"]}, "label": 0}
/// {"sequence": ["read", "process", "write"]}
/// ```
#[derive(Debug, Clone, Default)]
pub struct Record {
    id: Option<Box<RawValue>>,
    group: Option<String>,
    label: Option<Label>,
    text: String,
    ends: Vec<usize>,
}

impl Record {
    /// The `id` as it stands in the input: a string, number or boolean.
    #[must_use]
    pub fn id(&self) -> Option<&RawValue> {
        self.id.as_deref()
    }

    /// The label, if there is one.
    #[must_use]
    pub fn label(&self) -> Option<Label> {
        self.label
    }

    /// The actions of the sequence, in order.
    pub fn actions(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.ends.len()).map(|index| {
            let start = if index == 0 { 0 } else { self.ends[index - 1] };
            &self.text[start..self.ends[index]]
        })
    }

    fn clear(&mut self) {
        self.id = None;
        self.group = None;
        self.label = None;
        self.text.clear();
        self.ends.clear();
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

/// Reads records from JSON lines.
#[derive(Debug)]
pub struct RecordReader<R> {
    lines: Lines<R>,
    group_by: Option<String>,
    ended: bool,
}

impl<R: BufRead> RecordReader<R> {
    /// A reader of the records in `reader`.
    pub fn new(reader: R) -> Self {
        Self {
            lines: Lines::new(reader),
            group_by: None,
            ended: false,
        }
    }

    /// Requires the top-level field `field`, a string, number or boolean, in every record and keeps it as its group.
    #[must_use]
    pub fn group_by(mut self, field: Option<String>) -> Self {
        self.group_by = field;
        self
    }

    /// Number of the line read last, from 1.
    pub fn line(&self) -> u64 {
        self.lines.number()
    }

    /// Reads the next record into `record`; `None` at the end of the input. Blank lines are passed over.
    ///
    /// After a refused line reading goes on with the next one, except after one that is too long: that ends the input.
    ///
    /// # Errors
    ///
    /// If the input cannot be read. Lines that are not records are not errors of this kind but [`Refusal`]s.
    pub fn read(&mut self, record: &mut Record) -> io::Result<Option<Result<(), Refusal>>> {
        while !self.ended {
            let first = self.lines.number() == 0;
            let line = match self.lines.next_line()? {
                Line::End => return Ok(None),
                Line::TooLong => {
                    self.ended = true;
                    let problem = format!(
                        "line longer than {} MiB; one JSON object a line is expected",
                        MAX_LINE >> 20
                    );
                    return Ok(Some(Err(self.refusal(None, problem))));
                }
                Line::Text(line) => line,
            };
            let line = if first { skip_mark(line) } else { line };
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let parsed = json::parse(line, self.group_by.as_deref(), record);
            return Ok(Some(parsed.map_err(|(column, problem)| Refusal {
                line: self.lines.number(),
                column,
                problem,
            })));
        }
        Ok(None)
    }

    fn refusal(&self, column: Option<usize>, problem: String) -> Refusal {
        Refusal {
            line: self.lines.number(),
            column,
            problem,
        }
    }

    /// Reads labelled samples to the end of the input, or until `data` holds `limit` samples, and adds them to `data`.
    /// Calls nothing back: the lines that were refused are returned, at most `keep` of them with their text, together
    /// with their number.
    ///
    /// # Errors
    ///
    /// If the input cannot be read.
    pub fn read_labelled(mut self, data: &mut Dataset, limit: u64, keep: usize) -> io::Result<Refused> {
        let mut record = Record::default();
        let mut refused = Refused::default();
        while (data.len() as u64) < limit
            && let Some(read) = self.read(&mut record)?
        {
            let read = read.and_then(|()| {
                let problem = "\"label\" is missing; each sample needs \"label\": 0 (normal) or 1 (anomalous)";
                record.label.ok_or_else(|| self.refusal(None, problem.to_owned()))
            });
            match read {
                Ok(label) => data.push_grouped(record.actions(), label, record.group.as_deref()),
                Err(refusal) => {
                    refused.count += 1;
                    if refused.first.len() < keep {
                        refused.first.push(refusal);
                    }
                }
            }
        }
        Ok(refused)
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

/// The line without the UTF-8 byte order mark that some editors put at the start of a file.
fn skip_mark(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
}
#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Record, String> {
        let mut record = Record::default();
        match RecordReader::new(line.as_bytes()).read(&mut record).unwrap() {
            Some(Ok(())) => Ok(record),
            Some(Err(refusal)) => Err(refusal.to_string()),
            None => Err("nothing".to_owned()),
        }
    }

    #[test]
    fn a_sample_is_read_whatever_the_order_of_its_fields() {
        for line in [
            r#"{"id": "x\n", "features": {"sequence": ["read", "w\u00e9"]}, "label": 1}"#,
            r#"{"label": 1, "other": {"label": [2]}, "features": {"z": 1, "sequence": ["read", "wé"]}, "id": "x\n"}"#,
            r#"{"\u0069d":"x\n","sequence":["read","wé"],"label":1}"#,
        ] {
            let record = read(line).unwrap();
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
            (r#"["a", "b"]"#, "not an array"),
            (r#"{"sequence": ["a"]} {"sequence": ["b"]}"#, "exactly one"),
            (r#"{"sequence": ["a"]"#, "cut off"),
            (r#"{'sequence': ['a']}"#, "double quotes"),
            (r#"{"sequence": ["\ud800"]}"#, "not valid JSON"),
            (r#"{"sequence": ["a"], "id": {}}"#, "string or a number"),
            (r#"{"sequence": ["a"], "x": NaN}"#, "not valid JSON"),
        ] {
            let message = read(line).unwrap_err();
            assert!(message.contains(expected), "{line}: {message}");
            assert!(message.starts_with("1:"), "{message}");
        }
    }

    #[test]
    fn limits_hold_at_the_limit() {
        let action = |length| format!(r#"{{"sequence": ["{}"]}}"#, "x".repeat(length));
        assert!(read(&action(MAX_ACTION)).is_ok());
        assert!(read(&action(MAX_ACTION + 1)).unwrap_err().contains("1025 bytes"));
        let many = |count| format!(r#"{{"sequence": [{}"a"]}}"#, r#""a","#.repeat(count - 1));
        assert!(read(&many(MAX_ACTIONS)).is_ok());
        assert!(read(&many(MAX_ACTIONS + 1)).unwrap_err().contains("100000"));
    }

    #[test]
    fn a_bad_line_does_not_stop_the_next_and_both_are_counted() {
        let text = "\u{feff}{\"sequence\": [\"a\"], \"label\": 0}\n\nnonsense\n{\"sequence\": [\"a\"]}\n{\"sequence\": [], \"label\": 1}\n";
        let mut data = Dataset::new();
        let refused = RecordReader::new(text.as_bytes())
            .read_labelled(&mut data, u64::MAX, 1)
            .unwrap();
        assert_eq!((data.len(), data.skipped_empty(), refused.count), (1, 1, 2));
        assert_eq!(refused.first.len(), 1);
        assert_eq!(refused.first[0].line, 3);
    }

    #[test]
    fn the_group_is_any_scalar_and_must_be_there() {
        let grouped = |line: &str| {
            let mut record = Record::default();
            let mut reader = RecordReader::new(line.as_bytes()).group_by(Some("task".to_owned()));
            reader.read(&mut record).unwrap().unwrap().map(|()| record.group)
        };
        assert_eq!(
            grouped(r#"{"sequence": ["a"], "task": 5}"#).unwrap().as_deref(),
            Some("5")
        );
        assert_eq!(
            grouped(r#"{"task": "5", "sequence": ["a"]}"#).unwrap().as_deref(),
            Some("\"5\"")
        );
        assert!(grouped(r#"{"sequence": ["a"]}"#).is_err());
        assert!(grouped(r#"{"sequence": ["a"], "task": [1]}"#).is_err());
    }
}
