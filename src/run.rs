//! A training run as a value: everything that can change its result, and the one way to carry it out.

use crate::bounds::UnitInterval;
use crate::bounds::{Bins, FoldCount, OpenUnitInterval, SampleCount};
use crate::data::dataset::{AnomalousSamples, Dataset, DatasetBuilder, SampleError, hex};
use crate::data::label::{ClassCounts, Label};
use crate::data::part::Part;
use crate::data::profile::Conflicts;
use crate::data::scored::Scored;
use crate::data::split::{Parts, SplitError, SplitStrategy, split};
use crate::data::synthetic::{self, Scenario};
use crate::data::unit::Unit;
use crate::evaluate::evaluation::{DEFAULT_ECE_BINS, Evaluation, EvaluationOptions, ece_bins_of, evaluate};
use crate::evaluate::gate::{Champion, Gate, Judged, MIN_SAMPLES, Verdict};
use crate::evaluate::metrics::{Comparison, Metrics, loss};
use crate::evaluate::session_scores::SessionScores;
use crate::evaluate::threshold::{Chosen, LeftOutScores, Wish, WishError};
use crate::input::logs::Mapping;
use crate::model::config::TrainingConfig;
use crate::model::kind::{Model, ModelKind};
use crate::model::normal::config::NormalConfig;
use crate::parallel::both;
use crate::train::cross_validation::{OutOfFold, assign, out_of_fold};
use crate::train::normal::train_normal;
use crate::train::trainer::{Epoch, TrainError, train_on};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Synthetic samples that are drawn unless another number is asked for.
pub const DEFAULT_SYNTHETIC: SampleCount = SampleCount::literal(10_000);
/// Share of the samples that train unless another one is asked for.
pub const DEFAULT_TRAIN_RATIO: OpenUnitInterval = OpenUnitInterval::literal(0.8);

/// Everything that can change the result of a training run, but for the samples that are read.
///
/// | field | default |
/// |---|---|
/// | `source` | 10,000 synthetic samples, [`Scenario::Documented`] |
/// | `reading` | each line is one sample |
/// | `group_by` | samples have no groups |
/// | `validation` | a stratified split, 0.8 of the samples train |
/// | `training` | with labels, [`TrainingConfig::default`] |
/// | `ece_bins` | 10 |
/// | `threshold_for` | the threshold of `training` |
/// | `gate` | [`Gate::default`] |
///
/// ```
/// use anomaly_train::{Run, Source, synthetic::Scenario};
///
/// let run = Run { source: Source::Synthetic { scenario: Scenario::Documented, num_samples: 1000.try_into()? }, ..Run::default() };
/// let samples = run.samples(2.try_into()?, |_, _| Ok::<_, anomaly_train::RunError>(()))?;
/// let outcome = run.carry_out(&samples, 2.try_into()?, |_| ())?;
/// assert!(run.judge(&outcome.evaluation.metrics, None).promoted);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Where the samples come from.
    pub source: Source,
    /// How files are read.
    pub reading: Reading,
    /// Field that names the group of a sample: what belongs together, such as a task or a host. Groups steer the split, what
    /// counts as novel in training, and calibration.
    pub group_by: Option<String>,
    /// How the validation part is chosen.
    pub validation: Validation,
    /// What the model learns from, and how.
    pub training: Training,
    /// Number of bins of the calibration error.
    pub ece_bins: Bins,
    /// What the threshold is chosen for; `None` for that of `training`. A normal-only model has none but the promise that its threshold is.
    pub threshold_for: Option<Wish>,
    /// What the model must reach to be promoted.
    pub gate: Gate,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            source: Source::Synthetic {
                scenario: Scenario::default(),
                num_samples: DEFAULT_SYNTHETIC,
            },
            reading: Reading::default(),
            group_by: None,
            validation: Validation::Split {
                strategy: SplitStrategy::default(),
                train_ratio: DEFAULT_TRAIN_RATIO,
            },
            training: Training::default(),
            ece_bins: DEFAULT_ECE_BINS,
            threshold_for: None,
            gate: Gate::default(),
        }
    }
}

/// What a model learns from, and how.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Training {
    /// From normal and anomalous samples.
    Labelled(TrainingConfig),
    /// From normal samples alone.
    NormalOnly(NormalConfig),
}

