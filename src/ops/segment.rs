//! One function for each edit of a segment's voxels, for the session's commands and the command line alike.
//!
//! In: what is edited (`Subject`: mask, volume, limits) and the edit's parameters. Out: a `MaskDelta`, limited by the rules,
//! to be applied to the mask. Nothing here changes a mask. All of it is CPU work: bit masks fit caches, and an edit must not
//! wait for a GPU queue.
//! Not here: the live preview of a threshold. While a slider moves, the slice shader colours the samples in range from two
//! numbers; the mask is made once, when the person says so.

use glam::DVec3;
use serde::{Deserialize, Serialize};

use crate::domain::mask::components::{Components, Connectivity, component_at, largest_component};
use crate::domain::mask::holes::{self, HoleScope};
use crate::domain::mask::limits::EditLimits;
use crate::domain::mask::morphology;
use crate::domain::mask::scissors::{Scissors, scissors_delta};
use crate::domain::mask::stamp::{Brush, Edit, stroke_delta};
use crate::domain::mask::threshold::{self, ValueRange};
use crate::domain::mask::{Mask, MaskDelta};
use crate::domain::volume::Volume;
use crate::task::{Cancelled, Progress};

/// Why an edit of a segment is not possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    /// The work was stopped.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The point that was shown holds nothing of the segment.
    #[error("there is nothing of this segment at that point")]
    NothingThere,
}

/// What is edited.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The segment's voxels before the edit.
    pub mask: &'a Mask,
    /// The volume on whose grid they lie.
    pub volume: &'a Volume,
    /// What may change.
    pub limits: EditLimits<'a>,
}

impl<'a> Subject<'a> {
    /// A mask without limits.
    pub fn new(mask: &'a Mask, volume: &'a Volume) -> Self {
        Self { mask, volume, limits: EditLimits::NONE }
    }

    fn delta_to(&self, target: &Mask) -> MaskDelta {
        self.limits.delta_to(self.mask, target)
    }
}

/// How new voxels join those that a segment has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Combination {
    /// The segment becomes the new voxels.
    #[default]
    Replace,
    /// The new voxels are added.
    Union,
    /// The new voxels are taken away.
    Difference,
    /// Only what is in both stays.
    Intersection,
}

/// Combines the segment with another mask of its grid.
pub fn combine(subject: &Subject<'_>, other: &Mask, how: Combination) -> MaskDelta {
    let mask = subject.mask;
    match how {
        Combination::Replace => subject.delta_to(other),
        Combination::Union => subject.delta_to(&mask.combined(other, |a, b| a | b)),
        Combination::Difference => subject.delta_to(&mask.combined(other, |a, b| a & !b)),
        Combination::Intersection => subject.delta_to(&mask.combined(other, |a, b| a & b)),
    }
}

/// Turns the segment into all that it is not.
pub fn invert(subject: &Subject<'_>) -> MaskDelta {
    subject.delta_to(&subject.mask.combined(subject.mask, |a, _| !a))
}

/// The voxels whose values lie in a range.
///
/// # Errors
/// When cancelled.
pub fn threshold(
    subject: &Subject<'_>,
    range: ValueRange,
    how: Combination,
    progress: &Progress,
) -> Result<MaskDelta, SegmentError> {
    let found = threshold::threshold(subject.volume, range, progress)?;
    Ok(combine(subject, &found, how))
}

/// A stroke of the brush along a path in patient space; one point is a dab. While a stroke is drawn, call it with the last
/// two points, apply each delta, and join the inverses with `MaskDelta::absorb_later_inverse`.
pub fn paint(subject: &Subject<'_>, path_in_patient: &[DVec3], brush: Brush, edit: Edit) -> MaskDelta {
    stroke_delta(subject.mask, subject.volume.grid(), path_in_patient, brush, edit, &subject.limits)
}

