//! The normality rule: a normal-only model that looks at the current session of each agent.
//!
//! A session that goes on has no end yet, and what it is without may still come. So it is judged by what is there alone, which makes
//! it no more surprising than the model will find it in the end: whatever share of whole sessions the model promises to report at
//! most, it reports no more of them on their way.

use crate::bounds::OpenUnitInterval;
use crate::model::normal::{Extent, Judge, NormalModel};
use crate::monitor::alert::{AlertEvidence, Finding, Kind};
use crate::monitor::names::Names;
use crate::monitor::session::Session;
use crate::monitor::vocabulary::Vocabulary;
use std::sync::Arc;

/// A normal-only model that judges sessions.
#[derive(Debug)]
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

/// Whether a session, of which at most `window` actions are kept, is more surprising than the model lets pass. The evidence is all
/// there is.
pub(crate) fn check(rule: &mut NormalityRule, session: &Session, window: usize, names: &Names) -> Option<Finding> {
    let extent = Extent::Open {
        from_begin: session.actions.len() < window,
    };
    let numbers = &rule.vocabulary.numbers;
    rule.actions.clear();
    rule.actions
        .extend(session.actions.iter().map(|&action| numbers[action as usize]));
    let surprise = rule.judge.surprise(rule.model.normality(), &rule.actions, extent);
    let score = rule.model.score_of(&surprise).get();
    (score >= rule.threshold.get()).then(|| {
        let actions = session.actions.iter().map(|&action| names.text(action));
        let explanation = rule.model.scorer().explain_as(actions, extent, usize::MAX);
        Finding {
            kind: Kind::Model,
            score,
            threshold: rule.threshold.get(),
            evidence: AlertEvidence::normality(session.actions.len(), explanation),
        }
    })
}
