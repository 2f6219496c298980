//! The options that say how logs are read.

use super::OptionError;
use crate::bounds::UnitInterval;
use crate::files::FileError;
use crate::input::events::Span;
use crate::input::logs::{Format, Mapping, Path as FieldPath, RiskRange, Template, TimeUnit};
use crate::text::{one_line, path as shown};
use clap::{ArgAction, Args};
use serde::de::DeserializeOwned;
use std::fs;
use std::path::{Path, PathBuf};

/// How logs are read, and what is taken from them.
#[derive(Debug, Clone, Args)]
pub struct LogOptions {
    /// What the input is [default: what it begins like]: samples, events, otlp, chat, transcript, cloudtrail, auditd, csv, tsv
    #[arg(long, value_name = "FORMAT", help_heading = "Logs")]
    #[arg(hide_short_help = true)]
    pub input_format: Option<Format>,

    /// File with the values of these options, without the dashes: `action_field = "{source}:{name}"`; an option here comes first
    #[arg(long, value_name = "FILE.toml", help_heading = "Logs")]
    #[arg(hide_short_help = true)]
    pub mapping: Option<PathBuf>,

    /// Member that says who acted: a dotted path, as in all of these
    #[arg(long, value_name = "PATH", help_heading = "Logs")]
    #[arg(hide_short_help = true)]
    pub agent_field: Option<FieldPath>,

    /// Members whose values keep sessions apart; may be repeated, or have commas between them
    #[arg(long, value_name = "PATH", action = ArgAction::Append, value_delimiter = ',', help_heading = "Logs")]
    #[arg(hide_short_help = true)]
    pub session_by: Vec<FieldPath>,

    /// A pause longer than this starts a new session [default: 30m; none where the log has sessions of its own]
    #[arg(long, value_name = "TIME", help_heading = "Logs")]
    #[arg(hide_short_help = true)]
    pub session_gap: Option<Span>,

    /// Member that says what was done, or a text with members in braces: "{eventSource}:{eventName}"
    #[arg(long, value_name = "PATH|TEMPLATE", help_heading = "Logs")]
    #[arg(hide_short_help = true)]
    pub action_field: Option<Template>,

    /// Member that says when
    #[arg(long, value_name = "PATH", help_heading = "Logs")]
    #[arg(hide_short_help = true)]
    pub time_field: Option<FieldPath>,

    /// What a number stands for that is a time: auto, s, ms, us or ns since 1970
    #[arg(long, value_name = "UNIT", default_value_t, help_heading = "Logs")]
    #[arg(hide_short_help = true)]
    pub time_unit: TimeUnit,

    /// Member that holds the label; a session is anomalous if one of its events is [default: label]
    #[arg(long, value_name = "PATH", help_heading = "Logs")]
    #[arg(hide_short_help = true)]
    pub label_field: Option<FieldPath>,

    /// The value of the label that means anomalous, all others meaning normal [default: labels are 0 and 1]
    #[arg(long, value_name = "VALUE", help_heading = "Logs")]
    #[arg(hide_short_help = true)]
    pub anomalous_label: Option<String>,

    /// Member that says where an event comes from, like a host, if that may have a clock of its own
    #[arg(long, value_name = "PATH", help_heading = "Logs")]
    #[arg(hide_short_help = true)]
    pub source_field: Option<FieldPath>,

    /// Member that says how risky it was
    #[arg(long, value_name = "PATH", help_heading = "Logs")]
    #[arg(hide_short_help = true)]
    pub risk_field: Option<FieldPath>,

    /// From where to where that goes, like 0..100
    #[arg(long, value_name = "LOW..HIGH", default_value_t, help_heading = "Logs")]
    #[arg(hide_short_help = true)]
    pub risk_range: RiskRange,

    /// Member that holds the array of records, where a document has them neither at its top nor where its format says
    #[arg(long, value_name = "PATH", help_heading = "Logs")]
    #[arg(hide_short_help = true)]
    pub records_at: Option<FieldPath>,

    /// Member that tells events apart: one that comes again is dropped
    #[arg(long, value_name = "PATH", help_heading = "Logs")]
    #[arg(hide_short_help = true)]
    pub id_field: Option<FieldPath>,

    /// Replace numbers, addresses, UUIDs and hexadecimal digits in the names of actions
    #[arg(long, help_heading = "Logs")]
    #[arg(hide_short_help = true)]
    pub normalize_names: bool,

    /// Leave lines or records out that cannot be read, if they are no more than this share, like 1%
    #[arg(long, value_name = "SHARE", value_parser = share, help_heading = "Logs")]
    #[arg(hide_short_help = true)]
    pub skip_bad_lines: Option<UnitInterval>,
}

/// A share as a number or in percent.
fn share(text: &str) -> Result<UnitInterval, String> {
    let wrong = || "expected a share like 1% or 0.01".to_owned();
    match text.strip_suffix('%') {
        Some(percent) => {
            let share = percent.parse::<f64>().map_err(|_| wrong())? / 100.0;
            UnitInterval::try_from(share).map_err(|_| wrong())
        }
        None => text.parse().map_err(|_| wrong()),
    }
}

/// Largest TOML file that is read, in bytes.
const MAX_TOML: u64 = 1 << 20;

impl LogOptions {
    /// What the options and the mapping file say.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is no mapping, or if the options contradict each other.
    pub fn mapping(&self) -> Result<Mapping, OptionError> {
        let file = self
            .mapping
            .as_deref()
            .map(read_mapping)
            .transpose()?
            .unwrap_or_default();
        let given = Mapping {
            input_format: self.input_format,
            agent_field: self.agent_field.clone(),
            session_by: self.session_by.clone(),
            session_gap: self.session_gap,
            action_field: self.action_field.clone(),
            time_field: self.time_field.clone(),
            time_unit: self.time_unit,
            label_field: self.label_field.clone(),
            anomalous_label: self.anomalous_label.clone(),
            source_field: self.source_field.clone(),
            risk_field: self.risk_field.clone(),
            risk_range: self.risk_range,
            records_at: self.records_at.clone(),
            id_field: self.id_field.clone(),
            normalize_names: self.normalize_names,
        };
        let mapping = file.overridden_by(given);
        if mapping
            .label_field
            .as_ref()
            .is_some_and(|label| mapping.session_by.contains(label))
        {
            return Err(OptionError::Usage(
                "--session-by needs a field that tells sessions apart, like agent_id, not the label".to_owned(),
            ));
        }
        Ok(mapping)
    }
}

fn read_mapping(path: &Path) -> Result<Mapping, FileError> {
    toml_file(path, "mapping file")
}

/// What stands in a small TOML file, which is to be `what`.
///
/// # Errors
///
/// If it cannot be read, or is something else.
pub fn toml_file<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T, FileError> {
    let found = fs::metadata(path).map_err(|error| FileError::at(path, "cannot open", error))?;
    if found.len() > MAX_TOML {
        return Err(FileError::refused(format_args!(
            "{}: larger than 1 MiB; no {what}",
            shown(path)
        )));
    }
    let text = fs::read_to_string(path).map_err(|error| FileError::at(path, "cannot read", error))?;
    toml::from_str(&text).map_err(|error| {
        let line = error
            .span()
            .map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        let problem = one_line(error.message());
        FileError::refused(format_args!("{}:{line}: {problem}", shown(path)))
    })
}
