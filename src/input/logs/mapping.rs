//! Which members of a record are what: the mapping that a user gives, as it is kept in model files and in mapping files.

use super::Format;
use crate::input::events::Span;
use crate::text::quote;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How the events of a log are found in its records, as far as that is not left to the format.
///
/// A path is dotted, and a member of that very name comes first.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// What the input is; `None` for what its beginning looks like.
    #[serde(default, alias = "input-format", skip_serializing_if = "Option::is_none")]
    pub input_format: Option<Format>,
    /// Who did it.
    #[serde(default, alias = "agent-field", skip_serializing_if = "Option::is_none")]
    pub agent_field: Option<Path>,
    /// What keeps sessions apart: the values of these members together.
    #[serde(default, alias = "session-by", skip_serializing_if = "Vec::is_empty")]
    pub session_by: Vec<Path>,
    /// A pause longer than this, in seconds, starts a new session; `None` for [`DEFAULT_GAP`] where a log has no sessions of its own.
    #[serde(default, alias = "session-gap", skip_serializing_if = "Option::is_none")]
    pub session_gap: Option<Span>,
    /// What was done.
    #[serde(default, alias = "action-field", skip_serializing_if = "Option::is_none")]
    pub action_field: Option<Template>,
    /// When.
    #[serde(default, alias = "time-field", skip_serializing_if = "Option::is_none")]
    pub time_field: Option<Path>,
    /// What a number stands for that is a time.
    #[serde(default, alias = "time-unit", skip_serializing_if = "is_default")]
    pub time_unit: TimeUnit,
    /// What it was judged to be.
    #[serde(default, alias = "label-field", skip_serializing_if = "Option::is_none")]
    pub label_field: Option<Path>,
    /// The value of the label that means anomalous, all others meaning normal; `None` where labels are 0 and 1.
    #[serde(default, alias = "anomalous-label", skip_serializing_if = "Option::is_none")]
    pub anomalous_label: Option<String>,
    /// Where it comes from, if that has a clock of its own.
    #[serde(default, alias = "source-field", skip_serializing_if = "Option::is_none")]
    pub source_field: Option<Path>,
    /// How risky it was.
    #[serde(default, alias = "risk-field", skip_serializing_if = "Option::is_none")]
    pub risk_field: Option<Path>,
    /// From where to where that goes.
    #[serde(default, alias = "risk-range", skip_serializing_if = "is_default")]
    pub risk_range: RiskRange,
    /// Where in a document the array of records stands; `None` at its top, or where its format has it.
    #[serde(default, alias = "records-at", skip_serializing_if = "Option::is_none")]
    pub records_at: Option<Path>,
    /// What tells events apart: one that comes again is dropped.
    #[serde(default, alias = "id-field", skip_serializing_if = "Option::is_none")]
    pub id_field: Option<Path>,
    /// Whether what is a parameter in the name of an action is replaced, see [`normalize_name`](super::normalize_name).
    #[serde(default, alias = "normalize-names", skip_serializing_if = "is_default")]
    pub normalize_names: bool,
}

/// Whether a value is the one that need not be written.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The pause after which a session ends where a log has no sessions of its own.
pub const DEFAULT_GAP: Span = Span::seconds(30 * 60);

impl Mapping {
    /// Whether an event is looked for elsewhere than where its format has it.
    pub(super) fn moves_members(&self) -> bool {
        self.agent_field.is_some()
            || self.action_field.is_some()
            || self.time_field.is_some()
            || self.time_unit != TimeUnit::Auto
            || self.risk_field.is_some()
            || self.id_field.is_some()
            || self.records_at.is_some()
            || self.anomalous_label.is_some()
            || self.risk_range != RiskRange::default()
            || self.session_by.len() > 1
            || self
                .session_by
                .iter()
                .chain(&self.label_field)
                .chain(&self.source_field)
                .any(|path| path.0.contains('.'))
    }