impl Default for Training {
    fn default() -> Self {
        Self::Labelled(TrainingConfig::default())
    }
}

impl Training {
    /// Which kind of model it leads to.
    #[must_use]
    pub fn kind(&self) -> ModelKind {
        match self {
            Self::Labelled(_) => ModelKind::Labelled,
            Self::NormalOnly(_) => ModelKind::NormalOnly,
        }
    }

    /// Where all randomness comes from.
    #[must_use]
    pub fn seed(&self) -> u64 {
        match self {
            Self::Labelled(config) => config.seed,
            Self::NormalOnly(config) => config.seed,
        }
    }
}

impl From<&Model> for Training {
    fn from(model: &Model) -> Self {
        match model {
            Model::Labelled(model) => Self::Labelled(*model.config()),
            Model::NormalOnly(model) => Self::NormalOnly(*model.config()),
        }
    }
}

/// Where the samples came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Source {
    /// Drawn from the seed.
    Synthetic {
        /// Which kind.
        scenario: Scenario,
        /// How many.
        num_samples: SampleCount,
    },
    /// Given to the library by its caller, who knows where they came from.
    Given,
    /// Read from files: samples, or logs, which are made into sessions.
    Files {
        /// Most samples that were used; `None` for all.
        num_samples: Option<SampleCount>,
    },
}

/// How files are read. Files that are read in different ways may hold the same samples, and then give the same model.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// Field that says how many samples a line stands for; `None` for one.
    pub count_field: Option<String>,
    /// Whether anomalous samples are left out where a model learns from normal ones alone; else they are refused.
    pub drop_anomalous: bool,
    /// How events are found in logs, and what is made of the names of actions.
    pub mapping: Mapping,
    /// The share of lines or records that may be refused, and are left out then; `None` for none.
    pub skip_bad_lines: Option<UnitInterval>,
}

/// How the validation part was chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Validation {
    /// Part of the samples.
    Split {
        /// How the samples were divided.
        strategy: SplitStrategy,
        /// Share of the training part.
        train_ratio: OpenUnitInterval,
    },
    /// There was none.
    None,
    /// Samples of their own, from another file.
    Separate,
    /// All samples, each by a model that was trained without its fold, so that it has not seen its group or, without groups, its
    /// sequence. The model that is kept is trained on all of them.
    Folds {
        /// How many folds there are.
        count: FoldCount,
    },
}

/// What the samples of a run were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DataSummary {
    /// SHA-256 of all samples, see [`Dataset::digest`](crate::Dataset::digest).
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = "^[0-9a-f]{64}$")))]
    pub digest: String,
    /// Samples in the training part.
    pub training_samples: u64,
    /// Samples in the validation part.
    pub validation_samples: u64,
    /// Samples left out because their sequence is empty.
    pub skipped_empty: u64,
}

/// Which samples of a run are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Those that are trained on, and that are divided if none are given to validate.
    Data,
    /// Those of [`Validation::Separate`].
    Validation,
}

/// The samples of a run, divided.
#[derive(Debug)]
pub struct Samples {
    data: Dataset,
    /// Those to validate on, if they are samples of their own.
    separate: Option<Dataset>,
    parts: Parts,
    /// The fold of each row, for [`Validation::Folds`].
    fold_of: Option<Vec<u8>>,
    digest: OnceLock<String>,
}

impl Samples {
    /// The data that the training part belongs to.
    #[must_use]
    pub fn data(&self) -> &Dataset {
        &self.data
    }

    /// What the model learns from.
    #[must_use]
    pub fn training(&self) -> (&Dataset, &Part) {
        (&self.data, &self.parts.training)
    }

    /// What it is judged on.
    #[must_use]
    pub fn validation(&self) -> (&Dataset, &Part) {
        (self.separate.as_ref().unwrap_or(&self.data), &self.parts.validation)
    }

    /// How many groups the training part has, if samples have groups.
    #[must_use]
    pub fn groups_trained_on(&self) -> Option<u64> {
        let rows = self.parts.training.rows().iter();
        let groups: BTreeSet<u32> = rows.filter_map(|&row| self.data.group_number(row as usize)).collect();
        Some(groups.len() as u64).filter(|&groups| groups > 0)
    }

