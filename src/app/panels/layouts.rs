//! Layouts under names: the arrangement of the views as it is now is saved, a saved one is taken again.

use egui::{Key, TextEdit, Ui, Vec2};
use egui_material_icons::icons;

use crate::app::MaquetteApp;
use crate::app::theme;
use crate::app::viewports::layout::Arrangement;
use crate::app::widgets::field::{heading, hint, icon_button};
use crate::session::view::tiling::NamedLayout;

impl MaquetteApp {
    /// Draws the list of layouts.
    pub(in crate::app) fn layouts_ui(&mut self, ui: &mut Ui) {
        hint(
            ui,
            "Drag a view by the bar in its upper right corner, or the lines between views, then save it by a name.",
        );
        ui.horizontal(|ui| {
            let width = ui.available_width() - 70.0;
            let field =
                TextEdit::singleline(&mut self.layout_name).hint_text("Name of the layout").desired_width(width);
            let field = ui.add(field).accessible_name("Name of the layout");
            let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            let name = self.layout_name.trim().to_owned();
            let save = ui.add_enabled(!name.is_empty(), egui::Button::new("Save"));
            if !name.is_empty() && (save.clicked() || entered) {
                self.save_layout(name);
            }
        });
        heading(ui, "Saved");
        if self.settings.get().layouts.is_empty() {
            hint(ui, "None yet. The arrangement of a case is kept with the case anyway.");
        }
        let mut removed = None;
        for layout in self.settings.get().layouts.clone() {
            ui.horizontal(|ui| {
                let size = Vec2::new(ui.available_width() - 32.0, theme::ROW);
                if ui.add(egui::Button::new(&layout.name).min_size(size)).clicked() {
                    self.use_layout(&layout);
                }
                if icon_button(ui, icons::ICON_CLOSE, &format!("Remove {}", layout.name), "").clicked() {
                    removed = Some(layout.name.clone());
                }
            });
        }
        if let Some(name) = removed {
            self.change_settings(|kept| kept.layouts.retain(|layout| layout.name != name));
        }
    }

    /// Keeps the present arrangement under a name; one of the same name goes.
    fn save_layout(&mut self, name: String) {
        let view = &self.session.view;
        let layout = NamedLayout { name, arrangement: view.layout.clone(), tiling: view.tiling.clone() };
        self.layout_name.clear();
        self.change_settings(|kept| {
            kept.layouts.retain(|other| other.name != layout.name);
            kept.layouts.push(layout);
        });
    }

    /// Puts the views as a saved layout says.
    pub(in crate::app) fn use_layout(&mut self, layout: &NamedLayout) {
        let arrangement = Arrangement::of_name(&layout.arrangement);
        self.run_command(crate::app::commands::CommandId::Arrange(arrangement));
        let view = &mut self.session.view;
        // Two series may be asked for where the case has one: then the views stay as they are.
        if Arrangement::of_name(&view.layout) == arrangement {
            view.tiling.clone_from(&layout.tiling);
            self.dialog = None;
        }
    }

    /// Changes what the user has set; what cannot be written is told.
    pub(in crate::app) fn change_settings(&mut self, change: impl FnOnce(&mut crate::app::settings::Kept)) {
        if let Err(error) = self.settings.change(change) {
            self.notices.error("The settings were not kept", &error);
        }
    }
}
