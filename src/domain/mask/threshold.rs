//! The voxels whose value lies in a range.
//!
//! In: a volume and a range of values (HU, SUV, ...). Out: a mask on the volume's grid.
//! Bricks whose min-max cells lie wholly inside or outside the range are not read, once the volume has cells.
//! Not here: the live preview of a threshold, which the slice shader draws from the range alone.

use serde::{Deserialize, Serialize};

use crate::domain::volume::{MINMAX_CELL, MinMaxCells, Volume};
use crate::task::{Cancelled, Progress};

use super::range_words::range_words;
use super::{MASK_BRICK, Mask, MaskBrick, brick_position};

/// An inclusive range of values, in the volume's quantity. The ends may come in any order.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ValueRange {
    /// One end, inside.
    pub lower: f64,
    /// The other end, inside.
    pub upper: f64,
}

impl ValueRange {
    /// The range between two values, both inside.
    pub fn new(lower: f64, upper: f64) -> Self {
        Self { lower: lower.min(upper), upper: lower.max(upper) }
    }

    /// Whether a value is inside.
    pub fn contains(&self, value: f64) -> bool {
        self.lower.min(self.upper) <= value && value <= self.lower.max(self.upper)
    }

    /// The samples of `volume` whose values are inside, both ends included; `None` when no sample can be.
    pub fn samples(&self, volume: &Volume) -> Option<(i16, i16)> {
        volume.rescale().sample_range(self.lower, self.upper)
    }
}

/// The voxels of `volume` whose values lie in `range`.
///
/// # Errors
/// When cancelled.
pub fn threshold(volume: &Volume, range: ValueRange, progress: &Progress) -> Result<Mask, Cancelled> {
    use rayon::prelude::*;
    progress.phase("Threshold");
    let (grid, dims) = (volume.grid(), volume.grid().dims());
    let mut mask = Mask::empty(dims);
    let Some(samples) = range.samples(volume) else { return Ok(mask) };
    let (frame, [nbi, ..]) = (mask.frame(), mask.brick_dims());
    let cells = volume.cells_if_built();
    mask.bricks.par_chunks_mut(nbi as usize).enumerate().try_for_each(|(row_of_bricks, bricks)| {
        progress.check()?;
        let first = row_of_bricks as u32 * nbi;
        let mut mixed = vec![true; nbi as usize];
        if let Some(cells) = cells {
            for (bi, brick) in bricks.iter_mut().enumerate() {
                let position = brick_position(first + bi as u32, frame.brick_dims);
                if let Some(decided) = decide_by_cells(cells, position, samples) {
                    (*brick, mixed[bi]) = (decided, false);
                }
            }
        }
        let [_, bj, bk] = brick_position(first, frame.brick_dims);
        let size = frame.brick_size(first);
        let mut bits = vec![[0_u32; super::BRICK_WORDS]; nbi as usize];
        let mut words = vec![0_u32; nbi as usize];
        for span in runs_of(&mixed) {
            let (from, to) = (span.start * MASK_BRICK as usize, (span.end * MASK_BRICK as usize).min(dims[0] as usize));
            for k in 0..size[2] {
                for j in 0..size[1] {
                    let start = grid.index(0, bj * MASK_BRICK + j, bk * MASK_BRICK + k);
                    let words = &mut words[..span.len()];
                    range_words(&volume.samples()[start + from..start + to], samples, words);
                    for (bits, &word) in bits[span.clone()].iter_mut().zip(&*words) {
                        bits[(j + MASK_BRICK * k) as usize] = word;
                    }
                }
            }
            for bi in span {
                bricks[bi] = frame.normalised(first + bi as u32, bits[bi]);
            }
        }
        Ok(())
    })?;
    Ok(mask)
}

/// A brick that the cells over it decide: wholly in range, or wholly out of it.
fn decide_by_cells(cells: &MinMaxCells, brick: [u32; 3], (lower, upper): (i16, i16)) -> Option<MaskBrick> {
    const CELLS: u32 = MASK_BRICK / MINMAX_CELL;
    let last: [u32; 3] = std::array::from_fn(|axis| ((brick[axis] + 1) * CELLS).min(cells.cell_dims[axis]));
    let (mut low, mut high) = (i16::MAX, i16::MIN);
    for ck in brick[2] * CELLS..last[2] {
        for cj in brick[1] * CELLS..last[1] {
            let row = cells.cell_dims[0] as usize * (cj + cells.cell_dims[1] * ck) as usize;
            for range in &cells.ranges[row + (brick[0] * CELLS) as usize..row + last[0] as usize] {
                (low, high) = (low.min(range[0]), high.max(range[1]));
            }
        }
    }
    if high < lower || low > upper {
        Some(MaskBrick::Empty)
    } else if low >= lower && high <= upper {
        Some(MaskBrick::Full)
    } else {
        None
    }
}

/// The runs of `true`.
fn runs_of(flags: &[bool]) -> Vec<std::ops::Range<usize>> {
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    for index in (0..flags.len()).filter(|&index| flags[index]) {
        match runs.last_mut() {
            Some(run) if run.end == index => run.end += 1,
            _ => runs.push(index..index + 1),
        }
    }
    runs
}
