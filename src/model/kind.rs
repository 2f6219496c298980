//! The two kinds of models, as one.

use crate::bounds::OpenUnitInterval;
use crate::data::dataset::Dataset;
use crate::data::label::ClassCounts;
use crate::data::part::Part;
use crate::data::scored::Scored;
use crate::model::explanation::Explanation;
use crate::model::normal::explanation::NormalExplanation;
use crate::model::normal::{NormalModel, NormalScorer};
use crate::model::unfamiliar::Unfamiliar;
use crate::model::{AnomalyModel, Prediction, Scorer};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::num::NonZeroUsize;

/// What a model learned from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ModelKind {
    /// From normal and anomalous sequences; its score is the probability of an anomaly.
    #[default]
    Labelled,
    /// From normal sequences alone; its score is one minus the share of normal sequences that are as surprising.
    NormalOnly,
}

impl ModelKind {
    // Serde asks with a reference.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    #[cfg(feature = "registry")]
    pub(crate) fn is_labelled(&self) -> bool {
        *self == Self::Labelled
    }

    /// Its name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Labelled => "labelled",
            Self::NormalOnly => "normal_only",
        }
    }
}

/// For people, as in "a labelled model".
impl fmt::Display for ModelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Labelled => "labelled",
            Self::NormalOnly => "normal-only",
        })
    }
}

/// A model of either kind.
#[derive(Debug, Clone)]
// There is one of them at a time, and it is hardly ever moved.
#[allow(clippy::large_enum_variant)]
pub enum Model {
    /// One that learned from labels.
    Labelled(AnomalyModel),
    /// One that learned from normal sequences alone.
    NormalOnly(NormalModel),
}

impl From<AnomalyModel> for Model {
    fn from(model: AnomalyModel) -> Self {
        Self::Labelled(model)
    }
}

impl From<NormalModel> for Model {
    fn from(model: NormalModel) -> Self {
        Self::NormalOnly(model)
    }
}

impl Model {
    /// What it learned from.
    #[must_use]
    pub fn kind(&self) -> ModelKind {
        match self {
            Self::Labelled(_) => ModelKind::Labelled,
            Self::NormalOnly(_) => ModelKind::NormalOnly,
        }
    }

    /// The model, if it learned from labels.
    #[must_use]
    pub fn labelled(&self) -> Option<&AnomalyModel> {
        match self {
            Self::Labelled(model) => Some(model),
            Self::NormalOnly(_) => None,
        }
    }

    /// The score from which a sequence is labelled anomalous.
    #[must_use]
    pub fn threshold(&self) -> OpenUnitInterval {
        match self {
            Self::Labelled(model) => model.threshold(),
            Self::NormalOnly(model) => model.threshold(),
        }
    }

    /// The same model with another threshold.
    #[must_use]
    pub fn with_threshold(self, threshold: OpenUnitInterval) -> Self {
        match self {
            Self::Labelled(model) => model.with_threshold(threshold).into(),
            Self::NormalOnly(model) => model.with_threshold(threshold).into(),
        }
    }

    /// What it was trained on.
    #[must_use]
    pub fn training_samples(&self) -> ClassCounts {
        match self {
            Self::Labelled(model) => model.training_samples(),
            Self::NormalOnly(model) => ClassCounts {
                normal: model.training_samples(),
                anomalous: 0,
            },
        }
    }

    /// The names of the actions that it knows, ascending, and in how many training samples each occurs.
    pub fn actions(&self) -> impl Iterator<Item = (&str, u64)> {
        let names = match self {
            Self::Labelled(model) => model.names.names(),
            Self::NormalOnly(model) => model.names.names(),
        };
        (0..).zip(names).map(|(action, name)| {
            let samples = match self {
                Self::Labelled(model) => model.actions[action as usize].total(),
                Self::NormalOnly(model) => model.counts.with(action),
            };
            (name, samples)
        })
    }

    /// Number of actions that it knows.
    #[must_use]
    pub fn action_count(&self) -> usize {
        match self {
            Self::Labelled(model) => model.names.len(),
            Self::NormalOnly(model) => model.names.len(),
        }
    }

    /// How many of its actions were seen in one training sample only.
    #[must_use]
    pub fn actions_seen_once(&self) -> usize {
        self.actions().filter(|&(_, samples)| samples == 1).count()
    }

    /// Number of n-grams that it knows.
    #[must_use]
    pub fn ngram_count(&self) -> usize {
        match self {
            Self::Labelled(model) => model.ngram_count(),
            Self::NormalOnly(model) => model.ngram_count(),
        }
    }

    /// The number of the action `name`; `None` if the model does not know it.
    #[must_use]
    pub fn action_number(&self, name: &str) -> Option<u32> {
        match self {
            Self::Labelled(model) => model.names.get(name),
            Self::NormalOnly(model) => model.names.get(name),
        }
    }

