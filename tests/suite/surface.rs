//! Surface extraction: closed, manifold, outward-facing meshes of the right shape from every kind of field.

use glam::{DMat3, DVec3, Vec3};
use maquette::domain::grid::Grid;
use maquette::domain::mask::Mask;
use maquette::domain::mesh::TriangleMesh;
use maquette::domain::surface;
use maquette::domain::volume::{Quantity, Rescale, Volume};
use maquette::task::Progress;

use crate::support::surfaces::{checked_euler, gyroid, noise, torus, volume_of};

/// Mean of normal . triangle normal: near 1 when both face the same way.
fn normal_agreement(mesh: &TriangleMesh) -> f32 {
    let total: f32 = mesh
        .triangles
        .iter()
        .map(|&triangle| {
            let [a, b, c] = mesh.corners(triangle);
            Vec3::from(mesh.normals[triangle[0] as usize]).dot((b - a).cross(c - a).normalize())
        })
        .sum();
    total / mesh.triangles.len() as f32
}

fn extract(volume: &Volume, iso: f64) -> TriangleMesh {
    surface::extract_volume(volume, iso, &Progress::new()).expect("nobody cancels")
}

#[test]
fn a_sphere_is_closed_and_has_its_volume_and_area() {
    let axes = DMat3::from_diagonal(DVec3::new(0.5, 0.5, 0.5));
    let mesh = extract(&volume_of([50, 51, 52], axes, |at| 20.0 - at.length()), 0.0);
    assert_eq!(checked_euler(&mesh), 2);
    let radius: f64 = 10.0;
    let volume = 4.0 / 3.0 * std::f64::consts::PI * radius.powi(3);
    let area = 4.0 * std::f64::consts::PI * radius.powi(2);
    assert!((mesh.volume_mm3() / volume - 1.0).abs() < 0.005, "{} mm3", mesh.volume_mm3());
    assert!((mesh.area_mm2() / area - 1.0).abs() < 0.005, "{} mm2", mesh.area_mm2());
    assert!(normal_agreement(&mesh) > 0.99);
}

#[test]
fn a_torus_has_one_hole_and_a_gyroid_many() {
    let mesh = extract(&volume_of([40, 40, 20], DMat3::IDENTITY, torus), 0.0);
    assert_eq!(checked_euler(&mesh), 0);
    let mesh = extract(&volume_of([40, 40, 40], DMat3::IDENTITY, gyroid), 0.0);
    assert!(checked_euler(&mesh) < -10, "a gyroid is full of handles");
}

#[test]
fn random_noise_is_closed_and_manifold() {
    let mut next = noise(3);
    let volume = volume_of([17, 19, 23], DMat3::IDENTITY, |_| 0.0);
    let samples = (0..volume.samples().len()).map(|_| next() as i16).collect();
    let volume = Volume::new(*volume.grid(), samples, Rescale::IDENTITY, Quantity::Arbitrary);
    for iso in [0.0, -20_000.0, 20_000.0] {
        checked_euler(&extract(&volume, iso));
    }
}

#[test]
fn masks_at_the_border_and_single_voxels_are_closed() {
    let dims = [33, 12, 9];
    let grid = Grid::axis_aligned(dims, DVec3::new(1.0, 2.0, 3.0), DVec3::ZERO).expect("valid");
    let all = Mask::from_fn(dims, |_, _, _| true);
    let mesh = surface::extract_mask(&all, &grid, &Progress::new()).expect("valid");
    assert_eq!(checked_euler(&mesh), 2);
    let (lower, upper) = mesh.bounds_in_patient().expect("valid");
    assert_eq!(lower, Vec3::new(-0.5, -1.0, -1.5), "the cap lies on the outer faces of the voxels");
    assert_eq!(upper, Vec3::new(32.5, 23.0, 25.5));

    let one = Mask::from_fn(dims, |i, j, k| [i, j, k] == [32, 0, 4]);
    let mesh = surface::extract_mask(&one, &grid, &Progress::new()).expect("valid");
    assert_eq!(checked_euler(&mesh), 2);
    assert_eq!((mesh.positions_in_patient.len(), mesh.triangles.len()), (6, 8));
    assert!((mesh.volume_mm3() - 1.0).abs() < 1e-6, "an octahedron of half-diagonals 0.5, 1, 1.5");

    let nothing = surface::extract_mask(&Mask::empty(dims), &grid, &Progress::new()).expect("valid");
    assert_eq!(nothing, TriangleMesh::default());
}

#[test]
fn triangles_face_outwards_on_every_grid() {
    let turned = DMat3::from_axis_angle(DVec3::new(1.0, 2.0, 3.0).normalize(), 0.7);
    let sheared = DMat3::from_cols(DVec3::X * 0.7, DVec3::Y * 0.8, DVec3::new(0.1, 0.4, 1.5));
    let mirror = DMat3::from_diagonal(DVec3::new(1.0, 1.0, -1.0));
    for axes in [turned, sheared, mirror, turned * mirror * sheared] {
        let volume = volume_of([30, 30, 20], axes, |at| 8.0 - at.length());
        let mesh = extract(&volume, 0.0);
        assert_eq!(checked_euler(&mesh), 2);
        let expected = 4.0 / 3.0 * std::f64::consts::PI * 8.0_f64.powi(3) * volume.grid().voxel_volume_mm3();
        assert!((mesh.volume_mm3() / expected - 1.0).abs() < 0.02, "{} of {expected}", mesh.volume_mm3());
        assert!(normal_agreement(&mesh) > 0.97);
    }
}

#[test]
fn a_negative_slope_and_an_iso_out_of_range_are_understood() {
    let plain = volume_of([20, 20, 20], DMat3::IDENTITY, |at| 6.0 - at.length());
    let turned = plain.samples().iter().map(|sample| -sample).collect();
    let rescale = Rescale { slope: -1.0, intercept: 0.0 };
    let turned = Volume::new(*plain.grid(), turned, rescale, Quantity::Hounsfield);
    let (expected, found) = (extract(&plain, 0.3), extract(&turned, 0.3));
    assert_eq!(expected.triangles, found.triangles);
    assert_eq!(expected.positions_in_patient, found.positions_in_patient);
    assert!(extract(&plain, 1e9).triangles.is_empty());
    assert!(extract(&plain, f64::NAN).triangles.is_empty());
    assert!((extract(&plain, -1e9).volume_mm3() - 8000.0).abs() < 100.0, "everything is inside");
}

#[test]
fn a_cancelled_extraction_says_so() {
    let progress = Progress::new();
    progress.cancel();
    let volume = volume_of([20, 20, 20], DMat3::IDENTITY, gyroid);
    assert!(surface::extract_volume(&volume, 0.0, &progress).is_err());
}
