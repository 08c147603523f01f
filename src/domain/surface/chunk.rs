//! The live surface of a mask: small meshes that are rebuilt alone when their bricks change.
//!
//! In: a mask, its grid and the bricks that an edit touched. Out: one `TriangleMesh` for each chunk that changed; a chunk
//! holds the cells above one mask brick. Space: patient, mm.
//!
//! The topology is that of `extract_mask`. For the eye, vertices move along their edge to where a smoothed occupancy
//! (binomial, sigma one voxel) is one half, at most a quarter of a voxel, and normals are the gradient of that occupancy. A
//! chunk is computed from its voxels and a halo of four; what two chunks share they compute from the same voxels, so they
//! agree bit by bit and no seam is seen.
//! Not here: the mesh for export (`extract_mask`), upload and drawing.

use std::collections::HashMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::bit_grid::BitGrid;
use super::count::Layout;
use super::fast;
use super::field::inward_along;
use super::instruction_set::InstructionSet;
use super::placement::Placement;
use super::triangles::{CASE_LANES, CASE_LANES_MIRRORED, EmitTriangles};
use super::vertices::{CutEdge, CutEdges};
use crate::domain::grid::Grid;
use crate::domain::mask::{MASK_BRICK, Mask, MaskBrick, brick_position, column_mask};
use crate::domain::mesh::TriangleMesh;
use crate::task::{Cancelled, Progress};

/// Voxels around a chunk that its picture depends on.
const HALO: usize = 4;
/// Edge of a block: a brick and its halo.
const BLOCK: usize = MASK_BRICK as usize + 2 * HALO;
/// Edge of the smoothed occupancy: two voxels on each side go into the smoothing.
const SMOOTH: usize = BLOCK - 4;
/// The smoothed occupancy deep inside.
const FULL: f32 = 4096.0;
/// A vertex keeps this distance to the voxel centres, so that thin parts stay visible.
const CLOSEST: f32 = 0.25;

/// The surface of one mask in chunks, numbered like the mask's bricks.
#[derive(Debug, Clone, Default)]
pub struct LiveSurface {
    grid: Option<Grid>,
    chunks: Vec<Chunk>,
}

#[derive(Debug, Clone, Default)]
struct Chunk {
    /// Of the voxels that the mesh was made from; `None` before the first.
    fingerprint: Option<u64>,
    mesh: Arc<TriangleMesh>,
}

impl LiveSurface {
    /// A surface without chunks; the first update makes them all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Rebuilds what depends on the dirty bricks and returns the chunks whose mesh changed, in rising order. The first call,
    /// and one with another grid, rebuilds everything.
    ///
    /// # Panics
    /// When the mask is not of the grid's size or a brick index is not of this mask.
    pub fn update(&mut self, mask: &Mask, grid: &Grid, dirty_bricks: &[u32]) -> Vec<u32> {
        // Nobody holds this progress, so nobody can cancel.
        self.update_with(mask, grid, dirty_bricks, &Progress::new()).unwrap_or_default()
    }

    /// As [`LiveSurface::update`], with a cancel.
    ///
    /// # Errors
    /// When the work was cancelled; the surface is as it was.
    pub fn update_with(
        &mut self,
        mask: &Mask,
        grid: &Grid,
        dirty_bricks: &[u32],
        progress: &Progress,
    ) -> Result<Vec<u32>, Cancelled> {
        assert_eq!(mask.dims(), grid.dims(), "the mask's own grid");
        let mut chunks = Vec::new();
        let is_new = self.grid != Some(*grid);
        let candidates = if is_new {
            chunks.resize(mask.bricks().len(), Chunk::default());
            (0..mask.bricks().len() as u32).collect()
        } else {
            with_neighbours(dirty_bricks, mask.brick_dims())
        };
        let before = if is_new { &chunks } else { &self.chunks };
        let (placement, set) = (Placement::new(grid), InstructionSet::detect());
        let rebuilt: Vec<Option<(u32, Chunk)>> = candidates
            .into_par_iter()
            .map(|id| {
                progress.check()?;
                let known = before[id as usize].fingerprint;
                Ok(rebuild(mask, &placement, id, known, set).map(|chunk| (id, chunk)))
            })
            .collect::<Result<_, Cancelled>>()?;
        // Whoever draws chunks of the old grid must drop them: they count as changed.
        let mut changed: Vec<u32> = if is_new { self.visible_chunks() } else { Vec::new() };
        if is_new {
            (self.grid, self.chunks) = (Some(*grid), chunks);
            changed.retain(|&id| (id as usize) < self.chunks.len());
        }
        for (id, chunk) in rebuilt.into_iter().flatten() {
            let old = std::mem::replace(&mut self.chunks[id as usize], chunk);
            let is_seen = !self.chunks[id as usize].mesh.triangles.is_empty();
            if is_seen || !old.mesh.triangles.is_empty() {
                changed.push(id);
            }
        }
        changed.sort_unstable();
        changed.dedup();
        Ok(changed)
    }

