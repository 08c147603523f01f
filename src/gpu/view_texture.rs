//! The picture of one view: a texture that renderers draw into and the window shows.
//!
//! Hand-over: renderers give `&wgpu::TextureView` (`ViewTexture::view`); `src/app/device.rs`, the one file of the app that
//! names wgpu, registers it with egui (`register_native_texture`) and registers again when `generation` has changed.
//! Format rgba8unorm holding sRGB, premultiplied: what egui shows unchanged.

use super::context::Context;

/// Format of all pictures of views.
pub const VIEW_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;

/// A texture that follows the size of its view.
#[derive(Debug)]
pub struct ViewTexture {
    label: &'static str,
    format: wgpu::TextureFormat,
    texture: wgpu::Texture,
    view: wgpu::TextureView,
    generation: u64,
}

impl ViewTexture {
    /// A picture of `size_px`.
    pub fn new(context: &Context, label: &'static str, size_px: [u32; 2]) -> Self {
        Self::with_format(context, label, size_px, VIEW_FORMAT)
    }

    /// A picture in another format.
    pub fn with_format(context: &Context, label: &'static str, size_px: [u32; 2], format: wgpu::TextureFormat) -> Self {
        let texture = make(context, label, size_px, format);
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        Self { label, format, texture, view, generation: 0 }
    }

    /// Makes the texture again when the view's size has changed; says whether it did. Sizes are kept within the device's.
    pub fn resize(&mut self, context: &Context, size_px: [u32; 2]) -> bool {
        if usable_size(context, size_px) == self.size_px() {
            return false;
        }
        self.texture = make(context, self.label, size_px, self.format);
        self.view = self.texture.create_view(&wgpu::TextureViewDescriptor::default());
        self.generation += 1;
        true
    }

    /// Width and height.
    pub fn size_px(&self) -> [u32; 2] {
        [self.texture.width(), self.texture.height()]
    }

    /// What the window shows.
    pub fn view(&self) -> &wgpu::TextureView {
        &self.view
    }

    /// The texture itself, for reading back.
    pub fn texture(&self) -> &wgpu::Texture {
        &self.texture
    }

    /// Rises when the texture was made again, so that it must be handed over again.
    pub fn generation(&self) -> u64 {
        self.generation
    }
}

fn usable_size(context: &Context, size_px: [u32; 2]) -> [u32; 2] {
    let largest = context.device.limits().max_texture_dimension_2d;
    size_px.map(|n| n.clamp(1, largest))
}

fn make(context: &Context, label: &str, size_px: [u32; 2], format: wgpu::TextureFormat) -> wgpu::Texture {
    let [width, height] = usable_size(context, size_px);
    context.device.create_texture(&wgpu::TextureDescriptor {
        label: Some(label),
        size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format,
        usage: wgpu::TextureUsages::RENDER_ATTACHMENT
            | wgpu::TextureUsages::TEXTURE_BINDING
            | wgpu::TextureUsages::COPY_SRC,
        view_formats: &[],
    })
}
