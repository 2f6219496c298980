//! Scoring sequences with a saved model.

use crate::common::{Ended, Sandbox};

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
            text.replace("\"format_version\":8", "\"format_version\":1"),
            "format version 1, made by version",
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
    predict(&sandbox, ".", "").assert_refused(3, "is not a file");
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

const SEQUENCES: &str = r#"{"id": "a", "sequence": ["read", "process", "write"]}
{"id": "b", "sequence": ["scan", "exploit", "inject"]}
{"id": "c", "sequence": ["never", "seen", "never"]}
"#;

#[test]
fn without_a_model_the_newest_promoted_one_is_used_and_named() {
    let (sandbox, first) = trained();
    let second = sandbox.train(&["--num-samples", "2000", "--seed", "7"]);
    let newest = second["model_path"].as_str().unwrap();
    assert_ne!(first, newest);
    let ended = sandbox.run_with_input(&["predict"], SEQUENCES.as_bytes());
    assert_eq!(ended.stderr, format!("[INFO] using {newest}\n"));
    assert_eq!(ended.stdout, predict(&sandbox, newest, SEQUENCES).stdout);
    let nowhere = sandbox.run(&["predict", "--models-dir", "nowhere"]);
    nowhere.assert_refused(3, "no promoted model here");
}

#[test]
fn a_bare_array_is_a_sequence_too() {
    let (sandbox, model) = trained();
    let ended = predict(
        &sandbox,
        &model,
        "[\"scan\", \"exploit\"]\n{\"sequence\": [\"scan\", \"exploit\"]}\n[]\n",
    );
    let answers = ended.json_lines();
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[2]["empty"], true);
}

#[test]
fn explanations_add_up_and_say_where_and_how_often() {
    let sandbox = Sandbox::new();
    let summary = sandbox.train(&["--num-samples", "3000", "--scenario", "mixed"]);
    let model = summary["model_path"].as_str().unwrap();
    let lines = sandbox
        .run(&[
            "generate",
            "--scenario",
            "mixed",
            "--num-samples",
            "1000",
            "--seed",
            "9",
        ])
        .stdout;
    let args = ["predict", "--model", model, "--explain", "--top", "1000000"];
    let answers = sandbox.run_with_input(&args, lines.as_bytes()).json_lines();
    assert_eq!(answers.len(), 1000);
    for answer in &answers {
        let explanation = &answer["explanation"];
        let part = |name: &str| explanation["contributions"][name].as_f64().unwrap();
        let log_odds = explanation["log_odds"].as_f64().unwrap();
        let sum: f64 = ["bias", "frequency", "ngram", "entropy", "diversity"]
            .map(part)
            .iter()
            .sum();
        assert!((sum - log_odds).abs() < 1e-9, "{answer}");
        let score = answer["score"].as_f64().unwrap();
        assert!(((score / (1.0 - score)).ln() - log_odds).abs() < 1e-6, "{answer}");
        let evidence = explanation["evidence"].as_array().unwrap();
        let listed: f64 = evidence.iter().map(|e| e["contribution"].as_f64().unwrap()).sum();
        let unknown = explanation["unknown"]["contribution"].as_f64().unwrap();
        assert!((listed + unknown - part("frequency") - part("ngram")).abs() < 1e-9);
    }
    let with_top = sandbox.run_with_input(
        &["predict", "--model", model, "--explain", "--top", "3"],
        lines.as_bytes(),
    );
    let first = &with_top.json_lines()[0]["explanation"];
    assert_eq!(first["evidence"].as_array().unwrap().len(), 3);
    assert_eq!(first["evidence"][0], answers[0]["explanation"]["evidence"][0]);
}

