//! Growing, shrinking, opening and closing by a ball of a radius in mm; smoothing by majority.
//!
//! In: a mask, its grid, a distance. Out: a mask. A voxel belongs to the ball when its centre is within the radius in mm,
//! whatever the shape of the voxels, sheared grids included: results are exact on the lattice of voxel centres.
//!
//! The ball is a set of row spans: growing by it is, for each (dj, dk), a row spread along i and laid over another row, 64
//! voxels a word. Spreads of equal length are made once for all rows.
//! For large radii on grids with axes at right angles the exact distance (`distance`) is thresholded instead: same result.
//!
//! At the border of the grid the object is taken to go on: shrinking does not eat from the border, where the scan ended but
//! the patient did not; closing does not glue to it.

use glam::DVec3;
use rayon::prelude::*;

use crate::domain::grid::Grid;
use crate::task::{Cancelled, Progress};

use super::Mask;
use super::distance::{has_right_angles, squared_distances_mm2};
use super::rows::{BitRows, RowBox, bits_between, shift_row};

/// More rows than this in a ball, and the distance is cheaper.
const MOST_BALL_ROWS: usize = 3000;

/// All voxels within `distance_mm` of a voxel of the mask; for a negative distance, the voxels farther than that from every
/// voxel that is not in the mask.
///
/// # Errors
/// When cancelled.
pub fn with_margin(mask: &Mask, grid: &Grid, distance_mm: f64, progress: &Progress) -> Result<Mask, Cancelled> {
    if distance_mm >= 0.0 {
        grown(mask, grid, distance_mm, progress)
    } else {
        shrunk(mask, grid, -distance_mm, progress)
    }
}

/// All voxels within `radius_mm` of a voxel of the mask.
///
/// # Errors
/// When cancelled.
pub fn grown(mask: &Mask, grid: &Grid, radius_mm: f64, progress: &Progress) -> Result<Mask, Cancelled> {
    progress.phase("Grow");
    let ball = Ball::within(grid, radius_mm);
    let Some(bounds) = mask.bounds() else { return Ok(mask.clone()) };
    if ball.rows.len() > MOST_BALL_ROWS && has_right_angles(grid) {
        return grown_by_distance(mask, grid, radius_mm, progress);
    }
    let around = grown_box(signed(bounds.min), signed(bounds.max), ball.reach, Some(mask.dims()));
    Ok(ball.dilated(&BitRows::of(mask, around), progress)?.to_mask(mask.dims()))
}

/// The voxels farther than `radius_mm` from every voxel of the grid that is not in the mask.
///
/// # Errors
/// When cancelled.
pub fn shrunk(mask: &Mask, grid: &Grid, radius_mm: f64, progress: &Progress) -> Result<Mask, Cancelled> {
    progress.phase("Shrink");
    let ball = Ball::within(grid, radius_mm);
    let Some(bounds) = mask.bounds() else { return Ok(mask.clone()) };
    if ball.rows.len() > MOST_BALL_ROWS && has_right_angles(grid) {
        let background = mask.combined(mask, |a, _| !a);
        let eaten = grown_by_distance(&background, grid, radius_mm, progress)?;
        return Ok(mask.combined(&eaten, |a, b| a & !b));
    }
    // Background farther than one voxel from the box of the mask is never the nearest.
    let around = grown_box(signed(bounds.min), signed(bounds.max), [1; 3], Some(mask.dims()));
    let background = BitRows::of(mask, around).complement(around);
    let eaten = ball.dilated(&background, progress)?.to_mask(mask.dims());
    Ok(mask.combined(&eaten, |a, b| a & !b))
}

/// Shrunk, then grown: loses what is thinner than twice the radius.
///
/// # Errors
/// When cancelled.
pub fn opened(mask: &Mask, grid: &Grid, radius_mm: f64, progress: &Progress) -> Result<Mask, Cancelled> {
    let core = shrunk(mask, grid, radius_mm, progress)?;
    let back = grown(&core, grid, radius_mm, progress)?;
    Ok(back.combined(mask, |a, b| a & b))
}

