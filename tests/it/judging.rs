//! Judging a model on what it has not seen: folds, bounds, and what they are held against.

use crate::common::Sandbox;
use serde_json::Value;
use std::fmt::Write;

/// 1,500 samples of 15 tasks, some of which are harder than others.
fn tasks(sandbox: &Sandbox) {
    let generated = sandbox
        .run(&["generate", "--num-samples", "1500", "--scenario", "mixed"])
        .stdout;
    let lines = generated.lines().enumerate();
    let grouped = lines.fold(String::new(), |mut text, (number, line)| {
        let line = line.strip_prefix('{').unwrap();
        writeln!(text, "{{\"task\":\"t{}\",{line}", number % 15).unwrap();
        text
    });
    sandbox.write("tasks", grouped);
}

const FOLDS: [&str; 6] = ["--data", "tasks", "--group-by", "task", "--folds", "5"];

#[test]
fn with_folds_all_samples_are_judged_and_all_of_them_are_trained_on() {
    let sandbox = Sandbox::new();
    tasks(&sandbox);
    let summary = sandbox.train(&FOLDS);
    let metrics = &summary["metrics"];
    assert_eq!(
        (&summary["samples"]["train"], &summary["samples"]["validation"]),
        (&1500.into(), &1500.into())
    );
    assert_eq!(
        (&metrics["samples"], &metrics["groups"], &metrics["unit"]),
        (&1500.into(), &15.into(), &"group".into())
    );
    // What stands in several tasks is known to the model of the fold.
    let (overlap, unseen) = (
        metrics["overlap"].as_u64().unwrap(),
        metrics["unseen"]["samples"].as_u64().unwrap(),
    );
    assert!(0 < overlap && overlap < 300 && overlap + unseen == 1500, "{metrics}");
    // A model that has seen what it is judged on does better.
    let model = summary["model_path"].as_str().unwrap();
    let again = sandbox
        .run(&["evaluate", "--model", model, "--data", "tasks", "--json"])
        .json_lines()
        .remove(0);
    assert_eq!(again["metrics"]["overlap"], 1500);
    assert!(again["metrics"]["log_loss"].as_f64() < metrics["log_loss"].as_f64());
}

#[test]
fn without_groups_folds_keep_each_sequence_together() {
    let sandbox = Sandbox::new();
    let summary = sandbox.train(&["--scenario", "mixed", "--num-samples", "1000", "--folds", "3"]);
    assert_eq!(
        (&summary["metrics"]["overlap"], &summary["metrics"]["unit"]),
        (&0.into(), &"sequence".into())
    );
}

#[test]
fn folds_depend_on_the_seed_alone_and_are_verified() {
    let sandbox = Sandbox::new();
    tasks(&sandbox);
    let digest = |args: &[&str]| sandbox.train(&[&FOLDS[..], args].concat())["digest"].clone();
    let one = digest(&["--threads", "1"]);
    assert_eq!(one, digest(&["--threads", "3"]));
    assert_ne!(one, digest(&["--seed", "2"]));
    let model = sandbox.train(&FOLDS)["model_path"].as_str().unwrap().to_owned();
    let verified = sandbox.run(&["verify", &model, "--data", "tasks"]);
    assert!(
        verified.code == 0 && verified.stdout.contains("Verification result: PASS"),
        "{verified:?}"
    );
}

#[test]
fn folds_go_with_no_other_way_to_judge_and_need_as_many_groups() {
    let sandbox = Sandbox::new();
    tasks(&sandbox);
    for other in [
        ["--train-ratio", "0.5"],
        ["--split-strategy", "random"],
        ["--validation-data", "tasks"],
    ] {
        let ended = sandbox.run(&[&FOLDS[..], &other].concat());
        assert!(ended.code == 2 && ended.stderr.contains(other[0]), "{ended:?}");
    }
    for (folds, code) in [("1", 2), ("101", 2), ("16", 3)] {
        let ended = sandbox.run(&["--data", "tasks", "--group-by", "task", "--folds", folds]);
        assert_eq!(ended.code, code, "{ended:?}");
    }
    let ended = sandbox.run(&["--data", "tasks", "--group-by", "task", "--folds", "16"]);
    ended.assert_refused(3, "16 folds need as many groups at least; there are 15");
}

fn codes(summary: &Value) -> Vec<&str> {
    let reasons = summary["reasons"].as_array().unwrap();
    reasons.iter().map(|reason| reason["code"].as_str().unwrap()).collect()
}

