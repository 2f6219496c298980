//! `verify`: a model file is what its training makes of its data, or it is said where not.

use crate::common::{Sandbox, samples};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fs;

/// Changes the file at `path` and makes its digest fit, as somebody would who wants the change to go unnoticed.
fn forge(sandbox: &Sandbox, path: &str, from: &str, to: &str) {
    let text = fs::read_to_string(sandbox.path(path)).unwrap();
    let changed = text.replacen(from, to, 1);
    assert_ne!(text, changed);
    let body = changed.find(",\"format_version\"").unwrap() + 1;
    let sealed = format!("{{{}", changed[body..].trim_end());
    let digest: String = Sha256::digest(sealed)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let old = &text[r#"{"digest":""#.len()..][..64];
    sandbox.write(path, changed.replacen(old, &digest, 1));
}

#[test]
fn what_was_drawn_is_verified_without_any_file() {
    let sandbox = Sandbox::new();
    for args in [
        &["--num-samples", "400"][..],
        &[
            "--num-samples",
            "500",
            "--scenario",
            "mixed",
            "--seed",
            "9",
            "--ngram-size",
            "2",
        ],
        &[
            "--num-samples",
            "200",
            "--split-strategy",
            "temporal",
            "--threads",
            "1",
            "--max-ngrams",
            "9",
        ],
    ] {
        let model = sandbox.train(args)["model_path"].as_str().unwrap().to_owned();
        let ended = sandbox.run(&["verify", &model]);
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(ended.stdout.contains("[INFO] Verification result: PASS"), "{ended:?}");
        assert_eq!(ended.stdout.matches(": ok: ").count(), 6, "{ended:?}");
    }
    let summary = sandbox.run(&["verify", "--json"]).json_lines().remove(0);
    assert_eq!(summary["verified"], true);
    assert_eq!(summary["checks"][5]["what"], "training");
}

#[test]
fn numbers_that_no_option_would_have_taken_are_refused_even_with_a_fitting_digest() {
    for (from, to, says) in [
        ("\"ece_bins\":10", "\"ece_bins\":4294967295", "from 1 to 10000"),
        ("\"ece_bins\":10", "\"ece_bins\":0", "from 1 to 10000"),
        ("\"epochs\":10", "\"epochs\":1000001", "from 1 to 1000000"),
        (
            "\"max_ngrams\":1000000",
            "\"max_ngrams\":4294967296",
            "from 1 to 1000000000",
        ),
        ("\"num_samples\":400", "\"num_samples\":10000001", "from 1 to 10000000"),
    ] {
        let sandbox = Sandbox::new();
        let model = sandbox.train(&["--num-samples", "400"])["model_path"]
            .as_str()
            .unwrap()
            .to_owned();
        forge(&sandbox, &model, from, to);
        sandbox.run(&["verify", &model]).assert_refused(3, says);
        sandbox.run(&["inspect", &model]).assert_refused(3, says);
    }
}

#[test]
fn what_was_read_is_verified_with_the_same_data_and_no_other() {
    let sandbox = Sandbox::new();
    sandbox.write("data", samples(300));
    sandbox.write("more", samples(90).replace("close", "shut"));
    let grouped = samples(300).replace("{\"features", "{\"user\": 5, \"features");
    sandbox.write("grouped", grouped.replacen("\"user\": 5", "\"user\": 6", 100));
    for options in [
        &["--data", "data"][..],
        &["--data", "data", "--data", "more"],
        &["--data", "data", "--num-samples", "200"],
        &["--data", "data", "--validation-data", "more"],
        &["--data", "grouped", "--split-strategy", "grouped", "--group-by", "user"],
    ] {
        let model = sandbox.train(options)["model_path"].as_str().unwrap().to_owned();
        let files: Vec<&str> = options
            .chunks(2)
            .filter(|pair| pair[0].ends_with("data"))
            .flatten()
            .copied()
            .collect();
        let ended = sandbox.run(&[&["verify", &model][..], &files].concat());
        assert_eq!(ended.code, 0, "{options:?}: {ended:?}");
        sandbox
            .run(&["verify", &model])
            .assert_refused(2, "name them with --data");
    }
    let model = sandbox.train(&["--data", "data"])["model_path"]
        .as_str()
        .unwrap()
        .to_owned();
    let ended = sandbox.run(&["verify", &model, "--data", "more"]);
    assert_eq!(ended.code, 3);
    assert!(ended.stdout.contains("data: FAILED: digest "), "{ended:?}");
    assert!(ended.stderr.contains("but the model was trained on"), "{ended:?}");
    for (args, message) in [
        (
            &["--data", "data", "--validation-data", "more"][..],
            "without --validation-data",
        ),
        (&["--quick", "--data", "data"], "cannot be used with"),
        (&["--data", "-", "--data", "-"], "read only once"),
        (&["--data", "gone"], "cannot open"),
    ] {
        let code = if message == "cannot open" { 1 } else { 2 };
        sandbox
            .run(&[&["verify", &model][..], args].concat())
            .assert_refused(code, message);
    }
    let separate = sandbox.train(&["--data", "data", "--validation-data", "more"]);
    let separate = separate["model_path"].as_str().unwrap();
    sandbox
        .run(&["verify", separate, "--data", "data"])
        .assert_refused(2, "name them with --validation-data");
}

#[test]
fn what_was_made_of_events_is_verified_with_the_same_events() {
    let sandbox = Sandbox::new();
    let event = |agent: usize, place: usize| {
        let action = ["read", "list", "send", "delete"][(agent * 7 + place * (1 + agent % 3)) % 4];
        let (time, label) = (1_700_000_000 + 10 * place, usize::from(agent.is_multiple_of(3)));
        format!(
            "{{\"agent_id\": \"a{agent}\", \"action_type\": \"{action}\", \"timestamp\": {time}, \"bad\": {label}}}\n"
        )
    };
    let events: String = (0..600).map(|index| event(index % 120, index / 120)).collect();
    sandbox.write("events", events);
    let options = [
        "--data",
        "events",
        "--session-by",
        "agent_id",
        "--label-field",
        "bad",
        "--session-gap",
        "5m",
    ];
    let model = sandbox.train(&options)["model_path"].as_str().unwrap().to_owned();
    let ended = sandbox.run(&["verify", &model, "--data", "events"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    sandbox
        .run(&["verify", &model])
        .assert_refused(2, "name them with --data");
}

#[test]
fn a_forged_model_is_found_out_by_the_member_and_by_how_much() {
    let sandbox = Sandbox::new();
    let model = sandbox.train(&["--num-samples", "400"])["model_path"]
        .as_str()
        .unwrap()
        .to_owned();
    let text = fs::read_to_string(sandbox.path(&model)).unwrap();
    let bias = text
        .split("\"bias\":")
        .nth(1)
        .unwrap()
        .split(',')
        .next()
        .unwrap()
        .to_owned();
    let moved = (bias.parse::<f64>().unwrap() + 0.125).to_string();
    fs::create_dir(sandbox.path("aside")).unwrap();
    let aside = "aside/model.json";
    sandbox.write(aside, &text);
    assert_eq!(sandbox.run(&["verify", aside]).code, 0);
    forge(&sandbox, aside, &bias, &moved);
    let ended = sandbox.run(&["verify", aside]);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(
        ended
            .stdout
            .contains(&format!("training: FAILED: bias is {moved}, not {bias} (by 1.25e-1)")),
        "{ended:?}"
    );
    assert!(
        ended.stdout.ends_with("[INFO] Verification result: FAIL\n"),
        "{ended:?}"
    );
    // The file alone is consistent; only training again tells.
    let quick = sandbox.run(&["verify", "--quick", aside]);
    assert_eq!(quick.code, 0);
    assert!(quick.stdout.contains("the file alone was checked"), "{quick:?}");

    sandbox.write(aside, &text);
    forge(&sandbox, aside, "\"epochs\":10", "\"epochs\":1");
    assert_eq!(sandbox.run(&["verify", aside]).code, 3);
    sandbox.write(aside, text.replacen(&bias, &moved, 1));
    sandbox
        .run(&["verify", aside])
        .assert_refused(3, "damaged: the digest in the file is");
    sandbox.run(&["verify", "--quick", aside]).assert_refused(3, "damaged");
}

#[test]
fn a_candidate_that_somebody_copied_into_current_is_found_out() {
    let sandbox = Sandbox::new();
    let refused = sandbox.train(&["--num-samples", "400", "--promotion-max-ece", "0"]);
    let candidate = refused["model_path"].as_str().unwrap();
    assert_eq!(sandbox.run(&["verify", candidate]).code, 0);
    fs::create_dir(sandbox.path("models/current")).unwrap();
    let copy = "models/current/anomaly_model_20261122_120000.json";
    fs::copy(sandbox.path(candidate), sandbox.path(copy)).unwrap();
    let ended = sandbox.run(&["verify", copy]);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(
        ended
            .stdout
            .contains("record: FAILED: the record does not know this file"),
        "{ended:?}"
    );
    // Nor does it help to write another verdict into its header.
    let text = fs::read_to_string(sandbox.path(copy)).unwrap();
    let reasons: Value = serde_json::from_str(&text).unwrap();
    let reasons = reasons["verdict"]["reasons"].to_string();
    let better = text
        .replacen("\"promoted\":false", "\"promoted\":true", 1)
        .replacen(&reasons, "[]", 1);
    sandbox.write("better.json", better);
    let ended = sandbox.run(&["verify", "--quick", "better.json"]);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(
        ended.stdout.contains("verdict: FAILED: \"promoted\" does not follow"),
        "{ended:?}"
    );
}

#[test]
fn a_verdict_other_than_that_of_the_record_is_found_out() {
    let sandbox = Sandbox::new();
    let refused = sandbox.train(&["--num-samples", "400", "--promotion-max-ece", "0"]);
    let candidate = refused["model_path"].as_str().unwrap();
    let text = fs::read_to_string(sandbox.path(candidate)).unwrap();
    let reasons = refused["reasons"].to_string();
    let lenient = text
        .replacen("\"max_ece\":0.0", "\"max_ece\":1.0", 1)
        .replacen("\"promoted\":false", "\"promoted\":true", 1)
        .replacen(&reasons, "[]", 1);
    assert!(lenient.contains("\"promoted\":true,\"reasons\":[]"));
    sandbox.write(candidate, lenient);
    let ended = sandbox.run(&["verify", candidate]);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(
        ended
            .stdout
            .contains("record: FAILED: refused 2026-11-22T12:00:00+00:00, which is not what"),
        "{ended:?}"
    );
}

#[test]
fn metrics_that_say_other_than_the_model_or_are_gone_are_found_out() {
    let sandbox = Sandbox::new();
    let summary = sandbox.train(&["--num-samples", "400"]);
    let path = sandbox.path(summary["metrics_path"].as_str().unwrap());
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("\"accuracy\": ", "\"accuracy\": 0.0", 1)).unwrap();
    let ended = sandbox.run(&["verify"]);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.stdout.contains("metrics file: FAILED"), "{ended:?}");
    fs::remove_file(&path).unwrap();
    let ended = sandbox.run(&["verify"]);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.stdout.contains("metrics file: FAILED"), "{ended:?}");
}

