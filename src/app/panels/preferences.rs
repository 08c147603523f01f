//! Keys and mouse buttons: a set for the hands of one program, and every binding to be changed.

use egui::{Button, ComboBox, Event, Grid, Key, RichText, ScrollArea, TextEdit, Ui, Vec2};
use egui_material_icons::icons;

use crate::app::MaquetteApp;
use crate::app::bindings::mouse::{Deed, Drag, Turn, Wheel};
use crate::app::bindings::{self, Bindings, Chosen, name_of};
use crate::app::commands::{CommandId, Entry, Menu, TABLE, entry};
use crate::app::palette::search;
use crate::app::theme;
use crate::app::widgets::field::{heading, hint, icon_button, segmented_row};

use super::top_bar::MENUS;

/// State of the window.
#[derive(Debug, Clone, Default)]
pub struct Preferences {
    /// The command whose keys are pressed next.
    pub capturing: Option<CommandId>,
    /// What is searched for.
    query: String,
    /// What the last change meant for another command.
    told: String,
}

impl MaquetteApp {
    /// Draws the window.
    pub(in crate::app) fn preferences_ui(&mut self, ui: &mut Ui) {
        self.capture_keys(ui);
        let chosen = self.settings.get().bindings.clone();
        let names: Vec<(&str, &str)> =
            bindings::sets().iter().map(|set| (set.name.as_str(), set.name.as_str())).collect();
        let mut set = chosen.set().name.as_str();
        if segmented_row(ui, &mut set, &names) {
            self.change_bindings(|chosen| *chosen = Chosen { set: set.to_owned(), ..Chosen::default() });
            self.preferences.told.clear();
        }
        hint(ui, &chosen.set().note);
        ui.label(RichText::new(format!("After: {}.", chosen.set().source)).small().color(theme::WEAK));
        ui.add_space(4.0);
        ui.horizontal(|ui| {
            let field = TextEdit::singleline(&mut self.preferences.query).hint_text("Search").desired_width(260.0);
            ui.add(field).accessible_name("Search bindings");
            let is_changed = chosen != Chosen { set: chosen.set.clone(), ..Chosen::default() };
            let reset = Button::new("Reset all to the set");
            if ui.add_enabled(is_changed, reset).clicked() {
                self.change_bindings(|chosen| *chosen = Chosen { set: chosen.set.clone(), ..Chosen::default() });
                self.preferences.told.clear();
            }
        });
        let told = if self.preferences.told.is_empty() { " " } else { &self.preferences.told };
        ui.label(RichText::new(told).small().color(theme::WARN));
        ScrollArea::vertical()
            .id_salt("bindings")
            .max_height(440.0)
            .min_scrolled_height(440.0)
            .auto_shrink([false, false])
            .show(ui, |ui| {
                if self.preferences.query.trim().is_empty() {
                    self.mouse_ui(ui, &chosen);
                    for (menu, title) in [(Menu::Tool, "Tools and windows")].into_iter().chain(MENUS) {
                        heading(ui, title);
                        self.keys_rows_ui(ui, TABLE.iter().filter(|entry| entry.menu == menu), &chosen);
                    }
                } else {
                    let found = search(&self.preferences.query);
                    self.keys_rows_ui(ui, found.into_iter(), &chosen);
                }
            });
    }

    fn keys_rows_ui(&mut self, ui: &mut Ui, rows: impl Iterator<Item = &'static Entry>, chosen: &Chosen) {
        let now = bindings::of(ui.ctx());
        for row in rows {
            ui.horizontal(|ui| {
                let capturing = self.preferences.capturing == Some(row.id);
                let keys = now.keys_text(row.id);
                let words = match (capturing, keys.is_empty()) {
                    (true, _) => RichText::new("Press keys\u{2026}").color(theme::ACCENT),
                    (false, true) => RichText::new("none").color(theme::WEAK),
                    (false, false) => RichText::new(keys.clone()),
                };
                let button = ui.add(Button::new(words).min_size(Vec2::new(130.0, theme::ROW)));
                button.widget_info(|| {
                    egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Keys of {}: {keys}", row.text))
                });
                if button.on_hover_text("Click, then press the keys; Backspace for none, Esc to leave it").clicked() {
                    self.preferences.capturing = Some(row.id);
                    self.preferences.told.clear();
                }
                if chosen.keys.contains_key(&name_of(row.id)) {
                    if icon_button(ui, icons::ICON_UNDO, &format!("Reset keys of {}", row.text), "").clicked() {
                        self.change_bindings(|chosen| drop(chosen.keys.remove(&name_of(row.id))));
                    }
                } else {
                    ui.add_space(32.0);
                }
                ui.add(egui::Label::new(row.text).truncate()).on_hover_text(row.help);
            });
        }
    }

