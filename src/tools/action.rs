//! What a tool wants done.

use glam::{DVec2, DVec3};

use crate::session::command::{Brush, Command, EditRule, MaskEdit};
use crate::session::measurement::MeasurementShape;

/// One wish of a tool; the session carries it out.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Moves the crosshair, and with it all views.
    MoveCrosshair(DVec3),
    /// Turns the 3D camera by these angles around a point (the focus when `None`).
    Orbit {
        /// To the right and up, radians.
        by_rad: DVec2,
        /// Point that keeps its place on the screen.
        pivot_in_patient: Option<DVec3>,
    },
    /// Begins a stroke on the active segment; a segment is made when there is none.
    BeginStroke {
        /// The brush.
        brush: Brush,
        /// What bounds it.
        rule: EditRule,
    },
    /// Goes on with the stroke to a point.
    ExtendStroke(DVec3),
    /// Ends the gesture: it becomes one undo step.
    CommitGesture,
    /// Ends the gesture as if it had never begun.
    AbortGesture,
    /// Edits the active segment at once.
    Edit {
        /// How.
        edit: MaskEdit,
        /// What bounds it.
        rule: EditRule,
    },
    /// Places a measurement on the active volume.
    Measure(MeasurementShape),
    /// Does a command as it is.
    Do(Command),
    /// Tells the person something.
    Say(&'static str),
}
