//! Why a sequence has the score it has.

use crate::data::label::ClassCounts;
use crate::model::features::{ACTION_OOV, DIVERSITY, ENTROPY, NGRAM_OOV, Row};
use crate::model::ngrams::{BOS, EOS, FIRST_ACTION};
use crate::model::pattern::Pattern;
use crate::model::weights::logistic;
use crate::model::{AnomalyModel, Scorer};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Deref;

/// What each of the four analyses adds to the log odds of a sequence being anomalous. The sum of all parts is the log
/// odds of its score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
pub struct Contributions {
    /// What every sequence starts with.
    pub bias: f64,
    /// The actions that are present, and how many of them are new.
    pub frequency: f64,
    /// The n-grams and ordered pairs that are present, and how many n-grams are new.
    pub ngram: f64,
    /// How evenly the actions are spread.
    pub entropy: f64,
    /// How many different actions there are for the length, and the length.
    pub diversity: f64,
}

impl Contributions {
    fn of(model: &AnomalyModel, row: Row<'_>) -> Self {
        let weights = &model.weights;
        let known_actions = model.actions.len() as u32;
        let first_ngram = row.sparse.partition_point(|&id| id < known_actions);
        let (actions, ngrams) = row.sparse.split_at(first_ngram);
        let dense = |index: usize| row.dense[index] * weights.dense[index];
        Self {
            bias: weights.bias,
            frequency: weights.sum(actions) + dense(ACTION_OOV),
            ngram: weights.sum(ngrams) + weights.sum(row.pairs) + dense(NGRAM_OOV),
            entropy: ENTROPY.map(dense).fold(0.0, |sum, part| sum + part),
            diversity: DIVERSITY.map(dense).fold(0.0, |sum, part| sum + part),
        }
    }

    /// The log odds that the parts add up to.
    #[must_use]
    pub fn log_odds(&self) -> f64 {
        self.bias + self.frequency + self.ngram + self.entropy + self.diversity
    }
}

/// As the sum that the log odds are.
impl fmt::Display for Contributions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "bias {:.3} + frequency {:.3} + n-gram {:.3} + entropy {:.3} + diversity {:.3}",
            self.bias, self.frequency, self.ngram, self.entropy, self.diversity
        )
    }
}

/// A score, taken apart.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
#[non_exhaustive]
pub struct Explanation {
    /// P(anomalous), 0..1.
    #[serde(skip)]
    pub score: f64,
    /// The natural logarithm of score / (1 − score).
    pub log_odds: f64,
    /// The parts that add up to the log odds.
    pub contributions: Contributions,
    /// What the model knows nothing of.
    pub unknown: Unknown,
    /// The known actions, n-grams and ordered pairs of the sequence, those that weigh most first.
    pub evidence: Vec<Evidence>,
}

/// How much of a sequence is unknown to the model, and what that adds to the log odds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
#[non_exhaustive]
pub struct Unknown {
    /// The actions that the model does not know, in order of first appearance.
    pub actions: Vec<String>,
    /// Share of the distinct actions that are unknown, 0..1.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub action_share: f64,
    /// Share of the distinct n-grams that are unknown, 0..1.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub ngram_share: f64,
    /// What both shares together add to the log odds.
    pub contribution: f64,
}

impl Unknown {
    /// Whether anything is unknown.
    fn is_something(&self) -> bool {
        self.action_share + self.ngram_share > 0.0
    }
}

/// A pattern with what it adds to the log odds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
#[non_exhaustive]
pub struct Evidence {
    /// The action, n-gram or ordered pair.
    #[serde(flatten)]
    pub pattern: Pattern,
    /// Where in the sequence its first action stands, counted from 1; once for each time that it occurs. Of an ordered pair, the
    /// first place of its first action and the last place of its second.
    #[cfg_attr(feature = "schema", schemars(inner(range(min = 1))))]
    pub positions: Vec<usize>,
    /// What it adds to the log odds; below 0 it speaks for a normal sequence.
    pub contribution: f64,
    /// In how many training samples it occurs.
    pub seen: ClassCounts,
}

