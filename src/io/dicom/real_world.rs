//! Real-world value maps: from stored values to values with a unit.
//!
//! In: a data set or a functional group. Out: [`RealWorldMap`]s, each a line or a table over a range of stored values. A
//! map starts at the *stored* value: the modality rescale plays no part in it.
//! Source: DICOM PS3.3 C.7.6.16.2.11 (real-world value mapping). Not here: whether a map is used ([`meaning`](super::meaning)).

use std::sync::Arc;

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use serde::{Deserialize, Serialize};

use crate::domain::volume::Rescale;

use super::dataset::Dataset;

/// Maps that are kept of one image.
const MAX_MAPS: usize = 16;
/// Entries of a table: one for each 16-bit value.
const MAX_ENTRIES: usize = 1 << 16;

/// A map from a range of stored values to values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RealWorldMap {
    /// Code of the unit, UCUM where the file follows the standard: `mm2/s`, `[hnsf'U]`, `{SUVbw}g/ml`, `1`.
    pub unit: String,
    /// First and last stored value that it is given for.
    pub range: (f64, f64),
    /// How.
    pub law: Law,
}

/// How a map takes a stored value to a value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Law {
    /// `slope * stored + intercept`.
    Line(Rescale),
    /// One value for each stored value of the range.
    Table(Arc<Vec<f64>>),
}

impl RealWorldMap {
    /// The value of a stored value. Outside its range a line goes on and a table has the value of its end.
    pub fn value(&self, stored: f64) -> f64 {
        match &self.law {
            Law::Line(line) => line.value(stored),
            Law::Table(values) => {
                let at = (stored - self.range.0).round().clamp(0.0, values.len() as f64 - 1.0);
                values[at as usize]
            }
        }
    }

    fn distance(&self, stored: f64) -> f64 {
        (self.range.0 - stored).max(stored - self.range.1).max(0.0)
    }

    /// Whether values are what the unit says and not just numbers: "1" and its like say nothing.
    pub fn has_unit(&self) -> bool {
        !matches!(self.unit.to_ascii_lowercase().as_str(), "" | "1" | "no units" | "{counts}" | "[arb'u]")
    }

    /// Whether the unit is that of CT numbers.
    pub fn is_hounsfield(&self) -> bool {
        matches!(self.unit.as_str(), "[hnsf'U]" | "HU")
    }

    /// Whether the unit is that of uptake by body weight.
    pub fn is_suv(&self) -> bool {
        self.unit.to_ascii_lowercase().contains("suvbw")
    }
}

/// The value of a stored value by the one of several maps that it lies in, or is nearest to.
pub fn value_by(maps: &[RealWorldMap], stored: f64) -> f64 {
    let nearest = maps.iter().min_by(|a, b| a.distance(stored).total_cmp(&b.distance(stored)));
    nearest.map_or(stored, |map| map.value(stored))
}

/// Whether a stored value lies in the range of one of several maps.
pub fn covers(maps: &[RealWorldMap], stored: f64) -> bool {
    maps.iter().any(|map| map.distance(stored) == 0.0)
}

/// The usable maps of a header or functional group.
pub(super) fn maps_of(item: &Dataset<'_>, signed: bool) -> Vec<RealWorldMap> {
    let maps = item.items(tags::REAL_WORLD_VALUE_MAPPING_SEQUENCE);
    maps.iter().filter_map(|map| map_of(map, signed)).take(MAX_MAPS).collect()
}

fn map_of(map: &Dataset<'_>, signed: bool) -> Option<RealWorldMap> {
    let unit = map.item(tags::MEASUREMENT_UNITS_CODE_SEQUENCE)?.text(tags::CODE_VALUE);
    // The first two are as wide as a pixel of 16 bits, and of whichever sign their writer thought of.
    let end = |narrow: Tag, wide: Tag| {
        let of_sign = |value: f64| if signed { f64::from(value as i32 as i16) } else { f64::from(value as i32 as u16) };
        map.float(wide).or_else(|| map.float(narrow).map(of_sign))
    };
    let first = end(tags::REAL_WORLD_VALUE_FIRST_VALUE_MAPPED, tags::DOUBLE_FLOAT_REAL_WORLD_VALUE_FIRST_VALUE_MAPPED);
    let last = end(tags::REAL_WORLD_VALUE_LAST_VALUE_MAPPED, tags::DOUBLE_FLOAT_REAL_WORLD_VALUE_LAST_VALUE_MAPPED);
    let table = map.floats(tags::REAL_WORLD_VALUE_LUT_DATA);
    if !table.is_empty() {
        let (first, last) = (first?, last?);
        let is_whole = table.len() <= MAX_ENTRIES && last - first + 1.0 == table.len() as f64;
        let law = Law::Table(Arc::new(table));
        return is_whole.then_some(RealWorldMap { unit, range: (first, last), law });
    }
    let slope = map.float(tags::REAL_WORLD_VALUE_SLOPE).filter(|slope| *slope != 0.0)?;
    let intercept = map.float(tags::REAL_WORLD_VALUE_INTERCEPT)?;
    let range = (first.unwrap_or(f64::NEG_INFINITY), last.unwrap_or(f64::INFINITY));
    (range.0 <= range.1).then_some(RealWorldMap { unit, range, law: Law::Line(Rescale { slope, intercept }) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stored_value_goes_by_the_map_of_its_range() {
        let line = |from, to, slope| RealWorldMap {
            unit: "mm2/s".to_owned(),
            range: (from, to),
            law: Law::Line(Rescale { slope, intercept: 0.0 }),
        };
        let table = RealWorldMap {
            range: (20.0, 22.0),
            law: Law::Table(Arc::new(vec![5.0, 7.0, 11.0])),
            ..line(0.0, 0.0, 1.0)
        };
        let maps = [line(0.0, 9.0, 2.0), line(10.0, 19.0, 3.0), table];
        let found = [0.0, 9.0, 10.0, 19.0, 20.0, 21.0, 22.0, 30.0, -1.0].map(|stored| value_by(&maps, stored));
        assert_eq!(found, [0.0, 18.0, 30.0, 57.0, 5.0, 7.0, 11.0, 11.0, -2.0]);
        assert!(covers(&maps, 12.0) && !covers(&maps, 23.0));
    }
}
