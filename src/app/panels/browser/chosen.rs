//! The chosen series of the study browser: its picture, what is known of it, and the buttons that open it.

use egui::{Align, Button, Color32, CornerRadius, Layout, Rect, RichText, ScrollArea, Ui, Vec2};

use crate::app::MaquetteApp;
use crate::app::browser::Way;
use crate::app::numbers;
use crate::app::open_flow::Stage;
use crate::app::theme;
use crate::app::widgets::field::{fact_row, hint, primary_button};
use crate::ops::browse::Listed;
use crate::ops::browse::tree::orientation;

const PICTURE: f32 = 176.0;
/// The same where choices need the room.
const SMALL_PICTURE: f32 = 104.0;

impl MaquetteApp {
    /// Draws it; whether somebody wants it opened, and how.
    pub(in crate::app) fn chosen_ui(&mut self, ui: &mut Ui) -> Option<Way> {
        let Some(listed) = self.browser.chosen_series().cloned() else {
            hint(ui, "Choose a series to see what it is.");
            return None;
        };
        let mut wish = None;
        let has_case = self.session.view.active_volume.is_some();
        let room = if has_case { 112.0 } else { 40.0 };
        let height = ui.available_height() - room;
        ScrollArea::vertical().id_salt("chosen").max_height(height).auto_shrink([false, false]).show(ui, |ui| {
            self.picture_ui(ui, &listed);
            ui.add_space(6.0);
            ui.add(egui::Label::new(RichText::new(listed.entry.title()).font(theme::semibold(14.0))).wrap());
            self.choices_ui(ui, &listed);
            ui.add_space(2.0);
            facts_ui(ui, &listed);
            let as_it_is = self.browser.mended.is_empty();
            for line in listed.entry.report.lines.iter().filter(|_| as_it_is) {
                let words = crate::app::notices::sentence(&line.text);
                ui.add(egui::Label::new(RichText::new(words).small().color(theme::WARN)).wrap());
            }
            let is_mended = self.browser.to_open().is_some();
            if let Some(refusal) = listed.entry.refusal.as_ref().filter(|_| !is_mended) {
                ui.add_space(4.0);
                let words = crate::app::notices::sentence(refusal);
                ui.add(egui::Label::new(RichText::new(words).color(theme::WARN)).wrap());
            }
        });
        if listed.entry.joins_images() && has_case {
            if primary_button(ui, "Load onto the open images").clicked() {
                self.open_flow.stage = Stage::Idle;
                listed.entry.files.first().cloned().into_iter().for_each(|file| self.load_segments(file));
            }
            return None;
        }
        let can = self.browser.to_open().is_some();
        ui.with_layout(Layout::bottom_up(Align::Min), |ui| {
            if has_case {
                let ways = [
                    (
                        Way::Add,
                        "Add to the case",
                        "Joins the case and takes the place of the present images in the views.",
                    ),
                    (Way::Beside, "Open beside", "Joins the case and is shown beside the present images."),
                ];
                for (way, words, help) in ways {
                    let button = Button::new(words).min_size(Vec2::new(ui.available_width(), theme::ROW + 4.0));
                    if ui.add_enabled(can, button).on_hover_text(help).clicked() {
                        wish = Some(way);
                    }
                }
            }
            ui.add_enabled_ui(can, |ui| {
                let count = self.browser.also.len() + 1;
                let words = if count == 1 { "Open series".to_owned() } else { format!("Open {count} series") };
                let response = primary_button(ui, &words);
                let why = if listed.is_complete { "This series cannot be opened." } else { "Still being read." };
                if response.on_disabled_hover_text(why).clicked() {
                    wish = Some(Way::Replace);
                }
            });
        });
        wish
    }

    fn picture_ui(&self, ui: &mut Ui, listed: &Listed) {
        let has_choices = listed.entry.can_be_mended() || listed.entry.is_leaning();
        let side = if has_choices { SMALL_PICTURE } else { PICTURE };
        let (_, rect) = ui.allocate_space(Vec2::new(ui.available_width(), side));
        ui.painter().rect_filled(rect, CornerRadius::same(4), theme::VIEW);
        if let Some(texture) = self.browser.picture(&listed.entry) {
            let size = texture.size_vec2();
            let fit = size * (side / size.max_elem());
            let whole = Rect::from_min_max(egui::pos2(0.0, 0.0), egui::pos2(1.0, 1.0));
            ui.painter().image(texture.id(), Rect::from_center_size(rect.center(), fit), whole, Color32::WHITE);
        }
    }
}

fn facts_ui(ui: &mut Ui, listed: &Listed) {
    let entry = &listed.entry;
    let info = &entry.info;
    let fact = |ui: &mut Ui, label: &str, value: &str| {
        if !value.is_empty() {
            fact_row(ui, label, value, "");
        }
    };
    fact(ui, "Modality", &info.modality);
    if !entry.joins_images() {
        fact(ui, "Slices", &entry.slice_count().to_string());
    }
    if let Some(grid) = &entry.grid {
        let [ni, nj, _] = grid.dims();
        let [x, y, z] = entry.spacing_mm().map(|mm| numbers::decimal(mm, 2));
        fact(ui, "Matrix", &format!("{ni} \u{d7} {nj}"));
        fact(ui, "Spacing", &format!("{x} \u{d7} {y} \u{d7} {z} mm"));
        fact(ui, "Slices lie", orientation(grid));
    }
    fact(ui, "Part", &entry.part);
    fact(ui, "Kernel", &info.kernel);
    fact(ui, "Position", &info.patient_position);
    fact(ui, "Made by", &info.manufacturer);
    fact(ui, "Files", &entry.files.len().to_string());
}
