//! What the stored values of a series stand for: which of the meanings that its files offer is used, and why.
//!
//! In: the headers of a series. Out: a [`Meaning`]: the quantity, and whether values go by the modality rescale (or its
//! table), by that times the factor of PET uptake, or by a real-world value map.
//!
//! Order of choice: CT numbers by the modality rescale of CT; uptake that was computed from dose and weight; a real-world
//! map where the files give no rescale, one that changes nothing, or one whose unit says less than the map's; else the rescale.
//! All images of a series go one way. The user is told which way that was.
//!
//! Source: DICOM PS3.3 C.11.1 (modality transformation), C.7.6.16.2.11 (real-world values), C.8.9.1 (PET units).

use crate::domain::volume::{Quantity, Rescale};
use crate::io::report::Report;

use super::header::SliceHeader;
use super::pixels::{LUT_OFFSET, sample_offset};
use super::real_world::{Law, RealWorldMap, value_by};
use super::suv::Suv;

/// What the stored values of a series stand for.
#[derive(Debug, Clone, PartialEq)]
pub struct Meaning {
    /// What the values measure.
    pub quantity: Quantity,
    /// Unit of the real-world maps that are used; `None` where values go by the modality rescale.
    pub real_world_unit: Option<String>,
}

impl Meaning {
    /// Chooses for all images of a series together.
    pub fn of(slices: &[SliceHeader]) -> Self {
        let Some(first) = slices.first() else {
            return Self { quantity: Quantity::Arbitrary, real_world_unit: None };
        };
        let by_rescale = if is_of_one_kind(slices) { quantity_by_rescale(first) } else { Quantity::Arbitrary };
        let chosen = preferred(first, by_rescale)
            .filter(|map| slices.iter().all(|slice| slice.real_world.iter().any(|other| other.unit == map.unit)));
        let quantity = match (chosen, first.file.info.modality.as_str()) {
            (Some(map), "CT") if map.is_hounsfield() => Quantity::Hounsfield,
            (Some(map), "PT") if map.is_suv() => Quantity::Suv,
            (Some(_), _) => Quantity::Arbitrary,
            (None, _) => by_rescale,
        };
        Self { quantity, real_world_unit: chosen.map(|map| map.unit.clone()) }
    }

    /// The real-world maps that an image goes by; none where it goes by its rescale.
    pub fn maps(&self, header: &SliceHeader) -> Vec<RealWorldMap> {
        let Some(unit) = &self.real_world_unit else { return Vec::new() };
        header.real_world.iter().filter(|map| map.unit == *unit).cloned().collect()
    }

    /// `value = slope * stored + intercept` of an image; `None` where values go by a table or by several lines.
    pub fn line(&self, header: &SliceHeader) -> Option<Rescale> {
        match self.maps(header).as_slice() {
            [] if header.lut.is_some() => None,
            [] => {
                let rescale = header.rescale.filter(|rescale| rescale.slope != 0.0).unwrap_or(Rescale::IDENTITY);
                let factor = self.factor(header);
                Some(Rescale { slope: rescale.slope * factor, intercept: rescale.intercept * factor })
            }
            [RealWorldMap { law: Law::Line(line), .. }] => Some(*line),
            _ => None,
        }
    }

    /// What rescaled values are multiplied with to be uptake.
    fn factor(&self, header: &SliceHeader) -> f64 {
        match header.file.suv {
            Some(Suv::Factor(factor)) if self.quantity == Quantity::Suv && self.real_world_unit.is_none() => factor,
            _ => 1.0,
        }
    }

    /// The value of a stored value of an image.
    pub fn value(&self, header: &SliceHeader, maps: &[RealWorldMap], stored: f64) -> f64 {
        match (&header.lut, maps) {
            (Some(lut), []) => f64::from(lut.value(stored as i32)) * self.factor(header),
            (None, []) => self.line(header).unwrap_or(Rescale::IDENTITY).value(stored),
            (_, maps) => value_by(maps, stored),
        }
    }

    /// Whether values go by a table or several lines of real-world maps, so that they are no line of the samples.
    pub fn is_bent(&self, header: &SliceHeader) -> bool {
        self.real_world_unit.is_some() && self.line(header).is_none()
    }

    /// Whether the samples of an image are values of its modality LUT.
    pub fn goes_by_lut(&self, header: &SliceHeader) -> bool {
        header.lut.is_some() && self.real_world_unit.is_none()
    }

    /// `value = slope * sample + intercept` of an image whose values are a line of its samples.
    pub fn sample_rescale(&self, header: &SliceHeader) -> Rescale {
        if self.goes_by_lut(header) {
            let factor = self.factor(header);
            return Rescale { slope: factor, intercept: f64::from(LUT_OFFSET) * factor };
        }
        let line = self.line(header).unwrap_or(Rescale::IDENTITY);
        let offset = f64::from(sample_offset(&header.file.format));
        Rescale { slope: line.slope, intercept: line.intercept + line.slope * offset }
    }
}

