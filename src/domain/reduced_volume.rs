//! A smaller copy of a volume, each voxel the mean of a block: for thumbnails, where speed counts and detail does not.
//!
//! Space: the voxel (0, 0, 0) of the copy has its centre in the middle of the block that it stands for.

use glam::{DAffine3, DVec3};
use rayon::prelude::*;

use super::grid::{Grid, GridError};
use super::volume::Volume;

/// A copy of at most `longest` voxels along each axis; blocks at the upper borders may be cut short.
///
/// # Errors
/// Never for a grid that is valid; kept as an error because it would be a grid's.
pub fn reduced(volume: &Volume, longest: u32) -> Result<Volume, GridError> {
    let dims = volume.grid().dims();
    reduced_by(volume, dims.map(|n| n.div_ceil(longest.max(1)).max(1)))
}

/// A copy of half the resolution, along the axes on which voxels lie close: for pictures in motion.
///
/// # Errors
/// As [`reduced`].
pub fn halved(volume: &Volume) -> Result<Volume, GridError> {
    let spacing_mm = volume.grid().spacing_mm();
    let close_mm = spacing_mm.min_element() * 1.5;
    reduced_by(volume, spacing_mm.to_array().map(|mm| if mm < close_mm { 2 } else { 1 }))
}

fn reduced_by(volume: &Volume, block: [u32; 3]) -> Result<Volume, GridError> {
    let dims = volume.grid().dims();
    let small: [u32; 3] = std::array::from_fn(|axis| dims[axis].div_ceil(block[axis]));
    let scale = DVec3::new(f64::from(block[0]), f64::from(block[1]), f64::from(block[2]));
    let old_from_new = DAffine3::from_translation((scale - 1.0) / 2.0) * DAffine3::from_scale(scale);
    let grid = Grid::new(small, volume.grid().patient_from_voxel() * old_from_new)?;
    let mut samples = vec![0_i16; grid.voxel_count()];
    samples.par_chunks_mut((small[0] * small[1]) as usize).enumerate().for_each(|(k, layer)| {
        for (n, sample) in layer.iter_mut().enumerate() {
            *sample = mean_of_block(volume, [n as u32 % small[0], n as u32 / small[0], k as u32], block);
        }
    });
    Ok(Volume::new(grid, samples, volume.rescale(), volume.quantity()))
}

fn mean_of_block(volume: &Volume, cell: [u32; 3], block: [u32; 3]) -> i16 {
    let grid = volume.grid();
    let part = |axis: usize| {
        let first = cell[axis] * block[axis];
        first..(first + block[axis]).min(grid.dims()[axis])
    };
    let (mut sum, mut count) = (0_i64, 0_i64);
    for k in part(2) {
        for j in part(1) {
            let start = grid.index(part(0).start, j, k);
            let row = &volume.samples()[start..start + part(0).len()];
            sum += row.iter().map(|&sample| i64::from(sample)).sum::<i64>();
            count += row.len() as i64;
        }
    }
    (sum as f64 / count.max(1) as f64).round() as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::volume::{Quantity, Rescale};

    #[test]
    fn blocks_keep_their_mean_and_their_place() {
        let grid = Grid::axis_aligned([7, 4, 2], DVec3::new(1.0, 2.0, 3.0), DVec3::new(10.0, 0.0, 0.0)).expect("grid");
        let samples = (0..56).map(|n| (n % 7) * 100).collect();
        let volume = Volume::new(grid, samples, Rescale::IDENTITY, Quantity::Hounsfield);
        let small = reduced(&volume, 4).expect("valid grid");
        assert_eq!(small.grid().dims(), [4, 4, 2]);
        assert_eq!(&small.samples()[..4], &[50, 250, 450, 600]);
        let first = small.grid().patient_from_voxel().transform_point3(DVec3::ZERO);
        assert!(first.distance(DVec3::new(10.5, 0.0, 0.0)) < 1e-12, "{first}");
        assert_eq!(reduced(&volume, 100).expect("valid grid").samples(), volume.samples());
    }
}
