//! Surfaces of a volume on the graphics device: flying edges over a 1-bit mask, as `domain::surface` does it on the CPU.
//!
//! In: a volume, once, and iso values. Out: the same triangles in the same order, positions within 1e-4 voxel.
//! Samples are held in slabs that fit one storage binding, each with the slices around it that its vertices read. Ids come
//! from prefix sums and popcounts; there are no atomics and no barriers. One short read-back tells how long the outputs are.
//! Not here: masks (`domain::surface::extract_mask` is fast enough), drawing.

use bytemuck::{Pod, Zeroable};

use super::context::Context;
use super::readback::{buffer_bytes, words};
use super::stages::scan_counts::{Scan, ScanStages};
use super::stages::{
    Stage, WORKGROUP, classify_voxels, count_rows, emit_triangles, emit_vertices, storage_buffer, uniform_buffer,
};
use crate::domain::mesh::TriangleMesh;
use crate::domain::surface::tables::CASE_TRIANGLES;
use crate::domain::surface::{CLOSEST_TO_VOXEL, IsoLevel, Placement};
use crate::domain::volume::{MINMAX_CELL, MinMaxCells, Volume};

/// Runs that a stage is divided into: few and long for a CPU that plays GPU, many for a GPU.
const SOFTWARE_RUNS: u32 = 1 << 14;
const SOFTWARE_VERTEX_RUNS: u32 = 1 << 12;
const GPU_RUNS: u32 = 1 << 18;
/// Strands of workgroups where threads take stretches of them: enough that the halves of a surface are alike, few enough that
/// neighbours still meet in the cache.
const SOFTWARE_STRANDS: u32 = 8;

/// Why a surface cannot be made on the device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SurfaceDeviceError {
    /// Something is larger than one binding.
    #[error("{what} of {bytes} bytes are more than this graphics device takes at once ({limit} bytes); use the CPU")]
    TooLarge {
        /// What.
        what: &'static str,
        /// Its size.
        bytes: u64,
        /// What the device takes.
        limit: u64,
    },
    /// The driver took the device away.
    #[error("the graphics device was lost")]
    Lost,
}

/// Mirror of `SurfaceGlobals` in `shaders/shared/surface.wgsl`: what all stages know.
#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
pub struct SurfaceGlobals {
    /// Voxels along i, j, k.
    pub dims: [u32; 3],
    /// Samples of a stored row.
    pub row_stride: u32,
    /// Words of a padded row.
    pub words: u32,
    /// Padded rows of a slice.
    pub rows: u32,
    /// Padded slices.
    pub slices: u32,
    /// Runs that a stage is divided into.
    pub runs: u32,
    /// Largest sample outside, after the flip.
    pub threshold: i32,
    /// All bits where the order of samples is turned round.
    pub flip: u32,
    /// 1 on left-handed grids.
    pub mirrored: u32,
    /// No vertex comes nearer to a voxel centre, voxels.
    pub closest_to_voxel: f32,
    /// Strands of workgroups, a power of two.
    pub strands: u32,
    /// Rows of blocks in a layer of the range table.
    pub blocks_j: u32,
    /// Words that a bit of `cut_words` and `cell_words` stands for.
    pub words_per_bit: u32,
    /// Runs that the vertices are divided into; finding the first of a run is dear, so they are longer.
    pub vertex_runs: u32,
    /// Centre of voxel (0, 0, 0), mm; as all below, the fourth number is not used.
    pub origin: [f32; 4],
    /// Step along i, mm.
    pub axis_i: [f32; 4],
    /// Step along j, mm.
    pub axis_j: [f32; 4],
    /// Step along k, mm.
    pub axis_k: [f32; 4],
    /// Normal of a field that falls along i.
    pub normal_i: [f32; 4],
    /// Normal of a field that falls along j.
    pub normal_j: [f32; 4],
    /// Normal of a field that falls along k.
    pub normal_k: [f32; 4],
}

/// Mirror of `SurfaceSlab`: the padded slices that a buffer of samples serves, and the voxel slices in it.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
pub struct SurfaceSlab {
    /// First padded slice.
    pub first_slice: u32,
    /// One behind the last.
    pub end_slice: u32,
    /// First voxel slice stored.
    pub first_stored: u32,
    /// One behind the last.
    pub end_stored: u32,
}

