//! Slice views: the GPU draws what the CPU twin draws, in every orientation, and the right way round.

use std::sync::Arc;

use glam::{DAffine3, DMat3, DQuat, DVec2, DVec3};
use maquette::domain::color_map::ColorMap;
use maquette::domain::grid::Grid;
use maquette::domain::mask::Mask;
use maquette::domain::plane::Plane;
use maquette::domain::segmentation::SegmentId;
use maquette::domain::slice::{
    FusionStyle, Interpolation, RangePreview, SegmentLayer, SegmentStyle, Slab, SlabMode, SliceFrame, SliceStyle,
};
use maquette::domain::slice_reference;
use maquette::domain::volume::{Quantity, Rescale, Volume};
use maquette::domain::window::Window;
use maquette::gpu::context::Context;
use maquette::gpu::readback;
use maquette::gpu::render::slice::{NO_VALUE, SliceRenderer, SliceScene, SliceVolume};
use maquette::gpu::residency::GpuMemory;
use maquette::gpu::segment_atlas::SegmentAtlas;
use maquette::gpu::view_texture::ViewTexture;
use maquette::gpu::volume_texture::ResidentVolume;
use maquette::ops::backend::Backend;
use maquette::ops::slice::{SliceRequest, draw_slice};
use maquette::task::Progress;

use crate::support::device::device;

fn upload(context: &Context, volume: &Arc<Volume>) -> Arc<ResidentVolume> {
    ResidentVolume::load(context, volume, &GpuMemory::new(1 << 30), &Progress::new()).expect("a small volume fits")
}

/// A left-handed, tilted, anisotropic grid far from the origin.
fn awkward_grid(dims: [u32; 3]) -> Grid {
    let turn = DMat3::from_axis_angle(DVec3::new(0.3, -0.5, 0.8).normalize(), 0.7);
    let axes = DMat3::from_cols(DVec3::new(-0.7, 0.0, 0.0), DVec3::new(0.1, 0.6, 0.0), DVec3::new(0.0, 0.4, 1.3));
    let translation = DVec3::new(120.0, -250.0, 900.0);
    let grid = Grid::new(dims, DAffine3 { matrix3: turn * axes, translation });
    let grid = grid.expect("valid grid");
    assert!(grid.is_left_handed());
    grid
}

/// Noise over the range of CT: the hardest field to resample.
fn noise(grid: Grid) -> Arc<Volume> {
    let samples =
        (0..grid.voxel_count() as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 16) as i16 % 2048 + 1000).collect();
    Arc::new(Volume::new(grid, samples, Rescale { slope: 1.0, intercept: -1024.0 }, Quantity::Hounsfield))
}

fn oblique(grid: &Grid, size_px: [u32; 2]) -> SliceFrame {
    let right = DVec3::new(1.0, 0.4, -0.2).normalize();
    let down = right.cross(DVec3::new(0.1, 0.9, 0.5)).normalize();
    SliceFrame {
        center_in_patient: grid.center_in_patient(),
        right_in_patient: right,
        down_in_patient: down,
        mm_per_px: 0.31,
        size_px,
    }
}

