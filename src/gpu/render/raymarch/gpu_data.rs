//! Mirror of the uniforms of `shaders/render/raymarch.wgsl`, and the layout of its groups.

use bytemuck::{Pod, Zeroable};
use glam::{UVec2, Vec3};

use crate::domain::occupancy::LeapMap;
use crate::domain::projection::Projection;
use crate::domain::render_reference::sample_box;
use crate::domain::transfer::TransferFunction;
use crate::domain::volume_scene::{GradientTable, TransferTable, ViewRays, VolumeScene};
use crate::gpu::context::Context;
use crate::gpu::volume_texture::ResidentVolume;

/// Mirror of `ViewRays` in `shaders/shared/camera.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct ViewRaysData {
    /// See [`ViewRays`].
    pub origin_in_patient: [f32; 3],
    /// 1 or 0.
    pub perspective: f32,
    /// See [`ViewRays`].
    pub forward_in_patient: [f32; 4],
    /// See [`ViewRays`].
    pub right_in_patient: [f32; 4],
    /// See [`ViewRays`].
    pub up_in_patient: [f32; 4],
}

/// Mirror of `RaymarchUniforms`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct RaymarchUniforms {
    /// Camera.
    pub rays: ViewRaysData,
    /// Box of voxel centres.
    pub box_lower: [f32; 4],
    /// Box of voxel centres.
    pub box_upper: [f32; 4],
    /// Clip box, patient space.
    pub clip_lower: [f32; 4],
    /// Clip box, patient space.
    pub clip_upper: [f32; 4],
    /// Normals and offsets of the planes that clip.
    pub clip_planes: [[f32; 4]; 6],
    /// Ambient, diffuse, specular, power.
    pub light: [f32; 4],
    /// Scale and bias of the attenuation, side of the surface that is inside.
    pub attenuation: [f32; 4],
    /// Colour and texel of the surface.
    pub surface: [f32; 4],
    /// Scale and bias of the colour table, scale of the gradient table.
    pub table: [f32; 4],
    /// Cells along i, j, k.
    pub cell_dims: [u32; 4],
    /// Size of the picture.
    pub size_px: [u32; 2],
    /// First row of tiles of this dispatch.
    pub first_tile_row: u32,
    /// 1 where opaque distances count.
    pub has_opaque: u32,
    /// Distance between samples.
    pub step_mm: f32,
    /// Padding.
    pub reserved_a: f32,
    /// Padding.
    pub reserved_b: f32,
    /// Padding.
    pub reserved_c: f32,
}

impl RaymarchUniforms {
    /// The uniforms of a scene; tile row and opaque flag are set later.
    pub(super) fn of(
        resident: &ResidentVolume,
        transfer: &TransferFunction,
        scene: &VolumeScene,
        tables: &Tables,
    ) -> Self {
        let grid = resident.volume.grid();
        let pad = |v: Vec3| [v.x, v.y, v.z, 0.0];
        let rays = ViewRays::of(scene);
        let (box_lower, box_upper) = sample_box(grid.dims());
        let clip = scene.clip_box.map(|clip| (clip.lower_in_patient.as_vec3(), clip.upper_in_patient.as_vec3()));
        let (clip_lower, clip_upper) = clip.unwrap_or((Vec3::splat(-1e9), Vec3::splat(1e9)));
        let light = &transfer.shading;
        let offset = resident.texture.sample_offset() as f32;
        let bias = tables.scale.mul_add(offset, tables.bias);
        let projection = Projection::of(transfer, &resident.volume);
        let [r, g, b] = projection.surface_color;
        let [ci, cj, ck] = resident.cells.cell_dims;
        Self {
            rays: ViewRaysData {
                origin_in_patient: rays.origin_in_patient.to_array(),
                perspective: f32::from(u8::from(rays.perspective)),
                forward_in_patient: pad(rays.forward_in_patient),
                right_in_patient: pad(rays.right_in_patient),
                up_in_patient: pad(rays.up_in_patient),
            },
            box_lower: pad(box_lower),
            box_upper: pad(box_upper),
            clip_lower: pad(clip_lower),
            clip_upper: pad(clip_upper),
            clip_planes: scene.clip_planes.packed().map(|plane| plane.to_array()),
            light: [light.ambient, light.diffuse, light.specular, light.power],
            attenuation: [
                projection.attenuation_scale,
                projection.attenuation_scale.mul_add(offset, projection.attenuation_bias),
                projection.inside_sign,
                0.0,
            ],
            surface: [r, g, b, projection.iso_sample - offset],
            table: [tables.scale, bias + 0.5, tables.gradient_scale, 0.0],
            cell_dims: [ci, cj, ck, 0],
            size_px: UVec2::from_array(scene.size_px).to_array(),
            first_tile_row: 0,
            has_opaque: 0,
            step_mm: scene.step_mm(grid) as f32,
            reserved_a: 0.0,
            reserved_b: 0.0,
            reserved_c: 0.0,
        }
    }
}

