//! `anomaly-train inspect`: what is in a model file, for people.

use crate::cli::failure::{Failure, shown};
use crate::cli::model;
use crate::cli::output::Output;
use crate::cli::report::is_told;
use crate::cli::shared_args::ModelsDir;
use crate::cli::threshold::as_given;
use anomaly_train::command_only::{name, one_line};
use anomaly_train::logs::Mapping;
use anomaly_train::options::count;
use anomaly_train::{
    Artifact, DataSummary, Fitted, Model, ModelKind, OpenUnitInterval, Pattern, PatternWeight, Run, Source, Validation,
    Verdict,
};
use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;
use std::fmt::Write;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct InspectArgs {
    /// The model file [default: the current model]
    #[arg(value_name = "MODEL")]
    pub(crate) model: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) models_dir: ModelsDir,

    /// How many actions, n-grams and pairs to name for and against
    #[arg(long, value_name = "N", default_value = "10", value_parser = count)]
    pub(crate) top: usize,

    /// Write one JSON object instead of the tables
    #[arg(long)]
    pub(crate) json: bool,
}

/// The object that `--json` writes.
#[derive(Serialize)]
struct Summary<'a> {
    model_path: String,
    digest: String,
    created_at: Option<DateTime<Utc>>,
    verdict: Option<&'a Verdict>,
    run: &'a Run,
    data: Option<&'a DataSummary>,
    metrics: Option<&'a anomaly_train::metrics::Metrics>,
    training_samples: anomaly_train::ClassCounts,
    actions: usize,
    ngrams: usize,
    #[serde(flatten)]
    learned: Learned,
}

/// What is in the model beside its actions and n-grams.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Learned {
    Labelled {
        pairs: usize,
        fitted: Fitted,
        speak_for: Vec<PatternWeight>,
        speak_against: Vec<PatternWeight>,
    },
    NormalOnly {
        promise: OpenUnitInterval,
        calibration_samples: u64,
        /// The actions that most normal samples have, and how many have them.
        usual: Vec<Usual>,
    },
}

/// An action, and how many normal training samples have it.
#[derive(Serialize)]
struct Usual {
    action: String,
    samples: u64,
}

impl Learned {
    fn of(model: &Model, most: usize) -> Self {
        match model {
            Model::Labelled(model) => {
                let (speak_for, speak_against) = model.top_features(most);
                Self::Labelled {
                    pairs: model.pair_count(),
                    fitted: *model.fitted(),
                    speak_for,
                    speak_against,
                }
            }
            Model::NormalOnly(normal) => {
                let mut actions: Vec<(&str, u64)> = model.actions().collect();
                actions.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
                let usual = actions.into_iter().take(most).map(|(action, samples)| Usual {
                    action: action.to_owned(),
                    samples,
                });
                Self::NormalOnly {
                    promise: normal.threshold().complement(),
                    calibration_samples: normal.calibration_samples(),
                    usual: usual.collect(),
                }
            }
        }
    }

    /// The tables for people.
    fn write(&self, text: &mut String) {
        match self {
            Self::Labelled {
                speak_for,
                speak_against,
                ..
            } => {
                for (title, patterns) in [("for an anomaly", speak_for), ("for a normal sequence", speak_against)] {
                    let _ = writeln!(text, "\nwhat speaks most {title}\n   weight   normal  anomalous");
                    for PatternWeight { pattern, weight, seen } in patterns {
                        let name = shown_pattern(pattern);
                        let _ = writeln!(
                            text,
                            "  {weight:>+7.3}  {:>7}  {:>9}  {name}",
                            seen.normal, seen.anomalous
                        );
                    }
                }
            }
            Self::NormalOnly { usual, .. } => {
                let _ = writeln!(text, "\nwhat is usual\n  samples");
                for Usual { action, samples } in usual {
                    let _ = writeln!(text, "  {samples:>7}  {}", name(action));
                }
            }
        }
    }
}

pub(crate) fn run(args: &InspectArgs) -> Result<(), Failure> {
    let (artifact, path) = model::load(args.model.as_deref(), &args.models_dir.path)?;
    let model = &artifact.model;
    let learned = Learned::of(model, args.top);
    let mut output = Output::stdout();
    if args.json {
        output.json_line(&Summary {
            model_path: path.display().to_string(),
            digest: artifact.digest(),
            created_at: artifact.created_at,
            verdict: artifact.verdict.as_ref(),
            run: &artifact.run,
            data: artifact.data.as_ref(),
            metrics: artifact.metrics.as_ref(),
            training_samples: model.training_samples(),
            actions: model.action_count(),
            ngrams: model.ngram_count(),
            learned,
        })?;
        return output.finish();
    }
    let mut text = format!("model        {}\n", shown(&path));
    text.push_str(&description(&artifact));
    learned.write(&mut text);
    output.write(&text)?;
    output.finish()
}

