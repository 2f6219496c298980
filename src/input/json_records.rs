//! Cuts a stream of JSON into records, however large the documents in it are: the limit is on a record, not on the file.
//!
//! A record is a value at the top, an element of an array at the top, or an element of the array that an [`Envelope`] names. Only
//! strings and brackets are looked at here; whether a record is valid is found out by whoever reads it. Where every document
//! has a line of its own, a line that is cut off costs no other line.

use crate::input::line_chunks::{LineChunk, MAX_DROPPED, MAX_LINE, Place};
use std::io::{self, Read};

/// Most bytes that are asked of the stream at once.
const READ: usize = 1 << 18;
/// Deepest nesting; serde_json reads no deeper records.
const MAX_DEPTH: usize = 256;

/// Where records stand in a document: the names of the members that lead to them, each holding an array, or an object with the next one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Envelope {
    /// For each level the names that its member may have.
    levels: Vec<Vec<String>>,
    /// A member of the elements of the first level that is a record of its own, under this name, since it says something of all
    /// records that follow it in the same element.
    context: Option<&'static str>,
}

impl Envelope {
    /// Without levels, records stand at the top or in arrays there.
    pub(crate) fn new(levels: &[&[&str]], context: Option<&'static str>) -> Self {
        let names = |names: &&[&str]| names.iter().map(ToString::to_string).collect();
        Self {
            levels: levels.iter().map(names).collect(),
            context,
        }
    }
}

/// What the cutter is in the middle of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between the values at the top, or the elements of an array of the envelope.
    Elements,
    /// In an object that may hold the next level, at a key, comma or end.
    Members,
    /// Behind a key of such an object: at the colon.
    Colon,
    /// Behind the colon.
    Value,
    /// In a value of which nothing but the end matters.
    Inside,
    /// Behind something broken: the rest of the line is dropped.
    Broken,
}

/// Reads a stream of JSON record by record, as an iterator over chunks in which every record has a line of its own.
#[derive(Debug)]
pub(crate) struct JsonRecords<R> {
    reader: R,
    buffer: Vec<u8>,
    ended: bool,
    /// How many bytes have been read since the last record.
    fruitless: u64,
    cutter: Cutter,
}

impl<R: Read> JsonRecords<R> {
    pub(crate) fn new(reader: R, envelope: Envelope) -> Self {
        Self {
            reader,
            buffer: vec![0; READ],
            ended: false,
            fruitless: 0,
            cutter: Cutter::new(envelope),
        }
    }
}

impl<R: Read> Iterator for JsonRecords<R> {
    type Item = io::Result<LineChunk>;

    fn next(&mut self) -> Option<io::Result<LineChunk>> {
        while !self.ended {
            match self.reader.read(&mut self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
                Ok(0) => {
                    self.ended = true;
                    self.cutter.end();
                }
                Ok(read) => {
                    self.cutter.take(&self.buffer[..read]);
                    self.fruitless += read as u64;
                }
            }
            if self.fruitless > MAX_DROPPED && self.cutter.out.places.is_empty() {
                self.ended = true;
                self.cutter.give_up();
            }
            if !self.cutter.out.places.is_empty() {
                self.fruitless = 0;
                return Some(Ok(self.cutter.chunk()));
            }
        }
        None
    }
}

/// The state of the work, byte by byte.
#[derive(Debug)]
struct Cutter {
    envelope: Envelope,
    state: State,
    /// For each array and object of the envelope that is open, whether it is an object.
    open: Vec<bool>,
    /// The brackets that are open within the value, each by the one that closes it.
    inside: Vec<u8>,
    in_string: bool,
    escaped: bool,
    /// Whether the string that is being read is a key of an object of the envelope, which is kept.
    key: Option<Vec<u8>>,
    /// The name of the member whose value is read, if it leads on or is the context.
    named: Named,
    /// What was read of the record, or of the object that may be one or lead to some.
    record: Vec<u8>,
    keeps: bool,
    /// Where the record begins.
    place: Place,
    too_long: bool,
    line: u64,
    /// How many bytes of the stream lie before the line.
    line_start: u64,
    at: u64,
    /// Whether each document has a line of its own, once that is known.
    lines: Option<bool>,
    /// Whether there was a record yet.
    any: bool,
    out: LineChunk,
}

/// What the name of a member means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    Nothing,
    Next,
    Context,
}

