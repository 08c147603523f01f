//! What an image series says of itself: identity, origin, and how it wants to be shown.
//!
//! Holds patient identity: show it on the screen of the lab, never put it in a log, a file name or an export.

use serde::{Deserialize, Serialize};

use super::window::Window;

/// Description of one image series. Empty strings stand for what the files do not say.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SeriesInfo {
    /// *Patient's Name* (0010,0010) for display ("DOE Jane").
    pub patient_name: String,
    /// *Patient ID* (0010,0020).
    pub patient_id: String,
    /// *Patient's Birth Date* (0010,0030), YYYYMMDD.
    pub birth_date: String,
    /// *Patient's Sex* (0010,0040).
    pub sex: String,
    /// *Study Date* (0008,0020), YYYYMMDD.
    pub study_date: String,
    /// *Study Description* (0008,1030).
    pub study_description: String,
    /// *Study Instance UID* (0020,000D).
    pub study_uid: String,
    /// *Series Description* (0008,103E).
    pub series_description: String,
    /// *Series Instance UID* (0020,000E).
    pub series_uid: String,
    /// *Series Number* (0020,0011).
    pub series_number: Option<i32>,
    /// *Modality* (0008,0060).
    pub modality: String,
    /// *Frame of Reference UID* (0020,0052); volumes with the same one share patient coordinates.
    pub frame_of_reference_uid: String,
    /// *Patient Position* (0018,5100), e.g. HFS.
    pub patient_position: String,
    /// *Manufacturer* (0008,0070) and model.
    pub manufacturer: String,
    /// *Convolution Kernel* (0018,1210).
    pub kernel: String,
    /// Windows that the files suggest, with their explanations, first is the default.
    pub windows: Vec<(String, Window)>,
}
