//! What a sequence was, and how many there are of each kind.

use crate::bounds::OutOfBounds;
use serde::{Deserialize, Serialize};

/// What a sequence was: in files, 0 is normal and 1 is anomalous.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(into = "u8", extend("enum" = [0, 1])))]
pub enum Label {
    /// Ordinary behaviour.
    Normal,
    /// What the model has to find.
    Anomalous,
}

impl From<Label> for u8 {
    fn from(label: Label) -> u8 {
        label as u8
    }
}

impl Serialize for Label {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(u8::from(*self))
    }
}

/// Most samples that a data set, a model or a figure counts: 2^63.
pub const MAX_SAMPLES: u64 = 1 << 63;

/// How many samples of each class there are, together at most [`MAX_SAMPLES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, try_from = "Unchecked")]
pub struct ClassCounts {
    /// Samples with label 0.
    pub normal: u64,
    /// Samples with label 1.
    pub anomalous: u64,
}

/// [`ClassCounts`] as they are read.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Unchecked {
    normal: u64,
    anomalous: u64,
}

impl TryFrom<Unchecked> for ClassCounts {
    type Error = OutOfBounds;

    fn try_from(Unchecked { normal, anomalous }: Unchecked) -> Result<Self, OutOfBounds> {
        match normal.checked_add(anomalous) {
            Some(..=MAX_SAMPLES) => Ok(Self { normal, anomalous }),
            _ => Err(OutOfBounds::new(
                "expected at most 2^63 samples",
                format!("{normal} and {anomalous}"),
            )),
        }
    }
}

/// Counts samples of each class in as little memory as their number needs.
pub(crate) trait Tally: Copy + Default + Send + Sync {
    /// Counts these samples too.
    fn add(&mut self, samples: ClassCounts);

    /// How many there are.
    fn get(self) -> ClassCounts;
}

impl Tally for ClassCounts {
    fn add(&mut self, samples: ClassCounts) {
        *self = self.plus(samples);
    }

    fn get(self) -> ClassCounts {
        self
    }
}

/// Fewer than 2^32 samples of each class.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SmallTally {
    normal: u32,
    anomalous: u32,
}

impl Tally for SmallTally {
    fn add(&mut self, samples: ClassCounts) {
        self.normal += samples.normal as u32;
        self.anomalous += samples.anomalous as u32;
    }

    fn get(self) -> ClassCounts {
        ClassCounts {
            normal: u64::from(self.normal),
            anomalous: u64::from(self.anomalous),
        }
    }
}

impl ClassCounts {
    /// Counts `count` more samples with this label.
    pub fn add(&mut self, label: Label, count: u64) {
        match label {
            Label::Normal => self.normal += count,
            Label::Anomalous => self.anomalous += count,
        }
    }

    /// These samples and those of `other` together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            normal: self.normal + other.normal,
            anomalous: self.anomalous + other.anomalous,
        }
    }

    /// Samples of both classes together.
    #[must_use]
    pub fn total(self) -> u64 {
        self.normal + self.anomalous
    }
}
