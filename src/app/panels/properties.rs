//! Properties of what is selected, and nothing else.

use std::sync::OnceLock;

use egui::{Button, Frame, Margin, Panel, RichText, ScrollArea, TextEdit, Ui, Vec2};

use crate::app::MaquetteApp;
use crate::app::commands::{CommandId, Situation};
use crate::app::numbers;
use crate::app::selection::Selected;
use crate::app::theme;
use crate::app::widgets::field::{bare_slider, fact_row, field_row, hint, segmented, wide_button};
use crate::domain::measure::{Reading, SampleStatistics};
use crate::domain::segmentation::{Code, SegmentId, SegmentState};
use crate::domain::volume::Quantity;
use crate::session::command::Command;
use crate::session::measurement::MeasurementId;
use crate::session::mesh_object::{MeshFigures, MeshId, MeshStatus, MeshStep};

/// A row of `assets/segment-codes.tsv`.
struct CodeRow {
    code: Code,
    /// Meaning with its side, for the list.
    words: String,
    color: [u8; 3],
}

fn codes() -> &'static [CodeRow] {
    static CODES: OnceLock<Vec<CodeRow>> = OnceLock::new();
    CODES.get_or_init(|| {
        let text = include_str!("../../../assets/segment-codes.tsv");
        text.lines().skip(2).filter_map(code_row).collect()
    })
}

fn code_row(line: &str) -> Option<CodeRow> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [_, _, _, scheme, value, meaning, _, side, rgb] = fields[..] else { return None };
    let mut parts = rgb.trim().split(',').filter_map(|part| part.parse::<u8>().ok());
    let color = [parts.next()?, parts.next()?, parts.next()?];
    let words = if side.is_empty() { meaning.to_owned() } else { format!("{meaning}, {}", side.to_lowercase()) };
    let code = Code { scheme: scheme.to_owned(), value: value.to_owned(), meaning: words.clone() };
    Some(CodeRow { code, words, color })
}

impl MaquetteApp {
    /// The panel at the right: the objects above, the properties below.
    pub(in crate::app) fn right_side_ui(&mut self, ui: &mut Ui, now: Situation) {
        let bare = Frame::new().fill(theme::PANEL);
        // The two parts fill themselves: one layer less for a software driver.
        let outer = Frame::new();
        Panel::right("objects panel").exact_size(theme::OBJECTS).resizable(false).frame(outer).show(ui, |ui| {
            let height = (ui.available_height() * 0.46).max(260.0);
            let frame = bare.inner_margin(Margin { left: 12, right: 12, top: 8, bottom: 8 });
            Panel::bottom("properties").exact_size(height).resizable(false).frame(frame).show(ui, |ui| {
                ScrollArea::vertical().id_salt("properties").auto_shrink([false, false]).show(ui, |ui| {
                    self.properties_ui(ui);
                });
            });
            egui::CentralPanel::no_frame().frame(bare).show(ui, |ui| self.objects_ui(ui, now));
        });
    }

    fn properties_ui(&mut self, ui: &mut Ui) {
        ui.spacing_mut().item_spacing.y = 6.0;
        let selected = self.selection.get(self.session.document());
        let Some(selected) = selected else {
            hint(ui, "Select an object to see what it is.");
            return;
        };
        let name = selected.name(self.session.document()).unwrap_or_default();
        ui.add_space(4.0);
        ui.add(
            egui::Label::new(RichText::new(name).font(theme::semibold(theme::SMALL_SIZE)).color(theme::WEAK))
                .truncate(),
        );
        match selected {
            Selected::Volume(id) => self.volume_properties_ui(ui, id),
            Selected::Segment(id) => self.segment_properties_ui(ui, id),
            Selected::Mesh(id) => self.mesh_properties_ui(ui, id),
            Selected::Measurement(id) => self.measurement_properties_ui(ui, id),
        }
    }