/// Grown, then shrunk: fills gaps narrower than twice the radius. Works on a box that reaches out of the grid.
///
/// # Errors
/// When cancelled.
pub fn closed(mask: &Mask, grid: &Grid, radius_mm: f64, progress: &Progress) -> Result<Mask, Cancelled> {
    progress.phase("Close");
    let ball = Ball::new(grid, radius_mm, i32::MAX);
    let Some(bounds) = mask.bounds() else { return Ok(mask.clone()) };
    let around = grown_box(signed(bounds.min), signed(bounds.max), ball.reach.map(|n| n + 1), None);
    let grown = ball.dilated(&BitRows::of(mask, around), progress)?;
    let within = grown.around;
    let eaten = ball.dilated(&grown.complement(within), progress)?;
    let closed = eaten.complement(within).to_mask(mask.dims());
    // What lies near the end of the working box was not shrunk from beyond it; closing never leaves the box of the mask.
    let inside = Mask::from_rows(mask.dims(), |j, k, words| {
        if (bounds.min[1]..bounds.max[1]).contains(&j) && (bounds.min[2]..bounds.max[2]).contains(&k) {
            let run = super::runs::Run { start: bounds.min[0] as u16, end: bounds.max[0] as u16 };
            super::runs::set_bits(words, run);
        }
    });
    Ok(closed.combined(&inside, |a, b| a & b))
}

/// Each voxel becomes what most of the voxels within `radius_mm` are (itself included; a tie leaves it as it is): rounds off
/// steps and single voxels. Beyond the border of the grid there is nothing to count.
///
/// # Errors
/// When cancelled.
pub fn smoothed(mask: &Mask, grid: &Grid, radius_mm: f64, progress: &Progress) -> Result<Mask, Cancelled> {
    progress.phase("Smooth");
    let ball = Ball::within(grid, radius_mm);
    let Some(bounds) = mask.bounds() else { return Ok(mask.clone()) };
    let around = grown_box(signed(bounds.min), signed(bounds.max), ball.reach, Some(mask.dims()));
    let source = BitRows::of(mask, around);
    let mut result = BitRows::empty(around);
    result.rows_mut().try_for_each(|(j, k, words)| {
        progress.check()?;
        for (n, word) in words.iter_mut().enumerate() {
            *word = ball.majority(&source, mask.dims(), [64 * n as i32, j, k]);
        }
        Ok(())
    })?;
    Ok(result.to_mask(mask.dims()))
}

fn grown_by_distance(mask: &Mask, grid: &Grid, radius_mm: f64, progress: &Progress) -> Result<Mask, Cancelled> {
    let squared = squared_distances_mm2(mask, grid, progress)?;
    let limit = (radius_mm * radius_mm * (1.0 + 1e-6)) as f32;
    let dims = mask.dims();
    Ok(Mask::from_rows(dims, |j, k, words| {
        let start = grid.index(0, j, k);
        for (word, values) in words.iter_mut().zip(squared[start..start + dims[0] as usize].chunks(32)) {
            *word = values.iter().enumerate().fold(0, |word, (bit, &d)| word | u32::from(d <= limit) << bit);
        }
    }))
}

fn signed(voxel: [u32; 3]) -> [i32; 3] {
    voxel.map(|n| n as i32)
}

/// A box grown by `reach`, cut to the grid when its size is given.
fn grown_box(min: [i32; 3], max: [i32; 3], reach: [i32; 3], dims: Option<[u32; 3]>) -> RowBox {
    let end = |axis: usize| dims.map_or(i32::MAX, |dims| dims[axis] as i32);
    let start = if dims.is_some() { 0 } else { i32::MIN };
    RowBox {
        min: std::array::from_fn(|axis| (min[axis] - reach[axis]).max(start)),
        max: std::array::from_fn(|axis| (max[axis] + reach[axis]).min(end(axis))),
    }
}

/// One row of the ball: voxels `low..=high` along i, `dj`, `dk` away.
#[derive(Debug, Clone, Copy)]
struct BallRow {
    dj: i32,
    dk: i32,
    low: i32,
    high: i32,
}

/// The lattice steps that are at most a radius long.
struct Ball {
    rows: Vec<BallRow>,
    /// Largest step along each axis.
    reach: [i32; 3],
}

