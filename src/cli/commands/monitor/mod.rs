//! `anomaly-train monitor`: from events to alerts, for as long as there are any.

pub(crate) mod args;
mod feed;
mod files;
mod metrics_file;
mod signals;
mod speaker;

use crate::cli::failure::{Failure, shown};
use crate::cli::output::json_line;
use crate::cli::{clock, model, output_file, vocabulary};
use anomaly_train::command_only::one_line;
use anomaly_train::events::{Event, Time};
use anomaly_train::logs::{Log, Mapping};
use anomaly_train::monitor::{Alert, Aside, Counters, Kind, Monitor};
use anomaly_train::{LineChunk, Model, Refusal};
use args::MonitorArgs;
use feed::Feed;
use files::{Loaded, ModelSource, StateFile, check_distinct, read_baseline, read_ignored, write_baseline};
use log::{info, warn};
use metrics_file::Figures;
use serde::Serialize;
use signals::Signals;
use speaker::Speaker;
use std::collections::VecDeque;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

/// How long a signal may have to wait when nothing comes in.
const PATIENCE: Duration = Duration::from_millis(100);
/// How often another model is looked for and the metrics are written.
const SECOND: Duration = Duration::from_secs(1);
/// How long a signal waits for whoever reads the alerts. What cannot be said by then is in the state.
const LAST_WORDS: Duration = Duration::from_millis(300);
/// How often the state is saved and the status line is shown.
const MINUTE: Duration = Duration::from_secs(60);

/// What is written for a line that is no event.
#[derive(Serialize)]
struct LineError {
    line: u64,
    error: String,
}

/// Why the work ended without failing.
enum End {
    /// The input ended.
    Input,
    /// A signal with this number came.
    Signal(u8),
    /// Reading failed. All that was read before has been taken in.
    Unreadable(Failure),
}

/// A run of the monitor.
struct Run<'a> {
    args: &'a MonitorArgs,
    monitor: Monitor,
    models: Vec<ModelSource<'a>>,
    state: Option<StateFile<'a>>,
    feed: Feed,
    /// What reads the input, once it is known what that is.
    log: Option<Log>,
    mapping: Mapping,
    signals: Signals,
    speaker: Speaker,
    /// How many events had come at some moments, the last of them first being the latest.
    came: VecDeque<(u64, Instant)>,
    /// Whether an event without a time was at the moment at which it comes: in a file it was with the one before it.
    knows_arrival: bool,
    /// The time of events that do not say when they were, if `SOURCE_DATE_EPOCH` fixes it.
    fixed_time: Option<Time>,
    /// Lines that were refused in this run.
    refused: u64,
    /// Alerts that were raised in this run.
    raised: u64,
    /// Alerts that the end of the input led to, which the monitor does not count.
    at_end: u64,
    /// How many events had an action without room for its name at the start, until that is warned of.
    overflow: Option<u64>,
    started: Instant,
    terminal: bool,
}

