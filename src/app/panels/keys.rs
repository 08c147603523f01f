//! The key list: every command with its keys, and what the mouse does; a view of the table.

use egui::{Grid, RichText, ScrollArea, Ui};

use crate::app::bindings;
use crate::app::bindings::mouse::{Drag, Wheel};
use crate::app::commands::{Menu, TABLE};
use crate::app::theme;

use super::top_bar::MENUS;

/// Gestures that no set changes: what, does.
const GESTURES: &[(&str, &str)] = &[
    ("Left in 3D", "turns around the point under the pointer"),
    ("Wheel in 3D", "zooms"),
    ("Ctrl+left", "turns the tool round: erases while painting"),
    ("Shift+move", "moves the crosshair"),
    ("Drag a line of another plane", "moves that plane; dragged by its end, the plane turns"),
    ("Shift+click in 3D", "brings all slices to the surface"),
    ("Double-click", "maximises a view"),
    ("Up, Down, Page Up, Page Down", "step slices"),
    ("Esc", "gives up a gesture and restores what was there"),
];

/// Draws the list.
pub(in crate::app) fn keys_ui(ui: &mut Ui) {
    let bindings = bindings::of(ui.ctx());
    ScrollArea::vertical().max_height(560.0).auto_shrink([false, true]).show(ui, |ui| {
        for (menu, title) in [(Menu::Tool, "Tools and windows")].into_iter().chain(MENUS) {
            group_ui(ui, title, |ui| {
                for entry in TABLE.iter().filter(|entry| entry.menu == menu && bindings.keys(entry.id).is_some()) {
                    row_ui(ui, &bindings.keys_text(entry.id), entry.text, entry.help);
                }
            });
        }
        group_ui(ui, "Mouse", |ui| {
            for drag in Drag::ALL {
                row_ui(ui, drag.name(), bindings.mouse.drag(drag).name(), "");
            }
            for wheel in Wheel::ALL {
                row_ui(ui, wheel.name(), bindings.mouse.wheel(wheel).name(), "");
            }
            for (gesture, does) in GESTURES {
                row_ui(ui, gesture, does, "");
            }
        });
    });
}

fn group_ui(ui: &mut Ui, title: &str, rows: impl FnOnce(&mut Ui)) {
    ui.add_space(8.0);
    ui.label(RichText::new(title).font(theme::semibold(theme::BODY_SIZE)));
    Grid::new(title).num_columns(3).min_col_width(120.0).spacing([16.0, 4.0]).show(ui, rows);
}

fn row_ui(ui: &mut Ui, keys: &str, name: &str, help: &str) {
    ui.label(RichText::new(keys).color(theme::ACCENT));
    ui.label(name);
    ui.label(RichText::new(help).color(theme::WEAK));
    ui.end_row();
}
