//! Values that the command line refuses, and how the program ends.

use crate::common::{Ended, Sandbox, samples};
use std::ffi::OsStr;

#[test]
fn values_out_of_range_are_refused_before_anything_is_done() {
    let huge = "9".repeat(100);
    let cases: &[(&[&str], &str)] = &[
        (&["--num-samples", "0"], "from 1 to"),
        (&["--num-samples", "18446744073709551615"], "from 1 to 10000000"),
        (&["--num-samples", "-1"], "from 1 to"),
        (&["--num-samples", "1e3"], "from 1 to"),
        (&["--num-samples", "１０"], "from 1 to"),
        (&["--num-samples", &huge], "from 1 to"),
        (&["--ngram-size", "0"], "1 to 8"),
        (&["--ngram-size", "9"], "1 to 8"),
        (&["--ngram-size", "-1"], "1 to 8"),
        (&["--anomaly-threshold", "NaN"], "must lie between 0 and 1"),
        (&["--anomaly-threshold", "inf"], "must lie between 0 and 1"),
        (&["--anomaly-threshold", "-1"], "must lie between 0 and 1"),
        (&["--anomaly-threshold", "0"], "must lie between 0 and 1"),
        (&["--anomaly-threshold", "1.01"], "must lie between 0 and 1"),
        (&["--anomaly-threshold", "1e999"], "must lie between 0 and 1"),
        (&["--promotion-max-ece", "NaN"], "must lie between 0 and 1"),
        (&["--promotion-max-ece", "-1"], "must lie between 0 and 1"),
        (&["--promotion-min-accuracy", "2"], "must lie between 0 and 1"),
        (&["--train-ratio", "0"], "must lie between 0 and 1"),
        (&["--train-ratio", "1"], "must lie between 0 and 1"),
        (&["--train-ratio", "NaN"], "must lie between 0 and 1"),
        (&["--seed", "-1"], "from 0 to 18446744073709551615"),
        (&["--seed", "18446744073709551616"], "from 0 to"),
        (&["--seed", "0x2a"], "from 0 to"),
        (&["--seed", ""], "from 0 to"),
        (&["--epochs", "0"], "from 1 to"),
        (&["--batch-size", "0"], "from 1 to"),
        (&["--l2", "0"], "must lie between 1e-6"),
        (&["--l2", "NaN"], "must lie between 1e-6"),
        (&["--learning-rate", "1.5"], "at most 1"),
        (&["--max-ngrams", "0"], "from 1 to"),
        (&["--ece-bins", "0"], "from 1 to"),
        (&["--threads", "0"], "from 1 to 1024"),
        (&["--threads", "100000"], "from 1 to 1024"),
        (&["--model-type", "../../x"], "anomaly"),
        (&["--model-type", "heuristic"], "anomaly"),
        (&["--scenario", "hard"], "mixed"),
        (&["--split-strategy", "half"], "temporal"),
        (&["--seed", "1", "--seed", "2"], "--seed"),
        (&["-v", "-q"], "cannot be used with"),
        (&["--data", "x", "--scenario", "mixed"], "cannot be used with"),
        (&["--validation-data", "x"], "--data"),
        (
            &["--data", "x", "--validation-data", "y", "--train-ratio", "0.5"],
            "cannot be used with",
        ),
        (&["--data", "x", "--calibrate", "group"], "--group-by"),
        (&["--calibrate", "platt"], "sequence"),
        (&["--l2", "0"], "between 1e-6 and 1e9"),
        (
            &["--data", "x", "--split-strategy", "grouped", "--group-by", "label"],
            "field of its own",
        ),
        (&["extra"], "extra"),
        (&["evaluate"], "--data"),
        (&["predict", "--sequence", "a", "input"], "cannot be used with"),
        (&["predict", "--anomaly-threshold", "NaN"], "must lie between 0 and 1"),
        (&["predict", "--top", "0"], "from 1 to"),
        (
            &["--seed", "1", "generate"],
            "--seed stands before the subcommand generate",
        ),
        (&["predict", "--sequence", "a", "--strict"], "cannot be used with"),
        (&["generate", "--num-samples", "-5"], "from 1 to"),
    ];
    let sandbox = Sandbox::new();
    for (args, message) in cases {
        let ended = sandbox.run(args);
        assert_eq!(ended.code, 2, "{args:?}: {ended:?}");
        ended.assert_refused(2, message);
    }
    assert!(sandbox.files(".").is_empty());
}

