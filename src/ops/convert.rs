//! Conversion between image formats: which file a name asks for, and writing it.
//!
//! In: a volume, or segments of a grid. Out: a file of a research format, a folder of DICOM files, or a DICOM segmentation. De-identified: nothing of
//! the patient goes into research files, and a DICOM series gets the words of [`SeriesInfo`] that the caller hands in.
//! Not here: what is read (`ops::open`), removing identity from existing files (`ops::deidentify`).

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::domain::grid::Grid;
use crate::domain::mask::Mask;
use crate::domain::mesh::TriangleMesh;
use crate::domain::mesh::space::MeshSpace;
use crate::domain::segmentation::SegmentInfo;
use crate::domain::series_info::SeriesInfo;
use crate::domain::volume::Volume;
use crate::io::atomic_file::{AtomicFileError, write_atomically};
use crate::io::dicom::elements::class_and_instance;
use crate::io::dicom::{WriteError, write_series};
use crate::io::dicom_model::{self, ModelKind};
use crate::io::dicom_seg;
use crate::io::dicom_seg::write::SegWriteError;
use crate::io::obj;
use crate::io::report::Report;
use crate::io::rtstruct;
use crate::io::stl::write_stl;
use crate::io::surface_segmentation::SURFACE_SEGMENTATION;
use crate::io::volume_file::{self, VolumeFileError, VolumeFormat};
use crate::task::Progress;

use super::load_models::{LoadedModels, read_models};

pub use crate::io::dicom_seg::{SegKind, SourceImages};
pub use crate::io::label_map::SegmentationFile;
pub use crate::io::nifti::write::NiftiVersion;
pub use crate::io::rtstruct::read as read_contours;
pub use crate::io::volume_file::read_segments;

/// What a name asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A file of a research format.
    Research(VolumeFormat),
    /// A folder of DICOM files, one for each slice.
    DicomFolder,
    /// A DICOM segmentation.
    DicomSegmentation,
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
        if path.extension().is_some_and(|end| end.eq_ignore_ascii_case("dcm")) && !path.is_dir() {
            return Ok(Self::DicomSegmentation);
        }
        if path.is_dir() || path.extension().is_none() {
            return Ok(Self::DicomFolder);
        }
        let known = ".nii, .nii.gz, .nrrd, .nhdr, .seg.nrrd, .mha, .mhd, .dcm for a DICOM segmentation, or a folder for \
                     DICOM images";
        Err(format!("{} has an ending that cannot be written; known are {known}", path.display()))
    }

    /// Whether a name asks for segments by its ending alone.
    pub fn wants_segments(path: &Path) -> bool {
        Self::of(path) == Ok(Self::DicomSegmentation) || is_seg_nrrd(path)
    }
}

fn is_seg_nrrd(path: &Path) -> bool {
    path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase().ends_with(".seg.nrrd")
}

/// What a DICOM file holds that is no image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DicomContent {
    /// Contours, which need images to be filled on.
    Contours,
    /// A model.
    Model,
}

/// What a file holds, when it is a DICOM file of contours or a model.
pub fn dicom_content(path: &Path) -> Option<DicomContent> {
    let is_file = path.is_file() && volume_file::format_of(path).is_none();
    let (class, _) = if is_file { class_and_instance(path)? } else { return None };
    match class.as_str() {
        rtstruct::RTSTRUCT => Some(DicomContent::Contours),
        class if dicom_model::is_model(class) || class == SURFACE_SEGMENTATION => Some(DicomContent::Model),
        _ => None,
    }
}

/// Reads a model: `.stl`, `.obj`, or a DICOM file that holds one. Several become one mesh, which is said. Files without a word on
/// their space are taken as LPS.
///
/// # Errors
/// With a sentence, when it cannot be read.
pub fn read_mesh(path: &Path) -> Result<(TriangleMesh, Report), String> {
    let LoadedModels { models, mut report, .. } =
        read_models(path, &Progress::new()).map_err(|error| error.to_string())?;
    let names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
    if names.len() > 1 {
        report.warning(format!("{} surfaces were put into one model: {}", names.len(), names.join(", ")));
    }
    let mut whole = TriangleMesh::default();
    for model in models {
        let first = whole.positions_in_patient.len() as u32;
        whole.positions_in_patient.extend(model.mesh.positions_in_patient);
        whole.normals.extend(model.mesh.normals);
        whole.triangles.extend(model.mesh.triangles.iter().map(|triangle| triangle.map(|corner| corner + first)));
    }
    Ok((whole, report))
}

