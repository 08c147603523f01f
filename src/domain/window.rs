//! Window and level: the value range that is drawn from black to white.
//!
//! Source: DICOM PS3.3 C.11.2.1.2 (LINEAR).

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

/// A display window in rescaled values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// Width; at least 1.
    pub width: f64,
    /// Centre, also called level.
    pub level: f64,
}

impl Window {
    /// A window; the width is kept at 1 or more.
    pub fn new(width: f64, level: f64) -> Self {
        Self { width: width.max(1.0), level }
    }

    /// The values drawn as black and as white.
    pub fn bounds(&self) -> (f64, f64) {
        let half = (self.width - 1.0).max(1e-3) / 2.0;
        (self.level - 0.5 - half, self.level - 0.5 + half)
    }

    /// Grey level 0 to 1 of a value.
    pub fn gray(&self, value: f64) -> f64 {
        let (low, high) = self.bounds();
        ((value - low) / (high - low)).clamp(0.0, 1.0)
    }

    /// Grey levels 0 to 255 of samples, for small pictures.
    pub fn gray_bytes(&self, samples: &[i16], rescale: super::volume::Rescale) -> Vec<u8> {
        samples.iter().map(|&sample| (self.gray(rescale.value(f64::from(sample))) * 255.0).round() as u8).collect()
    }
}

/// A named window on a digit key.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct WindowPreset {
    /// The digit, 1 to 9; 0 stands for the window that the files suggest and is not in the list.
    pub key: u8,
    /// Name for people.
    pub name: String,
    /// The window in HU.
    #[serde(flatten)]
    pub window: Window,
    /// Where the numbers come from.
    pub source: String,
}

/// The window presets of `assets/windows.json`, by key.
///
/// # Panics
/// When the embedded file is broken, which a test would have found.
pub fn presets() -> &'static [WindowPreset] {
    #[derive(Deserialize)]
    struct File {
        presets: Vec<WindowPreset>,
    }
    static PRESETS: OnceLock<Vec<WindowPreset>> = OnceLock::new();
    PRESETS.get_or_init(|| {
        let file: File = serde_json::from_str(include_str!("../../assets/windows.json")).expect("valid windows.json");
        file.presets
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_on_the_keys_one_to_nine() {
        assert_eq!(presets().iter().map(|preset| preset.key).collect::<Vec<_>>(), (1..=9).collect::<Vec<_>>());
        let lung = &presets()[1];
        assert_eq!((lung.name.as_str(), lung.window), ("Lung", Window::new(1500.0, -600.0)));
    }
}
