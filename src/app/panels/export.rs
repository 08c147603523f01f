//! Meshes to files: which, in which orientation, where; the report of what was written.

use std::path::PathBuf;

use egui::{Button, Color32, RichText, ScrollArea, TextEdit, Ui, Vec2};

use crate::app::MaquetteApp;
use crate::app::numbers;
use crate::app::open_flow::PickedFor;
use crate::app::panels::Dialog;
use crate::app::selection::Selected;
use crate::app::theme;
use crate::app::widgets::field::{field_row, hint, segmented};
use crate::ops::export::file_stem;
use crate::session::exporting::{ExportedFile, MeshSpace};
use crate::session::jobs::JobId;
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
    /// How many files a second click would replace.
    pub replaces: usize,
    /// The export that this dialog has asked for.
    pub job: Option<JobId>,
}

impl MaquetteApp {
    /// Opens the dialog with the selected mesh, or all.
    pub(in crate::app) fn open_export(&mut self) {
        let document = self.session.document();
        let selected: Vec<MeshId> = self
            .selection
            .all(document)
            .into_iter()
            .filter_map(|object| match object {
                Selected::Mesh(id) => Some(id),
                _ => None,
            })
            .collect();
        let built = document.meshes().iter().filter(|mesh| mesh.built.is_some()).map(|mesh| mesh.id);
        self.export.chosen = if selected.is_empty() { built.collect() } else { selected };
        self.export.job = None;
        self.export.replaces = 0;
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
        let words = match self.export.replaces {
            0 => "Write STL".to_owned(),
            1 => "Replace 1 file".to_owned(),
            count => format!("Replace {count} files"),
        };
        let button = Button::new(RichText::new(words).color(Color32::WHITE)).fill(theme::CHOSEN);
        if ui.add_enabled(can, button.min_size(Vec2::new(120.0, 28.0))).clicked() {
            self.write_meshes();
        }
        ScrollArea::vertical().max_height(240.0).show(ui, |ui| {
            for line in self.export_lines() {
                ui.add(egui::Label::new(RichText::new(line).small()).wrap());
            }
        });
    }

    /// Writes the chosen meshes as a job; what exists already is replaced only at a second click.
    fn write_meshes(&mut self) {
        let folder = PathBuf::from(self.export.folder.trim());
        let document = self.session.document();
        let names = self.export.chosen.iter().filter_map(|id| document.mesh(*id).map(|mesh| &mesh.name));
        let count = names.filter(|name| folder.join(format!("{}.stl", file_stem(name))).exists()).count();
        if count > 0 && self.export.replaces != count {
            self.export.replaces = count;
            return;
        }
        self.export.replaces = 0;
        let space = if self.export.ras { MeshSpace::Ras } else { MeshSpace::Lps };
        match self.session.start_export(&self.export.chosen, folder, space, false) {
            Ok(job) => self.export.job = Some(job),
            Err(refusal) => self.notices.warn(refusal.to_string()),
        }
    }

    /// What the last export of this dialog wrote, or that it is under way.
    fn export_lines(&self) -> Vec<String> {
        let Some(job) = self.export.job else { return Vec::new() };
        if self.session.jobs().is_running(job) {
            return vec!["Writing\u{2026}".to_owned()];
        }
        let Some(report) = self.session.last_export() else { return Vec::new() };
        report.files.iter().map(file_words).chain(report.warnings.iter().cloned()).collect()
    }
}

/// "bone.stl: 1 204 triangles, 12.30 ml, 10.0 x 20.0 x 30.0 mm, closed".
fn file_words(file: &ExportedFile) -> String {
    let [x, y, z] = file.size_mm.map(|mm| numbers::decimal(f64::from(mm), 1));
    format!(
        "{}: {} triangles, {} ml, {x} \u{d7} {y} \u{d7} {z} mm, {}",
        file.path.display(),
        numbers::decimal(file.triangles as f64, 0),
        numbers::decimal(file.volume_ml, 2),
        if file.topology.is_manifold() { "closed" } else { "NOT closed" }
    )
}
