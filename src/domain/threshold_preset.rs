//! Named threshold ranges in HU, read from `assets/thresholds.json`, which names their source.

use std::sync::OnceLock;

use serde::Deserialize;

/// A named range of CT numbers, both ends included.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ThresholdPreset {
    /// Name for people.
    pub name: String,
    /// Smallest HU inside.
    pub lower_hu: f64,
    /// Largest HU inside.
    pub upper_hu: f64,
}

/// All threshold presets, in the order of the file.
///
/// # Panics
/// When the embedded file is broken, which a test would have found.
pub fn presets() -> &'static [ThresholdPreset] {
    #[derive(Deserialize)]
    struct File {
        presets: Vec<ThresholdPreset>,
    }
    static PRESETS: OnceLock<Vec<ThresholdPreset>> = OnceLock::new();
    PRESETS.get_or_init(|| {
        let text = include_str!("../../assets/thresholds.json");
        let file: File = serde_json::from_str(text).expect("valid thresholds.json");
        file.presets
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_ranges() {
        assert!(presets().iter().all(|preset| preset.lower_hu < preset.upper_hu));
        let bone = presets().iter().find(|preset| preset.name == "Bone").expect("Bone");
        assert_eq!((bone.lower_hu, bone.upper_hu), (226.0, 3071.0));
    }
}
