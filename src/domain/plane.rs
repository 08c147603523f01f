//! The planes of slice views and how they lie on the screen.
//!
//! Radiological convention: axial and coronal views show the patient's right on the screen's left; sagittal views look
//! from the patient's left with anterior on the screen's left.

use glam::DVec3;
use serde::{Deserialize, Serialize};

/// One of the three anatomical planes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Plane {
    /// Across the body, seen from the feet.
    Axial,
    /// Left from right, seen from the patient's left.
    Sagittal,
    /// Front from back, seen from the front.
    Coronal,
}

impl Plane {
    /// All planes in their customary order.
    pub const ALL: [Self; 3] = [Self::Axial, Self::Sagittal, Self::Coronal];

    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Axial => "Axial",
            Self::Sagittal => "Sagittal",
            Self::Coronal => "Coronal",
        }
    }

    /// Unit vector in patient space that points to the right of the screen.
    pub fn right_in_patient(self) -> DVec3 {
        match self {
            Self::Axial | Self::Coronal => DVec3::X,
            Self::Sagittal => DVec3::Y,
        }
    }

    /// Unit vector in patient space that points down the screen.
    pub fn down_in_patient(self) -> DVec3 {
        match self {
            Self::Axial => DVec3::Y,
            Self::Sagittal | Self::Coronal => DVec3::NEG_Z,
        }
    }

    /// The patient axis (0 = x left, 1 = y posterior, 2 = z superior) that the plane is perpendicular to;
    /// scrolling forward moves along its positive direction.
    pub fn normal_axis(self) -> usize {
        match self {
            Self::Axial => 2,
            Self::Sagittal => 0,
            Self::Coronal => 1,
        }
    }

    /// Unit vector along [`Plane::normal_axis`].
    pub fn normal_in_patient(self) -> DVec3 {
        DVec3::AXES[self.normal_axis()]
    }
}

/// Letters for the patient direction that a vector points to, most significant first, e.g. `L`, `RA`, `HFL`-style without
/// repeats: components under 20 % of the largest are dropped. LPS: +x = L, +y = P, +z = S.
pub fn direction_letters(direction_in_patient: DVec3) -> String {
    let names = [('L', 'R'), ('P', 'A'), ('S', 'I')];
    let mut parts: Vec<(f64, char)> = (0..3)
        .map(|axis| {
            let component = direction_in_patient[axis];
            (component.abs(), if component >= 0.0 { names[axis].0 } else { names[axis].1 })
        })
        .collect();
    parts.sort_by(|a, b| b.0.total_cmp(&a.0));
    let largest = parts[0].0;
    parts.into_iter().filter(|(size, _)| *size > 0.0 && *size >= 0.2 * largest).map(|(_, letter)| letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn radiological_convention() {
        assert_eq!(direction_letters(Plane::Axial.right_in_patient()), "L");
        assert_eq!(direction_letters(Plane::Axial.down_in_patient()), "P");
        assert_eq!(direction_letters(Plane::Sagittal.right_in_patient()), "P");
        assert_eq!(direction_letters(Plane::Coronal.down_in_patient()), "I");
        assert_eq!(direction_letters(DVec3::new(-0.5, -0.8, 0.05)), "AR");
    }
}
