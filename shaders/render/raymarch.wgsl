// raymarch: one colour a pixel from the samples along its ray, front to back. CPU twin: domain::render_reference.
// In: volume, leap distances, colour and gradient tables, distances of opaque things. Out: premultiplied sRGB, hit distance.
// Space: rays in patient space (LPS mm), marched in voxel space. Dispatch: 8x8 pixels a workgroup, some rows of tiles at a time.
// Source: Deakin, Knackstedt 2020 (leaping); the image formation is VTK's (see domain::volume_scene).
// Shape: CPU drivers run the body of an `if` even where no lane wants it, but leave a loop that no lane is in; so the
// inner loop seeks the next sample that shows anything, all lanes that found one shade together, and leaps are only
// looked up where a sample showed nothing.

#import camera
#import lighting
#import volume

struct RaymarchUniforms {
    rays: ViewRays,
    box_lower: vec4<f32>,
    box_upper: vec4<f32>,
    clip_lower: vec4<f32>,
    clip_upper: vec4<f32>,
    // Ambient, diffuse, specular, power.
    light: vec4<f32>,
    // Table entry = texel * x + y; gradient entry = magnitude * z.
    table: vec4<f32>,
    cell_dims: vec4<u32>,
    size_px: vec2<u32>,
    first_tile_row: u32,
    // 1 where opaque_distance counts.
    has_opaque: u32,
    step_mm: f32,
    reserved_a: f32,
    reserved_b: f32,
    reserved_c: f32,
}

const TABLE_SIZE: u32 = 4096u;
const GRADIENT_TABLE_SIZE: u32 = 1024u;
const SKIP_CELL: u32 = 4u;
const OPAQUE: f32 = 0.99607843;
const HIT_OPACITY: f32 = 0.3;
const NO_HIT_MM: f32 = -1.0;

override SHADE: bool = true;
override GRADIENT_OPACITY: bool = false;
override PACKED_GRADIENT: bool = false;
override MAXIMUM: bool = false;
override SKIP_EMPTY: bool = true;
override END_EARLY: bool = true;

@group(0) @binding(0) var<uniform> view: RaymarchUniforms;
@group(2) @binding(0) var<storage, read> leap_distances: array<u32>;
@group(2) @binding(1) var<storage, read> color_table: array<vec4<f32>>;
@group(2) @binding(2) var<storage, read> gradient_table: array<f32>;
@group(2) @binding(3) var opaque_distance: texture_2d<f32>;
@group(2) @binding(4) var image: texture_storage_2d<rgba16float, write>;
@group(2) @binding(5) var hit_distance: texture_storage_2d<r32float, write>;

// Samples lie at start + n * step (voxel), first <= n <= last.
struct Lattice {
    start: vec3<f32>,
    step: vec3<f32>,
    first: f32,
    last: f32,
    entry_mm: f32,
}

fn lattice_of(ray: Ray, opaque_mm: f32) -> Lattice {
    let origin = (volume.voxel_from_patient * vec4<f32>(ray.origin, 1.0)).xyz;
    let direction = (volume.voxel_from_patient * vec4<f32>(ray.direction, 0.0)).xyz;
    let through_box = slab(origin, direction, view.box_lower.xyz, view.box_upper.xyz);
    let through_clip = slab(ray.origin, ray.direction, view.clip_lower.xyz, view.clip_upper.xyz);
    let entry_mm = max(through_box.x, 0.0);
    let near = max(entry_mm, through_clip.x);
    let far = min(min(through_box.y, through_clip.y), opaque_mm);
    return Lattice(
        origin + direction * entry_mm,
        direction * view.step_mm,
        max(ceil((near - entry_mm) / view.step_mm), 1.0),
        floor((far - entry_mm) / view.step_mm),
        entry_mm,
    );
}

fn leap_distance(cell: vec3<f32>) -> u32 {
    let at = min(vec3<u32>(max(cell, vec3<f32>(0.0))), view.cell_dims.xyz - vec3<u32>(1u));
    let index = at.x + view.cell_dims.x * (at.y + view.cell_dims.y * at.z);
    return leap_distances[index >> 2u] >> ((index & 3u) * 8u) & 255u;
}

fn color_of(texel: f32) -> vec4<f32> {
    return color_table[u32(clamp(texel * view.table.x + view.table.y, 0.0, f32(TABLE_SIZE - 1u)))];
}

fn gradient_factor(magnitude: f32) -> f32 {
    return gradient_table[u32(min(magnitude * view.table.z + 0.5, f32(GRADIENT_TABLE_SIZE - 1u)))];
}

struct Seen {
    rgba: vec4<f32>,
    hit_mm: f32,
}

