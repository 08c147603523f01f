//! The editor of colours and opacities in the 3D display: points over the histogram, shift, gradient opacity, file in and out.
//!
//! What is changed goes into the view's look and shows at once; the preset itself is never changed.

use std::path::Path;
use std::sync::Arc;

use egui::{Ui, Vec2};
use egui_material_icons::icons;

use crate::app::MaquetteApp;
use crate::app::commands::{CommandId, entry};
use crate::app::notices::{Gravity, Notice, sentence};
use crate::app::theme;
use crate::app::widgets::curve::{Span, color_strip, curve};
use crate::app::widgets::field::{Number, bare_slider, check, field_row, heading, hint, icon_button, number_field};
use crate::domain::transfer::edit::{move_point, remove_point};
use crate::domain::transfer::{Blend, TransferFunction};
use crate::domain::volume::{Quantity, Volume};
use crate::ops::transfer::{read_transfer, write_transfer};

/// The points whose numbers are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TransferEditor {
    opacity: Option<usize>,
    color: Option<usize>,
    gradient: Option<usize>,
}

impl MaquetteApp {
    /// Draws the editor.
    pub(in crate::app) fn transfer_ui(&mut self, ui: &mut Ui) {
        let Some(object) = self.session.view.active_volume.and_then(|id| self.session.document().volume(id)) else {
            return;
        };
        let (id, volume) = (object.id, Arc::clone(&object.volume));
        let view = &self.session.view;
        let shown = view.look.base(&view.preset, &volume).shifted(view.look.shift);
        let bars = self.facts.bars(id).cloned();
        let (low, high) = bars.as_ref().map_or_else(|| volume.value_range(), |bars| bars.low_high);
        let span = Span { low, high };
        let unit = self.value_unit();
        heading(ui, "Colours and opacity");
        if !matches!(view.blend(), Blend::Composite | Blend::Isosurface) && view.blend() != shown.blend {
            hint(ui, "This way of drawing has a grey ramp of its own; what is set here counts for Volume and Surface.");
        }
        let (mut edited, mut editor) = (shown.clone(), self.transfer_editor);
        let mut changed =
            curve(ui, "Opacity over values", (span, bars.as_ref()), &mut edited.opacity, &mut editor.opacity);
        let color_at = |value| shown.color_at(value);
        changed |= color_strip(ui, "Colours over values", span, color_at, &mut edited.color, &mut editor.color);
        changed |= opacity_point_ui(ui, unit, &mut edited, &mut editor.opacity);
        changed |= color_point_ui(ui, unit, &mut edited, &mut editor.color);
        changed |= gradient_ui(ui, &volume, &mut edited, &mut editor.gradient);
        self.transfer_editor = editor;
        if changed {
            let look = &mut self.session.view.look;
            (look.edited, look.shift) = (Some(edited), 0.0);
        }
        self.shift_ui(ui, (span.high - span.low) / 4.0, unit);
        self.transfer_buttons_ui(ui);
    }

    fn shift_ui(&mut self, ui: &mut Ui, reach: f64, unit: &'static str) {
        let shift = &mut self.session.view.look.shift;
        let number = Number { name: "Shift", unit, range: -reach..=reach, decimals: 0, speed: 2.0 };
        field_row(ui, "Shift", |ui| {
            let width = ui.available_width();
            number_field(ui, shift, &number, width);
        });
        bare_slider(ui, "Shift, slider", shift, -reach..=reach, false);
    }

    fn transfer_buttons_ui(&mut self, ui: &mut Ui) {
        let look = &self.session.view.look;
        let is_own = look.edited.is_some() || look.shift != 0.0;
        ui.columns(3, |columns| {
            for (column, (id, text)) in columns.iter_mut().zip([
                (CommandId::LoadTransfer, "Load\u{2026}"),
                (CommandId::SaveTransfer, "Save\u{2026}"),
                (CommandId::ResetTransfer, "Reset"),
            ]) {
                let button = egui::Button::new(text).min_size(Vec2::new(column.available_width(), theme::ROW));
                let enabled = is_own || id != CommandId::ResetTransfer;
                let response = column.add_enabled(enabled, button).accessible_name(entry(id).text);
                if response.on_hover_text(format!("{}\n{}", entry(id).text, entry(id).help)).clicked() {
                    self.ask(id);
                }
            }
        });
    }

    /// Draws with the colours and opacities of a file.
    pub(in crate::app) fn load_transfer(&mut self, path: &Path) {
        match read_transfer(path) {
            Ok(transfer) => {
                let look = &mut self.session.view.look;
                look.shift = 0.0;
                look.blend = None;
                look.iso_value = None;
                self.transfer_editor = TransferEditor::default();
                look.edited = Some(transfer);
            }
            Err(error) => self.notices.push(Notice::new(Gravity::Bad, sentence(&error.to_string()))),
        }
    }