impl Explanation {
    /// What is unknown, if anything is, and then each piece of evidence, in a sentence each.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let unknown = Some(&self.unknown).filter(|unknown| unknown.is_something());
        let evidence = self.evidence.iter().map(ToString::to_string);
        unknown.map(ToString::to_string).into_iter().chain(evidence).collect()
    }

    /// Where in the sequence of these actions stands what speaks for an anomaly, ascending, counted from 1.
    pub(crate) fn positions<'a>(&self, actions: impl Iterator<Item = &'a str>) -> Vec<usize> {
        let speaking = self.evidence.iter().filter(|evidence| evidence.contribution > 0.0);
        let known = speaking.flat_map(|evidence| {
            let pattern = &evidence.pattern;
            // Of a pair with a gap each place is named, of an n-gram the first.
            let length = if pattern.with_gap { 1 } else { pattern.actions.len() };
            evidence.positions.iter().flat_map(move |&first| first..first + length)
        });
        let is_unknown = |&(_, action): &(usize, &str)| self.unknown.actions.iter().any(|unknown| unknown == action);
        let unknown = (1..).zip(actions).filter(is_unknown).map(|(position, _)| position);
        let all: BTreeSet<usize> = known.chain(unknown).collect();
        all.into_iter().collect()
    }

    /// What speaks most for an anomaly, in a sentence. Looks at all the evidence that the explanation holds.
    #[must_use]
    pub fn main_reason(&self) -> String {
        let most = self.evidence.iter().find(|evidence| evidence.contribution > 0.0);
        match most {
            Some(evidence) if evidence.contribution >= self.unknown.contribution => evidence.to_string(),
            _ if self.unknown.contribution > 0.0 => self.unknown.to_string(),
            _ => "nothing in particular; its entropy, diversity and length together".to_owned(),
        }
    }
}

impl<M: Deref<Target = AnomalyModel>> Scorer<M> {
    /// What each analysis contributes to the log odds of a sequence.
    pub fn contributions<'a>(&mut self, actions: impl IntoIterator<Item = &'a str>) -> Contributions {
        let model = &*self.model;
        Contributions::of(model, self.encoding.row(model, actions))
    }

    /// Explains the score of a sequence, with at most `most` pieces of evidence.
    pub fn explain<'a>(&mut self, actions: impl IntoIterator<Item = &'a str>, most: usize) -> Explanation {
        let model = &*self.model;
        let row = self.encoding.row(model, actions);
        let contributions = Contributions::of(model, row);
        let log_odds = model.weights.log_odds(row);
        let (action_share, ngram_share) = (row.dense[ACTION_OOV], row.dense[NGRAM_OOV]);
        let pairs = row.pairs.to_vec();
        let mut evidence: Vec<Evidence> = occurrences(model, &self.encoding.sequence.numbers, &pairs)
            .into_iter()
            .map(|(id, positions)| {
                let (pattern, seen) = model.pattern(id);
                Evidence {
                    pattern,
                    positions,
                    contribution: model.weights.sparse[id as usize],
                    seen,
                }
            })
            .collect();
        // Features come in the order of their numbers, which settles ties.
        evidence.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()));
        evidence.truncate(most);
        Explanation {
            score: logistic(log_odds),
            log_odds,
            contributions,
            unknown: Unknown {
                actions: self.encoding.sequence.unknown.iter().cloned().collect(),
                action_share,
                ngram_share,
                contribution: action_share * model.weights.dense[ACTION_OOV]
                    + ngram_share * model.weights.dense[NGRAM_OOV],
            },
            evidence,
        }
    }
}

/// For each known action and n-gram of a sequence, given by numbers, where it begins, counted from 1; for each of its ordered
/// `pairs`, where its first action stands first and its second last.
fn occurrences(model: &AnomalyModel, numbers: &[u32], pairs: &[u32]) -> BTreeMap<u32, Vec<usize>> {
    let table = &model.table;
    let known_actions = model.actions.len() as u32;
    let symbols: Vec<u32> = std::iter::once(BOS)
        .chain(numbers.iter().map(|number| number + FIRST_ACTION))
        .chain([EOS])
        .collect();
    let mut occurrences: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (place, &first) in symbols
        .iter()
        .enumerate()
        .filter(|&(_, &first)| first < table.symbols())
    {
        if first >= FIRST_ACTION {
            occurrences.entry(first - FIRST_ACTION).or_default().push(place);
        }
        let mut node = first;
        for &symbol in symbols[place + 1..].iter().take(model.config.ngram_size.get() - 1) {
            let Some(longer) = table.child(node, symbol) else {
                break;
            };
            node = longer;
            let id = known_actions + table.number(node);
            // The marker stands before the first action, at place 0.
            occurrences.entry(id).or_default().push(place.max(1));
        }
    }
    for &id in pairs {
        let symbols = model.pair_table.symbols_of(id - model.first_pair() as u32);
        let places = |symbol: u32| &occurrences[&(symbol - FIRST_ACTION)];
        let ends = [places(symbols[0]).first(), places(symbols[1]).last()];
        let ends = ends.into_iter().flatten().copied().collect();
        occurrences.insert(id, ends);
    }
    occurrences
}

