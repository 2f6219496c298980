//! Looking at data without training on them, and what is said where a model meets what it does not know.

use crate::common::Sandbox;

#[test]
fn check_says_what_is_there_and_what_stands_against_it() {
    let sandbox = Sandbox::new();
    let line = |task: &str, sequence: &str, label: u8| {
        format!("{{\"task\":\"{task}\",\"sequence\":[{sequence}],\"label\":{label}}}\n")
    };
    let mut data = line("a", "\"read\",\"write\"", 0).repeat(6) + &line("b", "\"read\",\"write\"", 1).repeat(2);
    data += &line("b", "\"scan\"", 1);
    data += "{\"task\":\"b\",\"sequence\":[],\"label\":0}\n";
    (0..30).for_each(|number| data += &line("c", &format!("\"read:/tmp/{number}\""), 0));
    sandbox.write("data", data);
    let checked = sandbox
        .run(&["check", "data", "--group-by", "task", "--json"])
        .json_lines()
        .remove(0);
    let data = &checked["data"];
    assert_eq!(
        (
            &data["samples"]["normal"],
            &data["samples"]["anomalous"],
            &data["skipped_empty"]
        ),
        (&36.into(), &3.into(), &1.into())
    );
    assert_eq!(
        data["conflicts"],
        serde_json::json!({"sequences": 1, "samples": 8, "lost": 2})
    );
    assert_eq!(
        data["lengths"],
        serde_json::json!({"least": 1, "median": 1, "ninetieth": 2, "most": 2})
    );
    assert_eq!(
        (&data["actions"], &data["actions_seen_once"], &data["sequences"]),
        (&33.into(), &31.into(), &32.into())
    );
    let groups = serde_json::json!({"count": 3, "smallest": 3, "largest": 30, "of_one_class": 3, "shared_samples": 8});
    assert_eq!(
        (&data["groups"], &checked["drift"]),
        (&groups, &serde_json::Value::Null)
    );
    let advice = checked["advice"].to_string();
    for says in [
        "only 39 samples",
        "allows an accuracy of 0.9487 at best",
        "33 action names would be 4 without the numbers",
    ] {
        assert!(advice.contains(says), "{advice}");
    }
    let ended = sandbox.run(&["check", "data"]);
    assert_eq!(ended.code, 0);
    assert!(
        ended
            .stdout
            .contains("samples: 39; 36 normal, 3 anomalous (7.7 %); 1 more without an action"),
        "{ended:?}"
    );
    assert!(!sandbox.path("models").exists());
    sandbox.run(&["check", "missing"]).assert_refused(1, "missing");
    sandbox.write("empty", "");
    sandbox.run(&["check", "empty"]).assert_refused(3, "empty");
}

fn sessions(sandbox: &Sandbox, name: &str, samples: &str, seed: &str) -> String {
    let text = sandbox
        .run(&[
            "generate",
            "--scenario",
            "mixed",
            "--num-samples",
            samples,
            "--seed",
            seed,
        ])
        .stdout;
    sandbox.write(name, &text);
    text
}

/// The same sessions with another name for each action.
fn renamed(text: &str) -> String {
    let rename = |line: &str| {
        let (actions, label) = line.split_once(']').unwrap();
        let (head, actions) = actions.split_once('[').unwrap();
        let actions: Vec<String> = actions
            .split(',')
            .map(|action| action.replacen('"', "\"prod.", 1))
            .collect();
        format!("{head}[{}]{label}\n", actions.join(","))
    };
    text.lines().map(rename).collect()
}

