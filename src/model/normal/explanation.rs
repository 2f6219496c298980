//! Why a sequence surprises a normal-only model.

use crate::data::interner::Interner;
use crate::model::ngrams::FIRST_ACTION;
use crate::model::normal::{Extent, NormalModel, NormalScorer, Surprise};
use crate::text::name;
use serde::Serialize;
use std::fmt;
use std::ops::Deref;

/// How many of the actions that were expected are named.
const EXPECTED: usize = 3;
/// What is less surprising than this, in bits, is not worth a word: it happens one time in ten.
const UNUSUAL: f64 = 3.3;

/// The surprise of a sequence, taken apart.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
#[non_exhaustive]
pub struct NormalExplanation {
    /// One minus the p-value, 0..1.
    #[serde(skip)]
    pub score: f64,
    /// How surprising the sequence is, in bits: `order` and `counts` together.
    pub surprise: f64,
    /// What share of normal sequences is expected to be at least as surprising, above 0, up to 1.
    pub p_value: f64,
    /// What the surprises of the actions in the window add up to, in bits.
    pub order: f64,
    /// What the number of times that the sequence has each action adds up to, in bits.
    pub counts: f64,
    /// The most surprising window.
    pub window: Window,
    /// The actions in it, in their order.
    pub actions: Vec<SurprisingAction>,
    /// The most unusual numbers of times, the most surprising first.
    pub times: Vec<UnusualTimes>,
    /// The actions that the model does not know, in order of first appearance.
    pub unknown: Vec<String>,
}

/// Where the most surprising window of a sequence is, counted from 1. The end of the sequence counts as one more action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
pub struct Window {
    /// The place of its first action.
    pub first: usize,
    /// The place of its last action.
    pub last: usize,
}

/// An action with what was expected in its place.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
#[non_exhaustive]
pub struct SurprisingAction {
    /// Where it stands, counted from 1.
    pub position: usize,
    /// Its name; null for the end of the sequence.
    pub action: Option<String>,
    /// Its surprise after the actions before it: minus the binary logarithm of its probability.
    pub bits: f64,
    /// What was most probable there instead, or as well.
    pub expected: Vec<ExpectedAction>,
}

/// An action that was expected.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
pub struct ExpectedAction {
    /// Its name; null for the end of the sequence.
    pub action: Option<String>,
    /// How probable it was, 0..1.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub probability: f64,
}

/// How often a sequence has an action, if that is unusual.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
#[non_exhaustive]
pub struct UnusualTimes {
    /// The action.
    pub action: String,
    /// How often the sequence has it; 0 if it is missing.
    pub times: u64,
    /// How surprising that is, in bits.
    pub bits: f64,
    /// In how many normal training samples it occurs at all.
    pub seen: u64,
    /// How many normal training samples there are.
    pub of: u64,
}

impl NormalExplanation {
    /// Where in the sequence its most surprising window stands, ascending, counted from 1.
    pub(crate) fn positions(&self) -> Vec<usize> {
        self.actions.iter().map(|action| action.position).collect()
    }

    /// Where the surprise lies, in sentences: the window first, then the actions in it and the numbers of times that are worth a word,
    /// those that surprise most first.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let Window { first, last } = self.window;
        let window = format!(
            "the actions at {first}..{last} are the most surprising, with {:.1} bits together",
            self.order
        );
        let mut actions: Vec<&SurprisingAction> = self.actions.iter().collect();
        actions.sort_by(|a, b| b.bits.total_cmp(&a.bits).then(a.position.cmp(&b.position)));
        let worth_a_word = |action: &&SurprisingAction| action.bits >= UNUSUAL;
        let actions = actions.into_iter().filter(worth_a_word).map(ToString::to_string);
        let times = self.times.iter().map(ToString::to_string);
        std::iter::once(window).chain(actions).chain(times).collect()
    }

    /// What surprises most, in a sentence.
    #[must_use]
    pub fn main_reason(&self) -> String {
        let action = self.actions.iter().rev().max_by(|a, b| a.bits.total_cmp(&b.bits));
        match (action, self.times.first()) {
            (Some(action), Some(times)) if times.bits > action.bits => times.to_string(),
            (Some(action), _) => action.to_string(),
            (None, Some(times)) => times.to_string(),
            (None, None) => "nothing in particular".to_owned(),
        }
    }
}