#[test]
fn metrics_that_belong_to_another_model_are_found_out() {
    let sandbox = Sandbox::new();
    let first = sandbox.train(&["--num-samples", "500"]);
    let second = sandbox.train(&["--num-samples", "500", "--seed", "1"]);
    let path = |summary: &Value, member: &str| sandbox.path(summary[member].as_str().unwrap());
    fs::copy(path(&first, "metrics_path"), path(&second, "metrics_path")).unwrap();
    let ended = sandbox.run(&["verify"]);
    assert_eq!(ended.code, 3);
    assert!(ended.stdout.contains("metrics file: FAILED"), "{ended:?}");
}

#[test]
fn a_long_repetition_is_announced_with_the_way_around_it() {
    let sandbox = Sandbox::new();
    sandbox.write("data", samples(300));
    sandbox.write("other", samples(303));
    let model = sandbox.train(&["--data", "data"])["model_path"]
        .as_str()
        .unwrap()
        .to_owned();
    let announced = |ended: &crate::common::Ended| ended.stderr.matches("[INFO] training again on").count();
    assert_eq!(announced(&sandbox.run(&["verify", &model, "--data", "data"])), 0);
    forge(&sandbox, &model, "\"epochs\":10", "\"epochs\":1000000");
    // Other data, so that the work ends before it begins.
    let args = ["verify", &model, "--data", "other"];
    let ended = sandbox.run(&args);
    assert_eq!((ended.code, announced(&ended)), (3, 1), "{ended:?}");
    let line = ended.stderr.lines().next().unwrap();
    for part in ["240 samples", "1000000 times", "--quick"] {
        assert!(line.contains(part), "{line}");
    }
    assert_eq!(announced(&sandbox.run(&[&args[..], &["-q"]].concat())), 0);
    assert_eq!(announced(&sandbox.run(&["verify", &model, "--quick"])), 0);
}

