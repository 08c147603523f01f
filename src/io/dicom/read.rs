//! Fills a volume from the slices of a series.
//!
//! In: a [`DicomPlan`] made by the scan. Out: a [`Volume`] and what was repaired on the way. Slices are read in parallel
//! straight into the volume's memory, the middle one first, so that it can be shown while the rest is read.
//!
//! Values: rescale per slice; where slices differ, samples are requantised once to one rescale and the largest error
//! is said. *Pixel Padding Value* (0028,0120) becomes air. Source: DICOM PS3.3 C.7.6.3, C.11.1.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use crate::domain::grid::Grid;
use crate::domain::volume::summary::{SampleCounts, SliceRanges, empty_histogram, slice_ranges, stacked};
use crate::domain::volume::{Quantity, Rescale, Samples, Volume};
use crate::io::import::options::{Gaps, ImportOptions};
use crate::io::import::requantise::{allocate, requantise_slices};
use crate::io::import::{ImportError, SlicePreview};
use crate::io::report::Report;
use crate::task::Progress;

use super::geometry::{Plane, SliceSource, TILT_SAID_DEG};
use super::header::{PixelFormat, SliceHeader};
use super::meaning::{self, Meaning};
use super::pixels::{self, PADDING_MARK, read_samples, sample_of_bits, sample_offset};
use super::resample::{Straightening, blend, fill, tilt_deg};
use super::wide;

/// CT number of air outside the scanned circle.
pub(super) const AIR_HU: f64 = -1024.0;
/// Previews handed out while loading, the middle slice not counted.
const PREVIEWS: usize = 12;

/// A series that can be read: its images in order and the volume that they make.
#[derive(Debug, Clone)]
pub struct DicomPlan {
    /// Headers in slice order.
    pub slices: Vec<SliceHeader>,
    /// Where each slice of the volume comes from; `None` when they are the images in order.
    pub filling: Option<Vec<SliceSource>>,
    /// Size and place of the slices, filled ones included, leaning as the gantry did.
    pub leaning: Grid,
    /// How they are brought upright, when the user chose it.
    straightening: Option<Straightening>,
    /// What the stored values stand for.
    pub(super) meaning: Meaning,
    /// What the user chose.
    pub options: ImportOptions,
}

impl DicomPlan {
    /// A plan for slices in order on a grid.
    pub fn new(
        slices: Vec<SliceHeader>,
        filling: Option<Vec<SliceSource>>,
        leaning: Grid,
        options: ImportOptions,
    ) -> Self {
        let is_tilted = options.straighten && tilt_deg(&leaning) > TILT_SAID_DEG;
        let straightening = is_tilted.then(|| Straightening::of(&leaning)).flatten();
        let meaning = Meaning::of(&slices);
        Self { slices, filling, leaning, straightening, meaning, options }
    }

    /// Size and place of the volume.
    pub fn grid(&self) -> Grid {
        self.straightening.map_or(self.leaning, |straightening| straightening.grid)
    }

    /// Whether the slices lean and stay so.
    pub fn is_leaning(&self) -> bool {
        self.straightening.is_none() && tilt_deg(&self.leaning) > TILT_SAID_DEG
    }

    /// Whether the slices lean and are brought upright.
    pub fn is_straightened(&self) -> bool {
        self.straightening.is_some()
    }

    /// `value = slope * sample + intercept` of one image.
    fn rescale(&self, k: usize) -> Rescale {
        self.meaning.sample_rescale(&self.slices[k])
    }

    /// Whether the images are negatives that are turned round; CT numbers are what they are.
    fn is_inverted(&self) -> bool {
        self.slices[0].file.format.photometric == "MONOCHROME1" && self.meaning.quantity == Quantity::Arbitrary
    }

    /// Whether windows that the files suggest are meant for the values that the volume gets: not for those of real-world maps,
    /// nor for negatives that were turned round.
    pub fn keeps_windows(&self) -> bool {
        self.meaning.real_world_unit.is_none() && !self.is_inverted()
    }

    /// Whether stored values do not fit samples as they are.
    fn is_wide(&self) -> bool {
        self.slices.iter().any(|header| wide::is_wide(header, &self.meaning))
    }

    pub(super) fn slice_len(&self) -> usize {
        let format = &self.slices[0].file.format;
        format.columns as usize * format.rows as usize
    }
}