#[test]
fn actions_that_a_model_does_not_know_are_named_with_the_nearest_known_ones() {
    let sandbox = Sandbox::new();
    sessions(&sandbox, "data", "1500", "1");
    let model = sandbox.train(&["--data", "data"])["model_path"]
        .as_str()
        .unwrap()
        .to_owned();
    let known = sessions(&sandbox, "known", "200", "2");
    sandbox.write("other", renamed(&known));
    let events = "{\"agent_id\":\"a\",\"action_type\":\"prod.read\",\"timestamp\":1}\n{\"agent_id\":\"a\",\"action_type\":\"prod.write\",\"timestamp\":2}\n";
    sandbox.write("events", events);
    sandbox.write("known_events", events.replace("prod.", ""));
    for (command, file, same) in [
        (&["predict", "--model", &model][..], "other", "known"),
        (&["evaluate", "--model", &model, "--data"], "other", "known"),
        (&["monitor", "--model", &model], "events", "known_events"),
    ] {
        let ended = sandbox.run(&[command, &[file]].concat());
        assert_eq!(ended.code, 0, "{ended:?}");
        let warned = "[WARN] 100 % of the actions are unknown to this model";
        assert!(
            ended.stderr.contains(warned) && ended.stderr.contains("prod.read (it knows read)"),
            "{ended:?}"
        );
        let ended = sandbox.run(&[command, &[same]].concat());
        assert!(!ended.stderr.contains("unknown to this model"), "{ended:?}");
    }
    // Threads change nothing, and neither does where a line stands.
    let words = |threads: &str| {
        sandbox
            .run(&["predict", "--model", &model, "--threads", threads, "other"])
            .stderr
    };
    assert_eq!(words("1"), words("3"));
}

#[test]
fn a_model_is_told_apart_from_data_that_are_other_than_its_own() {
    let sandbox = Sandbox::new();
    let text = sessions(&sandbox, "data", "1500", "1");
    let model = sandbox.train(&["--data", "data"])["model_path"]
        .as_str()
        .unwrap()
        .to_owned();
    sandbox.write("other", renamed(&text));
    let drift = |file: &str| {
        let args = ["check", file, "--model", &model, "--json"];
        sandbox.run(&args).json_lines().remove(0)["drift"].clone()
    };
    let (same, other) = (drift("data"), drift("other"));
    let psi = |drift: &serde_json::Value| drift["population_stability"].as_f64().unwrap();
    assert!(psi(&same) < 0.01 && psi(&other) > 1.0, "{same} {other}");
    assert_eq!(
        (&same["samples_with_new_actions"], &other["samples_with_new_actions"]),
        (&0.0.into(), &1.0.into())
    );
    let ended = sandbox.run(&["check", "other", "--model", &model, "--report", "page.html"]);
    let page = std::fs::read_to_string(sandbox.path("page.html")).unwrap();
    for part in [
        "Against the training part of the model",
        "Population stability ",
        "<code>prod.<wbr>read</code>",
        "<td>new</td>",
        "best accuracy",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("NaN") && !page.contains("url("));
    let refused = sandbox.run(&["check", "other", "--report", "data"]);
    assert!(
        refused.code == 2 && refused.stderr.contains("--report data"),
        "{refused:?}"
    );
    assert!(
        ended.stdout.contains("actions are other than in training")
            && ended.stderr.contains("100 % of the actions are unknown"),
        "{ended:?}"
    );
}

#[test]
fn anomalies_that_are_far_rarer_than_in_training_are_warned_of_with_the_remedy() {
    let sandbox = Sandbox::new();
    let text = sessions(&sandbox, "data", "2000", "1");
    sandbox.train(&["--data", "data"]);
    let mut anomalous = 0;
    let rare = text.lines().filter(|line| {
        let is_anomalous = line.ends_with("1}");
        anomalous += u64::from(is_anomalous);
        !is_anomalous || anomalous % 20 == 0
    });
    let rare: String = rare.map(|line| format!("{line}\n")).collect();
    sandbox.write("rare", rare);
    let warned = |args: &[&str]| sandbox.run(&[&["evaluate", "--data", "rare"], args].concat()).stderr;
    let plain = warned(&[]);
    assert!(plain.contains("so they are too high here; --base-rate "), "{plain}");
    let rate = plain.split("--base-rate ").nth(1).unwrap().split(' ').next().unwrap();
    assert!(!warned(&["--base-rate", rate]).contains("too high here"));
    let all = sandbox.run(&["evaluate", "--data", "data"]).stderr;
    assert!(!all.contains("too high here"), "{all}");
}
