//! Writes a volume as a classic DICOM image series, one file for each slice.
//!
//! In: a [`Volume`] and what to say of it. Out: `IM00001.dcm` ... in a folder. Explicit VR Little Endian, signed 16 bit,
//! CT Image Storage for Hounsfield values, else MR Image Storage. The same volume and info give the same bytes: UIDs are
//! `2.25.` + 128 bits of a hash. Shear (gantry tilt) is kept: each slice carries its own position.
//!
//! Source: DICOM PS3.3 A.3 (CT), A.4 (MR), PS3.5 B.2 (UIDs from UUIDs).

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileDicomObject, FileMetaTableBuilder, InMemDicomObject};
use glam::DVec3;
use rayon::prelude::*;

use crate::domain::series_info::SeriesInfo;
use crate::domain::volume::{Quantity, Volume};
use crate::io::atomic_file::{AtomicFileError, write_atomically};
use crate::io::import::content_hash;
use crate::task::{Cancelled, Progress};

/// Why a series was not written. No half-written file is left.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Somebody stopped it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// DICOM images have right-angled pixels.
    #[error("the image axes are not at right angles inside a slice, which DICOM cannot say")]
    SkewedPixels,
    /// The medium refused.
    #[error("{} cannot be written: {reason}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
}

/// Writes the series into `folder`, which is made if it is not there. Returns the files in slice order.
///
/// # Errors
/// When a file cannot be written or the work was cancelled; files written so far are removed again.
pub fn write_series(
    folder: &Path,
    volume: &Volume,
    info: &SeriesInfo,
    progress: &Progress,
) -> Result<Vec<PathBuf>, WriteError> {
    progress.phase("Writing DICOM");
    let failed = |path: &Path, reason: String| WriteError::File { path: path.to_path_buf(), reason };
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, error.to_string()))?;
    let template = Template::new(volume, info)?;
    let count = volume.grid().dims()[2];
    let paths: Vec<PathBuf> = (0..count).map(|k| folder.join(format!("IM{:05}.dcm", k + 1))).collect();
    let done = AtomicUsize::new(0);
    let written = paths.par_iter().enumerate().try_for_each(|(k, path)| {
        progress.step(done.fetch_add(1, Ordering::Relaxed), count as usize)?;
        write_file(path, template.slice(k as u32)).map_err(|reason| failed(path, reason))
    });
    if let Err(error) = written {
        for path in &paths {
            drop(std::fs::remove_file(path));
        }
        return Err(error);
    }
    Ok(paths)
}

/// Writes one object as a DICOM file of its own, whole or not at all.
///
/// # Errors
/// When the medium refuses, or the object has no class or instance.
pub(crate) fn write_object(path: &Path, object: InMemDicomObject) -> Result<(), AtomicFileError> {
    let failed = |error: String| AtomicFileError::Io { path: path.to_path_buf(), source: std::io::Error::other(error) };
    let object = with_file_meta(object).map_err(failed)?;
    write_atomically(path, |out| object.write_all(out).map_err(|error| failed(error.to_string())))
}

/// Every file that we write is explicit little endian, and says which program wrote it.
fn with_file_meta(object: InMemDicomObject) -> Result<FileDicomObject<InMemDicomObject>, String> {
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
        .implementation_class_uid(IMPLEMENTATION_CLASS)
        .implementation_version_name("MAQUETTE");
    object.with_meta(meta).map_err(|error| error.to_string())
}

fn write_file(path: &Path, object: InMemDicomObject) -> Result<(), String> {
    let object = with_file_meta(object)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = private_or_shared().tempfile_in(folder).map_err(|error| error.to_string())?;
    let mut buffered = BufWriter::new(&mut file);
    object.write_all(&mut buffered).map_err(|error| error.to_string())?;
    buffered.flush().map_err(|error| error.to_string())?;
    drop(buffered);
    file.persist(path).map_err(|error| error.to_string())?;
    Ok(())
}

/// Temporary files are private by default; these become files of the lab, readable as far as the user's mask allows.
fn private_or_shared() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".maquette-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder
}

/// Our implementation, from a hash of the program's name.
const IMPLEMENTATION_CLASS: &str = "2.25.222816312743370938741306012640372113861";

/// All that the slices share.
struct Template<'a> {
    volume: &'a Volume,
    info: &'a SeriesInfo,
    hash: String,
    series_uid: String,
    shared: InMemDicomObject,
}

