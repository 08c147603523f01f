//! View state: how the case is looked at. Not part of the document, not undone, kept with the case file.
//!
//! Space: patient space (LPS, mm). The crosshair is the one truth of the slice positions: a slice view shows the plane
//! through it, so moving it moves all views. Screen: right and down as `domain::plane` says, in points (px of the window).
//! All updates are pure functions of the state; no egui here.

pub mod fusion;
pub mod phases;
pub mod side_by_side;
pub mod tiling;
pub mod turned_planes;
pub mod volume_look;

use std::collections::BTreeMap;

use glam::{DQuat, DVec2, DVec3};
use serde::{Deserialize, Serialize};

use crate::domain::camera::{Camera, StandardView};
use crate::domain::color_map::ColorMap;
use crate::domain::grid::Grid;
use crate::domain::plane::Plane;
use crate::domain::segmentation::SegmentId;
use crate::domain::slice::{Slab, SlabMode};
use crate::domain::transfer::default_for;
use crate::domain::volume::{Quantity, Volume};
use crate::domain::window::Window;

use super::document::{Document, VolumeId, VolumeObject};
use fusion::Fusion;
use side_by_side::{SideBySide, SliceColors};
use tiling::Tiling;
use volume_look::VolumeLook;

pub use crate::domain::slice::Interpolation;

/// Pan and zoom of one slice view.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SliceView {
    /// The plane it shows.
    pub plane: Plane,
    /// Patient-space point at the middle of the view; its component along the plane's normal is not used.
    pub center_in_patient: DVec3,
    /// Size of a point of the window in the patient, mm.
    pub mm_per_px: f64,
    /// Thickness of what is shown; `None` for a thin slice.
    #[serde(default)]
    pub slab: Option<Slab>,
    /// How the plane is turned out of its anatomical place, in patient space.
    #[serde(default)]
    pub turn: DQuat,
}

/// A slab that nobody has given a thickness yet, mm.
pub const FIRST_SLAB_MM: f64 = 10.0;

impl SliceView {
    /// A view of a plane around a point.
    pub fn new(plane: Plane, center_in_patient: DVec3, mm_per_px: f64) -> Self {
        Self { plane, center_in_patient, mm_per_px, slab: None, turn: DQuat::IDENTITY }
    }

    /// Shows a slab in this way, as thick as before; `None` makes it thin.
    pub fn set_slab_mode(&mut self, mode: Option<SlabMode>) {
        let thickness_mm = self.slab.map_or(FIRST_SLAB_MM, |slab| slab.thickness_mm);
        self.slab = mode.map(|mode| Slab { thickness_mm, mode });
    }

    /// Unit vector to the right of the screen.
    pub fn right_in_patient(&self) -> DVec3 {
        self.turn * self.plane.right_in_patient()
    }

    /// Unit vector down the screen.
    pub fn down_in_patient(&self) -> DVec3 {
        self.turn * self.plane.down_in_patient()
    }

    /// Unit vector across the plane, along which scrolling goes forward.
    pub fn normal_in_patient(&self) -> DVec3 {
        self.turn * self.plane.normal_in_patient()
    }

    /// Whether the plane is turned out of its anatomical place.
    pub fn is_oblique(&self) -> bool {
        self.turn != DQuat::IDENTITY
    }

    /// A point projected along the normal onto the slice through the crosshair.
    pub fn on_slice(&self, mut point_in_patient: DVec3, crosshair_in_patient: DVec3) -> DVec3 {
        if self.is_oblique() {
            let normal = self.normal_in_patient();
            return point_in_patient + normal * (crosshair_in_patient - point_in_patient).dot(normal);
        }
        // To the last digit, so that a slice through voxel centres goes through voxel centres.
        let axis = self.plane.normal_axis();
        point_in_patient[axis] = crosshair_in_patient[axis];
        point_in_patient
    }

    /// Patient-space point under a place of the view, given relative to its middle (right, down), on the crosshair's slice.
    pub fn patient_from_view_px(&self, offset_px: DVec2, crosshair_in_patient: DVec3) -> DVec3 {
        let in_plane = self.right_in_patient() * offset_px.x + self.down_in_patient() * offset_px.y;
        self.on_slice(self.center_in_patient + in_plane * self.mm_per_px, crosshair_in_patient)
    }

