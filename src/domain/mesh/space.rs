//! The coordinate systems that mesh files are written in.
//!
//! Inside the program everything is DICOM's LPS. Slicing software does not care; other imaging programs may want RAS.

use serde::{Deserialize, Serialize};

/// Meaning of x and y in a mesh file; z points to the head in both. The two differ by half a turn about z, so a mesh keeps
/// its handedness and its outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum MeshSpace {
    /// x to the patient's left, y to the back: DICOM. The default.
    #[default]
    Lps,
    /// x to the patient's right, y to the front: NIfTI.
    Ras,
}

impl MeshSpace {
    /// Its letters.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lps => "LPS",
            Self::Ras => "RAS",
        }
    }

    /// What its axes point to, in words.
    pub fn axes(self) -> &'static str {
        match self {
            Self::Lps => "x to the patient's left, y to the back, z to the head",
            Self::Ras => "x to the patient's right, y to the front, z to the head",
        }
    }

    /// A patient-space (LPS) point in this space. It is its own inverse.
    #[inline]
    pub fn from_patient(self, [x, y, z]: [f32; 3]) -> [f32; 3] {
        match self {
            Self::Lps => [x, y, z],
            // 0 - x, so that zero stays +0.
            Self::Ras => [0.0 - x, 0.0 - y, z],
        }
    }
}
