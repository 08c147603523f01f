//! Writes segments as an RT Structure Set.

use std::path::Path;

use dicom_core::VR;
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use glam::DVec3;

use crate::domain::grid::Grid;
use crate::domain::mask::Mask;
use crate::domain::mask::outlines::{Outline, outlines, with_keyholes};
use crate::domain::segmentation::SegmentInfo;
use crate::io::dicom::elements::{item, put_sequence, put_text, text};
use crate::io::dicom::write::{decimals, write_object};
use crate::io::dicom_seg::SourceImages;
use crate::io::dicom_seg::source::{DerivedObject, ImageReference};
use crate::io::dicom_seg::write::SegWriteError;
use crate::task::Progress;

use super::{CLOSED, RTSTRUCT};

/// The retired class that structure sets still name as their study.
const STUDY_CLASS: &str = "1.2.840.10008.3.1.2.3.1";

/// Writes segments of one grid; `source` says whose they are. A file for others has its identity removed by the caller, with
/// [`SourceImages::deidentified`].
///
/// # Errors
/// When there is no voxel, the medium refuses, or the work was cancelled.
pub fn write(
    path: &Path,
    grid: &Grid,
    segments: &[(&SegmentInfo, &Mask)],
    source: &SourceImages,
    progress: &Progress,
) -> Result<(), SegWriteError> {
    progress.phase("Writing contours");
    if segments.iter().all(|(_, mask)| mask.is_empty()) {
        return Err(SegWriteError::Empty);
    }
    let mut hasher = blake3::Hasher::new();
    let mut contours = Vec::new();
    for (index, (info, mask)) in segments.iter().enumerate() {
        progress.step(index, segments.len())?;
        hasher.update(info.name.as_bytes()).update(&[0]);
        contours.push(contour_item(index, info, mask, grid, source, &mut hasher));
    }
    hasher.update(source.info.series_uid.as_bytes());
    let hash = hasher.finalize().to_hex().to_string();
    let mut object = InMemDicomObject::new_empty();
    let derived = DerivedObject {
        class: RTSTRUCT,
        modality: "RTSTRUCT",
        series_number: "302",
        series_description: "Contours",
        hash: &hash,
    };
    source.put_identity(&mut object, &derived);
    put_structures(&mut object, segments, source);
    put_sequence(&mut object, tags::ROI_CONTOUR_SEQUENCE, contours);
    Ok(write_object(path, object)?)
}

fn image_item(image: &ImageReference) -> InMemDicomObject {
    item(|item| {
        put_text(item, tags::REFERENCED_SOP_CLASS_UID, VR::UI, &image.class);
        put_text(item, tags::REFERENCED_SOP_INSTANCE_UID, VR::UI, &image.instance);
    })
}

/// The contours of one segment.
fn contour_item(
    index: usize,
    info: &SegmentInfo,
    mask: &Mask,
    grid: &Grid,
    source: &SourceImages,
    hasher: &mut blake3::Hasher,
) -> InMemDicomObject {
    let slices = mask.bounds().map_or(0..0, |bounds| bounds.min[2]..bounds.max[2]);
    let lines: Vec<(u32, Outline)> =
        slices.flat_map(|k| with_keyholes(outlines(mask, k)).into_iter().map(move |line| (k, line))).collect();
    let contours = lines.iter().map(|(k, line)| {
        let points = line.iter().flat_map(|corner| {
            let voxel = DVec3::new(corner.x, corner.y, f64::from(*k));
            grid.patient_from_voxel().transform_point3(voxel).to_array()
        });
        let points: Vec<f64> = points.collect();
        for part in &points {
            hasher.update(&part.to_le_bytes());
        }
        item(|item| {
            if let Some(image) = source.images.get(*k as usize) {
                put_sequence(item, tags::CONTOUR_IMAGE_SEQUENCE, vec![image_item(image)]);
            }
            put_text(item, tags::CONTOUR_GEOMETRIC_TYPE, VR::CS, CLOSED);
            put_text(item, tags::NUMBER_OF_CONTOUR_POINTS, VR::IS, &line.len().to_string());
            drop(item.put_str(tags::CONTOUR_DATA, VR::DS, decimals(&points)));
        })
    });
    let contours: Vec<InMemDicomObject> = contours.collect();
    let color = info.color.map(|part| part.to_string()).join("\\");
    item(|item| {
        drop(item.put_str(tags::ROI_DISPLAY_COLOR, VR::IS, color));
        if !contours.is_empty() {
            put_sequence(item, tags::CONTOUR_SEQUENCE, contours);
        }
        put_text(item, tags::REFERENCED_ROI_NUMBER, VR::IS, &(index + 1).to_string());
    })
}

