//! Stored values that do not fit a sample as they are: 32-bit whole numbers, floating-point numbers, values of real-world tables.
//!
//! In: a series of such images. Out: 16-bit samples with one rescale. Two passes over the files, so that memory stays at the
//! volume's own size: the first finds the range, the second fills. Whole numbers that span at most 65536 stay exact; all else is
//! spread over 65536 steps of equal size between its lowest and highest value, so no value changes by more than half a step,
//! which is said. What is no number (NaN, infinity) or marked as padding becomes air or the lowest value, and is counted.
//!
//! Source: DICOM PS3.3 C.7.6.24 (floating-point pixels), C.7.6.25 (double), PS3.5 8.1.1.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::domain::volume::{Quantity, Rescale, Samples};
use crate::io::import::options::Gaps;
use crate::io::import::requantise::{allocate, fitting, quantised};
use crate::io::import::{ImportError, SlicePreview};
use crate::io::report::Report;
use crate::task::Progress;

use super::header::{FileHeader, SliceHeader};
use super::layout::Numbers;
use super::meaning::Meaning;
use super::pixels::{self, PixelError};
use super::read::{AIR_HU, DicomPlan, Values, with_space};
use super::real_world::covers;

/// Pictures are drawn with 32-bit numbers: these keep a distance from their ends.
const LARGEST: f64 = 1e30;
const SMALLEST: f64 = 1e-30;
/// Steps between the 1st and the 99th percentile of what differs from the commonest value, below which a person should know.
const FEW_STEPS: usize = 200;

/// The stored values of one frame.
///
/// # Errors
/// As [`pixels::read_samples`].
pub(super) fn stored(file: &FileHeader, frame: u32, scratch: &mut Vec<u8>) -> Result<Vec<f64>, PixelError> {
    if !pixels::is_wide(file) {
        return pixels::stored_values(file, frame);
    }
    let count = file.format.rows as usize * file.format.columns as usize;
    let (format, is_big_endian) = pixels::read_bytes(file, frame, count, scratch)?;
    let (fours, _) = scratch.as_chunks::<4>();
    let word = |four: &[u8; 4]| if is_big_endian { u32::from_be_bytes(*four) } else { u32::from_le_bytes(*four) };
    Ok(match file.pixels.map(|span| span.numbers).unwrap_or_default() {
        Numbers::Float => fours.iter().map(|four| f64::from(f32::from_bits(word(four)))).collect(),
        Numbers::Double => {
            let (eights, _) = scratch.as_chunks::<8>();
            let number = |b: &[u8; 8]| if is_big_endian { f64::from_be_bytes(*b) } else { f64::from_le_bytes(*b) };
            eights.iter().map(number).collect()
        }
        Numbers::Whole => {
            let (shift, unused) = (format.high_bit + 1 - format.bits_stored, 32 - format.bits_stored);
            let unsigned = |bits: u32| f64::from(((bits >> shift) << unused) >> unused);
            let signed = |bits: u32| f64::from((((bits >> shift) << unused) as i32) >> unused);
            fours.iter().map(|four| if format.signed { signed(word(four)) } else { unsigned(word(four)) }).collect()
        }
    })
}

/// Whether a series is read here.
pub(super) fn is_wide(header: &SliceHeader, meaning: &Meaning) -> bool {
    pixels::is_wide(&header.file) || meaning.is_bent(header)
}

/// One image by itself, on a scale of its own.
pub(super) fn read_alone(header: &SliceHeader, meaning: &Meaning) -> Result<(Vec<i16>, Rescale), PixelError> {
    let numbers = numbers(header, meaning, false, &mut Vec::new())?;
    let mut range = Range::default();
    range.take(&numbers);
    let (scale, _) = range.scale();
    let lowest = if range.lower <= range.upper { range.lower } else { 0.0 };
    let samples = numbers.values.iter().map(|&v| quantised(scale, if v.is_finite() { v } else { lowest })).collect();
    Ok((samples, scale))
}

/// What one image holds.
struct NumbersOf {
    /// Stored values or values; NaN where padding or no number.
    values: Vec<f64>,
    padded: u64,
    broken: u64,
    /// Pixels outside the range that the real-world maps are given for.
    unmapped: u64,
}

/// Reads an image: its stored values, or what they stand for.
fn numbers(
    header: &SliceHeader,
    meaning: &Meaning,
    as_stored: bool,
    scratch: &mut Vec<u8>,
) -> Result<NumbersOf, PixelError> {
    let mut values = stored(&header.file, header.frame, scratch)?;
    let padding = header.file.format.wide_padding.filter(|_| !meaning.goes_by_lut(header));
    let maps = meaning.maps(header);
    let (mut padded, mut broken, mut unmapped) = (0, 0, 0);
    for value in &mut values {
        if padding.is_some_and(|(low, high)| (low..=high).contains(value)) {
            padded += 1;
            *value = f64::NAN;
        } else if !value.is_finite() {
            broken += 1;
            *value = f64::NAN;
        } else {
            unmapped += u64::from(!maps.is_empty() && !covers(&maps, *value));
            if !as_stored {
                *value = meaning.value(header, &maps, *value);
            }
        }
    }
    Ok(NumbersOf { values, padded, broken, unmapped })
}

