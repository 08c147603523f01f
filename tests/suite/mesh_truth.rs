//! The program measures its own error: solids of known size through imaging, extraction, smoothing and cutting.
//!
//! Limits: volume within 1 %, area within 2 %, vertices within 0.05 mm of the true surface (root mean square) and none further
//! than 0.25 mm, at voxels of 0.5 to 1 mm. The exact figures of the solids stand in `domain::phantom`.

use glam::{DVec3, Vec3};
use maquette::domain::grid::Grid;
use maquette::domain::mesh::TriangleMesh;
use maquette::domain::mesh::adjacency::Adjacency;
use maquette::domain::mesh::components::largest_part;
use maquette::domain::mesh::contour::{ContourIndex, enclosed_area_mm2};
use maquette::domain::mesh::deviation::deviation;
use maquette::domain::mesh::smooth::{SmoothMethod, SmoothOptions, smooth};
use maquette::domain::mesh::topology::topology;
use maquette::domain::phantom::{Edge, Shape, shape_volume};
use maquette::domain::surface::extract_volume;
use maquette::task::{Cancelled, Progress};

const CENTER: DVec3 = DVec3::new(0.23, -0.41, 0.17);
const TILTED: DVec3 = DVec3::new(0.2, 0.1, 1.0);
const SPACINGS: [DVec3; 3] = [DVec3::ONE, DVec3::splat(0.5), DVec3::new(0.7, 0.7, 1.0)];

fn sphere(radius_mm: f64) -> Shape {
    Shape::Sphere { center_in_patient: CENTER, radius_mm }
}

fn cylinder(axis: DVec3) -> Shape {
    Shape::Cylinder { center_in_patient: CENTER, axis, radius_mm: 20.0, length_mm: 40.0 }
}

fn torus() -> Shape {
    Shape::Torus { center_in_patient: CENTER, axis: TILTED, major_radius_mm: 30.0, minor_radius_mm: 10.0 }
}

fn grid_around(half_size_mm: DVec3, spacing_mm: DVec3) -> Grid {
    let dims = (half_size_mm * 2.0 / spacing_mm).ceil();
    Grid::axis_aligned([dims.x as u32, dims.y as u32, dims.z as u32], spacing_mm, -half_size_mm).expect("a grid")
}

fn surface_of(shape: &Shape, half_size_mm: DVec3, spacing_mm: DVec3, edge: Edge) -> TriangleMesh {
    let volume = shape_volume(shape, &grid_around(half_size_mm, spacing_mm), 1000.0, 0.0, edge);
    extract_volume(&volume, 500.0, &Progress::new()).expect("not cancelled")
}

fn ball_surface() -> TriangleMesh {
    surface_of(&sphere(20.0), DVec3::splat(23.0), DVec3::ONE, Edge::Detector)
}

/// Checks one solid against its formulas; `largest_mm` is the limit of a single vertex.
fn check(shape: &Shape, half_size_mm: DVec3, spacing_mm: DVec3, edge: Edge, genus: u64, largest_mm: f64) {
    let mesh = surface_of(shape, half_size_mm, spacing_mm, edge);
    let what = format!("{shape:?} at {spacing_mm}");
    let found = topology(&mesh);
    assert!(found.is_manifold() && found.degenerate_triangles == 0 && found.parts == 1, "{what}: {found:?}");
    assert_eq!(found.genus(), Some(genus), "{what}");
    let volume = mesh.volume_mm3() / shape.volume_mm3().expect("known") - 1.0;
    let area = mesh.area_mm2() / shape.area_mm2().expect("known") - 1.0;
    assert!(volume.abs() < 0.01, "{what}: volume off by {volume}");
    assert!(area.abs() < 0.02, "{what}: area off by {area}");
    let distances = mesh.positions_in_patient.iter().map(|&p| shape.signed_distance_mm(Vec3::from(p).as_dvec3()));
    let (mut squares, mut largest) = (0.0, 0.0_f64);
    for distance in distances {
        squares += distance * distance;
        largest = largest.max(distance.abs());
    }
    let rms = (squares / mesh.positions_in_patient.len() as f64).sqrt();
    assert!(rms < 0.05 && largest < largest_mm, "{what}: {rms} mm RMS, {largest} mm at most");
}

#[test]
fn spheres_and_rings_have_their_true_size() {
    for spacing_mm in SPACINGS {
        check(&sphere(20.0), DVec3::splat(23.0), spacing_mm, Edge::Detector, 0, 0.25);
        check(&torus(), DVec3::new(43.0, 43.0, 22.0), spacing_mm, Edge::Detector, 1, 0.25);
    }
}

#[test]
fn cylinders_have_their_true_size() {
    for spacing_mm in SPACINGS {
        let edge = Edge::Slope { width_mm: 1.5 * spacing_mm.max_element() };
        check(&cylinder(DVec3::Z), DVec3::splat(25.0), spacing_mm, edge, 0, 0.25);
        // Where a sharp rim runs aslant through the voxels, no sampling keeps its last quarter voxel.
        check(&cylinder(TILTED), DVec3::splat(31.0), spacing_mm, edge, 0, 0.30);
    }
}

