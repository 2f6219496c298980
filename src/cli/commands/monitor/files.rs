//! The files of a monitor: its state, its baselines, what it passes over, and the models that watch.

use super::args::MonitorArgs;
use crate::cli::failure::{Failure, shown};
use crate::cli::output_file;
use anomaly_train::command_only::one_line;
use anomaly_train::logs::Mapping;
use anomaly_train::monitor::{Aside, Baselines, IgnoreList, ModelBaseline, Monitor, RestoreError, Settings};
use anomaly_train::options::toml_file;
use anomaly_train::registry::{folder, load_file, record, replace};
use anomaly_train::{Model, ModelKind};
use log::{info, warn};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Where the state is kept.
pub(crate) struct StateFile<'a> {
    path: &'a Path,
    lock_path: PathBuf,
    /// Closing the file gives the lock back.
    _lock: File,
}

impl Drop for StateFile<'_> {
    fn drop(&mut self) {
        // Left there it would be no harm.
        let _ = fs::remove_file(&self.lock_path);
    }
}

/// Whether a file still stands at its path.
fn is_at(file: &File, path: &Path) -> bool {
    let found = |found: io::Result<fs::Metadata>| found.ok().map(|found| identity(&found));
    found(file.metadata()) == found(fs::metadata(path))
}

/// What tells a file from another, if the system says so.
fn identity(found: &fs::Metadata) -> u64 {
    #[cfg(unix)]
    let identity = std::os::unix::fs::MetadataExt::ino(found);
    #[cfg(not(unix))]
    let identity = 0;
    identity
}

impl<'a> StateFile<'a> {
    /// Checks, before any work is done, that the file can be there and be written.
    pub(crate) fn new(path: &'a Path) -> Result<Self, Failure> {
        output_file::check("--state", path)?;
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".lock");
        let lock_path = path.with_file_name(name);
        let failed = |error: io::Error| Failure::at(&lock_path, "cannot lock the state", &error);
        loop {
            let lock = File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&lock_path)
                .map_err(failed)?;
            match lock.try_lock() {
                // Whoever had it before may have taken it away when it ended.
                Ok(()) if is_at(&lock, &lock_path) => {
                    return Ok(Self {
                        path,
                        lock_path,
                        _lock: lock,
                    });
                }
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(Failure::Environment(format!(
                        "{}: another run works with this state; give each run a state of its own",
                        shown(path)
                    )));
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
    }

    /// The monitor that was saved, or a new one if there is no file.
    pub(crate) fn restore(&self, settings: Settings) -> Result<(Monitor, Aside), Failure> {
        let file = match File::open(self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok((Monitor::new(settings), Aside::default())),
            Err(error) => return Err(Failure::at(self.path, "cannot open", &error)),
        };
        Monitor::restore(settings, file).map_err(|error| match error {
            RestoreError::Io(error) => Failure::at(self.path, "cannot read", &error),
            RestoreError::Refused(problem) => Failure::refused(format_args!("{}: {problem}", shown(self.path))),
        })
    }

    pub(crate) fn save(&self, monitor: &Monitor, aside: &Aside) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        monitor
            .save(&mut bytes, aside)
            .and_then(|()| replace(self.path, &bytes))
            .map_err(|error| Failure::at(self.path, "cannot save the state", &error))
    }
}