    /// The digest of the data, see [`Dataset::digest`]; with separate validation data, the SHA-256 of both digests one after
    /// the other. Worked out once.
    #[must_use]
    pub fn digest(&self) -> &str {
        self.digest.get_or_init(|| match &self.separate {
            None => self.data.digest(),
            Some(separate) => hex(&Sha256::digest(self.data.digest() + &separate.digest())),
        })
    }

    /// What they are, to be recorded.
    #[must_use]
    pub fn summary(&self) -> DataSummary {
        DataSummary {
            digest: self.digest().to_owned(),
            training_samples: self.parts.training.samples(),
            validation_samples: self.parts.validation.samples(),
            skipped_empty: self.skipped_empty(),
        }
    }

    /// Samples that were left out because their sequence is empty.
    #[must_use]
    pub fn skipped_empty(&self) -> u64 {
        let separate = self.separate.as_ref().map_or(0, Dataset::skipped_empty);
        self.data.skipped_empty().saturating_add(separate)
    }

    /// Anomalous samples that were left out because the model learns from normal ones alone.
    #[must_use]
    pub fn dropped_anomalous(&self) -> u64 {
        self.data.dropped_anomalous()
    }

    /// How many samples of each class there are.
    #[must_use]
    pub fn class_counts(&self) -> ClassCounts {
        let all = |data: &Dataset| data.class_counts(&data.all());
        let separate = self.separate.as_ref().map(all).unwrap_or_default();
        all(&self.data).plus(separate)
    }
}

/// Why a run cannot be carried out on its samples.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// There are none to learn from.
    #[error("no samples to train on; the data are empty")]
    NoSamples,
    /// There are none to judge on.
    #[error("no samples to judge on; the validation data are empty")]
    NoValidation,
    /// A sample cannot be one of them.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// They cannot be divided.
    #[error(transparent)]
    Split(#[from] SplitError),
    /// There are fewer groups than folds.
    #[error("{folds} folds need as many {unit}s at least; there are {units}")]
    TooFewForFolds {
        /// How many folds were asked for.
        folds: usize,
        /// What is kept in one fold.
        unit: Unit,
        /// How many of these there are.
        units: usize,
    },
    /// No threshold does what it is to do.
    #[error("{0}; give a threshold, wish for less, or use more samples")]
    Threshold(#[from] WishError),
    /// No model can be trained on them.
    #[error(transparent)]
    Train(#[from] TrainError),
}

/// What a run leads to.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The model.
    pub model: Model,
    /// What it was trained and judged on.
    pub data: DataSummary,
    /// How it did on the validation part.
    pub evaluation: Evaluation,
    /// Samples as models score them that were trained without them: all of them after [`Validation::Folds`], else those of
    /// [`Trained`](crate::Trained).
    pub left_out: OutOfFold,
    /// The loss of each of these, in nats: of its label, or of its actions on average if labels are not learned from.
    pub left_out_losses: Vec<f64>,
    /// The same in short, as the file of a model that learns from labels keeps them.
    pub left_out_scores: LeftOutScores,
    /// What the same samples came to on their way, as sessions that a monitor watches; empty for a normal-only model.
    pub sessions: SessionScores,
    /// How the threshold was chosen, if that was wished for.
    pub chosen: Option<Chosen>,
    /// Different sequences of the training part that occur as normal ones.
    pub normal_sequences: u64,
    /// Sequences of the data that occur with both labels.
    pub conflicts: Conflicts,
}

/// What training on a part leads to.
struct Fit {
    model: Model,
    left_out: OutOfFold,
    left_out_losses: Vec<f64>,
    sessions: SessionScores,
    chosen: Option<Chosen>,
    normal_sequences: u64,
}

/// What two models said of the same samples, which are new to both.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct SideBySide {
    /// What the new one said.
    pub new: Vec<Scored>,
    /// What the champion said.
    pub champion: Vec<Scored>,
    /// How much higher the loss of the new one is on each of them, in nats.
    higher: Vec<f64>,
    /// Samples that the champion was trained on and that were left out for that.
    pub overlap: u64,
}

