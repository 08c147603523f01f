//! What is under the pointer in a 3D view: rays against masks, meshes and the volume as it is seen.
//!
//! In: a ray in patient space. Out: the first hit, its distance in mm and its point. Exact and independent of what was
//! drawn last, so a click never waits for the graphics device. Masks are walked voxel by voxel, empty bricks in one step
//! (Amanatides and Woo, "A Fast Voxel Traversal Algorithm for Ray Tracing", 1987, on two levels).
//! A voxel is the block half a spacing around its centre. Not here: which hit counts (the nearest, usually).

use glam::{DVec3, Vec3};
use rayon::prelude::*;

use super::camera::Ray;
use super::grid::Grid;
use super::mask::{MASK_BRICK, Mask, MaskBrick};
use super::mesh::TriangleMesh;
use super::segmentation::SegmentId;
use super::slice_reference::trilinear;
use super::transfer::{TransferFunction, UNIT_DISTANCE_MM};
use super::volume::Volume;
use super::volume_scene::{ClipBox, HIT_OPACITY};

/// The voxel at which a ray enters a segment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MaskHit {
    /// The segment; of several at the voxel the first in the order given.
    pub segment: SegmentId,
    /// The voxel.
    pub voxel: [u32; 3],
    /// Distance along the ray, mm; 0 when the ray starts inside.
    pub distance_mm: f64,
    /// Where the ray enters the voxel.
    pub point_in_patient: DVec3,
}

/// The triangle that a ray meets first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeshHit {
    /// Index of the triangle.
    pub triangle: usize,
    /// Distance along the ray, mm.
    pub distance_mm: f64,
    /// Where the ray meets it.
    pub point_in_patient: DVec3,
}

/// A ray in voxel coordinates moved by half a voxel, so that voxel (i, j, k) is the block from (i, j, k) to (i, j, k) + 1.
/// Its parameter is still the distance in mm.
struct VoxelRay {
    origin: DVec3,
    per_mm: DVec3,
}

impl VoxelRay {
    fn new(ray: &Ray, grid: &Grid) -> Self {
        let voxel_from_patient = grid.voxel_from_patient();
        Self {
            origin: voxel_from_patient.transform_point3(ray.origin_in_patient) + 0.5,
            per_mm: voxel_from_patient.transform_vector3(ray.direction_in_patient),
        }
    }

    /// Distances at which the ray enters and leaves a box, not before its start; `None` when it misses.
    fn within(&self, lower: DVec3, upper: DVec3) -> Option<(f64, f64)> {
        let (mut enter, mut leave) = (0.0_f64, f64::INFINITY);
        for axis in 0..3 {
            let (from, step) = (self.origin[axis], self.per_mm[axis]);
            if step == 0.0 {
                if from < lower[axis] || from >= upper[axis] {
                    return None;
                }
                continue;
            }
            let (a, b) = ((lower[axis] - from) / step, (upper[axis] - from) / step);
            enter = enter.max(a.min(b));
            leave = leave.min(a.max(b));
        }
        (enter <= leave).then_some((enter, leave))
    }

    /// Walks the cells of edge `size` with positions in `first..end` that the ray passes between two distances, in
    /// order, until `visit` (position, distance of entry, distance of exit) gives something.
    fn walk<T>(
        &self,
        (enter, leave): (f64, f64),
        size: f64,
        (first, end): ([i64; 3], [i64; 3]),
        mut visit: impl FnMut([i64; 3], f64, f64) -> Option<T>,
    ) -> Option<T> {
        let start = (self.origin + self.per_mm * enter) / size;
        // The start lies on the border of the block: rounding must not put it outside.
        let mut cell: [i64; 3] =
            std::array::from_fn(|axis| (start[axis].floor() as i64).clamp(first[axis], end[axis] - 1));
        let forward: [bool; 3] = std::array::from_fn(|axis| self.per_mm[axis] > 0.0);
        let mut at = enter;
        loop {
            let exit = |axis: usize| {
                let border = (cell[axis] + i64::from(forward[axis])) as f64 * size;
                let step = self.per_mm[axis];
                if step == 0.0 { f64::INFINITY } else { (border - self.origin[axis]) / step }
            };
            let exits = [exit(0), exit(1), exit(2)];
            let axis = (0..3).min_by(|&a, &b| exits[a].total_cmp(&exits[b])).unwrap_or(0);
            let next = exits[axis].clamp(at, leave);
            if let Some(found) = visit(cell, at, next) {
                return Some(found);
            }
            cell[axis] += if forward[axis] { 1 } else { -1 };
            if exits[axis] >= leave || cell[axis] < first[axis] || cell[axis] >= end[axis] {
                return None;
            }
            at = next;
        }
    }
}

