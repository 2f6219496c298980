//! The record of promotions: one line of JSON for each verdict of the gate and each step back, in the order in which they
//! were taken. It is only ever added to, and it alone says which promoted model is the current one.

use crate::evaluate::gate::{Champion, Figures, Reason};
use crate::text::{one_line, quote};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io::{self, BufRead, Read};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// The gate let a model through, and it became the current one.
    Promoted,
    /// The gate refused a model.
    Refused,
    /// An earlier model became the current one again.
    RolledBack,
}

/// One line of the record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", schemars(title = "Entry of the record of promotions"))]
pub struct Entry {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub act: Act,
    /// Which model file.
    pub model: ModelPath,
    /// Its digest.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = "^[0-9a-f]{64}$")))]
    pub digest: String,
    /// The model that was the current one until then.
    pub follows: Option<ModelPath>,
    /// Everything that spoke against promotion.
    pub reasons: Vec<Reason>,
    /// Its figures on its validation part; null for a step back.
    pub metrics: Option<Figures>,
    /// What it was compared with.
    pub champion: Option<Champion>,
}

impl Entry {
    /// The entry as a line of the record, with its line end.
    #[must_use]
    pub fn to_line(&self) -> String {
        let line = serde_json::to_string(self);
        // Nothing can go wrong with finite numbers and text in memory.
        debug_assert!(line.is_ok(), "{line:?}");
        line.unwrap_or_default() + "\n"
    }
}

/// Where a model file stands in the models directory: `current/anomaly_model_20261122_120000.json`, or in `candidates`, or
/// with a number at its end. It cannot lead out of the models directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", schemars(extend("pattern" = "^(current|candidates)/anomaly_model_[0-9_]{1,64}[.]json$")))]
pub struct ModelPath {
    promoted: bool,
    stamp: String,
}

impl ModelPath {
    /// The path of the `number`th model of the second `time`, counted from 1.
    #[must_use]
    pub fn new(promoted: bool, time: DateTime<Utc>, number: u64) -> Self {
        let stamp = time.format("%Y%m%d_%H%M%S");
        let stamp = match number {
            ..=1 => stamp.to_string(),
            number => format!("{stamp}_{number}"),
        };
        Self { promoted, stamp }
    }

    /// The folder: `current` or `candidates`.
    #[must_use]
    pub fn folder(&self) -> &'static str {
        if self.promoted { "current" } else { "candidates" }
    }

    /// Where the metrics file of the model stands.
    #[must_use]
    pub fn metrics(&self) -> String {
        format!("{}/anomaly_metrics_{}.json", self.folder(), self.stamp)
    }
}

impl fmt::Display for ModelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/anomaly_model_{}.json", self.folder(), self.stamp)
    }
}

impl From<ModelPath> for String {
    fn from(path: ModelPath) -> String {
        path.to_string()
    }
}

impl TryFrom<String> for ModelPath {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parts = || {
            let (folder, file) = text.split_once('/')?;
            let stamp = file.strip_prefix("anomaly_model_")?.strip_suffix(".json")?;
            let promoted = match folder {
                "current" => true,
                "candidates" => false,
                _ => return None,
            };
            let plain = !stamp.is_empty() && stamp.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
            (plain && stamp.len() <= 64).then(|| Self {
                promoted,
                stamp: stamp.to_owned(),
            })
        };
        parts().ok_or_else(|| format!("{} is not the path of a model in a models directory", quote(&text)))
    }
}

/// The record as it was read.
#[derive(Debug, Clone, Default)]
pub struct History {
    entries: Vec<Entry>,
    whole: u64,
    truncated_tail: bool,
    lacks_line_end: bool,
}

