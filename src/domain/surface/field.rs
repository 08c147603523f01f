//! The fields whose surfaces are extracted, and where the surface cuts an edge between two voxels.
//!
//! Space: voxel indices, signed so that the virtual outside voxels around the grid can be named; they are never inside.
//! A vertex is owned by the lower voxel of its edge. `t` is the way from the lower voxel (0) to the upper one (1).

use super::bit_grid::BitGrid;
#[cfg(test)]
use crate::domain::mask::Mask;
use crate::domain::volume::Volume;

/// No vertex comes nearer than this to a voxel centre, in voxels: neighbouring vertices stay apart in `f32` millimetres,
/// so no triangle collapses when the mesh is written.
pub(crate) const CLOSEST_TO_VOXEL: f32 = 1.0 / 1024.0;

/// Where the surface cuts an edge, and the gradient of the field there (voxel space, pointing inwards, any length).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cut {
    pub(crate) t: f32,
    pub(crate) gradient: [f32; 3],
}

/// A field with an inside.
pub(crate) trait Field: Sync {
    fn dims(&self) -> [u32; 3];
    fn inside(&self, voxel: [i32; 3]) -> bool;
    /// The cut of the edge from `voxel` along `axis`; one end of the edge is inside.
    fn cut(&self, voxel: [i32; 3], axis: usize) -> Cut;
}

/// The direction along an edge towards its inside end.
pub(crate) fn inward_along(axis: usize, lower_is_inside: bool) -> [f32; 3] {
    let mut direction = [0.0; 3];
    direction[axis] = if lower_is_inside { -1.0 } else { 1.0 };
    direction
}

/// An iso value in samples: a sample is inside when `sample ^ flip > threshold`; the surface is at `threshold + 0.5`,
/// between two sample values, so no vertex lies on a voxel centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IsoLevel {
    /// Largest sample (after the flip) that is outside; `None` when every sample is inside or none is.
    pub(crate) threshold: i32,
    /// -1 (all bits) where a negative rescale slope turns the order of samples round, else 0.
    pub(crate) flip: i16,
}

impl IsoLevel {
    /// The level of an iso value of a volume; a value that is no number has nothing inside.
    pub(crate) fn of(volume: &Volume, iso_value: f64) -> Self {
        let rescale = volume.rescale();
        let flip = if rescale.slope < 0.0 { -1 } else { 0 };
        let sample = rescale.sample(iso_value);
        // The bitwise complement of a sample is -1 - sample: it turns the order round and stays in range.
        let ordered = if flip == 0 { sample } else { -1.0 - sample };
        let clamped = ordered.floor().clamp(f64::from(i16::MIN) - 1.0, f64::from(i16::MAX));
        let threshold = if clamped.is_nan() { i32::from(i16::MAX) } else { clamped as i32 };
        Self { threshold, flip }
    }
}

/// A volume cut at an iso value.
pub(crate) struct ScalarField<'a> {
    samples: &'a [i16],
    dims: [u32; 3],
    level: IsoLevel,
}

impl<'a> ScalarField<'a> {
    pub(crate) fn new(volume: &'a Volume, level: IsoLevel) -> Self {
        Self { samples: volume.samples(), dims: volume.grid().dims(), level }
    }

    pub(crate) fn samples(&self) -> &'a [i16] {
        self.samples
    }

    pub(crate) fn flip(&self) -> i16 {
        self.level.flip
    }

    /// The iso value in samples after the flip.
    pub(crate) fn iso(&self) -> f32 {
        self.level.threshold as f32 + 0.5
    }

    fn holds(&self, voxel: [i32; 3]) -> bool {
        (0..3).all(|axis| voxel[axis] >= 0 && (voxel[axis] as u32) < self.dims[axis])
    }

    /// Sample after the flip of a voxel of the grid.
    fn sample(&self, [i, j, k]: [i32; 3]) -> i32 {
        let index = i as usize + self.dims[0] as usize * (j as usize + self.dims[1] as usize * k as usize);
        i32::from(self.samples[index] ^ self.level.flip)
    }

    /// Central differences at a voxel of the grid, not halved; one-sided and doubled at the border.
    fn gradient(&self, voxel: [i32; 3]) -> [f32; 3] {
        std::array::from_fn(|axis| {
            let (mut lower, mut upper) = (voxel, voxel);
            lower[axis] = (voxel[axis] - 1).max(0);
            upper[axis] = (voxel[axis] + 1).min(self.dims[axis] as i32 - 1);
            let difference = self.sample(upper) - self.sample(lower);
            let steps = upper[axis] - lower[axis];
            (if steps == 1 { 2 * difference } else { difference }) as f32
        })
    }
}

impl Field for ScalarField<'_> {
    fn dims(&self) -> [u32; 3] {
        self.dims
    }

    fn inside(&self, voxel: [i32; 3]) -> bool {
        self.holds(voxel) && self.sample(voxel) > self.level.threshold
    }

    fn cut(&self, voxel: [i32; 3], axis: usize) -> Cut {
        let mut upper = voxel;
        upper[axis] += 1;
        if !self.holds(voxel) || !self.holds(upper) {
            // The border is capped on the outer face of its voxels.
            return Cut { t: 0.5, gradient: inward_along(axis, self.inside(voxel)) };
        }
        let (a, b) = (self.sample(voxel) as f32, self.sample(upper) as f32);
        let t = ((self.iso() - a) / (b - a)).clamp(CLOSEST_TO_VOXEL, 1.0 - CLOSEST_TO_VOXEL);
        let (at_a, at_b) = (self.gradient(voxel), self.gradient(upper));
        Cut { t, gradient: std::array::from_fn(|n| at_a[n] + (at_b[n] - at_a[n]) * t) }
    }
}

