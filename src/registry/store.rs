//! The models directory: pairs of a model and its metrics, and the record of what was promoted.
//!
//! One run writes at a time. Before the files of a pair are put in their places, a journal names them; it goes when the record
//! has its line. So whoever comes after a run that was killed in between knows what to take back.

use super::disk::{
    BY_HAND, Lock, Temporary, folder, remove, remove_leftover, remove_stale, rename_no_clobber, sync_folder,
    write_temporary,
};
use super::history::{Act, Entry, History, HistoryError, ModelPath};
use crate::artifact::{Artifact, LoadError};
use crate::evaluate::gate::{Champion, Gate, KeyMetrics, Verdict};
use crate::evaluate::metrics::Metrics;
use crate::text::path as shown;
use chrono::{DateTime, Utc};
use log::warn;
use serde::Serialize;
use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const RECORD: &str = "promotions.jsonl";
const JOURNAL: &str = ".anomaly-train-saving";

/// Why the models directory could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The system failed.
    #[error("{}: {what}: {source}", shown(path))]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// What could not be done.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
    /// What stands there is not what it should be.
    #[error("{0}")]
    Refused(String),
}

impl StoreError {
    fn at(path: &Path, what: &'static str, source: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            what,
            source,
        }
    }
}

/// The metrics file.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(title = "Metrics file", deny_unknown_fields))]
pub struct MetricsFile<'a> {
    /// The digest of the model.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = "^[0-9a-f]{64}$")))]
    pub(crate) model_digest: &'a str,
    /// When the model was made.
    pub(crate) created_at: DateTime<Utc>,
    /// The version of anomaly-train that made it.
    pub(crate) tool_version: &'a str,
    /// What had to be reached.
    pub(crate) gate: &'a Gate,
    /// What was decided.
    pub(crate) verdict: Option<&'a Verdict>,
    /// Its figures on the validation part.
    pub(crate) metrics: Option<&'a Metrics>,
}

/// A models directory that this run alone may write to.
pub struct Store {
    pub(super) root: PathBuf,
    history: History,
    /// Whether the journal must stay, since it names what could not be taken back, or cannot go.
    keeps_journal: bool,
    _lock: Lock,
}

/// Where a model was saved.
#[derive(Debug)]
pub struct Saved {
    /// The model file.
    pub model: PathBuf,
    /// The metrics file beside it.
    pub metrics: PathBuf,
    /// The digest of the model.
    pub digest: String,
    /// Why the system could not promise that all of it lasts through a power cut.
    unconfirmed: Option<io::Error>,
}

impl Saved {
    /// That everything is on disk for good.
    ///
    /// # Errors
    ///
    /// If the system could not promise that; asked again, nothing is left to say.
    pub fn confirm(&mut self) -> Result<(), StoreError> {
        match self.unconfirmed.take() {
            None => Ok(()),
            Some(error) => Err(StoreError::at(&self.model, "saved, but not confirmed on disk", error)),
        }
    }
}

/// Where the record of promotions of the models directory `root` stands, to see whether it has changed.
#[must_use]
pub fn record(root: &Path) -> PathBuf {
    root.join(RECORD)
}

/// The record of promotions of the models directory `root`; empty if there is none.
pub fn history(root: &Path) -> Result<History, StoreError> {
    let path = record(root);
    let file = match path.symlink_metadata() {
        Ok(found) if found.is_file() => File::open(&path),
        // A link may lead anywhere, and writing to a pipe or device may never end.
        Ok(_) => return Err(StoreError::Refused(format!("{}: is not a plain file", shown(&path)))),
        Err(error) => Err(error),
    };
    let file = match file {
        Ok(file) => file,
        Err(error) if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind()) => {
            return Ok(History::default());
        }
        Err(error) => return Err(StoreError::at(&path, "cannot open", error)),
    };
    History::read(BufReader::new(file)).map_err(|error| match error {
        HistoryError::Io(error) => StoreError::at(&path, "cannot read", error),
        HistoryError::Refused { .. } | HistoryError::Broken { .. } => {
            StoreError::Refused(format!("{}:{error}", shown(&path)))
        }
    })
}

