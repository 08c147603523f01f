//! Grids, masks and volumes that the segmentation tests run on: anisotropic, sheared, left-handed, noisy.

use glam::{DAffine3, DMat3, DVec3};
use maquette::domain::grid::Grid;
use maquette::domain::mask::Mask;
use maquette::domain::volume::{Quantity, Rescale, Volume};
use proptest::prelude::*;

/// A grid of up to `largest` voxels an axis: any turn, spacing 0.4 to 3 mm, half of them sheared, some left-handed.
pub(super) fn any_grid(largest: u32) -> impl Strategy<Value = Grid> {
    let turns = (0.0..6.3_f64, 0.0..6.3_f64);
    let shear = prop::option::of((-0.4..0.4_f64, -0.4..0.4_f64));
    let size = prop::array::uniform3(1..=largest);
    (size, prop::array::uniform3(0.4..3.0_f64), turns, shear, any::<bool>()).prop_map(
        |(dims, spacing, (around_z, around_x), shear, left_handed)| {
            let turn = DMat3::from_rotation_z(around_z) * DMat3::from_rotation_x(around_x);
            let (shear_x, shear_y) = shear.unwrap_or_default();
            let lean = DMat3::from_cols(DVec3::X, DVec3::Y, DVec3::new(shear_x, shear_y, 1.0));
            let mirror = if left_handed { DVec3::new(1.0, 1.0, -1.0) } else { DVec3::ONE };
            let axes = turn * lean * DMat3::from_diagonal(DVec3::from(spacing) * mirror);
            Grid::new(dims, DAffine3::from_mat3_translation(axes, DVec3::new(-70.0, 30.0, 200.0))).expect("valid grid")
        },
    )
}

/// All voxels of a grid of `dims`, i fastest.
pub(super) fn voxels([ni, nj, nk]: [u32; 3]) -> impl Iterator<Item = [u32; 3]> {
    (0..nk).flat_map(move |k| (0..nj).flat_map(move |j| (0..ni).map(move |i| [i, j, k])))
}

/// A number that looks random, the same for the same input.
pub(super) fn hash(seed: u32, [i, j, k]: [u32; 3]) -> u32 {
    let mut h = seed ^ i.wrapping_mul(0x9E37_79B1) ^ j.wrapping_mul(0x85EB_CA77) ^ k.wrapping_mul(0xC2B2_AE3D);
    for _ in 0..2 {
        h = (h ^ h >> 15).wrapping_mul(0x2C1B_3C6D);
        h = (h ^ h >> 12).wrapping_mul(0x297A_2D39);
    }
    h ^ h >> 15
}

/// About one voxel in `rarity`, clumped a little.
pub(super) fn noise_mask(dims: [u32; 3], seed: u32, rarity: u32) -> Mask {
    Mask::from_fn(dims, |i, j, k| {
        hash(seed, [i, j, k]).is_multiple_of(rarity) || hash(seed, [i / 3, j / 3, k / 2]).is_multiple_of(2 * rarity)
    })
}

/// Samples from -1024 to 1023 on an anisotropic grid.
pub(super) fn noise_volume(dims: [u32; 3], seed: u32) -> Volume {
    let grid = Grid::axis_aligned(dims, DVec3::new(0.7, 0.9, 1.6), DVec3::new(-20.0, 5.0, 7.0)).expect("valid grid");
    let samples = voxels(dims).map(|voxel| (hash(seed, voxel) % 2048) as i16 - 1024).collect();
    Volume::new(grid, samples, Rescale::IDENTITY, Quantity::Hounsfield)
}
