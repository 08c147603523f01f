//! Where the slices of a series lie along their normal, and where some are missing: for a person to see before choosing what
//! to do about it.
//!
//! In: headers. Out: [`SliceStrip`], positions in mm along the slice normal. Tolerances are those of `geometry`.

use super::geometry::{JITTER_ACCEPTED_MM, Plane, SliceSource};
use super::header::SliceHeader;
use super::pixels;

/// A step this many times the usual one is a hole (DICOM series are never that uneven by design).
const HOLE: f64 = 1.5;

/// Slice positions of a series.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SliceStrip {
    /// Positions of the images, ascending, mm along the normal.
    pub places_mm: Vec<f64>,
    /// Images that are there, but cannot be used.
    pub unusable_mm: Vec<f64>,
    /// Slices that were made up between their neighbours.
    pub made_mm: Vec<f64>,
    /// Stretches between neighbours where slices are missing, and how many.
    pub gaps: Vec<([f64; 2], usize)>,
    /// Stretches between neighbours that are too long or too short, with none missing.
    pub uneven: Vec<[f64; 2]>,
    /// The usual distance of neighbours, mm.
    pub step_mm: f64,
}

impl SliceStrip {
    /// The strip of images of one orientation; `None` for fewer than two with a place. `filling` says which slices of the
    /// volume are made up.
    pub fn of(headers: &[SliceHeader], filling: Option<&[SliceSource]>) -> Option<Self> {
        let normal = headers.iter().find_map(|header| Plane::of(header).ok())?.normal();
        let mut strip = Self::default();
        for header in headers {
            let Ok(plane) = Plane::of(header) else { continue };
            let list = if pixels::check(header).is_ok() { &mut strip.places_mm } else { &mut strip.unusable_mm };
            list.push(plane.position.dot(normal));
        }
        strip.places_mm.sort_by(f64::total_cmp);
        let mut steps: Vec<f64> = strip.places_mm.windows(2).map(|pair| pair[1] - pair[0]).collect();
        steps.sort_by(f64::total_cmp);
        strip.step_mm = *steps.get((steps.len().checked_sub(1)?) / 2)?;
        let tolerance = JITTER_ACCEPTED_MM.min(0.25 * strip.step_mm);
        for pair in strip.places_mm.windows(2) {
            let (step, stretch) = (pair[1] - pair[0], [pair[0], pair[1]]);
            if step >= HOLE * strip.step_mm {
                strip.gaps.push((stretch, ((step / strip.step_mm).round() as usize).saturating_sub(1)));
            } else if (step - strip.step_mm).abs() > tolerance {
                strip.uneven.push(stretch);
            }
        }
        if let (Some(sources), [first, .., last]) = (filling, strip.places_mm.as_slice()) {
            let step = (last - first) / (sources.len().max(2) - 1) as f64;
            let made = sources.iter().enumerate().filter(|(_, source)| source.before != source.after);
            strip.made_mm = made.map(|(k, _)| first + step * k as f64).collect();
        }
        Some(strip)
    }
}
