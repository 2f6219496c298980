//! What a monitor makes of a stream by its own rules: time, order, floods, alerts, and a budget of false alarms.

use crate::common::{Ended, Sandbox};
use serde_json::{Value, json};
use std::fmt::Write;

/// A day in 2026.
const START: f64 = 1_795_341_600.0;

fn event(agent: &str, action: &str, time: f64) -> String {
    let timestamp = START + time;
    format!("{{\"agent_id\":\"{agent}\",\"action_type\":\"{action}\",\"timestamp\":{timestamp}}}\n")
}

fn with_host(event: &str, host: &str) -> String {
    event.replace('}', &format!(",\"host\":\"{host}\"}}"))
}

fn watch(sandbox: &Sandbox, args: &[&str], input: &str) -> Ended {
    sandbox.write("events", input);
    let ended = sandbox.run(&[&["monitor"], args, &["events"]].concat());
    assert!([0, 5].contains(&ended.code), "{}", ended.stderr);
    ended
}

fn of_kind(alerts: &[Value], kind: &str) -> Vec<Value> {
    let alerts = alerts.iter().filter(|alert| alert["anomaly_type"] == kind);
    alerts.cloned().collect()
}

fn model(sandbox: &Sandbox) -> String {
    let summary = sandbox.train(&["--num-samples", "2000"]);
    format!("--model={}", summary["model_path"].as_str().unwrap())
}

/// An innocent workflow and an attack by one agent, five seconds between actions.
const ATTACK: [&str; 9] = [
    "read",
    "process",
    "write",
    "scan",
    "exploit",
    "inject",
    "delete",
    "exfiltrate",
    "cover_tracks",
];

fn attack(from: f64) -> Vec<String> {
    (0..)
        .zip(ATTACK)
        .map(|(step, action)| event("a", action, from + 5.0 * f64::from(step)))
        .collect()
}

/// What a model said, without where it stands in the input.
fn said(alerts: &[Value]) -> Vec<Value> {
    let mut alerts = of_kind(alerts, "model");
    for alert in &mut alerts {
        let members = alert.as_object_mut().unwrap();
        for member in ["line", "alert_id", "file"] {
            members.remove(member);
        }
    }
    alerts
}

#[test]
fn events_out_of_order_by_less_than_the_wait_lead_to_the_alerts_of_those_in_order() {
    let sandbox = Sandbox::new();
    let model = model(&sandbox);
    let mut lines: Vec<String> = (0..ATTACK.len())
        .map(|i| event("a", ATTACK[i], i as f64 * 0.3))
        .collect();
    let ordered = watch(&sandbox, &[&model], &lines.concat());
    let expected = said(&ordered.json_lines());
    assert!(
        expected.iter().any(|alert| alert["severity"] == "critical"),
        "{}",
        ordered.stdout
    );
    for step in [3, 5, 7] {
        (0..ATTACK.len()).for_each(|place| lines.swap(place, place * step % ATTACK.len()));
        let ended = watch(&sandbox, &[&model], &lines.concat());
        assert_eq!(said(&ended.json_lines()), expected);
        assert!(!ended.stderr.contains("late"), "{}", ended.stderr);
    }
    // The wait is what does it.
    let ended = watch(&sandbox, &[&model, "--reorder=0"], &lines.concat());
    assert!(ended.stderr.contains(" late, "), "{}", ended.stderr);
}

#[test]
fn an_event_that_comes_much_later_goes_to_its_place_in_the_session() {
    let sandbox = Sandbox::new();
    let model = model(&sandbox);
    let mut lines = attack(0.0);
    let last = lines.pop().unwrap();
    let late = lines.remove(2);
    lines.push(late);
    lines.push(last);
    // Others go on meanwhile, so that the stream does not wait for it.
    lines.splice(4..4, (0..40).map(|i| event("b", "read", 20.0 + f64::from(i) / 10.0)));
    let ended = watch(
        &sandbox,
        &[&model, "--cooldown=0", "--max-alerts=1000"],
        &lines.concat(),
    );
    let alerts = of_kind(&ended.json_lines(), "model");
    let last = alerts.iter().rfind(|alert| alert["agent_id"] == "a").unwrap();
    assert_eq!(last["sequence"], json!(ATTACK));
    assert!(ended.stderr.contains("1 late"), "{}", ended.stderr);
}