fn composite(lattice: Lattice, direction: vec3<f32>) -> Seen {
    // The same lattice in the texture and in cells, so that a sample costs one multiply-add in each.
    let texture_start = texture_position(lattice.start);
    let texture_step = lattice.step * volume.texture_from_voxel.xyz;
    let cell_start = lattice.start / f32(SKIP_CELL);
    let cell_step = usable(lattice.step / f32(SKIP_CELL));
    let cells_per_n = 1.0 / cell_step;
    let ahead = select(vec3<f32>(1.0), vec3<f32>(0.0), cell_step > vec3<f32>(0.0));
    let ahead_sign = select(vec3<f32>(-1.0), vec3<f32>(1.0), cell_step > vec3<f32>(0.0));
    var color = vec4<f32>(0.0);
    var hit_n = NO_HIT_MM;
    var n = lattice.first;
    loop {
            if !SKIP_EMPTY || n > lattice.last {
                break;
            }
            let cell = floor(cell_start + cell_step * n);
            let distance = leap_distance(cell);
            if distance == 0u {
                break;
            }
            let plane = cell + ahead + ahead_sign * f32(distance);
            let exits = (plane - cell_start) * cells_per_n;
            n = max(ceil(min(exits.x, min(exits.y, exits.z))), n + 1.0);
        }
    loop {
        var rgba = vec4<f32>(0.0);
        loop {
            if n > lattice.last {
                break;
            }
            rgba = color_of(texel_at(texture_start + texture_step * n));
            if rgba.a > 0.0 {
                break;
            }
            n += 1.0;
            loop {
                if !SKIP_EMPTY || n > lattice.last {
                    break;
                }
                let cell = floor(cell_start + cell_step * n);
                let distance = leap_distance(cell);
                if distance == 0u {
                    break;
                }
                let plane = cell + ahead + ahead_sign * f32(distance);
                let exits = (plane - cell_start) * cells_per_n;
                n = max(ceil(min(exits.x, min(exits.y, exits.z))), n + 1.0);
            }
        }
        if n > lattice.last {
            break;
        }
        var rgb = rgba.rgb;
        var alpha = rgba.a;
        if SHADE || GRADIENT_OPACITY {
            let position = texture_start + texture_step * n;
            var gradient: vec3<f32>;
            if PACKED_GRADIENT {
                gradient = gradient_in_patient(packed_gradient_at(position));
            } else {
                gradient = gradient_in_patient(gradient_at(position));
            }
            if GRADIENT_OPACITY {
                alpha *= gradient_factor(length(gradient));
            }
            if SHADE {
                rgb = lit(rgb, gradient, direction, view.light);
            }
        }
        let weight = alpha * (1.0 - color.a);
        color += vec4<f32>(rgb, 1.0) * weight;
        hit_n = select(hit_n, n, hit_n < 0.0 && color.a >= HIT_OPACITY);
        n += 1.0;
        if END_EARLY && color.a > OPAQUE {
            break;
        }
    }
    return Seen(color, select(NO_HIT_MM, lattice.entry_mm + hit_n * view.step_mm, hit_n > 0.0));
}

// Maximum intensity: the largest sample's colour, as opaque as the transfer function says, never shaded.
fn brightest(lattice: Lattice) -> Seen {
    let texture_start = texture_position(lattice.start);
    let texture_step = lattice.step * volume.texture_from_voxel.xyz;
    var most = -1e30;
    var most_n = lattice.first;
    var n = lattice.first;
    loop {
        if n > lattice.last {
            break;
        }
        let texel = texel_at(texture_start + texture_step * n);
        most_n = select(most_n, n, texel > most);
        most = max(most, texel);
        n += 1.0;
    }
    let rgba = color_of(most);
    let hit_mm = select(NO_HIT_MM, lattice.entry_mm + most_n * view.step_mm, rgba.a >= HIT_OPACITY);
    return Seen(vec4<f32>(rgba.rgb * rgba.a, rgba.a), hit_mm);
}

@compute @workgroup_size(8, 8)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    // CPU drivers run 8 lanes in step: blocks of 4 by 2 pixels stay together longer than rows of 8.
    let inside = vec2<u32>((lane & 3u) | ((lane >> 1u) & 4u), ((lane >> 2u) & 1u) | ((lane >> 3u) & 6u));
    let pixel = vec2<u32>(group.x, group.y + view.first_tile_row) * 8u + inside;
    if any(pixel >= view.size_px) {
        return;
    }
    let at = (vec2<f32>(pixel) + vec2<f32>(0.5)) / vec2<f32>(view.size_px);
    let ray = view_ray(view.rays, vec2<f32>(at.x * 2.0 - 1.0, 1.0 - at.y * 2.0));
    let opaque_size = textureDimensions(opaque_distance);
    let opaque_mm = textureLoad(opaque_distance, pixel * opaque_size / view.size_px, 0).r;
    let lattice = lattice_of(ray, select(1e30, opaque_mm, view.has_opaque != 0u));
    var seen = Seen(vec4<f32>(0.0), NO_HIT_MM);
    if lattice.first <= lattice.last {
        if MAXIMUM {
            seen = brightest(lattice);
        } else {
            seen = composite(lattice, ray.direction);
        }
    }
    textureStore(image, pixel, seen.rgba);
    textureStore(hit_distance, pixel, vec4<f32>(seen.hit_mm));
}
