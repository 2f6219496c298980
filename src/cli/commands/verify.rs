//! `anomaly-train verify`: whether a model file is what its training made of its data.

use crate::cli::failure::{Failure, shown};
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::samples::{Files, load};
use crate::cli::shared_args::{ModelsDir, Threads};
use crate::cli::{memory, model};
use anomaly_train::{Act, Artifact, History, KeyMetrics, ModelPath, Run, Source, Training, Validation, registry};
use clap::{ArgAction, Args};
use log::info;
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct VerifyArgs {
    /// The model file [default: the current model]
    #[arg(value_name = "MODEL")]
    pub(crate) model: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) models_dir: ModelsDir,

    /// The files that the model was trained on; may be repeated, in the same order
    #[arg(long, value_name = "FILE", action = ArgAction::Append)]
    pub(crate) data: Vec<PathBuf>,

    /// What the model was judged on, if it was a file of its own
    #[arg(long, value_name = "FILE", requires = "data")]
    pub(crate) validation_data: Option<PathBuf>,

    /// Check the file alone; do not train again
    #[arg(long, conflicts_with = "data")]
    pub(crate) quick: bool,

    #[command(flatten)]
    pub(crate) threads: Threads,

    /// Write one JSON object instead of lines
    #[arg(long)]
    pub(crate) json: bool,
}

/// One thing that was looked at, and what was found.
#[derive(Serialize)]
struct Check {
    what: &'static str,
    passed: bool,
    found: String,
}

/// The object that `--json` writes.
#[derive(Serialize)]
struct Summary<'a> {
    model_path: String,
    digest: &'a str,
    verified: bool,
    checks: &'a [Check],
}

pub(crate) fn run(args: &VerifyArgs, verbosity: i8) -> Result<(), Failure> {
    let files = Files::new(&args.data, args.validation_data.as_ref())?;
    let (artifact, path) = model::load(args.model.as_deref(), &args.models_dir.path)?;
    if !args.quick {
        check_files(args, &artifact)?;
        memory::check(files.all())?;
    }
    let digest = artifact.digest();
    let mut checks = vec![Check {
        what: "file",
        passed: true,
        found: format!("whole; digest {digest}"),
    }];
    checks.extend(verdict(&artifact));
    checks.extend(origin(&artifact));
    if !args.quick {
        checks.extend(beside(&path, &artifact, &digest)?);
        checks.extend(repeat(args, &files, &artifact, Progress::new(verbosity))?);
    }
    let verified = checks.iter().all(|check| check.passed);
    let mut output = Output::stdout();
    if args.json {
        output.json_line(&Summary {
            model_path: path.display().to_string(),
            digest: &digest,
            verified,
            checks: &checks,
        })?;
    } else {
        output.line(&format!("[INFO] Verifying {}", shown(&path)))?;
        for Check { what, passed, found } in &checks {
            let mark = if *passed { "ok" } else { "FAILED" };
            output.line(&format!("  {what}: {mark}: {found}"))?;
        }
        let result = match (verified, args.quick) {
            (true, false) => "PASS (training again gives the same model)",
            (true, true) => "PASS (the file alone was checked)",
            (false, _) => "FAIL",
        };
        output.line(&format!("[INFO] Verification result: {result}"))?;
    }
    output.finish()?;
    let failed = checks.iter().filter(|check| !check.passed);
    let problems: Vec<String> = failed
        .map(|check| format!("{}: {}: {}", shown(&path), check.what, check.found))
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Failure::Refused(problems))
    }
}

/// Refuses to start without the files that training again needs, or with files that it does not.
fn check_files(args: &VerifyArgs, artifact: &Artifact) -> Result<(), Failure> {
    let Run { source, validation, .. } = &artifact.run;
    if *source == Source::Given {
        return Err(Failure::Usage(
            "the model does not say what it was trained on; only --quick can check it".to_owned(),
        ));
    }
    let from_files = !matches!(source, Source::Synthetic { .. });
    let separate = *validation == Validation::Separate;
    let problem = if from_files && args.data.is_empty() {
        "the model was trained on files; name them with --data, or check the file alone with --quick"
    } else if !from_files && !args.data.is_empty() {
        "the model was trained on synthetic samples; verify it without --data"
    } else if separate && args.validation_data.is_none() {
        "the model was judged on files of their own; name them with --validation-data"
    } else if !separate && args.validation_data.is_some() {
        "the model was judged on a part of its data; verify it without --validation-data"
    } else {
        return Ok(());
    };
    Err(Failure::Usage(problem.to_owned()))
}

/// Whether the verdict in the file follows from the figures in it.
fn verdict(artifact: &Artifact) -> Option<Check> {
    let (verdict, metrics) = (artifact.verdict.as_ref()?, artifact.metrics.as_ref()?);
    let again = artifact.run.judge(metrics, None);
    // The champion, of which the file knows nothing, can only have added reasons against promotion.
    let all_there = again.reasons.iter().all(|reason| verdict.reasons.contains(reason));
    let passed = all_there && verdict.promoted == verdict.reasons.is_empty();
    let stands = if verdict.promoted { "promoted" } else { "not promoted" };
    let follows = if passed { "follows" } else { "does not follow" };
    Some(Check {
        what: "verdict",
        passed,
        found: format!("\"{stands}\" {follows} from the figures and the gate in the file"),
    })
}

/// Whether a model whose threshold was changed is, but for that, the one that it says it was.
fn origin(artifact: &Artifact) -> Option<Check> {
    let origin = artifact.origin.as_ref()?;
    let passed = artifact.clone().as_trained().digest() == *origin;
    let is = if passed { "is" } else { "is not" };
    Some(Check {
        what: "origin",
        passed,
        found: format!("but for its threshold this {is} the model with digest {origin}"),
    })
}

