//! Watching events.

use crate::common::{Ended, Sandbox};
use serde_json::{Value, json};

/// An event at second `time` of a day in 2026.
fn event(agent: &str, action: &str, time: f64) -> String {
    let timestamp = 1_795_341_600.0 + time;
    format!("{{\"agent_id\": \"{agent}\", \"action_type\": \"{action}\", \"timestamp\": {timestamp}}}\n")
}

fn monitor(args: &[&str], input: &str) -> Ended {
    Sandbox::new().run_with_input(&[&["monitor", "-q"], args].concat(), input.as_bytes())
}

/// The alerts of a run that must succeed.
fn alerts(args: &[&str], input: &str) -> Vec<Value> {
    let ended = monitor(args, input);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    ended.json_lines()
}

fn kinds(alerts: &[Value]) -> Vec<&str> {
    alerts
        .iter()
        .map(|alert| alert["anomaly_type"].as_str().unwrap())
        .collect()
}

/// Options under which only those rules of the original that are named speak.
fn only(rules: &[&str]) -> Vec<&'static str> {
    let off: [(&str, &[&str]); 3] = [
        ("sequence", &["--ngram-size", "8", "--sequence-threshold", "1"]),
        ("frequency", &["--frequency-events", "10000"]),
        ("behavioral", &["--behavioral-actions", "1000000"]),
    ];
    let off = off.iter().filter(|(rule, _)| !rules.contains(rule));
    let off = off.flat_map(|(_, options)| options.iter().copied());
    ["--rules", "original"].into_iter().chain(off).collect()
}

#[test]
fn thirty_actions_in_sixty_seconds_are_too_many_and_one_exactly_sixty_seconds_old_counts() {
    let at = |step: f64| {
        (0..30)
            .map(|i| event("a", "x", f64::from(i) * step))
            .collect::<String>()
    };
    let found = alerts(&only(&["frequency"]), &at(60.0 / 29.0));
    assert_eq!(kinds(&found), ["frequency"]);
    assert_eq!(found[0]["anomaly_score"], 1.0);
    assert_eq!(
        found[0]["evidence"],
        json!({"events": 30, "limit": 30, "window_seconds": 60.0})
    );
    assert_eq!(
        (&found[0]["severity"], &found[0]["quarantine_recommended"]),
        (&json!("critical"), &json!(true))
    );
    assert!(alerts(&only(&["frequency"]), &at(60.001 / 29.0)).is_empty());
}

#[test]
fn a_rare_ngram_is_scored_as_a_hand_does_it() {
    // n = 1, alpha 1: after a a a b the b has c = 1, N = 4, V = 2: ln(2/6) / ln(1/7) = 0.5646, and 0.1 for c < 2.
    let input: String = ["a", "a", "a", "b"]
        .iter()
        .enumerate()
        .map(|(i, action)| event("z", action, i as f64))
        .collect();
    let options = [
        &only(&["sequence"])[..],
        &["--ngram-size", "1", "--sequence-threshold", "0.66"],
    ]
    .concat();
    let found = alerts(&options, &input);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!((found[0]["anomaly_score"].as_f64().unwrap() - 0.664_575_034_053_579_7).abs() < 1e-12);
    let evidence = json!({"ngram": ["b"], "count": 1, "total": 4, "distinct": 2,
        "probability": 2.0 / 6.0, "smallest_probability": 1.0 / 7.0});
    assert_eq!(found[0]["evidence"], evidence);
    assert_eq!(
        found[0]["description"],
        "agent z did `b`, seen for the first time among the latest 4 n-grams of all agents"
    );
}

