//! The model file: JSON that holds data only, says where it comes from, and proves that it is whole.
//!
//! The members `digest`, `created_at`, `tool_version` and `promotion` come first. The digest is the SHA-256 of the file
//! without them, as compact JSON, so it covers everything that does not depend on when and where the model was trained.

mod file;

use crate::config::Provenance;
use crate::gate::{Gate, Verdict};
use crate::metrics::Metrics;
use crate::model::AnomalyModel;
use crate::text::{one_line, quote};
use chrono::{DateTime, Utc};
use file::ModelFile;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::io::{self, Read, Write};

/// The format that this version writes and reads.
pub const FORMAT_VERSION: u32 = 1;
/// Largest model file that is read, in bytes: 1 GiB.
pub const MAX_MODEL_FILE: u64 = 1 << 30;
const MODEL_TYPE: &str = "anomaly";

/// A model with everything that is kept beside it in its file.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// The model.
    pub model: AnomalyModel,
    /// Where the model and its figures come from.
    pub provenance: Option<Provenance>,
    /// Its figures on the validation part.
    pub metrics: Option<Metrics>,
    /// What the gate decided, and by which limits.
    pub promotion: Option<Promotion>,
    /// When the model was made.
    pub created_at: Option<DateTime<Utc>>,
}

/// A verdict with the limits that led to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promotion {
    /// What had to be reached.
    pub gate: Gate,
    /// What was decided.
    pub verdict: Verdict,
}

/// Why a model file was refused, in one line.
#[derive(Debug, thiserror::Error)]
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

impl From<AnomalyModel> for Artifact {
    fn from(model: AnomalyModel) -> Self {
        Self {
            model,
            provenance: None,
            metrics: None,
            promotion: None,
            created_at: None,
        }
    }
}

impl Artifact {
    /// The digest of the model file.
    #[must_use]
    pub fn digest(&self) -> String {
        ModelFile::sealed(self).1
    }

    /// Writes the model file. Returns its digest.
    ///
    /// # Errors
    ///
    /// If `writer` fails.
    pub fn write(&self, mut writer: impl Write) -> io::Result<String> {
        let (file, digest) = ModelFile::sealed(self);
        serde_json::to_writer(&mut writer, &file)?;
        writer.write_all(b"\n")?;
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
        check_kind(&text)?;
        let file: ModelFile = serde_json::from_slice(&text).map_err(|e| json_error(&e))?;
        // Writing the file again must give the same bytes. That refuses whatever the reader of JSON is lenient about:
        // duplicate keys in a map, an array for an object, numbers in another spelling, members left out.
        let mut rest = Expect(&text);
        serde_json::to_writer(&mut rest, &file)
            .map_err(io::Error::from)
            .and_then(|()| rest.write_all(b"\n"))
            .or_else(|_| refused("not as anomaly-train writes it; restore the file or train again"))?;
        file.unseal()
    }
}

