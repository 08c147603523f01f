//! Mask bricks of many segments to one set number for each voxel.
//!
//! In: for one brick, the bricks of all segments there. Out: one number for all voxels, or 32^3 numbers, i fastest.
//! Words are taken whole: the voxels of a row that share a set step together, so that the usual row costs one step.

use std::sync::{Mutex, PoisonError};

use super::sets::SetTable;
use crate::domain::mask::{BRICK_WORDS, MASK_BRICK, MaskBrick};

/// Voxels of a brick.
pub(super) const BRICK_VOXELS: usize = BRICK_WORDS * MASK_BRICK as usize;

/// Set numbers of one brick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BrickLabels {
    /// All voxels (that lie in the grid) have this set.
    Uniform(u16),
    /// One for each voxel.
    Each(Box<[u16]>),
}

/// Steps from set to set, asking the shared table only for steps that this brick has not made yet.
struct Steps<'a, 't> {
    table: &'a Mutex<&'t mut SetTable>,
    known: Vec<(u16, u16, u16)>,
}

impl Steps<'_, '_> {
    fn with(&mut self, set: u16, slot: u16) -> u16 {
        // The newest steps are the likeliest: segments come one after the other.
        if let Some(&(.., next)) = self.known.iter().rev().find(|(from, by, _)| *from == set && *by == slot) {
            return next;
        }
        let next = self.table.lock().unwrap_or_else(PoisonError::into_inner).with(set, slot);
        self.known.push((set, slot, next));
        next
    }
}

/// Set numbers of the brick in which the given segments (slot, brick) lie.
pub(super) fn label_brick(segments: &[(u16, &MaskBrick)], table: &Mutex<&mut SetTable>) -> BrickLabels {
    let mut steps = Steps { table, known: Vec::new() };
    // Full bricks move all voxels alike.
    let mut start = 0;
    for (slot, _) in segments.iter().filter(|(_, brick)| **brick == MaskBrick::Full) {
        start = steps.with(start, *slot);
    }
    if !segments.iter().any(|(_, brick)| matches!(brick, MaskBrick::Bits(_))) {
        return BrickLabels::Uniform(start);
    }
    let mut labels = vec![start; BRICK_VOXELS].into_boxed_slice();
    for (slot, brick) in segments {
        let MaskBrick::Bits(bits) = brick else { continue };
        for (row, &word) in labels.chunks_exact_mut(MASK_BRICK as usize).zip(bits.iter()) {
            step_row(row, word, *slot, &mut steps);
        }
    }
    BrickLabels::Each(labels)
}

fn step_row(row: &mut [u16], word: u32, slot: u16, steps: &mut Steps<'_, '_>) {
    let mut left = word;
    while left != 0 {
        let set = row[left.trailing_zeros() as usize];
        let next = steps.with(set, slot);
        let mut moved = 0;
        for (bit, label) in row.iter_mut().enumerate() {
            let moves = *label == set && left >> bit & 1 == 1;
            moved |= u32::from(moves) << bit;
            *label = if moves { next } else { *label };
        }
        left &= !moved;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn every_voxel_gets_the_set_of_its_segments() {
        let bits = |seed: u32| {
            let words = std::array::from_fn(|n| (n as u32).wrapping_mul(2_654_435_761).rotate_left(seed) ^ seed);
            MaskBrick::Bits(Arc::new(words))
        };
        let bricks = [(0, bits(3)), (1, MaskBrick::Full), (2, MaskBrick::Empty), (5, bits(11)), (9, bits(20))];
        let segments: Vec<(u16, &MaskBrick)> = bricks.iter().map(|(slot, brick)| (*slot, brick)).collect();
        let mut table = SetTable::new();
        let BrickLabels::Each(labels) = label_brick(&segments, &Mutex::new(&mut table)) else {
            panic!("three segments are mixed");
        };
        for (voxel, &label) in labels.iter().enumerate() {
            let inside = |brick: &MaskBrick| match brick {
                MaskBrick::Empty => false,
                MaskBrick::Full => true,
                MaskBrick::Bits(bits) => bits[voxel / 32] >> (voxel % 32) & 1 == 1,
            };
            let expected: Vec<u16> = bricks.iter().filter(|(_, brick)| inside(brick)).map(|(slot, _)| *slot).collect();
            assert_eq!(*table.sets()[label as usize], *expected);
        }
    }
}
