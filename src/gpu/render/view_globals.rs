//! Where the eye of a 3D view is: mirror of `View` in `shaders/shared/view.wgsl`, group 0 of all 3D passes.
//!
//! In: a camera, the size of the view, what has to be seen. Out: a uniform buffer in f32, computed in f64.

use bytemuck::{Pod, Zeroable};
use glam::{DVec3, DVec4};

use crate::domain::camera::{Camera, Projection};
use crate::gpu::context::Context;
use crate::gpu::layout;

/// Mirror of `View`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub(super) struct ViewGlobals {
    clip_from_patient: [[f32; 4]; 4],
    eye_in_patient: [f32; 4],
    direction_in_patient: [f32; 4],
    half_extent: [f32; 2],
    depth_scale: f32,
    depth_offset: f32,
    size_px: [f32; 2],
    reserved: [f32; 2],
}

impl ViewGlobals {
    /// A view of `size_px` that shows everything within a box.
    pub(super) fn of(camera: &Camera, size_px: [u32; 2], bounds_in_patient: (DVec3, DVec3)) -> Self {
        let [width, height] = size_px.map(|n| f64::from(n.max(1)));
        let aspect = width / height;
        let clip_from_patient = camera.clip_from_patient(aspect, reach_mm(camera, bounds_in_patient));
        let clip_from_view = clip_from_patient * camera.view_from_patient().inverse();
        let (half_height, from_eye) = match camera.projection {
            Projection::Perspective { fov_y_rad } => ((fov_y_rad / 2.0).tan(), 1.0),
            Projection::Orthographic { height_mm } => (height_mm / 2.0, 0.0),
        };
        let four = |v: DVec4| v.as_vec4().to_array();
        Self {
            clip_from_patient: clip_from_patient.as_mat4().to_cols_array_2d(),
            eye_in_patient: four(camera.eye_in_patient().extend(from_eye)),
            direction_in_patient: four(camera.direction_in_patient.extend(0.0)),
            half_extent: [(half_height * aspect) as f32, half_height as f32],
            depth_scale: clip_from_view.z_axis.z as f32,
            depth_offset: clip_from_view.w_axis.z as f32,
            size_px: [width as f32, height as f32],
            reserved: [0.0; 2],
        }
    }

    /// Layout of group 0.
    pub(super) fn layout(context: &Context) -> wgpu::BindGroupLayout {
        layout::group(&context.device, "view", &[layout::uniform(0)])
    }
}

/// How far from the focus anything is drawn: the farthest corner, and a little more so that nothing touches the end.
fn reach_mm(camera: &Camera, (lower, upper): (DVec3, DVec3)) -> f64 {
    let far = (camera.focus_in_patient - lower).abs().max((camera.focus_in_patient - upper).abs());
    far.length().clamp(1.0, 1e6) * 1.01 + 1.0
}
