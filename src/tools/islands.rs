//! Parts: a click deletes the connected part under the pointer, in slices and in 3D; a drag is left to navigation.

use glam::DVec2;

use crate::session::command::MaskEdit;

use super::action::Action;
use super::navigate::Navigate;
use super::options::{IslandClick, ToolOptions};
use super::pointer::{Phase, PointerEvent};

/// Moving further than this while the button is down is a drag, not a click.
const CLICK_NDC: f64 = 0.01;

/// State of the tool.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Islands {
    pressed_at_ndc: Option<DVec2>,
    navigate: Navigate,
}

impl Islands {
    /// Answers an event.
    pub fn handle(&mut self, event: &PointerEvent, options: &ToolOptions) -> Vec<Action> {
        match event.phase {
            Phase::Press => {
                self.pressed_at_ndc = Some(event.position_in_ndc);
                self.navigate = Navigate::default();
                // Only 3D turns while dragging; on a slice the crosshair stays where it is.
                if event.plane().is_none() { self.navigate.handle(event) } else { Vec::new() }
            }
            Phase::Release => {
                let clicked = self
                    .pressed_at_ndc
                    .take()
                    .filter(|_| options.island_click == IslandClick::Remove)
                    .is_some_and(|at| at.distance(event.position_in_ndc) < CLICK_NDC);
                self.navigate.handle(event);
                match event.point_in_patient {
                    Some(point_in_patient) if clicked => {
                        vec![Action::Edit { edit: MaskEdit::RemovePart { point_in_patient }, rule: options.rule() }]
                    }
                    None if clicked => vec![Action::Say("There is no part of the active segment under the pointer.")],
                    _ => Vec::new(),
                }
            }
            _ => self.navigate.handle(event),
        }
    }
}
