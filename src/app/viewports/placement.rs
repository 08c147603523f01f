//! Where a view lies on the screen: screen points to patient space and back.
//!
//! Space: screen positions are egui points; pixels of a slice frame are physical pixels of the view.

use egui::{Pos2, Rect};
use glam::{DMat4, DVec2, DVec3, DVec4};

use crate::domain::camera::{Camera, Ray};
use crate::domain::slice::SliceFrame;

/// A slice view on the screen.
#[derive(Debug, Clone, Copy)]
pub struct SlicePlacement {
    /// What it shows; its pixels are physical ones.
    pub frame: SliceFrame,
    /// Where it is.
    pub rect: Rect,
    /// Physical pixels of a screen point.
    pub pixels_per_point: f32,
}

impl SlicePlacement {
    /// Where a point of the patient, projected onto the slice, is drawn.
    pub fn screen(&self, point_in_patient: DVec3) -> Pos2 {
        let px = self.frame.px_from_patient(point_in_patient) / f64::from(self.pixels_per_point);
        self.rect.min + egui::vec2(px.x as f32, px.y as f32)
    }

    /// The point of the patient under a screen position.
    pub fn patient(&self, position: Pos2) -> DVec3 {
        let offset = (position - self.rect.min) * self.pixels_per_point;
        self.frame.point_in_patient(DVec2::new(f64::from(offset.x), f64::from(offset.y)))
    }

    /// Size of a screen point, mm.
    pub fn mm_per_point(&self) -> f64 {
        self.frame.mm_per_px * f64::from(self.pixels_per_point)
    }

    /// Patient space to the view's clip space: a parallel projection along the slice's normal. Depth 0.5 is the slice, one unit
    /// of depth is 4 m, so that a cut through the view goes through every patient.
    pub fn clip_from_patient(&self) -> DMat4 {
        const DEPTH_MM: f64 = 4000.0;
        let half = self.frame.center_px() * self.frame.mm_per_px;
        let frame = &self.frame;
        let row = |axis: DVec3, scale: f64, bias: f64| {
            (axis * scale).extend(bias - axis.dot(frame.center_in_patient) * scale)
        };
        let rows = [
            row(frame.right_in_patient, 1.0 / half.x, 0.0),
            row(-frame.down_in_patient, 1.0 / half.y, 0.0),
            row(frame.normal_in_patient(), 1.0 / DEPTH_MM, 0.5),
            DVec4::W,
        ];
        DMat4::from_cols(rows[0], rows[1], rows[2], rows[3]).transpose()
    }
}

/// A 3D view on the screen.
#[derive(Debug, Clone, Copy)]
pub struct VolumePlacement {
    /// Where the eye is.
    pub camera: Camera,
    /// Where the view is.
    pub rect: Rect,
    /// How far from the focus anything is drawn, mm.
    pub reach_mm: f64,
}

impl VolumePlacement {
    /// Width over height.
    pub fn aspect(&self) -> f64 {
        f64::from(self.rect.width().max(1.0)) / f64::from(self.rect.height().max(1.0))
    }

    /// Patient space to the view's clip space.
    pub fn clip_from_patient(&self) -> DMat4 {
        self.camera.clip_from_patient(self.aspect(), self.reach_mm)
    }

    /// The ray under a screen position.
    pub fn ray(&self, position: Pos2) -> Ray {
        self.camera.ray_through(ndc(self.rect, position), self.aspect())
    }

    /// Where a point of the patient is drawn; `None` behind the eye.
    pub fn screen(&self, point_in_patient: DVec3) -> Option<Pos2> {
        let clip = self.clip_from_patient() * point_in_patient.extend(1.0);
        (clip.w > 0.0).then(|| screen_of_ndc(self.rect, DVec2::new(clip.x, clip.y) / clip.w))
    }
}

/// Normalised device coordinates (x right, y up) of a screen position in a view.
pub fn ndc(rect: Rect, position: Pos2) -> DVec2 {
    let part = (position - rect.center()) / (rect.size() / 2.0).max(egui::Vec2::splat(0.5));
    DVec2::new(f64::from(part.x), -f64::from(part.y))
}

/// Screen position of normalised device coordinates.
pub fn screen_of_ndc(rect: Rect, point_in_ndc: DVec2) -> Pos2 {
    let half = rect.size() / 2.0;
    rect.center() + egui::vec2(point_in_ndc.x as f32 * half.x, -point_in_ndc.y as f32 * half.y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::plane::Plane;

    #[test]
    fn a_slice_view_has_one_space_whichever_way_it_is_asked() {
        let frame = SliceFrame::of_plane(Plane::Coronal, DVec3::new(10.0, 20.0, 30.0), 0.5, [800, 400]);
        let rect = Rect::from_min_size(Pos2::new(100.0, 50.0), egui::vec2(400.0, 200.0));
        let view = SlicePlacement { frame, rect, pixels_per_point: 2.0 };
        let at = Pos2::new(380.0, 70.0);
        let point = view.patient(at);
        assert!(view.screen(point).distance(at) < 1e-3);
        assert!(point.x > 10.0 && point.z > 30.0, "patient left is on the right, the head is up: {point}");
        let clip = view.clip_from_patient().project_point3(point + DVec3::Y * 100.0);
        assert!(clip.truncate().distance(ndc(rect, at)) < 1e-6, "clip space and screen agree, along the whole normal");
        assert!((0.0..1.0).contains(&clip.z));
    }
}