    /// The mesh of one chunk; empty where there is no surface.
    pub fn chunk(&self, id: u32) -> Arc<TriangleMesh> {
        self.chunks.get(id as usize).map(|chunk| Arc::clone(&chunk.mesh)).unwrap_or_default()
    }

    /// The chunks that have triangles, in rising order.
    pub fn visible_chunks(&self) -> Vec<u32> {
        let has_triangles = |(_, chunk): &(usize, &Chunk)| !chunk.mesh.triangles.is_empty();
        self.chunks.iter().enumerate().filter(has_triangles).map(|(id, _)| id as u32).collect()
    }

    /// All chunks as one closed mesh: vertices that two chunks share become one.
    pub fn welded(&self) -> TriangleMesh {
        let mut mesh = TriangleMesh::default();
        let mut known: HashMap<[u32; 3], u32> = HashMap::new();
        for chunk in &self.chunks {
            let source = &chunk.mesh;
            let ids: Vec<u32> = std::iter::zip(&source.positions_in_patient, &source.normals)
                .map(|(position, normal)| {
                    // No two vertices of a surface have the same position, and shared ones agree bit by bit.
                    *known.entry(position.map(f32::to_bits)).or_insert_with(|| {
                        mesh.positions_in_patient.push(*position);
                        mesh.normals.push(*normal);
                        mesh.positions_in_patient.len() as u32 - 1
                    })
                })
                .collect();
            mesh.triangles.extend(source.triangles.iter().map(|triangle| triangle.map(|vertex| ids[vertex as usize])));
        }
        mesh
    }
}

/// Bricks and all their neighbours, in rising order.
fn with_neighbours(bricks: &[u32], brick_dims: [u32; 3]) -> Vec<u32> {
    let mut wanted = vec![false; brick_dims.iter().map(|&n| n as usize).product()];
    for &brick in bricks {
        let position = brick_position(brick, brick_dims);
        let [di, dj, dk]: [_; 3] =
            std::array::from_fn(|axis| position[axis].saturating_sub(1)..(position[axis] + 2).min(brick_dims[axis]));
        for (k, j) in dk.flat_map(|k| dj.clone().map(move |j| (k, j))) {
            for i in di.clone() {
                wanted[(i + brick_dims[0] * (j + brick_dims[1] * k)) as usize] = true;
            }
        }
    }
    (0..wanted.len() as u32).filter(|&brick| wanted[brick as usize]).collect()
}

/// Makes a chunk, unless its voxels are those it was made from.
fn rebuild(mask: &Mask, placement: &Placement, id: u32, known: Option<u64>, set: InstructionSet) -> Option<Chunk> {
    /// Fingerprint of a chunk without voxels around it.
    const EMPTY: u64 = 0;
    let position = brick_position(id, mask.brick_dims());
    let around = with_neighbours(&[id], mask.brick_dims());
    if around.iter().all(|&brick| mask.bricks()[brick as usize] == MaskBrick::Empty) {
        return (known != Some(EMPTY)).then(|| Chunk { fingerprint: Some(EMPTY), mesh: Arc::default() });
    }
    let block = Block::new(mask, position);
    let fingerprint = Some(block.fingerprint());
    if known == fingerprint {
        return None;
    }
    Some(Chunk { fingerprint, mesh: Arc::new(block.surface(mask.dims(), placement, set)) })
}

/// The voxels of a brick and its halo: bit i of row (j, k) is voxel `first + (i, j, k)`.
struct Block {
    rows: Vec<u64>,
    /// First voxel of the brick.
    brick_first: [i32; 3],
}

impl Block {
    fn new(mask: &Mask, position: [u32; 3]) -> Self {
        let [ni, nj, nk] = mask.dims();
        let [bi, _, _] = position;
        let brick_first = position.map(|n| (n * MASK_BRICK) as i32);
        let word = |bi: i64, j: i32, k: i32| {
            if bi < 0 || bi >= i64::from(mask.brick_dims()[0]) {
                return 0;
            }
            u64::from(mask.row_word(bi as u32, j as u32, k as u32) & column_mask(bi as u32, ni))
        };
        let mut rows = vec![0; BLOCK * BLOCK];
        for (n, row) in rows.iter_mut().enumerate() {
            let j = brick_first[1] + (n % BLOCK) as i32 - HALO as i32;
            let k = brick_first[2] + (n / BLOCK) as i32 - HALO as i32;
            if j >= 0 && k >= 0 && (j as u32) < nj && (k as u32) < nk {
                let bi = i64::from(bi);
                let below = word(bi - 1, j, k) >> (MASK_BRICK as usize - HALO);
                let above = word(bi + 1, j, k) & ((1 << HALO) - 1);
                *row = below | word(bi, j, k) << HALO | above << (HALO + MASK_BRICK as usize);
            }
        }
        Self { rows, brick_first }
    }

