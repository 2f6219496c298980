//! The command line of anomaly-train.

#![warn(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod cli;

fn main() -> std::process::ExitCode {
    cli::run(std::env::args_os()).into()
}
