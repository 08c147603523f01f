//! Which parts of a volume can show anything, and how far it is to the nearest that does.
//!
//! In: a volume, then a transfer table. Out: a map of leap distances over cells of 4^3 voxels, for ray-marching.
//! Space: voxel. The ranges are built once for a volume; the map at each change of the transfer function.
//!
//! Source: Deakin, Knackstedt, "Efficient ray casting of volumetric images using distance maps for empty space
//! skipping", Computational Visual Media 6(1), 2020. Differs: the Chebyshev distance is counted by dilating a bit mask
//! of the occupied cells, one cell a round, with the counts kept in bit planes: words of 64 cells at a time.

use glam::DVec3;
use rayon::prelude::*;

use super::grid::Grid;
use super::volume::Volume;
use super::volume_scene::TransferTable;

/// Edge of a cell in voxels.
pub const SKIP_CELL: u32 = 4;
/// Largest leap distance: five bit planes.
pub const MAX_LEAP: u8 = 31;

/// Smallest and largest sample of each cell, one voxel layer beyond its upper faces included, so that the range bounds
/// every trilinear value of a point in the cell.
#[derive(Debug, Clone)]
pub struct SkipCells {
    /// Cells along i, j, k.
    pub cell_dims: [u32; 3],
    ranges: Vec<[i16; 2]>,
}

/// Leap distance of each cell: 0 where something may show, else n where all cells fewer than n cells away (in the
/// largest of the three axes) are empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeapMap {
    /// Cells along i, j, k.
    pub cell_dims: [u32; 3],
    /// One byte a cell, i fastest.
    pub distances: Vec<u8>,
}

impl SkipCells {
    /// The ranges of a volume.
    pub fn of(volume: &Volume) -> Self {
        let dims = volume.grid().dims();
        let cell_dims = dims.map(|n| n.div_ceil(SKIP_CELL));
        let layer_len = (cell_dims[0] * cell_dims[1]) as usize;
        let mut ranges = vec![[i16::MAX, i16::MIN]; layer_len * cell_dims[2] as usize];
        ranges.par_chunks_mut(layer_len).enumerate().for_each(|(ck, layer)| fill_layer(volume, ck as u32, layer));
        Self { cell_dims, ranges }
    }

    /// Smallest and largest sample of a cell.
    pub fn range(&self, ci: u32, cj: u32, ck: u32) -> [i16; 2] {
        self.ranges[(ci + self.cell_dims[0] * (cj + self.cell_dims[1] * ck)) as usize]
    }

    /// Corners in patient space (LPS, mm) of the smallest block of cells that holds all that a transfer table shows; `None`
    /// where it shows nothing.
    pub fn visible_corners(&self, grid: &Grid, table: &TransferTable) -> Option<[DVec3; 8]> {
        self.corners_where(grid, |range| table.is_visible(range))
    }

    /// Corners in patient space of the smallest block of cells that holds all cells whose range of samples shows something.
    pub fn corners_where(&self, grid: &Grid, shows: impl Fn([i16; 2]) -> bool) -> Option<[DVec3; 8]> {
        let [ni, nj, _] = self.cell_dims;
        let (mut lower, mut upper) = ([u32::MAX; 3], [0_u32; 3]);
        for n in (0..self.ranges.len()).filter(|&n| shows(self.ranges[n])) {
            let n = n as u32;
            let cell = [n % ni, n / ni % nj, n / (ni * nj)];
            lower = std::array::from_fn(|axis| lower[axis].min(cell[axis]));
            upper = std::array::from_fn(|axis| upper[axis].max(cell[axis] + 1));
        }
        (lower[0] < upper[0]).then(|| {
            std::array::from_fn(|corner| {
                let pick = |axis: usize| {
                    let cell = if corner >> axis & 1 == 0 { lower[axis] } else { upper[axis] };
                    f64::from((cell * SKIP_CELL).min(grid.dims()[axis] - 1))
                };
                grid.patient_from_voxel().transform_point3(DVec3::new(pick(0), pick(1), pick(2)))
            })
        })
    }

