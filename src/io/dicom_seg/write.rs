//! Writes segments as a DICOM segmentation.
//!
//! Explicit VR Little Endian. Slices without a voxel of a segment are left out, as other programs do. Each frame names the image
//! that it lies on, where the volume came from a series of single images.

use std::collections::BTreeSet;
use std::path::Path;

use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use glam::DVec3;

use crate::domain::grid::Grid;
use crate::domain::mask::Mask;
use crate::domain::segmentation::SegmentInfo;
use crate::io::atomic_file::AtomicFileError;
use crate::io::dicom::elements::{code_item, item, put_code, put_sequence, put_tag, put_text, put_u16, put_u32s};
use crate::io::dicom::write::{decimal, decimals, derived_uid, write_object};
use crate::io::label_map::{LabelMap, LabelMapError};
use crate::io::provenance::{NOT_FOR_DIAGNOSTIC_USE, PROGRAM, VERSION};
use crate::task::{Cancelled, Progress};

use super::source::DerivedObject;
use super::{LABEL_MAP, SEGMENTATION, SourceImages, codes, color};

/// Which kind of segmentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SegKind {
    /// One bit for each voxel and segment: what every program reads; segments may overlap.
    #[default]
    Binary,
    /// One byte for each voxel and segment, 0 or 255.
    Fractional,
    /// One number for each voxel (since 2024): small; segments must not overlap.
    LabelMap,
}

/// Why a segmentation was not written. Nothing is half written.
#[derive(Debug, thiserror::Error)]
pub enum SegWriteError {
    /// Somebody stopped it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The medium refused.
    #[error(transparent)]
    File(#[from] AtomicFileError),
    /// Segments overlap in a label map.
    #[error(transparent)]
    Labels(#[from] LabelMapError),
    /// A frame needs right angles.
    #[error("the image axes are not at right angles inside a slice, which DICOM cannot say")]
    SkewedPixels,
    /// No voxel at all.
    #[error("the segments have no voxels: there is nothing to write")]
    Empty,
    /// More frames or bytes than one file holds.
    #[error("the segments are too large for one DICOM file")]
    TooLarge,
}

/// Writes segments of one grid; `source` says whose they are. A file for others has its identity removed by the caller, with
/// [`SourceImages::deidentified`].
///
/// # Errors
/// When there is no voxel, segments overlap in a label map, the medium refuses, or the work was cancelled.
///
/// # Panics
/// When a mask is not of the grid.
pub fn write(
    path: &Path,
    grid: &Grid,
    segments: &[(&SegmentInfo, &Mask)],
    source: &SourceImages,
    kind: SegKind,
    progress: &Progress,
) -> Result<(), SegWriteError> {
    progress.phase("Writing the segmentation");
    let axes = grid.patient_from_voxel().matrix3;
    if axes.x_axis.normalize().dot(axes.y_axis.normalize()).abs() > 1e-4 {
        return Err(SegWriteError::SkewedPixels);
    }
    let frames = frames(grid, segments, kind, progress)?;
    let writer = Writer { grid, segments, source, kind };
    let object = writer.object(&frames);
    progress.check()?;
    Ok(write_object(path, object)?)
}

/// The frames: which segment (0 for all, in a label map) and slice each is, and the pixels of all.
struct Frames {
    places: Vec<(u16, u32)>,
    pixels: PrimitiveValue,
    is_wide: bool,
}

fn frames(
    grid: &Grid,
    segments: &[(&SegmentInfo, &Mask)],
    kind: SegKind,
    progress: &Progress,
) -> Result<Frames, SegWriteError> {
    let dims = grid.dims();
    let mut places = Vec::new();
    let mut bytes = Vec::new();
    let mut is_wide = false;
    if kind == SegKind::LabelMap {
        let map = LabelMap::flat(grid, segments)?;
        is_wide = map.is_wide();
        let mut k = 0;
        map.for_each_slice(progress, |slice| -> Result<(), SegWriteError> {
            if slice.iter().any(|&byte| byte != 0) {
                places.push((0, k));
                bytes.extend_from_slice(slice);
            }
            k += 1;
            Ok(())
        })?;
    } else {
        let mut bit = 0_usize;
        for (index, (_, mask)) in segments.iter().enumerate() {
            progress.step(index, segments.len())?;
            let bounds = mask.bounds();
            for k in bounds.map_or(0..0, |bounds| bounds.min[2]..bounds.max[2]) {
                let number = u16::try_from(index + 1).map_err(|_| SegWriteError::TooLarge)?;
                let start = (bit, bytes.len());
                let is_filled = put_frame(mask, dims, k, kind, &mut bit, &mut bytes);
                if is_filled {
                    places.push((number, k));
                } else {
                    bit = start.0;
                    bytes.truncate(start.1);
                }
            }
        }
    }
    if places.is_empty() {
        return Err(SegWriteError::Empty);
    }
    if bytes.len() as u64 >= u64::from(u32::MAX) {
        return Err(SegWriteError::TooLarge);
    }
    if is_wide {
        let words = bytes.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]])).collect();
        return Ok(Frames { places, pixels: PrimitiveValue::U16(words), is_wide });
    }
    if bytes.len() % 2 == 1 {
        bytes.push(0);
    }
    Ok(Frames { places, pixels: PrimitiveValue::U8(bytes.into()), is_wide })
}

