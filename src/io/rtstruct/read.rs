//! Reads an RT Structure Set onto a grid.

use std::collections::BTreeMap;
use std::path::Path;

use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use glam::{DVec2, DVec3};

use crate::domain::grid::Grid;
use crate::domain::mask::Mask;
use crate::domain::mask::outlines::{Outline, turn_over};
use crate::io::dicom::elements::{floats, int, read_header_object, text};
use crate::io::import::ImportError;
use crate::io::import::research::stem;
use crate::io::label_map::{Label, SegmentationFile, plain_color};
use crate::io::report::Report;
use crate::task::Progress;

use super::{CLOSED, CLOSED_XOR, RTSTRUCT};

/// A contour may lean this far out of its slice, in slices.
const MOST_LEAN: f64 = 0.5;

/// Reads the structures of a file as segments of a grid.
///
/// # Errors
/// When the file is no structure set, is damaged, lies elsewhere in the patient, or the work was cancelled.
pub fn read(path: &Path, grid: &Grid, progress: &Progress) -> Result<SegmentationFile, ImportError> {
    progress.phase("Filling contours");
    let failed = |reason: &str| ImportError::file(path, reason);
    let (object, _) = read_header_object(path).map_err(|reason| failed(&reason))?;
    if text(&object, tags::SOP_CLASS_UID) != RTSTRUCT {
        return Err(failed("is not an RT structure set"));
    }
    let mut report = Report::default();
    let items = |tag| object.get(tag).and_then(|element| element.items()).unwrap_or_default();
    let contours = items(tags::ROI_CONTOUR_SEQUENCE);
    let (mut segments, mut meets) = (Vec::new(), false);
    let described = items(tags::STRUCTURE_SET_ROI_SEQUENCE);
    for (index, roi) in described.iter().enumerate() {
        progress.step(index, described.len())?;
        let number = int(roi, tags::ROI_NUMBER);
        let name = match text(roi, tags::ROI_NAME) {
            name if name.is_empty() => format!("{} {}", stem(path), index + 1),
            name => name,
        };
        let of_roi = contours.iter().find(|item| number.is_some() && int(item, tags::REFERENCED_ROI_NUMBER) == number);
        let color = of_roi.map(|item| floats(item, tags::ROI_DISPLAY_COLOR)).unwrap_or_default();
        let color = color.first_chunk::<3>().map(|rgb| rgb.map(|part| part.round().clamp(0.0, 255.0) as u8));
        let label = Label::new(name, color.unwrap_or_else(|| plain_color(index)), 1, &stem(path));
        let mask = of_roi.map_or_else(|| Mask::empty(grid.dims()), |item| filled(item, grid, &label, &mut report));
        meets |= !mask.is_empty();
        segments.push((label.info, mask));
    }
    if !meets && !segments.is_empty() {
        return Err(failed("has no contour on the images: they do not belong together"));
    }
    if segments.is_empty() {
        return Err(failed("has no structures"));
    }
    Ok(SegmentationFile { grid: *grid, segments, report })
}

/// The voxels inside the contours of one region.
fn filled(roi: &InMemDicomObject, grid: &Grid, label: &Label, report: &mut Report) -> Mask {
    let [ni, nj, nk] = grid.dims();
    let voxel_from_patient = grid.voxel_from_patient();
    let contours = roi.get(tags::CONTOUR_SEQUENCE).and_then(|element| element.items()).unwrap_or_default();
    let mut by_slice: BTreeMap<u32, Vec<Outline>> = BTreeMap::new();
    let (mut left_out, mut leaning) = (0, 0);
    for contour in contours {
        let kind = text(contour, tags::CONTOUR_GEOMETRIC_TYPE);
        let points = floats(contour, tags::CONTOUR_DATA);
        let points: Vec<DVec3> = points
            .chunks_exact(3)
            .map(|xyz| voxel_from_patient.transform_point3(DVec3::new(xyz[0], xyz[1], xyz[2])))
            .collect();
        if !matches!(kind.as_str(), CLOSED | CLOSED_XOR) || points.len() < 3 {
            left_out += 1;
            continue;
        }
        let middle = points.iter().map(|point| point.z).sum::<f64>() / points.len() as f64;
        let k = middle.round();
        if points.iter().any(|point| (point.z - k).abs() > MOST_LEAN) {
            leaning += 1;
            continue;
        }
        if k >= 0.0 && k < f64::from(nk) {
            let outline = points.iter().map(|point| DVec2::new(point.x, point.y)).collect();
            by_slice.entry(k as u32).or_default().push(outline);
        }
    }
    let name = &label.info.name;
    if left_out > 0 {
        report.warning(format!("{name}: {left_out} contours are points or open lines and were left out"));
    }
    if leaning > 0 {
        report.warning(format!("{name}: {leaning} contours do not lie in slices of these images and were left out"));
    }
    let pixels: BTreeMap<u32, Vec<bool>> = by_slice
        .into_iter()
        .map(|(k, outlines)| {
            let mut pixels = vec![false; ni as usize * nj as usize];
            for outline in &outlines {
                turn_over(outline, [ni, nj], &mut pixels);
            }
            (k, pixels)
        })
        .collect();
    Mask::from_fn(grid.dims(), |i, j, k| {
        pixels.get(&k).is_some_and(|pixels| pixels[i as usize + ni as usize * j as usize])
    })
}
