//! Measurements on a volume: distance, angle, ellipse region of interest; statistics of a segment.
//!
//! In: points in patient space (LPS, mm) and a volume. Out: readings in mm, degrees, mm2 and the volume's own quantity
//! (`Volume::quantity`: MR signal is not HU).
//! Not here: how a measurement is drawn or edited (`tools`, `app`), how it is kept (`session`).

mod region;
mod statistics;

pub use statistics::{SampleStatistics, SegmentStatistics, segment_statistics};

use glam::DVec3;
use serde::{Deserialize, Serialize};

use super::volume::Volume;

/// Identity of a measurement, unique in a document and never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MeasurementId(pub u32);

/// What is measured: points in patient space, mm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum MeasurementShape {
    /// From one point to another.
    Distance {
        /// Both ends.
        ends_in_patient: [DVec3; 2],
    },
    /// Between the legs from the second point to the first and to the third.
    Angle {
        /// End of a leg, vertex, end of the other leg.
        points_in_patient: [DVec3; 3],
    },
    /// An ellipse on a plane; a circle when its half axes are equally long.
    Ellipse {
        /// Centre.
        center_in_patient: DVec3,
        /// Two half axes at right angles, in mm; they span the plane.
        half_axes_in_patient: [DVec3; 2],
    },
}

impl MeasurementShape {
    /// A point in its middle; the vertex of an angle.
    pub fn middle_in_patient(&self) -> DVec3 {
        match self {
            Self::Distance { ends_in_patient: [a, b] } => (*a + *b) / 2.0,
            Self::Angle { points_in_patient: [_, vertex, _] } => *vertex,
            Self::Ellipse { center_in_patient, .. } => *center_in_patient,
        }
    }

    /// Points that say where it lies: its ends, its corners, or the ends of an ellipse's axes.
    pub fn points_in_patient(&self) -> Vec<DVec3> {
        match self {
            Self::Distance { ends_in_patient } => ends_in_patient.to_vec(),
            Self::Angle { points_in_patient } => points_in_patient.to_vec(),
            Self::Ellipse { center_in_patient: center, half_axes_in_patient: [a, b] } => {
                vec![*center + *a, *center + *b, *center - *a, *center - *b]
            }
        }
    }
}

/// A measurement that a person made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Identity.
    pub id: MeasurementId,
    /// Name for people.
    pub name: String,
    /// What is measured.
    pub shape: MeasurementShape,
    /// Whether it is drawn.
    pub visible: bool,
}

/// What a measurement gives.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Reading {
    /// A length.
    Distance {
        /// Length in mm.
        length_mm: f64,
    },
    /// An angle between 0 and 180 degrees; `None` when a leg has no length.
    Angle {
        /// Degrees.
        degrees: Option<f64>,
    },
    /// A region.
    Region {
        /// Area of the ellipse, mm2.
        area_mm2: f64,
        /// Values inside; `None` when the region holds no sample of the volume.
        samples: Option<SampleStatistics>,
    },
}

/// Reads a measurement on a volume.
pub fn evaluate(shape: &MeasurementShape, volume: &Volume) -> Reading {
    match *shape {
        MeasurementShape::Distance { ends_in_patient: [from, to] } => {
            Reading::Distance { length_mm: from.distance(to) }
        }
        MeasurementShape::Angle { points_in_patient: [a, vertex, b] } => {
            let (to_a, to_b) = (a - vertex, b - vertex);
            let usable = to_a.length() > 0.0 && to_b.length() > 0.0;
            // By the tangent: exact for small and for straight angles, where the cosine is flat.
            let radians = to_a.cross(to_b).length().atan2(to_a.dot(to_b));
            Reading::Angle { degrees: usable.then(|| radians.to_degrees()) }
        }
        MeasurementShape::Ellipse { center_in_patient, half_axes_in_patient: [a, b] } => Reading::Region {
            area_mm2: std::f64::consts::PI * a.length() * b.length(),
            samples: region::ellipse_statistics(center_in_patient, [a, b], volume),
        },
    }
}
