//! What a training run prints, writes and promises.

use crate::common::Sandbox;

/// Removes the digits, so that lines can be compared whatever the figures.
fn shape(line: &str) -> String {
    line.chars().filter(|c| !c.is_ascii_digit()).collect()
}

#[test]
fn the_example_command_prints_the_documented_lines_in_their_order() {
    let sandbox = Sandbox::new();
    let ended = sandbox.run(&["--num-samples", "5000"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.stderr, "");
    let documented = [
        "[INFO] Loading 5000 anomaly detection samples...",
        "[INFO] Train samples: 4000, Validation samples: 1000",
        "[INFO] Training anomaly model for 10 epochs, batch size 32...",
        "[INFO] Validation Metrics:",
        "  precision: 1.0000",
        "  recall: 1.0000",
        "  accuracy: 1.0000",
        "  f1: 1.0000",
        "  ece: 0.0021",
        "[INFO] Promotion Gate: ECE <= 0.08, Accuracy >= 0.85",
        "[INFO] ECE: 0.002, Accuracy: 1.000",
        "[INFO] Promotion result: PASS",
        "[INFO] Model saved to models/current/anomaly_model_20261122_120000.json",
        "[INFO] Metrics saved to models/current/anomaly_metrics_20261122_120000.json",
    ];
    let mut lines = ended.stdout.lines();
    for expected in documented {
        assert!(
            lines.any(|line| shape(line) == shape(expected)),
            "{expected:?} is missing or out of order in\n{}",
            ended.stdout
        );
    }
    assert_eq!(
        sandbox.files("models"),
        [
            "current/anomaly_metrics_20261122_120000.json",
            "current/anomaly_model_20261122_120000.json",
            "promotions.jsonl"
        ]
    );
}

#[test]
fn the_example_command_passes_for_any_seed() {
    let sandbox = Sandbox::new();
    for seed in 1..=20 {
        let summary = sandbox.train(&["--num-samples", "5000", "--seed", &seed.to_string()]);
        assert_eq!(summary["promoted"], true, "seed {seed}");
        assert!(summary["metrics"]["accuracy"].as_f64() >= Some(0.99), "seed {seed}");
        assert!(summary["metrics"]["ece"].as_f64() <= Some(0.02), "seed {seed}");
    }
}

#[test]
fn the_mixed_scenario_is_hard_but_its_scores_are_calibrated() {
    let sandbox = Sandbox::new();
    for seed in 1..=5 {
        let args = ["--scenario", "mixed", "--num-samples", "20000", "--seed"];
        let summary = sandbox.train(&[&args[..], &[&seed.to_string()]].concat());
        let figure = |name: &str| summary["metrics"][name].as_f64().unwrap();
        assert!(figure("ece") <= 0.03, "seed {seed}: {summary}");
        assert!((0.85..0.99).contains(&figure("accuracy")), "seed {seed}: {summary}");
    }
}

#[test]
fn sequences_of_unknown_actions_are_anomalous_whatever_their_length() {
    let sandbox = Sandbox::new();
    for scenario in ["documented", "mixed"] {
        let summary = sandbox.train(&["--num-samples", "5000", "--scenario", scenario]);
        let unknown: String = [1, 2, 3, 5, 10, 100, 5000]
            .into_iter()
            .flat_map(|length| [1, 2, length].map(|distinct| (length, distinct)))
            .map(|(length, distinct)| {
                let actions: Vec<String> = (0..length).map(|i| format!("\"new{}\"", i % distinct)).collect();
                format!("{{\"sequence\": [{}]}}\n", actions.join(","))
            })
            .collect();
        let model = summary["model_path"].as_str().unwrap();
        let ended = sandbox.run_with_input(&["predict", "--model", model], unknown.as_bytes());
        let answers = ended.json_lines();
        assert_eq!(answers.len(), 21);
        assert!(answers.iter().all(|answer| answer["label"] == 1), "{}", ended.stdout);
    }
}

#[test]
fn that_short_sessions_are_harmless_does_not_excuse_unknown_actions() {
    let sandbox = Sandbox::new();
    let actions = ["read", "list", "open", "close", "write"];
    let lines: String = (0..1000)
        .map(|i| {
            let anomalous = i % 10 == 0;
            let length = if anomalous { 12 + i % 7 } else { 1 + i % 3 };
            let sequence: Vec<&str> = (0..length)
                .map(|place| actions[(i / 3 + place * (1 + i % 4)) % 5])
                .collect();
            format!(
                "{}\n",
                serde_json::json!({"sequence": sequence, "label": u8::from(anomalous)})
            )
        })
        .collect();
    sandbox.write("data", lines);
    let summary = sandbox.train(&["--data", "data"]);
    let model = summary["model_path"].as_str().unwrap();
    for length in [1, 2, 3, 20, 300] {
        for distinct in [1, length] {
            let unknown: Vec<String> = (0..length).map(|i| format!("new{}", i % distinct)).collect();
            let args = [
                "predict",
                "--model",
                model,
                "--format",
                "json",
                "--sequence",
                &unknown.join(","),
            ];
            let answer = &sandbox.run(&args).json_lines()[0];
            assert_eq!(answer["label"], 1, "{length} actions, {distinct} distinct: {answer}");
        }
    }
}

#[test]
fn an_unknown_action_in_a_normal_session_makes_it_more_suspicious() {
    let sandbox = Sandbox::new();
    let summary = sandbox.train(&["--num-samples", "5000"]);
    let lines = r#"{"sequence": ["read", "process", "write"]}
{"sequence": ["new", "read", "process", "write"]}
{"sequence": ["read", "new", "process", "write"]}
{"sequence": ["read", "process", "new", "write"]}
{"sequence": ["read", "process", "write", "new"]}
"#;
    let model = summary["model_path"].as_str().unwrap();
    let answers = sandbox
        .run_with_input(&["predict", "--model", model], lines.as_bytes())
        .json_lines();
    let scores: Vec<f64> = answers.iter().map(|a| a["score"].as_f64().unwrap()).collect();
    assert!(scores[1..].iter().all(|&score| score > scores[0]), "{scores:?}");
}

#[test]
fn the_same_command_gives_the_same_bytes_for_any_number_of_threads() {
    let sandbox = Sandbox::new();
    let data = sandbox
        .run(&["generate", "--num-samples", "3000", "--scenario", "mixed"])
        .stdout;
    sandbox.write("data.jsonl", data);
    for source in [&["--num-samples", "3000"][..], &["--data", "data.jsonl"]] {
        let mut seen = Vec::new();
        for threads in ["1", "2", "8", "8"] {
            // What a model was compared with stands in its file, and each run would be compared with the one before.
            let summary = sandbox.train(&[source, &["--threads", threads, "--no-champion"]].concat());
            let read = |key: &str| std::fs::read(sandbox.path(summary[key].as_str().unwrap())).unwrap();
            seen.push((summary["digest"].clone(), read("model_path"), read("metrics_path")));
        }
        assert!(seen.windows(2).all(|pair| pair[0] == pair[1]));
    }
}

#[test]
fn the_seed_changes_the_model_and_the_clock_does_not() {
    let sandbox = Sandbox::new();
    let digest = |seed: &str, epoch: &str| {
        let args = ["--num-samples", "500", "--json", "--seed", seed];
        let ended = crate::common::Ended::of(sandbox.command(&args).env("SOURCE_DATE_EPOCH", epoch));
        ended.json_lines()[0]["digest"].clone()
    };
    assert_eq!(digest("1", "0"), digest("1", "1000000000"));
    assert_ne!(digest("1", "0"), digest("2", "0"));
}

#[test]
fn every_training_option_changes_the_model() {
    let sandbox = Sandbox::new();
    let digest = |extra: &[&str]| {
        let base = ["--num-samples", "600", "--scenario", "mixed"];
        let summary = sandbox.train(&[&base[..], extra].concat());
        let model: serde_json::Value =
            serde_json::from_slice(&std::fs::read(sandbox.path(summary["model_path"].as_str().unwrap())).unwrap())
                .unwrap();
        // The weights themselves, so that an option that is merely written down does not count.
        (
            model["bias"].to_string(),
            model["vocabulary"].to_string(),
            model["ngrams"].to_string(),
        )
    };
    let default = digest(&[]);
    for option in [
        ["--epochs", "1"],
        ["--l2", "1"],
        ["--learning-rate", "0.5"],
        ["--max-ngrams", "50"],
        ["--ngram-size", "2"],
        ["--seed", "7"],
        ["--train-ratio", "0.5"],
        ["--split-strategy", "random"],
        ["--split-strategy", "temporal"],
        ["--split-strategy", "grouped"],
    ] {
        assert_ne!(digest(&option), default, "{option:?}");
    }
}

#[test]
fn ten_epochs_come_within_five_percent_of_the_optimum() {
    let sandbox = Sandbox::new();
    let log_loss = |epochs: &str| {
        let args = [
            "--num-samples",
            "5000",
            "--scenario",
            "mixed",
            "--split-strategy",
            "grouped",
        ];
        let summary = sandbox.train(&[&args[..], &["--epochs", epochs]].concat());
        summary["metrics"]["log_loss"].as_f64().unwrap()
    };
    let (ten, optimum) = (log_loss("10"), log_loss("500"));
    assert!((ten - optimum).abs() <= (0.05 * optimum).max(0.003), "{ten} {optimum}");
}

#[test]
fn few_samples_train_but_are_never_promoted() {
    let sandbox = Sandbox::new();
    for count in [2, 3, 5, 10, 20, 95] {
        for seed in ["1", "2", "3"] {
            let count = count.to_string();
            let args = ["--num-samples", &count, "--seed", seed];
            let summary = sandbox.train(&args);
            assert_eq!(summary["promoted"], false, "{summary}");
            let first = summary["reasons"][0]["text"].as_str().unwrap();
            assert!(
                first.starts_with("not judged: ") && first.ends_with("need 20"),
                "{first}"
            );
            assert_eq!(sandbox.run(&[&args[..], &["--require-promotion"]].concat()).code, 4);
        }
    }
    assert!(sandbox.files("models/current").is_empty());
}

#[test]
fn a_refused_model_goes_to_the_candidates_and_every_reason_is_listed() {
    let sandbox = Sandbox::new();
    let args = [
        "--num-samples",
        "1000",
        "--promotion-max-ece",
        "0",
        "--promotion-min-accuracy",
        "1",
        "--scenario",
        "mixed",
    ];
    let ended = sandbox.run(&[&args[..], &["--require-promotion"]].concat());
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(ended.stdout.contains("[INFO] Promotion result: FAIL"));
    assert!(ended.stdout.contains("[INFO] Not promoted: ECE "));
    assert!(ended.stdout.contains("[INFO] Not promoted: accuracy "));
    assert!(ended.stderr.contains("--require-promotion"), "{}", ended.stderr);
    assert_eq!(sandbox.files("models/candidates").len(), 2);
    assert!(!sandbox.path("models/current").exists());
}

#[test]
fn the_summary_holds_what_the_files_hold() {
    let sandbox = Sandbox::new();
    let summary = sandbox.train(&["--num-samples", "2000"]);
    let read = |key: &str| -> serde_json::Value {
        let path = sandbox.path(summary[key].as_str().unwrap());
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    };
    let (model, metrics) = (read("model_path"), read("metrics_path"));
    assert_eq!(summary["metrics"], metrics["metrics"]);
    assert_eq!(summary["metrics"], model["metrics"]);
    assert_eq!(summary["digest"], model["digest"]);
    assert_eq!(summary["digest"], metrics["model_digest"]);
    assert_eq!(summary["samples"]["train"], 1600);
    assert_eq!(summary["samples"]["validation"], 400);
    assert_eq!(summary["metrics"]["samples"], 400);
    assert_eq!(summary["seed"], 42);
    // Synthetic workflows repeat: the summary must say so.
    assert!(summary["metrics"]["overlap"].as_u64() > Some(380), "{summary}");
    assert_eq!(
        summary["metrics"]["unseen"]["samples"].as_u64().unwrap() + summary["metrics"]["overlap"].as_u64().unwrap(),
        400
    );
}

#[test]
fn with_json_standard_output_holds_one_object_and_the_report_goes_to_standard_error() {
    let sandbox = Sandbox::new();
    let ended = sandbox.run(&["--num-samples", "2000", "--json"]);
    assert_eq!(ended.stdout.lines().count(), 1);
    assert!(
        ended.stderr.contains("[INFO] Promotion result: PASS"),
        "{}",
        ended.stderr
    );
    let quiet = sandbox.run(&["--num-samples", "2000", "--json", "-q"]);
    assert_eq!((quiet.stdout.lines().count(), quiet.stderr.as_str()), (1, ""));
}

#[test]
fn advice_goes_to_standard_error_and_can_be_silenced() {
    let sandbox = Sandbox::new();
    let args = ["--num-samples", "200"];
    let ended = sandbox.run(&args);
    assert!(ended.stderr.contains("[WARN] only 200 samples"), "{}", ended.stderr);
    assert!(!ended.stdout.contains("WARN"));
    let silent = sandbox.run(&[&args[..], &["-qq"]].concat());
    assert_eq!(
        (silent.code, silent.stdout.as_str(), silent.stderr.as_str()),
        (0, "", "")
    );
}

#[test]
fn the_advised_threshold_keeps_its_word() {
    let sandbox = Sandbox::new();
    let base = [
        "--data",
        "data",
        "--validation-data",
        "validation",
        "--anomaly-threshold",
        "0.97",
    ];
    for (file, seed) in [("data", "1"), ("validation", "2")] {
        let drawn = sandbox.run(&[
            "generate",
            "--num-samples",
            "3000",
            "--scenario",
            "mixed",
            "--seed",
            seed,
        ]);
        sandbox.write(file, drawn.stdout);
    }
    let ended = sandbox.run(&[&base[..], &["--json"]].concat());
    let advice = ended.stderr.lines().find(|line| line.contains("recall is")).unwrap();
    let words: Vec<&str> = advice.split([' ', ',']).collect();
    let after = |word: &str| words[words.iter().rposition(|w| *w == word).unwrap() + 1];
    let (threshold, recall) = (after("--anomaly-threshold"), after("recall"));
    let summary = ended.json_lines().remove(0);
    let model = summary["model_path"].as_str().unwrap();
    let judged = [
        "evaluate",
        "--model",
        model,
        "--data",
        "validation",
        "--json",
        "--anomaly-threshold",
        threshold,
    ];
    let reached = sandbox.run(&judged).json_lines()[0]["metrics"]["recall"]
        .as_f64()
        .unwrap();
    assert!(
        reached >= 0.95 && format!("{reached:.3}") == recall,
        "{advice}: {reached}"
    );
}

#[test]
fn generated_samples_train_to_the_same_weights_as_those_drawn_in_the_run() {
    let sandbox = Sandbox::new();
    for scenario in ["documented", "mixed"] {
        let args = ["--num-samples", "1000", "--seed", "5", "--scenario", scenario];
        let lines = sandbox.run(&[&["generate"], &args[..]].concat()).stdout;
        assert_eq!(lines.lines().count(), 1000);
        sandbox.write("data.jsonl", lines);
        let drawn = sandbox.train(&args);
        let read = sandbox.train(&["--data", "data.jsonl", "--seed", "5"]);
        assert_eq!(drawn["metrics"], read["metrics"]);
        assert_eq!(drawn["data_digest"], read["data_digest"]);
    }
}
