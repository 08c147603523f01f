//! The 3D view: the ray-marched volume, its annotations, and the hand in it.

use std::sync::{Arc, Weak};

use egui::{Align2, Color32, CursorIcon, Pos2, Rect, Response, Sense, Stroke, TextureId, Ui};
use glam::DVec3;

use crate::app::device::{Filter, Texels};
use crate::app::frame_log::Pictures;
use crate::app::numbers;
use crate::app::theme;
use crate::domain::camera::{Camera, StandardView};
use crate::domain::transfer::Blend;
use crate::domain::volume_scene::{ClipBox, VolumeScene};
use crate::gpu::context::Context;
use crate::gpu::readback;
use crate::gpu::render::raymarch::{Opaque, VolumeRenderer};
use crate::gpu::render::view3d::{Background, LineItem, MeshItem, Scene3d, View3d, VolumeLayer, box_edges};
use crate::gpu::volume_texture::ResidentVolume;
use crate::session::Session;
use crate::session::view::CropBox;
use crate::session::view::volume_look::VolumeLook;
use crate::tools::action::Action;
use crate::tools::hand::Hand;
use crate::tools::overlay::Overlay;
use crate::tools::pointer::{Phase, PointerEvent, View};

use super::Scene;
use super::annotations::{corner_text, outlined_text, plane_color};
use super::c_arm;
use super::cropping;
use super::cube;
use super::cuts;
use super::input::{Grip, ViewInput, gather};
use super::layout::Pane;
use super::placement::{VolumePlacement, ndc};
use super::shared::Shared;
use super::slice_pane::outline;
use super::surfaces::items;

/// Drawn space around the volume, mm.
const MARGIN_MM: f64 = 20.0;
/// The crop box's edges, sRGB.
const CROP_COLOR: [u8; 3] = [0x4C, 0x9A, 0xFF];

/// What the opaque part of a picture depends on.
#[derive(Debug, Clone, PartialEq)]
struct PictureKey {
    camera: Camera,
    size_px: [u32; 2],
    meshes: Vec<MeshItem>,
    lines: Vec<LineItem>,
    surfaces: u64,
    /// Surfaces are drawn coarsely, where the driver is slow.
    coarse: bool,
}

/// What is needed on the device, and what of it is drawn.
struct Parts {
    view: View3d,
    volume: VolumeRenderer,
    resident: Weak<ResidentVolume>,
    /// The preset, and what is drawn otherwise, of the transfer function that is set.
    look: Option<(String, VolumeLook)>,
    drawn: Option<PictureKey>,
    opaque: Option<Texels>,
    opaque_revision: u64,
    marched: Option<u64>,
    /// How opaque the volume was composed.
    faded: f32,
    texture: Option<(TextureId, u64)>,
    /// Pictures composed so far.
    composed: u64,
}

/// The 3D view.
#[derive(Default)]
pub struct VolumePane {
    parts: Option<Parts>,
    /// When something in the view last moved: it is drawn in full after a moment's rest.
    moved_at_secs: f64,
    pointer: Option<PointerEvent>,
    /// The face of the crop box being dragged, and where the pointer was.
    cropping: Option<(cropping::Face, Pos2)>,
    /// The cut being dragged, and where the pointer was.
    cutting: Option<(usize, Pos2)>,
    /// Whether the ray-marched volume is drawn; `None`: nobody has said.
    show_volume: Option<bool>,
    volume_shown: bool,
    /// Surfaces are not drawn.
    pub hide_surfaces: bool,
}

impl Parts {
    fn new(context: &Context) -> Self {
        let mut view = View3d::new(context);
        view.warm_up(context);
        Self {
            view,
            volume: VolumeRenderer::new(context),
            resident: Weak::new(),
            look: None,
            drawn: None,
            opaque: None,
            opaque_revision: 0,
            marched: None,
            faded: 1.0,
            texture: None,
            composed: 0,
        }
    }

