//! Faults of the environment and input that means harm. docs/reliability.md lists them by the same numbers.
#![cfg(target_os = "linux")]

use crate::common::{Ended, Sandbox, as_nobody, samples};
use flate2::{Compression, write::GzEncoder};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// What no run here needs, so that one that does too much work ends: seconds of processor time, however busy the machine is.
const CPU_LIMIT: &str = "ulimit -t 20; ";

/// A fault, as a shell script in which `$AT` is the program, and what comes of it.
struct Fault {
    number: &'static str,
    script: &'static str,
    code: i32,
    says: &'static str,
}

const fn fault(number: &'static str, script: &'static str, code: i32, says: &'static str) -> Fault {
    Fault {
        number,
        script,
        code,
        says,
    }
}

#[rustfmt::skip]
const FAULTS: &[Fault] = &[
    // The command line.
    fault("C3", "ulimit -v 200000; $AT --num-samples 18446744073709551615", 2, "from 1 to 10000000"),
    fault("C7", "$AT --num-samples 1", 3, "0"),
    fault("C9", "$AT --model-type anomaly/../../escape", 2, "[possible values: anomaly]"),
    fault("C10", "$AT --seed \"$(printf '\\377')\"", 2, "invalid"),
    fault("C11", "$AT -- --seed", 2, "unrecognized subcommand"),
    fault("C11", "$AT --models-dir ''", 2, "a value is required"),
    fault("C11", "$AT --epoch 3", 2, "--epochs"),
    fault("C11", "$AT verfy", 2, "verify"),
    fault("C12", "timeout 20 $AT --data /dev/zero", 3, "/dev/zero:1: "),
    fault("C12", "$AT --data /proc/self/mem", 1, "/proc/self/mem: cannot read"),
    fault("C12", "mkfifo pipe; timeout -s INT 0.5 $AT --data pipe", 124, ""),
    fault("C12", "$AT --data gone", 1, "gone: cannot open"),
    fault("C13", "cp $AT at; chmod 777 .; $AS_NOBODY sh -c 'ulimit -u 1; exec ./at --num-samples 3000'", 0, ""),
    fault("C13", "cp $AT at; chmod 777 .; ./at --num-samples 400 -q; yes '[\"read\"]' | head -9 > in; $AS_NOBODY sh -c 'ulimit -u 1; exec ./at predict in'", 0, ""),
    fault("C14", "$AT --help > /dev/full", 1, "cannot write output"),
    fault("C14", "$AT history --help | head -0", 0, ""),
    fault("C15", "cp \"$DATA\" d; $AT --data d --models-dir d", 2, "--models-dir d: is not a directory"),
    fault("C15", "$AT --num-samples 100 --models-dir \"$(printf 'x/%.0s' $(seq 3000))\"", 1, "File name too long"),
    fault("C15", "$AT --num-samples 100 --models-dir \"$(printf 'x%.0s' $(seq 256))\"", 1, "File name too long"),
    // Data.
    fault("D1", "$AT --data /dev/null", 3, "no samples"),
    fault("D6", "ulimit -v 400000; head -c 100000000 /dev/zero | tr '\\0' a | $AT --data -", 3, "-:1: line longer than 16 MiB"),
    fault("D7", "(printf '{\"x\": '; printf '%.0s[' $(seq 10000)) | $AT --data -", 3, "at most 127 levels"),
    fault("D16", "sed 's/read/Read/' \"$DATA\" | cat \"$DATA\" - | $AT --data -", 0, "differs from another one only in case"),
    fault("D18", "echo '{\"violation_count\": 1e12, \"label\": 0}' | (ulimit -v 200000; $AT --data -)", 3, "\"sequence\" is missing"),
    // The file system.
    fault("F4", "cp $AT at; mkdir m; chmod 755 .; chmod 555 m; $AS_NOBODY ./at --num-samples 100 --models-dir m", 1, "Permission denied"),
    fault("F4", "cp $AT at; touch m; chmod 000 m; chmod 755 .; $AS_NOBODY ./at predict --model m", 1, "m: cannot open"),
    fault("F8", "ulimit -f 8; $AT --num-samples 1000 --models-dir m", 1, "File too large"),
    fault("F9", "ln -s gone models; $AT --num-samples 100", 1, "models: cannot write to the models directory"),
    fault("F10", "mkdir -p models/current/anomaly_model_20261122_120000.json; $AT --num-samples 1000", 0, ""),
    fault("F10", "mkdir -p models/current; ln -s /etc/passwd models/current/anomaly_model_20261122_120000.json; $AT --num-samples 1000", 0, ""),
    // Signals.
    fault("K2", "mkfifo pipe; $AT --data pipe & sleep 0.3; kill -TERM $!; wait $!", 143, ""),
    fault("K2", "mkfifo pipe; $AT --data pipe & sleep 0.3; kill -HUP $!; wait $!", 129, ""),
    fault("K2", "mkfifo pipe; (trap '' HUP; $AT --data pipe) & sleep 0.3; pkill -HUP -f -- '--data pipe' -P $!; echo > pipe; wait $!", 3, "no samples"),
    // Resources.
    fault("R1", "truncate -s 4G big; ulimit -v 500000; $AT --data big", 1, "need at least 1123 MB of memory, and this process may have 512 MB"),
    fault("R3", "ulimit -n 16; env -i \"$AT\" --num-samples 1000", 0, ""),
    fault("R3", "cd /; env -i TMPDIR=/gone HOME=/gone \"$AT\" --num-samples 1000 --models-dir \"$OLDPWD/m\"", 0, ""),
    fault("R5", "yes nonsense | head -200000 | $AT --data -", 3, "200000 lines were refused"),
    fault("R6", "RUST_MIN_STACK=8192 $AT --num-samples 20000 --scenario mixed --threads 8", 0, ""),
];

