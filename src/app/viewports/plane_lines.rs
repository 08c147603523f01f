//! The lines of the other planes in a slice view: drawn through the crosshair, dragged to move a plane, turned by their ends.
//!
//! The handles at the ends are seen whenever the pointer is in the view and the tool in the hand moves the crosshair: nobody
//! has to know a key. What a drag does is worked out from where it began, so that it is exact and Esc can put it back.

use egui::{Color32, Painter, Pos2, Rect, Stroke, Vec2};
use glam::DVec3;

use crate::domain::grid::Grid;
use crate::domain::plane::Plane;
use crate::session::view::{SliceView, ViewState};

use super::annotations::plane_color;
use super::placement::SlicePlacement;

/// A line is caught within this many screen points, a handle within more.
const CATCH_LINE: f32 = 4.0;
const CATCH_HANDLE: f32 = 10.0;
/// Around the crosshair the lines have a gap, so that what is there can be seen.
const GAP: f32 = 10.0;
/// Lines are not caught this near to the crosshair: there the left button moves both.
const FREE: f32 = 24.0;
/// Handles keep this distance to the edge of the view, where the letters are.
const EDGE: f32 = 34.0;
/// Where there is less room than this, no handle is shown.
const LEAST_RADIUS: f32 = 40.0;
/// A drag shorter than this is a click, screen points.
const SLIP: f32 = 3.0;
/// Two planes whose normals are nearer than this have no line.
const LEAST_SINE: f64 = 0.02;

/// The line of another plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Line {
    /// The other plane.
    pub plane: Plane,
    /// Its direction on the screen.
    direction: Vec2,
}

/// What part of a line is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The line: its plane moves.
    Line,
    /// An end: its plane turns.
    End,
}

/// A line in the hand, and how everything was before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grip {
    /// The plane whose line is held.
    pub plane: Plane,
    /// What is held of it.
    pub part: Part,
    begun_at: Pos2,
    slices: [SliceView; 3],
    crosshair_in_patient: DVec3,
}

impl Grip {
    /// Takes hold of a line.
    pub(super) fn new(plane: Plane, part: Part, at: Pos2, state: &ViewState) -> Self {
        let (slices, crosshair_in_patient) = (state.slices, state.crosshair_in_patient);
        Self { plane, part, begun_at: at, slices, crosshair_in_patient }
    }

    /// Whether nothing but a click came of it so far: the crosshair goes there then, as beside a line.
    pub(super) fn is_click(&self, at: Pos2) -> bool {
        self.part == Part::Line && self.begun_at.distance(at) < SLIP
    }

    /// Puts everything back as it was (Esc).
    pub(super) fn restore(&self, state: &mut ViewState) {
        state.slices = self.slices;
        state.crosshair_in_patient = self.crosshair_in_patient;
    }

    /// What the drag to a place does.
    pub(super) fn drag_to(&self, at: Pos2, seen_in: Plane, view: &SlicePlacement, state: &mut ViewState, grid: &Grid) {
        self.restore(state);
        match self.part {
            Part::Line => {
                // Only across the line: along it, its plane stays the same.
                let normal = state.slice(self.plane).normal_in_patient();
                let seen = state.slice(seen_in).normal_in_patient();
                let across = (normal - seen * normal.dot(seen)).normalize_or_zero();
                let moved = (view.patient(at) - view.patient(self.begun_at)).dot(across);
                state.move_crosshair(self.crosshair_in_patient + across * moved, grid);
            }
            Part::End => {
                let center = view.screen(self.crosshair_in_patient);
                let turn = (at - center).angle() - (self.begun_at - center).angle();
                let angle = state.snapped_angle(seen_in, self.plane, f64::from(turn));
                state.turn_line(seen_in, self.plane, angle);
            }
        }
    }
}

/// The lines of the other planes in a view.
pub(super) fn lines(seen_in: Plane, state: &ViewState) -> impl Iterator<Item = Line> {
    let seen = *state.slice(seen_in);
    let others = state.slices.into_iter().filter(move |slice| slice.plane != seen_in);
    others.filter_map(move |slice| {
        let along = seen.normal_in_patient().cross(slice.normal_in_patient());
        let direction = Vec2::new(along.dot(seen.right_in_patient()) as f32, along.dot(seen.down_in_patient()) as f32);
        (along.length() > LEAST_SINE).then(|| Line { plane: slice.plane, direction: direction.normalized() })
    })
}

impl Line {
    /// Where its handles are: on both sides of the crosshair, inside the view.
    fn handles(&self, center: Pos2, rect: Rect) -> impl Iterator<Item = Pos2> {
        let inner = rect.shrink(EDGE);
        let wanted = rect.width().min(rect.height()) * 0.4;
        [self.direction, -self.direction].into_iter().filter_map(move |direction| {
            if !inner.contains(center) {
                return None;
            }
            let room = |from: f32, low: f32, high: f32, along: f32| match along {
                along if along > 1e-4 => (high - from) / along,
                along if along < -1e-4 => (low - from) / along,
                _ => f32::INFINITY,
            };
            let reach = room(center.x, inner.left(), inner.right(), direction.x).min(room(
                center.y,
                inner.top(),
                inner.bottom(),
                direction.y,
            ));
            let radius = wanted.min(reach);
            (radius >= LEAST_RADIUS).then(|| center + direction * radius)
        })
    }
}

