//! One slice view: its picture, what stands on it, and the hand in it.
//!
//! The picture is drawn only when something in it changed; overlays are vectors drawn each frame.

use egui::{Color32, CursorIcon, Rect, Response, Sense, Shape, Stroke, TextureId, Ui};
use glam::{DVec2, DVec3};

use crate::app::bindings::mouse::Deed;
use crate::app::device::{Filter, WindowDevice};
use crate::app::theme;
use crate::domain::plane::Plane;
use crate::domain::slice::{SliceFrame, SliceStyle};
use crate::gpu::view_texture::ViewTexture;
use crate::session::Session;
use crate::session::document::VolumeId;
use crate::session::mesh_object::{MeshId, MeshSource};
use crate::session::view::dragged_window;
use crate::session::view::fusion::{BLINK_SECS, Fusion, FusionWay};
use crate::session::view::side_by_side::may_share_space;
use crate::tools::measure::{SHOWN_WITHIN_MM, distance_from_slice_mm};
use crate::tools::options::ToolKind;
use crate::tools::overlay::Overlay;
use crate::tools::pointer::{Phase, PointerEvent, View};

use super::Scene;
use super::annotations;
use super::divider;
use super::input::{Grip, ViewInput, gather};
use super::layout::Pane;
use super::measurements::{self, Emphasis};
use super::picture_source::PictureSource;
use super::placement::{SlicePlacement, ndc};
use super::plane_lines::{self, Part};
use super::seat::{Seat, grid_of, placement, style};
use super::series_label;
use super::shared::{Shared, read_out};
use super::slice_menu::remarks;
use super::slice_text::{fusion_text, position_text, window_text};

/// A picture on the device and its name in the window.
struct Picture {
    texture: ViewTexture,
    id: TextureId,
    generation: u64,
}

/// Everything a picture depends on; equal keys are equal pictures.
#[derive(Debug, Clone, PartialEq)]
struct PictureKey {
    volume: VolumeId,
    over: Option<VolumeId>,
    frame: SliceFrame,
    style: SliceStyle,
    source_versions: [u64; 2],
}

/// One slice view.
pub struct SlicePane {
    pane: Pane,
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
    /// The press that made this view's volume the active one did nothing else, nor does the drag that follows it.
    press_taken: bool,
    /// The divider of two images is in the hand.
    divider_held: bool,
}

impl SlicePane {
    /// A slice view.
    pub fn new(pane: Pane) -> Self {
        Self {
            pane,
            picture: None,
            drawn: None,
            fitted_size: None,
            pointer: None,
            line: None,
            hot_line: None,
            lines_free: false,
            press_taken: false,
            divider_held: false,
        }
    }

    /// Which view it is.
    pub fn pane(&self) -> Pane {
        self.pane
    }

    /// Fits the volume into the view at the next frame.
    pub fn fit(&mut self) {
        self.fitted_size = None;
    }

    /// Draws the view and answers the hand. Returns the response of its rectangle.
    pub fn ui(&mut self, ui: &mut Ui, rect: Rect, scene: &mut Scene<'_>, shared: &mut Shared) -> Response {
        let response = ui.interact(rect, ui.scope_id().with(self.pane), Sense::click_and_drag());
        let seat = Seat::of(self.pane, scene.session);
        response.widget_info(|| {
            egui::WidgetInfo::labeled(
                egui::Role::Image,
                true,
                series_label::accessible_name(self.pane, seat, scene.session),
            )
        });
        if self.picture.is_none() || seat.is_none() {
            ui.painter_at(rect).rect_filled(rect, 0.0, theme::VIEW);
        }
        let Some(seat) = seat else {
            if let (Pane::Series(_), true) = (self.pane, scene.session.view.active_volume.is_some()) {
                let words = "No series here: choose one in the view's own menu";
                let (at, center) = (rect.center(), egui::Align2::CENTER_CENTER);
                annotations::outlined_text(ui.painter(), at, center, words, theme::overlay(), theme::WEAK);
            }
            return response;
        };
        if self.fitted_size.is_none() {
            self.refit(rect, seat, scene.session);
        }
        let hand_of = (&scene.mouse, scene.tools.active());
        let hand = gather(ui, &response, self.pane, &mut shared.held, hand_of);
        let placed = placement(ui, rect, seat, scene.session);
        self.answer(ui, &hand, (&placed, seat), scene, shared);
        let placement = placement(ui, rect, seat, scene.session);
        self.draw_picture(ui, (&placement, seat), scene, &shared.source);
        let painter = ui.painter_at(rect);
        self.annotate(&painter, (&placement, seat), scene.session, (shared, response.contains_pointer()));
        self.draw_overlays(&painter, (&placement, seat), scene, shared);
        if response.hovered() {
            let fusion = seat.fusion(scene.session);
            let at_divider = response.hover_pos().is_some_and(|at| self.is_at_divider(at, fusion.as_ref(), rect));
            ui.ctx().set_cursor_icon(match (self.line, self.hot_line) {
                _ if at_divider => CursorIcon::ResizeHorizontal,
                (Some(_), _) => CursorIcon::Grabbing,
                (None, Some(_)) => CursorIcon::Grab,
                (None, None) => cursor(scene.tools.active(), shared.held.grip_in(self.pane)),
            });
        }
        response
    }

