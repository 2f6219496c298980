//! The model file: JSON that holds data only, says where it comes from, and proves that it is whole.
//!
//! The members `digest`, `created_at`, `tool_version`, `reading`, `gate` and `verdict` come first. The digest is the SHA-256 of the file
//! without them, as compact JSON, so it covers everything that does not depend on when and where the model was trained.

mod difference;
mod normal;
mod read;
#[cfg(feature = "schema")]
mod schema;
mod write;

pub use difference::Difference;
#[cfg(feature = "schema")]
pub use schema::model_schema;

use crate::bounds::OpenUnitInterval;
use crate::data::dataset::hex;
use crate::evaluate::gate::Verdict;
use crate::evaluate::metrics::Metrics;
use crate::evaluate::session_scores::{Budget, BudgetError, Caution, SessionScores};
use crate::evaluate::threshold::{Chosen, LeftOutScores, Threshold, WishError};
use crate::model::AnomalyModel;
use crate::model::kind::{Model, ModelKind};
use crate::run::{DataSummary, Run, Training};
use crate::text::{one_line, quote};
use chrono::{DateTime, Utc};
use memchr::memmem;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::io::{self, BufWriter, Read, Write};
use write::{Body, Header};

/// The format that this version writes and reads.
pub const FORMAT_VERSION: u32 = 8;
/// Largest model file that is read, in bytes: 1 GiB.
pub const MAX_MODEL_FILE: u64 = 1 << 30;
const MODEL_TYPE: &str = "anomaly";

/// A model with everything that is kept beside it in its file.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// The model.
    pub model: Model,
    /// The training run that made it. How it was trained is written as the model itself says.
    pub run: Run,
    /// What it was trained and judged on.
    pub data: Option<DataSummary>,
    /// Its figures on the validation part.
    pub metrics: Option<Metrics>,
    /// Scores of samples by models that were trained without them; thresholds are chosen on these. A normal-only model has none.
    pub left_out: LeftOutScores,
    /// What the same samples came to on their way, as sessions; thresholds for a monitor are chosen on these. A normal-only model has none.
    pub sessions: SessionScores,
    /// The digest of the model that this one is but for its threshold; `None` for a model as it was trained.
    pub origin: Option<String>,
    /// What the gate of the run decided.
    pub verdict: Option<Verdict>,
    /// When the model was made.
    pub created_at: Option<DateTime<Utc>>,
    /// The version of anomaly-train that made it; `None` stands for this one.
    pub tool_version: Option<String>,
}

/// A threshold, and how it was chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Resolved {
    /// The threshold.
    pub threshold: OpenUnitInterval,
    /// What it was chosen for and what it does, if it was not given.
    pub chosen: Option<Chosen>,
}

/// Why a model file was refused, in one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file could not be read.
    #[error("cannot read: {0}")]
    Io(#[from] io::Error),
    /// What was read is not a model that this version can use.
    #[error("{0}")]
    Refused(String),
}

fn refused<T>(problem: impl Into<String>) -> Result<T, LoadError> {
    Err(LoadError::Refused(problem.into()))
}

impl<M: Into<Model>> From<M> for Artifact {
    fn from(model: M) -> Self {
        let model = model.into();
        Self {
            run: Run::given(Training::from(&model)),
            model,
            data: None,
            metrics: None,
            left_out: LeftOutScores::default(),
            sessions: SessionScores::default(),
            origin: None,
            verdict: None,
            created_at: None,
            tool_version: None,
        }
    }
}

