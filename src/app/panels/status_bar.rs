//! The bar at the bottom: what the buttons do, what is under the pointer, the running job, memory, saved state.

use egui::{Align, CornerRadius, Frame, Layout, Margin, Panel, Rect, RichText, Sense, Ui, UiBuilder, Vec2};
use egui_material_icons::icons;

use crate::app::MaquetteApp;
use crate::app::notices;
use crate::app::numbers;
use crate::app::theme;
use crate::app::viewports::NOT_FOR_DIAGNOSIS;
use crate::app::widgets::field::icon_button;
use crate::app::widgets::row::key_cap;
use crate::session::jobs::JobId;
use crate::session::save::LastSave;

/// A job as the bar shows it.
struct Running {
    what: Cancels,
    title: String,
    phase: &'static str,
    fraction: f32,
    seconds: f64,
}

/// What the cancel button stops.
#[derive(Clone, Copy)]
enum Cancels {
    SessionJob(JobId),
    WindowJob(JobId),
    Travel,
}

impl MaquetteApp {
    /// Draws the bar.
    pub(in crate::app) fn status_bar_ui(&mut self, ui: &mut Ui) {
        let frame = Frame::new().fill(theme::PANEL).inner_margin(Margin::symmetric(12, 0));
        Panel::bottom("status bar").exact_size(theme::STATUS_BAR).frame(frame).show(ui, |ui| {
            let whole = ui.max_rect();
            ui.scope_builder(UiBuilder::new().max_rect(whole).layout(Layout::right_to_left(Align::Center)), |ui| {
                ui.spacing_mut().item_spacing.x = 16.0;
                self.state_ui(ui);
            });
            ui.scope_builder(UiBuilder::new().max_rect(whole).layout(Layout::left_to_right(Align::Center)), |ui| {
                self.pointer_ui(ui);
            });
        });
    }

    fn pointer_ui(&self, ui: &mut Ui) {
        if self.session.document().volumes().is_empty() {
            ui.label(RichText::new("Open images to begin").small().color(theme::WEAK));
            return;
        }
        let tool = self.tools.active();
        let standard = self.bindings.mouse.hints(tool);
        let names = ["L", "M", "R"];
        for (n, cap) in names.into_iter().enumerate() {
            let given = self.readout.buttons[n].as_str();
            key_cap(ui, cap, if given.is_empty() { standard[n] } else { given });
        }
        ui.add_space(12.0);
        let Some(point) = self.readout.point_in_patient else { return };
        let document = self.session.document();
        let volume = self.readout.volume.and_then(|id| document.volume(id));
        if let (Some(value), Some(volume)) = (self.readout.value, volume) {
            let words = numbers::value(value, volume.head.quantity);
            ui.label(RichText::new(words).font(theme::semibold(theme::SMALL_SIZE)));
        }
        if let Some((over, value)) = self.readout.over
            && let Some(object) = document.volume(over)
        {
            let words = format!("{} {}", object.head.name, numbers::value(value, object.head.quantity));
            ui.label(RichText::new(words).font(theme::semibold(theme::SMALL_SIZE)));
        }
        ui.label(RichText::new(numbers::patient_point(point)).small());
        let names: Vec<&str> = self
            .readout
            .segments
            .iter()
            .filter_map(|id| document.segment(*id).map(|object| object.segment.info.name.as_str()))
            .collect();
        if !names.is_empty() {
            ui.label(RichText::new(names.join(", ")).font(theme::semibold(theme::SMALL_SIZE)));
        }
    }

    fn state_ui(&mut self, ui: &mut Ui) {
        let words = RichText::new(NOT_FOR_DIAGNOSIS).small().color(theme::WARN);
        ui.label(words)
            .on_hover_text("Maquette makes models and measurements for planning; it is no diagnostic workstation.");
        let (saved, help, risk) = self.saved_words();
        let color = if risk { theme::WARN } else { theme::WEAK };
        ui.label(RichText::new(saved).small().color(color)).on_hover_text(help);
        let memory = crate::app::memory::resident_bytes();
        if let Some(bytes) = memory {
            let text = format!("RAM {}", numbers::memory(bytes));
            ui.label(RichText::new(text).small().color(theme::WEAK)).on_hover_text("Main memory that the program uses");
        }
        self.job_ui(ui);
    }

