//! Cross-validation: what models say of samples whose group they have not seen.

use crate::bounds::FoldCount;
use crate::data::dataset::Dataset;
use crate::data::folds;
use crate::data::part::Part;
use crate::data::scored::Scored;
use crate::model::kind::Model;
use crate::parallel::map_beside;
use crate::random::{Purpose, stream};
use crate::train::trainer::TrainError;
use std::num::NonZeroUsize;

/// What was said of samples, each by a model that was trained without them.
#[derive(Debug, Clone, Default)]
pub struct OutOfFold {
    /// The row of each, in the data that were trained on.
    pub rows: Vec<u32>,
    /// What was said of it.
    pub scored: Vec<Scored>,
}

/// The fold of each row of `data`: no group stands in two of them, and without groups no sequence. There are fewer folds than are asked
/// for if there are fewer groups.
pub(crate) fn assign(data: &Dataset, count: FoldCount, seed: u64) -> (Vec<u8>, usize) {
    let units = data.units();
    let sizes = folds::sizes(units.iter().enumerate().map(|(row, &unit)| (unit, data.count(row))));
    let (fold_of, count) = folds::deal(&sizes, count.get(), &mut stream(seed, Purpose::CrossValidation));
    (units.into_iter().map(|unit| fold_of[unit as usize]).collect(), count)
}

/// Scores each row of `data` by a model that was trained on the rows of the other folds, and says whether that model was trained on
/// its sequence, which may stand in several groups. `train` makes a model of a part with some threads; what `whole` makes of everything is
/// handed on. Where there are few rows, each thread makes a model of its own.
pub(crate) fn out_of_fold<W>(
    data: &Dataset,
    fold_of: &[u8],
    threads: NonZeroUsize,
    whole: impl FnOnce(NonZeroUsize) -> Result<W, TrainError>,
    train: impl Fn(&Part, NonZeroUsize) -> Result<Model, TrainError> + Sync,
) -> Result<(W, Vec<Scored>, Vec<bool>), TrainError> {
    let part = |is_in: &dyn Fn(u8) -> bool| {
        let rows = (0..).zip(fold_of).filter(|&(_, &fold)| is_in(fold));
        Part::new(rows.map(|(row, _)| (row, data.count(row as usize))))
    };
    let (at_once, each) = if data.rows() <= FEW_ROWS {
        (threads, NonZeroUsize::MIN)
    } else {
        (NonZeroUsize::MIN, threads)
    };
    let judge = |&fold: &u8| {
        let (others, own) = (part(&|other| other != fold), part(&|other| other == fold));
        let model = train(&others, each)?;
        let scored = model.score_part(data, &own, each);
        let fingerprints = data.fingerprints(own.rows(), each);
        let seen = fingerprints
            .iter()
            .map(|&fingerprint| model.was_trained_on(fingerprint));
        let said: Vec<(Scored, bool)> = scored.into_iter().zip(seen).collect();
        Ok((own, said))
    };
    let folds: Vec<u8> = (0..=fold_of.iter().copied().max().unwrap_or(0)).collect();
    let mut said: Vec<Option<(Scored, bool)>> = vec![None; data.rows()];
    let (judged, whole) = map_beside(&folds, at_once, judge, || whole(each));
    let whole = whole?;
    for judged in judged {
        let (own, said_of) = judged?;
        for (&row, said_of) in own.rows().iter().zip(said_of) {
            said[row as usize] = Some(said_of);
        }
    }
    let (scored, seen) = said.into_iter().flatten().unzip();
    Ok((whole, scored, seen))
}

/// So many rows take so little memory that several models can be made at once.
const FEW_ROWS: usize = 100_000;