    /// Marches the volume a frame's worth. Colours, distances, revision, whether the picture is complete.
    fn march(
        &mut self,
        context: &Context,
        resident: &Arc<ResidentVolume>,
        session: &Session,
        size_px: [u32; 2],
        moving: bool,
    ) -> Option<(Texels, Texels, u64, bool)> {
        if !std::ptr::eq(self.resident.as_ptr(), Arc::as_ptr(resident)) {
            self.volume.set_volume(resident);
            self.resident = Arc::downgrade(resident);
            // A preset is fitted to its volume.
            self.look = None;
        }
        let view = &session.view;
        if self.look.as_ref().is_none_or(|(preset, look)| *preset != view.preset || *look != view.look) {
            // The renderer itself sees whether another look is another transfer function.
            self.volume.set_transfer(&view.transfer_function(&resident.volume));
            self.look = Some((view.preset.clone(), view.look.clone()));
        }
        let clip_box = view
            .crop
            .map(|CropBox { lower_in_patient, upper_in_patient }| ClipBox { lower_in_patient, upper_in_patient });
        let clip_planes = view.clip_planes();
        let scene = VolumeScene { clip_box, clip_planes, ..VolumeScene::new(view.camera, size_px) };
        let opaque = self.opaque.as_ref().map(|distance_mm| Opaque { distance_mm, revision: self.opaque_revision });
        let frame = self.volume.advance(context, &scene, opaque, moving)?;
        Some((frame.image.color_view().clone(), frame.image.distance_view().clone(), frame.revision, frame.complete))
    }

    /// The picture's name in the window.
    fn texture_id(&mut self, scene: &Scene<'_>) -> TextureId {
        let picture = self.view.picture();
        let (id, generation) = match self.texture {
            Some(known) => known,
            None => (scene.device.register(picture.view(), Filter::Nearest), picture.generation()),
        };
        if generation != picture.generation() {
            scene.device.replace(id, picture.view(), Filter::Nearest);
        }
        self.texture = Some((id, picture.generation()));
        id
    }
}

/// A view at rest for this long is drawn in full.
const REST_SECS: f64 = 0.15;

