//! Window and level: the value range that is drawn from black to white.
//!
//! Source: DICOM PS3.3 C.11.2.1.2 (LINEAR).

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
}
