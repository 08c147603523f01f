//! A segment's voxels: sparse bricks of 32^3 bits, copy-on-write.
//!
//! A brick word holds 32 voxels along i (bit 0 = lowest i); word `j + 32 * k` of a brick is its row (j, k).
//! Invariants: bits outside the grid are zero; a brick without voxels is `Empty`, one with all its voxels that lie inside
//! the grid is `Full`; so two masks with the same voxels are equal.

pub mod components;
pub mod distance;
pub mod holes;
pub mod limits;
pub mod morphology;
pub mod outlines;
pub mod range_words;
mod rows;
mod runs;
pub mod scissors;
pub mod stamp;
pub mod threshold;

use std::sync::Arc;

use super::grid::VoxelBox;

/// Edge of a mask brick in voxels.
pub const MASK_BRICK: u32 = 32;
/// Words of a brick: one for each (j, k) row.
pub const BRICK_WORDS: usize = (MASK_BRICK * MASK_BRICK) as usize;

/// The rows of one brick.
pub type BrickBits = [u32; BRICK_WORDS];

/// One brick of a mask. Cloning shares the bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MaskBrick {
    /// No voxel.
    Empty,
    /// Every voxel that lies inside the grid.
    Full,
    /// Some voxels.
    Bits(Arc<BrickBits>),
}

/// A set of voxels of a grid of `dims`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    dims: [u32; 3],
    brick_dims: [u32; 3],
    bricks: Vec<MaskBrick>,
}

/// The bricks that an edit replaced: (brick index, brick before the edit). Applying it gives back the inverse.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MaskDelta {
    /// Brick indices, rising, with the brick to put there.
    pub bricks: Vec<(u32, MaskBrick)>,
}

impl MaskDelta {
    /// Whether nothing would change.
    pub fn is_empty(&self) -> bool {
        self.bricks.is_empty()
    }

    /// Joins the inverse of a later edit to this inverse of an earlier one: where both touched a brick, the older state
    /// is kept. So a stroke of many stamps has one undo record, the state before its first stamp.
    pub fn absorb_later_inverse(&mut self, later: Self) {
        self.merge(later, |older, _| older);
    }

    /// Joins a later edit to this earlier one: where both touched a brick, the newer state is kept.
    pub fn absorb_later_edit(&mut self, later: Self) {
        self.merge(later, |_, newer| newer);
    }

    fn merge(&mut self, later: Self, pick: impl Fn(MaskBrick, MaskBrick) -> MaskBrick) {
        use std::cmp::Ordering;
        let mut merged = Vec::with_capacity(self.bricks.len() + later.bricks.len());
        let mut ours = std::mem::take(&mut self.bricks).into_iter().peekable();
        let mut theirs = later.bricks.into_iter().peekable();
        loop {
            let order = match (ours.peek(), theirs.peek()) {
                (Some((a, _)), Some((b, _))) => a.cmp(b),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => break,
            };
            match order {
                Ordering::Less => merged.extend(ours.next()),
                Ordering::Greater => merged.extend(theirs.next()),
                Ordering::Equal => {
                    let (first, second) = (ours.next(), theirs.next());
                    merged.extend(first.zip(second).map(|((index, a), (_, b))| (index, pick(a, b))));
                }
            }
        }
        self.bricks = merged;
    }

    /// Bytes of bits that this record holds (shared or not): what undo costs.
    pub fn memory_bytes(&self) -> usize {
        let bits = self.bricks.iter().filter(|(_, brick)| matches!(brick, MaskBrick::Bits(_))).count();
        bits * size_of::<BrickBits>() + self.bricks.len() * size_of::<(u32, MaskBrick)>()
    }
}

impl Mask {
    /// No voxel of a grid of `dims`.
    pub fn empty(dims: [u32; 3]) -> Self {
        let brick_dims = dims.map(|n| n.div_ceil(MASK_BRICK));
        let count = brick_dims.iter().map(|&n| n as usize).product();
        Self { dims, brick_dims, bricks: vec![MaskBrick::Empty; count] }
    }

