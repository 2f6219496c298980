//! What happens when there is no room for more names, agents or cohorts.

use crate::common::Sandbox;

/// An event of an agent at second `time`.
fn event(agent: &str, action: &str, time: usize) -> String {
    format!("{{\"agent_id\": \"{agent}\", \"action_type\": \"{action}\", \"timestamp\": {time}}}\n")
}

/// The sessions of agents who each do the same `actions`, and one who has taken up all the room for names before.
fn input(noise: usize, actions: &[&str]) -> String {
    let noise = (0..noise).map(|i| event("noise", &format!("noise {i}"), i));
    let actions = actions.iter().enumerate();
    noise
        .chain(actions.map(|(place, action)| event("a", action, 1000 + place)))
        .collect()
}

#[test]
fn what_the_model_knows_has_a_name_however_many_other_names_there_are() {
    let sandbox = Sandbox::new();
    let model = sandbox.train(&["--num-samples", "1000"])["model_path"].clone();
    let model = format!("--model={}", model.as_str().unwrap());
    let attack = ["read", "scan", "exploit", "exfiltrate", "cover_tracks", "delete"];
    let run = |noise, more: &[&str]| {
        let options = [
            "monitor",
            &model,
            "--anomaly-threshold=0.6",
            "--rules=original",
            "--cooldown=0",
            "--reorder=0",
        ];
        let ended = sandbox.run_with_input(&[&options[..], more].concat(), input(noise, &attack).as_bytes());
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let alerts = ended.json_lines().into_iter();
        let alerts = alerts.filter(|alert| alert["anomaly_type"] == "model" && alert["agent_id"] == "a");
        let evidence: Vec<_> = alerts.map(|alert| alert["evidence"].clone()).collect();
        (evidence, ended.stderr)
    };
    let (expected, errors) = run(50, &[]);
    assert!(!expected.is_empty());
    assert!(!errors.contains("room for"), "{errors}");
    let (found, errors) = run(50, &["--max-actions=10"]);
    assert_eq!(found, expected);
    assert_eq!(
        errors.matches("[WARN] there is no room for more than 10 names").count(),
        1,
        "{errors}"
    );
    assert!(
        errors.contains(", 40 events without room for the name of their action"),
        "{errors}"
    );

    // And after a restart, which forgets nothing.
    let state = ["--max-actions=10", "--state=state"];
    run(50, &state);
    let saved = std::fs::read(sandbox.path("state")).unwrap();
    let ended = sandbox.run_with_input(
        &[
            &[
                "monitor",
                &model,
                "--anomaly-threshold=0.6",
                "--rules=original",
                "--cooldown=0",
                "--reorder=0",
            ][..],
            &state,
        ]
        .concat(),
        event("a", "inject", 1010).as_bytes(),
    );
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(!ended.stderr.contains("[WARN]"), "{}", ended.stderr);
    assert_ne!(std::fs::read(sandbox.path("state")).unwrap(), saved);
}

#[test]
fn limits_can_be_raised_from_one_run_to_the_next_but_not_lowered() {
    let sandbox = Sandbox::new();
    let run = |limits: [&str; 3], time| {
        let args = [&["monitor", "--state=state", "--reorder=0"], &limits[..]].concat();
        sandbox.run_with_input(
            &args,
            (0..9)
                .map(|i| event(&format!("a{i}"), &format!("x{i}"), time))
                .collect::<String>()
                .as_bytes(),
        )
    };
    let small = ["--max-agents=3", "--max-cohorts=2", "--max-actions=4"];
    let ended = run(small, 0);
    assert!(ended.stderr.contains("3 agents known, 6 agents"), "{}", ended.stderr);
    let ended = run(["--max-agents=9", "--max-cohorts=3", "--max-actions=9"], 1);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("9 agents known, 6 agents"), "{}", ended.stderr);
    let ended = run(small, 2);
    ended.assert_refused(3, "saved with max_actions 9, now it is 4; it can only be raised");
}

#[test]
fn a_state_holds_each_name_once_however_many_agents_have_done_it() {
    let sandbox = Sandbox::new();
    let long = "x".repeat(1000);
    let lines = |agents: usize| -> String {
        (0..agents)
            .flat_map(|agent| (0..100).map(move |action| (agent, action)))
            .map(|(agent, action)| event(&format!("a{agent}"), &format!("{action}{long}"), action))
            .collect()
    };
    let size = |agents| {
        let _ = std::fs::remove_file(sandbox.path("state"));
        let ended = sandbox.run_with_input(
            &["monitor", "-q", "--state=state", "--reorder=0"],
            lines(agents).as_bytes(),
        );
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        std::fs::metadata(sandbox.path("state")).unwrap().len()
    };
    let (one, forty) = (size(1), size(40));
    assert!(forty < one + 200_000, "{one} and {forty} bytes");
    // And it is read again.
    let ended = sandbox.run(&["monitor", "--state=state", "--reorder=0"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("[INFO] 4000 events"), "{}", ended.stderr);
}