/// What the first pass finds.
#[derive(Clone, Copy)]
struct Range {
    lower: f64,
    upper: f64,
    is_whole: bool,
    padded: u64,
    broken: u64,
    unmapped: u64,
}

impl Default for Range {
    fn default() -> Self {
        Self { lower: f64::INFINITY, upper: f64::NEG_INFINITY, is_whole: true, padded: 0, broken: 0, unmapped: 0 }
    }
}

impl Range {
    fn take(&mut self, numbers: &NumbersOf) {
        for &value in numbers.values.iter().filter(|value| value.is_finite()) {
            (self.lower, self.upper) = (self.lower.min(value), self.upper.max(value));
            self.is_whole &= value.fract() == 0.0;
        }
        self.padded += numbers.padded;
        self.broken += numbers.broken;
        self.unmapped += numbers.unmapped;
    }

    fn and(self, other: Self) -> Self {
        Self {
            lower: self.lower.min(other.lower),
            upper: self.upper.max(other.upper),
            is_whole: self.is_whole && other.is_whole,
            padded: self.padded + other.padded,
            broken: self.broken + other.broken,
            unmapped: self.unmapped + other.unmapped,
        }
    }

    /// How numbers become samples, and whether exactly.
    fn scale(&self) -> (Rescale, bool) {
        if self.lower > self.upper {
            return (Rescale::IDENTITY, true);
        }
        fitting(self.lower, self.upper, self.is_whole)
    }
}

/// Reads all images. Also says which could not be read, where the user chose to make these up.
///
/// # Errors
/// When an image cannot be read, memory is short, the range of values is none, or the work was cancelled.
pub(super) fn load(
    plan: &DicomPlan,
    report: &mut Report,
    progress: &Progress,
    on_slice: &(dyn Fn(SlicePreview) + Sync),
) -> Result<(Values, Vec<(usize, String)>), ImportError> {
    super::meaning::describe(&plan.slices, &plan.meaning, report);
    if let Ok(slice) = super::read::read_slice(plan, plan.slices.len() / 2) {
        on_slice(slice);
    }
    // Where all images are one line of their stored values, these are what is kept as exactly as can be.
    let lines: Vec<Option<Rescale>> = plan.slices.iter().map(|header| plan.meaning.line(header)).collect();
    let outer = lines[0].filter(|line| lines.iter().all(|other| *other == Some(*line)));
    let reading = Reading { plan, as_stored: outer.is_some(), lost: Mutex::default() };
    let range = reading.range(progress)?;
    let outer = outer.unwrap_or(Rescale::IDENTITY);
    let (scale, is_exact) = range.scale();
    let rescale =
        Rescale { slope: outer.slope * scale.slope, intercept: outer.slope * scale.intercept + outer.intercept };
    let (a, b) = (outer.value(range.lower), outer.value(range.upper));
    let is_shown = |value: f64| value.abs() < LARGEST && (value == 0.0 || value.abs() > SMALLEST);
    if range.lower <= range.upper && !(is_shown(a) && is_shown(b) && is_shown(rescale.slope)) {
        let reason = format!("holds values from {:e} to {:e}, which no picture can show", a.min(b), a.max(b));
        return Err(ImportError::file(&plan.slices[0].file.path, &reason));
    }
    let lowest = if range.lower <= range.upper { range.lower } else { 0.0 };
    let is_ct = plan.meaning.quantity == Quantity::Hounsfield;
    let air = quantised(scale, if is_ct { outer.sample(AIR_HU) } else { lowest });
    let (mut samples, error) = reading.fill(scale, air, progress)?;
    report_range(plan, &range, if is_exact { 0.0 } else { error * outer.slope.abs() }, report);
    if !is_exact {
        warn_of_outliers(&samples, report);
    }
    if plan.slices[0].file.format.photometric == "MONOCHROME1" && plan.meaning.quantity == Quantity::Arbitrary {
        let sum = i32::from(quantised(scale, range.lower)) + i32::from(quantised(scale, range.upper));
        samples.par_iter_mut().for_each(|sample| {
            *sample = (sum - i32::from(*sample)).clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16;
        });
        report.repaired("the images are stored as negatives (MONOCHROME1) and were inverted");
    }
    let quantity = plan.meaning.quantity;
    let lost = reading.lost.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok((Values { samples, is_as_read: false, rescale, quantity }, lost))
}

