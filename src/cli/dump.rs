//! `maquette dump`: all that a DICOM file says, element by element.
//!
//! Prints patient identity: that is what it is for. Its output is for the screen of the lab.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;

use crate::ops::open::tags;

/// What to list.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// DICOM file
    pub path: PathBuf,
    /// A JSON array instead of text
    #[arg(long)]
    pub json: bool,
}

/// Lists the elements of a file.
///
/// # Errors
/// When it is no DICOM file or damaged.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let rows = tags(&args.path).with_context(|| format!("{} cannot be listed", args.path.display()))?;
    if args.json {
        return Ok(writeln!(out, "{}", serde_json::to_string(&rows)?)?);
    }
    for row in rows {
        let indent = "  ".repeat(row.depth as usize);
        writeln!(out, "{indent}{} {} {:<32} {}", row.tag, row.vr, row.name, row.value)?;
    }
    Ok(())
}
