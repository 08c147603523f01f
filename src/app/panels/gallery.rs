//! Presets as pictures of this very volume: windows on the slice at the crosshair, transfer functions in 3D.
//!
//! The pictures are made by jobs, one after the other, and kept until another volume is looked at.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::{Align2, Color32, CornerRadius, Pos2, Rect, ScrollArea, Sense, Stroke, StrokeKind, TextureHandle, Ui, Vec2};

use crate::app::MaquetteApp;
use crate::app::commands::CommandId;
use crate::app::notices::{Gravity, Notice};
use crate::app::numbers;
use crate::app::outcome::Outcome;
use crate::app::theme;
use crate::domain::occupancy::SkipCells;
use crate::domain::picture::Picture;
use crate::domain::plane::Plane;
use crate::domain::render_reference::{Shortcuts, render};
use crate::domain::transfer;
use crate::domain::volume::Volume;
use crate::domain::volume_scene::VolumeScene;
use crate::domain::window;
use crate::session::document::VolumeId;
use crate::session::jobs::Lane;
use crate::session::view::slice_index;
use crate::task::Progress;

/// Size of a picture, points.
const PICTURE: Vec2 = Vec2::new(156.0, 117.0);

/// Pictures of presets by name, of one volume.
#[derive(Default)]
pub struct Gallery {
    of: Option<(VolumeId, u32)>,
    asked_windows: bool,
    asked_presets: bool,
    pictures: BTreeMap<String, TextureHandle>,
}

impl Gallery {
    /// Takes a picture that a job made.
    pub fn take(&mut self, ctx: &egui::Context, name: String, picture: &Picture) {
        let size = picture.size_px.map(|side| side as usize);
        let image = egui::ColorImage::from_rgba_unmultiplied(size, picture.rgba.as_flattened());
        let texture = ctx.load_texture(&name, image, egui::TextureOptions::LINEAR);
        self.pictures.insert(name, texture);
    }

    /// Forgets the pictures when another volume or slice is looked at.
    fn look_at(&mut self, id: VolumeId, slice: u32) {
        if self.of != Some((id, slice)) {
            *self = Self { of: Some((id, slice)), ..Self::default() };
        }
    }
}

impl MaquetteApp {
    /// The volume and the axial slice that pictures are made of.
    fn pictured(&mut self) -> Option<(Arc<Volume>, u32)> {
        let id = self.session.view.active_volume?;
        let object = self.session.document().volume(id)?;
        let crosshair = self.session.view.crosshair_in_patient;
        let grid = object.head.grid;
        let voxel = grid.voxel_from_patient().transform_point3(crosshair);
        let k = voxel.z.round().clamp(0.0, f64::from(grid.dims()[2] - 1)) as u32;
        let volume = Arc::clone(&object.volume);
        let shown = slice_index(&grid, Plane::Axial, crosshair);
        self.gallery.look_at(id, shown.index);
        Some((volume, k))
    }

    /// Draws the windows.
    pub(in crate::app) fn window_presets_ui(&mut self, ui: &mut Ui) {
        let Some((volume, k)) = self.pictured() else { return };
        if !self.gallery.asked_windows {
            self.gallery.asked_windows = true;
            self.ask_window_pictures(volume, k);
        }
        let now = self.session.view.active_volume.map(|id| self.session.view.window(id));
        let mut chosen = None;
        ui.horizontal_wrapped(|ui| {
            for preset in window::presets() {
                let name = format!("{} {}", preset.key, preset.name);
                let (width, level) = (preset.window.width, preset.window.level);
                let under = format!("W {} L {}", numbers::decimal(width, 0), numbers::decimal(level, 0));
                let picture = self.gallery.pictures.get(&window_key(&preset.name));
                if card_ui(ui, &name, &under, picture, now == Some(preset.window)).clicked() {
                    chosen = Some(preset.key);
                }
            }
        });
        if let Some(key) = chosen {
            self.ask(CommandId::Window(key));
            self.dialog = None;
        }
    }

    fn ask_window_pictures(&mut self, volume: Arc<Volume>, k: u32) {
        let mailbox = self.work.mailbox();
        let asked = self.work.submit(Lane::Derive, "window pictures", "", move |progress| {
            let [ni, nj, _] = volume.grid().dims();
            let start = volume.grid().index(0, 0, k);
            let slice = &volume.samples()[start..start + ni as usize * nj as usize];
            for preset in window::presets() {
                progress.check()?;
                let gray = preset.window.gray_bytes(slice, volume.rescale());
                let rgba = gray.into_iter().map(|value| [value, value, value, 255]).collect();
                mailbox.leave(Outcome::Picture(window_key(&preset.name), Picture { size_px: [ni, nj], rgba }));
            }
            Ok(Outcome::Nothing)
        });
        if let Err(error) = asked {
            self.notices.error("No pictures", &error);
        }
    }

