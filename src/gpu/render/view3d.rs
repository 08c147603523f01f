//! One 3D view: owns the order in which its parts are drawn, and their one depth.
//!
//! In: a scene (camera, objects of the mesh store, planes, lines) and the volume's picture, ray-marched by somebody else.
//! Out: a picture. Order: opaque things with depth (`draw_opaque`, which gives the distances at which rays end), then the
//! caller marches the volume, then translucent meshes and the composition (`compose`). While the volume is refined at rest
//! only `compose` is called again. Space: patient (LPS mm).

pub use super::composite::Background;
pub use super::line::{LineItem, box_edges, frame_edges};
pub use super::mesh::MeshItem;
pub use super::mesh_store::{MeshKey, MeshObject, MeshStore, ReadyMesh};
pub use super::plane::PlaneItem;

use glam::DVec3;

use super::composite::Composite;
use super::line::LineRenderer;
use super::mesh::{MeshRenderer, is_translucent};
use super::opaque_distance::{DISTANCE_FORMAT, NOTHING_MM, OpaqueDistance};
use super::plane::PlaneRenderer;
use super::raymarch::RenderedImage;
use super::view_globals::ViewGlobals;
use super::{DEPTH_FORMAT, SAMPLES, STAND_IN_PX};
use crate::domain::camera::{Camera, StandardView};
use crate::domain::mesh::TriangleMesh;
use crate::gpu::context::Context;
use crate::gpu::readback;
use crate::gpu::view_texture::{VIEW_FORMAT, ViewTexture};

/// All that a 3D view shows, but the volume.
#[derive(Debug, Clone, Copy)]
pub struct Scene3d<'a> {
    /// Where the eye is.
    pub camera: Camera,
    /// Width and height of the view in pixels.
    pub size_px: [u32; 2],
    /// A box around everything that may be seen, mm: nothing outside is drawn.
    pub bounds_in_patient: (DVec3, DVec3),
    /// What is behind everything.
    pub background: Background,
    /// Surfaces.
    pub meshes: &'a [MeshItem],
    /// Slices.
    pub planes: &'a [PlaneItem<'a>],
    /// Edges and the like.
    pub lines: &'a [LineItem],
    /// Whether the camera is being moved: software drivers then draw coarse meshes. Draw once more when it rests.
    pub moving: bool,
}

impl Scene3d<'_> {
    /// A view of a box of patient space with nothing in it.
    pub fn new(camera: Camera, size_px: [u32; 2], bounds_in_patient: (DVec3, DVec3)) -> Self {
        let background = Background::default();
        Self { camera, size_px, bounds_in_patient, background, meshes: &[], planes: &[], lines: &[], moving: false }
    }

    fn has_opaque(&self) -> bool {
        !self.planes.is_empty() || !self.lines.is_empty() || self.meshes.iter().any(|item| item.opacity >= 1.0)
    }
}

/// The ray-marched picture of the volume alone.
#[derive(Debug, Clone, Copy)]
pub struct VolumeLayer<'a> {
    /// Premultiplied sRGB, any size: it is stretched over the view.
    pub color: &'a wgpu::TextureView,
    /// Distance along the ray at which it is hit, mm, r32float of the same size; negative where it is not.
    pub distance_mm: &'a wgpu::TextureView,
    /// Fades it over the opaque things behind it, 0 to 1.
    pub opacity: f32,
}

impl<'a> From<&'a RenderedImage> for VolumeLayer<'a> {
    fn from(image: &'a RenderedImage) -> Self {
        Self { color: image.color_view(), distance_mm: image.distance_view(), opacity: 1.0 }
    }
}

/// Textures of the size of the view.
#[derive(Debug)]
struct Targets {
    size_px: [u32; 2],
    samples: wgpu::TextureView,
    depth: wgpu::TextureView,
    opaque: ViewTexture,
    translucent: ViewTexture,
    distance: ViewTexture,
}

/// Draws one 3D view.
#[derive(Debug)]
pub struct View3d {
    meshes: MeshRenderer,
    planes: PlaneRenderer,
    lines: LineRenderer,
    distance: OpaqueDistance,
    composite: Composite,
    globals: wgpu::Buffer,
    view_group: wgpu::BindGroup,
    /// Transparent texels, and some that say "not hit".
    nothing: [ViewTexture; 2],
    targets: Option<Targets>,
    has_opaque: bool,
    picture: ViewTexture,
}

