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
@group(0) @binding(5) var<storage, read_write> positions: array<f32>;
@group(0) @binding(6) var<storage, read_write> normals: array<f32>;

// Sample after the flip at a place in the slab. Places outside are read for caps only, and what they give is not used.
fn sample_at(place: u32) -> i32 {
    let pair = bitcast<i32>(samples[place >> 1u] ^ globals.flip);
    return (pair << (16u - 16u * (place & 1u))) >> 16u;
}

fn turned(gradient: vec3<f32>) -> vec3<f32> {
    return globals.normal_i.xyz * gradient.x + globals.normal_j.xyz * gradient.y + globals.normal_k.xyz * gradient.z;
}

// The cut edges of word w of a row of vertices.
fn cut_word(axis: u32, mask_row: u32, w: u32) -> u32 {
    let at = mask_row * globals.words + w;
    let along = (mask[at] >> 1u) | (mask[at + 1u] << 31u);
    let other = mask[at + select(globals.words, globals.words * globals.rows, axis == 2u) * min(axis, 1u)];
    return mask[at] ^ select(other, along, axis == 0u);
}

fn emit(place: u32, point: vec3<u32>, axis: u32, lower_is_inside: bool) {
    let voxel = vec3<i32>(point) - 1;
    let step = vec3<i32>(vec3<u32>(axis) == vec3<u32>(0u, 1u, 2u));
    let upper = voxel + step;
    let is_cap = any(voxel < vec3<i32>(0)) || any(upper >= vec3<i32>(globals.dims));
    let strides = vec3<u32>(1u, globals.row_stride, globals.row_stride * globals.dims.y);
    let lower_place = u32(voxel.x) + strides.y * u32(voxel.y) + strides.z * (u32(voxel.z) - slab.first_stored);
    let along_edge = strides[axis];
    let upper_place = lower_place + along_edge;
    // Steps to the neighbours; none at the border, where differences are one-sided and doubled.
    let last = vec3<i32>(globals.dims) - 1;
    let down = select(vec3<u32>(0u), strides, voxel > vec3<i32>(0));
    let up = select(vec3<u32>(0u), strides, voxel < last);
    let factor = select(vec3<f32>(2.0), vec3<f32>(1.0), (voxel > vec3<i32>(0)) & (voxel < last));
    let a_sample = sample_at(lower_place);
    let b_sample = sample_at(upper_place);
    let a = f32(a_sample);
    let b = f32(b_sample);
    let iso = f32(globals.threshold) + 0.5;
    let closest = globals.closest_to_voxel;
    let t = select(clamp((iso - a) / (b - a), closest, 1.0 - closest), 0.5, is_cap);
    // Of the two axes across the edge, the first and the second.
    let m = select(0u, 1u, axis == 0u);
    let n = select(2u, 1u, axis == 2u);
    let at_a = vec2<i32>(
        sample_at(lower_place + up[m]) - sample_at(lower_place - down[m]),
        sample_at(lower_place + up[n]) - sample_at(lower_place - down[n]),
    );
    let at_b = vec2<i32>(
        sample_at(upper_place + up[m]) - sample_at(upper_place - down[m]),
        sample_at(upper_place + up[n]) - sample_at(upper_place - down[n]),
    );
    let beyond_a = f32(b_sample - sample_at(lower_place - down[axis])) * select(2.0, 1.0, voxel[axis] > 0);
    let has_after = upper[axis] < last[axis];
    let beyond_b = f32(sample_at(upper_place + select(0u, along_edge, has_after)) - a_sample) * select(2.0, 1.0, has_after);
    let slope_along = beyond_a + (beyond_b - beyond_a) * t;
    let scale = vec2<f32>(factor[m], factor[n]);
    let slope_a = vec2<f32>(at_a) * scale;
    let slope_b = vec2<f32>(at_b) * scale;
    let slope_across = slope_a + (slope_b - slope_a) * t;
    let found = select(
        select(vec3<f32>(slope_across, slope_along), vec3<f32>(slope_across.x, slope_along, slope_across.y), vec3<bool>(axis == 1u)),
        vec3<f32>(slope_along, slope_across),
        vec3<bool>(axis == 0u),
    );
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
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let rows = globals.rows;
    // Rows of vertices: slices, in these the axes, in these the rows.
    var r = 3u * rows * slab.first_slice;
    var r_end = 3u * rows * slab.end_slice;
    let first = row_starts[r];
    let last = row_starts[r_end];
    let run = run_length(last - first, globals.runs);
    var v = first + id.x * run;
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
    var axis = (r / rows) % 3u;
    var mask_row = r % rows + rows * (r / (3u * rows));
    var w = 0u;
    var bits = cut_word(axis, mask_row, w);
    var skip = v - row_starts[r];
    loop {
        let count = countOneBits(bits);
        if skip < count { break; }
        skip -= count;
        w += 1u;
        bits = cut_word(axis, mask_row, w);
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
            w += 1u;
            loop {
                if w < globals.words { break; }
                // The next row that has vertices; there is one, because v is not the end.
                w = 0u;
                loop {
                    r += 1u;
                    if row_starts[r + 1u] > v { break; }
                }
                axis = (r / rows) % 3u;
                mask_row = r % rows + rows * (r / (3u * rows));
            }
            bits = cut_word(axis, mask_row, w);
        }
        let bit = firstTrailingBit(bits);
        bits &= bits - 1u;
        let lower_is_inside = ((mask[mask_row * globals.words + w] >> bit) & 1u) == 1u;
        emit(v, vec3<u32>(32u * w + bit, mask_row % rows, mask_row / rows), axis, lower_is_inside);
        v += 1u;
    }
}