#[test]
fn a_sequence_typed_by_hand_is_explained_for_people() {
    let (sandbox, model) = trained();
    let ended = sandbox.run(&["predict", "--model", &model, "--sequence", "scan,exploit,brand_new"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended.stdout.starts_with("anomalous: P(anomalous) 0."),
        "{}",
        ended.stdout
    );
    assert!(ended.stdout.contains("log odds"), "{}", ended.stdout);
    assert!(ended.stdout.contains("33 % of its actions"), "{}", ended.stdout);
    assert!(
        ended.stdout.contains("`scan -> exploit` (seen in 0 normal and "),
        "{}",
        ended.stdout
    );
    let unknown = sandbox.run(&["predict", "--model", &model, "--sequence", "one, two"]);
    assert!(
        unknown.stdout.contains("+ entropy 0.000 + diversity 0.000\n"),
        "{}",
        unknown.stdout
    );
    let nothing = sandbox.run(&["predict", "--model", &model, "--sequence", ""]);
    assert!(nothing.stdout.contains("no actions"), "{}", nothing.stdout);
    let spaced = sandbox.run(&["predict", "--model", &model, "--sequence", " scan , exploit,brand_new"]);
    assert_eq!(spaced.stdout, ended.stdout);
    let json = sandbox.run(&[
        "predict",
        "--model",
        &model,
        "--sequence",
        "scan,exploit",
        "--format",
        "json",
    ]);
    assert_eq!(json.json_lines()[0]["explanation"]["unknown"]["action_share"], 0.0);
}

#[test]
fn a_table_has_a_row_for_each_line_and_nothing_harmful_in_it() {
    let (sandbox, model) = trained();
    let hostile = "{\"id\": \"x\\u001b[2J\\u202e\", \"sequence\": [\"\\u001b[31m\", \"a\\nb\"]}\nbad\u{1b}\n[]\n";
    let input = format!("{SEQUENCES}{hostile}");
    for extra in [
        &["--format", "table"][..],
        &["--format", "table", "--explain"],
        &["--explain"],
    ] {
        let args = [&["predict", "--model", &model][..], extra].concat();
        let ended = sandbox.run_with_input(&args, input.as_bytes());
        assert_eq!(ended.code, 3);
        let harmful = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
        assert!(!ended.stdout.contains(harmful), "{:?}", ended.stdout);
    }
    let ended = sandbox.run_with_input(&["predict", "--model", &model, "--format", "table"], input.as_bytes());
    let mut rows: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(rows.remove(0), "label      score   id");
    assert_eq!(rows.len(), 6);
    assert!(
        rows[0].starts_with("normal     0.0") && rows[0].ends_with("\"a\""),
        "{}",
        rows[0]
    );
    assert!(rows[1].contains("(seen in 0 normal and"), "{}", rows[1]);
    assert!(rows[2].contains("100 % of its actions"), "{}", rows[2]);
    assert!(rows[4].contains("line 5: not valid JSON"), "{}", rows[4]);
    assert!(rows[5].contains("no actions"), "{}", rows[5]);
}

#[test]
fn the_threshold_can_be_overridden_and_normal_answers_left_out() {
    let (sandbox, model) = trained();
    let run = |extra: &[&str]| {
        let args = [&["predict", "--model", &model][..], extra].concat();
        sandbox.run_with_input(&args, SEQUENCES.as_bytes()).json_lines()
    };
    let labels =
        |answers: &[serde_json::Value]| -> Vec<u64> { answers.iter().map(|a| a["label"].as_u64().unwrap()).collect() };
    let usual = run(&[]);
    assert_eq!(labels(&usual), [0, 1, 1]);
    let strict = run(&["--anomaly-threshold", "0.999999"]);
    assert_eq!(labels(&strict), [0, 0, 0]);
    assert_eq!(strict[1]["score"], usual[1]["score"]);
    assert_ne!(strict[1]["confidence"], usual[1]["confidence"]);
    let only = run(&["--only-anomalies"]);
    assert_eq!(only, usual[1..]);
}

#[test]
fn strict_stops_at_the_first_line_that_is_not_a_sample() {
    let (sandbox, model) = trained();
    let input = format!("{SEQUENCES}bad\n{SEQUENCES}");
    for threads in ["1", "2", "8"] {
        let args = ["predict", "--model", &model, "--strict", "--threads", threads];
        let ended = sandbox.run_with_input(&args, input.as_bytes());
        assert_eq!((ended.code, ended.stdout.lines().count()), (3, 3), "{ended:?}");
        assert!(ended.stderr.contains("-:4:1: not valid JSON"), "{}", ended.stderr);
    }
}

#[test]
fn each_answer_comes_at_once_when_input_is_slow() {
    use std::io::{BufRead, BufReader, Write};
    let (sandbox, model) = trained();
    let mut child = sandbox
        .command(&["predict", "--model", &model])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut times = Vec::new();
    for _ in 0..200 {
        let start = std::time::Instant::now();
        stdin.write_all(b"[\"read\", \"process\", \"write\"]\n").unwrap();
        assert!(answers.next().unwrap().unwrap().contains("\"label\":0"));
        times.push(start.elapsed());
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
    times.sort();
    // A median of well under a millisecond is usual; the limit leaves room for a busy machine.
    assert!(times[100].as_millis() < 20, "{:?}", times[100]);
}

#[test]
fn one_bad_line_among_many_is_the_only_one_without_a_score_for_any_number_of_threads() {
    let (sandbox, model) = trained();
    let good = "{\"sequence\": [\"read\", \"process\", \"write\", \"validate\"]}\n";
    let input = format!("{}nonsense\n{}", good.repeat(33_333), good.repeat(16_666));
    sandbox.write("input", &input);
    let mut outputs = Vec::new();
    for threads in ["1", "3"] {
        let ended = sandbox.run(&["predict", "--model", &model, "--threads", threads, "input"]);
        assert_eq!(ended.code, 3);
        assert!(
            ended.stderr.contains("input: 1 line is not a sample"),
            "{}",
            ended.stderr
        );
        let lines: Vec<&str> = ended.stdout.lines().collect();
        assert_eq!(lines.len(), 50_000);
        assert!(
            lines[33_333].starts_with("{\"line\":33334,\"error\":"),
            "{}",
            lines[33_333]
        );
        assert_eq!(lines.iter().filter(|line| line.contains("\"score\"")).count(), 49_999);
        outputs.push(ended.stdout);
    }
    assert!(outputs[0] == outputs[1]);
}

#[test]
fn output_that_cannot_be_written_or_is_not_wanted_ends_the_run() {
    let (sandbox, model) = trained();
    sandbox.write("input", SEQUENCES.repeat(20_000));
    let args = ["predict", "--model", &model, "input"];
    sandbox
        .run_into_full_device(&args)
        .assert_refused(1, "cannot write output");
    let unread = sandbox.run_without_reader(&args);
    assert_eq!((unread.code, unread.stderr.as_str()), (0, ""));
}

#[test]
fn a_line_that_is_too_long_costs_no_other_line_its_answer() {
    let (sandbox, model) = trained();
    let good = "[\"read\"]\n";
    sandbox.write("input", format!("{good}{}\n{good}{good}", "x".repeat(18 << 20)));
    let ended = sandbox.run(&["predict", "--model", &model, "input"]);
    assert_eq!(ended.code, 3);
    let answers = ended.json_lines();
    assert_eq!(answers.len(), 4);
    assert_eq!(answers[1]["line"], 2);
    assert!(answers[1]["error"].as_str().unwrap().contains("longer than 16 MiB"));
    assert_eq!(answers[0], answers[3]);
}

#[test]
fn ids_that_other_readers_of_json_would_refuse_are_refused() {
    let (sandbox, model) = trained();
    let lines = "{\"id\": \"\\ud800\", \"sequence\": [\"a\"]}\n{\"id\": 1e999, \"sequence\": [\"a\"]}\n";
    let ended = predict(&sandbox, &model, lines);
    assert_eq!(ended.code, 3);
    let refused = |answer: &serde_json::Value| answer["error"].as_str().unwrap().contains("\"id\" is not valid");
    assert!(ended.json_lines().iter().all(refused), "{}", ended.stdout);
}

#[test]
fn verbosity_may_stand_before_the_subcommand() {
    let (sandbox, _) = trained();
    let input = SEQUENCES.as_bytes();
    let quiet = sandbox.run_with_input(&["-q", "predict"], input);
    assert_eq!(
        (quiet.code, quiet.stderr.as_str(), quiet.stdout.lines().count()),
        (0, "", 3)
    );
    assert_eq!(sandbox.run_with_input(&["predict", "-q"], input).stdout, quiet.stdout);
}

#[test]
fn a_model_that_was_only_put_into_the_folder_is_not_used() {
    let (sandbox, model) = trained();
    let other = "models/current/anomaly_model_20991122_120000.json";
    std::fs::copy(sandbox.path(&model), sandbox.path(other)).unwrap();
    let ended = sandbox.run_with_input(&["predict"], SEQUENCES.as_bytes());
    assert_eq!(ended.stderr, format!("[INFO] using {model}\n"));
    std::fs::remove_file(sandbox.path("models/promotions.jsonl")).unwrap();
    sandbox.run(&["predict"]).assert_refused(3, "no promoted model here");
}

#[test]
fn characters_that_are_not_seen_are_written_out_wherever_a_name_is_shown() {
    let invisible = [
        "\u{3164}",
        "\u{115f}",
        "\u{1160}",
        "\u{ffa0}",
        "\u{34f}",
        "\u{2800}",
        "\u{a0}",
        "\u{ad}",
        "\u{200b}",
        "\u{2003}",
        "\u{202f}",
        "\u{2064}",
        "\u{3000}",
        "\u{180e}",
        "\u{fe0f}",
        "\u{16fe4}",
        "\u{1d159}",
        "\u{e0041}",
    ];
    let sandbox = Sandbox::new();
    let lines: String = (0..400)
        .map(|i| {
            let name = format!("del{}ete", invisible[i % invisible.len()]);
            let sample = serde_json::json!({"id": name, "sequence": [name, "x"], "label": u8::from(i % 3 == 0)});
            format!("{sample}\n")
        })
        .collect();
    sandbox.write("data", lines);
    let args = ["--data", "data", "--no-champion"];
    let model = sandbox.train(&args)["model_path"].as_str().unwrap().to_owned();
    for args in [
        &["predict", "--model", &model, "data"][..],
        &["predict", "--model", &model, "--format", "table", "--explain", "data"],
        &["inspect", "--top", "100", &model],
        &["inspect", "--json", "--top", "100", &model],
        &["evaluate", "--model", &model, "--data", "data\u{3164}"],
        &["predict", "--model", "models/\u{a0}"],
    ] {
        let ended = sandbox.run(args);
        let said = ended.stdout + &ended.stderr;
        assert!(!said.contains(|c| invisible.concat().contains(c)), "{args:?}: {said}");
        assert!(said.contains("3164") || said.contains("\\u{a0}"), "{args:?}: {said}");
    }
    // In JSON they mean what they meant.
    let ended = sandbox.run(&["predict", "--model", &model, "data"]);
    assert_eq!(ended.json_lines()[0]["id"], "del\u{3164}ete");
}
