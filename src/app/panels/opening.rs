//! Opening, over the window: the typed path, the scan, the first slice while reading. Not here: the study browser.

use egui::{Align, Button, Color32, CornerRadius, Layout, Rect, RichText, Sense, TextEdit, Ui, Vec2};

use crate::app::MaquetteApp;
use crate::app::open_flow::{PickedFor, Stage};
use crate::app::panels::{modal, waiting_modal};
use crate::app::theme;
use crate::app::widgets::field::hint;
use crate::task::Progress;

impl MaquetteApp {
    /// Draws whatever step of opening is going on.
    pub(in crate::app) fn open_flow_ui(&mut self, ctx: &egui::Context) {
        match std::mem::take(&mut self.open_flow.stage) {
            Stage::Idle => {}
            Stage::Scanning { job } => {
                let progress = self.progress_of(job);
                self.open_flow.stage = Stage::Scanning { job };
                let mut cancel = false;
                waiting_modal(ctx, "Looking for images", 420.0, |ui| cancel = waiting_ui(ui, progress.as_ref()));
                if cancel {
                    self.cancel_open();
                }
            }
            Stage::Choosing => {
                self.open_flow.stage = Stage::Choosing;
                self.browser_ui(ctx);
            }
            Stage::Loading(loading) => {
                let progress = self.progress_of(loading.job);
                let title = format!("Reading {}", loading.title);
                let picture = loading.picture.clone().map(|texture| (texture, loading.extent_mm));
                self.open_flow.stage = Stage::Loading(loading);
                let mut cancel = false;
                waiting_modal(ctx, &title, 560.0, |ui| {
                    if let Some((texture, extent_mm)) = picture {
                        let scale = (520.0 / extent_mm.x).min(440.0 / extent_mm.y);
                        ui.vertical_centered(|ui| ui.image((texture.id(), extent_mm * scale)));
                        ui.add_space(8.0);
                    }
                    cancel = waiting_ui(ui, progress.as_ref());
                });
                if cancel {
                    self.cancel_open();
                }
            }
        }
        // Questions stand over the browser.
        self.typed_path_ui(ctx);
        self.leaving_ui(ctx);
        self.offered_ui(ctx);
        self.arriving_ui(ctx);
    }

    /// A case that is being opened or restored.
    fn arriving_ui(&mut self, ctx: &egui::Context) {
        let Some(job) = self.keeping.arriving() else { return };
        let running = self.session.jobs().running().find(|running| running.id == job);
        let Some((title, progress)) = running.map(|job| (job.title.clone(), job.progress.clone())) else { return };
        let mut cancel = false;
        waiting_modal(ctx, &title, 420.0, |ui| cancel = waiting_ui(ui, Some(&progress)));
        if cancel {
            self.session.jobs().cancel(job);
        }
    }

    fn progress_of(&self, job: crate::session::jobs::JobId) -> Option<Progress> {
        self.work.running().find(|running| running.id == job).map(|running| running.progress.clone())
    }

    fn typed_path_ui(&mut self, ctx: &egui::Context) {
        let Some(mut typed) = self.open_flow.typed.take() else { return };
        let mut go = false;
        let close = modal(ctx, typed.wanted_for.title(), 560.0, |ui| {
            if !typed.reason.is_empty() {
                hint(ui, &typed.reason);
                ui.add_space(4.0);
            }
            let field = TextEdit::singleline(&mut typed.text).hint_text("/path/to/images").desired_width(f32::INFINITY);
            let response = ui.add(field).accessible_name("Path");
            if !response.has_focus() && !response.lost_focus() {
                response.request_focus();
            }
            go = response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            ui.add_space(8.0);
            let verb = match typed.wanted_for {
                PickedFor::OpenFolder | PickedFor::OpenFile => "Open path",
                PickedFor::Browse => "Look through path",
                PickedFor::AddImages => "Add images",
                PickedFor::SaveCase | PickedFor::SaveTransfer => "Save to path",
                PickedFor::ExportFolder => "Use this folder",
                PickedFor::Segments | PickedFor::LoadTransfer => "Load",
            };
            go |= ui.add(Button::new(RichText::new(verb).color(Color32::WHITE)).fill(theme::CHOSEN)).clicked();
        });
        let text = typed.text.trim().to_owned();
        if go && !text.is_empty() {
            self.use_path(typed.wanted_for, text.into());
        } else if !close {
            self.open_flow.typed = Some(typed);
        } else if typed.wanted_for == PickedFor::SaveCase {
            // Leaving waited for a name that is not given.
            self.keeping.leaving = None;
        }
    }
}

/// Phase, percent, bar and a cancel button; true when that was pressed.
fn waiting_ui(ui: &mut Ui, progress: Option<&Progress>) -> bool {
    ui.ctx().request_repaint_after(std::time::Duration::from_millis(100));
    let (phase, fraction) = progress.map_or(("", 0.0), |progress| (progress.current_phase(), progress.fraction()));
    ui.horizontal(|ui| {
        ui.label(RichText::new(phase).color(theme::WEAK));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.label(RichText::new(format!("{} %", (fraction * 100.0).round())).color(theme::WEAK));
        });
    });
    let (rect, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 4.0), Sense::hover());
    ui.painter().rect_filled(rect, CornerRadius::same(2), theme::LINE);
    let done = Rect::from_min_size(rect.min, Vec2::new(rect.width() * fraction, rect.height()));
    ui.painter().rect_filled(done, CornerRadius::same(2), theme::ACCENT);
    ui.add_space(8.0);
    ui.button("Cancel opening").clicked()
}
