//! Watching events for long: restarts, signals, growing files, models that change.

use crate::common::{Ended, Sandbox};
use serde_json::Value;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Events of a few agents, some of whom hurry or repeat themselves, with risk scores and cohorts.
fn events(count: u64) -> Vec<String> {
    let mut state: u64 = 11;
    let mut draw = |limit: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % limit
    };
    let actions = [
        "read",
        "process",
        "write",
        "scan",
        "exploit",
        "inject",
        "delete",
        "exfiltrate",
        "new",
    ];
    let mut now = 0;
    let event = |_| {
        let agent = draw(6) * draw(6) / 4;
        now += if draw(10) < 8 { 500 } else { draw(300_000) };
        let action = actions[(draw(9) * draw(9) / 8) as usize % 9];
        let risk = draw(1000) as f64 / 1000.0;
        let time = (1_795_341_600_000 + now - draw(20_000)) as f64 / 1000.0;
        format!(
            "{{\"agent_id\":\"agent number {agent} of many more\",\"action_type\":\"{action}\",\"risk_score\":{risk},\"cohort\":\"c{}\",\
             \"timestamp\":{time}}}\n",
            agent % 2
        )
    };
    (0..count).map(event).collect()
}

/// Options under which all rules have something to say about [`events`].
const OPTIONS: [&str; 15] = [
    "monitor",
    "-q",
    "--drift-first=100",
    "--drift-every=60",
    "--frequency-events=8",
    "--warm-up=50",
    "--behavioral-actions=10",
    "--behavioral-concentration=0.3",
    "--behavioral-threshold=0.3",
    "--cooldown=100",
    "--session-gap=2m",
    "--window=8",
    "--max-agents=8",
    "--max-actions=8",
    "--anomaly-threshold=0.6",
];

/// A sandbox with a trained model, and the options with it.
fn with_model() -> (Sandbox, Vec<String>) {
    let sandbox = Sandbox::new();
    let summary = sandbox.train(&["--num-samples", "1000"]);
    let path = summary["model_path"].as_str().unwrap();
    let mut options: Vec<String> = OPTIONS.map(str::to_owned).to_vec();
    options.push(format!("--model={path}"));
    (sandbox, options)
}

fn strs(options: &[String]) -> Vec<&str> {
    options.iter().map(String::as_str).collect()
}

#[test]
fn the_same_events_give_the_same_alerts_in_one_piece_byte_by_byte_and_with_restarts_anywhere() {
    for rules in ["--rules=original", "--rules=default"] {
        give_the_same_alerts(rules);
    }
}

fn give_the_same_alerts(rules: &str) {
    let (sandbox, mut options) = with_model();
    options.extend([rules, "--reorder=0"].map(str::to_owned));
    let lines = events(3000);
    let all = lines.concat();
    let whole = sandbox.run_with_input(&strs(&options), all.as_bytes());
    assert_eq!(whole.code, 0, "{}", whole.stderr);
    // That risk scores have moved is chance here, which our rules know.
    let moved = Some("distributional").filter(|_| rules == "--rules=original");
    for kind in ["sequence", "frequency", "behavioral", "model"]
        .into_iter()
        .chain(moved)
    {
        assert!(
            whole.stdout.contains(&format!("\"anomaly_type\":\"{kind}\"")),
            "no {kind}"
        );
    }

    let mut child = spawn(&sandbox, &strs(&options), Stdio::piped());
    let mut stdin = child.stdin.take().unwrap();
    let output = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || read_all(output));
    let some = &all.as_bytes()[..20_000];
    for byte in some {
        stdin.write_all(&[*byte]).unwrap();
    }
    stdin.write_all(&all.as_bytes()[20_000..]).unwrap();
    drop(stdin);
    assert_eq!(reader.join().unwrap(), whole.stdout);
    assert!(child.wait().unwrap().success());

    let with_state = [&strs(&options)[..], &["--state", "state"]].concat();
    for cuts in [
        &[1][..],
        &[1500],
        &[2, 700, 701, 2999],
        &[100, 200, 300, 400, 500, 2000],
    ] {
        let _ = std::fs::remove_file(sandbox.path("state"));
        let mut answers = String::new();
        let mut start = 0;
        for end in cuts.iter().copied().chain([lines.len()]) {
            let run = sandbox.run_with_input(&with_state, lines[start..end].concat().as_bytes());
            assert_eq!(run.code, 0, "{}", run.stderr);
            // What is said at the end of each part but the last is extra.
            let last = end == lines.len();
            let kept = run
                .stdout
                .lines()
                .filter(|line| last || !line.contains("\"end_of_input\":true"));
            kept.for_each(|line| answers += &format!("{line}\n"));
            start = end;
        }
        // Lines are those of each part.
        let without_lines = |text: &str| -> Vec<Value> {
            let mut alerts: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            alerts.iter_mut().for_each(|alert| alert["line"] = Value::Null);
            alerts
        };
        let (answers, expected) = (without_lines(&answers), without_lines(&whole.stdout));
        assert!(answers == expected, "{cuts:?}");
    }
}

