//! Straight lines in 3D: edges of crop boxes and planes, axes, distances. Constant width in pixels, hidden by meshes.

use bytemuck::{Pod, Zeroable};
use glam::DVec3;

use super::view_globals::ViewGlobals;
use crate::domain::slice::SliceFrame;
use crate::gpu::context::Context;
use crate::gpu::{layout, shader};

/// A line from one point to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LineItem {
    /// One end, mm.
    pub from_in_patient: DVec3,
    /// The other end, mm.
    pub to_in_patient: DVec3,
    /// sRGB.
    pub color: [u8; 3],
    /// Width in pixels.
    pub width_px: f32,
}

/// The twelve edges of a box of patient space.
pub fn box_edges(lower_in_patient: DVec3, upper_in_patient: DVec3, color: [u8; 3], width_px: f32) -> Vec<LineItem> {
    let corner = |n: usize| {
        let pick = |axis: usize| if n >> axis & 1 == 0 { lower_in_patient[axis] } else { upper_in_patient[axis] };
        DVec3::new(pick(0), pick(1), pick(2))
    };
    let edges =
        (0..8_usize).flat_map(|n| (0..3).filter(move |axis| n >> axis & 1 == 0).map(move |axis| (n, n | 1 << axis)));
    edges.map(|(a, b)| LineItem { from_in_patient: corner(a), to_in_patient: corner(b), color, width_px }).collect()
}

/// The four edges of a slice.
pub fn frame_edges(frame: &SliceFrame, color: [u8; 3], width_px: f32) -> [LineItem; 4] {
    let [width, height] = frame.size_px.map(f64::from);
    let corner = |x: f64, y: f64| frame.point_in_patient(glam::DVec2::new(x, y));
    let corners = [corner(0.0, 0.0), corner(width, 0.0), corner(width, height), corner(0.0, height)];
    std::array::from_fn(|n| LineItem {
        from_in_patient: corners[n],
        to_in_patient: corners[(n + 1) % 4],
        color,
        width_px,
    })
}

#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
struct LineInstance {
    from_in_patient: [f32; 3],
    to_in_patient: [f32; 3],
    color: [f32; 4],
    width_px: f32,
}

/// Pipeline of lines.
#[derive(Debug)]
pub(super) struct LineRenderer {
    pipeline: wgpu::RenderPipeline,
}

impl LineRenderer {
    pub(super) fn new(context: &Context) -> Self {
        let device = &context.device;
        let layout = layout::pipeline(device, "lines", &[&ViewGlobals::layout(context)]);
        let module = shader::module(device, "render/line.wgsl");
        let instance = wgpu::VertexBufferLayout {
            array_stride: size_of::<LineInstance>() as u64,
            step_mode: wgpu::VertexStepMode::Instance,
            attributes: &wgpu::vertex_attr_array![0 => Float32x3, 1 => Float32x3, 2 => Float32x4, 3 => Float32],
        };
        Self { pipeline: super::instanced_pipeline(context, "lines", &layout, &module, instance) }
    }

    /// Draws lines. Group 0 is set.
    pub(super) fn draw(&self, context: &Context, pass: &mut wgpu::RenderPass<'_>, lines: &[LineItem]) {
        if lines.is_empty() {
            return;
        }
        let instances: Vec<LineInstance> = lines
            .iter()
            .map(|line| {
                let [r, g, b] = line.color.map(|c| f32::from(c) / 255.0);
                LineInstance {
                    from_in_patient: line.from_in_patient.as_vec3().to_array(),
                    to_in_patient: line.to_in_patient.as_vec3().to_array(),
                    color: [r, g, b, 1.0],
                    width_px: line.width_px,
                }
            })
            .collect();
        let buffer = super::vertex_buffer(context, "lines", bytemuck::cast_slice(&instances));
        pass.set_pipeline(&self.pipeline);
        pass.set_vertex_buffer(0, buffer.slice(..));
        pass.draw(0..6, 0..instances.len() as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_has_twelve_edges_along_its_axes() {
        let edges = box_edges(DVec3::ZERO, DVec3::new(1.0, 2.0, 4.0), [0; 3], 1.0);
        assert_eq!(edges.len(), 12);
        let total: f64 = edges.iter().map(|edge| edge.from_in_patient.distance(edge.to_in_patient)).sum();
        assert_eq!(total, 4.0 * (1.0 + 2.0 + 4.0));
    }
}
