//! Running a monitor: registries, locks, signals, files that rotate, figures for Prometheus.
#![cfg(unix)]

use crate::common::Sandbox;
use serde_json::Value;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// Waits until something holds, which it will.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn signal(child: &Child, name: &str) {
    let kill = format!("kill -{name} {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

fn start(sandbox: &Sandbox, args: &[&str]) -> (Child, ChildStdin) {
    let mut command = sandbox.command(&[&["monitor"], args].concat());
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let stdin = child.stdin.take().unwrap();
    (child, stdin)
}

fn event(agent: &str, time: u64) -> String {
    format!("{{\"agent_id\":\"{agent}\",\"action_type\":\"x\",\"timestamp\":{time}}}\n")
}

fn read_all(mut reader: impl Read) -> String {
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    text
}

/// A run that says alerts line by line; what it says else is not looked at.
fn follow(sandbox: &Sandbox, args: &[&str]) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut command = sandbox.command(args);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines)
}

fn assert_events_in_state(sandbox: &Sandbox, count: u32) {
    let state = fs::read_to_string(sandbox.path("state")).unwrap();
    assert!(state.contains(&format!("\"events\":{count},")));
}

/// Under these options each event is an alert, at once.
const LOUD: [&str; 4] = [
    "--frequency-events=1",
    "--cooldown=0",
    "--max-alerts=1000000",
    "--reorder=0",
];

fn agents(output: &str) -> Vec<String> {
    let alerts = output.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    alerts
        .map(|alert| alert["agent_id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn what_is_promoted_or_rolled_back_to_takes_over_at_once_unless_a_digest_is_expected() {
    let sandbox = Sandbox::new();
    let train = |seed: &str| {
        let summary = sandbox.train(&["--num-samples=1500", "--seed", seed, "--promotion-max-regression=1"]);
        assert_eq!(summary["promoted"], true, "{summary}");
        summary["digest"].as_str().unwrap().to_owned()
    };
    let first = train("1");
    let (mut child, stdin) = start(&sandbox, &["--models-dir=models", "--metrics-file=metrics"]);
    let mut errors = BufReader::new(child.stderr.take().unwrap()).lines();
    let watching = |digest: &str| {
        let figures = fs::read_to_string(sandbox.path("metrics")).unwrap_or_default();
        figures.contains(&format!("digest=\"{digest}\""))
    };
    until("the first watches", || watching(&first));
    let second = train("2");
    until("the second takes over", || watching(&second));
    let line = errors.next().unwrap().unwrap();
    assert!(
        line.contains(&format!("the current model of models watches from now on: {second}")),
        "{line}"
    );
    assert_eq!(sandbox.run(&["rollback"]).code, 0);
    until("the first comes back", || watching(&first));
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));

    let expecting =
        |digest: &str| sandbox.run_with_input(&["monitor", "--models-dir=models", "--expect-digest", digest], b"");
    assert_eq!(expecting(&first).code, 0);
    expecting(&second).assert_refused(3, "not the one of --expect-digest");
}

#[test]
fn a_state_belongs_to_one_run_at_a_time() {
    let sandbox = Sandbox::new();
    let (mut child, stdin) = start(&sandbox, &["--state=state"]);
    until("it is locked", || sandbox.path("state.lock").exists());
    sandbox
        .run_with_input(&["monitor", "--state=state"], b"")
        .assert_refused(1, "another run works with this state");
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(sandbox.run_with_input(&["monitor", "--state=state"], b"").code, 0);
    assert_eq!(sandbox.files("."), ["state"]);
}

#[test]
fn sigquit_ends_a_run_in_good_order() {
    let sandbox = Sandbox::new();
    let (mut child, mut stdin) = start(&sandbox, &[&LOUD[..], &["--state=state"]].concat());
    stdin.write_all(event("a", 5).as_bytes()).unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    signal(&child, "QUIT");
    assert_eq!(child.wait().unwrap().code(), Some(131));
    assert_events_in_state(&sandbox, 1);
}

