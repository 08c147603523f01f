//! A synthetic patient: parts painted over one another, and its CT image.
//!
//! In: parts in painting order, each a few solids joined, cut and filled with a tissue. Out: samples in HU on any grid, with
//! edges as wide as a scanner makes them, texture and noise; and for each point the part that owns it.
//! Method: an octree-like descent. A block of voxels keeps only the parts, and of each part only the solids, whose surface
//! may cross it; a part that fills the block makes all parts below it needless. Voxels then ask what is left.

use glam::DVec3;
use rayon::prelude::*;

use super::noise;
use super::primitive::{Primitive, Rod, Side};
use crate::domain::grid::Grid;
use crate::domain::volume::{Quantity, Rescale, Volume};
use crate::task::{Cancelled, Progress};

/// HU of air, where no part is.
const AIR_HU: f64 = -1000.0;
/// Smallest and largest HU that a 12-bit scanner stores.
const HU_RANGE: (f32, f32) = (-1024.0, 3071.0);
/// Edges in voxels of the blocks at which the parts are thinned out, coarse to fine.
const COARSE: u32 = 32;
const MIDDLE: u32 = 8;
const FINE: u32 = 4;

/// What a part is filled with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tissue {
    /// Mean CT number.
    pub hu: f64,
    /// Size of the smooth variation about the mean, HU.
    pub texture_hu: f64,
    /// Length over which it varies.
    pub texture_mm: f64,
}

impl Tissue {
    /// A tissue that is the same everywhere.
    pub const fn even(hu: f64) -> Self {
        Self { hu, texture_hu: 0.0, texture_mm: 1.0 }
    }

    /// A tissue that varies smoothly.
    pub const fn mottled(hu: f64, texture_hu: f64, texture_mm: f64) -> Self {
        Self { hu, texture_hu, texture_mm }
    }
}

/// One part of the patient.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Name, e.g. `aorta lumen`.
    pub name: &'static str,
    /// Solids that are joined.
    pub solids: Vec<Primitive>,
    /// A vessel: discs across an axis made of rods that follow one another. Joined to the solids.
    pub tube: Vec<Rod>,
    /// How far joints of solids are rounded.
    pub blend_mm: f64,
    /// How far the surface is moved inwards (outwards when negative).
    pub inset_mm: f64,
    /// The part ends where one of these ends.
    pub within: Vec<Primitive>,
    /// The part has these cut out.
    pub without: Vec<Primitive>,
    /// What it is filled with.
    pub tissue: Tissue,
}

impl Part {
    /// A part of some solids.
    pub fn new(name: &'static str, tissue: Tissue, solids: Vec<Primitive>) -> Self {
        let (tube, within, without) = (Vec::new(), Vec::new(), Vec::new());
        Self { name, solids, tube, blend_mm: 0.0, inset_mm: 0.0, within, without, tissue }
    }

    /// A vessel.
    pub fn vessel(name: &'static str, tissue: Tissue, tube: Vec<Rod>) -> Self {
        Self { tube, ..Self::new(name, tissue, Vec::new()) }
    }

    /// With rounded joints.
    pub fn blended(self, blend_mm: f64) -> Self {
        Self { blend_mm, ..self }
    }

    /// With its surface moved inwards.
    pub fn inset(self, inset_mm: f64) -> Self {
        Self { inset_mm, ..self }
    }

    /// Cut to the inside of solids.
    pub fn within(self, within: Vec<Primitive>) -> Self {
        Self { within, ..self }
    }

    /// With solids cut out.
    pub fn without(self, without: Vec<Primitive>) -> Self {
        Self { without, ..self }
    }

    /// The same solids filled with something else, e.g. the marrow of a bone.
    pub fn core(&self, name: &'static str, tissue: Tissue, inset_mm: f64) -> Self {
        Self { name, tissue, inset_mm: self.inset_mm + inset_mm, ..self.clone() }
    }
}

