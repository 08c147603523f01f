//! Measurements of the document: points in the patient and the volume they were placed on.
//!
//! Not here: the values, which `domain::measure` computes from the points and the samples.

use glam::DVec3;
use serde::{Deserialize, Serialize};

use crate::domain::plane::Plane;

use super::document::{Revision, VolumeId};

/// Identity of a measurement, unique in a document and never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MeasurementId(pub u32);

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum MeasurementShape {
    /// Length of a straight line.
    Distance {
        /// The two ends, patient space, mm.
        ends_in_patient: [DVec3; 2],
    },
    /// Angle at the middle point.
    Angle {
        /// First leg, vertex, second leg; patient space, mm.
        points_in_patient: [DVec3; 3],
    },
    /// Values inside an ellipse that lies in a slice plane.
    Ellipse {
        /// The plane it lies in.
        plane: Plane,
        /// Centre, patient space, mm.
        center_in_patient: DVec3,
        /// Half axes along the plane's right and down directions, mm.
        radii_mm: [f64; 2],
    },
}

/// A measurement of the document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeasurementObject {
    /// Identity.
    pub id: MeasurementId,
    /// Name for people.
    pub name: String,
    /// The volume it was placed on.
    pub volume: VolumeId,
    /// What is measured.
    pub shape: MeasurementShape,
    /// Whether it is drawn.
    pub visible: bool,
    /// Moves when anything above changes.
    pub revision: Revision,
}
