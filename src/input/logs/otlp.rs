//! Traces of OpenTelemetry with its conventions for generative AI: the export of OTLP as JSON, and spans a line. A span
//! `execute_tool` is an event whose action is the tool; all others are passed over.

use super::PassedOver;
use super::fields::Slot;
use super::mapping::{Mapping, TimeUnit};
use super::rules::{Filled, Rules, Usual};
use crate::input::events::Event;
use crate::input::json_records::Envelope;
use crate::input::lines::Problem;

pub(super) fn envelope() -> Envelope {
    let levels: [&[&str]; 3] = [
        &["resourceSpans", "resource_spans"],
        &["scopeSpans", "scope_spans", "instrumentationLibrarySpans"],
        &["spans"],
    ];
    Envelope::new(&levels, Some(RESOURCE))
}

/// What spans share says whose they are.
const RESOURCE: &str = "resource";
/// What a span that runs a tool is called.
const EXECUTE_TOOL: &str = "execute_tool";

/// Members of `more`, by their place there.
const OPERATIONS: std::ops::Range<usize> = 0..3;
const NAMES: std::ops::Range<usize> = 3..6;
const SERVICE: usize = 6;

const USUAL: Usual = Usual {
    agent: &[
        "attributes.gen_ai.agent.id",
        "attributes.gen_ai.agent.name",
        "SpanAttributes.gen_ai.agent.id",
        "SpanAttributes.gen_ai.agent.name",
        "tags.gen_ai.agent.id",
        "tags.gen_ai.agent.name",
        "resource.attributes.service.name",
        "ServiceName",
    ],
    session: &[
        "attributes.gen_ai.conversation.id",
        "SpanAttributes.gen_ai.conversation.id",
        "tags.gen_ai.conversation.id",
        "traceId",
        "trace_id",
        "context.trace_id",
        "TraceId",
        "traceID",
    ],
    action: &[
        "attributes.gen_ai.tool.name",
        "SpanAttributes.gen_ai.tool.name",
        "tags.gen_ai.tool.name",
    ],
    time: &[
        ("startTimeUnixNano", TimeUnit::Ns),
        ("start_time_unix_nano", TimeUnit::Ns),
        ("start_time", TimeUnit::Auto),
        ("startTime", TimeUnit::Auto),
        ("Timestamp", TimeUnit::Auto),
        ("timestamp", TimeUnit::Auto),
    ],
    label: &["label"],
    risk: &[],
    cohort: &[],
    id: &[
        "{traceId}/{spanId}",
        "{trace_id}/{span_id}",
        "{context.trace_id}/{context.span_id}",
        "{TraceId}/{SpanId}",
        "{traceID}/{spanID}",
    ],
    failed: &[],
    more: &[
        "attributes.gen_ai.operation.name",
        "SpanAttributes.gen_ai.operation.name",
        "tags.gen_ai.operation.name",
        "name",
        "SpanName",
        "operationName",
        "resource.attributes.service.name",
    ],
};

/// Reads spans, remembering what the latest resource was.
#[derive(Debug)]
pub(super) struct Spans {
    pub(super) rules: Rules,
    /// Whether the user says what the action is, so that any span that has it is an event.
    any: bool,
    service: Option<String>,
}

impl Spans {
    pub(super) fn new(mapping: &Mapping) -> Self {
        Self {
            rules: Rules::new(&USUAL, mapping),
            any: mapping.action_field.is_some(),
            service: None,
        }
    }

    /// Reads a record. Returns whether it is one of the log, and not what spans share.
    pub(super) fn read(
        &mut self,
        line: &str,
        events: &mut Vec<Event>,
        passed: &mut PassedOver,
    ) -> Result<bool, Problem> {
        let mut slots: Vec<Slot<'_>> = Vec::new();
        self.rules.find(line, &mut slots)?;
        let first = |range: std::ops::Range<usize>| {
            range
                .map(|place| self.rules.more(&slots, place))
                .find_map(Result::transpose)
                .transpose()
        };
        let (operation, name) = (first(OPERATIONS)?, first(NAMES)?);
        if name.is_none() && operation.is_none() && line.starts_with("{\"resource\":") {
            let service = self.rules.more(&slots, SERVICE)?;
            self.service = service.map(|service| service.name().to_owned());
            return Ok(false);
        }
        let mut event = Event::default();
        let name = name.as_ref().map_or("", |name| name.name());
        let tool = name.strip_prefix(EXECUTE_TOOL).map(str::trim);
        let operation = operation.as_ref().map_or("", |operation| operation.name());
        if !self.any && operation != EXECUTE_TOOL && (!operation.is_empty() || tool.is_none()) {
            let kind = [operation, name, "record that is no span"];
            let kind = kind.into_iter().find(|kind| !kind.is_empty()).unwrap_or_default();
            passed.note(kind);
            return Ok(true);
        }
        let service = self.service.clone().unwrap_or_default();
        match self.rules.fill_or(&slots, &mut event, &service)? {
            Filled::Event => {}
            Filled::NoAction => {
                let Some(tool) = tool.filter(|tool| !self.any && !tool.is_empty()) else {
                    passed.note(if name.is_empty() { "span without a tool" } else { name });
                    return Ok(true);
                };
                event.action_type = tool.to_owned();
                self.rules.fill_or(&slots, &mut event, &service)?;
            }
        }
        events.push(event);
        Ok(true)
    }
}