/// The parts, in the order in which they are painted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scene {
    /// Later parts hide earlier ones.
    pub parts: Vec<Part>,
}

/// How a scene is imaged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Imaging {
    /// Width over which an edge goes from one tissue to the other, mm.
    pub edge_mm: f64,
    /// Standard deviation of the noise, HU.
    pub noise_hu: f32,
    /// Seed of noise and texture.
    pub seed: u64,
}

impl Scene {
    /// Images the scene. The same scene, grid and seed give the same samples on every machine.
    ///
    /// # Errors
    /// When cancelled.
    pub fn image(&self, grid: &Grid, imaging: Imaging, progress: &Progress) -> Result<Volume, Cancelled> {
        progress.phase("making the phantom");
        let [ni, nj, nk] = grid.dims();
        let mut samples = vec![0_i16; grid.voxel_count()];
        let whole = self.whole_parts();
        let slab_voxels = ni as usize * nj as usize * COARSE as usize;
        let slab_count = nk.div_ceil(COARSE) as usize;
        let done = std::sync::atomic::AtomicUsize::new(0);
        for (slab, samples) in samples.chunks_mut(slab_voxels).enumerate() {
            let coarse: Vec<Vec<LocalPart<'_>>> = (0..ni.div_ceil(COARSE) * nj.div_ceil(COARSE))
                .into_par_iter()
                .map(|n| {
                    let (bi, bj) = (n % ni.div_ceil(COARSE), n / ni.div_ceil(COARSE));
                    let first = [bi * COARSE, bj * COARSE, slab as u32 * COARSE];
                    thinned(&whole, grid, first, COARSE, imaging.edge_mm)
                })
                .collect();
            let layer_voxels = ni as usize * nj as usize * MIDDLE as usize;
            samples.par_chunks_mut(layer_voxels).enumerate().try_for_each(|(layer, samples)| {
                let first_k = slab as u32 * COARSE + layer as u32 * MIDDLE;
                image_layer(&coarse, grid, first_k, samples, imaging);
                let done = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                progress.step(done, slab_count * (COARSE / MIDDLE) as usize)
            })?;
        }
        Ok(Volume::new(*grid, samples, Rescale::IDENTITY, Quantity::Hounsfield))
    }

    fn whole_parts(&self) -> Vec<LocalPart<'_>> {
        let same_shape = |a: &Part, b: &Part| a.solids == b.solids && a.tube == b.tube && a.blend_mm == b.blend_mm;
        let shape = |part: &Part| self.parts.iter().position(|other| same_shape(other, part)).unwrap_or_default();
        self.parts.iter().map(|part| LocalPart { shape: shape(part), ..LocalPart::whole(part) }).collect()
    }

    /// The part that owns a point: the last one that holds it.
    pub fn owner(&self, point_in_patient: DVec3) -> Option<&Part> {
        self.parts.iter().rev().find(|part| LocalPart::whole(part).distance_mm(point_in_patient) < 0.0)
    }
}

/// What is left of a part in a block of voxels.
#[derive(Clone)]
struct LocalPart<'a> {
    part: &'a Part,
    /// The first part of the scene that joins the same solids.
    shape: usize,
    /// The block lies wholly inside: no distance needs to be asked.
    full: bool,
    solids: Vec<&'a Primitive>,
    tube: Vec<&'a Rod>,
    within: Vec<&'a Primitive>,
    without: Vec<&'a Primitive>,
}

impl<'a> LocalPart<'a> {
    fn whole(part: &'a Part) -> Self {
        Self {
            part,
            shape: 0,
            full: false,
            solids: part.solids.iter().collect(),
            tube: part.tube.iter().collect(),
            within: part.within.iter().collect(),
            without: part.without.iter().collect(),
        }
    }

    fn distance_mm(&self, p: DVec3) -> f64 {
        self.cut_mm(p, self.shape_mm(p))
    }

