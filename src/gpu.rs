//! Device, textures, compute stages and renderers: the only room that names wgpu.
//!
//! Invariant: works within the WebGPU default limits and on a software Vulkan driver; optional features only specialise.
//! Bind groups: 0 frame globals, 1 volume and segments, 2 the pass's own; compute stages use group 0.

pub mod context;
pub mod layout;
pub mod readback;
pub mod render;
pub mod residency;
pub mod segment_atlas;
pub mod shader;
pub mod stages;
pub mod surface;
pub mod view_texture;
pub mod volume_texture;