#[test]
fn a_clock_in_the_future_moves_no_other_and_is_told_of_once() {
    let sandbox = Sandbox::new();
    let model = model(&sandbox);
    let alone = said(&watch(&sandbox, &[&model], &attack(0.0).concat()).json_lines());
    for ahead in [100.0, 3600.0, 31_536_000.0] {
        let mut input = String::new();
        for (step, line) in attack(0.0).into_iter().enumerate() {
            input += &line;
            input += &event("ahead", "read", ahead + 5.0 * step as f64);
        }
        let ended = watch(&sandbox, &[&model], &input);
        let alerts = ended.json_lines();
        let of_a: Vec<Value> = said(&alerts)
            .into_iter()
            .filter(|alert| alert["agent_id"] == "a")
            .collect();
        assert_eq!(of_a.len(), alone.len(), "{ahead}: {}", ended.stdout);
        for (found, expected) in of_a.iter().zip(&alone) {
            assert_eq!(found["sequence"], expected["sequence"], "{ahead}");
        }
        let clocks = of_kind(&alerts, "clock");
        assert_eq!(clocks.len(), 1, "{ahead}: {clocks:?}");
        assert_eq!(clocks[0]["severity"], "info");
        assert!(ended.stderr.contains("[INFO] 18 events"), "{}", ended.stderr);
    }
}

#[test]
fn two_hosts_with_clocks_ten_minutes_apart_are_one_stream_and_none_of_it_is_lost() {
    let sandbox = Sandbox::new();
    let model = model(&sandbox);
    let others = |i: usize| event(&format!("b{}", i % 7), "read", i as f64);
    let lines = |lag: f64| -> Vec<String> {
        (0..200)
            .map(|i: usize| {
                let (host, behind) = if i % 2 == 1 { ("b", lag) } else { ("a", 0.0) };
                let line = match i.checked_sub(100).filter(|&step| step < ATTACK.len()) {
                    Some(step) => event("a", ATTACK[step], i as f64 - behind),
                    None => others(i).replace(
                        &format!("{}", START + i as f64),
                        &format!("{}", START + i as f64 - behind),
                    ),
                };
                with_host(&line, host)
            })
            .collect()
    };
    let args = [&model, "--frequency-events=10000"];
    let expected = said(&watch(&sandbox, &args, &lines(0.0).concat()).json_lines());
    assert!(!expected.is_empty());
    for more in [&["--source-field=host"][..], &[]] {
        let ended = watch(&sandbox, &[&args[..], more].concat(), &lines(600.0).concat());
        let alerts = ended.json_lines();
        let found = said(&alerts);
        let sequences = |alerts: &[Value]| alerts.iter().map(|alert| alert["sequence"].clone()).collect::<Vec<_>>();
        assert_eq!(sequences(&found), sequences(&expected), "{more:?}");
        let clocks = of_kind(&alerts, "clock");
        assert_eq!(clocks.len(), 1, "{more:?}");
        let ahead = clocks[0]["evidence"]["ahead_seconds"].as_f64().unwrap();
        assert!((ahead + 600.0).abs() < 10.0, "{more:?} {ahead}");
        let source = &clocks[0]["evidence"]["source"];
        assert_eq!(*source, if more.is_empty() { Value::Null } else { json!("b") });
        assert!(ended.stderr.contains("[INFO] 200 events"), "{}", ended.stderr);
    }
}

#[test]
fn an_event_without_a_time_was_with_the_one_before_it_in_a_file() {
    let sandbox = Sandbox::new();
    let model = model(&sandbox);
    let mut lines = attack(0.0);
    let (timed, untimed) = (lines.concat(), event("a", ATTACK[3], 15.0));
    lines[3] = untimed.split(",\"timestamp\"").next().unwrap().to_owned() + "}\n";
    let expected = said(&watch(&sandbox, &[&model], &timed).json_lines());
    let ended = watch(&sandbox, &[&model], &lines.concat());
    assert_eq!(said(&ended.json_lines()), expected);
    assert!(!ended.stderr.contains("late"), "{}", ended.stderr);
}

#[test]
fn one_event_that_is_stamped_ahead_makes_no_burst() {
    let input: String = (0..100)
        .map(|i| {
            event(
                "x",
                &format!("a{}", i % 6),
                f64::from(5 * i) + if i == 10 { 290.0 } else { 0.0 },
            )
        })
        .collect();
    let sandbox = Sandbox::new();
    let alerts = watch(&sandbox, &[], &input).json_lines();
    assert!(of_kind(&alerts, "frequency").is_empty());
    assert_eq!(of_kind(&alerts, "clock").len(), 1);
}

