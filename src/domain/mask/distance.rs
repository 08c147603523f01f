//! Exact Euclidean distances to a mask, in mm, on grids whose axes are at right angles.
//!
//! In: a mask and its grid. Out: for each voxel the squared distance from its centre to the nearest voxel centre of the mask.
//! Separable: along i from the runs of each row, then along j and k by the lower envelope of parabolas, 16 columns at a
//! time so that memory is read in whole cache lines.
//!
//! Source: Felzenszwalb, Huttenlocher, "Distance Transforms of Sampled Functions", Theory of Computing 8, 2012;
//! Meijster, Roerdink, Hesselink, "A general algorithm for computing distance transforms in linear time", 2000.

use rayon::prelude::*;

use crate::domain::grid::Grid;
use crate::task::{Cancelled, Progress};

use super::Mask;
use super::runs::{Run, Runs};

/// Columns that are worked on together: 64 bytes of `f32`.
const COLUMNS: usize = 16;

/// Whether the voxel axes are at right angles to each other (to 1e-6): else distance is not a sum over the axes.
pub fn has_right_angles(grid: &Grid) -> bool {
    let axes = grid.patient_from_voxel().matrix3;
    let [a, b, c] = [axes.x_axis, axes.y_axis, axes.z_axis].map(glam::DVec3::normalize);
    [a.dot(b), b.dot(c), c.dot(a)].iter().all(|cosine| cosine.abs() < 1e-6)
}

/// Squared distance in mm2 from each voxel to the nearest voxel of the mask, i fastest; infinite for an empty mask.
///
/// # Errors
/// When cancelled.
///
/// # Panics
/// When the grid is not the mask's, or is sheared (`has_right_angles`).
pub fn squared_distances_mm2(mask: &Mask, grid: &Grid, progress: &Progress) -> Result<Vec<f32>, Cancelled> {
    assert_eq!(mask.dims(), grid.dims(), "the mask is of this grid");
    assert!(has_right_angles(grid), "distances need axes at right angles");
    progress.phase("Distance");
    let (dims, spacing) = (mask.dims().map(|n| n as usize), grid.spacing_mm());
    let [ni, nj, nk] = dims;
    let runs = Runs::of(mask);
    let mut squared = vec![0_f32; ni * nj * nk];
    let steps: Vec<f32> = (0..=ni).map(|n| (n as f64 * spacing.x).powi(2) as f32).collect();
    squared.par_chunks_mut(ni * nj).enumerate().try_for_each(|(k, layer)| {
        progress.check()?;
        for (j, row) in layer.chunks_mut(ni).enumerate() {
            sweep_row(runs.row(j as u32, k as u32), &steps, row);
        }
        // Along j: a layer lies in memory in one piece.
        let mut envelope = Envelope::new(nj, spacing.y);
        for first in (0..ni).step_by(COLUMNS) {
            envelope.sweep(layer, first, ni, COLUMNS.min(ni - first));
        }
        Ok(())
    })?;
    // Along k: planes of constant j, which are taken out of the volume and put back.
    let planes = Planes { squared: &mut squared, ni, nj, nk };
    planes.sweep(spacing.z, progress)?;
    Ok(squared)
}

/// Signed distance in mm: positive outside the mask, measured to the nearest voxel of the mask; negative inside, measured to
/// the nearest voxel that is not of it.
///
/// # Errors
/// When cancelled.
///
/// # Panics
/// As [`squared_distances_mm2`].
pub fn signed_distances_mm(mask: &Mask, grid: &Grid, progress: &Progress) -> Result<Vec<f32>, Cancelled> {
    let mut outside = squared_distances_mm2(mask, grid, progress)?;
    let inside = squared_distances_mm2(&mask.combined(mask, |a, _| !a), grid, progress)?;
    outside.par_iter_mut().zip(&inside).for_each(|(out, &within)| *out = out.sqrt() - within.sqrt());
    Ok(outside)
}

/// Squared distances along a row from its runs: zero in them, to the nearer end between them.
fn sweep_row(runs: &[Run], steps: &[f32], row: &mut [f32]) {
    let (Some(first), Some(last)) = (runs.first(), runs.last()) else {
        row.fill(f32::INFINITY);
        return;
    };
    let towards_end = |gap: &mut [f32]| gap.iter_mut().rev().zip(&steps[1..]).for_each(|(value, &step)| *value = step);
    let from_start = |gap: &mut [f32]| gap.iter_mut().zip(&steps[1..]).for_each(|(value, &step)| *value = step);
    towards_end(&mut row[..usize::from(first.start)]);
    for run in runs {
        row[usize::from(run.start)..usize::from(run.end)].fill(0.0);
    }
    for pair in runs.windows(2) {
        let gap = &mut row[usize::from(pair[0].end)..usize::from(pair[1].start)];
        let (near, far) = gap.split_at_mut(gap.len().div_ceil(2));
        from_start(near);
        towards_end(far);
    }
    from_start(&mut row[usize::from(last.end)..]);
}

