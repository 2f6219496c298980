//! What an input is, by how it begins.

use super::table::delimiter_of;
use super::{Format, Mapping};
use std::collections::BTreeSet;
use std::io::{self, Cursor, Read};

/// Most bytes that are looked at.
const MOST: usize = 1 << 18;

/// What an input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Its format.
    pub format: Format,
    /// Whether it begins with an array, whose elements are the records.
    pub in_array: bool,
}

/// An input of which it is known what it is.
#[derive(Debug)]
pub struct Recognised<R> {
    /// What it is.
    pub kind: Kind,
    /// All of it, also what was looked at.
    pub reader: io::Chain<Cursor<Vec<u8>>, R>,
}

/// Looks at the beginning of `reader`, as far as its first record if that is not long, unless `mapping` says what it is. What looks like
/// nothing is taken for samples.
///
/// # Errors
///
/// If `reader` fails.
pub fn recognise<R: Read>(mut reader: R, mapping: &Mapping) -> io::Result<Recognised<R>> {
    let mut start = Vec::new();
    let (mut format, mut in_array) = (mapping.input_format, None);
    let mut buffer = [0; 1 << 14];
    while format.is_none() || in_array.is_none() {
        let read = match reader.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        start.extend_from_slice(&buffer[..read]);
        let is_all = read == 0 || start.len() >= MOST;
        format = format
            .or_else(|| decide(&start, is_all, mapping))
            .or(is_all.then_some(Format::Samples));
        in_array = text_of(&start)
            .first()
            .map(|&byte| byte == b'[')
            .or(is_all.then_some(false));
    }
    let kind = Kind {
        format: format.unwrap_or(Format::Samples),
        in_array: in_array.unwrap_or_default(),
    };
    Ok(Recognised {
        kind,
        reader: Cursor::new(start).chain(reader),
    })
}

/// Without what may stand before anything.
fn text_of(start: &[u8]) -> &[u8] {
    start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start()
}

/// What begins with `start`, as far as that can be told. `is_all` says that no more will be known.
fn decide(start: &[u8], is_all: bool, mapping: &Mapping) -> Option<Format> {
    let text = text_of(start);
    match text.first()? {
        b'{' | b'[' => {
            let record = first_record(text);
            (record.whole || is_all || record.envelope.is_some()).then(|| of_json(&record, mapping))
        }
        _ => {
            let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
            let is_line = line.len() < text.len() || is_all;
            let is_line = is_line && std::str::from_utf8(line).is_ok();
            let is_audit = |line: &[u8]| line.starts_with(b"type=") || line.starts_with(b"node=") || line == b"----";
            if is_line && is_audit(line) {
                return Some(Format::Auditd);
            }
            is_line.then(|| of_header(&String::from_utf8_lossy(line), mapping))
        }
    }
}

/// A table if a name of the header is one that an event has, or one that the mapping speaks of.
fn of_header(line: &str, mapping: &Mapping) -> Format {
    let delimiter = delimiter_of(line.as_bytes());
    let format = if delimiter == b'\t' { Format::Tsv } else { Format::Csv };
    let names: Vec<&str> = line
        .split(char::from(delimiter))
        .map(|name| name.trim().trim_matches('"'))
        .collect();
    let usual = ["agent_id", "action_type", "timestamp"];
    let is_event = usual.iter().filter(|usual| names.contains(usual)).count() >= 2;
    let action = mapping.action_field.as_ref();
    let paths = action.map(|template| template.parts()).unwrap_or_default();
    let is_mapped = paths
        .iter()
        .any(|(_, path)| path.is_some_and(|path| names.contains(&path)));
    if is_event || is_mapped { format } else { Format::Samples }
}

/// The names in the first record, as far as it goes.
#[derive(Debug, Default)]
struct FirstRecord {
    names: BTreeSet<String>,
    /// What it is by the first of its names that only a document has which may hold any number of records.
    envelope: Option<Format>,
    whole: bool,
}

impl FirstRecord {
    fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    fn has_one(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.has(name))
    }

    fn add(&mut self, name: String) {
        let envelope = match name.as_str() {
            "resourceSpans" | "resource_spans" => Some(Format::Otlp),
            "Records" => Some(Format::Cloudtrail),
            _ => None,
        };
        self.envelope = self.envelope.or(envelope);
        self.names.insert(name);
    }
}

