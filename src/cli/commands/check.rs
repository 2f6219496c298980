//! `anomaly-train check`: what is in labelled data, and what stands against training or judging a model on them.

use crate::cli::failure::{Failure, shown};
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::report::Report;
use crate::cli::shared_args::Threads;
use crate::cli::{html_report_file, input, memory, vocabulary};
use anomaly_train::command_only::name;
use anomaly_train::files::{self, Reading, warn_of_group};
use anomaly_train::options::LogOptions;
use anomaly_train::options::own_field;
use anomaly_train::registry::load_file;
use anomaly_train::{
    Change, CheckReport, Conflicts, DataFindings, DatasetBuilder, Drift, Groups, Label, ModelKind, Profile, STABLE,
    UNSTABLE, Unfamiliar, confusables, data_advice, names_without_parameters,
};
use clap::Args;
use log::{info, warn};
use serde::Serialize;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct CheckArgs {
    /// Labelled samples as JSON lines, or a log, plain, gzip or zstd; a folder stands for the files in it, "-" for standard input; several
    /// are taken together
    #[arg(value_name = "DATA", required = true)]
    pub(crate) data: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) logs: LogOptions,

    /// Top-level field that names what belongs together, such as a task or a host
    #[arg(long, value_name = "FIELD", value_parser = own_field)]
    pub(crate) group_by: Option<String>,

    /// Top-level field that says how many samples a line stands for
    #[arg(long, value_name = "FIELD", value_parser = own_field)]
    pub(crate) count_field: Option<String>,

    /// Look at data to learn from without labels: samples without one are normal ones
    #[arg(long)]
    pub(crate) normal_only: bool,

    /// Say what is new, gone and more frequent against the training part of this model, and whether it matters to its scores
    #[arg(long, value_name = "FILE")]
    pub(crate) model: Option<PathBuf>,

    /// Also write a page for people
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) threads: Threads,

    /// Write one JSON object instead of lines
    #[arg(long)]
    pub(crate) json: bool,
}

/// The object that `--json` writes.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(title = "Check", deny_unknown_fields))]
pub(crate) struct Summary<'a> {
    /// What is there.
    pub(crate) data: &'a Profile,
    /// How that differs from what the model was trained on; null without one.
    pub(crate) drift: Option<&'a Drift>,
    /// What stands against it, in sentences.
    pub(crate) advice: &'a [String],
}

pub(crate) fn run(args: &CheckArgs, verbosity: i8) -> Result<(), Failure> {
    html_report_file::check(args.report.as_ref())?;
    let paths = input::expand(&args.data)?;
    input::check_distinct(&paths)?;
    memory::check(&paths)?;
    let artifact = args.model.as_deref().map(load_file).transpose()?;
    let threads = args.threads.count();
    let of_model = artifact.as_ref().map(|artifact| artifact.run.reading.mapping.clone());
    let mapping = of_model.unwrap_or_default().overridden_by(args.logs.mapping()?);
    let reading = Reading {
        mapping: &mapping,
        skip_bad_lines: args.logs.skip_bad_lines,
        unlabelled: args.normal_only.then_some(Label::Normal),
        limit: None,
        threads,
        group_by: args.group_by.as_deref(),
        count_field: args.count_field.as_deref(),
    };
    let mut samples = DatasetBuilder::new().normalize_names(mapping.normalize_names);
    warn_of_group(files::read_all(&paths, &reading, &mut samples, |path| {
        input::open(path, Progress::new(verbosity))
    })?);
    let data = samples.build_on(threads);
    if data.is_empty() {
        return Err(Failure::refused("no samples to look at; the data are empty"));
    }
    let profile = Profile::of(&data);
    let drift = artifact
        .as_ref()
        .map(|artifact| Drift::of(&artifact.model, &data, threads));
    let advice = data_advice(&DataFindings {
        samples: profile.samples,
        normal_sequences: profile.normal_sequences,
        conflicts: profile.conflicts,
        actions: profile.actions,
        actions_seen_once: profile.actions_seen_once,
        confusables: &confusables(&data),
        names: names_without_parameters(&data),
        kind: if args.normal_only {
            ModelKind::NormalOnly
        } else {
            ModelKind::Labelled
        },
    });
    if let Some(artifact) = &artifact {
        let model = &artifact.model;
        vocabulary::warn_of(&Unfamiliar::of(model, &data), model.actions().map(|(name, _)| name));
    }
    let paths: Vec<String> = args.data.iter().map(|path| shown(path).to_string()).collect();
    let source = paths.join(", ");
    if let Some(path) = &args.report {
        let page = CheckReport {
            source: &source,
            data: &profile,
            advice: &advice,
            drift: drift.as_ref(),
        };
        html_report_file::write(path, page.render())?;
        info!("report saved to {}", shown(path));
    }
    let mut output = Output::stdout();
    if args.json {
        output.json_line(&Summary {
            data: &profile,
            drift: drift.as_ref(),
            advice: &advice,
        })?;
        return output.finish();
    }
    let mut report = Report::new(output, verbosity < 0);
    report.line(&format!("[INFO] Checking {source}"));
    describe(&profile, &mut report);
    if let Some(drift) = &drift {
        compare(drift, &mut report);
    }
    advice.iter().for_each(|sentence| warn!("{sentence}"));
    report.finish()
}

