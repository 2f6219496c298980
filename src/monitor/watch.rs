//! The trained model as one of the rules.

use super::names::Names;
use crate::bounds::Share;
use crate::explanation::Explanation;
use crate::features::Encoder;
use crate::model::AnomalyModel;
use crate::optimizer::logistic;
use std::sync::Arc;

/// A model that scores sessions.
#[derive(Debug)]
pub(crate) struct Watch {
    model: Arc<AnomalyModel>,
    pub(crate) threshold: Share,
    /// Most pieces of evidence in an explanation.
    pub(crate) evidence: usize,
    encoder: Encoder,
    /// For each name of an action, the number that the model knows it by, or one of its own above those.
    numbers: Vec<u32>,
}

impl Watch {
    pub(crate) fn new(model: Arc<AnomalyModel>, threshold: Option<Share>, evidence: usize, names: &Names) -> Self {
        let mut watch = Self {
            threshold: threshold.unwrap_or(model.threshold()),
            model,
            evidence,
            encoder: Encoder::default(),
            numbers: Vec::new(),
        };
        (0..names.numbers()).for_each(|id| watch.learn(id, names.text(id)));
        watch
    }

    /// Notes that the name with number `id` is now `text`.
    pub(crate) fn learn(&mut self, id: u32, text: &str) {
        let number = self.model.names.get(text);
        let number = number.unwrap_or(self.model.actions.len() as u32 + id);
        match self.numbers.get_mut(id as usize) {
            Some(old) => *old = number,
            None => self.numbers.push(number),
        }
    }

    /// P(anomalous) of the actions with these numbers, to the last bit what [`AnomalyModel::predict`] says.
    pub(crate) fn score(&mut self, actions: impl Iterator<Item = u32>) -> f64 {
        let row = self.encoder.encode(
            &self.model.table,
            self.model.config.ngram_size.get(),
            &self.model.ranges,
            actions.map(|action| self.numbers[action as usize]),
        );
        logistic(self.model.weights.log_odds(row))
    }

    pub(crate) fn explain<'a>(&self, actions: impl Iterator<Item = &'a str>) -> Explanation {
        self.model.scorer().explain(actions, usize::MAX)
    }
}
