//! The bar under the views of a volume that has other phases: one back, a slider through them, one on, play.
//!
//! Playing goes at a steady rate, and slower where a phase takes longer to reach the device than its turn: moments are never
//! left out and no view is empty. Phases that are small together stay on the device; else only the next one is sent ahead.

use egui::{Align, Frame, Layout, Margin, Panel, RichText, Slider, Ui};
use egui_material_icons::icons;

use crate::app::theme;
use crate::app::widgets::field::icon_button;
use crate::session::Session;
use crate::session::document::{Document, VolumeId};
use crate::session::view::phases::phases_of;

/// Phases a second while playing: a heart of ten phases beats about once.
const RATE: f64 = 8.0;

/// Samples of all phases together up to which all are kept on the device, bytes.
const KEPT_BYTES: usize = 256 << 20;

/// Whether phases are being played.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct PhasePlayer {
    is_playing: bool,
    last_secs: f64,
}

impl PhasePlayer {
    /// Whether phases are being played.
    pub(super) fn is_playing(self) -> bool {
        self.is_playing
    }

    /// Plays, or stops.
    pub(super) fn toggle(&mut self) {
        self.is_playing = !self.is_playing;
    }

    /// Phases that are to be on the device although no view shows them now.
    pub(super) fn ahead(self, session: &Session) -> Vec<VolumeId> {
        let Some(active) = session.view.active_volume else { return Vec::new() };
        let phases = phases_of(session.document(), active);
        let volume = |id: &VolumeId| session.document().volume(*id).map(|object| &object.volume);
        let bytes: usize = phases.iter().filter_map(volume).map(|volume| size_of_val(volume.samples())).sum();
        if bytes <= KEPT_BYTES {
            phases
        } else if self.is_playing {
            next_of(&phases, active).into_iter().collect()
        } else {
            Vec::new()
        }
    }

    /// Draws the bar where there is more than one phase, and steps when it is time and the next one is `there`.
    pub(super) fn ui(&mut self, ui: &mut Ui, session: &mut Session, there: impl Fn(VolumeId) -> bool) {
        let before = session.view.active_volume;
        let phases = before.map(|id| phases_of(session.document(), id)).unwrap_or_default();
        if phases.len() < 2 {
            self.is_playing = false;
            return;
        }
        let is_next_there = before.and_then(|id| next_of(&phases, id)).is_some_and(there);
        self.play(ui, session, is_next_there);
        // What the bar says is what the views show in this frame.
        let now = session.view.active_volume;
        let Some(at) = phases.iter().position(|id| Some(*id) == now) else { return };
        let frame = Frame::new().fill(theme::PANEL).inner_margin(Margin::symmetric(12, 0));
        Panel::bottom("phases").exact_size(theme::ROW + 8.0).frame(frame).show(ui, |ui| {
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| self.controls(ui, session, &phases, at));
        });
    }

    fn controls(&mut self, ui: &mut Ui, session: &mut Session, phases: &[VolumeId], at: usize) {
        ui.label(RichText::new("Phase").color(theme::WEAK));
        let mut step = 0;
        if icon_button(ui, icons::ICON_CHEVRON_LEFT, "Previous phase", "").clicked() {
            step = -1;
        }
        let (icon, name) =
            if self.is_playing { (icons::ICON_PAUSE, "Stop playing") } else { (icons::ICON_PLAY_ARROW, "Play phases") };
        if icon_button(ui, icon, name, "Escape stops too.").clicked() {
            self.toggle();
        }
        if icon_button(ui, icons::ICON_CHEVRON_RIGHT, "Next phase", "").clicked() {
            step = 1;
        }
        let mut number = at + 1;
        ui.spacing_mut().slider_width = 240.0;
        let slider = Slider::new(&mut number, 1..=phases.len()).suffix(format!(" of {}", phases.len()));
        let moved = ui.name_inputs("Phase", |ui| ui.add(slider)).changed();
        ui.label(name_of(session.document(), phases[at]));
        if moved {
            session.show_phase(phases[(number - 1).min(phases.len() - 1)]);
        } else if step != 0 {
            session.step_phase(step);
        }
        if moved || step != 0 {
            self.is_playing = false;
        }
    }

    fn play(&mut self, ui: &Ui, session: &mut Session, is_next_there: bool) {
        if !self.is_playing {
            return;
        }
        if ui.input(|input| input.key_pressed(egui::Key::Escape)) {
            self.is_playing = false;
            return;
        }
        let now_secs = ui.input(|input| input.time);
        if is_next_there && now_secs - self.last_secs >= 1.0 / RATE {
            self.last_secs = now_secs;
            session.step_phase(1);
        }
        ui.ctx().request_repaint_after_secs((1.0 / RATE) as f32);
    }
}

/// The phase after `id`, around from the last to the first.
fn next_of(phases: &[VolumeId], id: VolumeId) -> Option<VolumeId> {
    let at = phases.iter().position(|phase| *phase == id)?;
    phases.get((at + 1) % phases.len()).copied()
}

/// What the files call a phase; the name of the volume where they call it nothing.
fn name_of(document: &Document, id: VolumeId) -> String {
    document.volume(id).map_or_else(String::new, |object| {
        let part =
            object.head.source.series.strip_prefix(object.head.info.series_uid.as_str()).unwrap_or_default().trim();
        if part.is_empty() { object.head.name.clone() } else { part.to_owned() }
    })
}
