//! The brush: adds voxels, or removes them with Ctrl held or as the eraser. One stroke is one undo step.

use glam::DVec3;

use crate::session::command::{Brush, BrushShape};

use super::action::Action;
use super::options::ToolOptions;
use super::overlay::Overlay;
use super::pointer::{Phase, PointerEvent};

/// State of the tool.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Paint {
    /// No button down.
    #[default]
    Idle,
    /// The button is down.
    Painting {
        /// Last point sent, patient space.
        last_in_patient: DVec3,
    },
}

/// The brush in the very plane of the view, which may be turned.
fn lying_in(event: &PointerEvent, brush: Brush) -> Brush {
    let (BrushShape::Disc(plane), Some(axes)) = (brush.shape, event.axes()) else { return brush };
    let straight = axes.normal_in_patient.dot(plane.normal_in_patient()).abs() > 1.0 - 1e-12;
    let tilted = BrushShape::TiltedDisc { normal_in_patient: axes.normal_in_patient };
    Brush { shape: if straight { brush.shape } else { tilted }, ..brush }
}

impl Paint {
    /// Answers an event in a slice view; the 3D view belongs to the camera.
    pub fn handle(&mut self, event: &PointerEvent, erase: bool, options: &ToolOptions) -> Vec<Action> {
        let (Some(plane), Some(point)) = (event.plane(), event.point_in_patient) else { return Vec::new() };
        match (*self, event.phase) {
            (Self::Idle, Phase::Press) => {
                *self = Self::Painting { last_in_patient: point };
                let brush = lying_in(event, options.brush(Some(plane), erase != event.modifiers.ctrl));
                vec![Action::BeginStroke { brush, rule: options.rule() }, Action::ExtendStroke(point)]
            }
            (Self::Painting { last_in_patient }, Phase::Drag)
                if point.distance(last_in_patient) > 0.25 * event.mm_per_point =>
            {
                *self = Self::Painting { last_in_patient: point };
                vec![Action::ExtendStroke(point)]
            }
            (Self::Painting { .. }, Phase::Release) => {
                *self = Self::Idle;
                vec![Action::CommitGesture]
            }
            _ => Vec::new(),
        }
    }

    /// Drops the stroke.
    pub fn abort(&mut self) -> Vec<Action> {
        match std::mem::take(self) {
            Self::Idle => Vec::new(),
            Self::Painting { .. } => vec![Action::AbortGesture],
        }
    }

    /// The brush under the pointer.
    pub fn overlay(event: &PointerEvent, erase: bool, options: &ToolOptions) -> Option<Overlay> {
        event.plane()?;
        Some(Overlay::Footprint {
            center_in_patient: event.point_in_patient?,
            radius_mm: options.radius_mm,
            erase: erase != event.modifiers.ctrl,
        })
    }
}
