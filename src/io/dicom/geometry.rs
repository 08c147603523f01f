//! Puts the slices of a series in order in the patient, or says why that cannot be done.
//!
//! In: headers of one orientation and pixel spacing. Out: [`Stack`]: the order along the slice normal and the affine
//! patient (LPS, mm) from voxel. Slices are sorted by *Image Position (Patient)* (0020,0032) along the normal, never by
//! instance number; the step is last minus first position, so a tilted gantry stays as shear. *Pixel Spacing*
//! (0028,0030) is (between rows, between columns).
//!
//! Source: DICOM PS3.3 C.7.6.2. Tolerances: warned above 0.01 mm as Slicer does; refused above 0.2 mm (dcm2niix's limit
//! for uneven slices) or a quarter of a step: measuring in a volume whose slices are not where it says is not safe.
//! Missing slices are filled in only where the user chose it: an image stays as it is, a slice between is made linearly of
//! its two neighbours and named.
//! Not here: the samples of filled slices (`resample`).

use std::collections::BTreeMap;
use std::ops::Range;

use glam::{DAffine3, DMat3, DVec3};

use super::header::SliceHeader;
use crate::io::import::options::{Gaps, ImportOptions};

/// Two slices closer than this, mm, are at one place.
pub const SAME_PLACE_MM: f64 = 1e-3;
/// Largest distance of a slice from its even place that is accepted without a word, mm.
const JITTER_WARNED_MM: f64 = 0.01;
/// Largest distance of a slice from its even place that is accepted at all, mm.
pub const JITTER_ACCEPTED_MM: f64 = 0.2;
/// Row and column directions may differ from unit length and a right angle by this.
const COSINE_TOLERANCE: f64 = 2e-3;
/// A tilt below this is rounding, degrees.
pub const TILT_SAID_DEG: f64 = 0.05;
/// Filling in may at most make this many slices of one.
const MAX_FILLING: usize = 3;
/// The most that slices may lean, degrees; gantries reach 30.
const MAX_TILT_DEG: f64 = 60.0;

/// Slices in order, and their place.
#[derive(Debug, Clone)]
pub struct Stack {
    /// Index into the headers given, from the first to the last slice along the normal.
    pub order: Vec<usize>,
    /// Patient (LPS, mm) from voxel (column, row, slice).
    pub patient_from_voxel: DAffine3,
    /// Where each slice of the volume comes from, when slices are filled in; `None` when they are the images in order.
    pub filling: Option<Vec<SliceSource>>,
    /// What a person should know.
    pub warnings: Vec<String>,
}

/// Where a slice of a volume comes from: between two images of the order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SliceSource {
    /// Image before it, as an index into the order.
    pub before: usize,
    /// Image after it; the same where the slice is an image.
    pub after: usize,
    /// Part of `after` in it, 0 to 1.
    pub weight: f64,
}

/// Why slices do not make a volume.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GeometryError {
    /// No position, orientation or pixel spacing.
    #[error("{file} does not say where it lies in the patient (no {what})")]
    Missing {
        /// Which attribute.
        what: &'static str,
        /// Which file.
        file: String,
    },
    /// Directions that are no directions.
    #[error("{file} gives row and column directions that are not at right angles and of length 1")]
    Cosines {
        /// Which file.
        file: String,
    },
    /// Zero, negative or absurd pixel spacing.
    #[error("{file} gives a pixel spacing of {row_mm} x {column_mm} mm, which is not possible")]
    Spacing {
        /// Which file.
        file: String,
        /// Between rows.
        row_mm: f64,
        /// Between columns.
        column_mm: f64,
    },
    /// One image without thickness.
    #[error("the series is the single image {file}, which does not say how thick it is, so it is no volume")]
    OneSlice {
        /// Which file.
        file: String,
    },
    /// Two different images at one place.
    #[error("{first} and {second} are different images at the same place, and nothing in them says how they belong")]
    SamePlace {
        /// Which file.
        first: String,
        /// Which other file.
        second: String,
    },
    /// A hole.
    #[error(
        "slices are missing: {before} and {after} are {gap_mm:.2} mm apart where the others are {step_mm:.2} mm apart{more}"
    )]
    Gap {
        /// File before the hole.
        before: String,
        /// File after the hole.
        after: String,
        /// Distance along the normal.
        gap_mm: f64,
        /// Median distance.
        step_mm: f64,
        /// Words on further holes.
        more: String,
    },
    /// Slices that are not evenly spaced or not on a line.
    #[error(
        "the slices are not evenly spaced: {file} lies {off_mm:.2} mm from where it should be (step {step_mm:.2} mm)"
    )]
    Uneven {
        /// The file that is furthest off.
        file: String,
        /// How far.
        off_mm: f64,
        /// Mean step.
        step_mm: f64,
    },
    /// Filling in is not possible.
    #[error("the missing slices cannot be filled in: too many would be made up, or {file} is shifted sideways")]
    Unfillable {
        /// The file that is furthest from the line of the others.
        file: String,
    },
    /// Slices shifted so far sideways that they cannot be a tilted gantry.
    #[error("the slices lean by {tilt_deg:.0} degrees, more than any scanner tilts: {file} is not where it should be")]
    Leaning {
        /// Last file.
        file: String,
        /// Angle between the line of slices and their normal.
        tilt_deg: f64,
    },
}