    /// Place in the view of a patient-space point, relative to the view's middle (right, down), in points.
    pub fn view_px_from_patient(&self, point_in_patient: DVec3) -> DVec2 {
        let offset = point_in_patient - self.center_in_patient;
        DVec2::new(offset.dot(self.right_in_patient()), offset.dot(self.down_in_patient())) / self.mm_per_px
    }

    /// Moved so that the picture follows the pointer by this much (right, down).
    #[must_use]
    pub fn panned(&self, drag_px: DVec2) -> Self {
        let moved = self.right_in_patient() * drag_px.x + self.down_in_patient() * drag_px.y;
        Self { center_in_patient: self.center_in_patient - moved * self.mm_per_px, ..*self }
    }

    /// Enlarged (factor over 1) about a place that keeps its point of the patient.
    #[must_use]
    pub fn zoomed(&self, factor: f64, around_px: DVec2) -> Self {
        let mm_per_px = (self.mm_per_px / factor.clamp(0.01, 100.0)).clamp(MIN_MM_PER_PX, MAX_MM_PER_PX);
        let kept = around_px * (self.mm_per_px - mm_per_px);
        let moved = self.right_in_patient() * kept.x + self.down_in_patient() * kept.y;
        Self { center_in_patient: self.center_in_patient + moved, mm_per_px, ..*self }
    }

    /// Shows the whole volume in a view of this size (points), with a small margin.
    #[must_use]
    pub fn fitted(&self, grid: &Grid, size_px: DVec2) -> Self {
        let (lower, upper) = grid.bounds_in_patient();
        let extent = upper - lower;
        let width_mm = extent.dot(self.right_in_patient().abs());
        let height_mm = extent.dot(self.down_in_patient().abs());
        let mm_per_px = (width_mm / size_px.x.max(1.0)).max(height_mm / size_px.y.max(1.0)) * 1.04;
        Self {
            center_in_patient: (lower + upper) / 2.0,
            mm_per_px: mm_per_px.clamp(MIN_MM_PER_PX, MAX_MM_PER_PX),
            ..*self
        }
    }
}

/// A body does not reach into the corners of its images: the 3D view may come this much nearer than the corners ask for.
pub const BODY_ZOOM: f64 = 1.5;
const MIN_MM_PER_PX: f64 = 1e-3;
const MAX_MM_PER_PX: f64 = 1e3;

/// The slice of a volume that a plane through the crosshair shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SliceIndex {
    /// 0-based, rising along the plane's normal (left, posterior, superior).
    pub index: u32,
    /// Number of slices along that direction.
    pub count: u32,
}

/// A box in patient space outside which the 3D view shows nothing of the volume.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CropBox {
    /// Smallest corner, mm.
    pub lower_in_patient: DVec3,
    /// Largest corner, mm.
    pub upper_in_patient: DVec3,
}

