//! Slices by trilinear interpolation in f32, fast enough to follow the hand on two cores without a graphics device.
//!
//! In: a volume, a frame in patient space, a slab or none. Out: values row by row, [`NO_VALUE`] outside the volume.
//! Twin of `slice_reference::resample` (f64, the truth): the same places, the same samples of a slab, within half a unit.
//! A row of pixels is a line through the voxels: where all eight corners are inside, places advance in 32.32 fixed point, which
//! drifts by less than a millionth of a voxel over a row; at the border the reference itself is asked.
//! On software drivers the window's slices take their values from here (`gpu::render::slice`): a texture fetch costs such a
//! driver several times what a load from main memory does.

use glam::DVec3;
use rayon::prelude::*;

use super::slice::{Slab, SlabMode, SliceFrame};
use super::slice_reference::trilinear;
use super::volume::Volume;

/// Stands where there is no volume. Twin of the constant in `shaders/render/slice.wgsl`.
pub const NO_VALUE: f32 = -3.0e38;

/// One voxel in fixed point.
const ONE: f64 = 4_294_967_296.0;
/// Bits behind the point.
const BITS: u32 = 32;
/// How far inside the last corner a place has to be to be taken without looking, voxels.
const SAFE: f64 = 1e-6;

/// Values of a plane or a slab around it, by trilinear interpolation.
pub fn sample_plane(volume: &Volume, frame: &SliceFrame, slab: Option<&Slab>) -> Vec<f32> {
    let voxels = frame.in_voxels(volume.grid());
    let [width, height] = frame.size_px.map(|n| n as usize);
    let sampler = Sampler::new(volume);
    let center_px = frame.center_px();
    let mut values = vec![NO_VALUE; width * height];
    values.par_chunks_mut(width.max(1)).enumerate().for_each(|(y, row)| {
        let down = y as f64 + 0.5 - center_px.y;
        let start = voxels.center + voxels.right_per_px * (0.5 - center_px.x) + voxels.down_per_px * down;
        match slab {
            None => sampler.row(start, voxels.right_per_px, width, |x, value| row[x] = value),
            Some(slab) => sampler.slab_row(row, (start, voxels.right_per_px), voxels.normal_per_mm, slab),
        }
    });
    values
}

/// What a row needs to know of a volume.
struct Sampler<'a> {
    volume: &'a Volume,
    samples: &'a [i16],
    /// Samples from one row, and from one layer, to the next.
    row: usize,
    layer: usize,
    last: DVec3,
    slope: f32,
    intercept: f32,
}

impl<'a> Sampler<'a> {
    fn new(volume: &'a Volume) -> Self {
        let [ni, nj, nk] = volume.grid().dims();
        let rescale = volume.rescale();
        Self {
            volume,
            samples: volume.samples(),
            row: ni as usize,
            layer: ni as usize * nj as usize,
            last: DVec3::from_array([ni, nj, nk].map(|n| f64::from(n) - 1.0)),
            slope: rescale.slope as f32,
            intercept: rescale.intercept as f32,
        }
    }

    /// Gives the value of each pixel of a row that lies in the volume. `start` is the voxel place of the first pixel.
    #[inline]
    fn row(&self, start: DVec3, step: DVec3, width: usize, mut take: impl FnMut(usize, f32)) {
        let outer = span(start, step, (DVec3::splat(-0.5), self.last + 0.5), width);
        let inner = span(start, step, (DVec3::splat(SAFE), self.last - SAFE), width);
        let inner = if inner.is_empty() { outer.start..outer.start } else { inner };
        for x in (outer.start..inner.start).chain(inner.end..outer.end) {
            if let Some(value) = trilinear(self.volume, start + step * x as f64) {
                take(x, value as f32);
            }
        }
        let fixed = |v: DVec3| v.to_array().map(|part| (part * ONE).round() as i64);
        let step_fixed = fixed(step);
        let mut place = fixed(start + step * inner.start as f64);
        for x in inner {
            take(x, self.interior(place).mul_add(self.slope, self.intercept));
            for (part, step) in place.iter_mut().zip(step_fixed) {
                *part += step;
            }
        }
    }

    /// The sample at a place all of whose corners are inside.
    #[inline]
    fn interior(&self, place: [i64; 3]) -> f32 {
        let whole = place.map(|part| (part >> BITS) as usize);
        // 24 bits of the fraction are all that f32 holds.
        let part = place.map(|part| (part as u32 >> 8) as i32 as f32 / 16_777_216.0);
        let base = whole[0] + self.row * whole[1] + self.layer * whole[2];
        let lerp = |a: f32, b: f32, t: f32| a + (b - a) * t;
        let pair = |at: usize| {
            let pair = &self.samples[at..at + 2];
            lerp(f32::from(pair[0]), f32::from(pair[1]), part[0])
        };
        let low = lerp(pair(base), pair(base + self.row), part[1]);
        let high = lerp(pair(base + self.layer), pair(base + self.layer + self.row), part[1]);
        lerp(low, high, part[2])
    }

