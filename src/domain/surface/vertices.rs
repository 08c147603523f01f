//! Writes the vertices of a slice: positions and normals.
//!
//! In: a `BitGrid`, its `Layout` and a field. Out: patient-space positions (mm) and unit normals, in the order of `plain`.
//! Vertices away from the border are gathered into batches that flow across rows and are computed together; those at the
//! border are computed one by one by the field. Both do the same arithmetic. CPU twin of `shaders/stages/emit_vertices.wgsl`.

use super::bit_grid::BitGrid;
use super::count::{Layout, shifted};
use super::field::{CLOSEST_TO_VOXEL, Field, ScalarField, inward_along};
use super::instruction_set::{Kernel, Level};
use super::placement::Placement;

/// Vertices that are computed together.
const BATCH: usize = 16;
/// How far ahead samples are asked for: the next slices need what lies behind those that this one reads.
const PREFETCH_SLICES: usize = 3;

/// Writes the vertices of padded slice k of a volume.
pub(crate) struct EmitVertices<'a> {
    pub(crate) grid: &'a BitGrid,
    pub(crate) layout: &'a Layout,
    pub(crate) field: &'a ScalarField<'a>,
    pub(crate) placement: &'a Placement,
    pub(crate) k: usize,
    /// Room for just these vertices.
    pub(crate) positions: &'a mut [[f32; 3]],
    pub(crate) normals: &'a mut [[f32; 3]],
}

impl Kernel for EmitVertices<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(mut self) {
        if self.positions.is_empty() {
            return;
        }
        let mut done = 0;
        emit_axis::<0, L>(&mut self, &mut done);
        emit_axis::<1, L>(&mut self, &mut done);
        emit_axis::<2, L>(&mut self, &mut done);
    }
}

/// A cut edge that starts at point (i, j) of a slice.
#[derive(Clone, Copy)]
pub(crate) struct CutEdge {
    pub(crate) i: usize,
    pub(crate) j: usize,
    pub(crate) lower_is_inside: bool,
}

/// The cut edges along an axis that start in slice k, row by row, i fastest.
pub(crate) struct CutEdges<'a, const AXIS: usize> {
    grid: &'a BitGrid,
    row_starts: &'a [u32],
    end: u32,
    k: usize,
    /// The row after the present one.
    next_j: usize,
    row: &'a [u64],
    other: &'a [u64],
    /// The word after the present one.
    next_word: usize,
    /// Cut edges of the present word that are still to come.
    cut: u64,
}

impl<'a, const AXIS: usize> CutEdges<'a, AXIS> {
    #[inline(always)]
    pub(crate) fn new(grid: &'a BitGrid, layout: &'a Layout, k: usize) -> Self {
        let rows = grid.rows;
        let first = rows * (AXIS + 3 * k);
        let row_starts = &layout.row_starts[first..first + rows];
        let end = layout.row_starts.get(first + rows).copied().unwrap_or(layout.vertex_count() as u32);
        Self { grid, row_starts, end, k, next_j: 0, row: &[], other: &[], next_word: 0, cut: 0 }
    }

    /// Goes to the next row that has cut edges; `false` when there is none.
    #[inline(always)]
    fn next_row(&mut self) -> bool {
        loop {
            let j = self.next_j;
            if j == self.row_starts.len() {
                return false;
            }
            self.next_j += 1;
            let after = if j + 1 < self.row_starts.len() { self.row_starts[j + 1] } else { self.end };
            if after > self.row_starts[j] {
                self.row = self.grid.row(j, self.k);
                self.other = match AXIS {
                    1 => self.grid.row(j + 1, self.k),
                    2 => self.grid.row(j, self.k + 1),
                    _ => self.row,
                };
                self.next_word = 0;
                return true;
            }
        }
    }
}

