//! The camera of a 3D view.
//!
//! View space: x right, y up, looking along -z, origin at the eye, mm. Clip space: WebGPU (z 0..1).

use glam::{DMat4, DVec2, DVec3};
use serde::{Deserialize, Serialize};

/// How depth becomes size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Projection {
    /// Near things are larger; full vertical angle of view.
    Perspective {
        /// Vertical angle of view, radians.
        fov_y_rad: f64,
    },
    /// Sizes can be compared; height of the view at the focus.
    Orthographic {
        /// Visible height in mm.
        height_mm: f64,
    },
}

/// A half-line in patient space.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ray {
    /// Start in patient space, mm.
    pub origin_in_patient: DVec3,
    /// Unit direction in patient space.
    pub direction_in_patient: DVec3,
}

impl Ray {
    /// The point at a distance in mm.
    pub fn at(&self, distance_mm: f64) -> DVec3 {
        self.origin_in_patient + self.direction_in_patient * distance_mm
    }
}

/// Where the eye is and what it looks at.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Camera {
    /// The point looked at and turned around, mm.
    pub focus_in_patient: DVec3,
    /// Unit vector from the eye to the focus.
    pub direction_in_patient: DVec3,
    /// Unit vector that is up on the screen, perpendicular to the direction.
    pub up_in_patient: DVec3,
    /// Distance from the eye to the focus, mm.
    pub distance_mm: f64,
    /// How depth becomes size.
    pub projection: Projection,
}

/// The six standard views, named by the side of the patient that is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StandardView {
    /// From the front.
    Anterior,
    /// From the back.
    Posterior,
    /// From the patient's left.
    Left,
    /// From the patient's right.
    Right,
    /// From the head.
    Superior,
    /// From the feet.
    Inferior,
}

impl StandardView {
    /// All of them, each with the letter of the side of the patient that it looks at.
    pub const LETTERED: [(Self, &str); 6] = [
        (Self::Anterior, "A"),
        (Self::Posterior, "P"),
        (Self::Left, "L"),
        (Self::Right, "R"),
        (Self::Superior, "S"),
        (Self::Inferior, "I"),
    ];

    /// Viewing direction and up vector in patient space.
    pub fn direction_and_up(self) -> (DVec3, DVec3) {
        match self {
            Self::Anterior => (DVec3::Y, DVec3::Z),
            Self::Posterior => (DVec3::NEG_Y, DVec3::Z),
            Self::Left => (DVec3::NEG_X, DVec3::Z),
            Self::Right => (DVec3::X, DVec3::Z),
            Self::Superior => (DVec3::NEG_Z, DVec3::NEG_Y),
            Self::Inferior => (DVec3::Z, DVec3::NEG_Y),
        }
    }
}

/// Angle of view of a camera in perspective, radians: 30 degrees.
const FOV_Y_RAD: f64 = std::f64::consts::FRAC_PI_6;

impl Camera {
    /// A perspective camera (30 degrees) that sees all of a box of patient space from a standard view.
    pub fn fitting(lower_in_patient: DVec3, upper_in_patient: DVec3, view: StandardView) -> Self {
        let (direction_in_patient, up_in_patient) = view.direction_and_up();
        let radius_mm = (upper_in_patient - lower_in_patient).length().max(1.0) / 2.0;
        let fov_y_rad = FOV_Y_RAD;
        Self {
            focus_in_patient: (lower_in_patient + upper_in_patient) / 2.0,
            direction_in_patient,
            up_in_patient,
            distance_mm: radius_mm / (fov_y_rad / 2.0).sin(),
            projection: Projection::Perspective { fov_y_rad },
        }
    }

    /// In a parallel projection, or in perspective again; what is at the focus keeps its size.
    #[must_use]
    pub fn in_parallel(&self, parallel: bool) -> Self {
        let height_mm = self.height_at_focus_mm();
        if parallel {
            return Self { projection: Projection::Orthographic { height_mm }, ..*self };
        }
        let fov_y_rad = match self.projection {
            Projection::Perspective { fov_y_rad } => fov_y_rad,
            Projection::Orthographic { .. } => FOV_Y_RAD,
        };
        let distance_mm = (height_mm / 2.0 / (fov_y_rad / 2.0).tan()).max(1.0);
        Self { projection: Projection::Perspective { fov_y_rad }, distance_mm, ..*self }
    }

    /// Whether rays are parallel.
    pub fn is_parallel(&self) -> bool {
        matches!(self.projection, Projection::Orthographic { .. })
    }

    /// Position of the eye, mm.
    pub fn eye_in_patient(&self) -> DVec3 {
        self.focus_in_patient - self.direction_in_patient * self.distance_mm
    }

