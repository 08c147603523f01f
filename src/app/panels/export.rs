//! Meshes to files: which, in which orientation, where; the report of what was written.

use std::path::PathBuf;
use std::sync::Arc;

use egui::{Button, Color32, RichText, ScrollArea, TextEdit, Ui, Vec2};

use crate::app::MaquetteApp;
use crate::app::notices::{Gravity, Notice};
use crate::app::numbers;
use crate::app::open_flow::PickedFor;
use crate::app::outcome::Outcome;
use crate::app::panels::Dialog;
use crate::app::selection::Selected;
use crate::app::theme;
use crate::app::widgets::field::{field_row, hint, segmented};
use crate::domain::mesh::TriangleMesh;
use crate::ops::export::{
    ExportError, ExportReport, ExportedFile, ImageSource, MeshExport, MeshSpace, export_all, file_stem,
};
use crate::session::document::Document;
use crate::session::jobs::{JobError, Lane};
use crate::session::mesh_object::{MeshId, MeshObject, MeshSource, MeshStatus, MeshStep};

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
            for line in &self.export.report {
                ui.add(egui::Label::new(RichText::new(line).small()).wrap());
            }
        });
    }

    /// Writes the chosen meshes as a job; what exists already is replaced only at a second click.
    fn write_meshes(&mut self) {
        let folder = PathBuf::from(self.export.folder.trim());
        let models = self.chosen_models();
        let existing = models.iter().filter(|model| folder.join(format!("{}.stl", file_stem(&model.name))).exists());
        let count = existing.count();
        if count > 0 && self.export.replaces != count {
            self.export.replaces = count;
            return;
        }
        self.export.replaces = 0;
        self.export.report = vec!["Writing\u{2026}".to_owned()];
        let space = if self.export.ras { MeshSpace::Ras } else { MeshSpace::Lps };
        let asked = self.work.submit(Lane::Background, "export", "Writing meshes", move |progress| {
            let exports: Vec<MeshExport<'_>> = models.iter().map(Model::as_export).collect();
            let report = export_all(&folder, &exports, space, progress);
            report.map(Outcome::Exported).map_err(|error| failure(&error))
        });
        if let Err(error) = asked {
            self.notices.error("Not exported", &error);
        }
    }

    fn chosen_models(&self) -> Vec<Model> {
        let document = self.session.document();
        let chosen = document.meshes().iter().filter(|mesh| self.export.chosen.contains(&mesh.id));
        chosen.filter_map(|mesh| Model::of(mesh, document)).collect()
    }

    /// Shows what was written.
    pub(in crate::app) fn take_export(&mut self, report: &ExportReport) {
        let file = |file: &ExportedFile| {
            let [x, y, z] = file.size_mm.map(|mm| numbers::decimal(f64::from(mm), 1));
            format!(
                "{}: {} triangles, {} ml, {x} \u{d7} {y} \u{d7} {z} mm, {}",
                file.path.display(),
                numbers::decimal(file.triangles as f64, 0),
                numbers::decimal(file.volume_ml, 2),
                if file.topology.is_manifold() { "closed" } else { "NOT closed" }
            )
        };
        let lines = report.files.iter().map(file).chain(report.warnings.iter().cloned());
        self.export.report = lines.collect();
        let count = report.files.len();
        let words = if count == 1 { "1 mesh was written".to_owned() } else { format!("{count} meshes were written") };
        self.notices.push(Notice::new(Gravity::Good, words).details(self.export.report.join("\n")));
    }
}

/// A mesh with all that its sidecar says, copied for the worker.
struct Model {
    triangles: Arc<TriangleMesh>,
    name: String,
    source: Option<ImageSource>,
    steps: Vec<String>,
    parameters: serde_json::Value,
    out_of_date: bool,
}

impl Model {
    fn of(mesh: &MeshObject, document: &Document) -> Option<Self> {
        let built = mesh.built.as_ref()?;
        let (volume, made_by) = match mesh.source {
            MeshSource::Segment { segment, .. } => {
                let object = document.segment(segment)?;
                (object.volume, object.segment.info.made_by.clone())
            }
            MeshSource::IsoValue { volume, value, .. } => (volume, vec![format!("Surface at {value}")]),
        };
        let source = document.volume(volume).map(|object| ImageSource::new(&object.volume, &object.head.info));
        Some(Self {
            triangles: Arc::clone(&built.triangles),
            name: mesh.name.clone(),
            source,
            steps: made_by.into_iter().chain(mesh.steps.iter().map(MeshStep::describe)).collect(),
            parameters: serde_json::json!({ "source": mesh.source, "steps": mesh.steps, "figures": built.figures }),
            out_of_date: document.mesh_status(mesh) != MeshStatus::UpToDate,
        })
    }

    fn as_export(&self) -> MeshExport<'_> {
        MeshExport {
            mesh: &self.triangles,
            name: &self.name,
            source: self.source.as_ref(),
            steps: &self.steps,
            parameters: &self.parameters,
            out_of_date: self.out_of_date,
        }
    }
}

fn failure(error: &ExportError) -> JobError {
    match error {
        ExportError::Cancelled(_) => JobError::Cancelled,
        other => {
            let cause = std::error::Error::source(other).map_or_else(String::new, |cause| format!(": {cause}"));
            JobError::Failed(format!("{other}{cause}"))
        }
    }
}
