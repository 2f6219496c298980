//! The script that trains in CI, in `examples/ci`.

use crate::common::{Ended, Sandbox};
use std::path::Path;
use std::process::Command;

/// Runs the script as a job would, with the command on the path.
fn train(sandbox: &Sandbox, args: &[&str]) -> Ended {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci/train.sh");
    let folder = Path::new(env!("CARGO_BIN_EXE_anomaly-train"))
        .parent()
        .unwrap()
        .to_owned();
    let path = std::env::join_paths(
        std::iter::once(folder).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
    );
    Ended::of(
        Command::new("sh")
            .arg(script)
            .args(args)
            .env("PATH", path.unwrap())
            .current_dir(sandbox.path("")),
    )
}

#[test]
fn the_script_for_ci_promotes_and_verifies_a_model_and_fails_with_a_worse_one() {
    let sandbox = Sandbox::new();
    let samples = sandbox
        .run(&[
            "generate",
            "--scenario",
            "mixed",
            "--num-samples",
            "2000",
            "--seed",
            "3",
        ])
        .stdout;
    sandbox.write("sessions.jsonl", samples);
    let good = train(&sandbox, &["sessions.jsonl", "--folds", "3"]);
    assert_eq!(good.code, 0, "{good:?}");
    assert!(good.stdout.contains("Verification result: PASS"), "{good:?}");
    let summary: serde_json::Value = serde_json::from_str(good.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(summary["promoted"], true);

    // The same data with every second label turned round.
    let flip = |(number, line): (usize, &str)| match number % 2 {
        0 => line.to_owned(),
        _ if line.contains("\"label\":0") => line.replace("\"label\":0", "\"label\":1"),
        _ => line.replace("\"label\":1", "\"label\":0"),
    };
    let content = std::fs::read_to_string(sandbox.path("sessions.jsonl")).unwrap();
    let worse: Vec<String> = content.lines().enumerate().map(flip).collect();
    sandbox.write("worse.jsonl", worse.join("\n"));
    let refused = train(&sandbox, &["worse.jsonl", "--folds", "3"]);
    assert_eq!(refused.code, 4, "{refused:?}");
    assert_eq!(sandbox.files("models/current").len(), 2, "the good model stays");
}
