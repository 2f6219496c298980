//! Logs of every format, from the raw file to sessions, models and alerts.

use crate::common::{Ended, Sandbox};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

/// Logs in `examples`, made by `tests/reference/logs.py`, which also made the sessions of them, independently; and the mapping that
/// each needs, if it does.
const EXAMPLES: [(&str, &[&str]); 10] = [
    ("otlp.jsonl", &[]),
    ("spans.jsonl", &[]),
    ("openai.jsonl", &[]),
    ("anthropic.json", &[]),
    ("transcript.jsonl", &[]),
    ("cloudtrail.json", &[]),
    ("audit.log", &[]),
    ("events.csv", &[]),
    ("ocsf.jsonl", &["--mapping", "ocsf.toml"]),
    ("windows.jsonl", &["--mapping", "windows.toml"]),
];

/// Learns from a log that nobody has labelled.
const NORMAL_ONLY: [&str; 5] = [
    "--data",
    "log",
    "--normal-only",
    "--anomaly-threshold",
    "false-alarms=0.05",
];

fn unpacked(folder: &str, name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(folder)
        .join(format!("{name}.gz"));
    let mut content = Vec::new();
    GzDecoder::new(std::fs::File::open(path).unwrap())
        .read_to_end(&mut content)
        .unwrap();
    content
}

/// An example in a file of its own, with the mapping files beside it.
fn log(sandbox: &Sandbox, name: &str) -> Vec<u8> {
    for mapping in ["ocsf.toml", "windows.toml"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(mapping);
        std::fs::copy(path, sandbox.path(mapping)).unwrap();
    }
    let log = unpacked("examples", name);
    sandbox.write("log", &log);
    log
}

/// What the independent conversion knows of a session.
fn shortened(ended: &Ended) -> Vec<Value> {
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let mut sessions = ended.json_lines();
    for session in &mut sessions {
        let members = session.as_object_mut().unwrap();
        members.retain(|name, _| ["session", "sequence", "label"].contains(&name.as_str()));
    }
    sessions
}

#[test]
fn every_format_gives_the_sessions_of_an_independent_conversion() {
    let sandbox = Sandbox::new();
    for (name, mapping) in EXAMPLES {
        log(&sandbox, name);
        let expected = String::from_utf8(unpacked("tests/reference/sessions", name)).unwrap();
        let expected: Vec<Value> = expected
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert!(expected.len() >= 200);
        let found = shortened(&sandbox.run(&[&["sessions", "log"], mapping].concat()));
        assert!(found == expected, "{name}");
    }
}

