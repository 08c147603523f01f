// slice: resamples a plane of the volume, windows it, lays segments over it. CPU twin: domain::slice_reference.
// In: volume texels, segment atlas, a frame in voxel coordinates. Out: opaque sRGB (fs_main) or values (fs_values).
// Space: voxel coordinates relative to the middle of the view, so that f32 keeps its digits where people look.

#import segments

struct SliceUniforms {
    voxel_center: vec4<f32>,
    voxel_right: vec4<f32>,
    voxel_down: vec4<f32>,
    // One slab sample further along the normal; the first sample lies voxel_slab_start from the plane.
    voxel_slab_step: vec4<f32>,
    voxel_slab_start: vec4<f32>,
    segment_center: vec4<f32>,
    segment_right: vec4<f32>,
    segment_down: vec4<f32>,
    preview_color: vec4<f32>,
    volume_dims: vec3<i32>,
    slab_count: u32,
    segment_dims: vec3<i32>,
    slab_mode: u32,
    center_px: vec2<f32>,
    value_from_texel: vec2<f32>,
    window_bounds: vec2<f32>,
    preview_bounds: vec2<f32>,
    outline_px: f32,
    outside_alpha: f32,
    outline_passes: u32,
    fusion_opacity: f32,
    fusion_bounds: vec2<f32>,
    // Where the volume over the slice begins, from the left, and the part of its window in which it fades in.
    fusion_from_px: f32,
    fusion_fade: f32,
}

// What this variant does; what it leaves out costs nothing, also on drivers that run both sides of an if.
override LINEAR: bool = true;
override CUBIC: bool = false;
override SLAB: bool = false;
override SEGMENTS: bool = true;
override PREVIEW: bool = false;
override GIVEN: bool = false;
override FUSION: bool = false;

const SLAB_MAXIMUM: u32 = 0u;
const SLAB_MINIMUM: u32 = 1u;
// Twin of domain::slice::NEAREST_BIAS.
const NEAREST_BIAS: f32 = 0.000244140625;
// What fs_values writes where there is no volume.
const NO_VALUE: f32 = -3.0e38;
const COLOR_MAP_SIZE: u32 = 256u;

@group(0) @binding(0) var<uniform> frame: SliceUniforms;
@group(1) @binding(0) var volume: texture_3d<f32>;
@group(1) @binding(5) var color_map: texture_2d<f32>;
// Where GIVEN: the value of each pixel, sampled by the processor (domain::slice_sampling); NO_VALUE outside the volume.
@group(1) @binding(6) var given_values: texture_2d<f32>;
// Where FUSION: the values of the volume over the slice (fs_values drew them), and its colours.
@group(1) @binding(7) var fusion_values: texture_2d<f32>;
@group(1) @binding(8) var fusion_color_map: texture_2d<f32>;

