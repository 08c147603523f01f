//! The first window: open a folder, drop one here, open the sample, type a path, go on with a recent case.

use egui::{Align, Button, Color32, CornerRadius, Frame, Layout, Margin, RichText, Sense, Stroke, TextEdit, Ui, Vec2};
use egui_material_icons::{MaterialIcon, icons};

use crate::app::MaquetteApp;
use crate::app::commands::{CommandId, entry};
use crate::app::panels::leaving::Errand;
use crate::app::recent::RecentCase;
use crate::app::theme;

const WIDTH: f32 = 560.0;

impl MaquetteApp {
    /// Draws it.
    pub(in crate::app) fn welcome_ui(&mut self, ui: &mut Ui) {
        let hovering = ui.ctx().input(|input| !input.raw.hovered_files.is_empty());
        let frame = Frame::new().fill(theme::VIEW_3D[0]);
        egui::CentralPanel::no_frame().frame(frame).show(ui, |ui| {
            if hovering {
                let stroke = Stroke::new(2.0, theme::ACCENT);
                ui.painter().rect_stroke(
                    ui.max_rect().shrink(12.0),
                    CornerRadius::same(8),
                    stroke,
                    egui::StrokeKind::Inside,
                );
            }
            let top = (ui.available_height() * 0.16).max(24.0);
            ui.vertical_centered(|ui| {
                ui.add_space(top);
                ui.set_max_width(WIDTH);
                ui.label(RichText::new("Maquette").font(theme::semibold(30.0)));
                ui.label(RichText::new("Images in, a model you can trust the size of out").color(theme::WEAK));
                ui.add_space(28.0);
                ui.columns(2, |columns| {
                    self.big_button(
                        &mut columns[0],
                        CommandId::OpenFolder,
                        icons::ICON_FOLDER_OPEN,
                        "or drop one here",
                    );
                    self.big_button(
                        &mut columns[1],
                        CommandId::OpenSample,
                        icons::ICON_VIEW_IN_AR,
                        "a synthetic thorax",
                    );
                });
                ui.add_space(12.0);
                self.path_field_ui(ui);
                ui.add_space(12.0);
                let browse = Button::new("Study browser").min_size(Vec2::new(WIDTH, 28.0));
                if ui.add(browse).on_hover_text(entry(CommandId::Browse).help).clicked() {
                    self.ask(CommandId::Browse);
                }
                ui.add_space(24.0);
                self.restorable_ui(ui);
                self.recent_ui(ui);
            });
        });
    }

    fn big_button(&mut self, ui: &mut Ui, id: CommandId, icon: MaterialIcon, under: &str) {
        let text = entry(id).text;
        let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 116.0), Sense::click());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, text));
        let fill = if response.hovered() { theme::HOVER } else { theme::RAISED };
        let painter = ui.painter();
        painter.rect_filled(rect, CornerRadius::same(6), fill);
        let center = rect.center();
        let middle = egui::Align2::CENTER_CENTER;
        painter.text(center - Vec2::new(0.0, 28.0), middle, icon.codepoint, theme::icon_font(32.0), theme::ACCENT);
        painter.text(center + Vec2::new(0.0, 10.0), middle, text, theme::medium(14.0), theme::TEXT);
        let small = egui::FontId::proportional(theme::SMALL_SIZE);
        painter.text(center + Vec2::new(0.0, 32.0), middle, under, small, theme::WEAK);
        if response.on_hover_text(entry(id).help).clicked() {
            self.ask(id);
        }
    }

    fn path_field_ui(&mut self, ui: &mut Ui) {
        ui.horizontal(|ui| {
            let field = TextEdit::singleline(&mut self.open_flow.first_path)
                .hint_text("Or type a path to a folder, a DICOM, NIfTI or NRRD file, or a case")
                .desired_width(WIDTH - 72.0)
                .min_size(Vec2::new(0.0, 28.0))
                .align(egui::Align2::LEFT_CENTER)
                .margin(Margin::symmetric(8, 4));
            let response = ui.add(field).accessible_name("Path to open");
            let entered = response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            let button = Button::new("Open").min_size(Vec2::new(60.0, 28.0));
            let clicked = ui.add(button).clicked();
            let path = self.open_flow.first_path.trim().to_owned();
            if (entered || clicked) && !path.is_empty() {
                self.open_path(path.into());
            }
        });
    }

    /// Sessions that ended without being closed.
    fn restorable_ui(&mut self, ui: &mut Ui) {
        let (mut restore, mut discard) = (None, None);
        for found in &self.keeping.restorable {
            let frame = Frame::new().fill(theme::RAISED).stroke(Stroke::new(1.0, theme::WARN)).corner_radius(4);
            frame.inner_margin(Margin::symmetric(12, 8)).show(ui, |ui| {
                ui.set_width(WIDTH - 26.0);
                // The buttons take their room first; the words get what is left.
                let row = egui::vec2(ui.available_width(), theme::ROW);
                ui.allocate_ui_with_layout(row, Layout::right_to_left(Align::Center), |ui| {
                    if ui.button("Discard").on_hover_text("Removes the journal; this cannot be undone.").clicked() {
                        discard = Some(found.path.clone());
                    }
                    let label = RichText::new("Restore").color(Color32::WHITE);
                    if ui.add(Button::new(label).fill(theme::CHOSEN)).clicked() {
                        restore = Some(found.path.clone());
                    }
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        ui.label(theme::icon(icons::ICON_HISTORY, 18.0).color(theme::WARN));
                        let when = found.when.with_timezone(&chrono::Local).format("%Y-%m-%d");
                        let words = format!("{when}: {}", found.what);
                        ui.add(egui::Label::new(words).truncate()).on_hover_text("Work that is in no case file");
                    });
                });
            });
            ui.add_space(8.0);
        }
        if let Some(path) = restore {
            self.leave_for(Errand::Restore(path));
        }
        if let Some(path) = discard {
            self.discard_restorable(&path);
        }
    }

    fn recent_ui(&mut self, ui: &mut Ui) {
        let cases: Vec<RecentCase> = self.open_flow.recent.iter().cloned().collect();
        if cases.is_empty() {
            return;
        }
        ui.with_layout(Layout::top_down(Align::Min), |ui| {
            ui.label(RichText::new("Recent").font(theme::semibold(theme::SMALL_SIZE)).color(theme::WEAK));
            for case in cases {
                let details = RichText::new(&case.details).small().color(theme::WEAK);
                let button = Button::new(RichText::new(&case.title).color(Color32::WHITE))
                    .right_text(details)
                    .frame_when_inactive(false)
                    .min_size(Vec2::new(WIDTH, 28.0));
                if ui.add(button).on_hover_text(case.path.display().to_string()).clicked() {
                    self.open_path(case.path.clone());
                }
            }
        });
    }
}
