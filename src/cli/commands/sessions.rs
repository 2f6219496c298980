//! `anomaly-train sessions`: the samples that a log becomes, and what people judged of them.

use crate::cli::failure::{Failure, shown};
use crate::cli::input;
use crate::cli::origin::Origin;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use anomaly_train::events::{FinishedSessions, Session, Time};
use anomaly_train::files::{BadLines, Logs};
use anomaly_train::logs::{Format, recognise};
use anomaly_train::options::LogOptions;
use anomaly_train::{Label, Refusal};
use clap::Args;
use log::{info, warn};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct SessionsArgs {
    /// Logs, plain, gzip or zstd; a folder stands for the files in it, "-" for standard input. With --labels also the alerts that
    /// `monitor` wrote: alone they are the samples, beside their log they say which of its sessions are meant
    #[arg(value_name = "DATA", required = true)]
    pub(crate) data: Vec<PathBuf>,

    /// What people judged, as JSON lines: {"session": ..., "label": 0} or {"alert_id": ..., "label": 1}. Only what was judged is written then
    #[arg(long, value_name = "FILE.jsonl")]
    pub(crate) labels: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) logs: LogOptions,
}

/// What is written of a session.
#[derive(Serialize)]
struct Sample<'a> {
    id: String,
    #[serde(flatten)]
    origin: Origin<'a>,
    sequence: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<Label>,
}

/// What is written of an alert whose session is not at hand.
#[derive(Serialize)]
struct AlertSample<'a> {
    id: &'a str,
    agent_id: Option<&'a str>,
    last: &'a str,
    sequence: &'a [String],
    label: Label,
}

/// An alert, as far as it matters.
#[derive(Deserialize)]
struct Alert {
    alert_id: String,
    timestamp: String,
    #[serde(default)]
    agent_id: Option<String>,
    #[serde(default)]
    session: Option<String>,
    #[serde(default)]
    sequence: Vec<String>,
}

/// A line of the verdicts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VerdictLine<'a> {
    #[serde(borrow, default)]
    session: Option<&'a RawValue>,
    #[serde(default)]
    alert_id: Option<String>,
    label: u8,
    /// For people.
    #[serde(default)]
    #[allow(dead_code)]
    note: Option<String>,
}

/// What people judged.
#[derive(Default)]
struct Verdicts {
    sessions: BTreeMap<String, Label>,
    alerts: BTreeMap<String, Label>,
}

pub(crate) fn run(args: &SessionsArgs, verbosity: i8) -> Result<(), Failure> {
    let mapping = args.logs.mapping()?;
    let paths = input::expand(&args.data)?;
    input::check_distinct(paths.iter().chain(&args.labels))?;
    let verdicts = args.labels.as_deref().map(Verdicts::read).transpose()?;
    let mut logs = Logs::new(&mapping);
    let mut bad = BadLines::new(args.logs.skip_bad_lines);
    let mut alerts = Vec::new();
    for path in &paths {
        let reader = input::open(path, Progress::new(verbosity))?;
        let found = recognise(reader, &mapping).map_err(|error| input::read_failure(path, error))?;
        if found.kind.format == Format::Samples && verdicts.is_some() {
            read_alerts(found.reader, path, &mut alerts)?;
        } else if found.kind.format == Format::Samples && mapping.input_format.is_none() {
            return Err(Failure::refused(format_args!(
                "{}: no log that is known by its beginning; name its kind by --input-format, or its members by --action-field and the like",
                shown(path)
            )));
        } else {
            logs.read(found.kind, &mapping, found.reader, path, &mut bad)?;
        }
    }
    bad.judge(logs.records())?;
    let files = logs.names().to_vec();
    let sessions = logs.finish();
    let mut output = Output::stdout();
    let judged = verdicts.map(|verdicts| verdicts.apply(sessions.as_ref(), &alerts));
    let mut left_out: u64 = 0;
    for (number, session) in sessions.iter().flat_map(FinishedSessions::iter).enumerate() {
        let label = match &judged {
            None => session.label(),
            Some(judged) => match judged.sessions.get(&number) {
                Some(&label) => Some(label),
                None => {
                    left_out += 1;
                    continue;
                }
            },
        };
        output.json_line(&Sample::new(session, &files, label))?;
    }
    for &(alert, label) in judged.iter().flat_map(|judged| &judged.alerts) {
        output.json_line(&AlertSample {
            id: &alert.alert_id,
            agent_id: alert.agent_id.as_deref(),
            last: &alert.timestamp,
            sequence: &alert.sequence,
            label,
        })?;
    }
    output.finish()?;
    if left_out > 0 {
        info!("{left_out} sessions were not judged and left out");
    }
    Ok(())
}

impl<'a> Sample<'a> {
    fn new(session: Session<'a>, files: &[PathBuf], label: Option<Label>) -> Self {
        Self {
            id: session.id(),
            origin: Origin::of(session, files),
            sequence: session.actions().collect(),
            label,
        }
    }
}

