//! Everything that knows of a terminal, paths and the clock.

mod args;
mod clock;
mod commands;
mod current;
mod failure;
mod html_report_file;
mod input;
mod memory;
mod mistakes;
mod model;
mod origin;
mod output;
mod output_file;
mod progress;
mod report;
mod samples;
#[cfg(all(test, feature = "schema"))]
mod schema;
mod shared_args;
#[cfg(test)]
mod shell;
mod signals;
mod streams;
mod style;
mod summary;
mod threshold;
mod vocabulary;

use anomaly_train::command_only::one_line;
use anstyle::Style;
use args::{Cli, Command};
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Id};
use commands::{
    check, evaluate, generate, history, inspect, monitor, predict, promote, rollback, sessions, train, verify,
};
use failure::Failure;
use log::{Level, LevelFilter};
use output::Output;
use std::ffi::OsString;
use std::io::Write;
use std::panic;
use std::thread;
use style::paint;

/// Runs the program, the first of whose arguments is its name, and says how it ended.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    // A panic is a mistake in this program. It must not look like anything else, nor end with another exit code than any
    // failure that is not the user's.
    panic::set_hook(Box::new(|problem| {
        let problem = one_line(&problem.to_string().replace('\n', " "));
        let _ = writeln!(
            std::io::stderr(),
            "anomaly-train: error: internal error, please report it: {problem}"
        );
    }));
    // How much stack there is does not depend on the limit that the program was started under (`ulimit -s`). If the system
    // gives no thread, the work is done here.
    let again = arguments.clone();
    match thread::Builder::new().stack_size(STACK).spawn(move || work(arguments)) {
        Ok(worker) => worker.join().unwrap_or(FAILED),
        Err(_) => work(again),
    }
}

/// Bytes of stack for the work: what the main thread usually has.
const STACK: usize = 8 << 20;
/// The exit code after a mistake in this program.
const FAILED: u8 = 1;

fn work(arguments: Vec<OsString>) -> u8 {
    match panic::catch_unwind(|| streams::check_stdout().and_then(|()| dispatch(&parse(arguments)?))) {
        Ok(Ok(())) => 0,
        Ok(Err(failure)) => explain(failure),
        Err(_) => FAILED,
    }
}

/// Reads the command line. The options of training belong to no subcommand, so they are refused before one.
fn parse(arguments: Vec<OsString>) -> Result<Cli, Failure> {
    let matches = Cli::command().try_get_matches_from(arguments)?;
    let is_given = |matches: &ArgMatches, id: &Id| matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
    if let Some((command, of_command)) = matches.subcommand() {
        // Not conflicts of clap's, for which what the environment says counts as given.
        let wants_one = ["evaluate", "inspect", "predict", "verify"].contains(&command);
        let names_both = wants_one
            && ["model", "models_dir"]
                .iter()
                .all(|name| of_command.ids().any(|id| id == name && is_given(of_command, id)));
        if names_both {
            return Err(Failure::Usage(
                "--models-dir says where the current model is looked for, and a model was named; give one of the two (see --help)"
                    .to_owned(),
            ));
        }
        let given = |id: &&Id| is_given(&matches, id);
        let shared = |id: &&Id| ["verbose", "quiet"].contains(&id.as_str());
        if let Some(id) = matches.ids().find(|id| given(id) && !shared(id)) {
            let option = id.as_str().replace('_', "-");
            return Err(Failure::Usage(format!(
                "--{option} stands before the subcommand {command}, whose options go after it (see --help)"
            )));
        }
    }
    Ok(Cli::from_arg_matches(&matches)?)
}

fn dispatch(cli: &Cli) -> Result<(), Failure> {
    start_logging(cli.verbosity());
    // A monitor ends in good order by itself.
    if !matches!(cli.command, Some(Command::Monitor(_))) {
        signals::watch();
    }
    match &cli.command {
        None => train::run(&cli.train, cli.verbosity()),
        Some(Command::Train(args)) => train::run(args, cli.verbosity()),
        Some(Command::Generate(args)) => generate::run(args),
        Some(Command::Predict(args)) => predict::run(args),
        Some(Command::Sessions(args)) => sessions::run(args, cli.verbosity()),
        Some(Command::Monitor(args)) => monitor::run(args, cli.verbosity()),
        Some(Command::Check(args)) => check::run(args, cli.verbosity()),
        Some(Command::Evaluate(args)) => evaluate::run(args, cli.verbosity()),
        Some(Command::Inspect(args)) => inspect::run(args),
        Some(Command::Verify(args)) => verify::run(args, cli.verbosity()),
        Some(Command::History(args)) => history::run(args),
        Some(Command::Rollback(args)) => rollback::run(args),
        Some(Command::Promote(args)) => promote::run(args),
    }
}

/// Says on standard error why the program ends, and returns its exit code.
fn explain(failure: Failure) -> u8 {
    if let Failure::Help(text) = failure {
        let mut output = Output::stdout();
        let text = if style::wanted(&std::io::stdout()) {
            text
        } else {
            anstream::adapter::strip_str(&text).to_string()
        };
        let written = output.write(&text).and_then(|()| output.finish());
        return written.map_or_else(explain, |()| 0);
    }
    let mut stderr = std::io::stderr();
    let coloured = style::wanted(&stderr);
    for line in failure.lines() {
        // If standard error is closed as well there is nobody left to tell.
        let _ = writeln!(
            stderr,
            "anomaly-train: {} {line}",
            paint("error:", style::BAD, coloured)
        );
    }
    for tip in failure.tips() {
        let _ = writeln!(stderr, "  {} {tip}", paint("tip:", style::TIP, coloured));
    }
    failure.exit_code()
}

/// Warnings go to standard error as `[WARN] ...`; `RUST_LOG` overrides `-v` and `-q`.
fn start_logging(verbosity: i8) {
    let level = match verbosity {
        ..=-2 => LevelFilter::Error,
        -1 => LevelFilter::Warn,
        0 => LevelFilter::Info,
        1 => LevelFilter::Debug,
        2.. => LevelFilter::Trace,
    };
    let coloured = style::wanted(&std::io::stderr());
    env_logger::Builder::new()
        .filter_level(level)
        .parse_default_env()
        .format(move |out, record| {
            let style = match record.level() {
                Level::Error => style::BAD,
                Level::Warn => style::WARNING,
                _ => Style::new(),
            };
            writeln!(out, "[{}] {}", paint(record.level(), style, coloured), record.args())
        })
        .init();
}
