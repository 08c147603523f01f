//! Where the vertices of a surface go in the patient: the same arithmetic for every extractor.
//!
//! In: voxel coordinates and voxel-space gradients, `f32`. Out: patient-space positions (mm) and unit normals.
//! The order of operations is part of the contract: extractors are compared bit by bit, the WGSL twin within 1e-4 voxel.

use glam::{DMat3, Vec3};

use crate::domain::grid::Grid;

/// The affine of a grid, prepared for vertices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Placement {
    /// Centre of voxel (0, 0, 0), mm.
    pub(crate) origin: Vec3,
    /// Step of one voxel along i, j, k, mm.
    pub(crate) axes: [Vec3; 3],
    /// Outward normal of a field that falls along i, j, k by one a voxel, up to one common factor.
    pub(crate) normal_axes: [Vec3; 3],
    /// Whether triangles of the right-handed table must be turned round.
    pub(crate) is_mirrored: bool,
}

impl Placement {
    pub(crate) fn new(grid: &Grid) -> Self {
        let affine = grid.patient_from_voxel();
        // Gradients are covectors: they go with the inverse transpose. One factor for all keeps f32 in range.
        let inverse_transpose: DMat3 = affine.matrix3.inverse().transpose();
        let columns = [inverse_transpose.x_axis, inverse_transpose.y_axis, inverse_transpose.z_axis];
        let largest = columns.iter().map(|column| column.abs().max_element()).fold(0.0, f64::max);
        let axes = [affine.matrix3.x_axis, affine.matrix3.y_axis, affine.matrix3.z_axis].map(glam::DVec3::as_vec3);
        Self {
            origin: affine.translation.as_vec3(),
            axes,
            normal_axes: columns.map(|column| (-column / largest).as_vec3()),
            is_mirrored: grid.is_left_handed(),
        }
    }

    /// Patient-space position of a point in voxel coordinates.
    #[inline(always)]
    pub(crate) fn position(&self, voxel: [f32; 3]) -> [f32; 3] {
        let [a, b, c] = self.axes.map(|axis| axis.to_array());
        let origin = self.origin.to_array();
        std::array::from_fn(|n| (a[n] * voxel[0] + b[n] * voxel[1]) + (c[n] * voxel[2] + origin[n]))
    }

    /// Unit normal of a field with this voxel-space gradient (inside is where the field is larger); where the gradient
    /// vanishes, that of `fallback`, which must not vanish.
    #[inline(always)]
    pub(crate) fn normal(&self, gradient: [f32; 3], fallback: [f32; 3]) -> [f32; 3] {
        let turn = |gradient: [f32; 3]| -> [f32; 3] {
            let [a, b, c] = self.normal_axes.map(|axis| axis.to_array());
            std::array::from_fn(|n| a[n] * gradient[0] + b[n] * gradient[1] + c[n] * gradient[2])
        };
        let squared = |v: [f32; 3]| v[0] * v[0] + v[1] * v[1] + v[2] * v[2];
        let (along, instead) = (turn(gradient), turn(fallback));
        // Chosen component by component, without a branch, so that batches stay in vector registers.
        let vanishes = squared(along) <= f32::MIN_POSITIVE;
        let normal: [f32; 3] = std::array::from_fn(|n| if vanishes { instead[n] } else { along[n] });
        let scale = 1.0 / squared(normal).sqrt();
        normal.map(|component| component * scale)
    }
}
