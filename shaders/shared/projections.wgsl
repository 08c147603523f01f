// projections: what a ray sees where samples are not blended: brightest, darkest, mean, X-ray, first surface.
// Rust twins: domain::projection (numbers), domain::render_reference. Uses view, volume and lattice of the ray-marcher.

const XRAY_DEPTH_MM: f32 = 180.0;
const XRAY_CONTRAST: f32 = 1.5;
const BISECTIONS: u32 = 10u;

// Colour and opacity of a texel as the tables say; it lies at sample n.
fn flat_color(lattice: Lattice, texel: f32, n: f32) -> Seen {
    let rgba = color_of(texel);
    let hit_mm = select(NO_HIT_MM, lattice.entry_mm + n * view.step_mm, n > 0.0 && rgba.a >= HIT_OPACITY);
    return Seen(vec4<f32>(rgba.rgb * rgba.a, rgba.a), hit_mm);
}

// The largest (sign 1) or smallest (sign -1) sample's colour.
fn extreme(lattice: Lattice, sign: f32) -> Seen {
    let texture_start = texture_position(lattice.start);
    let texture_step = lattice.step * volume.texture_from_voxel.xyz;
    var most = -1e30;
    var most_n = lattice.first;
    var n = lattice.first;
    loop {
        if n > lattice.last {
            break;
        }
        let texel = texel_at(texture_start + texture_step * n) * sign;
        most_n = select(most_n, n, texel > most);
        most = max(most, texel);
        n += 1.0;
    }
    return flat_color(lattice, most * sign, most_n);
}

// Mean of all samples, or attenuation along the ray.
fn summed(lattice: Lattice, attenuation: bool) -> Seen {
    let texture_start = texture_position(lattice.start);
    let texture_step = lattice.step * volume.texture_from_voxel.xyz;
    var sum = 0.0;
    var n = lattice.first;
    loop {
        if n > lattice.last {
            break;
        }
        let texel = texel_at(texture_start + texture_step * n);
        let water = max(texel * view.attenuation.x + view.attenuation.y, 0.0);
        sum += select(texel, water, attenuation);
        n += 1.0;
    }
    if attenuation {
        let depth = pow(sum * view.step_mm / XRAY_DEPTH_MM, XRAY_CONTRAST);
        return Seen(vec4<f32>(1.0 - exp(-depth)), NO_HIT_MM);
    }
    return flat_color(lattice, sum / (lattice.last - lattice.first + 1.0), -1.0);
}

fn is_inside(texel: f32) -> bool {
    return (texel - view.surface.w) * view.attenuation.z >= 0.0;
}

// The first sample inside the surface, found again between it and the one before, lit.
fn first_surface(lattice: Lattice, direction: vec3<f32>) -> Seen {
    let texture_start = texture_position(lattice.start);
    let texture_step = lattice.step * volume.texture_from_voxel.xyz;
    let leaps = leaps_of(lattice);
    var n = lattice.first;
    loop {
        n = leapt(leaps, n, lattice.last);
        if n > lattice.last || is_inside(texel_at(texture_start + texture_step * n)) {
            break;
        }
        n += 1.0;
    }
    var outer = max(n - 1.0, lattice.first);
    var inner = n;
    for (var round = 0u; round < BISECTIONS; round++) {
        let middle = 0.5 * (outer + inner);
        let inside = is_inside(texel_at(texture_start + texture_step * middle));
        outer = select(middle, outer, inside);
        inner = select(inner, middle, inside);
    }
    let rgb = lit(view.surface.rgb, gradient_of(texture_start + texture_step * inner), direction, view.light);
    let hit = n <= lattice.last;
    return Seen(select(vec4<f32>(0.0), vec4<f32>(rgb, 1.0), hit), select(NO_HIT_MM, lattice.entry_mm + inner * view.step_mm, hit));
}
