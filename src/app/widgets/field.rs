//! Fields of an options or properties panel: a label column, then one control; numbers with their unit.

use std::ops::RangeInclusive;

use egui::{Align, Button, CornerRadius, DragValue, Layout, Rect, Response, RichText, Sense, Stroke, Ui, Vec2};
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
        let size = Vec2::new(LABEL_WIDTH + 14.0, 20.0);
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
        .min_size(Vec2::new(width, theme::ROW));
    let size = Vec2::new(width, theme::ROW);
    let layout = Layout::left_to_right(Align::Center).with_main_align(Align::Min);
    let response = ui.allocate_ui_with_layout(size, layout, |ui| ui.add(field)).inner.accessible_name(number.name);
    let font = egui::FontId::proportional(theme::BODY_SIZE);
    let place = response.rect.right_center() - Vec2::new(8.0, 0.0);
    ui.painter().text(place, egui::Align2::RIGHT_CENTER, number.unit, font, theme::WEAK);
    response
}

/// A checkbox whose tick stands in an accent square.
pub fn check(ui: &mut Ui, on: &mut bool, text: &str) -> Response {
    let font = egui::FontId::proportional(theme::BODY_SIZE);
    let galley = ui.painter().layout_no_wrap(text.to_owned(), font, theme::TEXT);
    let size = Vec2::new((24.0 + galley.size().x).min(ui.available_width()), theme::ROW);
    let (rect, mut response) = ui.allocate_exact_size(size, Sense::click());
    if response.clicked() {
        *on = !*on;
        response.mark_changed();
    }
    let shown = *on;
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::CheckBox, ui.is_enabled(), shown, text));
    let painter = ui.painter_at(rect);
    let square = Rect::from_center_size(rect.left_center() + Vec2::new(8.0, 0.0), Vec2::splat(15.0));
    if *on {
        painter.rect_filled(square, CornerRadius::same(3), theme::ACCENT);
        let tick = egui_material_icons::icons::ICON_CHECK.codepoint;
        painter.text(square.center(), egui::Align2::CENTER_CENTER, tick, theme::icon_font(14.0), theme::PANEL);
    } else {
        let edge = if response.hovered() { theme::TEXT } else { theme::WEAK };
        painter.rect_stroke(square, CornerRadius::same(3), Stroke::new(1.2, edge), egui::StrokeKind::Inside);
    }
    let place = egui::pos2(rect.left() + 24.0, rect.center().y - galley.size().y / 2.0);
    painter.galley(place, galley, theme::TEXT);
    response
}

/// A slider over the full width, without a number (that stands above it). Arrow keys move it when it has the keyboard.
pub fn bare_slider(
    ui: &mut Ui,
    name: &str,
    value: &mut f64,
    range: RangeInclusive<f64>,
    logarithmic: bool,
) -> Response {
    let (low, high) = (*range.start(), *range.end());
    let scale = |value: f64| if logarithmic { value.max(1e-9).ln() } else { value };
    let unscale = |place: f64| if logarithmic { place.exp() } else { place };
    let span = scale(high) - scale(low);
    let (rect, mut response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 20.0), Sense::click_and_drag());
    let rail = rect.shrink2(Vec2::new(6.0, 0.0));
    let before = *value;
    if let Some(pointer) = response.interact_pointer_pos().filter(|_| response.is_pointer_button_down_on()) {
        let part = f64::from((pointer.x - rail.left()) / rail.width()).clamp(0.0, 1.0);
        *value = unscale(scale(low) + span * part).clamp(low, high);
    }
    if response.has_focus() {
        let steps = ui.input(|input| {
            f64::from(u8::from(input.key_pressed(egui::Key::ArrowRight)))
                - f64::from(u8::from(input.key_pressed(egui::Key::ArrowLeft)))
        });
        *value = unscale(scale(*value) + span * steps / 50.0).clamp(low, high);
    }
    if *value != before {
        response.mark_changed();
    }
    let shown = *value;
    response.widget_info(|| egui::WidgetInfo::slider(ui.is_enabled(), shown, name));
    let part = ((scale(shown) - scale(low)) / span).clamp(0.0, 1.0) as f32;
    let handle = egui::pos2(rail.left() + rail.width() * part, rail.center().y);
    let painter = ui.painter();
    painter.hline(rail.x_range(), rail.center().y, Stroke::new(2.0, theme::LINE));
    painter.hline(rail.left()..=handle.x, rail.center().y, Stroke::new(2.0, theme::ACCENT));
    let radius = if response.hovered() || response.dragged() { 6.5 } else { 5.5 };
    painter.circle_filled(handle, radius, theme::TEXT);
    if response.has_focus() {
        painter.circle_stroke(handle, 8.0, Stroke::new(1.0, theme::ACCENT));
    }
    response
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

/// [`segmented`] over the full width of a panel.
pub fn segmented_row<T: PartialEq + Copy>(ui: &mut Ui, choice: &mut T, choices: &[(T, &str)]) -> bool {
    ui.horizontal(|ui| segmented(ui, choice, choices)).inner
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