#[test]
fn smoothing_keeps_the_mesh_closed_and_the_size_what_it_was() {
    let mesh = ball_surface();
    for method in [SmoothMethod::WindowedSinc, SmoothMethod::Taubin] {
        for keep_volume in [false, true] {
            let options = SmoothOptions { method, keep_volume, ..SmoothOptions::default() };
            let (smoothed, report) = smooth(&mesh, &options, &Progress::new()).expect("not cancelled");
            assert_eq!(smoothed.triangles, mesh.triangles, "{method:?}");
            assert!(topology(&smoothed).is_manifold(), "{method:?}");
            let limit = if keep_volume { 0.001 } else { 0.25 };
            assert!(report.volume_change_percent().abs() < limit, "{method:?}: {}", report.volume_change_percent());
            assert!((smoothed.volume_mm3() - report.volume_after_mm3).abs() < 1e-6);
            assert!(report.deviation.largest_mm < 0.3 && report.deviation.rms_mm < 0.06, "{:?}", report.deviation);
            assert!(report.deviation.rms_mm > 0.001 && report.fixed_vertices == 0, "it did something: {report:?}");
            let again = deviation(&smoothed, &mesh, &Progress::new()).expect("not cancelled");
            assert!((again.largest_mm - report.deviation.largest_mm).abs() < 1e-4, "the long way round says the same");
            assert!((again.rms_mm - report.deviation.rms_mm).abs() < 1e-5);
        }
    }
}

#[test]
fn smoothing_takes_the_steps_of_a_mask_away() {
    let shape = sphere(20.0);
    let grid = grid_around(DVec3::splat(23.0), DVec3::ONE);
    let mask = maquette::domain::phantom::shape_mask(&shape, &grid);
    let steps = maquette::domain::surface::extract_mask(&mask, &grid, &Progress::new()).expect("not cancelled");
    let (smoothed, _) = smooth(&steps, &SmoothOptions::default(), &Progress::new()).expect("not cancelled");
    let rms = |mesh: &TriangleMesh| {
        let distance = |&p: &[f32; 3]| shape.signed_distance_mm(Vec3::from(p).as_dvec3()).powi(2);
        (mesh.positions_in_patient.iter().map(distance).sum::<f64>() / mesh.positions_in_patient.len() as f64).sqrt()
    };
    assert!(rms(&smoothed) < 0.55 * rms(&steps), "{} after, {} before", rms(&smoothed), rms(&steps));
    let area_error = |mesh: &TriangleMesh| mesh.area_mm2() / shape.area_mm2().expect("known") - 1.0;
    assert!(area_error(&smoothed).abs() < 0.03 && area_error(&steps) > 0.05, "steps add area, smoothing takes it away");
}

#[test]
fn open_edges_stay_in_their_place() {
    let mut mesh = ball_surface();
    mesh.triangles.truncate(mesh.triangles.len() / 2);
    let open = topology(&mesh).open_edges;
    let (smoothed, report) = smooth(&mesh, &SmoothOptions::default(), &Progress::new()).expect("not cancelled");
    assert!(open > 0 && report.fixed_vertices >= open, "{open} {}", report.fixed_vertices);
    let adjacency = Adjacency::new(mesh.positions_in_patient.len(), &mesh.triangles);
    for (vertex, (before, after)) in mesh.positions_in_patient.iter().zip(&smoothed.positions_in_patient).enumerate() {
        assert!(before == after || adjacency.is_disc(vertex as u32), "vertex {vertex} lies at the cut");
    }
}

#[test]
fn specks_do_not_vanish() {
    let speck = sphere(1.1);
    let mesh = surface_of(&speck, DVec3::splat(4.0), DVec3::ONE, Edge::Detector);
    let (smoothed, report) = smooth(&mesh, &SmoothOptions::default(), &Progress::new()).expect("not cancelled");
    assert_eq!((report.kept_parts, topology(&smoothed).degenerate_triangles), (1, 0));
    assert_eq!(smoothed.positions_in_patient, mesh.positions_in_patient);
}

#[test]
fn a_cancelled_smoothing_says_so() {
    let progress = Progress::new();
    progress.cancel();
    let result = smooth(&ball_surface(), &SmoothOptions::default(), &progress);
    assert_eq!(result.expect_err("cancelled"), Cancelled);
}

#[test]
fn a_lost_spike_counts_as_deviation() {
    let mesh = ball_surface();
    let mut spiky = mesh.clone();
    spiky.positions_in_patient[0] = (Vec3::from(spiky.positions_in_patient[0]) * 1.5).to_array();
    let spike_mm = f64::from(Vec3::from(mesh.positions_in_patient[0]).length()) * 0.5;
    let found = deviation(&mesh, &spiky, &Progress::new()).expect("not cancelled");
    assert!(found.percentile_95_mm < 1e-3, "{found:?}");
    assert!((found.largest_mm - spike_mm).abs() < 0.3, "{found:?} against {spike_mm}");
}