    /// Unit vector that points right on the screen.
    pub fn right_in_patient(&self) -> DVec3 {
        self.direction_in_patient.cross(self.up_in_patient).normalize()
    }

    /// Visible height at the focus, mm.
    pub fn height_at_focus_mm(&self) -> f64 {
        match self.projection {
            Projection::Perspective { fov_y_rad } => 2.0 * self.distance_mm * (fov_y_rad / 2.0).tan(),
            Projection::Orthographic { height_mm } => height_mm,
        }
    }

    /// Patient space to view space.
    pub fn view_from_patient(&self) -> DMat4 {
        glam::dcamera::rh::view::look_to_mat4(self.eye_in_patient(), self.direction_in_patient, self.up_in_patient)
    }

    /// Patient space to clip space. `aspect` is width over height; `reach_mm` is how far from the focus anything is drawn.
    pub fn clip_from_patient(&self, aspect: f64, reach_mm: f64) -> DMat4 {
        let far_mm = self.distance_mm + reach_mm;
        let near_mm = (self.distance_mm - reach_mm).max(far_mm * 1e-3);
        let clip_from_view = match self.projection {
            Projection::Perspective { fov_y_rad } => {
                glam::dcamera::rh::proj::directx::perspective(fov_y_rad, aspect, near_mm, far_mm)
            }
            Projection::Orthographic { height_mm } => {
                let (half_h, half_w) = (height_mm / 2.0, height_mm * aspect / 2.0);
                glam::dcamera::rh::proj::directx::orthographic(
                    -half_w,
                    half_w,
                    -half_h,
                    half_h,
                    self.distance_mm - reach_mm,
                    far_mm,
                )
            }
        };
        clip_from_view * self.view_from_patient()
    }

    /// The ray through a point of the view, in normalised device coordinates (x right, y up, both -1 to 1).
    pub fn ray_through(&self, point_in_ndc: DVec2, aspect: f64) -> Ray {
        let (right, up) = (self.right_in_patient(), self.up_in_patient);
        let half_h = self.height_at_focus_mm() / 2.0;
        let offset = right * (point_in_ndc.x * half_h * aspect) + up * (point_in_ndc.y * half_h);
        match self.projection {
            Projection::Perspective { .. } => {
                let eye = self.eye_in_patient();
                let direction = (self.focus_in_patient + offset - eye).normalize();
                Ray { origin_in_patient: eye, direction_in_patient: direction }
            }
            Projection::Orthographic { .. } => Ray {
                origin_in_patient: self.eye_in_patient() + offset,
                direction_in_patient: self.direction_in_patient,
            },
        }
    }

    /// Turned about its focus: to the right about the up vector, then up about the right vector, radians.
    #[must_use]
    pub fn orbited(&self, right_rad: f64, up_rad: f64) -> Self {
        let turn = glam::DQuat::from_axis_angle(self.up_in_patient, -right_rad)
            * glam::DQuat::from_axis_angle(self.right_in_patient(), -up_rad);
        let direction = (turn * self.direction_in_patient).normalize();
        let up = turn * self.up_in_patient;
        let up = (up - direction * up.dot(direction)).normalize();
        Self { direction_in_patient: direction, up_in_patient: up, ..*self }
    }

    /// Turned about the patient's long axis through its focus, to the patient's left for an eye in front, radians.
    #[must_use]
    pub fn turned_about_long_axis(&self, angle_rad: f64) -> Self {
        let turn = glam::DQuat::from_rotation_z(angle_rad);
        Self {
            direction_in_patient: turn * self.direction_in_patient,
            up_in_patient: turn * self.up_in_patient,
            ..*self
        }
    }

    /// Turned about another point, which keeps its place on the screen.
    #[must_use]
    pub fn orbited_around(&self, pivot_in_patient: DVec3, right_rad: f64, up_rad: f64) -> Self {
        let turned = self.orbited(right_rad, up_rad);
        let patient_from_new_view = turned.view_from_patient().inverse();
        let pivot_in_view = self.view_from_patient().transform_point3(pivot_in_patient);
        let moved = patient_from_new_view.transform_point3(pivot_in_view);
        Self { focus_in_patient: turned.focus_in_patient + pivot_in_patient - moved, ..turned }
    }

    /// Moved sideways by a part of the view's height (right, up).
    #[must_use]
    pub fn panned(&self, right: f64, up: f64) -> Self {
        let height = self.height_at_focus_mm();
        let offset = self.right_in_patient() * (right * height) + self.up_in_patient * (up * height);
        Self { focus_in_patient: self.focus_in_patient - offset, ..*self }
    }