impl SideBySide {
    /// Takes in what the new model said of `rows` of `data`, with its losses, if they are new to the champion. Normal-only models
    /// stand beside each other on normal samples alone.
    fn add(
        &mut self,
        data: &Dataset,
        rows: &[u32],
        (scored, losses): (&[Scored], &[f64]),
        champion: &Model,
        shift: u32,
        threads: NonZeroUsize,
    ) {
        let of_champion = judge_each(champion, data, rows, threads);
        let fingerprints = data.fingerprints(rows, threads);
        for (((said, loss), (score, champion_loss)), fingerprint) in
            scored.iter().zip(losses).zip(of_champion).zip(fingerprints)
        {
            if champion.kind() == ModelKind::NormalOnly && said.label == Label::Anomalous {
                continue;
            }
            if champion.was_trained_on(fingerprint) {
                self.overlap += said.count;
                continue;
            }
            let group = said.group.map(|group| group + shift);
            self.new.push(Scored { group, ..*said });
            self.champion.push(Scored { group, score, ..*said });
            self.higher.push(loss - champion_loss);
        }
    }

    /// How much higher the log loss of the new model is; `None` with fewer than [`MIN_SAMPLES`] samples of a class that models of this
    /// `kind` stand beside each other on.
    #[must_use]
    pub fn comparison(&self, kind: ModelKind) -> Option<Comparison> {
        let mut counts = ClassCounts::default();
        self.new.iter().for_each(|said| counts.add(said.label, said.count));
        let fewest = match kind {
            ModelKind::Labelled => counts.normal.min(counts.anomalous),
            ModelKind::NormalOnly => counts.normal,
        };
        Comparison::of_differences(&self.new, self.higher.iter().copied()).filter(|_| fewest >= MIN_SAMPLES)
    }
}

/// The score of each of these rows, and its loss in nats: of its label, or of its actions on average if labels are not learned from.
fn judge_each(model: &Model, data: &Dataset, rows: &[u32], threads: NonZeroUsize) -> Vec<(UnitInterval, f64)> {
    match model {
        Model::Labelled(model) => {
            let scores = model.scores(data, rows, threads);
            let of = |(score, &row): (UnitInterval, &u32)| (score, loss(score.get(), data.label(row as usize)));
            scores.into_iter().zip(rows).map(of).collect()
        }
        Model::NormalOnly(model) => (model.surprises(data, rows, threads).iter())
            .map(|surprise| (model.score_of(surprise), surprise.loss()))
            .collect(),
    }
}

impl Run {
    /// The run that made a model of which nothing but its training is known.
    #[must_use]
    pub fn given(training: Training) -> Self {
        Self {
            source: Source::Given,
            validation: Validation::None,
            training,
            ..Self::default()
        }
    }

    /// The samples of this run, divided, put in order by at most `threads` threads. Synthetic ones are drawn; all others `read` adds to the data it is given, those
    /// of [`Origin::Data`] first.
    ///
    /// # Errors
    ///
    /// If `read` fails, or if one of the parts has no sample.
    pub fn samples<E: From<RunError>>(
        &self,
        threads: NonZeroUsize,
        mut read: impl FnMut(Origin, &mut DatasetBuilder) -> Result<(), E>,
    ) -> Result<Samples, E> {
        let seed = self.training.seed();
        let data = match self.validation {
            Validation::Split {
                strategy: SplitStrategy::Temporal,
                ..
            } => DatasetBuilder::in_order(),
            _ => DatasetBuilder::new(),
        };
        let mut data = data.anomalous(match self.training.kind() {
            ModelKind::Labelled => AnomalousSamples::Keep,
            ModelKind::NormalOnly if self.reading.drop_anomalous => AnomalousSamples::Drop,
            ModelKind::NormalOnly => AnomalousSamples::Refuse,
        });
        data = data.normalize_names(self.reading.mapping.normalize_names);
        match self.source {
            Source::Synthetic { scenario, num_samples } => {
                synthetic::draw(scenario, num_samples.get(), seed, &mut data).map_err(RunError::from)?;
            }
            Source::Given | Source::Files { .. } => read(Origin::Data, &mut data)?,
        }
        let data = data.build_on(threads);
        if data.is_empty() {
            return Err(RunError::NoSamples.into());
        }
        let mut fold_of = None;
        let (parts, separate) = match self.validation {
            Validation::Folds { count } => {
                let (folds, dealt) = assign(&data, count, seed);
                if dealt < count.get() {
                    let (folds, unit) = (count.get(), data.unit());
                    return Err(RunError::TooFewForFolds {
                        folds,
                        unit,
                        units: dealt,
                    }
                    .into());
                }
                fold_of = Some(folds);
                let parts = Parts {
                    training: data.all(),
                    validation: data.all(),
                };
                (parts, None)
            }
            Validation::Separate => {
                let mut separate = DatasetBuilder::new().normalize_names(self.reading.mapping.normalize_names);
                read(Origin::Validation, &mut separate)?;
                let separate = separate.build_on(threads);
                if separate.is_empty() {
                    return Err(RunError::NoValidation.into());
                }
                let parts = Parts {
                    training: data.all(),
                    validation: separate.all(),
                };
                (parts, Some(separate))
            }
            Validation::None => {
                let parts = Parts {
                    training: data.all(),
                    validation: Part::default(),
                };
                (parts, None)
            }
            Validation::Split { strategy, train_ratio } => {
                (split(&data, strategy, train_ratio, seed).map_err(RunError::from)?, None)
            }
        };
        Ok(Samples {
            data,
            separate,
            parts,
            fold_of,
            digest: OnceLock::new(),
        })
    }

