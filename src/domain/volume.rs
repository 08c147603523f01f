//! A scalar volume: 16-bit samples, the rescale that gives them their meaning, and their grid.
//!
//! The samples are authoritative: measurement and segmentation read these, never a GPU copy.

mod samples;
pub mod summary;

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

pub use samples::Samples;

use super::grid::Grid;

/// Edge of a min-max cell in voxels.
pub const MINMAX_CELL: u32 = 8;

/// What the rescaled values measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Quantity {
    /// CT numbers.
    Hounsfield,
    /// Standardised uptake value (body weight), g/ml.
    Suv,
    /// Anything else, MR signal above all: has no unit and is never called HU.
    Arbitrary,
}

impl Quantity {
    /// Unit to print behind a value; empty where there is none.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Hounsfield => "HU",
            Self::Suv => "SUV",
            Self::Arbitrary => "",
        }
    }
}

/// `value = slope * sample + intercept`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rescale {
    /// Value per sample step; never zero.
    pub slope: f64,
    /// Value of sample 0.
    pub intercept: f64,
}

impl Rescale {
    /// Samples are values.
    pub const IDENTITY: Self = Self { slope: 1.0, intercept: 0.0 };

    /// The value that a sample stands for.
    #[inline]
    pub fn value(&self, sample: f64) -> f64 {
        self.slope * sample + self.intercept
    }

    /// The (fractional) sample that stands for a value.
    #[inline]
    pub fn sample(&self, value: f64) -> f64 {
        (value - self.intercept) / self.slope
    }

    /// Samples whose value lies in `lower..=upper`, as an inclusive sample range; `None` where there is none.
    pub fn sample_range(&self, lower: f64, upper: f64) -> Option<(i16, i16)> {
        let (a, b) = (self.sample(lower), self.sample(upper));
        let (low, high) = (a.min(b) - 1e-9, a.max(b) + 1e-9);
        let first = low.ceil().max(f64::from(i16::MIN));
        let last = high.floor().min(f64::from(i16::MAX));
        (first <= last).then_some((first as i16, last as i16))
    }
}

/// Smallest and largest sample of each block of [`MINMAX_CELL`]^3 voxels plus one shared layer on the upper sides,
/// so that the range also bounds every trilinear value inside the cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MinMaxCells {
    /// Cells along i, j, k.
    pub cell_dims: [u32; 3],
    /// `[min, max]` of each cell, i fastest.
    pub ranges: Vec<[i16; 2]>,
}

/// A block of samples in the patient.
#[derive(Debug)]
pub struct Volume {
    grid: Grid,
    samples: Samples,
    rescale: Rescale,
    quantity: Quantity,
    cells: OnceLock<MinMaxCells>,
    histogram: OnceLock<Arc<Vec<u64>>>,
}

impl Volume {
    /// A volume of `samples`, i fastest.
    ///
    /// # Panics
    /// When the number of samples is not the grid's, or the slope is zero or not finite (importers check both).
    pub fn new(grid: Grid, samples: Vec<i16>, rescale: Rescale, quantity: Quantity) -> Self {
        Self::of_samples(grid, samples.into(), rescale, quantity)
    }

    /// As [`Self::new`], of samples that an importer has read in place.
    ///
    /// # Panics
    /// As [`Self::new`].
    pub fn of_samples(grid: Grid, samples: Samples, rescale: Rescale, quantity: Quantity) -> Self {
        assert_eq!(samples.len(), grid.voxel_count(), "one sample for each voxel");
        assert!(rescale.slope != 0.0 && rescale.slope.is_finite() && rescale.intercept.is_finite(), "usable rescale");
        Self { grid, samples, rescale, quantity, cells: OnceLock::new(), histogram: OnceLock::new() }
    }

    /// With cells and histogram that were taken while the samples were read.
    ///
    /// # Panics
    /// When they are not of this size.
    #[must_use]
    pub fn with_summary(self, cells: MinMaxCells, histogram: Vec<u64>) -> Self {
        assert_eq!(cells.cell_dims, self.grid.dims().map(|n| n.div_ceil(MINMAX_CELL)), "cells of this volume");
        assert_eq!(histogram.iter().sum::<u64>(), self.samples.len() as u64, "every sample counted once");
        Self { cells: OnceLock::from(cells), histogram: OnceLock::from(Arc::new(histogram)), ..self }
    }

    /// Size and place.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// All samples, i fastest.
    pub fn samples(&self) -> &[i16] {
        &self.samples
    }

    /// What a sample means.
    pub fn rescale(&self) -> Rescale {
        self.rescale
    }

    /// What the values measure.
    pub fn quantity(&self) -> Quantity {
        self.quantity
    }

    /// Value of one voxel.
    pub fn value(&self, i: u32, j: u32, k: u32) -> f64 {
        self.rescale.value(f64::from(self.samples[self.grid.index(i, j, k)]))
    }

