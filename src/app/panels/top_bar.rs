//! The bar at the top: menus, the stages of the case, the search for commands, the device.

use egui::{
    Align, Button, Color32, CornerRadius, Frame, Layout, Margin, Panel, Pos2, Rect, RichText, Sense, Stroke, Ui,
};
use egui::{UiBuilder, Vec2};

use crate::app::MaquetteApp;
use crate::app::commands::{CommandId, Entry, Menu, Situation, TABLE};
use crate::app::stage::{Stage, Standing};
use crate::app::theme;

/// Menus of the bar.
pub(super) const MENUS: [(Menu, &str); 6] = [
    (Menu::File, "File"),
    (Menu::Edit, "Edit"),
    (Menu::View, "View"),
    (Menu::Slices, "Slices"),
    (Menu::Volume3d, "3D"),
    (Menu::Help, "Help"),
];

impl MaquetteApp {
    /// Draws the bar.
    pub(in crate::app) fn top_bar_ui(&mut self, ui: &mut Ui, now: Situation) {
        let frame = Frame::new().fill(theme::PANEL).inner_margin(Margin::symmetric(12, 0));
        Panel::top("top bar").exact_size(theme::TOP_BAR).frame(frame).show(ui, |ui| {
            let whole = ui.max_rect();
            ui.scope_builder(UiBuilder::new().max_rect(whole).layout(Layout::left_to_right(Align::Center)), |ui| {
                ui.label(RichText::new("Maquette").font(theme::semibold(theme::BODY_SIZE + 0.5)));
                ui.add_space(4.0);
                egui::MenuBar::new().ui(ui, |ui| {
                    for (menu, name) in MENUS {
                        ui.menu_button(RichText::new(name).color(theme::WEAK), |ui| self.menu_ui(ui, menu, now));
                    }
                });
            });
            if now.volume {
                self.stages_ui(ui, whole);
            }
            ui.scope_builder(UiBuilder::new().max_rect(whole).layout(Layout::right_to_left(Align::Center)), |ui| {
                let text = RichText::new(self.device.label()).small().color(theme::WEAK);
                ui.add(egui::Label::new(text).truncate().sense(Sense::hover())).on_hover_text(format!(
                    "{}\nPictures are drawn with this device; what is measured never comes from it.",
                    self.device.details()
                ));
                ui.add_space(8.0);
                let keys = RichText::new("Ctrl+K").color(theme::WEAK);
                let search = Button::new(RichText::new("Search commands").color(theme::WEAK)).right_text(keys);
                if ui.add(search.min_size(Vec2::new(190.0, theme::ROW))).accessible_name("Search commands").clicked() {
                    self.ask(CommandId::Palette);
                }
            });
        });
    }

    fn menu_ui(&mut self, ui: &mut Ui, menu: Menu, now: Situation) {
        ui.set_width(280.0);
        for entry in TABLE.iter().filter(|entry| entry.menu == menu) {
            if entry.line_above {
                ui.separator();
            }
            if menu_item(ui, entry, self.is_on(entry.id), now).clicked() {
                self.ask(entry.id);
                ui.close();
            }
        }
    }

    fn stages_ui(&mut self, ui: &mut Ui, bar: Rect) {
        let (width, height) = (88.0, bar.height());
        let left = bar.center().x - width * Stage::ALL.len() as f32 / 2.0;
        for (n, stage) in Stage::ALL.into_iter().enumerate() {
            let corner = Pos2::new(left + width * n as f32, bar.top());
            let rect = Rect::from_min_size(corner, Vec2::new(width, height));
            let chosen = self.stage == stage;
            let standing = stage.standing(self.session.document());
            let response = ui.interact(rect, ui.scope_id().with(("stage", n)), Sense::click());
            response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Tab, true, chosen, stage.name()));
            let color = if chosen || response.hovered() { Color32::WHITE } else { theme::WEAK };
            let font = if chosen { theme::semibold(theme::BODY_SIZE) } else { theme::medium(theme::BODY_SIZE) };
            let galley = ui.painter().layout_no_wrap(stage.name().to_owned(), font, color);
            let text_left = rect.center().x - galley.size().x / 2.0 - 7.0;
            let dot = Pos2::new(text_left + galley.size().x + 11.0, rect.center().y);
            ui.painter().galley(Pos2::new(text_left, rect.center().y - galley.size().y / 2.0), galley, color);
            standing_dot(ui, dot, standing);
            if chosen {
                let line = Rect::from_min_max(
                    Pos2::new(rect.left() + 6.0, rect.bottom() - 2.0),
                    rect.max - Vec2::new(6.0, 0.0),
                );
                ui.painter().rect_filled(line, CornerRadius::ZERO, theme::ACCENT);
            }
            if response.on_hover_text(format!("{}: {}", stage.name(), standing.words())).clicked() {
                self.choose_stage(stage);
            }
        }
    }
}

fn standing_dot(ui: &Ui, center: Pos2, standing: Standing) {
    let painter = ui.painter();
    match standing {
        Standing::ToDo => painter.circle_stroke(center, 3.0, Stroke::new(1.3, theme::WEAK)),
        Standing::Attention => painter.circle_filled(center, 3.5, theme::WARN),
        Standing::Done => painter.circle_filled(center, 3.5, theme::GOOD),
    };
}

/// One line of a menu; also used by context menus.
pub(in crate::app) fn menu_item(ui: &mut Ui, entry: &Entry, on: Option<bool>, now: Situation) -> egui::Response {
    let missing = entry.needs.missing(now);
    // The tick is an icon: the text font has none. One that cannot be seen keeps the names of switches in a column.
    let tick = |color| theme::icon(egui_material_icons::icons::ICON_CHECK, 14.0).color(color);
    let button = match on {
        Some(true) => Button::new((tick(theme::ACCENT), entry.text)),
        Some(false) => Button::new((tick(Color32::TRANSPARENT), entry.text)),
        None => Button::new(entry.text),
    };
    let button = button
        .frame_when_inactive(false)
        .right_text(RichText::new(entry.keys_text(ui.ctx())).color(theme::WEAK))
        .min_size(Vec2::new(ui.available_width(), theme::ROW));
    let response = ui.add_enabled(missing.is_none(), button).accessible_name(entry.text);
    response.on_hover_text(entry.help).on_disabled_hover_text(missing.unwrap_or_default())
}
