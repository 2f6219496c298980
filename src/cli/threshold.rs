//! The threshold and the base rate of a command that uses a model, and what is said of them.

use super::failure::Failure;
use anomaly_train::metrics::Spread;
use anomaly_train::{
    AnomalyModel, Artifact, Budget, Caution, Chosen, ClassCounts, FEW_GROUPS, Model, ModelKind, OpenUnitInterval,
    Resolved, Threshold, WINDOW, WindowSize, Wish,
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
        let resolve = |asked| {
            let Resolved { threshold, chosen, .. } =
                artifact.threshold(asked, self.base_rate).map_err(Failure::refused)?;
            if let Some(chosen) = chosen {
                info!("threshold {}", described(&chosen));
            }
            Ok(threshold)
        };
        self.apply_with(artifact, resolve)
    }

    /// The same for a monitor, which asks about a session after each of its actions: there, a share of false alarms is one of the sessions that
    /// ever alarm.
    pub(crate) fn apply_to_sessions(
        &self,
        artifact: &Artifact,
        caution: Caution,
        window: WindowSize,
    ) -> Result<Model, Failure> {
        let wished = match self.anomaly_threshold {
            None => artifact.run.threshold_for,
            Some(Threshold::Wish(wish)) => Some(wish),
            Some(Threshold::Fixed(_)) => None,
        };
        let is_labelled = artifact.model.kind() == ModelKind::Labelled;
        let resolve = |asked| {
            let Threshold::Wish(Wish::FalseAlarms(share)) = asked else {
                return artifact
                    .threshold(asked, self.base_rate)
                    .map(|resolved| resolved.threshold)
                    .map_err(Failure::refused);
            };
            let budget = artifact
                .budget(share, caution, self.base_rate)
                .map_err(|error| Failure::refused(format_args!("false-alarms={share} of the sessions: {error}")))?;
            tell_of_budget(&budget, artifact.run.group_by.is_some(), window);
            Ok(budget.threshold)
        };
        if let Some(wish) = wished.filter(|_| is_labelled)
            && (self.anomaly_threshold.is_none() || !matches!(wish, Wish::FalseAlarms(_)))
        {
            warn!(
                "the threshold for {wish} is that for whole sequences, each asked about once; a monitor asks after every action, and alarms in more of them: \
                 --anomaly-threshold false-alarms=R sets one for sessions on their way"
            );
        }
        self.apply_with(artifact, resolve)
    }

    fn apply_with(
        &self,
        artifact: &Artifact,
        resolve: impl Fn(Threshold) -> Result<OpenUnitInterval, Failure>,
    ) -> Result<Model, Failure> {
        match &artifact.model {
            Model::Labelled(model) => self
                .apply_to_labelled(artifact, model.clone(), resolve)
                .map(Model::from),
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

    fn apply_to_labelled(
        &self,
        artifact: &Artifact,
        mut model: AnomalyModel,
        resolve: impl Fn(Threshold) -> Result<OpenUnitInterval, Failure>,
    ) -> Result<AnomalyModel, Failure> {
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
            model = model.with_threshold(resolve(asked)?);
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

/// A threshold as it was given if that is short, else with four digits.
pub(crate) fn as_given(threshold: f64) -> String {
    let whole = threshold.to_string();
    if whole.len() <= 6 { whole } else { brief(threshold) }
}

/// Says what a threshold for sessions does, and what it cannot be relied on for.
fn tell_of_budget(budget: &Budget, grouped: bool, window: WindowSize) {
    let Budget {
        threshold,
        groups,
        false_alarms,
        by_group: (least, most),
        found,
        delay,
        ..
    } = budget;
    let found = match (found, delay) {
        (Some(found), Some(delay)) => format!(
            "; {:.1} % of the anomalous ones are found, half of these within {delay} actions",
            100.0 * found
        ),
        (Some(_), None) => "; no anomalous one is found".to_owned(),
        (None, _) => String::new(),
    };
    // Without groups each session or sequence stands for itself, whatever it is called.
    let by = if grouped {
        format!(
            "by group, {:.1} to {:.1} % of those of one of {groups} groups",
            100.0 * least,
            100.0 * most
        )
    } else {
        "one by one".to_owned()
    };
    info!(
        "threshold {}: of the normal sessions that were left out of training {:.1} % ever alarm ({by}){found}",
        brief(threshold.get()),
        100.0 * false_alarms,
    );
    if !grouped {
        warn!(
            "the sessions were not left out by group, so this holds for sessions like those of training; on new tasks up to eight times as many were \
             seen to alarm: train with --group-by FIELD"
        );
    } else if *groups < FEW_GROUPS {
        warn!(
            "{groups} groups say little about others: on a new one the share of false alarms may be several times as high"
        );
    }
    if window != WINDOW {
        warn!("the figures are for the latest {WINDOW} actions of a session, and --window is {window}");
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
