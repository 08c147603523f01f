//! Compute stages: one file each, the stem of its shader. All bindings are in group 0.
//!
//! A stage is a pipeline with its layout; who owns the buffers and in which order stages run stands with their user
//! (`gpu::surface`).

pub(crate) mod classify_voxels;
pub(crate) mod count_rows;
pub(crate) mod emit_triangles;
pub(crate) mod emit_vertices;
pub mod scan_counts;

use super::context::Context;
use super::{layout, shader};

/// Invocations of a workgroup, in every stage.
pub(crate) const WORKGROUP: u32 = 64;

/// A compute pipeline.
#[derive(Debug)]
pub(crate) struct Stage {
    pipeline: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
}

impl Stage {
    /// Compiles an entry point of a shader of the table.
    pub(crate) fn new(
        context: &Context,
        path: &'static str,
        entry_point: &'static str,
        bindings: &[wgpu::BindGroupLayoutEntry],
    ) -> Self {
        let device = &context.device;
        // Written storage is refused to vertex shaders by the defaults, so that these layouts are for compute alone.
        let bindings: Vec<wgpu::BindGroupLayoutEntry> = bindings
            .iter()
            .map(|entry| wgpu::BindGroupLayoutEntry { visibility: wgpu::ShaderStages::COMPUTE, ..*entry })
            .collect();
        let layout = layout::group(device, path, &bindings);
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(path),
            layout: Some(&layout::pipeline(device, path, &[&layout])),
            module: &shader::module(device, path),
            entry_point: Some(entry_point),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        Self { pipeline, layout }
    }

    /// Binds buffers, in the order of the bindings.
    pub(crate) fn bind(&self, context: &Context, buffers: &[&wgpu::Buffer]) -> wgpu::BindGroup {
        let entries: Vec<wgpu::BindGroupEntry<'_>> = (0_u32..)
            .zip(buffers)
            .map(|(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
            .collect();
        context.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &self.layout,
            entries: &entries,
        })
    }

    /// Records one dispatch.
    pub(crate) fn record(&self, pass: &mut wgpu::ComputePass<'_>, group: &wgpu::BindGroup, workgroups: u32) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, group, &[]);
        pass.dispatch_workgroups(workgroups, 1, 1);
    }
}

/// A buffer that stages read and write, and that can be copied from and to.
pub(crate) fn storage_buffer(context: &Context, label: &'static str, bytes: u64) -> wgpu::Buffer {
    context.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size: bytes.next_multiple_of(16).max(16),
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC,
        mapped_at_creation: false,
    })
}

/// A uniform buffer with these bytes.
pub(crate) fn uniform_buffer(context: &Context, label: &'static str, bytes: &[u8]) -> wgpu::Buffer {
    let buffer = context.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size: (bytes.len() as u64).next_multiple_of(16),
        usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    context.queue.write_buffer(&buffer, 0, bytes);
    buffer
}
