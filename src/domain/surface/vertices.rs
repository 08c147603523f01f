//! Writes the vertices of a slice: positions and normals.
//!
//! In: a `BitGrid`, its `Layout` and a field. Out: patient-space positions (mm) and unit normals, in the order of `plain`.
//! Vertices away from the border are gathered into batches that flow across rows and are computed together; those at the
//! border are computed one by one by the field. Both do the same arithmetic. CPU twin of `shaders/stages/emit_vertices.wgsl`.

use super::bit_grid::BitGrid;
use super::count::shifted;
use super::field::{CLOSEST_TO_VOXEL, Field, ScalarField, inward_along};
use super::instruction_set::{Kernel, Level};
use super::placement::Placement;

/// Vertices that are computed together.
const BATCH: usize = 16;

/// Writes the vertices of padded slice k of a volume.
pub(crate) struct EmitVertices<'a> {
    pub(crate) grid: &'a BitGrid,
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
    fn run<L: Level>(self) {
        if self.positions.is_empty() {
            return;
        }
        let mut writer = Writer {
            field: self.field,
            placement: self.placement,
            done: 0,
            positions: self.positions,
            normals: self.normals,
        };
        emit_axis::<0>(self.grid, self.k, &mut writer);
        emit_axis::<1>(self.grid, self.k, &mut writer);
        emit_axis::<2>(self.grid, self.k, &mut writer);
    }
}

/// Calls `found(i, j, lower end is inside)` for every cut edge along an axis that starts in slice k.
#[inline(always)]
pub(crate) fn cut_edges<const AXIS: usize>(grid: &BitGrid, k: usize, mut found: impl FnMut(usize, usize, bool)) {
    let rows = if AXIS == 1 { grid.rows - 1 } else { grid.rows };
    if AXIS == 2 && k + 1 == grid.slices {
        return;
    }
    for j in 0..rows {
        let row = grid.row(j, k);
        let other = match AXIS {
            1 => grid.row(j + 1, k),
            2 => grid.row(j, k + 1),
            _ => row,
        };
        for w in 0..row.len() {
            let mut cut = if AXIS == 0 {
                let cells = if w + 1 == row.len() { grid.last_word_cells() } else { u64::MAX };
                (row[w] ^ shifted(row, w)) & cells
            } else {
                row[w] ^ other[w]
            };
            while cut != 0 {
                let bit = cut.trailing_zeros() as usize;
                cut &= cut - 1;
                found(64 * w + bit, j, row[w] >> (bit & 63) & 1 == 1);
            }
        }
    }
}

/// Vertices of one axis waiting to be computed.
struct Batch {
    count: usize,
    /// Index of the sample at the lower end.
    index: [usize; BATCH],
    /// Voxel of the lower end.
    i: [f32; BATCH],
    j: [f32; BATCH],
}

struct Writer<'a> {
    field: &'a ScalarField<'a>,
    placement: &'a Placement,
    done: usize,
    positions: &'a mut [[f32; 3]],
    normals: &'a mut [[f32; 3]],
}

#[inline(always)]
fn emit_axis<const AXIS: usize>(grid: &BitGrid, k: usize, writer: &mut Writer<'_>) {
    let [ni, nj, nk] = writer.field.dims().map(|n| n as usize);
    let mut batch = Batch { count: 0, index: [0; BATCH], i: [0.0; BATCH], j: [0.0; BATCH] };
    // Both ends and their neighbours are voxels: padded coordinates 2 to n - 1, one less along the edge.
    let last = |axis: usize, n: usize| if AXIS == axis { n.saturating_sub(2) } else { n.saturating_sub(1) };
    let (last_i, last_j, last_k) = (last(0, ni), last(1, nj), last(2, nk));
    let inner_slice = k >= 2 && k <= last_k;
    cut_edges::<AXIS>(grid, k, |i, j, lower_is_inside| {
        if inner_slice && i >= 2 && i <= last_i && j >= 2 && j <= last_j {
            let n = batch.count;
            batch.index[n] = (i - 1) + ni * ((j - 1) + nj * (k - 1));
            batch.i[n] = (i - 1) as f32;
            batch.j[n] = (j - 1) as f32;
            batch.count += 1;
            if batch.count == BATCH {
                flush::<AXIS>(&mut batch, k, writer);
            }
        } else {
            flush::<AXIS>(&mut batch, k, writer);
            let voxel = [i as i32 - 1, j as i32 - 1, k as i32 - 1];
            let cut = writer.field.cut(voxel, AXIS);
            let mut point = voxel.map(|n| n as f32);
            point[AXIS] += cut.t;
            writer.positions[writer.done] = writer.placement.position(point);
            writer.normals[writer.done] = writer.placement.normal(cut.gradient, inward_along(AXIS, lower_is_inside));
            writer.done += 1;
        }
    });
    flush::<AXIS>(&mut batch, k, writer);
}

