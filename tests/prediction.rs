//! Scoring sequences with a saved model.

mod common;

use common::{Ended, Sandbox};

/// A sandbox with a model in it, and the path of the model.
fn trained() -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    let summary = sandbox.train(&["--num-samples", "2000"]);
    let path = summary["model_path"].as_str().unwrap().to_owned();
    (sandbox, path)
}

fn predict(sandbox: &Sandbox, model: &str, input: &str) -> Ended {
    sandbox.run_with_input(&["predict", "--model", model], input.as_bytes())
}

#[test]
fn each_line_gets_its_answer_in_order_with_its_id() {
    let (sandbox, model) = trained();
    let ended = predict(
        &sandbox,
        &model,
        r#"{"id": "first", "features": {"sequence": ["read", "process", "write"]}, "label": 0}
{"sequence": ["delete", "exfiltrate", "cover_tracks"]}

{"id": 18446744073709551616, "sequence": ["scan", "exploit", "inject"]}
{"id": "x\u001b\"", "sequence": ["open", "read", "close"]}
"#,
    );
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let answers = ended.json_lines();
    let labels: Vec<_> = answers.iter().map(|answer| answer["label"].as_u64().unwrap()).collect();
    assert_eq!(labels, [0, 1, 1, 0]);
    assert_eq!(answers[0]["id"], "first");
    assert!(answers[1]["id"].is_null());
    assert!(
        ended.stdout.contains("{\"id\":18446744073709551616,"),
        "{}",
        ended.stdout
    );
    assert_eq!(answers[3]["id"], "x\u{1b}\"");
    assert!(!ended.stdout.contains('\u{1b}'));
    for answer in answers {
        let (score, confidence) = (
            answer["score"].as_f64().unwrap(),
            answer["confidence"].as_f64().unwrap(),
        );
        let expected = if score >= 0.3 {
            (score - 0.3) / 0.7
        } else {
            (0.3 - score) / 0.3
        };
        assert!((confidence - expected).abs() < 1e-12 && (0.0..=1.0).contains(&score));
    }
}

#[test]
fn scores_are_those_that_the_run_was_judged_by() {
    let sandbox = Sandbox::new();
    let lines = sandbox
        .run(&["generate", "--num-samples", "1000", "--scenario", "mixed"])
        .stdout;
    let cut = lines.match_indices('\n').nth(799).unwrap().0 + 1;
    sandbox.write("train", &lines[..cut]);
    sandbox.write("test", &lines[cut..]);
    let summary = sandbox.train(&["--data", "train", "--validation-data", "test"]);
    let ended = sandbox.run(&["predict", "--model", summary["model_path"].as_str().unwrap(), "test"]);
    let labels: Vec<f64> = lines[cut..]
        .lines()
        .map(|line| f64::from(u8::from(line.ends_with("1}"))))
        .collect();
    let answers = ended.json_lines();
    let squares = answers
        .iter()
        .zip(&labels)
        .map(|(answer, label)| (answer["score"].as_f64().unwrap() - label).powi(2));
    let brier = squares.sum::<f64>() / labels.len() as f64;
    assert!((brier - summary["metrics"]["brier"].as_f64().unwrap()).abs() < 1e-12);
    let reported = answers.iter().filter(|answer| answer["label"] == 1).count() as u64;
    let confusion = &summary["metrics"]["confusion"];
    assert_eq!(
        reported,
        confusion["tp"].as_u64().unwrap() + confusion["fp"].as_u64().unwrap()
    );
}

#[test]
fn a_bad_line_is_answered_in_its_place_and_the_rest_goes_on() {
    let (sandbox, model) = trained();
    let good = "{\"sequence\": [\"read\"]}\n";
    let ended = predict(&sandbox, &model, &format!("{good}nonsense\n{good}"));
    assert_eq!(ended.code, 3);
    let answers = ended.json_lines();
    assert_eq!(answers.len(), 3);
    assert_eq!(answers[1]["line"], 2);
    assert!(answers[1]["error"].as_str().unwrap().contains("not valid JSON"));
    assert_eq!(answers[0], answers[2]);
    assert!(ended.stderr.contains("1 line is not a sample"), "{}", ended.stderr);
}

#[test]
fn an_empty_sequence_is_normal_without_a_score() {
    let (sandbox, model) = trained();
    let answers = predict(&sandbox, &model, "{\"id\": 1, \"sequence\": []}\n").json_lines();
    assert_eq!(
        answers[0],
        serde_json::json!({"id": 1, "label": 0, "score": null, "confidence": null, "empty": true})
    );
}

#[test]
fn no_input_gives_no_output() {
    let (sandbox, model) = trained();
    let ended = predict(&sandbox, &model, "");
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ""));
}

#[test]
fn a_file_that_is_not_a_whole_model_is_refused_in_one_line() {
    let (sandbox, model) = trained();
    let text = std::fs::read_to_string(sandbox.path(&model)).unwrap();
    let cases = [
        (String::new(), "empty"),
        ("{}".to_owned(), "model_type"),
        ("[1]".to_owned(), "JSON object"),
        ("nonsense".to_owned(), "JSON object"),
        (text[..text.len() / 2].to_owned(), "cut off"),
        (format!("{text}{text}"), "trailing characters"),
        (
            text.replace("\"anomaly_threshold\":0.3", "\"anomaly_threshold\":0.99"),
            "damaged",
        ),
        (
            text.replace("\"format_version\":1", "\"format_version\":2"),
            "format version 2, made by version",
        ),
        (
            text.replace("\"model_type\":\"anomaly\"", "\"model_type\":\"\\u001b[2J\""),
            "model type",
        ),
    ];
    for (content, message) in cases {
        sandbox.write("model.json", content);
        let ended = predict(&sandbox, "model.json", "{\"sequence\": [\"a\"]}\n");
        ended.assert_refused(3, message);
        assert!(ended.stderr.contains("model.json: ") && !ended.stderr.contains('\u{1b}'));
    }
    predict(&sandbox, "missing.json", "").assert_refused(1, "missing.json: cannot open");
    predict(&sandbox, ".", "").assert_refused(1, "cannot read");
}

#[test]
fn scores_read_from_a_pipe_and_from_gzip_are_the_same() {
    use std::io::Write;
    let (sandbox, model) = trained();
    let lines = sandbox.run(&["generate", "--num-samples", "50"]).stdout;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(lines.as_bytes()).unwrap();
    sandbox.write("lines.gz", encoder.finish().unwrap());
    let piped = predict(&sandbox, &model, &lines);
    let read = sandbox.run(&["predict", "--model", &model, "lines.gz"]);
    assert_eq!(piped.stdout.lines().count(), 50);
    assert_eq!(piped.stdout, read.stdout);
}
