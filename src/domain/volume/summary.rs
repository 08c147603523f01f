//! Ranges of cells and counts of values, taken slice by slice.
//!
//! In: the samples of slices. Out: [`MinMaxCells`] and a histogram. A reader takes them of each slice while the processor still
//! has it in its cache; of a volume that is there already they are taken by the same functions.

use rayon::prelude::*;

use super::{MINMAX_CELL, MinMaxCells};

/// Bins of a histogram: one for each sample value.
const BINS: usize = 1 << 16;
/// Tables that neighbouring samples are counted in by turns: in air and fat they are alike, and a count that is waited for
/// costs more than the counting.
const TABLES: usize = 4;

/// `[min, max]` of the cells of one slice, i fastest; as [`MinMaxCells`], but without depth.
pub type SliceRanges = Vec<[i16; 2]>;

/// How often values occur, while they are counted.
#[derive(Debug, Clone)]
pub struct SampleCounts(Vec<[u32; TABLES]>);

impl Default for SampleCounts {
    fn default() -> Self {
        Self(vec![[0; TABLES]; BINS])
    }
}

impl SampleCounts {
    /// Counts more samples.
    pub fn add(&mut self, samples: &[i16]) {
        let bin = |sample: i16| usize::from(sample as u16 ^ 0x8000);
        let mut groups = samples.chunks_exact(TABLES);
        for group in &mut groups {
            for (table, &sample) in group.iter().enumerate() {
                self.0[bin(sample)][table] += 1;
            }
        }
        for &sample in groups.remainder() {
            self.0[bin(sample)][0] += 1;
        }
    }

    /// Adds these counts to a histogram of 65 536 bins, `i16::MIN` first.
    pub fn add_to(&self, histogram: &mut [u64]) {
        for (bin, counts) in histogram.iter_mut().zip(&self.0) {
            *bin += counts.iter().map(|&count| u64::from(count)).sum::<u64>();
        }
    }
}

/// A histogram without counts.
pub fn empty_histogram() -> Vec<u64> {
    vec![0; BINS]
}

/// Ranges of the cells of a slice with rows of `width` samples.
pub fn slice_ranges(samples: &[i16], width: usize) -> SliceRanges {
    let cell = MINMAX_CELL as usize;
    let height = samples.len() / width;
    let part = |c: usize, n: usize| c * cell..((c + 1) * cell + 1).min(n);
    let (mut lows, mut highs, mut spare) = (vec![0; width], vec![0; width], Vec::with_capacity(width));
    let mut ranges = Vec::with_capacity(width.div_ceil(cell) * height.div_ceil(cell));
    for cj in 0..height.div_ceil(cell) {
        lows.fill(i16::MAX);
        highs.fill(i16::MIN);
        // Columns first, a whole row of them at a time: that is what processors do eight and more at once.
        let rows = part(cj, height);
        for row in samples[rows.start * width..rows.end * width].chunks_exact(width) {
            for ((low, high), &sample) in lows.iter_mut().zip(highs.iter_mut()).zip(row) {
                (*low, *high) = (sample.min(*low), sample.max(*high));
            }
        }
        gather_cells(&mut lows, &mut spare, i16::min);
        gather_cells(&mut highs, &mut spare, i16::max);
        ranges.extend(lows.iter().zip(&highs).step_by(cell).map(|(&low, &high)| [low, high]));
    }
    ranges
}

/// Replaces the first value of each cell by that of the whole cell, its far border included. Doubling the reach three times
/// is a few passes that processors do eight and more at once, where a loop for each cell is done one by one.
fn gather_cells(values: &mut Vec<i16>, spare: &mut Vec<i16>, pick: impl Fn(i16, i16) -> i16) {
    const { assert!(MINMAX_CELL == 8, "reaches 1, 2, 4 and 1 more") };
    for reach in [1, 2, 4, 1] {
        let near_end = values.len().saturating_sub(reach);
        spare.clear();
        spare.extend(values.iter().zip(&values[reach.min(values.len())..]).map(|(&a, &b)| pick(a, b)));
        spare.extend_from_slice(&values[near_end..]);
        std::mem::swap(values, spare);
    }
}

/// Cells of a volume of `dims` from the ranges of all its slices, in order.
///
/// # Panics
/// When there are not as many slices, or one has not as many cells, as `dims` say.
pub fn stacked(dims: [u32; 3], slices: &[SliceRanges]) -> MinMaxCells {
    let cell_dims = dims.map(|n| n.div_ceil(MINMAX_CELL));
    let layer_len = (cell_dims[0] * cell_dims[1]) as usize;
    assert!(slices.len() == dims[2] as usize && slices.iter().all(|slice| slice.len() == layer_len), "all slices");
    let mut ranges = vec![[i16::MAX, i16::MIN]; layer_len * cell_dims[2] as usize];
    for (layer, first) in ranges.chunks_exact_mut(layer_len).zip((0..slices.len()).step_by(MINMAX_CELL as usize)) {
        for slice in &slices[first..(first + MINMAX_CELL as usize + 1).min(slices.len())] {
            for (range, [low, high]) in layer.iter_mut().zip(slice) {
                *range = [range[0].min(*low), range[1].max(*high)];
            }
        }
    }
    MinMaxCells { cell_dims, ranges }
}

/// The cells of samples that are all there.
pub(super) fn cells_of(dims: [u32; 3], samples: &[i16]) -> MinMaxCells {
    let [width, height, _] = dims.map(|n| n as usize);
    let slices: Vec<SliceRanges> = samples.par_chunks(width * height).map(|slice| slice_ranges(slice, width)).collect();
    stacked(dims, &slices)
}

/// The histogram of samples that are all there.
pub(super) fn histogram_of(samples: &[i16]) -> Vec<u64> {
    let count = |part: &[i16]| {
        let (mut counts, mut histogram) = (SampleCounts::default(), empty_histogram());
        counts.add(part);
        counts.add_to(&mut histogram);
        histogram
    };
    let add = |mut a: Vec<u64>, b: Vec<u64>| {
        a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        a
    };
    // Few and large parts: each begins with a table of a megabyte.
    let part = (samples.len() / (4 * rayon::current_num_threads())).clamp(1 << 20, 1 << 28);
    samples.par_chunks(part).map(count).reduce(empty_histogram, add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_of_every_width_hold_their_far_borders() {
        let cell = MINMAX_CELL as usize;
        for width in 1..40 {
            let height = 11;
            let samples: Vec<i16> = (0..width * height).map(|n| (n * 7919 % 1999) as i16 - 1000).collect();
            let ranges = slice_ranges(&samples, width);
            let mut expected = Vec::new();
            for (cj, ci) in (0..height.div_ceil(cell)).flat_map(|cj| (0..width.div_ceil(cell)).map(move |ci| (cj, ci)))
            {
                let rows = cj * cell..=(cj * cell + cell).min(height - 1);
                let inside = rows.flat_map(|j| (ci * cell..=(ci * cell + cell).min(width - 1)).map(move |i| (i, j)));
                let values: Vec<i16> = inside.map(|(i, j)| samples[i + width * j]).collect();
                let ends = (values.iter().min().copied(), values.iter().max().copied());
                expected.push([ends.0.expect("a cell has samples"), ends.1.expect("a cell has samples")]);
            }
            assert_eq!(ranges, expected, "width {width}");
        }
    }
}
