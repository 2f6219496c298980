//! Drives the real binary in a folder of its own.
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder that is removed at the end of the test, and the program run in it.
pub(crate) struct Sandbox(tempfile::TempDir);

/// How a run ended and what it wrote.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The program with a fixed clock, ready to be run in the folder.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_anomaly-train"));
        command
            .args(args)
            .current_dir(self.0.path())
            .env_remove("RUST_LOG")
            .env("SOURCE_DATE_EPOCH", "1795348800")
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        Ended::of(&mut self.command(args))
    }

    /// Runs under a limit that the shell sets, such as `ulimit -t 20; `.
    pub(crate) fn run_within(&self, limit: &str, args: &[&str]) -> Ended {
        let mut command = Command::new("bash");
        command
            .args([
                "-c",
                &format!("{limit}exec \"$0\" \"$@\""),
                env!("CARGO_BIN_EXE_anomaly-train"),
            ])
            .args(args)
            .current_dir(self.0.path())
            .env_remove("RUST_LOG")
            .env("SOURCE_DATE_EPOCH", "1795348800")
            .stdin(Stdio::null());
        Ended::of(&mut command)
    }

    /// Runs with `input` on standard input.
    pub(crate) fn run_with_input(&self, args: &[&str], input: &[u8]) -> Ended {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        // The program may stop reading early; that is for the test to judge.
        let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().unwrap();
        feeder.join().unwrap();
        Ended::from_output(&output)
    }

    /// Runs with standard output on a full device.
    pub(crate) fn run_into_full_device(&self, args: &[&str]) -> Ended {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = self.command(args).stdout(full).stderr(Stdio::piped()).output().unwrap();
        Ended::from_output(&output)
    }

    /// Runs with a reader of standard output that is gone before anything is written.
    pub(crate) fn run_without_reader(&self, args: &[&str]) -> Ended {
        let mut command = self.command(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        Ended::from_output(&child.wait_with_output().unwrap())
    }

    /// All files below `name`, sorted, as paths relative to it.
    pub(crate) fn files(&self, name: &str) -> Vec<String> {
        fn collect(root: &Path, folder: &Path, files: &mut Vec<String>) {
            let Ok(entries) = std::fs::read_dir(folder) else {
                return;
            };
            for entry in entries {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    collect(root, &path, files);
                } else {
                    files.push(path.strip_prefix(root).unwrap().display().to_string());
                }
            }
        }
        let root = self.path(name);
        let mut files = Vec::new();
        collect(&root, &root, &mut files);
        files.sort();
        files
    }

    /// Trains with `args` and `--json`; the run must succeed.
    pub(crate) fn train(&self, args: &[&str]) -> serde_json::Value {
        let ended = self.run(&[args, &["--json"]].concat());
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        serde_json::from_str(&ended.stdout).unwrap()
    }
}

impl Ended {
    pub(crate) fn of(command: &mut Command) -> Self {
        Self::from_output(&command.output().unwrap())
    }

    fn from_output(output: &std::process::Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout.clone()).unwrap(),
            stderr: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    /// Each line of standard output as JSON.
    pub(crate) fn json_lines(&self) -> Vec<serde_json::Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Asserts that the run was refused with `code` and one line that contains `message`, and wrote no result.
    pub(crate) fn assert_refused(&self, code: i32, message: &str) {
        assert_eq!(self.code, code, "{self:?}");
        let errors: Vec<&str> = self.stderr.lines().collect();
        assert_eq!(errors.len(), 1, "{self:?}");
        assert!(errors[0].starts_with("anomaly-train: error: "), "{self:?}");
        assert!(errors[0].contains(message), "expected {message:?} in {self:?}");
        assert!(!self.stdout.contains("saved"), "{self:?}");
    }
}

/// `count` labelled samples as JSON lines: every third is anomalous, and its first action says so.
pub(crate) fn samples(count: usize) -> String {
    (0..count)
        .map(|i| {
            let (first, label) = if i % 3 == 2 { ("attack", 1) } else { ("read", 0) };
            let second = ["list", "send", "log", "write"][i % 4];
            format!("{{\"features\": {{\"sequence\": [\"{first}\", \"{second}\", \"close\"]}}, \"label\": {label}}}\n")
        })
        .collect()
}

/// What runs a command as a user without rights: root has to become somebody else, all others are that already. The program
/// is copied before, since that user may not be allowed to go where it was built.
#[cfg(target_os = "linux")]
pub(crate) fn as_nobody() -> &'static str {
    use std::os::unix::fs::MetadataExt;
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    if is_root {
        "setpriv --reuid=65534 --clear-groups"
    } else {
        "env"
    }
}
