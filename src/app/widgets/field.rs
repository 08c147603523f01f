//! Fields of an options or properties panel: a label column, then one control; numbers with their unit.

use std::ops::RangeInclusive;

use egui::{Align, Button, DragValue, Layout, Response, RichText, Sense, Slider, Ui, Vec2};
use egui_material_icons::MaterialIcon;

use crate::app::numbers;
use crate::app::theme;

/// Width of the label column, points.
const LABEL_WIDTH: f32 = 76.0;

/// A weak label in its column, then a control that fills the rest of the row and is named by the label.
pub fn field_row<R>(ui: &mut Ui, label: &str, add: impl FnOnce(&mut Ui) -> R) -> R {
    ui.horizontal(|ui| {
        ui.set_min_height(theme::ROW);
        let size = Vec2::new(LABEL_WIDTH, theme::ROW);
        ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_width(LABEL_WIDTH);
            ui.add(egui::Label::new(RichText::new(label).color(theme::WEAK)).truncate());
        });
        ui.name_inputs(label, add)
    })
    .inner
}

/// A label and a value that cannot be edited here; the value's definition shows on hover.
pub fn fact_row(ui: &mut Ui, label: &str, value: &str, definition: &str) {
    ui.horizontal(|ui| {
        ui.set_min_height(20.0);
        let size = Vec2::new(LABEL_WIDTH + 8.0, 20.0);
        ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_width(size.x);
            ui.label(RichText::new(label).color(theme::WEAK));
        });
        let response = ui.add(egui::Label::new(value).truncate().sense(Sense::hover()));
        if !definition.is_empty() {
            response.on_hover_text(definition);
        }
    });
}

/// How a number field behaves.
pub struct Number<'a> {
    /// Accessible name.
    pub name: &'a str,
    /// Unit behind the number.
    pub unit: &'a str,
    /// What may be typed.
    pub range: RangeInclusive<f64>,
    /// Decimals shown.
    pub decimals: usize,
    /// Change per point dragged.
    pub speed: f64,
}

/// A number that can be typed or dragged, with its unit at the right edge of the field.
pub fn number_field(ui: &mut Ui, value: &mut f64, number: &Number<'_>, width: f32) -> Response {
    let decimals = number.decimals;
    let field = DragValue::new(value)
        .range(number.range.clone())
        .speed(number.speed)
        .custom_formatter(move |value, _| numbers::decimal(value, decimals))
        .custom_parser(numbers::parse)
        .update_while_editing(false)
        .suffix(RichText::new(format!(" {}", number.unit)).color(theme::WEAK))
        .min_size(Vec2::new(width, theme::ROW));
    ui.add(field).accessible_name(number.name)
}

/// A slider over the full width, without a number (that stands above it).
pub fn bare_slider(
    ui: &mut Ui,
    name: &str,
    value: &mut f64,
    range: RangeInclusive<f64>,
    logarithmic: bool,
) -> Response {
    let width = ui.available_width();
    ui.scope(|ui| {
        ui.spacing_mut().slider_width = width;
        ui.spacing_mut().interact_size.y = 20.0;
        ui.visuals_mut().selection.bg_fill = theme::ACCENT;
        ui.visuals_mut().widgets.inactive.bg_fill = theme::LINE;
        let slider = Slider::new(value, range).show_value(false).logarithmic(logarithmic).trailing_fill(true);
        ui.add(slider).accessible_name(name)
    })
    .inner
}

/// A row of exclusive choices that share one field; true when the choice changed.
pub fn segmented<T: PartialEq + Copy>(ui: &mut Ui, choice: &mut T, choices: &[(T, &str)]) -> bool {
    let mut changed = false;
    let width = ui.available_width() / choices.len().max(1) as f32;
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.spacing_mut().button_padding.x = 2.0;
        for (value, text) in choices {
            let selected = *value == *choice;
            let color = if selected { egui::Color32::WHITE } else { theme::WEAK };
            let button = Button::new(RichText::new(*text).color(color))
                .fill(if selected { theme::CHOSEN } else { theme::RAISED })
                .selected(selected)
                .min_size(Vec2::new(width, theme::ROW));
            if ui.add(button).clicked() && !selected {
                *choice = *value;
                changed = true;
            }
        }
    });
    changed
}

/// A frameless button with an icon; `name` is its accessible name and the first line of its tooltip.
pub fn icon_button(ui: &mut Ui, icon: MaterialIcon, name: &str, help: &str) -> Response {
    let button = Button::new(theme::icon(icon, 16.0).color(theme::WEAK))
        .frame_when_inactive(false)
        .min_size(Vec2::splat(theme::ROW));
    let tooltip = if help.is_empty() { name.to_owned() } else { format!("{name}\n{help}") };
    ui.scope(|ui| {
        ui.spacing_mut().button_padding = Vec2::splat(2.0);
        ui.add(button).accessible_name(name)
    })
    .inner
    .on_hover_text(tooltip)
}

/// A button over the full width of a panel.
pub fn wide_button(ui: &mut Ui, text: &str) -> Response {
    ui.add(Button::new(text).min_size(Vec2::new(ui.available_width(), theme::ROW + 4.0)))
}

/// The button of a panel that does what the panel is for.
pub fn primary_button(ui: &mut Ui, text: &str) -> Response {
    let label = RichText::new(text).color(egui::Color32::WHITE).font(theme::medium(theme::BODY_SIZE));
    ui.add(Button::new(label).fill(theme::CHOSEN).min_size(Vec2::new(ui.available_width(), theme::ROW + 4.0)))
}

/// A heading of a panel section.
pub fn heading(ui: &mut Ui, text: &str) {
    ui.add_space(4.0);
    ui.label(RichText::new(text).font(theme::semibold(theme::SMALL_SIZE)).color(theme::WEAK));
    ui.add_space(2.0);
}

/// A paragraph that explains, in weak small type.
pub fn hint(ui: &mut Ui, text: &str) {
    ui.add(egui::Label::new(RichText::new(text).small().color(theme::WEAK)).wrap());
}
