//! The normality rule: a normal-only model that looks at the current session of each agent.
//!
//! A session that goes on has no end yet, and what it is without may still come. So it is judged by what is there alone, which makes
//! it no more surprising than the model will find it in the end: whatever share of whole sessions the model promises to report at
//! most, it reports no more of them on their way.

use crate::bounds::OpenUnitInterval;
use crate::model::normal::{Extent, Judge, NormalModel};
use crate::monitor::alert::{AlertEvidence, Finding, Kind, Severity};
use crate::monitor::names::Names;
use crate::monitor::session::Session;
use crate::monitor::vocabulary::Vocabulary;
use std::sync::Arc;

/// A normal-only model that judges sessions.
#[derive(Debug, Clone)]
pub(crate) struct NormalityRule {
    pub(crate) model: Arc<NormalModel>,
    pub(crate) threshold: OpenUnitInterval,
    /// Most pieces of evidence in an explanation.
    pub(crate) evidence: usize,
    pub(crate) vocabulary: Vocabulary,
    judge: Judge,
    actions: Vec<u32>,
}

impl NormalityRule {
    pub(crate) fn new(model: Arc<NormalModel>, evidence: usize, names: &Names) -> Self {
        Self {
            threshold: model.threshold(),
            vocabulary: Vocabulary::new(&model.names, names),
            model,
            evidence,
            judge: Judge::default(),
            actions: Vec::new(),
        }
    }
}

impl NormalityRule {
    /// How bad a score is that is reported.
    pub(crate) fn severity(&self, score: f64) -> Severity {
        Severity::of_rarity(1.0 - score, 1.0 - self.threshold.get())
    }
}

fn extent(session: &Session, window: usize) -> Extent {
    Extent::Open {
        from_begin: session.steps.len() < window,
    }
}

/// How surprising a session is, of which at most `window` actions are kept.
pub(crate) fn score(rule: &mut NormalityRule, session: &Session, window: usize) -> f64 {
    let numbers = &rule.vocabulary.numbers;
    rule.actions.clear();
    rule.actions
        .extend(session.actions().map(|action| numbers[action as usize]));
    let extent = extent(session, window);
    let surprise = rule.judge.surprise(rule.model.normality(), &rule.actions, extent);
    rule.model.score_of(&surprise).get()
}

/// What the model finds surprising in a session. The evidence is all there is.
pub(crate) fn explain(rule: &NormalityRule, session: &Session, window: usize, names: &Names) -> Finding {
    let actions = session.actions().map(|action| names.text(action));
    let explanation = rule
        .model
        .scorer()
        .explain_as(actions, extent(session, window), usize::MAX);
    Finding {
        kind: Kind::Model,
        score: explanation.score,
        threshold: rule.threshold.get(),
        evidence: AlertEvidence::normality(session.steps.len(), explanation),
    }
}
