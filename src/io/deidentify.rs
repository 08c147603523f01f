//! Removal of the patient's identity: the basic confidentiality profile of DICOM with its options, for data sets and files,
//! and for what other exports say of a series.
//!
//! In: a data set, or a file or folder. Out: the same without identity: attributes removed, emptied, replaced or cleaned as the
//! profile's table says ([`profile`]), private ones dropped, unique identifiers replaced consistently, and a report of what a
//! person still has to look at: identity in the pixels (burned-in text, a face) is not found by any table.
//!
//! Source: DICOM PS3.15 annex E; PS3.16 CID 7050 for the codes that say what was done.
//! Not here: changing pixels.

pub mod cleaning;
pub mod dataset;
pub mod files;
pub mod profile;

pub use dataset::deidentify;
pub use files::{DeidentifyError, deidentify_path};
pub use profile::{Dates, Options};

use crate::domain::series_info::{SeriesInfo, StoredIdentity};
use crate::io::provenance::replaced_uid;

/// What an export says of a series: how it was made and is shown, no person, no date, replaced identifiers.
pub fn series_info(info: &SeriesInfo) -> SeriesInfo {
    SeriesInfo {
        patient_name: String::new(),
        patient_id: String::new(),
        birth_date: String::new(),
        sex: String::new(),
        study_date: String::new(),
        study_description: String::new(),
        series_description: String::new(),
        study_uid: replaced_uid(&info.study_uid),
        series_uid: replaced_uid(&info.series_uid),
        frame_of_reference_uid: replaced_uid(&info.frame_of_reference_uid),
        series_number: info.series_number,
        modality: info.modality.clone(),
        patient_position: info.patient_position.clone(),
        // The device is not in the export; that the images came from this program's hands is.
        manufacturer: String::new(),
        kernel: info.kernel.clone(),
        windows: info.windows.clone(),
        as_stored: StoredIdentity::default(),
    }
}
