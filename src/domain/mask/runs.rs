//! A mask as runs: for each row (j, k) the spans of voxels along i, rising.
//!
//! In: a mask, or its complement in a box. Out: `Runs`. The form in which connected parts and holes are found.

use rayon::prelude::*;

use super::{MASK_BRICK, Mask, MaskBrick};

/// Voxels `start..end` of a row. A grid has at most 2^15 voxels along an axis, so 16 bits hold both ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    /// First voxel.
    pub(super) start: u16,
    /// One past the last.
    pub(super) end: u16,
}

/// The runs of all rows, j fastest.
#[derive(Debug, Clone)]
pub(super) struct Runs {
    dims: [u32; 3],
    spans: Vec<Run>,
    /// Where each row begins in `spans`, and one more at the end.
    first_of_row: Vec<u32>,
}

impl Runs {
    /// The runs of a mask's voxels.
    pub(super) fn of(mask: &Mask) -> Self {
        Self::of_words(mask.dims(), |j, k, words| mask.copy_row(j, k, words))
    }

    /// The runs of the voxels that are not in the mask.
    pub(super) fn of_complement(mask: &Mask) -> Self {
        Self::of_words(mask.dims(), |j, k, words| {
            mask.copy_row(j, k, words);
            for (bi, word) in words.iter_mut().enumerate() {
                *word = !*word & super::column_mask(bi as u32, mask.dims()[0]);
            }
            true
        })
    }

    /// The runs of rows of words; `fill` writes a row (all words) or returns `false` for an empty one.
    pub(super) fn of_words(dims: [u32; 3], fill: impl Fn(u32, u32, &mut [u32]) -> bool + Sync) -> Self {
        let [ni, nj, nk] = dims;
        let layers: Vec<(Vec<Run>, Vec<u32>)> = (0..nk)
            .into_par_iter()
            .map(|k| {
                let mut words = vec![0_u32; ni.div_ceil(MASK_BRICK) as usize];
                let (mut runs, mut counts) = (Vec::new(), Vec::with_capacity(nj as usize));
                for j in 0..nj {
                    let before = runs.len();
                    if fill(j, k, &mut words) {
                        push_runs(&words, &mut runs);
                    }
                    counts.push((runs.len() - before) as u32);
                }
                (runs, counts)
            })
            .collect();
        let mut first_of_row = Vec::with_capacity((nj * nk) as usize + 1);
        let mut runs = Vec::with_capacity(layers.iter().map(|(runs, _)| runs.len()).sum());
        let mut total = 0_u32;
        for (layer, counts) in layers {
            runs.extend_from_slice(&layer);
            for count in counts {
                first_of_row.push(total);
                total += count;
            }
        }
        first_of_row.push(total);
        Self { dims, spans: runs, first_of_row }
    }

    /// Voxels along i, j, k.
    pub(super) fn dims(&self) -> [u32; 3] {
        self.dims
    }

    /// Number of runs.
    pub(super) fn count(&self) -> usize {
        self.spans.len()
    }

    /// All runs.
    pub(super) fn all(&self) -> &[Run] {
        &self.spans
    }

    /// Where the runs of a row are among all.
    pub(super) fn row_range(&self, j: u32, k: u32) -> std::ops::Range<usize> {
        let row = j as usize + self.dims[1] as usize * k as usize;
        self.first_of_row[row] as usize..self.first_of_row[row + 1] as usize
    }

    /// The runs of a row.
    pub(super) fn row(&self, j: u32, k: u32) -> &[Run] {
        &self.spans[self.row_range(j, k)]
    }
}

/// Appends the runs of a row of words.
fn push_runs(words: &[u32], runs: &mut Vec<Run>) {
    let mut open: Option<u16> = None;
    for (column, &word) in words.iter().enumerate() {
        let base = (column * 32) as u16;
        let mut rest = word;
        if let Some(start) = open {
            let length = rest.trailing_ones();
            if length == 32 {
                continue;
            }
            runs.push(Run { start, end: base + length as u16 });
            open = None;
            rest &= u32::MAX << length;
        }
        while rest != 0 {
            let first = rest.trailing_zeros();
            let length = (rest >> first).trailing_ones();
            if first + length == 32 {
                open = Some(base + first as u16);
                break;
            }
            runs.push(Run { start: base + first as u16, end: base + (first + length) as u16 });
            rest &= u32::MAX << (first + length);
        }
    }
    if let Some(start) = open {
        runs.push(Run { start, end: (words.len() * 32) as u16 });
    }
}

/// Sets the bits of a run in a row of words.
pub(super) fn set_bits(words: &mut [u32], run: Run) {
    let (first, last) = (usize::from(run.start) / 32, usize::from(run.end - 1) / 32);
    let head = u32::MAX << (run.start % 32);
    let tail = u32::MAX >> (31 - (run.end - 1) % 32);
    if first == last {
        words[first] |= head & tail;
        return;
    }
    words[first] |= head;
    words[first + 1..last].fill(u32::MAX);
    words[last] |= tail;
}

impl Mask {
    /// Copies the words of row (j, k); returns `false`, and may leave `words` as they were, when the row's bricks are empty.
    pub(super) fn copy_row(&self, j: u32, k: u32, words: &mut [u32]) -> bool {
        let [nbi, nbj, _] = self.brick_dims;
        let first = (nbi * (j / MASK_BRICK + nbj * (k / MASK_BRICK))) as usize;
        let row = (j % MASK_BRICK + MASK_BRICK * (k % MASK_BRICK)) as usize;
        let mut any = false;
        for (bi, (brick, word)) in self.bricks[first..first + nbi as usize].iter().zip(words).enumerate() {
            *word = match brick {
                MaskBrick::Empty => 0,
                MaskBrick::Full => super::column_mask(bi as u32, self.dims[0]),
                MaskBrick::Bits(bits) => bits[row],
            };
            any |= *word != 0;
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_cross_words_and_end_with_the_row() {
        let mask = Mask::from_fn([96, 1, 2], |i, _, k| k == 1 && ((30..=33).contains(&i) || i == 40 || i >= 64));
        let runs = Runs::of(&mask);
        assert!(runs.row(0, 0).is_empty());
        let spans: Vec<(u16, u16)> = runs.row(0, 1).iter().map(|run| (run.start, run.end)).collect();
        assert_eq!(spans, [(30, 34), (40, 41), (64, 96)]);
        let mut words = [0; 3];
        runs.row(0, 1).iter().for_each(|&run| set_bits(&mut words, run));
        assert_eq!(words, [mask.row_word(0, 0, 1), mask.row_word(1, 0, 1), mask.row_word(2, 0, 1)]);
    }
}
