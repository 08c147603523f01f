//! Renderers: each draws one kind of thing into a texture of its own, only when something has changed.
//!
//! All colours are sRGB and are mixed as such, premultiplied; pictures are [`super::view_texture::ViewTexture`]s, and
//! what the window shows is said there. Slices: `slice`. 3D: `view3d` owns the order of meshes, planes, lines and volume.

mod coarse_mesh;
mod composite;
mod mesh_store;
mod view_globals;

pub mod line;
pub mod mesh;
pub mod opaque_distance;
pub mod panels;
pub mod plane;
pub mod raymarch;
pub mod slice;
pub mod view3d;

use super::context::Context;
use super::view_texture::VIEW_FORMAT;

/// Samples of a pixel in the 3D passes, so that edges of meshes are smooth: the count that every device has.
const SAMPLES: u32 = 4;
/// Format of depth.
const DEPTH_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Depth32Float;

/// Size of pictures that stand in for others. Mesa's software driver compiles a shader anew for pictures whose sides become,
/// or are no longer, powers of two: as views seldom are, their stand-ins are not either, and no hand waits for a compiler.
const STAND_IN_PX: [u32; 2] = [3, 3];

/// A pipeline whose vertex shader covers the view with one triangle (`vs_main`).
fn fullscreen_pipeline(
    context: &Context,
    layout: &wgpu::PipelineLayout,
    module: &wgpu::ShaderModule,
    (entry_point, constants): (&str, &[(&str, f64)]),
    format: wgpu::TextureFormat,
) -> wgpu::RenderPipeline {
    context.device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some(entry_point),
        layout: Some(layout),
        vertex: wgpu::VertexState {
            module,
            entry_point: Some("vs_main"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            buffers: &[],
        },
        primitive: wgpu::PrimitiveState::default(),
        depth_stencil: None,
        multisample: wgpu::MultisampleState::default(),
        fragment: Some(wgpu::FragmentState {
            module,
            entry_point: Some(entry_point),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants,
                ..wgpu::PipelineCompilationOptions::default()
            },
            targets: &[Some(format.into())],
        }),
        multiview_mask: None,
        cache: None,
    })
}

/// Runs such a pipeline over a whole target.
fn fullscreen_pass(
    encoder: &mut wgpu::CommandEncoder,
    label: &str,
    target: &wgpu::TextureView,
    pipeline: &wgpu::RenderPipeline,
    groups: &[&wgpu::BindGroup],
) {
    let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
        label: Some(label),
        color_attachments: &[Some(wgpu::RenderPassColorAttachment {
            view: target,
            depth_slice: None,
            resolve_target: None,
            ops: wgpu::Operations { load: wgpu::LoadOp::Clear(wgpu::Color::BLACK), store: wgpu::StoreOp::Store },
        })],
        ..wgpu::RenderPassDescriptor::default()
    });
    pass.set_pipeline(pipeline);
    for (n, group) in groups.iter().enumerate() {
        pass.set_bind_group(n as u32, *group, &[]);
    }
    pass.draw(0..3, 0..1);
}

/// A pipeline of the opaque 3D pass that takes one buffer of instances.
fn instanced_pipeline(
    context: &Context,
    label: &str,
    layout: &wgpu::PipelineLayout,
    module: &wgpu::ShaderModule,
    instance: wgpu::VertexBufferLayout<'_>,
) -> wgpu::RenderPipeline {
    context.device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some(label),
        layout: Some(layout),
        vertex: wgpu::VertexState {
            module,
            entry_point: Some("vs_main"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            buffers: &[Some(instance)],
        },
        primitive: wgpu::PrimitiveState::default(),
        depth_stencil: Some(wgpu::DepthStencilState {
            format: DEPTH_FORMAT,
            depth_write_enabled: Some(true),
            depth_compare: Some(wgpu::CompareFunction::Less),
            stencil: wgpu::StencilState::default(),
            bias: wgpu::DepthBiasState::default(),
        }),
        multisample: wgpu::MultisampleState { count: SAMPLES, ..wgpu::MultisampleState::default() },
        fragment: Some(wgpu::FragmentState {
            module,
            entry_point: Some("fs_main"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            targets: &[Some(VIEW_FORMAT.into())],
        }),
        multiview_mask: None,
        cache: None,
    })
}

/// A vertex buffer that holds these bytes, for one draw.
fn vertex_buffer(context: &Context, label: &str, bytes: &[u8]) -> wgpu::Buffer {
    let buffer = context.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size: (bytes.len() as u64).max(4),
        usage: wgpu::BufferUsages::VERTEX | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    context.queue.write_buffer(&buffer, 0, bytes);
    buffer
}

fn linear_sampler(context: &Context) -> wgpu::Sampler {
    context.device.create_sampler(&wgpu::SamplerDescriptor {
        label: Some("linear"),
        mag_filter: wgpu::FilterMode::Linear,
        min_filter: wgpu::FilterMode::Linear,
        ..wgpu::SamplerDescriptor::default()
    })
}
