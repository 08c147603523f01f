//! The objects tree: volumes, segments, meshes, measurements. Eye, swatch, name, lock, state in one row each.

use egui::{Key, Rect, RichText, ScrollArea, TextEdit, Ui, Vec2};
use egui_material_icons::icons;

use crate::app::MaquetteApp;
use crate::app::commands::{CommandId, Situation, entry};
use crate::app::numbers;
use crate::app::panels::top_bar::menu_item;
use crate::app::selection::Selected;
use crate::app::theme;
use crate::app::widgets::field::icon_button;
use crate::app::widgets::row::{Row, RowResponse, tree_row};
use crate::domain::segmentation::{SegmentId, SegmentState};
use crate::session::command::Command;
use crate::session::document::VolumeId;
use crate::session::mesh_object::MeshStatus;

/// What one row of the tree shows, copied out of the document so that the row may ask for changes.
struct Line {
    object: Selected,
    name: String,
    visible: Option<bool>,
    color: Option<[u8; 3]>,
    locked: Option<bool>,
    trailing: String,
    warning: bool,
}

impl MaquetteApp {
    /// Draws the tree.
    pub(in crate::app) fn objects_ui(&mut self, ui: &mut Ui, now: Situation) {
        ScrollArea::vertical().id_salt("objects").auto_shrink([false, false]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            ui.add_space(8.0);
            let volumes = self.volume_lines();
            section(ui, "Volumes", |ui| {
                ui.add_space(4.0);
                ui.label(RichText::new(volumes.len().to_string()).color(theme::WEAK));
            });
            self.lines_ui(ui, "volume", &volumes, now);
            let mut add = None;
            section(ui, "Segments", |ui| {
                let clicked =
                    icon_button(ui, icons::ICON_ADD, "New segment", entry(CommandId::AddSegment).help).clicked();
                add = clicked.then_some(CommandId::AddSegment);
            });
            let segments = self.segment_lines();
            self.lines_ui(ui, "segment", &segments, now);
            section(ui, "Meshes", |ui| {
                let button = icon_button(ui, icons::ICON_ADD, "New mesh", entry(CommandId::MakeMesh).help);
                add = add.or(button.clicked().then_some(CommandId::MakeMesh));
            });
            let meshes = self.mesh_lines();
            self.lines_ui(ui, "mesh", &meshes, now);
            let measurements = self.measurement_lines();
            section(ui, "Measurements", |_| {});
            self.lines_ui(ui, "measurement", &measurements, now);
            ui.add_space(8.0);
            if let Some(id) = add {
                self.ask(id);
            }
        });
    }

    fn volume_lines(&self) -> Vec<Line> {
        let line = |volume: &crate::session::document::VolumeObject| {
            let [ni, nj, nk] = volume.head.grid.dims();
            Line {
                object: Selected::Volume(volume.id),
                name: volume.head.name.clone(),
                visible: None,
                color: None,
                locked: None,
                trailing: format!("{ni}\u{d7}{nj}\u{d7}{nk}"),
                warning: !volume.head.report.is_empty(),
            }
        };
        self.session.document().volumes().iter().map(line).collect()
    }

    fn segment_lines(&mut self) -> Vec<Line> {
        let document = self.session.document();
        let facts = &self.facts;
        let line = |object: &crate::session::document::SegmentObject| {
            let info = &object.segment.info;
            Line {
                object: Selected::Segment(object.id()),
                name: info.name.clone(),
                visible: Some(info.visible),
                color: Some(info.color),
                locked: Some(info.locked),
                trailing: facts.volume_mm3(object.id()).map_or_else(String::new, numbers::ml),
                warning: false,
            }
        };
        document.segments().iter().map(line).collect()
    }

    fn mesh_lines(&self) -> Vec<Line> {
        let document = self.session.document();
        let line = |mesh: &crate::session::mesh_object::MeshObject| {
            let status = document.mesh_status(mesh);
            let trailing = match (&mesh.built, status) {
                (None, _) => "building".to_owned(),
                (Some(_), MeshStatus::UpToDate) if mesh.steps.is_empty() && mesh.is_imported() => {
                    "from a file".to_owned()
                }
                (Some(built), MeshStatus::UpToDate) => deviation_words(built.figures.largest_deviation_mm()),
                (Some(_), stale) => stale.words().to_owned(),
            };
            Line {
                object: Selected::Mesh(mesh.id),
                name: mesh.name.clone(),
                visible: Some(mesh.visible),
                color: Some(mesh.color),
                locked: None,
                trailing,
                warning: status != MeshStatus::UpToDate,
            }
        };
        document.meshes().iter().map(line).collect()
    }

    fn measurement_lines(&mut self) -> Vec<Line> {
        let document = self.session.document();
        let facts = &self.facts;
        let line = |object: &crate::session::measurement::MeasurementObject| Line {
            object: Selected::Measurement(object.id),
            name: object.name.clone(),
            visible: Some(object.visible),
            color: None,
            locked: None,
            trailing: facts.measurement_words(object, document),
            warning: false,
        };
        document.measurements().iter().map(line).collect()
    }

    fn lines_ui(&mut self, ui: &mut Ui, kind: &str, lines: &[Line], now: Situation) {
        let chosen = self.selection.all(self.session.document());
        let list: Vec<Selected> = lines.iter().map(|line| line.object).collect();
        for line in lines {
            let row = Row {
                name: &line.name,
                kind,
                visible: line.visible,
                color: line.color,
                locked: line.locked,
                trailing: &line.trailing,
                trailing_color: if line.warning { theme::WARN } else { theme::WEAK },
                selected: chosen.contains(&line.object),
            };
            let response = tree_row(ui, line.object, &row);
            self.row_actions(ui, line, &list, &response, now);
            let typing = self.selection.renaming.as_ref().is_some_and(|(object, _)| *object == line.object);
            if typing {
                self.rename_ui(ui, response.name_rect);
            }
        }
    }

    fn row_actions(&mut self, ui: &Ui, line: &Line, list: &[Selected], response: &RowResponse, now: Situation) {
        let object = line.object;
        let all = self.selection.all(self.session.document());
        if response.eye {
            // The eye of one of several selected objects is the eye of all.
            let meant = if all.contains(&object) { all.clone() } else { vec![object] };
            let visible = !line.visible.unwrap_or(true);
            self.perform_on_all(meant.into_iter().filter_map(|object| object.show(visible)));
        }
        if response.lock
            && let Selected::Segment(segment) = object
        {
            self.perform(Command::LockSegment { segment, locked: !line.locked.unwrap_or(false) });
        }
        let keys = ui.input(|input| input.modifiers);
        if response.row.clicked() && (keys.command || keys.ctrl) {
            self.selection.toggle(object, &mut self.session);
        } else if response.row.clicked() && keys.shift {
            self.selection.extend_to(object, list, self.session.document());
        } else if response.row.clicked() || (response.row.secondary_clicked() && !all.contains(&object)) {
            self.selection.choose(object, &mut self.session);
        }
        if let (Some(swatch), Some(color)) = (&response.swatch, line.color) {
            self.swatch_ui(swatch, object, color);
        }
        if response.row.double_clicked() {
            self.selection.rename(object, self.session.document());
        }
        if let Selected::Segment(segment) = object {
            response.row.dnd_set_drag_payload(segment);
            if let Some(moved) = response.row.dnd_release_payload::<SegmentId>() {
                self.reorder(*moved, segment);
            }
            if response.row.dnd_hover_payload::<SegmentId>().is_some() {
                let rect = response.row.rect;
                ui.painter().hline(rect.x_range(), rect.top(), egui::Stroke::new(2.0, theme::ACCENT));
            }
        }
        response.row.context_menu(|ui| self.row_menu_ui(ui, object, now));
    }

    fn row_menu_ui(&mut self, ui: &mut Ui, object: Selected, now: Situation) {
        ui.set_width(240.0);
        let ids: &[CommandId] = match object {
            Selected::Volume(_) => &[
                CommandId::RenameSelected,
                CommandId::ShowReport,
                CommandId::ShowTags,
                CommandId::AddSegment,
                CommandId::MakeIsoMesh,
            ],
            Selected::Segment(_) => &[
                CommandId::RenameSelected,
                CommandId::DuplicateSegment,
                CommandId::ToggleLock,
                CommandId::MoveUp,
                CommandId::MoveDown,
                CommandId::MakeMesh,
                CommandId::DeleteSelected,
            ],
            Selected::Mesh(_) => {
                &[CommandId::RenameSelected, CommandId::RebuildMesh, CommandId::ExportMeshes, CommandId::DeleteSelected]
            }
            Selected::Measurement(_) => &[CommandId::RenameSelected, CommandId::DeleteSelected],
        };
        for id in ids {
            if menu_item(ui, entry(*id), None, now).clicked() {
                if !self.selection.all(self.session.document()).contains(&object) {
                    self.selection.choose(object, &mut self.session);
                }
                self.ask(*id);
                ui.close();
            }
        }
        if let Selected::Volume(volume) = object {
            self.beside_menu_ui(ui, volume);
        }
        if let Selected::Segment(segment) = object {
            ui.separator();
            for (state, words) in
                [(SegmentState::ToDo, "To do"), (SegmentState::InWork, "In work"), (SegmentState::Done, "Done")]
            {
                if ui.button(words).clicked() {
                    self.perform(Command::SetSegmentState { segment, state });
                    ui.close();
                }
            }
        }
    }

    /// The other volumes of the case, to be shown beside this one.
    fn beside_menu_ui(&mut self, ui: &mut Ui, volume: VolumeId) {
        let others = self.session.document().volumes().iter().filter(|other| other.id != volume);
        let others: Vec<(VolumeId, String)> = others.map(|other| (other.id, other.head.name.clone())).collect();
        if others.is_empty() {
            return;
        }
        ui.separator();
        for (other, name) in others {
            if ui.button(format!("Show beside {name}")).clicked() {
                self.show_beside(&[other, volume]);
                ui.close();
            }
        }
    }

    /// The swatch opens a palette; the colour is taken when the button is up, so that a drag in it is one step.
    fn swatch_ui(&mut self, swatch: &egui::Response, object: Selected, color: [u8; 3]) {
        let popup = egui::Popup::menu(swatch).close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
        popup.show(|ui| {
            ui.spacing_mut().slider_width = 220.0;
            self.color_ui(ui, object, color, true);
        });
    }

    /// A colour to be chosen, in full (`open`) or as a button. What is chosen becomes one step when the button is up.
    pub(in crate::app) fn color_ui(&mut self, ui: &mut Ui, object: Selected, color: [u8; 3], open: bool) {
        let pending = self.pending_color.filter(|(of, _)| *of == object).map(|(_, color)| color);
        let mut shown = pending.unwrap_or(color);
        let changed = if open {
            let mut color = egui::Color32::from_rgb(shown[0], shown[1], shown[2]);
            let changed = egui::color_picker::color_picker_color32(ui, &mut color, egui::color_picker::Alpha::Opaque);
            shown = [color.r(), color.g(), color.b()];
            changed
        } else {
            ui.color_edit_button_srgb(&mut shown).changed()
        };
        if changed {
            self.pending_color = Some((object, shown));
        }
    }

    /// Takes a colour that was chosen, once the button is up.
    pub(in crate::app) fn take_color(&mut self, ctx: &egui::Context) {
        if ctx.input(|input| input.pointer.any_down()) {
            return;
        }
        let Some((object, color)) = self.pending_color.take() else { return };
        match object {
            Selected::Segment(segment) => self.perform(Command::RecolorSegment { segment, color }),
            Selected::Mesh(mesh) => self.perform(Command::RecolorMesh { mesh, color }),
            Selected::Volume(_) | Selected::Measurement(_) => {}
        }
    }

    fn reorder(&mut self, moved: SegmentId, onto: SegmentId) {
        let place = self.session.document().segments().iter().position(|object| object.id() == onto);
        if let Some(index) = place.filter(|_| moved != onto) {
            self.perform(Command::ReorderSegment { segment: moved, index });
        }
    }

    fn rename_ui(&mut self, ui: &mut Ui, area: Rect) {
        let Some((object, mut text)) = self.selection.renaming.take() else { return };
        let field = TextEdit::singleline(&mut text).margin(Vec2::new(4.0, 2.0));
        let response = ui.put(area, field).accessible_name("New name");
        if !response.has_focus() && !response.lost_focus() {
            response.request_focus();
        }
        if !response.lost_focus() {
            self.selection.renaming = Some((object, text));
            return;
        }
        let given_up = ui.input(|input| input.key_pressed(Key::Escape));
        let same = object.name(self.session.document()) == Some(text.trim());
        if !given_up && !same && !text.trim().is_empty() {
            self.perform(object.rename(text.trim().to_owned()));
        }
    }
}

/// How far smoothing moved the surface, for the row of a mesh.
pub(in crate::app) fn deviation_words(largest_mm: f64) -> String {
    if largest_mm > 0.0 { format!("\u{b1}{} mm", numbers::decimal(largest_mm, 2)) } else { "unsmoothed".to_owned() }
}

fn section(ui: &mut Ui, title: &str, add: impl FnOnce(&mut Ui)) {
    ui.add_space(2.0);
    ui.horizontal(|ui| {
        ui.set_min_height(26.0);
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.add_space(12.0);
        ui.label(RichText::new(title).color(theme::WEAK));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.add_space(8.0);
            add(ui);
        });
    });
}
