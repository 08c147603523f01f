//! What one DICOM image file says of itself, as numbers and strings.
//!
//! In: a file. Out: one [`SliceHeader`] for each image in it: place, rescale, and what tells series apart; what all
//! images of the file share is its [`FileHeader`]. Nothing is judged here.
//!
//! Not here: where the frames of a multi-frame object say what they are (`frames`).

use std::borrow::Cow;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use dicom_core::Tag;
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;
use glam::DVec3;
use serde::{Deserialize, Serialize};

use crate::domain::series_info::{SeriesInfo, StoredIdentity};
use crate::domain::volume::Rescale;

use super::dataset::Dataset;
use super::frames;
use super::layout::{Encoding, Fragment, PixelSpan};
use super::lut::{ModalityLut, windows};
use super::real_world::RealWorldMap;
use super::source::{DicomSource, HeaderError};
use super::suv::{Suv, suv_of};

/// How pixels are stored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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
    /// The same as numbers, of pixels of 32 bits and more; also *Float Pixel Padding Value* (0028,0122) and its like.
    pub wide_padding: Option<(f64, f64)>,
}

/// What all images of a file share.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct FileHeader {
    /// The file.
    #[serde(skip)]
    pub path: PathBuf,
    /// *Transfer Syntax UID* (0002,0010).
    pub transfer_syntax: String,
    /// How the data set is written.
    pub encoding: Encoding,
    /// Where the pixels are; `None` for objects without.
    pub pixels: Option<PixelSpan>,
    /// Pieces of compressed pixels; the first is the *Basic Offset Table*.
    pub fragments: Vec<Fragment>,
    /// *Extended Offset Table* (7FE0,0001): bytes from the first fragment's item to that of each frame.
    pub extended_offsets: Vec<u64>,
    /// *SOP Class UID* (0008,0016).
    pub sop_class: String,
    /// *SOP Instance UID* (0008,0018).
    pub sop_instance: String,
    /// *Instance Number* (0020,0013): for messages, and for order only where nothing else tells images apart.
    pub instance_number: Option<i64>,
    /// Identity of patient, study and series.
    pub info: SeriesInfo,
    /// How pixels are stored.
    pub format: PixelFormat,
    /// *Image Type* (0008,0008), parts joined by a backslash.
    pub image_type: String,
    /// *Lossy Image Compression* (0028,2110) is 01, or the transfer syntax can only be lossy.
    pub is_lossy: bool,
    /// What makes uptake of these values, of PET.
    pub suv: Option<Suv>,
    /// Why the frames of this object have no place; completes "holds N frames, but".
    pub frames_without_place: Option<Cow<'static, str>>,
    /// Which pieces of compressed pixels make which frame, once it was asked for.
    #[serde(skip)]
    pub(super) pieces: OnceLock<Result<Vec<Range<usize>>, String>>,
}

/// The header of one image: of a file with one, or of one frame.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SliceHeader {
    /// What it shares with the other images of its file.
    #[serde(skip)]
    pub file: Arc<FileHeader>,
    /// Which image of the file, from 0.
    pub frame: u32,
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
    /// *Rescale Type* (0028,1054), or that of the modality LUT.
    pub rescale_type: String,
    /// *Modality LUT Sequence* (0028,3000).
    pub lut: Option<Arc<ModalityLut>>,
    /// *Real World Value Mapping Sequence* (0040,9096).
    pub real_world: Arc<Vec<RealWorldMap>>,
    /// Values that may tell several images at one place apart, in the order in which they are tried: (what, value).
    pub split_keys: Arc<Vec<(Cow<'static, str>, String)>>,
}

impl SliceHeader {
    /// Name for messages: the file, with the frame where there are several.
    pub fn name(&self) -> String {
        let path = self.file.path.display();
        let has_several = self.file.format.frames > 1 && self.file.frames_without_place.is_none();
        if has_several { format!("frame {} of {path}", self.frame + 1) } else { path.to_string() }
    }
}