#[test]
fn a_state_that_is_damaged_or_that_of_other_options_is_refused_and_left_alone() {
    let sandbox = Sandbox::new();
    let input = events(300).concat();
    let args = ["monitor", "-q", "--state", "state"];
    assert_eq!(sandbox.run_with_input(&args, input.as_bytes()).code, 0);
    let state = std::fs::read(sandbox.path("state")).unwrap();
    let again = |state: &[u8], more: &[&str]| {
        sandbox.write("state", state);
        let ended = sandbox.run_with_input(&[&args[..], more].concat(), input.as_bytes());
        assert_eq!(std::fs::read(sandbox.path("state")).unwrap(), state);
        ended
    };
    let other_options = again(&state, &["--frequency-events", "31"]);
    other_options.assert_refused(3, "saved with frequency_events 30, now it is 31");
    for place in (0..state.len()).step_by(997) {
        let mut damaged = state.clone();
        damaged[place] ^= 1;
        assert_eq!(again(&damaged, &[]).code, 3, "{place}");
        assert_eq!(again(&state[..place], &[]).code, 3, "{place}");
    }
    let text = String::from_utf8(state).unwrap();
    let newer = text.replacen("\"format_version\":5", "\"format_version\":6", 1);
    again(newer.as_bytes(), &[]).assert_refused(3, "format version 6");
    again(b"{\"agent_id\":\"a\"}\n", &[]).assert_refused(3, "not a state");
}

#[test]
#[cfg(target_os = "linux")]
fn a_large_file_that_is_no_state_is_refused_without_being_read() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("state", "{\"agent_id\":\"a\"}\n");
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_len(8 << 30).unwrap();
    sandbox.write("in", events(5).concat());
    sandbox
        .run_within("ulimit -v 400000; ", &["monitor", "--state", "state", "in"])
        .assert_refused(3, "not a state");
}

#[test]
fn a_state_that_never_was_is_refused_even_with_a_right_digest() {
    use sha2::{Digest, Sha256};
    let sandbox = Sandbox::new();
    let args = ["monitor", "-q", "--state", "state"];
    assert_eq!(sandbox.run_with_input(&args, events(50).concat().as_bytes()).code, 0);
    let text = std::fs::read_to_string(sandbox.path("state")).unwrap();
    let body = &text[..text.trim_end().rfind('\n').unwrap() + 1];
    for (from, to) in [
        ("\"late\":0", "\"late\":-1"),
        ("\"late\":0", "\"late\": 0"),
        ("\"latest\":1", "\"latest\":-1"),
        ("\"latest\":1", "\"latest\":99991"),
        ("\"times\":[", "\"times\":[9223372036854775807,"),
        ("\"counts\":[[", "\"counts\":[[1,18446744073709551615],["),
        ("\"counts\":[[", "\"counts\":[[1,0],["),
        ("\"recent\":[", "\"recent\":[1,1,1,1,1,1,1,1,1,"),
        ("\"agents\":", "\"agents\":9"),
        ("\"ngrams\":\"", "\"ngrams\":\"é"),
        ("\"since_due\":", "\"since_due\":1844674407370955"),
        ("\"session\":[]", "\"session\":[1]"),
        ("\"counts\":[[", "\"counts\":[[99,1],["),
        ("\"names\":", "\"names\":1"),
        ("\"read\"\n", "\"write\"\n"),
        ("\"events\":50", "\"events\":18446744073709551615"),
    ] {
        assert!(body.contains(from), "{from}");
        let body = body.replacen(from, to, 1);
        let digest: String = Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
        sandbox.write("state", format!("{body}{{\"digest\":\"{digest}\"}}\n"));
        sandbox
            .run_with_input(&args, b"")
            .assert_refused(3, "the state is damaged");
    }
}