/// How the case is looked at. What an older case file does not say is as at the start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ViewState {
    /// The point that all slice views go through.
    pub crosshair_in_patient: DVec3,
    /// Axial, sagittal, coronal.
    pub slices: [SliceView; 3],
    /// Window and level of each volume.
    pub windows: BTreeMap<VolumeId, Window>,
    /// The 3D camera.
    pub camera: Camera,
    /// Name of the transfer-function preset.
    pub preset: String,
    /// What is drawn in 3D otherwise than the preset says, and what is cut away.
    pub look: VolumeLook,
    /// Preset and look of the volumes that are not looked at now.
    pub looks_aside: BTreeMap<VolumeId, (String, VolumeLook)>,
    /// Preset and look with the edited colours that a preset took the place of last, of each volume.
    pub colors_aside: BTreeMap<VolumeId, (String, VolumeLook)>,
    /// Volumes that stand beside each other, each in a view of its own.
    pub beside: SideBySide,
    /// What lies over the slices.
    pub fusion: Option<Fusion>,
    /// Whether the slice views' planes are outlined in 3D.
    pub planes_in_3d: bool,
    /// What the 3D view is cut to; `None` shows all.
    pub crop: Option<CropBox>,
    /// The volume that is looked at.
    pub active_volume: Option<VolumeId>,
    /// The segment that tools change.
    pub active_segment: Option<SegmentId>,
    /// Name of the tool of the left button.
    pub tool: String,
    /// Name of the arrangement of views.
    pub layout: String,
    /// What a person has made of that arrangement; `None` while it is as it was.
    pub tiling: Option<Tiling>,
    /// How slices are drawn between voxels.
    pub interpolation: Interpolation,
    /// Colours of the slices.
    pub color_map: ColorMap,
    /// Whether the planes stay at right angles when one of them is turned.
    pub planes_locked: bool,
    /// Whether slices are drawn from white to black.
    pub inverted: bool,
    /// Whether the crosshair is drawn.
    pub crosshair_visible: bool,
    /// Whether the patient's identity is shown in the corners.
    pub identity_visible: bool,
    /// Whether window, position, scale and names stand on the pictures; the letters of the sides always do.
    pub corners_visible: bool,
    /// Whether a grid of round lengths lies over the slices.
    pub ruler_visible: bool,
    /// How opaque the ray-marched volume is beside surfaces in 3D, 0 to 1; alone it is opaque.
    pub volume_opacity: f32,
}

impl Default for ViewState {
    fn default() -> Self {
        let slice = |plane| SliceView::new(plane, DVec3::ZERO, 1.0);
        Self {
            crosshair_in_patient: DVec3::ZERO,
            slices: Plane::ALL.map(slice),
            windows: BTreeMap::new(),
            camera: Camera::fitting(DVec3::splat(-100.0), DVec3::splat(100.0), StandardView::Anterior),
            preset: "CT-Bone".to_owned(),
            look: VolumeLook::default(),
            looks_aside: BTreeMap::new(),
            colors_aside: BTreeMap::new(),
            beside: SideBySide::default(),
            fusion: None,
            planes_in_3d: false,
            crop: None,
            active_volume: None,
            active_segment: None,
            tool: "crosshair".to_owned(),
            layout: "four-up".to_owned(),
            tiling: None,
            interpolation: Interpolation::Linear,
            color_map: ColorMap::Grey,
            planes_locked: true,
            inverted: false,
            crosshair_visible: true,
            identity_visible: true,
            corners_visible: true,
            ruler_visible: false,
            volume_opacity: 0.35,
        }
    }
}

impl ViewState {
    /// The slice view of a plane.
    pub fn slice(&self, plane: Plane) -> &SliceView {
        &self.slices[Plane::ALL.iter().position(|found| *found == plane).expect("all planes are listed")]
    }

    /// The slice view of a plane, to be changed.
    pub fn slice_mut(&mut self, plane: Plane) -> &mut SliceView {
        &mut self.slices[Plane::ALL.iter().position(|found| *found == plane).expect("all planes are listed")]
    }

    /// Looks at a volume from the start: crosshair in its middle, all of it in view, its default window.
    pub fn show_volume(&mut self, id: VolumeId, document: &Document) {
        let Some(object) = document.volume(id) else { return };
        let grid = &object.head.grid;
        self.meet(object);
        let (preset, look) = self.change_look(id, &object.volume);
        (self.preset, self.look) = (preset, look.without_cuts());
        self.trade_places(id);
        self.crosshair_in_patient = snap_to_slice(grid, grid.center_in_patient());
        for view in &mut self.slices {
            (view.turn, view.slab) = (DQuat::IDENTITY, None);
            *view = view.fitted(grid, DVec2::splat(500.0));
        }
        let (lower, upper) = grid.bounds_in_patient();
        self.camera = Camera::fitting(lower, upper, StandardView::Anterior).zoomed(BODY_ZOOM);
        self.crop = None;
    }

