//! The ray-marcher: pictures of a volume, whole at once (headless) or in pieces, coarse first (in the window).
//!
//! In: a resident volume, a transfer function, a scene, distances of opaque things. Out: a cached picture of the volume
//! alone. Space: patient (LPS mm). Shader: `shaders/render/raymarch.wgsl`; CPU twin: `domain::render_reference`.
//! While something moves, one picture at a resolution that fits the time; at rest the full picture is marched in rows of
//! tiles, a few milliseconds a frame, and shown when it is complete.
//! Not here: meshes, planes and backgrounds, which the composition lays under and over this picture.

mod gpu_data;
mod image;
mod pace;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use gpu_data::{RaymarchUniforms, ViewRaysData};
pub use image::RenderedImage;

use super::STAND_IN_PX;
use crate::domain::projection::Projection;
use crate::domain::render_reference::{RayImage, Shortcuts};
use crate::domain::transfer::{Blend, TransferFunction, UNIT_DISTANCE_MM};
use crate::domain::volume_scene::{GradientTable, TransferTable, VolumeScene};
use crate::gpu::context::Context;
use crate::gpu::shader;
use crate::gpu::volume_texture::{ResidentVolume, VolumeTexture};
use gpu_data::Tables;
use pace::{Budget, Pace, TILE};

/// How coarse a picture may be while moving: its side is this many times shorter than the view's.
const COARSENESS: [f32; 8] = [1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0];
/// Step while moving, in steps of the scene, where the volume itself is marched.
const MOVING_STEP: f64 = 1.5;
/// While moving, a volume of half the resolution does where a pixel covers this many voxels.
const COARSE_PIXEL_VOXELS: f64 = 1.4;

/// Opaque things in the view: rays end at them.
#[derive(Debug, Clone, Copy)]
pub struct Opaque<'a> {
    /// r32float, any size, stretched over the view: distance along the ray in mm (from the eye, or from the eye's plane in
    /// a parallel projection); very large where there is nothing.
    pub distance_mm: &'a wgpu::TextureView,
    /// Changes when the distances change.
    pub revision: u64,
}

/// What the window shows now.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// The picture, to be stretched over the view.
    pub image: &'a RenderedImage,
    /// Whether this is the full picture; if not, ask again in the next frame.
    pub complete: bool,
    /// Changes when the picture changes.
    pub revision: u64,
}

/// Shader variants, as override constants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Variant {
    shade: bool,
    gradient_opacity: bool,
    packed_gradient: bool,
    blend: Blend,
    shortcuts: Shortcuts,
}

/// What a picture was made of; another key asks for another picture.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Key {
    scene: VolumeScene,
    content: u64,
    opaque: Option<u64>,
}

/// Draws one volume.
#[derive(Debug)]
pub struct VolumeRenderer {
    module: wgpu::ShaderModule,
    layout: wgpu::PipelineLayout,
    pass_layout: wgpu::BindGroupLayout,
    pipelines: BTreeMap<Variant, wgpu::ComputePipeline>,
    uniforms: wgpu::Buffer,
    view_group: wgpu::BindGroup,
    nothing_opaque: wgpu::TextureView,
    pace: Pace,
    moving_pace: Pace,
    resident: Option<Arc<ResidentVolume>>,
    transfer: Option<TransferFunction>,
    shortcuts: Shortcuts,
    /// Rises with each change of volume or transfer function.
    content: u64,
    made: [Made; 2],
    moving: Option<RenderedImage>,
    still: Option<RenderedImage>,
    refinement: Option<Refinement>,
    shown: Shown,
    revision: u64,
}

/// Which copy of the volume is marched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Full,
    /// Half the resolution, for pictures in motion.
    Coarse,
}

/// What is made of a copy of the volume under the transfer function.
#[derive(Debug, Default)]
struct Made {
    leaps: Option<wgpu::Buffer>,
    tables: Option<(f64, Tables)>,
}

/// Some rows of tiles of a picture.
struct Piece<'a> {
    uniforms: RaymarchUniforms,
    source: Source,
    image: &'a RenderedImage,
    opaque: Option<Opaque<'a>>,
    rows: std::ops::Range<u32>,
}