    /// What is safe: the case file, else the journal; what can be done; whether something is at risk.
    fn saved_words(&self) -> (String, String, bool) {
        let help = |text: &str| text.to_owned();
        if self.session.document().volumes().is_empty() {
            return (String::new(), String::new(), false);
        }
        if self.session.is_saving() {
            return ("Saving\u{2026}".to_owned(), help("The case file is being written; work can go on."), false);
        }
        let autosave = self.session.autosave();
        match (self.session.is_dirty(), self.session.last_save()) {
            (true, LastSave::Failed(why)) => {
                ("NOT saved".to_owned(), format!("{} {}.", notices::sentence(why), autosave.words()), true)
            }
            (true, _) => {
                let words = "Steps are kept in a journal on this disk; Ctrl+S writes the case file.";
                (autosave.words(), help(words), autosave.is_at_risk())
            }
            (false, LastSave::Done(when)) => {
                let when = when.with_timezone(&chrono::Local).format("%H:%M");
                (format!("Saved {when}"), help("The case file holds everything."), false)
            }
            (false, _) if self.session.case_path().is_some() => {
                ("Saved".to_owned(), help("The case file holds everything."), false)
            }
            (false, _) => {
                ("Not saved yet".to_owned(), help("Nothing was changed since the images were opened."), false)
            }
        }
    }

    fn running(&self) -> Option<Running> {
        if let Some(travel) = self.session.travel() {
            return Some(Running {
                what: Cancels::Travel,
                title: "History".to_owned(),
                phase: "",
                fraction: travel.fraction(self.session.history().done_count()),
                seconds: travel.since.elapsed().as_secs_f64(),
            });
        }
        let of_session = self.session.jobs().running().next().map(|job| (job, Cancels::SessionJob(job.id)));
        let of_window = || self.work.running().find(|job| !job.title.is_empty());
        let job = of_session.or_else(|| of_window().map(|job| (job, Cancels::WindowJob(job.id))));
        job.map(|(job, what)| Running {
            what,
            title: job.title.clone(),
            phase: job.progress.current_phase(),
            fraction: job.progress.fraction(),
            seconds: job.since.elapsed().as_secs_f64(),
        })
    }

    /// The first running job, once it has run for 100 ms: title, bar, percent, time left, cancel.
    fn job_ui(&mut self, ui: &mut Ui) {
        let Some(job) = self.running() else { return };
        ui.ctx().request_repaint_after(std::time::Duration::from_millis(100));
        if job.seconds < 0.1 {
            return;
        }
        ui.spacing_mut().item_spacing.x = 8.0;
        if icon_button(ui, icons::ICON_CLOSE, &format!("Cancel {}", job.title), "").clicked() {
            match job.what {
                Cancels::SessionJob(id) => self.session.jobs().cancel(id),
                Cancels::WindowJob(id) => self.work.cancel(id),
                Cancels::Travel => self.session.stop_travel(),
            }
        }
        let percent = format!("{} %", (job.fraction * 100.0).round());
        let left = (job.fraction > 0.05 && job.seconds > 1.0)
            .then(|| job.seconds * f64::from((1.0 - job.fraction) / job.fraction))
            .map_or_else(String::new, |left| format!(" \u{b7} {} left", numbers::seconds(left)));
        ui.label(RichText::new(format!("{percent}{left}")).small().color(theme::WEAK));
        let (rect, response) = ui.allocate_exact_size(Vec2::new(110.0, 3.0), Sense::hover());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::ProgressIndicator, true, &job.title));
        ui.painter().rect_filled(rect, CornerRadius::same(2), theme::LINE);
        let done = Rect::from_min_size(rect.min, Vec2::new(rect.width() * job.fraction, rect.height()));
        ui.painter().rect_filled(done, CornerRadius::same(2), theme::ACCENT);
        let words = if job.phase.is_empty() { job.title.clone() } else { format!("{}: {}", job.title, job.phase) };
        ui.add(egui::Label::new(RichText::new(words).small().color(theme::WEAK)).truncate());
    }
}
