//! The model rule: a trained model that scores the current session of an agent.
//!
//! What is needed after most events is only that the score is below the threshold, and for that an estimate does whose n-grams
//! are looked up once, when their last action comes. It differs from the score by no more than rounding; what might reach the
//! threshold is scored exactly. Scoring every event exactly takes 1.6 times the processor time on sessions of AI agents, and
//! 2.3 times on windows that are always full.

use crate::bounds::OpenUnitInterval;
use crate::data::fingerprint;
use crate::model::AnomalyModel;
use crate::model::features::{ShapeCounter, discount_shape, ordered_pairs, share};
use crate::model::ngrams::{BOS, EOS, FIRST_ACTION, Node, UNKNOWN};
use crate::model::weights::logistic;
use crate::monitor::alert::{AlertEvidence, Finding, Kind};
use crate::monitor::names::Names;
use crate::monitor::session::{Knowledge, Session};
use crate::monitor::stamps::Stamps;
use crate::monitor::vocabulary::Vocabulary;
use std::sync::Arc;

/// By how much an estimate may differ from a score. It differs by far less.
pub(crate) const MARGIN: f64 = 1e-9;

/// A model that scores sessions.
#[derive(Debug, Clone)]
pub(crate) struct ModelRule {
    pub(crate) model: Arc<AnomalyModel>,
    pub(crate) threshold: OpenUnitInterval,
    /// Most pieces of evidence in an explanation.
    pub(crate) evidence: usize,
    pub(crate) vocabulary: Vocabulary,
    /// Tells this model from those before it; 0 is that of no model.
    generation: u32,
    stamps: Stamps,
    shapes: ShapeCounter,
    symbols: Vec<u32>,
}

impl ModelRule {
    pub(crate) fn new(model: Arc<AnomalyModel>, evidence: usize, names: &Names, generation: u32) -> Self {
        Self {
            threshold: model.threshold(),
            stamps: Stamps::new(model.weights.sparse.len()),
            vocabulary: Vocabulary::new(&model.names, names),
            model,
            evidence,
            generation,
            shapes: ShapeCounter::default(),
            symbols: Vec::new(),
        }
    }

    /// The log odds of the session, but for rounding.
    fn estimate(&mut self, session: &mut Session) -> f64 {
        let model = &*self.model;
        let knowledge = Knowledge {
            table: &model.table,
            n: model.config.ngram_size.get(),
            numbers: &self.vocabulary.numbers,
            model: self.generation,
        };
        session.look_up(knowledge);
        self.symbols.clear();
        let symbols = session.actions().map(|action| knowledge.symbol(action));
        self.symbols.extend(symbols);
        let (symbols, length, n) = (&self.symbols[..], session.steps.len(), knowledge.n);

        let weights = &model.weights;
        let known_actions = model.actions.len() as u32;
        let stamps = &mut self.stamps;
        stamps.start();
        let mut sum = weights.bias;
        let mut add = |node: Node, hash: &dyn Fn() -> u64| {
            if node == UNKNOWN {
                stamps.unknown(hash());
            } else {
                let id = (known_actions + model.table.number(node)) as usize;
                if stamps.known(id) {
                    sum += weights.sparse[id];
                }
            }
        };
        for start in 0..length {
            for long in 2..=n.min(length - start) {
                let run = || hash(symbols[start..start + long].iter().copied());
                add(session.node(start, long, knowledge), &run);
            }
        }
        if let ([first, ..], [.., last]) = (symbols, symbols)
            && n > 1
        {
            add(knowledge.child(BOS, *first), &|| hash([BOS, *first].into_iter()));
            let last_node = session.node(length - 1, 1, knowledge);
            add(knowledge.child(last_node, EOS), &|| hash([*last, EOS].into_iter()));
        }

        let (seen, shape) = self.shapes.count(symbols);
        let mut known = 0;
        for seen in seen.iter().filter(|seen| seen.action < known_actions) {
            sum += weights.sparse[seen.action as usize];
            known += 1;
        }
        let (pairs, first_pair) = (&model.pair_table, model.first_pair());
        if pairs.len() > 0 {
            ordered_pairs(seen, |a, b| {
                if a < known_actions
                    && let Some(pair) = pairs.child(a + FIRST_ACTION, b + FIRST_ACTION)
                {
                    sum += weights.sparse[first_pair + pairs.number(pair) as usize];
                }
            });
        }
        let (known_ngrams, unknown_ngrams) = stamps.ngrams();
        let mut dense = shape.figures(
            share(seen.len() - known, seen.len()),
            share(unknown_ngrams, unknown_ngrams + known_ngrams),
        );
        for (value, &(low, high)) in dense.iter_mut().zip(&model.ranges) {
            *value = value.clamp(low, high);
        }
        discount_shape(&mut dense);
        let dense: f64 = dense.iter().zip(&weights.dense).map(|(x, w)| x * w).sum();
        sum + dense
    }
}