#[test]
fn the_documented_spelling_of_the_original_is_accepted() {
    let sandbox = Sandbox::new();
    let args = [
        "--model-type",
        "anomaly",
        "--num-samples",
        "500",
        "--epochs",
        "3",
        "--batch-size",
        "64",
        "--seed",
        "7",
    ];
    assert_eq!(sandbox.run(&args).code, 0);
}

#[test]
fn a_clock_that_cannot_be_is_refused() {
    let sandbox = Sandbox::new();
    for value in ["", "-1", "now", "9223372036854775808", "1.5"] {
        let mut command = sandbox.command(&["--num-samples", "100"]);
        Ended::of(command.env("SOURCE_DATE_EPOCH", value)).assert_refused(2, "SOURCE_DATE_EPOCH");
    }
}

#[test]
fn help_and_version_go_to_standard_output() {
    let sandbox = Sandbox::new();
    for args in [
        &["--help"][..],
        &["-h"],
        &["--version"],
        &["predict", "--help"],
        &["generate", "-h"],
    ] {
        let ended = sandbox.run(args);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{args:?}");
        assert!(!ended.stdout.is_empty());
    }
    assert!(sandbox.run(&["--version"]).stdout.starts_with("anomaly-train 0."));
}

#[test]
fn output_that_cannot_be_written_is_an_error_and_never_a_panic() {
    let sandbox = Sandbox::new();
    for args in [
        &["--help"][..],
        &["--version"],
        &["generate", "--num-samples", "3"],
        &["history"],
    ] {
        sandbox
            .run_into_full_device(args)
            .assert_refused(1, "cannot write output");
    }
}

#[test]
fn what_was_done_is_said_on_standard_error_if_standard_output_cannot_be_written() {
    let sandbox = Sandbox::new();
    let samples = ["--num-samples", "500", "-qq"];
    let model = |name: &str| format!("current/anomaly_model_20261122_120000{name}.json");
    let saved = |name: &str| format!("models/{} was saved and promoted", model(name));
    for (args, done) in [
        (&samples[..2], saved("")),
        (&["--num-samples", "500", "-qq", "--json"], saved("_2")),
        (
            &[
                "--num-samples",
                "500",
                "-qq",
                "--json",
                "--promotion-max-ece=0",
                "--require-promotion",
            ],
            "models/candidates/anomaly_model_20261122_120000.json was saved and not promoted".to_owned(),
        ),
        (
            &["--num-samples", "500", "--promotion-max-ece=0", "--require-promotion"],
            "models/candidates/anomaly_model_20261122_120000_2.json was saved and not promoted".to_owned(),
        ),
        (&["rollback"], format!("rolled back to {}", model(""))),
        (&["promote", &model("_2")], format!("promoted {}", model("_2"))),
        (
            &["rollback", "--json", "--to", &model("")],
            format!("rolled back to {}", model("")),
        ),
        (
            &["promote", &model("")],
            format!("{} is current already; nothing was changed", model("")),
        ),
    ] {
        let ended = sandbox.run_into_full_device(args);
        assert_eq!(ended.code, 1, "{ended:?}");
        let errors: Vec<&str> = ended
            .stderr
            .lines()
            .filter(|line| !line.starts_with("[WARN]"))
            .collect();
        let end = "but this could not be written to standard output: No space left on device (os error 28)";
        assert_eq!(errors, [format!("anomaly-train: error: {done}, {end}")], "{args:?}");
    }
    // What was said to be done was done.
    let acts: Vec<String> = sandbox
        .run(&["history", "--json"])
        .json_lines()
        .iter()
        .map(|entry| entry["act"].as_str().unwrap().to_owned())
        .collect();
    let expected = "promoted promoted refused refused rolled_back promoted_by_hand rolled_back";
    assert_eq!(acts.join(" "), expected);
    // A reader that goes away is no failure, and changes no verdict.
    for json in [&[][..], &["--json"]] {
        let refused = [&samples[..], &["--promotion-max-ece=0", "--require-promotion"], json].concat();
        assert_eq!(sandbox.run_without_reader(&refused).code, 4);
    }
    assert_eq!(sandbox.run_without_reader(&["promote", &model("_2")]).code, 0);
}

