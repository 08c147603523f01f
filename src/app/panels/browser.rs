//! The study browser: places at the left, patients, studies and series in the middle, the chosen series at the right.
//!
//! Rows are drawn only where they are in sight, so a list of thousands scrolls like one of ten.

mod choices;
pub mod chosen;

use std::path::PathBuf;
use std::sync::Arc;

use egui::{
    Align, Button, Color32, CornerRadius, Key, Layout, Modifiers, Rect, Response, RichText, ScrollArea, Sense,
    TextEdit, Ui, UiBuilder, Vec2,
};
use egui_material_icons::icons;

use crate::app::MaquetteApp;
use crate::app::browser::{Knowledge, Way, key_of};
use crate::app::numbers;
use crate::app::open_flow::PickedFor;
use crate::app::panels::modal;
use crate::app::theme;
use crate::app::widgets::field::{heading, hint, icon_button, segmented};
use crate::ops::browse::tree::{Order, Patient, Study, orientation};
use crate::ops::browse::{Listed, SeriesEntry};
use crate::ops::open::SeriesKind;

const WIDTH: f32 = 1280.0;
const PLACES: f32 = 188.0;
const CHOSEN: f32 = 312.0;
const ROW: f32 = 40.0;
const PICTURE: f32 = 36.0;
/// Room under the title and around: what the lists cannot have.
const CHROME: f32 = 214.0;

