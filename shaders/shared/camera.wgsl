// camera: the rays of a picture. Rust twin: domain::volume_scene::ViewRays. Space: patient (LPS mm).

struct ViewRays {
    origin_in_patient: vec3<f32>,
    // 1 where all rays come from the eye, 0 where they are parallel.
    perspective: f32,
    forward_in_patient: vec4<f32>,
    right_in_patient: vec4<f32>,
    up_in_patient: vec4<f32>,
}

struct Ray {
    origin: vec3<f32>,
    direction: vec3<f32>,
}

// The ray through a point of the view (-1 to 1, y up); its direction has unit length.
fn view_ray(rays: ViewRays, point_in_ndc: vec2<f32>) -> Ray {
    let offset = rays.right_in_patient.xyz * point_in_ndc.x + rays.up_in_patient.xyz * point_in_ndc.y;
    let origin = rays.origin_in_patient + offset * (1.0 - rays.perspective);
    return Ray(origin, normalize(rays.forward_in_patient.xyz + offset * rays.perspective));
}

// A direction without zeros, so that it can be divided by.
fn usable(direction: vec3<f32>) -> vec3<f32> {
    return select(direction, vec3<f32>(1e-12), abs(direction) < vec3<f32>(1e-12));
}

// Where a ray enters (x) and leaves (y) a box; enters after it leaves where it misses.
fn slab(origin: vec3<f32>, direction: vec3<f32>, lower: vec3<f32>, upper: vec3<f32>) -> vec2<f32> {
    let a = (lower - origin) / usable(direction);
    let b = (upper - origin) / usable(direction);
    let enter = min(a, b);
    let exit = max(a, b);
    return vec2<f32>(max(enter.x, max(enter.y, enter.z)), min(exit.x, min(exit.y, exit.z)));
}
