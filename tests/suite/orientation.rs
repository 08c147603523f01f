//! A marker on the patient's left, from the scanner's file to the STL: pydicom writes the series (feet first, prone,
//! oblique, tilted ...), SimpleITK says where the marker is, and every stage has to show it there.
//!
//! What is right and left in a picture is written out here, not asked of the program: radiological convention, axial from
//! the feet, coronal from the front, sagittal from the patient's left.

use std::path::Path;
use std::sync::Arc;

use glam::{DVec2, DVec3};
use maquette::domain::camera::{Camera, Projection, StandardView};
use maquette::domain::mask::Mask;
use maquette::domain::mask::threshold::ValueRange;
use maquette::domain::picture::Picture;
use maquette::domain::plane::{Plane, direction_letters};
use maquette::domain::render_reference::RayImage;
use maquette::domain::slice::{SliceFrame, SliceStyle};
use maquette::domain::transfer::{TransferFunction, preset};
use maquette::domain::volume::Volume;
use maquette::domain::volume_scene::VolumeScene;
use maquette::domain::window::Window;
use maquette::ops::backend::Backend;
use maquette::ops::export::{MeshExport, MeshSpace, export_mesh};
use maquette::ops::open::open;
use maquette::ops::render::volume_image;
use maquette::ops::segment::{Combination, Subject, threshold};
use maquette::ops::slice::{SliceRequest, draw_slice};
use maquette::ops::surface::extract_segment;
use maquette::task::Progress;

use crate::support::device::device;
use crate::support::peers::run;

/// The marker has 3000 HU, all else at most 200.
const MARKER_HU: f64 = 1500.0;
const BACKENDS: [Backend; 2] = [Backend::Cpu, Backend::Gpu];

#[derive(serde::Deserialize)]
struct Truth {
    name: String,
    folder: String,
    marker_in_patient: DVec3,
}

