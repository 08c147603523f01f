//! The panels around the views. Each file draws one of them from the state of the window and asks for commands.

pub mod about;
pub mod browser;
pub mod display;
pub mod export;
pub mod gallery;
pub mod history;
pub mod keys;
pub mod layouts;
pub mod leaving;
pub mod mesh_options;
pub mod objects;
pub mod offered;
pub mod opening;
pub mod options;
pub mod preferences;
pub mod properties;
pub mod rail;
pub mod report;
pub mod status_bar;
pub mod top_bar;
pub mod transfer;
pub mod volume_properties;
pub mod welcome;

use egui::{Align2, Vec2};

use super::MaquetteApp;
use super::commands::Situation;
use super::theme;

/// A dialog over the window; one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialog {
    /// What the importer repaired or refused.
    Report,
    /// Tags of the files.
    Tags,
    /// All keys.
    Keys,
    /// What the program is.
    About,
    /// 3D presets as pictures.
    VolumePresets,
    /// Windows as pictures.
    WindowPresets,
    /// Meshes to files.
    Export,
    /// Layouts under names.
    Layouts,
    /// Keys and mouse buttons.
    Preferences,
}

impl MaquetteApp {
    /// Draws the open dialog.
    pub(in crate::app) fn dialogs_ui(&mut self, ctx: &egui::Context, now: Situation) {
        let Some(dialog) = self.dialog else { return };
        if !now.volume && !matches!(dialog, Dialog::Keys | Dialog::About | Dialog::Preferences) {
            self.dialog = None;
            return;
        }
        let title = match dialog {
            Dialog::Report => "Import report",
            Dialog::Tags => "DICOM tags",
            Dialog::Keys => "Keys and mouse",
            Dialog::About => "About Maquette",
            Dialog::VolumePresets => "3D presets",
            Dialog::WindowPresets => "Window presets",
            Dialog::Export => "Export meshes",
            Dialog::Layouts => "Layouts",
            Dialog::Preferences => "Keys and buttons",
        };
        let width = match dialog {
            Dialog::VolumePresets | Dialog::WindowPresets | Dialog::Tags => 860.0,
            Dialog::Keys | Dialog::Preferences => 720.0,
            Dialog::Report | Dialog::About | Dialog::Export => 560.0,
            Dialog::Layouts => 420.0,
        };
        let close = modal(ctx, title, width, |ui| match dialog {
            Dialog::Report => self.report_ui(ui),
            Dialog::Tags => self.tags_ui(ui),
            Dialog::Keys => keys::keys_ui(ui),
            Dialog::About => about::about_ui(ui, &self.device.details()),
            Dialog::VolumePresets => self.volume_presets_ui(ui),
            Dialog::WindowPresets => self.window_presets_ui(ui),
            Dialog::Export => self.export_ui(ui),
            Dialog::Layouts => self.layouts_ui(ui),
            Dialog::Preferences => self.preferences_ui(ui),
        });
        if close && self.dialog == Some(dialog) {
            self.preferences.capturing = None;
            self.dialog = None;
        }
    }
}

/// A dialog that stays until its work is done or cancelled in it.
pub(in crate::app) fn waiting_modal(
    ctx: &egui::Context,
    title: &str,
    width: f32,
    contents: impl FnOnce(&mut egui::Ui),
) {
    let id = egui::Id::unique(("waiting", title));
    let area = egui::Modal::default_area(id).anchor(Align2::CENTER_CENTER, Vec2::ZERO);
    let frame = egui::Frame::popup(&ctx.global_style()).inner_margin(egui::Margin::same(16));
    egui::Modal::new(id).area(area).frame(frame).show(ctx, |ui| {
        ui.set_width(width);
        ui.add(egui::Label::new(egui::RichText::new(title).font(theme::semibold(15.0))).truncate());
        ui.add_space(8.0);
        contents(ui);
    });
}

/// A dialog with a title and a close button; true when it is to be closed.
pub(in crate::app) fn modal(
    ctx: &egui::Context,
    title: &str,
    width: f32,
    contents: impl FnOnce(&mut egui::Ui),
) -> bool {
    let id = egui::Id::unique(("dialog", title));
    let area = egui::Modal::default_area(id).anchor(Align2::CENTER_CENTER, Vec2::ZERO);
    let frame = egui::Frame::popup(&ctx.global_style()).inner_margin(egui::Margin::same(16));
    let modal = egui::Modal::new(id).area(area).frame(frame).show(ctx, |ui| {
        ui.set_width(width.min(ui.ctx().content_rect().width() - 64.0));
        let mut close = false;
        ui.horizontal(|ui| {
            ui.label(egui::RichText::new(title).font(theme::semibold(15.0)));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let icon = egui_material_icons::icons::ICON_CLOSE;
                close = crate::app::widgets::field::icon_button(ui, icon, &format!("Close {title}"), "").clicked();
            });
        });
        ui.add_space(8.0);
        contents(ui);
        close
    });
    modal.should_close() || modal.inner
}
