//! The 3D display: a window that stays open beside the work, with everything about the 3D picture.
//!
//! Way of drawing, value of the surface, projection, cuts. What has a row in the table of commands is asked for as one.

use egui::{Align2, Button, RichText, ScrollArea, Ui, Vec2};
use egui_material_icons::icons;

use crate::app::MaquetteApp;
use crate::app::commands::{CommandId, Situation, entry};
use crate::app::theme;
use crate::app::widgets::field::{
    Number, bare_slider, check, field_row, hint, icon_button, number_field, segmented_row, wide_button,
};
use crate::domain::camera::StandardView;
use crate::domain::plane::Plane;
use crate::domain::transfer::Blend;
use crate::session::view::volume_look::Cut;

/// Width of the window, points.
const WIDTH: f32 = 288.0;
/// Height that its tallest page takes, points: it begins this far above the status bar.
const TALL: f32 = 580.0;

/// Ways of drawing as the buttons name them, two rows of three.
const MODES: [[(Blend, &str); 3]; 2] = [
    [(Blend::Composite, "Volume"), (Blend::MaximumIntensity, "MIP"), (Blend::MinimumIntensity, "MinIP")],
    [(Blend::Average, "Mean"), (Blend::Isosurface, "Surface"), (Blend::XRay, "X-ray")],
];

/// Part of the window below the ways of drawing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Page {
    /// Projection, standard views, what else is seen.
    #[default]
    Camera,
    /// Colours and opacities.
    Colors,
    /// Planes that cut.
    Cuts,
}

impl MaquetteApp {
    /// Draws the window when it is open.
    pub(in crate::app) fn display_ui(&mut self, ctx: &egui::Context, now: Situation) {
        if !self.display_open || !now.volume {
            return;
        }
        let mut open = true;
        let height = ctx.content_rect().height() - 120.0;
        egui::Window::new("3D display")
            .open(&mut open)
            .collapsible(false)
            .resizable(false)
            .default_size([WIDTH, height])
            // Over the history and a little of a slice: the patient's identity and the 3D picture stay in sight.
            .default_pos([4.0, (ctx.content_rect().bottom() - theme::STATUS_BAR - TALL).max(theme::TOP_BAR + 4.0)])
            .pivot(Align2::LEFT_TOP)
            .frame(egui::Frame::window(&ctx.global_style()).inner_margin(egui::Margin::same(12)))
            .show(ctx, |ui| {
                ui.set_width(WIDTH);
                ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show(ui, |ui| {
                    ui.spacing_mut().item_spacing.y = 6.0;
                    self.mode_ui(ui);
                    ui.add_space(4.0);
                    let pages = [(Page::Camera, "Camera"), (Page::Colors, "Colours"), (Page::Cuts, "Cuts")];
                    segmented_row(ui, &mut self.display_page, &pages);
                    ui.add_space(4.0);
                    match self.display_page {
                        Page::Camera => self.camera_ui(ui),
                        Page::Colors => self.transfer_ui(ui),
                        Page::Cuts => self.cuts_ui(ui),
                    }
                });
            });
        self.display_open &= open;
    }

    fn mode_ui(&mut self, ui: &mut Ui) {
        let mut mode = self.session.view.blend();
        for row in &MODES {
            if segmented_row(ui, &mut mode, row) {
                self.ask(CommandId::Mode(mode));
            }
        }
        if mode == Blend::Isosurface {
            self.surface_value_ui(ui);
        }
        let preset = format!("Preset: {}", self.session.view.colors_name());
        if wide_button(ui, &preset).on_hover_text(entry(CommandId::VolumePresets).help).clicked() {
            self.ask(CommandId::VolumePresets);
        }
    }

    fn surface_value_ui(&mut self, ui: &mut Ui) {
        let Some(object) = self.session.view.active_volume.and_then(|id| self.session.document().volume(id)) else {
            return;
        };
        let (low, high) = object.volume.value_range();
        let shown = self.session.view.transfer_function(&object.volume).iso_value;
        let mut value = shown;
        let number = Number {
            name: "Value of the surface",
            unit: self.value_unit(),
            range: low..=high,
            decimals: 0,
            speed: 2.0,
        };
        field_row(ui, "Surface at", |ui| {
            let width = ui.available_width();
            number_field(ui, &mut value, &number, width);
        });
        bare_slider(ui, "Value of the surface, slider", &mut value, low..=high, false);
        if value != shown {
            self.session.view.look.iso_value = Some(value);
        }
    }

