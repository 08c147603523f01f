//! Blocks of the volume that lie wholly on one side of an iso value, so that their samples need not be read.
//!
//! In: the volume's min-max cells (8^3 voxels plus a shared layer). Out: for a word of 64 points in 8 rows of 8 slices all
//! inside, all outside, or unknown. Coarser than the cells because rows are read a word at a time.

use super::field::IsoLevel;
use crate::domain::volume::{MINMAX_CELL, MinMaxCells};

/// Ranges of the samples under each word of the padded rows, for blocks of 8 rows and 8 slices of voxels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WordCells {
    words: usize,
    blocks_j: usize,
    ranges: Vec<[i16; 2]>,
}

impl WordCells {
    pub(crate) fn new(cells: &MinMaxCells, words: usize) -> Self {
        let [ci, cj, ck] = cells.cell_dims.map(|n| n as usize);
        let cells_per_word = 64 / MINMAX_CELL as usize;
        let mut ranges = Vec::with_capacity(words * cj * ck);
        for row in cells.ranges.chunks_exact(ci) {
            for w in 0..words {
                // Word w begins one voxel below voxel 64 w, in the cell before; the last word may hold nothing but padding.
                let first = (w * cells_per_word).saturating_sub(1).min(ci - 1);
                let last = ((w + 1) * cells_per_word).min(ci).max(first + 1);
                let wider = |[low, high]: [i16; 2], &[l, h]: &[i16; 2]| [low.min(l), high.max(h)];
                ranges.push(row[first..last].iter().fold([i16::MAX, i16::MIN], wider));
            }
        }
        Self { words, blocks_j: cj, ranges }
    }

    pub(crate) fn at(&self, level: IsoLevel) -> LevelCells<'_> {
        LevelCells { cells: self, level }
    }
}

/// The same, asked about one level.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LevelCells<'a> {
    cells: &'a WordCells,
    level: IsoLevel,
}

impl LevelCells<'_> {
    /// The bits under word `w` of voxel row (j, k) if they are all alike.
    #[inline(always)]
    pub(crate) fn word(&self, w: usize, j: usize, k: usize) -> Option<u64> {
        let block = (j / MINMAX_CELL as usize) + self.cells.blocks_j * (k / MINMAX_CELL as usize);
        let [low, high] = self.cells.ranges[w + self.cells.words * block];
        let is_inside = |sample: i16| i32::from(sample ^ self.level.flip) > self.level.threshold;
        (is_inside(low) == is_inside(high)).then(|| if is_inside(low) { u64::MAX } else { 0 })
    }
}
