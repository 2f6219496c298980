use super::*;
use crate::data::dataset::{MAX_ACTION, MAX_ACTIONS};
use crate::input::line_chunks::take_line;

fn chunk(text: &str) -> LineChunk {
    LineChunk {
        text: text.as_bytes().to_vec(),
        first_line: 1,
        ..LineChunk::default()
    }
}

fn refusal(line: &str) -> Option<String> {
    let chunk = chunk(line);
    let mut samples = chunk.samples();
    let read = samples.read_unlabelled()?;
    read.err().map(|refusal| refusal.to_string())
}

#[test]
fn a_sample_is_read_whatever_the_order_of_its_fields() {
    for line in [
        r#"{"id": "x\n", "features": {"sequence": ["read", "w\u00e9"]}, "label": 1}"#,
        r#"{"label": 1, "other": {"label": [2]}, "features": {"z": 1, "sequence": ["read", "wé"]}, "id": "x\n"}"#,
        r#"{"\u0069d":"x\n","sequence":["read","wé"],"label":1}"#,
    ] {
        let chunk = chunk(line);
        let mut samples = chunk.samples();
        let sample = samples.read_labelled().unwrap().unwrap();
        assert_eq!(sample.label(), Label::Anomalous);
        assert_eq!(sample.unlabelled().actions().collect::<Vec<_>>(), ["read", "wé"]);
        assert_eq!(sample.unlabelled().id().map(RawValue::get), Some(r#""x\n""#));
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
    let mut data = DatasetBuilder::new();
    let refused = read_samples(text.as_bytes(), &ReadOptions::default(), &mut data)
        .unwrap()
        .refused;
    let data = data.build();
    assert_eq!((data.samples(), data.skipped_empty(), refused.count), (1, 1, 2));
    let lines: Vec<u64> = refused.first.iter().map(|refusal| refusal.line).collect();
    assert_eq!(lines, [3, 4]);
}

#[test]
fn the_group_is_any_scalar_and_must_be_there() {
    let grouped = |line: &str| {
        let chunk = chunk(line);
        let mut samples = chunk.samples().group_by(Some("task"));
        let read = samples.read_unlabelled().unwrap();
        read.map(|sample| sample.group.clone())
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
    for limit in [Some(1), Some(100), Some(23_456), None] {
        let read = |threads: usize| {
            let mut data = DatasetBuilder::new();
            let options = ReadOptions::default().group_by(Some("g")).limit(limit);
            let options = options.threads(threads.try_into().unwrap());
            let refused = read_samples(text.as_bytes(), &options, &mut data).unwrap().refused;
            let data = data.build();
            assert_eq!(refused.first.len(), Refused::KEPT.min(refused.count as usize));
            (data.digest(), data.skipped_empty(), refused.count, refused.first)
        };
        assert_eq!(read(1), read(2));
        assert_eq!(read(1), read(7));
    }
}

/// Gives out a line at a time, and fails after the last or has no more ready.
struct Lines<'a> {
    rest: &'a [u8],
    fails: bool,
}

impl Read for Lines<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(line) = take_line(&mut self.rest) else {
            assert!(self.fails, "more was waited for than is wanted");
            return Err(io::ErrorKind::ConnectionReset.into());
        };
        buffer[..line.len()].copy_from_slice(line);
        buffer[line.len()] = b'\n';
        Ok(line.len() + 1)
    }
}

#[test]
fn nothing_behind_the_last_wanted_sample_is_waited_for() {
    let text = "{\"sequence\": [\"a\"], \"label\": 0}\n".repeat(6);
    for threads in [1, 2, 8] {
        let mut data = DatasetBuilder::new();
        let reader = Lines {
            rest: text.as_bytes(),
            fails: false,
        };
        let options = ReadOptions::default().limit(Some(6));
        let read = read_samples(reader, &options.threads(threads.try_into().unwrap()), &mut data);
        assert_eq!((read.unwrap().refused.count, data.samples()), (0, 6));
    }
}

#[test]
fn a_read_that_fails_fails_for_any_number_of_threads_and_only_if_it_is_needed() {
    let text = "{\"sequence\": [\"a\"], \"label\": 0}\n".repeat(100);
    for threads in [1, 2, 8] {
        for limit in [Some(100), Some(101), None] {
            let mut data = DatasetBuilder::new();
            let reader = Lines {
                rest: text.as_bytes(),
                fails: true,
            };
            let options = ReadOptions::default().limit(limit);
            let read = read_samples(reader, &options.threads(threads.try_into().unwrap()), &mut data);
            assert_eq!(read.is_ok(), limit == Some(100));
        }
    }
}