#[test]
fn a_flood_of_new_agents_is_an_alert_and_pushes_nobody_out() {
    let sandbox = Sandbox::new();
    let model = model(&sandbox);
    let expected = said(&watch(&sandbox, &[&model], &attack(0.0).concat()).json_lines());
    let mut input = String::new();
    for (step, line) in attack(0.0).into_iter().enumerate() {
        input += &line;
        for i in 0..400 {
            let flood = event(&format!("flood-{step}-{i}"), "delete", 5.0 * step as f64 + 1.0);
            input += &flood.replace('}', ",\"cohort\":\"new\",\"host\":\"x\"}");
        }
    }
    let ended = watch(&sandbox, &[&model, "--max-agents=1000", "--source-field=host"], &input);
    let alerts = ended.json_lines();
    let of_a: Vec<Value> = said(&alerts)
        .into_iter()
        .filter(|alert| alert["agent_id"] == "a")
        .collect();
    assert_eq!(of_a, expected);
    let floods = of_kind(&alerts, "flood");
    assert_eq!(floods.len(), 1);
    let evidence = &floods[0]["evidence"];
    assert_eq!((&evidence["cohort"], &evidence["source"]), (&json!("new"), &json!("x")));
    assert!(evidence["with_one_action"].as_u64() >= Some(100), "{evidence}");
    // Alerts about those that came and went are counted, not said.
    let of_flood = alerts.iter().filter(|alert| {
        alert["agent_id"]
            .as_str()
            .is_some_and(|agent| agent.starts_with("flood"))
    });
    assert!(of_flood.count() <= 200);
    assert!(ended.stderr.contains(" held back"), "{}", ended.stderr);
}

#[test]
fn what_is_worse_always_speaks_and_says_how_many_were_held_back() {
    let sandbox = Sandbox::new();
    let model = model(&sandbox);
    let ended = watch(&sandbox, &[&model, "--anomaly-threshold=0.001"], &attack(0.0).concat());
    let alerts = of_kind(&ended.json_lines(), "model");
    let rank = |alert: &Value| {
        ["info", "warning", "critical"]
            .iter()
            .position(|name| alert["severity"] == *name)
            .unwrap()
    };
    assert!(
        alerts.len() > 1 && alerts.is_sorted_by(|a, b| rank(a) < rank(b)),
        "{alerts:?}"
    );
    let held_back: u64 = alerts.iter().filter_map(|alert| alert["held_back"].as_u64()).sum();
    assert!(held_back > 0, "{alerts:?}");
    // Under the rules of the original the first one holds the others back.
    let original = watch(
        &sandbox,
        &[&model, "--anomaly-threshold=0.001", "--rules=original"],
        &attack(0.0).concat(),
    );
    assert_eq!(of_kind(&original.json_lines(), "model").len(), 1);
}

#[test]
fn what_is_ignored_is_counted_and_nothing_is_ignored_without_limits() {
    let sandbox = Sandbox::new();
    let input: String = (0..60)
        .map(|i| event("a", "x", f64::from(i)))
        .chain((0..60).map(|i| event("b", "y", f64::from(i))))
        .collect();
    let args = [
        "--frequency-events=5",
        "--cooldown=0",
        "--max-alerts=1000",
        "--ignore=list",
    ];
    let run = |list: &str| {
        sandbox.write("list", list);
        watch(&sandbox, &args, &input)
    };
    let count = |ended: &Ended, agent: &str| {
        ended
            .json_lines()
            .iter()
            .filter(|alert| alert["agent_id"] == agent)
            .count()
    };
    let all = run("");
    let (a, b) = (count(&all, "a"), count(&all, "b"));
    assert!(a > 50 && a == b, "{a} {b}");
    let ended = run("[[ignore]]\nagent = \"a\"\nreason = \"known\"\n");
    assert_eq!((count(&ended, "a"), count(&ended, "b")), (0, b));
    assert!(ended.stderr.contains(&format!(", {a} ignored, ")), "{}", ended.stderr);
    let ended = run("[[ignore]]\naction = \"y\"\ntype = \"frequency\"\nuntil = \"2026-11-22T10:00:30Z\"\n");
    assert_eq!((count(&ended, "a"), count(&ended, "b")), (a, b - 27));
    for (list, problem) in [
        (
            "[[ignore]]\nuntil = \"2026-11-22\"\n",
            "entry 1 would pass over everything",
        ),
        ("[[ignore]]\nagnet = \"a\"\n", "list:2: unknown field `agnet`"),
        (
            "[[ignore]]\nagent = \"a\"\nuntil = \"soon\"\n",
            "list:3: expected a time",
        ),
    ] {
        sandbox.write("list", list);
        sandbox
            .run(&["monitor", "--ignore=list", "events"])
            .assert_refused(3, problem);
    }
}

