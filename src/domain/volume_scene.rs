//! What a picture of a volume is asked to show, and the rays and tables that both renderers make of it.
//!
//! In: a camera, a size, a step, a clip box; a volume and a transfer function. Out: rays in patient space and a colour
//! table in samples. The GPU ray-marcher and its CPU twin (`render_reference`) take their numbers from here, as `f32`,
//! so that they form the same picture.
//!
//! Image formation, the same as VTK's GPU ray-cast mapper so that it can serve as a peer: samples lie on the ray at
//! `entry + n * step`, n = 1, 2, ..., where `entry` is where the ray meets the box of voxel centres; opacity is corrected to
//! the step; colours are blended front to back as they are (sRGB, no gamma); the light is at the eye.

use glam::{Vec2, Vec3};

use super::camera::{Camera, Projection};
pub use super::clip::{ClipBox, ClipPlane, ClipPlanes};
use super::grid::Grid;
use super::transfer::{TransferFunction, UNIT_DISTANCE_MM};
use super::volume::Volume;

/// Entries of a transfer table.
pub const TABLE_SIZE: usize = 4096;
/// A ray ends when this much of it is covered. What it did not reach is taken to look like what it saw.
pub const OPAQUE: f32 = 0.98;
/// A ray has hit something (for picking) when this much of it is covered.
pub const HIT_OPACITY: f32 = 0.3;
/// Distance where nothing was hit.
pub const NO_HIT_MM: f32 = -1.0;

/// What to draw of a volume.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VolumeScene {
    /// Where the eye is.
    pub camera: Camera,
    /// Width and height of the picture in pixels.
    pub size_px: [u32; 2],
    /// Distance between samples, in smallest voxel spacings; 1 is full quality, 2 is for moving.
    pub step_voxels: f64,
    /// Only this block is drawn, where there is one.
    pub clip_box: Option<ClipBox>,
    /// Only what these planes keep is drawn.
    pub clip_planes: ClipPlanes,
}

impl VolumeScene {
    /// A whole volume at full quality.
    pub fn new(camera: Camera, size_px: [u32; 2]) -> Self {
        Self { camera, size_px, step_voxels: 1.0, clip_box: None, clip_planes: ClipPlanes::default() }
    }

    /// Distance between samples in mm.
    pub fn step_mm(&self, grid: &Grid) -> f64 {
        grid.spacing_mm().min_element() * self.step_voxels.clamp(0.05, 100.0)
    }

    /// Width over height.
    pub fn aspect(&self) -> f64 {
        f64::from(self.size_px[0].max(1)) / f64::from(self.size_px[1].max(1))
    }
}

/// The rays of a picture, in patient space.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ViewRays {
    /// The eye, or the middle of the view plane of a parallel projection.
    pub origin_in_patient: Vec3,
    /// From the origin to the middle of the view at the focus.
    pub forward_in_patient: Vec3,
    /// From the middle of the view to its right edge, at the focus.
    pub right_in_patient: Vec3,
    /// From the middle of the view to its upper edge, at the focus.
    pub up_in_patient: Vec3,
    /// Whether all rays come from the eye; else they are parallel.
    pub perspective: bool,
}

impl ViewRays {
    /// The rays of a scene.
    pub fn of(scene: &VolumeScene) -> Self {
        let camera = &scene.camera;
        let half_height_mm = camera.height_at_focus_mm() / 2.0;
        Self {
            origin_in_patient: camera.eye_in_patient().as_vec3(),
            forward_in_patient: (camera.direction_in_patient * camera.distance_mm).as_vec3(),
            right_in_patient: (camera.right_in_patient() * (half_height_mm * scene.aspect())).as_vec3(),
            up_in_patient: (camera.up_in_patient * half_height_mm).as_vec3(),
            perspective: matches!(camera.projection, Projection::Perspective { .. }),
        }
    }

    /// Origin and unit direction of the ray through a point of the view (-1 to 1, y up).
    #[inline]
    pub fn ray(&self, point_in_ndc: Vec2) -> (Vec3, Vec3) {
        let offset = self.right_in_patient * point_in_ndc.x + self.up_in_patient * point_in_ndc.y;
        if self.perspective {
            (self.origin_in_patient, (self.forward_in_patient + offset).normalize())
        } else {
            (self.origin_in_patient + offset, self.forward_in_patient.normalize())
        }
    }
}

/// Colour and step-corrected opacity over sample values; the nearest entry counts.
#[derive(Debug, Clone, PartialEq)]
pub struct TransferTable {
    /// [`TABLE_SIZE`] entries, sRGB and opacity.
    pub rgba: Vec<[f32; 4]>,
    /// Entry = `sample * scale + bias`, rounded, kept inside the table.
    pub scale: f32,
    /// See `scale`.
    pub bias: f32,
    /// For each entry, the first entry at or after it that is not transparent; [`TABLE_SIZE`] where there is none.
    next_visible: Vec<u16>,
}

impl TransferTable {
    /// The table of a transfer function for a volume.
    pub fn new(transfer: &TransferFunction, volume: &Volume, step_mm: f64) -> Self {
        let (low, high) = domain_of(transfer, volume);
        let rescale = volume.rescale();
        let (a, b) = (rescale.sample(low), rescale.sample(high));
        // Entries rise with the samples, which fall with the values where the slope is negative.
        let (first_value, last_value, first, last) = if a <= b { (low, high, a, b) } else { (high, low, b, a) };
        let mut rgba = transfer.table(first_value, last_value, TABLE_SIZE);
        for entry in &mut rgba {
            entry[3] = corrected(f64::from(entry[3]), step_mm) as f32;
        }
        let scale = (TABLE_SIZE - 1) as f64 / (last - first).max(1e-6);
        let mut next_visible = vec![TABLE_SIZE as u16; TABLE_SIZE + 1];
        for n in (0..TABLE_SIZE).rev() {
            next_visible[n] = if rgba[n][3] > 0.0 { n as u16 } else { next_visible[n + 1] };
        }
        Self { rgba, scale: scale as f32, bias: (-first * scale) as f32, next_visible }
    }

