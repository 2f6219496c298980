//! Reads the samples of a run from the files that the command line names.

use super::failure::Failure;
use super::input;
use super::progress::Progress;
use super::reading::{self, Reading};
use anomaly_train::command_only::one_line;
use anomaly_train::{GroupField, Origin, Run, RunError, SampleCount, Samples, Source};
use log::warn;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// The files that samples are read from, those of folders one by one.
pub(crate) struct Files {
    data: Vec<PathBuf>,
    validation: Vec<PathBuf>,
}

impl Files {
    /// The files, which must differ.
    pub(crate) fn new(data: &[PathBuf], validation: Option<&PathBuf>) -> Result<Self, Failure> {
        let files = Self {
            data: input::expand(data)?,
            validation: input::expand(validation.map_or(&[], std::slice::from_ref))?,
        };
        input::check_distinct(files.all())?;
        Ok(files)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &PathBuf> {
        self.data.iter().chain(&self.validation)
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        Self::refused(error)
    }
}

/// Draws or reads the samples of `run` and divides them.
pub(crate) fn load(run: &Run, files: &Files, threads: NonZeroUsize, progress: Progress) -> Result<Samples, Failure> {
    run.samples(threads, |origin, data| {
        let reading = Reading {
            mapping: &run.reading.mapping,
            skip_bad_lines: run.reading.skip_bad_lines,
            unlabelled: run.unlabelled(),
            limit: None,
            threads,
            group_by: None,
            count_field: run.reading.count_field.as_deref(),
        };
        match (origin, &run.source) {
            (Origin::Validation, _) => {
                reading::read_all(&files.validation, &reading, data, progress)?;
            }
            (Origin::Data, Source::Given | Source::Synthetic { .. }) => {}
            (Origin::Data, Source::Files { num_samples }) => {
                let reading = Reading {
                    limit: num_samples.map(SampleCount::get),
                    group_by: run.group_by.as_deref(),
                    ..reading
                };
                warn_of_group(reading::read_all(&files.data, &reading, data, progress)?);
            }
        }
        Ok(())
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
