//! Surface extraction: closed, manifold, outward-facing meshes of the right shape from every kind of field.

use std::collections::HashMap;

use glam::{DAffine3, DMat3, DVec3, Vec3};
use maquette::domain::grid::Grid;
use maquette::domain::mask::Mask;
use maquette::domain::mesh::TriangleMesh;
use maquette::domain::surface;
use maquette::domain::volume::{Quantity, Rescale, Volume};
use maquette::task::Progress;

/// A block of voxels with the middle at the origin of `field` (voxel units); samples are 1000 times the field.
pub(crate) fn volume_of(dims: [u32; 3], axes: DMat3, field: impl Fn(DVec3) -> f64) -> Volume {
    let grid = Grid::new(dims, DAffine3 { matrix3: axes, translation: DVec3::new(-20.0, 7.0, 30.0) }).unwrap();
    let middle = (DVec3::new(f64::from(dims[0]), f64::from(dims[1]), f64::from(dims[2])) - 1.0) / 2.0;
    let mut samples = Vec::with_capacity(grid.voxel_count());
    for k in 0..dims[2] {
        for j in 0..dims[1] {
            for i in 0..dims[0] {
                let at = DVec3::new(f64::from(i), f64::from(j), f64::from(k)) - middle;
                samples.push((field(at) * 1000.0).round().clamp(-32768.0, 32767.0) as i16);
            }
        }
    }
    Volume::new(grid, samples, Rescale::IDENTITY, Quantity::Hounsfield)
}

/// Numbers without a pattern, the same each time.
pub(crate) fn noise(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33
    }
}

pub(crate) fn torus(at: DVec3) -> f64 {
    let ring = (at.x.hypot(at.y) - 11.0).hypot(at.z);
    5.0 - ring
}

pub(crate) fn gyroid(at: DVec3) -> f64 {
    let p = at * 0.55;
    p.x.sin() * p.y.cos() + p.y.sin() * p.z.cos() + p.z.sin() * p.x.cos()
}

/// Euler number of a mesh, after checking that every edge joins two triangles in opposite directions, every vertex has one
/// fan, no triangle is degenerate, and no vertex is unused.
pub(crate) fn checked_euler(mesh: &TriangleMesh) -> i64 {
    assert_eq!(mesh.positions_in_patient.len(), mesh.normals.len());
    let mut sides: HashMap<(u32, u32), u32> = HashMap::new();
    let mut next_around: HashMap<(u32, u32), u32> = HashMap::new();
    let mut fan_size = vec![0_u32; mesh.positions_in_patient.len()];
    for &triangle in &mesh.triangles {
        let [a, b, c] = triangle;
        let corners = mesh.corners(triangle);
        assert!(a != b && b != c && c != a, "a triangle uses a vertex twice");
        assert!(corners[0] != corners[1] && corners[1] != corners[2] && corners[2] != corners[0], "degenerate");
        for (from, to, opposite) in [(a, b, c), (b, c, a), (c, a, b)] {
            *sides.entry((from, to)).or_default() += 1;
            next_around.insert((from, to), opposite);
            fan_size[from as usize] += 1;
        }
    }
    for (&(from, to), &count) in &sides {
        assert_eq!(count, 1, "an edge is used twice in one direction");
        assert!(sides.contains_key(&(to, from)), "an open edge");
    }
    let mut any_side = vec![u32::MAX; fan_size.len()];
    sides.keys().for_each(|&(from, to)| any_side[from as usize] = to);
    for (vertex, &size) in fan_size.iter().enumerate() {
        assert!(size >= 3, "an unused vertex");
        let (first, mut to, mut steps) = (any_side[vertex], any_side[vertex], 0);
        loop {
            to = next_around[&(vertex as u32, to)];
            steps += 1;
            if to == first {
                break;
            }
        }
        assert_eq!(steps, size, "two fans meet in one vertex");
    }
    fan_size.len() as i64 - sides.len() as i64 / 2 + mesh.triangles.len() as i64
}

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
    let grid = Grid::axis_aligned(dims, DVec3::new(1.0, 2.0, 3.0), DVec3::ZERO).unwrap();
    let all = Mask::from_fn(dims, |_, _, _| true);
    let mesh = surface::extract_mask(&all, &grid, &Progress::new()).unwrap();
    assert_eq!(checked_euler(&mesh), 2);
    let (lower, upper) = mesh.bounds_in_patient().unwrap();
    assert_eq!(lower, Vec3::new(-0.5, -1.0, -1.5), "the cap lies on the outer faces of the voxels");
    assert_eq!(upper, Vec3::new(32.5, 23.0, 25.5));

    let one = Mask::from_fn(dims, |i, j, k| [i, j, k] == [32, 0, 4]);
    let mesh = surface::extract_mask(&one, &grid, &Progress::new()).unwrap();
    assert_eq!(checked_euler(&mesh), 2);
    assert_eq!((mesh.positions_in_patient.len(), mesh.triangles.len()), (6, 8));
    assert!((mesh.volume_mm3() - 1.0).abs() < 1e-6, "an octahedron of half-diagonals 0.5, 1, 1.5");

    let nothing = surface::extract_mask(&Mask::empty(dims), &grid, &Progress::new()).unwrap();
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
