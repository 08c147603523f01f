//! Hands the device over: the window asks for the same device as everything headless, and textures drawn by `gpu` become
//! pictures of the window. With its `painter` the only place in `app` that names wgpu.

mod painter;

use std::sync::Arc;

use eframe::egui_wgpu;
use egui::TextureId;
use wgpu::{Backends, FilterMode, PowerPreference, TextureView};

use crate::gpu::context::{Context, LimitsRequest};

/// A texture of a renderer, as views hand it from one to the other.
pub type Texels = TextureView;

/// The window's device and its texture table.
#[derive(Clone)]
pub struct WindowDevice {
    /// The device as the renderers know it.
    pub context: Context,
    render_state: egui_wgpu::RenderState,
}

/// How an enlarged texture looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// Pixels stay squares.
    Nearest,
    /// Pixels blend.
    Linear,
}

impl WindowDevice {
    /// Wraps what the window made.
    pub fn new(render_state: &egui_wgpu::RenderState) -> Self {
        let context = Context::from_parts(
            render_state.device.clone(),
            render_state.queue.clone(),
            render_state.adapter.get_info(),
        );
        Self { context, render_state: render_state.clone() }
    }

    /// Lets our own pipeline paint the window where that is faster.
    pub fn take_over_painting(&self, ctx: &egui::Context) {
        if let Some(painter) = painter::Painter::where_faster(self) {
            ctx.add_plugin(painter);
        }
    }

    /// Makes a texture view (rgba8unorm, gamma-encoded) a picture that panels and viewports can paint.
    pub fn register(&self, view: &TextureView, filter: Filter) -> TextureId {
        let mut renderer = self.render_state.renderer.write();
        renderer.register_native_texture(&self.context.device, view, filter_mode(filter))
    }

    /// Puts another view (after a resize) behind a registered picture.
    pub fn replace(&self, id: TextureId, view: &TextureView, filter: Filter) {
        let mut renderer = self.render_state.renderer.write();
        renderer.update_egui_texture_from_wgpu_texture(&self.context.device, view, filter_mode(filter), id);
    }

    /// Forgets a registered picture.
    pub fn free(&self, id: TextureId) {
        self.render_state.renderer.write().free_texture(&id);
    }

    /// Interface and kind of device in few words, for the top bar: "Vulkan · discrete GPU".
    pub fn label(&self) -> String {
        let kind = match self.context.info.device_type {
            wgpu::DeviceType::Cpu => "software renderer",
            wgpu::DeviceType::DiscreteGpu => "discrete GPU",
            wgpu::DeviceType::IntegratedGpu => "integrated GPU",
            wgpu::DeviceType::VirtualGpu => "virtual GPU",
            wgpu::DeviceType::Other => "graphics device",
        };
        format!("{:?} \u{b7} {kind}", self.context.info.backend)
    }

    /// Interface, name and driver of the device.
    pub fn details(&self) -> String {
        let info = &self.context.info;
        format!("{:?}, {}, {} {}", info.backend, info.name, info.driver, info.driver_info)
    }
}

fn filter_mode(filter: Filter) -> FilterMode {
    match filter {
        Filter::Nearest => FilterMode::Nearest,
        Filter::Linear => FilterMode::Linear,
    }
}

/// The window system's choice of device: ours, with all limits that the adapter has.
pub fn configuration() -> egui_wgpu::WgpuConfiguration {
    egui_wgpu::WgpuConfiguration {
        surface: egui_wgpu::SurfaceConfig::LOW_LATENCY,
        wgpu_setup: setup(LimitsRequest::Adapter),
        ..egui_wgpu::WgpuConfiguration::default()
    }
}

/// The setup alone; UI tests give it to their harness.
pub fn setup(limits: LimitsRequest) -> egui_wgpu::WgpuSetup {
    let mut setup = egui_wgpu::WgpuSetupCreateNew::without_display_handle();
    setup.instance_descriptor.backends = Backends::from_env().unwrap_or(Backends::PRIMARY);
    setup.power_preference = PowerPreference::from_env().unwrap_or(PowerPreference::HighPerformance);
    setup.device_descriptor = Arc::new(move |adapter| Context::device_descriptor(adapter, limits));
    setup.into()
}
