//! Logs of kinds that nobody knows, by a mapping alone.

use crate::common::Sandbox;
use serde_json::{Value, json};

/// A shape of log: what it is like, four events of two sessions as it writes them, and the options that map it.
struct Shape {
    name: &'static str,
    text: String,
    options: &'static [&'static str],
    /// Whether sessions are cut by pauses, so that their ids have a time.
    pauses: bool,
}

/// Session, action and time in milliseconds of each event.
const EVENTS: [(&str, &str, u64); 4] = [
    ("u1", "open", 1_795_341_600_000),
    ("u2", "list", 1_795_341_600_500),
    ("u1", "read", 1_795_341_601_250),
    ("u2", "send", 1_795_341_602_000),
];

fn lines(event: impl Fn(&str, &str, u64) -> Value) -> String {
    EVENTS
        .iter()
        .map(|&(who, what, when)| event(who, what, when).to_string() + "\n")
        .collect()
}

#[allow(clippy::too_many_lines)]
fn shapes() -> Vec<Shape> {
    let iso = |millis: u64| format!("2026-11-22T10:00:{:02}.{:03}Z", millis / 1000 % 60, millis % 1000);
    vec![
        Shape {
            name: "flat, seconds",
            text: lines(|who, what, when| json!({"user": who, "op": what, "ts": when as f64 / 1000.0})),
            options: &["--agent-field", "user", "--action-field", "op", "--time-field", "ts"],
            pauses: true,
        },
        Shape {
            name: "nested, milliseconds",
            text: lines(|who, what, when| json!({"who": {"id": who}, "what": {"verb": what}, "when": {"epoch": when}})),
            options: &[
                "--agent-field=who.id",
                "--action-field=what.verb",
                "--time-field=when.epoch",
            ],
            pauses: true,
        },
        Shape {
            name: "dotted names, microseconds as text",
            text: lines(
                |who, what, when| json!({"user.name": who, "event.action": what, "@timestamp": (when * 1000).to_string()}),
            ),
            options: &[
                "--agent-field=user.name",
                "--action-field=event.action",
                "--time-field=@timestamp",
            ],
            pauses: true,
        },
        Shape {
            name: "nanoseconds and a template",
            text: lines(|who, what, when| json!({"u": who, "svc": "s3", "call": what, "t": when * 1_000_000})),
            options: &[
                "--agent-field=u",
                "--action-field={svc}:{call}",
                "--time-field=t",
                "--time-unit=ns",
            ],
            pauses: true,
        },
        Shape {
            name: "an array, numbers and booleans as names",
            text: json!(EVENTS.map(
                |(who, what, when)| json!({"tenant": 7, "session": who == "u1", "code": what.len(), "at": iso(when)})
            ))
            .to_string(),
            options: &["--session-by=tenant,session", "--action-field=code", "--time-field=at"],
            pauses: true,
        },
        Shape {
            name: "documents over several lines",
            text: EVENTS
                .iter()
                .map(|&(who, what, when)| {
                    serde_json::to_string_pretty(&json!({"a": {"b": who}, "c": what, "d": iso(when)})).unwrap() + "\n"
                })
                .collect(),
            options: &["--agent-field=a.b", "--action-field=c", "--time-field=d"],
            pauses: true,
        },
        Shape {
            name: "OCSF",
            text: lines(
                |who, what, when| json!({"class_uid": 1007, "activity_name": what, "time": when, "actor": {"user": {"name": who}}, "severity_id": 1}),
            ),
            options: &[
                "--agent-field=actor.user.name",
                "--action-field={class_uid}:{activity_name}",
                "--time-field=time",
            ],
            pauses: true,
        },
        Shape {
            name: "Windows events as JSON",
            text: lines(|who, what, when| {
                json!({"Event": {"System": {"EventID": what, "TimeCreated": {"SystemTime": iso(when)}, "Computer": "c"},
                    "EventData": {"Data": [{"@Name": "SubjectUserName", "#text": who}]}}})
            }),
            options: &[
                "--agent-field=Event.EventData.Data.SubjectUserName",
                "--action-field=Event.System.EventID",
                "--time-field=Event.System.TimeCreated.SystemTime",
            ],
            pauses: true,
        },
        Shape {
            name: "PowerShell's times",
            text: lines(|who, what, when| json!({"UserId": who, "Id": what, "TimeCreated": format!("/Date({when})/")})),
            options: &["--agent-field=UserId", "--action-field=Id", "--time-field=TimeCreated"],
            pauses: true,
        },
        Shape {
            name: "a table with tabs",
            text: EVENTS
                .iter()
                .fold("when\twho\twhat\n".to_owned(), |text, (who, what, when)| {
                    format!("{text}{when}\t{who}\t{what}\n")
                }),
            options: &["--agent-field=who", "--action-field=what", "--time-field=when"],
            pauses: true,
        },
        Shape {
            name: "key and value pairs",
            text: lines(
                |who, what, when| json!({"attrs": [{"key": "session.id", "value": {"stringValue": who}}, {"key": "op", "value": {"stringValue": what}}], "t": iso(when)}),
            ),
            options: &[
                "--session-by=attrs.session.id",
                "--action-field=attrs.op",
                "--time-field=t",
            ],
            pauses: true,
        },
    ]
}

