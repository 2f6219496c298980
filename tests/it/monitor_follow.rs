//! Following a file over restarts.
#![cfg(unix)]

use crate::common::Sandbox;
use serde_json::Value;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Stdio};

/// A run that follows the file `log`, and one alert for each new agent.
struct Follower {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Follower {
    fn start(sandbox: &Sandbox) -> Self {
        let args = [
            "monitor",
            "--frequency-events=1",
            "--reorder=0",
            "--state=state",
            "--follow",
            "log",
        ];
        let mut command = sandbox.command(&args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout }
    }

    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    fn expect(&mut self, agents: &[&str]) {
        for agent in agents {
            assert_eq!(self.next()["agent_id"], *agent);
        }
    }

    /// Ends the run and returns what it wrote to standard error.
    fn stop(self) -> String {
        self.end("TERM", 143)
    }

    fn end(mut self, signal: &str, code: i32) -> String {
        let kill = format!("kill -{signal} {}", self.child.id());
        let killed = std::process::Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(killed.success());
        let mut errors = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(code), "{errors}");
        errors
    }
}

fn event(agent: &str) -> String {
    format!("{{\"agent_id\": \"{agent}\", \"action_type\": \"x\", \"timestamp\": 5}}\n")
}

fn append(sandbox: &Sandbox, text: &str) {
    let mut log = OpenOptions::new()
        .append(true)
        .create(true)
        .open(sandbox.path("log"))
        .unwrap();
    log.write_all(text.as_bytes()).unwrap();
}

#[test]
fn a_line_that_is_too_long_does_not_move_the_place_where_the_next_run_goes_on() {
    let sandbox = Sandbox::new();
    let long = "x".repeat((16 << 20) + (3 << 20));
    append(&sandbox, &format!("{}{long}\n{}", event("a"), event("b")));
    let mut run = Follower::start(&sandbox);
    run.expect(&["a"]);
    assert_eq!(run.next()["line"], 2);
    run.expect(&["b"]);
    run.stop();
    append(&sandbox, &event("c"));
    let mut run = Follower::start(&sandbox);
    run.expect(&["c"]);

    // A run that ends within such a line passes over the rest of it.
    append(&sandbox, &long);
    assert!(run.next()["error"].is_string());
    run.stop();
    append(&sandbox, &format!("{long}\n{}", event("d")));
    let mut run = Follower::start(&sandbox);
    run.expect(&["d"]);
    run.stop();
}

#[test]
fn a_file_that_was_cut_and_has_grown_since_is_read_from_its_start() {
    let sandbox = Sandbox::new();
    append(&sandbox, &event("a"));
    let mut run = Follower::start(&sandbox);
    run.expect(&["a"]);
    run.stop();
    // Nothing new, and nothing forgotten.
    let run = Follower::start(&sandbox);
    std::thread::sleep(std::time::Duration::from_millis(500));
    let errors = run.stop();
    assert!(!errors.contains("[WARN]"), "{errors}");
    // The same file in the eyes of the system, longer than before.
    let log = OpenOptions::new().write(true).truncate(true).open(sandbox.path("log"));
    let lines = format!("{}{}{}", event("bbbb"), event("c"), event("d"));
    log.unwrap().write_all(lines.as_bytes()).unwrap();
    let mut run = Follower::start(&sandbox);
    run.expect(&["bbbb", "c", "d"]);
    let errors = run.stop();
    let warning = "[WARN] log is not the file that was read before, or was cut since; it is read from its start";
    assert!(errors.contains(warning), "{errors}");
    append(&sandbox, &event("e"));
    let mut run = Follower::start(&sandbox);
    run.expect(&["e"]);
    let errors = run.stop();
    assert!(!errors.contains("[WARN]"), "{errors}");
}

#[test]
fn a_file_that_cannot_be_reached_for_a_while_is_followed_on_when_it_can() {
    let sandbox = Sandbox::new();
    append(&sandbox, &event("a"));
    let mut run = Follower::start(&sandbox);
    run.expect(&["a"]);
    // A link to itself, which nobody can open.
    let log = sandbox.path("log");
    std::fs::remove_file(&log).unwrap();
    std::os::unix::fs::symlink(&log, &log).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    std::fs::remove_file(&log).unwrap();
    append(&sandbox, &event("b"));
    run.expect(&["b"]);
    let errors = run.stop();
    assert_eq!(
        errors.matches("[WARN] log: cannot be followed now").count(),
        1,
        "{errors}"
    );
}
