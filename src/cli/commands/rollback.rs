//! `anomaly-train rollback`: a way back in the record of promotions.

use crate::cli::failure::{Failure, shown};
use crate::cli::shared_args::ModelsDir;
use crate::cli::{clock, current, signals};
use anomaly_train::registry::{Store, history, load_recorded};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct RollbackArgs {
    /// Go back to this model, which was in use before: its path, or its file name [default: the model that the current one
    /// followed]
    #[arg(long, value_name = "MODEL")]
    pub(crate) to: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) models_dir: ModelsDir,

    /// Write the line of the record by which the model is current instead of a sentence
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) fn run(args: &RollbackArgs) -> Result<(), Failure> {
    let time = clock::now()?;
    let nothing = |why: &str| Failure::refused(format_args!("{}: {why}", shown(&args.models_dir.path)));
    // Asked first, so that a directory without a record is left as it is.
    if history(&args.models_dir.path)?.current().is_none() {
        return Err(nothing("no promoted model here, so there is none to go back from"));
    }
    let store = Store::open(&args.models_dir.path)?;
    let record = store.history();
    let earlier = match &args.to {
        None => record.previous(),
        Some(named) => {
            let in_use = |model: &_| record.last_use_of(model).is_some();
            record.last_use_of(&current::find(named, &args.models_dir.path, in_use)?)
        }
    };
    let (Some(current), Some(earlier)) = (record.current(), earlier) else {
        return Err(nothing(
            "the current model followed no other, so there is none to go back to",
        ));
    };
    // What cannot be used must not become current.
    load_recorded(&args.models_dir.path, earlier)?;
    if earlier.model == current.model {
        return current::say_unchanged(current, args.json);
    }
    let (current, earlier) = (current.model.clone(), earlier.clone());
    let whole = signals::defer();
    let entry = store.return_to(&earlier, time)?;
    drop(whole);
    let model = &entry.model;
    let sentence = format!("{model} is current again, instead of {current}; both stay where they are");
    current::say(&entry, args.json, &sentence, &format!("rolled back to {model}"))
}
