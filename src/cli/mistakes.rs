//! The samples that a model gets wrong, one by one, with where they stand and why.
//!
//! Judging collapses samples that are alike and forgets where they stood, so the files are read once more.

use super::failure::{Failure, shown};
use super::output::json_line;
use super::progress::Progress;
use super::{input, output_file, signals};
use anomaly_train::files::{BadLines, Logs, Reading};
use anomaly_train::logs::{Format, normalize_name, recognise};
use anomaly_train::registry::replace;
use anomaly_train::{Label, LineChunks, Model, ModelExplanation, Place};
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
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

/// Where the samples are, and how they are read.
pub(crate) struct Files<'a> {
    pub(crate) paths: &'a [PathBuf],
    pub(crate) reading: &'a Reading<'a>,
}

/// A sample, or a session of a log, with where it stands.
struct Found<'a> {
    file: &'a Path,
    line: u64,
    id: Option<&'a RawValue>,
    group: Option<&'a str>,
    count: u64,
    label: Label,
    actions: Vec<Cow<'a, str>>,
}

impl Found<'_> {
    fn actions(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        self.actions.iter().map(AsRef::as_ref)
    }
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
    files.each(|found| {
        let Some(prediction) = scorer
            .predict(found.actions())
            .filter(|prediction| prediction.label != found.label)
        else {
            return;
        };
        let explanation = scorer.explain(found.actions(), EVIDENCE);
        let mistake = Mistake {
            file: found.file.display().to_string(),
            line: found.line,
            id: found.id,
            group: found.group,
            count: found.count,
            label: found.label,
            score: prediction.score,
            threshold,
            sequence: found.actions().collect(),
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
    files.each(|found| {
        let label = found.label;
        let is_it = |(sequence, of): &&(Vec<&str>, Label)| *of == label && found.actions().eq(sequence.iter().copied());
        let Some((sequence, _)) = wanted.iter().find(is_it) else {
            return;
        };
        if places
            .iter()
            .any(|place| place.label == label && place.sequence == *sequence)
        {
            return;
        }
        let id = found.id.map_or_else(String::new, |id| format!(", id {}", id.get()));
        places.push(Place {
            sequence: sequence.iter().map(ToString::to_string).collect(),
            label,
            text: format!("{}:{}{id}", shown(found.file), found.line),
        });
    })?;
    Ok(places)
}

impl Files<'_> {
    /// Reads everything again, samples first. What cannot be read was left out a moment ago.
    fn each(&self, mut see: impl FnMut(&Found<'_>)) -> Result<(), Failure> {
        let reading = self.reading;
        let mapping = reading.mapping;
        let mut logs = Logs::new(mapping);
        for file in self.paths {
            let reader = input::open(file, Progress::new(-1))?;
            let found = recognise(reader, mapping).map_err(|error| input::read_failure(file, error))?;
            if found.kind.format != Format::Samples {
                logs.read(found.kind, mapping, found.reader, file, &mut BadLines::new(None))?;
                continue;
            }
            for chunk in input::chunks(LineChunks::new(found.reader), file) {
                let chunk = chunk?;
                let mut samples = chunk
                    .samples()
                    .group_by(reading.group_by)
                    .count_field(reading.count_field)
                    .unlabelled(reading.unlabelled);
                while let Some(read) = samples.read_labelled() {
                    let Ok(sample) = read else {
                        continue;
                    };
                    let read = sample.unlabelled();
                    let name = |name| {
                        if mapping.normalize_names {
                            normalize_name(name)
                        } else {
                            Cow::Borrowed(name)
                        }
                    };
                    see(&Found {
                        file,
                        line: read.line(),
                        id: read.id(),
                        group: read.group(),
                        count: sample.count().get(),
                        label: sample.label(),
                        actions: read.actions().map(name).collect(),
                    });
                }
            }
        }
        let files = logs.names().to_vec();
        let sessions = logs.into_sessions();
        for session in sessions.iter() {
            let Some(label) = session.label().or(reading.unlabelled) else {
                continue;
            };
            let (file, line) = session.place();
            let id = serde_json::value::to_raw_value(&session.id()).ok();
            see(&Found {
                file: &files[file],
                line,
                id: id.as_deref(),
                group: Some(session.name()),
                count: 1,
                label,
                actions: session.actions().map(Cow::Borrowed).collect(),
            });
        }
        Ok(())
    }
}