impl Artifact {
    /// The threshold that was asked for. Wishes are met on what was left out of training, never on the data that are judged; with a
    /// `base_rate`, for scores [at that rate](AnomalyModel::at_base_rate).
    ///
    /// # Errors
    ///
    /// If no threshold does what is wished for.
    pub fn threshold(&self, asked: Threshold, base_rate: Option<OpenUnitInterval>) -> Result<Resolved, WishError> {
        let wish = match (asked, &self.model) {
            (asked, Model::NormalOnly(model)) => return model.promising(asked),
            (Threshold::Fixed(threshold), _) => {
                return Ok(Resolved {
                    threshold,
                    chosen: None,
                });
            }
            (Threshold::Wish(wish), _) => wish,
        };
        let shift = base_rate
            .and_then(|rate| self.model.labelled()?.log_odds_shift(rate))
            .unwrap_or(0.0);
        let mut chosen = self.left_out.choose(wish, libm::exp(shift))?;
        if shift != 0.0 {
            chosen.threshold = chosen.threshold.shifted(shift);
        }
        Ok(Resolved {
            threshold: chosen.threshold,
            chosen: Some(chosen),
        })
    }

    /// The threshold at which no more than `share` of the normal sessions ever alarm that a monitor watches; with a `base_rate`, for scores
    /// [at that rate](AnomalyModel::at_base_rate).
    ///
    /// # Errors
    ///
    /// If there are no or too few sessions to choose it on.
    pub fn budget(
        &self,
        share: OpenUnitInterval,
        caution: Caution,
        base_rate: Option<OpenUnitInterval>,
    ) -> Result<Budget, BudgetError> {
        let mut budget = self.sessions.budget(share, caution, self.run.training.seed())?;
        let shift = base_rate.and_then(|rate| self.model.labelled()?.log_odds_shift(rate));
        if let Some(shift) = shift {
            budget.threshold = budget.threshold.shifted(shift);
        }
        Ok(budget)
    }

    /// The same model with another threshold, as one that says where it comes from.
    #[must_use]
    pub fn with_threshold(mut self, threshold: OpenUnitInterval) -> Self {
        let origin = self.origin.take().unwrap_or_else(|| self.digest());
        let before = self.trained_threshold();
        self.model = self.model.with_threshold(threshold);
        self.origin = Some(origin).filter(|_| threshold != before);
        self
    }

    /// The model as it was trained, which [`origin`](Self::origin) is the digest of.
    #[must_use]
    pub fn as_trained(mut self) -> Self {
        self.model = self.model.clone().with_threshold(self.trained_threshold());
        self.origin = None;
        self
    }

    /// The threshold that training led to.
    fn trained_threshold(&self) -> OpenUnitInterval {
        match &self.metrics {
            Some(metrics) => metrics.threshold,
            None => match &self.model {
                Model::Labelled(model) => model.config.anomaly_threshold,
                Model::NormalOnly(model) => model.config.anomaly_threshold,
            },
        }
    }

    /// The digest of the model file.
    #[must_use]
    pub fn digest(&self) -> String {
        write::digest(self)
    }

    /// The model file, and its digest.
    #[must_use]
    pub fn to_bytes(&self) -> (Vec<u8>, String) {
        write::to_bytes(self)
    }

    /// Writes the model file. Returns its digest.
    ///
    /// # Errors
    ///
    /// If `writer` fails.
    pub fn write(&self, mut writer: impl Write) -> io::Result<String> {
        let (bytes, digest) = self.to_bytes();
        writer.write_all(&bytes)?;
        writer.flush()?;
        Ok(digest)
    }

    /// Reads a model file and checks everything in it.
    ///
    /// # Errors
    ///
    /// If `reader` fails, or if what it holds is anything but a whole, consistent model file of this format.
    pub fn read(reader: impl Read) -> Result<Self, LoadError> {
        let mut text = Vec::new();
        let mut reader = reader.take(MAX_MODEL_FILE + 1);
        // The first byte tells most files that are something else, before a gigabyte of it is read.
        reader.by_ref().take(1).read_to_end(&mut text)?;
        if text.first().is_some_and(|&byte| byte != b'{') {
            return refused("not a model file: expected a JSON object");
        }
        reader.read_to_end(&mut text)?;
        if text.len() as u64 > MAX_MODEL_FILE {
            return refused("larger than 1 GiB; this is not a model file of anomaly-train");
        }
        if text.is_empty() {
            return refused("empty; the model file was not written to its end");
        }
        parse(text)
    }
}