#[test]
fn every_format_becomes_a_model_and_alerts_without_another_word() {
    for (name, mapping) in EXAMPLES {
        let sandbox = Sandbox::new();
        log(&sandbox, name);
        let labelled = name == "events.csv";
        let options: &[&str] = if labelled {
            &["--data", "log"]
        } else {
            &[
                "--data",
                "log",
                "--normal-only",
                "--anomaly-threshold",
                "false-alarms=0.05",
            ]
        };
        let summary = sandbox.train(&[options, mapping].concat());
        let model = summary["model_path"].as_str().unwrap();
        let verified = sandbox.run(&["verify", model, "--data", "log"]);
        assert_eq!(verified.code, 0, "{name}: {}", verified.stdout);

        let answers = sandbox.run(&["predict", "--model", model, "log"]);
        assert_eq!(answers.code, 0, "{name}: {}", answers.stderr);
        let answers = answers.json_lines();
        let sessions = sandbox.run(&[&["sessions", "log"], mapping].concat()).json_lines();
        assert_eq!(answers.len(), sessions.len(), "{name}");
        for (answer, session) in answers.iter().zip(&sessions) {
            assert_eq!(answer["id"], session["id"]);
            for member in ["session", "agent_id", "first", "last", "file", "line"] {
                assert_eq!(answer["origin"][member], session[member], "{name}: {member}");
            }
        }
        let found: Vec<&Value> = answers.iter().filter(|answer| answer["label"] == 1).collect();
        assert!(
            !found.is_empty() && found.len() < answers.len() / 2,
            "{name}: {}",
            found.len()
        );
        let has_ids = !["events.csv", "ocsf.jsonl", "windows.jsonl"].contains(&name);
        let names_events = |answer: &&Value| !answer["origin"]["event_ids"].as_array().unwrap().is_empty();
        assert_eq!(found.iter().all(names_events), has_ids, "{name}");

        let watched = sandbox.run(&["monitor", "-q", "--model", model, "log"]);
        assert_eq!(watched.code, 0, "{name}: {}", watched.stderr);
        let alerts = watched.json_lines();
        let alert = alerts.iter().find(|alert| alert["anomaly_type"] == "model").unwrap();
        assert!(alert["line"].as_u64().unwrap() > 0, "{name}: {alert}");
        assert!(!alert["sequence"].as_array().unwrap().is_empty(), "{name}: {alert}");
        assert_eq!(alert["event_id"].is_string(), has_ids, "{name}: {alert}");
        assert_eq!(alert["event_ids"].is_array(), has_ids, "{name}: {alert}");
        assert_eq!(alert["file"], "log", "{name}");
        let evaluated = sandbox.run(&["evaluate", "--model", model, "--data", "log", "--json"]);
        assert_eq!(evaluated.code, 0, "{name}: {}", evaluated.stderr);
        let checked = sandbox.run(&[&["check", "log", "--normal-only", "--json"], mapping].concat());
        assert_eq!(checked.code, 0, "{name}: {}", checked.stderr);
    }
}

/// The alerts that a monitor writes that follows `grown` until there are so many of them.
#[cfg(unix)]
fn followed(sandbox: &Sandbox, model: &str, count: usize) -> Vec<Value> {
    let args = [
        "monitor",
        "-q",
        "--reorder=0",
        "--follow",
        "--state",
        "state",
        "--model",
        model,
        "grown",
    ];
    let mut child = sandbox
        .command(&args)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut alerts: Vec<Value> = Vec::new();
    while alerts.len() < count {
        alerts.push(serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap());
    }
    // The state says how far the file was read, so it has to be waited for; what comes late would come as an alert too many.
    std::thread::sleep(std::time::Duration::from_millis(300));
    let kill = format!("kill -TERM {}", child.id());
    assert!(
        std::process::Command::new("sh")
            .args(["-c", &kill])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(child.wait().unwrap().code(), Some(143));
    alerts.extend(lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap()));
    alerts
}

#[test]
#[cfg(unix)]
fn a_log_that_grows_and_is_followed_over_a_restart_gives_the_alerts_of_one_that_is_read_at_once() {
    for name in ["otlp.jsonl", "openai.jsonl", "transcript.jsonl", "audit.log"] {
        let sandbox = Sandbox::new();
        let text = String::from_utf8(log(&sandbox, name)).unwrap();
        let summary = sandbox.train(&NORMAL_ONLY);
        let model = summary["model_path"].as_str().unwrap();
        let mut at_once = sandbox
            .run(&["monitor", "-q", "--reorder=0", "--model", model, "log"])
            .json_lines();
        // Alerts come before and behind the place where the log is cut.
        let lines = at_once[at_once.len() / 2 - 1]["line"].as_u64().unwrap();
        let half: usize = text.split_inclusive('\n').take(lines as usize).map(str::len).sum();
        let first_half = at_once
            .iter()
            .filter(|alert| alert["line"].as_u64().unwrap() <= lines)
            .count();
        assert!(0 < first_half && first_half < at_once.len(), "{name}");
        for alert in &mut at_once {
            alert.as_object_mut().unwrap().remove("line");
            alert["file"] = json!("grown");
        }
        sandbox.write("grown", &text[..half]);
        let first = followed(&sandbox, model, first_half);
        let append = sandbox.path("grown");
        std::fs::File::options()
            .append(true)
            .open(append)
            .unwrap()
            .write_all(&text.as_bytes()[half..])
            .unwrap();
        let second = followed(&sandbox, model, at_once.len() - first_half);
        assert_eq!([first, second].concat(), at_once, "{name}");
    }
    let sandbox = Sandbox::new();
    sandbox.write("table", "agent_id,action_type\na,b\n");
    sandbox
        .run(&["monitor", "--follow", "-q", "table"])
        .assert_refused(2, "the rows of a table need its header");
}

