//! Who wrote a file, from what, and what it is not for: the words that every export carries.
//!
//! De-identified: names, dates and numbers of the patient are not here at all; unique identifiers are replaced by ones that
//! are computed from them, so that two exports of the same series can be told to belong together, and no more.

use serde::{Deserialize, Serialize};

use crate::domain::series_info::SeriesInfo;
use crate::domain::volume::Volume;

/// Name of this program.
pub const PROGRAM: &str = "Maquette";
/// Its version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The commit it was built from, where the build said so.
pub const GIT_HASH: &str = match option_env!("MAQUETTE_GIT_HASH") {
    Some(hash) => hash,
    None => "unknown",
};
/// What stands on every output.
pub const NOT_FOR_DIAGNOSTIC_USE: &str = "Not for diagnostic use";

/// The program that wrote a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Software {
    /// Name.
    pub program: String,
    /// Version.
    pub version: String,
    /// Commit, or `unknown`.
    pub git_hash: String,
    /// The sentence about diagnostic use.
    pub intended_use: String,
}

impl Default for Software {
    fn default() -> Self {
        Self {
            program: PROGRAM.into(),
            version: VERSION.into(),
            git_hash: GIT_HASH.into(),
            intended_use: NOT_FOR_DIAGNOSTIC_USE.into(),
        }
    }
}

/// The images that something was made from, without the patient.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ImageSource {
    /// *Modality*.
    pub modality: String,
    /// *Series Instance UID*, replaced.
    pub series_uid: String,
    /// *Frame of Reference UID*, replaced.
    pub frame_of_reference_uid: String,
    /// Voxels along i, j, k.
    pub dims: [u32; 3],
    /// Distance of voxel centres along i, j, k, mm.
    pub spacing_mm: [f64; 3],
}

impl ImageSource {
    /// Describes a volume and its series.
    pub fn new(volume: &Volume, info: &SeriesInfo) -> Self {
        Self {
            modality: info.modality.clone(),
            series_uid: replaced_uid(&info.series_uid),
            frame_of_reference_uid: replaced_uid(&info.frame_of_reference_uid),
            dims: volume.grid().dims(),
            spacing_mm: volume.grid().spacing_mm().to_array(),
        }
    }
}

/// A DICOM unique identifier that stands for another: the same one for the same, and no way back. Empty stays empty.
///
/// Form: `2.25.` and a 128-bit number (PS3.5 B.2), here the first half of a keyed BLAKE3 hash.
pub fn replaced_uid(uid: &str) -> String {
    let uid = uid.trim_end_matches(['\0', ' ']);
    if uid.is_empty() {
        return String::new();
    }
    let hash = blake3::derive_key("maquette 2026 replacement of unique identifiers in exports", uid.as_bytes());
    let mut half = [0_u8; 16];
    half.copy_from_slice(&hash[..16]);
    format!("2.25.{}", u128::from_le_bytes(half))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaced_identifiers_are_valid_stable_and_different() {
        let a = replaced_uid("1.2.840.113619.2.55");
        assert_eq!(a, replaced_uid("1.2.840.113619.2.55\0"), "padding is no part of it");
        assert_ne!(a, replaced_uid("1.2.840.113619.2.56"));
        assert!(a.len() <= 64 && a.starts_with("2.25.") && a[5..].bytes().all(|b| b.is_ascii_digit()), "{a}");
        assert_eq!(replaced_uid(""), "");
    }
}
