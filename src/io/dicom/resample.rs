//! Makes an even, upright volume of slices that are not: filled slices, and the slices of a tilted gantry brought upright.
//!
//! In: samples of the images in order, and how they lie. Out: samples of the volume, linear between images (filling) or
//! inside each image (straightening). Images that stay in place are copied bit for bit.
//! Only done where the user chose it; the report says what was made up.

use glam::{DAffine3, DVec2, DVec3};
use rayon::prelude::*;

use crate::domain::grid::Grid;

use super::geometry::SliceSource;

/// Makes each slice of `sources` of the images' `samples`.
pub(super) fn fill(samples: &[i16], slice_len: usize, sources: &[SliceSource]) -> Vec<i16> {
    let mut filled = vec![0; slice_len * sources.len()];
    filled.par_chunks_mut(slice_len).zip(sources).for_each(|(slice, source)| {
        let image = |n: usize| &samples[n * slice_len..(n + 1) * slice_len];
        if source.before == source.after {
            slice.copy_from_slice(image(source.before));
        } else {
            blend(image(source.before), image(source.after), source.weight, slice);
        }
    });
    filled
}

/// The samples between two slices.
pub(super) fn blend(before: &[i16], after: &[i16], weight: f64, slice: &mut [i16]) {
    for ((sample, &a), &b) in slice.iter_mut().zip(before).zip(after) {
        *sample = (f64::from(a) + (f64::from(b) - f64::from(a)) * weight).round() as i16;
    }
}

/// How leaning slices become upright ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Straightening {
    /// The upright grid.
    pub(super) grid: Grid,
    /// Place of the first slice's first voxel in the upright grid, voxels in i and j.
    first: DVec2,
    /// How much further each next slice lies.
    per_slice: DVec2,
}

impl Straightening {
    /// For a leaning grid; `None` when it is upright or the upright one would be impossible.
    pub(super) fn of(leaning: &Grid) -> Option<Self> {
        let affine = leaning.patient_from_voxel();
        let [row, column, step] = [affine.matrix3.x_axis, affine.matrix3.y_axis, affine.matrix3.z_axis];
        let normal = row.cross(column).normalize();
        let sideways = step - normal * step.dot(normal);
        let per_slice =
            DVec2::new(sideways.dot(row) / row.length_squared(), sideways.dot(column) / column.length_squared());
        let [ni, nj, nk] = leaning.dims();
        let total = per_slice * f64::from(nk - 1);
        if total.length() < 1e-6 {
            return None;
        }
        let before = total.min(DVec2::ZERO).abs().ceil();
        let after = total.max(DVec2::ZERO).ceil();
        let dims = [ni + (before.x + after.x) as u32, nj + (before.y + after.y) as u32, nk];
        let origin = affine.translation - row * before.x - column * before.y;
        let axes = glam::DMat3::from_cols(row, column, normal * step.dot(normal));
        let grid = Grid::new(dims, DAffine3 { matrix3: axes, translation: origin }).ok()?;
        Some(Self { grid, first: before, per_slice })
    }

    /// Moves the slices into the upright grid; what no slice covers becomes `outside`.
    pub(super) fn apply(&self, samples: &[i16], leaning: &Grid, outside: i16) -> Vec<i16> {
        let [ni, nj, _] = leaning.dims().map(|n| n as usize);
        let [mi, mj, mk] = self.grid.dims().map(|n| n as usize);
        let mut upright = vec![outside; mi * mj * mk];
        upright.par_chunks_mut(mi * mj).zip(samples.par_chunks(ni * nj)).enumerate().for_each(|(k, (slice, image))| {
            let shift = self.first + self.per_slice * k as f64;
            let (whole, part) = (shift.floor(), shift - shift.floor());
            // Target (i, j) lies between source columns i - whole - 1 and i - whole, the same in rows.
            let at = |i: i64, j: i64| {
                let inside = (0..ni as i64).contains(&i) && (0..nj as i64).contains(&j);
                if inside { f64::from(image[j as usize * ni + i as usize]) } else { f64::from(outside) }
            };
            for j in 0..mj as i64 {
                let j1 = j - whole.y as i64;
                for i in 0..mi as i64 {
                    let i1 = i - whole.x as i64;
                    let upper = at(i1 - 1, j1 - 1) * part.x + at(i1, j1 - 1) * (1.0 - part.x);
                    let lower = at(i1 - 1, j1) * part.x + at(i1, j1) * (1.0 - part.x);
                    let value = upper * part.y + lower * (1.0 - part.y);
                    slice[j as usize * mi + i as usize] = value.round() as i16;
                }
            }
        });
        upright
    }
}

/// The angle between the line of slices and their normal, degrees.
pub(super) fn tilt_deg(grid: &Grid) -> f64 {
    let axes = grid.patient_from_voxel().matrix3;
    let normal: DVec3 = axes.x_axis.cross(axes.y_axis);
    axes.z_axis.angle_between(normal).to_degrees()
}

#[cfg(test)]
mod tests {
    use super::*;
    use glam::DMat3;

    #[test]
    fn straightened_voxels_keep_their_place() {
        let axes = DMat3::from_cols(DVec3::X * 0.5, DVec3::Y * 0.5, DVec3::new(0.0, 1.0, 2.0));
        let affine = DAffine3 { matrix3: axes, translation: DVec3::new(5.0, -3.0, 40.0) };
        let leaning = Grid::new([4, 5, 3], affine).unwrap();
        let samples: Vec<i16> = (0..60).map(|n| n * 7 % 50 + 1).collect();
        let straightening = Straightening::of(&leaning).unwrap();
        let upright = straightening.apply(&samples, &leaning, -9);
        // Each slice moves by whole voxels here (1 mm = 2 rows), so every sample is found at its patient point.
        for (n, &sample) in samples.iter().enumerate() {
            let voxel = DVec3::new((n % 4) as f64, (n / 4 % 5) as f64, (n / 20) as f64);
            let point = leaning.patient_from_voxel().transform_point3(voxel);
            let found = straightening.grid.voxel_from_patient().transform_point3(point).round();
            let at = straightening.grid.index(found.x as u32, found.y as u32, found.z as u32);
            assert_eq!(upright[at], sample);
        }
        assert_eq!(upright.iter().filter(|&&sample| sample != -9).count(), 60);
        assert!(Straightening::of(&straightening.grid).is_none());
    }

    #[test]
    fn filled_slices_lie_between_their_neighbours() {
        let sources = [
            SliceSource { before: 0, after: 0, weight: 0.0 },
            SliceSource { before: 0, after: 1, weight: 0.25 },
            SliceSource { before: 1, after: 1, weight: 0.0 },
        ];
        assert_eq!(fill(&[0, 100, 200, 300], 2, &sources), [0, 100, 50, 150, 200, 300]);
    }
}
