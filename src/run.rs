//! A training run as a value: everything that can change its result, and the one way to carry it out.

use crate::bounds::{Bins, OpenUnitInterval, SampleCount};
use crate::data::dataset::{Dataset, DatasetBuilder, hex};
use crate::data::label::ClassCounts;
use crate::data::part::Part;
use crate::data::scored::Scored;
use crate::data::split::{Parts, SplitError, SplitStrategy, split};
use crate::data::synthetic::{self, Scenario};
use crate::evaluate::evaluation::{DEFAULT_ECE_BINS, Evaluation, EvaluationOptions, evaluate};
use crate::evaluate::gate::Gate;
use crate::input::events::Span;
use crate::model::AnomalyModel;
use crate::model::config::TrainingConfig;
use crate::parallel::both;
use crate::train::trainer::{Epoch, TrainError, train_on};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::num::NonZeroUsize;
use std::sync::OnceLock;

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
/// | `training` | [`TrainingConfig::default`] |
/// | `ece_bins` | 10 |
/// | `gate` | [`Gate::default`] |
///
/// ```
/// use anomaly_train::{Run, Source, synthetic::Scenario};
///
/// let run = Run { source: Source::Synthetic { scenario: Scenario::Documented, num_samples: 1000.try_into()? }, ..Run::default() };
/// let samples = run.samples(2.try_into()?, |_, _| Ok::<_, anomaly_train::RunError>(()))?;
/// let outcome = run.carry_out(&samples, 2.try_into()?, |_| ())?;
/// assert!(run.gate.judge(&outcome.evaluation.metrics, None).promoted);
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
    /// How the model is trained.
    pub training: TrainingConfig,
    /// Number of bins of the calibration error.
    pub ece_bins: Bins,
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
            training: TrainingConfig::default(),
            ece_bins: DEFAULT_ECE_BINS,
            gate: Gate::default(),
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
    /// Read from JSON lines.
    Files {
        /// Most samples that were used; `None` for all.
        num_samples: Option<SampleCount>,
    },
    /// Made of events.
    Events {
        /// Field that keeps sessions apart.
        session_by: String,
        /// A pause longer than this, in seconds, starts a new session.
        session_gap: Span,
        /// Field that holds the label.
        label_field: String,
        /// Most sessions that were used; `None` for all.
        num_samples: Option<SampleCount>,
    },
}

/// How files are read. Files that are read in different ways may hold the same samples, and then give the same model.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// Field that says how many samples a line stands for; `None` for one.
    pub count_field: Option<String>,
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

    /// How many samples of each class there are in both parts.
    #[must_use]
    pub fn class_counts(&self) -> ClassCounts {
        let of = |(data, part): (&Dataset, &Part)| data.class_counts(part);
        of(self.training()).plus(of(self.validation()))
    }
}

/// Why a run cannot be carried out on its samples.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// There are none to learn from.
    #[error("no samples to train on; the data are empty")]
    NoSamples,
    /// There are none to judge on.
    #[error("no samples to judge on; the validation data are empty")]
    NoValidation,
    /// They cannot be divided.
    #[error(transparent)]
    Split(#[from] SplitError),
    /// No model can be trained on them.
    #[error(transparent)]
    Train(#[from] TrainError),
}

/// What a run leads to.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The model.
    pub model: AnomalyModel,
    /// What it was trained and judged on.
    pub data: DataSummary,
    /// How it did on the validation part.
    pub evaluation: Evaluation,
    /// Training samples as models score them that were trained without them, see [`Trained`](crate::Trained).
    pub left_out: Vec<Scored>,
    /// Different sequences of the training part that occur as normal ones.
    pub normal_sequences: usize,
    /// Different sequences of the training part that occur with both labels.
    pub contradictory_sequences: usize,
}

impl Run {
    /// The run that made a model of which nothing but its training is known.
    #[must_use]
    pub fn given(training: TrainingConfig) -> Self {
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
        let seed = self.training.seed;
        let mut data = match self.validation {
            Validation::Split {
                strategy: SplitStrategy::Temporal,
                ..
            } => DatasetBuilder::in_order(),
            _ => DatasetBuilder::new(),
        };
        match self.source {
            Source::Synthetic { scenario, num_samples } => {
                synthetic::draw(scenario, num_samples.get(), seed, &mut data);
            }
            Source::Given | Source::Files { .. } | Source::Events { .. } => read(Origin::Data, &mut data)?,
        }
        let data = data.build_on(threads);
        if data.is_empty() {
            return Err(RunError::NoSamples.into());
        }
        let (parts, separate) = match self.validation {
            Validation::Separate => {
                let mut separate = DatasetBuilder::new();
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
            digest: OnceLock::new(),
        })
    }

    /// Trains on the training part of `samples` and judges on the validation part. `after` is called after each epoch.
    ///
    /// # Errors
    ///
    /// If the model cannot be trained on these samples.
    pub fn carry_out(
        &self,
        samples: &Samples,
        threads: NonZeroUsize,
        after: impl FnMut(Epoch),
    ) -> Result<Outcome, RunError> {
        let (data, training) = samples.training();
        let train = || train_on(data, training, &self.training, threads, after);
        // Parts of training need one thread; the other works out the digest meanwhile.
        let (trained, _) = both(threads, train, || samples.digest());
        let trained = trained?;
        let evaluation = self.evaluate(&trained.model, samples, threads);
        Ok(Outcome {
            model: trained.model,
            data: samples.summary(),
            evaluation,
            left_out: trained.left_out,
            normal_sequences: trained.normal_sequences,
            contradictory_sequences: trained.contradictory_sequences,
        })
    }

    /// Judges a model, by its own threshold, on the validation part of `samples`.
    #[must_use]
    pub fn evaluate(&self, model: &AnomalyModel, samples: &Samples, threads: NonZeroUsize) -> Evaluation {
        let (data, validation) = samples.validation();
        let options = EvaluationOptions {
            threshold: None,
            ece_bins: self.ece_bins,
            threads,
        };
        evaluate(model, data, validation, &options)
    }
}
