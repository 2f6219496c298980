//! What a model file must be, and what is refused.

use super::*;
use crate::data::part::Part;
use crate::data::synthetic::{Scenario, generate};
use crate::model::config::TrainingConfig;
use crate::train::trainer::train;

fn file(n: u64) -> String {
    let data = generate(Scenario::Documented, 60, 1);
    let config = TrainingConfig {
        ngram_size: n.try_into().unwrap(),
        ..TrainingConfig::default()
    };
    let mut bytes = Vec::new();
    let model = train(&data, &data.all(), &config).unwrap();
    model.save(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn refusal(text: &str) -> String {
    Artifact::read(text.as_bytes()).unwrap_err().to_string()
}

/// `text` with `from` replaced by `to` and the digest made to fit, as somebody would who wants the change to go
/// unnoticed.
fn forged(text: &str, from: &str, to: &str) -> String {
    let changed = text.replacen(from, to, 1);
    assert_ne!(text, changed, "{from}");
    let message = refusal(&changed);
    match message.split_once("its content has ") {
        Some((_, rest)) => {
            let digest = &text[r#"{"digest":""#.len()..][..64];
            changed.replacen(digest, &rest[..64], 1)
        }
        None => changed,
    }
}

#[test]
fn what_was_saved_is_loaded_and_saved_again_as_the_same_bytes() {
    for n in 1..=8 {
        let text = file(n);
        let artifact = Artifact::read(text.as_bytes()).unwrap();
        let mut again = Vec::new();
        artifact.write(&mut again).unwrap();
        assert_eq!(text.as_bytes(), again);
    }
}

#[test]
fn a_loaded_model_scores_to_the_last_bit_like_the_one_that_was_saved() {
    let data = generate(Scenario::Mixed, 300, 1);
    let some = Part::new((0..data.rows() as u32).step_by(2).map(|row| (row, 1)));
    let model = train(&data, &some, &TrainingConfig::default()).unwrap();
    let mut bytes = Vec::new();
    model.save(&mut bytes).unwrap();
    let loaded = AnomalyModel::load(&bytes[..]).unwrap();
    for index in 0..data.rows() {
        let before = model.predict(data.sequence(index)).unwrap().score;
        let after = loaded.predict(data.sequence(index)).unwrap().score;
        assert_eq!(before.to_bits(), after.to_bits());
    }
}

#[test]
fn a_cut_file_is_refused_wherever_it_is_cut() {
    let text = file(2);
    for end in 0..text.len() {
        assert!(Artifact::read(&text.as_bytes()[..end]).is_err(), "{end}");
    }
}

#[test]
fn every_inconsistency_is_refused_even_with_a_fitting_digest() {
    let text = file(3);
    for (from, to, expected) in [
        ("\"format_version\":8", "\"format_version\":1", "format version 1"),
        ("\"format_version\":8", "\"format_version\":\"2\"", "format version"),
        ("\"model_type\":\"anomaly\"", "\"model_type\":\"x\"", "model type"),
        ("\"n\":3", "\"n\":9", "from 1 to 8"),
        ("\"n\":3", "\"n\":3.0", "not a whole model file"),
        ("\"n\":3", "\"n\":2", "not that of"),
        ("\"n\":3", "\"n\":3,\"n\":3", "duplicate field"),
        ("\"n\":3", "\"n\":3,\"m\":3", "unknown field"),
        (
            "\"anomaly_threshold\":0.3",
            "\"anomaly_threshold\":1",
            "between 0 and 1",
        ),
        ("\"anomaly_threshold\":0.3", "\"anomaly_threshold\":null", "not a whole"),
        ("\"bias\":", "\"bias\":1e999,\"x\":", "out of range"),
        ("\"weight\":", "\"weight\":1e308,\"x\":", "unknown field"),
        ("\"epochs\":10", "\"epochs\":0", "from 1 to 1000000"),
        ("\"batch_size\":32", "\"batch_size\":1000001", "from 1 to 1000000"),
        (
            "\"max_ngrams\":1000000",
            "\"max_ngrams\":1000000001",
            "from 1 to 1000000000",
        ),
        ("\"epochs\":10", "\"epochs\":4000000000", "from 1 to 1000000"),
        (
            "\"training_samples\":{\"normal\":",
            "\"training_samples\":{\"normal\":-",
            "not a whole",
        ),
        (
            "\"training_samples\":{\"normal\":42",
            "\"training_samples\":{\"normal\":1",
            "inconsistent",
        ),
        ("\"entropy\":", "\"entropie\":", "missing"),
        (
            "\"dense\":{",
            "\"dense\":{\"entropy\":{\"weight\":99.0,\"low\":0.0,\"high\":1.0},",
            "duplicate field",
        ),
        (
            "\"dense\":{",
            "\"dense\":{\"a\":{\"weight\":1.0,\"low\":1.0,\"high\":1.0},",
            "does not know",
        ),
        ("\"low\":0", "\"low\":9", "is empty"),
        ("[\"access\",", "[\"zzz\",", "not sorted"),
        ("\"ngrams\":[[[-1,", "\"ngrams\":[[[-2,", "not a valid key"),
        ("\"steps\":\"", "\"steps\":\"AAAA", "fingerprints"),
        ("\"steps\":\"", "\"steps\":\"A", "fingerprints"),
        ("\"steps\":\"", "\"steps\":\"!", "fingerprints"),
        (
            "\"sequences\":{\"bits\":",
            "\"sequences\":{\"bits\":0,\"x\":",
            "unknown field",
        ),
        ("\"ngrams\":[[[-1,", "\"ngrams\":[[[9999,", "not a valid key"),
        ("\"ngrams\":[[[-1,", "\"ngrams\":[[[-1,0,", "not a valid key"),
        ("\"pairs\":[", "\"pairs\":[[[0,-2],0.5,1,0],", "not a valid key"),
        ("\"pairs\":[", "\"pairs\":[[[0,1,2],0.5,1,0],", "not a valid key"),
        ("\"pairs\":[", "\"pairs\":[[[0,0],0.5,0,0],", "inconsistent"),
        ("\"pairs\":[", "\"pairs\":[[[0,0],1e17,1,0],", "too large"),
        (
            "\"fitted\":{\"method\":\"",
            "\"fitted\":{\"method\":\"x",
            "unknown variant",
        ),
        ("\"slope\":", "\"slope\":0.0,\"x\":", "between 0.01 and 100"),
        ("\"offset\":", "\"offset\":-1001.0,\"x\":", "between -1e3 and 1e3"),
    ] {
        let message = refusal(&forged(&text, from, to));
        assert!(message.contains(expected), "{from} -> {to}: {message}");
        assert!(!message.contains('\n'));
    }
    let bias = text.split("\"bias\":").nth(1).unwrap().split(',').next().unwrap();
    for (from, to) in [(bias, "1e+300"), ("\"high\":1.0", "\"high\":10000000.0")] {
        let message = refusal(&forged(&text, from, to));
        assert!(message.contains("too large"), "{from}: {message}");
    }
    for (from, to) in [
        (
            "\"training_samples\":{\"normal\":42,\"anomalous\":18}",
            "\"training_samples\":[42,18]",
        ),
        ("\"data\":null,", ""),
        ("\"n\":3", "\"n\": 3"),
        ("0.3", "0.30"),
    ] {
        let message = refusal(&forged(&text, from, to));
        assert!(message.contains("not as anomaly-train writes it"), "{from}: {message}");
    }
    let many: String = (0..40)
        .map(|i| format!("\"x{i}\":{{\"weight\":1.0,\"low\":0.0,\"high\":1.0}},"))
        .collect();
    let message = refusal(&forged(&text, "\"dense\":{", &format!("\"dense\":{{{many}")));
    assert!(message.contains("more members than it can have"), "{message}");
    assert!(refusal(&format!("{text}{{}}")).contains("trailing"));
    assert!(refusal("[]").contains("JSON object"));
    assert!(refusal("").contains("empty"));
}

#[test]
fn every_flipped_bit_is_refused_or_changes_nothing_that_the_digest_covers() {
    let mut bytes = file(1).into_bytes();
    let whole = Artifact::read(&bytes[..]).unwrap();
    let mut loaded = 0;
    for bit in 0..8 * bytes.len() {
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(artifact) = Artifact::read(&bytes[..]) {
            loaded += 1;
            assert_eq!(artifact.digest(), whole.digest(), "bit {bit}");
        }
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    // Some letters and digits of the version become others.
    assert!((1..100).contains(&loaded), "{loaded}");
}

#[test]
fn a_header_that_is_no_header_is_refused() {
    let text = file(2);
    for (from, to, expected) in [
        ("{\"digest\"", "{\"digets\"", "unknown field"),
        ("\"tool_version\":", "\"tool_version\":1,\"x\":", "invalid type"),
        (
            ",\"tool_version\":\"",
            ",\"tool_version\":\"\\u0030",
            "not as anomaly-train writes it",
        ),
        (
            ",\"format_version\"",
            " ,\"format_version\"",
            "not as anomaly-train writes it",
        ),
        (",\"format_version\"", ",\"n\":3,\"format_version\"", "unknown field"),
    ] {
        let message = refusal(&forged(&text, from, to));
        assert!(message.contains(expected), "{from} -> {to}: {message}");
    }
    let padded = text.replacen("{\"digest\"", &format!("{{{}\"digest\"", " ".repeat(2 << 20)), 1);
    assert!(refusal(&padded).contains("not as anomaly-train writes it"));
    let long = format!("[\"{}\",", "x".repeat(2000));
    assert!(refusal(&forged(&text, "[\"access\",", &long)).contains("longer than 1024 bytes"));
}

#[test]
fn changed_weights_are_noticed() {
    let text = file(3);
    let changed = text.replacen("\"anomaly_threshold\":0.3", "\"anomaly_threshold\":0.9", 1);
    assert!(refusal(&changed).contains("damaged"));
}
