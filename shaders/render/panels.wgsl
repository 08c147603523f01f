// panels: textured triangles of the window, in points, gamma-encoded as they are mixed. Rust: gpu::render::panels.
// In: place, texture coordinate and colour (premultiplied sRGB, red in the lowest byte) of each corner. Out: premultiplied sRGB.

// Size of the window in points; the rest is padding.
@group(0) @binding(0) var<uniform> size_points: vec4<f32>;
@group(1) @binding(0) var picture: texture_2d<f32>;
@group(1) @binding(1) var picture_sampler: sampler;

struct Corner {
    @builtin(position) position: vec4<f32>,
    @location(0) place: vec2<f32>,
    @location(1) color: vec4<f32>,
}

@vertex
fn vs_main(
    @location(0) point: vec2<f32>,
    @location(1) place: vec2<f32>,
    @location(2) color: vec4<f32>,
) -> Corner {
    let clip = point / size_points.xy * vec2<f32>(2.0, -2.0) + vec2<f32>(-1.0, 1.0);
    return Corner(vec4<f32>(clip, 0.0, 1.0), place, color);
}

@fragment
fn fs_main(corner: Corner) -> @location(0) vec4<f32> {
    return corner.color * textureSample(picture, picture_sampler, corner.place);
}