/// Tags that tell apart what shares a place: phases of the heart, times, echoes, acquisitions.
/// Order: reference `domain.md` 3.6 (cardiac 4D), then what Slicer and dcm2niix split on. Where several tags are named,
/// the first that is there counts (enhanced objects have others than classic ones; makers have their own for b-values).
const SPLIT_TAGS: &[(&str, &[Tag])] = &[
    ("image type", &[tags::FRAME_TYPE, tags::IMAGE_TYPE]),
    ("cardiac phase", &[tags::NOMINAL_PERCENTAGE_OF_CARDIAC_PHASE]),
    ("trigger time", &[tags::TRIGGER_TIME]),
    ("trigger delay", &[tags::NOMINAL_CARDIAC_TRIGGER_DELAY_TIME, tags::ACTUAL_CARDIAC_TRIGGER_DELAY_TIME]),
    ("temporal position", &[tags::TEMPORAL_POSITION_IDENTIFIER]),
    ("temporal position index", &[tags::TEMPORAL_POSITION_INDEX]),
    ("echo time", &[tags::EFFECTIVE_ECHO_TIME, tags::ECHO_TIME]),
    ("b-value", &[tags::DIFFUSION_B_VALUE, Tag(0x0019, 0x100c), Tag(0x2001, 0x1003), Tag(0x0043, 0x1039)]),
    ("diffusion direction", &[tags::DIFFUSION_GRADIENT_ORIENTATION, Tag(0x0019, 0x100e)]),
    ("inversion time", &[tags::INVERSION_TIME]),
    ("kernel", &[tags::CONVOLUTION_KERNEL]),
    ("slice thickness", &[tags::SLICE_THICKNESS]),
    ("stack", &[tags::STACK_ID]),
    ("acquisition", &[tags::FRAME_ACQUISITION_NUMBER, tags::ACQUISITION_NUMBER]),
    ("acquisition time", &[tags::FRAME_ACQUISITION_DATE_TIME, tags::ACQUISITION_TIME]),
    ("content time", &[tags::CONTENT_TIME]),
];

/// The keys by which a series may be split, of one image; `find` gives the text of a tag, empty where absent.
pub(super) fn split_keys(find: &dyn Fn(Tag) -> String) -> Vec<(Cow<'static, str>, String)> {
    let first = |tags: &[Tag]| tags.iter().map(|&tag| find(tag)).find(|text| !text.is_empty()).unwrap_or_default();
    let mut keys: Vec<_> = SPLIT_TAGS.iter().map(|(name, tags)| (Cow::Borrowed(*name), first(tags))).collect();
    let comments = [find(tags::SERIES_DESCRIPTION), find(tags::IMAGE_COMMENTS)].join(" ");
    keys.push((Cow::Borrowed("percent in the description"), percent_in(&comments)));
    keys
}

/// "30" of "BestSyst 30 %"; empty where there is no percentage.
fn percent_in(text: &str) -> String {
    let Some((before, _)) = text.split_once('%') else { return String::new() };
    let digits: Vec<char> = before.trim_end().chars().rev().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    digits.into_iter().rev().collect()
}

/// Reads the headers of a file: one for each image in it, at least one.
///
/// # Errors
/// When the file is no DICOM file or its header is damaged.
pub fn read_headers(path: &Path) -> Result<Vec<SliceHeader>, HeaderError> {
    let mut source = DicomSource::open(path)?;
    let bytes = source.header_bytes()?;
    let dataset = Dataset::parse(&bytes, source.layout.encoding);
    let file = file_header(path, source, &dataset);
    Ok(frames::slices(file, &dataset))
}

fn file_header(path: &Path, source: DicomSource, dataset: &Dataset<'_>) -> FileHeader {
    let layout = source.layout;
    let extended = dataset.bytes(Tag(0x7fe0, 0x0001)).chunks_exact(8);
    let is_lossy =
        dataset.text(tags::LOSSY_IMAGE_COMPRESSION) == "01" || super::codec::is_always_lossy(&layout.transfer_syntax);
    FileHeader {
        path: path.to_path_buf(),
        transfer_syntax: layout.transfer_syntax,
        encoding: layout.encoding,
        pixels: layout.pixels,
        fragments: layout.fragments,
        extended_offsets: extended.map(|b| u64::from_le_bytes(std::array::from_fn(|n| b[n]))).collect(),
        sop_class: sop_class(dataset),
        sop_instance: dataset.text(tags::SOP_INSTANCE_UID),
        instance_number: dataset.int(tags::INSTANCE_NUMBER),
        info: series_info(dataset),
        format: pixel_format(dataset),
        image_type: dataset.text(tags::IMAGE_TYPE),
        is_lossy,
        suv: suv_of(dataset),
        frames_without_place: None,
        pieces: OnceLock::new(),
    }
}

/// The kind of object; an index of media has no class of its own in its data set.
fn sop_class(dataset: &Dataset<'_>) -> String {
    if dataset.get(tags::DIRECTORY_RECORD_SEQUENCE).is_some() {
        return uids::MEDIA_STORAGE_DIRECTORY_STORAGE.to_owned();
    }
    dataset.text(tags::SOP_CLASS_UID)
}