/// Where numbers stand behind keys in `text`: the key, and the place of the number.
fn numbers(text: &str) -> Vec<(&str, std::ops::Range<usize>)> {
    let number = |start: &usize| text[*start..].starts_with(|c: char| c.is_ascii_digit() || c == '-');
    let starts = text.match_indices("\":").map(|(end, _)| end + 2).filter(number);
    starts
        .map(|start| {
            let key = text[..start - 2].rsplit('"').next().unwrap();
            (key, start..start + text[start..].find([',', '}']).unwrap())
        })
        .collect()
}

/// The model files of three runs, between which every member of a run that is a number occurs.
fn models(sandbox: &Sandbox) -> [String; 3] {
    let event = |agent: usize| {
        let label = agent % 2;
        format!("{{\"agent_id\": \"{agent}\", \"action_type\": \"a\", \"bad\": {label}}}\n")
    };
    sandbox.write("events", (0..60).map(event).collect::<String>());
    let events = [
        "--data",
        "events",
        "--session-by=agent_id",
        "--session-gap=30m",
        "--skip-bad-lines=1%",
        "--label-field=bad",
        "--num-samples=50",
    ];
    let normal_only = [
        "--num-samples=80",
        "--normal-only",
        "--drop-anomalous",
        "--anomaly-threshold=0.9",
    ];
    [
        &["--num-samples=60", "--ngram-size=2", "--l2=3"][..],
        &events,
        &normal_only,
    ]
    .map(|args| {
        let path = sandbox.train(args)["model_path"].as_str().unwrap().to_owned();
        fs::read_to_string(sandbox.path(&path)).unwrap()
    })
}