    /// Writes the colours and opacities that are drawn now. `may_replace`: somebody has agreed that a file there may go.
    pub(in crate::app) fn save_transfer(&mut self, path: &Path, may_replace: bool) {
        let Some(object) = self.session.view.active_volume.and_then(|id| self.session.document().volume(id)) else {
            return;
        };
        let path = if path.extension().is_some() { path.to_path_buf() } else { path.with_extension("json") };
        if path.exists() && !may_replace {
            self.notices
                .warn(format!("{} is there already and was left as it is. Choose another name.", path.display()));
            return;
        }
        let mut transfer = self.session.view.transfer_function(&object.volume);
        if let Some(name) = path.file_stem().map(|stem| stem.to_string_lossy().chars().take(60).collect::<String>()) {
            transfer.name = name;
        }
        match write_transfer(&path, &transfer) {
            Ok(()) => self.notices.push(Notice::new(Gravity::Good, format!("Written: {}", path.display()))),
            Err(error) => self.notices.push(Notice::new(Gravity::Bad, sentence(&error.to_string()))),
        }
    }
}

fn value_number<'a>(name: &'a str, unit: &'a str) -> Number<'a> {
    Number { name, unit, range: -1e6..=1e6, decimals: 0, speed: 2.0 }
}

/// What stands in a row until a point is chosen: as high as the row, so that nothing moves under the hand.
fn idle_row(ui: &mut Ui, words: &str) {
    ui.horizontal(|ui| {
        ui.set_min_height(theme::ROW);
        hint(ui, words);
    });
}

/// Value and opacity of the chosen point, typed.
fn opacity_point_ui(ui: &mut Ui, unit: &str, edited: &mut TransferFunction, chosen: &mut Option<usize>) -> bool {
    let Some((n, (value, opacity))) = chosen.and_then(|n| Some((n, *edited.opacity.get(n)?))) else {
        idle_row(ui, "Drag a point; double-click adds one.");
        return false;
    };
    let (mut new_value, mut percent) = (value, opacity * 100.0);
    let mut removed = false;
    ui.horizontal(|ui| {
        number_field(ui, &mut new_value, &value_number("Value of the point", unit), 110.0);
        let number = Number { name: "Opacity of the point", unit: "%", range: 0.0..=100.0, decimals: 0, speed: 0.5 };
        number_field(ui, &mut percent, &number, 90.0);
        removed = icon_button(ui, icons::ICON_CLOSE, "Remove the point", "").clicked();
    });
    if removed && remove_point(&mut edited.opacity, n) {
        *chosen = None;
        return true;
    }
    move_point(&mut edited.opacity, n, new_value);
    edited.opacity[n].1 = percent / 100.0;
    (new_value, percent) != (value, opacity * 100.0)
}

/// Value and colour of the chosen colour.
fn color_point_ui(ui: &mut Ui, unit: &str, edited: &mut TransferFunction, chosen: &mut Option<usize>) -> bool {
    let Some((n, (value, color))) = chosen.and_then(|n| Some((n, *edited.color.get(n)?))) else {
        idle_row(ui, "Click a colour's point to change it.");
        return false;
    };
    let before = color.map(|part| (part * 255.0).round() as u8);
    let (mut new_value, mut rgb, mut removed) = (value, before, false);
    ui.horizontal(|ui| {
        number_field(ui, &mut new_value, &value_number("Value of the colour", unit), 110.0);
        ui.color_edit_button_srgb(&mut rgb).accessible_name("Colour of the point");
        removed = icon_button(ui, icons::ICON_CLOSE, "Remove the colour", "").clicked();
    });
    if removed && remove_point(&mut edited.color, n) {
        *chosen = None;
        return true;
    }
    move_point(&mut edited.color, n, new_value);
    if rgb != before {
        edited.color[n].1 = rgb.map(|part| f32::from(part) / 255.0);
    }
    new_value != value || rgb != before
}

/// Opacity by gradient: on or off, and its curve.
fn gradient_ui(ui: &mut Ui, volume: &Volume, edited: &mut TransferFunction, chosen: &mut Option<usize>) -> bool {
    let mut on = edited.uses_gradient_opacity();
    let mut changed = check(ui, &mut on, "Fade where values are even")
        .on_hover_text("Opacity by gradient: edges stay, flat regions fade.")
        .changed();
    if changed {
        // An edge of soft tissue in CT; for other volumes the same part of their values.
        let (low, high) = volume.value_range();
        let edge = if volume.quantity() == Quantity::Hounsfield { 100.0 } else { (high - low) / 40.0 };
        edited.gradient_opacity = if on { vec![(0.0, 0.0), (edge, 1.0)] } else { vec![(0.0, 1.0), (255.0, 1.0)] };
        *chosen = None;
    }
    if on {
        let last = edited.gradient_opacity.last().map_or(1.0, |point| point.0).max(1e-6);
        // Round steps, so that the picture does not slide while the last point is dragged.
        let high = 2_f64.powf((last * 1.2).log2().ceil());
        let span = Span { low: 0.0, high };
        changed |= curve(ui, "Opacity over gradients", (span, None), &mut edited.gradient_opacity, chosen);
    }
    changed
}
