//! Splits a stream of bytes into lines without ever holding more than the longest allowed one.

use std::io::{self, BufRead};

/// Longest line that is read, in bytes: 16 MiB.
pub(crate) const MAX_LINE: usize = 16 << 20;

/// Reads lines that end with `\n`, `\r\n` or a lone `\r`; the last one may lack its end.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    reader: R,
    line: Vec<u8>,
    number: u64,
    after_cr: bool,
}

/// A line, or why there is none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// The bytes of the line without its end.
    Text(&'a [u8]),
    /// A line of more than [`MAX_LINE`] bytes; the rest of it was not read.
    TooLong,
    /// The end of the input.
    End,
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self {
            reader,
            line: Vec::new(),
            number: 0,
            after_cr: false,
        }
    }

    /// Number of the line read last, from 1.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Reads the next line.
    pub(crate) fn next_line(&mut self) -> io::Result<Line<'_>> {
        self.line.clear();
        self.number += 1;
        loop {
            let buffer = match self.reader.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if buffer.is_empty() {
                return Ok(if self.line.is_empty() {
                    Line::End
                } else {
                    Line::Text(&self.line)
                });
            }
            // The second half of a `\r\n` whose first half ended the line before.
            if std::mem::take(&mut self.after_cr) && buffer[0] == b'\n' {
                self.reader.consume(1);
                continue;
            }
            let end = memchr::memchr2(b'\n', b'\r', buffer);
            let piece = end.unwrap_or(buffer.len());
            if self.line.len() + piece > MAX_LINE {
                return Ok(Line::TooLong);
            }
            self.line.extend_from_slice(&buffer[..piece]);
            match end {
                None => self.reader.consume(piece),
                Some(end) => {
                    self.after_cr = buffer[end] == b'\r';
                    self.reader.consume(end + 1);
                    return Ok(Line::Text(&self.line));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    #[test]
    fn every_kind_of_line_end_gives_the_same_lines_whatever_the_buffer_size() {
        for text in ["a\n\nbc\nd", "a\r\n\r\nbc\r\nd\r\n", "a\r\rbc\rd\r"] {
            for capacity in 1..8 {
                let mut lines = Lines::new(BufReader::with_capacity(capacity, text.as_bytes()));
                let mut read = Vec::new();
                while let Line::Text(line) = lines.next_line().unwrap() {
                    let line = String::from_utf8(line.to_vec()).unwrap();
                    read.push((lines.number(), line));
                }
                let expected = [(1, "a"), (2, ""), (3, "bc"), (4, "d")];
                assert_eq!(read, expected.map(|(n, s)| (n, s.to_owned())), "{text:?}");
            }
        }
    }

    #[test]
    fn a_line_of_the_largest_size_is_read_and_a_longer_one_is_not() {
        let mut text = vec![b'x'; MAX_LINE];
        text.push(b'\n');
        assert!(matches!(Lines::new(&text[..]).next_line().unwrap(), Line::Text(line) if line.len() == MAX_LINE));
        text[MAX_LINE] = b'x';
        assert_eq!(Lines::new(&text[..]).next_line().unwrap(), Line::TooLong);
    }
}
