//! A grid of voxels and its place in the patient.
//!
//! Space: `patient_from_voxel` maps voxel indices (centre of a voxel at integers) to DICOM LPS millimetres.
//! The affine may be sheared (gantry tilt) and left-handed; it is never singular.

use glam::{DAffine3, DVec3};
use serde::{Deserialize, Serialize};

/// Largest number of voxels along one axis that a grid may have.
pub const MAX_DIM: u32 = 1 << 15;
/// Largest number of voxels of a grid (64 Gi): what can be indexed, stored and added up without overflow.
pub const MAX_VOXELS: u64 = 1 << 36;

/// Why numbers do not make a grid.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GridError {
    /// A dimension is zero or too large.
    #[error("a grid of {0} x {1} x {2} voxels is not possible")]
    Dims(u32, u32, u32),
    /// The affine is singular or not finite.
    #[error("the voxel axes do not span a volume (zero, parallel or not finite)")]
    Singular,
}

/// Size and place of a block of voxels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    dims: [u32; 3],
    patient_from_voxel: DAffine3,
}

impl Grid {
    /// A grid of `dims` = [ni, nj, nk] voxels.
    ///
    /// # Errors
    /// When a dimension is zero or absurd, or the affine is singular or not finite.
    pub fn new(dims: [u32; 3], patient_from_voxel: DAffine3) -> Result<Self, GridError> {
        let [ni, nj, nk] = dims;
        let voxel_count = u64::from(ni).saturating_mul(u64::from(nj)).saturating_mul(u64::from(nk));
        if dims.iter().any(|&n| n == 0 || n > MAX_DIM) || voxel_count > MAX_VOXELS {
            return Err(GridError::Dims(ni, nj, nk));
        }
        let determinant = patient_from_voxel.matrix3.determinant();
        let finite = patient_from_voxel.is_finite() && determinant.is_finite();
        if !finite || determinant.abs() < 1e-12 {
            return Err(GridError::Singular);
        }
        Ok(Self { dims, patient_from_voxel })
    }

    /// An axis-aligned grid: voxel (0, 0, 0) has its centre at `origin_in_patient`.
    ///
    /// # Errors
    /// As [`Grid::new`].
    pub fn axis_aligned(dims: [u32; 3], spacing_mm: DVec3, origin_in_patient: DVec3) -> Result<Self, GridError> {
        Self::new(dims, DAffine3::from_translation(origin_in_patient) * DAffine3::from_scale(spacing_mm))
    }

    /// Voxels along i, j, k.
    pub fn dims(&self) -> [u32; 3] {
        self.dims
    }

    /// Number of voxels.
    pub fn voxel_count(&self) -> usize {
        self.dims.iter().map(|&n| n as usize).product()
    }

    /// Maps voxel indices to patient space (LPS, mm).
    pub fn patient_from_voxel(&self) -> DAffine3 {
        self.patient_from_voxel
    }

    /// Maps patient space (LPS, mm) to voxel indices.
    pub fn voxel_from_patient(&self) -> DAffine3 {
        self.patient_from_voxel.inverse()
    }

    /// Distance between neighbouring voxel centres along i, j, k, in mm.
    pub fn spacing_mm(&self) -> DVec3 {
        let axes = self.patient_from_voxel.matrix3;
        DVec3::new(axes.x_axis.length(), axes.y_axis.length(), axes.z_axis.length())
    }

    /// Volume of one voxel in mm3.
    pub fn voxel_volume_mm3(&self) -> f64 {
        self.patient_from_voxel.matrix3.determinant().abs()
    }

    /// Whether (i, j, k) is a left-handed system in the patient: images like this must not be mirrored by accident.
    pub fn is_left_handed(&self) -> bool {
        self.patient_from_voxel.matrix3.determinant() < 0.0
    }

    /// Offset of voxel (i, j, k) in an array with i fastest.
    #[inline]
    pub fn index(&self, i: u32, j: u32, k: u32) -> usize {
        i as usize + self.dims[0] as usize * (j as usize + self.dims[1] as usize * k as usize)
    }

    /// Centre of the block of voxels in patient space.
    pub fn center_in_patient(&self) -> DVec3 {
        let dims = DVec3::new(f64::from(self.dims[0]), f64::from(self.dims[1]), f64::from(self.dims[2]));
        self.patient_from_voxel.transform_point3((dims - 1.0) * 0.5)
    }

