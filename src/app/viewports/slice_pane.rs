//! One slice view: its picture, what stands on it, and the hand in it.
//!
//! The picture is drawn only when something in it changed; overlays are vectors drawn each frame.

use egui::{Color32, CursorIcon, Rect, Response, Sense, Shape, Stroke, TextureId, Ui};
use glam::{DVec2, DVec3};

use crate::app::device::{Filter, WindowDevice};
use crate::app::{numbers, theme};
use crate::domain::grid::Grid;
use crate::domain::plane::Plane;
use crate::domain::slice::{RangePreview, SliceFrame, SliceStyle};
use crate::gpu::view_texture::ViewTexture;
use crate::session::Session;
use crate::session::document::VolumeObject;
use crate::session::view::{SliceView, slice_index};
use crate::tools::measure::{SHOWN_WITHIN_MM, distance_from_slice_mm};
use crate::tools::options::ToolKind;
use crate::tools::overlay::Overlay;
use crate::tools::pointer::{Phase, PointerEvent, View};

use super::Scene;
use super::annotations;
use super::input::{Grip, ViewInput, gather};
use super::layout::Pane;
use super::measurements::{self, Emphasis};
use super::picture_source::PictureSource;
use super::placement::{SlicePlacement, ndc};
use super::plane_lines::{self, Part};
use super::shared::{Shared, read_out};
use super::slice_menu::remarks;

/// A picture on the device and its name in the window.
struct Picture {
    texture: ViewTexture,
    id: TextureId,
    generation: u64,
}

/// Everything a picture depends on; equal keys are equal pictures.
#[derive(Debug, Clone, PartialEq)]
struct PictureKey {
    frame: SliceFrame,
    style: SliceStyle,
    source_version: u64,
}

/// One slice view.
pub struct SlicePane {
    plane: Plane,
    picture: Option<Picture>,
    drawn: Option<PictureKey>,
    fitted_size: Option<egui::Vec2>,
    pointer: Option<PointerEvent>,
    /// The line of another plane in the hand.
    line: Option<plane_lines::Grip>,
    /// What of a line is under the pointer.
    hot_line: Option<(Plane, Part)>,
    /// The tool in the hand leaves the lines to the left button.
    lines_free: bool,
}

impl SlicePane {
    /// The view of a plane.
    pub fn new(plane: Plane) -> Self {
        Self {
            plane,
            picture: None,
            drawn: None,
            fitted_size: None,
            pointer: None,
            line: None,
            hot_line: None,
            lines_free: false,
        }
    }

    /// Fits the volume into the view at the next frame.
    pub fn fit(&mut self) {
        self.fitted_size = None;
    }