#[test]
fn every_fault_ends_with_its_exit_code_and_leaves_whole_files_only() {
    let broken: Vec<String> = FAULTS.iter().filter_map(what_is_wrong).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Runs into a fault. Returns what came out other than it should.
fn what_is_wrong(fault: &Fault) -> Option<String> {
    let Fault {
        number,
        script,
        code,
        says,
    } = fault;
    let sandbox = Sandbox::new();
    let data = sandbox.write("data.jsonl", samples(1200));
    let mut command = Command::new("bash");
    command
        .args(["-c", &format!("{CPU_LIMIT}{script}")])
        .current_dir(sandbox.path(""))
        .env("AT", env!("CARGO_BIN_EXE_anomaly-train"))
        .env("AS_NOBODY", as_nobody())
        .env("DATA", data)
        .env("SOURCE_DATE_EPOCH", "1795348800")
        .stdin(Stdio::null());
    let ended = Ended::of(&mut command);
    let errors = ended.stderr.lines().filter(|line| line.contains("error: ")).count();
    // Many bad lines are named one by one before their number; a run that a signal ends says nothing.
    let as_it_should = ended.code == *code
        && ended.stderr.contains(says)
        && !ended.stderr.contains("internal error")
        && (*code == 0 || says.is_empty() || *number == "R5" || errors == 1);
    for folder in ["models", "m"] {
        assert_pairs(&sandbox, folder, number);
    }
    (!as_it_should).then(|| format!("{number}: {script}: {ended:?}"))
}

/// Every model below `folder` is whole and has its metrics, and nothing is left over.
fn assert_pairs(sandbox: &Sandbox, folder: &str, what: &str) {
    for file in sandbox.files(folder) {
        assert!(!file.contains(".anomaly-train-"), "{what}: {file}");
        let path = sandbox.path(folder).join(&file);
        if file.contains("anomaly_model") && !path.is_symlink() {
            let path = path.to_str().unwrap().to_owned();
            assert_eq!(sandbox.run(&["verify", "--quick", &path]).code, 0, "{what}: {file}");
            assert!(
                fs::exists(path.replace("anomaly_model", "anomaly_metrics")).unwrap(),
                "{what}: {file}"
            );
        }
    }
}

/// F11: what a killed run left and the next one cannot remove is named, with what to do, and stops no run that can do its work.
#[test]
fn f11_a_journal_that_cannot_be_removed_is_named_and_stops_no_run_that_can_do_its_work() {
    let sandbox = Sandbox::new();
    let models: Vec<String> = ["1", "2"]
        .iter()
        .map(|seed| sandbox.train(&["--num-samples", "500", "--seed", seed])["model_path"].to_string())
        .collect();
    let line = fs::read_to_string(sandbox.path("models/promotions.jsonl")).unwrap();
    let entry: Value = serde_json::from_str(line.lines().next().unwrap()).unwrap();
    // Of a model that never got its line: half of the pair is there.
    let lost = "current/anomaly_metrics_20261122_115959.json";
    let begun = entry.to_string().replace("120000", "115959");
    sandbox.write(&format!("models/{lost}"), entry["digest"].as_str().unwrap());
    sandbox.write("models/.anomaly-train-saving", format!("{begun}\n{{\"at\":"));
    let as_nobody = |script: &str| {
        let mut command = Command::new("bash");
        command
            .args(["-c", script])
            .current_dir(sandbox.path(""))
            .env("AT", env!("CARGO_BIN_EXE_anomaly-train"))
            .env("AS_NOBODY", as_nobody())
            .env("SOURCE_DATE_EPOCH", "1795348800");
        Ended::of(&mut command)
    };
    // In a folder that only lets files in it be written nothing can be removed, as under `chattr +a`.
    let script = "cp $AT at; chmod 755 .; chmod 666 models/*/* models/promotions.jsonl models/.anomaly-train-saving; \
                  chmod 555 models models/current";
    assert_eq!(as_nobody(script).code, 0);
    let told = |ended: &Ended, what: &str| {
        let warnings: Vec<&str> = ended.stderr.lines().filter(|line| line.contains("cannot be")).collect();
        assert!(
            warnings.len() == 1 && warnings[0].starts_with("[WARN] models/"),
            "{ended:?}"
        );
        assert!(
            warnings[0].contains(what) && warnings[0].contains("remove it by hand"),
            "{ended:?}"
        );
    };
    // The pair cannot be taken back, so the journal stays, and goes on naming it.
    for command in [
        "rollback",
        "rollback --to anomaly_model_20261122_120000_2.json",
        "promote anomaly_model_20261122_120000.json",
    ] {
        let ended = as_nobody(&format!("$AS_NOBODY ./at {command}"));
        assert_eq!(ended.code, 0, "{ended:?}");
        told(&ended, lost);
    }
    // Where the pair can be taken back, but the journal cannot go, models can be saved all the same.
    assert_eq!(as_nobody("chmod 777 models/current").code, 0);
    for _ in 0..2 {
        let ended = as_nobody("$AS_NOBODY ./at --num-samples 500 --no-champion");
        assert_eq!(ended.code, 0, "{ended:?}");
        told(&ended, ".anomaly-train-saving: cannot be removed: Permission denied");
    }
    assert!(!sandbox.path("models").join(lost).exists());
    assert_eq!(sandbox.files("models/current").len(), 2 * models.len() + 4);
    assert_eq!(as_nobody("chmod 777 models; $AS_NOBODY ./at rollback").code, 0);
    assert!(!sandbox.path("models/.anomaly-train-saving").exists());
    assert_eq!(sandbox.run(&["history", "--json"]).json_lines().len(), 8);
    assert_eq!(sandbox.files("models/current").len(), 2 * models.len() + 4);

    // What is no journal at all is in the way of saving alone.
    fs::create_dir(sandbox.path("models/.anomaly-train-saving")).unwrap();
    let ended = sandbox.run(&["rollback"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    told(&ended, ".anomaly-train-saving: cannot be read: is not a plain file");
    let ended = sandbox.run(&["--num-samples", "500"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let error = "models/.anomaly-train-saving: cannot note down what is to be saved: is not a plain file; remove it";
    assert!(ended.stderr.contains(error), "{ended:?}");
    assert_eq!(sandbox.files("models/current").len(), 2 * models.len() + 4);
}

/// C2: whatever the seed, a handful of samples never leads to promotion.
#[test]
fn c2_a_handful_of_samples_is_never_promoted() {
    let sandbox = Sandbox::new();
    for seed in 0..200 {
        let count = (2 + seed % 19).to_string();
        let seed = seed.to_string();
        let args = [
            "--num-samples",
            &count,
            "--seed",
            &seed,
            "--json",
            "-qq",
            "--no-champion",
        ];
        let ended = sandbox.run(&args);
        assert_eq!(ended.json_lines()[0]["promoted"], false, "{args:?}");
    }
    assert!(!sandbox.path("models/current").exists());
}

/// D5: what a compressed file unfolds to is bounded.
#[test]
fn d5_a_gigabyte_of_zeros_in_a_megabyte_stops_at_the_limit() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let zeros = vec![0; 1 << 20];
    for _ in 0..1030 {
        encoder.write_all(&zeros).unwrap();
    }
    let sandbox = Sandbox::new();
    sandbox.write("bomb.gz", encoder.finish().unwrap());
    let script = "ulimit -v 500000; exec \"$0\" --data bomb.gz";
    let mut command = Command::new("bash");
    command
        .args(["-c", script, env!("CARGO_BIN_EXE_anomaly-train")])
        .current_dir(sandbox.path(""));
    let ended = Ended::of(&mut command);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.stderr.contains("bomb.gz:1: line longer than 16 MiB"), "{ended:?}");
}

/// D20: a file that grows while it is read is read once; the digest in the model is that of what was read. A line that
/// was half written when the reader came to it is refused like any line that is cut, with its number.
#[test]
fn d20_a_file_that_grows_while_it_is_read_gives_a_model_of_whole_lines_or_names_the_cut_one() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("data", samples(3000));
    let child = sandbox
        .command(&["--data", "data", "--json", "-qq"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut file = fs::File::options().append(true).open(path).unwrap();
    for _ in 0..50 {
        file.write_all(samples(30).as_bytes()).unwrap();
        std::thread::sleep(Duration::from_micros(200));
    }
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(3) {
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.starts_with("anomaly-train: error: data:"), "{said}");
        assert!(!sandbox.path("models").exists());
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{said}");
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    let parts = &summary["samples"];
    let read = parts["train"].as_u64().unwrap() + parts["validation"].as_u64().unwrap();
    assert!(read >= 3000, "{read}");
    let model = summary["model_path"].as_str().unwrap();
    let count = read.to_string();
    let again = sandbox.train(&["--data", "data", "--num-samples", &count]);
    assert_eq!(again["data_digest"], summary["data_digest"], "{model}");
}

/// M1 to M9: a model file is data; what is not exactly a model is refused in a line that says why.
#[test]
fn m1_whatever_stands_in_a_model_file_nothing_of_it_is_run_and_one_line_says_why_not() {
    let sandbox = Sandbox::new();
    let model = sandbox.train(&["--num-samples", "400"])["model_path"]
        .as_str()
        .unwrap()
        .to_owned();
    let text = fs::read_to_string(sandbox.path(&model)).unwrap();
    let deep = "[".repeat(10_000);
    let long_key = format!("[\"{}\",", "k".repeat(200 << 20));
    let cases: Vec<(&str, String)> = vec![
        (
            "M1",
            r#"{"ngrams": {"__import__('os').system('touch canary')": 1}}"#.to_owned(),
        ),
        (
            "M2",
            r#"{"model_type": "anomaly", "ngram_counts": {"('a', 'b')": 3}}"#.to_owned(),
        ),
        ("M3", text.replacen("\"n\":3", "\"n\":17", 1)),
        ("M4", text.replacen("\"normal\":", "\"normal\":18446744073709551616", 1)),
        ("M5", text.replacen("\"bias\":", "\"bias\":null,\"b\":", 1)),
        (
            "M6",
            text.replacen("\"anomaly_threshold\":0.3", "\"anomaly_threshold\":null", 1),
        ),
        (
            "M7",
            text.replacen(
                "\"training_samples\":{\"normal\":",
                "\"training_samples\":{\"normal\":1",
                1,
            ),
        ),
        ("M8", text.replacen("\"format_version\":8", "\"format_version\":99", 1)),
        (
            "M8",
            text.replacen("\"model_type\":\"anomaly\"", "\"model_type\":\"drift\"", 1),
        ),
        ("M9", format!("[{}]", text.trim_end())),
        ("M9", format!("{text}{text}")),
        ("M9", format!("{text}PK\u{3}\u{4}")),
        ("M9", text.replacen("{\"digest\"", "{\"extra\":1,\"digest\"", 1)),
        ("M10", String::new()),
        ("M10", "{".to_owned()),
        ("M11", format!("{{\"digest\":{deep}")),
        ("M11", text.replacen("[\"access\",", &long_key, 1)),
        (
            "M14",
            text.replacen("\"anomaly_threshold\":0.3", "\"anomaly_threshold\":0.99", 1),
        ),
    ];
    for (number, content) in cases {
        assert_ne!(content, text, "{number}");
        sandbox.write("model.json", &content);
        for args in [
            &["predict", "--model", "model.json", "--sequence", "a"][..],
            &["verify", "model.json"],
        ] {
            let ended = sandbox.run_within(CPU_LIMIT, args);
            ended.assert_refused(3, "model.json: ");
            assert!(ended.stderr.len() < 600, "{number}: {ended:?}");
        }
    }
    assert!(!sandbox.path("canary").exists());
}

/// K2: each signal that ends a run has its exit code, whatever the run waits for.
#[test]
fn k2_signals_end_a_run_with_their_exit_codes() {
    let sandbox = Sandbox::new();
    assert!(
        Command::new("mkfifo")
            .arg(sandbox.path("pipe"))
            .status()
            .unwrap()
            .success()
    );
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129), ("QUIT", 131)] {
        let mut child = sandbox.command(&["--data", "pipe"]).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(300));
        let sent = Command::new("kill")
            .args([format!("-{signal}"), child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(code), "{signal}");
    }
}

/// M13: a model is a file, and what is none is said to be none, at once.
#[test]
fn m13_a_model_that_is_no_file_is_named_and_not_waited_for() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("folder")).unwrap();
    std::os::unix::fs::symlink("loop", sandbox.path("loop")).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(sandbox.path("pipe"))
            .status()
            .unwrap()
            .success()
    );
    for (path, code, message) in [
        ("folder", 3, "is not a file"),
        ("loop", 1, "cannot open"),
        ("pipe", 3, "is not a file"),
        ("/dev/zero", 3, "is not a file"),
        ("gone", 1, "cannot open"),
    ] {
        sandbox
            .run(&["predict", "--model", path, "--sequence", "a"])
            .assert_refused(code, message);
    }
}

