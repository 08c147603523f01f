//! The tool rail: one icon per tool of the stage.

use egui::{Button, Color32, Frame, Layout, Margin, Panel, Sense, Ui, Vec2};

use crate::app::MaquetteApp;
use crate::app::commands::{CommandId, Menu, Situation, TABLE};
use crate::app::theme;

impl MaquetteApp {
    /// Draws the rail.
    pub(in crate::app) fn rail_ui(&mut self, ui: &mut Ui, now: Situation) {
        let frame = Frame::new().fill(theme::PANEL).inner_margin(Margin::symmetric(4, 6));
        Panel::left("tool rail").exact_size(theme::RAIL).resizable(false).frame(frame).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            for entry in TABLE.iter().filter(|entry| entry.menu == Menu::Tool) {
                let (CommandId::Tool(tool), Some(icon)) = (entry.id, entry.icon) else { continue };
                if !self.stage.has_tool(tool) {
                    continue;
                }
                if entry.line_above {
                    let (rect, _) = ui.allocate_exact_size(Vec2::new(36.0, 9.0), Sense::hover());
                    let line = rect.shrink2(Vec2::new(6.0, 0.0));
                    ui.painter().hline(line.x_range(), line.center().y, egui::Stroke::new(1.0, theme::LINE));
                }
                let chosen = self.tools.active() == tool;
                let color = if chosen { Color32::WHITE } else { theme::TEXT.gamma_multiply(0.8) };
                let mut button = Button::new(theme::icon(icon, 20.0).color(color)).selected(chosen);
                button = if chosen { button.fill(theme::CHOSEN) } else { button.frame_when_inactive(false) };
                let layout = Layout::centered_and_justified(egui::Direction::TopDown);
                let response = ui.allocate_ui_with_layout(Vec2::splat(36.0), layout, |ui| {
                    ui.spacing_mut().button_padding = Vec2::ZERO;
                    ui.add_enabled(entry.needs.missing(now).is_none(), button)
                });
                let keys = entry.keys_text(ui.ctx());
                let keys = if keys.is_empty() { keys } else { format!(" ({keys})") };
                let response = response.inner.accessible_name(entry.text);
                if response.on_hover_text(format!("{}{keys}\n{}", entry.text, entry.help)).clicked() {
                    self.ask(entry.id);
                }
            }
        });
    }
}
