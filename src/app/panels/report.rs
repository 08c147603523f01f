//! What the importer repaired or refused, and the tags of the files.

use std::path::PathBuf;

use egui::{RichText, ScrollArea, TextEdit, Ui};

use crate::app::MaquetteApp;
use crate::app::outcome::Outcome;
use crate::app::panels::Dialog;
use crate::app::theme;
use crate::app::widgets::field::hint;
use crate::ops::open::{self, TagRow};
use crate::session::document::{VolumeHead, VolumeId};
use crate::session::jobs::{JobError, Lane};

impl MaquetteApp {
    /// Draws the remarks of the importer on the active volume.
    pub(in crate::app) fn report_ui(&mut self, ui: &mut Ui) {
        let volume = self.session.view.active_volume.and_then(|id| self.session.document().volume(id));
        let Some(volume) = volume else { return };
        ui.label(RichText::new(&volume.head.name).color(theme::WEAK));
        ui.add_space(4.0);
        if volume.head.report.is_empty() {
            ui.label("The importer had nothing to repair and left nothing out.");
            return;
        }
        ScrollArea::vertical().max_height(420.0).auto_shrink([false, true]).show(ui, |ui| {
            for line in &volume.head.report {
                ui.horizontal_top(|ui| {
                    ui.label(theme::icon(egui_material_icons::icons::ICON_WARNING, 15.0).color(theme::WARN));
                    ui.add(egui::Label::new(crate::app::notices::sentence(line)).wrap());
                });
            }
        });
        let text = volume.head.report.join("\n");
        ui.add_space(8.0);
        if ui.button("Copy report").clicked() {
            ui.ctx().copy_text(text);
        }
    }

    /// Reads the tags of a file of the active volume, as a job, and shows them. Images of a reopened case are looked for again.
    pub(in crate::app) fn open_tags(&mut self) {
        self.dialog = Some(Dialog::Tags);
        let Some(id) = self.session.view.active_volume else { return };
        let Some(head) = self.session.document().volume(id).map(|volume| volume.head.clone()) else { return };
        if self.tags.shown == Some(id) && !self.tags.rows.is_empty() {
            return;
        }
        (self.tags.shown, self.tags.rows) = (Some(id), Vec::new());
        let known = self.tags.files.iter().find(|(volume, _)| *volume == id).map(|(_, file)| file.clone());
        let asked = self.work.submit(Lane::Background, "tags", "Reading tags", move |progress| {
            let file = match known {
                Some(file) => file,
                None => crate::session::case::middle_file(&head, progress).map_err(JobError::Failed)?,
            };
            progress.check()?;
            let rows = open::tags(&file).map_err(|error| JobError::Failed(error.to_string()))?;
            Ok(Outcome::Tags(id, rows))
        });
        if let Err(error) = asked {
            self.notices.error("No tags", &error);
        }
    }

    /// Draws the tags.
    pub(in crate::app) fn tags_ui(&mut self, ui: &mut Ui) {
        hint(ui, "Of the middle file of the series. Holds patient identity: it is shown here and goes nowhere.");
        let field = TextEdit::singleline(&mut self.tags.query).hint_text("Search tags").desired_width(f32::INFINITY);
        ui.add(field).accessible_name("Search tags");
        let wanted = self.tags.query.to_lowercase();
        let fits = |row: &&TagRow| {
            let has = |text: &str| text.to_lowercase().contains(&wanted);
            has(&row.tag) || has(&row.name) || has(&row.value)
        };
        let found: Vec<&TagRow> = self.tags.rows.iter().filter(fits).collect();
        ui.add_space(4.0);
        ScrollArea::vertical().max_height(520.0).auto_shrink([false, true]).show_rows(
            ui,
            20.0,
            found.len(),
            |ui, rows| {
                for row in &found[rows] {
                    tag_ui(ui, row);
                }
            },
        );
    }
}

/// Whether the files of a volume can have tags; the built-in sample and research formats have none.
pub fn may_have_tags(head: &VolumeHead) -> bool {
    !head.source.path.as_os_str().is_empty() && !head.info.series_uid.is_empty()
}

/// The tags of one file of a volume, and which file that is where it is known.
#[derive(Default)]
pub struct TagList {
    files: Vec<(VolumeId, PathBuf)>,
    shown: Option<VolumeId>,
    rows: Vec<TagRow>,
    query: String,
}

impl TagList {
    /// Takes note of a file of a volume.
    pub fn know(&mut self, volume: VolumeId, file: Option<PathBuf>) {
        self.files.extend(file.map(|file| (volume, file)));
    }

    /// Takes what was read.
    pub fn take(&mut self, volume: VolumeId, rows: Vec<TagRow>) {
        if self.shown == Some(volume) {
            self.rows = rows;
        }
    }
}

fn tag_ui(ui: &mut Ui, row: &TagRow) {
    ui.horizontal(|ui| {
        ui.set_min_height(20.0);
        ui.add_space(row.depth as f32 * 12.0);
        for (text, width, color) in
            [(&row.tag, 88.0, theme::WEAK), (&row.name, 240.0, theme::TEXT), (&row.vr, 28.0, theme::WEAK)]
        {
            let layout = egui::Layout::left_to_right(egui::Align::Center);
            ui.allocate_ui_with_layout(egui::Vec2::new(width, 20.0), layout, |ui| {
                ui.set_min_width(width);
                ui.add(egui::Label::new(RichText::new(text).small().color(color)).truncate());
            });
        }
        ui.add(egui::Label::new(RichText::new(&row.value).small()).truncate());
    });
}
