//! Fills a volume from the slices of a series.
//!
//! In: a [`DicomPlan`] made by the scan. Out: a [`Volume`] and what was repaired on the way. Slices are read in parallel
//! straight into the volume's memory, the middle one first, so that it can be shown while the rest is read.
//!
//! Values: rescale per slice; where slices differ, samples are requantised once to one rescale and the largest error
//! is said. *Pixel Padding Value* (0028,0120) becomes air. Source: DICOM PS3.3 C.7.6.3, C.11.1.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::domain::grid::Grid;
use crate::domain::volume::{Quantity, Rescale, Volume};
use crate::io::import::requantise::{allocate, requantise_slices};
use crate::io::import::{ImportError, SlicePreview};
use crate::io::report::Report;
use crate::task::Progress;

use super::header::{PixelFormat, SliceHeader};
use super::pixels::{read_samples, sample_of_bits, sample_offset};

/// CT number of air outside the scanned circle.
const AIR_HU: f64 = -1024.0;
/// Previews handed out while loading, the middle slice not counted.
const PREVIEWS: usize = 12;

/// A series that can be read: its slices in order and their place.
#[derive(Debug, Clone)]
pub struct DicomPlan {
    /// Headers in slice order.
    pub slices: Vec<SliceHeader>,
    /// Size and place.
    pub grid: Grid,
}

impl DicomPlan {
    /// Whether the values are CT numbers.
    fn quantity(&self) -> Quantity {
        let first = &self.slices[0];
        let unit = first.rescale_type.to_ascii_uppercase();
        let says_hu = first.rescale.is_some() && matches!(unit.as_str(), "" | "HU" | "US");
        if first.info.modality == "CT" && says_hu { Quantity::Hounsfield } else { Quantity::Arbitrary }
    }

    /// `value = slope * sample + intercept` of one slice.
    fn rescale(&self, k: usize) -> Rescale {
        let header = &self.slices[k];
        let stored = header.rescale.filter(|rescale| rescale.slope != 0.0).unwrap_or(Rescale::IDENTITY);
        let offset = f64::from(sample_offset(&header.format));
        Rescale { slope: stored.slope, intercept: stored.intercept + stored.slope * offset }
    }

    fn slice_len(&self) -> usize {
        let [ni, nj, _] = self.grid.dims();
        ni as usize * nj as usize
    }
}

/// Reads one slice as it is stored, with its own rescale, for previews.
///
/// # Errors
/// When the file cannot be read.
pub fn read_slice(plan: &DicomPlan, k: usize) -> Result<SlicePreview, ImportError> {
    let mut samples = vec![0; plan.slice_len()];
    read_one(plan, k, &mut Vec::new(), &mut samples)?;
    Ok(preview(plan, k, &samples))
}

fn read_one(plan: &DicomPlan, k: usize, scratch: &mut Vec<u8>, samples: &mut [i16]) -> Result<(), ImportError> {
    let header = &plan.slices[k];
    read_samples(header, scratch, samples).map_err(|error| ImportError::file(&header.path, &error))
}

fn preview(plan: &DicomPlan, k: usize, samples: &[i16]) -> SlicePreview {
    let [ni, nj, nk] = plan.grid.dims();
    let spacing_mm = plan.grid.spacing_mm();
    SlicePreview {
        k: k as u32,
        slice_count: nk,
        width: ni,
        height: nj,
        spacing_mm: [spacing_mm.x, spacing_mm.y],
        samples: samples.to_vec(),
        rescale: plan.rescale(k),
    }
}

/// Reads all slices.
///
/// # Errors
/// When a file cannot be read, memory is short, or the work was cancelled; nothing is half done.
pub fn load_series(
    plan: &DicomPlan,
    report: &mut Report,
    progress: &Progress,
    on_slice: &(dyn Fn(SlicePreview) + Sync),
) -> Result<Volume, ImportError> {
    progress.phase("Reading slices");
    let (slice_len, count) = (plan.slice_len(), plan.slices.len());
    let mut samples = allocate(plan.grid.voxel_count())?;
    let (done, every) = (AtomicUsize::new(0), count.div_ceil(PREVIEWS).max(1));
    let middle = count / 2;
    let padded = AtomicU64::new(0);
    let read = |scratch: &mut Vec<u8>, k: usize, slice: &mut [i16]| -> Result<(), ImportError> {
        progress.check()?;
        read_one(plan, k, scratch, slice)?;
        padded.fetch_add(count_padding(&plan.slices[k].format, slice), Ordering::Relaxed);
        if k == middle || k.is_multiple_of(every) {
            on_slice(preview(plan, k, slice));
        }
        Ok(progress.step(done.fetch_add(1, Ordering::Relaxed) + 1, count)?)
    };
    read(&mut Vec::new(), middle, &mut samples[middle * slice_len..(middle + 1) * slice_len])?;
    samples
        .par_chunks_mut(slice_len)
        .enumerate()
        .filter(|(k, _)| *k != middle)
        .try_for_each_init(Vec::new, |scratch, (k, slice)| read(scratch, k, slice))?;
    finish(plan, samples, padded.into_inner(), report)
}

