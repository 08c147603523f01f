//! Depth of the opaque pass as distances along rays: what the ray-marcher stops at.
//!
//! Out: r32float, mm from the eye, or from the eye's plane in a parallel projection; [`NOTHING_MM`] where there is nothing.

use super::view_globals::ViewGlobals;
use crate::gpu::context::Context;
use crate::gpu::{layout, shader};

/// Distance where nothing opaque is. Twin of `NOTHING` in the shader.
pub const NOTHING_MM: f32 = 1.0e30;
/// Format of distances.
pub(super) const DISTANCE_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::R32Float;

/// Pipeline from depth to distance.
#[derive(Debug)]
pub(super) struct OpaqueDistance {
    pipeline: wgpu::RenderPipeline,
    depth_layout: wgpu::BindGroupLayout,
}

impl OpaqueDistance {
    pub(super) fn new(context: &Context) -> Self {
        let device = &context.device;
        let depth_layout = layout::group(device, "opaque depth", &[layout::multisampled_depth(0)]);
        let layout = layout::pipeline(device, "opaque distance", &[&ViewGlobals::layout(context), &depth_layout]);
        let module = shader::module(device, "render/opaque_distance.wgsl");
        let pipeline = super::fullscreen_pipeline(context, &layout, &module, ("fs_main", &[]), DISTANCE_FORMAT);
        Self { pipeline, depth_layout }
    }

    /// Turns a depth texture into distances.
    pub(super) fn draw(
        &self,
        context: &Context,
        encoder: &mut wgpu::CommandEncoder,
        view_group: &wgpu::BindGroup,
        depth: &wgpu::TextureView,
        target: &wgpu::TextureView,
    ) {
        let depth = context.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("opaque depth"),
            layout: &self.depth_layout,
            entries: &[wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::TextureView(depth) }],
        });
        super::fullscreen_pass(encoder, "opaque distance", target, &self.pipeline, &[view_group, &depth]);
    }
}
