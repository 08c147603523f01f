// raymarch: one colour a pixel from the samples along its ray, front to back. CPU twin: domain::render_reference.
// In: volume, leap distances, colour and gradient tables, distances of opaque things. Out: premultiplied sRGB, hit distance.
// Space: rays in patient space (LPS mm), marched in voxel space. Dispatch: 8x8 pixels a workgroup, some rows of tiles at a time.
// Source: Deakin, Knackstedt 2020 (leaping); the image formation is VTK's (see domain::volume_scene).
// Shape: CPU drivers run the body of an `if` even where no lane wants it, but leave a loop that no lane is in; so the
// inner loop seeks the next sample that shows anything, all lanes that found one shade together, and leaps are only
// looked up where a sample showed nothing.

#import camera
#import lighting
#import projections
#import volume

struct RaymarchUniforms {
    rays: ViewRays,
    box_lower: vec4<f32>,
    box_upper: vec4<f32>,
    clip_lower: vec4<f32>,
    clip_upper: vec4<f32>,
    // Unit normals toward what stays, and offsets.
    clip_planes: array<vec4<f32>, 6>,
    // Ambient, diffuse, specular, power.
    light: vec4<f32>,
    // Relative to water = texel * x + y; z: 1 or -1, the side of the surface that is inside.
    attenuation: vec4<f32>,
    // Colour of the surface; w: its texel.
    surface: vec4<f32>,
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
const OPAQUE: f32 = 0.98;
const HIT_OPACITY: f32 = 0.3;
const NO_HIT_MM: f32 = -1.0;

override SHADE: bool = true;
override GRADIENT_OPACITY: bool = false;
override PACKED_GRADIENT: bool = false;
// Place in domain::transfer::Blend::ALL.
override BLEND: u32 = 0u;
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
    var near = max(entry_mm, through_clip.x);
    var far = min(min(through_box.y, through_clip.y), opaque_mm);
    for (var n = 0u; n < 6u; n++) {
        let plane = view.clip_planes[n];
        let height = dot(plane.xyz, ray.origin) + plane.w;
        let along = dot(plane.xyz, ray.direction);
        let rise = select(along, 1e-12, abs(along) < 1e-12);
        near = max(near, select(-1e30, -height / rise, rise > 0.0));
        far = min(far, select(-height / rise, 1e30, rise > 0.0));
    }
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

fn gradient_of(position: vec3<f32>) -> vec3<f32> {
    if PACKED_GRADIENT {
        return gradient_in_patient(packed_gradient_at(position));
    }
    return gradient_in_patient(gradient_at(position));
}

// The lattice in cells, made once a ray.
struct Leaps {
    start: vec3<f32>,
    step: vec3<f32>,
    n_a_cell: vec3<f32>,
    // From a cell's corner to the planes through which a ray leaves it, and which way further planes lie.
    ahead: vec3<f32>,
    way: vec3<f32>,
}

fn leaps_of(lattice: Lattice) -> Leaps {
    let step = usable(lattice.step / f32(SKIP_CELL));
    let forward = step > vec3<f32>(0.0);
    let ahead = select(vec3<f32>(1.0), vec3<f32>(0.0), forward);
    let way = select(vec3<f32>(-1.0), vec3<f32>(1.0), forward);
    return Leaps(lattice.start / f32(SKIP_CELL), step, 1.0 / step, ahead, way);
}

// The next sample from n on that lies in a cell which may show something, or one beyond the last.
fn leapt(leaps: Leaps, from_n: f32, last: f32) -> f32 {
    var n = from_n;
    loop {
        if !SKIP_EMPTY || n > last {
            break;
        }
        let cell = floor(leaps.start + leaps.step * n);
        let distance = leap_distance(cell);
        if distance == 0u {
            break;
        }
        let exits = (cell + leaps.ahead + leaps.way * f32(distance) - leaps.start) * leaps.n_a_cell;
        n = max(ceil(min(exits.x, min(exits.y, exits.z))), n + 1.0);
    }
    return n;
}

struct Seen {
    rgba: vec4<f32>,
    hit_mm: f32,
}

fn composite(lattice: Lattice, direction: vec3<f32>) -> Seen {
    let texture_start = texture_position(lattice.start);
    let texture_step = lattice.step * volume.texture_from_voxel.xyz;
    var color = vec4<f32>(0.0);
    var hit_n = NO_HIT_MM;
    let leaps = leaps_of(lattice);
    var n = leapt(leaps, lattice.first, lattice.last);
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
            n = leapt(leaps, n + 1.0, lattice.last);
        }
        if n > lattice.last {
            break;
        }
        var rgb = rgba.rgb;
        var alpha = rgba.a;
        if SHADE || GRADIENT_OPACITY {
            let gradient = gradient_of(texture_start + texture_step * n);
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
    // What the ray did not reach is taken to look like what it saw.
    color = select(color, color / max(color.a, 0.5), END_EARLY && color.a > OPAQUE);
    return Seen(color, select(NO_HIT_MM, lattice.entry_mm + hit_n * view.step_mm, hit_n > 0.0));
}

fn seen_along(lattice: Lattice, direction: vec3<f32>) -> Seen {
    switch BLEND {
        case 1u: {
            return extreme(lattice, 1.0);
        }
        case 2u: {
            return extreme(lattice, -1.0);
        }
        case 3u: {
            return summed(lattice, false);
        }
        case 4u: {
            return first_surface(lattice, direction);
        }
        case 5u: {
            return summed(lattice, true);
        }
        default: {
            return composite(lattice, direction);
        }
    }
}

@compute @workgroup_size(8, 8)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    // CPU drivers give each of their threads one stretch of workgroups, and the halves of a picture are seldom alike: the
    // first half of the workgroups draws the even rows of tiles, the second half the odd ones.
    let half = (groups.y + 1u) / 2u;
    let tile_row = select(2u * group.y, 2u * (group.y - half) + 1u, group.y >= half);
    // CPU drivers run 8 lanes in step: blocks of 4 by 2 pixels stay together longer than rows of 8.
    let inside = vec2<u32>((lane & 3u) | ((lane >> 1u) & 4u), ((lane >> 2u) & 1u) | ((lane >> 3u) & 6u));
    let pixel = vec2<u32>(group.x, tile_row + view.first_tile_row) * 8u + inside;
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
        seen = seen_along(lattice, ray.direction);
    }
    textureStore(image, pixel, seen.rgba);
    textureStore(hit_distance, pixel, vec4<f32>(seen.hit_mm));
}
