//! Distance, growing, shrinking, opening, closing and smoothing against the same done voxel by voxel.

use glam::{DAffine3, DMat3, DVec3};
use maquette::domain::grid::Grid;
use maquette::domain::mask::Mask;
use maquette::domain::mask::distance::{has_right_angles, signed_distances_mm, squared_distances_mm2};
use maquette::domain::mask::morphology::{closed, grown, opened, shrunk, smoothed, with_margin};
use maquette::task::Progress;
use proptest::prelude::*;

use super::segment_grids::{any_grid, hash, voxels};

fn point(grid: &Grid, voxel: [i32; 3]) -> DVec3 {
    grid.patient_from_voxel().matrix3 * DVec3::from(voxel.map(f64::from))
}

/// Squared distance to the nearest of some voxels.
fn nearest(grid: &Grid, from: [i32; 3], targets: &[[i32; 3]]) -> f64 {
    let from = point(grid, from);
    targets.iter().map(|&to| from.distance_squared(point(grid, to))).fold(f64::INFINITY, f64::min)
}

fn members(mask: &Mask, of_background: bool) -> Vec<[i32; 3]> {
    let inside = |&[i, j, k]: &[u32; 3]| mask.contains(i, j, k) != of_background;
    voxels(mask.dims()).filter(inside).map(|voxel| voxel.map(|n| n as i32)).collect()
}

/// A few blobs: something to grow and shrink.
fn blobs(dims: [u32; 3], seed: u32) -> Mask {
    Mask::from_fn(dims, |i, j, k| {
        hash(seed, [i / 4, j / 4, k / 3]) % 5 < 2 && !hash(seed ^ 9, [i, j, k]).is_multiple_of(11)
    })
}

/// A radius that no lattice step comes near, so that rounding decides nothing.
fn clear_radius(grid: &Grid, wanted: f64) -> f64 {
    let [ni, nj, nk] = grid.dims().map(|n| n as i32 + 12);
    let mut lengths = Vec::new();
    for k in -nk..=nk {
        for j in -nj..=nj {
            lengths.extend((-ni..=ni).map(|i| point(grid, [i, j, k]).length()).filter(|l| (l - wanted).abs() < 0.1));
        }
    }
    let free = |radius: f64| lengths.iter().all(|length| (length - radius).abs() > 1e-5);
    (0..50).map(|n| wanted + 1e-3 * f64::from(n)).find(|&radius| free(radius)).expect("a gap between lengths")
}

/// Voxels that a closing can reach beyond each end of the grid, and how many that makes with the grid itself.
fn room_around(grid: &Grid, radius: f64) -> ([i32; 3], i32) {
    let reach = grid.voxel_from_patient().matrix3.transpose();
    let margin = [reach.x_axis, reach.y_axis, reach.z_axis].map(|row| (row.length() * 2.0 * radius).ceil() as i32 + 1);
    (margin, (0..3).map(|axis| grid.dims()[axis] as i32 + 2 * margin[axis]).product())
}

/// Closing by its definition, with room enough around the grid that nothing beyond can be nearest.
fn closed_without_end(mask: &Mask, grid: &Grid, radius: f64) -> Mask {
    let (margin, _) = room_around(grid, radius);
    let (dims, inside) = (grid.dims().map(|n| n as i32), members(mask, false));
    let mut background = Vec::new();
    for k in -margin[2]..dims[2] + margin[2] {
        for j in -margin[1]..dims[1] + margin[1] {
            let row = (-margin[0]..dims[0] + margin[0]).map(|i| [i, j, k]);
            background.extend(row.filter(|&voxel| nearest(grid, voxel, &inside) > radius * radius));
        }
    }
    Mask::from_fn(grid.dims(), |i, j, k| {
        !inside.is_empty() && nearest(grid, [i, j, k].map(|n| n as i32), &background) > radius * radius
    })
}

