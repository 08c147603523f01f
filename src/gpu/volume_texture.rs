//! A volume on the device: a 3D texture of its samples, for slices and for ray-marching.
//!
//! In: a volume. Out: a texture and the bind group that `shaders/shared/volume.wgsl` reads.
//! Format: r32float where it filters and the device is a CPU (fastest there), else r16float, which filters everywhere; the
//! latter holds samples minus an offset, so that 4096 values from the lowest on are exact. Measurement never reads it.
//! On CPU drivers small volumes also get a texture of gradients (8 bytes a voxel): shading then fetches once, not six times.
//! Uploaded in slabs, so that the copy in flight stays small. Not here: volumes beyond the texture limit (refused).

use std::sync::Arc;

use bytemuck::{Pod, Zeroable};
use half::f16;
use half::slice::HalfFloatSliceExt as _;
use rayon::prelude::*;

use super::context::Context;
use super::residency::{GpuMemory, Lease, OverBudget};
use crate::domain::grid::Grid;
use crate::domain::occupancy::SkipCells;
use crate::domain::reduced_volume::halved;
use crate::domain::volume::Volume;
use crate::task::{Cancelled, Progress};

/// Largest copy in flight, bytes.
const SLAB_BYTES: usize = 16 << 20;
/// Largest texture of gradients, bytes: beyond, the gain (a tenth to a third) is not worth the memory and the upload.
const GRADIENT_BYTES: u64 = 128 << 20;
/// Smaller volumes are quick enough in motion as they are.
const COARSE_VOXELS: usize = 4 << 20;
/// Integers up to this are exact in 16-bit floats.
const EXACT_HALF: f64 = 2048.0;