/// The tables of a transfer function on the device.
#[derive(Debug)]
pub(super) struct Tables {
    /// See [`TransferTable`].
    pub(super) scale: f32,
    /// See [`TransferTable`].
    pub(super) bias: f32,
    /// See [`GradientTable`].
    pub(super) gradient_scale: f32,
    /// Colours.
    pub(super) colors: wgpu::Buffer,
    /// Factors over gradient magnitudes.
    pub(super) gradients: wgpu::Buffer,
}

impl Tables {
    /// Uploads both tables.
    pub(super) fn upload(context: &Context, table: &TransferTable, gradient_table: &GradientTable) -> Self {
        Self {
            scale: table.scale,
            bias: table.bias,
            gradient_scale: gradient_table.scale,
            colors: storage(context, "transfer table", bytemuck::cast_slice(&table.rgba)),
            gradients: storage(context, "gradient table", bytemuck::cast_slice(&gradient_table.factors)),
        }
    }
}

/// Leap distances as a buffer, four to a word.
pub(super) fn leap_buffer(context: &Context, map: &LeapMap) -> wgpu::Buffer {
    storage(context, "leap distances", &map.distances)
}

fn storage(context: &Context, label: &str, bytes: &[u8]) -> wgpu::Buffer {
    let whole = bytes.len() & !3;
    let buffer = context.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size: (bytes.len() as u64).next_multiple_of(4).max(16),
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    context.queue.write_buffer(&buffer, 0, &bytes[..whole]);
    if whole < bytes.len() {
        // Copies come in words.
        let mut word = [0; 4];
        word[..bytes.len() - whole].copy_from_slice(&bytes[whole..]);
        context.queue.write_buffer(&buffer, whole as u64, &word);
    }
    buffer
}

/// Layout of group 0.
pub(super) fn view_layout(context: &Context) -> wgpu::BindGroupLayout {
    layout(
        context,
        "raymarch view",
        &[wgpu::BindingType::Buffer {
            ty: wgpu::BufferBindingType::Uniform,
            has_dynamic_offset: false,
            min_binding_size: None,
        }],
    )
}

/// Layout of group 2.
pub(super) fn pass_layout(context: &Context) -> wgpu::BindGroupLayout {
    let written = |format| wgpu::BindingType::StorageTexture {
        access: wgpu::StorageTextureAccess::WriteOnly,
        format,
        view_dimension: wgpu::TextureViewDimension::D2,
    };
    let storage = wgpu::BindingType::Buffer {
        ty: wgpu::BufferBindingType::Storage { read_only: true },
        has_dynamic_offset: false,
        min_binding_size: None,
    };
    let distances = wgpu::BindingType::Texture {
        sample_type: wgpu::TextureSampleType::Float { filterable: false },
        view_dimension: wgpu::TextureViewDimension::D2,
        multisampled: false,
    };
    let types = [
        storage,
        storage,
        storage,
        distances,
        written(wgpu::TextureFormat::Rgba16Float),
        written(wgpu::TextureFormat::R32Float),
    ];
    layout(context, "raymarch pass", &types)
}

fn layout(context: &Context, label: &str, types: &[wgpu::BindingType]) -> wgpu::BindGroupLayout {
    let entries: Vec<_> = (0_u32..)
        .zip(types)
        .map(|(binding, &ty)| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty,
            count: None,
        })
        .collect();
    context.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(label), entries: &entries })
}
