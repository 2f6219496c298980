//! From samples to a model.

use crate::failure::Failure;
use crate::log_to_python;
use crate::model::Model;
use crate::samples::Samples;
use anomaly_train::files;
use anomaly_train::options::{self, TrainingOptions, parse, thread_count};
use anomaly_train::registry::Store;
use anomaly_train::{Artifact, Origin, Outcome, Run, Samples as Divided, Source, Validation};
use chrono::{DateTime, Utc};
use pyo3::prelude::*;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Where samples are: in Python, or in files.
type From<'a> = (Option<&'a Samples>, &'a [PathBuf]);

/// The number of threads that was asked for, or one for each processor.
pub(crate) fn threads_of(asked: Option<i64>) -> Result<NonZeroUsize, Failure> {
    let asked = asked.map(|asked| options::threads(&asked.to_string())).transpose();
    asked
        .map(thread_count)
        .map_err(|problem| Failure::Refused(format!("threads: {problem}")))
}

/// Puts the samples of a run together, and divides them.
fn divide(run: &Run, data: From<'_>, validation: From<'_>, threads: NonZeroUsize) -> Result<Divided, Failure> {
    let given = |(samples, _): From<'_>| samples.is_some();
    if given(data) || given(validation) {
        return run.samples(threads, |origin, builder| {
            match origin {
                Origin::Data => data,
                Origin::Validation => validation,
            }
            .0
            .map_or(Ok(()), |samples| samples.add_to(run, builder))
        });
    }
    let (data, validation) = (files::expand(data.1)?, files::expand(validation.1)?);
    files::load(run, (&data, &validation), threads, |path| {
        Ok::<_, Failure>(files::open(path, |_, reader| reader)?)
    })
}

/// A model of all samples, which is not judged.
#[pyfunction]
#[pyo3(signature = (samples, options, threads=None))]
pub(crate) fn train(
    py: Python<'_>,
    samples: &Samples,
    options: Vec<String>,
    threads: Option<i64>,
) -> Result<Model, Failure> {
    log_to_python();
    py.detach(|| {
        let threads = threads_of(threads)?;
        let run = Run {
            validation: Validation::None,
            ..options_for(options, samples)?.to_run()?
        };
        let divided = divide(&run, (Some(samples), &[]), (None, &[]), threads)?;
        let outcome = run.carry_out(&divided, threads, |_| ())?;
        Ok(unjudged(run, outcome).into())
    })
}

/// Refuses options that cannot be, whatever the samples.
#[pyfunction]
pub(crate) fn check_options(options: Vec<String>) -> Result<(), Failure> {
    parse::<TrainingOptions>(options)?;
    Ok(())
}

/// The options for samples that are in Python, which have groups and counts or have none.
fn options_for(mut options: Vec<String>, samples: &Samples) -> Result<TrainingOptions, Failure> {
    // The fields stand for columns; what they are called stands in the model file.
    let mut name = |option: &str, usual: &str, is_there: bool| {
        if is_there && !options.iter().any(|given| given.starts_with(&format!("--{option}="))) {
            options.push(format!("--{option}={usual}"));
        }
    };
    name("group-by", "group", samples.is_grouped());
    name("count-field", "count", samples.is_counted());
    // They were read, from wherever they were.
    options.push("--data=-".to_owned());
    Ok(parse(options)?)
}

/// A model as training leaves it.
fn unjudged(run: Run, outcome: Outcome) -> Artifact {
    Artifact {
        run,
        data: Some(outcome.data),
        left_out: outcome.left_out_scores,
        sessions: outcome.sessions,
        ..Artifact::from(outcome.model)
    }
}

/// What a run of the command line leads to: the model with its figures, whether it is promoted, what speaks against that as JSON, and where it was saved if there is a models directory.
type RunResult = (Model, bool, String, Option<(PathBuf, PathBuf)>);

/// A run of the command line. `time` is in seconds since 1970.
#[pyfunction]
#[pyo3(signature = (samples, paths, options, *, validation=None, models_dir=None, time=0, threads=None))]
#[allow(clippy::too_many_arguments, reason = "each is an argument in Python")]
pub(crate) fn run(
    py: Python<'_>,
    samples: Option<&Samples>,
    paths: Vec<PathBuf>,
    mut options: Vec<String>,
    validation: Option<&Samples>,
    models_dir: Option<PathBuf>,
    time: i64,
    threads: Option<i64>,
) -> Result<RunResult, Failure> {
    log_to_python();
    py.detach(|| {
        let threads = threads_of(threads)?;
        let (options, validation_paths) = match samples {
            Some(samples) => {
                if validation.is_some() {
                    options.push("--validation-data=-".to_owned());
                }
                (options_for(options, samples)?, Vec::new())
            }
            None => {
                options.extend(paths.iter().map(|path| format!("--data={}", path.display())));
                let parsed: TrainingOptions = parse(options)?;
                let validation = parsed.validation_data.clone();
                (parsed, validation.into_iter().collect())
            }
        };
        let run = options.to_run()?;
        let created_at: DateTime<Utc> = DateTime::from_timestamp(time, 0).unwrap_or_default();
        let divided = divide(&run, (samples, &paths), (validation, &validation_paths), threads)?;
        let outcome = run.carry_out(&divided, threads, |_| ())?;
        let store = models_dir.as_deref().map(Store::open).transpose()?;
        let (verdict, champion) = match &store {
            Some(store) => store.decide(&run, &divided, &outcome, !options.no_champion, threads)?,
            None => (run.judge(&outcome.evaluation.metrics, None), None),
        };
        let metrics = outcome.evaluation.metrics.clone();
        let artifact = Artifact {
            metrics: Some(metrics),
            verdict: Some(verdict.clone()),
            created_at: Some(created_at),
            ..unjudged(run, outcome)
        };
        let saved = store
            .map(|store| store.save(&artifact, champion.as_ref(), created_at))
            .transpose()?;
        let reasons = serde_json::to_string(&verdict.reasons)?;
        let saved = saved.map(|saved| (saved.model, saved.metrics));
        Ok((artifact.into(), verdict.promoted, reasons, saved))
    })
}

/// Trains again. The first thing that differs, or nothing.
pub(crate) fn again(
    artifact: &Artifact,
    data: From<'_>,
    validation: From<'_>,
    threads: NonZeroUsize,
) -> Result<Option<String>, Failure> {
    let run = &artifact.run;
    let Some(recorded) = artifact.data.as_ref().filter(|_| run.source != Source::Given) else {
        return Err(Failure::Refused(
            "the model does not say what it was trained on".to_owned(),
        ));
    };
    let is_given = data.0.is_some() || !data.1.is_empty();
    if is_given == matches!(run.source, Source::Synthetic { .. }) {
        return Err(Failure::Refused(
            match is_given {
                true => "the model was trained on synthetic samples; verify it without data",
                false => "the model was trained on data; give them",
            }
            .to_owned(),
        ));
    }
    let divided = divide(run, data, validation, threads)?;
    if divided.digest() != recorded.digest {
        return Ok(Some(format!(
            "the data have the digest {}, but the model was trained on {}",
            divided.digest(),
            recorded.digest
        )));
    }
    let outcome = run.carry_out(&divided, threads, |_| ())?;
    // A model that was not judged has no figures.
    let metrics = artifact.metrics.as_ref().and(Some(outcome.evaluation.metrics.clone()));
    let again = Artifact {
        metrics,
        ..unjudged(run.clone(), outcome)
    };
    let difference = artifact.clone().as_trained().first_difference(&again);
    Ok(difference.map(|difference| format!("{difference} as training again gives")))
}
