//! Lays background, opaque things, volume and translucent meshes over each other.

use bytemuck::{Pod, Zeroable};

use crate::gpu::context::Context;
use crate::gpu::view_texture::VIEW_FORMAT;
use crate::gpu::{layout, shader};

/// What is behind everything: a vertical gradient, sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Background {
    /// Colour at the top.
    pub top: [u8; 3],
    /// Colour at the bottom.
    pub bottom: [u8; 3],
}

impl Default for Background {
    fn default() -> Self {
        Self { top: [0x0E, 0x11, 0x16], bottom: [0x1A, 0x1F, 0x28] }
    }
}

/// Mirror of `CompositeUniforms` in `shaders/render/composite.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
struct CompositeUniforms {
    background_top: [f32; 4],
    background_bottom: [f32; 4],
    size_px: [f32; 2],
    volume_opacity: f32,
    reserved: f32,
}

/// Pipeline of the last step.
#[derive(Debug)]
pub(super) struct Composite {
    pipeline: wgpu::RenderPipeline,
    frame_layout: wgpu::BindGroupLayout,
    parts_layout: wgpu::BindGroupLayout,
    uniforms: wgpu::Buffer,
    sampler: wgpu::Sampler,
}

impl Composite {
    pub(super) fn new(context: &Context) -> Self {
        let device = &context.device;
        let frame_layout = layout::group(device, "composite", &[layout::uniform(0)]);
        let parts = [0, 1, 2].map(layout::filtered_picture);
        let parts_layout =
            layout::group(device, "composite parts", &[parts[0], parts[1], parts[2], layout::sampler(3)]);
        let layout = layout::pipeline(device, "composite", &[&frame_layout, &parts_layout]);
        let module = shader::module(device, "render/composite.wgsl");
        let uniforms = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("composite"),
            size: size_of::<CompositeUniforms>() as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        Self {
            pipeline: super::fullscreen_pipeline(context, &layout, &module, ("fs_main", &[]), VIEW_FORMAT),
            frame_layout,
            parts_layout,
            uniforms,
            sampler: super::linear_sampler(context),
        }
    }

    /// Draws opaque, volume and translucent pictures over the background.
    pub(super) fn draw(
        &self,
        context: &Context,
        encoder: &mut wgpu::CommandEncoder,
        background: Background,
        (parts, volume_opacity): ([&wgpu::TextureView; 3], f32),
        (target, size_px): (&wgpu::TextureView, [u32; 2]),
    ) {
        let color = |rgb: [u8; 3]| {
            let [r, g, b] = rgb.map(|c| f32::from(c) / 255.0);
            [r, g, b, 1.0]
        };
        let uniforms = CompositeUniforms {
            background_top: color(background.top),
            background_bottom: color(background.bottom),
            size_px: size_px.map(|n| n as f32),
            volume_opacity,
            reserved: 0.0,
        };
        context.queue.write_buffer(&self.uniforms, 0, bytemuck::bytes_of(&uniforms));
        let frame = context.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("composite"),
            layout: &self.frame_layout,
            entries: &[wgpu::BindGroupEntry { binding: 0, resource: self.uniforms.as_entire_binding() }],
        });
        let part = |n: usize| wgpu::BindGroupEntry {
            binding: n as u32,
            resource: wgpu::BindingResource::TextureView(parts[n]),
        };
        let sampler = wgpu::BindGroupEntry { binding: 3, resource: wgpu::BindingResource::Sampler(&self.sampler) };
        let parts = context.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("composite parts"),
            layout: &self.parts_layout,
            entries: &[part(0), part(1), part(2), sampler],
        });
        super::fullscreen_pass(encoder, "composite", target, &self.pipeline, &[&frame, &parts]);
    }
}
