// emit_vertices: position and normal of every cut edge of a slab. CPU twin: domain::surface::vertices.
// In: mask, row starts, samples. Out: patient-space positions (mm) and unit normals, three floats each.
// Dispatch: one invocation per contiguous run of vertices, so that all have the same work.

#import surface

@group(0) @binding(0) var<uniform> globals: SurfaceGlobals;
@group(0) @binding(1) var<uniform> slab: SurfaceSlab;
// Two samples in a word, the lower one first.
@group(0) @binding(2) var<storage, read> samples: array<u32>;
@group(0) @binding(3) var<storage, read> mask: array<u32>;
@group(0) @binding(4) var<storage, read> row_starts: array<u32>;
// Which words of a row hold cut edges.
@group(0) @binding(5) var<storage, read> cut_words: array<u32>;
@group(0) @binding(6) var<storage, read_write> positions: array<f32>;
@group(0) @binding(7) var<storage, read_write> normals: array<f32>;

// Sample after the flip at a place in the slab. Places outside are read for caps only, and what they give is not used.
fn sample_at(place: u32) -> i32 {
    let pair = bitcast<i32>(samples[place >> 1u] ^ globals.flip);
    return (pair << (16u - 16u * (place & 1u))) >> 16u;
}

fn turned(gradient: vec3<f32>) -> vec3<f32> {
    return globals.normal_i.xyz * gradient.x + globals.normal_j.xyz * gradient.y + globals.normal_k.xyz * gradient.z;
}

// The cut edges of a word of a row, from the word itself and the next one of the row (along i) or that of the next row.
fn cut_edges(axis: u32, word: u32, other: u32) -> u32 {
    return word ^ select(other, (word >> 1u) | (other << 31u), axis == 0u);
}

