// surface: what all stages of surface extraction know. Space: padded points; voxel = point - 1.
// Rust mirror: gpu::surface::SurfaceGlobals, SurfaceSlab. Order of vertices and triangles: domain::surface::plain.

struct SurfaceGlobals {
    // Voxels along i, j, k.
    dims: vec3<u32>,
    // Samples of a stored row: a multiple of 8.
    row_stride: u32,
    // Words of a padded row, padded rows and slices.
    words: u32,
    rows: u32,
    slices: u32,
    // Into how many contiguous runs a stage divides its work: a power of two, at least 64.
    runs: u32,
    // A sample is inside when (sample ^ flip) > threshold.
    threshold: i32,
    flip: u32,
    mirrored: u32,
    closest_to_voxel: f32,
    // Strands of workgroups, a power of two; see run_of.
    strands: u32,
    // Rows of blocks in a layer of the range table.
    blocks_j: u32,
    // Words that a bit of the tables of words stands for: 1 on rows of up to 32 words.
    words_per_bit: u32,
    // Runs that the vertices are divided into.
    vertex_runs: u32,
    // mm; see domain::surface::placement. w is not used.
    origin: vec4<f32>,
    axis_i: vec4<f32>,
    axis_j: vec4<f32>,
    axis_k: vec4<f32>,
    normal_i: vec4<f32>,
    normal_j: vec4<f32>,
    normal_k: vec4<f32>,
}

// The padded slices that one buffer of samples serves, and the voxel slices that it holds.
struct SurfaceSlab {
    first_slice: u32,
    end_slice: u32,
    first_stored: u32,
    end_stored: u32,
}

// Length of each of `runs` contiguous parts of `total` things.
fn run_length(total: u32, runs: u32) -> u32 {
    return (total + runs - 1u) / runs;
}

// The one of `runs` that an invocation takes. A software driver gives each of its threads one stretch of workgroups, and a surface
// seldom fills all slices alike. So each strand takes every n-th group of runs, and threads that take some strands each have
// the same work.
fn run_of(workgroup: u32, local: u32, runs: u32) -> u32 {
    let groups = runs / 64u;
    let spread = workgroup * globals.strands;
    return ((spread & (groups - 1u)) + spread / groups) * 64u + local;
}
