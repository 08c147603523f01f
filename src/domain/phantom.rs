//! Analytic solids with known volume and area, sampled as images or masks: the program measures its own error with them.
//!
//! In: a [`Shape`] in patient space (LPS, mm) and any [`Grid`]. Out: a [`Volume`] with partial-volume edges, as a scanner
//! makes them, or a [`Mask`] of the voxels whose centre is inside.
//! Source of the solids' formulas: elementary geometry (Pappus for the torus). The gyroid is the level set
//! sin x cos y + sin y cos z + sin z cos x = 0 (Schoen 1970); it has no closed formula for area, so it gives none.
//! Not here: the sample case ([`thorax`]).

pub mod noise;
pub mod primitive;
pub mod scene;
pub mod thorax;

use std::f64::consts::{PI, TAU};

use glam::DVec3;
use rayon::prelude::*;

use crate::domain::grid::Grid;
use crate::domain::mask::Mask;
use crate::domain::volume::{Quantity, Rescale, Volume};

/// A solid in patient space. Axes need not be normalised; lengths are millimetres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    /// A ball.
    Sphere {
        /// Centre in patient space.
        center_in_patient: DVec3,
        /// Radius.
        radius_mm: f64,
    },
    /// A cylinder with flat ends.
    Cylinder {
        /// Middle of the axis in patient space.
        center_in_patient: DVec3,
        /// Direction of the axis.
        axis: DVec3,
        /// Radius.
        radius_mm: f64,
        /// Length between the flat ends.
        length_mm: f64,
    },
    /// A ring.
    Torus {
        /// Centre in patient space.
        center_in_patient: DVec3,
        /// Direction that the ring goes round.
        axis: DVec3,
        /// Distance from the axis to the middle of the tube; larger than the tube's radius.
        major_radius_mm: f64,
        /// Radius of the tube.
        minor_radius_mm: f64,
    },
    /// A box along the patient axes.
    Block {
        /// Centre in patient space.
        center_in_patient: DVec3,
        /// Half of the edge lengths.
        half_size_mm: DVec3,
    },
    /// One side of a gyroid, cut to a ball.
    Gyroid {
        /// Centre of the ball in patient space.
        center_in_patient: DVec3,
        /// Radius of the ball.
        radius_mm: f64,
        /// Edge of the gyroid's unit cell.
        period_mm: f64,
    },
}

impl Shape {
    /// Distance to the surface, negative inside. Exact for all but the gyroid, where it is right to first order.
    pub fn signed_distance_mm(&self, point_in_patient: DVec3) -> f64 {
        let p = point_in_patient;
        match *self {
            Self::Sphere { center_in_patient, radius_mm } => p.distance(center_in_patient) - radius_mm,
            Self::Cylinder { center_in_patient, axis, radius_mm, length_mm } => {
                let (along, across) = cylindrical(p - center_in_patient, axis);
                let (dx, dz) = (across - radius_mm, along.abs() - length_mm / 2.0);
                dx.max(dz).min(0.0) + dx.max(0.0).hypot(dz.max(0.0))
            }
            Self::Torus { center_in_patient, axis, major_radius_mm, minor_radius_mm } => {
                let (along, across) = cylindrical(p - center_in_patient, axis);
                (across - major_radius_mm).hypot(along) - minor_radius_mm
            }
            Self::Block { center_in_patient, half_size_mm } => {
                let q = (p - center_in_patient).abs() - half_size_mm;
                q.max_element().min(0.0) + q.max(DVec3::ZERO).length()
            }
            Self::Gyroid { center_in_patient, radius_mm, period_mm } => {
                let local = p - center_in_patient;
                gyroid_distance_mm(local, period_mm).max(local.length() - radius_mm)
            }
        }
    }

    /// Exact volume; `None` for the gyroid.
    pub fn volume_mm3(&self) -> Option<f64> {
        match *self {
            Self::Sphere { radius_mm: r, .. } => Some(4.0 / 3.0 * PI * r.powi(3)),
            Self::Cylinder { radius_mm: r, length_mm, .. } => Some(PI * r * r * length_mm),
            Self::Torus { major_radius_mm, minor_radius_mm: r, .. } => Some(TAU * major_radius_mm * PI * r * r),
            Self::Block { half_size_mm, .. } => Some(8.0 * half_size_mm.element_product()),
            Self::Gyroid { .. } => None,
        }
    }

    /// Exact surface area; `None` for the gyroid.
    pub fn area_mm2(&self) -> Option<f64> {
        match *self {
            Self::Sphere { radius_mm: r, .. } => Some(4.0 * PI * r * r),
            Self::Cylinder { radius_mm: r, length_mm, .. } => Some(TAU * r * (r + length_mm)),
            Self::Torus { major_radius_mm, minor_radius_mm: r, .. } => Some(TAU * major_radius_mm * TAU * r),
            Self::Block { half_size_mm: h, .. } => Some(8.0 * (h.x * h.y + h.y * h.z + h.z * h.x)),
            Self::Gyroid { .. } => None,
        }
    }
}

/// How an image goes from inside to outside at a surface.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Edge {
    /// The mean over the voxel of 8 x 8 x 8 points, as square detector pixels measure it. It rounds sharp rims.
    Detector,
    /// A straight slope across the surface, as a band-limited reconstruction draws it. It keeps sharp rims.
    Slope {
        /// Width of the slope.
        width_mm: f64,
    },
}