impl AnomalyModel {
    /// Writes the model as a model file, without figures and provenance.
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
    let kind: Kind<'_> = serde_json::from_slice(text).map_err(|e| json_error(&e))?;
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

fn json_error(error: &serde_json::Error) -> LoadError {
    let hint = if error.is_eof() { "; the file is cut off" } else { "" };
    LoadError::Refused(one_line(&format!("not a whole model file: {error}{hint}")))
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TrainingConfig;
    use crate::synthetic::{Scenario, generate};
    use crate::trainer::train;

    fn file(n: u64) -> String {
        let data = generate(Scenario::Documented, 60, 1);
        let training: Vec<u32> = (0..60).collect();
        let config = TrainingConfig {
            ngram_size: n.try_into().unwrap(),
            ..TrainingConfig::default()
        };
        let mut bytes = Vec::new();
        let model = train(&data, &training, &config).unwrap();
        model.save(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    fn refusal(text: &str) -> String {
        Artifact::read(text.as_bytes()).unwrap_err().to_string()
    }

    /// `text` with `from` replaced by `to` and the digest made to fit, as somebody would who wants the change to go
    /// unnoticed.
    fn forged(text: &str, from: &str, to: &str) -> String {
        let changed = text.replacen(from, to, 1);
        assert_ne!(text, changed, "{from}");
        let message = refusal(&changed);
        match message.split_once("its content has ") {
            Some((_, rest)) => {
                let digest = &text[r#"{"digest":""#.len()..][..64];
                changed.replacen(digest, &rest[..64], 1)
            }
            None => changed,
        }
    }

    #[test]
    fn what_was_saved_is_loaded_and_saved_again_as_the_same_bytes() {
        for n in 1..=8 {
            let text = file(n);
            let artifact = Artifact::read(text.as_bytes()).unwrap();
            let mut again = Vec::new();
            artifact.write(&mut again).unwrap();
            assert_eq!(text.as_bytes(), again);
        }
    }

    #[test]
    fn a_loaded_model_scores_to_the_last_bit_like_the_one_that_was_saved() {
        let data = generate(Scenario::Mixed, 300, 1);
        let training: Vec<u32> = (0..200).collect();
        let model = train(&data, &training, &TrainingConfig::default()).unwrap();
        let mut bytes = Vec::new();
        model.save(&mut bytes).unwrap();
        let loaded = AnomalyModel::load(&bytes[..]).unwrap();
        for index in 0..data.len() {
            let before = model.predict(data.sequence(index)).score;
            let after = loaded.predict(data.sequence(index)).score;
            assert_eq!(before.to_bits(), after.to_bits());
        }
    }

    #[test]
    fn a_cut_file_is_refused_wherever_it_is_cut() {
        let text = file(2);
        for end in 0..text.len() {
            assert!(Artifact::read(&text.as_bytes()[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn every_inconsistency_is_refused_even_with_a_fitting_digest() {
        let text = file(3);
        for (from, to, expected) in [
            ("\"format_version\":1", "\"format_version\":2", "format version 2"),
            ("\"format_version\":1", "\"format_version\":\"1\"", "format version"),
            ("\"model_type\":\"anomaly\"", "\"model_type\":\"x\"", "model type"),
            ("\"n\":3", "\"n\":9", "between 1 and 8"),
            ("\"n\":3", "\"n\":3.0", "not a whole model file"),
            ("\"n\":3", "\"n\":2", "not an n-gram key"),
            ("\"n\":3", "\"n\":3,\"n\":3", "duplicate field"),
            ("\"n\":3", "\"n\":3,\"m\":3", "unknown field"),
            (
                "\"anomaly_threshold\":0.3",
                "\"anomaly_threshold\":1",
                "between 0 and 1",
            ),
            ("\"anomaly_threshold\":0.3", "\"anomaly_threshold\":null", "not a whole"),
            ("\"bias\":", "\"bias\":1e999,\"x\":", "out of range"),
            ("\"weight\":", "\"weight\":1e308,\"x\":", "unknown field"),
            ("\"epochs\":10", "\"epochs\":0", "nonzero"),
            (
                "\"training_samples\":{\"normal\":",
                "\"training_samples\":{\"normal\":-",
                "not a whole",
            ),
            (
                "\"training_samples\":{\"normal\":42",
                "\"training_samples\":{\"normal\":1",
                "inconsistent",
            ),
            ("\"entropy\":", "\"entropie\":", "missing"),
            (
                "\"dense\":{",
                "\"dense\":{\"a\":{\"weight\":1.0,\"low\":1.0,\"high\":1.0},",
                "does not know",
            ),
            ("\"low\":0", "\"low\":9", "is empty"),
            ("[\"access\",", "[\"zzz\",", "not sorted"),
            ("\"ngrams\":[[[-1,", "\"ngrams\":[[[-2,", "not an n-gram key"),
            ("\"sequences\":\"", "\"sequences\":\"0", "fingerprints"),
            ("\"sequences\":\"", "\"sequences\":\"ffffffffffffffff", "fingerprints"),
            ("\"sequences\":\"", "\"sequences\":\"+000000000000000", "fingerprints"),
            ("\"ngrams\":[[[-1,", "\"ngrams\":[[[9999,", "not an n-gram key"),
            ("\"ngrams\":[[[-1,", "\"ngrams\":[[[-1,0,-1,", "not an n-gram key"),
        ] {
            let message = refusal(&forged(&text, from, to));
            assert!(message.contains(expected), "{from} -> {to}: {message}");
            assert!(!message.contains('\n'));
        }
        let bias = text.split("\"bias\":").nth(1).unwrap().split(',').next().unwrap();
        for (from, to) in [(bias, "1e+300"), ("\"high\":1.0", "\"high\":10000000.0")] {
            let message = refusal(&forged(&text, from, to));
            assert!(message.contains("too large"), "{from}: {message}");
        }
        for (from, to) in [
            (
                "\"dense\":{",
                "\"dense\":{\"entropy\":{\"weight\":99.0,\"low\":0.0,\"high\":1.0},",
            ),
            (
                "\"training_samples\":{\"normal\":42,\"anomalous\":18}",
                "\"training_samples\":[42,18]",
            ),
            ("\"provenance\":null,", ""),
            ("\"n\":3", "\"n\": 3"),
            ("0.3", "0.30"),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(text, changed, "{from}");
            assert!(refusal(&changed).contains("not as anomaly-train writes it"), "{from}");
        }
        assert!(refusal(&format!("{text}{{}}")).contains("trailing"));
        assert!(refusal("[]").contains("JSON object"));
        assert!(refusal("").contains("empty"));
    }

    #[test]
    fn changed_weights_are_noticed() {
        let text = file(3);
        let changed = text.replacen("\"anomaly_threshold\":0.3", "\"anomaly_threshold\":0.9", 1);
        assert!(refusal(&changed).contains("damaged"));
    }
}