#[test]
fn an_exit_code_of_five_says_that_there_was_an_alert() {
    let sandbox = Sandbox::new();
    let busy: String = (0..40).map(|i| event("a", "x", f64::from(i))).collect();
    let args = ["--exit-code", "--frequency-events=30"];
    assert_eq!(watch(&sandbox, &args, &busy).code, 5);
    assert_eq!(watch(&sandbox, &args, &event("a", "x", 0.0)).code, 0);
    assert_eq!(watch(&sandbox, &args[1..], &busy).code, 0);
}

/// Agents of different pace and habit who do not change, with risk scores in two cohorts.
fn innocent(agents: u32, count: u32, pace: f64, seed: u64) -> String {
    let mut state = seed;
    let mut draw = |limit: u32| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % u64::from(limit)) as u32
    };
    let flows = [
        ["read", "process", "write"],
        ["fetch", "transform", "load"],
        ["open", "read", "close"],
    ];
    let mut places = vec![(0, 0); agents as usize];
    let mut text = String::new();
    for number in 0..count {
        let agent = draw(agents);
        let (flow, step) = &mut places[agent as usize];
        if *step == 0 {
            *flow = draw(3) as usize;
        }
        let action = flows[*flow][*step];
        *step = (*step + 1) % 3;
        let (risk, cohort) = (f64::from(draw(100) * draw(100)) / 10_000.0, agent % 2);
        let time = START + pace * f64::from(number);
        writeln!(
            text,
            "{{\"agent_id\":\"a{agent}\",\"action_type\":\"{action}\",\"risk_score\":{risk},\"cohort\":\"c{cohort}\",\"timestamp\":{time}}}"
        )
        .unwrap();
    }
    text
}

#[test]
fn an_innocent_stream_that_does_not_change_sets_nothing_off_at_any_pace() {
    let sandbox = Sandbox::new();
    for (seed, (agents, pace)) in (1..).zip([(4, 0.2), (20, 0.05), (20, 2.0), (300, 0.1), (300, 30.0)]) {
        for count in [1500, 6000] {
            let input = innocent(agents, count, pace, seed);
            let ended = watch(&sandbox, &[], &input);
            assert_eq!(
                ended.stdout, "",
                "{agents} agents, one event in {pace} s, {count} events"
            );
            assert!(!watch(&sandbox, &["--rules=original"], &input).stdout.is_empty());
        }
    }
}

#[test]
fn a_burst_is_told_of_where_it_is_unusual_for_the_agent() {
    let sandbox = Sandbox::new();
    let mut input = innocent(4, 800, 1.0, 5);
    input += &(0..120)
        .map(|i| event("a1", "read", 800.0 + f64::from(i) / 10.0))
        .collect::<String>();
    let alerts = watch(&sandbox, &[], &input).json_lines();
    let bursts = of_kind(&alerts, "frequency");
    assert_eq!(bursts.len(), 1, "{alerts:?}");
    assert_eq!(bursts[0]["agent_id"], "a1");
    assert!(
        bursts[0]["evidence"]["events"].as_u64() > Some(45),
        "{}",
        bursts[0]["evidence"]
    );
}