    /// Value at a patient-space point of the voxel that holds it; `None` outside.
    pub fn value_at_patient(&self, point_in_patient: glam::DVec3) -> Option<f64> {
        let voxel = self.grid.voxel_from_patient().transform_point3(point_in_patient).round();
        let dims = self.grid.dims();
        let inside = (0..3).all(|axis| voxel[axis] >= 0.0 && voxel[axis] < f64::from(dims[axis]));
        inside.then(|| self.value(voxel.x as u32, voxel.y as u32, voxel.z as u32))
    }

    /// Min-max cells, built at the first call.
    pub fn cells(&self) -> &MinMaxCells {
        self.cells.get_or_init(|| summary::cells_of(self.grid.dims(), &self.samples))
    }

    /// Min-max cells if somebody has built them: for shortcuts that are not worth building them for.
    pub fn cells_if_built(&self) -> Option<&MinMaxCells> {
        self.cells.get()
    }

    /// Number of voxels of each sample value, `i16::MIN` first (65 536 bins), counted at the first call.
    pub fn histogram(&self) -> &Arc<Vec<u64>> {
        self.histogram.get_or_init(|| Arc::new(summary::histogram_of(&self.samples)))
    }

    /// Smallest and largest value in the volume.
    pub fn value_range(&self) -> (f64, f64) {
        let ranges = &self.cells().ranges;
        let low = ranges.iter().map(|range| range[0]).min().unwrap_or(0);
        let high = ranges.iter().map(|range| range[1]).max().unwrap_or(0);
        let (a, b) = (self.rescale.value(f64::from(low)), self.rescale.value(f64::from(high)));
        (a.min(b), a.max(b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glam::DVec3;

    #[test]
    fn cells_bound_their_voxels_and_the_next_layer() {
        let grid = Grid::axis_aligned([17, 9, 10], DVec3::ONE, DVec3::ZERO).expect("valid grid");
        let mut samples = vec![0_i16; grid.voxel_count()];
        samples[grid.index(8, 8, 8)] = 100;
        let volume = Volume::new(grid, samples, Rescale::IDENTITY, Quantity::Hounsfield);
        assert_eq!(volume.cells().cell_dims, [3, 2, 2]);
        let hit: Vec<usize> = (0..12).filter(|&cell| volume.cells().ranges[cell][1] == 100).collect();
        assert_eq!(hit, [0, 1, 3, 4, 6, 7, 9, 10], "the voxel belongs to its cell and to the seven below it");
        assert_eq!(volume.value_range(), (0.0, 100.0));
        assert_eq!(volume.histogram()[32768 + 100], 1);
    }

    #[test]
    fn cells_and_counts_are_those_of_every_voxel_by_itself() {
        for dims in [[1, 1, 1], [19, 8, 9], [33, 17, 25]] {
            let grid = Grid::axis_aligned(dims, DVec3::ONE, DVec3::ZERO).expect("valid grid");
            let samples: Vec<i16> =
                (0..grid.voxel_count() as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 14) as i16).collect();
            let volume = Volume::new(grid, samples.clone(), Rescale::IDENTITY, Quantity::Hounsfield);
            let mut ranges = vec![[i16::MAX, i16::MIN]; volume.cells().ranges.len()];
            let [ci, cj, ck] = volume.cells().cell_dims;
            for (n, range) in ranges.iter_mut().enumerate() {
                let first = [n as u32 % ci, n as u32 / ci % cj, n as u32 / (ci * cj)].map(|c| c * MINMAX_CELL);
                assert!(first[2] < ck * MINMAX_CELL);
                let part = |axis: usize| first[axis]..(first[axis] + MINMAX_CELL + 1).min(dims[axis]);
                for (k, j) in part(2).flat_map(|k| part(1).map(move |j| (k, j))) {
                    for i in part(0) {
                        let sample = samples[grid.index(i, j, k)];
                        *range = [range[0].min(sample), range[1].max(sample)];
                    }
                }
            }
            assert_eq!(volume.cells().ranges, ranges);
            let mut counts = vec![0; 1 << 16];
            for &sample in &samples {
                counts[(i32::from(sample) + 32768) as usize] += 1;
            }
            assert_eq!(**volume.histogram(), counts);
        }
    }

    #[test]
    fn sample_range_is_inclusive_and_survives_negative_slopes() {
        let rescale = Rescale { slope: 1.0, intercept: -1024.0 };
        assert_eq!(rescale.sample_range(300.0, 3071.0), Some((1324, 4095)));
        assert_eq!(Rescale { slope: -2.0, intercept: 0.0 }.sample_range(3.0, 8.0), Some((-4, -2)));
        assert_eq!(rescale.sample_range(1e9, 2e9), None);
        assert_eq!(rescale.sample_range(0.2, 0.8), None);
    }
}