#[test]
fn what_people_judged_becomes_labels_by_session_and_by_alert() {
    let sandbox = Sandbox::new();
    log(&sandbox, "otlp.jsonl");
    let summary = sandbox.train(&NORMAL_ONLY);
    let model = summary["model_path"].as_str().unwrap();
    let watched = sandbox.run(&["monitor", "-q", "--model", model, "log"]);
    sandbox.write("alerts.jsonl", &watched.stdout);
    let alert = watched
        .json_lines()
        .into_iter()
        .find(|alert| alert["anomaly_type"] == "model")
        .unwrap();
    let verdicts = format!(
        "{}\n{}\n{}\n",
        json!({"alert_id": alert["alert_id"], "label": 1, "note": "true"}),
        json!({"session": "conv-1", "label": 0}),
        json!({"session": "never", "label": 0})
    );
    sandbox.write("verdicts.jsonl", verdicts);
    let both = sandbox.run(&["sessions", "log", "alerts.jsonl", "--labels", "verdicts.jsonl"]);
    let mut found: Vec<(Value, Value)> = shortened(&both)
        .into_iter()
        .map(|sample| (sample["session"].clone(), sample["label"].clone()))
        .collect();
    found.sort_by_key(|(_, label)| label.as_u64());
    assert_eq!(
        found,
        [(json!("conv-1"), json!(0)), (alert["session"].clone(), json!(1))]
    );
    assert!(both.stderr.contains("nothing is called never"), "{}", both.stderr);
    let alone = sandbox
        .run(&["sessions", "alerts.jsonl", "--labels", "verdicts.jsonl", "-q"])
        .json_lines();
    assert_eq!(alone.len(), 1);
    assert_eq!(
        (&alone[0]["sequence"], &alone[0]["label"]),
        (&alert["sequence"], &json!(1))
    );

    let labelled: String = (0..240)
        .map(|number| format!("{{\"session\":\"conv-{number}\",\"label\":{}}}\n", number % 2))
        .collect();
    sandbox.write("verdicts.jsonl", labelled);
    let samples = sandbox.run(&["sessions", "log", "--labels", "verdicts.jsonl"]);
    sandbox.write("labelled.jsonl", samples.stdout);
    assert_eq!(sandbox.train(&["--data", "labelled.jsonl"])["samples"]["train"], 192);

    for (verdict, problem) in [
        ("{\"session\": \"a\"}", "missing field `label`"),
        ("{\"session\": \"a\", \"label\": 2}", "the label 2"),
        ("{\"label\": 1}", "not one of session and alert_id"),
        (
            "{\"session\": \"a\", \"label\": 1}\n{\"session\": \"a\", \"label\": 0}",
            "was judged otherwise before",
        ),
        ("nonsense", "expected"),
    ] {
        sandbox.write("verdicts.jsonl", verdict);
        let refused = sandbox.run(&["sessions", "log", "--labels", "verdicts.jsonl"]);
        refused.assert_refused(3, problem);
        assert!(refused.stderr.contains("verdicts.jsonl:"), "{}", refused.stderr);
    }
}

/// Where a log is cut, glued or changed, and how that ends: the exit code, and what it says or how many sessions there are.
fn damages(name: &str, text: &str) -> Vec<(&'static str, String)> {
    let half = text.len() / 2;
    let half = (half..text.len()).find(|&at| text.is_char_boundary(at)).unwrap();
    let first_line = text.find('\n').map_or(text.len(), |at| at + 1);
    let mut damaged = vec![
        ("cut", text[..half].to_owned()),
        ("binary", format!("{}\u{0}\u{1}\u{2}{}", &text[..half], &text[half..])),
        ("empty member names", text.replacen("\"name\"", "\"\"", 1)),
    ];
    if !name.ends_with(".json") {
        damaged.push(("glued", text[..first_line].trim_end().to_owned() + &text[first_line..]));
    }
    damaged
}

