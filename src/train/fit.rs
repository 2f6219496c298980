//! Fits weights in one of several ways, on all rows and on all but a fold.

use crate::bounds::Penalty;
use crate::model::config::TrainingConfig;
use crate::model::fitted::Method;
use crate::model::weights::Weights;
use crate::parallel::{map_beside, map_pieces};
use crate::random::{Purpose, numbered_stream, stream};
use crate::train::calibration::LeftOut;
use crate::train::online::Online;
use crate::train::sdca::Sdca;
use crate::train::trainer::Epoch;
use crate::train::training_set::{RowBuffer, Rows};
use rand_chacha::ChaCha8Rng;
use std::borrow::Cow;
use std::num::NonZeroUsize;

/// The part of the epochs that brings an optimum near to what it is without a fold, or under another penalty.
const AGAIN: f64 = 0.5;
/// An optimum is reached if a step changes the fitted probability of its row by no more than this on average.
const CONVERGED: f64 = 1e-10;

/// A way to fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Way {
    pub(crate) method: Method,
    pub(crate) pairs: bool,
    pub(crate) l2: Penalty,
}

/// Weights that have been fitted.
#[derive(Debug)]
pub(crate) enum Fit {
    Optimum(Sdca),
    Online(Online),
}

impl Fit {
    /// Fits all rows, from the centre `prior` of the prior; each of `folds` can be left out afterwards. `after` is called after each
    /// pass over them.
    pub(crate) fn new(
        rows: &Rows,
        prior: &Weights,
        way: Way,
        folds: &[u8],
        config: &TrainingConfig,
        threads: NonZeroUsize,
        mut after: impl FnMut(Epoch),
    ) -> Self {
        match way.method {
            Method::Optimum => {
                let mut fit = Sdca::new(rows, prior.clone(), way.l2.get());
                let rng = stream(config.seed, Purpose::Shuffle);
                ascend(&mut fit, rows, config.epochs.get(), config, rng, |change| {
                    after(Epoch::Converging(change));
                });
                Self::Optimum(fit)
            }
            Method::Online => {
                let fit = Online::new(rows, prior.clone(), way.l2.get(), config, folds, threads);
                after(Epoch::Pass);
                Self::Online(fit)
            }
        }
    }

    pub(crate) fn weights(&self) -> &Weights {
        match self {
            Self::Optimum(fit) => &fit.weights,
            Self::Online(fit) => &fit.weights,
        }
    }

    /// The fit under another penalty, nearly.
    pub(crate) fn with_l2(
        &self,
        rows: &Rows,
        l2: Penalty,
        folds: &[u8],
        config: &TrainingConfig,
        threads: NonZeroUsize,
    ) -> Self {
        match self {
            Self::Optimum(fit) => {
                let mut fit = fit.with_l2(l2.get());
                let rng = stream(config.seed, Purpose::Shuffle);
                ascend(&mut fit, rows, again(config), config, rng, |_| ());
                Self::Optimum(fit)
            }
            Self::Online(fit) => Self::Online(Online::new(
                rows,
                fit.centre().clone(),
                l2.get(),
                config,
                folds,
                threads,
            )),
        }
    }

    /// What the same fit on all rows but those of a fold says of these, for each of `folds`, which must be those it was made for.
    ///
    /// A sequence that was seen n times is known when it comes again: unless groups are left out, the log odds of a sample of
    /// it go 1 − 1/n of the way to what the fit on all rows says.
    ///
    /// Beside each stands what `also` makes of the fold and the weights that all others lead to; `known` are some of these.
    pub(crate) fn left_out<A: Send>(
        &self,
        rows: &Rows,
        folds: &[u8],
        known: &[(u8, Weights)],
        config: &TrainingConfig,
        threads: NonZeroUsize,
        also: impl Fn(u8, &Weights, NonZeroUsize) -> A + Sync,
    ) -> (Vec<Vec<LeftOut>>, Vec<A>) {
        let one = |&fold: &u8| {
            // Where there are as many threads as folds, each has one for itself; a single fold has all.
            let threads = if folds.len() == 1 { threads } else { NonZeroUsize::MIN };
            let weights = match known.iter().find(|(known, _)| *known == fold) {
                Some((_, weights)) => Cow::Borrowed(weights),
                None => Cow::Owned(self.without(rows, fold, config)),
            };
            let indices: Vec<u32> = rows.folds().range(fold).map(|index| index as u32).collect();
            let said = map_pieces(&indices, threads, |piece| {
                let mut buffer = RowBuffer::default();
                let say = |&index: &u32| {
                    let labels = rows.labels(index as usize);
                    let mut log_odds = weights.log_odds(rows.left_out(index as usize, &mut buffer));
                    // Groups come once, sequences come again.
                    if !rows.folds().by_group() && labels.total() > 1 {
                        let with = self.weights().log_odds(rows.known(index as usize, &mut buffer));
                        log_odds += (1.0 - 1.0 / labels.total() as f64) * (with - log_odds);
                    }
                    LeftOut {
                        index,
                        log_odds,
                        labels,
                    }
                };
                piece.iter().map(say).collect()
            });
            (said, also(fold, &weights, threads))
        };
        map_beside(folds, threads, one, || ()).0.into_iter().unzip()
    }

    /// The weights that all rows but those of a fold lead to, nearly.
    fn without(&self, rows: &Rows, fold: u8, config: &TrainingConfig) -> Weights {
        match self {
            Self::Optimum(fit) => {
                let mut fit = fit.without(rows, fold);
                let rng = numbered_stream(config.seed, Purpose::Shuffle, u32::from(fold));
                ascend(&mut fit, rows, again(config), config, rng, |_| ());
                fit.weights
            }
            Self::Online(fit) => fit.without(rows, fold, config),
        }
    }
}

/// Epochs that it takes to come near to an optimum from one that is not far away.
fn again(config: &TrainingConfig) -> u32 {
    (AGAIN * f64::from(config.epochs.get())).ceil() as u32
}

/// Makes at most so many epochs.
fn ascend(
    fit: &mut Sdca,
    rows: &Rows,
    epochs: u32,
    config: &TrainingConfig,
    mut rng: ChaCha8Rng,
    mut after: impl FnMut(f64),
) {
    for _ in 0..epochs {
        let change = fit.epoch(rows, config, &mut rng);
        after(change);
        if change < CONVERGED {
            break;
        }
    }
}