impl Ball {
    /// The steps that can lead from a voxel of the grid to another one of it.
    fn within(grid: &Grid, radius_mm: f64) -> Self {
        Self::new(grid, radius_mm, grid.dims().into_iter().max().unwrap_or(1) as i32)
    }

    /// All steps of at most `most` voxels along each axis.
    fn new(grid: &Grid, radius_mm: f64, most: i32) -> Self {
        let axes = grid.patient_from_voxel().matrix3;
        // A radius that is a sum of spacings counts, whatever its last digit.
        let radius = radius_mm.max(0.0) * (1.0 + 1e-9);
        let inverse_rows = axes.inverse().transpose();
        let bound = [inverse_rows.x_axis, inverse_rows.y_axis, inverse_rows.z_axis]
            .map(|row| ((row.length() * radius).floor() as i32).min(most));
        let mut rows = Vec::new();
        for dk in -bound[2]..=bound[2] {
            for dj in -bound[1]..=bound[1] {
                let offset: DVec3 = axes.y_axis * f64::from(dj) + axes.z_axis * f64::from(dk);
                let squared = axes.x_axis.length_squared();
                let middle = -offset.dot(axes.x_axis) / squared;
                let room = radius * radius - (offset + axes.x_axis * middle).length_squared();
                if room < 0.0 {
                    continue;
                }
                let half = (room / squared).sqrt();
                let (low, high) = ((middle - half).ceil() as i32, (middle + half).floor() as i32);
                if low <= high {
                    rows.push(BallRow { dj, dk, low, high });
                }
            }
        }
        rows.sort_by_key(|row| (row.high - row.low, row.low));
        let reach = [
            rows.iter().map(|row| row.low.abs().max(row.high.abs())).max().unwrap_or(0),
            rows.iter().map(|row| row.dj.abs()).max().unwrap_or(0),
            rows.iter().map(|row| row.dk.abs()).max().unwrap_or(0),
        ];
        Self { rows, reach }
    }

    /// The union of the balls around all voxels, within the same box. Groups of rows with the same span come from narrow
    /// to wide, so that each spread grows out of the one before.
    fn dilated(&self, source: &BitRows, progress: &Progress) -> Result<BitRows, Cancelled> {
        let (mut result, mut spread) = (BitRows::empty(source.around), source.clone());
        let mut span = (0, 0);
        let mut done = 0;
        for group in self.rows.chunk_by(|a, b| (a.low, a.high) == (b.low, b.high)) {
            progress.step(done, self.rows.len())?;
            let wanted = (group[0].low, group[0].high);
            if wanted.0 > span.0 || wanted.1 < span.1 {
                spread.rows_mut().for_each(|(j, k, words)| shift_row(source.row(j, k), -wanted.0, words));
                span = (wanted.0, wanted.0);
            }
            let (up, down) = (span.0 - wanted.0, wanted.1 - span.1);
            spread.rows_mut().for_each(|(_, _, words)| smear(words, up, down));
            span = wanted;
            result.layers_mut().try_for_each(|(k, layer)| {
                progress.check()?;
                for row in group {
                    lay_over(layer, &spread, row, k);
                }
                Ok(())
            })?;
            done += group.len();
        }
        Ok(result)
    }
}