/// Adds a frame and says whether it has any voxel. `bit` is the place of the next bit.
fn put_frame(mask: &Mask, dims: [u32; 3], k: u32, kind: SegKind, bit: &mut usize, bytes: &mut Vec<u8>) -> bool {
    let mut is_filled = false;
    let length = dims[0] as usize * dims[1] as usize;
    let start = if kind == SegKind::Binary { *bit } else { bytes.len() };
    // Empty frames are taken back, so the byte that is shared with the frame before must be left as it was: it is, as no bit is
    // set in a frame without voxels.
    bytes.resize(if kind == SegKind::Binary { (start + length).div_ceil(8) } else { start + length }, 0);
    for j in 0..dims[1] {
        for bi in 0..mask.brick_dims()[0] {
            let mut word = mask.row_word(bi, j, k);
            is_filled |= word != 0;
            while word != 0 {
                let i = (bi * crate::domain::mask::MASK_BRICK + word.trailing_zeros()) as usize;
                let at = start + i + dims[0] as usize * j as usize;
                if kind == SegKind::Binary {
                    bytes[at / 8] |= 1 << (at % 8);
                } else {
                    bytes[at] = u8::MAX;
                }
                word &= word - 1;
            }
        }
    }
    if kind == SegKind::Binary {
        *bit = start + length;
    }
    is_filled
}

struct Writer<'a> {
    grid: &'a Grid,
    segments: &'a [(&'a SegmentInfo, &'a Mask)],
    source: &'a SourceImages,
    kind: SegKind,
}