/// The full picture on its way.
#[derive(Debug)]
struct Refinement {
    key: Key,
    next_row: u32,
    /// Most rows of tiles of the next piece: one more than of the last one, because after rows of air dear ones may come.
    most_rows: u32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Shown {
    Nothing,
    Moving(Key),
    Still(Key),
}

impl VolumeRenderer {
    /// A renderer without a volume.
    pub fn new(context: &Context) -> Self {
        let view_layout = gpu_data::view_layout(context);
        let pass_layout = gpu_data::pass_layout(context);
        let volume_layout = VolumeTexture::layout(context);
        let layout = context.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("raymarch"),
            bind_group_layouts: &[Some(&view_layout), Some(&volume_layout), Some(&pass_layout)],
            immediate_size: 0,
        });
        let uniforms = context.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("raymarch uniforms"),
            size: size_of::<RaymarchUniforms>() as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let view_group = context.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("raymarch view"),
            layout: &view_layout,
            entries: &[wgpu::BindGroupEntry { binding: 0, resource: uniforms.as_entire_binding() }],
        });
        let nothing_opaque = RenderedImage::new(context, STAND_IN_PX).distance_view().clone();
        Self {
            module: shader::module(&context.device, "render/raymarch.wgsl"),
            layout,
            pass_layout,
            pipelines: BTreeMap::new(),
            uniforms,
            view_group,
            nothing_opaque,
            pace: Pace::new(),
            moving_pace: Pace::new(),
            resident: None,
            transfer: None,
            shortcuts: Shortcuts::default(),
            content: 0,
            made: Default::default(),
            moving: None,
            still: None,
            refinement: None,
            shown: Shown::Nothing,
            revision: 0,
        }
    }

    /// Sets the volume to draw.
    pub fn set_volume(&mut self, resident: &Arc<ResidentVolume>) {
        if self.resident.as_ref().is_some_and(|present| Arc::ptr_eq(present, resident)) {
            return;
        }
        self.resident = Some(Arc::clone(resident));
        self.content_changed();
    }

    /// Sets the transfer function.
    pub fn set_transfer(&mut self, transfer: &TransferFunction) {
        if self.transfer.as_ref() == Some(transfer) {
            return;
        }
        self.transfer = Some(transfer.clone());
        self.content_changed();
    }

    /// Turns shortcuts off, to measure what they are worth.
    pub fn set_shortcuts(&mut self, shortcuts: Shortcuts) {
        if self.shortcuts == shortcuts {
            return;
        }
        self.shortcuts = shortcuts;
        self.content_changed();
    }

    fn content_changed(&mut self) {
        self.content += 1;
        self.made = Default::default();
    }

    /// Draws the whole picture at full resolution, in pieces that no driver minds; `None` without volume or transfer
    /// function.
    pub fn render(
        &mut self,
        context: &Context,
        scene: &VolumeScene,
        opaque: Option<Opaque<'_>>,
    ) -> Option<&RenderedImage> {
        let key = self.key(scene, opaque);
        self.refinement = Some(Refinement { key, next_row: 0, most_rows: 1 });
        while self.refine(context, opaque, Duration::MAX)? {}
        self.still.as_ref()
    }

    /// Does a frame's worth of work and says what to show; `None` without volume or transfer function.
    pub fn advance(
        &mut self,
        context: &Context,
        scene: &VolumeScene,
        opaque: Option<Opaque<'_>>,
        moving: bool,
    ) -> Option<Frame<'_>> {
        let key = self.key(scene, opaque);
        let budget = Budget::of(context);
        let up_to_date = self.shown == Shown::Still(key) || self.shown == Shown::Moving(key);
        if !up_to_date {
            self.refinement = None;
            self.draw_moving(context, &key, opaque, budget)?;
        } else if !moving && self.shown != Shown::Still(key) {
            if self.refinement.as_ref().is_none_or(|refinement| refinement.key != key) {
                self.refinement = Some(Refinement { key, next_row: 0, most_rows: 1 });
            }
            self.refine(context, opaque, budget.refine)?;
        }
        let complete = self.shown == Shown::Still(key);
        let image = if complete { self.still.as_ref() } else { self.moving.as_ref() };
        image.map(|image| Frame { image, complete, revision: self.revision })
    }

    /// The picture that was shown last.
    pub fn shown_image(&self) -> Option<&RenderedImage> {
        match self.shown {
            Shown::Nothing => None,
            Shown::Moving(_) => self.moving.as_ref(),
            Shown::Still(_) => self.still.as_ref(),
        }
    }

    fn key(&self, scene: &VolumeScene, opaque: Option<Opaque<'_>>) -> Key {
        let size_px = scene.size_px.map(|n| n.clamp(1, 8192));
        let scene = VolumeScene { size_px, ..*scene };
        Key { scene, content: self.content, opaque: opaque.map(|opaque| opaque.revision) }
    }

    /// One picture, as fine as the time allows.
    fn draw_moving(&mut self, context: &Context, key: &Key, opaque: Option<Opaque<'_>>, budget: Budget) -> Option<()> {
        let size = key.scene.size_px;
        let affordable = budget.moving.as_nanos() as f32 / self.moving_pace.pixel_ns(context);
        let pixels = |coarse: f32| (size[0] * size[1]) as f32 / (coarse * coarse);
        let coarse = COARSENESS.into_iter().find(|&coarse| pixels(coarse) <= affordable).unwrap_or(6.0);
        let size_px = size.map(|n| ((n as f32 / coarse).round() as u32).max(1));
        let source = self.moving_source(&key.scene, size_px);
        let step_voxels = match source {
            Source::Full if coarse > 1.0 => key.scene.step_voxels * MOVING_STEP,
            _ => key.scene.step_voxels,
        };
        let scene = VolumeScene { size_px, step_voxels, ..key.scene };
        let image = match self.moving.take() {
            Some(image) if image.size_px() == size_px => image,
            _ => RenderedImage::new(context, size_px),
        };
        let uniforms = self.prepare(context, &scene, source)?;
        let rows = size_px[1].div_ceil(TILE);
        let mut row = 0;
        while row < rows {
            let count = self.moving_pace.tile_rows(context, size_px[0], budget.moving_piece).min(rows - row);
            let pace = self.moving_pace.clone();
            self.dispatch(context, &pace, &Piece { uniforms, source, image: &image, opaque, rows: row..row + count });
            row += count;
        }
        self.moving = Some(image);
        self.shown = Shown::Moving(*key);
        self.revision += 1;
        Some(())
    }

    /// Marches further rows of the full picture; says whether there are more.
    fn refine(&mut self, context: &Context, opaque: Option<Opaque<'_>>, time: Duration) -> Option<bool> {
        let Some(Refinement { key, mut next_row, mut most_rows }) = self.refinement.take() else { return Some(false) };
        let size_px = key.scene.size_px;
        let image = match self.still.take() {
            Some(image) if image.size_px() == size_px => image,
            _ => RenderedImage::new(context, size_px),
        };
        let source = Source::Full;
        let uniforms = self.prepare(context, &key.scene, source)?;
        let rows = size_px[1].div_ceil(TILE);
        let budget = Budget::of(context);
        // Where nobody waits for a frame, a software driver works best undisturbed.
        let piece = if time == Duration::MAX { budget.whole_piece } else { budget.piece.min(time) };
        let begin = Instant::now();
        let mut left = if time == Duration::MAX { rows } else { self.pace.tile_rows(context, size_px[0], time) };
        // What a piece costs is known beforehand where the device works on its own, and by the clock where it is waited for.
        while next_row < rows && left > 0 && begin.elapsed() < time {
            let most = if time == Duration::MAX { rows } else { most_rows };
            let count = self.pace.tile_rows(context, size_px[0], piece).min(rows - next_row).min(left).min(most);
            most_rows = count + 1;
            let pace = self.pace.clone();
            let piece = Piece { uniforms, source, image: &image, opaque, rows: next_row..next_row + count };
            self.dispatch(context, &pace, &piece);
            next_row += count;
            left -= count;
        }
        self.still = Some(image);
        if next_row >= rows {
            self.shown = Shown::Still(key);
            self.revision += 1;
            return Some(false);
        }
        // The full picture is written over: what it showed before is gone.
        if matches!(self.shown, Shown::Still(_)) {
            self.shown = Shown::Nothing;
        }
        self.refinement = Some(Refinement { key, next_row, most_rows });
        Some(true)
    }

    /// Which copy serves a moving picture of this size: the coarse one where a pixel covers more than a voxel of it.
    fn moving_source(&self, scene: &VolumeScene, size_px: [u32; 2]) -> Source {
        let Some(resident) = self.resident.as_ref().filter(|resident| resident.coarse.is_some()) else {
            return Source::Full;
        };
        let pixel_mm = scene.camera.height_at_focus_mm() / f64::from(size_px[1]);
        let voxel_mm = resident.volume.grid().spacing_mm().min_element();
        if pixel_mm > voxel_mm * COARSE_PIXEL_VOXELS { Source::Coarse } else { Source::Full }
    }

    fn copy_of(&self, source: Source) -> Option<&Arc<ResidentVolume>> {
        let resident = self.resident.as_ref()?;
        match source {
            Source::Full => Some(resident),
            Source::Coarse => resident.coarse.as_ref(),
        }
    }

    /// Tables and leaps of a scene; its uniforms.
    fn prepare(&mut self, context: &Context, scene: &VolumeScene, source: Source) -> Option<RaymarchUniforms> {
        let resident = Arc::clone(self.copy_of(source)?);
        let transfer = self.transfer.as_ref()?;
        let volume = &resident.volume;
        let blend = transfer.blend;
        let step_mm = if blend.is_composite() { scene.step_mm(volume.grid()) } else { UNIT_DISTANCE_MM };
        let made = &mut self.made[source as usize];
        if made.tables.as_ref().is_none_or(|(made_for_mm, _)| *made_for_mm != step_mm) {
            let table = TransferTable::new(transfer, volume, step_mm);
            if made.leaps.is_none() {
                let leaps = if blend == Blend::Isosurface {
                    let projection = Projection::of(transfer, volume);
                    resident.cells.leap_map_where(|range| projection.reaches(range))
                } else {
                    resident.cells.leap_map(&table)
                };
                made.leaps = Some(gpu_data::leap_buffer(context, &leaps));
            }
            let gradient_table = GradientTable::new(transfer, volume);
            made.tables = Some((step_mm, Tables::upload(context, &table, &gradient_table)));
        }
        let (_, tables) = made.tables.as_ref()?;
        Some(RaymarchUniforms::of(&resident, transfer, scene, tables))
    }

    fn dispatch(&mut self, context: &Context, pace: &Pace, piece: &Piece<'_>) {
        let Piece { uniforms, source, image, opaque, rows } = piece;
        let Made { leaps: Some(leaps), tables: Some((_, tables)) } = &self.made[*source as usize] else { return };
        let Some(resident) = self.copy_of(*source) else { return };
        let bound =
            |binding, view| wgpu::BindGroupEntry { binding, resource: wgpu::BindingResource::TextureView(view) };
        let group = context.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("raymarch pass"),
            layout: &self.pass_layout,
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: leaps.as_entire_binding() },
                wgpu::BindGroupEntry { binding: 1, resource: tables.colors.as_entire_binding() },
                wgpu::BindGroupEntry { binding: 2, resource: tables.gradients.as_entire_binding() },
                bound(3, opaque.map_or(&self.nothing_opaque, |opaque| opaque.distance_mm)),
                bound(4, image.color_view()),
                bound(5, image.distance_view()),
            ],
        });
        let has_opaque = u32::from(opaque.is_some());
        let uniforms = RaymarchUniforms { first_tile_row: rows.start, has_opaque, ..*uniforms };
        context.queue.write_buffer(&self.uniforms, 0, bytemuck::bytes_of(&uniforms));
        let volume_group = resident.texture.bind_group().clone();
        let packed_gradient = resident.texture.has_gradients();
        let pipeline = self.pipeline(context, packed_gradient).clone();
        let mut encoder = context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder
                .begin_compute_pass(&wgpu::ComputePassDescriptor { label: Some("raymarch"), timestamp_writes: None });
            pass.set_pipeline(&pipeline);
            pass.set_bind_group(0, &self.view_group, &[]);
            pass.set_bind_group(1, &volume_group, &[]);
            pass.set_bind_group(2, &group, &[]);
            pass.dispatch_workgroups(image.size_px()[0].div_ceil(TILE), rows.end - rows.start, 1);
        }
        let pixels = u64::from(image.size_px()[0]) * u64::from((rows.end - rows.start) * TILE);
        pace.submit(context, encoder.finish(), pixels);
    }

    fn pipeline(&mut self, context: &Context, packed_gradient: bool) -> &wgpu::ComputePipeline {
        let transfer = self.transfer.as_ref();
        let variant = Variant {
            shade: transfer.is_some_and(|transfer| transfer.shading.shade),
            gradient_opacity: transfer.is_some_and(TransferFunction::uses_gradient_opacity),
            packed_gradient,
            blend: transfer.map_or(Blend::Composite, |transfer| transfer.blend),
            shortcuts: self.shortcuts,
        };
        let (module, layout) = (&self.module, &self.layout);
        self.pipelines.entry(variant).or_insert_with(|| build_pipeline(context, module, layout, variant))
    }
}

