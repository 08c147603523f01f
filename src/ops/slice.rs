//! A picture of a slice, drawn on the CPU or the GPU: the same picture.
//!
//! In: a volume, segments of one grid, a frame in patient space, a style. Out: a picture in main memory, for files and
//! reports. The window draws slices into textures by itself (`gpu::render::slice`).

use std::sync::Arc;

use crate::domain::grid::Grid;
use crate::domain::picture::Picture;
use crate::domain::slice::{SegmentLayer, SliceFrame, SliceStyle};
use crate::domain::slice_reference;
use crate::domain::volume::Volume;
use crate::gpu::context::{Context, ContextError};
use crate::gpu::readback;
use crate::gpu::render::slice::{SliceRenderer, SliceScene, SliceVolume};
use crate::gpu::residency::GpuMemory;
use crate::gpu::segment_atlas::SegmentAtlas;
use crate::gpu::view_texture::ViewTexture;
use crate::gpu::volume_texture::{ResidentVolume, VolumeTextureError};
use crate::ops::backend::Backend;
use crate::task::Progress;

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum SliceError {
    /// The GPU was asked for and is not there.
    #[error("the slice cannot be drawn on the GPU: {0}")]
    Device(#[from] ContextError),
    /// The volume does not fit, or somebody cancelled.
    #[error(transparent)]
    Volume(#[from] VolumeTextureError),
}

/// What a slice shows.
#[derive(Debug, Clone, Copy)]
pub struct SliceRequest<'a> {
    /// Grey values.
    pub volume: &'a Arc<Volume>,
    /// The grid of all segments, and the segments.
    pub segments: Option<(&'a Grid, &'a [SegmentLayer<'a>])>,
    /// Where it is.
    pub frame: SliceFrame,
    /// How it is drawn.
    pub style: SliceStyle,
}

/// Draws slices of one volume, on a graphics device or on the CPU, without moving it anew for each.
#[derive(Debug)]
pub struct SlicePainter {
    volume: Arc<Volume>,
    device: Option<DevicePainter>,
}

/// What drawing on a device takes.
#[derive(Debug)]
struct DevicePainter {
    context: Context,
    resident: Arc<ResidentVolume>,
    renderer: SliceRenderer,
    target: ViewTexture,
}

impl SlicePainter {
    /// Makes ready.
    ///
    /// # Errors
    /// As [`draw_slice`].
    pub fn new(
        volume: &Arc<Volume>,
        backend: Backend,
        at_hand: Option<&Context>,
        progress: &Progress,
    ) -> Result<Self, SliceError> {
        let device = match backend.device(at_hand)? {
            Some(context) => {
                let memory = GpuMemory::for_device(&context);
                let resident = ResidentVolume::load(&context, volume, &memory, progress)?;
                let renderer = SliceRenderer::new(&context);
                let target = ViewTexture::new(&context, "slice", [1, 1]);
                Some(DevicePainter { context, resident, renderer, target })
            }
            None => None,
        };
        Ok(Self { volume: Arc::clone(volume), device })
    }

    /// Where slices are drawn: `cpu`, or the name of the device.
    pub fn label(&self) -> String {
        self.device.as_ref().map_or_else(|| "cpu".to_owned(), |device| device.context.label())
    }

    /// Draws a slice and brings it to main memory.
    pub fn draw(&mut self, frame: &SliceFrame, style: &SliceStyle) -> Picture {
        let rgba = match &mut self.device {
            Some(device) => {
                device.draw(frame, style);
                bytemuck::pod_collect_to_vec(&readback::texture_bytes(&device.context, device.target.texture()))
            }
            None => slice_reference::render(Some(&self.volume), None, self.volume.grid(), &[], frame, style),
        };
        Picture { size_px: frame.size_px, rgba }
    }

    /// Draws a slice and waits until it is there; what a window would show.
    pub fn draw_only(&mut self, frame: &SliceFrame, style: &SliceStyle) {
        match &mut self.device {
            Some(device) => device.draw(frame, style),
            None => drop(self.draw(frame, style)),
        }
    }
}

impl DevicePainter {
    fn draw(&mut self, frame: &SliceFrame, style: &SliceStyle) {
        let scene = SliceScene {
            frame: *frame,
            volume: Some(SliceVolume::from(&*self.resident).with_samples(&self.resident)),
            over: None,
            segments: None,
            style: *style,
            transparent_outside: false,
        };
        self.renderer.draw(&self.context, &mut self.target, &scene);
        self.context.wait();
    }
}

/// Draws a slice. `at_hand` is the window's device.
///
/// # Errors
/// When cancelled, when [`Backend::Gpu`] is asked for and no device can be had, or the volume does not fit on it.
pub fn draw_slice(
    request: &SliceRequest<'_>,
    backend: Backend,
    at_hand: Option<&Context>,
    progress: &Progress,
) -> Result<Picture, SliceError> {
    let rgba = match backend.device(at_hand)? {
        Some(context) => on_device(&context, request, progress)?,
        None => {
            let (grid, layers) = request.segments.unwrap_or((request.volume.grid(), &[]));
            slice_reference::render(Some(request.volume), None, grid, layers, &request.frame, &request.style)
        }
    };
    Ok(Picture { size_px: request.frame.size_px, rgba })
}

fn on_device(
    context: &Context,
    request: &SliceRequest<'_>,
    progress: &Progress,
) -> Result<Vec<[u8; 4]>, VolumeTextureError> {
    let memory = GpuMemory::for_device(context);
    let resident = ResidentVolume::load(context, request.volume, &memory, progress)?;
    let atlas = request.segments.map(|(grid, layers)| {
        let mut atlas = SegmentAtlas::new(context, grid);
        atlas.update(context, layers);
        atlas
    });
    let scene = SliceScene {
        frame: request.frame,
        volume: Some(SliceVolume::from(&*resident)),
        over: None,
        segments: atlas.as_ref(),
        style: request.style,
        transparent_outside: false,
    };
    let mut target = ViewTexture::new(context, "slice", request.frame.size_px);
    SliceRenderer::new(context).draw(context, &mut target, &scene);
    Ok(bytemuck::pod_collect_to_vec(&readback::texture_bytes(context, target.texture())))
}