    /// The leap distances under a transfer table.
    pub fn leap_map(&self, table: &TransferTable) -> LeapMap {
        self.leap_map_where(|range| table.is_visible(range))
    }

    /// The leap distances to cells whose range of samples shows something.
    pub fn leap_map_where(&self, shows: impl Fn([i16; 2]) -> bool + Sync) -> LeapMap {
        let occupied = BitGrid::new(self.cell_dims, &self.ranges, shows);
        LeapMap { cell_dims: self.cell_dims, distances: occupied.leap_distances() }
    }
}

fn fill_layer(volume: &Volume, ck: u32, layer: &mut [[i16; 2]]) {
    let grid = volume.grid();
    let dims = grid.dims();
    let width = dims[0] as usize;
    let cells_i = dims[0].div_ceil(SKIP_CELL) as usize;
    let (mut low, mut high) = (vec![0_i16; width + 1], vec![0_i16; width + 1]);
    for (cj, cells) in layer.chunks_mut(cells_i).enumerate() {
        low.fill(i16::MAX);
        high.fill(i16::MIN);
        let (first_j, first_k) = (cj as u32 * SKIP_CELL, ck * SKIP_CELL);
        for k in first_k..(first_k + SKIP_CELL + 1).min(dims[2]) {
            for j in first_j..(first_j + SKIP_CELL + 1).min(dims[1]) {
                let start = grid.index(0, j, k);
                let row = &volume.samples()[start..start + width];
                for ((low, high), &sample) in low.iter_mut().zip(&mut high).zip(row) {
                    *low = (*low).min(sample);
                    *high = (*high).max(sample);
                }
            }
        }
        for (ci, cell) in cells.iter_mut().enumerate() {
            let first = ci * SKIP_CELL as usize;
            let end = (first + SKIP_CELL as usize + 1).min(width);
            let least = low[first..end].iter().copied().min();
            let most = high[first..end].iter().copied().max();
            *cell = [least.unwrap_or(i16::MAX), most.unwrap_or(i16::MIN)];
        }
    }
}

/// One bit a cell, rows padded to whole words.
struct BitGrid {
    dims: [usize; 3],
    words_a_row: usize,
    words: Vec<u64>,
}

impl BitGrid {
    fn new(cell_dims: [u32; 3], ranges: &[[i16; 2]], shows: impl Fn([i16; 2]) -> bool + Sync) -> Self {
        let dims = cell_dims.map(|n| n as usize);
        let words_a_row = dims[0].div_ceil(64);
        let mut words = vec![0_u64; words_a_row * dims[1] * dims[2]];
        words.par_chunks_mut(words_a_row).zip(ranges.par_chunks(dims[0])).with_min_len(64).for_each(|(row, ranges)| {
            for (word, ranges) in row.iter_mut().zip(ranges.chunks(64)) {
                for (bit, range) in ranges.iter().enumerate() {
                    *word |= u64::from(shows(*range)) << bit;
                }
            }
        });
        Self { dims, words_a_row, words }
    }

    /// Rounds until each cell is reached, at most [`MAX_LEAP`].
    fn leap_distances(mut self) -> Vec<u8> {
        let mut planes = [(); 5].map(|()| vec![0_u64; self.words.len()]);
        let mut scratch = self.words.clone();
        for _ in 0..MAX_LEAP {
            let mut all_reached = true;
            for (n, word) in self.words.iter().enumerate() {
                // Add one to the counts of the cells that are not reached yet.
                let mut carry = !word;
                all_reached &= carry == 0;
                for plane in &mut planes {
                    let sum = plane[n] ^ carry;
                    carry &= plane[n];
                    plane[n] = sum;
                }
            }
            if all_reached {
                break;
            }
            self.dilate(&mut scratch);
        }
        self.expand(&planes)
    }