fn pixel_format(dataset: &Dataset<'_>) -> PixelFormat {
    let small = |tag| dataset.int(tag).and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    let bits_allocated = small(tags::BITS_ALLOCATED);
    let bits_stored = match small(tags::BITS_STORED) {
        0 => bits_allocated,
        bits => bits,
    };
    let padding = dataset.int(tags::PIXEL_PADDING_VALUE).map(|value| {
        let limit = dataset.int(tags::PIXEL_PADDING_RANGE_LIMIT).unwrap_or(value);
        (value as u16, limit as u16)
    });
    PixelFormat {
        rows: small(tags::ROWS),
        columns: small(tags::COLUMNS),
        frames: dataset.int(tags::NUMBER_OF_FRAMES).unwrap_or(1),
        samples_per_pixel: dataset.int(tags::SAMPLES_PER_PIXEL).unwrap_or(1),
        photometric: dataset.text(tags::PHOTOMETRIC_INTERPRETATION),
        bits_allocated,
        bits_stored,
        high_bit: dataset
            .int(tags::HIGH_BIT)
            .and_then(|n| u32::try_from(n).ok())
            .unwrap_or_else(|| bits_stored.saturating_sub(1)),
        signed: small(tags::PIXEL_REPRESENTATION) == 1,
        padding,
        wide_padding: wide_padding(dataset),
    }
}

/// Padding value and limit as numbers, of whichever kind the pixels are.
fn wide_padding(dataset: &Dataset<'_>) -> Option<(f64, f64)> {
    let pairs = [
        (tags::FLOAT_PIXEL_PADDING_VALUE, tags::FLOAT_PIXEL_PADDING_RANGE_LIMIT),
        (tags::DOUBLE_FLOAT_PIXEL_PADDING_VALUE, tags::DOUBLE_FLOAT_PIXEL_PADDING_RANGE_LIMIT),
        (tags::PIXEL_PADDING_VALUE, tags::PIXEL_PADDING_RANGE_LIMIT),
    ];
    pairs.into_iter().find_map(|(value, limit)| {
        let value = dataset.float(value)?;
        let limit = dataset.float(limit).unwrap_or(value);
        Some((value.min(limit), value.max(limit)))
    })
}

fn series_info(dataset: &Dataset<'_>) -> SeriesInfo {
    let text = |tag| dataset.text(tag);
    let manufacturer = [text(tags::MANUFACTURER), text(tags::MANUFACTURER_MODEL_NAME)];
    SeriesInfo {
        patient_name: display_name(&text(tags::PATIENT_NAME)),
        patient_id: text(tags::PATIENT_ID),
        birth_date: text(tags::PATIENT_BIRTH_DATE),
        sex: text(tags::PATIENT_SEX),
        study_date: text(tags::STUDY_DATE),
        study_description: text(tags::STUDY_DESCRIPTION),
        study_uid: text(tags::STUDY_INSTANCE_UID),
        series_description: text(tags::SERIES_DESCRIPTION),
        series_uid: text(tags::SERIES_INSTANCE_UID),
        series_number: dataset.int(tags::SERIES_NUMBER).and_then(|n| i32::try_from(n).ok()),
        modality: text(tags::MODALITY),
        frame_of_reference_uid: text(tags::FRAME_OF_REFERENCE_UID),
        patient_position: text(tags::PATIENT_POSITION),
        manufacturer: manufacturer.join(" ").trim().to_owned(),
        kernel: text(tags::CONVOLUTION_KERNEL),
        windows: windows(dataset),
        as_stored: StoredIdentity {
            person_name: text(tags::PATIENT_NAME),
            study_time: text(tags::STUDY_TIME),
            accession_number: text(tags::ACCESSION_NUMBER),
            study_id: text(tags::STUDY_ID),
            referring_physician: text(tags::REFERRING_PHYSICIAN_NAME),
        },
    }
}

/// "DOE^Jane^M^Dr" as "DOE Jane M": family, given, middle; the alphabetic group only.
fn display_name(person_name: &str) -> String {
    let alphabetic = person_name.split('=').find(|group| !group.trim().is_empty()).unwrap_or_default();
    let parts: Vec<&str> = alphabetic.split('^').take(3).map(str::trim).filter(|part| !part.is_empty()).collect();
    parts.join(" ")
}

/// All values of an element of a parsed object as one string, parts joined by a backslash; empty where absent.
pub fn text(object: &InMemDicomObject, tag: Tag) -> String {
    let value = object.get(tag).and_then(|element| element.to_str().ok());
    value.map(|value| value.trim_matches(['\0', ' ']).to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_found_in_descriptions() {
        assert_eq!(percent_in("CorCTA 0.75 Bv40 BestSyst 30 %"), "30");
        assert_eq!(percent_in("70% DS_CorAdSeq"), "70");
        assert_eq!(percent_in("no phase"), "");
        assert_eq!(percent_in("%"), "");
    }
}