/// Keeps only the largest connected part.
///
/// # Errors
/// When cancelled.
pub fn keep_largest(
    subject: &Subject<'_>,
    connectivity: Connectivity,
    progress: &Progress,
) -> Result<MaskDelta, SegmentError> {
    Ok(subject.delta_to(&largest_component(subject.mask, connectivity, progress)?))
}

/// Keeps only the connected part that holds a voxel.
///
/// # Errors
/// When the voxel is not of the segment; when cancelled.
pub fn keep_part_at(
    subject: &Subject<'_>,
    voxel: [u32; 3],
    connectivity: Connectivity,
    progress: &Progress,
) -> Result<MaskDelta, SegmentError> {
    let part = component_at(subject.mask, voxel, connectivity, progress)?.ok_or(SegmentError::NothingThere)?;
    Ok(subject.delta_to(&part))
}

/// Removes the connected part that holds a voxel.
///
/// # Errors
/// When the voxel is not of the segment; when cancelled.
pub fn remove_part_at(
    subject: &Subject<'_>,
    voxel: [u32; 3],
    connectivity: Connectivity,
    progress: &Progress,
) -> Result<MaskDelta, SegmentError> {
    let part = component_at(subject.mask, voxel, connectivity, progress)?.ok_or(SegmentError::NothingThere)?;
    Ok(combine(subject, &part, Combination::Difference))
}

/// Removes connected parts smaller than a volume in mm3.
///
/// # Errors
/// When cancelled.
pub fn remove_small(
    subject: &Subject<'_>,
    min_volume_mm3: f64,
    connectivity: Connectivity,
    progress: &Progress,
) -> Result<MaskDelta, SegmentError> {
    let voxel_mm3 = subject.volume.grid().voxel_volume_mm3();
    let parts = Components::of(subject.mask, connectivity, progress)?;
    let counts = parts.voxel_counts();
    // A part of just the volume asked for stays, whatever the last digit of the product.
    let kept = parts.mask_of(|part| counts[part as usize] as f64 * voxel_mm3 >= min_volume_mm3 * (1.0 - 1e-9));
    Ok(subject.delta_to(&kept))
}

/// Fills holes.
///
/// # Errors
/// When cancelled.
pub fn fill_holes(subject: &Subject<'_>, scope: HoleScope, progress: &Progress) -> Result<MaskDelta, SegmentError> {
    Ok(subject.delta_to(&holes::fill_holes(subject.mask, scope, progress)?))
}

/// A cut with the scissors.
///
/// # Errors
/// When cancelled.
pub fn scissors(subject: &Subject<'_>, cut: &Scissors, progress: &Progress) -> Result<MaskDelta, SegmentError> {
    Ok(scissors_delta(subject.mask, subject.volume.grid(), cut, &subject.limits, progress)?)
}

/// Grows (positive) or shrinks (negative) by a distance in mm.
///
/// # Errors
/// When cancelled.
pub fn margin(subject: &Subject<'_>, distance_mm: f64, progress: &Progress) -> Result<MaskDelta, SegmentError> {
    Ok(subject.delta_to(&morphology::with_margin(subject.mask, subject.volume.grid(), distance_mm, progress)?))
}

/// What rounds a segment off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Smoothing {
    /// Loses what is thinner than twice the radius.
    Opening,
    /// Fills gaps narrower than twice the radius.
    Closing,
    /// Each voxel becomes what most of its neighbours within the radius are.
    Majority,
}

/// Rounds the segment off with a ball of a radius in mm.
///
/// # Errors
/// When cancelled.
pub fn smooth(
    subject: &Subject<'_>,
    how: Smoothing,
    radius_mm: f64,
    progress: &Progress,
) -> Result<MaskDelta, SegmentError> {
    let (mask, grid) = (subject.mask, subject.volume.grid());
    let target = match how {
        Smoothing::Opening => morphology::opened(mask, grid, radius_mm, progress)?,
        Smoothing::Closing => morphology::closed(mask, grid, radius_mm, progress)?,
        Smoothing::Majority => morphology::smoothed(mask, grid, radius_mm, progress)?,
    };
    Ok(subject.delta_to(&target))
}