    /// Each bit spreads to its 26 neighbours.
    fn dilate(&mut self, scratch: &mut [u64]) {
        let row_len = self.words_a_row;
        for row in self.words.chunks_mut(row_len) {
            let mut below = 0_u64;
            for n in 0..row_len {
                let word = row[n];
                let above = row.get(n + 1).copied().unwrap_or(0);
                row[n] = word | word << 1 | word >> 1 | below >> 63 | above << 63;
                below = word;
            }
        }
        spread(&self.words, scratch, row_len, self.dims[1] * row_len);
        let all = self.words.len();
        spread(scratch, &mut self.words, self.dims[1] * row_len, all);
    }

    fn expand(&self, planes: &[Vec<u64>; 5]) -> Vec<u8> {
        let mut distances = vec![0_u8; self.dims[0] * self.dims[1] * self.dims[2]];
        distances.par_chunks_mut(self.dims[0]).enumerate().with_min_len(64).for_each(|(row, cells)| {
            for (ci, cell) in cells.iter_mut().enumerate() {
                let (word, bit) = (row * self.words_a_row + ci / 64, ci % 64);
                *cell = (0..5).map(|plane| ((planes[plane][word] >> bit & 1) as u8) << plane).sum();
            }
        });
        distances
    }
}

/// `target[n]` = OR of `source` at n and one `stride` before and after it, inside blocks of `block` words.
fn spread(source: &[u64], target: &mut [u64], stride: usize, block: usize) {
    for (source, target) in source.chunks(block).zip(target.chunks_mut(block)) {
        target.copy_from_slice(source);
        for n in stride..source.len() {
            target[n] |= source[n - stride];
            target[n - stride] |= source[n];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::transfer::preset;
    use crate::domain::volume::{Quantity, Rescale};

    fn speckled(dims: [u32; 3], every: u32) -> Volume {
        let grid = Grid::axis_aligned(dims, DVec3::ONE, DVec3::ZERO).expect("valid grid");
        let mut state = 12345_u32;
        let samples = (0..grid.voxel_count()).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if (state >> 8).is_multiple_of(every) { 900 } else { -1000 }
        });
        Volume::new(grid, samples.collect(), Rescale::IDENTITY, Quantity::Hounsfield)
    }

    #[test]
    fn leaps_are_chebyshev_distances() {
        let volume = speckled([300, 61, 37], 60_000);
        let table = TransferTable::new(preset("CT-Bone").expect("CT-Bone"), &volume, 1.0);
        let cells = SkipCells::of(&volume);
        let map = cells.leap_map(&table);
        let [ni, nj, nk] = map.cell_dims;
        let every = || (0..nk).flat_map(|k| (0..nj).flat_map(move |j| (0..ni).map(move |i| [i, j, k])));
        let occupied: Vec<[u32; 3]> = every().filter(|&[i, j, k]| cells.range(i, j, k)[1] > 0).collect();
        assert!(occupied.len() > 3 && occupied.len() < 500, "a test volume with gaps: {}", occupied.len());
        for (n, cell) in every().enumerate() {
            let nearest = occupied.iter().map(|o| (0..3).map(|a| o[a].abs_diff(cell[a])).max().expect("3 axes")).min();
            assert_eq!(u32::from(map.distances[n]), nearest.expect("occupied").min(u32::from(MAX_LEAP)), "{cell:?}");
        }
    }

    #[test]
    fn ranges_bound_their_cell_and_the_next_layer() {
        let volume = speckled([13, 9, 6], 7);
        let cells = SkipCells::of(&volume);
        assert_eq!(cells.cell_dims, [4, 3, 2]);
        for (ci, cj, ck) in [(0, 0, 0), (2, 1, 0), (3, 2, 1)] {
            let part = |c: u32, n: u32| c * SKIP_CELL..((c + 1) * SKIP_CELL + 1).min(n);
            let mut range = [i16::MAX, i16::MIN];
            for (k, j, i) in
                part(ck, 6).flat_map(|k| part(cj, 9).flat_map(move |j| part(ci, 13).map(move |i| (k, j, i))))
            {
                let sample = volume.samples()[volume.grid().index(i, j, k)];
                range = [range[0].min(sample), range[1].max(sample)];
            }
            assert_eq!(cells.range(ci, cj, ck), range);
        }
    }
}
