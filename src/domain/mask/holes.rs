//! Filling holes: background that is not connected (by faces) to the border of the grid.
//!
//! In: a mask. Out: the mask with its holes. In a volume a hole must be closed all round; in slices it is enough that the
//! outline in a slice is closed, which also fills tubes that run through the slices.

use serde::{Deserialize, Serialize};

use crate::task::{Cancelled, Progress};

use super::Mask;
use super::components::{Components, Connectivity, Joins};
use super::runs::{Runs, set_bits};

/// Where background must be closed in to be a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum HoleScope {
    /// In the volume.
    #[default]
    Volume,
    /// In each slice across voxel axis 0, 1 or 2.
    Slices {
        /// Voxel axis that the slices are perpendicular to.
        axis: usize,
    },
}

/// The mask and its holes.
///
/// # Errors
/// When cancelled.
///
/// # Panics
/// When the axis of slices is not 0, 1 or 2.
pub fn fill_holes(mask: &Mask, scope: HoleScope, progress: &Progress) -> Result<Mask, Cancelled> {
    progress.phase("Fill holes");
    progress.check()?;
    let background = Runs::of_complement(mask);
    // With the axes along which a way out counts.
    let (background, joins, open_axes) = match scope {
        HoleScope::Volume => (background, Joins::volume(Connectivity::Faces), [true; 3]),
        HoleScope::Slices { axis: 2 } => (background, Joins::along(&[(-1, 0)]), [true, true, false]),
        HoleScope::Slices { axis: 1 } => (background, Joins::along(&[(0, -1)]), [true, false, true]),
        HoleScope::Slices { axis } => {
            assert_eq!(axis, 0, "a voxel axis");
            // Rows run across these slices: work on the mask with i and k exchanged.
            let turned = fill_holes(&mask.with_i_and_k_exchanged(), HoleScope::Slices { axis: 2 }, progress)?;
            return Ok(turned.with_i_and_k_exchanged());
        }
    };
    let parts = Components::of_runs(background, joins, progress)?;
    let outside = outside_parts(&parts, mask.dims(), open_axes);
    Ok(Mask::from_rows(mask.dims(), |j, k, words| {
        mask.copy_row(j, k, words);
        for (run, part) in parts.parts_of_row(j, k) {
            if !outside[part as usize] {
                set_bits(words, run);
            }
        }
    }))
}

/// Which parts touch the border of the grid.
fn outside_parts(parts: &Components, [ni, nj, nk]: [u32; 3], open_axes: [bool; 3]) -> Vec<bool> {
    let mut outside = vec![false; parts.count()];
    for k in 0..nk {
        for j in 0..nj {
            let at_border = (open_axes[1] && (j == 0 || j + 1 == nj)) || (open_axes[2] && (k == 0 || k + 1 == nk));
            for (run, part) in parts.parts_of_row(j, k) {
                let at_end = open_axes[0] && (run.start == 0 || u32::from(run.end) == ni);
                outside[part as usize] |= at_border || at_end;
            }
        }
    }
    outside
}
