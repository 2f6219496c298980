//! A training run as a value: everything that can change its result, and the one way to carry it out.

use crate::artifact::{Artifact, Provenance, Source, Validation};
use crate::bounds::{Bins, SampleCount, Share};
use crate::data::dataset::{ClassCounts, Dataset};
use crate::data::split::{EmptyPart, Parts, SplitStrategy, split};
use crate::data::synthetic::{Scenario, generate};
use crate::evaluate::evaluation::{Evaluation, evaluate};
use crate::evaluate::gate::Gate;
use crate::model::AnomalyModel;
use crate::model::config::TrainingConfig;
use crate::parallel::both;
use crate::train::trainer::{Epoch, Trainer};
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
#[derive(Debug, Clone, PartialEq)]
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
    /// The model with its provenance and figures; not promoted, and without a time.
    pub artifact: Artifact,
    /// How it did on the validation part.
    pub evaluation: Evaluation,
    /// Different sequences of the training part that occur as normal ones.
    pub normal_sequences: usize,
    /// Different sequences of the training part that occur with both labels.
    pub contradictory_sequences: usize,
}

impl Run {
    /// The run that a model file records; `None` for a model without provenance. The gate is that of its verdict, or the
    /// default one if there was none.
    #[must_use]
    pub fn recorded(artifact: &Artifact) -> Option<Self> {
        let provenance = artifact.provenance.as_ref()?;
        let promotion = artifact.promotion.as_ref();
        Some(Self {
            source: provenance.source.clone(),
            validation: provenance.validation.clone(),
            training: *artifact.model.config(),
            ece_bins: provenance.ece_bins,
            gate: promotion.map_or_else(Gate::default, |promotion| promotion.gate),
        })
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
            Source::Files { .. } | Source::Events { .. } => {
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
        let artifact = Artifact {
            provenance: Some(self.provenance(samples)),
            metrics: Some(evaluation.metrics.clone()),
            ..Artifact::from(model)
        };
        Ok(Outcome {
            artifact,
            evaluation,
            normal_sequences,
            contradictory_sequences,
        })
    }

    /// What a model of this run says of where it comes from.
    #[must_use]
    pub fn provenance(&self, samples: &Samples) -> Provenance {
        Provenance {
            source: self.source.clone(),
            validation: self.validation.clone(),
            ece_bins: self.ece_bins,
            data_digest: samples.digest().to_owned(),
            training_samples: samples.parts.training.len() as u64,
            validation_samples: samples.parts.validation.len() as u64,
            skipped_empty: samples.data.skipped_empty(),
        }
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
