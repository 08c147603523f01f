//! Measurements of the document: points in the patient and the volume they were placed on.
//!
//! Not here: the values, which `domain::measure` computes from the points and the samples.

use serde::{Deserialize, Serialize};

use super::document::{Revision, VolumeId};

pub use crate::domain::measure::{MeasurementId, MeasurementShape};

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