/// One line of the list.
enum Line<'a> {
    Patient(usize, &'a Patient),
    Study(&'a Study),
    Series(usize),
}

impl MaquetteApp {
    /// Draws it.
    pub(in crate::app) fn browser_ui(&mut self, ctx: &egui::Context) {
        let height = (ctx.content_rect().height() - CHROME).max(240.0);
        let mut wish = None;
        let close = modal(ctx, "Studies", WIDTH, |ui| {
            self.place_ui(ui);
            ui.add_space(8.0);
            let width = ui.available_width();
            ui.horizontal_top(|ui| {
                let column = |ui: &mut Ui, width: f32, add: &mut dyn FnMut(&mut Ui)| {
                    let size = Vec2::new(width, height);
                    ui.allocate_ui_with_layout(size, Layout::top_down(Align::Min), |ui| {
                        ui.set_min_size(size);
                        ui.set_max_width(width);
                        add(ui);
                    });
                };
                ui.spacing_mut().item_spacing.x = 12.0;
                column(ui, PLACES, &mut |ui| self.places_ui(ui));
                column(ui, width - PLACES - CHOSEN - 24.0, &mut |ui| wish = self.list_ui(ui).or(wish));
                column(ui, CHOSEN, &mut |ui| wish = self.chosen_ui(ui).or(wish));
            });
            ui.add_space(6.0);
            self.looking_ui(ui);
        });
        if close {
            self.cancel_open();
        } else if let Some(way) = wish {
            self.open_chosen(way);
        }
    }

    /// What is looked at, what is searched for, what comes first.
    fn place_ui(&mut self, ui: &mut Ui) {
        ui.horizontal(|ui| {
            let field = TextEdit::singleline(&mut self.browser.typed_place)
                .hint_text("A folder, a drive, a ZIP or a DICOMDIR")
                .desired_width(ui.available_width() - 640.0);
            let response = ui.add(field).accessible_name("Place");
            let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            let look = ui.button("Look").on_hover_text("Looks through the place for images.").clicked();
            if ui.button("Folder\u{2026}").on_hover_text("Chooses a folder to look through.").clicked() {
                self.ask_path(PickedFor::Browse);
            }
            let typed = self.browser.typed_place.trim().to_owned();
            if (entered || look) && !typed.is_empty() {
                self.look_at(PathBuf::from(typed));
            }
            ui.add_space(12.0);
            let field = TextEdit::singleline(&mut self.browser.query).hint_text("Search studies").desired_width(200.0);
            if ui.add(field).accessible_name("Search studies").changed() {
                self.browser.searched();
            }
            let orders = [(Order::Name, "Name"), (Order::Newest, "Newest"), (Order::Slices, "Slices")];
            ui.label(RichText::new("Sort by").small().color(theme::WEAK));
            ui.scope(|ui| {
                ui.set_max_width(180.0);
                if segmented(ui, &mut self.browser.order, &orders) {
                    self.browser.searched();
                }
            });
        });
    }

    /// Places that were visited.
    fn places_ui(&mut self, ui: &mut Ui) {
        heading(ui, "Visited places");
        let (mut go, mut forget) = (None, None);
        ScrollArea::vertical().id_salt("places").auto_shrink([false, false]).show(ui, |ui| {
            if self.browser.places.is_empty() {
                hint(ui, "None yet. A place that was looked through is listed here, and shows at once the next time.");
            }
            for place in &self.browser.places {
                let name = place.path.file_name().unwrap_or(place.path.as_os_str()).to_string_lossy().into_owned();
                let here = self.browser.place.as_ref() == Some(&place.path);
                ui.horizontal(|ui| {
                    let color = if here { Color32::WHITE } else { theme::TEXT };
                    let series = RichText::new(place.series.to_string()).small().color(theme::WEAK);
                    let button = Button::new(RichText::new(&name).color(color))
                        .truncate()
                        .right_text(series)
                        .selected(here)
                        .frame_when_inactive(false)
                        .min_size(Vec2::new(PLACES - 40.0, theme::ROW));
                    ui.scope(|ui| {
                        ui.set_max_width(PLACES - 40.0);
                        let response = ui.add(button).accessible_name(format!("Place {name}"));
                        let text =
                            format!("{}\n{} series in {} files", place.path.display(), place.series, place.files);
                        if response.on_hover_text(text).clicked() {
                            go = Some(place.path.clone());
                        }
                    });
                    let help = "Wipes what is known of it from this computer's list. The images stay.";
                    if icon_button(ui, icons::ICON_CLOSE, &format!("Forget {name}"), help).clicked() {
                        forget = Some(place.path.clone());
                    }
                });
            }
        });
        if let Some(path) = go {
            self.look_at(path);
        }
        if let Some(path) = forget {
            self.forget_place(path);
        }
    }

    /// Patients, studies and series; whether somebody wants to open one, and how.
    fn list_ui(&mut self, ui: &mut Ui) -> Option<Way> {
        let patients = self.browser.tree();
        let series = self.browser.series();
        if series.is_empty() {
            let words = if self.browser.job.is_some() { "Looking\u{2026}" } else { "Choose a place to look through." };
            match self.browser.failure.clone().filter(|_| self.browser.job.is_none()) {
                Some(why) => drop(ui.add(egui::Label::new(RichText::new(why).color(theme::WARN)).wrap())),
                None => hint(ui, words),
            }
            return None;
        }
        let mut lines = Vec::new();
        for (n, patient) in patients.iter().enumerate() {
            lines.push(Line::Patient(n, patient));
            for study in &patient.studies {
                lines.push(Line::Study(study));
                lines.extend(study.series.iter().map(|&n| Line::Series(n)));
            }
        }
        if lines.is_empty() {
            hint(ui, "No series has all of these words.");
            return None;
        }
        let order: Vec<usize> =
            lines.iter().filter_map(|line| if let Line::Series(n) = line { Some(*n) } else { None }).collect();
        let enter = self.step_by_keys(ui, &order, &series);
        let chosen_line = self.browser.chosen_index();
        let chosen_line = lines.iter().position(|line| matches!(line, Line::Series(n) if Some(*n) == chosen_line));
        let mut area = ScrollArea::vertical().id_salt("series").auto_shrink([false, false]);
        if let (true, Some(line)) = (std::mem::take(&mut self.browser.reveal), chosen_line) {
            area = area.vertical_scroll_offset((line as f32 - 3.0).max(0.0) * ROW);
        }
        ui.spacing_mut().item_spacing.y = 0.0;
        let (mut picked, mut in_sight) = (None, Vec::new());
        area.show_rows(ui, ROW, lines.len(), |ui, range| {
            for line in &lines[range] {
                match line {
                    Line::Patient(n, patient) => self.patient_ui(ui, *n, patient),
                    Line::Study(study) => study_ui(ui, study),
                    Line::Series(n) => {
                        in_sight.push(Arc::clone(&series[*n]));
                        let response = self.series_ui(ui, &self.browser.listing.series[*n]);
                        if response.clicked() || response.double_clicked() {
                            picked = Some((*n, response.double_clicked()));
                        }
                    }
                }
            }
        });
        self.want_pictures(&in_sight);
        let mut wish = None;
        if let Some((n, opens)) = picked {
            if ui.input(|input| input.modifiers.command) {
                self.browser.toggle(key_of(&series[n]));
            } else {
                self.browser.also.clear();
                self.browser.choose(key_of(&series[n]));
                wish = opens.then_some(());
            }
        }
        wish.or(enter.then_some(()))?;
        self.browser.to_open().map(|_| if self.open_flow.adds { Way::Add } else { Way::Replace })
    }

    /// Up and Down choose the series before and after; true when Enter was pressed.
    fn step_by_keys(&mut self, ui: &Ui, order: &[usize], series: &[Arc<SeriesEntry>]) -> bool {
        if ui.ctx().text_edit_focused() {
            return false;
        }
        let step = ui.input_mut(|input| {
            i32::from(input.consume_key(Modifiers::NONE, Key::ArrowDown))
                - i32::from(input.consume_key(Modifiers::NONE, Key::ArrowUp))
        });
        if step != 0 && !order.is_empty() {
            let at = self.browser.chosen_index().and_then(|chosen| order.iter().position(|&n| n == chosen));
            let next = at.map_or(0, |at| (at as i32 + step).clamp(0, order.len() as i32 - 1) as usize);
            self.browser.choose(key_of(&series[order[next]]));
            self.browser.reveal = true;
        }
        ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter))
    }

    fn patient_ui(&self, ui: &mut Ui, n: usize, patient: &Patient) {
        let (_, rect) = ui.allocate_space(Vec2::new(ui.available_width(), ROW));
        let rect = Rect::from_min_max(rect.min + Vec2::new(4.0, 8.0), rect.max);
        let mut row = ui.new_child(UiBuilder::new().max_rect(rect).layout(Layout::left_to_right(Align::Center)));
        let hidden = !self.session.view.identity_visible;
        let name = match (patient.is_nameless(), hidden) {
            (true, _) => "Without a patient".to_owned(),
            (false, true) => format!("Patient {}", n + 1),
            (false, false) if patient.name.is_empty() => patient.id.clone(),
            (false, false) => patient.name.clone(),
        };
        row.label(RichText::new(name).font(theme::semibold(14.0)));
        if !hidden && !patient.is_nameless() {
            let born = if patient.birth_date.is_empty() {
                String::new()
            } else {
                format!("born {}", numbers::date(&patient.birth_date))
            };
            let facts = [patient.id.as_str(), &born, &patient.sex];
            let facts: Vec<&str> = facts.into_iter().filter(|fact| !fact.is_empty()).collect();
            row.add(egui::Label::new(RichText::new(facts.join("  \u{b7}  ")).color(theme::WEAK)).truncate());
        }
    }

    /// One series: picture, name, modality, slices, kernel, orientation.
    fn series_ui(&self, ui: &mut Ui, listed: &Listed) -> Response {
        let entry = &listed.entry;
        let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), ROW), Sense::click());
        let chosen = self.browser.is_chosen(entry);
        let title = entry.title();
        let name = format!("Series {title}");
        response.widget_info(|| egui::WidgetInfo::selected(egui::Role::ListBoxOption, true, chosen, &name));
        let fill = match (chosen, response.hovered()) {
            (true, _) => theme::CHOSEN,
            (false, true) => theme::HOVER,
            (false, false) => Color32::TRANSPARENT,
        };
        ui.painter().rect_filled(rect, CornerRadius::same(4), fill);
        let place = Rect::from_min_size(rect.min + Vec2::new(20.0, 2.0), Vec2::splat(PICTURE));
        ui.painter().rect_filled(place, CornerRadius::same(2), theme::VIEW);
        if let Some(texture) = self.browser.picture(entry) {
            let size = texture.size_vec2();
            let fit = size * (PICTURE / size.max_elem());
            let whole = Rect::from_min_max(egui::pos2(0.0, 0.0), egui::pos2(1.0, 1.0));
            ui.painter().image(texture.id(), Rect::from_center_size(place.center(), fit), whole, Color32::WHITE);
        }
        let weak = if chosen { theme::TEXT } else { theme::WEAK };
        let main = if entry.is_loadable() { theme::TEXT } else { weak };
        let text = |left: f32, width: f32, words: &str, color: Color32, ui: &mut Ui| {
            let rect = Rect::from_min_size(egui::pos2(left, rect.top()), Vec2::new(width, ROW));
            let mut cell = ui.new_child(UiBuilder::new().max_rect(rect).layout(Layout::left_to_right(Align::Center)));
            cell.add(egui::Label::new(RichText::new(words).color(color)).truncate().selectable(false));
        };
        let left = place.right() + 10.0;
        // From the right: what is short and alike in every row stands in columns.
        let columns = [("", 96.0), ("", 72.0), ("", 78.0), ("", 40.0)];
        let numbered = match entry.info.series_number {
            Some(number) => format!("{number}  {title}"),
            None => title,
        };
        let kernel = entry.info.kernel.replace('\\', " ");
        let lies = entry.grid.as_ref().map(orientation).unwrap_or_default();
        let count = entry.slice_count();
        let slices = match entry.kind {
            SeriesKind::Segmentation => "segments".to_owned(),
            SeriesKind::Contours => "contours".to_owned(),
            SeriesKind::Model => "model".to_owned(),
            _ => format!("{count} {}", if count == 1 { "slice" } else { "slices" }),
        };
        let words = [lies, kernel.as_str(), slices.as_str(), entry.info.modality.as_str()];
        let mut right = rect.right() - 4.0;
        for ((_, width), words) in columns.into_iter().zip(words) {
            right -= width;
            text(right, width - 6.0, words, weak, ui);
        }
        let mark = mark_of(listed, self.browser.knowledge);
        let mark_width = if mark.is_some() { 22.0 } else { 0.0 };
        text(left + mark_width, right - left - mark_width - 6.0, &numbered, main, ui);
        if let Some((icon, color)) = mark {
            let at = egui::pos2(left + 8.0, rect.center().y);
            ui.painter().text(at, egui::Align2::CENTER_CENTER, icon.codepoint, theme::icon_font(16.0), color);
        }
        match &entry.refusal {
            Some(refusal) => response.on_hover_text(crate::app::notices::sentence(refusal)),
            None if !listed.is_complete => response.on_hover_text("Still being read."),
            None => response,
        }
    }

    /// How far the look is; stop and go.
    fn looking_ui(&mut self, ui: &mut Ui) {
        let progress = self.browser.job.and_then(|job| self.work.running().find(|running| running.id == job));
        let progress = progress.map(|running| running.progress.clone());
        let listing = &self.browser.listing;
        let count = listing.series.len();
        let mut words = format!("{count} series");
        match (&progress, self.browser.knowledge) {
            (Some(_), _) if listing.total > 0 => {
                words = format!("{words}  \u{b7}  {} of {} files looked at", listing.done, listing.total);
            }
            (Some(progress), _) => words = format!("{words}  \u{b7}  {}", progress.current_phase()),
            (None, Knowledge::Complete) => {
                words = format!("{words} in {} files, {} of them new or changed", listing.total, listing.read);
            }
            (None, _) if count > 0 => words = format!("{words}  \u{b7}  not looked through to the end"),
            (None, _) => {}
        }
        if self.browser.knowledge == Knowledge::Remembered && count > 0 {
            words = format!("{words}  \u{b7}  as they were at the last visit");
        }
        let remarks: Vec<String> =
            listing.report.lines.iter().map(|line| crate::app::notices::sentence(&line.text)).collect();
        ui.horizontal(|ui| {
            ui.label(RichText::new(words).color(theme::WEAK));
            if !remarks.is_empty() {
                let text =
                    if remarks.len() == 1 { "1 remark".to_owned() } else { format!("{} remarks", remarks.len()) };
                ui.label(theme::icon(icons::ICON_WARNING, 15.0).color(theme::WARN));
                ui.label(RichText::new(text).color(theme::WARN)).on_hover_text(remarks.join("\n"));
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| match (progress, self.browser.job) {
                (Some(progress), Some(job)) => {
                    ui.ctx().request_repaint_after(std::time::Duration::from_millis(100));
                    if ui.button("Stop looking").clicked() {
                        self.work.cancel(job);
                    }
                    let bar = egui::ProgressBar::new(progress.fraction()).desired_width(160.0).desired_height(6.0);
                    ui.add(bar);
                }
                _ => {
                    let place = self.browser.place.clone();
                    if let Some(place) = place
                        && ui.button("Look again").on_hover_text("Reads what was changed since.").clicked()
                    {
                        self.look_at(place);
                    }
                }
            });
        });
    }
}