/// What the body of a model file starts with, and every other text between quotes cannot hold: there, quotes are escaped.
const BODY: &[u8] = b",\"format_version\":";
/// Longest header that is read, in bytes.
const MAX_HEADER: usize = 1 << 20;

/// The artifact whose file is `text`. The digest comes before anything that takes time or memory, so that damage is refused
/// at once.
fn parse(mut text: Vec<u8>) -> Result<Artifact, LoadError> {
    let starts = |kind: ModelKind| {
        let name = kind.name();
        format!("{FORMAT_VERSION},\"model_type\":\"{MODEL_TYPE}\",\"kind\":\"{name}\",")
    };
    let found = memmem::find(&text[..text.len().min(MAX_HEADER)], BODY).and_then(|start| {
        let is = |kind: &ModelKind| text[start + BODY.len()..].starts_with(starts(*kind).as_bytes());
        let kind = [ModelKind::Labelled, ModelKind::NormalOnly].into_iter().find(is)?;
        Some((start, kind)).filter(|_| text.ends_with(b"}\n"))
    });
    let Some((start, kind)) = found else {
        check_kind(&text)?;
        return refused(NOT_AS_WRITTEN);
    };
    let end = text.len() - 1;
    let mut header_text = text[..start].to_vec();
    header_text.push(b'}');
    let header: Header = serde_json::from_slice(&header_text).map_err(|e| json_error(&e, &header_text, 0))?;
    // The comma between header and body makes room for the brace that begins the body as an object of its own.
    text[start] = b'{';
    let body_text = &text[start..end];
    let digest = hex(&Sha256::digest(body_text));
    if digest != header.digest {
        text[start] = b',';
        check_kind(&text)?;
        return refused(format!(
            "damaged: the digest in the file is {}, its content has {digest}; restore the file or train again",
            quote(&header.digest)
        ));
    }
    let (reading, gate) = (header.reading.clone(), header.gate);
    let mut artifact = match kind {
        ModelKind::Labelled => body_of::<read::ReadLabelled>(body_text, start)?.into_artifact(reading, gate),
        ModelKind::NormalOnly => body_of::<normal::ReadNormal>(body_text, start)?.into_artifact(reading, gate),
    }?;
    // Writing the file again must give the same bytes. That refuses whatever the reader of JSON is lenient about:
    // duplicate keys in a map, an array for an object, numbers in another spelling, members left out.
    let as_written = is_written_as(&header, &header_text) && is_written_as(&Body::of(&artifact), body_text);
    if !as_written {
        return refused(NOT_AS_WRITTEN);
    }
    artifact.created_at = header.created_at;
    artifact.tool_version = Some(header.tool_version);
    artifact.verdict = header.verdict;
    Ok(artifact)
}

fn body_of<'t, B: Deserialize<'t>>(text: &'t [u8], start: usize) -> Result<B, LoadError> {
    serde_json::from_slice(text).map_err(|e| json_error(&e, text, start))
}

const NOT_AS_WRITTEN: &str = "not as anomaly-train writes it; restore the file or train again";

fn is_written_as(value: &impl Serialize, text: &[u8]) -> bool {
    // In large pieces, as numbers are small ones.
    let mut rest = BufWriter::with_capacity(1 << 16, Expect(text));
    let is_same = serde_json::to_writer(&mut rest, value).is_ok() && rest.flush().is_ok();
    is_same && rest.get_ref().0.is_empty()
}

impl Model {
    /// Writes the model as a model file, without figures.
    ///
    /// # Errors
    ///
    /// If `writer` fails.
    pub fn save(&self, writer: impl Write) -> io::Result<()> {
        Artifact::from(self.clone()).write(writer).map(|_| ())
    }

    /// Reads a model file; see [`Artifact::read`].
    ///
    /// # Errors
    ///
    /// If `reader` fails, or if what it holds is anything but a whole, consistent model file of this format.
    pub fn load(reader: impl Read) -> Result<Self, LoadError> {
        Artifact::read(reader).map(|artifact| artifact.model)
    }
}

