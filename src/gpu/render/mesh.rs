//! Draws triangle meshes: smooth, lit from the eye on both sides, opaque or translucent.
//!
//! In: a `MeshStore`, objects with colour and opacity, the view. Out: draw calls in a pass with four samples and depth.
//! Opaque objects write depth; translucent ones are drawn back to front, far sides before near sides, and fade where the
//! volume hides them. Not here: what lies over what (`render::view3d`).

use bytemuck::{Pod, Zeroable};
use glam::DVec3;

use super::mesh_store::{MeshObject, MeshStore, MeshVertex, Piece};
use super::view_globals::ViewGlobals;
use super::{DEPTH_FORMAT, SAMPLES};
use crate::domain::camera::Camera;
use crate::gpu::context::Context;
use crate::gpu::view_texture::VIEW_FORMAT;
use crate::gpu::{layout, shader};

/// How an object of the mesh store is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeshItem {
    /// Which object.
    pub object: MeshObject,
    /// sRGB.
    pub color: [u8; 3],
    /// 0 to 1; below 1 the object is translucent, at 0 it is not drawn.
    pub opacity: f32,
}

/// One object's colour, as an instance.
#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
struct MeshInstance {
    color: [f32; 4],
}

/// Pipelines of meshes.
#[derive(Debug)]
pub(super) struct MeshRenderer {
    opaque: wgpu::RenderPipeline,
    far_sides: wgpu::RenderPipeline,
    near_sides: wgpu::RenderPipeline,
    hiding_layout: wgpu::BindGroupLayout,
}

impl MeshRenderer {
    pub(super) fn new(context: &Context) -> Self {
        let device = &context.device;
        let view_layout = ViewGlobals::layout(context);
        let hiding = [layout::loaded_picture(0), layout::loaded_picture(1)];
        let hiding_layout = layout::group(device, "what hides meshes", &hiding);
        let module = shader::module(device, "render/mesh.wgsl");
        let opaque_layout = layout::pipeline(device, "opaque meshes", &[&view_layout]);
        let translucent_layout = layout::pipeline(device, "translucent meshes", &[&view_layout, &hiding_layout]);
        let translucent = |face| build(context, &translucent_layout, &module, Some(face));
        Self {
            opaque: build(context, &opaque_layout, &module, None),
            // Culling front faces leaves the far sides.
            far_sides: translucent(wgpu::Face::Front),
            near_sides: translucent(wgpu::Face::Back),
            hiding_layout,
        }
    }

    /// Draws the opaque ones among the items. Group 0 is set.
    pub(super) fn draw_opaque(
        &self,
        context: &Context,
        pass: &mut wgpu::RenderPass<'_>,
        store: &MeshStore,
        (items, moving): (&[MeshItem], bool),
    ) {
        let items: Vec<MeshItem> = items.iter().filter(|item| item.opacity >= 1.0).copied().collect();
        if items.is_empty() {
            return;
        }
        let instances = instances(context, &items);
        pass.set_pipeline(&self.opaque);
        pass.set_vertex_buffer(1, instances.slice(..));
        for (n, item) in items.iter().enumerate() {
            draw(pass, store.pieces_of(item.object, moving), n as u32);
        }
    }