    fn refit(&mut self, rect: Rect, seat: Seat, session: &mut Session) {
        let Some(grid) = grid_of(seat, session) else { return };
        self.fitted_size = Some(rect.size());
        // Linked views have one zoom: that of the volume that is looked at.
        if !session.view.beside.unlinked && !seat.is_active(session) {
            return;
        }
        let size = DVec2::new(f64::from(rect.width()), f64::from(rect.height()));
        session.view.at_volume(seat.volume, |view| {
            let fitted = view.slice(seat.plane).fitted(&grid, size);
            *view.slice_mut(seat.plane) = fitted;
        });
    }

    /// Carries out what the hand does.
    fn answer(
        &mut self,
        ui: &Ui,
        hand: &ViewInput,
        (placement, seat): (&SlicePlacement, Seat),
        scene: &mut Scene<'_>,
        shared: &mut Shared,
    ) {
        self.pointer = None;
        let tool = scene.tools.active();
        let left_is_free = scene.mouse.left(hand.modifiers, tool) == Deed::Tool;
        let lines_are_free = moves_crosshair(tool) && left_is_free && scene.session.view.crosshair_visible;
        self.lines_free = lines_are_free;
        let fusion = seat.fusion(scene.session);
        // Where the left button is no tool's (window and level, as in a PACS), it says all the same what is worked on.
        let by_window = matches!(shared.held.grip_in(self.pane), Some(Grip::Adjust));
        if by_window && !seat.is_active(scene.session) && ui.input(|input| input.pointer.primary_pressed()) {
            scene.session.work_on_volume_beside(seat.volume);
        }
        for (phase, at) in &hand.tool {
            let over = scene.session.view.fusion.as_mut().filter(|_| fusion.is_some());
            if divider::drag(&mut self.divider_held, *phase, *at, placement.rect, over) {
                continue;
            }
            if self.takes_over(*phase, seat, scene) || !seat.is_active(scene.session) {
                continue;
            }
            if lines_are_free && self.drag_line(*phase, *at, (placement, seat), scene.session) {
                continue;
            }
            let event = event(seat.plane, placement, *phase, *at, hand);
            for action in shared.hand.handle(&event, scene.tools, scene.session.document()) {
                shared.stroke.carry_out(action, scene.session, scene.notices);
            }
        }
        move_picture(hand, (placement, seat), scene);
        let typing = ui.ctx().egui_wants_keyboard_input();
        let steps = shared.whole_notches(hand.scroll_notches) + if typing { 0 } else { hand.key_steps };
        if let (true, Some(grid)) = (steps != 0, grid_of(seat, scene.session)) {
            scene.session.view.at_volume(seat.volume, |view| view.scroll(seat.plane, steps, &grid));
        }
        let driving = hand.modifiers.shift
            && hand.pan == egui::Vec2::ZERO
            && shared.held.grip_in(self.pane).is_none()
            && ui.input(|input| input.pointer.is_moving());
        if let Some(at) = hand.pointer {
            let event = event(seat.plane, placement, Phase::Hover, at, hand);
            self.pointer = Some(event);
            if let (true, Some(point), Some(grid)) = (driving, event.point_in_patient, grid_of(seat, scene.session)) {
                scene.session.view.at_volume(seat.volume, |view| view.move_crosshair(point, &grid));
            }
            read_out(event.point_in_patient, (Some(seat.volume), fusion.map(|fusion| fusion.volume)), scene);
            let [left, middle, right] = scene.mouse.hints(scene.tools.active());
            let left = match self.hot_line {
                _ if self.is_at_divider(at, fusion.as_ref(), placement.rect) => "wipe",
                _ if !seat.is_active(scene.session) => "work on this series",
                Some((_, Part::Line)) => "move plane",
                Some((_, Part::End)) => "turn plane",
                None => left,
            };
            scene.readout.buttons = [left, middle, right].map(str::to_owned);
        }
        let lines_are_free = lines_are_free && seat.is_active(scene.session);
        let near = hand.pointer.filter(|_| lines_are_free && self.line.is_none());
        self.hot_line = match self.line {
            Some(line) => Some((line.plane, line.part)),
            None => near.and_then(|at| plane_lines::caught(seat.plane, &scene.session.view, placement, at)),
        };
    }