/// What of which line is under the pointer.
pub(super) fn caught(seen_in: Plane, state: &ViewState, view: &SlicePlacement, pointer: Pos2) -> Option<(Plane, Part)> {
    let center = view.screen(state.crosshair_in_patient);
    let end = lines(seen_in, state)
        .find(|line| line.handles(center, view.rect).any(|handle| handle.distance(pointer) <= CATCH_HANDLE));
    if let Some(line) = end {
        return Some((line.plane, Part::End));
    }
    let offset = pointer - center;
    let near = |line: &Line| (offset.x * line.direction.y - offset.y * line.direction.x).abs();
    let line = lines(seen_in, state).filter(|line| near(line) <= CATCH_LINE).min_by(|a, b| near(a).total_cmp(&near(b)));
    line.filter(|_| offset.length() > FREE).map(|line| (line.plane, Part::Line))
}

/// Draws the lines; with handles while the hand can take them.
pub(super) fn paint(
    painter: &Painter,
    seen_in: Plane,
    state: &ViewState,
    view: &SlicePlacement,
    (handles, hot): (bool, Option<(Plane, Part)>),
) {
    let center = view.screen(state.crosshair_in_patient);
    let reach = view.rect.size().length() + view.rect.center().distance(center);
    for line in lines(seen_in, state) {
        let color = plane_color(line.plane);
        let is_hot = |part| hot == Some((line.plane, part));
        let stroke = Stroke::new(if is_hot(Part::Line) { 2.0 } else { 1.0 }, color);
        for direction in [line.direction, -line.direction] {
            painter.line_segment([center + direction * GAP, center + direction * reach], stroke);
        }
        if !handles {
            continue;
        }
        for handle in line.handles(center, view.rect) {
            let fill = if is_hot(Part::End) { color } else { Color32::from_black_alpha(160) };
            painter.circle_filled(handle, 6.5, Color32::from_black_alpha(120));
            painter.circle(handle, 5.0, fill, Stroke::new(1.5, color));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::slice::SliceFrame;
    use glam::DVec3;

    fn bench() -> (ViewState, Grid) {
        let grid = Grid::axis_aligned([100, 100, 100], DVec3::ONE, DVec3::ZERO).expect("a grid");
        let crosshair_in_patient = DVec3::new(40.0, 60.0, 50.0);
        let mut state = ViewState { crosshair_in_patient, ..ViewState::default() };
        state.slices = Plane::ALL.map(|plane| SliceView::new(plane, DVec3::splat(50.0), 0.25));
        (state, grid)
    }

    fn placement(plane: Plane, state: &ViewState) -> SlicePlacement {
        let slice = state.slice(plane);
        let frame = SliceFrame {
            center_in_patient: slice.on_slice(slice.center_in_patient, state.crosshair_in_patient),
            right_in_patient: slice.right_in_patient(),
            down_in_patient: slice.down_in_patient(),
            mm_per_px: slice.mm_per_px,
            size_px: [400, 400],
        };
        let rect = Rect::from_min_size(Pos2::ZERO, Vec2::splat(400.0));
        SlicePlacement { frame, rect, pixels_per_point: 1.0 }
    }

    #[test]
    fn a_dragged_line_moves_its_plane_and_only_that() {
        let (mut state, grid) = bench();
        let view = placement(Plane::Axial, &state);
        let center = view.screen(state.crosshair_in_patient);
        let on_sagittal = center + Vec2::new(1.0, 80.0);
        assert_eq!(caught(Plane::Axial, &state, &view, on_sagittal), Some((Plane::Sagittal, Part::Line)));
        assert_eq!(caught(Plane::Axial, &state, &view, center), None, "there both move");
        let grip = Grip::new(Plane::Sagittal, Part::Line, on_sagittal, &state);
        grip.drag_to(on_sagittal + Vec2::new(20.0, 33.0), Plane::Axial, &view, &mut state, &grid);
        assert!(state.crosshair_in_patient.distance(DVec3::new(45.0, 60.0, 50.0)) < 1e-9);
        grip.restore(&mut state);
        assert_eq!(state.crosshair_in_patient, DVec3::new(40.0, 60.0, 50.0));
    }

    #[test]
    fn a_dragged_end_turns_the_line_under_the_pointer() {
        let (mut state, grid) = bench();
        let view = placement(Plane::Axial, &state);
        let center = view.screen(state.crosshair_in_patient);
        let sagittal = lines(Plane::Axial, &state).find(|line| line.plane == Plane::Sagittal).expect("a line");
        let end = sagittal.handles(center, view.rect).next().expect("a handle");
        assert_eq!(caught(Plane::Axial, &state, &view, end), Some((Plane::Sagittal, Part::End)));
        let grip = Grip::new(Plane::Sagittal, Part::End, end, &state);
        let to = center + Vec2::angled((end - center).angle() + 0.35) * 90.0;
        grip.drag_to(to, Plane::Axial, &view, &mut state, &grid);
        let turned = lines(Plane::Axial, &state).find(|line| line.plane == Plane::Sagittal).expect("a line");
        let off = (to - center).normalized();
        assert!((turned.direction.x * off.y - turned.direction.y * off.x).abs() < 1e-5, "through the pointer");
        let third = lines(Plane::Axial, &state).find(|line| line.plane == Plane::Coronal).expect("a line");
        assert!(third.direction.dot(turned.direction).abs() < 1e-6, "and the third plane follows");
        assert!(!state.slice(Plane::Axial).is_oblique() && state.slice(Plane::Sagittal).is_oblique());
        grip.drag_to(end + Vec2::new(1.0, 0.0), Plane::Axial, &view, &mut state, &grid);
        assert!(!state.has_turned_planes(), "near the body's axes it snaps to them");
    }
}
