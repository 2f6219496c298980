//! Tables as text: a header, then rows of values divided by commas or tabs. Each row becomes a record with the names of the
//! header, all values being texts; what is empty is not there.

use crate::input::line_chunks::{LineChunk, MAX_DROPPED, MAX_LINE, Place};
use crate::text::quote;
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use std::collections::BTreeSet;
use std::io::{self, Read};

/// Most bytes that are asked of the stream at once.
const READ: usize = 1 << 16;
/// The byte order mark that some editors put at the start of a file.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// What divides the names in a header: tabs, or else semicolons if there are no commas, as where those are decimal points.
pub(super) fn delimiter_of(header: &[u8]) -> u8 {
    let has = |byte| memchr::memchr(byte, header).is_some();
    if has(b'\t') {
        b'\t'
    } else if has(b';') && !has(b',') {
        b';'
    } else {
        b','
    }
}

/// Reads a table row by row, as an iterator over chunks of rows.
#[derive(Debug)]
pub(super) struct TableRows<R> {
    reader: R,
    buffer: Vec<u8>,
    /// The beginning, until the first line is whole, which says what divides names and values.
    start: Option<Vec<u8>>,
    parser: Box<Reader>,
    delimiter: u8,
    header: Option<Vec<String>>,
    /// The values of the row so far, one after the other, and where each ends.
    row: Vec<u8>,
    ends: Vec<usize>,
    filled: (usize, usize),
    /// The line that the row begins in, and the one that is being read.
    line: u64,
    reading_line: u64,
    /// Whether a row has begun, so that an end of a line may be part of it.
    in_row: bool,
    /// How many bytes have been read since the last row.
    fruitless: u64,
    ended: bool,
    out: LineChunk,
}

impl<R: Read> TableRows<R> {
    pub(super) fn new(reader: R, delimiter: u8) -> Self {
        Self {
            reader,
            buffer: vec![0; READ],
            parser: Box::new(ReaderBuilder::new().delimiter(delimiter).build()),
            delimiter,
            start: Some(Vec::new()),
            header: None,
            row: vec![0; 1024],
            ends: vec![0; 64],
            filled: (0, 0),
            line: 1,
            reading_line: 1,
            in_row: false,
            fruitless: 0,
            ended: false,
            out: LineChunk::default(),
        }
    }

    /// Takes some more bytes; none mean the end.
    fn take(&mut self, bytes: &[u8]) {
        let Some(start) = &mut self.start else {
            return self.parse(bytes);
        };
        start.extend_from_slice(bytes);
        let end = memchr::memchr(b'\n', start);
        if end.is_none() && start.len() < READ && !bytes.is_empty() {
            return;
        }
        let start = self.start.take().unwrap_or_default();
        if self.delimiter == b',' && delimiter_of(&start[..end.unwrap_or(start.len().min(READ))]) == b';' {
            *self.parser = ReaderBuilder::new().delimiter(b';').build();
        }
        let text = start.strip_prefix(BOM).unwrap_or(&start);
        if !text.is_empty() {
            self.parse(text);
        }
        if bytes.is_empty() {
            self.parse(bytes);
        }
    }

