//! The menu of a view that shows a volume of its own: which volume, in which plane, whether the views move together.

use egui::{Popup, PopupCloseBehavior, Response};

use crate::app::commands::{CommandId, entry};
use crate::app::widgets::field::{check, heading, segmented_row};
use crate::domain::plane::Plane;
use crate::session::document::VolumeId;

use super::fusion_menu::fusion_ui;
use super::layout::Pane;
use super::slice_menu::{all_slices_ui, slab_ui};
use super::{NOT_LINKED, Scene};

/// Width of the menu, points.
const WIDTH: f32 = 268.0;

/// The menu, opened by the view's button.
pub(super) fn menu(button: &Response, number: u8, scene: &mut Scene<'_>) {
    Popup::menu(button).close_behavior(PopupCloseBehavior::CloseOnClickOutside).show(|ui| {
        ui.set_width(WIDTH);
        ui.spacing_mut().item_spacing.y = 6.0;
        let n = usize::from(number);
        heading(ui, Pane::Series(number).name());
        let names: Vec<(VolumeId, String)> =
            scene.session.document().volumes().iter().map(|object| (object.id, object.head.name.clone())).collect();
        let now = scene.session.view.beside.views.get(n).copied();
        for (id, name) in names {
            if ui.selectable_label(now.is_some_and(|view| view.volume == id), name).clicked() {
                show(n, id, scene);
            }
        }
        let Some(view) = scene.session.view.beside.views.get_mut(n) else { return };
        let mut plane = view.plane;
        if segmented_row(ui, &mut plane, &Plane::ALL.map(|plane| (plane, plane.name()))) {
            view.plane = plane;
        }
        let volume = view.volume;
        slab_ui(ui, plane, volume, scene);
        let row = entry(CommandId::LinkViews);
        let mut linked = !scene.session.view.beside.unlinked;
        if check(ui, &mut linked, row.text).on_hover_text(row.help).changed() {
            scene.asked.push(row.id);
        }
        let mut fused = scene.session.view.beside.views[n].fused;
        if check(ui, &mut fused, "Another series over this one").changed() {
            fuse(n, fused, scene);
        }
        if fused {
            fusion_ui(ui, volume, scene);
        }
        heading(ui, "All slices");
        all_slices_ui(ui, volume, scene);
    });
}

/// Shows in a view what lies over the slices, or not; where nothing does yet, what would by the command.
fn fuse(n: usize, fused: bool, scene: &mut Scene<'_>) {
    let document = scene.session.document().clone();
    let view = &mut scene.session.view;
    view.beside.views[n].fused = fused;
    let below = view.beside.views[n].volume;
    if fused && view.fusion_over(below, &document).is_none() {
        view.fuse_first(below, &document);
    }
}

/// Shows another volume in a view; the others stay.
fn show(n: usize, volume: VolumeId, scene: &mut Scene<'_>) {
    let document = scene.session.document().clone();
    let view = &mut scene.session.view;
    let planes: Vec<Plane> = view.beside.views.iter().map(|view| view.plane).collect();
    let mut volumes: Vec<VolumeId> = view.beside.views.iter().map(|view| view.volume).collect();
    volumes.resize(volumes.len().max(n + 1), volume);
    volumes[n] = volume;
    let may_link = view.put_beside(&volumes, &document);
    for (series, plane) in view.beside.views.iter_mut().zip(planes) {
        series.plane = plane;
    }
    if !may_link {
        scene.notices.warn(NOT_LINKED);
    }
}
