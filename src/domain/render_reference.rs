//! Volume rendering on the CPU: the twin of `shaders/render/raymarch.wgsl`, the same samples in the same order.
//!
//! In: a volume with its skip cells, a transfer function, a scene. Out: a premultiplied picture and the distance at
//! which each ray hits something. Space: rays in patient space (LPS mm), marched in voxel space.
//! `Backend::Cpu` draws with it, thumbnails are made by it, and the shader is tested against it. Without skipping and
//! without early termination it is the brute-force picture that both are measured against.
//!
//! Image formation: see `volume_scene`. Not here: backgrounds and letters (`picture`), meshes.

use glam::{Mat3, Vec2, Vec3, Vec4};
use rayon::prelude::*;

use super::clip::MAX_CLIP_PLANES;
use super::occupancy::{LeapMap, SKIP_CELL, SkipCells};
use super::projection::{BISECTIONS, Projection};
use super::transfer::{Blend, Shading, TransferFunction};
use super::volume::Volume;
use super::volume_scene::{GradientTable, HIT_OPACITY, NO_HIT_MM, OPAQUE, TransferTable, ViewRays, VolumeScene};
use crate::task::{Cancelled, Progress};

/// Shortcuts that must not change the picture; all on by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shortcuts {
    /// Leap over what is transparent.
    pub skip_empty: bool,
    /// End a ray that is covered.
    pub end_early: bool,
}

impl Default for Shortcuts {
    fn default() -> Self {
        Self { skip_empty: true, end_early: true }
    }
}

impl Shortcuts {
    /// None: the picture that the others are measured against.
    pub const NONE: Self = Self { skip_empty: false, end_early: false };
}

/// What the rays saw.
#[derive(Debug, Clone, PartialEq)]
pub struct RayImage {
    /// Width and height.
    pub size_px: [u32; 2],
    /// Premultiplied sRGB and opacity of each pixel, rows from the top.
    pub rgba: Vec<[f32; 4]>,
    /// Distance along the ray (from the eye, or from the eye's plane in a parallel projection) at which
    /// [`HIT_OPACITY`] was reached, mm; [`NO_HIT_MM`] where it was not.
    pub distance_mm: Vec<f32>,
}

/// Draws a volume.
///
/// # Errors
/// When the work was cancelled.
pub fn render(
    volume: &Volume,
    cells: &SkipCells,
    transfer: &TransferFunction,
    scene: &VolumeScene,
    shortcuts: Shortcuts,
    progress: &Progress,
) -> Result<RayImage, Cancelled> {
    let marcher = Marcher::new(volume, cells, transfer, scene, shortcuts);
    let [width, height] = scene.size_px.map(|n| n as usize);
    let mut pixels = vec![([0.0; 4], NO_HIT_MM); width * height];
    pixels.par_chunks_mut(width.max(1)).enumerate().try_for_each(|(y, row)| {
        progress.check()?;
        for (x, pixel) in row.iter_mut().enumerate() {
            *pixel = marcher.pixel(x, y);
        }
        Ok(())
    })?;
    let (rgba, distance_mm) = pixels.into_iter().unzip();
    Ok(RayImage { size_px: scene.size_px, rgba, distance_mm })
}

/// All that a ray needs, as `f32`.
struct Marcher<'a> {
    samples: Samples<'a>,
    rays: ViewRays,
    size_px: Vec2,
    voxel_from_patient: Mat3,
    voxel_offset: Vec3,
    box_lower: Vec3,
    box_upper: Vec3,
    clip: Option<(Vec3, Vec3)>,
    clip_planes: [Vec4; MAX_CLIP_PLANES],
    step_mm: f32,
    table: TransferTable,
    gradient_table: Option<GradientTable>,
    leaps: Option<LeapMap>,
    shading: Shading,
    blend: Blend,
    projection: Projection,
    end_early: bool,
}

/// The samples on a ray: `start + n * step`, `first <= n <= last`, in voxels.
struct Lattice {
    start: Vec3,
    step: Vec3,
    first: f32,
    last: f32,
    entry_mm: f32,
}