    pub(crate) fn was_trained_on(&self, fingerprint: u64) -> bool {
        match self {
            Self::Labelled(model) => model.fingerprints.contains(fingerprint),
            Self::NormalOnly(model) => model.fingerprints.contains(fingerprint),
        }
    }

    /// What the model says of each row of `part` of `data`, in order, worked out by at most `threads` threads.
    #[must_use]
    pub fn score_part(&self, data: &Dataset, part: &Part, threads: NonZeroUsize) -> Vec<Scored> {
        match self {
            Self::Labelled(model) => model.score_part(data, part, threads),
            Self::NormalOnly(model) => model.score_part(data, part, threads),
        }
    }

    /// Scores one sequence and decides on it; `None` for an empty one, of which nothing can be said.
    pub fn predict<'a>(&self, actions: impl IntoIterator<Item = &'a str>) -> Option<Prediction> {
        self.scorer().predict(actions)
    }

    /// Something that scores many sequences one after the other.
    #[must_use]
    pub fn scorer(&self) -> ModelScorer<'_> {
        match self {
            Self::Labelled(model) => ModelScorer::Labelled(model.scorer()),
            Self::NormalOnly(model) => ModelScorer::NormalOnly(model.scorer()),
        }
    }
}

/// Scores sequences with a model of either kind, reusing its buffers.
#[derive(Debug)]
pub enum ModelScorer<'m> {
    /// With one that learned from labels.
    Labelled(Scorer<&'m AnomalyModel>),
    /// With one that learned from normal sequences alone.
    NormalOnly(NormalScorer<&'m NormalModel>),
}

impl ModelScorer<'_> {
    /// Scores one sequence and decides on it; `None` for an empty one, of which nothing can be said.
    pub fn predict<'a>(&mut self, actions: impl IntoIterator<Item = &'a str>) -> Option<Prediction> {
        match self {
            Self::Labelled(scorer) => scorer.predict(actions),
            Self::NormalOnly(scorer) => scorer.predict(actions),
        }
    }

    /// Explains the score of a sequence, with at most `most` pieces of evidence.
    pub fn explain<'a>(&mut self, actions: impl IntoIterator<Item = &'a str>, most: usize) -> ModelExplanation {
        match self {
            Self::Labelled(scorer) => ModelExplanation::Labelled(scorer.explain(actions, most)),
            Self::NormalOnly(scorer) => ModelExplanation::NormalOnly(scorer.explain(actions, most)),
        }
    }

    /// Notes in `seen` which actions of the latest sequence that was scored by name the model does not know.
    pub fn note_unfamiliar(&self, seen: &mut Unfamiliar) {
        match self {
            Self::Labelled(scorer) => scorer.note_unfamiliar(seen),
            Self::NormalOnly(scorer) => scorer.note_unfamiliar(seen),
        }
    }
}

/// A score, taken apart as its model makes it up.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum ModelExplanation {
    /// Of a model that learned from labels.
    Labelled(Explanation),
    /// Of one that learned from normal sequences alone.
    NormalOnly(NormalExplanation),
}

impl ModelExplanation {
    /// The score.
    #[must_use]
    pub fn score(&self) -> f64 {
        match self {
            Self::Labelled(explanation) => explanation.score,
            Self::NormalOnly(explanation) => explanation.score,
        }
    }

    /// What the score is made of, in a line.
    #[must_use]
    pub fn sum(&self) -> String {
        match self {
            Self::Labelled(explanation) => {
                format!("log odds {:.3} = {}", explanation.log_odds, explanation.contributions)
            }
            Self::NormalOnly(explanation) => format!(
                "surprise {:.1} bits = order {:.1} + counts {:.1}; p-value {:.4}",
                explanation.surprise, explanation.order, explanation.counts, explanation.p_value
            ),
        }
    }

    /// Its evidence, in a sentence each.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        match self {
            Self::Labelled(explanation) => explanation.sentences(),
            Self::NormalOnly(explanation) => explanation.sentences(),
        }
    }

    /// Where in the sequence of these actions stands what speaks for an anomaly, ascending, counted from 1.
    pub fn positions<'a>(&self, actions: impl Iterator<Item = &'a str>) -> Vec<usize> {
        match self {
            Self::Labelled(explanation) => explanation.positions(actions),
            Self::NormalOnly(explanation) => explanation.positions(),
        }
    }

    /// What speaks most for an anomaly, in a sentence.
    #[must_use]
    pub fn main_reason(&self) -> String {
        match self {
            Self::Labelled(explanation) => explanation.main_reason(),
            Self::NormalOnly(explanation) => explanation.main_reason(),
        }
    }
}