    fn segment_properties_ui(&mut self, ui: &mut Ui, id: SegmentId) {
        let Some(object) = self.session.document().segment(id) else { return };
        let info = object.segment.info.clone();
        let (revision, volume) = (object.mask_revision, object.volume);
        field_row(ui, "Code", |ui| self.code_ui(ui, id, info.code.as_ref()));
        field_row(ui, "Colour", |ui| {
            self.color_ui(ui, Selected::Segment(id), info.color, false);
        });
        field_row(ui, "Opacity", |ui| {
            // What is dragged becomes one step when the button is up.
            let pending = self.pending_opacity.filter(|(of, _)| *of == id).map(|(_, opacity)| opacity);
            let mut opacity = pending.unwrap_or_else(|| f64::from(info.opacity));
            let response = bare_slider(ui, "Opacity", &mut opacity, 0.0..=1.0, false);
            if response.changed() {
                self.pending_opacity = Some((id, opacity));
            }
            if !ui.input(|input| input.pointer.any_down())
                && let Some((segment, opacity)) = self.pending_opacity.take()
            {
                self.perform(Command::SetSegmentOpacity { segment, opacity: opacity as f32 });
            }
        });
        field_row(ui, "Outline", |ui| {
            let mut outline = info.outline;
            let widths = [(0.0, "None"), (0.6, "Thin"), (1.0, "Usual"), (2.0, "Wide")];
            if segmented(ui, &mut outline, &widths) {
                self.perform(Command::SetSegmentOutline { segment: id, outline });
            }
        });
        field_row(ui, "State", |ui| {
            let mut state = info.state;
            let states =
                [(SegmentState::ToDo, "To do"), (SegmentState::InWork, "In work"), (SegmentState::Done, "Done")];
            if segmented(ui, &mut state, &states) {
                self.perform(Command::SetSegmentState { segment: id, state });
            }
        });
        ui.add_space(4.0);
        ui.spacing_mut().item_spacing.y = 1.0;
        let quantity =
            self.session.document().volume(volume).map_or(Quantity::Arbitrary, |volume| volume.head.quantity);
        let ml = self.facts.volume_mm3(id).map_or_else(String::new, numbers::ml);
        fact_row(ui, "Volume", &ml, "Number of voxels times the volume of a voxel");
        let figures = self.facts.figures(id, revision);
        let mean = match figures.map(|figures| figures.samples) {
            None => "\u{2026}".to_owned(),
            Some(None) => "no voxels".to_owned(),
            Some(Some(samples)) => mean_sd(&samples),
        };
        let label = if quantity == Quantity::Hounsfield { "HU mean \u{b1} sd" } else { "Mean \u{b1} sd" };
        fact_row(ui, label, &mean, "Of all voxels of the segment; sd with n \u{2212} 1");
        let parts = figures.map_or_else(|| "\u{2026}".to_owned(), |figures| figures.parts.to_string());
        fact_row(ui, "Parts", &parts, "Connected pieces: voxels that share a face belong together");
        let made_by = if info.made_by.is_empty() { "nothing yet".to_owned() } else { info.made_by.join(", ") };
        fact_row(ui, "Made by", &made_by, &made_by);
    }

    fn code_ui(&mut self, ui: &mut Ui, segment: SegmentId, code: Option<&Code>) {
        let words = code.map_or("none", |code| code.meaning.as_str());
        let button = Button::new(words).truncate().min_size(Vec2::new(ui.available_width(), theme::ROW));
        let response =
            ui.add(button).accessible_name("Code").on_hover_text("What the segment is, from a standard table");
        let popup = egui::Popup::menu(&response).close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
        popup.show(|ui| {
            ui.set_width(300.0);
            let field =
                TextEdit::singleline(&mut self.code_query).hint_text("Search codes").desired_width(f32::INFINITY);
            ui.add(field).accessible_name("Search codes");
            let wanted = self.code_query.to_lowercase();
            let found: Vec<&CodeRow> =
                codes().iter().filter(|row| row.words.to_lowercase().contains(&wanted)).collect();
            ScrollArea::vertical().max_height(280.0).show_rows(ui, theme::ROW, found.len(), |ui, rows| {
                for row in &found[rows] {
                    let scheme = RichText::new(&row.code.scheme).small().color(theme::WEAK);
                    let button = Button::new(&row.words).truncate().right_text(scheme).frame_when_inactive(false);
                    if ui.add(button.min_size(Vec2::new(ui.available_width(), theme::ROW))).clicked() {
                        let code = Command::SetSegmentCode { segment, code: Some(row.code.clone()) };
                        let color = Command::RecolorSegment { segment, color: row.color };
                        self.perform(Command::Together { commands: vec![code, color] });
                        ui.close();
                    }
                }
            });
        });
    }

