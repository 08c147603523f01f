//! The device that everything is drawn and computed with.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Why there is no usable device.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// No driver at all.
    #[error(
        "no graphics adapter was found (install a Vulkan driver; Debian's mesa-vulkan-drivers works without a GPU)"
    )]
    NoAdapter,
    /// The driver refused a device.
    #[error("the graphics driver gave no device: {0}")]
    NoDevice(String),
}

/// Which limits to ask of the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitsRequest {
    /// All that the adapter offers.
    Adapter,
    /// The WebGPU defaults, whatever the adapter offers: what every machine has.
    Defaults,
}

/// A device with what the renderers and stages need to know of it. Cloning gives another handle to the same device.
#[derive(Debug, Clone)]
pub struct Context {
    /// The logical device.
    pub device: wgpu::Device,
    /// Its queue.
    pub queue: wgpu::Queue,
    /// Name, driver and kind of the adapter.
    pub info: wgpu::AdapterInfo,
    lost: Arc<AtomicBool>,
}

impl Context {
    /// A device without a window.
    ///
    /// # Errors
    /// When no adapter or device can be had.
    pub fn headless(limits: LimitsRequest) -> Result<Self, ContextError> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
            backends: wgpu::Backends::from_env().unwrap_or(wgpu::Backends::PRIMARY),
            ..wgpu::InstanceDescriptor::new_without_display_handle()
        });
        let options = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..wgpu::RequestAdapterOptions::default()
        };
        let adapter = pollster::block_on(instance.request_adapter(&options)).map_err(|_| ContextError::NoAdapter)?;
        let descriptor = Self::device_descriptor(&adapter, limits);
        let (device, queue) = pollster::block_on(adapter.request_device(&descriptor))
            .map_err(|error| ContextError::NoDevice(error.to_string()))?;
        Ok(Self::from_parts(device, queue, adapter.get_info()))
    }

    /// What to ask of an adapter; the window uses the same.
    pub fn device_descriptor(adapter: &wgpu::Adapter, limits: LimitsRequest) -> wgpu::DeviceDescriptor<'static> {
        let (required_limits, wanted) = match limits {
            LimitsRequest::Adapter => {
                (adapter.limits(), wgpu::Features::FLOAT32_FILTERABLE | wgpu::Features::TIMESTAMP_QUERY)
            }
            LimitsRequest::Defaults => (wgpu::Limits::default(), wgpu::Features::empty()),
        };
        wgpu::DeviceDescriptor {
            label: Some("maquette"),
            required_features: adapter.features() & wanted,
            required_limits,
            memory_hints: wgpu::MemoryHints::Performance,
            ..wgpu::DeviceDescriptor::default()
        }
    }

    /// Wraps a device that somebody else made (the window).
    pub fn from_parts(device: wgpu::Device, queue: wgpu::Queue, info: wgpu::AdapterInfo) -> Self {
        let lost = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&lost);
        device.set_device_lost_callback(move |_, _| flag.store(true, Ordering::Relaxed));
        Self { device, queue, info, lost }
    }

    /// Whether the device is a CPU that plays GPU: serial shader variants and lower resolution while moving.
    pub fn is_software(&self) -> bool {
        self.info.device_type == wgpu::DeviceType::Cpu
    }

    /// Whether the driver took the device away; everything on it is gone and must be made again.
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Name for the status bar.
    pub fn label(&self) -> String {
        if self.is_software() { format!("software renderer ({})", self.info.name) } else { self.info.name.clone() }
    }

    /// Waits until all submitted work is done.
    pub fn wait(&self) {
        // A lost device answers at once; is_lost() tells.
        let _ = self.device.poll(wgpu::PollType::wait_indefinitely());
    }
}