/// The first voxel of any of these segments that a ray meets. All masks are of `grid`; hide a segment by leaving it out.
///
/// # Panics
/// When a mask is not of `grid`.
pub fn pick_segment(ray: &Ray, grid: &Grid, segments: &[(SegmentId, &Mask)]) -> Option<MaskHit> {
    assert!(segments.iter().all(|(_, mask)| mask.dims() == grid.dims()), "masks of the grid given");
    let voxel_ray = VoxelRay::new(ray, grid);
    let dims = grid.dims().map(i64::from);
    let brick_dims = grid.dims().map(|n| i64::from(n.div_ceil(MASK_BRICK)));
    let edge = i64::from(MASK_BRICK);
    let whole = voxel_ray.within(DVec3::ZERO, DVec3::from(grid.dims().map(f64::from)))?;
    let mut here = Vec::with_capacity(segments.len());
    voxel_ray.walk(whole, edge as f64, ([0; 3], brick_dims), |brick, enter, leave| {
        let index = (brick[0] + brick_dims[0] * (brick[1] + brick_dims[1] * brick[2])) as usize;
        here.clear();
        here.extend(segments.iter().filter(|(_, mask)| mask.bricks()[index] != MaskBrick::Empty));
        if here.is_empty() {
            return None;
        }
        let first = brick.map(|n| n * edge);
        let end = std::array::from_fn(|axis| (first[axis] + edge).min(dims[axis]));
        voxel_ray.walk((enter, leave), 1.0, (first, end), |voxel, distance_mm, _| {
            let voxel = voxel.map(|n| n as u32);
            let (segment, _) = here.iter().find(|(_, mask)| mask.contains(voxel[0], voxel[1], voxel[2]))?;
            Some(MaskHit { segment: *segment, voxel, distance_mm, point_in_patient: ray.at(distance_mm) })
        })
    })
}

/// The first triangle that a ray meets, from either side.
///
/// Tests every triangle, in parallel: a few milliseconds for a million, without a tree to build and keep.
/// Source: Moeller and Trumbore, "Fast, Minimum Storage Ray/Triangle Intersection", 1997.
pub fn pick_mesh(ray: &Ray, mesh: &TriangleMesh) -> Option<MeshHit> {
    const RUN: usize = 1 << 14;
    let distance_to = |triangle: [u32; 3]| meets(ray, mesh.corners(triangle).map(Vec3::as_dvec3));
    let nearest = |a: (f64, usize), b: (f64, usize)| if b.0 < a.0 { b } else { a };
    let nothing = (f64::INFINITY, usize::MAX);
    let (distance_mm, triangle) = mesh
        .triangles
        .par_chunks(RUN)
        .enumerate()
        .map(|(run, triangles)| {
            let hits = triangles.iter().enumerate().filter_map(|(n, &t)| Some((distance_to(t)?, run * RUN + n)));
            hits.fold(nothing, nearest)
        })
        .reduce(|| nothing, nearest);
    let hit = MeshHit { triangle, distance_mm, point_in_patient: ray.at(distance_mm) };
    distance_mm.is_finite().then_some(hit)
}

/// Distance at which a ray meets a triangle.
fn meets(ray: &Ray, [a, b, c]: [DVec3; 3]) -> Option<f64> {
    let (ab, ac) = (b - a, c - a);
    let across = ray.direction_in_patient.cross(ac);
    let determinant = ab.dot(across);
    if determinant == 0.0 {
        return None;
    }
    let from_a = ray.origin_in_patient - a;
    let u = from_a.dot(across) / determinant;
    let along = from_a.cross(ab);
    let v = ray.direction_in_patient.dot(along) / determinant;
    let distance_mm = ac.dot(along) / determinant;
    (u >= 0.0 && v >= 0.0 && u + v <= 1.0 && distance_mm >= 0.0).then_some(distance_mm)
}

