//! What a slice view shows: a rectangle of patient space, how values become grey, and which segments lie over it.
//!
//! Space: pixels run right (x) and down (y) from the view's upper left corner; the centre of pixel (0, 0) is (0.5, 0.5).
//! Shared by the GPU renderer (`gpu::render::slice`) and its CPU twin (`slice_reference`), so that both draw the same.

use glam::{DAffine3, DVec2, DVec3};
use serde::{Deserialize, Serialize};

use super::color_map::ColorMap;
use super::grid::Grid;
use super::mask::Mask;
use super::plane::Plane;
use super::segmentation::SegmentId;
use super::window::Window;

/// Added before rounding to the nearest voxel, in voxels: a plane that lies exactly between two voxel layers takes the
/// upper one everywhere, instead of speckles that follow rounding errors.
pub const NEAREST_BIAS: f64 = 1.0 / 4096.0;

/// Most samples that a slab takes along its normal.
pub const MAX_SLAB_SAMPLES: u32 = 256;
/// Samples of a slab lie no further apart than this, nor than voxels do.
pub const SLAB_STEP_MM: f64 = 0.5;

/// A rectangle of patient space that fills a view.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SliceFrame {
    /// The point in the middle of the view, mm.
    pub center_in_patient: DVec3,
    /// Unit vector to the right of the screen.
    pub right_in_patient: DVec3,
    /// Unit vector down the screen, perpendicular to the right one.
    pub down_in_patient: DVec3,
    /// Size of a pixel.
    pub mm_per_px: f64,
    /// Width and height of the view.
    pub size_px: [u32; 2],
}

impl SliceFrame {
    /// An anatomical plane, laid out in the radiological convention.
    pub fn of_plane(plane: Plane, center_in_patient: DVec3, mm_per_px: f64, size_px: [u32; 2]) -> Self {
        Self {
            center_in_patient,
            right_in_patient: plane.right_in_patient(),
            down_in_patient: plane.down_in_patient(),
            mm_per_px,
            size_px,
        }
    }

    /// An anatomical plane through a point, centred and scaled so that all of the grid fits into the view.
    pub fn fitting(plane: Plane, grid: &Grid, through_in_patient: DVec3, size_px: [u32; 2]) -> Self {
        let (lower, upper) = grid.bounds_in_patient();
        let axis = plane.normal_axis();
        let mut center_in_patient = (lower + upper) / 2.0;
        center_in_patient[axis] = through_in_patient[axis];
        let size_mm = upper - lower;
        let width_mm = size_mm.dot(plane.right_in_patient().abs());
        let height_mm = size_mm.dot(plane.down_in_patient().abs());
        let per_px = |mm: f64, px: u32| mm / f64::from(px.max(1));
        let mm_per_px = per_px(width_mm, size_px[0]).max(per_px(height_mm, size_px[1]));
        Self::of_plane(plane, center_in_patient, mm_per_px, size_px)
    }

    /// Unit vector out of the picture, away from the viewer (right, down and this are right-handed).
    pub fn normal_in_patient(&self) -> DVec3 {
        self.right_in_patient.cross(self.down_in_patient)
    }

    /// Middle of the view in pixels.
    pub fn center_px(&self) -> DVec2 {
        DVec2::new(f64::from(self.size_px[0]), f64::from(self.size_px[1])) / 2.0
    }

    /// The point of the patient under a point of the view.
    pub fn point_in_patient(&self, point_px: DVec2) -> DVec3 {
        let offset_mm = (point_px - self.center_px()) * self.mm_per_px;
        self.center_in_patient + self.right_in_patient * offset_mm.x + self.down_in_patient * offset_mm.y
    }

    /// Where a point of the patient, projected along the normal, lies in the view.
    pub fn px_from_patient(&self, point_in_patient: DVec3) -> DVec2 {
        let offset = point_in_patient - self.center_in_patient;
        let offset_mm = DVec2::new(offset.dot(self.right_in_patient), offset.dot(self.down_in_patient));
        self.center_px() + offset_mm / self.mm_per_px
    }

    /// How the frame lies in a grid: voxel coordinates of the middle of the view and of one pixel right, one pixel down
    /// and one mm along the normal.
    pub fn in_voxels(&self, grid: &Grid) -> FrameInVoxels {
        let voxel_from_patient: DAffine3 = grid.voxel_from_patient();
        FrameInVoxels {
            center: voxel_from_patient.transform_point3(self.center_in_patient),
            right_per_px: voxel_from_patient.transform_vector3(self.right_in_patient * self.mm_per_px),
            down_per_px: voxel_from_patient.transform_vector3(self.down_in_patient * self.mm_per_px),
            normal_per_mm: voxel_from_patient.transform_vector3(self.normal_in_patient()),
        }
    }
}

/// A slice frame in voxel coordinates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrameInVoxels {
    /// Voxel coordinates of the middle of the view.
    pub center: DVec3,
    /// Step for one pixel to the right.
    pub right_per_px: DVec3,
    /// Step for one pixel down.
    pub down_per_px: DVec3,
    /// Step for one mm along the normal.
    pub normal_per_mm: DVec3,
}

/// How values between voxel centres are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Interpolation {
    /// The value of the nearest voxel: what was measured, as blocks.
    Nearest,
    /// Trilinear.
    #[default]
    Linear,
    /// Tricubic (Catmull-Rom): smooth, and still through every measured value.
    Cubic,
}

/// How the samples of a slab become one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum SlabMode {
    /// Largest value (MIP): vessels with contrast, bone.
    #[default]
    Maximum,
    /// Smallest value: airways.
    Minimum,
    /// Average: less noise.
    Mean,
}

