//! The picture that the ray-marcher writes: colours and hit distances, two textures of one size.

use half::f16;

use crate::domain::render_reference::RayImage;
use crate::gpu::context::Context;

/// A picture of the volume alone, premultiplied sRGB over nothing.
#[derive(Debug)]
pub struct RenderedImage {
    size_px: [u32; 2],
    color: wgpu::Texture,
    color_view: wgpu::TextureView,
    distance: wgpu::Texture,
    distance_view: wgpu::TextureView,
}

impl RenderedImage {
    pub(super) fn new(context: &Context, size_px: [u32; 2]) -> Self {
        let color = texture(context, "ray-marched colour", size_px, wgpu::TextureFormat::Rgba16Float);
        let distance = texture(context, "ray-marched distance", size_px, wgpu::TextureFormat::R32Float);
        let color_view = color.create_view(&wgpu::TextureViewDescriptor::default());
        let distance_view = distance.create_view(&wgpu::TextureViewDescriptor::default());
        Self { size_px, color, color_view, distance, distance_view }
    }

    /// Width and height; while moving smaller than the view, to be stretched over it.
    pub fn size_px(&self) -> [u32; 2] {
        self.size_px
    }

    /// Premultiplied sRGB, rgba16float.
    pub fn color_view(&self) -> &wgpu::TextureView {
        &self.color_view
    }

    /// Distance along the ray at which it hits something, mm, r32float; negative where it does not.
    pub fn distance_view(&self) -> &wgpu::TextureView {
        &self.distance_view
    }

    /// Texture behind [`RenderedImage::distance_view`], for reading single texels back.
    pub fn distance_texture(&self) -> &wgpu::Texture {
        &self.distance
    }

    /// Copies the picture to main memory; waits for the device.
    pub fn read_back(&self, context: &Context) -> RayImage {
        let color = crate::gpu::readback::texture_bytes(context, &self.color);
        let distance = crate::gpu::readback::texture_bytes(context, &self.distance);
        let half = |bytes: &[u8]| f16::from_le_bytes([bytes[0], bytes[1]]).to_f32();
        RayImage {
            size_px: self.size_px,
            rgba: color
                .chunks_exact(8)
                .map(|texel| [half(&texel[0..]), half(&texel[2..]), half(&texel[4..]), half(&texel[6..])])
                .collect(),
            distance_mm: distance.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
        }
    }
}

fn texture(context: &Context, label: &str, size_px: [u32; 2], format: wgpu::TextureFormat) -> wgpu::Texture {
    context.device.create_texture(&wgpu::TextureDescriptor {
        label: Some(label),
        size: wgpu::Extent3d { width: size_px[0], height: size_px[1], depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format,
        usage: wgpu::TextureUsages::STORAGE_BINDING
            | wgpu::TextureUsages::TEXTURE_BINDING
            | wgpu::TextureUsages::COPY_SRC,
        view_formats: &[],
    })
}