/// A number for a run of symbols. Two different ones share it with probability 2^-64.
fn hash(symbols: impl Iterator<Item = u32>) -> u64 {
    fingerprint::of_sequence(symbols.map(|symbol| u64::from(symbol) + 1))
}

/// The score of a session, but for rounding.
pub(crate) fn estimate(rule: &mut ModelRule, session: &mut Session) -> f64 {
    logistic(rule.estimate(session))
}

/// What the model finds in the actions of a session, if they are anomalous. The evidence is all there is.
pub(crate) fn explain(rule: &ModelRule, session: &Session, names: &Names) -> Option<Finding> {
    let threshold = rule.threshold.get();
    let actions = session.actions().map(|action| names.text(action));
    let explanation = rule.model.scorer().explain(actions, usize::MAX);
    let score = explanation.score;
    (score >= threshold).then(|| Finding {
        kind: Kind::Model,
        score,
        threshold,
        evidence: AlertEvidence::model(session.steps.len(), explanation),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounds::NgramSize;
    use crate::data::part::Part;
    use crate::data::synthetic::{Scenario, generate};
    use crate::input::events::Time;
    use crate::model::config::TrainingConfig;
    use crate::train::trainer::train;

    #[test]
    fn the_estimate_is_the_score_of_the_window_for_every_n_and_length() {
        let data = generate(Scenario::Mixed, 600, 3);
        let other = Arc::new(
            train(
                &data,
                &Part::new((0..50).map(|row| (row, 1))),
                &TrainingConfig::default(),
            )
            .unwrap(),
        );
        for n in 1..=8 {
            let config = TrainingConfig {
                ngram_size: NgramSize::try_from(n).unwrap(),
                ..TrainingConfig::default()
            };
            let model = Arc::new(train(&data, &Part::new((0..200).map(|row| (row, 1))), &config).unwrap());
            let mut names = Names::new(1000);
            let mut rule = ModelRule::new(Arc::clone(&model), 1, &names, 1);
            for window in [1, 2, 3, 7, 40] {
                let mut session = Session::default();
                for index in 200..300 {
                    for action in data.sequence(index).chain(["new", "newer"].into_iter().take(index % 3)) {
                        let (id, new) = names.acquire(action, || false);
                        if new {
                            rule.vocabulary.learn(&model.names, id, action);
                        }
                        session.add(id, "", Time::default(), window, &mut names);
                        if index % 10 == 0 {
                            let exact = model.scorer().log_odds(session.actions().map(|id| names.text(id)));
                            let estimate = rule.estimate(&mut session);
                            assert!((estimate - exact).abs() < 1e-11, "{n} {window} {estimate} {exact}");
                            // Another model takes over, and this one again.
                            let mut next = ModelRule::new(Arc::clone(&other), 1, &names, 2);
                            let exact = other.scorer().log_odds(session.actions().map(|id| names.text(id)));
                            assert!((next.estimate(&mut session) - exact).abs() < 1e-11);
                        }
                    }
                }
            }
        }
    }
}
