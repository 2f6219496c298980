//! Training samples from event logs.

use super::failure::{Failure, shown};
use super::input::{SHOWN_PROBLEMS, check_distinct, open, reading};
use super::monitor_args::EventsArgs;
use super::progress::Progress;
use anomaly_train::Dataset;
use anomaly_train::events::{SessionRules, Sessions, read_sessions};
use log::warn;

impl EventsArgs {
    /// How events become sessions, if there are events.
    pub(crate) fn rules(&self) -> Option<SessionRules> {
        Some(SessionRules {
            session_by: self.session_by.clone()?,
            session_gap: self.session_gap,
            label_field: self.label_field.clone()?,
        })
    }

    /// Adds the sessions of all files to `data` until it holds `limit`. Every line that is no event is a reason to stop, but
    /// not before all files have been read.
    pub(crate) fn read(
        &self,
        rules: &SessionRules,
        data: &mut Dataset,
        limit: u64,
        progress: Progress,
    ) -> Result<(), Failure> {
        let reserved = ["action_type", "timestamp", "risk_score"];
        if reserved.contains(&rules.session_by.as_str()) || rules.session_by == rules.label_field {
            return Err(Failure::Usage(
                "--session-by needs a field that tells sessions apart, like agent_id".to_owned(),
            ));
        }
        if reserved
            .iter()
            .chain(&["agent_id", "cohort"])
            .any(|field| rules.label_field == *field)
        {
            return Err(Failure::Usage("--label-field needs a field of its own".to_owned()));
        }
        check_distinct(&self.events)?;
        let mut sessions = Sessions::default();
        let mut problems = Vec::new();
        for path in &self.events {
            let reader = open(path, progress)?;
            let refused =
                read_sessions(reader, rules, &mut sessions, SHOWN_PROBLEMS).map_err(|error| reading(path, &error))?;
            let first = refused.first.iter().map(|refusal| format!("{}:{refusal}", shown(path)));
            problems.extend(first);
            if refused.count > 1 {
                let count = refused.count;
                problems.push(format!(
                    "{}: {count} lines were refused; mend or remove them",
                    shown(path)
                ));
            }
        }
        if !problems.is_empty() {
            return Err(Failure::Refused(problems));
        }
        let without_label = sessions.finish(rules, limit, data);
        if without_label > 0 {
            warn!("{without_label} sessions have no event with a label and were left out");
        }
        Ok(())
    }
}