/// The samples that a batch needs: at the two ends of each edge (lower, upper), before and after them along the edge, and
/// below and above both ends across it.
struct Gathered {
    ends: [[i32; BATCH]; 2],
    beyond: [[i32; BATCH]; 2],
    /// [axis across][lower end, upper end][below, above]
    across: [[[[i32; BATCH]; 2]; 2]; 2],
}

#[inline(always)]
fn gather<const AXIS: usize>(batch: &Batch, field: &ScalarField<'_>) -> Gathered {
    let [ni, nj, _] = field.dims().map(|n| n as usize);
    let strides = [1, ni, ni * nj];
    let (along, across) = (strides[AXIS], [strides[(AXIS + 1) % 3], strides[(AXIS + 2) % 3]]);
    let samples = field.samples();
    let flip = field.flip();
    let mut gathered = Gathered { ends: [[0; BATCH]; 2], beyond: [[0; BATCH]; 2], across: [[[[0; BATCH]; 2]; 2]; 2] };
    for lane in 0..BATCH {
        let at = batch.index[lane];
        let sample = |index: usize| i32::from(samples[index] ^ flip);
        for end in 0..2 {
            let at = at + end * along;
            gathered.ends[end][lane] = sample(at);
            for (n, stride) in across.iter().enumerate() {
                gathered.across[n][end][0][lane] = sample(at - stride);
                gathered.across[n][end][1][lane] = sample(at + stride);
            }
        }
        gathered.beyond[0][lane] = sample(at - along);
        gathered.beyond[1][lane] = sample(at + 2 * along);
    }
    gathered
}

/// Computes and writes a batch. Lanes behind the last vertex are filled with the first, and not written.
#[inline(always)]
fn flush<const AXIS: usize>(batch: &mut Batch, k: usize, writer: &mut Writer<'_>) {
    let count = batch.count;
    if count == 0 {
        return;
    }
    for lane in count..BATCH {
        batch.index[lane] = batch.index[0];
    }
    let Gathered { ends, beyond, across } = gather::<AXIS>(batch, writer.field);
    let iso = writer.field.iso();
    let (mut points, mut turned) = ([[0.0_f32; BATCH]; 3], [[0.0_f32; BATCH]; 3]);
    for lane in 0..BATCH {
        let (a, b) = (ends[0][lane], ends[1][lane]);
        let t = ((iso - a as f32) / (b as f32 - a as f32)).clamp(CLOSEST_TO_VOXEL, 1.0 - CLOSEST_TO_VOXEL);
        let mut gradient = [0.0; 3];
        let between = |at_a: i32, at_b: i32| at_a as f32 + (at_b as f32 - at_a as f32) * t;
        gradient[AXIS] = between(b - beyond[0][lane], beyond[1][lane] - a);
        for (n, axis) in [(AXIS + 1) % 3, (AXIS + 2) % 3].into_iter().enumerate() {
            let at = |end: usize| across[n][end][1][lane] - across[n][end][0][lane];
            gradient[axis] = between(at(0), at(1));
        }
        let mut voxel = [batch.i[lane], batch.j[lane], (k - 1) as f32];
        voxel[AXIS] += t;
        let point = writer.placement.position(voxel);
        let mut fallback = [0.0; 3];
        fallback[AXIS] = if a > b { -1.0 } else { 1.0 };
        let normal = writer.placement.normal(gradient, fallback);
        for n in 0..3 {
            points[n][lane] = point[n];
            turned[n][lane] = normal[n];
        }
    }
    let (positions, normals) = (&mut writer.positions[writer.done..], &mut writer.normals[writer.done..]);
    for (lane, (position, normal)) in positions.iter_mut().zip(normals).take(count).enumerate() {
        *position = [points[0][lane], points[1][lane], points[2][lane]];
        *normal = [turned[0][lane], turned[1][lane], turned[2][lane]];
    }
    writer.done += count;
    batch.count = 0;
}
