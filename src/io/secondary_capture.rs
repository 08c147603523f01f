//! Pictures as DICOM: Secondary Capture, and Multi-frame True Color Secondary Capture for several.
//!
//! In: pictures of one size, how they were made in words, and the images that they were made from. Out: one file, whole or not at
//! all: 8-bit RGB, uncompressed. Whose it is comes from [`SourceImages`]: de-identified by the caller unless it stays in the
//! hospital. What is burned in (letters, "Not for diagnostic use") names nobody. Transparent pixels are laid over black.
//!
//! Source: DICOM PS3.3 A.8.1, A.8.5.4, C.8.6.1 (equipment), C.8.6.3 (multi-frame), C.7.6.5 (cine), C.7.6.6 (multi-frame).
//! Not here: drawing, the marks on the picture (`ops`).

use std::path::Path;

use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;

use crate::domain::picture::Picture;
use crate::io::atomic_file::AtomicFileError;
use crate::io::dicom::elements::{item, put_code, put_sequence, put_tag, put_text, put_u16};
use crate::io::dicom::write::{decimal, write_object};
use crate::io::dicom_seg::SourceImages;
use crate::io::dicom_seg::source::DerivedObject;
use crate::io::provenance::NOT_FOR_DIAGNOSTIC_USE;

/// Multi-frame True Color Secondary Capture Image Storage.
pub const MULTI_FRAME_TRUE_COLOR: &str = "1.2.840.10008.5.1.4.1.1.7.4";

/// Most bytes of pixels that one element holds, even.
const MAX_BYTES: u64 = u32::MAX as u64 - 1;

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// Rows and columns are 16-bit numbers.
    #[error("a DICOM picture is at most 65535 pixels wide and high; this one has {0} x {1}")]
    Size(u32, u32),
    /// The length of an element is a 32-bit number.
    #[error("{0} pictures of this size do not fit into one DICOM file; make fewer or smaller ones")]
    TooMuch(usize),
    /// The system refused.
    #[error(transparent)]
    File(#[from] AtomicFileError),
}

/// What is said of pictures.
#[derive(Debug, Clone, Copy)]
pub struct Capture<'a> {
    /// How they were made, in words without names.
    pub derivation: &'a str,
    /// How long each of several is shown, ms.
    pub frame_time_ms: f64,
    /// The images that they show.
    pub source: &'a SourceImages,
}

/// Writes pictures: one as Secondary Capture, several as one multi-frame object.
///
/// # Errors
/// When the pictures are too large for the format, or the medium refuses.
///
/// # Panics
/// When there are no pictures, or their sizes differ.
pub fn write_capture(path: &Path, pictures: &[Picture], capture: &Capture<'_>) -> Result<(), CaptureError> {
    let [columns, rows] = pictures.first().expect("pictures to write").size_px;
    assert!(pictures.iter().all(|picture| picture.size_px == [columns, rows]), "pictures of one size");
    if columns > 65_535 || rows > 65_535 {
        return Err(CaptureError::Size(columns, rows));
    }
    if u64::from(columns) * u64::from(rows) * 3 * pictures.len() as u64 > MAX_BYTES {
        return Err(CaptureError::TooMuch(pictures.len()));
    }
    let mut bytes: Vec<u8> = pictures.iter().flat_map(|picture| &picture.rgba).flat_map(over_black).collect();
    let hash = blake3::hash(&bytes).to_hex().to_string();
    if bytes.len() % 2 == 1 {
        bytes.push(0);
    }
    let is_movie = pictures.len() > 1;
    let class = if is_movie { MULTI_FRAME_TRUE_COLOR } else { uids::SECONDARY_CAPTURE_IMAGE_STORAGE };
    let mut object = InMemDicomObject::new_empty();
    let derived =
        DerivedObject { class, modality: "OT", series_number: "302", series_description: "3D pictures", hash: &hash };
    capture.source.put_identity(&mut object, &derived);
    // A picture lies nowhere in the patient.
    object.remove_element(tags::FRAME_OF_REFERENCE_UID);
    object.remove_element(tags::POSITION_REFERENCE_INDICATOR);
    put_image(&mut object, capture);
    if is_movie {
        put_text(&mut object, tags::NUMBER_OF_FRAMES, VR::IS, &pictures.len().to_string());
        put_tag(&mut object, tags::FRAME_INCREMENT_POINTER, tags::FRAME_TIME);
        put_text(&mut object, tags::FRAME_TIME, VR::DS, &decimal(capture.frame_time_ms));
    }
    for (tag, number) in [
        (tags::SAMPLES_PER_PIXEL, 3),
        (tags::PLANAR_CONFIGURATION, 0),
        (tags::ROWS, rows as u16),
        (tags::COLUMNS, columns as u16),
        (tags::BITS_ALLOCATED, 8),
        (tags::BITS_STORED, 8),
        (tags::HIGH_BIT, 7),
        (tags::PIXEL_REPRESENTATION, 0),
    ] {
        put_u16(&mut object, tag, number);
    }
    put_text(&mut object, tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "RGB");
    object.put(DataElement::new(tags::PIXEL_DATA, VR::OB, PrimitiveValue::U8(bytes.into())));
    Ok(write_object(path, object)?)
}

/// What the pictures are and what they were made from.
fn put_image(object: &mut InMemDicomObject, capture: &Capture<'_>) {
    for (tag, vr, words) in [
        (tags::CONVERSION_TYPE, VR::CS, "WSD"),
        (tags::LATERALITY, VR::CS, ""),
        (tags::PATIENT_ORIENTATION, VR::CS, ""),
        (tags::DERIVATION_DESCRIPTION, VR::ST, capture.derivation),
        (tags::IMAGE_COMMENTS, VR::LT, NOT_FOR_DIAGNOSTIC_USE),
        // What is burned in names neither patient nor date.
        (tags::BURNED_IN_ANNOTATION, VR::CS, "NO"),
        (tags::LOSSY_IMAGE_COMPRESSION, VR::CS, "00"),
    ] {
        put_text(object, tag, vr, words);
    }
    // Two values: longer together than one may be.
    object.put_str(tags::IMAGE_TYPE, VR::CS, "DERIVED\\SECONDARY");
    let images = capture.source.images.iter().map(|image| {
        item(|item| {
            put_text(item, tags::REFERENCED_SOP_CLASS_UID, VR::UI, &image.class);
            put_text(item, tags::REFERENCED_SOP_INSTANCE_UID, VR::UI, &image.instance);
            let purpose = ["DCM", "121322", "Source image for image processing operation"];
            put_code(item, tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE, purpose);
        })
    });
    let images: Vec<InMemDicomObject> = images.collect();
    if !images.is_empty() {
        put_sequence(object, tags::SOURCE_IMAGE_SEQUENCE, images);
    }
}

fn over_black(&[r, g, b, a]: &[u8; 4]) -> [u8; 3] {
    [r, g, b].map(|part| ((u16::from(part) * u16::from(a) + 127) / 255) as u8)
}