/// Refuses to write over the input, or two things to the same file.
pub(crate) fn check_distinct(args: &MonitorArgs) -> Result<(), Failure> {
    let input = Some(args.input.as_path()).filter(|input| input.as_os_str() != "-");
    let (state, baseline) = (args.state.as_deref(), args.write_baseline.as_deref());
    let metrics = args.metrics_file.as_deref();
    for (option, path, other, what) in [
        ("--state", state, input, "the input"),
        ("--write-baseline", baseline, input, "the input"),
        ("--write-baseline", baseline, state, "the file of --state"),
        ("--metrics-file", metrics, input, "the input"),
        ("--metrics-file", metrics, state, "the file of --state"),
        ("--metrics-file", metrics, baseline, "the file of --write-baseline"),
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

/// Where a model comes from that watches: a file, or whatever is current in a registry.
pub(crate) struct ModelSource<'a> {
    args: &'a MonitorArgs,
    place: Place<'a>,
    seen: Option<Stamp>,
    kind: ModelKind,
    digest: String,
}

#[derive(Clone, Copy)]
enum Place<'a> {
    File(&'a Path),
    Registry(&'a Path),
}

/// A model, how the logs were read that it was trained on, and what is usual of it.
pub(crate) struct Loaded {
    pub(crate) model: Model,
    pub(crate) mapping: Mapping,
    pub(crate) baseline: Option<ModelBaseline>,
    digest: String,
}

/// By what a changed file is noticed: when it changed, how large it is, and which file it is.
type Stamp = (Option<SystemTime>, u64, u64);

impl Place<'_> {
    fn stamp(self) -> Option<Stamp> {
        let found = match self {
            Self::File(path) => fs::metadata(path),
            Self::Registry(folder) => fs::metadata(record(folder)),
        };
        let found = found.ok()?;
        Some((found.modified().ok(), found.len(), identity(&found)))
    }
}

impl<'a> ModelSource<'a> {
    /// All that the options name, with the models.
    pub(crate) fn all(args: &'a MonitorArgs) -> Result<Vec<(Self, Loaded)>, Failure> {
        let files = args.model.iter().map(|path| Place::File(path));
        let places = files.chain(args.models_dir.as_deref().map(Place::Registry));
        places.map(|place| Self::open(args, place)).collect()
    }

    fn open(args: &'a MonitorArgs, place: Place<'a>) -> Result<(Self, Loaded), Failure> {
        // Looked at before it is read: a change in between is noticed later.
        let seen = place.stamp();
        let loaded = load(args, place)?;
        let source = Self {
            args,
            place,
            seen,
            kind: loaded.model.kind(),
            digest: loaded.digest.clone(),
        };
        Ok((source, loaded))
    }

    pub(crate) fn kind(&self) -> ModelKind {
        self.kind
    }

    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }

    /// The model, if another one has taken its place or `asked` says so, and it is good. A bad one is warned of once and not used.
    pub(crate) fn reload(&mut self, asked: bool) -> Option<Loaded> {
        let now = self.place.stamp();
        if !asked && now == self.seen {
            return None;
        }
        self.seen = now;
        let loaded = match load(self.args, self.place) {
            Ok(loaded) => loaded,
            Err(failure) => {
                let problem = one_line(&failure.lines().join("; "));
                warn!("the model is kept as it was: {problem}");
                return None;
            }
        };
        match self.place {
            Place::File(path) if loaded.model.kind() != self.kind => {
                warn!(
                    "the model is kept as it was: {} holds a {} one now",
                    shown(path),
                    loaded.model.kind()
                );
                return None;
            }
            Place::File(path) => info!("model loaded anew from {}", shown(path)),
            // The record tells of refused models, too.
            Place::Registry(_) if loaded.digest == self.digest && !asked => return None,
            Place::Registry(folder) => info!(
                "the current model of {} watches from now on: {} ({})",
                shown(folder),
                loaded.digest,
                loaded.model.kind()
            ),
        }
        (self.kind, self.digest) = (loaded.model.kind(), loaded.digest.clone());
        Some(loaded)
    }
}

fn load(args: &MonitorArgs, place: Place<'_>) -> Result<Loaded, Failure> {
    let (artifact, path) = match place {
        Place::File(path) => (load_file(path)?, path.to_owned()),
        Place::Registry(folder) => crate::cli::model::load(None, folder)?,
    };
    let digest = artifact.digest();
    if let Some(expected) = &args.expect_digest
        && *expected != digest
    {
        return Err(Failure::refused(format_args!(
            "{}: has the digest {digest}, not the one of --expect-digest",
            shown(&path)
        )));
    }
    Ok(Loaded {
        model: args
            .threshold
            .apply_to_sessions(&artifact, args.caution(), args.options.window)?,
        mapping: artifact.run.reading.mapping.clone(),
        baseline: artifact.sessions.usual(),
        digest,
    })
}

/// Reads the list of what to pass over, or none.
pub(crate) fn read_ignored(path: Option<&Path>) -> Result<IgnoreList, Failure> {
    let Some(path) = path else {
        return Ok(IgnoreList::default());
    };
    let list: IgnoreList = toml_file(path, "list of what to ignore")?;
    match list.first_without_limits() {
        Some(place) => Err(Failure::refused(format_args!(
            "{}: entry {place} would pass over everything; name an agent, an action or a type",
            shown(path)
        ))),
        None => Ok(list),
    }
}
