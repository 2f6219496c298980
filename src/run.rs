//! A training run as a value: everything that can change its result, and the one way to carry it out.

use crate::bounds::{Bins, SampleCount, Share};
use crate::data::dataset::{ClassCounts, Dataset};
use crate::data::split::{EmptyPart, Parts, SplitStrategy, split};
use crate::data::synthetic::{Scenario, generate};
use crate::evaluate::evaluation::{Evaluation, evaluate};
use crate::evaluate::gate::Gate;
use crate::input::events::Span;
use crate::model::AnomalyModel;
use crate::model::config::TrainingConfig;
use crate::parallel::both;
use crate::train::trainer::{Epoch, Trainer};
use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;
use std::sync::OnceLock;

/// Synthetic samples that are drawn unless another number is asked for.
pub const DEFAULT_SYNTHETIC: SampleCount = SampleCount::literal(10_000);
/// Share of the samples that train unless another one is asked for.
pub const DEFAULT_TRAIN_RATIO: Share = Share::literal(0.8);
/// Bins of the calibration error unless another number is asked for.
pub const DEFAULT_ECE_BINS: Bins = Bins::literal(10);

/// Everything that can change the result of a training run, but for the samples that are read.
///
/// | field | default |
/// |---|---|
/// | `source` | 10,000 synthetic samples, [`Scenario::Documented`] |
/// | `validation` | a stratified split, 0.8 of the samples train |
/// | `training` | [`TrainingConfig::default`] |
/// | `ece_bins` | 10 |
/// | `gate` | [`Gate::default`] |
///
/// ```
/// use anomaly_train::{Run, Source, synthetic::Scenario};
///
/// let run = Run { source: Source::Synthetic { scenario: Scenario::Documented, num_samples: 1000.try_into()? }, ..Run::default() };
/// let samples = run.samples(|_, _| Ok::<_, anomaly_train::RunError>(()))?;
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
            validation: Validation::Split {
                strategy: SplitStrategy::default(),
                train_ratio: DEFAULT_TRAIN_RATIO,
                group_by: None,
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
        train_ratio: Share,
        /// Field that names the group, for grouped splits.
        group_by: Option<String>,
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
    /// All of them.
    pub data: Dataset,
    /// Which of them train and which validate.
    pub parts: Parts,
    digest: OnceLock<String>,
}

impl Samples {
    /// The digest of the data, see [`Dataset::digest`]; worked out once.
    #[must_use]
    pub fn digest(&self) -> &str {
        self.digest.get_or_init(|| self.data.digest())
    }

    /// What they are, to be recorded.
    #[must_use]
    pub fn summary(&self) -> DataSummary {
        DataSummary {
            digest: self.digest().to_owned(),
            training_samples: self.parts.training.len() as u64,
            validation_samples: self.parts.validation.len() as u64,
            skipped_empty: self.data.skipped_empty(),
        }
    }

    /// How many samples of each class train.
    #[must_use]
    pub fn training(&self) -> ClassCounts {
        self.data.class_counts(&self.parts.training)
    }

    /// How many samples of each class validate.
    #[must_use]
    pub fn validation(&self) -> ClassCounts {
        self.data.class_counts(&self.parts.validation)
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
    /// Dividing them leaves a part empty.
    #[error(transparent)]
    Split(#[from] EmptyPart),
}

/// What a run leads to.
#[derive(Debug)]
pub struct Outcome {
    /// The model.
    pub model: AnomalyModel,
    /// What it was trained and judged on.
    pub data: DataSummary,
    /// How it did on the validation part.
    pub evaluation: Evaluation,
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

    /// The samples of this run, divided. Synthetic ones are drawn; all others `read` adds to the data it is given, those
    /// of [`Origin::Data`] first.
    ///
    /// # Errors
    ///
    /// If `read` fails, or if one of the parts has no sample.
    pub fn samples<E: From<RunError>>(
        &self,
        mut read: impl FnMut(Origin, &mut Dataset) -> Result<(), E>,
    ) -> Result<Samples, E> {
        let seed = self.training.seed;
        let mut data = match self.source {
            Source::Synthetic { scenario, num_samples } => generate(scenario, num_samples.get(), seed),
            Source::Given | Source::Files { .. } | Source::Events { .. } => {
                let mut data = Dataset::new();
                read(Origin::Data, &mut data)?;
                data
            }
        };
        let own = data.len();
        if matches!(self.validation, Validation::Separate) {
            read(Origin::Validation, &mut data)?;
        }
        if own == 0 {
            return Err(RunError::NoSamples.into());
        }
        let parts = match self.validation {
            Validation::Separate if own == data.len() => return Err(RunError::NoValidation.into()),
            Validation::Separate => Parts {
                training: (0..own as u32).collect(),
                validation: (own as u32..data.len() as u32).collect(),
            },
            Validation::None => Parts {
                training: (0..own as u32).collect(),
                validation: Vec::new(),
            },
            Validation::Split {
                strategy, train_ratio, ..
            } => split(&data, strategy, train_ratio, seed).map_err(RunError::from)?,
        };
        Ok(Samples {
            data,
            parts,
            digest: OnceLock::new(),
        })
    }

    /// Trains on the training part of `samples` and judges on the validation part. `after` is called after each epoch.
    ///
    /// # Errors
    ///
    /// If there are no samples to train on.
    pub fn carry_out(
        &self,
        samples: &Samples,
        threads: NonZeroUsize,
        mut after: impl FnMut(Epoch),
    ) -> Result<Outcome, RunError> {
        let Samples { data, parts, .. } = samples;
        let fit = || {
            let mut trainer = Trainer::new(data, &parts.training, &self.training, threads)?;
            trainer.run(&mut after);
            let noticed = (trainer.normal_sequences(), trainer.contradictory_sequences());
            Ok((trainer.finish(), noticed))
        };
        // Parts of the fit need one thread; the other works out the digest meanwhile.
        let (fitted, _) = both(threads, fit, || samples.digest());
        let (model, (normal_sequences, contradictory_sequences)) =
            fitted.map_err(|_: crate::train::trainer::NoSamples| RunError::NoSamples)?;
        let evaluation = self.evaluate(&model, samples, threads);
        Ok(Outcome {
            model,
            data: samples.summary(),
            evaluation,
            normal_sequences,
            contradictory_sequences,
        })
    }

    /// Judges a model, by its own threshold, on the validation part of `samples`.
    #[must_use]
    pub fn evaluate(&self, model: &AnomalyModel, samples: &Samples, threads: NonZeroUsize) -> Evaluation {
        let Samples { data, parts, .. } = samples;
        evaluate(
            model,
            data,
            &parts.validation,
            model.threshold(),
            self.ece_bins,
            threads,
        )
    }
}