/// The pipelines: made once for a device.
#[derive(Debug)]
struct Stages {
    classify: Stage,
    count: Stage,
    scan: ScanStages,
    vertices: Stage,
    triangles: Stage,
}

/// A slab on the device.
#[derive(Debug)]
struct SlabBuffers {
    uniform: wgpu::Buffer,
    samples: wgpu::Buffer,
    classify_group: wgpu::BindGroup,
}

/// Outputs and what is bound to them; made longer when a surface needs it.
#[derive(Debug)]
struct Outputs {
    positions: wgpu::Buffer,
    normals: wgpu::Buffer,
    triangles: wgpu::Buffer,
    vertex_groups: Vec<wgpu::BindGroup>,
    triangle_group: wgpu::BindGroup,
}

/// One volume on the device, ready for iso values.
#[derive(Debug)]
pub struct SurfaceExtractor {
    context: Context,
    stages: Stages,
    globals: SurfaceGlobals,
    globals_buffer: wgpu::Buffer,
    cases: wgpu::Buffer,
    mask: wgpu::Buffer,
    row_starts: wgpu::Buffer,
    triangle_starts: wgpu::Buffer,
    // Which words of a row hold cut edges, and which of a row of cells hold triangles: what follows goes from one to the next.
    cut_words: wgpu::Buffer,
    cell_words: wgpu::Buffer,
    slabs: Vec<SlabBuffers>,
    count_group: wgpu::BindGroup,
    row_scan: Scan,
    triangle_scan: Scan,
    outputs: Option<Outputs>,
    vertex_count: u32,
    triangle_count: u32,
}

impl SurfaceExtractor {
    /// Uploads a volume and compiles the stages. Slow for large volumes: call on a worker.
    ///
    /// # Errors
    /// When a slice of the volume, or the mask, is larger than one binding of the device.
    pub fn new(context: &Context, volume: &Volume) -> Result<Self, SurfaceDeviceError> {
        let globals = globals_of(volume, context.is_software());
        let limit = binding_limit(context);
        let points = u64::from(globals.rows) * u64::from(globals.slices);
        // One word and one count more: shifts look one word ahead, the last start is the total.
        let mask_bytes = check("the voxel mask", (points * u64::from(globals.words) + 1) * 4, limit)?;
        let row_bytes = check("the row table", (3 * points + 1) * 4, limit)?;
        let layout = slabs(&globals, limit)?;
        let stages = Stages {
            classify: classify_voxels::stage(context),
            count: count_rows::stage(context),
            scan: ScanStages::new(context),
            vertices: emit_vertices::stage(context),
            triangles: emit_triangles::stage(context),
        };
        let globals_buffer = uniform_buffer(context, "surface globals", bytemuck::bytes_of(&globals));
        // In a uniform, whose elements are vec4: software drivers read storage lane by lane, behind a branch for each.
        let padded: Vec<[u64; 2]> = CASE_TRIANGLES.iter().map(|&packed| [packed, 0]).collect();
        let cases = uniform_buffer(context, "surface cases", bytemuck::cast_slice(&padded));
        let mask = storage_buffer(context, "surface mask", mask_bytes);
        let row_starts = storage_buffer(context, "surface row starts", row_bytes);
        let triangle_starts = storage_buffer(context, "surface triangle starts", (points + 1) * 4);
        let cut_words = storage_buffer(context, "surface words with cut edges", 3 * points * 4);
        let cell_words = storage_buffer(context, "surface words with triangles", points * 4);
        let ranges = word_ranges(volume.cells(), globals.words as usize);
        let range_bytes = check("the range table", ranges.len() as u64 * 4, limit)?;
        let range_buffer = storage_buffer(context, "surface ranges", range_bytes);
        context.queue.write_buffer(&range_buffer, 0, bytemuck::cast_slice(&ranges));
        let slabs = layout
            .into_iter()
            .map(|slab| {
                let uniform = uniform_buffer(context, "surface slab", bytemuck::bytes_of(&slab));
                let samples = upload(context, volume, &globals, slab);
                let classify_group =
                    stages.classify.bind(context, &[&globals_buffer, &uniform, &samples, &range_buffer, &mask]);
                SlabBuffers { uniform, samples, classify_group }
            })
            .collect();
        let counted = [&globals_buffer, &mask, &cases, &row_starts, &triangle_starts, &cut_words, &cell_words];
        let count_group = stages.count.bind(context, &counted);
        let row_scan = stages.scan.bind(context, &row_starts, 3 * points as u32 + 1);
        let triangle_scan = stages.scan.bind(context, &triangle_starts, points as u32 + 1);
        Ok(Self {
            context: context.clone(),
            stages,
            globals,
            globals_buffer,
            cases,
            mask,
            row_starts,
            triangle_starts,
            cut_words,
            cell_words,
            slabs,
            count_group,
            row_scan,
            triangle_scan,
            outputs: None,
            vertex_count: 0,
            triangle_count: 0,
        })
    }