#[test]
fn the_sign_of_a_deviation_says_larger_or_smaller() {
    let (small, large) = (ball_surface(), surface_of(&sphere(22.0), DVec3::splat(25.0), DVec3::ONE, Edge::Detector));
    let grown = deviation(&large, &small, &Progress::new()).expect("not cancelled");
    let shrunk = deviation(&small, &large, &Progress::new()).expect("not cancelled");
    assert!((grown.mean_mm - 2.0).abs() < 0.05 && (shrunk.mean_mm + 2.0).abs() < 0.05, "{grown:?} {shrunk:?}");
}

#[test]
fn a_cut_through_a_sphere_is_a_circle_of_the_right_size() {
    let mesh = ball_surface();
    for normal in [DVec3::X, DVec3::Y, DVec3::Z, DVec3::new(1.0, -2.0, 0.5)] {
        let index = ContourIndex::new(&mesh, normal);
        let along = index.normal_in_patient();
        for offset in [-17.0, -3.3, 0.0, 0.5, 12.0] {
            let lines = index.cut(&mesh, CENTER + along * offset);
            assert_eq!(lines.len(), 1, "{normal} {offset}");
            assert!(lines[0].closed);
            let radius = (20.0_f64.powi(2) - offset * offset).sqrt();
            for &point in &lines[0].points_in_patient {
                let point = Vec3::from(point).as_dvec3() - CENTER;
                assert!((point.dot(along) - offset).abs() < 1e-4, "the line lies in the plane");
                assert!((point.reject_from(along).length() - radius).abs() < 0.25, "{normal} {offset}");
            }
            let area = enclosed_area_mm2(&lines, along);
            let exact = std::f64::consts::PI * radius * radius;
            assert!((area / exact - 1.0).abs() < 0.02, "{area} against {exact}: positive, so solid lies on the left");
        }
        assert!(index.cut(&mesh, CENTER + along * 40.0).is_empty());
        assert!(index.cut(&mesh, CENTER - along * 40.0).is_empty());
    }
    assert!(ContourIndex::new(&TriangleMesh::default(), DVec3::Z).cut(&TriangleMesh::default(), CENTER).is_empty());
}

#[test]
fn a_cut_along_a_ring_has_a_hole() {
    let shape = Shape::Torus { center_in_patient: CENTER, axis: DVec3::Z, major_radius_mm: 14.0, minor_radius_mm: 5.0 };
    let mesh = surface_of(&shape, DVec3::new(21.0, 21.0, 8.0), DVec3::ONE, Edge::Detector);
    let lines = ContourIndex::new(&mesh, DVec3::Z).cut(&mesh, CENTER);
    assert_eq!(lines.len(), 2);
    let area = enclosed_area_mm2(&lines, DVec3::Z);
    let exact = std::f64::consts::PI * (19.0_f64.powi(2) - 9.0_f64.powi(2));
    assert!((area / exact - 1.0).abs() < 0.02, "{area} against {exact}: the hole counts negative");
    let two = ContourIndex::new(&mesh, DVec3::X).cut(&mesh, CENTER);
    assert!(two.len() == 2 && two.iter().all(|line| line.closed), "across, a ring is two circles");
}

#[test]
fn a_cut_exactly_through_vertices_stays_whole() {
    // A box along the voxels has whole sheets of vertices in one plane.
    let shape = Shape::Block { center_in_patient: DVec3::ZERO, half_size_mm: DVec3::splat(8.0) };
    let mesh = surface_of(&shape, DVec3::splat(12.0), DVec3::ONE, Edge::Detector);
    let index = ContourIndex::new(&mesh, DVec3::Z);
    for &[_, _, z] in mesh.positions_in_patient.iter().step_by(7) {
        let lines = index.cut(&mesh, DVec3::new(0.0, 0.0, f64::from(z)));
        assert!(lines.iter().all(|line| line.closed), "height {z}");
    }
}

#[test]
fn the_largest_part_of_two_spheres_is_the_larger() {
    let (small, large) = (sphere(6.0), Shape::Sphere { center_in_patient: DVec3::splat(15.0), radius_mm: 9.0 });
    let volume_of =
        |shape: &Shape| shape_volume(shape, &grid_around(DVec3::splat(26.0), DVec3::ONE), 1000.0, 0.0, Edge::Detector);
    let (a, b) = (volume_of(&small), volume_of(&large));
    let samples = a.samples().iter().zip(b.samples()).map(|(a, b)| *a.max(b)).collect();
    let both = maquette::domain::volume::Volume::new(*a.grid(), samples, a.rescale(), a.quantity());
    let mesh = extract_volume(&both, 500.0, &Progress::new()).expect("not cancelled");
    assert_eq!(topology(&mesh).parts, 2);
    let largest = largest_part(&mesh);
    assert_eq!(topology(&largest).parts, 1);
    let exact = large.volume_mm3().expect("known");
    assert!(
        (largest.volume_mm3() / exact - 1.0).abs() < 0.02
            && largest.normals.len() == largest.positions_in_patient.len()
    );
}
