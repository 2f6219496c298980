//! The record of promotions: whatever the bytes are, reading them does not panic, what is accepted is written again as the
//! same bytes, and an entry that can be read at all has a line that can be read.

#![no_main]

use anomaly_train::{Entry, History};
use libfuzzer_sys::fuzz_target;
use std::io::BufReader;

fn check(history: &History, text: &[u8]) {
    let written: String = history.entries().iter().map(Entry::to_line).collect();
    assert_eq!(history.whole(), written.len() as u64);
    assert!(text.starts_with(written.as_bytes()));
    let rest = &text[written.len()..];
    assert_eq!(history.has_truncated_tail(), !rest.is_empty());
    assert!(!rest.contains(&b'\n'));
    assert!(history.current().is_some() || history.previous().is_none());
    for entry in history.entries() {
        let _ = history.promotion_of(&entry.model);
        assert!(["current", "candidates"].contains(&entry.model.folder()));
        for path in [entry.model.to_string(), entry.model.metrics()] {
            assert!(!path.contains("..") && path.matches('/').count() == 1 && !path.contains('\\'));
        }
    }
}

fuzz_target!(|text: &[u8]| {
    let whole = History::read(text);
    let piecewise = History::read(BufReader::with_capacity(7, text));
    match (&whole, &piecewise) {
        (Ok(history), Ok(same)) => {
            check(history, text);
            assert_eq!(history.entries(), same.entries());
            assert_eq!((history.whole(), history.has_truncated_tail()), (same.whole(), same.has_truncated_tail()));
        }
        (Err(error), Err(same)) => {
            assert_eq!(error.to_string(), same.to_string());
            assert!(!error.to_string().contains(char::is_control));
        }
        _ => panic!("{whole:?} and {piecewise:?}"),
    }
    for line in text.split(|&byte| byte == b'\n') {
        if let Ok(entry) = serde_json::from_slice::<Entry>(line) {
            let line = entry.to_line();
            let again = History::read(line.as_bytes());
            assert_eq!(again.expect("a line that was written").entries(), [entry], "{line}");
        }
    }
});
