//! Judging a saved model on labelled data, and looking into its file.

use crate::common::Sandbox;

/// A sandbox with mixed data in `train` and `test` and a model that was trained on the one and judged on the other.
fn judged() -> (Sandbox, serde_json::Value) {
    let sandbox = Sandbox::new();
    let lines = sandbox
        .run(&["generate", "--scenario", "mixed", "--num-samples", "3000"])
        .stdout;
    let cut = lines.match_indices('\n').nth(1999).unwrap().0 + 1;
    sandbox.write("train", &lines[..cut]);
    sandbox.write("test", &lines[cut..]);
    let summary = sandbox.train(&["--data", "train", "--validation-data", "test"]);
    (sandbox, summary)
}

fn evaluate(sandbox: &Sandbox, args: &[&str]) -> serde_json::Value {
    let ended = sandbox.run(&[&["evaluate", "--json"], args].concat());
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.json_lines().remove(0)
}

#[test]
fn the_figures_are_those_of_the_training_run_on_the_same_data() {
    let (sandbox, summary) = judged();
    let model = summary["model_path"].as_str().unwrap();
    let evaluated = evaluate(&sandbox, &["--model", model, "--data", "test"]);
    assert_eq!(evaluated["metrics"], summary["metrics"]);
    assert_eq!(evaluated["model_digest"], summary["digest"]);
}

#[test]
fn what_was_trained_on_is_counted_as_overlap() {
    let (sandbox, _) = judged();
    let both = evaluate(&sandbox, &["--data", "train", "--data", "test"]);
    let test = evaluate(&sandbox, &["--data", "test"]);
    let overlap = test["metrics"]["overlap"].as_u64().unwrap();
    assert_eq!(both["metrics"]["overlap"].as_u64().unwrap(), 2000 + overlap);
    assert_eq!(both["metrics"]["unseen"], test["metrics"]["unseen"]);
}

#[test]
fn each_threshold_does_what_its_row_says() {
    let (sandbox, _) = judged();
    let evaluated = evaluate(&sandbox, &["--data", "test"]);
    let rows = evaluated["thresholds"].as_array().unwrap();
    let choices: Vec<&str> = rows.iter().map(|row| row["choice"].as_str().unwrap()).collect();
    assert_eq!(choices, ["in use", "best F1", "recall 0.95", "false alarms 1 %"]);
    for row in rows {
        let threshold = row["threshold"].to_string();
        let again = evaluate(&sandbox, &["--data", "test", "--anomaly-threshold", &threshold]);
        assert_eq!(again["metrics"]["precision"], row["precision"]);
        assert_eq!(again["metrics"]["recall"], row["recall"]);
        assert!(again["metrics"]["f1"].as_f64() <= rows_f1(rows));
    }
    assert!(rows[2]["recall"].as_f64() >= Some(0.95));
    assert!(rows[3]["false_alarm_rate"].as_f64() <= Some(0.01));
}

fn rows_f1(rows: &[serde_json::Value]) -> Option<f64> {
    let figure = |name: &str| rows[1][name].as_f64().unwrap();
    let (precision, recall) = (figure("precision"), figure("recall"));
    Some(2.0 * precision * recall / (precision + recall) + 1e-12)
}

#[test]
fn reliability_bins_hold_every_sample_once() {
    let (sandbox, _) = judged();
    let evaluated = evaluate(&sandbox, &["--data", "test", "--ece-bins", "7"]);
    let bins = evaluated["reliability"].as_array().unwrap();
    let samples: u64 = bins.iter().map(|bin| bin["samples"].as_u64().unwrap()).sum();
    assert_eq!((bins.len(), samples), (7, 1000));
    let gap = |bin: &serde_json::Value| {
        let distance = bin["mean_score"].as_f64()? - bin["anomalous_share"].as_f64()?;
        Some(distance.abs() * bin["samples"].as_f64()? / 1000.0)
    };
    let ece: f64 = bins.iter().filter_map(gap).sum();
    assert!((ece - evaluated["metrics"]["ece"].as_f64().unwrap()).abs() < 1e-12);
}

#[test]
fn the_tables_for_people_hold_the_same_figures() {
    let (sandbox, _) = judged();
    let ended = sandbox.run(&["evaluate", "--data", "test"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let evaluated = evaluate(&sandbox, &["--data", "test"]);
    for name in ["precision", "ece", "roc_auc"] {
        let line = format!("  {name}: {:.4}", evaluated["metrics"][name].as_f64().unwrap());
        assert!(ended.stdout.contains(&line), "{line} in {}", ended.stdout);
    }
    for heading in [
        "[INFO] Thresholds:",
        "[INFO] Reliability:",
        "[INFO] Overlap: ",
        "  recall 0.95 ",
    ] {
        assert!(ended.stdout.contains(heading), "{heading} in {}", ended.stdout);
    }
}

#[test]
fn data_without_labels_or_samples_are_refused() {
    let (sandbox, _) = judged();
    sandbox.write("unlabelled", "[\"a\"]\n");
    sandbox.write("empty", "");
    sandbox
        .run(&["evaluate", "--data", "unlabelled"])
        .assert_refused(3, "unlabelled:1: \"label\" is missing");
    sandbox
        .run(&["evaluate", "--data", "empty"])
        .assert_refused(3, "no samples to judge on");
    sandbox
        .run(&["evaluate", "--data", "-", "--data", "-"])
        .assert_refused(2, "only once");
}

#[test]
fn inspect_says_when_from_what_how_good_and_what_tells() {
    let (sandbox, summary) = judged();
    let ended = sandbox.run(&["inspect", "--top", "3"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    for part in [
        summary["digest"].as_str().unwrap(),
        "2026-11-22T12:00:00+00:00",
        "normal and",
        "n-grams of 2 to 3",
        "validation data of their own",
        "on 1000 samples: precision 0.",
        "what speaks most for an anomaly",
    ] {
        assert!(ended.stdout.contains(part), "{part} in {}", ended.stdout);
    }
    let json = sandbox.run(&[
        "inspect",
        "--top",
        "3",
        "--json",
        summary["model_path"].as_str().unwrap(),
    ]);
    let inspected = &json.json_lines()[0];
    assert_eq!(inspected["metrics"], summary["metrics"]);
    let weights = |side: &str| -> Vec<f64> {
        inspected[side]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["weight"].as_f64().unwrap())
            .collect()
    };
    let (speak_for, against) = (weights("speak_for"), weights("speak_against"));
    assert!(speak_for.len() == 3 && speak_for.is_sorted_by(|a, b| a >= b) && speak_for[2] > 0.0);
    assert!(against.len() == 3 && against.is_sorted() && against[2] < 0.0);
    sandbox.write("broken", "{}");
    sandbox.run(&["inspect", "broken"]).assert_refused(3, "model_type");
}