impl View3d {
    /// Compiles the shaders.
    pub fn new(context: &Context) -> Self {
        let globals = context.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("view"),
            size: size_of::<ViewGlobals>() as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let view_group = context.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("view"),
            layout: &ViewGlobals::layout(context),
            entries: &[wgpu::BindGroupEntry { binding: 0, resource: globals.as_entire_binding() }],
        });
        Self {
            meshes: MeshRenderer::new(context),
            planes: PlaneRenderer::new(context),
            lines: LineRenderer::new(context),
            distance: OpaqueDistance::new(context),
            composite: Composite::new(context),
            globals,
            view_group,
            nothing: nothing(context),
            targets: None,
            has_opaque: false,
            picture: ViewTexture::new(context, "3D view", [1, 1]),
        }
    }

    /// Draws a triangle into a picture of a few pixels: a software driver compiles a shader when it first runs, and the hand
    /// that paints the first segment shall not wait for that.
    pub fn warm_up(&mut self, context: &Context) {
        let object = MeshObject(0);
        let triangle = TriangleMesh {
            positions_in_patient: vec![[-1.0, 0.0, -1.0], [1.0, 0.0, -1.0], [0.0, 0.0, 1.0]],
            normals: vec![[0.0, -1.0, 0.0]; 3],
            triangles: vec![[0, 1, 2]],
        };
        let mut store = MeshStore::new();
        store.upload(context, MeshKey { object, chunk: 0 }, 0, &triangle);
        let bounds_in_patient = (DVec3::splat(-1.0), DVec3::splat(1.0));
        let camera = Camera::fitting(bounds_in_patient.0, bounds_in_patient.1, StandardView::Anterior);
        let meshes = &[MeshItem { object, color: [255; 3], opacity: 1.0 }];
        self.draw(context, &store, &Scene3d { meshes, ..Scene3d::new(camera, STAND_IN_PX, bounds_in_patient) }, |_| {
            None
        });
        self.targets = None;
    }

    /// The picture as it was last composed.
    pub fn picture(&self) -> &ViewTexture {
        &self.picture
    }

    /// Draws everything: `march` gets the distances of opaque things (`None` without any) and gives the volume's picture.
    pub fn draw<'v>(
        &mut self,
        context: &Context,
        store: &MeshStore,
        scene: &Scene3d<'_>,
        march: impl FnOnce(Option<&wgpu::TextureView>) -> Option<VolumeLayer<'v>>,
    ) -> &ViewTexture {
        let volume = march(self.draw_opaque(context, store, scene));
        self.compose(context, store, scene, volume)
    }

    /// Draws opaque meshes, planes and lines. Returns how far along its ray each pixel is covered (r32float, mm from the
    /// eye, or from the eye's plane in a parallel projection; very large where nothing is); `None` when nothing is opaque.
    pub fn draw_opaque(
        &mut self,
        context: &Context,
        store: &MeshStore,
        scene: &Scene3d<'_>,
    ) -> Option<&wgpu::TextureView> {
        let globals = ViewGlobals::of(&scene.camera, scene.size_px, scene.bounds_in_patient);
        context.queue.write_buffer(&self.globals, 0, bytemuck::bytes_of(&globals));
        self.picture.resize(context, scene.size_px);
        self.has_opaque = scene.has_opaque();
        let needs_targets = self.has_opaque || scene.meshes.iter().any(is_translucent);
        if !needs_targets {
            return None;
        }
        let size_px = self.picture.size_px();
        let targets = match self.targets.take() {
            Some(targets) if targets.size_px == size_px => targets,
            _ => Targets::new(context, size_px),
        };
        let mut encoder = context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut pass = targets.begin(&mut encoder, "opaque", &targets.opaque, wgpu::LoadOp::Clear(1.0));
        pass.set_bind_group(0, &self.view_group, &[]);
        self.meshes.draw_opaque(context, &mut pass, store, (scene.meshes, scene.moving));
        self.planes.draw(context, &mut pass, scene.planes);
        self.lines.draw(context, &mut pass, scene.lines);
        drop(pass);
        if self.has_opaque {
            let target = targets.distance.view();
            self.distance.draw(context, &mut encoder, &self.view_group, &targets.depth, target);
        }
        context.queue.submit([encoder.finish()]);
        let targets = self.targets.insert(targets);
        self.has_opaque.then(|| targets.distance.view())
    }

    /// Lays the volume's picture over the opaque things that were drawn last, and translucent meshes over both.
    pub fn compose(
        &mut self,
        context: &Context,
        store: &MeshStore,
        scene: &Scene3d<'_>,
        volume: Option<VolumeLayer<'_>>,
    ) -> &ViewTexture {
        let [transparent, not_hit] = [self.nothing[0].view(), self.nothing[1].view()];
        let volume_parts = volume.map_or([transparent, not_hit], |volume| [volume.color, volume.distance_mm]);
        let mut encoder = context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let has_translucent = scene.meshes.iter().any(is_translucent);
        let targets = self.targets.as_ref().filter(|targets| targets.size_px == self.picture.size_px());
        if let Some(targets) = targets.filter(|_| has_translucent) {
            let mut pass = targets.begin(&mut encoder, "translucent", &targets.translucent, wgpu::LoadOp::Load);
            pass.set_bind_group(0, &self.view_group, &[]);
            self.meshes.draw_translucent(
                context,
                &mut pass,
                store,
                (scene.meshes, scene.moving),
                &scene.camera,
                volume_parts,
            );
        }
        let part = |wanted: bool, texture: fn(&Targets) -> &ViewTexture| {
            targets.filter(|_| wanted).map_or(transparent, |targets| texture(targets).view())
        };
        let parts = [
            part(self.has_opaque, |targets| &targets.opaque),
            volume_parts[0],
            part(has_translucent, |targets| &targets.translucent),
        ];
        let target = (self.picture.view(), self.picture.size_px());
        let opacity = volume.map_or(1.0, |volume| volume.opacity.clamp(0.0, 1.0));
        self.composite.draw(context, &mut encoder, scene.background, (parts, opacity), target);
        context.queue.submit([encoder.finish()]);
        &self.picture
    }

    /// Distance along the ray through a pixel at which the opaque things drawn last are met; `None` where nothing is.
    /// Waits for the device: for clicks, not for every move of the pointer.
    pub fn opaque_distance_at(&self, context: &Context, x: u32, y: u32) -> Option<f64> {
        let targets = self.targets.as_ref().filter(|_| self.has_opaque)?;
        if x >= targets.size_px[0] || y >= targets.size_px[1] {
            return None;
        }
        let bytes = readback::texel_bytes(context, targets.distance.texture(), x, y);
        let distance_mm = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        (distance_mm < NOTHING_MM).then_some(f64::from(distance_mm))
    }
}