/// Right and down on the screen, and the letters of the picture's right and lower edge.
fn convention(plane: Plane) -> (DVec3, DVec3, [&'static str; 2]) {
    match plane {
        Plane::Axial => (DVec3::X, DVec3::Y, ["L", "P"]),
        Plane::Coronal => (DVec3::X, DVec3::NEG_Z, ["L", "I"]),
        Plane::Sagittal => (DVec3::Y, DVec3::NEG_Z, ["P", "I"]),
    }
}

#[test]
fn a_marker_on_the_left_is_on_the_left_in_memory_on_slices_in_3d_and_in_the_stl() {
    let folder = tempfile::tempdir().expect("a folder");
    if !run("orientation.py", &["--write".as_ref(), folder.path().as_os_str()]) {
        return;
    }
    let truth = std::fs::read_to_string(folder.path().join("truth.json")).expect("the truth");
    let cases: Vec<Truth> = serde_json::from_str(&truth).expect("the truth as JSON");
    assert!(cases.len() >= 10);
    for case in cases {
        let loaded = open(&folder.path().join(&case.folder), None, &Progress::new(), &|_| {}).expect("opened");
        let volume = Arc::new(loaded.volume);
        in_memory(&volume, &case);
        on_slices(&volume, &case);
        in_3d(&volume, &case);
        in_the_stl(&volume, &case, folder.path());
    }
}

fn in_memory(volume: &Volume, case: &Truth) {
    let grid = volume.grid();
    let brightest = (0..grid.voxel_count()).max_by_key(|&n| volume.samples()[n]).expect("a voxel");
    let [ni, nj, _] = grid.dims().map(|n| n as usize);
    let voxel = [brightest % ni, brightest / ni % nj, brightest / ni / nj].map(|n| n as f64);
    let found = grid.patient_from_voxel().transform_point3(DVec3::from(voxel));
    assert!(found.distance(case.marker_in_patient) < 1e-3, "{}: {found} in memory", case.name);
}

fn on_slices(volume: &Arc<Volume>, case: &Truth) {
    let marker = case.marker_in_patient;
    let center = volume.grid().center_in_patient();
    let size_px = [90, 70];
    for plane in Plane::ALL {
        let frame = SliceFrame::fitting(plane, volume.grid(), marker, size_px);
        let (right, down, letters) = convention(plane);
        let found = [frame.right_in_patient, frame.down_in_patient].map(direction_letters);
        assert_eq!(found, letters, "{} {plane:?}: letters", case.name);
        let offset_mm = DVec2::new((marker - center).dot(right), (marker - center).dot(down));
        let expected = DVec2::new(45.0, 35.0) + offset_mm / frame.mm_per_px;
        if plane != Plane::Sagittal && offset_mm.x > frame.mm_per_px {
            assert!(expected.x > 45.0, "the patient's left is on the right of the picture");
        }
        let style = SliceStyle::new(Window::new(4400.0, 1000.0));
        let request = SliceRequest { volume, segments: None, frame, style };
        for backend in BACKENDS {
            let context = device();
            if backend == Backend::Gpu && context.is_none() {
                continue;
            }
            let picture = draw_slice(&request, backend, context.as_ref(), &Progress::new()).expect("a picture");
            let at = middle_of_the_bright(&picture);
            let off = (at - expected).abs();
            assert!(off.max_element() <= 1.0, "{} {plane:?} {backend:?}: {at} and not {expected}", case.name);
        }
    }
}

/// Middle of what is brighter than anything but the marker can be (x right, y down). The brightest pixel alone will not do:
/// between the slices of a tilted gantry the marker's ridge leans, and the brightest pixel lies anywhere on it.
fn middle_of_the_bright(picture: &Picture) -> DVec2 {
    let width = picture.size_px[0] as usize;
    let (mut sum, mut weight) = (DVec2::ZERO, 0.0);
    for (n, pixel) in picture.rgba.iter().enumerate() {
        let bright = f64::from(pixel[0].saturating_sub(120));
        sum += DVec2::new((n % width) as f64 + 0.5, (n / width) as f64 + 0.5) * bright;
        weight += bright;
    }
    assert!(weight > 0.0, "the marker is seen");
    sum / weight
}

fn in_3d(volume: &Arc<Volume>, case: &Truth) {
    let transfer = TransferFunction {
        opacity: vec![(MARKER_HU - 300.0, 0.0), (MARKER_HU, 1.0)],
        gradient_opacity: Vec::new(),
        ..preset("CT-Bone").expect("a preset").clone()
    };
    let (lower, upper) = volume.grid().bounds_in_patient();
    for (view, into, right) in [
        (StandardView::Anterior, DVec3::Y, DVec3::X),
        (StandardView::Posterior, DVec3::NEG_Y, DVec3::NEG_X),
        (StandardView::Left, DVec3::NEG_X, DVec3::Y),
    ] {
        let camera = Camera::fitting(lower, upper, view);
        let scene = VolumeScene { step_voxels: 0.25, ..VolumeScene::new(camera, [160, 120]) };
        let Projection::Perspective { fov_y_rad } = camera.projection else { panic!("a perspective view") };
        let from_eye = case.marker_in_patient - (camera.focus_in_patient - into * camera.distance_mm);
        let px_per_mm = 60.0 / (fov_y_rad / 2.0).tan() / from_eye.dot(into);
        let expected = DVec2::new(80.0, 60.0) + DVec2::new(from_eye.dot(right), -from_eye.z) * px_per_mm;
        for backend in BACKENDS {
            let context = device();
            if backend == Backend::Gpu && context.is_none() {
                continue;
            }
            let drawn = volume_image(volume, &transfer, &scene, backend, context.as_ref(), &Progress::new());
            let (image, _) = drawn.expect("a picture");
            let found = middle_of(&image);
            let off_mm = found.distance(expected) / px_per_mm;
            assert!(off_mm < 0.35, "{} {view:?} {backend:?}: {found} and not {expected}", case.name);
        }
    }
}

/// Middle of what is opaque.
fn middle_of(image: &RayImage) -> DVec2 {
    let width = image.size_px[0] as usize;
    let (mut sum, mut weight) = (DVec2::ZERO, 0.0);
    for (n, pixel) in image.rgba.iter().enumerate() {
        let alpha = f64::from(pixel[3]);
        sum += DVec2::new((n % width) as f64 + 0.5, (n / width) as f64 + 0.5) * alpha;
        weight += alpha;
    }
    assert!(weight > 1.0, "the marker is seen");
    sum / weight
}

fn in_the_stl(volume: &Volume, case: &Truth, folder: &Path) {
    let progress = Progress::new();
    let mut mask = Mask::empty(volume.grid().dims());
    let range = ValueRange { lower: MARKER_HU, upper: 4000.0 };
    let found = threshold(&Subject::new(&mask, volume), range, Combination::Replace, &progress).expect("a threshold");
    mask.apply(found);
    assert_eq!(mask.voxel_count(), 1, "{}: the marker alone", case.name);
    let mesh = extract_segment(&mask, volume.grid(), &progress).expect("a surface");
    let export = MeshExport {
        mesh: &mesh,
        name: "Marker",
        source: None,
        steps: &[],
        parameters: &serde_json::Value::Null,
        out_of_date: false,
    };
    for (space, signs) in [(MeshSpace::Lps, DVec3::ONE), (MeshSpace::Ras, DVec3::new(-1.0, -1.0, 1.0))] {
        let path = folder.join(format!("{}-{}.stl", case.folder, space.name()));
        export_mesh(&path, &export, space).expect("written");
        let bytes = std::fs::read(&path).expect("an STL");
        let center = stl_center(&bytes) * signs;
        let off_mm = center.distance(case.marker_in_patient);
        assert!(off_mm < 0.35, "{} {}: the marker's middle is {off_mm} mm off", case.name, space.name());
    }
}

/// Middle of the box around a binary STL, read from its bytes alone.
fn stl_center(bytes: &[u8]) -> DVec3 {
    let number = |at: usize| f64::from(f32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]));
    let (mut lower, mut upper) = (DVec3::INFINITY, DVec3::NEG_INFINITY);
    for triangle in 0..(bytes.len() - 84) / 50 {
        for corner in 0..3 {
            let at = 84 + 50 * triangle + 12 + 12 * corner;
            let point = DVec3::new(number(at), number(at + 4), number(at + 8));
            (lower, upper) = (lower.min(point), upper.max(point));
        }
    }
    (lower + upper) / 2.0
}