impl VolumePane {
    /// Draws the view and answers the hand. Returns the response of its rectangle.
    pub fn ui(&mut self, ui: &mut Ui, rect: Rect, scene: &mut Scene<'_>, shared: &mut Shared) -> Response {
        let response = ui.interact(rect, ui.scope_id().with("3d"), Sense::click_and_drag());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, "3D view"));
        if self.parts.is_none() {
            background(ui, rect);
        }
        if scene.session.view.active_volume.is_none() {
            return response;
        }
        let on_cube = response.hover_pos().and_then(|at| cube::face_at(rect, &scene.session.view.camera, at));
        if let (Some(face), true) = (on_cube, response.clicked()) {
            look_from(face, scene.session);
        }
        let hand = gather(ui, &response, Pane::Volume, &mut shared.held, (&scene.mouse, scene.tools.active()));
        if on_cube.is_none() || shared.held.grip_in(Pane::Volume).is_some() {
            self.answer(&hand, placement(rect, scene.session), scene, shared);
        }
        let placement = placement(rect, scene.session);
        self.draw_picture(ui, &placement, scene, shared);
        let angles = self.annotate(ui, &placement, scene, shared);
        c_arm::fields(ui, angles, &mut scene.session.view.camera);
        if response.hovered() {
            ui.ctx().set_cursor_icon(match (shared.held.grip_in(Pane::Volume), on_cube) {
                (Some(Grip::Tool | Grip::Erase | Grip::Pan), _) => CursorIcon::Grabbing,
                (Some(Grip::Adjust | Grip::Zoom), _) => CursorIcon::ZoomIn,
                (None, Some(_)) => CursorIcon::PointingHand,
                (None, None) => CursorIcon::Default,
            });
        }
        response
    }

    /// What was shown so far, for measuring.
    pub fn pictures(&self) -> Pictures {
        let Some(parts) = &self.parts else { return Pictures::default() };
        let view_px = parts.view.picture().size_px();
        let marched = parts.marched.and_then(|_| parts.volume.shown_image());
        let size_px = marched.map_or(view_px, crate::gpu::render::raymarch::RenderedImage::size_px);
        Pictures { count: parts.composed, size_px, view_px }
    }

    /// Whether the ray-marched volume is drawn.
    pub fn shows_volume(&self) -> bool {
        self.show_volume.unwrap_or(self.volume_shown)
    }

    /// Draws the ray-marched volume, or not, whatever surfaces there are.
    pub fn toggle_volume(&mut self) {
        self.show_volume = Some(!self.shows_volume());
    }

    fn answer(&mut self, hand: &ViewInput, placement: VolumePlacement, scene: &mut Scene<'_>, shared: &mut Shared) {
        for (phase, at) in &hand.tool {
            if self.crop(*phase, *at, &placement, scene.session) || self.cut(*phase, *at, &placement, scene.session) {
                continue;
            }
            let point = if Hand::wants_pick(*phase, scene.tools) { self.pick(scene, &placement, *at) } else { None };
            let event = event(&placement, *phase, *at, point, hand);
            if *phase == Phase::Press && hand.modifiers.shift {
                // Shift and click brings all slices to the surface under the pointer.
                match point.or_else(|| self.pick(scene, &placement, *at)) {
                    Some(point) => shared.stroke.carry_out(Action::MoveCrosshair(point), scene.session, scene.notices),
                    None => scene.notices.warn("There is no surface under the pointer."),
                }
                shared.held.release();
                return;
            }
            for action in shared.hand.handle(&event, scene.tools, scene.session.document()) {
                shared.stroke.carry_out(action, scene.session, scene.notices);
            }
        }
        let height = f64::from(placement.rect.height().max(1.0));
        let camera = scene.session.view.camera;
        if hand.pan != egui::Vec2::ZERO {
            scene.session.view.camera = camera.panned(f64::from(hand.pan.x) / height, -f64::from(hand.pan.y) / height);
        }
        let nearer = f64::from(-hand.adjust.y) / 150.0 - f64::from(hand.scroll_notches) * 0.25
            + f64::from(hand.zoom_notches) * 0.25;
        if nearer != 0.0 {
            scene.session.view.camera = scene.session.view.camera.zoomed(nearer.exp2());
        }
        self.pointer = hand.pointer.map(|at| event(&placement, Phase::Hover, at, None, hand));
        if hand.pointer.is_some() {
            scene.readout.buttons = [left_button(scene), "pan", "zoom"].map(str::to_owned);
        }
    }

    /// Drags a face of the crop box. Says whether the event was for it.
    fn crop(&mut self, phase: Phase, at: Pos2, placement: &VolumePlacement, session: &mut Session) -> bool {
        let Some(crop) = session.view.crop else { return false };
        match (phase, self.cropping) {
            (Phase::Press, _) => {
                self.cropping = cropping::caught(&crop, placement, at).map(|face| (face, at));
                self.cropping.is_some()
            }
            (Phase::Drag, Some((face, last))) => {
                let (lower, upper) = bounds(session);
                session.view.crop =
                    Some(cropping::dragged(&crop, face, placement, at - last, (lower + MARGIN_MM, upper - MARGIN_MM)));
                self.cropping = Some((face, at));
                true
            }
            (Phase::Release, Some(_)) => {
                self.cropping = None;
                true
            }
            _ => false,
        }
    }

    /// Drags a plane that cuts. Says whether the event was for it.
    fn cut(&mut self, phase: Phase, at: Pos2, placement: &VolumePlacement, session: &mut Session) -> bool {
        let cuts = &mut session.view.look.cuts;
        match (phase, self.cutting) {
            (Phase::Press, _) => {
                self.cutting = cuts::caught(cuts, placement, at).map(|n| (n, at));
                self.cutting.is_some()
            }
            (Phase::Drag, Some((n, last))) => {
                if let Some(cut) = cuts.get_mut(n) {
                    *cut = cuts::dragged(*cut, placement, at - last);
                }
                self.cutting = Some((n, at));
                true
            }
            (Phase::Release, Some(_)) => {
                self.cutting = None;
                true
            }
            _ => false,
        }
    }

    /// The surface point under a place of the view: of the nearest thing in the picture that is shown.
    fn pick(&self, scene: &Scene<'_>, placement: &VolumePlacement, at: Pos2) -> Option<DVec3> {
        let parts = self.parts.as_ref()?;
        let context = &scene.device.context;
        let part = (at - placement.rect.min) / placement.rect.size();
        let texel = |[width, height]: [u32; 2]| {
            let along = |part: f32, count: u32| (part * count as f32).clamp(0.0, count as f32 - 1.0) as u32;
            (along(part.x, width), along(part.y, height))
        };
        let (x, y) = texel(parts.view.picture().size_px());
        let opaque_mm = parts.view.opaque_distance_at(context, x, y);
        let marched_mm = parts.marched.and_then(|_| parts.volume.shown_image()).and_then(|image| {
            let (x, y) = texel(image.size_px());
            let bytes = readback::texel_bytes(context, image.distance_texture(), x, y);
            let distance_mm = f32::from_le_bytes(bytes.get(..4)?.try_into().ok()?);
            (distance_mm > 0.0).then_some(f64::from(distance_mm))
        });
        let nearest_mm = opaque_mm.into_iter().chain(marched_mm).reduce(f64::min)?;
        Some(placement.ray(at).at(nearest_mm))
    }

    fn draw_picture(&mut self, ui: &Ui, placement: &VolumePlacement, scene: &Scene<'_>, shared: &mut Shared) {
        let context = &scene.device.context;
        let view = &scene.session.view;
        let size_px = (placement.rect.size() * ui.ctx().pixels_per_point()).round().max(egui::Vec2::splat(1.0));
        let size_px = [size_px.x as u32, size_px.y as u32];
        let mut meshes = if self.hide_surfaces { Vec::new() } else { items(scene.session) };
        // What is not on the device yet changes no picture.
        let store = shared.surfaces.store();
        meshes.retain(|item| store.bounds_in_patient(item.object).is_some());
        let lines = view
            .crop
            .map_or_else(Vec::new, |crop| box_edges(crop.lower_in_patient, crop.upper_in_patient, CROP_COLOR, 1.5));
        let parts = self.parts.get_or_insert_with(|| Parts::new(context));
        let coarse = parts.drawn.as_ref().is_some_and(|drawn| drawn.coarse);
        let surfaces = shared.surfaces.revision();
        let mut key = PictureKey { camera: view.camera, size_px, meshes, lines, surfaces, coarse };
        let now_secs = ui.input(|input| input.time);
        if parts.drawn.as_ref() != Some(&key) {
            self.moved_at_secs = now_secs;
        }
        let moving = now_secs - self.moved_at_secs < REST_SECS || shared.held.grip_in(Pane::Volume).is_some();
        key.coarse = moving;
        let scene_3d = Scene3d {
            background: Background { top: rgb(theme::VIEW_3D[0]), bottom: rgb(theme::VIEW_3D[1]) },
            meshes: &key.meshes,
            lines: &key.lines,
            moving,
            ..Scene3d::new(view.camera, size_px, bounds(scene.session))
        };
        let redrawn = parts.drawn.as_ref() != Some(&key);
        if redrawn {
            parts.opaque = parts.view.draw_opaque(context, shared.surfaces.store(), &scene_3d).cloned();
            parts.opaque_revision += 1;
        }
        let alone = key.meshes.is_empty();
        let opacity = if alone { 1.0 } else { view.volume_opacity };
        // Beside surfaces, a software driver has no time for the volume while something moves.
        let has_time = alone || !(moving && context.is_software());
        let wants_volume = self.show_volume.unwrap_or(true) && opacity > 0.0;
        self.volume_shown = wants_volume;
        let layer = match shared.source.resident().filter(|_| wants_volume && has_time) {
            Some(resident) => parts.march(context, resident, scene.session, size_px, moving),
            None => None,
        };
        let marched = layer.as_ref().map(|(_, _, revision, _)| *revision);
        if redrawn || parts.marched != marched || parts.faded != opacity {
            let volume = layer.as_ref().map(|(color, distance_mm, ..)| VolumeLayer { color, distance_mm, opacity });
            parts.view.compose(context, shared.surfaces.store(), &scene_3d, volume);
            (parts.marched, parts.faded) = (marched, opacity);
            parts.composed += 1;
        }
        if layer.as_ref().is_some_and(|(.., complete)| !complete) {
            ui.ctx().request_repaint();
        } else if moving {
            ui.ctx().request_repaint_after_secs(REST_SECS as f32);
        }
        parts.drawn = Some(key);
        let id = parts.texture_id(scene);
        let whole = Rect::from_min_max(Pos2::ZERO, Pos2::new(1.0, 1.0));
        ui.painter_at(placement.rect).image(id, placement.rect, whole, Color32::WHITE);
    }

    /// Returns where the C-arm angles stand.
    fn annotate(&self, ui: &Ui, placement: &VolumePlacement, scene: &Scene<'_>, shared: &Shared) -> Rect {
        let (rect, view) = (placement.rect, &scene.session.view);
        let painter = ui.painter_at(rect);
        if view.crosshair_visible
            && let Some(at) = placement.screen(view.crosshair_in_patient)
        {
            painter.circle_stroke(at, 4.0, Stroke::new(2.5, Color32::from_black_alpha(150)));
            painter.circle_stroke(at, 4.0, Stroke::new(1.2, plane_color(crate::domain::plane::Plane::Sagittal)));
        }
        cube::paint(&painter, rect, &view.camera, ui.input(|input| input.pointer.hover_pos()));
        let mut lines = shared.identity_lines(Pane::Volume, scene.session);
        lines.extend(corner_lines(scene.session));
        corner_text(&painter, rect, Align2::LEFT_TOP, &lines);
        let angles = outlined_text(
            &painter,
            rect.shrink(10.0).right_bottom(),
            Align2::RIGHT_BOTTOM,
            &c_arm::words(&view.camera),
            theme::overlay(),
            theme::TEXT,
        );
        letters(&painter, rect, placement);
        if shared.source.resident().is_none() {
            outlined_text(
                &painter,
                rect.center(),
                Align2::CENTER_CENTER,
                "Preparing the 3D picture",
                theme::overlay(),
                theme::WEAK,
            );
        }
        if let Some(crop) = &view.crop {
            let held = self.cropping.map(|(face, _)| face);
            cropping::paint(&painter, crop, placement, ui.input(|input| input.pointer.hover_pos()), held);
        }
        let pointer = ui.input(|input| input.pointer.hover_pos());
        let (lower, upper) = bounds(scene.session);
        let inner = (lower + MARGIN_MM, upper - MARGIN_MM);
        cuts::paint(&painter, view, placement, inner, (pointer, self.cutting.map(|(n, _)| n)));
        for overlay in shared.hand.overlays(View::Volume, self.pointer.as_ref(), scene.tools) {
            if let Overlay::Outline(points) = overlay {
                outline(&painter, rect, &points);
            }
        }
        angles
    }
}