    /// Name of the device.
    pub fn label(&self) -> String {
        self.context.label()
    }

    /// Computes the surface of `volume`, the one that was uploaded, and waits for it; it stays on the device. Returns the numbers
    /// of vertices and triangles.
    ///
    /// # Errors
    /// When the surface is larger than one binding of the device, or the device was lost.
    pub fn compute(&mut self, volume: &Volume, iso_value: f64) -> Result<(usize, usize), SurfaceDeviceError> {
        let level = IsoLevel::of(volume, iso_value);
        self.globals.threshold = level.threshold;
        self.globals.flip = if level.flip == 0 { 0 } else { u32::MAX };
        let context = self.context.clone();
        context.queue.write_buffer(&self.globals_buffer, 0, bytemuck::bytes_of(&self.globals));
        let mut encoder = context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        // The counts that the scans turned into starts are written anew; the last element, which no row writes, must be zero.
        let points = u64::from(self.globals.rows) * u64::from(self.globals.slices);
        encoder.clear_buffer(&self.row_starts, 3 * points * 4, Some(4));
        encoder.clear_buffer(&self.triangle_starts, points * 4, Some(4));
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            for slab in &self.slabs {
                self.stages.classify.record(&mut pass, &slab.classify_group, self.workgroups());
            }
            self.stages.count.record(&mut pass, &self.count_group, self.workgroups());
            self.stages.scan.record(&mut pass, &self.row_scan);
            self.stages.scan.record(&mut pass, &self.triangle_scan);
        }
        context.queue.submit([encoder.finish()]);
        let totals = [(&self.row_starts, 3 * points), (&self.triangle_starts, points)];
        [self.vertex_count, self.triangle_count] = words(&context, totals);
        if context.is_lost() {
            return Err(SurfaceDeviceError::Lost);
        }
        if self.vertex_count == 0 {
            return Ok((0, 0));
        }
        self.reserve()?;
        let outputs = self.outputs.as_ref().expect("reserved above");
        let mut encoder = context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            let workgroups = self.globals.vertex_runs.div_ceil(WORKGROUP);
            for group in &outputs.vertex_groups {
                self.stages.vertices.record(&mut pass, group, workgroups);
            }
            self.stages.triangles.record(&mut pass, &outputs.triangle_group, self.workgroups());
        }
        context.queue.submit([encoder.finish()]);
        context.wait();
        if context.is_lost() {
            Err(SurfaceDeviceError::Lost)
        } else {
            Ok((self.vertex_count as usize, self.triangle_count as usize))
        }
    }

    /// The surface of the last computation, in main memory.
    ///
    /// # Errors
    /// When the device was lost.
    pub fn read_back(&self) -> Result<TriangleMesh, SurfaceDeviceError> {
        let Some(outputs) = self.outputs.as_ref().filter(|_| self.vertex_count > 0) else {
            return Ok(TriangleMesh::default());
        };
        let list = |buffer: &wgpu::Buffer, count: u32| buffer_bytes(&self.context, buffer, 0, u64::from(count) * 12);
        let mesh = TriangleMesh {
            positions_in_patient: bytemuck::pod_collect_to_vec(&list(&outputs.positions, self.vertex_count)),
            normals: bytemuck::pod_collect_to_vec(&list(&outputs.normals, self.vertex_count)),
            triangles: bytemuck::pod_collect_to_vec(&list(&outputs.triangles, self.triangle_count)),
        };
        if self.context.is_lost() { Err(SurfaceDeviceError::Lost) } else { Ok(mesh) }
    }

    fn workgroups(&self) -> u32 {
        self.globals.runs.div_ceil(WORKGROUP)
    }

    /// Makes the outputs long enough.
    fn reserve(&mut self) -> Result<(), SurfaceDeviceError> {
        let limit = binding_limit(&self.context);
        let vertices = check("the vertices", u64::from(self.vertex_count) * 12, limit)?;
        let triangles = check("the triangles", u64::from(self.triangle_count) * 12, limit)?;
        let fits = |outputs: &Outputs| outputs.positions.size() >= vertices && outputs.triangles.size() >= triangles;
        if self.outputs.as_ref().is_some_and(fits) {
            return Ok(());
        }
        // A little more than needed, so that a slider does not make them anew at every step.
        let room = |bytes: u64| (bytes + bytes / 4).min(limit);
        self.outputs = None;
        let context = &self.context;
        let positions = storage_buffer(context, "surface positions", room(vertices));
        let normals = storage_buffer(context, "surface normals", room(vertices));
        let ids = storage_buffer(context, "surface triangles", room(triangles));
        let vertex_groups = self
            .slabs
            .iter()
            .map(|slab| {
                let sources = [&self.globals_buffer, &slab.uniform, &slab.samples, &self.mask, &self.row_starts];
                self.stages.vertices.bind(context, &[&sources[..], &[&self.cut_words, &positions, &normals]].concat())
            })
            .collect();
        let sources = [&self.globals_buffer, &self.mask, &self.cases, &self.row_starts, &self.triangle_starts];
        let triangle_group = self.stages.triangles.bind(context, &[&sources[..], &[&self.cell_words, &ids]].concat());
        self.outputs = Some(Outputs { positions, normals, triangles: ids, vertex_groups, triangle_group });
        Ok(())
    }
}

