//! Slice views: a plane of a volume, windowed, with another volume and segments over it.
//!
//! In: a frame in patient space, the volumes' texels, the segment atlas. Out: an opaque sRGB picture in a `ViewTexture`.
//! CPU twin: `domain::slice_reference`. One triangle, one fragment per pixel; trilinear by hand in f32, since texture filters
//! have 8 bits of position. Not here: contours, crosshair and text, which the window draws as vectors.

use std::sync::OnceLock;

use bytemuck::{Pod, Zeroable};
use glam::DVec3;

use crate::domain::color_map::{COLOR_MAP_SIZE, ColorMap};
use crate::domain::grid::Grid;
use crate::domain::slice::{FUSION_FADE, Interpolation, SlabMode, SliceFrame, SliceStyle};
use crate::domain::slice_sampling::sample_plane;
use crate::domain::volume::Volume;
use crate::gpu::context::Context;
use crate::gpu::segment_atlas::SegmentAtlas;
use crate::gpu::view_texture::{VIEW_FORMAT, ViewTexture};
use crate::gpu::volume_texture::ResidentVolume;
use crate::gpu::{layout, shader};

/// What [`SliceRenderer::draw_values`] writes where there is no volume.
pub use crate::domain::slice_sampling::NO_VALUE;

/// A volume on the device: any filterable or unfilterable float 3D texture of the grid's size.
#[derive(Debug, Clone, Copy)]
pub struct SliceVolume<'a> {
    /// The texels.
    pub texture: &'a wgpu::TextureView,
    /// Their place in the patient.
    pub grid: &'a Grid,
    /// value = texel * `value_from_texel[0]` + `value_from_texel[1]`.
    pub value_from_texel: [f64; 2],
    /// The same volume in main memory: where the device is the processor itself, linear slices take their values from it.
    pub samples: Option<&'a Volume>,
    /// Half the distance between two values that samples can have: what a range of values is widened by on the device.
    pub half_step: f64,
}

impl<'a> From<&'a ResidentVolume> for SliceVolume<'a> {
    fn from(resident: &'a ResidentVolume) -> Self {
        Self {
            texture: resident.texture.view(),
            grid: resident.volume.grid(),
            value_from_texel: resident.texture.value_from_texel().map(f64::from),
            samples: None,
            half_step: resident.volume.rescale().slope.abs() / 2.0,
        }
    }
}

impl<'a> SliceVolume<'a> {
    /// The same, with its samples in main memory at hand.
    #[must_use]
    pub fn with_samples(self, resident: &'a ResidentVolume) -> Self {
        Self { samples: Some(&resident.volume), ..self }
    }
}

/// All that a slice view shows.
#[derive(Debug, Clone, Copy)]
pub struct SliceScene<'a> {
    /// Where it is.
    pub frame: SliceFrame,
    /// Grey values; black without.
    pub volume: Option<SliceVolume<'a>>,
    /// Another volume over the first, where the style says how.
    pub over: Option<SliceVolume<'a>>,
    /// Segments, of any grid in the same frame of reference.
    pub segments: Option<&'a SegmentAtlas>,
    /// How it is drawn.
    pub style: SliceStyle,
    /// Whether pixels outside the volume are transparent (planes in a 3D view) instead of black.
    pub transparent_outside: bool,
}

/// Mirror of `SliceUniforms` in `shaders/render/slice.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
struct SliceUniforms {
    voxel_center: [f32; 4],
    voxel_right: [f32; 4],
    voxel_down: [f32; 4],
    voxel_slab_step: [f32; 4],
    voxel_slab_start: [f32; 4],
    segment_center: [f32; 4],
    segment_right: [f32; 4],
    segment_down: [f32; 4],
    preview_color: [f32; 4],
    volume_dims: [i32; 3],
    slab_count: u32,
    segment_dims: [i32; 3],
    slab_mode: u32,
    center_px: [f32; 2],
    value_from_texel: [f32; 2],
    window_bounds: [f32; 2],
    preview_bounds: [f32; 2],
    outline_px: f32,
    outside_alpha: f32,
    outline_passes: u32,
    fusion_opacity: f32,
    fusion_bounds: [f32; 2],
    fusion_from_px: f32,
    fusion_fade: f32,
}

