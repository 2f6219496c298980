//! Training: counts what occurs, then fits the weights epoch by epoch.

use crate::config::TrainingConfig;
use crate::dataset::{Dataset, Interner};
use crate::model::AnomalyModel;
use crate::optimizer::Optimizer;
use crate::random::{Purpose, stream};
use crate::training_set::TrainingSet;
use rand_chacha::ChaCha8Rng;

/// A training run under way. It becomes a model with [`finish`](Self::finish), usually after as many
/// [`epoch`](Self::epoch)s as its configuration says.
#[derive(Debug)]
pub struct Trainer {
    config: TrainingConfig,
    set: TrainingSet,
    optimizer: Optimizer,
    rng: ChaCha8Rng,
}

/// There is not one sample to learn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no samples to train on")]
pub struct NoSamples;

impl Trainer {
    /// Prepares training on the samples `training` of `data`.
    ///
    /// # Errors
    ///
    /// If `training` is empty.
    pub fn new(data: &Dataset, training: &[u32], config: &TrainingConfig) -> Result<Self, NoSamples> {
        if training.is_empty() {
            return Err(NoSamples);
        }
        let max_ngrams = usize::try_from(config.max_ngrams.get()).unwrap_or(usize::MAX);
        let set = TrainingSet::build(data, training, config.ngram_size.get(), max_ngrams);
        // The base rate, with half a sample added to each class so that one class alone has finite odds.
        let odds = (f64::from(set.samples.anomalous) + 0.5) / (f64::from(set.samples.normal) + 0.5);
        let optimizer = Optimizer::new(
            &set.rows,
            set.actions.len() + set.ngrams.len(),
            libm::log(odds),
            config.l2.get(),
            config.learning_rate.get(),
        );
        Ok(Self {
            config: *config,
            set,
            optimizer,
            rng: stream(config.seed, Purpose::Shuffle),
        })
    }

    /// Goes through the training part once. Returns by how much a step still changed the fitted probability of
    /// its sequence, on average; it tends to 0.
    pub fn epoch(&mut self) -> f64 {
        let batch_size = self.config.batch_size.get() as usize;
        self.optimizer.epoch(&self.set.rows, batch_size, &mut self.rng)
    }

    /// Number of different sequences in the training part that occur with both labels.
    #[must_use]
    pub fn contradictory_sequences(&self) -> usize {
        (0..self.set.rows.len())
            .map(|row| self.set.rows.labels(row))
            .filter(|labels| labels.normal > 0 && labels.anomalous > 0)
            .count()
    }

    /// Number of different sequences in the training part that occur as normal ones.
    #[must_use]
    pub fn normal_sequences(&self) -> usize {
        (0..self.set.rows.len())
            .filter(|&row| self.set.rows.labels(row).normal > 0)
            .count()
    }

    /// The model as it stands.
    #[must_use]
    pub fn finish(self) -> AnomalyModel {
        let mut names = Interner::default();
        let mut actions = Vec::with_capacity(self.set.actions.len());
        for action in &self.set.actions {
            names.intern(&action.name);
            actions.push(action.counts);
        }
        AnomalyModel {
            config: self.config,
            samples: self.set.samples,
            ranges: self.set.ranges,
            names,
            actions,
            table: self.set.table,
            ngrams: self.set.ngrams,
            weights: self.optimizer.into_weights(),
            fingerprints: self.set.fingerprints,
        }
    }
}

/// Trains a model on the samples `training` of `data`, all epochs at once.
///
/// # Errors
///
/// If `training` is empty.
pub fn train(data: &Dataset, training: &[u32], config: &TrainingConfig) -> Result<AnomalyModel, NoSamples> {
    let mut trainer = Trainer::new(data, training, config)?;
    for _ in 0..config.epochs.get() {
        trainer.epoch();
    }
    Ok(trainer.finish())
}
