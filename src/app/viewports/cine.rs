//! Playing through the slices of a view, forward and around, until it is stopped or the hand scrolls elsewhere.

use egui::Ui;

use crate::domain::plane::Plane;
use crate::session::Session;
use crate::session::document::VolumeId;

/// Slices a second.
const RATE: f64 = 12.0;

/// What is being played.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cine {
    playing: Option<(VolumeId, Plane)>,
    last_secs: f64,
}

impl Cine {
    /// Whether slices are being played.
    pub fn is_playing(self) -> bool {
        self.playing.is_some()
    }

    /// Plays the slices of a volume along a plane, or stops.
    pub fn toggle(&mut self, of: Option<(VolumeId, Plane)>) {
        self.playing = if self.playing.is_some() { None } else { of };
    }

    /// Steps when it is time.
    pub fn play(&mut self, ui: &Ui, session: &mut Session) {
        let Some((volume, plane)) = self.playing else { return };
        let stopped = ui.input(|input| input.key_pressed(egui::Key::Escape) || input.pointer.any_pressed());
        let grid = session.document().volume(volume).map(|object| object.head.grid);
        let Some(grid) = grid.filter(|_| !stopped) else {
            self.playing = None;
            return;
        };
        let now_secs = ui.input(|input| input.time);
        if now_secs - self.last_secs >= 1.0 / RATE {
            self.last_secs = now_secs;
            session.view.at_volume(volume, |view| view.step_around(plane, &grid));
        }
        ui.ctx().request_repaint_after_secs((1.0 / RATE) as f32);
    }
}
