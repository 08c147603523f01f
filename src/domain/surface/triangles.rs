//! Writes the triangles of a slice of cells.
//!
//! In: a `BitGrid` and its `Layout`. Out: vertex ids. The id of a vertex is the start of its row plus the number of cut edges
//! of the row below it: no search, no hash. CPU twin of `shaders/stages/emit_triangles.wgsl`.

use super::bit_grid::BitGrid;
use super::count::{Layout, corner_words};
use super::instruction_set::{Kernel, Level};
use super::tables::{CASE_TRIANGLES, CASE_TRIANGLES_MIRRORED, triangle_count, triangle_edges};

/// For each case the lanes, of the sixteen of [`Level::write_cell`], that its triangles take; the last byte holds the number
/// of corners.
pub(crate) type CaseLanes = [[u8; 16]; 256];
pub(crate) static CASE_LANES: CaseLanes = lanes(&CASE_TRIANGLES);
pub(crate) static CASE_LANES_MIRRORED: CaseLanes = lanes(&CASE_TRIANGLES_MIRRORED);

/// Lane of each edge: lanes 0 to 7 are the vertices of the eight rows at i, lanes 8 to 15 those at i + 1.
const LANE_OF_EDGE: [u8; 12] = [0, 1, 2, 3, 4, 12, 5, 13, 6, 14, 7, 15];

const fn lanes(table: &[u64; 256]) -> CaseLanes {
    let mut lanes = [[0; 16]; 256];
    let mut case = 0;
    while case < 256 {
        let count = triangle_count(table[case]);
        let mut triangle = 0;
        while triangle < count {
            let edges = triangle_edges(table[case], triangle);
            let mut corner = 0;
            while corner < 3 {
                lanes[case][3 * triangle as usize + corner] = LANE_OF_EDGE[edges[corner]];
                corner += 1;
            }
            triangle += 1;
        }
        lanes[case][15] = 3 * count as u8;
        case += 1;
    }
    lanes
}

/// Writes the triangles of the cells between slices k and k + 1.
pub(crate) struct EmitTriangles<'a> {
    pub(crate) grid: &'a BitGrid,
    pub(crate) layout: &'a Layout,
    pub(crate) lanes: &'a CaseLanes,
    pub(crate) k: usize,
    /// Room for just the corners of these triangles.
    pub(crate) out: &'a mut [u32],
}

impl Kernel for EmitTriangles<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let Self { grid, layout, lanes, k, out } = self;
        if out.is_empty() {
            return;
        }
        let rows = grid.rows;
        let start = |axis: usize, j: usize, k: usize| u64::from(layout.row_starts[j + rows * (axis + 3 * k)]);
        let is_bare = |axis: usize, j: usize, k: usize| start(axis, j, k) == start(axis, j + 1, k);
        let mut written = 0;
        for j in 0..rows - 1 {
            // Left out for the last row, which has no row behind it to compare with.
            let nothing_cut = j + 2 < rows
                && (0..2).all(|dk| is_bare(0, j, k + dk) && is_bare(0, j + 1, k + dk) && is_bare(1, j, k + dk))
                && is_bare(2, j, k)
                && is_bare(2, j + 1, k);
            if nothing_cut {
                continue;
            }
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
                if active == 0 {
                    // No cell is cut, so no edge that a later cell counts is either.
                    continue;
                }
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
                let cases = L::cases(corners);
                while active != 0 {
                    let i = active.trailing_zeros() as usize;
                    active &= active - 1;
                    let lanes = &lanes[cases[i & 63] as usize];
                    L::write_cell(&next, &edges, i as u32, lanes, &mut out[written..]);
                    written += usize::from(lanes[15]);
                }
                (0..8).for_each(|n| next[n] += u64::from(edges[n].count_ones()));
            }
        }
    }
}
