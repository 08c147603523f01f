//! Slice planes turned by hand: double-oblique views that keep, or give up, their right angles.
//!
//! Space: patient (LPS, mm). Each slice view has a turn of its own, applied to its anatomical axes. A line of another plane
//! that is turned in a view turns that plane about the view's normal, through the crosshair; while the planes are locked the
//! third one goes with it. The view itself stays, so what the hand holds does not move away under it.

use glam::{DQuat, DVec3};

use crate::domain::grid::Grid;
use crate::domain::plane::Plane;

use super::ViewState;

/// A plane that comes this near to an anatomical one takes its place, radians: 2 degrees.
const SNAP_RAD: f64 = 2.0 * std::f64::consts::PI / 180.0;
/// A plane this near to a point goes through it, mm.
const HELD_MM: f64 = 0.1;
/// A turn whose axis times half its sine is this short is none: only then is a slice read without a plane's rounding.
const NO_TURN: f64 = 1e-9;

impl ViewState {
    /// Turns the plane whose line is seen in a view about that view's normal (clockwise on the screen), through the
    /// crosshair.
    pub fn turn_line(&mut self, view: Plane, line: Plane, angle_rad: f64) {
        let seen = self.slice(view);
        let axis = seen.right_in_patient().cross(seen.down_in_patient());
        let turn = DQuat::from_axis_angle(axis, angle_rad);
        let crosshair = self.crosshair_in_patient;
        let goes = |plane: Plane, locked: bool| plane == line || (locked && plane != view);
        let locked = self.planes_locked;
        for slice in self.slices.iter_mut().filter(|slice| goes(slice.plane, locked)) {
            let turned = (turn * slice.turn).normalize();
            let back = turned.xyz().length() < NO_TURN;
            slice.turn = if back { DQuat::IDENTITY } else { turned };
            slice.center_in_patient = crosshair + turn * (slice.center_in_patient - crosshair);
        }
    }

    /// The angle by which a line is turned instead of `angle_rad`, so that its plane ends at an anatomical axis when it comes
    /// near one.
    pub fn snapped_angle(&self, view: Plane, line: Plane, angle_rad: f64) -> f64 {
        let seen = self.slice(view);
        let axis = seen.right_in_patient().cross(seen.down_in_patient());
        let normal = DQuat::from_axis_angle(axis, angle_rad) * self.slice(line).normal_in_patient();
        let to_axis = |target: DVec3| {
            // Only axes in the view's plane can be reached by turning in it.
            let reachable = target.dot(axis).abs() < 1e-6;
            let missing = normal.cross(target).dot(axis).atan2(normal.dot(target));
            (reachable && missing.abs() < SNAP_RAD).then_some(missing)
        };
        let targets = DVec3::AXES.into_iter().flat_map(|target| [target, -target]);
        let missing = targets.filter_map(to_axis).min_by(|a, b| a.abs().total_cmp(&b.abs()));
        angle_rad + missing.unwrap_or(0.0)
    }

    /// Whether any plane is turned out of its anatomical place.
    pub fn has_turned_planes(&self) -> bool {
        self.slices.iter().any(super::SliceView::is_oblique)
    }

    /// Puts all planes back along the body.
    pub fn straighten_planes(&mut self) {
        let crosshair = self.crosshair_in_patient;
        for slice in &mut self.slices {
            slice.center_in_patient = crosshair + slice.turn.inverse() * (slice.center_in_patient - crosshair);
            slice.turn = DQuat::IDENTITY;
        }
    }

    /// Turns the planes so that one of them holds all of these points, which lie around the crosshair; they stay where one
    /// does already, and lie along the body where one does then.
    pub fn turn_to_points(&mut self, points_in_patient: &[DVec3]) {
        if self.some_plane_holds(points_in_patient) {
            return;
        }
        self.straighten_planes();
        let [first, second, ..] = points_in_patient else { return };
        if self.some_plane_holds(points_in_patient) {
            return;
        }
        let line = (*second - *first).normalize_or_zero();
        let plane = points_in_patient.get(2).and_then(|third| line.cross(*third - *first).try_normalize());
        let nearest = |fit: &dyn Fn(DVec3) -> f64| {
            let normals = self.slices.map(|slice| slice.normal_in_patient());
            normals.into_iter().max_by(|a, b| fit(*a).total_cmp(&fit(*b))).unwrap_or(DVec3::Z)
        };
        let (from, to) = match plane {
            Some(normal) => {
                let from = nearest(&|candidate| candidate.dot(normal).abs());
                (from, normal * normal.dot(from).signum())
            }
            None => {
                let from = nearest(&|candidate| -candidate.dot(line).abs());
                (from, (from - line * from.dot(line)).normalize_or(from))
            }
        };
        let (turn, crosshair) = (DQuat::from_rotation_arc(from, to), self.crosshair_in_patient);
        for slice in &mut self.slices {
            slice.turn = (turn * slice.turn).normalize();
            slice.center_in_patient = crosshair + turn * (slice.center_in_patient - crosshair);
        }
    }