    /// Draws the view and answers the hand. Returns the response of its rectangle.
    pub fn ui(&mut self, ui: &mut Ui, rect: Rect, scene: &mut Scene<'_>, shared: &mut Shared) -> Response {
        let response = ui.interact(rect, ui.scope_id().with(self.plane), Sense::click_and_drag());
        response
            .widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, format!("{} view", self.plane.name())));
        if self.picture.is_none() {
            ui.painter_at(rect).rect_filled(rect, 0.0, theme::VIEW);
        }
        let Some(volume_id) = scene.session.view.active_volume else { return response };
        if self.fitted_size.is_none() {
            self.refit(rect, scene.session);
        }
        let pane = Pane::Slice(self.plane);
        let shift_pans = true;
        let hand = gather(ui, &response, pane, &mut shared.held, shift_pans);
        let placement = self.placement(ui, rect, scene.session);
        self.answer(ui, &hand, &placement, scene, shared);
        let placement = self.placement(ui, rect, scene.session);
        self.draw_picture(ui, &placement, scene, &shared.source);
        let Some(object) = scene.session.document().volume(volume_id) else { return response };
        let painter = ui.painter_at(rect);
        self.annotate(&painter, &placement, scene.session, object, (shared, response.contains_pointer()));
        self.draw_overlays(&painter, &placement, scene, shared);
        if response.hovered() {
            ui.ctx().set_cursor_icon(match (self.line, self.hot_line) {
                (Some(_), _) => CursorIcon::Grabbing,
                (None, Some(_)) => CursorIcon::Grab,
                (None, None) => cursor(scene.tools.active(), shared.held.grip_in(pane)),
            });
        }
        response
    }

    fn refit(&mut self, rect: Rect, session: &mut Session) {
        let grid =
            session.view.active_volume.and_then(|id| session.document().volume(id)).map(|object| object.head.grid);
        if let Some(grid) = grid {
            let size = DVec2::new(f64::from(rect.width()), f64::from(rect.height()));
            let fitted = session.view.slice(self.plane).fitted(&grid, size);
            *session.view.slice_mut(self.plane) = fitted;
            self.fitted_size = Some(rect.size());
        }
    }

    fn placement(&self, ui: &Ui, rect: Rect, session: &Session) -> SlicePlacement {
        let pixels_per_point = ui.ctx().pixels_per_point();
        let size_px = (rect.size() * pixels_per_point).round().max(egui::Vec2::splat(1.0));
        let view = session.view.slice(self.plane);
        let frame = SliceFrame {
            center_in_patient: view.on_slice(view.center_in_patient, session.view.crosshair_in_patient),
            right_in_patient: view.right_in_patient(),
            down_in_patient: view.down_in_patient(),
            mm_per_px: view.mm_per_px / f64::from(pixels_per_point),
            size_px: [size_px.x as u32, size_px.y as u32],
        };
        SlicePlacement { frame, rect, pixels_per_point }
    }

    /// Carries out what the hand does.
    fn answer(
        &mut self,
        ui: &Ui,
        hand: &ViewInput,
        placement: &SlicePlacement,
        scene: &mut Scene<'_>,
        shared: &mut Shared,
    ) {
        let points = |v: egui::Vec2| DVec2::new(f64::from(v.x), f64::from(v.y));
        self.pointer = None;
        let lines_are_free = moves_crosshair(scene.tools.active()) && scene.session.view.crosshair_visible;
        self.lines_free = lines_are_free;
        for (phase, at) in &hand.tool {
            if lines_are_free && self.drag_line(*phase, *at, placement, scene.session) {
                continue;
            }
            let event = self.event(placement, *phase, *at, hand);
            for action in shared.hand.handle(&event, scene.tools, scene.session.document()) {
                shared.stroke.carry_out(action, scene.session, scene.notices);
            }
        }
        if hand.pan != egui::Vec2::ZERO {
            let panned = scene.session.view.slice(self.plane).panned(points(hand.pan));
            *scene.session.view.slice_mut(self.plane) = panned;
        }
        if hand.adjust != egui::Vec2::ZERO
            && let Some(id) = scene.session.view.active_volume
        {
            scene.session.view.drag_window(id, points(hand.adjust));
        }
        if hand.brush_notches != 0.0 {
            scene.tools.options.resize_brush(f64::from(hand.brush_notches));
        }
        if hand.zoom_notches != 0.0 {
            let around = hand.pointer.map_or(DVec2::ZERO, |at| points(at - placement.rect.center()));
            let zoomed =
                scene.session.view.slice(self.plane).zoomed(1.15_f64.powf(f64::from(hand.zoom_notches)), around);
            *scene.session.view.slice_mut(self.plane) = zoomed;
        }
        let typing = ui.ctx().egui_wants_keyboard_input();
        let steps = shared.whole_notches(hand.scroll_notches) + if typing { 0 } else { hand.key_steps };
        self.scroll(steps, scene.session);
        let driving = hand.modifiers.shift
            && hand.pan == egui::Vec2::ZERO
            && shared.held.grip_in(Pane::Slice(self.plane)).is_none();
        if let Some(at) = hand.pointer {
            let event = self.event(placement, Phase::Hover, at, hand);
            self.pointer = Some(event);
            if let (true, Some(point)) =
                (driving && ui.input(|input| input.pointer.is_moving()), event.point_in_patient)
            {
                shared.stroke.carry_out(
                    crate::tools::action::Action::MoveCrosshair(point),
                    scene.session,
                    scene.notices,
                );
            }
            read_out(event.point_in_patient, scene);
            let left = match self.hot_line {
                Some((_, Part::Line)) => "move plane",
                Some((_, Part::End)) => "turn plane",
                None => scene.tools.active().left_button(),
            };
            scene.readout.buttons = [left, "pan", "window"].map(str::to_owned);
        }
        let near = hand.pointer.filter(|_| lines_are_free && self.line.is_none());
        self.hot_line = match self.line {
            Some(line) => Some((line.plane, line.part)),
            None => near.and_then(|at| plane_lines::caught(self.plane, &scene.session.view, placement, at)),
        };
    }

    /// Drags the line of another plane. Says whether the event was for it.
    fn drag_line(&mut self, phase: Phase, at: egui::Pos2, placement: &SlicePlacement, session: &mut Session) -> bool {
        let grid =
            session.view.active_volume.and_then(|id| session.document().volume(id)).map(|object| object.head.grid);
        match (phase, self.line) {
            (Phase::Press, _) => {
                let caught = plane_lines::caught(self.plane, &session.view, placement, at);
                self.line = caught.map(|(plane, part)| plane_lines::Grip::new(plane, part, at, &session.view));
                self.line.is_some()
            }
            (Phase::Drag, Some(line)) => {
                if let Some(grid) = grid {
                    line.drag_to(at, self.plane, placement, &mut session.view, &grid);
                }
                true
            }
            (Phase::Release, Some(line)) => {
                self.line = None;
                if let Some(grid) = grid.filter(|_| line.is_click(at)) {
                    line.restore(&mut session.view);
                    session.view.move_crosshair(placement.patient(at), &grid);
                }
                true
            }
            _ => false,
        }
    }

    /// Lets go of a line and puts its plane back (Esc).
    pub fn drop_line(&mut self, session: &mut Session) {
        if let Some(line) = self.line.take() {
            line.restore(&mut session.view);
        }
    }

    fn scroll(&self, steps: i32, session: &mut Session) {
        let grid =
            session.view.active_volume.and_then(|id| session.document().volume(id)).map(|object| object.head.grid);
        if let (true, Some(grid)) = (steps != 0, grid) {
            session.view.scroll(self.plane, steps, &grid);
        }
    }

    fn event(&self, placement: &SlicePlacement, phase: Phase, at: egui::Pos2, hand: &ViewInput) -> PointerEvent {
        PointerEvent {
            view: View::Slice(self.plane),
            phase,
            position_in_ndc: ndc(placement.rect, at),
            point_in_patient: Some(placement.patient(at)),
            clip_from_patient: placement.clip_from_patient(),
            mm_per_point: placement.mm_per_point(),
            modifiers: hand.modifiers,
        }
    }

    fn draw_picture(&mut self, ui: &Ui, placement: &SlicePlacement, scene: &Scene<'_>, source: &PictureSource) {
        let Some(style) = style(scene, self.plane) else { return };
        let key = PictureKey { frame: placement.frame, style, source_version: source.version() };
        if self.drawn.as_ref() != Some(&key) {
            let size_px = placement.frame.size_px;
            let context = &scene.device.context;
            let texture = match self.picture.take() {
                Some(mut picture) => {
                    picture.texture.resize(context, size_px);
                    picture
                }
                None => {
                    let texture = ViewTexture::new(context, "slice view", size_px);
                    let id = scene.device.register(texture.view(), Filter::Nearest);
                    let generation = texture.generation();
                    Picture { texture, id, generation }
                }
            };
            self.picture = Some(redrawn(texture, placement.frame, style, scene.device, source));
            self.drawn = Some(key);
        }
        if let Some(picture) = &self.picture {
            let whole = Rect::from_min_max(egui::Pos2::ZERO, egui::Pos2::new(1.0, 1.0));
            ui.painter_at(placement.rect).image(picture.id, placement.rect, whole, Color32::WHITE);
        }
    }

    fn annotate(
        &self,
        painter: &egui::Painter,
        placement: &SlicePlacement,
        session: &Session,
        object: &VolumeObject,
        (shared, pointed_at): (&Shared, bool),
    ) {
        let (rect, frame) = (placement.rect, &placement.frame);
        if session.view.crosshair_visible {
            let handles = self.line.is_some() || (pointed_at && self.lines_free);
            plane_lines::paint(painter, self.plane, &session.view, placement, (handles, self.hot_line));
        }
        annotations::plane_edge(painter, rect, self.plane);
        annotations::orientation_letters(painter, rect, frame.right_in_patient, frame.down_in_patient);
        let identity = shared.identity_lines(Pane::Slice(self.plane), session);
        annotations::corner_text(painter, rect, egui::Align2::LEFT_TOP, &identity);
        if !session.view.corners_visible {
            return;
        }
        annotations::scale_bar(painter, rect, placement.mm_per_point());
        let window = session.view.window(object.id);
        let mut lines = remarks(session.view.slice(self.plane).slab, session.view.interpolation);
        lines.extend([
            position_text(session.view.slice(self.plane), session.view.crosshair_in_patient, &object.head.grid),
            format!("W {} L {}", numbers::decimal(window.width, 0), numbers::decimal(window.level, 0)),
        ]);
        annotations::corner_text(painter, rect, egui::Align2::RIGHT_BOTTOM, &lines);
    }

    fn draw_overlays(&self, painter: &egui::Painter, placement: &SlicePlacement, scene: &Scene<'_>, shared: &Shared) {
        let (session, tools) = (&*scene.session, &*scene.tools);
        for (color, line) in shared.contours(self.plane, session) {
            let points = line.iter().map(|point| placement.screen(*point)).collect();
            painter.add(Shape::line(points, Stroke::new(1.5, color)));
        }
        let moving = shared.hand.moving_measurement();
        let normal = session.view.slice(self.plane).normal_in_patient();
        let near = |object: &&crate::session::measurement::MeasurementObject| {
            object.visible
                && Some(object.id) != moving
                && distance_from_slice_mm(&object.shape, normal, session.view.crosshair_in_patient) <= SHOWN_WITHIN_MM
        };
        for object in session.document().measurements().iter().filter(near) {
            let value = shared.measured(session.document(), object.volume, &object.shape);
            let emphasis = match (scene.selected == Some(object.id), tools.active().measures()) {
                (true, _) => Emphasis::Selected,
                (false, true) => Emphasis::Movable,
                (false, false) => Emphasis::Placed,
            };
            measurements::paint(painter, placement, &object.shape, &value, emphasis);
        }
        for overlay in shared.hand.overlays(View::Slice(self.plane), self.pointer.as_ref(), tools) {
            match overlay {
                Overlay::Footprint { center_in_patient, radius_mm, erase } => {
                    footprint(painter, placement, center_in_patient, radius_mm, erase);
                }
                Overlay::Outline(points) => outline(painter, placement.rect, &points),
                Overlay::Measurement(shape) => {
                    let value = session.view.active_volume.map(|id| shared.measured(session.document(), id, &shape));
                    measurements::paint(painter, placement, &shape, &value.unwrap_or_default(), Emphasis::Selected);
                }
            }
        }
    }
}

