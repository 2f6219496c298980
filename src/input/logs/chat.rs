//! Conversations: objects with an array `messages`, a line each or in one array; or the messages of one conversation. Each tool
//! call that a message asks for is an event, and a conversation is a session.

use super::PassedOver;
use super::fields::Slot;
use super::mapping::{Mapping, TimeUnit};
use super::rules::{Filled, Rules, Usual, check_names};
use super::tool_uses::Message;
use crate::input::events::Event;
use crate::input::json::explain;
use crate::input::lines::Problem;
use serde::Deserialize;

const USUAL: Usual = Usual {
    agent: &["agent_id", "metadata.agent_id"],
    session: &[
        "conversation_id",
        "session_id",
        "thread_id",
        "id",
        "metadata.conversation_id",
        "metadata.session_id",
    ],
    action: &[],
    time: &[
        ("timestamp", TimeUnit::Auto),
        ("created_at", TimeUnit::Auto),
        ("created", TimeUnit::Auto),
    ],
    label: &["label"],
    risk: &[],
    cohort: &[],
    id: &[],
    failed: &[],
    more: &["messages"],
};

#[derive(Deserialize)]
struct Conversation<'a> {
    #[serde(borrow)]
    messages: Vec<Message<'a>>,
}

/// Reads conversations.
#[derive(Debug)]
pub(super) struct Conversations {
    pub(super) rules: Rules,
    /// What names a conversation that does not say its own name.
    source: String,
}

impl Conversations {
    pub(super) fn new(mapping: &Mapping, source: &str) -> Self {
        Self {
            rules: Rules::new(&USUAL, mapping),
            source: source.to_owned(),
        }
    }

    pub(super) fn read(
        &mut self,
        line: &str,
        number: u64,
        events: &mut Vec<Event>,
        passed: &mut PassedOver,
    ) -> Result<(), Problem> {
        let wrong = |error: serde_json::Error| explain(&error, line);
        let mut slots: Vec<Slot<'_>> = Vec::new();
        self.rules.find(line, &mut slots)?;
        // A message at the top belongs to the conversation that the whole input is.
        let alone = !self.rules.has_more(&slots, 0);
        let (messages, nameless) = if alone {
            let message: Message<'_> = serde_json::from_str(line).map_err(wrong)?;
            if message.role.is_none() {
                passed.note("record without messages");
                return Ok(());
            }
            slots.fill(Slot::default());
            (vec![message], self.source.clone())
        } else {
            let conversation: Conversation<'_> = serde_json::from_str(line).map_err(wrong)?;
            (conversation.messages, format!("{}:{number}", self.source))
        };
        let mut first = Event {
            // Any will do: it is asked whether there is one.
            action_type: "-".to_owned(),
            ..Event::default()
        };
        let filled = self.rules.fill_or(&slots, &mut first, &nameless)?;
        debug_assert_eq!(filled, Filled::Event);
        if first.session.is_empty() {
            first.session.clone_from(&nameless);
        }
        if first.agent_id == nameless {
            first.agent_id.clone_from(&first.session);
        }
        let before = events.len();
        for message in &messages {
            let mut time = first.time;
            if let Some(raw) = message.timestamp {
                time = self.rules.time(raw.get())?.or(time);
            }
            for (name, id) in message.tool_uses() {
                let event = Event {
                    action_type: name.to_owned(),
                    event_id: id.unwrap_or_default().to_owned(),
                    time,
                    ..first.clone()
                };
                check_names(&event)?;
                events.push(event);
            }
        }
        if events.len() == before {
            let role = messages
                .first()
                .and_then(|message| message.role.as_deref())
                .unwrap_or("message");
            passed.note(if alone { role } else { "conversation without tool calls" });
        }
        Ok(())
    }
}