    /// Whether a slice through the crosshair goes through all of these points.
    fn some_plane_holds(&self, points_in_patient: &[DVec3]) -> bool {
        let off_mm = |slice: &super::SliceView, point: &DVec3| {
            (*point - self.crosshair_in_patient).dot(slice.normal_in_patient()).abs()
        };
        self.slices.iter().any(|slice| points_in_patient.iter().all(|point| off_mm(slice, point) < HELD_MM))
    }

    /// Keeps the planes at right angles from now on, or lets each go its way. When they are not at right angles the two
    /// others follow the axial one.
    pub fn lock_planes(&mut self, locked: bool) {
        self.planes_locked = locked;
        let [a, b, c] = self.slices.map(|slice| slice.normal_in_patient());
        let square = [a.dot(b), b.dot(c), c.dot(a)].iter().all(|cosine| cosine.abs() < 1e-9);
        if locked && !square {
            let turn = self.slice(Plane::Axial).turn;
            self.slices.iter_mut().for_each(|slice| slice.turn = turn);
        }
    }

    /// Steps a turned plane by whole voxels along its normal; stops where the volume ends.
    pub(super) fn scroll_oblique(&mut self, plane: Plane, steps: i32, grid: &Grid) {
        let normal = self.slice(plane).normal_in_patient();
        let per_mm = grid.voxel_from_patient().transform_vector3(normal);
        let step_mm = 1.0 / per_mm.abs().max_element().max(1e-9);
        let voxel = grid.voxel_from_patient().transform_point3(self.crosshair_in_patient);
        let last = DVec3::from_array(grid.dims().map(|n| f64::from(n - 1)));
        let (mut back_mm, mut on_mm) = (f64::NEG_INFINITY, f64::INFINITY);
        for axis in (0..3).filter(|axis| per_mm[*axis].abs() > 1e-9) {
            let ends = [(0.0 - voxel[axis]) / per_mm[axis], (last[axis] - voxel[axis]) / per_mm[axis]];
            back_mm = back_mm.max(ends[0].min(ends[1]));
            on_mm = on_mm.min(ends[0].max(ends[1]));
        }
        let moved_mm = (f64::from(steps) * step_mm).clamp(back_mm.min(0.0), on_mm.max(0.0));
        self.crosshair_in_patient += normal * moved_mm;
    }

