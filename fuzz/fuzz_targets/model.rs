//! The reader of model files. A digest guards them, which no fuzzer finds by chance, so what has the shape of a file is also
//! tried with a digest that fits. Whatever loads is written again as the same bytes and gives every sequence a score.
//!
//! Nearly every change of a byte leaves something that is no JSON, so most changes are of whole numbers, rows and members.

#![no_main]

use anomaly_train::{Artifact, Model, ModelExplanation};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use sha2::{Digest, Sha256};

/// The file with the digest that its content has, if it has the shape of a file.
fn with_fitting_digest(text: &[u8]) -> Option<Vec<u8>> {
    let start = b"{\"digest\":\"";
    let body = b",\"format_version\":";
    let at = text.windows(body.len()).position(|window| window == body)?;
    let header = text[..at].strip_prefix(start)?;
    let end = header.iter().position(|&byte| byte == b'"')?;
    let mut content = text[at..].to_vec();
    content[0] = b'{';
    while content.last() == Some(&b'\n') {
        content.pop();
    }
    let digest: String = Sha256::digest(&content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    content[0] = b',';
    Some([start, digest.as_bytes(), &header[end..], &content, b"\n"].concat())
}

/// Some sequences of actions that the model knows and others, chosen by the bytes of its digest.
fn sequences(model: &Model, digest: &str) -> Vec<Vec<String>> {
    let known = model.actions().take(40).map(|(name, _)| name.to_owned());
    let pool: Vec<String> = ["", "read", "unknown", "\u{1b}", "é"]
        .map(str::to_owned)
        .into_iter()
        .chain(known)
        .collect();
    let mut sequences = vec![Vec::new(), pool.clone(), vec![pool[0].clone(); 100]];
    for choices in digest.as_bytes().chunks(8) {
        let mut state = choices
            .iter()
            .fold(7_usize, |state, &byte| state.wrapping_mul(131) + usize::from(byte));
        sequences.push(
            (0..state % 12)
                .map(|_| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    pool[(state >> 33) % pool.len()].clone()
                })
                .collect(),
        );
    }
    sequences
}

/// The largest weight in a model file, whatever its sign.
fn largest_weight(text: &[u8]) -> f64 {
    let file: serde_json::Value = serde_json::from_slice(text).expect("it was loaded");
    let rows = ["vocabulary", "ngrams"].map(|table| file[table].as_array().cloned().unwrap_or_default());
    let of_rows = rows.iter().flatten().map(|row| row[1].as_f64());
    let figures = file["dense"].as_object().cloned().unwrap_or_default();
    let weights = of_rows.chain(figures.values().map(|figure| figure["weight"].as_f64()));
    weights.chain([file["bias"].as_f64()]).flatten().fold(0.0, |largest, weight| weight.abs().max(largest))
}

fn check(artifact: &Artifact, text: &[u8]) {
    let (bytes, digest) = artifact.to_bytes();
    assert!(bytes == text, "what was loaded is written in another way");
    assert!(text[11..].starts_with(digest.as_bytes()));
    assert_eq!(artifact.first_difference(artifact), None);
    let model = &artifact.model;
    let mut scorer = model.scorer();
    let largest = largest_weight(text);
    for sequence in sequences(model, &digest) {
        let actions = || sequence.iter().map(String::as_str);
        let prediction = scorer.predict(actions());
        assert_eq!(prediction.is_none(), sequence.is_empty());
        let Some(prediction) = prediction else {
            continue;
        };
        assert!((0.0..=1.0).contains(&prediction.score), "{prediction:?}");
        assert!((0.0..=1.0).contains(&prediction.confidence), "{prediction:?}");
        let explanation = scorer.explain(actions(), usize::MAX);
        assert_eq!(explanation.score().to_bits(), prediction.score.to_bits());
        assert!(!explanation.main_reason().contains(char::is_control));
        let is_place = |&place: &usize| place >= 1 && place <= sequence.len() + 1;
        match explanation {
            ModelExplanation::Labelled(explanation) => {
                let off = (explanation.contributions.log_odds() - explanation.log_odds).abs();
                // Of weights as large as 1e16 that cancel each other nothing is left but rounding.
                assert!(off <= 1e-6 * largest.max(1.0), "{off}, with weights up to {largest}");
                let places = explanation.evidence.iter().flat_map(|evidence| &evidence.positions);
                assert!(places.into_iter().all(is_place));
            }
            ModelExplanation::NormalOnly(explanation) => {
                let of_actions: f64 = explanation.actions.iter().map(|action| action.bits).sum();
                assert!((of_actions - explanation.order).abs() <= 1e-9 * (1.0 + explanation.order));
                assert!(explanation.actions.iter().all(|action| is_place(&action.position)));
            }
        }
    }
}

fuzz_target!(|input: &[u8]| {
    if let Ok(artifact) = Artifact::read(input) {
        check(&artifact, input);
    }
    if let Some(text) = with_fitting_digest(input) {
        match Artifact::read(&text[..]) {
            Ok(artifact) => check(&artifact, &text),
            Err(error) => assert!(!error.to_string().contains(char::is_control), "{error:?}"),
        }
    }
});

