//! Reads the samples of a run from the files that the command line names.

use super::failure::Failure;
use super::progress::Progress;
use super::{input, sessions};
use anomaly_train::command_only::one_line;
use anomaly_train::events::SessionRules;
use anomaly_train::{DatasetBuilder, GroupField, Origin, ReadOptions, Run, RunError, SampleCount, Samples, Source};
use log::warn;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::slice;

/// The files that samples are read from.
#[derive(Clone, Copy)]
pub(crate) struct Files<'a> {
    pub(crate) data: &'a [PathBuf],
    pub(crate) validation: Option<&'a PathBuf>,
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        Self::refused(error)
    }
}

/// Draws or reads the samples of `run` and divides them.
pub(crate) fn load(run: &Run, files: Files<'_>, threads: NonZeroUsize, progress: Progress) -> Result<Samples, Failure> {
    run.samples(threads, |origin, data| match origin {
        Origin::Data => read(run, files.data, data, threads, progress),
        Origin::Validation => {
            let paths = files.validation.map_or(&[][..], slice::from_ref);
            let options = ReadOptions::default()
                .count_field(run.reading.count_field.as_deref())
                .unlabelled(run.unlabelled());
            input::read_all(paths, &options.threads(threads), data, progress).map(|_| ())
        }
    })
}

/// Warns of a field that looks like a group and is not used.
pub(crate) fn warn_of_group(field: Option<GroupField>) {
    if let Some(GroupField {
        name, values, lines, ..
    }) = field
    {
        let name = one_line(&name);
        warn!(
            "the field \"{name}\" looks like a group ({values} values in the first {lines} lines) and is not used, so \
             figures and calibration hold for known groups only; --group-by {name} keeps groups apart"
        );
    }
}

/// Reads the samples of files, or those that events are made into.
fn read(
    run: &Run,
    paths: &[PathBuf],
    data: &mut DatasetBuilder,
    threads: NonZeroUsize,
    progress: Progress,
) -> Result<(), Failure> {
    match &run.source {
        Source::Given | Source::Synthetic { .. } => Ok(()),
        Source::Files { num_samples } => {
            let options = ReadOptions::default()
                .group_by(run.group_by.as_deref())
                .count_field(run.reading.count_field.as_deref())
                .limit(num_samples.map(SampleCount::get))
                .unlabelled(run.unlabelled())
                .threads(threads);
            warn_of_group(input::read_all(paths, &options, data, progress)?);
            Ok(())
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
                unlabelled: run.unlabelled(),
            };
            sessions::read_all(paths, rules, num_samples.map(SampleCount::get), data, progress)
        }
    }
}