fn redrawn(
    mut picture: Picture,
    frame: SliceFrame,
    style: SliceStyle,
    device: &WindowDevice,
    source: &PictureSource,
) -> Picture {
    source.draw_slice(&device.context, &mut picture.texture, frame, style);
    if picture.texture.generation() != picture.generation {
        device.replace(picture.id, picture.texture.view(), Filter::Nearest);
        picture.generation = picture.texture.generation();
    }
    picture
}

/// How slices are drawn now: window, interpolation, the preview of the threshold tool.
fn style(scene: &Scene<'_>, plane: Plane) -> Option<SliceStyle> {
    let view = &scene.session.view;
    let id = view.active_volume?;
    let mut style = SliceStyle::new(view.window(id));
    style.interpolation = view.interpolation;
    style.color_map = view.color_map;
    style.slab = view.slice(plane).slab;
    style.inverted = view.inverted;
    if scene.tools.active() == ToolKind::Threshold {
        let (lower, upper) = scene.tools.options.threshold;
        let segment = view.active_segment.and_then(|id| scene.session.document().segment(id));
        let color = segment.map_or([0xF1, 0xD6, 0x91], |object| object.segment.info.color);
        style.preview = Some(RangePreview { lower, upper, color, opacity: 0.55 });
    }
    Some(style)
}

