// composite: lays the parts of a 3D view over each other. Rust: gpu::render::composite.
// Order: background, opaque meshes and planes, volume, translucent meshes. All premultiplied sRGB; out is opaque.

struct CompositeUniforms {
    background_top: vec4<f32>,
    background_bottom: vec4<f32>,
    size_px: vec2<f32>,
    volume_opacity: f32,
    reserved: f32,
}

@group(0) @binding(0) var<uniform> composite: CompositeUniforms;
@group(1) @binding(0) var opaque_color: texture_2d<f32>;
@group(1) @binding(1) var volume_color: texture_2d<f32>;
@group(1) @binding(2) var translucent_color: texture_2d<f32>;
@group(1) @binding(3) var stretch: sampler;

@vertex
fn vs_main(@builtin(vertex_index) index: u32) -> @builtin(position) vec4<f32> {
    return vec4<f32>(f32(index & 1u) * 4.0 - 1.0, f32(index >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

fn over(top: vec4<f32>, below: vec3<f32>) -> vec3<f32> {
    return top.rgb + below * (1.0 - top.a);
}

@fragment
fn fs_main(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    let place = position.xy / composite.size_px;
    let background = mix(composite.background_top.rgb, composite.background_bottom.rgb, place.y);
    // While moving, the volume's picture is smaller than the view; the others have its size.
    let opaque_part = textureSampleLevel(opaque_color, stretch, place, 0.0);
    let volume_part = textureSampleLevel(volume_color, stretch, place, 0.0) * composite.volume_opacity;
    let translucent_part = textureSampleLevel(translucent_color, stretch, place, 0.0);
    return vec4<f32>(over(translucent_part, over(volume_part, over(opaque_part, background))), 1.0);
}
