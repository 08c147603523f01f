//! Which patient and which frame of reference a DICOM file says that it belongs to.
//!
//! In: a file. Out: [`Belongs`]. A structure set names its frame inside a sequence. Source: DICOM PS3.3 C.7.4.1, C.8.8.5.

use std::path::Path;

use dicom_dictionary_std::tags;

use super::dataset::Dataset;
use super::source::DicomSource;

/// Patient and frame; empty where the file does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Belongs {
    /// *Patient ID* (0010,0020).
    pub patient_id: String,
    /// *Frame of Reference UID* (0020,0052).
    pub frame_of_reference_uid: String,
}

/// What a file says; `None` where it is no DICOM file.
pub fn belongs_to(path: &Path) -> Option<Belongs> {
    let mut source = DicomSource::open(path).ok()?;
    let bytes = source.header_bytes().ok()?;
    let dataset = Dataset::parse(&bytes, source.layout.encoding);
    let own = dataset.text(tags::FRAME_OF_REFERENCE_UID);
    let referenced = || {
        let item = dataset.item(tags::REFERENCED_FRAME_OF_REFERENCE_SEQUENCE)?;
        Some(item.text(tags::FRAME_OF_REFERENCE_UID))
    };
    let frame_of_reference_uid = if own.is_empty() { referenced().unwrap_or_default() } else { own };
    Some(Belongs { patient_id: dataset.text(tags::PATIENT_ID), frame_of_reference_uid })
}
