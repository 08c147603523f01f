//! How a slice view is drawn, in a menu of its own corner: thickness, interpolation, colours, cuts of the 3D picture along it.
//!
//! Thickness belongs to the one view; interpolation and colours to all slices. Choices are commands of the table where they
//! have a row there.

use egui::{Popup, PopupCloseBehavior, Response, Ui};

use crate::app::commands::{CommandId, entry};
use crate::app::widgets::field::{Number, check, field_row, heading, number_field, segmented_row, wide_button};
use crate::domain::color_map::ColorMap;
use crate::domain::plane::Plane;
use crate::domain::slice::{Interpolation, Slab, SlabMode};
use crate::session::document::VolumeId;

use super::Scene;
use super::fusion_menu::fusion_ui;

/// Width of the menu, points.
const WIDTH: f32 = 268.0;
/// Thickest slab, mm.
const THICKEST_MM: f64 = 500.0;

/// The menu of a slice view, opened by its button.
pub(super) fn menu(button: &Response, plane: Plane, scene: &mut Scene<'_>) {
    Popup::menu(button).close_behavior(PopupCloseBehavior::CloseOnClickOutside).show(|ui| {
        ui.set_width(WIDTH);
        ui.spacing_mut().item_spacing.y = 6.0;
        heading(ui, &format!("{} view", plane.name()));
        let Some(volume) = scene.session.view.active_volume else { return };
        slab_ui(ui, plane, volume, scene);
        fusion_ui(ui, volume, scene);
        heading(ui, "All slices");
        all_slices_ui(ui, volume, scene);
        heading(ui, "3D");
        for id in [CommandId::AddCut(plane), CommandId::CutSlab(plane)] {
            if wide_button(ui, entry(id).text).on_hover_text(entry(id).help).clicked() {
                scene.asked.push(id);
            }
        }
    });
}

/// Thickness of the slices of a volume along a plane.
pub(super) fn slab_ui(ui: &mut Ui, plane: Plane, volume: VolumeId, scene: &mut Scene<'_>) {
    scene.session.view.at_volume(volume, |state| {
        let view = state.slice_mut(plane);
        let mut mode = view.slab.map(|slab| slab.mode);
        let modes = [
            (None, "Thin"),
            (Some(SlabMode::Maximum), "MIP"),
            (Some(SlabMode::Minimum), "MinIP"),
            (Some(SlabMode::Mean), "Mean"),
        ];
        if segmented_row(ui, &mut mode, &modes) {
            view.set_slab_mode(mode);
        }
        if let Some(Slab { thickness_mm, .. }) = &mut view.slab {
            let range = 0.1..=THICKEST_MM;
            let number = Number { name: "Slab thickness", unit: "mm", range, decimals: 1, speed: 0.2 };
            field_row(ui, "Thickness", |ui| {
                let width = ui.available_width();
                number_field(ui, thickness_mm, &number, width);
            });
        }
        let slab = view.slab;
        if wide_button(ui, "The same in all three").clicked() {
            state.slices.iter_mut().for_each(|view| view.slab = slab);
        }
    });
}

/// What all slices have in common, with the colours of those of a volume.
pub(super) fn all_slices_ui(ui: &mut Ui, volume: VolumeId, scene: &mut Scene<'_>) {
    let mut interpolation = scene.session.view.interpolation;
    let ways =
        [(Interpolation::Nearest, "Nearest"), (Interpolation::Linear, "Linear"), (Interpolation::Cubic, "Cubic")];
    if segmented_row(ui, &mut interpolation, &ways) {
        scene.asked.push(CommandId::Interpolation(interpolation));
    }
    let colors = scene.session.view.slice_colors(volume);
    let (mut map, mut inverted) = (colors.map, colors.inverted);
    segmented_row(ui, &mut map, &ColorMap::ALL.map(|map| (map, map.name())));
    check(ui, &mut inverted, entry(CommandId::Invert).text);
    scene.session.view.at_volume(volume, |view| (view.color_map, view.inverted) = (map, inverted));
    let view = &scene.session.view;
    let (turned, mut locked) = (view.has_turned_planes(), view.planes_locked);
    if check(ui, &mut locked, entry(CommandId::LockPlanes).text)
        .on_hover_text(entry(CommandId::LockPlanes).help)
        .changed()
    {
        scene.asked.push(CommandId::LockPlanes);
    }
    let row = entry(CommandId::StraightenPlanes);
    if ui.add_enabled_ui(turned, |ui| wide_button(ui, row.text).on_hover_text(row.help)).inner.clicked() {
        scene.asked.push(row.id);
    }
}

/// What differs from a thin slice with linear interpolation, for the corner of the picture: "MIP 10.0 mm", "cubic".
pub(super) fn remarks(slab: Option<Slab>, interpolation: Interpolation) -> Vec<String> {
    let slab = slab.map(|slab| {
        let mode = match slab.mode {
            SlabMode::Maximum => "MIP",
            SlabMode::Minimum => "MinIP",
            SlabMode::Mean => "mean of",
        };
        format!("{mode} {}", crate::app::numbers::mm(slab.thickness_mm))
    });
    let interpolation = match interpolation {
        Interpolation::Nearest => Some("nearest voxel"),
        Interpolation::Linear => None,
        Interpolation::Cubic => Some("cubic"),
    };
    slab.into_iter().chain(interpolation.map(str::to_owned)).collect()
}
