//! The report page: complete, self-contained, harmless.

use crate::common::Sandbox;
use std::path::Path;
use std::process::Command;

/// Data with names that would act on a page if they were not escaped.
fn hostile_data(sandbox: &Sandbox) {
    let names = [
        "<script>alert(1)</script>",
        "\"><img src=http://example.com/x>",
        "a&amp;b",
        "{{ 7 * 7 }}",
        "read",
    ];
    let lines: String = (0..600)
        .map(|i| {
            let sequence = [names[i % 5], names[(i / 5) % 5], names[(i / 25) % 5]];
            let label = u8::from(i % 5 == 0 || i % 7 == 0);
            format!("{}\n", serde_json::json!({"sequence": sequence, "label": label}))
        })
        .collect();
    sandbox.write("data", lines);
}

#[test]
fn training_and_evaluation_write_a_whole_page_that_names_nothing_outside() {
    let sandbox = Sandbox::new();
    hostile_data(&sandbox);
    let trained = sandbox.run(&["--data", "data", "--report", "train.html"]);
    assert_eq!(trained.code, 0, "{trained:?}");
    assert!(
        trained.stdout.contains("[INFO] Report saved to train.html"),
        "{}",
        trained.stdout
    );
    let model = sandbox
        .files("models")
        .into_iter()
        .find(|file| file.contains("model_"))
        .unwrap();
    let model = format!("models/{model}");
    let evaluated = sandbox.run(&[
        "evaluate",
        "--model",
        &model,
        "--data",
        "data",
        "--report",
        "evaluate.html",
    ]);
    assert_eq!(evaluated.code, 0, "{evaluated:?}");
    for name in ["train.html", "evaluate.html"] {
        let page = std::fs::read_to_string(sandbox.path(name)).unwrap();
        for part in [
            "Figures",
            "Reliability",
            "Precision and recall",
            "ROC",
            "Thresholds",
            "Worst mistakes",
            "Provenance",
        ] {
            assert!(page.contains(part), "{name}: {part}");
        }
        assert_eq!(page.matches("<svg").count(), 5);
        assert!(page.ends_with("</html>\n") || page.ends_with("</html>"));
        for forbidden in ["url(", "@import", "NaN"] {
            assert!(!page.contains(forbidden), "{name}: {forbidden}");
        }
        assert!(
            page.contains("&#60;script&#62;") || page.contains("&lt;script&gt;"),
            "names are shown, escaped"
        );
        assert!(page.contains("{{ 7 * 7 }}"));
    }
}

