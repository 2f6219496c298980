//! Cuts a stream of bytes into chunks of whole lines: as much at a time as the stream has ready, so that a slow stream is
//! followed line by line and a fast one in large chunks that several threads can share.

use std::io::{self, Read};

/// Longest line that is read, in bytes: 16 MiB.
pub(crate) const MAX_LINE: usize = 16 << 20;
/// Most bytes of a line that are dropped before the input is given up: 1 GiB.
pub(crate) const MAX_DROPPED: u64 = 1 << 30;
/// Most bytes of nothing but white space in a row, over as many lines as there are, before the input is given up: 64 MiB.
pub(crate) const MAX_BLANK: u64 = 64 << 20;
/// Most bytes that are asked of the stream at once.
const READ: usize = 1 << 18;

/// Reads a stream chunk by chunk, as an iterator.
#[derive(Debug)]
pub struct LineChunks<R> {
    reader: R,
    /// Where the stream puts what it has ready.
    buffer: Vec<u8>,
    /// What was read after the last line end.
    rest: Vec<u8>,
    next_line: u64,
    /// How much of a line that is too long has been dropped, while its end is looked for.
    dropped: Option<u64>,
    /// How many bytes have been read, those that are dropped among them.
    read: u64,
    /// How many bytes the chunks so far end with that are white space.
    blank: u64,
    ended: bool,
}

/// Some consecutive lines of a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineChunk {
    pub(crate) text: Vec<u8>,
    /// Number of the first line, from 1.
    pub(crate) first_line: u64,
    /// How many bytes of the stream lie before the end of the chunk.
    pub(crate) end: u64,
    /// Whether it ends within a line that is too long, the rest of which is dropped.
    pub(crate) within_line: bool,
    /// Whether the stream was given up behind it, because it held nothing but white space for too long.
    pub(crate) given_up: bool,
    /// For lines that are made of records of another kind: where each record begins. Empty if the lines are those of the stream.
    pub(crate) places: Vec<Place>,
}

/// Where a record begins in its stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The line, from 1.
    pub(crate) line: u64,
    /// The byte in the line, from 1.
    pub(crate) column: usize,
    /// Whether it goes on in further lines, so that no place in it can be named but where it begins.
    pub(crate) spread: bool,
    /// Why there is no record, and no line to read: it was cut off, or is too long.
    pub(crate) problem: Option<String>,
}

impl<R: Read> LineChunks<R> {
    /// The chunks of `reader`, which needs no buffer of its own.
    pub fn new(reader: R) -> Self {
        Self {
            reader,
            buffer: vec![0; READ],
            rest: Vec::new(),
            next_line: 1,
            dropped: None,
            read: 0,
            blank: 0,
            ended: false,
        }
    }

    /// The same for a stream that goes on in the middle of a line whose beginning was too long: the rest of it is dropped.
    pub fn within_line(reader: R) -> Self {
        Self {
            dropped: Some(0),
            ..Self::new(reader)
        }
    }

    /// Reads until there is a whole line, or a line that is too long, or the end.
    fn fill(&mut self) -> io::Result<LineChunk> {
        let mut text = std::mem::take(&mut self.rest);
        let mut searched = 0;
        let cut = loop {
            let read = loop {
                match self.reader.read(&mut self.buffer) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    read => break read?,
                }
            };
            self.read += read as u64;
            text.extend_from_slice(&self.buffer[..read]);
            self.drop_rest_of_line(&mut text);
            if read == 0 || self.ended {
                self.ended = true;
                break text.len();
            }
            // A \r at the very end may be the first half of a line end.
            let end = text.len() - usize::from(text.ends_with(b"\r"));
            if let Some(last) = memchr::memrchr2(b'\n', b'\r', &text[searched..end]) {
                break searched + last + 1;
            }
            searched = end;
            if end > MAX_LINE {
                self.dropped = Some(0);
                break end;
            }
        };
        self.rest = text.split_off(cut);
        let given_up = self.gives_up(&mut text);
        let first_line = self.next_line;
        self.next_line += line_ends(&text) + u64::from(self.dropped.is_some());
        Ok(LineChunk {
            text,
            first_line,
            end: self.read - self.rest.len() as u64,
            within_line: self.dropped.is_some(),
            given_up,
            places: Vec::new(),
        })
    }

    /// Counts the white space that `text` begins and ends with. If there is too much of it in a row, what comes behind is put
    /// back and the stream is at its end, at the same byte however the bytes came in.
    fn gives_up(&mut self, text: &mut Vec<u8>) -> bool {
        let is_text = |byte: &u8| !byte.is_ascii_whitespace();
        let leading = text.iter().position(is_text).unwrap_or(text.len());
        if self.blank + leading as u64 > MAX_BLANK {
            let mut behind = text.split_off((MAX_BLANK - self.blank) as usize + 1);
            behind.append(&mut self.rest);
            self.rest = behind;
            self.ended = true;
            return true;
        }
        self.blank = match text.iter().rposition(is_text) {
            Some(last) => (text.len() - last - 1) as u64,
            None => self.blank + leading as u64,
        };
        false
    }

    /// Drops what was read of a line that is too long, if its end has not been found yet.
    fn drop_rest_of_line(&mut self, text: &mut Vec<u8>) {
        let Some(dropped) = self.dropped else {
            return;
        };
        let mut after = &text[..];
        let rest = take_line(&mut after).map_or(0, <[u8]>::len);
        if rest < text.len() {
            let kept = text.len() - after.len();
            text.drain(..kept);
            self.dropped = None;
        } else {
            text.clear();
            let dropped = dropped + rest as u64;
            self.dropped = Some(dropped);
            self.ended = dropped > MAX_DROPPED;
        }
    }
}

