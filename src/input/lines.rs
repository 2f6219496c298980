//! The lines of a chunk one by one, and what is said of those that are refused: the same for every format of lines.

use crate::input::line_chunks::{LineChunk, MAX_BLANK, MAX_LINE, Place, take_line};
use std::fmt;

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

/// The lines of an input that were refused.
#[derive(Debug, Clone, Default)]
pub struct Refused {
    /// How many there are.
    pub count: u64,
    /// The first [`Refused::KEPT`] of them.
    pub first: Vec<Refusal>,
    /// Whether the input was given up behind the last of them, so that nobody knows how many there would have been.
    pub given_up: bool,
    /// How many bytes have been read since the last line that was not refused.
    useless: u64,
}

impl Refused {
    /// How many refusals of an input are kept to be shown.
    pub const KEPT: usize = 20;

    /// Counts one more line.
    pub(crate) fn push(&mut self, refusal: Refusal) {
        self.count += 1;
        if self.first.len() < Self::KEPT {
            self.first.push(refusal);
        }
    }

    /// Counts the lines of `other`, which came after these.
    pub(crate) fn append(&mut self, other: Self) {
        self.count += other.count;
        self.first.extend(other.first);
        self.first.truncate(Self::KEPT);
        self.given_up |= other.given_up;
    }

    /// Notes that `chunk` has been read, and whether any of its lines was good. An input that is refused already is given up
    /// where nothing good has come for as long as white space may go on, and after a line that is too long.
    pub(crate) fn read(&mut self, chunk: &LineChunk, any_good: bool) {
        self.useless = if any_good {
            0
        } else {
            self.useless + chunk.size() as u64
        };
        self.given_up |= self.count > 0 && (self.useless > MAX_BLANK || chunk.is_overlong() || chunk.given_up);
    }
}

/// What is wrong with a line: the column, from 1, if it is known, and the problem.
pub(crate) type Problem = (Option<usize>, String);

/// The lines of a chunk that are not blank, one after the other.
#[derive(Debug)]
pub(crate) struct Lines<'a> {
    rest: &'a [u8],
    /// Number of the line that was read last, from 1.
    number: u64,
    /// Where it begins, from 1, if it is a record; 0 else.
    column: usize,
    /// Whether it is still to be said that the input was given up behind these lines.
    given_up: bool,
    /// Where each line begins, if the lines are not those of the stream.
    places: &'a [Place],
}

impl LineChunk {
    /// The lines of this chunk, without the byte order mark that some editors put at the start of a file.
    pub(crate) fn lines(&self) -> Lines<'_> {
        let rest = match self.text.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) if self.first_line == 1 && self.places.is_empty() => rest,
            _ => &self.text,
        };
        Lines {
            rest,
            number: self.first_line - 1,
            column: 0,
            // A record that is none says it itself.
            given_up: self.given_up && self.places.is_empty(),
            places: &self.places,
        }
    }
}

impl<'a> Lines<'a> {
    /// Reads the next line that is not blank by `parse`; `None` after the last. An input that was given up ends with a refusal.
    pub(crate) fn read<T>(&mut self, parse: impl FnOnce(&'a str) -> Result<T, Problem>) -> Option<Result<T, Refusal>> {
        loop {
            let Some(line) = take_line(&mut self.rest) else {
                return std::mem::take(&mut self.given_up).then(|| Err(self.nothing_but_blanks()));
            };
            self.number += 1;
            let place = self.places.split_off_first();
            if let Some(place) = place {
                (self.number, self.column) = (place.line, place.column);
                if let Some(problem) = &place.problem {
                    return Some(Err(refusal_at(place, None, problem.clone())));
                }
            }
            // The rest of a line that is too long has been dropped and may hold something.
            if line.len() <= MAX_LINE && line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            return Some(text(line).and_then(parse).map_err(|(column, problem)| match place {
                Some(place) => refusal_at(place, column, problem),
                None => Refusal {
                    line: self.number,
                    column,
                    problem,
                },
            }));
        }
    }

    fn nothing_but_blanks(&self) -> Refusal {
        Refusal {
            line: self.number,
            column: None,
            problem: format!(
                "more than {} MiB in a row hold nothing but white space; name another file, or remove the blank lines",
                MAX_BLANK >> 20
            ),
        }
    }

    /// The number of the line that was read last.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The byte in its line at which the record begins that was read last, from 1; 0 where lines are lines.
    pub(crate) fn column(&self) -> usize {
        self.column
    }

    /// The number of the line that comes next, if it is not blank.
    pub(crate) fn next_number(&self) -> u64 {
        self.places.first().map_or(self.number + 1, |place| place.line)
    }

    /// How many bytes have not been read yet.
    pub(crate) fn unread(&self) -> usize {
        self.rest.len()
    }
}

/// A refusal of the record at `place`, the trouble being at byte `column` of it.
fn refusal_at(place: &Place, column: Option<usize>, problem: String) -> Refusal {
    let column = column.filter(|_| !place.spread).unwrap_or(1);
    Refusal {
        line: place.line,
        column: Some(place.column + column - 1),
        problem,
    }
}

/// What gzip (within a file), zstd, xz, 7z, bzip2 and zip start with.
const COMPRESSED: [&[u8]; 6] = [
    b"\x1f\x8b",
    b"\x28\xb5\x2f\xfd",
    b"\xfd7zXZ",
    b"7z\xbc\xaf",
    b"BZh",
    b"PK\x03\x04",
];

/// The line as text, unless it is too long or no UTF-8.
fn text(line: &[u8]) -> Result<&str, Problem> {
    if line.len() > MAX_LINE {
        let limit = MAX_LINE >> 20;
        return Err((
            None,
            format!("line longer than {limit} MiB; one JSON object a line is expected"),
        ));
    }
    if !line.starts_with(b"{") && COMPRESSED.iter().any(|start| line.starts_with(start)) {
        return Err((None, "compressed data inside the file; decompress it first".to_owned()));
    }
    std::str::from_utf8(line).map_err(|error| {
        let byte = error.valid_up_to() + 1;
        if line.starts_with(b"\xff\xfe") || line.starts_with(b"\xfe\xff") {
            (None, "the file is UTF-16; convert it to UTF-8".to_owned())
        } else {
            (
                Some(byte),
                format!("not UTF-8 at byte {byte} of the line; convert the file to UTF-8"),
            )
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_line_of_a_file_may_start_with_a_byte_order_mark_and_blank_lines_count_but_are_not_read() {
        let read = |first_line| {
            let chunk = LineChunk {
                text: "\u{feff}a\n\n \t\r\nb".as_bytes().to_vec(),
                first_line,
                ..LineChunk::default()
            };
            let (mut lines, mut found) = (chunk.lines(), Vec::new());
            while let Some(line) = lines.read(|line| Ok(line.to_owned())) {
                found.push((lines.number(), line.unwrap()));
            }
            assert_eq!(lines.unread(), 0);
            found
        };
        assert_eq!(read(1), [(1, "a".to_owned()), (4, "b".to_owned())]);
        assert_eq!(read(7), [(7, "\u{feff}a".to_owned()), (10, "b".to_owned())]);
    }
}