#[test]
fn hardly_anything_but_the_same_action_is_noticed_from_the_tenth_on() {
    let input: String = (0..11)
        .map(|i| event("a", if i == 3 { "y" } else { "x" }, f64::from(i)))
        .collect();
    let found = alerts(&only(&["behavioral"]), &input);
    // 9 of 10: share 0.9, entropy (0.9 ln(1/0.9) + 0.1 ln 10) / ln 2 = 0.468995594.
    assert_eq!(kinds(&found), ["behavioral"]);
    assert_eq!(found[0]["timestamp"], "2026-11-22T10:00:09Z");
    assert_eq!(found[0]["anomaly_score"], 0.9);
    assert_eq!(found[0]["evidence"]["most_common"], "x");
    assert!((found[0]["evidence"]["normalized_entropy"].as_f64().unwrap() - 0.468_995_593_589_281_2).abs() < 1e-12);
    let even: String = (0..100).map(|i| event("a", ["x", "y", "z"][i % 3], i as f64)).collect();
    assert!(alerts(&only(&["behavioral"]), &even).is_empty());
}

fn risk(cohort: &str, risk: f64, time: usize) -> String {
    let event = event("a", "x", time as f64);
    event.replace('}', &format!(", \"risk_score\": {risk}, \"cohort\": \"{cohort}\"}}"))
}

#[test]
fn risk_scores_that_move_are_noticed_against_the_first_ones_and_against_a_file() {
    let first: String = (0..40).map(|i| risk("c", 0.05, i)).collect();
    let later: String = (40..80)
        .map(|i| risk("c", if i % 2 == 0 { 0.05 } else { 0.95 }, i))
        .collect();
    let options = [&only(&[])[..], &["--drift-first", "40", "--drift-every", "40"]].concat();
    let found = alerts(&options, &(first.clone() + &later));
    assert_eq!(kinds(&found), ["distributional"]);
    let (alert, evidence) = (&found[0], &found[0]["evidence"]);
    assert_eq!(
        (&alert["agent_id"], &alert["cohort"], &alert["threshold"]),
        (&json!(null), &json!("c"), &json!(0.5))
    );
    assert_eq!(alert["severity"], "critical");
    assert_eq!(evidence["end_of_input"], false);
    // c = (1/2, ..., 1/2), b = (1, ..., 0), both with 1e-6 for each bin: the middle is (3/4, 1/4), so
    // JS divergence = 0.25 ln(2/3) + 0.25 ln 2 + 0.5 ln(4/3) = 0.215761...
    let js = evidence["js_distance"].as_f64().unwrap();
    assert!((js * js - (0.25 * (2.0_f64 / 3.0).ln() + 0.25 * 2.0_f64.ln() + 0.5 * (4.0_f64 / 3.0).ln())).abs() < 1e-6);
    assert_eq!(alert["anomaly_score"], evidence["psi"]);

    let sandbox = Sandbox::new();
    sandbox.write("first", &first);
    sandbox.write("later", &later);
    assert_eq!(
        sandbox
            .run(&["monitor", "-q", "--write-baseline", "base", "first"])
            .code,
        0
    );
    let against_file = [&["monitor", "-q", "--baseline", "base"], &options[..], &["later"]].concat();
    let again = sandbox.run(&against_file).json_lines();
    assert_eq!(again[0]["evidence"], *evidence);
    sandbox.write(
        "base",
        "{\"format_version\":1,\"risk_scores\":{\"c\":[0,0,0,0,0,0,0,0,0,0]}}",
    );
    sandbox.run(&against_file).assert_refused(3, "no risk scores");
    let twice = "\"c\":[1,0,0,0,0,0,0,0,0,0],\"\\u0063\":[0,0,0,0,0,0,0,0,0,1]";
    sandbox.write("base", format!("{{\"format_version\":1,\"risk_scores\":{{{twice}}}}}"));
    sandbox.run(&against_file).assert_refused(3, "duplicate");
    sandbox.write("base", "[]");
    sandbox
        .run(&against_file)
        .assert_refused(3, "not a file that --write-baseline has written");
}

#[test]
fn at_the_end_of_input_what_is_left_of_the_risk_scores_is_compared() {
    let input: String = (0..70).map(|i| risk("", if i < 40 { 0.05 } else { 0.95 }, i)).collect();
    let options = [&only(&[])[..], &["--drift-first", "40"]].concat();
    let found = alerts(&options, &input);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (&found[0]["cohort"], &found[0]["evidence"]["end_of_input"]),
        (&json!(null), &json!(true))
    );
    let fewer = &input[..input.len() - 2];
    let fewer = &fewer[..fewer.rfind('\n').unwrap() + 1];
    assert!(alerts(&options, fewer).is_empty());
}