@vertex
fn vs_main(@builtin(vertex_index) index: u32) -> @builtin(position) vec4<f32> {
    // One triangle that covers the view.
    return vec4<f32>(f32(index & 1u) * 4.0 - 1.0, f32(index >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

fn texel_at(voxel: vec3<i32>) -> f32 {
    return textureLoad(volume, clamp(voxel, vec3<i32>(0), frame.volume_dims - vec3<i32>(1)), 0).r;
}

fn nearest(voxel: vec3<f32>) -> vec3<i32> {
    return vec3<i32>(floor(voxel + vec3<f32>(0.5 + NEAREST_BIAS)));
}

// Loads and mixes by hand: texture filters have 8 bits of position, which is up to 8 HU at the edge of a bone.
fn trilinear(voxel: vec3<f32>) -> f32 {
    let base = vec3<i32>(floor(voxel));
    let part = voxel - floor(voxel);
    let low = mix(
        vec2<f32>(texel_at(base), texel_at(base + vec3<i32>(0, 1, 0))),
        vec2<f32>(texel_at(base + vec3<i32>(1, 0, 0)), texel_at(base + vec3<i32>(1, 1, 0))),
        part.x,
    );
    let high = mix(
        vec2<f32>(texel_at(base + vec3<i32>(0, 0, 1)), texel_at(base + vec3<i32>(0, 1, 1))),
        vec2<f32>(texel_at(base + vec3<i32>(1, 0, 1)), texel_at(base + vec3<i32>(1, 1, 1))),
        part.x,
    );
    let edge = mix(vec2<f32>(low.x, high.x), vec2<f32>(low.y, high.y), part.y);
    return mix(edge.x, edge.y, part.z);
}

// Catmull-Rom weights of four neighbours for a place between the middle two.
fn cubic_weights(t: f32) -> vec4<f32> {
    let t2 = t * t;
    let t3 = t2 * t;
    return 0.5 * vec4<f32>(
        -t3 + 2.0 * t2 - t,
        3.0 * t3 - 5.0 * t2 + 2.0,
        -3.0 * t3 + 4.0 * t2 + t,
        t3 - t2,
    );
}

fn tricubic(voxel: vec3<f32>) -> f32 {
    let base = vec3<i32>(floor(voxel)) - vec3<i32>(1);
    let part = voxel - floor(voxel);
    let in_i = cubic_weights(part.x);
    var in_j = cubic_weights(part.y);
    var in_k = cubic_weights(part.z);
    var sum = 0.0;
    for (var k = 0; k < 4; k++) {
        for (var j = 0; j < 4; j++) {
            let row = base + vec3<i32>(0, j, k);
            let texels = vec4<f32>(
                texel_at(row),
                texel_at(row + vec3<i32>(1, 0, 0)),
                texel_at(row + vec3<i32>(2, 0, 0)),
                texel_at(row + vec3<i32>(3, 0, 0)),
            );
            sum += dot(in_i, texels) * in_j[j] * in_k[k];
        }
    }
    return sum;
}

// (value, 1) or (0, 0) outside the volume.
fn value_at(voxel: vec3<f32>) -> vec2<f32> {
    let inside = all(voxel >= vec3<f32>(-0.5)) && all(voxel < vec3<f32>(frame.volume_dims) - vec3<f32>(0.5));
    var texel = 0.0;
    if CUBIC {
        texel = tricubic(voxel);
    } else if LINEAR {
        texel = trilinear(voxel);
    } else {
        texel = texel_at(nearest(voxel));
    }
    return vec2<f32>(texel * frame.value_from_texel.x + frame.value_from_texel.y, 1.0) * select(0.0, 1.0, inside);
}

fn slab_value(voxel: vec3<f32>) -> vec2<f32> {
    if !SLAB {
        return value_at(voxel);
    }
    var total = vec2<f32>(0.0);
    for (var n = 0u; n < frame.slab_count; n++) {
        let sample = value_at(voxel + frame.voxel_slab_start.xyz + frame.voxel_slab_step.xyz * f32(n));
        let first = total.y == 0.0;
        let largest = select(max(total.x, sample.x), sample.x, first);
        let smallest = select(min(total.x, sample.x), sample.x, first);
        let extreme = select(smallest, largest, frame.slab_mode == SLAB_MAXIMUM);
        let joined = select(total.x + sample.x, extreme, frame.slab_mode <= SLAB_MINIMUM);
        total = vec2<f32>(select(total.x, joined, sample.y > 0.0), total.y + sample.y);
    }
    let averaged = frame.slab_mode > SLAB_MINIMUM;
    return vec2<f32>(total.x / select(1.0, max(total.y, 1.0), averaged), min(total.y, 1.0));
}

fn shown_value(voxel: vec3<f32>, pixel: vec2<i32>) -> vec2<f32> {
    if !GIVEN {
        return slab_value(voxel);
    }
    let value = textureLoad(given_values, pixel, 0).r;
    let inside = value > 0.5 * NO_VALUE;
    return vec2<f32>(select(0.0, value, inside), select(0.0, 1.0, inside));
}

fn set_at(offset_px: vec2<f32>) -> u32 {
    let voxel = frame.segment_center.xyz + frame.segment_right.xyz * offset_px.x + frame.segment_down.xyz * offset_px.y;
    return segment_set_at(nearest(voxel), frame.segment_dims);
}

fn sets_around(offset_px: vec2<f32>, reach: vec2<f32>, turned: bool) -> vec4<u32> {
    let right = vec2<f32>(reach.x, select(0.0, reach.x, turned));
    let down = vec2<f32>(select(0.0, -reach.y, turned), reach.y);
    return vec4<u32>(
        set_at(offset_px + right),
        set_at(offset_px - right),
        set_at(offset_px + down),
        set_at(offset_px - down),
    );
}

fn all_contain(sets: vec4<u32>, slot: u32) -> bool {
    return set_contains(sets.x, slot) && set_contains(sets.y, slot) && set_contains(sets.z, slot)
        && set_contains(sets.w, slot);
}

// Fills of the set here, then the outline of the topmost segment that ends within outline_px.
// The outline is a loop of outline_passes (one, or none where there is no segment): CPU drivers run the body of an if, and
// of a loop whose length they know, for every pixel, but leave a loop that no pixel of a group needs.
fn overlaid(below: vec3<f32>, offset_px: vec2<f32>) -> vec3<f32> {
    let here = set_at(offset_px);
    let group = segment_sets[here];
    var color = group.fill.rgb + below * (1.0 - group.fill.a);
    var passes_left = select(0u, frame.outline_passes, group.member_count > 0u);
    loop {
        if passes_left == 0u {
            break;
        }
        passes_left -= 1u;
        for (var m = 0u; m < group.member_count; m++) {
            let segment = segment_members[group.first_member + m];
            let reach = vec2<f32>(frame.outline_px * segment.outline);
            let straight = sets_around(offset_px, reach, false);
            let diagonal = sets_around(offset_px, reach * 0.707, true);
            let same = all(straight == vec4<u32>(here)) && all(diagonal == vec4<u32>(here));
            let ends = !same && !(all_contain(straight, segment.slot) && all_contain(diagonal, segment.slot));
            color = select(color, segment.color, ends && reach.x > 0.0);
        }
    }
    return color;
}

// The volume over the slice, in its own colours.
fn fused(below: vec3<f32>, position: vec2<f32>) -> vec3<f32> {
    let value = textureLoad(fusion_values, vec2<i32>(position), 0).r;
    let here = value > 0.5 * NO_VALUE && position.x >= frame.fusion_from_px;
    let bounds = frame.fusion_bounds;
    let gray = clamp((select(bounds.x, value, here) - bounds.x) / (bounds.y - bounds.x), 0.0, 1.0);
    let entry = i32(gray * f32(COLOR_MAP_SIZE - 1u) + 0.5);
    let fade = clamp(gray / max(frame.fusion_fade, 1.0e-6), 0.0, 1.0);
    let opacity = frame.fusion_opacity * select(1.0, fade, frame.fusion_fade > 0.0);
    let color = textureLoad(fusion_color_map, vec2<i32>(entry, 0), 0).rgb;
    return mix(below, color, select(0.0, opacity, here));
}

@fragment
fn fs_main(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    let offset_px = position.xy - frame.center_px;
    let voxel = frame.voxel_center.xyz + frame.voxel_right.xyz * offset_px.x + frame.voxel_down.xyz * offset_px.y;
    let value = shown_value(voxel, vec2<i32>(position.xy));
    let bounds = frame.window_bounds;
    let gray = clamp((value.x - bounds.x) / (bounds.y - bounds.x), 0.0, 1.0);
    let entry = i32(gray * f32(COLOR_MAP_SIZE - 1u) + 0.5);
    var color = textureLoad(color_map, vec2<i32>(entry, 0), 0).rgb * value.y;
    if FUSION {
        color = fused(color, position.xy);
    }
    if PREVIEW {
        // The voxel's own value decides, as it will when the threshold is applied.
        let own = texel_at(nearest(voxel)) * frame.value_from_texel.x + frame.value_from_texel.y;
        let within = own >= frame.preview_bounds.x && own <= frame.preview_bounds.y && value.y > 0.0;
        color = mix(color, frame.preview_color.rgb, select(0.0, frame.preview_color.a, within));
    }
    if SEGMENTS {
        color = overlaid(color, offset_px);
    }
    let alpha = select(frame.outside_alpha, 1.0, value.y > 0.0);
    return vec4<f32>(color * alpha, alpha);
}

@fragment
fn fs_values(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    let offset_px = position.xy - frame.center_px;
    let voxel = frame.voxel_center.xyz + frame.voxel_right.xyz * offset_px.x + frame.voxel_down.xyz * offset_px.y;
    let value = shown_value(voxel, vec2<i32>(position.xy));
    return vec4<f32>(select(NO_VALUE, value.x, value.y > 0.0), 0.0, 0.0, 1.0);
}