/// In-plane axes of one image.
#[derive(Debug, Clone, Copy)]
pub struct Plane {
    /// Centre of the first pixel.
    pub position: DVec3,
    /// Unit direction of growing column index.
    pub row_cosine: DVec3,
    /// Unit direction of growing row index.
    pub column_cosine: DVec3,
    /// Between columns (i), between rows (j).
    pub spacing_mm: [f64; 2],
}

impl Plane {
    /// The plane of an image.
    ///
    /// # Errors
    /// When the header lacks it or it makes no sense.
    pub fn of(header: &SliceHeader) -> Result<Self, GeometryError> {
        let file = || header.name();
        let missing = |what| GeometryError::Missing { what, file: file() };
        let position = header.position_in_patient.ok_or_else(|| missing("Image Position (Patient)"))?;
        let [row, column] = header.cosines.ok_or_else(|| missing("Image Orientation (Patient)"))?;
        let [between_rows, between_columns] = header.pixel_spacing_mm.ok_or_else(|| missing("Pixel Spacing"))?;
        let off = [(row.length() - 1.0).abs(), (column.length() - 1.0).abs(), row.dot(column).abs()];
        if off.iter().any(|off| *off > COSINE_TOLERANCE) {
            return Err(GeometryError::Cosines { file: file() });
        }
        if ![between_rows, between_columns].iter().all(|mm| (1e-4..1e3).contains(mm)) {
            return Err(GeometryError::Spacing { file: file(), row_mm: between_rows, column_mm: between_columns });
        }
        let spacing_mm = [between_columns, between_rows];
        Ok(Self { position, row_cosine: row.normalize(), column_cosine: column.normalize(), spacing_mm })
    }

    /// Unit normal, right-handed with row and column directions.
    pub fn normal(&self) -> DVec3 {
        self.row_cosine.cross(self.column_cosine).normalize()
    }
}

/// Orders slices and finds their affine; fills missing slices in where `options` say so.
///
/// # Errors
/// When a slice has no place, two share one, one is missing, or they are not evenly spaced.
pub fn stack(headers: &[SliceHeader], options: ImportOptions) -> Result<Stack, GeometryError> {
    let planes = headers.iter().map(Plane::of).collect::<Result<Vec<_>, _>>()?;
    assert!(!planes.is_empty(), "a group has at least one image");
    let normal = planes[0].normal();
    let along = |index: usize| planes[index].position.dot(normal);
    let mut order: Vec<usize> = (0..headers.len()).collect();
    order.sort_by(|&a, &b| along(a).total_cmp(&along(b)));
    let name = |index: usize| headers[index].name();
    let first = &planes[order[0]];
    let mut step = match order.as_slice() {
        [only] => normal * one_slice_step_mm(&headers[*only])?,
        [first, .., last] => (planes[*last].position - planes[*first].position) / (order.len() - 1) as f64,
        [] => DVec3::ZERO,
    };
    let (mut warnings, mut filling) = (Vec::new(), None);
    if order.len() > 1 {
        let even = check_steps(&order, along, name).and_then(|()| check_line(&order, &planes, step, name));
        match even {
            Ok(warning) => warnings.extend(warning),
            Err(GeometryError::Gap { .. } | GeometryError::Uneven { .. }) if options.gaps == Gaps::Fill => {
                let filled = fill(&order, &planes, normal, name)?;
                step = (planes[order[order.len() - 1]].position - first.position) / (filled.sources.len() - 1) as f64;
                warnings.push(filled.warning);
                filling = Some(filled.sources);
            }
            Err(error) => return Err(error),
        }
        check_tilt(step, normal, || name(order[order.len() - 1]), options, &mut warnings)?;
        check_thickness(&headers[order[0]], step.dot(normal), &mut warnings);
    }
    check_turns(&planes, &mut warnings);
    let axes =
        DMat3::from_cols(first.row_cosine * first.spacing_mm[0], first.column_cosine * first.spacing_mm[1], step);
    let patient_from_voxel = DAffine3 { matrix3: axes, translation: first.position };
    Ok(Stack { order, patient_from_voxel, filling, warnings })
}

