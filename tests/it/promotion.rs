//! The record of promotions: who is current, what a new model is compared with, and the way back.

use crate::common::Sandbox;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fs;

const MIXED: [&str; 4] = ["--scenario", "mixed", "--num-samples", "2000"];

fn record(sandbox: &Sandbox) -> Vec<Value> {
    let text = fs::read_to_string(sandbox.path("models/promotions.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn used(sandbox: &Sandbox) -> String {
    let ended = sandbox.run(&["predict", "--sequence", "read"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let line = ended.stderr.lines().find_map(|line| line.strip_prefix("[INFO] using "));
    line.unwrap().to_owned()
}

#[test]
fn each_verdict_is_a_line_with_what_it_was_based_on() {
    let sandbox = Sandbox::new();
    let first = sandbox.train(&MIXED);
    let second = sandbox.train(&[&MIXED[..], &["--promotion-max-ece", "0"]].concat());
    let [promoted, refused] = &record(&sandbox)[..] else {
        panic!("two lines are expected");
    };
    assert_eq!(promoted["act"], "promoted");
    assert_eq!(promoted["at"], "2026-11-22T12:00:00Z");
    assert_eq!(promoted["digest"], first["digest"]);
    assert_eq!(promoted["previous"], Value::Null);
    assert_eq!(promoted["metrics"]["f1"], first["metrics"]["f1"]);
    assert_eq!(promoted["reasons"], serde_json::json!([]));
    assert_eq!(refused["act"], "refused");
    let text = fs::read_to_string(sandbox.path("models/promotions.jsonl")).unwrap();
    assert_eq!(refused["previous"], sha256(text.split_inclusive('\n').next().unwrap()));
    assert_eq!(refused["reasons"], second["reasons"]);
    assert_eq!(refused["champion"]["digest"], first["digest"]);
    assert_eq!(
        format!("models/{}", refused["model"].as_str().unwrap()),
        second["model_path"]
    );
}

#[test]
fn a_model_that_is_clearly_worse_than_the_current_one_is_refused_and_changes_no_digest() {
    let sandbox = Sandbox::new();
    sandbox.train(&MIXED);
    let worse = [
        &MIXED[..],
        &[
            "--epochs",
            "1",
            "--learning-rate",
            "0.05",
            "--promotion-max-ece",
            "1",
            "--promotion-min-accuracy",
            "0",
        ],
    ]
    .concat();
    let compared = sandbox.train(&worse);
    assert_eq!(compared["promoted"], false, "{compared}");
    let reason = compared["reasons"][0]["text"].as_str().unwrap();
    assert!(
        reason.contains("of current/anomaly_model_20261122_120000.json"),
        "{reason}"
    );
    let (champion, comparison) = (&compared["champion"], &compared["champion"]["comparison"]);
    assert_eq!(comparison["samples"], champion["figures"]["samples"]);
    assert!(comparison["interval"][0].as_f64().unwrap() > 0.01, "{champion}");
    assert_eq!(used(&sandbox), "models/current/anomaly_model_20261122_120000.json");

    let said = sandbox.run(&worse).stdout;
    assert!(
        said.contains("[INFO] Champion: current/anomaly_model_20261122_120000.json on the ")
            && said.contains(" samples that are new to both "),
        "{said}"
    );
    let lenient = sandbox.train(&[&worse[..], &["--promotion-max-regression", "1"]].concat());
    assert_eq!(lenient["promoted"], true, "{lenient}");
    let alone = sandbox.train(&[&worse[..], &["--no-champion"]].concat());
    assert_eq!(alone["promoted"], true, "{alone}");
    assert_eq!(alone["champion"], Value::Null);
    for other in [&lenient, &alone] {
        assert_eq!(other["digest"], compared["digest"]);
    }
}

#[test]
fn a_champion_that_was_trained_on_nearly_all_of_the_samples_is_not_compared_with() {
    let sandbox = Sandbox::new();
    let first = sandbox.train(&["--num-samples", "1000"]);
    assert_eq!(first["promoted"], true);
    // The same sequences again, which the champion knows by heart.
    let worse = [
        "--num-samples",
        "1000",
        "--seed",
        "2",
        "--l2",
        "100",
        "--promotion-max-ece",
        "1",
    ];
    let second = sandbox.train(&worse);
    assert_eq!(second["promoted"], true, "{second}");
    assert_eq!(second["champion"]["comparison"], Value::Null);
    assert!(second["champion"]["overlap"].as_u64().unwrap() > 700);
    let said = sandbox.run(&["--num-samples", "1000", "--seed", "3"]).stdout;
    assert!(said.contains(" was not compared with: "), "{said}");
}

#[test]
fn training_again_on_the_same_samples_compares_on_those_that_are_new_to_the_champion() {
    let sandbox = Sandbox::new();
    let generated = sandbox
        .run(&["generate", "--num-samples", "1500", "--scenario", "mixed"])
        .stdout;
    sandbox.write("data", generated);
    for seed in 1..=5 {
        let summary = sandbox.train(&["--data", "data", "--seed", &seed.to_string()]);
        assert_eq!(summary["promoted"], true, "seed {seed}: {}", summary["reasons"]);
        if seed > 1 {
            let (champion, all) = (&summary["champion"], 1500);
            let new = champion["figures"]["samples"].as_u64().unwrap();
            // The champion was trained on 1,200 of them, and on other samples with the same sequences.
            assert!(
                new <= 300 && new + champion["overlap"].as_u64().unwrap() <= all,
                "{champion}"
            );
        }
    }
}

#[test]
fn a_current_model_that_cannot_be_read_blocks_promotion_and_is_named() {
    let sandbox = Sandbox::new();
    let first = sandbox.train(&MIXED);
    let path = first["model_path"].as_str().unwrap();
    let whole = fs::read(sandbox.path(path)).unwrap();
    fs::write(sandbox.path(path), &whole[..whole.len() / 2]).unwrap();
    let second = sandbox.train(&MIXED);
    assert_eq!(second["promoted"], false);
    let reason = second["reasons"][0]["text"].as_str().unwrap();
    assert!(
        reason.contains("cannot be compared with") && reason.contains(path),
        "{reason}"
    );
    sandbox
        .run(&["predict", "--sequence", "read"])
        .assert_refused(3, "cut off");
    assert_eq!(
        sandbox.train(&[&MIXED[..], &["--no-champion"]].concat())["promoted"],
        true
    );
}

#[test]
fn rollback_makes_the_previous_model_current_and_deletes_nothing() {
    let sandbox = Sandbox::new();
    sandbox.run(&["rollback"]).assert_refused(3, "none to go back from");
    assert!(sandbox.files("models").is_empty());
    let paths: Vec<String> = ["1", "2"]
        .iter()
        .map(|seed| {
            sandbox.train(&["--num-samples", "500", "--seed", seed])["model_path"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let files = sandbox.files("models");
    assert_eq!(used(&sandbox), paths[1]);
    let ended = sandbox.run(&["rollback"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(used(&sandbox), paths[0]);
    assert_eq!(sandbox.files("models"), files);
    sandbox.run(&["rollback"]).assert_refused(3, "none to go back to");
    let entries = record(&sandbox);
    assert_eq!(entries.len(), 3);
    assert_eq!(entries[2]["act"], "rolled_back");

    let third = sandbox.train(&["--num-samples", "500", "--seed", "3"]);
    assert_eq!(used(&sandbox), third["model_path"].as_str().unwrap());
    let back: Value = serde_json::from_str(&sandbox.run(&["rollback", "--json"]).stdout).unwrap();
    assert_eq!(back["model"], entries[0]["model"]);
}

#[test]
fn rollback_does_not_lead_to_a_model_that_is_damaged_or_gone() {
    let sandbox = Sandbox::new();
    let first = sandbox.train(&["--num-samples", "500"]);
    sandbox.train(&["--num-samples", "500", "--seed", "2"]);
    let path = sandbox.path(first["model_path"].as_str().unwrap());
    let before = fs::read(sandbox.path("models/promotions.jsonl")).unwrap();
    // Whole, but another one: somebody put it there.
    let other = sandbox.train(&["--num-samples", "400", "--models-dir", "other"]);
    fs::copy(sandbox.path(other["model_path"].as_str().unwrap()), &path).unwrap();
    sandbox
        .run(&["rollback"])
        .assert_refused(3, "not the model that the record names");
    fs::remove_file(&path).unwrap();
    sandbox.run(&["rollback"]).assert_refused(1, "cannot open");
    assert_eq!(fs::read(sandbox.path("models/promotions.jsonl")).unwrap(), before);
}

/// The path of a model from a summary, as `history` shows it.
fn shown(summary: &Value) -> String {
    let path = summary["model_path"].as_str().unwrap();
    path.strip_prefix("models/").unwrap().to_owned()
}

#[test]
fn rollback_goes_to_any_model_that_was_in_use_and_a_second_time_changes_nothing() {
    let sandbox = Sandbox::new();
    let models: Vec<String> = ["1", "2", "3"]
        .iter()
        .map(|seed| shown(&sandbox.train(&["--num-samples", "500", "--seed", seed])))
        .collect();
    let refused = shown(&sandbox.train(&["--num-samples", "500", "--promotion-max-ece", "0"]));
    let file_name = models[0].strip_prefix("current/").unwrap();
    let absolute = sandbox.path("models").join(&models[0]);
    for named in [
        models[0].as_str(),
        file_name,
        &format!("models/{}", models[0]),
        &format!("./models/../models/{}", models[0]),
        absolute.to_str().unwrap(),
    ] {
        let to_first = ["rollback", "--to", named];
        let ended = sandbox.run(&to_first);
        assert_eq!(ended.code, 0, "{ended:?}");
        assert_eq!(used(&sandbox), format!("models/{}", models[0]));
        let (record, files) = (record(&sandbox), sandbox.files("models"));
        let again = sandbox.run(&to_first);
        let said = format!("{} is current already; nothing was changed\n", models[0]);
        assert_eq!((again.code, again.stdout, again.stderr.as_str()), (0, said, ""));
        let json = sandbox.run(&[&to_first[..], &["--json"]].concat());
        assert_eq!((json.code, json.json_lines()), (0, record[record.len() - 1..].to_vec()));
        assert_eq!((self::record(&sandbox), sandbox.files("models")), (record, files));
        // Nor does what was left for it get lost.
        assert_eq!(sandbox.run(&["rollback", "--to", &models[2]]).code, 0);
        assert_eq!(used(&sandbox), format!("models/{}", models[2]));
    }
    let before = record(&sandbox);
    sandbox.write("elsewhere.json", "");
    for named in [
        &refused,
        "gone.json",
        "current/gone.json",
        "elsewhere.json",
        "..",
        "/",
        "other/anomaly_model_20261122_120000.json",
        "",
    ] {
        let ended = sandbox.run(&["rollback", "--to", named]);
        let code = if named.is_empty() { 2 } else { 3 };
        assert_eq!(ended.code, code, "{named}: {ended:?}");
    }
    assert_eq!(record(&sandbox), before);
}

#[test]
fn promote_puts_a_refused_model_into_use_and_records_that_it_was_by_hand_and_what_the_verdict_was() {
    let sandbox = Sandbox::new();
    let first = shown(&sandbox.train(&MIXED));
    let refused = sandbox.train(&[&MIXED[..], &["--promotion-max-ece", "0"]].concat());
    let candidate = shown(&refused);
    let files = sandbox.files("models");
    let ended = sandbox.run(&["promote", &candidate]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(
        ended.stdout,
        format!(
            "{candidate} is current now, instead of {first}; both stay where they are; the gate had refused it, and history \
             says why\n"
        )
    );
    assert_eq!(used(&sandbox), format!("models/{candidate}"));
    assert_eq!(sandbox.files("models"), files);
    let entries = record(&sandbox);
    let by_hand = &entries[2];
    assert_eq!(by_hand["act"], "promoted_by_hand");
    for member in ["model", "digest", "reasons", "metrics", "champion"] {
        assert_eq!(by_hand[member], entries[1][member], "{member}");
    }
    assert_eq!(by_hand["reasons"], refused["reasons"]);

    let again = sandbox.run(&["promote", &candidate]);
    let said = format!("{candidate} is current already; nothing was changed\n");
    assert_eq!((again.code, again.stdout, again.stderr.as_str()), (0, said, ""));
    assert_eq!(record(&sandbox), entries);
    let history = sandbox.run(&["history"]).stdout;
    assert!(
        history.contains("* 2026-11-22T12:00:00Z  promoted by hand "),
        "{history}"
    );
    assert!(history.contains("in spite of: ECE"), "{history}");
    // What the gate said of it still holds.
    assert_eq!(sandbox.run(&["verify"]).code, 0);

    // The next model is compared with it, and it can be gone back from and to.
    let next = sandbox.train(&[&MIXED[..], &["--promotion-max-regression", "1"]].concat());
    assert_eq!(next["champion"]["model"], candidate.as_str());
    assert_eq!(sandbox.run(&["rollback"]).code, 0);
    assert_eq!(used(&sandbox), format!("models/{candidate}"));
    assert_eq!(sandbox.run(&["rollback"]).code, 0);
    assert_eq!(used(&sandbox), format!("models/{first}"));
    sandbox.run(&["rollback"]).assert_refused(3, "none to go back to");
    assert_eq!(sandbox.run(&["rollback", "--to", &candidate]).code, 0);
    // An earlier model can be promoted as well.
    let ended = sandbox.run(&["promote", &shown(&next)]);
    assert!(ended.stdout.ends_with("; both stay where they are\n"), "{ended:?}");
    assert_eq!(used(&sandbox), next["model_path"].as_str().unwrap());
}

#[test]
fn promote_takes_no_model_that_is_damaged_gone_or_another_than_was_judged() {
    let sandbox = Sandbox::new();
    let ended = sandbox.run(&["promote", "anomaly_model_20261122_120000.json"]);
    ended.assert_refused(3, "no such model in models");
    assert!(sandbox.files("").is_empty());
    let good = sandbox.train(&["--num-samples", "500"]);
    let refused = sandbox.train(&["--num-samples", "500", "--promotion-max-ece", "0"]);
    let other = sandbox.train(&["--num-samples", "400", "--models-dir", "other"]);
    let path = sandbox.path(refused["model_path"].as_str().unwrap());
    let before = record(&sandbox);
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    // Both folders have a file of that name.
    assert!(good["model_path"].as_str().unwrap().ends_with(&name));
    sandbox.run(&["promote", &name]).assert_refused(3, "name one of them");
    fs::copy(sandbox.path(other["model_path"].as_str().unwrap()), &path).unwrap();
    sandbox
        .run(&["promote", &shown(&refused)])
        .assert_refused(3, "not the model that the record names");
    fs::write(&path, "{").unwrap();
    sandbox.run(&["promote", &shown(&refused)]).assert_refused(3, "");
    fs::remove_file(&path).unwrap();
    sandbox
        .run(&["promote", &shown(&refused)])
        .assert_refused(1, "cannot open");
    sandbox
        .run(&["promote", other["model_path"].as_str().unwrap()])
        .assert_refused(3, "no such model in models");
    assert_eq!(record(&sandbox), before);
}

#[test]
fn a_record_that_cannot_be_read_is_moved_away_and_another_begun_with_the_model_to_use() {
    let sandbox = Sandbox::new();
    let first = shown(&sandbox.train(&["--num-samples", "500"]));
    let refused = shown(&sandbox.train(&["--num-samples", "500", "--promotion-max-ece", "0"]));
    let record_path = sandbox.path("models/promotions.jsonl");
    // As it was written before lines were chained.
    let older = fs::read_to_string(&record_path)
        .unwrap()
        .replace("\"previous\"", "\"follows\"");
    fs::write(&record_path, older).unwrap();
    sandbox
        .run(&["promote", &first])
        .assert_refused(3, "or move it away and name the model to use with promote");
    fs::rename(&record_path, sandbox.path("away")).unwrap();
    for model in [&first, &refused] {
        let ended = sandbox.run(&["promote", model]);
        assert_eq!(ended.code, 0, "{ended:?}");
        assert_eq!(used(&sandbox), format!("models/{model}"));
        assert_eq!(sandbox.run(&["verify"]).code, 0);
    }
    let entries = record(&sandbox);
    assert_eq!(entries[0]["reasons"], serde_json::json!([]));
    assert_eq!(entries[1]["reasons"][0]["code"], "ece");
}

#[test]
fn history_shows_all_that_was_recorded_and_marks_the_current_model() {
    let sandbox = Sandbox::new();
    let ended = sandbox.run(&["history"]);
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (0, "models: nothing was recorded yet\n")
    );
    sandbox.train(&MIXED);
    sandbox.train(&[&MIXED[..], &["--promotion-max-ece", "0"]].concat());
    let ended = sandbox.run(&["history"]);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert!(lines[1].starts_with("* 2026-11-22T12:00:00Z  promoted "), "{ended:?}");
    assert!(lines[2].contains("refused"), "{ended:?}");
    assert!(lines[3].contains("not promoted: ECE"), "{ended:?}");
    assert!(
        lines[4].starts_with("* current: current/anomaly_model_20261122_120000.json, digest "),
        "{ended:?}"
    );
    let json = sandbox.run(&["history", "--json"]).stdout;
    assert_eq!(
        json.as_bytes(),
        fs::read(sandbox.path("models/promotions.jsonl")).unwrap()
    );
}

#[test]
fn a_damaged_record_stops_everything_that_depends_on_it_and_is_not_touched() {
    let sandbox = Sandbox::new();
    sandbox.train(&["--num-samples", "500"]);
    let whole = fs::read_to_string(sandbox.path("models/promotions.jsonl")).unwrap();
    let damaged = format!("{}{whole}", whole.replace("promoted", "demoted"));
    sandbox.write("models/promotions.jsonl", &damaged);
    for args in [
        &["--num-samples", "500"][..],
        &["predict"],
        &["rollback"],
        &["history"],
        &["verify"],
    ] {
        sandbox.run(args).assert_refused(3, "promotions.jsonl:1: not a line");
    }
    assert_eq!(
        fs::read_to_string(sandbox.path("models/promotions.jsonl")).unwrap(),
        damaged
    );
    // What a killed run left of a line is no damage.
    let metrics = whole.find("\"ece\":").unwrap() + 6;
    let ece = &whole[metrics..metrics + whole[metrics..].find('}').unwrap()];
    let digest = &whole[whole.find("\"digest\":\"").unwrap() + 10..][..64];
    for (from, to) in [
        (ece, "7.5"),
        (ece, "-0.5"),
        (digest, "ab"),
        (digest, &digest.to_uppercase()),
    ] {
        sandbox.write("models/promotions.jsonl", whole.replacen(from, to, 1));
        sandbox
            .run(&["history"])
            .assert_refused(3, "promotions.jsonl:1: not a line");
    }
    sandbox.write("models/promotions.jsonl", format!("{whole}{}", &whole[..100]));
    let ended = sandbox.run(&["history"]);
    assert_eq!(ended.code, 0);
    assert!(ended.stderr.contains("cut off"), "{ended:?}");
    sandbox.train(&["--num-samples", "500"]);
    assert_eq!(record(&sandbox).len(), 2);
}

#[test]
fn an_edited_removed_or_moved_line_stops_everything_that_depends_on_the_record_and_is_named() {
    let sandbox = Sandbox::new();
    for seed in ["1", "2", "3"] {
        sandbox.train(&["--num-samples", "500", "--seed", seed]);
    }
    let whole = fs::read_to_string(sandbox.path("models/promotions.jsonl")).unwrap();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    let edited = lines[0].replace("12:00:00", "13:00:00");
    for (text, says) in [
        (
            edited + lines[1] + lines[2],
            "promotions.jsonl:2: does not go on from line 1",
        ),
        (
            lines[0].to_owned() + lines[2],
            "promotions.jsonl:2: does not go on from line 1",
        ),
        (
            [lines[0], lines[2], lines[1]].concat(),
            "promotions.jsonl:2: does not go on from line 1",
        ),
        (
            lines[1..].concat(),
            "promotions.jsonl:1: the lines that stood before this one were removed",
        ),
    ] {
        sandbox.write("models/promotions.jsonl", &text);
        for args in [
            &["--num-samples", "500"][..],
            &["predict"],
            &["rollback"],
            &["history"],
            &["verify"],
            &["verify", "models/current/anomaly_model_20261122_120000.json"],
        ] {
            let ended = sandbox.run(args);
            ended.assert_refused(3, says);
            assert!(ended.stderr.contains("restore the file"), "{ended:?}");
        }
        assert_eq!(
            fs::read_to_string(sandbox.path("models/promotions.jsonl")).unwrap(),
            text
        );
    }
}

#[test]
fn what_was_changed_in_the_last_line_is_found_by_its_model() {
    let sandbox = Sandbox::new();
    let model = sandbox.train(&["--num-samples", "500"])["model_path"]
        .as_str()
        .unwrap()
        .to_owned();
    let whole = fs::read_to_string(sandbox.path("models/promotions.jsonl")).unwrap();
    for (from, to) in [
        ("T12:00:00Z", "T11:00:00Z"),
        ("\"accuracy\":1.0", "\"accuracy\":0.5"),
        ("\"promoted\"", "\"refused\""),
        ("\"reasons\":[]", "\"reasons\":[{\"code\":\"ece\",\"text\":\"\"}]"),
    ] {
        let edited = whole.replacen(from, to, 1);
        assert_ne!(edited, whole);
        sandbox.write("models/promotions.jsonl", edited);
        let ended = sandbox.run(&["verify", &model]);
        assert_eq!(ended.code, 3, "{ended:?}");
        assert!(ended.stdout.contains("record: FAILED"), "{ended:?}");
    }
    sandbox.write("models/promotions.jsonl", "");
    let ended = sandbox.run(&["verify", &model]);
    assert!(ended.stderr.contains("the record does not know this file"), "{ended:?}");
}

#[test]
fn a_clock_that_was_set_back_does_not_change_who_is_newest() {
    let sandbox = Sandbox::new();
    let at = |epoch: &str, seed: &str| {
        let mut command = sandbox.command(&["--num-samples", "500", "--json", "--seed", seed]);
        let output = command.env("SOURCE_DATE_EPOCH", epoch).output().unwrap();
        let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
        summary["model_path"].as_str().unwrap().to_owned()
    };
    let later = at("1795348800", "1");
    let earlier = at("0", "2");
    assert!(earlier < later);
    assert_eq!(used(&sandbox), earlier);
}