impl Store {
    /// Opens the models directory `root`, making it if it is missing, waits for other runs that write to it, and takes back
    /// what killed ones left.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        let failed = |error: io::Error| StoreError::at(root, "cannot write to the models directory", error);
        if !root.is_dir() {
            fs::create_dir_all(root).map_err(failed)?;
            sync_folder(folder(root)).map_err(failed)?;
        }
        let lock = Lock::on(root).map_err(failed)?;
        let mut store = Self {
            root: root.to_owned(),
            history: history(root)?,
            keeps_journal: false,
            _lock: lock,
        };
        store.keeps_journal = !store.clean_up();
        Ok(store)
    }

    /// The record of promotions, as it stood when the store was opened.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Saves a model with its metrics beside it, to `current` if it is promoted, else to `candidates`, and adds the verdict
    /// to the record, with the champion that it was compared with. Nothing is overwritten: if a name is taken, both files
    /// get the next free number.
    pub fn save(
        self,
        artifact: &Artifact,
        champion: Option<&Champion>,
        time: DateTime<Utc>,
    ) -> Result<Saved, StoreError> {
        let verdict = artifact.verdict.as_ref();
        let promoted = verdict.is_some_and(|verdict| verdict.promoted);
        let entry = Entry {
            at: time,
            act: if promoted { Act::Promoted } else { Act::Refused },
            model: ModelPath::new(promoted, time, 1),
            kind: artifact.model.kind(),
            digest: String::new(),
            previous: self.history.head().map(str::to_owned),
            reasons: verdict.map(|verdict| verdict.reasons.clone()).unwrap_or_default(),
            metrics: artifact.metrics.as_ref().map(KeyMetrics::from),
            champion: champion.cloned(),
        };
        self.place(artifact, entry).map(|(saved, _)| saved)
    }

    /// Saves a model that somebody made of the stored `model` by giving it another threshold, and makes it the current one, whatever the
    /// gate said of the other. It stands in the folder of the other. Returns the new line.
    pub fn save_by_hand(
        self,
        artifact: &Artifact,
        model: &ModelPath,
        time: DateTime<Utc>,
    ) -> Result<Entry, StoreError> {
        let entry = self.by_hand(
            ModelPath::new(model.folder() == "current", time, 1),
            model,
            artifact,
            time,
        )?;
        let (mut saved, entry) = self.place(artifact, entry)?;
        saved.confirm().map(|()| entry)
    }

    /// Writes the files of a model under the first free name and adds `entry` to the record, with that name and its digest.
    fn place(self, artifact: &Artifact, mut entry: Entry) -> Result<(Saved, Entry), StoreError> {
        let (model, digest) = artifact.to_bytes();
        entry.digest = digest;
        let (promoted, time) = (entry.model.folder() == "current", entry.at);
        let folder = self.root.join(entry.model.folder());
        let failed = |error: io::Error| StoreError::at(&folder, "cannot save the model", error);
        let metrics = metrics_json(artifact, &entry.digest, time).map_err(failed)?;
        self.make_folder(&folder).map_err(failed)?;

        for number in 1.. {
            entry.model = ModelPath::new(promoted, time, number);
            let saved = Saved {
                model: self.root.join(entry.model.to_string()),
                metrics: self.root.join(entry.model.metrics()),
                digest: entry.digest.clone(),
                unconfirmed: None,
            };
            if self.is_taken(&entry.model) {
                continue;
            }
            self.begin(&entry)?;
            let mut placed = Vec::new();
            let pair = [(&saved.metrics, &metrics), (&saved.model, &model)];
            let ended = match rename_pair(&folder, pair, &mut placed) {
                Ok(Renamed::Both { unconfirmed }) => match self.append(&entry) {
                    Appended::Yes { unconfirmed: line } => {
                        self.end();
                        let unconfirmed = unconfirmed.or(line);
                        return Ok((Saved { unconfirmed, ..saved }, entry));
                    }
                    // A line that cannot be taken back must not lose what it names.
                    Appended::Perhaps(error) => return Err(failed(error)),
                    Appended::No(error) => Err(error),
                },
                Ok(Renamed::NameTaken) => Ok(()),
                Err(error) => Err(error),
            };
            if placed.iter().all(|path| remove(path)) {
                self.end();
            }
            ended.map_err(failed)?;
        }
        Err(failed(io::Error::other("no free name")))
    }

    /// Makes the model of an earlier entry the current one again, by adding that to the record. Returns the new line.
    pub fn return_to(self, earlier: &Entry, time: DateTime<Utc>) -> Result<Entry, StoreError> {
        let entry = Entry {
            at: time,
            act: Act::RolledBack,
            model: earlier.model.clone(),
            kind: earlier.kind,
            digest: earlier.digest.clone(),
            previous: self.history.head().map(str::to_owned),
            reasons: Vec::new(),
            metrics: None,
            champion: None,
        };
        self.put_into_use(entry)
    }

    /// Makes a stored model the current one, whatever the gate said of it, by adding that to the record together with what it
    /// said. Returns the new line.
    pub fn promote(self, model: &ModelPath, artifact: &Artifact, time: DateTime<Utc>) -> Result<Entry, StoreError> {
        let entry = self.by_hand(model.clone(), model, artifact, time)?;
        self.put_into_use(entry)
    }

    /// The line by which `placed` becomes current, with what the gate said of the stored `model`.
    fn by_hand(
        &self,
        placed: ModelPath,
        model: &ModelPath,
        artifact: &Artifact,
        time: DateTime<Utc>,
    ) -> Result<Entry, StoreError> {
        if artifact.metrics.is_none() {
            return Err(StoreError::Refused(format!(
                "{model}: was never judged, so nobody knows what it is worth; train it with anomaly-train, which judges"
            )));
        }
        let verdict = self.history.verdict_on(model);
        let reasons = || artifact.verdict.as_ref().map(|verdict| verdict.reasons.clone());
        Ok(Entry {
            at: time,
            act: Act::PromotedByHand,
            model: placed,
            kind: artifact.model.kind(),
            digest: artifact.digest(),
            previous: self.history.head().map(str::to_owned),
            // The record knows more of its verdict than the file does, and cannot be changed as easily.
            reasons: verdict.map_or_else(|| reasons().unwrap_or_default(), |entry| entry.reasons.clone()),
            metrics: artifact.metrics.as_ref().map(KeyMetrics::from),
            champion: verdict.and_then(|entry| entry.champion.clone()),
        })
    }

    /// Adds a line to the record that needs no other files to be saved.
    fn put_into_use(self, entry: Entry) -> Result<Entry, StoreError> {
        let path = self.root.join(RECORD);
        let failed = |what, error| StoreError::at(&path, what, error);
        match self.append(&entry) {
            Appended::Yes { unconfirmed: None } => Ok(entry),
            Appended::Yes {
                unconfirmed: Some(error),
            } => Err(failed("written, but not confirmed on disk", error)),
            Appended::No(error) | Appended::Perhaps(error) => Err(failed("cannot write", error)),
        }
    }

    /// Makes `folder` if it is missing. It may be a link, but not one that leads out of the models directory.
    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        if !folder.is_dir() {
            fs::create_dir_all(folder)?;
            sync_folder(&self.root)?;
        }
        if self.is_inside(folder) {
            Ok(())
        } else {
            Err(io::Error::other("this link leads out of the models directory"))
        }
    }

    /// Whether a folder of the models directory is really in it, and not a link to somewhere else.
    fn is_inside(&self, folder: &Path) -> bool {
        let inside = |folder: PathBuf| fs::canonicalize(&self.root).is_ok_and(|root| folder.starts_with(root));
        fs::canonicalize(folder).is_ok_and(inside)
    }

    /// Whether anything has one of the names of this pair, and be it a link to nowhere or a line of the record.
    fn is_taken(&self, model: &ModelPath) -> bool {
        let stands = |path: String| self.root.join(path).symlink_metadata().is_ok();
        let recorded = self.history.entries().iter().any(|entry| entry.model == *model);
        recorded || stands(model.to_string()) || stands(model.metrics())
    }

    /// Notes down what is going to be saved, behind what has to stay of an earlier journal.
    fn begin(&self, entry: &Entry) -> Result<(), StoreError> {
        let path = self.root.join(JOURNAL);
        let file = if !self.keeps_journal {
            File::create_new(&path)
        } else if path.symlink_metadata().is_ok_and(|found| found.is_file()) {
            File::options().append(true).open(&path)
        } else {
            Err(io::Error::other("is not a plain file; remove it"))
        };
        let write = |mut file: File| {
            // What stands there may end in the middle of a line.
            let line_end = if self.keeps_journal { "\n" } else { "" };
            file.write_all(format!("{line_end}{}", entry.to_line()).as_bytes())?;
            file.sync_all()?;
            sync_folder(&self.root)
        };
        file.and_then(|file| write(file).inspect_err(|_| self.end()))
            .map_err(|error| StoreError::at(&path, "cannot note down what is to be saved", error))
    }

    /// Forgets what was going to be saved: all of it is in its place, or none.
    fn end(&self) {
        // Should the journal stay, the next run sees that there is nothing to take back.
        if !self.keeps_journal {
            remove(&self.root.join(JOURNAL));
        }
    }

    /// Takes back what killed runs left: temporary files, and a pair without a line in the record. Returns whether all of it is
    /// gone, and the journal too. What stays has been said, and is no reason not to go on.
    fn clean_up(&self) -> bool {
        remove_stale(Temporary::Model, &self.root);
        for folder in ["current", "candidates"].map(|folder| self.root.join(folder)) {
            if self.is_inside(&folder) {
                remove_stale(Temporary::Model, &folder);
            }
        }
        let path = self.root.join(JOURNAL);
        let read = match path.symlink_metadata() {
            Ok(found) if found.is_file() => fs::read(&path),
            Ok(_) => Err(io::Error::other("is not a plain file")),
            Err(error) if error.kind() == ErrorKind::NotFound => return true,
            Err(error) => Err(error),
        };
        let journal = match read {
            Ok(journal) => journal,
            Err(error) => {
                warn!("{}: cannot be read: {error}; {BY_HAND}", shown(&path));
                return false;
            }
        };
        let mut clean = true;
        // Of a line that is not whole nothing was put in its place yet.
        for entry in journal
            .split(|&byte| byte == b'\n')
            .filter_map(|line| serde_json::from_slice::<Entry>(line).ok())
        {
            let recorded = |other: &Entry| other.model == entry.model && other.digest == entry.digest;
            let folder = self.root.join(entry.model.folder());
            if self.history.entries().iter().any(recorded) || !self.is_inside(&folder) {
                continue;
            }
            // The model first, so that it never stands without its metrics.
            for path in [entry.model.to_string(), entry.model.metrics()] {
                let path = self.root.join(path);
                clean &= !bears(&path, &entry.digest) || remove_leftover(&path);
            }
        }
        // As long as something is left, the journal has to say what.
        clean && remove_leftover(&path)
    }

    /// Adds a line to the record.
    fn append(&self, entry: &Entry) -> Appended {
        let path = self.root.join(RECORD);
        let is_new = !path.exists();
        let whole = self.history.whole();
        let line_end = if self.history.lacks_line_end() { "\n" } else { "" };
        let line = format!("{line_end}{}", entry.to_line());
        let mut file = match File::options().read(true).append(true).create(true).open(&path) {
            Ok(file) => file,
            Err(error) => return Appended::No(error),
        };
        // Behind the last whole line may stand a part of one, which a killed run left.
        let cut = if self.history.has_truncated_tail() {
            file.set_len(whole)
        } else {
            Ok(())
        };
        let written = cut.and_then(|()| file.write_all(line.as_bytes())).and_then(|()| {
            let mut read = String::new();
            file.seek(SeekFrom::Start(whole))?;
            file.read_to_string(&mut read)?;
            if read == line {
                Ok(())
            } else {
                Err(io::Error::other("verification failed: reading back gives other bytes"))
            }
        });
        if let Err(error) = written {
            let taken_back = file.set_len(whole).is_ok();
            if taken_back && is_new {
                // An empty record says as much as none.
                let _ = fs::remove_file(&path);
            }
            return if taken_back {
                Appended::No(error)
            } else {
                Appended::Perhaps(error)
            };
        }
        let synced = file.sync_all();
        let synced = synced.and_then(|()| if is_new { sync_folder(&self.root) } else { Ok(()) });
        Appended::Yes {
            unconfirmed: synced.err(),
        }
    }
}