    /// Builds a mask brick by brick, in parallel: `row_word(brick column, j, k)` gives the 32 voxels that start at
    /// `i = 32 * brick column`. Bits outside the grid are dropped.
    pub fn from_row_words(dims: [u32; 3], row_word: impl Fn(u32, u32, u32) -> u32 + Sync) -> Self {
        use rayon::prelude::*;
        let mut mask = Self::empty(dims);
        let (brick_dims, frame) = (mask.brick_dims, Frame { dims, brick_dims: mask.brick_dims });
        mask.bricks.par_iter_mut().enumerate().for_each(|(index, brick)| {
            let [bi, bj, bk] = brick_position(index as u32, brick_dims);
            let mut bits = [0_u32; BRICK_WORDS];
            let size = frame.brick_size(index as u32);
            for k in 0..size[2] {
                for j in 0..size[1] {
                    bits[(j + MASK_BRICK * k) as usize] = row_word(bi, bj * MASK_BRICK + j, bk * MASK_BRICK + k);
                }
            }
            *brick = frame.normalised(index as u32, bits);
        });
        mask
    }

    /// Builds a mask row by row, in parallel: `fill(j, k, words)` writes the words of row (j, k), which come zeroed.
    /// Bits outside the grid are dropped. For input that lies in rows: reads it in memory order.
    pub fn from_rows(dims: [u32; 3], fill: impl Fn(u32, u32, &mut [u32]) + Sync) -> Self {
        use rayon::prelude::*;
        let mut mask = Self::empty(dims);
        let frame = mask.frame();
        let [nbi, nbj, _] = frame.brick_dims;
        mask.bricks.par_chunks_mut(nbi as usize).enumerate().for_each(|(row_of_bricks, bricks)| {
            let first = row_of_bricks as u32 * nbi;
            let (bj, bk) = (row_of_bricks as u32 % nbj, row_of_bricks as u32 / nbj);
            let size = frame.brick_size(first);
            let mut bits = vec![[0_u32; BRICK_WORDS]; nbi as usize];
            let mut words = vec![0_u32; nbi as usize];
            for k in 0..size[2] {
                for j in 0..size[1] {
                    words.fill(0);
                    fill(bj * MASK_BRICK + j, bk * MASK_BRICK + k, &mut words);
                    for (bits, &word) in bits.iter_mut().zip(&words) {
                        bits[(j + MASK_BRICK * k) as usize] = word;
                    }
                }
            }
            for (bi, (brick, bits)) in bricks.iter_mut().zip(&bits).enumerate() {
                *brick = frame.normalised(first + bi as u32, *bits);
            }
        });
        mask
    }

    /// The voxels for which `inside(i, j, k)` holds.
    pub fn from_fn(dims: [u32; 3], inside: impl Fn(u32, u32, u32) -> bool + Sync) -> Self {
        Self::from_row_words(dims, |bi, j, k| {
            let first = bi * MASK_BRICK;
            let count = MASK_BRICK.min(dims[0] - first);
            (0..count).fold(0, |word, bit| word | u32::from(inside(first + bit, j, k)) << bit)
        })
    }

    /// Voxels along i, j, k.
    pub fn dims(&self) -> [u32; 3] {
        self.dims
    }

    /// Bricks along i, j, k.
    pub fn brick_dims(&self) -> [u32; 3] {
        self.brick_dims
    }

    /// All bricks, i fastest.
    pub fn bricks(&self) -> &[MaskBrick] {
        &self.bricks
    }

    /// Index of the brick that holds a voxel.
    pub fn brick_index_of(&self, i: u32, j: u32, k: u32) -> u32 {
        let [nbi, nbj, _] = self.brick_dims;
        i / MASK_BRICK + nbi * (j / MASK_BRICK + nbj * (k / MASK_BRICK))
    }

