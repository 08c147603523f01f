//! Brush strokes: the voxels within a radius of a path, added or taken away.
//!
//! In: a mask and its grid, the points of a stroke in patient space (mm), a brush. Out: a `MaskDelta`. Distances are measured
//! in millimetres whatever the voxel's shape, sheared grids included. A stroke is a chain of capsules (sphere brush) or flat
//! stadiums (disc brush), so it has no gaps however far apart its points are. A row of voxels is a line in patient space and
//! cuts a capsule in one span, found in closed form; only bricks that a capsule reaches are visited.
//! The voxel under each point of the path is always painted, however small the brush.

use glam::{DAffine3, DVec3};
use serde::{Deserialize, Serialize};

use crate::domain::grid::Grid;

use super::limits::EditLimits;
use super::{BRICK_WORDS, BrickBits, MASK_BRICK, Mask, MaskBrick, MaskDelta};

/// Shape of a brush.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum BrushShape {
    /// All voxels within the radius.
    Sphere,
    /// The voxels of one layer within the radius in the plane: the layer nearest to the plane through the stroke.
    Disc {
        /// Unit normal of the slice that is painted on, in patient space.
        normal_in_patient: DVec3,
    },
}

/// A brush.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Brush {
    /// Shape.
    pub shape: BrushShape,
    /// Radius in mm.
    pub radius_mm: f64,
}

/// What a brush does to the voxels under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Edit {
    /// Puts them into the mask.
    Add,
    /// Takes them out of the mask.
    Erase,
}

/// What a stroke along `path_in_patient` (one point is a dab) changes.
///
/// # Panics
/// When mask, grid and limits are not of the same size.
pub fn stroke_delta(
    mask: &Mask,
    grid: &Grid,
    path_in_patient: &[DVec3],
    brush: Brush,
    edit: Edit,
    limits: &EditLimits<'_>,
) -> MaskDelta {
    assert_eq!(mask.dims(), grid.dims(), "the mask is of this grid");
    let finite = path_in_patient.iter().all(|point| point.is_finite()) && brush.radius_mm.is_finite();
    let (Some(&first), true) = (path_in_patient.first(), finite) else { return MaskDelta::default() };
    let mut stamps: Vec<Capsule> =
        path_in_patient.windows(2).map(|ends| Capsule::new(grid, ends[0], ends[1], brush)).collect();
    if stamps.is_empty() {
        stamps.push(Capsule::new(grid, first, first, brush));
    }
    let mut touched: Vec<u32> = stamps.iter().flat_map(|stamp| stamp.bricks(mask)).collect();
    touched.sort_unstable();
    touched.dedup();
    let edited = |index: u32| {
        let old = &mask.bricks()[index as usize];
        match (edit, old) {
            (Edit::Add, MaskBrick::Full) | (Edit::Erase, MaskBrick::Empty) => return None,
            _ => {}
        }
        let mut stamped = [0_u32; BRICK_WORDS];
        let mut any = false;
        for stamp in &stamps {
            any |= stamp.mark(mask, index, &mut stamped);
        }
        if !any {
            return None;
        }
        let before = mask.brick_bits(index);
        let mut after = before;
        for (word, stamp) in after.iter_mut().zip(&stamped) {
            match edit {
                Edit::Add => *word |= stamp,
                Edit::Erase => *word &= !stamp,
            }
        }
        let after = limits.limited(mask, index, &before, after);
        if after == before {
            return None;
        }
        Some((index, mask.normalised_brick(index, after)))
    };
    MaskDelta { bricks: touched.into_iter().filter_map(edited).collect() }
}

/// One piece of a stroke.
struct Capsule {
    patient_from_voxel: DAffine3,
    voxel_from_patient: DAffine3,
    from: DVec3,
    to: DVec3,
    radius_mm: f64,
    /// Normal and half thickness of the layer that a disc paints.
    layer: Option<(DVec3, f64)>,
    /// Radius of the ball around a brick of 32^3 voxels, mm.
    brick_radius_mm: f64,
    /// Brushes smaller than this can miss every voxel centre, so the path itself is drawn too.
    path_is_drawn: bool,
    dims: [u32; 3],
}