    /// This mapping with what `given` says instead.
    #[must_use]
    pub fn overridden_by(self, given: Mapping) -> Self {
        let default = TimeUnit::default();
        Self {
            input_format: given.input_format.or(self.input_format),
            agent_field: given.agent_field.or(self.agent_field),
            session_by: if given.session_by.is_empty() {
                self.session_by
            } else {
                given.session_by
            },
            session_gap: given.session_gap.or(self.session_gap),
            action_field: given.action_field.or(self.action_field),
            time_field: given.time_field.or(self.time_field),
            time_unit: if given.time_unit == default {
                self.time_unit
            } else {
                given.time_unit
            },
            label_field: given.label_field.or(self.label_field),
            anomalous_label: given.anomalous_label.or(self.anomalous_label),
            source_field: given.source_field.or(self.source_field),
            risk_field: given.risk_field.or(self.risk_field),
            risk_range: if given.risk_range == RiskRange::default() {
                self.risk_range
            } else {
                given.risk_range
            },
            records_at: given.records_at.or(self.records_at),
            id_field: given.id_field.or(self.id_field),
            normalize_names: self.normalize_names || given.normalize_names,
        }
    }
}

/// A text is no path, template, unit or range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoMapping(String);

/// The dotted path of a member, like `actor.user.name`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct Path(pub(super) String);

impl TryFrom<String> for Path {
    type Error = NoMapping;

    fn try_from(text: String) -> Result<Self, NoMapping> {
        if text.is_empty() || text.starts_with('.') || text.ends_with('.') || text.chars().any(char::is_control) {
            let text = quote(&text);
            return Err(NoMapping(format!(
                "{text} is no path of a member; expected one like actor.user.name"
            )));
        }
        Ok(Self(text))
    }
}

impl From<Path> for String {
    fn from(path: Path) -> Self {
        path.0
    }
}

impl FromStr for Path {
    type Err = NoMapping;