impl<const AXIS: usize> Iterator for CutEdges<'_, AXIS> {
    type Item = CutEdge;

    #[inline(always)]
    fn next(&mut self) -> Option<CutEdge> {
        while self.cut == 0 {
            if self.next_word == self.row.len() && !self.next_row() {
                return None;
            }
            let w = self.next_word;
            self.cut = if AXIS == 0 {
                let cells = if w + 1 == self.row.len() { self.grid.last_word_cells() } else { u64::MAX };
                (self.row[w] ^ shifted(self.row, w)) & cells
            } else {
                self.row[w] ^ self.other[w]
            };
            self.next_word += 1;
        }
        let bit = self.cut.trailing_zeros() as usize & 63;
        self.cut &= self.cut - 1;
        let w = self.next_word - 1;
        Some(CutEdge { i: 64 * w + bit, j: self.next_j - 1, lower_is_inside: self.row[w] >> bit & 1 == 1 })
    }
}

/// Vertices of one axis waiting to be computed.
struct Batch {
    count: usize,
    /// Index in its slice of the sample at the lower end.
    index: [u32; BATCH],
    /// Voxel of the lower end.
    i: [f32; BATCH],
    j: [f32; BATCH],
    /// Where the vertex goes.
    place: [usize; BATCH],
}

#[inline(always)]
fn emit_axis<const AXIS: usize, L: Level>(slice: &mut EmitVertices<'_>, done: &mut usize) {
    let [ni, nj, nk] = slice.field.dims().map(|n| n as usize);
    let k = slice.k;
    // Both ends and their neighbours are voxels: padded coordinates 2 to n - 1, one less along the edge.
    let last = |axis: usize, n: usize| if AXIS == axis { n.saturating_sub(2) } else { n.saturating_sub(1) };
    let (last_i, last_j, last_k) = (last(0, ni), last(1, nj), last(2, nk));
    let inner_slice = k >= 2 && k <= last_k;
    let mut batch = Batch { count: 0, index: [0; BATCH], i: [0.0; BATCH], j: [0.0; BATCH], place: [0; BATCH] };
    let mut edges = CutEdges::<AXIS>::new(slice.grid, slice.layout, k);
    loop {
        while batch.count < BATCH
            && let Some(edge) = edges.next()
        {
            let CutEdge { i, j, .. } = edge;
            if inner_slice && i >= 2 && i <= last_i && j >= 2 && j <= last_j {
                let n = batch.count;
                batch.index[n] = ((i - 1) + ni * (j - 1)) as u32;
                batch.i[n] = (i - 1) as f32;
                batch.j[n] = (j - 1) as f32;
                batch.place[n] = *done;
                batch.count += 1;
            } else {
                write_border_vertex(slice, AXIS, edge, *done);
            }
            *done += 1;
        }
        if batch.count == 0 {
            return;
        }
        compute::<AXIS, L>(&mut batch, slice, ni * nj * (k - 1));
        batch.count = 0;
    }
}

#[cold]
fn write_border_vertex(slice: &mut EmitVertices<'_>, axis: usize, edge: CutEdge, place: usize) {
    let voxel = [edge.i as i32 - 1, edge.j as i32 - 1, slice.k as i32 - 1];
    let cut = slice.field.cut(voxel, axis);
    let mut point = voxel.map(|n| n as f32);
    point[axis] += cut.t;
    slice.positions[place] = slice.placement.position(point);
    slice.normals[place] = slice.placement.normal(cut.gradient, inward_along(axis, edge.lower_is_inside));
}

/// The samples that a batch needs: at the two ends of each edge (lower, upper), before and after them along the edge, and
/// below and above both ends across it.
struct Gathered {
    ends: [Lanes; 2],
    beyond: [Lanes; 2],
    /// [axis across][lower end, upper end][below, above]
    across: [[[Lanes; 2]; 2]; 2],
}

type Lanes = [i32; BATCH];