    /// Two blocks with the same fingerprint have the same voxels (but for one chance in 2^64); never that of an empty block.
    fn fingerprint(&self) -> u64 {
        let mixed = self.rows.iter().fold(0x9e37_79b9_7f4a_7c15_u64, |hash, &row| {
            let mixed = (hash ^ row).wrapping_mul(0xff51_afd7_ed55_8ccd);
            mixed ^ mixed >> 32
        });
        mixed | 1
    }

    /// The surface of the cells whose lowest voxel lies in the brick; the first brick of an axis has those of the virtual
    /// outside voxel too.
    fn surface(&self, dims: [u32; 3], placement: &Placement, set: InstructionSet) -> TriangleMesh {
        // First point of the cells, and their number of points, on each axis.
        let first = self.brick_first.map(|first| if first == 0 { -1 } else { first });
        let points: [usize; 3] = std::array::from_fn(|axis| {
            let last = (self.brick_first[axis] + MASK_BRICK as i32).min(dims[axis] as i32);
            (last - first[axis] + 1) as usize
        });
        let offset: [usize; 3] =
            std::array::from_fn(|axis| (first[axis] - self.brick_first[axis] + HALO as i32) as usize);
        let mut grid = BitGrid::empty(points);
        for k in 0..points[2] {
            for j in 0..points[1] {
                let row = self.rows[j + offset[1] + BLOCK * (k + offset[2])] >> offset[0];
                grid.bits[j + points[1] * k] = row & ((1 << points[0]) - 1);
            }
        }
        let mut layout = Layout::default();
        layout.count(&grid, set, false);
        let mut mesh = TriangleMesh::default();
        if layout.triangle_count() == 0 {
            return mesh;
        }
        fast::resize(&mut mesh, &layout);
        let occupancy = self.smoothed();
        let mut written = 0;
        for k in 0..points[2] {
            let mut write = |axis: usize, edge: CutEdge| {
                let local = [edge.i + offset[0], edge.j + offset[1], k + offset[2]];
                let (t, gradient) = cut(&occupancy, local, axis, edge.lower_is_inside);
                let mut point =
                    [first[0] + edge.i as i32, first[1] + edge.j as i32, first[2] + k as i32].map(|voxel| voxel as f32);
                point[axis] += t;
                mesh.positions_in_patient[written] = placement.position(point);
                mesh.normals[written] = placement.normal(gradient, inward_along(axis, edge.lower_is_inside));
                written += 1;
            };
            CutEdges::<0>::new(&grid, &layout, k).for_each(|edge| write(0, edge));
            CutEdges::<1>::new(&grid, &layout, k).for_each(|edge| write(1, edge));
            CutEdges::<2>::new(&grid, &layout, k).for_each(|edge| write(2, edge));
        }
        let lanes = if placement.is_mirrored { &CASE_LANES_MIRRORED } else { &CASE_LANES };
        for (k, pair) in layout.slice_triangles.windows(2).enumerate() {
            let out = mesh.triangles[pair[0]..pair[1]].as_flattened_mut();
            set.run(EmitTriangles { grid: &grid, layout: &layout, lanes, k, out });
        }
        mesh
    }

    /// The smoothed occupancy (0 to [`FULL`]) of the block without its two outermost layers, i fastest.
    fn smoothed(&self) -> Vec<u16> {
        let mut along_i = vec![0_u16; SMOOTH * BLOCK * BLOCK];
        for (row, out) in self.rows.iter().zip(along_i.chunks_exact_mut(SMOOTH)) {
            if *row != 0 {
                out.iter_mut().enumerate().for_each(|(i, sum)| *sum = WINDOW_SUMS[(row >> i & 31) as usize]);
            }
        }
        let mut along_j = vec![0_u16; SMOOTH * SMOOTH * BLOCK];
        for (slice, out) in along_i.chunks_exact(SMOOTH * BLOCK).zip(along_j.chunks_exact_mut(SMOOTH * SMOOTH)) {
            smooth_strided(slice, SMOOTH, out);
        }
        let mut smoothed = vec![0_u16; SMOOTH * SMOOTH * SMOOTH];
        smooth_strided(&along_j, SMOOTH * SMOOTH, &mut smoothed);
        smoothed
    }
}

