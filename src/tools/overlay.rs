//! What a tool draws over a view while it works: the true footprint of the brush, an outline, a rubber band.

use glam::{DVec2, DVec3};

use crate::session::measurement::MeasurementShape;

/// One thing to draw over a view.
#[derive(Debug, Clone, PartialEq)]
pub enum Overlay {
    /// The brush where the pointer is.
    Footprint {
        /// Centre, patient space, mm.
        center_in_patient: DVec3,
        /// Radius, mm.
        radius_mm: f64,
        /// Whether it removes.
        erase: bool,
    },
    /// An open outline in normalised device coordinates of the view it is drawn in.
    Outline(Vec<DVec2>),
    /// A measurement being placed or moved.
    Measurement(MeasurementShape),
}
