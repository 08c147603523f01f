//! The volume on the device: what the shader's accessors return, what is refused, what is held.

use glam::{DAffine3, DMat3, DVec3, Vec3};
use maquette::domain::grid::Grid;
use maquette::domain::render_reference::Samples;
use maquette::domain::volume::{Quantity, Rescale, Volume};
use maquette::gpu::context::Context;
use maquette::gpu::readback::texture_bytes;
use maquette::gpu::residency::GpuMemory;
use maquette::gpu::shader;
use maquette::gpu::volume_texture::{VolumeTexture, VolumeTextureError};
use maquette::task::Progress;

use crate::support::device;

const PROBES: u32 = 512;

/// Asks the accessors of `shared/volume.wgsl` at points of patient space.
const PROBE: &str = "
@group(0) @binding(0) var<storage, read> points: array<vec4<f32>>;
@group(0) @binding(1) var answers: texture_storage_2d<rgba32float, write>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let voxel = (volume.voxel_from_patient * points[id.x]).xyz;
    let position = texture_position(voxel);
    textureStore(answers, vec2<u32>(id.x, 0u), vec4<f32>(voxel, sample_volume(voxel)));
    textureStore(answers, vec2<u32>(id.x, 1u), vec4<f32>(gradient_at(position), 0.0));
    textureStore(answers, vec2<u32>(id.x, 2u), vec4<f32>(packed_gradient_at(position), 0.0));
    textureStore(answers, vec2<u32>(id.x, 3u), vec4<f32>(gradient_in_patient(gradient_at(position)), 0.0));
}
";

fn noisy(grid: Grid, low: i16, spread: u32) -> Volume {
    let mut state = 7_u32;
    let samples = (0..grid.voxel_count()).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        low + ((state >> 8) % spread) as i16
    });
    Volume::new(grid, samples.collect(), Rescale { slope: 0.5, intercept: 10.0 }, Quantity::Arbitrary)
}

fn sheared_left_handed() -> Grid {
    let axes = DMat3::from_cols(DVec3::new(0.9, 0.1, 0.0), DVec3::new(0.0, 0.8, 0.2), DVec3::new(0.1, 0.3, -1.5));
    Grid::new([19, 23, 13], DAffine3::from_mat3_translation(axes, DVec3::new(-120.0, 55.0, 310.0))).expect("a grid")
}

/// Rows of the answers: voxel and sample, gradient, packed gradient, gradient in patient space.
fn probe(context: &Context, texture: &VolumeTexture, points_in_patient: &[Vec3]) -> Vec<Vec<[f32; 4]>> {
    let device = &context.device;
    let text = format!("{}{PROBE}", shader::source("shared/volume.wgsl"));
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some("probe"),
        source: wgpu::ShaderSource::Wgsl(text.into()),
    });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some("probe"),
        layout: None,
        module: &module,
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions::default(),
        cache: None,
    });
    let points: Vec<[f32; 4]> = points_in_patient.iter().map(|p| [p.x, p.y, p.z, 1.0]).collect();
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: u64::from(PROBES) * 16,
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    context.queue.write_buffer(&buffer, 0, bytemuck::cast_slice(&points));
    let answers = device.create_texture(&wgpu::TextureDescriptor {
        label: None,
        size: wgpu::Extent3d { width: PROBES, height: 4, depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::Rgba32Float,
        usage: wgpu::TextureUsages::STORAGE_BINDING | wgpu::TextureUsages::COPY_SRC,
        view_formats: &[],
    });
    let view = answers.create_view(&wgpu::TextureViewDescriptor::default());
    let own = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout: &pipeline.get_bind_group_layout(0),
        entries: &[
            wgpu::BindGroupEntry { binding: 0, resource: buffer.as_entire_binding() },
            wgpu::BindGroupEntry { binding: 1, resource: wgpu::BindingResource::TextureView(&view) },
        ],
    });
    let volume = texture.bind_group_for(context, &pipeline.get_bind_group_layout(1));
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &own, &[]);
        pass.set_bind_group(1, &volume, &[]);
        pass.dispatch_workgroups(PROBES / 64, 1, 1);
    }
    context.queue.submit([encoder.finish()]);
    let numbers: Vec<[f32; 4]> = bytemuck::pod_collect_to_vec(&texture_bytes(context, &answers));
    numbers.chunks(PROBES as usize).map(<[[f32; 4]]>::to_vec).collect()
}

