//! The tool that looks: left moves the crosshair on slices and turns the 3D view around the point under the pointer.
//!
//! Every tool hands the events it has no use for to this one.

use glam::{DVec2, DVec3};

use super::action::Action;
use super::pointer::{Phase, PointerEvent, View};

/// A drag across the whole view turns the camera by this much.
const TURN_RAD_PER_NDC: f64 = std::f64::consts::FRAC_PI_2;

/// State of the tool.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Navigate {
    /// No button down.
    #[default]
    Idle,
    /// Moving the crosshair in a slice.
    Pointing,
    /// Turning the 3D view.
    Orbiting {
        /// Point that keeps its place, patient space.
        pivot_in_patient: Option<DVec3>,
        /// Last pointer position.
        last_in_ndc: DVec2,
    },
}

impl Navigate {
    /// Answers an event.
    pub fn handle(&mut self, event: &PointerEvent) -> Vec<Action> {
        let crosshair = || event.point_in_patient.map(Action::MoveCrosshair).into_iter().collect();
        match (*self, event.phase, event.view) {
            (_, Phase::Press, View::Slice(_)) => {
                *self = Self::Pointing;
                crosshair()
            }
            (Self::Pointing, Phase::Drag, View::Slice(_)) => crosshair(),
            (_, Phase::Press, View::Volume) => {
                *self = Self::Orbiting { pivot_in_patient: event.point_in_patient, last_in_ndc: event.position_in_ndc };
                Vec::new()
            }
            (Self::Orbiting { pivot_in_patient, last_in_ndc }, Phase::Drag, View::Volume) => {
                let moved = event.position_in_ndc - last_in_ndc;
                *self = Self::Orbiting { pivot_in_patient, last_in_ndc: event.position_in_ndc };
                vec![Action::Orbit { by_rad: moved * TURN_RAD_PER_NDC, pivot_in_patient }]
            }
            (_, Phase::Release, _) => {
                *self = Self::Idle;
                Vec::new()
            }
            _ => Vec::new(),
        }
    }
}