/// `raises the odds 14-fold`, for what is added to the log odds.
fn effect(contribution: f64) -> String {
    let direction = if contribution < 0.0 { "lowers" } else { "raises" };
    let factor = libm::exp(contribution.abs());
    if factor < 9.95 {
        format!("{direction} the odds {factor:.1}-fold")
    } else {
        format!("{direction} the odds {factor:.0}-fold")
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 3;
        let length = self.pattern.actions.len();
        let places = self.positions.iter().take(SHOWN).map(|&first| match length {
            2.. if !self.pattern.with_gap => format!("{first}..{}", first + length - 1),
            _ => first.to_string(),
        });
        let between = if self.pattern.with_gap { " ... " } else { ", " };
        let places = places.collect::<Vec<_>>().join(between);
        let more = self.positions.len().saturating_sub(SHOWN);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let ClassCounts { normal, anomalous } = self.seen;
        write!(
            f,
            "`{}` (seen in {normal} normal and {anomalous} anomalous sequences) at {places}{more} {}",
            self.pattern,
            effect(self.contribution)
        )
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} % of its actions and {} % of its n-grams are unknown, which {}",
            // Rounded down: 100 % is said only if it is so.
            (100.0 * self.action_share).floor(),
            (100.0 * self.ngram_share).floor(),
            effect(self.contribution)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::dataset::DatasetBuilder;
    use crate::data::label::Label;
    use crate::data::part::Part;
    use crate::data::synthetic::{Scenario, generate};
    use crate::model::config::TrainingConfig;
    use crate::train::trainer::train;

    #[test]
    fn the_parts_add_up_to_the_log_odds_and_the_evidence_to_its_analyses() {
        let data = generate(Scenario::Mixed, 1200, 1);
        let some = Part::new((0..data.rows() as u32).step_by(5).map(|row| (row, 1)));
        let model = train(&data, &some, &TrainingConfig::default()).unwrap();
        let mut scorer = model.scorer();
        for index in 0..data.rows() {
            let explanation = scorer.explain(data.sequence(index), usize::MAX);
            let parts = explanation.contributions;
            assert!((explanation.log_odds - parts.log_odds()).abs() < 1e-12);
            assert_eq!(explanation.log_odds, scorer.log_odds(data.sequence(index)));
            let evidence: f64 = explanation.evidence.iter().map(|e| e.contribution).sum();
            let listed = evidence + explanation.unknown.contribution;
            assert!((listed - parts.frequency - parts.ngram).abs() < 1e-12);
            // Single actions without a marker are the frequency analysis, but for the novelty of actions.
            let is_action = |pattern: &Pattern| pattern.actions.len() == 1 && !pattern.at_begin && !pattern.at_end;
            let actions = explanation.evidence.iter().filter(|e| is_action(&e.pattern));
            let actions: f64 = actions.map(|e| e.contribution).sum();
            let oov = explanation.unknown.action_share * model.weights.dense[ACTION_OOV];
            assert!((actions + oov - parts.frequency).abs() < 1e-12);
        }
    }

    #[test]
    fn positions_counts_and_unknown_actions_are_those_of_the_sequence() {
        let mut data = DatasetBuilder::new();
        data.push(["a", "b", "a", "b"], Label::Normal, None).unwrap();
        data.push(["b", "a"], Label::Anomalous, None).unwrap();
        data.push(["c"], Label::Anomalous, None).unwrap();
        let data = data.build();
        let model = train(&data, &data.all(), &TrainingConfig::default()).unwrap();
        let explanation = model.scorer().explain(["a", "x", "b", "a", "b", "\u{1b}"], 100);
        assert_eq!(explanation.unknown.actions, ["x", "\u{1b}"]);
        assert_eq!(explanation.unknown.action_share, 0.5);
        let find = |actions: &[&str], at_begin, at_end| {
            let wanted = |e: &&Evidence| {
                e.pattern.actions == actions && e.pattern.at_begin == at_begin && e.pattern.at_end == at_end
            };
            explanation.evidence.iter().find(wanted)
        };
        let seen = |normal, anomalous| ClassCounts { normal, anomalous };
        let a = find(&["a"], false, false).unwrap();
        assert_eq!((&a.positions[..], a.seen), (&[1, 4][..], seen(1, 1)));
        let ab = find(&["a", "b"], false, false).unwrap();
        assert_eq!((&ab.positions[..], ab.seen), (&[4][..], seen(1, 0)));
        let begin = find(&["a"], true, false).unwrap();
        assert_eq!((&begin.positions[..], begin.seen), (&[1][..], seen(1, 0)));
        assert!(find(&["b"], false, true).is_none());
        let sentence = ab.to_string();
        let expected = "`a -> b` (seen in 1 normal and 0 anomalous sequences) at 4..5 lowers the odds 1.";
        assert!(sentence.starts_with(expected), "{sentence}");
    }
}