fn binding_limit(context: &Context) -> u64 {
    let limits = context.device.limits();
    limits.max_storage_buffer_binding_size.min(limits.max_buffer_size)
}

fn check(what: &'static str, bytes: u64, limit: u64) -> Result<u64, SurfaceDeviceError> {
    if bytes > limit { Err(SurfaceDeviceError::TooLarge { what, bytes, limit }) } else { Ok(bytes) }
}

fn globals_of(volume: &Volume, is_software: bool) -> SurfaceGlobals {
    let placement = Placement::new(volume.grid());
    let [i, j, k] = placement.axes.map(|axis| axis.extend(0.0).to_array());
    let [normal_i, normal_j, normal_k] = placement.normal_axes.map(|axis| axis.extend(0.0).to_array());
    let dims = volume.grid().dims();
    SurfaceGlobals {
        dims,
        row_stride: dims[0].next_multiple_of(8),
        words: (dims[0] + 2).div_ceil(32),
        rows: dims[1] + 2,
        slices: dims[2] + 2,
        runs: if is_software { SOFTWARE_RUNS } else { GPU_RUNS },
        threshold: 0,
        flip: 0,
        mirrored: u32::from(placement.is_mirrored),
        closest_to_voxel: CLOSEST_TO_VOXEL,
        strands: if is_software { SOFTWARE_STRANDS } else { 1 },
        blocks_j: volume.cells().cell_dims[1],
        words_per_bit: (dims[0] + 2).div_ceil(32).div_ceil(32),
        vertex_runs: if is_software { SOFTWARE_VERTEX_RUNS } else { GPU_RUNS },
        origin: placement.origin.extend(0.0).to_array(),
        axis_i: i,
        axis_j: j,
        axis_k: k,
        normal_i,
        normal_j,
        normal_k,
    }
}

