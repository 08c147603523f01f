//! The planes that cut the volume in 3D, and those of the slices: outlines, and handles that are dragged along the normal.
//!
//! The hand is that of the crop box (`cropping`): a handle follows the pointer as far as its plane can be seen to move.

use egui::{Color32, Painter, Pos2, Shape, Stroke, Vec2};
use glam::DVec3;

use crate::app::theme;
use crate::domain::clip::outline_in_box;
use crate::domain::plane::Plane;
use crate::session::view::ViewState;
use crate::session::view::volume_look::Cut;

use super::annotations::plane_color;
use super::placement::VolumePlacement;

/// A handle is caught within this many screen points.
const CATCH_POINTS: f32 = 10.0;
/// A plane that moves less than this on the screen when it moves 1 mm is seen face on and cannot be dragged.
const LEAST_POINTS_PER_MM: f32 = 0.05;
/// Length of the arrow that points to what stays, points.
const ARROW: f32 = 16.0;

/// The cut whose handle is under the pointer; the nearest one counts.
pub(super) fn caught(cuts: &[Cut], view: &VolumePlacement, pointer: Pos2) -> Option<usize> {
    let distance =
        |n: &usize| view.screen(cuts[*n].through_in_patient).map_or(f32::INFINITY, |at| at.distance(pointer));
    let shown = (0..cuts.len()).filter(|n| cuts[*n].on);
    shown.min_by(|a, b| distance(a).total_cmp(&distance(b))).filter(|n| distance(n) <= CATCH_POINTS)
}

/// The cut after its handle was dragged on the screen.
pub(super) fn dragged(cut: Cut, view: &VolumePlacement, moved: Vec2) -> Cut {
    let from = cut.through_in_patient;
    let (Some(at), Some(one_mm_on)) = (view.screen(from), view.screen(from + cut.normal_in_patient)) else {
        return cut;
    };
    let per_mm = one_mm_on - at;
    if per_mm.length() < LEAST_POINTS_PER_MM {
        return cut;
    }
    cut.at_position(cut.position_mm() + f64::from(moved.dot(per_mm) / per_mm.length_sq()))
}

/// Draws outlines and handles of the cuts, and the outlines of the slices where they are wanted.
pub(super) fn paint(
    painter: &Painter,
    state: &ViewState,
    view: &VolumePlacement,
    bounds_in_patient: (DVec3, DVec3),
    (pointer, held): (Option<Pos2>, Option<usize>),
) {
    if state.planes_in_3d {
        for plane in Plane::ALL {
            let normal = state.slice(plane).normal_in_patient();
            let points = outline_in_box(state.crosshair_in_patient, normal, bounds_in_patient);
            outline(painter, view, &points, plane_color(plane));
        }
    }
    let hot = held.or_else(|| pointer.and_then(|pointer| caught(&state.look.cuts, view, pointer)));
    for (n, cut) in state.look.cuts.iter().enumerate().filter(|(_, cut)| cut.on) {
        let points = outline_in_box(cut.through_in_patient, cut.normal_in_patient, bounds_in_patient);
        outline(painter, view, &points, theme::ACCENT);
        let Some(at) = view.screen(cut.through_in_patient) else { continue };
        if let Some(on) = view.screen(cut.through_in_patient + cut.normal_in_patient)
            && (on - at).length() > LEAST_POINTS_PER_MM
        {
            painter.arrow(at, (on - at).normalized() * ARROW, Stroke::new(1.5, theme::ACCENT));
        }
        let fill = if hot == Some(n) { theme::ACCENT } else { theme::RAISED };
        painter.circle_filled(at, 6.5, Color32::from_black_alpha(120));
        painter.circle(at, 5.0, fill, Stroke::new(1.5, theme::ACCENT));
    }
}

fn outline(painter: &Painter, view: &VolumePlacement, points_in_patient: &[DVec3], color: Color32) {
    let points: Option<Vec<Pos2>> = points_in_patient.iter().map(|point| view.screen(*point)).collect();
    // A corner behind the eye has no place: better no outline than a wrong one.
    if let Some(points) = points.filter(|points| points.len() > 2) {
        painter.add(Shape::closed_line(points, Stroke::new(1.0, color)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::camera::{Camera, StandardView};

    #[test]
    fn a_handle_follows_the_pointer_along_the_normal_only() {
        let bounds = (DVec3::splat(-50.0), DVec3::splat(50.0));
        let view = VolumePlacement {
            camera: Camera::fitting(bounds.0, bounds.1, StandardView::Anterior),
            rect: egui::Rect::from_min_size(Pos2::ZERO, egui::vec2(400.0, 400.0)),
            reach_mm: 200.0,
        };
        let cut = Cut { through_in_patient: DVec3::ZERO, normal_in_patient: DVec3::Z, on: true };
        let at = view.screen(DVec3::ZERO).expect("in front of the eye");
        assert_eq!(caught(&[cut], &view, at + Vec2::new(6.0, 0.0)), Some(0));
        assert_eq!(caught(&[cut], &view, at + Vec2::new(0.0, 30.0)), None);
        assert_eq!(caught(&[Cut { on: false, ..cut }], &view, at), None, "what is off is not there");
        let moved = dragged(cut, &view, Vec2::new(25.0, -40.0));
        let new_at = view.screen(moved.through_in_patient).expect("in front of the eye");
        assert!((new_at - (at - Vec2::new(0.0, 40.0))).length() < 1.0, "up, and not to the side");
        assert!(moved.through_in_patient.z > 0.0);
        let facing = Cut { normal_in_patient: DVec3::Y, ..cut };
        assert_eq!(dragged(facing, &view, Vec2::new(0.0, 90.0)), facing, "seen face on");
    }
}
