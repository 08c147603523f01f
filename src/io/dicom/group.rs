//! Puts the files of one series together, and takes apart what only shares a series number.
//!
//! In: headers in any order. Out: [`DicomGroup`]s, each one stack of slices or a refusal with its reason.
//! Files belong together when series UID, modality, size, pixel layout, orientation and pixel spacing agree. What then
//! still shares a place or leaves holes is taken apart by `phases`. An image whose pixels cannot be used counts as a
//! missing slice: it is named, and a hole in the stack is refused unless the user chose to fill it or to split there.

use std::collections::{BTreeMap, HashMap, HashSet};

use glam::{DVec3, I64Vec3};

use super::geometry::{GeometryError, Plane, SAME_PLACE_MM, Stack, even_runs, stack};
use super::header::SliceHeader;
use super::{phases, pixels};
use crate::io::import::options::{Gaps, ImportOptions, RUN};
use crate::io::report::Report;

/// Unusable images that are named one by one.
const NAMED_IMAGES: usize = 3;

/// Orientation cosines of one stack agree to this.
const SAME_DIRECTION: f64 = 1e-3;

/// Spacings of one stack agree to this part.
const SAME_SPACING: f64 = 1e-4;

/// Files that belong together.
#[derive(Debug)]
pub struct DicomGroup {
    /// Headers, in slice order when there is a stack.
    pub headers: Vec<SliceHeader>,
    /// What tells this part from others of its series ("cardiac phase 30"); empty for a whole series.
    pub part: String,
    /// Their place, or why they have none.
    pub stack: Result<Stack, String>,
    /// What was repaired.
    pub report: Report,
    /// Whether filling or splitting at missing slices would give stacks.
    pub can_mend: bool,
}

/// Groups headers into stacks.
pub fn group_series(headers: Vec<SliceHeader>, options: ImportOptions) -> Vec<DicomGroup> {
    let mut by_key: BTreeMap<String, Vec<SliceHeader>> = BTreeMap::new();
    for header in headers {
        by_key.entry(key(&header)).or_default().push(header);
    }
    by_key.into_values().flat_map(|headers| settle_all(cluster(headers), options)).collect()
}

/// Makes stacks of the clusters of one series; those with a place say when other files of the series have none.
fn settle_all(clusters: Vec<Vec<SliceHeader>>, options: ImportOptions) -> Vec<DicomGroup> {
    let lost = clusters.iter().flatten().filter(|header| Plane::of(header).is_err());
    let lost: Vec<String> = lost.map(SliceHeader::name).collect();
    let mut groups: Vec<DicomGroup> = clusters.into_iter().flat_map(|headers| settle(headers, options)).collect();
    if let (Some(example), true) = (lost.first(), groups.iter().any(|group| group.stack.is_ok())) {
        let text = format!(
            "{} of the series without a place in the patient: left out, e.g. {example}; slices may be missing at the ends",
            files(lost.len())
        );
        for group in &mut groups {
            group.report.warning(text.clone());
        }
    }
    groups
}

fn files(count: usize) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
}

fn key(header: &SliceHeader) -> String {
    let file = &header.file;
    let format = &file.format;
    let is_localizer = file.image_type.to_ascii_uppercase().contains("LOCALIZER");
    // A file without image, or with frames that have no place, stands for itself.
    let alone = if file.pixels.is_none() || file.frames_without_place.is_some() {
        file.path.to_string_lossy()
    } else {
        "".into()
    };
    let shape = (format.rows, format.columns, format.samples_per_pixel, format.bits_allocated, is_localizer);
    let texts = [&file.info.study_uid, &file.info.series_uid, &file.info.modality, &format.photometric];
    format!("{texts:?}{shape:?}{alone}")
}

/// Splits by orientation and pixel spacing. A hundred thousand images that all differ take a second.
fn cluster(headers: Vec<SliceHeader>) -> Vec<Vec<SliceHeader>> {
    let alike = |a: &Plane, b: &Plane| {
        (a.row_cosine - b.row_cosine).abs().max_element() < SAME_DIRECTION
            && (a.column_cosine - b.column_cosine).abs().max_element() < SAME_DIRECTION
            && (0..2).all(|axis| (a.spacing_mm[axis] / b.spacing_mm[axis] - 1.0).abs() < SAME_SPACING)
    };
    // Spacings that agree lie in the same cell or in the next.
    let cell = |plane: &Plane| plane.spacing_mm.map(|mm| (mm.ln() / SAME_SPACING).floor() as i64);
    let mut clusters: Vec<Vec<SliceHeader>> = Vec::new();
    let mut placeless: Option<usize> = None;
    let mut of_cell: HashMap<[i64; 2], Vec<(usize, Plane)>> = HashMap::new();
    for header in headers {
        let Ok(plane) = Plane::of(&header) else {
            match placeless {
                Some(place) => clusters[place].push(header),
                None => {
                    placeless = Some(clusters.len());
                    clusters.push(vec![header]);
                }
            }
            continue;
        };
        let [x, y] = cell(&plane);
        let near = (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| [x + dx, y + dy]));
        let found = near.filter_map(|cell| of_cell.get(&cell)).flatten().filter(|(_, other)| alike(other, &plane));
        match found.map(|(place, _)| *place).min() {
            Some(place) => clusters[place].push(header),
            None => {
                of_cell.entry([x, y]).or_default().push((clusters.len(), plane));
                clusters.push(vec![header]);
            }
        }
    }
    clusters
}