impl<R: Read> Iterator for LineChunks<R> {
    type Item = io::Result<LineChunk>;

    fn next(&mut self) -> Option<io::Result<LineChunk>> {
        while !self.ended {
            match self.fill() {
                Ok(chunk) if chunk.text.is_empty() => {}
                Ok(chunk) => return Some(Ok(chunk)),
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

impl LineChunk {
    /// Whether the chunk ends with a line that is longer than allowed.
    pub(crate) fn is_overlong(&self) -> bool {
        let start = memchr::memrchr2(b'\n', b'\r', &self.text).map_or(0, |end| end + 1);
        self.text.len() - start > MAX_LINE
    }

    /// The lines as they stand in the stream.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.text
    }

    /// How many bytes of the stream lie before the end of the chunk.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Whether the chunk ends within a line that is too long, the rest of which is dropped.
    #[must_use]
    pub fn is_within_line(&self) -> bool {
        self.within_line
    }

    /// Number of bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.text.len()
    }

    /// Cuts the chunk into at most `count` chunks of about the same size.
    #[must_use]
    pub fn split(self, count: usize) -> Vec<LineChunk> {
        let size = self.text.len().div_ceil(count.max(1)).max(1);
        let mut chunks = Vec::new();
        let (mut rest, mut first_line) = (&self.text[..], self.first_line);
        let mut places = &self.places[..];
        let mut take_places = |text: &[u8]| {
            let (taken, left) = places.split_at(places.len().min(line_ends(text) as usize));
            places = left;
            taken.to_vec()
        };
        while rest.len() > size
            && let Some(end) = memchr::memchr(b'\n', &rest[size..])
        {
            let (text, behind) = rest.split_at(size + end + 1);
            chunks.push(LineChunk {
                text: text.to_vec(),
                first_line,
                end: self.end - behind.len() as u64,
                within_line: self.within_line && behind.is_empty(),
                given_up: self.given_up && behind.is_empty(),
                places: take_places(text),
            });
            (rest, first_line) = (behind, first_line + line_ends(text));
        }
        if chunks.is_empty() {
            return vec![self];
        }
        if !rest.is_empty() {
            let places = take_places(rest);
            chunks.push(LineChunk {
                text: rest.to_vec(),
                first_line,
                places,
                ..self
            });
        }
        chunks
    }
}

/// Takes the first line off `text`, without its end: `\n`, `\r\n` or a lone `\r`.
pub(crate) fn take_line<'a>(text: &mut &'a [u8]) -> Option<&'a [u8]> {
    if text.is_empty() {
        return None;
    }
    let Some(end) = memchr::memchr2(b'\n', b'\r', text) else {
        return Some(std::mem::take(text));
    };
    let line = &text[..end];
    let width = if text[end..].starts_with(b"\r\n") { 2 } else { 1 };
    *text = &text[end + width..];
    Some(line)
}