/// Both passes over the images of a series.
struct Reading<'a> {
    plan: &'a DicomPlan,
    as_stored: bool,
    lost: Mutex<Vec<(usize, String)>>,
}

impl Reading<'_> {
    fn numbers(&self, k: usize) -> Result<Option<NumbersOf>, ImportError> {
        let header = &self.plan.slices[k];
        match numbers(header, &self.plan.meaning, self.as_stored, &mut Vec::new()) {
            Ok(numbers) => Ok(Some(numbers)),
            Err(error) if self.plan.options.gaps == Gaps::Fill => {
                let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
                if lost.iter().all(|(other, _)| *other != k) {
                    lost.push((k, ImportError::file(&header.file.path, &error).to_string()));
                }
                Ok(None)
            }
            Err(error) => Err(ImportError::file(&header.file.path, &error)),
        }
    }

    fn range(&self, progress: &Progress) -> Result<Range, ImportError> {
        progress.phase("Finding the range of values");
        let (count, done) = (self.plan.slices.len(), AtomicUsize::new(0));
        let one = |k: usize| -> Result<Range, ImportError> {
            progress.step(done.fetch_add(1, Ordering::Relaxed), count)?;
            let mut range = Range::default();
            if let Some(numbers) = self.numbers(k)? {
                range.take(&numbers);
            }
            Ok(range)
        };
        (0..count).into_par_iter().map(one).try_reduce(Range::default, |a, b| Ok(a.and(b)))
    }

    /// All samples, and the largest change of a number.
    fn fill(&self, scale: Rescale, air: i16, progress: &Progress) -> Result<(Samples, f64), ImportError> {
        progress.phase("Reading slices");
        let (slice_len, count, done) = (self.plan.slice_len(), self.plan.slices.len(), AtomicUsize::new(0));
        let mut samples = allocate(slice_len * count)?;
        let one = |(k, slice): (usize, &mut [i16])| -> Result<f64, ImportError> {
            progress.step(done.fetch_add(1, Ordering::Relaxed), count)?;
            let Some(numbers) = self.numbers(k)? else { return Ok(0.0) };
            let mut worst = 0.0_f64;
            for (sample, &value) in slice.iter_mut().zip(&numbers.values) {
                *sample = if value.is_finite() { quantised(scale, value) } else { air };
                if value.is_finite() {
                    worst = worst.max((scale.value(f64::from(*sample)) - value).abs());
                }
            }
            Ok(worst)
        };
        let error = samples.par_chunks_mut(slice_len).enumerate().map(one).try_reduce(|| 0.0, |a, b| Ok(a.max(b)))?;
        Ok((samples, error))
    }
}

fn report_range(plan: &DicomPlan, range: &Range, error: f64, report: &mut Report) {
    let unit = plan.meaning.quantity.unit();
    let air = if plan.meaning.quantity == Quantity::Hounsfield { "air" } else { "the lowest value" };
    if error > 0.0 {
        report.repaired(format!(
            "values were brought to 16 bits; none changed by more than {error:.3e}{}",
            with_space(unit)
        ));
    }
    if range.padded > 0 {
        report.repaired(format!("{} voxels are marked as padding and were set to {air}", range.padded));
    }
    if range.broken > 0 {
        report.warning(format!("{} voxels are no numbers (NaN or infinite) and were set to {air}", range.broken));
    }
    if range.unmapped > 0 {
        report.warning(format!(
            "{} voxels lie outside the range that the map to real-world values is given for; the map was continued",
            range.unmapped
        ));
    }
}

/// A few extreme values may leave hardly any steps to the others.
fn warn_of_outliers(samples: &[i16], report: &mut Report) {
    let mut counts = vec![0_u64; 1 << 16];
    for &sample in samples {
        counts[(i32::from(sample) + 32768) as usize] += 1;
    }
    let commonest = (0..counts.len()).max_by_key(|&n| counts[n]).unwrap_or(0);
    counts[commonest] = 0;
    let total: u64 = counts.iter().sum();
    let mut seen = 0;
    let mut ends = [None; 2];
    for (n, count) in counts.iter().enumerate() {
        seen += count;
        for (end, part) in ends.iter_mut().zip([total / 100, total - total / 100]) {
            if end.is_none() && seen > 0 && seen >= part {
                *end = Some(n);
            }
        }
    }
    if let [Some(low), Some(high)] = ends
        && high - low < FEW_STEPS
        && total > 0
    {
        report.warning(format!(
            "a few extreme values take most of the range: nearly all voxels lie within {} of 65536 steps, so fine detail is lost",
            high - low + 1
        ));
    }
}
