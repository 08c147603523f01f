//! Scissors: everything inside (or outside) an outline drawn on the screen, cut through the depth of the view.
//!
//! In: a mask and its grid, an outline in normalised device coordinates of a view, that view's `clip_from_patient`
//! (perspective or parallel), optionally a slab that bounds the depth. Out: a `MaskDelta`.
//! A voxel is inside when its centre projects inside the outline (even-odd, so a crossing outline leaves its overlap out);
//! what lies behind the eye projects nowhere and is outside.
//!
//! Blocks of bricks are split until no edge of the outline passes in front of them: those are inside or outside as one, and
//! cost nothing more. In the bricks that an edge passes, a row of voxels projects to a line, and each edge that the line
//! crosses turns the rest of the row over: which side of the line the ends of an edge lie on decides whether it is crossed,
//! so that a corner of the outline counts for exactly one of its two edges.

use std::ops::Range;

use glam::{DMat4, DVec2, DVec3, DVec4, Vec4Swizzles};
use serde::{Deserialize, Serialize};

use crate::domain::grid::{Grid, VoxelBox};
use crate::task::{Cancelled, Progress};

use super::limits::EditLimits;
use super::stamp::{Edit, linear_span, span_bits};
use super::{BRICK_WORDS, BrickBits, MASK_BRICK, Mask, MaskBrick, MaskDelta};

/// Which side of the outline is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CutSide {
    /// What is inside.
    Inside,
    /// What is outside.
    Outside,
}

/// The part of space between two planes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Slab {
    /// A point in the middle, patient space.
    pub center_in_patient: DVec3,
    /// Unit normal of the planes, patient space.
    pub normal_in_patient: DVec3,
    /// Half the distance between the planes, mm.
    pub half_thickness_mm: f64,
}

/// A cut.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scissors {
    /// Corners of the outline in normalised device coordinates (x right, y up, -1 to 1 on the screen); closed by itself.
    pub outline_in_ndc: Vec<DVec2>,
    /// Patient space to clip space of the view.
    pub clip_from_patient: DMat4,
    /// Which side is cut.
    pub side: CutSide,
    /// Takes away, or fills.
    pub edit: Edit,
    /// Only voxels whose centres lie in the slab; `None` goes through everything.
    pub slab: Option<Slab>,
}

/// Clip space of a slice view: x along `right`, y against `down` (unit vectors in patient space), one unit a millimetre,
/// the origin at `origin_in_patient`. For outlines given in mm on a plane.
pub fn clip_from_patient_of_plane(origin_in_patient: DVec3, right: DVec3, down: DVec3) -> DMat4 {
    let axes = glam::DMat3::from_cols(right, -down, right.cross(down)).transpose();
    DMat4::from_mat3(axes) * DMat4::from_translation(-origin_in_patient)
}

/// What a cut changes. An outline of fewer than three points, or with a coordinate that is not finite, changes nothing.
///
/// # Errors
/// When cancelled.
///
/// # Panics
/// When mask, grid and limits are not of the same size.
pub fn scissors_delta(
    mask: &Mask,
    grid: &Grid,
    scissors: &Scissors,
    limits: &EditLimits<'_>,
    progress: &Progress,
) -> Result<MaskDelta, Cancelled> {
    assert_eq!(mask.dims(), grid.dims(), "the mask is of this grid");
    progress.phase("Scissors");
    let outline = &scissors.outline_in_ndc;
    let usable = outline.len() >= 3 && outline.iter().all(|point| point.is_finite());
    if !usable || !scissors.clip_from_patient.is_finite() {
        return Ok(MaskDelta::default());
    }
    let cut = Cut::new(mask, grid, scissors, limits, progress);
    let all: Vec<u32> = (0..cut.edges.len() as u32).collect();
    let bricks = mask.brick_dims();
    let mut bricks = cut.visit([0..bricks[0], 0..bricks[1], 0..bricks[2]], &all)?;
    bricks.sort_unstable_by_key(|(index, _)| *index);
    Ok(MaskDelta { bricks })
}

/// An edge of the outline.
#[derive(Clone, Copy)]
struct Edge {
    from: DVec2,
    to: DVec2,
}

impl Edge {
    /// The line through the edge: positive on one side of it, for homogeneous points (x, y, w).
    fn line(&self) -> DVec3 {
        self.from.extend(1.0).cross(self.to.extend(1.0))
    }

