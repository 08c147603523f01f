//! Brings values that 16 bits cannot hold as they are to one rescale, once, and says the largest error.

use rayon::prelude::*;

use crate::domain::volume::{Rescale, Samples};

use super::ImportError;

/// Memory for a volume, zeroed.
///
/// # Errors
/// When there is not enough.
pub fn allocate(voxel_count: usize) -> Result<Samples, ImportError> {
    let short = ImportError::Memory { megabytes: voxel_count >> 19 };
    // The system promises more than it has, and ends the program when the promise falls due.
    if available_bytes().is_some_and(|bytes| voxel_count as u64 > bytes / size_of::<i16>() as u64) {
        return Err(short);
    }
    Samples::zeroed(voxel_count).ok_or(short)
}

/// Memory that can be had without swapping, where the system tells. Source: proc(5), `MemAvailable`.
fn available_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}

/// Gives all slices one rescale; `rescales` has one for each slice. Returns it with the largest change of a value.
/// Exact where the slopes agree and the intercepts differ by whole steps that fit.
pub fn requantise_slices(samples: &mut [i16], slice_len: usize, rescales: &[Rescale]) -> (Rescale, f64) {
    let ranges: Vec<(i16, i16)> = samples
        .par_chunks(slice_len)
        .map(|slice| slice.iter().fold((i16::MAX, i16::MIN), |(low, high), &s| (low.min(s), high.max(s))))
        .collect();
    let values = ranges
        .iter()
        .zip(rescales)
        .flat_map(|(&(low, high), rescale)| [rescale.value(f64::from(low)), rescale.value(f64::from(high))]);
    let (lower, upper) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, u), v| (l.min(v), u.max(v)));
    let target = common_rescale(rescales, lower, upper);
    let error = samples
        .par_chunks_mut(slice_len)
        .zip(rescales)
        .map(|(slice, rescale)| {
            slice.iter_mut().fold(0.0, |worst: f64, sample| {
                let value = rescale.value(f64::from(*sample));
                *sample = quantised(target, value);
                worst.max((target.value(f64::from(*sample)) - value).abs())
            })
        })
        .reduce(|| 0.0, f64::max);
    (target, error)
}

/// The rescale that spreads `lower..=upper` over all samples.
pub fn spread(lower: f64, upper: f64) -> Rescale {
    let slope = (upper - lower) / 65535.0;
    if slope > 0.0 && slope.is_finite() {
        Rescale { slope, intercept: lower - slope * f64::from(i16::MIN) }
    } else {
        Rescale { slope: 1.0, intercept: lower }
    }
}

/// How numbers from `lower` to `upper` become samples, and whether exactly: as they are, shifted, or spread.
pub fn fitting(lower: f64, upper: f64, is_whole: bool) -> (Rescale, bool) {
    let (least, most) = (f64::from(i16::MIN), f64::from(i16::MAX));
    if is_whole && lower >= least && upper <= most {
        return (Rescale::IDENTITY, true);
    }
    if is_whole && upper - lower <= most - least {
        return (Rescale { slope: 1.0, intercept: lower - least }, true);
    }
    (spread(lower, upper), lower == upper)
}

/// The sample nearest to a value.
#[inline]
pub fn quantised(rescale: Rescale, value: f64) -> i16 {
    rescale.sample(value).round().clamp(f64::from(i16::MIN), f64::from(i16::MAX)) as i16
}

fn common_rescale(rescales: &[Rescale], lower: f64, upper: f64) -> Rescale {
    let first = rescales[0];
    let whole_steps = rescales.iter().all(|rescale| {
        let steps = (rescale.intercept - first.intercept) / first.slope;
        rescale.slope == first.slope && (steps - steps.round()).abs() < 1e-9
    });
    let fits = [lower, upper]
        .iter()
        .all(|&value| (f64::from(i16::MIN)..=f64::from(i16::MAX)).contains(&first.sample(value).round()));
    if whole_steps && fits { first } else { spread(lower, upper) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_steps_stay_exact_and_others_say_their_error() {
        let mut samples = vec![0, 100, 0, 100];
        let steps = [Rescale { slope: 2.0, intercept: -10.0 }, Rescale { slope: 2.0, intercept: 30.0 }];
        let (rescale, error) = requantise_slices(&mut samples, 2, &steps);
        assert_eq!((rescale, error), (steps[0], 0.0));
        assert_eq!(samples, [0, 100, 20, 120]);

        let mut samples = vec![0, 1000, 0, 1000];
        let slopes = [Rescale { slope: 1.0, intercept: 0.0 }, Rescale { slope: 3.3, intercept: 0.0 }];
        let (rescale, error) = requantise_slices(&mut samples, 2, &slopes);
        assert!(error <= 3300.0 / 65535.0 / 2.0 + 1e-9 && error > 0.0, "{error}");
        assert!((rescale.value(f64::from(samples[3])) - 3300.0).abs() <= error + 1e-9);
        assert!((rescale.value(f64::from(samples[1])) - 1000.0).abs() <= error + 1e-9);
    }
}
