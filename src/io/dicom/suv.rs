//! Standardised uptake value (body weight) of PET.
//!
//! In: a PET header. Out: what the rescaled values are multiplied with, or why they cannot be made SUV. Nothing is guessed:
//! weight, dose, half-life and times must be there.
//!
//! Source: QIBA "SUV vendor-neutral pseudo-code, happy path" (rev. 2012): `SUVbw = value * weight_g / dose_at_scan_start`;
//! DICOM PS3.3 C.8.9.1 (PET series), C.8.9.2 (isotope).

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use serde::{Deserialize, Serialize};

use super::dataset::Dataset;

/// What makes SUV of rescaled values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Suv {
    /// Multiply by this.
    Factor(f64),
    /// It cannot be known; completes "SUV cannot be given:".
    Unknown(String),
}

/// What a PET header allows; `None` for other modalities.
pub fn suv_of(dataset: &Dataset<'_>) -> Option<Suv> {
    (dataset.text(tags::MODALITY) == "PT").then(|| match factor(dataset) {
        Ok(factor) => Suv::Factor(factor),
        Err(why) => Suv::Unknown(why),
    })
}

fn factor(dataset: &Dataset<'_>) -> Result<f64, String> {
    let units = dataset.text(tags::UNITS);
    match units.as_str() {
        "GML" => {
            let kind = dataset.text(tags::SUV_TYPE);
            return match kind.as_str() {
                "" | "BW" => Ok(1.0),
                _ => Err(format!("the files give SUV of the type {kind}, not by body weight")),
            };
        }
        "BQML" => {}
        // Philips: counts, with the factor to SUV in a private element.
        "CNTS" => {
            let factor = dataset.float(Tag(0x7053, 0x1000)).filter(|factor| *factor > 0.0);
            return factor.ok_or_else(|| "the values are counts".to_owned());
        }
        "" => return Err("the files do not say the unit of their values".to_owned()),
        other => return Err(format!("the values are in {other}")),
    }
    let positive = |value: Option<f64>, what: &str| {
        value.filter(|value| *value > 0.0).ok_or_else(|| format!("the files do not say {what}"))
    };
    let weight_kg = positive(dataset.float(tags::PATIENT_WEIGHT), "the patient's weight")?;
    if !(0.3..500.0).contains(&weight_kg) {
        return Err(format!("a patient's weight of {weight_kg} kg is not possible"));
    }
    let isotope = dataset.item(tags::RADIOPHARMACEUTICAL_INFORMATION_SEQUENCE);
    let isotope = isotope.ok_or("the files do not say what was injected")?;
    let dose_bq = positive(isotope.float(tags::RADIONUCLIDE_TOTAL_DOSE), "the injected dose")?;
    let half_life_secs = positive(isotope.float(tags::RADIONUCLIDE_HALF_LIFE), "the half-life")?;
    let corrected = dataset.text(tags::CORRECTED_IMAGE);
    if !(corrected.contains("ATTN") && corrected.contains("DECY")) {
        return Err("the images are not corrected for attenuation and decay".to_owned());
    }
    let decayed_bq = match dataset.text(tags::DECAY_CORRECTION).as_str() {
        "ADMIN" => dose_bq,
        "START" => {
            let elapsed_secs = elapsed_secs(dataset, &isotope)?;
            dose_bq * (-elapsed_secs / half_life_secs).exp2()
        }
        other => return Err(format!("decay correction {other:?} is not known")),
    };
    Ok(weight_kg * 1000.0 / decayed_bq)
}

/// Seconds from injection to the start of the scan.
fn elapsed_secs(dataset: &Dataset<'_>, isotope: &Dataset<'_>) -> Result<f64, String> {
    let moment = |date: Tag, time: Tag| seconds(&dataset.text(date), &dataset.text(time));
    let series = moment(tags::SERIES_DATE, tags::SERIES_TIME);
    let acquisition = moment(tags::ACQUISITION_DATE, tags::ACQUISITION_TIME);
    // Series time may be rewritten by processing; then it lies after the acquisition and is no scan start.
    let start = match (series, acquisition) {
        (Some(series), Some(acquisition)) if series > acquisition + 1.0 => {
            // GE keeps the time of the scan in a private element.
            let private = dataset.text(Tag(0x0009, 0x100d));
            date_time_seconds(&private)
                .ok_or("the series was made after its images, so the start of the scan is not known")?
        }
        (Some(series), _) => series,
        _ => return Err("the files do not say when the scan began".to_owned()),
    };
    let with_day = date_time_seconds(&isotope.text(tags::RADIOPHARMACEUTICAL_START_DATE_TIME));
    let of_that_day = || {
        let date = [tags::SERIES_DATE, tags::STUDY_DATE].map(|tag| dataset.text(tag));
        let date = date.into_iter().find(|date| !date.is_empty()).unwrap_or_default();
        seconds(&date, &isotope.text(tags::RADIOPHARMACEUTICAL_START_TIME))
    };
    let injected = with_day.or_else(of_that_day).ok_or("the files do not say when it was injected")?;
    let elapsed = start - injected;
    // A time of day alone may belong to the evening before; where the day is given, clocks disagree and nothing is known.
    let is_evening_before = with_day.is_none() && (-86400.0..0.0).contains(&elapsed);
    let elapsed = if is_evening_before { elapsed + 86400.0 } else { elapsed };
    if (0.0..86400.0).contains(&elapsed) {
        Ok(elapsed)
    } else {
        Err("the times of injection and scan do not fit".to_owned())
    }
}

/// Seconds since a fixed day of *DA* and *TM* values.
fn seconds(date: &str, time: &str) -> Option<f64> {
    let date: String = date.chars().filter(char::is_ascii_digit).collect();
    let day = chrono::NaiveDate::parse_from_str(date.get(..8)?, "%Y%m%d").ok()?;
    let time = time.replace(':', "");
    let hours: f64 = time.get(..2)?.parse().ok()?;
    let minutes: f64 = time.get(2..4).unwrap_or("0").parse().ok()?;
    let secs: f64 = time.get(4..).filter(|rest| !rest.is_empty()).unwrap_or("0").trim().parse().ok()?;
    use chrono::Datelike as _;
    Some(f64::from(day.num_days_from_ce()) * 86400.0 + hours * 3600.0 + minutes * 60.0 + secs)
}

/// The same of a *DT* value; its zone is that of the study's times and left out.
fn date_time_seconds(text: &str) -> Option<f64> {
    let local = text.split(['+', '-', '&']).next().unwrap_or_default().trim();
    seconds(local.get(..8)?, local.get(8..)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_count_in_seconds() {
        let at = |date, time| seconds(date, time).unwrap();
        assert_eq!(at("20240301", "000010.5") - at("20240229", "235950"), 20.5);
        assert_eq!(date_time_seconds("20240301101500.000000+0100"), seconds("20240301", "101500"));
        assert_eq!(seconds("", "101500"), None);
        assert_eq!(seconds("20240301", ""), None);
    }
}