impl<'a> Template<'a> {
    fn new(volume: &'a Volume, info: &'a SeriesInfo) -> Result<Self, WriteError> {
        let axes = volume.grid().patient_from_voxel().matrix3;
        if axes.x_axis.normalize().dot(axes.y_axis.normalize()).abs() > 1e-4 {
            return Err(WriteError::SkewedPixels);
        }
        let hash = content_hash(volume);
        let uid = |given: &str, role: &str| {
            if given.is_empty() { derived_uid(&[role, &hash, &info.patient_id]) } else { given.to_owned() }
        };
        let series_uid = uid(&info.series_uid, "series");
        let mut shared = InMemDicomObject::new_empty();
        put_identity(&mut shared, info);
        shared.put_str(tags::STUDY_INSTANCE_UID, VR::UI, uid(&info.study_uid, "study"));
        shared.put_str(tags::SERIES_INSTANCE_UID, VR::UI, series_uid.as_str());
        shared.put_str(tags::FRAME_OF_REFERENCE_UID, VR::UI, uid(&info.frame_of_reference_uid, "frame"));
        put_image(&mut shared, volume, info);
        Ok(Self { volume, info, hash, series_uid, shared })
    }

    fn slice(&self, k: u32) -> InMemDicomObject {
        let grid = self.volume.grid();
        let [ni, nj, _] = grid.dims();
        let mut object = self.shared.clone();
        let position = grid.patient_from_voxel().transform_point3(DVec3::new(0.0, 0.0, f64::from(k)));
        let number = k.to_string();
        let sop_instance = derived_uid(&["instance", &self.series_uid, &self.hash, &self.info.patient_id, &number]);
        object.put_str(tags::SOP_INSTANCE_UID, VR::UI, sop_instance);
        object.put_str(tags::INSTANCE_NUMBER, VR::IS, (k + 1).to_string());
        object.put_str(tags::IMAGE_POSITION_PATIENT, VR::DS, decimals(&position.to_array()));
        let start = grid.index(0, 0, k);
        let slice = &self.volume.samples()[start..start + ni as usize * nj as usize];
        let words = PrimitiveValue::U16(slice.iter().map(|&sample| sample as u16).collect());
        object.put(DataElement::new(tags::PIXEL_DATA, VR::OW, words));
        object
    }
}

