//! An action or n-gram as it is named to people.

use crate::text::name;
use serde::Serialize;
use std::fmt;

/// An action, actions in a row, or two actions one of which stands somewhere before the other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
pub struct Pattern {
    /// The actions.
    pub actions: Vec<String>,
    /// Whether nothing stands before them.
    pub at_begin: bool,
    /// Whether nothing stands after them.
    pub at_end: bool,
    /// Whether other actions may stand between them; then there are two.
    pub with_gap: bool,
}

impl Pattern {
    /// The pattern with its names made harmless for a terminal, as in `read -> write -> (end)` or `read ... write`.
    fn shown(&self) -> String {
        let begin = self.at_begin.then(|| "(begin)".to_owned());
        let end = self.at_end.then(|| "(end)".to_owned());
        let actions = self.actions.iter().map(|action| name(action));
        begin
            .into_iter()
            .chain(actions)
            .chain(end)
            .collect::<Vec<_>>()
            .join(if self.with_gap { " ... " } else { " -> " })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_outside_cannot_act_on_a_terminal() {
        let pattern = Pattern {
            actions: vec!["a\u{1b}[2J\n".to_owned()],
            at_begin: true,
            at_end: true,
            with_gap: false,
        };
        assert_eq!(pattern.to_string(), "(begin) -> \"a\\u{1b}[2J\\u{a}\" -> (end)");
    }
}
