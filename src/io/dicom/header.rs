//! What one DICOM image file says of itself, as numbers and strings.
//!
//! In: a file. Out: [`SliceHeader`]: place, pixel format, rescale, and what tells series apart. Nothing is judged here.

use std::path::{Path, PathBuf};

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use glam::DVec3;

use crate::domain::series_info::SeriesInfo;
use crate::domain::volume::Rescale;
use crate::domain::window::Window;

use super::layout::{Encoding, PixelSpan};
use super::source::{DicomSource, HeaderError};

/// How pixels are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PixelFormat {
    /// *Rows* (0028,0010).
    pub rows: u32,
    /// *Columns* (0028,0011).
    pub columns: u32,
    /// *Number of Frames* (0028,0008), 1 where absent.
    pub frames: i64,
    /// *Samples per Pixel* (0028,0002), 1 where absent.
    pub samples_per_pixel: i64,
    /// *Photometric Interpretation* (0028,0004).
    pub photometric: String,
    /// *Bits Allocated* (0028,0100).
    pub bits_allocated: u32,
    /// *Bits Stored* (0028,0101).
    pub bits_stored: u32,
    /// *High Bit* (0028,0102).
    pub high_bit: u32,
    /// *Pixel Representation* (0028,0103) is 1: two's complement.
    pub signed: bool,
    /// *Pixel Padding Value* (0028,0120) and *Pixel Padding Range Limit* (0028,0121), as the low 16 bits stored.
    pub padding: Option<(u16, u16)>,
}

