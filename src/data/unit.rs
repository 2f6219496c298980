//! What samples belong to.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What stands or falls together: is left out together when a model is tried on what it does not know, and counts as one when it is
/// asked how much a figure varies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// All samples with the same sequence.
    Sequence,
    /// All samples of a group.
    Group,
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sequence => "sequence",
            Self::Group => "group",
        })
    }
}
