//! The compute stages give the triangles of their CPU twin, in the same order, within the WebGPU default limits.

use glam::{DMat3, DVec3};
use maquette::domain::grid::Grid;
use maquette::domain::mesh::TriangleMesh;
use maquette::domain::surface::extract_volume;
use maquette::domain::volume::{Quantity, Rescale, Volume};
use maquette::gpu::surface::SurfaceExtractor;
use maquette::task::Progress;

use crate::support::device::device;
use crate::support::surfaces::{checked_euler, gyroid, noise, torus, volume_of};

fn largest_difference(a: &[[f32; 3]], b: &[[f32; 3]]) -> f32 {
    a.as_flattened().iter().zip(b.as_flattened()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// Computes on both and compares; positions within 1e-4 of the smallest voxel edge.
fn compare(volume: &Volume, isos: &[f64]) -> Option<TriangleMesh> {
    let context = device()?;
    let mut extractor = SurfaceExtractor::new(&context, volume).expect("small enough");
    let mut last = None;
    for &iso in isos {
        let expected = extract_volume(volume, iso, &Progress::new()).expect("nobody cancels");
        extractor.compute(volume, iso).expect("small enough");
        let found = extractor.read_back().expect("not lost");
        assert_eq!(found.triangles.len(), expected.triangles.len(), "iso {iso}");
        assert!(found.triangles == expected.triangles, "the same triangles in the same order, iso {iso}");
        assert_eq!(found.positions_in_patient.len(), expected.positions_in_patient.len());
        let voxel_mm = volume.grid().spacing_mm().min_element() as f32;
        let moved = largest_difference(&found.positions_in_patient, &expected.positions_in_patient);
        assert!(moved <= 1e-4 * voxel_mm, "moved {moved} mm, iso {iso}");
        let turned = largest_difference(&found.normals, &expected.normals);
        assert!(turned <= 1e-3, "normals differ by {turned}, iso {iso}");
        last = Some(found);
    }
    last
}

fn with_samples(grid: &Grid, rescale: Rescale, mut sample: impl FnMut(u32, u32, u32) -> i16) -> Volume {
    let [ni, nj, nk] = grid.dims();
    let mut samples = Vec::with_capacity(grid.voxel_count());
    for (k, j) in (0..nk).flat_map(|k| (0..nj).map(move |j| (k, j))) {
        samples.extend((0..ni).map(|i| sample(i, j, k)));
    }
    Volume::new(*grid, samples, rescale, Quantity::Arbitrary)
}

#[test]
fn sphere_torus_and_gyroid_match_the_cpu() {
    let axes = DMat3::from_diagonal(DVec3::new(0.7, 0.8, 1.1));
    compare(&volume_of([37, 36, 35], axes, |at| 13.0 - at.length()), &[0.0, 3000.0, -4000.5, 1e9]);
    compare(&volume_of([40, 40, 20], DMat3::from_diagonal(DVec3::new(1.0, 1.0, -1.0)), torus), &[0.0]);
    if let Some(mesh) = compare(&volume_of([40, 40, 40], DMat3::IDENTITY, gyroid), &[0.0, 300.0]) {
        assert!(checked_euler(&mesh) < -10);
    }
}

#[test]
fn noise_and_negative_slopes_match_the_cpu() {
    let mut next = noise(11);
    let grid = Grid::axis_aligned([33, 18, 12], DVec3::new(0.5, 0.6, 2.0), DVec3::ZERO).expect("valid");
    let rescale = Rescale { slope: -0.5, intercept: 3.0 };
    compare(&with_samples(&grid, rescale, |_, _, _| next() as i16), &[0.0, 5000.0, 1e6, -1e6]);
}

#[test]
fn everything_at_the_border_and_single_voxels_match_the_cpu() {
    for dims in [[1, 1, 1], [31, 2, 1], [30, 5, 3], [63, 4, 4], [64, 3, 2]] {
        let grid = Grid::axis_aligned(dims, DVec3::ONE, DVec3::ZERO).expect("valid");
        compare(&with_samples(&grid, Rescale::IDENTITY, |_, _, _| 100), &[50.0]);
        let last = dims.map(|n| n - 1);
        compare(&with_samples(&grid, Rescale::IDENTITY, |i, j, k| i16::from([i, j, k] == last)), &[0.5]);
    }
}

#[test]
fn rows_of_more_words_than_a_table_has_bits_match_the_cpu() {
    // 1100 voxels are 35 words: each bit of the tables of words stands for two.
    let grid = Grid::axis_aligned([1100, 9, 7], DVec3::ONE, DVec3::ZERO).expect("valid");
    let mut random = noise(11);
    let volume = with_samples(&grid, Rescale::IDENTITY, |_, _, _| random() as i16);
    compare(&volume, &[0.0, 28_000.0]);
    // Few cut edges, far apart, at the ends of rows too.
    let sparse = with_samples(&grid, Rescale::IDENTITY, |i, j, _| if i % 547 == 0 && j % 4 == 1 { 500 } else { -500 });
    compare(&sparse, &[0.0]);
}