impl<'a> Marcher<'a> {
    fn new(
        volume: &'a Volume,
        cells: &SkipCells,
        transfer: &TransferFunction,
        scene: &VolumeScene,
        shortcuts: Shortcuts,
    ) -> Self {
        let grid = volume.grid();
        let blend = transfer.blend;
        let step_mm = scene.step_mm(grid);
        let table_step_mm = if blend.is_composite() { step_mm } else { super::transfer::UNIT_DISTANCE_MM };
        let projection = Projection::of(transfer, volume);
        let table = TransferTable::new(transfer, volume, table_step_mm);
        let affine = grid.voxel_from_patient();
        let (box_lower, box_upper) = sample_box(grid.dims());
        Self {
            samples: Samples::of(volume),
            rays: ViewRays::of(scene),
            size_px: Vec2::new(scene.size_px[0] as f32, scene.size_px[1] as f32),
            voxel_from_patient: affine.matrix3.as_mat3(),
            voxel_offset: affine.translation.as_vec3(),
            box_lower,
            box_upper,
            clip: scene.clip_box.map(|clip| (clip.lower_in_patient.as_vec3(), clip.upper_in_patient.as_vec3())),
            clip_planes: scene.clip_planes.packed(),
            step_mm: step_mm as f32,
            leaps: match blend {
                Blend::Composite => Some(cells.leap_map(&table)),
                Blend::Isosurface => Some(cells.leap_map_where(|range| projection.reaches(range))),
                _ => None,
            }
            .filter(|_| shortcuts.skip_empty),
            gradient_table: transfer.uses_gradient_opacity().then(|| GradientTable::new(transfer, volume)),
            table,
            shading: transfer.shading,
            blend,
            projection,
            end_early: shortcuts.end_early,
        }
    }

    fn pixel(&self, x: usize, y: usize) -> ([f32; 4], f32) {
        let at = Vec2::new(x as f32 + 0.5, y as f32 + 0.5) / self.size_px;
        let (origin, direction) = self.rays.ray(Vec2::new(at.x * 2.0 - 1.0, 1.0 - at.y * 2.0));
        let Some(lattice) = self.lattice(origin, direction) else { return ([0.0; 4], NO_HIT_MM) };
        match self.blend {
            Blend::Composite => self.composite(&lattice, direction),
            Blend::MaximumIntensity => self.extreme(&lattice, 1.0),
            Blend::MinimumIntensity => self.extreme(&lattice, -1.0),
            Blend::Average => self.average(&lattice),
            Blend::Isosurface => self.first_surface(&lattice, direction),
            Blend::XRay => self.x_ray(&lattice),
        }
    }

    fn lattice(&self, origin: Vec3, direction: Vec3) -> Option<Lattice> {
        let origin_voxel = self.voxel_from_patient * origin + self.voxel_offset;
        let direction_voxel = self.voxel_from_patient * direction;
        let (enter, exit) = slab(origin_voxel, direction_voxel, self.box_lower, self.box_upper);
        let entry_mm = enter.max(0.0);
        let (mut near, mut far) = (entry_mm, exit);
        if let Some((lower, upper)) = self.clip {
            let (clip_near, clip_far) = slab(origin, direction, lower, upper);
            near = near.max(clip_near);
            far = far.min(clip_far);
        }
        for plane in &self.clip_planes {
            let height = plane.truncate().dot(origin) + plane.w;
            let rise = plane.truncate().dot(direction);
            let rise = if rise.abs() < 1e-12 { 1e-12 } else { rise };
            let cross = -height / rise;
            if rise > 0.0 { near = near.max(cross) } else { far = far.min(cross) }
        }
        let lattice = Lattice {
            start: origin_voxel + direction_voxel * entry_mm,
            step: direction_voxel * self.step_mm,
            first: ((near - entry_mm) / self.step_mm).ceil().max(1.0),
            last: ((far - entry_mm) / self.step_mm).floor(),
            entry_mm,
        };
        (lattice.first <= lattice.last).then_some(lattice)
    }

    fn composite(&self, lattice: &Lattice, direction: Vec3) -> ([f32; 4], f32) {
        let mut color = Vec3::ZERO;
        let (mut covered, mut hit_mm) = (0.0_f32, NO_HIT_MM);
        let mut n = lattice.first;
        while n <= lattice.last {
            let at = lattice.start + lattice.step * n;
            if let Some(leaps) = &self.leaps
                && let Some(next) = leap(leaps, lattice, at, n)
            {
                n = next;
                continue;
            }
            let [r, g, b, mut alpha] = self.table.rgba[self.table.index(self.samples.trilinear(at))];
            if alpha > 0.0 {
                let mut rgb = Vec3::new(r, g, b);
                if self.shading.shade || self.gradient_table.is_some() {
                    let gradient = self.voxel_from_patient.transpose() * self.samples.gradient(at);
                    let magnitude = gradient.length();
                    if let Some(table) = &self.gradient_table {
                        alpha *= table.factor(magnitude);
                    }
                    if self.shading.shade {
                        rgb = lit(rgb, gradient, magnitude, direction, &self.shading);
                    }
                }
                let weight = alpha * (1.0 - covered);
                color += rgb * weight;
                covered += weight;
                if hit_mm < 0.0 && covered >= HIT_OPACITY {
                    hit_mm = lattice.entry_mm + n * self.step_mm;
                }
                if self.end_early && covered > OPAQUE {
                    color /= covered;
                    covered = 1.0;
                    break;
                }
            }
            n += 1.0;
        }
        ([color.x, color.y, color.z, covered], hit_mm)
    }

