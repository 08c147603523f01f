//! Where the frames of a segmentation lie: one grid through all of them.
//!
//! Frames without voxels are left out by many programs, so positions may have gaps: the step is the distance that all gaps
//! are multiples of.

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use glam::{DAffine3, DMat3, DVec3};

use crate::domain::grid::Grid;
use crate::io::dicom::elements::{first_item, float, floats};

/// Frames closer than this, mm, are at one place.
const SAME_PLACE_MM: f64 = 1e-3;
/// A frame may be this far from its place, as a part of a step.
const OFF_PLACE: f64 = 0.05;
/// Steps inside a gap that are believed.
const MAX_SLICES: f64 = 16_384.0;

/// The functional groups of one frame: its own, or those that all share.
pub struct FrameGroups<'a> {
    shared: Option<&'a InMemDicomObject>,
    own: Option<&'a InMemDicomObject>,
}

impl<'a> FrameGroups<'a> {
    /// Of frame `index`.
    pub fn of(object: &'a InMemDicomObject, index: usize) -> Self {
        let own =
            object.get(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).and_then(|element| element.items()?.get(index));
        Self { shared: first_item(object, tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE), own }
    }

    /// The item of a functional group.
    pub fn group(&self, tag: Tag) -> Option<&'a InMemDicomObject> {
        self.own.and_then(|own| first_item(own, tag)).or_else(|| first_item(self.shared?, tag))
    }
}

/// The grid of all frames, and the slice that each frame is.
pub struct FrameGrid {
    /// Size and place.
    pub grid: Grid,
    /// Slice index of each frame.
    pub slices: Vec<u32>,
}

/// Finds the grid.
///
/// # Errors
/// With the end of a sentence about the file, when a frame has no place, they are not parallel, or not evenly spaced.
pub fn frame_grid(object: &InMemDicomObject, columns: u32, rows: u32, count: usize) -> Result<FrameGrid, String> {
    let (mut positions, mut axes) = (Vec::with_capacity(count), None);
    let (mut spacing_mm, mut thickness_mm) = (None, None);
    for index in 0..count {
        let groups = FrameGroups::of(object, index);
        let position = groups.group(tags::PLANE_POSITION_SEQUENCE);
        let position = position.and_then(|item| floats(item, tags::IMAGE_POSITION_PATIENT).first_chunk::<3>().copied());
        positions.push(DVec3::from(position.ok_or("does not say where its frames lie in the patient")?));
        let orientation = groups.group(tags::PLANE_ORIENTATION_SEQUENCE);
        let cosines = orientation.map(|item| floats(item, tags::IMAGE_ORIENTATION_PATIENT)).unwrap_or_default();
        let measures = groups.group(tags::PIXEL_MEASURES_SEQUENCE);
        let spacing = measures.map(|item| floats(item, tags::PIXEL_SPACING)).unwrap_or_default();
        let (Some(c), Some(&[between_rows, between_columns])) =
            (cosines.first_chunk::<6>(), spacing.first_chunk::<2>())
        else {
            return Err("does not say how its frames lie in the patient".to_owned());
        };
        let found = [DVec3::new(c[0], c[1], c[2]) * between_columns, DVec3::new(c[3], c[4], c[5]) * between_rows];
        let first = *axes.get_or_insert(found);
        if found.iter().zip(first).any(|(a, b)| a.distance(b) > 1e-4 * b.length()) {
            return Err("has frames that are turned against each other, which is not read".to_owned());
        }
        if spacing_mm.is_none() && thickness_mm.is_none() {
            let mm = |tag| measures.and_then(|item| float(item, tag)).map(f64::abs).filter(|mm| *mm > 0.0);
            (spacing_mm, thickness_mm) = (mm(tags::SPACING_BETWEEN_SLICES), mm(tags::SLICE_THICKNESS));
        }
    }
    let [row, column] = axes.ok_or("has no frames")?;
    stacked([row, column], &positions, [spacing_mm, thickness_mm], [columns, rows])
}

