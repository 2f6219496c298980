//! The command line of anomaly-train.

mod cli;

fn main() -> std::process::ExitCode {
    cli::run()
}
