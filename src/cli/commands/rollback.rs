//! `anomaly-train rollback`: a step back in the record of promotions.

use crate::cli::failure::{Failure, shown};
use crate::cli::output::Output;
use crate::cli::{clock, signals};
use anomaly_train::registry::{Store, history, load_recorded};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct RollbackArgs {
    /// The models directory
    #[arg(long, value_name = "DIR", default_value = "models")]
    pub(crate) models_dir: PathBuf,

    /// Write the new line of the record instead of a sentence
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) fn run(args: &RollbackArgs) -> Result<(), Failure> {
    let time = clock::now()?;
    let nothing = |why: &str| Failure::refused(format_args!("{}: {why}", shown(&args.models_dir)));
    // Asked first, so that a directory without a record is left as it is.
    if history(&args.models_dir)?.current().is_none() {
        return Err(nothing("no promoted model here, so there is none to go back from"));
    }
    let store = Store::open(&args.models_dir)?;
    let current = store.history().current();
    let (Some(current), Some(previous)) = (current, store.history().previous()) else {
        return Err(nothing(
            "the current model followed no other, so there is none to go back to",
        ));
    };
    // What cannot be used must not become current.
    load_recorded(&args.models_dir, previous)?;
    let (current, previous) = (current.model.clone(), previous.clone());
    let whole = signals::hold();
    let entry = store.return_to(&previous, time)?;
    drop(whole);
    let mut output = Output::stdout();
    if args.json {
        output.write(&entry.to_line())?;
    } else {
        output.line(&format!(
            "{} is current again, instead of {current}; both stay where they are",
            entry.model
        ))?;
    }
    output.finish()
}