fn spawn(sandbox: &Sandbox, args: &[&str], stdin: Stdio) -> Child {
    let mut command = sandbox.command(args);
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn read_all(mut reader: impl Read) -> String {
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    text
}

fn signal(child: &Child, name: &str) {
    let kill = format!("kill -{name} {}", child.id());
    assert!(
        std::process::Command::new("sh")
            .args(["-c", &kill])
            .status()
            .unwrap()
            .success()
    );
}

/// One event of each of so many new agents, each of which leads to an alert.
fn hurry(stdin: &mut impl Write, agents: std::ops::Range<u32>) {
    for agent in agents {
        writeln!(
            stdin,
            "{{\"agent_id\": \"n{agent}\", \"action_type\": \"x\", \"timestamp\": 5}}"
        )
        .unwrap();
    }
}

/// A monitor, its input and its output.
fn running(sandbox: &Sandbox, more: &[&str]) -> (Child, ChildStdin, BufReader<ChildStdout>) {
    let args = [&["monitor"], more].concat();
    let mut child = spawn(sandbox, &args, Stdio::piped());
    let stdin = child.stdin.take().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    (child, stdin, stdout)
}

fn next(stdout: &mut BufReader<ChildStdout>) -> Value {
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap()
}

#[test]
#[cfg(unix)]
fn a_signal_ends_the_run_in_good_order_with_the_state_saved() {
    for (name, code) in [("TERM", 143), ("INT", 130)] {
        let sandbox = Sandbox::new();
        let (mut child, mut stdin, mut stdout) = running(&sandbox, &["--frequency-events", "1", "--state", "state"]);
        hurry(&mut stdin, 0..3);
        assert_eq!(next(&mut stdout)["agent_id"], "n0");
        next(&mut stdout);
        next(&mut stdout);
        signal(&child, name);
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(code));
        let summary = read_all(child.stderr.take().unwrap());
        assert!(
            summary.starts_with("[INFO] 3 events, 3 alerts (3 frequency)"),
            "{summary}"
        );
        assert_eq!(read_all(stdout), "");
        drop(stdin);

        let (mut child, mut stdin, mut stdout) = running(&sandbox, &["--frequency-events", "1", "--state", "state"]);
        // The first three are in their quiet period.
        hurry(&mut stdin, 0..4);
        assert_eq!(next(&mut stdout)["agent_id"], "n3");
        drop(stdin);
        assert!(child.wait().unwrap().success());
    }
}

#[test]
#[cfg(unix)]
fn a_new_model_takes_over_and_a_bad_one_does_not() {
    let (sandbox, _) = with_model();
    let model = sandbox.path("model.json");
    let good = std::fs::read(sandbox.path(&format!("models/current/{}", sandbox.files("models/current")[1]))).unwrap();
    std::fs::write(&model, &good).unwrap();
    let (mut child, mut stdin, stdout) = running(&sandbox, &["--model", "model.json"]);
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut line = |expected: &str| {
        let mut line = String::new();
        errors.read_line(&mut line).unwrap();
        assert!(line.contains(expected), "{line}");
    };
    // A moment until it listens.
    writeln!(stdin, "nonsense").unwrap();
    let mut stdout = stdout;
    assert_eq!(next(&mut stdout)["line"], 1);
    std::fs::write(&model, b"{}").unwrap();
    line("[WARN] the model is kept as it was: model.json");
    std::fs::write(&model, &good).unwrap();
    line("[INFO] model loaded anew from model.json");
    signal(&child, "HUP");
    line("[INFO] model loaded anew from model.json");
    std::fs::remove_file(&model).unwrap();
    line("[WARN] the model is kept as it was: model.json");
    for action in ["delete", "exfiltrate", "cover_tracks"] {
        writeln!(
            stdin,
            "{{\"agent_id\": \"a\", \"action_type\": \"{action}\", \"timestamp\": 5}}"
        )
        .unwrap();
    }
    let alert = next(&mut stdout);
    assert_eq!(alert["anomaly_type"], "model");
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(3));
}

#[test]
fn a_model_alert_is_what_predict_says_of_the_latest_actions_of_the_session() {
    let (sandbox, options) = with_model();
    let model = options.last().unwrap().strip_prefix("--model=").unwrap();
    let event = |action: &str, time: u32| {
        format!("{{\"agent_id\": \"a\", \"action_type\": \"{action}\", \"timestamp\": {time}}}\n")
    };
    // The first session ends 30 minutes and a second before the second one starts.
    let mut input = event("scan", 0);
    let second = ["read", "process", "write", "delete", "exfiltrate", "cover_tracks"];
    for (place, action) in second.iter().enumerate() {
        input += &event(action, 1801 + place as u32);
    }
    let args = [
        "monitor",
        "-q",
        "--model",
        model,
        "--window",
        "4",
        "--anomaly-threshold",
        "0.9",
        "--cooldown",
        "0",
        "--top",
        "2",
    ];
    let alerts = sandbox.run_with_input(&args, input.as_bytes()).json_lines();
    let alerts: Vec<_> = alerts.iter().filter(|alert| alert["anomaly_type"] == "model").collect();
    assert!(!alerts.is_empty());
    let windows = ["scan".to_owned()]
        .into_iter()
        .chain((1..=6_usize).map(|end| second[end.saturating_sub(4)..end].join(",")));
    let expected: Vec<Value> = windows
        .map(|window| {
            let args = [
                "predict",
                "--model",
                model,
                "--format",
                "json",
                "--top",
                "2",
                "--sequence",
                &window,
            ];
            sandbox.run(&args).json_lines().remove(0)
        })
        .filter(|answer| answer["score"].as_f64().unwrap() >= 0.9)
        .collect();
    assert_eq!(alerts.len(), expected.len());
    for (alert, expected) in alerts.iter().zip(&expected) {
        assert_eq!(alert["anomaly_score"], expected["score"]);
        for member in ["log_odds", "contributions", "unknown", "evidence", "sentences"] {
            assert_eq!(alert["evidence"][member], expected["explanation"][member], "{member}");
        }
    }
}

