//! Training samples from event logs.

use super::failure::Failure;
use super::input::{open, read_failure, refused_lines};
use super::progress::Progress;
use anomaly_train::events::{SessionRules, Sessions, Span};
use anomaly_train::monitor::WatchSettings;
use anomaly_train::{DatasetBuilder, Label};
use clap::{ArgAction, Args};
use log::warn;
use std::path::PathBuf;

/// Reading events instead of samples, for training.
#[derive(Debug, Args)]
pub(crate) struct EventsArgs {
    /// Events as JSON lines to make labelled sequences of, plain or gzip; "-" is standard input; may be repeated
    #[arg(
        long,
        value_name = "FILE",
        action = ArgAction::Append,
        requires = "session_by",
        conflicts_with_all = ["data", "scenario"]
    )]
    pub(crate) events: Vec<PathBuf>,

    /// Field of an event that says whose session it belongs to; also the group of grouped splits
    #[arg(long, value_name = "FIELD", requires = "events")]
    pub(crate) session_by: Option<String>,

    /// A pause longer than this starts a new session
    #[arg(long, value_name = "TIME", default_value_t = WatchSettings::default().session_gap, requires = "events")]
    pub(crate) session_gap: Span,

    /// Field of an event that holds its label, 0 or 1; a session is anomalous if one of its events is. Not needed with --normal-only
    #[arg(long, value_name = "FIELD", requires = "events")]
    pub(crate) label_field: Option<String>,
}

impl EventsArgs {
    /// How events become sessions, if there are events, and what a session without a label is.
    pub(crate) fn rules(&self, unlabelled: Option<Label>) -> Result<Option<SessionRules>, Failure> {
        let Some(session_by) = self.session_by.clone() else {
            return Ok(None);
        };
        let label_field = self.label_field.clone();
        if label_field.is_none() && unlabelled.is_none() {
            return Err(Failure::Usage(
                "--events needs --label-field, or --normal-only to learn without labels".to_owned(),
            ));
        }
        let reserved = ["action_type", "timestamp", "risk_score"];
        if reserved.contains(&session_by.as_str()) || label_field.as_ref() == Some(&session_by) {
            return Err(Failure::Usage(
                "--session-by needs a field that tells sessions apart, like agent_id".to_owned(),
            ));
        }
        let is_taken = |field: &str| reserved.contains(&field) || ["agent_id", "cohort"].contains(&field);
        if label_field.as_deref().is_some_and(is_taken) {
            return Err(Failure::Usage("--label-field needs a field of its own".to_owned()));
        }
        Ok(Some(SessionRules {
            session_by,
            session_gap: self.session_gap,
            label_field,
            unlabelled,
        }))
    }
}

/// Adds the sessions of the events in all `paths` to `data` until it holds `limit` samples. Every line that is no event is a reason to
/// stop, but not before all files have been read.
pub(crate) fn read_all(
    paths: &[PathBuf],
    rules: SessionRules,
    limit: Option<u64>,
    data: &mut DatasetBuilder,
    progress: Progress,
) -> Result<(), Failure> {
    let mut sessions = Sessions::new(rules);
    let mut problems = Vec::new();
    for path in paths {
        let reader = open(path, progress)?;
        let refused = sessions.read(reader).map_err(|error| read_failure(path, &error))?;
        problems.extend(refused_lines(path, &refused));
    }
    if !problems.is_empty() {
        return Err(Failure::Refused(problems));
    }
    let without_label = sessions.finish(limit, data).map_err(Failure::refused)?;
    if without_label > 0 {
        warn!("{without_label} sessions have no event with a label and were left out");
    }
    Ok(())
}