    /// Trains on the training part of `samples` and judges on the validation part. `after` is called after each epoch, from any thread.
    ///
    /// # Errors
    ///
    /// If the model cannot be trained on these samples.
    pub fn carry_out(
        &self,
        samples: &Samples,
        threads: NonZeroUsize,
        after: impl FnMut(Epoch) + Send,
    ) -> Result<Outcome, RunError> {
        let after = Mutex::new(after);
        let after = |epoch| after.lock().unwrap_or_else(PoisonError::into_inner)(epoch);
        let (data, training) = samples.training();
        let whole = |threads| self.fit(data, training, threads, after);
        let fit = || match &samples.fold_of {
            None => whole(threads).map(|fit| (fit, None)),
            Some(fold_of) => {
                let train = |part: &Part, threads| self.fit(data, part, threads, after).map(|fit| fit.model);
                let (fit, scored, seen) = out_of_fold(data, fold_of, threads, whole, train)?;
                Ok((fit, Some((scored, seen))))
            }
        };
        // Parts of training need one thread; another works out the digest meanwhile.
        let (fitted, _) = both(threads, fit, || samples.digest());
        let (fit, by_folds) = fitted?;
        let Fit {
            model,
            mut left_out,
            mut left_out_losses,
            sessions,
            mut chosen,
            normal_sequences,
        } = fit;
        if let Some((scored, _)) = &by_folds
            && self.training.kind() == ModelKind::Labelled
        {
            left_out_losses = scored.iter().map(|said| loss(said.score.get(), said.label)).collect();
            left_out = OutOfFold {
                rows: training.rows().to_vec(),
                scored: scored.clone(),
            };
        }
        let mut left_out_scores = LeftOutScores::default();
        let mut threshold = model.threshold();
        if self.training.kind() == ModelKind::Labelled {
            left_out_scores = LeftOutScores::of(&left_out.scored);
            let choose = |wish| left_out_scores.choose(wish, 1.0);
            chosen = self.threshold_for.map(choose).transpose()?;
            threshold = chosen.as_ref().map_or(threshold, |chosen| chosen.threshold);
        }
        let model = model.with_threshold(threshold);
        let evaluation = match by_folds {
            None => self.evaluate(&model, samples, threads),
            Some((scored, seen)) => {
                let ece_bins = self.ece_bins_of(model.kind());
                Evaluation::of(scored, seen, data.unit(), threshold, ece_bins, threads)
            }
        };
        Ok(Outcome {
            model,
            data: samples.summary(),
            evaluation,
            left_out,
            left_out_losses,
            left_out_scores,
            sessions,
            chosen,
            normal_sequences,
            conflicts: Conflicts::of(data, &data.all()),
        })
    }