    /// The largest (sign 1) or smallest (sign -1) sample's colour, as opaque as the transfer function says, never shaded.
    fn extreme(&self, lattice: &Lattice, sign: f32) -> ([f32; 4], f32) {
        let (mut most, mut at_n) = (f32::NEG_INFINITY, lattice.first);
        let mut n = lattice.first;
        while n <= lattice.last {
            let sample = self.samples.trilinear(lattice.start + lattice.step * n) * sign;
            if sample > most {
                (most, at_n) = (sample, n);
            }
            n += 1.0;
        }
        self.flat(most * sign, lattice.entry_mm + at_n * self.step_mm)
    }

    /// The colour of the mean of all samples.
    fn average(&self, lattice: &Lattice) -> ([f32; 4], f32) {
        let (mut sum, mut n) = (0.0, lattice.first);
        while n <= lattice.last {
            sum += self.samples.trilinear(lattice.start + lattice.step * n);
            n += 1.0;
        }
        self.flat(sum / (lattice.last - lattice.first + 1.0), NO_HIT_MM)
    }

    /// Colour and opacity of a sample as the tables say; it lies at a distance.
    fn flat(&self, sample: f32, at_mm: f32) -> ([f32; 4], f32) {
        let [r, g, b, alpha] = self.table.rgba[self.table.index(sample)];
        ([r * alpha, g * alpha, b * alpha, alpha], if alpha >= HIT_OPACITY { at_mm } else { NO_HIT_MM })
    }

    /// Attenuation along the ray.
    fn x_ray(&self, lattice: &Lattice) -> ([f32; 4], f32) {
        let (mut sum, mut n) = (0.0, lattice.first);
        while n <= lattice.last {
            sum += self.projection.attenuation(self.samples.trilinear(lattice.start + lattice.step * n));
            n += 1.0;
        }
        ([Projection::brightness(sum * self.step_mm); 4], NO_HIT_MM)
    }

    /// The first sample inside the surface, found again between it and the one before, lit.
    fn first_surface(&self, lattice: &Lattice, direction: Vec3) -> ([f32; 4], f32) {
        let inside = |n: f32| self.projection.is_inside(self.samples.trilinear(lattice.start + lattice.step * n));
        let mut n = lattice.first;
        while n <= lattice.last {
            if let Some(leaps) = &self.leaps
                && let Some(next) = leap(leaps, lattice, lattice.start + lattice.step * n, n)
            {
                n = next;
            } else if inside(n) {
                break;
            } else {
                n += 1.0;
            }
        }
        if n > lattice.last {
            return ([0.0; 4], NO_HIT_MM);
        }
        let (mut outer, mut inner) = ((n - 1.0).max(lattice.first), n);
        for _ in 0..BISECTIONS {
            let middle = 0.5 * (outer + inner);
            if inside(middle) { inner = middle } else { outer = middle }
        }
        let at = lattice.start + lattice.step * inner;
        let gradient = self.voxel_from_patient.transpose() * self.samples.gradient(at);
        let rgb = Vec3::from_array(self.projection.surface_color);
        let rgb = lit(rgb, gradient, gradient.length(), direction, &self.shading);
        ([rgb.x, rgb.y, rgb.z, 1.0], lattice.entry_mm + inner * self.step_mm)
    }
}

/// The box of voxel centres, where samples are taken; an axis of one voxel gets that voxel's thickness.
pub fn sample_box(dims: [u32; 3]) -> (Vec3, Vec3) {
    let lower = dims.map(|n| if n == 1 { -0.5 } else { 0.0 });
    let upper = dims.map(|n| if n == 1 { 0.5 } else { (n - 1) as f32 });
    (Vec3::from_array(lower), Vec3::from_array(upper))
}