/// Numbers at the edges of what is allowed and of what there is, as the file spells them.
const NUMBERS: [&str; 24] = [
    "0",
    "1",
    "2",
    "8",
    "9",
    "-1",
    "-2",
    "4294967295",
    "18446744073709551615",
    "0.0",
    "-0.0",
    "0.5",
    "-0.5",
    "1.0",
    "2.5",
    "1000000.0",
    "-1000000.0",
    "1e+16",
    "-1e+16",
    "5e-324",
    "1.7e+308",
    "-1.7e+308",
    "0.9999999999999999",
    "1e-6",
];

/// Where numbers stand, and what stands between brackets or quotes.
#[derive(Default)]
struct Places {
    numbers: Vec<(usize, usize)>,
    lists: Vec<(usize, usize)>,
    texts: Vec<(usize, usize)>,
}

impl Places {
    fn of(text: &[u8]) -> Self {
        let mut places = Self::default();
        let (mut open, mut at) = (Vec::new(), 0);
        while at < text.len() {
            let start = at;
            at += 1;
            match text[start] {
                b'"' => {
                    while at < text.len() && text[at] != b'"' {
                        at += 1 + usize::from(text[at] == b'\\');
                    }
                    places.texts.push((start + 1, at.min(text.len())));
                    at += 1;
                }
                b'-' | b'0'..=b'9' => {
                    while at < text.len() && matches!(text[at], b'0'..=b'9' | b'.' | b'e' | b'-' | b'+') {
                        at += 1;
                    }
                    places.numbers.push((start, at));
                }
                b'[' | b'{' => open.push(start),
                b']' | b'}' => places.lists.extend(open.pop().map(|open| (open, at))),
                _ => {}
            }
        }
        places
    }
}

/// Numbers that follow from the seed.
struct Choices(u64);

impl Choices {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }

    fn of(&mut self, places: &[(usize, usize)]) -> Option<(usize, usize)> {
        let index = self.below(places.len());
        places.get(index).copied()
    }
}

/// The text with all its weights replaced by the largest ones that are allowed, or by larger ones.
fn with_huge_weights(text: &[u8], choices: &mut Choices) -> Vec<u8> {
    let huge = [["1e+16", "-1e+16"], ["1.7e+308", "-1.7e+308"]][choices.below(2)];
    let (mut changed, mut rest) = (Vec::new(), 0);
    for (start, end) in Places::of(text).numbers {
        let before = &text[..start];
        let is_weight = [&b"\"bias\":"[..], b"\"weight\":", b"\",", b"],"]
            .iter()
            .any(|mark| before.ends_with(mark));
        if is_weight {
            changed.extend_from_slice(&text[rest..start]);
            changed.extend_from_slice(huge[choices.below(2)].as_bytes());
            rest = end;
        }
    }
    changed.extend_from_slice(&text[rest..]);
    changed
}

/// The text with one number, row or member changed, or all weights.
fn changed(text: &[u8], choices: &mut Choices) -> Option<Vec<u8>> {
    let places = Places::of(text);
    let replaced = |(start, end): (usize, usize), by: &[u8]| Some([&text[..start], by, &text[end..]].concat());
    if choices.below(64) == 0 {
        return Some(with_huge_weights(text, choices));
    }
    match choices.below(8) {
        0 => {
            let number = NUMBERS[choices.below(NUMBERS.len())];
            replaced(choices.of(&places.numbers)?, number.as_bytes())
        }
        1 => {
            let (start, end) = choices.of(&places.numbers)?;
            replaced(choices.of(&places.numbers)?, &text[start..end])
        }
        2 | 3 => {
            let place = choices.of(&places.numbers)?;
            let number: i64 = std::str::from_utf8(&text[place.0..place.1]).ok()?.parse().ok()?;
            let number = number.wrapping_add([1, -1, 2, -2][choices.below(4)]);
            replaced(place, number.to_string().as_bytes())
        }
        4 => {
            // A row goes, with the comma behind or before it.
            let (mut start, mut end) = choices.of(&places.lists)?;
            if text.get(end) == Some(&b',') {
                end += 1;
            } else if start > 0 && text[start - 1] == b',' {
                start -= 1;
            }
            replaced((start, end), b"")
        }
        5 => {
            // A row comes twice, and one of its numbers is the next one.
            let (start, end) = choices.of(&places.lists)?;
            let row = &text[start..end];
            let (from, to) = choices.of(&Places::of(row).numbers)?;
            let number: i64 = std::str::from_utf8(&row[from..to]).ok()?.parse().ok()?;
            let next = (number + 1).to_string();
            replaced((end, end), &[b",", &row[..from], next.as_bytes(), &row[to..]].concat())
        }
        6 => replaced(choices.of(&places.lists)?, b"null"),
        _ => {
            let (start, end) = choices.of(&places.texts)?;
            let at = start + choices.below(end - start);
            // Of a list of fingerprints, a whole one goes; of any other text, a letter changes.
            if (end - start).is_multiple_of(16) && end - start > 64 {
                let at = start + (at - start) / 16 * 16;
                replaced((at, at + 16), b"")
            } else {
                replaced(
                    (at, (at + 1).min(end)),
                    [&b"a"[..], b"0", b"f", b"z", b"_", b""][choices.below(6)],
                )
            }
        }
    }
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut choices = Choices(u64::from(seed));
    let mut text = data[..size].to_vec();
    for _ in 0..choices.below(4) {
        text = changed(&text, &mut choices).unwrap_or(text);
    }
    if text == data[..size] || text.len() > max_size {
        return fuzzer_mutate(data, size, max_size);
    }
    data[..text.len()].copy_from_slice(&text);
    text.len()
});
