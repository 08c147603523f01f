//! The transfer functions that everyone expects, read from `assets/transfer-functions.json`, which names their source.

use std::sync::OnceLock;

use super::TransferFunction;
use crate::domain::volume::{Quantity, Volume};

/// All presets in the order of the file.
///
/// # Panics
/// When the embedded file is broken, which a test would have found.
pub fn presets() -> &'static [TransferFunction] {
    static PRESETS: OnceLock<Vec<TransferFunction>> = OnceLock::new();
    PRESETS.get_or_init(|| {
        let text = include_str!("../../../assets/transfer-functions.json");
        super::preset_text::all_from_text(text).expect("valid transfer-functions.json")
    })
}

/// The preset of a name; capitals do not matter.
pub fn preset(name: &str) -> Option<&'static TransferFunction> {
    presets().iter().find(|preset| preset.name.eq_ignore_ascii_case(name))
}

/// The preset that a volume is first shown with: bone for CT, else the MR preset over the volume's range.
pub fn default_for(volume: &Volume) -> TransferFunction {
    let name = if volume.quantity() == Quantity::Hounsfield { "Maquette-Bone" } else { "MR-Default" };
    preset(name).map_or_else(|| presets()[0].clone(), |found| fitted_to(found, volume))
}

/// A preset for this very volume: unchanged for CT, whose values have a fixed scale; else stretched over the values that
/// occur, the brightest thousandth left out.
pub fn fitted_to(preset: &TransferFunction, volume: &Volume) -> TransferFunction {
    if volume.quantity() == Quantity::Hounsfield {
        return preset.clone();
    }
    let histogram = volume.histogram();
    let total: u64 = histogram.iter().sum();
    let (low, high) = volume.value_range();
    let mut above = 0;
    let bright = histogram.iter().rposition(|&count| {
        above += count;
        above > total / 1000
    });
    let sample = bright.map_or(0.0, |bin| bin as f64 + f64::from(i16::MIN));
    let bright = volume.rescale().value(sample).clamp(low, high);
    preset.stretched(low, if bright > low { bright } else { high })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_holds_what_everyone_expects() {
        assert!(presets().len() >= 34);
        assert_eq!(presets().iter().filter(|preset| !preset.name.starts_with("Maquette")).count(), 31);
        for preset in presets() {
            let rising = |values: Vec<f64>| values.windows(2).all(|pair| pair[0] <= pair[1]);
            assert!(rising(preset.opacity.iter().map(|(value, _)| *value).collect()), "{}", preset.name);
            assert!(rising(preset.color.iter().map(|(value, _)| *value).collect()), "{}", preset.name);
            assert!(preset.opacity.iter().all(|(_, opacity)| (0.0..=1.0).contains(opacity)), "{}", preset.name);
            assert!(preset.opacity.iter().any(|(_, opacity)| *opacity > 0.0), "{} shows nothing", preset.name);
        }
        let bone = preset("ct-bone").expect("CT-Bone");
        assert!((bone.opacity_at(641.4) - 0.72).abs() < 1e-9);
        assert!((bone.opacity_at(312.5) - 0.36).abs() < 1e-3, "half way up the ramp");
        assert_eq!(bone.color_at(9000.0), [1.0; 3], "clamped to the last colour");
        assert!(preset("uCT-Skull").expect("uCT-Skull").uses_gradient_opacity());
        assert!(!bone.uses_gradient_opacity());
    }
}
