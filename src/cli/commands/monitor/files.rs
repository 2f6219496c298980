//! The files of a monitor: its state, its baselines, and the model it reloads.

use super::args::MonitorArgs;
use crate::cli::failure::{Failure, shown};
use crate::cli::output_file;
use crate::cli::threshold::ThresholdArgs;
use anomaly_train::command_only::one_line;
use anomaly_train::logs::Mapping;
use anomaly_train::monitor::{Baselines, Checkpoint, Monitor, RestoreError, Settings};
use anomaly_train::registry::{folder, load_file, replace};
use anomaly_train::{Model, ModelKind};
use log::{info, warn};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Where the state is kept.
pub(crate) struct StateFile<'a>(&'a Path);

impl<'a> StateFile<'a> {
    /// Checks, before any work is done, that the file can be there and be written.
    pub(crate) fn new(path: &'a Path) -> Result<Self, Failure> {
        output_file::check("--state", path)?;
        Ok(Self(path))
    }

    /// The monitor that was saved, or a new one if there is no file.
    pub(crate) fn restore(&self, settings: Settings) -> Result<(Monitor, Option<Checkpoint>), Failure> {
        let file = match File::open(self.0) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok((Monitor::new(settings), None)),
            Err(error) => return Err(Failure::at(self.0, "cannot open", &error)),
        };
        Monitor::restore(settings, file).map_err(|error| match error {
            RestoreError::Io(error) => Failure::at(self.0, "cannot read", &error),
            RestoreError::Refused(problem) => Failure::refused(format_args!("{}: {problem}", shown(self.0))),
        })
    }

    pub(crate) fn save(&self, monitor: &Monitor, checkpoint: Option<Checkpoint>) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        monitor
            .save(&mut bytes, checkpoint)
            .and_then(|()| replace(self.0, &bytes))
            .map_err(|error| Failure::at(self.0, "cannot save the state", &error))
    }
}

/// Refuses to write over the input, or two things to the same file.
pub(crate) fn check_distinct(args: &MonitorArgs) -> Result<(), Failure> {
    let input = Some(args.input.as_path()).filter(|input| input.as_os_str() != "-");
    let (state, baseline) = (args.state.as_deref(), args.write_baseline.as_deref());
    for (option, path, other, what) in [
        ("--state", state, input, "the input"),
        ("--write-baseline", baseline, input, "the input"),
        ("--write-baseline", baseline, state, "the file of --state"),
    ] {
        if let (Some(path), Some(other)) = (path, other)
            && place_of(path) == place_of(other)
        {
            return Err(Failure::Usage(format!("{option} {}: is {what}", shown(path))));
        }
    }
    Ok(())
}

/// Where a file stands or would stand, whatever way leads there.
fn place_of(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| {
        let folder = fs::canonicalize(folder(path)).unwrap_or_else(|_| folder(path).to_owned());
        folder.join(path.file_name().unwrap_or_default())
    })
}

/// The file of the baselines.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BaselineFile {
    format_version: u32,
    /// For each cohort the number of risk scores in each tenth of 0..1; the empty name is that of events without one.
    risk_scores: Baselines,
}

/// Largest file of baselines that is read, in bytes.
const MAX_BASELINE: u64 = 1 << 28;

/// The baselines of a file, or none.
pub(crate) fn read_baseline(path: Option<&Path>) -> Result<Baselines, Failure> {
    let Some(path) = path else {
        return Ok(Baselines::default());
    };
    let mut text = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BASELINE + 1).read_to_end(&mut text))
        .map_err(|error| Failure::at(path, "cannot read", &error))?;
    let refused = |problem: &str| Failure::refused(format_args!("{}: {}", shown(path), one_line(problem)));
    if text.len() as u64 > MAX_BASELINE {
        return Err(refused(
            "larger than 256 MiB; not a file that --write-baseline has written",
        ));
    }
    let file: BaselineFile = serde_json::from_slice(&text)
        .map_err(|error| refused(&format!("not a file that --write-baseline has written: {error}")))?;
    let histograms = &file.risk_scores.0;
    if file.format_version != 1 {
        return Err(refused("baselines of another format version; write them anew"));
    }
    if histograms
        .values()
        .any(|scores| !(1..1 << 53).contains(&scores.total()))
    {
        return Err(refused("a cohort has no risk scores, or impossibly many"));
    }
    Ok(file.risk_scores)
}

pub(crate) fn write_baseline(path: &Path, risk_scores: &Baselines) -> Result<(), Failure> {
    let file = BaselineFile {
        format_version: 1,
        risk_scores: risk_scores.clone(),
    };
    let mut bytes = serde_json::to_vec(&file).map_err(|error| Failure::Environment(error.to_string()))?;
    bytes.push(b'\n');
    replace(path, &bytes).map_err(|error| Failure::at(path, "cannot write the baseline", &error))
}

/// A model file that may change.
pub(crate) struct ModelFile<'a> {
    path: PathBuf,
    threshold: &'a ThresholdArgs,
    kind: ModelKind,
    seen: Option<Stamp>,
}

/// By what a changed file is noticed: when it changed, how large it is, and which file it is.
type Stamp = (Option<SystemTime>, u64, u64);

impl<'a> ModelFile<'a> {
    /// The file, the model in it, and how the logs were read that it was trained on.
    pub(crate) fn open(path: &Path, threshold: &'a ThresholdArgs) -> Result<(Self, Model, Mapping), Failure> {
        // Looked at before it is read: a change in between is noticed later.
        let seen = stamp(path).ok();
        let artifact = load_file(path)?;
        let model = threshold.apply(&artifact)?;
        let file = Self {
            path: path.to_owned(),
            kind: model.kind(),
            threshold,
            seen,
        };
        Ok((file, model, artifact.run.reading.mapping))
    }

    pub(crate) fn kind(&self) -> ModelKind {
        self.kind
    }

    /// The model, if the file has changed or `asked` says so, and it is good. A bad one is warned of once and not used.
    pub(crate) fn reload(&mut self, asked: bool) -> Option<Model> {
        let now = stamp(&self.path).ok();
        if !asked && now == self.seen {
            return None;
        }
        self.seen = now;
        let load = || self.threshold.apply(&load_file(&self.path)?);
        match load() {
            Ok(model) if model.kind() == self.kind => {
                info!("model loaded anew from {}", shown(&self.path));
                Some(model)
            }
            Ok(model) => {
                warn!(
                    "the model is kept as it was: {} holds a {} one now",
                    shown(&self.path),
                    model.kind()
                );
                None
            }
            Err(failure) => {
                let problem = one_line(&failure.lines().join("; "));
                warn!("the model is kept as it was: {problem}");
                None
            }
        }
    }
}

fn stamp(path: &Path) -> io::Result<Stamp> {
    let found = fs::metadata(path)?;
    #[cfg(unix)]
    let identity = std::os::unix::fs::MetadataExt::ino(&found);
    #[cfg(not(unix))]
    let identity = 0;
    Ok((found.modified().ok(), found.len(), identity))
}
