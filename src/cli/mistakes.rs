//! The samples that a model gets wrong, one by one, with where they stand and why.
//!
//! Judging collapses samples that are alike and forgets where they stood, so the files are read once more.

use super::failure::{Failure, shown};
use super::output::json_line;
use super::progress::Progress;
use super::{input, output_file, signals};
use anomaly_train::registry::replace;
use anomaly_train::{Label, LineChunks, Model, ModelExplanation, Place, Sample};
use serde::Serialize;
use serde_json::value::RawValue;
use std::fs;
use std::path::{Path, PathBuf};

/// Actions and n-grams that the explanation of a mistake names.
const EVIDENCE: usize = 5;

/// A sample that a model gets wrong.
#[derive(Serialize)]
struct Mistake<'a> {
    file: String,
    line: u64,
    id: Option<&'a RawValue>,
    group: Option<&'a str>,
    count: u64,
    /// What it is.
    label: Label,
    score: f64,
    threshold: f64,
    sequence: Vec<&'a str>,
    explanation: ModelExplanation,
    sentences: Vec<String>,
}

/// Where the samples are, and what their members mean.
pub(crate) struct Files<'a> {
    pub(crate) paths: &'a [PathBuf],
    pub(crate) group_by: Option<&'a str>,
    pub(crate) count_field: Option<&'a str>,
    /// What a sample without a label is.
    pub(crate) unlabelled: Option<Label>,
}

/// What every such file starts with.
const START: &[u8] = b"{\"file\":";

/// Checks, before any work is done, that mistakes can be written to `path`, and that what stands there, if anything, are older ones.
pub(crate) fn check(path: Option<&PathBuf>, data: &[PathBuf]) -> Result<(), Failure> {
    let Some(path) = path else {
        return Ok(());
    };
    let wrong = |problem: &str| Err(Failure::Usage(format!("--mistakes {}: {problem}", shown(path))));
    if !can_be_read_again(data) {
        return wrong("the samples are read twice for that, so they must be in files and not come through a pipe");
    }
    output_file::check_own("--mistakes", path, START, "older mistakes")
}

/// Writes the samples of `files` that the model gets wrong to `path`, in their order, and says how many lines there are.
pub(crate) fn write(path: &Path, model: &Model, files: &Files<'_>) -> Result<u64, Failure> {
    let (mut text, mut count) = (Vec::new(), 0);
    let mut scorer = model.scorer();
    let threshold = model.threshold().get();
    files.each(|file, sample| {
        let (read, label) = (sample.unlabelled(), sample.label());
        let Some(prediction) = scorer
            .predict(read.actions())
            .filter(|prediction| prediction.label != label)
        else {
            return;
        };
        let explanation = scorer.explain(read.actions(), EVIDENCE);
        let mistake = Mistake {
            file: file.display().to_string(),
            line: read.line(),
            id: read.id(),
            group: read.group(),
            count: sample.count().get(),
            label,
            score: prediction.score,
            threshold,
            sequence: read.actions().collect(),
            sentences: explanation.sentences(),
            explanation,
        };
        // Writing to memory cannot fail.
        let _ = json_line(&mut text, &mistake);
        count += 1;
    })?;
    let _whole = signals::defer();
    replace(path, &text).map_err(|error| Failure::at(path, "cannot write the mistakes", &error))?;
    Ok(count)
}

/// Whether all of these are files: what comes through a pipe is gone when it has been read. One that is not there is another matter.
fn can_be_read_again(paths: &[PathBuf]) -> bool {
    paths
        .iter()
        .all(|path| path.as_os_str() != "-" && fs::metadata(path).map_or(true, |found| found.is_file()))
}

/// Where each of these sequences first stands in `files`; nothing is known of standard input, which is gone.
pub(crate) fn places(wanted: &[(Vec<&str>, Label)], files: &Files<'_>) -> Result<Vec<Place>, Failure> {
    let mut places: Vec<Place> = Vec::new();
    if wanted.is_empty() || !can_be_read_again(files.paths) {
        return Ok(places);
    }
    files.each(|file, sample| {
        let (read, label) = (sample.unlabelled(), sample.label());
        let is_it = |(sequence, of): &&(Vec<&str>, Label)| *of == label && read.actions().eq(sequence.iter().copied());
        let Some((sequence, _)) = wanted.iter().find(is_it) else {
            return;
        };
        if places
            .iter()
            .any(|place| place.label == label && place.sequence == *sequence)
        {
            return;
        }
        let id = read.id().map_or_else(String::new, |id| format!(", id {}", id.get()));
        places.push(Place {
            sequence: sequence.iter().map(ToString::to_string).collect(),
            label,
            text: format!("{}:{}{id}", shown(file), read.line()),
        });
    })?;
    Ok(places)
}

impl Files<'_> {
    /// Reads all samples again. All lines were good a moment ago.
    fn each(&self, mut see: impl FnMut(&Path, Sample<'_>)) -> Result<(), Failure> {
        for file in self.paths {
            for chunk in input::chunks(LineChunks::new(input::open(file, Progress::new(-1))?), file) {
                let chunk = chunk?;
                let mut samples = chunk
                    .samples()
                    .group_by(self.group_by)
                    .count_field(self.count_field)
                    .unlabelled(self.unlabelled);
                while let Some(read) = samples.read_labelled() {
                    see(
                        file,
                        read.map_err(|refusal| Failure::refused(format_args!("{}:{refusal}", shown(file))))?,
                    );
                }
            }
        }
        Ok(())
    }
}
