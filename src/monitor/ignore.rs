//! What is known and need not be said: alerts that are passed over, and until when.

use super::alert::Kind;
use crate::input::events::{Event, Time};
use serde::{Deserialize, Deserializer};

/// The list of what to pass over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IgnoreList {
    /// Each alert that one of these fits is passed over.
    #[serde(default)]
    pub ignore: Vec<Ignore>,
}

/// Alerts that are passed over: all that fit whatever is said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ignore {
    /// Those of this agent.
    pub agent: Option<String>,
    /// Those that an action of this name led to.
    pub action: Option<String>,
    /// Those of this type.
    #[serde(rename = "type")]
    pub kind: Option<Kind>,
    /// Those before this time, which is that of events.
    #[serde(default, deserialize_with = "rfc3339")]
    pub until: Option<Time>,
    /// Why, for whoever reads the list.
    pub reason: Option<String>,
}

fn rfc3339<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Time>, D::Error> {
    let text = String::deserialize(deserializer)?;
    // A day ends with its last moment, whatever clocks say of noon.
    let time = Time::from_rfc3339(&text).or_else(|| Time::from_rfc3339(&format!("{text}T23:59:59.999999Z")));
    time.map(Some).ok_or_else(|| {
        serde::de::Error::custom(format_args!(
            "expected a time like \"2026-12-31\" or \"2026-12-31T18:00:00Z\", not {text:?}"
        ))
    })
}

impl IgnoreList {
    /// The place of the first entry, from 1, that would pass over everything, now or until some time.
    #[must_use]
    pub fn first_without_limits(&self) -> Option<usize> {
        let has_none = |entry: &Ignore| entry.agent.is_none() && entry.action.is_none() && entry.kind.is_none();
        self.ignore.iter().position(has_none).map(|place| place + 1)
    }

    /// Whether an alert is passed over that `event` leads to at `time`; none if it is about a cohort.
    pub(crate) fn holds(&self, kind: Kind, event: Option<&Event>, time: Time) -> bool {
        self.ignore.iter().any(|entry| {
            let fits = |wanted: &Option<String>, found: fn(&Event) -> &str| {
                wanted
                    .as_deref()
                    .is_none_or(|wanted| event.is_some_and(|event| found(event) == wanted))
            };
            entry.kind.is_none_or(|wanted| wanted == kind)
                && fits(&entry.agent, |event| &event.agent_id)
                && fits(&entry.action, |event| &event.action_type)
                && entry.until.is_none_or(|until| time <= until)
        })
    }
}
