//! What an edit may touch: "only within this value range", "protect other segments".
//!
//! In: the bits of a brick before an edit and as the edit wants them. Out: the bits as they may become. Costs only the rows
//! that change, and only the bricks of other segments that lie under them.

use crate::domain::volume::Volume;

use super::range_words::range_words;
use super::threshold::ValueRange;
use super::{BRICK_WORDS, BrickBits, MASK_BRICK, Mask, MaskDelta};

/// Limits of an edit. The default allows everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct EditLimits<'a> {
    /// Only voxels whose value lies in the range change. The volume has the mask's grid.
    pub values: Option<(&'a Volume, ValueRange)>,
    /// No voxel of these masks is added; taking away is not limited by them, because it changes nothing of theirs.
    pub protected: &'a [&'a Mask],
}

impl EditLimits<'_> {
    /// Everything may change.
    pub const NONE: Self = Self { values: None, protected: &[] };

    /// The bits that brick `brick_index` of `mask` may get when an edit wants to turn `before` into `wanted`.
    ///
    /// # Panics
    /// When the volume or a protected mask is not of the mask's size.
    pub fn limited(&self, mask: &Mask, brick_index: u32, before: &BrickBits, mut wanted: BrickBits) -> BrickBits {
        for other in self.protected {
            assert_eq!(other.dims(), mask.dims(), "protected masks are of the same grid");
            let theirs = match &other.bricks()[brick_index as usize] {
                super::MaskBrick::Empty => continue,
                _ => other.brick_bits(brick_index),
            };
            for row in 0..BRICK_WORDS {
                wanted[row] &= before[row] | !theirs[row];
            }
        }
        if let Some((volume, range)) = self.values {
            assert_eq!(volume.grid().dims(), mask.dims(), "the volume has the mask's grid");
            let covered = mask.brick_box(brick_index);
            let samples = range.samples(volume);
            for row in 0..BRICK_WORDS {
                if wanted[row] == before[row] {
                    continue;
                }
                let (j, k) = (row as u32 % MASK_BRICK, row as u32 / MASK_BRICK);
                let mut allowed = [0_u32];
                if let Some(samples) = samples {
                    let start = volume.grid().index(covered.min[0], covered.min[1] + j, covered.min[2] + k);
                    let count = (covered.max[0] - covered.min[0]) as usize;
                    range_words(&volume.samples()[start..start + count], samples, &mut allowed);
                }
                wanted[row] = before[row] ^ ((before[row] ^ wanted[row]) & allowed[0]);
            }
        }
        wanted
    }

    /// What turns `mask` into `target` as far as the limits allow. Costs the bricks that differ.
    ///
    /// # Panics
    /// As [`EditLimits::limited`], and when `target` is not of the mask's size.
    pub fn delta_to(&self, mask: &Mask, target: &Mask) -> MaskDelta {
        use rayon::prelude::*;
        let wanted = mask.delta_to(target);
        if self.values.is_none() && self.protected.is_empty() {
            return wanted;
        }
        let limited = wanted.bricks.into_par_iter().filter_map(|(index, _)| {
            let bits = self.limited(mask, index, &mask.brick_bits(index), target.brick_bits(index));
            let brick = mask.normalised_brick(index, bits);
            (brick != mask.bricks()[index as usize]).then_some((index, brick))
        });
        MaskDelta { bricks: limited.collect() }
    }
}
