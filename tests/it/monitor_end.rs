//! How a run ends when not everything can be done.

use crate::common::Sandbox;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Stdio};

fn start(sandbox: &Sandbox, args: &[&str]) -> (Child, BufReader<ChildStdout>) {
    let mut command = sandbox.command(&[&["monitor", "--frequency-events=1"], args].concat());
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    (child, stdout)
}

fn read_all(mut reader: impl Read) -> String {
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_state_that_cannot_be_saved_at_the_end_is_said_last_and_costs_nothing_else() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("folder")).unwrap();
    let args = [
        "--state=folder/state",
        "--write-baseline=baseline",
        "--drift-first=50",
        "--drift-scores=10",
    ];
    let (mut child, mut stdout) = start(&sandbox, &args);
    let mut stdin = child.stdin.take().unwrap();
    for i in 0..80 {
        let risk = f64::from(i / 50);
        writeln!(
            stdin,
            "{{\"agent_id\": \"a\", \"action_type\": \"x\", \"risk_score\": {risk}, \"timestamp\": {i}}}"
        )
        .unwrap();
    }
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    // The lock, which keeps other runs away.
    assert_eq!(sandbox.files("folder"), ["state.lock"]);
    std::fs::remove_dir_all(sandbox.path("folder")).unwrap();
    drop(stdin);
    let alerts = read_all(stdout);
    assert!(alerts.contains("\"end_of_input\":true"), "{alerts}");
    let errors = read_all(child.stderr.take().unwrap());
    assert_eq!(child.wait().unwrap().code(), Some(1), "{errors}");
    let lines: Vec<&str> = errors.lines().collect();
    assert!(lines[0].starts_with("[INFO] 80 events"), "{errors}");
    assert!(lines[1].contains("cannot save the state"), "{errors}");
    assert!(sandbox.path("baseline").exists());
}

#[test]
#[cfg(target_os = "linux")]
fn a_state_for_which_there_is_no_room_is_noticed_before_anything_is_read() {
    let sandbox = Sandbox::new();
    let ended = sandbox.run_with_input(&["monitor", "--state=/proc/state"], b"nonsense\n");
    ended.assert_refused(1, "/proc/state: cannot be written");
    assert_eq!(ended.stdout, "");
}

#[test]
#[cfg(unix)]
fn what_was_read_before_reading_failed_is_in_the_state() {
    let sandbox = Sandbox::new();
    // Standard input that fails instead of waiting.
    let (mut here, there) = std::os::unix::net::UnixStream::pair().unwrap();
    there.set_nonblocking(true).unwrap();
    here.write_all(b"{\"agent_id\": \"a\", \"action_type\": \"x\", \"timestamp\": 5}\n")
        .unwrap();
    let mut command = sandbox.command(&["monitor", "-q", "--state=state"]);
    let output = command.stdin(std::os::fd::OwnedFd::from(there)).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let state = std::fs::read_to_string(sandbox.path("state")).unwrap();
    assert!(state.contains("\"events\":1,"), "{state}");
}

#[test]
#[cfg(target_os = "linux")]
fn signals_that_were_ignored_at_the_start_stay_ignored() {
    let sandbox = Sandbox::new();
    let program = env!("CARGO_BIN_EXE_anomaly-train");
    let script = format!("trap '' INT TERM HUP; exec {program} monitor --frequency-events=1");
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &script]).current_dir(sandbox.path("."));
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut alert = |agent: &str| {
        let event = format!("{{\"agent_id\": \"{agent}\", \"action_type\": \"x\", \"timestamp\": 5}}");
        writeln!(stdin, "{event}").unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert!(line.contains(&format!("\"agent_id\":\"{agent}\"")), "{line}");
    };
    alert("a");
    let kill = format!("for signal in INT TERM HUP; do kill -$signal {}; done", child.id());
    assert!(
        std::process::Command::new("sh")
            .args(["-c", &kill])
            .status()
            .unwrap()
            .success()
    );
    std::thread::sleep(std::time::Duration::from_millis(300));
    alert("b");
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn refused_and_late_lines_are_counted_over_restarts() {
    let sandbox = Sandbox::new();
    let event = |time| format!("{{\"agent_id\": \"a\", \"action_type\": \"x\", \"timestamp\": {time}}}\n");
    let args = ["monitor", "--state=state", "--reorder=0"];
    let first = format!("nonsense\n{}{}", event(5000), event(5));
    let ended = sandbox.run_with_input(&args, first.as_bytes());
    assert_eq!(ended.code, 3);
    let counted = |errors: &str, refused: u32| {
        assert!(errors.contains("1 late, 0 alerts"), "{errors}");
        assert!(errors.contains(&format!(" {refused} lines refused, ")), "{errors}");
    };
    counted(&ended.stderr, 1);
    let ended = sandbox.run_with_input(&args, format!("nonsense\n{}", event(5001)).as_bytes());
    counted(&ended.stderr, 2);
    assert!(ended.stderr.contains("1 line was refused"), "{}", ended.stderr);
    // Those of an earlier run are no reason to fail.
    let ended = sandbox.run_with_input(&args, event(5002).as_bytes());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    counted(&ended.stderr, 2);
}

#[test]
fn nothing_is_written_over_the_input_nor_two_things_to_one_file() {
    let sandbox = Sandbox::new();
    sandbox.write("events", "");
    for (args, message) in [
        (&["--state=events", "./events"][..], "--state events: is the input"),
        (
            &["--write-baseline=./events", "events"],
            "--write-baseline ./events: is the input",
        ),
        (
            &["--write-baseline=./new", "--state=new", "events"],
            "--write-baseline ./new: is the file of --state",
        ),
    ] {
        let args = [&["monitor"], args].concat();
        sandbox.run(&args).assert_refused(2, message);
        assert_eq!(sandbox.files("."), ["events"]);
        assert_eq!(std::fs::read(sandbox.path("events")).unwrap(), b"");
    }
}
