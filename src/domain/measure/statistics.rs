//! Mean, spread and range of values: of the samples of a segment, or of any list of samples.
//!
//! Sums are exact integers over the stored samples and are rescaled at the end: the result does not depend on the order in
//! which threads add, and no digit is lost on large segments.

use serde::{Deserialize, Serialize};

use crate::domain::mask::{BRICK_WORDS, MASK_BRICK, Mask, MaskBrick};
use crate::domain::volume::{Rescale, Volume};

/// Statistics of some samples, in the volume's quantity.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SampleStatistics {
    /// Number of samples.
    pub count: u64,
    /// Mean.
    pub mean: f64,
    /// Standard deviation, divided by count - 1; zero for a single sample.
    pub sd: f64,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
}

/// What a segment holds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SegmentStatistics {
    /// Number of voxels.
    pub voxel_count: u64,
    /// Volume in ml.
    pub volume_ml: f64,
    /// Values inside; `None` for an empty segment.
    pub samples: Option<SampleStatistics>,
}

/// Exact sums of stored samples.
#[derive(Debug, Clone, Copy)]
pub(super) struct SampleSums {
    count: u64,
    sum: i64,
    sum_of_squares: u64,
    min: i16,
    max: i16,
}

impl SampleSums {
    pub(super) const NONE: Self = Self { count: 0, sum: 0, sum_of_squares: 0, min: i16::MAX, max: i16::MIN };

    /// Adds a run of samples; `samples` are few enough (a mask row) for 32-bit sums.
    fn add_run(&mut self, samples: &[i16]) {
        let (mut sum, mut squares, mut min, mut max) = (0_i32, 0_u64, i16::MAX, i16::MIN);
        for &sample in samples {
            let wide = i32::from(sample);
            sum += wide;
            squares += u64::from((wide * wide) as u32);
            min = min.min(sample);
            max = max.max(sample);
        }
        self.count += samples.len() as u64;
        self.sum += i64::from(sum);
        self.sum_of_squares += squares;
        (self.min, self.max) = (self.min.min(min), self.max.max(max));
    }

    /// Adds one sample.
    pub(super) fn add(&mut self, sample: i16) {
        self.add_run(&[sample]);
    }

    fn joined(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            sum: self.sum + other.sum,
            sum_of_squares: self.sum_of_squares + other.sum_of_squares,
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }

    /// The statistics of the values; `None` without samples.
    pub(super) fn statistics(&self, rescale: Rescale) -> Option<SampleStatistics> {
        if self.count == 0 {
            return None;
        }
        let (count, sum) = (i128::from(self.count), i128::from(self.sum));
        // count * sum of squares - sum^2 is count * (count - 1) times the variance, and exact.
        let scaled = count * i128::from(self.sum_of_squares) - sum * sum;
        let variance = if count > 1 { scaled as f64 / (count as f64 * (count as f64 - 1.0)) } else { 0.0 };
        let (a, b) = (rescale.value(f64::from(self.min)), rescale.value(f64::from(self.max)));
        Some(SampleStatistics {
            count: self.count,
            mean: rescale.value(self.sum as f64 / count as f64),
            sd: variance.max(0.0).sqrt() * rescale.slope.abs(),
            min: a.min(b),
            max: a.max(b),
        })
    }
}

/// Voxel count, volume and values of a segment, in one pass over its runs.
///
/// # Panics
/// When the mask is not of the volume's size.
pub fn segment_statistics(mask: &Mask, volume: &Volume) -> SegmentStatistics {
    use rayon::prelude::*;
    assert_eq!(mask.dims(), volume.grid().dims(), "the mask is of this volume's grid");
    let of_brick = |(index, brick): (usize, &MaskBrick)| {
        if *brick == MaskBrick::Empty { SampleSums::NONE } else { brick_sums(mask, index as u32, brick, volume) }
    };
    let sums = mask.bricks().par_iter().enumerate().map(of_brick).reduce(|| SampleSums::NONE, SampleSums::joined);
    SegmentStatistics {
        voxel_count: sums.count,
        volume_ml: sums.count as f64 * volume.grid().voxel_volume_mm3() / 1000.0,
        samples: sums.statistics(volume.rescale()),
    }
}

fn brick_sums(mask: &Mask, index: u32, brick: &MaskBrick, volume: &Volume) -> SampleSums {
    let covered = mask.brick_box(index);
    let width = (covered.max[0] - covered.min[0]) as usize;
    let mut sums = SampleSums::NONE;
    for row in 0..BRICK_WORDS as u32 {
        let (j, k) = (covered.min[1] + row % MASK_BRICK, covered.min[2] + row / MASK_BRICK);
        if j >= covered.max[1] || k >= covered.max[2] {
            continue;
        }
        let start = volume.grid().index(covered.min[0], j, k);
        let samples = &volume.samples()[start..start + width];
        let MaskBrick::Bits(bits) = brick else {
            sums.add_run(samples);
            continue;
        };
        let mut word = bits[row as usize];
        while word != 0 {
            let first = word.trailing_zeros();
            let length = (word >> first).trailing_ones();
            sums.add_run(&samples[first as usize..(first + length) as usize]);
            word &= u32::MAX.checked_shl(first + length).unwrap_or(0);
        }
    }
    sums
}