fn put_identity(object: &mut InMemDicomObject, info: &SeriesInfo) {
    let text = [
        (tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 192"),
        (tags::STUDY_DATE, VR::DA, &info.study_date),
        (tags::STUDY_TIME, VR::TM, &info.as_stored.study_time),
        (tags::CONTENT_DATE, VR::DA, &info.study_date),
        (tags::CONTENT_TIME, VR::TM, ""),
        (tags::ACCESSION_NUMBER, VR::SH, &info.as_stored.accession_number),
        (tags::REFERRING_PHYSICIAN_NAME, VR::PN, &info.as_stored.referring_physician),
        (tags::STUDY_DESCRIPTION, VR::LO, &info.study_description),
        (tags::SERIES_DESCRIPTION, VR::LO, &info.series_description),
        (tags::PATIENT_NAME, VR::PN, &info.person_name()),
        (tags::PATIENT_ID, VR::LO, &info.patient_id),
        (tags::PATIENT_BIRTH_DATE, VR::DA, &info.birth_date),
        (tags::PATIENT_SEX, VR::CS, &info.sex),
        (tags::PATIENT_POSITION, VR::CS, if info.patient_position.is_empty() { "HFS" } else { &info.patient_position }),
        (tags::STUDY_ID, VR::SH, &info.as_stored.study_id),
        (tags::POSITION_REFERENCE_INDICATOR, VR::LO, ""),
        (tags::MANUFACTURER, VR::LO, if info.manufacturer.is_empty() { "Maquette" } else { &info.manufacturer }),
    ];
    for (tag, vr, value) in text {
        object.put_str(tag, vr, value);
    }
    object.put_str(tags::SERIES_NUMBER, VR::IS, info.series_number.map(|n| n.to_string()).unwrap_or_default());
    if !info.kernel.is_empty() {
        object.put_str(tags::CONVOLUTION_KERNEL, VR::SH, info.kernel.as_str());
    }
}

fn put_image(object: &mut InMemDicomObject, volume: &Volume, info: &SeriesInfo) {
    let is_ct = volume.quantity() == Quantity::Hounsfield;
    let (grid, rescale) = (volume.grid(), volume.rescale());
    let axes = grid.patient_from_voxel().matrix3;
    let (row, column) = (axes.x_axis.normalize(), axes.y_axis.normalize());
    let spacing_mm = grid.spacing_mm();
    let step_mm = axes.z_axis.dot(row.cross(column)).abs();
    let class = if is_ct { uids::CT_IMAGE_STORAGE } else { uids::MR_IMAGE_STORAGE };
    object.put_str(tags::SOP_CLASS_UID, VR::UI, class);
    object.put_str(tags::MODALITY, VR::CS, if is_ct { "CT" } else { "MR" });
    object.put_str(
        tags::IMAGE_TYPE,
        VR::CS,
        if is_ct { "ORIGINAL\\PRIMARY\\AXIAL" } else { "ORIGINAL\\PRIMARY\\OTHER" },
    );
    let cosines: Vec<f64> = row.to_array().into_iter().chain(column.to_array()).collect();
    object.put_str(tags::IMAGE_ORIENTATION_PATIENT, VR::DS, decimals(&cosines));
    object.put_str(tags::PIXEL_SPACING, VR::DS, decimals(&[spacing_mm.y, spacing_mm.x]));
    object.put_str(tags::SLICE_THICKNESS, VR::DS, decimal(step_mm));
    object.put_str(tags::SPACING_BETWEEN_SLICES, VR::DS, decimal(step_mm));
    object.put_str(tags::RESCALE_SLOPE, VR::DS, decimal(rescale.slope));
    object.put_str(tags::RESCALE_INTERCEPT, VR::DS, decimal(rescale.intercept));
    object.put_str(tags::RESCALE_TYPE, VR::LO, if is_ct { "HU" } else { "US" });
    object.put_str(tags::ACQUISITION_NUMBER, VR::IS, "1");
    object.put_str(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2");
    let [ni, nj, _] = grid.dims();
    let numbers: [(Tag, u16); 7] = [
        (tags::SAMPLES_PER_PIXEL, 1),
        (tags::ROWS, nj as u16),
        (tags::COLUMNS, ni as u16),
        (tags::BITS_ALLOCATED, 16),
        (tags::BITS_STORED, 16),
        (tags::HIGH_BIT, 15),
        (tags::PIXEL_REPRESENTATION, 1),
    ];
    for (tag, number) in numbers {
        object.put(DataElement::new(tag, VR::US, PrimitiveValue::from(number)));
    }
    if is_ct {
        object.put_str(tags::KVP, VR::DS, "");
    } else {
        put_mr(object);
    }
    if !info.windows.is_empty() {
        let part = |of: &dyn Fn(&(String, crate::domain::window::Window)) -> String| {
            info.windows.iter().map(of).collect::<Vec<_>>().join("\\")
        };
        object.put_str(tags::WINDOW_CENTER, VR::DS, part(&|(_, window)| decimal(window.level)));
        object.put_str(tags::WINDOW_WIDTH, VR::DS, part(&|(_, window)| decimal(window.width)));
        object.put_str(tags::WINDOW_CENTER_WIDTH_EXPLANATION, VR::LO, part(&|(name, _)| name.clone()));
    }
}

/// What the MR image module must have, unknown here.
fn put_mr(object: &mut InMemDicomObject) {
    let texts = [
        (tags::SCANNING_SEQUENCE, VR::CS, "RM"),
        (tags::SEQUENCE_VARIANT, VR::CS, "NONE"),
        (tags::SCAN_OPTIONS, VR::CS, ""),
        (tags::MR_ACQUISITION_TYPE, VR::CS, "3D"),
        (tags::REPETITION_TIME, VR::DS, ""),
        (tags::ECHO_TIME, VR::DS, ""),
        (tags::ECHO_TRAIN_LENGTH, VR::IS, ""),
    ];
    for (tag, vr, value) in texts {
        object.put_str(tag, vr, value);
    }
}

/// A UID from a hash of its parts.
pub(crate) fn derived_uid(parts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    format!("2.25.{}", u128::from_be_bytes(bytes))
}

pub(crate) fn decimals(numbers: &[f64]) -> String {
    numbers.iter().map(|&number| decimal(number)).collect::<Vec<_>>().join("\\")
}

/// A DICOM decimal string: at most 16 characters, as exact as these allow.
pub(crate) fn decimal(number: f64) -> String {
    let plain = format!("{number}");
    if plain.len() <= 16 {
        return plain;
    }
    let fixed = (0..=14).rev().map(|digits| format!("{number:.digits$}")).find(|text| text.len() <= 16);
    let scientific = (0..=14).rev().map(|digits| format!("{number:.digits$e}")).find(|text| text.len() <= 16);
    match (fixed, scientific) {
        (Some(fixed), _) if number.abs() >= 1e-3 => fixed,
        (_, Some(scientific)) => scientific,
        (fixed, _) => fixed.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_strings_fit_and_keep_their_value() {
        for number in [0.0, -122.0215, 1.0 / 3.0, -1e-9 / 3.0, 123_456.789, -0.5_f64.sqrt(), 1e15 / 7.0] {
            let text = decimal(number);
            assert!(text.len() <= 16, "{text}");
            let back: f64 = text.parse().unwrap();
            assert!((back - number).abs() <= number.abs() * 1e-9, "{number} became {text}");
        }
    }
}
