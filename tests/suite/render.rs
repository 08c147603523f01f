//! The ray-marcher: GPU against its CPU twin, shortcuts, orientation, clipping, odd grids, refinement in pieces.

use std::sync::Arc;

use glam::{DAffine3, DMat3, DVec3};
use maquette::domain::camera::{Camera, Projection, StandardView};
use maquette::domain::grid::Grid;
use maquette::domain::occupancy::SkipCells;
use maquette::domain::picture::{BACKGROUND, Picture};
use maquette::domain::projection;
use maquette::domain::render_reference::{self, RayImage, Shortcuts};
use maquette::domain::surface;
use maquette::domain::transfer::{Blend, TransferFunction, preset, presets};
use maquette::domain::volume::{Quantity, Rescale, Volume};
use maquette::domain::volume_scene::{ClipBox, ClipPlane, ClipPlanes, VolumeScene};
use maquette::gpu::context::Context;
use maquette::gpu::render::raymarch::{self, VolumeRenderer};
use maquette::gpu::residency::GpuMemory;
use maquette::gpu::volume_texture::ResidentVolume;
use maquette::task::Progress;

use crate::support::device;

/// A body of soft tissue with bone and contrast inside, noise, and a marker on the patient's left.
fn body(grid: Grid) -> Volume {
    let mut state = 1_u32;
    let [ni, nj, nk] = grid.dims();
    let mut samples = Vec::with_capacity(grid.voxel_count());
    let center = grid.center_in_patient();
    for k in 0..nk {
        for j in 0..nj {
            for i in 0..ni {
                let voxel = DVec3::new(f64::from(i), f64::from(j), f64::from(k));
                let p = grid.patient_from_voxel().transform_point3(voxel) - center;
                let body = 20.0 - (p / DVec3::new(1.1, 0.8, 1.0)).length();
                let bone = 6.0 - (p - DVec3::new(-4.0, 6.0, 0.0)).truncate().length();
                let vessel = 4.0 - (p - DVec3::new(3.0, -5.0, 0.0)).length();
                let marker = 3.0 - (p - DVec3::new(26.0, 0.0, 8.0)).length();
                let mut hu = -1000.0 + (body * 300.0).clamp(0.0, 1050.0);
                hu += (bone * 400.0).clamp(0.0, 700.0) * f64::from(u8::from(body > 2.0));
                hu += (vessel * 300.0).clamp(0.0, 250.0);
                hu += (marker * 1300.0).clamp(0.0, 2700.0);
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                samples.push((hu + f64::from(state >> 26) - 32.0 + 1024.0) as i16);
            }
        }
    }
    Volume::new(grid, samples, Rescale { slope: 1.0, intercept: -1024.0 }, Quantity::Hounsfield)
}

fn plain_grid() -> Grid {
    Grid::axis_aligned([62, 54, 40], DVec3::new(1.0, 1.0, 1.4), DVec3::new(-100.0, 40.0, -300.0)).expect("valid grid")
}

fn scene_of(volume: &Volume, view: StandardView, size_px: [u32; 2]) -> VolumeScene {
    let (lower, upper) = volume.grid().bounds_in_patient();
    let camera = Camera::fitting(lower, upper, view).zoomed(1.3);
    VolumeScene::new(camera, size_px)
}

fn on_cpu(volume: &Volume, transfer: &TransferFunction, scene: &VolumeScene, shortcuts: Shortcuts) -> RayImage {
    let cells = SkipCells::of(volume);
    render_reference::render(volume, &cells, transfer, scene, shortcuts, &Progress::new()).expect("nobody cancels")
}

fn resident(context: &Context, volume: impl Into<Arc<Volume>>) -> Arc<ResidentVolume> {
    let memory = GpuMemory::new(1 << 30);
    ResidentVolume::load(context, &volume.into(), &memory, &Progress::new()).expect("a small volume fits")
}

/// With memory for the samples and no more: gradients are then computed, not fetched.
fn resident_without_gradients(context: &Context, volume: Volume) -> Arc<ResidentVolume> {
    let memory = GpuMemory::new(volume.grid().voxel_count() as u64 * 5);
    let resident = ResidentVolume::load(context, &Arc::new(volume), &memory, &Progress::new()).expect("samples fit");
    assert!(!resident.texture.has_gradients());
    resident
}