    /// Made larger (factor over 1) or smaller.
    #[must_use]
    pub fn zoomed(&self, factor: f64) -> Self {
        let factor = factor.clamp(0.01, 100.0);
        let projection = match self.projection {
            Projection::Orthographic { height_mm } => Projection::Orthographic { height_mm: height_mm / factor },
            perspective @ Projection::Perspective { .. } => perspective,
        };
        Self { distance_mm: (self.distance_mm / factor).max(1.0), projection, ..*self }
    }

    /// Moved along its direction (or scaled, in a parallel projection) until all points fill the view up to a margin of 8 %.
    /// The focus goes to the middle of the points' bounding box.
    #[must_use]
    pub fn framing(&self, points_in_patient: &[DVec3], aspect: f64) -> Self {
        let lower = points_in_patient.iter().copied().fold(DVec3::INFINITY, DVec3::min);
        let upper = points_in_patient.iter().copied().fold(DVec3::NEG_INFINITY, DVec3::max);
        if !(upper - lower).is_finite() {
            return *self;
        }
        let mut camera = Self { focus_in_patient: (lower + upper) / 2.0, ..*self };
        // Nearer points grow faster in perspective: a few rounds settle.
        for _ in 0..8 {
            let view_from_patient = camera.view_from_patient();
            let half_height = camera.height_at_focus_mm() / 2.0;
            let fill = points_in_patient.iter().map(|&point| {
                let in_view = view_from_patient.transform_point3(point);
                let depth = (-in_view.z / camera.distance_mm).max(0.05);
                let scale = match camera.projection {
                    Projection::Perspective { .. } => half_height * depth,
                    Projection::Orthographic { .. } => half_height,
                };
                (in_view.x / (scale * aspect)).abs().max((in_view.y / scale).abs())
            });
            camera = camera.zoomed(0.92 / fill.fold(1e-3, f64::max));
        }
        camera
    }

    /// Turned about its focus to C-arm angles, head up: see [`Camera::c_arm_angles_deg`].
    #[must_use]
    pub fn at_c_arm_angles(&self, lao_rad: f64, cranial_rad: f64) -> Self {
        let cranial_rad = cranial_rad.clamp(-std::f64::consts::FRAC_PI_2, std::f64::consts::FRAC_PI_2);
        let toward_eye =
            DVec3::new(lao_rad.sin() * cranial_rad.cos(), -lao_rad.cos() * cranial_rad.cos(), cranial_rad.sin());
        let up = DVec3::new(-lao_rad.sin() * cranial_rad.sin(), lao_rad.cos() * cranial_rad.sin(), cranial_rad.cos());
        Self { direction_in_patient: -toward_eye, up_in_patient: up, ..*self }
    }