/// A slice with thickness, centred on the plane.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Slab {
    /// Thickness, mm.
    pub thickness_mm: f64,
    /// How its samples become one value.
    pub mode: SlabMode,
}

impl Slab {
    /// Number of samples and their distance in mm, for voxels of the given spacing along the normal.
    pub fn samples(&self, spacing_mm: f64) -> (u32, f64) {
        let wanted = (self.thickness_mm / spacing_mm.clamp(1e-6, SLAB_STEP_MM)).ceil() + 1.0;
        let count = (wanted as u32).clamp(2, MAX_SLAB_SAMPLES);
        (count, self.thickness_mm / f64::from(count - 1))
    }
}

/// Colours the voxels in a range of values, before a threshold is applied.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RangePreview {
    /// Lowest value that is coloured.
    pub lower: f64,
    /// Highest value that is coloured.
    pub upper: f64,
    /// sRGB.
    pub color: [u8; 3],
    /// 0 to 1.
    pub opacity: f32,
}

/// Colours that fade at their dark end are as opaque as asked from this part of the window on.
pub const FUSION_FADE: f64 = 0.1;

/// How another volume lies over a slice.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FusionStyle {
    /// Its values from one end of the colours to the other.
    pub window: Window,
    /// Its colours.
    pub color_map: ColorMap,
    /// 0 to 1.
    pub opacity: f32,
    /// Whether low values are clear, so that only what is high covers the slice.
    pub fades: bool,
    /// Part of the view's width, from the left, where it does not lie over the slice: 0 shows it everywhere.
    pub from: f32,
}

impl FusionStyle {
    /// How opaque a value is whose grey level is this, 0 to 1.
    pub fn opacity_of(&self, gray: f64) -> f64 {
        let fade = if self.fades { (gray / FUSION_FADE).clamp(0.0, 1.0) } else { 1.0 };
        f64::from(self.opacity) * fade
    }
}

/// How a slice is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SliceStyle {
    /// Values from black to white.
    pub window: Window,
    /// Colours of what the window makes grey.
    pub color_map: ColorMap,
    /// From white to black instead, as on film.
    pub inverted: bool,
    /// How values between voxel centres are found.
    pub interpolation: Interpolation,
    /// Thickness; `None` for a plane without.
    pub slab: Option<Slab>,
    /// How another volume lies over it; `None` for none.
    pub fusion: Option<FusionStyle>,
    /// Values to colour; `None` for none.
    pub preview: Option<RangePreview>,
    /// Width of the segments' outlines in pixels; 0 for none.
    pub outline_px: f32,
}

impl SliceStyle {
    /// Grey level 0 to 1 of a value.
    pub fn gray(&self, value: f64) -> f64 {
        let gray = self.window.gray(value);
        if self.inverted { 1.0 - gray } else { gray }
    }

    /// Linear, thin, with outlines of 1.5 pixels.
    pub fn new(window: Window) -> Self {
        Self {
            window,
            color_map: ColorMap::Grey,
            inverted: false,
            interpolation: Interpolation::Linear,
            slab: None,
            fusion: None,
            preview: None,
            outline_px: 1.5,
        }
    }
}

/// How a segment is drawn over a slice.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SegmentStyle {
    /// sRGB.
    pub color: [u8; 3],
    /// Opacity of the fill, 0 to 1; the outline is always opaque.
    pub opacity: f32,
    /// Whether fill and outline are drawn at all.
    pub visible: bool,
    /// Width of its outline, as a multiple of the view's; 0 for none.
    pub outline: f32,
}

impl SegmentStyle {
    /// A visible segment with a plain outline.
    pub fn new(color: [u8; 3], opacity: f32) -> Self {
        Self { color, opacity, visible: true, outline: 1.0 }
    }
}

/// A segment as the renderers see it. Overlapping fills are laid over each other in the order of their ids.
#[derive(Debug, Clone, Copy)]
pub struct SegmentLayer<'a> {
    /// Which segment.
    pub id: SegmentId,
    /// Its voxels.
    pub mask: &'a Mask,
    /// How it looks.
    pub style: SegmentStyle,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_and_patient_agree() {
        let frame = SliceFrame::of_plane(Plane::Sagittal, DVec3::new(1.0, 2.0, 3.0), 0.7, [101, 60]);
        let point = frame.point_in_patient(DVec2::new(90.0, 12.5));
        assert!(frame.px_from_patient(point).distance(DVec2::new(90.0, 12.5)) < 1e-9);
        assert!(point.y > 2.0, "posterior is on the right of a sagittal view");
        assert!(point.z > 3.0, "the head is up");
    }

    #[test]
    fn a_fitting_frame_shows_the_whole_grid() {
        let grid = Grid::axis_aligned([10, 20, 30], DVec3::new(2.0, 1.0, 1.0), DVec3::ZERO).expect("valid grid");
        for plane in Plane::ALL {
            let frame = SliceFrame::fitting(plane, &grid, DVec3::new(5.0, 5.0, 5.0), [300, 200]);
            let (lower, upper) = grid.bounds_in_patient();
            for corner in [lower, upper] {
                let px = frame.px_from_patient(corner);
                assert!((-1e-9..=300.0 + 1e-9).contains(&px.x) && (-1e-9..=200.0 + 1e-9).contains(&px.y), "{px}");
            }
            assert!((frame.center_in_patient[plane.normal_axis()] - 5.0).abs() < 1e-12);
        }
    }
}
