//! The 3D view: meshes, planes and lines lie where they are in the patient, and share one depth with the volume.

use std::sync::Arc;

use glam::{DVec2, DVec3};
use maquette::domain::camera::{Camera, Projection, StandardView};
use maquette::domain::grid::Grid;
use maquette::domain::mesh::TriangleMesh;
use maquette::domain::plane::Plane;
use maquette::domain::slice::{SliceFrame, SliceStyle};
use maquette::domain::transfer::preset;
use maquette::domain::volume::{Quantity, Rescale, Volume};
use maquette::domain::volume_scene::VolumeScene;
use maquette::domain::window::Window;
use maquette::gpu::context::Context;
use maquette::gpu::readback;
use maquette::gpu::render::raymarch::{Opaque, VolumeRenderer};
use maquette::gpu::render::slice::{SliceRenderer, SliceScene, SliceVolume};
use maquette::gpu::render::view3d::{
    LineItem, MeshItem, MeshKey, MeshObject, MeshStore, PlaneItem, Scene3d, View3d, VolumeLayer, box_edges,
};
use maquette::gpu::residency::GpuMemory;
use maquette::gpu::view_texture::ViewTexture;
use maquette::gpu::volume_texture::ResidentVolume;
use maquette::task::Progress;

use crate::support::device::device;

const SIZE: [u32; 2] = [96, 80];
const RED: [u8; 3] = [220, 40, 40];
const BLUE: [u8; 3] = [40, 60, 220];

/// A box of twelve triangles, counter-clockwise seen from outside, without normals.
fn block(lower: DVec3, upper: DVec3) -> TriangleMesh {
    let corner = |n: usize| {
        let pick = |axis: usize| if n >> axis & 1 == 0 { lower[axis] } else { upper[axis] };
        [pick(0) as f32, pick(1) as f32, pick(2) as f32]
    };
    let quads = [[0, 4, 6, 2], [1, 3, 7, 5], [0, 1, 5, 4], [2, 6, 7, 3], [0, 2, 3, 1], [4, 5, 7, 6]];
    let triangles = quads.iter().flat_map(|&[a, b, c, d]| [[a, b, c], [a, c, d]]).collect();
    let mesh = TriangleMesh { positions_in_patient: (0..8).map(corner).collect(), normals: Vec::new(), triangles };
    let size = upper - lower;
    assert!((mesh.volume_mm3() - size.x * size.y * size.z).abs() < 1e-3, "triangles face outwards");
    mesh
}

fn cube(center: DVec3, half_mm: f64) -> TriangleMesh {
    block(center - half_mm, center + half_mm)
}

fn store(context: &Context, meshes: &[TriangleMesh]) -> MeshStore {
    let mut store = MeshStore::new();
    for (n, mesh) in meshes.iter().enumerate() {
        let key = MeshKey { object: MeshObject(n as u64), chunk: 3 };
        assert!(store.upload(context, key, 1, mesh), "new");
        assert!(!store.upload(context, key, 1, mesh), "this revision is there");
    }
    store
}

fn item(object: u64, color: [u8; 3], opacity: f32) -> MeshItem {
    MeshItem { object: MeshObject(object), color, opacity }
}

fn bounds() -> (DVec3, DVec3) {
    (DVec3::splat(-60.0), DVec3::splat(60.0))
}

fn camera(view: StandardView) -> Camera {
    Camera::fitting(bounds().0, bounds().1, view)
}

fn pixels(context: &Context, picture: &ViewTexture) -> Vec<[u8; 4]> {
    assert_eq!(picture.size_px(), SIZE);
    bytemuck::pod_collect_to_vec(&readback::texture_bytes(context, picture.texture()))
}

fn is(color: [u8; 4], wanted: [u8; 3]) -> bool {
    // Light changes brightness, not which channel leads.
    let lead = (0..3).max_by_key(|&n| wanted[n]).expect("three channels");
    (0..3).filter(|&n| n != lead).all(|n| i32::from(color[lead]) - i32::from(color[n]) > 30)
}