/// "S 51.0 mm · 34/108": where a plane is, with the letter of the patient's side; how far a turned plane leans.
fn position_text(slice: &SliceView, crosshair_in_patient: DVec3, grid: &Grid) -> String {
    let plane = slice.plane;
    if slice.is_oblique() {
        let leaning = slice.normal_in_patient().angle_between(plane.normal_in_patient()).to_degrees();
        return format!("oblique {}\u{b0}", numbers::decimal(leaning, 1));
    }
    let at = crosshair_in_patient[plane.normal_axis()];
    let letters = match plane {
        Plane::Axial => ["S", "I"],
        Plane::Sagittal => ["L", "R"],
        Plane::Coronal => ["P", "A"],
    };
    let slice = slice_index(grid, plane, crosshair_in_patient);
    let position = format!("{} {}", letters[usize::from(at < 0.0)], numbers::mm(at.abs()));
    format!("{position} \u{b7} {}/{}", slice.index + 1, slice.count)
}

/// Whether a tool leaves the left button in slices to the crosshair.
fn moves_crosshair(tool: ToolKind) -> bool {
    matches!(tool, ToolKind::Navigate | ToolKind::Threshold | ToolKind::FillHoles | ToolKind::Margin)
}

fn footprint(
    painter: &egui::Painter,
    placement: &SlicePlacement,
    center_in_patient: DVec3,
    radius_mm: f64,
    erase: bool,
) {
    let radius = (radius_mm / placement.mm_per_point()) as f32;
    let color = if erase { theme::BAD } else { Color32::WHITE };
    let at = placement.screen(center_in_patient);
    painter.circle_stroke(at, radius, Stroke::new(2.5, Color32::from_black_alpha(150)));
    painter.circle_stroke(at, radius, Stroke::new(1.2, color));
}

/// A scissors outline being drawn, with its closing edge.
pub(super) fn outline(painter: &egui::Painter, rect: Rect, outline_in_ndc: &[DVec2]) {
    let points: Vec<_> = outline_in_ndc.iter().map(|point| super::placement::screen_of_ndc(rect, *point)).collect();
    if let (Some(first), Some(last)) = (points.first().copied(), points.last().copied()) {
        painter.extend(Shape::dashed_line(&[last, first], Stroke::new(1.0, theme::WARN), 4.0, 4.0));
    }
    painter.add(Shape::line(points.clone(), Stroke::new(3.0, Color32::from_black_alpha(150))));
    painter.add(Shape::line(points, Stroke::new(1.5, theme::WARN)));
}

fn cursor(tool: ToolKind, grip: Option<Grip>) -> CursorIcon {
    match (grip, tool) {
        (Some(Grip::Pan), _) => CursorIcon::Grabbing,
        (Some(Grip::Adjust), _) => CursorIcon::AllScroll,
        (_, ToolKind::Paint | ToolKind::Erase) => CursorIcon::None,
        (_, ToolKind::Islands) => CursorIcon::PointingHand,
        _ => CursorIcon::Crosshair,
    }
}
