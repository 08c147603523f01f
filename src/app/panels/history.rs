//! The history list: every step with its time; a click goes back to it, undone steps stay in grey until something new is done.

use egui::{Align2, CornerRadius, FontId, Pos2, ScrollArea, Sense, Ui, Vec2};

use crate::app::MaquetteApp;
use crate::app::theme;
use crate::app::widgets::field::heading;

const STEP_HEIGHT: f32 = 22.0;

impl MaquetteApp {
    /// Draws the list and carries out what was clicked.
    pub(in crate::app) fn history_ui(&mut self, ui: &mut Ui) {
        heading(ui, "History");
        let steps: Vec<_> = self.session.history().steps().collect();
        if steps.is_empty() {
            crate::app::widgets::field::hint(ui, "Nothing has been changed yet. Every step can be undone.");
            return;
        }
        let done = self.session.history().done_count();
        let mut target = None;
        ScrollArea::vertical().id_salt("history").auto_shrink([false, false]).stick_to_bottom(true).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for (n, step) in steps.iter().enumerate() {
                let (rect, response) =
                    ui.allocate_exact_size(Vec2::new(ui.available_width(), STEP_HEIGHT), Sense::click());
                let label = format!("Go to step {}: {}", n + 1, step.label);
                response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &label));
                if response.hovered() {
                    ui.painter().rect_filled(rect.expand2(Vec2::new(4.0, 0.0)), CornerRadius::same(3), theme::RAISED);
                }
                let color = match (n + 1 == done, step.done) {
                    (true, _) => theme::ACCENT,
                    (false, true) => theme::TEXT,
                    (false, false) => theme::WEAK.gamma_multiply(0.6),
                };
                let font = FontId::proportional(theme::BODY_SIZE);
                let time = step.when.with_timezone(&chrono::Local).format("%H:%M").to_string();
                let right = Pos2::new(rect.right(), rect.center().y);
                ui.painter().text(right, Align2::RIGHT_CENTER, time, font.clone(), theme::WEAK);
                let name = ui.painter().with_clip_rect(rect.with_max_x(rect.right() - 42.0));
                name.text(Pos2::new(rect.left(), rect.center().y), Align2::LEFT_CENTER, &step.label, font, color);
                if response.on_hover_text(&step.label).clicked() {
                    target = Some(n + 1);
                }
            }
        });
        if let Some(count) = target {
            // A click on the present step takes it back.
            self.go_to_step(if count == done { count - 1 } else { count });
        }
    }

    /// Undoes or redoes until this many steps are done; a long way takes several frames.
    pub(in crate::app) fn go_to_step(&mut self, count: usize) {
        if let Err(refusal) = self.session.start_travel(count) {
            self.notices.warn(refusal.to_string());
        }
    }
}
