//! The transfer functions that everyone expects, read from `assets/transfer-functions.json`, which names their source.

use std::sync::OnceLock;

use serde::Deserialize;

use super::{Blend, Shading, TransferFunction};

#[derive(Deserialize)]
struct File {
    presets: Vec<Entry>,
}

/// One preset as the file writes it: colours are `#rrggbb`, as people copy them.
#[derive(Deserialize)]
struct Entry {
    name: String,
    opacity: Vec<(f64, f64)>,
    color: Vec<(f64, String)>,
    gradient_opacity: Vec<(f64, f64)>,
    shading: Shading,
    #[serde(default)]
    blend: Blend,
}

/// All presets in the order of the file.
///
/// # Panics
/// When the embedded file is broken, which a test would have found.
pub fn presets() -> &'static [TransferFunction] {
    static PRESETS: OnceLock<Vec<TransferFunction>> = OnceLock::new();
    PRESETS.get_or_init(|| {
        let text = include_str!("../../../assets/transfer-functions.json");
        let file: File = serde_json::from_str(text).expect("valid transfer-functions.json");
        file.presets.into_iter().map(transfer_of).collect()
    })
}

/// The preset of a name; capitals do not matter.
pub fn preset(name: &str) -> Option<&'static TransferFunction> {
    presets().iter().find(|preset| preset.name.eq_ignore_ascii_case(name))
}

fn transfer_of(entry: Entry) -> TransferFunction {
    let color = entry.color.iter().map(|(value, hex)| (*value, rgb_of(hex))).collect();
    TransferFunction {
        name: entry.name,
        opacity: entry.opacity,
        color,
        gradient_opacity: entry.gradient_opacity,
        shading: entry.shading,
        blend: entry.blend,
    }
}

fn rgb_of(hex: &str) -> [f32; 3] {
    let packed = u32::from_str_radix(hex.trim_start_matches('#'), 16).expect("a colour is #rrggbb");
    [16, 8, 0].map(|shift| (packed >> shift & 0xFF) as f32 / 255.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_holds_what_everyone_expects() {
        assert!(presets().len() >= 31);
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
