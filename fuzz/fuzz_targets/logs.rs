//! Logs of every format: whatever the bytes are and however they arrive, they lead to the same events and the same refusals, each
//! with a place that lies in them, and to the same sessions.

#![no_main]

use anomaly_train::events::{Event, MAX_NAME, SessionRules, Sessions};
use anomaly_train::logs::{Format, Log, Mapping, recognise};
use libfuzzer_sys::fuzz_target;
use std::io::{self, Read};

/// Gives out the bytes in pieces whose sizes repeat, and is interrupted before each fifth.
struct Pieces<'a> {
    rest: &'a [u8],
    sizes: [usize; 3],
    reads: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reads += 1;
        if self.reads.is_multiple_of(5) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let size = self.sizes[self.reads % 3].min(self.rest.len()).min(buffer.len());
        buffer[..size].copy_from_slice(&self.rest[..size]);
        self.rest = &self.rest[size..];
        Ok(size)
    }
}

/// What stands in a log: events, and refusals as they are shown.
fn read(mapping: &Mapping, format: Format, reader: impl Read) -> Vec<Result<Event, String>> {
    let mut log = Log::new(format, mapping, "log");
    let mut found = Vec::new();
    let mut event = Event::default();
    for chunk in log.chunks(reader) {
        let chunk = chunk.expect("no failure of the reader");
        let mut events = log.events(&chunk);
        while let Some(read) = events.read(&mut event) {
            found.push(match read {
                Ok(()) => Ok(event.clone()),
                Err(refusal) => {
                    assert!(refusal.line > 0 && refusal.column != Some(0) && !refusal.problem.is_empty());
                    Err(refusal.to_string())
                }
            });
        }
    }
    found
}

fuzz_target!(|input: &[u8]| {
    let Some((&[choice, how, a, b, c], text)) = input.split_first_chunk::<5>() else {
        return;
    };
    let lines = 1 + text.iter().filter(|&&byte| byte == b'\n' || byte == b'\r').count() as u64;
    let format = Format::ALL[1 + usize::from(choice) % 8];
    let mut mapping = Mapping::default();
    if how & 1 != 0 {
        mapping.action_field = Some("{op}:{x.y}".parse().expect("a template"));
        mapping.session_by = vec!["s".parse().expect("a path"), "t.u".parse().expect("a path")];
    }
    if how & 2 != 0 {
        mapping.normalize_names = true;
        mapping.anomalous_label = Some("bad".to_owned());
        mapping.risk_field = Some("r".parse().expect("a path"));
    }
    let sizes = [a, b, c].map(|size| usize::from(size) % 40 + 1);
    let pieces = || Pieces {
        rest: text,
        sizes,
        reads: 0,
    };

    let whole = read(&mapping, format, text);
    assert_eq!(whole, read(&mapping, format, pieces()));
    for event in whole.iter().flatten() {
        assert!(!event.agent_id.is_empty() && !event.action_type.is_empty() && event.agent_id.len() <= MAX_NAME);
        assert!((1..=lines).contains(&event.line));
        assert!(event.risk_score.is_none_or(|risk| (0.0..=1.0).contains(&risk)));
    }

    let mut sessions = Sessions::new(SessionRules::from(&mapping)).with_ids();
    let refused = sessions.read(&mut Log::new(format, &mapping, "log"), pieces()).expect("no failure of the reader");
    assert!(refused.given_up || refused.count as usize == whole.iter().filter(|found| found.is_err()).count());
    let finished = sessions.finish();
    let events: usize = finished.iter().map(|session| session.actions().len()).sum();
    assert!(refused.given_up || events as u64 + finished.duplicates() == whole.iter().flatten().count() as u64);
    for session in finished.iter() {
        assert!(session.first() <= session.last() && session.event_ids().len() == session.actions().len());
    }

    // What an input is does not depend on how it comes in, and nothing of it is lost.
    let mut found = recognise(text, &Mapping::default()).expect("no failure of the reader");
    let mut all = Vec::new();
    found.reader.read_to_end(&mut all).expect("no failure of the reader");
    assert_eq!(all, text);
    assert_eq!(found.kind, recognise(pieces(), &Mapping::default()).expect("no failure of the reader").kind);
});
