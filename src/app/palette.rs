//! The command palette: every command by a few letters of its name.

use egui::{Align2, Button, Key, Modifiers, RichText, ScrollArea, TextEdit, Ui, Vec2};

use super::commands::{CommandId, Entry, Situation, TABLE};
use super::theme;

/// State of the palette.
#[derive(Debug, Default)]
pub struct Palette {
    open: bool,
    query: String,
    chosen: usize,
}

impl Palette {
    /// Opens it with an empty query.
    pub fn open(&mut self) {
        *self = Self { open: true, ..Self::default() };
    }

    /// Closes it.
    pub fn close(&mut self) {
        self.open = false;
    }

    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Draws it; returns the command that was chosen.
    pub fn ui(&mut self, ctx: &egui::Context, now: Situation) -> Option<CommandId> {
        if !self.open {
            return None;
        }
        let area =
            egui::Modal::default_area(egui::Id::unique("palette")).anchor(Align2::CENTER_TOP, Vec2::new(0.0, 64.0));
        let modal = egui::Modal::new(egui::Id::unique("palette")).area(area).show(ctx, |ui| self.contents_ui(ui, now));
        if modal.should_close() || modal.inner.is_some() {
            self.open = false;
        }
        modal.inner
    }

    fn contents_ui(&mut self, ui: &mut Ui, now: Situation) -> Option<CommandId> {
        ui.set_width(480.0);
        let field = TextEdit::singleline(&mut self.query).hint_text("Search commands").desired_width(f32::INFINITY);
        let (down, up, enter) = ui.input_mut(|input| {
            (
                input.consume_key(Modifiers::NONE, Key::ArrowDown),
                input.consume_key(Modifiers::NONE, Key::ArrowUp),
                input.consume_key(Modifiers::NONE, Key::Enter),
            )
        });
        let response = ui.add(field).accessible_name("Search commands");
        response.request_focus();
        if response.changed() {
            self.chosen = 0;
        }
        let found = search(&self.query);
        let last = found.len().saturating_sub(1);
        self.chosen = match (down, up) {
            (true, _) => (self.chosen + 1).min(last),
            (_, true) => self.chosen.saturating_sub(1),
            _ => self.chosen.min(last),
        };
        let mut run = enter.then(|| found.get(self.chosen)).flatten().copied();
        ScrollArea::vertical().max_height(360.0).auto_shrink([false, true]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for (n, entry) in found.iter().enumerate() {
                let response = entry_ui(ui, entry, n == self.chosen, now);
                if n == self.chosen && (down || up) {
                    response.scroll_to_me(None);
                }
                if response.clicked() {
                    run = Some(entry);
                }
            }
            if found.is_empty() {
                ui.label(RichText::new("No command has this name.").color(theme::WEAK));
            }
        });
        run.filter(|entry| entry.needs.missing(now).is_none()).map(|entry| entry.id)
    }
}

fn entry_ui(ui: &mut Ui, entry: &Entry, chosen: bool, now: Situation) -> egui::Response {
    let missing = entry.needs.missing(now);
    let color = if missing.is_some() { theme::WEAK } else { theme::TEXT };
    let button = Button::selectable(chosen, RichText::new(entry.text).color(color))
        .right_text(RichText::new(entry.keys_text(ui.ctx())).color(theme::WEAK))
        .min_size(Vec2::new(ui.available_width(), theme::ROW));
    ui.add(button).on_hover_text(missing.unwrap_or(entry.help))
}

/// Commands whose name or help fits the query, best first.
pub fn search(query: &str) -> Vec<&'static Entry> {
    let mut found: Vec<(u32, &Entry)> =
        TABLE.iter().filter_map(|entry| Some((score(query, entry.text, entry.help)?, entry))).collect();
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    found.into_iter().map(|(_, entry)| entry).collect()
}

/// How well a query fits; `None` when its letters are not all there in order. Letters at word starts and in runs count more.
fn score(query: &str, name: &str, help: &str) -> Option<u32> {
    let wanted = query.trim().to_lowercase();
    if wanted.is_empty() {
        return Some(0);
    }
    let in_name = in_order(&wanted, &name.to_lowercase());
    in_name.map(|points| points + 100).or_else(|| help.to_lowercase().contains(&wanted).then_some(1))
}

fn in_order(wanted: &str, text: &str) -> Option<u32> {
    if let Some(at) = text.find(wanted) {
        return Some(if at == 0 { 400 } else { 200 });
    }
    let (mut points, mut before, mut run) = (0, ' ', false);
    let mut letters = wanted.chars().filter(|c| !c.is_whitespace()).peekable();
    for letter in text.chars() {
        if letters.peek() == Some(&letter) {
            points += 1 + if before.is_alphanumeric() { 0 } else { 4 } + if run { 2 } else { 0 };
            letters.next();
            run = true;
        } else {
            run = false;
        }
        before = letter;
    }
    letters.peek().is_none().then_some(points)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::options::ToolKind;

    #[test]
    fn a_few_letters_find_the_command() {
        assert_eq!(search("paint")[0].id, CommandId::Tool(ToolKind::Paint));
        assert_eq!(search("expmesh")[0].id, CommandId::ExportMeshes);
        assert_eq!(search("undo")[0].id, CommandId::Undo);
        assert_eq!(search("").len(), TABLE.len());
        assert!(search("qqq").is_empty());
    }
}
