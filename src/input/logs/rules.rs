//! From a record to an event by rules that say where each part of it stands: those of a format, or a user's [`Mapping`].

use super::clock::Clock;
use super::fields::{Scalar, Slot, find};
use super::mapping::{Mapping, RiskRange, Template, TimeUnit};
use crate::data::label::Label;
use crate::input::events::{Event, MAX_NAME, Time};
use crate::input::json::explain;
use crate::input::json::group as group_of_text;
use crate::input::lines::Problem;
use crate::text::quote;

/// Where a format has what, each as alternatives of which the first one that is there counts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Usual {
    pub(super) agent: &'static [&'static str],
    pub(super) session: &'static [&'static str],
    pub(super) action: &'static [&'static str],
    pub(super) time: &'static [(&'static str, TimeUnit)],
    pub(super) label: &'static [&'static str],
    pub(super) risk: &'static [&'static str],
    pub(super) cohort: &'static [&'static str],
    pub(super) id: &'static [&'static str],
    /// If one of these is there, the action has failed.
    pub(super) failed: &'static [&'static str],
    /// What the format looks at besides.
    pub(super) more: &'static [&'static str],
}

/// The rules, with each path numbered.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) paths: Vec<String>,
    agent: Vec<Parts>,
    session: Vec<Parts>,
    action: Vec<Parts>,
    time: Vec<(usize, TimeUnit)>,
    label: Vec<usize>,
    anomalous_label: Option<String>,
    risk: Vec<usize>,
    source: Option<usize>,
    group: Option<usize>,
    risk_range: RiskRange,
    cohort: Vec<Parts>,
    id: Vec<Parts>,
    failed: Vec<usize>,
    more: Vec<usize>,
    /// Whether the members that make the session were named by the user, so that they must be there.
    needs_session: bool,
    clock: Clock,
}

/// Texts with the paths behind them.
type Parts = Vec<(String, Option<usize>)>;

/// What a record had to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filled {
    Event,
    /// It has no action.
    NoAction,
}

/// Refuses an event without an action, or with a name that is too long.
pub(super) fn check_names(event: &Event) -> Result<(), Problem> {
    if event.action_type.is_empty() {
        return Err((None, "the action has no name".to_owned()));
    }
    let names = [
        ("agent", &event.agent_id),
        ("action", &event.action_type),
        ("cohort", &event.cohort),
        ("id of the event", &event.event_id),
        ("source", &event.source),
    ];
    match names.into_iter().find(|(_, name)| name.len() > MAX_NAME) {
        Some((what, name)) => {
            let problem = format!("the {what} has {} bytes; at most {MAX_NAME} are allowed", name.len());
            Err((None, problem))
        }
        None => Ok(()),
    }
}

impl Rules {
    pub(super) fn new(usual: &Usual, mapping: &Mapping) -> Self {
        let mut rules = Self {
            paths: Vec::new(),
            agent: Vec::new(),
            session: Vec::new(),
            action: Vec::new(),
            time: Vec::new(),
            label: Vec::new(),
            anomalous_label: mapping.anomalous_label.clone(),
            risk: Vec::new(),
            source: None,
            group: None,
            risk_range: mapping.risk_range,
            cohort: Vec::new(),
            id: Vec::new(),
            failed: Vec::new(),
            more: Vec::new(),
            needs_session: !mapping.session_by.is_empty(),
            clock: Clock::default(),
        };
        let one = |path: &super::mapping::Path| vec![path.0.clone()];
        let text = |usual: &[&str]| usual.iter().map(ToString::to_string).collect::<Vec<_>>();
        let or = |given: Option<Vec<String>>, usual: &[&str]| given.unwrap_or_else(|| text(usual));

        rules.agent = rules.templates(or(mapping.agent_field.as_ref().map(one), usual.agent));
        rules.session = if mapping.session_by.is_empty() {
            rules.templates(text(usual.session))
        } else {
            vec![
                mapping
                    .session_by
                    .iter()
                    .map(|path| (String::new(), Some(rules.path(&path.0))))
                    .collect(),
            ]
        };
        rules.action = rules.templates(match &mapping.action_field {
            Some(template) => vec![template.to_string()],
            None => text(usual.action),
        });
        rules.time = match &mapping.time_field {
            Some(path) => vec![(rules.path(&path.0), mapping.time_unit)],
            None => usual
                .time
                .iter()
                .map(|&(path, unit)| {
                    let unit = if mapping.time_unit == TimeUnit::Auto {
                        unit
                    } else {
                        mapping.time_unit
                    };
                    (rules.path(path), unit)
                })
                .collect(),
        };
        rules.label = rules.numbers(or(mapping.label_field.as_ref().map(one), usual.label));
        rules.source = mapping.source_field.as_ref().map(|path| rules.path(&path.0));
        rules.risk = rules.numbers(or(mapping.risk_field.as_ref().map(one), usual.risk));
        rules.id = rules.templates(or(mapping.id_field.as_ref().map(one), usual.id));
        rules.cohort = rules.templates(text(usual.cohort));
        rules.failed = rules.numbers(text(usual.failed));
        rules.more = rules.numbers(text(usual.more));
        rules
    }

