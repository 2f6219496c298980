//! Whether a new model is promoted: what the gate says of it, also beside the current one.

use super::store::{Store, StoreError, load_recorded};
use crate::evaluate::gate::{Champion, KeyMetrics, Reason, ReasonCode, Verdict};
use crate::evaluate::metrics::Metrics;
use crate::registry::history::Entry;
use crate::run::{Outcome, Run, Samples};
use crate::text::one_line;
use std::num::NonZeroUsize;

impl Store {
    /// The verdict of the gate of `run`, also by comparison with the current model of the same kind if that is wanted, and that model.
    ///
    /// # Errors
    ///
    /// If the system fails to read the current model. That it is no model any more is a reason against promotion.
    pub fn decide(
        &self,
        run: &Run,
        samples: &Samples,
        outcome: &Outcome,
        compares: bool,
        threads: NonZeroUsize,
    ) -> Result<(Verdict, Option<Champion>), StoreError> {
        let (mut champion, mut unreadable) = (None, None);
        let current = self.history().current_of(run.training.kind());
        if let Some(current) = current.filter(|_| compares) {
            match self.champion(current, run, samples, outcome, threads)? {
                Ok(judged) => champion = Some(judged),
                Err(problem) => unreadable = Some(problem),
            }
        }
        let mut verdict = run.judge(&outcome.evaluation.metrics, champion.as_ref());
        if let Some(problem) = unreadable {
            verdict = verdict.with_reason(Reason::new(
                ReasonCode::Champion,
                format!(
                    "the promoted model cannot be compared with: {problem} (--no-champion promotes without comparing)"
                ),
            ));
        }
        Ok((verdict, champion))
    }

    /// Sets the new model of `outcome` beside the current one, on samples that are new to both, or says why the current one is no model
    /// any more. That the system fails to read it is another matter: then nothing can be judged.
    fn champion(
        &self,
        current: &Entry,
        run: &Run,
        samples: &Samples,
        outcome: &Outcome,
        threads: NonZeroUsize,
    ) -> Result<Result<Champion, String>, StoreError> {
        let gone = !self.root.join(current.model.to_string()).exists();
        let artifact = match load_recorded(&self.root, current) {
            Ok(artifact) => artifact,
            Err(error @ StoreError::Io { .. }) if !gone => return Err(error),
            Err(error) => return Ok(Err(one_line(&error.to_string()))),
        };
        let beside = run.compare(outcome, &artifact.model, samples, threads);
        let kind = artifact.model.kind();
        let threshold = artifact.model.threshold();
        let metrics = Metrics::compute(
            &beside.champion,
            samples.data().unit(),
            threshold,
            run.ece_bins_of(kind),
        );
        Ok(Ok(Champion {
            model: current.model.to_string(),
            digest: current.digest.clone(),
            overlap: beside.overlap,
            figures: KeyMetrics::from(&metrics),
            comparison: beside.comparison(kind),
        }))
    }
}