impl Writer<'_> {
    fn object(&self, frames: &Frames) -> InMemDicomObject {
        let mut object = InMemDicomObject::new_empty();
        let hash = self.hash(frames);
        let class = if self.kind == SegKind::LabelMap { LABEL_MAP } else { SEGMENTATION };
        let derived = DerivedObject {
            class,
            modality: "SEG",
            series_number: "300",
            series_description: "Segmentation",
            hash: &hash,
        };
        self.source.put_identity(&mut object, &derived);
        self.put_image(&mut object, frames);
        let segments = self.segments.iter().enumerate().map(|(n, (info, _))| segment_item(n, info)).collect();
        put_sequence(&mut object, tags::SEGMENT_SEQUENCE, segments);
        self.put_dimensions(&mut object, &hash);
        self.put_groups(&mut object, frames);
        self.put_references(&mut object, frames);
        let vr = if frames.is_wide { VR::OW } else { VR::OB };
        object.put(DataElement::new(tags::PIXEL_DATA, vr, frames.pixels.clone()));
        object
    }

    /// Tells this content from any other: the same segments give the same file.
    fn hash(&self, frames: &Frames) -> String {
        let mut hasher = blake3::Hasher::new();
        let affine = self.grid.patient_from_voxel().to_cols_array();
        for number in affine {
            hasher.update(&number.to_le_bytes());
        }
        for (info, _) in self.segments {
            hasher.update(info.name.as_bytes()).update(&[0]).update(&info.color);
        }
        for (segment, k) in &frames.places {
            hasher.update(&segment.to_le_bytes()).update(&k.to_le_bytes());
        }
        hasher.update(&frames.pixels.to_bytes());
        hasher.update(self.source.info.series_uid.as_bytes()).update(&[self.kind as u8]);
        hasher.finalize().to_hex().to_string()
    }

    fn put_image(&self, object: &mut InMemDicomObject, frames: &Frames) {
        let [ni, nj, _] = self.grid.dims();
        let (kind, bits) = match self.kind {
            SegKind::Binary => ("BINARY", 1),
            SegKind::Fractional => ("FRACTIONAL", 8),
            SegKind::LabelMap => ("LABELMAP", if frames.is_wide { 16 } else { 8 }),
        };
        put_text(object, tags::IMAGE_TYPE, VR::CS, "DERIVED\\PRIMARY");
        put_text(object, tags::NUMBER_OF_FRAMES, VR::IS, &frames.places.len().to_string());
        put_text(object, tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2");
        put_text(object, tags::LOSSY_IMAGE_COMPRESSION, VR::CS, "00");
        put_text(object, tags::CONTENT_LABEL, VR::CS, "SEGMENTATION");
        put_text(object, tags::CONTENT_DESCRIPTION, VR::LO, NOT_FOR_DIAGNOSTIC_USE);
        put_text(object, tags::CONTENT_CREATOR_NAME, VR::PN, "");
        put_text(object, tags::SEGMENTATION_TYPE, VR::CS, kind);
        let numbers = [
            (tags::SAMPLES_PER_PIXEL, 1),
            (tags::ROWS, nj as u16),
            (tags::COLUMNS, ni as u16),
            (tags::BITS_ALLOCATED, bits),
            (tags::BITS_STORED, bits),
            (tags::HIGH_BIT, bits - 1),
            (tags::PIXEL_REPRESENTATION, 0),
        ];
        for (tag, number) in numbers {
            put_u16(object, tag, number);
        }
        match self.kind {
            SegKind::Binary => {}
            SegKind::Fractional => {
                put_text(object, tags::SEGMENTATION_FRACTIONAL_TYPE, VR::CS, "OCCUPANCY");
                put_u16(object, tags::MAXIMUM_FRACTIONAL_VALUE, 255);
            }
            SegKind::LabelMap => {
                put_text(object, tags::SEGMENTS_OVERLAP, VR::CS, "NO");
                put_u16(object, tags::PIXEL_PADDING_VALUE, 0);
            }
        }
    }

    fn put_dimensions(&self, object: &mut InMemDicomObject, hash: &str) {
        let uid = derived_uid(&["dimensions", hash]);
        let organization = item(|item| put_text(item, tags::DIMENSION_ORGANIZATION_UID, VR::UI, &uid));
        put_sequence(object, tags::DIMENSION_ORGANIZATION_SEQUENCE, vec![organization]);
        let index = |pointer, group, label: &str| {
            item(|item| {
                put_text(item, tags::DIMENSION_ORGANIZATION_UID, VR::UI, &uid);
                put_tag(item, tags::DIMENSION_INDEX_POINTER, pointer);
                put_tag(item, tags::FUNCTIONAL_GROUP_POINTER, group);
                put_text(item, tags::DIMENSION_DESCRIPTION_LABEL, VR::LO, label);
            })
        };
        let position = index(tags::IMAGE_POSITION_PATIENT, tags::PLANE_POSITION_SEQUENCE, "Image position");
        let segment =
            || index(tags::REFERENCED_SEGMENT_NUMBER, tags::SEGMENT_IDENTIFICATION_SEQUENCE, "Segment number");
        let indices = if self.kind == SegKind::LabelMap { vec![position] } else { vec![segment(), position] };
        put_sequence(object, tags::DIMENSION_INDEX_SEQUENCE, indices);
    }

    fn put_groups(&self, object: &mut InMemDicomObject, frames: &Frames) {
        let axes = self.grid.patient_from_voxel().matrix3;
        let (row, column) = (axes.x_axis.normalize(), axes.y_axis.normalize());
        let spacing_mm = self.grid.spacing_mm();
        let step_mm = axes.z_axis.dot(row.cross(column)).abs();
        let cosines: Vec<f64> = row.to_array().into_iter().chain(column.to_array()).collect();
        let shared = item(|shared| {
            let measures = item(|item| {
                put_text(item, tags::SLICE_THICKNESS, VR::DS, &decimal(step_mm));
                put_text(item, tags::SPACING_BETWEEN_SLICES, VR::DS, &decimal(step_mm));
                item.put_str(tags::PIXEL_SPACING, VR::DS, decimals(&[spacing_mm.y, spacing_mm.x]));
            });
            put_sequence(shared, tags::PIXEL_MEASURES_SEQUENCE, vec![measures]);
            let orientation =
                item(|item| drop(item.put_str(tags::IMAGE_ORIENTATION_PATIENT, VR::DS, decimals(&cosines))));
            put_sequence(shared, tags::PLANE_ORIENTATION_SEQUENCE, vec![orientation]);
        });
        put_sequence(object, tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, vec![shared]);
        let mut slices: Vec<u32> = frames.places.iter().map(|(_, k)| *k).collect();
        slices.sort_unstable();
        slices.dedup();
        let of_frame = |&(segment, k): &(u16, u32)| {
            let place = slices.binary_search(&k).unwrap_or_default() as u32 + 1;
            self.frame_item(segment, k, place)
        };
        put_sequence(object, tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, frames.places.iter().map(of_frame).collect());
    }

    /// The functional groups of one frame; `place` counts the slices that hold anything, from 1.
    fn frame_item(&self, segment: u16, k: u32, place: u32) -> InMemDicomObject {
        let is_label_map = self.kind == SegKind::LabelMap;
        let position = self.grid.patient_from_voxel().transform_point3(DVec3::new(0.0, 0.0, f64::from(k)));
        item(|frame| {
            if let Some(image) = self.source.images.get(k as usize) {
                let source = item(|item| {
                    put_text(item, tags::REFERENCED_SOP_CLASS_UID, VR::UI, &image.class);
                    put_text(item, tags::REFERENCED_SOP_INSTANCE_UID, VR::UI, &image.instance);
                    put_text(item, tags::SPATIAL_LOCATIONS_PRESERVED, VR::CS, "YES");
                    let purpose = ["DCM", "121322", "Source image for image processing operation"];
                    put_code(item, tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE, purpose);
                });
                let derivation = item(|item| {
                    put_sequence(item, tags::SOURCE_IMAGE_SEQUENCE, vec![source]);
                    put_code(item, tags::DERIVATION_CODE_SEQUENCE, ["DCM", "113076", "Segmentation"]);
                });
                put_sequence(frame, tags::DERIVATION_IMAGE_SEQUENCE, vec![derivation]);
            }
            let indices = if is_label_map { vec![place] } else { vec![u32::from(segment), place] };
            let content = item(|item| put_u32s(item, tags::DIMENSION_INDEX_VALUES, &indices));
            put_sequence(frame, tags::FRAME_CONTENT_SEQUENCE, vec![content]);
            let plane = item(|item| {
                drop(item.put_str(tags::IMAGE_POSITION_PATIENT, VR::DS, decimals(&position.to_array())));
            });
            put_sequence(frame, tags::PLANE_POSITION_SEQUENCE, vec![plane]);
            if !is_label_map {
                let number = item(|item| put_u16(item, tags::REFERENCED_SEGMENT_NUMBER, segment));
                put_sequence(frame, tags::SEGMENT_IDENTIFICATION_SEQUENCE, vec![number]);
            }
        })
    }

    fn put_references(&self, object: &mut InMemDicomObject, frames: &Frames) {
        let slices: BTreeSet<u32> = frames.places.iter().map(|(_, k)| *k).collect();
        let images = slices.iter().filter_map(|&k| self.source.images.get(k as usize));
        self.source.put_references(object, images);
    }
}