#[test]
#[cfg(unix)]
fn a_growing_file_is_followed_when_it_is_replaced_or_cut_and_goes_on_where_it_stopped() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("log", "");
    let append = |agents| hurry(&mut OpenOptions::new().append(true).open(&path).unwrap(), agents);
    append(0..1);
    let args = [
        "monitor",
        "-q",
        "--frequency-events",
        "1",
        "--state",
        "state",
        "--follow",
        "log",
    ];
    let run = || {
        let mut child = spawn(&sandbox, &args, Stdio::null());
        let stdout = BufReader::new(child.stdout.take().unwrap());
        (child, stdout)
    };
    let stop = |mut child: Child| {
        signal(&child, "TERM");
        assert_eq!(child.wait().unwrap().code(), Some(143));
    };
    let (child, mut stdout) = run();
    assert_eq!(next(&mut stdout)["agent_id"], "n0");
    append(1..2);
    assert_eq!(next(&mut stdout)["agent_id"], "n1");
    std::fs::rename(&path, sandbox.path("log.1")).unwrap();
    let late = OpenOptions::new().append(true).open(sandbox.path("log.1"));
    hurry(&mut late.unwrap(), 2..3);
    assert_eq!(next(&mut stdout)["agent_id"], "n2");
    // A line that was never finished ends with its file.
    let mut rest = OpenOptions::new().append(true).open(sandbox.path("log.1")).unwrap();
    rest.write_all(b"{\"agent").unwrap();
    std::fs::write(&path, "").unwrap();
    append(3..4);
    assert!(next(&mut stdout)["error"].is_string());
    assert_eq!(next(&mut stdout)["agent_id"], "n3");
    std::fs::write(&path, "").unwrap();
    sleep(Duration::from_millis(300));
    append(4..5);
    assert_eq!(next(&mut stdout)["agent_id"], "n4");
    stop(child);

    append(5..6);
    let (child, mut stdout) = run();
    // Neither is n4 taken again, nor n5 left out.
    assert_eq!(next(&mut stdout)["agent_id"], "n5");
    stop(child);
    let state = std::fs::read_to_string(sandbox.path("state")).unwrap();
    assert!(state.contains("\"events\":6,"));
}

#[test]
fn without_reordering_an_alert_is_shown_at_once() {
    let sandbox = Sandbox::new();
    let (mut child, mut stdin, mut stdout) = running(&sandbox, &["--frequency-events=1", "--reorder=0"]);
    hurry(&mut stdin, 0..1);
    next(&mut stdout);
    let start = Instant::now();
    for agent in 1..20 {
        hurry(&mut stdin, agent..agent + 1);
        next(&mut stdout);
    }
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
#[cfg(target_os = "linux")]
fn memory_stays_bounded_when_agents_actions_and_cohorts_never_end() {
    let sandbox = Sandbox::new();
    let args = [
        "monitor",
        "-q",
        "--rules=original",
        "--max-agents",
        "100",
        "--max-cohorts",
        "10",
        "--max-actions",
        "1000",
    ];
    let mut child = spawn(&sandbox, &args, Stdio::piped());
    let mut stdin = child.stdin.take().unwrap();
    let output = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || read_all(output).len());
    let resident = |child: &Child| -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let long = "x".repeat(900);
    let mut feed = |from: u32| {
        for i in from..from + 15_000 {
            let line = format!(
                "{{\"agent_id\":\"{i}{long}\",\"action_type\":\"{i}{long}\",\"cohort\":\"{i}{long}\",\"risk_score\":0.5,\"timestamp\":{i}}}\n"
            );
            stdin.write_all(line.as_bytes()).unwrap();
        }
    };
    feed(0);
    let before = resident(&child);
    feed(15_000);
    let after = resident(&child);
    drop(stdin);
    assert!(child.wait().unwrap().success());
    assert_eq!(reader.join().unwrap(), 0);
    assert!(after < before + 8192, "{before} KiB, then {after} KiB");
}

#[test]
fn events_that_are_missing_their_end_are_refused_in_a_whole_file_too() {
    let sandbox = Sandbox::new();
    let text = events(3).concat();
    sandbox.write("events", &text[..text.len() - 5]);
    let ended: Ended = sandbox.run(&["monitor", "-q", "events"]);
    assert_eq!(ended.code, 3);
    assert!(ended.stdout.contains("\"line\":3"), "{}", ended.stdout);
}
