//! The crop box by hand: a handle in the middle of each face is dragged along its axis.

use egui::{Color32, Painter, Pos2, Stroke, Vec2};
use glam::DVec3;

use crate::app::theme;
use crate::session::view::CropBox;

use super::placement::VolumePlacement;

/// A handle is caught within this many screen points.
const CATCH_POINTS: f32 = 10.0;
/// The box is never thinner than this, mm.
const THINNEST_MM: f64 = 2.0;

/// A face of the box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Face {
    /// Patient axis across the face: 0 x, 1 y, 2 z.
    axis: usize,
    /// The face at the larger coordinate.
    upper: bool,
}

const FACES: [Face; 6] = [
    Face { axis: 0, upper: false },
    Face { axis: 0, upper: true },
    Face { axis: 1, upper: false },
    Face { axis: 1, upper: true },
    Face { axis: 2, upper: false },
    Face { axis: 2, upper: true },
];

fn middle(crop: &CropBox, face: Face) -> DVec3 {
    let mut middle = (crop.lower_in_patient + crop.upper_in_patient) / 2.0;
    middle[face.axis] = if face.upper { crop.upper_in_patient[face.axis] } else { crop.lower_in_patient[face.axis] };
    middle
}

/// The face whose handle is under the pointer; the nearest one counts.
pub fn caught(crop: &CropBox, view: &VolumePlacement, pointer: Pos2) -> Option<Face> {
    let distance = |face: &Face| view.screen(middle(crop, *face)).map_or(f32::INFINITY, |at| at.distance(pointer));
    let nearest = FACES.into_iter().min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
    (distance(&nearest) <= CATCH_POINTS).then_some(nearest)
}

/// The box after a face was dragged on the screen; it stays inside `bounds` (lower, upper) and never turns inside out.
pub fn dragged(crop: &CropBox, face: Face, view: &VolumePlacement, moved: Vec2, bounds: (DVec3, DVec3)) -> CropBox {
    let from = middle(crop, face);
    let (Some(at), Some(one_mm_on)) = (view.screen(from), view.screen(from + DVec3::AXES[face.axis])) else {
        return *crop;
    };
    let per_mm = one_mm_on - at;
    // A face that is seen edge-on cannot be dragged: the pointer says nothing about it.
    if per_mm.length() < 0.05 {
        return *crop;
    }
    let moved_mm = f64::from(moved.dot(per_mm) / per_mm.length_sq());
    let (mut lower, mut upper) = (crop.lower_in_patient, crop.upper_in_patient);
    let axis = face.axis;
    if face.upper {
        upper[axis] = (upper[axis] + moved_mm).clamp((lower[axis] + THINNEST_MM).min(bounds.1[axis]), bounds.1[axis]);
    } else {
        lower[axis] = (lower[axis] + moved_mm).clamp(bounds.0[axis], (upper[axis] - THINNEST_MM).max(bounds.0[axis]));
    }
    CropBox { lower_in_patient: lower, upper_in_patient: upper }
}

/// Draws the handles.
pub fn paint(painter: &Painter, crop: &CropBox, view: &VolumePlacement, pointer: Option<Pos2>, held: Option<Face>) {
    let hot = held.or_else(|| pointer.and_then(|pointer| caught(crop, view, pointer)));
    for face in FACES {
        if let Some(at) = view.screen(middle(crop, face)) {
            let fill = if hot == Some(face) { theme::ACCENT } else { theme::RAISED };
            painter.circle_filled(at, 6.5, Color32::from_black_alpha(120));
            painter.circle(at, 5.0, fill, Stroke::new(1.5, theme::ACCENT));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::camera::{Camera, StandardView};

    #[test]
    fn a_face_follows_the_pointer_and_stops_at_the_volume() {
        let bounds = (DVec3::splat(-50.0), DVec3::splat(50.0));
        let crop = CropBox { lower_in_patient: bounds.0, upper_in_patient: bounds.1 };
        let view = VolumePlacement {
            camera: Camera::fitting(bounds.0, bounds.1, StandardView::Anterior),
            rect: egui::Rect::from_min_size(Pos2::ZERO, egui::vec2(400.0, 400.0)),
            reach_mm: 200.0,
        };
        let left_face = Face { axis: 0, upper: true };
        let at = view.screen(middle(&crop, left_face)).expect("in front of the eye");
        assert_eq!(caught(&crop, &view, at), Some(left_face));
        let moved = dragged(&crop, left_face, &view, Vec2::new(-40.0, 0.0), bounds);
        let new_at = view.screen(middle(&moved, left_face)).expect("in front of the eye");
        assert!((new_at.x - (at.x - 40.0)).abs() < 1.0, "the face is under the pointer");
        assert_eq!(dragged(&crop, left_face, &view, Vec2::new(500.0, 0.0), bounds), crop);
        let thin = dragged(&crop, left_face, &view, Vec2::new(-5000.0, 0.0), bounds);
        assert!(thin.upper_in_patient.x > thin.lower_in_patient.x);
    }
}
