//! The command line: the same engine, headless.
//!
//! Exit codes: 0 done, 1 failed (the error chain is printed to standard error), 2 usage. One file per subcommand.
//! Data goes to standard output, words for people about what went wrong to standard error.

use std::io::Write;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub mod bench;
pub mod convert;
pub mod deidentify;
pub mod dump;
pub mod import_choices;
pub mod info;
pub mod look;
pub mod movie;
pub mod phantom;
pub mod render;
pub mod sample;
pub mod scan;
pub mod segment;
pub mod surface;

/// What stands on every output of this program.
pub const NOT_FOR_DIAGNOSTIC_USE: &str = "Not for diagnostic use";

/// Workstation for a hospital 3D imaging lab: CT and MR to verified models, plans and prints. Not for diagnostic use.
#[derive(Debug, Parser)]
#[command(name = "maquette", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// Folder, DICOM file, NIfTI, NRRD or case to open in the window
    pub path: Option<PathBuf>,

    /// Open the window on the built-in sample case
    #[arg(long, conflicts_with = "path")]
    pub sample: bool,

    /// Write frame times of the window to a file, one JSON object a line (for measuring)
    #[arg(long, value_name = "FILE", hide = true)]
    pub frame_log: Option<PathBuf>,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure import, surface, render and brush on phantoms or given data
    Bench(bench::Args),
    /// Write images or segments in another format: DICOM, NIfTI, NRRD, MetaImage
    Convert(convert::Args),
    /// Write DICOM files without the patient's identity
    Deidentify(deidentify::Args),
    /// List every element of a DICOM file, patient identity included
    Dump(dump::Args),
    /// Say what a path holds: series, geometry, values, memory, and what was repaired or refused
    Info(info::Args),
    /// Write the synthetic sample case as a DICOM series, with its exact truth beside it
    Phantom(phantom::Args),
    /// Make a segment of a value range and write it as .seg.nrrd, a label map or a DICOM segmentation
    Segment(segment::Args),
    /// Draw a volume as a PNG picture
    Render(Box<render::Args>),
    /// Draw a volume that turns once, as an animated PNG or GIF
    Movie(Box<movie::Args>),
    /// List the image series of a folder from their headers, and every file that is in none
    Scan(scan::Args),
    /// Extract a surface and write it as STL
    Surface(surface::Args),
}

impl Cli {
    /// Whether the window is wanted: no subcommand was given.
    pub fn wants_window(&self) -> bool {
        self.command.is_none()
    }

    /// Runs the subcommand.
    ///
    /// # Errors
    /// When the work fails; the chain of causes ends with a sentence a person can act on.
    pub fn run(&self) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        let done = self.run_into(&mut out);
        match done.and_then(|()| Ok(out.flush()?)) {
            Err(error) if is_closed_pipe(&error) => Ok(()),
            done => done,
        }
    }

    /// Does the sample case headless, into [`sample::FOLDER`]: where a window is wanted and there is no display.
    ///
    /// # Errors
    /// As [`Cli::run`].
    pub fn run_sample() -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        writeln!(
            out,
            "There is no display (DISPLAY and WAYLAND_DISPLAY are not set): doing the sample case without a window."
        )?;
        sample::run(std::path::Path::new(sample::FOLDER), &mut out)
    }

    fn run_into(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        match &self.command {
            None => Ok(()),
            Some(Command::Bench(args)) => bench::run(args, out),
            Some(Command::Convert(args)) => convert::run(args, out),
            Some(Command::Deidentify(args)) => deidentify::run(args, out),
            Some(Command::Dump(args)) => dump::run(args, out),
            Some(Command::Info(args)) => info::run(args, out),
            Some(Command::Phantom(args)) => phantom::run(args, out),
            Some(Command::Render(args)) => render::run(args, out),
            Some(Command::Movie(args)) => movie::run(args, out),
            Some(Command::Segment(args)) => segment::run(args, out),
            Some(Command::Scan(args)) => scan::run(args, out),
            Some(Command::Surface(args)) => surface::run(args, out),
        }
    }
}

/// A reader such as `head` that has seen enough is no failure.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