    /// Whether the edge may pass through a box.
    fn may_touch(&self, lower: DVec2, upper: DVec2) -> bool {
        let apart = self.from.min(self.to).cmpgt(upper).any() || self.from.max(self.to).cmplt(lower).any();
        if apart {
            return false;
        }
        let normal = (self.to - self.from).perp();
        let (half, middle) = ((upper - lower) / 2.0, (upper + lower) / 2.0);
        (middle - self.from).dot(normal).abs() <= normal.abs().dot(half)
    }
}

/// How a block of voxels lies to the outline.
enum Block {
    /// No edge passes: all of it inside, or all outside.
    Whole(bool),
    /// These edges may pass.
    Crossed(Vec<u32>),
    /// Part of it lies behind the eye.
    AroundTheEye,
}

struct Cut<'a> {
    mask: &'a Mask,
    limits: &'a EditLimits<'a>,
    progress: &'a Progress,
    clip_from_voxel: DMat4,
    edges: Vec<Edge>,
    side: CutSide,
    edit: Edit,
    /// `depth(voxel) = x i + y j + z k + w`, in half thicknesses: inside the slab from -1 to 1.
    depth: Option<DVec4>,
}

impl<'a> Cut<'a> {
    fn new(
        mask: &'a Mask,
        grid: &Grid,
        scissors: &Scissors,
        limits: &'a EditLimits<'a>,
        progress: &'a Progress,
    ) -> Self {
        let outline = &scissors.outline_in_ndc;
        let next = outline.iter().cycle().skip(1);
        let edges = outline.iter().zip(next).map(|(&from, &to)| Edge { from, to });
        let patient_from_voxel = grid.patient_from_voxel();
        let depth = scissors.slab.map(|slab| {
            let normal = slab.normal_in_patient / slab.half_thickness_mm.max(1e-6);
            let along = patient_from_voxel.matrix3.transpose() * normal;
            along.extend((patient_from_voxel.translation - slab.center_in_patient).dot(normal))
        });
        Self {
            mask,
            limits,
            progress,
            clip_from_voxel: scissors.clip_from_patient * DMat4::from(patient_from_voxel),
            edges: edges.filter(|edge| edge.from != edge.to).collect(),
            side: scissors.side,
            edit: scissors.edit,
            depth,
        }
    }

    /// The bricks of a block that change. `edges` are those that may pass in front of the block.
    fn visit(&self, block: [Range<u32>; 3], edges: &[u32]) -> Result<Vec<(u32, MaskBrick)>, Cancelled> {
        self.progress.check()?;
        let bricks: u32 = block.iter().map(|range| range.end - range.start).product();
        if bricks == 0 || (self.edit == Edit::Erase && bricks <= 64 && self.is_empty(&block)) {
            return Ok(Vec::new());
        }
        let voxels = VoxelBox {
            min: [0, 1, 2].map(|axis| block[axis].start * MASK_BRICK),
            max: [0, 1, 2].map(|axis| (block[axis].end * MASK_BRICK).min(self.mask.dims()[axis])),
        };
        let depths = self.depth_range(&voxels);
        if depths.is_some_and(|(low, high)| low > 1.0 || high < -1.0) {
            return Ok(Vec::new());
        }
        let within_slab = depths.is_none_or(|(low, high)| low >= -1.0 && high <= 1.0);
        let found = self.classify(&voxels, edges);
        if let Block::Whole(inside) = found {
            if inside != (self.side == CutSide::Inside) {
                return Ok(Vec::new());
            }
            if within_slab {
                return Ok(self.whole_bricks(&block));
            }
        }
        if bricks == 1 {
            let index = self.brick_index([block[0].start, block[1].start, block[2].start]);
            return Ok(self.edited_brick(index, &found).into_iter().collect());
        }
        let near = match found {
            Block::Crossed(near) => near,
            // No edge passes, but the slab ends here; the test of a single point needs all edges.
            Block::Whole(_) => Vec::new(),
            Block::AroundTheEye => edges.to_vec(),
        };
        let axis = (0..3).max_by_key(|&axis| block[axis].end - block[axis].start).unwrap_or(0);
        let middle = u32::midpoint(block[axis].start, block[axis].end);
        let (mut lower, mut upper) = (block.clone(), block);
        (lower[axis].end, upper[axis].start) = (middle, middle);
        let (first, second) = rayon::join(|| self.visit(lower, &near), || self.visit(upper, &near));
        let mut both = first?;
        both.extend(second?);
        Ok(both)
    }

    fn brick_index(&self, [bi, bj, bk]: [u32; 3]) -> u32 {
        let [nbi, nbj, _] = self.mask.brick_dims();
        bi + nbi * (bj + nbj * bk)
    }