/// Reads one slice as it is stored, with its own rescale, for previews.
///
/// # Errors
/// When the file cannot be read.
pub fn read_slice(plan: &DicomPlan, k: usize) -> Result<SlicePreview, ImportError> {
    if plan.is_wide() {
        let header = &plan.slices[k];
        let alone = wide::read_alone(header, &plan.meaning);
        let (samples, rescale) = alone.map_err(|error| ImportError::file(&header.file.path, &error))?;
        return Ok(SlicePreview { rescale, ..preview(plan, k, &samples) });
    }
    let mut samples = vec![0; plan.slice_len()];
    read_one(plan, k, &mut Vec::new(), &mut samples)?;
    Ok(preview(plan, k, &samples))
}

/// One image by itself, of a series that is no stack; `None` where it cannot be read.
pub fn lone_slice(header: &SliceHeader) -> Option<SlicePreview> {
    pixels::check(header).ok()?;
    let plane = Plane::of(header).ok()?;
    let format = &header.file.format;
    let meaning = Meaning::of(std::slice::from_ref(header));
    let (samples, rescale) = if wide::is_wide(header, &meaning) {
        wide::read_alone(header, &meaning).ok()?
    } else {
        let mut samples = vec![0; format.columns as usize * format.rows as usize];
        read_samples(header, meaning.goes_by_lut(header), &mut Vec::new(), &mut samples).ok()?;
        (samples, meaning.sample_rescale(header))
    };
    Some(SlicePreview {
        k: 0,
        slice_count: 1,
        width: format.columns,
        height: format.rows,
        spacing_mm: plane.spacing_mm,
        samples,
        rescale,
    })
}

fn read_one(plan: &DicomPlan, k: usize, scratch: &mut Vec<u8>, samples: &mut [i16]) -> Result<(), ImportError> {
    let header = &plan.slices[k];
    let by_lut = plan.meaning.goes_by_lut(header);
    read_samples(header, by_lut, scratch, samples).map_err(|error| ImportError::file(&header.file.path, &error))
}