fn picture(image: &RayImage) -> Picture {
    Picture::over_gradient(image, BACKGROUND)
}

/// Values of MR, ultrasound and micro-CT presets lie elsewhere: the phantom's values are stretched over the preset's.
fn in_the_values_of(volume: &Volume, transfer: &TransferFunction) -> Rescale {
    let first = transfer.opacity.first().expect("points").0;
    let last = transfer.opacity.last().expect("points").0;
    if transfer.name.starts_with("CT") {
        return volume.rescale();
    }
    let slope = (last - first).min(60_000.0) / 3000.0;
    Rescale { slope, intercept: first }
}

#[test]
fn gpu_equals_its_twin_for_every_preset() {
    let Some(context) = device::device() else { return };
    let source = body(plain_grid());
    for (n, transfer) in presets().iter().enumerate() {
        let rescale = in_the_values_of(&source, transfer);
        let volume = Volume::new(*source.grid(), source.samples().to_vec(), rescale, source.quantity());
        let camera = scene_of(&volume, StandardView::Anterior, [1, 1]).camera.orbited(0.5, 0.3);
        let scene = VolumeScene::new(camera, [160, 120]);
        let twin = on_cpu(&volume, transfer, &scene, Shortcuts::default());
        let on_device = match n % 2 {
            0 => resident(&context, volume),
            _ => resident_without_gradients(&context, volume),
        };
        let image = raymarch::render_once(&context, &on_device, transfer, &scene);
        let psnr_db = picture(&twin).psnr_db(&picture(&image));
        assert!(psnr_db >= 50.0, "{}: {psnr_db:.1} dB", transfer.name);
        assert!(twin.rgba.iter().any(|rgba| rgba[3] > 0.02), "{} shows nothing of the phantom", transfer.name);
    }
}

#[test]
fn shortcuts_do_not_change_the_picture() {
    let volume = body(plain_grid());
    let scene = scene_of(&volume, StandardView::Left, [200, 150]);
    for name in ["CT-Bone", "CT-Cardiac3", "CT-Lung", "CT-X-ray"] {
        let transfer = preset(name).expect(name);
        let brute = on_cpu(&volume, transfer, &scene, Shortcuts::NONE);
        let skipping = on_cpu(&volume, transfer, &scene, Shortcuts { skip_empty: true, end_early: false });
        let worst = brute.rgba.iter().zip(&skipping.rgba).flat_map(|(a, b)| (0..4).map(|c| (a[c] - b[c]).abs()));
        assert!(worst.fold(0.0, f32::max) < 2e-3, "{name}: a leap over something");
        let both = on_cpu(&volume, transfer, &scene, Shortcuts::default());
        let psnr_db = picture(&brute).psnr_db(&picture(&both));
        assert!(psnr_db >= 50.0, "{name}: {psnr_db:.1} dB against brute force");
    }
    let Some(context) = device::device() else { return };
    let transfer = preset("CT-Bone").expect("CT-Bone");
    let mut renderer = VolumeRenderer::new(&context);
    renderer.set_volume(&resident(&context, volume));
    renderer.set_transfer(transfer);
    let fast = renderer.render(&context, &scene, None).expect("all is set").read_back(&context);
    renderer.set_shortcuts(Shortcuts::NONE);
    let brute = renderer.render(&context, &scene, None).expect("all is set").read_back(&context);
    let psnr_db = picture(&brute).psnr_db(&picture(&fast));
    assert!(psnr_db >= 50.0, "the shader against its own brute force: {psnr_db:.1} dB");
}

/// Mean column and row (0 to 1) of what is drawn.
fn centroid(image: &RayImage) -> (f64, f64) {
    let [width, height] = image.size_px;
    let mut sum = (0.0, 0.0, 0.0);
    for (n, rgba) in image.rgba.iter().enumerate() {
        let (x, y) = (n as u32 % width, n as u32 / width);
        let weight = f64::from(rgba[3]);
        sum = (sum.0 + weight * f64::from(x), sum.1 + weight * f64::from(y), sum.2 + weight);
    }
    assert!(sum.2 > 1.0, "nothing is drawn");
    (sum.0 / sum.2 / f64::from(width), sum.1 / sum.2 / f64::from(height))
}