    /// Draws the translucent ones among the items, hidden by the volume's picture where they lie behind it.
    pub(super) fn draw_translucent(
        &self,
        context: &Context,
        pass: &mut wgpu::RenderPass<'_>,
        store: &MeshStore,
        (items, moving): (&[MeshItem], bool),
        camera: &Camera,
        volume: [&wgpu::TextureView; 2],
    ) {
        let mut items: Vec<MeshItem> = items.iter().filter(|item| is_translucent(item)).copied().collect();
        // Far objects first, by the middle of their box.
        let depth_mm = |item: &MeshItem| {
            let (lower, upper) = store.bounds_in_patient(item.object).unwrap_or_default();
            let middle = (lower.as_dvec3() + upper.as_dvec3()) / 2.0;
            DVec3::dot(middle - camera.eye_in_patient(), camera.direction_in_patient)
        };
        items.sort_by(|a, b| depth_mm(b).total_cmp(&depth_mm(a)));
        let instances = instances(context, &items);
        let hiding = context.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("what hides meshes"),
            layout: &self.hiding_layout,
            entries: &[0, 1].map(|n: usize| wgpu::BindGroupEntry {
                binding: n as u32,
                resource: wgpu::BindingResource::TextureView(volume[n]),
            }),
        });
        pass.set_bind_group(1, &hiding, &[]);
        pass.set_vertex_buffer(1, instances.slice(..));
        for (n, item) in items.iter().enumerate() {
            for pipeline in [&self.far_sides, &self.near_sides] {
                pass.set_pipeline(pipeline);
                draw(pass, store.pieces_of(item.object, moving), n as u32);
            }
        }
    }
}

/// Whether an item belongs into the translucent pass.
pub(super) fn is_translucent(item: &MeshItem) -> bool {
    item.opacity > 0.0 && item.opacity < 1.0
}

fn draw<'a>(pass: &mut wgpu::RenderPass<'_>, pieces: impl Iterator<Item = &'a Piece>, instance: u32) {
    for piece in pieces {
        pass.set_vertex_buffer(0, piece.vertices.slice(..));
        pass.set_index_buffer(piece.indices.slice(..), wgpu::IndexFormat::Uint32);
        pass.draw_indexed(0..piece.index_count, 0, instance..instance + 1);
    }
}

fn instances(context: &Context, items: &[MeshItem]) -> wgpu::Buffer {
    let instances: Vec<MeshInstance> = items
        .iter()
        .map(|item| {
            let [r, g, b] = item.color.map(|c| f32::from(c) / 255.0);
            MeshInstance { color: [r, g, b, item.opacity] }
        })
        .collect();
    super::vertex_buffer(context, "mesh colours", bytemuck::cast_slice(&instances))
}

fn build(
    context: &Context,
    layout: &wgpu::PipelineLayout,
    module: &wgpu::ShaderModule,
    culled: Option<wgpu::Face>,
) -> wgpu::RenderPipeline {
    let is_opaque = culled.is_none();
    let per_vertex = wgpu::VertexBufferLayout {
        array_stride: size_of::<MeshVertex>() as u64,
        step_mode: wgpu::VertexStepMode::Vertex,
        attributes: &wgpu::vertex_attr_array![0 => Float32x3, 1 => Float32x3],
    };
    let per_object = wgpu::VertexBufferLayout {
        array_stride: size_of::<MeshInstance>() as u64,
        step_mode: wgpu::VertexStepMode::Instance,
        attributes: &wgpu::vertex_attr_array![2 => Float32x4],
    };
    context.device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some("mesh"),
        layout: Some(layout),
        vertex: wgpu::VertexState {
            module,
            entry_point: Some("vs_main"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            buffers: &[Some(per_vertex), Some(per_object)],
        },
        primitive: wgpu::PrimitiveState { cull_mode: culled, ..wgpu::PrimitiveState::default() },
        depth_stencil: Some(wgpu::DepthStencilState {
            format: DEPTH_FORMAT,
            depth_write_enabled: Some(is_opaque),
            depth_compare: Some(wgpu::CompareFunction::Less),
            stencil: wgpu::StencilState::default(),
            bias: wgpu::DepthBiasState::default(),
        }),
        multisample: wgpu::MultisampleState { count: SAMPLES, ..wgpu::MultisampleState::default() },
        fragment: Some(wgpu::FragmentState {
            module,
            entry_point: Some(if is_opaque { "fs_opaque" } else { "fs_translucent" }),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            targets: &[Some(wgpu::ColorTargetState {
                format: VIEW_FORMAT,
                blend: (!is_opaque).then_some(wgpu::BlendState::PREMULTIPLIED_ALPHA_BLENDING),
                write_mask: wgpu::ColorWrites::ALL,
            })],
        }),
        multiview_mask: None,
        cache: None,
    })
}