fn preview(plan: &DicomPlan, k: usize, samples: &[i16]) -> SlicePreview {
    let spacing_mm = plan.leaning.spacing_mm();
    let format = &plan.slices[0].file.format;
    SlicePreview {
        k: k as u32,
        slice_count: plan.slices.len() as u32,
        width: format.columns,
        height: format.rows,
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
    if plan.is_wide() {
        let (values, lost) = wide::load(plan, report, progress, on_slice)?;
        return shape(plan, values, lost, report);
    }
    progress.phase("Reading slices");
    let (slice_len, count) = (plan.slice_len(), plan.slices.len());
    let mut samples = allocate(slice_len * count)?;
    let (done, every) = (AtomicUsize::new(0), count.div_ceil(PREVIEWS).max(1));
    let middle = count / 2;
    let padded = AtomicU64::new(0);
    let lost: Mutex<Vec<(usize, String)>> = Mutex::new(Vec::new());
    let read = |scratch: &mut Vec<u8>, k: usize, slice: &mut [i16]| -> Result<(), ImportError> {
        progress.check()?;
        match read_one(plan, k, scratch, slice) {
            Err(error) if plan.options.gaps == Gaps::Fill && !matches!(error, ImportError::Cancelled(_)) => {
                lost.lock().unwrap_or_else(PoisonError::into_inner).push((k, error.to_string()));
                return Ok(());
            }
            read => read?,
        }
        padded.fetch_add(count_padding(&plan.slices[k], &plan.meaning, slice), Ordering::Relaxed);
        if k == middle || k.is_multiple_of(every) {
            on_slice(preview(plan, k, slice));
        }
        Ok(progress.step(done.fetch_add(1, Ordering::Relaxed) + 1, count)?)
    };
    read(&mut Vec::new(), middle, &mut samples[middle * slice_len..(middle + 1) * slice_len])?;
    let width = plan.slices[0].file.format.columns as usize;
    let part = samples
        .par_chunks_mut(slice_len)
        .with_min_len(count.div_ceil(PARTS_PER_WORKER * rayon::current_num_threads()))
        .enumerate()
        .try_fold(Part::default, |mut part, (k, slice)| {
            if k != middle {
                read(&mut part.scratch, k, slice)?;
            }
            part.take(k, slice, width);
            Ok::<Part, ImportError>(part)
        })
        .try_reduce(Part::default, |a, b| Ok(a.and(b)))?;
    let lost = lost.into_inner().unwrap_or_else(PoisonError::into_inner);
    let values = one_rescale(plan, samples, padded.into_inner(), report)?;
    let is_as_read = values.is_as_read && lost.is_empty() && plan.filling.is_none() && plan.straightening.is_none();
    let volume = shape(plan, values, lost, report)?;
    Ok(if is_as_read { part.summarise(volume) } else { volume })
}

/// Parts of a series for each worker: each counts its values in a table of a megabyte.
const PARTS_PER_WORKER: usize = 4;

/// What one worker has read: its buffer, and cells and counts of its slices.
#[derive(Default)]
struct Part {
    scratch: Vec<u8>,
    /// One of its own as soon as it has a slice, and those of the parts that joined it: none is made for a part without slices.
    counts: Vec<SampleCounts>,
    ranges: Vec<(usize, SliceRanges)>,
}

impl Part {
    /// Takes cells and counts of a slice while it is in the cache.
    fn take(&mut self, k: usize, slice: &[i16], width: usize) {
        if self.counts.is_empty() {
            self.counts.push(SampleCounts::default());
        }
        self.counts[0].add(slice);
        self.ranges.push((k, slice_ranges(slice, width)));
    }

    fn and(mut self, other: Self) -> Self {
        self.counts.extend(other.counts);
        self.ranges.extend(other.ranges);
        self
    }

    fn summarise(mut self, volume: Volume) -> Volume {
        self.ranges.sort_unstable_by_key(|(k, _)| *k);
        let ranges: Vec<SliceRanges> = self.ranges.into_iter().map(|(_, ranges)| ranges).collect();
        let mut histogram = empty_histogram();
        for counts in &self.counts {
            counts.add_to(&mut histogram);
        }
        let cells = stacked(volume.grid().dims(), &ranges);
        volume.with_summary(cells, histogram)
    }
}

/// Samples of the images with one meaning.
pub(super) struct Values {
    pub(super) samples: Samples,
    /// Nothing was changed since they were read.
    pub(super) is_as_read: bool,
    pub(super) rescale: Rescale,
    pub(super) quantity: Quantity,
}

/// Fills lost and missing slices and brings leaning ones upright, as the plan says.
fn shape(
    plan: &DicomPlan,
    values: Values,
    mut lost: Vec<(usize, String)>,
    report: &mut Report,
) -> Result<Volume, ImportError> {
    let Values { mut samples, rescale, quantity, .. } = values;
    let slice_len = plan.slice_len();
    lost.sort();
    let is_lost: HashSet<usize> = lost.iter().map(|(k, _)| *k).collect();
    for (k, reason) in lost {
        let before = (0..k).rev().find(|n| !is_lost.contains(n));
        let after = (k + 1..plan.slices.len()).find(|n| !is_lost.contains(n));
        let (Some(before), Some(after)) = (before, after) else { return Err(ImportError::Refused(reason)) };
        let weight = (k - before) as f64 / (after - before) as f64;
        let mut made = vec![0; slice_len];
        let image = |n: usize| &samples[n * slice_len..(n + 1) * slice_len];
        blend(image(before), image(after), weight, &mut made);
        samples[k * slice_len..(k + 1) * slice_len].copy_from_slice(&made);
        report.warning(format!("slice {} is made up between its neighbours: {reason}", k + 1));
    }
    if let Some(sources) = &plan.filling {
        samples = fill(&samples, slice_len, sources).into();
    }
    if let Some(straightening) = plan.straightening {
        let air = if quantity == Quantity::Hounsfield { Some(rescale.sample(AIR_HU)) } else { None };
        let lowest = || samples.iter().copied().min().unwrap_or(0);
        let outside = air.map_or_else(lowest, |air| air.round().clamp(f64::from(i16::MIN), f64::from(i16::MAX)) as i16);
        samples = straightening.apply(&samples, &plan.leaning, outside).into();
        report
            .warning("the slices of the tilted gantry were brought upright: values are interpolated inside each slice");
    }
    Ok(Volume::of_samples(plan.grid(), samples, rescale, quantity))
}

/// One rescale for all, padding to air, inversion.
fn one_rescale(
    plan: &DicomPlan,
    mut samples: Samples,
    padded: u64,
    report: &mut Report,
) -> Result<Values, ImportError> {
    let quantity = plan.meaning.quantity;
    meaning::describe(&plan.slices, &plan.meaning, report);
    let mut is_as_read = padded == 0;
    if padded > 0 {
        replace_padding(plan, quantity, &mut samples, padded, report);
    }
    // Before slices are brought to one rescale: what a negative is turned round in is the range of the stored values.
    if plan.is_inverted() {
        let first = &plan.slices[0];
        let sum = if plan.meaning.goes_by_lut(first) { -1 } else { inversion_sum(&first.file.format) };
        is_as_read = false;
        samples.par_iter_mut().for_each(|sample| *sample = (sum - i32::from(*sample)) as i16);
        report.repaired("the images are stored as negatives (MONOCHROME1) and were inverted");
    }
    let rescales: Vec<Rescale> = (0..plan.slices.len()).map(|k| plan.rescale(k)).collect();
    let rescale = if rescales.iter().all(|rescale| *rescale == rescales[0]) {
        rescales[0]
    } else {
        is_as_read = false;
        let (rescale, error) = requantise_slices(&mut samples, plan.slice_len(), &rescales);
        report.repaired(format!(
            "the slices have different rescales and were brought to one; no value changed by more than {error:.3}{}",
            with_space(quantity.unit())
        ));
        rescale
    };
    if !(rescale.slope.is_finite() && rescale.intercept.is_finite() && rescale.slope != 0.0) {
        return Err(ImportError::file(&plan.slices[0].file.path, "gives a rescale that is no number"));
    }
    Ok(Values { samples, is_as_read, rescale, quantity })
}

pub(super) fn with_space(unit: &str) -> String {
    if unit.is_empty() { String::new() } else { format!(" {unit}") }
}

/// Lowest plus highest sample that the format can store, so that `sum - sample` stays inside it.
fn inversion_sum(format: &PixelFormat) -> i32 {
    if format.signed || sample_offset(format) != 0 { -1 } else { (1 << format.bits_stored) - 1 }
}

/// The samples that are padding, as an inclusive range; `None` where the files name none, or a table gave it a value.
fn padding_range(header: &SliceHeader, meaning: &Meaning) -> Option<(i16, i16)> {
    let format = &header.file.format;
    let (value, limit) = format.padding.filter(|_| !meaning.goes_by_lut(header))?;
    if pixels::is_padding_outside(format) {
        return Some((PADDING_MARK, PADDING_MARK));
    }
    let (a, b) = (sample_of_bits(value, format), sample_of_bits(limit, format));
    Some((a.min(b), a.max(b)))
}

fn count_padding(header: &SliceHeader, meaning: &Meaning, slice: &[i16]) -> u64 {
    let Some((low, high)) = padding_range(header, meaning) else { return 0 };
    slice.iter().filter(|sample| (low..=high).contains(*sample)).count() as u64
}

fn replace_padding(plan: &DicomPlan, quantity: Quantity, samples: &mut [i16], padded: u64, report: &mut Report) {
    let slice_len = plan.slice_len();
    // What will be darkest: of a negative, the highest.
    let darker = |a: &f64, b: &f64| if plan.is_inverted() { b.total_cmp(a) } else { a.total_cmp(b) };
    let smallest = |(k, slice): (usize, &[i16])| {
        let range = padding_range(&plan.slices[k], &plan.meaning);
        let kept = slice.iter().filter(|sample| range.is_none_or(|(low, high)| !(low..=high).contains(*sample)));
        kept.map(|&sample| plan.rescale(k).value(f64::from(sample))).min_by(darker)
    };
    let air = if quantity == Quantity::Hounsfield {
        AIR_HU
    } else {
        let smallest = samples.par_chunks(slice_len).enumerate().filter_map(smallest);
        smallest.min_by(darker).unwrap_or(0.0)
    };
    let highest_padding = AtomicU64::new(f64::NEG_INFINITY.to_bits());
    let changed: u64 = samples
        .par_chunks_mut(slice_len)
        .enumerate()
        .map(|(k, slice)| {
            let Some((low, high)) = padding_range(&plan.slices[k], &plan.meaning) else { return 0 };
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