/// Binomial sums of five bits.
static WINDOW_SUMS: [u16; 32] = {
    let mut sums = [0; 32];
    let mut window = 0;
    while window < 32 {
        sums[window] = (window & 1) as u16
            + 4 * (window >> 1 & 1) as u16
            + 6 * (window >> 2 & 1) as u16
            + 4 * (window >> 3 & 1) as u16
            + (window >> 4 & 1) as u16;
        window += 1;
    }
    sums
};

/// Sums five layers, a stride apart, with binomial weights.
fn smooth_strided(source: &[u16], stride: usize, out: &mut [u16]) {
    for (n, out) in out.chunks_exact_mut(stride).enumerate() {
        let layer = |offset: usize| &source[(n + offset) * stride..(n + offset + 1) * stride];
        let (a, b, c, d, e) = (layer(0), layer(1), layer(2), layer(3), layer(4));
        for i in 0..stride {
            out[i] = (a[i] + e[i]) + 4 * (b[i] + d[i]) + 6 * c[i];
        }
    }
}

/// Where the surface cuts the edge from a voxel of the block along an axis, and the gradient there.
fn cut(occupancy: &[u16], local: [usize; 3], axis: usize, lower_is_inside: bool) -> (f32, [f32; 3]) {
    const STRIDES: [usize; 3] = [1, SMOOTH, SMOOTH * SMOOTH];
    let lower = (local[0] - 2) + STRIDES[1] * (local[1] - 2) + STRIDES[2] * (local[2] - 2);
    let upper = lower + STRIDES[axis];
    let at = |index: usize| f32::from(occupancy[index]);
    let t = edge_position(at(lower), at(upper), lower_is_inside);
    let gradient = std::array::from_fn(|n| {
        let slope = |index: usize| at(index + STRIDES[n]) - at(index - STRIDES[n]);
        slope(lower) + (slope(upper) - slope(lower)) * t
    });
    (t, gradient)
}

/// Where the smoothed occupancy is one half on the way from the lower end to the upper, near the middle.
fn edge_position(lower: f32, upper: f32, lower_is_inside: bool) -> f32 {
    // In thin parts the smoothed occupancy may run against the mask; the mask is right.
    let falls_outwards = if lower_is_inside { upper < lower } else { lower < upper };
    if falls_outwards { ((FULL / 2.0 - lower) / (upper - lower)).clamp(CLOSEST, 1.0 - CLOSEST) } else { 0.5 }
}

#[cfg(test)]
mod tests {
    use glam::{DAffine3, DMat3, DVec3};

    use super::*;
    use crate::domain::surface::extract_mask;
    use crate::domain::surface::field::{Cut, Field};
    use crate::domain::surface::plain;

