//! The options of the active tool, most used first; the mesh panel in the mesh stage; the history below.

use egui::{Button, Frame, Margin, Panel, RichText, ScrollArea, Ui, Vec2};

use crate::app::MaquetteApp;
use crate::app::commands::CommandId;
use crate::app::stage::Stage;
use crate::app::theme;
use crate::app::widgets::field::{
    Number, bare_slider, check, field_row, heading, hint, number_field, primary_button, segmented, wide_button,
};
use crate::app::widgets::histogram::histogram;
use crate::domain::threshold_preset;
use crate::domain::volume::Quantity;
use crate::session::command::{Combine, MaskEdit};
use crate::tools::options::{BrushForm, IslandClick, ToolKind, ToolOptions};

impl MaquetteApp {
    /// Draws the panel.
    pub(in crate::app) fn options_ui(&mut self, ui: &mut Ui) {
        let frame = Frame::new().fill(theme::PANEL).inner_margin(Margin::symmetric(12, 8));
        Panel::left("options").exact_size(theme::OPTIONS).resizable(false).frame(frame).show(ui, |ui| {
            let history_height = (ui.available_height() * 0.34).clamp(120.0, 320.0);
            let top = ui.available_height() - history_height;
            ui.allocate_ui(Vec2::new(ui.available_width(), top), |ui| {
                ScrollArea::vertical().id_salt("options").auto_shrink([false, false]).show(ui, |ui| {
                    ui.spacing_mut().item_spacing.y = 6.0;
                    self.active_options_ui(ui);
                });
            });
            self.history_ui(ui);
        });
    }

    fn active_options_ui(&mut self, ui: &mut Ui) {
        let tool = self.tools.active();
        if self.stage == Stage::Mesh && tool == ToolKind::Navigate {
            self.mesh_options_ui(ui);
            return;
        }
        heading(ui, tool.name());
        if tool.edits_segment() {
            self.target_ui(ui);
        }
        match tool {
            ToolKind::Navigate => self.navigate_ui(ui),
            ToolKind::Threshold => self.threshold_ui(ui),
            ToolKind::Paint | ToolKind::Erase => self.brush_ui(ui),
            ToolKind::Scissors => self.scissors_ui(ui),
            ToolKind::Islands => self.islands_ui(ui),
            ToolKind::FillHoles => {
                if primary_button(ui, "Fill holes of the segment").clicked() {
                    self.edit_segment(MaskEdit::FillHoles);
                }
                hint(ui, "Fills every space that is enclosed by the segment on all sides.");
                self.rule_ui(ui);
            }
            ToolKind::Margin => self.margin_ui(ui),
            ToolKind::Distance => hint(ui, "Drag from one end to the other. Drag an end to move it."),
            ToolKind::Angle => {
                hint(ui, "Click the end of a leg, the vertex, the end of the other leg. Drag a point to move it.");
            }
            ToolKind::Ellipse => {
                hint(
                    ui,
                    "Drag a box around the region; Ctrl makes it a circle. Mean, sd, smallest, largest and area stand \
                     beside it and under Properties. Drag its middle or an axis to change it.",
                );
            }
        }
    }

    /// Which segment is changed, or that one will be made.
    fn target_ui(&mut self, ui: &mut Ui) {
        let target = self.active_segment().map(|object| (object.segment.info.name.clone(), object.segment.info.locked));
        let (words, color) = match target {
            Some((name, true)) => (format!("{name} is locked"), theme::WARN),
            Some((name, false)) => (format!("Changes {name}"), theme::WEAK),
            None => ("Makes a new segment".to_owned(), theme::WEAK),
        };
        ui.label(RichText::new(words).small().color(color));
    }

    fn navigate_ui(&mut self, ui: &mut Ui) {
        let [left, middle, right] = self.bindings.mouse.hints(ToolKind::Navigate);
        hint(
            ui,
            &format!(
                "Left: {left}; in 3D it turns the view. Middle: {middle}. Right, in every tool: {right}. Edit, Keys and buttons \
                 changes them."
            ),
        );
        if wide_button(ui, "Window presets\u{2026}").clicked() {
            self.ask(CommandId::WindowPresets);
        }
        if wide_button(ui, "3D presets\u{2026}").clicked() {
            self.ask(CommandId::VolumePresets);
        }
        self.volume_in_3d_ui(ui);
    }

