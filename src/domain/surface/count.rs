//! How many vertices each row has and how many triangles each slice, and from that where they go.
//!
//! In: a `BitGrid`. Out: a `Layout`. The order is that of `plain`. CPU twin of `shaders/stages/count_edges.wgsl`.

use rayon::prelude::*;

use super::bit_grid::BitGrid;
use super::instruction_set::{InstructionSet, Kernel, Level};
use super::tables::{CASE_TRIANGLES, triangle_count};

/// Triangles of each case.
static CASE_COUNTS: [u8; 256] = {
    let mut counts = [0; 256];
    let mut case = 0;
    while case < 256 {
        counts[case] = triangle_count(CASE_TRIANGLES[case]) as u8;
        case += 1;
    }
    counts
};

/// Where the vertices of each row and the triangles of each slice begin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Id of the first vertex of each row: slices, in these the three axes, in these the rows.
    pub(crate) row_starts: Vec<u32>,
    /// First vertex of each slice, and the number of all.
    pub(crate) slice_vertices: Vec<usize>,
    /// First triangle of each slice, and the number of all.
    pub(crate) slice_triangles: Vec<usize>,
}

impl Layout {
    pub(crate) fn vertex_count(&self) -> usize {
        self.slice_vertices.last().copied().unwrap_or(0)
    }

    pub(crate) fn triangle_count(&self) -> usize {
        self.slice_triangles.last().copied().unwrap_or(0)
    }

    /// Counts, in parallel over slices, and adds up. `self` is overwritten and its memory used again.
    ///
    /// # Panics
    /// When the surface has more vertices than a `u32` can number.
    pub(crate) fn count(&mut self, grid: &BitGrid, set: InstructionSet, parallel: bool) {
        let per_slice = 3 * grid.rows;
        self.row_starts.resize(per_slice * grid.slices, 0);
        let count = |(k, starts): (usize, &mut [u32])| set.run(CountSlice { grid, k, starts });
        let counts: Vec<(usize, usize)> = if parallel {
            self.row_starts.par_chunks_mut(per_slice).enumerate().map(count).collect()
        } else {
            self.row_starts.chunks_mut(per_slice).enumerate().map(count).collect()
        };
        self.slice_vertices.clear();
        self.slice_triangles.clear();
        let (mut vertices, mut triangles) = (0, 0);
        for (slice_vertices, slice_triangles) in counts {
            self.slice_vertices.push(vertices);
            self.slice_triangles.push(triangles);
            vertices += slice_vertices;
            triangles += slice_triangles;
        }
        self.slice_vertices.push(vertices);
        self.slice_triangles.push(triangles);
        assert!(u32::try_from(vertices).is_ok(), "a mesh numbers its vertices by u32");
        let starts = self.row_starts.chunks_mut(per_slice).zip(&self.slice_vertices);
        starts.for_each(|(rows, &first)| rows.iter_mut().for_each(|start| *start += first as u32));
    }
}

/// Counts one slice: `starts` becomes the running sum within the slice.
struct CountSlice<'a> {
    grid: &'a BitGrid,
    k: usize,
    starts: &'a mut [u32],
}

impl Kernel for CountSlice<'_> {
    /// (vertices, triangles)
    type Output = (usize, usize);

    #[inline(always)]
    fn run<L: Level>(self) -> (usize, usize) {
        let Self { grid, k, starts } = self;
        let (rows, has_upper) = (grid.rows, k + 1 < grid.slices);
        let mut triangles = 0;
        for j in 0..rows {
            let row = grid.row(j, k);
            // A row without a neighbour is its own: nothing differs.
            let next_j = if j + 1 < rows { j + 1 } else { j };
            let next_k = if has_upper { k + 1 } else { k };
            let quad = [row, grid.row(next_j, k), grid.row(j, next_k), grid.row(next_j, next_k)];
            let mut along_i = 0;
            for w in 0..row.len() {
                let cells = if w + 1 == row.len() { grid.last_word_cells() } else { u64::MAX };
                along_i += ((row[w] ^ shifted(row, w)) & cells).count_ones();
            }
            let mut differs = 0;
            for (((a, b), c), d) in row.iter().zip(quad[1]).zip(quad[2]).zip(quad[3]) {
                differs |= (a ^ b) | (a ^ c) | (a ^ d);
            }
            starts[j] = along_i;
            if differs == 0 {
                (starts[rows + j], starts[2 * rows + j]) = (0, 0);
            } else {
                let cut = |other: &[u64]| row.iter().zip(other).map(|(a, b)| (a ^ b).count_ones()).sum();
                (starts[rows + j], starts[2 * rows + j]) = (cut(quad[1]), cut(quad[2]));
            }
            if next_j != j && next_k != k && (differs != 0 || along_i != 0) {
                triangles += count_triangles::<L>(grid, quad);
            }
        }
        let mut vertices = 0;
        for start in starts {
            vertices += std::mem::replace(start, vertices);
        }
        (vertices as usize, triangles)
    }
}

/// Word `w` of a row moved down by one point.
#[inline(always)]
pub(crate) fn shifted(row: &[u64], w: usize) -> u64 {
    let next = if w + 1 < row.len() { row[w + 1] } else { 0 };
    row[w] >> 1 | next << 63
}

/// The corner bits of the cells above word `w` of a row, in the order of the table, and the cells that the surface cuts.
#[inline(always)]
pub(crate) fn corner_words(grid: &BitGrid, quad: [&[u64]; 4], w: usize) -> ([u64; 8], u64) {
    let [a, b, c, d] = quad.map(|row| (row[w], shifted(row, w)));
    let corners = [a.0, a.1, b.0, b.1, c.0, c.1, d.0, d.1];
    let any = corners.iter().fold(0, |any, word| any | word);
    let all = corners.iter().fold(u64::MAX, |all, word| all & word);
    let cells = if w + 1 == grid.words { grid.last_word_cells() } else { u64::MAX };
    (corners, any & !all & cells)
}

#[inline(always)]
fn count_triangles<L: Level>(grid: &BitGrid, quad: [&[u64]; 4]) -> usize {
    let mut triangles = 0;
    for w in 0..grid.words {
        let (corners, active) = corner_words(grid, quad, w);
        if active != 0 {
            triangles += L::sum_of_cases(corners, active, &CASE_COUNTS) as usize;
        }
    }
    triangles
}