/// The header of one image file.
#[derive(Debug, Clone)]
pub struct SliceHeader {
    /// The file.
    pub path: PathBuf,
    /// *Transfer Syntax UID* (0002,0010).
    pub transfer_syntax: String,
    /// How the data set is written.
    pub encoding: Encoding,
    /// Where the pixels are; `None` for objects without.
    pub pixels: Option<PixelSpan>,
    /// *SOP Class UID* (0008,0016).
    pub sop_class: String,
    /// *SOP Instance UID* (0008,0018).
    pub sop_instance: String,
    /// *Instance Number* (0020,0013): for messages only, never for order.
    pub instance_number: Option<i64>,
    /// Identity of patient, study and series.
    pub info: SeriesInfo,
    /// How pixels are stored.
    pub format: PixelFormat,
    /// *Image Position (Patient)* (0020,0032), mm.
    pub position_in_patient: Option<DVec3>,
    /// *Image Orientation (Patient)* (0020,0037): direction of growing column, then of growing row.
    pub cosines: Option<[DVec3; 2]>,
    /// *Pixel Spacing* (0028,0030): distance between rows, then between columns, mm.
    pub pixel_spacing_mm: Option<[f64; 2]>,
    /// *Slice Thickness* (0018,0050), mm.
    pub thickness_mm: Option<f64>,
    /// *Spacing Between Slices* (0018,0088), mm.
    pub spacing_between_mm: Option<f64>,
    /// *Rescale Slope* (0028,1053) and *Rescale Intercept* (0028,1052), where present.
    pub rescale: Option<Rescale>,
    /// *Rescale Type* (0028,1054).
    pub rescale_type: String,
    /// A *Modality LUT Sequence* (0028,3000) is present.
    pub has_modality_lut: bool,
    /// *Image Type* (0008,0008), parts joined by a backslash.
    pub image_type: String,
    /// *Lossy Image Compression* (0028,2110) is 01.
    pub is_lossy: bool,
    /// Values that may tell several images at one place apart, in the order in which they are tried: (what, value).
    pub split_keys: Vec<(&'static str, String)>,
}

/// Tags that tell apart what shares a place: phases of the heart, times, echoes, acquisitions.
/// Order: reference `domain.md` 3.6 (cardiac 4D), then what Slicer and dcm2niix split on.
const SPLIT_TAGS: &[(&str, Tag)] = &[
    ("image type", tags::IMAGE_TYPE),
    ("cardiac phase", tags::NOMINAL_PERCENTAGE_OF_CARDIAC_PHASE),
    ("trigger time", tags::TRIGGER_TIME),
    ("temporal position", tags::TEMPORAL_POSITION_IDENTIFIER),
    ("temporal position index", tags::TEMPORAL_POSITION_INDEX),
    ("echo time", tags::ECHO_TIME),
    ("diffusion weighting", tags::DIFFUSION_B_VALUE),
    ("kernel", tags::CONVOLUTION_KERNEL),
    ("slice thickness", tags::SLICE_THICKNESS),
    ("acquisition", tags::ACQUISITION_NUMBER),
    ("acquisition time", tags::ACQUISITION_TIME),
    ("content time", tags::CONTENT_TIME),
];

/// Reads the header of a file.
///
/// # Errors
/// When the file is no DICOM file or its header is damaged.
pub fn read_header(path: &Path) -> Result<SliceHeader, HeaderError> {
    let mut source = DicomSource::open(path)?;
    let object = source.header()?;
    Ok(slice_header(path, &source, &object))
}

fn slice_header(path: &Path, source: &DicomSource, object: &InMemDicomObject) -> SliceHeader {
    let pair = |tag| floats(object, tag).first_chunk::<2>().copied();
    let cosines = floats(object, tags::IMAGE_ORIENTATION_PATIENT)
        .first_chunk::<6>()
        .map(|c| [DVec3::new(c[0], c[1], c[2]), DVec3::new(c[3], c[4], c[5])]);
    let position = floats(object, tags::IMAGE_POSITION_PATIENT).first_chunk::<3>().copied();
    let (slope, intercept) = (float(object, tags::RESCALE_SLOPE), float(object, tags::RESCALE_INTERCEPT));
    let rescale = (slope.is_some() || intercept.is_some())
        .then(|| Rescale { slope: slope.unwrap_or(1.0), intercept: intercept.unwrap_or(0.0) });
    let split_keys = SPLIT_TAGS.iter().map(|&(name, tag)| (name, text(object, tag))).collect();
    SliceHeader {
        path: path.to_path_buf(),
        transfer_syntax: source.layout.transfer_syntax.clone(),
        encoding: source.layout.encoding,
        pixels: source.layout.pixels,
        sop_class: text(object, tags::SOP_CLASS_UID),
        sop_instance: text(object, tags::SOP_INSTANCE_UID),
        instance_number: int(object, tags::INSTANCE_NUMBER),
        info: series_info(object),
        format: pixel_format(object),
        position_in_patient: position.map(DVec3::from),
        cosines,
        pixel_spacing_mm: pair(tags::PIXEL_SPACING),
        thickness_mm: float(object, tags::SLICE_THICKNESS),
        spacing_between_mm: float(object, tags::SPACING_BETWEEN_SLICES),
        rescale,
        rescale_type: text(object, tags::RESCALE_TYPE),
        has_modality_lut: object.get(tags::MODALITY_LUT_SEQUENCE).is_some(),
        image_type: text(object, tags::IMAGE_TYPE),
        is_lossy: text(object, tags::LOSSY_IMAGE_COMPRESSION) == "01",
        split_keys,
    }
}

fn pixel_format(object: &InMemDicomObject) -> PixelFormat {
    let small = |tag| int(object, tag).and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    let bits_allocated = small(tags::BITS_ALLOCATED);
    let bits_stored = match small(tags::BITS_STORED) {
        0 => bits_allocated,
        bits => bits,
    };
    let padding = int(object, tags::PIXEL_PADDING_VALUE).map(|value| {
        let limit = int(object, tags::PIXEL_PADDING_RANGE_LIMIT).unwrap_or(value);
        (value as u16, limit as u16)
    });
    PixelFormat {
        rows: small(tags::ROWS),
        columns: small(tags::COLUMNS),
        frames: int(object, tags::NUMBER_OF_FRAMES).unwrap_or(1),
        samples_per_pixel: int(object, tags::SAMPLES_PER_PIXEL).unwrap_or(1),
        photometric: text(object, tags::PHOTOMETRIC_INTERPRETATION),
        bits_allocated,
        bits_stored,
        high_bit: int(object, tags::HIGH_BIT)
            .and_then(|n| u32::try_from(n).ok())
            .unwrap_or_else(|| bits_stored.saturating_sub(1)),
        signed: small(tags::PIXEL_REPRESENTATION) == 1,
        padding,
    }
}

fn series_info(object: &InMemDicomObject) -> SeriesInfo {
    let manufacturer = [text(object, tags::MANUFACTURER), text(object, tags::MANUFACTURER_MODEL_NAME)];
    SeriesInfo {
        patient_name: display_name(&text(object, tags::PATIENT_NAME)),
        patient_id: text(object, tags::PATIENT_ID),
        birth_date: text(object, tags::PATIENT_BIRTH_DATE),
        sex: text(object, tags::PATIENT_SEX),
        study_date: text(object, tags::STUDY_DATE),
        study_description: text(object, tags::STUDY_DESCRIPTION),
        study_uid: text(object, tags::STUDY_INSTANCE_UID),
        series_description: text(object, tags::SERIES_DESCRIPTION),
        series_uid: text(object, tags::SERIES_INSTANCE_UID),
        series_number: int(object, tags::SERIES_NUMBER).and_then(|n| i32::try_from(n).ok()),
        modality: text(object, tags::MODALITY),
        frame_of_reference_uid: text(object, tags::FRAME_OF_REFERENCE_UID),
        patient_position: text(object, tags::PATIENT_POSITION),
        manufacturer: manufacturer.join(" ").trim().to_owned(),
        kernel: text(object, tags::CONVOLUTION_KERNEL),
        windows: windows(object),
    }
}

/// "DOE^Jane^M^Dr" as "DOE Jane M": family, given, middle; the alphabetic group only.
fn display_name(person_name: &str) -> String {
    let alphabetic = person_name.split('=').find(|group| !group.trim().is_empty()).unwrap_or_default();
    let parts: Vec<&str> = alphabetic.split('^').take(3).map(str::trim).filter(|part| !part.is_empty()).collect();
    parts.join(" ")
}

fn windows(object: &InMemDicomObject) -> Vec<(String, Window)> {
    let (levels, widths) = (floats(object, tags::WINDOW_CENTER), floats(object, tags::WINDOW_WIDTH));
    let names = text(object, tags::WINDOW_CENTER_WIDTH_EXPLANATION);
    let mut names = names.split('\\');
    let windows = levels.iter().zip(&widths).map(|(&level, &width)| {
        let name = names.next().unwrap_or_default().trim().to_owned();
        (name, Window::new(width, level))
    });
    windows.filter(|(_, window)| window.width.is_finite() && window.level.is_finite()).take(16).collect()
}

/// All values of an element as one string, parts joined by a backslash; empty where absent.
pub fn text(object: &InMemDicomObject, tag: Tag) -> String {
    let value = object.get(tag).and_then(|element| element.to_str().ok());
    value.map(|value| value.trim_matches(['\0', ' ']).to_owned()).unwrap_or_default()
}

/// All finite numbers of an element, up to the first part that is none.
pub fn floats(object: &InMemDicomObject, tag: Tag) -> Vec<f64> {
    let Some(element) = object.get(tag) else { return Vec::new() };
    let values = element.to_multi_float64().unwrap_or_else(|_| {
        let parts = text(object, tag);
        parts.split('\\').map_while(|part| part.trim().parse().ok()).collect()
    });
    values.into_iter().take_while(|value| value.is_finite()).collect()
}

/// First number of an element.
pub fn float(object: &InMemDicomObject, tag: Tag) -> Option<f64> {
    floats(object, tag).first().copied()
}

/// First whole number of an element.
pub fn int(object: &InMemDicomObject, tag: Tag) -> Option<i64> {
    let element = object.get(tag)?;
    element.to_int().ok().or_else(|| float(object, tag).filter(|value| value.fract() == 0.0).map(|value| value as i64))
}
