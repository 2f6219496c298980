//! Where a session comes from, as answers and samples say it.

use anomaly_train::events::{Session, Time};
use serde::Serialize;
use std::path::PathBuf;

/// Where a session comes from.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Origin<'a> {
    /// The session in its log, or the agent where the log has no sessions.
    session: &'a str,
    agent_id: &'a str,
    /// When its first event was.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    first: Option<Time>,
    /// When its last event was.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    last: Option<Time>,
    /// The file of its first event.
    file: String,
    /// The line of its first event.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    line: u64,
}

impl<'a> Origin<'a> {
    /// That of `session`, which was read from `files`.
    pub(crate) fn of(session: Session<'a>, files: &[PathBuf]) -> Self {
        let (file, line) = session.place();
        Self {
            session: session.name(),
            agent_id: session.agent(),
            first: session.first(),
            last: session.last(),
            file: files[file].display().to_string(),
            line,
        }
    }
}
