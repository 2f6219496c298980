//! One model of each scenario, kept as it was made, byte for byte.
//!
//! If this fails after an update of a dependency, a draw or a sum has changed, and with it every model: keep the old version.
//! If the change is wanted, say so in the changelog and make the files anew as the message says.

use crate::common::Sandbox;
use std::fs;

#[test]
fn each_scenario_gives_the_model_that_it_has_always_given() {
    for (scenario, args) in [
        ("documented", &["--num-samples", "150"][..]),
        (
            "mixed",
            &["--num-samples", "120", "--ngram-size", "2", "--scenario", "mixed"],
        ),
        (
            "normal_only",
            &[
                "--num-samples",
                "120",
                "--scenario",
                "mixed",
                "--normal-only",
                "--drop-anomalous",
                "--anomaly-threshold",
                "false-alarms=0.05",
            ],
        ),
    ] {
        let sandbox = Sandbox::new();
        let summary = sandbox.train(&[args, &["--seed", "42", "--threads", "3"]].concat());
        let model = fs::read(sandbox.path(summary["model_path"].as_str().unwrap())).unwrap();
        let golden = format!("{}/tests/golden/{scenario}.json", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&golden, &model).unwrap();
        }
        assert!(
            fs::read(&golden).unwrap() == model,
            "training on {scenario} samples no longer gives {golden}; if that is wanted: UPDATE_GOLDEN=1 cargo test golden"
        );
    }
}