/// Where a ray enters and leaves a box; enters after it leaves where it misses.
fn slab(origin: Vec3, direction: Vec3, lower: Vec3, upper: Vec3) -> (f32, f32) {
    let inverse = usable(direction).recip();
    let (a, b) = ((lower - origin) * inverse, (upper - origin) * inverse);
    (a.min(b).max_element(), a.max(b).min_element())
}

/// A direction without zeros, so that it can be divided by.
fn usable(direction: Vec3) -> Vec3 {
    Vec3::select(direction.abs().cmplt(Vec3::splat(1e-12)), Vec3::splat(1e-12), direction)
}

/// The next sample to look at, where the cell at hand is empty.
#[inline]
fn leap(leaps: &LeapMap, lattice: &Lattice, at: Vec3, n: f32) -> Option<f32> {
    let cell = (at / SKIP_CELL as f32).floor();
    let index = |axis: usize| (cell[axis].max(0.0) as u32).min(leaps.cell_dims[axis] - 1) as usize;
    let [ni, nj] = [leaps.cell_dims[0] as usize, leaps.cell_dims[1] as usize];
    let distance = leaps.distances[index(0) + ni * (index(1) + nj * index(2))];
    if distance == 0 {
        return None;
    }
    let reach = f32::from(distance);
    let step = usable(lattice.step);
    let plane = Vec3::select(step.cmpgt(Vec3::ZERO), cell + reach, cell + (1.0 - reach)) * SKIP_CELL as f32;
    let exit = ((plane - lattice.start) / step).min_element();
    Some(exit.ceil().max(n + 1.0))
}

/// Headlight on both sides, as VTK computes it; clamped.
#[inline]
fn lit(rgb: Vec3, gradient: Vec3, magnitude: f32, direction: Vec3, shading: &Shading) -> Vec3 {
    let facing = if magnitude > 0.0 { (gradient.dot(direction) / magnitude).abs() } else { 0.0 };
    let mirrored = (2.0 * facing * facing - 1.0).max(0.0);
    let gloss = if mirrored > 0.0 { shading.specular * mirrored.powf(shading.power) } else { 0.0 };
    (rgb * (shading.ambient + shading.diffuse * facing) + gloss).clamp(Vec3::ZERO, Vec3::ONE)
}

/// Trilinear access to samples, clamped at the borders.
pub struct Samples<'a> {
    samples: &'a [i16],
    dims: [usize; 3],
}

impl<'a> Samples<'a> {
    /// The samples of a volume.
    pub fn of(volume: &'a Volume) -> Self {
        Self { samples: volume.samples(), dims: volume.grid().dims().map(|n| n as usize) }
    }

    /// The sample at a voxel position, interpolated.
    #[inline]
    pub fn trilinear(&self, at: Vec3) -> f32 {
        let base = at.floor();
        let t = at - base;
        let [i, j, k] = [base.x as i64, base.y as i64, base.z as i64];
        let last = self.dims.map(|n| n as i64 - 1);
        let inside = i >= 0 && j >= 0 && k >= 0 && i < last[0] && j < last[1] && k < last[2];
        let (row, layer) = (self.dims[0], self.dims[0] * self.dims[1]);
        let corner: [f32; 8] = if inside {
            let first = i as usize + row * j as usize + layer * k as usize;
            let window = &self.samples[first..first + layer + row + 2];
            [0, 1, row, row + 1, layer, layer + 1, layer + row, layer + row + 1].map(|n| f32::from(window[n]))
        } else {
            std::array::from_fn(|n| {
                let pick = |axis: usize, base: i64| (base + (n >> axis & 1) as i64).clamp(0, last[axis]) as usize;
                f32::from(self.samples[pick(0, i) + row * pick(1, j) + layer * pick(2, k)])
            })
        };
        let mix = |a: f32, b: f32, t: f32| a + (b - a) * t;
        let lower = mix(mix(corner[0], corner[1], t.x), mix(corner[2], corner[3], t.x), t.y);
        let upper = mix(mix(corner[4], corner[5], t.x), mix(corner[6], corner[7], t.x), t.y);
        mix(lower, upper, t.z)
    }

    /// Central differences over two voxels, halved: samples per voxel along i, j, k.
    #[inline]
    pub fn gradient(&self, at: Vec3) -> Vec3 {
        let across = |axis: Vec3| self.trilinear(at + axis) - self.trilinear(at - axis);
        Vec3::new(across(Vec3::X), across(Vec3::Y), across(Vec3::Z)) * 0.5
    }
}
