//! One row of the table of commands, and the words that rows are written with.

use egui::{Key, KeyboardShortcut, Modifiers};
use egui_material_icons::MaterialIcon;

use super::id::CommandId;
use super::{Menu, Needs};

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Identity.
    pub id: CommandId,
    /// Text of the menu item; also the accessible name of its buttons.
    pub text: &'static str,
    /// One line of help.
    pub help: &'static str,
    /// Default keys.
    pub keys: Option<KeyboardShortcut>,
    /// Icon, for tools.
    pub icon: Option<MaterialIcon>,
    /// Where it stands.
    pub menu: Menu,
    /// When it can run.
    pub needs: Needs,
    /// Whether a line is drawn above it in its menu.
    pub line_above: bool,
}

pub(super) const CTRL: Modifiers = Modifiers::COMMAND;
pub(super) const CTRL_SHIFT: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);
pub(super) const SHIFT: Modifiers = Modifiers::SHIFT;
pub(super) const PLAIN: Modifiers = Modifiers::NONE;

pub(super) const fn row(id: CommandId, menu: Menu, text: &'static str, help: &'static str, needs: Needs) -> Entry {
    Entry { id, text, help, keys: None, icon: None, menu, needs, line_above: false }
}

impl Entry {
    pub(super) const fn keys(self, modifiers: Modifiers, key: Key) -> Self {
        Self { keys: Some(KeyboardShortcut::new(modifiers, key)), ..self }
    }

    pub(super) const fn line(self) -> Self {
        Self { line_above: true, ..self }
    }

    pub(super) const fn icon(self, icon: MaterialIcon) -> Self {
        Self { icon: Some(icon), ..self }
    }

    /// The keys that it has in this window, in words, e.g. "Ctrl+Shift+Z"; empty when it has none.
    pub fn keys_text(&self, ctx: &egui::Context) -> String {
        crate::app::bindings::of(ctx).keys_text(self.id)
    }
}