    /// Looks at another volume of the case from where the eye is: the crosshair and the views stay, where the volume reaches.
    pub fn turn_to_volume(&mut self, id: VolumeId, document: &Document) {
        let Some(object) = document.volume(id) else { return };
        let grid = &object.head.grid;
        let eye = self.seen_from(id).crosshair_in_patient;
        let voxel = grid.voxel_from_patient().transform_point3(eye);
        let last = DVec3::from_array(grid.dims().map(|n| f64::from(n) - 1.0));
        let reaches = voxel.min_element() >= -0.5 && (last - voxel).min_element() >= -0.5;
        if !reaches {
            self.show_volume(id, document);
            return;
        }
        self.meet(object);
        let (preset, look) = self.change_look(id, &object.volume);
        (self.preset, self.look) = (preset, look.with_cuts_of(&self.look));
        self.trade_places(id);
        self.crosshair_in_patient = snap_to_slice(grid, self.crosshair_in_patient);
    }

    /// A volume that was never looked at gets its window; PET is read dark on light.
    pub(super) fn meet(&mut self, object: &VolumeObject) {
        if self.windows.contains_key(&object.id) {
            return;
        }
        self.windows.insert(object.id, default_window(&object.head.info.windows, &object.volume));
        if object.head.quantity == Quantity::Suv {
            self.beside.colors.insert(object.id, SliceColors { map: ColorMap::Grey, inverted: true });
        }
    }

    /// Puts the look of the volume in the view aside and gives that of the next one: as it was left, else the usual.
    fn change_look(&mut self, next: VolumeId, volume: &Volume) -> (String, VolumeLook) {
        if let Some(before) = self.active_volume.filter(|before| *before != next) {
            self.looks_aside.insert(before, (self.preset.clone(), self.look.clone()));
        }
        self.looks_aside.remove(&next).unwrap_or_else(|| (default_for(volume).name, VolumeLook::default()))
    }

    /// Window of a volume.
    pub fn window(&self, id: VolumeId) -> Window {
        self.windows.get(&id).copied().unwrap_or(Window { width: 400.0, level: 40.0 })
    }

    /// Changes window and level by a drag.
    pub fn drag_window(&mut self, id: VolumeId, drag_px: DVec2) {
        self.windows.insert(id, dragged_window(self.window(id), drag_px));
    }

    /// Moves the crosshair; every slice view follows.
    pub fn move_crosshair(&mut self, point_in_patient: DVec3, grid: &Grid) {
        self.crosshair_in_patient = clamp_to_grid(grid, point_in_patient);
    }

    /// Moves the crosshair and puts it in the middle of every slice view.
    pub fn center_on(&mut self, point_in_patient: DVec3, grid: &Grid) {
        self.move_crosshair(point_in_patient, grid);
        for view in &mut self.slices {
            view.center_in_patient = self.crosshair_in_patient;
        }
    }

    /// Steps a plane by whole slices of the volume, forward along its normal; stops at the ends.
    pub fn scroll(&mut self, plane: Plane, slices: i32, grid: &Grid) {
        if self.slice(plane).is_oblique() {
            self.scroll_oblique(plane, slices, grid);
            return;
        }
        let now = slice_index(grid, plane, self.crosshair_in_patient);
        let target = (i64::from(now.index) + i64::from(slices)).clamp(0, i64::from(now.count) - 1);
        self.go_to_slice(plane, target as u32, grid);
    }

    /// Moves a plane to a slice of the volume.
    pub fn go_to_slice(&mut self, plane: Plane, index: u32, grid: &Grid) {
        let (axis, per_mm) = slice_axis(grid, plane);
        let last = grid.dims()[axis] - 1;
        let index = index.min(last);
        let target = if per_mm < 0.0 { last - index } else { index };
        let voxel = grid.voxel_from_patient().transform_point3(self.crosshair_in_patient)[axis];
        self.crosshair_in_patient += plane.normal_in_patient() * ((f64::from(target) - voxel) / per_mm);
    }
}

/// A window changed by a drag: right widens, down raises the level; a drag of 250 points doubles the width.
pub fn dragged_window(before: Window, drag_px: DVec2) -> Window {
    let width = before.width * (drag_px.x / 250.0).exp2();
    Window::new(width, before.level + drag_px.y * before.width / 500.0)
}

/// The voxel axis that a plane steps along, and voxels per mm along the plane's normal (negative when they run against it).
fn slice_axis(grid: &Grid, plane: Plane) -> (usize, f64) {
    let axis = grid.axis_along(plane.normal_in_patient());
    let per_mm = grid.voxel_from_patient().transform_vector3(plane.normal_in_patient())[axis];
    (axis, per_mm)
}