    fn path(&mut self, path: &str) -> usize {
        self.paths.iter().position(|known| known == path).unwrap_or_else(|| {
            self.paths.push(path.to_owned());
            self.paths.len() - 1
        })
    }

    fn numbers(&mut self, paths: Vec<String>) -> Vec<usize> {
        paths.iter().map(|path| self.path(path)).collect()
    }

    fn templates(&mut self, templates: Vec<String>) -> Vec<Parts> {
        let parts_of = |template: String| {
            // A format's own templates are templates.
            let template = Template::try_from(template).ok()?;
            let parts = template.parts().into_iter();
            Some(
                parts
                    .map(|(text, path)| (text.to_owned(), path.map(|path| self.path(path))))
                    .collect(),
            )
        };
        templates.into_iter().filter_map(parts_of).collect()
    }

    /// Takes a member for what a session belongs to.
    pub(super) fn group_by(&mut self, field: &str) {
        self.group = Some(self.path(field));
    }

    pub(super) fn forget_labels(&mut self) {
        self.label.clear();
    }

    /// What numbers were taken for as times, if there were any and it was not said.
    pub(super) fn time_unit(&self) -> Option<TimeUnit> {
        self.clock.guessed()
    }

    /// Finds what the rules speak of in a record.
    pub(super) fn find<'d>(&self, json: &'d str, slots: &mut Vec<Slot<'d>>) -> Result<(), Problem> {
        find(json, &self.paths, slots).map_err(|error| explain(&error, json))
    }

    /// What the format looks at besides, by its place there.
    pub(super) fn more<'d>(&self, slots: &[Slot<'d>], place: usize) -> Result<Option<Scalar<'d>>, Problem> {
        self.scalar(slots, self.more[place])
    }

    /// Whether the record has what the format looks at besides, by its place there.
    pub(super) fn has_more(&self, slots: &[Slot<'_>], place: usize) -> bool {
        slots[self.more[place]].is_there()
    }

    /// The time that stands in `raw`, which was not found by a rule.
    pub(super) fn time(&mut self, raw: &str) -> Result<Option<Time>, Problem> {
        let Some(&(path, unit)) = self.time.first() else {
            return Ok(None);
        };
        let path = &self.paths[path];
        let read = Slot::of_raw(raw)
            .scalar(path)
            .and_then(|scalar| scalar.map(|scalar| self.clock.read(&scalar, unit, path)).transpose());
        read.map_err(|problem| (None, problem))
    }

    fn scalar<'d>(&self, slots: &[Slot<'d>], path: usize) -> Result<Option<Scalar<'d>>, Problem> {
        slots[path].scalar(&self.paths[path]).map_err(|problem| (None, problem))
    }

    /// Makes an event of what was found.
    pub(super) fn fill(&mut self, slots: &[Slot<'_>], event: &mut Event) -> Result<Filled, Problem> {
        self.fill_or(slots, event, "")
    }

    /// The same, where `agent` did it if the record does not say who. An action that the event has already is kept.
    pub(super) fn fill_or(&mut self, slots: &[Slot<'_>], event: &mut Event, agent: &str) -> Result<Filled, Problem> {
        if event.action_type.is_empty() && !self.write(&self.action, slots, &mut event.action_type)? {
            return Ok(Filled::NoAction);
        }
        if self.failed.iter().any(|&path| slots[path].is_there()) {
            event.action_type.push_str("!failed");
        }
        if !self.write(&self.agent, slots, &mut event.agent_id)? {
            event.agent_id.push_str(agent);
        }
        self.write_session(slots, event)?;
        self.write(&self.cohort, slots, &mut event.cohort)?;
        self.write(&self.id, slots, &mut event.event_id)?;
        for &(path, unit) in &self.time {
            if let Some(scalar) = slots[path]
                .scalar(&self.paths[path])
                .map_err(|problem| (None, problem))?
            {
                let time = self.clock.read(&scalar, unit, &self.paths[path]);
                event.time = Some(time.map_err(|problem| (None, problem))?);
                break;
            }
        }
        event.label = self.label(slots)?;
        event.risk_score = self.risk(slots)?;
        if let Some(path) = self.group
            && let Some(group) = self.scalar(slots, path)?
        {
            match group {
                Scalar::Text(text) => event.group.push_str(&group_of_text(&text)),
                other => event.group.push_str(other.name()),
            }
        }
        if let Some(path) = self.source
            && let Some(source) = self.scalar(slots, path)?
        {
            event.source.push_str(source.name());
        }
        check_names(event)?;
        Ok(Filled::Event)
    }

    /// Writes the first of the alternatives of which everything is there; `false` if there is none.
    fn write(&self, alternatives: &[Parts], slots: &[Slot<'_>], text: &mut String) -> Result<bool, Problem> {
        let there = |parts: &&Parts| {
            parts
                .iter()
                .all(|(_, path)| path.is_none_or(|path| slots[path].is_there()))
        };
        for parts in alternatives.iter().filter(there) {
            for (literal, path) in parts {
                text.push_str(literal);
                if let Some(path) = path
                    && let Some(scalar) = self.scalar(slots, *path)?
                {
                    text.push_str(scalar.name());
                }
            }
            if !text.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The session, and who did it where the record does not say.
    fn write_session(&self, slots: &[Slot<'_>], event: &mut Event) -> Result<(), Problem> {
        if let [parts] = &self.session[..]
            && parts.len() > 1
            && parts.iter().all(|(literal, _)| literal.is_empty())
        {
            // Several members make a session together. What divides them is told from what stands in them.
            for (place, &(_, path)) in parts.iter().enumerate() {
                if place > 0 {
                    event.session.push('/');
                }
                let part = path.map_or(Ok(None), |path| self.scalar(slots, path))?;
                if let Some(part) = part {
                    event
                        .session
                        .push_str(&part.name().replace('\\', "\\\\").replace('/', "\\/"));
                } else {
                    event.session.clear();
                    break;
                }
            }
        } else {
            self.write(&self.session, slots, &mut event.session)?;
        }
        if event.session.len() > MAX_NAME {
            let problem = format!(
                "the session has {} bytes; at most {MAX_NAME} are allowed",
                event.session.len()
            );
            return Err((None, problem));
        }
        if self.needs_session && event.session.is_empty() {
            let paths = self.session.iter().flatten().filter_map(|&(_, path)| path);
            let missing = paths
                .filter(|&path| !slots[path].is_there())
                .map(|path| quote(&self.paths[path]));
            let missing = missing.collect::<Vec<_>>().join(", ");
            return Err((None, format!("the field {missing} that makes the sessions is missing")));
        }
        if event.agent_id.is_empty() {
            event.agent_id.clone_from(&event.session);
        }
        if event.agent_id.is_empty() {
            let names = |alternatives: &[Parts]| {
                let paths = alternatives.iter().flatten().filter_map(|(_, path)| *path);
                paths
                    .map(|path| self.paths[path].as_str())
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            let (agent, session) = (names(&self.agent), names(&self.session));
            let both = [agent, session]
                .iter()
                .filter(|names| !names.is_empty())
                .cloned()
                .collect::<Vec<_>>()
                .join(", ");
            return Err((
                None,
                format!(
                    "nobody did it: the members {both} are missing or empty; name others by --agent-field or --session-by"
                ),
            ));
        }
        Ok(())
    }

    fn label(&self, slots: &[Slot<'_>]) -> Result<Option<Label>, Problem> {
        for &path in &self.label {
            let Some(scalar) = self.scalar(slots, path)? else {
                continue;
            };
            return match (&self.anomalous_label, scalar.name()) {
                (Some(anomalous), name) => Ok(Some(if name == anomalous {
                    Label::Anomalous
                } else {
                    Label::Normal
                })),
                (None, "0") => Ok(Some(Label::Normal)),
                (None, "1") => Ok(Some(Label::Anomalous)),
                (None, "") => Ok(None),
                (None, name) => Err((
                    None,
                    format!(
                        "{} is {}; expected 0 (normal) or 1 (anomalous), or name the value that means anomalous by --anomalous-label",
                        quote(&self.paths[path]),
                        quote(name)
                    ),
                )),
            };
        }
        Ok(None)
    }

    fn risk(&self, slots: &[Slot<'_>]) -> Result<Option<f64>, Problem> {
        for &path in &self.risk {
            let Some(scalar) = self.scalar(slots, path)?.filter(|scalar| !scalar.name().is_empty()) else {
                continue;
            };
            let number = match scalar {
                Scalar::Bool(_) => None,
                ref scalar => scalar.name().parse::<f64>().ok(),
            };
            let share = number.and_then(|number| self.risk_range.share(number));
            return match share {
                Some(share) => Ok(Some(share)),
                None => Err((
                    None,
                    format!(
                        "{} is {}; expected a number within {}, or say from where to where it goes by --risk-range",
                        quote(&self.paths[path]),
                        quote(scalar.name()),
                        self.risk_range
                    ),
                )),
            };
        }
        Ok(None)
    }
}
