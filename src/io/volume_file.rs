//! Files of research formats that hold a volume or a label map: which format an ending means, and what their writers share.
//!
//! Where the values of a volume are whole numbers of 16 bits they are written as such; else as 32-bit floats, so that every
//! program reads the true values without knowing of a rescale. Formats that have a rescale of their own may write
//! [`StoredAs::Samples`].
//!
//! Not here: the formats themselves (`nifti`, `nrrd`, `metaimage`), choosing what to convert (`ops::convert`).

use std::path::Path;

use crate::domain::grid::Grid;
use crate::domain::mask::Mask;
use crate::domain::segmentation::SegmentInfo;
use crate::domain::volume::Volume;
use crate::io::atomic_file::AtomicFileError;
use crate::io::dicom_seg;
use crate::io::import::ImportError;
use crate::io::import::samples::SampleKind;
use crate::io::label_map::{LabelMapError, SegmentationFile};
use crate::io::metaimage;
use crate::io::nifti;
use crate::io::nifti::write::NiftiVersion;
use crate::io::nrrd;
use crate::io::report::Report;
use crate::task::{Cancelled, Progress};

/// Why a file was not written. Nothing is half written.
#[derive(Debug, thiserror::Error)]
pub enum VolumeFileError {
    /// Somebody stopped it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The medium refused.
    #[error(transparent)]
    File(#[from] AtomicFileError),
    /// The medium refused while the file was being filled.
    #[error("cannot write the file: {0}")]
    Io(#[from] std::io::Error),
    /// The segments do not fit.
    #[error(transparent)]
    Labels(#[from] LabelMapError),
}

/// A research format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VolumeFormat {
    /// `.nii`, `.nii.gz`.
    Nifti,
    /// `.nrrd`, `.nhdr`, `.seg.nrrd`.
    Nrrd,
    /// `.mha`, `.mhd`.
    MetaImage,
}

/// The format that a file's ending means.
pub fn format_of(path: &Path) -> Option<VolumeFormat> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    match () {
        () if ends(&[".nii", ".nii.gz"]) => Some(VolumeFormat::Nifti),
        () if ends(&[".nrrd", ".nhdr"]) => Some(VolumeFormat::Nrrd),
        () if ends(&[".mha", ".mhd"]) => Some(VolumeFormat::MetaImage),
        () => None,
    }
}

/// Writes a volume; the report says what the format could not hold exactly.
///
/// # Errors
/// When the medium refuses or the work was cancelled; nothing is half written.
pub fn write_volume(
    path: &Path,
    format: VolumeFormat,
    version: NiftiVersion,
    volume: &Volume,
    progress: &Progress,
) -> Result<Report, VolumeFileError> {
    let mut report = Report::default();
    if format == VolumeFormat::Nifti {
        return nifti::write::write_volume(path, volume, version, progress);
    }
    let rounding = StoredAs::values_of(volume).largest_rounding(volume);
    if rounding > 0.0 {
        report.warning(format!("values were written as 32-bit floats; none changed by more than {rounding:.1e}"));
    }
    match format {
        VolumeFormat::MetaImage => metaimage::write::write_volume(path, volume, progress)?,
        _ => nrrd::write_volume(path, volume, progress)?,
    }
    Ok(report)
}

/// Writes segments of one grid as a label map with their names and colours.
///
/// # Errors
/// When segments overlap and the format has one value for each voxel, the medium refuses, or the work was cancelled.
pub fn write_segments(
    path: &Path,
    format: VolumeFormat,
    version: NiftiVersion,
    grid: &Grid,
    segments: &[(&SegmentInfo, &Mask)],
    progress: &Progress,
) -> Result<(), VolumeFileError> {
    match format {
        VolumeFormat::Nifti => nifti::write::write_segments(path, grid, segments, version, progress),
        VolumeFormat::Nrrd => nrrd::write_segmentation(path, grid, segments),
        VolumeFormat::MetaImage => metaimage::write::write_segments(path, grid, segments, progress),
    }
}

/// Reads a label map with its segments; a file of another name is taken for a DICOM segmentation.
///
/// # Errors
/// When the file is damaged or no label map.
pub fn read_segments(path: &Path, progress: &Progress) -> Result<SegmentationFile, ImportError> {
    match format_of(path) {
        Some(VolumeFormat::Nifti) => nifti::read_segments(path, progress),
        Some(VolumeFormat::MetaImage) => metaimage::read_segments(path, progress),
        Some(VolumeFormat::Nrrd) => nrrd::read_segmentation(path, progress),
        None => Ok(dicom_seg::read(path, progress)?.file),
    }
}

/// What stands in the file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StoredAs {
    /// Values as signed 16 bit: sample plus a whole number.
    Signed(i32),
    /// Values as unsigned 16 bit: sample plus a whole number.
    Unsigned(i32),
    /// Values as 32-bit floats.
    Floats,
    /// Samples as they are; the file gives the rescale.
    Samples,
}

impl StoredAs {
    /// The narrowest numbers that hold the values of a volume exactly, else floats.
    pub fn values_of(volume: &Volume) -> Self {
        let rescale = volume.rescale();
        let (low, high) = volume.value_range();
        let is_shift = rescale.slope == 1.0 && rescale.intercept.fract() == 0.0 && rescale.intercept.abs() < 1e6;
        let shift = rescale.intercept as i32;
        if is_shift && low >= f64::from(i16::MIN) && high <= f64::from(i16::MAX) {
            Self::Signed(shift)
        } else if is_shift && low >= 0.0 && high <= f64::from(u16::MAX) {
            Self::Unsigned(shift)
        } else {
            Self::Floats
        }
    }

    /// The most that writing changes a value: half a step of a float, else nothing.
    pub fn largest_rounding(self, volume: &Volume) -> f64 {
        let (low, high) = volume.value_range();
        if self == Self::Floats { low.abs().max(high.abs()) * f64::from(f32::EPSILON) / 2.0 } else { 0.0 }
    }

    /// The number format.
    pub fn kind(self) -> SampleKind {
        match self {
            Self::Signed(_) | Self::Samples => SampleKind::I16,
            Self::Unsigned(_) => SampleKind::U16,
            Self::Floats => SampleKind::F32,
        }
    }

    /// Hands out the bytes of each slice, little endian.
    ///
    /// # Errors
    /// Those of `take`, or when cancelled.
    pub fn for_each_slice<E: From<Cancelled>>(
        self,
        volume: &Volume,
        progress: &Progress,
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let [ni, nj, nk] = volume.grid().dims();
        let rescale = volume.rescale();
        let mut bytes = Vec::new();
        for (k, slice) in volume.samples().chunks(ni as usize * nj as usize).enumerate() {
            progress.step(k, nk as usize)?;
            bytes.clear();
            let samples = slice.iter();
            match self {
                Self::Signed(shift) => {
                    bytes.extend(samples.flat_map(|&sample| ((i32::from(sample) + shift) as i16).to_le_bytes()));
                }
                Self::Unsigned(shift) => {
                    bytes.extend(samples.flat_map(|&sample| ((i32::from(sample) + shift) as u16).to_le_bytes()));
                }
                Self::Floats => {
                    bytes.extend(samples.flat_map(|&sample| (rescale.value(f64::from(sample)) as f32).to_le_bytes()));
                }
                Self::Samples => bytes.extend(samples.flat_map(|sample| sample.to_le_bytes())),
            }
            take(&bytes)?;
        }
        Ok(())
    }
}