/// Turns the view to a standard one, keeping what is in its middle.
pub fn look_from(face: StandardView, session: &mut Session) {
    let (direction_in_patient, up_in_patient) = face.direction_and_up();
    session.view.camera = Camera { direction_in_patient, up_in_patient, ..session.view.camera };
}

fn placement(rect: Rect, session: &Session) -> VolumePlacement {
    let grid = session.view.active_volume.and_then(|id| session.document().volume(id)).map(|object| object.head.grid);
    let reach_mm = grid.map_or(1000.0, |grid| {
        let (lower, upper) = grid.bounds_in_patient();
        let middle = (lower + upper) / 2.0;
        (upper - lower).length() / 2.0 + middle.distance(session.view.camera.focus_in_patient)
    });
    VolumePlacement { camera: session.view.camera, rect, reach_mm }
}

fn event(
    placement: &VolumePlacement,
    phase: Phase,
    at: Pos2,
    point_in_patient: Option<DVec3>,
    hand: &ViewInput,
) -> PointerEvent {
    PointerEvent {
        view: View::Volume,
        phase,
        position_in_ndc: ndc(placement.rect, at),
        point_in_patient,
        clip_from_patient: placement.clip_from_patient(),
        mm_per_point: placement.camera.height_at_focus_mm() / f64::from(placement.rect.height().max(1.0)),
        modifiers: hand.modifiers,
    }
}