impl Capsule {
    fn new(grid: &Grid, from: DVec3, to: DVec3, brush: Brush) -> Self {
        let patient_from_voxel = grid.patient_from_voxel();
        let axes = patient_from_voxel.matrix3;
        let half_diagonal = (axes.x_axis.length() + axes.y_axis.length() + axes.z_axis.length()) / 2.0;
        let layer = match brush.shape {
            BrushShape::Sphere => None,
            BrushShape::Disc { normal_in_patient } => {
                let normal = normal_in_patient.normalize_or(DVec3::Z);
                let steps = [axes.x_axis, axes.y_axis, axes.z_axis].map(|axis| axis.dot(normal).abs());
                Some((normal, steps.into_iter().fold(0.0, f64::max) / 2.0))
            }
        };
        // A disc's stroke lies in the plane of its newer end.
        let from = layer.map_or(from, |(normal, _)| from - normal * (from - to).dot(normal));
        Self {
            patient_from_voxel,
            voxel_from_patient: grid.voxel_from_patient(),
            from,
            to,
            radius_mm: brush.radius_mm.max(0.0),
            layer,
            brick_radius_mm: half_diagonal * f64::from(MASK_BRICK),
            path_is_drawn: brush.radius_mm < half_diagonal,
            dims: grid.dims(),
        }
    }

    /// Half-open box of voxels around the piece, cut to the grid; `None` when it misses the grid.
    fn voxel_bounds(&self) -> Option<([u32; 3], [u32; 3])> {
        // A row of the inverse, times the radius, is how far a ball reaches along that voxel axis. The layer of a disc
        // reaches half a voxel out of its plane, and the path half a voxel around itself: one voxel more covers both.
        let rows = self.voxel_from_patient.matrix3.transpose();
        let ends = [self.from, self.to].map(|end| self.voxel_from_patient.transform_point3(end));
        let (mut min, mut max) = ([0; 3], [0; 3]);
        for (axis, row) in [rows.x_axis, rows.y_axis, rows.z_axis].into_iter().enumerate() {
            let thickness = self.layer.map_or(0.0, |(normal, half)| row.dot(normal).abs() * half);
            let reach = row.length() * self.radius_mm + thickness + 1.0;
            let low = (ends[0][axis].min(ends[1][axis]) - reach).floor().max(0.0);
            let high = (ends[0][axis].max(ends[1][axis]) + reach).ceil().min(f64::from(self.dims[axis]) - 1.0);
            if low > high {
                return None;
            }
            (min[axis], max[axis]) = (low as u32, high as u32 + 1);
        }
        Some((min, max))
    }

    /// The bricks that the piece may reach.
    fn bricks(&self, mask: &Mask) -> Vec<u32> {
        let Some((min, max)) = self.voxel_bounds() else { return Vec::new() };
        let [nbi, nbj, _] = mask.brick_dims();
        let range = |axis: usize| min[axis] / MASK_BRICK..(max[axis] - 1) / MASK_BRICK + 1;
        let mut found = Vec::new();
        for bk in range(2) {
            for bj in range(1) {
                for bi in range(0) {
                    let middle = DVec3::new(f64::from(bi), f64::from(bj), f64::from(bk)) * f64::from(MASK_BRICK)
                        + (f64::from(MASK_BRICK) - 1.0) / 2.0;
                    let middle = self.patient_from_voxel.transform_point3(middle);
                    let reach = self.radius_mm + self.brick_radius_mm + self.layer.map_or(0.0, |(_, half)| half);
                    if distance_to_segment(middle, self.from, self.to) <= reach {
                        found.push(bi + nbi * (bj + nbj * bk));
                    }
                }
            }
        }
        found
    }

    /// Sets the bits of a brick's voxels inside the piece; says whether it set any.
    fn mark(&self, mask: &Mask, brick_index: u32, bits: &mut BrickBits) -> bool {
        let Some((min, max)) = self.voxel_bounds() else { return false };
        let brick = mask.brick_box(brick_index);
        let first: [u32; 3] = std::array::from_fn(|axis| min[axis].max(brick.min[axis]));
        let end: [u32; 3] = std::array::from_fn(|axis| max[axis].min(brick.max[axis]));
        let mut any = false;
        let step = self.patient_from_voxel.matrix3.x_axis;
        for k in first[2]..end[2] {
            for j in first[1]..end[1] {
                // Counted from the brick's first column: small numbers keep the span exact.
                let start = DVec3::new(f64::from(brick.min[0]), f64::from(j), f64::from(k));
                let start = self.patient_from_voxel.transform_point3(start);
                let Some((low, high)) = self.row_span(start, step) else { continue };
                let low = low.ceil().max(0.0);
                let high = high.floor().min(f64::from(brick.max[0] - brick.min[0]) - 1.0);
                if low <= high {
                    bits[row_of(j, k)] |= span_bits(low as u32, high as u32);
                    any = true;
                }
            }
        }
        if self.path_is_drawn {
            any |= self.mark_path(brick.min, brick.max, bits);
        }
        any
    }

