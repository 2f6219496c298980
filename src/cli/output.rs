//! Writing to standard output so that nothing is lost unnoticed.

use super::failure::Failure;
use super::style;
use anomaly_train::command_only::is_harmful;
use anstream::stream::RawStream;
use serde::Serialize;
use serde_json::ser::Formatter;
use std::io::{self, BufWriter, ErrorKind, Write};

/// A buffered standard stream whose errors are never overlooked.
pub(crate) struct Output {
    writer: BufWriter<Box<dyn Write + Send>>,
    is_coloured: bool,
}

impl Output {
    pub(crate) fn stdout() -> Self {
        Self::to(io::stdout())
    }

    pub(crate) fn stderr() -> Self {
        Self::to(io::stderr())
    }

    fn to(stream: impl RawStream + Send + 'static) -> Self {
        Self {
            is_coloured: style::wanted(&stream),
            writer: BufWriter::with_capacity(1 << 16, Box::new(stream)),
        }
    }

    /// Whether its reader wants colours.
    pub(crate) fn is_coloured(&self) -> bool {
        self.is_coloured
    }

    /// Writes `text` as it is.
    pub(crate) fn write(&mut self, text: &str) -> Result<(), Failure> {
        self.writer.write_all(text.as_bytes()).map_err(failure)
    }

    /// Writes `text` as a line and shows it at once.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        writeln!(self.writer, "{text}")
            .and_then(|()| self.writer.flush())
            .map_err(failure)
    }

    /// Writes `bytes` and shows them at once.
    pub(crate) fn show(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.writer
            .write_all(bytes)
            .and_then(|()| self.writer.flush())
            .map_err(failure)
    }

    /// Writes `value` as one line of JSON, without showing it at once.
    pub(crate) fn json_line(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        json_line(&mut self.writer, value).map_err(failure)
    }

    /// Writes out what is still in the buffer. Must be called, or errors would go unnoticed.
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        self.writer.flush().map_err(failure)
    }
}

/// Writes `value` as one line of JSON in which nothing can act on a terminal.
pub(crate) fn json_line(mut writer: impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(&mut writer, Harmless);
    value.serialize(&mut serializer)?;
    writer.write_all(b"\n")
}

/// Compact JSON with harmful characters escaped. Only strings can hold any, so escaping them changes no value.
struct Harmless;

impl Harmless {
    fn write<W: Write + ?Sized>(writer: &mut W, text: &str) -> io::Result<()> {
        let plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if plain || !text.contains(is_harmful) {
            return writer.write_all(text.as_bytes());
        }
        for character in text.chars() {
            let mut buffer = [0; 4];
            if is_harmful(character) {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            } else {
                writer.write_all(character.encode_utf8(&mut buffer).as_bytes())?;
            }
        }
        Ok(())
    }
}

impl Formatter for Harmless {
    fn write_string_fragment<W: Write + ?Sized>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        Self::write(writer, fragment)
    }

    fn write_raw_fragment<W: Write + ?Sized>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        Self::write(writer, fragment)
    }
}

fn failure(error: io::Error) -> Failure {
    if error.kind() == ErrorKind::BrokenPipe {
        Failure::OutputClosed
    } else {
        Failure::Output(error)
    }
}
