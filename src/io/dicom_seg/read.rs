//! Reads a DICOM segmentation.
//!
//! BINARY frames are bits, lowest first, that run on over the borders of frames; FRACTIONAL ones are bytes, of which half of
//! the maximum and more counts as inside; LABELMAP ones hold segment numbers. Frames of one segment at one place are joined.

use std::collections::BTreeMap;
use std::path::Path;

use dicom_dictionary_std::tags;
use dicom_encoding::transfer_syntax::{Codec, TransferSyntax, TransferSyntaxIndex};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;

use crate::domain::grid::MAX_VOXELS;
use crate::domain::mask::{MASK_BRICK, Mask};
use crate::domain::segmentation::{SegmentInfo, SegmentState, Side};
use crate::io::dicom::elements::{code_of, first_item, int, read_object, text};
use crate::io::import::ImportError;
use crate::io::import::research::stem;
use crate::io::label_map::{Label, OPACITY, SegmentationFile, plain_color};
use crate::io::report::Report;
use crate::task::Progress;

use super::frames::{FrameGrid, FrameGroups, frame_grid};
use super::{DicomSegmentation, codes, color, is_segmentation};

/// Frames that are believed.
const MAX_FRAMES: i64 = 1 << 20;

/// How the pixels say what is inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pixels {
    /// One bit each.
    Bits,
    /// Bytes; inside from this value on.
    Fractions(u8),
    /// Segment numbers of 8 bits.
    Labels8,
    /// Segment numbers of 16 bits, little endian.
    Labels16,
}

/// Reads a file.
///
/// # Errors
/// When it is no segmentation, is damaged, its frames make no grid, or the work was cancelled.
pub fn read(path: &Path, progress: &Progress) -> Result<DicomSegmentation, ImportError> {
    progress.phase("Reading the segmentation");
    let failed = |reason: &str| ImportError::file(path, reason);
    let (object, syntax) = read_object(path).map_err(|reason| failed(&reason))?;
    if !is_segmentation(&text(&object, tags::SOP_CLASS_UID)) {
        return Err(failed("is not a DICOM segmentation"));
    }
    progress.check()?;
    let mut report = Report::default();
    let (columns, rows, count) = size(&object).map_err(|reason| failed(&reason))?;
    let pixels = pixels_of(&object, &mut report).map_err(|reason| failed(&reason))?;
    let frames = frame_grid(&object, columns, rows, count).map_err(|reason| failed(&reason))?;
    let bytes = pixel_bytes(&object, &syntax, pixels).map_err(|reason| failed(&reason))?;
    let pixel_count = u64::from(columns) * u64::from(rows) * count as u64;
    let need = match pixels {
        Pixels::Bits => pixel_count.div_ceil(8),
        Pixels::Fractions(_) | Pixels::Labels8 => pixel_count,
        Pixels::Labels16 => pixel_count * 2,
    };
    if (bytes.len() as u64) < need {
        return Err(failed(&format!("is cut short: it has {} of {need} bytes of pixels", bytes.len())));
    }
    let labels = labels_of(&object, &stem(path), &mut report);
    let by_segment = frames_by_segment(&object, &frames, pixels, &labels);
    let stored = Stored { bytes: &bytes, pixels, columns, rows };
    let mut segments = Vec::new();
    for (index, label) in labels.into_iter().enumerate() {
        progress.step(index, by_segment.len())?;
        let at = by_segment.get(&label.value).or_else(|| by_segment.get(&ANY)).map_or(&[][..], Vec::as_slice);
        segments.push((label.info, stored.mask(&frames, at, label.value)));
    }
    let series =
        first_item(&object, tags::REFERENCED_SERIES_SEQUENCE).map(|item| text(item, tags::SERIES_INSTANCE_UID));
    Ok(DicomSegmentation {
        file: SegmentationFile { grid: frames.grid, segments, report },
        frame_of_reference_uid: text(&object, tags::FRAME_OF_REFERENCE_UID),
        referenced_series_uid: series.filter(|uid| !uid.is_empty()),
    })
}

