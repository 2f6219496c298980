//! `anomaly-train history` and `rollback`: the record of promotions, and a step back in it.

use super::args::{HistoryArgs, RollbackArgs};
use super::clock;
use super::failure::{Failure, shown};
use super::model;
use super::output::Output;
use super::store::{self, Store};
use anomaly_train::text::one_line;
use anomaly_train::{Act, Entry};
use log::warn;

pub(crate) fn show(args: &HistoryArgs) -> Result<(), Failure> {
    let history = store::history(&args.models_dir)?;
    if history.is_torn() {
        warn!("the last line of the record is cut off; it does not count, and the next run that saves removes it");
    }
    let mut output = Output::stdout();
    if args.json {
        for entry in history.entries() {
            output.json_line(entry)?;
        }
        return output.finish();
    }
    if history.entries().is_empty() {
        output.line(&format!("{}: nothing was recorded yet", shown(&args.models_dir)))?;
        return output.finish();
    }
    let current = history.current();
    output.line("  when                  what         accuracy      f1     ece  model")?;
    for entry in history.entries() {
        let mark = if current.is_some_and(|current| std::ptr::eq(current, entry)) {
            '*'
        } else {
            ' '
        };
        let figure = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
        let metrics = entry.metrics.as_ref();
        output.line(&format!(
            "{mark} {}  {:<11}  {:>8}  {:>6}  {:>6}  {}",
            entry.at.format("%Y-%m-%dT%H:%M:%SZ"),
            what(entry.act),
            figure(metrics.and_then(|metrics| metrics.accuracy)),
            figure(metrics.and_then(|metrics| metrics.f1)),
            figure(metrics.and_then(|metrics| metrics.ece)),
            entry.model,
        ))?;
        for reason in &entry.reasons {
            output.line(&format!("      not promoted: {}", one_line(reason)))?;
        }
    }
    output.line(&match current {
        Some(current) => format!("* current: {}, digest {}", current.model, current.digest),
        None => "no model is current".to_owned(),
    })?;
    output.finish()
}

fn what(act: Act) -> &'static str {
    match act {
        Act::Promoted => "promoted",
        Act::Refused => "refused",
        Act::RolledBack => "rolled back",
    }
}

pub(crate) fn roll_back(args: &RollbackArgs) -> Result<(), Failure> {
    let time = clock::now()?;
    let nothing = |why: &str| Failure::refused(format_args!("{}: {why}", shown(&args.models_dir)));
    // Asked first, so that a directory without a record is left as it is.
    if store::history(&args.models_dir)?.current().is_none() {
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
    model::load_recorded(&args.models_dir, previous)?;
    let entry = Entry {
        at: time,
        act: Act::RolledBack,
        model: previous.model.clone(),
        digest: previous.digest.clone(),
        follows: Some(current.model.clone()),
        reasons: Vec::new(),
        metrics: None,
        champion: None,
    };
    store.return_to(&entry)?;
    let mut output = Output::stdout();
    if args.json {
        output.write(&entry.to_line())?;
    } else {
        let current = entry.follows.as_ref().map(ToString::to_string).unwrap_or_default();
        output.line(&format!(
            "{} is current again, instead of {current}; both stay where they are",
            entry.model
        ))?;
    }
    output.finish()
}
