//! `maquette deidentify`: DICOM files without the patient's identity.

use std::io::Write;
use std::path::PathBuf;

use crate::ops::deidentify::{Dates, Options, deidentify_path};
use crate::task::Progress;

/// What to do, and what may stay.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// DICOM file, ZIP archive, or folder of any depth; archives in it are looked into
    pub path: PathBuf,
    /// File or folder to write
    pub out: PathBuf,
    /// What stays beside the basic profile: uids, device, institution, patient (sex, age, weight), dates
    #[arg(long, value_delimiter = ',', value_name = "WHAT")]
    pub keep: Vec<Keep>,
    /// Texts that stay when what could identify has been taken out: descriptors, reports, graphics. Look through them
    #[arg(long, value_delimiter = ',', value_name = "WHAT")]
    pub clean: Vec<Clean>,
    /// Move dates by this many days instead of removing them, so that intervals stay, e.g. -1234
    #[arg(long, value_name = "DAYS", allow_hyphen_values = true)]
    pub shift_dates: Option<i32>,
    /// One JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

/// What may stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Keep {
    Uids,
    Device,
    Institution,
    Patient,
    Dates,
}

/// What may stay when cleaned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Clean {
    Descriptors,
    Reports,
    Graphics,
}

impl Args {
    fn options(&self) -> Options {
        let keeps = |what| self.keep.contains(&what);
        let cleans = |what| self.clean.contains(&what);
        let dates = match self.shift_dates {
            _ if keeps(Keep::Dates) => Dates::Kept,
            Some(days) => Dates::Shifted { days },
            None => Dates::Removed,
        };
        Options {
            keep_uids: keeps(Keep::Uids),
            keep_device: keeps(Keep::Device),
            keep_institution: keeps(Keep::Institution),
            keep_patient: keeps(Keep::Patient),
            dates,
            clean_descriptors: cleans(Clean::Descriptors),
            clean_structured: cleans(Clean::Reports),
            clean_graphics: cleans(Clean::Graphics),
        }
    }
}

/// Removes identity, and says what a person still has to look at.
///
/// # Errors
/// When there is no DICOM file, or nothing can be written.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let done = deidentify_path(&args.path, &args.out, &args.options(), &Progress::new())?;
    if args.json {
        let object = serde_json::json!({
            "written": done.files.len(), "out": args.out, "report": done.report, "use": crate::cli::NOT_FOR_DIAGNOSTIC_USE,
        });
        return Ok(writeln!(out, "{object}")?);
    }
    for line in &done.report.lines {
        writeln!(out, "{}", line.text)?;
    }
    let plural = if done.files.len() == 1 { "file" } else { "files" };
    Ok(writeln!(out, "written: {} ({} {plural})", args.out.display(), done.files.len())?)
}