/// Only the marker is dense enough.
fn marker_only() -> TransferFunction {
    let mut transfer = preset("CT-Bone").expect("CT-Bone").clone();
    transfer.opacity = vec![(1200.0, 0.0), (1500.0, 0.9)];
    transfer
}

/// The same patient in grids that run every way: mirrored, swapped, oblique, sheared.
fn odd_grids() -> Vec<(&'static str, Grid)> {
    let center = DVec3::new(-70.0, 65.0, -270.0);
    let make = |axes: DMat3, dims: [u32; 3]| {
        let middle = DVec3::new(f64::from(dims[0]), f64::from(dims[1]), f64::from(dims[2])) * 0.5 - 0.5;
        let affine = DAffine3::from_mat3_translation(axes, center - axes * middle);
        Grid::new(dims, affine).expect("valid grid")
    };
    let diagonal = |x, y, z| DMat3::from_diagonal(DVec3::new(x, y, z));
    let swapped = DMat3::from_cols(DVec3::Z * 1.4, DVec3::X, DVec3::Y);
    let sheared = DMat3::from_cols(DVec3::X, DVec3::Y, DVec3::new(0.0, 0.35, 1.4));
    vec![
        ("plain", make(diagonal(1.0, 1.0, 1.4), [64, 56, 40])),
        ("feet first", make(diagonal(-1.0, 1.0, -1.4), [64, 56, 40])),
        ("left-handed", make(diagonal(1.0, 1.0, -1.4), [64, 56, 40])),
        ("sagittal slices", make(swapped, [40, 64, 56])),
        ("oblique", make(DMat3::from_rotation_z(0.3) * diagonal(1.0, 1.0, 1.4), [64, 60, 40])),
        ("gantry tilt", make(sheared, [64, 60, 40])),
    ]
}

#[test]
fn patient_left_is_on_the_right_of_an_anterior_view_whatever_the_grid() {
    let context = device::device();
    let transfer = marker_only();
    for (name, grid) in odd_grids() {
        let volume = body(grid);
        let mut images = Vec::new();
        let views = [StandardView::Anterior, StandardView::Posterior, StandardView::Superior];
        let scenes = views.map(|view| scene_of(&volume, view, [96, 96]));
        for scene in &scenes {
            images.push(("cpu", on_cpu(&volume, &transfer, scene, Shortcuts::default())));
        }
        if let Some(context) = &context {
            let resident = resident(context, volume);
            for (scene, twin) in scenes.iter().zip(0..) {
                let image = raymarch::render_once(context, &resident, &transfer, scene);
                let psnr_db = picture(&images[twin].1).psnr_db(&picture(&image));
                assert!(psnr_db >= 45.0, "{name}: GPU and CPU differ, {psnr_db:.1} dB");
                images.push(("gpu", image));
            }
        }
        for (n, (backend, image)) in images.iter().enumerate() {
            let (right, down) = centroid(image);
            match views[n % 3] {
                // The marker is also towards the head.
                StandardView::Anterior => assert!(right > 0.6 && down < 0.5, "{name}, {backend}: {right} {down}"),
                StandardView::Posterior => assert!(right < 0.4 && down < 0.5, "{name}, {backend}: {right} {down}"),
                _ => assert!(right < 0.4, "{name}, {backend}: seen from the head, left is left: {right}"),
            }
        }
    }
}

#[test]
fn a_hit_is_where_the_surface_is() {
    let volume = body(plain_grid());
    let marker = volume.grid().center_in_patient() + DVec3::new(26.0, 0.0, 8.0);
    let mut scene = scene_of(&volume, StandardView::Left, [33, 33]);
    let perspective = scene.camera.projection;
    for projection in [perspective, Projection::Orthographic { height_mm: 60.0 }] {
        scene.camera = Camera { projection, focus_in_patient: marker, ..scene.camera };
        let image = on_cpu(&volume, &marker_only(), &scene, Shortcuts::default());
        let hit = f64::from(image.distance_mm[16 * 33 + 16]);
        // The marker's edge is soft: it is dense enough 1.8 mm below its surface.
        let surface_mm = scene.camera.distance_mm - 3.0 + 1.8;
        assert!((hit - surface_mm).abs() < 1.2, "hit at {hit}, surface at {surface_mm}");
        assert_eq!(image.distance_mm[0], maquette::domain::volume_scene::NO_HIT_MM);
    }
}

