// lighting: a light at the eye that lights both sides (Phong), as VTK's volume mapper computes it.
// Rust twin: domain::render_reference::lit. Colours are sRGB and are not linearised.

// `light` = ambient, diffuse, specular, power; `direction` is that of the ray.
fn lit(rgb: vec3<f32>, gradient: vec3<f32>, direction: vec3<f32>, light: vec4<f32>) -> vec3<f32> {
    let squared = max(dot(gradient, gradient), 1e-20);
    let facing = abs(dot(gradient, direction)) * inverseSqrt(squared);
    let mirrored = max(2.0 * facing * facing - 1.0, 0.0);
    let gloss = light.z * pow(mirrored, light.w);
    return clamp(rgb * (light.x + light.y * facing) + vec3<f32>(gloss), vec3<f32>(0.0), vec3<f32>(1.0));
}