    /// Whether and how faintly the ray-marched volume stands beside surfaces.
    pub(in crate::app) fn volume_in_3d_ui(&mut self, ui: &mut Ui) {
        ui.add_space(2.0);
        let mut shown = self.is_on(CommandId::ToggleVolume).unwrap_or(true);
        if check(ui, &mut shown, "Volume in 3D").changed() {
            self.ask(CommandId::ToggleVolume);
        }
        field_row(ui, "Faded to", |ui| {
            let mut opacity = f64::from(self.session.view.volume_opacity);
            if bare_slider(ui, "Opacity of the volume beside surfaces", &mut opacity, 0.0..=1.0, false).changed() {
                self.session.view.volume_opacity = opacity as f32;
            }
        });
        hint(ui, "Beside surfaces the volume is faded; alone it is not.");
    }

    fn threshold_ui(&mut self, ui: &mut Ui) {
        let unit = self.value_unit();
        let mut range = self.tools.options.threshold;
        field_row(ui, "Lowest", |ui| value_field(ui, "Lowest value", &mut range.0, unit));
        field_row(ui, "Highest", |ui| value_field(ui, "Highest value", &mut range.1, unit));
        self.histogram_ui(ui, "Histogram of values", &mut range);
        range.1 = range.1.max(range.0);
        self.tools.options.threshold = range;
        if unit == "HU" {
            self.threshold_presets_ui(ui);
        }
        let combine = &mut self.tools.options.threshold_combine;
        ui.horizontal(|ui| {
            let choices = [(Combine::Replace, "Replace"), (Combine::Add, "Add"), (Combine::Subtract, "Remove")];
            segmented(ui, combine, &choices);
        });
        if primary_button(ui, "Apply threshold").clicked() {
            let ToolOptions { threshold: (lower, upper), threshold_combine: combine, .. } = self.tools.options;
            self.edit_segment(MaskEdit::Threshold { lower, upper, combine });
        }
        hint(ui, "The preview on the slices shows what would be taken.");
        self.rule_ui(ui);
    }

    fn threshold_presets_ui(&mut self, ui: &mut Ui) {
        let now = self.tools.options.threshold;
        let presets = threshold_preset::presets();
        let same = presets.iter().find(|preset| (preset.lower_hu, preset.upper_hu) == now);
        let chosen = same.map_or("Custom", |preset| preset.name.as_str());
        field_row(ui, "Preset", |ui| {
            egui::ComboBox::from_id_salt("threshold preset").width(ui.available_width()).selected_text(chosen).show_ui(
                ui,
                |ui| {
                    for preset in presets {
                        let (lower, upper) = (preset.lower_hu, preset.upper_hu);
                        let row = Button::selectable(preset.name == chosen, preset.name.as_str())
                            .right_text(RichText::new(format!("{lower} \u{2026} {upper}")).color(theme::WEAK));
                        if ui.add(row.min_size(Vec2::new(260.0, theme::ROW))).clicked() {
                            self.tools.options.threshold = (lower, upper);
                        }
                    }
                },
            );
        });
    }

    fn brush_ui(&mut self, ui: &mut Ui) {
        let options = &mut self.tools.options;
        field_row(ui, "Shape", |ui| {
            segmented(ui, &mut options.brush_form, &[(BrushForm::Sphere, "Sphere"), (BrushForm::Disc, "Disc")]);
        });
        let (low, high) = ToolOptions::RADIUS_RANGE_MM;
        let number = Number { name: "Brush radius", unit: "mm", range: low..=high, decimals: 1, speed: 0.1 };
        field_row(ui, "Radius", |ui| {
            let width = ui.available_width();
            number_field(ui, &mut options.radius_mm, &number, width);
        });
        bare_slider(ui, "Brush radius slider", &mut options.radius_mm, low..=high, true);
        self.rule_ui(ui);
        let (left, ctrl) = match self.tools.active() {
            ToolKind::Erase => ("erases", ""),
            _ => ("paints", ", Ctrl+left erases"),
        };
        hint(ui, &format!("Left {left}{ctrl}, Shift+wheel sets the radius. One stroke is one undo step."));
    }

