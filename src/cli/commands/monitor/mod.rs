//! `anomaly-train monitor`: from events to alerts, for as long as there are any.

pub(crate) mod args;
mod feed;
mod files;
mod signals;

use crate::cli::failure::{Failure, shown};
use crate::cli::output::{Output, json_line};
use crate::cli::{clock, model, output_file, reading, vocabulary};
use anomaly_train::command_only::one_line;
use anomaly_train::events::{Event, Time};
use anomaly_train::logs::{Log, Mapping};
use anomaly_train::monitor::{Alert, Kind, Monitor};
use anomaly_train::{LineChunk, Model, Refusal};
use args::MonitorArgs;
use feed::Feed;
use files::{ModelFile, StateFile, check_distinct, read_baseline, write_baseline};
use log::{info, warn};
use serde::Serialize;
use signals::Signals;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

/// How long a signal may have to wait when nothing comes in.
const PATIENCE: Duration = Duration::from_millis(100);
/// How often a changed model file is looked for.
const MODEL_EVERY: Duration = Duration::from_secs(1);
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
    models: Vec<ModelFile<'a>>,
    state: Option<StateFile<'a>>,
    feed: Feed,
    /// What reads the input, once it is known what that is.
    log: Option<Log>,
    mapping: Mapping,
    signals: Signals,
    output: Output,
    /// The time of events that do not say when they were, if `SOURCE_DATE_EPOCH` fixes it.
    fixed_time: Option<Time>,
    /// Lines that were refused in this run.
    refused: u64,
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
    if let Some(path) = &args.write_baseline {
        output_file::check("--write-baseline", path)?;
    }
    let (mut models, mut mapping) = (Vec::new(), None);
    args.threshold.check_for(args.model.len())?;
    for path in &args.model {
        let (file, model, of_model) = ModelFile::open(path, &args.threshold)?;
        mapping = mapping.or(Some(of_model));
        models.push((file, model));
    }
    model::check_kinds(models.iter().map(|(file, _)| file.kind()))?;
    let mapping = mapping.unwrap_or_default().overridden_by(args.logs.mapping()?);
    let settings = args.settings(&mapping, read_baseline(args.baseline.as_deref())?);
    let state = args.state.as_deref().map(StateFile::new).transpose()?;
    let (mut monitor, checkpoint) = match &state {
        Some(file) => file.restore(settings)?,
        None => (Monitor::new(settings), None),
    };
    let watching = models.into_iter().map(|(file, model)| {
        watch(&mut monitor, model, args.top);
        file
    });
    let models = watching.collect();
    let feed = Feed::open(&args.input, &mapping, args.follow, checkpoint)?;
    let overflow = monitor.counters().overflow;
    let mut run = Run {
        args,
        monitor,
        models,
        state,
        feed,
        log: None,
        mapping,
        signals,
        output: Output::stdout(),
        fixed_time,
        refused: 0,
        at_end: 0,
        overflow: Some(overflow),
        started: Instant::now(),
        terminal: verbosity >= 0 && std::io::stderr().is_terminal(),
    };
    let ended = run.work();
    run.end(ended)
}

/// Lets a model watch.
fn watch(monitor: &mut Monitor, model: Model, evidence: usize) {
    match model {
        Model::Labelled(model) => monitor.set_model(Arc::new(model), evidence),
        Model::NormalOnly(model) => monitor.set_normal_model(Arc::new(model), evidence),
    }
}

