//! Data as counted facts: neither the order of lines nor how they are counted changes what comes of them.

use crate::common::Sandbox;
use serde_json::{Value, json};

/// Lines of generated samples, each with a group and a few times over.
fn lines(sandbox: &Sandbox) -> Vec<String> {
    let generated = sandbox.run(&["generate", "--scenario", "mixed", "--num-samples", "400", "--seed", "5"]);
    let samples = generated.stdout.lines().enumerate().map(|(index, line)| {
        let mut sample: Value = serde_json::from_str(line).unwrap();
        sample["task"] = json!(format!("t{}", index % 23));
        (sample.to_string(), 1 + index % 4)
    });
    samples.flat_map(|(line, count)| vec![line; count]).collect()
}

/// The same with each different line once, and how often it came.
fn collapsed(lines: &[String]) -> Vec<String> {
    let mut counts = std::collections::BTreeMap::new();
    lines.iter().for_each(|line| *counts.entry(line).or_insert(0_u64) += 1);
    let counted = counts.into_iter().map(|(line, count)| {
        let mut sample: Value = serde_json::from_str(line).unwrap();
        sample["count"] = json!(count);
        sample.to_string()
    });
    counted.collect()
}

fn write(sandbox: &Sandbox, lines: &[String]) {
    sandbox.write("data.jsonl", lines.join("\n"));
}

const STRATEGIES: [&[&str]; 4] = [
    &["--split-strategy", "stratified"],
    &["--split-strategy", "random"],
    &["--split-strategy", "grouped"],
    &["--split-strategy", "grouped", "--group-by", "task"],
];

/// What a run says of its result, without what depends on the registry.
fn result(sandbox: &Sandbox, args: &[&str]) -> Value {
    let all = [&["--data", "data.jsonl", "--no-champion"], args].concat();
    let summary = sandbox.train(&all);
    json!([
        summary["digest"],
        summary["data_digest"],
        summary["metrics"],
        summary["samples"],
        summary["reasons"]
    ])
}

#[test]
fn the_order_of_lines_and_how_they_are_counted_change_nothing() {
    let sandbox = Sandbox::new();
    let mut lines = lines(&sandbox);
    let counted = collapsed(&lines);
    for strategy in STRATEGIES {
        write(&sandbox, &lines);
        let expected = result(&sandbox, strategy);
        for step in [7, 11] {
            // Another order each time: every seventh line first, then the next ones.
            lines = (0..step)
                .flat_map(|start| lines.iter().skip(start).step_by(step).cloned().collect::<Vec<_>>())
                .collect();
            write(&sandbox, &lines);
            assert_eq!(result(&sandbox, strategy), expected, "{strategy:?}");
        }
        write(&sandbox, &counted);
        let of_counted = result(&sandbox, &[strategy, &["--count-field", "count"]].concat());
        assert_eq!(of_counted, expected, "{strategy:?}");
    }
}

#[test]
fn a_temporal_split_keeps_the_order_of_the_file_and_takes_no_counts() {
    let sandbox = Sandbox::new();
    let mut lines = lines(&sandbox);
    write(&sandbox, &lines);
    let temporal = ["--split-strategy", "temporal"];
    let one_way = result(&sandbox, &temporal);
    lines.reverse();
    write(&sandbox, &lines);
    let other_way = result(&sandbox, &temporal);
    assert_ne!(one_way[0], other_way[0]);
    assert_eq!(one_way[1], other_way[1], "the data are the same");
    let args = [
        "--data",
        "data.jsonl",
        "--split-strategy",
        "temporal",
        "--count-field",
        "count",
    ];
    sandbox.run(&args).assert_refused(2, "have no order");
}

#[test]
fn huge_counts_cost_no_more_than_their_lines_and_add_up_exactly() {
    let sandbox = Sandbox::new();
    let most = 1_u64 << 53;
    let lines: Vec<String> = collapsed(&lines(&sandbox))
        .iter()
        .map(|line| {
            let mut sample: Value = serde_json::from_str(line).unwrap();
            sample["count"] = json!(most - sample["count"].as_u64().unwrap());
            sample.to_string()
        })
        .collect();
    write(&sandbox, &lines);
    let total: u64 = lines
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["count"].as_u64().unwrap())
        .sum();
    let args = ["--data", "data.jsonl", "--count-field", "count", "--json"];
    let ended = sandbox.run_within("ulimit -t 20; ", &args);
    let summary: Value = serde_json::from_str(&ended.stdout).unwrap();
    let of = |part: &str| summary["samples"][part].as_u64().unwrap();
    assert_eq!(of("train") + of("validation"), total);
    let metrics = &summary["metrics"];
    let confusion = ["tp", "fp", "fn", "tn"].map(|cell| metrics["confusion"][cell].as_u64().unwrap());
    assert_eq!(confusion.iter().sum::<u64>(), of("validation"));
    assert_eq!(metrics["samples"].as_u64().unwrap(), of("validation"));
    // What was written is read, believed and repeated.
    let model = summary["model_path"].as_str().unwrap();
    let verified = sandbox.run(&["verify", model, "--data", "data.jsonl"]);
    assert_eq!(verified.code, 0, "{verified:?}");
}

