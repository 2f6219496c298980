//! `anomaly-train history`: the record of promotions.

use crate::cli::failure::{Failure, shown};
use crate::cli::output::Output;
use crate::cli::shared_args::ModelsDir;
use anomaly_train::command_only::one_line;
use anomaly_train::{Act, ModelKind, registry};
use clap::Args;
use log::warn;

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    #[command(flatten)]
    pub(crate) models_dir: ModelsDir,

    /// Write the lines of the record as they are
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) fn run(args: &HistoryArgs) -> Result<(), Failure> {
    let history = registry::history(&args.models_dir.path)?;
    if history.has_truncated_tail() {
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
        output.line(&format!("{}: nothing was recorded yet", shown(&args.models_dir.path)))?;
        return output.finish();
    }
    let current = history.current();
    output.line("  when                  what              accuracy      f1     ece  alarms  model")?;
    for entry in history.entries() {
        let mark = if current.is_some_and(|current| std::ptr::eq(current, entry)) {
            '*'
        } else {
            ' '
        };
        let figure = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
        let metrics = entry.metrics.as_ref();
        // Without anomalous samples only the share of false alarms says anything.
        let labelled = metrics.filter(|_| entry.kind == ModelKind::Labelled);
        output.line(&format!(
            "{mark} {}  {:<16}  {:>8}  {:>6}  {:>6}  {:>6}  {}{}",
            entry.at.format("%Y-%m-%dT%H:%M:%SZ"),
            what(entry.act),
            figure(labelled.and_then(|metrics| metrics.accuracy)),
            figure(labelled.and_then(|metrics| metrics.f1)),
            figure(metrics.and_then(|metrics| metrics.ece)),
            figure(metrics.and_then(|metrics| metrics.false_alarm_rate)),
            entry.model,
            if entry.kind == ModelKind::NormalOnly {
                " (normal-only)"
            } else {
                ""
            },
        ))?;
        let against = match entry.act {
            Act::PromotedByHand => "in spite of",
            _ => "not promoted",
        };
        for reason in &entry.reasons {
            output.line(&format!("      {against}: {}", one_line(&reason.text)))?;
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
        Act::PromotedByHand => "promoted by hand",
    }
}