/// The pixel where a point of the patient is seen.
fn pixel_of(camera: &Camera, point: DVec3) -> usize {
    let aspect = f64::from(SIZE[0]) / f64::from(SIZE[1]);
    let ndc = camera.clip_from_patient(aspect, 500.0).project_point3(point);
    let x = (ndc.x * 0.5 + 0.5) * f64::from(SIZE[0]);
    let y = (0.5 - ndc.y * 0.5) * f64::from(SIZE[1]);
    x as usize + SIZE[0] as usize * y as usize
}

fn draw(context: &Context, store: &MeshStore, scene: &Scene3d<'_>) -> Vec<[u8; 4]> {
    let mut view = View3d::new(context);
    let picture = view.draw(context, store, scene, |_| None);
    pixels(context, picture)
}

#[test]
fn meshes_are_where_they_are_in_the_patient() {
    let Some(context) = &device() else { return };
    // The patient's left is red, the head is blue.
    let (left, head) = (DVec3::new(40.0, 0.0, 0.0), DVec3::new(0.0, 0.0, 40.0));
    let store = store(context, &[cube(left, 10.0), cube(head, 10.0)]);
    let meshes = [item(0, RED, 1.0), item(1, BLUE, 1.0)];
    let turned = camera(StandardView::Anterior).orbited(0.4, 0.3);
    let parallel = Camera { projection: Projection::Orthographic { height_mm: 130.0 }, ..turned };
    for camera in [camera(StandardView::Anterior), turned, parallel, camera(StandardView::Posterior)] {
        let found = draw(context, &store, &Scene3d { meshes: &meshes, ..Scene3d::new(camera, SIZE, bounds()) });
        assert!(is(found[pixel_of(&camera, left)], RED), "left of the patient");
        assert!(is(found[pixel_of(&camera, head)], BLUE), "head");
        assert_eq!(found[0], [0x0E, 0x11, 0x16, 255], "the background begins at the top");
        assert!(found.iter().filter(|pixel| is(**pixel, RED)).count() < found.len() / 8, "nothing else is red");
    }
    let anterior = pixel_of(&camera(StandardView::Anterior), left);
    assert!(anterior % SIZE[0] as usize > SIZE[0] as usize / 2, "seen from the front, left is on the right");
}

#[test]
fn opaque_distances_are_those_of_the_rays() {
    let Some(context) = &device() else { return };
    let store = store(context, &[cube(DVec3::new(5.0, -8.0, 3.0), 20.0)]);
    let meshes = [item(0, RED, 1.0)];
    let from_front = camera(StandardView::Anterior);
    let parallel = Camera { projection: Projection::Orthographic { height_mm: 90.0 }, ..from_front };
    for camera in [from_front, from_front.orbited(0.3, 0.2), parallel, parallel.orbited(-0.5, 0.1)] {
        let scene = Scene3d { meshes: &meshes, ..Scene3d::new(camera, SIZE, bounds()) };
        let mut view = View3d::new(context);
        view.draw_opaque(context, &store, &scene);
        let mut hits = 0;
        for (x, y) in [(48, 40), (52, 36), (44, 44), (50, 47)] {
            let ndc = DVec2::new(
                (f64::from(x) + 0.5) / f64::from(SIZE[0]) * 2.0 - 1.0,
                1.0 - (f64::from(y) + 0.5) / f64::from(SIZE[1]) * 2.0,
            );
            let ray = camera.ray_through(ndc, f64::from(SIZE[0]) / f64::from(SIZE[1]));
            let Some(distance_mm) = view.opaque_distance_at(context, x, y) else { continue };
            let offset = (ray.at(distance_mm) - DVec3::new(5.0, -8.0, 3.0)).abs();
            // A sample may lie half a pixel from the middle.
            assert!((offset.max_element() - 20.0).abs() < 0.6, "on the surface of the cube: {offset}");
            hits += 1;
        }
        assert!(hits >= 3, "the cube is in the middle");
        assert_eq!(view.opaque_distance_at(context, 1, 1), None, "nothing in the corner");
    }
}

/// A 40 mm ball of bone in the middle.
fn ball_of_bone(context: &Context) -> Arc<ResidentVolume> {
    let grid = Grid::axis_aligned([48; 3], DVec3::ONE, DVec3::splat(-23.5)).expect("valid grid");
    let samples = (0..grid.voxel_count() as u32)
        .map(|n| {
            let at = DVec3::new(f64::from(n % 48), f64::from(n / 48 % 48), f64::from(n / 2304)) - 23.5;
            if at.length() < 20.0 { 2000 } else { -1000 }
        })
        .collect();
    let volume = Arc::new(Volume::new(grid, samples, Rescale::IDENTITY, Quantity::Hounsfield));
    ResidentVolume::load(context, &volume, &GpuMemory::new(1 << 30), &Progress::new()).expect("a small volume fits")
}

