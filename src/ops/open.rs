//! Opens images: what the window and the command line both call.
//!
//! In: a path. Out: what there is ([`scan`]), then one of it as a volume ([`load`]), or both at once ([`open`]).
//! Re-exports the types of the import, because the window may not reach into `io`.

use std::path::Path;

use crate::task::Progress;

pub use crate::io::dicom::strip::SliceStrip;
pub use crate::io::dicom::{TagRow, tags};
pub use crate::io::import::{
    Gaps, GrayImage, ImportError, ImportOptions, LoadedVolume, Scan, SeriesEntry, SeriesKind, SlicePreview,
    VolumeSource, load, middle_slice, replan, scan, scan_with, thumbnail,
};
pub use crate::io::report::{Report, ReportLine, Severity};

/// Scans a path and loads one series of it: `series` counts from 0 in the order of the scan, the most sensible one when
/// left out. The report has what the scan and the reader said.
///
/// # Errors
/// As [`scan`] and [`load`]; when there is no such series or none can be loaded, with the reasons.
pub fn open(
    path: &Path,
    series: Option<usize>,
    progress: &Progress,
    on_slice: &(dyn Fn(SlicePreview) + Sync),
) -> Result<LoadedVolume, ImportError> {
    open_with(path, series, ImportOptions::default(), progress, on_slice)
}

/// The same with choices on what to do with missing slices and tilted gantries.
///
/// # Errors
/// As [`open`].
pub fn open_with(
    path: &Path,
    series: Option<usize>,
    options: ImportOptions,
    progress: &Progress,
    on_slice: &(dyn Fn(SlicePreview) + Sync),
) -> Result<LoadedVolume, ImportError> {
    let scan = scan_with(path, options, progress)?;
    let entry = pick(&scan, series)?;
    let mut loaded = load(entry, progress, on_slice)?;
    loaded.report.extend(scan.report);
    Ok(loaded)
}

/// The series with this number, or the most sensible one.
///
/// # Errors
/// When there is no such series.
pub fn pick(scan: &Scan, series: Option<usize>) -> Result<&SeriesEntry, ImportError> {
    let index = series.unwrap_or(0);
    let count = scan.entries.len();
    scan.entries.get(index).ok_or_else(|| {
        let range = if count == 1 { "only series 0".to_owned() } else { format!("series 0 to {}", count - 1) };
        ImportError::Refused(format!("there is no series {index}: {range} was found"))
    })
}
