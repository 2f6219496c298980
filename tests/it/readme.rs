//! Every command that the README and some pages show is run, and must print what stands there.
//!
//! `UPDATE_README=1 cargo test readme` writes what it prints now.

use crate::common::Sandbox;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs `command` as a reader would who has the program on the path. Returns what a terminal shows.
fn shown(sandbox: &Sandbox, command: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_anomaly-train")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let output = Command::new("bash")
        .args(["-c", &format!("exec 2>&1; {command}")])
        .current_dir(sandbox.path(""))
        .env("PATH", path)
        .env("SOURCE_DATE_EPOCH", "1795348800")
        .env_remove("RUST_LOG")
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The text of a page with the output of each command in its `console` blocks as it is now. `cat FILE` shows what is in a file
/// that the reader is thought to have; it is made from that.
fn replayed(page: &str, sandbox: &Sandbox) -> String {
    let mut result = String::new();
    let mut lines = page.lines().peekable();
    let mut in_console = false;
    while let Some(line) = lines.next() {
        result.push_str(line);
        result.push('\n');
        in_console = if line.starts_with("```") {
            line == "```console"
        } else {
            in_console
        };
        let Some(command) = line.strip_prefix("$ ").filter(|_| in_console) else {
            continue;
        };
        let mut expected = String::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with("$ ") && !line.starts_with("```")) {
            expected.push_str(line);
            expected.push('\n');
        }
        match command.strip_prefix("cat ").filter(|file| !sandbox.path(file).exists()) {
            Some(file) => {
                sandbox.write(file, &expected);
                result.push_str(&expected);
            }
            None => result.push_str(&shown(sandbox, command)),
        }
    }
    result
}

#[test]
fn every_command_of_the_readme_and_the_pages_that_show_some_prints_what_stands_there() {
    for page in ["README.md", "docs/normal.md", "docs/logs.md"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
        let written = fs::read_to_string(&path).unwrap();
        let sandbox = Sandbox::new();
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
        std::os::unix::fs::symlink(examples, sandbox.path("examples")).unwrap();
        let replayed = replayed(&written, &sandbox);
        if std::env::var_os("UPDATE_README").is_some() {
            fs::write(path, replayed).unwrap();
            continue;
        }
        for (number, (written, replayed)) in written.lines().zip(replayed.lines()).enumerate() {
            assert_eq!(written, replayed, "{page}:{}", number + 1);
        }
        assert_eq!(written, replayed);
    }
}