    /// Distance to the joined solids, before inset and cuts.
    fn shape_mm(&self, p: DVec3) -> f64 {
        let mut distance = f64::INFINITY;
        let blend = self.part.blend_mm;
        for solid in &self.solids {
            let next = solid.distance_mm(p);
            let overlap = if blend > 0.0 { (blend - (distance - next).abs()).max(0.0) } else { 0.0 };
            distance = distance.min(next);
            if overlap > 0.0 {
                distance -= overlap * overlap / (4.0 * blend);
            }
        }
        distance.min(tube_distance_mm(&self.tube, p))
    }

    /// Distance to the part, from that to its joined solids.
    fn cut_mm(&self, p: DVec3, shape_mm: f64) -> f64 {
        let inside = self.within.iter().map(|solid| solid.distance_mm(p));
        let outside = self.without.iter().map(|solid| -solid.distance_mm(p));
        inside.chain(outside).fold(shape_mm + self.part.inset_mm, f64::max)
    }

    /// Whether the joined solids are the same.
    fn has_shape_of(&self, other: &Self) -> bool {
        self.shape == other.shape && self.solids.len() == other.solids.len() && self.tube.len() == other.tube.len()
    }

    /// What is left of it in a ball; `None` when nothing is.
    fn near(&self, center: DVec3, reach_mm: f64) -> Option<Self> {
        if self.full {
            return Some(self.clone());
        }
        let (mut within, mut without) = (Vec::new(), Vec::new());
        for solid in &self.within {
            match solid.side(center, reach_mm, reach_mm) {
                Side::Outside => return None,
                Side::Across => within.push(*solid),
                Side::Inside => {}
            }
        }
        for solid in &self.without {
            match solid.side(center, reach_mm, reach_mm) {
                Side::Inside => return None,
                Side::Across => without.push(*solid),
                Side::Outside => {}
            }
        }
        // The part ends where the solids' distance is minus the inset; solids blend with those up to `blend_mm` further away.
        let out_mm = (reach_mm - self.part.inset_mm).max(0.0) + self.part.blend_mm;
        let in_mm = reach_mm + self.part.inset_mm.max(0.0);
        let mut solids = Vec::new();
        let mut filling = Vec::new();
        for solid in &self.solids {
            match solid.side(center, out_mm, in_mm) {
                Side::Outside => {}
                Side::Across => solids.push(*solid),
                Side::Inside => filling.push(*solid),
            }
        }
        let tube = near_tube(&self.tube, center, reach_mm + self.part.inset_mm.abs());
        let filled = !filling.is_empty();
        if !filled && solids.is_empty() && tube.is_empty() {
            return None;
        }
        // A cut that crosses the block still needs the distance of the solids that fill it.
        let full = filled && within.is_empty() && without.is_empty();
        if !full {
            solids.extend(filling);
        }
        Some(Self { part: self.part, shape: self.shape, full, solids, tube, within, without })
    }

    /// The tissue's CT number at a point.
    fn hu(&self, p: DVec3, seed: u64) -> f64 {
        let tissue = &self.part.tissue;
        if tissue.texture_hu == 0.0 {
            return tissue.hu;
        }
        let coarse = noise::texture(seed, p, tissue.texture_mm);
        let fine = noise::texture(seed ^ 1, p, tissue.texture_mm * 0.45);
        tissue.hu + tissue.texture_hu * (coarse + 0.6 * fine)
    }
}

/// Distance to the discs across an axis: the nearest point of the whole axis decides which disc counts.
fn tube_distance_mm(tube: &[&Rod], p: DVec3) -> f64 {
    let nearest = tube.iter().map(|rod| (rod.axis(p), rod)).min_by(|a, b| a.0.0.total_cmp(&b.0.0));
    nearest.map_or(f64::INFINITY, |((distance, radius), rod)| {
        let slope = (rod.to_radius_mm - rod.from_radius_mm) / rod.from.distance(rod.to);
        (distance - radius) / slope.hypot(1.0)
    })
}

