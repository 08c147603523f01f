// line: straight lines of a width in pixels, hidden by what is in front. Rust: gpu::render::line.
// In: one instance for each line, two ends in patient space. Out: premultiplied sRGB. Six vertices an instance.

#import view

// A line wins against the surface that it lies on.
const NEARER: f32 = 2.0e-4;
// Ends behind the eye are moved to this clip w.
const LEAST_W: f32 = 1.0e-2;

struct Line {
    @builtin(vertex_index) corner: u32,
    @location(0) from_in_patient: vec3<f32>,
    @location(1) to_in_patient: vec3<f32>,
    @location(2) color: vec4<f32>,
    @location(3) width_px: f32,
}

struct Fragment {
    @builtin(position) position: vec4<f32>,
    @location(0) color: vec4<f32>,
}

fn in_front(end: vec4<f32>, other: vec4<f32>) -> vec4<f32> {
    let t = clamp((LEAST_W - end.w) / (other.w - end.w), 0.0, 1.0);
    return select(end, mix(end, other, t), end.w < LEAST_W && other.w > LEAST_W);
}

@vertex
fn vs_main(line: Line) -> Fragment {
    let clip_from = view.clip_from_patient * vec4<f32>(line.from_in_patient, 1.0);
    let clip_to = view.clip_from_patient * vec4<f32>(line.to_in_patient, 1.0);
    let a = in_front(clip_from, clip_to);
    let b = in_front(clip_to, clip_from);
    let run_px = (b.xy / b.w - a.xy / a.w) * view.size_px;
    let along = select(vec2<f32>(1.0, 0.0), normalize(run_px), dot(run_px, run_px) > 1e-12);
    let across = vec2<f32>(-along.y, along.x);
    // Corners 0 1 2, 1 2 3: odd ones on one side, the upper two at the end.
    let corner = select(line.corner, line.corner - 2u, line.corner > 2u);
    let side = f32(corner & 1u) * 2.0 - 1.0;
    let at_end = (corner & 2u) != 0u;
    var position = select(a, b, at_end);
    let lengthwise = along * select(-0.5, 0.5, at_end);
    let offset_px = (across * side * 0.5 + lengthwise) * line.width_px;
    position = vec4<f32>(position.xy + offset_px * 2.0 / view.size_px * position.w, position.zw);
    position.z -= NEARER * position.w;
    return Fragment(position, line.color);
}

@fragment
fn fs_main(fragment: Fragment) -> @location(0) vec4<f32> {
    return vec4<f32>(fragment.color.rgb * fragment.color.a, fragment.color.a);
}