/// The lower envelope of the parabolas over one column.
struct Envelope {
    /// Square of the spacing.
    square: f32,
    /// `1 / (2 square n)`: turns a difference of heights into steps.
    steps_per_height: Vec<f32>,
    columns: Vec<f32>,
    stack: Stack,
    length: usize,
}

/// The parabolas of the envelope: where their vertices are, how high, and where each begins to be the lowest.
struct Stack {
    vertices: Vec<f32>,
    heights: Vec<f32>,
    begins: Vec<f32>,
}

impl Envelope {
    fn new(length: usize, spacing_mm: f64) -> Self {
        let square = spacing_mm * spacing_mm;
        Self {
            square: square as f32,
            steps_per_height: (0..=length).map(|n| (0.5 / (square * n.max(1) as f64)) as f32).collect(),
            columns: vec![0.0; (length + COLUMNS) * COLUMNS],
            stack: Stack { vertices: vec![0.0; length], heights: vec![0.0; length], begins: vec![0.0; length + 1] },
            length,
        }
    }

    /// Replaces `count` columns, which begin at `first` and whose elements lie `stride` apart, by their minima over all
    /// parabolas.
    fn sweep(&mut self, values: &mut [f32], first: usize, stride: usize, count: usize) {
        // A pitch that is no power of two: else all columns compete for the same few cache lines.
        let (length, pitch) = (self.length, self.length + COLUMNS);
        for n in 0..length {
            let line = &values[first + n * stride..][..count];
            for (column, &value) in line.iter().enumerate() {
                self.columns[column * pitch + n] = value;
            }
        }
        for column in self.columns.chunks_exact_mut(pitch).take(count).map(|column| &mut column[..length]) {
            if column.iter().any(|&value| value > 0.0) {
                minimise(column, self.square, &self.steps_per_height, &mut self.stack);
            }
        }
        for n in 0..length {
            let line = &mut values[first + n * stride..][..count];
            for (column, value) in line.iter_mut().enumerate() {
                *value = self.columns[column * pitch + n];
            }
        }
    }
}

/// Replaces the heights of a column by the lower envelope of the parabolas over them.
fn minimise(column: &mut [f32], square: f32, steps_per_height: &[f32], stack: &mut Stack) {
    let Stack { vertices, heights, begins } = stack;
    let mut count = 0_usize;
    for (n, &height) in column.iter().enumerate() {
        if height == f32::INFINITY {
            continue;
        }
        let at = n as f32;
        // Where this parabola falls below the last one of the envelope; while that is before the last one begins, the last
        // one is nowhere the lowest.
        let mut begin = f32::NEG_INFINITY;
        while count > 0 {
            let vertex = vertices[count - 1];
            begin = (height - heights[count - 1]) * steps_per_height[(at - vertex) as usize] + 0.5 * (at + vertex);
            if begin > begins[count - 1] {
                break;
            }
            count -= 1;
            begin = f32::NEG_INFINITY;
        }
        (vertices[count], heights[count], begins[count]) = (at, height, begin);
        count += 1;
    }
    let mut from = 0;
    for parabola in 0..count {
        let to = if parabola + 1 == count { column.len() } else { (begins[parabola + 1] + 1.0) as usize };
        let to = to.min(column.len());
        let (vertex, height) = (vertices[parabola], heights[parabola]);
        for (n, value) in column.iter_mut().enumerate().take(to).skip(from) {
            let steps = n as f32 - vertex;
            *value = steps * steps * square + height;
        }
        from = from.max(to);
    }
}

/// A volume whose columns along k are swept.
struct Planes<'a> {
    squared: &'a mut [f32],
    ni: usize,
    nj: usize,
    nk: usize,
}

impl Planes<'_> {
    /// Each worker gets the rows j of all layers: slices that do not overlap, collected layer by layer.
    fn sweep(self, spacing_mm: f64, progress: &Progress) -> Result<(), Cancelled> {
        let (ni, nj, nk) = (self.ni, self.nj, self.nk);
        let mut rows_of: Vec<Vec<&mut [f32]>> = (0..nj).map(|_| Vec::with_capacity(nk)).collect();
        for layer in self.squared.chunks_mut(ni * nj) {
            for (j, row) in layer.chunks_mut(ni).enumerate() {
                rows_of[j].push(row);
            }
        }
        rows_of.into_par_iter().try_for_each(|mut rows| {
            progress.check()?;
            let mut envelope = Envelope::new(nk, spacing_mm);
            let mut block = vec![0_f32; nk * COLUMNS];
            for first in (0..ni).step_by(COLUMNS) {
                let count = COLUMNS.min(ni - first);
                for (row, line) in rows.iter().zip(block.chunks_mut(COLUMNS)) {
                    line[..count].copy_from_slice(&row[first..first + count]);
                }
                envelope.sweep(&mut block, 0, COLUMNS, count);
                for (row, line) in rows.iter_mut().zip(block.chunks(COLUMNS)) {
                    row[first..first + count].copy_from_slice(&line[..count]);
                }
            }
            Ok(())
        })
    }
}
