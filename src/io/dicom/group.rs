//! Puts the files of one series together, and takes apart what only shares a series number.
//!
//! In: headers in any order. Out: [`DicomGroup`]s, each one stack of slices or a refusal with its reason.
//! Files belong together when series UID, modality, size, pixel layout, orientation and pixel spacing agree. What then
//! still shares a place or leaves holes is split by the first key (image type, cardiac phase, time, echo, acquisition
//! ...) that makes every part an even stack: splitting always by acquisition would break scanners that store slices in
//! pairs (reference: dcm2niix and Slicer disagree here for that reason).

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use super::geometry::{Plane, SAME_PLACE_MM, Stack, stack};
use super::header::SliceHeader;
use super::pixels;
use crate::io::report::Report;

/// Orientation cosines of one stack agree to this.
const SAME_DIRECTION: f64 = 1e-3;

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
}

/// Groups headers into stacks.
pub fn group_series(headers: Vec<SliceHeader>) -> Vec<DicomGroup> {
    let mut by_key: BTreeMap<String, Vec<SliceHeader>> = BTreeMap::new();
    for header in headers {
        by_key.entry(key(&header)).or_default().push(header);
    }
    by_key.into_values().flat_map(|headers| settle_all(cluster(headers))).collect()
}

/// Makes stacks of the clusters of one series; those with a place say when other files of the series have none.
fn settle_all(clusters: Vec<Vec<SliceHeader>>) -> Vec<DicomGroup> {
    let lost = clusters.iter().flatten().filter(|header| Plane::of(header).is_err());
    let lost: Vec<String> = lost.map(|header| header.path.display().to_string()).collect();
    let mut groups: Vec<DicomGroup> = clusters.into_iter().flat_map(settle).collect();
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
    let format = &header.format;
    let is_localizer = header.image_type.to_ascii_uppercase().contains("LOCALIZER");
    // A file without image, or with many frames, stands for itself.
    let alone = if header.pixels.is_none() || format.frames != 1 { header.path.to_string_lossy() } else { "".into() };
    let shape = (format.rows, format.columns, format.samples_per_pixel, format.bits_allocated, is_localizer);
    let texts = [&header.info.study_uid, &header.info.series_uid, &header.info.modality, &format.photometric];
    format!("{texts:?}{shape:?}{alone}")
}

/// Splits by orientation and pixel spacing.
fn cluster(headers: Vec<SliceHeader>) -> Vec<Vec<SliceHeader>> {
    let alike = |a: &SliceHeader, b: &SliceHeader| match (Plane::of(a), Plane::of(b)) {
        (Ok(a), Ok(b)) => {
            (a.row_cosine - b.row_cosine).abs().max_element() < SAME_DIRECTION
                && (a.column_cosine - b.column_cosine).abs().max_element() < SAME_DIRECTION
                && (0..2).all(|axis| (a.spacing_mm[axis] / b.spacing_mm[axis] - 1.0).abs() < 1e-4)
        }
        (Err(_), Err(_)) => true,
        _ => false,
    };
    let mut clusters: Vec<Vec<SliceHeader>> = Vec::new();
    for header in headers {
        match clusters.iter_mut().find(|cluster| alike(&cluster[0], &header)) {
            Some(cluster) => cluster.push(header),
            None => clusters.push(vec![header]),
        }
    }
    clusters
}

/// Makes one or several stacks of a cluster.
fn settle(mut headers: Vec<SliceHeader>) -> Vec<DicomGroup> {
    headers.sort_by(|a, b| a.path.cmp(&b.path));
    let mut report = Report::default();
    drop_repeated_objects(&mut headers, &mut report);
    if let Err(error) = check_pixels(&headers) {
        return vec![DicomGroup { headers, part: String::new(), stack: Err(error), report }];
    }
    if stack(&headers).is_err() {
        let keys: Vec<usize> = (0..headers[0].split_keys.len()).collect();
        if let Some(parts) = split(&headers, &keys) {
            let count = parts.len();
            return parts.into_iter().map(|(part, headers)| finish(headers, part, report.clone(), count)).collect();
        }
        drop_equal_images(&mut headers, &mut report);
    }
    vec![finish(headers, String::new(), report, 1)]
}

