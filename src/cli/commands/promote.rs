//! `anomaly-train promote`: a stored model is put into use, whatever the gate said of it.

use crate::cli::failure::Failure;
use crate::cli::shared_args::ModelsDir;
use crate::cli::{clock, current, signals, threshold};
use anomaly_train::registry::{Store, history, load_file, load_recorded};
use anomaly_train::{Artifact, ModelPath, Resolved, Threshold};
use chrono::{DateTime, Utc};
use clap::Args;
use log::info;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct PromoteArgs {
    /// A model in the models directory, be it a candidate or one that was in use before: its path, or its file name
    #[arg(value_name = "MODEL")]
    pub(crate) model: PathBuf,

    /// Give it another threshold: a model file of its own is made, which says what it comes from. A number, or f1, recall=R,
    /// precision=R, false-alarms=R
    #[arg(long, value_name = "T")]
    pub(crate) anomaly_threshold: Option<Threshold>,

    #[command(flatten)]
    pub(crate) models_dir: ModelsDir,

    /// Write the line of the record by which the model is current instead of a sentence
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) fn run(args: &PromoteArgs) -> Result<(), Failure> {
    let time = clock::now()?;
    let file = |model: &_| args.models_dir.path.join(ToString::to_string(model));
    // Asked first, so that a directory without models is left as it is.
    let record = history(&args.models_dir.path)?;
    let model = current::find(&args.model, &args.models_dir.path, |model| {
        record.last_of(model).is_some() || file(model).exists()
    })?;
    let store = Store::open(&args.models_dir.path)?;
    let record = store.history();
    // What cannot be used must not become current.
    let artifact = match record.last_of(&model) {
        Some(entry) => load_recorded(&args.models_dir.path, entry)?,
        None => load_file(&file(&model))?,
    };
    if let Some(asked) = args.anomaly_threshold {
        return with_threshold(args, store, &model, &artifact, asked, time);
    }
    let before = match record.current() {
        Some(current) if current.model == model => return current::say_unchanged(current, args.json),
        current => current.map(|current| current.model.clone()),
    };
    let whole = signals::defer();
    let entry = store.promote(&model, &artifact, time)?;
    drop(whole);
    let mut sentence = format!("{model} is current now");
    if let Some(before) = before {
        sentence += &format!(", instead of {before}; both stay where they are");
    }
    if !entry.reasons.is_empty() {
        sentence += "; the gate had refused it, and history says why";
    }
    current::say(&entry, args.json, &sentence, &format!("promoted {model}"))
}

/// Makes a model file that differs in its threshold, and puts it into use.
fn with_threshold(
    args: &PromoteArgs,
    store: Store,
    model: &ModelPath,
    artifact: &Artifact,
    asked: Threshold,
    time: DateTime<Utc>,
) -> Result<(), Failure> {
    let Resolved { threshold, chosen, .. } = artifact.threshold(asked, None).map_err(Failure::refused)?;
    if threshold == artifact.model.threshold() {
        return Err(Failure::refused(format_args!(
            "{model} has the threshold {threshold} already; promote it without --anomaly-threshold"
        )));
    }
    if let Some(chosen) = chosen {
        info!("threshold {}", threshold::described(&chosen));
    }
    let made = Artifact {
        created_at: Some(time),
        tool_version: None,
        ..artifact.clone().with_threshold(threshold)
    };
    let whole = signals::defer();
    let entry = store.save_by_hand(&made, model, time)?;
    drop(whole);
    let sentence = format!(
        "{} is current now: {model} with the threshold {} instead of {}, whose figures it still shows; {model} stays where it is",
        entry.model,
        threshold::as_given(threshold.get()),
        threshold::as_given(artifact.model.threshold().get())
    );
    current::say(&entry, args.json, &sentence, &format!("promoted {}", entry.model))
}