#[test]
fn a_damaged_log_is_refused_with_file_and_line_or_read_as_far_as_it_goes_and_never_in_silence() {
    let sandbox = Sandbox::new();
    for (name, mapping) in EXAMPLES {
        let text = String::from_utf8(log(&sandbox, name)).unwrap();
        for (damage, text) in damages(name, &text) {
            sandbox.write("log", &text);
            let ended = sandbox.run(&[&["sessions", "log"], mapping].concat());
            match ended.code {
                3 => {
                    let place = ended.stderr.lines().find(|line| !line.starts_with("[INFO]")).unwrap();
                    let place = place
                        .strip_prefix("anomaly-train: error: log:")
                        .unwrap_or_else(|| panic!("{name} {damage}: {place}"));
                    assert!(
                        place.starts_with(|digit: char| digit.is_ascii_digit()),
                        "{name} {damage}: {place}"
                    );
                }
                0 => assert!(
                    !ended.stdout.is_empty() && ended.stderr.contains("events"),
                    "{name} {damage}"
                ),
                code => panic!("{name} {damage}: {code} {}", ended.stderr),
            }
            if damage == "cut" {
                assert_eq!(ended.code, 3, "{name}: {}", ended.stderr);
            }
        }
    }
}

#[test]
fn a_member_of_a_megabyte_and_members_of_the_wrong_type_harm_no_other_record() {
    let sandbox = Sandbox::new();
    let megabyte = "x".repeat(1 << 20);
    for (format, good, bad, problem) in [
        (
            "cloudtrail",
            r#"{"eventSource":"s3","eventName":"Get","userIdentity":{"arn":"a"},"requestParameters":"BIG"}"#,
            r#"{"eventSource":["s3"],"eventName":"Get","userIdentity":{"arn":"a"}}"#,
            "log:2:1: \"eventSource\" is an object or an array",
        ),
        (
            "chat",
            r#"{"id":"c","messages":[{"role":"user","content":"BIG"},{"tool_calls":[{"function":{"name":"f"}},{"function":{"name":"g"}}]}]}"#,
            r#"{"id":"c","messages":[{"tool_calls":{}}]}"#,
            "log:2:36: invalid type: map, expected a sequence",
        ),
        (
            "otlp",
            r#"{"name":"execute_tool f","trace_id":"t","attributes":{"x":"BIG"}}"#,
            r#"{"name":"execute_tool f","trace_id":{},"attributes":{}}"#,
            "log:2:1: \"trace_id\" is an object or an array",
        ),
        (
            "transcript",
            r#"{"sessionId":"s","type":"assistant","message":{"content":[{"type":"tool_use","name":"f","input":"BIG"}]}}"#,
            r#"{"sessionId":"s","type":7,"message":{"content":[{"type":"tool_use","name":"f"}]}}"#,
            "log:2:25: invalid type: integer",
        ),
        (
            "events",
            r#"{"agent_id":"a","action_type":"f","x":"BIG"}"#,
            r#"{"agent_id":"a","action_type":"f","timestamp":[]}"#,
            "log:2:",
        ),
        (
            "auditd",
            "type=SYSCALL msg=audit(1.5:1): syscall=59 auid=1 ses=1 comm=\"BIG\"",
            "type=SYSCALL msg=audit(1.5:2): syscall=59 auid=1 ses=1 comm=\"x",
            "log:2:61: a string is cut off",
        ),
    ] {
        let good = good.replace("BIG", &megabyte);
        sandbox.write("log", format!("{good}\n{bad}\n{good}\n"));
        let refused = sandbox.run(&["sessions", "log", "--input-format", format]);
        refused.assert_refused(3, problem);
        let skipped = sandbox.run(&["sessions", "log", "--input-format", format, "--skip-bad-lines", "50%"]);
        assert_eq!(
            (skipped.code, skipped.stdout.lines().count()),
            (0, 1),
            "{format}: {skipped:?}"
        );
        assert!(
            skipped
                .stderr
                .contains("1 of 3 lines or records cannot be read and were left out"),
            "{}",
            skipped.stderr
        );
        let too_many = sandbox.run(&["sessions", "log", "--input-format", format, "--skip-bad-lines", "1%"]);
        assert_eq!(too_many.code, 3);
        assert!(
            too_many.stderr.contains("--skip-bad-lines allows for 1 %"),
            "{}",
            too_many.stderr
        );
    }
}

