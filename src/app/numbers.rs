//! Numbers on the screen: always with a unit, decimals by kind, the decimal sign of the locale. Files never come through here.
//!
//! mm with one decimal, ml with two, degrees with one, HU whole; thousands are parted by a thin space.

use std::sync::OnceLock;

use glam::DVec3;

use crate::domain::volume::Quantity;

/// Languages whose decimal sign is a point; all others with a Latin, Greek or Cyrillic script write a comma.
/// Source: Unicode CLDR, symbols/decimal.
const POINT_LANGUAGES: &[&str] = &["C", "POSIX", "en", "zh", "ja", "ko", "th", "he", "hi", "ms", "ga", "cy", "mt"];

/// The decimal sign of the user's locale.
pub fn decimal_sign() -> char {
    static SIGN: OnceLock<char> = OnceLock::new();
    *SIGN.get_or_init(|| {
        let set = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
        decimal_sign_of(&set("LC_ALL").or_else(|| set("LC_NUMERIC")).or_else(|| set("LANG")).unwrap_or_default())
    })
}

fn decimal_sign_of(locale: &str) -> char {
    let language = locale.split(['_', '.', '@']).next().unwrap_or_default();
    let comma = !language.is_empty() && !POINT_LANGUAGES.contains(&language);
    if comma && !locale.starts_with("es_MX") && !locale.starts_with("de_CH") { ',' } else { '.' }
}

/// A number with a fixed count of decimals.
pub fn decimal(value: f64, decimals: usize) -> String {
    let plain = format!("{:.decimals$}", value.abs());
    let (whole, part) = plain.split_once('.').unwrap_or((&plain, ""));
    let mut text = String::new();
    if value < 0.0 && plain.chars().any(|c| c.is_ascii_digit() && c != '0') {
        text.push('\u{2212}');
    }
    text.push_str(&grouped(whole));
    if !part.is_empty() {
        text.push(decimal_sign());
        text.push_str(part);
    }
    text
}

fn grouped(digits: &str) -> String {
    if digits.len() < 5 {
        return digits.to_owned();
    }
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push('\u{202F}');
        }
        text.push(digit);
    }
    text
}

/// Reads what a person typed: either decimal sign, any minus, spaces between thousands.
pub fn parse(text: &str) -> Option<f64> {
    let digits: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '\u{202F}')
        .map(|c| match c {
            ',' => '.',
            '\u{2212}' => '-',
            other => other,
        })
        .collect();
    let number = digits.trim_end_matches(|c: char| c.is_alphabetic() || c == '\u{b0}');
    number.parse::<f64>().ok().filter(|value| value.is_finite())
}

/// A length: "38.4 mm".
pub fn mm(value_mm: f64) -> String {
    format!("{} mm", decimal(value_mm, 1))
}

/// A volume: "421.83 ml".
pub fn ml(volume_mm3: f64) -> String {
    format!("{} ml", decimal(volume_mm3 / 1000.0, 2))
}

/// An area: "51.3 cm2" with the proper sign.
pub fn cm2(area_mm2: f64) -> String {
    format!("{} cm\u{b2}", decimal(area_mm2 / 100.0, 1))
}

/// An area that a person drew: "24.5 mm2", from one square centimetre on "25.60 cm2".
pub fn area(area_mm2: f64) -> String {
    if area_mm2 < 100.0 {
        format!("{} mm\u{b2}", decimal(area_mm2, 1))
    } else {
        format!("{} cm\u{b2}", decimal(area_mm2 / 100.0, 2))
    }
}

/// A value of a volume with its unit, HU whole: "412 HU". MR has no unit.
pub fn value(value: f64, quantity: Quantity) -> String {
    let decimals = if quantity == Quantity::Suv { 2 } else { 0 };
    let unit = quantity.unit();
    if unit.is_empty() { decimal(value, decimals) } else { format!("{} {unit}", decimal(value, decimals)) }
}

/// A point of the patient: "L 12.4  P 80.1  S 51.0 mm".
pub fn patient_point(point_in_patient: DVec3) -> String {
    let axis = |value: f64, positive, negative| {
        format!("{} {}", if value < 0.0 { negative } else { positive }, decimal(value.abs(), 1))
    };
    format!(
        "{}  {}  {} mm",
        axis(point_in_patient.x, "L", "R"),
        axis(point_in_patient.y, "P", "A"),
        axis(point_in_patient.z, "S", "I")
    )
}

/// An amount of memory: "214 MB".
pub fn memory(bytes: u64) -> String {
    let megabytes = bytes as f64 / 1e6;
    if megabytes < 10_000.0 {
        format!("{} MB", decimal(megabytes, 0))
    } else {
        format!("{} GB", decimal(megabytes / 1000.0, 1))
    }
}

/// A short time: "12 s", "2 min".
pub fn seconds(duration_secs: f64) -> String {
    if duration_secs < 90.0 {
        format!("{} s", decimal(duration_secs.max(1.0), 0))
    } else {
        format!("{} min", decimal(duration_secs / 60.0, 0))
    }
}

/// A DICOM date (YYYYMMDD) as 2026-03-14; anything else as it is.
pub fn date(dicom_date: &str) -> String {
    let digits = dicom_date.len() == 8 && dicom_date.bytes().all(|byte| byte.is_ascii_digit());
    if digits {
        format!("{}-{}-{}", &dicom_date[..4], &dicom_date[4..6], &dicom_date[6..])
    } else {
        dicom_date.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_units_and_groups() {
        assert_eq!(decimal(-0.04, 1).trim_start_matches('\u{2212}').len(), 3, "no minus before a zero");
        assert_eq!(grouped("1234567"), "1\u{202F}234\u{202F}567");
        assert_eq!(grouped("3102"), "3102");
        assert_eq!(value(-1024.0, Quantity::Hounsfield), "\u{2212}1024 HU");
        assert_eq!(value(412.4, Quantity::Arbitrary), "412");
        assert_eq!(date("20260314"), "2026-03-14");
        assert!(patient_point(DVec3::new(-12.4, 80.0, -3.0)).starts_with("R 12"));
    }

    #[test]
    fn typed_numbers_are_read_with_either_sign() {
        assert_eq!(parse(" 1\u{202F}234,5 mm"), Some(1234.5));
        assert_eq!(parse("\u{2212}600"), Some(-600.0));
        assert_eq!(parse("3 or 4"), None);
        assert_eq!(
            (decimal_sign_of("de_DE.UTF-8"), decimal_sign_of("en_US.UTF-8"), decimal_sign_of("")),
            (',', '.', '.')
        );
    }
}