    fn bricks_of<'b>(&'b self, block: &'b [Range<u32>; 3]) -> impl Iterator<Item = u32> + 'b {
        let [bi, bj, bk] = block;
        bk.clone().flat_map(move |k| bj.clone().flat_map(move |j| bi.clone().map(move |i| self.brick_index([i, j, k]))))
    }

    fn is_empty(&self, block: &[Range<u32>; 3]) -> bool {
        self.bricks_of(block).all(|index| self.mask.bricks()[index as usize] == MaskBrick::Empty)
    }

    /// The bricks of a block that is cut or filled as one.
    fn whole_bricks(&self, block: &[Range<u32>; 3]) -> Vec<(u32, MaskBrick)> {
        self.bricks_of(block).filter_map(|index| self.changed(index, &[u32::MAX; BRICK_WORDS])).collect()
    }

    /// A brick after its `chosen` bits were cut or filled; `None` when it stays as it is.
    fn changed(&self, index: u32, chosen: &BrickBits) -> Option<(u32, MaskBrick)> {
        let old = &self.mask.bricks()[index as usize];
        match (self.edit, old) {
            (Edit::Erase, MaskBrick::Empty) | (Edit::Add, MaskBrick::Full) => return None,
            _ => {}
        }
        let before = self.mask.brick_bits(index);
        let mut after = before;
        for (word, chosen) in after.iter_mut().zip(chosen) {
            match self.edit {
                Edit::Erase => *word &= !chosen,
                Edit::Add => *word |= chosen,
            }
        }
        let after = self.limits.limited(self.mask, index, &before, after);
        let brick = self.mask.normalised_brick(index, after);
        (brick != *old).then_some((index, brick))
    }

    /// A brick that an edge or the end of the slab passes.
    fn edited_brick(&self, index: u32, found: &Block) -> Option<(u32, MaskBrick)> {
        let mut chosen = [0_u32; BRICK_WORDS];
        let brick = self.mask.brick_box(index);
        // Columns of 8 by 8 rows: most of them no edge passes any more.
        for first_k in (brick.min[2]..brick.max[2]).step_by(8) {
            for first_j in (brick.min[1]..brick.max[1]).step_by(8) {
                let block = VoxelBox {
                    min: [brick.min[0], first_j, first_k],
                    max: [brick.max[0], (first_j + 8).min(brick.max[1]), (first_k + 8).min(brick.max[2])],
                };
                let found_here = match found {
                    Block::Whole(inside) => Block::Whole(*inside),
                    Block::Crossed(near) => self.classify(&block, near),
                    Block::AroundTheEye => Block::AroundTheEye,
                };
                self.choose_in_block(&block, &found_here, &mut chosen);
            }
        }
        self.changed(index, &chosen)
    }

    fn choose_in_block(&self, block: &VoxelBox, found: &Block, chosen: &mut BrickBits) {
        let count = block.max[0] - block.min[0];
        let reference = self.clip(block.min);
        let reference_inside = matches!(found, Block::Crossed(_)) && self.contains(ndc(reference));
        for k in block.min[2]..block.max[2] {
            for j in block.min[1]..block.max[1] {
                let inside = match found {
                    Block::Whole(true) => u32::MAX,
                    Block::Whole(false) => 0,
                    Block::Crossed(near) => {
                        self.row_bits([block.min[0], j, k], count, near, (ndc(reference), reference_inside))
                    }
                    Block::AroundTheEye => (0..count).fold(0, |word, bit| {
                        let clip = self.clip([block.min[0] + bit, j, k]);
                        word | u32::from(clip.w > EYE && self.contains(ndc(clip))) << bit
                    }),
                };
                let sided = if self.side == CutSide::Inside { inside } else { !inside };
                chosen[(j % MASK_BRICK + MASK_BRICK * (k % MASK_BRICK)) as usize] =
                    sided & self.slab_bits([block.min[0], j, k], count);
            }
        }
    }