/// Why a volume cannot be on the device.
#[derive(Debug, thiserror::Error)]
pub enum VolumeTextureError {
    /// A side is longer than a texture may be.
    #[error("the volume has {} x {} x {} voxels; this graphics device takes at most {limit} along each axis", dims[0], dims[1], dims[2])]
    TooLong {
        /// Voxels along i, j, k.
        dims: [u32; 3],
        /// What the device takes.
        limit: u32,
    },
    /// More memory than there is.
    #[error("the volume is too large for the graphics device: {0}")]
    OverBudget(#[from] OverBudget),
    /// The driver said no.
    #[error("the graphics driver has no room for the volume: {0}")]
    Driver(String),
    /// Stopped by the user.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// What `shaders/shared/volume.wgsl` knows of a volume.
#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
pub struct VolumeGlobals {
    /// Column-major.
    pub voxel_from_patient: [[f32; 4]; 4],
    /// 1 / dims, and what is added to a texel to get the sample.
    pub texture_from_voxel: [f32; 4],
}

/// The texture of a volume.
#[derive(Debug)]
pub struct VolumeTexture {
    parts: Parts,
    bind_group: wgpu::BindGroup,
    format: wgpu::TextureFormat,
    dims: [u32; 3],
    sample_offset: f64,
    value_from_texel: [f32; 2],
    has_gradients: bool,
    leases: Vec<Lease>,
}

impl VolumeTexture {
    /// Uploads a volume. Slow for large ones: call on a worker.
    ///
    /// # Errors
    /// When the device has no room for it, or the work was cancelled.
    pub fn upload(
        context: &Context,
        volume: &Volume,
        memory: &GpuMemory,
        progress: &Progress,
    ) -> Result<Self, VolumeTextureError> {
        Self::upload_with(context, volume, memory, GRADIENT_BYTES, progress)
    }

    /// The same, with gradients if they take no more than so many bytes.
    fn upload_with(
        context: &Context,
        volume: &Volume,
        memory: &GpuMemory,
        gradient_bytes: u64,
        progress: &Progress,
    ) -> Result<Self, VolumeTextureError> {
        let dims = volume.grid().dims();
        let limit = context.device.limits().max_texture_dimension_3d;
        if dims.iter().any(|&n| n > limit) {
            return Err(VolumeTextureError::TooLong { dims, limit });
        }
        let format = sample_format(context);
        let texel_bytes = format.block_copy_size(None).unwrap_or(4);
        let lease = memory.reserve(volume.grid().voxel_count() as u64 * u64::from(texel_bytes))?;
        let mut leases = vec![lease];
        let texture = create(context, dims, format)?;
        let sample_offset = sample_offset(volume, format);
        write_slabs(context, &texture, volume, texel_bytes, progress, |_, samples, bytes| {
            convert(samples, bytes, sample_offset as f32, format);
        })?;
        let with_gradients = volume.grid().voxel_count() as u64 * 8 <= gradient_bytes;
        let gradients =
            if with_gradients { Self::upload_gradients(context, volume, memory, &mut leases, progress)? } else { None };
        let has_gradients = gradients.is_some();
        let gradients = match gradients {
            Some(texture) => texture,
            None => create(context, [1, 1, 1], wgpu::TextureFormat::Rgba16Float)?,
        };
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        let gradient_view = gradients.create_view(&wgpu::TextureViewDescriptor::default());
        let globals = globals_buffer(context, globals_of(volume.grid(), sample_offset));
        let sampler = context.device.create_sampler(&wgpu::SamplerDescriptor {
            label: Some("volume"),
            mag_filter: wgpu::FilterMode::Linear,
            min_filter: wgpu::FilterMode::Linear,
            ..wgpu::SamplerDescriptor::default()
        });
        let parts = Parts { view, sampler, globals, gradient_view };
        let bind_group = parts.bind(context, &Self::layout(context));
        let rescale = volume.rescale();
        let value_from_texel = [rescale.slope as f32, rescale.value(sample_offset) as f32];
        Ok(Self { parts, bind_group, format, dims, sample_offset, value_from_texel, has_gradients, leases })
    }

    /// Gradients, where they are worth their memory and there is that much.
    fn upload_gradients(
        context: &Context,
        volume: &Volume,
        memory: &GpuMemory,
        leases: &mut Vec<Lease>,
        progress: &Progress,
    ) -> Result<Option<wgpu::Texture>, VolumeTextureError> {
        let bytes = volume.grid().voxel_count() as u64 * 8;
        if !context.is_software() {
            return Ok(None);
        }
        let Ok(lease) = memory.reserve(bytes) else { return Ok(None) };
        let Ok(texture) = create(context, volume.grid().dims(), wgpu::TextureFormat::Rgba16Float) else {
            return Ok(None);
        };
        write_slabs(context, &texture, volume, 8, progress, |first, samples, bytes| {
            gradients(volume, first, samples.len(), bytes);
        })?;
        leases.push(lease);
        Ok(Some(texture))
    }

    /// The texels: samples minus [`VolumeTexture::sample_offset`], i along x.
    pub fn view(&self) -> &wgpu::TextureView {
        &self.parts.view
    }

    /// Group 1 of shaders that import `volume`.
    pub fn bind_group(&self) -> &wgpu::BindGroup {
        &self.bind_group
    }

    /// The same for a layout that a pipeline made for itself.
    pub fn bind_group_for(&self, context: &Context, layout: &wgpu::BindGroupLayout) -> wgpu::BindGroup {
        self.parts.bind(context, layout)
    }

    /// Format of the texels.
    pub fn format(&self) -> wgpu::TextureFormat {
        self.format
    }

    /// Voxels along i, j, k.
    pub fn dims(&self) -> [u32; 3] {
        self.dims
    }

    /// What is added to a texel to get the sample.
    pub fn sample_offset(&self) -> f64 {
        self.sample_offset
    }

    /// Rescaled value = texel * `[0]` + `[1]`.
    pub fn value_from_texel(&self) -> [f32; 2] {
        self.value_from_texel
    }

    /// Whether group 1 holds gradients.
    pub fn has_gradients(&self) -> bool {
        self.has_gradients
    }

    /// Bytes held on the device.
    pub fn bytes(&self) -> u64 {
        self.leases.iter().map(Lease::bytes).sum()
    }

    /// Layout of group 1 of shaders that import `volume`.
    pub fn layout(context: &Context) -> wgpu::BindGroupLayout {
        let entry = |binding: u32, ty: wgpu::BindingType| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::COMPUTE | wgpu::ShaderStages::FRAGMENT,
            ty,
            count: None,
        };
        let texels = wgpu::BindingType::Texture {
            sample_type: wgpu::TextureSampleType::Float { filterable: true },
            view_dimension: wgpu::TextureViewDimension::D3,
            multisampled: false,
        };
        context.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("volume"),
            entries: &[
                entry(0, texels),
                entry(1, wgpu::BindingType::Sampler(wgpu::SamplerBindingType::Filtering)),
                entry(
                    2,
                    wgpu::BindingType::Buffer {
                        ty: wgpu::BufferBindingType::Uniform,
                        has_dynamic_offset: false,
                        min_binding_size: None,
                    },
                ),
                entry(3, texels),
            ],
        })
    }
}

/// A volume with all that drawing it needs: on the device, and its skip cells. Shared by all views of the volume.
#[derive(Debug)]
pub struct ResidentVolume {
    /// The volume itself.
    pub volume: Arc<Volume>,
    /// Its texels.
    pub texture: VolumeTexture,
    /// Ranges of its cells.
    pub cells: SkipCells,
    /// The same at half the resolution, for pictures in motion; only where each voxel costs (software drivers), the volume
    /// is large and there is memory.
    pub coarse: Option<Arc<ResidentVolume>>,
}