pub(crate) fn run(args: &MonitorArgs, verbosity: i8) -> Result<(), Failure> {
    let signals = Signals::install()?;
    if args.follow && args.input.as_os_str() == "-" {
        return Err(Failure::Usage(
            "--follow needs the name of a file that grows".to_owned(),
        ));
    }
    let fixed_time = clock::fixed()?.and_then(|time| Time::from_micros(time.timestamp_micros()));
    check_distinct(args)?;
    for (option, path) in [
        ("--write-baseline", &args.write_baseline),
        ("--metrics-file", &args.metrics_file),
    ] {
        if let Some(path) = path {
            output_file::check(option, path)?;
        }
    }
    args.threshold.check_for(args.model.len())?;
    if args.expect_digest.is_some() && args.model.is_empty() && args.models_dir.is_none() {
        return Err(Failure::Usage(
            "--expect-digest needs --model or --models-dir".to_owned(),
        ));
    }
    let loaded = ModelSource::all(args)?;
    model::check_kinds(loaded.iter().map(|(source, _)| source.kind()))?;
    let mapping = loaded.first().map(|(_, loaded)| loaded.mapping.clone());
    let mapping = mapping.unwrap_or_default().overridden_by(args.logs.mapping()?);
    let settings = args
        .options
        .settings(&mapping, read_baseline(args.baseline.as_deref())?, args.watches());
    let ignored = read_ignored(args.ignore.as_deref())?;
    let state = args.state.as_deref().map(StateFile::new).transpose()?;
    let (mut monitor, aside) = match &state {
        Some(file) => file.restore(settings)?,
        None => (Monitor::new(settings), Aside::default()),
    };
    monitor.set_ignored(ignored);
    let watching = loaded.into_iter().map(|(source, loaded)| {
        watch(&mut monitor, loaded, args.top);
        source
    });
    let models = watching.collect();
    let feed = Feed::open(&args.input, &mapping, args.follow, aside.checkpoint)?;
    let Counters { overflow, events, .. } = monitor.counters();
    let mut run = Run {
        args,
        monitor,
        models,
        state,
        feed,
        log: None,
        mapping,
        signals,
        speaker: Speaker::start(),
        // What the state holds that waits came before now.
        came: VecDeque::from([(events, Instant::now())]),
        knows_arrival: !feed::is_file(&args.input),
        fixed_time,
        refused: 0,
        raised: 0,
        at_end: 0,
        overflow: Some(overflow),
        started: Instant::now(),
        terminal: verbosity >= 0 && std::io::stderr().is_terminal(),
    };
    let ended = run.say_rest(&aside).and_then(|()| run.work());
    run.end(ended)
}

/// Lets a model watch.
fn watch(monitor: &mut Monitor, loaded: Loaded, evidence: usize) {
    match loaded.model {
        Model::Labelled(model) => monitor.set_model(Arc::new(model), evidence, loaded.baseline),
        Model::NormalOnly(model) => monitor.set_normal_model(Arc::new(model), evidence),
    }
}