fn study_ui(ui: &mut Ui, study: &Study) {
    let (_, rect) = ui.allocate_space(Vec2::new(ui.available_width(), ROW));
    let rect = Rect::from_min_max(rect.min + Vec2::new(12.0, 8.0), rect.max - Vec2::new(4.0, 0.0));
    let mut row = ui.new_child(UiBuilder::new().max_rect(rect).layout(Layout::left_to_right(Align::Center)));
    let date = numbers::date(&study.date);
    let texts = [date.as_str(), study.description.as_str()];
    let words: Vec<&str> = texts.into_iter().filter(|text| !text.is_empty()).collect();
    let words = if words.is_empty() { "Study".to_owned() } else { words.join("  \u{b7}  ") };
    row.add(egui::Label::new(RichText::new(words).font(theme::medium(theme::BODY_SIZE)).color(theme::WEAK)).truncate());
}

/// A sign in front of what cannot be opened as it is.
fn mark_of(listed: &Listed, knowledge: Knowledge) -> Option<(egui_material_icons::MaterialIcon, Color32)> {
    if listed.entry.can_be_mended() {
        Some((icons::ICON_WARNING, theme::WARN))
    } else if listed.entry.joins_images() {
        Some((icons::ICON_LAYERS, theme::WEAK))
    } else if !listed.entry.is_loadable() {
        Some((icons::ICON_CANCEL, theme::WEAK))
    } else if !listed.is_complete && knowledge != Knowledge::Remembered {
        Some((icons::ICON_HOURGLASS_EMPTY, theme::WEAK))
    } else {
        None
    }
}
