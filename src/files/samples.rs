//! The samples of a run, from files.

use super::FileError;
use super::reading::{Reading, read_all};
use crate::bounds::SampleCount;
use crate::input::samples::GroupField;
use crate::run::{Origin, Run, RunError, Samples, Source};
use crate::text::one_line;
use log::warn;
use std::io::Read;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// Draws the samples of `run`, or reads them from the files `data` and `validation`, and divides them. Warns of a field that looks like a
/// group and is not used.
///
/// # Errors
///
/// If a file cannot be opened or read, holds what is no sample, or the samples cannot be those of this run.
pub fn load<E: From<FileError> + From<RunError>>(
    run: &Run,
    (data, validation): (&[PathBuf], &[PathBuf]),
    threads: NonZeroUsize,
    mut open: impl FnMut(&Path) -> Result<Box<dyn Read + Send>, E>,
) -> Result<Samples, E> {
    run.samples(threads, |origin, samples| {
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
                read_all(validation, &reading, samples, &mut open)?;
            }
            (Origin::Data, Source::Given | Source::Synthetic { .. }) => {}
            (Origin::Data, Source::Files { num_samples }) => {
                let reading = Reading {
                    limit: num_samples.map(SampleCount::get),
                    group_by: run.group_by.as_deref(),
                    ..reading
                };
                warn_of_group(read_all(data, &reading, samples, &mut open)?);
            }
        }
        Ok(())
    })
}

/// Warns of a field that looks like a group and is not used.
pub fn warn_of_group(field: Option<GroupField>) {
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
