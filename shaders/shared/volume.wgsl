// volume: trilinear access to the samples of a volume and the way from the patient to its voxels.
// Rust twins: gpu::volume_texture, domain::render_reference::Samples. Space: voxel (centres at integers); values are texels
// (sample minus an offset), because only differences and table entries are wanted of them.

struct VolumeGlobals {
    voxel_from_patient: mat4x4<f32>,
    // 1 / dims; w: what is added to a texel to get the sample.
    texture_from_voxel: vec4<f32>,
}

@group(1) @binding(0) var volume_texture: texture_3d<f32>;
@group(1) @binding(1) var volume_sampler: sampler;
@group(1) @binding(2) var<uniform> volume: VolumeGlobals;
// Central differences at the voxels, for devices on which one wide fetch costs less than six; else a single texel.
@group(1) @binding(3) var gradient_texture: texture_3d<f32>;

// Position in the texture (0 to 1) of a voxel position.
fn texture_position(at_voxel: vec3<f32>) -> vec3<f32> {
    return (at_voxel + vec3<f32>(0.5)) * volume.texture_from_voxel.xyz;
}

// Texel at a texture position, interpolated, clamped at the borders.
fn texel_at(position: vec3<f32>) -> f32 {
    return textureSampleLevel(volume_texture, volume_sampler, position, 0.0).r;
}

// Sample at a voxel position.
fn sample_volume(at_voxel: vec3<f32>) -> f32 {
    return texel_at(texture_position(at_voxel)) + volume.texture_from_voxel.w;
}

// Central differences of samples, per voxel along i, j, k, at a texture position.
fn gradient_at(position: vec3<f32>) -> vec3<f32> {
    let one = volume.texture_from_voxel.xyz;
    let di = vec3<f32>(one.x, 0.0, 0.0);
    let dj = vec3<f32>(0.0, one.y, 0.0);
    let dk = vec3<f32>(0.0, 0.0, one.z);
    return 0.5 * vec3<f32>(
        texel_at(position + di) - texel_at(position - di),
        texel_at(position + dj) - texel_at(position - dj),
        texel_at(position + dk) - texel_at(position - dk),
    );
}

// The same from the texture of gradients: interpolation and differences commute.
fn packed_gradient_at(position: vec3<f32>) -> vec3<f32> {
    return textureSampleLevel(gradient_texture, volume_sampler, position, 0.0).xyz;
}

// A patient-space vector of a gradient along the voxel axes (also right for sheared and left-handed grids).
fn gradient_in_patient(gradient_in_voxel: vec3<f32>) -> vec3<f32> {
    return (vec4<f32>(gradient_in_voxel, 0.0) * volume.voxel_from_patient).xyz;
}
