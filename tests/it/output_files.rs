//! Every option that names a file to write: what cannot be there is wrong usage, what the system fails to do is its failure, and
//! both are found before the work where they can be.
#![cfg(target_os = "linux")]

use crate::common::{Ended, Sandbox, as_nobody, samples};
use std::process::Command;

/// Runs that write the file `AT`, and what they write if it can be written.
const RUNS: [&str; 4] = [
    "--data d --models-dir open/m --report AT",
    "evaluate --data d --report AT",
    "monitor e --write-baseline AT",
    "monitor e --state AT",
];

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("d", samples(300));
    sandbox.write(
        "e",
        "{\"agent_id\": \"a\", \"action_type\": \"read\", \"risk_score\": 0.5}\n",
    );
    sandbox.train(&["--num-samples", "400"]);
    let script =
        "cp $AT at; mkdir open readonly closed; chmod 755 .; chmod 777 open; chmod 555 readonly; chmod 700 closed";
    assert_eq!(run(&sandbox, script).code, 0);
    if as_nobody() == "env" {
        assert_eq!(run(&sandbox, "chmod 000 closed").code, 0);
    }
    sandbox
}

fn run(sandbox: &Sandbox, script: &str) -> Ended {
    let mut command = Command::new("bash");
    command
        .args(["-c", script])
        .current_dir(sandbox.path(""))
        .env("AT", env!("CARGO_BIN_EXE_anomaly-train"))
        .env("SOURCE_DATE_EPOCH", "1795348800");
    Ended::of(&mut command)
}

#[test]
fn a_file_that_cannot_be_written_is_found_before_the_work_and_says_whose_fault_it_is() {
    let sandbox = sandbox();
    let files = sandbox.files("");
    for (at, code, says) in [
        ("/dev/full", 2, "/dev/full: is not a file"),
        ("open", 2, "open: is not a file"),
        ("open/", 2, "open/: is not a file"),
        ("open/new/", 2, "open/new/: is not the name of a file"),
        ("gone/file", 2, "gone/file: its folder is not there"),
        ("d/file", 2, "d/file: its folder is none"),
        (
            "readonly/file",
            1,
            "readonly/file: cannot be written: Permission denied",
        ),
        ("closed/file", 1, "closed/file: cannot be written: Permission denied"),
        ("/proc/file", 1, "/proc/file: cannot be written: "),
    ] {
        for arguments in RUNS {
            let arguments = arguments.replace("AT", at);
            let ended = run(&sandbox, &format!("{} ./at {arguments}", as_nobody()));
            ended.assert_refused(code, says);
            assert_eq!(ended.stdout, "", "{arguments}");
        }
    }
    let ended = run(&sandbox, "$AT --data d --models-dir /dev/full");
    ended.assert_refused(2, "--models-dir /dev/full: is not a directory");
    assert_eq!(ended.stdout, "");
    assert_eq!(sandbox.files(""), files);
}

#[test]
fn a_file_that_cannot_be_written_in_the_end_is_a_failure_of_the_system_and_leaves_nothing() {
    let sandbox = sandbox();
    for arguments in RUNS {
        let arguments = arguments.replace("AT", "open/file");
        // Only training also writes other files, which are smaller than its page.
        let limit = if arguments.starts_with("--data") { 12 } else { 0 };
        let ended = run(&sandbox, &format!("ulimit -f {limit}; $AT {arguments}"));
        assert_eq!(ended.code, 1, "{arguments}: {ended:?}");
        let errors: Vec<&str> = ended.stderr.lines().filter(|line| line.contains("error: ")).collect();
        assert_eq!(errors.len(), 1, "{arguments}: {ended:?}");
        assert!(
            errors[0].contains("open/file: cannot ") && errors[0].contains("File too large"),
            "{arguments}: {ended:?}"
        );
        let left: Vec<String> = sandbox.files("open");
        assert!(left.iter().all(|file| file.starts_with("m/")), "{left:?}");
    }
    // The model was saved all the same.
    let ended = sandbox.run(&["history", "--models-dir", "open/m", "--json"]);
    assert_eq!(ended.json_lines().len(), 1);
}