/// The shader's override constants: what a variant leaves out costs nothing.
const SWITCHES: [&str; 7] = ["LINEAR", "SLAB", "SEGMENTS", "PREVIEW", "CUBIC", "GIVEN", "FUSION"];

/// Which of [`SWITCHES`] a scene needs, bit by bit; values have neither segments nor preview, and nothing over them.
fn switches(scene: &SliceScene<'_>, values: bool, given: bool) -> usize {
    let needed = [
        scene.style.interpolation == Interpolation::Linear && !given,
        scene.style.slab.is_some() && !given,
        !values && scene.segments.is_some(),
        !values && scene.volume.is_some() && scene.style.preview.is_some(),
        scene.style.interpolation == Interpolation::Cubic,
        given,
        !values && scene.over.is_some() && scene.style.fusion.is_some(),
    ];
    needed.iter().enumerate().map(|(bit, needed)| usize::from(*needed) << bit).sum()
}

/// Draws slice views; one for all views of a device.
#[derive(Debug)]
pub struct SliceRenderer {
    frame_layout: wgpu::BindGroupLayout,
    data_layout: wgpu::BindGroupLayout,
    pipeline_layout: wgpu::PipelineLayout,
    module: wgpu::ShaderModule,
    /// By switches, compiled when first wanted: those that draw pictures, those that write values.
    pipelines: [[OnceLock<wgpu::RenderPipeline>; 1 << SWITCHES.len()]; 2],
    no_segments: SegmentAtlas,
    no_volume: wgpu::TextureView,
    no_values: wgpu::TextureView,
    /// By place in [`ColorMap::ALL`].
    color_maps: [wgpu::TextureView; ColorMap::ALL.len()],
}

impl SliceRenderer {
    /// Compiles the shader.
    pub fn new(context: &Context) -> Self {
        let device = &context.device;
        let [a, b, c, d] = SegmentAtlas::layout_entries();
        let frame_layout = layout::group(device, "slice frame", &[layout::uniform(0)]);
        let [color_map, given, over, over_colors] = [5, 6, 7, 8].map(layout::loaded_picture);
        let data_layout = [layout::loaded_volume(0), a, b, c, d, color_map, given, over, over_colors];
        let data_layout = layout::group(device, "slice data", &data_layout);
        let pipeline_layout = layout::pipeline(device, "slice", &[&frame_layout, &data_layout]);
        let module = shader::module(device, "render/slice.wgsl");
        let nothing = Grid::axis_aligned([1, 1, 1], DVec3::ONE, DVec3::ZERO).expect("one voxel is a grid");
        Self {
            frame_layout,
            data_layout,
            pipeline_layout,
            module,
            pipelines: std::array::from_fn(|_| std::array::from_fn(|_| OnceLock::new())),
            no_segments: SegmentAtlas::new(context, &nothing),
            no_volume: one_texel(context),
            no_values: values_texture(context, [1, 1], &[NO_VALUE]),
            color_maps: ColorMap::ALL.map(|map| color_map_texture(context, map)),
        }
    }

    /// Draws a slice into the picture of its view, which takes the frame's size.
    pub fn draw(&self, context: &Context, target: &mut ViewTexture, scene: &SliceScene<'_>) {
        target.resize(context, scene.frame.size_px);
        self.run(context, target, scene, false);
    }

    /// Writes the values of a plane (r32float), [`NO_VALUE`] outside, into `target`, made with that format.
    pub fn draw_values(&self, context: &Context, target: &mut ViewTexture, scene: &SliceScene<'_>) {
        target.resize(context, scene.frame.size_px);
        self.run(context, target, scene, true);
    }