/// Names of the members of the first object of `text`, which may stand in an array.
fn first_record(text: &[u8]) -> FirstRecord {
    let mut record = FirstRecord::default();
    // The first array at the top is passed through.
    let base = usize::from(text.first() == Some(&b'['));
    let (mut depth, mut at, mut name) = (0, 0, None);
    while let Some(&byte) = text.get(at) {
        at += 1;
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth <= base {
                    record.whole = true;
                    return record;
                }
            }
            b'"' => {
                let start = at;
                while text.get(at).is_some_and(|&byte| byte != b'"') {
                    at += if text[at] == b'\\' { 2 } else { 1 };
                }
                name = text.get(start..at);
                at += 1;
            }
            b':' if depth == base + 1 => {
                if let Some(name) = name.take() {
                    record.add(String::from_utf8_lossy(name).into_owned());
                    if record.envelope.is_some() {
                        return record;
                    }
                }
            }
            b'\n' if depth == 0 => break,
            _ => {}
        }
    }
    record
}

fn of_json(record: &FirstRecord, mapping: &Mapping) -> Format {
    let is_mapped = mapping.action_field.is_some();
    if let Some(format) = record.envelope {
        format
    } else if record.has_one(&["sequence", "features"]) && !is_mapped {
        Format::Samples
    } else if record.has_one(&["attributes", "SpanAttributes", "tags"])
        && record.has_one(&["context", "trace_id", "traceId", "TraceId", "traceID"])
    {
        Format::Otlp
    } else if record.has("eventSource") && record.has("eventName") {
        Format::Cloudtrail
    } else if is_mapped {
        Format::Events
    } else if record.has("messages") || (record.has("role") && record.has_one(&["content", "tool_calls"])) {
        Format::Chat
    } else if record.has("leafUuid")
        || (record.has("sessionId") && record.has_one(&["uuid", "message", "type"]))
        || (record.has("messageId") && record.has("snapshot"))
    {
        Format::Transcript
    } else if record.has("action_type") || mapping.moves_members() || mapping.records_at.is_some() {
        Format::Events
    } else {
        Format::Samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recognised(text: &str) -> Format {
        let mut found = recognise(text.as_bytes(), &Mapping::default()).unwrap();
        let mut all = String::new();
        found.reader.read_to_string(&mut all).unwrap();
        assert_eq!(all, text);
        found.kind.format
    }

    #[test]
    fn every_format_is_known_by_how_it_begins() {
        for (text, format) in [
            ("", Format::Samples),
            ("nonsense", Format::Samples),
            ("[\"read\", \"write\"]\n", Format::Samples),
            ("{\"messages\": 1, \"sequence\": []}", Format::Samples),
            ("{\"id\": 1}", Format::Samples),
            ("{\"sequence\": [\"a\", ", Format::Samples),
            (
                "\u{feff}{\"agent_id\": \"a\", \"action_type\": \"b\"}\n",
                Format::Events,
            ),
            ("[\n {\"agent_id\": \"a\", \"action_type\": \"b\"}]", Format::Events),
            ("{\"resourceSpans\": [", Format::Otlp),
            (
                "{\"name\":\"x\",\"context\":{\"trace_id\":\"1\"},\"attributes\":{}}",
                Format::Otlp,
            ),
            ("{\"Records\": [{\"a\": ", Format::Cloudtrail),
            ("{\"eventSource\": \"s3\", \"eventName\": \"x\"}", Format::Cloudtrail),
            ("[{\"id\": 1, \"messages\": []}]", Format::Chat),
            ("[{\"role\": \"user\", \"content\": \"x\"}]", Format::Chat),
            (
                "{\"parentUuid\":null,\"sessionId\":\"s\",\"uuid\":\"u\"}\n",
                Format::Transcript,
            ),
            ("{\"type\":\"summary\",\"leafUuid\":\"u\"}\n", Format::Transcript),
            ("type=SYSCALL msg=audit(1:2): x\n", Format::Auditd),
            ("node=h type=SYSCALL msg=audit(1:2): x\n", Format::Auditd),
            ("agent_id,action_type\na,b\n", Format::Csv),
            ("agent_id;action_type\na;b\n", Format::Csv),
            ("\"timestamp\"\t\"action_type\"\n", Format::Tsv),
        ] {
            assert_eq!(recognised(text), format, "{text}");
        }
    }

    #[test]
    fn a_mapping_says_what_a_record_is_that_nobody_knows() {
        let of = |text: &str, mapping: &str| {
            let mapping: Mapping = serde_json::from_str(mapping).unwrap();
            recognise(text.as_bytes(), &mapping).unwrap().kind.format
        };
        assert_eq!(of("{\"x\": 1}", r#"{"action_field": "x"}"#), Format::Events);
        assert_eq!(of("{\"messages\": 1}", r#"{"action_field": "x"}"#), Format::Events);
        assert_eq!(of("who,what\n", r#"{"action_field": "what"}"#), Format::Csv);
        assert_eq!(of("who,what\n", r#"{"input_format": "tsv"}"#), Format::Tsv);
    }
}