#[test]
fn no_model_is_accepted_whose_run_no_option_would_have_taken() {
    let out_of_range: &[(&str, &[&str])] = &[
        ("num_samples", &["0", "10000001", "59.0"]),
        ("session_gap", &["-1.0", "3153600001.0"]),
        ("skip_bad_lines", &["-0.1", "1.1"]),
        ("train_ratio", &["0.0", "1.0"]),
        ("ngram_size", &["0", "9"]),
        ("anomaly_threshold", &["0.0", "1.0"]),
        ("seed", &["-1", "0.5", "18446744073709551616"]),
        ("epochs", &["0", "1000001"]),
        ("batch_size", &["0", "1000001"]),
        ("l2", &["0.0", "9e-7", "1000000001.0"]),
        ("offset", &["-1000.5", "1001.0"]),
        ("slope", &["0.0", "-1.0", "100.5"]),
        ("learning_rate", &["0.0", "1.0001"]),
        ("max_ngrams", &["0", "1000000001"]),
        ("ece_bins", &["0", "10001", "4294967295"]),
        ("window", &["0", "10001"]),
    ];
    let sandbox = Sandbox::new();
    let mut seen = std::collections::BTreeSet::new();
    for text in models(&sandbox) {
        let run = text.find("\"run\":{").unwrap()..text.find(",\"data\":{").unwrap();
        let reading = text.find("\"reading\":{").unwrap()..text.find(",\"gate\":").unwrap();
        let both = [run, reading].map(|part| (part.start, numbers(&text[part])));
        for (start, (key, place)) in both
            .into_iter()
            .flat_map(|(start, found)| found.into_iter().map(move |one| (start, one)))
        {
            let row = out_of_range.iter().find(|row| row.0 == key);
            let (_, values) = row.unwrap_or_else(|| panic!("{key} has no range"));
            seen.insert(key.to_owned());
            for value in *values {
                sandbox.write("model.json", &text);
                let from = &text[start..start + place.end];
                forge(
                    &sandbox,
                    "model.json",
                    from,
                    &format!("{}{value}", &text[start..start + place.start]),
                );
                for command in [
                    &["verify", "model.json"][..],
                    &["predict", "--model=model.json", "--sequence=a"],
                ] {
                    sandbox
                        .run(command)
                        .assert_refused(3, &format!("in or after \"{key}\""));
                }
            }
        }
    }
    let all: std::collections::BTreeSet<String> = out_of_range.iter().map(|row| row.0.to_owned()).collect();
    assert_eq!(seen, all);
}