#[test]
fn drift_of_what_the_model_says_and_of_unknown_actions_is_told_by_cohort() {
    let sandbox = Sandbox::new();
    let summary = sandbox.train(&["--num-samples", "2000", "--scenario", "mixed"]);
    let model = format!("--model={}", summary["model_path"].as_str().unwrap());
    let sessions = |from: u32, prefix: &str, cohort: &str| -> String {
        (from..from + 300)
            .flat_map(|session| {
                let flow = if session % 3 == 0 {
                    "query filter aggregate read write"
                } else {
                    "read process write read process"
                };
                let action = |(step, action): (u32, &str)| {
                    let event = event(
                        &format!("s{session}"),
                        &format!("{prefix}{action}"),
                        f64::from(10 * session + step),
                    );
                    event.replace('}', &format!(",\"cohort\":\"{cohort}\"}}"))
                };
                (0..).zip(flow.split(' ')).map(action).collect::<Vec<_>>()
            })
            .collect()
    };
    let renamed = watch(
        &sandbox,
        &[&model, "--anomaly-threshold=0.999999"],
        &(sessions(0, "v2:", "new")),
    );
    let drifts = of_kind(&renamed.json_lines(), "distributional");
    let of: Vec<&Value> = drifts.iter().map(|alert| &alert["evidence"]["of"]).collect();
    assert!(of.contains(&&json!("unknown_actions")), "{of:?}");
    assert!(
        drifts
            .iter()
            .all(|alert| alert["cohort"] == "new" && alert["agent_id"].is_null())
    );
    assert!(drifts[0]["evidence"]["p_value"].as_f64() < Some(1e-6));
}

/// Sessions of `tasks` tasks as events with labels: each task has actions of its own, anomalous ones an attack at the end.
fn tasks(tasks: u32, each: u32) -> String {
    let mut text = String::new();
    for session in 0..tasks * each {
        let (task, anomalous) = (session % tasks, session % 11 == 0);
        let mut actions: Vec<String> = (0..4)
            .map(|step| format!("act{}", (task * 3 + step * (session % 5)) % 17))
            .collect();
        if anomalous {
            actions.extend(["leak", "hide"].map(str::to_owned));
        } else if session % 7 == 0 {
            actions.push("leak".to_owned());
        }
        for (step, action) in (0..).zip(actions) {
            let event = event(&format!("s{session}"), &action, f64::from(session * 60 + step));
            let members = format!(",\"task\":\"t{task}\",\"label\":{}}}", u8::from(anomalous));
            text += &event.replace('}', &members);
        }
    }
    text
}

#[test]
fn a_budget_is_one_of_sessions_and_says_what_it_does_and_what_it_cannot_promise() {
    let sandbox = Sandbox::new();
    sandbox.write("past", tasks(20, 40));
    let train = |args: &[&str]| {
        let summary = sandbox.train(&[&["--data", "past"], args].concat());
        format!("--model={}", summary["model_path"].as_str().unwrap())
    };
    let by_task = train(&["--group-by", "task", "--folds", "5"]);
    let budget = |model: &str, wish: &str, more: &[&str]| {
        let wish = format!("--anomaly-threshold={wish}");
        sandbox.run(&[&["monitor", model, &wish], more, &["past"]].concat())
    };
    let threshold = |ended: &Ended| {
        let text = ended.stderr.split("threshold ").nth(1).unwrap();
        text.split(':').next().unwrap().parse::<f64>().unwrap()
    };
    let ended = budget(&by_task, "false-alarms=0.05", &[]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .contains("of the normal sessions that were left out of training "),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("of one of 20 groups); "), "{}", ended.stderr);
    assert!(!ended.stderr.contains("[WARN]"), "{}", ended.stderr);
    let strict = budget(&by_task, "false-alarms=0.01", &[]);
    let cautious = budget(&by_task, "false-alarms=0.05", &["--cautious"]);
    assert!(threshold(&strict) > threshold(&ended));
    assert!(threshold(&cautious) >= threshold(&ended));
    // More is promised than there are sessions to promise it on.
    budget(&by_task, "false-alarms=0.0001", &[]).assert_refused(3, "needs 10000 normal sessions");
    // Other wishes are for whole sequences, and so is what the model was trained for.
    let ended = budget(&by_task, "recall=0.5", &[]);
    assert!(ended.stderr.contains("is that for whole sequences"), "{}", ended.stderr);
    let wished = train(&["--group-by", "task", "--anomaly-threshold", "false-alarms=0.2"]);
    let ended = sandbox.run(&["monitor", &wished, "past"]);
    assert!(
        ended
            .stderr
            .contains("[WARN] the threshold for false-alarms=0.2 is that for whole sequences"),
        "{}",
        ended.stderr
    );

    let without = train(&[]);
    let ended = budget(&without, "false-alarms=0.05", &[]);
    assert!(ended.stderr.contains("up to eight times as many"), "{}", ended.stderr);
    sandbox.write("past", tasks(4, 60));
    let few = train(&["--group-by", "task"]);
    let ended = budget(&few, "false-alarms=0.05", &[]);
    assert!(
        ended.stderr.contains("groups say little about others"),
        "{}",
        ended.stderr
    );
}
