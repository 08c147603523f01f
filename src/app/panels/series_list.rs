//! Opening, over the window: the typed path, the scan, the list of series with pictures, the first slice while reading.

use egui::{Align, Button, Color32, CornerRadius, Layout, Rect, RichText, ScrollArea, Sense, TextEdit, Ui, Vec2};

use crate::app::MaquetteApp;
use crate::app::numbers;
use crate::app::open_flow::{Choosing, PickedFor, Stage};
use crate::app::panels::{modal, waiting_modal};
use crate::app::theme;
use crate::app::widgets::field::hint;
use crate::ops::open::SeriesEntry;
use crate::task::Progress;

const CARD: Vec2 = Vec2::new(0.0, 72.0);
const THUMBNAIL: f32 = 64.0;

impl MaquetteApp {
    /// Draws whatever step of opening is going on.
    pub(in crate::app) fn open_flow_ui(&mut self, ctx: &egui::Context) {
        self.typed_path_ui(ctx);
        self.leaving_ui(ctx);
        self.arriving_ui(ctx);
        match std::mem::take(&mut self.open_flow.stage) {
            Stage::Idle => {}
            Stage::Scanning { path, job } => {
                let progress = self.progress_of(job);
                self.open_flow.stage = Stage::Scanning { path, job };
                let mut cancel = false;
                waiting_modal(ctx, "Looking for images", 420.0, |ui| cancel = waiting_ui(ui, progress.as_ref()));
                if cancel {
                    self.cancel_open();
                }
            }
            Stage::Choosing(choosing) => self.choosing_ui(ctx, choosing),
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

    fn choosing_ui(&mut self, ctx: &egui::Context, mut choosing: Choosing) {
        let mut open = None;
        let close = modal(ctx, "Choose a series", 640.0, |ui| {
            let count = choosing.scan.entries.len();
            hint(ui, &format!("{count} series were found; the likeliest is first."));
            ui.add_space(4.0);
            ScrollArea::vertical().max_height(440.0).auto_shrink([false, true]).show(ui, |ui| {
                for (n, entry) in choosing.scan.entries.iter().enumerate() {
                    let picture = choosing.thumbnails.get(n).and_then(Option::as_ref);
                    let response = card_ui(ui, entry, n == choosing.chosen, picture);
                    if response.clicked() {
                        choosing.chosen = n;
                    }
                    if response.double_clicked() && entry.is_loadable() {
                        open = Some(n);
                    }
                }
            });
            ui.add_space(8.0);
            let entry = choosing.scan.entries.get(choosing.chosen);
            if let Some(refusal) = entry.and_then(|entry| entry.refusal.as_deref()) {
                let words = crate::app::notices::sentence(refusal);
                ui.add(egui::Label::new(RichText::new(words).color(theme::WARN)).wrap());
            }
            let can = entry.is_some_and(SeriesEntry::is_loadable);
            let label = RichText::new("Open series").color(Color32::WHITE);
            if ui.add_enabled(can, Button::new(label).fill(theme::CHOSEN)).clicked() {
                open = Some(choosing.chosen);
            }
        });
        match open {
            Some(index) => self.load_entry(&choosing.path, &choosing.scan, index),
            None if close => self.open_flow.stage = Stage::Idle,
            None => self.open_flow.stage = Stage::Choosing(choosing),
        }
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
                PickedFor::AddImages => "Add images",
                PickedFor::SaveCase | PickedFor::SaveTransfer => "Save to path",
                PickedFor::ExportFolder => "Use this folder",
                PickedFor::LoadTransfer => "Load",
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

/// One series of the list.
fn card_ui(ui: &mut Ui, entry: &SeriesEntry, chosen: bool, picture: Option<&egui::TextureHandle>) -> egui::Response {
    let size = Vec2::new(ui.available_width(), CARD.y);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let title = entry.title();
    let name = format!("Series {title}");
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::ListBoxOption, true, chosen, &name));
    let fill = if chosen {
        theme::CHOSEN
    } else if response.hovered() {
        theme::RAISED
    } else {
        Color32::TRANSPARENT
    };
    ui.painter().rect_filled(rect, CornerRadius::same(4), fill);
    let place = Rect::from_min_size(rect.min + Vec2::splat(4.0), Vec2::splat(THUMBNAIL));
    ui.painter().rect_filled(place, CornerRadius::same(2), theme::VIEW);
    if let Some(texture) = picture {
        let size = texture.size_vec2();
        let fit = size * (THUMBNAIL / size.max_elem());
        let uv = Rect::from_min_max(egui::pos2(0.0, 0.0), egui::pos2(1.0, 1.0));
        ui.painter().image(texture.id(), Rect::from_center_size(place.center(), fit), uv, Color32::WHITE);
    }
    let text = Rect::from_min_max(place.right_top() + Vec2::new(12.0, 2.0), rect.max - Vec2::new(8.0, 4.0));
    // A child of its own: the row is allocated already.
    let mut child = ui.new_child(egui::UiBuilder::new().max_rect(text));
    child.spacing_mut().item_spacing.y = 1.0;
    let color = if entry.is_loadable() { theme::TEXT } else { theme::WEAK };
    child.add(egui::Label::new(RichText::new(&title).color(color).font(theme::medium(theme::BODY_SIZE))).truncate());
    let [x, y, z] = entry.spacing_mm();
    let [ni, nj, _] = entry.dims();
    let geometry = format!(
        "{} {} slices \u{b7} {ni}\u{d7}{nj} \u{b7} {} \u{d7} {} \u{d7} {} mm",
        entry.info.modality,
        entry.slice_count(),
        numbers::decimal(x, 2),
        numbers::decimal(y, 2),
        numbers::decimal(z, 2)
    );
    child.add(egui::Label::new(RichText::new(geometry.trim_start()).small().color(theme::WEAK)).truncate());
    let study = format!("{}  {}", numbers::date(&entry.info.study_date), entry.info.study_description);
    let third = entry.refusal.as_deref().map_or_else(|| study.trim().to_owned(), crate::app::notices::sentence);
    let color = if entry.refusal.is_some() { theme::WARN } else { theme::WEAK };
    child.add(egui::Label::new(RichText::new(third).small().color(color)).truncate());
    response
}