impl Ball {
    /// What most of the voxels around each of the 64 voxels from bit `at` of row (j, k) are. Votes are counted for all 64 at
    /// once, one bit of the counts to a word: two for a voxel of the mask, one for a place outside the grid, which so weighs
    /// on neither side, none for background. More than the ball has voxels is a majority.
    fn majority(&self, source: &BitRows, dims: [u32; 3], [at, j, k]: [i32; 3]) -> u64 {
        let own = word_at(source.row(j, k), at);
        let (mut any, mut all) = (0_u64, u64::MAX);
        for row in &self.rows {
            let other = source.row(j + row.dj, k + row.dk);
            for step in [row.low, 0, row.high] {
                let word = word_at(other, at + step);
                (any, all) = (any | word, all & word);
            }
        }
        if (any == 0 || all == u64::MAX) && self.reach[0] <= 64 {
            return own;
        }
        let mut counts = [0_u64; COUNT_BITS];
        let in_grid = |n: i32, axis: usize| (0..dims[axis] as i32).contains(&n);
        let mut voters = 0_u32;
        for row in &self.rows {
            let inside = in_grid(j + row.dj, 1) && in_grid(k + row.dk, 2);
            let other = source.row(j + row.dj, k + row.dk);
            for step in row.low..=row.high {
                let first = source.around.min[0] + at + step;
                let outside = if inside { !bits_between(-first, dims[0] as i32 - first) } else { u64::MAX };
                add_votes(&mut counts[1..], word_at(other, at + step));
                add_votes(&mut counts, outside);
                voters += 1;
            }
        }
        let (mut more, mut equal) = (0_u64, u64::MAX);
        for bit in (0..COUNT_BITS).rev() {
            let wanted = if voters >> bit & 1 == 1 { u64::MAX } else { 0 };
            more |= equal & counts[bit] & !wanted;
            equal &= !(counts[bit] ^ wanted);
        }
        more | (equal & own)
    }
}

/// Bits of a vote count: twice the voxels of the largest ball that is sensible for smoothing, and more.
const COUNT_BITS: usize = 32;

/// Adds one bit to each of 64 counts.
fn add_votes(counts: &mut [u64], mut carry: u64) {
    for bits in counts {
        if carry == 0 {
            return;
        }
        (*bits, carry) = (*bits ^ carry, *bits & carry);
    }
}

/// The 64 bits of a row that begin at bit `at`; none beyond its ends.
fn word_at(row: &[u64], at: i32) -> u64 {
    let (word, bit) = (at.div_euclid(64), at.rem_euclid(64));
    let word_of = |n: i32| usize::try_from(n).ok().and_then(|n| row.get(n)).copied().unwrap_or(0);
    if bit == 0 { word_of(word) } else { word_of(word) >> bit | word_of(word + 1) << (64 - bit) }
}

/// Lays layer `k + dk` of `spread`, moved by `dj` rows, over a layer. The ball is symmetric: laying it over every voxel of the
/// mask is looking from every voxel for the mask.
fn lay_over(layer: &mut [u64], spread: &BitRows, row: &BallRow, k: i32) {
    let other = spread.layer(k + row.dk);
    let moved = row.dj.unsigned_abs() as usize * spread.words_per_row;
    if other.len() <= moved {
        return;
    }
    let (target, source) = if row.dj >= 0 {
        (&mut layer[..other.len() - moved], &other[moved..])
    } else {
        (&mut layer[moved..], &other[..other.len() - moved])
    };
    for (word, more) in target.iter_mut().zip(source) {
        *word |= more;
    }
}

/// Sets the `up` voxels after each set one and the `down` voxels before it.
fn smear(row: &mut [u64], up: i32, down: i32) {
    if (up <= 0 && down <= 0) || row.iter().all(|&word| word == 0) {
        return;
    }
    // Both from the same voxels: going up and then down again would lose what the end of the row cuts off.
    let before = if up > 0 && down > 0 { row.to_vec() } else { Vec::new() };
    smear_up(row, up);
    if before.is_empty() {
        smear_down(row, down);
    } else {
        let mut other = before;
        smear_down(&mut other, down);
        row.iter_mut().zip(&other).for_each(|(word, more)| *word |= more);
    }
}

/// The steps that add up to a smear: each at most as long as what is covered already, and shorter than a word.
fn smear_steps(total: i32) -> impl Iterator<Item = u32> {
    let mut covered = 1;
    std::iter::from_fn(move || {
        let step = covered.min(total + 1 - covered).min(63);
        covered += step;
        (step > 0).then_some(step as u32)
    })
}

fn smear_up(row: &mut [u64], total: i32) {
    for step in smear_steps(total) {
        for n in (1..row.len()).rev() {
            row[n] |= row[n] << step | row[n - 1] >> (64 - step);
        }
        row[0] |= row[0] << step;
    }
}

fn smear_down(row: &mut [u64], total: i32) {
    let last = row.len() - 1;
    for step in smear_steps(total) {
        for n in 0..last {
            row[n] |= row[n] >> step | row[n + 1] << (64 - step);
        }
        row[last] |= row[last] >> step;
    }
}
