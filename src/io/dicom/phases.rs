//! Takes a series apart where several images share a place: phases of the heart, times, echoes, acquisitions.
//!
//! In: images of one orientation and pixel spacing. Out: parts that are even stacks, with what tells them apart.
//! The first key (image type, cardiac phase, time, echo, acquisition ...) that makes every part an even stack wins; then
//! two keys; then a key of which most parts are whole, where the rest are stacks with missing slices (a remainder is a
//! missing slice, never a phase); then, where every place is taken equally often, the order of instance numbers.
//!
//! Splitting always by acquisition would break scanners that store slices in pairs (reference `domain.md` 3.6: dcm2niix
//! and Slicer disagree here for that reason).

use std::collections::BTreeMap;

use super::geometry::{GeometryError, Plane, SAME_PLACE_MM, stack};
use super::header::SliceHeader;
use crate::io::import::options::ImportOptions;

pub(super) type Parts = Vec<(String, Vec<SliceHeader>)>;

/// Splits images into stacks; `None` where nothing tells them apart.
pub(super) fn split(headers: &[SliceHeader], options: ImportOptions) -> Option<Parts> {
    let keys: Vec<usize> = (0..headers[0].split_keys.len()).collect();
    by_keys(headers, &keys, options)
        .or_else(|| keys.iter().find_map(|&key| mostly_whole(headers, key, options)))
        .or_else(|| by_turns(headers, options))
}

/// By the first key that makes every part an even stack; by several keys where one is not enough.
fn by_keys(headers: &[SliceHeader], keys: &[usize], options: ImportOptions) -> Option<Parts> {
    for &key in keys {
        let parts = parts_by(headers, key);
        let single = parts.iter().filter(|(_, part)| part.len() == 1).count();
        if parts.len() > 1 && single <= 1 && parts.iter().all(|(_, part)| stack(part, options).is_ok()) {
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
                if stack(&part, options).is_ok() {
                    return Some(vec![(name, part)]);
                }
                let inner = by_keys(&part, rest, options)?;
                Some(inner.into_iter().map(|(inner, part)| (format!("{name}, {inner}"), part)).collect())
            })
            .collect();
        if let Some(settled) = settled {
            return Some(settled.into_iter().flatten().collect());
        }
    }
    None
}

/// By a key that leaves most images in even stacks and no two at one place.
fn mostly_whole(headers: &[SliceHeader], key: usize, options: ImportOptions) -> Option<Parts> {
    let parts = parts_by(headers, key);
    let mut whole = (0, 0);
    for (_, part) in &parts {
        match stack(part, options) {
            Ok(_) if part.len() > 1 => whole = (whole.0 + 1, whole.1 + part.len()),
            Err(GeometryError::SamePlace { .. }) => return None,
            _ => {}
        }
    }
    (whole.0 >= 2 && whole.1 * 2 > headers.len()).then_some(parts)
}

/// Where every place is taken equally often: the first image of each place by instance number, the second, ...
fn by_turns(headers: &[SliceHeader], options: ImportOptions) -> Option<Parts> {
    let normal = Plane::of(&headers[0]).ok()?.normal();
    let mut places: Vec<(f64, Vec<&SliceHeader>)> = Vec::new();
    let mut sorted: Vec<(f64, &SliceHeader)> = Vec::new();
    for header in headers {
        sorted.push((Plane::of(header).ok()?.position.dot(normal), header));
    }
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (along, header) in sorted {
        match places.last_mut() {
            Some((place, images)) if along - *place < SAME_PLACE_MM => images.push(header),
            _ => places.push((along, vec![header])),
        }
    }
    let turns = places[0].1.len();
    if turns < 2 || places.len() < 2 || places.iter().any(|(_, images)| images.len() != turns) {
        return None;
    }
    for (_, images) in &mut places {
        images.sort_by_key(|header| (header.file.instance_number, header.frame));
        // Two with one number cannot be put in order.
        let number = |header: &SliceHeader| (header.file.instance_number, header.frame);
        if images.windows(2).any(|pair| number(pair[0]) == number(pair[1])) {
            return None;
        }
    }
    let turn =
        |n: usize| (format!("repetition {} of {turns}", n + 1), places.iter().map(|(_, at)| at[n].clone()).collect());
    let parts: Parts = (0..turns).map(turn).collect();
    parts.iter().all(|(_, part)| stack(part, options).is_ok()).then_some(parts)
}

fn parts_by(headers: &[SliceHeader], key: usize) -> Parts {
    let mut parts: BTreeMap<&str, Vec<SliceHeader>> = BTreeMap::new();
    for header in headers {
        let value = header.split_keys.get(key).map(|(_, value)| value.as_str()).unwrap_or_default();
        parts.entry(value).or_default().push(header.clone());
    }
    let name = &headers[0].split_keys[key].0;
    let mut parts: Vec<(&str, Vec<SliceHeader>)> = parts.into_iter().collect();
    let number = |text: &str| text.trim().parse::<f64>().unwrap_or(f64::INFINITY);
    parts.sort_by(|a, b| number(a.0).total_cmp(&number(b.0)).then_with(|| a.0.cmp(b.0)));
    parts.into_iter().map(|(value, part)| (format!("{name} {value}"), part)).collect()
}
