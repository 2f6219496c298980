//! The models directory: pairs of a model and its metrics, and the record of what was promoted.
//!
//! One run writes at a time. Before the files of a pair are put in their places, a journal names them; it goes when the record
//! has its line. So whoever comes after a run that was killed in between knows what to take back.

use super::disk::{Lock, remove_leftover, sweep, sync_folder, write_temporary};
use super::failure::{Failure, shown};
use super::signals;
use super::summary::MetricsFile;
use anomaly_train::{Act, Artifact, Champion, Entry, Figures, History, HistoryError, ModelPath};
use chrono::{DateTime, Utc};
use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const RECORD: &str = "promotions.jsonl";
const JOURNAL: &str = ".anomaly-train-saving";

/// A models directory that this run alone may write to.
pub(crate) struct Store {
    root: PathBuf,
    history: History,
    _lock: Lock,
}

/// Where a model was saved.
#[derive(Debug)]
pub(crate) struct Saved {
    pub(crate) model: PathBuf,
    pub(crate) metrics: PathBuf,
    pub(crate) digest: String,
    /// Why the system could not promise that all of it lasts through a power cut.
    unconfirmed: Option<io::Error>,
}

impl Saved {
    /// That everything is on disk for good.
    pub(crate) fn confirm(&self) -> Result<(), Failure> {
        match &self.unconfirmed {
            None => Ok(()),
            Some(error) => Err(Failure::at(&self.model, "saved, but not confirmed on disk", error)),
        }
    }
}

/// The record of promotions of the models directory `root`; empty if there is none.
pub(crate) fn history(root: &Path) -> Result<History, Failure> {
    let path = root.join(RECORD);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind()) => {
            return Ok(History::default());
        }
        Err(error) => return Err(Failure::at(&path, "cannot open", &error)),
    };
    History::read(BufReader::new(file)).map_err(|error| match error {
        HistoryError::Io(error) => Failure::at(&path, "cannot read", &error),
        HistoryError::Refused { .. } => Failure::refused(format_args!("{}:{error}", shown(&path))),
    })
}

impl Store {
    /// Opens the models directory `root`, making it if it is missing, waits for other runs that write to it, and takes back
    /// what killed ones left.
    pub(crate) fn open(root: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::at(root, "cannot write to the models directory", &error);
        fs::create_dir_all(root).map_err(failed)?;
        let lock = Lock::on(root).map_err(failed)?;
        let store = Self {
            root: root.to_owned(),
            history: history(root)?,
            _lock: lock,
        };
        store.clean_up();
        Ok(store)
    }

    pub(crate) fn history(&self) -> &History {
        &self.history
    }

    /// Saves a model with its metrics beside it, to `current` if it is promoted, else to `candidates`, and adds the verdict
    /// to the record, with the champion that it was compared with. Nothing is overwritten: if a name is taken, both files get the next free number.
    pub(crate) fn save(
        self,
        artifact: &Artifact,
        champion: Option<&Champion>,
        time: DateTime<Utc>,
    ) -> Result<Saved, Failure> {
        let (model, digest) = artifact.to_bytes();
        let promotion = artifact.promotion.as_ref();
        let verdict = promotion.map(|promotion| &promotion.verdict);
        let promoted = verdict.is_some_and(|verdict| verdict.promoted);
        let mut entry = Entry {
            at: time,
            act: if promoted { Act::Promoted } else { Act::Refused },
            model: ModelPath::new(promoted, time, 1),
            digest,
            follows: self.history.current().map(|current| current.model.clone()),
            reasons: verdict.map(|verdict| verdict.reasons.clone()).unwrap_or_default(),
            metrics: artifact.metrics.as_ref().map(Figures::from),
            champion: champion.cloned(),
        };
        let folder = self.root.join(entry.model.folder());
        let failed = |error: io::Error| Failure::at(&folder, "cannot save the model", &error);
        let metrics = metrics_json(artifact, &entry.digest, time).map_err(failed)?;
        self.make_folder(&folder).map_err(failed)?;

        let _whole = signals::hold();
        for number in 1.. {
            entry.model = ModelPath::new(promoted, time, number);
            let saved = Saved {
                model: self.root.join(entry.model.to_string()),
                metrics: self.root.join(entry.model.metrics()),
                digest: entry.digest.clone(),
                unconfirmed: None,
            };
            if is_taken(&saved.model) || is_taken(&saved.metrics) {
                continue;
            }
            self.begin(&entry).map_err(failed)?;
            let mut placed = Vec::new();
            let pair = [(&saved.metrics, &metrics), (&saved.model, &model)];
            let ended = place(&folder, pair, &mut placed).and_then(|placed| match placed {
                Placed::NameTaken => Ok(None),
                Placed::Both { unconfirmed } => Ok(Some(unconfirmed.or(self.append(&entry)?))),
            });
            if let Ok(Some(unconfirmed)) = ended {
                self.end();
                return Ok(Saved { unconfirmed, ..saved });
            }
            if placed.iter().all(|path| fs::remove_file(path).is_ok()) {
                self.end();
            }
            ended.map_err(failed)?;
        }
        Err(failed(io::Error::other("no free name")))
    }

