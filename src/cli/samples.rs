//! The files that the command line names, and the samples in them.

use super::failure::Failure;
use super::input;
use super::progress::Progress;
use anomaly_train::{Run, RunError, Samples, files};
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
pub(crate) fn load(run: &Run, paths: &Files, threads: NonZeroUsize, progress: Progress) -> Result<Samples, Failure> {
    files::load(run, (&paths.data, &paths.validation), threads, |path| {
        input::open(path, progress)
    })
}