    /// The same surface, asked voxel by voxel.
    struct PlainLiveField<'a>(&'a Mask);

    impl PlainLiveField<'_> {
        fn occupancy(&self, voxel: [i32; 3]) -> f32 {
            let weights = [1, 4, 6, 4, 1];
            let mut sum = 0;
            for n in 0..125_usize {
                let step = [n % 5, n / 5 % 5, n / 25];
                if self.inside(std::array::from_fn(|axis| voxel[axis] + step[axis] as i32 - 2)) {
                    sum += weights[step[0]] * weights[step[1]] * weights[step[2]];
                }
            }
            sum as f32
        }
    }

    impl Field for PlainLiveField<'_> {
        fn dims(&self) -> [u32; 3] {
            self.0.dims()
        }

        fn inside(&self, [i, j, k]: [i32; 3]) -> bool {
            i >= 0 && j >= 0 && k >= 0 && self.0.contains(i as u32, j as u32, k as u32)
        }

        fn cut(&self, voxel: [i32; 3], axis: usize) -> Cut {
            let step = |voxel: [i32; 3], axis: usize, by: i32| {
                let mut moved = voxel;
                moved[axis] += by;
                moved
            };
            let upper = step(voxel, axis, 1);
            let t = edge_position(self.occupancy(voxel), self.occupancy(upper), self.inside(voxel));
            let gradient = std::array::from_fn(|n| {
                let slope = |at: [i32; 3]| self.occupancy(step(at, n, 1)) - self.occupancy(step(at, n, -1));
                slope(voxel) + (slope(upper) - slope(voxel)) * t
            });
            Cut { t, gradient }
        }
    }

    fn test_grid(dims: [u32; 3]) -> Grid {
        let matrix3 = DMat3::from_diagonal(DVec3::new(0.7, 0.8, -1.5));
        Grid::new(dims, DAffine3 { matrix3, translation: DVec3::new(3.0, -4.0, 5.0) }).expect("valid grid")
    }

    /// Triangles as positions, each from its smallest corner on, sorted.
    fn soup(mesh: &TriangleMesh) -> Vec<[[u32; 3]; 3]> {
        let corners = |triangle: &[u32; 3]| {
            let mut corners = triangle.map(|vertex| mesh.positions_in_patient[vertex as usize].map(f32::to_bits));
            let smallest = (0..3).min_by_key(|&n| corners[n]).expect("three");
            corners.rotate_left(smallest);
            corners
        };
        let mut soup: Vec<_> = mesh.triangles.iter().map(corners).collect();
        soup.sort_unstable();
        soup
    }

    fn blobs(dims: [u32; 3]) -> Mask {
        Mask::from_fn(dims, |i, j, k| {
            let [x, y, z] = [i, j, k].map(|n| f64::from(n) * 0.21);
            x.sin() * y.cos() + y.sin() * z.cos() + z.sin() * x.cos() > 0.3 || (i * 7 + j * 13 + k * 29) % 41 == 0
        })
    }

    #[test]
    fn welded_chunks_equal_the_whole() {
        for dims in [[70, 40, 33], [32, 64, 31], [5, 1, 2]] {
            let (grid, mask) = (test_grid(dims), blobs(dims));
            let mut live = LiveSurface::new();
            live.update(&mask, &grid, &[]);
            let welded = live.welded();
            let whole = plain::extract(&PlainLiveField(&mask), &Placement::new(&grid), &Progress::new());
            let whole = whole.expect("nobody cancels");
            assert_eq!(soup(&welded), soup(&whole), "{dims:?}");
            assert_eq!(welded.positions_in_patient.len(), whole.positions_in_patient.len(), "shared vertices are one");
            let exported = extract_mask(&mask, &grid, &Progress::new()).expect("nobody cancels");
            assert_eq!(welded.triangles.len(), exported.triangles.len(), "the topology of the exported mesh");
        }
    }

    #[test]
    fn normals_agree_across_chunk_borders() {
        let (grid, mask) = (test_grid([70, 40, 33]), blobs([70, 40, 33]));
        let mut live = LiveSurface::new();
        let mut normals: HashMap<[u32; 3], [f32; 3]> = HashMap::new();
        let mut shared = 0;
        for id in live.update(&mask, &grid, &[]) {
            let mesh = live.chunk(id);
            for (position, normal) in mesh.positions_in_patient.iter().zip(&mesh.normals) {
                if let Some(other) = normals.insert(position.map(f32::to_bits), *normal) {
                    assert_eq!(other, *normal);
                    shared += 1;
                }
            }
        }
        assert!(shared > 100, "chunks meet");
    }

    #[test]
    fn an_edit_rebuilds_its_chunks_and_no_other() {
        let dims = [160, 160, 96];
        let grid = test_grid(dims);
        let ball = |center: [i32; 3], radius: i32| {
            Mask::from_fn(dims, move |i, j, k| {
                let d = [i as i32 - center[0], j as i32 - center[1], k as i32 - center[2]];
                d.iter().map(|n| n * n).sum::<i32>() <= radius * radius
            })
        };
        let mut mask = ball([80, 80, 48], 40);
        let mut live = LiveSurface::new();
        let all = live.update(&mask, &grid, &[]);
        assert_eq!(all, live.visible_chunks());
        assert!(live.update(&mask, &grid, &(0..mask.bricks().len() as u32).collect::<Vec<_>>()).is_empty());

        let edited = mask.combined(&ball([40, 80, 48], 6), |a, b| a | b);
        let delta = mask.delta_to(&edited);
        let dirty: Vec<u32> = delta.bricks.iter().map(|(brick, _)| *brick).collect();
        mask.apply(delta);
        let changed = live.update(&mask, &grid, &dirty);
        assert!(!changed.is_empty() && changed.len() < all.len() / 2, "{} of {}", changed.len(), all.len());
        let mut fresh = LiveSurface::new();
        fresh.update(&mask, &grid, &[]);
        for id in 0..mask.bricks().len() as u32 {
            assert_eq!(live.chunk(id), fresh.chunk(id), "chunk {id}");
        }

        let dirty: Vec<u32> = (0..mask.bricks().len() as u32).collect();
        let seen = live.visible_chunks();
        assert_eq!(live.update(&Mask::empty(dims), &grid, &dirty), seen, "all that was seen is gone");
        assert!(live.visible_chunks().is_empty());
    }
}