fn line_ends(text: &[u8]) -> u64 {
    let pairs = memchr::memchr_iter(b'\r', text).filter(|&at| text.get(at + 1) == Some(&b'\n'));
    (memchr::memchr2_iter(b'\n', b'\r', text).count() - pairs.count()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives out at most `step` bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn lines(chunks: impl Iterator<Item = LineChunk>) -> Vec<(u64, String)> {
        let mut lines = Vec::new();
        for chunk in chunks {
            let mut text = &chunk.text[..];
            let mut number = chunk.first_line;
            while let Some(line) = take_line(&mut text) {
                lines.push((number, String::from_utf8(line.to_vec()).unwrap()));
                number += 1;
            }
        }
        lines
    }

    #[test]
    fn every_kind_of_line_end_gives_the_same_lines_however_the_bytes_arrive() {
        let expected = [(1, "a"), (2, ""), (3, "bc"), (4, "d")].map(|(n, s)| (n, s.to_owned()));
        for text in ["a\n\nbc\nd", "a\r\n\r\nbc\r\nd\r\n", "a\r\rbc\rd\r", "a\n\r\nbc\rd"] {
            for step in 1..10 {
                let chunks: Vec<LineChunk> = LineChunks::new(Slow(text.as_bytes(), step))
                    .map(Result::unwrap)
                    .collect();
                assert_eq!(lines(chunks.iter().cloned()), expected, "{text:?} by {step}");
                let split: Vec<LineChunk> = chunks.into_iter().flat_map(|chunk| chunk.split(3)).collect();
                let ends = split.iter().map(|chunk| chunk.end() as usize);
                let lengths = split.iter().scan(0, |end, chunk| {
                    *end += chunk.size();
                    Some(*end)
                });
                assert!(ends.eq(lengths), "{text:?} by {step}");
                assert_eq!(lines(split.into_iter()), expected, "{text:?} by {step}, split");
            }
        }
    }

    #[test]
    fn a_chunk_is_given_out_as_soon_as_a_line_is_whole() {
        let mut chunks = LineChunks::new(Slow(b"ab\ncd\n", 2));
        assert_eq!(chunks.next().unwrap().unwrap().text, b"ab\n");
    }

    #[test]
    fn a_megabyte_that_comes_byte_by_byte_takes_no_time_to_speak_of() {
        let text = b"[\"read\", \"write\"]\n".repeat(1 << 16);
        let start = std::time::Instant::now();
        let chunks = LineChunks::new(Slow(&text, 1)).map(|chunk| chunk.unwrap().text.len());
        assert_eq!(chunks.sum::<usize>(), text.len());
        // A tenth of a second is usual; clearing a buffer for each byte would take minutes.
        assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
    }

    #[test]
    fn a_line_without_end_stops_soon_after_the_limit() {
        let mut chunks = LineChunks::new(io::repeat(b'x'));
        let chunk = chunks.next().unwrap().unwrap();
        assert!((MAX_LINE + 1..=MAX_LINE + READ).contains(&chunk.text.len()));
        assert!(chunk.is_overlong());
        assert!(chunks.next().is_none());
    }

    #[test]
    fn after_a_line_that_is_too_long_the_next_ones_are_read() {
        for (excess, end) in [(1, "\n"), (100, "\r\n"), (READ, "\r"), (2 * READ + 7, "\n")] {
            let long = "x".repeat(MAX_LINE + excess);
            let text = format!("a\n{long}{end}b\r\nc");
            let mut chunks: Vec<LineChunk> = Vec::new();
            for chunk in LineChunks::new(text.as_bytes()) {
                let chunk = chunk.unwrap();
                let end = chunk.end() as usize;
                assert_eq!(text.as_bytes()[end - chunk.size()..end], chunk.text);
                if chunk.is_within_line() {
                    let rest = LineChunks::within_line(&text.as_bytes()[end..]).map(Result::unwrap);
                    let rest: Vec<String> = lines(rest).into_iter().map(|line| line.1).collect();
                    assert_eq!(rest, ["b", "c"]);
                }
                chunks.push(chunk);
            }
            let read = lines(chunks.into_iter());
            let short: Vec<_> = read.iter().filter(|line| line.1.len() < 9).cloned().collect();
            assert_eq!(
                short,
                [(1, "a"), (3, "b"), (4, "c")].map(|(n, s)| (n, s.to_owned())),
                "{excess}"
            );
            let long: Vec<_> = read.iter().filter(|line| line.1.len() > MAX_LINE).collect();
            assert!(long.len() == 1 && long[0].0 == 2, "{excess}");
        }
    }

    #[test]
    fn white_space_without_end_is_given_up_at_the_same_byte_however_it_comes_in() {
        let (line, count) = (" ".repeat(4095) + "\n", MAX_BLANK as usize >> 12);
        let text = |more: &str| format!("[{}{more}]\n", line.repeat(count)).into_bytes();
        for step in [READ, 65_537] {
            for (more, expected) in [("", (false, MAX_BLANK + 3)), ("\r\n", (true, MAX_BLANK + 2))] {
                let text = text(more);
                let chunks: Vec<LineChunk> = LineChunks::new(Slow(&text, step)).map(Result::unwrap).collect();
                let (last, before) = chunks.split_last().unwrap();
                assert!(before.iter().all(|chunk| !chunk.given_up));
                assert_eq!((last.given_up, last.end()), expected, "by {step}");
                assert_eq!(last.first_line + line_ends(&last.text), count as u64 + 2);
            }
        }
    }
}