#[test]
fn no_number_of_a_model_file_may_lie_out_of_range_even_if_the_digest_fits() {
    let sandbox = Sandbox::new();
    for text in models(&sandbox) {
        let tables = text.find("\"vocabulary\"").unwrap();
        let mut top = "";
        for (key, place) in numbers(&text[..tables]) {
            for name in ["gate", "fitted", "data", "metrics", "bias", "dense"] {
                if text[..place.start].contains(&format!("\"{name}\":")) {
                    top = name;
                }
            }
            let signed = ["bias", "dense"].contains(&top) || ["offset", "skill"].contains(&key);
            for value in ["1e300", "-1e300", "18446744073709551616", "-1"] {
                // What reads another format is said to do so, and weights may be negative.
                if key == "format_version" || signed && value == "-1" {
                    continue;
                }
                sandbox.write("model.json", &text);
                forge(
                    &sandbox,
                    "model.json",
                    &text[..place.end],
                    &format!("{}{value}", &text[..place.start]),
                );
                let ended = sandbox.run(&["verify", "--quick", "model.json"]);
                assert!(ended.stderr.len() < 300, "{ended:?}");
                let named = [key, top]
                    .iter()
                    .any(|name| ended.stderr.contains(&format!("\"{name}\"")));
                assert!(ended.code == 3 && named, "{key} in {top} is {value}: {ended:?}");
            }
        }
    }
}

#[test]
fn a_normal_only_model_whose_counts_cannot_be_is_refused_even_if_the_digest_fits() {
    let sandbox = Sandbox::new();
    let args = [
        "--num-samples=80",
        "--normal-only",
        "--drop-anomalous",
        "--anomaly-threshold=0.9",
    ];
    let path = sandbox.train(&args)["model_path"].as_str().unwrap().to_owned();
    let text = fs::read_to_string(sandbox.path(&path)).unwrap();
    let member = |name: &str| text.find(&format!("\"{name}\":")).unwrap() + name.len() + 3;
    let refused = |from: String, to: String, says: &str| {
        sandbox.write("model.json", &text);
        forge(&sandbox, "model.json", &from, &to);
        let ended = sandbox.run(&["predict", "--model=model.json", "--sequence=a"]);
        assert!(
            ended.code == 3 && ended.stderr.contains(says),
            "{from} to {to}: {ended:?}"
        );
    };
    // One occurrence of an action, an n-gram, or a sample of the calibration more than there can be.
    let one_more = |name: &str, of: &dyn Fn(&Value) -> Value| {
        let rest = &text[member(name)..];
        let mut rows = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let old = rows.next().unwrap().unwrap();
        let end = rows.byte_offset();
        (
            format!("\"{name}\":{}", &rest[..end]),
            format!("\"{name}\":{}", of(&old)),
        )
    };
    let bump = |place: &'static [usize]| {
        move |rows: &Value| {
            let mut rows = rows.clone();
            let number = place.iter().fold(&mut rows, |value, &index| &mut value[index]);
            *number = (number.as_u64().unwrap() + 1).into();
            rows
        }
    };
    for (name, place, says) in [
        ("ngrams", &[0, 1][..], "do not occur as often"),
        ("vocabulary", &[0, 1], "do not occur as often"),
        ("vocabulary", &[0, 2, 0, 0], "cannot occur as often"),
        ("vocabulary", &[0, 2, 0, 1], "cannot occur as often"),
    ] {
        let (from, to) = one_more(name, &bump(place));
        refused(from, to, says);
    }
    // What no count gives away, training again does.
    let (from, to) = one_more("calibration", &bump(&[0, 0]));
    sandbox.write("model.json", &text);
    forge(&sandbox, "model.json", &from, &to);
    let ended = sandbox.run(&["verify", "model.json"]);
    assert!(
        ended.code == 3 && ended.stdout.contains("calibration[0][0] is"),
        "{ended:?}"
    );
    let (from, to) = one_more("ngrams", &|rows| {
        rows.as_array().unwrap().iter().rev().cloned().collect()
    });
    refused(from, to, "stands without its beginning");
    let (from, to) = one_more("ngrams", &|rows| {
        rows.as_array().unwrap().iter().rev().cloned().collect()
    });
    refused(from, to, "stands without its beginning");
    let (from, to) = one_more("ngrams", &|rows| {
        let mut rows = rows.clone();
        rows[0][0] = serde_json::json!([-2, 0]);
        rows
    });
    refused(from, to, "is not a valid key");
    // A kind with the members of the other.
    refused(
        "\"kind\":\"normal_only\"".into(),
        "\"kind\":\"labelled\"".into(),
        "not a whole model file",
    );
    refused(
        "\"anomaly_threshold\":0.9,\"origin\"".into(),
        "\"anomaly_threshold\":0.8,\"origin\"".into(),
        "\"anomaly_threshold\"",
    );
}