/// Stands for all segments: frames of label maps hold any of them.
const ANY: i64 = -1;

fn size(object: &InMemDicomObject) -> Result<(u32, u32, usize), String> {
    let small = |tag| int(object, tag).and_then(|n| u32::try_from(n).ok()).filter(|n| (1..=65_535).contains(n));
    let (Some(columns), Some(rows)) = (small(tags::COLUMNS), small(tags::ROWS)) else {
        return Err("does not say how large its frames are".to_owned());
    };
    let count = int(object, tags::NUMBER_OF_FRAMES).unwrap_or(1);
    let groups = object.get(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).and_then(|element| element.items());
    let described = groups.map_or(0, <[_]>::len) as i64;
    if !(1..=MAX_FRAMES).contains(&count) || u64::from(columns) * u64::from(rows) * count as u64 > MAX_VOXELS {
        return Err(format!("says that it has {count} frames of {columns} x {rows}, which is not possible"));
    }
    if described < count {
        return Err(format!("has {count} frames but describes only {described}"));
    }
    Ok((columns, rows, count as usize))
}

fn pixels_of(object: &InMemDicomObject, report: &mut Report) -> Result<Pixels, String> {
    let bits = int(object, tags::BITS_ALLOCATED).unwrap_or(0);
    match (text(object, tags::SEGMENTATION_TYPE).as_str(), bits) {
        ("BINARY", 1) => Ok(Pixels::Bits),
        ("FRACTIONAL", 8) => {
            let most = int(object, tags::MAXIMUM_FRACTIONAL_VALUE).unwrap_or(255).clamp(1, 255);
            report.warning("the segments have soft borders; voxels that are at least half inside were taken");
            Ok(Pixels::Fractions((most as u16).div_ceil(2) as u8))
        }
        ("LABELMAP", 8) => Ok(Pixels::Labels8),
        ("LABELMAP", 16) => Ok(Pixels::Labels16),
        (kind, bits) => Err(format!("is a segmentation of type {kind:?} with {bits} bits, which is not read")),
    }
}

fn pixel_bytes(object: &InMemDicomObject, syntax: &str, pixels: Pixels) -> Result<Vec<u8>, String> {
    let element = object.get(tags::PIXEL_DATA).ok_or("has no pixels")?;
    if element.fragments().is_none() {
        return element.to_bytes().map(std::borrow::Cow::into_owned).map_err(|error| format!("is damaged: {error}"));
    }
    if pixels == Pixels::Bits {
        return Err("is compressed in a way that is not read for single bits".to_owned());
    }
    let file = object.clone().with_meta(FileMetaTableBuilder::new().transfer_syntax(syntax));
    let file = file.map_err(|error| format!("is damaged: {error}"))?;
    let Some(Codec::EncapsulatedPixelData(Some(decoder), _)) =
        TransferSyntaxRegistry.get(syntax).map(TransferSyntax::codec)
    else {
        return Err("is compressed in a way that is not read".to_owned());
    };
    let mut decoded = Vec::new();
    // Decoders of other hands panic on some damaged data.
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| decoder.decode(&file, &mut decoded)));
    done.map_err(|_| "has damaged pixels")?.map_err(|error| format!("cannot be unpacked: {error}"))?;
    Ok(decoded)
}

