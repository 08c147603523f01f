//! Conversion between image formats: which file a name asks for, and writing it.
//!
//! In: a volume, or segments of a grid. Out: a file of a research format, or a folder of DICOM files. De-identified: nothing of
//! the patient goes into research files, and a DICOM series gets the words of [`SeriesInfo`] that the caller hands in.
//! Not here: what is read (`ops::open`), removing identity from existing files (`ops::deidentify`).

use std::path::{Path, PathBuf};

use crate::domain::grid::Grid;
use crate::domain::mask::Mask;
use crate::domain::segmentation::SegmentInfo;
use crate::domain::series_info::SeriesInfo;
use crate::domain::volume::Volume;
use crate::io::dicom::{WriteError, write_series};
use crate::io::report::Report;
use crate::io::volume_file::{self, VolumeFileError, VolumeFormat};
use crate::task::Progress;

pub use crate::io::label_map::SegmentationFile;
pub use crate::io::nifti::write::NiftiVersion;
pub use crate::io::volume_file::read_segments;

/// What a name asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A file of a research format.
    Research(VolumeFormat),
    /// A folder of DICOM files, one for each slice.
    DicomFolder,
}

impl Target {
    /// The target of a path: by its ending; a name without one, or a folder that is there, is a DICOM folder.
    ///
    /// # Errors
    /// With a sentence, when the ending is not known.
    pub fn of(path: &Path) -> Result<Self, String> {
        if let Some(format) = volume_file::format_of(path) {
            return Ok(Self::Research(format));
        }
        if path.is_dir() || path.extension().is_none() {
            return Ok(Self::DicomFolder);
        }
        let known = ".nii, .nii.gz, .nrrd, .nhdr, .seg.nrrd, .mha, .mhd, or a folder for DICOM";
        Err(format!("{} has an ending that cannot be written; known are {known}", path.display()))
    }

    /// Whether a name asks for segments by its ending alone.
    pub fn wants_segments(path: &Path) -> bool {
        path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase().ends_with(".seg.nrrd")
    }
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// A research format.
    #[error(transparent)]
    Research(#[from] VolumeFileError),
    /// A DICOM series.
    #[error(transparent)]
    Dicom(#[from] WriteError),
    /// Segments have no place in a series of images.
    #[error("segments cannot be written as a folder of images; write .seg.nrrd, .nii.gz or .mha")]
    SegmentsAsImages,
}

/// What was written, and what the format could not hold exactly.
#[derive(Debug, Default)]
pub struct Converted {
    /// The files.
    pub files: Vec<PathBuf>,
    /// What a person should know.
    pub report: Report,
}

/// Writes a volume.
///
/// # Errors
/// When the medium refuses, the format cannot hold the geometry, or the work was cancelled.
pub fn write_volume(
    path: &Path,
    target: Target,
    version: NiftiVersion,
    volume: &Volume,
    info: &SeriesInfo,
    progress: &Progress,
) -> Result<Converted, ConvertError> {
    match target {
        Target::Research(format) => {
            let report = volume_file::write_volume(path, format, version, volume, progress)?;
            Ok(Converted { files: files_of(path), report })
        }
        Target::DicomFolder => {
            let files = write_series(path, volume, info, progress)?;
            Ok(Converted { files, report: Report::default() })
        }
    }
}

/// Writes segments of one grid as a label map.
///
/// # Errors
/// As [`write_volume`]; when segments overlap and the format has one value for each voxel.
pub fn write_segments(
    path: &Path,
    target: Target,
    version: NiftiVersion,
    grid: &Grid,
    segments: &[(SegmentInfo, Mask)],
    progress: &Progress,
) -> Result<Converted, ConvertError> {
    let Target::Research(format) = target else { return Err(ConvertError::SegmentsAsImages) };
    let segments: Vec<(&SegmentInfo, &Mask)> = segments.iter().map(|(info, mask)| (info, mask)).collect();
    volume_file::write_segments(path, format, version, grid, &segments, progress)?;
    Ok(Converted { files: files_of(path), report: Report::default() })
}

/// The file, and the one with its samples where the format takes two.
fn files_of(path: &Path) -> Vec<PathBuf> {
    let end = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let beside = match end.as_str() {
        "nhdr" if !Target::wants_segments(path) => Some(path.with_extension("raw.gz")),
        "mhd" => Some(path.with_extension("zraw")),
        _ => None,
    };
    std::iter::once(path.to_path_buf()).chain(beside).collect()
}