impl ResidentVolume {
    /// Uploads a volume and ranges its cells. Slow for large ones: call on a worker.
    ///
    /// # Errors
    /// As [`VolumeTexture::upload`].
    pub fn load(
        context: &Context,
        volume: &Arc<Volume>,
        memory: &GpuMemory,
        progress: &Progress,
    ) -> Result<Arc<Self>, VolumeTextureError> {
        progress.phase("Sending the volume to the graphics device");
        let mut resident = Self::alone(context, volume, memory, GRADIENT_BYTES, progress)?;
        if context.is_software() && volume.grid().voxel_count() > COARSE_VOXELS {
            resident.coarse = Self::coarse_of(context, volume, memory, progress)?;
        }
        Ok(Arc::new(resident))
    }

    fn coarse_of(
        context: &Context,
        volume: &Volume,
        memory: &GpuMemory,
        progress: &Progress,
    ) -> Result<Option<Arc<Self>>, VolumeTextureError> {
        let Ok(small) = halved(volume) else { return Ok(None) };
        match Self::alone(context, &Arc::new(small), memory, 0, progress) {
            Ok(coarse) => Ok(Some(Arc::new(coarse))),
            Err(VolumeTextureError::Cancelled(cancelled)) => Err(cancelled.into()),
            // Pictures in motion are then made of the volume itself.
            Err(_) => Ok(None),
        }
    }

    fn alone(
        context: &Context,
        volume: &Arc<Volume>,
        memory: &GpuMemory,
        gradient_bytes: u64,
        progress: &Progress,
    ) -> Result<Self, VolumeTextureError> {
        let texture = VolumeTexture::upload_with(context, volume, memory, gradient_bytes, progress)?;
        let cells = SkipCells::of(volume);
        progress.check()?;
        Ok(Self { volume: Arc::clone(volume), texture, cells, coarse: None })
    }
}

fn sample_format(context: &Context) -> wgpu::TextureFormat {
    let filters = context.device.features().contains(wgpu::Features::FLOAT32_FILTERABLE);
    if context.is_software() && filters { wgpu::TextureFormat::R32Float } else { wgpu::TextureFormat::R16Float }
}

/// The middle of the range that 16-bit floats hold exactly, the lowest sample being its lower end.
fn sample_offset(volume: &Volume, format: wgpu::TextureFormat) -> f64 {
    if format == wgpu::TextureFormat::R32Float {
        return 0.0;
    }
    let ranges = &volume.cells().ranges;
    let low = f64::from(ranges.iter().map(|range| range[0]).min().unwrap_or(0));
    let high = f64::from(ranges.iter().map(|range| range[1]).max().unwrap_or(0));
    low.midpoint(high).min(low + EXACT_HALF).floor()
}

