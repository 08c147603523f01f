//! Tables that give stored values their meaning: modality LUT, VOI LUT.
//!
//! In: a data set or an item. Out: [`ModalityLut`] and windows. Source: DICOM PS3.3 C.11.1 (modality LUT), C.11.2 (VOI LUT).

use dicom_core::VR;
use dicom_dictionary_std::tags;
use serde::{Deserialize, Serialize};

use crate::domain::window::Window;

use super::dataset::Dataset;
use super::layout::Encoding;

/// Windows that are kept of one file.
const MAX_WINDOWS: usize = 16;

/// Stored values to values by a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModalityLut {
    /// The stored value of the first entry; smaller ones have its value too.
    pub first: i32,
    /// Value of each stored value from `first` on; larger ones have the last.
    pub values: Vec<u16>,
    /// *Modality LUT Type* (0028,3004), e.g. HU.
    pub unit: String,
}

impl ModalityLut {
    /// The table of a header, where it has a usable one.
    pub fn of(dataset: &Dataset<'_>, signed: bool) -> Option<Self> {
        let item = dataset.item(tags::MODALITY_LUT_SEQUENCE)?;
        let (first, values) = table(&item, signed)?;
        Some(Self { first, values, unit: item.text(tags::MODALITY_LUT_TYPE) })
    }

    /// The value of a stored value.
    #[inline]
    pub fn value(&self, stored: i32) -> u16 {
        let at = (i64::from(stored) - i64::from(self.first)).clamp(0, self.values.len() as i64 - 1);
        self.values[at as usize]
    }
}

/// *LUT Descriptor* (0028,3002) and *LUT Data* (0028,3006): (first stored value, entries).
fn table(item: &Dataset<'_>, signed: bool) -> Option<(i32, Vec<u16>)> {
    let [count, first, bits] = *item.floats(tags::LUT_DESCRIPTOR).first_chunk::<3>()?;
    let count = if count <= 0.0 { 65536 } else { count as usize };
    let first = if signed { i32::from(first as i32 as u16 as i16) } else { i32::from(first as i32 as u16) };
    let element = item.get(tags::LUT_DATA)?;
    let bytes = item.bytes_of(element);
    // Eight-bit entries stand in bytes of their own or in words, as their writers understood the standard.
    let values: Vec<u16> = if bits <= 8.0 && (element.vr == VR::OB || bytes.len() < 2 * count) {
        bytes.iter().take(count).map(|&byte| u16::from(byte)).collect()
    } else {
        let pair = |b: &[u8]| match element.encoding() {
            Encoding::ExplicitBig => u16::from_be_bytes([b[0], b[1]]),
            _ => u16::from_le_bytes([b[0], b[1]]),
        };
        bytes.chunks_exact(2).take(count).map(pair).collect()
    };
    (values.len() == count).then_some((first, values))
}

/// The windows that a header suggests: *Window Center* and *Width*, then the ranges of its *VOI LUT Sequence*.
pub fn windows(dataset: &Dataset<'_>) -> Vec<(String, Window)> {
    let (levels, widths) = (dataset.floats(tags::WINDOW_CENTER), dataset.floats(tags::WINDOW_WIDTH));
    let names = dataset.text(tags::WINDOW_CENTER_WIDTH_EXPLANATION);
    let mut names = names.split('\\');
    let plain = levels.iter().zip(&widths).map(|(&level, &width)| {
        let name = names.next().unwrap_or_default().trim().to_owned();
        (name, Window::new(width, level))
    });
    let tables = dataset.items(tags::VOILUT_SEQUENCE);
    // What a table does inside its range is kept simple: from the value where it starts to rise to where it stops.
    let ranges = tables.iter().filter_map(|item| {
        let (first, values) = table(item, true)?;
        let (low, high) = (*values.iter().min()?, *values.iter().max()?);
        let from = values.iter().rposition(|value| *value == low).filter(|_| values[0] == low)?;
        let to = values.iter().position(|value| *value == high).filter(|to| *to > from)?;
        let (from, to) = (f64::from(first) + from as f64, f64::from(first) + to as f64);
        Some((item.text(tags::LUT_EXPLANATION), Window::new(to - from + 1.0, f64::midpoint(from, to))))
    });
    let usable = |window: &Window| window.width.is_finite() && window.level.is_finite();
    plain.chain(ranges).filter(|(_, window)| usable(window)).take(MAX_WINDOWS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_outside_the_table_have_the_value_of_its_ends() {
        let lut = ModalityLut { first: -2, values: vec![10, 20, 40], unit: String::new() };
        assert_eq!([-9, -2, -1, 0, 9].map(|stored| lut.value(stored)), [10, 10, 20, 40, 40]);
    }
}