/// Frames in order on a grid. Of the distances that the files may give, the one between slices is believed; the thickness only
/// where frames are not evenly apart, because slices may be thinner than they are apart.
fn stacked(
    [row, column]: [DVec3; 2],
    positions: &[DVec3],
    [spacing_mm, thickness_mm]: [Option<f64>; 2],
    [columns, rows]: [u32; 2],
) -> Result<FrameGrid, String> {
    let normal = row.cross(column).normalize_or_zero();
    if normal == DVec3::ZERO {
        return Err("gives directions that span no plane".to_owned());
    }
    let along = |position: &DVec3| position.dot(normal);
    let mut order: Vec<usize> = (0..positions.len()).collect();
    order.sort_by(|&a, &b| along(&positions[a]).total_cmp(&along(&positions[b])));
    let (first, last) = (positions[order[0]], positions[order[order.len() - 1]]);
    let reach_mm = along(&last) - along(&first);
    let gaps = order.windows(2).map(|pair| along(&positions[pair[1]]) - along(&positions[pair[0]]));
    let gaps: Vec<f64> = gaps.filter(|gap| *gap > SAME_PLACE_MM).collect();
    let (smallest, largest) =
        gaps.iter().fold((f64::INFINITY, 0.0), |(s, l): (f64, f64), gap| (s.min(*gap), l.max(*gap)));
    let fits = |step_mm: f64| {
        reach_mm / step_mm <= MAX_SLICES
            && positions.iter().all(|position| {
                let at = (along(position) - along(&first)) / step_mm;
                (at - at.round()).abs() <= OFF_PLACE
            })
    };
    let one_frame = spacing_mm.or(thickness_mm).unwrap_or(1.0);
    let is_even = gaps.len() > 1 && largest - smallest <= OFF_PLACE * smallest;
    let told = [spacing_mm, Some(smallest).filter(|_| is_even), thickness_mm].map(|step| step.unwrap_or(f64::INFINITY));
    let candidates = told.into_iter().chain([smallest, smallest / 2.0, smallest / 3.0]);
    let step_mm = if reach_mm <= SAME_PLACE_MM {
        one_frame
    } else {
        let found = candidates.into_iter().find(|step| step.is_finite() && *step > SAME_PLACE_MM && fits(*step));
        found.ok_or("has frames that are not evenly spaced, which is not read")?
    };
    let steps = (reach_mm / step_mm).round();
    // From the first to the last frame: slices that lean stay leaning.
    let step = if steps >= 1.0 { (last - first) / steps } else { normal * step_mm };
    let slices =
        positions.iter().map(|position| ((along(position) - along(&first)) / step_mm).round() as u32).collect();
    let affine = DAffine3 { matrix3: DMat3::from_cols(row, column, step), translation: first };
    let grid = Grid::new([columns, rows, steps as u32 + 1], affine)
        .map_err(|error| format!("has no possible geometry: {error}"))?;
    Ok(FrameGrid { grid, slices })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_between_slices_is_believed_before_even_gaps_and_these_before_the_thickness() {
        let step_mm = |heights_mm: &[f64], distances_mm| {
            let positions: Vec<DVec3> = heights_mm.iter().map(|z| DVec3::Z * *z).collect();
            let found = stacked([DVec3::X, DVec3::Y], &positions, distances_mm, [4, 4]).expect("a grid");
            found.grid.spacing_mm().z
        };
        assert_eq!(step_mm(&[0.0, 10.0, 20.0], [None, Some(5.0)]), 10.0, "thin slices far apart");
        assert_eq!(step_mm(&[0.0, 10.0, 20.0], [Some(5.0), Some(5.0)]), 5.0, "every second slice is empty");
        assert_eq!(step_mm(&[0.0, 2.0, 5.0], [None, Some(1.0)]), 1.0, "empty slices left out");
        assert_eq!(step_mm(&[7.0], [None, Some(3.0)]), 3.0);
        // Frames of several segments share places.
        assert_eq!(step_mm(&[0.0, 0.0, 10.0, 10.0, 20.0], [None, Some(5.0)]), 10.0);
    }
}
