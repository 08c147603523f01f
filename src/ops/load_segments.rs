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
use crate::domain::volume::Rescale;
use crate::io::dicom::belongs::{Belongs, belongs_to};
use crate::io::report::Report;
use crate::task::Progress;

use super::convert::{DicomContent, dicom_content, read_contours, read_segments};
use super::load_models::model_kind;
use super::open::{ImportError, SeriesKind, load, middle_slice, scan};

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
        doubts(&belongs, info, "segments", &mut report);
    }
    for (segment, _) in segments.iter().filter(|(_, mask)| mask.is_empty()) {
        report.warning(format!("{} has no voxel inside these images", segment.name));
    }
    Ok(LoadedSegments { segments, report })
}

/// Says where a file of segments or models (`what`) names another patient or another frame of reference than the images.
pub(super) fn doubts(belongs: &Belongs, info: &SeriesInfo, what: &str, report: &mut Report) {
    let differ = |a: &str, b: &str| !a.is_empty() && !b.is_empty() && a != b;
    if differ(&belongs.patient_id, &info.patient_id) {
        report.warning(format!("the {what} name ANOTHER PATIENT than the images: check that they belong together"));
    }
    if differ(&belongs.frame_of_reference_uid, &info.frame_of_reference_uid) {
        report.warning(format!(
            "the {what} were made in another frame of reference than the images: check that they lie where they should"
        ));
    }
}

/// What a file holds that could go onto open images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Segments or contours.
    Segments,
    /// Models.
    Models,
    /// A volume of a few whole numbers: labels, or values. Only a person can tell.
    MaybeLabels,
    /// Images, or nothing that is known.
    Other,
}

/// Values besides 0 that a label map has at most.
const MAX_LABELS: usize = 255;

/// What a file holds, as far as can be told without asking a person.
pub fn what_holds(path: &Path, progress: &Progress) -> Holds {
    if !path.is_file() {
        return Holds::Other;
    }
    if model_kind(path).is_some() {
        return Holds::Models;
    }
    let Ok(found) = scan(path, progress) else { return Holds::Other };
    let [entry] = found.entries.as_slice() else { return Holds::Other };
    match entry.kind {
        SeriesKind::Segmentation | SeriesKind::Contours => Holds::Segments,
        SeriesKind::Model => Holds::Models,
        SeriesKind::Dicom => Holds::Other,
        SeriesKind::Nifti | SeriesKind::Nrrd | SeriesKind::MetaImage => {
            let slice = middle_slice(entry).map(|slice| are_labels(&slice.samples, slice.rescale));
            let is_one = slice == Some(true)
                && load(entry, progress, &|_| {})
                    .is_ok_and(|loaded| are_labels(loaded.volume.samples(), loaded.volume.rescale()));
            if is_one { Holds::MaybeLabels } else { Holds::Other }
        }
    }
}

/// Whether values are whole, none is negative and there are few.
fn are_labels(samples: &[i16], rescale: Rescale) -> bool {
    let mut occurs = vec![false; 1 << 16];
    for &sample in samples {
        occurs[(i32::from(sample) + 32768) as usize] = true;
    }
    let mut values = (0..occurs.len()).filter(|&n| occurs[n]).map(|n| rescale.value(n as f64 - 32768.0));
    let is_label = |value: f64| value > -1e-6 && (value - value.round()).abs() < 1e-6;
    values.by_ref().take(MAX_LABELS + 1).all(is_label) && values.next().is_none()
}