#[test]
fn frequency_goes_before_sequence_and_sequence_before_behavior_and_a_quiet_rule_lets_the_next_speak() {
    let input: String = (0..12).map(|i| event("a", "x", f64::from(i))).collect();
    let options = [
        "--rules=original",
        "--frequency-events",
        "10",
        "--ngram-size",
        "1",
        "--sequence-threshold",
        "0",
    ];
    let found = alerts(&options, &input);
    assert_eq!(kinds(&found), ["sequence", "frequency", "behavioral"]);
    let seconds: Vec<&str> = found
        .iter()
        .map(|alert| &alert["timestamp"].as_str().unwrap()[17..])
        .collect();
    assert_eq!(seconds, ["00Z", "09Z", "10Z"]);
}

#[test]
fn the_same_alert_is_quiet_for_five_minutes_of_event_time_per_agent_and_cohort() {
    let lines = [("a", 0.0), ("b", 1.0), ("a", 299.999), ("a", 300.0), ("a", 301.0)];
    let mut input: String = lines.iter().map(|&(agent, time)| event(agent, "x", time)).collect();
    input += &event("a", "x", 302.0).replace('}', ", \"cohort\": \"c\"}");
    let options = [&only(&[])[..4], &["--frequency-events", "1"]].concat();
    let found = alerts(&options, &input);
    let who: Vec<String> = found
        .iter()
        .filter(|alert| alert["anomaly_type"] == "frequency")
        .map(|alert| {
            format!(
                "{}{}",
                alert["agent_id"].as_str().unwrap(),
                &alert["timestamp"].as_str().unwrap()[14..]
            )
        })
        .collect();
    assert_eq!(who, ["a00:00Z", "b00:01Z", "a05:00Z", "a05:02Z"]);
}

#[test]
fn for_want_of_room_the_agent_with_the_fewest_actions_leaves_and_starts_anew_and_is_counted() {
    let input: String = (0..200)
        .map(|i| event(&format!("a{}", i % 4), "x", f64::from(i)))
        .collect();
    let options = [&["monitor", "--max-agents", "3"], &only(&["behavioral"])[..]].concat();
    let ended = Sandbox::new().run_with_input(&options, input.as_bytes());
    // The first two stay, the other two push each other out.
    let who: Vec<_> = ended
        .json_lines()
        .iter()
        .map(|alert| alert["agent_id"].clone())
        .collect();
    assert_eq!(who, ["a0", "a1"]);
    assert!(
        ended
            .stderr
            .contains("3 agents known, 99 agents and 0 cohorts forgotten"),
        "{}",
        ended.stderr
    );
    let found = alerts(&[&["--max-agents", "4"], &only(&["behavioral"])[..]].concat(), &input);
    assert_eq!(found.len(), 4);
}

#[test]
fn nothing_is_refused_for_its_time() {
    let sandbox = Sandbox::new();
    // From the year 9999, and older ones in any order.
    let mut input = event("a", "x", 2.5e11);
    input += &(0..20)
        .map(|i| event("a", "x", f64::from(i * 7919 % 10_000)))
        .collect::<String>();
    for rules in ["--rules=original", "--rules=default"] {
        let ended = sandbox.run_with_input(&["monitor", rules], input.as_bytes());
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        assert!(!ended.stdout.contains("\"error\""), "{}", ended.stdout);
        assert!(ended.stderr.contains("[INFO] 21 events"), "{}", ended.stderr);
        assert!(ended.stderr.contains(", 0 lines refused"), "{}", ended.stderr);
    }
}