    /// A press in a view of another volume makes that volume the one that is worked on. What a tool would change there is
    /// only begun by the next press: nobody shall paint into a series that they were not working on. Says whether the event
    /// was for that.
    fn takes_over(&mut self, phase: Phase, seat: Seat, scene: &mut Scene<'_>) -> bool {
        if phase == Phase::Press && !seat.is_active(scene.session) {
            scene.session.work_on_volume_beside(seat.volume);
            let tool = scene.tools.active();
            self.press_taken = tool.edits_segment() || tool.measures();
        }
        let taken = self.press_taken && phase != Phase::Hover;
        if phase == Phase::Release {
            self.press_taken = false;
        }
        taken
    }

    fn is_at_divider(&self, at: egui::Pos2, fusion: Option<&Fusion>, rect: Rect) -> bool {
        self.divider_held || fusion.is_some_and(|fusion| divider::is_caught(fusion, rect, at))
    }

    /// Drags the line of another plane. Says whether the event was for it.
    fn drag_line(
        &mut self,
        phase: Phase,
        at: egui::Pos2,
        (placement, seat): (&SlicePlacement, Seat),
        session: &mut Session,
    ) -> bool {
        let grid = grid_of(seat, session);
        match (phase, self.line) {
            (Phase::Press, _) => {
                let caught = plane_lines::caught(seat.plane, &session.view, placement, at);
                self.line = caught.map(|(plane, part)| plane_lines::Grip::new(plane, part, at, &session.view));
                self.line.is_some()
            }
            (Phase::Drag, Some(line)) => {
                if let Some(grid) = grid {
                    line.drag_to(at, seat.plane, placement, &mut session.view, &grid);
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

    fn draw_picture(
        &mut self,
        ui: &Ui,
        (placement, seat): (&SlicePlacement, Seat),
        scene: &Scene<'_>,
        source: &PictureSource,
    ) {
        let fusion = seat.fusion(scene.session);
        let over = fusion.map(|fusion| fusion.volume);
        let now_secs = ui.input(|input| input.time);
        if fusion.is_some_and(|fusion| fusion.way == FusionWay::Blink) {
            ui.ctx().request_repaint_after_secs((BLINK_SECS - now_secs.rem_euclid(BLINK_SECS)) as f32);
        }
        let style = style(scene, seat, fusion.and_then(|fusion| fusion.style(now_secs)));
        let source_versions = [seat.volume, over.unwrap_or(seat.volume)].map(|id| source.version(id));
        let key = PictureKey { volume: seat.volume, over, frame: placement.frame, style, source_versions };
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
            self.picture = Some(redrawn(texture, (seat.volume, over), (placement.frame, style), scene.device, source));
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
        (placement, seat): (&SlicePlacement, Seat),
        session: &Session,
        (shared, pointed_at): (&Shared, bool),
    ) {
        let (rect, frame) = (placement.rect, &placement.frame);
        let seen = session.view.seen_from(seat.volume);
        if seen.crosshair_visible {
            let handles = self.line.is_some() || (pointed_at && self.lines_free && seat.is_active(session));
            plane_lines::paint(painter, seat.plane, &seen, placement, (handles, self.hot_line));
        }
        if seen.ruler_visible {
            annotations::ruler_grid(painter, placement);
        }
        annotations::plane_edge(painter, rect, seat.plane);
        annotations::orientation_letters(painter, rect, frame.right_in_patient, frame.down_in_patient);
        match self.pane {
            Pane::Series(_) => series_label::paint(painter, rect, seat, session),
            Pane::Slice(_) | Pane::Volume => {
                let identity = shared.identity_lines(self.pane, session);
                annotations::corner_text(painter, rect, egui::Align2::LEFT_TOP, &identity);
            }
        }
        let Some(grid) = grid_of(seat, session).filter(|_| seen.corners_visible) else { return };
        annotations::scale_bar(painter, rect, placement.mm_per_point());
        let window = seen.window(seat.volume);
        let mut lines = remarks(seen.slice(seat.plane).slab, seen.interpolation);
        lines.extend([position_text(seen.slice(seat.plane), seen.crosshair_in_patient, &grid), window_text(window)]);
        lines.extend(seat.fusion(session).map(|fusion| fusion_text(&fusion, session)));
        annotations::corner_text(painter, rect, egui::Align2::RIGHT_BOTTOM, &lines);
    }

    fn draw_overlays(
        &self,
        painter: &egui::Painter,
        (placement, seat): (&SlicePlacement, Seat),
        scene: &Scene<'_>,
        shared: &Shared,
    ) {
        let (session, tools) = (&*scene.session, &*scene.tools);
        let seen = session.view.seen_from(seat.volume);
        // What lies in another frame of reference is nowhere in this picture.
        let is_here = |volume: VolumeId| may_share_space(session.document(), volume, seat.volume);
        seat.fusion(session).iter().for_each(|fusion| divider::paint(painter, placement.rect, fusion));
        // Contours are cut where the active volume is looked at.
        if seat.is_active(session) || !seen.beside.unlinked {
            for (mesh, color, line) in shared.contours(seat.plane, session) {
                if !mesh_volume(mesh, session).is_none_or(is_here) {
                    continue;
                }
                let points = line.iter().map(|point| placement.screen(*point)).collect();
                painter.add(Shape::line(points, Stroke::new(1.5, color)));
            }
        }
        let moving = shared.hand.moving_measurement();
        let normal = seen.slice(seat.plane).normal_in_patient();
        let near = |object: &&crate::session::measurement::MeasurementObject| {
            object.visible
                && Some(object.id) != moving
                && is_here(object.volume)
                && distance_from_slice_mm(&object.shape, normal, seen.crosshair_in_patient) <= SHOWN_WITHIN_MM
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
        if !seat.is_active(session) {
            return;
        }
        for overlay in shared.hand.overlays(View::Slice(seat.plane), self.pointer.as_ref(), tools) {
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
    volumes: (VolumeId, Option<VolumeId>),
    shown: (SliceFrame, SliceStyle),
    device: &WindowDevice,
    source: &PictureSource,
) -> Picture {
    source.draw_slice(&device.context, &mut picture.texture, volumes, shown);
    if picture.texture.generation() != picture.generation {
        device.replace(picture.id, picture.texture.view(), Filter::Nearest);
        picture.generation = picture.texture.generation();
    }
    picture
}

/// The volume that a mesh was made of, as far as it is known.
fn mesh_volume(mesh: MeshId, session: &Session) -> Option<VolumeId> {
    match session.document().mesh(mesh)?.source {
        MeshSource::Segment { segment, .. } => session.document().segment(segment).map(|object| object.volume),
        MeshSource::IsoValue { volume, .. } | MeshSource::Imported { volume, .. } => Some(volume),
    }
}

/// Pan, zoom, window and brush by the hand.
fn move_picture(hand: &ViewInput, (placement, seat): (&SlicePlacement, Seat), scene: &mut Scene<'_>) {
    let points = |v: egui::Vec2| DVec2::new(f64::from(v.x), f64::from(v.y));
    if hand.brush_notches != 0.0 {
        scene.tools.options.resize_brush(f64::from(hand.brush_notches));
    }
    let fused = seat.fusion(scene.session).is_some() && hand.modifiers.ctrl;
    let view = &mut scene.session.view;
    match &mut view.fusion {
        // With Ctrl it is the window of what lies over the slice.
        Some(fusion) if fused => fusion.window = dragged_window(fusion.window, points(hand.adjust)),
        _ if hand.adjust != egui::Vec2::ZERO => view.drag_window(seat.volume, points(hand.adjust)),
        _ => {}
    }
    if hand.pan == egui::Vec2::ZERO && hand.zoom_notches == 0.0 && hand.grow == 0.0 {
        return;
    }
    let around = hand.pointer.map_or(DVec2::ZERO, |at| points(at - placement.rect.center()));
    view.at_volume(seat.volume, |view| {
        let panned = view.slice(seat.plane).panned(points(hand.pan));
        *view.slice_mut(seat.plane) = panned.zoomed(1.15_f64.powf(f64::from(hand.zoom_notches)), around);
        // A drag of 150 points doubles the picture, about its middle.
        let grown = view.slice(seat.plane).zoomed((f64::from(hand.grow) / 150.0).exp2(), DVec2::ZERO);
        *view.slice_mut(seat.plane) = grown;
    });
}

fn event(plane: Plane, placement: &SlicePlacement, phase: Phase, at: egui::Pos2, hand: &ViewInput) -> PointerEvent {
    PointerEvent {
        view: View::Slice(plane),
        phase,
        position_in_ndc: ndc(placement.rect, at),
        point_in_patient: Some(placement.patient(at)),
        clip_from_patient: placement.clip_from_patient(),
        mm_per_point: placement.mm_per_point(),
        modifiers: hand.modifiers,
    }
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
        (Some(Grip::Zoom), _) => CursorIcon::ZoomIn,
        (_, ToolKind::Paint | ToolKind::Erase) => CursorIcon::None,
        (_, ToolKind::Islands) => CursorIcon::PointingHand,
        _ => CursorIcon::Crosshair,
    }
}