    fn parse(&mut self, mut bytes: &[u8]) {
        let at_end = bytes.is_empty();
        loop {
            while !self.in_row
                && let Some((&byte, behind)) = bytes.split_first()
            {
                self.in_row = byte != b'\n' && byte != b'\r';
                if !self.in_row {
                    self.reading_line += u64::from(byte == b'\n');
                    bytes = behind;
                }
                self.line = self.reading_line;
            }
            let (row, ends) = (&mut self.row[self.filled.0..], &mut self.ends[self.filled.1..]);
            let (result, read, written, ended) = self.parser.read_record(bytes, row, ends);
            self.reading_line += memchr::memchr_iter(b'\n', &bytes[..read]).count() as u64;
            bytes = &bytes[read..];
            self.filled.0 += written;
            self.filled.1 += ended;
            match result {
                ReadRecordResult::InputEmpty => {
                    if !at_end {
                        return;
                    }
                }
                ReadRecordResult::OutputFull if self.row.len() > MAX_LINE => {
                    return self.give_up(format!("a row longer than {} MiB; is a quote missing?", MAX_LINE >> 20));
                }
                ReadRecordResult::OutputFull => self.row.resize(2 * self.row.len(), 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                ReadRecordResult::Record => {
                    self.end_row();
                    self.filled = (0, 0);
                    self.in_row = false;
                    if self.out.given_up {
                        return;
                    }
                }
                ReadRecordResult::End => return,
            }
        }
    }

    fn refuse(&mut self, problem: String) {
        self.out.text.push(b'\n');
        self.out.places.push(Place {
            line: self.line,
            column: 1,
            spread: false,
            problem: Some(problem),
        });
    }

    /// Refuses the row, and all that come after it.
    fn give_up(&mut self, problem: String) {
        self.refuse(problem);
        self.out.given_up = true;
        self.ended = true;
    }

    fn end_row(&mut self) {
        let ends = &self.ends[..self.filled.1];
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let values = starts
            .zip(ends)
            .map(|(start, &end)| std::str::from_utf8(&self.row[start..end]));
        let Ok(values) = values.collect::<Result<Vec<&str>, _>>() else {
            return self.refuse("not UTF-8; convert the file to UTF-8".to_owned());
        };
        let Some(header) = &self.header else {
            return self.start(
                &values
                    .into_iter()
                    .map(|name| name.trim().to_owned())
                    .collect::<Vec<_>>(),
            );
        };
        if values.len() != header.len() {
            let (found, expected) = (values.len(), header.len());
            return self.refuse(format!("{found} values, but the header has {expected} names"));
        }
        let named = header.iter().zip(values).filter(|(_, value)| !value.is_empty());
        let object: serde_json::Map<String, serde_json::Value> =
            named.map(|(name, value)| (name.clone(), value.into())).collect();
        // Writing to memory cannot fail.
        let _ = serde_json::to_writer(&mut self.out.text, &object);
        self.out.text.push(b'\n');
        self.out.places.push(Place {
            line: self.line,
            column: 1,
            spread: true,
            problem: None,
        });
    }

    fn start(&mut self, names: &[String]) {
        let mut seen = BTreeSet::new();
        if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
            self.give_up(format!("the header has the name {} twice", quote(twice)));
        }
        self.header = Some(names.to_vec());
    }
}

impl<R: Read> Iterator for TableRows<R> {
    type Item = io::Result<LineChunk>;

    fn next(&mut self) -> Option<io::Result<LineChunk>> {
        while !self.ended {
            let mut buffer = std::mem::take(&mut self.buffer);
            match self.reader.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
                Ok(read) => {
                    self.ended = read == 0;
                    self.take(&buffer[..read]);
                    self.fruitless += read as u64;
                }
            }
            self.buffer = buffer;
            if self.fruitless > MAX_DROPPED && self.out.places.is_empty() {
                self.give_up(format!("no row ends in {} GiB", MAX_DROPPED >> 30));
            }
            if !self.out.places.is_empty() {
                self.fruitless = 0;
                let mut chunk = std::mem::take(&mut self.out);
                chunk.first_line = 1;
                return Some(Ok(chunk));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows and problems with their lines.
    fn rows(text: &[u8]) -> Vec<(u64, String)> {
        let mut found = Vec::new();
        for chunk in TableRows::new(text, b',') {
            let chunk = chunk.unwrap();
            let lines = std::str::from_utf8(&chunk.text).unwrap().lines();
            found.extend(
                lines
                    .zip(&chunk.places)
                    .map(|(line, place)| (place.line, place.problem.clone().unwrap_or_else(|| line.to_owned()))),
            );
        }
        found
    }

    #[test]
    fn a_row_is_an_object_with_the_names_of_the_header() {
        assert_eq!(
            rows("\u{feff}a,b\r\n1,\"x, \"\"y\"\"\nz\"\r\n,2\n\n3,4".as_bytes()),
            [
                (2, r#"{"a":"1","b":"x, \"y\"\nz"}"#.to_owned()),
                (4, r#"{"b":"2"}"#.to_owned()),
                (6, r#"{"a":"3","b":"4"}"#.to_owned()),
            ]
        );
    }

    #[test]
    fn semicolons_divide_where_the_header_has_no_commas() {
        assert_eq!(rows(b"a;b\n1,5;2\n"), [(2, r#"{"a":"1,5","b":"2"}"#.to_owned())]);
        assert_eq!(rows(b"a,b;c\n1,2\n"), [(2, r#"{"a":"1","b;c":"2"}"#.to_owned())]);
    }

    #[test]
    fn rows_that_do_not_fit_their_header_are_refused_with_their_line() {
        let found = rows(b"a,b\n1\n1,2\n\xff,2\n");
        assert_eq!(found.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3, 4]);
        assert!(found[0].1.contains("1 values, but the header has 2 names"));
        assert!(found[2].1.contains("not UTF-8"));
        assert!(rows(b"a,a\n1,2\n")[0].1.contains("twice"));
        let endless = [b"a\n\"".to_vec(), vec![b'x'; MAX_LINE * 2 + 9]].concat();
        assert!(rows(&endless)[0].1.contains("is a quote missing?"));
    }
}