    fn run(&self, context: &Context, target: &ViewTexture, scene: &SliceScene<'_>, values: bool) {
        let given = given_values(context, scene);
        let pipeline = self.pipeline(context, switches(scene, values, given.is_some()), values);
        let uniforms = uniforms(scene);
        let buffer = context.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("slice frame"),
            size: size_of::<SliceUniforms>() as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        context.queue.write_buffer(&buffer, 0, bytemuck::bytes_of(&uniforms));
        let group = |layout, entries: &[wgpu::BindGroupEntry<'_>]| {
            context.device.create_bind_group(&wgpu::BindGroupDescriptor { label: Some("slice"), layout, entries })
        };
        let frame =
            group(&self.frame_layout, &[wgpu::BindGroupEntry { binding: 0, resource: buffer.as_entire_binding() }]);
        let texture = scene.volume.map_or(&self.no_volume, |volume| volume.texture);
        let volume = wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::TextureView(texture) };
        let color_map = &self.color_maps[scene.style.color_map as usize];
        let color_map = wgpu::BindGroupEntry { binding: 5, resource: wgpu::BindingResource::TextureView(color_map) };
        let [a, b, c, d] = scene.segments.unwrap_or(&self.no_segments).bindings();
        let given = wgpu::BindingResource::TextureView(given.as_ref().unwrap_or(&self.no_values));
        let given = wgpu::BindGroupEntry { binding: 6, resource: given };
        let over = scene.over.filter(|_| !values).zip(scene.style.fusion);
        let over_values = over.map(|(over, _)| self.values_over(context, scene, over));
        let over_view = over_values.as_ref().unwrap_or(&self.no_values);
        let over_colors = &self.color_maps[over.map_or(ColorMap::Grey, |(_, fusion)| fusion.color_map) as usize];
        let over_view = wgpu::BindGroupEntry { binding: 7, resource: wgpu::BindingResource::TextureView(over_view) };
        let over_colors =
            wgpu::BindGroupEntry { binding: 8, resource: wgpu::BindingResource::TextureView(over_colors) };
        let data = group(&self.data_layout, &[volume, a, b, c, d, color_map, given, over_view, over_colors]);
        let mut encoder = context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        super::fullscreen_pass(&mut encoder, "slice", target.view(), pipeline, &[&frame, &data]);
        context.queue.submit([encoder.finish()]);
    }

    /// The values of the volume that lies over the first, sampled where and as that is.
    fn values_over(&self, context: &Context, scene: &SliceScene<'_>, over: SliceVolume<'_>) -> wgpu::TextureView {
        let style = SliceStyle { fusion: None, preview: None, ..scene.style };
        let alone = SliceScene { volume: Some(over), over: None, segments: None, style, ..*scene };
        given_values(context, &alone).unwrap_or_else(|| {
            let format = wgpu::TextureFormat::R32Float;
            let target = ViewTexture::with_format(context, "values over a slice", scene.frame.size_px, format);
            self.run(context, &target, &alone, true);
            target.view().clone()
        })
    }

    fn pipeline(&self, context: &Context, switches: usize, values: bool) -> &wgpu::RenderPipeline {
        self.pipelines[usize::from(values)][switches].get_or_init(|| {
            let constants: [(&str, f64); SWITCHES.len()] =
                std::array::from_fn(|bit| (SWITCHES[bit], (switches >> bit & 1) as f64));
            let (entry_point, format) =
                if values { ("fs_values", wgpu::TextureFormat::R32Float) } else { ("fs_main", VIEW_FORMAT) };
            let entry = (entry_point, constants.as_slice());
            super::fullscreen_pipeline(context, &self.pipeline_layout, &self.module, entry, format)
        })
    }
}

/// The values of the slice, sampled by the processor, where it would have to play the device as well.
fn given_values(context: &Context, scene: &SliceScene<'_>) -> Option<wgpu::TextureView> {
    let volume = scene.volume.as_ref().and_then(|volume| volume.samples)?;
    if !context.is_software() || scene.style.interpolation != Interpolation::Linear {
        return None;
    }
    let values = sample_plane(volume, &scene.frame, scene.style.slab.as_ref());
    Some(values_texture(context, scene.frame.size_px, &values))
}