#[test]
fn with_a_reader_that_is_stuck_a_signal_ends_the_run_and_the_next_one_says_what_was_not_said() {
    let sandbox = Sandbox::new();
    let names: Vec<String> = (0..3000).map(|number| format!("a{number}")).collect();
    let lines: String = names.iter().map(|name| event(name, 5)).collect();
    sandbox.write("log", &lines);
    let args = [&["monitor"], &LOUD[..], &["--state=state", "--follow", "log"]].concat();
    let mut command = sandbox.command(&args);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Nobody reads: the pipe is full long before all alerts are in it.
    let mut stdout = child.stdout.take().unwrap();
    let mut first = [0; 1];
    stdout.read_exact(&mut first).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    signal(&child, "TERM");
    let mut status = None;
    until("it ends", || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    assert_eq!(status.unwrap().code(), Some(143));
    let heard = format!("{}{}", char::from(first[0]), read_all(stdout));
    // Half of a line may have been heard, which the next run says as a whole.
    let whole = heard.rfind('\n').map_or(0, |end| end + 1);
    let (mut child, mut lines) = follow(&sandbox, &args);
    let mut found = agents(&heard[..whole]);
    assert!(found.len() < names.len());
    while found.len() < names.len() {
        found.extend(agents(&lines.next().unwrap().unwrap()));
    }
    signal(&child, "TERM");
    child.wait().unwrap();
    assert_eq!(found, names);
}

#[test]
fn a_log_that_is_rotated_or_cut_at_any_moment_loses_no_line_over_restarts() {
    let sandbox = Sandbox::new();
    let log = sandbox.path("log");
    sandbox.write("log", "");
    let args = [&["monitor"], &LOUD[..], &["--state=state", "--follow", "log"]].concat();
    let append = |to: &str, names: &[String]| {
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(sandbox.path(to))
            .unwrap();
        names
            .iter()
            .for_each(|name| file.write_all(event(name, 5).as_bytes()).unwrap());
    };
    let spawn = || follow(&sandbox, &args);
    let mut number = 0;
    let mut names = |count: usize| -> Vec<String> {
        number += count;
        (number - count..number).map(|number| format!("a{number}")).collect()
    };
    let (mut child, mut lines) = spawn();
    for round in 0..12 {
        let mut expected = names(2);
        append("log", &expected);
        if round % 4 == 3 {
            // All of it must have been read before it is cut.
            let found: Vec<String> = (0..2)
                .map(|_| agents(&lines.next().unwrap().unwrap()).remove(0))
                .collect();
            assert_eq!(found, expected);
            expected = names(40);
            // Longer than before, in one step, so that its length tells nothing.
            let text: String = expected.iter().map(|name| event(name, 5)).collect();
            fs::write(&log, text).unwrap();
        }
        if round % 4 == 1 {
            fs::rename(&log, sandbox.path(&format!("log.{round}"))).unwrap();
            let late = names(2);
            append(&format!("log.{round}"), &late);
            expected.extend(late);
            let new = names(2);
            append("log", &new);
            expected.extend(new);
        }
        if round % 3 == 2 {
            signal(&child, "TERM");
            let rest: Vec<String> = lines.map(|line| agents(&line.unwrap()).remove(0)).collect();
            assert_eq!(child.wait().unwrap().code(), Some(143));
            assert_eq!(rest[..], expected[..rest.len()], "round {round}");
            expected.drain(..rest.len());
            if round == 5 {
                // Renamed while nobody looks.
                fs::rename(&log, sandbox.path("log.away")).unwrap();
                let new = names(3);
                append("log", &new);
                expected.extend(new);
            }
            (child, lines) = spawn();
        }
        let found: Vec<String> = expected
            .iter()
            .map(|_| agents(&lines.next().unwrap().unwrap()).remove(0))
            .collect();
        assert_eq!(found, expected, "round {round}");
    }
    signal(&child, "TERM");
    assert_eq!(lines.count(), 0);
    child.wait().unwrap();
}

#[test]
fn killed_at_any_moment_it_goes_on_from_its_last_state_and_says_the_same_again() {
    let sandbox = Sandbox::new();
    sandbox.write("log", "");
    let args = [&["monitor"], &LOUD[..], &["--state=state", "--follow", "log"]].concat();
    let mut file = OpenOptions::new().append(true).open(sandbox.path("log")).unwrap();
    let mut said = std::collections::BTreeMap::new();
    for round in 0..6 {
        for number in 0..50 {
            file.write_all(event(&format!("a{round}-{number}"), 5).as_bytes())
                .unwrap();
        }
        let (mut child, mut lines) = follow(&sandbox, &args);
        for _ in 0..10 * round {
            let alert: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
            let before = said.insert(alert["alert_id"].clone().to_string(), alert.clone());
            assert!(before.is_none_or(|before| before == alert));
        }
        signal(&child, if round % 2 == 0 { "KILL" } else { "TERM" });
        for line in lines {
            let Ok(alert) = serde_json::from_str::<Value>(&line.unwrap()) else {
                continue;
            };
            let before = said.insert(alert["alert_id"].clone().to_string(), alert.clone());
            assert!(before.is_none_or(|before| before == alert));
        }
        child.wait().unwrap();
    }
    let (mut child, mut lines) = follow(&sandbox, &args);
    while said.len() < 300 {
        let alert: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        said.insert(alert["alert_id"].clone().to_string(), alert);
    }
    signal(&child, "TERM");
    assert_eq!(lines.count(), 0);
    child.wait().unwrap();
    assert_events_in_state(&sandbox, 300);
}

#[test]
fn what_waits_in_a_state_is_looked_at_by_the_next_run_though_nothing_more_comes() {
    let sandbox = Sandbox::new();
    sandbox.write("log", event("a", 5));
    let run = |until_said: bool| {
        let args = [
            "monitor",
            "--frequency-events=1",
            "--reorder=5",
            "--state=state",
            "--metrics-file=metrics",
            "--follow",
            "log",
        ];
        let (mut child, mut lines) = follow(&sandbox, &args);
        if until_said {
            assert_eq!(agents(&lines.next().unwrap().unwrap()), ["a"]);
        } else {
            until("it waits", || {
                let figures = fs::read_to_string(sandbox.path("metrics")).unwrap_or_default();
                figures.contains("anomaly_train_waiting_events 1\n")
            });
        }
        signal(&child, "TERM");
        assert_eq!(child.wait().unwrap().code(), Some(143));
        assert_eq!(lines.count(), 0);
    };
    run(false);
    assert!(
        fs::read_to_string(sandbox.path("state"))
            .unwrap()
            .contains("\"waiting\":1,")
    );
    run(true);
}

#[test]
fn figures_for_prometheus_are_there_at_the_end() {
    let sandbox = Sandbox::new();
    sandbox.write("events", format!("nonsense\n{}{}", event("a", 5), event("b", 6)));
    let ended = sandbox.run(&[&["monitor"], &LOUD[..], &["--metrics-file=metrics", "events"]].concat());
    assert_eq!(ended.code, 3);
    let figures = fs::read_to_string(sandbox.path("metrics")).unwrap();
    for line in [
        "anomaly_train_events_total 2",
        "anomaly_train_refused_lines_total 1",
        "anomaly_train_alerts_total{type=\"frequency\",severity=\"critical\"} 2",
        "anomaly_train_agents 2",
        // The clock of the test stands still.
        "anomaly_train_lag_seconds 1795348794",
    ] {
        assert!(figures.lines().any(|found| found == line), "{line}\n{figures}");
    }
    sandbox
        .run(&["monitor", "--metrics-file=events", "events"])
        .assert_refused(2, "--metrics-file events: is the input");
}