    fn mesh_properties_ui(&mut self, ui: &mut Ui, id: MeshId) {
        let document = self.session.document();
        let Some(mesh) = document.mesh(id) else { return };
        let (color, status) = (mesh.color, document.mesh_status(mesh));
        let steps: Vec<String> = mesh.steps.iter().map(MeshStep::describe).collect();
        let built = mesh.built.as_ref().map(|built| (built.triangles.triangles.len(), built.figures));
        if status == MeshStatus::OutOfDate {
            ui.label(RichText::new("Out of date: its source was changed after it was made.").color(theme::WARN));
            if wide_button(ui, "Rebuild").clicked() {
                self.ask(CommandId::RebuildMesh);
            }
        } else if status == MeshStatus::SourceGone {
            ui.label(RichText::new("Its source was removed; it cannot be rebuilt.").color(theme::WARN));
        }
        field_row(ui, "Colour", |ui| {
            self.color_ui(ui, Selected::Mesh(id), color, false);
        });
        ui.spacing_mut().item_spacing.y = 1.0;
        match built {
            None => hint(ui, "The triangles are being built."),
            Some((triangles, figures)) => mesh_facts_ui(ui, triangles, &figures),
        }
        let steps = if steps.is_empty() { "none".to_owned() } else { steps.join(", ") };
        fact_row(ui, "Steps", &steps, &steps);
    }

    fn measurement_properties_ui(&mut self, ui: &mut Ui, id: MeasurementId) {
        let document = self.session.document();
        let Some(object) = document.measurement(id) else { return };
        let quantity = document.volume(object.volume).map_or(Quantity::Arbitrary, |volume| volume.head.quantity);
        ui.spacing_mut().item_spacing.y = 1.0;
        match self.facts.reading(id) {
            Some(Reading::Distance { length_mm }) => {
                fact_row(ui, "Length", &numbers::mm(length_mm), "Straight line between the two ends");
            }
            Some(Reading::Angle { degrees }) => {
                let words = degrees.map_or_else(
                    || "a leg has no length".to_owned(),
                    |degrees| format!("{}\u{b0}", numbers::decimal(degrees, 1)),
                );
                fact_row(ui, "Angle", &words, "Between the two legs, 0 to 180 degrees");
            }
            Some(Reading::Region { area_mm2, samples }) => {
                fact_row(ui, "Area", &numbers::area(area_mm2), "Of the ellipse itself, not of its voxels");
                let Some(samples) = samples else {
                    hint(ui, "No voxel centre lies inside.");
                    return;
                };
                let whole = |value| numbers::value(value, quantity);
                fact_row(
                    ui,
                    "Mean \u{b1} sd",
                    &mean_sd(&samples),
                    "Of voxels whose centre lies inside; sd with n \u{2212} 1",
                );
                fact_row(ui, "Smallest", &whole(samples.min), "");
                fact_row(ui, "Largest", &whole(samples.max), "");
                fact_row(ui, "Voxels", &samples.count.to_string(), "");
            }
            None => hint(ui, "Not measured yet."),
        }
    }
}

fn mean_sd(samples: &SampleStatistics) -> String {
    format!("{} \u{b1} {}", numbers::decimal(samples.mean, 0), numbers::decimal(samples.sd, 0))
}

fn mesh_facts_ui(ui: &mut Ui, triangles: usize, figures: &MeshFigures) {
    fact_row(ui, "Triangles", &numbers::decimal(triangles as f64, 0), "");
    fact_row(ui, "Volume", &numbers::ml(figures.volume_mm3), "Enclosed by the surface");
    let change = (figures.source_volume_mm3 > 0.0)
        .then(|| (figures.volume_mm3 / figures.source_volume_mm3 - 1.0) * 100.0)
        .map_or_else(String::new, |percent| format!("{} %", numbers::decimal(percent, 2)));
    fact_row(ui, "Change", &change, "Of the volume, by smoothing");
    fact_row(ui, "Surface", &numbers::cm2(figures.area_mm2), "");
    let deviation = format!("{} mm", numbers::decimal(figures.largest_deviation_mm(), 2));
    fact_row(ui, "Deviation", &deviation, "Largest distance that smoothing moved the surface");
    let rms = format!("{} mm", numbers::decimal(figures.rms_deviation_mm(), 2));
    fact_row(ui, "RMS", &rms, "Root mean square of that distance");
    fact_row(ui, "Closed", if figures.is_closed() { "yes" } else { "no: it cannot be printed as it is" }, "");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_table_is_read() {
        assert!(codes().len() > 200, "{}", codes().len());
        let aorta = codes().iter().find(|row| row.words == "Aorta").expect("Aorta");
        assert_eq!(
            (aorta.code.scheme.as_str(), aorta.code.value.as_str(), aorta.color),
            ("SCT", "15825003", [224, 97, 76])
        );
        assert!(codes().iter().any(|row| row.words == "Adrenal gland, left"));
    }
}
