//! A dense box of bits, 64 voxels a word: the form in which morphology works.
//!
//! The box may reach out of the grid (for closing): its first column is a multiple of 32 voxels, and may be negative.
//! Rows are (j, k), j fastest.

use super::{MASK_BRICK, Mask};

/// A half-open box of voxels that may reach out of the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RowBox {
    pub(super) min: [i32; 3],
    pub(super) max: [i32; 3],
}

impl RowBox {
    /// Whether the row (j, k), in voxels of the grid, is in the box.
    fn holds_row(&self, j: i32, k: i32) -> bool {
        (self.min[1]..self.max[1]).contains(&j) && (self.min[2]..self.max[2]).contains(&k)
    }
}

/// Bits of the voxels of a box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BitRows {
    /// The box; along i a whole number of words from `min`.
    pub(super) around: RowBox,
    pub(super) words_per_row: usize,
    pub(super) words: Vec<u64>,
}

impl BitRows {
    /// No voxel; the box is widened along i to whole words.
    pub(super) fn empty(mut around: RowBox) -> Self {
        around.min[0] = around.min[0].div_euclid(MASK_BRICK as i32) * MASK_BRICK as i32;
        let words_per_row = ((around.max[0] - around.min[0]).max(0) as usize).div_ceil(64);
        around.max[0] = around.min[0] + 64 * words_per_row as i32;
        let rows = (around.max[1] - around.min[1]).max(0) as usize * (around.max[2] - around.min[2]).max(0) as usize;
        Self { around, words_per_row, words: vec![0; rows * words_per_row] }
    }

    /// The voxels of a mask in a box.
    pub(super) fn of(mask: &Mask, around: RowBox) -> Self {
        use rayon::prelude::*;
        let mut rows = Self::empty(around);
        let (around, [_, nj, nk]) = (rows.around, mask.dims());
        let first_column = around.min[0] / MASK_BRICK as i32;
        rows.rows_mut().for_each(|(j, k, words)| {
            if (0..nj as i32).contains(&j) && (0..nk as i32).contains(&k) {
                for (n, word) in words.iter_mut().enumerate() {
                    let half = |half: i32| {
                        let column = first_column + 2 * n as i32 + half;
                        let inside = (0..mask.brick_dims()[0] as i32).contains(&column);
                        if inside { u64::from(mask.row_word(column as u32, j as u32, k as u32)) } else { 0 }
                    };
                    *word = half(0) | half(1) << 32;
                }
            }
        });
        rows
    }

    /// The voxels that lie in a grid of `dims`, as a mask.
    pub(super) fn to_mask(&self, dims: [u32; 3]) -> Mask {
        let first_column = self.around.min[0] / MASK_BRICK as i32;
        Mask::from_rows(dims, |j, k, words| {
            let row = self.row(j as i32, k as i32);
            for (column, word) in words.iter_mut().enumerate() {
                let at = column as i32 - first_column;
                if at >= 0 {
                    let found = row.get(at as usize / 2).copied().unwrap_or(0);
                    *word = (found >> (32 * (at % 2))) as u32;
                }
            }
        })
    }

    /// The words of a row; none outside the box.
    pub(super) fn row(&self, j: i32, k: i32) -> &[u64] {
        if !self.around.holds_row(j, k) {
            return &[];
        }
        let nj = (self.around.max[1] - self.around.min[1]) as usize;
        let row = (j - self.around.min[1]) as usize + nj * (k - self.around.min[2]) as usize;
        &self.words[row * self.words_per_row..][..self.words_per_row]
    }

    /// All words of a layer; none outside the box.
    pub(super) fn layer(&self, k: i32) -> &[u64] {
        let size = self.layer_size();
        let inside = (self.around.min[2]..self.around.max[2]).contains(&k);
        if inside { &self.words[(k - self.around.min[2]) as usize * size..][..size] } else { &[] }
    }

    /// All layers with their place, in parallel.
    pub(super) fn layers_mut(&mut self) -> impl rayon::iter::IndexedParallelIterator<Item = (i32, &mut [u64])> {
        use rayon::prelude::*;
        let (first, size) = (self.around.min[2], self.layer_size().max(1));
        self.words.par_chunks_mut(size).enumerate().map(move |(layer, words)| (first + layer as i32, words))
    }

    fn layer_size(&self) -> usize {
        (self.around.max[1] - self.around.min[1]).max(0) as usize * self.words_per_row
    }

    /// All rows with their place, in parallel.
    pub(super) fn rows_mut(&mut self) -> impl rayon::iter::IndexedParallelIterator<Item = (i32, i32, &mut [u64])> {
        use rayon::prelude::*;
        let (around, width) = (self.around, self.words_per_row.max(1));
        let nj = (around.max[1] - around.min[1]).max(1) as usize;
        self.words
            .par_chunks_mut(width)
            .with_min_len(64)
            .enumerate()
            .map(move |(row, words)| (around.min[1] + (row % nj) as i32, around.min[2] + (row / nj) as i32, words))
    }

    /// Turns every bit over whose voxel lies in `within`, and clears the others.
    pub(super) fn complement(mut self, within: RowBox) -> Self {
        use rayon::prelude::*;
        let first = self.around.min[0];
        self.rows_mut().for_each(|(j, k, words)| {
            let inside = within.holds_row(j, k);
            for (n, word) in words.iter_mut().enumerate() {
                let start = first + 64 * n as i32;
                let keep = if inside { bits_between(within.min[0] - start, within.max[0] - start) } else { 0 };
                *word = !*word & keep;
            }
        });
        self
    }
}

/// Bits `low..high` of a word; the ends may lie outside it.
pub(super) fn bits_between(low: i32, high: i32) -> u64 {
    let (low, high) = (low.clamp(0, 64) as u32, high.clamp(0, 64) as u32);
    let below = |end: u32| if end == 64 { u64::MAX } else { (1 << end) - 1 };
    below(high) & !below(low)
}

/// Writes `source` moved by `steps` voxels (up when positive) into `target`; what leaves the row is lost.
pub(super) fn shift_row(source: &[u64], steps: i32, target: &mut [u64]) {
    let (words, bits) = ((steps.unsigned_abs() / 64) as usize, steps.unsigned_abs() % 64);
    let count = source.len();
    target.fill(0);
    if words >= count {
        return;
    }
    if steps >= 0 {
        for n in words..count {
            let carried = if bits > 0 && n > words { source[n - words - 1] >> (64 - bits) } else { 0 };
            target[n] = source[n - words] << bits | carried;
        }
    } else {
        for n in 0..count - words {
            let carried = if bits > 0 && n + words + 1 < count { source[n + words + 1] << (64 - bits) } else { 0 };
            target[n] = source[n + words] >> bits | carried;
        }
    }
}
