//! The mesh stage: makes a surface of a segment or of a value, with its smoothing.

use egui::Ui;

use crate::app::MaquetteApp;
use crate::app::commands::CommandId;
use crate::app::widgets::field::{
    Number, bare_slider, check, field_row, heading, hint, number_field, primary_button, segmented, wide_button,
};
use crate::session::command::Command;
use crate::session::mesh_object::{MeshSource, MeshStep, SmoothMethod};

/// Settings of the panel.
#[derive(Debug, Clone, PartialEq)]
pub struct MeshOptions {
    /// Value of the iso surface.
    pub iso_value: f64,
    /// How the surface is smoothed.
    pub method: SmoothMethod,
    /// Passes of smoothing; 0 leaves the surface as it is.
    pub passes: f64,
    /// Pass band of the filter, 0 to 2.
    pub pass_band: f64,
    /// Whether only the largest part is kept.
    pub largest_part: bool,
}

impl Default for MeshOptions {
    fn default() -> Self {
        Self { iso_value: 300.0, method: SmoothMethod::WindowedSinc, passes: 20.0, pass_band: 0.1, largest_part: false }
    }
}

impl MeshOptions {
    /// What is done to the raw surface.
    pub fn steps(&self) -> Vec<MeshStep> {
        let passes = self.passes.round().max(0.0) as u32;
        let smooth = MeshStep::Smooth { method: self.method, passes, pass_band: self.pass_band };
        let largest = self.largest_part.then_some(MeshStep::LargestPart);
        largest.into_iter().chain((passes > 0).then_some(smooth)).collect()
    }
}

impl MaquetteApp {
    /// Draws the panel.
    pub(in crate::app) fn mesh_options_ui(&mut self, ui: &mut Ui) {
        heading(ui, "Make a mesh");
        let options = &mut self.mesh_options;
        field_row(ui, "Smoothing", |ui| {
            let methods = [(SmoothMethod::WindowedSinc, "Sinc"), (SmoothMethod::Taubin, "Taubin")];
            segmented(ui, &mut options.method, &methods);
        });
        let number = Number { name: "Smoothing passes", unit: "", range: 0.0..=200.0, decimals: 0, speed: 0.5 };
        field_row(ui, "Passes", |ui| {
            let width = ui.available_width();
            number_field(ui, &mut options.passes, &number, width);
        });
        bare_slider(ui, "Smoothing passes slider", &mut options.passes, 0.0..=100.0, false);
        check(ui, &mut options.largest_part, "Keep only the largest part");
        hint(ui, "The deviation from the unsmoothed surface is measured and shown with the mesh.");
        let segment = self.active_segment().map(|object| object.segment.info.name.clone());
        let label = segment.map_or_else(|| "Make mesh of segment".to_owned(), |name| format!("Make mesh of {name}"));
        let enabled = self.active_segment().is_some();
        let response =
            ui.add_enabled_ui(enabled, |ui| primary_button(ui, &label)).inner.accessible_name("Make mesh of segment");
        if response.on_disabled_hover_text("Make a segment first.").clicked() {
            self.ask(CommandId::MakeMesh);
        }
        ui.add_space(8.0);
        heading(ui, "Of a value");
        let number =
            Number { name: "Iso value", unit: self.value_unit(), range: -32768.0..=32767.0, decimals: 0, speed: 2.0 };
        field_row(ui, "Value", |ui| {
            let width = ui.available_width();
            number_field(ui, &mut self.mesh_options.iso_value, &number, width);
        });
        if wide_button(ui, "Make mesh of this value").clicked() {
            self.ask(CommandId::MakeIsoMesh);
        }
        ui.add_space(8.0);
        heading(ui, "Out");
        if wide_button(ui, "Export meshes\u{2026}").clicked() {
            self.ask(CommandId::ExportMeshes);
        }
        self.volume_in_3d_ui(ui);
    }

    /// Makes a mesh of the active segment.
    pub(in crate::app) fn make_segment_mesh(&mut self) {
        let Some(source) = self
            .active_segment()
            .map(|object| MeshSource::Segment { segment: object.id(), revision: object.mask_revision })
        else {
            return;
        };
        let steps = self.mesh_options.steps();
        self.perform(Command::AddMesh { name: String::new(), source, steps });
    }

    /// Makes a mesh of the chosen value of the active volume.
    pub(in crate::app) fn make_iso_mesh(&mut self) {
        let value = self.mesh_options.iso_value;
        let volume = self.session.view.active_volume.and_then(|id| self.session.document().volume(id));
        let Some(source) =
            volume.map(|object| MeshSource::IsoValue { volume: object.id, revision: object.revision, value })
        else {
            return;
        };
        let steps = self.mesh_options.steps();
        self.perform(Command::AddMesh { name: String::new(), source, steps });
    }
}
