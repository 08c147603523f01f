//! Notices: what happened, what was kept, what can be done now, in the lower right corner of the views.
//!
//! An error stays until it is closed; news goes after some seconds unless the pointer rests on it. Details fold out and can
//! be copied; callers keep patient data out of them.

use egui::{Align2, Button, Frame, Margin, RichText, Stroke, Vec2};
use egui_material_icons::icons;

use super::commands::{CommandId, entry};
use super::theme;
use super::widgets::field::icon_button;

/// How grave a notice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gravity {
    /// Something was done.
    Good,
    /// Something should be known.
    Warning,
    /// Something failed.
    Bad,
}

/// One notice.
#[derive(Debug, Clone)]
pub struct Notice {
    gravity: Gravity,
    text: String,
    details: String,
    action: Option<CommandId>,
    seconds_left: f32,
    unfolded: bool,
    of_case: bool,
}

impl Notice {
    /// A notice; news goes by itself.
    pub fn new(gravity: Gravity, text: impl Into<String>) -> Self {
        let seconds_left = if gravity == Gravity::Good { 6.0 } else { f32::INFINITY };
        Self {
            gravity,
            text: sentence(&text.into()),
            details: String::new(),
            action: None,
            seconds_left,
            unfolded: false,
            of_case: false,
        }
    }

    /// With details that fold out.
    #[must_use]
    pub fn details(self, details: impl Into<String>) -> Self {
        Self { details: details.into(), ..self }
    }

    /// With a command that mends it.
    #[must_use]
    pub fn action(self, action: CommandId) -> Self {
        Self { action: Some(action), ..self }
    }

    /// It speaks of the case that is open, and goes with it.
    #[must_use]
    pub fn of_case(self) -> Self {
        Self { of_case: true, ..self }
    }

    /// The sentence.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Errors are written lower case without a full stop, to be put together; on the screen they are sentences.
pub fn sentence(text: &str) -> String {
    let mut letters = text.trim().chars();
    let Some(first) = letters.next() else { return String::new() };
    let mut sentence: String = first.to_uppercase().chain(letters).collect();
    if !sentence.ends_with(['.', '!', '?', '\u{2026}']) {
        sentence.push('.');
    }
    sentence
}

/// All notices on the screen, oldest first.
#[derive(Debug, Default)]
pub struct Notices {
    list: Vec<Notice>,
}

impl Notices {
    /// Shows a notice. The same sentence is not shown twice.
    pub fn push(&mut self, notice: Notice) {
        self.list.retain(|shown| shown.text != notice.text);
        self.list.push(notice);
        let surplus = self.list.len().saturating_sub(5);
        self.list.drain(..surplus);
    }

    /// Another case is open: what was said of the one before goes.
    pub fn leave_case(&mut self) {
        self.list.retain(|notice| !notice.of_case);
    }

    /// Says that something was done.
    pub fn good(&mut self, text: impl Into<String>) {
        self.push(Notice::new(Gravity::Good, text));
    }

    /// Says that something should be known.
    pub fn warn(&mut self, text: impl Into<String>) {
        self.push(Notice::new(Gravity::Warning, text));
    }

    /// Says that something failed, with the chain of its causes as details.
    pub fn error(&mut self, what: &str, error: &dyn std::error::Error) {
        let mut causes = String::new();
        let mut cause = error.source();
        while let Some(inner) = cause {
            causes.push_str(&format!("{inner}\n"));
            cause = inner.source();
        }
        self.push(Notice::new(Gravity::Bad, format!("{what}: {error}")).details(causes.trim_end().to_owned()));
    }

    /// What is shown, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Notice> {
        self.list.iter()
    }

    /// Draws them; returns the command that somebody chose.
    pub fn ui(&mut self, ctx: &egui::Context, right_margin: f32) -> Option<CommandId> {
        if self.list.is_empty() {
            return None;
        }
        let mut chosen = None;
        let mut closed = None;
        let offset = Vec2::new(-right_margin - 12.0, -theme::STATUS_BAR - 12.0);
        let area = egui::Area::new(egui::Id::unique("notices")).anchor(Align2::RIGHT_BOTTOM, offset);
        let response = area.show(ctx, |ui| {
            ui.set_width(380.0);
            for (n, notice) in self.list.iter_mut().enumerate() {
                let (close, action) = notice_ui(ui, notice);
                closed = closed.or(close.then_some(n));
                chosen = chosen.or(action);
            }
        });
        if let Some(n) = closed {
            self.list.remove(n);
        }
        if !response.response.contains_pointer() {
            let passed = ctx.input(|input| input.stable_dt.min(0.5));
            self.list.iter_mut().for_each(|notice| notice.seconds_left -= passed);
            self.list.retain(|notice| notice.seconds_left > 0.0);
        }
        if self.list.iter().any(|notice| notice.seconds_left.is_finite()) {
            ctx.request_repaint_after(std::time::Duration::from_millis(250));
        }
        chosen
    }
}

fn notice_ui(ui: &mut egui::Ui, notice: &mut Notice) -> (bool, Option<CommandId>) {
    let (color, icon) = match notice.gravity {
        Gravity::Good => (theme::GOOD, icons::ICON_CHECK_CIRCLE),
        Gravity::Warning => (theme::WARN, icons::ICON_WARNING),
        Gravity::Bad => (theme::BAD, icons::ICON_ERROR),
    };
    let (mut close, mut action) = (false, None);
    let frame = Frame::new()
        .fill(theme::RAISED)
        .stroke(Stroke::new(1.0, color))
        .corner_radius(4)
        .inner_margin(Margin::symmetric(12, 8));
    frame.show(ui, |ui| {
        ui.horizontal_top(|ui| {
            ui.label(theme::icon(icon, 18.0).color(color));
            ui.vertical(|ui| {
                ui.set_width(ui.available_width() - 32.0);
                ui.add(egui::Label::new(&notice.text).wrap());
                ui.horizontal(|ui| {
                    if let Some(id) = notice.action
                        && ui.add(Button::new(entry(id).text)).clicked()
                    {
                        (close, action) = (true, Some(id));
                    }
                    if !notice.details.is_empty() {
                        let fold = if notice.unfolded { "Hide details" } else { "Details" };
                        notice.unfolded ^= ui.button(fold).clicked();
                        if notice.unfolded && ui.button("Copy details").clicked() {
                            ui.ctx().copy_text(format!("{}\n{}", notice.text, notice.details));
                        }
                    }
                });
                if notice.unfolded {
                    ui.add(egui::Label::new(RichText::new(&notice.details).small().color(theme::WEAK)).wrap());
                }
            });
            close |= icon_button(ui, icons::ICON_CLOSE, "Close notice", "").clicked();
        });
    });
    (close, action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_become_sentences_and_are_said_once() {
        let mut notices = Notices::default();
        notices.error("Cannot open", &std::io::Error::other("the folder is empty"));
        notices.error("Cannot open", &std::io::Error::other("the folder is empty"));
        let texts: Vec<&str> = notices.iter().map(Notice::text).collect();
        assert_eq!(texts, ["Cannot open: the folder is empty."]);
    }
}
