// view: where the eye of a 3D view is. Rust twin: gpu::render::view_globals. Space: patient (LPS mm) to clip (WebGPU).

struct View {
    clip_from_patient: mat4x4<f32>,
    // w is 1 where all rays come from the eye, 0 where they are parallel.
    eye_in_patient: vec4<f32>,
    direction_in_patient: vec4<f32>,
    // Half of what is seen at one mm from the eye (perspective), or half of what is seen (parallel): x, y.
    half_extent: vec2<f32>,
    // The projection's third row, from which depth becomes distance again.
    depth_scale: f32,
    depth_offset: f32,
    size_px: vec2<f32>,
    reserved: vec2<f32>,
}

@group(0) @binding(0) var<uniform> view: View;

// Unit vector from a point to the eye.
fn toward_eye(point_in_patient: vec3<f32>) -> vec3<f32> {
    if view.eye_in_patient.w > 0.5 {
        return normalize(view.eye_in_patient.xyz - point_in_patient);
    }
    return -view.direction_in_patient.xyz;
}

// Distance of a point along its ray: from the eye, or from the eye's plane where rays are parallel.
fn ray_distance_mm(point_in_patient: vec3<f32>) -> f32 {
    let offset = point_in_patient - view.eye_in_patient.xyz;
    return select(dot(offset, view.direction_in_patient.xyz), length(offset), view.eye_in_patient.w > 0.5);
}