#[test]
fn with_folds_a_bound_within_the_interval_is_refused_as_in_doubt() {
    let sandbox = Sandbox::new();
    tasks(&sandbox);
    let metrics = sandbox.train(&FOLDS)["metrics"].clone();
    let accuracy = metrics["accuracy"].as_f64().unwrap();
    let low = metrics["intervals"]["accuracy"][0].as_f64().unwrap();
    assert!(0.01 < accuracy - low && accuracy - low < 0.1, "{metrics}");
    let asked = |bound: f64| {
        let bound = bound.to_string();
        let args = [
            "--no-champion",
            "--promotion-max-ece",
            "1",
            "--promotion-min-accuracy",
            bound.as_str(),
        ];
        sandbox.train(&[&FOLDS[..], &args].concat())
    };
    assert_eq!(asked(low)["promoted"], true);
    let doubtful = asked(f64::midpoint(low, accuracy));
    assert_eq!(codes(&doubtful), ["accuracy"]);
    let text = doubtful["reasons"][0]["text"].as_str().unwrap();
    assert!(text.starts_with(&format!("accuracy between {low:.4} and ")), "{text}");
}

#[test]
fn three_anomalies_all_seen_in_training_are_too_few_to_judge_by() {
    let sandbox = Sandbox::new();
    let normal = "{\"sequence\":[\"a\",\"b\"],\"label\":0}\n".repeat(197);
    sandbox.write("data", normal + &"{\"sequence\":[\"x\",\"y\"],\"label\":1}\n".repeat(3));
    let summary = sandbox.train(&["--data", "data"]);
    assert_eq!(summary["promoted"], false);
    assert_eq!(codes(&summary)[0], "too_few");
    assert_eq!(summary["reasons"][0]["text"], "not judged: 1 anomalous sample, need 20");
}

#[test]
fn folds_lead_to_the_same_model_and_figures_with_any_number_of_threads() {
    let sandbox = Sandbox::new();
    let judged = |threads: &str| {
        let samples = ["--scenario", "mixed", "--num-samples", "800", "--no-champion"];
        let summary = sandbox.train(&[&samples[..], &["--folds", "4", "--threads", threads]].concat());
        (summary["digest"].clone(), summary["metrics"].clone())
    };
    let one = judged("1");
    for threads in ["2", "3", "8"] {
        assert_eq!(judged(threads), one, "{threads} threads");
    }
}

/// Sessions of which 1 in 40 hides an attack, and as many look alike and are not.
fn rare(sandbox: &Sandbox) {
    let text = (0..6000).fold(String::new(), |mut text, number| {
        let steps = (0..8).map(|step| format!("\"a{}\"", (number * 7919 + step * 104_729) % (97 + 2 * step) % 9));
        let mut steps: Vec<String> = steps.collect();
        let (attack, label) = (number % 40 < 2, u8::from(number % 40 == 0));
        if attack {
            steps.insert(number % 7, "\"exfiltrate\"".to_owned());
        }
        writeln!(text, "{{\"sequence\":[{}],\"label\":{label}}}", steps.join(",")).unwrap();
        text
    });
    sandbox.write("rare", text);
}

#[test]
fn a_useful_detector_of_rare_attacks_is_promoted_by_its_recall_and_a_useless_one_is_not() {
    let sandbox = Sandbox::new();
    rare(&sandbox);
    let train = |threshold: &str, asks: &[&str]| {
        sandbox.train(
            &[
                &["--data", "rare", "--no-champion", "--anomaly-threshold", threshold],
                asks,
            ]
            .concat(),
        )
    };
    let recall = ["--promotion-min-recall", "0.8"];
    let useful = train("0.15", &recall);
    assert_eq!(codes(&useful), [""; 0], "{useful}");
    assert_eq!(codes(&train("0.9", &recall)), ["min_recall"]);
    assert_eq!(
        codes(&train("0.15", &["--promotion-min-precision", "0.9"])),
        ["min_precision"]
    );
    assert_eq!(
        codes(&train("0.15", &["--promotion-max-false-alarms", "0.001"])),
        ["max_false_alarms"]
    );
    assert_eq!(
        codes(&train("0.15", &["--promotion-min-average-precision", "0.9"])),
        ["min_average_precision"]
    );
    // Accuracy is asked for only if it is, then.
    let both = train("0.15", &[&recall[..], &["--promotion-min-accuracy", "0.999"]].concat());
    assert_eq!(codes(&both), ["accuracy"]);
}