#[test]
fn the_clip_box_cuts_in_patient_space() {
    let context = device::device();
    for (name, grid) in odd_grids() {
        let volume = body(grid);
        let center = grid.center_in_patient();
        let clip = |lower: DVec3, upper: DVec3| {
            Some(ClipBox { lower_in_patient: center + lower, upper_in_patient: center + upper })
        };
        let scene = scene_of(&volume, StandardView::Anterior, [80, 80]);
        let left_half = VolumeScene { clip_box: clip(DVec3::new(0.0, -99.0, -99.0), DVec3::splat(99.0)), ..scene };
        let empty = VolumeScene { clip_box: clip(DVec3::splat(70.0), DVec3::splat(90.0)), ..scene };
        let bone = preset("CT-Muscle").expect("CT-Muscle");
        let check = |image: &RayImage, backend: &str| {
            let lit = |x: usize| (0..80).any(|y| image.rgba[y * 80 + x][3] > 0.05);
            assert!((0..36).all(|x| !lit(x)), "{name}, {backend}: the patient's right is cut away");
            assert!((44..52).all(lit), "{name}, {backend}: the patient's left stays");
        };
        check(&on_cpu(&volume, bone, &left_half, Shortcuts::default()), "cpu");
        assert!(on_cpu(&volume, bone, &empty, Shortcuts::default()).rgba.iter().all(|rgba| rgba[3] == 0.0));
        if let Some(context) = &context {
            let resident = resident(context, volume);
            check(&raymarch::render_once(context, &resident, bone, &left_half), "gpu");
        }
    }
}

#[test]
fn maximum_intensity_shows_the_brightest_and_equals_its_twin() {
    let mut transfer = preset("CT-MIP").expect("CT-MIP").clone();
    transfer.blend = Blend::MaximumIntensity;
    let volume = body(plain_grid());
    let scene = scene_of(&volume, StandardView::Anterior, [96, 96]);
    let twin = on_cpu(&volume, &transfer, &scene, Shortcuts::default());
    let brightest = twin.rgba.iter().map(|rgba| rgba[3]).fold(0.0, f32::max);
    assert!(brightest > 0.99, "the marker is beyond the ramp: {brightest}");
    let Some(context) = device::device() else { return };
    let image = raymarch::render_once(&context, &resident(&context, volume), &transfer, &scene);
    let psnr_db = picture(&twin).psnr_db(&picture(&image));
    assert!(psnr_db >= 50.0, "{psnr_db:.1} dB");
}

/// Every way of drawing, with a transfer function in which it shows something.
fn every_mode(volume: &Volume) -> [TransferFunction; 6] {
    Blend::ALL.map(|blend| match blend {
        Blend::Composite => preset("CT-Bone").expect("CT-Bone").clone(),
        Blend::Isosurface => {
            TransferFunction { blend, iso_value: 200.0, ..preset("CT-Bone").expect("CT-Bone").clone() }
        }
        _ => projection::ramp_for(blend, volume),
    })
}