/// Where a ray hits the volume as the transfer function shows it: the point at which it is covered by
/// [`HIT_OPACITY`], as in the ray-marched picture; `None` when it passes through. Steps of half a voxel.
pub fn pick_volume(ray: &Ray, volume: &Volume, transfer: &TransferFunction, clip: Option<&ClipBox>) -> Option<DVec3> {
    let grid = volume.grid();
    let voxel_ray = VoxelRay::new(ray, grid);
    let (mut enter, mut leave) = voxel_ray.within(DVec3::ZERO, DVec3::from(grid.dims().map(f64::from)))?;
    if let Some(clip) = clip {
        let in_patient = VoxelRay { origin: ray.origin_in_patient, per_mm: ray.direction_in_patient };
        let (clip_enter, clip_leave) = in_patient.within(clip.lower_in_patient, clip.upper_in_patient)?;
        (enter, leave) = (enter.max(clip_enter), leave.min(clip_leave));
    }
    let step_mm = grid.spacing_mm().min_element() / 2.0;
    let step_count = ((leave - enter) / step_mm).max(0.0) as u32;
    let mut left = 1.0;
    for n in 0..=step_count {
        let distance_mm = enter + step_mm * f64::from(n);
        let voxel = voxel_ray.origin + voxel_ray.per_mm * distance_mm - 0.5;
        let Some(value) = trilinear(volume, voxel) else { continue };
        let mut opacity = transfer.opacity_at(value);
        if opacity > 0.0 && transfer.uses_gradient_opacity() {
            opacity *= transfer.gradient_factor_at(gradient_per_mm(volume, ray.at(distance_mm), step_mm));
        }
        left *= (1.0 - opacity.clamp(0.0, 1.0)).powf(step_mm / UNIT_DISTANCE_MM);
        if 1.0 - left >= f64::from(HIT_OPACITY) {
            return Some(ray.at(distance_mm));
        }
    }
    None
}

