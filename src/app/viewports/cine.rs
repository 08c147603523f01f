//! Playing through the slices of a view, forward and around, until it is stopped or the hand scrolls elsewhere.

use egui::Ui;

use crate::domain::plane::Plane;
use crate::session::Session;

use super::layout::Pane;

/// Slices a second.
const RATE: f64 = 12.0;

/// What is being played.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cine {
    plane: Option<Plane>,
    last_secs: f64,
}

impl Cine {
    /// Whether slices are being played.
    pub fn is_playing(self) -> bool {
        self.plane.is_some()
    }

    /// Plays the slices of a view, or stops. The 3D view has none: then the axial ones are played.
    pub fn toggle(&mut self, pane: Pane) {
        let plane = match pane {
            Pane::Slice(plane) => plane,
            Pane::Volume => Plane::Axial,
        };
        self.plane = if self.plane.is_some() { None } else { Some(plane) };
    }

    /// Steps when it is time.
    pub fn play(&mut self, ui: &Ui, session: &mut Session) {
        let Some(plane) = self.plane else { return };
        let stopped = ui.input(|input| input.key_pressed(egui::Key::Escape) || input.pointer.any_pressed());
        let grid =
            session.view.active_volume.and_then(|id| session.document().volume(id)).map(|object| object.head.grid);
        let Some(grid) = grid.filter(|_| !stopped) else {
            self.plane = None;
            return;
        };
        let now_secs = ui.input(|input| input.time);
        if now_secs - self.last_secs >= 1.0 / RATE {
            self.last_secs = now_secs;
            session.view.step_around(plane, &grid);
        }
        ui.ctx().request_repaint_after_secs((1.0 / RATE) as f32);
    }
}