fn left_button(scene: &Scene<'_>) -> &'static str {
    use crate::tools::options::ToolKind;
    match scene.tools.active() {
        ToolKind::Scissors => "cut",
        ToolKind::Islands => "pick part",
        _ => "turn",
    }
}

/// The vertical gradient behind the patient.
fn background(ui: &Ui, rect: Rect) {
    let mut mesh = egui::Mesh::default();
    let [top, bottom] = theme::VIEW_3D;
    for (corner, color) in
        [(rect.left_top(), top), (rect.right_top(), top), (rect.left_bottom(), bottom), (rect.right_bottom(), bottom)]
    {
        mesh.colored_vertex(corner, color);
    }
    mesh.add_triangle(0, 1, 2);
    mesh.add_triangle(1, 3, 2);
    ui.painter_at(rect).add(mesh);
}

/// Letters of the patient's sides at the edges, so that right and left can be read in 3D as well.
fn letters(painter: &egui::Painter, rect: Rect, placement: &VolumePlacement) {
    let camera = &placement.camera;
    super::annotations::orientation_letters(painter, rect, camera.right_in_patient(), -camera.up_in_patient);
}

/// What is drawn and how: preset, way of drawing where it is not the preset's, projection, cuts.
fn corner_lines(session: &Session) -> Vec<String> {
    let view = &session.view;
    let preset = match view.blend() {
        Blend::Composite | Blend::Isosurface => view.colors_name(),
        other => other.name().to_owned(),
    };
    let projection = if view.camera.is_parallel() { "parallel" } else { "perspective" };
    let mut lines = vec![format!("{preset} \u{b7} {projection}")];
    if view.blend() == Blend::Isosurface {
        let object = view.active_volume.and_then(|id| session.document().volume(id));
        lines.extend(object.map(|object| {
            let value = view.transfer_function(&object.volume).iso_value;
            format!("surface at {}", numbers::value(value, object.head.quantity))
        }));
    }
    let cuts = view.clip_planes().iter().count();
    if cuts > 0 {
        lines.push(format!("cut by {cuts} {}", if cuts == 1 { "plane" } else { "planes" }));
    }
    lines
}

/// A box around all that may be seen, mm.
fn bounds(session: &Session) -> (DVec3, DVec3) {
    let object = session.view.active_volume.and_then(|id| session.document().volume(id));
    let (lower, upper) =
        object.map_or((DVec3::splat(-500.0), DVec3::splat(500.0)), |object| object.head.grid.bounds_in_patient());
    (lower - MARGIN_MM, upper + MARGIN_MM)
}

fn rgb(color: Color32) -> [u8; 3] {
    [color.r(), color.g(), color.b()]
}
