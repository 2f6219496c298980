//! The threshold and the base rate of a command that uses a model, and what is said of them.

use super::failure::Failure;
use anomaly_train::metrics::Spread;
use anomaly_train::{
    AnomalyModel, Artifact, Chosen, ClassCounts, Model, ModelKind, OpenUnitInterval, Resolved, Threshold, Wish,
};
use clap::Args;
use log::{info, warn};

#[derive(Debug, Args)]
pub(crate) struct ThresholdArgs {
    /// Score from which a sequence is labelled anomalous, or what it is chosen for, on what was left out of training: f1, recall=R,
    /// precision=R, false-alarms=R [default: the model's]
    #[arg(long, value_name = "T")]
    anomaly_threshold: Option<Threshold>,

    /// Share of anomalous sequences where the model is used, if that is not what it was in training: corrects all scores
    #[arg(long, value_name = "R")]
    base_rate: Option<OpenUnitInterval>,
}

impl ThresholdArgs {
    /// Refuses what cannot be asked of so many models at once.
    pub(crate) fn check_for(&self, models: usize) -> Result<(), Failure> {
        let means_the_same = |asked| matches!(asked, Threshold::Wish(Wish::FalseAlarms(_)));
        if models > 1 && self.anomaly_threshold.is_some_and(|asked| !means_the_same(asked)) {
            return Err(Failure::Usage(
                "--anomaly-threshold: the scores of two models mean different things, so only false-alarms=R can be asked of both"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    /// What was asked of the model of `artifact`: the model at its base rate, with its threshold. Says what that means.
    pub(crate) fn apply(&self, artifact: &Artifact) -> Result<Model, Failure> {
        match &artifact.model {
            Model::Labelled(model) => self.apply_to_labelled(artifact, model.clone()).map(Model::from),
            Model::NormalOnly(_) if self.base_rate.is_some() => Err(Failure::refused(
                "the scores of a normal-only model are no probabilities of an anomaly, so there is no --base-rate to correct them for",
            )),
            model => {
                let Some(asked) = self.anomaly_threshold else {
                    return Ok(model.clone());
                };
                let resolved = artifact.threshold(asked, None).map_err(Failure::refused)?;
                Ok(model.clone().with_threshold(resolved.threshold))
            }
        }
    }

    fn apply_to_labelled(&self, artifact: &Artifact, mut model: AnomalyModel) -> Result<AnomalyModel, Failure> {
        let (trained, as_trained) = (model.training_samples(), model.clone());
        if let Some(base_rate) = self.base_rate {
            model = model.at_base_rate(base_rate).ok_or_else(|| {
                Failure::refused(
                    "the model was trained on one class alone, so it knows no base rate that --base-rate could correct",
                )
            })?;
        }
        // A threshold that was chosen for something goes on doing it at another base rate.
        let wished = artifact
            .run
            .threshold_for
            .filter(|_| self.base_rate.is_some() && artifact.origin.is_none());
        if let Some(asked) = self.anomaly_threshold.or(wished.map(Threshold::Wish)) {
            let Resolved { threshold, chosen, .. } =
                artifact.threshold(asked, self.base_rate).map_err(Failure::refused)?;
            if let Some(chosen) = chosen {
                info!("threshold {}", described(&chosen));
            }
            model = model.with_threshold(threshold);
        }
        if let Some(base_rate) = self.base_rate {
            let share = trained.anomalous as f64 / trained.total() as f64;
            let threshold = model.threshold();
            let shift = as_trained.log_odds_shift(base_rate).unwrap_or(0.0);
            let log_odds = (threshold.get() / (1.0 - threshold.get())).ln() - shift;
            info!(
                "scores are for a base rate of {base_rate}; it was {share:.4} in training, so the threshold {} says anomalous from an \
                 uncorrected score of {:.4} on",
                brief(threshold.get()),
                1.0 / (1.0 + (-log_odds).exp())
            );
        }
        Ok(model)
    }
}

/// Odds of an anomaly in training, as a multiple of those here, from which on scores mislead.
const MUCH_RARER: f64 = 3.0;

impl ThresholdArgs {
    /// Warns if anomalies are far rarer among `samples` than scores take them to be.
    pub(crate) fn warn_of_rate(&self, model: &Model, samples: ClassCounts) {
        if model.kind() == ModelKind::NormalOnly {
            return;
        }
        let trained = model.training_samples();
        let odds = |counts: ClassCounts| counts.anomalous as f64 / counts.normal as f64;
        let assumed = self
            .base_rate
            .map_or_else(|| odds(trained), |rate| rate.get() / (1.0 - rate.get()));
        if samples.anomalous > 0 && assumed >= MUCH_RARER * odds(samples) {
            let share = samples.anomalous as f64 / samples.total() as f64;
            warn!(
                "{:.2} % of these samples are anomalous, and the scores are for {:.2} %, so they are too high here; --base-rate {share:.2e} \
                 corrects them",
                100.0 * share,
                100.0 * assumed / (1.0 + assumed)
            );
        }
    }
}

/// A threshold with four digits, unless these would hide it.
fn brief(threshold: f64) -> String {
    let short = format!("{threshold:.4}");
    if short.starts_with("0.000") || short.starts_with('1') {
        format!("{threshold:.3e}")
    } else {
        short
    }
}

/// What a threshold was chosen for, and what it does on groups that it was not chosen on.
pub(crate) fn described(chosen: &Chosen) -> String {
    let Chosen {
        wish,
        threshold,
        false_alarms,
        recall,
        precision,
    } = chosen;
    let shown = |share: Option<f64>| share.map_or_else(|| "undefined".to_owned(), |share| format!("{share:.4}"));
    let of = |spread: &Option<Spread>, figure: fn(&Spread) -> f64| shown(spread.as_ref().map(figure));
    let mut text = format!("{} for {wish}", brief(threshold.get()));
    if let Some(spread) = false_alarms {
        text += &format!(
            "; on {} parts of the samples left out of the choice: false alarms {} on average, at most {} in nine of ten and {} in the worst",
            spread.groups,
            shown(Some(spread.mean)),
            shown(Some(spread.ninetieth)),
            shown(Some(spread.most)),
        );
    }
    if recall.is_some() || precision.is_some() {
        text += &format!(
            "; recall {} on average, {} in the worst; precision {}",
            of(recall, |spread| spread.mean),
            of(recall, |spread| spread.least),
            shown(*precision),
        );
    }
    text
}