impl Cutter {
    fn new(envelope: Envelope) -> Self {
        Self {
            envelope,
            state: State::Elements,
            open: Vec::new(),
            inside: Vec::new(),
            in_string: false,
            escaped: false,
            key: None,
            named: Named::Nothing,
            record: Vec::new(),
            keeps: false,
            place: Place::default(),
            too_long: false,
            line: 1,
            line_start: 0,
            at: 0,
            lines: None,
            any: false,
            out: LineChunk {
                first_line: 1,
                ..LineChunk::default()
            },
        }
    }

    /// The records since the last chunk.
    fn chunk(&mut self) -> LineChunk {
        let next = LineChunk {
            first_line: 1,
            ..LineChunk::default()
        };
        self.out.end = self.at;
        std::mem::replace(&mut self.out, next)
    }

    /// Level of the envelope: how many of its arrays are open.
    fn level(&self) -> usize {
        self.open.iter().filter(|&&object| object).count()
    }

    fn take(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(&byte) = rest.first() {
            // Most bytes are of strings and of nested values, where few bytes matter.
            let plain = if self.state == State::Broken {
                memchr::memchr(b'\n', rest).unwrap_or(rest.len())
            } else if self.in_string && !self.escaped {
                memchr::memchr3(b'"', b'\\', b'\n', rest).unwrap_or(rest.len())
            } else if self.state == State::Inside && !self.in_string && !self.inside.is_empty() {
                let matters = |byte: &u8| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']' | b'\n' | b',');
                rest.iter().position(matters).unwrap_or(rest.len())
            } else {
                0
            };
            if plain > 0 {
                self.keep(&rest[..plain]);
                self.at += plain as u64;
                rest = &rest[plain..];
                continue;
            }
            self.step(byte);
            self.at += 1;
            if byte == b'\n' {
                self.line += 1;
                self.line_start = self.at;
            }
            rest = &rest[1..];
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        if let Some(key) = &mut self.key {
            key.extend_from_slice(bytes);
        }
        if self.keeps && !self.too_long {
            self.record.extend_from_slice(bytes);
            if self.record.len() > MAX_LINE {
                self.too_long = true;
                self.record.clear();
            }
        }
    }

    fn step(&mut self, byte: u8) {
        if byte == b'\n' {
            return self.line_end();
        }
        if self.in_string {
            return self.in_string(byte);
        }
        match self.state {
            State::Elements => self.in_elements(byte),
            State::Members => self.in_members(byte),
            State::Colon => match byte {
                b':' => {
                    self.keep(b":");
                    self.state = State::Value;
                }
                _ if byte.is_ascii_whitespace() => self.keep(&[byte]),
                _ => self.broken("a colon is missing behind a name"),
            },
            State::Value => self.in_value(byte),
            State::Inside => self.inside(byte),
            State::Broken => {}
        }
    }

    fn line_end(&mut self) {
        let between = self.state == State::Elements && self.open.is_empty();
        if self.state == State::Broken {
            self.reset();
        } else if self.in_string {
            self.broken("a string is cut off");
            self.reset();
        } else if self.state == State::Inside && self.inside.is_empty() {
            // A number or word ends here.
            self.end_value();
        } else if !between && self.lines == Some(true) {
            self.broken("the line is cut off");
            self.reset();
        } else if !between {
            self.lines = Some(false);
            self.place.spread = true;
            self.keep(b" ");
        }
        // The first thing that is whole at the end of a line of its own says how the others are.
        if self.lines.is_none() && self.state == State::Elements && self.open.is_empty() && self.any {
            self.lines = Some(true);
        }
    }