    fn scissors_ui(&mut self, ui: &mut Ui) {
        let options = &mut self.tools.options;
        field_row(ui, "Cut", |ui| {
            segmented(ui, &mut options.cut_inside, &[(true, "Inside"), (false, "Outside")]);
        });
        let mut depth_is_on = options.cut_half_depth_mm.is_some();
        if check(ui, &mut depth_is_on, "Only near the slice").changed() {
            options.cut_half_depth_mm = depth_is_on.then_some(10.0);
        }
        if let Some(depth) = &mut options.cut_half_depth_mm {
            let number = Number { name: "Depth to each side", unit: "mm", range: 0.1..=500.0, decimals: 1, speed: 0.2 };
            field_row(ui, "To each side", |ui| {
                let width = ui.available_width();
                number_field(ui, depth, &number, width);
            });
        }
        check(ui, &mut options.scissors_fill, "Fill instead of cutting");
        hint(ui, "Draw around what has to go, in a slice or in 3D. Esc gives up.");
        self.rule_ui(ui);
    }

    fn islands_ui(&mut self, ui: &mut Ui) {
        if primary_button(ui, "Keep largest part").clicked() {
            self.edit_segment(MaskEdit::KeepLargest);
        }
        let mut click = self.tools.options.island_click == IslandClick::Remove;
        if check(ui, &mut click, "A click removes a part").changed() {
            self.tools.options.island_click = if click { IslandClick::Remove } else { IslandClick::Nothing };
        }
        let number =
            Number { name: "Smallest part that stays", unit: "ml", range: 0.0..=1000.0, decimals: 2, speed: 0.01 };
        field_row(ui, "Smaller than", |ui| {
            let width = ui.available_width();
            number_field(ui, &mut self.tools.options.small_part_ml, &number, width);
        });
        if wide_button(ui, "Remove small parts").clicked() {
            let min_volume_mm3 = self.tools.options.small_part_ml * 1000.0;
            self.edit_segment(MaskEdit::RemoveSmall { min_volume_mm3 });
        }
        hint(ui, "Click a loose part in a slice or in 3D to remove it.");
        self.rule_ui(ui);
    }

    fn margin_ui(&mut self, ui: &mut Ui) {
        let number = Number { name: "Margin", unit: "mm", range: 0.1..=50.0, decimals: 1, speed: 0.1 };
        field_row(ui, "Distance", |ui| {
            let width = ui.available_width();
            number_field(ui, &mut self.tools.options.margin_mm, &number, width);
        });
        let distance_mm = self.tools.options.margin_mm;
        ui.columns(2, |columns| {
            if wide_button(&mut columns[0], "Grow").clicked() {
                self.edit_segment(MaskEdit::Margin { distance_mm });
            }
            if wide_button(&mut columns[1], "Shrink").clicked() {
                self.edit_segment(MaskEdit::Margin { distance_mm: -distance_mm });
            }
        });
        hint(ui, "Moves the edge by this distance in the patient, equally in all directions.");
        self.rule_ui(ui);
    }

    /// "Only within" and "protect other segments", for every tool that edits.
    fn rule_ui(&mut self, ui: &mut Ui) {
        ui.add_space(2.0);
        let unit = self.value_unit();
        let options = &mut self.tools.options;
        check(ui, &mut options.protect_others, "Protect other segments");
        let words = if unit == "HU" { "Only within this HU range" } else { "Only within this value range" };
        check(ui, &mut options.range_is_on, words);
        if !options.range_is_on {
            return;
        }
        let mut range = options.only_within;
        field_row(ui, "From", |ui| value_field(ui, "Range from", &mut range.0, unit));
        field_row(ui, "To", |ui| value_field(ui, "Range to", &mut range.1, unit));
        self.histogram_ui(ui, "Histogram of the range", &mut range);
        range.1 = range.1.max(range.0);
        self.tools.options.only_within = range;
    }

    fn histogram_ui(&self, ui: &mut Ui, name: &str, range: &mut (f64, f64)) {
        let bars = self.session.view.active_volume.and_then(|id| self.facts.bars(id));
        if let Some(bars) = bars {
            histogram(ui, name, bars, range, -32768.0..=32767.0);
        }
    }

    /// Unit of the active volume's values.
    pub(in crate::app) fn value_unit(&self) -> &'static str {
        let volume = self.session.view.active_volume.and_then(|id| self.session.document().volume(id));
        volume.map_or(Quantity::Hounsfield, |volume| volume.head.quantity).unit()
    }
}

fn value_field(ui: &mut Ui, name: &str, value: &mut f64, unit: &str) {
    let number = Number { name, unit, range: -32768.0..=32767.0, decimals: 0, speed: 2.0 };
    let width = ui.available_width();
    number_field(ui, value, &number, width);
}