/// The rods that can be nearest to a point of the ball, if the tube comes near it at all.
fn near_tube<'a>(tube: &[&'a Rod], center: DVec3, reach_mm: f64) -> Vec<&'a Rod> {
    let axes: Vec<(f64, f64)> = tube.iter().map(|rod| rod.axis(center)).collect();
    let nearest = axes.iter().map(|axis| axis.0).fold(f64::INFINITY, f64::min);
    let candidates = || tube.iter().zip(&axes).filter(|(_, (distance, _))| *distance <= nearest + 2.0 * reach_mm);
    let comes_near = candidates().any(|(rod, (distance, _))| {
        let widest = rod.from_radius_mm.max(rod.to_radius_mm);
        *distance <= widest + reach_mm
    });
    if comes_near { candidates().map(|(rod, _)| *rod).collect() } else { Vec::new() }
}

/// What is left of the parts in a block of `edge`^3 voxels.
fn thinned<'a>(parts: &[LocalPart<'a>], grid: &Grid, first: [u32; 3], edge: u32, edge_mm: f64) -> Vec<LocalPart<'a>> {
    let patient_from_voxel = grid.patient_from_voxel();
    let half = (f64::from(edge) - 1.0) / 2.0;
    let middle = DVec3::new(f64::from(first[0]), f64::from(first[1]), f64::from(first[2])) + half;
    let center = patient_from_voxel.transform_point3(middle);
    let axes = patient_from_voxel.matrix3;
    let diagonal = [(1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)]
        .map(|(y, z)| (axes.x_axis + axes.y_axis * y + axes.z_axis * z).length());
    let reach_mm = diagonal.into_iter().fold(0.0, f64::max) * half + edge_mm;
    let mut left: Vec<LocalPart<'a>> = Vec::new();
    for part in parts {
        if let Some(near) = part.near(center, reach_mm) {
            if near.full {
                left.clear();
            }
            left.push(near);
        }
    }
    left
}

