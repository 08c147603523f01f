// opaque_distance: how far along its ray each pixel's opaque thing is. Rust: gpu::render::opaque_distance.
// In: depth of the opaque pass. Out: mm from the eye, or from the eye's plane where rays are parallel; NOTHING without.
// The ray-marcher ends its rays there. Of the samples of a pixel the first speaks.

#import view

const NOTHING: f32 = 1.0e30;

@group(1) @binding(0) var opaque_depth: texture_depth_multisampled_2d;

@vertex
fn vs_main(@builtin(vertex_index) index: u32) -> @builtin(position) vec4<f32> {
    return vec4<f32>(f32(index & 1u) * 4.0 - 1.0, f32(index >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

@fragment
fn fs_main(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    let depth = textureLoad(opaque_depth, vec2<i32>(position.xy), 0);
    let point_in_ndc = (position.xy / view.size_px * 2.0 - vec2<f32>(1.0)) * view.half_extent;
    // Perspective: depth = -scale + offset / z. Parallel: depth = offset - scale * z. z is the distance along the view.
    let perspective = view.depth_offset / (depth + view.depth_scale) * length(vec3<f32>(point_in_ndc, 1.0));
    let parallel = (view.depth_offset - depth) / view.depth_scale;
    let distance_mm = select(parallel, perspective, view.eye_in_patient.w > 0.5);
    return vec4<f32>(select(distance_mm, NOTHING, depth >= 1.0), 0.0, 0.0, 1.0);
}
