//! Taking out of free text what could identify: the words of the patient and the hospital that the data set itself knows,
//! and whatever looks like a date, a number of a person, or an address.
//!
//! This is a sieve, not an understanding: whoever keeps descriptors has to look through them.

use std::collections::HashSet;

use chrono::{Days, NaiveDate};
use dicom_core::header::Header;
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

/// Digits in one word that make it a number of something.
const MANY_DIGITS: usize = 5;
/// Attributes beside person names whose words identify.
const IDENTIFYING: [Tag; 10] = [
    tags::PATIENT_ID,
    tags::ACCESSION_NUMBER,
    tags::STUDY_ID,
    tags::INSTITUTION_NAME,
    tags::INSTITUTION_ADDRESS,
    tags::INSTITUTIONAL_DEPARTMENT_NAME,
    tags::STATION_NAME,
    tags::PATIENT_ADDRESS,
    // Other Patient IDs, retired.
    Tag(0x0010, 0x1000),
    tags::DEVICE_SERIAL_NUMBER,
];

/// Words that identify.
#[derive(Debug, Default)]
pub struct IdentifyingWords {
    words: HashSet<String>,
}

impl IdentifyingWords {
    /// Gathers the words of a data set, sequences included.
    pub fn of(object: &InMemDicomObject) -> Self {
        let mut found = Self::default();
        found.gather(object);
        found
    }

    fn gather(&mut self, object: &InMemDicomObject) {
        for element in object {
            if element.vr() == VR::PN || IDENTIFYING.contains(&element.tag()) {
                let text = element.to_str().unwrap_or_default();
                self.words.extend(words(&text).filter(|word| word.chars().count() > 1).map(str::to_lowercase));
            }
            element.items().unwrap_or_default().iter().for_each(|item| self.gather(item));
        }
    }

    /// A text without the words that identify; words stay in order.
    pub fn cleaned(&self, text: &str) -> String {
        let kept = text.split_whitespace().filter(|part| !self.identifies(part));
        kept.collect::<Vec<_>>().join(" ")
    }

    fn identifies(&self, part: &str) -> bool {
        let digits = part.chars().filter(char::is_ascii_digit).count();
        let is_date =
            part.split(['.', '/', '-', ':']).filter(|p| !p.is_empty() && p.chars().all(|c| c.is_ascii_digit()));
        digits >= MANY_DIGITS
            || part.contains('@')
            || is_date.count() >= 3
            || words(part).any(|word| self.words.contains(&word.to_lowercase()))
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// A date (`YYYYMMDD`, or a date and time that begins so) some days later; `None` where there is no whole date in it.
pub fn shifted(text: &str, days: i32) -> Option<String> {
    let (date, rest) = text.trim().split_at_checked(8)?;
    let date = NaiveDate::parse_from_str(date, "%Y%m%d").ok()?;
    let by = Days::new(u64::from(days.unsigned_abs()));
    let moved = if days < 0 { date.checked_sub_days(by) } else { date.checked_add_days(by) }?;
    Some(format!("{}{rest}", moved.format("%Y%m%d")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_identify_are_taken_out() {
        let mut object = InMemDicomObject::new_empty();
        object.put_str(tags::PATIENT_NAME, VR::PN, "M\u{fc}ller^Anna Lena");
        object.put_str(tags::INSTITUTION_NAME, VR::LO, "St. Mary Hospital");
        object.put_str(tags::PATIENT_ID, VR::LO, "P-4711");
        let words = IdentifyingWords::of(&object);
        assert_eq!(words.cleaned("CT Thorax m\u{fc}ller, ANNA (4711) venous"), "CT Thorax venous");
        assert_eq!(words.cleaned("seen 2024-05-17 at Mary, call 0301234567 or a@b.de"), "seen at call or");
        assert_eq!(words.cleaned("3.0 x 0.6 B30f 120kV"), "3.0 x 0.6 B30f 120kV");
    }

    #[test]
    fn dates_move_by_days() {
        assert_eq!(shifted("20240301", -1).as_deref(), Some("20240229"));
        assert_eq!(shifted("20231231235959.5+0100", 1).as_deref(), Some("20240101235959.5+0100"));
        for wrong in ["", "2024", "2024-03-01", "20241399", "\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}"] {
            assert_eq!(shifted(wrong, 1), None, "{wrong}");
        }
    }
}
