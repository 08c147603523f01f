//! Slices standing in the 3D view: the picture of a slice view on its rectangle of patient space.
//!
//! In: a frame and its picture, drawn by `render::slice` with transparent outside. They have depth like meshes.

use bytemuck::{Pod, Zeroable};

use super::view_globals::ViewGlobals;
use crate::domain::slice::SliceFrame;
use crate::gpu::context::Context;
use crate::gpu::view_texture::ViewTexture;
use crate::gpu::{layout, shader};

/// A slice in the 3D view.
#[derive(Debug, Clone, Copy)]
pub struct PlaneItem<'a> {
    /// Its rectangle.
    pub frame: SliceFrame,
    /// Its picture; transparent parts are not drawn.
    pub picture: &'a ViewTexture,
}

#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
struct PlaneInstance {
    corner_in_patient: [f32; 3],
    right_mm: [f32; 3],
    down_mm: [f32; 3],
}

/// Pipeline of planes.
#[derive(Debug)]
pub(super) struct PlaneRenderer {
    pipeline: wgpu::RenderPipeline,
    picture_layout: wgpu::BindGroupLayout,
    sampler: wgpu::Sampler,
}

impl PlaneRenderer {
    pub(super) fn new(context: &Context) -> Self {
        let device = &context.device;
        let picture_layout = layout::group(device, "plane", &[layout::filtered_picture(0), layout::sampler(1)]);
        let layout = layout::pipeline(device, "planes", &[&ViewGlobals::layout(context), &picture_layout]);
        let module = shader::module(device, "render/plane.wgsl");
        let instance = wgpu::VertexBufferLayout {
            array_stride: size_of::<PlaneInstance>() as u64,
            step_mode: wgpu::VertexStepMode::Instance,
            attributes: &wgpu::vertex_attr_array![0 => Float32x3, 1 => Float32x3, 2 => Float32x3],
        };
        let pipeline = super::instanced_pipeline(context, "planes", &layout, &module, instance);
        Self { pipeline, picture_layout, sampler: super::linear_sampler(context) }
    }

    /// Draws planes. Group 0 is set.
    pub(super) fn draw(&self, context: &Context, pass: &mut wgpu::RenderPass<'_>, planes: &[PlaneItem<'_>]) {
        for plane in planes {
            let frame = &plane.frame;
            let [width_mm, height_mm] = frame.size_px.map(|n| f64::from(n) * frame.mm_per_px);
            let instance = PlaneInstance {
                corner_in_patient: frame.point_in_patient(glam::DVec2::ZERO).as_vec3().to_array(),
                right_mm: (frame.right_in_patient * width_mm).as_vec3().to_array(),
                down_mm: (frame.down_in_patient * height_mm).as_vec3().to_array(),
            };
            let buffer = super::vertex_buffer(context, "plane", bytemuck::bytes_of(&instance));
            let picture = context.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some("plane"),
                layout: &self.picture_layout,
                entries: &[
                    wgpu::BindGroupEntry {
                        binding: 0,
                        resource: wgpu::BindingResource::TextureView(plane.picture.view()),
                    },
                    wgpu::BindGroupEntry { binding: 1, resource: wgpu::BindingResource::Sampler(&self.sampler) },
                ],
            });
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(1, &picture, &[]);
            pass.set_vertex_buffer(0, buffer.slice(..));
            pass.draw(0..6, 0..1);
        }
    }
}