#[test]
fn a_page_that_cannot_be_written_is_an_error_with_its_path() {
    let sandbox = Sandbox::new();
    let ended = sandbox.run(&["--num-samples", "500", "--report", "missing/page.html"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(
        sandbox.files("models").is_empty(),
        "refused before anything was trained"
    );
    assert!(
        ended
            .stderr
            .contains("--report missing/page.html: its folder is not there"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_page_replaces_an_older_page_and_nothing_else() {
    let sandbox = Sandbox::new();
    hostile_data(&sandbox);
    let run = |report: &str| sandbox.run(&["--data", "data", "--report", report]);
    assert_eq!(run("page.html").code, 0);
    assert_eq!(run("page.html").code, 0);
    let data = std::fs::read(sandbox.path("data")).unwrap();
    let models = sandbox.files("models");
    let model = format!("models/{}", models.last().unwrap());
    let before = std::fs::read(sandbox.path(&model)).unwrap();
    for target in ["data", &model] {
        run(target).assert_refused(2, "only an older report may be replaced");
    }
    for target in ["/dev/null", ".", "-"] {
        run(target).assert_refused(2, "a file");
    }
    assert_eq!(std::fs::read(sandbox.path("data")).unwrap(), data);
    assert_eq!(std::fs::read(sandbox.path(&model)).unwrap(), before);
    assert_eq!(sandbox.files("models"), models, "refused before anything was trained");
    std::os::unix::fs::symlink("page.html", sandbox.path("link.html")).unwrap();
    assert_eq!(run("link.html").code, 0);
    assert!(
        std::fs::symlink_metadata(sandbox.path("link.html"))
            .unwrap()
            .is_symlink()
    );
}

#[test]
fn one_class_alone_still_gives_a_page() {
    let sandbox = Sandbox::new();
    sandbox.write("data", "{\"sequence\": [\"a\", \"b\"], \"label\": 0}\n".repeat(50));
    let ended = sandbox.run(&["--data", "data", "--report", "page.html"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let page = std::fs::read_to_string(sandbox.path("page.html")).unwrap();
    assert!(page.contains("undefined (no sample is anomalous") && !page.contains("NaN"));
}

/// Opens the page in Chromium, if there is one, with a net log, and looks at what it did.
#[test]
fn chromium_finds_no_error_in_the_page_and_requests_nothing() {
    let Some(chromium) = [
        "/usr/bin/chromium",
        "/usr/bin/chromium-browser",
        "/usr/bin/google-chrome",
    ]
    .into_iter()
    .find(|path| Path::new(path).exists()) else {
        eprintln!("no Chromium here: the page was not opened");
        return;
    };
    let sandbox = Sandbox::new();
    hostile_data(&sandbox);
    assert_eq!(sandbox.run(&["--data", "data", "--report", "page.html"]).code, 0);
    let profile = sandbox.path("profile");
    let net_log = sandbox.path("net.json");
    let output = Command::new(chromium)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-sync",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--enable-logging=stderr",
            "--v=0",
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("--log-net-log={}", net_log.display()))
        .arg("--dump-dom")
        .arg(format!("file://{}", sandbox.path("page.html").display()))
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&output.stdout);
    assert!(
        dom.contains("Worst mistakes") && dom.matches("<svg").count() == 4,
        "{dom}"
    );
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(!log.contains("CONSOLE"), "{log}");
    let requests = std::fs::read_to_string(net_log).unwrap();
    assert!(!requests.contains("example.com"), "the page asked for something");
}

/// Sessions of five tasks with wrong labels, so that there are mistakes.
fn grouped(sandbox: &Sandbox) {
    let generated = sandbox
        .run(&["generate", "--scenario", "mixed", "--num-samples", "1500"])
        .stdout;
    let lines = generated.lines().enumerate().map(|(number, line)| {
        let line = line.strip_prefix('{').unwrap();
        format!(
            "{{\"id\":\"s{number}\",\"task\":\"book_flight-{}\",{line}\n",
            number % 5
        )
    });
    sandbox.write("data", lines.collect::<String>());
}

#[test]
fn a_page_shows_what_people_ask_for_in_words_for_people() {
    let sandbox = Sandbox::new();
    grouped(&sandbox);
    let args = [
        "--data",
        "data",
        "--group-by",
        "task",
        "--folds",
        "5",
        "--report",
        "folds.html",
    ];
    assert_eq!(sandbox.run(&args).code, 0);
    let model = format!(
        "models/{}",
        sandbox
            .files("models")
            .into_iter()
            .find(|file| file.contains("model_"))
            .unwrap()
    );
    let base = [
        "evaluate",
        "--model",
        &model,
        "--data",
        "data",
        "--group-by",
        "task",
        "--report",
    ];
    assert_eq!(sandbox.run(&[&base[..], &["all.html"]].concat()).code, 0);
    for page in ["folds.html", "all.html"] {
        let page = std::fs::read_to_string(sandbox.path(page)).unwrap();
        for part in [
            "<th>95 % interval</th>",
            "Intervals are for other groups",
            "base rate, 0.3",
            "class=\"in-use\"",
            "samples (logarithmic)",
            "Recall and false alarms by threshold",
            "<td>book_<wbr>flight-<wbr>0</td>",
            "false alarms</span>",
            "<strong>missed</strong>",
            ", group <code>book_<wbr>flight-<wbr>",
            "Calibration error (ECE)",
        ] {
            assert!(page.contains(part), "{part}");
        }
        for raw in ["roc_auc", "average_precision", "false_alarm_rate", "log_loss", "NaN"] {
            assert!(!page.contains(raw), "{raw}");
        }
    }
    // Where a mistake stands is known to a page that is made of files.
    let page = std::fs::read_to_string(sandbox.path("all.html")).unwrap();
    let place = page.split("first at data:<wbr>").nth(1).unwrap();
    let line: usize = place.split(',').next().unwrap().parse().unwrap();
    assert!(
        place.starts_with(&format!("{line}, id &#34;s{}&#34;", line - 1)),
        "{}",
        &place[..40]
    );
}

#[test]
fn a_page_of_data_that_were_partly_trained_on_is_of_the_others_unless_all_are_asked_for() {
    let sandbox = Sandbox::new();
    grouped(&sandbox);
    let train = sandbox.run(&["--data", "data", "--num-samples", "1000", "--report", "page.html"]);
    assert_eq!(train.code, 0);
    let page = |args: &[&str]| {
        let ended = sandbox.run(&[&["evaluate", "--data", "data", "--report", "page.html"], args].concat());
        assert_eq!(ended.code, 0, "{ended:?}");
        (
            std::fs::read_to_string(sandbox.path("page.html")).unwrap(),
            ended.stdout,
        )
    };
    let (unseen, said) = page(&[]);
    assert!(unseen.contains("samples whose sequence was not trained on."), "{said}");
    assert!(said.contains("[INFO] The tables are of the unseen samples"), "{said}");
    let (all, said_all) = page(&["--all-samples"]);
    assert!(
        all.contains("All that follows is of all samples.") && !said_all.contains("The tables are of"),
        "{said_all}"
    );
    assert_ne!(said.split("Reliability:").nth(1), said_all.split("Reliability:").nth(1));
}

#[test]
fn mistakes_are_written_with_where_they_stand_and_why() {
    let sandbox = Sandbox::new();
    grouped(&sandbox);
    sandbox.train(&["--data", "data", "--num-samples", "1000"]);
    let base = [
        "evaluate",
        "--data",
        "data",
        "--group-by",
        "task",
        "--json",
        "--mistakes",
    ];
    let ended = sandbox.run(&[&base[..], &["wrong.jsonl"]].concat());
    let confusion = ended.json_lines()[0]["metrics"]["confusion"].clone();
    let written = std::fs::read_to_string(sandbox.path("wrong.jsonl")).unwrap();
    let mistakes: Vec<serde_json::Value> = written
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let wrong = confusion["fp"].as_u64().unwrap() + confusion["fn"].as_u64().unwrap();
    assert!(
        wrong > 10 && mistakes.len() as u64 == wrong,
        "{} of {wrong}",
        mistakes.len()
    );
    let data = std::fs::read_to_string(sandbox.path("data")).unwrap();
    let lines: Vec<&str> = data.lines().collect();
    for mistake in &mistakes {
        let line = mistake["line"].as_u64().unwrap() as usize;
        let sample: serde_json::Value = serde_json::from_str(lines[line - 1]).unwrap();
        assert_eq!(
            (&mistake["id"], &mistake["group"], &mistake["label"]),
            (&sample["id"], &sample["task"], &sample["label"])
        );
        assert_eq!(
            (&mistake["file"], &mistake["sequence"]),
            (&"data".into(), &sample["features"]["sequence"])
        );
        let reported = mistake["score"].as_f64() >= mistake["threshold"].as_f64();
        assert_eq!(reported, mistake["label"] == 0, "{mistake}");
        assert!(!mistake["sentences"].as_array().unwrap().is_empty(), "{mistake}");
    }
    // Older mistakes may be replaced, nothing else; and a pipe cannot be read twice.
    assert_eq!(sandbox.run(&[&base[..], &["wrong.jsonl"]].concat()).code, 0);
    let before = std::fs::read(sandbox.path("data")).unwrap();
    for (path, data) in [("data", "data"), ("new", "-"), ("nowhere/wrong", "data")] {
        let ended = sandbox.run(&["evaluate", "--data", data, "--mistakes", path]);
        assert!(ended.code == 2 && ended.stderr.contains("--mistakes"), "{ended:?}");
    }
    assert_eq!(std::fs::read(sandbox.path("data")).unwrap(), before);
}