fn shown(action: Option<&str>) -> String {
    action.map_or_else(|| "the end".to_owned(), |action| format!("`{}`", name(action)))
}

impl fmt::Display for SurprisingAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let expected: Vec<String> = self
            .expected
            .iter()
            .map(|expected| {
                format!(
                    "{} with {:.0} %",
                    shown(expected.action.as_deref()),
                    100.0 * expected.probability
                )
            })
            .collect();
        let action = shown(self.action.as_deref());
        write!(
            f,
            "{action} at {} is a surprise of {:.1} bits",
            self.position, self.bits
        )?;
        match &expected[..] {
            [] => Ok(()),
            expected => write!(f, "; expected there: {}", expected.join(", ")),
        }
    }
}

impl fmt::Display for UnusualTimes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            action,
            times,
            bits,
            seen,
            of,
        } = self;
        let action = name(action);
        match times {
            0 => write!(
                f,
                "no `{action}` is a surprise of {bits:.1} bits; {seen} of {of} normal sequences have it"
            ),
            1 => write!(
                f,
                "`{action}` once is a surprise of {bits:.1} bits; {seen} of {of} normal sequences have it"
            ),
            _ => write!(
                f,
                "`{action}` {times} times is a surprise of {bits:.1} bits; {seen} of {of} normal sequences have it at all"
            ),
        }
    }
}

impl<M: Deref<Target = NormalModel>> NormalScorer<M> {
    /// Explains the score of a sequence, with at most `most` unusual numbers of times.
    pub fn explain<'a>(&mut self, actions: impl IntoIterator<Item = &'a str>, most: usize) -> NormalExplanation {
        self.explain_as(actions, Extent::Whole, most)
    }

    pub(crate) fn explain_as<'a>(
        &mut self,
        actions: impl IntoIterator<Item = &'a str>,
        extent: Extent,
        most: usize,
    ) -> NormalExplanation {
        let model = &*self.model;
        self.sequence.take(&model.names, actions);
        let numbers = &self.sequence.numbers;
        let surprise = self.judge.surprise(model.normality(), numbers, extent);
        let unknown: Vec<String> = self.sequence.unknown.iter().cloned().collect();
        let name_of = |number: u32| name_of(&model.names, &unknown, number);
        let Surprise {
            window,
            of_order,
            of_counts,
            ..
        } = surprise.clone();

        let first = usize::from(!matches!(extent, Extent::Open { from_begin: false }));
        let in_window: Vec<SurprisingAction> = window
            .clone()
            .map(|place| {
                let expected = model.order.expected(&self.judge.runs, first + place, EXPECTED);
                SurprisingAction {
                    position: place + 1,
                    action: numbers.get(place).copied().map(name_of),
                    bits: self.judge.bits[place],
                    expected: expected
                        .into_iter()
                        .map(|expected| ExpectedAction {
                            action: expected.symbol.checked_sub(FIRST_ACTION).map(name_of),
                            probability: expected.probability,
                        })
                        .collect(),
                }
            })
            .collect();

        let known = model.names.len() as u32;
        let of = |action: u32, times: u64, bits: f64| UnusualTimes {
            action: name_of(action),
            times,
            bits,
            seen: if action < known { model.counts.with(action) } else { 0 },
            of: model.samples,
        };
        let present = self.judge.sorted.chunk_by(|a, b| a == b).map(|same| {
            let times = same.len() as u64;
            (same[0], times, model.counts.surprise(same[0], times))
        });
        let is_absent = |action: &u32| extent == Extent::Whole && self.judge.sorted.binary_search(action).is_err();
        let absent = (0..known)
            .filter(is_absent)
            .map(|action| (action, 0, model.counts.surprise_of_absence(action)));
        let mut times: Vec<(u32, u64, f64)> = present.chain(absent).filter(|&(.., bits)| bits >= UNUSUAL).collect();
        times.sort_by(|a, b| b.2.total_cmp(&a.2).then(a.0.cmp(&b.0)));
        times.truncate(most);
        let bits = surprise.bits();
        let score = model.conformal.score(bits);
        let samples = model.conformal.samples() as f64;
        NormalExplanation {
            score,
            surprise: bits,
            p_value: (1.0 + model.conformal.at_least(bits) as f64) / (1.0 + samples),
            order: of_order,
            counts: of_counts,
            window: Window {
                first: window.start + 1,
                last: window.end,
            },
            actions: in_window,
            times: times
                .into_iter()
                .map(|(action, times, bits)| of(action, times, bits))
                .collect(),
            unknown,
        }
    }
}