#[test]
fn intervals_of_an_evaluation_are_for_groups_if_these_are_named() {
    let sandbox = Sandbox::new();
    tasks(&sandbox);
    sandbox.train(&["--scenario", "mixed", "--num-samples", "1000", "--seed", "9"]);
    let evaluate = |args: &[&str]| {
        let all = [&["evaluate", "--data", "tasks", "--json"], args].concat();
        sandbox.run(&all).json_lines().remove(0)["metrics"].clone()
    };
    let (plain, grouped) = (evaluate(&[]), evaluate(&["--group-by", "task"]));
    assert_eq!((&grouped["groups"], &grouped["unit"]), (&15.into(), &"group".into()));
    assert_eq!(
        (&plain["unit"], &plain["accuracy"]),
        (&"sequence".into(), &grouped["accuracy"])
    );
    assert_ne!(plain["intervals"], grouped["intervals"]);
}

#[test]
fn a_threshold_is_chosen_for_what_it_does_on_samples_that_were_left_out() {
    let sandbox = Sandbox::new();
    tasks(&sandbox);
    for wish in ["f1", "recall=0.9", "precision=0.9", "false-alarms=0.05"] {
        let summary = sandbox.train(&[&FOLDS[..], &["--anomaly-threshold", wish]].concat());
        let (chosen, metrics) = (&summary["threshold"], &summary["metrics"]);
        assert_eq!(
            (&chosen["wish"], &chosen["threshold"]),
            (&wish.into(), &metrics["threshold"])
        );
        let figure = |name: &str| metrics[name].as_f64().unwrap();
        match wish {
            "recall=0.9" => assert!(figure("recall") >= 0.9, "{metrics}"),
            "precision=0.9" => assert!(figure("precision") >= 0.9, "{metrics}"),
            "false-alarms=0.05" => assert!(figure("false_alarm_rate") <= 0.05, "{metrics}"),
            _ => {
                let other = sandbox.train(&[&FOLDS[..], &["--anomaly-threshold", "0.9"]].concat());
                assert!(other["metrics"]["f1"].as_f64() < metrics["f1"].as_f64());
            }
        }
        // What it does on tasks that it was not chosen on is about what it does on all.
        let nested = chosen["false_alarms"]["mean"].as_f64().unwrap();
        assert!((nested - figure("false_alarm_rate")).abs() < 0.02, "{chosen} {metrics}");
        let model = summary["model_path"].as_str().unwrap();
        assert_eq!(sandbox.run(&["verify", model, "--data", "tasks"]).code, 0);
        // Any command resolves the same wish to the same threshold, whatever it is given.
        sandbox.write("other", "{\"sequence\":[\"read\"],\"label\":0}\n");
        let args = [
            "evaluate",
            "--model",
            model,
            "--data",
            "other",
            "--anomaly-threshold",
            wish,
            "--json",
        ];
        let evaluated = sandbox.run(&args);
        assert_eq!(
            evaluated.json_lines()[0]["metrics"]["threshold"],
            chosen["threshold"],
            "{evaluated:?}"
        );
        assert!(
            evaluated.stderr.contains("left out of the choice: false alarms "),
            "{evaluated:?}"
        );
    }
}

#[test]
fn a_wish_that_nothing_left_out_supports_is_refused_and_saves_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "few",
        "{\"sequence\":[\"a\"],\"label\":0}\n{\"sequence\":[\"b\"],\"label\":1}\n".repeat(30),
    );
    let ended = sandbox.run(&["--data", "few", "--anomaly-threshold", "false-alarms=0.0001"]);
    ended.assert_refused(3, "no threshold for false-alarms=0.0001");
    assert!(!sandbox.path("models").join("current").exists() && !sandbox.path("models").join("candidates").exists());
    for (wish, says) in [
        ("recall=2", "recall: "),
        ("f2", "f1, recall=R"),
        ("0", "got 0"),
        ("", "f1, recall=R"),
    ] {
        let ended = sandbox.run(&["--data", "few", "--anomaly-threshold", wish]);
        assert!(ended.code == 2 && ended.stderr.contains(says), "{ended:?}");
    }
}

