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
    /// What objects that join the study must repeat letter by letter.
    #[serde(default)]
    pub as_stored: StoredIdentity,
}

/// Attributes of the patient and the study as the files have them, for objects that are written into the same study: an
/// archive takes a name that is spelt differently for another patient. Empty where the files do not say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredIdentity {
    /// *Patient's Name* (0010,0010) with all its components and groups.
    pub person_name: String,
    /// *Study Time* (0008,0030).
    pub study_time: String,
    /// *Accession Number* (0008,0050).
    pub accession_number: String,
    /// *Study ID* (0020,0010).
    pub study_id: String,
    /// *Referring Physician's Name* (0008,0090).
    pub referring_physician: String,
}

impl SeriesInfo {
    /// *Patient's Name* for an object of the same study: as the files have it; else made of the name on the screen, whose first
    /// word is the family's.
    pub fn person_name(&self) -> String {
        let stored = &self.as_stored.person_name;
        if stored.is_empty() { self.patient_name.replacen(' ', "^", 1) } else { stored.clone() }
    }

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
