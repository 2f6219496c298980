//! The record of promotions: whatever the bytes are, reading them does not panic, what is accepted is written again as the
//! same bytes, each line holds the digest of the one before, and entries that can be read at all make a
//! record that can be read once each goes on from the one before.

#![no_main]

use anomaly_train::{Entry, History};
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};
use std::io::BufReader;

fn digest(entry: &Entry) -> String {
    let digest = Sha256::digest(entry.to_line());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn check(history: &History, text: &[u8]) {
    let written: String = history.entries().iter().map(Entry::to_line).collect();
    assert_eq!(history.whole(), written.len() as u64);
    assert!(text.starts_with(written.as_bytes()));
    let rest = &text[written.len()..];
    assert_eq!(history.has_truncated_tail(), !rest.is_empty());
    assert!(!rest.contains(&b'\n'));
    let mut head = None;
    for entry in history.entries() {
        assert_eq!(entry.previous, head);
        head = Some(digest(entry));
    }
    assert_eq!(history.head(), head.as_deref());
    assert!(history.current().is_some() || history.previous().is_none());
    for entry in history.entries() {
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
            assert_eq!(
                (history.whole(), history.has_truncated_tail()),
                (same.whole(), same.has_truncated_tail())
            );
        }
        (Err(error), Err(same)) => {
            assert_eq!(error.to_string(), same.to_string());
            assert!(!error.to_string().contains(char::is_control));
        }
        _ => panic!("{whole:?} and {piecewise:?}"),
    }
    let mut chain: Vec<Entry> = Vec::new();
    for line in text.split(|&byte| byte == b'\n') {
        if let Ok(mut entry) = serde_json::from_slice::<Entry>(line) {
            entry.previous = chain.last().map(digest);
            chain.push(entry);
        }
    }
    let text: String = chain.iter().map(Entry::to_line).collect();
    let again = History::read(text.as_bytes()).expect("lines that were written");
    check(&again, text.as_bytes());
    assert_eq!(again.entries(), chain, "{text}");
});
