//! The reader of JSON lines: whatever the bytes are and however they arrive, it gives one answer for each line that is not
//! blank, always the same, and what it accepts is what another JSON reader finds there.

#![no_main]

use anomaly_train::{DatasetBuilder, Label, LineChunk, LineChunks, MAX_ACTION, MAX_ACTIONS, ReadOptions, Refusal, Refused, read_samples};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use std::io::{self, Read};

/// Gives out the bytes in pieces whose sizes repeat, is interrupted before each fifth, and fails at the end if it is to.
struct Pieces<'a> {
    rest: &'a [u8],
    sizes: [usize; 3],
    reads: usize,
    fails: bool,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reads += 1;
        if self.reads.is_multiple_of(5) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let size = self.sizes[self.reads % 3].min(self.rest.len()).min(buffer.len());
        if size == 0 && self.fails {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        buffer[..size].copy_from_slice(&self.rest[..size]);
        self.rest = &self.rest[size..];
        Ok(size)
    }
}

/// What a line was read as.
#[derive(Debug, PartialEq)]
struct Sample {
    id: Option<String>,
    label: Option<Label>,
    actions: Vec<String>,
}

fn answers(chunks: impl Iterator<Item = LineChunk>, group_by: Option<&str>) -> Vec<Result<Sample, Refusal>> {
    let mut answers = Vec::new();
    for chunk in chunks {
        let mut samples = chunk.samples().group_by(group_by);
        let mut labelled = chunk.samples().group_by(group_by);
        while let Some(read) = samples.read_unlabelled() {
            // The same line, refused also if it has no label.
            let label = labelled.read_labelled().expect("as many lines").ok().map(|sample| sample.label());
            answers.push(read.map(|sample| Sample {
                id: sample.id().map(|id| id.get().to_owned()),
                label,
                actions: sample.actions().map(str::to_owned).collect(),
            }));
        }
    }
    answers
}

/// The lines that are not blank, with their numbers, found in the plainest way.
fn lines(text: &[u8]) -> Vec<(u64, &[u8])> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let (mut lines, mut start, mut number, mut at) = (Vec::new(), 0, 1, 0);
    while at <= text.len() {
        if at == text.len() || text[at] == b'\n' || text[at] == b'\r' {
            if !text[start..at].iter().all(u8::is_ascii_whitespace) {
                lines.push((number, &text[start..at]));
            }
            if text[at..].starts_with(b"\r\n") {
                at += 1;
            }
            start = at + 1;
            number += 1;
        }
        at += 1;
    }
    lines
}

fn check(sample: &Sample, line: &[u8]) {
    assert!(sample.actions.len() <= MAX_ACTIONS);
    assert!(sample.actions.iter().all(|action| action.len() <= MAX_ACTION));
    if let Some(id) = &sample.id {
        let id: Value = serde_json::from_str(id).expect("an id is JSON");
        assert!(id.is_string() || id.is_number() || id.is_boolean());
    }
    // Members that are passed over may hold what the other reader refuses, such as numbers that are too large.
    let Ok(value) = serde_json::from_slice::<Value>(line) else {
        return;
    };
    let nested = value.get("features").and_then(|features| features.get("sequence"));
    let sequence = nested.or(value.get("sequence")).unwrap_or(&value).as_array();
    let expected: Option<Vec<&str>> = sequence.expect("a list").iter().map(Value::as_str).collect();
    assert_eq!(expected.expect("strings"), sample.actions);
    let label = value.get("label").and_then(Value::as_u64);
    assert_eq!(label, sample.label.map(|label| u64::from(u8::from(label))));
    // As the machine-readable text has it, with one spelling for each value.
    let id = sample
        .id
        .as_ref()
        .map(|id| serde_json::from_str(id).expect("checked above"));
    assert_eq!(value.get("id").filter(|id| !id.is_null()), id.as_ref());
}

/// What training makes of the bytes.
fn training(reader: impl Read, group_by: Option<&str>, limit: Option<u64>) -> (String, u64, u64, Vec<Refusal>) {
    let mut samples = DatasetBuilder::new();
    let options = ReadOptions::default().group_by(group_by).limit(limit);
    let read = read_samples(reader, &options, &mut samples).expect("no failure of the reader");
    assert!(limit.is_none_or(|limit| samples.samples() <= limit));
    let (data, refused) = (samples.build(), read.refused);
    assert!(refused.first.len() as u64 == refused.count.min(Refused::KEPT as u64));
    (data.digest(), data.skipped_empty(), refused.count, refused.first)
}

fuzz_target!(|input: &[u8]| {
    let Some((&[choice, a, b, c], text)) = input.split_first_chunk::<4>() else {
        return;
    };
    let group_by = [None, Some("task"), Some("id"), Some("features")][usize::from(choice % 4)];
    let sizes = [a, b, c].map(|size| usize::from(size) % 40 + 1);
    let pieces = |fails| Pieces {
        rest: text,
        sizes,
        reads: 0,
        fails,
    };

    let whole = answers(LineChunks::new(text).map(Result::unwrap), group_by);
    assert_eq!(whole, answers(LineChunks::new(pieces(false)).map(Result::unwrap), group_by));
    let split = LineChunks::new(text).flat_map(|chunk| chunk.unwrap().split(usize::from(a % 8)));
    assert_eq!(whole, answers(split, group_by));

    let lines = lines(text);
    assert_eq!(lines.len(), whole.len());
    for (answer, (number, line)) in whole.iter().zip(lines) {
        match answer {
            Ok(sample) => check(sample, line),
            Err(refusal) => {
                assert_eq!(refusal.line, number);
                assert!(!refusal.problem.is_empty() && !refusal.to_string().contains(char::is_control));
            }
        }
    }

    let limit = (choice & 4 != 0).then_some(u64::from(choice / 8));
    assert_eq!(
        training(text, group_by, limit),
        training(pieces(false), group_by, limit)
    );
    // A stream that fails gives what came before, then the failure, then nothing.
    let mut failing = LineChunks::new(pieces(true));
    assert!(failing.by_ref().any(|chunk| chunk.is_err()));
    assert!(failing.next().is_none());
});