fn create(context: &Context, dims: [u32; 3], format: wgpu::TextureFormat) -> Result<wgpu::Texture, VolumeTextureError> {
    let scope = context.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let texture = context.device.create_texture(&wgpu::TextureDescriptor {
        label: Some("volume"),
        size: wgpu::Extent3d { width: dims[0], height: dims[1], depth_or_array_layers: dims[2] },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D3,
        format,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    match pollster::block_on(scope.pop()) {
        Some(error) => Err(VolumeTextureError::Driver(error.to_string())),
        None => Ok(texture),
    }
}

/// Fills a texture of the volume's size slab by slab. `fill` gets the index of the first voxel, the samples of the slab and
/// the bytes to write.
fn write_slabs(
    context: &Context,
    texture: &wgpu::Texture,
    volume: &Volume,
    texel_bytes: u32,
    progress: &Progress,
    fill: impl Fn(usize, &[i16], &mut [u8]),
) -> Result<(), Cancelled> {
    let [ni, nj, nk] = volume.grid().dims();
    let layer_len = ni as usize * nj as usize;
    let texel_len = texel_bytes as usize;
    let layers_a_slab = (SLAB_BYTES / (layer_len * texel_len)).clamp(1, nk as usize);
    let mut bytes = vec![0_u8; layers_a_slab * layer_len * texel_len];
    for (slab, samples) in volume.samples().chunks(layers_a_slab * layer_len).enumerate() {
        progress.step(slab * layers_a_slab, nk as usize)?;
        let bytes = &mut bytes[..samples.len() * texel_len];
        fill(slab * layers_a_slab * layer_len, samples, bytes);
        let first_layer = (slab * layers_a_slab) as u32;
        let layer_count = (samples.len() / layer_len) as u32;
        context.queue.write_texture(
            wgpu::TexelCopyTextureInfo {
                texture,
                mip_level: 0,
                origin: wgpu::Origin3d { x: 0, y: 0, z: first_layer },
                aspect: wgpu::TextureAspect::All,
            },
            bytes,
            wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(ni * texel_bytes), rows_per_image: Some(nj) },
            wgpu::Extent3d { width: ni, height: nj, depth_or_array_layers: layer_count },
        );
        // The queue keeps a copy of every write until it has run: let it run before the next.
        context.queue.submit([]);
        context.wait();
    }
    Ok(())
}

fn convert(samples: &[i16], bytes: &mut [u8], sample_offset: f32, format: wgpu::TextureFormat) {
    const RUN: usize = 1 << 16;
    if format == wgpu::TextureFormat::R16Float {
        bytes.par_chunks_mut(RUN * 2).zip(samples.par_chunks(RUN)).for_each(|(bytes, samples)| {
            let shifted: Vec<f32> = samples.iter().map(|&sample| f32::from(sample) - sample_offset).collect();
            write_halves(&shifted, bytes);
        });
    } else {
        bytes.par_chunks_mut(RUN * 4).zip(samples.par_chunks(RUN)).for_each(|(bytes, samples)| {
            for (texel, &sample) in bytes.chunks_exact_mut(4).zip(samples) {
                texel.copy_from_slice(&(f32::from(sample) - sample_offset).to_le_bytes());
            }
        });
    }
}

/// Central differences (halved) of whole layers, four 16-bit floats a voxel, the fourth zero.
fn gradients(volume: &Volume, first: usize, count: usize, bytes: &mut [u8]) {
    let grid = volume.grid();
    let [ni, nj, nk] = grid.dims();
    let samples = volume.samples();
    let (width, first_row) = (ni as usize, first / ni as usize);
    assert_eq!(bytes.len(), count * 8, "eight bytes a voxel");
    bytes.par_chunks_mut(width * 8).enumerate().for_each(|(n, bytes)| {
        let (j, k) = ((first_row + n) as u32 % nj, (first_row + n) as u32 / nj);
        let row = |j: u32, k: u32| {
            let start = grid.index(0, j, k);
            &samples[start..start + width]
        };
        let here = row(j, k);
        let (before_j, after_j) = (row(j.saturating_sub(1), k), row((j + 1).min(nj - 1), k));
        let (before_k, after_k) = (row(j, k.saturating_sub(1)), row(j, (k + 1).min(nk - 1)));
        let half_difference = |after: i16, before: i16| (f32::from(after) - f32::from(before)) * 0.5;
        let mut row = vec![0.0_f32; width * 4];
        for (i, texel) in row.chunks_exact_mut(4).enumerate() {
            texel[0] = half_difference(here[(i + 1).min(width - 1)], here[i.saturating_sub(1)]);
            texel[1] = half_difference(after_j[i], before_j[i]);
            texel[2] = half_difference(after_k[i], before_k[i]);
        }
        write_halves(&row, bytes);
    });
}

fn write_halves(values: &[f32], bytes: &mut [u8]) {
    let mut halves = vec![f16::ZERO; values.len()];
    halves.convert_from_f32_slice(values);
    for (bytes, half) in bytes.chunks_exact_mut(2).zip(halves) {
        bytes.copy_from_slice(&half.to_le_bytes());
    }
}

fn globals_of(grid: &Grid, sample_offset: f64) -> VolumeGlobals {
    let [ni, nj, nk] = grid.dims().map(|n| 1.0 / n as f32);
    VolumeGlobals {
        voxel_from_patient: glam::DMat4::from(grid.voxel_from_patient()).as_mat4().to_cols_array_2d(),
        texture_from_voxel: [ni, nj, nk, sample_offset as f32],
    }
}

fn globals_buffer(context: &Context, globals: VolumeGlobals) -> wgpu::Buffer {
    let buffer = context.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("volume globals"),
        size: size_of::<VolumeGlobals>() as u64,
        usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    context.queue.write_buffer(&buffer, 0, bytemuck::bytes_of(&globals));
    buffer
}

/// What group 1 binds.
#[derive(Debug)]
struct Parts {
    view: wgpu::TextureView,
    sampler: wgpu::Sampler,
    globals: wgpu::Buffer,
    gradient_view: wgpu::TextureView,
}

impl Parts {
    fn bind(&self, context: &Context, layout: &wgpu::BindGroupLayout) -> wgpu::BindGroup {
        let texture =
            |binding, view| wgpu::BindGroupEntry { binding, resource: wgpu::BindingResource::TextureView(view) };
        context.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("volume"),
            layout,
            entries: &[
                texture(0, &self.view),
                wgpu::BindGroupEntry { binding: 1, resource: wgpu::BindingResource::Sampler(&self.sampler) },
                wgpu::BindGroupEntry { binding: 2, resource: self.globals.as_entire_binding() },
                texture(3, &self.gradient_view),
            ],
        })
    }
}
