//! The monitor beside an independent implementation, `tests/reference/monitor.py`, on 10,000 random events under several
//! sets of options.

use crate::common::Sandbox;
use anomaly_train::events::Time;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The same events as those of the reference, as JSON lines.
fn events(seed: u64, count: i64) -> String {
    let mut state = seed;
    let mut draw = |limit: i64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as i64 % limit
    };
    let actions = ["read", "write", "list", "open", "close", "send", "fetch", "delete"];
    let mut now = 1_795_341_600_000;
    let mut text = String::new();
    for index in 0..count {
        let agent = draw(40) * draw(40) / 40;
        now += if draw(10) < 9 { 50 } else { draw(200) * draw(100) };
        let action = if agent % 5 == 0 {
            if draw(100) < 93 { agent % 8 } else { draw(8) }
        } else {
            draw(8) * draw(8) / 8
        };
        let mut action = actions[action as usize].to_owned();
        if draw(500) == 0 {
            action = format!("rare-{}", draw(50));
        }
        write!(text, r#"{{"agent_id": "a{agent}", "action_type": "{action}""#).unwrap();
        if draw(10) < 8 {
            let risk = draw(1101) - 50;
            let risk = if draw(count) < index / 2 {
                risk.div_euclid(2)
            } else {
                risk
            };
            let risk = risk.clamp(0, 1000);
            write!(text, r#", "risk_score": {}"#, risk as f64 / 1000.0).unwrap();
        }
        if agent % 3 > 0 {
            write!(text, r#", "cohort": "c{}""#, agent % 3).unwrap();
        }
        let late = if draw(20) == 0 { draw(10_000) } else { 0 };
        writeln!(text, r#", "timestamp": {}}}"#, (now - late) as f64 / 1000.0).unwrap();
    }
    text
}

/// What the reference prints for an alert, but for the score.
fn line(answer: &Value) -> String {
    let time = Time::from_rfc3339(answer["timestamp"].as_str().unwrap()).unwrap();
    let text = |name: &str| {
        answer[name]
            .as_str()
            .map_or("null".to_owned(), |text| format!("\"{text}\""))
    };
    let kind = text("anomaly_type");
    let (agent, cohort) = (text("agent_id"), text("cohort"));
    format!("[{kind}, {agent}, {cohort}, {}]\n", time.micros() / 1000)
}

#[test]
fn every_alert_is_that_of_the_reference() {
    let runs: Value = serde_json::from_str(include_str!("../reference/monitor.json")).unwrap();
    for run in runs.as_array().unwrap() {
        let options = run["options"].as_object().unwrap().iter();
        let options: Vec<String> = options
            .flat_map(|(name, value)| [format!("--{}", name.replace('_', "-")), value.to_string()])
            .collect();
        let mut args = vec!["monitor", "-q", "--rules=original", "--reorder=0"];
        args.extend(options.iter().map(String::as_str));
        let input = events(run["seed"].as_u64().unwrap(), 10_000);
        let answers = Sandbox::new().run_with_input(&args, input.as_bytes()).json_lines();
        assert_eq!(answers.len() as u64, run["alerts"].as_u64().unwrap(), "{options:?}");
        let lines: String = answers.iter().map(line).collect();
        let digest: String = Sha256::digest(&lines)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(run["digest"], digest, "{options:?}");
        let scores = answers.iter().filter_map(|answer| answer["anomaly_score"].as_f64());
        let expected = run["scores"].as_array().unwrap();
        assert_eq!(scores.clone().count(), expected.len());
        for (score, expected) in scores.zip(expected) {
            assert!((score - expected.as_f64().unwrap()).abs() < 1e-9, "{score} {expected}");
        }
    }
}
