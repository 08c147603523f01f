//! Properties of a volume: geometry, window and level, presets, the importer's remarks, tags.

use egui::{RichText, Ui};

use crate::app::MaquetteApp;
use crate::app::commands::CommandId;
use crate::app::numbers;
use crate::app::theme;
use crate::app::widgets::field::{Number, fact_row, field_row, number_field, wide_button};
use crate::domain::volume::Quantity;
use crate::domain::window::{self, Window};
use crate::session::document::VolumeId;

impl MaquetteApp {
    pub(in crate::app) fn volume_properties_ui(&mut self, ui: &mut Ui, id: VolumeId) {
        self.window_ui(ui);
        ui.add_space(4.0);
        let Some(volume) = self.session.document().volume(id) else { return };
        let head = volume.head.clone();
        ui.spacing_mut().item_spacing.y = 1.0;
        let has_tags = super::report::may_have_tags(&head);
        let [ni, nj, nk] = head.grid.dims();
        fact_row(ui, "Voxels", &format!("{ni} \u{d7} {nj} \u{d7} {nk}"), "Columns, rows, slices");
        let spacing = head.grid.spacing_mm();
        let words = format!(
            "{} \u{d7} {} \u{d7} {} mm",
            numbers::decimal(spacing.x, 2),
            numbers::decimal(spacing.y, 2),
            numbers::decimal(spacing.z, 2)
        );
        fact_row(ui, "Spacing", &words, "Distance between neighbouring voxel centres");
        let quantity = match head.quantity {
            Quantity::Hounsfield => "HU",
            Quantity::Suv => "SUV",
            Quantity::Arbitrary => "signal, no unit",
        };
        fact_row(ui, "Values", quantity, "What the values measure");
        for (label, value, help) in [
            ("Kernel", &head.info.kernel, "Convolution kernel of the reconstruction"),
            ("Scanner", &head.info.manufacturer, "Manufacturer of the scanner"),
        ] {
            if !value.is_empty() {
                fact_row(ui, label, value, help);
            }
        }
        fact_row(ui, "Study", &numbers::date(&head.info.study_date), &head.info.study_description);
        ui.add_space(6.0);
        ui.spacing_mut().item_spacing.y = 6.0;
        match head.report.len() {
            0 => {
                ui.label(RichText::new("The importer had nothing to repair.").small().color(theme::WEAK));
            }
            count => {
                let words = if count == 1 {
                    "1 remark of the importer".to_owned()
                } else {
                    format!("{count} remarks of the importer")
                };
                if wide_button(ui, &words).clicked() {
                    self.ask(CommandId::ShowReport);
                }
            }
        }
        if has_tags && wide_button(ui, "DICOM tags\u{2026}").clicked() {
            self.ask(CommandId::ShowTags);
        }
    }

    /// Window and level of the active volume as typed values, and the presets.
    pub(in crate::app) fn window_ui(&mut self, ui: &mut Ui) {
        let Some(id) = self.session.view.active_volume else { return };
        let unit = self.value_unit();
        let before = self.session.view.window(id);
        let (mut width, mut level) = (before.width, before.level);
        let decimals = usize::from(before.width < 20.0);
        let number = |name, range| Number { name, unit, range, decimals, speed: (before.width / 200.0).min(2.0) };
        field_row(ui, "Window", |ui| {
            let room = ui.available_width();
            number_field(ui, &mut width, &number("Window width", 1.0..=65536.0), room);
        });
        field_row(ui, "Level", |ui| {
            let room = ui.available_width();
            number_field(ui, &mut level, &number("Window level", -32768.0..=32767.0), room);
        });
        if (width, level) != (before.width, before.level) {
            self.session.view.windows.insert(id, Window::new(width, level));
        }
        let now = self.session.view.window(id);
        let same = window::presets().iter().find(|preset| preset.window == now);
        let chosen = same.map_or("Custom", |preset| preset.name.as_str());
        field_row(ui, "Preset", |ui| {
            let list = egui::ComboBox::from_id_salt("window preset").width(ui.available_width()).selected_text(chosen);
            list.show_ui(ui, |ui| {
                for preset in window::presets() {
                    let (width, level) = (preset.window.width, preset.window.level);
                    let numbers = format!("W {} L {}", numbers::decimal(width, 0), numbers::decimal(level, 0));
                    let words = format!("{}   {numbers}", preset.name);
                    if ui.selectable_label(preset.name == chosen, words).clicked() {
                        self.ask(CommandId::Window(preset.key));
                    }
                }
                if ui.selectable_label(false, "As the files say").clicked() {
                    self.ask(CommandId::Window(0));
                }
                if ui.selectable_label(false, "As pictures\u{2026}").clicked() {
                    self.ask(CommandId::WindowPresets);
                }
            });
        });
    }
}