    /// The voxels that the path itself passes.
    fn mark_path(&self, min: [u32; 3], max: [u32; 3], bits: &mut BrickBits) -> bool {
        let (from, to) =
            (self.voxel_from_patient.transform_point3(self.from), self.voxel_from_patient.transform_point3(self.to));
        let steps = ((to - from).abs().max_element() * 4.0).ceil().max(1.0) as u32;
        let mut any = false;
        for step in 0..=steps {
            let voxel = from.lerp(to, f64::from(step) / f64::from(steps)).round();
            let inside = (0..3).all(|axis| voxel[axis] >= f64::from(min[axis]) && voxel[axis] < f64::from(max[axis]));
            if inside {
                bits[row_of(voxel.y as u32, voxel.z as u32)] |= 1 << (voxel.x as u32 % MASK_BRICK);
                any = true;
            }
        }
        any
    }

    /// The part `low..=high` of the line `start + t * step` that lies inside the piece. It is one span, because the piece is
    /// convex: the hull of the spans in its two caps and in the cylinder between them.
    fn row_span(&self, start: DVec3, step: DVec3) -> Option<(f64, f64)> {
        let mut window = (f64::NEG_INFINITY, f64::INFINITY);
        let (mut offset, mut along) = (start - self.from, step);
        if let Some((normal, half)) = self.layer {
            let tolerance = half * 1e-9;
            window = linear_span(offset.dot(normal), along.dot(normal), -half + tolerance, half + tolerance)?;
            offset -= normal * offset.dot(normal);
            along -= normal * along.dot(normal);
        }
        let reach = self.radius_mm * (1.0 + 1e-12) + 1e-9;
        let path = self.to - self.from;
        let length = path.length();
        let mut hull = quadratic_span(offset, along, reach);
        if length > 0.0 {
            hull = union(hull, quadratic_span(offset - path, along, reach));
            let direction = path / length;
            let (o, d) = (offset.dot(direction), along.dot(direction));
            let between = linear_span(o, d, 0.0, length);
            let tube = quadratic_span(offset - direction * o, along - direction * d, reach);
            hull = union(hull, between.zip(tube).and_then(|(a, b)| intersection(a, b)));
        }
        intersection(hull?, window)
    }
}

fn row_of(j: u32, k: u32) -> usize {
    (j % MASK_BRICK + MASK_BRICK * (k % MASK_BRICK)) as usize
}

/// Bits `low..=high` of a word.
pub(super) fn span_bits(low: u32, high: u32) -> u32 {
    (u32::MAX >> (31 - high)) & (u32::MAX << low)
}

fn union(a: Option<(f64, f64)>, b: Option<(f64, f64)>) -> Option<(f64, f64)> {
    match (a, b) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        (one, other) => one.or(other),
    }
}

fn intersection(a: (f64, f64), b: (f64, f64)) -> Option<(f64, f64)> {
    let (low, high) = (a.0.max(b.0), a.1.min(b.1));
    (low <= high).then_some((low, high))
}

/// Where `lower <= offset + t * slope <= upper`.
pub(super) fn linear_span(offset: f64, slope: f64, lower: f64, upper: f64) -> Option<(f64, f64)> {
    if slope.abs() < 1e-12 {
        return (lower <= offset && offset <= upper).then_some((f64::NEG_INFINITY, f64::INFINITY));
    }
    let (a, b) = ((lower - offset) / slope, (upper - offset) / slope);
    Some((a.min(b), a.max(b)))
}

/// Where `|offset + t * along| <= reach`.
fn quadratic_span(offset: DVec3, along: DVec3, reach: f64) -> Option<(f64, f64)> {
    let a = along.length_squared();
    let nearest = if a < 1e-18 { 0.0 } else { -offset.dot(along) / a };
    let room = reach * reach - (offset + along * nearest).length_squared();
    if room < 0.0 {
        return None;
    }
    if a < 1e-18 {
        return Some((f64::NEG_INFINITY, f64::INFINITY));
    }
    let half = (room / a).sqrt();
    Some((nearest - half, nearest + half))
}

fn distance_to_segment(point: DVec3, from: DVec3, to: DVec3) -> f64 {
    let path = to - from;
    let squared = path.length_squared();
    let t = if squared > 0.0 { ((point - from).dot(path) / squared).clamp(0.0, 1.0) } else { 0.0 };
    point.distance(from + path * t)
}