/// Writes a model: `.stl`, `.obj`, or `.dcm` for an encapsulated STL that refers to `source`.
///
/// # Errors
/// When the ending is not known, the mesh is empty, or the medium refuses.
pub fn write_mesh(path: &Path, mesh: &TriangleMesh, name: &str, source: &SourceImages) -> Result<(), String> {
    let end = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    match end.as_str() {
        "stl" => write_stl(path, mesh, MeshSpace::Lps).map(drop).map_err(|error| error.to_string()),
        "obj" => write_atomically(path, |out| -> Result<(), AtomicFileError> {
            let failed = |source| AtomicFileError::Io { path: path.to_path_buf(), source };
            out.write_all(&obj::encode(mesh, MeshSpace::Lps)).map_err(failed)
        })
        .map_err(|error| error.to_string()),
        "dcm" => {
            let written = dicom_model::write(path, mesh, name, source, ModelKind::Stl);
            written.map_err(|error| error.to_string())
        }
        _ => Err(format!("{} has an ending that no model has; known are .stl, .obj, .dcm", path.display())),
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
    /// A DICOM segmentation.
    #[error(transparent)]
    Segmentation(#[from] SegWriteError),
    /// An image has no place in a segmentation.
    #[error("images cannot be written as a DICOM segmentation; name a folder for a series of images")]
    ImagesAsSegments,
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
        Target::DicomSegmentation => Err(ConvertError::ImagesAsSegments),
    }
}

/// How segments are written.
#[derive(Debug, Clone, Copy, Default)]
pub struct SegmentOptions<'a> {
    /// Which NIfTI.
    pub version: NiftiVersion,
    /// Which DICOM segmentation.
    pub kind: SegKind,
    /// Contours (an RT structure set) instead of a DICOM segmentation.
    pub as_contours: bool,
    /// The images that a DICOM segmentation belongs to.
    pub source: Option<&'a SourceImages>,
}

/// Writes segments of one grid as a label map, or as a DICOM segmentation.
///
/// # Errors
/// As [`write_volume`]; when segments overlap and the format has one value for each voxel.
pub fn write_segments(
    path: &Path,
    target: Target,
    options: &SegmentOptions<'_>,
    grid: &Grid,
    segments: &[(SegmentInfo, Mask)],
    progress: &Progress,
) -> Result<Converted, ConvertError> {
    let segments: Vec<(&SegmentInfo, &Mask)> = segments.iter().map(|(info, mask)| (info, mask)).collect();
    match target {
        Target::Research(format) => {
            volume_file::write_segments(path, format, options.version, grid, &segments, progress)?;
        }
        Target::DicomSegmentation => {
            let nobody = SourceImages { is_deidentified: true, ..SourceImages::default() };
            let source = options.source.unwrap_or(&nobody);
            if options.as_contours {
                rtstruct::write(path, grid, &segments, source, progress)?;
            } else {
                dicom_seg::write(path, grid, &segments, source, options.kind, progress)?;
            }
        }
        Target::DicomFolder => return Err(ConvertError::SegmentsAsImages),
    }
    Ok(Converted { files: files_of(path), report: Report::default() })
}

/// The file, and the one with its samples where the format takes two.
fn files_of(path: &Path) -> Vec<PathBuf> {
    let end = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let beside = match end.as_str() {
        "nhdr" if !is_seg_nrrd(path) => Some(path.with_extension("raw.gz")),
        "mhd" => Some(path.with_extension("zraw")),
        _ => None,
    };
    std::iter::once(path.to_path_buf()).chain(beside).collect()
}