/// P4: whoever reads while others save sees whole files only.
#[test]
fn p4_readers_see_whole_files_only_while_others_save() {
    let sandbox = Sandbox::new();
    sandbox.train(&["--num-samples", "1000"]);
    let mut writers: Vec<Child> = (0..20)
        .map(|seed| {
            let seed = seed.to_string();
            let args = ["--num-samples", "1000", "-qq", "--seed", &seed];
            sandbox.command(&args).spawn().unwrap()
        })
        .collect();
    let mut reads = 0;
    while writers.iter_mut().any(|child| child.try_wait().unwrap().is_none()) || reads < 5 {
        let ended = sandbox.run(&["predict", "--sequence", "read"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        reads += 1;
    }
}

/// P5: a models directory that vanishes while a model is being saved costs that model, and says so.
#[test]
fn p5_a_models_directory_that_vanishes_is_an_error_in_one_line() {
    let sandbox = Sandbox::new();
    for round in 0..40 {
        let mut child = sandbox
            .command(&["--num-samples", "400", "-qq"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        while child.try_wait().unwrap().is_none() {
            // It may be gone, or half gone; that is the point.
            let _ = fs::remove_dir_all(sandbox.path("models"));
            std::thread::sleep(Duration::from_micros(300 + 37 * round));
        }
        let output = child.wait_with_output().unwrap();
        let code = output.status.code().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(
            code == 0 && errors.is_empty() || code == 1 && errors.lines().count() == 1,
            "{code}: {errors}"
        );
    }
}

/// N1, N2: what JSON cannot hold does not come in, and what is not defined goes out as null with a reason.
#[test]
fn n2_figures_that_are_not_defined_are_null_with_a_reason_and_fail_the_gate() {
    let sandbox = Sandbox::new();
    let normal: String = samples(300)
        .lines()
        .filter(|line| line.ends_with("0}"))
        .map(|line| format!("{line}\n"))
        .collect();
    sandbox.write("normal", normal);
    let summary = sandbox.train(&["--data", "normal"]);
    for figure in ["recall", "roc_auc", "average_precision"] {
        assert_eq!(summary["metrics"][figure], Value::Null, "{figure}");
        assert!(summary["metrics"]["undefined"][figure].is_string(), "{figure}");
    }
    assert_eq!(summary["promoted"], false);
    assert!(!summary.to_string().contains("NaN"));
}

/// B1 to B3, B6: one file, whatever the surroundings.
#[test]
fn b1_the_model_file_does_not_depend_on_the_surroundings() {
    let sandbox = Sandbox::new();
    sandbox.write("data", samples(500));
    let here = sandbox.path("");
    let here = here.to_str().unwrap();
    let run = |number: usize, script: &str| {
        let mut command = Command::new("bash");
        command
            .args(["-c", &format!("{script} --seed 5 -qq --models-dir {here}/m{number}")])
            .current_dir(here)
            .env("AT", env!("CARGO_BIN_EXE_anomaly-train"))
            .env("AS_NOBODY", as_nobody())
            .env("SOURCE_DATE_EPOCH", "1795348800");
        let ended = Ended::of(&mut command);
        assert_eq!(ended.code, 0, "{script}: {ended:?}");
        let folder = format!("m{number}");
        let model = sandbox
            .files(&folder)
            .into_iter()
            .find(|file| file.contains("model"))
            .unwrap();
        fs::read(sandbox.path(&folder).join(model)).unwrap()
    };
    let surroundings = [
        "$AT --data data",
        "$AT --threads 1 --data data",
        "$AT --threads 7 --data ./data",
        "LC_ALL=tr_TR.UTF-8 TZ=Asia/Kathmandu $AT --data data",
        "LC_ALL=nonsense TZ=nonsense LANG=ar_EG $AT --data data",
        "umask 077; HOME=/gone $AT --data data",
        "cd /; $AT --data $OLDPWD/data",
        "GLIBC_TUNABLES=glibc.cpu.hwcaps=-FMA,-AVX2_Usable,-AVX2 $AT --data data",
        "env -i SOURCE_DATE_EPOCH=1795348800 $AT --data data",
        "cat data | $AT --data -",
        "gzip -c data > data.gz; $AT --data data.gz",
        "cp $AT at; chmod 777 .; $AS_NOBODY ./at --data data",
    ];
    let expected = run(0, surroundings[0]);
    for (number, script) in surroundings.iter().enumerate().skip(1) {
        assert_eq!(run(number, script), expected, "{script}");
    }
}
