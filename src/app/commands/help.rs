//! Commands that help.

use egui::Key;

use super::Menu::Help;
use super::Needs::Nothing;
use super::entry::{CTRL, Entry, PLAIN, row};
use super::id::CommandId as C;

/// In the order of the menu.
pub(super) const ROWS: &[Entry] = &[
    row(C::Palette, Help, "Search commands\u{2026}", "Every command by name.", Nothing).keys(CTRL, Key::K),
    row(C::Shortcuts, Help, "Keys and mouse", "All shortcuts.", Nothing).keys(PLAIN, Key::F1),
    row(C::About, Help, "About Maquette", "Version, intended use, licences.", Nothing).line(),
];
