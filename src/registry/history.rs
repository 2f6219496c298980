//! The record of promotions: one line of JSON for each verdict of the gate, each step back and each promotion by hand, in the
//! order in which they were taken. It is only ever added to, and it alone says which promoted model is the current one. It is a chain: each line
//! holds the digest of the one before, so that none can be edited, removed or moved unnoticed, but for the last ones.

use crate::data::dataset::{hex, is_digest};
use crate::evaluate::gate::{Champion, KeyMetrics, Reason};
use crate::model::kind::ModelKind;
use crate::text::{one_line, quote};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use std::io::{self, BufRead, Read};
use std::iter;

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
    /// Somebody made a stored model the current one, whatever the gate had said.
    PromotedByHand,
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
    /// What that model learned from; missing for one that learned from labels.
    #[serde(default, skip_serializing_if = "ModelKind::is_labelled")]
    pub kind: ModelKind,
    /// Its digest.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = "^[0-9a-f]{64}$")))]
    pub digest: String,
    /// SHA-256, in hexadecimal, of the line before this one with its line end; `None` in the first.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = "^[0-9a-f]{64}$")))]
    pub previous: Option<String>,
    /// Everything that spoke against promotion when the gate judged it; empty for a step back.
    pub reasons: Vec<Reason>,
    /// Its figures on its validation part; null for a step back.
    pub metrics: Option<KeyMetrics>,
    /// What it was compared with when the gate judged it.
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

    /// Whether digests are digests and figures lie in their ranges.
    fn is_possible(&self) -> bool {
        let champion = self.champion.as_ref();
        let digests = iter::once(&self.digest)
            .chain(&self.previous)
            .chain(champion.map(|champion| &champion.digest));
        let mut figures = self.metrics.iter().chain(champion.map(|champion| &champion.figures));
        digests.into_iter().all(|digest| is_digest(digest))
            && figures.all(KeyMetrics::are_possible)
            && champion
                .and_then(|champion| champion.comparison)
                .is_none_or(|comparison| comparison.is_possible())
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
    /// The digest of the last entry's line.
    head: Option<String>,
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
    #[error("{line}: not a line that anomaly-train writes here: {problem}; {RESTORE}")]
    Refused {
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// A line does not hold the digest of the one before.
    #[error("{line}: {}; {RESTORE}", broken(*.line))]
    Broken {
        /// Which line, from 1.
        line: usize,
    },
}

const RESTORE: &str = "restore the file, or move it away and name the model to use with promote, which begins another";

fn broken(line: usize) -> String {
    match line {
        ..=1 => "the lines that stood before this one were removed or moved".to_owned(),
        _ => format!(
            "does not go on from line {}: one of the two was edited, or lines were removed or moved here",
            line - 1
        ),
    }
}

/// Longest line that can be an entry, in bytes.
const MAX_LINE: usize = 1 << 20;

impl History {
    /// Reads a record. A part of a line at its end is what a run that was killed while writing it left; it does not count.
    ///
    /// # Errors
    ///
    /// If `reader` fails, a line is not as [`Entry::to_line`] writes it, or does not go on from the one before.
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
                let as_written = |entry: &Entry| entry.to_line().trim_end().as_bytes() == line && entry.is_possible();
                if let Some(entry) = entry.filter(as_written) {
                    history.add(entry)?;
                    history.whole += line.len() as u64;
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
            if !entry.is_possible() {
                return Err(refused("a digest or a figure is not what can stand there".to_owned()));
            }
            history.add(entry)?;
            history.whole += line.len() as u64;
        }
    }

    /// Takes in the next entry, which must go on from the last one.
    fn add(&mut self, entry: Entry) -> Result<(), HistoryError> {
        if entry.previous != self.head {
            let line = self.entries.len() + 1;
            return Err(HistoryError::Broken { line });
        }
        self.head = Some(hex(&Sha256::digest(entry.to_line())));
        self.entries.push(entry);
        Ok(())
    }

    /// All entries, oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The digest of the last line: what the next one holds as `previous`. `None` if there is no line.
    #[must_use]
    pub fn head(&self) -> Option<&str> {
        self.head.as_deref()
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

    /// The entry by which a model of this kind became the current one last, be it still that or not.
    #[must_use]
    pub fn current_of(&self, kind: ModelKind) -> Option<&Entry> {
        let is = |entry: &&Entry| entry.act != Act::Refused && entry.kind == kind;
        self.entries.iter().rev().find(is)
    }

    /// The entry that holds what the gate said of `model`.
    #[must_use]
    pub fn verdict_on(&self, model: &ModelPath) -> Option<&Entry> {
        let judges = |entry: &&Entry| matches!(entry.act, Act::Promoted | Act::Refused) && entry.model == *model;
        self.entries.iter().find(judges)
    }

    /// The last entry that names `model`.
    #[must_use]
    pub fn last_of(&self, model: &ModelPath) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.model == *model)
    }

    /// The last entry by which `model` became the current one, if it ever did.
    #[must_use]
    pub fn last_use_of(&self, model: &ModelPath) -> Option<&Entry> {
        let uses = |entry: &&Entry| entry.act != Act::Refused && entry.model == *model;
        self.entries.iter().rev().find(uses)
    }

    /// Where a step back leads: the model that the current one followed when it was promoted.
    #[must_use]
    pub fn previous(&self) -> Option<&Entry> {
        let mut followed: Vec<&Entry> = Vec::new();
        for entry in self.entries.iter().filter(|entry| entry.act != Act::Refused) {
            let place = || followed.iter().rposition(|earlier| earlier.model == entry.model);
            match (entry.act == Act::RolledBack).then(place).flatten() {
                Some(place) => followed.truncate(place + 1),
                None => followed.push(entry),
            }
        }
        followed.into_iter().rev().nth(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(number: u64) -> ModelPath {
        ModelPath::new(true, DateTime::UNIX_EPOCH, number)
    }

    /// The lines of a record in which this was done to these models.
    fn lines(acts: &[(Act, u64)]) -> Vec<String> {
        let mut history = History::default();
        for &(act, number) in acts {
            let entry = Entry {
                at: DateTime::UNIX_EPOCH,
                act,
                model: path(number),
                kind: ModelKind::Labelled,
                digest: "d".repeat(64),
                previous: history.head().map(str::to_owned),
                reasons: Vec::new(),
                metrics: None,
                champion: None,
            };
            history.add(entry).unwrap();
        }
        history.entries.iter().map(Entry::to_line).collect()
    }

    fn read(lines: &[String]) -> Result<History, HistoryError> {
        History::read(lines.concat().as_bytes())
    }

    #[test]
    fn the_current_model_is_the_last_promoted_or_returned_to() {
        use Act::{Promoted, PromotedByHand, Refused, RolledBack};
        let acts = [
            (Promoted, 1, None),
            (Promoted, 2, Some(1)),
            (Refused, 9, Some(1)),
            (RolledBack, 1, None),
            (Promoted, 3, Some(1)),
            (Promoted, 4, Some(3)),
            (RolledBack, 1, None),
            (RolledBack, 4, Some(1)),
            (PromotedByHand, 9, Some(4)),
            (PromotedByHand, 1, Some(9)),
            (RolledBack, 9, Some(4)),
            (RolledBack, 4, Some(1)),
        ];
        let mut current = None;
        for (index, &(act, model, previous)) in acts.iter().enumerate() {
            let done: Vec<_> = acts[..=index].iter().map(|&(act, model, _)| (act, model)).collect();
            let history = read(&lines(&done)).unwrap();
            if act != Refused {
                current = Some(path(model));
            }
            assert_eq!(history.current().map(|entry| entry.model.clone()), current);
            assert_eq!(history.previous().map(|entry| entry.model.clone()), previous.map(path));
        }
        assert_eq!(read(&[]).unwrap().current(), None);
    }

    #[test]
    fn the_line_is_named_that_does_not_go_on_from_the_one_before() {
        use Act::{Promoted, Refused};
        let whole = lines(&[(Promoted, 1), (Refused, 2), (Promoted, 3), (Promoted, 4)]);
        let broken_at = |lines: &[String]| match read(lines) {
            Err(HistoryError::Broken { line }) => Some(line),
            Err(error) => panic!("{error}"),
            Ok(_) => None,
        };
        assert_eq!(broken_at(&whole), None);
        for place in 0..3 {
            let mut edited = whole.clone();
            edited[place] = edited[place].replace("1970", "1971");
            assert_eq!(broken_at(&edited), Some(place + 2));
            let mut removed = whole.clone();
            removed.remove(place);
            assert_eq!(broken_at(&removed), Some(place + 1));
            let mut swapped = whole.clone();
            swapped.swap(place, place + 1);
            assert_eq!(broken_at(&swapped), Some(place + 1));
            let mut doubled = whole.clone();
            doubled.insert(place, whole[place].clone());
            assert_eq!(broken_at(&doubled), Some(place + 2));
        }
        // An editor that drops the last line end hides nothing.
        let unended = format!("{}{}", whole[0], whole[2].trim_end());
        assert!(matches!(
            History::read(unended.as_bytes()),
            Err(HistoryError::Broken { line: 2 })
        ));
        // Nothing stands behind the last lines that could tell.
        assert_eq!(broken_at(&whole[..2]), None);
    }

    #[test]
    fn a_truncated_tail_does_not_count_and_any_other_damage_is_refused() {
        let both = lines(&[(Act::Promoted, 1), (Act::Promoted, 2)]);
        let (first, whole) = (&both[0], &both[1]);
        let unended = History::read(format!("{first}{}", whole.trim_end()).as_bytes()).unwrap();
        assert_eq!((unended.entries().len(), unended.has_truncated_tail()), (2, false));
        assert!(unended.lacks_line_end());
        for end in 0..whole.len() - 1 {
            let text = format!("{first}{}", &whole[..end]);
            let history = History::read(text.as_bytes()).unwrap();
            assert_eq!((history.entries().len(), history.has_truncated_tail()), (1, end > 0));
            assert_eq!(history.whole(), first.len() as u64);
        }
        for damaged in [
            whole.replace("promoted", "demoted"),
            whole.replace("current/", "../"),
            whole.replace("\"at\"", " \"at\""),
            whole.replace('{', "{\"at\":\"1970-01-01T00:00:00Z\","),
            "\n".to_owned(),
            "x".repeat(2 << 20),
        ] {
            let error = History::read(format!("{first}{damaged}").as_bytes()).unwrap_err();
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
