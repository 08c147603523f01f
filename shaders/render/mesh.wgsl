// mesh: triangle meshes with a light at the eye that lights both sides (Phong). Rust: gpu::render::mesh.
// In: positions and normals in patient space, one colour for each object. Out: premultiplied sRGB.
// Vertices without a normal (zero) are shaded flat. The inside of a surface is darker, so that a hole is seen as one.

#import view

const AMBIENT: f32 = 0.15;
const DIFFUSE: f32 = 0.85;
const SPECULAR: f32 = 0.2;
const POWER: f32 = 30.0;
const INSIDE: f32 = 0.62;

// What the volume hides of translucent meshes: its opacity, and where its rays hit (negative: nowhere).
@group(1) @binding(0) var volume_color: texture_2d<f32>;
@group(1) @binding(1) var volume_distance_mm: texture_2d<f32>;

struct Vertex {
    @location(0) position_in_patient: vec3<f32>,
    @location(1) normal: vec3<f32>,
    @location(2) color: vec4<f32>,
}

struct Fragment {
    @builtin(position) position: vec4<f32>,
    @location(0) position_in_patient: vec3<f32>,
    @location(1) normal: vec3<f32>,
    @location(2) color: vec4<f32>,
}

@vertex
fn vs_main(vertex: Vertex) -> Fragment {
    let position = view.clip_from_patient * vec4<f32>(vertex.position_in_patient, 1.0);
    return Fragment(position, vertex.position_in_patient, vertex.normal, vertex.color);
}

fn shaded(fragment: Fragment, front: bool) -> vec3<f32> {
    let flat_normal = cross(dpdx(fragment.position_in_patient), dpdy(fragment.position_in_patient));
    let is_smooth = dot(fragment.normal, fragment.normal) > 0.1;
    let normal = normalize(select(flat_normal, fragment.normal, is_smooth));
    let facing = abs(dot(normal, toward_eye(fragment.position_in_patient)));
    let mirrored = max(2.0 * facing * facing - 1.0, 0.0);
    let side = select(INSIDE, 1.0, front);
    let gloss = SPECULAR * pow(mirrored, POWER) * side;
    return clamp(fragment.color.rgb * ((AMBIENT + DIFFUSE * facing) * side) + vec3<f32>(gloss), vec3(0.0), vec3(1.0));
}

@fragment
fn fs_opaque(fragment: Fragment, @builtin(front_facing) front: bool) -> @location(0) vec4<f32> {
    return vec4<f32>(shaded(fragment, front), 1.0);
}

@fragment
fn fs_translucent(fragment: Fragment, @builtin(front_facing) front: bool) -> @location(0) vec4<f32> {
    let part = fragment.position.xy / view.size_px;
    let texel = vec2<i32>(part * vec2<f32>(textureDimensions(volume_distance_mm)));
    let hit_mm = textureLoad(volume_distance_mm, texel, 0).r;
    let behind = hit_mm >= 0.0 && ray_distance_mm(fragment.position_in_patient) > hit_mm;
    let hidden = select(0.0, textureLoad(volume_color, texel, 0).a, behind);
    let alpha = fragment.color.a * (1.0 - hidden);
    return vec4<f32>(shaded(fragment, front) * alpha, alpha);
}
