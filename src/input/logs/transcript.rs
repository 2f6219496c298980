//! Transcripts of coding agents: an event a line with `sessionId`, `uuid`, `parentUuid` and the message with its tool uses.
//! A side chain, which a sub-agent works on, is a session of its own.

use super::PassedOver;
use super::fields::Slot;
use super::mapping::{Mapping, TimeUnit};
use super::rules::{Rules, Usual, check_names};
use super::tool_uses::Message;
use crate::data::fingerprint;
use crate::input::events::Event;
use crate::input::json::explain;
use crate::input::lines::Problem;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::HashMap;

const USUAL: Usual = Usual {
    agent: &["sessionId"],
    session: &["sessionId"],
    action: &[],
    time: &[("timestamp", TimeUnit::Auto)],
    label: &["label"],
    risk: &[],
    cohort: &[],
    id: &[],
    failed: &[],
    more: &[],
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(borrow, rename = "type", default)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    uuid: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    parent_uuid: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    agent_id: Option<Cow<'a, str>>,
    #[serde(default)]
    is_sidechain: Option<bool>,
    #[serde(borrow, default)]
    message: Option<Message<'a>>,
}

/// Reads transcripts, remembering which entry belongs to which side chain.
#[derive(Debug)]
pub(super) struct Transcript {
    pub(super) rules: Rules,
    /// For each entry of a side chain, by its uuid, the number of the chain.
    chains: HashMap<u64, u32>,
    /// What each side chain is called.
    names: Vec<String>,
}

impl Transcript {
    pub(super) fn new(mapping: &Mapping) -> Self {
        Self {
            rules: Rules::new(&USUAL, mapping),
            chains: HashMap::new(),
            names: Vec::new(),
        }
    }

    pub(super) fn read(&mut self, line: &str, events: &mut Vec<Event>, passed: &mut PassedOver) -> Result<(), Problem> {
        let entry: Entry<'_> = serde_json::from_str(line).map_err(|error| explain(&error, line))?;
        let chain = self.chain(&entry);
        let tools = entry.message.iter().flat_map(Message::tool_uses);
        let mut tools = tools.peekable();
        if tools.peek().is_none() {
            passed.note(entry.kind.as_deref().unwrap_or("entry without a type"));
            return Ok(());
        }
        let mut slots: Vec<Slot<'_>> = Vec::new();
        self.rules.find(line, &mut slots)?;
        let mut first = Event {
            // Any will do: it is asked whether there is one.
            action_type: "-".to_owned(),
            ..Event::default()
        };
        self.rules.fill(&slots, &mut first)?;
        if let Some(chain) = chain {
            first.session = format!("{}/{chain}", first.session);
        }
        for (name, id) in tools {
            let event = Event {
                action_type: name.to_owned(),
                event_id: id.unwrap_or_default().to_owned(),
                ..first.clone()
            };
            check_names(&event)?;
            events.push(event);
        }
        Ok(())
    }

    /// The name of the side chain that an entry belongs to: the id of its agent, or the uuid of its first entry.
    fn chain(&mut self, entry: &Entry<'_>) -> Option<String> {
        if entry.is_sidechain != Some(true) {
            return None;
        }
        if let Some(agent) = &entry.agent_id {
            return Some(agent.clone().into_owned());
        }
        let known = entry
            .parent_uuid
            .as_deref()
            .and_then(|parent| self.chains.get(&fingerprint::of_action(parent)));
        let uuid = entry.uuid.as_deref().unwrap_or("side chain");
        let chain = known.copied().unwrap_or_else(|| {
            self.names.push(uuid.to_owned());
            self.names.len() as u32 - 1
        });
        self.chains.insert(fingerprint::of_action(uuid), chain);
        Some(self.names[chain as usize].clone())
    }
}
