//! What a run chooses by itself: ordered pairs, the penalty, calibration, and what it advises.

use crate::common::Sandbox;
use serde_json::{Value, json};

/// Numbers that look drawn and are always the same.
struct Drawn(u64);

impl Drawn {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Ten attempts at each of these tasks. A task has an action of its own and is hard or easy: three of ten attempts go the other way.
fn attempts(tasks: std::ops::Range<u64>) -> String {
    let mut drawn = Drawn(7);
    let attempt = |task: u64| {
        let label = u64::from(task.is_multiple_of(2) != (drawn.below(10) < 3));
        let signal = if drawn.below(10) < 6 { label } else { 1 - label };
        let sequence = [format!("task{task}"), format!("step{signal}"), "done".to_owned()];
        format!("{}\n", json!({"task": task, "label": label, "sequence": sequence}))
    };
    tasks.flat_map(|task| [task; 10]).map(attempt).collect()
}

fn model(sandbox: &Sandbox, summary: &Value) -> Value {
    let path = sandbox.path(summary["model_path"].as_str().unwrap());
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Trains on some tasks and judges on others.
fn on_other_tasks(sandbox: &Sandbox, options: &[&str]) -> Value {
    sandbox.write("known", attempts(0..60));
    sandbox.write("other", attempts(60..120));
    let files = ["--data", "known", "--validation-data", "other"];
    sandbox.train(&[&files[..], options].concat())
}

#[test]
fn groups_make_scores_hold_on_tasks_that_were_not_seen() {
    let sandbox = Sandbox::new();
    let with = on_other_tasks(&sandbox, &["--group-by", "task"]);
    let without = on_other_tasks(&sandbox, &[]);
    let figure = |summary: &Value, name: &str| summary["metrics"][name].as_f64().unwrap();
    assert!(
        figure(&with, "log_loss") < figure(&without, "log_loss"),
        "{with} {without}"
    );
    assert!(figure(&with, "ece") < 0.08, "{with}");
    assert_eq!(model(&sandbox, &with)["fitted"]["calibration"]["by"], "group");
    assert_eq!(model(&sandbox, &without)["fitted"]["calibration"]["by"], "sequence");
}

#[test]
fn a_field_that_looks_like_a_group_is_named_in_a_warning_that_changes_no_byte() {
    let sandbox = Sandbox::new();
    let named = attempts(0..60);
    sandbox.write("named", &named);
    let nameless: String = named
        .lines()
        .map(|line| {
            let mut sample: Value = serde_json::from_str(line).unwrap();
            sample.as_object_mut().unwrap().remove("task");
            format!("{sample}\n")
        })
        .collect();
    sandbox.write("nameless", nameless);
    let run = |args: &[&str]| sandbox.run(&[args, &["--json"]].concat());
    let (noticed, plain) = (run(&["--data", "named"]), run(&["--data", "nameless"]));
    let digest = |ended: &crate::common::Ended| ended.json_lines()[0]["digest"].clone();
    assert!(
        noticed.stderr.contains("the field \"task\" looks like a group"),
        "{}",
        noticed.stderr
    );
    assert!(
        noticed.stderr.contains("hold for known groups only; --group-by task"),
        "{}",
        noticed.stderr
    );
    assert!(!plain.stderr.contains("looks like a group"), "{}", plain.stderr);
    assert_eq!(digest(&noticed), digest(&plain));
    let grouped = run(&["--data", "named", "--group-by", "task"]);
    assert!(!grouped.stderr.contains("looks like a group"), "{}", grouped.stderr);
}

#[test]
fn group_by_keeps_groups_apart_unless_another_split_is_named() {
    let sandbox = Sandbox::new();
    sandbox.write("data", attempts(0..60));
    let split = |options: &[&str]| {
        let args = [&["--data", "data", "--group-by", "task"], options].concat();
        model(&sandbox, &sandbox.train(&args))["run"]["validation"].to_string()
    };
    assert!(split(&[]).contains("grouped"));
    assert!(split(&["--split-strategy", "random"]).contains("random"));
}

#[test]
fn how_scores_are_calibrated_can_be_said_and_groups_need_a_field() {
    let sandbox = Sandbox::new();
    let by = |what: &str| {
        let summary = on_other_tasks(&sandbox, &["--group-by", "task", "--calibrate", what]);
        model(&sandbox, &summary)["fitted"]["calibration"]["by"].clone()
    };
    assert_eq!(
        ["auto", "sequence", "group", "none"].map(by),
        [json!("group"), json!("sequence"), json!("group"), Value::Null]
    );
    sandbox
        .run(&["--data", "known", "--calibrate", "group"])
        .assert_refused(2, "--group-by");
}

#[test]
fn the_penalty_is_chosen_unless_it_is_given() {
    let sandbox = Sandbox::new();
    let l2 = |options: &[&str]| {
        let summary = on_other_tasks(&sandbox, &[&["--group-by", "task"], options].concat());
        let model = model(&sandbox, &summary);
        (
            model["run"]["training"]["l2"].clone(),
            model["fitted"]["l2"].as_f64().unwrap(),
        )
    };
    assert_eq!(l2(&["--l2", "3"]), (json!(3.0), 3.0));
    let (asked, chosen) = l2(&[]);
    assert_eq!(asked, Value::Null);
    assert!([1.0, 2.0, 4.0, 8.0, 16.0].contains(&chosen), "{chosen}");
}

/// Sequences in which the order of two actions far from each other makes the anomaly.
fn order_far_apart(samples: u64) -> String {
    let mut drawn = Drawn(11);
    (0..samples)
        .map(|sample| {
            let (first, last) = if sample % 5 == 0 {
                ("send", "check")
            } else {
                ("check", "send")
            };
            let filler = (0..8).map(|_| format!("f{}", drawn.below(12)));
            let mut sequence: Vec<String> = filler.collect();
            sequence.insert(2, first.to_owned());
            sequence.insert(7, last.to_owned());
            format!(
                "{}\n",
                json!({"label": u8::from(sample % 5 == 0), "sequence": sequence})
            )
        })
        .collect()
}

#[test]
fn the_order_of_actions_far_apart_is_learnt_and_explained() {
    let sandbox = Sandbox::new();
    sandbox.write("data", order_far_apart(1000));
    let summary = sandbox.train(&["--data", "data"]);
    assert!(summary["metrics"]["accuracy"].as_f64() >= Some(0.98), "{summary}");
    let sequence = "f1,f2,send,f3,f4,f5,f6,check,f7,f8";
    let model = summary["model_path"].as_str().unwrap();
    let answer = &sandbox
        .run(&[
            "predict",
            "--model",
            model,
            "--explain",
            "--format",
            "json",
            "--sequence",
            sequence,
        ])
        .json_lines()[0];
    let evidence = answer["explanation"]["evidence"].as_array().unwrap();
    let pair = evidence
        .iter()
        .find(|item| item["with_gap"] == true && item["actions"] == json!(["send", "check"]));
    let pair = pair.unwrap_or_else(|| panic!("no pair in {answer}"));
    assert_eq!(pair["positions"], json!([3, 8]));
    assert_eq!(pair["seen"]["normal"], 0);
    assert!(pair["seen"]["anomalous"].as_u64() > Some(100), "{pair}");
}

/// Rare anomalies that one action gives away.
fn rare(samples: u64, one_in: u64) -> String {
    let mut drawn = Drawn(5);
    (0..samples)
        .map(|sample| {
            let anomalous = sample % one_in == 0;
            let mut sequence: Vec<String> = (0..8).map(|_| format!("a{}", drawn.below(10))).collect();
            if anomalous {
                sequence[drawn.below(8) as usize] = "steal".to_owned();
            }
            format!("{}\n", json!({"label": u8::from(anomalous), "sequence": sequence}))
        })
        .collect()
}

#[test]
fn sequences_that_come_again_and_again_are_known_even_if_nothing_can_be_said_of_others() {
    for copies in [10, 1000] {
        let sandbox = Sandbox::new();
        let line = |label: u64, sequence: &str, count: u64| {
            let sequence: Vec<&str> = sequence.split(',').collect();
            format!("{}\n", json!({"label": label, "sequence": sequence, "count": count}))
        };
        let mut lines = line(0, "start,stop", 100_000);
        for place in 0..20 {
            lines += &line(u64::from(place > 13), &format!("a{place},b{place}"), copies);
        }
        sandbox.write("data", lines);
        let summary = sandbox.train(&["--data", "data", "--count-field", "count"]);
        assert_eq!(summary["metrics"]["f1"], 1.0, "{copies} copies: {summary}");
        let model = summary["model_path"].as_str().unwrap();
        for (sequence, expected) in [("start,stop", 0), ("a0,b0", 0), ("a19,b19", 1), ("never,seen", 1)] {
            let sequence: Vec<String> = sequence.split(',').map(str::to_owned).collect();
            let (score, label) = score(&sandbox, model, &sequence);
            assert_eq!(label, expected, "{copies} copies, {sequence:?}: {score}");
        }
    }
}

fn score(sandbox: &Sandbox, model: &str, sequence: &[String]) -> (f64, Value) {
    let args = [
        "predict",
        "--model",
        model,
        "--format",
        "json",
        "--sequence",
        &sequence.join(","),
    ];
    let answer = sandbox.run(&args).json_lines().remove(0);
    (answer["score"].as_f64().unwrap(), answer["label"].clone())
}

#[test]
fn unknown_actions_are_suspicious_however_rare_anomalies_are() {
    for one_in in [4, 100, 500] {
        let sandbox = Sandbox::new();
        sandbox.write("data", rare(3000, one_in));
        let summary = sandbox.train(&["--data", "data"]);
        let model = summary["model_path"].as_str().unwrap();
        let mut sequence: Vec<String> = (0..8).map(|place| format!("a{place}")).collect();
        let (mut last, label) = score(&sandbox, model, &sequence);
        assert_eq!(label, 0, "one in {one_in}");
        for place in 0..8 {
            sequence[place] = format!("unknown{place}");
            let (now, label) = score(&sandbox, model, &sequence);
            assert!(now >= last, "one in {one_in}, {} unknown: {last} {now}", place + 1);
            assert!(place < 7 || label == 1, "one in {one_in}: {now}");
            last = now;
        }
    }
}

#[test]
fn a_threshold_that_is_much_better_on_what_was_left_out_is_named_and_keeps_its_word() {
    let sandbox = Sandbox::new();
    let base = ["--num-samples", "3000", "--scenario", "mixed"];
    let advice = |threshold: &str| {
        let ended = sandbox.run(&[&base[..], &["--anomaly-threshold", threshold]].concat());
        let advice = ended.stderr.lines().find(|line| line.contains("left out of training"));
        advice.map(str::to_owned)
    };
    let named = advice("0.97").unwrap();
    let after = |words: &str| named.split_once(words).unwrap().1.split(' ').next().unwrap().to_owned();
    let (now, threshold, promised) = (
        after("threshold is "),
        after("--anomaly-threshold "),
        after("bring it to "),
    );
    let [now, promised] = [now, promised].map(|figure| figure.parse::<f64>().unwrap());
    assert!(promised >= now + 0.05, "{named}");
    assert_eq!(
        advice(&threshold),
        None,
        "at the threshold that was named nothing is much better"
    );
    let f1 = sandbox.train(&[&base[..], &["--anomaly-threshold", &threshold]].concat());
    assert!(
        (f1["metrics"]["f1"].as_f64().unwrap() - promised).abs() < 0.05,
        "{named} {f1}"
    );
}