    /// The voxels of a row, all in front of the eye, that project inside the outline; `near` are the edges that may pass
    /// the row or the way to it from the reference point, of which it is known whether it is inside.
    fn row_bits(&self, start: [u32; 3], count: u32, near: &[u32], (reference, inside): (DVec2, bool)) -> u32 {
        let (first, step) = (self.clip(start), self.clip_from_voxel.x_axis);
        let last = first + step * f64::from(count - 1);
        let (a, b) = (ndc(first), ndc(last));
        let along = b - a;
        let mut bits = 0_u32;
        let mut starts_inside = inside;
        for &edge in near {
            let edge = &self.edges[edge as usize];
            if crosses(edge, reference, a) {
                starts_inside = !starts_inside;
            }
            let side = |point: DVec2| along.perp_dot(point - a) >= 0.0;
            if side(edge.from) == side(edge.to) {
                continue;
            }
            let line = edge.line();
            let (offset, slope) = (line.dot(first.xyw()), line.dot(step.xyw()));
            let turn = (-offset / slope).ceil();
            if turn > 0.0 && turn < f64::from(count) {
                bits ^= u32::MAX << turn as u32;
            }
        }
        if starts_inside { !bits } else { bits }
    }

    /// The voxels of a row that lie in the slab.
    fn slab_bits(&self, start: [u32; 3], count: u32) -> u32 {
        let Some(depth) = self.depth else { return u32::MAX };
        let offset = depth.xyz().dot(DVec3::from(start.map(f64::from))) + depth.w;
        let Some((low, high)) = linear_span(offset, depth.x, -1.0, 1.0) else { return 0 };
        let (low, high) = (low.ceil().max(0.0), high.floor().min(f64::from(count) - 1.0));
        if low > high { 0 } else { span_bits(low as u32, high as u32) }
    }

    fn clip(&self, voxel: [u32; 3]) -> DVec4 {
        self.clip_from_voxel * DVec3::from(voxel.map(f64::from)).extend(1.0)
    }

    /// Smallest and largest depth of a block's voxel centres.
    fn depth_range(&self, block: &VoxelBox) -> Option<(f64, f64)> {
        let depth = self.depth?;
        let corners = corners(block).map(|corner| depth.dot(corner.extend(1.0)));
        Some(corners.into_iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), d| (low.min(d), high.max(d))))
    }

    fn classify(&self, block: &VoxelBox, edges: &[u32]) -> Block {
        let clips = corners(block).map(|corner| self.clip_from_voxel * corner.extend(1.0));
        let behind = clips.iter().filter(|clip| clip.w <= EYE).count();
        if behind == clips.len() {
            return Block::Whole(false);
        }
        if behind > 0 {
            return Block::AroundTheEye;
        }
        let (mut lower, mut upper) = (DVec2::INFINITY, DVec2::NEG_INFINITY);
        for clip in clips {
            (lower, upper) = (lower.min(ndc(clip)), upper.max(ndc(clip)));
        }
        // Wider by more than rounding, so that an edge that is left out is clear of every voxel's projection.
        let margin = DVec2::splat(1e-9) * (1.0 + lower.abs().max(upper.abs()));
        let touches = |edge: &u32| self.edges[*edge as usize].may_touch(lower - margin, upper + margin);
        let near: Vec<u32> = edges.iter().copied().filter(touches).collect();
        if near.is_empty() { Block::Whole(self.contains(ndc(clips[0]))) } else { Block::Crossed(near) }
    }

    /// Whether a point lies inside the outline: edges that pass to its right, each with its lower end.
    fn contains(&self, point: DVec2) -> bool {
        let right = |edge: &&Edge| {
            (edge.from.y > point.y) != (edge.to.y > point.y) && {
                let upwards = edge.to.y > edge.from.y;
                (edge.to - edge.from).perp_dot(point - edge.from) > 0.0 && upwards
                    || (edge.to - edge.from).perp_dot(point - edge.from) < 0.0 && !upwards
            }
        };
        self.edges.iter().filter(right).count() % 2 == 1
    }
}

/// Points with a smaller w are behind the eye, or in it.
const EYE: f64 = 1e-9;

fn ndc(clip: DVec4) -> DVec2 {
    clip.xy() / clip.w
}

/// Whether the way from `a` to `b` crosses an edge.
fn crosses(edge: &Edge, a: DVec2, b: DVec2) -> bool {
    let (way, along) = (b - a, edge.to - edge.from);
    let side_of_way = |point: DVec2| way.perp_dot(point - a) >= 0.0;
    let side_of_edge = |point: DVec2| along.perp_dot(point - edge.from) >= 0.0;
    side_of_way(edge.from) != side_of_way(edge.to) && side_of_edge(a) != side_of_edge(b)
}

/// The eight outermost voxel centres of a block.
fn corners(block: &VoxelBox) -> [DVec3; 8] {
    std::array::from_fn(|corner| {
        DVec3::from(std::array::from_fn(|axis| {
            f64::from(if corner >> axis & 1 == 0 { block.min[axis] } else { block.max[axis] - 1 })
        }))
    })
}