#[test]
fn promote_with_another_threshold_makes_a_model_that_says_what_it_comes_from() {
    let sandbox = Sandbox::new();
    tasks(&sandbox);
    let summary = sandbox.train(&FOLDS);
    let (old, digest) = (
        summary["model_path"].as_str().unwrap(),
        summary["digest"].as_str().unwrap(),
    );
    let before = std::fs::read(sandbox.path(old)).unwrap();
    let promote = |args: &[&str]| sandbox.run(&[&["promote", old, "--json"], args].concat());
    let entry = promote(&["--anomaly-threshold", "false-alarms=0.02"])
        .json_lines()
        .remove(0);
    assert_eq!(entry["act"], "promoted_by_hand");
    assert_ne!(entry["digest"], digest);
    assert_eq!(std::fs::read(sandbox.path(old)).unwrap(), before);
    let new = format!("models/{}", entry["model"].as_str().unwrap());
    let verified = sandbox.run(&["verify", &new, "--data", "tasks"]);
    assert_eq!(verified.code, 0, "{verified:?}");
    assert!(
        verified
            .stdout
            .contains(&format!("this is the model with digest {digest}")),
        "{verified:?}"
    );
    let current = sandbox.run(&["inspect", "--json"]).json_lines().remove(0);
    assert_eq!(current["digest"], entry["digest"], "{current}");
    // Once more from the new one: it still comes from the same model.
    let again = sandbox
        .run(&["promote", &new, "--anomaly-threshold", "0.123", "--json"])
        .json_lines()
        .remove(0);
    let verified = sandbox.run(&[
        "verify",
        &format!("models/{}", again["model"].as_str().unwrap()),
        "--data",
        "tasks",
    ]);
    assert!(verified.code == 0 && verified.stdout.contains(digest), "{verified:?}");
    // Back to where it began is the model itself, which is there already.
    promote(&["--anomaly-threshold", "0.3"]).assert_refused(3, "has the threshold 0.3 already");
    let tampered = std::fs::read_to_string(sandbox.path(&new))
        .unwrap()
        .replacen(digest, &"0".repeat(64), 1);
    sandbox.write("tampered.json", tampered);
    sandbox
        .run(&["verify", "--quick", "tampered.json"])
        .assert_refused(3, "digest");
}

#[test]
fn scores_are_corrected_for_another_base_rate() {
    let sandbox = Sandbox::new();
    tasks(&sandbox);
    let summary = sandbox.train(&["--data", "tasks"]);
    let digest = &summary["digest"];
    let ended = sandbox.run(&["inspect", "--json"]).json_lines().remove(0);
    assert_eq!(&ended["digest"], digest);
    let score = |args: &[&str]| {
        let all = [
            &[
                "predict",
                "--format",
                "json",
                "--explain",
                "--sequence",
                "open,read,delete",
            ],
            args,
        ]
        .concat();
        sandbox.run(&all).json_lines().remove(0)
    };
    let odds = |answer: &Value| answer["score"].as_f64().map(|p| p / (1.0 - p)).unwrap();
    let (plain, rare) = (score(&[]), score(&["--base-rate", "0.001"]));
    let samples = sandbox.run(&["inspect", "--json"]).json_lines().remove(0)["training_samples"].clone();
    let trained = samples["anomalous"].as_f64().unwrap() / samples["normal"].as_f64().unwrap();
    assert!(
        (odds(&rare) / odds(&plain) / (0.001 / 0.999 / trained) - 1.0).abs() < 1e-9,
        "{plain} {rare}"
    );
    // The explanation adds up to the corrected score.
    let parts = rare["explanation"]["contributions"].as_object().unwrap().values();
    let sum: f64 = parts.map(|part| part.as_f64().unwrap()).sum();
    assert!((sum - odds(&rare).ln()).abs() < 1e-9, "{rare}");
    // At the rate of training nothing changes but rounding, and a wish decides as it did.
    let evaluate = |args: &[&str]| {
        let all = [&["evaluate", "--data", "tasks", "--json"], args].concat();
        sandbox.run(&all).json_lines().remove(0)["metrics"]["confusion"].clone()
    };
    let wish = ["--anomaly-threshold", "false-alarms=0.05"];
    assert_eq!(
        evaluate(&wish),
        evaluate(&[&wish[..], &["--base-rate", "0.001"]].concat())
    );
    let ended = sandbox.run(&["predict", "--sequence", "open", "--base-rate", "0.001"]);
    assert!(
        ended.stderr.contains("scores are for a base rate of 0.001; it was 0."),
        "{ended:?}"
    );
}

#[test]
fn folds_of_drawn_samples_are_read_again() {
    let sandbox = Sandbox::new();
    let summary = sandbox.train(&[
        "--scenario",
        "mixed",
        "--num-samples",
        "600",
        "--folds",
        "3",
        "--anomaly-threshold",
        "f1",
    ]);
    let verified = sandbox.run(&["verify", summary["model_path"].as_str().unwrap()]);
    assert!(
        verified.code == 0 && verified.stdout.contains("600 samples"),
        "{verified:?}"
    );
}