fn draw_with_bone(context: &Context, store: &MeshStore, scene: &Scene3d<'_>) -> Vec<[u8; 4]> {
    let mut marcher = VolumeRenderer::new(context);
    marcher.set_volume(&ball_of_bone(context));
    marcher.set_transfer(preset("CT-Bone").expect("a preset"));
    let volume_scene = VolumeScene::new(scene.camera, scene.size_px);
    let mut view = View3d::new(context);
    let picture = view.draw(context, store, scene, |distance_mm| {
        let opaque = distance_mm.map(|distance_mm| Opaque { distance_mm, revision: 1 });
        marcher.render(context, &volume_scene, opaque).map(VolumeLayer::from)
    });
    pixels(context, picture)
}

#[test]
fn meshes_and_volume_hide_each_other() {
    let Some(context) = &device() else { return };
    let camera = camera(StandardView::Anterior);
    let middle = pixel_of(&camera, DVec3::ZERO);
    // The eye is at the front, y < 0.
    let places = [DVec3::new(0.0, -40.0, 0.0), DVec3::new(0.0, 40.0, 0.0), DVec3::ZERO];
    let bone = draw_with_bone(context, &MeshStore::new(), &Scene3d::new(camera, SIZE, bounds()))[middle];
    assert!(bone[0] > 120 && bone[0] >= bone[2], "bone: {bone:?}");
    for (opacity, seen) in [(1.0, [true, false, false]), (0.5, [true, false, false])] {
        for (place, seen) in places.into_iter().zip(seen) {
            let store = store(context, &[cube(place, 6.0)]);
            let meshes = [item(0, BLUE, opacity)];
            let scene = Scene3d { meshes: &meshes, ..Scene3d::new(camera, SIZE, bounds()) };
            let found = draw_with_bone(context, &store, &scene)[middle];
            let bluer = i32::from(found[2]) - i32::from(found[0]) > i32::from(bone[2]) - i32::from(bone[0]) + 40;
            assert_eq!(bluer, seen, "opacity {opacity} at {place}: {found:?} against {bone:?}");
            if !seen {
                assert!(found.iter().zip(bone).all(|(a, b)| a.abs_diff(b) < 12), "hidden: {found:?}");
            }
        }
    }
}

#[test]
fn translucent_meshes_show_what_is_behind() {
    let Some(context) = &device() else { return };
    let camera = camera(StandardView::Anterior);
    let store = store(context, &[cube(DVec3::new(0.0, -30.0, 0.0), 8.0), cube(DVec3::new(0.0, 30.0, 0.0), 8.0)]);
    let middle = pixel_of(&camera, DVec3::ZERO);
    let seen = |front: f32, back: f32| {
        let meshes = [item(0, RED, front), item(1, BLUE, back)];
        draw(context, &store, &Scene3d { meshes: &meshes, ..Scene3d::new(camera, SIZE, bounds()) })[middle]
    };
    assert!(is(seen(1.0, 1.0), RED) && seen(1.0, 1.0)[2] < 120, "near is opaque");
    assert!(is(seen(0.0, 1.0), BLUE), "opacity 0 is nothing");
    let both = seen(0.4, 1.0);
    assert!(both[0] > 60 && both[2] > 60, "both: {both:?}");
    let faint = seen(0.4, 0.4);
    assert!(faint[0] > faint[2] && faint[2] > 40, "the nearer of two translucent ones leads: {faint:?}");
}