#[test]
fn a_share_of_bad_lines_may_be_left_out_and_verify_does_the_same() {
    let sandbox = Sandbox::new();
    sandbox.write("data", crate::common::samples(300) + "nonsense\n");
    sandbox.run(&["--data", "data"]).assert_refused(3, "data:301:");
    let trained = sandbox.train(&["--data", "data", "--skip-bad-lines", "1%"]);
    assert_eq!(trained["samples"]["train"], 240);
    let model = trained["model_path"].as_str().unwrap();
    let verified = sandbox.run(&["verify", model, "--data", "data"]);
    assert_eq!(verified.code, 0, "{verified:?}");
    sandbox
        .run(&["--data", "data", "--skip-bad-lines", "2"])
        .assert_refused(2, "expected a share like 1% or 0.01");
}

#[test]
fn a_folder_stands_for_its_files_in_order_and_zstd_is_read() {
    let sandbox = Sandbox::new();
    let lines: Vec<String> = crate::common::samples(300)
        .lines()
        .map(|line| line.to_owned() + "\n")
        .collect();
    std::fs::create_dir_all(sandbox.path("folder/b")).unwrap();
    sandbox.write("folder/c.jsonl", lines[200..].concat());
    sandbox.write("folder/a.jsonl", lines[..100].concat());
    sandbox.write("folder/b/x.jsonl", lines[100..200].concat());
    sandbox.write("folder/.hidden", "nonsense");
    sandbox.write("all", lines.concat());
    let options = ["--split-strategy", "temporal"];
    let folder = sandbox.train(&[&["--data", "folder"][..], &options].concat());
    let all = sandbox.train(&[&["--data", "all"][..], &options].concat());
    assert_eq!(
        (&folder["digest"], &folder["data_digest"]),
        (&all["digest"], &all["data_digest"])
    );
    // `printf 'a 300-line sample file' | zstd` twice, one frame after the other.
    let frames = include_bytes!("../reference/samples.jsonl.zst");
    sandbox.write("z", frames);
    let compressed = sandbox.train(&["--data", "z"]);
    assert_eq!(
        compressed["samples"]["train"].as_u64().unwrap() + compressed["samples"]["validation"].as_u64().unwrap(),
        300
    );
    sandbox.write("z", &frames[..frames.len() - 3]);
    sandbox
        .run(&["--data", "z"])
        .assert_refused(3, "z: the compressed data are damaged or cut off");
}

#[test]
fn what_is_compressed_otherwise_is_named_with_a_command_that_hands_it_over() {
    let sandbox = Sandbox::new();
    for (start, says) in [
        (
            &b"PAR1\x15\x04"[..],
            "is Parquet; hand it over like this: duckdb -c \"COPY (FROM 'data')",
        ),
        (
            b"PK\x03\x04\n\0",
            "is a zip archive; hand it over like this: unzip -p data |",
        ),
        (
            b"BZh91AY&SY",
            "is compressed by bzip2; hand it over like this: bzip2 -dc data |",
        ),
        (b"\xfd7zXZ\0\0\x04", "is compressed by xz"),
        (b"7z\xbc\xaf\x27\x1c", "is a 7z archive"),
        (b"\x04\x22\x4d\x18", "is compressed by lz4"),
    ] {
        sandbox.write("data", start);
        for args in [&["--data", "data"][..], &["sessions", "data"], &["monitor", "data"]] {
            sandbox.run(args).assert_refused(3, says);
        }
    }
}