    /// Draws the volume as a preset of the list says.
    pub(in crate::app) fn choose_preset(&mut self, place: usize) {
        if let Some(preset) = transfer::presets().get(place) {
            self.draw_with_preset(&preset.name);
        }
    }

    /// Draws the volume as a preset says; colours that were edited are put aside, and it is said how they come back.
    fn draw_with_preset(&mut self, name: &str) {
        let edited = self.session.view.look.edited.is_some();
        self.session.view.choose_preset(name);
        if edited {
            let notice = Notice::new(Gravity::Good, "The colours that you had edited were put aside");
            self.notices.push(notice.action(CommandId::RestoreColors).of_case());
        }
    }

    /// Draws the 3D presets.
    pub(in crate::app) fn volume_presets_ui(&mut self, ui: &mut Ui) {
        let Some((volume, _)) = self.pictured() else { return };
        if !self.gallery.asked_presets {
            self.gallery.asked_presets = true;
            self.ask_preset_pictures(volume);
        }
        let mut chosen = None;
        ScrollArea::vertical().max_height(560.0).auto_shrink([false, true]).show(ui, |ui| {
            ui.horizontal_wrapped(|ui| {
                for preset in transfer::presets() {
                    let picture = self.gallery.pictures.get(&preset.name);
                    let view = &self.session.view;
                    let selected = view.preset == preset.name && view.look.edited.is_none();
                    if card_ui(ui, &preset.name, "", picture, selected).clicked() {
                        chosen = Some(preset.name.clone());
                    }
                }
            });
        });
        if let Some(name) = chosen {
            self.draw_with_preset(&name);
            self.dialog = None;
        }
    }
}

impl MaquetteApp {
    /// One picture after the other, made by the CPU twin of the ray-marcher, as the 3D view looks now.
    fn ask_preset_pictures(&mut self, volume: Arc<Volume>) {
        let mailbox = self.work.mailbox();
        let size_px = [PICTURE.x as u32, PICTURE.y as u32];
        let scene = VolumeScene { step_voxels: 2.0, ..VolumeScene::new(self.session.view.camera, size_px) };
        let asked = self.work.submit(Lane::Derive, "preset pictures", "3D presets", move |progress| {
            let cells = SkipCells::of(&volume);
            let presets = transfer::presets();
            for (n, preset) in presets.iter().enumerate() {
                progress.step(n, presets.len())?;
                let rays = render(&volume, &cells, preset, &scene, Shortcuts::default(), &Progress::new())?;
                let background = theme::VIEW_3D.map(|color| [color.r(), color.g(), color.b()]);
                mailbox.leave(Outcome::Picture(preset.name.clone(), Picture::over_gradient(&rays, background)));
            }
            Ok(Outcome::Nothing)
        });
        if let Err(error) = asked {
            self.notices.error("No pictures", &error);
        }
    }
}

fn window_key(name: &str) -> String {
    format!("window {name}")
}

fn card_ui(ui: &mut Ui, name: &str, under: &str, picture: Option<&TextureHandle>, selected: bool) -> egui::Response {
    let (rect, response) = ui.allocate_exact_size(PICTURE + Vec2::new(0.0, 28.0), Sense::click());
    response.widget_info(|| {
        egui::WidgetInfo::selected(egui::Role::ListBoxOption, true, selected, format!("Preset {name}"))
    });
    let frame = Rect::from_min_size(rect.min, PICTURE);
    ui.painter().rect_filled(frame, CornerRadius::same(4), theme::VIEW);
    match picture {
        Some(texture) => {
            let size = texture.size_vec2();
            let fit = size * (PICTURE.x / size.x).min(PICTURE.y / size.y);
            let uv = Rect::from_min_max(Pos2::ZERO, Pos2::new(1.0, 1.0));
            ui.painter().image(texture.id(), Rect::from_center_size(frame.center(), fit), uv, Color32::WHITE);
        }
        None => {
            ui.painter().text(frame.center(), Align2::CENTER_CENTER, "\u{2026}", theme::overlay(), theme::WEAK);
        }
    }
    let edge = match (selected, response.hovered()) {
        (true, _) => theme::ACCENT,
        (false, true) => theme::TEXT,
        (false, false) => theme::LINE,
    };
    ui.painter().rect_stroke(frame, CornerRadius::same(4), Stroke::new(1.0, edge), StrokeKind::Inside);
    let line = Pos2::new(rect.left() + 2.0, rect.bottom() - 14.0);
    let small = egui::FontId::proportional(theme::SMALL_SIZE);
    let clipped = ui.painter().with_clip_rect(rect);
    clipped.text(line, Align2::LEFT_CENTER, name, small.clone(), theme::TEXT);
    let right = Pos2::new(rect.right() - 2.0, line.y);
    ui.painter().text(right, Align2::RIGHT_CENTER, under, small, theme::WEAK);
    response
}