fn labels_of(object: &InMemDicomObject, file: &str, report: &mut Report) -> Vec<Label> {
    let items = object.get(tags::SEGMENT_SEQUENCE).and_then(|element| element.items()).unwrap_or_default();
    let mut labels = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let Some(value) = int(item, tags::SEGMENT_NUMBER).filter(|number| (0..=65_535).contains(number)) else {
            report.warning("a segment without a number was left out");
            continue;
        };
        // Number 0 is what is not in any segment.
        if value == 0 {
            continue;
        }
        let lab =
            item.get(tags::RECOMMENDED_DISPLAY_CIE_LAB_VALUE).and_then(|element| element.to_multi_int::<u16>().ok());
        let lab = lab.and_then(|lab| lab.first_chunk::<3>().copied());
        let name = match text(item, tags::SEGMENT_LABEL) {
            name if name.is_empty() => format!("{file} {value}"),
            name => name,
        };
        let algorithm = text(item, tags::SEGMENT_ALGORITHM_NAME);
        let mut made_by = vec![format!("Read from {file}")];
        made_by.extend((!algorithm.is_empty()).then(|| format!("Made by {algorithm}")));
        let info = SegmentInfo {
            name,
            code: code_of(item, tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE).and_then(codes::chosen),
            side: side_of(item),
            color: lab.map_or_else(|| plain_color(index), color::rgb_of),
            visible: true,
            opacity: OPACITY,
            outline: crate::domain::segmentation::USUAL_OUTLINE,
            locked: false,
            state: SegmentState::default(),
            made_by,
        };
        labels.push(Label { info, value, layer: 0 });
    }
    labels
}

/// *Segmented Property Type Modifier Code Sequence* (0062,0011), which stands inside the type.
fn side_of(segment: &InMemDicomObject) -> Option<Side> {
    let kind = first_item(segment, tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE)?;
    let modifiers = kind.get(tags::SEGMENTED_PROPERTY_TYPE_MODIFIER_CODE_SEQUENCE)?.items()?;
    modifiers.iter().find_map(|item| Side::of_code(&text(item, tags::CODE_VALUE)))
}

/// The frames of each segment.
fn frames_by_segment(
    object: &InMemDicomObject,
    frames: &FrameGrid,
    pixels: Pixels,
    labels: &[Label],
) -> BTreeMap<i64, Vec<usize>> {
    let mut by_segment: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    let is_label_map = matches!(pixels, Pixels::Labels8 | Pixels::Labels16);
    for index in 0..frames.slices.len() {
        let group = FrameGroups::of(object, index).group(tags::SEGMENT_IDENTIFICATION_SEQUENCE);
        let number = group.and_then(|item| int(item, tags::REFERENCED_SEGMENT_NUMBER));
        let only = if let [label] = labels { Some(label.value) } else { None };
        let segment = if is_label_map { Some(ANY) } else { number.or(only) };
        if let Some(segment) = segment {
            by_segment.entry(segment).or_default().push(index);
        }
    }
    by_segment
}

/// The pixels as they are stored.
struct Stored<'a> {
    bytes: &'a [u8],
    pixels: Pixels,
    columns: u32,
    rows: u32,
}

impl Stored<'_> {
    fn is_inside(&self, at: usize, segment: i64) -> bool {
        match self.pixels {
            Pixels::Bits => self.bytes[at / 8] >> (at % 8) & 1 == 1,
            Pixels::Fractions(least) => self.bytes[at] >= least,
            Pixels::Labels8 => i64::from(self.bytes[at]) == segment,
            Pixels::Labels16 => i64::from(u16::from_le_bytes([self.bytes[2 * at], self.bytes[2 * at + 1]])) == segment,
        }
    }

    /// The voxels that any of these frames has.
    fn mask(&self, frames: &FrameGrid, indices: &[usize], segment: i64) -> Mask {
        let dims = frames.grid.dims();
        let mut in_slice: Vec<Vec<usize>> = vec![Vec::new(); dims[2] as usize];
        for &index in indices {
            in_slice[frames.slices[index] as usize].push(index);
        }
        let frame_len = self.columns as usize * self.rows as usize;
        Mask::from_row_words(dims, |bi, j, k| {
            let first = bi * MASK_BRICK;
            let count = MASK_BRICK.min(dims[0] - first);
            let row = j as usize * self.columns as usize + first as usize;
            in_slice[k as usize].iter().fold(0, |word, &frame| {
                let start = frame * frame_len + row;
                let bits = (0..count).map(|bit| u32::from(self.is_inside(start + bit as usize, segment)) << bit);
                word | bits.fold(0, |word, bit| word | bit)
            })
        })
    }
}