/// One rescale for all, padding to air, inversion.
fn finish(plan: &DicomPlan, mut samples: Vec<i16>, padded: u64, report: &mut Report) -> Result<Volume, ImportError> {
    let quantity = plan.quantity();
    describe_values(plan, quantity, report);
    if padded > 0 {
        replace_padding(plan, quantity, &mut samples, padded, report);
    }
    let rescales: Vec<Rescale> = (0..plan.slices.len()).map(|k| plan.rescale(k)).collect();
    let rescale = if rescales.iter().all(|rescale| *rescale == rescales[0]) {
        rescales[0]
    } else {
        let (rescale, error) = requantise_slices(&mut samples, plan.slice_len(), &rescales);
        report.repaired(format!(
            "the slices have different rescales and were brought to one; no value changed by more than {error:.3}{}",
            with_space(quantity.unit())
        ));
        rescale
    };
    if plan.slices[0].format.photometric == "MONOCHROME1" && quantity != Quantity::Hounsfield {
        let sum = inversion_sum(&plan.slices[0].format);
        samples.par_iter_mut().for_each(|sample| *sample = (sum - i32::from(*sample)) as i16);
        report.repaired("the images are stored as negatives (MONOCHROME1) and were inverted");
    }
    if !(rescale.slope.is_finite() && rescale.intercept.is_finite() && rescale.slope != 0.0) {
        return Err(ImportError::file(&plan.slices[0].path, "gives a rescale that is no number"));
    }
    Ok(Volume::new(plan.grid, samples, rescale, quantity))
}

fn with_space(unit: &str) -> String {
    if unit.is_empty() { String::new() } else { format!(" {unit}") }
}

/// Lowest plus highest sample that the format can store, so that `sum - sample` stays inside it.
fn inversion_sum(format: &PixelFormat) -> i32 {
    if format.signed || sample_offset(format) != 0 { -1 } else { (1 << format.bits_stored) - 1 }
}

fn describe_values(plan: &DicomPlan, quantity: Quantity, report: &mut Report) {
    let first = &plan.slices[0];
    let is_ct = first.info.modality == "CT";
    if is_ct && first.rescale.is_none() {
        report.warning("the files give no rescale, so the values are not called HU");
    } else if is_ct && quantity != Quantity::Hounsfield {
        report.warning(format!("the values are in {}, not in HU", first.rescale_type));
    }
    if first.rescale.is_some_and(|rescale| rescale.slope == 0.0) {
        report.warning("the files give a rescale slope of 0, which cannot be; 1 was used");
    }
    if is_ct && quantity == Quantity::Hounsfield && first.format.photometric == "MONOCHROME1" {
        report.warning("the files ask to be shown as negatives (MONOCHROME1); the CT numbers are kept as stored");
    }
    if plan.slices.iter().any(|header| header.is_lossy) {
        report.warning("the images have been compressed with loss; small detail may be gone");
    }
}

/// The samples that are padding, as an inclusive range; `None` where the files name none.
fn padding_range(format: &PixelFormat) -> Option<(i16, i16)> {
    let (value, limit) = format.padding?;
    let (a, b) = (sample_of_bits(value, format), sample_of_bits(limit, format));
    Some((a.min(b), a.max(b)))
}

fn count_padding(format: &PixelFormat, slice: &[i16]) -> u64 {
    let Some((low, high)) = padding_range(format) else { return 0 };
    slice.iter().filter(|sample| (low..=high).contains(*sample)).count() as u64
}

fn replace_padding(plan: &DicomPlan, quantity: Quantity, samples: &mut [i16], padded: u64, report: &mut Report) {
    let slice_len = plan.slice_len();
    let smallest = |(k, slice): (usize, &[i16])| {
        let range = padding_range(&plan.slices[k].format);
        let kept = slice.iter().filter(|sample| range.is_none_or(|(low, high)| !(low..=high).contains(*sample)));
        kept.min().map(|&sample| plan.rescale(k).value(f64::from(sample)))
    };
    let air = if quantity == Quantity::Hounsfield {
        AIR_HU
    } else {
        let smallest = samples.par_chunks(slice_len).enumerate().filter_map(smallest);
        smallest.min_by(f64::total_cmp).unwrap_or(0.0)
    };
    let highest_padding = AtomicU64::new(f64::NEG_INFINITY.to_bits());
    let changed: u64 = samples
        .par_chunks_mut(slice_len)
        .enumerate()
        .map(|(k, slice)| {
            let Some((low, high)) = padding_range(&plan.slices[k].format) else { return 0 };
            let rescale = plan.rescale(k);
            let target = rescale.sample(air).round().clamp(f64::from(i16::MIN), f64::from(i16::MAX)) as i16;
            let value = rescale.value(f64::from(high)).max(rescale.value(f64::from(low)));
            if k == 0 {
                highest_padding.store(value.to_bits(), Ordering::Relaxed);
            }
            let padding = slice.iter_mut().filter(|sample| (low..=high).contains(*sample) && **sample != target);
            padding.map(|sample| *sample = target).count() as u64
        })
        .sum();
    if changed == 0 {
        return;
    }
    let percent = 100.0 * padded as f64 / samples.len() as f64;
    let text = format!("{padded} voxels ({percent:.1} %) are marked as padding and were set to air ({air:.0})");
    // Padding with a value that tissue has is unusual: somebody should look.
    if quantity == Quantity::Hounsfield && f64::from_bits(highest_padding.into_inner()) > -500.0 {
        report.warning(text);
    } else {
        report.repaired(text);
    }
}
