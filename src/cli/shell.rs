//! Completions for shells and manual pages, made from the arguments. They stand in `completions/` and `man/`; this test holds them to the
//! arguments, and `UPDATE_SHELL=1` makes it write them.

use super::args::Cli;
use clap::CommandFactory;
use clap_complete::Shell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const NAME: &str = "anomaly-train";

/// What stands where, from the root of the repository.
fn pages() -> BTreeMap<PathBuf, Vec<u8>> {
    let mut pages = BTreeMap::new();
    for (shell, file) in [
        (Shell::Bash, "anomaly-train.bash"),
        (Shell::Zsh, "_anomaly-train"),
        (Shell::Fish, "anomaly-train.fish"),
    ] {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), NAME, &mut text);
        pages.insert(Path::new("completions").join(file), text);
    }
    let folder = tempfile::tempdir().unwrap();
    clap_mangen::generate_to(Cli::command(), folder.path()).unwrap();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        pages.insert(
            Path::new("man").join(entry.file_name()),
            fs::read(entry.path()).unwrap(),
        );
    }
    pages
}

#[test]
fn completions_and_manual_pages_say_what_the_arguments_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = pages();
    assert!(pages.len() > 10, "a page for each command");
    for (path, text) in &pages {
        let path = root.join(path);
        if std::env::var_os("UPDATE_SHELL").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
        }
        assert!(
            fs::read(&path).is_ok_and(|found| found == *text),
            "{} is out of date; UPDATE_SHELL=1 cargo test --bin anomaly-train shell makes it anew",
            path.display()
        );
    }
    for folder in ["completions", "man"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = Path::new(folder).join(entry.unwrap().file_name());
            assert!(pages.contains_key(&path), "{} belongs to no command", path.display());
        }
    }
}
