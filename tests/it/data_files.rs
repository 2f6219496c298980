//! Reading labelled JSON lines: what is accepted, what is refused, and in which words.

use crate::common::{Ended, Sandbox, samples};
use flate2::{Compression, write::GzEncoder};
use std::io::Write;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The digest of the model that `bytes` train to.
fn digest(bytes: &[u8]) -> String {
    let sandbox = Sandbox::new();
    sandbox.write("data", bytes);
    sandbox.train(&["--data", "data"])["digest"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn the_same_samples_give_the_same_model_however_the_file_is_written() {
    let plain = samples(90);
    let expected = digest(plain.as_bytes());
    let crlf = plain.replace('\n', "\r\n");
    let cr = plain.replace('\n', "\r");
    let blank_lines = plain.replace('\n', "\n \n\n");
    let blanks = plain.replace("\": ", "\"\t :  ");
    let fields = plain.replace("{\"features\"", "{\"extra\": {\"a\": [1, {}]}, \"id\": 7, \"features\"");
    let bare = plain
        .replace("{\"features\": {\"sequence\"", "{\"sequence\"")
        .replace("]}", "]");
    for text in [
        &crlf,
        &cr,
        &blank_lines,
        &blanks,
        &fields,
        &bare,
        plain.trim_end(),
        &format!("\u{feff}{plain}"),
    ] {
        assert_eq!(digest(text.as_bytes()), expected, "{}", &text[..80]);
    }
    assert_eq!(digest(&gzip(plain.as_bytes())), expected);
    let (first, second) = plain.split_at(plain.len() / 2);
    let members = [gzip(first.as_bytes()), gzip(second.as_bytes())].concat();
    assert_eq!(
        digest(&members),
        expected,
        "gzip files may be put together from several"
    );
}

#[test]
fn several_files_are_one_in_whatever_order_and_standard_input_is_one_of_them() {
    let sandbox = Sandbox::new();
    let all = samples(90);
    let cut = all.match_indices('\n').nth(39).unwrap().0 + 1;
    sandbox.write("all", &all);
    sandbox.write("first", &all[..cut]);
    sandbox.write("second", &all[cut..]);
    let whole = sandbox.train(&["--data", "all"]);
    assert_eq!(
        whole["digest"],
        sandbox.train(&["--data", "first", "--data", "second"])["digest"]
    );
    assert_eq!(
        whole["digest"],
        sandbox.train(&["--data", "second", "--data", "first"])["digest"]
    );
    let args = ["--data", "first", "--data", "-", "--json"];
    let piped = sandbox.run_with_input(&args, &all.as_bytes()[cut..]);
    assert_eq!(whole["digest"], piped.json_lines()[0]["digest"]);
    let piped = sandbox.run_with_input(&["--data", "-", "--json"], &gzip(all.as_bytes()));
    assert_eq!(whole["digest"], piped.json_lines()[0]["digest"]);
}

#[test]
fn num_samples_uses_the_first_ones() {
    let sandbox = Sandbox::new();
    sandbox.write("all", samples(90));
    sandbox.write("first", samples(60));
    let limited = sandbox.train(&["--data", "all", "--num-samples", "60"]);
    assert_eq!(limited["metrics"], sandbox.train(&["--data", "first"])["metrics"]);
}

#[test]
fn every_line_that_is_not_a_sample_is_refused_with_file_line_and_reason() {
    let cases: &[(&str, &str)] = &[
        (r#"{"sequence": ["a"], "label": 2}"#, "label"),
        (r#"{"sequence": ["a"], "label": -1}"#, "label"),
        (r#"{"sequence": ["a"], "label": 1.0}"#, "label"),
        (r#"{"sequence": ["a"], "label": true}"#, "label"),
        (r#"{"sequence": ["a"], "label": "1"}"#, "label"),
        (r#"{"sequence": ["a"], "label": null}"#, "label"),
        (r#"{"sequence": ["a"]}"#, "\"label\" is missing"),
        (
            r#"{"sequence": ["a"], "label": 1, "label": 0}"#,
            "duplicate key \"label\"",
        ),
        (r#"{"sequence": "abc", "label": 0}"#, "array of strings"),
        (r#"{"sequence": ["a", 1], "label": 0}"#, "sequence[1]"),
        (r#"{"sequence": ["a", null], "label": 0}"#, "sequence[1]"),
        (r#"{"sequence": {"a": 1}, "label": 0}"#, "array of strings"),
        (
            r#"{"features": {"sequence": ["a"], "sequence": ["b"]}, "label": 0}"#,
            "duplicate key",
        ),
        (r#"{"violation_count": 1e12, "label": 0}"#, "\"sequence\" is missing"),
        (r#"[{"sequence": ["a"], "label": 0}]"#, "not an array"),
        (
            r#"{"sequence": ["a"], "label": 0} {"sequence": ["a"], "label": 0}"#,
            "exactly one",
        ),
        (r#"{"sequence": ["a"], "label": 0,}"#, "not valid JSON"),
        (r#"{"sequence": ["a"], "label": 0} // comment"#, "exactly one"),
        (r#"{'sequence': ['a'], 'label': 0}"#, "double quotes"),
        (r#"{"sequence": ["\ud800"], "label": 0}"#, "not valid JSON"),
        (r#"{"sequence": ["a"], "label": NaN}"#, "not valid JSON"),
        ("\u{1b}[2J", "not valid JSON"),
        ("{\"sequence\": [\"a\nb\"], \"label\": 0}", "cut off"),
        ("null", "expected an object"),
    ];
    let sandbox = Sandbox::new();
    for (line, reason) in cases {
        let good = samples(3);
        sandbox.write("data", format!("{good}{line}\n{good}"));
        let ended = sandbox.run(&["--data", "data"]);
        assert_eq!(ended.code, 3, "{line}: {ended:?}");
        let first = ended.stderr.lines().next().unwrap();
        assert!(first.starts_with("anomaly-train: error: data:4:"), "{line}: {first}");
        assert!(first.contains(reason), "{line}: {first}");
        assert!(!ended.stderr.contains('\u{1b}'));
        assert!(sandbox.files("models").is_empty());
    }
}

#[test]
fn bytes_that_are_not_utf8_text_are_named() {
    let good = samples(1);
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain(good.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let latin1 = good
        .replace("read", "r\u{e9}ad")
        .chars()
        .map(|c| c as u8)
        .collect::<Vec<u8>>();
    let overlong = [&b"{\"sequence\": [\"\xc0\xaf\"], \"label\": 0}\n"[..]].concat();
    for (bytes, reason) in [
        (utf16, "UTF-16"),
        (latin1, "not UTF-8 at byte 30"),
        (overlong, "not UTF-8 at byte 16"),
        (b"\0\0\0".to_vec(), "not valid JSON"),
        (gzip(&gzip(good.as_bytes())), "compressed"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.write("data", bytes);
        let ended = sandbox.run(&["--data", "data"]);
        assert_eq!(ended.code, 3, "{ended:?}");
        assert!(ended.stderr.contains("data:1"), "{}", ended.stderr);
        assert!(ended.stderr.contains(reason), "{reason}: {}", ended.stderr);
    }
}

#[test]
fn a_copy_that_was_cut_off_never_trains_on_fewer_samples() {
    let text = samples(4);
    let sandbox = Sandbox::new();
    let last_line = text[..text.len() - 1].rfind('\n').unwrap() + 1;
    // Without its line end the last line is still whole.
    for end in last_line + 1..text.len() - 1 {
        sandbox.write("data", &text[..end]);
        let ended = sandbox.run(&["--data", "data"]);
        assert_eq!(ended.code, 3, "cut at {end}: {ended:?}");
        assert!(ended.stderr.contains("data:4:"), "{}", ended.stderr);
    }
}

#[test]
fn a_gzip_file_that_was_cut_off_or_damaged_is_refused() {
    let compressed = gzip(samples(40).as_bytes());
    let sandbox = Sandbox::new();
    for end in (2..compressed.len() - 1).step_by(7) {
        sandbox.write("data", &compressed[..end]);
        let ended = sandbox.run(&["--data", "data"]);
        assert_eq!(ended.code, 3, "cut at {end}: {ended:?}");
    }
    let mut damaged = compressed.clone();
    let length = damaged.len();
    damaged[length - 6] ^= 1;
    sandbox.write("data", &damaged);
    sandbox.run(&["--data", "data"]).assert_refused(3, "damaged or cut off");
}

#[test]
fn many_bad_lines_are_counted_and_only_the_first_shown() {
    let sandbox = Sandbox::new();
    sandbox.write("data", "nonsense\n".repeat(1000));
    let ended = sandbox.run(&["--data", "data"]);
    assert_eq!(ended.code, 3);
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert_eq!(lines.len(), 21, "{lines:?}");
    assert!(lines[20].contains("1000 lines were refused"), "{}", lines[20]);
}

#[test]
fn all_bad_files_are_named_and_a_file_given_twice_is_noticed() {
    let sandbox = Sandbox::new();
    sandbox.write("one", "nonsense\n");
    sandbox.write("two", format!("{}nonsense\n", samples(2)));
    let ended = sandbox.run(&["--data", "one", "--data", "two"]);
    assert_eq!(ended.code, 3);
    assert!(
        ended.stderr.contains("one:1:") && ended.stderr.contains("two:3:"),
        "{}",
        ended.stderr
    );
    sandbox.write("good", samples(60));
    let twice = sandbox.run(&["--data", "good", "--validation-data", "./good"]);
    assert!(
        twice.stderr.contains("[WARN] ./good is given twice"),
        "{}",
        twice.stderr
    );
    sandbox
        .run(&["--data", "-", "--validation-data", "-"])
        .assert_refused(2, "read only once");
}

#[test]
fn groups_with_large_numbers_stay_apart() {
    let sandbox = Sandbox::new();
    let lines: String = (0..60)
        .map(|i| {
            format!(
                "{{\"g\": {}, \"sequence\": [\"a\"], \"label\": {}}}\n",
                10_u128.pow(20) + i / 3,
                i % 2
            )
        })
        .collect();
    sandbox.write("data", lines);
    let summary = sandbox.train(&["--data", "data", "--split-strategy", "grouped", "--group-by", "g"]);
    assert_eq!(summary["samples"]["train"], 48);
}

#[test]
fn a_line_without_end_stops_at_the_limit() {
    let sandbox = Sandbox::new();
    let ended = sandbox.run(&["--data", "/dev/zero"]);
    assert_eq!(ended.code, 3);
    assert!(
        ended.stderr.contains("/dev/zero:1: line longer than 16 MiB"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_line_that_is_too_long_is_refused_even_if_it_begins_with_nothing_but_blanks() {
    let sandbox = Sandbox::new();
    let good = samples(60);
    sandbox.write("data", format!("{good}{}{good}", " ".repeat((16 << 20) + 1)));
    let ended = sandbox.run(&["--data", "data"]);
    ended.assert_refused(3, "data:61: line longer than 16 MiB");
}

/// Every command gives up `file` at `place`.
fn assert_given_up(sandbox: &Sandbox, file: &str, place: &str) {
    let model = sandbox.train(&["--num-samples", "400"])["model_path"]
        .as_str()
        .unwrap()
        .to_owned();
    let says = format!("{place}: more than 64 MiB in a row hold nothing but white space");
    for args in [
        &["--data", file][..],
        &["--data", file, "--num-samples", "5"],
        &["--data", file, "--threads", "1"],
        &["--data", file, "--input-format", "events", "--label-field", "bad"],
        &["evaluate", "--model", &model, "--data", file],
        &["predict", "--model", &model, "--strict", file],
        &["monitor", "--strict", file],
    ] {
        sandbox
            .run_within("ulimit -t 60 -v 500000; ", args)
            .assert_refused(3, &says);
    }
    for args in [&["predict", "--model", &model, file][..], &["monitor", file]] {
        let ended = sandbox.run_within("ulimit -t 60 -v 500000; ", args);
        assert_eq!(ended.code, 3, "{ended:?}");
        let answer = ended.json_lines().pop().unwrap();
        let said = format!("{file}:{}: {}", answer["line"], answer["error"].as_str().unwrap());
        assert!(said.starts_with(&says), "{said}");
    }
}

#[test]
fn white_space_without_end_is_given_up_by_every_command_with_file_and_line() {
    let sandbox = Sandbox::new();
    // Lines of 4 KiB, so that the tests spend their time on bytes.
    let line = format!("{}\r\n", " ".repeat(4094));
    let most = (64 << 20) / line.len();
    sandbox.write("blank.gz", gzip(line.repeat(most + 9).as_bytes()));
    assert_given_up(&sandbox, "blank.gz", &format!("blank.gz:{}", most + 1));
    // As much as is allowed, before, between and behind samples.
    let blank = line.repeat(most - 1);
    sandbox.write("spread.gz", gzip(format!("{blank}{}{blank}", samples(60)).as_bytes()));
    sandbox.write("data", samples(60));
    let spread = sandbox.train(&["--data", "spread.gz"]);
    assert_eq!(spread["digest"], sandbox.train(&["--data", "data"])["digest"]);
}

#[test]
#[cfg(unix)]
fn an_endless_input_without_a_sample_is_given_up_and_only_then() {
    let sandbox = Sandbox::new();
    let limit = "ulimit -t 60 -v 500000; ";
    for args in [
        &["--data", "/dev/urandom"][..],
        &["--data", "/dev/urandom", "--num-samples", "5"],
        &["--data", "/dev/urandom", "--input-format", "events"],
    ] {
        let ended = sandbox.run_within(limit, args);
        assert_eq!(ended.code, 3, "{ended:?}");
        let lines: Vec<&str> = ended.stderr.lines().collect();
        assert_eq!(lines.len(), 21, "{lines:?}");
        assert!(
            lines[20].contains("lines were refused and the rest was not read"),
            "{lines:?}"
        );
    }
    // A good line now and then: all is read, since all bad lines are to be counted.
    let bad = format!("{}\n", "x".repeat(1 << 20));
    let text = format!("{}{}", bad.repeat(40), samples(1)).repeat(2);
    sandbox.write("data.gz", gzip(text.as_bytes()));
    let ended = sandbox.run(&["--data", "data.gz"]);
    assert!(ended.stderr.contains("80 lines were refused; mend"), "{}", ended.stderr);
    sandbox.write("data.gz", gzip(format!("{}{}", bad.repeat(80), samples(1)).as_bytes()));
    for threads in ["1", "2", "7"] {
        let ended = sandbox.run(&["--data", "data.gz", "--threads", threads]);
        let said = "64 lines were refused and the rest was not read";
        assert!(ended.stderr.contains(said), "{threads}: {}", ended.stderr);
    }
}

#[test]
fn files_that_are_no_files_are_named() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("folder")).unwrap();
    sandbox.write("empty", "");
    sandbox.write("blank", "\n  \n\r\n");
    sandbox.write("unlabelled", "{\"sequence\": []}\n");
    sandbox
        .run(&["--data", "folder"])
        .assert_refused(3, "folder: no files in this folder");
    sandbox
        .run(&["--data", "missing"])
        .assert_refused(1, "missing: cannot open");
    for (name, message) in [
        ("empty", "no samples"),
        ("blank", "no samples"),
        ("unlabelled", "label"),
    ] {
        let ended = sandbox.run(&["--data", name]);
        assert_eq!(ended.code, 3);
        assert!(ended.stderr.contains(message), "{}", ended.stderr);
    }
}

#[test]
fn empty_sequences_are_skipped_counted_and_reported() {
    let sandbox = Sandbox::new();
    sandbox.write("clean", samples(60));
    let empty = "{\"sequence\": [], \"label\": 1}\n";
    sandbox.write("holes", format!("{empty}{}{empty}", samples(60)));
    let clean = sandbox.train(&["--data", "clean"]);
    let ended = sandbox.run(&["--data", "holes", "--json"]);
    let holes = &ended.json_lines()[0];
    assert_eq!(holes["samples"]["skipped_empty"], 2);
    assert_eq!(holes["metrics"], clean["metrics"]);
    assert!(
        ended.stderr.contains("2 samples have an empty sequence"),
        "{}",
        ended.stderr
    );
}

#[test]
fn action_names_of_every_kind_survive_and_never_reach_the_terminal_raw() {
    let names = [
        "",
        " ",
        "a b",
        "a,b",
        "a\u{1f}b",
        "\u{0}",
        "\u{1b}[2J",
        "\n",
        "'",
        "\"",
        "\\",
        "->",
        "::error::x",
        "\u{202e}",
        "é",
        "e\u{301}",
        "日本",
        "^",
        "$",
        "-1",
        "[\"a\"]",
        "__import__('os')",
    ];
    let lines: String = (0..names.len() * 20)
        .map(|i| {
            let name = names[i % names.len()];
            let other = names[(i / names.len()) % names.len()];
            let sample = serde_json::json!({"sequence": [name, other], "label": u8::from(i % 3 == 0)});
            format!("{sample}\n")
        })
        .collect();
    let sandbox = Sandbox::new();
    sandbox.write("data", lines);
    let ended = sandbox.run(&["--data", "data", "--split-strategy", "temporal", "--json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let path = ended.json_lines()[0]["model_path"].as_str().unwrap().to_owned();
    let model: serde_json::Value = serde_json::from_slice(&std::fs::read(sandbox.path(&path)).unwrap()).unwrap();
    let mut expected = names.to_vec();
    expected.sort_unstable();
    let vocabulary: Vec<&str> = model["vocabulary"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row[0].as_str().unwrap())
        .collect();
    assert_eq!(vocabulary, expected);
    assert!(!ended.stderr.contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn validation_data_of_their_own_are_judged_on_and_not_learned_from() {
    let sandbox = Sandbox::new();
    sandbox.write("train", samples(60));
    sandbox.write(
        "test",
        "{\"sequence\": [\"never\", \"seen\"], \"label\": 1}\n".repeat(30),
    );
    let summary = sandbox.train(&["--data", "train", "--validation-data", "test"]);
    assert_eq!(
        (&summary["samples"]["train"], &summary["samples"]["validation"]),
        (&60.into(), &30.into())
    );
    assert_eq!(summary["metrics"]["overlap"], 0);
    let model = std::fs::read_to_string(sandbox.path(summary["model_path"].as_str().unwrap())).unwrap();
    assert!(!model.contains("never"));
    assert_eq!(summary["metrics"]["recall"], 1.0);
    assert!(summary["metrics"]["roc_auc"].is_null());
    assert_eq!(summary["metrics"]["undefined"]["roc_auc"], "no sample is normal");
    assert_eq!(summary["promoted"], false);
}

#[test]
fn grouped_splits_keep_groups_together_and_need_the_field() {
    let sandbox = Sandbox::new();
    let lines: String = samples(60)
        .lines()
        .enumerate()
        .map(|(i, line)| format!("{},\"task\": {}}}\n", &line[..line.len() - 1], i / 6))
        .collect();
    sandbox.write("data", &lines);
    let args = ["--data", "data", "--split-strategy", "grouped", "--group-by", "task"];
    let summary = sandbox.train(&args);
    assert_eq!(summary["samples"]["train"], 48);
    assert_eq!(summary["config"]["group_by"], "task");
    let without_field = sandbox.run(&[&args[..5], &["team"]].concat());
    assert_eq!(without_field.code, 3);
    assert!(
        without_field.stderr.contains("data:1: the field \"team\""),
        "{}",
        without_field.stderr
    );
}

#[test]
fn one_class_alone_trains_but_is_not_promoted() {
    let sandbox = Sandbox::new();
    sandbox.write("data", "{\"sequence\": [\"a\", \"b\"], \"label\": 0}\n".repeat(200));
    let summary = sandbox.train(&["--data", "data"]);
    assert_eq!(summary["promoted"], false);
    let reasons = summary["reasons"].to_string();
    assert!(
        reasons.contains("not judged: 0 anomalous samples, need 20"),
        "{reasons}"
    );
    let ended = sandbox.run(&["--data", "data"]);
    assert!(
        ended.stdout.contains("  recall: undefined (no sample is anomalous)"),
        "{}",
        ended.stdout
    );
}

#[test]
fn sequences_with_both_labels_are_counted() {
    let sandbox = Sandbox::new();
    let twice = "{\"sequence\": [\"a\"], \"label\": 0}\n{\"sequence\": [\"a\"], \"label\": 1}\n";
    sandbox.write("data", twice.repeat(50));
    let ended = sandbox.run(&["--data", "data"]);
    assert!(
        ended
            .stderr
            .contains("1 sequence occurs with both labels, in 100 samples; no model can get 50 of these right"),
        "{}",
        ended.stderr
    );
}

#[test]
fn an_n_longer_than_every_sequence_still_learns() {
    let sandbox = Sandbox::new();
    sandbox.write("data", samples(300));
    let summary = sandbox.train(&["--data", "data", "--ngram-size", "8"]);
    assert_eq!(summary["metrics"]["f1"], 1.0);
}

#[test]
fn a_deeply_nested_line_is_refused_without_a_crash() {
    let sandbox = Sandbox::new();
    for depth in [128, 10_000, 1_000_000] {
        for line in [
            format!("{}{}", "[".repeat(depth), "]".repeat(depth)),
            format!(
                "{{\"sequence\": {}{}, \"label\": 0}}",
                "[".repeat(depth),
                "]".repeat(depth)
            ),
            format!("{{\"x\": {}{}, \"label\": 0}}", "[".repeat(depth), "]".repeat(depth)),
        ] {
            sandbox.write("data", line);
            let ended: Ended = sandbox.run(&["--data", "data"]);
            assert_eq!(ended.code, 3, "{depth}: {}", ended.stderr);
        }
    }
}

#[test]
fn what_is_passed_over_is_as_strict_json_as_the_rest() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let cases = [
        (
            r#"{"a": 1, "b": {"a": null}, "c": [true, -1.5e3, "\ud83d\ude00"]}"#.to_owned(),
            None,
        ),
        (nested(126), None),
        (nested(127), Some("at most 127 levels")),
        (r#"{"a": 1, "a": 1}"#.to_owned(), Some("duplicate key \"a\"")),
        (r#"{"a": 1, "\u0061": 2}"#.to_owned(), Some("duplicate key \"a\"")),
        (r#"[[{"b": {"": 1, "": 2}}]]"#.to_owned(), Some("duplicate key \"\"")),
        ("1e999".to_owned(), Some("not valid JSON")),
        (r#""\ud800""#.to_owned(), Some("not valid JSON")),
        (r#"{"\ud800": 1}"#.to_owned(), Some("not valid JSON")),
        ("01".to_owned(), Some("not valid JSON")),
        ("[1,]".to_owned(), Some("not valid JSON")),
    ];
    let sandbox = Sandbox::new();
    let model = sandbox.train(&["--num-samples", "400"])["model_path"]
        .as_str()
        .unwrap()
        .to_owned();
    let good = samples(60);
    let events: String = (0..60)
        .map(|i| {
            format!(
                "{{\"agent_id\": \"{i}\", \"action_type\": \"b\", \"bad\": {}}}\n",
                i % 2
            )
        })
        .collect();
    for (value, problem) in cases {
        let event = r#""agent_id": "a", "action_type": "b", "bad": 0"#;
        for (text, args) in [
            (
                format!("{good}{{\"sequence\": [\"a\"], \"label\": 0, \"x\": {value}}}"),
                &["--data", "data"][..],
            ),
            (
                format!("{{\"sequence\": [\"a\"], \"x\": {value}}}"),
                &["predict", "--model", &model, "--strict", "data"],
            ),
            (format!("{{{event}, \"x\": {value}}}"), &["monitor", "--strict", "data"]),
            (
                format!("{events}{{{event}, \"x\": {value}}}"),
                &["--data", "data", "--label-field", "bad"],
            ),
        ] {
            sandbox.write("data", &text);
            let ended = sandbox.run(args);
            match problem {
                Some(problem) => {
                    assert_eq!(ended.code, 3, "{value}: {ended:?}");
                    assert!(ended.stderr.contains(problem), "{value}: {ended:?}");
                }
                None => assert_eq!(ended.code, 0, "{value}: {ended:?}"),
            }
        }
    }
    // The other object of a sample.
    sandbox.write("data", r#"{"features": {"sequence": ["a"], "x": {"a": 1, "a": 2}}}"#);
    let ended = sandbox.run(&["predict", "--model", &model, "--strict", "data"]);
    ended.assert_refused(3, "duplicate key \"a\"");
}