impl AnomalyModel {
    /// Writes the model as a model file, without figures.
    ///
    /// # Errors
    ///
    /// If `writer` fails.
    pub fn save(&self, writer: impl Write) -> io::Result<()> {
        Artifact::from(self.clone()).write(writer).map(|_| ())
    }

    /// Reads a model file; see [`Artifact::read`].
    ///
    /// # Errors
    ///
    /// If `reader` fails, or if what it holds is anything but a whole, consistent model file of this format, of a model that learned
    /// from labels.
    pub fn load(reader: impl Read) -> Result<Self, LoadError> {
        match Artifact::read(reader)?.model {
            Model::Labelled(model) => Ok(model),
            Model::NormalOnly(_) => refused("a normal-only model, which `Model::load` reads"),
        }
    }
}

/// A writer that takes only the bytes it expects.
struct Expect<'a>(&'a [u8]);

impl Write for Expect<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.strip_prefix(bytes).ok_or(io::ErrorKind::InvalidData)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Looks at format and type alone, so that a file of another format is named as such and not by the first member that
/// differs.
fn check_kind(text: &[u8]) -> Result<(), LoadError> {
    #[derive(Deserialize)]
    struct Kind<'a> {
        #[serde(borrow)]
        format_version: Option<&'a RawValue>,
        #[serde(borrow)]
        model_type: Option<&'a RawValue>,
        #[serde(borrow)]
        tool_version: Option<&'a RawValue>,
    }
    let kind: Kind<'_> = serde_json::from_slice(text).map_err(|error| match json_error(&error, text, 0) {
        LoadError::Refused(problem) if !text.trim_ascii_end().ends_with(b"}") => {
            LoadError::Refused(format!("{problem}; the file is cut off"))
        }
        other => other,
    })?;
    match kind.model_type.map(RawValue::get) {
        Some(kind) if kind == format!("\"{MODEL_TYPE}\"") => {}
        Some(kind) => {
            return refused(format!(
                "the model type is {}; this program reads \"{MODEL_TYPE}\"",
                quote(kind)
            ));
        }
        None => return refused("not a model file: \"model_type\" is missing"),
    }
    match kind.format_version.map(RawValue::get) {
        Some(version) if version == FORMAT_VERSION.to_string() => Ok(()),
        Some(version) => {
            let maker = kind.tool_version.map(|version| quote(version.get().trim_matches('"')));
            refused(format!(
                "format version {}, made by version {}; this program ({}) reads format version {FORMAT_VERSION}: \
                 train again or use the version that made it",
                one_line(&version.chars().take(20).collect::<String>()),
                maker.as_deref().unwrap_or("unknown"),
                env!("CARGO_PKG_VERSION")
            ))
        }
        None => refused("not a model file: \"format_version\" is missing"),
    }
}

/// `before` is where `text`, which was parsed, begins in the file.
fn json_error(error: &serde_json::Error, text: &[u8], before: usize) -> LoadError {
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = error.to_string();
    let message = message.strip_suffix(&place).unwrap_or(&message);
    let place = match error.line() {
        1 => {
            let read = &text[..text.len().min(error.column())];
            let member = last_key(read).map(|key| format!(", in or after {}", quote(key)));
            format!("byte {}{}", before + error.column(), member.unwrap_or_default())
        }
        line => format!("line {line}"),
    };
    LoadError::Refused(one_line(&format!("not a whole model file: {message} at {place}")))
}

/// The key that stands last in `text`, if it has no escapes. Within a string, a quote has a backslash before it.
fn last_key(text: &[u8]) -> Option<&str> {
    let end = memmem::rfind_iter(text, b"\":").find(|&end| !text[..end].ends_with(b"\\"))?;
    let start = memchr::memrchr(b'"', &text[..end])? + 1;
    std::str::from_utf8(&text[start..end]).ok()
}

#[cfg(test)]
mod tests;