#[test]
fn every_mode_equals_its_twin_with_and_without_clip_planes() {
    let Some(context) = device::device() else { return };
    for (name, grid) in odd_grids().into_iter().skip(3) {
        let volume = Arc::new(body(grid));
        let center = grid.center_in_patient();
        let plain = scene_of(&volume, StandardView::Anterior, [64, 56]);
        let perspective = VolumeScene { camera: plain.camera.orbited(0.6, 0.3), ..plain };
        let parallel = Projection::Orthographic { height_mm: 60.0 };
        let cut = ClipPlane::through(center, DVec3::new(-1.0, 0.4, 0.2)).expect("a plane");
        let scenes = [
            perspective,
            VolumeScene {
                camera: Camera { projection: parallel, ..perspective.camera },
                clip_planes: ClipPlanes::default().with(cut),
                ..perspective
            },
            VolumeScene { clip_planes: ClipPlanes::slab(center, DVec3::new(0.2, 1.0, 0.1), 12.0), ..perspective },
        ];
        let resident = resident(&context, Arc::clone(&volume));
        for transfer in every_mode(&volume) {
            let blend = transfer.blend;
            let images = scenes.map(|scene| {
                let twin = on_cpu(&volume, &transfer, &scene, Shortcuts::default());
                let image = raymarch::render_once(&context, &resident, &transfer, &scene);
                let psnr_db = picture(&twin).psnr_db(&picture(&image));
                assert!(psnr_db >= 45.0, "{name}, {blend:?}: {psnr_db:.1} dB");
                twin
            });
            let shown = |image: &RayImage| image.rgba.iter().map(|rgba| f64::from(rgba[3])).sum::<f64>();
            assert!(shown(&images[0]) > 10.0 || blend == Blend::MinimumIntensity, "{name}, {blend:?} shows nothing");
            assert!(shown(&images[2]) > 2.0, "{name}, {blend:?} shows nothing in a slab");
            if blend == Blend::XRay {
                assert!(shown(&images[2]) < 0.9 * shown(&images[0]), "{name}, {blend:?}: a slab shows less");
            }
        }
    }
}

/// Small pictures that were looked at, one of each mode. `UPDATE_SNAPSHOTS=1` writes them anew: then look at them again.
#[test]
fn every_mode_looks_as_it_did() {
    let volume = body(plain_grid());
    let scene = scene_of(&volume, StandardView::Anterior, [64, 56]);
    for transfer in every_mode(&volume) {
        let mut scene = VolumeScene { camera: scene.camera.orbited(0.6, 0.3), ..scene };
        if transfer.blend == Blend::MinimumIntensity {
            scene.clip_planes = ClipPlanes::slab(volume.grid().center_in_patient(), DVec3::Y, 12.0);
        }
        let drawn = picture(&on_cpu(&volume, &transfer, &scene, Shortcuts::default()));
        let name = format!("tests/golden/mode-{}.png", format!("{:?}", transfer.blend).to_lowercase());
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(&name);
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            maquette::io::png::write_png(&path, &drawn, &[]).expect("written");
        }
        let kept = image::open(&path).expect("a golden picture").to_rgba8();
        let rgba = kept.pixels().map(|pixel| pixel.0).collect();
        let kept = Picture { size_px: [kept.width(), kept.height()], rgba };
        let psnr_db = kept.psnr_db(&drawn);
        assert!(psnr_db >= 40.0, "{name}: {psnr_db:.1} dB from what it was");
    }
}

#[test]
fn the_first_surface_is_that_of_the_mesh() {
    // A soft ball, as a scanner blurs it: 60 HU a voxel.
    let grid = Grid::axis_aligned([36, 36, 36], DVec3::ONE, DVec3::splat(-20.0)).expect("valid grid");
    let samples = (0..grid.voxel_count()).map(|n| {
        let voxel = [n % 36, n / 36 % 36, n / 1296].map(|n| n as f64);
        (1000.0 - 60.0 * DVec3::from(voxel).distance(DVec3::new(17.3, 17.6, 17.1))).max(-1000.0).round() as i16
    });
    let volume = Volume::new(grid, samples.collect(), Rescale::IDENTITY, Quantity::Hounsfield);
    let mesh = surface::extract_volume(&volume, 200.0, &Progress::new()).expect("nobody cancels");
    let transfer = TransferFunction { blend: Blend::Isosurface, iso_value: 200.0, ..marker_only() };
    let scene = scene_of(&volume, StandardView::Left, [40, 40]);
    let mut distances_mm = on_cpu(&volume, &transfer, &scene, Shortcuts::default()).distance_mm;
    if let Some(context) = device::device() {
        let on_device = raymarch::render_once(&context, &resident(&context, volume), &transfer, &scene);
        distances_mm.extend(on_device.distance_mm);
    }
    let mut hits = 0;
    for (n, distance_mm) in distances_mm.into_iter().enumerate().filter(|(_, mm)| *mm > 0.0) {
        let n = n % (40 * 40);
        let (x, y) = ((n % 40) as f64 + 0.5, (n / 40) as f64 + 0.5);
        let ray = scene.camera.ray_through(glam::DVec2::new(x / 20.0 - 1.0, 1.0 - y / 20.0), 1.0);
        let hit = ray.at(f64::from(distance_mm));
        let off_mm = mesh.triangles.iter().map(|triangle| {
            let [a, b, c] =
                triangle.map(|vertex| DVec3::from(mesh.positions_in_patient[vertex as usize].map(f64::from)));
            distance_to_triangle_mm(hit, a, b, c)
        });
        let off_mm = off_mm.fold(f64::INFINITY, f64::min);
        assert!(off_mm < 0.1, "a hit is {off_mm} voxels from the mesh");
        hits += 1;
    }
    assert!(hits > 100, "{hits} hits");
}