fn put_structures(object: &mut InMemDicomObject, segments: &[(&SegmentInfo, &Mask)], source: &SourceImages) {
    let frame = text(object, tags::FRAME_OF_REFERENCE_UID);
    let (date, time) = (text(object, tags::CONTENT_DATE), text(object, tags::CONTENT_TIME));
    put_text(object, tags::OPERATORS_NAME, VR::PN, "");
    put_text(object, tags::STRUCTURE_SET_LABEL, VR::SH, "Maquette");
    put_text(object, tags::STRUCTURE_SET_DATE, VR::DA, &date);
    put_text(object, tags::STRUCTURE_SET_TIME, VR::TM, &time);
    put_text(object, tags::APPROVAL_STATUS, VR::CS, "UNAPPROVED");
    let study = text(object, tags::STUDY_INSTANCE_UID);
    let referenced = item(|item_of_frame| {
        put_text(item_of_frame, tags::FRAME_OF_REFERENCE_UID, VR::UI, &frame);
        if !source.images.is_empty() {
            let series = item(|series| {
                put_text(series, tags::SERIES_INSTANCE_UID, VR::UI, &source.info.series_uid);
                put_sequence(series, tags::CONTOUR_IMAGE_SEQUENCE, source.images.iter().map(image_item).collect());
            });
            let of_study = item(|item| {
                put_text(item, tags::REFERENCED_SOP_CLASS_UID, VR::UI, STUDY_CLASS);
                put_text(item, tags::REFERENCED_SOP_INSTANCE_UID, VR::UI, &study);
                put_sequence(item, tags::RT_REFERENCED_SERIES_SEQUENCE, vec![series]);
            });
            put_sequence(item_of_frame, tags::RT_REFERENCED_STUDY_SEQUENCE, vec![of_study]);
        }
    });
    put_sequence(object, tags::REFERENCED_FRAME_OF_REFERENCE_SEQUENCE, vec![referenced]);
    let numbered = || segments.iter().enumerate().map(|(index, (info, _))| ((index + 1).to_string(), info));
    let rois = numbered().map(|(number, info)| {
        item(|item| {
            put_text(item, tags::ROI_NUMBER, VR::IS, &number);
            put_text(item, tags::REFERENCED_FRAME_OF_REFERENCE_UID, VR::UI, &frame);
            put_text(item, tags::ROI_NAME, VR::LO, &info.name);
            put_text(
                item,
                tags::ROI_GENERATION_ALGORITHM,
                VR::CS,
                if info.made_by.is_empty() { "MANUAL" } else { "SEMIAUTOMATIC" },
            );
        })
    });
    put_sequence(object, tags::STRUCTURE_SET_ROI_SEQUENCE, rois.collect());
    let observations = numbered().map(|(number, _)| {
        item(|item| {
            put_text(item, tags::OBSERVATION_NUMBER, VR::IS, &number);
            put_text(item, tags::REFERENCED_ROI_NUMBER, VR::IS, &number);
            put_text(item, tags::RTROI_INTERPRETED_TYPE, VR::CS, "");
            put_text(item, tags::ROI_INTERPRETER, VR::PN, "");
        })
    });
    put_sequence(object, tags::RTROI_OBSERVATIONS_SEQUENCE, observations.collect());
}