#[test]
fn names_with_parameters_are_made_known_by_placeholders_everywhere() {
    let sandbox = Sandbox::new();
    let sample = |number: usize| {
        let odd = number.is_multiple_of(3);
        let last = if odd { "delete" } else { "close" };
        format!(
            "{{\"sequence\": [\"open(/data/{number:05})\", \"read 10.0.{}.1\", \"{last}\"], \"label\": {}}}\n",
            number % 200,
            u8::from(odd)
        )
    };
    sandbox.write("data", (0..200).map(sample).collect::<String>());
    let plain = sandbox.run(&["--data", "data"]);
    assert!(plain.stderr.contains("--normalize-names"), "{}", plain.stderr);
    let checked = sandbox.run(&["check", "data"]);
    assert!(
        checked.stdout.contains("--normalize-names") || checked.stderr.contains("--normalize-names"),
        "{checked:?}"
    );
    let trained = sandbox.train(&["--data", "data", "--normalize-names"]);
    let model = trained["model_path"].as_str().unwrap();
    let shown = sandbox.run(&["inspect", model]).stdout;
    assert!(
        shown.contains("open(/data/<num>)") && shown.contains("read <ip>"),
        "{shown}"
    );
    sandbox.write("new", (1000..1100).map(sample).collect::<String>());
    let evaluated = sandbox.run(&["evaluate", "--model", model, "--data", "new", "--json"]);
    let figures: Value = serde_json::from_str(&evaluated.stdout).unwrap();
    assert_eq!(figures["metrics"]["accuracy"], 1.0);
    assert!(!evaluated.stderr.contains("unknown"), "{}", evaluated.stderr);
    let answers = sandbox.run(&["predict", "--model", model, "new"]).json_lines();
    assert!(
        answers
            .iter()
            .enumerate()
            .all(|(place, answer)| answer["label"] == u8::from((1000 + place).is_multiple_of(3)))
    );
    let by_hand = sandbox.run(&[
        "predict",
        "--model",
        model,
        "--sequence",
        "open(/data/77),read 1.2.3.4,close",
        "--format",
        "json",
    ]);
    assert_eq!(by_hand.json_lines()[0]["label"], 0, "{}", by_hand.stdout);
    let event = |number: usize| {
        format!("{{\"agent_id\": \"a\", \"action_type\": \"open(/data/{number})\", \"timestamp\": {number}}}\n")
    };
    let watched = sandbox.run_with_input(
        &["monitor", "-q", "--model", model],
        (0..20).map(event).collect::<String>().as_bytes(),
    );
    assert!(!watched.stderr.contains("unknown"), "{}", watched.stderr);
}

#[test]
fn a_document_of_any_size_is_read_as_a_stream() {
    let sandbox = Sandbox::new();
    let record = |number: usize| {
        format!(
            "{{\"eventSource\":\"s3\",\"eventName\":\"Get\",\"userIdentity\":{{\"arn\":\"a{}\"}},\"x\":\"{}\"}}",
            number / 10,
            "y".repeat(10_000)
        )
    };
    let records: Vec<String> = (0..6000).map(record).collect();
    sandbox.write("log", format!("{{\"Records\":[{}]}}", records.join(",")));
    // 60 MB in one line, under a limit that leaves no room for it.
    let ended = sandbox.run_within("ulimit -v 150000; ", &["sessions", "log"]);
    assert_eq!((ended.code, ended.stdout.lines().count()), (0, 600), "{}", ended.stderr);
}

