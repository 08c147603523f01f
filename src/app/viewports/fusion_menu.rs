//! The part of a slice view's menu that says what lies over the slices, and how.

use egui::Ui;

use crate::app::commands::{CommandId, entry};
use crate::app::widgets::field::{Number, bare_slider, field_row, heading, number_field, segmented_row};
use crate::domain::color_map::ColorMap;
use crate::domain::window::Window;
use crate::session::document::VolumeId;
use crate::session::view::fusion::{FusionWay, may_lie_over};

use super::Scene;

/// Draws it for the slices of a volume; nothing where no other volume of the case may lie over it.
pub(super) fn fusion_ui(ui: &mut Ui, below: VolumeId, scene: &mut Scene<'_>) {
    let document = scene.session.document();
    let fitting = document.volumes().iter().filter(|object| may_lie_over(document, object.id, below));
    let fitting: Vec<(VolumeId, String)> = fitting.map(|object| (object.id, object.head.name.clone())).collect();
    if fitting.is_empty() {
        return;
    }
    heading(ui, "Over the slices");
    let now = scene.session.view.fusion_over(below, document);
    let mut chosen = None;
    if ui.selectable_label(now.is_none(), "Nothing").clicked() {
        chosen = Some(None);
    }
    for (id, name) in &fitting {
        let label = ui.selectable_label(now.is_some_and(|fusion| fusion.volume == *id), format!("{name} over it"));
        if label.on_hover_text(entry(CommandId::ToggleFusion).help).clicked() {
            chosen = Some(Some(*id));
        }
    }
    match chosen {
        Some(Some(id)) => {
            let document = scene.session.document().clone();
            scene.session.view.lay_over(id, &document);
        }
        Some(None) => scene.session.view.fusion.iter_mut().for_each(|fusion| fusion.on = false),
        None => {}
    }
    if now.is_some() {
        how_ui(ui, scene);
    }
}

fn how_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let unit = {
        let document = scene.session.document();
        let object = scene.session.view.fusion.and_then(|fusion| document.volume(fusion.volume));
        object.map_or("", |object| object.head.quantity.unit())
    };
    let Some(fusion) = &mut scene.session.view.fusion else { return };
    let ways = [(FusionWay::Blend, "Blend"), (FusionWay::Swipe, "Swipe"), (FusionWay::Blink, "Blink")];
    segmented_row(ui, &mut fusion.way, &ways);
    segmented_row(ui, &mut fusion.color_map, &ColorMap::ALL.map(|map| (map, map.name())));
    if fusion.way == FusionWay::Blend {
        field_row(ui, "Opacity", |ui| {
            let mut opacity = f64::from(fusion.opacity);
            if bare_slider(ui, "Opacity over the slices", &mut opacity, 0.0..=1.0, false).changed() {
                fusion.opacity = opacity as f32;
            }
        });
    }
    let decimals = usize::from(fusion.window.width < 20.0);
    let speed = fusion.window.width / 200.0;
    let (mut width, mut level) = (fusion.window.width, fusion.window.level);
    let number = |name, range| Number { name, unit, range, decimals, speed };
    field_row(ui, "Window", |ui| {
        let room = ui.available_width();
        number_field(ui, &mut width, &number("Window width over the slices", 1.0..=65536.0), room);
    });
    field_row(ui, "Level", |ui| {
        let room = ui.available_width();
        number_field(ui, &mut level, &number("Window level over the slices", -32768.0..=32767.0), room);
    });
    fusion.window = Window::new(width, level);
}