#[test]
fn accessors_return_what_the_cpu_array_holds() {
    let Some(context) = device::device() else { return };
    let volume = noisy(sheared_left_handed(), -1024, 4000);
    let texture =
        VolumeTexture::upload(&context, &volume, &GpuMemory::new(1 << 30), &Progress::new()).expect("a small volume");
    let grid = *volume.grid();
    let mut state = 99_u32;
    let mut next = |n: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1_u32 << 24) * f64::from(n + 1) - 1.0
    };
    let voxels: Vec<DVec3> =
        (0..PROBES).map(|_| DVec3::new(next(grid.dims()[0]), next(grid.dims()[1]), next(grid.dims()[2]))).collect();
    let points: Vec<Vec3> =
        voxels.iter().map(|&voxel| grid.patient_from_voxel().transform_point3(voxel).as_vec3()).collect();
    let answers = probe(&context, &texture, &points);
    let samples = Samples::of(&volume);
    let to_patient = grid.voxel_from_patient().matrix3.transpose().as_mat3();
    for (n, voxel) in voxels.iter().enumerate() {
        let [i, j, k, sample] = answers[0][n];
        let at = Vec3::new(i, j, k);
        assert!(at.distance(voxel.as_vec3()) < 1e-3, "patient to voxel: {at} is not {voxel}");
        // Samples are noise: a position wrong by 1e-3 voxel is wrong by 4 here.
        assert!((sample - samples.trilinear(at)).abs() < 1.0, "{at}: {sample}, not {}", samples.trilinear(at));
        let gradient = samples.gradient(at);
        let row = |row: usize| Vec3::from_slice(&answers[row][n][..3]);
        assert!(row(1).distance(gradient) < 1.5, "{at}: {} is not {gradient}", row(1));
        // Rays stay among the voxel centres; beyond them the two clamp differently.
        let among = (0..3).all(|axis| at[axis] >= 0.0 && at[axis] <= (grid.dims()[axis] - 1) as f32);
        let packed = row(2).distance(gradient);
        assert!(texture.has_gradients() && (!among || packed < 2.5), "{at}: {} is not {gradient}", row(2));
        assert!(row(3).distance(to_patient * gradient) < 3.0, "{at}: the affine is transposed");
    }
}

#[test]
fn what_is_too_long_or_too_large_is_refused_with_a_sentence() {
    let Some(context) = device::device() else { return };
    let grid = Grid::axis_aligned([2049, 2, 2], DVec3::ONE, DVec3::ZERO).expect("a grid");
    let upload =
        |volume: &Volume, memory: &GpuMemory| VolumeTexture::upload(&context, volume, memory, &Progress::new());
    let memory = GpuMemory::new(1 << 20);
    let too_long = upload(&noisy(grid, 0, 9), &memory).expect_err("longer than a texture may be");
    assert!(too_long.to_string().contains("2049 x 2 x 2") && too_long.to_string().contains("2048"), "{too_long}");
    let small = noisy(sheared_left_handed(), 0, 9);
    let refused = upload(&small, &GpuMemory::new(1000)).expect_err("no room");
    assert!(matches!(refused, VolumeTextureError::OverBudget(_)) && refused.to_string().contains("MiB"), "{refused}");
    let texture = upload(&small, &memory).expect("fits");
    assert_eq!(memory.held_bytes(), texture.bytes());
    drop(texture);
    assert_eq!(memory.held_bytes(), 0, "what is dropped is given back");
    let cancelled = Progress::new();
    cancelled.cancel();
    assert!(VolumeTexture::upload(&context, &small, &memory, &cancelled).is_err());
    assert_eq!(memory.held_bytes(), 0);
}

#[test]
fn values_far_from_zero_stay_exact_to_their_rounding() {
    let Some(context) = device::device() else { return };
    let volume = noisy(sheared_left_handed(), 20_000, 4000);
    let texture =
        VolumeTexture::upload(&context, &volume, &GpuMemory::new(1 << 30), &Progress::new()).expect("a small volume");
    let grid = *volume.grid();
    let centres: Vec<DVec3> = (0..PROBES).map(|n| DVec3::new(f64::from(n % 19), f64::from(n / 19 % 23), 6.0)).collect();
    let points: Vec<Vec3> = centres.iter().map(|&v| grid.patient_from_voxel().transform_point3(v).as_vec3()).collect();
    let answers = probe(&context, &texture, &points);
    let [scale, offset] = texture.value_from_texel();
    for (n, centre) in centres.iter().enumerate() {
        let truth = volume.value(centre.x as u32, centre.y as u32, centre.z as u32);
        let texel = answers[0][n][3] - texture.sample_offset() as f32;
        // f32 positions are 1e-4 voxel off here, and neighbours differ by thousands.
        assert!((f64::from(texel * scale + offset) - truth).abs() < 1.0, "{centre}: {texel} {truth}");
    }
}