fn shown_pattern(pattern: &Pattern) -> String {
    let name = pattern.to_string();
    if name.chars().count() > 100 {
        name.chars().take(97).chain("...".chars()).collect()
    } else {
        name
    }
}

/// When, from what and how good, one thing a line.
fn description(artifact: &Artifact) -> String {
    let model = &artifact.model;
    let samples = model.training_samples();
    let created = artifact
        .created_at
        .map_or_else(|| "unknown".to_owned(), |time| time.to_rfc3339());
    let mut lines = vec![
        ("digest", artifact.digest()),
        ("created", created),
        (
            "training",
            match model.kind() {
                ModelKind::Labelled => format!("{} normal and {} anomalous samples", samples.normal, samples.anomalous),
                ModelKind::NormalOnly => format!("{} normal samples, without labels", samples.normal),
            },
        ),
    ];
    let knows = format!("{} actions, {} n-grams", model.action_count(), model.ngram_count());
    match model {
        Model::Labelled(model) => {
            let config = model.config();
            lines.extend([
                (
                    "knows",
                    format!(
                        "{knows} of 2 to {}, {} ordered pairs",
                        config.ngram_size,
                        model.pair_count()
                    ),
                ),
                ("threshold", as_given(model.threshold().get())),
                (
                    "options",
                    format!(
                        "seed {}, at most {} epochs, batch size {}",
                        config.seed, config.epochs, config.batch_size
                    ),
                ),
                ("fitted", model.fitted().to_string()),
            ]);
        }
        Model::NormalOnly(model) => {
            let config = model.config();
            lines.extend([
                ("knows", format!("{knows} of 2 to {}", config.ngram_size)),
                (
                    "promise",
                    format!(
                        "{} false alarms: threshold {}, p-values count {} samples",
                        model.threshold().complement(),
                        as_given(model.threshold().get()),
                        model.calibration_samples()
                    ),
                ),
                (
                    "options",
                    format!("seed {}, window of {} actions", config.seed, config.window),
                ),
            ]);
        }
    }
    if let Some(wish) = artifact.run.threshold_for.filter(|_| artifact.origin.is_none()) {
        lines.push(("chosen for", wish.to_string()));
    }
    if let Some(origin) = &artifact.origin {
        lines.push(("origin", format!("another threshold of the model with digest {origin}")));
    }
    if let Some(data) = &artifact.data {
        lines.push(("data", source(&artifact.run)));
        let mapping = &artifact.run.reading.mapping;
        if *mapping != Mapping::default() {
            lines.push(("read by", serde_json::to_string(mapping).unwrap_or_default()));
        }
        lines.push(("data digest", data.digest.clone()));
    }
    if let Some(metrics) = &artifact.metrics {
        let told = metrics.named().into_iter().filter(|(name, _)| is_told(metrics, name));
        let figures = told.map(|(name, value)| match value {
            Some(value) => format!("{name} {value:.4}"),
            None => format!("{name} undefined"),
        });
        lines.push((
            "judged",
            format!(
                "on {} samples: {}",
                metrics.samples,
                figures.collect::<Vec<_>>().join(", ")
            ),
        ));
        if let Some(overlap) = metrics.overlap {
            lines.push((
                "overlap",
                format!("{overlap} of them have a sequence that was also trained on"),
            ));
        }
    }
    if let Some(verdict) = &artifact.verdict {
        lines.push((
            "promoted",
            if verdict.promoted {
                "yes".to_owned()
            } else {
                format!(
                    "no: {}",
                    verdict
                        .reasons
                        .iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                        .join("; ")
                )
            },
        ));
    }
    lines
        .into_iter()
        .map(|(name, value)| format!("{name:<11}  {}\n", one_line(&value)))
        .collect()
}

fn source(run: &Run) -> String {
    let source = match &run.source {
        Source::Synthetic { scenario, num_samples } => {
            format!("{num_samples} synthetic samples, {scenario:?} scenario").to_lowercase()
        }
        Source::Given => "given to the library".to_owned(),
        Source::Files { num_samples: None } => "files".to_owned(),
        Source::Files {
            num_samples: Some(most),
        } => format!("files, the first {most} samples"),
    };
    let validation = match &run.validation {
        Validation::Folds { count } => format!("{count} folds of all samples"),
        Validation::None => "nothing was held back".to_owned(),
        Validation::Split { strategy, train_ratio } => {
            format!("{strategy:?} split, {train_ratio} to train on").to_lowercase()
        }
        Validation::Separate => "validation data of their own".to_owned(),
    };
    match &run.group_by {
        None => format!("{source}; {validation}"),
        Some(field) => format!("{source}, groups by {}; {validation}", one_line(field)),
    }
}