fn gradient_per_mm(volume: &Volume, point_in_patient: DVec3, reach_mm: f64) -> f64 {
    let voxel_from_patient = volume.grid().voxel_from_patient();
    let value = |point: DVec3| trilinear(volume, voxel_from_patient.transform_point3(point)).unwrap_or(0.0);
    let along = |axis: DVec3| {
        let (after, before) = (value(point_in_patient + axis * reach_mm), value(point_in_patient - axis * reach_mm));
        (after - before) / (2.0 * reach_mm)
    };
    DVec3::new(along(DVec3::X), along(DVec3::Y), along(DVec3::Z)).length()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::transfer::preset;
    use crate::domain::volume::{Quantity, Rescale};
    use glam::{DAffine3, DMat3};

    /// Tilted and left-handed.
    fn grid() -> Grid {
        let turn = DMat3::from_axis_angle(DVec3::new(0.3, -0.5, 0.8).normalize(), 0.7);
        let axes = DMat3::from_cols(DVec3::new(-0.7, 0.0, 0.0), DVec3::new(0.1, 0.6, 0.0), DVec3::new(0.0, 0.4, 1.3));
        let matrix3 = turn * axes;
        Grid::new([80, 70, 40], DAffine3 { matrix3, translation: DVec3::new(12.0, -250.0, 90.0) }).unwrap()
    }

    fn rays(grid: &Grid) -> impl Iterator<Item = Ray> {
        let (lower, upper) = grid.bounds_in_patient();
        let (center, reach) = ((lower + upper) / 2.0, (upper - lower).length());
        let spread = |n: u32| f64::from(n.wrapping_mul(2_654_435_761) >> 8) / f64::from(1 << 24) * 2.0 - 1.0;
        (0..300).map(move |n| {
            let around = |seed: u32| DVec3::new(spread(seed), spread(seed + 1), spread(seed + 2));
            let origin_in_patient = center + around(n * 7 + 1).normalize() * reach;
            let aim = center + around(n * 7 + 4) * reach * 0.2;
            Ray { origin_in_patient, direction_in_patient: (aim - origin_in_patient).normalize() }
        })
    }

    #[test]
    fn the_first_voxel_is_the_one_that_small_steps_find() {
        let grid = grid();
        let ball = |center: DVec3, radius: f64| {
            Mask::from_fn(grid.dims(), move |i, j, k| {
                DVec3::new(f64::from(i), f64::from(j), f64::from(k)).distance(center) < radius
            })
        };
        let masks = [ball(DVec3::new(30.0, 35.0, 20.0), 9.0), ball(DVec3::new(60.0, 30.0, 15.0), 12.0)];
        let segments = [(SegmentId(4), &masks[0]), (SegmentId(2), &masks[1])];
        let mut hits = 0;
        for ray in rays(&grid) {
            let found = pick_segment(&ray, &grid, &segments);
            let voxel_at = |mm: f64| grid.voxel_from_patient().transform_point3(ray.at(mm)).round();
            let inside = |mm: f64| {
                let at = voxel_at(mm);
                let [i, j, k] = [at.x, at.y, at.z].map(|n| if n < 0.0 { u32::MAX } else { n as u32 });
                segments.iter().find(|(_, mask)| mask.contains(i, j, k)).map(|(id, _)| *id)
            };
            let stepped = (0..20_000).map(|n| f64::from(n) * 0.01).find_map(|mm| Some((inside(mm)?, mm)));
            match (found, stepped) {
                (Some(hit), Some((id, mm))) => {
                    hits += 1;
                    // A corner may be cut between two steps.
                    assert!(hit.distance_mm <= mm + 1e-9 && hit.distance_mm > mm - 0.3, "{hit:?} against {mm}");
                    if hit.distance_mm > mm - 0.011 {
                        assert_eq!(hit.segment, id);
                    }
                    let entered = inside(hit.distance_mm + 1e-6);
                    assert!(entered.is_some() || hit.distance_mm < mm - 0.011, "enters at its distance");
                }
                (None, None) => {}
                (Some(hit), None) => panic!("only a cut corner may be missed by steps: {hit:?}"),
                (None, Some(missed)) => panic!("missed {missed:?}"),
            }
        }
        assert!(hits > 60, "{hits} of 300 rays hit");
    }

    #[test]
    fn axis_parallel_rays_and_starts_inside_are_found() {
        let grid = Grid::axis_aligned([40, 40, 40], DVec3::new(1.0, 2.0, 3.0), DVec3::ZERO).unwrap();
        let mask = Mask::from_fn([40; 3], |i, j, k| (i, j, k) == (33, 20, 10));
        let segments = [(SegmentId(1), &mask)];
        let along = |origin: DVec3, direction: DVec3| {
            let ray = Ray { origin_in_patient: origin, direction_in_patient: direction };
            pick_segment(&ray, &grid, &segments).map(|hit| hit.distance_mm)
        };
        assert_eq!(along(DVec3::new(-10.0, 40.0, 30.0), DVec3::X), Some(42.5));
        assert_eq!(along(DVec3::new(33.0, 100.0, 30.0), DVec3::NEG_Y), Some(59.0));
        assert_eq!(along(DVec3::new(33.0, 40.0, 30.0), DVec3::Z), Some(0.0), "starts inside");
        assert_eq!(along(DVec3::new(-10.0, 42.0, 30.0), DVec3::X), None);
        assert_eq!(along(DVec3::new(40.0, 40.0, 30.0), DVec3::X), None, "behind the start");
    }

    #[test]
    fn a_mesh_is_met_where_it_is() {
        let mesh = TriangleMesh {
            positions_in_patient: vec![[0.0, 0.0, 0.0], [4.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 2.0]],
            normals: Vec::new(),
            triangles: vec![[0, 1, 2], [0, 3, 1]],
        };
        let down =
            |x: f64, y: f64| Ray { origin_in_patient: DVec3::new(x, y, 9.0), direction_in_patient: DVec3::NEG_Z };
        let hit = pick_mesh(&down(1.0, 1.0), &mesh).unwrap();
        assert_eq!((hit.triangle, hit.distance_mm), (0, 9.0));
        assert_eq!(pick_mesh(&down(3.0, 3.0), &mesh), None);
    }

    #[test]
    fn the_volume_is_hit_where_it_becomes_visible() {
        let grid = Grid::axis_aligned([40; 3], DVec3::ONE, DVec3::ZERO).unwrap();
        let samples = (0..64_000).map(|n| if n % 40 < 20 { -1000 } else { 1500 }).collect();
        let volume = Volume::new(grid, samples, Rescale::IDENTITY, Quantity::Hounsfield);
        let ray = Ray { origin_in_patient: DVec3::new(-50.0, 20.0, 20.0), direction_in_patient: DVec3::X };
        let bone = preset("CT-Bone").unwrap();
        let point = pick_volume(&ray, &volume, bone, None).unwrap();
        assert!((point.x - 20.0).abs() < 2.0, "{point}");
        let clip = |from: f64, to: f64| ClipBox {
            lower_in_patient: DVec3::new(from, 0.0, 0.0),
            upper_in_patient: DVec3::new(to, 40.0, 40.0),
        };
        let clipped = pick_volume(&ray, &volume, bone, Some(&clip(30.0, 40.0))).unwrap();
        assert!(clipped.x >= 30.0 && clipped.x < 32.5, "{clipped}");
        assert_eq!(pick_volume(&ray, &volume, bone, Some(&clip(0.0, 15.0))), None);
    }
}