/// A mask: vertices lie at the middle of edges, normals come from a smoothed occupancy.
pub(crate) struct MaskField<'a> {
    dims: [u32; 3],
    bits: &'a BitGrid,
}

impl<'a> MaskField<'a> {
    /// `bits` is the padded grid of a mask of `dims` voxels.
    pub(crate) fn new(dims: [u32; 3], bits: &'a BitGrid) -> Self {
        Self { dims, bits }
    }
}

/// Binomial smoothing across an edge, and its derivative; sums 16 and, on a ramp, 8.
pub(crate) const SMOOTH_ACROSS: [i32; 5] = [1, 4, 6, 4, 1];
pub(crate) const SLOPE_ACROSS: [i32; 5] = [-1, -2, 0, 2, 1];
/// The same along an edge, centred on its middle; sums 32 and, on a ramp, 16.
pub(crate) const SMOOTH_ALONG: [i32; 6] = [1, 5, 10, 10, 5, 1];
pub(crate) const SLOPE_ALONG: [i32; 6] = [-1, -3, -2, 2, 3, 1];

/// Weighted counts of the bits of a window of a row: (smoothed, slope).
const fn window_sums<const N: usize>(smooth: [i32; N], slope: [i32; N]) -> [[i32; 2]; 64] {
    let mut sums = [[0; 2]; 64];
    let mut window = 0;
    while window < 1 << N {
        let mut bit = 0;
        while bit < N {
            if window >> bit & 1 == 1 {
                sums[window][0] += smooth[bit];
                sums[window][1] += slope[bit];
            }
            bit += 1;
        }
        window += 1;
    }
    sums
}

static ALONG_SUMS: [[i32; 2]; 64] = window_sums(SMOOTH_ALONG, SLOPE_ALONG);
static ACROSS_SUMS: [[i32; 2]; 64] = window_sums(SMOOTH_ACROSS, SLOPE_ACROSS);

impl Field for MaskField<'_> {
    fn dims(&self) -> [u32; 3] {
        self.dims
    }

    fn inside(&self, [i, j, k]: [i32; 3]) -> bool {
        self.bits.window(i as isize + 1, j as isize + 1, k as isize + 1) & 1 == 1
    }

    fn cut(&self, [i, j, k]: [i32; 3], axis: usize) -> Cut {
        // Weights by the distance along j and k, and the sums over windows of a row.
        let (sums, size_i) = if axis == 0 { (&ALONG_SUMS, 6) } else { (&ACROSS_SUMS, 5) };
        let weights = |of: usize| -> (&[i32], &[i32]) {
            if of == axis { (&SMOOTH_ALONG, &SLOPE_ALONG) } else { (&SMOOTH_ACROSS, &SLOPE_ACROSS) }
        };
        let ((smooth_j, slope_j), (smooth_k, slope_k)) = (weights(1), weights(2));
        let mut total = [0_i32; 3];
        for (dk, (&smooth_k, &slope_k)) in smooth_k.iter().zip(slope_k).enumerate() {
            for (dj, (&smooth_j, &slope_j)) in smooth_j.iter().zip(slope_j).enumerate() {
                // Padded coordinates are one more than voxel indices; windows begin two below the edge.
                let (at_j, at_k) = (j as isize + dj as isize - 1, k as isize + dk as isize - 1);
                let window = self.bits.window(i as isize - 1, at_j, at_k) & ((1 << size_i) - 1);
                let [smooth_i, slope_i] = sums[window as usize];
                total[0] += slope_i * smooth_j * smooth_k;
                total[1] += smooth_i * slope_j * smooth_k;
                total[2] += smooth_i * smooth_j * slope_k;
            }
        }
        Cut { t: 0.5, gradient: total.map(|sum| sum as f32) }
    }
}

/// A mask asked voxel by voxel: the plain twin of [`MaskField`].
#[cfg(test)]
pub(crate) struct PlainMaskField<'a>(pub(crate) &'a Mask);

#[cfg(test)]
impl Field for PlainMaskField<'_> {
    fn dims(&self) -> [u32; 3] {
        self.0.dims()
    }

    fn inside(&self, [i, j, k]: [i32; 3]) -> bool {
        i >= 0 && j >= 0 && k >= 0 && self.0.contains(i as u32, j as u32, k as u32)
    }

    fn cut(&self, voxel: [i32; 3], axis: usize) -> Cut {
        let (u, v) = ((axis + 1) % 3, (axis + 2) % 3);
        let mut sums = [0_i32; 3];
        for along in 0..6 {
            for across_u in 0..5 {
                for across_v in 0..5 {
                    let mut at = voxel;
                    at[axis] += along as i32 - 2;
                    at[u] += across_u as i32 - 2;
                    at[v] += across_v as i32 - 2;
                    if self.inside(at) {
                        sums[axis] += SLOPE_ALONG[along] * SMOOTH_ACROSS[across_u] * SMOOTH_ACROSS[across_v];
                        sums[u] += SMOOTH_ALONG[along] * SLOPE_ACROSS[across_u] * SMOOTH_ACROSS[across_v];
                        sums[v] += SMOOTH_ALONG[along] * SMOOTH_ACROSS[across_u] * SLOPE_ACROSS[across_v];
                    }
                }
            }
        }
        Cut { t: 0.5, gradient: sums.map(|sum| sum as f32) }
    }
}