    /// The voxels that a brick covers.
    pub fn brick_box(&self, brick_index: u32) -> VoxelBox {
        let position = brick_position(brick_index, self.brick_dims);
        VoxelBox {
            min: position.map(|n| n * MASK_BRICK),
            max: std::array::from_fn(|axis| ((position[axis] + 1) * MASK_BRICK).min(self.dims[axis])),
        }
    }

    /// Whether a voxel is in the mask; voxels outside the grid are not.
    pub fn contains(&self, i: u32, j: u32, k: u32) -> bool {
        if i >= self.dims[0] || j >= self.dims[1] || k >= self.dims[2] {
            return false;
        }
        self.row_word(i / MASK_BRICK, j, k) >> (i % MASK_BRICK) & 1 == 1
    }

    /// The 32 voxels of row (j, k) that start at `i = 32 * bi`.
    #[inline]
    pub fn row_word(&self, bi: u32, j: u32, k: u32) -> u32 {
        let [nbi, nbj, _] = self.brick_dims;
        let index = bi + nbi * (j / MASK_BRICK + nbj * (k / MASK_BRICK));
        match &self.bricks[index as usize] {
            MaskBrick::Empty => 0,
            MaskBrick::Full => column_mask(bi, self.dims[0]),
            MaskBrick::Bits(bits) => bits[(j % MASK_BRICK + MASK_BRICK * (k % MASK_BRICK)) as usize],
        }
    }

    /// A copy of the words of one brick.
    pub fn brick_bits(&self, brick_index: u32) -> BrickBits {
        match &self.bricks[brick_index as usize] {
            MaskBrick::Empty => [0; BRICK_WORDS],
            MaskBrick::Full => self.frame().full_bits(brick_index),
            MaskBrick::Bits(bits) => **bits,
        }
    }

    /// The brick that holds just these bits (those outside the grid are dropped), in its one normal form.
    pub fn normalised_brick(&self, brick_index: u32, bits: BrickBits) -> MaskBrick {
        self.frame().normalised(brick_index, bits)
    }

    /// Replaces bricks and returns what puts them back. Costs the bricks touched, not the mask.
    ///
    /// # Panics
    /// When a brick index is not of this mask.
    pub fn apply(&mut self, delta: MaskDelta) -> MaskDelta {
        let bricks = delta.bricks.into_iter().map(|(index, brick)| {
            let before = std::mem::replace(&mut self.bricks[index as usize], brick);
            (index, before)
        });
        MaskDelta { bricks: bricks.collect() }
    }

    /// Voxels of a brick that lie inside the grid, along i, j, k.
    pub fn brick_size(&self, brick_index: u32) -> [u32; 3] {
        self.frame().brick_size(brick_index)
    }

    /// What turns this mask into `target`.
    ///
    /// # Panics
    /// When the two are not of the same size.
    pub fn delta_to(&self, target: &Self) -> MaskDelta {
        assert_eq!(self.dims, target.dims, "masks of one grid");
        let differs = |a: &MaskBrick, b: &MaskBrick| match (a, b) {
            (MaskBrick::Bits(a), MaskBrick::Bits(b)) => !Arc::ptr_eq(a, b) && a != b,
            _ => a != b,
        };
        let pairs = self.bricks.iter().zip(&target.bricks).enumerate();
        let bricks = pairs.filter(|(_, (a, b))| differs(a, b)).map(|(index, (_, b))| (index as u32, b.clone()));
        MaskDelta { bricks: bricks.collect() }
    }

    /// Combines two masks word by word: union is `|a, b| a | b`, difference is `|a, b| a & !b`, and so on.
    ///
    /// # Panics
    /// When the two are not of the same size.
    pub fn combined(&self, other: &Self, op: impl Fn(u32, u32) -> u32 + Sync) -> Self {
        assert_eq!(self.dims, other.dims, "masks of one grid");
        Self::from_row_words(self.dims, |bi, j, k| op(self.row_word(bi, j, k), other.row_word(bi, j, k)))
    }