/// Reads alerts, and passes over what else stands among them: lines that the monitor refused.
fn read_alerts(reader: impl Read, path: &Path, alerts: &mut Vec<Alert>) -> Result<(), Failure> {
    let mut any = false;
    for (line, number) in BufReader::new(reader).lines().zip(1..) {
        let line = line.map_err(|error| input::read_failure(path, error))?;
        if line.trim().is_empty() {
            continue;
        }
        any = true;
        let value: serde_json::Value = serde_json::from_str(&line)
            .map_err(|error| refused(path, number, &format!("neither an alert nor a log: {error}")))?;
        if value.get("alert_id").is_some() {
            let alert = serde_json::from_value(value);
            alerts.push(alert.map_err(|error| refused(path, number, &format!("no alert: {error}")))?);
        } else if value.get("error").is_none() {
            return Err(refused(
                path,
                number,
                "neither an alert nor a log that is known by its beginning",
            ));
        }
    }
    if any {
        Ok(())
    } else {
        Err(Failure::refused(format_args!(
            "{}: no alerts and no log; the file is empty",
            shown(path)
        )))
    }
}

fn refused(path: &Path, line: u64, problem: &str) -> Failure {
    let refusal = Refusal {
        line,
        column: None,
        problem: anomaly_train::command_only::one_line(problem),
    };
    Failure::refused(format_args!("{}:{refusal}", shown(path)))
}

/// Verdicts brought to what they are about.
struct Judged<'a> {
    /// By the number of the session.
    sessions: BTreeMap<usize, Label>,
    alerts: Vec<(&'a Alert, Label)>,
}

impl Verdicts {
    fn read(path: &Path) -> Result<Self, Failure> {
        let reader = BufReader::new(input::open(path, Progress::new(-1))?);
        let mut verdicts = Self::default();
        for (line, number) in reader.lines().zip(1..) {
            let line = line.map_err(|error| input::read_failure(path, error))?;
            if line.trim().is_empty() {
                continue;
            }
            let expected = "expected {\"session\": ..., \"label\": 0} or {\"alert_id\": ..., \"label\": 1}";
            let wrong = |problem: String| refused(path, number, &format!("{problem}; {expected}"));
            let verdict: VerdictLine<'_> = serde_json::from_str(&line).map_err(|error| wrong(error.to_string()))?;
            let label = match verdict.label {
                0 => Label::Normal,
                1 => Label::Anomalous,
                label => return Err(wrong(format!("the label {label}"))),
            };
            let (map, name) = match (verdict.session, verdict.alert_id) {
                (Some(session), None) => {
                    let text = serde_json::from_str::<String>(session.get());
                    (
                        &mut verdicts.sessions,
                        text.unwrap_or_else(|_| session.get().to_owned()),
                    )
                }
                (None, Some(alert)) => (&mut verdicts.alerts, alert),
                _ => return Err(wrong("not one of session and alert_id".to_owned())),
            };
            if map.insert(name.clone(), label).is_some_and(|before| before != label) {
                return Err(refused(
                    path,
                    number,
                    &format!("{name} was judged otherwise before; keep one of the two"),
                ));
            }
        }
        Ok(verdicts)
    }

    /// Finds what was judged, and says what was not found.
    fn apply<'a>(&self, sessions: Option<&FinishedSessions>, alerts: &'a [Alert]) -> Judged<'a> {
        let mut judged = Judged {
            sessions: BTreeMap::new(),
            alerts: Vec::new(),
        };
        let mut missing: BTreeSet<&str> = self.sessions.keys().map(String::as_str).collect();
        let mut named: BTreeMap<&str, Vec<(usize, Session<'_>)>> = BTreeMap::new();
        for (number, session) in sessions.iter().flat_map(|sessions| sessions.iter()).enumerate() {
            let id = session.id();
            for name in [id.as_str(), session.name()] {
                if let Some((name, &label)) = self.sessions.get_key_value(name) {
                    missing.remove(name.as_str());
                    let before = judged.sessions.insert(number, label);
                    // What was said of this very session counts.
                    if name != &id
                        && let Some(before) = before
                    {
                        judged.sessions.insert(number, before);
                    }
                }
            }
            named.entry(session.name()).or_default().push((number, session));
        }
        let mut alerts_missing: BTreeSet<&str> = self.alerts.keys().map(String::as_str).collect();
        for alert in alerts {
            let Some(&label) = self.alerts.get(&alert.alert_id) else {
                continue;
            };
            alerts_missing.remove(alert.alert_id.as_str());
            let name = alert
                .session
                .as_deref()
                .or(alert.agent_id.as_deref())
                .unwrap_or_default();
            let time = Time::from_rfc3339(&alert.timestamp);
            let covers = |session: &&(usize, Session<'_>)| {
                let (first, last) = (session.1.first(), session.1.last());
                first.map(Time::whole_micros) <= time && time <= last
            };
            match named
                .get(name)
                .and_then(|sessions| sessions.iter().find(covers).or(sessions.first()))
            {
                // One anomalous alert makes a session anomalous.
                Some((number, _)) => {
                    let known = judged.sessions.entry(*number).or_insert(label);
                    *known = label.max(*known);
                }
                None if alert.sequence.is_empty() => {
                    warn!(
                        "alert {} has no actions and its log is not here, so it is left out",
                        alert.alert_id
                    );
                }
                None => judged.alerts.push((alert, label)),
            }
        }
        for name in missing.iter().chain(&alerts_missing).take(10) {
            warn!(
                "nothing is called {}, so that verdict is left out",
                anomaly_train::command_only::name(name)
            );
        }
        let more = missing.len() + alerts_missing.len();
        if more > 10 {
            warn!("{} more verdicts are about nothing here", more - 10);
        }
        judged
    }
}
