// classify_voxels: one bit per point of the padded grid. CPU twin: domain::surface::bit_grid.
// In: samples of a slab (8 in a vec4), the range of the samples under each word, so that words all alike are not read.
// Out: mask words, 32 points each. Dispatch: one invocation per run of rows, serial.
// Points of the padding keep the zero that the buffer was made with.

#import surface

@group(0) @binding(0) var<uniform> globals: SurfaceGlobals;
@group(0) @binding(1) var<uniform> slab: SurfaceSlab;
@group(0) @binding(2) var<storage, read> samples: array<vec4<u32>>;
// Smallest and largest sample under a word, for blocks of 8 rows and 8 slices; the smallest in the low half.
@group(0) @binding(3) var<storage, read> ranges: array<u32>;
@group(0) @binding(4) var<storage, read_write> mask: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let dims = globals.dims;
    // Voxel slices under the padded slices of the slab.
    let first_k = max(slab.first_slice, 1u) - 1u;
    let end_k = min(slab.end_slice - 1u, dims.z);
    let total = (max(end_k, first_k) - first_k) * dims.y;
    let run = run_length(total, globals.runs);
    let row_blocks = globals.row_stride / 8u;
    let threshold = vec4<i32>(globals.threshold);
    var row = run_of(workgroup.x, local, globals.runs) * run;
    let end = min(row + run, total);
    // Counted along: dividing at every row costs too much.
    var k = first_k + row / dims.y;
    var j = row % dims.y;
    loop {
        if row >= end { break; }
        let source = ((k - slab.first_stored) * dims.y + j) * row_blocks;
        let place = globals.words * (j + 1u + globals.rows * (k + 1u));
        let row_ranges = globals.words * (j / 8u + globals.blocks_j * (k / 8u));
        // Point i + 1 is voxel i: each word takes over one bit.
        var carry = 0u;
        var w = 0u;
        loop {
            if w >= globals.words { break; }
            let range = bitcast<vec2<i32>>(vec2<u32>(ranges[row_ranges + w] ^ globals.flip)) << vec2<u32>(16u, 0u);
            let inside = range >> vec2<u32>(16u) > threshold.xy;
            let is_alike = inside.x == inside.y;
            var bits = select(0u, 0xffffffffu, is_alike && inside.x);
            let end_block = min(4u * w + 4u, row_blocks);
            var block = select(4u * w, end_block, is_alike);
            loop {
                if block >= end_block { break; }
                let pairs = bitcast<vec4<i32>>(samples[source + block] ^ vec4<u32>(globals.flip));
                let lower = (pairs << vec4<u32>(16u)) >> vec4<u32>(16u);
                let low = select(vec4<u32>(0u), vec4<u32>(1u, 4u, 16u, 64u), lower > threshold);
                let high = select(vec4<u32>(0u), vec4<u32>(2u, 8u, 32u, 128u), pairs >> vec4<u32>(16u) > threshold);
                let both = low | high;
                bits |= (both.x | both.y | both.z | both.w) << (8u * (block & 3u));
                block += 1u;
            }
            let left = i32(dims.x) - 32 * i32(w);
            bits &= select(select((1u << u32(max(left, 0))) - 1u, 0u, left <= 0), 0xffffffffu, left >= 32);
            mask[place + w] = (bits << 1u) | carry;
            carry = bits >> 31u;
            w += 1u;
        }
        row += 1u;
        j = select(j + 1u, 0u, j + 1u == dims.y);
        k += select(0u, 1u, j == 0u);
    }
}
