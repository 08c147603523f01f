//! How often values occur in a volume, for the panel behind a threshold, and the threshold that splits them best.
//!
//! In: `Volume::histogram` (a count for each sample value). Out: `Histogram` of rescaled values, Otsu's threshold.
//!
//! Source: Otsu, "A threshold selection method from gray-level histograms", IEEE Trans. SMC 9(1), 1979.

use super::volume::Volume;

/// Counts of equally wide bins of values.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Value at the lower edge of the first bin.
    pub lower: f64,
    /// Width of a bin, in values.
    pub bin_width: f64,
    /// Voxels in each bin, lowest values first.
    pub counts: Vec<u64>,
}

impl Histogram {
    /// The histogram of a volume's values in at most `bin_count` bins over the range that occurs. A bin holds a whole
    /// number of sample steps, so that no bin is favoured by rounding.
    pub fn of(volume: &Volume, bin_count: usize) -> Self {
        let samples = volume.histogram();
        let (rescale, width) = (volume.rescale(), volume.rescale().slope.abs());
        let (Some(first), Some(last)) =
            (samples.iter().position(|&count| count > 0), samples.iter().rposition(|&count| count > 0))
        else {
            return Self { lower: 0.0, bin_width: width, counts: vec![0] };
        };
        let steps = (last - first + 1).div_ceil(bin_count.max(1));
        let bins: Box<dyn Iterator<Item = &[u64]>> = if rescale.slope > 0.0 {
            Box::new(samples[first..=last].chunks(steps))
        } else {
            Box::new(samples[first..=last].rchunks(steps))
        };
        let lowest = if rescale.slope > 0.0 { first } else { last };
        let lowest_sample = lowest as f64 + f64::from(i16::MIN);
        Self {
            lower: rescale.value(lowest_sample) - width / 2.0,
            bin_width: width * steps as f64,
            counts: bins.map(|bin| bin.iter().sum()).collect(),
        }
    }

    /// Value at the upper edge of the last bin.
    pub fn upper(&self) -> f64 {
        self.lower + self.bin_width * self.counts.len() as f64
    }

    /// Value in the middle of a bin.
    pub fn value_of_bin(&self, bin: usize) -> f64 {
        self.lower + self.bin_width * (bin as f64 + 0.5)
    }

    /// The value below which a fraction of the voxels lies (0 to 1), to one bin.
    pub fn quantile(&self, fraction: f64) -> f64 {
        let total: u64 = self.counts.iter().sum();
        let wanted = (total as f64 * fraction.clamp(0.0, 1.0)).ceil() as u64;
        let mut seen = 0;
        for (bin, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted && seen > 0 {
                return self.value_of_bin(bin);
            }
        }
        self.upper()
    }

    /// Otsu's threshold: the lower edge of the first bin of the upper class. `None` when all values fall into one bin.
    pub fn otsu(&self) -> Option<f64> {
        let total: f64 = self.counts.iter().map(|&count| count as f64).sum();
        let moment: f64 = self.counts.iter().enumerate().map(|(bin, &count)| bin as f64 * count as f64).sum();
        let (mut below, mut moment_below) = (0.0, 0.0);
        let mut best: Option<(f64, usize)> = None;
        for (bin, &count) in self.counts.iter().enumerate() {
            below += count as f64;
            moment_below += bin as f64 * count as f64;
            let above = total - below;
            if below == 0.0 || above == 0.0 {
                continue;
            }
            let distance = moment_below / below - (moment - moment_below) / above;
            let between = below * above * distance * distance;
            if best.is_none_or(|(found, _)| between > found) {
                best = Some((between, bin + 1));
            }
        }
        best.map(|(_, bin)| self.lower + self.bin_width * bin as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::grid::Grid;
    use crate::domain::volume::{Quantity, Rescale};
    use glam::DVec3;

    fn volume(samples: Vec<i16>, rescale: Rescale) -> Volume {
        let grid = Grid::axis_aligned([samples.len() as u32, 1, 1], DVec3::ONE, DVec3::ZERO).expect("valid grid");
        Volume::new(grid, samples, rescale, Quantity::Hounsfield)
    }

    #[test]
    fn bins_cover_the_values_that_occur() {
        let histogram = Histogram::of(&volume(vec![-3, -3, 0, 4], Rescale::IDENTITY), 4);
        assert_eq!((histogram.lower, histogram.bin_width), (-3.5, 2.0));
        assert_eq!(histogram.counts, [2, 1, 0, 1]);
        let turned = Histogram::of(&volume(vec![-3, -3, 0, 4], Rescale { slope: -2.0, intercept: 1.0 }), 100);
        assert_eq!((turned.lower, turned.upper()), (-8.0, 8.0));
        assert_eq!(turned.counts, [1, 0, 0, 0, 1, 0, 0, 2]);
        assert_eq!(turned.quantile(0.5), 1.0);
    }

    #[test]
    fn otsu_splits_two_tissues() {
        let samples: Vec<i16> = (0..200).map(|n| if n < 120 { 40 + n % 9 } else { 800 + n % 50 }).collect();
        let split = Histogram::of(&volume(samples, Rescale::IDENTITY), 4096).otsu().expect("two classes");
        assert!(split > 48.0 && split < 800.0, "{split}");
        assert_eq!(Histogram::of(&volume(vec![5; 9], Rescale::IDENTITY), 256).otsu(), None);
    }
}