/// The name of an action by its number: known ones first, then the unknown ones.
fn name_of(names: &Interner, unknown: &[String], number: u32) -> String {
    match (number as usize).checked_sub(names.len()) {
        None => names.name(number).to_owned(),
        Some(index) => unknown.get(index).cloned().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::dataset::DatasetBuilder;
    use crate::data::label::Label;
    use crate::model::normal::config::NormalConfig;
    use crate::train::normal::train_normal;
    use std::num::NonZeroUsize;

    fn model() -> NormalModel {
        let mut data = DatasetBuilder::new();
        for number in 0..60 {
            let middle = ["read", "write", "list"][number % 3];
            let actions = vec!["open", middle, "close"];
            let repeated: Vec<&str> = std::iter::repeat_n(middle, number / 20).collect();
            data.push(
                [actions, repeated].concat(),
                Label::Normal,
                Some(&(number % 6).to_string()),
            )
            .unwrap();
        }
        let data = data.build();
        let config = NormalConfig {
            anomaly_threshold: 0.9.try_into().unwrap(),
            window: 3.try_into().unwrap(),
            ..NormalConfig::default()
        };
        train_normal(&data, &data.all(), &config, NonZeroUsize::MIN)
            .unwrap()
            .model
    }

    #[test]
    fn the_parts_add_up_to_the_surprise_and_the_actions_to_the_window() {
        let model = model();
        let mut scorer = model.scorer();
        for actions in [
            &["open", "read", "close"][..],
            &["open", "send", "send", "open", "list"],
            &["x"],
            &["close", "close", "close", "close", "close"],
        ] {
            let explanation = scorer.explain(actions.iter().copied(), usize::MAX);
            let prediction = scorer.predict(actions.iter().copied()).unwrap();
            assert_eq!(Some(explanation.surprise), prediction.surprise);
            assert_eq!(explanation.score, prediction.score);
            assert!((explanation.surprise - explanation.order - explanation.counts).abs() < 1e-12);
            assert!((explanation.p_value - (1.0 - explanation.score)).abs() < 1e-12);
            let bits: f64 = explanation.actions.iter().map(|action| action.bits).sum();
            assert!((bits - explanation.order).abs() < 1e-12);
            let Window { first, last } = explanation.window;
            let positions: Vec<usize> = explanation.actions.iter().map(|action| action.position).collect();
            assert_eq!(positions, (first..=last).collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_explanation_names_what_was_expected_and_what_is_missing() {
        let model = model();
        let explanation = model.scorer().explain(["open", "send", "send"], 10);
        assert_eq!(explanation.unknown, ["send"]);
        let send = explanation.actions.iter().find(|action| action.position == 2).unwrap();
        assert_eq!(send.action.as_deref(), Some("send"));
        let expected: Vec<_> = send
            .expected
            .iter()
            .map(|expected| expected.action.as_deref())
            .collect();
        assert_eq!(expected, [Some("list"), Some("write"), Some("read")]);
        let close = explanation.times.iter().find(|times| times.action == "close").unwrap();
        assert_eq!((close.times, close.seen, close.of), (0, 60, 60));
        let end = explanation.actions.last().unwrap();
        assert_eq!((end.position, end.action.as_deref()), (4, None));
        let sentences = explanation.sentences();
        assert!(
            sentences[0].starts_with("the actions at 2..4 are the most surprising"),
            "{sentences:?}"
        );
        assert!(
            sentences
                .iter()
                .any(|s| s.starts_with("`send` at 2 is a surprise of") && s.contains("expected there: `list` with 3")),
            "{sentences:?}"
        );
        assert!(
            sentences.iter().any(|s| s.starts_with("no `close` is")),
            "{sentences:?}"
        );
    }
}
