// plane: pictures of slices standing in the 3D view. Rust: gpu::render::plane.
// In: one instance for each plane (upper left corner, sides in mm), its picture. Out: premultiplied sRGB.
// Where the picture is transparent (outside the volume) there is nothing, neither colour nor depth.

#import view

@group(1) @binding(0) var picture: texture_2d<f32>;
@group(1) @binding(1) var picture_sampler: sampler;

struct Plane {
    @builtin(vertex_index) corner: u32,
    @location(0) corner_in_patient: vec3<f32>,
    @location(1) right_mm: vec3<f32>,
    @location(2) down_mm: vec3<f32>,
}

struct Fragment {
    @builtin(position) position: vec4<f32>,
    @location(0) place: vec2<f32>,
}

@vertex
fn vs_main(plane: Plane) -> Fragment {
    // Two triangles: 0 1 2, 1 2 3.
    let corner = select(plane.corner, plane.corner - 2u, plane.corner > 2u);
    let right = (corner & 1u) != 0u;
    let low = (corner & 2u) != 0u;
    let place = vec2<f32>(select(0.0, 1.0, right), select(0.0, 1.0, low));
    let point = plane.corner_in_patient + plane.right_mm * place.x + plane.down_mm * place.y;
    return Fragment(view.clip_from_patient * vec4<f32>(point, 1.0), place);
}

@fragment
fn fs_main(fragment: Fragment) -> @location(0) vec4<f32> {
    let color = textureSample(picture, picture_sampler, fragment.place);
    if color.a < 0.5 {
        discard;
    }
    return vec4<f32>(color.rgb, 1.0);
}