    /// A row of a slab: its samples lie where the reference takes them; those outside have no say.
    fn slab_row(&self, row: &mut [f32], (start, step): (DVec3, DVec3), normal_per_mm: DVec3, slab: &Slab) {
        let spacing_mm = 1.0 / normal_per_mm.abs().max_element().max(1e-9);
        let (count, step_mm) = slab.samples(spacing_mm);
        let places = (0..count).map(|n| start + normal_per_mm * (f64::from(n) * step_mm - slab.thickness_mm / 2.0));
        let width = row.len();
        match slab.mode {
            SlabMode::Maximum => {
                places.for_each(|start| self.row(start, step, width, |x, value| row[x] = row[x].max(value)));
            }
            SlabMode::Minimum => {
                row.fill(-NO_VALUE);
                places.for_each(|start| self.row(start, step, width, |x, value| row[x] = row[x].min(value)));
                row.iter_mut().filter(|value| **value >= -NO_VALUE).for_each(|value| *value = NO_VALUE);
            }
            SlabMode::Mean => {
                let mut sums = vec![(0.0_f32, 0.0_f32); width];
                places.for_each(|start| {
                    self.row(start, step, width, |x, value| sums[x] = (sums[x].0 + value, sums[x].1 + 1.0));
                });
                for (value, (sum, count)) in row.iter_mut().zip(sums).filter(|(_, (_, count))| *count > 0.0) {
                    *value = sum / count;
                }
            }
        }
    }
}

/// The pixels of a row whose places lie between two corners, ends included.
fn span(start: DVec3, step: DVec3, (low, high): (DVec3, DVec3), width: usize) -> std::ops::Range<usize> {
    // A volume of one slice has no inside along it.
    if low.cmpgt(high).any() {
        return 0..0;
    }
    let (mut first, mut end) = (0.0_f64, width as f64);
    for axis in 0..3 {
        if step[axis].abs() < 1e-12 {
            if !(low[axis]..=high[axis]).contains(&start[axis]) {
                return 0..0;
            }
            continue;
        }
        let ends = [(low[axis] - start[axis]) / step[axis], (high[axis] - start[axis]) / step[axis]];
        first = first.max(ends[0].min(ends[1]));
        end = end.min(ends[0].max(ends[1]) + 1.0);
    }
    let (first, end) = (first.ceil().max(0.0) as usize, end.floor().max(0.0) as usize);
    if first < end { first..end.min(width) } else { 0..0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::grid::Grid;
    use crate::domain::plane::Plane;
    use crate::domain::slice::Interpolation;
    use crate::domain::slice_reference::resample;
    use crate::domain::volume::{Quantity, Rescale};

    #[test]
    fn a_span_holds_the_pixels_between_its_corners() {
        let corners = (DVec3::ZERO, DVec3::splat(9.0));
        assert_eq!(span(DVec3::new(-2.0, 4.0, 4.0), DVec3::X, corners, 100), 2..12);
        assert_eq!(span(DVec3::new(12.0, 4.0, 4.0), DVec3::NEG_X * 2.0, corners, 100), 2..7);
        assert_eq!(span(DVec3::new(-2.0, 40.0, 4.0), DVec3::X, corners, 100), 0..0);
        assert_eq!(span(DVec3::new(3.0, 4.0, 4.0), DVec3::X, corners, 4), 0..4);
        let inverted = (DVec3::splat(1e-6), DVec3::new(9.0, -1e-6, 9.0));
        assert_eq!(span(DVec3::new(4.0, -1.0, 4.0), DVec3::Y * 0.5, inverted, 9), 0..0);
    }

    #[test]
    fn volumes_of_one_slice_are_sampled_like_any_other() {
        for dims in [[1, 9, 9], [9, 1, 9], [9, 9, 1], [1, 1, 1]] {
            let grid = Grid::axis_aligned(dims, DVec3::new(0.7, 0.9, 2.0), DVec3::ZERO).expect("a grid");
            let samples = (0..grid.voxel_count() as i16).map(|n| n * 13 % 101).collect();
            let volume = Volume::new(grid, samples, Rescale::IDENTITY, Quantity::Hounsfield);
            for (plane, width) in Plane::ALL.into_iter().flat_map(|plane| [(plane, 40), (plane, 41)]) {
                let frame = SliceFrame::of_plane(plane, grid.center_in_patient(), 0.31, [width, 41]);
                let slab = Slab { thickness_mm: 2.9, mode: SlabMode::Mean };
                for slab in [None, Some(&slab)] {
                    let truth = resample(&volume, &frame, Interpolation::Linear, slab);
                    for (found, truth) in sample_plane(&volume, &frame, slab).into_iter().zip(truth) {
                        let truth = truth.map_or(NO_VALUE, |value| value as f32);
                        assert!((found - truth).abs() < 0.5, "{dims:?} {plane:?}: {found} for {truth}");
                    }
                }
            }
        }
    }
}