    /// C-arm angles in degrees: LAO positive (RAO negative), cranial positive (caudal negative); anterior view is (0, 0).
    /// Source: the sign convention of *Positioner Primary Angle* (0018,1510) and *Secondary Angle* (0018,1511).
    pub fn c_arm_angles_deg(&self) -> (f64, f64) {
        let toward_eye = -self.direction_in_patient;
        let lao = toward_eye.x.atan2(-toward_eye.y).to_degrees();
        let cranial = toward_eye.z.clamp(-1.0, 1.0).asin().to_degrees();
        (lao, cranial)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera() -> Camera {
        Camera::fitting(DVec3::splat(-100.0), DVec3::splat(100.0), StandardView::Anterior)
    }

    #[test]
    fn patient_left_is_on_the_right_of_an_anterior_view() {
        let clip_from_patient = camera().clip_from_patient(1.0, 400.0);
        assert!(clip_from_patient.project_point3(DVec3::new(50.0, 0.0, 0.0)).x > 0.1, "left of the patient is +x");
        assert!(clip_from_patient.project_point3(DVec3::new(0.0, 0.0, 50.0)).y > 0.1, "the head is up");
    }

    #[test]
    fn rays_and_projection_agree() {
        for projection in [Projection::Perspective { fov_y_rad: 0.6 }, Projection::Orthographic { height_mm: 150.0 }] {
            let camera = Camera { projection, ..camera().orbited(0.4, -0.3) };
            let ray = camera.ray_through(DVec2::new(0.3, -0.6), 1.5);
            let clip = camera.clip_from_patient(1.5, 400.0).project_point3(ray.at(333.0));
            assert!((clip.x - 0.3).abs() < 1e-9 && (clip.y + 0.6).abs() < 1e-9, "{clip}");
        }
    }

    #[test]
    fn orbiting_around_a_pivot_keeps_it_on_the_screen() {
        let pivot = DVec3::new(20.0, -30.0, 40.0);
        let turned = camera().orbited_around(pivot, 0.5, 0.2);
        let before = camera().clip_from_patient(1.0, 900.0).project_point3(pivot);
        let after = turned.clip_from_patient(1.0, 900.0).project_point3(pivot);
        assert!(before.truncate().distance(after.truncate()) < 1e-9);
    }

    #[test]
    fn c_arm_angles_come_back_and_framing_fills_the_view() {
        for (lao, cranial) in [(0.0, 0.0), (30.0, -20.0), (-45.0, 15.0), (100.0, 60.0)] {
            let turned = camera().at_c_arm_angles(f64::to_radians(lao), f64::to_radians(cranial));
            let (lao_back, cranial_back) = turned.c_arm_angles_deg();
            assert!((lao - lao_back).abs() < 1e-9 && (cranial - cranial_back).abs() < 1e-9);
            assert!(
                turned.up_in_patient.dot(turned.direction_in_patient).abs() < 1e-12 && turned.up_in_patient.z > 0.0
            );
        }
        let corners: Vec<DVec3> = (0..8)
            .map(|n| {
                DVec3::new(f64::from(n & 1) * 200.0 + 10.0, f64::from(n >> 1 & 1) * 100.0, f64::from(n >> 2) * 60.0)
            })
            .collect();
        for projection in [camera().projection, Projection::Orthographic { height_mm: 1.0 }] {
            let framed = Camera { projection, ..camera() }.framing(&corners, 1.5);
            let clip_from_patient = framed.clip_from_patient(1.5, 500.0);
            let fill =
                corners.iter().map(|&corner| clip_from_patient.project_point3(corner).truncate().abs().max_element());
            let fill = fill.fold(0.0, f64::max);
            assert!((fill - 0.92).abs() < 0.02, "{fill}");
        }
    }

    #[test]
    fn parallel_and_back_keeps_the_size_at_the_focus() {
        let near = camera().zoomed(2.0);
        let parallel = near.in_parallel(true);
        assert!(parallel.is_parallel() && !near.is_parallel());
        let zoomed = parallel.zoomed(3.0);
        let back = zoomed.in_parallel(false);
        assert!((back.height_at_focus_mm() - near.height_at_focus_mm() / 3.0).abs() < 1e-9);
        assert!((parallel.in_parallel(false).distance_mm - near.distance_mm).abs() < 1e-9);
    }

    /// PS3.3 C.8.7.5.1.2: the primary angle is positive towards LAO (the detector at the patient's left), the secondary one
    /// towards the head; both are 0 with the detector in front of a patient on his back.
    #[test]
    fn c_arm_angles_put_the_detector_where_dicom_says() {
        let eye = |lao: f64, cranial: f64| {
            let camera = camera().at_c_arm_angles(lao.to_radians(), cranial.to_radians());
            (camera.eye_in_patient() - camera.focus_in_patient).normalize()
        };
        assert!(eye(0.0, 0.0).distance(DVec3::NEG_Y) < 1e-12, "in front");
        assert!(eye(90.0, 0.0).distance(DVec3::X) < 1e-12, "LAO 90: at the patient's left");
        assert!(eye(-90.0, 0.0).distance(DVec3::NEG_X) < 1e-12, "RAO 90: at the patient's right");
        assert!(eye(0.0, 90.0).distance(DVec3::Z) < 1e-12, "cranial 90: above the head");
        let spider = eye(45.0, -30.0);
        assert!(spider.x > 0.5 && spider.y < -0.5 && (spider.z + 0.5).abs() < 1e-9, "LAO 45 CAUD 30: {spider}");
    }

    #[test]
    fn a_turn_about_the_long_axis_goes_by_lao_and_keeps_the_head_up() {
        let quarter = camera().turned_about_long_axis(std::f64::consts::FRAC_PI_2);
        let (lao, cranial) = quarter.c_arm_angles_deg();
        assert!((lao - 90.0).abs() < 1e-9 && cranial.abs() < 1e-9, "{lao} {cranial}");
        assert!(quarter.up_in_patient.distance(DVec3::Z) < 1e-12);
    }

    #[test]
    fn c_arm_angles_have_the_clinical_sign() {
        let (lao, cranial) =
            Camera { direction_in_patient: DVec3::new(-0.5, 0.8, 0.1).normalize(), ..camera() }.c_arm_angles_deg();
        assert!(lao > 0.0, "the detector on the patient's left is LAO");
        assert!(cranial < 0.0, "the detector towards the feet is caudal");
    }
}