/// The slice that a plane through a point shows; points outside give the nearest slice.
pub fn slice_index(grid: &Grid, plane: Plane, point_in_patient: DVec3) -> SliceIndex {
    let (axis, per_mm) = slice_axis(grid, plane);
    let count = grid.dims()[axis];
    let voxel = grid.voxel_from_patient().transform_point3(point_in_patient)[axis];
    let nearest = voxel.round().clamp(0.0, f64::from(count - 1)) as u32;
    SliceIndex { index: if per_mm < 0.0 { count - 1 - nearest } else { nearest }, count }
}

/// The nearest point whose voxel coordinates lie inside the grid.
pub fn clamp_to_grid(grid: &Grid, point_in_patient: DVec3) -> DVec3 {
    let last = grid.dims().map(|n| f64::from(n - 1));
    let voxel = grid.voxel_from_patient().transform_point3(point_in_patient);
    let inside = voxel.clamp(DVec3::ZERO, DVec3::from_array(last));
    if inside == voxel { point_in_patient } else { grid.patient_from_voxel().transform_point3(inside) }
}

/// The centre of the nearest voxel.
pub fn snap_to_slice(grid: &Grid, point_in_patient: DVec3) -> DVec3 {
    let voxel = grid.voxel_from_patient().transform_point3(clamp_to_grid(grid, point_in_patient));
    grid.patient_from_voxel().transform_point3(voxel.round())
}