/// A ball that is longer than the grid along its finest axis reaches past the grid's ends.
#[test]
fn closing_with_a_ball_longer_than_the_grid() {
    let matrix = DMat3::from_diagonal(DVec3::new(2.805_512_453_496_070_7, 0.4, 2.795_193_413_104_718_7));
    let to_patient = DAffine3::from_mat3_translation(matrix, DVec3::new(-70.0, 30.0, 200.0));
    let grid = Grid::new([3, 5, 3], to_patient).expect("a grid");
    let mask = blobs(grid.dims(), 2_286_023_292);
    let radius = clear_radius(&grid, 3.862_837_021_463_877_6);
    let found = closed(&mask, &grid, radius, &Progress::new()).expect("not cancelled");
    assert_eq!(found, closed_without_end(&mask, &grid, radius));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn distances_are_exact(grid in any_grid(22), seed in any::<u32>(), rarity in 2..400_u32) {
        prop_assume!(has_right_angles(&grid));
        let mask = Mask::from_fn(grid.dims(), |i, j, k| hash(seed, [i, j, k]).is_multiple_of(rarity));
        let inside = members(&mask, false);
        let squared = squared_distances_mm2(&mask, &grid, &Progress::new()).expect("not cancelled");
        for (index, voxel) in voxels(grid.dims()).enumerate() {
            let expected = nearest(&grid, voxel.map(|n| n as i32), &inside);
            let found = f64::from(squared[index]);
            prop_assert!(found == expected || (found.sqrt() - expected.sqrt()).abs() < 1e-4, "{} against {}", found, expected);
        }
        let outside = members(&mask, true);
        prop_assume!(!inside.is_empty() && !outside.is_empty());
        let signed = signed_distances_mm(&mask, &grid, &Progress::new()).expect("not cancelled");
        for (index, [i, j, k]) in voxels(grid.dims()).enumerate() {
            let targets = if mask.contains(i, j, k) { &outside } else { &inside };
            let expected = nearest(&grid, [i, j, k].map(|n| n as i32), targets).sqrt();
            prop_assert!((f64::from(signed[index].abs()) - expected).abs() < 1e-4);
            prop_assert_eq!(signed[index] < 0.0, mask.contains(i, j, k));
        }
    }

    #[test]
    fn margins_are_those_of_every_voxel_by_itself(grid in any_grid(20), seed in any::<u32>(), wanted in 0.2..6.0_f64) {
        let (mask, progress) = (blobs(grid.dims(), seed), Progress::new());
        let radius = clear_radius(&grid, wanted);
        let (inside, outside) = (members(&mask, false), members(&mask, true));
        let within = |voxel: [u32; 3], targets: &[[i32; 3]]| nearest(&grid, voxel.map(|n| n as i32), targets) <= radius * radius;
        let larger = grown(&mask, &grid, radius, &progress).expect("not cancelled");
        let smaller = shrunk(&mask, &grid, radius, &progress).expect("not cancelled");
        prop_assert_eq!(&larger, &Mask::from_fn(grid.dims(), |i, j, k| within([i, j, k], &inside)));
        prop_assert_eq!(&smaller, &Mask::from_fn(grid.dims(), |i, j, k| !within([i, j, k], &outside)));
        prop_assert_eq!(with_margin(&mask, &grid, radius, &progress), Ok(larger));
        prop_assert_eq!(with_margin(&mask, &grid, -radius, &progress), Ok(smaller.clone()));
        let open = opened(&mask, &grid, radius, &progress).expect("not cancelled");
        let core = members(&smaller, false);
        prop_assert_eq!(open, Mask::from_fn(grid.dims(), |i, j, k| within([i, j, k], &core)));
    }

    #[test]
    fn closing_is_that_of_a_grid_without_end(grid in any_grid(9), seed in any::<u32>(), wanted in 0.4..4.0_f64) {
        let (mask, progress) = (blobs(grid.dims(), seed), Progress::new());
        let radius = clear_radius(&grid, wanted);
        prop_assume!(room_around(&grid, radius).1 < 60_000);
        let expected = closed_without_end(&mask, &grid, radius);
        let found = closed(&mask, &grid, radius, &progress).expect("not cancelled");
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn smoothing_is_the_majority(grid in any_grid(14), seed in any::<u32>(), wanted in 0.4..4.0_f64) {
        let mask = blobs(grid.dims(), seed);
        let radius = clear_radius(&grid, wanted);
        let everything: Vec<[i32; 3]> = voxels(grid.dims()).map(|voxel| voxel.map(|n| n as i32)).collect();
        let expected = Mask::from_fn(grid.dims(), |i, j, k| {
            let center = point(&grid, [i, j, k].map(|n| n as i32));
            let near = everything.iter().filter(|&&voxel| point(&grid, voxel).distance(center) <= radius);
            let vote: i32 = near.map(|v| if mask.contains(v[0] as u32, v[1] as u32, v[2] as u32) { 1 } else { -1 }).sum();
            vote > 0 || (vote == 0 && mask.contains(i, j, k))
        });
        let found = smoothed(&mask, &grid, radius, &Progress::new()).expect("not cancelled");
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn a_large_margin_is_the_same_by_ball_and_by_distance() {
    let dims = [120, 90, 40];
    let mask = Mask::from_fn(dims, |i, j, k| hash(5, [i, j, k]).is_multiple_of(60_000));
    let spacing = DVec3::new(0.5, 0.5, 1.0);
    let straight = Grid::axis_aligned(dims, spacing, DVec3::ZERO).expect("valid grid");
    // So little shear that no step changes its length noticeably, but enough to keep the ball.
    let mut axes = straight.patient_from_voxel();
    axes.matrix3.z_axis.x = 1e-5;
    let sheared = Grid::new(dims, axes).expect("valid grid");
    assert!(has_right_angles(&straight) && !has_right_angles(&sheared));
    let progress = Progress::new();
    let radius = 23.03;
    assert_eq!(grown(&mask, &straight, radius, &progress), grown(&mask, &sheared, radius, &progress));
    // More rows in the ball than are worth it.
    let thick = grown(&mask, &straight, radius, &progress).expect("not cancelled");
    assert_eq!(shrunk(&thick, &straight, 22.53, &progress), shrunk(&thick, &sheared, 22.53, &progress));
}

#[test]
fn margins_of_nothing_and_of_everything() {
    let grid = Grid::axis_aligned([40, 33, 7], DVec3::ONE, DVec3::ZERO).expect("valid grid");
    let (empty, full) = (Mask::empty(grid.dims()), Mask::from_fn(grid.dims(), |_, _, _| true));
    let progress = Progress::new();
    for mask in [&empty, &full] {
        for change in [grown, shrunk, opened, closed, smoothed] {
            assert_eq!(
                change(mask, &grid, 3.0, &progress).as_ref(),
                Ok(mask),
                "nothing to gain, nothing eaten at the border"
            );
        }
    }
    progress.cancel();
    let some = Mask::from_fn(grid.dims(), |i, _, _| i > 20);
    assert!(grown(&some, &grid, 3.0, &progress).is_err() && closed(&some, &grid, 3.0, &progress).is_err());
}
