//! What the pointer does, in the words of the patient instead of the window.
//!
//! Space: positions are normalised device coordinates of the view (x right, y up, -1 to 1) and, where there is one, the point
//! in patient space (LPS, mm): on a slice the point of the plane, in 3D the point of the surface under the pointer.

use glam::{DMat4, DVec2, DVec3};

use crate::domain::plane::Plane;

/// Which kind of view the pointer is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum View {
    /// A slice view.
    Slice(Plane),
    /// The 3D view.
    Volume,
}

/// What the left button does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Moves with no button down.
    Hover,
    /// Goes down.
    Press,
    /// Moves while down.
    Drag,
    /// Goes up.
    Release,
}

/// Keys held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Modifiers {
    /// Shift.
    pub shift: bool,
    /// Ctrl, Cmd on a Mac.
    pub ctrl: bool,
    /// Alt.
    pub alt: bool,
}

/// Unit vectors of a slice view, which may be turned out of its anatomical plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SliceAxes {
    /// To the right of the screen.
    pub right_in_patient: DVec3,
    /// Down the screen.
    pub down_in_patient: DVec3,
    /// Across the slice.
    pub normal_in_patient: DVec3,
}

/// One event of the left button or of the bare pointer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PointerEvent {
    /// Where.
    pub view: View,
    /// What happens.
    pub phase: Phase,
    /// Position in the view, normalised device coordinates.
    pub position_in_ndc: DVec2,
    /// The point meant, patient space, mm; `None` in 3D where nothing is hit.
    pub point_in_patient: Option<DVec3>,
    /// Patient space to clip space of the view.
    pub clip_from_patient: DMat4,
    /// Size of a screen point at the point meant, mm.
    pub mm_per_point: f64,
    /// Keys held.
    pub modifiers: Modifiers,
}

impl PointerEvent {
    /// Where a patient-space point is drawn in this view.
    pub fn ndc_of(&self, point_in_patient: DVec3) -> DVec2 {
        self.clip_from_patient.project_point3(point_in_patient).truncate()
    }

    /// Unit vectors of the slice view: right and down on the screen, and across it; `None` in 3D.
    pub fn axes(&self) -> Option<SliceAxes> {
        self.plane()?;
        let row = |n: usize| self.clip_from_patient.row(n).truncate().normalize_or_zero();
        let (right_in_patient, down_in_patient) = (row(0), -row(1));
        Some(SliceAxes {
            right_in_patient,
            down_in_patient,
            normal_in_patient: right_in_patient.cross(down_in_patient).normalize_or_zero(),
        })
    }

    /// The plane of the slice view; `None` in 3D.
    pub fn plane(&self) -> Option<Plane> {
        match self.view {
            View::Slice(plane) => Some(plane),
            View::Volume => None,
        }
    }
}
