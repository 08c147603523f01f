//! Meshes to files: which, in which orientation, where; the report of what was written.

use std::path::PathBuf;

use egui::{Button, Color32, RichText, TextEdit, Ui, Vec2};

use crate::app::MaquetteApp;
use crate::app::open_flow::PickedFor;
use crate::app::panels::Dialog;
use crate::app::selection::Selected;
use crate::app::theme;
use crate::app::widgets::field::{field_row, hint, segmented};
use crate::session::mesh_object::{MeshId, MeshStatus};

/// Settings of the dialog.
#[derive(Debug, Clone, Default)]
pub struct ExportState {
    /// Meshes that are chosen.
    pub chosen: Vec<MeshId>,
    /// Whether coordinates are written in RAS instead of LPS.
    pub ras: bool,
    /// Folder of the files.
    pub folder: String,
    /// What was written, one line a file.
    pub report: Vec<String>,
}

impl MaquetteApp {
    /// Opens the dialog with the selected mesh, or all.
    pub(in crate::app) fn open_export(&mut self) {
        let document = self.session.document();
        let selected = match self.selection.get(document) {
            Some(Selected::Mesh(id)) => Some(id),
            _ => None,
        };
        let built = document.meshes().iter().filter(|mesh| mesh.built.is_some()).map(|mesh| mesh.id);
        self.export.chosen = selected.map_or_else(|| built.collect(), |id| vec![id]);
        self.export.report.clear();
        if self.export.folder.is_empty() {
            self.export.folder = crate::app::open_flow::home().display().to_string();
        }
        self.dialog = Some(Dialog::Export);
    }

    /// Draws the dialog.
    pub(in crate::app) fn export_ui(&mut self, ui: &mut Ui) {
        ui.spacing_mut().item_spacing.y = 8.0;
        let document = self.session.document();
        for mesh in document.meshes() {
            let mut on = self.export.chosen.contains(&mesh.id);
            let status = document.mesh_status(mesh);
            let words = match (mesh.built.is_some(), status) {
                (false, _) => format!("{} (not built yet)", mesh.name),
                (true, MeshStatus::UpToDate) => mesh.name.clone(),
                (true, stale) => format!("{} ({}: rebuild it first)", mesh.name, stale.words()),
            };
            let can = mesh.built.is_some() && status == MeshStatus::UpToDate;
            if ui.add_enabled(can, egui::Checkbox::new(&mut on, words)).changed() {
                self.export.chosen.retain(|id| *id != mesh.id);
                if on {
                    self.export.chosen.push(mesh.id);
                }
            }
        }
        field_row(ui, "Axes", |ui| {
            ui.set_max_width(220.0);
            segmented(ui, &mut self.export.ras, &[(false, "LPS"), (true, "RAS")]);
        });
        hint(ui, "LPS is DICOM's own orientation; RAS is what 3D Slicer's models have. Both are millimetres.");
        let mut browse = false;
        field_row(ui, "Folder", |ui| {
            let field = TextEdit::singleline(&mut self.export.folder).desired_width(ui.available_width() - 92.0);
            ui.add(field).accessible_name("Folder");
            browse = ui.button("Browse\u{2026}").clicked();
        });
        if browse {
            self.ask_path(PickedFor::ExportFolder);
        }
        let can = !self.export.chosen.is_empty() && !self.export.folder.trim().is_empty();
        let label = RichText::new("Write STL").color(Color32::WHITE);
        let button = Button::new(label).fill(theme::CHOSEN).min_size(Vec2::new(120.0, 28.0));
        if ui.add_enabled(can, button).clicked() {
            let folder = PathBuf::from(self.export.folder.trim());
            self.write_meshes(&folder);
        }
        for line in &self.export.report {
            ui.add(egui::Label::new(RichText::new(line).small()).wrap());
        }
    }
}