#[test]
fn an_event_that_is_delivered_again_leads_to_no_other_alert_also_after_a_restart() {
    let sandbox = Sandbox::new();
    let text = String::from_utf8(log(&sandbox, "audit.log")).unwrap();
    let summary = sandbox.train(&NORMAL_ONLY);
    let watch = ["monitor", "--model", summary["model_path"].as_str().unwrap()];
    let without_lines = |ended: &Ended| {
        let mut alerts = ended.json_lines();
        alerts.iter_mut().for_each(|alert| alert["line"] = Value::Null);
        alerts
    };
    let once = sandbox.run_with_input(&watch, text.as_bytes());
    let twice: String = text.lines().flat_map(|line| [line, "\n", line, "\n"]).collect();
    let again = sandbox.run_with_input(&watch, twice.as_bytes());
    assert_eq!(without_lines(&once), without_lines(&again));
    assert!(
        again.stderr.contains("that came before passed over"),
        "{}",
        again.stderr
    );

    let with_state = [&watch[..], &["--state", "state"]].concat();
    let half = text.len() / 2 + text[text.len() / 2..].find('\n').unwrap() + 1;
    let before = text[..half].rfind("type=SYSCALL").unwrap();
    let first = sandbox.run_with_input(&with_state, &text.as_bytes()[..half]);
    let second = sandbox.run_with_input(&with_state, &text.as_bytes()[before..]);
    let both = [without_lines(&first), without_lines(&second)].concat();
    assert_eq!(without_lines(&once), both);
}

#[test]
fn events_in_an_array_and_records_deep_in_a_document_are_read() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "array",
        r#"[{"agent_id":"a","action_type":"x"}, {"agent_id":"a","action_type":"y"}]"#,
    );
    let sequence = |ended: &Ended| ended.json_lines()[0]["sequence"].clone();
    assert_eq!(sequence(&sandbox.run(&["sessions", "array"])), json!(["x", "y"]));
    let record = |id: u32, action: &str| json!({"_id": id, "_source": {"user": {"name": "a"}, "event.action": action}});
    let hits =
        json!({"took": 3, "hits": {"total": {"value": 3}, "hits": [record(1, "x"), record(2, "y"), record(1, "x")]}});
    sandbox.write("hits", hits.to_string());
    let mapping = [
        "--records-at=hits.hits",
        "--agent-field=_source.user.name",
        "--action-field=_source.event.action",
        "--id-field=_id",
    ];
    let found = sandbox.run(&[&["sessions", "hits"], &mapping[..]].concat());
    assert_eq!(sequence(&found), json!(["x", "y"]));
    assert!(found.stderr.contains("1 events came twice"), "{}", found.stderr);
}

#[test]
fn what_holds_no_action_is_passed_over_and_counted_by_kind() {
    let sandbox = Sandbox::new();
    for (text, kinds) in [
        (
            "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}\n{\"messages\":[{\"tool_calls\":[{\"function\":{\"name\":\"f\"}}]}]}\n{\"meta\":1}\n",
            "2 records hold no action and were passed over: 1 conversation without tool calls, 1 record without messages",
        ),
        (
            "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":\"t\",\"name\":\"execute_tool f\"},{\"traceId\":\"t\",\"name\":\"chat\"}]}]}]}\n{\"resourceMetrics\":[]}\n",
            "1 chat, 1 record that is no span",
        ),
        (
            "----\ntime->Sun Nov 22 11:04:41 2026\ntype=SYSCALL msg=audit(1.5:7): arch=c000003e syscall=59 ses=5\n----\n",
            "3 line of ausearch",
        ),
        (
            "{\"Records\":[{\"eventSource\":\"s3\",\"eventName\":\"Get\",\"userIdentity\":{\"arn\":\"a\"}},{\"awsAccountId\":\"1\"}]}",
            "1 record without an action",
        ),
    ] {
        sandbox.write("log", text);
        let sessions = sandbox.run(&["sessions", "log"]);
        assert_eq!(
            (sessions.code, sessions.json_lines().len()),
            (0, 1),
            "{text}: {}",
            sessions.stderr
        );
        assert!(sessions.stderr.contains(kinds), "{}", sessions.stderr);
    }
}