/// Why a record could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// Reading failed.
    #[error("cannot read: {0}")]
    Io(#[from] io::Error),
    /// A line is not an entry.
    #[error("{line}: not a line that anomaly-train writes here: {problem}; restore the file")]
    Refused {
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
}

/// Longest line that can be an entry, in bytes.
const MAX_LINE: usize = 1 << 20;

impl History {
    /// Reads a record. A part of a line at its end is what a run that was killed while writing it left; it does not count.
    ///
    /// # Errors
    ///
    /// If `reader` fails, or a line is not as [`Entry::to_line`] writes it.
    pub fn read(mut reader: impl BufRead) -> Result<Self, HistoryError> {
        let mut history = Self::default();
        let mut line = Vec::new();
        loop {
            line.clear();
            reader.by_ref().take(MAX_LINE as u64).read_until(b'\n', &mut line)?;
            let refused = |problem: String| HistoryError::Refused {
                line: history.entries.len() + 1,
                problem: one_line(&problem),
            };
            if !line.ends_with(b"\n") {
                if line.len() == MAX_LINE {
                    return Err(refused("the line is too long".to_owned()));
                }
                // An editor may have dropped the last line end; what is a whole entry all the same must not be lost.
                let entry = serde_json::from_slice(&line).ok();
                if let Some(entry) = entry.filter(|entry: &Entry| entry.to_line().trim_end().as_bytes() == line) {
                    history.whole += line.len() as u64;
                    history.entries.push(entry);
                    history.lacks_line_end = true;
                } else {
                    history.truncated_tail = !line.is_empty();
                }
                return Ok(history);
            }
            let entry: Entry = serde_json::from_slice(&line).map_err(|error| refused(error.to_string()))?;
            // Reading is more lenient than writing: an array would do for an object.
            if entry.to_line().as_bytes() != line {
                return Err(refused("it is written in another way".to_owned()));
            }
            history.whole += line.len() as u64;
            history.entries.push(entry);
        }
    }

    /// All entries, oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How many bytes of the record are whole lines.
    #[must_use]
    pub fn whole(&self) -> u64 {
        self.whole
    }

    /// Whether something that is not a whole line stands behind the entries.
    #[must_use]
    pub fn has_truncated_tail(&self) -> bool {
        self.truncated_tail
    }

    /// Whether the last entry is whole but for its line end.
    #[must_use]
    pub fn lacks_line_end(&self) -> bool {
        self.lacks_line_end
    }

    /// The entry by which the current model became that.
    #[must_use]
    pub fn current(&self) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.act != Act::Refused)
    }

    /// The entry by which `model` was promoted.
    #[must_use]
    pub fn promotion_of(&self, model: &ModelPath) -> Option<&Entry> {
        let promotes = |entry: &&Entry| entry.act == Act::Promoted && entry.model == *model;
        self.entries.iter().rev().find(promotes)
    }

    /// The promotion of the model that the current one followed when it was promoted: where a step back leads.
    #[must_use]
    pub fn previous(&self) -> Option<&Entry> {
        let current = self.promotion_of(&self.current()?.model)?;
        self.promotion_of(current.follows.as_ref()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(number: u64) -> ModelPath {
        ModelPath::new(true, DateTime::UNIX_EPOCH, number)
    }

    fn entry(act: Act, number: u64, follows: Option<u64>) -> Entry {
        Entry {
            at: DateTime::UNIX_EPOCH,
            act,
            model: path(number),
            digest: "d".to_owned(),
            follows: follows.map(path),
            reasons: Vec::new(),
            metrics: None,
            champion: None,
        }
    }

    fn history(entries: &[Entry]) -> History {
        let text: String = entries.iter().map(Entry::to_line).collect();
        History::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_current_model_is_the_last_promoted_or_returned_to() {
        use Act::{Promoted, Refused, RolledBack};
        let mut entries = vec![
            entry(Promoted, 1, None),
            entry(Promoted, 2, Some(1)),
            entry(Refused, 9, Some(2)),
        ];
        assert_eq!(history(&entries).current().unwrap().model, path(2));
        assert_eq!(history(&entries).previous().unwrap().model, path(1));
        entries.push(entry(RolledBack, 1, Some(2)));
        assert_eq!(history(&entries).current().unwrap().model, path(1));
        assert_eq!(history(&entries).previous(), None);
        entries.push(entry(Promoted, 3, Some(1)));
        assert_eq!(history(&entries).previous().unwrap().model, path(1));
        assert_eq!(history(&[]).current(), None);
        assert_eq!(history(&entries).entries(), entries);
    }

    #[test]
    fn a_truncated_tail_does_not_count_and_any_other_damage_is_refused() {
        let whole = entry(Act::Promoted, 1, None).to_line();
        let unended = History::read(format!("{whole}{}", whole.trim_end()).as_bytes()).unwrap();
        assert_eq!((unended.entries().len(), unended.has_truncated_tail()), (2, false));
        assert!(unended.lacks_line_end());
        for end in 0..whole.len() - 1 {
            let text = format!("{whole}{}", &whole[..end]);
            let history = History::read(text.as_bytes()).unwrap();
            assert_eq!((history.entries().len(), history.has_truncated_tail()), (1, end > 0));
            assert_eq!(history.whole(), whole.len() as u64);
        }
        for damaged in [
            whole.replace("promoted", "demoted"),
            whole.replace("current/", "../"),
            whole.replace("\"at\"", " \"at\""),
            whole.replace('{', "{\"at\":\"1970-01-01T00:00:00Z\","),
            "\n".to_owned(),
            "x".repeat(2 << 20),
        ] {
            let error = History::read(format!("{whole}{damaged}").as_bytes()).unwrap_err();
            assert!(error.to_string().starts_with("2: not a line"), "{error}");
        }
    }

    #[test]
    fn a_model_path_cannot_lead_out_of_the_models_directory() {
        let good = "current/anomaly_model_20261122_120000_2.json";
        assert_eq!(ModelPath::try_from(good.to_owned()).unwrap().to_string(), good);
        for bad in [
            "anomaly_model_1.json",
            "current/../../anomaly_model_1.json",
            "current/anomaly_model_../x.json",
            "/current/anomaly_model_1.json",
            "other/anomaly_model_1.json",
            "current/anomaly_model_.json",
            "current/anomaly_model_1.json\0",
            "current\\anomaly_model_1.json",
        ] {
            assert!(ModelPath::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