/// Divides the padded slices so that the samples that each slab reads fit one binding.
fn slabs(globals: &SurfaceGlobals, limit: u64) -> Result<Vec<SurfaceSlab>, SurfaceDeviceError> {
    /// Voxel slices around its own that a slab reads: one before, two behind, and the padding.
    const AROUND: u64 = 4;
    let slice_bytes = u64::from(globals.row_stride) * u64::from(globals.dims[1]) * 2;
    check("five slices", slice_bytes * (AROUND + 1), limit)?;
    let most = (limit / slice_bytes - AROUND) as u32;
    let first_slices = (0..globals.slices).step_by(most as usize);
    let slab = |first_slice: u32| {
        let end_slice = (first_slice + most).min(globals.slices);
        let first_stored = first_slice.saturating_sub(2).min(globals.dims[2] - 1);
        SurfaceSlab { first_slice, end_slice, first_stored, end_stored: (end_slice + 2).min(globals.dims[2]) }
    };
    Ok(first_slices.map(slab).collect())
}

/// Smallest (low half) and largest sample under each word of 32 voxels, for blocks of 8 rows and 8 slices.
fn word_ranges(cells: &MinMaxCells, words: usize) -> Vec<u32> {
    let row_cells = cells.cell_dims[0] as usize;
    let cells_per_word = 32 / MINMAX_CELL as usize;
    let packed = |row: &[[i16; 2]], w: usize| {
        // The last word may hold nothing but padding: any cell does.
        let first = (w * cells_per_word).min(row_cells - 1);
        let last = (first + cells_per_word).min(row_cells);
        let low = row[first..last].iter().map(|range| range[0]).min().unwrap_or(0);
        let high = row[first..last].iter().map(|range| range[1]).max().unwrap_or(0);
        u32::from(low as u16) | u32::from(high as u16) << 16
    };
    cells.ranges.chunks_exact(row_cells).flat_map(|row| (0..words).map(move |w| packed(row, w))).collect()
}

/// The samples of a slab, rows lengthened to whole vectors.
fn upload(context: &Context, volume: &Volume, globals: &SurfaceGlobals, slab: SurfaceSlab) -> wgpu::Buffer {
    let [ni, nj, _] = globals.dims.map(|n| n as usize);
    let stride = globals.row_stride as usize;
    let slices = slab.first_stored as usize..slab.end_stored as usize;
    let buffer = storage_buffer(context, "surface samples", (slices.len() * nj * stride * 2) as u64);
    for (n, k) in slices.enumerate() {
        let slice = &volume.samples()[ni * nj * k..ni * nj * (k + 1)];
        let offset = (n * nj * stride * 2) as u64;
        if stride == ni {
            context.queue.write_buffer(&buffer, offset, bytemuck::cast_slice(slice));
        } else {
            let mut lengthened = vec![0_i16; nj * stride];
            for (row, out) in slice.chunks_exact(ni).zip(lengthened.chunks_exact_mut(stride)) {
                out[..ni].copy_from_slice(row);
            }
            context.queue.write_buffer(&buffer, offset, bytemuck::cast_slice(&lengthened));
        }
        // Copies in flight are given back now and then.
        if n % 64 == 63 {
            context.queue.submit([]);
        }
    }
    buffer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slabs_cover_all_slices_and_hold_what_their_vertices_read() {
        let globals = SurfaceGlobals { dims: [512, 512, 300], row_stride: 512, slices: 302, ..Zeroable::zeroed() };
        let slabs = slabs(&globals, 1 << 27).expect("they fit");
        assert_eq!(slabs.len(), 2, "512 x 512 x 300 does not fit one binding");
        assert_eq!((slabs[0].first_slice, slabs[1].end_slice), (0, 302));
        for pair in slabs.windows(2) {
            assert_eq!(pair[0].end_slice, pair[1].first_slice);
        }
        for slab in &slabs {
            assert!((slab.end_stored - slab.first_stored) as u64 * 512 * 512 * 2 <= 1 << 27);
            // Point k is voxel k - 1; its vertices read from k - 2 to k + 1.
            assert!(slab.first_stored + 2 <= slab.first_slice.max(2));
            assert!(slab.end_stored >= (slab.end_slice + 1).min(300));
        }
        assert!(super::slabs(&globals, 1 << 20).is_err());
    }
}