#[test]
fn smooth_edges_and_the_inside_is_darker() {
    let Some(context) = &device() else { return };
    let camera = camera(StandardView::Anterior);
    let mut inside_out = cube(DVec3::ZERO, 30.0);
    inside_out.triangles.iter_mut().for_each(|triangle| triangle.swap(1, 2));
    let store = store(context, &[cube(DVec3::ZERO, 30.0), inside_out]);
    let white = |object| {
        let meshes = [item(object, [200; 3], 1.0)];
        let camera = camera.orbited(0.0, 0.1);
        draw(context, &store, &Scene3d { meshes: &meshes, ..Scene3d::new(camera, SIZE, bounds()) })
    };
    let (outside, inside) = (white(0), white(1));
    let middle = pixel_of(&camera, DVec3::ZERO);
    assert!(outside[middle][0] > 170, "facing the light: {:?}", outside[middle]);
    assert!(inside[middle][0] < outside[middle][0] - 40, "inside: {:?}", inside[middle]);
    let levels: std::collections::BTreeSet<u8> = outside.iter().map(|pixel| pixel[0]).collect();
    assert!(levels.len() > 12, "edges have steps between mesh and background: {levels:?}");
}

#[test]
fn planes_and_lines_stand_in_the_patient() {
    let Some(context) = &device() else { return };
    let resident = ball_of_bone(context);
    let frame = SliceFrame::of_plane(Plane::Coronal, DVec3::ZERO, 0.5, [200, 200]);
    let mut picture = ViewTexture::new(context, "slice", frame.size_px);
    let style = SliceStyle::new(Window::new(3000.0, 500.0));
    let volume = Some(SliceVolume::from(&*resident));
    let slice = SliceScene { frame, volume, over: None, segments: None, style, transparent_outside: true };
    SliceRenderer::new(context).draw(context, &mut picture, &slice);
    let planes = [PlaneItem { frame, picture: &picture }];
    let left = DVec3::new(45.0, 0.0, 0.0);
    let mut lines = box_edges(DVec3::splat(-23.0), DVec3::splat(23.0), [255, 255, 0], 2.0);
    lines.push(LineItem {
        from_in_patient: left + DVec3::Z * 20.0,
        to_in_patient: left - DVec3::Z * 20.0,
        color: RED,
        width_px: 3.0,
    });
    let behind = DVec3::new(10.0, 30.0, 0.0);
    lines.push(LineItem {
        from_in_patient: behind + DVec3::Z * 9.0,
        to_in_patient: behind - DVec3::Z * 9.0,
        color: BLUE,
        width_px: 3.0,
    });
    let camera = camera(StandardView::Anterior);
    let scene = Scene3d { planes: &planes, lines: &lines, ..Scene3d::new(camera, SIZE, bounds()) };
    let found = draw(context, &MeshStore::new(), &scene);
    let at = |point: DVec3| found[pixel_of(&camera, point)];
    assert!(at(DVec3::ZERO)[0] > 200, "bone is bright: {:?}", at(DVec3::ZERO));
    assert!(at(DVec3::new(21.0, 0.0, 17.0))[0] < 30, "air is black");
    assert!(is(at(left), RED), "the line on the patient's left");
    assert!(at(-left)[0] < 40, "no plane where the volume ends: {:?}", at(-left));
    let yellow = found.iter().filter(|p| p[0] > 120 && p[1] > 120 && p[2] < 90).count();
    assert!(yellow > 100, "edges of the box: {yellow}");
    assert!(!is(at(behind), BLUE), "a line behind the plane is not seen: {:?}", at(behind));
}

#[test]
fn a_chunk_can_be_replaced_and_taken_away() {
    let Some(context) = &device() else { return };
    let mut store = store(context, &[cube(DVec3::ZERO, 10.0)]);
    let key = MeshKey { object: MeshObject(0), chunk: 3 };
    let before = store.revision();
    assert!(store.upload(context, key, 2, &cube(DVec3::new(30.0, 0.0, 0.0), 5.0)));
    assert!(store.revision() > before);
    assert_eq!(store.revision_of(key), Some(2));
    let camera = camera(StandardView::Anterior);
    let meshes = [item(0, RED, 1.0)];
    let scene = Scene3d { meshes: &meshes, ..Scene3d::new(camera, SIZE, bounds()) };
    let found = draw(context, &store, &scene);
    assert!(!is(found[pixel_of(&camera, DVec3::ZERO)], RED), "the old place is empty");
    assert!(is(found[pixel_of(&camera, DVec3::new(30.0, 0.0, 0.0))], RED));
    store.retain(|_| false);
    assert_eq!((store.triangle_count(), store.memory_bytes()), (0, 0));
    assert!(!draw(context, &store, &scene).iter().any(|pixel| is(*pixel, RED)));
}
