//! Asks what a dropped file of whole numbers is: only a person knows whether 1 and 2 are labels or values.

use egui::{Button, Color32, RichText, Vec2};

use crate::app::MaquetteApp;
use crate::app::panels::modal;
use crate::app::theme;

impl MaquetteApp {
    /// Draws the question.
    pub(in crate::app) fn offered_ui(&mut self, ctx: &egui::Context) {
        let Some(path) = self.open_flow.offered.clone() else { return };
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let (mut segments, mut images) = (false, false);
        let close = modal(ctx, "Labels or images?", 460.0, |ui| {
            ui.add(egui::Label::new(format!("{name} holds a few whole numbers, as label maps do.")).wrap());
            ui.label(
                RichText::new("As segments, each number becomes a segment of these images.").small().color(theme::WEAK),
            );
            ui.add_space(12.0);
            ui.horizontal(|ui| {
                let height = Vec2::new(0.0, 28.0);
                let label = RichText::new("Load as segments").color(Color32::WHITE);
                segments = ui.add(Button::new(label).fill(theme::CHOSEN).min_size(height)).clicked();
                images = ui.add(Button::new("Open as images").min_size(height)).clicked();
            });
        });
        if segments || images || close {
            self.open_flow.offered = None;
        }
        if segments {
            self.load_segments(path);
        } else if images {
            self.open_path(path);
        }
    }
}