fn values_texture(context: &Context, [width, height]: [u32; 2], values: &[f32]) -> wgpu::TextureView {
    let size = wgpu::Extent3d { width, height, depth_or_array_layers: 1 };
    let texture = context.device.create_texture(&wgpu::TextureDescriptor {
        label: Some("slice values"),
        size,
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::R32Float,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    let layout =
        wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(4 * width), rows_per_image: Some(height) };
    context.queue.write_texture(texture.as_image_copy(), bytemuck::cast_slice(values), layout, size);
    texture.create_view(&wgpu::TextureViewDescriptor::default())
}

fn uniforms(scene: &SliceScene<'_>) -> SliceUniforms {
    let four = |v: DVec3| v.as_vec3().extend(0.0).to_array();
    let dims = |grid: &Grid| grid.dims().map(|n| n as i32);
    let mut uniforms = SliceUniforms {
        center_px: scene.frame.center_px().as_vec2().to_array(),
        outline_px: scene.style.outline_px,
        outline_passes: u32::from(scene.style.outline_px > 0.0),
        outside_alpha: if scene.transparent_outside { 0.0 } else { 1.0 },
        segment_dims: [1; 3],
        slab_count: 1,
        ..SliceUniforms::zeroed()
    };
    let (low, high) = scene.style.window.bounds();
    let (black, white) = if scene.style.inverted { (high, low) } else { (low, high) };
    uniforms.window_bounds = [black as f32, white as f32];
    if let Some(volume) = &scene.volume {
        let voxels = scene.frame.in_voxels(volume.grid);
        uniforms.voxel_center = four(voxels.center);
        uniforms.voxel_right = four(voxels.right_per_px);
        uniforms.voxel_down = four(voxels.down_per_px);
        uniforms.volume_dims = dims(volume.grid);
        uniforms.value_from_texel = volume.value_from_texel.map(|n| n as f32);
        if let Some(slab) = &scene.style.slab {
            let (count, step_mm) = slab.samples(1.0 / voxels.normal_per_mm.abs().max_element().max(1e-9));
            uniforms.slab_count = count;
            uniforms.slab_mode = match slab.mode {
                SlabMode::Maximum => 0,
                SlabMode::Minimum => 1,
                SlabMode::Mean => 2,
            };
            uniforms.voxel_slab_step = four(voxels.normal_per_mm * step_mm);
            uniforms.voxel_slab_start = four(voxels.normal_per_mm * (-slab.thickness_mm / 2.0));
        }
        if let Some(preview) = &scene.style.preview {
            let [r, g, b] = preview.color.map(|c| f32::from(c) / 255.0);
            uniforms.preview_color = [r, g, b, preview.opacity];
            let reach = volume.half_step;
            uniforms.preview_bounds = [(preview.lower - reach) as f32, (preview.upper + reach) as f32];
        }
    }
    if let Some(fusion) = &scene.style.fusion {
        let (low, high) = fusion.window.bounds();
        uniforms.fusion_bounds = [low as f32, high as f32];
        uniforms.fusion_opacity = fusion.opacity;
        uniforms.fusion_from_px = fusion.from * scene.frame.size_px[0] as f32;
        uniforms.fusion_fade = if fusion.fades { FUSION_FADE as f32 } else { 0.0 };
    }
    if let Some(atlas) = scene.segments {
        let voxels = scene.frame.in_voxels(atlas.grid());
        uniforms.segment_center = four(voxels.center);
        uniforms.segment_right = four(voxels.right_per_px);
        uniforms.segment_down = four(voxels.down_per_px);
        uniforms.segment_dims = dims(atlas.grid());
    } else {
        // Outside of the one-voxel atlas that stands in.
        uniforms.segment_center = [-10.0, 0.0, 0.0, 0.0];
    }
    uniforms
}

fn color_map_texture(context: &Context, map: ColorMap) -> wgpu::TextureView {
    let size = wgpu::Extent3d { width: COLOR_MAP_SIZE as u32, height: 1, depth_or_array_layers: 1 };
    let texture = context.device.create_texture(&wgpu::TextureDescriptor {
        label: Some("colour map"),
        size,
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::Rgba8Unorm,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    let layout =
        wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(4 * size.width), rows_per_image: Some(1) };
    context.queue.write_texture(texture.as_image_copy(), map.table().as_flattened(), layout, size);
    texture.create_view(&wgpu::TextureViewDescriptor::default())
}

fn one_texel(context: &Context) -> wgpu::TextureView {
    let texture = context.device.create_texture(&wgpu::TextureDescriptor {
        label: Some("no volume"),
        size: wgpu::Extent3d { width: 1, height: 1, depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D3,
        format: wgpu::TextureFormat::R32Float,
        usage: wgpu::TextureUsages::TEXTURE_BINDING,
        view_formats: &[],
    });
    texture.create_view(&wgpu::TextureViewDescriptor::default())
}