impl Run<'_> {
    /// Takes the input block by block until it ends, something fails or a signal comes.
    fn work(&mut self) -> Result<End, Failure> {
        let (mut minute, mut model_seen) = (Instant::now(), Instant::now());
        loop {
            if let Some(signal) = self.signals.stop() {
                return Ok(End::Signal(signal));
            }
            if self.signals.take_hang_up() {
                self.reload(true);
            } else if model_seen.elapsed() >= MODEL_EVERY {
                model_seen = Instant::now();
                self.reload(false);
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
                    self.warn_of_overflow();
                }
                Ok(Err(failure)) => return Ok(End::Unreadable(failure)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(End::Input),
            }
        }
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
        let arrival = self.fixed_time.or_else(clock::micros);
        let mut event = Event::default();
        let mut alerts = Vec::new();
        let mut text = Vec::new();
        let input = Some(&self.args.input).filter(|input| input.as_os_str() != "-");
        let file = input.map(|input| input.display().to_string());
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
                    self.monitor.push(&event, arrival, &mut alerts).map_err(|late| {
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
                told = self.show(&mut text, &LineError { line, error });
            }
            for mut alert in alerts.drain(..) {
                alert.file = file.clone().filter(|_| alert.agent_id.is_some());
                told = told.and_then(|()| self.show::<Alert>(&mut text, &alert));
            }
            if told.is_err() {
                return (told, events.unread());
            }
        }
        (Ok(()), events.unread())
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

    fn show<T: Serialize>(&mut self, text: &mut Vec<u8>, value: &T) -> Result<(), Failure> {
        text.clear();
        let written = json_line(&mut *text, value);
        // Writing to memory cannot fail.
        debug_assert!(written.is_ok(), "{written:?}");
        self.output.show(text)
    }

    /// Loads the model anew if its file has changed, or if it is asked for.
    fn reload(&mut self, asked: bool) {
        for file in &mut self.models {
            if let Some(model) = file.reload(asked) {
                watch(&mut self.monitor, model, self.args.top);
            }
        }
    }

    fn save(&self) -> Result<(), Failure> {
        let save = |file: &StateFile<'_>| file.save(&self.monitor, self.feed.checkpoint());
        self.state.as_ref().map_or(Ok(()), save)
    }

    /// Ends the work: saves the state, says what is left to say, and sums up.
    fn end(mut self, ended: Result<End, Failure>) -> Result<(), Failure> {
        let mut saved = Ok(());
        let nothing_read = matches!(ended, Ok(End::Unreadable(_))) && !self.feed.has_taken();
        if !nothing_read && matches!(ended, Ok(_) | Err(Failure::Refused(_))) {
            // Before the last comparison, so that a run that goes on from here says what an unbroken one would have said.
            saved = self.save();
        }
        let ended = match (ended, &saved) {
            (Err(failure) | Ok(End::Unreadable(failure)), Err(unsaved)) => {
                warn!("{}", unsaved.lines().join("; "));
                return Err(failure);
            }
            (Ok(End::Unreadable(failure)), _) => return Err(failure),
            (ended, _) => ended?,
        };
        if let End::Input = ended {
            let mut text = Vec::new();
            for alert in self.monitor.finish() {
                self.at_end += 1;
                self.show(&mut text, &alert)?;
            }
        }
        self.output.finish()?;
        if let Some(path) = &self.args.write_baseline {
            write_baseline(path, &self.monitor.risk_scores())?;
        }
        for (seen, known) in self.monitor.unfamiliar() {
            vocabulary::warn_of(seen, known.into_iter());
        }
        if let Some(log) = &self.log {
            reading::tell_of(log.passed_over());
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
        let counters = self.monitor.counters();
        let mut alerts = counters.alerts;
        alerts[Kind::Distributional as usize] += self.at_end;
        let kinds = Kind::ALL.iter().zip(alerts).filter(|&(_, count)| count > 0);
        let kinds: Vec<String> = kinds.map(|(kind, count)| format!("{count} {}", kind.name())).collect();
        let kinds = if kinds.is_empty() {
            String::new()
        } else {
            format!(" ({})", kinds.join(", "))
        };
        let late = match counters.late {
            0 => String::new(),
            count => format!(" ({count} too late)"),
        };
        let overflow = match counters.overflow {
            0 => String::new(),
            count => format!(", {count} events without room for the name of their action"),
        };
        let repeated = match counters.repeated {
            0 => String::new(),
            count => format!(", {count} that came before passed over"),
        };
        format!(
            "{} events{repeated}, {} alerts{kinds}, {} lines refused{late}, {} agents known, {} agents and {} cohorts forgotten for want of room{overflow}",
            counters.events,
            alerts.iter().sum::<u64>(),
            counters.malformed + counters.late,
            self.monitor.agents(),
            counters.evicted_agents,
            counters.evicted_cohorts
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
