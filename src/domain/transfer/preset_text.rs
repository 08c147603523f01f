//! Transfer functions as text: the format of `assets/transfer-functions.json`, so that what a person saves can become a preset.
//!
//! JSON `{"presets": [{"name", "opacity": [[value, 0..1]], "color": [[value, "#rrggbb"]], "gradient_opacity", "shading",
//! "blend", "iso_value"}]}`. Reading checks everything that drawing relies on: files come from elsewhere.

use serde::{Deserialize, Serialize};

use super::{Blend, Shading, TransferFunction};

/// Most points of one curve.
const MOST_POINTS: usize = 1024;
/// Longest name.
const LONGEST_NAME: usize = 64;

/// Why a text is no transfer function.
#[derive(Debug, thiserror::Error)]
pub enum PresetTextError {
    /// It is not JSON of this form.
    #[error("it is no transfer function: {0}")]
    Form(#[from] serde_json::Error),
    /// It holds none.
    #[error("it holds no transfer function")]
    Empty,
    /// A number or a name is not possible.
    #[error("{0}")]
    Impossible(&'static str),
}

#[derive(Serialize, Deserialize)]
struct File {
    presets: Vec<Entry>,
}

/// One preset as the file writes it: colours are `#rrggbb`, as people copy them.
#[derive(Serialize, Deserialize)]
struct Entry {
    name: String,
    opacity: Vec<(f64, f64)>,
    color: Vec<(f64, String)>,
    gradient_opacity: Vec<(f64, f64)>,
    shading: Shading,
    #[serde(default)]
    blend: Blend,
    #[serde(default = "super::default_iso_value")]
    iso_value: f64,
}

/// All transfer functions of a text.
///
/// # Errors
/// When the text is none, or says something that cannot be drawn.
pub fn all_from_text(text: &str) -> Result<Vec<TransferFunction>, PresetTextError> {
    let file: File = serde_json::from_str(text)?;
    file.presets.into_iter().map(transfer_of).collect()
}

/// The first transfer function of a text.
///
/// # Errors
/// As [`all_from_text`], and when there is none.
pub fn from_text(text: &str) -> Result<TransferFunction, PresetTextError> {
    all_from_text(text)?.into_iter().next().ok_or(PresetTextError::Empty)
}

/// A transfer function as text, with the program that wrote it.
pub fn to_text(transfer: &TransferFunction) -> String {
    let entry = Entry {
        name: transfer.name.clone(),
        opacity: transfer.opacity.clone(),
        color: transfer.color.iter().map(|(value, rgb)| (*value, hex_of(*rgb))).collect(),
        gradient_opacity: transfer.gradient_opacity.clone(),
        shading: transfer.shading,
        blend: transfer.blend,
        iso_value: transfer.iso_value,
    };
    let source = concat!("Maquette ", env!("CARGO_PKG_VERSION"));
    let file = serde_json::json!({"source": source, "presets": [entry]});
    serde_json::to_string_pretty(&file).expect("numbers and names are JSON")
}

fn transfer_of(entry: Entry) -> Result<TransferFunction, PresetTextError> {
    let color: Option<Vec<(f64, [f32; 3])>> =
        entry.color.iter().map(|(value, hex)| Some((*value, rgb_of(hex)?))).collect();
    let color = color.ok_or(PresetTextError::Impossible("a colour is not written as #rrggbb"))?;
    let name = entry.name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(PresetTextError::Impossible("its name is empty, too long or unreadable"));
    }
    for curve in [&entry.opacity, &entry.gradient_opacity] {
        check_values(curve)?;
        if curve.iter().any(|(_, part)| !(0.0..=1.0).contains(part)) {
            return Err(PresetTextError::Impossible("an opacity is not between 0 and 1"));
        }
    }
    check_values(&color)?;
    let Shading { ambient, diffuse, specular, power, .. } = entry.shading;
    let light = [ambient, diffuse, specular, power];
    if !(entry.iso_value.is_finite() && light.iter().all(|part| (0.0..=1000.0).contains(part))) {
        return Err(PresetTextError::Impossible("its light or the value of its surface is not possible"));
    }
    Ok(TransferFunction {
        name: name.to_owned(),
        opacity: entry.opacity,
        color,
        gradient_opacity: entry.gradient_opacity,
        shading: entry.shading,
        blend: entry.blend,
        iso_value: entry.iso_value,
    })
}

fn check_values<T>(points: &[(f64, T)]) -> Result<(), PresetTextError> {
    let rising = points.windows(2).all(|pair| pair[0].0 <= pair[1].0);
    let possible = points.iter().all(|(value, _)| value.is_finite() && value.abs() < 1e9);
    if points.is_empty() || points.len() > MOST_POINTS || !rising || !possible {
        return Err(PresetTextError::Impossible("the values of its points are missing, too many or not rising"));
    }
    Ok(())
}

fn rgb_of(hex: &str) -> Option<[f32; 3]> {
    let digits = hex.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
    let packed = u32::from_str_radix(digits, 16).ok()?;
    Some([16, 8, 0].map(|shift| (packed >> shift & 0xFF) as f32 / 255.0))
}

fn hex_of(rgb: [f32; 3]) -> String {
    let [r, g, b] = rgb.map(|part| (part.clamp(0.0, 1.0) * 255.0).round() as u8);
    format!("#{r:02x}{g:02x}{b:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::transfer::presets;

    #[test]
    fn every_preset_comes_back_as_it_was() {
        for preset in presets() {
            assert_eq!(&from_text(&to_text(preset)).expect("its own text"), preset);
        }
    }

    #[test]
    fn a_text_from_elsewhere_is_checked() {
        let text = to_text(&presets()[0]);
        let broken = |from: &str, to: &str| from_text(&text.replacen(from, to, 1)).expect_err(to).to_string();
        assert!(broken("0.25", "1.25").contains("between 0 and 1"));
        assert!(broken("130.0", "13000.0").contains("not rising"));
        assert!(broken("#8f4a3c", "brown").contains("#rrggbb"));
        assert!(broken("Maquette-Bone", "").contains("name"));
        assert!(broken("\"presets\"", "\"nothing\"").contains("no transfer function"));
        assert!(matches!(from_text("{\"presets\": []}"), Err(PresetTextError::Empty)));
        assert!(from_text("not JSON").is_err());
    }
}
