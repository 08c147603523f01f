//! `maquette scan`: what image series a folder, a ZIP or a DICOMDIR holds, from headers alone.
//!
//! With an index of studies, a second visit reads only the files that were changed.
//! Prints no patient identity: its output ends up in logs. Every file that is in no series is named with the reason.

use std::io::Write;
use std::path::PathBuf;

use crate::ops::browse::{Look, Memory, StudyIndex, absolute, scan_place};
use crate::task::Progress;

use super::import_choices::ImportChoices;
use super::info::{Series, print_series};

/// Where to look.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder (any depth), ZIP archive, DICOMDIR or file
    pub path: PathBuf,
    /// One JSON object instead of text, with the files of each series
    #[arg(long)]
    pub json: bool,
    /// Keep what was found in this file (made if it is not there; it holds patient identity), so that the next scan with
    /// it reads only what was changed
    #[arg(long, value_name = "FILE")]
    index: Option<PathBuf>,
    /// Wipe the path out of the index instead of scanning it
    #[arg(long, requires = "index")]
    forget: bool,
    #[command(flatten)]
    choices: ImportChoices,
}

/// Lists the series.
///
/// # Errors
/// When there is nothing at the path, or nothing there is an image.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let index = args.index.as_deref().map(StudyIndex::open).transpose()?;
    if let (Some(index), true) = (&index, args.forget) {
        index.forget(&absolute(&args.path))?;
        return Ok(writeln!(out, "forgotten: {}", args.path.display())?);
    }
    // An index knows files by paths that mean the same from every folder.
    let path = if index.is_some() { absolute(&args.path) } else { args.path.clone() };
    let memory = index.as_ref().map(|index| index as &dyn Memory);
    let how = Look { options: args.choices.options(), memory, on_listing: None };
    let found = scan_place(&path, &how, &Progress::new())?;
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
        "files": found.file_count, "files_read": found.read_count,
        "use": crate::cli::NOT_FOR_DIAGNOSTIC_USE,
    });
    Ok(writeln!(out, "{object}")?)
}
