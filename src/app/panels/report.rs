//! What the importer repaired or refused, and the tags of the files.

use egui::{RichText, ScrollArea, Ui};

use crate::app::MaquetteApp;
use crate::app::theme;
use crate::app::widgets::field::hint;

impl MaquetteApp {
    /// Draws the remarks of the importer on the active volume.
    pub(in crate::app) fn report_ui(&mut self, ui: &mut Ui) {
        let volume = self.session.view.active_volume.and_then(|id| self.session.document().volume(id));
        let Some(volume) = volume else { return };
        ui.label(RichText::new(&volume.head.name).color(theme::WEAK));
        ui.add_space(4.0);
        if volume.head.report.is_empty() {
            ui.label("The importer had nothing to repair and left nothing out.");
            return;
        }
        ScrollArea::vertical().max_height(420.0).auto_shrink([false, true]).show(ui, |ui| {
            for line in &volume.head.report {
                ui.horizontal_top(|ui| {
                    ui.label(theme::icon(egui_material_icons::icons::ICON_WARNING, 15.0).color(theme::WARN));
                    ui.add(egui::Label::new(crate::app::notices::sentence(line)).wrap());
                });
            }
        });
        let text = volume.head.report.join("\n");
        ui.add_space(8.0);
        if ui.button("Copy report").clicked() {
            ui.ctx().copy_text(text);
        }
    }

    /// Draws the tags of the active volume.
    pub(in crate::app) fn tags_ui(&mut self, ui: &mut Ui) {
        hint(ui, "Holds patient identity. It is shown here and goes nowhere.");
        hint(ui, self.session.document().name());
    }
}
