//! The surface of an iso value or of a mask: brick-bitmask flying edges.
//!
//! In: a `Volume` and an iso value, or a `Mask` on a `Grid`. Out: an indexed `TriangleMesh`, positions in patient space
//! (mm), triangles facing outwards, also on left-handed grids.
//!
//! A voxel is inside when its value is greater than the iso value; the iso value is moved to the middle between two sample
//! values, so no vertex lies on a voxel centre. The grid is padded by one virtual outside voxel, so the mesh is always
//! closed; at the border it is capped on the outer face of the voxels. Each vertex has one owner, each edge two triangles,
//! each vertex one fan of triangles.
//!
//! Source: Schroeder, Maynard, Geveci, "Flying Edges", LDAV 2015, on a 1-bit mask of the padded volume.
//! Not here: smoothing (`domain::mesh`), choice of CPU or GPU (`ops::surface`).

#![allow(clippy::inline_always, reason = "a kernel is compiled for several instruction sets, with all that it calls")]

mod bit_grid;
pub mod cache;
mod cells;
pub mod chunk;
mod count;
mod fast;
mod field;
mod instruction_set;
mod placement;
#[cfg(test)]
mod plain;
pub mod tables;
mod triangles;
mod vertices;

use crate::domain::grid::Grid;
use crate::domain::mask::Mask;
use crate::domain::mesh::TriangleMesh;
use crate::domain::volume::Volume;
use crate::task::{Cancelled, Progress};

pub(crate) use field::{CLOSEST_TO_VOXEL, IsoLevel};
pub(crate) use placement::Placement;

use bit_grid::BitGrid;
use cache::SurfaceCache;
use field::MaskField;

/// Extracts the surface at `iso_value` (in values of the volume, e.g. HU): inside is where the value is greater.
///
/// # Errors
/// When the work was cancelled.
pub fn extract_volume(volume: &Volume, iso_value: f64, progress: &Progress) -> Result<TriangleMesh, Cancelled> {
    progress.phase("Extracting surface");
    let mut once = SurfaceCache::new();
    once.extract(volume, iso_value, progress)?;
    Ok(once.take_mesh())
}

/// Extracts the surface of a mask; vertices lie in the middle between voxels, normals are smooth.
///
/// # Errors
/// When the work was cancelled.
///
/// # Panics
/// When the mask is not of the grid's size.
pub fn extract_mask(mask: &Mask, grid: &Grid, progress: &Progress) -> Result<TriangleMesh, Cancelled> {
    progress.phase("Extracting surface");
    assert_eq!(mask.dims(), grid.dims(), "the mask's own grid");
    let bits = BitGrid::of_mask(mask);
    fast::extract(&bits, &MaskField::new(mask.dims(), &bits), &Placement::new(grid), progress)
}

#[cfg(test)]
mod tests {
    use glam::{DAffine3, DMat3, DVec3};

    use super::field::{IsoLevel, PlainMaskField, ScalarField};
    use super::instruction_set::InstructionSet;
    use super::*;
    use crate::domain::volume::{Quantity, Rescale};

    /// Blobs, noise and a ramp that touches all borders.
    fn samples(dims: [u32; 3], kind: u32) -> Vec<i16> {
        let mut state = 7_u64;
        let mut noise = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 48) as i16
        };
        let mut samples = Vec::new();
        for (k, j, i) in (0..dims[2]).flat_map(|k| (0..dims[1]).flat_map(move |j| (0..dims[0]).map(move |i| (k, j, i))))
        {
            let [x, y, z] = [i, j, k].map(|n| f64::from(n) * 0.31);
            samples.push(match kind {
                0 => noise(),
                1 => (1000.0 * (x.sin() * y.cos() + y.sin() * z.cos() + z.sin() * x.cos())) as i16,
                _ => (i as i16 - j as i16) * 100 + (noise() >> 10),
            });
        }
        samples
    }

    #[test]
    fn fast_and_plain_give_the_same_mesh_bit_for_bit() {
        for (dims, axes) in [
            ([70, 21, 18], DMat3::from_diagonal(DVec3::new(0.7, 0.8, 1.5))),
            ([127, 9, 8], DMat3::from_diagonal(DVec3::new(0.7, 0.8, -1.5))),
            ([62, 5, 6], DMat3::IDENTITY),
            ([2, 3, 1], DMat3::IDENTITY),
            ([1, 1, 1], DMat3::IDENTITY),
        ] {
            let grid =
                Grid::new(dims, DAffine3 { matrix3: axes, translation: DVec3::new(3.0, -4.0, 5.0) }).expect("valid");
            for (kind, slope, iso) in
                [(0, 1.0, 0.0), (1, 1.0, 200.0), (1, -2.0, 80.0), (2, 1.0, -31.0), (0, 1.0, -40_000.0)]
            {
                let rescale = Rescale { slope, intercept: 0.0 };
                let volume = Volume::new(grid, samples(dims, kind), rescale, Quantity::Arbitrary);
                let field = ScalarField::new(&volume, IsoLevel::of(&volume, iso));
                let expected = plain::extract(&field, &Placement::new(&grid), &Progress::new()).expect("not cancelled");
                for set in InstructionSet::all() {
                    let mut cache = SurfaceCache::with_set(set);
                    for prepared in [false, true] {
                        if prepared {
                            cache.prepare(&volume);
                        }
                        let mesh = cache.extract(&volume, iso, &Progress::new()).expect("not cancelled");
                        assert!(*mesh == expected, "{dims:?} field {kind} at {iso}, {set:?}, cells {prepared}");
                    }
                }
            }
        }
    }

    #[test]
    fn fast_and_plain_masks_give_the_same_mesh_bit_for_bit() {
        for dims in [[70, 40, 18], [128, 3, 2], [63, 5, 40], [1, 1, 1]] {
            let grid = Grid::axis_aligned(dims, DVec3::new(0.7, 0.8, 1.5), DVec3::ZERO).expect("valid");
            for kind in 0..3 {
                let samples = samples(dims, kind);
                let mask = Mask::from_fn(dims, |i, j, k| samples[grid.index(i, j, k)] > 100);
                let expected = plain::extract(&PlainMaskField(&mask), &Placement::new(&grid), &Progress::new());
                let found = extract_mask(&mask, &grid, &Progress::new());
                assert!(found == expected, "{dims:?} field {kind}");
            }
        }
    }
}