    /// The same voxels with the first and the last axis exchanged.
    pub fn with_i_and_k_exchanged(&self) -> Self {
        use rayon::prelude::*;
        let [ni, nj, nk] = self.dims;
        let mut exchanged = Self::empty([nk, nj, ni]);
        let frame = exchanged.frame();
        exchanged.bricks.par_iter_mut().enumerate().for_each(|(index, brick)| {
            let [bk, bj, bi] = brick_position(index as u32, frame.brick_dims);
            let [nbi, nbj, _] = self.brick_dims;
            let source = bi + nbi * (bj + nbj * bk);
            *brick = match &self.bricks[source as usize] {
                MaskBrick::Bits(bits) => {
                    let mut turned = [0_u32; BRICK_WORDS];
                    for j in 0..MASK_BRICK as usize {
                        let mut square: [u32; 32] = std::array::from_fn(|k| bits[j + 32 * k]);
                        transpose_bits(&mut square);
                        square.iter().enumerate().for_each(|(i, &word)| turned[j + 32 * i] = word);
                    }
                    frame.normalised(index as u32, turned)
                }
                whole => whole.clone(),
            };
        });
        exchanged
    }

    /// Number of voxels.
    pub fn voxel_count(&self) -> u64 {
        let frame = self.frame();
        let count = |(index, brick): (usize, &MaskBrick)| match brick {
            MaskBrick::Empty => 0,
            MaskBrick::Full => frame.brick_size(index as u32).iter().map(|&n| u64::from(n)).product(),
            MaskBrick::Bits(bits) => bits.iter().map(|word| u64::from(word.count_ones())).sum(),
        };
        self.bricks.iter().enumerate().map(count).sum()
    }

    /// Whether no voxel is in the mask.
    pub fn is_empty(&self) -> bool {
        self.bricks.iter().all(|brick| *brick == MaskBrick::Empty)
    }

    /// Smallest box around the mask's voxels; `None` when it is empty.
    pub fn bounds(&self) -> Option<VoxelBox> {
        let mut bounds: Option<VoxelBox> = None;
        for (index, brick) in self.bricks.iter().enumerate() {
            let around = match brick {
                MaskBrick::Empty => continue,
                MaskBrick::Full => self.brick_box(index as u32),
                MaskBrick::Bits(bits) => bits_bounds(bits, self.brick_box(index as u32).min),
            };
            bounds = Some(bounds.map_or(around, |bounds| bounds.union(&around)));
        }
        bounds
    }

    /// Bytes that this mask holds by itself or shares with its copies.
    pub fn memory_bytes(&self) -> usize {
        let bits = self.bricks.iter().filter(|brick| matches!(brick, MaskBrick::Bits(_))).count();
        bits * size_of::<BrickBits>() + self.bricks.len() * size_of::<MaskBrick>()
    }

    fn frame(&self) -> Frame {
        Frame { dims: self.dims, brick_dims: self.brick_dims }
    }
}

/// Position (bi, bj, bk) of a brick.
pub fn brick_position(brick_index: u32, brick_dims: [u32; 3]) -> [u32; 3] {
    let [nbi, nbj, _] = brick_dims;
    [brick_index % nbi, brick_index / nbi % nbj, brick_index / (nbi * nbj)]
}

/// The bits of brick column `bi` that lie inside a row of `ni` voxels.
#[inline]
pub fn column_mask(bi: u32, ni: u32) -> u32 {
    let left = ni - bi * MASK_BRICK;
    if left >= 32 { u32::MAX } else { (1 << left) - 1 }
}

/// Exchanges rows and columns of a square of 32 by 32 bits: bit i of word k becomes bit k of word i.
/// Source: Warren, "Hacker's Delight", section 7-3 (swapping ever smaller blocks).
fn transpose_bits(square: &mut [u32; 32]) {
    let (mut size, mut mask) = (16, 0x0000_FFFF_u32);
    while size > 0 {
        for first in (0..32).filter(|row| row & size == 0) {
            let swapped = (square[first] >> size ^ square[first + size]) & mask;
            square[first] ^= swapped << size;
            square[first + size] ^= swapped;
        }
        size /= 2;
        mask ^= mask << size;
    }
}

