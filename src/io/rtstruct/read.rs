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

/// A contour may lean this far out of its plane, in slices.
const MOST_LEAN: f64 = 0.5;
/// Contours nearer together than this lie in one plane, in slices.
const SAME_PLANE: f64 = 0.05;
/// Planes that are this much further or less apart than the slices are said, as a part of a slice.
const OTHER_SPACING: f64 = 0.02;

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
    let mut outlines: Vec<(f64, Outline)> = Vec::new();
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
        if points.iter().any(|point| (point.z - middle).abs() > MOST_LEAN) {
            leaning += 1;
            continue;
        }
        outlines.push((middle, points.iter().map(|point| DVec2::new(point.x, point.y)).collect()));
    }
    outlines.sort_by(|a, b| a.0.total_cmp(&b.0));
    let planes: Vec<&[(f64, Outline)]> = outlines.chunk_by(|a, b| b.0 - a.0 < SAME_PLANE).collect();
    let heights: Vec<f64> = planes.iter().map(|plane| plane[0].0).collect();
    let name = &label.info.name;
    if left_out > 0 {
        report.warning(format!("{name}: {left_out} contours are points or open lines and were left out"));
    }
    if leaning > 0 {
        report.warning(format!("{name}: {leaning} contours do not lie in slices of these images and were left out"));
    }
    let apart = usual_distance(&heights);
    if (apart - 1.0).abs() > OTHER_SPACING {
        let slice_mm = grid.spacing_mm().z;
        report.warning(format!(
            "{name}: contours lie {:.2} mm apart, slices {slice_mm:.2} mm: each slice was given the nearest contour",
            apart * slice_mm
        ));
    }
    let pixels: BTreeMap<u32, Vec<bool>> = nearest_planes(&heights, apart, nk)
        .into_iter()
        .map(|(k, plane)| {
            let mut pixels = vec![false; ni as usize * nj as usize];
            for (_, outline) in planes[plane] {
                turn_over(outline, [ni, nj], &mut pixels);
            }
            (k, pixels)
        })
        .collect();
    Mask::from_fn(grid.dims(), |i, j, k| {
        pixels.get(&k).is_some_and(|pixels| pixels[i as usize + ni as usize * j as usize])
    })
}

/// How far apart planes at rising heights are, in slices. Further than slices only where nine of ten gaps are alike: a body drawn
/// on some slices and not on others has holes, which are not to be filled.
fn usual_distance(heights: &[f64]) -> f64 {
    let mut gaps: Vec<f64> = heights.windows(2).map(|pair| pair[1] - pair[0]).collect();
    gaps.sort_by(f64::total_cmp);
    let Some(&usual) = gaps.get(gaps.len() / 2) else { return 1.0 };
    let alike = gaps.iter().filter(|gap| (*gap - usual).abs() <= OTHER_SPACING * usual).count();
    if usual <= 1.0 || (gaps.len() > 1 && 10 * alike >= 9 * gaps.len()) { usual } else { 1.0 }
}

/// For each slice that contours reach, the plane nearest to it. A plane stands for the body half way to its neighbours, so
/// it reaches half the usual distance, and at least to the slice it lies next to; several in one slice are not mixed.
fn nearest_planes(heights: &[f64], apart: f64, slices: u32) -> BTreeMap<u32, usize> {
    let reach = (apart / 2.0).max(0.5);
    let mut nearest: BTreeMap<u32, usize> = BTreeMap::new();
    for (plane, height) in heights.iter().enumerate() {
        let first = (height - reach).ceil().max(0.0);
        let mut k = first;
        // Half open, so that contours half way between slices fill as many slices as there are contours.
        while k < height + reach - 1e-9 && k < f64::from(slices) {
            let distance = |plane: usize| (heights[plane] - k).abs();
            let is_nearer = nearest.get(&(k as u32)).is_none_or(|&other| distance(plane) < distance(other));
            if is_nearer {
                nearest.insert(k as u32, plane);
            }
            k += 1.0;
        }
    }
    nearest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_slice_takes_the_nearest_contour_and_none_is_mixed() {
        let planes = |heights: &[f64], slices| nearest_planes(heights, usual_distance(heights), slices);
        let pairs = |list: &[(u32, usize)]| list.iter().copied().collect::<BTreeMap<_, _>>();
        assert_eq!(planes(&[2.0, 3.0, 4.0], 9), pairs(&[(2, 0), (3, 1), (4, 2)]), "on the slices");
        assert_eq!(planes(&[1.5, 2.5, 3.5], 9).len(), 3, "half way between slices: as many slices as contours");
        // Every 2.5 mm on slices of 5 mm: one contour a slice, the one that lies in it.
        assert_eq!(planes(&[1.0, 1.5, 2.0, 2.5, 3.0], 9), pairs(&[(1, 0), (2, 2), (3, 4)]));
        // Every 3 mm on slices of 1 mm: no slice between is left empty.
        let filled = planes(&[3.0, 6.0, 9.0], 20);
        assert_eq!(filled.keys().copied().collect::<Vec<_>>(), (2..=10).collect::<Vec<_>>());
        assert_eq!((filled[&4], filled[&5], filled[&7]), (0, 1, 1));
        // Drawn on some slices only: holes stay holes.
        assert_eq!(planes(&[2.0, 4.0, 5.0, 8.0], 20).keys().copied().collect::<Vec<_>>(), [2, 4, 5, 8]);
        assert_eq!(planes(&[2.0, 4.0], 20).len(), 2, "two contours tell no distance");
        // Two parts far apart stay apart.
        assert_eq!(planes(&[2.0, 3.0, 12.0, 13.0], 20).keys().copied().collect::<Vec<_>>(), [2, 3, 12, 13]);
        assert!(planes(&[-4.0, -3.0], 20).is_empty(), "below the images");
        assert_eq!(planes(&[5.0], 9), pairs(&[(5, 0)]));
    }
}