    /// Smallest patient-space box (min, max) around all voxels, their outer faces included.
    pub fn bounds_in_patient(&self) -> (DVec3, DVec3) {
        let mut lower = DVec3::INFINITY;
        let mut upper = DVec3::NEG_INFINITY;
        for corner in 0..8_u32 {
            let pick = |axis: usize| {
                if corner >> axis & 1 == 0 { -0.5 } else { f64::from(self.dims[axis]) - 0.5 }
            };
            let point = self.patient_from_voxel.transform_point3(DVec3::new(pick(0), pick(1), pick(2)));
            lower = lower.min(point);
            upper = upper.max(point);
        }
        (lower, upper)
    }

    /// The voxel axis (0, 1, 2) that runs most nearly along a patient-space direction.
    pub fn axis_along(&self, direction_in_patient: DVec3) -> usize {
        let axes = self.patient_from_voxel.matrix3;
        let along =
            [axes.x_axis, axes.y_axis, axes.z_axis].map(|axis| axis.normalize().dot(direction_in_patient).abs());
        (0..3).max_by(|&a, &b| along[a].total_cmp(&along[b])).unwrap_or(2)
    }

    /// Whether the other grid has the same size and, to 1e-4 mm at every corner, the same place.
    pub fn same_space(&self, other: &Self) -> bool {
        self.dims == other.dims && {
            let last = DVec3::new(f64::from(self.dims[0]), f64::from(self.dims[1]), f64::from(self.dims[2])) - 1.0;
            (0..8_u32).all(|corner| {
                let pick = |axis: usize| if corner >> axis & 1 == 0 { 0.0 } else { last[axis] };
                let voxel = DVec3::new(pick(0), pick(1), pick(2));
                let ours = self.patient_from_voxel.transform_point3(voxel);
                ours.distance(other.patient_from_voxel.transform_point3(voxel)) < 1e-4
            })
        }
    }
}

/// A half-open block of voxels: `min <= voxel < max` on each axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoxelBox {
    /// First voxel on each axis.
    pub min: [u32; 3],
    /// One past the last voxel on each axis.
    pub max: [u32; 3],
}

impl VoxelBox {
    /// The whole of a grid of `dims` voxels.
    pub fn whole(dims: [u32; 3]) -> Self {
        Self { min: [0; 3], max: dims }
    }

    /// Whether no voxel is inside.
    pub fn is_empty(&self) -> bool {
        (0..3).any(|axis| self.min[axis] >= self.max[axis])
    }

    /// Smallest box around both.
    pub fn union(&self, other: &Self) -> Self {
        if self.is_empty() {
            return *other;
        }
        if other.is_empty() {
            return *self;
        }
        Self {
            min: std::array::from_fn(|axis| self.min[axis].min(other.min[axis])),
            max: std::array::from_fn(|axis| self.max[axis].max(other.max[axis])),
        }
    }

    /// Grown by `margin` voxels on each side, cut to a grid of `dims`.
    pub fn grown(&self, margin: u32, dims: [u32; 3]) -> Self {
        Self {
            min: self.min.map(|n| n.saturating_sub(margin)),
            max: std::array::from_fn(|axis| (self.max[axis] + margin).min(dims[axis])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_grids_are_refused() {
        let axes = DAffine3::IDENTITY;
        assert_eq!(Grid::new([0, 1, 1], axes), Err(GridError::Dims(0, 1, 1)));
        assert_eq!(Grid::new([u32::MAX; 3], axes), Err(GridError::Dims(u32::MAX, u32::MAX, u32::MAX)));
        assert_eq!(Grid::new([1, 1, 1], DAffine3::from_scale(DVec3::new(1.0, 0.0, 1.0))), Err(GridError::Singular));
        assert_eq!(Grid::new([1, 1, 1], DAffine3::from_scale(DVec3::splat(f64::NAN))), Err(GridError::Singular));
    }

    #[test]
    fn bounds_include_the_outer_faces() {
        let grid = Grid::axis_aligned([2, 3, 4], DVec3::new(1.0, 2.0, 3.0), DVec3::new(10.0, 20.0, 30.0));
        let (lower, upper) = grid.expect("valid grid").bounds_in_patient();
        assert_eq!(lower, DVec3::new(9.5, 19.0, 28.5));
        assert_eq!(upper, DVec3::new(11.5, 25.0, 40.5));
    }
}
