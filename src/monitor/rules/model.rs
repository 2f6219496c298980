//! The model rule: a trained model that scores the current session of an agent.

use super::Finding;
use crate::bounds::Share;
use crate::model::{AnomalyModel, Scorer};
use crate::monitor::alert::{Evidence, Kind};
use crate::monitor::names::Names;
use std::sync::Arc;

/// A model that scores sessions.
#[derive(Debug)]
pub(crate) struct ModelRule {
    scorer: Scorer<Arc<AnomalyModel>>,
    threshold: Share,
    /// Most pieces of evidence in an explanation.
    pub(crate) evidence: usize,
    /// For each name of an action, the number that the model knows it by, or one of its own above those.
    numbers: Vec<u32>,
}

impl ModelRule {
    pub(crate) fn new(model: Arc<AnomalyModel>, threshold: Option<Share>, evidence: usize, names: &Names) -> Self {
        let mut rule = Self {
            threshold: threshold.unwrap_or(model.threshold()),
            scorer: Scorer::new(model),
            evidence,
            numbers: Vec::new(),
        };
        (0..names.numbers()).for_each(|id| rule.learn(id, names.text(id)));
        rule
    }

    /// Whether the model knows an action of this name.
    pub(crate) fn knows(&self, text: &str) -> bool {
        self.scorer.model.action_number(text).is_some()
    }

    /// Notes that the name with number `id` is now `text`.
    pub(crate) fn learn(&mut self, id: u32, text: &str) {
        let model = &self.scorer.model;
        let number = model.action_number(text);
        let number = number.unwrap_or(model.action_count() as u32 + id);
        match self.numbers.get_mut(id as usize) {
            Some(old) => *old = number,
            None => self.numbers.push(number),
        }
    }
}

/// Whether the actions of a session, oldest first, are anomalous. The evidence is all there is.
pub(crate) fn check(
    rule: &mut ModelRule,
    actions: impl ExactSizeIterator<Item = u32> + Clone,
    names: &Names,
) -> Option<Finding> {
    let ModelRule { scorer, numbers, .. } = rule;
    let score = scorer
        .predict_numbers(actions.clone().map(|action| numbers[action as usize]))?
        .score;
    (score >= rule.threshold.get()).then(|| {
        let length = actions.len();
        let explanation = rule
            .scorer
            .explain(actions.map(|action| names.text(action)), usize::MAX);
        Finding {
            kind: Kind::Model,
            score,
            threshold: rule.threshold.get(),
            evidence: Evidence::model(length, explanation),
        }
    })
}