fn build_pipeline(
    context: &Context,
    module: &wgpu::ShaderModule,
    layout: &wgpu::PipelineLayout,
    variant: Variant,
) -> wgpu::ComputePipeline {
    let flag = |on: bool| f64::from(u8::from(on));
    context.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some("render/raymarch"),
        layout: Some(layout),
        module,
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions {
            constants: &[
                ("SHADE", flag(variant.shade)),
                ("GRADIENT_OPACITY", flag(variant.gradient_opacity)),
                ("PACKED_GRADIENT", flag(variant.packed_gradient)),
                ("BLEND", Blend::ALL.iter().position(|blend| *blend == variant.blend).unwrap_or(0) as f64),
                ("SKIP_EMPTY", flag(variant.shortcuts.skip_empty)),
                ("END_EARLY", flag(variant.shortcuts.end_early)),
            ],
            ..wgpu::PipelineCompilationOptions::default()
        },
        cache: None,
    })
}

/// Draws a scene once and brings it back: for headless use and for tests.
pub fn render_once(
    context: &Context,
    resident: &Arc<ResidentVolume>,
    transfer: &TransferFunction,
    scene: &VolumeScene,
) -> RayImage {
    let mut renderer = VolumeRenderer::new(context);
    renderer.set_volume(resident);
    renderer.set_transfer(transfer);
    let image = renderer.render(context, scene, None).expect("volume and transfer function are set");
    image.read_back(context)
}