/// Makes one or several stacks of a cluster.
fn settle(mut headers: Vec<SliceHeader>, options: ImportOptions) -> Vec<DicomGroup> {
    headers.sort_by(|a, b| (&a.file.path, a.frame).cmp(&(&b.file.path, b.frame)));
    let mut report = Report::default();
    drop_repeated_objects(&mut headers, &mut report);
    let unusable = match take_unusable(&mut headers) {
        Ok(unusable) => unusable,
        Err(error) => {
            return vec![DicomGroup { headers, part: String::new(), stack: Err(error), report, can_mend: false }];
        }
    };
    let settling = Settling { options, unusable, report };
    match stack(&headers, options) {
        Err(GeometryError::Gap { .. } | GeometryError::Uneven { .. }) if options.gaps == Gaps::Split => {
            let runs = even_runs(headers);
            let count = runs.len();
            let name = |run: &[SliceHeader]| match (run.first(), run.last()) {
                (Some(first), Some(last)) => format!("{RUN} {} to {}", place_name(first), place_name(last)),
                _ => String::new(),
            };
            runs.into_iter().map(|run| settling.finish(name(&run), run, count)).collect()
        }
        Err(_) => {
            if let Some(parts) = phases::split(&headers, options) {
                let count = parts.len();
                return parts.into_iter().map(|(part, headers)| settling.finish(part, headers, count)).collect();
            }
            let mut settling = settling;
            drop_equal_images(&mut headers, &mut settling.report);
            vec![settling.finish(String::new(), headers, 1)]
        }
        Ok(_) => vec![settling.finish(String::new(), headers, 1)],
    }
}

/// What the parts of one cluster share.
struct Settling {
    options: ImportOptions,
    unusable: Vec<Unusable>,
    report: Report,
}

/// An image whose pixels cannot be used, and why, as a sentence.
struct Unusable {
    header: SliceHeader,
    sentence: String,
}

impl Settling {
    fn finish(&self, part: String, mut headers: Vec<SliceHeader>, part_count: usize) -> DicomGroup {
        let mut report = self.report.clone();
        if part_count > 1 {
            report.warning(format!("the series holds {part_count} image stacks; this one is the part with {part}"));
        }
        let stacked = stack(&headers, self.options).map_err(|error| {
            let can_mend = matches!(error, GeometryError::Gap { .. } | GeometryError::Uneven { .. });
            (error.to_string(), can_mend)
        });
        match stacked.and_then(|stack| self.name_missing(&headers, &mut report).map(|()| stack)) {
            Ok(stack) => {
                stack.warnings.iter().for_each(|warning| report.warning(warning));
                let ordered = stack.order.iter().map(|&index| headers[index].clone()).collect();
                DicomGroup { headers: ordered, part, stack: Ok(stack), report, can_mend: false }
            }
            Err((error, can_mend)) => {
                let sentences = self.unusable.iter().map(|one| one.sentence.clone()).take(NAMED_IMAGES);
                let because = [error].into_iter().chain(sentences).collect::<Vec<_>>().join("; ");
                // The unusable ones stay with the others, so that mending names them again.
                headers.extend(self.unusable.iter().map(|one| one.header.clone()));
                DicomGroup { headers, part, stack: Err(because), report, can_mend }
            }
        }
    }

    /// Says where unusable images are missing from a stack. Inside it that is a hole, even where the others are evenly
    /// spaced; it is accepted only where holes are to be filled in.
    fn name_missing(&self, headers: &[SliceHeader], report: &mut Report) -> Result<(), (String, bool)> {
        let along: Vec<f64> = headers.iter().filter_map(along_normal).collect();
        let (low, high) = along.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &a| (l.min(a), h.max(a)));
        for one in self.unusable.iter().take(NAMED_IMAGES) {
            let sentence = &one.sentence;
            let place = along_normal(&one.header);
            let is_there = place.is_some_and(|place| along.iter().any(|a| (a - place).abs() < SAME_PLACE_MM));
            match place {
                Some(place) if !is_there && (low..high).contains(&place) => {
                    if self.options.gaps != Gaps::Fill {
                        return Err(("slices are missing".to_owned(), true));
                    }
                    report.warning(format!("a slice is missing inside the stack: {sentence}"));
                }
                Some(_) if !is_there => {
                    report.warning(format!("a slice is missing at an end of the stack: {sentence}"));
                }
                _ => report.warning(format!("an image of the series is left out: {sentence}")),
            }
        }
        if self.unusable.len() > NAMED_IMAGES {
            report.warning(format!("{} more images cannot be used", self.unusable.len() - NAMED_IMAGES));
        }
        Ok(())
    }
}

