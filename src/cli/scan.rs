//! `maquette scan`: what image series a folder holds, from headers alone.
//!
//! Prints no patient identity: its output ends up in logs. Every file that is in no series is named with the reason.

use std::io::Write;
use std::path::PathBuf;

use crate::ops::open::scan_with;
use crate::task::Progress;

use super::import_choices::ImportChoices;
use super::info::{Series, print_series};

/// Where to look.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder (any depth) or file
    pub path: PathBuf,
    /// One JSON object instead of text, with the files of each series
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    choices: ImportChoices,
}

/// Lists the series.
///
/// # Errors
/// When there is nothing at the path, or nothing there is an image.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let found = scan_with(&args.path, args.choices.options(), &Progress::new())?;
    if !args.json {
        return print_series(&found, None, out);
    }
    let series = found.entries.iter().enumerate().map(|numbered| {
        let mut value = serde_json::to_value(Series::of(numbered))?;
        value["paths"] = serde_json::to_value(&numbered.1.files)?;
        Ok(value)
    });
    let series = series.collect::<anyhow::Result<Vec<_>>>()?;
    let left_out = found.left_out.iter().map(|(path, reason)| serde_json::json!({"path": path, "reason": reason}));
    let object = serde_json::json!({
        "path": args.path, "series": series, "left_out": left_out.collect::<Vec<_>>(), "report": found.report,
        "use": crate::cli::NOT_FOR_DIAGNOSTIC_USE,
    });
    Ok(writeln!(out, "{object}")?)
}