fn segment_item(index: usize, info: &SegmentInfo) -> InMemDicomObject {
    let (category, kind) = codes::category_and_type(info.code.as_ref());
    let by_hand = info.made_by.is_empty();
    let steps = info.made_by.join(", ");
    item(|item| {
        put_u16(item, tags::SEGMENT_NUMBER, index as u16 + 1);
        let name = if info.name.is_empty() { "Segment" } else { &info.name };
        put_text(item, tags::SEGMENT_LABEL, VR::LO, name);
        if !by_hand {
            put_text(item, tags::SEGMENT_DESCRIPTION, VR::ST, &steps);
            put_text(item, tags::SEGMENT_ALGORITHM_NAME, VR::LO, &format!("{PROGRAM} {VERSION}"));
        }
        put_text(item, tags::SEGMENT_ALGORITHM_TYPE, VR::CS, if by_hand { "MANUAL" } else { "SEMIAUTOMATIC" });
        put_code(item, tags::SEGMENTED_PROPERTY_CATEGORY_CODE_SEQUENCE, category.each_ref().map(String::as_str));
        let [scheme, value, meaning] = kind.each_ref().map(String::as_str);
        let mut kind = code_item([scheme, value, meaning]);
        if let Some(side) = info.side {
            let (value, meaning) = side.code();
            put_code(&mut kind, tags::SEGMENTED_PROPERTY_TYPE_MODIFIER_CODE_SEQUENCE, ["SCT", value, meaning]);
        }
        put_sequence(item, tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE, vec![kind]);
        let lab = PrimitiveValue::U16(color::lab_of(info.color).as_slice().into());
        item.put(DataElement::new(tags::RECOMMENDED_DISPLAY_CIE_LAB_VALUE, VR::US, lab));
    })
}