fn emit(place: u32, point: vec3<u32>, axis: u32, lower_is_inside: bool) {
    let voxel = vec3<i32>(point) - 1;
    let step = vec3<i32>(vec3<u32>(axis) == vec3<u32>(0u, 1u, 2u));
    let upper = voxel + step;
    let is_cap = any(voxel < vec3<i32>(0)) || any(upper >= vec3<i32>(globals.dims));
    let is_i = axis == 0u;
    let is_j = axis == 1u;
    let is_k = axis == 2u;
    let strides = vec3<u32>(1u, globals.row_stride, globals.row_stride * globals.dims.y);
    let lower_place = u32(voxel.x) + strides.y * u32(voxel.y) + strides.z * (u32(voxel.z) - slab.first_stored);
    let along_edge = select(select(strides.z, strides.y, is_j), strides.x, is_i);
    let upper_place = lower_place + along_edge;
    // Steps to the neighbours; none at the border, where differences are one-sided and doubled. m and n are the two axes
    // across the edge, in rising order. All by select: indexing a vector by a variable goes through memory.
    let last = vec3<i32>(globals.dims) - 1;
    let down = select(vec3<u32>(0u), strides, voxel > vec3<i32>(0));
    let up = select(vec3<u32>(0u), strides, voxel < last);
    let down_m = select(down.x, down.y, is_i);
    let up_m = select(up.x, up.y, is_i);
    let down_n = select(down.z, down.y, is_k);
    let up_n = select(up.z, up.y, is_k);
    let down_along = select(select(down.z, down.y, is_j), down.x, is_i);
    let left = last - upper;
    let has_after = select(select(left.z, left.y, is_j), left.x, is_i) > 0;
    let a_sample = sample_at(lower_place);
    let b_sample = sample_at(upper_place);
    let at_a = vec3<i32>(
        b_sample - sample_at(lower_place - down_along),
        sample_at(lower_place + up_m) - sample_at(lower_place - down_m),
        sample_at(lower_place + up_n) - sample_at(lower_place - down_n),
    );
    let at_b = vec3<i32>(
        sample_at(upper_place + select(0u, along_edge, has_after)) - a_sample,
        sample_at(upper_place + up_m) - sample_at(upper_place - down_m),
        sample_at(upper_place + up_n) - sample_at(upper_place - down_n),
    );
    let double_m = select(0u, 1u, down_m == 0u || up_m == 0u);
    let double_n = select(0u, 1u, down_n == 0u || up_n == 0u);
    let slope_a = vec3<f32>(at_a << vec3<u32>(select(0u, 1u, down_along == 0u), double_m, double_n));
    let slope_b = vec3<f32>(at_b << vec3<u32>(select(1u, 0u, has_after), double_m, double_n));
    let a = f32(a_sample);
    let b = f32(b_sample);
    let iso = f32(globals.threshold) + 0.5;
    let closest = globals.closest_to_voxel;
    let t = select(clamp((iso - a) / (b - a), closest, 1.0 - closest), 0.5, is_cap);
    let slope = slope_a + (slope_b - slope_a) * t;
    let found = select(select(slope.yzx, slope.yxz, vec3<bool>(is_j)), slope, vec3<bool>(is_i));
    let inward = vec3<f32>(step) * select(1.0, -1.0, lower_is_inside);
    let gradient = select(found, inward, vec3<bool>(is_cap));
    let along = turned(gradient);
    let vanishes = dot(along, along) <= 1.1754944e-38;
    let normal = normalize(select(along, turned(inward), vec3<bool>(vanishes)));
    let p = vec3<f32>(voxel) + vec3<f32>(step) * t;
    let position = (globals.axis_i.xyz * p.x + globals.axis_j.xyz * p.y) + (globals.axis_k.xyz * p.z + globals.origin.xyz);
    positions[3u * place] = position.x;
    positions[3u * place + 1u] = position.y;
    positions[3u * place + 2u] = position.z;
    normals[3u * place] = normal.x;
    normals[3u * place + 1u] = normal.y;
    normals[3u * place + 2u] = normal.z;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let rows = globals.rows;
    // Rows of vertices: slices, in these the axes, in these the rows.
    var r = 3u * rows * slab.first_slice;
    var r_end = 3u * rows * slab.end_slice;
    let first = row_starts[r];
    let last = row_starts[r_end];
    let run = run_length(last - first, globals.vertex_runs);
    var v = first + run_of(workgroup.x, local, globals.vertex_runs) * run;
    let end = min(v + run, last);
    if v >= end {
        return;
    }
    // The last row that starts at or before v: it holds v, because empty rows start where the next one does.
    loop {
        if r_end - r <= 1u { break; }
        let middle = (r + r_end) / 2u;
        let before = row_starts[middle] <= v;
        r = select(r, middle, before);
        r_end = select(middle, r_end, before);
    }
    let steps = vec3<u32>(1u, globals.words, globals.words * rows);
    // Slice, axis and row are counted along from here: dividing at every row would cost more than all the rest.
    var k = r / (3u * rows);
    var axis = r / rows - 3u * k;
    var j = r - rows * (axis + 3u * k);
    var step = select(select(steps.z, steps.y, axis == 1u), steps.x, axis == 0u);
    let group = globals.words_per_bit;
    var row_at = globals.words * (j + rows * k);
    // Words of this row that are still to come.
    var ahead = cut_words[r];
    var at = 0u;
    var end_group = 0u;
    var word = 0u;
    var bits = 0u;
    var skip = v - row_starts[r];
    loop {
        let count = countOneBits(bits);
        if skip < count { break; }
        skip -= count;
        at += 1u;
        if at >= end_group {
            at = row_at + group * firstTrailingBit(ahead);
            end_group = min(at + group, row_at + globals.words);
            ahead &= ahead - 1u;
        }
        word = mask[at];
        bits = cut_edges(axis, word, mask[at + step]);
    }
    loop {
        if skip == 0u { break; }
        bits &= bits - 1u;
        skip -= 1u;
    }
    loop {
        if v >= end { break; }
        loop {
            if bits != 0u { break; }
            at += 1u;
            if at >= end_group {
                // The next row that has vertices; there is one, because v is not the end.
                loop {
                    if ahead != 0u { break; }
                    r += 1u;
                    j = select(j + 1u, 0u, j + 1u == rows);
                    axis += select(0u, 1u, j == 0u);
                    k += select(0u, 1u, axis == 3u);
                    axis = select(axis, 0u, axis == 3u);
                    ahead = cut_words[r];
                }
                step = select(select(steps.z, steps.y, axis == 1u), steps.x, axis == 0u);
                row_at = globals.words * (j + rows * k);
                at = row_at + group * firstTrailingBit(ahead);
                end_group = min(at + group, row_at + globals.words);
                ahead &= ahead - 1u;
            }
            word = mask[at];
            bits = cut_edges(axis, word, mask[at + step]);
        }
        let bit = firstTrailingBit(bits);
        bits &= bits - 1u;
        let i = 32u * (at - row_at) + bit;
        emit(v, vec3<u32>(i, j, k), axis, ((word >> bit) & 1u) == 1u);
        v += 1u;
    }
}
