//! Stage `scan_counts`: counts become starts, in place, in three dispatches. See `shaders/stages/scan_counts.wgsl`.

use bytemuck::{Pod, Zeroable};

use super::{Stage, WORKGROUP};
use crate::gpu::context::Context;
use crate::gpu::layout::{storage_written, uniform};

/// Elements that one invocation adds up, at least.
const RUN: u32 = 256;
/// Most runs: the middle dispatch goes through them alone.
const MAX_RUNS: u32 = 1 << 16;

/// Mirror of `ScanGlobals`: how a list is divided.
#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
pub struct ScanGlobals {
    /// Elements.
    pub count: u32,
    /// Elements of a run.
    pub run: u32,
    /// Runs.
    pub run_count: u32,
    /// Zero.
    pub unused: u32,
}

/// The three pipelines.
#[derive(Debug)]
pub(crate) struct ScanStages {
    stages: [Stage; 3],
}

/// One list that is scanned again and again.
#[derive(Debug)]
pub(crate) struct Scan {
    groups: [wgpu::BindGroup; 3],
    run_count: u32,
}

impl ScanStages {
    pub(crate) fn new(context: &Context) -> Self {
        let entries = ["sum_runs", "scan_sums", "spread_sums"];
        let bindings = [uniform(0), storage_written(1), storage_written(2)];
        Self { stages: entries.map(|entry| Stage::new(context, "stages/scan_counts.wgsl", entry, &bindings)) }
    }

    /// Binds a list of `count` words.
    pub(crate) fn bind(&self, context: &Context, values: &wgpu::Buffer, count: u32) -> Scan {
        let run = RUN.max(count.div_ceil(MAX_RUNS));
        let globals = ScanGlobals { count, run, run_count: count.div_ceil(run), unused: 0 };
        let uniform = super::uniform_buffer(context, "scan globals", bytemuck::bytes_of(&globals));
        let sums = super::storage_buffer(context, "scan sums", u64::from(globals.run_count) * 4);
        let groups = std::array::from_fn(|n| self.stages[n].bind(context, &[&uniform, values, &sums]));
        Scan { groups, run_count: globals.run_count }
    }

    /// Records the three dispatches.
    pub(crate) fn record(&self, pass: &mut wgpu::ComputePass<'_>, scan: &Scan) {
        let groups = [scan.run_count.div_ceil(WORKGROUP), 1, scan.run_count.div_ceil(WORKGROUP)];
        for (n, count) in groups.into_iter().enumerate() {
            self.stages[n].record(pass, &scan.groups[n], count);
        }
    }
}
