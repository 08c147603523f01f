//! Parses the command line, chooses window or headless, prints the error chain, sets the exit code.

use std::process::ExitCode;

use clap::Parser;
use maquette::app::{self, Start};
use maquette::cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log();
    let done = match (cli.wants_window(), has_display()) {
        (true, true) => app::run(start_of(&cli), cli.frame_log.clone()).map_err(anyhow::Error::from),
        (true, false) => Cli::run_sample(),
        (false, _) => cli.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

fn start_of(cli: &Cli) -> Start {
    match &cli.path {
        Some(path) => Start::Path(path.clone()),
        None if cli.sample => Start::Sample,
        None => Start::Welcome,
    }
}

/// Whether there is a screen to open a window on; elsewhere than on X11 and Wayland the system says so itself.
fn has_display() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
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
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| "warn,wgpu_hal=off,eframe=off,winit=error,egui_wgpu=error".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
