//! The models directory: nothing is overwritten, nothing is half there.

mod common;

use common::{Ended, Sandbox};
use std::fs;

const ARGS: [&str; 2] = ["--num-samples", "500"];

#[test]
fn a_second_model_in_the_same_second_gets_a_number_and_overwrites_nothing() {
    let sandbox = Sandbox::new();
    let paths: Vec<String> = (0..3)
        .map(|_| sandbox.train(&ARGS)["model_path"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        paths,
        [
            "models/current/anomaly_model_20261122_120000.json",
            "models/current/anomaly_model_20261122_120000_2.json",
            "models/current/anomaly_model_20261122_120000_3.json"
        ]
    );
    assert_eq!(sandbox.files("models").len(), 6);
}

#[test]
fn a_taken_metrics_name_moves_the_model_too_so_that_pairs_stay_pairs() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path("models/current")).unwrap();
    let taken = sandbox.write("models/current/anomaly_metrics_20261122_120000.json", "mine");
    let other = sandbox.write("models/current/anomaly_model_20261122_120000_2.json", "mine");
    let summary = sandbox.train(&ARGS);
    assert_eq!(
        summary["model_path"],
        "models/current/anomaly_model_20261122_120000_3.json"
    );
    assert_eq!(
        summary["metrics_path"],
        "models/current/anomaly_metrics_20261122_120000_3.json"
    );
    assert_eq!(fs::read_to_string(taken).unwrap(), "mine");
    assert_eq!(fs::read_to_string(other).unwrap(), "mine");
    assert_eq!(sandbox.files("models").len(), 4);
}

#[test]
fn twenty_trainers_at_once_leave_twenty_whole_pairs() {
    let sandbox = Sandbox::new();
    let children: Vec<_> = (0..20)
        .map(|seed| {
            sandbox
                .command(&[&ARGS[..], &["-q", "--seed", &seed.to_string()]].concat())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let files = sandbox.files("models");
    assert_eq!(files.len(), 40, "{files:?}");
    let mut digests = std::collections::BTreeSet::new();
    for file in files.iter().filter(|file| file.contains("anomaly_model")) {
        let read = |name: &str| -> serde_json::Value {
            serde_json::from_slice(&fs::read(sandbox.path("models").join(name)).unwrap()).unwrap()
        };
        let model = read(file);
        let metrics = read(&file.replace("anomaly_model", "anomaly_metrics"));
        assert_eq!(model["digest"], metrics["model_digest"]);
        digests.insert(model["digest"].to_string());
    }
    assert_eq!(digests.len(), 20);
}

#[test]
fn a_models_directory_that_cannot_be_is_an_error_with_its_path() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "");
    let run = |dir: &str| sandbox.run(&[&ARGS[..], &["--models-dir", dir]].concat());
    let ended = run("file");
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(
        ended.stderr.contains("file/current: cannot save the model"),
        "{}",
        ended.stderr
    );
    assert_eq!(run(&"x".repeat(300)).code, 1);
    let long = run(&"x/".repeat(3000));
    assert_eq!(long.code, 1);
    assert!(long.stderr.len() < 400, "{}", long.stderr);
    assert_eq!(run("").code, 2);
}

#[cfg(unix)]
#[test]
fn files_are_as_readable_as_the_umask_allows() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    for (umask, mode) in [("022", 0o644), ("077", 0o600), ("000", 0o666)] {
        let script = format!("umask {umask}; exec \"$0\" --num-samples 500 -q --models-dir {umask}");
        let mut command = std::process::Command::new("sh");
        command
            .args(["-c", &script, env!("CARGO_BIN_EXE_anomaly-train")])
            .current_dir(sandbox.path(""));
        assert_eq!(Ended::of(&mut command).code, 0);
        for file in sandbox.files(umask) {
            let metadata = fs::metadata(sandbox.path(umask).join(file)).unwrap();
            assert_eq!(metadata.permissions().mode() & 0o777, mode, "umask {umask}");
        }
    }
}

#[test]
fn a_run_that_fails_leaves_the_models_directory_as_it_was() {
    let sandbox = Sandbox::new();
    sandbox.train(&ARGS);
    let before = sandbox.files("models");
    sandbox.write("bad", "nonsense\n");
    assert_eq!(sandbox.run(&["--data", "bad"]).code, 3);
    assert_eq!(sandbox.run(&["--data", "missing"]).code, 1);
    assert_eq!(sandbox.files("models"), before);
}