/// Size of a mask and its bricks, without the bricks.
#[derive(Clone, Copy)]
struct Frame {
    dims: [u32; 3],
    brick_dims: [u32; 3],
}

impl Frame {
    /// Voxels of a brick that lie inside the grid.
    fn brick_size(&self, brick_index: u32) -> [u32; 3] {
        let position = brick_position(brick_index, self.brick_dims);
        std::array::from_fn(|axis| MASK_BRICK.min(self.dims[axis] - position[axis] * MASK_BRICK))
    }

    fn full_bits(&self, brick_index: u32) -> BrickBits {
        let [bi, _, _] = brick_position(brick_index, self.brick_dims);
        let (size, word) = (self.brick_size(brick_index), column_mask(bi, self.dims[0]));
        let mut bits = [0; BRICK_WORDS];
        for k in 0..size[2] {
            for j in 0..size[1] {
                bits[(j + MASK_BRICK * k) as usize] = word;
            }
        }
        bits
    }

    fn normalised(&self, brick_index: u32, mut bits: BrickBits) -> MaskBrick {
        let full = self.full_bits(brick_index);
        bits.iter_mut().zip(&full).for_each(|(word, full)| *word &= full);
        if bits.iter().all(|&word| word == 0) {
            MaskBrick::Empty
        } else if bits == full {
            MaskBrick::Full
        } else {
            MaskBrick::Bits(Arc::new(bits))
        }
    }
}

fn bits_bounds(bits: &BrickBits, origin: [u32; 3]) -> VoxelBox {
    let (mut min, mut max) = ([u32::MAX; 3], [0; 3]);
    for (row, &word) in bits.iter().enumerate().filter(|(_, word)| **word != 0) {
        let (j, k) = (row as u32 % MASK_BRICK, row as u32 / MASK_BRICK);
        let first = [word.trailing_zeros(), j, k];
        let last = [32 - word.leading_zeros(), j + 1, k + 1];
        for axis in 0..3 {
            min[axis] = min[axis].min(origin[axis] + first[axis]);
            max[axis] = max[axis].max(origin[axis] + last[axis]);
        }
    }
    VoxelBox { min, max }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_forms_make_equal_masks_equal() {
        let all = Mask::from_fn([40, 33, 5], |_, _, _| true);
        assert!(all.bricks().iter().all(|brick| *brick == MaskBrick::Full), "border bricks are full too");
        assert_eq!(all.voxel_count(), 40 * 33 * 5);
        assert_eq!(all.combined(&all, |a, b| a & !b), Mask::empty([40, 33, 5]));
    }

    #[test]
    fn delta_and_inverse_restore() {
        let mut mask = Mask::from_fn([70, 40, 40], |i, j, k| (i + j + k) % 3 == 0);
        let before = mask.clone();
        let target = Mask::from_fn([70, 40, 40], |i, j, k| (i + j + k) % 3 == 0 && i != 64);
        let inverse = mask.apply(before.delta_to(&target));
        assert_eq!(mask, target);
        assert!(inverse.bricks.len() < mask.bricks().len(), "only the touched bricks are kept");
        let again = mask.apply(inverse);
        assert_eq!(mask, before);
        mask.apply(again);
        assert_eq!(mask, target);
    }

    #[test]
    fn bounds_are_tight() {
        let mask = Mask::from_fn([70, 40, 40], |i, j, k| (33..=64).contains(&i) && j == 39 && k > 1);
        assert_eq!(mask.bounds(), Some(VoxelBox { min: [33, 39, 2], max: [65, 40, 40] }));
        assert_eq!(Mask::empty([3, 3, 3]).bounds(), None);
        assert!(mask.contains(64, 39, 2) && !mask.contains(65, 39, 2) && !mask.contains(700, 0, 0));
    }
}
