//! The tags of a DICOM file as rows for people to look at.
//!
//! Holds patient identity: for the screen of the lab, never for a log.

use std::path::Path;

use dicom_core::VR;
use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_dictionary_std::StandardDataDictionary;
use serde::Serialize;

use super::dataset::Dataset;
use super::layout::LayoutError;
use super::source::{DicomSource, HeaderError};

/// Characters of a value that are shown.
const SHOWN_CHARACTERS: usize = 96;
/// Rows that are listed; some files carry tens of thousands of frames.
const MAX_ROWS: usize = 20_000;

/// One element of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TagRow {
    /// `(0010,0010)`.
    pub tag: String,
    /// Keyword of the standard; empty for private elements.
    pub name: String,
    /// Value representation.
    pub vr: String,
    /// The value, shortened.
    pub value: String,
    /// Sequences around it.
    pub depth: u32,
}

/// Lists the elements of a file in their order, sequences opened.
///
/// # Errors
/// When the file is no DICOM file or damaged.
pub fn tags(path: &Path) -> Result<Vec<TagRow>, HeaderError> {
    let mut source = DicomSource::open(path)?;
    let bytes = source.header_bytes()?;
    let dataset = Dataset::parse(&bytes, source.layout.encoding);
    let mut rows = vec![TagRow {
        tag: "(0002,0010)".to_owned(),
        name: "TransferSyntaxUID".to_owned(),
        vr: "UI".to_owned(),
        value: source.layout.transfer_syntax.clone(),
        depth: 0,
    }];
    list(&dataset, 0, &mut rows);
    if let Some(span) = source.layout.pixels {
        rows.push(TagRow {
            tag: "(7FE0,0010)".to_owned(),
            name: "PixelData".to_owned(),
            vr: "OW".to_owned(),
            value: format!("{} bytes{}", span.length, if span.encapsulated { ", compressed" } else { "" }),
            depth: 0,
        });
    }
    if rows.len() > MAX_ROWS {
        return Err(LayoutError::TooDeep.into());
    }
    Ok(rows)
}

fn list(dataset: &Dataset<'_>, depth: u32, rows: &mut Vec<TagRow>) {
    for element in dataset.elements() {
        if rows.len() > MAX_ROWS {
            return;
        }
        let entry = StandardDataDictionary.by_tag(element.tag);
        let items = dataset.items_of(element);
        let is_sequence = element.vr == VR::SQ;
        let value = if is_sequence { format!("{} items", items.len()) } else { shortened(&dataset.text_of(element)) };
        rows.push(TagRow {
            tag: element.tag.to_string(),
            name: entry.map(|entry| entry.alias().to_owned()).unwrap_or_default(),
            vr: element.vr.to_string().to_owned(),
            value,
            depth,
        });
        for item in &items {
            list(item, depth + 1, rows);
        }
    }
}

fn shortened(text: &str) -> String {
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = clean.take(SHOWN_CHARACTERS + 1).collect();
    if short.chars().count() > SHOWN_CHARACTERS {
        short = short.chars().take(SHOWN_CHARACTERS - 1).chain(['…']).collect();
    }
    short.trim_end().to_owned()
}