/// Where an image lies along its normal, mm.
fn along_normal(header: &SliceHeader) -> Option<f64> {
    Plane::of(header).ok().map(|plane| plane.position.dot(plane.normal()))
}

fn place_name(header: &SliceHeader) -> String {
    format!("{:.1} mm", along_normal(header).unwrap_or_default())
}

/// Takes images with unusable pixels out of a cluster that has others: each is a missing slice, with its reason. An error
/// when none is usable.
fn take_unusable(headers: &mut Vec<SliceHeader>) -> Result<Vec<Unusable>, String> {
    let mut unusable = Vec::new();
    let mut usable = Vec::with_capacity(headers.len());
    for header in headers.drain(..) {
        match pixels::check(&header) {
            Ok(()) => usable.push(header),
            Err(error) => unusable.push(Unusable { sentence: format!("{} {error}", header.name()), header }),
        }
    }
    if usable.is_empty() {
        let more =
            if unusable.len() > 1 { format!(" (and {} more like it)", unusable.len() - 1) } else { String::new() };
        let first = unusable[0].sentence.clone();
        *headers = unusable.into_iter().map(|one| one.header).collect();
        return Err(format!("{first}{more}"));
    }
    *headers = usable;
    Ok(unusable)
}

fn drop_repeated_objects(headers: &mut Vec<SliceHeader>, report: &mut Report) {
    let mut seen = HashSet::new();
    let before = headers.len();
    let mut example = String::new();
    headers.retain(|header| {
        // Some anonymisers give all images one UID: an image that lies elsewhere is another one.
        let place = header.position_in_patient.map(|place| place.to_array().map(f64::to_bits));
        let is_new =
            header.file.sop_instance.is_empty() || seen.insert((header.file.sop_instance.clone(), header.frame, place));
        if !is_new {
            example = header.name();
        }
        is_new
    });
    if headers.len() < before {
        let count = before - headers.len();
        report.repaired(format!("{} with an image that is there already: left out, e.g. {example}", files(count)));
    }
}

/// Drops images at one place whose stored pixels are the same bytes.
fn drop_equal_images(headers: &mut Vec<SliceHeader>, report: &mut Report) {
    let mut kept: Vec<SliceHeader> = Vec::new();
    let mut dropped = 0;
    let mut example = String::new();
    // Places that agree lie in the same cell or in the next.
    let cell_of = |place: DVec3| (place / SAME_PLACE_MM).floor().as_i64vec3();
    let mut of_cell: HashMap<I64Vec3, Vec<usize>> = HashMap::new();
    for header in headers.drain(..) {
        let Some(place) = header.position_in_patient else {
            kept.push(header);
            continue;
        };
        let cell = cell_of(place);
        let near = |other: &SliceHeader| other.position_in_patient.is_some_and(|at| at.distance(place) < SAME_PLACE_MM);
        let around = (0..27_i64).map(|n| cell + I64Vec3::new(n % 3 - 1, n / 3 % 3 - 1, n / 9 - 1));
        let twin = around.filter_map(|cell| of_cell.get(&cell)).flatten().copied().filter(|&n| near(&kept[n])).min();
        let is_equal = |n: usize| pixel_hash(&kept[n]).is_some_and(|hash| pixel_hash(&header) == Some(hash));
        if twin.is_some_and(is_equal) {
            dropped += 1;
            example = header.name();
        } else {
            of_cell.entry(cell).or_default().push(kept.len());
            kept.push(header);
        }
    }
    *headers = kept;
    if dropped > 0 {
        report.repaired(format!("{} repeating an image at the same place: left out, e.g. {example}", files(dropped)));
    }
}

/// Hash of the stored pixels of an image, as they lie in the file.
fn pixel_hash(header: &SliceHeader) -> Option<blake3::Hash> {
    let format = &header.file.format;
    let count = format.rows as usize * format.columns as usize;
    let mut bytes = Vec::new();
    pixels::read_bytes(&header.file, header.frame, count, &mut bytes).ok()?;
    Some(blake3::hash(&bytes))
}