fn check_tilt(
    step: DVec3,
    normal: DVec3,
    last: impl Fn() -> String,
    options: ImportOptions,
    warnings: &mut Vec<String>,
) -> Result<(), GeometryError> {
    let tilt_deg = step.angle_between(normal).to_degrees();
    if tilt_deg > MAX_TILT_DEG {
        return Err(GeometryError::Leaning { file: last(), tilt_deg });
    }
    // Slices that are brought upright are said by who does it.
    if tilt_deg > TILT_SAID_DEG && !options.straighten {
        warnings.push(format!(
            "the gantry was tilted by {tilt_deg:.1} degrees: the slices lean, and the volume is shown and measured leaning as they are"
        ));
    }
    Ok(())
}

/// Slices that make an even stack of an uneven one.
struct Filled {
    sources: Vec<SliceSource>,
    warning: String,
}

/// Makes an even stack: images near an even place stay as they are, slices between are made of their neighbours.
fn fill(
    order: &[usize],
    planes: &[Plane],
    normal: DVec3,
    name: impl Fn(usize) -> String,
) -> Result<Filled, GeometryError> {
    let at = |n: usize| planes[order[n]].position;
    let along: Vec<f64> = (0..order.len()).map(|n| (at(n) - at(0)).dot(normal)).collect();
    let length_mm = along[along.len() - 1];
    let mut steps: Vec<f64> = along.windows(2).map(|pair| pair[1] - pair[0]).collect();
    steps.sort_by(f64::total_cmp);
    let median = steps[(steps.len() - 1) / 2];
    let count = (length_mm / median).round() as usize + 1;
    let step_mm = length_mm / (count - 1).max(1) as f64;
    let tolerance = JITTER_ACCEPTED_MM.min(0.25 * step_mm);
    // Slices that are shifted sideways cannot be made up for.
    let line = (at(order.len() - 1) - at(0)) / length_mm;
    let sideways = |n: usize| at(n).distance(at(0) + line * along[n]);
    let worst = (0..order.len()).max_by(|&a, &b| sideways(a).total_cmp(&sideways(b))).unwrap_or(0);
    if sideways(worst) > JITTER_ACCEPTED_MM.min(0.25 * step_mm) || count > MAX_FILLING * order.len() {
        return Err(GeometryError::Unfillable { file: name(order[worst]) });
    }
    let source = |k: usize| {
        let place = k as f64 * step_mm;
        let after = along.partition_point(|&along| along < place).clamp(1, along.len() - 1);
        let before = after - 1;
        let near = if place - along[before] < along[after] - place { before } else { after };
        if (along[near] - place).abs() <= tolerance {
            return SliceSource { before: near, after: near, weight: 0.0 };
        }
        let weight = ((place - along[before]) / (along[after] - along[before])).clamp(0.0, 1.0);
        SliceSource { before, after, weight }
    };
    let sources: Vec<SliceSource> = (0..count).map(source).collect();
    let made: Vec<String> =
        (0..count).filter(|&k| sources[k].before != sources[k].after).map(|k| (k + 1).to_string()).collect();
    let listed = if made.len() > 12 { format!("{}, ...", made[..12].join(", ")) } else { made.join(", ") };
    let warning = format!(
        "{} of {count} slices are made up between their neighbours, because slices are missing or uneven (step {step_mm:.3} mm): slice {listed}",
        made.len()
    );
    Ok(Filled { sources, warning })
}

/// Runs of evenly spaced slices, in order along the normal.
pub fn even_runs(headers: Vec<SliceHeader>) -> Vec<Vec<SliceHeader>> {
    let mut placed: Vec<(f64, SliceHeader)> = Vec::with_capacity(headers.len());
    let mut normal = None;
    for header in headers {
        if let Ok(plane) = Plane::of(&header) {
            let normal = *normal.get_or_insert_with(|| plane.normal());
            placed.push((plane.position.dot(normal), header));
        }
    }
    placed.sort_by(|a, b| a.0.total_cmp(&b.0));
    let along: Vec<f64> = placed.iter().map(|(along, _)| *along).collect();
    let mut run_of = run_numbers(&along).into_iter();
    let mut runs: BTreeMap<usize, Vec<SliceHeader>> = BTreeMap::new();
    for (_, header) in placed {
        runs.entry(run_of.next().unwrap_or(0)).or_default().push(header);
    }
    runs.into_values().collect()
}

/// The run that each place belongs to, numbered by its first place: equal steps make a run, the longest first.
fn run_numbers(along: &[f64]) -> Vec<usize> {
    let steps: Vec<f64> = along.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mut groups: Vec<Range<usize>> = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        match groups.last_mut() {
            Some(group) if (step - steps[group.start]).abs() <= JITTER_ACCEPTED_MM.min(0.25 * step) => {
                group.end = at + 1;
            }
            _ => groups.push(at..at + 1),
        }
    }
    // Of equally long ones the tighter first: a hole between two runs takes no slice from them.
    groups.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| steps[a.start].total_cmp(&steps[b.start])));
    let mut run_of = vec![usize::MAX; along.len()];
    for group in groups {
        let free: Vec<usize> = (group.start..=group.end).filter(|&at| run_of[at] == usize::MAX).collect();
        for &at in &free {
            run_of[at] = free[0];
        }
    }
    run_of.iter().enumerate().map(|(at, &run)| if run == usize::MAX { at } else { run }).collect()
}