impl Targets {
    fn new(context: &Context, size_px: [u32; 2]) -> Self {
        let multisampled = |label, format, usage| {
            let [width, height] = size_px;
            let texture = context.device.create_texture(&wgpu::TextureDescriptor {
                label: Some(label),
                size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
                mip_level_count: 1,
                sample_count: SAMPLES,
                dimension: wgpu::TextureDimension::D2,
                format,
                usage: wgpu::TextureUsages::RENDER_ATTACHMENT | usage,
                view_formats: &[],
            });
            texture.create_view(&wgpu::TextureViewDescriptor::default())
        };
        Self {
            size_px,
            samples: multisampled("3D samples", VIEW_FORMAT, wgpu::TextureUsages::empty()),
            depth: multisampled("3D depth", DEPTH_FORMAT, wgpu::TextureUsages::TEXTURE_BINDING),
            opaque: ViewTexture::new(context, "opaque", size_px),
            translucent: ViewTexture::new(context, "translucent", size_px),
            distance: ViewTexture::with_format(context, "opaque distance", size_px, DISTANCE_FORMAT),
        }
    }

    /// A pass that starts transparent and ends in `target`.
    fn begin<'e>(
        &self,
        encoder: &'e mut wgpu::CommandEncoder,
        label: &str,
        target: &ViewTexture,
        depth: wgpu::LoadOp<f32>,
    ) -> wgpu::RenderPass<'e> {
        encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some(label),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: &self.samples,
                depth_slice: None,
                resolve_target: Some(target.view()),
                ops: wgpu::Operations {
                    load: wgpu::LoadOp::Clear(wgpu::Color::TRANSPARENT),
                    store: wgpu::StoreOp::Discard,
                },
            })],
            depth_stencil_attachment: Some(wgpu::RenderPassDepthStencilAttachment {
                view: &self.depth,
                depth_ops: Some(wgpu::Operations { load: depth, store: wgpu::StoreOp::Store }),
                stencil_ops: None,
            }),
            ..wgpu::RenderPassDescriptor::default()
        })
    }
}

/// Transparent texels, and distances that say "not hit", all written once.
fn nothing(context: &Context) -> [ViewTexture; 2] {
    let color = ViewTexture::new(context, "nothing", STAND_IN_PX);
    let distance = ViewTexture::with_format(context, "not hit", STAND_IN_PX, DISTANCE_FORMAT);
    let mut encoder = context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    for (texture, clear) in
        [(&color, wgpu::Color::TRANSPARENT), (&distance, wgpu::Color { r: -1.0, g: 0.0, b: 0.0, a: 0.0 })]
    {
        encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("nothing"),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: texture.view(),
                depth_slice: None,
                resolve_target: None,
                ops: wgpu::Operations { load: wgpu::LoadOp::Clear(clear), store: wgpu::StoreOp::Store },
            })],
            ..wgpu::RenderPassDescriptor::default()
        });
    }
    context.queue.submit([encoder.finish()]);
    [color, distance]
}
