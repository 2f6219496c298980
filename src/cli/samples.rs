//! Samples for training and validation, from what a run was asked for or a model records.

use super::failure::Failure;
use super::progress::Progress;
use super::{input, sessions};
use anomaly_train::events::SessionRules;
use anomaly_train::split::{Parts, split};
use anomaly_train::synthetic::generate;
use anomaly_train::{Dataset, Source, Validation};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::slice;

/// Samples, divided.
pub(crate) struct Samples {
    pub(crate) data: Dataset,
    pub(crate) parts: Parts,
}

/// The files that samples are read from.
#[derive(Clone, Copy)]
pub(crate) struct Files<'a> {
    pub(crate) data: &'a [PathBuf],
    pub(crate) validation: Option<&'a PathBuf>,
}

/// Draws or reads the samples and divides them. `loading` is told their number, before they are drawn or after they were read.
pub(crate) fn load(
    source: &Source,
    validation: &Validation,
    files: Files<'_>,
    seed: u64,
    threads: NonZeroUsize,
    progress: Progress,
    mut loading: impl FnMut(u64),
) -> Result<Samples, Failure> {
    let mut data;
    let own;
    if let Source::Synthetic { scenario, num_samples } = *source {
        loading(num_samples);
        data = generate(scenario, num_samples, seed);
        own = data.len();
    } else {
        data = Dataset::new();
        read(source, validation, files.data, &mut data, threads, progress)?;
        own = data.len();
        let validation = files.validation.map_or(&[][..], slice::from_ref);
        input::read_all(validation, None, &mut data, u64::MAX, threads, progress)?;
        loading(data.len() as u64);
    }
    if own == 0 {
        return Err(Failure::refused("no samples to train on; the data are empty"));
    }
    let parts = match *validation {
        Validation::Separate if own == data.len() => {
            return Err(Failure::refused(
                "no samples to judge on; the validation data are empty",
            ));
        }
        Validation::Separate => Parts {
            training: (0..own as u32).collect(),
            validation: (own as u32..data.len() as u32).collect(),
        },
        Validation::Split {
            strategy, train_ratio, ..
        } => split(&data, strategy, train_ratio, seed).map_err(Failure::refused)?,
    };
    Ok(Samples { data, parts })
}

/// Reads the samples of files, or those that events are made into.
fn read(
    source: &Source,
    validation: &Validation,
    paths: &[PathBuf],
    data: &mut Dataset,
    threads: NonZeroUsize,
    progress: Progress,
) -> Result<(), Failure> {
    match source {
        Source::Synthetic { .. } => Ok(()),
        Source::Files { num_samples } => {
            let group_by = match validation {
                Validation::Split { group_by, .. } => group_by.as_deref(),
                Validation::Separate => None,
            };
            input::read_all(
                paths,
                group_by,
                data,
                num_samples.unwrap_or(u64::MAX),
                threads,
                progress,
            )
        }
        Source::Events {
            session_by,
            session_gap,
            label_field,
            num_samples,
        } => {
            let rules = SessionRules {
                session_by: session_by.clone(),
                session_gap: *session_gap,
                label_field: label_field.clone(),
            };
            sessions::read_all(paths, &rules, data, num_samples.unwrap_or(u64::MAX), progress)
        }
    }
}