impl Run<'_> {
    /// Says what an earlier run could not.
    fn say_rest(&mut self, aside: &Aside) -> Result<(), Failure> {
        for line in &aside.unsaid {
            self.say(format!("{line}\n").as_bytes())?;
        }
        Ok(())
    }

    /// Takes the input block by block until it ends, something fails or a signal comes.
    fn work(&mut self) -> Result<End, Failure> {
        let (mut minute, mut second) = (Instant::now(), Instant::now());
        self.write_metrics();
        loop {
            if let Some(signal) = self.signals.stop() {
                return Ok(End::Signal(signal));
            }
            if self.signals.take_hang_up() {
                self.reload(true);
            } else if second.elapsed() >= SECOND {
                second = Instant::now();
                self.reload(false);
                self.write_metrics();
            }
            if minute.elapsed() >= MINUTE {
                minute = Instant::now();
                // A full disk now may have room again at the end.
                if let Err(failure) = self.save() {
                    warn!("{}", failure.lines().join("; "));
                }
                self.show_status();
            }
            match self.feed.next(PATIENCE) {
                Ok(Ok(chunk)) => {
                    self.take(&chunk)?;
                    self.came.push_back((self.monitor.counters().events, Instant::now()));
                    self.look_at_waiting()?;
                    self.warn_of_overflow();
                }
                Ok(Err(failure)) => return Ok(End::Unreadable(failure.into())),
                Err(RecvTimeoutError::Timeout) => {
                    self.speaker.wait(|| true)?;
                    self.look_at_waiting()?;
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(End::Input),
            }
        }
    }

    /// Looks at the events that wait for older ones, if these should have come by now: nothing has come for as long as events wait, or the first of
    /// them has waited twice as long.
    fn look_at_waiting(&mut self) -> Result<(), Failure> {
        let waiting = self.monitor.waiting() as u64;
        let looked_at = self.monitor.counters().events - waiting;
        while self.came.front().is_some_and(|&(count, _)| count <= looked_at) {
            self.came.pop_front();
        }
        let patience = self.monitor.settings().reorder.as_seconds();
        let since = |came: Option<&(u64, Instant)>| came.map_or(0.0, |(_, at)| at.elapsed().as_secs_f64());
        let in_vain = since(self.came.back()) >= patience || since(self.came.front()) >= 2.0 * patience;
        if waiting == 0 || !in_vain {
            return Ok(());
        }
        let mut alerts = Vec::new();
        self.monitor.flush(&mut alerts);
        self.raise(&mut alerts)
    }

    /// Takes the events of a block, until a signal comes. Each alert is shown before the next event is looked at.
    fn take(&mut self, chunk: &LineChunk) -> Result<(), Failure> {
        let mut log = match self.log.take() {
            Some(log) => log,
            None => Log::of(self.feed.kind(), &self.mapping, &shown(&self.args.input).to_string()).without_labels(),
        };
        let mut taken = Ok(());
        if self.args.follow && log.records(&LineChunk::default()).is_some() {
            // What is in a line is taken as a whole, so that a place between two lines says how far the work has come.
            for line in chunk.clone().split(usize::MAX) {
                if taken.is_ok() && self.signals.stop().is_none() {
                    let records = log.records(&line).unwrap_or_default();
                    taken = self.take_events(&mut log, &records, false).0;
                    self.feed.take(&line, 0);
                }
            }
        } else {
            let unread;
            (taken, unread) = self.take_events(&mut log, chunk, true);
            self.feed.take(chunk, unread);
        }
        self.log = Some(log);
        taken
    }

    /// Takes the events of `chunk`, until a signal comes if it may stop this. Also returns how many bytes of it are left.
    fn take_events(&mut self, log: &mut Log, chunk: &LineChunk, may_stop: bool) -> (Result<(), Failure>, usize) {
        let arrival = self.fixed_time.or_else(clock::micros).filter(|_| self.knows_arrival);
        let mut event = Event::default();
        let mut alerts = Vec::new();
        let mut events = log.events(chunk);
        while !may_stop || self.signals.stop().is_none() {
            let Some(read) = events.read(&mut event) else {
                break;
            };
            if read.is_err() {
                self.monitor.note_malformed();
            }
            if self.args.follow {
                // Lines are counted from where this run began, which means nothing to anybody.
                event.line = 0;
            }
            let taken = read
                .map_err(|refusal| (refusal.problem.clone(), refusal))
                .and_then(|()| {
                    self.monitor.push(&mut event, arrival, &mut alerts).map_err(|late| {
                        let (line, problem) = (events.line(), late.to_string());
                        let column = None;
                        (problem.clone(), Refusal { line, column, problem })
                    })
                });
            let mut told = Ok(());
            if let Err((error, refusal)) = taken {
                if self.args.strict {
                    let problem = format!("{}:{refusal}", shown(&self.args.input));
                    return (Err(Failure::refused(problem)), events.unread());
                }
                self.refused += 1;
                let line = refusal.line;
                told = self.show(&LineError { line, error });
            }
            if !alerts.is_empty() {
                told = told.and_then(|()| self.raise(&mut alerts));
            }
            if told.is_err() {
                return (told, events.unread());
            }
        }
        (Ok(()), events.unread())
    }

    /// Says alerts.
    fn raise(&mut self, alerts: &mut Vec<Alert>) -> Result<(), Failure> {
        let input = Some(&self.args.input).filter(|input| input.as_os_str() != "-");
        let file = input.map(|input| input.display().to_string());
        for mut alert in alerts.drain(..) {
            self.raised += 1;
            alert.file = file.clone().filter(|_| alert.agent_id.is_some());
            self.show(&alert)?;
        }
        Ok(())
    }

    fn show<T: Serialize>(&mut self, value: &T) -> Result<(), Failure> {
        let mut text = Vec::new();
        let written = json_line(&mut text, value);
        // Writing to memory cannot fail.
        debug_assert!(written.is_ok(), "{written:?}");
        self.say(&text)
    }

    fn say(&self, line: &[u8]) -> Result<(), Failure> {
        self.speaker.say(line, || self.signals.stop().is_some())
    }

    /// Says once that names have no room.
    fn warn_of_overflow(&mut self) {
        let now = self.monitor.counters().overflow;
        if self.overflow.take_if(|before| *before < now).is_some() {
            let most = self.monitor.settings().max_actions;
            warn!(
                "there is no room for more than {most} names of actions; others are taken for one, \"(other)\" (see --max-actions)"
            );
        }
    }

    /// Loads models anew if others have taken their place, or if it is asked for; then also the list of what to pass over.
    fn reload(&mut self, asked: bool) {
        for source in &mut self.models {
            let Some(loaded) = source.reload(asked) else {
                continue;
            };
            let mapping = loaded
                .mapping
                .clone()
                .overridden_by(self.args.logs.mapping().unwrap_or_default());
            if mapping != self.mapping {
                warn!(
                    "the model was trained on events that were read in another way than this run reads them; start the run anew"
                );
            }
            if self.args.models_dir.is_some() {
                self.monitor.unset_models();
            }
            watch(&mut self.monitor, loaded, self.args.top);
        }
        if asked && let Some(path) = &self.args.ignore {
            match read_ignored(Some(path)) {
                Ok(ignored) => self.monitor.set_ignored(ignored),
                Err(failure) => warn!(
                    "what is ignored is kept as it was: {}",
                    one_line(&failure.lines().join("; "))
                ),
            }
        }
    }

    fn save(&self) -> Result<(), Failure> {
        let Some(file) = &self.state else {
            return Ok(());
        };
        let aside = Aside {
            checkpoint: self.feed.checkpoint(),
            unsaid: self.speaker.unsaid(),
        };
        file.save(&self.monitor, &aside)
    }

    /// Keeps the figures for Prometheus, if they are wanted. That this fails stops nothing.
    fn write_metrics(&self) {
        let Some(path) = &self.args.metrics_file else {
            return;
        };
        let figures = Figures {
            counters: self.counters(),
            agents: self.monitor.agents(),
            waiting: self.monitor.waiting(),
            latest: self.monitor.latest(),
            now: self.fixed_time.or_else(clock::micros),
            models: self
                .models
                .iter()
                .map(|model| (model.kind().to_string(), model.digest().to_owned()))
                .collect(),
        };
        if let Err(failure) = metrics_file::write(path, &figures) {
            warn!("{}", failure.lines().join("; "));
        }
    }

    /// What has been done, with what the end of the input led to.
    fn counters(&self) -> Counters {
        let mut counters = self.monitor.counters();
        counters.alerts[Kind::Distributional as usize][0] += self.at_end;
        counters
    }

    /// Says what the events that wait for older ones lead to, as none are expected any more, and saves the state. A run that goes on from there
    /// says none of it again: what waits, waits on in the state.
    fn end_waiting(&mut self) -> Result<(), Failure> {
        let mut alerts = Vec::new();
        let mut ahead = None;
        if self.state.is_some() && self.monitor.waiting() > 0 {
            let mut monitor = self.monitor.clone();
            monitor.flush(&mut alerts);
            self.monitor.note_said(&alerts);
            ahead = Some(monitor);
        } else {
            self.monitor.flush(&mut alerts);
        }
        self.raise(&mut alerts)?;
        self.wait_for_reader(None)?;
        let saved = self.save();
        if let Some(ahead) = ahead {
            self.monitor = ahead;
        }
        saved
    }

    /// Waits until all is said, no longer than `most` if there is such a limit, and not after a signal.
    fn wait_for_reader(&self, most: Option<Duration>) -> Result<(), Failure> {
        let start = Instant::now();
        let stop = || match most {
            Some(most) => start.elapsed() >= most,
            None => self.signals.stop().is_some(),
        };
        self.speaker.wait(stop)
    }

    /// Ends the work: saves the state, says what is left to say, and sums up.
    fn end(mut self, ended: Result<End, Failure>) -> Result<(), Failure> {
        let nothing_read = matches!(ended, Ok(End::Unreadable(_))) && !self.feed.has_taken();
        let saved = match &ended {
            Ok(End::Signal(_)) if self.state.is_some() => self.wait_for_reader(Some(LAST_WORDS)).and(self.save()),
            Ok(_) | Err(Failure::Refused(_)) if !nothing_read => self.end_waiting(),
            _ => Ok(()),
        };
        let (mut ended, saved) = match (ended, saved) {
            (Err(failure) | Ok(End::Unreadable(failure)), Err(unsaved)) => {
                warn!("{}", unsaved.lines().join("; "));
                return Err(failure);
            }
            (Ok(End::Unreadable(failure)), _) => return Err(failure),
            (_, Err(failure @ (Failure::Output(_) | Failure::OutputClosed))) => return Err(failure),
            (ended, saved) => (ended?, saved),
        };
        if let End::Input = ended {
            for alert in self.monitor.finish() {
                self.at_end += 1;
                self.raised += 1;
                self.show(&alert)?;
            }
            self.wait_for_reader(None)?;
        }
        if let (End::Input, Some(signal)) = (&ended, self.signals.stop()) {
            ended = End::Signal(signal);
        }
        self.write_metrics();
        if let Some(path) = &self.args.write_baseline {
            write_baseline(path, &self.monitor.risk_scores())?;
        }
        for (seen, known) in self.monitor.unfamiliar() {
            vocabulary::warn_of(seen, known.into_iter());
        }
        if let Some(log) = &self.log {
            anomaly_train::files::tell_of(log.passed_over());
            if let Some(record) = log.unmapped() {
                warn!(
                    "no record has an action; --action-field names the member that is one, and --records-at the array that holds the records. The \
                     first record: {}",
                    one_line(record)
                );
            }
        }
        info!("{}", self.summary());
        // Whatever else there was to say has been said.
        saved?;
        match ended {
            End::Signal(number) => Err(Failure::Stopped(number)),
            End::Input if self.args.exit_code && self.raised > 0 => Err(Failure::Alerted),
            End::Input if self.refused > 0 => {
                let lines = match self.refused {
                    1 => "1 line was refused; the error in its place says why".to_owned(),
                    count => format!("{count} lines were refused; the errors in their places say why"),
                };
                Err(Failure::refused(format_args!("{}: {lines}", shown(&self.args.input))))
            }
            End::Input => Ok(()),
            End::Unreadable(failure) => Err(failure),
        }
    }

    fn summary(&self) -> String {
        let counters = self.counters();
        let alerts = counters.alerts_by_kind();
        let kinds = Kind::ALL.iter().zip(alerts).filter(|&(_, count)| count > 0);
        let kinds: Vec<String> = kinds.map(|(kind, count)| format!("{count} {}", kind.name())).collect();
        let kinds = if kinds.is_empty() {
            String::new()
        } else {
            format!(" ({})", kinds.join(", "))
        };
        let some = |count: u64, what: &str| match count {
            0 => String::new(),
            count => format!(", {count} {what}"),
        };
        let waiting = self.monitor.waiting() as u64;
        format!(
            "{} events{}{}{}, {} alerts{kinds}{}{}, {} lines refused, {} agents known, {} agents and {} cohorts forgotten for want of room{}",
            counters.events,
            some(counters.repeated, "that came before passed over"),
            some(counters.late, "late"),
            some(waiting, "waiting for older ones"),
            alerts.iter().sum::<u64>(),
            some(counters.held_back, "held back"),
            some(counters.ignored, "ignored"),
            counters.malformed,
            self.monitor.agents(),
            counters.evicted_agents,
            counters.evicted_cohorts,
            some(counters.overflow, "events without room for the name of their action"),
        )
    }

    /// One line on a terminal, nothing elsewhere.
    fn show_status(&self) {
        if self.terminal {
            let seconds = self.started.elapsed().as_secs();
            // If the terminal is gone there is nobody to tell.
            let _ = writeln!(std::io::stderr(), "after {} min: {}", seconds / 60, self.summary());
        }
    }
}
