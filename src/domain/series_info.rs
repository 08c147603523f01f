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

impl SeriesInfo {
    /// Whether two series say that they show different persons: another number, name or date of birth. What one of them
    /// does not say speaks for nothing; capitals, spaces and carets do not count.
    pub fn is_of_another_person(&self, other: &Self) -> bool {
        let plain = |text: &str| {
            text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>()
        };
        let pairs = [
            (&self.patient_id, &other.patient_id),
            (&self.patient_name, &other.patient_name),
            (&self.birth_date, &other.birth_date),
        ];
        pairs.into_iter().any(|(a, b)| {
            let (a, b) = (plain(a), plain(b));
            !a.is_empty() && !b.is_empty() && a != b
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_person_is_told_by_number_name_or_birth() {
        let info = |name: &str, id: &str, birth: &str| SeriesInfo {
            patient_name: name.to_owned(),
            patient_id: id.to_owned(),
            birth_date: birth.to_owned(),
            ..SeriesInfo::default()
        };
        let doe = info("DOE Jane", "1", "19700101");
        assert!(!doe.is_of_another_person(&info("Doe^Jane", "1", "")));
        assert!(!doe.is_of_another_person(&SeriesInfo::default()), "a research file says nothing");
        for other in [info("DOE Jane", "2", ""), info("ROE Jane", "1", ""), info("", "", "19700102")] {
            assert!(doe.is_of_another_person(&other) && other.is_of_another_person(&doe));
        }
    }
}