    /// Trains on a part of the samples.
    fn fit(
        &self,
        data: &Dataset,
        training: &Part,
        threads: NonZeroUsize,
        after: impl FnMut(Epoch),
    ) -> Result<Fit, TrainError> {
        match &self.training {
            Training::Labelled(config) => {
                let trained = train_on(data, training, config, threads, after)?;
                let losses = trained.left_out.scored.iter();
                Ok(Fit {
                    model: trained.model.into(),
                    left_out_losses: losses.map(|said| loss(said.score.get(), said.label)).collect(),
                    left_out: trained.left_out,
                    sessions: trained.sessions,
                    chosen: None,
                    normal_sequences: trained.normal_sequences,
                })
            }
            Training::NormalOnly(config) => {
                let trained = train_normal(data, training, config, threads)?;
                Ok(Fit {
                    normal_sequences: trained.model.fingerprints.len() as u64,
                    chosen: Some(trained.promise()),
                    model: trained.model.into(),
                    left_out: trained.left_out,
                    left_out_losses: trained.losses,
                    sessions: SessionScores::default(),
                })
            }
        }
    }

    /// What the gate says of the figures of this run.
    #[must_use]
    pub fn judge(&self, metrics: &Metrics, champion: Option<&Champion>) -> Verdict {
        let judged = match (self.training.kind(), &self.validation) {
            // A promise is broken or not; how well it is kept on these groups is chance.
            (ModelKind::NormalOnly, _) => Judged::FavourableEnd,
            (ModelKind::Labelled, Validation::Folds { .. }) => Judged::UnfavourableEnd,
            (ModelKind::Labelled, _) => Judged::Figure,
        };
        self.gate.judge(metrics, judged, champion)
    }

    /// The bins of the calibration error, if scores of this kind of model are probabilities.
    #[must_use]
    pub fn ece_bins_of(&self, kind: ModelKind) -> Option<Bins> {
        ece_bins_of(kind, self.ece_bins)
    }

    /// What a sample without a label is; `None` if it is refused.
    #[must_use]
    pub fn unlabelled(&self) -> Option<Label> {
        match self.training.kind() {
            ModelKind::Labelled => None,
            ModelKind::NormalOnly => Some(Label::Normal),
        }
    }

    /// How many models are trained: the one that is kept, and one for each fold.
    #[must_use]
    pub fn trainings(&self) -> usize {
        match self.validation {
            Validation::Folds { count } => 1 + count.get(),
            Validation::Split { .. } | Validation::None | Validation::Separate => 1,
        }
    }

    /// Sets the model of `outcome` beside `champion`, which must be of the same kind, on the samples that are new to both.
    ///
    /// The model stands for itself where it was not trained; for the samples that it was trained on stand models that were trained
    /// without them, so that there is more to compare by.
    #[must_use]
    pub fn compare(&self, outcome: &Outcome, champion: &Model, samples: &Samples, threads: NonZeroUsize) -> SideBySide {
        let mut beside = SideBySide::default();
        let OutOfFold { rows, scored } = &outcome.left_out;
        let said = (&scored[..], &outcome.left_out_losses[..]);
        beside.add(samples.training().0, rows, said, champion, 0, threads);
        if samples.fold_of.is_none() {
            let (data, validation) = samples.validation();
            let Evaluation { scored, seen, .. } = &outcome.evaluation;
            let new = validation
                .rows()
                .iter()
                .zip(scored)
                .zip(seen)
                .filter(|&(_, seen)| !seen);
            let (rows, scored): (Vec<u32>, Vec<Scored>) = new.map(|((&row, &scored), _)| (row, scored)).unzip();
            let judged = judge_each(&outcome.model, data, &rows, threads);
            let losses: Vec<f64> = judged.into_iter().map(|(_, loss)| loss).collect();
            // Groups of other data are others, whatever their numbers.
            let shift = if samples.separate.is_some() {
                samples.data.rows() as u32
            } else {
                0
            };
            beside.add(data, &rows, (&scored, &losses), champion, shift, threads);
        }
        beside
    }

    /// Judges a model, by its own threshold, on the validation part of `samples`.
    #[must_use]
    pub fn evaluate(&self, model: &Model, samples: &Samples, threads: NonZeroUsize) -> Evaluation {
        let (data, validation) = samples.validation();
        let options = EvaluationOptions {
            threshold: None,
            ece_bins: self.ece_bins,
            threads,
        };
        evaluate(model, data, validation, &options)
    }
}
