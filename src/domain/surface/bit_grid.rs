//! One bit per grid point: inside or outside. The whole topology of a surface is in these bits.
//!
//! In: a volume and a level, or a mask. Out: rows of 64-bit words, bit 0 of word 0 lowest along i.
//! Space: grids made here of volumes and masks are padded by one outside voxel on each side: bit `i + 1` of row
//! `(j + 1, k + 1)` is voxel (i, j, k).

use rayon::prelude::*;

use super::cells::LevelCells;
use super::field::IsoLevel;
use super::instruction_set::{InstructionSet, Kernel, Level};
use crate::domain::mask::{MASK_BRICK, Mask};

/// Bits in rows and slices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BitGrid {
    /// Points along i.
    pub(crate) width: usize,
    /// Words of a row.
    pub(crate) words: usize,
    /// Rows of a slice.
    pub(crate) rows: usize,
    pub(crate) slices: usize,
    pub(crate) bits: Vec<u64>,
}

impl BitGrid {
    pub(crate) fn empty(points: [usize; 3]) -> Self {
        let [width, rows, slices] = points;
        let words = width.div_ceil(64);
        Self { width, words, rows, slices, bits: vec![0; words * rows * slices] }
    }

    /// Room for the padded grid of `dims` voxels.
    pub(crate) fn padded(dims: [u32; 3]) -> Self {
        Self::empty(dims.map(|n| n as usize + 2))
    }

    /// The words of one row.
    #[inline(always)]
    pub(crate) fn row(&self, j: usize, k: usize) -> &[u64] {
        let start = self.words * (j + self.rows * k);
        &self.bits[start..start + self.words]
    }

    /// The points of the last word of a row that have an upper neighbour along i.
    #[inline(always)]
    pub(crate) fn last_word_cells(&self) -> u64 {
        let points = self.width - 64 * (self.words - 1);
        (1_u64 << (points - 1)) - 1
    }

    /// Up to 32 bits of a row from point `i` on; points outside the grid are outside the surface.
    #[inline(always)]
    pub(crate) fn window(&self, i: isize, j: isize, k: isize) -> u64 {
        if j < 0 || k < 0 || j >= self.rows as isize || k >= self.slices as isize {
            return 0;
        }
        let row = self.row(j as usize, k as usize);
        let word = |n: isize| if n < 0 || n >= row.len() as isize { 0 } else { row[n as usize] };
        let (first, shift) = (i.div_euclid(64), i.rem_euclid(64) as u32);
        word(first) >> shift | word(first + 1).checked_shl(64 - shift).unwrap_or(0)
    }

    /// Sets the bits of the samples beyond a level. Cells, where given, save reading blocks that lie wholly on one side.
    pub(crate) fn classify(
        &mut self,
        samples: &[i16],
        dims: [u32; 3],
        level: IsoLevel,
        cells: Option<&LevelCells<'_>>,
        set: InstructionSet,
    ) {
        let (words, rows, slices) = (self.words, self.rows, self.slices);
        self.bits.par_chunks_mut(words * rows).enumerate().skip(1).take(slices - 2).for_each(|(k, out)| {
            set.run(ClassifySlice { samples, dims, level, cells, k: k - 1, words, out });
        });
    }

    /// The bits of a mask.
    pub(crate) fn of_mask(mask: &Mask) -> Self {
        let dims = mask.dims();
        let mut grid = Self::padded(dims);
        let (words, rows, slices) = (grid.words, grid.rows, grid.slices);
        grid.bits.par_chunks_mut(words * rows).enumerate().skip(1).take(slices - 2).for_each(|(k, out)| {
            for (j, row) in out.chunks_mut(words).enumerate().skip(1).take(rows - 2) {
                for bi in 0..mask.brick_dims()[0] {
                    let word = u64::from(mask.row_word(bi, j as u32 - 1, k as u32 - 1));
                    let at = (bi * MASK_BRICK) as usize + 1;
                    row[at / 64] |= word << (at % 64);
                    if at % 64 > 32 && at / 64 + 1 < words {
                        row[at / 64 + 1] |= word >> (64 - at % 64);
                    }
                }
            }
        });
        grid
    }
}

/// Sets the bits of one slice of voxels.
struct ClassifySlice<'a> {
    samples: &'a [i16],
    dims: [u32; 3],
    level: IsoLevel,
    cells: Option<&'a LevelCells<'a>>,
    /// Slice of voxels.
    k: usize,
    words: usize,
    out: &'a mut [u64],
}

impl Kernel for ClassifySlice<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let Self { samples, level, cells, k, words, out, .. } = self;
        let [ni, nj, _] = self.dims.map(|n| n as usize);
        let Ok(threshold) = i16::try_from(level.threshold) else {
            // Below the smallest sample: every voxel is inside.
            out.chunks_mut(words).skip(1).take(nj).for_each(|row| fill_row(row, ni));
            return;
        };
        for j in 0..nj {
            let start = ni * (j + nj * k);
            let row = &mut out[words * (j + 1)..words * (j + 2)];
            for (w, word) in row.iter_mut().enumerate() {
                let known = cells.and_then(|cells| cells.word(w, j, k));
                let read = || read_word::<L>(samples, (start + 64 * w).wrapping_sub(1), level.flip, threshold);
                *word = known.unwrap_or_else(read) & row_points(w, ni);
            }
        }
    }
}

/// The bits of 64 samples from `first` on; those before and behind the list are zero.
#[inline(always)]
fn read_word<L: Level>(samples: &[i16], first: usize, flip: i16, threshold: i16) -> u64 {
    let block = samples.get(first..first.wrapping_add(64)).and_then(|block| block.first_chunk::<64>());
    if let Some(block) = block {
        return L::greater_mask(block, flip, threshold);
    }
    let is_set = |bit: usize| samples.get(first.wrapping_add(bit)).is_some_and(|sample| sample ^ flip > threshold);
    (0..64).fold(0, |word, bit| word | u64::from(is_set(bit)) << bit)
}

/// The points of word `w` of a padded row that are voxels of a row of `ni`.
#[inline(always)]
pub(crate) fn row_points(w: usize, ni: usize) -> u64 {
    let below = |end: usize| if end >= 64 { u64::MAX } else { (1_u64 << end) - 1 };
    let first = if w == 0 { !1 } else { u64::MAX };
    first & below((ni + 1).saturating_sub(64 * w))
}

fn fill_row(row: &mut [u64], ni: usize) {
    for (w, word) in row.iter_mut().enumerate() {
        *word = row_points(w, ni);
    }
}