fn scene(frame: SliceFrame, volume: SliceVolume<'_>, style: SliceStyle) -> SliceScene<'_> {
    SliceScene { frame, volume: Some(volume), over: None, segments: None, style, transparent_outside: false }
}

fn gpu_values(context: &Context, scene: &SliceScene<'_>) -> Vec<f32> {
    let format = wgpu::TextureFormat::R32Float;
    let mut target = ViewTexture::with_format(context, "values", scene.frame.size_px, format);
    SliceRenderer::new(context).draw_values(context, &mut target, scene);
    bytemuck::pod_collect_to_vec(&readback::texture_bytes(context, target.texture()))
}

fn gpu_picture(context: &Context, scene: &SliceScene<'_>) -> Vec<[u8; 4]> {
    let mut target = ViewTexture::new(context, "slice", [1, 1]);
    SliceRenderer::new(context).draw(context, &mut target, scene);
    assert_eq!(target.size_px(), scene.frame.size_px);
    bytemuck::pod_collect_to_vec(&readback::texture_bytes(context, target.texture()))
}

#[test]
fn values_on_the_device_are_those_of_the_twin_within_half_a_unit() {
    let Some(context) = &device() else { return };
    let volume = noise(awkward_grid([40, 37, 29]));
    let texture = upload(context, &volume);
    // Sampled by the device; by the processor where that plays the device.
    let on_device = SliceVolume::from(&*texture);
    let both = [on_device, on_device.with_samples(&texture)];
    let style = SliceStyle::new(Window::new(400.0, 40.0));
    let planes = Plane::ALL.map(|plane| {
        SliceFrame::fitting(plane, volume.grid(), volume.grid().center_in_patient() + DVec3::splat(0.3), [70, 61])
    });
    for (frame, interpolation) in planes
        .into_iter()
        .chain([oblique(volume.grid(), [90, 50])])
        .flat_map(|frame| [Interpolation::Linear, Interpolation::Cubic].map(|how| (frame, how)))
    {
        let slabs = [SlabMode::Maximum, SlabMode::Minimum, SlabMode::Mean].map(|mode| Slab { thickness_mm: 3.0, mode });
        for slab in std::iter::once(None).chain(slabs.map(Some)) {
            let style = SliceStyle { slab, interpolation, ..style };
            let expected = slice_reference::resample(&volume, &frame, interpolation, slab.as_ref());
            for on_device in both {
                let found = gpu_values(context, &scene(frame, on_device, style));
                let mut border = 0;
                for (pixel, (found, expected)) in found.iter().zip(&expected).enumerate() {
                    match expected {
                        Some(value) if *found != NO_VALUE => {
                            assert!((f64::from(*found) - value).abs() < 0.5, "pixel {pixel}: {found} against {value}");
                        }
                        None if *found == NO_VALUE => {}
                        // f32 and f64 may disagree on which side of the border a pixel centre is.
                        _ => border += 1,
                    }
                }
                assert!(border <= 3, "{border} pixels differ in being inside");
            }
            assert!(expected.iter().flatten().count() > 500, "the view shows the volume");
        }
    }
}

/// A number from 0 to 1 that follows no pattern: splitmix64.
fn random(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// The trilinear value in f64, from the samples alone; `None` where a corner is missing.
fn trilinear_of_samples(volume: &Volume, voxel: DVec3) -> Option<f64> {
    let dims = volume.grid().dims();
    let inside = (0..3).all(|axis| voxel[axis] >= 0.0 && voxel[axis] <= f64::from(dims[axis]) - 1.001);
    if !inside {
        return None;
    }
    let (base, part) = (voxel.floor(), voxel - voxel.floor());
    let corners = (0..8_u32).map(|n| {
        let bits = [n & 1, n >> 1 & 1, n >> 2];
        let weight: f64 = (0..3).map(|axis| if bits[axis] == 1 { part[axis] } else { 1.0 - part[axis] }).product();
        let [i, j, k] = [0, 1, 2].map(|axis| base[axis] as u32 + bits[axis]);
        weight * volume.value(i, j, k)
    });
    Some(corners.sum())
}

#[test]
fn ten_thousand_random_points_of_each_orientation_read_their_trilinear_value() {
    let Some(context) = &device() else { return };
    // As long as a scan along one axis: far from the origin f32 has the fewest digits left.
    let volume = noise(awkward_grid([512, 24, 20]));
    let texture = upload(context, &volume);
    let style = SliceStyle::new(Window::new(400.0, 40.0));
    let mut state = 7;
    let renderer = SliceRenderer::new(context);
    let format = wgpu::TextureFormat::R32Float;
    let mut target = ViewTexture::with_format(context, "values", [1, 1], format);
    for orientation in [Some(Plane::Axial), Some(Plane::Sagittal), Some(Plane::Coronal), None] {
        let (mut points, mut worst): (u32, f64) = (0, 0.0);
        for _ in 0..2000 {
            // Each is read twice: by the device, and by the processor for it.
            if points >= 20_000 {
                break;
            }
            let voxel = DVec3::new(511.0, 23.0, 19.0) * DVec3::from_array(std::array::from_fn(|_| random(&mut state)));
            let center_in_patient = volume.grid().patient_from_voxel().transform_point3(voxel);
            let mm_per_px = 0.05 + 0.5 * random(&mut state);
            let mut frame =
                SliceFrame::of_plane(orientation.unwrap_or(Plane::Axial), center_in_patient, mm_per_px, [24, 24]);
            if orientation.is_none() {
                let axis = DVec3::from_array(std::array::from_fn(|_| random(&mut state) - 0.5)).normalize();
                let turn = DQuat::from_axis_angle(axis, 6.0 * random(&mut state));
                frame.right_in_patient = turn * frame.right_in_patient;
                frame.down_in_patient = turn * frame.down_in_patient;
            }
            let mut found: Vec<f32> = Vec::new();
            let on_device = SliceVolume::from(&*texture);
            for volume in [on_device, on_device.with_samples(&texture)] {
                renderer.draw_values(context, &mut target, &scene(frame, volume, style));
                found.extend(bytemuck::pod_collect_to_vec::<u8, f32>(&readback::texture_bytes(
                    context,
                    target.texture(),
                )));
            }
            for (n, found) in found.into_iter().enumerate() {
                let n = n % (24 * 24);
                let px = DVec2::new((n % 24) as f64 + 0.5, (n / 24) as f64 + 0.5);
                let voxel = volume.grid().voxel_from_patient().transform_point3(frame.point_in_patient(px));
                if let Some(value) = trilinear_of_samples(&volume, voxel) {
                    worst = worst.max((f64::from(found) - value).abs());
                    points += 1;
                }
            }
        }
        assert!(points >= 20_000, "{orientation:?}: only {points} points");
        assert!(worst < 0.5, "{orientation:?}: {worst} HU off at the worst of {points} points");
    }
}

#[test]
fn nearest_takes_the_very_samples() {
    let Some(context) = &device() else { return };
    let volume = noise(awkward_grid([40, 37, 29]));
    let texture = upload(context, &volume);
    let frame = oblique(volume.grid(), [90, 50]);
    let style = SliceStyle { interpolation: Interpolation::Nearest, ..SliceStyle::new(Window::new(1.0, 0.0)) };
    let found = gpu_values(context, &scene(frame, SliceVolume::from(&*texture), style));
    let expected = slice_reference::resample(&volume, &frame, Interpolation::Nearest, None);
    let differ = found.iter().zip(&expected).filter(|(a, b)| f64::from(**a) != b.unwrap_or(f64::from(NO_VALUE)));
    assert!(differ.count() <= 4, "only ties may fall the other way");
}

#[test]
fn pictures_with_segments_are_those_of_the_twin() {
    let Some(context) = &device() else { return };
    let volume = noise(awkward_grid([70, 66, 40]));
    let texture = upload(context, &volume);
    let dims = [50, 90, 70];
    let segment_grid = Grid::axis_aligned(dims, DVec3::splat(0.9), volume.grid().center_in_patient() - 32.0);
    let segment_grid = segment_grid.expect("valid grid");
    let ball = |center: [f32; 3], radius: f32| {
        Mask::from_fn(dims, move |i, j, k| {
            let at = [i, j, k].map(|n| n as f32);
            (0..3).map(|axis| (at[axis] - center[axis]).powi(2)).sum::<f32>() < radius * radius
        })
    };
    let masks = [ball([22.0, 40.0, 36.0], 17.0), ball([36.0, 40.0, 36.0], 14.0), ball([28.0, 30.0, 36.0], 30.0)];
    let styles = [([230, 60, 60], 0.25, true), ([60, 120, 230], 0.6, true), ([0, 255, 0], 1.0, false)];
    let layers: Vec<SegmentLayer<'_>> = masks
        .iter()
        .zip(styles)
        .enumerate()
        .map(|(n, (mask, (color, opacity, visible)))| SegmentLayer {
            id: SegmentId(7 - n as u32),
            mask,
            style: SegmentStyle { visible, outline: 1.0 + n as f32, ..SegmentStyle::new(color, opacity) },
        })
        .collect();
    let mut atlas = SegmentAtlas::new(context, &segment_grid);
    atlas.update(context, &layers);
    let preview = RangePreview { lower: 300.0, upper: 500.0, color: [255, 220, 0], opacity: 0.5 };
    let style = SliceStyle {
        preview: Some(preview),
        color_map: ColorMap::Fire,
        inverted: true,
        ..SliceStyle::new(Window::new(2000.0, 350.0))
    };
    for frame in
        Plane::ALL.map(|plane| SliceFrame::of_plane(plane, volume.grid().center_in_patient(), 0.53, [120, 100]))
    {
        let on_device = SliceVolume::from(&*texture);
        let found = gpu_picture(context, &SliceScene { segments: Some(&atlas), ..scene(frame, on_device, style) });
        let expected = slice_reference::render(Some(&volume), None, &segment_grid, &layers, &frame, &style);
        let far = |(a, b): &(&[u8; 4], &[u8; 4])| a.iter().zip(*b).any(|(a, b)| a.abs_diff(*b) > 2);
        let differ = found.iter().zip(&expected).filter(far).count();
        assert!(differ * 200 < found.len(), "{differ} of {} pixels differ", found.len());
        for color in [[230, 60, 60, 255], [60, 120, 230, 255]] {
            assert!(found.iter().filter(|pixel| **pixel == color).count() > 50, "the outline of {color:?} is drawn");
        }
        assert!(!found.contains(&[0, 255, 0, 255]), "a hidden segment is not drawn");
    }
}

/// Another field on a coarser grid that covers only part of the first.
fn uptake(beside: &Grid) -> Arc<Volume> {
    let turn = DMat3::from_axis_angle(DVec3::new(0.9, 0.1, 0.2).normalize(), 1.1) * 2.1;
    let translation = beside.center_in_patient() - turn * DVec3::new(6.0, 5.0, 4.0) + DVec3::new(3.0, -2.0, 1.0);
    let grid = Grid::new([14, 12, 10], DAffine3 { matrix3: turn, translation }).expect("valid grid");
    let samples = (0..grid.voxel_count() as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 17) as i16 % 1000).collect();
    Arc::new(Volume::new(grid, samples, Rescale { slope: 0.01, intercept: 0.0 }, Quantity::Suv))
}

#[test]
fn a_second_volume_lies_over_the_first_as_the_cpu_twin_says() {
    let Some(context) = &device() else { return };
    let volume = noise(awkward_grid([40, 37, 29]));
    let over = uptake(volume.grid());
    let (texture, texture_over) = (upload(context, &volume), upload(context, &over));
    let frame = oblique(volume.grid(), [101, 70]);
    let hot =
        FusionStyle { window: Window::new(8.0, 4.5), color_map: ColorMap::Fire, opacity: 0.6, fades: true, from: 0.0 };
    let plain = SliceStyle::new(Window::new(2000.0, 350.0));
    let base = slice_reference::render(Some(&volume), None, volume.grid(), &[], &frame, &plain);
    let slab = Slab { thickness_mm: 6.0, mode: SlabMode::Maximum };
    for (interpolation, slab, fusion) in [
        (Interpolation::Linear, None, hot),
        (Interpolation::Linear, Some(slab), hot),
        (Interpolation::Nearest, None, FusionStyle { fades: false, color_map: ColorMap::Grey, ..hot }),
        (Interpolation::Cubic, None, FusionStyle { from: 0.43, opacity: 1.0, ..hot }),
    ] {
        let style = SliceStyle { interpolation, slab, fusion: Some(fusion), ..plain };
        let expected = slice_reference::render(Some(&volume), Some(&over), volume.grid(), &[], &frame, &style);
        // From the textures, and (where the device is the processor) from main memory, as the window does.
        let given = [&texture, &texture_over].map(|resident| SliceVolume::from(&**resident).with_samples(resident));
        let loaded = [&texture, &texture_over].map(|resident| SliceVolume::from(&**resident));
        for [first, second] in [given, loaded] {
            let found = gpu_picture(context, &SliceScene { over: Some(second), ..scene(frame, first, style) });
            let far = |(a, b): &(&[u8; 4], &[u8; 4])| a.iter().zip(*b).any(|(a, b)| a.abs_diff(*b) > 2);
            let differ = found.iter().zip(&expected).filter(far).count();
            assert!(differ * 200 < found.len(), "{fusion:?}: {differ} of {} pixels differ", found.len());
        }
        let outside = (0..expected.len()).filter(|n| (n % 101) as f64 + 0.5 < 0.43 * 101.0);
        if fusion.from > 0.0 {
            let cubic = SliceStyle { interpolation, ..plain };
            let base = slice_reference::render(Some(&volume), None, volume.grid(), &[], &frame, &cubic);
            assert!(outside.clone().all(|n| base[n] == expected[n]), "left of the divider lies nothing over it");
        }
        let colored = expected.iter().zip(&base).filter(|(a, b)| a != b).count();
        assert!(colored > expected.len() / 20, "it is seen: {colored}");
    }
}

#[test]
fn a_marker_on_the_patients_left_is_on_the_right_of_the_picture() {
    let Some(context) = &device() else { return };
    // Stored the awkward way: i runs to the patient's right, j to the front, k to the feet.
    let axes = DAffine3::from_scale(DVec3::new(-1.0, -1.0, -2.0));
    let grid = Grid::new([40, 40, 20], axes).expect("valid grid");
    let mut samples = vec![0_i16; grid.voxel_count()];
    // Left, back, head.
    samples[grid.index(5, 10, 4)] = 1000;
    let marker = grid.patient_from_voxel().transform_point3(DVec3::new(5.0, 10.0, 4.0));
    let volume = Arc::new(Volume::new(grid, samples, Rescale::IDENTITY, Quantity::Hounsfield));
    let texture = upload(context, &volume);
    for (plane, right, low) in
        [(Plane::Axial, true, true), (Plane::Coronal, true, false), (Plane::Sagittal, true, false)]
    {
        let frame = SliceFrame::fitting(plane, &grid, marker, [80, 80]);
        let style = SliceStyle::new(Window::new(500.0, 250.0));
        let found = gpu_picture(context, &scene(frame, SliceVolume::from(&*texture), style));
        let brightest = (0..found.len()).max_by_key(|&n| found[n][0]).expect("a pixel");
        assert!(found[brightest][0] > 200, "{plane:?}: the marker is seen");
        let (x, y) = (brightest % 80, brightest / 80);
        assert_eq!(x > 40, right, "{plane:?}: left of the patient (or back) is right in the picture, x = {x}");
        assert_eq!(y > 40, low, "{plane:?}: y = {y}");
    }
}

#[test]
fn both_backends_draw_one_picture() {
    let Some(context) = &device() else { return };
    let volume = noise(awkward_grid([40, 37, 29]));
    let grid = *volume.grid();
    let mask = Mask::from_fn(grid.dims(), |i, j, _| i > 10 && j < 30);
    let style = SegmentStyle::new([230, 60, 60], 0.25);
    let layers = [SegmentLayer { id: SegmentId(1), mask: &mask, style }];
    let request = SliceRequest {
        volume: &volume,
        segments: Some((&grid, &layers)),
        frame: oblique(&grid, [90, 50]),
        style: SliceStyle::new(Window::new(2000.0, 350.0)),
    };
    let [cpu, gpu] = [Backend::Cpu, Backend::Gpu]
        .map(|backend| draw_slice(&request, backend, Some(context), &Progress::new()).expect("a picture"));
    assert!(cpu.psnr_db(&gpu) > 45.0, "{} dB", cpu.psnr_db(&gpu));
    let alone = SliceRequest { segments: None, ..request };
    let plain = draw_slice(&alone, Backend::Cpu, None, &Progress::new()).expect("a picture");
    assert!(plain.psnr_db(&cpu) < 30.0, "segments are seen");
}