    fn from_str(text: &str) -> Result<Self, NoMapping> {
        Self::try_from(text.to_owned())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A path, or a text with paths in braces, like `{eventSource}:{eventName}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct Template(String);

impl Template {
    /// Each literal text with the path that follows it; behind the last path there may be a text alone.
    pub(super) fn parts(&self) -> Vec<(&str, Option<&str>)> {
        if !self.0.contains('{') {
            return vec![("", Some(&self.0))];
        }
        let mut parts = Vec::new();
        let mut rest = self.0.as_str();
        while let Some((text, behind)) = rest.split_once('{') {
            let (path, behind) = behind.split_once('}').unwrap_or((behind, ""));
            parts.push((text, Some(path)));
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push((rest, None));
        }
        parts
    }
}

impl TryFrom<String> for Template {
    type Error = NoMapping;

    fn try_from(text: String) -> Result<Self, NoMapping> {
        let braces = text.matches(['{', '}']).collect::<Vec<_>>();
        let paired = braces.chunks(2).all(|pair| pair == ["{", "}"]);
        let template = Self(text);
        if !paired {
            let text = quote(&template.0);
            return Err(NoMapping(format!(
                "{text}: a brace is missing; expected a path, or paths in braces like {{source}}:{{name}}"
            )));
        }
        for (_, path) in template.parts() {
            path.map(Path::from_str).transpose()?;
        }
        Ok(template)
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.0
    }
}

impl FromStr for Template {
    type Err = NoMapping;

    fn from_str(text: &str) -> Result<Self, NoMapping> {
        Self::try_from(text.to_owned())
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a number stands for that is a time: so many of these since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum TimeUnit {
    /// What the first number of the log must be to lie between 1973 and 5138.
    #[default]
    Auto,
    /// Seconds.
    S,
    /// Milliseconds.
    Ms,
    /// Microseconds.
    Us,
    /// Nanoseconds.
    Ns,
}

impl TimeUnit {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Auto, Self::S, Self::Ms, Self::Us, Self::Ns];

    /// The name of the option's value.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::S => "s",
            Self::Ms => "ms",
            Self::Us => "us",
            Self::Ns => "ns",
        }
    }

    /// Nanoseconds; those of a second for [`TimeUnit::Auto`].
    pub(super) fn nanos(self) -> i128 {
        match self {
            Self::Auto | Self::S => 1_000_000_000,
            Self::Ms => 1_000_000,
            Self::Us => 1_000,
            Self::Ns => 1,
        }
    }
}

impl FromStr for TimeUnit {
    type Err = NoMapping;

    fn from_str(text: &str) -> Result<Self, NoMapping> {
        let found = Self::ALL.into_iter().find(|unit| unit.name() == text);
        found.ok_or_else(|| NoMapping("expected auto, s, ms, us or ns".to_owned()))
    }
}

impl fmt::Display for TimeUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// From where to where risk scores go, like `0..100`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", schemars(with = "String"))]
pub struct RiskRange {
    low: f64,
    high: f64,
}

impl Default for RiskRange {
    fn default() -> Self {
        Self { low: 0.0, high: 1.0 }
    }
}

impl RiskRange {
    /// `value` as a share of the way from low to high, if it is in the range.
    pub(crate) fn share(self, value: f64) -> Option<f64> {
        (self.low..=self.high)
            .contains(&value)
            .then(|| (value - self.low) / (self.high - self.low))
    }
}

impl FromStr for RiskRange {
    type Err = NoMapping;

    fn from_str(text: &str) -> Result<Self, NoMapping> {
        let bounds = text.split_once("..").and_then(|(low, high)| {
            let (low, high) = (low.parse::<f64>().ok()?, high.parse::<f64>().ok()?);
            let is_range = low < high && low.abs() < 1e300 && high.abs() < 1e300;
            is_range.then_some(Self { low, high })
        });
        bounds.ok_or_else(|| NoMapping(format!("{} is no range; expected one like 0..100", quote(text))))
    }
}

impl TryFrom<String> for RiskRange {
    type Error = NoMapping;

    fn try_from(text: String) -> Result<Self, NoMapping> {
        text.parse()
    }
}

impl From<RiskRange> for String {
    fn from(range: RiskRange) -> Self {
        range.to_string()
    }
}

impl fmt::Display for RiskRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.low, self.high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_a_path_or_a_text_with_paths_in_braces() {
        let parts = |text: &str| {
            let template: Template = text.parse().unwrap();
            let parts = template.parts().into_iter();
            parts
                .map(|(text, path)| format!("{text}|{}", path.unwrap_or("-")))
                .collect::<Vec<_>>()
        };
        assert_eq!(parts("a.b"), ["|a.b"]);
        assert_eq!(parts("{a.b}:{c}"), ["|a.b", ":|c"]);
        assert_eq!(parts("x {a}!"), ["x |a", "!|-"]);
        for wrong in ["", ".a", "a.", "{a", "a}", "{{a}}", "{}", "}{"] {
            assert!(wrong.parse::<Template>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_risk_is_a_share_of_its_range_and_none_outside() {
        let range: RiskRange = "0..100".parse().unwrap();
        assert_eq!(
            (range.share(95.0), range.share(101.0), range.share(f64::NAN)),
            (Some(0.95), None, None)
        );
        assert_eq!(RiskRange::default().share(95.0), None);
        for wrong in ["", "1", "1..0", "0..0", "a..b", "0..inf", "NaN..1"] {
            assert!(wrong.parse::<RiskRange>().is_err(), "{wrong}");
        }
        let mapping: Mapping = serde_json::from_str(r#"{"risk-range": "0..10", "session-by": ["a.b"]}"#).unwrap();
        let written = serde_json::to_string(&mapping).unwrap();
        assert_eq!(serde_json::from_str::<Mapping>(&written).unwrap(), mapping);
    }
}