fn distance_to_triangle_mm(point: DVec3, a: DVec3, b: DVec3, c: DVec3) -> f64 {
    let normal = (b - a).cross(c - a);
    let inside = [(a, b), (b, c), (c, a)].iter().all(|(p, q)| (*q - *p).cross(point - *p).dot(normal) >= 0.0);
    if inside && normal.length() > 0.0 {
        return (point - a).dot(normal.normalize()).abs();
    }
    let to_edge = |p: DVec3, q: DVec3| {
        let part = ((point - p).dot(q - p) / (q - p).length_squared().max(1e-12)).clamp(0.0, 1.0);
        point.distance(p + (q - p) * part)
    };
    to_edge(a, b).min(to_edge(b, c)).min(to_edge(c, a))
}

#[test]
fn a_moving_picture_of_a_large_volume_is_made_of_its_half() {
    let Some(context) = device::device().filter(Context::is_software) else { return };
    let grid = Grid::axis_aligned([200, 200, 120], DVec3::splat(0.3), DVec3::ZERO).expect("valid grid");
    let volume = body(grid);
    let scene = scene_of(&volume, StandardView::Anterior, [80, 80]);
    let resident = resident(&context, volume);
    let coarse = resident.coarse.as_ref().expect("large enough for a coarse copy");
    assert_eq!(coarse.volume.grid().dims(), [100, 100, 60]);
    let mut renderer = VolumeRenderer::new(&context);
    renderer.set_volume(&resident);
    renderer.set_transfer(preset("CT-Bone").expect("CT-Bone"));
    let moving = renderer.advance(&context, &scene, None, true).expect("all is set").image.read_back(&context);
    let still = renderer.render(&context, &scene, None).expect("all is set").read_back(&context);
    assert_ne!(moving, still);
    let same_size = moving.size_px == still.size_px;
    assert!(!same_size || picture(&moving).psnr_db(&picture(&still)) > 22.0, "it looks like the volume");
}

#[test]
fn a_picture_in_pieces_is_the_same_picture() {
    let Some(context) = device::device() else { return };
    let volume = body(plain_grid());
    let scene = scene_of(&volume, StandardView::Anterior, [130, 101]);
    let transfer = preset("CT-Bone").expect("CT-Bone");
    let resident = resident(&context, volume);
    let whole = raymarch::render_once(&context, &resident, transfer, &scene);
    let mut renderer = VolumeRenderer::new(&context);
    assert!(renderer.advance(&context, &scene, None, true).is_none(), "no volume yet");
    renderer.set_volume(&resident);
    renderer.set_transfer(transfer);
    let first = renderer.advance(&context, &scene, None, true).expect("all is set");
    assert!(!first.complete, "moving pictures are never final");
    let revision = first.revision;
    let again = renderer.advance(&context, &scene, None, true).expect("all is set");
    assert_eq!(again.revision, revision, "nothing changed, nothing is drawn");
    let pieces = (0..200).find(|_| renderer.advance(&context, &scene, None, false).expect("all is set").complete);
    assert!(pieces.is_some(), "the full picture comes");
    let frame = renderer.advance(&context, &scene, None, true).expect("all is set");
    assert!(frame.complete, "a finished picture is kept");
    assert_eq!(frame.image.read_back(&context), whole);
    let turned = VolumeScene { camera: scene.camera.orbited(0.2, 0.0), ..scene };
    assert!(!renderer.advance(&context, &turned, None, false).expect("all is set").complete);
}