fn one_slice_step_mm(header: &SliceHeader) -> Result<f64, GeometryError> {
    let candidates = [header.spacing_between_mm, header.thickness_mm];
    let step = candidates.into_iter().flatten().map(f64::abs).find(|mm| (1e-4..1e3).contains(mm));
    step.ok_or_else(|| GeometryError::OneSlice { file: header.name() })
}

fn check_steps(
    order: &[usize],
    along: impl Fn(usize) -> f64,
    name: impl Fn(usize) -> String,
) -> Result<(), GeometryError> {
    let steps: Vec<f64> = order.windows(2).map(|pair| along(pair[1]) - along(pair[0])).collect();
    if let Some(at) = steps.iter().position(|step| *step < SAME_PLACE_MM) {
        return Err(GeometryError::SamePlace { first: name(order[at]), second: name(order[at + 1]) });
    }
    let mut sorted = steps.clone();
    sorted.sort_by(f64::total_cmp);
    let median = sorted[(sorted.len() - 1) / 2];
    let holes: Vec<usize> = (0..steps.len()).filter(|&at| steps[at] > 1.5 * median).collect();
    let Some(&at) = holes.first() else { return Ok(()) };
    let more = if holes.len() > 1 { format!(" (and {} more gaps)", holes.len() - 1) } else { String::new() };
    Err(GeometryError::Gap {
        before: name(order[at]),
        after: name(order[at + 1]),
        gap_mm: steps[at],
        step_mm: median,
        more,
    })
}

/// A warning where slices are a little off their even places.
fn check_line(
    order: &[usize],
    planes: &[Plane],
    step: DVec3,
    name: impl Fn(usize) -> String,
) -> Result<Option<String>, GeometryError> {
    let origin = planes[order[0]].position;
    let off_mm = |k: usize| planes[order[k]].position.distance(origin + step * k as f64);
    let Some(worst) = (0..order.len()).max_by(|&a, &b| off_mm(a).total_cmp(&off_mm(b))) else { return Ok(None) };
    let (off_mm, step_mm) = (off_mm(worst), step.length());
    if off_mm > JITTER_ACCEPTED_MM.min(0.25 * step_mm) {
        return Err(GeometryError::Uneven { file: name(order[worst]), off_mm, step_mm });
    }
    let file = name(order[worst]);
    let said = off_mm > JITTER_WARNED_MM;
    Ok(said.then(|| format!("the slices are not quite evenly spaced: {file} is {off_mm:.3} mm from its place")))
}

fn check_thickness(header: &SliceHeader, step_mm: f64, warnings: &mut Vec<String>) {
    if let Some(thickness_mm) = header.thickness_mm.filter(|mm| *mm > 0.0 && step_mm > 1.5 * mm) {
        warnings.push(format!(
            "there are gaps between the slices: each is {thickness_mm:.2} mm thick, but they are {step_mm:.2} mm apart"
        ));
    }
}

/// Slices that are turned a little against each other are read as parallel.
fn check_turns(planes: &[Plane], warnings: &mut Vec<String>) {
    let first = &planes[0];
    let turn = |plane: &Plane| {
        let (row, column) = (plane.row_cosine - first.row_cosine, plane.column_cosine - first.column_cosine);
        row.abs().max_element().max(column.abs().max_element())
    };
    let worst = planes.iter().map(turn).fold(0.0, f64::max);
    if worst > 1e-6 {
        let angle_deg = worst.asin().to_degrees();
        warnings.push(format!(
            "the slices are turned against each other by up to {angle_deg:.4} degrees; read as parallel"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_end_where_the_step_changes() {
        assert_eq!(run_numbers(&[0.0, 1.0, 2.0, 7.0, 9.0, 10.0, 11.0]), [0, 0, 0, 3, 4, 4, 4]);
        assert_eq!(run_numbers(&[0.0, 1.0, 2.0, 3.0]), [0; 4]);
        assert_eq!(run_numbers(&[0.0, 5.0, 10.0, 11.0, 12.0, 13.0]), [0, 0, 2, 2, 2, 2]);
        assert_eq!(run_numbers(&[0.0, 1.0, 2.0, 4.0, 5.0]), [0, 0, 0, 3, 3]);
        assert_eq!(run_numbers(&[4.0]), [0]);
    }
}