/// Pairs of neighbours along i are read together.
#[inline(always)]
fn gather<const AXIS: usize, L: Level>(batch: &Batch, field: &ScalarField<'_>, slice_start: usize) -> Gathered {
    let [ni, nj, _] = field.dims().map(|n| n as usize);
    let strides = [1, ni, ni * nj];
    let samples = field.samples();
    let pairs = |from: usize| L::gather_pairs(&samples[from..], &batch.index, field.flip());
    let one = |from: usize| pairs(from)[0];
    for lane in 0..batch.count {
        L::prefetch(samples, slice_start + batch.index[lane] as usize + PREFETCH_SLICES * strides[2]);
    }
    if AXIS == 0 {
        let ([before, a], [b, after]) = (pairs(slice_start - 1), pairs(slice_start + 1));
        let across = [1, 2].map(|axis| {
            let (below, above) = (pairs(slice_start - strides[axis]), pairs(slice_start + strides[axis]));
            [[below[0], above[0]], [below[1], above[1]]]
        });
        return Gathered { ends: [a, b], beyond: [before, after], across };
    }
    let along = strides[AXIS];
    let ([a_before, a], a_after) = (pairs(slice_start - 1), one(slice_start + 1));
    let ([b_before, b], b_after) = (pairs(slice_start + along - 1), one(slice_start + along + 1));
    let other = strides[3 - AXIS];
    let across_i = [[a_before, a_after], [b_before, b_after]];
    let across_other = [
        [one(slice_start - other), one(slice_start + other)],
        [one(slice_start + along - other), one(slice_start + along + other)],
    ];
    let beyond = [one(slice_start - along), one(slice_start + 2 * along)];
    // The axes across follow the one along: k, i for j, and i, j for k.
    let across = if AXIS == 1 { [across_other, across_i] } else { [across_i, across_other] };
    Gathered { ends: [a, b], beyond, across }
}

/// Computes and writes a batch. Lanes behind the last vertex repeat the first, and are not written.
#[inline(always)]
fn compute<const AXIS: usize, L: Level>(batch: &mut Batch, slice: &mut EmitVertices<'_>, slice_start: usize) {
    for lane in batch.count..BATCH {
        batch.index[lane] = batch.index[0];
    }
    let Gathered { ends, beyond, across } = gather::<AXIS, L>(batch, slice.field, slice_start);
    let (iso, k) = (slice.field.iso(), (slice.k - 1) as f32);
    let (mut points, mut normals) = ([[0.0_f32; BATCH]; 3], [[0.0_f32; BATCH]; 3]);
    for lane in 0..BATCH {
        let (a, b) = (ends[0][lane], ends[1][lane]);
        let t = ((iso - a as f32) / (b as f32 - a as f32)).clamp(CLOSEST_TO_VOXEL, 1.0 - CLOSEST_TO_VOXEL);
        let between = |at_a: i32, at_b: i32| at_a as f32 + (at_b as f32 - at_a as f32) * t;
        let mut gradient = [0.0; 3];
        gradient[AXIS] = between(b - beyond[0][lane], beyond[1][lane] - a);
        for n in 0..2 {
            let at = |end: usize| across[n][end][1][lane] - across[n][end][0][lane];
            gradient[(AXIS + 1 + n) % 3] = between(at(0), at(1));
        }
        let mut voxel = [batch.i[lane], batch.j[lane], k];
        voxel[AXIS] += t;
        let mut fallback = [0.0; 3];
        fallback[AXIS] = if a > b { -1.0 } else { 1.0 };
        let (point, normal) = (slice.placement.position(voxel), slice.placement.normal(gradient, fallback));
        for n in 0..3 {
            points[n][lane] = point[n];
            normals[n][lane] = normal[n];
        }
    }
    for lane in 0..batch.count {
        let place = batch.place[lane];
        slice.positions[place] = [points[0][lane], points[1][lane], points[2][lane]];
        slice.normals[place] = [normals[0][lane], normals[1][lane], normals[2][lane]];
    }
}