    /// Entry of a sample.
    #[inline]
    pub fn index(&self, sample: f32) -> usize {
        sample.mul_add(self.scale, self.bias + 0.5).clamp(0.0, (TABLE_SIZE - 1) as f32) as usize
    }

    /// Whether any sample of a range shows anything.
    #[inline]
    pub fn is_visible(&self, range: [i16; 2]) -> bool {
        let (first, last) = (self.index(f32::from(range[0])), self.index(f32::from(range[1])));
        usize::from(self.next_visible[first]) <= last
    }
}

/// Opacity of a layer of `step_mm`, of the opacity of a layer of [`UNIT_DISTANCE_MM`].
fn corrected(opacity: f64, step_mm: f64) -> f64 {
    1.0 - (1.0 - opacity.clamp(0.0, 1.0)).powf(step_mm / UNIT_DISTANCE_MM)
}

/// The values over which the table changes: those of the function's points that occur in the volume.
fn domain_of(transfer: &TransferFunction, volume: &Volume) -> (f64, f64) {
    let (volume_low, volume_high) = volume.value_range();
    let points = || transfer.opacity.iter().map(|p| p.0).chain(transfer.color.iter().map(|p| p.0));
    let low = points().fold(f64::INFINITY, f64::min).clamp(volume_low, volume_high);
    let high = points().fold(f64::NEG_INFINITY, f64::max).clamp(volume_low, volume_high);
    (low, high.max(low + 1e-6 * low.abs().max(1.0)))
}

/// Factor on the opacity over gradient magnitudes, for the GPU and its twin; the nearest entry counts.
#[derive(Debug, Clone, PartialEq)]
pub struct GradientTable {
    /// Factors 0 to 1.
    pub factors: Vec<f32>,
    /// Entry = magnitude in samples per mm times this, rounded.
    pub scale: f32,
}

impl GradientTable {
    /// Entries of the table.
    pub const SIZE: usize = 1024;

    /// The table of a transfer function for a volume.
    pub fn new(transfer: &TransferFunction, volume: &Volume) -> Self {
        let last = transfer.gradient_opacity.last().map_or(1.0, |point| point.0).max(1e-6);
        let per_entry = last / (Self::SIZE - 1) as f64;
        let factors = (0..Self::SIZE).map(|n| transfer.gradient_factor_at(n as f64 * per_entry) as f32).collect();
        Self { factors, scale: (volume.rescale().slope.abs() / per_entry) as f32 }
    }

    /// Factor of a gradient magnitude in samples per mm.
    #[inline]
    pub fn factor(&self, magnitude: f32) -> f32 {
        self.factors[(magnitude * self.scale + 0.5).min((Self::SIZE - 1) as f32) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::camera::StandardView;
    use crate::domain::transfer::preset;
    use crate::domain::volume::{Quantity, Rescale};
    use glam::{DVec2, DVec3};

    fn ramp(rescale: Rescale) -> Volume {
        let grid = Grid::axis_aligned([4096, 1, 1], DVec3::ONE, DVec3::ZERO).expect("valid grid");
        Volume::new(grid, (0..4096).collect(), rescale, Quantity::Hounsfield)
    }

    #[test]
    fn the_table_is_the_transfer_function() {
        let bone = preset("CT-Bone").expect("CT-Bone");
        for rescale in [Rescale { slope: 1.0, intercept: -1024.0 }, Rescale { slope: -1.0, intercept: 3071.0 }] {
            let table = TransferTable::new(bone, &ramp(rescale), UNIT_DISTANCE_MM);
            for sample in [0, 1000, 1400, 2000, 4095] {
                let value = rescale.value(f64::from(sample));
                let [r, _, _, a] = table.rgba[table.index(sample as f32)];
                assert!((f64::from(a) - bone.opacity_at(value)).abs() < 2e-3, "{value}: {a}");
                assert!((r - bone.color_at(value)[0]).abs() < 2e-3);
            }
        }
        let table = TransferTable::new(bone, &ramp(Rescale { slope: 1.0, intercept: -1024.0 }), 0.5);
        assert!(!table.is_visible([0, 1007]), "air and fat are transparent");
        assert!(table.is_visible([0, 1020]) && table.is_visible([4095, 4095]));
        let half = f64::from(table.rgba[table.index(2000.0)][3]);
        let whole = bone.opacity_at(976.0);
        assert!(((1.0 - half).powi(2) - (1.0 - whole)).abs() < 2e-3, "two half steps are one step");
    }

    #[test]
    fn rays_are_those_of_the_camera() {
        let camera = Camera::fitting(DVec3::splat(-50.0), DVec3::splat(50.0), StandardView::Left).orbited(0.3, 0.2);
        for projection in [camera.projection, Projection::Orthographic { height_mm: 90.0 }] {
            let camera = Camera { projection, ..camera };
            let scene = VolumeScene::new(camera, [300, 200]);
            let (origin, direction) = ViewRays::of(&scene).ray(Vec2::new(0.4, -0.7));
            let ray = camera.ray_through(DVec2::new(0.4, -0.7), 1.5);
            assert!(origin.as_dvec3().distance(ray.origin_in_patient) < 1e-3);
            assert!(direction.as_dvec3().distance(ray.direction_in_patient) < 1e-5);
        }
    }
}