/// The real-world map that says more than the modality rescale does.
fn preferred(header: &SliceHeader, by_rescale: Quantity) -> Option<&RealWorldMap> {
    let maps = &header.real_world;
    let changes_nothing = header.rescale.is_none_or(|rescale| rescale == Rescale::IDENTITY) && header.lut.is_none();
    match header.file.info.modality.as_str() {
        _ if by_rescale == Quantity::Hounsfield && !changes_nothing => None,
        "CT" if changes_nothing => {
            let hounsfield = maps.iter().find(|map| map.is_hounsfield());
            hounsfield.or_else(|| maps.first().filter(|_| by_rescale != Quantity::Hounsfield))
        }
        "PT" if by_rescale == Quantity::Suv => None,
        "PT" if maps.iter().any(RealWorldMap::is_suv) => maps.iter().find(|map| map.is_suv()),
        _ if changes_nothing => maps.iter().find(|map| map.has_unit()).or(maps.first()),
        _ => maps.iter().find(|map| map.has_unit()),
    }
}

/// Whether the rescaled values of all images are CT numbers, or all are uptake, or all neither.
fn is_of_one_kind(slices: &[SliceHeader]) -> bool {
    slices.windows(2).all(|pair| quantity_by_rescale(&pair[0]) == quantity_by_rescale(&pair[1]))
}

/// Whether the rescaled values are CT numbers or uptake.
fn quantity_by_rescale(first: &SliceHeader) -> Quantity {
    let unit = first.rescale_type.to_ascii_uppercase();
    let has_meaning = first.rescale.is_some() || first.lut.is_some();
    let says_hu =
        has_meaning && (matches!(unit.as_str(), "HU") || (first.lut.is_none() && matches!(unit.as_str(), "" | "US")));
    match first.file.info.modality.as_str() {
        "CT" if says_hu => Quantity::Hounsfield,
        "PT" if matches!(first.file.suv, Some(Suv::Factor(_))) => Quantity::Suv,
        _ => Quantity::Arbitrary,
    }
}

/// Says what the values are and what was used for it.
pub(super) fn describe(slices: &[SliceHeader], meaning: &Meaning, report: &mut Report) {
    let first = &slices[0];
    let quantity = meaning.quantity;
    let is_ct = first.file.info.modality == "CT";
    let is_mapped = meaning.real_world_unit.is_some();
    if !is_of_one_kind(slices) && !is_mapped {
        report.warning(
            "the images differ in what their values stand for (some can be brought to HU or SUV and some cannot), so \
             the values are called neither",
        );
    } else if is_ct && first.rescale.is_none() && first.lut.is_none() && !is_mapped {
        report.warning("the files give no rescale, so the values are not called HU");
    } else if is_ct && quantity != Quantity::Hounsfield && !is_mapped {
        report.warning(format!("the values are in {}, not in HU", first.rescale_type));
    }
    if first.rescale.is_some_and(|rescale| rescale.slope == 0.0) {
        report.warning("the files give a rescale slope of 0, which cannot be; 1 was used");
    }
    if is_ct && quantity == Quantity::Hounsfield && first.file.format.photometric == "MONOCHROME1" {
        report.warning("the files ask to be shown as negatives (MONOCHROME1); the CT numbers are kept as stored");
    }
    if slices.iter().any(|header| header.file.is_lossy) {
        report.warning("the images have been compressed with loss; small detail may be gone");
    }
    match &first.file.suv {
        Some(Suv::Factor(factor)) if quantity == Quantity::Suv && *factor != 1.0 => {
            report.repaired(format!("the values were made SUV by body weight (factor {factor:.6e})"));
        }
        Some(Suv::Unknown(why)) if quantity != Quantity::Suv => {
            report.warning(format!("the values are not SUV: {why}"));
        }
        _ => {}
    }
    describe_real_world(first, meaning, report);
    if !is_ct && !is_mapped && quantity == Quantity::Arbitrary && !matches!(first.rescale_type.as_str(), "" | "US") {
        report.warning(format!("the values are in {}", first.rescale_type));
    }
}

fn describe_real_world(first: &SliceHeader, meaning: &Meaning, report: &mut Report) {
    let law = |map: &RealWorldMap| match &map.law {
        Law::Line(line) => format!("{} x stored + {}", line.slope, line.intercept),
        Law::Table(values) => format!("a table of {} values", values.len()),
    };
    let is_plain =
        matches!(meaning.quantity, Quantity::Hounsfield | Quantity::Suv) && meaning.real_world_unit.is_none();
    let maps = meaning.maps(first);
    if let [used, others @ ..] = maps.as_slice() {
        let how =
            if others.is_empty() { law(used) } else { format!("{} maps for ranges of stored values", maps.len()) };
        let instead = match first.rescale {
            Some(rescale) if rescale != Rescale::IDENTITY => {
                format!("; the rescale of the files ({} x stored + {}) was not used", rescale.slope, rescale.intercept)
            }
            _ => String::new(),
        };
        report.repaired(format!(
            "the values are real-world values in {}, by the map of the files ({how}){instead}",
            named(&used.unit)
        ));
    }
    let left = first.real_world.iter().find(|map| meaning.real_world_unit.as_ref() != Some(&map.unit));
    if let (Some(map), false) = (left, is_plain) {
        report.warning(format!(
            "the files also give a map to real-world values ({} in {}), which is not applied",
            law(map),
            named(&map.unit)
        ));
    }
}

/// A unit for a sentence.
fn named(unit: &str) -> &str {
    match unit {
        "" | "1" => "no unit",
        "[hnsf'U]" => "HU",
        unit => unit,
    }
}
