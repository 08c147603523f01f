//! Loads segments from a file onto images that are open: DICOM segmentations, RT structure sets, label maps.
//!
//! In: a file and the images' grid and words. Out: masks on that grid, with names, colours and codes, and what a person
//! should know: the file was made on other images, in another frame of reference, of another patient.
//! Not here: the formats (`io`), the step of the document (`session`).

use std::path::Path;

use crate::domain::grid::Grid;
use crate::domain::mask::Mask;
use crate::domain::segmentation::SegmentInfo;
use crate::domain::series_info::SeriesInfo;
use crate::io::dicom::belongs::{Belongs, belongs_to};
use crate::io::report::Report;
use crate::task::Progress;

use super::convert::{DicomContent, dicom_content, read_contours, read_segments};
use super::open::{ImportError, SeriesKind, scan};

/// Segments on the grid of the images.
#[derive(Debug)]
pub struct LoadedSegments {
    /// In the order of the file.
    pub segments: Vec<(SegmentInfo, Mask)>,
    /// What a person should know.
    pub report: Report,
}

/// Reads a file of segments onto a grid.
///
/// # Errors
/// When the file cannot be read, lies elsewhere in the patient, or the work was cancelled.
pub fn load_segments(
    path: &Path,
    grid: &Grid,
    info: &SeriesInfo,
    progress: &Progress,
) -> Result<LoadedSegments, ImportError> {
    progress.phase("Reading segments");
    let (segments, mut report) = match dicom_content(path) {
        Some(DicomContent::Contours) => {
            let file = read_contours(path, grid, progress)?;
            (file.segments, file.report)
        }
        Some(DicomContent::Model) => {
            return Err(ImportError::Refused(format!("{} holds a model, no segments", path.display())));
        }
        None => {
            let file = read_segments(path, progress)?;
            progress.check()?;
            let segments = file.on_grid(grid)?;
            let mut report = file.report;
            if !file.grid.same_space(grid) {
                report.warning("the segments were made on another grid: each voxel got the value of the nearest one");
            }
            (segments, report)
        }
    };
    progress.check()?;
    if let Some(belongs) = belongs_to(path) {
        doubts(&belongs, info, &mut report);
    }
    for (segment, _) in segments.iter().filter(|(_, mask)| mask.is_empty()) {
        report.warning(format!("{} has no voxel inside these images", segment.name));
    }
    Ok(LoadedSegments { segments, report })
}

fn doubts(belongs: &Belongs, info: &SeriesInfo, report: &mut Report) {
    let differ = |a: &str, b: &str| !a.is_empty() && !b.is_empty() && a != b;
    if differ(&belongs.patient_id, &info.patient_id) {
        report.warning("the segments name ANOTHER PATIENT than the images: check that they belong together");
    }
    if differ(&belongs.frame_of_reference_uid, &info.frame_of_reference_uid) {
        let text = "the segments were made in another frame of reference than the images: check that they lie where they should";
        report.warning(text);
    }
}

/// Whether a file is one of segments, as far as can be told without asking a person.
pub fn is_segmentation(path: &Path) -> bool {
    if !path.is_file() {
        return false;
    }
    if dicom_content(path) == Some(DicomContent::Contours) {
        return true;
    }
    scan(path, &Progress::new())
        .is_ok_and(|found| matches!(found.entries.as_slice(), [entry] if entry.kind == SeriesKind::Segmentation))
}