#[test]
fn every_shape_is_read_by_its_mapping_alone_from_options_and_from_a_file() {
    for shape in shapes() {
        let sandbox = Sandbox::new();
        sandbox.write("log", &shape.text);
        let args = [&["sessions", "log"], shape.options].concat();
        let ended = sandbox.run(&args);
        assert_eq!(ended.code, 0, "{}: {}", shape.name, ended.stderr);
        let sessions = ended.json_lines();
        assert_eq!(sessions.len(), 2, "{}: {}", shape.name, ended.stdout);
        for (session, (first, last)) in sessions.iter().zip([(0, 2), (1, 3)]) {
            assert_eq!(session["sequence"].as_array().unwrap().len(), 2, "{}", shape.name);
            let times = [first, last].map(|at: usize| EVENTS[at].2 % 60_000);
            let ends = |member: &str, millis: u64| {
                session[member]
                    .as_str()
                    .unwrap()
                    .contains(&format!(":{:02}", millis / 1000))
            };
            assert!(
                ends("first", times[0]) && ends("last", times[1]),
                "{}: {session}",
                shape.name
            );
            assert_eq!(session["id"].as_str().unwrap().contains('@'), shape.pauses);
        }
        let toml: String = shape
            .options
            .join("=")
            .split("--")
            .filter(|part| !part.is_empty())
            .map(|part| {
                let (name, value) = part.trim_matches('=').split_once('=').unwrap();
                let value = if name == "session-by" {
                    json!(value.split(',').collect::<Vec<_>>())
                } else {
                    json!(value)
                };
                format!("{} = {value}\n", name.replace('-', "_"))
            })
            .collect();
        sandbox.write("map.toml", toml);
        let by_file = sandbox.run(&["sessions", "log", "--mapping", "map.toml"]);
        assert_eq!(by_file.stdout, ended.stdout, "{}: {}", shape.name, by_file.stderr);
    }
}

#[test]
fn a_mapping_is_kept_in_the_model_and_need_not_be_repeated() {
    let sandbox = Sandbox::new();
    let event = |index: usize| {
        let (session, place) = (index / 3, index % 3);
        let odd = session.is_multiple_of(3);
        let what = [["open", "read", "close"], ["open", "delete", "close"]][usize::from(odd)][place];
        let verdict = if odd && place == 1 { "malicious" } else { "benign" };
        json!({"who": {"id": format!("u{session}")}, "op": what, "t": 1_795_341_600_000_u64 + 1000 * index as u64, "verdict": verdict, "risk": 95}).to_string() + "\n"
    };
    sandbox.write("log", (0..900).map(event).collect::<String>());
    let mapping = [
        "--agent-field=who.id",
        "--action-field=op",
        "--time-field=t",
        "--label-field=verdict",
        "--anomalous-label=malicious",
        "--risk-field=risk",
        "--risk-range=0..100",
    ];
    let trained = sandbox.train(&[&["--data", "log"], &mapping[..]].concat());
    assert_eq!(trained["metrics"]["accuracy"], 1.0);
    assert_eq!(trained["config"]["reading"]["mapping"]["action_field"], "op");
    let model = trained["model_path"].as_str().unwrap();
    for args in [
        &["predict", "--model", model, "log"][..],
        &["evaluate", "--model", model, "--data", "log"],
        &["monitor", "--model", model, "log"],
        &["check", "--model", model, "log"],
        &["verify", model, "--data", "log"],
    ] {
        let ended = sandbox.run(args);
        assert_eq!(ended.code, 0, "{args:?}: {}", ended.stderr);
        assert!(!ended.stdout.is_empty(), "{args:?}");
    }
    let folds = [&["--data", "log", "--validation-data", "log"], &mapping[..]].concat();
    assert_eq!(sandbox.train(&folds)["metrics"]["recall"], 1.0);
}

#[test]
fn what_a_mapping_does_not_fit_is_refused_in_a_line_that_helps() {
    let sandbox = Sandbox::new();
    let run = |record: &str, options: &[&str]| {
        sandbox.write("log", record);
        sandbox.run(&[&["sessions", "log", "--action-field=op"], options].concat())
    };
    let record = r#"{"op": "read", "who": "a", "t": 5, "risk": 95, "l": "yes"}"#;
    run(record, &[]).assert_refused(3, "log:1:1: nobody did it: the members agent_id are missing or empty");
    run(record, &["--agent-field=w"]).assert_refused(3, "the members w are missing");
    run(record, &["--session-by=who,x"]).assert_refused(3, "the field \"x\" that makes the sessions is missing");
    run(record, &["--agent-field=who", "--risk-field=risk"])
        .assert_refused(3, "\"risk\" is \"95\"; expected a number within 0..1");
    run(record, &["--agent-field=who", "--label-field=l"]).assert_refused(3, "--anomalous-label");
    run(record, &["--agent-field=who", "--time-field=l"]).assert_refused(3, "\"l\" is \"yes\"; expected a time like");
    run(r#"{"what": "read", "who": "a"}"#, &["--agent-field=who"])
        .assert_refused(3, "--records-at the array that holds the records. The first record: {");
    run(record, &["--mapping=gone.toml"]).assert_refused(1, "gone.toml: cannot open");
    for (toml, problem) in [
        ("agent_field = 5", "map.toml:1: invalid type"),
        ("x = 1", "map.toml:1: unknown field"),
        ("\nagent_field = \".a\"", "map.toml:2: \".a\" is no path"),
        ("action_field", "map.toml:1: "),
    ] {
        sandbox.write("map.toml", toml);
        run(record, &["--mapping=map.toml"]).assert_refused(3, problem);
    }
    for (option, problem) in [
        ("--action-field={a", "a brace is missing"),
        ("--agent-field=", "is no path of a member"),
        ("--risk-range=1", "is no range"),
        ("--time-unit=h", "expected auto, s, ms, us or ns"),
        ("--input-format=xml", "expected samples, events, otlp"),
    ] {
        sandbox.run(&["sessions", "log", option]).assert_refused(2, problem);
    }
    sandbox.write("log", "{\"x\": 1}\n");
    sandbox
        .run(&["sessions", "log"])
        .assert_refused(3, "no log that is known by its beginning");
}