    /// Makes `entry.model` the current one again, by adding that to the record.
    pub(crate) fn return_to(self, entry: &Entry) -> Result<(), Failure> {
        let _whole = signals::hold();
        let path = self.root.join(RECORD);
        let failed = |what: &str, error: &io::Error| Failure::at(&path, what, error);
        match self.append(entry) {
            Ok(None) => Ok(()),
            Ok(Some(error)) => Err(failed("written, but not confirmed on disk", &error)),
            Err(error) => Err(failed("cannot write", &error)),
        }
    }

    /// Makes `folder` if it is missing. It may be a link, but not one that leads out of the models directory.
    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        if !folder.is_dir() {
            fs::create_dir_all(folder)?;
            sync_folder(&self.root)?;
        }
        if !fs::canonicalize(folder)?.starts_with(fs::canonicalize(&self.root)?) {
            return Err(io::Error::other("this link leads out of the models directory"));
        }
        Ok(())
    }

    /// Notes down what is going to be saved.
    fn begin(&self, entry: &Entry) -> io::Result<()> {
        let path = self.root.join(JOURNAL);
        fs::write(&path, entry.to_line()).inspect_err(|_| self.end())
    }

    /// Forgets what was going to be saved: all of it is in its place, or none.
    fn end(&self) {
        // Should the journal stay, the next run sees that there is nothing to take back.
        let _ = fs::remove_file(self.root.join(JOURNAL));
    }

    /// Takes back what killed runs left: temporary files, and a pair without a line in the record.
    fn clean_up(&self) {
        sweep(&self.root);
        for folder in ["current", "candidates"] {
            sweep(&self.root.join(folder));
        }
        let Ok(journal) = fs::read(self.root.join(JOURNAL)) else {
            return;
        };
        let begun = History::read(&journal[..]).unwrap_or_default();
        for entry in begun.entries() {
            let recorded = |other: &Entry| other.model == entry.model && other.digest == entry.digest;
            if self.history.entries().iter().any(recorded) {
                continue;
            }
            // The model first, so that it never stands without its metrics.
            for path in [entry.model.to_string(), entry.model.metrics()] {
                let path = self.root.join(path);
                if bears(&path, &entry.digest) {
                    remove_leftover(&path);
                }
            }
        }
        remove_leftover(&self.root.join(JOURNAL));
    }

    /// Adds a line to the record. Either the whole line is there afterwards or nothing of it; in the first case the result is
    /// what kept the system from promising that it lasts, if anything did.
    fn append(&self, entry: &Entry) -> io::Result<Option<io::Error>> {
        let path = self.root.join(RECORD);
        let is_new = !path.exists();
        let line = entry.to_line();
        let whole = self.history.whole();
        let mut file = File::options().read(true).append(true).create(true).open(&path)?;
        // Behind the last whole line may stand a part of one, which a killed run left.
        let written = file.set_len(whole).and_then(|()| file.write_all(line.as_bytes()));
        let written = written.and_then(|()| {
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
            let _ = file.set_len(whole);
            if is_new {
                let _ = fs::remove_file(&path);
            }
            return Err(error);
        }
        let synced = file
            .sync_all()
            .and_then(|()| if is_new { sync_folder(&self.root) } else { Ok(()) });
        Ok(synced.err())
    }
}

/// What came of putting two files in their places.
enum Placed {
    /// Both are there; perhaps the system could not promise that they last.
    Both { unconfirmed: Option<io::Error> },
    /// Something else has taken one of the names meanwhile.
    NameTaken,
}

/// Puts two files in their places in `folder`, one after the other, and overwrites nothing. `placed` gets the paths of those
/// that are in place.
fn place(folder: &Path, files: [(&PathBuf, &Vec<u8>); 2], placed: &mut Vec<PathBuf>) -> io::Result<Placed> {
    let mut temporaries = Vec::new();
    for (path, bytes) in files {
        temporaries.push((path, write_temporary(folder, bytes)?));
    }
    for (path, temporary) in temporaries {
        match temporary.persist_noclobber(path) {
            Ok(()) => placed.push(path.clone()),
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => return Ok(Placed::NameTaken),
            Err(error) => return Err(error.error),
        }
    }
    let unconfirmed = sync_folder(folder).err();
    Ok(Placed::Both { unconfirmed })
}

/// Whether anything stands at `path`, and be it a link to nowhere.
fn is_taken(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Whether the file at `path` begins like one that belongs to the model with this digest.
fn bears(path: &Path, digest: &str) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(256).read_to_end(&mut start));
    read.is_ok() && String::from_utf8_lossy(&start).contains(digest)
}

fn metrics_json(artifact: &Artifact, digest: &str, time: DateTime<Utc>) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(&MetricsFile {
        model_digest: digest,
        created_at: time,
        tool_version: env!("CARGO_PKG_VERSION"),
        promotion: artifact.promotion.as_ref(),
        metrics: artifact.metrics.as_ref(),
    })?;
    bytes.push(b'\n');
    Ok(bytes)
}