/// What is there, one thing a line.
fn describe(profile: &Profile, report: &mut Report) {
    let all = profile.samples.total();
    let percent = |part: u64| format!("{:.1} %", 100.0 * part as f64 / all as f64);
    let (normal, anomalous) = (profile.samples.normal, profile.samples.anomalous);
    report.line(&format!(
        "  samples: {all}; {normal} normal, {anomalous} anomalous ({}); {} more without an action",
        percent(anomalous),
        profile.skipped_empty
    ));
    let repeats = all - profile.sequences;
    report.line(&format!(
        "  sequences: {} different; {repeats} samples repeat one ({})",
        profile.sequences,
        percent(repeats)
    ));
    let lengths = profile.lengths;
    report.line(&format!(
        "  lengths: {} to {} actions; half of the samples have up to {}, nine in ten up to {}",
        lengths.least, lengths.most, lengths.median, lengths.ninetieth
    ));
    let frequent = profile.most_frequent.iter().take(5);
    let frequent: Vec<String> = frequent
        .map(|(action, count)| format!("{} ({})", name(action), percent(*count)))
        .collect();
    report.line(&format!(
        "  actions: {} names, {} of them in one sample only; in most samples: {}",
        profile.actions,
        profile.actions_seen_once,
        frequent.join(", ")
    ));
    let Conflicts {
        sequences,
        samples,
        lost,
    } = profile.conflicts;
    report.line(&format!(
        "  labels: {sequences} sequences with both, in {samples} samples; best accuracy that they allow: {:.4}",
        1.0 - lost as f64 / all as f64
    ));
    if let Some(groups) = profile.groups {
        let Groups {
            count,
            smallest,
            largest,
            of_one_class,
            shared_samples,
        } = groups;
        report.line(&format!(
            "  groups: {count} of {smallest} to {largest} samples, {of_one_class} of one class only; {shared_samples} samples ({}) have a \
             sequence that stands in another group too",
            percent(shared_samples)
        ));
    }
}

/// What changed against the training part of the model.
fn compare(drift: &Drift, report: &mut Report) {
    let psi = drift.population_stability;
    let verdict = match psi {
        ..STABLE => "like training",
        STABLE..UNSTABLE => "somewhat other than in training",
        _ => "other than in training",
    };
    report.line(&format!(
        "[INFO] Against the training part of the model: actions are {verdict} (population stability {psi:.4}, Jensen-Shannon {:.4} bits)",
        drift.jensen_shannon
    ));
    report.line(&format!(
        "  scores: {:.4} on average, where {:.4} of the training samples were anomalous; {:.4} are reported",
        drift.mean_score, drift.trained_share, drift.reported
    ));
    let moves = drift.log_odds.map_or_else(String::new, |log_odds| {
        format!("; how often known ones occur moves the log odds by {log_odds:+.3} on average")
    });
    report.line(&format!(
        "  new actions are in {:.1} % of the samples{moves}",
        100.0 * drift.samples_with_new_actions
    ));
    if !drift.changes.is_empty() {
        report.line("  action                          in training     now  log odds");
    }
    for Change {
        action,
        before,
        now,
        weight,
    } in &drift.changes
    {
        let weight = match weight {
            Some(weight) => format!("{weight:+.3}"),
            None if *before > 0.0 => "-".to_owned(),
            None => "new".to_owned(),
        };
        report.line(&format!(
            "  {:<30}  {before:>11.4}  {now:>6.4}  {weight:>8}",
            name(action)
        ));
    }
}
