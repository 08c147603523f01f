//! The orientation cube: which side of the patient is seen, in the corner of every 3D view; a click turns the view there.

use egui::{Align2, Color32, Painter, Pos2, Rect, Shape, Stroke};
use glam::DVec3;

use crate::app::theme;
use crate::domain::camera::{Camera, StandardView};

/// Half the size of the cube on the screen.
const HALF: f32 = 15.0;
/// Room for the turned cube.
const ROOM: f32 = 60.0;

/// Where the cube is in a view.
pub fn place(view: Rect) -> Rect {
    Rect::from_min_size(Pos2::new(view.left() + 8.0, view.bottom() - ROOM - 8.0), egui::vec2(ROOM, ROOM))
}

/// Draws the cube as the camera sees the patient.
pub fn paint(painter: &Painter, view: Rect, camera: &Camera, pointer: Option<Pos2>) {
    let center = place(view).center();
    let under_pointer = pointer.and_then(|pointer| face_at(view, camera, pointer));
    for (face, letter) in StandardView::LETTERED {
        let Some(corners) = visible_corners(center, camera, face) else { continue };
        let fill = if under_pointer == Some(face) {
            theme::CHOSEN
        } else {
            Color32::from_rgba_unmultiplied(0x27, 0x2A, 0x2E, 215)
        };
        painter.add(Shape::convex_polygon(corners.to_vec(), fill, Stroke::new(1.0, theme::WEAK)));
        let middle = corners.iter().fold(egui::Vec2::ZERO, |sum, corner| sum + corner.to_vec2()) / 4.0;
        painter.text(middle.to_pos2(), Align2::CENTER_CENTER, letter, theme::semibold(12.0), theme::TEXT);
    }
}

/// The standard view whose face is under the pointer.
pub fn face_at(view: Rect, camera: &Camera, pointer: Pos2) -> Option<StandardView> {
    let center = place(view).center();
    let hit = |(face, _): &(StandardView, &str)| {
        visible_corners(center, camera, *face).is_some_and(|corners| contains(&corners, pointer))
    };
    StandardView::LETTERED.iter().find(|face| hit(face)).map(|(face, _)| *face)
}

/// Corners of a face on the screen; `None` when it looks away.
fn visible_corners(center: Pos2, camera: &Camera, face: StandardView) -> Option<[Pos2; 4]> {
    let (looking, up) = face.direction_and_up();
    let outward = -looking;
    if outward.dot(camera.direction_in_patient) >= -1e-3 {
        return None;
    }
    let side = up.cross(outward);
    let corner = |along_side: f64, along_up: f64| {
        let point: DVec3 = outward + side * along_side + up * along_up;
        let (x, y) = (point.dot(camera.right_in_patient()), point.dot(camera.up_in_patient));
        center + egui::vec2(x as f32 * HALF, -y as f32 * HALF)
    };
    Some([corner(-1.0, -1.0), corner(1.0, -1.0), corner(1.0, 1.0), corner(-1.0, 1.0)])
}

/// Whether a convex polygon holds a point.
fn contains(corners: &[Pos2; 4], point: Pos2) -> bool {
    let sides = (0..4).map(|n| {
        let (a, b) = (corners[n], corners[(n + 1) % 4]);
        let (edge, to_point) = (b - a, point - a);
        edge.x * to_point.y - edge.y * to_point.x
    });
    let (mut positive, mut negative) = (0, 0);
    sides.for_each(|side| if side > 0.0 { positive += 1 } else { negative += 1 });
    positive == 0 || negative == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_face_seen_from_the_front_is_anterior() {
        let view = Rect::from_min_size(Pos2::ZERO, egui::vec2(300.0, 300.0));
        let camera = Camera::fitting(DVec3::splat(-1.0), DVec3::splat(1.0), StandardView::Anterior);
        assert_eq!(face_at(view, &camera, place(view).center()), Some(StandardView::Anterior));
        let turned = camera.orbited(0.6, 0.0);
        let right_edge = place(view).center() + egui::vec2(17.0, 0.0);
        let left_edge = place(view).center() - egui::vec2(17.0, 0.0);
        assert_eq!(
            face_at(view, &turned, left_edge),
            Some(StandardView::Right),
            "pulling to the right shows the right side"
        );
        assert_ne!(face_at(view, &turned, right_edge), Some(StandardView::Right));
    }
}