#[test]
fn num_samples_counts_samples_and_not_lines() {
    let sandbox = Sandbox::new();
    let lines = lines(&sandbox);
    write(&sandbox, &lines);
    let expected = result(&sandbox, &["--num-samples", "400"]);
    // Runs of the same line become one that counts.
    let runs: Vec<String> = lines
        .chunk_by(|a, b| a == b)
        .map(|run| {
            let mut sample: Value = serde_json::from_str(&run[0]).unwrap();
            sample["n"] = json!(run.len());
            sample.to_string()
        })
        .collect();
    write(&sandbox, &runs);
    assert_eq!(
        result(&sandbox, &["--num-samples", "400", "--count-field", "n"]),
        expected
    );
}

#[test]
fn what_is_no_count_is_refused_with_its_line() {
    let sandbox = Sandbox::new();
    let good = r#"{"sequence": ["a"], "label": 0, "count": 9007199254740992}"#;
    for count in [
        "0",
        "-1",
        "1.0",
        "1.5",
        "1e3",
        "\"8\"",
        "true",
        "null",
        "9007199254740993",
        "[1]",
        "{}",
    ] {
        sandbox.write(
            "data.jsonl",
            format!("{good}\n{{\"sequence\": [\"b\"], \"label\": 1, \"count\": {count}}}\n"),
        );
        let ended = sandbox.run(&["--data", "data.jsonl", "--count-field", "count"]);
        ended.assert_refused(3, "data.jsonl:2");
        assert!(ended.stderr.contains("count"), "{count}: {ended:?}");
    }
    sandbox.write(
        "data.jsonl",
        format!("{good}\n{{\"sequence\": [\"b\"], \"label\": 1}}\n"),
    );
    sandbox
        .run(&["--data", "data.jsonl", "--count-field", "count"])
        .assert_refused(
            3,
            "data.jsonl:2: the field \"count\" that counts the samples is missing",
        );
    // The sum has a limit too.
    sandbox.write("data.jsonl", format!("{good}\n").repeat(1025));
    sandbox
        .run(&["--data", "data.jsonl", "--count-field", "count"])
        .assert_refused(3, "2^63");
    for field in ["label", "sequence", "features"] {
        sandbox
            .run(&["--data", "data.jsonl", "--count-field", field])
            .assert_refused(2, "field of its own");
    }
    sandbox.write(
        "events",
        r#"{"agent_id": "a", "action_type": "b", "label": 0, "count": 2}"#,
    );
    let args = ["--data", "events", "--count-field", "count"];
    sandbox.run(&args).assert_refused(3, "--count-field is for samples");
}

#[test]
fn a_count_that_nobody_asked_for_is_warned_of_once() {
    let sandbox = Sandbox::new();
    let lines = collapsed(&lines(&sandbox));
    write(&sandbox, &lines);
    let ended = sandbox.run(&["--data", "data.jsonl"]);
    assert_eq!(ended.stderr.matches("--count-field count").count(), 1, "{ended:?}");
    let ended = sandbox.run(&["--data", "data.jsonl", "--count-field", "count"]);
    assert!(!ended.stderr.contains("--count-field"), "{ended:?}");
}

#[test]
fn evaluation_counts_as_training_does() {
    let sandbox = Sandbox::new();
    let lines = lines(&sandbox);
    let model = sandbox.train(&["--scenario", "mixed", "--num-samples", "500"]);
    let model = model["model_path"].as_str().unwrap();
    let figures = |lines: &[String], more: &[&str]| {
        write(&sandbox, lines);
        let args = [&["evaluate", "--model", model, "--data", "data.jsonl", "--json"], more].concat();
        let ended = sandbox.run(&args);
        serde_json::from_str::<Value>(&ended.stdout).unwrap()
    };
    let expected = figures(&lines, &[]);
    assert_eq!(figures(&collapsed(&lines), &["--count-field", "count"]), expected);
    assert_eq!(expected["metrics"]["samples"].as_u64().unwrap(), lines.len() as u64);
}
