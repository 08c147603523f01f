//! Parses the command line, chooses window or headless, prints the error chain, sets the exit code.

use std::process::ExitCode;

use clap::Parser;
use maquette::app;
use maquette::cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log();
    let done = if cli.wants_window() { app::run(cli.path.clone()).map_err(anyhow::Error::from) } else { cli.run() };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

/// One line a cause, the outermost first.
#[allow(clippy::print_stderr, reason = "the one place that prints errors")]
fn report(error: &anyhow::Error) {
    eprintln!("maquette: {error}");
    for cause in error.chain().skip(1) {
        eprintln!("  because: {cause}");
    }
}

/// Logs go to standard error, warnings and worse unless `RUST_LOG` says otherwise.
fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn,wgpu_hal=error".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
