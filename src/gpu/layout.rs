//! Words for bind group layouts, so that a renderer's layout reads like its shader's declarations.

fn entry(binding: u32, ty: wgpu::BindingType) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::VERTEX_FRAGMENT.union(wgpu::ShaderStages::COMPUTE),
        ty,
        count: None,
    }
}

/// `var<uniform>`.
pub fn uniform(binding: u32) -> wgpu::BindGroupLayoutEntry {
    let ty = wgpu::BindingType::Buffer {
        ty: wgpu::BufferBindingType::Uniform,
        has_dynamic_offset: false,
        min_binding_size: None,
    };
    entry(binding, ty)
}

/// `var<storage, read>`.
pub fn storage(binding: u32) -> wgpu::BindGroupLayoutEntry {
    let ty = wgpu::BindingType::Buffer {
        ty: wgpu::BufferBindingType::Storage { read_only: true },
        has_dynamic_offset: false,
        min_binding_size: None,
    };
    entry(binding, ty)
}

/// `var<storage, read_write>`; for compute only.
pub fn storage_written(binding: u32) -> wgpu::BindGroupLayoutEntry {
    let ty = wgpu::BindingType::Buffer {
        ty: wgpu::BufferBindingType::Storage { read_only: false },
        has_dynamic_offset: false,
        min_binding_size: None,
    };
    entry(binding, ty)
}

/// `texture_3d<f32>`, read by `textureLoad` only.
pub fn loaded_volume(binding: u32) -> wgpu::BindGroupLayoutEntry {
    texture(binding, wgpu::TextureSampleType::Float { filterable: false }, wgpu::TextureViewDimension::D3, false)
}

/// `texture_3d<u32>`.
pub fn index_volume(binding: u32) -> wgpu::BindGroupLayoutEntry {
    texture(binding, wgpu::TextureSampleType::Uint, wgpu::TextureViewDimension::D3, false)
}

/// `texture_2d<f32>`, read by `textureLoad` only.
pub fn loaded_picture(binding: u32) -> wgpu::BindGroupLayoutEntry {
    texture(binding, wgpu::TextureSampleType::Float { filterable: false }, wgpu::TextureViewDimension::D2, false)
}

/// `texture_2d<f32>`, filtered.
pub fn filtered_picture(binding: u32) -> wgpu::BindGroupLayoutEntry {
    texture(binding, wgpu::TextureSampleType::Float { filterable: true }, wgpu::TextureViewDimension::D2, false)
}

/// `texture_depth_multisampled_2d`.
pub fn multisampled_depth(binding: u32) -> wgpu::BindGroupLayoutEntry {
    texture(binding, wgpu::TextureSampleType::Depth, wgpu::TextureViewDimension::D2, true)
}

/// `sampler` that filters.
pub fn sampler(binding: u32) -> wgpu::BindGroupLayoutEntry {
    entry(binding, wgpu::BindingType::Sampler(wgpu::SamplerBindingType::Filtering))
}

fn texture(
    binding: u32,
    sample_type: wgpu::TextureSampleType,
    view_dimension: wgpu::TextureViewDimension,
    multisampled: bool,
) -> wgpu::BindGroupLayoutEntry {
    entry(binding, wgpu::BindingType::Texture { sample_type, view_dimension, multisampled })
}

/// A bind group layout of these entries.
pub fn group(
    device: &wgpu::Device,
    label: &'static str,
    entries: &[wgpu::BindGroupLayoutEntry],
) -> wgpu::BindGroupLayout {
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(label), entries })
}

/// A pipeline layout of these groups, the first being group 0.
pub fn pipeline(device: &wgpu::Device, label: &'static str, groups: &[&wgpu::BindGroupLayout]) -> wgpu::PipelineLayout {
    let groups: Vec<Option<&wgpu::BindGroupLayout>> = groups.iter().map(|group| Some(*group)).collect();
    device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(label),
        bind_group_layouts: &groups,
        immediate_size: 0,
    })
}
