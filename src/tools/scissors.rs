//! Scissors: a freehand outline in a slice or in 3D cuts the active segment along the view.

use glam::{DMat4, DVec2};

use crate::session::command::MaskEdit;

use super::action::Action;
use super::options::ToolOptions;
use super::overlay::Overlay;
use super::pointer::{Phase, PointerEvent, View};

/// The pointer has to move this far for a new corner of the outline.
const CORNER_STEP_NDC: f64 = 0.005;
/// An outline that encloses less than this is a slip of the hand.
const SMALLEST_AREA_NDC2: f64 = 1e-4;

/// State of the tool.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Scissors {
    /// No button down.
    #[default]
    Idle,
    /// Drawing an outline.
    Drawing {
        /// The view it is drawn in.
        view: View,
        /// Patient space to clip space of that view, when the outline was begun.
        clip_from_patient: DMat4,
        /// Corners so far.
        outline_in_ndc: Vec<DVec2>,
    },
}

impl Scissors {
    /// Answers an event.
    pub fn handle(&mut self, event: &PointerEvent, options: &ToolOptions) -> Vec<Action> {
        match (&mut *self, event.phase) {
            (Self::Idle, Phase::Press) => {
                let (view, clip_from_patient) = (event.view, event.clip_from_patient);
                *self = Self::Drawing { view, clip_from_patient, outline_in_ndc: vec![event.position_in_ndc] };
                Vec::new()
            }
            (Self::Drawing { view, outline_in_ndc, .. }, Phase::Drag) if *view == event.view => {
                let moved =
                    outline_in_ndc.last().is_none_or(|last| last.distance(event.position_in_ndc) > CORNER_STEP_NDC);
                if moved {
                    outline_in_ndc.push(event.position_in_ndc);
                }
                Vec::new()
            }
            (Self::Drawing { .. }, Phase::Release) => self.cut(event, options),
            _ => Vec::new(),
        }
    }

    fn cut(&mut self, event: &PointerEvent, options: &ToolOptions) -> Vec<Action> {
        let Self::Drawing { clip_from_patient, outline_in_ndc, .. } = std::mem::take(self) else { return Vec::new() };
        if area(&outline_in_ndc) < SMALLEST_AREA_NDC2 {
            return vec![Action::Say(
                "Draw a closed outline around what is to be cut: hold the left button and go round it.",
            )];
        }
        // Ctrl turns the choice of the panel around, as it does for the brush.
        let cut_inside = options.cut_inside != event.modifiers.ctrl;
        // In 3D a cut goes through everything: depth along the view says nothing there.
        let half_depth_mm = options.cut_half_depth_mm.filter(|_| event.plane().is_some());
        let fill = options.scissors_fill;
        let edit = MaskEdit::Scissors { outline_in_ndc, clip_from_patient, cut_inside, half_depth_mm, fill };
        vec![Action::Edit { edit, rule: options.rule() }]
    }

    /// The outline so far, for the view it is drawn in.
    pub fn overlay(&self, view: View) -> Option<Overlay> {
        match self {
            Self::Drawing { view: drawn_in, outline_in_ndc, .. } if *drawn_in == view => {
                Some(Overlay::Outline(outline_in_ndc.clone()))
            }
            _ => None,
        }
    }
}

/// Enclosed area of a closed outline (shoelace formula).
fn area(outline: &[DVec2]) -> f64 {
    let next = outline.iter().cycle().skip(1);
    outline.iter().zip(next).map(|(a, b)| a.perp_dot(*b)).sum::<f64>().abs() / 2.0
}
