//! The window's own triangles (panels, text, pictures of views), drawn with a shader of two lines.
//!
//! In: triangles in points with a picture each. Out: draws into a pass over the window. The window system's painter does the
//! same and more (noise against banding, a filter by hand that its own tests want), chosen by numbers that only the
//! shader reads. A driver that computes pictures on processor cores runs both sides of such a choice for every pixel: there,
//! this is three times as fast. `app::device::painter` decides who paints.

use std::ops::Range;

use crate::gpu::context::Context;
use crate::gpu::{layout, shader};

/// Bytes of a corner: place in points and texture coordinate as two f32 each, then four bytes of colour.
pub const CORNER_BYTES: usize = 20;

/// Triangles that share a picture and a clip.
#[derive(Debug, Clone)]
pub struct PanelDraw {
    /// What is drawn of it, in points: left, top, right, bottom.
    pub clip_points: [f32; 4],
    /// The picture, its sampler, and a block of numbers that is not read: the group that the window system makes.
    pub picture: wgpu::BindGroup,
    /// Which corners, three for a triangle.
    pub indices: Range<u32>,
}

/// All triangles of one frame of a window.
#[derive(Debug)]
pub struct PanelFrame {
    corners: wgpu::Buffer,
    indices: wgpu::Buffer,
    size_points: wgpu::Buffer,
    globals: wgpu::BindGroup,
    draws: Vec<PanelDraw>,
}

/// The pipeline.
#[derive(Debug)]
pub struct PanelRenderer {
    pipeline: wgpu::RenderPipeline,
    globals: wgpu::BindGroupLayout,
}

impl PanelRenderer {
    /// A renderer into textures of a format that is not decoded from sRGB by the device.
    pub fn new(context: &Context, format: wgpu::TextureFormat) -> Self {
        let device = &context.device;
        let globals = layout::group(device, "panel globals", &[layout::uniform(0)]);
        let groups = layout::pipeline(device, "panels", &[&globals, &window_picture_layout(device)]);
        let module = shader::module(device, "render/panels.wgsl");
        let corner = wgpu::VertexBufferLayout {
            array_stride: CORNER_BYTES as u64,
            step_mode: wgpu::VertexStepMode::Vertex,
            attributes: &wgpu::vertex_attr_array![0 => Float32x2, 1 => Float32x2, 2 => Unorm8x4],
        };
        let pipeline = device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some("panels"),
            layout: Some(&groups),
            vertex: wgpu::VertexState {
                module: &module,
                entry_point: Some("vs_main"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                buffers: &[Some(corner)],
            },
            primitive: wgpu::PrimitiveState::default(),
            depth_stencil: None,
            multisample: wgpu::MultisampleState::default(),
            fragment: Some(wgpu::FragmentState {
                module: &module,
                entry_point: Some("fs_main"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                targets: &[Some(wgpu::ColorTargetState {
                    format,
                    blend: Some(wgpu::BlendState::PREMULTIPLIED_ALPHA_BLENDING),
                    write_mask: wgpu::ColorWrites::ALL,
                })],
            }),
            multiview_mask: None,
            cache: None,
        });
        Self { pipeline, globals }
    }

    /// Takes over the triangles of a frame: `corners` of [`CORNER_BYTES`] each.
    pub fn frame(&self, context: &Context, corners: &[u8], indices: &[u32], draws: Vec<PanelDraw>) -> PanelFrame {
        let buffer = |label, usage, bytes: &[u8]| {
            let size = (bytes.len() as u64).max(16);
            let usage = usage | wgpu::BufferUsages::COPY_DST;
            let descriptor = wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false };
            let buffer = context.device.create_buffer(&descriptor);
            context.queue.write_buffer(&buffer, 0, bytes);
            buffer
        };
        let size_points = buffer("panel globals", wgpu::BufferUsages::UNIFORM, &[0; 16]);
        let globals = context.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("panel globals"),
            layout: &self.globals,
            entries: &[wgpu::BindGroupEntry { binding: 0, resource: size_points.as_entire_binding() }],
        });
        PanelFrame {
            corners: buffer("panel corners", wgpu::BufferUsages::VERTEX, corners),
            indices: buffer("panel indices", wgpu::BufferUsages::INDEX, bytemuck::cast_slice(indices)),
            size_points,
            globals,
            draws,
        }
    }

    /// Draws a frame; the pass covers the window.
    pub fn draw(&self, frame: &PanelFrame, pass: &mut wgpu::RenderPass<'_>, size_px: [u32; 2], px_per_point: f32) {
        let [width, height] = size_px;
        pass.set_viewport(0.0, 0.0, width as f32, height as f32, 0.0, 1.0);
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &frame.globals, &[]);
        pass.set_vertex_buffer(0, frame.corners.slice(..));
        pass.set_index_buffer(frame.indices.slice(..), wgpu::IndexFormat::Uint32);
        for draw in &frame.draws {
            let [left, top, right, bottom] = clip_px(draw.clip_points, size_px, px_per_point);
            if left < right && top < bottom {
                pass.set_scissor_rect(left, top, right - left, bottom - top);
                pass.set_bind_group(1, &draw.picture, &[]);
                pass.draw_indexed(draw.indices.clone(), 0, 0..1);
            }
        }
    }
}

impl PanelFrame {
    /// Says how large the window is, before the frame is drawn.
    pub fn set_size(&self, queue: &wgpu::Queue, size_px: [u32; 2], px_per_point: f32) {
        let [width, height] = size_px.map(|px| px as f32 / px_per_point);
        queue.write_buffer(&self.size_points, 0, bytemuck::bytes_of(&[width, height, 0.0, 0.0]));
    }
}

/// Whole pixels of a clip, within the window: left, top, right, bottom.
fn clip_px(clip_points: [f32; 4], size_px: [u32; 2], px_per_point: f32) -> [u32; 4] {
    let [left, top, right, bottom] = clip_points.map(|edge| (edge * px_per_point).round().max(0.0) as u32);
    [left.min(size_px[0]), top.min(size_px[1]), right.min(size_px[0]), bottom.min(size_px[1])]
}

/// The layout of the window system's pictures: texture, sampler, and a block of 16 bytes, for the fragment stage.
fn window_picture_layout(device: &wgpu::Device) -> wgpu::BindGroupLayout {
    let visibility = wgpu::ShaderStages::FRAGMENT;
    let mut flags = layout::uniform(2);
    if let wgpu::BindingType::Buffer { min_binding_size, .. } = &mut flags.ty {
        *min_binding_size = std::num::NonZeroU64::new(16);
    }
    let entries = [layout::filtered_picture(0), layout::sampler(1), flags];
    layout::group(device, "window picture", &entries.map(|entry| wgpu::BindGroupLayoutEntry { visibility, ..entry }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clips_are_whole_pixels_within_the_window() {
        assert_eq!(clip_px([1.2, 2.4, 10.0, 20.0], [1000, 1000], 1.5), [2, 4, 15, 30]);
        assert_eq!(clip_px([-5.0, f32::NEG_INFINITY, 2000.0, f32::INFINITY], [300, 200], 1.0), [0, 0, 300, 200]);
        assert_eq!(clip_px([400.0, 0.0, 500.0, 10.0], [300, 200], 1.0), [300, 0, 300, 10], "beyond the edge: nothing");
    }
}