    fn in_string(&mut self, byte: u8) {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = true,
            b'"' => {
                self.in_string = false;
                if let Some(key) = self.key.take() {
                    self.keep(b"\"");
                    self.name(&key);
                    return;
                }
                self.keep(b"\"");
                if self.inside.is_empty() {
                    self.end_value();
                }
                return;
            }
            _ => {}
        }
        self.keep(&[byte]);
    }

    /// At the top, or in an array of the envelope.
    fn in_elements(&mut self, byte: u8) {
        match byte {
            b']' if self.open.last() == Some(&false) => {
                self.open.pop();
                self.state = if self.open.is_empty() {
                    State::Elements
                } else {
                    State::Members
                };
            }
            b',' if !self.open.is_empty() => {}
            _ if byte.is_ascii_whitespace() => {}
            // The byte order mark that some editors put at the start of a file.
            0xef | 0xbb | 0xbf if self.at < 3 => self.line_start = self.at + 1,
            b'[' if self.open.is_empty() => self.open.push(false),
            b'{' => {
                let level = self.level();
                self.begin(level >= self.envelope.levels.len() || level == 0);
                if level < self.envelope.levels.len() {
                    if level == 1
                        && let Some(name) = self.envelope.context
                    {
                        self.out
                            .text
                            .extend_from_slice(format!("{{\"{name}\":null}}\n").as_bytes());
                        self.out.places.push(self.place.clone());
                    }
                    self.keep(b"{");
                    self.open.push(true);
                    self.state = State::Members;
                } else {
                    self.start_inside(byte);
                }
            }
            b']' | b'}' => self.broken("a bracket is closed that is not open"),
            b',' | b':' => self.broken("a value is missing"),
            _ => {
                self.begin(true);
                self.start_inside(byte);
            }
        }
    }

    /// A record may begin here.
    fn begin(&mut self, keeps: bool) {
        self.place = Place {
            line: self.line,
            column: (self.at - self.line_start) as usize + 1,
            spread: false,
            problem: None,
        };
        self.record.clear();
        self.too_long = false;
        self.keeps = keeps;
    }

    fn start_inside(&mut self, byte: u8) {
        self.state = State::Inside;
        match byte {
            b'"' => {
                self.in_string = true;
                self.keep(b"\"");
            }
            _ => self.inside(byte),
        }
    }

    /// In an object that may lead on.
    fn in_members(&mut self, byte: u8) {
        match byte {
            b'"' => {
                self.keep(b"\"");
                self.in_string = true;
                self.key = Some(Vec::new());
            }
            b',' => self.keep(b","),
            b'}' => {
                self.keep(b"}");
                self.open.pop();
                self.state = if self.open.last() == Some(&true) {
                    State::Members
                } else {
                    State::Elements
                };
                if self.keeps && self.level() == 0 {
                    self.emit();
                }
                self.keeps = false;
            }
            _ if byte.is_ascii_whitespace() => self.keep(&[byte]),
            _ => self.broken("a name in double quotes is missing"),
        }
    }

    fn name(&mut self, key: &[u8]) {
        let level = self.level() - 1;
        let next = self.envelope.levels.get(level);
        self.named = if next.is_some_and(|names| names.iter().any(|name| name.as_bytes() == key)) {
            Named::Next
        } else if level == 1 && self.envelope.context.is_some_and(|name| name.as_bytes() == key) {
            Named::Context
        } else {
            Named::Nothing
        };
        self.state = State::Colon;
    }

    fn in_value(&mut self, byte: u8) {
        if byte.is_ascii_whitespace() {
            return self.keep(&[byte]);
        }
        let leads_on =
            self.named == Named::Next && (byte == b'[' || byte == b'{' && self.level() < self.envelope.levels.len());
        if leads_on {
            self.keeps = false;
            self.record.clear();
            self.named = Named::Nothing;
            self.open.push(byte == b'{');
            self.state = if byte == b'{' { State::Members } else { State::Elements };
            return;
        }
        if self.named == Named::Context {
            self.begin(true);
            let name = self.envelope.context.unwrap_or_default();
            self.keep(format!("{{\"{name}\":").as_bytes());
        }
        self.start_inside(byte);
    }

    /// In a value of which nothing but the end matters.
    fn inside(&mut self, byte: u8) {
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' if self.inside.len() >= MAX_DEPTH => return self.broken("JSON nested too deeply"),
            b'{' => self.inside.push(b'}'),
            b'[' => self.inside.push(b']'),
            b'}' | b']' | b',' if self.inside.is_empty() => {
                // A number or word ended before it.
                self.end_value();
                return self.step(byte);
            }
            b'}' | b']' => {
                if self.inside.pop() != Some(byte) {
                    return self.broken("a bracket is closed that is not open");
                }
                self.keep(&[byte]);
                if self.inside.is_empty() {
                    self.end_value();
                }
                return;
            }
            _ if self.inside.is_empty() && byte.is_ascii_whitespace() => return self.end_value(),
            _ => {}
        }
        self.keep(&[byte]);
    }

    /// A value is whole.
    fn end_value(&mut self) {
        if self.open.last() == Some(&true) {
            if self.named == Named::Context {
                self.keep(b"}");
                self.emit();
            }
            self.named = Named::Nothing;
            self.state = State::Members;
        } else {
            self.emit();
            self.state = State::Elements;
        }
    }

    /// Hands the record out.
    fn emit(&mut self) {
        let mut place = self.place.clone();
        self.any = true;
        if self.too_long {
            let limit = MAX_LINE >> 20;
            place.problem = Some(format!("a record longer than {limit} MiB; leave it out or split it"));
            self.record.clear();
        }
        // A record is a line to its reader, so nothing in it may end one.
        if let Some(at) = memchr::memchr(b'\r', &self.record) {
            self.record[at..]
                .iter_mut()
                .filter(|byte| **byte == b'\r')
                .for_each(|byte| *byte = b' ');
        }
        self.out.text.append(&mut self.record);
        self.out.text.push(b'\n');
        self.out.places.push(place);
        (self.keeps, self.too_long) = (false, false);
    }

    /// Says that what is being read is broken, and drops what comes up to the end of the line.
    fn broken(&mut self, what: &str) {
        let column = (self.at - self.line_start) as usize + 1;
        self.out.text.push(b'\n');
        self.out.places.push(Place {
            line: self.line,
            column,
            spread: false,
            problem: Some(format!("not valid JSON: {what}")),
        });
        self.state = State::Broken;
    }

    /// Says that nothing more is expected of the stream.
    fn give_up(&mut self) {
        self.broken(&format!("no record ends in {} GiB", MAX_DROPPED >> 30));
        self.out.given_up = true;
    }

    /// Starts anew behind the end of a line.
    fn reset(&mut self) {
        self.state = State::Elements;
        self.open.clear();
        self.inside.clear();
        (self.in_string, self.escaped, self.key) = (false, false, None);
        (self.keeps, self.too_long) = (false, false);
        self.record.clear();
    }

    /// The stream has ended.
    fn end(&mut self) {
        if self.state == State::Inside && self.inside.is_empty() && !self.in_string {
            self.end_value();
        }
        if self.state != State::Broken && (self.state != State::Elements || !self.open.is_empty()) {
            self.broken("the document is cut off");
        }
        self.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_top() -> Envelope {
        Envelope::default()
    }

    fn records() -> Envelope {
        Envelope::new(&[&["Records"]], None)
    }

    fn spans() -> Envelope {
        Envelope::new(&[&["resourceSpans"], &["scopeSpans"], &["spans"]], Some("resource"))
    }

    /// The records and problems of `text`, read `step` bytes at a time, with line and column.
    fn cut(text: &str, envelope: Envelope, step: usize) -> Vec<(u64, usize, String)> {
        struct Slow<'a>(&'a [u8], usize);
        impl Read for Slow<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let count = self.1.min(self.0.len()).min(buffer.len());
                buffer[..count].copy_from_slice(&self.0[..count]);
                self.0 = &self.0[count..];
                Ok(count)
            }
        }
        let mut found = Vec::new();
        for chunk in JsonRecords::new(Slow(text.as_bytes(), step), envelope) {
            let chunk = chunk.unwrap();
            let lines: Vec<&str> = std::str::from_utf8(&chunk.text).unwrap().lines().collect();
            assert_eq!(lines.len(), chunk.places.len(), "{text}");
            for (line, place) in lines.into_iter().zip(&chunk.places) {
                let text = place.problem.clone().unwrap_or_else(|| line.to_owned());
                found.push((place.line, place.column, text));
            }
        }
        found
    }

    fn assert_cut(text: &str, envelope: Envelope, expected: &[(u64, usize, &str)]) {
        for step in [1, 2, 3, 7, 1000] {
            let found = cut(text, envelope.clone(), step);
            let found: Vec<_> = found
                .iter()
                .map(|(line, column, text)| (*line, *column, &**text))
                .collect();
            assert_eq!(found, expected, "{text} by {step}");
        }
    }

    #[test]
    fn values_at_the_top_and_elements_of_arrays_there_are_records() {
        assert_cut(
            "\u{feff}{\"a\":[1,\"}\\\"\"]}\n[1]\n",
            at_top(),
            &[(1, 1, "{\"a\":[1,\"}\\\"\"]}"), (2, 2, "1")],
        );
        assert_cut(
            "[{\"a\":1}, {\"b\":{}},\n [true], \"x\"] 7\nnull",
            at_top(),
            &[
                (1, 2, "{\"a\":1}"),
                (1, 11, "{\"b\":{}}"),
                (2, 2, "[true]"),
                (2, 10, "\"x\""),
                (2, 15, "7"),
                (3, 1, "null"),
            ],
        );
        assert_cut(
            "{\n \"a\": 1\n}\n{\n}",
            at_top(),
            &[(1, 1, "{  \"a\": 1 }"), (4, 1, "{ }")],
        );
        assert_cut(
            "-1 2 -\"a",
            at_top(),
            &[
                (1, 1, "-1"),
                (1, 4, "2"),
                (1, 9, "not valid JSON: the document is cut off"),
            ],
        );
        assert_cut(" \n\n", at_top(), &[]);
        assert_cut(
            "[\r\n{\r\n\"b\":\r\n2}]\r\n{\"a\": 1}\r\n",
            at_top(),
            &[(2, 1, "{  \"b\":  2}"), (5, 1, "{\"a\": 1}")],
        );
    }

    #[test]
    fn an_envelope_is_opened_wherever_its_member_stands_and_what_has_none_is_a_record() {
        assert_cut(
            "{\"n\": {\"Records\": [0]}, \"Records\" : [{\"a\":1},{\"b\":2}], \"more\": [3]}",
            records(),
            &[(1, 38, "{\"a\":1}"), (1, 46, "{\"b\":2}")],
        );
        assert_cut(
            "{\"a\": 1, \"Records\": 2}\n{\"Records\": []}\n",
            records(),
            &[(1, 1, "{\"a\": 1, \"Records\": 2}")],
        );
    }

    #[test]
    fn objects_may_lead_to_the_array_that_holds_the_records() {
        let hits = Envelope::new(&[&["hits"], &["hits"]], None);
        assert_cut(
            "{\"took\":1,\"hits\":{\"total\":{\"hits\":[0]},\"hits\":[{\"a\":1}, {\"b\":[2]}],\"x\":3},\"y\":[4]}\n{\"hits\":[{\"hits\":[5]}]}",
            hits,
            &[(1, 48, "{\"a\":1}"), (1, 57, "{\"b\":[2]}"), (2, 19, "5")],
        );
    }

    #[test]
    fn a_context_is_a_record_before_those_that_it_speaks_for() {
        assert_cut(
            r#"{"resourceSpans":[{"resource":{"x":1},"scopeSpans":[{"spans":[{"a":1}]},{"spans":[{"a":2}]}]},{"scopeSpans":[{"scope":{},"spans":[{"a":3}]}]}]}"#,
            spans(),
            &[
                (1, 19, "{\"resource\":null}"),
                (1, 31, "{\"resource\":{\"x\":1}}"),
                (1, 63, "{\"a\":1}"),
                (1, 83, "{\"a\":2}"),
                (1, 95, "{\"resource\":null}"),
                (1, 131, "{\"a\":3}"),
            ],
        );
    }

    #[test]
    fn a_line_that_is_cut_or_broken_costs_no_other_line() {
        for (bad, column, problem) in [
            ("{\"a\": {\"b\": ", 13, "the line is cut off"),
            ("{\"a\": \"b", 9, "a string is cut off"),
            ("{\"a\": [1}", 9, "a bracket is closed that is not open"),
            ("[{\"a\": 1}", 0, ""),
            ("]", 1, "a bracket is closed that is not open"),
            ("}1", 1, "a bracket is closed that is not open"),
            (", 5", 1, "a value is missing"),
            ("{\"a\": 1},", 9, "a value is missing"),
        ] {
            let text = format!("{{\"x\":1}}\n{bad}\n{{\"y\":2}}\n");
            let mut found = cut(&text, at_top(), 1000);
            assert_eq!(found.remove(0), (1, 1, "{\"x\":1}".to_owned()));
            assert_eq!(found.pop(), Some((3, 1, "{\"y\":2}".to_owned())), "{bad}");
            let last = found.pop().unwrap();
            if column > 0 {
                assert_eq!(last, (2, column, format!("not valid JSON: {problem}")));
            }
        }
        assert_cut(
            "{\"Records\": [{\"a\":1},{\"b\":",
            records(),
            &[(1, 14, "{\"a\":1}"), (1, 27, "not valid JSON: the document is cut off")],
        );
    }

    #[test]
    fn a_record_that_is_too_long_is_said_and_the_next_one_is_read() {
        let text = format!("{{\"Records\":[{{\"a\":\"{}\"}},{{\"b\":2}}]}}", "x".repeat(MAX_LINE));
        let found = cut(&text, records(), READ);
        assert!(found[0].2.starts_with("a record longer than 16 MiB"));
        assert_eq!((found.len(), found[1].2.as_str()), (2, "{\"b\":2}"));
    }
}