/// What came of adding a line to the record.
enum Appended {
    /// The whole line is there; perhaps the system could not promise that it lasts.
    Yes { unconfirmed: Option<io::Error> },
    /// Nothing of it is there.
    No(io::Error),
    /// Something failed, and taking the line back failed too.
    Perhaps(io::Error),
}

/// What came of putting two files in their places.
enum Renamed {
    /// Both are there; perhaps the system could not promise that they last.
    Both { unconfirmed: Option<io::Error> },
    /// Something else has taken one of the names meanwhile.
    NameTaken,
}

/// Puts two files in their places in `folder`, one after the other, and overwrites nothing. `placed` gets the paths of those
/// that are in place.
fn rename_pair(folder: &Path, files: [(&PathBuf, &Vec<u8>); 2], placed: &mut Vec<PathBuf>) -> io::Result<Renamed> {
    let mut temporaries = Vec::new();
    for (path, bytes) in files {
        temporaries.push((path, write_temporary(Temporary::Model, folder, bytes)?));
    }
    for (path, temporary) in temporaries {
        if !rename_no_clobber(temporary, path)? {
            return Ok(Renamed::NameTaken);
        }
        placed.push(path.clone());
    }
    let unconfirmed = sync_folder(folder).err();
    Ok(Renamed::Both { unconfirmed })
}