/// Images `MIDDLE` slices.
fn image_layer(coarse: &[Vec<LocalPart<'_>>], grid: &Grid, first_k: u32, samples: &mut [i16], imaging: Imaging) {
    let [ni, nj, _] = grid.dims();
    for first_j in (0..nj).step_by(MIDDLE as usize) {
        for first_i in (0..ni).step_by(MIDDLE as usize) {
            let block = first_i / COARSE + ni.div_ceil(COARSE) * (first_j / COARSE);
            let first = [first_i, first_j, first_k];
            let parts = thinned(&coarse[block as usize], grid, first, MIDDLE, imaging.edge_mm);
            for n in 0..(MIDDLE / FINE).pow(3) {
                let per_edge = MIDDLE / FINE;
                let offset = [n % per_edge, n / per_edge % per_edge, n / (per_edge * per_edge)];
                let first = std::array::from_fn(|axis| first[axis] + offset[axis] * FINE);
                let parts = thinned(&parts, grid, first, FINE, imaging.edge_mm);
                image_block(&parts, grid, first, first_k, samples, imaging);
            }
        }
    }
}

/// Images a block of `FINE`^3 voxels; `samples` begins with slice `first_k`.
fn image_block(
    parts: &[LocalPart<'_>],
    grid: &Grid,
    first: [u32; 3],
    first_k: u32,
    samples: &mut [i16],
    imaging: Imaging,
) {
    let dims = grid.dims();
    let range = |axis: usize| first[axis]..(first[axis] + FINE).min(dims[axis]);
    for k in range(2) {
        for j in range(1) {
            for i in range(0) {
                samples[grid.index(i, j, k - first_k)] = voxel_hu(parts, grid, [i, j, k], imaging);
            }
        }
    }
}

/// Paints from the top down and stops where nothing shines through any more.
fn voxel_hu(parts: &[LocalPart<'_>], grid: &Grid, [i, j, k]: [u32; 3], imaging: Imaging) -> i16 {
    let voxel = DVec3::new(f64::from(i), f64::from(j), f64::from(k));
    let p = grid.patient_from_voxel().transform_point3(voxel);
    let (mut hu, mut open) = (0.0, 1.0);
    // A bone and its marrow, the skin and the fat below it, have the same shape: its distance is asked once.
    let mut known: Option<(&LocalPart<'_>, f64)> = None;
    for part in parts.iter().rev() {
        let share = if part.full {
            1.0
        } else {
            let shape_mm = match known {
                Some((other, shape_mm)) if other.has_shape_of(part) => shape_mm,
                _ => part.shape_mm(p),
            };
            known = Some((part, shape_mm));
            (0.5 - (part.cut_mm(p, shape_mm)) / imaging.edge_mm).clamp(0.0, 1.0)
        };
        if share > 0.0 {
            hu += open * share * part.hu(p, imaging.seed);
            open *= 1.0 - share;
            if open < 1e-3 {
                break;
            }
        }
    }
    hu += open * AIR_HU;
    let noise = noise::normal(imaging.seed, grid.index(i, j, k) as u64) * imaging.noise_hu;
    (hu as f32 + noise).clamp(HU_RANGE.0, HU_RANGE.1).round() as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_changes_no_voxel() {
        let ball = |x: f64, r: f64| Primitive::ball(DVec3::new(x, 0.0, 0.0), r);
        let rods: Vec<Rod> = (0..6)
            .map(|n| Rod {
                from: DVec3::new(-20.0, -20.0, f64::from(n) * 8.0 - 24.0),
                to: DVec3::new(-18.0, -20.0, f64::from(n) * 8.0 - 16.0),
                from_radius_mm: 4.0 + f64::from(n % 3),
                to_radius_mm: 4.0 + f64::from((n + 1) % 3),
            })
            .collect();
        let scene = Scene {
            parts: vec![
                Part::new("outer", Tissue::even(40.0), vec![ball(0.0, 28.0), ball(12.0, 26.0)]).blended(6.0),
                Part::new("shell", Tissue::mottled(900.0, 50.0, 4.0), vec![ball(4.0, 15.0)])
                    .without(vec![ball(0.0, 12.0)])
                    .within(vec![ball(-6.0, 18.0)]),
                Part::vessel("vessel", Tissue::even(300.0), rods.clone()).inset(0.5),
                Part::vessel("vessel core", Tissue::even(100.0), rods).inset(2.5),
            ],
        };
        let axes = glam::DAffine3::from_scale_rotation_translation(
            DVec3::new(1.0, 1.2, 1.7),
            glam::DQuat::from_rotation_x(0.4),
            DVec3::splat(-38.0),
        );
        let grid = Grid::new([70, 66, 50], axes).expect("valid");
        let imaging = Imaging { edge_mm: 1.5, noise_hu: 0.0, seed: 3 };
        let volume = scene.image(&grid, imaging, &Progress::new()).expect("not cancelled");
        let whole = scene.whole_parts();
        let mut inside = 0;
        for n in 0..20_000_u64 {
            let index = (noise::bits(9, n) % grid.voxel_count() as u64) as u32;
            let voxel = [index % 70, index / 70 % 66, index / (70 * 66)];
            let found = volume.samples()[index as usize];
            assert_eq!(found, voxel_hu(&whole, &grid, voxel, imaging), "{voxel:?}");
            inside += u32::from(found > -500);
        }
        assert!(inside > 1000, "the scene is in the picture");
    }

    #[test]
    fn cancel_stops() {
        let grid = Grid::axis_aligned([64; 3], DVec3::ONE, DVec3::ZERO).expect("valid");
        let progress = Progress::new();
        progress.cancel();
        let imaging = Imaging { edge_mm: 1.0, noise_hu: 20.0, seed: 1 };
        assert_eq!(Scene::default().image(&grid, imaging, &progress).expect_err("cancelled"), Cancelled);
    }
}
