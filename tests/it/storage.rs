//! The models directory: nothing is overwritten, nothing is half there.

use crate::common::{Ended, Sandbox};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;

const ARGS: [&str; 2] = ["--num-samples", "1000"];

/// The lines of the record of promotions.
fn record(sandbox: &Sandbox) -> Vec<Value> {
    let text = fs::read_to_string(sandbox.path("models/promotions.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

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
    assert_eq!(sandbox.files("models").len(), 7);
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
    assert_eq!(sandbox.files("models").len(), 5);
}

#[test]
fn a_hundred_trainers_in_the_same_second_leave_a_hundred_whole_pairs_and_lines() {
    let sandbox = Sandbox::new();
    let children: Vec<_> = (0..100)
        .map(|seed| {
            sandbox
                .command(&["--num-samples", "400", "-q", "--seed", &seed.to_string()])
                .spawn()
                .unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let files = sandbox.files("models");
    assert_eq!(files.len(), 201, "{files:?}");
    let mut digests = BTreeSet::new();
    for file in files.iter().filter(|file| file.contains("anomaly_model")) {
        let read = |name: &str| -> Value {
            serde_json::from_slice(&fs::read(sandbox.path("models").join(name)).unwrap()).unwrap()
        };
        let model = read(file);
        let metrics = read(&file.replace("anomaly_model", "anomaly_metrics"));
        assert_eq!(model["digest"], metrics["model_digest"]);
        digests.insert(model["digest"].to_string());
    }
    assert_eq!(digests.len(), 100);
    // Each run saw what the ones before it had left: the lines are one chain.
    assert_eq!(record(&sandbox).len(), 100);
    assert_eq!(sandbox.run(&["history"]).code, 0);
}

#[test]
fn a_models_directory_that_cannot_be_is_an_error_with_its_path() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "");
    let run = |dir: &str| sandbox.run(&[&ARGS[..], &["--models-dir", dir]].concat());
    let ended = run("file");
    ended.assert_refused(2, "--models-dir file: is not a directory");
    assert_eq!(ended.stdout, "", "refused before anything was trained");
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

/// What a run that was killed while saving leaves, `stage` steps after it began.
fn leave_half_saved(sandbox: &Sandbox, stage: usize) {
    let other = Sandbox::new();
    other.train(&ARGS);
    let line = fs::read_to_string(other.path("models/promotions.jsonl")).unwrap();
    let pair = ["metrics", "model"].map(|kind| format!("models/current/anomaly_{kind}_20261122_120000.json"));
    fs::create_dir_all(sandbox.path("models/current")).unwrap();
    sandbox.write("models/.anomaly-train-saving", &line[..line.len() * stage.min(2) / 2]);
    sandbox.write("models/current/.anomaly-train-AbCdEf.tmp", "half a mod");
    for file in pair.iter().take(stage.saturating_sub(2)) {
        fs::copy(other.path(file), sandbox.path(file)).unwrap();
    }
    if stage > 4 {
        sandbox.write("models/promotions.jsonl", &line[..line.len() / 2]);
    }
}

#[test]
fn the_next_run_takes_back_what_a_killed_one_left() {
    for stage in 0..=5 {
        let sandbox = Sandbox::new();
        leave_half_saved(&sandbox, stage);
        let ended = sandbox.run(&ARGS);
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(ended.stderr.contains("cut off had left"), "{ended:?}");
        assert_eq!(
            sandbox.files("models"),
            [
                "current/anomaly_metrics_20261122_120000.json",
                "current/anomaly_model_20261122_120000.json",
                "promotions.jsonl"
            ],
            "stage {stage}"
        );
        assert_eq!(record(&sandbox).len(), 1);
        assert_eq!(sandbox.run(&["verify"]).code, 0);
    }
}

#[test]
fn a_pair_that_has_its_line_in_the_record_is_never_taken_back() {
    let sandbox = Sandbox::new();
    sandbox.train(&ARGS);
    let line = fs::read_to_string(sandbox.path("models/promotions.jsonl")).unwrap();
    sandbox.write("models/.anomaly-train-saving", &line);
    // Nor is a file of somebody else who took the name of a pair that was never put there.
    let next = line.replace("120000.json", "120000_2.json");
    sandbox.train(&ARGS);
    sandbox.write("models/promotions.jsonl", &line);
    sandbox.write("models/.anomaly-train-saving", next);
    let mine = sandbox.write("models/current/anomaly_metrics_20261122_120000_2.json", "mine");
    sandbox.train(&ARGS);
    assert_eq!(fs::read_to_string(mine).unwrap(), "mine");
    assert!(
        sandbox
            .path("models/current/anomaly_model_20261122_120000.json")
            .exists()
    );
    assert!(!sandbox.path("models/.anomaly-train-saving").exists());
}

#[test]
fn temporary_files_of_a_run_that_is_alive_are_left_alone() {
    let sandbox = Sandbox::new();
    sandbox.train(&ARGS);
    let temporary = sandbox.write("models/current/.anomaly-train-AbCdEf.tmp", "");
    // Whoever is alive holds the lock; a second run waits for it.
    let lock = fs::File::open(sandbox.path("models")).unwrap();
    lock.lock().unwrap();
    let mut child = sandbox.command(&[&ARGS[..], &["-q"]].concat()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(child.try_wait().unwrap().is_none());
    assert!(temporary.exists());
    drop(lock);
    assert!(child.wait().unwrap().success());
    assert!(!temporary.exists());
}

#[cfg(unix)]
#[test]
fn folders_that_lead_out_of_the_models_directory_are_not_followed() {
    use std::os::unix::fs::symlink;
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("models")).unwrap();
    fs::create_dir(sandbox.path("outside")).unwrap();
    symlink("../outside", sandbox.path("models/current")).unwrap();
    sandbox
        .run(&ARGS)
        .assert_refused(1, "leads out of the models directory");
    assert!(sandbox.files("outside").is_empty());
    fs::remove_file(sandbox.path("models/current")).unwrap();
    symlink("nowhere", sandbox.path("models/current")).unwrap();
    sandbox
        .run(&ARGS)
        .assert_refused(1, "models/current: cannot save the model");
    // The models directory itself may be a link: whoever names it means where it leads.
    symlink("outside", sandbox.path("linked")).unwrap();
    let ended = sandbox.run(&[&ARGS[..], &["--models-dir", "linked"]].concat());
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(sandbox.files("outside").len(), 3);
}

#[cfg(unix)]
#[test]
fn no_link_leads_a_run_to_files_outside_of_the_models_directory() {
    use std::os::unix::fs::symlink;
    let sandbox = Sandbox::new();
    let run = || sandbox.run(&ARGS);
    fs::create_dir_all(sandbox.path("models")).unwrap();
    let outside = sandbox.write("outside", "precious, without line end");
    for name in ["promotions.jsonl", ".anomaly-train-saving"] {
        let link = sandbox.path("models").join(name);
        for target in ["../outside", "../nowhere"] {
            symlink(target, &link).unwrap();
            let ended = run();
            assert!([1, 3].contains(&ended.code), "{ended:?}");
            assert!(ended.stderr.contains("is not a plain file"), "{ended:?}");
            fs::remove_file(&link).unwrap();
        }
    }
    assert_eq!(fs::read_to_string(&outside).unwrap(), "precious, without line end");
    assert!(!sandbox.path("nowhere").exists());

    fs::create_dir(sandbox.path("elsewhere")).unwrap();
    let theirs = sandbox.write("elsewhere/.anomaly-train-AbCdEf.tmp", "of somebody who is alive");
    symlink("../elsewhere", sandbox.path("models/candidates")).unwrap();
    assert_eq!(run().code, 0);
    assert!(theirs.exists());
}

#[test]
fn files_beside_models_are_written_without_touching_what_is_being_saved_there() {
    let sandbox = Sandbox::new();
    sandbox.train(&ARGS);
    sandbox.write("data", crate::common::samples(50));
    let temporary = sandbox.write("models/current/.anomaly-train-AbCdEf.tmp", "of a run that is alive");
    let args = ["evaluate", "--data", "data", "--report", "models/current/page.html"];
    assert_eq!(sandbox.run(&args).code, 0);
    assert!(temporary.exists());
}

#[test]
fn a_record_without_its_last_line_end_loses_nothing() {
    let sandbox = Sandbox::new();
    sandbox.train(&ARGS);
    let first = fs::read_to_string(sandbox.path("models/promotions.jsonl")).unwrap();
    sandbox.write("models/promotions.jsonl", first.trim_end());
    assert_eq!(sandbox.run(&["predict", "--sequence", "read"]).code, 0);
    sandbox.train(&ARGS);
    let record = fs::read_to_string(sandbox.path("models/promotions.jsonl")).unwrap();
    assert!(record.starts_with(&first) && record.lines().count() == 2, "{record}");
}

#[test]
fn a_name_in_the_record_is_not_given_again() {
    let sandbox = Sandbox::new();
    let first = sandbox.train(&ARGS);
    for key in ["model_path", "metrics_path"] {
        fs::remove_file(sandbox.path(first[key].as_str().unwrap())).unwrap();
    }
    let second = sandbox.train(&[&ARGS[..], &["--no-champion"]].concat());
    assert_eq!(
        second["model_path"],
        "models/current/anomaly_model_20261122_120000_2.json"
    );
}