/// What stands beside a model in a models directory: its metrics file, and its line in the record.
fn beside(path: &Path, artifact: &Artifact, digest: &str) -> Result<Vec<Check>, Failure> {
    let path = fs::canonicalize(path).map_err(|error| Failure::at(path, "cannot open", &error))?;
    let folder = path.parent().unwrap_or(&path);
    let name_of = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let (Some(folder_name), Some(name)) = (name_of(folder), name_of(&path)) else {
        return Ok(Vec::new());
    };
    let Ok(model) = ModelPath::try_from(format!("{folder_name}/{name}")) else {
        return Ok(Vec::new());
    };
    let root = folder.parent().unwrap_or(folder);
    let history = registry::history(root)?;
    Ok(vec![
        metrics_file(&root.join(model.metrics()), artifact, digest),
        record(&history, &model, artifact, digest),
    ])
}

/// Whether the metrics file says what the model file says.
fn metrics_file(path: &Path, artifact: &Artifact, digest: &str) -> Check {
    let expected = artifact
        .created_at
        .and_then(|created_at| registry::metrics_json(artifact, digest, created_at).ok());
    let found = match (fs::read(path), expected) {
        (Ok(found), Some(expected)) if found == expected => None,
        (Ok(_), _) => Some(format!("{} says other than the model", shown(path))),
        (Err(error), _) => Some(format!("{}: {error}", shown(path))),
    };
    Check {
        what: "metrics file",
        passed: found.is_none(),
        found: found.unwrap_or_else(|| "says the same as the model".to_owned()),
    }
}

/// Whether the record knows the model, with the same digest, time, figures and verdict.
fn record(history: &History, model: &ModelPath, artifact: &Artifact, digest: &str) -> Check {
    // Without a line of the gate, somebody began another record with this model.
    let (passed, found) = match history.verdict_on(model).or_else(|| history.last_of(model)) {
        None => (
            false,
            "the record does not know this file, so no gate put it here".to_owned(),
        ),
        Some(entry) if entry.digest != digest => {
            (false, format!("the record has digest {} for this file", entry.digest))
        }
        Some(entry) => {
            let verdict = artifact.verdict.as_ref();
            let promoted = model.folder() == "current";
            let (act, judged) = match entry.act {
                Act::Promoted => ("promoted", Some(true)),
                Act::Refused => ("refused", Some(false)),
                Act::PromotedByHand | Act::RolledBack => ("promoted by hand, without a verdict in the record,", None),
            };
            let same = verdict.is_some_and(|v| v.promoted == promoted && v.reasons == entry.reasons)
                && artifact.metrics.as_ref().map(KeyMetrics::from) == entry.metrics
                && judged.is_none_or(|judged| judged == promoted && artifact.created_at == Some(entry.at));
            let differs = if same {
                ""
            } else {
                ", which is not what the file and its folder say"
            };
            (same, format!("{act} {}{differs}", entry.at.to_rfc3339()))
        }
    };
    Check {
        what: "record",
        passed,
        found,
    }
}

/// Passes over samples from which on it is said beforehand what training again costs: some seconds of work.
const MANY_PASSES: u64 = 10_000_000;

/// Says what training again costs, if that is much.
fn announce(samples: u64, epochs: u32) {
    if samples.saturating_mul(epochs.into()) >= MANY_PASSES {
        info!("training again on {samples} samples, up to {epochs} times over each; --quick checks the file alone");
    }
}

/// Trains and judges again, and compares.
fn repeat(args: &VerifyArgs, files: &Files, artifact: &Artifact, progress: Progress) -> Result<Vec<Check>, Failure> {
    let (Some(recorded), run) = (&artifact.data, &artifact.run) else {
        return Ok(Vec::new());
    };
    let passes = match &run.training {
        Training::Labelled(config) => config.epochs.get(),
        Training::NormalOnly(_) => 3,
    };
    announce(recorded.training_samples, passes);
    let threads = args.threads.count();
    let samples = load(run, files, threads, progress)?;
    let digest = samples.digest();
    let same = digest == recorded.digest;
    let mut checks = vec![Check {
        what: "data",
        passed: same,
        found: if same {
            format!("{} samples; digest {digest}", samples.class_counts().total())
        } else {
            format!("digest {digest}, but the model was trained on {}", recorded.digest)
        },
    }];
    if !same {
        return Ok(checks);
    }
    let outcome = run.carry_out(&samples, threads, |_| ())?;
    let again = Artifact {
        run: run.clone(),
        data: Some(outcome.data),
        // A model that was not judged has none.
        metrics: artifact.metrics.as_ref().and(Some(outcome.evaluation.metrics)),
        left_out: outcome.left_out_scores,
        sessions: outcome.sessions,
        ..Artifact::from(outcome.model)
    };
    let difference = artifact.clone().as_trained().first_difference(&again);
    checks.push(Check {
        what: "training",
        passed: difference.is_none(),
        found: match difference {
            None => format!(
                "repeated on {} samples: {} actions, {} n-grams, all weights, counts and metrics the same to the last bit",
                samples.training().1.samples(),
                artifact.model.action_count(),
                artifact.model.ngram_count()
            ),
            Some(difference) => {
                let maker = artifact.tool_version.as_deref().unwrap_or_default();
                let version = env!("CARGO_PKG_VERSION");
                format!("{difference} as training again gives with version {version} (the file: {maker})")
            }
        },
    });
    Ok(checks)
}
