//! Writes the triangles of a slice of cells.
//!
//! In: a `BitGrid` and its `Layout`. Out: vertex ids. The id of a vertex is the start of its row plus the number of cut edges
//! of the row below it: no search, no hash. CPU twin of `shaders/stages/emit_triangles.wgsl`.

use super::bit_grid::BitGrid;
use super::count::{Layout, corner_words};
use super::instruction_set::{Kernel, Level};
use super::tables::{triangle_count, triangle_edges};

/// Writes the triangles of the cells between slices k and k + 1.
pub(crate) struct EmitTriangles<'a> {
    pub(crate) grid: &'a BitGrid,
    pub(crate) layout: &'a Layout,
    pub(crate) table: &'a [u64; 256],
    pub(crate) k: usize,
    /// Room for just these triangles.
    pub(crate) out: &'a mut [[u32; 3]],
}

impl Kernel for EmitTriangles<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let Self { grid, layout, table, k, out } = self;
        if out.is_empty() {
            return;
        }
        let rows = grid.rows;
        let start = |axis: usize, j: usize, k: usize| layout.row_starts[j + rows * (axis + 3 * k)];
        let mut written = 0;
        for j in 0..rows - 1 {
            let quad = [grid.row(j, k), grid.row(j + 1, k), grid.row(j, k + 1), grid.row(j + 1, k + 1)];
            // Rows of vertices around a row of cells: four along i, two along j, two along k.
            let mut next = [
                start(0, j, k),
                start(0, j + 1, k),
                start(0, j, k + 1),
                start(0, j + 1, k + 1),
                start(1, j, k),
                start(1, j, k + 1),
                start(2, j, k),
                start(2, j + 1, k),
            ];
            for w in 0..grid.words {
                let (corners, mut active) = corner_words(grid, quad, w);
                let cells = if w + 1 == grid.words { grid.last_word_cells() } else { u64::MAX };
                let [a, a1, b, b1, c, c1, d, d1] = corners;
                let edges = [
                    (a ^ a1) & cells,
                    (b ^ b1) & cells,
                    (c ^ c1) & cells,
                    (d ^ d1) & cells,
                    a ^ b,
                    c ^ d,
                    a ^ c,
                    b ^ d,
                ];
                if active != 0 {
                    let cases = L::cases(corners);
                    while active != 0 {
                        let i = active.trailing_zeros() as usize;
                        active &= active - 1;
                        let ids = edge_ids(&next, &edges, i);
                        let packed = table[cases[i & 63] as usize];
                        for triangle in 0..triangle_count(packed) {
                            out[written] = triangle_edges(packed, triangle).map(|edge| ids[edge]);
                            written += 1;
                        }
                    }
                }
                (0..8).for_each(|n| next[n] += edges[n].count_ones());
            }
        }
    }
}

/// Vertex ids on the twelve edges of cell i of a word; those of edges that are not cut mean nothing.
#[inline(always)]
fn edge_ids(next: &[u32; 8], edges: &[u64; 8], i: usize) -> [u32; 16] {
    let below = (1_u64 << (i & 63)) - 1;
    let at: [u32; 8] = std::array::from_fn(|n| next[n] + (edges[n] & below).count_ones());
    let after: [u32; 8] = std::array::from_fn(|n| at[n] + (edges[n] >> (i & 63) & 1) as u32);
    [at[0], at[1], at[2], at[3], at[4], after[4], at[5], after[5], at[6], after[6], at[7], after[7], 0, 0, 0, 0]
}