/// Whether the file at `path` begins like one that belongs to the model with this digest.
fn bears(path: &Path, digest: &str) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(256).read_to_end(&mut start));
    read.is_ok() && String::from_utf8_lossy(&start).contains(digest)
}

/// The metrics file of a model.
pub fn metrics_json(artifact: &Artifact, digest: &str, time: DateTime<Utc>) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(&MetricsFile {
        model_digest: digest,
        created_at: time,
        tool_version: artifact.tool_version.as_deref().unwrap_or(env!("CARGO_PKG_VERSION")),
        gate: &artifact.run.gate,
        verdict: artifact.verdict.as_ref(),
        metrics: artifact.metrics.as_ref(),
    })?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Loads the model of an entry in the record of `models_dir`; it must still be the one that it was then.
pub fn load_recorded(models_dir: &Path, entry: &Entry) -> Result<Artifact, StoreError> {
    let path = models_dir.join(entry.model.to_string());
    let artifact = load_file(&path)?;
    if artifact.digest() != entry.digest {
        return Err(StoreError::Refused(format!(
            "{}: not the model that the record names: that has digest {}; restore it, or put another into use with promote",
            shown(&path),
            entry.digest
        )));
    }
    Ok(artifact)
}

/// Loads a model file, which must be a plain file.
///
/// # Errors
///
/// If it cannot be read or is no model file of this version.
pub fn load_file(path: &Path) -> Result<Artifact, StoreError> {
    let kind = fs::metadata(path).map_err(|error| StoreError::at(path, "cannot open", error))?;
    if !kind.is_file() {
        return Err(StoreError::Refused(format!("{}: is not a file", shown(path))));
    }
    let file = File::open(path).map_err(|error| StoreError::at(path, "cannot open", error))?;
    Artifact::read(BufReader::new(file)).map_err(|error| match error {
        LoadError::Io(error) => StoreError::at(path, "cannot read", error),
        LoadError::Refused(problem) => StoreError::Refused(format!("{}: {problem}", shown(path))),
    })
}