/// One run of each command, on the data `d` and the models in `models`.
#[cfg(target_os = "linux")]
const EACH_COMMAND: [&[&str]; 10] = [
    &["--data", "d", "--models-dir", "m"],
    &["generate", "--num-samples", "3"],
    &["predict", "d"],
    &["monitor", "e"],
    &["evaluate", "--data", "d"],
    &["inspect"],
    &["verify", "--data", "d"],
    &["history"],
    &["rollback"],
    &["promote", "anomaly_model_20261122_120000.json"],
];

/// A folder in which all of [`EACH_COMMAND`] work.
#[cfg(target_os = "linux")]
fn for_each_command() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("d", samples(300));
    sandbox.write("e", "{\"agent_id\": \"a\", \"action_type\": \"read\"}\n");
    for seed in ["1", "2"] {
        sandbox.train(&["--data", "d", "--seed", seed]);
    }
    sandbox
}

#[cfg(target_os = "linux")]
#[test]
fn a_closed_standard_output_is_an_error_before_anything_is_done() {
    let sandbox = for_each_command();
    let files = sandbox.files(".");
    let record = std::fs::read(sandbox.path("models/promotions.jsonl")).unwrap();
    for args in EACH_COMMAND.iter().chain(&[&["--help"][..], &["nonsense"]]) {
        let ended = sandbox.run_within("exec >&-; ", args);
        ended.assert_refused(1, "standard output is closed, so nothing was done");
    }
    assert_eq!(sandbox.files("."), files);
    assert_eq!(std::fs::read(sandbox.path("models/promotions.jsonl")).unwrap(), record);
    // What is meant to lead nowhere may, however it was opened.
    for nowhere in ["exec >/dev/null; ", "exec 1<>/dev/null; "] {
        assert_eq!(sandbox.run_within(nowhere, &["history"]).code, 0, "{nowhere}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_limit_on_the_stack_changes_nothing() {
    // With less the system starts no program at all. The environment counts too.
    let little = r#"exec env -i SOURCE_DATE_EPOCH=1795348800 bash -c 'ulimit -s 16; exec "$0" "$@"' "$0" "$@"; "#;
    for args in EACH_COMMAND {
        let (usual, small) = (for_each_command(), for_each_command());
        let (usual, small) = (usual.run(args), small.run_within(little, args));
        assert_eq!(usual.code, 0, "{args:?}: {usual:?}");
        assert_eq!(
            (small.code, small.stdout),
            (0, usual.stdout),
            "{args:?}: {}",
            small.stderr
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_closed_standard_input_is_not_taken_for_one_without_data() {
    let sandbox = for_each_command();
    for args in [
        &["--data", "-"][..],
        &["predict"],
        &["monitor"],
        &["evaluate", "--data", "-"],
    ] {
        let ended = sandbox.run_within("exec <&-; ", &[args, &["-q"]].concat());
        ended.assert_refused(1, "-: cannot read: standard input is closed");
    }
    // Whoever does not read it does not need it.
    assert_eq!(sandbox.run_within("exec <&-; ", &["predict", "d"]).code, 0);
}

#[test]
fn a_reader_that_goes_away_ends_the_program_quietly() {
    let sandbox = Sandbox::new();
    for args in [&["--help"][..], &["generate", "--num-samples", "200000"]] {
        let unread = sandbox.run_without_reader(args);
        assert_eq!((unread.code, unread.stderr.as_str()), (0, ""), "{args:?}");
    }
}

#[test]
fn whoever_reads_the_report_decides_neither_what_is_saved_nor_the_verdict() {
    let sandbox = Sandbox::new();
    let unread = sandbox.run_without_reader(&["--num-samples", "2000"]);
    assert_eq!(
        (unread.code, sandbox.files("models/current").len()),
        (0, 2),
        "{unread:?}"
    );
    let full = sandbox.run_into_full_device(&["--num-samples", "2000"]);
    assert_eq!((full.code, sandbox.files("models/current").len()), (1, 4), "{full:?}");
    let refused = [
        "--num-samples",
        "2000",
        "--promotion-max-ece",
        "0",
        "--require-promotion",
    ];
    assert_eq!(sandbox.run_without_reader(&refused).code, 4);
    assert_eq!(sandbox.files("models/candidates").len(), 2);
}

#[cfg(unix)]
#[test]
fn paths_that_are_not_utf8_work_and_other_values_are_refused() {
    use std::os::unix::ffi::OsStrExt;
    let sandbox = Sandbox::new();
    let strange = OsStr::from_bytes(b"d\xffta");
    std::fs::write(sandbox.path("").join(strange), samples(60)).unwrap();
    let mut command = sandbox.command(&["--data"]);
    assert_eq!(Ended::of(command.arg(strange)).code, 0);
    let mut command = sandbox.command(&["--seed"]);
    assert_eq!(Ended::of(command.arg(strange)).code, 2);
}

#[test]
fn verbosity_changes_what_is_said_and_rust_log_overrides_it() {
    let sandbox = Sandbox::new();
    let args = ["--num-samples", "2000"];
    assert_eq!(sandbox.run(&args).stderr, "");
    let verbose = sandbox.run(&[&args[..], &["-v"]].concat());
    assert!(verbose.stderr.contains("[DEBUG] epoch 1:"), "{}", verbose.stderr);
    let mut command = sandbox.command(&args);
    assert!(Ended::of(command.env("RUST_LOG", "debug")).stderr.contains("[DEBUG]"));
    assert_eq!(sandbox.run(&[&args[..], &["-q"]].concat()).stdout, "");
}

#[test]
fn a_pipe_shows_no_progress_bar() {
    let sandbox = Sandbox::new();
    sandbox.write("data", samples(2000));
    let ended = sandbox.run(&["--data", "data"]);
    assert!(!ended.stderr.contains(['\r', '\u{1b}']), "{:?}", ended.stderr);
}

#[test]
fn short_help_fits_a_screen_of_40_lines_and_long_help_has_examples_that_parse() {
    let sandbox = Sandbox::new();
    let commands = [
        "", "train", "generate", "check", "sessions", "predict", "monitor", "evaluate", "inspect", "verify", "history",
        "rollback", "promote",
    ];
    for command in commands {
        let of = |help: &'static str| {
            let args: Vec<&str> = [command, help].into_iter().filter(|arg| !arg.is_empty()).collect();
            sandbox.run(&args).stdout
        };
        let (short, long) = (of("-h"), of("--help"));
        assert!(short.lines().count() <= 40, "{command}: {short}");
        assert!(long.contains("\nExamples:\n  anomaly-train"), "{command}: {long}");
        assert!(!short.contains('\u{1b}') && !long.contains('\u{1b}'));
        if !["inspect", "generate", "sessions", "monitor"].contains(&command) {
            assert!(short.contains("--json"), "{command}: {short}");
        }
    }
    let long = sandbox.run(&["--help"]).stdout;
    for heading in [
        "\nData:\n",
        "\nTraining and judging:\n",
        "\nPromotion:\n",
        "\nOutput:\n",
        "\nLogs:\n",
    ] {
        assert!(long.contains(heading), "{heading}");
    }
}

#[test]
fn train_is_a_name_for_no_command() {
    let (with, without) = (Sandbox::new(), Sandbox::new());
    let (mut named, mut bare) = (
        with.run(&["train", "--num-samples", "500", "--json"]).json_lines(),
        without.run(&["--num-samples", "500", "--json"]).json_lines(),
    );
    let (named, bare) = (named.remove(0), bare.remove(0));
    assert_eq!(named["digest"], bare["digest"]);
}

#[test]
fn whoever_names_data_without_an_option_or_mistypes_one_gets_a_tip_on_its_own_line() {
    let sandbox = Sandbox::new();
    sandbox.write("samples.jsonl", samples(9));
    for (args, problem, tips) in [
        (
            &["samples.jsonl"][..],
            "unrecognized subcommand 'samples.jsonl'",
            &[
                "  tip: to train on it: anomaly-train --data samples.jsonl",
                "  tip: to score it with the current model: anomaly-train predict samples.jsonl",
            ][..],
        ),
        (
            &["--num-sample", "5"],
            "unexpected argument '--num-sample' found",
            &["  tip: a similar argument exists: '--num-samples'"],
        ),
        (
            &["evalute"],
            "unrecognized subcommand 'evalute'",
            &["  tip: a similar subcommand exists: 'evaluate'"],
        ),
    ] {
        let ended = sandbox.run(args);
        let mut lines = ended.stderr.lines();
        assert_eq!(ended.code, 2);
        let first = lines.next().unwrap();
        assert!(
            first.starts_with("anomaly-train: error: ") && first.contains(problem),
            "{first}"
        );
        assert_eq!(lines.collect::<Vec<_>>(), tips);
    }
}

#[test]
fn colours_come_where_they_are_wanted_and_nowhere_else() {
    let sandbox = Sandbox::new();
    let run =
        |args: &[&str], variables: &[(&str, &str)]| Ended::of(sandbox.command(args).envs(variables.iter().copied()));
    let forced = &[("CLICOLOR_FORCE", "1")][..];
    for (args, of_stdout) in [
        (&["--num-samples", "500"][..], true),
        (&["--help"], true),
        (&["--nothing"], false),
    ] {
        let coloured = run(args, forced);
        let text = if of_stdout { &coloured.stdout } else { &coloured.stderr };
        assert!(text.contains("\u{1b}["), "{args:?}: {text}");
        for variables in [&[][..], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]] {
            let plain = run(args, variables);
            assert!(
                !plain.stdout.contains('\u{1b}') && !plain.stderr.contains('\u{1b}'),
                "{args:?} {variables:?}"
            );
        }
    }
    assert!(
        !run(&["--num-samples", "500", "--json"], forced)
            .stdout
            .contains('\u{1b}')
    );
}

#[test]
fn the_environment_names_the_models_directory_and_the_threads() {
    let sandbox = Sandbox::new();
    let run = |args: &[&str], name: &str, value: &str| Ended::of(sandbox.command(args).env(name, value));
    let trained = run(&["--num-samples", "1000"], "ANOMALY_TRAIN_MODELS_DIR", "elsewhere");
    assert_eq!((trained.code, sandbox.files("elsewhere/current").len()), (0, 2));
    let model = format!("elsewhere/current/{}", sandbox.files("elsewhere/current")[1]);
    let model = model.replace("metrics", "model");
    // What is given comes before what the environment says.
    let named = run(
        &["predict", "--model", &model, "--sequence", "a"],
        "ANOMALY_TRAIN_MODELS_DIR",
        "nowhere",
    );
    assert_eq!(named.code, 0, "{named:?}");
    let missing = run(&["inspect"], "ANOMALY_TRAIN_MODELS_DIR", "nowhere");
    assert_eq!(missing.code, 3, "{missing:?}");
    sandbox
        .run(&[
            "predict",
            "--model",
            &model,
            "--models-dir",
            "elsewhere",
            "--sequence",
            "a",
        ])
        .assert_refused(2, "give one of the two");
    let refused = run(&["--num-samples", "1000"], "ANOMALY_TRAIN_THREADS", "many");
    assert_eq!(refused.code, 2, "{refused:?}");
}