/// Samples a shape as a CT image: `inside_hu` in the solid, `outside_hu` around it, and between them at its surface.
/// Values are rounded to whole HU.
pub fn shape_volume(shape: &Shape, grid: &Grid, inside_hu: f64, outside_hu: f64, edge: Edge) -> Volume {
    let patient_from_voxel = grid.patient_from_voxel();
    let [ni, nj, _] = grid.dims();
    let share = |voxel: DVec3| match edge {
        Edge::Detector => coverage(shape, grid, voxel),
        Edge::Slope { width_mm } => {
            let distance_mm = shape.signed_distance_mm(patient_from_voxel.transform_point3(voxel));
            (0.5 - distance_mm / width_mm).clamp(0.0, 1.0)
        }
    };
    let mut samples = vec![0_i16; grid.voxel_count()];
    samples.par_chunks_mut((ni * nj) as usize).enumerate().for_each(|(k, slice)| {
        for (index, sample) in slice.iter_mut().enumerate() {
            let (i, j) = (index as u32 % ni, index as u32 / ni);
            let share = share(DVec3::new(f64::from(i), f64::from(j), k as f64));
            *sample = (outside_hu + share * (inside_hu - outside_hu)).round() as i16;
        }
    });
    Volume::new(*grid, samples, Rescale::IDENTITY, Quantity::Hounsfield)
}

/// The part of a voxel that lies in a shape.
fn coverage(shape: &Shape, grid: &Grid, voxel: DVec3) -> f64 {
    const SUB: u32 = 8;
    let patient_from_voxel = grid.patient_from_voxel();
    let distance_mm = shape.signed_distance_mm(patient_from_voxel.transform_point3(voxel));
    // A voxel further from the surface than its half diagonal is pure; the gyroid's distance is approximate: twice.
    if distance_mm.abs() > grid.spacing_mm().length() {
        return if distance_mm < 0.0 { 1.0 } else { 0.0 };
    }
    let offset = |n: u32| (f64::from(n) + 0.5) / f64::from(SUB) - 0.5;
    let mut inside = 0_u32;
    for n in 0..SUB * SUB * SUB {
        let sub = DVec3::new(offset(n % SUB), offset(n / SUB % SUB), offset(n / (SUB * SUB)));
        let point_in_patient = patient_from_voxel.transform_point3(voxel + sub);
        inside += u32::from(shape.signed_distance_mm(point_in_patient) < 0.0);
    }
    f64::from(inside) / f64::from(SUB * SUB * SUB)
}

/// The voxels whose centre lies in the shape.
pub fn shape_mask(shape: &Shape, grid: &Grid) -> Mask {
    let patient_from_voxel = grid.patient_from_voxel();
    Mask::from_fn(grid.dims(), |i, j, k| {
        let voxel = DVec3::new(f64::from(i), f64::from(j), f64::from(k));
        shape.signed_distance_mm(patient_from_voxel.transform_point3(voxel)) < 0.0
    })
}

/// Distance along an axis through the origin, and away from it.
fn cylindrical(local: DVec3, axis: DVec3) -> (f64, f64) {
    let axis = axis.normalize();
    let along = local.dot(axis);
    (along, (local - axis * along).length())
}

fn gyroid_distance_mm(local: DVec3, period_mm: f64) -> f64 {
    let scale = TAU / period_mm;
    let [(sx, cx), (sy, cy), (sz, cz)] = [local.x, local.y, local.z].map(|x| (x * scale).sin_cos());
    let value = sx * cy + sy * cz + sz * cx;
    let gradient = DVec3::new(cx * cy - sz * sx, cy * cz - sx * sy, cz * cx - sy * sz).length() * scale;
    value / gradient.max(0.3 * scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Grid {
        Grid::axis_aligned([48, 40, 30], DVec3::new(1.0, 1.1, 1.5), DVec3::new(-23.5, -21.5, -21.75)).expect("valid")
    }

    #[test]
    fn partial_volume_adds_up_to_the_exact_volume() {
        let shapes = [
            Shape::Sphere { center_in_patient: DVec3::new(0.3, 0.1, -0.2), radius_mm: 15.0 },
            Shape::Cylinder { center_in_patient: DVec3::ZERO, axis: DVec3::ONE, radius_mm: 8.0, length_mm: 24.0 },
            Shape::Torus {
                center_in_patient: DVec3::ZERO,
                axis: DVec3::new(0.2, 0.1, 1.0),
                major_radius_mm: 13.0,
                minor_radius_mm: 5.0,
            },
            Shape::Block { center_in_patient: DVec3::new(0.2, 0.0, 0.4), half_size_mm: DVec3::new(10.0, 8.0, 12.0) },
        ];
        for shape in shapes {
            let volume = shape_volume(&shape, &grid(), 1000.0, 0.0, Edge::Detector);
            let sum: f64 = volume.samples().iter().map(|&sample| f64::from(sample)).sum();
            let found = sum / 1000.0 * grid().voxel_volume_mm3();
            let exact = shape.volume_mm3().expect("has a formula");
            assert!((found / exact - 1.0).abs() < 0.006, "{shape:?}: {found} against {exact}");
        }
    }

    #[test]
    fn a_gyroid_fills_half_of_its_ball() {
        let shape = Shape::Gyroid { center_in_patient: DVec3::ZERO, radius_mm: 18.0, period_mm: 9.0 };
        let share = shape_mask(&shape, &grid()).voxel_count() as f64 * grid().voxel_volume_mm3();
        let ball = 4.0 / 3.0 * PI * 18.0_f64.powi(3);
        assert!((share / ball - 0.5).abs() < 0.02, "{}", share / ball);
    }
}
