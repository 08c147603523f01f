//! Who paints the window: on a software driver our own pipeline, everywhere else the window system's.
//!
//! In: what a frame of the user interface puts out. Out: the same picture, as one callback instead of many shapes. Told by
//! measurement on Mesa's software driver at 1280 x 800: 17 ms a frame instead of 59 (`gpu::render::panels` says why).

use std::sync::Arc;

use eframe::egui_wgpu::{Callback, CallbackResources, CallbackTrait, RenderState, ScreenDescriptor, wgpu};
use egui::epaint::{ClippedPrimitive, ClippedShape, Primitive};
use egui::{FullOutput, PaintCallbackInfo, Rect};

use super::WindowDevice;
use crate::gpu::context::Context;
use crate::gpu::render::panels::{CORNER_BYTES, PanelDraw, PanelFrame, PanelRenderer};

// The window system's vertices go to the device as they are.
const _: () = assert!(size_of::<egui::epaint::Vertex>() == CORNER_BYTES);

/// Turns each frame's shapes into one draw of our own.
pub(super) struct Painter {
    context: Context,
    render_state: RenderState,
    renderer: Arc<PanelRenderer>,
}

impl Painter {
    /// A painter, where one is worth it: the driver is software and the window's format is what the shader writes.
    pub(super) fn where_faster(device: &WindowDevice) -> Option<Self> {
        let format = device.render_state.target_format;
        (device.context.is_software() && !format.is_srgb()).then(|| Self {
            context: device.context.clone(),
            render_state: device.render_state.clone(),
            renderer: Arc::new(PanelRenderer::new(&device.context, format)),
        })
    }

    /// New pixels of fonts and pictures, which the frame already shows.
    fn take_textures(&self, output: &mut FullOutput) {
        let mut renderer = self.render_state.renderer.write();
        output.textures_delta.set.drain().for_each(|(id, deltas)| {
            for delta in deltas {
                renderer.update_texture(&self.context.device, &self.context.queue, id, &delta);
            }
        });
    }

    /// The triangles of a stretch of primitives that has no callback in it.
    fn painted(&self, primitives: &[ClippedPrimitive]) -> Option<ClippedShape> {
        let window = self.render_state.renderer.read();
        let (mut corners, mut indices, mut draws) = (Vec::new(), Vec::new(), Vec::new());
        for ClippedPrimitive { clip_rect, primitive } in primitives {
            let Primitive::Mesh(mesh) = primitive else { continue };
            let Some(texture) = window.texture(&mesh.texture_id) else { continue };
            let first = corners.len() as u32;
            corners.extend_from_slice(&mesh.vertices);
            let start = indices.len() as u32;
            indices.extend(mesh.indices.iter().map(|index| first + index));
            draws.push(PanelDraw {
                clip_points: [clip_rect.min.x, clip_rect.min.y, clip_rect.max.x, clip_rect.max.y],
                picture: texture.bind_group.clone(),
                indices: start..indices.len() as u32,
            });
        }
        let clip_rect = primitives.iter().map(|primitive| primitive.clip_rect).reduce(Rect::union)?;
        let frame = self.renderer.frame(&self.context, bytemuck::cast_slice(&corners), &indices, draws);
        let paint = Paint { renderer: Arc::clone(&self.renderer), frame };
        Some(ClippedShape::new(clip_rect, Callback::new_paint_callback(clip_rect, paint)))
    }
}

impl egui::Plugin for Painter {
    fn debug_name(&self) -> &'static str {
        "painter"
    }

    fn output_hook(&mut self, ctx: &egui::Context, output: &mut FullOutput) {
        self.take_textures(output);
        let primitives = ctx.tessellate(std::mem::take(&mut output.shapes), output.pixels_per_point);
        // Callbacks of others keep their place between what is below and above them.
        for stretch in primitives.chunk_by(|a, b| !is_callback(a) && !is_callback(b)) {
            output.shapes.extend(match stretch {
                [ClippedPrimitive { clip_rect, primitive: Primitive::Callback(callback) }] => {
                    Some(ClippedShape::new(*clip_rect, callback.clone()))
                }
                meshes => self.painted(meshes),
            });
        }
    }
}

fn is_callback(primitive: &ClippedPrimitive) -> bool {
    matches!(primitive.primitive, Primitive::Callback(_))
}

/// One frame, drawn when the window system comes to it.
struct Paint {
    renderer: Arc<PanelRenderer>,
    frame: PanelFrame,
}

impl CallbackTrait for Paint {
    fn prepare(
        &self,
        _device: &wgpu::Device,
        queue: &wgpu::Queue,
        screen: &ScreenDescriptor,
        _encoder: &mut wgpu::CommandEncoder,
        _resources: &mut CallbackResources,
    ) -> Vec<wgpu::CommandBuffer> {
        self.frame.set_size(queue, screen.size_in_pixels, screen.pixels_per_point);
        Vec::new()
    }

    fn paint(&self, info: PaintCallbackInfo, pass: &mut wgpu::RenderPass<'static>, _resources: &CallbackResources) {
        self.renderer.draw(&self.frame, pass, info.screen_size_px, info.pixels_per_point);
    }
}