    fn camera_ui(&mut self, ui: &mut Ui) {
        let was = self.session.view.camera.is_parallel();
        let mut parallel = was;
        if segmented_row(ui, &mut parallel, &[(false, "Perspective"), (true, "Parallel")]) {
            self.ask(CommandId::ToggleParallel);
        }
        ui.columns(StandardView::LETTERED.len(), |columns| {
            for (column, (face, letter)) in columns.iter_mut().zip(StandardView::LETTERED) {
                let row = entry(CommandId::Standard(face));
                let button = Button::new(letter).min_size(Vec2::new(column.available_width(), theme::ROW));
                let response = column.add(button).accessible_name(row.text);
                if response.on_hover_text(format!("{} ({})", row.text, row.keys_text(column.ctx()))).clicked() {
                    self.ask(row.id);
                }
            }
        });
        self.switch_ui(ui, CommandId::TogglePlanes);
        self.switch_ui(ui, CommandId::ToggleCrop);
    }

    /// A check that stands for a command of the table.
    fn switch_ui(&mut self, ui: &mut Ui, id: CommandId) {
        let mut on = self.is_on(id).unwrap_or(false);
        if check(ui, &mut on, entry(id).text).on_hover_text(entry(id).help).changed() {
            self.ask(id);
        }
    }

    fn cuts_ui(&mut self, ui: &mut Ui) {
        let bounds = self
            .session
            .view
            .active_volume
            .and_then(|id| self.session.document().volume(id))
            .map(|object| object.head.grid.bounds_in_patient());
        let Some((lower, upper)) = bounds else { return };
        let look = &mut self.session.view.look;
        let mut removed = None;
        for (n, cut) in look.cuts.iter_mut().enumerate() {
            let half_mm = (upper - lower).dot(cut.normal_in_patient.abs()) / 2.0;
            let middle_mm = ((lower + upper) / 2.0).dot(cut.normal_in_patient);
            if cut_ui(ui, n + 1, cut, (middle_mm - half_mm, middle_mm + half_mm)) {
                removed = Some(n);
            }
        }
        if let Some(n) = removed {
            look.cuts.remove(n);
        }
        ui.add_enabled_ui(look.free_cuts() > 0, |ui| {
            self.planes_ui(ui, "Add along", CommandId::AddCut);
        });
        self.planes_ui(ui, "Slab around", CommandId::CutSlab);
        if let Some(slab) = &mut self.session.view.look.slab {
            let number =
                Number { name: "Thickness of the slab in 3D", unit: "mm", range: 0.5..=500.0, decimals: 1, speed: 0.5 };
            field_row(ui, "Thickness", |ui| {
                let width = ui.available_width();
                number_field(ui, &mut slab.thickness_mm, &number, width);
            });
        }
        if self.session.view.look.cuts.is_empty() && self.session.view.look.slab.is_none() {
            hint(
                ui,
                "A cut takes away what lies before a slice's plane; its handle in the picture moves it. Surfaces are not cut.",
            );
        } else if wide_button(ui, entry(CommandId::RemoveCuts).text).clicked() {
            self.ask(CommandId::RemoveCuts);
        }
    }

    /// A button for each plane.
    fn planes_ui(&mut self, ui: &mut Ui, label: &str, command: fn(Plane) -> CommandId) {
        ui.label(RichText::new(label).small().color(theme::WEAK));
        ui.columns(3, |columns| {
            for (column, plane) in columns.iter_mut().zip(Plane::ALL) {
                let row = entry(command(plane));
                let on = self.is_on(row.id) == Some(true);
                let mut button =
                    Button::new(plane.name()).selected(on).min_size(Vec2::new(column.available_width(), theme::ROW));
                if on {
                    button = button.fill(theme::CHOSEN);
                }
                if column.add(button).accessible_name(row.text).on_hover_text(row.help).clicked() {
                    self.ask(row.id);
                }
            }
        });
    }
}

/// One cut: on or off, position, the other side, away with it. True when it is to go.
fn cut_ui(ui: &mut Ui, number: usize, cut: &mut Cut, (low_mm, high_mm): (f64, f64)) -> bool {
    let mut gone = false;
    ui.horizontal(|ui| {
        check(ui, &mut cut.on, &format!("Cut {number}"));
        let mut position_mm = cut.position_mm();
        let field = Number {
            name: &format!("Position of cut {number}"),
            unit: "mm",
            range: low_mm..=high_mm,
            decimals: 1,
            speed: 0.5,
        };
        number_field(ui, &mut position_mm, &field, 110.0);
        if icon_button(ui, icons::ICON_FLIP, &format!("Flip cut {number}"), "The other side stays.").clicked() {
            *cut = cut.flipped();
            return;
        }
        gone = icon_button(ui, icons::ICON_CLOSE, &format!("Remove cut {number}"), "").clicked();
        if position_mm != cut.position_mm() {
            *cut = cut.at_position(position_mm);
        }
    });
    let mut position_mm = cut.position_mm();
    if bare_slider(ui, &format!("Position of cut {number}, slider"), &mut position_mm, low_mm..=high_mm, false)
        .changed()
    {
        *cut = cut.at_position(position_mm);
    }
    gone
}
