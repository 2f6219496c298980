//! Training: counts what occurs, then fits the weights epoch by epoch.

use crate::data::dataset::Dataset;
use crate::data::interner::Interner;
use crate::data::part::Part;
use crate::model::AnomalyModel;
use crate::model::config::TrainingConfig;
use crate::model::weights::Weights;
use crate::random::{Purpose, stream};
use crate::train::online::OnlineFit;
use crate::train::sdca::Sdca;
use crate::train::training_set::TrainingSet;
use rand_chacha::ChaCha8Rng;
use std::num::NonZeroUsize;

/// From this many different sequences on, weights are fitted in few passes instead of to their optimum.
pub const MANY_SEQUENCES: usize = 200_000;

/// A training run under way. It becomes a model with [`finish`](Self::finish), usually after
/// [`run`](Self::run).
#[derive(Debug)]
pub struct Trainer {
    config: TrainingConfig,
    set: TrainingSet,
    fit: Fit,
    epochs: u32,
}

/// How the weights are fitted.
#[derive(Debug)]
enum Fit {
    /// To their optimum.
    Optimum(Sdca, ChaCha8Rng),
    /// In few passes.
    Online(OnlineFit),
}

/// What is left of training after an epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Epoch {
    /// More epochs bring the weights nearer to their optimum. By how much a step still changed the fitted probability of its
    /// sequence, on average; it tends to 0.
    Converging(f64),
    /// More epochs may lower the log loss on the sequences that were held out, which is this now.
    Improved(f64),
    /// The log loss on the sequences that were held out, which is this now, will not fall any further.
    Stopped(f64),
}

/// There is not one sample to learn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no samples to train on")]
pub struct NoSamples;

impl Trainer {
    /// Prepares training on the part `training` of `data`, with at most `threads` threads.
    ///
    /// # Errors
    ///
    /// If `training` is empty.
    pub fn new(
        data: &Dataset,
        training: &Part,
        config: &TrainingConfig,
        threads: NonZeroUsize,
    ) -> Result<Self, NoSamples> {
        if training.is_empty() {
            return Err(NoSamples);
        }
        let max_ngrams = config.max_ngrams.get();
        let set = TrainingSet::build(data, training, config.ngram_size.get(), max_ngrams, threads);
        // The base rate, with half a sample added to each class so that one class alone has finite odds.
        let odds = (set.samples.anomalous as f64 + 0.5) / (set.samples.normal as f64 + 0.5);
        let prior = Weights::prior(set.width, libm::log(odds));
        let l2 = config.l2.get();
        let fit = if set.rows.len() < MANY_SEQUENCES {
            let optimizer = Sdca::new(&set.rows, prior, l2, config.learning_rate.get());
            Fit::Optimum(optimizer, stream(config.seed, Purpose::Shuffle))
        } else {
            Fit::Online(OnlineFit::new(&set.rows, prior, config, threads.get() > 1))
        };
        Ok(Self {
            config: *config,
            set,
            fit,
            epochs: 0,
        })
    }

    /// Goes through the training part once.
    pub fn epoch(&mut self) -> Epoch {
        self.epochs += 1;
        let batch_size = self.config.batch_size.get() as usize;
        match &mut self.fit {
            Fit::Optimum(optimizer, rng) => Epoch::Converging(optimizer.epoch(&self.set.rows, batch_size, rng)),
            Fit::Online(online) => {
                let goes_on = online.epoch(&self.set.rows);
                let loss = online.loss();
                if goes_on {
                    Epoch::Improved(loss)
                } else {
                    Epoch::Stopped(loss)
                }
            }
        }
    }

    /// Goes through all epochs that the configuration asks for, or until more of them are of no use. `after` is called after
    /// each. Returns how many there were.
    pub fn run(&mut self, mut after: impl FnMut(Epoch)) -> u32 {
        while self.epochs < self.config.epochs.get() {
            let epoch = self.epoch();
            after(epoch);
            if matches!(epoch, Epoch::Stopped(_)) {
                break;
            }
        }
        self.epochs
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
        for name in &self.set.names {
            names.intern(name);
        }
        let mut weights = match self.fit {
            Fit::Optimum(optimizer, _) => optimizer.into_weights(),
            Fit::Online(online) => online.into_weights(),
        };
        let sparse = self.set.ids.iter().map(|&id| weights.sparse[id as usize]).collect();
        weights.sparse = sparse;
        AnomalyModel {
            config: self.config,
            samples: self.set.samples,
            ranges: self.set.ranges,
            names,
            actions: self.set.actions,
            table: self.set.table,
            ngrams: self.set.ngrams,
            weights,
            fingerprints: self.set.fingerprints,
        }
    }
}

/// Trains a model on the part `training` of `data`, all epochs at once, with one thread.
///
/// # Errors
///
/// If `training` is empty.
pub fn train(data: &Dataset, training: &Part, config: &TrainingConfig) -> Result<AnomalyModel, NoSamples> {
    let mut trainer = Trainer::new(data, training, config, NonZeroUsize::MIN)?;
    trainer.run(|_| ());
    Ok(trainer.finish())
}