/// The first window that the files suggest; else soft tissue for CT, and the range of values for anything else. SUV from 0 to
/// 5 (as OHIF shows PET first; 6 and 3 are these ends by the linear function of DICOM PS3.3 C.11.2.1.2): what the files suggest
/// there is of the stored activity.
pub fn default_window(suggested: &[(String, Window)], volume: &Volume) -> Window {
    if volume.quantity() == Quantity::Suv {
        return Window::new(6.0, 3.0);
    }
    if let Some((_, window)) = suggested.first() {
        return *window;
    }
    if volume.quantity() == Quantity::Hounsfield {
        return Window::new(400.0, 40.0);
    }
    let (low, high) = volume.value_range();
    Window::new(high - low, f64::midpoint(low, high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use glam::{DAffine3, DMat3};

    /// 40 x 50 x 60 voxels of 1 x 2 x 3 mm, with i towards the right and k towards the feet: against two normals.
    fn turned() -> Grid {
        let axes = DMat3::from_cols(DVec3::NEG_X, DVec3::Y * 2.0, DVec3::NEG_Z * 3.0);
        Grid::new([40, 50, 60], DAffine3::from_mat3_translation(axes, DVec3::new(100.0, -20.0, 7.0))).expect("a grid")
    }

    fn state(grid: &Grid) -> ViewState {
        ViewState { crosshair_in_patient: snap_to_slice(grid, grid.center_in_patient()), ..ViewState::default() }
    }

    #[test]
    fn slices_are_counted_along_the_normal_whatever_the_voxels_do() {
        let grid = turned();
        let lowest = grid.patient_from_voxel().transform_point3(DVec3::new(39.0, 0.0, 59.0));
        for (plane, count) in [(Plane::Axial, 60), (Plane::Sagittal, 40), (Plane::Coronal, 50)] {
            assert_eq!(slice_index(&grid, plane, lowest), SliceIndex { index: 0, count }, "{plane:?}");
            let above = lowest + plane.normal_in_patient() * 3.1;
            assert!(slice_index(&grid, plane, above).index >= 1, "{plane:?}: rising along the normal");
        }
    }

    #[test]
    fn scrolling_steps_one_slice_and_stops_at_the_ends() {
        let grid = turned();
        for plane in Plane::ALL {
            let mut view = state(&grid);
            let (before, from) = (slice_index(&grid, plane, view.crosshair_in_patient), view.crosshair_in_patient);
            view.scroll(plane, 1, &grid);
            assert_eq!(slice_index(&grid, plane, view.crosshair_in_patient).index, before.index + 1);
            let moved = view.crosshair_in_patient - from;
            assert!(moved.dot(plane.normal_in_patient()) > 0.9 && moved.length() < 3.1, "forward, one voxel: {moved}");
            view.scroll(plane, -1, &grid);
            assert!(view.crosshair_in_patient.distance(from) < 1e-9, "and back to the same place");
            view.scroll(plane, 10_000, &grid);
            assert_eq!(slice_index(&grid, plane, view.crosshair_in_patient).index, before.count - 1);
            view.scroll(plane, -10_000, &grid);
            assert_eq!(slice_index(&grid, plane, view.crosshair_in_patient).index, 0);
        }
    }

    #[test]
    fn a_sheared_grid_scrolls_through_all_its_slices() {
        let axes = DMat3::from_cols(DVec3::X, DVec3::new(0.0, 0.94, -0.34), DVec3::Z * 2.5);
        let grid = Grid::new([30, 30, 12], DAffine3::from_mat3(axes)).expect("a grid");
        let mut view = state(&grid);
        view.go_to_slice(Plane::Axial, 0, &grid);
        let seen: Vec<u32> = (0..12)
            .map(|_| {
                let index = slice_index(&grid, Plane::Axial, view.crosshair_in_patient).index;
                view.scroll(Plane::Axial, 1, &grid);
                index
            })
            .collect();
        assert_eq!(seen, (0..12).collect::<Vec<_>>());
    }

    #[test]
    fn the_point_under_the_pointer_stays_while_zooming() {
        let grid = turned();
        let crosshair = grid.center_in_patient();
        for plane in Plane::ALL {
            let start = SliceView::new(plane, DVec3::ZERO, 1.0);
            let view = start.fitted(&grid, DVec2::new(300.0, 200.0));
            let pointer = DVec2::new(70.0, -30.0);
            let point = view.patient_from_view_px(pointer, crosshair);
            assert!(view.view_px_from_patient(point).distance(pointer) < 1e-9, "there and back");
            let zoomed = view.zoomed(2.5, pointer);
            assert!(zoomed.view_px_from_patient(point).distance(pointer) < 1e-9, "{plane:?}");
            let drag = DVec2::new(11.0, 5.0);
            assert!(view.panned(drag).view_px_from_patient(point).distance(pointer + drag) < 1e-9, "follows the hand");
        }
    }

    #[test]
    fn fitting_shows_every_corner() {
        let grid = turned();
        let (lower, upper) = grid.bounds_in_patient();
        for plane in Plane::ALL {
            let start = SliceView::new(plane, DVec3::ZERO, 1.0);
            let size = DVec2::new(640.0, 200.0);
            let view = start.fitted(&grid, size);
            for corner in [lower, upper] {
                let place = view.view_px_from_patient(corner).abs();
                assert!(place.x <= size.x / 2.0 && place.y <= size.y / 2.0, "{plane:?}: {place}");
            }
            let middle = view.view_px_from_patient((lower + upper) / 2.0);
            assert!(middle.length() < 1e-9, "in the middle");
        }
    }

    #[test]
    fn the_crosshair_stays_inside_and_all_views_can_be_centred_on_it() {
        let grid = turned();
        let mut view = state(&grid);
        view.center_on(DVec3::splat(1e6), &grid);
        let voxel = grid.voxel_from_patient().transform_point3(view.crosshair_in_patient);
        assert!(voxel.abs_diff_eq(voxel.clamp(DVec3::ZERO, DVec3::new(39.0, 49.0, 59.0)), 1e-9), "{voxel}");
        assert!(view.slices.iter().all(|slice| slice.center_in_patient == view.crosshair_in_patient));
    }

    #[test]
    fn dragging_the_window_widens_to_the_right_and_never_ends_at_zero() {
        let mut view = ViewState::default();
        let id = VolumeId(1);
        let before = view.window(id);
        view.drag_window(id, DVec2::new(250.0, 0.0));
        assert_eq!(view.window(id), Window::new(before.width * 2.0, before.level));
        view.drag_window(id, DVec2::new(0.0, 50.0));
        assert!(view.window(id).level > before.level);
        view.drag_window(id, DVec2::new(-1e5, 0.0));
        assert!(view.window(id).width >= 1.0);
    }
}
