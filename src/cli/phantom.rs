//! `maquette phantom`: writes the sample case as a DICOM series, with the exact truth about it beside it.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;

use crate::domain::phantom::thorax;
use crate::io::atomic_file::{AtomicFileError, write_atomically};
use crate::io::dicom::write::write_series;
use crate::io::provenance::Software;
use crate::task::Progress;

/// Where to, and how large.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder for the DICOM files and truth.json; made if it is not there
    #[arg(long, value_name = "DIR")]
    pub dicom: PathBuf,
    /// Voxels along the three axes; the same part of the body whatever the size
    #[arg(long, value_name = "NxNxN", default_value = "256x256x200", value_parser = parse_size)]
    pub size: [u32; 3],
    /// Print what was written as JSON
    #[arg(long)]
    pub json: bool,
}

/// The truth file: who wrote it, on which grid, and what is exactly known.
#[derive(serde::Serialize)]
struct TruthFile<'a> {
    software: Software,
    what: &'a str,
    space: &'a str,
    dims: [u32; 3],
    spacing_mm: [f64; 3],
    origin_in_patient_mm: [f64; 3],
    noise_hu: f32,
    truth: thorax::Truth,
}

/// Writes the sample case.
///
/// # Errors
/// When the size makes no image or a file cannot be written.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let progress = Progress::new();
    let grid = thorax::grid(args.size)?;
    let volume = thorax::volume(&grid, &progress)?;
    let files = write_series(&args.dicom, &volume, &thorax::series_info(), &progress)
        .with_context(|| format!("the phantom was not written to {}", args.dicom.display()))?;
    let truth = TruthFile {
        software: Software::default(),
        what: "Synthetic thorax, the sample case",
        space: "DICOM patient coordinates (LPS), mm",
        dims: args.size,
        spacing_mm: grid.spacing_mm().to_array(),
        origin_in_patient_mm: grid.patient_from_voxel().translation.to_array(),
        noise_hu: thorax::NOISE_HU,
        truth: thorax::truth(),
    };
    let path = args.dicom.join("truth.json");
    write_atomically(&path, |file| -> Result<(), AtomicFileError> {
        let failed = |source| AtomicFileError::Io { path: path.clone(), source };
        serde_json::to_writer_pretty(&mut *file, &truth).map_err(|error| failed(error.into()))?;
        file.write_all(b"\n").map_err(failed)
    })?;
    if args.json {
        let written = serde_json::json!({
            "folder": args.dicom, "files": files.len(), "dims": args.size, "truth": path,
        });
        writeln!(out, "{written}")?;
    } else {
        let [ni, nj, nk] = args.size;
        writeln!(out, "{} DICOM files of {ni} x {nj} voxels, {nk} slices, in {}", files.len(), args.dicom.display())?;
        writeln!(out, "What is exactly known of them is in {}", path.display())?;
        writeln!(out, "Synthetic images. {}.", crate::cli::NOT_FOR_DIAGNOSTIC_USE)?;
    }
    Ok(())
}

/// `256x256x200` as three numbers.
fn parse_size(text: &str) -> Result<[u32; 3], String> {
    let numbers: Vec<u32> = text.split(['x', 'X']).filter_map(|part| part.trim().parse().ok()).collect();
    match numbers[..] {
        [ni, nj, nk] if text.split(['x', 'X']).count() == 3 => {
            let size = [ni, nj, nk];
            if size.iter().all(|n| (8..=1024).contains(n)) {
                Ok(size)
            } else {
                Err("each number must be from 8 to 1024".into())
            }
        }
        _ => Err("three numbers are wanted, e.g. 256x256x200".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::parse_size;

    #[test]
    fn sizes_are_three_sane_numbers() {
        assert_eq!(parse_size("256x256x200"), Ok([256, 256, 200]));
        for wrong in ["", "256", "256x256", "1x2x3x4", "axbxc", "0x10x10", "9999999x10x10", "-1x10x10"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }
}