#[test]
fn bad_lines_are_answered_in_their_place_and_strict_stops_at_the_first() {
    let good = event("a", "x", 0.0);
    let input = format!(
        "{good}nonsense\n\n{good}{{\"agent_id\": \"a\", \"action_type\": \"x\", \"timestamp\": \"soon\"}}\n{good}"
    );
    let ended = monitor(&only(&[]), &input);
    let lines: Vec<_> = ended
        .json_lines()
        .iter()
        .map(|answer| answer["line"].as_u64().unwrap())
        .collect();
    assert_eq!((ended.code, lines), (3, vec![2, 5]));
    assert!(ended.stderr.contains("2 lines were refused"), "{}", ended.stderr);
    let ended = monitor(&[&only(&[])[..], &["--strict"]].concat(), &input);
    assert_eq!((ended.code, ended.stdout.as_str()), (3, ""));
    assert!(
        ended.stderr.contains("-:2:") && !ended.stderr.contains("[INFO]"),
        "{}",
        ended.stderr
    );
}

#[test]
fn an_event_without_a_time_happened_when_it_came() {
    // The clock of the test stands still, so 30 events come at once.
    let input = "{\"agent_id\": \"a\", \"action_type\": \"x\"}\n".repeat(30);
    let found = alerts(&only(&["frequency"]), &input);
    assert_eq!(kinds(&found), ["frequency"]);
    assert_eq!(found[0]["timestamp"], "2026-11-22T12:00:00Z");
}

#[test]
fn more_actions_than_there_is_room_for_are_taken_for_one() {
    let input: String = (0..3000)
        .map(|i| event("a", &format!("x{i}"), f64::from(i) * 10.0))
        .collect();
    for (room, common) in [("100", 2900), ("100000", 1976)] {
        let options = [
            &only(&["behavioral"])[..],
            &[
                "--max-actions",
                room,
                "--behavioral-concentration",
                "0.6",
                "--behavioral-threshold",
                "0.5",
            ],
        ]
        .concat();
        let found = monitor(&options, &input).json_lines();
        let last = found
            .iter()
            .rfind(|alert| alert["anomaly_type"] == "behavioral")
            .unwrap();
        assert_eq!(last["evidence"]["most_common"], "(other)");
        assert!(last["evidence"]["actions"].as_u64().unwrap() > common - 40, "{last}");
    }
}

#[test]
fn names_from_outside_cannot_act_on_a_terminal_and_each_alert_is_one_line() {
    let input: String = (0..30)
        .map(|i| event("a\\u001b[2J\\n", "x\\u202e`", f64::from(i)))
        .collect();
    let ended = monitor(&only(&["frequency"]), &input);
    assert_eq!(ended.stdout.lines().count(), 1);
    assert!(!ended.stdout.contains(['\u{1b}', '\u{202e}']));
    assert_eq!(ended.json_lines()[0]["agent_id"], "a\u{1b}[2J\n");
}

#[test]
fn a_closed_or_full_output_is_noticed() {
    let sandbox = Sandbox::new();
    let input: String = (0..3000).map(|i| event(&format!("a{i}"), "x", f64::from(i))).collect();
    sandbox.write("events", input);
    let args = ["monitor", "-q", "--frequency-events", "1", "events"];
    let ended = sandbox.run_without_reader(&args);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let ended = sandbox.run_into_full_device(&args);
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.contains("cannot write output"), "{}", ended.stderr);
}

#[test]
fn options_out_of_range_and_those_of_a_model_without_one_are_refused() {
    for (args, message) in [
        (&["--smoothing", "0"][..], "1e-6"),
        (&["--cooldown", "NaN"], "30m"),
        (&["--max-agents", "0"], "from 1"),
        (&["--ngram-size", "9"], "1 to 8"),
        (&["--rules", "none"], "original"),
        (&["--max-alerts", "0"], "from 1"),
        (&["--model", "m", "--models-dir", "models"], "cannot be used with"),
        (&["--follow"], "a file that grows"),
        (&["--state", "."], "not a file"),
        (&["--state", "missing/state"], "its folder is not there"),
    ] {
        monitor(args, "").assert_refused(2, message);
    }
}