    fn mouse_ui(&mut self, ui: &mut Ui, chosen: &Chosen) {
        heading(ui, "Mouse");
        hint(ui, "Left alone is the active tool's; with Ctrl it does the opposite, as erasing for painting.");
        let mouse = bindings::of(ui.ctx()).mouse;
        let mut drags = chosen.drags.clone();
        let mut wheel = chosen.wheel.clone();
        Grid::new("mouse").num_columns(4).spacing([16.0, 4.0]).show(ui, |ui| {
            for (n, drag) in Drag::ALL.into_iter().enumerate() {
                let choices = Deed::ALL.map(|deed| (deed, deed.name()));
                if let Some(deed) = choice_ui(ui, drag.name(), mouse.drag(drag), &choices) {
                    drags.insert(drag, deed);
                }
                if n % 2 == 1 {
                    ui.end_row();
                }
            }
            for (n, turned) in Wheel::ALL.into_iter().enumerate() {
                let choices = Turn::ALL.map(|turn| (turn, turn.name()));
                if let Some(turn) = choice_ui(ui, turned.name(), mouse.wheel(turned), &choices) {
                    wheel.insert(turned, turn);
                }
                if n % 2 == 1 {
                    ui.end_row();
                }
            }
        });
        self.change_bindings(|chosen| (chosen.drags, chosen.wheel) = (drags, wheel));
    }

    /// Takes the keys that are pressed for a command.
    fn capture_keys(&mut self, ui: &Ui) {
        let Some(id) = self.preferences.capturing else { return };
        let mut pressed = None;
        ui.input_mut(|input| {
            input.events.retain(|event| match event {
                Event::Key { key, pressed: true, modifiers, .. } => {
                    pressed = Some((*key, *modifiers));
                    false
                }
                _ => true,
            });
        });
        let Some((key, modifiers)) = pressed else { return };
        self.preferences.capturing = None;
        if matches!(key, Key::Backspace | Key::Delete) && modifiers.is_none() {
            self.change_bindings(|chosen| chosen.give(id, None));
            return;
        }
        let Some(keys) = bindings::pressed(key, modifiers) else {
            self.preferences.told = format!("{} is needed by the views and dialogs themselves.", key.name());
            return;
        };
        let other = Bindings::new(&self.settings.get().bindings).command_of(keys).filter(|other| *other != id);
        self.preferences.told = other.map_or_else(String::new, |other| {
            let keys = keys.format(&egui::ModifierNames::NAMES, false);
            format!("{keys} was \u{201c}{}\u{201d}, which has no keys now.", entry(other).text)
        });
        self.change_bindings(|chosen| chosen.give(id, Some(keys)));
    }

    /// Changes keys and buttons; they hold at once.
    pub(in crate::app) fn change_bindings(&mut self, change: impl FnOnce(&mut Chosen)) {
        let mut chosen = self.settings.get().bindings.clone();
        change(&mut chosen);
        if chosen != self.settings.get().bindings {
            self.change_settings(|kept| kept.bindings = chosen);
            self.install_bindings();
        }
    }
}

/// A choice among a few, with its label; what was chosen anew.
fn choice_ui<T: Copy + PartialEq>(ui: &mut Ui, name: &str, now: T, choices: &[(T, &str)]) -> Option<T> {
    ui.label(RichText::new(name).color(theme::WEAK));
    let words = choices.iter().find(|(choice, _)| *choice == now).map_or("", |(_, words)| *words);
    let mut chosen = None;
    let list = ComboBox::from_id_salt(name).width(170.0).selected_text(words).show_ui(ui, |ui| {
        for (choice, words) in choices {
            if ui.selectable_label(*choice == now, *words).clicked() {
                chosen = Some(*choice);
            }
        }
    });
    list.response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::ComboBox, true, format!("{name}: {words}")));
    chosen.filter(|chosen| *chosen != now)
}