fn finish(headers: Vec<SliceHeader>, part: String, mut report: Report, part_count: usize) -> DicomGroup {
    if part_count > 1 {
        report.warning(format!("the series holds {part_count} image stacks; this one is the part with {part}"));
    }
    match stack(&headers) {
        Ok(stack) => {
            stack.warnings.iter().for_each(|warning| report.warning(warning));
            let ordered = stack.order.iter().map(|&index| headers[index].clone()).collect();
            DicomGroup { headers: ordered, part, stack: Ok(stack), report }
        }
        Err(error) => DicomGroup { headers, part, stack: Err(error.to_string()), report },
    }
}

/// The first file whose pixels cannot be used decides: a volume with a hole is no volume.
fn check_pixels(headers: &[SliceHeader]) -> Result<(), String> {
    let failed: Vec<_> = headers.iter().filter_map(|header| pixels::check(header).err().map(|e| (header, e))).collect();
    let Some((header, error)) = failed.first() else { return Ok(()) };
    let more = if failed.len() > 1 { format!(" (and {} more files like it)", failed.len() - 1) } else { String::new() };
    Err(format!("{} {error}{more}", header.path.display()))
}

fn drop_repeated_objects(headers: &mut Vec<SliceHeader>, report: &mut Report) {
    let mut seen = HashSet::new();
    let before = headers.len();
    let mut example = String::new();
    headers.retain(|header| {
        let is_new = header.sop_instance.is_empty() || seen.insert(header.sop_instance.clone());
        if !is_new {
            example = header.path.display().to_string();
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
    let near = |a: &SliceHeader, b: &SliceHeader| match (a.position_in_patient, b.position_in_patient) {
        (Some(a), Some(b)) => a.distance(b) < SAME_PLACE_MM,
        _ => false,
    };
    for header in headers.drain(..) {
        let twin = kept.iter().find(|other| near(other, &header));
        if twin.is_some_and(|twin| pixel_hash(twin).is_some_and(|hash| pixel_hash(&header) == Some(hash))) {
            dropped += 1;
            example = header.path.display().to_string();
        } else {
            kept.push(header);
        }
    }
    *headers = kept;
    if dropped > 0 {
        report.repaired(format!("{} repeating an image at the same place: left out, e.g. {example}", files(dropped)));
    }
}

fn pixel_hash(header: &SliceHeader) -> Option<blake3::Hash> {
    let span = header.pixels?;
    let mut file = File::open(&header.path).ok()?;
    file.seek(SeekFrom::Start(span.offset)).ok()?;
    let mut hasher = blake3::Hasher::new();
    std::io::copy(&mut file.take(span.length), &mut hasher).ok()?;
    Some(hasher.finalize())
}

type Parts = Vec<(String, Vec<SliceHeader>)>;

/// Splits by the first key that makes every part an even stack; by two keys where one is not enough.
fn split(headers: &[SliceHeader], keys: &[usize]) -> Option<Parts> {
    for &key in keys {
        let parts = parts_by(headers, key);
        let single = parts.iter().filter(|(_, part)| part.len() == 1).count();
        if parts.len() > 1 && single <= 1 && parts.iter().all(|(_, part)| stack(part).is_ok()) {
            return Some(parts);
        }
    }
    for (at, &key) in keys.iter().enumerate() {
        let parts = parts_by(headers, key);
        if parts.len() < 2 || parts.len() * 2 > headers.len() {
            continue;
        }
        let rest = &keys[at + 1..];
        let settled: Option<Vec<Parts>> = parts
            .into_iter()
            .map(|(name, part)| {
                if stack(&part).is_ok() {
                    return Some(vec![(name, part)]);
                }
                let inner = split(&part, rest)?;
                Some(inner.into_iter().map(|(inner, part)| (format!("{name}, {inner}"), part)).collect())
            })
            .collect();
        if let Some(settled) = settled {
            return Some(settled.into_iter().flatten().collect());
        }
    }
    None
}

fn parts_by(headers: &[SliceHeader], key: usize) -> Parts {
    let mut parts: BTreeMap<&str, Vec<SliceHeader>> = BTreeMap::new();
    for header in headers {
        parts.entry(&header.split_keys[key].1).or_default().push(header.clone());
    }
    let name = headers[0].split_keys[key].0;
    parts.into_iter().map(|(value, part)| (format!("{name} {value}"), part)).collect()
}
