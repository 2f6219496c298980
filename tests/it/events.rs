//! Training from event logs.

use crate::common::Sandbox;
use serde_json::json;

/// An event log of `sessions` sessions of three events each, every third of them an attack, and the same as samples.
fn logs(sessions: usize) -> (String, String) {
    let (mut events, mut samples) = (Vec::new(), String::new());
    for session in 0..sessions {
        let attack = session % 3 == 2;
        let first = if attack { "attack" } else { "read" };
        let actions = [first, ["list", "send", "log", "write"][session % 4], "close"];
        for (place, action) in actions.iter().enumerate() {
            let label = u8::from(attack && place == 0);
            // Sessions of one agent are an hour apart; agents act at the same time.
            let time = 1_795_341_600 + 3600 * (session / 10) + 10 * place;
            let agent = session % 10;
            events.push(format!(
                "{{\"agent_id\": \"a{agent}\", \"action_type\": \"{action}\", \"timestamp\": {time}, \"label\": {label}}}\n"
            ));
        }
        samples += &format!(
            "{{\"sequence\": {}, \"label\": {}}}\n",
            json!(actions),
            u8::from(attack)
        );
    }
    // In order of time, as a log is.
    events.sort_by_key(|event| event.split("timestamp").nth(1).map(|rest| rest[3..13].to_owned()));
    (events.concat(), samples)
}

const EVENTS: [&str; 4] = ["--data", "log", "--input-format", "events"];

#[test]
fn a_model_trained_on_a_log_is_the_one_trained_on_its_sessions() {
    let sandbox = Sandbox::new();
    let (events, samples) = logs(300);
    sandbox.write("log", events);
    sandbox.write("samples", samples);
    let by_events = sandbox.train(&EVENTS);
    let by_samples = sandbox.train(&["--data", "samples"]);
    assert_eq!(by_events["samples"]["train"], by_samples["samples"]["train"]);
    assert_eq!(
        by_events["samples"],
        json!({"train": 240, "validation": 60, "skipped_empty": 0})
    );
    assert_eq!(by_events["metrics"]["accuracy"], by_samples["metrics"]["accuracy"]);
    assert_eq!(by_events["config"]["reading"]["mapping"]["input_format"], "events");

    let model = by_events["model_path"].as_str().unwrap();
    let shown = sandbox.run(&["inspect", model]).stdout;
    assert!(shown.contains("{\"input_format\":\"events\"}"), "{shown}");
    let monitored = sandbox.run(&["monitor", "-q", "--model", model, "log"]);
    assert!(
        monitored.stdout.contains("\"anomaly_type\":\"model\""),
        "{}",
        monitored.stderr
    );
}

#[test]
fn sessions_of_one_value_stay_on_one_side_of_a_grouped_split() {
    let sandbox = Sandbox::new();
    sandbox.write("log", logs(300).0);
    let summary = sandbox.train(&[&EVENTS[..], &["--split-strategy", "grouped"]].concat());
    // Ten agents with thirty sessions each.
    assert_eq!(summary["samples"]["validation"].as_u64().unwrap() % 30, 0);
    let summary = sandbox.train(&[&EVENTS[..], &["--num-samples", "100", "--session-gap", "9"]].concat());
    assert_eq!(
        summary["samples"]["train"].as_u64().unwrap() + summary["samples"]["validation"].as_u64().unwrap(),
        100
    );
}

#[test]
fn bad_logs_and_options_are_refused_in_one_line() {
    let sandbox = Sandbox::new();
    let (events, _) = logs(60);
    let run = |line: &str| {
        sandbox.write("log", format!("{line}\n{events}"));
        sandbox.run(&EVENTS)
    };
    run("nonsense").assert_refused(3, "log:1:2: not valid JSON");
    run("{\"action_type\": \"x\"}").assert_refused(3, "\"agent_id\" is missing");
    run("{\"agent_id\": \"a\", \"action_type\": \"x\", \"label\": true}").assert_refused(3, "label");
    sandbox.write("log", "{\"agent_id\": \"a\", \"action_type\": \"x\"}\n");
    let ended = sandbox.run(&EVENTS);
    assert_eq!(ended.code, 3);
    assert!(
        ended.stderr.contains("1 sessions have no event with a label"),
        "{}",
        ended.stderr
    );
    let by_session = [&EVENTS[..], &["--session-by", "session"]].concat();
    sandbox
        .run(&by_session)
        .assert_refused(3, "the field \"session\" that makes the sessions is missing");
    let by_label = [&EVENTS[..], &["--session-by", "label", "--label-field", "label"]].concat();
    sandbox.run(&by_label).assert_refused(2, "--session-by needs a field");
}