    /// The next slice, or the first after the last.
    pub fn step_around(&mut self, plane: Plane, grid: &Grid) {
        let before = self.crosshair_in_patient;
        self.scroll(plane, 1, grid);
        if self.crosshair_in_patient.distance(before) < 1e-6 {
            self.scroll(plane, -1_000_000, grid);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::plane::direction_letters;
    use crate::session::view::SliceView;
    use glam::DVec2;

    fn state() -> ViewState {
        let mut view = ViewState { crosshair_in_patient: DVec3::new(10.0, -20.0, 30.0), ..ViewState::default() };
        view.slices = Plane::ALL.map(|plane| SliceView::new(plane, DVec3::new(4.0, 5.0, 6.0), 0.7));
        view
    }

    fn normals(view: &ViewState) -> [DVec3; 3] {
        view.slices.map(|slice| slice.normal_in_patient())
    }

    #[test]
    fn a_turned_line_turns_its_plane_and_the_third_follows_at_right_angles() {
        let mut view = state();
        view.turn_line(Plane::Axial, Plane::Sagittal, 30_f64.to_radians());
        let [axial, sagittal, coronal] = normals(&view);
        assert_eq!(axial, DVec3::Z, "the view in which it is turned stays");
        // Clockwise in an axial picture, seen from the feet, is from the patient's left (right of the screen) to his back.
        assert!(sagittal.distance(DVec3::new(0.75_f64.sqrt(), 0.5, 0.0)) < 1e-12, "{sagittal}");
        assert!(sagittal.dot(coronal).abs() < 1e-12 && coronal.y > 0.8);
        view.turn_line(Plane::Coronal, Plane::Axial, -0.4);
        let [axial, sagittal, coronal] = normals(&view);
        let cosines = [axial.dot(sagittal), sagittal.dot(coronal), coronal.dot(axial)];
        assert!(cosines.iter().all(|cosine| cosine.abs() < 1e-12), "double oblique, still square: {cosines:?}");
    }

    #[test]
    fn an_unlocked_plane_turns_alone_and_locking_squares_them_again() {
        let mut view = state();
        view.lock_planes(false);
        view.turn_line(Plane::Axial, Plane::Sagittal, 0.5);
        assert_eq!(normals(&view)[2], DVec3::Y);
        view.lock_planes(true);
        let [axial, sagittal, coronal] = normals(&view);
        assert!(axial.dot(sagittal).abs() < 1e-12 && sagittal.dot(coronal).abs() < 1e-12);
    }

    #[test]
    fn what_is_at_the_crosshair_keeps_its_place_on_the_screen() {
        let mut view = state();
        let place = |view: &ViewState| view.slices.map(|slice| slice.view_px_from_patient(view.crosshair_in_patient));
        let before = place(&view);
        view.turn_line(Plane::Sagittal, Plane::Coronal, 0.3);
        view.turn_line(Plane::Axial, Plane::Sagittal, -0.8);
        for (before, after) in before.iter().zip(place(&view)) {
            assert!(before.distance(after) < 1e-9, "{before} {after}");
        }
        let slice = view.slice(Plane::Coronal);
        let point = slice.patient_from_view_px(DVec2::new(31.0, -12.0), view.crosshair_in_patient);
        assert!(slice.view_px_from_patient(point).distance(DVec2::new(31.0, -12.0)) < 1e-9, "there and back");
        assert!((point - view.crosshair_in_patient).dot(slice.normal_in_patient()).abs() < 1e-9, "on the slice");
        view.straighten_planes();
        assert_eq!(view.slices.map(|slice| slice.turn), [DQuat::IDENTITY; 3]);
        for (before, after) in before.iter().zip(place(&view)) {
            assert!(before.distance(after) < 1e-9, "and when they are straight again: {before} {after}");
        }
    }

    #[test]
    fn letters_say_both_directions_of_an_oblique_plane() {
        let mut view = state();
        view.turn_line(Plane::Axial, Plane::Coronal, -40_f64.to_radians());
        let coronal = view.slice(Plane::Coronal);
        assert_eq!(direction_letters(coronal.right_in_patient()), "LA", "left and forward");
        assert_eq!(direction_letters(-coronal.right_in_patient()), "RP");
        assert_eq!(direction_letters(coronal.down_in_patient()), "I");
    }

    #[test]
    fn a_plane_near_the_body_s_axes_snaps_to_them_exactly() {
        let mut view = state();
        view.turn_line(Plane::Axial, Plane::Sagittal, 0.5);
        let angle = view.snapped_angle(Plane::Axial, Plane::Sagittal, -0.5 + 0.02);
        assert!((angle + 0.5).abs() < 1e-9, "{angle}");
        view.turn_line(Plane::Axial, Plane::Sagittal, angle);
        assert!(!view.has_turned_planes(), "and is no oblique plane any more");
        assert_eq!(view.snapped_angle(Plane::Axial, Plane::Sagittal, 0.1), 0.1, "others are left alone");
    }

    #[test]
    fn what_was_measured_on_a_turned_plane_is_found_again() {
        let mut view = state();
        let middle = view.crosshair_in_patient;
        let (a, b) = (DVec3::new(12.0, 5.0, 3.0), DVec3::new(-4.0, 9.0, 6.0));
        for points in [vec![middle - a, middle + a], vec![middle + a, middle + b, middle - a, middle - b]] {
            view.straighten_planes();
            view.turn_to_points(&points);
            assert!(view.has_turned_planes() && view.some_plane_holds(&points), "{points:?}");
            let [a, b, c] = normals(&view);
            assert!(a.dot(b).abs() < 1e-9 && b.dot(c).abs() < 1e-9 && c.dot(a).abs() < 1e-9);
        }
        view.turn_to_points(&[middle, middle + DVec3::new(7.0, 7.0, 0.0)]);
        assert!(!view.has_turned_planes(), "along the body where that shows it");
    }

    #[test]
    fn a_turned_plane_scrolls_by_voxels_and_stays_in_the_volume() {
        let grid = Grid::axis_aligned([40, 40, 20], DVec3::new(1.0, 1.0, 2.0), DVec3::ZERO).expect("a grid");
        let mut view = state();
        view.crosshair_in_patient = grid.center_in_patient();
        view.turn_line(Plane::Coronal, Plane::Axial, 0.3);
        let normal = view.slice(Plane::Axial).normal_in_patient();
        let from = view.crosshair_in_patient;
        view.scroll(Plane::Axial, 1, &grid);
        let moved = view.crosshair_in_patient - from;
        assert!(moved.normalize().distance(normal) < 1e-9 && (0.9..2.1).contains(&moved.length()), "{moved}");
        view.scroll(Plane::Axial, 1000, &grid);
        let voxel = grid.voxel_from_patient().transform_point3(view.crosshair_in_patient);
        assert!(voxel.min_element() > -1e-6 && (voxel - DVec3::new(39.0, 39.0, 19.0)).max_element() < 1e-6, "{voxel}");
        let end = view.crosshair_in_patient;
        view.step_around(Plane::Axial, &grid);
        assert!((view.crosshair_in_patient - end).dot(normal) < -10.0, "round to the first");
    }
}
